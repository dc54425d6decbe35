"""Search spaces: functions from an Optuna trial to parameters of a pipeline.

Each suggests values for one step, by its name in the pipeline. `search_space` combines the spaces
of a pipeline's steps, and `combine` any spaces.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import optuna
from optuna.samplers import BaseSampler
from optuna.trial import BaseTrial
from sklearn.base import BaseEstimator, clone
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis

from .._utils._param_validation import check_value, one_of
from ..audio import AudioLoader
from ..augmentation import Augmenter
from ..classifiers import (
    CNNEmotionClassifier,
    SoftVotingClassifier,
    WeightedLinearDiscriminant,
)
from ..exceptions import ParameterError
from ..features import FeatureUnionExtractor
from ..recipes._assembly import set_or_explain
from ..recipes._steps import check_steps

__all__ = [
    "augmenter",
    "combine",
    "discriminant",
    "extractor",
    "loader",
    "network",
    "search_space",
    "vote_weights",
]

# From a trial to parameters of a pipeline.
Space = Callable[[BaseTrial], dict[str, Any]]

_N_DRAWS = 20
_SECTIONS = """

    Parameters
    ----------
    trial : optuna.trial.Trial
        Suggests the values.
    step : str, default={default!r}
        Name of the step in the pipeline.

    Returns
    -------
    params : dict
        For `set_params` of the pipeline.
