import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal

from skser.networks._batches import NOTHING_DRAWN, Draws, DrawSettings, count_frames, with_frames

EVERYTHING = {
    "frequency_masks": (2, 2),
    "time_masks": (2, 3),
    "time_scale": (0.5, 2),
    "gain": (-1, 1),
    "noise": 0.5,
    "mixup": 0.2,
}
quick = settings(max_examples=40, deadline=None, derandomize=True)


def draws(values, clips=None, seed=0, **changed):
    """Draws of clips with three classes and weights 1, 2, 3, ..."""
    n = len(values)
    clips = np.arange(n) if clips is None else np.asarray(clips)
    targets, weights = np.eye(3)[np.arange(n) % 3], np.arange(n) + 1.0
    given = {"batch_size": 32, "view_sampling": "one", **NOTHING_DRAWN, **changed}
    return Draws(np.asarray(values), targets, weights, clips, DrawSettings(**given), seed)


def rows(drawn, number=0, n_frames=None):
    """All rows of an epoch, or of sequences a list."""
    x, targets, weights = zip(*drawn.epoch(number, n_frames), strict=True)
    x = [row for batch in x for row in batch] if drawn.is_sequence else np.concatenate(x)
    return x, np.concatenate(targets), np.concatenate(weights)


def vectors(n_clips=10, n_views=3):
    """Vectors that say which clip and view they are."""
    clips, views = np.meshgrid(np.arange(n_clips), np.arange(n_views), indexing="ij")
    return np.stack([clips, views], axis=-1).astype(np.float32)


def sequences(lengths, n_features=4, padding=np.nan, n_padding=0):
    """Sequences of these lengths, one view each, their values above 0."""
    shape = len(lengths), 1, max(lengths), n_features
    values = np.random.default_rng(0).uniform(1, 2, shape).astype(np.float32)
    values[np.arange(shape[2]) >= np.reshape(lengths, (-1, 1, 1))] = padding
    return np.pad(values, ((0, 0), (0, 0), (0, n_padding), (0, 0)), constant_values=padding)


def same(first, second):
    return all(
        a.shape == b.shape and (a == b).all()
        for batches in zip(first, second, strict=True)
        for a, b in zip(*batches, strict=True)
    )


@pytest.mark.parametrize("values", [vectors(), sequences([5, 9, 3, 7])], ids=["vectors", "frames"])
def test_an_epoch_depends_on_seed_and_number_only(values):
    drawn, other_seed = (draws(values, batch_size=3, seed=s, **EVERYTHING) for s in (0, 1))
    first = list(drawn.epoch(4))
    list(drawn.epoch(2))
    assert same(drawn.epoch(4), first)
    assert same(draws(values, batch_size=3, **EVERYTHING).epoch(4), first)
    assert not same(drawn.epoch(5), first)
    assert not same(other_seed.epoch(4), first)


@quick
@given(
    n_clips=st.integers(1, 12),
    n_views=st.integers(1, 4),
    batch_size=st.integers(1, 15),
    number=st.integers(0, 100),
    data=st.data(),
)
def test_each_clip_once_or_all_its_views(n_clips, n_views, batch_size, number, data):
    clips = data.draw(st.sets(st.integers(0, n_clips - 1), min_size=1).map(sorted))
    for views in ("one", "all"):
        drawn = draws(vectors(n_clips, n_views), clips, batch_size=batch_size, view_sampling=views)
        x, targets, weights = rows(drawn, number)
        n = 1 if views == "one" else n_views
        assert_array_equal(np.sort(x[:, 0]), np.repeat(clips, n))
        assert len(np.unique(x, axis=0)) == len(x) == drawn.n_rows
        assert (x[:, 1] < n_views).all()
        # Targets and weights follow their clip.
        assert_array_equal(targets, np.eye(3)[x[:, 0].astype(int) % 3])
        assert_array_equal(weights, x[:, 0] + 1)
        sizes = [len(batch) for batch, _, _ in drawn.epoch(number)]
        assert len(sizes) == drawn.n_batches
        assert all(size == batch_size for size in sizes[:-1])


def test_order_and_views_differ_between_epochs():
    drawn = draws(vectors(30, 4))
    x = np.stack([rows(drawn, number)[0] for number in range(4)])
    assert len(np.unique(x[..., 0], axis=0)) == 4
    by_clip = [row[np.argsort(row[:, 0]), 1] for row in x]
    assert len(np.unique(by_clip, axis=0)) == 4
    assert_array_equal(np.unique(by_clip), np.arange(4))


