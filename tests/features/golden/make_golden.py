"""Make golden.npz: what librosa, and not skser, gives for a synthetic waveform.

Run ``python tests/features/golden/make_golden.py`` after a change of librosa that is wanted. The
tests compare skser with these stored values and with the librosa that is installed: if only the
first comparison fails, it is librosa that has changed.
"""

import warnings
from pathlib import Path

import librosa
import numpy as np
import scipy.signal

GOLDEN = Path(__file__).with_name("golden.npz")
SR, N_FFT, HOP_LENGTH = 16000, 1024, 256
SECONDS = 0.5


def speechlike(sr=SR, seconds=1.0, seed=0):
    """Voiced, fricative and quiet stretches in turn, over faint noise; float32."""
    rng = np.random.default_rng(seed)
    time = np.arange(int(sr * seconds)) / sr
    f0 = 140 + 40 * np.sin(2 * np.pi * 1.3 * time) + 10 * np.sin(2 * np.pi * 5 * time)
    pulses = np.diff(np.floor(np.cumsum(f0) / sr), prepend=0.0)
    voiced = pulses + 0.02 * rng.normal(size=time.size)
    for formant, width in ((650, 90), (1250, 120), (2600, 180)):
        radius = np.exp(-np.pi * width / sr)
        pole = [1, -2 * radius * np.cos(2 * np.pi * formant / sr), radius**2]
        voiced = scipy.signal.lfilter([1], pole, voiced)
    fricative = scipy.signal.lfilter([1, -0.9], [1], rng.normal(size=time.size))
    part = (time / 0.12).astype(int) % 4
    waveform = np.where(part < 2, voiced / np.abs(voiced).max(), 0.05 * fricative)
    waveform = np.where(part == 3, 0.0, waveform) + 1e-3 * rng.normal(size=time.size)
    return (0.4 * waveform).astype(np.float32)


def references(waveform, sr=SR, n_fft=N_FFT, hop_length=HOP_LENGTH):
    """Values of every default block by librosa, (n_bins, n_frames) each."""
    with warnings.catch_warnings():
        # librosa says so of the low octaves of short clips.
        warnings.filterwarnings("ignore", message="n_fft=.* is too large for input signal")
        chroma_cqt = librosa.feature.chroma_cqt(y=waveform, sr=sr, hop_length=hop_length)
        tonnetz = librosa.feature.tonnetz(y=waveform, sr=sr, hop_length=hop_length)
    feature = librosa.feature
    framed = {"y": waveform, "n_fft": n_fft, "hop_length": hop_length}
    stft = {**framed, "sr": sr}
    f0, _, voicing = librosa.pyin(
        waveform, sr=sr, fmin=65, fmax=500, frame_length=2048, hop_length=hop_length
    )
    return {
        "mfcc": feature.mfcc(**stft, n_mfcc=40),
        "mel": feature.melspectrogram(**stft),
        "chroma": feature.chroma_stft(**stft),
        "chroma_cqt": chroma_cqt,
        "contrast": feature.spectral_contrast(**stft),
        "tonnetz": tonnetz,
        "zcr": feature.zero_crossing_rate(waveform, frame_length=n_fft, hop_length=hop_length),
        "rms": feature.rms(y=waveform, frame_length=n_fft, hop_length=hop_length),
        "rolloff": feature.spectral_rolloff(**stft),
        "centroid": feature.spectral_centroid(**stft),
        "bandwidth": feature.spectral_bandwidth(**stft),
        "flatness": feature.spectral_flatness(**framed),
        "pitch": np.stack([f0, voicing]),
    }


def main():
    values = references(speechlike(seconds=SECONDS))
    np.savez_compressed(GOLDEN, **{name: v.astype(np.float32) for name, v in values.items()})
    print(f"{GOLDEN.name}: {GOLDEN.stat().st_size / 1000:.1f} kB, librosa {librosa.__version__}")


if __name__ == "__main__":
    main()
