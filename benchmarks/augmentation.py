"""Quality and speed of augmentation, beside librosa, Signalsmith Stretch and audiomentations.

    python benchmarks/augmentation.py RAVDESS_FOLDER

Quality comes first. Real clips and a gliding tone are stretched, shifted in pitch, and stretched
there and back. Each result is compared, 10 ms by 10 ms, with what it should be at that time:

F0        median error of the fundamental frequency over voiced frames, in cents
off       voiced frames whose fundamental frequency is off by more than 50 cents
HNR       harmonics-to-noise ratio lost over voiced frames, in dB
mel       mean absolute difference of 40 log-mel bands, in dB, 60 dB below the loudest at most

What it should be is the recording itself, at the time that the stretched clip is at; played
faster or slower by soxr (VHQ) for a shift in pitch; and for the tone its exact synthesis. Should
skser be worse than librosa by more than a tolerance, the script ends there.

Then it times, clip by clip in turn, what makes one clean view and three that pass through all five
transforms (speed 0.9 to 1.1, stretch 0.9 to 1.1, pitch ±2 semitones, shift ±0.2 s, noise at 15
to 30 dB) of clips of 3 s at 16 kHz, on one thread. librosa and Signalsmith Stretch use the
parameters that skser draws; audiomentations draws from the same ranges.

Signalsmith Stretch (`pip install python-stretch`) and audiomentations are left out where they are
not installed.
"""

from __future__ import annotations

import argparse
import importlib.util
import sys
import zlib
from collections.abc import Callable
from pathlib import Path

import librosa
import numpy as np
import soxr
from _compare import MIB, memory, print_ratios, print_table, spread, time_each
from threadpoolctl import threadpool_limits

from skser import read_audio
from skser.audio._waveforms import fix_length
from skser.augmentation import add_noise, shift_pitch, shift_time, stretch_time
from skser.augmentation._augmenter import AddViews

SR = 16000
STRETCH_RATES = (0.8, 0.9, 1.1, 1.25)
SEMITONES = (-4, -2, 2, 4)
RANGES = {
    "speed": (0.9, 1.1),
    "stretch": (0.9, 1.1),
    "pitch": (-2.0, 2.0),
    "shift": (-0.2, 0.2),
    "noise": (15.0, 30.0),
}
MEASURES = ("F0 cents", "off %", "HNR dB", "mel dB")
# By how much skser may be worse than librosa.
TOLERANCES = (1.0, 1.0, 0.3, 0.1)

Waveform = np.ndarray
Change = Callable[[Waveform, float], Waveform]

# --- quality ------------------------------------------------------------------------------------

FRAME = int(0.04 * SR)
WINDOW = np.hanning(FRAME)
MEL_FRAME = int(0.025 * SR)
MEL = librosa.filters.mel(sr=SR, n_fft=512, n_mels=40)


