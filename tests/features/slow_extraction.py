"""A process that extracts slowly, and may be killed; a script for the tests of the cache."""

import os
import signal
import sys
import time
from pathlib import Path

import numpy as np

from skser import AudioLoader, FeatureUnionExtractor
from skser.features import FeatureBlock


def append_line(path, number):
    """Write a number to a file that other processes may be writing to."""
    file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    os.write(file, b"%d\n" % number)
    os.close(file)


class Slow(FeatureBlock):
    """Peak of each frame; every computation writes a line, and the 40th may be the last."""

    def __init__(self, log):
        self.log = log

    def compute(self, spectra):
        append_line(self.log, 1e6 * abs(spectra.waveform).sum())
        if os.path.exists(self.log + ".block") and Path(self.log).read_bytes().count(b"\n") == 40:
            os.kill(os.getpid(), signal.SIGKILL)
        # The order of such a set is another in every process.
        time.sleep(0.002 if self.log in {"one", "two", "three", "four"} else 0.004)
        return abs(spectra.frames("constant")).max(axis=0, keepdims=True)


def extractor_of(log, memory):
    return FeatureUnionExtractor([("slow", Slow(str(log))), "zcr"], memory=memory)


def replace_but_the_20th(source, target):
    """Rename, but of the 20th entry only the first half was written, and the process is killed."""
    if len(list(Path(target).parent.parent.rglob("*.features"))) == 19:
        os.truncate(source, os.path.getsize(source) // 2)
        os.kill(os.getpid(), signal.SIGKILL)
    rename(source, target)


if __name__ == "__main__":
    log, memory, out, *paths = sys.argv[1:]
    if os.path.exists(log + ".file"):
        rename, os.replace = os.replace, replace_but_the_20th
    clips = AudioLoader(duration=None).transform(paths)
    extractor = extractor_of(log, memory).fit(clips)
    print("ready", flush=True)
    sys.stdin.readline()
    np.save(out, extractor.transform(clips))
    print(*extractor.cache_info())
