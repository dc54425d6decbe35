import json
import pickle
import re
import subprocess
import sys
import zlib

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.utils import get_tags

from skser import AudioLoader, Augmenter, Clips
from skser.augmentation import add_noise, shift_time
from skser.augmentation._transforms import warp
from skser.exceptions import DataError, NotFittedError, ParameterError

from ..audio.samples import noise

SR = 16000
WAVEFORMS = noise(4000, 5).T.astype(np.float32)
ALL = {
    "noise": (10, 20),
    "pitch": (-2, 2),
    "stretch": (0.8, 1.2),
    "speed": (0.8, 1.2),
    "shift": (-0.1, 0.1),
}
OFF = dict.fromkeys(ALL)


def rng(seed=0):
    return np.random.default_rng(seed)


def waveform_clips(waveforms=WAVEFORMS):
    return Clips.from_waveforms(waveforms, SR)


def middle(waveform):
    return waveform[len(waveform) // 8 : -len(waveform) // 8]


def values(clips):
    return [views.tobytes() for views in clips]


# --- views ----------------------------------------------------------------------------------


def test_first_view_is_the_clean_clip():
    clips = Augmenter(n_views=3, random_state=0, **ALL).fit_transform(waveform_clips())
    assert clips.n_views == 3
    for clean, views in zip(WAVEFORMS, clips, strict=True):
        assert views.shape == (3, 4000)
        assert views.dtype == np.float32
        np.testing.assert_array_equal(views[0], clean)
        assert np.isfinite(views).all()
        assert len({view.tobytes() for view in views}) == 3


@pytest.mark.parametrize("name", ALL)
def test_each_transform_can_be_switched_on(name):
    augmenter = Augmenter(n_views=2, random_state=0, **{**OFF, name: ALL[name]})
    clean, view = augmenter.fit_transform(waveform_clips())[0]
    assert not np.array_equal(clean, view)


def test_all_switched_off():
    for clean, view in Augmenter(n_views=2, **OFF).fit_transform(waveform_clips()):
        np.testing.assert_array_equal(clean, view)


def test_order_of_ranges_and_transforms():
    """Noise comes last: none of it is shifted away."""
    augmenter = Augmenter(n_views=2, **{**OFF, "shift": (0.2, 0.2), "noise": [0, 0]})
    view = augmenter.fit_transform(waveform_clips())[0][1]
    shifted = shift_time(WAVEFORMS[0], SR, rng(), 0.2, 0.2)
    assert view[:3200].std() == pytest.approx(np.sqrt(np.mean(shifted**2)), rel=0.05)


def test_each_transform_draws_once_and_in_order():
    """Speed, stretch and pitch are drawn one after the other and made in one pass."""
    augmenter = Augmenter(n_views=2, random_state=0, **ALL).fit(WAVEFORMS)
    generator = np.random.default_rng([augmenter.seed_, zlib.crc32(WAVEFORMS[0].tobytes()), 1])
    strengths = {name: generator.uniform(*ALL[name]) for name in ("speed", "stretch", "pitch")}
    expected = warp(WAVEFORMS[0], SR, **strengths)
    expected = shift_time(expected, SR, generator, *ALL["shift"])
    expected = add_noise(expected, SR, generator, *ALL["noise"])[:4000]
    made = augmenter.fit_transform(WAVEFORMS)[0][1]
    np.testing.assert_array_equal(made[: len(expected)], expected)


def test_views_of_ragged_clips_are_padded_with_nan():
    waveforms = [waveform[:n] for waveform, n in zip(WAVEFORMS, (4000, 3000, 2000), strict=False)]
    clips = waveform_clips(waveforms)
    augmenter = Augmenter(n_views=6, random_state=0, **{**OFF, "speed": (0.5, 2)})
    for clean, views in zip(waveforms, augmenter.fit_transform(clips), strict=True):
        lengths = [int(np.isfinite(view).sum()) for view in views]
        assert lengths[0] == len(clean)
        assert max(lengths) == views.shape[1]
        assert len(set(lengths)) > 3
        for view, length in zip(views, lengths, strict=True):
            assert np.isfinite(view[:length]).all()
            assert np.isnan(view[length:]).all()


def test_views_of_ragged_clips_are_cropped_to_the_longest_allowed():
    clips = Clips(list(WAVEFORMS), np.asarray, sr=SR, max_samples=4400)
    slow = Augmenter(n_views=2, **{**OFF, "speed": (0.5, 0.5)}).fit_transform(clips)
    assert {views.shape for views in slow} == {(2, 4400)}


@pytest.mark.parametrize("rate", [0.5, 2])
@pytest.mark.parametrize("name", ["speed", "stretch"])
def test_views_of_clips_of_one_length_keep_it(name, rate):
    augmenter = Augmenter(n_views=2, **{**OFF, name: (rate, rate)})
    view = augmenter.fit_transform(waveform_clips())[0][1]
    assert view.shape == (4000,)
    assert np.isfinite(view).all()
    assert (view[2100:] == 0).all() == (rate == 2)


# --- randomness -----------------------------------------------------------------------------


def test_views_belong_to_the_clip():
    augmenter = Augmenter(n_views=3, random_state=0, **ALL)
    expected = values(augmenter.fit_transform(waveform_clips()))
    order = [3, 1, 4]
    for clips in (
        augmenter.fit_transform(waveform_clips(WAVEFORMS[order])),
        augmenter.fit_transform(waveform_clips()[order]),
        augmenter.fit_transform(waveform_clips())[order],
        clone(augmenter).fit_transform(WAVEFORMS[order]),
        pickle.loads(pickle.dumps(augmenter.fit_transform(waveform_clips())))[order],
    ):
        assert values(clips) == [expected[i] for i in order]
    assert values(augmenter.fit_transform(WAVEFORMS)) == expected


def test_each_clip_and_view_gets_draws_of_its_own():
    augmenter = Augmenter(n_views=4, random_state=0, **{**OFF, "shift": (0.01, 0.2)})
    clips = augmenter.fit_transform(waveform_clips())
    delays = [tuple(int(np.flatnonzero(view)[0]) for view in views[1:]) for views in clips]
    assert len(set(delays)) == 5
    assert all(len(set(of_views)) == 3 for of_views in delays)


@pytest.mark.slow
def test_views_are_the_same_in_another_process():
    clips = Augmenter(n_views=3, random_state=0, **ALL).fit_transform(waveform_clips())
    code = (
        "import pickle, sys, zlib\n"
        "clips = pickle.load(sys.stdin.buffer)\n"
        "print([zlib.crc32(views.tobytes()) for views in clips])"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], input=pickle.dumps(clips), capture_output=True, check=True
    )
    assert json.loads(done.stdout) == [zlib.crc32(content) for content in values(clips)]


