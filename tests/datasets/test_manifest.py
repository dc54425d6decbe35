import pandas as pd
import pytest

from skser import Segment
from skser.datasets import load_corpus, load_manifest
from skser.exceptions import CorpusNotFoundError, DataError, SkserWarning


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
    assert speech["DESCR"] == (
        f"{path}: a table of 2 recordings with 2 classes; recordings in column 'FileName', labels "
        "in column 'Emotion', speakers in column 'Agent'.\n"
    )
    paths, target = load_manifest(path, return_X_y=True)
    assert paths.tolist() == speech.paths.tolist()
    assert target.tolist() == speech.target.tolist()


def test_without_speakers(write):
    speech = load_manifest(write("FileName,Emotion,mood\na.wav,sad,low\n"))
    assert speech.groups is None
    assert list(speech.frame) == ["path", "emotion", "corpus", "mood"]


@pytest.mark.parametrize(
    ("header", "names"),
    [
        ("FileName,Emotion,Speaker", ("FileName", "Emotion", "Speaker")),
        ("file,label,speaker_id", ("file", "label", "speaker_id")),
        ("PATH,Class,Actor", ("PATH", "Class", "Actor")),
        ("Wav File,TARGET,Subject-ID", ("Wav File", "TARGET", "Subject-ID")),
        ("audio_path,emotion,spk", ("audio_path", "emotion", "spk")),
        ("file_name,emotion,actor", ("file_name", "emotion", "actor")),
    ],
)
def test_usual_names(write, header, names):
    speech = load_manifest(write(f"{header}\na.wav,sad,ann\nb.wav,angry,bob\n"))
    assert speech.target.tolist() == ["sad", "angry"]
    assert speech.groups.tolist() == ["ann", "bob"]
    roles = zip(("recordings", "labels", "speakers"), names, strict=True)
    assert all(f"{role} in column {name!r}" in speech.DESCR for role, name in roles)


def test_parameters_win_over_usual_names(write):
    path = write("file,alt,emotion,felt,speaker,who\na,b,sad,angry,ann,bob\n")
    speech = load_manifest(path, path_column="alt", label_column="felt", speaker_column="who")
    assert (speech.target, speech.groups) == (["angry"], ["bob"])
    assert speech.paths[0].endswith("b")


def test_several_usual_names(write):
    speech = load_manifest(write("path,file,label,emotion\na,b,1,sad\n"))
    assert speech.target.tolist() == ["sad"]
    assert speech.paths[0].endswith("b")
    with pytest.raises(DataError, match=r"calls.csv: columns 'label', 'class'.*label_column"):
        load_manifest(write("file,class,label\na,b,1\n"))
    speech = load_manifest(write("file,class,label\na,sad,1\n"), label_column="class")
    assert speech.target.tolist() == ["sad"]


@pytest.mark.parametrize("name", ["agent", "Client_ID", "participant", "Caller Name"])
def test_likely_speakers_are_pointed_out(write, name):
    path = write(f"file,emotion,{name}\na.wav,sad,ann\n")
    with pytest.warns(SkserWarning, match=f"column {name!r}.*speaker_column"):
        assert load_manifest(path).groups is None
    assert load_manifest(path, speaker_column=name).groups.tolist() == ["ann"]


def test_speakers_with_gaps(write):
    path = write("file,emotion,speaker\na.wav,sad,ann\nb.wav,sad,\n")
    with pytest.warns(SkserWarning, match=r"'speaker' is not used.*empty in 1 of 2 rows: row 3 "):
        assert load_manifest(path).groups is None
    with pytest.raises(DataError, match="'speaker' is empty"):
        load_manifest(path, speaker_column="speaker")


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "utf-32"])
def test_encodings(write, encoding):
    speech = load_manifest(write("FileName;Emotion\na.wav;tröstlich\n", encoding=encoding))
    assert speech.target.tolist() == ["tröstlich"]


def test_cp1252_is_named(write):
    path = write("FileName,Emotion\na.wav,sad\nb.wav,tröstlich\n", encoding="cp1252")
    with pytest.warns(SkserWarning, match=r"calls\.csv: .*cp1252.*'b.wav,tröstlich' in row 3"):
        assert load_manifest(path).target.tolist() == ["sad", "tröstlich"]


