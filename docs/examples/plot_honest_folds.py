"""
Leakage between folds
=====================

Random folds put clips of a speaker into both the training and the test part. This page measures how
much that inflates the score, and shows why.
"""

# %%
# A corpus of few speakers
# ------------------------
#
# Five synthetic speakers say three sentences with four emotions, three times each. Corpora of
# acted speech look the same: few speakers, and many clips of each. Put a corpus of your own in
# place of `speech`, from any loader in :mod:`skser.datasets`.
import tempfile

from skser.datasets import make_emotional_speech
from skser.recipes import functionals

folder = tempfile.TemporaryDirectory()
speech = make_emotional_speech(
    folder.name,
    n_speakers=5,
    emotions=["angry", "fear", "happy", "sad"],
    n_takes=3,
    random_state=0,
)
pipeline = functionals(augment__n_views=1, random_state=0, memory=f"{folder.name}/cache")

# %%
# The same pipeline, two kinds of folds
# -------------------------------------
#
# :func:`~skser.evaluation.leakage_report` evaluates the pipeline twice, with as many random folds
# as folds of speakers. `gap` is what the random folds add; `low` and `high` bound its 95 %
# interval over speakers.
from skser.evaluation import leakage_report

report = leakage_report(pipeline, speech)
print("random:      ", report.random.protocol)
print("new speakers:", report.new_speakers.protocol)
report.to_frame().loc[["uar", "accuracy", "macro_f1"]].round(2)

# %%
# The same scores by speaker. With random folds, every speaker looks easy; as new speakers, some
# are much harder than others.
import pandas as pd

from skser.plotting import LeakageGapDisplay

by_speaker = {
    "random": report.random.by("speaker")["uar"],
    "new_speakers": report.new_speakers.by("speaker")["uar"],
}
LeakageGapDisplay(pd.DataFrame(by_speaker)).plot()

# %%
# Why the scores differ
# ---------------------
#
# The same features tell voices apart: trained on the names of the speakers, the pipeline
# recognises most clips. With random folds, it can therefore label a clip by its likeness to
# training clips of the same person. For a new person there are none.
from sklearn.model_selection import StratifiedKFold, cross_val_predict

from skser.plotting import ConfusionDisplay

folds = StratifiedKFold(5, shuffle=True, random_state=0)
recognised = cross_val_predict(pipeline, speech.paths, speech.groups, cv=folds)
display = ConfusionDisplay.from_predictions(speech.groups, recognised)
display.ax_.set_xlabel("recognised (share of each speaker's clips)")
folder.cleanup()

# %%
# Real corpora have the same gap
# ------------------------------
#
# For the default pipeline, random folds add .12 to the UAR on RAVDESS, .03 on EmoDB and .35 on
# EMOVO: see :doc:`/user_guide/evaluation`. A published score of random folds does not hold for new
# speakers.
#
# Where to go next
# ----------------
#
# - :doc:`/user_guide/pitfalls`: other ways to a score that is too high, in numbers
# - :ref:`sphx_glr_auto_examples_plot_compare_pipelines.py`: an honest comparison
# - :doc:`/user_guide/evaluation`: folds by speaker, by sentence, and published ones
