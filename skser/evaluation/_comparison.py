"""compare: the difference between two evaluations of the same clips."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import numpy as np
import pandas as pd

from ..exceptions import DataError
from ..metrics import N_DRAWS, SCORES, SpeakerSums, interval, joined
from ._docstrings import documented
from ._result import Evaluation


@documented
def compare(baseline: Evaluation, other: Evaluation) -> pd.DataFrame:
    """Compare two evaluations of the same clips.

    Parameters
    ----------
    baseline, other : Evaluation
        Of the same clips, in any order.

    Returns
    -------
    table : DataFrame
        A row for each score: of ``baseline`` and of ``other``; their ``difference``, other minus
        baseline; ``low`` and ``high``, its 95 % bootstrap interval over speakers; and ``p_value``,
        two-sided, of a permutation test that swaps the two evaluations of whole speakers [1]_. Up
        to ten speakers it is exact, over all ``2**n`` swaps of n speakers, at least ``2 / 2**n``;
        with more, over 2000 random swaps. Log loss and calibration error without probabilities are
        NaN.

    Raises
    ------
    DataError
        They are not evaluations, or differ in clips, labels, classes or speakers, or in the order
        of clips with duplicates.

    References
    ----------
    .. [1] E. W. Noreen, "Computer-intensive methods for testing hypotheses", Wiley, 1989.

    Examples
    --------
    >>> from skser import compare, evaluate
    {example}
    >>> without_rms = functionals(features__blocks=["zcr"], augment__n_views=1)
    >>> table = compare(evaluate(without_rms, speech), evaluate(pipeline, speech))
    >>> table["difference"]["uar"] > 0
    np.True_
    """
    for name, value in (("baseline", baseline), ("other", other)):
        if not isinstance(value, Evaluation):
            raise DataError(f"{name} must be an Evaluation, got a {type(value).__name__}")
    order = _find_clips(baseline, other)
    other = replace(other, predictions=other.predictions.iloc[order].reset_index(drop=True))
    for column, what in (("emotion", "labels"), ("speaker", "speakers")):
        a, b = (table.predictions.get(column, pd.Series()) for table in (baseline, other))
        if a.tolist() != b.tolist():
            raise DataError(f"baseline and other must have the same {what} of each clip")
    if not np.array_equal(baseline.classes, other.classes):
        raise DataError(
            "baseline and other must have the same classes, got "
            f"{baseline.classes.tolist()} and {other.classes.tolist()}"
        )
    sums_a, sums_b = (evaluation._sums(baseline._units) for evaluation in (baseline, other))
    permuted = _permuted_differences(sums_a, sums_b)
    scores_a, scores_b = sums_a.scores(), sums_b.scores()
    drawn_a, drawn_b = sums_a.bootstrap(), sums_b.bootstrap()
    rows = {}
    for name in SCORES:
        score_a, score_b = scores_a[name][0], scores_b[name][0]
        difference = score_b - score_a
        is_as_large = np.abs(permuted[name]) >= abs(difference) - 1e-12
        p_value = np.nan if np.isnan(difference) else is_as_large.mean()
        low, high = interval(drawn_b[name] - drawn_a[name])
        rows[name] = (score_a, score_b, difference, low, high, p_value)
    columns = ["baseline", "other", "difference", "low", "high", "p_value"]
    return pd.DataFrame.from_dict(rows, orient="index", columns=columns).rename_axis("score")


def _permuted_differences(sums_a: SpeakerSums, sums_b: SpeakerSums) -> dict[str, np.ndarray]:
    """Differences of scores after the two evaluations of some speakers are swapped."""
    pairs = zip(vars(sums_a).values(), vars(sums_b).values(), strict=True)
    both = SpeakerSums(*map(np.concatenate, pairs))
    differences = []
    for swap in _swaps(sums_a):
        a, b = both.scores(np.hstack([1 - swap, swap])), both.scores(np.hstack([swap, 1 - swap]))
        differences.append({name: b[name] - a[name] for name in SCORES})
    return joined(differences)


def _swaps(sums: SpeakerSums) -> Iterator[np.ndarray]:
    """Speakers to swap, 0 or 1, of shape (n_swaps, n_speakers): all swaps if few, else random."""
    n = sums.n_units
    if 2**n <= N_DRAWS:
        yield np.arange(2**n)[:, np.newaxis] >> np.arange(n) & 1
        return
    yield np.zeros((1, n), int)  # the evaluations as they are, so that no p-value is 0
    rng = np.random.default_rng(0)
    for weights in sums.draws():
        yield rng.integers(2, size=weights.shape)


def _find_clips(baseline: Evaluation, other: Evaluation) -> np.ndarray:
    """Row of each clip of ``baseline`` in ``other``."""
    clips, index = baseline.predictions["path"], pd.Index(other.predictions["path"])
    if np.array_equal(clips, index):
        return np.arange(len(clips))
    if not index.is_unique or not clips.is_unique:
        raise DataError("baseline and other must have clips in the same order if one occurs twice")
    order = index.get_indexer(clips)
    if len(clips) != len(index) or (order < 0).any():
        raise DataError("baseline and other must be of the same clips")
    return order
