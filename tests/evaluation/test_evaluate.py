import io
import json
import re
from dataclasses import replace
from itertools import product

import numpy as np
import pandas as pd
import pytest
import soundfile
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.dummy import DummyClassifier
from sklearn.ensemble import AdaBoostClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import (
    accuracy_score,
    balanced_accuracy_score,
    classification_report,
    confusion_matrix,
    f1_score,
    log_loss,
    recall_score,
)
from sklearn.model_selection import (
    GroupKFold,
    LeaveOneGroupOut,
    ShuffleSplit,
    StratifiedKFold,
    cross_val_predict,
)
from sklearn.svm import LinearSVC
from sklearn.utils import Bunch

from skser import CNNEmotionClassifier, SpeakerNormalizer, compare, evaluate
from skser.evaluation import leakage_report
from skser.evaluation._corpus import read_corpus
from skser.evaluation._splits import default_cv
from skser.exceptions import DataError, LeakageWarning, ParameterError, SkserWarning
from skser.metrics import SCORES, expected_calibration_error
from skser.model_selection import SpeakerTextKFold, TextKFold
from tests.evaluations import noises, quick_pipeline

SPEECH = noises()


def changed(**parts):
    return Bunch(**{**SPEECH, **parts})


@pytest.fixture(scope="session")
def fitted():
    return quick_pipeline().fit(SPEECH.waveforms, SPEECH.target)


@pytest.fixture(scope="session")
def guessing():
    """Of a pipeline that can only guess."""
    return evaluate(quick_pipeline(classify=DummyClassifier()), SPEECH)


@pytest.fixture(scope="module")
def predictions(evaluation):
    return evaluation.predictions


def test_predictions_are_those_of_cross_val_predict(evaluation, predictions):
    expected = cross_val_predict(
        quick_pipeline(),
        SPEECH.waveforms,
        SPEECH.target,
        groups=SPEECH.groups,
        cv=LeaveOneGroupOut(),
        method="predict_proba",
    )
    assert_allclose(predictions[["angry", "calm", "sad"]], expected, rtol=1e-5)
    assert_array_equal(predictions["predicted"], evaluation.classes[expected.argmax(axis=1)])
    assert_array_equal(predictions["speaker"], SPEECH.groups)
    assert list(predictions)[:7] == [
        *("path", "speaker", "gender", "fold", "emotion", "predicted", "angry")
    ]


def test_scores_are_those_of_scikit_learn(evaluation, predictions):
    truth, labels = predictions["emotion"], predictions["predicted"]
    probabilities = predictions[["angry", "calm", "sad"]].to_numpy()
    pooled = evaluation.to_frame()["pooled"]
    assert list(pooled.index) == list(SCORES)
    assert pooled["uar"] == pytest.approx(balanced_accuracy_score(truth, labels))
    assert pooled["accuracy"] == pytest.approx(accuracy_score(truth, labels))
    assert pooled["macro_f1"] == pytest.approx(f1_score(truth, labels, average="macro"))
    assert pooled["log_loss"] == pytest.approx(log_loss(truth, probabilities))
    index = np.searchsorted(evaluation.classes, truth)
    assert pooled["calibration_error"] == pytest.approx(
        expected_calibration_error(index, probabilities)
    )


def test_scores_of_folds_and_speakers(evaluation, predictions):
    by_speaker = evaluation.by("speaker")
    for speaker, own in predictions.groupby("speaker"):
        expected = balanced_accuracy_score(own["emotion"], own["predicted"])
        assert by_speaker.loc[speaker, "uar"] == pytest.approx(expected)
        assert by_speaker.loc[speaker, "n_clips"] == 9
    # One speaker is a fold here.
    frame = evaluation.to_frame().loc["uar"]
    assert frame["fold_mean"] == pytest.approx(by_speaker["uar"].mean())
    assert frame["fold_sd"] == pytest.approx(by_speaker["uar"].std())
    assert list(evaluation.by("gender").index) == ["female", "male"]


def test_interval_holds_the_score_and_widens_with_fewer_speakers(evaluation):
    uar = evaluation.to_frame().loc["uar"]
    assert uar["low"] <= uar["pooled"] <= uar["high"]
    many = evaluate(quick_pipeline(), noises(n_speakers=12)).to_frame().loc["uar"]
    assert many["high"] - many["low"] < uar["high"] - uar["low"]


