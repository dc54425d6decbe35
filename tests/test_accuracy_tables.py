"""The tables of scores in README and docs say what benchmarks/results say."""

import importlib.util
import json
import sys
from pathlib import Path

import numpy as np
import pytest

BENCHMARKS = Path(__file__).resolve().parents[1] / "benchmarks"


@pytest.fixture(scope="module")
def tables():
    sys.path.insert(0, str(BENCHMARKS))
    try:
        spec = importlib.util.spec_from_file_location(
            "accuracy_tables", BENCHMARKS / "accuracy_tables.py"
        )
        module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
    finally:
        sys.path.remove(str(BENCHMARKS))
    return module


def test_tables_are_made_from_the_results(tables):
    for path, text in tables.outputs().items():
        assert path.read_text() == text, f"run benchmarks/accuracy_tables.py: {path} is old"


def test_every_fold_has_every_clip_once(tables):
    results = [json.loads(path.read_text()) for path in sorted(tables.RESULTS.glob("*.json"))]
    assert results
    for result in results:
        if result.get("protocol", "").startswith(("loso", "luna-jimenez", "emobox", "mixed")):
            for seed in {fold["seed"] for fold in result["folds"]}:
                folds = [f["confusion"] for f in result["folds"] if f["seed"] == seed]
                assert np.sum(folds) == result["n_clips"]


def test_summary(tables):
    folds = [
        {"seed": 0, "fold": 0, "seconds": 1.0, "confusion": [[2, 0], [1, 1]]},
        {"seed": 0, "fold": 1, "seconds": 3.0, "confusion": [[1, 1], [0, 4]]},
        {"seed": 1, "fold": 0, "seconds": 2.0, "confusion": [[4, 0], [0, 6]]},
    ]
    scores = tables.summary({"folds": folds})
    assert scores["uars"] == pytest.approx([(3 / 4 + 5 / 6) / 2, 1])
    assert scores["accuracy"] == pytest.approx((8 / 10 + 1) / 2)
    assert scores["uar_sd"] == pytest.approx(np.std(scores["uars"], ddof=1))
    assert scores["seconds"] == 2.0
