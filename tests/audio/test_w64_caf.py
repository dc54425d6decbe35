"""Tests of skser.audio._w64_caf; test_repair.py has files that FFmpeg wrote."""

import numpy as np
import pytest

from skser import inspect_audio, read_audio
from skser.audio._w64_caf import with_length
from skser.exceptions import AudioError

from .samples import encode, noise

PLACEHOLDERS = {
    "W64": [(b"data\xf3\xac\xd3\x11", 16, (2**63 - 1).to_bytes(8, "little"))],
    "CAF": [(b"data", 4, b"\xff" * 8)],
}


def unclosed(kind):
    content = bytearray(encode(noise(8000), format=f"{kind}/PCM_16"))
    for name, offset, size in PLACEHOLDERS[kind]:
        place = content.index(name) + offset
        content[place : place + 8] = size
    return bytes(content)


@pytest.mark.parametrize("kind", ["W64", "CAF"])
def test_placeholder_for_the_length(kind, tmp_path):
    whole = read_audio(encode(noise(8000)))[0]
    content = unclosed(kind)
    (tmp_path / "a.bin").write_bytes(content)
    for source in (content, tmp_path / "a.bin"):
        assert inspect_audio(source)[:2] == (16000, 8000)
        np.testing.assert_array_equal(read_audio(source)[0], whole)
        np.testing.assert_array_equal(read_audio(source, offset=0.25)[0], whole[4000:])


@pytest.mark.parametrize("kind", ["W64", "CAF", "WAV"])
def test_closed_files_are_left_alone(kind):
    assert with_length(encode(noise(8000), format=f"{kind}/PCM_16")) is None


@pytest.mark.parametrize("kind", ["W64", "CAF"])
def test_every_cut_of_the_header_ends(kind):
    content = unclosed(kind)
    for length in range(1, content.index(b"data") + 12):
        with pytest.raises(AudioError):
            inspect_audio(content[:length])


def test_a_chunk_of_no_size():
    content = bytearray(unclosed("W64"))
    content[56:64] = bytes(8)  # of the chunk behind the identifiers
    assert with_length(bytes(content)) is None
