"""Tags of classifiers around another."""

from __future__ import annotations

from typing import Any

from sklearn.utils import get_tags


class InnerTagsMixin:
    """Takes the tags of input and classes from the ``estimator`` inside."""

    estimator: Any

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()  # type: ignore[misc]
        inner = get_tags(self.estimator)
        tags.input_tags = inner.input_tags
        tags.classifier_tags = inner.classifier_tags
        return tags