def test_delimiter_named_in_the_first_line(write):
    path = write('sep=;\r\nfile;emotion\r\n"a, b.wav";sad\r\nc.wav;\r\n')
    with pytest.raises(DataError, match=r"'emotion' is empty.*1 of 2 rows: row 4 "):
        load_manifest(path)


@pytest.mark.parametrize("name", ["calls.jsonl", "calls.NDJSON"])
def test_json_lines(write, name):
    text = '{"file": "a.wav", "emotion": "sad", "speaker": 1}\n\n{"emotion": "angry", "file": "b"'
    speech = load_corpus(write(text + ', "speaker": 2, "take": [1]}\n', name))
    assert [path[-1] for path in speech.paths] == ["v", "b"]
    assert speech.target.tolist() == ["sad", "angry"]
    assert speech.groups.tolist() == ["1", "2"]
    assert speech.frame["take"].tolist() == ["", "[1]"]


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "no rows"),
        ('{"file": "a"}\n{', "line 2"),
        ('["a", "b"]', "line 1 must be a JSON object"),
        ('{"file": "a", "emotion": null}', "'emotion' is empty.* 1 of 1 rows: line 1; fill"),
        ('{"file": "a"}', "no column of labels, such as emotion, .*label_column.*'file'"),
    ],
)
def test_wrong_json_lines(write, text, reason):
    with pytest.raises(DataError, match=reason):
        load_manifest(write(text, "calls.jsonl"))


def test_parquet(tmp_path):
    pytest.importorskip("pyarrow")
    table = pd.DataFrame({"file": ["a.wav", "b.wav"], "emotion": ["sad", None], "who": [1, 2]})
    table.to_parquet(tmp_path / "calls.parquet")
    with pytest.raises(DataError, match=r"'emotion' is empty.* 1 of 2 rows: line 2; fill"):
        load_corpus(tmp_path / "calls.parquet")
    table.fillna("angry").set_index("file").to_parquet(tmp_path / "calls.parquet")
    speech = load_corpus(tmp_path / "calls.parquet", speaker_column="who")
    assert speech.target.tolist() == ["sad", "angry"]
    assert speech.groups.tolist() == ["1", "2"]
    assert speech.paths.tolist() == [str(tmp_path / "a.wav"), str(tmp_path / "b.wav")]


def test_damaged_parquet(write):
    pytest.importorskip("pyarrow")
    with pytest.raises(DataError, match=r"calls\.parquet: cannot be read as a table"):
        load_manifest(write("PAR1", "calls.parquet"))


def test_workbook(write):
    with pytest.raises(DataError, match=r"calls\.csv: is a workbook.*CSV"):
        load_manifest(write("PK\3\4"))


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
    path = write("clipname,Emotion\na.wav,sad\n")
    with pytest.raises(DataError, match=r"'clip_name'.*'clipname'.*'clipname', 'Emotion'"):
        load_manifest(path, path_column="clip_name")
    with pytest.raises(
        DataError, match=r"no column of recordings, such as filename.*path_column .--path"
    ):
        load_manifest(path)


def test_missing_speaker_column(write):
    path = write("FileName,Emotion\na.wav,sad\n")
    with pytest.raises(DataError, match=r"'xyz' \(columns: 'FileName', 'Emotion'\)"):
        load_manifest(path, speaker_column="xyz")


@pytest.mark.parametrize("missing", [" ", "nan", "NaN", "None", "<NA>", "NULL", "#N/A"])
@pytest.mark.parametrize("column", ["FileName", "Emotion", "Who"])
def test_missing_values(write, column, missing):
    header = ["FileName", "Emotion", "Who"]
    row = ",".join(missing if name == column else "x" for name in header)
    path = write("\n".join([",".join(header), "a,b,c", "", row, "a,b,c", row]))
    with pytest.raises(DataError, match=f"{column!r} is empty.* in 2 of 4 rows: rows 4, 6 .row 1"):
        load_manifest(path, speaker_column="Who")


def test_rows_of_other_lengths(write):
    path = write("FileName,Emotion\na.wav,sad\nb.wav\nc.wav,sad,5\n")
    with pytest.raises(DataError, match=r"2 column names.*rows 3, 4"):
        load_manifest(path)


def test_column_twice(write):
    path = write("FileName,Emotion,Emotion\na.wav,sad,sad\n")
    with pytest.raises(DataError, match="columns 'Emotion' and 'Emotion' have the same name"):
        load_manifest(path)


