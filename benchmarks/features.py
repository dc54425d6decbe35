"""Features against librosa's, computed file by file as most projects do, and against openSMILE.

    python benchmarks/features.py RAVDESS

(a)  195 features: means of 40 MFCC, 12 chroma, 128 mel, 7 contrast, 6 tonnetz, zero crossings and
     roll-off, of 3 s at 22.05 kHz, from the path on. (a') The same with tonnetz from the STFT.
(b)  Sequences of 40 MFCC with first and second derivatives, zero crossings and RMS.
(c)  openSMILE's eGeMAPSv02, 88 functionals of a file, against what one would take in its place: a
     set on the same subjects (pitch, level, spectral shape, MFCC 1 to 4), with skser's default
     frames (every 16 ms) and with openSMILE's (every 10 ms), and the 195 features of (a').

With ``--profile`` it says where skser spends its time, and compares nothing.

Each is checked first: (a) and (b) give librosa's values (rtol 1e-3), and the pitch of (c), which is
found by another method, goes with openSMILE's. One core, unless it says two: then one thread reads
ahead, or there are two processes.
"""

from __future__ import annotations

import argparse
import cProfile
import os
import pstats
import time
import warnings
from collections.abc import Callable
from functools import partial
from pathlib import Path

import _one_thread  # noqa: F401
import librosa
import numpy as np
from _compare import (
    MIB,
    check_equal,
    memory,
    pick_clips,
    print_ratios,
    print_table,
    time_in_batches,
)
from sklearn.pipeline import Pipeline, make_pipeline

from skser import AudioLoader, FeatureUnionExtractor
from skser.features import MFCC, Pitch, Tonnetz

SR = 22050
SECONDS = 3.0


def skser_195(chroma: str, n_jobs: int | None = None) -> Pipeline:
    blocks = [
        "mfcc",
        "chroma",
        "mel",
        "contrast",
        ("tonnetz", Tonnetz(chroma=chroma)),
        "zcr",
        "rolloff",
    ]
    extractor = FeatureUnionExtractor(blocks, n_fft=2048, hop_length=512, n_jobs=n_jobs)
    return make_pipeline(AudioLoader(sr=SR, duration=SECONDS), extractor)


def librosa_195(path: str, chroma: str) -> np.ndarray:
    waveform, _ = librosa.load(path, sr=SR, duration=SECONDS)
    waveform = librosa.util.fix_length(waveform, size=int(SR * SECONDS))
    feature = librosa.feature
    blocks = [
        feature.mfcc(y=waveform, sr=SR, n_mfcc=40),
        feature.chroma_stft(y=waveform, sr=SR),
        feature.melspectrogram(y=waveform, sr=SR),
        feature.spectral_contrast(y=waveform, sr=SR),
        feature.tonnetz(y=waveform, sr=SR)
        if chroma == "cqt"
        else feature.tonnetz(chroma=feature.chroma_stft(y=waveform, sr=SR), sr=SR),
        feature.zero_crossing_rate(waveform),
        feature.spectral_rolloff(y=waveform, sr=SR),
    ]
    return np.concatenate([block.mean(axis=1) for block in blocks])


def skser_sequences() -> Pipeline:
    extractor = FeatureUnionExtractor(
        [("mfcc", MFCC(n_mfcc=40, deltas=2)), "zcr", "rms"],
        n_fft=2048,
        hop_length=512,
        statistics=None,
    )
    return make_pipeline(AudioLoader(sr=SR, duration=SECONDS), extractor)


def librosa_sequence(path: str) -> np.ndarray:
    waveform, _ = librosa.load(path, sr=SR, duration=SECONDS)
    waveform = librosa.util.fix_length(waveform, size=int(SR * SECONDS))
    mfcc = librosa.feature.mfcc(y=waveform, sr=SR, n_mfcc=40)
    return np.concatenate(
        [
            mfcc,
            librosa.feature.delta(mfcc),
            librosa.feature.delta(mfcc, order=2),
            librosa.feature.zero_crossing_rate(waveform),
            librosa.feature.rms(y=waveform),
        ]
    ).T


def skser_prosody(hop_length: int) -> Pipeline:
    shape = ["rms", "zcr", "centroid", "bandwidth", "rolloff", "flatness", "contrast"]
    extractor = FeatureUnionExtractor(
        [("pitch", Pitch(fmin=65, fmax=600)), ("mfcc", MFCC(n_mfcc=5, skip_first=True)), *shape],
        n_fft=1024,
        hop_length=hop_length,
        statistics=("mean", "std", "p20", "median", "p80"),
    )
    return make_pipeline(AudioLoader(sr=16000, duration=None), extractor)


# Means of positive and negative values need a tolerance on the scale of the feature. The last band
# of contrast lies above what the recordings hold, so its valley is the rounding of the Fourier
# transform.
ATOL = {"mfcc": 1e-3, "tonnetz": 3e-4, "contrast_6": 0.1}


def compare_with_librosa(
    title: str, paths: list[str], ours: Pipeline, theirs: Callable[[str], np.ndarray]
) -> None:
    names = ours.fit(paths[:1])[-1].get_feature_names_out()
    atol = np.array([sum(ATOL[block] for block in ATOL if n.startswith(block)) for n in names])
    for path in paths[:50]:
        check_equal(f"{title}, {path}", ours.transform([path])[0], theirs(path), 1e-3, atol)
    runs = {"skser": ours.transform, "librosa": lambda paths: [theirs(path) for path in paths]}
    print_ratios(f"{title}, one core, {len(paths)} files", time_in_batches(runs, paths))