def test_tables(evaluation, predictions):
    truth, labels = predictions["emotion"], predictions["predicted"]
    assert_array_equal(evaluation.confusion(), confusion_matrix(truth, labels))
    report = classification_report(truth, labels, output_dict=True)
    for name, row in evaluation.per_class().iterrows():
        assert row["precision"] == pytest.approx(report[name]["precision"])
        assert row["f1"] == pytest.approx(report[name]["f1-score"])


def test_files(evaluation, predictions, tmp_path):
    files = evaluation.save(tmp_path / "out")
    assert {file.name for file in files} == {path.name for path in (tmp_path / "out").iterdir()}
    assert {file.name for file in files} == {
        "predictions.csv",
        "classification_report.csv",
        "confusion_matrix.csv",
        "per_class_accuracy.csv",
        "results.json",
    }
    table = pd.read_csv(tmp_path / "out" / "predictions.csv")
    assert_allclose(table["angry"], predictions["angry"], rtol=1e-5)
    report = pd.read_csv(tmp_path / "out" / "classification_report.csv", index_col=0)
    expected = classification_report(
        predictions["emotion"], predictions["predicted"], output_dict=True
    )
    for name in ("macro avg", "weighted avg"):
        assert report.loc[name, "recall"] == pytest.approx(expected[name]["recall"], rel=1e-5)
        assert report.loc[name, "n_clips"] == 36
    results = json.loads((tmp_path / "out" / "results.json").read_text(encoding="utf-8"))
    assert results["protocol"] == evaluation.protocol
    assert results["scores"]["uar"]["pooled"] == pytest.approx(evaluation.to_frame()["pooled"].uar)
    assert results["versions"]["scikit-learn"]
    assert results["by_speaker"]["s00"]["n_clips"] == 9
    assert "LogisticRegression" in results["pipeline"]


@pytest.mark.slow
def test_training_history_of_every_fold(tmp_path):
    network = CNNEmotionClassifier(
        architecture="dense", network__dense_units=(4,), epochs=2, random_state=0
    )
    corpus = noises(n_speakers=2, n_takes=2, emotions=("angry", "sad"))
    evaluation = evaluate(quick_pipeline(classify=network), corpus, cv=GroupKFold(2))
    history = evaluation.training_history
    assert history["fold"].tolist() == [0, 0, 1, 1]
    assert history["epoch"].tolist() == [1, 2, 1, 2]
    evaluation.save(tmp_path)
    assert_allclose(
        pd.read_csv(tmp_path / "training_history.csv")["loss"], history["loss"], rtol=1e-5
    )
    assert "random_state=0" in evaluation.pipeline


def test_repr_says_score_and_protocol(evaluation):
    assert repr(evaluation).endswith(
        "36 clips: 4 folds (leave one speaker out), speaker-independent: nobody tested is "
        "trained on>"
    )


def test_new_sentences():
    evaluation = evaluate(quick_pipeline(), SPEECH, cv=SpeakerTextKFold())
    assert evaluation.protocol.startswith("12 folds (new speakers with new sentences)")
    with pytest.warns(LeakageWarning, match="4 of 4 speakers are both trained on and tested"):
        evaluation = evaluate(quick_pipeline(), SPEECH, cv=TextKFold())
    assert evaluation.protocol.startswith("3 folds (new sentences), not speaker-independent")


def test_normalised_by_speaker():
    pipeline = quick_pipeline(scale=SpeakerNormalizer(transductive=True))
    evaluation = evaluate(pipeline, SPEECH)
    assert "transductive" in evaluation.protocol
    assert "transductive=True" in evaluation.pipeline


def test_fitted_pipeline(fitted):
    new = noises(seed=1, emotions=("angry", "calm", "sad"))
    evaluation = evaluate(fitted, new, cv="prefit")
    assert_allclose(
        evaluation.predictions[["angry", "calm", "sad"]], fitted.predict_proba(new.waveforms)
    )
    assert evaluation.protocol.startswith("a pipeline that was fitted before")
    assert len(evaluation.to_frame()) == 5


