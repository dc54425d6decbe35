import os
import pickle
import warnings

import numpy as np
import optuna
import pytest
from numpy.testing import assert_allclose
from optuna.trial import TrialState
from sklearn.base import clone
from sklearn.ensemble import VotingClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import balanced_accuracy_score
from sklearn.model_selection import GroupKFold, cross_val_predict
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import FunctionTransformer

from skser import CNNEmotionClassifier, SpeakerNormalizer, evaluate
from skser.classifiers import SoftVotingClassifier
from skser.datasets import make_emotional_speech
from skser.exceptions import DataError, LeakageWarning, ParameterError
from skser.tuning import Objective
from skser.tuning._sharing import KeptPipeline
from tests.evaluations import noises, quick_pipeline

optuna.logging.set_verbosity(optuna.logging.ERROR)
SPEECH = noises(n_speakers=6)


def penalty(trial):
    return {"classify__C": trial.suggest_float("classify__C", 0.01, 10, log=True)}


def epochs(trial):
    return {"classify__epochs": trial.suggest_int("classify__epochs", 10, 30)}


def network(**params):
    return CNNEmotionClassifier(
        "dense", **{"network__dense_units": (8,), "epochs": 10, "random_state": 0, **params}
    )


def studied(objective, n_trials=3, **how):
    how = {"sampler": optuna.samplers.RandomSampler(seed=0), **how}
    study = optuna.create_study(direction="maximize", **how)
    study.enqueue_trial(**objective.baseline)
    study.optimize(objective, n_trials=n_trials)
    return study


@pytest.fixture(scope="module")
def objective():
    return Objective(quick_pipeline(), SPEECH, space=penalty)


@pytest.fixture(scope="module")
def study(objective):
    return studied(objective, 4)


def test_value_is_the_uar_of_scikit_learns_cross_validation(study):
    for trial in study.trials:
        predicted = cross_val_predict(
            quick_pipeline(**trial.params),
            SPEECH.waveforms,
            SPEECH.target,
            groups=SPEECH.groups,
            cv=GroupKFold(5),
        )
        assert_allclose(trial.value, balanced_accuracy_score(SPEECH.target, predicted))
        for (_, test), uar in zip(
            GroupKFold(5).split(SPEECH.target, groups=SPEECH.groups),
            trial.user_attrs["fold_uar"],
            strict=True,
        ):
            score = balanced_accuracy_score(SPEECH.target[test], predicted[test])
            assert_allclose(uar, score, atol=1e-4)


def test_first_trial_is_the_pipeline_as_it_is(study, objective):
    assert study.trials[0].params == {}
    assert objective.params_of(study.trials[0]) == {}
    assert_allclose(
        study.trials[0].value,
        evaluate(quick_pipeline(), SPEECH, cv=GroupKFold(5)).to_frame().loc["uar", "pooled"],
    )


def test_attributes_of_a_trial(study):
    for trial in study.trials:
        attrs = trial.user_attrs
        assert len(attrs["fold_uar"]) == len(attrs["fold_seconds"]) == 5
        assert attrs["seconds"] >= sum(attrs["fold_seconds"]) - 0.01
        assert "failure" not in attrs
        assert sorted(trial.intermediate_values) == [10, 20, 30, 40]


def test_seed_of_the_pipeline_is_recorded():
    for seed in (3, None):
        pipeline = quick_pipeline(classify__random_state=seed)
        trial = optuna.create_study().ask(fixed_distributions={})
        trial.set_user_attr("as_it_is", True)
        Objective(pipeline, noises(n_speakers=2), space=penalty)(trial)
        assert trial.user_attrs["seed"] == seed


def test_folds_at_a_time_give_the_same(study):
    both = studied(Objective(quick_pipeline(), SPEECH, space=penalty, n_jobs=2), 2)
    assert [trial.value for trial in both.trials] == [t.value for t in study.trials[:2]]


