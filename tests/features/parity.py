"""How features are compared with librosa's."""

import numpy as np

# Both compute in float32 but not in the same order. Values near 0 are differences of large ones,
# so they are held to the scale of the feature: MFCC and contrast in dB, chroma and tonnetz to 1.
ATOL = {
    "mfcc": 1e-3,
    "mel": 1e-9,
    "contrast": 1e-2,
    "chroma": 1e-5,
    # In near silence beside loud speech, rounding of the latter is what there is to divide.
    "chroma_cqt": 1e-3,
    "tonnetz": 1e-3,
    "flatness": 1e-6,
    "pitch": 1e-6,
}
RTOL = 2e-4
FRAMES = [(16000, 1024, 256), (22050, 2048, 512), (16000, 2048, 512), (22050, 1024, 256)]


def assert_parity(features, reference, name):
    """Features of the block ``name`` are librosa's, NaN where librosa has NaN."""
    assert features.dtype == np.float32
    if name == "rolloff":  # names a bin of the STFT: no tolerance
        np.testing.assert_array_equal(features, reference.astype(np.float32))
    else:
        np.testing.assert_allclose(features, reference, rtol=RTOL, atol=ATOL.get(name, 0))
