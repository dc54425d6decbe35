"""Labels that a pipeline cannot be fitted on are refused before the first file is decoded."""

import numpy as np
import pandas as pd
import pytest
from sklearn import config_context
from sklearn.calibration import CalibratedClassifierCV
from sklearn.discriminant_analysis import QuadraticDiscriminantAnalysis
from sklearn.linear_model import LinearRegression, LogisticRegression
from sklearn.model_selection import GridSearchCV, KFold, cross_val_score
from sklearn.neural_network import MLPClassifier
from sklearn.pipeline import Pipeline
from sklearn.svm import SVC

from skser import AudioLoader, AugmentedClassifier, evaluate, load, save
from skser.calibration import TemperatureScaledClassifier
from skser.classifiers import CNNEmotionClassifier
from skser.exceptions import DataError
from skser.features import AugmentedFeatures, FeatureScaler, FeatureUnionExtractor
from skser.recipes import RECIPES, functionals, keep_features
from skser.recipes import _pipeline as recipe_pipeline
from skser.tuning import TunedClassifier, tune

ROWS = 8
RARE = ["calm", "sad"] * 3 + ["calm", "angry"]
PUBLISHED = ["mfcc_cnn", "cnn_512", "cnn_bilstm_attention", "dense_195", "cnn_256"]


@pytest.fixture
def paths(tmp_path, monkeypatch):
    """Recordings that fail the test when they are opened."""
    files = [str(tmp_path / f"{i}.wav") for i in range(ROWS)]

    def opened(*args, **kwargs):
        raise AssertionError("a recording was opened")

    monkeypatch.setattr("skser.audio._loader.inspect_recording", opened)
    return files


def of(classifier, **params):
    return functionals(classify=classifier, features__blocks=["rms"], **params)


def own(classifier):
    """A pipeline of scikit-learn's own class."""
    steps = [AudioLoader(), FeatureUnionExtractor(["rms"]), FeatureScaler(), classifier]
    return Pipeline(list(zip("abcd", steps, strict=True)))


BAD = {
    "one-hot": (np.eye(ROWS), "one-hot"),
    "missing": (pd.Series(["a", pd.NA] * 4), "no missing labels, got .* in row 1, and in 3 more"),
    "NaN in numbers": ([0.0, np.nan, *[1.0] * 6], "no missing labels, got nan in row 1"),
    "NaN as text": (np.array(["a", np.nan] * 4), "no missing labels, got 'nan' in row 1"),
    "mixed": (["a", 3] * 4, "one type, got 'a' in row 0 and 3 in row 1"),
    "one class": ([True] * ROWS, "one class only: True"),
    "one clip each": (list("abcdefgh"), "more clips than classes, got 8 clips of 8 classes"),
    "bytes": ([b"a", b"b"] * 4, "text or numbers, got b'a' in row 0"),
}
PIPELINES = {
    **RECIPES,
    "keep_features": lambda: keep_features(functionals()),
    "tuned": lambda: TunedClassifier(functionals()),
    "calibrated": lambda: TemperatureScaledClassifier(functionals()),
    "augmented": lambda: of(AugmentedClassifier(SVC())),
    "logistic": lambda: own(LogisticRegression()),
    "svc": lambda: own(SVC()),
    "own network": lambda: own(CNNEmotionClassifier()),
}


@pytest.mark.parametrize("name", PIPELINES)
@pytest.mark.parametrize("kind", BAD)
def test_before_the_first_file(name, kind, paths):
    y, message = BAD[kind]
    if name in ("tuned", "calibrated") and kind == "one clip each":
        message = "cv cannot divide|cv leaves too few clips"
    with pytest.raises(DataError, match=message):
        PIPELINES[name]().fit(paths, y)


@pytest.mark.parametrize("name", [name for name in PIPELINES if not name.startswith(("lo", "sv"))])
def test_numbers_of_a_regression(name, paths):
    if name == "own network":
        return
    with pytest.raises(DataError, match=r"Unknown label type: continuous, got 0.5 in row 1"):
        PIPELINES[name]().fit(paths, [0, 0.5] * 4)


