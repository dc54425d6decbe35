"""Extraction in chunks, and what is said of recordings that cannot be decoded."""

import os
import pickle
import signal
import subprocess
import sys
import threading
from concurrent.futures.process import BrokenProcessPool
from contextvars import ContextVar
from pathlib import Path

import joblib
import numpy as np
import pytest
import soundfile
from sklearn.base import clone
from threadpoolctl import threadpool_info, threadpool_limits

from skser import AudioLoader, Clips, FeatureUnionExtractor
from skser.exceptions import AudioError, AudioWarning, DataError, ExtractionError, ParameterError
from skser.features import RMS, FeatureBlock
from skser.features.extraction._extract import FeatureStack

BLOCKS = ["mfcc", "zcr"]


def load(paths, **params):
    return AudioLoader(duration=None, **params).transform(paths)


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


def test_a_thread_reads_ahead(monkeypatch):
    watched = ContextVar("watched", default=None)
    threads, seen = [], []

    def read_noise(source):
        threads.append(threading.current_thread())
        seen.append(watched.get())
        return np.full(2000, source, np.float32)

    clips = Clips(range(1, 6), read_noise, sr=16000, n_samples=2000)
    extractor = FeatureUnionExtractor(["rms"]).fit(clips)
    watched.set("by the caller")
    monkeypatch.setattr(joblib, "cpu_count", lambda: 2)
    ahead = extractor.transform(clips)
    main, *others = threads
    assert main is threading.current_thread()
    assert len(set(others)) == 1
    assert main not in others
    assert not others[0].is_alive()
    assert seen == ["by the caller"] * 5

    threads.clear()
    monkeypatch.setattr(joblib, "cpu_count", lambda: 1)
    np.testing.assert_array_equal(extractor.transform(clips), ahead)
    assert set(threads) == {main}


