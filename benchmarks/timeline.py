"""Time and memory of `predict_timeline`, as recordings grow from minutes to hours.

    python benchmarks/timeline.py RAVDESS --minutes 10 60 240

Joins recordings of a corpus, with pauses, to FLAC files of these lengths, fits the recipe
`functionals` on some of them, and labels each file in a process of its own, which has labelled a
minute before to warm up. Before the clock starts, some rows are compared with what the pipeline
says of the same seconds as recordings. One core.

s           elapsed time
real time   seconds of recording for a second of work
peak        peak resident memory
above       the same, less what was in use before
rows        size of the table that is returned
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
import time
from pathlib import Path

import _one_thread  # noqa: F401
import joblib
import numpy as np
import soundfile
from _compare import MIB, check_equal, memory, pick_clips, print_table, run_again

from skser import inspect_audio, predict_timeline, read_audio
from skser.datasets import load_corpus
from skser.recipes import functionals

SR = 24_000
N_TO_FIT = 96


def join(paths: list[str], minutes: float, out: Path) -> None:
    """Write recordings one after the other, in random order, until there are so many minutes."""
    rng = np.random.default_rng(0)
    missing = round(60 * minutes * SR)
    with soundfile.SoundFile(out, "w", samplerate=SR, channels=1) as file:
        while missing > 0:
            speech = read_audio(rng.choice(paths), SR)[0]
            pause = np.zeros(int(SR * rng.uniform(0, 4)), np.float32)
            samples = np.concatenate([speech, pause])[:missing]
            file.write(samples)
            missing -= len(samples)


def check(pipeline: object, recording: Path) -> None:
    """Compare rows with excerpts that are read as recordings of their own."""
    rows = predict_timeline(pipeline, recording, smoothing=None)
    heard = rows[~rows["silence"]].iloc[1:-1:7]
    excerpts = [
        read_audio(recording, 16000, offset=t - 1.0, duration=3.0)[0] for t in heard["start"]
    ]
    expected = pipeline.predict_proba(excerpts)
    # Resampling an excerpt begins and ends within speech, where the stream goes on.
    check_equal("rows", heard[pipeline.classes_].to_numpy(), expected, 0, 0.02)


def label(model: str, short: str, recording: str) -> dict:
    pipeline = joblib.load(model)
    predict_timeline(pipeline, short)
    before, _ = memory()
    start = time.perf_counter()
    rows = predict_timeline(pipeline, recording)
    seconds = time.perf_counter() - start
    return {
        "seconds": seconds,
        "speed": inspect_audio(recording).duration / seconds,
        "peak": memory()[1] / MIB,
        "above": (memory()[1] - before) / MIB,
        "rows": rows.memory_usage(deep=True).sum() / MIB,
        "silence": float(rows["silence"].mean()),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--minutes", type=float, nargs="+", default=[10, 60, 240])
    parser.add_argument("--task", type=json.loads, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.task:
        print(json.dumps(label(**arguments.task)))
        return

    paths = pick_clips(arguments.folder, 200)
    corpus = load_corpus(arguments.folder)
    some = np.random.default_rng(0).permutation(len(corpus.paths))[:N_TO_FIT]
    pipeline = functionals(random_state=0).fit(corpus.paths[some], corpus.target[some])
    table = []
    with tempfile.TemporaryDirectory() as folder:
        model, short = Path(folder, "model.joblib"), Path(folder, "short.flac")
        joblib.dump(pipeline, model)
        join(paths, 1, short)
        check(pipeline, short)
        for minutes in arguments.minutes:
            recording = Path(folder, f"{minutes:g}.flac")
            join(paths, minutes, recording)
            run = run_again(model=str(model), short=str(short), recording=str(recording))
            recording.unlink()
            print(f"{minutes:g} min, {run['silence']:.0%} silent", file=sys.stderr)
            table.append(
                (
                    f"{minutes:g} min",
                    f"{run['seconds']:.1f}",
                    f"{run['speed']:.0f} x",
                    f"{run['peak']:.0f} MiB",
                    f"{run['above']:.1f} MiB",
                    f"{run['rows']:.2f} MiB",
                )
            )
    print_table(("recording", "s", "real time", "peak", "above", "rows"), table)


if __name__ == "__main__":
    main()
