"""Encoders of the Hub, against a server on this machine."""

import os
import re
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from skser.embeddings._hub import KNOWN, hub_folder
from skser.exceptions import DataError, DownloadError, MissingDependencyError, ParameterError

from .hub_server import Handler, running_hub

huggingface_hub = pytest.importorskip("huggingface_hub")
constants = pytest.importorskip("huggingface_hub.constants")

NAME, COMMIT = "someone/encoder", "c" * 40
WEIGHTS = np.random.default_rng(0).bytes(100_000)
FILES = {
    "config.json": b'{"d_model": 8}',
    "preprocessor_config.json": b"{}",
    "model.safetensors": WEIGHTS,
    "tf_model.h5": b"not to be downloaded",
}
WANTED = [name for name in FILES if name != "tf_model.h5"]


def point_at(url, monkeypatch):
    template = url + "/{repo_id}/resolve/{revision}/{filename}"
    monkeypatch.setattr(constants, "ENDPOINT", url)
    monkeypatch.setattr(constants, "HUGGINGFACE_CO_URL_TEMPLATE", template)


@pytest.fixture
def hub(tmp_path, monkeypatch):
    """A Hub with one repository, an empty cache, and a library that does not wait."""
    with running_hub() as server:
        server.repositories = {NAME: {COMMIT: dict(FILES)}}
        point_at(server.url, monkeypatch)
        for name, value in {
            "HF_HUB_CACHE": str(tmp_path / "hub"),
            "HF_HUB_OFFLINE": False,
            "HF_HUB_DISABLE_XET": True,
            "HF_HUB_DISABLE_IMPLICIT_TOKEN": True,
        }.items():
            monkeypatch.setattr(constants, name, value)
        no_wait = SimpleNamespace(sleep=lambda seconds: None)
        monkeypatch.setattr("huggingface_hub.file_download.time", no_wait)
        monkeypatch.setenv("NO_PROXY", "127.0.0.1,localhost")
        huggingface_hub.close_session()
        yield server
        huggingface_hub.close_session()


def refused(*reasons, name=NAME, revision=COMMIT):
    with pytest.raises(DownloadError) as error:
        hub_folder(name, revision)
    message = str(error.value)
    assert message.startswith(f"{name}: ")
    assert "\n" not in message
    for reason in reasons:
        assert reason in message
    return message


def test_a_download_brings_only_what_an_encoder_needs(hub, tmp_path):
    folder = hub_folder(NAME, COMMIT)
    assert folder.is_relative_to(tmp_path)
    assert folder.name == COMMIT
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == {
        name: FILES[name] for name in WANTED
    }


def test_what_is_in_the_cache_takes_no_request(hub):
    folder = hub_folder(NAME, COMMIT)
    hub.requests.clear()
    assert hub_folder(NAME, COMMIT) == folder
    assert hub.requests == []


def test_what_other_programs_downloaded_is_used(hub):
    for name in WANTED:
        path = huggingface_hub.hf_hub_download(NAME, name, revision=COMMIT)
    hub.requests.clear()
    assert hub_folder(NAME, COMMIT) == Path(path).parent
    assert hub.requests == []


def test_a_repository_without_the_optional_file(hub):
    del hub.repositories[NAME][COMMIT]["preprocessor_config.json"]
    folder = hub_folder(NAME, COMMIT)
    assert sorted(path.name for path in folder.iterdir()) == ["config.json", "model.safetensors"]
    hub.requests.clear()
    assert hub_folder(NAME, COMMIT) == folder
    assert hub.requests == []  # that it is missing is in the cache, too


def test_the_pinned_revision(hub):
    name = "openai/whisper-tiny"
    hub.repositories[name] = {KNOWN[name].revision: dict(FILES)}
    assert hub_folder(name, None).name == KNOWN[name].revision
    hub.repositories[name][COMMIT] = dict(FILES)
    assert hub_folder(name, COMMIT).name == COMMIT


