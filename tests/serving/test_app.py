import hashlib
import json
import re
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

import skser
from skser import cli, predict_timeline
from skser.exceptions import ModelError, ParameterError
from skser.inference import to_srt, to_textgrid
from skser.serving import create_app

from .conftest import recording, tone

pytestmark = pytest.mark.slow


def test_the_body_is_a_recording(client, model_file):
    content = recording()
    response = client.post("/v1/predict", content=content)
    assert response.status_code == 200
    answer = response.json()
    sha256 = hashlib.sha256(model_file.read_bytes()).hexdigest()
    assert answer["model"] == {"name": "quick", "sha256": sha256}
    (prediction,) = answer["predictions"]
    pipeline = skser.load(model_file)
    expected = pipeline.predict_proba([content])[0]
    assert list(prediction["probabilities"]) == list(pipeline.classes_)
    np.testing.assert_allclose(
        list(prediction["probabilities"].values()), expected, rtol=0, atol=5.1e-5
    )
    assert prediction["emotion"] == pipeline.classes_[expected.argmax()]
    assert (prediction["duration"], prediction["file"], prediction["error"]) == (1.0, None, None)
    assert (prediction["silence"], prediction["abstained"]) == (False, False)


def test_an_unusable_recording_does_not_affect_others(client):
    files = [
        ("files", ("ä/../b.wav", recording())),
        ("files", ("notes.txt", b"hello")),
        ("files", ("c.flac", recording(0.5, format="FLAC"))),
    ]
    response = client.post("/v1/predict", files=files)
    assert response.status_code == 200
    first, unusable, last = response.json()["predictions"]
    assert [p["file"] for p in (first, unusable, last)] == ["ä/../b.wav", "notes.txt", "c.flac"]
    assert unusable["error"] == "is text, not a recording"
    assert unusable["emotion"] is None
    assert unusable["probabilities"] is None
    assert first["error"] is None
    assert last["duration"] == 0.5
    alone = client.post("/v1/predict", content=recording()).json()["predictions"][0]
    assert first["probabilities"] == alone["probabilities"]


def n_unusable(client):
    """Unusable recordings, by the metrics of the server."""
    text = client.get("/metrics").text
    found = re.findall(r'skser_recordings_total\{.*outcome="unusable"\} (.*)', text)
    return sum(map(float, found))


@pytest.mark.parametrize("way", ["body", "form"])
def test_only_unusable_recordings_are_a_problem(way, client):
    content = {"content": b"hello"} if way == "body" else {"files": {"files": ("a.txt", b"hello")}}
    n_before = n_unusable(client)
    response = client.post("/v1/predict", **content)
    assert n_unusable(client) == n_before + 1
    assert response.status_code == 422
    assert response.headers["content-type"] == "application/problem+json"
    assert response.json() == {
        "type": "about:blank",
        "title": "Unprocessable content",
        "status": 422,
        "detail": "is text, not a recording",
        "file": None if way == "body" else "a.txt",
    }


@pytest.mark.parametrize(
    ("charset", "name", "shown"),
    [
        ("utf-8", "ä.wav".encode(), "ä.wav"),
        ("utf-8", b"\xe4.wav", "ä.wav"),
        ("unicode_escape", rb"ud800.wav", "ud800.wav"),
        ("utf-16", b"a.wav", "a.wav"),
        ("hex", b"6", "6"),
    ],
)
def test_names_of_files_are_utf_8_or_latin_1(charset, name, shown, client):
    form = b'--b\r\nContent-Disposition: form-data; name="files"; filename="' + name
    response = client.post(
        "/v1/predict",
        content=form + b'"\r\n\r\n' + recording() + b"\r\n--b--\r\n",
        headers={"Content-Type": f"multipart/form-data; boundary=b; charset={charset}"},
    )
    assert response.status_code == 200
    assert response.json()["predictions"][0]["file"] == shown