def test_without_speakers():
    frame = SPEECH.frame.assign(speaker=None)
    corpus = Bunch(waveforms=SPEECH.waveforms, target=SPEECH.target, frame=frame)
    evaluation = evaluate(quick_pipeline(), corpus)
    assert evaluation.drawn == "clips"
    assert evaluation.protocol == (
        "5 folds (clips at random), speakers not known: says nothing about new ones"
    )
    assert evaluation.parts == ["gender", "fold"]
    assert evaluation.to_frame().notna().all(axis=None)


def test_recordings_labels_and_speakers_as_scikit_learn_passes_them(evaluation, predictions):
    again = evaluate(quick_pipeline(), list(SPEECH.waveforms), SPEECH.target, groups=SPEECH.groups)
    assert_allclose(again.probabilities, evaluation.probabilities)
    assert again.protocol == evaluation.protocol
    assert_array_equal(again.predictions["speaker"], predictions["speaker"])


def test_a_bunch_has_its_own_labels_and_speakers():
    for name in ("y", "groups"):
        with pytest.raises(DataError, match=f"^{name} must not be given beside a Bunch"):
            evaluate(quick_pipeline(), SPEECH, **{name: SPEECH.target})


def test_recordings_in_memory(evaluation):
    """Bytes have no name, and equal ones are warned of."""
    contents = []
    for waveform in SPEECH.waveforms:
        file = io.BytesIO()
        soundfile.write(file, waveform, 16000, format="WAV", subtype="FLOAT")
        contents.append(file.getvalue())
    data = (contents, SPEECH.target)
    again = evaluate(quick_pipeline(), *data, groups=SPEECH.groups)
    assert_allclose(again.probabilities, evaluation.probabilities, rtol=1e-5)
    assert again.predictions["path"][0] == "recording 0"
    contents[35] = contents[0]
    with pytest.warns(LeakageWarning, match="such as recording 0 and recording 35"):
        evaluate(quick_pipeline(), *data, groups=SPEECH.groups)


def test_speakers_of_the_table_alone(evaluation):
    corpus = Bunch(waveforms=SPEECH.waveforms, target=SPEECH.target, frame=SPEECH.frame)
    assert read_corpus(corpus, pipeline=quick_pipeline()).groups.tolist() == SPEECH.groups.tolist()


@pytest.mark.slow
@pytest.mark.parametrize("labels", [[3, 1, 2], [True, False, True], ["怒り", "هادئ", "उदास"]])
def test_labels_of_any_kind(labels, tmp_path):
    names = np.array(labels)[np.searchsorted(["angry", "calm", "sad"], SPEECH.target)]
    evaluation = evaluate(quick_pipeline(), changed(target=names))
    labels = cross_val_predict(
        quick_pipeline(), SPEECH.waveforms, names, groups=SPEECH.groups, cv=LeaveOneGroupOut()
    )
    uar = balanced_accuracy_score(names, labels)
    assert evaluation.to_frame()["pooled"]["uar"] == pytest.approx(uar)
    evaluation.save(tmp_path)
    classes = json.loads((tmp_path / "results.json").read_text(encoding="utf-8"))["classes"]
    assert classes == np.unique(names).tolist()


def test_genders_of_some_speakers_only(tmp_path):
    gender = SPEECH.frame["gender"].where(SPEECH.groups != "s00")
    evaluation = evaluate(quick_pipeline(), changed(frame=SPEECH.frame.assign(gender=gender)))
    assert evaluation.by("gender")["n_clips"].to_dict() == {"?": 9, "female": 18, "male": 9}
    assert evaluation.save(tmp_path)


def test_without_probabilities():
    evaluation = evaluate(quick_pipeline(classify=LinearSVC()), SPEECH)
    scores = evaluation.to_frame()
    assert scores.loc[["log_loss", "calibration_error"]].isna().all(axis=None)
    assert scores.loc[["uar", "accuracy", "macro_f1"]].notna().all(axis=None)
    assert compare(evaluation, evaluation).loc["log_loss"].isna().all()


def test_steps_without_metadata_routing():
    boosted = AdaBoostClassifier(n_estimators=3, random_state=0)
    evaluation = evaluate(quick_pipeline(classify=boosted), SPEECH)
    assert evaluation.to_frame()["pooled"]["uar"] > 0.4


