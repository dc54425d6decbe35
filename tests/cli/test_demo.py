import matplotlib.image
import pandas as pd
import pytest

from skser.cli._demo import run_demo
from skser.persistence._any_model import load_model


@pytest.mark.slow
def test_demo(tmp_path, capsys):
    out = tmp_path / "out"
    run_demo(
        out,
        n_speakers=3,
        emotions=("angry", "sad"),
        load__duration=1.0,
        augment__n_views=2,
        vote__network__classify__network__filters=(8,),
        vote__network__classify__epochs=1,
        vote__network__classify__optimizer="sgd",  # with the next three, half the time to trace
        vote__network__classify__schedule=None,
        vote__network__classify__clip_norm=None,
        vote__network__classify__weight_decay=0,
    )

    printed = capsys.readouterr().out
    predictions = pd.read_csv(out / "predictions.csv")
    assert set(predictions["speaker"]) == {"synthetic-f01", "synthetic-f03", "synthetic-m02"}
    assert len(predictions) == 18
    assert predictions["fold"].nunique() == 3
    recalls = (predictions["predicted"] == predictions["emotion"]).groupby(predictions["emotion"])
    assert f"unweighted average recall {recalls.mean().mean():.3f} " in printed
    assert load_model(out / "model.skser").classes_.tolist() == ["angry", "sad"]
    for name in ("confusion_matrix.png", "training_curves.png"):
        assert matplotlib.image.imread(out / name).std() > 0

    assert "speaker-independent" in printed
    assert "synthetic-m04" in printed  # whose recording is labelled; nobody trained on
    for command in ("datasets check", "evaluate", "train", f"predict {out / 'model.skser'}"):
        assert f"On your own recordings: skser {command}" in printed
    written = {line.removeprefix("   wrote ") for line in printed.splitlines() if "wrote" in line}
    assert written == {str(path) for path in out.iterdir() if path.name != "speech"}
