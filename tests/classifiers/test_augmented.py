import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.linear_model import LogisticRegression, LogisticRegressionCV, SGDClassifier
from sklearn.model_selection import GridSearchCV, cross_val_score
from sklearn.naive_bayes import GaussianNB
from sklearn.neighbors import KNeighborsClassifier
from sklearn.neural_network import MLPClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC, LinearSVC

from skser import AugmentedClassifier, AugmentedFeatures
from skser.exceptions import NotFittedError, ParameterError


@pytest.fixture
def features():
    """24 clips of 3 classes with 4 views of 5 features, and their labels."""
    rng = np.random.default_rng(0)
    y = np.repeat(["angry", "calm", "sad"], 8)
    centres = np.unique(y, return_inverse=True)[1][:, None, None]
    return AugmentedFeatures(centres + 0.3 * rng.normal(size=(24, 4, 5))), y


@pytest.mark.parametrize(
    "estimator",
    [
        SVC(),
        LinearSVC(),
        LogisticRegression(),
        KNeighborsClassifier(),
        make_pipeline(StandardScaler(), SVC()),
    ],
    ids=lambda e: type(e).__name__,
)
def test_any_classifier_learns_from_views(features, estimator):
    X, y = features
    classifier = AugmentedClassifier(estimator).fit(X, y)
    assert classifier.score(X, y) > 0.9
    assert classifier.score(X.values[:, 0], y) > 0.9
    assert_array_equal(classifier.classes_, ["angry", "calm", "sad"])


def test_fit_is_fit_on_flattened_rows(features):
    X, y = features
    weight = np.linspace(0.5, 2, 24)
    ours = AugmentedClassifier(LogisticRegression()).fit(X, y, sample_weight=weight)
    rows = LogisticRegression().fit(X.flatten(), X.repeat(y), X.repeat(weight))
    assert_allclose(ours.estimator_.coef_, rows.coef_)
    assert_allclose(
        ours.predict_proba(X), rows.predict_proba(X.flatten()).reshape(24, 4, 3).mean(axis=1)
    )


def test_majority_of_views_decides_without_scores():
    class Voter(GaussianNB):
        predict_proba = property()

    X = AugmentedFeatures(np.array([[[0.0], [0.1], [9.0]], [[9.0], [9.1], [0.0]]]))
    y = ["calm", "angry"]
    classifier = AugmentedClassifier(Voter()).fit(
        AugmentedFeatures(np.array([[[0.0], [0.2]], [[9.0], [9.2]]])), y
    )
    assert not hasattr(classifier, "predict_proba")
    assert_array_equal(classifier.predict(X), y)


def test_binary_decision_values_are_averaged(features):
    X, y = features
    binary = y != "sad"
    classifier = AugmentedClassifier(LinearSVC()).fit(X[binary], y[binary])
    assert classifier.decision_function(X).shape == (24,)
    assert classifier.score(X[binary], y[binary]) > 0.9


def test_views_stay_together_in_cross_validation(features):
    X, y = features
    assert cross_val_score(AugmentedClassifier(SVC()), X, y, cv=3).mean() > 0.9


def test_methods_follow_the_estimator():
    assert hasattr(AugmentedClassifier(LogisticRegression()), "predict_proba")
    assert not hasattr(AugmentedClassifier(LinearSVC()), "predict_proba")
    assert not hasattr(AugmentedClassifier(KNeighborsClassifier()), "decision_function")


def test_bad_use(features):
    X, y = features
    with pytest.raises(ParameterError, match=r"estimator must be a classifier, got StandardScaler"):
        AugmentedClassifier(StandardScaler()).fit(X, y)
    with pytest.raises(ParameterError, match="sample_weight must be None: KNeighborsClassifier"):
        AugmentedClassifier(KNeighborsClassifier()).fit(X, y, sample_weight=np.ones(24))
    with pytest.raises(NotFittedError, match="This AugmentedClassifier instance is not fitted yet"):
        AugmentedClassifier(SGDClassifier()).predict(X)


@pytest.mark.parametrize("n_classes", [3, 4])
def test_one_versus_one_scores_are_no_class_scores(n_classes):
    rng = np.random.default_rng(0)
    y = np.repeat([f"emotion {i}" for i in range(n_classes)], 8)
    centres = np.repeat(3 * np.eye(n_classes), 8, axis=0)
    X = AugmentedFeatures(centres[:, None] + 0.1 * rng.normal(size=(len(y), 3, n_classes)))
    classifier = AugmentedClassifier(SVC(decision_function_shape="ovo")).fit(X, y)
    assert classifier.score(X, y) == 1


@pytest.mark.parametrize(
    ("estimator", "named"),
    [
        (GridSearchCV(KNeighborsClassifier(), {"n_neighbors": [1]}), "cv=None"),
        (make_pipeline(StandardScaler(), LogisticRegressionCV()), "logisticregressioncv__cv=None"),
        (MLPClassifier(early_stopping=True), "early_stopping=True"),
    ],
    ids=lambda value: type(value).__name__,
)
def test_views_of_a_clip_are_never_split_inside(features, estimator, named):
    X, y = features
    with pytest.raises(ParameterError, match=rf"estimator must not split its rows \({named}\)"):
        AugmentedClassifier(estimator).fit(X, y)