class Backwards(LogisticRegression):
    """Has its classes in another order."""

    def fit(self, X, y):
        super().fit(X, y)
        self.classes_ = self.classes_[::-1]
        self.coef_, self.intercept_ = self.coef_[::-1], self.intercept_[::-1]
        return self


def test_fitted_pipeline_with_its_classes_in_another_order():
    fitted = quick_pipeline(classify=Backwards()).fit(SPEECH.waveforms, SPEECH.target)
    evaluation = evaluate(fitted, SPEECH, cv="prefit")
    labels = fitted.predict(SPEECH.waveforms)
    assert_array_equal(evaluation.predictions["predicted"], labels)
    recalls = recall_score(SPEECH.target, labels, average=None)
    assert_allclose(evaluation.per_class()["recall"], recalls)


def test_missing_classes_and_speakers(fitted, tmp_path):
    some = (SPEECH.target != "sad") & (SPEECH.groups == "s01")
    corpus = Bunch(
        waveforms=SPEECH.waveforms[some], target=SPEECH.target[some], groups=SPEECH.groups[some]
    )
    evaluation = evaluate(fitted, corpus, cv="prefit")
    assert np.isnan(evaluation.per_class().loc["sad", "recall"])
    uar = evaluation.to_frame().loc["uar"]
    assert uar["pooled"] == pytest.approx(evaluation.per_class()["recall"].mean())
    assert np.isnan(uar["low"])
    assert "no interval: one speaker" in repr(evaluation)
    evaluation.save(tmp_path)
    report = pd.read_csv(tmp_path / "classification_report.csv", index_col=0)
    assert report.loc["macro avg", "recall"] == pytest.approx(uar["pooled"], abs=1e-5)


def test_clips_to_calibrate_on_are_of_most_emotions():
    pipeline = quick_pipeline(scale=SpeakerNormalizer(n_calibration=2))
    with pytest.warns(SkserWarning) as caught:
        evaluate(pipeline, SPEECH)
    assert re.match("n_calibration=2: .* s00 have only 1 of 3", str(caught[0].message))
    assert caught[0].filename == __file__
    order = np.argsort(SPEECH.frame["sentence"].to_numpy(), kind="stable")
    mixed = {name: SPEECH[name][order] for name in ("waveforms", "target", "groups")}
    assert evaluate(pipeline, Bunch(**mixed)).to_frame()["pooled"]["uar"] > 0.4


def test_speakers_that_are_trained_on_and_tested_are_warned_of():
    folds = StratifiedKFold(3, shuffle=True, random_state=0)
    with pytest.warns(LeakageWarning) as caught:
        evaluation = evaluate(quick_pipeline(), SPEECH, cv=folds)
    assert re.match("4 of 4 speakers are .*, such as 's00'", str(caught[0].message))
    assert caught[0].filename == __file__
    assert "not speaker-independent" in evaluation.protocol


def test_one_clip_for_each_speaker_is_warned_of():
    corpus = Bunch(**{**SPEECH, "groups": np.arange(36)})
    with pytest.warns(SkserWarning, match="groups has 36 speakers with one clip each: are they"):
        evaluate(quick_pipeline(), corpus)


def test_only_evaluations_are_compared(evaluation):
    with pytest.raises(DataError, match="other must be an Evaluation, got a Bunch"):
        compare(evaluation, SPEECH)


def test_compare_with_itself(evaluation):
    table = compare(evaluation, evaluation)
    assert_array_equal(table["difference"], 0)
    assert_array_equal(table["p_value"], 1)


def test_compare_with_guessing(evaluation, guessing):
    table = compare(guessing, evaluation)
    uar = table.loc["uar"]
    assert uar["baseline"] == pytest.approx(guessing.to_frame().loc["uar", "pooled"])
    assert uar["difference"] == pytest.approx(uar["other"] - uar["baseline"])
    assert uar["low"] <= uar["difference"] <= uar["high"]
    assert 0 < uar["p_value"] < 0.5
    back = compare(evaluation, guessing)
    assert_allclose(back["difference"], -table["difference"])
    assert_allclose(back["p_value"], table["p_value"])


