"""Texts that the docstrings of displays share."""

from .._utils._docstrings import fill_in

_EVALUATION = """
>>> import numpy as np
>>> from sklearn.naive_bayes import GaussianNB
>>> from skser import evaluate
>>> rng = np.random.default_rng(0)
>>> emotions = np.tile(["calm", "sad"], 12)
>>> X = rng.normal(size=(24, 2)) + (emotions == "sad")[:, np.newaxis]
>>> speakers = np.repeat(["ann", "ben", "eva", "tom"], 6)
>>> evaluation = evaluate(GaussianNB(), X, emotions, groups=speakers)
"""

documented = fill_in(evaluation=_EVALUATION)
