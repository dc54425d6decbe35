"""What all recipes share: five steps, and parameters that reach into them."""

from __future__ import annotations

from typing import Any

from sklearn.pipeline import Pipeline

from ..augmentation import Augmenter
from ..classifier import CNNEmotionClassifier
from ..exceptions import ParameterError
from ..features import FeatureScaler, FeatureUnionExtractor
from ..loader import AudioLoader


def assemble(
    load: AudioLoader,
    augment: Augmenter,
    features: FeatureUnionExtractor,
    classify: CNNEmotionClassifier,
    /,  # so that `params` may have a whole step by its name
    *,
    random_state: Any = None,
    n_jobs: int | None = None,
    memory: Any = None,
    verbose: int = 0,
    **params: Any,
) -> Pipeline:
    """Put the steps together, give them what concerns several of them, then set ``params``."""
    pipeline = Pipeline(
        [
            ("load", load),
            ("augment", augment.set_params(random_state=random_state)),
            ("features", features.set_params(n_jobs=n_jobs, memory=memory, verbose=verbose)),
            ("scale", FeatureScaler()),
            ("classify", classify.set_params(random_state=random_state, verbose=verbose)),
        ]
    )
    try:
        return pipeline.set_params(**params)
    except ValueError as error:
        raise ParameterError(str(error)) from None
