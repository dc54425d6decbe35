"""AudioLoader: recordings in, lazy Clips out, after the header of every file has been checked."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
from sklearn.base import BaseEstimator, TransformerMixin

from ._checks import check_labels
from ._reading import ClipReader
from ._recordings import (
    Silence,
    as_recordings,
    combine_errors,
    inspect_recording,
    list_errors,
)
from ._validation import NONE, check_parameters, integer, number, one_of
from .clips import Clips
from .exceptions import AudioError, AudioWarning, DataError

__all__ = ["AudioLoader"]


class AudioLoader(TransformerMixin, BaseEstimator, auto_wrap_output_keys=None):  # type: ignore[call-arg]
    """Load recordings as clips of one sampling rate and, usually, one length.

    The result is lazy: `transform` checks the header of every file, and each waveform is decoded
    when the next step asks for it. The order is: decode from ``offset``, mix down, resample,
    trim, crop, normalise, pad.

    Parameters
    ----------
    sr : int, default=16000
        Sampling rate of the clips in Hz, in [4000, 192000].
    duration : float or None, default=3.0
        Length of the clips in seconds; longer ones are cropped. None keeps them whole.
    offset : float, default=0.0
        Where to start in each recording, in seconds.
    pad : {"end", "both", "repeat"} or None, default="end"
        How clips shorter than ``duration`` get there: zeros at the end, zeros at both ends, or
        the clip again and again. None leaves them short.
    trim_db : float or None, default=None
        Drop leading and trailing parts that are this many dB below the loudest, as
        `librosa.effects.trim` does. None drops nothing.
    normalize : {"peak", "rms"} or None, default=None
        Scale each clip to a peak of 1, or to a root mean square of 0.1 (-20 dB). None keeps the
        level, which says something about emotion.
    max_duration : float or None, default=600.0
        Longer recordings are refused, in seconds: they are no clips. None allows any.
    on_error : {"raise", "silence"}, default="raise"
        What a recording that cannot be used gets: an error that lists up to ten such files, or
        silence in its place and one warning that lists them.

    See Also
    --------
    skser.datasets.check_audio : A table of what is wrong with which file.
    skser.read_audio : Decode one recording.

    Notes
    -----
    Paths may be in a list, tuple, array or pandas Series. Recordings may also be file-like
    objects or bytes, or waveforms at ``sr``: a 2-D array or a list of 1-D arrays.

    Examples
    --------
    >>> import numpy as np
    >>> from skser import AudioLoader
    >>> noise = np.random.default_rng(0).normal(size=20000)
    >>> clips = AudioLoader(sr=16000, duration=1.0).transform([noise, noise[:5000]])
    >>> clips
    <2 clips of 16000 samples at 16000 Hz>
    >>> clips[0].shape
    (1, 16000)
    """

    _allowed = {
        "sr": [integer(4000, 192_000)],
        "duration": [number(0.001), NONE],
        "offset": [number(0)],
        "pad": [one_of("end", "both", "repeat"), NONE],
        "trim_db": [number(0, open_low=True), NONE],
        "normalize": [one_of("peak", "rms"), NONE],
        "max_duration": [number(0, open_low=True), NONE],
        "on_error": [one_of("raise", "silence")],
    }

    def __init__(
        self,
        sr: int = 16000,
        duration: float | None = 3.0,
        offset: float = 0.0,
        pad: str | None = "end",
        trim_db: float | None = None,
        normalize: str | None = None,
        max_duration: float | None = 600.0,
        on_error: str = "raise",
    ) -> None:
        self.sr = sr
        self.duration = duration
        self.offset = offset
        self.pad = pad
        self.trim_db = trim_db
        self.normalize = normalize
        self.max_duration = max_duration
        self.on_error = on_error

    def fit(self, X: Any, y: Any = None) -> AudioLoader:
        """Check the parameters and the labels; nothing is learnt.

        A pipeline's labels are checked here because its last step sees them only when all
        features are there.

        Parameters
        ----------
        X : sequence of recordings or waveforms
            Not read.
        y : array of shape (n_clips,) or None, default=None
            Labels.

        Returns
        -------
        self : AudioLoader

        Raises
        ------
        DataError
            There is not one label for each recording, or names of one class only.
        """
        check_parameters(self)
        if y is not None:
            labels = np.asarray(y)
            if np.ndim(labels) > 0 and hasattr(X, "__len__") and len(labels) != len(X):
                raise DataError(
                    f"y must have a label for each clip: {len(X)} clips, {len(labels)} labels"
                )
            if labels.dtype.kind in "OUST":
                check_labels(labels, len(labels))
        return self

    def transform(self, X: Any) -> Clips:
        """Check every recording's header and return lazy clips.

        Parameters
        ----------
        X : sequence of recordings or waveforms
            Paths, file-like objects, bytes, or waveforms at ``sr``.

        Returns
        -------
        clips : Clips
            One clip for each recording.

        Raises
        ------
        AudioError
            Recordings that cannot be used, unless ``on_error="silence"``.
        DataError
            ``X`` is no sequence of recordings.
        """
        check_parameters(self)
        reader = ClipReader(
            sr=self.sr,
            duration=self.duration,
            offset=self.offset,
            pad=self.pad,
            trim_db=self.trim_db,
            normalize=self.normalize,
        )
        return Clips(
            self._sources(as_recordings(X)),
            reader,
            sr=self.sr,
            n_samples=reader.n_samples,
            max_samples=reader.max_samples,
            silence=reader.silence() if self.on_error == "silence" else None,
        )

    def _sources(self, recordings: list[Any]) -> list[Any]:
        sources: list[Any] = []
        errors: list[AudioError] = []
        for i, recording in enumerate(recordings):
            try:
                if isinstance(recording, np.ndarray):
                    sources.append(self._check_waveform(recording, i))
                    continue
                sources.append(
                    inspect_recording(recording, offset=self.offset, max_duration=self.max_duration)
                )
            except AudioError as error:
                sources.append(Silence())
                errors.append(error)
        if errors and self.on_error == "raise":
            raise combine_errors(errors, len(recordings))
        if errors:
            warnings.warn(
                f"silence in place of {list_errors(errors, len(recordings))}",
                AudioWarning,
                stacklevel=3,
            )
        return sources

    def _check_waveform(self, waveform: np.ndarray, index: int) -> np.ndarray:
        duration = len(waveform) / self.sr
        if self.max_duration is not None and duration > self.max_duration:
            raise AudioError(
                f"waveform {index}: is {duration:.1f} s long, allowed is "
                f"max_duration={self.max_duration:g} s"
            )
        if int(self.offset * self.sr) >= len(waveform):
            raise AudioError(
                f"waveform {index}: is {duration:.2f} s long, so nothing is left from "
                f"offset={self.offset:g} s"
            )
        return waveform

    def get_feature_names_out(self, input_features: Any = None) -> Any:
        """Names of the inputs as they are: clips have no columns.

        Parameters
        ----------
        input_features : array of str or None, default=None
            Names.

        Returns
        -------
        input_features : array of str or None
        """
        return input_features

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.two_d_array = False
        tags.input_tags.string = True
        tags.requires_fit = False
        return tags
