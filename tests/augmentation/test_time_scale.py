from itertools import product

import librosa
import numpy as np
import pytest

from skser.augmentation._time_scale import play_at, stretch

from ..audio.samples import frequency_of, noise, tone

SR = 16000
RATES = [0.5, 0.8, 0.93, 1.07, 1.25, 2.0]


def stretched(waveform, rate, sr=SR):
    return stretch(waveform, sr, rate, round(len(waveform) / rate))


def resampled(waveform, rate):
    return play_at(waveform, rate, int(np.ceil(len(waveform) / rate)))


def middle(waveform):
    return waveform[len(waveform) // 8 : -len(waveform) // 8]


def gliding_tone(rate=1.0):
    """Ten harmonics from 120 Hz to 200 Hz in 2 s, stretched exactly."""
    times = rate * np.arange(round(2 * SR / rate)) / SR
    cycles = (120 * times + 20 * times**2) / rate
    return sum(0.2 / k * np.sin(2 * np.pi * k * cycles) for k in range(1, 11)).astype(np.float32)


def in_cents(measured, expected):
    return 1200 * np.log2(measured / expected)


def tone_and_rest(waveform, frequency):
    """Levels of a tone, and of all that is not that tone, in dB of a full tone."""
    angles = 2 * np.pi * frequency / SR * np.arange(len(waveform))
    parts = np.stack([np.sin(angles), np.cos(angles)], axis=1)
    amplitudes, *_ = np.linalg.lstsq(parts, waveform.astype(float))
    rest = waveform - parts @ amplitudes
    return 20 * np.log10(np.hypot(*amplitudes) + 1e-9), 10 * np.log10(2 * np.mean(rest**2))


# --- stretch --------------------------------------------------------------------------------


@pytest.mark.parametrize("rate", [0.25, *RATES, 4.0])
@pytest.mark.parametrize("sr", [4000, 16000, 48000])
def test_stretch_keeps_frequency_and_level(rate, sr):
    made = stretched(tone(300, sr, 2), rate, sr)
    assert len(made) == round(2 * sr / rate)
    assert made.dtype == np.float32
    assert in_cents(frequency_of(middle(made), sr), 300) == pytest.approx(0, abs=6)
    assert middle(made).std() == pytest.approx(0.5 / np.sqrt(2), rel=0.05)


@pytest.mark.parametrize("rate", RATES)
def test_stretch_of_a_gliding_voice(rate):
    made, exact = stretched(gliding_tone(), rate), gliding_tone(rate)
    ours, theirs = (middle(librosa.yin(y, fmin=80, fmax=400, sr=SR)) for y in (made, exact))
    assert np.abs(in_cents(ours, theirs)).mean() < 6
    levels = [
        librosa.power_to_db(
            librosa.feature.melspectrogram(y=middle(y), sr=SR, n_fft=512), top_db=60
        )
        for y in (made, exact)
    ]
    assert np.abs(levels[0] - levels[1]).mean() < 1


def test_most_samples_of_a_stretch_are_those_of_the_waveform():
    waveform = noise(SR)[:, 0].astype(np.float32)
    np.testing.assert_array_equal(stretched(waveform, 1), waveform)
    assert np.isin(stretched(waveform, 1.1), waveform).mean() > 0.7


@pytest.mark.parametrize("rate", RATES)
def test_stretch_keeps_a_constant(rate):
    made = stretched(np.full(SR, 0.3, np.float32), rate)
    np.testing.assert_array_equal(made[: -SR // 50], np.float32(0.3))


@pytest.mark.parametrize("rate", [0.8, 0.9, 1.1, 1.25])
def test_stretch_doubles_no_click(rate):
    for seed in range(20):
        waveform = (0.005 * noise(SR, seed=seed)[:, 0]).astype(np.float32)
        waveform[4000 + 137 * seed] = 1
        clicks = np.flatnonzero(np.abs(stretched(waveform, rate)) > 0.3)
        assert len(clicks) <= 1
        assert clicks == pytest.approx((4000 + 137 * seed) / rate, abs=0.015 * SR)


@pytest.mark.parametrize("rate", [0.8, 0.9, 1.1, 1.25])
def test_stretch_keeps_bursts_in_their_places(rate):
    """Bursts of 40 ms: each is there, once, about as long as it should be."""
    gate = np.tile(np.repeat([0, 1], [3360, 640]), 8)
    made = stretched(gate * tone(2000, SR, 2), rate)
    loud = np.convolve(made**2, np.ones(80) / 80, mode="same") > 0.03
    edges = np.flatnonzero(np.diff(loud.astype(int)))
    expected = 4000 * np.arange(8)[:, np.newaxis] + [3360, 4000]
    np.testing.assert_allclose(edges, expected.ravel()[: len(edges)] / rate, atol=0.012 * SR)
    assert len(edges) >= 15  # the last burst may end with the waveform


@pytest.mark.parametrize("rate", [0.25, 0.9, 1.1, 4.0])
def test_stretch_of_noise_keeps_most_of_its_level(rate):
    waveform = noise(2 * SR)[:, 0].astype(np.float32)
    made = stretched(waveform, rate)
    assert 20 * np.log10(made.std() / waveform.std()) == pytest.approx(0, abs=1.5)


# --- resample -------------------------------------------------------------------------------


@pytest.mark.parametrize("rate", [0.25, *RATES, 4.0])
@pytest.mark.parametrize("frequency", [100, 1000, 3500, 6500])
def test_resample_is_exact_in_the_band(rate, frequency):
    made = middle(resampled(tone(frequency, SR, 1, 1.0), rate))
    if frequency < SR / 2 * (1 / max(rate, 1) - 0.16):  # below the low-pass filter's slope
        level, rest = tone_and_rest(made, rate * frequency)
        assert level == pytest.approx(0, abs=0.01)
        assert rest < -80
    elif rate * frequency > SR / 2:  # it must not fold back into the band
        assert 10 * np.log10(2 * np.mean(made**2)) < -80


@pytest.mark.parametrize("rate", RATES)
def test_resample_agrees_with_soxr(rate):
    import soxr

    rough = noise(SR)[:, 0].astype(np.float32)
    waveform = np.convolve(rough, np.blackman(48), mode="same").astype(np.float32)  # < 1 kHz
    theirs = middle(soxr.resample(waveform, SR * rate, SR, quality="VHQ"))
    ours = middle(resampled(waveform, rate))
    error = np.sqrt(np.mean((ours[: len(theirs)] - theirs) ** 2)) / theirs.std()
    assert 20 * np.log10(error) < -60


@pytest.mark.parametrize("rate", [0.25, *RATES, 16.0])
def test_resample_keeps_a_constant(rate):
    made = resampled(np.full(SR, 0.3, np.float32), rate)
    np.testing.assert_allclose(middle(made), 0.3, rtol=1e-5)


# --- both -----------------------------------------------------------------------------------


def test_short_waveforms():
    for n_samples, rate, sr in product(
        (1, 2, 79, 80, 81, 400), (1 / 16, 0.25, 1.1, 4, 16), (1, 4000, 16000)
    ):
        case = f"n_samples={n_samples}, rate={rate}, sr={sr}"
        waveform = noise(n_samples)[:, 0].astype(np.float32)
        before = waveform.copy()
        for length in (1, round(n_samples / rate) + 3):
            for made in (stretch(waveform, sr, rate, length), play_at(waveform, rate, length)):
                assert made.shape == (length,), case
                assert made.dtype == np.float32, case
                assert np.isfinite(made).all(), case
                assert made.any(), case
        np.testing.assert_array_equal(waveform, before, case)


def test_silence_stays_silent():
    silence = np.zeros(4000, np.float32)
    assert not stretched(silence, 0.9).any()
    assert not resampled(silence, 0.9).any()