@pytest.mark.parametrize("name", PUBLISHED)
def test_a_class_of_one_clip_cannot_be_validated(name, paths):
    message = "validation_fraction=.* at least 2 clips of each class, got 1 of 'angry' .row 7.; "
    with pytest.raises(DataError, match=f"{message}.* or set validation_fraction=0"):
        RECIPES[name]().fit(paths, RARE)
    with pytest.raises(AssertionError, match="opened"):
        RECIPES[name](classify__validation_fraction=0, classify__early_stopping=None).fit(
            paths, RARE
        )


@pytest.mark.parametrize("way", ["fit", "evaluate", "tune", "cross_val_score", "grid"])
def test_in_every_way_to_fit(way, paths):
    pipeline, two = RECIPES["cnn_256"](), {"cv": KFold(2), "error_score": "raise"}
    ways = {
        "fit": lambda: pipeline.fit(paths, RARE),
        "evaluate": lambda: evaluate(pipeline, paths, RARE),
        "tune": lambda: tune(pipeline, paths, RARE),
        "cross_val_score": lambda: cross_val_score(
            pipeline, paths, RARE, cv=KFold(2), error_score="raise"
        ),
        "grid": lambda: GridSearchCV(pipeline, {}, **two).fit(paths, RARE),
    }
    with pytest.raises(DataError, match=r"'angry'|n_splits=5|each class"):
        ways[way]()


@pytest.mark.parametrize(
    ("classifier", "message"),
    [
        (QuadraticDiscriminantAnalysis(), "QuadraticDiscriminantAnalysis needs at least 2"),
        (MLPClassifier(early_stopping=True), "MLPClassifier with early_stopping=True needs .* 2"),
        (CalibratedClassifierCV(SVC(), cv=3), "CalibratedClassifierCV with cv=3 needs at least 3"),
        (AugmentedClassifier(QuadraticDiscriminantAnalysis()), "needs at least 2 .* .row 7."),
        (CNNEmotionClassifier(validation_fraction=0.3), "validation_fraction=0.3 needs .* .row 7."),
    ],
)
def test_what_a_classifier_needs_of_a_class(classifier, message, paths):
    with pytest.raises(DataError, match=message):
        of(classifier).fit(paths, RARE)


def test_views_are_no_clips():
    values = np.random.default_rng(0).normal(size=(ROWS, 4, 3))
    classifier = AugmentedClassifier(QuadraticDiscriminantAnalysis())
    with pytest.raises(DataError, match="at least 2 clips of each class, got 1 of 'angry'"):
        classifier.fit(AugmentedFeatures(values), RARE)


def test_folds_of_a_calibration(paths):
    network = of(CNNEmotionClassifier(validation_fraction=0.5))
    y = ["calm", "sad"] * 3 + ["angry"] * 2
    with pytest.raises(DataError, match=r"few .* fold 0, as rows 0 to 3: .* 1 of 'angry'"):
        TemperatureScaledClassifier(network, cv=2).fit(paths, y)
    with pytest.raises(DataError, match=r"cv cannot divide .* n_splits=7"):
        TemperatureScaledClassifier(network, cv=7).fit(paths, y)


def test_folds_of_a_study_within_folds(paths):
    y = ["calm", "sad"] * 3 + ["angry"] * 2
    tuned = TunedClassifier(functionals(), cv=2)
    with pytest.raises(DataError, match=r"fold 0, .*: cv must leave each class in training"):
        evaluate(tuned, paths, y, cv=2)


def test_folds_of_misspelt_labels(paths):
    y = ["calm", "calm", "sad", "calm", "calm", "sad", "Calm", "sad"]
    reason = r"fold 3 tests 'Calm' and trains on none; 'Calm' \(1\): perhaps 'calm' \(4\)\?$"
    with pytest.raises(DataError, match=reason):
        evaluate(functionals(), paths, y, groups=list("aabbccdd"))


