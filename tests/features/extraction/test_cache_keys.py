"""Changes that need a new cache entry, and changes that do not."""

import os
import shutil
import subprocess
import sys
import threading
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
import pytest
import soundfile
from sklearn.base import clone

from skser import AudioLoader, Augmenter, Clips, FeatureUnionExtractor
from skser._utils import _hashing
from skser._utils._hashing import own_code
from skser.exceptions import ParameterError
from skser.features import FeatureBlock, ZeroCrossingRate

from ..golden.make_golden import speechlike
from .test_cache import files_of
from .test_extract import BLOCKS, load


def check_hits(extractor, clips, n_hits):
    """Features are those without a cache, and ``n_hits`` clips are read from it."""
    features = extractor.fit_transform(clips)
    assert extractor.cache_info()[:2] == (n_hits, len(clips) - n_hits)
    plain = clone(extractor).set_params(memory=None).fit_transform(clips)
    np.testing.assert_array_equal(*(getattr(f, "values", f) for f in (features, plain)))


@pytest.mark.parametrize(
    "change",
    [
        {"mfcc__n_mfcc": 12},
        {"mfcc__fmin": 20.0},
        {"n_fft": 512},
        {"hop_length": 200},
        {"deltas": 1},
        {"statistics": ("std",)},
        {"statistics": ("mean", "std")},
        {"statistics": None},
        {"zcr": "drop"},
        {"blocks": ["zcr", "mfcc"]},
        {"blocks": [("mfcc", "drop"), ("of_another_name", ZeroCrossingRate())]},
    ],
    ids=str,
)
def test_changed_parameter_misses(paths, memory, change):
    extractor = FeatureUnionExtractor(BLOCKS, memory=memory)
    extractor.fit_transform(load(paths))
    check_hits(extractor.set_params(**change), load(paths), n_hits=0)
    assert len(files_of(memory)) == 2 * len(paths)


@pytest.mark.parametrize(
    "change",
    [
        {"sr": 8000},
        {"duration": None},
        {"duration": 0.1},
        {"offset": 0.05},
        {"pad": "both"},
        {"trim_db": 20},
        {"normalize": "peak"},
    ],
    ids=str,
)
def test_changed_loader_misses(paths, memory, change):
    extractor = FeatureUnionExtractor(["zcr"], memory=memory)
    extractor.fit_transform(AudioLoader(duration=0.5).transform(paths))
    loader = AudioLoader(**{"duration": 0.5, **change})
    check_hits(extractor, loader.transform(paths), n_hits=0)


AUGMENTER = Augmenter(n_views=2, random_state=0)


@pytest.mark.slow
@pytest.mark.parametrize(
    "change",
    [
        {"n_views": 3},
        {"noise": (15, 29)},
        {"noise": None},
        {"pitch": (-2, 1)},
        {"stretch": (0.9, 1.2)},
        {"speed": (0.9, 1.1)},
        {"shift": (-0.1, 0.2)},
        {"random_state": 1},
    ],
    ids=str,
)
def test_changed_augmenter_misses(paths, memory, change):
    extractor = FeatureUnionExtractor(["zcr"], memory=memory)
    augmenter = clone(AUGMENTER)
    extractor.fit_transform(augmenter.fit_transform(load(paths)))
    augmenter.set_params(**change)
    check_hits(extractor, augmenter.fit_transform(load(paths)), n_hits=0)


def test_clean_view_needs_no_augmenter(paths, memory):
    extractor = FeatureUnionExtractor(["zcr"], memory=memory)
    views = clone(AUGMENTER).fit_transform(load(paths))
    extractor.fit_transform(views)
    check_hits(extractor, load(paths), n_hits=len(paths))
    shutil.rmtree(memory)
    extractor.fit_transform(load(paths))
    check_hits(extractor, views, n_hits=0)  # one of two entries of each clip is there
    assert extractor.cache_info().n_entries == 2 * len(paths)


def test_what_changes_no_feature_hits(paths, memory, forbid):
    extractor = FeatureUnionExtractor(BLOCKS, memory=memory)
    extractor.fit_transform(clone(AUGMENTER).fit_transform(load(paths)))
    forbid()
    extractor = clone(extractor).set_params(n_jobs=2, verbose=1, sr=8000)
    loaded = load(paths[::-1], max_duration=None, on_error="silence")
    extractor.fit_transform(clone(AUGMENTER).fit_transform(loaded))
    assert extractor.cache_info().hits == len(paths)


def change_time(path):
    status = os.stat(path)
    os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns + 1000))


def change_size(path):
    status = os.stat(path)
    soundfile.write(path, speechlike(seconds=0.3, seed=9), 16000)
    os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns))


@pytest.mark.parametrize("change", [change_time, change_size])
def test_changed_file_misses(paths, memory, change):
    extractor = FeatureUnionExtractor(["zcr"], memory=memory)
    extractor.fit_transform(load(paths))
    change(paths[1])
    check_hits(extractor, load(paths), n_hits=2)


def test_moved_file_misses(paths, memory):
    extractor = FeatureUnionExtractor(["zcr"], memory=memory)
    extractor.fit_transform(load(paths))
    moved = shutil.move(paths[1], paths[1] + ".moved")
    check_hits(extractor, load([paths[0], moved, paths[2]]), n_hits=2)


def test_equal_size_and_time_are_not_noticed(paths, memory, forbid):
    """What the cache does not promise."""
    extractor = FeatureUnionExtractor(["zcr"], memory=memory)
    soundfile.write(paths[0], np.zeros(4000), 16000, format="WAV")
    silence = extractor.fit_transform(load(paths[:1]))
    status = os.stat(paths[0])
    soundfile.write(paths[0], np.ones(4000), 16000, format="WAV")
    os.utime(paths[0], ns=(status.st_atime_ns, status.st_mtime_ns))
    forbid()
    np.testing.assert_array_equal(extractor.transform(load(paths[:1])), silence)


