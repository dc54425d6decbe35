"""make_emotion_pipeline: the default recipe, a vote of a network and a linear discriminant."""

from __future__ import annotations

from typing import Any

from sklearn.pipeline import Pipeline

from ..classifiers import SoftVotingClassifier
from ._assembly import set_or_explain
from .functionals import functionals
from .residual_network import residual_network


def make_emotion_pipeline(
    *,
    random_state: Any = None,
    n_jobs: int | None = None,
    memory: Any = None,
    verbose: int = 0,
    **params: Any,
) -> Pipeline:
    """Make the default pipeline from recordings to emotions.

    Two pipelines see the same clips and views, and their probabilities are averaged:
    :func:`skser.recipes.functionals` (a linear discriminant on statistics of many features, weight
    0.3) and :func:`skser.recipes.residual_network` (a network on log-mel bands, weight 0.7). They
    err on different clips. On RAVDESS and EmoDB they are better together than either alone.

    Parameters
    ----------
    random_state : int, RandomState instance or None, default=None
        Seed of the augmentation and of the network.
    n_jobs : int or None, default=None
        Processes that extract features.
    memory : str, path, joblib.Memory or None, default=None
        Folder in which features are kept for each clip.
    verbose : int, default=0
        1 shows progress bars.
    **params : dict
        Parameters of the steps ``load``, ``augment`` and ``vote``, such as ``load__duration=2.5``
        and ``vote__network__classify__epochs=30``, or whole steps.

    Returns
    -------
    pipeline : sklearn.pipeline.Pipeline
        Unfitted, with steps ``load`` (:class:`AudioLoader`), ``augment`` (:class:`Augmenter`) and
        ``vote`` (:class:`skser.classifiers.SoftVotingClassifier` of ``functionals`` and
        ``network``).

    Raises
    ------
    ParameterError
        There is no such parameter.

    Examples
    --------
    >>> from skser import make_emotion_pipeline
    >>> pipeline = make_emotion_pipeline(load__duration=2.5, random_state=0)
    >>> [name for name, _ in pipeline["vote"].estimators]
    ['functionals', 'network']
    >>> [name for name, _ in pipeline["vote"].named_estimators["network"].steps]
    ['features', 'scale', 'classify']
    """
    shared = {
        "random_state": random_state,
        "n_jobs": n_jobs,
        "memory": memory,
        "verbose": verbose,
    }
    network = residual_network(**shared)
    # The quick one first: what is wrong with recordings or labels shows before the long work.
    members = [("functionals", functionals(**shared)[2:]), ("network", network[2:])]
    # Chosen on validation speakers; .2 to .4 for the functionals score alike.
    vote = SoftVotingClassifier(members, weights=[0.3, 0.7])
    return set_or_explain(Pipeline([*network.steps[:2], ("vote", vote)]), params)