def test_flags(client):
    unsure = client.post("/v1/predict?abstain_below=1", content=recording()).json()
    assert unsure["predictions"][0]["emotion"] is None
    assert unsure["predictions"][0]["abstained"] is True
    faint = client.post("/v1/predict", content=recording(level=1e-3)).json()["predictions"][0]
    assert faint["silence"] is False
    assert faint["ood_reasons"][0].startswith("level -")
    silent = client.post("/v1/predict", content=recording(level=0)).json()["predictions"][0]
    assert (silent["silence"], silent["emotion"], silent["probabilities"]) == (True, None, None)


@pytest.mark.parametrize(
    ("request_", "status", "detail"),
    [
        ({"files": {"file": b"x"}}, 422, "the parts of the form must be named 'files', got 'file'"),
        ({"data": {"files": "x"}, "files": {"files": b"x"}}, 422, "each part of the form must"),
        (
            {"content": b"--x", "headers": {"Content-Type": "multipart/form-data"}},
            400,
            "the form cannot be read (its boundary is missing)",
        ),
        ({"content": b"x", "params": {"abstain_below": "2"}}, 422, "abstain_below: Input should"),
        (
            {"content": recording(), "params": {"abstain": "0.5"}},
            422,
            "'abstain' is no parameter of this request; did you mean 'abstain_below'?",
        ),
        (
            {"content": recording(), "url": "/v1/timeline?lang=en"},
            422,
            "'lang' is no parameter of this request; there are model, window, hop, smoothing, ",
        ),
        ({"content": b"x", "params": {"model": "other"}}, 404, "there is no model 'other', only"),
        ({"content": b""}, 422, "is empty (0 bytes)"),
        ({"content": recording(), "url": "/v1/timeline?hop=0"}, 422, "hop: Input should be"),
        ({"content": recording(), "url": "/v1/timeline?window=nan"}, 422, "window: Input"),
        ({"content": recording(), "url": "/v1/timeline?window=4"}, 422, "window must be at most"),
        ({"content": recording(), "url": "/v1/timeline?smoothing=1e308"}, 422, "smoothing: Input"),
        ({"content": b"hello", "url": "/v1/timeline"}, 422, "is text, not a recording"),
        (
            {"content": b"x", "url": "/v1/timeline", "headers": {"Accept": "image/png"}},
            406,
            "a timeline can be application/json, text/csv",
        ),
        (
            {"content": b"x", "url": "/v1/timeline", "headers": {"Accept": b"text/csv;q=\xb2"}},
            406,
            "a timeline can be application/json, text/csv",
        ),
        ({"content": b"x", "url": "/v1/nothing"}, 404, "there is nothing at this address; /docs"),
        ({"content": b"x", "url": "/v1/models"}, 405, "this address does not answer this method"),
    ],
)
def test_requests_are_refused_with_the_reason(request_, status, detail, client):
    response = client.post(**{"url": "/v1/predict", **request_})
    assert response.status_code == status, response.text
    assert response.headers["content-type"] == "application/problem+json"
    assert response.json()["status"] == status
    assert response.json()["detail"].startswith(detail)


def test_timelines_are_those_of_the_command(client, model_file, tmp_path):
    path = tmp_path / "talk.flac"
    path.write_bytes(tone(40))
    for name in ("json", "csv", "textgrid", "srt"):
        out = tmp_path / f"talk.{name}"
        command = ["timeline", model_file, path, f"--{name}", out, "--hop", "0.5"]
        assert CliRunner().invoke(cli.app, [*map(str, command)]).exit_code == 0
        response = client.post(f"/v1/timeline?hop=0.5&format={name}", content=path.read_bytes())
        assert response.status_code == 200
        assert response.content == out.read_bytes()


