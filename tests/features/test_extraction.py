"""Extraction in chunks, through a cache, and what is said of recordings that cannot be decoded."""

import os
import signal
import subprocess
import sys
from concurrent.futures.process import BrokenProcessPool
from pathlib import Path

import joblib
import numpy as np
import pytest
import soundfile
from threadpoolctl import threadpool_info

from skser import AudioLoader, Clips, FeatureUnionExtractor
from skser.exceptions import AudioWarning, DataError, ExtractionError, ParameterError
from skser.features import FeatureBlock
from skser.features.recipe import FeatureRecipe

from .golden.make_golden import speechlike
from .test_union import Louder

BLOCKS = ["mfcc", "zcr"]


@pytest.fixture
def paths(tmp_path):
    """Three FLAC recordings of 0.25 s."""
    folder = tmp_path / "audio"
    folder.mkdir()
    for i in range(3):
        soundfile.write(folder / f"{i}.flac", speechlike(seconds=0.25, seed=i), 16000)
    return sorted(map(str, folder.iterdir()))


@pytest.fixture
def memory(tmp_path):
    return tmp_path / "memory"


@pytest.fixture
def forbid(monkeypatch):
    """Function after which nothing can be extracted any more."""

    def fail(self, views, sr):
        raise AssertionError("extracted again")

    return lambda: monkeypatch.setattr(FeatureRecipe, "of_views", fail)


def load(paths, **params):
    return AudioLoader(duration=None, **params).transform(paths)


def files_of(memory):
    return sorted(path for path in memory.rglob("*") if path.is_file())


@pytest.mark.parametrize("statistics", [None, ("mean", "std")])
@pytest.mark.parametrize("stage", [None, Louder()])
def test_second_run_reads_the_cache(paths, memory, forbid, statistics, stage):
    clips = load(paths) if stage is None else load(paths).map(stage)
    plain = FeatureUnionExtractor(BLOCKS, statistics=statistics).fit_transform(clips)
    extractor = FeatureUnionExtractor(BLOCKS, statistics=statistics, memory=str(memory))
    first = extractor.fit_transform(clips)
    assert len(files_of(memory)) == len(paths)
    forbid()
    again = FeatureUnionExtractor(BLOCKS, statistics=statistics, memory=memory)
    second = again.fit_transform(clips[::-1])
    values = [f if stage is None else f.values for f in (plain, first, second[::-1])]
    np.testing.assert_array_equal(values[1], values[0])
    np.testing.assert_array_equal(values[2], values[0])


@pytest.mark.parametrize("as_memory", [str, os.fspath, lambda p: joblib.Memory(p, verbose=0)])
def test_kinds_of_memory(paths, memory, forbid, as_memory):
    clips = load(paths)
    FeatureUnionExtractor(BLOCKS, memory=as_memory(memory)).fit_transform(clips)
    forbid()
    extractor = FeatureUnionExtractor(BLOCKS, memory=as_memory(memory))
    assert extractor.fit_transform(clips).shape == (3, 41)


