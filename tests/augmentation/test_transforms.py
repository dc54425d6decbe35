import librosa
import numpy as np
import pytest

from skser.augmentation import add_noise, change_speed, shift_pitch, shift_time, stretch_time
from skser.augmentation._transforms import TRANSFORMS, warp

from ..audio.samples import frequency_of, noise, tone

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
    assert measured == pytest.approx(semitones, abs=0.03)
    assert middle(shifted).std() == pytest.approx(0.5 / np.sqrt(2), rel=0.02)


@pytest.mark.parametrize("semitones", [-4, -1, 2, 5])
def test_pitch_of_a_voice(semitones):
    voice = sum(tone(150 * k, SR, 2, 0.3 / k) for k in range(1, 8))
    shifted = shift_pitch(voice, SR, rng(), semitones, semitones)
    before, after = (
        np.median(librosa.yin(middle(y), fmin=80, fmax=400, sr=SR)) for y in (voice, shifted)
    )
    assert 12 * np.log2(after / before) == pytest.approx(semitones, abs=0.05)


@pytest.mark.parametrize("rate", [0.5, 0.9, 1, 1.25])
def test_stretch_keeps_the_pitch(rate):
    stretched = stretch_time(tone(300, SR, 2), SR, rng(), rate, rate)
    assert len(stretched) == round(2 * SR / rate)
    assert frequency_of(middle(stretched), SR) == pytest.approx(300, rel=0.002)
    assert middle(stretched).std() == pytest.approx(0.5 / np.sqrt(2), rel=0.02)


@pytest.mark.parametrize("rate", [0.5, 0.9, 1, 1.25])
def test_speed_changes_the_pitch(rate):
    faster = change_speed(tone(300, SR, 2), SR, rng(), rate, rate)
    assert len(faster) == np.ceil(2 * SR / rate)
    assert frequency_of(middle(faster), SR) == pytest.approx(300 * rate, rel=0.001)
    assert middle(faster).std() == pytest.approx(0.5 / np.sqrt(2), rel=0.01)


@pytest.mark.parametrize("speed", [0.8, 1, 1.2])
@pytest.mark.parametrize("stretch", [0.8, 1, 1.3])
@pytest.mark.parametrize("pitch", [-3, 0, 2])
def test_warp_does_all_in_one_pass(speed, stretch, pitch):
    voice = tone(300, SR, 1)
    warped = warp(voice, SR, speed=speed, stretch=stretch, pitch=pitch)
    one_by_one = warp(warp(warp(voice, SR, speed=speed), SR, stretch=stretch), SR, pitch=pitch)
    assert len(warped) == len(one_by_one) == round(np.ceil(SR / speed) / stretch)
    expected = 300 * speed * 2 ** (pitch / 12)
    assert frequency_of(middle(warped), SR) == pytest.approx(expected, rel=0.002)
    assert middle(warped).std() == pytest.approx(middle(one_by_one).std(), rel=0.02)


def test_warp_changes_nothing_unless_told():
    voice = tone(300, SR, 1)
    np.testing.assert_array_equal(warp(voice, SR), voice)


@pytest.mark.parametrize("n_samples", [1, 3, 100])
@pytest.mark.parametrize("name", ["speed", "stretch", "pitch"])
@pytest.mark.parametrize("strength", [0.25, 4])
def test_length_of_short_waveforms(n_samples, name, strength):
    made = TRANSFORMS[name](np.ones(n_samples, np.float32), SR, rng(), strength, strength)
    lengths = {
        "speed": np.ceil(n_samples / strength),
        "stretch": max(round(n_samples / strength), 1),
        "pitch": n_samples,
    }
    assert len(made) == lengths[name]
    assert made.any()


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
