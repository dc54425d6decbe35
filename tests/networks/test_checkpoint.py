import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from skser import CNNEmotionClassifier
from skser.networks._tensorflow import keras

# With all that is random: weights, dropout, noise, mixtures, order, and a rate that falls.
SETTINGS = {
    "architecture": "dense",
    "network__dense_units": (8, 8),
    "network__dropout": 0.3,
    "epochs": 5,
    "batch_size": 8,
    "random_state": 0,
}
WATCHING = {
    "validation_fraction": 0.3,
    "early_stopping": 2,
    "schedule": "plateau",
    "plateau_patience": 1,
    "learning_rate": 0.3,
    "epochs": 12,
}


def linear(meta):
    inputs = keras.Input(meta.input_shape)
    return keras.Model(inputs, keras.layers.Dense(meta.n_classes, "softmax")(inputs))


def scaled(scale):
    """A function that differs from others of its name by what it holds."""

    def linear(meta):
        inputs = keras.Input(meta.input_shape)
        start = keras.initializers.VarianceScaling(scale)
        outputs = keras.layers.Dense(meta.n_classes, "softmax", kernel_initializer=start)(inputs)
        return keras.Model(inputs, outputs)

    return linear


QUICK = {
    "architecture": linear,
    "network__dense_units": None,
    "network__dropout": None,
    "optimizer": "sgd",
    "schedule": None,
    "clip_norm": None,
    "weight_decay": 0,
}


class Interruption(Exception):
    pass


class Epochs(keras.callbacks.Callback):
    """Note the epochs that begin, and interrupt at the end of one of them, or of training."""

    def __init__(self, interrupt_at=None):
        super().__init__()
        self.interrupt_at = interrupt_at
        self.begun = []

    def on_epoch_begin(self, epoch, logs=None):
        self.begun.append(epoch)

    def on_epoch_end(self, epoch, logs=None):
        if len(self.begun) - 1 == self.interrupt_at:
            raise Interruption

    def on_train_end(self, logs=None):
        if self.interrupt_at == "end":
            raise Interruption


class SayAndWait(keras.callbacks.Callback):
    """Say each epoch that begins, and in the fourth wait for what never comes."""

    def on_epoch_begin(self, epoch, logs=None):
        print("epoch", epoch, flush=True)
        if epoch == 3:
            sys.stdin.read()


def classifier(folder=None, callback=None, **changed):
    callbacks = None if callback is None else [callback]
    return CNNEmotionClassifier(**{**SETTINGS, **changed}, checkpoint=folder, callbacks=callbacks)


def data(seed=0):
    rng = np.random.default_rng(seed)
    return rng.normal(size=(24, 6)), np.arange(24) % 3


def interrupted(folder, at, **changed):
    with pytest.raises(Interruption):
        classifier(folder, Epochs(at), **changed).fit(*data())
    assert len(list(folder.iterdir())) > 0


def check_equal(found, expected):
    X, _ = data()
    assert_allclose(found.predict_proba(X), expected.predict_proba(X), rtol=1e-6)
    assert len(found.histories_) == len(expected.histories_)
    for history, wanted in zip(found.histories_, expected.histories_, strict=True):
        assert set(history) == set(wanted)
        for name, values in wanted.items():
            assert_allclose(history[name], values, rtol=1e-6)


@pytest.fixture(scope="module")
def whole():
    """A fit that was not interrupted and had no checkpoint."""
    return classifier().fit(*data())


