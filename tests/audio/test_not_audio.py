"""Files that are no audio say what they are."""

import base64
import gzip
import io
import json
import tarfile
import zipfile

import numpy as np
import pytest

from skser import inspect_audio, read_audio
from skser.audio._not_audio import no_recording
from skser.datasets import check_audio
from skser.exceptions import AudioError

from .samples import FORMATS, encode, noise


def zipped():
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr("a.wav", encode(noise(99)))
    return file.getvalue()


def tar():
    file = io.BytesIO()
    with tarfile.open(fileobj=file, mode="w") as archive:
        archive.addfile(tarfile.TarInfo("a.wav"))
    return file.getvalue()


def array():
    file = io.BytesIO()
    np.save(file, np.zeros(9))
    return file.getvalue()


LFS = b"version https://git-lfs.github.com/spec/v1\noid sha256:" + b"0" * 64 + b"\nsize 72862\n"
HTML = "an HTML page, not a recording; the download has failed"
FILES = {
    "lfs": (LFS, "a Git LFS pointer, not a recording; run 'git lfs pull' to download it"),
    "annex": (
        b"/annex/objects/MD5E-s1234--0123456789abcdef.wav\n",
        "a git-annex pointer, not a recording; run 'git annex get' to download it",
    ),
    "html": (b"<!DOCTYPE html>\n<html><title>Sign in</title>" + b" " * 5000, HTML),
    "html_without_type": (b"\n\n<HTML lang='de'>\xc3\xa4</HTML>", HTML),
    "xml": (b"<?xml version='1.0'?><Error/>", "XML or HTML text, not a recording"),
    "json": (json.dumps({"message": "Not found"}).encode(), "JSON text, not a recording"),
    "json_list": (b'[{"path": "a.wav"}]', "JSON text, not a recording"),
    "text": (b"no audio at all\n" * 99, "text, not a recording"),
    "umlauts": ("Müller, äöü, 声\n".encode() * 199, "text, not a recording"),
    "cp1252": (b"path;Gef\xfchl\na.wav;Angst\n", "text, not a recording"),
    "utf16": ("path,emotion\n".encode("utf-16"), "text, not a recording"),
    "utf8_mark": ("path,emotion\n".encode("utf-8-sig"), "text, not a recording"),
    "playlist": (b"#EXTM3U\nhttps://example.org/a.mp3\n", "text, not a recording"),
    "zip": (zipped(), "a zip archive, not a recording; extract it first"),
    "gzip": (gzip.compress(b"a"), "a gzip archive, not a recording; extract it first"),
    "tar": (tar(), "a tar archive, not a recording; extract it first"),
    "base64": (
        base64.encodebytes(encode(noise(99))),
        "text in base64, not a recording; decode it first, with base64.b64decode(...) or base64 -d",
    ),
    "png": (b"\x89PNG\r\n\x1a\n" + bytes(99), "a PNG image, not a recording"),
    "jpeg": (b"\xff\xd8\xff\xe0\x00\x10JFIF" + bytes(99), "a JPEG image, not a recording"),
    "pdf": (b"%PDF-1.7\n%\xe2\xe3", "a PDF document, not a recording"),
    "npy": (array(), "a NumPy array, not a recording; load it with numpy.load"),
    "macos": (
        b"\x00\x05\x16\x07\x00\x02\x00\x00Mac OS X" + bytes(99),
        "a companion file of macOS (its name begins with '._'), not a recording",
    ),
    "zeros": (bytes(5000), "a file of zero bytes, not a recording"),
}


@pytest.mark.parametrize("kind", FILES)
def test_what_a_file_is(tmp_path, kind):
    content, reason = FILES[kind]
    path = tmp_path / "1001_DFA_ANG_XX.wav"
    path.write_bytes(content)
    for function in (inspect_audio, read_audio):
        for source, name in [(path, str(path)), (content, f"<{len(content)} bytes>")]:
            with pytest.raises(AudioError) as caught:
                function(source)
            assert str(caught.value) == f"{name}: is {reason}"
            assert type(caught.value) is AudioError
    assert check_audio([path])["problem"].tolist() == [f"is {reason}"]


def test_other_bytes_are_not_named():
    content = np.random.default_rng(0).integers(0, 256, 4000, dtype=np.uint8).tobytes()
    with pytest.raises(AudioError, match=r"is not readable audio \(Format not recognised\)$"):
        inspect_audio(content)


@pytest.mark.parametrize("format", [*FORMATS, "AU/PCM_16", "CAF/PCM_16", "NIST/PCM_16"])
def test_recordings_are_none_of_these(format):
    assert no_recording(encode(noise(8000), format=format)[:1024]) is None
