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

from skser.datasets import _archives
from skser.datasets._archives import safe_extract
from skser.exceptions import DataError

NOISE = np.random.default_rng(0).bytes(5000)
FILES = {"Actor_01/a.wav": NOISE, "Actor_02/deep/b.wav": NOISE[:10], "empty.txt": b""}


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
    """The message; nothing may have been written outside the folder."""
    home = archive.parent
    before = sorted(home.iterdir())
    with pytest.raises(DataError) as error:
        safe_extract(archive, home / "inner" / "out", max_bytes=max_bytes)
    assert set(home.iterdir()) <= {*before, home / "inner"}
    assert {path.name for path in (home / "inner").glob("*")} <= {"out"}
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
    assert not mode & (stat.S_ISUID | stat.S_ISGID | 0o022)


NAMES = ["/evil.wav", "//host/evil.wav", "../evil.wav", "a/../../evil.wav", "../../../evil.wav"]


@pytest.mark.parametrize("name", NAMES)
def test_names_that_lead_elsewhere(make, tmp_path, name):
    archive = make([("good.wav", NOISE), (name, b"evil")])
    home = tmp_path / "inner" / "out"
    if ".." in name:
        assert "outside" in refused(archive)
    else:  # an absolute path becomes one inside the folder
        safe_extract(archive, home, max_bytes=10**6)
    assert set(tmp_path.rglob("evil.wav")) <= set(home.rglob("evil.wav"))
    assert set(tmp_path.iterdir()) <= {archive, tmp_path / "inner"}
    assert not os.path.exists("/evil.wav")


@pytest.mark.parametrize(
    "kind", [tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.CHRTYPE, tarfile.BLKTYPE, tarfile.FIFOTYPE]
)
@pytest.mark.parametrize("target", ["/etc", "..", "good.wav"])
def test_links_and_devices_in_tar(tmp_path, kind, target):
    info = tarfile.TarInfo("evil")
    info.type, info.linkname = kind, target
    archive = make_tar(tmp_path / "a.tar.gz", [("good.wav", NOISE), (info, b""), ("evil/x", b"")])
    assert "'evil'" in refused(archive)
    assert not (tmp_path / "inner" / "out" / "evil").exists()


@pytest.mark.filterwarnings("ignore:Duplicate name")
@pytest.mark.parametrize("second", ["a.wav", "A.WAV"])
def test_two_entries_of_one_name(tmp_path, second):
    archive = make_zip(tmp_path / "corpus.zip", [("a.wav", NOISE), (second, b"other")])
    assert refused(archive) == "has two entries of one name"


def test_a_link_in_zip_is_a_file(tmp_path):
    info = zipfile.ZipInfo("evil")
    info.create_system, info.external_attr = 3, (stat.S_IFLNK | 0o777) << 16
    archive = make_zip(tmp_path / "a.zip", [(info, b"/etc")])
    safe_extract(archive, tmp_path / "out", max_bytes=10**6)
    assert not (tmp_path / "out" / "evil").is_symlink()
    assert content(tmp_path / "out") == {"evil": b"/etc"}


def test_an_encrypted_file(tmp_path):
    archive = make_zip(tmp_path / "a.zip", [("a.wav", NOISE)])
    data = bytearray(archive.read_bytes())
    data[data.index(b"PK\x01\x02") + 8] |= 1
    archive.write_bytes(data)
    assert "encrypted" in refused(archive)


def test_a_file_in_a_file(make):
    assert "cannot be extracted" in refused(make([("a", NOISE), ("a/b.wav", NOISE)]))


def test_more_bytes_than_allowed(make):
    archive = make([("a.wav", NOISE), ("b.wav", NOISE)])
    assert "9999 bytes" in refused(archive, max_bytes=9999)
    safe_extract(archive, archive.parent / "out", max_bytes=10_000)


def test_a_bomb_of_empty_files(make, monkeypatch):
    monkeypatch.setattr(_archives, "MAX_ENTRIES", 20)
    archive = make([(f"{i}.wav", b"") for i in range(21)])
    assert "20 entries" in refused(archive)


def declare(archive, size):
    """Change the declared size of the only file of a zip archive."""
    data = bytearray(archive.read_bytes())
    struct.pack_into("<L", data, data.index(b"PK\x03\x04") + 22, size)
    struct.pack_into("<L", data, data.index(b"PK\x01\x02") + 24, size)
    archive.write_bytes(data)
    return archive


def test_more_bytes_than_declared(tmp_path):
    archive = declare(make_zip(tmp_path / "a.zip", [("a.wav", NOISE)]), 4999)
    assert "CRC" in refused(archive)
    assert (tmp_path / "inner" / "out" / "a.wav").stat().st_size <= 4999


def test_a_changed_byte_in_a_zip(tmp_path):
    archive = make_zip(tmp_path / "a.zip", [("a.wav", NOISE)])
    data = bytearray(archive.read_bytes())
    data[2000] ^= 1
    archive.write_bytes(data)
    with pytest.raises(DataError, match=r"a\.zip: cannot be extracted \("):
        safe_extract(archive, tmp_path / "out", max_bytes=10**6)


def test_a_wrong_checksum_at_the_end_of_a_gzip_file(tmp_path):
    archive = make_tar(tmp_path / "a.tar.gz", FILES.items())
    data = bytearray(archive.read_bytes())
    data[-8] ^= 1
    archive.write_bytes(data)
    assert "CRC check failed" in refused(archive)


@pytest.mark.parametrize("n_bytes", [100, 3000, -4])
def test_a_cut_archive(make, n_bytes):
    archive = make(FILES.items())
    archive.write_bytes(archive.read_bytes()[:n_bytes])
    with pytest.raises(DataError):
        safe_extract(archive, archive.parent / "out", max_bytes=10**6)


def test_gzip_of_something_else(tmp_path):
    archive = tmp_path / "a.gz"
    archive.write_bytes(gzip.compress(NOISE))
    assert "cannot be extracted" in refused(archive)


@pytest.mark.parametrize("data", [b"", b"<html>Not found</html>", NOISE])
def test_no_archive(tmp_path, data):
    archive = tmp_path / "page.zip"
    archive.write_bytes(data)
    assert "neither a zip nor a tar.gz" in refused(archive)
