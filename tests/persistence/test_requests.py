import json

import numpy as np
import pytest
from numpy.testing import assert_array_equal
from sklearn import config_context
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline

import skser
from skser import SpeakerNormalizer
from skser.exceptions import ModelError
from skser.recipes import standardize_by_corpus
from tests.persistence.models import contents_of, forge

X = np.random.default_rng(0).normal(size=(20, 3))
Y = np.tile(["angry", "sad"], 10)
CORPORA = np.repeat(["near", "far"], 10)


@pytest.fixture
def pipeline():
    pipeline = standardize_by_corpus(make_pipeline(SpeakerNormalizer(), LogisticRegression()))
    with config_context(enable_metadata_routing=True):
        return pipeline.fit(X, Y, domains=CORPORA, sample_weight=np.ones(20))


def test_a_loaded_pipeline_takes_the_same_metadata(pipeline, tmp_path):
    skser.save(pipeline, tmp_path / "model.skser")
    loaded = skser.load(tmp_path / "model.skser")
    with config_context(enable_metadata_routing=True):
        for names in ("domains",), ("groups",), ("sample_weight",):
            expected = pipeline.get_metadata_routing().consumes("fit", names)
            assert loaded.get_metadata_routing().consumes("fit", names) == expected
        params = {"domains": CORPORA}
        assert_array_equal(loaded.predict_proba(X, **params), pipeline.predict_proba(X, **params))
        again = loaded.fit(X[::-1], Y, **params, sample_weight=np.ones(20))
    assert sorted(again[0].statistics_) == ["far", "near"]
    skser.save(loaded, tmp_path / "again.skser")
    assert contents_of(tmp_path / "again.skser")[0].keys() == {
        *contents_of(tmp_path / "model.skser")[0]
    }


def test_a_request_of_no_method_is_refused(pipeline, tmp_path):
    skser.save(pipeline, tmp_path / "model.skser")
    manifest, entries = contents_of(tmp_path / "model.skser")
    text = json.dumps(manifest).replace('"transform"', '"__init__"')
    forge(tmp_path / "forged.skser", text, entries)
    with pytest.raises(ModelError, match="__init__"):
        skser.load(tmp_path / "forged.skser")
