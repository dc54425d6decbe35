"""NotFittedError, apart from the other errors because it needs scikit-learn."""

from sklearn.exceptions import NotFittedError as SklearnNotFittedError

from . import SkserError


class NotFittedError(SkserError, SklearnNotFittedError):
    """An estimator was used before ``fit``."""
