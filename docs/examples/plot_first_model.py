"""
A first model
=============

A folder of recordings becomes a model that labels new ones, with a score for people it has never
heard.
"""

# %%
# Recordings
# ----------
#
# The speech is synthetic, so that this page needs no download. With your own recordings, a loader
# such as `load_folder("recordings", speaker=...)` or `load_ravdess("RAVDESS")` returns the same
# object, and the rest of the page stays as it is.
import tempfile

from skser.datasets import make_emotional_speech

folder = tempfile.TemporaryDirectory()
speech = make_emotional_speech(
    folder.name,
    n_speakers=6,
    emotions=["angry", "fear", "happy", "sad"],
    n_sentences=3,
    n_takes=1,
    random_state=0,
)
speech.frame[["path", "emotion", "speaker", "gender", "sentence"]].sample(5, random_state=0)

# %%
# A pipeline
# ----------
#
# :func:`~skser.recipes.functionals` trims silence, adds copies of each training clip at other
# speeds, summarises level, spectrum and pitch in 1,100 features, and classifies them with a linear
# discriminant. :func:`~skser.make_emotion_pipeline` adds a neural network, which is more accurate
# on real corpora and takes minutes to train.
from skser.recipes import functionals

pipeline = functionals(random_state=0)
pipeline

# %%
# A score for new speakers
# ------------------------
#
# :func:`~skser.evaluate` trains on all speakers but one and tests on that one, for each in turn.
# `uar`, the mean recall of the emotions, is .25 for guessing here. `low` and `high` bound its 95 %
# interval over speakers, which is wide with six of them.
from skser import evaluate

evaluation = evaluate(pipeline, speech)
print(evaluation.protocol)
evaluation.to_frame().round(2)

# %%
# The confusion matrix shows which emotions are mistaken for which. Scores on synthetic speech say
# nothing about people; on a real corpus, look for pairs that are alike in arousal, such as fear
# and happiness.
from skser.plotting import ConfusionDisplay

ConfusionDisplay.from_evaluation(evaluation)

# %%
# A new recording
# ---------------
#
# The model for use is trained on all recordings. A seventh speaker, who is not among them, sounds
# sad:
pipeline.fit(speech.paths, speech.target)

others = make_emotional_speech(
    n_speakers=7, emotions=["sad"], n_sentences=1, n_takes=1, random_state=0
)
recording = others.waveforms[-1], others.sr
print(pipeline.predict([recording]))

# %%
# :class:`~skser.plotting.ClipDisplay` draws what the model hears, and the probabilities. Pass the
# path of a file in place of waveform and rate.
from skser.plotting import ClipDisplay

ClipDisplay.from_estimator(pipeline, recording)

# %%
# Save and load
# -------------
import skser

skser.save(pipeline, f"{folder.name}/model.skser")
model = skser.load(f"{folder.name}/model.skser")
print(model.predict([recording]))
folder.cleanup()

# %%
# Where to go next
# ----------------
#
# - :ref:`sphx_glr_auto_examples_plot_honest_folds.py`: why speakers are left out
# - :ref:`sphx_glr_auto_examples_plot_compare_pipelines.py`: whether a change helps
# - :doc:`/user_guide/datasets`: your own folder, table, or a published corpus
