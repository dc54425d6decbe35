"""Evaluation: what out-of-fold predictions say, as tables, files and a comparison of two."""

from __future__ import annotations

import json
import os
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pandas as pd
from sklearn.metrics import confusion_matrix, precision_recall_fscore_support

from ._files import written_whole
from ._folds import Fold
from .exceptions import DataError, ParameterError
from .metrics import SCORES, SpeakerSums, interval, joined

# Columns of a corpus by which scores are told apart.
KEPT = ("speaker", "corpus", "gender")


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
        In a sentence, who was trained on and who was tested.
    pipeline : str
        The pipeline with those parameters that are not its defaults, seeds among them.
    versions : dict of {str : str}
        Versions of the packages.
    has_probabilities : bool
        Whether the pipeline gives any. If not, the label has 1, and log loss and calibration error
        are NaN.

    Examples
    --------
    >>> from skser import evaluate
    >>> from skser.datasets import make_emotional_speech
    >>> from skser.recipes import functionals
    >>> speech = make_emotional_speech(
    ...     n_speakers=4, emotions=["angry", "sad"], n_takes=1, random_state=0
    ... )
    >>> pipeline = functionals(features__blocks=["rms", "zcr"], augment__n_views=1)
    >>> evaluation = evaluate(pipeline, speech)
    >>> evaluation.per_class()["n_clips"].to_dict()
    {'angry': 12, 'sad': 12}
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

        Of a class without clips recall is NaN, and so are the others if no clip is taken for it.
        """
        truth, predicted = self.predictions["emotion"], self.predictions["predicted"]
        found = precision_recall_fscore_support(
            truth, predicted, labels=self.classes, zero_division=np.nan
        )
        names = ("precision", "recall", "f1", "n_clips")
        table = pd.DataFrame(dict(zip(names, found, strict=True)), index=self.classes)
        never = (table["n_clips"] > 0) & table["precision"].isna()
        table.loc[never, "precision"] = 0.0  # as scikit-learn's reports have it
        return table

    def confusion(self) -> pd.DataFrame:
        """Number of clips of each class (rows) by what they were taken for (columns)."""
        truth, predicted = self.predictions["emotion"], self.predictions["predicted"]
        matrix = confusion_matrix(truth, predicted, labels=self.classes)
        return pd.DataFrame(matrix, index=self.classes, columns=self.classes)

    def mistakes(self) -> pd.DataFrame:
        """The wrong answers, the surest first.

        Returns
        -------
        mistakes : DataFrame
            Rows of ``predictions``, with ``confidence``, the probability of what was answered, and
            ``of_truth``, that of the truth.
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
        """Those columns of ``predictions`` that hold probabilities."""
        return self.predictions.iloc[:, -len(self.classes) :]

    def check_probabilities(self) -> None:
        """Raise DataError if the pipeline gives no probabilities."""
        if not self.has_probabilities:
            raise DataError("evaluation must have probabilities, which its pipeline does not give")

    @property
    def drawn(self) -> str:
        """What the bootstrap draws: "speakers", or "clips" where speakers are not known."""
        return "speakers" if "speaker" in self.predictions else "clips"

    @property
    def parts(self) -> list[str]:
        """What `by` can tell apart here."""
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
            Where to write; it is made if it is not there.

        Returns
        -------
        files : list of Path
            What was written.
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
        """Of each clip, the speaker, or a number of its own where speakers are not known."""
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
            f"<UAR {uar['pooled']:.3f} ({told_interval(uar)}), {len(self.predictions)} clips: "
            f"{self.protocol}>"
        )


def told_interval(score: pd.Series) -> str:
    """The interval of a row of `Evaluation.to_frame` in words."""
    if np.isnan(score["low"]):
        return "no interval: one speaker"
    return f"95 % {score['low']:.3f} to {score['high']:.3f}"


