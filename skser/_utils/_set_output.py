"""Mixins that say which output of a step `set_output` makes a table."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from inspect import unwrap
from typing import Any, TypeVar

import numpy as np
from sklearn.base import OneToOneFeatureMixin, TransformerMixin

T = TypeVar("T", bound="ClipsTransformer")


class ClipsTransformer(TransformerMixin):
    """Mixin of transformers whose output is Clips, which have no columns."""

    def __init_subclass__(cls) -> None:
        super().__init_subclass__(auto_wrap_output_keys=None)

    def set_output(self: T, *, transform: str | None = None) -> T:
        """Accept a container for tables, as `Pipeline.set_output` passes it; Clips stay Clips.

        Parameters
        ----------
        transform : {"default", "pandas", "polars"} or None, default=None
            Ignored.

        Returns
        -------
        self : estimator
            This step, unchanged.
        """
        return self

    def get_feature_names_out(self, input_features: np.ndarray | None = None) -> np.ndarray | None:
        """Return the names of the inputs: clips have no columns.

        Parameters
        ----------
        input_features : array of str or None, default=None
            Names.

        Returns
        -------
        input_features : array of str or None
            The same names.
        """
        return input_features


class FeaturesTransformer(TransformerMixin):
    """Mixin of transformers of features: 2-D output can be a table, sequences and views cannot."""

    def __init_subclass__(cls) -> None:
        super().__init_subclass__()
        for name in ("transform", "fit_transform"):  # without scikit-learn's wrapper, with ours
            if hasattr(cls, name):
                setattr(cls, name, _table_if_2d(unwrap(getattr(cls, name))))


class _Container(TransformerMixin):
    """Its `transform` puts features into the container that an estimator is set to."""

    def transform(self, X: Any, features: np.ndarray) -> Any:
        return features


def _table_if_2d(method: Callable[..., Any]) -> Callable[..., Any]:
    @wraps(method)
    def transform(self: TransformerMixin, X: Any, *args: Any, **kwargs: Any) -> Any:
        features = method(self, X, *args, **kwargs)
        if len(features.shape) != 2:
            return features
        table = _Container.transform(self, X, features)
        # Views have no names, so a step that is fitted on views cannot know those of its input.
        if isinstance(self, OneToOneFeatureMixin) and hasattr(table, "columns"):
            table.columns = getattr(X, "columns", table.columns)
        return table

    return transform
