import numpy as np
import pytest
from sklearn.metrics import balanced_accuracy_score
from sklearn.utils import Bunch

from skser import cross_corpus, evaluate
from skser.exceptions import DataError
from tests.evaluations import noises, quick_pipeline

CORPORA = {name: noises(n_speakers=3, seed=seed) for seed, name in enumerate(["one", "two"])}


def test_scores_are_those_of_fitting_by_hand():
    as_tuples = {name: (one.waveforms, one.target, one.groups) for name, one in CORPORA.items()}
    table = cross_corpus(quick_pipeline(), as_tuples)
    assert list(table.index) == list(table.columns) == ["one", "two"]
    one, two = CORPORA.values()
    fitted = quick_pipeline().fit(one.waveforms, one.target)
    across = balanced_accuracy_score(two.target, fitted.predict(two.waveforms))
    assert table.loc["one", "two"] == pytest.approx(across)
    # Within a corpus, by speakers who are not trained on.
    within = evaluate(quick_pipeline(), two).to_frame()["pooled"].uar
    assert table.loc["two", "two"] == pytest.approx(within)


def test_all_others_and_emotions_in_common(tmp_path):
    corpora = {**CORPORA, "three": noises(3, emotions=("angry", "bored", "sad"), seed=2)}
    table = cross_corpus(quick_pipeline(), corpora, checkpoint=tmp_path)
    assert list(table.index) == ["one", "two", "three", "all others"]
    assert table.index.name == "trained on"
    others = [corpora["one"], corpora["two"]]
    X, y = (np.concatenate([one[name] for one in others]) for name in ("waveforms", "target"))
    fitted = quick_pipeline().fit(X[y != "calm"], y[y != "calm"])
    three = corpora["three"]
    kept = three.target != "bored"
    expected = balanced_accuracy_score(three.target[kept], fitted.predict(three.waveforms[kept]))
    assert table.loc["all others", "three"] == pytest.approx(expected)
    # Three corpora in three folds each, three alone, three of all others.
    assert len(list(tmp_path.glob("*.json"))) == 9 + 3 + 3


@pytest.mark.parametrize(
    ("corpora", "message"),
    [
        ({"one": CORPORA["one"]}, "corpora must be at least two, got 1"),
        (
            {**CORPORA, "three": Bunch(**{**CORPORA["one"], "groups": None, "frame": None})},
            "three: corpus must have groups, the speakers, got None",
        ),
        (
            {"one": CORPORA["one"], "two": noises(3, emotions=("bored", "sad"))},
            "corpora must have at least two emotions in common, got sad",
        ),
    ],
)
def test_errors(corpora, message):
    with pytest.raises(DataError) as caught:
        cross_corpus(quick_pipeline(), corpora)
    assert str(caught.value) == message
