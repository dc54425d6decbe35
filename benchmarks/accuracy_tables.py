"""Tables of scores, made from the results of ``accuracy.py``.

    python benchmarks/accuracy_tables.py

Writes them into README.md and benchmarks/accuracy.md, between the lines that mark their places, and
into docs/scores/ as CSV.
"""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path

import numpy as np
from accuracy import RESULTS, summary

ROOT = Path(__file__).resolve().parent.parent

CORPORA = {
    "ravdess": "RAVDESS speech, 8 emotions, 24 actors",
    "emodb4": "EmoDB, 4 of its emotions, 10 speakers",
    "emovo": "EMOVO, 7 emotions, 6 speakers",
}
PROTOCOLS = {
    "luna-jimenez": "5 folds of Luna-Jiménez et al.",
    "loso": "leave one speaker out",
    "watched": "held-out clips of the same speakers, watched in training",
    "watched-views": "held-out clips, watched, augmented before the split",
    "random-15": "15 % of the clips, same speakers",
}
# openSMILE's ComParE_2016 functionals, StandardScaler, SVC(C=10, class_weight="balanced").
COMPARE = {"ravdess": 0.540, "emodb4": 0.840, "emovo": 0.332}
# The best that is published on the same folds, or by folds of four speakers for the second.
PUBLISHED = [
    ["ResLSTM", "", "", {"ravdess": ".623 ± .012"}],
    ["Whisper-large-v3, frozen", "635 M parameters", "", {"ravdess": ".753 on EmoBox' folds"}],
]
# Recipes, and what is pre-trained in them.
OWN = [
    ("functionals", "`recipes.functionals()`", ""),
    ("default", "`make_emotion_pipeline()`", ""),
    ("whisper", "`recipes.whisper()`", "whisper-base, 17 M parameters"),
]
# As many random folds as there are of speakers.
MIXED = {
    ("ravdess", "luna-jimenez"): "mixed-5",
    ("emodb4", "loso"): "mixed-10",
    ("emovo", "loso"): "mixed-6",
}
# What the published systems claim, and under which protocol that is repeated here.
CLAIMS = {
    "mfcc_cnn": ("72 % in validation", "watched"),
    "cnn_512": ("87.25 %, F1 .87", "watched-views"),
    "cnn_bilstm_attention": ("about 94 % in validation", "watched-views"),
    "dense_195": ("63.94 %, F1 .63", "random-15"),
    "cnn_256": ("71 %", "watched"),
}
SPEAKER_INDEPENDENT = "luna-jimenez"


def read(recipe: str, corpus: str, protocol: str) -> dict | None:
    """Scores of a result, or None where there is none."""
    path = RESULTS / f"{recipe}-{corpus}-{protocol}.json"
    return summary(json.loads(path.read_text())) if path.exists() else None


def n_emotions(corpus: str, protocol: str) -> int:
    result = json.loads((RESULTS / f"default-{corpus}-{protocol}.json").read_text())
    return len(result["folds"][0]["confusion"])


def number(mean: float, sd: float = 0.0, n_seeds: int = 1) -> str:
    text = f"{mean:.3f}".lstrip("0")
    return text if n_seeds == 1 else text + f" ± {sd:.3f}".replace("0.", ".")


def brief(seconds: float) -> str:
    return f"{seconds:.0f}" if seconds >= 10 else f"{seconds:.1f}"


def default_table() -> list[list[str]]:
    """New speakers: systems without and with pre-training on three corpora."""
    corpora = [corpus for corpus, _ in MIXED]
    rows = [["", "pre-trained", *(CORPORA[corpus] for corpus in corpora), "time a fold"]]
    rows.append(["openSMILE ComParE + SVC", "", *(number(COMPARE[c]) for c in corpora), ""])
    for name, encoder, seconds, scores in PUBLISHED:
        rows.append([name, encoder, *(scores.get(c, "") for c in corpora), seconds])
    for recipe, name, encoder in OWN:
        found = [read(recipe, *key) for key in MIXED]
        cells = [number(f["uar"], f["uar_sd"], f["n_seeds"]) if f else "" for f in found]
        seconds = [f["seconds"] for f in found if f]
        if recipe == "whisper" and (emobox := read(recipe, "ravdess", "emobox")):
            cells[0] += f"; {number(emobox['uar'])} on EmoBox' folds"
        rows.append(
            [name, encoder, *cells, " to ".join(map(brief, (min(seconds), max(seconds)))) + " s"]
        )
    return rows


