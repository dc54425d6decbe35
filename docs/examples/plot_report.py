"""
Reading a report
================

:func:`~skser.report.write_report` writes an evaluation as one HTML page, and so does
``skser evaluate --out``. This example writes one and goes through its pictures, each of which is
also a display of :mod:`skser.plotting`. The corpus is synthetic.
"""

# %%
# Writing it
# ----------
#
# An evaluation is enough. Leakage between folds and feature importance are sections of their own,
# which cost further fits.

import tempfile
from pathlib import Path

import matplotlib.pyplot as plt

from skser import evaluate, plotting, read_audio
from skser.datasets import make_emotional_speech
from skser.evaluation import leakage_report
from skser.inspection import block_importance
from skser.recipes import functionals
from skser.report import write_report

folder = tempfile.TemporaryDirectory()
speech = make_emotional_speech(
    Path(folder.name, "speech"), n_speakers=6, n_sentences=2, n_takes=1, random_state=0
)
pipeline = functionals(
    augment="passthrough",
    features__statistics=("mean", "std"),
    memory=Path(folder.name, "cache"),
    random_state=0,
)
evaluation = evaluate(pipeline, speech)
leakage = leakage_report(pipeline, speech)
importance = block_importance(pipeline, speech)
report = Path(folder.name, "report.html")
write_report(evaluation, report, title="Synthetic", leakage=leakage, importance=importance)
print(f"{report.name}, {report.stat().st_size / 1000:.0f} kB")

# %%
# The headline
# ------------
#
# The page begins with the unweighted average recall (the mean of the emotions' recalls), its
# interval, and the protocol. The interval is a bootstrap over speakers, since the clips of a
# speaker are right or wrong together. Compare it with chance: one divided by the number of
# emotions.

print(evaluation.protocol)
evaluation.to_frame().round(2)

# %%
# Leakage between folds
# ---------------------
#
# Random folds put clips of one speaker into the training and the test part. A large gap says that
# the pipeline recognises speakers, so scores of random folds do not hold for new ones. Synthetic
# voices differ little and the gap is small; for the default pipeline on EMOVO it is 0.35.

plotting.LeakageGapDisplay.from_reports({"this pipeline": leakage})
plt.show()

# %%
# Emotions
# --------
#
# Rows of the confusion matrix are true emotions. The diagonal is the recall of each. Two emotions
# that are confused both ways sound alike to the pipeline; a dark column is a label that it prefers.

plotting.ConfusionDisplay.from_evaluation(evaluation)
plt.show()

# %%
# Speakers
# --------
#
# Points far apart mean that the score of your own speakers may be far from the mean, too. The band
# is the interval of the headline.

plotting.SpeakerScoresDisplay.from_evaluation(evaluation)
plt.show()

# %%
# Confidence
# ----------
#
# Bars below the diagonal: the pipeline is overconfident, and its probabilities need calibration.

plotting.ReliabilityDisplay.from_evaluation(evaluation)
plt.show()

# %%
# The most confident mistake
# --------------------------
#
# Listen to the clips at the top of this table: some may be mislabelled, cut off or noisy.

mistakes = evaluation.mistakes()
mistakes[["speaker", "emotion", "predicted", "confidence", "of_truth"]].head().round(2)

# %%
# The page draws the first one, with the probabilities that it got.

worst = mistakes.iloc[0]
waveform, sr = read_audio(worst["path"])
plotting.ClipDisplay(waveform, sr, evaluation.probabilities.loc[mistakes.index[0]]).plot()
plt.show()

# %%
# Feature importance
# ------------------
#
# The loss of recall when one block of features is shuffled among the clips.
# :ref:`sphx_glr_auto_examples_plot_explanations.py` explains it.

plotting.BlockImportanceDisplay(importance).plot()
folder.cleanup()
plt.show()

# %%
# The page ends with the parameters of the pipeline and all versions. With a real corpus, ``skser
# evaluate RAVDESS --leakage --explain --out scores`` writes it, with all tables as CSV files beside
# it. Where to go next: :doc:`/user_guide/evaluation`, and
# :ref:`sphx_glr_auto_examples_plot_calibration.py` to mend the probabilities.
