"""Corpora fetched from a server on this machine, and from a fake kagglehub."""

import hashlib
import io
import sys
import tarfile
import zipfile
from types import SimpleNamespace

import numpy as np
import pytest

from skser.datasets import (
    fetch_crema_d,
    fetch_emodb,
    fetch_kaggle_ser,
    fetch_ravdess,
    fetch_subesco,
    load_emodb,
)
from skser.datasets.fetch import SOURCES
from skser.exceptions import (
    CorpusNotFoundError,
    DataError,
    DownloadError,
    MissingDependencyError,
    ParameterError,
)

GERMAN = ["emodb/wav/03a01Fa.wav", "emodb/wav/16b10Wb.wav", "emodb/db.files.csv"]
NOISE = np.random.default_rng(0).bytes(20_000)


def sha256(data):
    return f"sha256:{hashlib.sha256(data).hexdigest()}"


def zip_of(names, content=NOISE):
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        for name in names:
            archive.writestr(name, content)
    return file.getvalue()


def tar_of(files):
    file = io.BytesIO()
    with tarfile.open(fileobj=file, mode="w:gz") as archive:
        for name, content in files.items():
            info = tarfile.TarInfo(name)
            info.size = len(content)
            archive.addfile(info, io.BytesIO(content))
    return file.getvalue()


def everything(folder):
    return sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*"))


@pytest.fixture
def emodb(server):
    """Address and checksum of an archive of EmoDB."""
    data = zip_of(GERMAN)
    return {"url": server.url("download.zip", data), "checksum": sha256(data)}


@pytest.fixture
def published(server, monkeypatch):
    """Function that puts an archive where a corpus is published."""

    def publish(name, data, **changes):
        source = SOURCES[name]
        checksum = source.checksum and f"md5:{hashlib.md5(data).hexdigest()}"
        url = server.url(source.url.rpartition("/")[2], data)
        changed = source._replace(url=url, checksum=checksum, **changes)
        monkeypatch.setitem(SOURCES, name, changed)

    return publish


def test_a_corpus_is_downloaded_once(server, tmp_path, emodb, capsys):
    speech = fetch_emodb(tmp_path, **emodb)
    assert everything(tmp_path) == sorted(
        ["emodb", "emodb/emodb", "emodb/emodb/wav"] + [f"emodb/{name}" for name in GERMAN]
    )
    loaded = load_emodb(tmp_path / "emodb")
    assert speech.frame.equals(loaded.frame)
    assert speech.DESCR == loaded.DESCR
    assert speech.target.tolist() == ["happy", "angry"]
    assert (tmp_path / "emodb" / GERMAN[0]).read_bytes() == NOISE
    assert capsys.readouterr() == (
        "",
        f"Downloading {emodb['url']} to {tmp_path / 'emodb'}\n\n{speech.DESCR}\n",
    )
    paths, target = fetch_emodb(tmp_path, return_X_y=True, download_if_missing=False)
    assert paths.tolist() == speech.paths.tolist()
    assert target.tolist() == speech.target.tolist()
    assert len(server.requests) == 1
    assert capsys.readouterr() == ("", "")


@pytest.mark.parametrize("fetch", [fetch_ravdess, fetch_emodb, fetch_crema_d, fetch_subesco])
def test_download_if_missing(tmp_path, fetch):
    folder = tmp_path / {fetch_ravdess: "ravdess/speech"}.get(fetch, fetch.__name__[6:])
    with pytest.raises(CorpusNotFoundError, match=f"{folder}: .*download_if_missing=False"):
        fetch(tmp_path, download_if_missing=False)
    assert everything(tmp_path) == []


