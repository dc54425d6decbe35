import socket
import subprocess
import sys

import pytest

from skser import cli


def fail(monkeypatch, capsys, *arguments):
    """Standard error of the command, which must exit with 1."""
    monkeypatch.setattr("sys.argv", ["skser", "serve", "--port", "0", *map(str, arguments)])
    for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
        monkeypatch.setenv(name, "1")
    with pytest.raises(SystemExit) as left:
        cli.main()
    assert left.value.code == 1
    return capsys.readouterr().err


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["no.skser"], "no.skser: is not a file, so there is no model to load"),
        ([__file__], "is not a model file, or is truncated (a pickle is none)"),
        (["no.skser", "--proxy", "*"], "proxy must be IP addresses or networks, got '*' does not"),
        (["no.skser", "--origin", "example.org"], "must be web sites without a path, as https://"),
        (["no.skser", "--origin", "https://example.org/page"], "got 'https://example.org/page'"),
        (["no.skser", "--origin", "*"], "got '*'"),
        (["no.skser", "--allow-host", "https://example.org"], "must be names without scheme and"),
        (["no.skser", "--allow-host", "example.org:8443"], "got 'example.org:8443'"),
        (["no.skser", "--host", "192.0.2.1"], "cannot listen at 192.0.2.1, port 0: "),
        (["no.skser", "--upload-mb", "0"], "upload_mb must be a number above 0, got 0.0"),
        (["no.skser", "--api-key", ""], "api_key must be one or more visible ASCII characters"),
    ],
)
def test_errors_are_one_line(arguments, message, monkeypatch, capsys):
    pytest.importorskip("fastapi")
    error = fail(monkeypatch, capsys, *arguments)
    assert error.startswith("skser: error: ")
    assert message in error
    assert error.count("\n") == 1


def test_an_empty_key_in_the_environment_is_refused(monkeypatch, capsys):
    pytest.importorskip("fastapi")
    monkeypatch.setenv("SKSER_API_KEY", "")
    assert "SKSER_API_KEY is empty; it must be" in fail(monkeypatch, capsys, "no.skser")


@pytest.mark.parametrize("module", ["fastapi", "uvicorn", "python_multipart", "prometheus_client"])
def test_missing_packages_are_named(module):
    program = f"import sys; sys.modules[{module!r}] = None; from skser.cli import main; main()"
    done = subprocess.run(
        [sys.executable, "-c", program, "serve", "model.skser"], capture_output=True, text=True
    )
    assert done.returncode == 1
    expected = f"skser serve needs {module}: python -m pip install 'skser[serve]'"
    assert done.stderr == f"skser: error: {expected}\n"


def test_a_port_in_use_is_said_before_models_are_loaded(monkeypatch, capsys):
    pytest.importorskip("fastapi")
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        error = fail(monkeypatch, capsys, "no.skser", "--port", port)
    assert error == (
        f"skser: error: cannot listen at 127.0.0.1, port {port}: address already in use; "
        "choose another --port\n"
    )
