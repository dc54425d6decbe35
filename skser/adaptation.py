"""adapt: a fitted pipeline learns from a few labelled recordings of a new voice or room."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike
from sklearn import config_context
from sklearn.base import clone
from sklearn.pipeline import Pipeline
from sklearn.utils import Bunch
from sklearn.utils.class_weight import compute_sample_weight

from ._utils._labels import all_classes
from ._utils._param_validation import NONE, check_is_fitted, check_value, did_you_mean, number
from ._utils._types import Recordings
from .augmentation import Augmenter
from .calibration import TemperatureScaledClassifier
from .classifiers import CNNEmotionClassifier
from .evaluation._corpus import Corpus, read_corpus
from .evaluation._fitted_fold import consumed
from .exceptions import ParameterError, SkserWarning
from .features import AugmentedFeatures, FeatureStore, SpeakerNormalizer
from .features._checks import check_features
from .recipes._standardization import copied, is_by_corpus, standardize_by_corpus
from .recipes._steps import steps_of

__all__ = ["adapt"]

# Names that no corpus has: of the new recordings, and of the others if they are of a single corpus.
_ADAPTED, _TRAINED = "<adapted>", "<trained>"
# Found with 4 to 32 clips of three corpora: benchmarks/adaptation.py.
_PRIOR_CLIPS, _MIN_SHARE = 8, 0.1
# A network that goes on at its first rate would forget what it has learned.
_RATE_FACTOR = 0.1


def adapt(
    pipeline: Pipeline | TemperatureScaledClassifier,
    X: Bunch | Recordings | ArrayLike,
    y: ArrayLike | None = None,
    *,
    groups: ArrayLike | None = None,
    share: float | None = None,
) -> Pipeline:
    """Fit a pipeline again, on what it was trained on and on a few labelled recordings.

    In a pipeline that keeps its training features (:func:`skser.recipes.keep_features`), the steps
    after these are fitted again. The new recordings are a corpus of their own, with a ``share`` of
    the weight. They are standardised by their own statistics, in which the average of all corpora
    counts as 8 clips, and so is all that the adapted pipeline predicts. A pipeline that ends in a
    :class:`skser.CNNEmotionClassifier` is trained further, on the new recordings only, at a
    tenth of its learning rate.

    Parameters
    ----------
    pipeline : Pipeline or TemperatureScaledClassifier
        A fitted pipeline; it is not changed.
    X : Bunch, sequence of recordings, or features of shape (n_clips, n_features)
        New recordings, or their features, as in :func:`skser.evaluate`.
    y : array of shape (n_clips,) or None, default=None
        Labels; None for a Bunch, which has them. They may be new to the pipeline.
    groups : array of shape (n_clips,) or None, default=None
        Speakers; None if they are not known.
    share : float or None, default=None
        Share of the weight that the new recordings have, in (0, 1), if training features are kept.
        None is their share of all recordings, but at least 0.1. Corpora of before share the rest
        alike.

    Returns
    -------
    pipeline : Pipeline
        The adapted pipeline. It is not calibrated. Adapted again, it takes the new recordings of
        all adaptations as one corpus.

    Raises
    ------
    NotFittedError
        The pipeline is not fitted.
    ParameterError
        The pipeline neither keeps training features nor ends in a network, standardises by
        speaker, or has a classifier without ``sample_weight``; or ``share`` has an invalid value.
    DataError
        Recordings, labels and speakers do not belong together, there is a single label, or labels
        are of another type than those of the pipeline.
    AudioError
        A recording is unusable.

    Warns
    -----
    SkserWarning
        A label is new to the pipeline.

    See Also
    --------
    skser.predict_table : With ``adapt=True``, adapts to recordings without labels.

    Examples
    --------
    >>> from skser import adapt
    >>> from skser.datasets import make_emotional_speech
    >>> from skser.recipes import functionals, keep_features
    >>> size = {"n_speakers": 2, "emotions": ["angry", "sad"], "n_takes": 1}
    >>> known, own = (make_emotional_speech(**size, random_state=i) for i in (0, 1))
    >>> pipeline = keep_features(functionals(features__blocks=["rms", "zcr"]))
    >>> pipeline = pipeline.fit(known.waveforms, known.target)
    >>> adapted = adapt(pipeline, own.waveforms[:4], own.target[:4])
    >>> adapted.predict(own.waveforms).shape
    (12,)
    """
    check_value("share", share, number(0, 1, open_low=True, open_high=True), NONE)
    check_is_fitted(pipeline, "classes_")
    is_calibrated = isinstance(pipeline, TemperatureScaledClassifier)
    adapted = copied(pipeline.estimator_ if is_calibrated else pipeline)
    place = _place_of_store(adapted)
    for step in steps_of(adapted):
        if isinstance(step, SpeakerNormalizer) and not is_by_corpus(step):
            raise ParameterError(
                "pipeline must not standardise by speaker to be adapted, got a SpeakerNormalizer; "
                "train it with a FeatureScaler or skser.recipes.standardize_by_corpus"
            )
    corpus = read_corpus(X, y, groups, pipeline=adapted)
    all_classes(adapted.classes_, corpus.target)
    _warn_of_new_labels(adapted.classes_.tolist(), corpus.target)
    if place is None:
        return _continue(adapted, corpus)
    return _fit_again(adapted, place, corpus, share)


def _warn_of_new_labels(known: list[Any], labels: np.ndarray) -> None:
    """Warn of labels that the pipeline has not, which may be misspelt."""
    names = list(map(str, known))
    for label, n in zip(*np.unique(labels, return_counts=True), strict=True):
        if str(label) not in names:
            warnings.warn(
                f"label {str(label)!r} of {n} recordings is new to the pipeline, which has "
                f"{', '.join(names)}{did_you_mean(str(label), names)}",
                SkserWarning,
                stacklevel=3,
            )


def _place_of_store(pipeline: Any) -> int | None:
    """The index of the FeatureStore; None for a pipeline that ends in a network instead."""
    steps = [step for _, step in pipeline.steps] if isinstance(pipeline, Pipeline) else [pipeline]
    for i, step in enumerate(steps):
        if isinstance(step, FeatureStore):
            return i
    if len(steps) > 1 and isinstance(steps[-1], CNNEmotionClassifier):
        return None
    raise ParameterError(
        "pipeline must keep its training features (skser.recipes.keep_features, or `skser train "
        "--keep-features`) or end in a CNNEmotionClassifier to be adapted, got one that ends in "
        f"{type(steps[-1]).__name__}"
    )


def _fit_again(pipeline: Pipeline, place: int, corpus: Corpus, share: float | None) -> Pipeline:
    """Fit the FeatureStore at ``place`` and the steps after it on its features and on new ones."""
    name, store = pipeline.steps[place]
    before, after = pipeline.steps[:place], pipeline.steps[place + 1 :]
    tail = standardize_by_corpus(Pipeline(after))
    if "sample_weight" not in consumed(tail, "fit", ["sample_weight"]):
        raise ParameterError(
            "pipeline must end in a classifier that takes sample_weight, such as "
            f"WeightedLinearDiscriminant, to be adapted, got {type(after[-1][1]).__name__}"
        )
    new = _features(before, corpus.clips, store)
    everything = _as_given(np.concatenate([store.features_, new]), store)
    # From lists, the labels have one type, long enough for all words.
    labels = np.array([*store.labels_.tolist(), *corpus.target.tolist()])
    known = np.full(len(store.labels_), _TRAINED) if store.domains_ is None else store.domains_
    domains = np.concatenate([known, np.full(len(new), _ADAPTED)])
    for step in steps_of(tail):
        if isinstance(step, SpeakerNormalizer):
            step.set_params(prior_clips=_PRIOR_CLIPS)
    kept = clone(store).fit(everything, labels, domains=domains)
    with config_context(enable_metadata_routing=True):
        features = kept.transform(everything)
        tail.fit(features, labels, domains=domains, sample_weight=_weights(domains, share))
    for step in steps_of(tail):
        if isinstance(step, SpeakerNormalizer) and hasattr(step, "statistics_"):
            # What the adapted pipeline predicts is standardised as the new recordings.
            step.statistics_ = {_ADAPTED: step.statistics_[_ADAPTED]}
    return Pipeline([*before, (name, kept), *tail.steps])


def _weights(domains: np.ndarray, share: float | None) -> np.ndarray:
    """Weights of mean 1: new clips have a ``share``, other domains the same part of the rest."""
    is_new = domains == _ADAPTED
    share = max(_MIN_SHARE, float(is_new.mean())) if share is None else share
    weight = np.empty(len(domains))
    weight[is_new] = share / is_new.sum()
    rest = compute_sample_weight("balanced", domains[~is_new])
    weight[~is_new] = (1 - share) * rest / rest.sum()
    return weight * len(domains)


def _continue(pipeline: Pipeline, corpus: Corpus) -> Pipeline:
    """Train the network at the end on new recordings, from its weights on."""
    network = pipeline.steps[-1][1]
    # A few recordings are too few to hold some of them out.
    changes = {"warm_start": True, "validation_fraction": 0.0, "early_stopping": None}
    changes["learning_rate"] = _RATE_FACTOR * network.learning_rate
    params = {name: getattr(network, name) for name in changes}
    features = _as_given(_features(pipeline.steps[:-1], corpus.clips, network), network)
    network.set_params(**changes)
    network.fit(features, corpus.target)
    network.set_params(**params)
    return pipeline


def _features(steps: list[tuple[str, Any]], clips: np.ndarray, following: Any) -> np.ndarray:
    """Features (n_clips, n_views, ...) of recordings from fitted steps, with views as in fit.

    They must be those that the ``following`` step was fitted on.
    """
    X: Any = clips
    for _, step in steps:
        X = step.fit_transform(X) if isinstance(step, Augmenter) else step.transform(X)
    values = np.asarray(check_features(following, X, reset=False))
    return values if isinstance(X, AugmentedFeatures) else values[:, np.newaxis]


def _as_given(values: np.ndarray, step: Any) -> np.ndarray | pd.DataFrame | AugmentedFeatures:
    """Features (n_clips, n_views, ...) in the form that a step was fitted on."""
    if values.shape[1] > 1:
        return AugmentedFeatures(values)
    names = getattr(step, "feature_names_in_", None)
    return values[:, 0] if names is None else pd.DataFrame(values[:, 0], columns=names)
