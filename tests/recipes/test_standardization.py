import numpy as np
import pytest
from sklearn import config_context
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC

from skser import AudioLoader, AugmentedClassifier, FeatureUnionExtractor, SpeakerNormalizer
from skser.exceptions import ParameterError
from skser.recipes import RECIPES, get_recipe, keep_features, standardize_by_corpus
from skser.recipes._standardization import copied, standardize_by_speaker, standardize_on
from skser.recipes._steps import steps_of
from tests.evaluations import noises, quick_pipeline


def consumed(pipeline, method):
    names = ("domains", "groups", "sample_weight")
    with config_context(enable_metadata_routing=True):
        return pipeline.get_metadata_routing().consumes(method, names)


@pytest.mark.parametrize("name", RECIPES)
def test_every_recipe_can_be_of_several_corpora(name):
    recipe = get_recipe(name)()
    before = repr(recipe)
    pipeline = standardize_by_corpus(recipe)
    assert repr(recipe) == before
    assert {"domains", "sample_weight"} <= consumed(pipeline, "fit")
    assert "domains" in consumed(pipeline, "predict")
    scalers = [step for step in steps_of(pipeline) if isinstance(step, SpeakerNormalizer)]
    assert scalers
    assert {step.unknown for step in scalers} == {"average"}


def test_classifiers_without_weights_get_none():
    class Unweighted(LogisticRegression):
        def fit(self, X, y):
            return super().fit(X, y)

    pipeline = standardize_by_corpus(make_pipeline(StandardScaler(), Unweighted()))
    assert consumed(pipeline, "fit") == {"domains"}
    wrapped = standardize_by_corpus(
        make_pipeline(StandardScaler(), AugmentedClassifier(Unweighted()))
    )
    assert consumed(wrapped, "fit") == {"domains"}
    weighted = standardize_by_corpus(make_pipeline(StandardScaler(), AugmentedClassifier(SVC())))
    assert consumed(weighted, "fit") == {"domains", "sample_weight"}


@pytest.mark.parametrize(
    "make",
    [
        lambda pipeline: keep_features(standardize_by_corpus(pipeline)),
        lambda pipeline: standardize_by_corpus(keep_features(pipeline)),
    ],
)
def test_corpora_of_kept_features_are_kept_whatever_came_first(make):
    speech = noises(3, n_takes=2)
    domains = np.where(np.arange(len(speech.target)) % 2, "a", "b")
    with config_context(enable_metadata_routing=True):
        pipeline = make(quick_pipeline()).fit(speech.waveforms, speech.target, domains=domains)
    assert pipeline["keep"].domains_.tolist() == domains.tolist()


def test_forgotten_corpora_are_named():
    speech = noises(3, n_takes=2)
    pipeline = standardize_by_corpus(quick_pipeline())
    with pytest.raises(ParameterError, match=r"^domains must .*got None.* pass domains to fit"):
        pipeline.fit(speech.waveforms, speech.target)


def test_scalers_that_metadata_cannot_reach_stay():
    inner = make_pipeline(StandardScaler(), SVC())
    pipeline = standardize_by_corpus(make_pipeline(StandardScaler(), AugmentedClassifier(inner)))
    assert isinstance(pipeline[0], SpeakerNormalizer)
    assert isinstance(pipeline[1].estimator[0], StandardScaler)
    with pytest.raises(ParameterError, match=r"pipeline must have a scaler.*got none"):
        standardize_by_corpus(make_pipeline(AugmentedClassifier(inner)))


def test_by_speaker():
    pipeline = standardize_by_speaker(quick_pipeline())
    assert pipeline["scale"].transductive
    assert "groups" in consumed(pipeline, "predict")


@pytest.mark.parametrize("standardize", [standardize_by_corpus, standardize_by_speaker])
def test_without_a_scaler(standardize):
    with pytest.raises(ParameterError, match=r"pipeline must have a scaler.*got none"):
        standardize(make_pipeline(AudioLoader(), FeatureUnionExtractor(["zcr"]), SVC()))


def test_a_copy_has_steps_of_its_own_and_shares_their_state():
    speech = noises()
    pipeline = quick_pipeline().fit(list(speech.waveforms), speech.target)
    copy = copied(pipeline)
    for own, step in zip(steps_of(copy), steps_of(pipeline), strict=True):
        assert own is not step
    assert copy["classify"].coef_ is pipeline["classify"].coef_
    mean = pipeline["scale"].mean_.copy()
    adapted = standardize_on(pipeline, list(2 * speech.waveforms))
    np.testing.assert_array_equal(pipeline["scale"].mean_, mean)
    assert (adapted["scale"].mean_ != mean).any()
