"""What all recipes share: named steps, and parameters that reach into them."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any

from sklearn.pipeline import Pipeline

from .._utils._param_validation import did_you_mean
from ..audio import AudioLoader
from ..augmentation import Augmenter
from ..exceptions import ParameterError
from ..features import FeatureScaler, FeatureUnionExtractor

_SHARED = """\
Parameters
----------
**params : dict
    As in :func:`skser.make_emotion_pipeline`: ``random_state``, ``n_jobs``, ``memory``,
    ``verbose``, and parameters of the steps, such as ``load__duration=2.5``, or whole steps.

Returns
-------
pipeline : sklearn.pipeline.Pipeline
    Unfitted, with steps ``load``, ``augment``, ``features``, ``scale`` and ``classify``.

Raises
------
ParameterError
    There is no such parameter.
"""


def documented(recipe: Callable[..., Pipeline]) -> Callable[..., Pipeline]:
    """Put the sections that all recipes share into a docstring, at ``{shared}``."""
    recipe.__doc__ = inspect.cleandoc(recipe.__doc__ or "").replace("{shared}\n", _SHARED)
    return recipe


def assemble(
    load: AudioLoader,
    augment: Augmenter,
    features: FeatureUnionExtractor,
    classify: Any,
    /,  # so that `params` may have a whole step by its name
    *,
    random_state: Any = None,
    n_jobs: int | None = None,
    memory: Any = None,
    verbose: int = 0,
    **params: Any,
) -> Pipeline:
    """The five steps from recordings to emotions, with standardised features.

    Each step gets what it has of the shared parameters, and then what ``params`` says.
    """
    steps = {
        "load": load,
        "augment": augment,
        "features": features,
        "scale": FeatureScaler(),
        "classify": classify,
    }
    shared = {
        "random_state": random_state,
        "n_jobs": n_jobs,
        "memory": memory,
        "verbose": verbose,
    }
    for step in steps.values():
        own = step.get_params(deep=False)
        step.set_params(**{name: value for name, value in shared.items() if name in own})
    return set_or_explain(Pipeline(list(steps.items())), params)


def trimmed_clips() -> AudioLoader:
    """The loader of the default and its halves: up to 5 s without silence at 30 dB."""
    return AudioLoader(duration=5.0, trim_db=30, pad=None)


def other_speeds() -> Augmenter:
    """The views of the default and its halves: seven, up to three semitones down and up."""
    return Augmenter(
        n_views=8, speed=(0.84, 1.19), noise=None, pitch=None, stretch=None, shift=None
    )


def set_or_explain(pipeline: Pipeline, params: dict[str, Any]) -> Pipeline:
    """Set parameters of steps; ParameterError names the one that there is not, and a likely one."""
    try:
        return pipeline.set_params(**params)
    except ValueError as error:
        names = pipeline.get_params()
        for name in params:
            if name not in names:
                deeper = [known for known in names if known.endswith(f"__{name}")]
                hint = f"; did you mean {deeper[0]!r}?" if deeper else did_you_mean(name, names)
                raise ParameterError(f"there is no parameter {name!r}{hint}") from None
        raise ParameterError(str(error)) from None