def test_subesco(server, tmp_path):
    names = ["SUBESCO/F_01_OISHI_S_10_ANGRY_1.wav", "SUBESCO/F_02_MONIKA_S_2_SURPRISE_3].wav"]
    data = zip_of(names)
    url = server.url("SUBESCO.zip", data)
    speech = fetch_subesco(tmp_path, url=url, checksum=sha256(data))
    assert speech.paths.tolist() == [str(tmp_path / "subesco" / name) for name in names]
    assert speech.target.tolist() == ["angry", "surprise"]
    _, target = fetch_subesco(tmp_path, return_X_y=True)
    assert target.tolist() == ["angry", "surprise"]
    with pytest.raises(DataError, match="sha256:7505111bc"):
        fetch_subesco(tmp_path / "other", url=url)


def test_where_corpora_are(tmp_path, monkeypatch):
    def missing(*args):
        with pytest.raises(CorpusNotFoundError) as error:
            fetch_emodb(*args, download_if_missing=False)
        return str(error.value).partition(":")[0]

    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("USERPROFILE", str(tmp_path))
    monkeypatch.delenv("SKSER_DATA", raising=False)
    assert missing() == str(tmp_path / "skser_data" / "emodb")
    monkeypatch.setenv("SKSER_DATA", "~/elsewhere")
    assert missing() == str(tmp_path / "elsewhere" / "emodb")
    assert missing(tmp_path / "here") == str(tmp_path / "here" / "emodb")


def test_channels_of_ravdess(server, tmp_path, published):
    published("speech", zip_of(["Actor_01/03-01-03-01-01-01-01.wav"]))
    published("song", zip_of(["Actor_01/03-02-04-01-01-01-01.wav"]))
    assert fetch_ravdess(tmp_path, channel="song").target.tolist() == ["sad"]
    assert fetch_ravdess(tmp_path, channel="song").target.tolist() == ["sad"]
    assert everything(tmp_path / "ravdess")[0] == "song"
    both = fetch_ravdess(tmp_path, channel="both")
    assert sorted(both.target) == ["happy", "sad"]
    assert fetch_ravdess(tmp_path).target.tolist() == ["happy"]
    names = [name for name, _ in server.requests]
    assert names == ["Audio_Song_Actors_01-24.zip", "Audio_Speech_Actors_01-24.zip"]


def test_one_address_is_not_of_two_archives(tmp_path, emodb):
    with pytest.raises(ParameterError, match="channel must be 'speech' or 'song', got 'both'"):
        fetch_ravdess(tmp_path, channel="both", **emodb)


@pytest.mark.parametrize(
    "wrong",
    [
        {"url": "ftp://host/a.zip"},
        {"checksum": "1234"},
        {"verbose": "no"},
        {"download_if_missing": 2},
    ],
)
def test_parameters_are_checked_first(server, tmp_path, emodb, wrong):
    with pytest.raises(ParameterError, match=f"^{next(iter(wrong))} must be "):
        fetch_emodb(tmp_path, **{**emodb, **wrong})
    assert server.requests == []
    assert everything(tmp_path) == []


def test_a_wrong_checksum_leaves_nothing(tmp_path, emodb):
    with pytest.raises(DataError, match=rf"{emodb['url']}: .*md5:.*{SOURCES['emodb'].checksum}"):
        fetch_emodb(tmp_path, url=emodb["url"])
    assert everything(tmp_path) == []


def test_a_cut_download_resumes(server, tmp_path, emodb):
    server.cut = 30_000
    with pytest.raises(DownloadError, match="cut after 30000 of "):
        fetch_emodb(tmp_path, **emodb)
    server.cut = None
    assert len(fetch_emodb(tmp_path, **emodb).paths) == 2
    assert server.requests[-1] == ("download.zip", "bytes=30000-")
    assert [path.name for path in tmp_path.iterdir()] == ["emodb"]


def test_an_interrupted_extraction_needs_no_second_download(server, tmp_path, emodb, monkeypatch):
    def interrupt(archive, folder, max_bytes):
        (folder / "half.wav").touch()
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr("skser.datasets.fetch.safe_extract", interrupt)
        with pytest.raises(KeyboardInterrupt):
            fetch_emodb(tmp_path, **emodb)
    assert [name[-12:] for name in everything(tmp_path)] == ["download.zip"]
    assert len(fetch_emodb(tmp_path, **emodb).paths) == 2
    assert len(server.requests) == 1
    assert [path.name for path in tmp_path.iterdir()] == ["emodb"]


