"""FeatureUnionExtractor: its blocks, parameters, names, shapes and independence of clips."""

import pickle
from dataclasses import dataclass

import librosa
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.base import clone
from sklearn.model_selection import ParameterGrid
from threadpoolctl import threadpool_limits

from skser import AugmentedFeatures, Clips, FeatureUnionExtractor
from skser.audio._clips import stack_padded
from skser.exceptions import DataError, NotFittedError, ParameterError
from skser.features import MFCC, RMS, FeatureBlock, Pitch, Spectra, ZeroCrossingRate
from skser.features.blocks._named import DEFAULT_BLOCKS
from skser.features.dsp._statistics import summarize

from .golden.make_golden import speechlike

CHEAP = ["mfcc", "zcr", "rms", "centroid"]


@dataclass(frozen=True)
class Louder:
    """Stage that adds views: the clip at several levels, the last one cut short."""

    n_views: int = 3

    def __call__(self, views, sr):
        louder = [views[0] * (1 + i) for i in range(self.n_views)]
        louder[-1] = louder[-1][: (len(views[0]) + 1) // 2]
        return stack_padded(louder)


class Peak(FeatureBlock):
    """A custom block."""

    def __init__(self, of=1.0):
        self.of = of

    def compute(self, spectra):
        return self.of * np.abs(spectra.frames("constant")).max(axis=0, keepdims=True)


@pytest.fixture
def ragged():
    """Speech-like waveforms of unequal length, one of a single sample."""
    return [speechlike(seconds=0.3)[:n] for n in (4000, 1500, 4800, 1, 2600)]


# --- blocks and parameters ------------------------------------------------------------------


@pytest.mark.parametrize("name", DEFAULT_BLOCKS)
def test_name_is_the_default_block(name, waveforms):
    by_name = FeatureUnionExtractor([name]).fit_transform(waveforms[:1])
    by_block = FeatureUnionExtractor([(name, DEFAULT_BLOCKS[name]())]).fit_transform(waveforms[:1])
    np.testing.assert_array_equal(by_name, by_block)


def test_features_are_the_blocks_side_by_side(waveforms):
    features = FeatureUnionExtractor(CHEAP, statistics=("mean", "p90")).fit_transform(waveforms)
    for row, waveform in zip(features, waveforms, strict=True):
        spectra = Spectra(waveform, 16000, dtype=np.float32)
        frames = np.concatenate([DEFAULT_BLOCKS[name]().compute(spectra) for name in CHEAP])
        np.testing.assert_allclose(row, summarize(frames, ["mean", "p90"]), rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("blocks", [["mfcc", "zcr"], [("mfcc", MFCC()), "zcr"], ("mfcc", "zcr")])
def test_nested_parameters(blocks):
    extractor = FeatureUnionExtractor(blocks)
    assert extractor.get_params()["mfcc__n_mfcc"] == 40
    assert extractor.set_params(mfcc__n_mfcc=7, sr=8000) is extractor
    params = extractor.get_params()
    assert params["mfcc__n_mfcc"] == params["mfcc"].n_mfcc == 7
    assert params["sr"] == 8000
    assert "mfcc__n_mfcc" not in extractor.get_params(deep=False)


def test_parameters_of_the_extractor_alone_leave_names_as_they_are():
    extractor = FeatureUnionExtractor(["mfcc", "zcr"])
    assert extractor.set_params(n_fft=512).blocks == ["mfcc", "zcr"]


def test_replace_a_block(waveforms):
    extractor = FeatureUnionExtractor(["mfcc", "zcr"])
    extractor.set_params(mfcc=Peak())
    assert extractor.fit(waveforms).get_feature_names_out().tolist() == ["mfcc_mean", "zcr_mean"]
    extractor.set_params(blocks=["rms", "mfcc"], mfcc__n_mfcc=1)
    assert extractor.fit(waveforms).get_feature_names_out().tolist() == ["rms_mean", "mfcc_0_mean"]


def test_drop_a_block(waveforms):
    dropped = FeatureUnionExtractor(["mfcc", "zcr", "rms"]).set_params(mfcc="drop")
    short = FeatureUnionExtractor(["zcr", "rms"])
    np.testing.assert_array_equal(dropped.fit_transform(waveforms), short.fit_transform(waveforms))
    assert list(dropped.get_feature_names_out()) == list(short.get_feature_names_out())


def test_custom_block(waveforms):
    extractor = FeatureUnionExtractor([("peak", Peak())], statistics=("max",))
    extractor.set_params(peak__of=2.0)
    np.testing.assert_allclose(
        extractor.fit_transform(waveforms), 2 * np.abs(waveforms).max(axis=1, keepdims=True)
    )


def test_blocks_are_stored_and_not_changed(waveforms):
    blocks = ["zcr", ("mfcc", MFCC(n_mfcc=3))]
    extractor = FeatureUnionExtractor(blocks)
    assert extractor.blocks is blocks
    extractor.fit_transform(waveforms)
    assert extractor.blocks is blocks
    assert not any(name.endswith("_") for name in vars(blocks[1][1]))


def test_clone_copies_the_blocks():
    extractor = FeatureUnionExtractor(["zcr", ("mfcc", MFCC(n_mfcc=3))], statistics=("std",))
    copy = clone(extractor)
    assert repr(copy) == repr(extractor)
    copy.set_params(mfcc__n_mfcc=9)
    assert extractor.get_params()["mfcc__n_mfcc"] == 3
    assert extractor.blocks[0] == "zcr"


def test_grid_of_nested_parameters(waveforms):
    grid = ParameterGrid({"mfcc__n_mfcc": [2, 5], "zcr": ["drop", ZeroCrossingRate()]})
    base = FeatureUnionExtractor(["mfcc", "zcr"])
    widths = [clone(base).set_params(**params).fit_transform(waveforms).shape[1] for params in grid]
    assert sorted(widths) == [2, 3, 5, 6]


def test_pickle(waveforms):
    extractor = FeatureUnionExtractor(CHEAP).fit(waveforms)
    again = pickle.loads(pickle.dumps(extractor))
    np.testing.assert_array_equal(again.transform(waveforms), extractor.transform(waveforms))


def test_html_and_text():
    extractor = FeatureUnionExtractor(["mfcc", ("level", RMS()), ("zcr", "drop")])
    assert "FeatureUnionExtractor" in extractor._repr_html_()
    assert repr(extractor).startswith("FeatureUnionExtractor(blocks=['mfcc', ('level', RMS())")


@pytest.mark.parametrize(
    ("params", "message"),
    [
        ({"blocks": []}, r"blocks .*\(name, block\).*got \[\]"),
        ({"blocks": "mfcc"}, r"blocks .*\(name, block\).*got 'mfcc'"),
        ({"blocks": ["mfc"]}, r"blocks .*mfcc, mel.*got 'mfc'; did you mean 'mfcc'\?"),
        ({"blocks": ["xyzzy"]}, r"blocks .*flatness, pitch, got 'xyzzy'"),
        ({"blocks": [RMS()]}, r"blocks .*\(name, block\).*got RMS\(\)"),
        ({"blocks": [("a", "rms")]}, "block 'a' .*FeatureBlock or 'drop', got 'rms'"),
        ({"blocks": [("a", RMS)]}, "block 'a' .*FeatureBlock or 'drop', got <class .*RMS'>"),
        ({"blocks": [("a", "drop")]}, "blocks .*not dropped"),
        ({"blocks": ["zcr", "zcr"]}, r"blocks: .*not unique: \['zcr', 'zcr'\]"),
        ({"blocks": [("a__b", RMS())]}, r"blocks: .*not contain __: got \['a__b'\]"),
        ({"blocks": [("sr", RMS())]}, r"blocks: .*constructor arguments: \['sr'\]"),
        ({"sr": 100}, r"sr .*integer in \[4000, 192000\], got 100"),
        ({"n_fft": 513}, r"n_fft .*even integer in \[16, 65536\], got 513"),
        ({"n_fft": 14}, r"n_fft .*even integer in \[16, 65536\], got 14"),
        ({"hop_length": 0}, r"hop_length .*integer in \[1, 65536\], got 0"),
        ({"deltas": 3}, "deltas .*0 or 1 or 2, got 3"),
        ({"n_jobs": 0}, "n_jobs .*other than 0.*got 0"),
        ({"memory": 3}, "memory .*folder.*got 3"),
        ({"verbose": -1}, "verbose .*at least 0, got -1"),
        ({"statistics": "mean"}, "statistics .*sequence of names.*got 'mean'"),
    ],
)
def test_bad_parameters(waveforms, params, message):
    with pytest.raises(ParameterError, match=f"^{message}$"):
        FeatureUnionExtractor(**{"blocks": ["zcr"], **params}).fit(waveforms)


def test_parameter_that_does_not_exist():
    with pytest.raises(ValueError, match="Invalid parameter 'mffc'"):
        FeatureUnionExtractor(["mfcc"]).set_params(mffc__n_mfcc=3)


# --- names and shapes -----------------------------------------------------------------------


@pytest.mark.parametrize("statistics", [None, ("mean",), ("mean", "std", "p5")])
@pytest.mark.parametrize("n_mfcc", [1, 13])
def test_names_and_shapes(waveforms, statistics, n_mfcc):
    blocks = [("mfcc", MFCC(n_mfcc=n_mfcc, deltas=2)), "zcr", "pitch"]
    extractor = FeatureUnionExtractor(blocks, statistics=statistics)
    features = extractor.fit_transform(waveforms)
    names = extractor.get_feature_names_out()
    assert features.dtype == np.float32
    assert features.shape[0] == len(waveforms)
    assert features.shape[-1] == len(names) == len(set(names))
    if statistics is None:
        assert features.shape[1] == 1 + waveforms.shape[1] // 256
        assert names[-3:].tolist() == ["zcr", "pitch_f0", "pitch_voicing"]
    else:
        assert features.ndim == 2
        assert names[0] == "mfcc_0_mean"
        assert names[-1] == f"pitch_voicing_{statistics[-1]}"


def test_sequences_have_0_where_there_is_no_pitch(waveforms):
    extractor = FeatureUnionExtractor(["pitch"], statistics=None)
    f0 = Pitch().compute(Spectra(waveforms[0], 16000))[0]
    assert np.isnan(f0).any()
    features = extractor.fit_transform(waveforms[:1])
    np.testing.assert_array_equal(features[0, :, 0], np.nan_to_num(f0))


def test_unvoiced_clip_has_pitch_0():
    assert FeatureUnionExtractor(["pitch"]).fit_transform(np.zeros((1, 3000)))[0, 0] == 0


@pytest.mark.parametrize("seed", [0, 1])
def test_sequences_of_unequal_length_are_padded_with_nan(ragged, seed):
    order = np.random.default_rng(seed).permutation(len(ragged))
    waveforms = [ragged[i] for i in order]
    features = FeatureUnionExtractor(CHEAP, statistics=None).fit_transform(waveforms)
    assert features.shape == (5, 1 + 4800 // 256, 43)
    for row, waveform in zip(features, waveforms, strict=True):
        n_frames = 1 + len(waveform) // 256
        alone = FeatureUnionExtractor(CHEAP, statistics=None).fit_transform(waveform[np.newaxis])
        np.testing.assert_array_equal(row[:n_frames], alone[0])
        assert np.isnan(row[n_frames:]).all()


@settings(max_examples=15, deadline=None, derandomize=True, database=None)
@given(chosen=st.lists(st.integers(0, 4), min_size=1, max_size=5))
def test_features_do_not_depend_on_neighbours_or_order(chosen):
    waveforms = [speechlike(seconds=0.2, seed=i)[: 3200 - 500 * i] for i in range(5)]
    clips = Clips.from_waveforms(waveforms, sr=16000)
    extractor = FeatureUnionExtractor(CHEAP).fit(clips)
    np.testing.assert_array_equal(
        extractor.transform(clips[chosen]), extractor.transform(clips)[chosen]
    )


@pytest.mark.slow
@pytest.mark.parametrize("statistics", [None, ("mean", "std")])
def test_n_jobs_changes_nothing(ragged, statistics):
    clips = Clips.from_waveforms(ragged * 4, sr=16000).map(Louder())  # two chunks
    extractor = FeatureUnionExtractor([*CHEAP, "chroma"], statistics=statistics)
    single = extractor.fit_transform(clips)
    parallel = extractor.set_params(n_jobs=2).fit_transform(clips)
    np.testing.assert_array_equal(single.values, parallel.values)


@pytest.mark.parametrize("name", DEFAULT_BLOCKS)
def test_threads_of_matrix_products_change_nothing(name):
    waveforms = speechlike(seconds=1.0)[np.newaxis]
    extractor = FeatureUnionExtractor([name], statistics=None)
    features = []
    for n_threads in (1, 2):
        with threadpool_limits(n_threads):
            features.append(extractor.fit_transform(waveforms))
    np.testing.assert_array_equal(*features)


@pytest.mark.parametrize("statistics", [None, ("mean",)])
def test_views(ragged, statistics):
    clean = Clips.from_waveforms(ragged[:3], sr=16000)
    extractor = FeatureUnionExtractor(CHEAP, statistics=statistics).fit(clean)
    views = extractor.transform(clean.map(Louder()))
    without = extractor.transform(clean)
    assert isinstance(views, AugmentedFeatures)
    assert isinstance(without, np.ndarray)
    assert views.shape == (3, 3, *without.shape[1:])
    np.testing.assert_array_equal(views.values[:, 0], without)
    # The padding of a view that is shorter than its clip is left out.
    halves = extractor.transform([waveform[: len(waveform) // 2] for waveform in ragged[:3]])
    centroid = views.values[:, 2, ..., -1]
    if statistics is None:
        assert np.isnan(centroid[:, halves.shape[1] :]).all()
        centroid = centroid[:, : halves.shape[1]]
    np.testing.assert_allclose(centroid, halves[..., -1], rtol=1e-5)


# --- fit and transform ----------------------------------------------------------------------


@pytest.mark.parametrize("call", ["transform", "get_feature_names_out"])
def test_not_fitted(waveforms, call):
    arguments = (waveforms,) if call == "transform" else ()
    with pytest.raises(NotFittedError, match="This FeatureUnionExtractor instance is not fitted"):
        getattr(FeatureUnionExtractor(["zcr"]), call)(*arguments)


def test_sampling_rate_is_the_clips(waveforms):
    extractor = FeatureUnionExtractor(["centroid"], sr=16000)
    extractor.fit(Clips.from_waveforms(waveforms, sr=8000))
    assert extractor.sr_ == 8000
    with pytest.raises(DataError, match=r"sr=8000 Hz .*got 16000 Hz"):
        extractor.transform(Clips.from_waveforms(waveforms, sr=16000))


def test_blocks_are_checked_at_the_clips_rate(waveforms):
    extractor = FeatureUnionExtractor(["contrast"], sr=16000)
    with pytest.raises(ParameterError, match="at sr=8000 Hz"):
        extractor.fit(Clips.from_waveforms(waveforms, sr=8000))


def test_no_clips(waveforms):
    extractor = FeatureUnionExtractor(["zcr"]).fit(waveforms)
    with pytest.raises(DataError, match=r"X .*at least one clip"):
        extractor.transform(Clips.from_waveforms(waveforms, sr=16000)[:0])


def test_paths_belong_into_a_loader():
    with pytest.raises(DataError, match="recordings must go through an AudioLoader first"):
        FeatureUnionExtractor(["zcr"]).fit(["a.wav", "b.wav"])


def test_waveforms_as_array_list_and_clips_are_the_same(waveforms):
    extractor = FeatureUnionExtractor(CHEAP)
    features = extractor.fit_transform(waveforms)
    for X in (waveforms.tolist(), list(waveforms), Clips.from_waveforms(waveforms, sr=16000)):
        np.testing.assert_array_equal(extractor.fit_transform(X), features)


@pytest.mark.parametrize("as_clips", [True, False])
def test_pandas_output(waveforms, as_clips):
    pandas = pytest.importorskip("pandas")
    extractor = FeatureUnionExtractor(["zcr", "rms"]).set_output(transform="pandas")
    X = Clips.from_waveforms(waveforms, sr=16000) if as_clips else waveforms
    table = extractor.fit_transform(X)
    assert isinstance(table, pandas.DataFrame)
    assert table.columns.tolist() == ["zcr_mean", "rms_mean"]
    np.testing.assert_array_equal(
        table.to_numpy(), FeatureUnionExtractor(["zcr", "rms"]).fit_transform(waveforms)
    )


def test_progress_bar_only_if_verbose(waveforms, capsys, monkeypatch):
    monkeypatch.setattr("skser._utils._progress.DELAY", 0)
    FeatureUnionExtractor(["zcr"]).fit_transform(waveforms)
    assert capsys.readouterr() == ("", "")
    FeatureUnionExtractor(["zcr"], verbose=1).fit_transform(waveforms)
    assert "features" in capsys.readouterr().err


@pytest.mark.parametrize("deltas", [1, 2])
def test_deltas_are_those_of_librosa(deltas):
    extractor = FeatureUnionExtractor(["rms", "zcr"], deltas=deltas, statistics=None)
    waveform = np.random.default_rng(0).normal(size=16000)
    frames = extractor.fit_transform([waveform])[0].T
    for order in range(1, deltas + 1):
        expected = librosa.feature.delta(frames[:2], order=order, mode="nearest")
        inner = slice(4, -4)  # librosa's own ends depend on its mode
        assert_allclose(
            frames[2 * order : 2 * order + 2, inner], expected[:, inner], rtol=1e-4, atol=1e-6
        )
    prefixes = ["", "delta_", "delta2_"][: deltas + 1]
    names = [f"{prefix}{name}" for prefix in prefixes for name in ("rms", "zcr")]
    assert list(extractor.get_feature_names_out()) == names


def test_deltas_of_mfcc_are_those_of_the_block():
    waveform = np.random.default_rng(0).normal(size=16000)
    of_all = FeatureUnionExtractor(["mfcc"], deltas=2, statistics=("mean", "std"))
    of_block = FeatureUnionExtractor(["mfcc"], statistics=("mean", "std")).set_params(
        mfcc__deltas=2
    )
    assert_array_equal(of_all.fit_transform([waveform]), of_block.fit_transform([waveform]))


def test_deltas_of_an_unvoiced_clip():
    waveform = np.random.default_rng(0).normal(size=16000)
    extractor = FeatureUnionExtractor(["pitch"], deltas=1, statistics=("mean", "p95"))
    assert np.isfinite(extractor.fit_transform([waveform])).all()
