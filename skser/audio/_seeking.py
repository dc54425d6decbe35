"""Segments of containers without decoding what is before them, exactly as from the beginning.

Containers round the times of frames, and the samples of a frame may depend on earlier frames: on
the last one in MP3, on seconds in AMR, on all of them where a decoder fills in noise (some AAC,
AC-3). The first decoding of a file therefore notes a landmark each second, with a checksum of the
samples up to the next one. A segment is decoded from a landmark some seconds earlier, and is used
only if its checksums agree.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator
from typing import NamedTuple
from zlib import crc32

import numpy as np

PREROLLS = (2, 10)  # landmarks before a segment where decoding begins: tried in turn


class Decoded(NamedTuple):
    """A frame, samples of shape (n_samples, n_channels), and its time stamp in the container."""

    pts: int | None
    samples: np.ndarray


class Landmarks(NamedTuple):
    """Length of a recording, and frames of it about a second apart."""

    n_samples: int
    pts: list[int]
    positions: list[int]  # of their first samples
    checksums: list[int]  # of the samples from each to the next, or to the end


def find_landmarks(frames: Iterable[Decoded], sr: int) -> Landmarks:
    """The landmarks of a recording decoded from its beginning to its end."""
    found = Landmarks(0, [], [], [])
    position = 0
    for pts, samples in frames:
        is_due = not found.pts or position - found.positions[-1] >= sr
        if pts is not None and is_due and (not found.pts or pts > found.pts[-1]):
            found.pts.append(pts)
            found.positions.append(position)
            found.checksums.append(0)
        if found.pts:
            found.checksums[-1] = crc32(samples.tobytes(), found.checksums[-1])
        position += len(samples)
    return found._replace(n_samples=position)


def first_landmark(landmarks: Landmarks, start: int, preroll: int) -> int | None:
    """Number of the landmark where the decoding of a segment begins; None for the beginning."""
    number = bisect_right(landmarks.positions, start) - 1 - preroll
    return number if number > 0 else None


def segment_from(
    frames: Iterator[Decoded], landmarks: Landmarks, number: int, start: int, stop: int | None
) -> np.ndarray | None:
    """Samples from ``start`` to ``stop``, or None if they are not those of the whole recording.

    ``frames`` begin at or before the landmark with this number.
    """
    positions = [*landmarks.positions, landmarks.n_samples]
    stop = landmarks.n_samples if stop is None else min(stop, landmarks.n_samples)
    first, last = bisect_right(positions, start) - 1, bisect_left(positions, stop)
    origin, end = positions[number], positions[last]
    kept, position, is_found = [], origin, False
    for pts, samples in frames:
        is_found = is_found or pts == landmarks.pts[number]
        if not is_found:
            if pts is not None and pts > landmarks.pts[number]:
                return None
            continue
        if position + len(samples) > positions[first]:
            kept.append(samples[max(positions[first] - position, 0) :])
        position += len(samples)
        if position >= end:
            break
    if position < end:
        return None
    if len({part.shape[1] for part in kept}) > 1:
        return None
    waveform = np.concatenate(kept)
    base = positions[first]
    for i in range(first, last):
        part = waveform[positions[i] - base : positions[i + 1] - base]
        if crc32(part.tobytes()) != landmarks.checksums[i]:
            return None
    return waveform[start - base : stop - base]
