"""RememberedFeatures: features that trials have in common, kept in this process' memory as well."""

from __future__ import annotations

from typing import Any

import joblib

from ..features import FeatureUnionExtractor
from ..views import AugmentedFeatures

# More than this is read from the folder each time.
_MOST_BYTES = 2**30

_features: dict[str, Any] = {}


class RememberedFeatures(FeatureUnionExtractor):
    """An extractor that gives the features of the same clips again without looking at a file.

    Parameters are those of FeatureUnionExtractor.
    """

    def transform(self, X: Any) -> Any:
        """Features, which may not be written to."""
        key = joblib.hash((self.get_params(), X))
        if key not in _features:
            features = super().transform(X)
            values = _values(features)
            values.flags.writeable = False
            if values.nbytes + n_bytes() > _MOST_BYTES:
                return features
            _features[key] = features
        return _features[key]


def n_bytes() -> int:
    """What is remembered."""
    return sum(features.nbytes for features in map(_values, _features.values()))


def forget() -> None:
    """Forget all of it."""
    _features.clear()


def _values(features: Any) -> Any:
    return features.values if isinstance(features, AugmentedFeatures) else features
