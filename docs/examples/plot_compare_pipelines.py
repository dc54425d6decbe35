"""
Comparing two pipelines
=======================

Is one pipeline better than another, or was it lucky with these speakers? Both label the same clips,
so compare them speaker by speaker, and report the interval of the difference.
"""

# %%
# Two pipelines
# -------------
#
# Does it help to train on copies of each clip at other speeds? The speech is synthetic: a real
# corpus, from a loader in :mod:`skser.datasets`, may answer otherwise.
import tempfile

from skser.datasets import make_emotional_speech
from skser.recipes import functionals

folder = tempfile.TemporaryDirectory()
speech = make_emotional_speech(folder.name, n_speakers=8, n_sentences=2, n_takes=1, random_state=0)
shared = {"random_state": 0, "memory": f"{folder.name}/cache"}
plain = functionals(augment__n_views=1, **shared)
augmented = functionals(augment__n_views=4, **shared)

# %%
# Two evaluations
# ---------------
#
# Both leave out one speaker at a time. The cache of `memory` holds the features of each clip, so
# no fold extracts them again.
from skser import evaluate

scores_plain = evaluate(plain, speech)
scores_augmented = evaluate(augmented, speech)
print(scores_augmented.protocol)

# %%
# The difference
# --------------
#
# :func:`~skser.compare` pairs them. `low` and `high` bound the difference in 95 % of draws of
# speakers; `p_value` is from a test that swaps the two evaluations of whole speakers, in all 256
# ways for eight speakers.
from skser import compare

table = compare(scores_plain, scores_augmented)
table.round(3)

# %%
# A picture for a paper: each speaker's scores on the left, the differences on the right, which
# `ComparisonDisplay.from_evaluations(scores_plain, scores_augmented)` draws as well. The interval
# of the recall includes zero: eight speakers do not decide whether more clips are labelled
# correctly. That of the log loss, in the table, does not: the probabilities are better.
import matplotlib.pyplot as plt

from skser.plotting import ComparisonDisplay

speakers = scores_plain.by("speaker")["uar"], scores_augmented.by("speaker")["uar"]
all_clips = table.loc["uar", ["baseline", "other"]]

figure, (left, right) = plt.subplots(1, 2, figsize=(10, 3.8), layout="constrained")
left.plot([0, 1], speakers, "o-", color="0.7")
left.plot([0, 1], all_clips, "o-", color="C0", lw=3, label="all clips")
left.set_xticks([0, 1], ["plain", "augmented"])
left.set(
    xlim=(-0.3, 1.3), ylim=(0.5, 1.02), ylabel="unweighted average recall", title="each speaker"
)
left.legend(frameon=False, loc="lower right")

ComparisonDisplay(table).plot(names=("plain", "augmented"), ax=right)
right.set_title("differences")
folder.cleanup()

# %%
# The interval of the difference is not the overlap of two intervals: some speakers are hard for
# both pipelines, and pairing removes that part. Intervals over clips instead of speakers would be
# too narrow.
#
# If you choose the better of many pipelines in this way, its score is too high: the choice belongs
# into the folds, as in :func:`~skser.tuning.nested_evaluate`.
#
# Where to go next
# ----------------
#
# - :doc:`/user_guide/evaluation`: scores, intervals, and the test
# - :ref:`sphx_glr_auto_examples_plot_tuning.py`: choose parameters inside the folds
# - :ref:`sphx_glr_auto_examples_plot_report.py`: all of it as one HTML page
