"""Whole messages, one of each kind; other tests check the parameter, value and reason one names.

A better sentence changes ``messages.json`` only: ``python -m tests.test_messages`` writes it.
"""

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from sklearn.utils import Bunch

import skser
from skser import (
    AudioLoader,
    Augmenter,
    CNNEmotionClassifier,
    FeatureScaler,
    FeatureUnionExtractor,
    SpeakerNormalizer,
    cross_corpus,
    evaluate,
    read_audio,
)
from skser.calibration import TemperatureScaledClassifier
from skser.datasets import load_folder, load_ravdess
from skser.exceptions import SkserError
from skser.inference import segments
from skser.recipes import get_recipe

from .evaluations import noises, quick_pipeline

FILE = Path(__file__).with_name("messages.json")
SPEECH = noises()
VECTORS = np.random.default_rng(0).normal(size=(6, 3))
LABELS = ["calm", "calm", "calm", "sad", "sad", "sad"]


def clips(**params):
    return AudioLoader(**params).fit_transform(list(SPEECH.waveforms[:3]))


def network(**params):
    return CNNEmotionClassifier("dense", **params).fit(VECTORS, LABELS)


def evaluated(**changes):
    return evaluate(quick_pipeline(), Bunch(**{**SPEECH, **changes}))


# Mistakes, by the names of their messages in the file.
MISTAKES = {
    "sampling rate": lambda: clips(sr=0),
    "name of a choice": lambda: clips(pad="zeros"),
    "negative number": lambda: clips(duration=-1.0),
    "number of views": lambda: Augmenter(n_views=-1).fit(clips()),
    "range": lambda: Augmenter(pitch=(2, -2)).fit(clips()),
    "unknown keyword": lambda: Augmenter().fit_transform(clips(), grousp=[1, 2, 3]),
    "block": lambda: FeatureUnionExtractor(["mfc"]).fit(clips()),
    "parameter of a block": lambda: (
        FeatureUnionExtractor(["mfcc"]).set_params(mfcc__n_mfcc=0).fit(clips())
    ),
    "not fitted": lambda: FeatureScaler().transform(VECTORS),
    "other features": lambda: FeatureScaler().fit(VECTORS).transform(VECTORS[:, :2]),
    "speakers needed": lambda: SpeakerNormalizer().fit(VECTORS),
    "architecture": lambda: CNNEmotionClassifier("resnett").fit(VECTORS, LABELS),
    "network parameter": lambda: network(network__dense_unit=3),
    "epochs": lambda: network(epochs=0),
    "early stopping": lambda: network(early_stopping=3),
    "one class": lambda: CNNEmotionClassifier("dense").fit(VECTORS, ["sad"] * 6),
    "labels missing": lambda: CNNEmotionClassifier("dense").fit(VECTORS, LABELS[:5]),
    "missing file": lambda: read_audio("no_such_file.wav"),
    "missing folder": lambda: load_folder("no_such_folder"),
    "missing corpus": lambda: load_ravdess("no_such_folder"),
    "recipe": lambda: get_recipe("functional"),
    "speakers of the clips": lambda: evaluated(groups=SPEECH.groups[:-1]),
    "labels of the clips": lambda: evaluated(target=SPEECH.target[:-1]),
    "jobs": lambda: evaluate(quick_pipeline(), SPEECH, n_jobs=0),
    "one corpus": lambda: cross_corpus(quick_pipeline(), {"one": SPEECH}),
    "calibration": lambda: TemperatureScaledClassifier(FeatureScaler()).fit(VECTORS, LABELS),
    "table of a timeline": lambda: segments(pd.DataFrame({"start": [0.0]})),
    "model file": lambda: skser.load("no_such_model.skser"),
    "runtime": lambda: skser.load("model.skser", runtime="torch"),
}


def message_of(name):
    with pytest.raises((SkserError, TypeError)) as caught:
        MISTAKES[name]()
    return f"{caught.type.__name__}: {caught.value}"


@pytest.mark.parametrize("name", MISTAKES)
def test_message(name):
    assert message_of(name) == json.loads(FILE.read_text())[name]


if __name__ == "__main__":
    messages = {name: message_of(name) for name in MISTAKES}
    FILE.write_text(json.dumps(messages, indent=1, ensure_ascii=False) + "\n")