@pytest.mark.slow
def test_a_killed_fit_goes_on_from_its_last_whole_epoch(tmp_path, whole):
    program = (
        "import sys\n"
        "from tests.networks.test_checkpoint import SayAndWait, classifier, data\n"
        "classifier(sys.argv[1], SayAndWait()).fit(*data())\n"
    )
    with subprocess.Popen(
        [sys.executable, "-c", program, tmp_path],
        cwd=Path(__file__).parents[2],
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as child:
        said = [child.stdout.readline() for _ in range(4)]
        child.kill()
    assert said == [f"epoch {i}\n" for i in range(4)]
    (state,) = tmp_path.iterdir()
    (tmp_path / f".{state.stem}.0123.npz").write_bytes(b"half of a state")

    epochs = Epochs()
    check_equal(classifier(tmp_path, epochs).fit(*data()), whole)
    assert epochs.begun == [3, 4]
    assert list(tmp_path.iterdir()) == []


@pytest.mark.slow
def test_checkpoint_changes_nothing(tmp_path, whole):
    folder = tmp_path / "to" / "be made"
    check_equal(classifier(folder).fit(*data()), whole)
    assert list(folder.iterdir()) == []


@pytest.mark.slow
def test_the_scale_of_the_loss_is_a_part_of_the_state(tmp_path):
    mixed = {"dtype_policy": "mixed_float16"}
    interrupted(tmp_path, 2, **mixed)
    check_equal(classifier(tmp_path, **mixed).fit(*data()), classifier(**mixed).fit(*data()))


@pytest.mark.slow
@pytest.mark.parametrize("at", [0, "end"])
def test_interrupted_at_the_first_epoch_or_the_end(tmp_path, whole, at):
    if at == 0:
        with pytest.raises(Interruption):
            classifier(tmp_path, Epochs(0)).fit(*data())
        assert list(tmp_path.iterdir()) == []  # no epoch was whole
    else:
        interrupted(tmp_path, at)
    epochs = Epochs()
    check_equal(classifier(tmp_path, epochs).fit(*data()), whole)
    assert epochs.begun == ([0, 1, 2, 3, 4] if at == 0 else [])
    assert list(tmp_path.iterdir()) == []


@pytest.fixture(scope="module")
def watched():
    """A fit that was stopped early."""
    found = classifier(**WATCHING).fit(*data())
    n_epochs = len(found.history_["loss"])
    best = int(np.argmin(found.history_["val_loss"]))
    assert 2 < n_epochs == best + 3 < 12
    assert len(set(found.history_["learning_rate"])) > 1
    return found


@pytest.mark.slow
def test_early_stopping_and_plateau_remember(tmp_path, watched):
    n_epochs = len(watched.history_["loss"])
    interrupted(tmp_path, 1, **WATCHING)
    epochs = Epochs()
    check_equal(classifier(tmp_path, epochs, **WATCHING).fit(*data()), watched)
    assert epochs.begun == list(range(1, n_epochs))
    assert list(tmp_path.iterdir()) == []


@pytest.mark.slow
def test_interrupted_after_the_best_epoch(tmp_path, watched):
    n_epochs = len(watched.history_["loss"])
    interrupted(tmp_path, n_epochs - 1, **WATCHING)
    epochs = Epochs()
    check_equal(classifier(tmp_path, epochs, **WATCHING).fit(*data()), watched)
    assert epochs.begun == [n_epochs - 1]


@pytest.mark.slow
def test_interrupted_between_stopping_and_the_end(tmp_path, watched):
    interrupted(tmp_path, "end", **WATCHING)
    epochs = Epochs()
    check_equal(classifier(tmp_path, epochs, **WATCHING).fit(*data()), watched)
    assert epochs.begun == []


@pytest.mark.slow
def test_a_finished_network_is_not_trained_again(tmp_path):
    two = {**QUICK, "n_networks": 2, "epochs": 2}
    expected = classifier(**two).fit(*data())
    interrupted(tmp_path, 3, **two)  # in the last epoch of the second
    epochs = Epochs()
    check_equal(classifier(tmp_path, epochs, **two).fit(*data()), expected)
    assert epochs.begun == [1]
    assert list(tmp_path.iterdir()) == []


@pytest.mark.slow
def test_another_fit_does_not_take_it_up(tmp_path):
    quick = {**QUICK, "epochs": 2}
    interrupted(tmp_path, 1, **quick)
    kept = set(tmp_path.iterdir())
    X, y = data()
    others = [
        ({"random_state": 1}, (X, y), {}),
        ({"epochs": 3}, (X, y), {}),
        ({}, (X + 1, y), {}),
        ({}, (X, 2 - y), {}),
        ({}, (X, y), {"sample_weight": np.arange(24)}),
    ]
    for changed, (X_other, y_other), more in others:
        epochs = Epochs()
        other = classifier(tmp_path, epochs, **{**quick, **changed})
        other.fit(X_other, y_other, **more)
        assert epochs.begun == list(range(other.epochs))
        assert set(tmp_path.iterdir()) == kept
    epochs = Epochs()
    classifier(tmp_path, epochs, **{**quick, "verbose": 1}).fit(X, y)  # of no consequence
    assert epochs.begun == [1]
    assert list(tmp_path.iterdir()) == []


@pytest.mark.slow
def test_another_network_of_the_same_name_does_not_take_it_up(tmp_path):
    quick = {**QUICK, "epochs": 2, "architecture": scaled(1.0)}
    interrupted(tmp_path, 1, **quick)
    for scale, begun in ((2.0, [0, 1]), (1.0, [1])):
        epochs = Epochs()
        classifier(tmp_path, epochs, **{**quick, "architecture": scaled(scale)}).fit(*data())
        assert epochs.begun == begun


def test_another_version_does_not_take_it_up(tmp_path, monkeypatch):
    quick = {**QUICK, "epochs": 2}
    interrupted(tmp_path, 1, **quick)
    monkeypatch.setattr("skser._utils._hashing.versions", lambda *_: {"keras": "0"})
    epochs = Epochs()
    classifier(tmp_path, epochs, **quick).fit(*data())
    assert epochs.begun == [0, 1]


def test_state_is_plain_data(tmp_path):
    interrupted(tmp_path, 2, **QUICK)
    (path,) = tmp_path.iterdir()
    with np.load(path, allow_pickle=False) as file:
        state = json.loads(str(file["state"]))
        shapes = {file[f"network.{i}"].shape for i in range(2)}
    assert state["n_epochs"] == 2
    assert not state["is_done"]
    assert_array_equal(sorted(state["history"]), ["accuracy", "loss"])
    assert [len(values) for values in state["history"].values()] == [2, 2]
    assert shapes == {(6, 3), (3,)}
