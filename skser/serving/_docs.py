"""The description of the service: examples for OpenAPI, and a page that loads nothing else."""

from __future__ import annotations

from html import escape
from typing import Any

DESCRIPTION = """Predicts emotions in speech with models of skser. Errors are problems of RFC 9457,
as application/problem+json."""

_BINARY: dict[str, Any] = {"schema": {"type": "string", "format": "binary"}}


def _form(most: str) -> dict[str, Any]:
    files = {"type": "array", "items": _BINARY["schema"], "description": most}
    return {"schema": {"type": "object", "properties": {"files": files}, "required": ["files"]}}


def _body(most: str) -> dict[str, Any]:
    return {
        "required": True,
        "content": {"multipart/form-data": _form(most), "audio/*": _BINARY},
    }


_PROBLEM = {
    "description": "A problem",
    "content": {
        "application/problem+json": {
            "example": {
                "type": "about:blank",
                "title": "Unprocessable content",
                "status": 422,
                "detail": "is text, not a recording",
                "file": "notes.txt",
            }
        }
    },
}
_PREDICTION = {
    "model": {"name": "model", "sha256": "9f86d081884c7d65..."},
    "predictions": [
        {
            "file": "my_recording.wav",
            "emotion": "happy",
            "probabilities": {"angry": 0.1, "happy": 0.8, "sad": 0.1},
            "duration": 2.81,
            "silence": False,
            "ood_reasons": ["level -58 dB (training -42 to -18)"],
            "abstained": False,
            "error": None,
        }
    ],
}
_ROW = {
    "start": 0.0,
    "end": 1.0,
    "emotion": "happy",
    "silence": False,
    "probabilities": {"angry": 0.1, "happy": 0.8, "sad": 0.1},
}


def _operation(most: str, example: object, *commands: str) -> dict[str, Any]:
    return {
        "requestBody": _body(most),
        "responses": {
            "200": {"description": "Answer", "content": {"application/json": {"example": example}}},
            **dict.fromkeys(("413", "422", "429", "503"), _PROBLEM),
        },
        "x-codeSamples": [{"lang": "Shell", "source": command} for command in commands],
    }


EXAMPLES = {
    "predict": _operation(
        "Recordings.",
        _PREDICTION,
        "curl --data-binary @my_recording.wav http://127.0.0.1:8000/v1/predict",
        "curl -F files=@a.wav -F files=@b.mp3 http://127.0.0.1:8000/v1/predict",
    ),
    "timeline": _operation(
        "One recording.",
        [_ROW],
        "curl --data-binary @my_recording.wav 'http://127.0.0.1:8000/v1/timeline?format=srt'",
    ),
}


def docs_page(openapi: dict[str, Any]) -> str:
    """The operations of an OpenAPI document as HTML, without scripts."""
    parts = [
        '<!doctype html><html lang="en"><meta charset="utf-8">',
        '<meta name="viewport" content="width=device-width, initial-scale=1">',
        '<link rel="icon" href="data:,"><link rel="stylesheet" href="static/page.css">',
        "<title>skser: requests</title><main><h1>Requests of skser</h1>",
        f"<p>{escape(openapi['info']['description'])}</p>",
        '<p>The same as <a href="openapi.json">OpenAPI</a>.</p>',
    ]
    for path, operations in openapi["paths"].items():
        for method, operation in operations.items():
            parts += _described(method.upper(), path, operation)
    return "\n".join([*parts, "</main></html>"])


def _described(method: str, path: str, operation: dict[str, Any]) -> list[str]:
    parts = [
        f"<h2><code>{method} {escape(path)}</code></h2>",
        f"<p>{escape(operation.get('description', ''))}</p>",
    ]
    parameters = operation.get("parameters", [])
    if parameters:
        parts.append("<dl>")
        for parameter in parameters:
            default = parameter["schema"].get("default")
            suffix = "" if default is None else f" Default: {default}."
            text = f"{parameter.get('description', '')}{suffix}"
            parts.append(f"<dt><code>{escape(parameter['name'])}</code><dd>{escape(text)}")
        parts.append("</dl>")
    samples = operation.get("x-codeSamples", [])
    return [*parts, *(f"<pre><code>{escape(s['source'])}</code></pre>" for s in samples)]