def test_seeds():
    def views(random_state):
        return values(Augmenter(random_state=random_state).fit_transform(WAVEFORMS))

    assert views(0) == views(0)
    assert views(0) != views(1)
    assert views(None) != views(None)
    assert views(np.random.RandomState(0)) == views(0)
    generator = np.random.RandomState(0)
    assert views(generator) != views(generator)


def test_fit_draws_the_seed_and_transform_keeps_it():
    augmenter = Augmenter(test_time=True).fit(WAVEFORMS)
    assert values(augmenter.transform(WAVEFORMS)) == values(augmenter.transform(WAVEFORMS))
    assert isinstance(augmenter.seed_, int)


def test_global_random_state_is_left_alone():
    before = np.random.get_state()[1].tolist()  # noqa: NPY002
    values(Augmenter(random_state=0).fit_transform(WAVEFORMS))
    assert np.random.get_state()[1].tolist() == before  # noqa: NPY002


# --- fit, transform -------------------------------------------------------------------------


def test_transform_is_the_identity():
    clips = waveform_clips()
    augmenter = Augmenter(random_state=0).fit(clips)
    assert augmenter.transform(clips) is clips
    np.testing.assert_array_equal(np.asarray(augmenter.transform(WAVEFORMS)), WAVEFORMS)


def test_test_time_views_are_those_of_training():
    augmenter = Augmenter(test_time=True, random_state=0)
    trained = augmenter.fit_transform(waveform_clips())
    assert values(augmenter.transform(waveform_clips())) == values(trained)


def test_one_view_is_no_augmentation():
    clips = waveform_clips()
    assert Augmenter(n_views=1).fit_transform(clips) is clips
    assert Augmenter(n_views=1, test_time=True).fit(clips).transform(clips) is clips


def test_augmentation_is_lazy():
    read = []

    def reader(source):
        read.append(source)
        return WAVEFORMS[source]

    clips = Clips(range(5), reader, sr=SR, n_samples=4000)
    augmented = Augmenter().fit_transform(clips)
    assert read == []
    assert augmented[3].shape == (4, 4000)
    assert read == [3]


