"""Recordings for tests, as files."""

import soundfile

from .golden.make_golden import speechlike


def write_recordings(folder, seconds):
    """Write a speech-like FLAC recording of each length in seconds; return the paths in order."""
    paths = [str(folder / f"{i:02}.flac") for i in range(len(seconds))]
    for i, (path, length) in enumerate(zip(paths, seconds, strict=True)):
        soundfile.write(path, speechlike(seconds=length, seed=i), 16000)
    return paths
