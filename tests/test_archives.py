"""Archives made by the tests, good and evil."""

import gzip
import io
import os
import stat
import struct
import tarfile
import zipfile

import numpy as np
import pytest

from skser import _archives
from skser._archives import safe_extract
from skser.exceptions import DataError

NOISE = np.random.default_rng(0).bytes(5000)
FILES = {"Actor_01/a.wav": NOISE, "Actor_02/deep/b.wav": NOISE[:10], "empty.txt": b""}
EVIL_NAMES = {
    "/etc/passwd": "has an absolute path",
    "//host/share": "has an absolute path",
    "../evil.wav": "leads out of the folder",
    "a/../../evil.wav": "leads out of the folder",
    "a/..": "leads out of the folder",
    "a/.. /evil.wav": "leads out of the folder",
    "a/...": "leads out of the folder",
    "..\\evil.wav": "has a backslash in its name",
    "C:/evil.wav": "has a colon in its name, as drives have",
    "C:evil.wav": "has a colon in its name, as drives have",
    "a.wav:stream": "has a colon in its name, as drives have",
    "a\nb.wav": "has a control character in its name",
}


def make_zip(path, entries):
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as file:
        for name, content in entries:
            file.writestr(name, content)
    return path


def make_tar(path, entries):
    with tarfile.open(path, "w:gz") as file:
        for name, content in entries:
            info = name if isinstance(name, tarfile.TarInfo) else tarfile.TarInfo(name)
            info.size = len(content)
            file.addfile(info, io.BytesIO(content))
    return path


@pytest.fixture(params=["zip", "tar.gz"])
def make(request, tmp_path):
    """Function that makes an archive of (name, content) pairs, once as zip and once as tar.gz."""
    write = make_zip if request.param == "zip" else make_tar
    return lambda entries: write(tmp_path / f"corpus.{request.param}", entries)


def content(folder):
    files = [path for path in folder.rglob("*") if path.is_file()]
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in files}


def refused(archive, max_bytes=10**6):
    """The message; nothing may have been written."""
    home = archive.parent
    before = sorted(home.rglob("*"))
    with pytest.raises(DataError) as error:
        safe_extract(archive, home / "inner" / "out", max_bytes=max_bytes)
    assert sorted(home.rglob("*")) == before
    return str(error.value).removeprefix(f"{archive}: ")


def test_all_files_are_extracted(make, tmp_path):
    safe_extract(make(FILES.items()), tmp_path / "out", max_bytes=10**6)
    assert content(tmp_path / "out") == FILES


def test_folders_and_points_in_names(tmp_path):
    folder = tarfile.TarInfo("./Actor_01")
    folder.type = tarfile.DIRTYPE
    archive = make_tar(tmp_path / "corpus.tar.gz", [(folder, b""), ("./Actor_01/a.wav", NOISE)])
    safe_extract(archive, tmp_path / "out", max_bytes=10**6)
    assert content(tmp_path / "out") == {"Actor_01/a.wav": NOISE}


@pytest.mark.skipif(os.name != "posix", reason="needs rights of files")
def test_files_get_no_rights_from_the_archive(tmp_path):
    info = tarfile.TarInfo("run.sh")
    info.mode = 0o6777
    safe_extract(make_tar(tmp_path / "a.tar.gz", [(info, b"")]), tmp_path / "out", max_bytes=10**6)
    mode = stat.S_IMODE((tmp_path / "out" / "run.sh").stat().st_mode)
    assert not mode & (stat.S_ISUID | stat.S_ISGID | 0o111)


@pytest.mark.parametrize("name", EVIL_NAMES)
def test_names_that_lead_elsewhere(make, name):
    archive = make([("good.wav", NOISE), (name, b"evil")])
    assert refused(archive) == f"{name!r} {EVIL_NAMES[name]}, so nothing is extracted"


def test_a_name_with_a_null_byte(tmp_path):
    archive = make_zip(tmp_path / "corpus.zip", [("aXwav", NOISE)])
    archive.write_bytes(archive.read_bytes().replace(b"aXwav", b"a\0wav"))
    assert refused(archive) == (
        "'a\\x00wav' has a control character in its name, so nothing is extracted"
    )


@pytest.mark.parametrize(
    ("kind", "fault"),
    [
        (tarfile.SYMTYPE, "is a link"),
        (tarfile.LNKTYPE, "is a link"),
        (tarfile.CHRTYPE, "is neither a file nor a folder"),
        (tarfile.BLKTYPE, "is neither a file nor a folder"),
        (tarfile.FIFOTYPE, "is neither a file nor a folder"),
    ],
)
def test_links_and_devices_in_tar(tmp_path, kind, fault):
    info = tarfile.TarInfo("evil")
    info.type, info.linkname = kind, "/etc"
    archive = make_tar(tmp_path / "a.tar.gz", [("good.wav", NOISE), (info, b""), ("evil/x", b"")])
    assert refused(archive) == f"'evil' {fault}, so nothing is extracted"


