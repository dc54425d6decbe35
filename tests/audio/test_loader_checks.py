"""Checks of AudioLoader as an estimator.

scikit-learn's own suite works with 2-D arrays of numbers and passes over whatever takes none, so
these take the place of its checks.
"""

import inspect
import pickle

import joblib
import numpy as np
import pytest
from sklearn.base import BaseEstimator, clone
from sklearn.exceptions import SkipTestWarning
from sklearn.model_selection import KFold, cross_val_score
from sklearn.neighbors import KNeighborsClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer
from sklearn.utils import estimator_html_repr, get_tags
from sklearn.utils.estimator_checks import check_estimator
from sklearn.utils.validation import check_is_fitted

from skser import AudioLoader
from skser.exceptions import DataError

from .samples import encode, noise

LOADERS = {
    "default": AudioLoader(),
    "ragged": AudioLoader(duration=None, pad=None),
    "all options": AudioLoader(
        sr=8000,
        duration=0.4,
        offset=0.1,
        pad="repeat",
        trim_db=40,
        normalize="rms",
        max_duration=None,
        on_error="silence",
    ),
}


@pytest.fixture(scope="module")
def paths(tmp_path_factory):
    folder = tmp_path_factory.mktemp("recordings")
    for i in range(6):
        content = encode(noise(4800 * (i + 1), seed=i), 16000, "FLAC/PCM_16")
        (folder / f"{i}.flac").write_bytes(content)
    return np.array([str(folder / f"{i}.flac") for i in range(6)])


def values(clips):
    return [views.tobytes() for views in clips]


def check_input_stays_the_same(loader, paths):
    waveforms = noise(8000, 2).T.astype(np.float32)
    for X in (paths, paths.tolist(), waveforms, list(waveforms)):
        before = pickle.dumps(X)
        values(loader.fit(X).transform(X))
        assert pickle.dumps(X) == before


def check_fit_is_not_needed(loader, paths):
    check_is_fitted(loader)
    expected = values(loader.transform(paths))
    assert values(clone(loader).fit(paths[:1]).transform(paths)) == expected
    assert values(clone(loader).fit_transform(paths)) == expected


def check_fit_returns_self(loader, paths):
    assert loader.fit(paths) is loader
    assert loader.fit(paths, np.arange(6) % 2) is loader
    assert loader.fit(["no such file.wav"]) is loader


def check_fit_sets_one_attribute(loader, paths):
    before = {name: value for name, value in vars(loader).items() if not name.startswith("_repr")}
    loader.fit(paths).transform(paths)
    assert vars(loader) == {**before, "knows_rates_": True}


def check_init_only_stores(loader, paths):
    signature = inspect.signature(AudioLoader.__init__)
    marks = {name: object() for name in list(signature.parameters)[1:]}
    made = AudioLoader(**marks)
    assert vars(made) == marks
    assert all(made.get_params()[name] is mark for name, mark in marks.items())


def check_defaults_are_immutable(loader, paths):
    for parameter in list(inspect.signature(AudioLoader.__init__).parameters.values())[1:]:
        assert parameter.default is None or isinstance(parameter.default, (int, float, str))


def check_get_params(loader, paths):
    assert loader.get_params() == loader.get_params(deep=False)
    assert AudioLoader(**loader.get_params()).get_params() == loader.get_params()


def check_set_params(loader, paths):
    assert loader.set_params() is loader
    assert loader.set_params(sr=22050, normalize="peak") is loader
    assert (loader.sr, loader.normalize) == (22050, "peak")
    assert loader.transform(paths).sr == 22050
    with pytest.raises(ValueError, match="Invalid parameter 'rate' for estimator AudioLoader"):
        loader.set_params(rate=1)


def check_set_params_takes_anything_until_fit(loader, paths):
    loader.set_params(sr="fast")
    with pytest.raises(ValueError, match=r"^sr must be "):
        loader.fit(paths)


def check_clone(loader, paths):
    copy = clone(loader)
    assert copy is not loader
    assert copy.get_params() == loader.get_params()
    assert values(copy.transform(paths)) == values(loader.transform(paths))


def check_pickle(loader, paths):
    copy = pickle.loads(pickle.dumps(loader))
    assert copy.get_params() == loader.get_params()
    clips = loader.transform(paths)
    for other in (copy.transform(paths), pickle.loads(pickle.dumps(clips))):
        assert repr(other) == repr(clips)
        assert values(other) == values(clips)