@pytest.mark.parametrize("name", KNOWN)
def test_the_registry(name):
    revision, licence = KNOWN[name]
    assert re.fullmatch("[0-9a-f]{40}", revision)
    assert "MIT" in licence


def test_other_repositories_need_a_revision():
    with pytest.raises(ParameterError, match=r"revision .*someone/encoder.* None.* repeated"):
        hub_folder(NAME, None)
    with pytest.raises(ParameterError, match="did you mean 'openai/whisper-base'"):
        hub_folder("openai/whisper-bas", None)


@pytest.mark.parametrize("revision", ["main", "c" * 39, "C" * 40, 3, ""])
def test_a_revision_is_a_commit(revision):
    with pytest.raises(ParameterError, match=f"revision .*40 hexadecimal .*{revision!r}"):
        hub_folder(NAME, revision)


@pytest.mark.parametrize("name", ["whisper", "a/b/c", "/b", "a b/c", "https://x/y", 3])
def test_a_name_has_an_owner(name):
    with pytest.raises(ParameterError, match=f"model .*owner/name.*{name!r}"):
        hub_folder(name, COMMIT)


def test_a_short_cut_is_mended_by_the_library(hub, monkeypatch):
    monkeypatch.setattr(constants, "DOWNLOAD_CHUNK_SIZE", 1000)
    hub.cuts = [30_000, 20_000]
    assert (hub_folder(NAME, COMMIT) / "model.safetensors").read_bytes() == WEIGHTS
    ranges = [wanted for _, path, wanted in hub.requests if path.startswith("/store")]
    assert ranges == [None, "bytes=30000-", "bytes=50000-"]


@pytest.mark.parametrize(
    ("chunk", "cuts"), [(1 << 20, [30_000] * 9), (20_000, [30_000] + [10_000] * 9)]
)
def test_a_cut_connection_leaves_nothing_and_the_next_run_succeeds(
    hub, tmp_path, monkeypatch, chunk, cuts
):
    monkeypatch.setattr(constants, "DOWNLOAD_CHUNK_SIZE", chunk)
    hub.cuts = cuts
    refused("30000 of 100000 bytes", "model.safetensors", "again")
    left = [path.name for path in tmp_path.rglob("*") if path.is_file()]
    assert not [name for name in left if "safetensors" in name or "incomplete" in name]
    hub.cuts = []
    assert (hub_folder(NAME, COMMIT) / "model.safetensors").read_bytes() == WEIGHTS


@pytest.mark.parametrize("announced", [90_000, 200_000])
def test_a_wrong_size(hub, announced):
    hub.announced = announced
    refused(f"100000 of {announced} bytes", "model.safetensors", "again")
    hub.announced = None
    assert (hub_folder(NAME, COMMIT) / "model.safetensors").read_bytes() == WEIGHTS


def test_content_of_another_hash_is_removed(hub, tmp_path):
    hub.damaged = True
    refused("model.safetensors", "SHA-256", "removed")
    assert not any(path.stat().st_size == len(WEIGHTS) for path in tmp_path.rglob("*"))
    hub.damaged = False
    assert (hub_folder(NAME, COMMIT) / "model.safetensors").read_bytes() == WEIGHTS


def test_no_such_repository(hub):
    refused("no such repository", "login", hub.url, name="nobody/encoder")
    refused("did you mean 'openai/whisper-base'", name="openai/whisper-bases")


def test_no_such_revision(hub):
    refused("no revision", "d" * 40, revision="d" * 40)


@pytest.mark.parametrize("file", ["model.safetensors", "config.json"])
def test_a_repository_without_a_file_says_what_it_holds(hub, file):
    files = hub.repositories[NAME][COMMIT]
    del files[file]
    message = refused(f"no {file}")
    assert all(name in message.partition("holds")[2] for name in files)


def test_an_empty_repository(hub):
    hub.repositories[NAME][COMMIT] = {}
    refused("no config.json", "holds no files")