@pytest.mark.parametrize(
    ("kind", "fault"),
    [(stat.S_IFLNK, "is a link"), (stat.S_IFIFO, "is neither a file nor a folder")],
)
def test_links_and_pipes_in_zip(tmp_path, kind, fault):
    info = zipfile.ZipInfo("evil")
    info.create_system, info.external_attr = 3, (kind | 0o777) << 16
    archive = make_zip(tmp_path / "a.zip", [("good.wav", NOISE), (info, b"/etc")])
    assert refused(archive) == f"'evil' {fault}, so nothing is extracted"


def test_an_encrypted_file(tmp_path):
    archive = make_zip(tmp_path / "a.zip", [("a.wav", NOISE)])
    data = bytearray(archive.read_bytes())
    data[data.index(b"PK\x01\x02") + 8] |= 1
    archive.write_bytes(data)
    assert refused(archive) == "'a.wav' is encrypted, so nothing is extracted"


@pytest.mark.parametrize("again", ["a/b.wav", "./a//b.wav", "A/B.WAV"])
@pytest.mark.filterwarnings("ignore:Duplicate name:UserWarning")
def test_names_that_come_twice(make, again):
    archive = make([("a/b.wav", NOISE), (again, NOISE)])
    assert refused(archive) == f"{again!r} is in it twice, so nothing is extracted"


def test_names_that_differ_in_how_accents_are_written(make):
    assert "is in it twice" in refused(make([("\u00e9.wav", NOISE), ("e\u0301.wav", NOISE)]))


def test_a_file_in_a_file(make):
    archive = make([("a/b.wav", NOISE), ("a", NOISE)])
    assert refused(archive) == "'a/b.wav' lies in a file, so nothing is extracted"


def test_more_bytes_than_allowed(make):
    archive = make([("a.wav", NOISE), ("b.wav", NOISE)])
    assert refused(archive, max_bytes=9999) == "declares more than 9999 bytes"
    safe_extract(archive, archive.parent / "out", max_bytes=10_000)


def test_a_bomb(make):
    archive = make([("a.wav", bytes(10_000_000))])
    assert refused(archive, max_bytes=10**9) == "declares more than 100 times its own size"


def test_a_bomb_of_empty_files(make, monkeypatch):
    monkeypatch.setattr(_archives, "MAX_ENTRIES", 20)
    archive = make([(f"{i}.wav", b"") for i in range(21)])
    assert refused(archive) == "has more than 20 entries"


def declare(archive, size):
    """Change the size of the only file, wherever a zip archive tells it."""
    data = bytearray(archive.read_bytes())
    struct.pack_into("<L", data, data.index(b"PK\x03\x04") + 22, size)
    struct.pack_into("<L", data, data.index(b"PK\x01\x02") + 24, size)
    archive.write_bytes(data)
    return archive


def test_fewer_bytes_than_declared(tmp_path):
    archive = declare(make_zip(tmp_path / "a.zip", [("a.wav", NOISE)]), 5001)
    with pytest.raises(DataError) as error:
        safe_extract(archive, tmp_path / "out", max_bytes=10**6)
    assert str(error.value) == f"{archive}: 'a.wav' has fewer bytes than the 5001 that it declares"


def test_more_bytes_than_declared(tmp_path):
    archive = declare(make_zip(tmp_path / "a.zip", [("a.wav", NOISE)]), 4999)
    with pytest.raises(DataError) as error:
        safe_extract(archive, tmp_path / "out", max_bytes=10**6)
    assert str(error.value) == f"{archive}: is damaged (Bad CRC-32 for file 'a.wav')"
    assert (tmp_path / "out" / "a.wav").stat().st_size <= 4999


def test_a_changed_byte_in_a_zip(tmp_path):
    archive = make_zip(tmp_path / "a.zip", [("a.wav", NOISE)])
    data = bytearray(archive.read_bytes())
    data[2000] ^= 1
    archive.write_bytes(data)
    with pytest.raises(DataError, match=r"a\.zip: is damaged \("):
        safe_extract(archive, tmp_path / "out", max_bytes=10**6)


def test_a_wrong_checksum_at_the_end_of_a_gzip_file(tmp_path):
    archive = make_tar(tmp_path / "a.tar.gz", FILES.items())
    data = bytearray(archive.read_bytes())
    data[-8] ^= 1
    archive.write_bytes(data)
    assert refused(archive).startswith("is damaged (CRC check failed ")


@pytest.mark.parametrize("n_bytes", [100, 3000, -4])
def test_a_cut_archive(make, n_bytes):
    archive = make(FILES.items())
    archive.write_bytes(archive.read_bytes()[:n_bytes])
    with pytest.raises(DataError):
        safe_extract(archive, archive.parent / "out", max_bytes=10**6)


def test_gzip_of_something_else(tmp_path):
    archive = tmp_path / "a.gz"
    archive.write_bytes(gzip.compress(NOISE))
    assert refused(archive).startswith("is damaged (")


@pytest.mark.parametrize("data", [b"", b"<html>Not found</html>", NOISE])
def test_no_archive(tmp_path, data):
    archive = tmp_path / "page.zip"
    archive.write_bytes(data)
    assert refused(archive) == "is neither a zip nor a tar.gz archive"
