"""Clips and their saliency."""

import io
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
from matplotlib.figure import Figure
from numpy.testing import assert_allclose, assert_array_equal

from skser import Segment
from skser.inspection import Saliency
from skser.plotting import ClipDisplay, SaliencyDisplay
from tests.evaluations import noises, quick_pipeline

from .drawn import texts

SPEECH = noises()


def test_saliency(ax):
    values = np.zeros((50, 16))
    values[10, 3] = 0.2
    names = np.array([f"mel_{i}" for i in range(16)])
    result = Saliency(values, np.arange(50) * 0.02, names, "calm", 0.8)
    display = SaliencyDisplay(result).plot(ax=ax)
    assert_array_equal(display.image_.get_array(), values.T)
    assert display.image_.get_extent()[1] == pytest.approx(1.0)
    assert ax.get_title() == "calm 0.80"


def test_clip():
    seconds = np.arange(16000) / 16000
    probabilities = pd.Series({"angry": 0.2, "calm": 0.8})
    waveform = np.sin(2 * np.pi * 1000 * seconds)
    display = ClipDisplay(waveform, 16000, probabilities).plot(figure=Figure())
    wave, spectrogram, cepstrum, bars = display.axes_
    assert wave.get_xlim() == (0, 1)
    image = spectrogram.images[0]
    assert image.get_extent() == [0, 1, 0, 8000]
    # The tone is where it belongs.
    loudest = np.asarray(image.get_array()).mean(axis=1).argmax()
    assert loudest / (len(image.get_array()) - 1) * 8000 == pytest.approx(1000, abs=20)
    assert cepstrum.get_ylabel() == "MFCC"
    assert texts(bars) == ["0.20", "0.80"]


def test_clip_of_a_recording_and_a_pipeline(tmp_path):
    import soundfile

    soundfile.write(tmp_path / "a.wav", SPEECH.waveforms[0], 16000)
    figure = Figure()
    assert len(ClipDisplay.from_recording(tmp_path / "a.wav", figure=figure).axes_) == 3
    fitted = quick_pipeline().fit(SPEECH.waveforms, SPEECH.target)
    display = ClipDisplay.from_estimator(fitted, tmp_path / "a.wav", figure=Figure())
    assert_allclose(
        display.probabilities, fitted.predict_proba([str(tmp_path / "a.wav")])[0], rtol=1e-6
    )


def test_clip_of_a_recording_in_any_form(tmp_path):
    import soundfile

    waveform = SPEECH.waveforms[0]
    soundfile.write(tmp_path / "a.wav", waveform, 16000, subtype="FLOAT")
    fitted = quick_pipeline().fit(SPEECH.waveforms, SPEECH.target)
    content = (tmp_path / "a.wav").read_bytes()
    expected = ClipDisplay.from_estimator(fitted, tmp_path / "a.wav", sr=8000, figure=Figure())
    for recording in (
        io.BytesIO(content),
        (waveform, 16000),
        {"path": None, "bytes": content},
        Segment(tmp_path / "a.wav", 0.0),
        waveform,  # at the rate of the loader, whatever that of the picture
        SimpleNamespace(read=iter([content]).__next__),  # can be read once
    ):
        display = ClipDisplay.from_estimator(fitted, recording, sr=8000, figure=Figure())
        assert_array_equal(display.waveform, expected.waveform)
        assert_array_equal(display.probabilities, expected.probabilities)
    for recording in ((waveform, 16000), io.BytesIO(content)):
        display = ClipDisplay.from_recording(recording, sr=8000, figure=Figure())
        assert_array_equal(display.waveform, expected.waveform)