def test_memory_without_a_folder_keeps_nothing(paths, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    before = files_of(tmp_path)
    for none in (None, joblib.Memory(None)):
        FeatureUnionExtractor(BLOCKS, memory=none).fit_transform(load(paths))
    assert files_of(tmp_path) == before


def test_waveforms_are_cached_too(waveforms, memory, forbid):
    extractor = FeatureUnionExtractor(BLOCKS, memory=memory)
    features = extractor.fit_transform(waveforms)
    forbid()
    np.testing.assert_array_equal(extractor.fit_transform(waveforms.copy()), features)


def test_workers_share_the_cache(paths, memory, forbid):
    clips = load(paths)
    features = FeatureUnionExtractor(BLOCKS, memory=memory, n_jobs=2).fit_transform(clips)
    forbid()
    extractor = FeatureUnionExtractor(BLOCKS, memory=memory)
    np.testing.assert_array_equal(extractor.fit_transform(clips), features)


@pytest.mark.parametrize(
    "change",
    [
        {"mfcc__n_mfcc": 12},
        {"mfcc__fmin": 20.0},
        {"n_fft": 512},
        {"hop_length": 200},
        {"statistics": ("std",)},
        {"statistics": None},
        {"zcr": "drop"},
    ],
    ids=str,
)
def test_changed_parameter_misses(paths, memory, change):
    clips = load(paths)
    extractor = FeatureUnionExtractor(BLOCKS, memory=memory).fit(clips)
    extractor.transform(clips)
    extractor.set_params(**change)
    features = extractor.fit_transform(clips)
    assert len(files_of(memory)) == 2 * len(paths)
    np.testing.assert_array_equal(extractor.set_params(memory=None).transform(clips), features)


@pytest.mark.parametrize(
    "change",
    [
        lambda paths: load(paths, normalize="peak"),
        lambda paths: load(paths, sr=8000),
        lambda paths: load(paths).map(Louder(2)),
    ],
    ids=["loader", "sr", "stage"],
)
def test_changed_clips_miss(paths, memory, change):
    extractor = FeatureUnionExtractor(BLOCKS, memory=memory)
    extractor.fit_transform(load(paths))
    extractor.fit_transform(change(paths))
    assert len(files_of(memory)) == 2 * len(paths)


def test_changed_file_misses(paths, memory):
    extractor = FeatureUnionExtractor(BLOCKS, memory=memory)
    before = extractor.fit_transform(load(paths))
    soundfile.write(paths[1], speechlike(seconds=0.3, seed=9), 16000)
    after = extractor.fit_transform(load(paths))
    assert len(files_of(memory)) == len(paths) + 1
    assert (before != after).any(axis=1).tolist() == [False, True, False]


@pytest.mark.parametrize(
    "damage",
    [lambda content: content[: len(content) // 2], lambda content: b"", lambda content: b"junk"],
    ids=["half", "empty", "junk"],
)
def test_damaged_file_is_made_anew(paths, memory, damage):
    extractor = FeatureUnionExtractor(BLOCKS, memory=memory)
    features = extractor.fit_transform(load(paths))
    whole = {path: path.read_bytes() for path in files_of(memory)}
    for path, content in whole.items():
        path.write_bytes(damage(content))
    np.testing.assert_array_equal(extractor.fit_transform(load(paths)), features)
    assert {path: path.read_bytes() for path in files_of(memory)} == whole


# --- recordings that cannot be decoded ------------------------------------------------------


@pytest.fixture
def with_broken(paths):
    """Forty recordings of which two have a sound header and last sample, and a hole between."""
    broken = []
    for i, path in enumerate(paths[:2]):
        noise = np.random.default_rng(i).uniform(-0.5, 0.5, 16000)
        soundfile.write(path, noise, 16000)
        with open(path, "r+b") as file:
            file.seek(os.path.getsize(path) // 2)
            file.write(bytes(500))
        broken.append(path)
    return [broken[0], *[paths[2]] * 38, broken[1]], broken


@pytest.mark.parametrize("n_jobs", [1, 2])
@pytest.mark.parametrize("cached", [False, True])
def test_failures_are_one_warning(with_broken, memory, n_jobs, cached):
    recordings, broken = with_broken
    clips = load(recordings, on_error="silence")  # headers are fine: no warning yet
    extractor = FeatureUnionExtractor(BLOCKS, n_jobs=n_jobs, memory=memory if cached else None)
    extractor.fit(clips)
    for _ in range(2):  # said again, and not lost in the cache
        with pytest.warns(AudioWarning) as caught:
            features = extractor.transform(clips)
        (warning,) = caught
        first, *lines = str(warning.message).splitlines()
        assert first == "silence in place of 2 recordings that could not be decoded:"
        reasons = [f"  {path}: cannot be decoded" for path in broken]
        assert [line.startswith(r) for line, r in zip(lines, reasons, strict=True)] == [True] * 2
    silence = extractor.transform(np.zeros((1, 16000)))
    np.testing.assert_array_equal(features[[0, -1]], silence[[0, 0]])
    np.testing.assert_array_equal(features[1:-1], features[[1]].repeat(38, axis=0))
    assert (features[1] != silence[0]).any()


@pytest.mark.parametrize("n_jobs", [1, 2])
def test_failures_raise_by_default(with_broken, n_jobs):
    recordings, broken = with_broken
    extractor = FeatureUnionExtractor(BLOCKS, n_jobs=n_jobs)
    with pytest.raises(ValueError, match="cannot be decoded") as caught:
        extractor.fit_transform(load(recordings))
    # With two processes either may be the first to fail.
    assert str(caught.value).startswith(tuple(broken) if n_jobs == 2 else broken[0])


def test_clips_are_read_once_and_one_at_a_time():
    read = []

    def read_noise(source):
        read.append(source)
        return np.random.default_rng(source).normal(size=2000).astype(np.float32)

    clips = Clips(range(40), read_noise, sr=16000, n_samples=2000)
    extractor = FeatureUnionExtractor(BLOCKS).fit(clips)
    assert read == []  # fit extracts nothing
    extractor.transform(clips)
    assert read == list(range(40))


class Peak(FeatureBlock):
    def compute(self, spectra):
        return abs(spectra.frames("constant")).max(axis=0, keepdims=True)


def test_changed_code_of_a_block_misses_the_cache(paths, memory, monkeypatch):
    extractor = FeatureUnionExtractor([("peak", Peak())], memory=memory)
    before = extractor.fit_transform(load(paths))
    monkeypatch.setattr(
        Peak, "compute", lambda self, spectra: np.ones((1, spectra.n_frames), np.float32)
    )
    assert (extractor.fit_transform(load(paths)) == 1).all()
    assert not (before == 1).all()


def test_block_of_a_script_in_processes_with_a_cache(paths, memory, tmp_path):
    """A class of ``__main__`` has no module that a worker could import."""
    script = tmp_path / "script.py"
    script.write_text(
        "import sys\n"
        "from skser import AudioLoader, FeatureUnionExtractor\n"
        "from skser.features import FeatureBlock\n"
        "class Peak(FeatureBlock):\n"
        "    def compute(self, spectra):\n"
        "        return abs(spectra.frames('constant')).max(axis=0, keepdims=True)\n"
        "if __name__ == '__main__':\n"
        "    memory, *paths = sys.argv[1:]\n"
        "    clips = AudioLoader().transform(paths * 10)\n"
        "    for n_jobs in (2, 1):\n"
        "        e = FeatureUnionExtractor([('peak', Peak())], memory=memory, n_jobs=n_jobs)\n"
        "        print(e.fit_transform(clips).shape)\n"
    )
    done = subprocess.run(
        [sys.executable, script, memory, *paths], capture_output=True, text=True, check=True
    )
    assert done.stdout.split("\n")[:2] == ["(30, 1)"] * 2
    assert len(files_of(memory)) == len(paths)  # worker and parent agree on the names


def test_silence_is_told_once_and_not_kept_in_threads(with_broken, memory):
    recordings, _ = with_broken
    clips = load(recordings * 3, on_error="silence")
    extractor = FeatureUnionExtractor(BLOCKS, memory=memory, n_jobs=4)
    with joblib.parallel_config("threading"), pytest.warns(AudioWarning) as told:
        extractor.fit_transform(clips)
    assert len(told) == 1
    assert str(told[0].message).startswith("silence in place of 6 recordings")
    assert len(files_of(memory)) == 1  # the one recording that is whole


def test_blas_threads_are_given_back(paths):
    before = threadpool_info()
    with joblib.parallel_config("threading"):
        FeatureUnionExtractor(BLOCKS, n_jobs=4).fit_transform(load(paths * 20))
    assert threadpool_info() == before


def test_bad_output_of_a_block():
    class Short(FeatureBlock):
        def compute(self, spectra):
            return np.ones((1, 3), np.float32)

    with pytest.raises(DataError) as error:
        FeatureUnionExtractor([("short", Short())]).fit_transform(np.ones((1, 8000)))
    assert str(error.value) == (
        "clip 0: block 'short': must compute an array of shape (1, 32) (bin names, frames), got "
        "(1, 3)"
    )


# --- a failure names the recording ----------------------------------------------------------


class NoPickleError(Exception):
    """An error that cannot be made again from its message alone, as a worker's must be."""

    def __init__(self, message, code):
        super().__init__(message)
        self.code = code


def fail(kind):
    if kind is NoPickleError:
        raise NoPickleError("went wrong", 3)
    raise kind("went wrong")


class FailsOnSilence(FeatureBlock):
    def __init__(self, kind):
        self.kind = kind

    def compute(self, spectra):
        if not spectra.power.any():
            fail(self.kind)
        return np.ones((1, spectra.n_frames), np.float32)


class StageFailsOnSilence:
    def __init__(self, kind):
        self.kind = kind

    def __call__(self, views, sr):
        if not views.any():
            fail(self.kind)
        return views


def extract_with_failure(clips, n_jobs, kind, where):
    if where == "stage":
        clips, blocks = clips.map(StageFailsOnSilence(kind)), ["zcr"]
    else:
        blocks = ["zcr", ("mine", FailsOnSilence(kind))]
    FeatureUnionExtractor(blocks, n_jobs=n_jobs).fit_transform(clips)


WHERE = {"block": "block 'mine'", "stage": "stage StageFailsOnSilence"}


# A failure in a worker costs a new pool, so few of these.
@pytest.mark.parametrize(
    ("n_jobs", "where", "kind"),
    [
        (1, "block", ZeroDivisionError),
        (1, "stage", StopIteration),
        (2, "block", NoPickleError),
        (2, "stage", ZeroDivisionError),
    ],
)
def test_failure_names_the_recording(paths, n_jobs, where, kind):
    silence = paths[0] + ".wav"
    soundfile.write(silence, np.zeros(4000), 16000)
    with pytest.raises(ExtractionError) as caught:
        extract_with_failure(load([*paths * 6, silence, *paths * 6]), n_jobs, kind, where)
    assert str(caught.value) == f"{silence}: {WHERE[where]}: {kind.__name__}: went wrong"
    assert caught.value.__cause__ is not None


@pytest.mark.parametrize(
    ("n_jobs", "where", "kind"), [(1, "stage", ParameterError), (2, "block", DataError)]
)
def test_failure_of_ours_keeps_its_class(waveforms, n_jobs, where, kind):
    clips = Clips.from_waveforms([*list(waveforms) * 12, np.zeros(4000), *waveforms], sr=16000)
    with pytest.raises(kind) as caught:
        extract_with_failure(clips, n_jobs, kind, where)
    assert str(caught.value) == f"clip 36: {WHERE[where]}: went wrong"


def test_failure_names_bytes(paths):
    soundfile.write(paths[0], np.zeros(4000), 16000)
    content = Path(paths[0]).read_bytes()
    with pytest.raises(ExtractionError, match=f"^<{len(content)} bytes>: block 'mine': "):
        extract_with_failure(load([content]), 1, ValueError, "block")


def test_failure_to_read_names_the_clip():
    def read(source):
        return np.ones(2000, np.float32) / (20 - source)

    def read_path(source):
        raise OSError("no more")

    extractor = FeatureUnionExtractor(BLOCKS)
    with (
        np.errstate(divide="raise"),
        pytest.raises(ExtractionError, match=r"^clip 20: FloatingPointError: divide by zero"),
    ):
        extractor.fit_transform(Clips(np.arange(40), read, sr=16000))
    with pytest.raises(ExtractionError, match=r"^a\.wav: OSError: no more$"):
        extractor.fit_transform(Clips(["a.wav"], read_path, sr=16000))


@pytest.mark.parametrize("where", WHERE)
@pytest.mark.parametrize("kind", [KeyboardInterrupt, MemoryError, SystemExit])
def test_what_is_not_wrapped(where, kind):
    with pytest.raises(kind, match=r"^went wrong$"):
        extract_with_failure(Clips.from_waveforms(np.zeros((1, 4000)), 16000), 1, kind, where)


class DiesOnSilence(FeatureBlock):
    def compute(self, spectra):
        if not spectra.power.any():
            os.kill(os.getpid(), signal.SIGKILL)
        return np.ones((1, spectra.n_frames), np.float32)


@pytest.mark.skipif(os.name == "nt", reason="signals of POSIX")
def test_killed_worker_is_told_and_the_next_call_works(waveforms):
    extractor = FeatureUnionExtractor([("dies", DiesOnSilence())], n_jobs=2)
    with pytest.raises(BrokenProcessPool, match=r"unexpectedly terminated(.|\n)*SIGKILL"):
        extractor.fit_transform([*list(waveforms) * 12, np.zeros(4000)])
    assert (extractor.transform(list(waveforms) * 12) == 1).all()