@pytest.mark.parametrize("text", ["", "FileName,Emotion", "FileName,Emotion\n\n"])
def test_no_rows(write, text):
    path = write(text)
    with pytest.raises(DataError, match="no rows"):
        load_manifest(path)


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b'FileName,Emotion\n"a.wav,sad\n', "unexpected end"),
        (b"Emotion,\x81\n", "neither UTF-8"),
        (b"RIFF\x80\0\0\0WAVE", "utf-8"),
    ],
)
def test_not_a_table(tmp_path, content, reason):
    path = tmp_path / "calls.csv"
    path.write_bytes(content)
    with pytest.raises(DataError, match=rf"calls\.csv: cannot be read as a table \(.*{reason}"):
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


@pytest.mark.parametrize(
    "text",
    [
        "file,start,end,emotion\na,0.5,1.5,sad\na,1.5,,angry\nb,0,NaN,sad\n",
        'FILE;Start;End;Emotion\na;0,5;1,5;sad\na;"1,5";NaT;angry\nb;;;sad\n',
        "file,start,end,emotion\na,0 days 00:00:00.500000,0 days 00:00:01.500000,sad\n"
        "a,0 days 00:00:01.500000,NaT,angry\nb,0 days,NaT,sad\n",
        "file\tstart\tend\temotion\na\t00:00:00.5\t00:00:01,5\tsad\na\t1.5\t\tangry\nb\t\t\tsad\n",
    ],
)
def test_segments(write, text):
    path = write(text)
    speech = load_manifest(path)
    a, b = str(path.parent / "a"), str(path.parent / "b")
    assert speech.paths.tolist() == [Segment(a, 0.5, 1.5), Segment(a, 1.5), b]
    assert list(speech.frame) == ["path", "start", "end", "emotion", "corpus"]
    assert speech.frame["path"].tolist() == [a, a, b]
    assert speech.frame["start"].tolist() == [0.5, 1.5, 0.0]
    assert "starts of segments in column" in speech.DESCR
    speech.frame.to_csv(path.parent / "again.csv", index=False)
    again = load_manifest(path.parent / "again.csv")
    assert again.paths.tolist() == speech.paths.tolist()
    assert load_manifest(path, return_X_y=True)[0].tolist() == speech.paths.tolist()


def test_index_of_audformat(tmp_path):
    pytest.importorskip("pyarrow")
    times = pd.to_timedelta([0.0, 1.0], unit="s"), pd.to_timedelta([1.0, None], unit="s")
    index = pd.MultiIndex.from_arrays([["a", "a"], *times], names=["file", "start", "end"])
    frame = pd.DataFrame({"emotion": ["sad", "angry"]}, index=index)
    frame.to_parquet(tmp_path / "db.parquet")
    frame.to_csv(tmp_path / "db.csv")
    a = str(tmp_path / "a")
    for name in ("db.parquet", "db.csv"):
        speech = load_manifest(tmp_path / name)
        assert speech.paths.tolist() == [Segment(a, 0.0, 1.0), Segment(a, 1.0)]


@pytest.mark.parametrize(
    ("bounds", "reason"),
    [
        ("1,1", "got 1 to 1 s in row 3$"),
        ("2,1", "got 2 to 1 s in row 3"),
        ("-1,1", "got -1 to 1 s in row 3"),
        ("late,1", "'start' must hold seconds, .* got 'late' in row 3; rename"),
        ("1,inf", "'end' must hold seconds, .* got 'inf' in row 3; rename"),
    ],
)
def test_impossible_segments(write, bounds, reason):
    path = write(f"file,start,end,emotion\na,0,1,sad\na,{bounds},sad\n")
    with pytest.raises(DataError, match=reason):
        load_manifest(path)


@pytest.mark.parametrize("name", ["start", "end"])
def test_segments_need_both_bounds(write, name):
    with pytest.raises(DataError, match=rf"calls\.csv: has a column '{name}' and none"):
        load_manifest(write(f"file,{name},emotion\na,1,sad\n"))


def test_columns_of_corpora_and_of_the_split(write):
    path = write("file,label,Corpus,SubSet\na,sad,here,Training\nb,sad,,test\n")
    frame = load_manifest(path).frame
    assert frame["corpus"].tolist() == ["here", "calls"]
    assert frame["split"].tolist() == ["Training", "test"]


