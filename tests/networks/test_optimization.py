import io
import sys

import numpy as np
import pytest
from numpy.testing import assert_allclose

from skser.networks._optimization import (
    EpochBar,
    TrainingSettings,
    make_callbacks,
    make_loss,
    make_optimizer,
)
from skser.networks._tensorflow import keras

SETTINGS = {
    "epochs": 10,
    "optimizer": "sgd",
    "learning_rate": 0.1,
    "weight_decay": 0.0,
    "clip_norm": None,
    "schedule": None,
    "warmup": 0.0,
    "plateau_factor": 0.5,
    "plateau_patience": 2,
    "early_stopping": None,
    "label_smoothing": 0.0,
    "dtype_policy": "float32",
}


def settings(**changed):
    return TrainingSettings(**{**SETTINGS, **changed})


def rates(optimizer, steps):
    found = []
    for step in steps:
        optimizer.iterations.assign(step)
        found.append(float(optimizer.learning_rate))
    return np.array(found)


@pytest.fixture
def model():
    """One unit, compiled, with weights 1 and bias 0."""
    model = keras.Sequential([keras.Input((2,)), keras.layers.Dense(1, "linear", True, "ones")])
    model.compile(make_optimizer(settings(), 5))
    return model


@pytest.mark.parametrize("schedule", [None, "plateau"])
def test_rate_without_schedule(schedule):
    optimizer = make_optimizer(settings(schedule=schedule), 5)
    assert_allclose(rates(optimizer, [0, 20, 50]), 0.1, rtol=1e-6)


def test_cosine_rises_then_falls_to_zero():
    optimizer = make_optimizer(settings(schedule="cosine", warmup=0.2), 5)  # 50 steps
    found = rates(optimizer, range(51))
    assert_allclose(found[0], 0.01, rtol=1e-5)
    assert (np.diff(found[:11]) > 0).all()
    assert_allclose(found[10], 0.1, rtol=1e-5)
    assert_allclose(found[10:], 0.05 * (1 + np.cos(np.pi * np.arange(41) / 40)), atol=1e-7)


def test_cosine_without_warmup():
    found = rates(make_optimizer(settings(schedule="cosine"), 5), range(51))
    assert_allclose(found, 0.05 * (1 + np.cos(np.pi * np.arange(51) / 50)), atol=1e-7)


@pytest.mark.parametrize("warmup", [0.0, 0.1, 0.5, 0.9])
def test_cosine_over_a_single_step(warmup):
    optimizer = make_optimizer(settings(schedule="cosine", warmup=warmup, epochs=1), 1)
    assert 0 < rates(optimizer, [0])[0] <= 0.1 + 1e-6


@pytest.mark.parametrize("name", ["adamw", "adam", "sgd", "rmsprop"])
@pytest.mark.parametrize("weight_decay", [0.0, 0.5])
def test_decay_is_of_weights_between_units_only(name, weight_decay):
    optimizer = make_optimizer(settings(optimizer=name, weight_decay=weight_decay), 5)
    assert type(optimizer).__name__.lower() == name
    names = ["kernel", "recurrent_kernel", "bias", "gamma", "beta"]
    variables = [keras.Variable(np.ones(3, "float32"), name=n) for n in names]
    optimizer.apply([np.zeros(3, "float32")] * 5, variables)
    kept = 1 - 0.1 * weight_decay
    found = np.array([np.asarray(v) for v in variables])
    assert_allclose(found, np.repeat([[kept], [kept], [1], [1], [1]], 3, axis=1), rtol=1e-6)


@pytest.mark.parametrize(("clip_norm", "step"), [(None, [3, 4]), (5.0, [3, 4]), (1.0, [0.6, 0.8])])
def test_gradient_of_all_weights_together_is_clipped(clip_norm, step):
    optimizer = make_optimizer(settings(clip_norm=clip_norm), 5)
    variables = [keras.Variable(np.zeros(1, "float32"), name=name) for name in "ab"]
    optimizer.apply([np.array([3.0], "float32"), np.array([4.0], "float32")], variables)
    assert_allclose(np.ravel(variables), -0.1 * np.array(step), rtol=1e-5)


@pytest.mark.parametrize("smoothing", [0.0, 0.3])
def test_loss_is_cross_entropy_with_smoothed_shares(smoothing):
    shares = np.array([[1, 0, 0], [0.4, 0.6, 0]])
    found = np.array([[0.5, 0.3, 0.2], [0.1, 0.2, 0.7]])
    smoothed = (1 - smoothing) * shares + smoothing / 3
    expected = -(smoothed * np.log(found)).sum(axis=1).mean()
    loss = make_loss(settings(label_smoothing=smoothing))(shares, found)
    assert_allclose(float(loss), expected, rtol=1e-5)


def run(callback, model, losses, name="val_loss"):
    """Call a callback with these losses after weights of 0, 1, 2, ...; the rates it leaves."""
    found = []
    model.stop_training = False
    callback.set_model(model)
    callback.on_train_begin()
    for epoch, loss in enumerate(losses):
        model.set_weights([np.full_like(w, epoch) for w in model.get_weights()])
        callback.on_epoch_end(epoch, {name: loss})
        found.append(float(model.optimizer.learning_rate))
        if model.stop_training:
            break
    callback.on_train_end()
    return found


@pytest.mark.parametrize(
    ("losses", "n_epochs", "best"),
    [
        ([3, 1, 2, 2, 2, 0], 4, 1),  # stops before the 0
        ([3, 2, 1, 0], 4, 3),
        ([3, 1, 2, 1.5], 4, 1),  # ends, but does not stop
        ([1, 2, 3, 4], 3, 0),
        ([1, 1, 1, 1], 3, 0),
    ],
)
def test_early_stopping_restores_the_best_weights(model, losses, n_epochs, best):
    (callback,) = make_callbacks(settings(early_stopping=2), "val_loss")
    assert len(run(callback, model, losses)) == n_epochs
    assert all((w == best).all() for w in model.get_weights())


# Keras' own, with NumPy 2.
@pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")
def test_plateau_lowers_the_rate(model):
    (callback,) = make_callbacks(settings(schedule="plateau"), "loss")
    losses = [3, 2, 2.5, 2.5, 1, 1, 1, 1, 1]
    expected = [0.1, 0.1, 0.1, 0.05, 0.05, 0.05, 0.025, 0.025, 0.0125]
    assert_allclose(run(callback, model, losses, "loss"), expected, rtol=1e-5)
    assert (model.get_weights()[0] == 8).all()


def test_callbacks_as_asked_for():
    assert make_callbacks(settings(schedule="cosine"), "loss") == []
    both = make_callbacks(settings(schedule="plateau", early_stopping=3), "val_loss")
    assert [type(c).__name__ for c in both] == ["ReduceLROnPlateau", "EarlyStopping"]


def test_bar_of_all_epochs(monkeypatch):
    monkeypatch.setattr("sys.stderr", io.StringIO())
    sys.stderr.isatty = lambda: True
    callback = EpochBar()
    callback.set_params({"epochs": 5})
    callback.on_train_begin()
    for epoch in (3, 4):  # the first three were done before
        callback.on_epoch_end(epoch, {"loss": 0.1234})
        text = str(callback.bar)
        assert text.startswith("training:")
        assert f"{epoch + 1}/5" in text
        assert "loss=0.123" in text
    callback.on_train_end()
    assert callback.bar.disable  # closed
