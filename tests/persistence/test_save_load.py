import os
import re
import subprocess
import sys
import zipfile

import numpy as np
import pytest
from numpy.testing import assert_array_equal
from sklearn.base import BaseEstimator, ClassifierMixin, clone
from sklearn.calibration import CalibratedClassifierCV
from sklearn.ensemble import (
    GradientBoostingClassifier,
    HistGradientBoostingClassifier,
    RandomForestClassifier,
    VotingClassifier,
)
from sklearn.feature_selection import SelectKBest
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV
from sklearn.naive_bayes import GaussianNB
from sklearn.neighbors import KNeighborsClassifier
from sklearn.neural_network import MLPClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, StandardScaler
from sklearn.svm import SVC

import skser
from skser import AudioLoader, CNNEmotionClassifier, FeatureUnionExtractor
from skser.classifiers import SoftVotingClassifier
from skser.exceptions import DataError, ModelError, ParameterError, SkserWarning
from skser.features import MFCC, Chroma
from skser.networks import NetworkMeta, dense
from skser.networks._tensorflow import keras
from tests.evaluations import noises, quick_pipeline
from tests.persistence.models import CLIP, contents_of, forge, golden_model, quick_model

SPEECH = noises()
CLIPS = list(SPEECH.waveforms)


def fit(**params):
    return quick_pipeline(**params).fit(CLIPS, SPEECH.target)


def kept(pipeline, folder, **params):
    skser.save(pipeline, folder / "model.skser")
    return skser.load(folder / "model.skser", **params)


@pytest.mark.slow
@pytest.mark.parametrize(
    "classifier",
    [
        LogisticRegression(),
        SVC(),
        make_pipeline(StandardScaler(), SelectKBest(k=1), GaussianNB()),
        make_pipeline(FunctionTransformer(np.abs), GaussianNB()),
        VotingClassifier(
            [("bayes", GaussianNB()), ("logistic", LogisticRegression())], voting="soft"
        ),
        SoftVotingClassifier([("a", GaussianNB()), ("b", RandomForestClassifier(2))]),
        RandomForestClassifier(3, random_state=0),
        GradientBoostingClassifier(n_estimators=2),
        HistGradientBoostingClassifier(max_iter=2),
        KNeighborsClassifier(),
        MLPClassifier((4,), max_iter=300, solver="lbfgs", random_state=0),
        CalibratedClassifierCV(GaussianNB(), cv=2),
    ],
    ids=lambda classifier: type(classifier).__name__,
)
def test_classifiers_of_scikit_learn_answer_the_same(classifier, tmp_path):
    pipeline = fit(classify=classifier)
    loaded = kept(pipeline, tmp_path)
    method = "predict_proba" if hasattr(pipeline, "predict_proba") else "decision_function"
    assert_array_equal(getattr(loaded, method)(CLIPS), getattr(pipeline, method)(CLIPS))
    assert_array_equal(loaded.predict(CLIPS), pipeline.predict(CLIPS))
    assert repr(loaded) == repr(pipeline)
    again = clone(loaded).fit(CLIPS, SPEECH.target)
    assert_array_equal(again.classes_, pipeline.classes_)


def test_what_is_one_object_stays_one(tmp_path):
    pipeline = fit(classify=SoftVotingClassifier([("a", GaussianNB()), ("b", GaussianNB())]))
    vote = kept(pipeline, tmp_path)["classify"]
    assert vote.named_estimators_["a"] is vote.estimators_[0]
    assert vote.named_estimators_.b is vote.estimators_[1]


def test_blocks_keep_their_parameters(tmp_path):
    pipeline = fit(features__blocks=["zcr", ("mfcc", MFCC(n_mfcc=5)), ("chroma", Chroma())])
    pipeline.set_params(features__chroma="drop").fit(CLIPS, SPEECH.target)
    loaded = kept(pipeline, tmp_path)
    assert loaded["features"].get_params()["mfcc__n_mfcc"] == 5
    assert_array_equal(
        loaded["features"].get_feature_names_out(), pipeline["features"].get_feature_names_out()
    )
    assert_array_equal(loaded.predict_proba(CLIPS), pipeline.predict_proba(CLIPS))