@pytest.mark.parametrize(
    ("accept", "kind"),
    [
        ("*/*", "application/json"),
        ("text/csv", "text/csv"),
        ("text/x-textgrid;q=0.3, application/x-subrip;q=0.4", "application/x-subrip"),
        ("text/*, application/json;q=0.5", "text/csv"),
    ],
)
def test_the_client_names_the_format(accept, kind, client, model_file):
    content = recording(2)
    response = client.post(
        "/v1/timeline", files={"files": ("a.wav", content)}, headers={"Accept": accept}
    )
    assert response.headers["content-type"].partition(";")[0] == kind
    timeline = predict_timeline(skser.load(model_file), content)
    if kind == "application/x-subrip":
        assert response.text == to_srt(timeline)
    elif kind == "text/csv":
        assert response.text.splitlines()[0] == ",".join(map(str, timeline.columns))
    assert "xmin" in to_textgrid(timeline)


def test_models_are_described(client, model_file):
    (model,) = client.get("/v1/models").json()["models"]
    assert model["name"] == "quick"
    assert model["emotions"] == ["angry", "calm", "sad"]
    assert model["default"] is True
    more = client.get("/v1/models/quick").json()
    assert {name: more[name] for name in model} == model
    assert more["card"] == skser.persistence.load_card(model_file)
    assert more["limits"]["upload_mb"] == 100.0
    printed = CliRunner().invoke(cli.app, ["info", str(model_file), "--json", "-"])
    assert more["info"] == json.loads(printed.stdout)


def test_it_is_alive_ready_and_measured(client):
    assert client.get("/healthz").json() == {"status": "alive"}
    assert client.get("/readyz").json() == {"status": "ready"}
    client.post("/v1/predict", content=recording())
    client.get("/v1/models/secret%20name")
    client.request("SECRET", "/healthz")
    text = client.get("/metrics").text
    assert 'skser_requests_total{method="POST",path="/v1/predict",status="200"}' in text
    assert 'skser_recordings_total{model="quick",outcome="answered"}' in text
    assert "secret" not in text.lower()


@pytest.mark.parametrize("url", ["/", "/healthz", "/readyz", "/v1/models", "/v1/models/quick"])
def test_head_is_get_without_the_body(url, client):
    got, head = client.get(url), client.head(url)
    assert (head.status_code, head.content) == (200, b"")
    assert head.headers["content-type"] == got.headers["content-type"]
    assert head.headers["content-length"] == got.headers["content-length"]
    assert client.head("/v1/predict").status_code == 405


def test_docs_load_nothing_from_elsewhere(client):
    openapi = client.get("/openapi.json").json()
    assert {"/v1/predict", "/v1/timeline", "/v1/models", "/metrics"} <= set(openapi["paths"])
    page = client.get("/docs")
    assert page.headers["content-type"] == "text/html; charset=utf-8"
    assert "POST /v1/timeline" in page.text
    assert "src=" not in page.text
    assert page.text.count("https://") == 0


def test_uploads_stay_in_memory(client):
    """The process of `server` can write no file."""
    large = recording(120)
    assert len(large) > 3_000_000
    response = client.post("/v1/predict", files={"files": ("talk.wav", large)})
    assert response.json()["predictions"][0]["duration"] == 120.0


def test_logs_hold_no_names_of_files_queries_or_keys(server, client):
    client.post("/v1/predict?model=somebody", content=b"x", headers={"X-API-Key": "my-key"})
    client.post("/v1/predict", files={"files": ("interview-of-somebody.wav", b"x")})
    client.get("/v1/models/somebody")
    log = "".join(server.log)
    assert "POST /v1/predict 422" in log
    assert "somebody" not in log
    assert "my-key" not in log


def test_models_are_checked(model_file, tmp_path):
    other = tmp_path / "quick.skser"
    other.write_bytes(Path(model_file).read_bytes())
    with pytest.raises(ParameterError, match="models must have different names, got "):
        create_app([model_file, other])
    with pytest.raises(ParameterError, match="at least one model file, got none"):
        create_app([])
    with pytest.raises(ModelError, match="is not a model file"):
        create_app([__file__])
