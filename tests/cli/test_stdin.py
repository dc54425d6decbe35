"""Recordings, lists and anything else on the standard input of commands."""

import csv
import gzip
import io
import json
import os
import subprocess
import sys

import joblib
import numpy as np
import pytest
import soundfile
from typer.testing import CliRunner

import skser
from skser import cli
from skser.cli import _stdin
from skser.cli._stdin import read_content, read_stdin
from skser.exceptions import AudioError, DataError
from tests.audio.samples import encode, noise, tone
from tests.cli.piped import write_to_pipe
from tests.evaluations import noises, quick_pipeline
from tests.persistence.models import quick_model

CLIP = encode(noise(32000), format="FLAC/PCM_16")


@pytest.fixture(scope="module")
def home(tmp_path_factory):
    home = tmp_path_factory.mktemp("home")
    skser.save(quick_model()[0], home / "model.skser")
    speech = noises()
    pipeline = quick_pipeline(load__duration=3.0, load__pad=None)
    joblib.dump(pipeline.fit(speech.waveforms, speech.target), home / "model.joblib")
    (home / "clip.flac").write_bytes(CLIP)
    return home


def invoke(*arguments, stdin=None):
    arguments = [str(argument) for argument in arguments]
    return CliRunner().invoke(cli.app, arguments, input=stdin, catch_exceptions=False)


@pytest.fixture
def give(monkeypatch):
    """Put bytes on standard input."""

    def give(content):
        stdin = io.TextIOWrapper(io.BytesIO(content), "utf-8", "surrogateescape")
        monkeypatch.setattr("sys.stdin", stdin)

    return give


# --- recordings -----------------------------------------------------------------------------

SOUNDS = {
    format: encode(noise(32000), format=format)
    for format in (
        *("WAV/PCM_16", "WAVEX/FLOAT", "RF64/PCM_16", "W64/PCM_16", "FLAC/PCM_16", "OGG/VORBIS"),
        *("OGG/OPUS", "AIFF/PCM_16", "CAF/PCM_16", "AU/PCM_16", "AU/ULAW", "MP3/MPEG_LAYER_III"),
        *("NIST/PCM_16", "VOC/PCM_16", "IRCAM/PCM_16"),
    )
}
SOUNDS["MP3 with a tag"] = b"ID3\x03\0\0\0\0\0\x0a" + bytes(10) + SOUNDS["MP3/MPEG_LAYER_III"]
SOUNDS["WAV of sox"] = (
    SOUNDS["WAV/PCM_16"][:4]
    + (0x7FFFF024).to_bytes(4, "little")
    + SOUNDS["WAV/PCM_16"][8:40]
    + (0x7FFFF000).to_bytes(4, "little")
    + SOUNDS["WAV/PCM_16"][44:]
)


@pytest.mark.parametrize("kind", SOUNDS)
def test_a_recording_is_predicted_as_its_file(kind, at_home, tmp_path):
    path = tmp_path / "clip.bin"
    path.write_bytes(SOUNDS[kind])
    of_file = invoke("predict", "model.skser", path, "--csv", "-")
    done = invoke("predict", "model.skser", "-", "--csv", "-", stdin=SOUNDS[kind])
    assert (done.exit_code, done.stderr) == (0, "")
    assert done.stdout == of_file.stdout.replace(str(path), "-")
    assert done.stdout.splitlines()[1].startswith("-,")


@pytest.mark.parametrize("runtime", ["auto", "tensorflow"])
def test_every_form_of_output_names_a_dash(runtime, at_home):
    options = ["predict", "model.skser", "clip.flac", "-", "--runtime", runtime]
    _, first, second = invoke(*options, stdin=CLIP).stdout.splitlines()
    assert first.split()[1:] == second.split()[1:]
    assert (first.split()[0], second.split()[0]) == ("clip.flac", "-")
    lines = invoke(*options, "--json", "-", stdin=CLIP).stdout.splitlines()
    first, second = map(json.loads, lines)
    assert second == {**first, "file": "-"}


@pytest.mark.parametrize("runtime", ["auto", "tensorflow"])
@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (encode(noise(32000))[:9000], "is truncated"),
        (np.random.default_rng(0).bytes(4000), "is not readable audio"),
        (bytes(4000), "is a file of zero bytes"),
        (gzip.compress(b"calls", mtime=0), "is a gzip archive, not a recording; extract it first"),
        (b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR", "is a PNG image"),
    ],
)
def test_what_cannot_be_used_is_named_a_dash(content, reason, runtime, at_home):
    arguments = ["predict", "model.skser", "-", "clip.flac", "--runtime", runtime, "--csv", "-"]
    done = invoke(*arguments, stdin=content)
    assert done.exit_code == 1
    assert done.stderr.startswith(f"skser: error: -: {reason}")
    assert done.stderr.count("\n") == 1
    assert len(done.stderr) < 300
    assert len(done.stdout.splitlines()) == 2  # the other recording


