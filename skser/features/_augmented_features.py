"""AugmentedFeatures: features of augmented clips, with their views together."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, DTypeLike

from ..exceptions import ConversionError, DataError
from ._on_disk import FeaturesOnDisk


class AugmentedFeatures:
    """Features of several views of each clip, with one row per clip.

    Parameters
    ----------
    values : ndarray of shape (n_clips, n_views, n_features) or \
            (n_clips, n_views, n_frames, n_features)
        The features; view 0 is the clean clip. An extractor may leave them on disk, as an
        array-like that `numpy.asarray` reads.

    Attributes
    ----------
    n_views : int
        Number of views of a clip.
    shape : tuple
        Shape of ``values``.

    Notes
    -----
    Indexing selects clips with all their views. Conversion to an array raises an error, because
    most estimators would treat views as features.

    Examples
    --------
    >>> import numpy as np
    >>> from skser import AugmentedFeatures
    >>> features = AugmentedFeatures(np.zeros((10, 4, 13)))
    >>> features[:3].shape, features.flatten().shape, features.repeat(np.arange(10)).shape
    ((3, 4, 13), (40, 13), (40,))
    """

    def __init__(self, values: np.ndarray | FeaturesOnDisk) -> None:
        if not isinstance(values, (np.ndarray, FeaturesOnDisk)) or values.ndim < 3:
            raise DataError(
                "values must be an array of shape (n_clips, n_views, ...), got "
                f"{getattr(values, 'shape', type(values).__name__)}"
            )
        # Typed as an array, which `FeaturesOnDisk` can be used like.
        self.values: np.ndarray = values  # type: ignore[assignment]

    @property
    def n_views(self) -> int:
        return self.values.shape[1]

    @property
    def shape(self) -> tuple[int, ...]:
        return self.values.shape

    def __len__(self) -> int:
        return len(self.values)

    def __getitem__(self, index: Any) -> AugmentedFeatures:
        if isinstance(index, tuple):  # scikit-learn selects rows by [rows, ...]
            index = index[0]
        return AugmentedFeatures(self.values[np.atleast_1d(index) if np.isscalar(index) else index])

    def flatten(self) -> np.ndarray:
        """Return all views as rows.

        Returns
        -------
        rows : ndarray of shape (n_clips * n_views, ...)
            The views of a clip are neighbours.
        """
        return np.asarray(self.values).reshape(-1, *self.values.shape[2:])

    def repeat(self, per_clip: ArrayLike) -> np.ndarray:
        """Repeat a label or weight of each clip for each row of `flatten`.

        Parameters
        ----------
        per_clip : array of shape (n_clips, ...)
            One value for each clip.

        Returns
        -------
        per_row : ndarray of shape (n_clips * n_views, ...)
            The value of its clip for each row.
        """
        return np.repeat(np.asarray(per_clip), self.n_views, axis=0)

    def average(self, per_row: np.ndarray) -> np.ndarray:
        """Average the values of the rows of `flatten` over the views of each clip.

        Parameters
        ----------
        per_row : ndarray of shape (n_clips * n_views, ...)
            One value for each row.

        Returns
        -------
        per_clip : ndarray of shape (n_clips, ...)
            Means.
        """
        return per_row.reshape(len(self), self.n_views, *per_row.shape[1:]).mean(axis=1)

    def __array__(self, dtype: DTypeLike | None = None, copy: bool | None = None) -> np.ndarray:
        raise ConversionError(
            "AugmentedFeatures cannot become an array, because views would be treated as features: "
            "put the classifier into skser.AugmentedClassifier(...), or use .values"
        )

    def __repr__(self) -> str:
        shape = " x ".join(str(n) for n in self.shape[2:])
        return f"<features of {len(self)} clips, {self.n_views} views each of {shape}>"


Features = ArrayLike | AugmentedFeatures