def test_changed_content_misses(paths, memory):
    """Of recordings and waveforms in memory."""
    extractor = FeatureUnionExtractor(["zcr"], memory=memory)
    content = [Path(path).read_bytes() for path in paths]
    waveforms = [clip[0] for clip in load(paths)]
    for recordings in (content, waveforms):
        extractor.fit_transform(load(recordings[:2]))
        check_hits(extractor, load(recordings[1:]), n_hits=1)


# --- custom functions and blocks ------------------------------------------------------------


def amplify(views, sr, gain):
    return views * gain


def amplify_by_closure(gain):
    return lambda views, sr: views * gain


def amplify_inside(gain):
    return eval(f"lambda views, sr: (lambda view: view * {gain})(views)")


def amplify_by_default(gain):
    def stage(views, sr, gain=gain):
        return views * gain

    return stage


class Gain:
    def __init__(self, gain):
        self.gain = gain

    def amplify(self, views, sr):
        return views * self.gain


@dataclass(frozen=True, slots=True)
class Slotted:
    gain: float

    def __call__(self, views, sr):
        return views * self.gain


STAGES = {
    "partial": lambda gain: partial(amplify, gain=gain),
    "closure": amplify_by_closure,
    "closure of a closure": lambda gain: partial(amplify_by_closure(gain)),
    "function inside": amplify_inside,
    "default": amplify_by_default,
    "method": lambda gain: Gain(gain).amplify,
    "slots": Slotted,
}


@pytest.mark.parametrize("make", STAGES.values(), ids=STAGES)
def test_what_a_stage_holds_counts(waveforms, memory, make):
    clips = Clips.from_waveforms(waveforms, sr=16000)
    extractor = FeatureUnionExtractor(["rms"], memory=memory)
    check_hits(extractor, clips.map(make(1.0)), n_hits=0)
    check_hits(extractor, clips.map(make(2.0)), n_hits=0)
    check_hits(extractor, clips.map(make(2.0)), n_hits=3)


def test_stages_of_one_name_all_count(waveforms, memory):
    clips = Clips.from_waveforms(waveforms, sr=16000)
    extractor = FeatureUnionExtractor(["rms"], memory=memory)
    for first in (Gain(1.0), Gain(3.0)):
        check_hits(extractor, clips.map(first.amplify).map(Gain(2.0).amplify), n_hits=0)


class Peak(FeatureBlock):
    power = 1

    def __init__(self, function=abs):
        self.function = function

    def compute(self, spectra):
        peak = self.function(spectra.frames("constant")).max(axis=0, keepdims=True)
        return self.scaled(peak) ** self.power * self.sign

    @property
    def sign(self):
        return 1

    @staticmethod
    def scaled(peak):
        return peak * 2


@pytest.mark.parametrize(
    ("name", "replacement"),
    [
        ("compute", lambda self, spectra: np.ones((1, spectra.n_frames), np.float32)),
        ("power", 2),
        ("sign", property(lambda self: -1)),
        ("scaled", staticmethod(lambda peak: peak * 3)),
    ],
)
def test_changed_code_of_a_block_misses(paths, memory, monkeypatch, name, replacement):
    extractor = FeatureUnionExtractor([("peak", Peak())], memory=memory)
    before = extractor.fit_transform(load(paths))
    monkeypatch.setattr(Peak, name, replacement)
    after = extractor.fit_transform(load(paths))
    assert extractor.cache_info().hits == 0
    assert (after != before).all()


def test_function_as_a_parameter(waveforms, memory):
    def extract(function):
        extractor = FeatureUnionExtractor([("peak", Peak(function))], memory=memory)
        return extractor.fit_transform(waveforms)

    assert (extract(lambda frames: frames**2) != extract(lambda frames: frames**4)).all()


def test_function_that_calls_itself(waveforms, memory):
    def halve(views, sr, times=3):
        return views if times == 0 else halve(views / 2, sr, times - 1)

    clips = Clips.from_waveforms(waveforms, sr=16000).map(halve)
    extractor = FeatureUnionExtractor(["rms"], memory=memory)
    extractor.fit_transform(clips)
    check_hits(extractor, clips, n_hits=3)


def test_stage_that_cannot_be_pickled(waveforms, memory, forbid):
    clips = Clips.from_waveforms(waveforms, sr=16000).map(Gain(threading.Lock()))
    forbid()
    with pytest.raises(ParameterError, match=r"^memory must be None.*stage Gain.*TypeError"):
        FeatureUnionExtractor(["zcr"], memory=memory).fit_transform(clips)


@pytest.mark.slow
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


def test_code_that_makes_no_feature_does_not_count(tmp_path, monkeypatch):
    """An edit of the command line, say, empties no cache."""
    monkeypatch.setattr(_hashing, "_ROOT", tmp_path)
    files = [tmp_path / name for name in ("audio/a.py", "features/dsp/b.py", "cli/c.py")]
    for file in files:
        file.parent.mkdir(parents=True)
    hashes = []
    for edited in [None, *files]:
        for file in files:
            file.write_text(f"edited {file.name}" if file == edited else "")
        own_code.cache_clear()
        hashes.append((own_code("audio", "features"), own_code()))
    own_code.cache_clear()
    before, audio, dsp, cli = hashes
    assert cli == before
    assert len({before[0], audio[0], dsp[0]}) == 3
    with pytest.raises(FileNotFoundError, match="renamed"):
        own_code("renamed")
