"""
Augmentation of your own
========================

A model trained on clean recordings makes mistakes in a room that echoes. Make training copies that
echo: hear them, see them, and put them into the pipeline.
"""

# %%
# A stage
# -------
#
# A stage takes the views of a clip, of shape `(n_views, n_samples)`, and returns views: here the
# clean one and copies in rooms of random reverberation. An echo is noise that falls by 60 dB in
# so many seconds. The samples of the clip seed the random numbers, so a clip has the same views
# in every fold.
from dataclasses import dataclass
from zlib import crc32

import numpy as np
from scipy.signal import fftconvolve
from sklearn.base import BaseEstimator, TransformerMixin


@dataclass(frozen=True)
class Rooms:
    """A clean view, and others in rooms of 0.3 to 1 s of reverberation."""

    n_views: int
    seed: int
    clean_first = True  # the first view is the input: its features are cached once

    def __call__(self, views, sr):
        clean = views[0]
        rng = np.random.default_rng([self.seed, crc32(clean.tobytes())])
        return np.array([clean, *(echo(clean, sr, rng) for _ in range(self.n_views - 1))])


def echo(waveform, sr, rng):
    seconds = rng.uniform(0.3, 1.0)
    times = np.arange(1, int(seconds * sr)) / sr
    tail = 0.05 * rng.normal(size=len(times)) * 10 ** (-3 * times / seconds)
    wet = fftconvolve(waveform, [1.0, *tail])[: len(waveform)]
    return (wet * np.abs(waveform).max() / np.abs(wet).max()).astype(np.float32)


# %%
# A step
# ------
#
# A pipeline calls `fit_transform` in `fit`, and `transform` in `predict`. So the first adds the
# stage, and the second returns the clips as they are.
class AddRooms(TransformerMixin, BaseEstimator):
    """Add views of every training clip in rooms."""

    def __init__(self, n_views=4, seed=0):
        self.n_views = n_views
        self.seed = seed

    def fit(self, clips, y=None):
        return self

    def fit_transform(self, clips, y=None):
        return clips.map(Rooms(self.n_views, self.seed))

    def transform(self, clips):
        return clips


# %%
# Listen
# ------
#
# A clip of a synthetic speaker, clean and in two rooms. Indexing clips runs the stages.
import tempfile

import soundfile

from skser import AudioLoader
from skser.datasets import make_emotional_speech

folder = tempfile.TemporaryDirectory()
emotions = ["angry", "fear", "happy", "sad"]
speech = make_emotional_speech(
    folder.name, n_speakers=6, emotions=emotions, n_takes=1, random_state=0
)
clips = AudioLoader(pad=None).fit_transform(speech.paths)
views = AddRooms(n_views=3).fit_transform(clips)[0]
for name, view in zip(["clean", "first_room", "second_room"], views, strict=True):
    soundfile.write(f"{name}.wav", view, clips.sr)

# %%
# See
# ---
#
# Reverberation fills the gaps between syllables and smears the harmonics.
import matplotlib.pyplot as plt

from skser.plotting import ClipDisplay

figure = plt.figure(figsize=(10, 6), layout="constrained")
for i, part in enumerate(figure.subfigures(1, 2)):
    part.suptitle("in a room" if i else "clean")
    ClipDisplay(views[i], clips.sr).plot(figure=part)

# %%
# Does it help?
# -------------
#
# The step takes the place of `augment` in a recipe. New speakers are tested, in rooms of other
# random numbers. With a real corpus, test on recordings from real rooms.
from sklearn.metrics import balanced_accuracy_score
from sklearn.model_selection import GroupKFold

from skser.recipes import functionals

in_rooms = [(views[1], clips.sr) for views in AddRooms(n_views=2, seed=1).fit_transform(clips)]
for name, augment in [("clean clips", "passthrough"), ("clips in rooms", AddRooms())]:
    predicted = speech.target.copy()
    for train, test in GroupKFold(3).split(speech.paths, groups=speech.groups):
        pipeline = functionals(augment=augment, features__blocks=["mfcc", "rms", "zcr"])
        pipeline.fit(speech.paths[train], speech.target[train])
        predicted[test] = pipeline.predict([in_rooms[i] for i in test])
    print(f"trained on {name}: UAR {balanced_accuracy_score(speech.target, predicted):.2f}")
folder.cleanup()

# %%
# Where to go next
# ----------------
#
# - :doc:`/user_guide/augmentation`: the five transforms of skser, and why views never leak
# - :ref:`sphx_glr_auto_examples_plot_compare_pipelines.py`: the difference with its interval
# - :doc:`/user_guide/caching`: what changes the key of a cached clip