def test_p_value_of_few_speakers_is_what_counting_gives():
    """With four speakers, signs can be swapped in sixteen ways, of which two are as extreme."""
    speech = noises(n_takes=8)
    good = evaluate(quick_pipeline(), speech)
    bad = evaluate(quick_pipeline(classify=DummyClassifier()), speech)
    assert (good.by("speaker")["accuracy"] > bad.by("speaker")["accuracy"]).all()
    assert compare(bad, good).loc["accuracy", "p_value"] == 2 / 16


def test_p_value_of_few_speakers_is_over_all_swaps(evaluation, guessing):
    a, b = (e.predictions["predicted"].to_numpy() for e in (evaluation, guessing))
    speakers = np.unique(SPEECH.groups)
    differences = []
    for swapped in product([False, True], repeat=len(speakers)):
        is_swapped = np.isin(SPEECH.groups, speakers[list(swapped)])
        mixed = [np.where(is_swapped, *pair) for pair in ((b, a), (a, b))]
        of_a, of_b = (recall_score(SPEECH.target, labels, average="macro") for labels in mixed)
        differences.append(of_b - of_a)
    expected = np.mean(np.abs(differences) >= abs(differences[0]) - 1e-12)
    assert 2 / 16 <= expected < 1
    assert compare(evaluation, guessing).loc["uar", "p_value"] == expected


def test_p_value_of_many_speakers_is_over_random_swaps(evaluation, guessing):
    """Each clip counts as a speaker where speakers are not known."""
    bad = changed_predictions(guessing, lambda table: table.drop(columns="speaker"))
    right = {name: (SPEECH.target == name).astype(float) for name in bad.classes}
    good = changed_predictions(bad, lambda table: table.assign(**right))
    p_value = compare(bad, good).loc["accuracy", "p_value"]
    assert p_value == pytest.approx(1 / 2001)  # the evaluations as they are, and no random swap


def test_clips_are_compared_by_name(evaluation):
    order = np.random.default_rng(0).permutation(36)
    shuffled = changed_predictions(evaluation, lambda table: table.iloc[order])
    assert_allclose(compare(evaluation, shuffled)["difference"], 0, atol=1e-12)


def changed_predictions(evaluation, change):
    return replace(evaluation, predictions=change(evaluation.predictions).reset_index(drop=True))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda table: table[:35], "of the same clips"),
        (lambda table: table.assign(path="a"), "clips in the same order"),
        (lambda table: table.assign(emotion=np.roll(table["emotion"], 1)), "same labels"),
        (lambda table: table.assign(speaker=np.roll(table["speaker"], 9)), "same speakers"),
    ],
)
def test_only_evaluations_of_the_same_clips_are_compared(evaluation, change, message):
    with pytest.raises(DataError, match=f"^baseline and other must .*{message}"):
        compare(evaluation, changed_predictions(evaluation, change))
    with pytest.raises(DataError, match="must have the same classes"):
        compare(evaluation, replace(evaluation, classes=evaluation.classes[:2]))


def test_default_cv():
    assert isinstance(default_cv(np.arange(10)), LeaveOneGroupOut)
    many = default_cv(np.arange(11))
    assert isinstance(many, GroupKFold)
    assert many.n_splits == 10
    assert isinstance(default_cv(None), StratifiedKFold)


ALL_CLIPS = np.arange(36)


