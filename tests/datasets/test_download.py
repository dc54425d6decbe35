"""Downloads against a server on this machine."""

import hashlib
import io

import numpy as np
import pytest

from skser._utils._param_validation import check_value
from skser.datasets._download import CHECKSUM, URL, download, file_name
from skser.exceptions import DataError, DownloadError, ParameterError

CONTENT = np.random.default_rng(0).bytes(1_000_000)
SUM = f"sha256:{hashlib.sha256(CONTENT).hexdigest()}"


def names(folder):
    return sorted(path.name[1:].partition("-")[2] for path in folder.iterdir())


def cut_at(server, n_bytes, folder, **kwargs):
    server.cut = n_bytes
    with pytest.raises(DownloadError) as error:
        download(server.url("a.zip", CONTENT), folder, SUM, **kwargs)
    server.cut = None
    return str(error.value)


@pytest.mark.parametrize("algorithm", ["md5", "sha1", "sha256", "sha512"])
def test_a_file_with_its_checksum(server, tmp_path, algorithm):
    checksum = f"{algorithm}:{hashlib.new(algorithm, CONTENT).hexdigest().upper()}"
    path = download(server.url("a.zip", CONTENT), tmp_path / "new" / "home", checksum)
    assert path.read_bytes() == CONTENT
    assert names(path.parent) == ["a.zip"]
    assert server.requests == [("a.zip", None)]


def test_an_existing_file_is_not_downloaded_again(server, tmp_path):
    url = server.url("a.zip", CONTENT)
    first = download(url, tmp_path, SUM)
    assert download(url, tmp_path, SUM) == first
    assert len(server.requests) == 1


def test_an_existing_file_with_another_checksum_is_downloaded_again(server, tmp_path):
    url = server.url("a.zip", CONTENT)
    download(url, tmp_path, SUM).write_bytes(b"damaged since")
    assert download(url, tmp_path, SUM).read_bytes() == CONTENT


def test_a_cut_download_resumes(server, tmp_path):
    message = cut_at(server, 300_000, tmp_path)
    assert message.startswith(f"{server.url('a.zip')}: ")
    assert "300000 of 1000000 bytes" in message
    assert "resume" in message
    assert names(tmp_path) == ["a.zip.part"]
    message = cut_at(server, 400_000, tmp_path)
    assert "700000 of 1000000 bytes" in message
    assert download(server.url("a.zip"), tmp_path, SUM).read_bytes() == CONTENT
    assert [wanted for _, wanted in server.requests] == [None, "bytes=300000-", "bytes=700000-"]
    assert names(tmp_path) == ["a.zip"]


def test_a_server_without_ranges_starts_over(server, tmp_path):
    server.ranges = False
    assert "start over" in cut_at(server, 300_000, tmp_path)
    assert download(server.url("a.zip"), tmp_path, SUM).read_bytes() == CONTENT


def test_a_part_longer_than_the_file_is_dropped(server, tmp_path):
    cut_at(server, 300_000, tmp_path)
    server.files["a.zip"] = shorter = CONTENT[:1000]
    checksum = f"md5:{hashlib.md5(shorter).hexdigest()}"
    assert download(server.url("a.zip"), tmp_path, checksum).read_bytes() == shorter
    assert [wanted for _, wanted in server.requests] == [None, "bytes=300000-", None]


def test_after_another_range_the_file_is_requested_from_its_beginning(server, tmp_path):
    cut_at(server, 300_000, tmp_path)
    server.shift = 1
    assert download(server.url("a.zip"), tmp_path, SUM).read_bytes() == CONTENT
    assert server.requests[-1] == ("a.zip", None)


def test_a_refused_request_keeps_the_part(server, tmp_path):
    cut_at(server, 300_000, tmp_path)
    del server.files["a.zip"]
    with pytest.raises(DownloadError):
        download(server.url("a.zip"), tmp_path, SUM)
    assert download(server.url("a.zip", CONTENT), tmp_path, SUM).read_bytes() == CONTENT
    assert server.requests[-1] == ("a.zip", "bytes=300000-")