# --- lists ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("content", "names"),
    [
        (b"a.wav\nb.wav\n", ["a.wav", "b.wav"]),
        (b"a.wav\r\n\r\nb.wav", ["a.wav", "b.wav"]),
        (b" a b.wav \n", [" a b.wav "]),
        ("\u00e4.wav\n\u4f60.mp3\n".encode(), ["\u00e4.wav", "\u4f60.mp3"]),
        (b"\xe4.wav\n", ["\udce4.wav"]),
        ("a.wav\r\nb.wav\r\n".encode("utf-16"), ["a.wav", "b.wav"]),
        ("\ufeffa.wav\nb.wav\n".encode(), ["a.wav", "b.wav"]),
        (b"RIFF/a.wav\n", ["RIFF/a.wav"]),
        (b"ID3 tagged.mp3\n", ["ID3 tagged.mp3"]),
        (b"https://example.org/a.wav\n", ["https://example.org/a.wav"]),
        (b"a.wav\n" * 5000, ["a.wav"] * 5000),
    ],
)
def test_a_list(content, names, give):
    give(content)
    assert read_stdin() == names


def test_strange_names_of_files_that_exist(give, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for name in ("a\x1bb.wav", "[1] a.wav", "<b>.wav", "a\nb.wav"):
        (tmp_path / name).write_bytes(CLIP)
        give(name.encode() + b"\0clip.flac\0")  # find -print0
        assert read_stdin() == [name, "clip.flac"]
        if "\n" not in name:
            give(name.encode() + b"\nclip.flac\n")
            assert read_stdin() == [name, "clip.flac"]


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"<!DOCTYPE html><html>\n</html>\n", "is an HTML page.*the download has failed"),
        (b'{"error": "not found"}\n', "is JSON text, not a recording"),
        (b"version https://git-lfs.github.com/spec/v1\noid sha256:1\n", "git lfs pull"),
        (b"UklGRiQAAABXQVZF" * 4 + b"\n" + b"AAAA" * 16 + b"\n", "is text in base64.*base64 -d"),
    ],
)
def test_text_that_is_no_list(content, reason, give):
    give(content)
    with pytest.raises(DataError, match=f"^-: {reason}|^-: .*{reason}") as raised:
        read_stdin()
    assert len(str(raised.value)) < 200


# --- nothing, too much ----------------------------------------------------------------------


@pytest.mark.parametrize("content", [b"", b"\n \r\n"])
@pytest.mark.parametrize("read", [read_stdin, read_content])
def test_an_empty_pipe(content, read, give):
    give(content)
    with pytest.raises(DataError, match="no recording on standard input, which is empty; pipe a"):
        read()


def test_a_terminal_is_not_waited_for(monkeypatch):
    class Terminal(io.StringIO):
        def isatty(self):
            return True

        def read(self, *_):
            raise AssertionError

    monkeypatch.setattr("sys.stdin", Terminal())
    with pytest.raises(DataError, match="standard input is a terminal; pipe a recording into it"):
        read_stdin()


def test_more_than_fits_into_memory(give, monkeypatch):
    monkeypatch.setattr(_stdin, "_MAX_BYTES", 3000)
    monkeypatch.setattr(_stdin, "_CHUNK", 1000)
    give(bytes(3000))
    assert read_content() == bytes(3000)
    give(bytes(3001))
    with pytest.raises(DataError, match="at most 3000 bytes, got more; write them to a file"):
        read_content()


# --- other commands -------------------------------------------------------------------------


def test_timeline(at_home):
    of_file = invoke("timeline", "model.joblib", "clip.flac", "--csv", "-")
    done = invoke("timeline", "model.joblib", "-", "--csv", "-", stdin=CLIP)
    assert done.exit_code == 0
    assert done.stdout == of_file.stdout
    assert len(list(csv.DictReader(io.StringIO(done.stdout)))) == 2


@pytest.mark.slow
@pytest.mark.parametrize("options", [(), ("--model", "model.skser")])
def test_plot(options, at_home, tmp_path):
    pictures = []
    for name in ("clip.flac", "-"):
        out = tmp_path / "clip.png"
        done = invoke("plot", name, "--out", out, *options, stdin=CLIP)
        assert done.exit_code == 0
        pictures.append(out.read_bytes())
    assert pictures[0] == pictures[1]


@pytest.mark.parametrize("content", [b"clip.flac\n", CLIP[:500], b"\0\x01garbage" * 40])
@pytest.mark.parametrize(
    "arguments",
    [
        ["timeline", "model.joblib", "-"],
        ["plot", "-", "--out", "a.png"],
        ["plot", "-", "--out", "a.png", "--model", "model.skser"],
    ],
)
def test_errors_of_other_commands_name_a_dash(arguments, content, at_home):
    with pytest.raises(AudioError, match=r"^-: (is text, not|is not readable|is trunc|.*decod)"):
        invoke(*arguments, stdin=content)


@pytest.mark.parametrize("command", [["timeline", "model.joblib"], ["plot", "--out", "a.png"]])
def test_other_commands_need_input(command, at_home):
    with pytest.raises(DataError, match="no recording on standard input"):
        invoke(*command, "-", stdin=b"")