def test_labels_may_be_numbers(tmp_path):
    numbers = np.unique(SPEECH.target, return_inverse=True)[1]
    pipeline = quick_pipeline().fit(CLIPS, numbers)
    assert_array_equal(kept(pipeline, tmp_path).predict(CLIPS), pipeline.predict(CLIPS))


def test_the_same_model_is_the_same_file(tmp_path):
    pipeline, _ = quick_model()
    for name in ("a.skser", "b.skser"):
        skser.save(pipeline, tmp_path / name)
    assert (tmp_path / "a.skser").read_bytes() == (tmp_path / "b.skser").read_bytes()


def test_it_is_a_zip_of_json_and_arrays(tmp_path):
    skser.save(quick_model()[0], tmp_path / "model.skser")
    with zipfile.ZipFile(tmp_path / "model.skser") as archive:
        assert archive.testzip() is None
        assert {os.path.splitext(name)[1] for name in archive.namelist()} == {
            ".json",
            ".npy",
            ".md",
        }
    manifest, _ = contents_of(tmp_path / "model.skser")
    assert manifest["classes"] == ["angry", "calm", "sad"]
    assert manifest["versions"]["scikit-learn"]


def test_what_belongs_to_a_machine_is_not_kept(tmp_path):
    pipeline = fit()
    pipeline.set_params(
        features__memory=tmp_path / "cache", features__n_jobs=2, features__verbose=1
    )
    params = kept(pipeline, tmp_path)["features"].get_params(deep=False)
    assert (params["memory"], params["n_jobs"], params["verbose"]) == (None, None, 0)
    assert pipeline["features"].memory == tmp_path / "cache"


def test_a_file_does_not_choose_where_to_write(tmp_path):
    path = tmp_path / "model.skser"
    skser.save(fit(), path)
    manifest, entries = contents_of(path)
    ((_, features),) = (
        step["tuple"][1]["estimator"]
        for step in manifest["pipeline"]["estimator"][1]["steps"]
        if step["tuple"][0] == "features"
    )
    assert features["memory"] is None
    features["memory"] = str(tmp_path / "elsewhere")
    forge(path, manifest, entries)
    skser.load(path).predict(CLIPS[:1])
    assert not (tmp_path / "elsewhere").exists()


def test_a_linear_discriminant_leaves_its_covariance_out(tmp_path):
    pipeline, clips = quick_model()
    loaded = kept(pipeline, tmp_path)
    assert pipeline["classify"].covariance_.shape == (2, 2)
    assert not hasattr(loaded["classify"], "covariance_")
    assert_array_equal(loaded.predict_proba(clips), pipeline.predict_proba(clips))


@pytest.mark.parametrize(
    ("pipeline", "reasons"),
    [
        (quick_pipeline(), ["pipeline must be fitted", "Pipeline without classes_"]),
        (
            GridSearchCV(quick_pipeline(), {"classify__C": [1]}, cv=2).fit(CLIPS, SPEECH.target),
            ["pipeline is a GridSearchCV", "best_estimator_"],
        ),
        (fit().set_params(load__on_error=sys), ["pipeline.steps.on_error", "is a builtins.module"]),
    ],
)
def test_what_cannot_be_kept_is_said(pipeline, reasons, tmp_path):
    with pytest.raises(ModelError) as caught:
        skser.save(pipeline, tmp_path / "model.skser")
    assert all(reason in str(caught.value) for reason in reasons)
    assert list(tmp_path.iterdir()) == []


class Foreign(ClassifierMixin, BaseEstimator):
    def fit(self, X, y):
        self.classes_ = np.unique(y)
        return self

    def predict(self, X):
        return self.classes_[np.zeros(len(X), int)]


@keras.saving.register_keras_serializable("tests")
class Halve(keras.layers.Layer):
    def call(self, x):
        return x / 2


