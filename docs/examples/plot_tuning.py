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
# Pictures of the study
# ---------------------
#
# ``tuning.study`` is a study of Optuna, so use `Optuna's pictures
# <https://optuna.readthedocs.io/en/stable/reference/visualization/matplotlib/index.html>`_. The
# history shows the trials that were completed, and the best score so far. Trials below the median
# of the others are stopped ("pruned") after a few folds.

import warnings

from optuna.visualization.matplotlib import plot_optimization_history, plot_slice

warnings.simplefilter("ignore", optuna.exceptions.ExperimentalWarning)
plot_optimization_history(tuning.study, target_name="UAR")
plt.show()

# %%
# The slice plot has a panel for each parameter, and a point for each trial, darker the later.

axes = plot_slice(tuning.study, target_name="UAR")
axes[0].figure.set_size_inches(9, 4.5)
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
