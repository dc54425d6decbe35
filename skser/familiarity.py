"""TrainingAudio: what training recordings sound like, and how another differs from all of them.

Prediction from a model file asks this too, so nothing here imports scikit-learn, pandas or
TensorFlow before `TrainingAudio.of` does.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, NamedTuple

import numpy as np

from ._reading import ClipReader
from ._recordings import Recording, as_recordings, inspect_recording
from ._streaming import frame_levels
from .exceptions import AudioError, DataError, ParameterError
from .features.cepstral import MelSpectrogram
from .features.spectra import Spectra

__all__ = ["TrainingAudio"]

_OUTER = 0.5  # percent of the training recordings at either end of a range
# Beyond a range by so much is unlike: speakers who are not in training go a little beyond it.
_FARTHER, _LEVEL_FARTHER = 1.25, 3.0  # times; dB
_SPEECH_DB = 40.0  # below the loudest frame is silence
_BAND_DB = 60.0  # below the strongest frequency nothing is heard
_LEAST_DEVIATION = 0.1  # dB; recordings that are all the same have none
_MEL = MelSpectrogram(n_mels=26, fmin=20.0, scale="db")
_DIGITS = {"level": (0, " dB"), "length": (1, " s"), "bandwidth": (0, " Hz")}


class _Measured(NamedTuple):
    """What is measured of a recording."""

    rate: int
    level: float
    length: float
    bandwidth: float
    features: np.ndarray


@dataclass(frozen=True)
class TrainingAudio:
    """What the recordings sound like that a pipeline was trained on.

    It says of another recording whether it is unlike all of them, so that its label is not to be
    trusted. It knows nothing of emotions, and speech that sounds alike may still be in another
    language or of another kind.

    Attributes
    ----------
    n_recordings : int
        Number of training recordings.
    reader : ClipReader
        How clips are read: as the pipeline's loader does, but neither normalised nor padded.
    rates : dict of {int : int}
        Number of recordings of each sampling rate in Hz.
    level : tuple of float
        Range of the root mean square in dB of full scale, of those frames of 20 ms that are at most
        40 dB below the loudest. This and the other ranges hold 99 % of the recordings.
    length : tuple of float
        Range of lengths in seconds, of whole recordings.
    bandwidth : tuple of float
        Range of the highest frequency in Hz whose mean power is at most 60 dB below that of the
        strongest. Telephones and codecs of low bitrate cut it.
    mean, deviation : tuple of float
        Mean and standard deviation of the features over the recordings: for each of 26 mel bands in
        dB, its mean over time less that of all bands, and its standard deviation over time.
    distance : float
        The root mean square of the standardised features, which 99.5 % of the recordings do not
        exceed.

    See Also
    --------
    skser.predict_table : Labels, and what is unlike in each recording.

    Notes
    -----
    Sampling rates count up to that of the pipeline, which resamples what is above. A recording is
    unlike if its rate is none of those in training, if its level is 3 dB outside its range, if its
    length or bandwidth is a quarter outside, or if its distance is more than a quarter above
    that in training. Distances of training recordings are taken with themselves in mean and
    deviation, so they are slightly too small; the quarter is for that, too.

    Examples
    --------
    >>> from skser import AudioLoader
    >>> from skser.datasets import make_emotional_speech
    >>> from skser.familiarity import TrainingAudio
    >>> from sklearn.pipeline import make_pipeline
    >>> speech = make_emotional_speech(n_speakers=2, emotions=["angry", "sad"], random_state=0)
    >>> training = TrainingAudio.of(make_pipeline(AudioLoader()), speech.waveforms)
    >>> training.unlike(speech.waveforms[0])
    ()
    >>> training.unlike(0.001 * speech.waveforms[0])[0].startswith("level")
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
        """Describe training recordings, in one pass.

        One clip is in memory at a time, and some 250 bytes for each recording.

        Parameters
        ----------
        pipeline : estimator
            With an :class:`skser.AudioLoader` in it; it need not be fitted.
        recordings : sequence of recordings or waveforms
            What it is trained on, as its loader takes it. With ``on_error="silence"``, recordings
            that cannot be used are left out.

        Returns
        -------
        training : TrainingAudio

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
        reader = ClipReader(
            sr=loader.sr,
            duration=loader.duration,
            offset=loader.offset,
            pad=None,
            trim_db=loader.trim_db,
            normalize=None,
        )
        measure = _measure if loader.on_error == "raise" else _measure_if_usable
        measured = (measure(one, reader) for one in as_recordings(recordings, "recordings"))
        found = [one for one in measured if one is not None]
        if not found:
            raise DataError("recordings must hold at least one that can be used, got none")
        features = np.stack([one.features for one in found])
        mean = features.mean(axis=0)
        deviation = np.maximum(features.std(axis=0), _LEAST_DEVIATION)
        distances = _distance(features, mean, deviation)
        rates, counts = np.unique([one.rate for one in found], return_counts=True)
        return cls(
            n_recordings=len(found),
            reader=reader,
            rates=dict(zip(rates.tolist(), counts.tolist(), strict=True)),
            level=_range([one.level for one in found]),
            length=_range([one.length for one in found]),
            bandwidth=_range([one.bandwidth for one in found]),
            mean=tuple(mean.tolist()),
            deviation=tuple(deviation.tolist()),
            distance=float(np.percentile(distances, 100 - _OUTER)),
        )

    def unlike(self, recording: Any) -> tuple[str, ...]:
        """What of a recording is outside of all training recordings.

        Parameters
        ----------
        recording : str, path, bytes, file-like object or ndarray of shape (n_samples,)
            One recording, or a waveform at the loader's ``sr``.

        Returns
        -------
        reasons : tuple of str
            Such as ``"level -58 dB (training -42 to -18)"``; empty if it is alike.

        Raises
        ------
        AudioError
            The recording cannot be used.
        DataError
            It is no recording.
        """
        measured = _measure(as_recordings([recording], "recording")[0], self.reader)
        reasons = []
        if min(measured.rate, self.reader.sr) not in {min(r, self.reader.sr) for r in self.rates}:
            known = ", ".join(map(str, sorted(self.rates)))
            reasons.append(f"rate {measured.rate} Hz (training {known})")
        for name, (digits, unit) in _DIGITS.items():
            value, (low, high) = getattr(measured, name), getattr(self, name)
            if name == "level":
                is_inside = low - _LEVEL_FARTHER <= value <= high + _LEVEL_FARTHER
            else:
                is_inside = low / _FARTHER <= value <= high * _FARTHER
            if not is_inside:
                reasons.append(
                    f"{name} {value:.{digits}f}{unit} (training {low:.{digits}f} to "
                    f"{high:.{digits}f})"
                )
        distance = _distance(measured.features, np.array(self.mean), np.array(self.deviation))
        if distance > _FARTHER * self.distance:
            reasons.append(
                f"features at distance {distance:.1f} (training up to {self.distance:.1f})"
            )
        return tuple(reasons)

    def to_dict(self) -> dict[str, Any]:
        """The description as JSON can hold it."""
        content = asdict(self)
        content["rates"] = {str(rate): n for rate, n in self.rates.items()}
        return {
            name: list(value) if isinstance(value, tuple) else value
            for name, value in content.items()
        }

    @classmethod
    def from_dict(cls, content: Mapping[str, Any]) -> TrainingAudio:
        """The description that `to_dict` made this of; DataError for anything else."""
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


def _loader_of(pipeline: Any) -> Any:
    from ._nested import steps_of
    from .loader import AudioLoader

    for step in steps_of(pipeline):
        if isinstance(step, AudioLoader):
            return step
    raise ParameterError(
        f"pipeline must have an AudioLoader, got a {type(pipeline).__name__} without"
    )


def _measure(recording: Any, reader: ClipReader) -> _Measured:
    source: Recording | np.ndarray
    if isinstance(recording, np.ndarray):
        source, rate, length = recording, reader.sr, len(recording) / reader.sr
    else:
        source = inspect_recording(recording, offset=reader.offset)
        rate, length = source.info.sr, source.info.duration
    clip = reader(source)
    if len(clip) == 0:
        raise AudioError(
            f"waveform: is {length:.2f} s long, so nothing is left from offset={reader.offset:g} s"
        )
    spectra = Spectra(clip, reader.sr, dtype=np.float32)
    # At its ends a clip sets in and stops at once, which has all frequencies.
    inside = slice(2, -2) if spectra.n_frames > 4 else slice(None)
    power = spectra.power[:, inside].mean(axis=1)
    heard = np.flatnonzero(power >= power.max() * 10 ** (-_BAND_DB / 10))
    levels = frame_levels([clip], reader.sr)[0]
    speech = levels[levels >= levels.max() - _SPEECH_DB].astype(np.float64)
    bands = _MEL.compute(spectra)
    shape = bands.mean(axis=1)
    features = np.concatenate([shape - shape.mean(), bands.std(axis=1)])
    return _Measured(
        rate=rate,
        level=float(10 * np.log10(np.mean(10 ** (speech / 10)))),
        length=length,
        bandwidth=float(spectra.frequencies[heard[-1]]),
        features=features,
    )


def _measure_if_usable(recording: Any, reader: ClipReader) -> _Measured | None:
    try:
        return _measure(recording, reader)
    except AudioError:
        return None


def _range(values: list[float]) -> tuple[float, float]:
    low, high = np.percentile(values, [_OUTER, 100 - _OUTER])
    return float(low), float(high)


def _distance(features: np.ndarray, mean: np.ndarray, deviation: np.ndarray) -> np.ndarray:
    """Root mean square of standardised features, over the last axis."""
    return np.sqrt(np.mean(((features - mean) / deviation) ** 2, axis=-1))
