"""The own split of a corpus: what is tested is for no search."""

import numpy as np
import optuna
import pandas as pd
import pytest
from numpy.testing import assert_array_equal
from sklearn.model_selection import GroupKFold
from sklearn.utils import Bunch

from skser.evaluation._splits import held_out
from skser.tuning import nested_evaluate, tune
from tests.evaluations import noises, quick_pipeline

optuna.logging.set_verbosity(optuna.logging.ERROR)
SPEECH = noises(n_speakers=6)


def penalty(trial):
    return {"classify__C": trial.suggest_float("classify__C", 0.01, 10, log=True)}


def divided(parts):
    """A corpus whose speakers have these parts."""
    part = dict(zip(np.unique(SPEECH.groups), parts, strict=True))
    return Bunch(**SPEECH | {"frame": SPEECH.frame.assign(split=SPEECH.frame["speaker"].map(part))})


def searched(corpus, **how):
    return tune(quick_pipeline(), corpus, space=penalty, n_trials=1, random_state=0, **how)


def test_test_clips_are_not_searched():
    tuning = searched(divided(["train"] * 4 + ["test"] * 2))
    assert set(tuning.objective.corpus.groups) == {"s00", "s01", "s02", "s03"}
    assert len(tuning.objective.splits) == 4
    assert "18 of 54 recordings are left out: part test of the split; " in tuning.protocol
    n_used = 4 * 9
    assert len(tuning.best_pipeline().tuned_on_) == n_used


def test_val_scores_the_search():
    tuning = searched(divided(["train"] * 3 + ["dev"] + ["test"] * 2))
    ((train, test),) = tuning.objective.splits
    groups = tuning.objective.corpus.groups
    assert (set(groups[train]), set(groups[test])) == ({"s00", "s01", "s02"}, {"s03"})
    assert "trained on train, tested on val" in tuning.protocol
    assert len(tuning.best_pipeline().tuned_on_) == len(groups) == 36


def test_val_is_left_out_if_it_is_what_is_tested():
    tuning = searched(divided(["train"] * 4 + ["val"] * 2))
    assert set(tuning.objective.corpus.groups) == {"s00", "s01", "s02", "s03"}
    assert "part val of the split" in tuning.protocol


@pytest.mark.parametrize("cv", [GroupKFold(2), 2])
def test_folds_divide_the_rest(cv):
    tuning = searched(divided(["train"] * 2 + ["val"] * 2 + ["test"] * 2), cv=cv)
    assert [len(train) + len(test) for train, test in tuning.objective.splits] == [36, 36]


def test_indices_are_used_as_they_are():
    folds = list(GroupKFold(2).split(SPEECH.target, SPEECH.target, SPEECH.groups))
    tuning = searched(divided(["train"] * 4 + ["test"] * 2), cv=folds)
    assert len(tuning.objective.corpus.clips) == 54
    assert "left out" not in tuning.protocol.replace("leave", "")


def test_without_a_split():
    tuning = searched(SPEECH)
    assert (tuning.objective.left_out, len(tuning.objective.corpus.clips)) == ("", 54)


@pytest.mark.slow
def test_nested_scores_are_of_the_test_clips():
    corpus = divided(["train"] * 4 + ["test"] * 2)
    scored = nested_evaluate(quick_pipeline(), corpus, space=penalty, n_trials=2, random_state=0)
    assert set(scored.predictions["speaker"]) == {"s04", "s05"}


def test_split_of_each_of_several_corpora():
    frame = pd.DataFrame(
        {
            "corpus": ["one"] * 3 + ["two"] * 2 + ["three"] * 2,
            "split": ["train", "val", "test", None, None, "train", "val"],
        }
    )
    mask, line = held_out(frame)
    assert_array_equal(mask, [False, False, True, False, False, False, True])
    assert line == "2 of 7 recordings are left out: part test and val of the split"
    assert held_out(frame[["corpus"]])[1] == ""
    assert held_out(frame.assign(split="train"))[1] == ""
