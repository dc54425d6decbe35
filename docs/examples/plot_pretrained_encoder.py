"""
Features of a pre-trained encoder
=================================

A corpus of emotional speech is small. An encoder that was trained on many hours of other speech
brings features that a small corpus could not teach. :class:`~skser.SpeechEmbedding` runs such an
encoder as a step of a pipeline, and only a small classifier is trained.

This example must run without a download, so it makes an encoder of its own: an ONNX file with a
fixed bank of 40 filters, which has learned nothing. All else is as with a real encoder. The corpus
is synthetic.
"""

# %%
# An encoder in an ONNX file
# --------------------------
#
# Any network in an ONNX file will do that takes waveforms ``(clips, samples)`` and gives frames
# ``(clips, frames, features)``. Here, two convolutions give the real and imaginary parts of 40
# band-pass filters, every 20 ms at 16 kHz, and the frames are the logarithms of their powers.

import tempfile
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
import onnx

n_samples = 400  # 25 ms
hz = 700 * (10 ** (np.linspace(60, 2800, 40) / 2595) - 1)  # evenly spaced on the mel scale
phase = 2 * np.pi * np.outer(hz, np.arange(n_samples) / 16000)
weights = {"cosines": np.hanning(n_samples) * np.cos(phase)}
weights["sines"] = np.hanning(n_samples) * np.sin(phase)

model = onnx.parser.parse_model("""
    <ir_version: 9, opset_import: ["": 18]>
    filter_bank (float[clips, samples] waveforms) => (float[clips, frames, 40] levels) {
        axis = Constant <value = int64[1] {1}> ()
        channel = Unsqueeze (waveforms, axis)
        real = Conv <strides = [320]> (channel, cosines)
        imaginary = Conv <strides = [320]> (channel, sines)
        real_power = Mul (real, real)
        imaginary_power = Mul (imaginary, imaginary)
        power = Add (real_power, imaginary_power)
        floor = Constant <value = float {1e-6}> ()
        audible = Add (power, floor)
        bands = Log (audible)
        levels = Transpose <perm = [0, 2, 1]> (bands)
    }
""")
for name, values in weights.items():
    kernels = values[:, np.newaxis].astype(np.float32)
    model.graph.initializer.append(onnx.numpy_helper.from_array(kernels, name))
folder = tempfile.TemporaryDirectory()
encoder = Path(folder.name, "filter_bank.onnx")
onnx.save(model, encoder)

# %%
# Frames
# ------
#
# With ``pooling=None``, :class:`~skser.SpeechEmbedding` returns the frames of the encoder. The two
# clips have the same speaker and sentence.

from skser import SpeechEmbedding
from skser.datasets import make_emotional_speech

speech = make_emotional_speech(
    n_speakers=6,
    emotions=["angry", "calm", "happy", "sad"],
    n_sentences=2,
    n_takes=1,
    random_state=0,
)
figure, axes = plt.subplots(1, 2, figsize=(9, 3), sharey=True, layout="constrained")
for ax, emotion in zip(axes, ["angry", "sad"], strict=True):
    clip = speech.waveforms[np.flatnonzero(speech.target == emotion)[0]]
    frames = SpeechEmbedding(encoder, pooling=None).fit_transform([clip])
    extent = (0, len(clip) / 16000, 0, 40)
    image = ax.imshow(frames[0].T, origin="lower", aspect="auto", extent=extent, vmin=-13, vmax=6)
    ax.set(title=emotion, xlabel="time (s)")
axes[0].set_ylabel("feature of the encoder")
figure.colorbar(image, ax=axes, label="log power", pad=0.01)

# %%
# A pipeline
# ----------
#
# ``pooling="mean_std"`` gives each clip the mean and the standard deviation of each feature over
# its frames. A linear discriminant with shrinkage suits vectors with more features than a corpus
# has clips.

from sklearn.discriminant_analysis import LinearDiscriminantAnalysis
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from skser import AudioLoader, evaluate
from skser.plotting import ConfusionDisplay

pipeline = make_pipeline(
    AudioLoader(sr=16000, duration=None),
    SpeechEmbedding(encoder, pooling="mean_std"),
    StandardScaler(),
    LinearDiscriminantAnalysis(solver="lsqr", shrinkage=0.3),
)
evaluation = evaluate(pipeline, speech)
ConfusionDisplay.from_evaluation(evaluation)
folder.cleanup()
evaluation.to_frame().round(2)

# %%
# With Whisper
# ------------
#
# Only the name of the encoder changes. The first `fit` downloads 290 MB from the Hugging Face Hub;
# ``memory`` keeps the features of each clip, so that the encoder runs once for each.
#
# .. code-block:: python
#
#     pipeline = make_pipeline(
#         AudioLoader(sr=16000, duration=None),
#         SpeechEmbedding("openai/whisper-base", layer="middle", memory="cache"),
#         StandardScaler(),
#         LinearDiscriminantAnalysis(solver="lsqr", shrinkage=0.3),
#     )
#
# :func:`skser.recipes.whisper` is a tuned version of this pipeline, in which four layers vote. Its
# unweighted average recall on new speakers, beside that of the default without pre-training:
#
# ============================================  ========  =====  =====
# Pipeline                                      RAVDESS   EmoDB  EMOVO
# ============================================  ========  =====  =====
# :func:`~skser.make_emotion_pipeline`          0.671     0.880  0.387
# :func:`~skser.recipes.whisper`                0.785     0.986  0.573
# ============================================  ========  =====  =====
#
# RAVDESS has 8 emotions and the five folds of Luna-Jiménez et al.; EmoDB (4 of its emotions) and
# EMOVO (7) leave one speaker out. ``benchmarks/accuracy.md`` in the repository describes the
# protocol. With a real corpus, replace ``make_emotional_speech`` by its loader, such as
# :func:`~skser.datasets.load_ravdess`.
#
# Where to go next: :doc:`/user_guide/embeddings` about layers, ONNX files and work without a
# network, and :ref:`sphx_glr_auto_examples_plot_many_corpora.py`, where such features help most.
