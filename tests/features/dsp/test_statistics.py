"""Statistics over frames against numpy and scipy."""

import warnings

import numpy as np
import pytest
import scipy.stats

from skser.exceptions import ParameterError
from skser.features.dsp._statistics import STATISTICS, check_statistics, summarize


def reference(name, values):
    functions = {
        "mean": np.mean,
        "std": np.std,
        "min": np.min,
        "max": np.max,
        "median": np.median,
        "range": np.ptp,
        "iqr": scipy.stats.iqr,
        "skew": scipy.stats.skew,
        "kurtosis": scipy.stats.kurtosis,
        "slope": lambda v: np.polyfit(np.arange(len(v)), v, 1)[0],
    }
    return functions[name](values) if name in functions else np.percentile(values, int(name[1:]))


@pytest.fixture
def frames():
    """Three bins of 40 frames: symmetric, skewed, and with an offset."""
    rng = np.random.default_rng(0)
    return np.stack([rng.normal(size=40), rng.exponential(size=40), 1e4 + rng.normal(size=40)])


@pytest.mark.parametrize("name", [*STATISTICS, "p0", "p5", "p50", "p99", "p100"])
def test_statistic(name, frames):
    wanted = [reference(name, values) for values in frames]
    features = summarize(frames, [name])
    assert features.dtype == np.float32
    np.testing.assert_allclose(features, wanted, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("name", [*(name for name in STATISTICS if name != "slope"), "p25"])
def test_nan_is_left_out(name, frames):
    with_gaps = np.insert(frames, [3, 17, 40], np.nan, axis=1)
    np.testing.assert_array_equal(summarize(with_gaps, [name]), summarize(frames, [name]))


def test_slope_leaves_gaps_in_time(frames):
    frames[:, 5:20] = np.nan
    has_value = np.isfinite(frames[0])
    wanted = [np.polyfit(np.flatnonzero(has_value), values[has_value], 1)[0] for values in frames]
    np.testing.assert_allclose(summarize(frames, ["slope"]), wanted, rtol=1e-5)


@pytest.mark.parametrize("n_valued", [0, 1])
def test_bin_with_at_most_one_value(n_valued):
    frames = np.full((1, 10), np.nan, np.float32)
    frames[0, :n_valued] = 7.0
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        features = dict(zip(STATISTICS, summarize(frames, list(STATISTICS)), strict=True))
    value = 7.0 if n_valued else 0.0
    for name in ("mean", "min", "max", "median"):
        assert features[name] == value
    for name in ("std", "range", "iqr", "skew", "slope"):
        assert features[name] == 0.0
    assert features["kurtosis"] == -3.0


@pytest.mark.parametrize("constant", [0.0, 0.1, -1e6])
def test_constant_bin(constant):
    frames = np.full((1, 30), constant, np.float32)
    np.testing.assert_allclose(summarize(frames, ["std", "skew", "slope"]), 0, atol=1e-9)


def test_one_statistic_after_the_other(frames):
    both = summarize(frames, ["mean", "p90"])
    np.testing.assert_array_equal(
        both, np.concatenate([summarize(frames, ["mean"]), summarize(frames, ["p90"])])
    )


def test_frames_are_not_changed(frames):
    frames[0] = np.nan
    before = frames.copy()
    summarize(frames, list(STATISTICS))
    np.testing.assert_array_equal(frames, before)


@pytest.mark.parametrize("statistics", [None, ["mean"], ("mean", "std", "p5"), ["p0", "p100"]])
def test_allowed(statistics):
    assert check_statistics(statistics) is None


@pytest.mark.parametrize(
    ("statistics", "message"),
    [
        ("mean", "sequence of names or None, got 'mean'"),
        ([], r"sequence of names or None, got \[\]"),
        ([1], r"sequence of names or None, got \[1\]"),
        (5, "sequence of names or None, got 5"),
        (["medain"], r"mean, std, .*slope.*p5, got 'medain'; did you mean 'median'\?"),
        (["p101"], "mean, std, .*slope.*p5, got 'p101'"),
        (["mean", "mean"], r"repeat.*got \['mean', 'mean'\]"),
    ],
)
def test_bad_names(statistics, message):
    with pytest.raises(ParameterError, match=f"^statistics .*{message}$"):
        check_statistics(statistics)