@pytest.mark.parametrize(
    ("columns", "values"),
    [
        ("start_ms,end_ms", "500,1500"),
        ("Start (s),End (s)", "0.5,1.5"),
        ("start_time,end_time", "0:00.5,00:00:01.5"),
        ("StartSeconds,EndSeconds", "0.5,1.5"),
        ("begin,stop", "500ms,1.5 s"),
        ("onset,offset", "0.5,1.5"),
        ("start,duration", "0.5,1"),
        ("offset,duration", "0.5,1"),
        ("start_ms,duration_ms", "500,1000"),
        ("duration,start,end", "9,0.5,1.5"),
        ("start_ms,start,end", "9,0.5,1.5"),
    ],
)
def test_names_and_units_of_segments(write, columns, values):
    speech = load_manifest(write(f"file,{columns},emotion\na,{values},sad\n"))
    ((path, start, end),) = [(p.path, p.start, p.end) for p in speech.paths]
    assert path.endswith("a")
    assert (start, end) == (0.5, 1.5)


@pytest.mark.parametrize("column", ["offset", "duration", "begin", "end_time", "startup", "items"])
def test_columns_that_are_no_segments(write, column):
    speech = load_manifest(write(f"file,{column},emotion\na,1,sad\n"))
    assert speech.paths[0].endswith("a")
    assert speech.frame[column].tolist() == ["1"]


def test_end_of_a_segment_without_a_duration(write):
    speech = load_manifest(write("file,start,duration,emotion\na,1,,sad\na,2,1,sad\n"))
    assert [(p.start, p.end) for p in speech.paths] == [(1.0, None), (2.0, 3.0)]


def test_columns_that_differ_in_case(write):
    path = write("file,Emotion,emotion\na,sad,angry\n")
    with pytest.raises(DataError, match="columns 'Emotion' and 'emotion' have the same name"):
        load_manifest(path)
    assert load_manifest(path, label_column="emotion").target.tolist() == ["angry"]


def test_recordings_in_several_rows(write):
    path = write("file,emotion\na,sad\nb,sad\na,angry\n")
    with pytest.warns(SkserWarning, match=r"1 recordings are in several rows, .*a \(sad, angry\)"):
        assert len(load_manifest(path).paths) == 3


@pytest.mark.parametrize(
    "text", ["\n \r\nfile,emotion\na,sad\n", "file,emotion\na,sad,\n", "file,emotion,\na,sad,,,\n"]
)
def test_blank_rows_and_trailing_delimiters(write, text):
    assert load_manifest(write(text)).target.tolist() == ["sad"]


def test_rows_are_counted_from_the_top_of_the_file(write):
    with pytest.raises(DataError, match="row 4 "):
        load_manifest(write("\n\nfile,emotion\n,sad\n"))


def test_nested_json(write):
    line = '{"audio": {"path": "a.wav", "bytes": null}, "y": {"emotion": "sad"}}\n'
    for name in ("calls.jsonl", "calls.json"):
        speech = load_manifest(write(line, name), label_column="y.emotion")
        assert speech.paths[0].endswith("/a.wav")
        assert speech.target.tolist() == ["sad"]


def test_json_list(write):
    path = write('[{"file": "a.wav",\n "emotion": "sad"}]', "calls.json")
    assert load_manifest(path).target.tolist() == ["sad"]
    assert load_corpus(path).target.tolist() == ["sad"]
    with pytest.raises(DataError, match=r"calls\.json: cannot be read as a table"):
        load_manifest(write("[{", "calls.json"))


def test_categories_in_parquet(tmp_path):
    frame = pd.DataFrame({"file": ["a", "b"], "emotion": pd.Categorical(["sad", "angry"])})
    frame.to_parquet(tmp_path / "calls.parquet")
    assert load_manifest(tmp_path / "calls.parquet").target.tolist() == ["sad", "angry"]


def test_workbook_is_named_when_recognised(tmp_path):
    (tmp_path / "calls.xlsx").write_bytes(b"PK\3\4")
    with pytest.raises(DataError, match=r"calls\.xlsx: is a workbook .*save the sheet as CSV"):
        load_corpus(tmp_path / "calls.xlsx")
