"""The log-mel spectrogram that Whisper was trained on, without its padding to 30 seconds."""

from __future__ import annotations

import numpy as np

from ..features import Spectra

SR = 16000
N_FFT, HOP_LENGTH = 400, 160
# The margins are whole hops, so that frames inside them do not move.
_MARGIN = 2 * HOP_LENGTH
_AMIN, _DECADES = 1e-10, 8.0  # floor of the power, absolute and below the loudest


def log_mel(waveform: np.ndarray, n_mels: int) -> np.ndarray:
    """Log-mel spectrogram (n_mels, n_frames) of a waveform at 16 kHz, 100 frames a second.

    Power in Slaney's bands; decimal logarithm, at most eight decades below the loudest; scaled to
    ``(x + 4) / 4``. The ends are reflected, and the last frame is left out.
    """
    if len(waveform) < N_FFT:
        waveform = np.pad(waveform, (0, N_FFT - len(waveform)))
    n_frames = len(waveform) // HOP_LENGTH
    padded = np.pad(waveform, _MARGIN, mode="reflect")
    mel = Spectra(padded, SR, N_FFT, HOP_LENGTH, np.float32).mel(n_mels, 0.0, None)
    first = _MARGIN // HOP_LENGTH
    bels = np.log10(np.maximum(mel[:, first : first + n_frames], np.float32(_AMIN)))
    return (np.maximum(bels, bels.max() - np.float32(_DECADES)) + np.float32(4)) / np.float32(4)