@pytest.mark.parametrize(
    ("data", "fault"),
    [
        (tar_of({GERMAN[0]: NOISE, "../../evil.wav": NOISE}), "outside the destination"),
        (zip_of(GERMAN)[:-30], "is neither a zip nor a tar.gz archive"),
        (b"<html>We have moved</html>", "is neither a zip nor a tar.gz archive"),
        (zip_of(["gio-f1-b1.wav"]), "nothing in it is named as in emodb (03a01Fa.wav)"),
    ],
    ids=["path", "cut", "page", "names"],
)
def test_an_unusable_archive_leaves_nothing(server, tmp_path, data, fault):
    home = tmp_path / "inner" / "home"
    with pytest.raises(DataError) as error:
        fetch_emodb(home, url=server.url("a.zip", data), checksum=sha256(data))
    assert fault in str(error.value)
    assert everything(tmp_path) == ["inner", "inner/home"]


def test_an_archive_is_limited_by_its_corpus(tmp_path, published):
    published("emodb", zip_of(GERMAN), max_bytes=50_000)
    with pytest.raises(DataError, match=r"emodb\.zip: has more than 50000 bytes$"):
        fetch_emodb(tmp_path)


CREMA = {f"1001_DFA_{emotion}_XX.wav": NOISE[i:] for i, emotion in enumerate(["ANG", "SAD"])}


@pytest.fixture
def table(server):
    """Address and checksum of a table with the checksums of recordings."""
    rows = [
        f"https://host/AudioWAV/{name} {len(data)} {sha256(data)[7:]}"
        for name, data in CREMA.items()
    ]
    data = "\n".join(["https://host/summaryTable.csv 12 " + "0" * 64, *rows, ""]).encode()
    return server.url("crema_d.txt", data), sha256(data)


def test_recordings_are_compared_with_their_checksums(tmp_path, published, table, capsys):
    data = tar_of({**CREMA, "1002_DFA_ANG_XX.wav": NOISE})  # one that the table lacks
    published("crema_d", data, recordings=table)
    speech = fetch_crema_d(tmp_path)
    assert speech.target.tolist() == ["angry", "sad", "angry"]
    assert [path.name for path in tmp_path.iterdir()] == ["crema_d"]
    assert capsys.readouterr().err.endswith(
        f"{speech.DESCR}\ncrema_d.tar.gz: no checksum is published, it has {sha256(data)}\n"
    )


def test_missing_or_changed_recordings(tmp_path, published, table):
    published("crema_d", tar_of({"1001_DFA_ANG_XX.wav": NOISE[5:]}), recordings=table)
    with pytest.raises(DataError, match=r"2 of 2 .*: 1001_DFA_ANG_XX\.wav, 1001_DFA_SAD_XX\.wav"):
        fetch_crema_d(tmp_path)
    assert everything(tmp_path) == []


def test_the_table_has_a_checksum_too(server, tmp_path, published, table):
    published("crema_d", tar_of(CREMA), recordings=(table[0], sha256(b"")))
    with pytest.raises(DataError, match=r"crema_d\.txt: .* checksum "):
        fetch_crema_d(tmp_path)
    assert [name for name, _ in server.requests] == ["crema_d.txt"]


def test_an_archive_with_a_checksum_needs_no_table(server, tmp_path, capsys):
    data = tar_of(CREMA)
    fetch_crema_d(tmp_path, url=server.url("mirror.tar.gz", data), checksum=sha256(data))
    assert [name for name, _ in server.requests] == ["mirror.tar.gz"]
    assert "no checksum" not in capsys.readouterr().err


# --- Kaggle ---------------------------------------------------------------------------------

