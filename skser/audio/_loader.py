"""AudioLoader: check the headers of recordings and load them as lazy Clips."""

from __future__ import annotations

import warnings
from collections.abc import Sized
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike
from sklearn.base import BaseEstimator
from sklearn.utils import Tags
from sklearn.utils.validation import _num_samples

from .._utils._labels import check_any_targets
from .._utils._param_validation import NONE, check_parameters, integer, number, one_of
from .._utils._set_output import ClipsTransformer
from .._utils._types import Recordings
from ..exceptions import AudioError, AudioWarning
from ._channels import CHANNEL, mixed_waveform
from ._clip_reader import ClipReader
from ._clips import Clips
from ._forms import as_recordings, have_rates, warn_of_rate
from ._per_file import PerFile
from ._recordings import AnyRecording, ClipSource, check_length, combine_errors, inspect_recording
from ._sampled import Waveform

__all__ = ["AudioLoader"]


class AudioLoader(ClipsTransformer, BaseEstimator):
    """Load recordings as clips of one sampling rate and, usually, one length.

    `transform` checks the header of every file and decodes nothing. The next step decodes each
    clip when it needs it: from ``offset``, one channel, resampled, trimmed, cropped, normalised
    and padded, in this order.

    Parameters
    ----------
    sr : int, default=16000
        Sampling rate of the clips in Hz, in [4000, 192000].
    duration : float or None, default=3.0
        Length to which clips are cropped, in seconds. None keeps them whole.
    offset : float, default=0.0
        Start in each recording, in seconds.
    pad : {"end", "both", "repeat"} or None, default="end"
        How to lengthen clips shorter than ``duration``: with zeros at the end or at both ends, or
        by repeating the clip. None leaves them short.
    trim_db : float or None, default=None
        Level in dB below the loudest frame under which leading and trailing frames are dropped, as
        by `librosa.effects.trim`. None drops nothing.
    normalize : {"peak", "rms"} or None, default=None
        Scale each clip to a peak of 1, or to a root mean square of 0.1 (-20 dB). None keeps the
        level, which carries emotion.
    max_duration : float or None, default=600.0
        Longest recording that is accepted, in seconds. None accepts any.
    on_error : {"raise", "silence"}, default="raise"
        How to handle unusable recordings: raise an error that lists up to ten, or put silence in
        their place and warn once, with the same list.
    channel : "mean" or int, default="mean"
        Read the mean of the channels, or one of them, counted from 0. Where channels cancel in
        their mean, one of them is read, with a warning.

    See Also
    --------
    skser.datasets.check_audio : List the faults of recordings in a table.
    skser.read_audio : Decode a recording.

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
        "channel": list(CHANNEL),
    }

    def __init__(
        self,
        *,
        sr: int = 16000,
        duration: float | None = 3.0,
        offset: float = 0.0,
        pad: Literal["end", "both", "repeat"] | None = "end",
        trim_db: float | None = None,
        normalize: Literal["peak", "rms"] | None = None,
        max_duration: float | None = 600.0,
        on_error: Literal["raise", "silence"] = "raise",
        channel: int | Literal["mean"] = "mean",
    ) -> None:
        self.sr = sr
        self.duration = duration
        self.offset = offset
        self.pad = pad
        self.trim_db = trim_db
        self.normalize = normalize
        self.max_duration = max_duration
        self.on_error = on_error
        self.channel = channel

    def fit(self, X: Recordings, y: ArrayLike | None = None) -> AudioLoader:
        """Check the parameters, and the labels before the long extraction of features.

        Parameters
        ----------
        X : sequence of recordings or waveforms
            Not read; it is noted whether they have sampling rates of their own.
        y : array of shape (n_clips,) or None, default=None
            Labels.

        Returns
        -------
        self : AudioLoader
            The step itself.

        Raises
        ------
        DataError
            The number of labels and recordings differ, or there is only one class.
        ParameterError
            A parameter has a value that is not allowed.
        """
        check_parameters(self)
        if y is not None:
            is_many = isinstance(X, Sized) and not isinstance(X, (str, bytes))
            check_any_targets(y, len(X) if is_many else _num_samples(y))
        self.knows_rates_ = have_rates(X, self.sr)
        return self

    def transform(self, X: Recordings) -> Clips:
        """Check the header of every recording and return lazy clips.

        Parameters
        ----------
        X : sequence of recordings or waveforms
            Paths, bytes, file-like objects, :class:`Segment`; waveforms with their rate, as
            ``(waveform, sr)`` or ``(sr, waveform)``; rows of a Hugging Face dataset; clips; or
            waveforms at ``sr``.

        Returns
        -------
        clips : Clips
            One clip for each recording.

        Raises
        ------
        AudioError
            A recording is unusable, and ``on_error="raise"``.
        DataError
            ``X`` is not a sequence of recordings.
        ParameterError
            A parameter has a value that is not allowed.
        """
        check_parameters(self)
        reader = ClipReader.of(self)
        recordings = as_recordings(X)
        warn_of_rate(self, recordings, stacklevel=3)
        return Clips(
            self._sources(recordings),
            reader,
            sr=self.sr,
            n_samples=reader.n_samples,
            max_samples=reader.max_samples,
            silence=reader.silence() if self.on_error == "silence" else None,
        )

    def _sources(self, recordings: list[AnyRecording]) -> list[ClipSource]:
        sources: list[ClipSource] = []
        errors: list[AudioError] = []
        limits = self.offset, self.max_duration
        PerFile.make_room(len(recordings))
        for i, recording in enumerate(recordings):
            source: ClipSource = None
            try:
                if isinstance(recording, Waveform):
                    samples = mixed_waveform(recording.samples, self.channel, f"waveform {i}")
                    check_length(f"waveform {i}", len(samples), recording.sr, *limits)
                    source = samples if recording.sr == self.sr else Waveform(samples, recording.sr)
                elif isinstance(recording, np.ndarray):
                    check_length(f"waveform {i}", len(recording), self.sr, *limits)
                    source = mixed_waveform(recording, self.channel, f"waveform {i}")
                else:
                    source = inspect_recording(recording, *limits, self.channel)
            except AudioError as error:
                errors.append(error)
            sources.append(source)
        if errors:
            combined = combine_errors(errors, len(recordings))
            if self.on_error == "raise":
                raise combined
            warnings.warn(f"silence in place of {combined}", AudioWarning, stacklevel=3)
        return sources

    def __sklearn_tags__(self) -> Tags:
        tags = super().__sklearn_tags__()
        tags.input_tags.two_d_array = False
        tags.input_tags.string = True
        tags.requires_fit = False
        return tags