def network_of_own_layer(meta: NetworkMeta):
    inputs = keras.Input(meta.input_shape)
    x = keras.layers.LayerNormalization()(Halve()(inputs))
    return keras.Model(inputs, keras.layers.Dense(meta.n_classes, "softmax")(x))


HERE = __name__


@pytest.mark.slow
@pytest.mark.parametrize(
    ("classifier", "trusted"),
    [
        (Foreign(), [f"{HERE}.Foreign"]),
        (Foreign(), [Foreign]),
        (VotingClassifier([("a", Foreign())]), [Foreign]),
        (
            CNNEmotionClassifier(network_of_own_layer, epochs=1, random_state=0),
            [f"{HERE}.Halve", "keras.layers.LayerNormalization"],
        ),
        (
            KNeighborsClassifier(1, algorithm="ball_tree", metric="chebyshev"),
            ["sklearn.metrics._dist_metrics.ChebyshevDistance64"],
        ),
    ],
    ids=lambda value: "-".join(map(str, value)) if isinstance(value, list) else str(value)[:10],
)
def test_what_is_unknown_has_to_be_trusted(classifier, trusted, tmp_path):
    pipeline = fit(classify=classifier)
    path = tmp_path / "model.skser"
    names = sorted(x if isinstance(x, str) else f"{HERE}.{x.__name__}" for x in trusted)
    with pytest.warns(SkserWarning) as warned:
        skser.save(pipeline, path)
    with pytest.raises(ModelError) as refused:
        skser.load(path)
    for message in (str(warned[0].message), str(refused.value)):
        assert message.startswith(f"{path}: ")
        assert message.endswith(f"trusted={names}, but never a file from a stranger")
    loaded = skser.load(path, trusted=trusted)
    assert_array_equal(loaded.predict(CLIPS), pipeline.predict(CLIPS))
    with pytest.raises(ModelError, match=re.escape(names[0])):
        skser.load(path, trusted=names[1:])


def test_a_part_of_skser_inside_compiled_parts_is_refused(tmp_path):
    # skops would neither check its networks nor replace its machine-specific parameters.
    trees = RandomForestClassifier(2, random_state=0)
    inner = make_pipeline(FeatureUnionExtractor(["rms"]), trees)
    inner.steps[0][1].generator = np.random.default_rng(0)  # JSON cannot hold it
    pipeline = make_pipeline(AudioLoader(duration=0.25), inner).fit(CLIPS, SPEECH.target)
    with pytest.raises(ModelError, match="Generator"):
        skser.save(pipeline, tmp_path / "model.skser")
    assert not (tmp_path / "model.skser").exists()


@pytest.mark.parametrize("trusted", ["my_package.MyLayer", [5], [np]])
def test_trusted_must_be_names_or_classes(trusted, tmp_path):
    skser.save(fit(), tmp_path / "model.skser")
    with pytest.raises(ParameterError, match=r"trusted must be .* got "):
        skser.load(tmp_path / "model.skser", trusted=trusted)


def test_where_nothing_can_be_written(tmp_path):
    with pytest.raises(DataError, match=r"its folder .*nowhere does not exist$"):
        skser.save(quick_model()[0], tmp_path / "nowhere" / "model.skser")


def test_an_existing_file_is_replaced_as_a_whole(tmp_path, monkeypatch):
    path = tmp_path / "model.skser"
    path.write_bytes(b"before")
    pipeline, _ = quick_model()

    def fail(*args):
        raise OSError("disk full")

    with monkeypatch.context() as patch:
        patch.setattr(os, "replace", fail)
        with pytest.raises(OSError, match="disk full"):
            skser.save(pipeline, path)
    assert path.read_bytes() == b"before"
    skser.save(pipeline, path)
    assert list(skser.load(path).classes_) == ["angry", "calm", "sad"]
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (None, "is not a file"),
        (b"", "is not a model file"),
        (b"not a model", "is not a model file"),
    ],
)
def test_no_model_file(content, message, tmp_path):
    path = tmp_path / "model.skser"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(ModelError, match=f"^{re.escape(str(path))}: {message}"):
        skser.load(path)