@quick
@given(n=st.integers(1, 12), batch_size=st.integers(1, 12), mixup=st.sampled_from([0.05, 0.2, 1]))
@pytest.mark.parametrize("n_frames", [None, 5])
def test_mixtures_are_convex_and_carry_targets_and_weights(n_frames, n, batch_size, mixup):
    # The features of clip i are 1 at i, so a row shows the shares in it.
    values = np.eye(n, dtype=np.float32)[:, None]
    if n_frames:
        values = np.repeat(values[:, :, None], n_frames, axis=2)
    drawn = draws(values, batch_size=batch_size, mixup=mixup)
    x, targets, weights = rows(drawn)
    shares = np.stack(x)[:, 0] if n_frames else x
    assert (shares >= 0).all()
    assert_allclose(shares.sum(axis=1), 1, rtol=1e-6)
    assert ((shares > 0).sum(axis=1) <= 2).all()
    # A label counts with the weight of its clip.
    assert_allclose(weights, shares @ drawn.weights, rtol=1e-5)
    weighted = shares * drawn.weights
    assert_allclose(targets * weights[:, None], weighted @ drawn.targets, rtol=1e-4, atol=1e-5)
    assert_allclose(targets.sum(axis=1), 1, rtol=1e-5)


def test_a_clip_of_no_weight_gives_no_label():
    drawn = draws(np.eye(64, dtype=np.float32)[:, None], batch_size=64, mixup=1.0)
    drawn.weights[::2] = 0
    x, targets, weights = rows(drawn)
    assert np.isfinite(targets).all()
    of_weight = (x * (drawn.weights > 0)) > 0
    assert_array_equal((targets > 0).any(axis=1), of_weight.any(axis=1))
    assert_array_equal(weights > 0, of_weight.any(axis=1))


def test_mixup_mixes():
    x, _, _ = rows(draws(np.eye(64, dtype=np.float32)[:, None], batch_size=64, mixup=1.0))
    assert ((x > 0.1).sum(axis=1) == 2).mean() > 0.5