def test_another_kind_of_download_that_fails(hub, monkeypatch):
    """As storage by pieces (Xet) does: errors of its own, and two bars for one file."""

    def http_get(url, temp_file, *, tqdm_class, **_):
        for _ in range(2):
            tqdm_class(total=14, disable=True).update(5)
        raise RuntimeError("the store is closed")

    monkeypatch.setattr("huggingface_hub.file_download.http_get", http_get)
    refused("5 of 14 bytes of config.json", "again")


def test_not_all_files_are_listed(hub):
    hub.repositories[NAME][COMMIT] = {"config.json": b"{}", **{f"m{i:02}": b"" for i in range(20)}}
    assert refused("no model.safetensors").endswith("m06 and 13 more")


@pytest.mark.parametrize("status", [403, 500, 503])
def test_a_server_that_refuses(hub, status):
    hub.status = status
    refused(str(status), "config.json")


def test_a_page_of_a_proxy_is_not_the_hub(hub, monkeypatch):
    monkeypatch.setattr(Handler, "resolve", lambda self, **_: self.body(b"<html>", {}))
    refused(hub.url, "unlike the Hub", "HF_ENDPOINT")


def test_no_network_with_and_without_cache(hub, free_port, monkeypatch):
    nowhere = f"http://127.0.0.1:{free_port}"
    point_at(nowhere, monkeypatch)
    refused("not in the cache", nowhere, "cannot be reached", "folder")
    point_at(hub.url, monkeypatch)
    folder = hub_folder(NAME, COMMIT)
    point_at(nowhere, monkeypatch)
    assert hub_folder(NAME, COMMIT) == folder


def test_offline_mode_with_and_without_cache(hub, monkeypatch):
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", True)
    refused("not in the cache", "HF_HUB_OFFLINE", "folder")
    assert hub.requests == []
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", False)
    folder = hub_folder(NAME, COMMIT)
    (folder / "preprocessor_config.json").unlink()  # as another program would leave it
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", True)
    assert hub_folder(NAME, COMMIT) == folder


def test_a_cache_that_cannot_be_written_to(hub, tmp_path):
    (tmp_path / "hub").write_text("a file where the folder should be")
    refused("config.json", "cannot be written", str(tmp_path))


def test_without_the_library(monkeypatch):
    monkeypatch.setitem(sys.modules, "huggingface_hub", None)
    with pytest.raises(MissingDependencyError, match=r"someone/encoder.*skser\[embeddings\]"):
        hub_folder(NAME, COMMIT)


def test_errors_are_those_that_callers_catch(hub):
    with pytest.raises((DataError, ConnectionError)) as error:
        hub_folder("nobody/encoder", COMMIT)
    assert isinstance(error.value, DataError)
    assert isinstance(error.value, ConnectionError)


@pytest.mark.slow
def test_by_environment_variables_and_a_dead_port(tmp_path, free_port):
    """In a fresh process, as users have it."""
    program = (
        "from skser.embeddings._hub import hub_folder as f; print(f('someone/encoder', 40*'c'))"
    )
    variables = {
        "HF_HOME": str(tmp_path),
        "HF_HUB_DISABLE_XET": "1",
        "NO_PROXY": "127.0.0.1,localhost",
    }

    def run(**more):
        return subprocess.run(
            [sys.executable, "-W", "error", "-c", program],
            env={**os.environ, **variables, **more},
            capture_output=True,
            text=True,
        )

    with running_hub() as hub:
        hub.repositories = {NAME: {COMMIT: dict(FILES)}}
        done = run(HF_ENDPOINT=hub.url)
        assert done.returncode == 0, done.stderr
        assert done.stderr == ""
        assert (Path(done.stdout.strip()) / "model.safetensors").read_bytes() == WEIGHTS
    again = run(HF_ENDPOINT=f"http://127.0.0.1:{free_port}")
    assert (again.stdout, again.stderr) == (done.stdout, "")