def test_folds_on_a_dask_cluster(study):
    distributed = pytest.importorskip("distributed")
    from joblib import parallel_config

    with (
        distributed.LocalCluster(
            n_workers=2, threads_per_worker=1, processes=False, dashboard_address=":0"
        ) as cluster,
        distributed.Client(cluster),
        parallel_config(backend="dask"),
    ):
        both = studied(Objective(quick_pipeline(), SPEECH, space=penalty), 2)
    assert [trial.value for trial in both.trials] == [t.value for t in study.trials[:2]]


def test_best_pipeline_is_fitted_on_all_clips(study, objective):
    best = objective.best_pipeline(study)
    expected = quick_pipeline(**study.best_params).fit(SPEECH.waveforms, SPEECH.target)
    assert_allclose(
        best.predict_proba(SPEECH.waveforms), expected.predict_proba(SPEECH.waveforms), rtol=1e-6
    )
    assert best["features"].memory is None
    again = pickle.loads(pickle.dumps(best))
    assert len(again.tuned_on_) == len(SPEECH.target)


@pytest.mark.slow
def test_optimistic_scores_are_warned_of(study, objective):
    best = objective.best_pipeline(study)
    for cv in (None, "prefit"):
        with pytest.warns(LeakageWarning) as caught:
            evaluate(best, SPEECH, cv=cv)
        assert str(caught[0].message).startswith(
            "the parameters of the pipeline were chosen on 54 of these 54 clips"
        )
    evaluate(best, noises(seed=1), cv="prefit")


def test_a_failed_trial_is_recorded_and_the_study_continues():
    def fails(waveform, sr=None):
        raise MemoryError("not enough")

    def space(trial):
        step = trial.suggest_categorical("classify", ["memory", "value", "good"])
        made = {
            "memory": make_pipeline(FunctionTransformer(fails), LogisticRegression()),
            "value": LogisticRegression(C=-1),
            "good": LogisticRegression(),
        }
        return {"classify": made[step]}

    study = optuna.create_study(direction="maximize")
    for name in ("memory", "value", "good"):
        study.enqueue_trial({"classify": name})
    study.optimize(Objective(quick_pipeline(), SPEECH, space=space), n_trials=3)
    states = [trial.state for trial in study.trials]
    assert states == [TrialState.FAIL, TrialState.FAIL, TrialState.COMPLETE]
    reasons = [trial.user_attrs.get("failure") for trial in study.trials]
    assert reasons[0] == "MemoryError: not enough"
    assert reasons[1].startswith("ParameterError: The 'C' parameter of LogisticRegression must be")
    assert reasons[2] is None


@pytest.mark.slow
def test_a_loss_that_is_not_finite_ends_the_trial():
    def space(trial):
        rate = trial.suggest_float("classify__learning_rate", 1e30, 1e38, log=True)
        return {"classify__learning_rate": rate, "classify__clip_norm": None}

    pipeline = quick_pipeline(classify=network(optimizer="sgd", schedule=None, epochs=20))
    study = optuna.create_study(direction="maximize")
    study.optimize(Objective(pipeline, noises(n_speakers=2), space=space), n_trials=1)
    (trial,) = study.trials
    assert trial.state == TrialState.FAIL
    assert trial.user_attrs["failure"].startswith("DataError: the loss is nan after epoch ")
    assert "fold_uar" not in trial.user_attrs


class PruneAt(optuna.pruners.BasePruner):
    def __init__(self, step):
        self.step = step

    def prune(self, study, trial):
        return trial.last_step >= self.step


@pytest.mark.parametrize("n_jobs", [1, 2])
def test_pruned_between_folds(n_jobs):
    objective = Objective(quick_pipeline(), SPEECH, space=penalty, n_jobs=n_jobs)
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", ".*tasks which were still being processed")
        (trial,) = studied(objective, 1, pruner=PruneAt(20)).trials
    assert trial.state == TrialState.PRUNED
    assert len(trial.user_attrs["fold_uar"]) == 2
    assert trial.user_attrs["seconds"] > 0


