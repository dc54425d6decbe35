import pytest

from skser.datasets import load_manifest
from skser.exceptions import CorpusNotFoundError, DataError


@pytest.fixture
def write(tmp_path):
    def make(text, name="calls.csv", encoding="utf-8"):
        path = tmp_path / name
        path.write_bytes(text.encode(encoding))
        return path

    return make


def test_manifest(write):
    path = write("FileName,Emotion,Agent,Take\nb.wav, angry ,ann,1\nsub/a.wav,NA,bob,\n")
    speech = load_manifest(path, speaker_column="Agent")
    assert speech.paths.tolist() == [str(path.parent / "b.wav"), str(path.parent / "sub/a.wav")]
    assert speech.target.tolist() == ["angry", "NA"]
    assert speech.groups.tolist() == ["ann", "bob"]
    assert list(speech.frame) == ["path", "emotion", "speaker", "corpus", "Take"]
    assert speech.frame["Take"].tolist() == ["1", ""]
    assert speech.frame["corpus"].tolist() == ["calls", "calls"]
    assert speech["DESCR"] == f"{path}: a table of 2 recordings with 2 classes.\n"
    paths, target = load_manifest(path, return_X_y=True)
    assert paths.tolist() == speech.paths.tolist()
    assert target.tolist() == speech.target.tolist()


def test_without_speakers(write):
    speech = load_manifest(write("FileName,Emotion,speaker\na.wav,sad,ann\n"))
    assert speech.groups is None
    assert list(speech.frame) == ["path", "emotion", "corpus"]


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("calls.tsv", "FileName\tEmotion, or so\na,b.wav\tsad\n"),
        ("calls.csv", "FileName;Emotion, or so\na,b.wav;sad\n"),
        ("calls.txt", "FileName|Emotion, or so\na,b.wav|sad\n"),
        ("calls.csv", "FileName\tEmotion, or so\tx\na,b.wav\tsad\t\n"),
        ("calls.csv", 'FileName,"Emotion, or so",x,y\n"a,b.wav",sad,,\n'),
    ],
)
def test_delimiters(write, name, text):
    speech = load_manifest(write(text, name), label_column="Emotion, or so")
    assert speech.target.tolist() == ["sad"]
    assert speech.paths[0].endswith("a,b.wav")


def test_files_as_spreadsheets_write_them(write):
    text = "FileName;Emotion\r\na.wav;tröstlich\r\n\r\n;\r\nb.wav;sad\r\n"
    speech = load_manifest(write(text, encoding="utf-8-sig"))
    assert speech.target.tolist() == ["tröstlich", "sad"]


def test_frame_written_by_pandas_comes_back(write, tmp_path):
    path = write("x,FileName,Emotion,Who,corpus\n1,a.wav,sad,tess-OAF,tess\n")
    options = {"speaker_column": "Who"}
    first = load_manifest(path, **options)
    first.frame.to_csv(tmp_path / "again.csv")
    columns = {"path_column": "path", "label_column": "emotion", "speaker_column": "speaker"}
    again = load_manifest(tmp_path / "again.csv", **columns)
    assert again.frame.to_dict() == first.frame.to_dict()
    assert again.frame["corpus"].tolist() == ["tess"]


def test_where_relative_paths_start(write, tmp_path, monkeypatch):
    home = tmp_path / "audio"
    home.mkdir()
    path = write(f"FileName,Emotion\na.wav,sad\n{tmp_path / 'b.wav'},sad\n")
    speech = load_manifest(path, audio_home=home)
    assert speech.paths.tolist() == [str(home / "a.wav"), str(tmp_path / "b.wav")]
    monkeypatch.chdir(tmp_path)
    assert load_manifest("calls.csv").paths[0] == "a.wav"
    assert load_manifest(str(path), audio_home="audio").paths[0] == str(
        home.relative_to(tmp_path) / "a.wav"
    )


def test_missing_column(write):
    path = write("filename,Emotion\na.wav,sad\n")
    with pytest.raises(DataError, match=r"'FileName'.*'filename'.*'filename', 'Emotion'"):
        load_manifest(path)


def test_missing_speaker_column(write):
    path = write("FileName,Emotion\na.wav,sad\n")
    with pytest.raises(DataError, match=r"'xyz' \(columns: 'FileName', 'Emotion'\)"):
        load_manifest(path, speaker_column="xyz")


@pytest.mark.parametrize("column", ["FileName", "Emotion", "Who"])
def test_empty_values(write, column):
    header = ["FileName", "Emotion", "Who"]
    row = ",".join(" " if name == column else "x" for name in header)
    path = write("\n".join([",".join(header), "a,b,c", "", row, "a,b,c", row]))
    with pytest.raises(DataError, match=f"{column!r} is empty in 2 of 4 rows: 4, 6"):
        load_manifest(path, speaker_column="Who")


def test_rows_of_other_lengths(write):
    path = write("FileName,Emotion\na.wav,sad\nb.wav\nc.wav,sad,5\n")
    with pytest.raises(DataError, match=r"2 column names.*rows 3, 4"):
        load_manifest(path)


def test_column_twice(write):
    path = write("FileName,Emotion,Emotion\na.wav,sad,sad\n")
    with pytest.raises(DataError, match="more than one column 'Emotion'"):
        load_manifest(path)


@pytest.mark.parametrize("text", ["", "FileName,Emotion", "FileName,Emotion\n\n"])
def test_no_rows(write, text):
    path = write(text)
    with pytest.raises(DataError, match="no rows"):
        load_manifest(path)


@pytest.mark.parametrize(
    ("text", "encoding"), [("Fö,E\na,b\n", "latin-1"), ('FileName,Emotion\n"a.wav,sad\n', "utf-8")]
)
def test_not_a_table(write, text, encoding):
    path = write(text, encoding=encoding)
    with pytest.raises(DataError, match=r"calls\.csv: cannot be read as a table"):
        load_manifest(path)


def test_missing_file(tmp_path):
    with pytest.raises(CorpusNotFoundError, match=r"x\.csv: no such file"):
        load_manifest(tmp_path / "x.csv")


def test_missing_folder(write, tmp_path):
    with pytest.raises(CorpusNotFoundError, match="x: no such folder"):
        load_manifest(write("FileName,Emotion\na,b\n"), audio_home=tmp_path / "x")


def test_folder_instead_of_a_file(tmp_path):
    with pytest.raises(DataError, match=f"{tmp_path}: is a folder"):
        load_manifest(tmp_path)
