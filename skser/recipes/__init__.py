"""Recipes: whole pipelines, ready to fit on paths and labels.

`make_emotion_pipeline` is the default, a vote of `functionals` and `residual_network`. The others
stand in for published systems, each with its sampling rate, clips, features, augmentation, network
and training.
"""

from .default import make_emotion_pipeline
from .functionals import functionals
from .named import RECIPES, get_recipe
from .published import cnn_256, cnn_512, cnn_bilstm_attention, dense_195, mfcc_cnn
from .residual_network import residual_network

__all__ = [
    "RECIPES",
    "cnn_256",
    "cnn_512",
    "cnn_bilstm_attention",
    "dense_195",
    "functionals",
    "get_recipe",
    "make_emotion_pipeline",
    "mfcc_cnn",
    "residual_network",
]
