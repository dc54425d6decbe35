"""Windows of a long recording that share the frames of a speech encoder.

Windows overlap, and an encoder takes most of the time of a timeline. So it encodes the recording
in blocks as long as a window, with a margin at both ends, and each window pools the frames in it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import islice

import numpy as np
from sklearn.pipeline import Pipeline

from ..audio import AudioLoader
from ..augmentation import Augmenter
from ..embeddings import SpeechEmbedding
from ..embeddings._plan import EmbeddingPlan
from ..embeddings._whisper_encoder import WhisperEncoder

_BLOCKS_AT_ONCE = 8
# Of a window. Emotions were recognised as well as from windows, without a margin a little worse.
_MARGIN = 0.25

# Cuts ascending spans of samples out of the recording.
Cut = Callable[[list[tuple[int, int]]], Iterator[np.ndarray]]


def split_at_embedding(pipeline: Pipeline) -> tuple[SpeechEmbedding, Pipeline] | None:
    """The embedding and the steps after it, if its frames depend on nothing but the recording."""
    steps = [step for _, step in pipeline.steps]
    n_before = 2 if len(steps) > 1 and isinstance(steps[1], Augmenter) else 1
    embedding = steps[n_before] if len(steps) > n_before + 1 else None
    if not isinstance(embedding, SpeechEmbedding) or embedding.pooling is None:
        return None
    loader = steps[0]
    if not isinstance(EmbeddingPlan.of(embedding).encoder, WhisperEncoder):
        return None  # where its frames are is not known
    changes_clips = (
        not isinstance(loader, AudioLoader)
        or any(value is not None for value in (loader.trim_db, loader.normalize, loader.pad))
        or (n_before == 2 and steps[1].test_time)
    )
    return None if changes_clips else (embedding, pipeline[n_before + 1 :])


class SharedFrames:
    """Features of windows of one length, in ascending order, of a recording at the encoder's rate.

    Parameters
    ----------
    embedding : SpeechEmbedding
        Fitted, with a Whisper encoder.
    length : int
        Of the windows, in samples.
    """

    def __init__(self, embedding: SpeechEmbedding, length: int) -> None:
        self._plan = EmbeddingPlan.of(embedding)
        self._sr = embedding.sr_
        self._per_frame: int = self._plan.encoder.samples_per_frame
        self._length = max(1, round(length / self._per_frame))  # in frames
        self._margin = int(_MARGIN * self._length) * self._per_frame
        self._encoded: dict[int, np.ndarray] = {}

    @property
    def lookback(self) -> int:
        """Number of samples before a window that its features may depend on."""
        return (self._length + 1) * self._per_frame + self._margin

    def needs(self, spans: np.ndarray) -> np.ndarray:
        """Number of samples of the recording that have to be there for each window."""
        firsts = self._firsts(spans)
        last_blocks = (firsts + self._length - 1) // self._length
        return (last_blocks + 1) * self._length * self._per_frame + self._margin

    def features(self, spans: np.ndarray, n_samples: int, cut: Cut) -> Iterator[np.ndarray]:
        """Features of the next windows; the recording has ``n_samples``, or at least so many."""
        # A window that ends with the recording may be rounded past its last frame.
        n_frames = -(-n_samples // self._per_frame)
        firsts = np.minimum(self._firsts(spans), max(0, n_frames - self._length))
        lasts = (firsts + self._length - 1) // self._length
        blocks = np.unique([firsts // self._length, lasts])
        blocks = blocks[[block not in self._encoded for block in blocks.tolist()]]
        edges = np.stack([blocks, blocks + 1], axis=1) * self._length * self._per_frame
        edges = np.minimum(edges, n_samples)
        heard = (edges + np.array([-self._margin, self._margin])).clip(0, n_samples)
        waveforms = cut([(int(start), int(stop)) for start, stop in heard])
        n_before = (edges - heard)[:, 0] // self._per_frame
        remaining = iter(zip(blocks.tolist(), n_before.tolist(), strict=True))
        for first in firsts.tolist():
            own = range(first // self._length, (first + self._length - 1) // self._length + 1)
            while own[-1] not in self._encoded and (
                batch := list(islice(remaining, _BLOCKS_AT_ONCE))
            ):
                frames = self._plan.frames(list(islice(waveforms, len(batch))), self._sr)
                for (block, n), heard_frames in zip(batch, frames, strict=True):
                    self._encoded[block] = heard_frames[n : n + self._length]
            for block in [block for block in self._encoded if block < own[0]]:
                del self._encoded[block]
            around = np.concatenate([self._encoded[block] for block in own])
            start = first - own[0] * self._length
            yield self._plan.pool(around[start : start + self._length])

    def _firsts(self, spans: np.ndarray) -> np.ndarray:
        return (spans[:, 0] / self._per_frame).round().astype(int)
