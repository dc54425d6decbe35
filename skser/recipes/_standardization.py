"""Standardisation of whole pipelines: by corpus, by speaker, or by the tested recordings."""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

import numpy as np
from sklearn import config_context
from sklearn.base import BaseEstimator, clone, is_classifier
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.utils.metadata_routing import get_routing_for_object
from sklearn.utils.validation import has_fit_parameter

from .._utils._types import Recordings
from ..classifiers import AugmentedClassifier, BlockVotingClassifier, CNNEmotionClassifier
from ..exceptions import ParameterError
from ..features import AugmentedFeatures, FeatureScaler, FeatureStore, SpeakerNormalizer
from ._steps import steps_of, walk

SCALERS = (FeatureScaler, StandardScaler, SpeakerNormalizer)
# With these, a SpeakerNormalizer needs no speakers to transform.
ANY_SPEAKER = {"n_calibration": None, "transductive": False, "unknown": "average"}


def standardize_by_corpus(pipeline: Pipeline) -> Pipeline:
    """Make a pipeline standardise each of several corpora by itself.

    Every scaler becomes a :class:`skser.SpeakerNormalizer` that standardises the clips of each
    corpus by its training clips, so that neither rooms nor languages look like emotions. Clips of a
    new corpus, or of an unknown one, are standardised by the mean statistics of all corpora.
    Classifiers that take ``sample_weight`` request it.

    :func:`skser.evaluate`, :func:`skser.cross_corpus` and ``skser train`` pass the corpora, as the
    metadata ``domains``, and weights that make all corpora count alike. To do so yourself, enable
    scikit-learn's metadata routing and pass ``domains`` and ``sample_weight`` to `fit`.

    Parameters
    ----------
    pipeline : Pipeline
        A recipe, or a pipeline with a scaler; it is cloned, not changed.

    Returns
    -------
    pipeline : Pipeline
        Unfitted.

    Raises
    ------
    ParameterError
        The pipeline has no scaler.

    Examples
    --------
    >>> from skser.recipes import functionals, standardize_by_corpus
    >>> standardize_by_corpus(functionals())["scale"]
    SpeakerNormalizer(unknown='average')
    """
    pipeline = clone(pipeline)
    with config_context(enable_metadata_routing=True):
        normalizer = SpeakerNormalizer(unknown="average")
        normalizer.set_fit_request(groups="domains").set_transform_request(groups="domains")
        replace_scalers(pipeline, lambda: clone(normalizer))
        for step in _routed_steps(pipeline):
            if has_fit_parameter(step, "sample_weight"):
                step.set_fit_request(sample_weight=_is_weighted(step))
            if isinstance(step, FeatureStore):
                step.set_fit_request(domains=True)
    return pipeline


def keep_features(pipeline: Pipeline) -> Pipeline:
    """Let a pipeline keep its training features, so that :func:`skser.adapt` can use them.

    Parameters
    ----------
    pipeline : Pipeline
        A pipeline with a scaler among its own steps; it is cloned, not changed.

    Returns
    -------
    pipeline : Pipeline
        Unfitted, with a step ``keep`` (:class:`skser.features.FeatureStore`) before the scaler.

    Raises
    ------
    ParameterError
        None of the steps is a scaler, or the last one is a network.

    Examples
    --------
    >>> from skser.recipes import functionals, keep_features
    >>> [name for name, _ in keep_features(functionals()).steps]
    ['load', 'augment', 'features', 'keep', 'scale', 'classify']
    """
    pipeline = clone(pipeline)
    if isinstance(pipeline.steps[-1][1], CNNEmotionClassifier):
        raise ParameterError(
            "pipeline must not end in a network to keep features, got a CNNEmotionClassifier, "
            "which skser.adapt continues from its weights"
        )
    places = [i for i, (_, step) in enumerate(pipeline.steps) if isinstance(step, SCALERS)]
    if not places:
        names = ", ".join(name for name, _ in pipeline.steps)
        raise ParameterError(
            f"pipeline must have a scaler among its own steps to keep features, got {names}"
        )
    store = FeatureStore()
    with config_context(enable_metadata_routing=True):
        store.set_fit_request(domains=is_standardized_by_corpus(pipeline))
    pipeline.steps.insert(places[0], ("keep", store))
    return pipeline