def landing_table() -> list[list[str]]:
    """New speakers, for the first page: means alone, and what guessing scores."""
    corpora = [corpus for corpus, _ in MIXED]
    found = {recipe: [read(recipe, *key) for key in MIXED] for recipe, _, _ in OWN}
    names = [", ".join(CORPORA[corpus].split(", ")[:2]) for corpus in corpora]
    rows = [["", "pre-training", *names]]
    rows.append(["guessing", "none", *(number(1 / n_emotions(*key)) for key in MIXED)])
    rows.append(["openSMILE ComParE + SVC", "none", *(number(COMPARE[c]) for c in corpora)])
    for recipe, name, encoder in OWN:
        uars = [number(f["uar"]) for f in found[recipe]]
        rows.append([name, encoder.split(",")[0] or "none", *uars])
    return rows


def published_table() -> list[list[str]]:
    rows = [
        [
            "recipe",
            "claim",
            "its protocol, repeated on RAVDESS",
            "accuracy",
            "macro F1",
            "new speakers: accuracy",
            "UAR",
        ]
    ]
    for recipe, (claim, protocol) in CLAIMS.items():
        same, new = (read(recipe, "ravdess", p) for p in (protocol, SPEAKER_INDEPENDENT))
        if same and new:
            rows.append(
                [
                    f"`{recipe}`",
                    claim,
                    PROTOCOLS[protocol],
                    number(same["accuracy"], same["accuracy_sd"], same["n_seeds"]),
                    number(same["macro_f1"]),
                    number(new["accuracy"], new["accuracy_sd"], new["n_seeds"]),
                    number(new["uar"], new["uar_sd"], new["n_seeds"]),
                ]
            )
    return rows


def protocols_table() -> list[list[str]]:
    """Two recipes under three protocols, of which one is honest about new speakers."""
    header = ["recipe", "corpus", "random folds", "new speakers", "gap"]
    rows = [[*header, "new speakers, transductive"]]
    for recipe in ("default", "whisper"):
        for (corpus, protocol), mixed in MIXED.items():
            names = (mixed, protocol, f"{protocol}-transductive")
            found = [read(recipe, corpus, name) for name in names]
            if all(found):
                scores = [number(f["uar"], f["uar_sd"], f["n_seeds"]) for f in found]
                gap = number(found[0]["uar"] - found[1]["uar"])
                rows.append([f"`{recipe}`", CORPORA[corpus], *scores[:2], gap, scores[2]])
    return rows


def nested_table() -> list[list[str]]:
    """What tuning the default pipeline is worth, where it was tuned and on new speakers."""
    found = json.loads((RESULTS / "nested-default-ravdess.json").read_text())
    before = found["uar_as_it_was"]
    as_it_is, best = (np.mean([one[k] for one in found["studies"]]) for k in ("as_it_is", "best"))
    gains = [one["best"] - one["as_it_is"] for one in found["studies"]]
    uar = found["uar"]
    return [
        ["", "as it is", "tuned", "gain"],
        [
            "inner validation, mean of five studies",
            number(as_it_is),
            number(best),
            f"{number(np.mean(gains))} ({number(min(gains))} to {number(max(gains))})",
        ],
        [
            "new speakers",
            number(before),
            f"{number(uar['pooled'])} ({number(uar['low'])} to {number(uar['high'])})",
            number(uar["pooled"] - before),
        ],
    ]


TABLES = {
    "default": default_table,
    "landing": landing_table,
    "published": published_table,
    "protocols": protocols_table,
    "nested": nested_table,
}


def as_markdown(rows: list[list[str]]) -> str:
    lines = [rows[0], ["---"] * len(rows[0]), *rows[1:]]
    return "\n".join("| " + " | ".join(cells) + " |" for cells in lines)


def as_csv(rows: list[list[str]]) -> str:
    file = io.StringIO()
    csv.writer(file, lineterminator="\n").writerows(
        [[cell.replace("`", "``") for cell in row] for row in rows]
    )
    return file.getvalue()


def with_tables(text: str) -> str:
    """A Markdown text with the tables between the lines that mark their places."""
    for name, make in TABLES.items():
        start, end = f"<!-- table of {name} scores -->", f"<!-- end of {name} scores -->"
        if start in text:
            head, rest = text.split(start)
            _, tail = rest.split(end)
            text = f"{head}{start}\n\n{as_markdown(make())}\n\n{end}{tail}"
    return text


def outputs() -> dict[Path, str]:
    """What is to be in each file."""
    pages = [ROOT / "README.md", ROOT / "benchmarks" / "accuracy.md"]
    tables = {ROOT / "docs" / "scores" / f"{n}.csv": as_csv(make()) for n, make in TABLES.items()}
    return {page: with_tables(page.read_text()) for page in pages} | tables


if __name__ == "__main__":
    for path, text in outputs().items():
        path.parent.mkdir(exist_ok=True)
        path.write_text(text)
        print(f"wrote {path.relative_to(ROOT)}")