def test_more_folds_than_clips(paths):
    with pytest.raises(DataError, match=r"cv cannot divide .* n_splits=5"):
        evaluate(functionals(), paths, ["calm", "sad"] * 4)


def test_speakers_of_a_validation(paths):
    groups = ["ann"] * 3 + ["bob"] * 3 + ["eve"] * 2
    y = ["calm"] * 2 + ["sad"] + ["calm"] * 2 + ["sad"] + ["calm", "sad"]
    pipeline = of(CNNEmotionClassifier(validation_fraction=0.5))
    message = "fold 0.* of 1 speakers|needs at least two speakers in groups, got 1; add recordings"
    with pytest.raises(DataError, match=message):
        evaluate(pipeline, paths[:6], y[:6], groups=groups[:6])
    y = ["calm"] * 3 + ["sad"] * 5
    message = "of 2 speakers leaves .* too few speakers, 'calm' 1 .row 0.; add recordings"
    with config_context(enable_metadata_routing=True), pytest.raises(DataError, match=message):
        pipeline.fit(paths, y, groups=["ann"] * 3 + ["bob"] * 5)


@pytest.mark.parametrize(
    ("y", "classes"),
    [
        (np.array([1, 2] * 4, dtype=object), [1, 2]),
        (pd.Series([1, 2] * 4, dtype="Int64"), [1, 2]),
        (pd.Series([True, False] * 4, dtype="boolean"), [False, True]),
        (pd.Series(["a", "b"] * 4, dtype=pd.CategoricalDtype(["a", "b", "c"])), ["a", "b"]),
        (pd.Series(["a", "b"] * 4, dtype="string", index=range(8, 0, -1)), ["a", "b"]),
    ],
)
def test_classes_in_types_of_their_own(y, classes, tmp_path):
    rng = np.random.default_rng(0)
    clips = [rng.normal(size=4000) * (1 + i % 2) for i in range(ROWS)]
    pipeline = of(LogisticRegression(), augment__n_views=1).fit(clips, y)
    assert pipeline.classes_.tolist() == classes
    assert [type(label) for label in pipeline.classes_.tolist()] == [type(c) for c in classes]
    save(pipeline, tmp_path / "m.skser")
    loaded = load(tmp_path / "m.skser")
    assert type(loaded) is Pipeline  # scikit-learn's, also for other versions of skser
    assert loaded.predict(clips).tolist() == pipeline.predict(clips).tolist()


def test_numbers_that_are_objects_in_a_pipeline_of_scikit_learn(paths):
    with pytest.raises(DataError, match=r"NumPy's types, .* pass y.astype\('int64'\)"):
        own(LogisticRegression()).fit(paths, np.array([1, 2] * 4, dtype=object))


def test_labels_are_optional_for_steps_without_a_classifier(paths):
    assert isinstance(functionals(), recipe_pipeline.Pipeline)
    with pytest.raises(DataError, match="y must be given"):
        functionals().fit(paths)
    with pytest.raises(AssertionError, match="opened"):
        functionals()[:-1].fit(paths)


def test_lists_of_different_lengths(paths):
    for make in (functionals, lambda: own(LogisticRegression())):
        with pytest.raises(DataError, match="got lists of different lengths"):
            make().fit(paths, [["calm"], *[["sad", "angry"]] * 7])


def test_a_regression_of_a_pipeline_of_scikit_learn(paths):
    with pytest.raises(AssertionError, match="opened"):
        own(LinearRegression()).fit(paths, [0.1, 0.5] * 4)
    with pytest.raises(DataError, match="8 clips, 6 labels"):
        own(LinearRegression()).fit(paths, [0.1, 0.5] * 3)


def test_parameters_of_all_steps_are_not_those_of_the_pipeline():
    pipeline = functionals(verbose=1, memory="cache")
    assert (pipeline.verbose, pipeline.memory) == (False, None)
    assert pipeline["features"].verbose == 1