@pytest.mark.slow
def test_pruned_between_epochs():
    vote = SoftVotingClassifier(
        [("linear", LogisticRegression()), ("network", Pipeline([("net", network())]))]
    )

    def space(trial):
        return {"classify__network__net__epochs": trial.suggest_int("epochs", 20, 30)}

    objective = Objective(quick_pipeline(classify=vote), noises(n_speakers=2), space=space)
    study = optuna.create_study(direction="maximize", pruner=PruneAt(14))
    study.optimize(objective, n_trials=1)
    (trial,) = study.trials
    assert trial.state == TrialState.PRUNED
    assert sorted(trial.intermediate_values) == [*range(1, 15)]
    assert len(trial.user_attrs["fold_uar"]) == 1


@pytest.mark.slow
def test_scores_between_epochs_are_those_of_the_network():
    pipeline = quick_pipeline(classify=network(epochs=40, learning_rate=0.05))
    objective = Objective(pipeline, noises(n_speakers=2), space=epochs)
    trial = optuna.create_study(direction="maximize").ask()
    trial.set_user_attr("as_it_is", True)
    value = objective(trial)
    reports = trial.study.trials[0].intermediate_values
    assert sorted(reports) == [*range(1, 20)]
    assert reports[1] < reports[9]
    assert abs(reports[9] - reports[10]) < 0.2
    assert abs(reports[19] - value) < 0.2


@pytest.mark.slow
def test_normalised_by_speaker_is_pruned_between_folds_only():
    pipeline = quick_pipeline(
        scale=SpeakerNormalizer(transductive=True), classify=network(epochs=2)
    )
    (trial,) = studied(Objective(pipeline, noises(n_speakers=2), space=epochs), 1).trials
    assert sorted(trial.intermediate_values) == [10]


@pytest.fixture(scope="module")
def corpus(tmp_path_factory):
    return make_emotional_speech(
        tmp_path_factory.mktemp("speech"),
        n_speakers=3,
        emotions=["angry", "sad"],
        n_sentences=2,
        n_takes=1,
        random_state=0,
    )


def n_entries(folder):
    return sum(name.endswith(".features") for _, _, names in os.walk(folder) for name in names)


def test_clips_are_extracted_once(corpus, tmp_path):
    objective = Objective(quick_pipeline(), corpus, space=penalty, memory=tmp_path)
    study = studied(objective, 4)
    assert n_entries(tmp_path) == len(corpus.paths)
    stamps = {path: os.stat(path).st_mtime_ns for path in tmp_path.rglob("*.features")}
    studied(Objective(quick_pipeline(), corpus, space=penalty, memory=tmp_path), 2)
    assert stamps == {path: os.stat(path).st_mtime_ns for path in tmp_path.rglob("*.features")}
    objective.best_pipeline(study)
    assert n_entries(tmp_path) == len(corpus.paths)


def test_features_of_one_trial_alone_do_not_pile_up(corpus, tmp_path):
    def space(trial):
        return {"features__n_fft": trial.suggest_int("features__n_fft", 400, 800)}

    studied(Objective(quick_pipeline(), corpus, space=space, memory=tmp_path), 3)
    assert n_entries(tmp_path) == len(corpus.paths)


def test_memory_of_an_extractor_stays(corpus, tmp_path):
    pipeline = quick_pipeline(features__memory=tmp_path / "own")
    objective = Objective(pipeline, corpus, space=penalty, memory=tmp_path / "other")
    best = objective.best_pipeline(studied(objective, 1))
    assert n_entries(tmp_path / "own") == len(corpus.paths)
    assert not (tmp_path / "other").exists()
    assert best["features"].memory == tmp_path / "own"


