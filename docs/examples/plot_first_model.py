"""
A first model
=============

Train a classifier of emotions on synthetic speech, and test it on new speakers.
"""

# %%
# The corpus
# ----------
# Four speakers say three sentences with three emotions.

import soundfile

from skser.datasets import make_emotional_speech

speech = make_emotional_speech(
    n_speakers=4, emotions=["angry", "neutral", "sad"], n_takes=2, random_state=0
)
for emotion in ["angry", "neutral", "sad"]:
    clip = speech.waveforms[list(speech.target).index(emotion)]
    soundfile.write(f"{emotion}.wav", clip, speech.sr)

# %%
# The pipeline
# ------------
# The recipe `functionals` is a linear discriminant on statistics of many features.

from skser import evaluate
from skser.recipes import functionals

pipeline = functionals()
pipeline

# %%
# A score on new speakers
# -----------------------
# Each fold leaves out one speaker.

evaluation = evaluate(pipeline, speech)
evaluation.to_frame()

# %%

from skser.plotting import ConfusionDisplay

ConfusionDisplay(evaluation.confusion()).plot()
