"""Assembly of the steps of a recipe, and parameters that reach into them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from sklearn.base import BaseEstimator

from .._utils._docstrings import fill_in
from .._utils._param_validation import did_you_mean
from ..audio import AudioLoader
from ..augmentation import Augmenter
from ..exceptions import ParameterError
from ..features import FeatureScaler
from ..features.extraction._extractor import ClipsExtractor
from ._pipeline import Pipeline
from ._steps import set_everywhere

SHARED_PARAMS = ("random_state", "n_jobs", "memory", "verbose")
_SHARED = """\
Parameters
----------
**params : dict
    As in :func:`skser.make_emotion_pipeline`: ``random_state``, ``n_jobs``, ``memory``,
    ``verbose``, and parameters of the steps, such as ``load__duration=2.5``, or steps themselves.

Returns
-------
pipeline : sklearn.pipeline.Pipeline
    Unfitted, with steps ``load``, ``augment``, ``features``, ``scale`` and ``classify``.

Raises
------
ParameterError
    There is no such parameter.
"""


# Replaces {shared} in a docstring by the sections that all recipes share.
documented = fill_in(shared=_SHARED)


def assemble(
    load: AudioLoader,
    augment: Augmenter,
    features: ClipsExtractor,
    classify: BaseEstimator,
    /,  # so that `params` may replace a step by its name
    **params: object,
) -> Pipeline:
    """The pipeline from recordings to emotions, with standardised features."""
    pipeline = Pipeline(
        [
            ("load", load),
            ("augment", augment),
            ("features", features),
            ("scale", FeatureScaler()),
            ("classify", classify),
        ]
    )
    shared = {name: params.pop(name) for name in SHARED_PARAMS if name in params}
    return set_or_explain(set_everywhere(pipeline, **shared), params, SHARED_PARAMS)


def set_or_explain(
    pipeline: Pipeline, params: Mapping[str, object], shared: Iterable[str] = ()
) -> Pipeline:
    """Set parameters of steps; ParameterError suggests a name, or a shared one, for an unknown."""
    try:
        return pipeline.set_params(**params)
    except ValueError as error:
        names = pipeline.get_params()
        for name in params:
            if name not in names:
                nested = [known for known in names if known.endswith(f"__{name}")]
                similar = did_you_mean(name, [*shared, *names])
                hint = f"; did you mean {nested[0]!r}?" if nested else similar
                raise ParameterError(f"there is no parameter {name!r}{hint}") from None
        raise ParameterError(str(error)) from None
