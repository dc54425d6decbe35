import numpy as np
from numpy.testing import assert_array_equal
from sklearn.pipeline import Pipeline
from sklearn.svm import SVC

from skser import FeatureUnionExtractor, make_emotion_pipeline
from skser.recipes import dense_195, functionals, residual_network
from skser.recipes._steps import extractions, set_everywhere, steps_before, steps_of


def test_parameters_are_set_in_every_part():
    pipeline = set_everywhere(make_emotion_pipeline(), verbose=1)
    params = pipeline.get_params()
    assert params["vote__functionals__features__verbose"] == 1
    assert params["vote__network__features__verbose"] == 1
    assert params["vote__network__classify__verbose"] == 1


def test_parameters_are_set_in_what_a_vote_has_fitted():
    waveforms = np.random.default_rng(0).normal(size=(8, 8000))
    pipeline = make_emotion_pipeline(vote__network="drop").fit(waveforms, ["angry", "sad"] * 4)
    (fitted,) = set_everywhere(pipeline, verbose=1)["vote"].estimators_
    assert fitted["features"].verbose == 1


def test_steps_are_found_by_what_they_are():
    pipeline = Pipeline([("features", SVC(verbose=True)), ("mel", FeatureUnionExtractor(["mfcc"]))])
    params = set_everywhere(pipeline, verbose=1).get_params()
    assert params["mel__verbose"] == 1
    assert params["features__verbose"] is True
    assert params["verbose"] is False  # of the pipeline itself


def test_steps_before_the_last_that_is_wanted():
    pipeline = dense_195()
    before, step = steps_before(pipeline, lambda step: hasattr(step, "n_views"))
    assert [name for name, _ in before] == ["load"]
    assert step is pipeline["augment"]
    assert steps_before(pipeline, lambda step: False) == ([], None)


def test_extractions_make_the_features_of_each_part():
    waveforms = np.random.default_rng(0).normal(size=(3, 8000))
    pipeline = make_emotion_pipeline(random_state=0)
    made = [steps.fit_transform(waveforms).values for steps in extractions(pipeline)]
    for values, recipe in zip(made, (functionals, residual_network), strict=True):
        assert_array_equal(values, recipe(random_state=0)[:3].fit_transform(waveforms).values)


def test_steps_of_all_parts():
    names = [type(step).__name__ for step in steps_of(make_emotion_pipeline())]
    assert names.count("FeatureUnionExtractor") == 2
    assert {"AudioLoader", "Augmenter", "CNNEmotionClassifier"} <= set(names)
    assert "WeightedLinearDiscriminant" in names
