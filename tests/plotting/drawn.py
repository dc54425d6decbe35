"""Texts of axes, and labels to draw."""

import numpy as np

TRUTH = np.array(["angry", "angry", "calm", "calm", "sad"])
PREDICTED = np.array(["angry", "calm", "calm", "calm", "angry"])


def texts(ax):
    return [text.get_text() for text in ax.texts]


def labels(axis):
    return [label.get_text() for label in axis.get_ticklabels()]
