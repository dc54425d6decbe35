"""Loading recordings as mono waveforms at 16 kHz, against librosa.

    python benchmarks/loading.py RAVDESS --clips 200

Reads whole recordings with `skser.read_audio`, with an `AudioLoader` as a pipeline does (the header
of every file is checked, then each waveform is decoded when it is asked for), and with
`librosa.load`. All three must give the same waveforms (within 1e-6). One core.

Below them stands what all three have to do: decode with libsndfile (`soundfile.read`) and resample
with soxr (HQ). What `skser` takes beyond that are its checks: that a recording is not truncated and
has no samples that are NaN or infinite.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import _one_thread  # noqa: F401
import librosa
import numpy as np
import soundfile
import soxr
from _compare import MIB, check_equal, memory, pick_clips, print_ratios, time_in_batches

from skser import AudioLoader, read_audio
from skser.audio._recordings import header_of

SR = 16000


def with_pipeline(paths: list[str]) -> list[np.ndarray]:
    # Headers of unchanged files are looked at once; here every time is the first.
    header_of.clear()
    return [views[0] for views in AudioLoader(sr=SR, duration=None).transform(paths)]


def decode(path: str) -> tuple[np.ndarray, int]:
    samples, sr = soundfile.read(path, dtype="float32")
    return samples if samples.ndim == 1 else samples.mean(axis=1), sr


def decode_and_resample(path: str) -> np.ndarray:
    samples, sr = decode(path)
    return soxr.resample(samples, sr, SR, quality="HQ")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--clips", type=int, default=200, help="spread over the corpus")
    arguments = parser.parse_args()
    paths = pick_clips(arguments.folder, arguments.clips)

    for path, in_pipeline in zip(paths, with_pipeline(paths), strict=True):
        theirs, _ = librosa.load(path, sr=SR)
        check_equal(f"read_audio, {path}", read_audio(path, SR)[0], theirs, 0, 1e-6)
        check_equal(f"AudioLoader, {path}", in_pipeline, theirs, 0, 1e-6)

    runs = {
        "skser.read_audio": lambda paths: [read_audio(path, SR) for path in paths],
        "skser.AudioLoader": with_pipeline,
        "librosa.load": lambda paths: [librosa.load(path, sr=SR) for path in paths],
        "decoding and resampling alone": lambda paths: [decode_and_resample(p) for p in paths],
        "decoding alone": lambda paths: [decode(path) for path in paths],
    }
    title = f"{len(paths)} recordings to {SR // 1000} kHz"
    print_ratios(title, time_in_batches(runs, paths), ours="skser.read_audio")
    print(f"\npeak memory {memory()[1] / MIB:.0f} MiB, librosa included")


if __name__ == "__main__":
    main()