@pytest.mark.parametrize(
    ("corpus", "params", "message"),
    [
        (Bunch(paths=["a.wav"]), {}, "corpus .* target, got paths"),
        (changed(groups=SPEECH.groups[1:]), {}, "groups .* 36 clips, 35"),
        (SPEECH, {"cv": GroupKFold(5)}, "cv cannot divide these clips: "),
        (SPEECH, {"cv": ShuffleSplit(2, random_state=0)}, "cv .* waveform 0 is tested 0 times"),
        (SPEECH, {"cv": []}, "cv .* waveform 0 is tested 0 times"),
        (SPEECH, {"cv": [(ALL_CLIPS, ALL_CLIPS)]}, "cv .* fold 0 does both with waveform 0"),
        (changed(frame=SPEECH.frame[1:]), {}, "frame .* 36 clips, 35"),
        (changed(frame=SPEECH.frame.assign(path="a.wav")), {}, "frame .* column path"),
        (changed(sr=3), {}, r"corpus: .* rate .*192000. Hz, got 3"),
        (
            changed(target=np.where(SPEECH.target == "sad", "fold", SPEECH.target)),
            {},
            r"target .* column .*\(path, speaker, .*\), got 'fold'",
        ),
        (
            changed(target=np.where(SPEECH.groups == "s02", "bored", SPEECH.target)),
            {},
            "cv .* fold 2 tests 'bored'",
        ),
        (
            changed(frame=SPEECH.frame.drop(columns="sentence")),
            {"cv": SpeakerTextKFold()},
            "frame .* columns speaker and sentence .*, got speaker, emotion, gender, path",
        ),
        (SPEECH, {"cv": "fitted"}, "cv must be .*'prefit'.*, got 'fitted'"),
        (
            noises(emotions=("angry", "bored")),
            {"cv": "prefit"},
            r"target .*\(angry, calm, sad\), got 'bored'",
        ),
        (SPEECH, {"n_jobs": 0}, "n_jobs must be .*, got 0"),
        (SPEECH, {"verbose": -1}, "verbose must be .*, got -1"),
    ],
)
def test_errors(fitted, corpus, params, message):
    error = ParameterError if " must be " in message else DataError
    with pytest.raises(error, match=message):
        evaluate(fitted, corpus, **params)


def test_tables_of_an_unknown_column(evaluation):
    with pytest.raises(ParameterError, match=r"^column .* speaker, gender, fold, got 'age'"):
        evaluation.by("age")


@pytest.mark.parametrize(
    ("parts", "trained", "tested", "said"),
    [
        (("train", "train", "val", "test"), [0, 1, 2], [3], "train and val, tested on test"),
        (("Training", "test", "train", "Test"), [0, 2], [1, 3], "train, tested on test"),
        (("dev", "train", "train", "val"), [1, 2], [0, 3], "train, tested on val"),
    ],
)
def test_own_split_of_the_corpus(parts, trained, tested, said):
    speech = noises()
    number = np.array([int(name[1:]) for name in speech.groups])
    speech.frame["split"] = [parts[i] for i in number]
    evaluation = evaluate(quick_pipeline(), speech)
    rows = np.flatnonzero(np.isin(number, tested))
    assert evaluation.predictions.index.tolist() == rows.tolist()
    assert evaluation.predictions["speaker"].tolist() == speech.groups[rows].tolist()
    assert evaluation.protocol == (
        f"1 fold (the corpus' own split: trained on {said}), speaker-independent: nobody tested is "
        "trained on"
    )
    fitted = quick_pipeline()
    train = np.isin(number, trained)
    fitted.fit(speech.waveforms[train], speech.target[train])
    assert_allclose(evaluation.probabilities, fitted.predict_proba(speech.waveforms[rows]))
    assert evaluation.per_class()["n_clips"].sum() == len(rows)


@pytest.mark.parametrize("parts", [["train"], ["val", "test"], ["train", "x"], ["train", None]])
def test_columns_that_are_no_split(parts):
    speech = noises()
    speech.frame["split"] = np.resize(np.array(parts, dtype=object), len(speech.target))
    evaluation = evaluate(quick_pipeline(), speech)
    assert "leave one speaker out" in evaluation.protocol
    assert len(evaluation.predictions) == len(speech.target)


def test_own_split_with_the_same_speakers_in_both_parts_is_warned_of():
    speech = noises()
    speech.frame["split"] = np.where(speech.frame["sentence"] == "t0", "test", "train")
    with pytest.warns(LeakageWarning, match="4 of 4 speakers"):
        evaluation = evaluate(quick_pipeline(), speech)
    assert "not speaker-independent: 4 of 4" in evaluation.protocol


def test_folds_given_are_used_whatever_the_split():
    speech = noises()
    speech.frame["split"] = np.where(speech.groups == "s00", "test", "train")
    assert len(evaluate(quick_pipeline(), speech, cv=GroupKFold(2)).predictions) == 36
    assert len(leakage_report(quick_pipeline(), speech).new_speakers.predictions) == 36
