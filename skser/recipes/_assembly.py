"""What all recipes share: named steps, and parameters that reach into them."""

from __future__ import annotations

from typing import Any

from sklearn.pipeline import Pipeline

from .._validation import did_you_mean
from ..augmentation import Augmenter
from ..classifier import CNNEmotionClassifier
from ..exceptions import ParameterError
from ..features import FeatureScaler, FeatureUnionExtractor
from ..loader import AudioLoader


def assemble(
    steps: dict[str, Any],
    /,  # so that `params` may have a whole step by its name
    *,
    random_state: Any = None,
    n_jobs: int | None = None,
    memory: Any = None,
    verbose: int = 0,
    **params: Any,
) -> Pipeline:
    """Put steps together, give each what it has of the shared parameters, then set ``params``."""
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


def assemble_network(
    load: AudioLoader,
    augment: Augmenter,
    features: FeatureUnionExtractor,
    classify: CNNEmotionClassifier,
    /,
    **params: Any,
) -> Pipeline:
    """The five steps from recordings to a network, with standardised features."""
    steps = {
        "load": load,
        "augment": augment,
        "features": features,
        "scale": FeatureScaler(),
        "classify": classify,
    }
    return assemble(steps, **params)


def trimmed_clips() -> AudioLoader:
    """The loader of the default and its halves: up to 5 s without silence at 30 dB."""
    return AudioLoader(duration=5.0, trim_db=30, pad=None)


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
