"""Texts that the docstrings of functions with folds share."""

from .._utils._docstrings import fill_in

_CORPUS = """
X : Bunch or sequence of recordings of length n_clips
    A corpus as a loader returns it: ``paths`` (or ``waveforms``), ``target``, and if known
    ``groups``, the speakers, and ``frame``. Or recordings: paths, file-like objects, bytes, or
    waveforms at the pipeline's sampling rate.
y : array of shape (n_clips,) or None, default=None
    Labels of recordings; None with a Bunch.
groups : array of shape (n_clips,) or None, default=None
    Speakers of recordings, if known; None with a Bunch.
"""

_FOLDS = """
n_jobs : int or None, default=None
    Number of folds that run in parallel.
checkpoint : str, path or None, default=None
    Folder that keeps finished folds, of any number of evaluations. After an interruption, the
    same call runs only the missing ones.
verbose : int, default=0
    1 shows a progress bar.
"""

_EXAMPLE = """
>>> from skser.datasets import make_emotional_speech
>>> from skser.recipes import functionals
>>> speech = make_emotional_speech(n_speakers=4, emotions=["angry", "sad"], random_state=0)
>>> pipeline = functionals(features__blocks=["rms", "zcr"], augment__n_views=1)
"""

documented = fill_in(corpus=_CORPUS, folds=_FOLDS, example=_EXAMPLE)
