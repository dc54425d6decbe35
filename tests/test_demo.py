from functools import partial

import matplotlib.image
import pandas as pd
import pytest

from skser import demo, evaluate
from skser._models import load_model

TINY = {
    "load__duration": 1.0,
    "augment__n_views": 2,
    "vote__network__classify__network__filters": (8,),
}


def test_demo_goes_the_whole_way(tmp_path, monkeypatch):
    monkeypatch.setattr(demo, "_N_SPEAKERS", 3)
    two = partial(demo.make_emotional_speech, emotions=("angry", "sad"))
    monkeypatch.setattr(demo, "make_emotional_speech", two)
    tiny = partial(demo.make_emotion_pipeline, **TINY)
    monkeypatch.setattr(demo, "make_emotion_pipeline", tiny)
    # In this process, which has loaded TensorFlow.
    monkeypatch.setattr(demo, "evaluate", lambda *known, n_jobs: evaluate(*known))
    told = []
    uar = demo.run_demo(tmp_path / "out", n_epochs=1, say=told.append)

    out = tmp_path / "out"
    predictions = pd.read_csv(out / "predictions.csv")
    assert set(predictions["speaker"]) == {"synthetic-f01", "synthetic-f03", "synthetic-m02"}
    assert len(predictions) == 36
    recalls = (predictions["predicted"] == predictions["emotion"]).groupby(predictions["emotion"])
    assert uar == pytest.approx(recalls.mean().mean())
    assert load_model(out / "model.skser").classes_.shape == (2,)
    for name in ("confusion_matrix.png", "training_curves.png"):
        assert matplotlib.image.imread(out / name).std() > 0
    assert f"{uar:.3f}" in told[1]
    assert "speaker-independent" in told[2]
    assert "synthetic-m04" in told[3]
    written = {line.removeprefix("wrote ") for line in told[4:]}
    assert written == {str(path) for path in out.iterdir() if path.name != "speech"}
