"""What holds for every waveform: short, silent, quiet or loud."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from skser import Augmenter

from ..audio.samples import noise
from .test_augmenter import ALL, OFF, WAVEFORMS, waveform_clips


@pytest.mark.parametrize("n_samples", [1, 2, 15, 16, 17, 100, 1023, 3000])
@pytest.mark.parametrize("level", [0, 1e-40, 1])
@pytest.mark.parametrize("ranges", [ALL, {**OFF, "pitch": (-24, 24), "stretch": (0.25, 4)}])
def test_silent_and_short_clips(n_samples, level, ranges):
    waveform = (level * noise(n_samples)[:, 0]).astype(np.float32)
    augmenter = Augmenter(n_views=3, random_state=0, **ranges)
    fixed = augmenter.fit_transform(waveform_clips([waveform]))[0]
    assert fixed.shape == (3, n_samples)
    assert np.isfinite(fixed).all()
    assert fixed.any() == waveform.any()
    ragged = augmenter.fit_transform(waveform_clips([waveform, WAVEFORMS[0]]))[0]
    np.testing.assert_array_equal(ragged[0, :n_samples], waveform)
    assert np.isfinite(ragged[:, 0]).all()


WAVEFORM = arrays(
    np.float32,
    st.integers(1, 400),
    elements=st.floats(-1000, 1000, width=32),
)


@pytest.mark.filterwarnings("ignore:waveforms must have floats")  # any numbers
@settings(max_examples=50, deadline=None, derandomize=True)
@given(
    waveform=WAVEFORM,
    seed=st.integers(0, 2**32 - 1),
    name=st.sampled_from([*ALL, "all"]),
)
def test_output_is_finite(waveform, seed, name):
    extreme = {
        "noise": (-20, 100),
        "pitch": (-24, 24),
        "stretch": (0.25, 4),
        "speed": (0.25, 4),
        "shift": (-1, 1),
    }
    ranges = extreme if name == "all" else {**OFF, name: extreme[name]}
    views = Augmenter(n_views=2, random_state=seed, **ranges).fit_transform([waveform])[0]
    assert views.shape == (2, len(waveform))
    assert np.isfinite(views).all()
    np.testing.assert_array_equal(views[0], waveform)