# --- processes and their pipes --------------------------------------------------------------


def start(*arguments, **options):
    return subprocess.run(
        [sys.executable, "-m", "skser.cli", *map(str, arguments)],
        check=False,
        capture_output=True,
        timeout=120,
        **options,
    )


@pytest.fixture(scope="module")
def probabilities_of_the_tone(home):
    """Of the tone that `piped` writes, from a file."""
    soundfile.write(home / "tone.wav", tone(440, 16000, 2.0), 16000)
    return skser.load(home / "model.skser").predict_proba([home / "tone.wav"])[0]


def check_row(table, expected):
    (row,) = csv.DictReader(io.StringIO(table))
    assert row["file"] == "-"
    numbers = [float(row[name]) for name in ("angry", "calm", "sad")]
    np.testing.assert_allclose(numbers, expected, atol=0.1)


@pytest.mark.parametrize(
    ("format", "codec"),
    [
        *(("wav", "pcm_s16le"), ("w64", "pcm_s16le"), ("caf", "pcm_s16be"), ("au", "pcm_s16be")),
        *(("flac", "flac"), ("ogg", "libopus"), ("webm", "libopus"), ("mp3", "libmp3lame")),
        *(("adts", "aac"), ("flv", "aac"), ("avi", "pcm_s16le"), ("mpegts", "mp2")),
    ],
)
def test_what_ffmpeg_writes_to_a_pipe(format, codec, at_home, probabilities_of_the_tone):
    pytest.importorskip("av")
    content = io.BytesIO()
    write_to_pipe(content, format, codec)
    done = invoke("predict", "model.skser", "-", "--csv", "-", stdin=content.getvalue())
    assert (done.exit_code, done.stderr) == (0, "")
    check_row(done.stdout, probabilities_of_the_tone)


@pytest.mark.slow
def test_a_pipe_between_processes(at_home, probabilities_of_the_tone):
    pytest.importorskip("av")
    command = [sys.executable, "-m", "tests.cli.piped", "wav", "pcm_s16le"]
    root = os.path.dirname(os.path.dirname(os.path.dirname(__file__)))
    with subprocess.Popen(command, stdout=subprocess.PIPE, cwd=root) as writer:
        done = start("predict", "model.skser", "-", "--csv", "-", stdin=writer.stdout)
    assert (done.returncode, done.stderr) == (0, b"")
    check_row(done.stdout.decode(), probabilities_of_the_tone)


@pytest.mark.slow
def test_a_terminal(at_home):
    pty = pytest.importorskip("pty")
    ours, theirs = pty.openpty()
    try:
        for command in (["predict", "model.skser"], ["timeline", "model.joblib"]):
            done = start(*command, "-", stdin=theirs)
            assert done.returncode == 1
            assert done.stderr.startswith(b"skser: error: -: standard input is a terminal; pipe")
    finally:
        os.close(ours)
        os.close(theirs)


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no named pipes")
@pytest.mark.parametrize(
    ("command", "content"),
    [
        (["predict", "model.skser", "{pipe}", "--csv", "-"], CLIP),
        (["timeline", "model.joblib", "{pipe}", "--csv", "-"], CLIP),
        (["plot", "{pipe}", "--out", "a.png"], CLIP),
        (["predict", "model.skser", "{pipe}"], b"no audio"),
        (["timeline", "model.joblib", "{pipe}"], b"no audio"),
    ],
    # pytest puts the name of a test into the environment, which must not hold a recording.
    ids=["predict", "timeline", "plot", "predict no audio", "timeline no audio"],
)
def test_a_named_pipe(command, content, at_home, tmp_path, monkeypatch, capfd):
    """As ``skser predict model.skser <(ffmpeg ...)``."""
    pipe, file = str(tmp_path / "a"), str(tmp_path / "b")
    os.mkfifo(pipe)
    (tmp_path / "b").write_bytes(content)

    def main(path):
        arguments = [part.format(pipe=path) for part in command]
        monkeypatch.setattr("sys.argv", ["skser", *arguments])
        with pytest.raises(SystemExit) as left:
            cli.main()
        return left.value.code, *capfd.readouterr()

    code, stdout, stderr = main(file)
    with subprocess.Popen(["sh", "-c", 'cat "$0" > "$1"', file, pipe]):
        code_of_pipe, stdout_of_pipe, stderr_of_pipe = main(pipe)
    assert (code_of_pipe == 0) == (content == CLIP) == (code == 0)
    assert stdout_of_pipe.replace(pipe, file) == stdout
    if code:  # else it has the seconds
        assert stderr_of_pipe.replace(pipe, file) == stderr


@pytest.mark.slow
def test_files_as_standard_input(at_home):
    with open("clip.flac", "rb") as clip:
        assert start("predict", "model.skser", "-", stdin=clip).returncode == 0
    done = start("predict", "model.skser", "-", stdin=subprocess.DEVNULL)
    assert done.returncode == 1
    assert done.stderr.startswith(b"skser: error: -: no recording on standard input")
