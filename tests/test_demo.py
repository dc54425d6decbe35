import matplotlib.image
import pandas as pd
import pytest

from skser import demo
from skser._files import load_model


def test_demo_goes_the_whole_way(tmp_path, monkeypatch):
    monkeypatch.setattr(demo, "_N_SPEAKERS", 2)
    told = []
    uar = demo.run_demo(tmp_path / "out", n_epochs=2, say=told.append)

    scores = pd.read_csv(tmp_path / "out" / "scores.csv")
    predictions = pd.read_csv(tmp_path / "out" / "predictions.csv")
    assert list(scores["speaker"]) == ["synthetic-f01", "synthetic-m02"]
    assert len(predictions) == scores["n_clips"].sum() == 72
    recalls = (predictions["predicted"] == predictions["emotion"]).groupby(predictions["emotion"])
    assert uar == pytest.approx(recalls.mean().mean())
    assert load_model(tmp_path / "out" / "model.joblib").classes_.shape == (6,)
    for name in ("confusion_matrix.png", "training_curves.png"):
        assert matplotlib.image.imread(tmp_path / "out" / name).std() > 0
    assert f"{uar:.3f}" in told[1]
    assert "synthetic-f03" in told[2]
    assert {p.name for p in (tmp_path / "out").iterdir()} == {"speech", *demo._WRITTEN}
    assert told[3:] == [f"wrote {tmp_path / 'out' / name}" for name in demo._WRITTEN]
