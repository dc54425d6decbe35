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


def pooled_windows(
    embedding: SpeechEmbedding, spans: np.ndarray, n_samples: int, cut: Cut
) -> Iterator[np.ndarray]:
    """Features of windows (start, stop), in ascending order, of a recording at the encoder's rate.

    All windows have one length.
    """
    plan = EmbeddingPlan.of(embedding)
    per_frame = plan.encoder.samples_per_frame
    length = max(1, round((spans[0, 1] - spans[0, 0]) / per_frame))  # of windows, in frames
    firsts = (spans[:, 0] / per_frame).round().astype(int)
    # A window that ends with the recording may be rounded past its last frame.
    firsts = np.minimum(firsts, max(0, -(-n_samples // per_frame) - length))
    blocks = np.unique([firsts // length, (firsts + length - 1) // length])
    edges = np.minimum(np.stack([blocks, blocks + 1], axis=1) * length * per_frame, n_samples)
    margin = int(_MARGIN * length) * per_frame
    heard = (edges + np.array([-margin, margin])).clip(0, n_samples)
    waveforms = cut([(int(start), int(stop)) for start, stop in heard])
    n_before = (edges - heard)[:, 0] // per_frame
    remaining = iter(zip(blocks.tolist(), n_before.tolist(), strict=True))
    encoded: dict[int, np.ndarray] = {}
    for first in firsts.tolist():
        own = range(first // length, (first + length - 1) // length + 1)
        while own[-1] not in encoded and (batch := list(islice(remaining, _BLOCKS_AT_ONCE))):
            frames = plan.frames(list(islice(waveforms, len(batch))), embedding.sr_)
            for (block, n), heard_frames in zip(batch, frames, strict=True):
                encoded[block] = heard_frames[n : n + length]
        for block in [block for block in encoded if block < own[0]]:
            del encoded[block]
        around = np.concatenate([encoded[block] for block in own])
        start = first - own[0] * length
        yield plan.pool(around[start : start + length])