def test_a_server_that_sends_no_length(server, tmp_path):
    server.sized = False
    assert download(server.url("a.zip", CONTENT), tmp_path, SUM).read_bytes() == CONTENT


def test_the_encoding_is_ignored(server, tmp_path):
    server.headers = {"Content-Encoding": "gzip"}  # as some servers say of a tar.gz
    assert download(server.url("a.tar.gz", CONTENT), tmp_path, SUM).read_bytes() == CONTENT


@pytest.mark.parametrize("n_cut", [0, 300_000])
def test_a_wrong_checksum_removes_the_file(server, tmp_path, n_cut):
    if n_cut:
        cut_at(server, n_cut, tmp_path)
    other = CONTENT[::-1]
    server.files["a.zip"] = other
    actual = hashlib.sha256(CONTENT[:n_cut] + other[n_cut:]).hexdigest()
    with pytest.raises(DataError, match=f"checksum sha256:{actual}, expected {SUM}"):
        download(server.url("a.zip"), tmp_path, SUM)
    assert list(tmp_path.iterdir()) == []


def test_parts_of_two_servers_do_not_mix(server, tmp_path):
    cut_at(server, 300_000, tmp_path)
    mirror = server.url("mirror/a.zip", CONTENT)
    assert download(mirror, tmp_path, SUM).read_bytes() == CONTENT
    assert server.requests[-1] == ("mirror/a.zip", None)


def test_a_file_that_the_server_lacks(server, tmp_path):
    with pytest.raises(DownloadError, match=f"{server.url('none.zip')}: .*404 Not Found"):
        download(server.url("none.zip"), tmp_path, None)
    assert list(tmp_path.iterdir()) == []


def test_no_server(free_port, tmp_path, monkeypatch):
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    url = f"http://127.0.0.1:{free_port}/a.zip"
    with pytest.raises(DownloadError) as error:
        download(url, tmp_path, None)
    assert str(error.value).startswith(f"{url}: cannot be downloaded (")
    assert "\n" not in str(error.value)


def test_a_download_prints_nothing(server, tmp_path, capsys):
    download(server.url("a.zip", CONTENT), tmp_path, None)
    assert capsys.readouterr() == ("", "")


@pytest.mark.parametrize(("verbose", "shown"), [(0, False), (1, True)])
def test_a_bar_is_shown_on_a_terminal(server, tmp_path, monkeypatch, verbose, shown):
    terminal = io.StringIO()
    terminal.isatty = lambda: True
    monkeypatch.setattr("sys.stderr", terminal)
    monkeypatch.setattr("skser._utils._progress.DELAY", 0)
    download(server.url("a.zip", CONTENT), tmp_path, None, verbose=verbose)
    assert ("a.zip" in terminal.getvalue()) == shown


@pytest.mark.parametrize(
    ("url", "name"),
    [
        ("https://host/x/a.zip", "a.zip"),
        ("https://host/a%20b.zip?download=1#top", "a_b.zip"),
        ("https://host/x/..%2F..%2Fevil.zip", "evil.zip"),
        ("https://host/" + "a" * 300, "a" * 100),
    ],
)
def test_file_name(url, name):
    assert file_name(url) == name


@pytest.mark.parametrize("url", ["ftp://host/a.zip", "file:///a.zip", "http://host", "a.zip", 3])
def test_invalid_addresses(url):
    with pytest.raises(ParameterError, match=f"url must be .*https://, got {url!r}"):
        check_value("url", url, URL)


@pytest.mark.parametrize(
    "checksum", ["d41d8cd98f00b204e9800998ecf8427e", "md5:d41d", "crc:12", "sha256:" + "g" * 64, 3]
)
def test_invalid_checksums(checksum):
    with pytest.raises(ParameterError, match=f"checksum must be 'md5:'.*, got {checksum!r}"):
        check_value("checksum", checksum, CHECKSUM)
