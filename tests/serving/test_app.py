import hashlib

import numpy as np
import pytest

import skser

from .conftest import recording

pytestmark = pytest.mark.slow


def test_the_body_is_a_recording(client, model_file):
    content = recording()
    response = client.post("/v1/predict", content=content)
    assert response.status_code == 200
    answer = response.json()
    sha256 = hashlib.sha256(model_file.read_bytes()).hexdigest()
    assert answer["model"] == {"name": "quick", "sha256": sha256}
    (prediction,) = answer["predictions"]
    pipeline = skser.load(model_file)
    expected = pipeline.predict_proba([content])[0]
    assert list(prediction["probabilities"]) == list(pipeline.classes_)
    np.testing.assert_allclose(
        list(prediction["probabilities"].values()), expected, rtol=0, atol=5.1e-5
    )
    assert prediction["emotion"] == pipeline.classes_[expected.argmax()]
    assert (prediction["duration"], prediction["file"], prediction["error"]) == (1.0, None, None)
    assert (prediction["silent"], prediction["abstained"]) == (False, False)


def test_anything_else_is_a_problem(client):
    response = client.post("/v1/predict", content=b"hello")
    assert response.status_code == 422
    assert response.headers["content-type"] == "application/problem+json"
    problem = response.json()
    assert problem["detail"] == "is text, not a recording"
    assert problem["status"] == 422


def test_it_is_alive(client):
    assert client.get("/healthz").json() == {"status": "alive"}