def test_sr_is_that_of_the_clips():
    by_a_second = {**OFF, "shift": (0.1, 0.1)}
    for clips, sr in [(Clips.from_waveforms(WAVEFORMS, 8000), 8000), (WAVEFORMS, 4000)]:
        view = Augmenter(n_views=2, sr=4000, **by_a_second).fit_transform(clips)[0][1]
        assert np.flatnonzero(view)[0] == sr // 10


def test_not_fitted():
    with pytest.raises(NotFittedError, match="This Augmenter instance is not fitted yet"):
        Augmenter().transform(WAVEFORMS)


def test_tags():
    assert get_tags(Augmenter()).non_deterministic
    assert not get_tags(Augmenter(random_state=0)).non_deterministic


@pytest.mark.parametrize(
    ("waveforms", "message"),
    [
        (np.zeros(9), "Expected 2D array, got 1D array instead"),
        (np.full((2, 9), np.nan), "contains NaN"),
        (np.zeros((0, 9)), r"Found array with 0 sample\(s\)"),
        (np.zeros((2, 3, 4)), "Found array with dim 3"),
        (np.array([["a.wav"]]), "not compatible with arrays of bytes"),
    ],
)
def test_bad_arrays(waveforms, message):
    with pytest.raises(DataError, match=message):
        Augmenter().fit(waveforms)


BAD_PARAMETERS = [
    ("n_views", 0),
    ("n_views", 2.0),
    ("noise", (30, 15)),
    ("noise", 15),
    ("pitch", (2, -2)),
    ("pitch", (0, 25)),
    ("stretch", (0, 1)),
    ("speed", (1.1,)),
    ("speed", ("a", 1)),
    ("shift", (0, 61)),
    ("shift", (0, np.nan)),
    ("spacing", "log"),
    ("test_time", 1),
    ("random_state", -1),
    ("sr", 0),
]


@pytest.mark.parametrize(("name", "value"), BAD_PARAMETERS)
@pytest.mark.parametrize("method", ["fit", "fit_transform"])
def test_bad_parameters(name, value, method):
    with pytest.raises(ParameterError, match=rf"^{name} must be .*, got {re.escape(repr(value))}$"):
        getattr(Augmenter(**{name: value}), method)(WAVEFORMS)


def test_every_parameter_is_checked():
    names = set(Augmenter().get_params())
    assert names == set(Augmenter._allowed)
    assert names == {name for name, _ in BAD_PARAMETERS}


def test_fit_transform_refuses_unknown_keywords():
    with pytest.raises(TypeError, match="grousp"):
        Augmenter().fit_transform(WAVEFORMS, grousp=[0])


def test_parameters_are_keywords():
    with pytest.raises(TypeError, match="positional"):
        Augmenter(2)
    with pytest.raises(TypeError, match="positional"):
        AudioLoader(16000)


# --- even spacing ---------------------------------------------------------------------------


def test_even_spacing_takes_the_same_values_for_all_clips():
    """From the lowest to the highest."""
    augmenter = Augmenter(n_views=4, spacing="even", **{**OFF, "speed": (0.8, 1.25)})
    clips = augmenter.fit_transform(waveform_clips())
    for clean, views in zip(WAVEFORMS, clips, strict=True):
        for view, rate in zip(views[1:], (0.8, 1.025, 1.25), strict=True):
            expected = warp(clean, SR, speed=rate)[:4000]
            np.testing.assert_array_equal(view[: len(expected)], expected)


def test_even_spacing_of_two_views_takes_the_lowest():
    augmenter = Augmenter(n_views=2, spacing="even", **{**OFF, "stretch": (0.8, 1.25)})
    views = next(iter(augmenter.fit_transform(waveform_clips())))
    expected = warp(WAVEFORMS[0], SR, stretch=0.8)[:4000]
    np.testing.assert_array_equal(views[1, : len(expected)], expected)


def test_even_spacing_needs_no_seed_unless_something_is_drawn():
    warped = {"n_views": 3, "spacing": "even", **OFF, "speed": (0.8, 1.25), "pitch": (-2, 2)}
    first, second = (
        values(Augmenter(**warped, random_state=i).fit_transform(waveform_clips())) for i in (0, 1)
    )
    assert first == second
    noisy = [Augmenter(**{**warped, "noise": (20, 20)}, random_state=i) for i in (0, 1)]
    first, second = (values(augmenter.fit_transform(waveform_clips())) for augmenter in noisy)
    assert first != second
