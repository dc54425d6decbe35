"""Evaluation: scores of out-of-fold predictions, as tables and files."""

from __future__ import annotations

import json
import os
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pandas as pd
from sklearn.metrics import confusion_matrix, precision_recall_fscore_support

from .._utils._files import written_whole
from ..exceptions import DataError, ParameterError
from ..metrics import SCORES, SpeakerSums, interval
from ._folds import Fold

# Columns of a corpus that scores can be grouped by.
KEPT = ("speaker", "corpus", "gender")
# Columns of tables of predictions beside the classes.
COLUMNS = ("path", *KEPT, "fold", "emotion", "predicted", "confidence", "of_truth")


@dataclass(frozen=True, eq=False, repr=False)
class Evaluation:
    """Predictions of clips by pipelines that were not trained on them.

    Attributes
    ----------
    predictions : DataFrame of shape (n_clips, n_columns)
        Columns ``path``; ``speaker``, ``corpus`` and ``gender``, where they are known; ``fold``,
        ``emotion`` (the truth), ``predicted``; and the probability of each class, by its name.
    classes : ndarray of shape (n_classes,)
        The labels.
    folds : list of Fold
        Seconds and training history of each fold.
    protocol : str
        In a sentence, which speakers were trained on and which were tested.
    pipeline : str
        The pipeline with its parameters that are not defaults, seeds included.
    versions : dict of {str : str}
        Versions of the packages.
    has_probabilities : bool
        Whether the pipeline returns any. If not, the predicted label has probability 1, and log
        loss and calibration error are NaN.

    Examples
    --------
    >>> from skser import evaluate
    >>> from skser.datasets import make_emotional_speech
    >>> from skser.recipes import functionals
    >>> speech = make_emotional_speech(n_speakers=4, emotions=["angry", "sad"], random_state=0)
    >>> pipeline = functionals(features__blocks=["rms", "zcr"], augment__n_views=1)
    >>> evaluation = evaluate(pipeline, speech)
    >>> evaluation.per_class()["n_clips"].to_dict()
    {'angry': 24, 'sad': 24}
    """

    predictions: pd.DataFrame
    classes: np.ndarray
    folds: list[Fold]
    protocol: str
    pipeline: str
    versions: dict[str, str]
    has_probabilities: bool = True

    def to_frame(self) -> pd.DataFrame:
        """Scores over all clips.

        Returns
        -------
        scores : DataFrame
            A row for each of ``skser.metrics.SCORES``. ``pooled`` is over all clips; ``low`` and
            ``high`` hold 95 % of its bootstrap over speakers, or over clips where speakers are not
            known, and are NaN with one speaker; ``fold_mean`` and ``fold_sd`` are over folds.
        """
        sums = self._sums(self._units)
        pooled, drawn = sums.scores(), sums.bootstrap()
        of_folds = self._scores_of("fold")
        rows = {}
        for name in SCORES:
            low, high = interval(drawn[name]) if sums.n_units > 1 else (np.nan, np.nan)
            values = of_folds[name]
            rows[name] = (pooled[name][0], low, high, values.mean(), values.std())
        columns = ["pooled", "low", "high", "fold_mean", "fold_sd"]
        return pd.DataFrame.from_dict(rows, orient="index", columns=columns).rename_axis("score")

    def by(self, column: str) -> pd.DataFrame:
        """Scores of each speaker, corpus, gender or fold.

        Parameters
        ----------
        column : {"speaker", "corpus", "gender", "fold"}
            A column of ``predictions``.

        Returns
        -------
        scores : DataFrame
            A row for each value with ``n_clips`` and its scores. UAR and macro F1 are over the
            classes that it has.
        """
        if column not in self.parts:
            raise ParameterError(f"column must be one of {', '.join(self.parts)}, got {column!r}")
        return self._scores_of(column)

    def per_class(self) -> pd.DataFrame:
        """Precision, recall, F1 and number of clips of each class.

        A class without clips has a recall of NaN; one that is never predicted, too, has only NaN.
        """
        truth, predicted = self.predictions["emotion"], self.predictions["predicted"]
        scores = precision_recall_fscore_support(
            truth, predicted, labels=self.classes, zero_division=np.nan
        )
        names = ("precision", "recall", "f1", "n_clips")
        table = pd.DataFrame(dict(zip(names, scores, strict=True)), index=self.classes)
        never = (table["n_clips"] > 0) & table["precision"].isna()
        table.loc[never, "precision"] = 0.0  # as scikit-learn's reports have it
        return table

    def confusion(self) -> pd.DataFrame:
        """Number of clips by true class (rows) and predicted class (columns)."""
        truth, predicted = self.predictions["emotion"], self.predictions["predicted"]
        matrix = confusion_matrix(truth, predicted, labels=self.classes)
        return pd.DataFrame(matrix, index=self.classes, columns=self.classes)

    def mistakes(self) -> pd.DataFrame:
        """The wrong predictions, the most confident first.

        Returns
        -------
        mistakes : DataFrame
            Rows of ``predictions``, with ``confidence``, the probability of the predicted class,
            and ``of_truth``, that of the true class.
        """
        probabilities = self.probabilities.to_numpy()
        truth = np.searchsorted(self.classes, self.predictions["emotion"])
        table = self.predictions.assign(
            confidence=probabilities.max(axis=1),
            of_truth=probabilities[np.arange(len(truth)), truth],
        )
        wrong = table[table["predicted"] != table["emotion"]]
        return wrong.sort_values("confidence", ascending=False, kind="stable")

    @property
    def probabilities(self) -> pd.DataFrame:
        """The columns of ``predictions`` that hold probabilities."""
        return self.predictions.iloc[:, -len(self.classes) :]

    def check_probabilities(self) -> None:
        """Raise DataError if the pipeline gives no probabilities."""
        if not self.has_probabilities:
            raise DataError("evaluation must have probabilities, which its pipeline does not give")

    @property
    def drawn(self) -> str:
        """What a bootstrap draws: "speakers", or "clips" where speakers are not known."""
        return "speakers" if "speaker" in self.predictions else "clips"

    @property
    def parts(self) -> list[str]:
        """The columns that `by` accepts."""
        return [name for name in (*KEPT, "fold") if name in self.predictions]

    @property
    def training_history(self) -> pd.DataFrame:
        """Loss and accuracy after each epoch of each fold; empty where no network was trained."""
        histories = [
            pd.DataFrame({"fold": number, "epoch": range(1, len(fold.history["loss"]) + 1)}).join(
                pd.DataFrame(fold.history)
            )
            for number, fold in enumerate(self.folds)
            if fold.history
        ]
        return pd.concat(histories, ignore_index=True) if histories else pd.DataFrame()

    def to_json(self) -> str:
        """All scores, with protocol, pipeline, versions and durations, as JSON.

        Returns
        -------
        text : str
            Of an object; see the user guide for its keys.
        """
        content = {
            "protocol": self.protocol,
            "n_clips": len(self.predictions),
            "classes": self.classes.tolist(),
            "scores": _rows(self.to_frame()),
            "per_class": _rows(self.per_class()),
            **{f"by_{name}": _rows(self.by(name)) for name in self.parts},
            "fit_seconds": [fold.fit_seconds for fold in self.folds],
            "predict_seconds": [fold.predict_seconds for fold in self.folds],
            "pipeline": self.pipeline,
            "versions": self.versions,
        }
        return json.dumps(content, indent=2, ensure_ascii=False)

    def save(self, folder: str | os.PathLike[str]) -> list[Path]:
        """Write all tables.

        ``results.json`` is what `to_json` returns. ``predictions.csv`` has a row for each clip,
        ``classification_report.csv`` precision, recall and F1 and their means,
        ``confusion_matrix.csv`` numbers of clips, ``per_class_accuracy.csv`` the share of each
        class that is found, and ``training_history.csv`` every epoch of every fold, if a network
        was trained.

        Parameters
        ----------
        folder : str or path
            Where to write; it is made if it does not exist.

        Returns
        -------
        files : list of Path
            The written files.
        """
        folder = Path(folder)
        folder.mkdir(parents=True, exist_ok=True)
        per_class = self.per_class()
        means = {
            "macro avg": per_class.mean(),
            "weighted avg": per_class.mul(per_class["n_clips"], axis=0).sum()
            / per_class["n_clips"].sum(),
        }
        report = pd.concat([per_class, pd.DataFrame(means).T.assign(n_clips=len(self.predictions))])
        tables = {
            "predictions": self.predictions.set_index("path"),
            "classification_report": report.rename_axis("emotion").astype({"n_clips": int}),
            "confusion_matrix": self.confusion().rename_axis("emotion"),
            "per_class_accuracy": per_class[["recall", "n_clips"]]
            .rename(columns={"recall": "accuracy"})
            .rename_axis("emotion"),
        }
        history = self.training_history
        if len(history):
            tables["training_history"] = history.set_index(["fold", "epoch"])
        for name, table in tables.items():
            with written_whole(folder / f"{name}.csv") as path:
                table.to_csv(path, float_format="%.6g", errors="backslashreplace")
        with written_whole(folder / "results.json") as path:
            path.write_text(self.to_json(), encoding="utf-8")
        return [*(folder / f"{name}.csv" for name in tables), folder / "results.json"]

    @property
    def _units(self) -> np.ndarray:
        """The speaker of each clip, or where speakers are not known, a number of its own."""
        if self.drawn == "speakers":
            return self.predictions["speaker"].to_numpy()
        return np.arange(len(self.predictions))

    def _sums(self, units: np.ndarray) -> SpeakerSums:
        truth = np.searchsorted(self.classes, self.predictions["emotion"])
        sums = SpeakerSums.of(truth, self.probabilities.to_numpy(), units)
        if self.has_probabilities:
            return sums
        nothing = {name: np.full_like(getattr(sums, name), np.nan) for name in ("log_loss", "bins")}
        return replace(sums, **nothing)

    def _scores_of(self, column: str) -> pd.DataFrame:
        values = self.predictions[column].to_numpy()
        names, counts = np.unique(values, return_counts=True)
        scores = self._sums(values).scores(np.eye(len(names)))
        return pd.DataFrame({"n_clips": counts, **scores}, index=pd.Index(names, name=column))

    def __repr__(self) -> str:
        uar = self.to_frame().loc["uar"]
        return (
            f"<UAR {uar['pooled']:.3f} ({format_interval(uar)}), {len(self.predictions)} clips: "
            f"{self.protocol}>"
        )


def format_interval(score: pd.Series) -> str:
    """The interval of a row of `Evaluation.to_frame` as text."""
    if np.isnan(score["low"]):
        return "no interval: one speaker"
    return f"95 % {score['low']:.3f} to {score['high']:.3f}"


def _rows(table: pd.DataFrame) -> dict[str, dict[str, float | int | None]]:
    """A table as nested dicts of plain numbers, None for NaN, which JSON can hold."""
    return json.loads(table.to_json(orient="index"))
