"""TrainingAudio: statistics of training recordings, to find out-of-distribution recordings.

`skser predict` uses it, so nothing here imports scikit-learn, pandas or TensorFlow before
`TrainingAudio.of` does.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import asdict, dataclass, replace
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from ..audio._clip_reader import ClipReader
from ..audio._recordings import Recording, as_recordings, check_length, inspect_recording
from ..audio._streaming import frame_levels
from ..exceptions import AudioError, DataError, ParameterError
from ..features import MelSpectrogram, Spectra

if TYPE_CHECKING:
    from ..audio import AudioLoader

__all__ = ["TrainingAudio"]

_TAIL = 0.5  # percent of the training recordings at either end of a range
# How far beyond a range is still in distribution: new speakers go a little beyond it.
_TOLERANCE, _LEVEL_TOLERANCE = 1.25, 3.0  # times; dB
_SPEECH_DB = 40.0  # frames further below the loudest are silence
_BAND_DB = 60.0  # frequencies further below the strongest are inaudible
_MIN_DEVIATION = 0.1  # dB; that of identical recordings is 0
_MEL = MelSpectrogram(n_mels=26, fmin=20.0, scale="db")
_DIGITS = {"level": (0, " dB"), "length": (1, " s"), "bandwidth": (0, " Hz")}


class _Measured(NamedTuple):
    """Measurements of a recording."""

    rate: int
    level: float
    length: float
    bandwidth: float
    features: np.ndarray


@dataclass(frozen=True)
class TrainingAudio:
    """Statistics of the recordings that a pipeline was trained on.

    A recording outside of them is out of distribution: do not trust its label. The statistics
    know nothing of emotions, so speech in distribution may still be of another language or kind.
    Make one with :meth:`of`.

    Parameters
    ----------
    n_recordings : int
        Number of training recordings.
    reader : ClipReader
        Reads clips as the pipeline's loader does, but neither normalises nor pads them.
    rates : dict of {int : int}
        Number of recordings of each sampling rate in Hz.
    level : tuple of float
        Range of the root mean square in dB of full scale, over the frames of 20 ms that are at
        most 40 dB below the loudest. Every range holds 99 % of the recordings.
    length : tuple of float
        Range of lengths in seconds, of whole recordings.
    bandwidth : tuple of float
        Range of the highest frequency in Hz whose mean power is at most 60 dB below that of the
        strongest. Telephones and codecs of low bitrate cut it.
    mean, deviation : tuple of float
        Mean and standard deviation of the features over the recordings. The features are, for each
        of 26 mel bands in dB, the mean over time less that of all bands, and the standard
        deviation over time.
    distance : float
        Root mean square of the standardised features that 99.5 % of the recordings do not exceed.

    See Also
    --------
    skser.predict_table : Labels, with the reasons why recordings are out of distribution.

    Notes
    -----
    The pipeline resamples, so sampling rates above its own count as its own. A recording is out of
    distribution if its rate is not among those in training, its level is 3 dB outside the range,
    its length or bandwidth is a quarter outside, or its distance is more than a quarter above that
    in training. Mean and deviation include the training recordings themselves, so their distances
    are slightly too small; the quarter allows for that, too.

    Examples
    --------
    >>> from skser import AudioLoader
    >>> from skser.datasets import make_emotional_speech
    >>> from skser.inference._training_audio import TrainingAudio
    >>> from sklearn.pipeline import make_pipeline
    >>> speech = make_emotional_speech(n_speakers=2, emotions=["angry", "sad"], random_state=0)
    >>> training = TrainingAudio.of(make_pipeline(AudioLoader()), speech.waveforms)
    >>> training.ood_reasons(speech.waveforms[0])
    ()
    >>> training.ood_reasons(0.001 * speech.waveforms[0])[0].startswith("level")
    True
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
    def of(cls, pipeline: Any, recordings: Any) -> TrainingAudio:
        """Measure training recordings, in one pass.

        Memory holds one clip at a time, and some 250 bytes for each recording.

        Parameters
        ----------
        pipeline : estimator
            Contains an :class:`skser.AudioLoader`; it need not be fitted.
        recordings : sequence of recordings or waveforms
            Training recordings, as the loader takes them. With ``on_error="silence"``, recordings
            that cannot be used are left out.

        Returns
        -------
        training : TrainingAudio
            The statistics.

        Raises
        ------
        ParameterError
            The pipeline has no AudioLoader.
        AudioError
            A recording cannot be used.
        DataError
            There are no recordings, or none that can be used.
        """
        loader = _loader_of(pipeline)
        reader = replace(ClipReader.of(loader), pad=None, normalize=None)
        skipped = () if loader.on_error == "raise" else (AudioError,)
        measured = []
        for recording in as_recordings(recordings, "recordings"):
            with suppress(*skipped):
                measured.append(_measure(recording, reader))
        if not measured:
            raise DataError("recordings must hold at least one that can be used, got none")
        features = np.stack([one.features for one in measured])
        mean = features.mean(axis=0)
        deviation = np.maximum(features.std(axis=0), _MIN_DEVIATION)
        distances = _distance(features, mean, deviation)
        rates, counts = np.unique([one.rate for one in measured], return_counts=True)
        return cls(
            n_recordings=len(measured),
            reader=reader,
            rates=dict(zip(rates.tolist(), counts.tolist(), strict=True)),
            level=_range([one.level for one in measured]),
            length=_range([one.length for one in measured]),
            bandwidth=_range([one.bandwidth for one in measured]),
            mean=tuple(mean.tolist()),
            deviation=tuple(deviation.tolist()),
            distance=float(np.percentile(distances, 100 - _TAIL)),
        )

    def ood_reasons(self, recording: Any) -> tuple[str, ...]:
        """Reasons why a recording is out of distribution.

        Parameters
        ----------
        recording : str, path, bytes, file-like object or ndarray of shape (n_samples,)
            One recording, or a waveform at the loader's ``sr``.

        Returns
        -------
        reasons : tuple of str
            Such as ``"level -58 dB (training -42 to -18)"``; empty for a recording in distribution.

        Raises
        ------
        AudioError
            The recording cannot be used.
        DataError
            It is not one recording.
        """
        measured = _measure(as_recordings([recording], "recording")[0], self.reader)
        reasons = []
        if min(measured.rate, self.reader.sr) not in {min(r, self.reader.sr) for r in self.rates}:
            known = ", ".join(map(str, sorted(self.rates)))
            reasons.append(f"rate {measured.rate} Hz (training {known})")
        for name, (digits, unit) in _DIGITS.items():
            value, (low, high) = getattr(measured, name), getattr(self, name)
            if name == "level":
                is_inside = low - _LEVEL_TOLERANCE <= value <= high + _LEVEL_TOLERANCE
            else:
                is_inside = low / _TOLERANCE <= value <= high * _TOLERANCE
            if not is_inside:
                reasons.append(
                    f"{name} {value:.{digits}f}{unit} (training {low:.{digits}f} to "
                    f"{high:.{digits}f})"
                )
        distance = _distance(measured.features, np.array(self.mean), np.array(self.deviation))
        if distance > _TOLERANCE * self.distance:
            reasons.append(
                f"features at distance {distance:.1f} (training up to {self.distance:.1f})"
            )
        return tuple(reasons)

    def to_dict(self) -> dict[str, Any]:
        """Convert to what JSON can hold.

        Returns
        -------
        content : dict
            Numbers, and lists and dicts of numbers; :meth:`from_dict` reads it.
        """
        return json.loads(json.dumps(asdict(self)))  # type: ignore[no-any-return]

    @classmethod
    def from_dict(cls, content: Mapping[str, Any]) -> TrainingAudio:
        """Convert back from what :meth:`to_dict` returns.

        Parameters
        ----------
        content : dict
            Result of :meth:`to_dict`.

        Returns
        -------
        training : TrainingAudio
            The same statistics.

        Raises
        ------
        DataError
            ``content`` has another form.
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
            raise DataError(
                f"training audio must be what TrainingAudio.to_dict gives ({error!r:.100})"
            ) from error


def _loader_of(pipeline: Any) -> AudioLoader:
    from ..audio import AudioLoader
    from ..recipes._steps import steps_of

    for step in steps_of(pipeline):
        if isinstance(step, AudioLoader):
            return step
    raise ParameterError(
        f"pipeline must have an AudioLoader, got a {type(pipeline).__name__} without"
    )


def _measure(recording: str | bytes | np.ndarray, reader: ClipReader) -> _Measured:
    source: Recording | np.ndarray
    if isinstance(recording, np.ndarray):
        check_length("waveform", len(recording), reader.sr, reader.offset)
        source, rate, length = recording, reader.sr, len(recording) / reader.sr
    else:
        source = inspect_recording(recording, offset=reader.offset)
        rate, length = source.info.sr, source.info.duration
    clip = reader(source)
    spectra = Spectra(clip, reader.sr, dtype=np.float32)
    # A clip starts and stops abruptly, which has all frequencies; leave its ends out.
    inside = slice(2, -2) if spectra.n_frames > 4 else slice(None)
    power = spectra.power[:, inside].mean(axis=1)
    audible = np.flatnonzero(power >= power.max() * 10 ** (-_BAND_DB / 10))
    levels = frame_levels([clip], reader.sr)[0]
    speech = levels[levels >= levels.max() - _SPEECH_DB].astype(np.float64)
    bands = _MEL.compute(spectra)
    means = bands.mean(axis=1)
    return _Measured(
        rate=rate,
        level=float(10 * np.log10(np.mean(10 ** (speech / 10)))),
        length=length,
        bandwidth=float(spectra.frequencies[audible[-1]]),
        features=np.concatenate([means - means.mean(), bands.std(axis=1)]),
    )


def _range(values: list[float]) -> tuple[float, float]:
    low, high = np.percentile(values, [_TAIL, 100 - _TAIL])
    return float(low), float(high)


def _distance(features: np.ndarray, mean: np.ndarray, deviation: np.ndarray) -> np.ndarray:
    """Root mean square of standardised features, over the last axis."""
    return np.sqrt(np.mean(((features - mean) / deviation) ** 2, axis=-1))