def test_without_memory_nothing_is_left(corpus):
    objective = Objective(quick_pipeline(), corpus, space=penalty)
    studied(objective, 1)
    folder = objective.memory
    assert n_entries(folder) == len(corpus.paths)
    del objective
    assert not folder.exists()


class Counted(LogisticRegression):
    """Counts its fits."""

    fits = []

    def fit(self, X, y):
        self.fits.append(len(X))
        return super().fit(X, y)


@pytest.mark.slow
def test_members_of_a_vote_that_no_trial_changes_are_fitted_once(tmp_path):
    Counted.fits.clear()
    members = [("shared", Counted(C=0.1)), ("tuned", LogisticRegression())]
    vote = SoftVotingClassifier([(name, Pipeline([("classify", m)])) for name, m in members])

    def space(trial):
        return {
            "classify__tuned__classify__C": trial.suggest_float("C", 0.1, 10),
            "classify__weights": [1, trial.suggest_float("weight", 0.1, 10)],
        }

    pipeline = quick_pipeline(classify=vote)
    objective = Objective(pipeline, SPEECH, space=space, memory=tmp_path)
    study = studied(objective, 4)
    assert len(Counted.fits) == 5
    best = objective.best_pipeline(study)
    assert type(best["classify"].estimators_[0]) is Pipeline
    for trial in study.trials[1:]:
        predicted = cross_val_predict(
            clone(pipeline).set_params(**space(trial)),
            SPEECH.waveforms,
            SPEECH.target,
            groups=SPEECH.groups,
            cv=GroupKFold(5),
        )
        assert_allclose(trial.value, balanced_accuracy_score(SPEECH.target, predicted))


@pytest.mark.slow
def test_members_are_fitted_again_where_a_step_before_them_differs(tmp_path):
    Counted.fits.clear()
    vote = SoftVotingClassifier([("single", Pipeline([("classify", Counted())]))])

    def space(trial):
        return {"features__n_fft": trial.suggest_int("features__n_fft", 400, 800)}

    pipeline = quick_pipeline(classify=vote)
    studied(Objective(pipeline, SPEECH, space=space, memory=tmp_path), 3)
    assert len(Counted.fits) == 15
    assert len(list((tmp_path / "fits").iterdir())) == 5


@pytest.mark.slow
def test_a_shared_network_is_pruned_between_folds_only():
    members = [("network", Pipeline([("net", network())])), ("linear", LogisticRegression())]

    def space(trial):
        return {"classify__weights": [1, trial.suggest_float("weight", 0.1, 10)]}

    pipeline = quick_pipeline(classify=SoftVotingClassifier(members))
    study = studied(Objective(pipeline, noises(n_speakers=2), space=space), 2)
    assert [sorted(trial.intermediate_values) for trial in study.trials] == [[10], [10]]


def test_shared_members_notice_recordings_that_change(corpus, tmp_path):
    paths = np.array(corpus.paths, dtype=object)

    def fitted():
        pipeline = KeptPipeline(quick_pipeline().steps, memory=tmp_path)
        return pipeline.fit(paths, corpus.target)

    probabilities = fitted().predict_proba(paths)
    assert_allclose(fitted().predict_proba(paths), probabilities)
    assert len(list(tmp_path.iterdir())) == 1
    os.utime(paths[0])
    fitted()
    assert len(list(tmp_path.iterdir())) == 2


@pytest.mark.slow
def test_networks_that_the_pipeline_does_not_show_are_pruned_between_folds():
    members = [("network", network(epochs=2)), ("linear", LogisticRegression())]
    pipeline = quick_pipeline(classify=VotingClassifier(members, voting="soft"))

    def space(trial):
        return {"classify__weights": [1, trial.suggest_float("weight", 0.1, 10)]}

    (trial,) = studied(Objective(pipeline, noises(n_speakers=2), space=space), 1).trials
    assert trial.state == TrialState.COMPLETE
    assert sorted(trial.intermediate_values) == [10]


