"""
Tuning with Optuna
==================

:func:`skser.tuning.tune` searches the parameters of a pipeline with an Optuna study. Each trial is
scored on speakers that it was not trained on, and features are extracted once for all trials that
share them. The corpus of this example is synthetic.
"""

# %%
# A search space
# --------------
#
# A search space is a function of a trial that returns parameters of the pipeline.
# :mod:`skser.tuning.spaces` has one for each kind of step; :func:`~skser.tuning.combine` adds your
# own. Here, the shrinkage of the discriminant and the statistics of the features are searched.

import matplotlib.pyplot as plt
import optuna

from skser.datasets import make_emotional_speech
from skser.recipes import functionals
from skser.tuning import combine, search_space, tune

STATISTICS = {
    "mean": ("mean",),
    "mean, std": ("mean", "std"),
    "percentiles": ("p5", "p25", "median", "p75", "p95"),
}


def statistics(trial):
    name = trial.suggest_categorical("statistics", list(STATISTICS))
    return {"features__statistics": STATISTICS[name]}


pipeline = functionals(
    augment="passthrough", features__deltas=0, features__statistics=("mean",), random_state=0
)
space = combine(search_space(pipeline, ["classify"]), statistics)

# %%
# The study
# ---------
#
# The first trial is the pipeline as it is. With ``storage="study.journal"``, the same call would
# resume an interrupted study, and several processes could share it.

optuna.logging.set_verbosity(optuna.logging.WARNING)
speech = make_emotional_speech(n_speakers=6, n_sentences=2, n_takes=1, random_state=0)
tuning = tune(pipeline, speech, space=space, n_trials=20, random_state=0)
trials = tuning.to_frame()
trials.head()

# %%
# Trials below the median of the others are stopped ("pruned") after a few folds. They are drawn as
# crosses, at the mean of their finished folds.

trials["fold mean"] = [sum(scores) / max(1, len(scores)) for scores in trials["fold_uar"]]
figure, (left, right) = plt.subplots(1, 2, figsize=(10, 4.4), sharey=True, layout="constrained")
left.step(trials.index, trials["uar"].cummax().ffill(), where="post", color="grey")
left.axhline(tuning.baseline, color="black", linestyle="--")
left.text(7.5, tuning.baseline + 0.005, "as it is")
for name, group in trials.iloc[1:].groupby("statistics"):
    complete, pruned = (group[group["state"] == state] for state in ("complete", "pruned"))
    for ax, column in ((left, None), (right, "classify__estimator__shrinkage")):
        x = group.index.to_series() if column is None else group[column]
        points = ax.scatter(x[complete.index], complete["uar"])
        ax.scatter(x[pruned.index], pruned["fold mean"], marker="x", color=points.get_facecolor())
    points.set_label(name)
left.set(xlabel="trial", ylabel="unweighted average recall", xticks=range(0, 20, 5))
right.set(xlabel="shrinkage")
figure.legend(loc="outside upper center", ncols=3, title="statistics", frameon=False)
plt.show()

# %%
# The score of a tuned pipeline
# -----------------------------
#
# :meth:`~skser.tuning.Tuning.best_pipeline` fits the best parameters on all clips. Their score is
# the highest of 20 on the same clips, and is too high for new ones:

print(tuning.best_params)
print(f"best {tuning.best_score:.2f}, as it is {tuning.baseline:.2f}")
print(tuning.caveat)

# %%
# An honest score repeats the whole study for each speaker who is left out, without that speaker. It
# takes as many studies as there are speakers, so this page does not run it:
#
# .. code-block:: python
#
#     from skser.tuning import nested_evaluate
#
#     evaluation = nested_evaluate(pipeline, speech, space=space, n_trials=20, random_state=0)
#     evaluation.to_frame()

# %%
# With a real corpus, use more trials and a ``storage``; ``skser tune`` does both on the command
# line. Where to go next: :doc:`/user_guide/tuning` about spaces of networks and failed trials,
# :doc:`/user_guide/studies` about studies that several machines share, and
# :ref:`sphx_glr_auto_examples_plot_compare_pipelines.py` to compare the result with what you had.
