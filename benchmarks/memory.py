"""Peak memory of extracting features, above the features themselves.

    python benchmarks/memory.py ravdess FOLDER --views 4

Extracts the features of a corpus with the default pipeline's first three steps in a process of
its own and prints its peak resident memory, less what was in use before and less the size of
the features. With ``--jobs`` above 1 that is the parent's; workers hold a few clips at a time.
"""

from __future__ import annotations

import argparse
import resource
import sys
import time
from pathlib import Path

import numpy as np

from skser import make_emotion_pipeline
from skser.datasets import load_corpus

# ru_maxrss is in KiB on Linux and in bytes on macOS.
UNIT = 1 if sys.platform == "darwin" else 1024


def peak() -> int:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * UNIT


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("corpus")
    parser.add_argument("data", type=Path)
    parser.add_argument("--views", type=int, default=4)
    parser.add_argument("--clips", type=int, help="only so many, spread over the corpus")
    parser.add_argument("--jobs", type=int, default=1)
    arguments = parser.parse_args()

    speech = load_corpus(arguments.data, corpus=arguments.corpus)
    paths = speech.paths
    if arguments.clips:
        paths = paths[np.linspace(0, len(paths) - 1, arguments.clips).astype(int)]
    extract = make_emotion_pipeline(
        random_state=0, augment__n_views=arguments.views, n_jobs=arguments.jobs
    )[:3]
    # librosa, numba and their compiled functions are loaded before the count begins.
    extract.fit_transform(paths[:2])
    before = peak()
    start = time.perf_counter()
    features = extract.fit_transform(paths)
    seconds = time.perf_counter() - start
    size = getattr(features, "values", features).nbytes
    mib = 2**20
    print(
        f"{len(paths)} clips x {arguments.views} views, {arguments.jobs} processes: "
        f"{seconds:.1f} s, features {size / mib:.0f} MiB, peak above them "
        f"{(peak() - before - size) / mib:.0f} MiB"
    )


if __name__ == "__main__":
    main()
