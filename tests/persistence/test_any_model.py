import joblib
import pytest
from sklearn.dummy import DummyClassifier
from sklearn.preprocessing import StandardScaler

from skser.exceptions import DataError, ModelError
from skser.persistence import load_info
from skser.persistence._any_model import load_model, save_model
from tests.persistence.models import quick_model


@pytest.mark.parametrize("name", ["model.skser", "model", "model.joblib", "model.pkl"])
def test_the_name_says_how_a_model_is_kept(name, tmp_path):
    pipeline, clips = quick_model()
    save_model(pipeline, tmp_path / name)
    assert (tmp_path / name).read_bytes().startswith(b"PK") == (name in ("model.skser", "model"))
    loaded = load_model(tmp_path / name)
    assert (loaded.predict_proba(clips) == pipeline.predict_proba(clips)).all()


def test_what_is_in_a_file_counts_more_than_its_name(tmp_path):
    save_model(quick_model()[0], tmp_path / "model.skser")
    renamed = (tmp_path / "model.skser").rename(tmp_path / "model.joblib")
    assert len(load_model(renamed).classes_) == 3


def test_bad_pickles(tmp_path):
    path = tmp_path / "model.joblib"
    with pytest.raises(ModelError, match=r"model\.joblib: is not a file"):
        load_model(path)
    path.write_text("not a pickle")
    with pytest.raises(ModelError, match=r"model\.joblib: cannot be loaded with joblib"):
        load_model(path)
    joblib.dump(StandardScaler(), path)
    with pytest.raises(DataError, match="holds a StandardScaler, not a fitted emotion pipeline"):
        load_model(path)


def test_a_joblib_file_has_no_information(tmp_path):
    path = tmp_path / "model.joblib"
    save_model(DummyClassifier().fit([[0], [1]], ["calm", "sad"]), path)
    with pytest.raises(ModelError, match=r"model\.joblib: is not a model file.* pickle"):
        load_info(path)
