"""Recipes by name, as the command line and the benchmarks ask for them."""

from __future__ import annotations

from collections.abc import Callable

from sklearn.pipeline import Pipeline

from .._utils._param_validation import did_you_mean
from ..exceptions import ParameterError
from .default import make_emotion_pipeline
from .functionals import functionals
from .published import cnn_256, cnn_512, cnn_bilstm_attention, dense_195, mfcc_cnn
from .residual_network import residual_network

RECIPES: dict[str, Callable[..., Pipeline]] = {
    "default": make_emotion_pipeline,
    "functionals": functionals,
    "residual_network": residual_network,
    "mfcc_cnn": mfcc_cnn,
    "cnn_512": cnn_512,
    "cnn_bilstm_attention": cnn_bilstm_attention,
    "dense_195": dense_195,
    "cnn_256": cnn_256,
}


def get_recipe(name: str) -> Callable[..., Pipeline]:
    """Find the recipe of a name.

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