def compare(a: Evaluation, b: Evaluation) -> pd.DataFrame:
    """How much better one evaluation is than another of the same clips.

    Parameters
    ----------
    a, b : Evaluation
        Of the same clips.

    Returns
    -------
    table : DataFrame
        A row for each score, with those of ``a`` and of ``b``; their ``difference`` (b less a),
        ``low`` and ``high``, which hold 95 % of its bootstrap over speakers; and ``p_value``, how
        often as large a difference would come about if for each speaker it were chance which of
        the two is which [1]_.

    Raises
    ------
    DataError
        They are of other clips, labels, classes or speakers, or of clips of which one is there
        twice.

    References
    ----------
    .. [1] E. W. Noreen, "Computer-intensive methods for testing hypotheses", Wiley, 1989.

    Examples
    --------
    >>> from skser import compare, evaluate
    >>> from skser.datasets import make_emotional_speech
    >>> from skser.recipes import functionals
    >>> speech = make_emotional_speech(
    ...     n_speakers=4, emotions=["angry", "sad"], n_takes=1, random_state=0
    ... )
    >>> few, many = (
    ...     evaluate(functionals(features__blocks=blocks, augment__n_views=1), speech)
    ...     for blocks in (["rolloff"], ["rms", "zcr", "contrast", "centroid"])
    ... )
    >>> compare(few, many)["difference"]["uar"] > 0
    np.True_
    """
    order = _order(a, b)
    theirs = replace(b, predictions=b.predictions.iloc[order].reset_index(drop=True))
    for column, what in (("emotion", "labels"), ("speaker", "speakers")):
        of_a, of_b = (one.predictions.get(column, pd.Series()).tolist() for one in (a, theirs))
        if of_a != of_b:
            raise DataError(f"a and b must have the same {what} of each clip")
    if not np.array_equal(a.classes, b.classes):
        raise DataError(
            f"a and b must have the same classes, got {a.classes.tolist()} and {b.classes.tolist()}"
        )
    sums_a, sums_b = a._sums(a._units), theirs._sums(a._units)
    both = SpeakerSums(
        *(
            np.concatenate([getattr(sums_a, name), getattr(sums_b, name)])
            for name in ("confusion", "log_loss", "bins", "n_in_bins")
        )
    )
    rng = np.random.default_rng(0)
    mixed = []
    for weights in sums_a.draws():
        swap = rng.integers(2, size=weights.shape)
        sides = (np.hstack([1 - swap, swap]), np.hstack([swap, 1 - swap]))
        mixed.append([both.scores(side) for side in sides])
    mixed_a, mixed_b = (joined(side) for side in zip(*mixed, strict=True))
    scores_a, scores_b = sums_a.scores(), sums_b.scores()
    drawn_a, drawn_b = sums_a.bootstrap(), sums_b.bootstrap()
    rows = {}
    for name in SCORES:
        difference = scores_b[name][0] - scores_a[name][0]
        low, high = interval(drawn_b[name] - drawn_a[name])
        by_chance = np.abs(mixed_b[name] - mixed_a[name]) >= abs(difference) - 1e-12
        p_value = (1 + by_chance.sum()) / (1 + len(by_chance))
        rows[name] = (scores_a[name][0], scores_b[name][0], difference, low, high, p_value)
    columns = ["a", "b", "difference", "low", "high", "p_value"]
    return pd.DataFrame.from_dict(rows, orient="index", columns=columns).rename_axis("score")


def _order(a: Evaluation, b: Evaluation) -> np.ndarray:
    """Where the clips of ``a`` are in ``b``."""
    clips, others = a.predictions["path"], pd.Index(b.predictions["path"])
    if np.array_equal(clips, others):
        return np.arange(len(clips))
    if not others.is_unique or not clips.is_unique:
        raise DataError("a and b must be of clips in the same order where one is there twice")
    order = others.get_indexer(clips)
    if len(clips) != len(others) or (order < 0).any():
        raise DataError("a and b must be of the same clips")
    return order


def _rows(table: pd.DataFrame) -> dict[str, dict[str, float | int | None]]:
    """A table as nested dicts of plain numbers, None for NaN, which JSON can hold."""
    return json.loads(table.to_json(orient="index"))
