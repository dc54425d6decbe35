import os
import pickle

import numpy as np
import optuna
import pandas as pd
import pytest
from numpy.testing import assert_allclose
from sklearn.base import clone
from sklearn.linear_model import RidgeClassifier
from sklearn.model_selection import GroupKFold, LeaveOneGroupOut, cross_val_score
from sklearn.utils import Bunch

from skser import SpeakerNormalizer, evaluate
from skser.datasets import make_emotional_speech
from skser.exceptions import NotFittedError, ParameterError
from skser.tuning import TunedClassifier, nested_evaluate, tune
from tests.evaluations import noises, quick_pipeline

optuna.logging.set_verbosity(optuna.logging.ERROR)
SPEECH = noises(n_speakers=4)


def penalty(trial):
    return {"classify__C": trial.suggest_float("classify__C", 1e-4, 10, log=True)}


def wrong(trial):
    return {"classify__c": trial.suggest_float("classify__c", 1, 2)}


def tuned(**params):
    params = {"n_trials": 3, "random_state": 0, **params}
    return TunedClassifier(quick_pipeline(), space=penalty, **params)


def part(speakers):
    """Clips of some speakers, as a corpus."""
    rows = np.isin(SPEECH.groups, speakers)
    return Bunch(
        waveforms=SPEECH.waveforms[rows], target=SPEECH.target[rows], groups=SPEECH.groups[rows]
    )


@pytest.fixture(scope="module")
def evaluation():
    return nested_evaluate(quick_pipeline(), SPEECH, space=penalty, n_trials=3, random_state=0)


@pytest.mark.slow
def test_each_fold_is_labelled_by_what_was_best_without_its_speaker(evaluation):
    for speaker in np.unique(SPEECH.groups)[:2]:
        rest = part(np.setdiff1d(SPEECH.groups, speaker))
        tuning = tune(quick_pipeline(), rest, space=penalty, n_trials=3, random_state=0)
        best = quick_pipeline(**tuning.best_params).fit(rest.waveforms, rest.target)
        predictions = evaluation.predictions.query("speaker == @speaker")
        assert_allclose(
            predictions[["angry", "calm", "sad"]],
            best.predict_proba(part([speaker]).waveforms),
            rtol=1e-5,
        )


@pytest.mark.slow
def test_protocol(evaluation):
    assert evaluation.protocol == (
        "4 folds (leave one speaker out), speaker-independent: nobody tested is trained on; "
        "parameters are tuned anew in each fold, by 3 trials on the speakers that are trained on"
    )


@pytest.mark.slow
def test_an_interrupted_evaluation_resumes(evaluation, tmp_path):
    how = {"n_trials": 3, "random_state": 0, "checkpoint": tmp_path}
    first = nested_evaluate(quick_pipeline(), SPEECH, space=penalty, **how)
    assert first.predictions.equals(evaluation.predictions)
    studies = sorted((tmp_path / "studies").glob("*.journal"))
    stamps = [os.stat(path).st_mtime_ns for path in studies]
    assert len(studies) == 4
    folds = sorted(tmp_path.glob("*.json"))
    assert len(folds) == 4
    folds[0].unlink()
    again = nested_evaluate(quick_pipeline(), SPEECH, space=penalty, **how)
    assert again.predictions.equals(evaluation.predictions)
    # The study of the lost fold was opened, and none of its trials run again.
    assert (
        sum(os.stat(path).st_mtime_ns > stamp for path, stamp in zip(studies, stamps, strict=True))
        == 1
    )
    for path in studies:
        storage = optuna.storages.JournalStorage(
            optuna.storages.journal.JournalFileBackend(os.fspath(path))
        )
        assert len(optuna.load_study(storage=storage, study_name="skser").trials) == 3


