"""
Features of your own
====================

A class with one method adds features to those of skser. They share its Fourier transform, its
statistics and its cache, and a report of feature importance names them.
"""

# %%
# A block of features
# -------------------
#
# A loud, tense voice has more energy at high frequencies. Two usual measures, in dB, are the
# alpha ratio (1 to 5 kHz against 50 Hz to 1 kHz) and the Hammarberg index (the strongest peak
# below 2 kHz against the strongest from 2 to 5 kHz). `compute` returns a row for each name and a
# column for each frame.
import numpy as np

from skser.features import FeatureBlock


class VocalEffort(FeatureBlock):
    """Alpha ratio and Hammarberg index.

    Parameters
    ----------
    edge : float, default=1000.0
        Frequency in Hz that divides the bands of the alpha ratio.
    """

    def __init__(self, edge=1000.0):
        self.edge = edge

    def compute(self, spectra):
        hz = np.arange(len(spectra.power)) * spectra.sr / spectra.n_fft
        level = 10 * np.log10(np.maximum(spectra.power, 1e-10))
        low = spectra.power[(hz >= 50) & (hz < self.edge)].sum(axis=0)
        high = spectra.power[(hz >= self.edge) & (hz < 5000)].sum(axis=0)
        alpha = 10 * np.log10(np.maximum(high, 1e-10) / np.maximum(low, 1e-10))
        peaks = level[hz < 2000].max(axis=0) - level[(hz >= 2000) & (hz < 5000)].max(axis=0)
        return np.array([alpha, peaks])

    def bin_names(self):
        return ["alpha_ratio", "hammarberg"]


# %%
# A picture of it
# ---------------
#
# The same synthetic sentence, angry and sad. `statistics=None` keeps the frames; in the pipeline
# below, statistics of the frames become the features of a clip. Look at your features on
# recordings of your own before you trust them.
import tempfile

import matplotlib.pyplot as plt

from skser import AudioLoader, FeatureUnionExtractor
from skser.datasets import make_emotional_speech

folder = tempfile.TemporaryDirectory()
emotions = ["angry", "fear", "happy", "sad"]
speech = make_emotional_speech(
    folder.name, n_speakers=5, emotions=emotions, n_sentences=2, n_takes=1, random_state=0
)
clips = AudioLoader(pad=None).fit_transform(speech.paths)
extractor = FeatureUnionExtractor([("effort", VocalEffort())], statistics=None)
frames = extractor.fit_transform(clips)
seconds = np.arange(frames.shape[1]) * extractor.hop_length / clips.sr

figure, axes = plt.subplots(2, 1, figsize=(8, 4.5), layout="constrained", sharex=True)
for emotion in ["angry", "sad"]:
    clip = speech.target.tolist().index(emotion)
    for ax, values in zip(axes, frames[clip].T, strict=True):
        ax.plot(seconds, values, label=emotion)
axes[0].set(ylabel="alpha ratio (dB)")
axes[0].legend(frameon=False, loc="upper right")
axes[1].set(ylabel="Hammarberg index (dB)", xlabel="time (s)")

# %%
# Beside the blocks of skser
# --------------------------
#
# In a list of blocks, yours is a pair of a name and the block. A search may change its parameter,
# `features__effort__edge`.
from skser.recipes import functionals

pipeline = functionals(
    features__blocks=["mfcc", "rms", ("effort", VocalEffort())],
    augment__n_views=1,
    random_state=0,
    memory=f"{folder.name}/cache",
)
print(pipeline.get_params()["features__effort__edge"])

# %%
# Does it help?
# -------------
#
# :func:`~skser.inspection.block_importance` shuffles the features of a block between the clips of
# a new speaker, and measures how much of the score is lost.
from skser.inspection import block_importance
from skser.plotting import BlockImportanceDisplay

BlockImportanceDisplay(block_importance(pipeline, speech)).plot()

# %%
# Blocks with the same information, such as the MFCC and this one, hide each other's importance. So
# compare the scores with and without the block, too:
from sklearn.base import clone

from skser import compare, evaluate

without = clone(pipeline).set_params(features__effort="drop")
table = compare(evaluate(without, speech), evaluate(pipeline, speech))
folder.cleanup()
table.loc[["uar"]].round(3)

# %%
# Where to go next
# ----------------
#
# - :doc:`/user_guide/features`: the thirteen blocks, their parameters and statistics
# - :ref:`sphx_glr_auto_examples_plot_compare_pipelines.py`: how to read the interval
# - :ref:`sphx_glr_auto_examples_plot_pretrained_encoder.py`: features learnt from hours of speech
