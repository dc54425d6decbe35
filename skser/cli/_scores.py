"""Scores of ``skser evaluate --out``, for the model of ``skser train``."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from sklearn.pipeline import Pipeline
from sklearn.utils import Bunch

from ..calibration import fit_temperature
from ..evaluation._evaluate import describe_pipeline
from ..evaluation._protocol import is_speaker_independent
from ..evaluation._splits import own_split
from ..exceptions import DataError


def read_scores(folder: Path, pipeline: Pipeline, speech: Bunch) -> tuple[dict[str, Any], float]:
    """Score and temperature; DataError if they are of another pipeline or corpus."""
    try:
        results = json.loads((folder / "results.json").read_text(encoding="utf-8"))
        table = pd.read_csv(folder / "predictions.csv")
        uar = results["scores"]["uar"]
        score = {"protocol": results["protocol"], "uar": uar["pooled"]}
        score |= {name: uar[name] for name in ("low", "high")}
        classes = [str(label) for label in results["classes"]]
        described = results["pipeline"]
        truth, probabilities = table["emotion"].astype(str), table[classes]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise DataError(f"{folder}: holds no scores of `skser evaluate --out` ({error})") from error
    if described != describe_pipeline(pipeline):
        raise DataError(
            f"{folder}: holds scores of another pipeline; --recipe, --seed and --set must be the "
            "same"
        )
    split = own_split(speech.get("frame", {}).get("split", []))
    n_tested = {len(speech.paths), *([] if split is None else [np.sum(split.test_fold == 0)])}
    if classes != np.unique(speech.target).tolist() or len(table) not in n_tested:
        raise DataError(f"{folder}: holds scores of other recordings")
    if not is_speaker_independent(results["protocol"]):
        raise DataError(
            f"{folder}: holds scores that are not speaker-independent ({results['protocol']})"
        )
    return score, fit_temperature(truth, probabilities, classes)