def standardize_by_speaker(pipeline: Pipeline) -> Pipeline:
    """A clone whose scalers standardise each speaker over all their clips, test clips too."""
    pipeline = clone(pipeline)
    replace_scalers(pipeline, lambda: SpeakerNormalizer(transductive=True))
    return pipeline


def is_standardized_by_corpus(pipeline: object) -> bool:
    """Whether a step standardises each corpus by itself."""
    return any(
        isinstance(step, SpeakerNormalizer) and is_by_corpus(step) for step in steps_of(pipeline)
    )


def is_by_corpus(normalizer: SpeakerNormalizer) -> bool:
    """Whether a normalizer gets corpora in the place of speakers."""
    return get_routing_for_object(normalizer).fit.requests.get("groups") == "domains"


def replace_scalers(pipeline: Pipeline, make: Callable[[], BaseEstimator]) -> None:
    """Put a new step in the place of each scaler; ParameterError if there is none."""
    owners = [step for step in _routed_steps(pipeline) if isinstance(step, Pipeline)]
    found = [
        (owner, name) for owner in owners for name, step in owner.steps if isinstance(step, SCALERS)
    ]
    if not found:
        raise ParameterError(
            "pipeline must have a scaler, such as FeatureScaler, to be replaced by one for corpora "
            "or speakers, got none"
        )
    for owner, name in found:
        owner.set_params(**{name: make()})


def _routed_steps(pipeline: Pipeline) -> list[Any]:
    """The steps that metadata can reach, which are not those within an AugmentedClassifier."""
    steps = steps_of(pipeline)
    wrappers = [step for step in steps if isinstance(step, AugmentedClassifier)]
    within = {id(inner) for wrapper in wrappers for inner in steps_of(wrapper.estimator)}
    return [step for step in steps if id(step) not in within]


def standardize_on(pipeline: BaseEstimator, recordings: Recordings) -> BaseEstimator:
    """A copy of a fitted pipeline whose scalers have the statistics of some recordings.

    No labels are needed. The copy shares all other fitted steps, such as networks.
    """
    adapted = copied(pipeline)
    with config_context(enable_metadata_routing=False):
        for before, step in walk(adapted):
            if _is_fitted_scaler(step):
                _standardize(step, Pipeline(before).transform(recordings) if before else recordings)
    return adapted


def has_scaler(pipeline: BaseEstimator) -> bool:
    """Whether `standardize_on` changes a fitted pipeline."""
    return any(map(_is_fitted_scaler, steps_of(pipeline)))


def copied(pipeline: BaseEstimator) -> Any:
    """A copy of a fitted pipeline with steps of its own, which share their fitted state."""
    inner = {id(step): step for _, step in walk(pipeline) if not _has_steps(step)}
    return copy.deepcopy(pipeline, {key: copy.copy(step) for key, step in inner.items()})


def _is_fitted_scaler(step: object) -> bool:
    # A vote also holds the unfitted members that it was made of.
    return isinstance(step, SCALERS) and hasattr(step, "n_features_in_")


def _has_steps(step: object) -> bool:
    names = ("steps", "estimators", "transformer_list", "transformers", "estimator")
    return any(hasattr(step, name) for name in names)


def _standardize(scaler: Any, features: Any) -> None:
    """Fit a scaler of a fitted pipeline again, to all features as those of one group."""
    if isinstance(scaler, SpeakerNormalizer):
        scaler.set_params(**ANY_SPEAKER).fit(features, groups=np.zeros(len(features)))
    elif isinstance(scaler, StandardScaler) and isinstance(features, AugmentedFeatures):
        scaler.fit(features.flatten())  # of a classifier within AugmentedClassifier
    else:
        scaler.fit(features)


def _is_weighted(step: Any) -> bool:
    """Whether a step is a classifier whose fit uses ``sample_weight``."""
    inner = step
    while isinstance(inner, (AugmentedClassifier, BlockVotingClassifier)):
        inner = inner.estimator
    return is_classifier(step) and has_fit_parameter(inner, "sample_weight")
