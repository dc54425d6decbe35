import numpy as np
import pytest
from sklearn.metrics import balanced_accuracy_score
from sklearn.utils import Bunch

from skser import cross_corpus, evaluate
from skser.exceptions import DataError
from tests.evaluations import noises, quick_pipeline

CORPORA = {name: noises(n_speakers=3, seed=seed) for seed, name in enumerate(["a", "b"])}


def test_scores_are_those_of_fitting_by_hand():
    as_tuples = {name: (c.waveforms, c.target, c.groups) for name, c in CORPORA.items()}
    table = cross_corpus(quick_pipeline(), as_tuples)
    assert list(table.index) == list(table.columns) == ["a", "b"]
    a, b = CORPORA.values()
    fitted = quick_pipeline().fit(a.waveforms, a.target)
    across = balanced_accuracy_score(b.target, fitted.predict(b.waveforms))
    assert table.loc["a", "b"] == pytest.approx(across)
    # Within a corpus, by speakers who are not trained on.
    within = evaluate(quick_pipeline(), b).to_frame()["pooled"].uar
    assert table.loc["b", "b"] == pytest.approx(within)


def test_all_others_and_emotions_in_common(tmp_path):
    corpora = {**CORPORA, "c": noises(3, emotions=("angry", "bored", "sad"), seed=2)}
    table = cross_corpus(quick_pipeline(), corpora, checkpoint=tmp_path)
    assert list(table.index) == ["a", "b", "c", "all others"]
    assert table.index.name == "trained on"
    a, b, c = corpora.values()
    X, y = (np.concatenate([a[name], b[name]]) for name in ("waveforms", "target"))
    fitted = quick_pipeline().fit(X[y != "calm"], y[y != "calm"])
    is_common = c.target != "bored"
    labels = fitted.predict(c.waveforms[is_common])
    expected = balanced_accuracy_score(c.target[is_common], labels)
    assert table.loc["all others", "c"] == pytest.approx(expected)
    # Three corpora in three folds each, three alone, three of all others.
    assert len(list(tmp_path.glob("*.json"))) == 9 + 3 + 3


@pytest.mark.parametrize(
    ("corpora", "message"),
    [
        ({"a": CORPORA["a"]}, "corpora .* two, got 1"),
        ({**CORPORA, "all others": CORPORA["a"]}, "corpora .* named 'all others'"),
        (
            {**CORPORA, "c": Bunch(**{**CORPORA["a"], "groups": None, "frame": None})},
            "^c: corpus must have groups.*got None",
        ),
        (
            {"a": CORPORA["a"], "b": noises(3, emotions=("bored", "sad"))},
            "corpora .* two emotions in common, got sad",
        ),
    ],
)
def test_errors(corpora, message):
    with pytest.raises(DataError, match=message):
        cross_corpus(quick_pipeline(), corpora)
