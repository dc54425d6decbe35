"""
A network of your own
=====================

Write a function that builds a Keras model, and it becomes a scikit-learn classifier, with the
training, the recipes and the pictures of skser.
"""

# %%
# A function that builds
# ----------------------
#
# It takes `meta`, with the shape of a clip and the number of classes, and returns a model that
# ends in their probabilities. Other arguments become parameters, with the prefix `network__`.
# This one stacks convolutions over time, each of which looks twice as far as the one before [1]_.
import keras
from keras import layers


def dilated(meta, filters=32, n_layers=4, dropout=0.2):
    """Build dilated convolutions with shortcuts, and the mean and maximum over time."""
    inputs = keras.Input(meta.input_shape)
    x = layers.Conv1D(filters, 1)(inputs)
    for i in range(n_layers):
        y = layers.Conv1D(filters, 3, padding="same", dilation_rate=2**i, activation="relu")(x)
        x = layers.Add()([x, layers.SpatialDropout1D(dropout)(y)])
        x = layers.LayerNormalization()(x)
    x = layers.Concatenate()([layers.GlobalAveragePooling1D()(x), layers.GlobalMaxPooling1D()(x)])
    return keras.Model(inputs, layers.Dense(meta.n_classes, activation="softmax")(x))


# %%
# In a recipe
# -----------
#
# :func:`~skser.recipes.residual_network` turns recordings into sequences of log-mel bands. Its
# last step, a :class:`~skser.CNNEmotionClassifier`, takes the function as `architecture`. The
# number of epochs is small, to keep this page quick.
from skser.recipes import residual_network

pipeline = residual_network(
    load__duration=2.0,
    augment__n_views=2,
    classify__architecture=dilated,
    classify__network__filters=24,
    classify__epochs=40,
    classify__validation_fraction=0.25,
    random_state=0,
)

# %%
# Train it
# --------
#
# The speech is synthetic: put a corpus from a loader in :mod:`skser.datasets` in its place. With
# metadata routing, `groups` reaches the classifier, which then computes the validation loss on
# speakers that it is not trained on.
import tempfile

import sklearn

from skser.datasets import make_emotional_speech
from skser.plotting import TrainingCurvesDisplay

folder = tempfile.TemporaryDirectory()
emotions = ["angry", "fear", "happy", "sad"]
speech = make_emotional_speech(
    folder.name, n_speakers=8, emotions=emotions, n_takes=1, random_state=0
)
with sklearn.config_context(enable_metadata_routing=True):
    pipeline.fit(speech.paths, speech.target, groups=speech.groups)
TrainingCurvesDisplay.from_estimator(pipeline)

# %%
# The Keras model, for anything that Keras does:
pipeline["classify"].model_.summary()

# %%
# See what it uses
# ----------------
#
# A saliency map works with any network of sequences: red is evidence for the emotion, blue
# against it.
from skser.plotting import SaliencyDisplay

sad = speech.paths[speech.target == "sad"][-1]
SaliencyDisplay.from_estimator(pipeline, sad)

# %%
# Compare it with others before you keep it: `architecture` is a parameter like any other, so
# `{"classify__architecture": [dilated, "resnet"]}` is a grid for a search.
folder.cleanup()

# %%
# Where to go next
# ----------------
#
# - :doc:`/user_guide/network`: augmentation during training, schedules, custom layers, GPUs
# - :ref:`sphx_glr_auto_examples_plot_compare_pipelines.py`: is it better, or was it lucky?
# - :ref:`sphx_glr_auto_examples_plot_tuning.py`: choose its parameters with Optuna
#
# References
# ----------
#
# .. [1] A. van den Oord et al., "WaveNet: a generative model for raw audio",
#    arXiv:1609.03499, 2016.
