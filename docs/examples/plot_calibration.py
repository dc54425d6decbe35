"""
Calibrated probabilities and selective prediction
=================================================

A classifier that says 0.99 and is right in 70 % of the cases is overconfident. This example
calibrates its probabilities, and then lets it abstain where it is unsure. The corpus is synthetic.
"""

# %%
# Confidence and accuracy
# -----------------------
#
# The confidence is the probability of the predicted emotion. :func:`~skser.evaluate` predicts each
# clip by a pipeline that was not trained on its speaker, so its probabilities show how far the
# confidence can be trusted for new speakers.

import matplotlib.pyplot as plt

from skser import evaluate
from skser.calibration import TemperatureScaledClassifier
from skser.datasets import make_emotional_speech
from skser.recipes import functionals

speech = make_emotional_speech(n_speakers=8, n_sentences=3, n_takes=1, random_state=0)
pipeline = functionals(
    augment="passthrough",
    features__deltas=0,
    features__statistics=("mean", "std"),
    random_state=0,
)
evaluation = evaluate(pipeline, speech)

# %%
# Temperature scaling
# -------------------
#
# :class:`~skser.calibration.TemperatureScaledClassifier` divides the logarithms of the
# probabilities by a number, the temperature. It takes the temperature from folds of speakers within
# the training data; no label changes. Bars below the diagonal are overconfident, and pale bars hold
# few clips.

from skser.plotting import ReliabilityDisplay

calibrated = evaluate(TemperatureScaledClassifier(pipeline), speech)

figure, (left, right) = plt.subplots(1, 2, figsize=(10, 4.6), layout="constrained")
before = ReliabilityDisplay.from_evaluation(evaluation, ax=left)
after = ReliabilityDisplay.from_evaluation(calibrated, ax=right)
left.set_title(f"as it is: calibration error {before.calibration_error:.2f}")
right.set_title(f"calibrated: calibration error {after.calibration_error:.2f}")
plt.show()

# %%
# Selective prediction
# --------------------
#
# A model that may abstain makes fewer mistakes. The coverage is the share of clips that get a
# label: the fewer, the more confident, and the more accurate.

from skser.metrics import coverage_accuracy
from skser.plotting import CoverageDisplay

CoverageDisplay.from_evaluation(calibrated)
plt.show()

# %%
# The same numbers as a table give the threshold for the accuracy that you need. The first row that
# reaches it has the largest coverage.

table = coverage_accuracy(
    calibrated.predictions["emotion"], calibrated.probabilities, calibrated.classes
)
enough = table[table["accuracy"] >= 0.85].iloc[0]
enough.round(2)

# %%
# :func:`~skser.predict_table` leaves ``emotion`` empty below the threshold. Here it labels six
# clips of a speaker who is in neither training data nor evaluation.

from skser import predict_table

model = TemperatureScaledClassifier(pipeline)
model.fit(speech.waveforms, speech.target, groups=speech.groups)
new = make_emotional_speech(n_speakers=1, n_sentences=1, n_takes=1, random_state=1)
predictions = predict_table(model, new.waveforms, abstain_below=enough["threshold"])
predictions.insert(1, "true", new.target)
predictions[["true", "emotion", "confidence"]].round(2)

# %%
# A threshold that was chosen on an evaluation is optimistic for it: confirm it on other speakers.
# With a real corpus, ``skser evaluate`` and ``skser train --scores`` calibrate a model on the
# command line.
#
# Where to go next: :doc:`/user_guide/trust` about calibration and out-of-distribution audio, and
# :ref:`sphx_glr_auto_examples_plot_report.py`, whose report has both pictures.