@pytest.mark.slow
def test_another_search_has_another_study(tmp_path):
    def fitted(**params):
        search = tuned(checkpoint=tmp_path, **{"n_trials": 1, **params})
        return search.fit(SPEECH.waveforms, SPEECH.target, groups=SPEECH.groups).tuning_

    first = fitted()
    assert fitted().n_run == 0
    for params in ({"n_trials": 2}, {"random_state": 1}, {"cv": GroupKFold(2)}):
        tuning = fitted(**params)
        assert tuning.n_run == len(tuning.to_frame()) == params.get("n_trials", 1)
    waveforms = SPEECH.waveforms.copy()
    waveforms[:, 2000] += 0.01  # which a printed array does not show
    search = tuned(checkpoint=tmp_path, n_trials=1)
    assert search.fit(waveforms, SPEECH.target, groups=SPEECH.groups).tuning_.n_run == 1
    assert len(first.to_frame()) == 1


def test_clips_in_a_table(speech):
    paths = pd.Series(speech.paths, index=range(10, 10 + len(speech.paths)))
    search = tuned(n_trials=1).fit(paths, speech.target, groups=speech.groups)
    assert set(search.predict(paths)) <= {"angry", "sad"}


@pytest.fixture
def speech(tmp_path):
    return make_emotional_speech(
        tmp_path, n_speakers=2, emotions=["angry", "sad"], n_sentences=2, n_takes=1, random_state=0
    )


@pytest.mark.slow
def test_scikit_learn_scores_it():
    scores = cross_val_score(
        tuned(), SPEECH.waveforms, SPEECH.target, groups=SPEECH.groups, cv=GroupKFold(2), n_jobs=2
    )
    assert scores.shape == (2,)
    assert (scores > 0.4).all()


def test_fitted():
    search = tuned().fit(SPEECH.waveforms, SPEECH.target, groups=SPEECH.groups)
    assert search.classes_.tolist() == ["angry", "calm", "sad"]
    assert search.best_params_ == search.tuning_.best_params
    assert search.tuning_.protocol.startswith("4 folds (whole speakers)")
    best = search.best_estimator_
    assert_allclose(search.predict_proba(SPEECH.waveforms), best.predict_proba(SPEECH.waveforms))
    assert (search.predict(SPEECH.waveforms) == best.predict(SPEECH.waveforms)).all()
    again = pickle.loads(pickle.dumps(search))
    assert_allclose(again.predict_proba(SPEECH.waveforms), best.predict_proba(SPEECH.waveforms))


def test_without_speakers_folds_are_stratified():
    search = tuned().fit(SPEECH.waveforms, SPEECH.target)
    assert len(search.tuning_.objective.splits) == 5


def test_parameters_reach_into_the_pipeline():
    search = clone(tuned(cv=GroupKFold(2), n_jobs=None)).set_params(estimator__load__duration=0.2)
    assert search.get_params()["estimator__load__duration"] == 0.2
    search.fit(SPEECH.waveforms, SPEECH.target, groups=SPEECH.groups)
    assert search.best_estimator_["load"].duration == 0.2
    assert len(search.tuning_.objective.splits) == 2


@pytest.mark.slow
def test_normalised_by_speaker():
    pipeline = quick_pipeline(scale=SpeakerNormalizer(transductive=True))
    search = TunedClassifier(pipeline, space=penalty, n_trials=2, random_state=0)
    evaluation = evaluate(search, SPEECH, cv=LeaveOneGroupOut())
    assert "transductive" in evaluation.protocol
    assert evaluation.to_frame().loc["uar", "pooled"] > 0.5


def test_without_probabilities():
    pipeline = quick_pipeline(classify=RidgeClassifier())

    def space(trial):
        return {"classify__alpha": trial.suggest_float("alpha", 0.1, 10)}

    search = TunedClassifier(pipeline, space=space, n_trials=2)
    assert not hasattr(search, "predict_proba")
    evaluation = evaluate(search, SPEECH)
    assert not evaluation.has_probabilities


def test_errors():
    with pytest.raises(NotFittedError):
        tuned().predict(SPEECH.waveforms)
    with pytest.raises(ParameterError, match="n_trials must be"):
        tuned(n_trials=0).fit(SPEECH.waveforms, SPEECH.target)
    with pytest.raises(ParameterError, match="there is no parameter 'classify__c'"):
        nested_evaluate(quick_pipeline(), SPEECH, space=wrong)
