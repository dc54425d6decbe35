import joblib
import pytest
from sklearn.dummy import DummyClassifier
from sklearn.preprocessing import StandardScaler

from skser._files import check_writable, load_model, save_model, written_whole
from skser.exceptions import DataError


def test_nothing_is_left_of_a_failed_write(tmp_path):
    target = tmp_path / "table.csv"
    target.write_text("before")

    def write_half():
        with written_whole(target) as path:
            path.write_text("half of it")
            raise RuntimeError("interrupted")

    with pytest.raises(RuntimeError, match="interrupted"):
        write_half()
    assert target.read_text() == "before"
    assert list(tmp_path.iterdir()) == [target]


def test_written_whole(tmp_path):
    with written_whole(tmp_path / "table.csv") as path:
        assert path.suffix == ".csv"
        path.write_text("all")
    assert [p.read_text() for p in tmp_path.iterdir()] == ["all"]


def test_check_writable(tmp_path):
    check_writable(tmp_path / "model.joblib")
    with pytest.raises(DataError, match=r"nowhere does not exist$"):
        check_writable(tmp_path / "nowhere" / "model.joblib")
    with pytest.raises(DataError, match=r"is a directory, so no file can be written there$"):
        check_writable(tmp_path)


def test_model_round_trip(tmp_path):
    model = DummyClassifier().fit([[0], [1]], ["calm", "sad"])
    save_model(model, tmp_path / "model.joblib")
    assert list(load_model(tmp_path / "model.joblib").classes_) == ["calm", "sad"]


def test_bad_models(tmp_path):
    path = tmp_path / "model.joblib"
    with pytest.raises(DataError, match=r"model\.joblib: is no file, so there is no model to load"):
        load_model(path)
    path.write_text("not a pickle")
    with pytest.raises(DataError, match=r"model\.joblib: is no model that can be loaded"):
        load_model(path)
    joblib.dump(StandardScaler(), path)
    with pytest.raises(DataError, match="holds a StandardScaler, not a fitted emotion pipeline"):
        load_model(path)