def check_clips_hash(loader, paths):
    """The sources and what reads them are what a cache is keyed by."""
    clips, again = loader.transform(paths), clone(loader).transform(paths)
    assert joblib.hash((clips.sources, clips.read)) == joblib.hash((again.sources, again.read))
    other = clone(loader).set_params(offset=0.05).transform(paths)
    assert joblib.hash(clips.read) != joblib.hash(other.read)
    assert hash(clips.read) == hash(again.read)


def check_repr(loader, paths):
    assert eval(repr(loader)).get_params() == loader.get_params()


def check_html(loader, paths):
    html = estimator_html_repr(make_pipeline(loader, FunctionTransformer()))
    assert "AudioLoader" in html
    assert "AudioLoader" in loader._repr_html_()


def check_order(loader, paths):
    order = [3, 0, 5, 1, 4, 2]
    expected = values(loader.transform(paths))
    assert values(loader.transform(paths[order])) == [expected[i] for i in order]
    assert values(loader.transform(paths)[order]) == [expected[i] for i in order]


def check_subset(loader, paths):
    expected = values(loader.transform(paths))
    for i in range(len(paths)):
        assert values(loader.transform(paths[i : i + 1])) == expected[i : i + 1]


def check_repeated_reading(loader, paths):
    clips = loader.transform(paths)
    assert values(clips) == values(clips) == values(loader.transform(paths))


def check_number_of_clips(loader, paths):
    for X in (paths, paths.tolist(), paths[:1], np.repeat(paths, 3)):
        assert len(loader.transform(X)) == len(X)


def check_shapes(loader, paths):
    clips = loader.transform(paths)
    for views in clips:
        assert views.dtype == np.float32
        assert views.shape[0] == 1
        assert clips.n_samples in (None, views.shape[1])
        assert clips.max_samples is None or views.shape[1] <= clips.max_samples


def check_in_a_pipeline(loader, paths):
    pipeline = make_pipeline(loader, FunctionTransformer(levels), KNeighborsClassifier(1))
    y = np.array(["a", "b"] * 3)
    assert pipeline.fit(paths, y).predict(paths).shape == (6,)
    assert pipeline.set_params(audioloader__duration=0.2).fit(paths, y).score(paths, y) == 1
    scores = cross_val_score(pipeline, paths, y, cv=KFold(3), error_score="raise")
    assert scores.shape == (3,)


def levels(clips):
    return np.array([[np.abs(views).mean(), np.abs(views).max()] for views in clips])


def check_tags(loader, paths):
    tags = get_tags(loader)
    assert not tags.requires_fit
    assert not tags.target_tags.required
    assert not tags.input_tags.two_d_array
    assert tags.input_tags.string
    assert not tags.non_deterministic
    assert isinstance(loader, BaseEstimator)


def check_labels_change_nothing(loader, paths):
    expected = values(loader.transform(paths))
    labels = ["calm", "sad"] * (len(paths) // 2)
    assert values(clone(loader).fit_transform(paths, labels)) == expected


def check_labels_are_one_for_each_recording(loader, paths):
    with pytest.raises(DataError, match=f"^y must .*: {len(paths)} clips, 2 labels"):
        loader.fit(paths, ["calm", "sad"])


def check_names_of_labels_are_at_least_two(loader, paths):
    with pytest.raises(DataError, match="y must have at least two classes, got one class only"):
        loader.fit(paths, ["calm"] * len(paths))
    loader.fit(paths, [0.5] * len(paths))  # a target of regression may be constant


def check_docstring(loader, paths):
    lines = inspect.getdoc(AudioLoader).splitlines()
    for name in loader.get_params():
        assert any(line.startswith(f"{name} : ") for line in lines)


CHECKS = [check for name, check in list(globals().items()) if name.startswith("check_")]
CHECKS = [check for check in CHECKS if check.__module__ == __name__]


@pytest.mark.parametrize("loader", LOADERS.values(), ids=LOADERS)
@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.__name__)
def test_check(check, loader, paths):
    check(clone(loader), paths)


def test_checks_ran():
    assert len(CHECKS) == 25


def test_scikit_learn_passes_over_the_loader():
    """Should it not any more, its checks may replace some of these."""
    with pytest.warns(SkipTestWarning, match="^Can't test estimator AudioLoader"):
        results = check_estimator(AudioLoader(), on_skip=None, on_fail=None)
    assert {result["status"] for result in results} == {"passed"}
    assert len(results) < 5