def test_no_thread_reads_ahead_after_the_main_thread_has_ended():
    code = """
import joblib, threading, numpy as np
from skser import FeatureUnionExtractor

joblib.cpu_count = lambda: 2

def extract():
    threading.main_thread().join()
    print(FeatureUnionExtractor(["zcr"]).fit_transform(np.eye(4, 4000)).shape)

threading.Thread(target=extract).start()
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert (done.stdout, done.stderr) == ("(4, 1)\n", "")


def test_what_fails_ahead_is_raised_in_its_turn(monkeypatch):
    def read_noise(source):
        if source == 2:
            raise AudioError("recording 2: cannot be read")
        return np.full(2000, source, np.float32)

    def work_on(self, spectra):
        worked_on.append(int(spectra.waveform[0]))
        return rms(self, spectra)

    rms, worked_on = RMS.compute, []
    monkeypatch.setattr(RMS, "compute", work_on)
    monkeypatch.setattr(joblib, "cpu_count", lambda: 2)
    clips = Clips(range(4), read_noise, sr=16000, n_samples=2000)
    with pytest.raises(AudioError, match=r"^recording 2: cannot be read$"):
        FeatureUnionExtractor(["rms"]).fit_transform(clips)
    assert worked_on == [0, 1]


def test_threads_warn_of_silence_once_and_do_not_cache_it(with_broken, memory):
    recordings, _ = with_broken
    clips = load(recordings * 3, on_error="silence")
    extractor = FeatureUnionExtractor(BLOCKS, memory=memory, n_jobs=4)
    with joblib.parallel_config("threading"), pytest.warns(AudioWarning) as warned:
        extractor.fit_transform(clips)
    assert len(warned) == 1
    assert str(warned[0].message).startswith("silence in place of 6 recordings")
    assert len(list(memory.rglob("*.*"))) == 1  # the intact recording


def test_blas_threads_are_given_back(paths):
    with threadpool_limits(2):
        before = threadpool_info()
        with joblib.parallel_config("threading"):
            FeatureUnionExtractor(BLOCKS, n_jobs=4).fit_transform(load(paths * 20))
        assert threadpool_info() == before


def test_bad_output_of_a_block():
    class Short(FeatureBlock):
        def compute(self, spectra):
            return np.ones((1, 3), np.float32)

    with pytest.raises(DataError, match=r"^clip 0: block 'short': .*\(1, 32\).*got \(1, 3\)$"):
        FeatureUnionExtractor([("short", Short())]).fit_transform(np.ones((1, 8000)))


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
        pytest.param(2, "block", NoPickleError, marks=pytest.mark.slow),
    ],
)
def test_failure_names_the_recording(paths, n_jobs, where, kind):
    silence = paths[0] + ".wav"
    soundfile.write(silence, np.zeros(4000), 16000)
    with pytest.raises(ExtractionError) as caught:
        extract_with_failure(load([*paths * 6, silence, *paths * 6]), n_jobs, kind, where)
    assert str(caught.value) == f"{silence}: {WHERE[where]}: {kind.__name__}: went wrong"
    assert caught.value.__cause__ is not None


@pytest.mark.parametrize(("where", "kind"), [("stage", ParameterError), ("block", DataError)])
def test_failure_of_ours_keeps_its_class(waveforms, where, kind):
    clips = Clips.from_waveforms([*list(waveforms) * 12, np.zeros(4000), *waveforms], sr=16000)
    with pytest.raises(kind) as caught:
        extract_with_failure(clips, 1, kind, where)
    from_worker = pickle.loads(pickle.dumps(caught.value))
    assert type(from_worker) is kind
    assert str(from_worker) == f"clip 36: {WHERE[where]}: went wrong"


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


@pytest.mark.slow
@pytest.mark.skipif(os.name == "nt", reason="signals of POSIX")
def test_killed_worker_raises_and_the_next_call_works(waveforms):
    extractor = FeatureUnionExtractor([("dies", DiesOnSilence())], n_jobs=2)
    with pytest.raises(BrokenProcessPool, match=r"unexpectedly terminated(.|\n)*SIGKILL"):
        extractor.fit_transform([*list(waveforms) * 12, np.zeros(4000)])
    assert (extractor.transform(list(waveforms) * 12) == 1).all()


# --- FeatureStack: features in any order, one array ------------------------------------------


def sequence(n_views, n_frames, n_features=3, seed=0):
    shape = (n_views, n_frames, n_features)
    return np.random.default_rng(seed).normal(size=shape).astype(np.float32)


@pytest.mark.parametrize("expected", [1, 4, 9, 20])
def test_sequences_are_padded_to_the_longest(expected):
    stack = FeatureStack(3, 2, expected, 3)
    sequences = [sequence(2, n_frames, seed=n_frames) for n_frames in (4, 9, 1)]
    for clip in (2, 0, 1):
        stack.put(clip, 0, sequences[clip])
    features = stack.finish()
    assert features.shape == (3, 2, 9, 3)
    assert features.dtype == np.float32
    assert features.flags.c_contiguous
    for row, frames in zip(features, sequences, strict=True):
        np.testing.assert_array_equal(row[:, : frames.shape[1]], frames)
        assert np.isnan(row[:, frames.shape[1] :]).all()


def test_views_come_apart():
    stack = FeatureStack(2, 3, 5, 3)
    clean, added = sequence(1, 5), sequence(2, 3, seed=1)
    for clip in range(2):
        stack.put(clip, 1, added)
        stack.put(clip, 0, clean)
    features = stack.finish()
    np.testing.assert_array_equal(features[:, :1], [clean] * 2)
    np.testing.assert_array_equal(features[:, 1:, :3], [added] * 2)
    assert np.isnan(features[:, 1:, 3:]).all()


def test_vectors_are_sequences_of_one_frame():
    stack = FeatureStack(2, 1, 1, 4)
    vectors = np.arange(8, dtype=np.float32).reshape(2, 1, 4)
    for clip, vector in enumerate(vectors):
        stack.put(clip, 0, vector)
    np.testing.assert_array_equal(stack.finish()[:, :, 0], vectors)


def test_nothing_is_copied_where_the_length_is_known():
    stack = FeatureStack(2, 1, 6, 3)
    array = stack._array
    for clip in range(2):
        stack.put(clip, 0, sequence(1, 6))
    assert stack.finish() is array


def test_more_views_than_promised():
    stack = FeatureStack(2, 1, 6, 3)
    with pytest.raises(DataError, match=r"^clip 1 .*2 views.*promise 1"):
        stack.put(1, 0, sequence(2, 6))


@pytest.mark.slow
def test_waveforms_need_no_temporary_folder(monkeypatch):
    monkeypatch.setenv("JOBLIB_TEMP_FOLDER", os.path.join(os.devnull, "none"))
    noise = np.random.default_rng(0)
    clips = load([noise.normal(0, 0.1, 320_000).astype(np.float32) for _ in range(40)])
    extractor = FeatureUnionExtractor(["rms"])
    alone = extractor.fit_transform(clips)
    np.testing.assert_array_equal(clone(extractor).set_params(n_jobs=2).fit_transform(clips), alone)