FOUR = [
    "Crema/1001_DFA_ANG_XX.wav",
    "Ravdess/audio_speech_actors_01-24/Actor_12/03-01-06-01-02-01-12.wav",
    "Savee/DC_a01.wav",
    "Tess/OAF_Fear/OAF_back_fear.wav",
]


@pytest.fixture
def kagglehub(monkeypatch, tmp_path):
    """A kagglehub whose datasets are empty files of the names in ``content``."""
    monkeypatch.setenv("KAGGLEHUB_CACHE", str(tmp_path))
    hub = SimpleNamespace(content=FOUR, calls=[])

    def dataset_download(handle, path=None, *, force_download=False):
        hub.calls.append((handle, force_download))
        home = tmp_path / "datasets" / handle / "versions" / "1"
        for name in hub.content:
            (home / name).parent.mkdir(parents=True, exist_ok=True)
            (home / name).touch()
        return str(home)

    hub.dataset_download = dataset_download
    monkeypatch.setitem(sys.modules, "kagglehub", hub)
    return hub


def test_four_corpora_from_kaggle(kagglehub, capsys):
    speech = fetch_kaggle_ser()
    assert speech.frame["corpus"].tolist() == ["crema_d", "ravdess", "savee", "tess"]
    assert speech.target.tolist() == ["angry", "fear", "angry", "fear"]
    assert speech.groups.tolist() == ["crema_d-1001", "ravdess-12", "savee-DC", "tess-OAF"]
    printed = capsys.readouterr()
    assert printed.out == ""
    page = "https://www.kaggle.com/datasets/dmitrybabko/speech-emotion-recognition-en"
    assert printed.err.startswith(f"Downloading {page} ")
    _, _, descr = speech.DESCR.partition("\n")
    assert all(part in printed.err for part in descr.split("\n\n"))
    paths, target = fetch_kaggle_ser(return_X_y=True)
    assert (paths.tolist(), target.tolist()) == (speech.paths.tolist(), speech.target.tolist())
    assert capsys.readouterr().err == ""
    fetch_kaggle_ser(force_download=True)
    assert "RAVDESS: " in capsys.readouterr().err
    assert [force for _, force in kagglehub.calls] == [False, False, True]


def test_a_dataset_of_one_corpus(kagglehub):
    name = "Actor_01/03-01-03-01-01-01-01.wav"
    kagglehub.content = [name, f"audio_speech_actors_01-24/{name}"]
    speech = fetch_kaggle_ser("uwrfkaggler/ravdess-emotional-speech-audio")
    assert speech.groups.tolist() == ["ravdess-01"]


def test_a_dataset_without_folders(kagglehub):
    kagglehub.content = ["03a01Fa.wav"]
    assert fetch_kaggle_ser("someone/emodb/versions/3").groups.tolist() == ["emodb-03"]
    assert kagglehub.calls == [("someone/emodb/versions/3", False)]


def test_kaggle_refuses(kagglehub):
    def refuse(*args, **kwargs):
        raise OSError("403 Client Error.\n\nYou do not have permission")

    kagglehub.dataset_download = refuse
    with pytest.raises(
        DownloadError, match=r"a/b: .*403 Client Error\. You do not have permission"
    ):
        fetch_kaggle_ser("a/b")


@pytest.mark.parametrize("handle", ["emodb", "a/b/c", "/b", 3, None])
def test_invalid_handles(kagglehub, handle):
    with pytest.raises(ParameterError, match=f"handle must be 'owner/dataset'.*, got {handle!r}"):
        fetch_kaggle_ser(handle)
    assert kagglehub.calls == []


def test_kagglehub_is_not_installed(monkeypatch):
    monkeypatch.setitem(sys.modules, "kagglehub", None)
    with pytest.raises(MissingDependencyError, match=r"a/b: .*kagglehub.*'skser\[kaggle\]'"):
        fetch_kaggle_ser("a/b")