def first_feature(values):
    return values[:, :1]


@pytest.mark.slow
def test_two_networks_in_a_vote_have_different_features():
    stopping = network(epochs=4, early_stopping=1, validation_fraction=0.3)
    pick = FunctionTransformer(first_feature)
    members = [
        ("first", Pipeline([("pick", pick), ("net", stopping)])),
        ("second", Pipeline([("net", network(epochs=4))])),
    ]

    def space(trial):
        rate = trial.suggest_float("rate", 1e-3, 1e-2)
        return {f"classify__{name}__net__learning_rate": rate for name, _ in members}

    pipeline = quick_pipeline(classify=SoftVotingClassifier(members))
    study = optuna.create_study(direction="maximize")
    objective = Objective(pipeline, noises(n_speakers=4), space=space, cv=GroupKFold(2))
    study.optimize(objective, n_trials=1)
    assert "failure" not in study.trials[0].user_attrs
    assert study.trials[0].state == TrialState.COMPLETE


def test_speakers_that_are_not_known():
    objective = Objective(quick_pipeline(), SPEECH.waveforms, SPEECH.target, space=penalty)
    assert len(objective.splits) == 5
    assert objective.corpus.groups is None
    assert 0 < studied(objective, 1).best_value <= 1


def test_recordings_labels_and_speakers_as_scikit_learn_passes_them(objective):
    same = Objective(
        quick_pipeline(), SPEECH.waveforms, SPEECH.target, groups=SPEECH.groups, space=penalty
    )
    for part, other in zip(same.splits, objective.splits, strict=True):
        assert np.array_equal(part[0], other[0])
        assert np.array_equal(part[1], other[1])
    with pytest.raises(DataError, match="groups must not be given beside a Bunch"):
        Objective(quick_pipeline(), SPEECH, groups=SPEECH.groups, space=penalty)


def test_speakers_on_both_sides_are_warned_of():
    from sklearn.model_selection import StratifiedKFold

    with pytest.warns(LeakageWarning, match="6 of 6 speakers are both trained on and tested"):
        Objective(quick_pipeline(), SPEECH, space=penalty, cv=StratifiedKFold(3, shuffle=True))


@pytest.mark.parametrize(
    ("make", "error", "message"),
    [
        (
            lambda: Objective(quick_pipeline(), SPEECH, space=penalty, n_jobs=0),
            ParameterError,
            "n_jobs must be",
        ),
        (
            lambda: Objective(quick_pipeline(load__sr=1.5), SPEECH, space=penalty),
            ParameterError,
            "space must suggest what is allowed: sr must be",
        ),
        (
            lambda: Objective(quick_pipeline(), noises(n_speakers=1), space=penalty),
            DataError,
            "cv cannot divide these clips",
        ),
        (
            lambda: Objective(quick_pipeline(), SPEECH),
            ParameterError,
            "parts must name parts of the pipeline, got 'classify'",
        ),
    ],
)
def test_errors_come_before_the_first_trial(make, error, message):
    with pytest.raises(error) as caught:
        make()
    assert str(caught.value).startswith(message)


def test_a_study_without_a_complete_trial():
    objective = Objective(quick_pipeline(), SPEECH, space=penalty)
    study = optuna.create_study(direction="maximize")
    with pytest.raises(DataError, match=r"^study must have a trial that is complete, got none$"):
        objective.best_pipeline(study)
    trial = study.ask()
    trial.set_user_attr("failure", "MemoryError: not enough")
    study.tell(trial, state=TrialState.FAIL)
    with pytest.raises(DataError, match=r"got none: MemoryError: not enough$"):
        objective.best_pipeline(study)


def test_objective_pickles(objective):
    again = pickle.loads(
        pickle.dumps(Objective(quick_pipeline(), SPEECH, space=penalty, memory="x"))
    )
    assert np.array_equal(again.corpus.target, objective.corpus.target)