def test_a_newer_format_is_named(tmp_path):
    path = tmp_path / "model.skser"
    skser.save(quick_model()[0], path)
    manifest, entries = contents_of(path)
    forge(path, manifest | {"format": 9, "versions": {"skser": "7.0"}}, entries)
    with pytest.raises(ModelError, match=r"has format 9, of skser 7\.0; .* up to 2"):
        skser.load(path)


def test_another_major_version_is_warned_of(tmp_path):
    path = tmp_path / "model.skser"
    skser.save(quick_model()[0], path)
    manifest, entries = contents_of(path)
    now = manifest["versions"]["scikit-learn"]
    manifest["versions"] |= {"scikit-learn": "0.9.1", "numpy": "2.0.0"}
    forge(path, manifest, entries)
    with pytest.warns(SkserWarning) as caught:
        skser.load(path)
    (message,) = (str(warning.message) for warning in caught)
    assert message.startswith(f"{path}: was written with scikit-learn 0.9.1 (here {now});")


def test_runtime_must_be_known(tmp_path):
    with pytest.raises(ParameterError, match=r"^runtime must be 'auto' or 'onnx' or 'tensorflow'"):
        skser.load(tmp_path / "model.skser", runtime="torch")


def own_network(meta: NetworkMeta):
    return dense(meta, dense_units=(4,))


@pytest.mark.slow
def test_a_network_of_ones_own_answers_but_is_not_fitted_again(tmp_path):
    pipeline = fit(classify=CNNEmotionClassifier(own_network, epochs=1, random_state=0))
    loaded = kept(pipeline, tmp_path, runtime="tensorflow")
    assert_array_equal(loaded.predict_proba(CLIPS[:2]), pipeline.predict_proba(CLIPS[:2]))
    assert repr(loaded["classify"].architecture) == "<function own_network, not kept>"
    with pytest.raises(ModelError) as caught:
        clone(loaded).fit(CLIPS, SPEECH.target)
    assert "architecture is the function own_network" in str(caught.value)
    again = kept(loaded, tmp_path, runtime="tensorflow")
    assert_array_equal(again.predict_proba(CLIPS[:2]), pipeline.predict_proba(CLIPS[:2]))


@pytest.mark.slow
def test_tensorflow_is_not_imported_for_onnx():
    path = golden_model("dense_195")
    program = (
        "import sys, skser; pipeline = skser.load(sys.argv[1], runtime='onnx');"
        "print(*pipeline.predict_proba(sys.argv[2:])[0]); print('tensorflow' in sys.modules)"
    )
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", program, path, CLIP],
        capture_output=True,
        text=True,
    )
    assert done.stderr == ""
    numbers, imported = done.stdout.splitlines()
    expected = skser.load(path, runtime="tensorflow").predict_proba([CLIP])[0]
    np.testing.assert_allclose(np.array(numbers.split(), float), expected, atol=1e-5)
    assert imported == "False"


def test_without_the_extra_there_is_no_onnx(tmp_path, monkeypatch):
    monkeypatch.setattr("skser.networks._onnx_export.can_convert", lambda: False)
    path = tmp_path / "model.skser"
    skser.save(skser.load(golden_model("dense_195")), path)
    assert skser.load(path)["classify"].networks_[0].runtime == "tensorflow"
    with pytest.raises(ModelError, match=f"^{re.escape(str(path))}: has no network in ONNX"):
        skser.load(path, runtime="onnx")


@pytest.mark.slow
def test_a_file_is_hardly_larger_than_its_weights(tmp_path):
    network = CNNEmotionClassifier(
        "dense", network__dense_units=(400, 400), epochs=1, random_state=0
    )
    pipeline = fit(classify=network)
    skser.save(pipeline, tmp_path / "model.skser")
    assert "networks/0.onnx" in contents_of(tmp_path / "model.skser")[1]
    weights = sum(weight.nbytes for weight in pipeline["classify"].networks_[0].weights)
    assert (tmp_path / "model.skser").stat().st_size < 1.2 * weights
