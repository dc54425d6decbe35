import librosa
import numpy as np
import pytest

from skser.transforms import (
    TRANSFORMS,
    add_noise,
    change_speed,
    shift_pitch,
    shift_time,
    stretch_time,
)

from .audio_samples import frequency_of, noise, tone

SR = 16000
RANGES = {
    "noise": (10, 20),
    "pitch": (-2, 2),
    "stretch": (0.8, 1.2),
    "speed": (0.8, 1.2),
    "shift": (-0.1, 0.1),
}


def rng(seed=0):
    return np.random.default_rng(seed)


def middle(waveform):
    return waveform[len(waveform) // 8 : -len(waveform) // 8]


@pytest.mark.parametrize("snr", [-10, 0, 20, 40])
def test_noise_level(snr):
    clean = tone(300, SR, 4)
    added = add_noise(clean, SR, rng(), snr, snr).astype(float) - clean
    assert 10 * np.log10(np.mean(clean**2) / np.mean(added**2)) == pytest.approx(snr, abs=0.1)
    spectrum = np.abs(np.fft.rfft(added)) ** 2
    quarters = [part.mean() for part in np.array_split(spectrum, 4)]
    assert max(quarters) < 1.1 * min(quarters)  # white
    assert abs(added.mean()) < 0.01 * added.std() + 1e-4


@pytest.mark.parametrize("semitones", [-5, -2, 0, 2, 7])
def test_pitch(semitones):
    clean = tone(300, SR, 2)
    shifted = shift_pitch(clean, SR, rng(), semitones, semitones)
    assert len(shifted) == len(clean)
    measured = 12 * np.log2(frequency_of(middle(shifted), SR) / 300)
    assert measured == pytest.approx(semitones, abs=0.05)


def test_pitch_of_a_voice():
    voice = sum(tone(150 * k, SR, 2, 0.3 / k) for k in range(1, 8))
    shifted = shift_pitch(voice, SR, rng(), 2, 2)
    f0 = librosa.yin(middle(shifted), fmin=80, fmax=400, sr=SR)
    assert 12 * np.log2(np.median(f0) / 150) == pytest.approx(2, abs=0.3)


@pytest.mark.parametrize("rate", [0.5, 0.9, 1, 1.25])
def test_stretch_keeps_the_pitch(rate):
    stretched = stretch_time(tone(300, SR, 2), SR, rng(), rate, rate)
    assert len(stretched) == pytest.approx(2 * SR / rate, abs=1)
    assert frequency_of(middle(stretched), SR) == pytest.approx(300, rel=0.003)
    # A phase vocoder loses some of the level of a tone.
    assert middle(stretched).std() == pytest.approx(0.5 / np.sqrt(2), rel=0.2)


@pytest.mark.parametrize("rate", [0.5, 0.9, 1, 1.25])
def test_speed_changes_the_pitch(rate):
    faster = change_speed(tone(300, SR, 2), SR, rng(), rate, rate)
    assert len(faster) == pytest.approx(2 * SR / rate, abs=1)
    assert frequency_of(middle(faster), SR) == pytest.approx(300 * rate, rel=0.001)
    assert middle(faster).std() == pytest.approx(0.5 / np.sqrt(2), rel=0.01)


@pytest.mark.parametrize(
    ("seconds", "expected"),
    [
        (0, [1, 2, 3, 4]),
        (1, [0, 1, 2, 3]),
        (3, [0, 0, 0, 1]),
        (4, [0] * 4),
        (99, [0] * 4),
        (-1, [2, 3, 4, 0]),
        (-99, [0] * 4),
    ],
)
def test_shift(seconds, expected):
    np.testing.assert_array_equal(
        shift_time(np.array([1, 2, 3, 4]), 1, rng(), seconds, seconds), expected
    )


@pytest.mark.parametrize("name", TRANSFORMS)
def test_strength_is_drawn_from_the_range(name):
    """Draws differ, and each is what the transform with that very strength gives."""
    low, high = RANGES[name]
    transform, waveform = TRANSFORMS[name], noise(4000)[:, 0].astype(np.float32)
    before = waveform.copy()
    made = [transform(waveform, SR, rng(seed), low, high) for seed in range(3)]
    assert len({views.tobytes() for views in made}) == 3
    for seed, ours in enumerate(made):
        strength = rng(seed).uniform(low, high)
        fixed = transform(waveform, SR, rng(seed), strength, strength)
        np.testing.assert_array_equal(ours, fixed)
        assert ours.dtype == np.float32
    np.testing.assert_array_equal(waveform, before)
