"""
Feature importance and saliency
===============================

Which features does a pipeline depend on, and which moments of a recording decide its label?
:func:`~skser.inspection.block_importance` answers the first question over a corpus,
:func:`~skser.inspection.saliency` the second for one recording. The corpus is synthetic.
"""

# %%
# Importance of blocks of features
# --------------------------------
#
# A block is a group of features: pitch, level, mel bands and so on. One block at a time is shuffled
# among the test clips, of speakers that were not trained on. Its importance is the loss of
# unweighted average recall.

import matplotlib.pyplot as plt
import numpy as np

from skser.datasets import make_emotional_speech
from skser.inspection import block_importance
from skser.plotting import BlockImportanceDisplay
from skser.recipes import functionals

speech = make_emotional_speech(
    n_speakers=6,
    emotions=["angry", "calm", "happy", "sad"],
    n_sentences=3,
    n_takes=1,
    random_state=0,
)
vectors = functionals(
    augment="passthrough",
    features__deltas=0,
    features__statistics=("mean", "std"),
    random_state=0,
)
importance = block_importance(vectors, speech, n_repeats=5, random_state=0)
BlockImportanceDisplay(importance).plot()
plt.show()

# %%
# An importance near zero does not mean that a block is useless: other blocks may hold the same
# information. MFCC are computed from mel bands, so each hides the other. Without the mel bands, the
# importance of MFCC rises:

blocks = [block for block in vectors["features"].blocks if "mel" not in block]
without_mel = vectors.set_params(features__blocks=blocks)
fewer = block_importance(without_mel, speech, n_repeats=5, random_state=0)
print(f"mfcc: {importance['mean']['mfcc']:.2f}, without mel {fewer['mean']['mfcc']:.2f}")

# %%
# Saliency of a recording
# -----------------------
#
# Saliency needs features in the order of time, such as the log-mel bands of a network. Patches of
# time and frequency are hidden one at a time, and the loss of probability is the evidence that they
# held. The network is small, and is trained for a few epochs to save time.

from skser.plotting import ClipDisplay, SaliencyDisplay
from skser.recipes import residual_network

network = residual_network(
    augment="passthrough",
    classify__architecture="cnn_average_pooling",
    classify__network__filters=(32, 32),
    classify__epochs=10,
    random_state=0,
)
is_new = speech.groups == "synthetic-f01"
known = np.flatnonzero(~is_new)
network.fit([speech.waveforms[i] for i in known], speech.target[known])
angry = speech.waveforms[np.flatnonzero(is_new & (speech.target == "angry"))[0]]
SaliencyDisplay.from_estimator(network, angry, emotion="angry")
plt.show()

# %%
# Red is evidence for the emotion, blue against it. Compare it with the sound and the spectrogram of
# the clip, whose silence at both ends is trimmed above:

ClipDisplay.from_estimator(network, angry)
plt.show()

# %%
# Both show what the pipeline uses, not what people hear. With a real corpus, read the importance
# together with its standard deviation, and look at the saliency of mistakes first: a patch before
# or after the speech points at the recording, not the voice.
#
# Where to go next: :doc:`/user_guide/evaluation` about both functions,
# :ref:`sphx_glr_auto_examples_plot_own_features.py` to add a block, and
# :ref:`sphx_glr_auto_examples_plot_report.py`, which shows both in a report.