def compare_on_two_cores(
    title: str, paths: list[str], ours: Pipeline, theirs: Callable[[str], np.ndarray]
) -> None:
    """All files in one call, with a second core, against librosa's loop over them."""
    os.environ["LOKY_MAX_CPU_COUNT"] = "2"
    ours.fit(paths[:1])
    ours.transform(paths[:64])  # starts the processes, which load librosa and the kernels
    repeats = []
    for _ in range(3):
        start = time.perf_counter()
        ours.transform(paths)
        middle = time.perf_counter()
        for path in paths:
            theirs(path)
        repeats.append((middle - start, time.perf_counter() - middle))
    our_seconds, their_seconds = np.median(repeats, axis=0)
    print(
        f"\n{title}, two cores, {len(paths)} files at once, median of {len(repeats)}\n"
        f"  skser           {our_seconds:8.2f} s\n"
        f"  librosa, a loop {their_seconds:8.2f} s  {their_seconds / our_seconds:.2f} x"
    )
    os.environ["LOKY_MAX_CPU_COUNT"] = "1"


def compare_with_opensmile(paths: list[str]) -> None:
    try:
        import opensmile
    except ImportError:
        print("\n(c) openSMILE is not installed")
        return
    smile = opensmile.Smile(opensmile.FeatureSet.eGeMAPSv02, opensmile.FeatureLevel.Functionals)
    ours = {hop_length: skser_prosody(hop_length).fit(paths[:1]) for hop_length in (256, 160)}
    names = list(ours[256][-1].get_feature_names_out())
    percentile = "F0semitoneFrom27.5Hz_sma3nz_percentile50.0"
    theirs = np.array([smile.process_file(path)[percentile].iloc[0] for path in paths])
    for hop_length, pipeline in ours.items():
        f0 = pipeline.transform(paths)[:, names.index("pitch_f0_median")]
        voiced = (f0 > 0) & (theirs > 0)
        correlation = np.corrcoef(12 * np.log2(f0[voiced] / 27.5), theirs[voiced])[0, 1]
        print(
            f"\n(c) every {hop_length / 16:.0f} ms: median pitch in semitones correlates with "
            f"openSMILE's by {correlation:.3f} over {voiced.sum()} files with a pitch"
        )
        if correlation < 0.9 or voiced.mean() < 0.9:
            raise SystemExit("(c): pitch is not openSMILE's")
    runs = {
        f"skser, {len(names)} functionals, every 16 ms": ours[256].transform,
        f"skser, {len(names)} functionals, every 10 ms": ours[160].transform,
        "skser, the 195 features of (a')": skser_195("stft").fit(paths[:1]).transform,
        "openSMILE eGeMAPSv02": lambda paths: [smile.process_file(path) for path in paths],
    }
    title = f"(c) functionals, one core, {len(paths)} files"
    print_ratios(title, time_in_batches(runs, paths), ours=next(iter(runs)))


def profile(title: str, pipeline: Pipeline, paths: list[str]) -> None:
    """Milliseconds for each clip of the functions that take longest, without what they call."""
    pipeline.fit(paths[:1]).transform(paths[:1])
    profiler = cProfile.Profile()
    profiler.runcall(pipeline.transform, paths)
    # {(file, line, name): (_, _, seconds without those of callees, ...)}
    stats = pstats.Stats(profiler).stats  # type: ignore[attr-defined]
    longest = sorted(stats.items(), key=lambda item: -item[1][2])[:14]
    rows = [
        (f"{Path(file).stem} {name}", f"{1e3 * entry[2] / len(paths):.2f}")
        for (file, _, name), entry in longest
    ]
    print_table((title, "ms per clip"), rows)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--clips", type=int, default=200)
    parser.add_argument("--profile", action="store_true")
    arguments = parser.parse_args()
    warnings.simplefilter("ignore")
    paths = pick_clips(arguments.folder, arguments.clips)
    if arguments.profile:
        profile("(a)", skser_195("cqt"), paths)
        profile("(b)", skser_sequences(), paths)
        profile("(c)", skser_prosody(256), paths)
        return
    compare_with_librosa(
        "(a) 195 features", paths, skser_195("cqt"), lambda path: librosa_195(path, "cqt")
    )
    compare_with_librosa(
        "(a') 195 features, tonnetz from the STFT",
        paths,
        skser_195("stft"),
        lambda path: librosa_195(path, "stft"),
    )
    compare_with_librosa("(b) sequences of 122", paths, skser_sequences(), librosa_sequence)
    compare_with_opensmile(paths)
    cqt, of_cqt = skser_195("cqt"), partial(librosa_195, chroma="cqt")
    compare_on_two_cores("(a) reading ahead", paths, cqt, of_cqt)
    compare_on_two_cores("(a) n_jobs=2", paths, skser_195("cqt", n_jobs=2), of_cqt)
    compare_on_two_cores("(b) reading ahead", paths, skser_sequences(), librosa_sequence)
    print(f"\npeak memory {memory()[1] / MIB:.0f} MiB, librosa and openSMILE included")


if __name__ == "__main__":
    main()
