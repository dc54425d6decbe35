"""A process that extracts slowly; a script for the tests of the cache."""

import os
import sys
import time

import numpy as np

from skser import AudioLoader, FeatureUnionExtractor
from skser.features import FeatureBlock


def append_line(path, number):
    """Write a number to a file that other processes may be writing to."""
    file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    os.write(file, b"%d\n" % number)
    os.close(file)


class Slow(FeatureBlock):
    """Peak of each frame; every computation writes a line."""

    def __init__(self, log):
        self.log = log

    def compute(self, spectra):
        append_line(self.log, 1e6 * abs(spectra.waveform).sum())
        # The order of such a set is another in every process.
        time.sleep(0.002 if self.log in {"one", "two", "three", "four"} else 0.004)
        return abs(spectra.frames("constant")).max(axis=0, keepdims=True)


if __name__ == "__main__":
    log, memory, out, *paths = sys.argv[1:]
    clips = AudioLoader(duration=None).transform(paths)
    extractor = FeatureUnionExtractor([("slow", Slow(log)), "zcr"], memory=memory).fit(clips)
    print("ready", flush=True)
    sys.stdin.readline()
    np.save(out, extractor.transform(clips))
    print(*extractor.cache_info())
