"""Recipes: pipelines ready to fit on paths and labels.

`make_emotion_pipeline` is the default, a vote of `functionals` and `residual_network`. `whisper`
has a pre-trained encoder. The others reimplement published systems.
"""

from __future__ import annotations

from collections.abc import Callable

from sklearn.pipeline import Pipeline

from .._utils._param_validation import did_you_mean
from ..exceptions import ParameterError
from ._standardization import keep_features, standardize_by_corpus
from .default import functionals, make_emotion_pipeline, residual_network
from .published import cnn_256, cnn_512, cnn_bilstm_attention, dense_195, mfcc_cnn
from .whisper import whisper

__all__ = [
    "RECIPES",
    "cnn_256",
    "cnn_512",
    "cnn_bilstm_attention",
    "dense_195",
    "functionals",
    "get_recipe",
    "keep_features",
    "make_emotion_pipeline",
    "mfcc_cnn",
    "residual_network",
    "standardize_by_corpus",
    "whisper",
]

_MEMBERS = (functionals, residual_network)
_PUBLISHED = (mfcc_cnn, cnn_512, cnn_bilstm_attention, dense_195, cnn_256)
RECIPES: dict[str, Callable[..., Pipeline]] = {
    "default": make_emotion_pipeline,
    **{recipe.__name__: recipe for recipe in (whisper, *_MEMBERS, *_PUBLISHED)},
}


def get_recipe(name: str) -> Callable[..., Pipeline]:
    """Get a recipe by its name.

    Parameters
    ----------
    name : str
        ``"default"`` or the name of a function of this module, such as ``"dense_195"``.

    Returns
    -------
    recipe : callable
        A function ``(**params) -> Pipeline``.

    Raises
    ------
    ParameterError
        There is no such recipe.

    Examples
    --------
    >>> from skser.recipes import get_recipe
    >>> get_recipe("dense_195")(random_state=0).steps[-1][0]
    'classify'
    """
    if name not in RECIPES:
        raise ParameterError(
            f"recipe must be one of {', '.join(RECIPES)}, got {name!r}{did_you_mean(name, RECIPES)}"
        )
    return RECIPES[name]
