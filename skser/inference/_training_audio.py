"""TrainingAudio: statistics of training recordings, to detect out-of-distribution audio.

`skser predict` uses it, so only `TrainingAudio.of` imports scikit-learn.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from contextlib import AbstractContextManager, suppress
from dataclasses import asdict, dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from ..audio._clip_reader import ClipReader, Excerpt, watching
from ..audio._forms import as_recordings
from ..audio._recordings import Recording
from ..exceptions import AudioError, DataError, ParameterError
from ._measurement import Measurement, measure, measure_clip

if TYPE_CHECKING:
    from sklearn.base import BaseEstimator

    from .._utils._types import Recording as AnyRecording
    from .._utils._types import Recordings
    from ..audio import AudioLoader

__all__ = ["TrainingAudio"]

_TAIL = 0.5  # percent of the training recordings beyond either end of a range
_TOLERANCE = 1.25  # new speakers go a little beyond a range
_MIN_DEVIATION = 0.1  # dB; that of identical recordings is 0
# Unit, digits in messages, and tolerance (added, and as a factor) of the ranges.
_RANGES = {
    "level": ("dB", 0, 3.0, 1.0),
    "length": ("s", 1, 0.0, _TOLERANCE),
    "bandwidth": ("Hz", 0, 0.0, _TOLERANCE),
}


@dataclass(frozen=True)
class TrainingAudio:
    """Statistics of training recordings, made with :meth:`of`.

    A label of a recording out of distribution is not to be trusted. A recording in distribution may
    still be in another language.

    Parameters
    ----------
    n_recordings : int
        Number of training recordings.
    reader : ClipReader
        Reads clips like the pipeline's loader, without normalising and padding.
    rates : dict of {int : int}
        Number of recordings of each sampling rate in Hz.
    level : tuple of float
        Range, of 99 % of the recordings, of the root mean square in dB of full scale, over frames
        at most 40 dB below the loudest.
    length : tuple of float
        Range of lengths in seconds, of whole recordings.
    bandwidth : tuple of float
        Range of the highest frequency in Hz with a mean power at most 60 dB below the strongest.
    mean, deviation : tuple of float
        Mean and standard deviation, over recordings, of the features: the mean of each of 26 mel
        bands over time in dB, less that of all bands, and their standard deviations over time.
    distance : float
        Percentile 99.5 of the distances, the root mean squares of standardised features.

    See Also
    --------
    skser.predict_table : Label recordings and flag those out of distribution.

    Notes
    -----
    A recording is out of distribution if its sampling rate did not occur in training (rates above
    the loader's count as the loader's), if its level is 3 dB outside the range, its length or
    bandwidth a quarter outside, or its distance a quarter above that in training.

    Examples
    --------
    >>> import numpy as np
    >>> from skser import AudioLoader
    >>> from skser.inference import TrainingAudio
    >>> noise = np.random.default_rng(0).normal(0, 0.1, size=(9, 16000))
    >>> training = TrainingAudio.of(AudioLoader(), noise)
    >>> training.ood_reasons(noise[0]), training.ood_reasons(0.01 * noise[0])
    ((), ('level -60 dB (training -20 to -20)',))
    """

    n_recordings: int
    reader: ClipReader
    rates: dict[int, int]
    level: tuple[float, float]
    length: tuple[float, float]
    bandwidth: tuple[float, float]
    mean: tuple[float, ...]
    deviation: tuple[float, ...]
    distance: float

    @classmethod
    def of(cls, pipeline: BaseEstimator, recordings: Recordings) -> TrainingAudio:
        """Measure training recordings, one at a time.

        Parameters
        ----------
        pipeline : estimator
            Contains an :class:`skser.AudioLoader`; may be unfitted.
        recordings : sequence of recordings or waveforms
            Training recordings; those that the loader replaces by silence are left out.

        Returns
        -------
        training : TrainingAudio
            The statistics.

        Raises
        ------
        ParameterError
            The pipeline has no AudioLoader.
        AudioError
            A recording is unusable.
        DataError
            There are no usable recordings.
        """
        loader = _loader_of(pipeline)
        reader = replace(ClipReader.of(loader), pad=None, normalize=None)
        skipped = () if loader.on_error == "raise" else (AudioError,)
        measured = []
        for recording in as_recordings(recordings, "recordings"):
            with suppress(*skipped):
                measured.append(measure(recording, reader))
        if not measured:
            raise DataError("recordings must hold at least one usable recording, got none")
        features = np.stack([m.features for m in measured])
        mean = features.mean(axis=0)
        deviation = np.maximum(features.std(axis=0), _MIN_DEVIATION)
        distances = _distance(features, mean, deviation)
        rates, counts = np.unique([m.rate for m in measured], return_counts=True)
        return cls(
            n_recordings=len(measured),
            reader=reader,
            rates=dict(zip(rates.tolist(), counts.tolist(), strict=True)),
            level=_range([m.level for m in measured]),
            length=_range([m.length for m in measured]),
            bandwidth=_range([m.bandwidth for m in measured]),
            mean=tuple(mean.tolist()),
            deviation=tuple(deviation.tolist()),
            distance=float(np.percentile(distances, 100 - _TAIL)),
        )

    def ood_reasons(self, recording: AnyRecording) -> tuple[str, ...]:
        """Return the reasons why a recording is out of distribution.

        Parameters
        ----------
        recording : recording or waveform
            The recording, ``(waveform, sr)``, or a waveform at the loader's ``sr``.

        Returns
        -------
        reasons : tuple of str
            Such as ``"level -58 dB (training -42 to -18)"``; empty if it is in distribution.

        Raises
        ------
        AudioError
            The recording is unusable.
        DataError
            ``recording`` is not a recording.
        """
        return self._reasons(measure(as_recordings([recording], "recording")[0], self.reader))

    def watch(self, reasons: dict[str | bytes, tuple[str, ...]]) -> AbstractContextManager[None]:
        """Collect the reasons of the recordings that are decoded for other purposes.

        Parameters
        ----------
        reasons : dict
            Gets the result of `ood_reasons` by absolute path or content.

        Returns
        -------
        context : context manager
            Watches what this thread decodes inside.
        """

        def add(recording: Recording, waveform: np.ndarray, excerpt: Excerpt) -> None:
            if excerpt == self.reader.excerpt:
                with suppress(AudioError):  # `ood_reasons` raises it
                    clip = self.reader.shape(waveform)
                    info = recording.info
                    measured = measure_clip(clip, self.reader.sr, info.sr, info.duration)
                    reasons[recording.source] = self._reasons(measured)

        return watching(add)

    def _reasons(self, measured: Measurement) -> tuple[str, ...]:
        reasons = []
        if min(measured.rate, self.reader.sr) not in {min(r, self.reader.sr) for r in self.rates}:
            rates = ", ".join(map(str, sorted(self.rates)))
            reasons.append(f"rate {measured.rate} Hz (training {rates})")
        for name, (unit, digits, margin, factor) in _RANGES.items():
            value, (low, high) = getattr(measured, name), getattr(self, name)
            if not (low - margin) / factor <= value <= (high + margin) * factor:
                span = f"{low:.{digits}f} to {high:.{digits}f}"
                reasons.append(f"{name} {value:.{digits}f} {unit} (training {span})")
        distance = _distance(measured.features, np.array(self.mean), np.array(self.deviation))
        if distance > _TOLERANCE * self.distance:
            reasons.append(
                f"features at distance {distance:.1f} (training up to {self.distance:.1f})"
            )
        return tuple(reasons)

    def to_dict(self) -> dict[str, Any]:
        """Convert to JSON-serialisable types.

        Returns
        -------
        content : dict
            Statistics, for :meth:`from_dict`.
        """
        return json.loads(json.dumps(asdict(self)))  # type: ignore[no-any-return]

    @classmethod
    def from_dict(cls, content: Mapping[str, Any]) -> TrainingAudio:
        """Convert from the result of :meth:`to_dict`.

        Parameters
        ----------
        content : dict
            Result of :meth:`to_dict`.

        Returns
        -------
        training : TrainingAudio
            Statistics.

        Raises
        ------
        DataError
            ``content`` is not a result of :meth:`to_dict`.
        """
        try:
            values: dict[str, Any] = {
                name: tuple(map(float, value)) if isinstance(value, list) else value
                for name, value in content.items()
            }
            values["rates"] = {int(rate): int(n) for rate, n in content["rates"].items()}
            values["reader"] = ClipReader(**content["reader"])
            return cls(**values)
        except (AttributeError, KeyError, TypeError, ValueError) as error:
            raise DataError(f"content must be a result of to_dict ({error!r:.100})") from error


def _loader_of(pipeline: BaseEstimator) -> AudioLoader:
    from ..recipes._steps import loader_of

    loader = loader_of(pipeline)
    if loader is not None:
        return loader
    raise ParameterError(f"pipeline must have an AudioLoader, got {type(pipeline).__name__}")


def _range(values: list[float]) -> tuple[float, float]:
    low, high = np.percentile(values, [_TAIL, 100 - _TAIL])
    return float(low), float(high)


def _distance(features: np.ndarray, mean: np.ndarray, deviation: np.ndarray) -> np.ndarray:
    """Root mean square of standardised features over the last axis."""
    return np.sqrt(np.mean(((features - mean) / deviation) ** 2, axis=-1))