"""


def _documented(function: Callable[..., dict[str, Any]]) -> Callable[..., dict[str, Any]]:
    """Append the sections that the spaces of a step have in common to a docstring."""
    default = inspect.signature(function).parameters["step"].default
    function.__doc__ = f"{function.__doc__}{_SECTIONS.format(default=default)}"
    return function


@_documented
def loader(trial: BaseTrial, step: str = "load") -> dict[str, Any]:
    """Sampling rate, length and trimming of an :class:`skser.AudioLoader`."""
    return {
        f"{step}__sr": trial.suggest_categorical(f"{step}__sr", [16000, 22050]),
        f"{step}__duration": trial.suggest_float(f"{step}__duration", 2.0, 5.0, step=0.5),
        f"{step}__trim_db": trial.suggest_categorical(f"{step}__trim_db", [None, 25, 30, 40]),
    }


@_documented
def augmenter(trial: BaseTrial, step: str = "augment") -> dict[str, Any]:
    """Number and strength of the views of an :class:`skser.Augmenter`.

    The suggested ``speed`` is the largest factor; the smallest is its inverse."""
    speed = trial.suggest_float(f"{step}__speed", 1.05, 1.3)
    noise = trial.suggest_categorical(f"{step}__noise", [False, True])
    return {
        f"{step}__n_views": trial.suggest_int(f"{step}__n_views", 2, 8),
        f"{step}__speed": (1 / speed, speed),
        f"{step}__noise": (15, 30) if noise else None,
    }


@_documented
def extractor(trial: BaseTrial, step: str = "features") -> dict[str, Any]:
    """Frames and derivatives of a :class:`skser.FeatureUnionExtractor`."""
    return {
        f"{step}__n_fft": trial.suggest_categorical(f"{step}__n_fft", [512, 1024, 2048]),
        f"{step}__hop_length": trial.suggest_categorical(f"{step}__hop_length", [160, 256, 320]),
        f"{step}__deltas": trial.suggest_int(f"{step}__deltas", 0, 2),
    }


@_documented
def network(trial: BaseTrial, step: str = "classify") -> dict[str, Any]:
    """Training of a :class:`skser.CNNEmotionClassifier` of any architecture."""
    return {
        f"{step}__learning_rate": trial.suggest_float(
            f"{step}__learning_rate", 3e-4, 1e-2, log=True
        ),
        f"{step}__batch_size": trial.suggest_categorical(f"{step}__batch_size", [8, 16, 32, 64]),
        f"{step}__weight_decay": trial.suggest_float(f"{step}__weight_decay", 1e-4, 0.1, log=True),
        f"{step}__network__dense_dropout": trial.suggest_float(
            f"{step}__network__dense_dropout", 0.0, 0.6
        ),
        f"{step}__label_smoothing": trial.suggest_float(f"{step}__label_smoothing", 0.0, 0.2),
        f"{step}__mixup": trial.suggest_float(f"{step}__mixup", 0.0, 0.4),
    }


@_documented
def discriminant(trial: BaseTrial, step: str = "classify__estimator") -> dict[str, Any]:
    """Shrinkage of a linear discriminant."""
    return {f"{step}__shrinkage": trial.suggest_float(f"{step}__shrinkage", 0.05, 0.95)}


def vote_weights(trial: BaseTrial, members: Sequence[str], step: str = "vote") -> dict[str, Any]:
    """Weights of a :class:`skser.classifiers.SoftVotingClassifier`.

    Parameters
    ----------
    trial : optuna.trial.Trial
        Suggests the values.
    members : sequence of str
        Names of the members. The first has weight 1, each other one from 0.1 to 10.
    step : str, default="vote"
        Name of the step in the pipeline.

    Returns
    -------
    params : dict
        For `set_params` of the pipeline.
    """
    weights = [
        trial.suggest_float(f"{step}__weights__{name}", 0.1, 10.0, log=True) for name in members[1:]
    ]
    return {f"{step}__weights": [1.0, *weights]}


_DEFAULTS: dict[str, dict[type, Callable[..., dict[str, Any]]]] = {
    "load": {AudioLoader: loader},
    "augment": {Augmenter: augmenter},
    "features": {FeatureUnionExtractor: extractor},
    "classify": {
        CNNEmotionClassifier: network,
        LinearDiscriminantAnalysis: discriminant,
        WeightedLinearDiscriminant: discriminant,
    },
    "vote": {},
}
PARTS = tuple(_DEFAULTS)


def search_space(pipeline: BaseEstimator, parts: Sequence[str] = ("classify", "vote")) -> Space:
    """Return the default search space of a pipeline.

    Parameters
    ----------
    pipeline : estimator
        Pipeline whose steps, nested ones included, are searched.
    parts : sequence of {"load", "augment", "features", "classify", "vote"}, \
            default=("classify", "vote")
        Parts of the pipeline. Values of the first three make a trial extract its own features.

    Returns
    -------
    space : callable
        ``space(trial) -> params``, for `set_params` of the pipeline.

    Raises
    ------
    ParameterError
        The pipeline has no step with a default space for one of the parts.

    Examples
    --------
    >>> import optuna
    >>> from skser import make_emotion_pipeline
    >>> from skser.tuning import search_space
    >>> space = search_space(make_emotion_pipeline(), ["vote"])
    >>> space(optuna.trial.FixedTrial({"vote__weights__network": 3.0}))
    {'vote__weights': [1.0, 3.0]}
    """
    spaces: list[Space] = []
    steps = pipeline.get_params() if hasattr(pipeline, "get_params") else {}
    for part in parts:
        check_value("parts", part, one_of(*PARTS))
        n_spaces = len(spaces)
        for name, step in steps.items():
            if part == "vote" and isinstance(step, SoftVotingClassifier):
                members = [member for member, _ in step.estimators]
                spaces.append(partial(vote_weights, members=members, step=name))
            spaces += [
                partial(function, step=name)
                for kind, function in _DEFAULTS[part].items()
                if isinstance(step, kind)
            ]
        if len(spaces) == n_spaces and part != "vote":
            kinds = " or ".join(kind.__name__ for kind in _DEFAULTS[part])
            raise ParameterError(
                f"parts must name parts of the pipeline, got {part!r}, but it has no {kinds}; "
                "write a function space(trial) for other steps"
            )
    if not spaces:
        raise ParameterError("parts must name at least one part that the pipeline has")
    return combine(*spaces)


def combine(*spaces: Space) -> Space:
    """Combine several spaces.

    Parameters
    ----------
    *spaces : callable
        Functions ``space(trial) -> params``.

    Returns
    -------
    space : callable
        Suggests the parameters of all; where two set the same parameter, the last one counts.

    Examples
    --------
    >>> import optuna
    >>> from skser.tuning import combine, spaces
    >>> def epochs(trial):
    ...     return {"classify__epochs": trial.suggest_int("classify__epochs", 20, 80)}
    >>> space = combine(spaces.discriminant, epochs)
    >>> values = {"classify__estimator__shrinkage": 0.5, "classify__epochs": 30}
    >>> space(optuna.trial.FixedTrial(values))
    {'classify__estimator__shrinkage': 0.5, 'classify__epochs': 30}
    """
    return partial(_suggest_all, spaces)


def _suggest_all(spaces: Sequence[Space], trial: BaseTrial) -> dict[str, Any]:
    return {name: value for space in spaces for name, value in space(trial).items()}


def check_space(space: Space, pipeline: BaseEstimator) -> None:
    """Raise ParameterError for a space that is empty or sets what a pipeline does not have."""
    if not callable(space):
        raise ParameterError(f"space must be a function space(trial), got {space!r}")
    study = silent_study(optuna.samplers.RandomSampler(seed=0))
    errors = []
    for _ in range(_N_DRAWS):  # to reach the branches of a conditional space
        trial = study.ask()
        params = space(trial)
        if not isinstance(params, dict):
            raise ParameterError(f"space must return a dict of parameters, got {params!r}")
        if not params or not trial.params:
            raise ParameterError("space must suggest at least one parameter, got none")
        candidate = set_or_explain(clone(pipeline), params)
        try:
            check_steps(candidate)
        except ParameterError as error:
            errors.append(error)
    if len(errors) == _N_DRAWS:  # otherwise the trials with bad combinations fail
        raise ParameterError(f"space must suggest what is allowed: {errors[0]}")


def silent_study(sampler: BaseSampler | None = None) -> optuna.Study:
    """Create a study in memory that maximises, without Optuna's log message."""
    verbosity = optuna.logging.get_verbosity()
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    try:
        return optuna.create_study(direction="maximize", sampler=sampler)
    finally:
        optuna.logging.set_verbosity(verbosity)
