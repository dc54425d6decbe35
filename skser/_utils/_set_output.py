"""Mixins for `set_output`: which output of a step becomes a table."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from inspect import unwrap
from typing import Any, Literal, TypeVar

import numpy as np
from sklearn.base import OneToOneFeatureMixin, TransformerMixin

T = TypeVar("T", bound="ClipsTransformer")


class ClipsTransformer(TransformerMixin):
    """Mixin of transformers that return Clips."""

    def __init_subclass__(cls) -> None:
        super().__init_subclass__(auto_wrap_output_keys=None)

    def set_output(
        self: T, *, transform: Literal["default", "pandas", "polars"] | None = None
    ) -> T:
        """Do nothing, because Clips are not tables; `Pipeline.set_output` needs it.

        Parameters
        ----------
        transform : {"default", "pandas", "polars"} or None, default=None
            Ignored.

        Returns
        -------
        self : estimator
            The step itself.
        """
        return self

    def get_feature_names_out(self, input_features: np.ndarray | None = None) -> np.ndarray | None:
        """Return the input names, because Clips have no columns.

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
    """Mixin of transformers that return features, of which only 2-D arrays become tables."""

    def __init_subclass__(cls) -> None:
        super().__init_subclass__()
        for name in ("transform", "fit_transform"):  # replace scikit-learn's wrapper
            if hasattr(cls, name):
                setattr(cls, name, _table_if_2d(unwrap(getattr(cls, name))))


class _Container(TransformerMixin):
    """`_Container.transform(estimator, X, features)` applies the estimator's `set_output`."""

    def transform(self, X: object, features: np.ndarray) -> np.ndarray:
        return features


def _table_if_2d(method: Callable[..., Any]) -> Callable[..., Any]:
    @wraps(method)
    def transform(self: TransformerMixin, X: object, *args: object, **kwargs: object) -> Any:
        features = method(self, X, *args, **kwargs)
        if len(features.shape) != 2:
            return features
        table = _Container.transform(self, X, features)
        # A step fitted on views, which have no names, does not know its input's names.
        if isinstance(self, OneToOneFeatureMixin) and hasattr(table, "columns"):
            table.columns = getattr(X, "columns", table.columns)
        return table

    return transform
