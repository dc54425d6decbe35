import matplotlib.image
import pandas as pd
import pytest

from skser.cli._demo import run_demo
from skser.persistence._any_model import load_model


def test_demo_goes_the_whole_way(tmp_path):
    out = tmp_path / "out"
    lines = []
    uar = run_demo(
        out,
        n_speakers=3,
        emotions=("angry", "sad"),
        load__duration=1.0,
        augment__n_views=2,
        vote__network__classify__network__filters=(8,),
        vote__network__classify__epochs=1,
        log=lines.append,
    )

    predictions = pd.read_csv(out / "predictions.csv")
    assert set(predictions["speaker"]) == {"synthetic-f01", "synthetic-f03", "synthetic-m02"}
    assert len(predictions) == 18
    assert predictions["fold"].nunique() == 3
    recalls = (predictions["predicted"] == predictions["emotion"]).groupby(predictions["emotion"])
    assert uar == pytest.approx(recalls.mean().mean())
    assert load_model(out / "model.skser").classes_.tolist() == ["angry", "sad"]
    for name in ("confusion_matrix.png", "training_curves.png"):
        assert matplotlib.image.imread(out / name).std() > 0

    told = "\n".join(lines)
    assert f"{uar:.3f}" in told
    assert "speaker-independent" in told
    assert "synthetic-m04" in told  # whose recording is labelled; nobody trained on
    for command in ("datasets check", "evaluate", "train", f"predict {out / 'model.skser'}"):
        assert f"On your own recordings: skser {command}" in told
    written = {line.removeprefix("   wrote ") for line in lines if "wrote" in line}
    assert written == {str(path) for path in out.iterdir() if path.name != "speech"}
