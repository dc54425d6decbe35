import pickle

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.linear_model import LogisticRegression, SGDClassifier
from sklearn.model_selection import cross_val_score
from sklearn.naive_bayes import GaussianNB
from sklearn.neighbors import KNeighborsClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC, LinearSVC

from skser import AugmentedClassifier, AugmentedFeatures
from skser._checks import check_labels
from skser.exceptions import DataError, NotFittedError, ParameterError


@pytest.fixture
def features():
    """24 clips of 3 classes with 4 views of 5 features, and their labels."""
    rng = np.random.default_rng(0)
    y = np.repeat(["angry", "calm", "sad"], 8)
    centres = np.unique(y, return_inverse=True)[1][:, None, None]
    return AugmentedFeatures(centres + 0.3 * rng.normal(size=(24, 4, 5))), y


@pytest.mark.parametrize("index", [slice(2, 7), [1, 5, 3], np.arange(24) % 2 == 0, np.array([-1])])
def test_index_selects_clips_with_all_views(features, index):
    X, _ = features
    assert_array_equal(X[index].values, X.values[index])
    assert X[index].n_views == 4


def test_one_clip_stays_a_batch(features):
    X, _ = features
    assert X[3].shape == (1, 4, 5)


def test_flatten_and_repeat_belong_together(features):
    X, y = features
    rows, labels = X.flatten(), X.repeat(y)
    assert rows.shape == (96, 5)
    for clip in (0, 11, 23):
        assert_array_equal(rows[labels == y[clip]][0], X[list(y).index(y[clip])].values[0, 0])
        assert_array_equal(labels[4 * clip : 4 * clip + 4], [y[clip]] * 4)


def test_average_undoes_repeat(features):
    X, _ = features
    per_clip = np.random.default_rng(1).normal(size=(24, 3))
    assert_allclose(X.average(X.repeat(per_clip)), per_clip)


def test_no_array():
    X = AugmentedFeatures(np.zeros((2, 3, 4)))
    with pytest.raises(TypeError, match=r"Put the classifier into skser\.AugmentedClassifier"):
        np.asarray(X)
    with pytest.raises(TypeError, match="AugmentedClassifier"):
        LogisticRegression().fit(X, [0, 1])


@pytest.mark.parametrize("values", [np.zeros((2, 3)), [[[1.0]]]])
def test_bad_values(values):
    with pytest.raises(DataError, match=r"values must be an array of shape \(n_clips, n_views"):
        AugmentedFeatures(values)


def test_pickle_and_repr(features):
    X, _ = features
    assert_array_equal(pickle.loads(pickle.dumps(X)).values, X.values)
    assert repr(X) == "<features of 24 clips, 4 views each of 5>"


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


@pytest.mark.parametrize(
    ("y", "message"),
    [
        (["calm"] * 3, "y must have at least two classes, got one class only: 'calm'"),
        (["calm", "sad"], "y must have a label for each clip: 3 clips, 2 labels"),
        (["calm", None, "sad"], "y must have no missing labels, got None in row 1"),
        ([1.0, np.nan, 2.0], "y must have no missing labels, got nan in row 1"),
    ],
)
def test_bad_labels(y, message):
    with pytest.raises(DataError) as error:
        check_labels(np.asarray(y, dtype=object) if None in y else y, 3)
    assert str(error.value) == message
