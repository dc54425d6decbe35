"""Evaluation: scores of out-of-fold predictions, as tables and files."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pandas as pd
from sklearn.metrics import confusion_matrix, precision_recall_fscore_support

from .._utils._files import written_whole
from .._utils._types import PathLike
from ..embeddings._description import EncoderDescription
from ..exceptions import DataError, ParameterError
from ..metrics import SCORES, SpeakerSums, interval
from ._docstrings import documented
from ._folds import Fold

# Columns of a corpus that the predictions keep.
KEPT = ("speaker", "corpus", "gender")
# Columns of tables of predictions beside the classes.
COLUMNS = ("path", *KEPT, "fold", "emotion", "predicted", "confidence", "of_truth")


@documented
@dataclass(frozen=True, eq=False, repr=False)
class Evaluation:
    """Predictions of clips by pipelines that were not trained on them.

    Parameters
    ----------
    predictions : DataFrame of shape (n_clips, n_columns)
        Columns ``path``; ``speaker``, ``corpus`` and ``gender``, if they are known; ``fold``,
        ``emotion`` (the truth), ``predicted``; and the probability of each class, by its name.
    classes : ndarray of shape (n_classes,)
        The labels.
    folds : list of Fold
        Seconds and training history of each fold.
    protocol : str
        A sentence: which speakers were trained on and which were tested.
    pipeline : str
        The pipeline with its parameters that are not defaults, seeds included.
    versions : dict of {str : str}
        Versions of the packages.
    has_probabilities : bool, default=True
        Whether the pipeline returns any. If not, the predicted label has probability 1, and log
        loss and calibration error are NaN.
    encoders : sequence of EncoderDescription, default=()
        Pre-trained encoders of the pipeline, whose training data is not known.

    Examples
    --------
    >>> from skser import evaluate
    {example}
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
    encoders: Sequence[EncoderDescription] = ()

    def to_frame(self) -> pd.DataFrame:
        """Scores over all clips.

        Returns
        -------
        scores : DataFrame
            A row for each of ``skser.metrics.SCORES``. ``pooled`` is over all clips; ``low`` and
            ``high`` bound 95 % of its bootstrap over speakers, or over clips if speakers are not
            known, and are NaN with one speaker; ``fold_mean`` and ``fold_sd`` are over folds.

        Notes
        -----
        Resampling increases the calibration error on average, so its interval may lie above it.
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

        Raises
        ------
        ParameterError
            ``predictions`` has no such column.
        """
        if column not in self.parts:
            raise ParameterError(f"column must be one of {', '.join(self.parts)}, got {column!r}")
        return self._scores_of(column)

    def per_class(self) -> pd.DataFrame:
        """Scores of each class.

        Returns
        -------
        scores : DataFrame of shape (n_classes, 4)
            ``precision``, ``recall``, ``f1`` and ``n_clips``. The recall of a class without clips
            is NaN; its other scores too, if it is never predicted.
        """
        scores = precision_recall_fscore_support(
            *self._labels(), labels=self.classes, zero_division=np.nan
        )
        names = ("precision", "recall", "f1", "n_clips")
        table = pd.DataFrame(dict(zip(names, scores, strict=True)), index=self.classes)
        is_never_predicted = (table["n_clips"] > 0) & table["precision"].isna()
        table.loc[is_never_predicted, "precision"] = 0.0  # as in scikit-learn's reports
        return table

    def confusion(self) -> pd.DataFrame:
        """Confusion matrix.

        Returns
        -------
        matrix : DataFrame of shape (n_classes, n_classes)
            Number of clips by true class (rows) and predicted class (columns).
        """
        matrix = confusion_matrix(*self._labels(), labels=self.classes)
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
        """Raise DataError if the pipeline returns no probabilities."""
        if not self.has_probabilities:
            raise DataError("evaluation must have probabilities, which its pipeline does not give")

    @property
    def drawn(self) -> str:
        """What a bootstrap draws: "speakers", or "clips" if speakers are not known."""
        return "speakers" if "speaker" in self.predictions else "clips"

    @property
    def parts(self) -> list[str]:
        """The columns that `by` accepts."""
        return [name for name in (*KEPT, "fold") if name in self.predictions]

    @property
    def training_history(self) -> pd.DataFrame:
        """Loss and accuracy after each epoch of each fold; empty without a network."""
        histories = {i: pd.DataFrame(f.history) for i, f in enumerate(self.folds) if f.history}
        if not histories:
            return pd.DataFrame()
        table = pd.concat(histories, names=["fold", "epoch"]).reset_index()
        return table.assign(epoch=table["epoch"] + 1)

    def to_json(self) -> str:
        """All scores, with protocol, pipeline, versions and durations, as JSON.

        Returns
        -------
        text : str
            A JSON object; see the user guide for its keys.
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
        if self.encoders:
            content["encoders"] = [encoder.to_dict() for encoder in self.encoders]
        return json.dumps(content, indent=2, ensure_ascii=False)

    def save(self, folder: PathLike) -> list[Path]:
        """Write all tables.

        Parameters
        ----------
        folder : str or path
            Folder to write to; it is created if it does not exist.

        Returns
        -------
        files : list of Path
            ``predictions.csv``, ``classification_report.csv``, ``confusion_matrix.csv``,
            ``per_class_accuracy.csv``, ``training_history.csv`` if a network was trained, and
            ``results.json``, with the text of `to_json`.
        """
        folder = Path(folder)
        folder.mkdir(parents=True, exist_ok=True)
        per_class = self.per_class()
        n_clips = per_class["n_clips"]
        weighted = per_class.mul(n_clips, axis=0).sum() / n_clips.sum()
        means = pd.DataFrame({"macro avg": per_class.mean(), "weighted avg": weighted}).T
        means = means.assign(n_clips=n_clips.sum())
        report = pd.concat([per_class, means]).astype({"n_clips": int})
        recalls = per_class[["recall", "n_clips"]].rename(columns={"recall": "accuracy"})
        tables = {
            "predictions": self.predictions.set_index("path"),
            "classification_report": report.rename_axis("emotion"),
            "confusion_matrix": self.confusion().rename_axis("emotion"),
            "per_class_accuracy": recalls.rename_axis("emotion"),
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

    def _labels(self) -> tuple[pd.Series, pd.Series]:
        """True and predicted labels."""
        return self.predictions["emotion"], self.predictions["predicted"]

    @property
    def _units(self) -> np.ndarray:
        """What a bootstrap draws: the speaker of each clip, or a number if it is not known."""
        if self.drawn == "speakers":
            return self.predictions["speaker"].to_numpy()
        return np.arange(len(self.predictions))

    def _sums(self, units: np.ndarray) -> SpeakerSums:
        """Sums over the clips of each unit."""
        truth = np.searchsorted(self.classes, self.predictions["emotion"])
        sums = SpeakerSums.of(truth, self.probabilities.to_numpy(), units)
        if self.has_probabilities:
            return sums
        return replace(sums, log_loss=sums.log_loss * np.nan, bins=sums.bins * np.nan)

    def _scores_of(self, column: str) -> pd.DataFrame:
        """Number of clips and scores for each value of a column."""
        values = self.predictions[column].to_numpy()
        names, counts = np.unique(values, return_counts=True)
        scores = self._sums(values).scores(np.eye(len(names)))
        return pd.DataFrame({"n_clips": counts, **scores}, index=pd.Index(names, name=column))

    def __repr__(self) -> str:
        uar, n_clips = self.to_frame().loc["uar"], len(self.predictions)
        return (
            f"<UAR {uar['pooled']:.3f} ({format_interval(uar)}), {n_clips} clips: {self.protocol}>"
        )


def format_interval(score: pd.Series) -> str:
    """The interval of a row of `Evaluation.to_frame` as text."""
    if np.isnan(score["low"]):
        return "no interval: one speaker"
    return f"95 % {score['low']:.3f} to {score['high']:.3f}"


def _rows(table: pd.DataFrame) -> dict[str, dict[str, float | int | None]]:
    """A table as nested dicts of plain numbers, None for NaN, which JSON can hold."""
    return json.loads(table.to_json(orient="index"))