@quick
@given(
    lengths=st.lists(st.integers(1, 20), min_size=1, max_size=5),
    n_masks=st.integers(0, 3),
    width=st.integers(0, 25),
    number=st.integers(0, 50),
)
def test_masks_are_within_their_limits(lengths, n_masks, width, number):
    values = sequences(lengths, n_features=9)
    for name, axis in (("frequency_masks", 1), ("time_masks", 0)):
        drawn = draws(values, batch_size=1, **{name: (n_masks, width)})
        x, _, weights = rows(drawn, number)
        for row, weight in zip(x, weights, strict=True):
            clip = values[int(weight) - 1, 0, : lengths[int(weight) - 1]]
            assert row.shape == clip.shape
            kept = row.any(axis=1 - axis)
            # Whole bands or frames are zeros, the others as they were.
            assert_array_equal(row, clip * (kept if axis else kept[:, None]))
            assert (~kept).sum() <= n_masks * min(width, len(kept) // 4)
            edges = np.diff(np.r_[0, ~kept, 0])
            assert (edges > 0).sum() <= n_masks


def test_masks_are_anywhere_and_of_any_width():
    drawn = draws(sequences([12] * 200), batch_size=200, time_masks=(1, 3))
    masked = ~np.stack(rows(drawn)[0]).any(axis=-1)
    assert_array_equal(np.unique(masked.sum(axis=1)), [0, 1, 2, 3])
    assert masked.any(axis=0).all()


@quick
@given(
    lengths=st.lists(st.integers(1, 30), min_size=1, max_size=5),
    scales=st.tuples(st.floats(0.1, 4), st.floats(0.1, 4)).map(sorted),
)
def test_time_is_scaled_within_limits(lengths, scales):
    values = sequences(lengths)
    x, _, weights = rows(draws(values, batch_size=1, time_scale=tuple(scales)))
    for row, weight in zip(x, weights, strict=True):
        n = lengths[int(weight) - 1]
        assert max(np.rint(np.float32(n * scales[0])) - 1, 1) <= len(row)
        assert len(row) <= max(np.rint(np.float32(n * scales[1])) + 1, 1)
        clip = values[int(weight) - 1, 0, :n]
        assert (row >= clip.min(axis=0) - 1e-6).all()
        assert (row <= clip.max(axis=0) + 1e-6).all()
        assert_allclose(row[0], clip[0], rtol=1e-6)


@pytest.mark.parametrize(("scale", "n"), [(2, 20), (0.5, 5), (0.01, 1), (1, 10), (1.26, 13)])
def test_a_ramp_is_interpolated(scale, n):
    ramp = np.linspace(1, 2, 10, dtype=np.float32)[None, None, :, None]
    x, _, _ = rows(draws(ramp, time_scale=(scale, scale)))
    assert_allclose(x[0][:, 0], np.linspace(1, 2, n), rtol=1e-6)


@pytest.mark.parametrize("values", [vectors(), sequences([5, 9, 3])], ids=["vectors", "frames"])
def test_gain_is_added_to_a_whole_clip(values):
    plain, louder, random = (
        rows(draws(values, gain=gain))[0] for gain in ((0, 0), (1.5, 1.5), (-1, 2))
    )
    gains = []
    for before, fixed, after in zip(plain, louder, random, strict=True):
        real = before.any(axis=-1) if values.ndim == 4 else slice(None)
        assert_allclose((fixed - before)[real], 1.5, rtol=1e-5)
        gains.append((after - before)[real])
        assert_allclose(gains[-1], gains[-1].flat[0], atol=1e-5)
    assert len({float(gain.flat[0]) for gain in gains}) == len(gains)
    assert all(-1 <= gain.min() <= gain.max() <= 2 for gain in gains)


@pytest.mark.parametrize("n_frames", [None, 20])
def test_noise_has_its_deviation(n_frames):
    shape = (10, 1, 200) if n_frames is None else (10, 1, n_frames, 200)
    x, _, _ = rows(draws(np.ones(shape, np.float32), noise=0.3))
    assert_allclose(np.std(x), 0.3, rtol=0.05)
    assert_allclose(np.mean(x), 1, atol=0.02)
    assert np.asarray(x).dtype == np.float32


def test_padding_stays_zeros():
    lengths = [5, 9, 1, 7, 3]
    changes = {**EVERYTHING, "time_scale": (1, 1), "time_masks": (0, 0), "mixup": 0}
    changes["frequency_masks"] = (0, 0)
    x, _, weights = rows(draws(sequences(lengths), **changes))
    for row, weight in zip(x, weights, strict=True):
        n = lengths[int(weight) - 1]
        assert row[:n].all()
        assert not row[n:].any()


@pytest.mark.parametrize(("padding", "n_padding"), [(0, 0), (np.nan, 5), (0, 20)])
def test_padding_does_not_change_what_is_drawn(padding, n_padding):
    lengths = [5, 9, 3, 7]
    expected = draws(sequences(lengths), batch_size=2, **EVERYTHING)
    found = draws(
        sequences(lengths, padding=padding, n_padding=n_padding), batch_size=2, **EVERYTHING
    )
    assert same(found.epoch(0), expected.epoch(0))


def test_frames_missing_within_a_clip_are_zeros():
    values = sequences([8])
    values[0, 0, 3] = np.nan
    x, _, _ = rows(draws(values))
    assert_array_equal(x[0], np.nan_to_num(values[0, 0]))


@pytest.mark.parametrize("n_frames", [3, 9, 15])
def test_a_number_of_frames(n_frames):
    values = sequences([5, 9, 7, 2])
    x, _, weights = rows(draws(values, batch_size=2), n_frames=n_frames)
    for row, weight in zip(x, weights, strict=True):
        clip = np.nan_to_num(values[int(weight) - 1, 0, :n_frames])
        assert_array_equal(row, np.pad(clip, ((0, n_frames - len(clip)), (0, 0))))


def test_clips_of_a_batch_are_of_like_lengths():
    lengths = np.random.default_rng(0).permutation(64) + 1
    drawn = draws(sequences(lengths, n_features=1), batch_size=8)
    first, second = (
        [np.sort(lengths[weights.astype(int) - 1]) for _, _, weights in drawn.epoch(number)]
        for number in (0, 1)
    )
    for batches in (first, second):
        assert all(batch[-1] - batch[0] == 7 for batch in batches)
    # Short and long batches are in any order.
    assert [batch[0] for batch in first] != [batch[0] for batch in second]
    assert [len(x[0]) for x, _, _ in drawn.epoch(0)] == [batch[-1] for batch in first]


def test_integers_and_doubles_become_floats():
    for dtype in (np.int64, np.float64):
        for values in (np.ones((2, 1, 3), dtype), np.ones((2, 1, 4, 3), dtype)):
            assert [part.dtype for part in next(draws(values).epoch(0))] == [np.float32] * 3


def test_count_frames():
    frames = np.ones((5, 6, 2))
    frames[1, 4:] = 0
    frames[2, 1:] = np.nan
    frames[3] = 0  # of silence, one frame is kept
    frames[4, 2] = np.nan
    assert_array_equal(count_frames(frames), [6, 4, 1, 1, 6])
    assert_array_equal(count_frames(frames[None]), [[6, 4, 1, 1, 6]])


def test_with_frames():
    frames = np.arange(12.0).reshape(1, 4, 3)
    assert_array_equal(with_frames(frames, 2), frames[:, :2])
    assert_array_equal(with_frames(frames, 5), np.pad(frames, ((0, 0), (0, 1), (0, 0))))
