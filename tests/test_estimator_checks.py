"""scikit-learn's own estimator checks on every public estimator."""

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.exceptions import SkipTestWarning
from sklearn.linear_model import LogisticRegression
from sklearn.utils.estimator_checks import estimator_checks_generator, parametrize_with_checks
from sklearn.utils.validation import _num_samples

import skser
from skser import (
    AudioLoader,
    AugmentedClassifier,
    Augmenter,
    CNNEmotionClassifier,
    FeatureScaler,
    FeatureUnionExtractor,
    SpeakerNormalizer,
    SpeechEmbedding,
)
from skser.calibration import TemperatureScaledClassifier
from skser.classifiers import (
    BlockVotingClassifier,
    SoftVotingClassifier,
    WeightedLinearDiscriminant,
)
from skser.features import FeatureStore

from .embeddings.encoders import RandomEncoder


class OneSpeakerNormalizer(SpeakerNormalizer):
    """All clips of one speaker: scikit-learn's checks hand over no groups."""

    def fit(self, X, y=None):
        return super().fit(X, groups=self._one_speaker(X))

    def transform(self, X):
        return super().transform(X, groups=self._one_speaker(X))

    def fit_transform(self, X, y=None):
        return self.fit(X).transform(X)

    @staticmethod
    def _one_speaker(X):
        return np.zeros(_num_samples(X))


# AudioLoader takes no 2-D arrays, for which scikit-learn has one check only: it has checks of its
# own in test_loader_checks.py.
ESTIMATORS = [
    Augmenter(n_views=2, random_state=0),
    FeatureUnionExtractor(["mfcc", "zcr"]),
    SpeechEmbedding(RandomEncoder()),
    FeatureScaler(),
    FeatureStore(),
    OneSpeakerNormalizer(),
    AugmentedClassifier(LogisticRegression()),
    WeightedLinearDiscriminant(),
    BlockVotingClassifier(LogisticRegression(), n_blocks=1),
    TemperatureScaledClassifier(LogisticRegression()),
    SoftVotingClassifier([("weak", LogisticRegression(C=0.1)), ("strong", LogisticRegression())]),
]

NETWORK = CNNEmotionClassifier(
    "dense",
    network__dense_units=(16,),
    epochs=2,
    network__dense_dropout=0.0,
    optimizer="sgd",
    learning_rate=0.1,
    weight_decay=0,
    clip_norm=None,
    schedule=None,
    label_smoothing=0.0,
    mixup=0.0,
    gain=(0, 0),
    noise=0.0,
    random_state=0,
)

FIT_ONLY = "augmentation is for training: fit_transform adds views, transform does not"
MEMBERS = "its members check their features"
EXPECTED_FAILURES = {
    "SoftVotingClassifier": {
        "check_n_features_in": MEMBERS,
        "check_n_features_in_after_fitting": MEMBERS,
    },
    "Augmenter": {
        "check_transformer_general": FIT_ONLY,
        "check_transformer_data_not_an_array": FIT_ONLY,
        "check_pipeline_consistency": FIT_ONLY,
    },
    "CNNEmotionClassifier": {
        "check_sample_weight_equivalence_on_dense_data": (
            "mini-batches: a row of weight 2 is one row of a batch, a repeated row is two"
        ),
        "check_no_attributes_set_in_init": (
            "network__* are attributes, as other parameters, but **network_params in __init__"
        ),
        "check_do_not_raise_errors_in_init_or_set_params": (
            "it sets a parameter named network_params, which __init__ has as **network_params only"
        ),
    },
}


def expected_failures(estimator):
    return EXPECTED_FAILURES.get(type(estimator).__name__, {})


# These score what was learnt; the other checks ask for two epochs' worth of network only.
LEARNS = {"epochs": 5, "batch_size": 64, "learning_rate": 0.3}
SCORED = {
    "check_classifiers_train",
    "check_classifiers_classes",
    "check_class_weight_classifiers",
    "check_classifiers_one_label_sample_weights",
}


# scikit-learn's data are no waveforms.
@pytest.mark.filterwarnings("ignore:waveforms must have floats")
@parametrize_with_checks(ESTIMATORS, expected_failed_checks=expected_failures)
def test_sklearn_check(estimator, check):
    check(estimator)


@pytest.mark.slow
@parametrize_with_checks([NETWORK], expected_failed_checks=expected_failures)
def test_sklearn_check_of_the_network(estimator, check):
    if check.func.__name__ in SCORED:
        estimator = clone(estimator).set_params(**LEARNS)
    check(estimator)


# Checks that fit an estimator twice; in a first fit, a warm start is as any other.
FITTED_AGAIN = {
    "check_sample_weights_shape",
    "check_dtype_object",
    "check_estimators_empty_data_messages",
    "check_pipeline_consistency",
    "check_estimators_nan_inf",
    "check_classifiers_train",
    "check_supervised_y_no_nan",
    "check_fit_idempotent",
    "check_set_params",
    "check_get_params_invariance",
    "check_dict_unchanged",
}


@pytest.mark.slow
@pytest.mark.parametrize(
    "check",
    [
        pytest.param(check, id=check.func.__name__)
        for _, check in estimator_checks_generator(clone(NETWORK).set_params(warm_start=True))
        if check.func.__name__ in FITTED_AGAIN
    ],
)
def test_sklearn_check_of_a_network_with_a_warm_start(check):
    params = LEARNS if check.func.__name__ in SCORED else {}
    check(clone(NETWORK).set_params(warm_start=True, **params))


@pytest.mark.slow
def test_sklearn_check_that_a_warm_start_fails():
    estimator = clone(NETWORK).set_params(warm_start=True)
    (check,) = (
        check
        for _, check in estimator_checks_generator(estimator)
        if check.func.__name__ == "check_supervised_y_2d"
    )
    with pytest.raises(AssertionError):  # its second fit continues the first
        check(estimator)


def test_every_public_estimator_is_checked():
    public = {
        name
        for name in skser.__all__
        if isinstance(getattr(skser, name), type) and hasattr(getattr(skser, name), "get_params")
    }
    checked = {
        base.__name__ for estimator in [*ESTIMATORS, NETWORK] for base in type(estimator).__mro__
    }
    assert public - checked == {"AudioLoader"}


def test_audio_loader_needs_checks_of_its_own():
    # scikit-learn has one check only for what takes no 2-D arrays; test_loader_checks.py has more.
    with pytest.warns(SkipTestWarning, match="Can't test estimator AudioLoader"):
        assert len(list(estimator_checks_generator(AudioLoader()))) == 1