def frames(waveform: Waveform, times: np.ndarray, size: int) -> np.ndarray:
    """Frames of a waveform centred on times in seconds, those past its end being zero."""
    padded = np.pad(waveform.astype(float), (size // 2, size))
    starts = np.minimum(np.round(times * SR).astype(int), len(waveform))
    return padded[starts[:, np.newaxis] + np.arange(size)]


def autocorrelation(windowed: np.ndarray) -> np.ndarray:
    return np.fft.irfft(np.abs(np.fft.rfft(windowed, 2 * FRAME)) ** 2)[..., :FRAME]


def analyse(waveform: Waveform, times: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """F0 in Hz, harmonics-to-noise ratio in dB (Boersma 1993), and log-mel bands in dB."""
    framed = frames(waveform, times, FRAME)
    power = autocorrelation((framed - framed.mean(axis=1, keepdims=True)) * WINDOW)
    similarity = power / (power[:, :1] + 1e-12) * autocorrelation(WINDOW)[0]
    similarity /= autocorrelation(WINDOW)
    lags = np.arange(SR // 500, SR // 75)
    # The shorter of two periods that fit equally well is the right one.
    best = lags[(similarity[:, lags] - 0.02 * np.log2(lags)).argmax(axis=1)]
    left, peak, right = (similarity[np.arange(len(best)), best + i] for i in (-1, 0, 1))
    bend = np.minimum(left - 2 * peak + right, -1e-9)
    offset = np.clip((left - right) / (2 * bend), -1, 1)
    peak = np.clip(peak - (left - right) * offset / 4, 1e-3, 1 - 1e-4)
    spectrum = np.fft.rfft(frames(waveform, times, MEL_FRAME) * np.hanning(MEL_FRAME), 512)
    mel = 10 * np.log10(np.maximum(np.abs(spectrum) ** 2 @ MEL.T, 1e-10))
    return SR / (best + offset), 10 * np.log10(peak / (1 - peak)), mel


def compare(made: Waveform, reference: Waveform, rate: float) -> tuple[float, ...]:
    """The four measures of a waveform whose second t is the reference's second ``rate * t``."""
    times = np.arange(0.03, len(made) / SR - 0.03, 0.01)
    f0, hnr, mel = analyse(made, times)
    f0_wanted, hnr_wanted, mel_wanted = analyse(reference, rate * times)
    loudest, level = mel_wanted.max(), mel_wanted.max(axis=1)
    voiced = (hnr_wanted > 5) & (level > loudest - 40)
    cents = 1200 * np.abs(np.log2(f0[voiced] / f0_wanted[voiced]))
    difference = np.maximum(mel, loudest - 60) - np.maximum(mel_wanted, loudest - 60)
    return (
        float(np.median(cents)),
        100 * float(np.mean(cents > 50)),
        float(np.mean((hnr_wanted - hnr)[voiced])),
        float(np.mean(np.abs(difference[level > loudest - 50]))),
    )


def gliding_tone(rate: float = 1, semitones: float = 0) -> Waveform:
    """Harmonics of a gliding fundamental, stretched and shifted exactly."""
    factor = 2 ** (semitones / 12)
    times = np.arange(round(2 * SR / rate)) / SR
    # F0 is 130 + 40 t + 10 sin(10 t) Hz at the tone's own second t = rate * times.
    own = rate * times
    cycles = (130 * own + 20 * own**2 - np.cos(10 * own)) * factor / rate
    tone = sum(np.sin(2 * np.pi * k * cycles) / k for k in range(1, 21))
    return (0.2 * tone).astype(np.float32)


def quality(stretch: Change, shift: Change, clips: list[Waveform]) -> dict[str, np.ndarray]:
    """The four measures of each kind of change, averaged over clips and settings."""

    def played(clip: Waveform, semitones: float) -> Waveform:
        return soxr.resample(clip, SR * 2 ** (semitones / 12), SR, quality="VHQ")

    tone = gliding_tone()
    results = {
        "stretch": [compare(stretch(x, r), x, r) for x in clips for r in STRETCH_RATES],
        "pitch": [
            compare(shift(x, s), played(x, s), 2 ** (-s / 12)) for x in clips for s in SEMITONES
        ],
        "there and back": [
            compare(stretch(stretch(x, r), 1 / r), x, 1) for x in clips for r in STRETCH_RATES
        ],
        "tone, stretch": [compare(stretch(tone, r), gliding_tone(r), 1) for r in STRETCH_RATES],
        "tone, pitch": [compare(shift(tone, s), gliding_tone(1, s), 1) for s in SEMITONES],
    }
    return {kind: np.mean(measures, axis=0) for kind, measures in results.items()}


def check_quality(tables: dict[str, dict[str, np.ndarray]]) -> None:
    for kind, ours in tables["skser"].items():
        theirs = tables["librosa"][kind]
        for name, mine, their, tolerance in zip(MEASURES, ours, theirs, TOLERANCES, strict=True):
            if not mine <= their + tolerance:
                sys.exit(f"skser is worse than librosa: {kind}, {name}: {mine:.2f}, {their:.2f}")


# --- competitors --------------------------------------------------------------------------------


def fixed(value: float) -> tuple[np.random.Generator, float, float]:
    return np.random.default_rng(0), value, value


def signalsmith(waveform: Waveform, rate: float = 1, semitones: float = 0) -> Waveform:
    import python_stretch

    stretch = python_stretch.Signalsmith.Stretch()
    stretch.preset(1, SR)
    stretch.setTimeFactor(rate)
    stretch.setTransposeSemitones(semitones)
    return stretch.process(waveform[np.newaxis])[0]


METHODS: dict[str, tuple[Change, Change]] = {
    "skser": (
        lambda x, rate: stretch_time(x, SR, *fixed(rate)),
        lambda x, semitones: shift_pitch(x, SR, *fixed(semitones)),
    ),
    "librosa": (
        lambda x, rate: librosa.effects.time_stretch(x, rate=rate),
        lambda x, semitones: librosa.effects.pitch_shift(x, sr=SR, n_steps=semitones),
    ),
    "signalsmith": (
        lambda x, rate: signalsmith(x, rate),
        lambda x, semitones: signalsmith(x, semitones=semitones),
    ),
}


def librosa_warp(waveform: Waveform, speed: float, stretch: float, pitch: float) -> Waveform:
    waveform = librosa.resample(waveform, orig_sr=SR * speed, target_sr=SR)
    waveform = librosa.effects.time_stretch(waveform, rate=stretch)
    return librosa.effects.pitch_shift(waveform, sr=SR, n_steps=pitch)


def signalsmith_warp(waveform: Waveform, speed: float, stretch: float, pitch: float) -> Waveform:
    waveform = librosa.resample(waveform, orig_sr=SR * speed, target_sr=SR)
    return signalsmith(waveform, stretch, pitch)


def drawn_views(
    warp: Callable[[Waveform, float, float, float], Waveform],
) -> Callable[[Waveform], list[Waveform]]:
    """What skser's stage does, with another's speed, stretch and pitch, and skser's draws."""

    def views(clip: Waveform) -> list[Waveform]:
        key = zlib.crc32(clip.tobytes())
        made = [clip]
        for view in range(1, 4):
            rng = np.random.default_rng([0, key, view])
            speed, stretch, pitch = (rng.uniform(*RANGES[n]) for n in ("speed", "stretch", "pitch"))
            waveform = warp(clip, speed, stretch, pitch)
            waveform = shift_time(waveform, SR, rng, *RANGES["shift"])
            waveform = add_noise(waveform, SR, rng, *RANGES["noise"])
            made.append(fix_length(waveform, len(clip)))
        return made

    return views


def audiomentations_views() -> Callable[[Waveform], list[Waveform]]:
    import audiomentations as am

    chain = am.Compose(
        [
            # Without a change of the declared rate, resampling is a change of speed.
            am.Resample(round(SR / RANGES["speed"][1]), round(SR / RANGES["speed"][0]), p=1),
            am.TimeStretch(*RANGES["stretch"], leave_length_unchanged=False, p=1),
            am.PitchShift(*RANGES["pitch"], p=1),
            am.Shift(*RANGES["shift"], "seconds", rollover=False, fade_duration=0, p=1),
            am.AddGaussianSNR(*RANGES["noise"], p=1),
        ]
    )
    return lambda clip: [clip] + [fix_length(chain(clip, SR), len(clip)) for _ in range(3)]


def competitors(peers: list[str]) -> dict[str, Callable[[Waveform], object]]:
    stage = AddViews(4, 0, tuple(RANGES.items()), 3 * SR, None)
    made: dict[str, Callable[[Waveform], object]] = {
        "skser": lambda clip: stage(clip[np.newaxis], SR),
        "librosa": drawn_views(librosa_warp),
    }
    if "python_stretch" in peers:
        made["signalsmith"] = drawn_views(signalsmith_warp)
    if "audiomentations" in peers:
        made["audiomentations"] = audiomentations_views()
    return made


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path, help="recordings, in folders of any depth")
    parser.add_argument("--clips", type=int, default=200, help="to time")
    parser.add_argument("--quality-clips", type=int, default=24)
    arguments = parser.parse_args()

    paths = sorted(p for p in arguments.folder.rglob("*") if p.suffix in {".wav", ".flac"})
    clips = [read_audio(paths[i])[0] for i in spread(len(paths), arguments.clips)]
    peers = []
    for name in ("python_stretch", "audiomentations"):
        if importlib.util.find_spec(name):
            peers.append(name)
        else:
            print(f"{name} is not installed")

    some = [librosa.effects.trim(clip, top_db=40)[0] for clip in clips]
    some = some[:: max(len(some) // arguments.quality_clips, 1)][: arguments.quality_clips]
    names = ["skser", "librosa"] + ["signalsmith"] * ("python_stretch" in peers)
    tables = {name: quality(*METHODS[name], some) for name in names}
    print_table(
        (f"{len(some)} clips", "by", *MEASURES),
        [
            (kind, name, *(f"{measure:.2f}" for measure in tables[name][kind]))
            for kind in tables["skser"]
            for name in names
        ],
    )
    check_quality(tables)

    clips = [fix_length(clip, 3 * SR) for clip in clips]
    chains = competitors(peers)
    print_ratios(f"{len(clips)} clips x 4 views", time_each(chains, clips))
    print(f"\npeak memory {memory()[1] / MIB:.0f} MiB, all of them included")


if __name__ == "__main__":
    with threadpool_limits(1):
        main()
