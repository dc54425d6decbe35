"""
Training on several corpora
===========================

Each corpus has its own microphone, room and codec. A classifier that is trained on one of them
learns these too, and fails on the next. This example trains on several corpora, standardises the
features of each by itself, and adapts the result to a new corpus without labels.

The corpora are synthetic: the same kind of voices, recorded in a studio, over a telephone and in a
hall. With real corpora, language and actors differ as well.
"""

# %%
# Three recording conditions
# --------------------------
#
# The telephone passes 300 to 3400 Hz and adds noise. The hall adds reverberation.

import tempfile
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
import soundfile
from scipy.signal import butter, fftconvolve, sosfilt

from skser import cross_corpus, read_audio
from skser.datasets import make_emotional_speech

rng = np.random.default_rng(0)
band = butter(4, [300, 3400], "bandpass", fs=16000, output="sos")
echoes = rng.normal(size=8000) * np.exp(-np.arange(8000) / 1600) * 0.1  # 0.5 s
echoes[0] = 1.0
conditions = {
    "studio": lambda wave: wave,
    "telephone": lambda wave: 0.3 * sosfilt(band, wave) + 0.002 * rng.normal(size=len(wave)),
    "hall": lambda wave: 0.3 * fftconvolve(wave, echoes)[: len(wave)],
}

folder = tempfile.TemporaryDirectory()
corpora = {}
for seed, (name, condition) in enumerate(conditions.items()):
    corpora[name] = make_emotional_speech(
        Path(folder.name, name),
        n_speakers=4,
        emotions=["angry", "calm", "happy", "sad"],
        n_sentences=2,
        n_takes=1,
        random_state=seed,
    )
    corpora[name].frame["corpus"] = name
    for path in corpora[name].paths:
        waveform, sr = read_audio(path)
        soundfile.write(path, condition(waveform), sr)

# %%
# Scores across corpora
# ---------------------
#
# :func:`~skser.cross_corpus` trains on each corpus and tests on each. The diagonal has new speakers
# of the same corpus; "all others" is trained on all corpora but the tested one.
# :func:`~skser.recipes.standardize_by_corpus` standardises each corpus by its own mean and standard
# deviation. "All others, adapted" also standardises the tested corpus by itself, without labels.

from skser.plotting import CrossCorpusDisplay
from skser.recipes import functionals, standardize_by_corpus

pipeline = functionals(
    augment="passthrough",
    features__statistics=("mean", "std"),
    memory=Path(folder.name, "cache"),
    random_state=0,
)
standardised = standardize_by_corpus(pipeline)
as_it_is = cross_corpus(pipeline, corpora)
by_corpus = cross_corpus(standardised, corpora)

figure, (left, right) = plt.subplots(1, 2, figsize=(12, 4), layout="constrained")
CrossCorpusDisplay(as_it_is).plot(ax=left)
CrossCorpusDisplay(by_corpus).plot(ax=right)
left.set_title("one scaler for all")
right.set_title("standardised by corpus")
plt.show()

# %%
# Chance is 0.25. Away from the diagonal, scores fall; with the telephone on either side, to chance
# or below. Training on two corpora instead of one helps a little. Adaptation gains most, because it
# removes the recording condition of the tested corpus from the features.

# %%
# Adapting to a new corpus
# ------------------------
#
# :func:`~skser.datasets.merge_corpora` joins the corpora that have labels. The pipeline learns the
# corpus of each clip from ``domains``, by scikit-learn's metadata routing. With ``adapt=True``,
# :func:`~skser.predict_table` standardises the new recordings by themselves; it needs at least 20,
# of all emotions.

import sklearn
from sklearn.metrics import balanced_accuracy_score
from sklearn.utils.class_weight import compute_sample_weight

from skser import predict_table
from skser.datasets import merge_corpora

known = merge_corpora(corpora["studio"], corpora["hall"])
domains = known.frame["corpus"]
with sklearn.config_context(enable_metadata_routing=True):
    standardised.fit(
        known.paths,
        known.target,
        domains=domains,
        sample_weight=compute_sample_weight("balanced", domains),
    )
calls = corpora["telephone"]
for adapt in (False, True):
    table = predict_table(standardised, calls.paths, adapt=adapt)
    print(f"{adapt=}: {balanced_accuracy_score(calls.target, table['emotion']):.2f}")
folder.cleanup()

# %%
# Where to go next: :doc:`/user_guide/corpora` has scores of real corpora, and
# :doc:`/user_guide/adaptation` shows what a few labels of the new corpus add. Features of a
# pre-trained encoder gain most: :ref:`sphx_glr_auto_examples_plot_pretrained_encoder.py`.
