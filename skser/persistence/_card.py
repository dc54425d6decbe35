"""The card of a model, in Markdown, by skops."""

from __future__ import annotations

from typing import Any

from ._info import LIMITS, ModelInfo, told_score

_START = """```python
import skser

pipeline = skser.load("model.skser")
pipeline.predict(["my_recording.wav"])
```"""


def write_card(pipeline: Any, info: ModelInfo | None) -> str:
    """A model card: what it is for, what it was trained on, scores and limits."""
    from skops.card import Card

    limits = "\n".join(f"- {limit}" for limit in LIMITS)
    sections = {
        "Speech emotion recognition with skser": "From recordings of speech to one of the "
        f"emotions {', '.join(map(str, pipeline.classes_))}.",
        "Speech emotion recognition with skser/Limits": limits,
        "Speech emotion recognition with skser/Training data": _told_data(info),
        "Speech emotion recognition with skser/Evaluation": told_score(
            None if info is None else info.score
        ),
        "Speech emotion recognition with skser/How to use it": _START,
        "Speech emotion recognition with skser/Pipeline": f"```\n{pipeline!r}\n```",
    }
    return Card(pipeline, template=sections, model_diagram=False).render()


def _told_data(info: ModelInfo | None) -> str:
    if info is None:
        return "Not said when the model was saved."
    speakers = "not known" if info.n_speakers is None else str(info.n_speakers)
    rows = [
        ("Corpora", ", ".join(info.corpora) or "without a name"),
        ("Recordings", str(info.n_recordings)),
        ("Speakers", speakers),
        ("Emotions", ", ".join(f"{name} {n}" for name, n in info.emotions.items())),
        *(("Licence of the data", licence) for licence in info.licences),
    ]
    return "\n".join(["| | |", "|---|---|", *(f"| {name} | {text} |" for name, text in rows)])
