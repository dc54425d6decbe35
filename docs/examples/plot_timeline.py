"""
Emotion over a long recording
=============================

A pipeline labels clips. :func:`~skser.predict_timeline` labels a long recording with it, second by
second. The recording of this example is made by joining synthetic clips, so its true emotions are
known.
"""

# %%
# A recording
# -----------
#
# One voice speaks calmly, is silent for four seconds, gets angry, and ends sad.

import numpy as np

from skser.datasets import make_emotional_speech

emotions = ["angry", "calm", "sad"]
speech = make_emotional_speech(
    n_speakers=7, emotions=emotions, n_sentences=6, n_takes=1, random_state=0
)
is_voice = speech.groups == "synthetic-f07"
silence = np.zeros(4 * speech.sr, dtype=np.float32)


def clips_of(emotion):
    chosen = np.flatnonzero(is_voice & (speech.target == emotion))[:4]
    return [speech.waveforms[i] for i in chosen]


scenes = [clips_of("calm"), [silence], clips_of("angry"), clips_of("sad")]
recording = np.concatenate([clip for clips in scenes for clip in clips])

# %%
# Listen to it:

import soundfile

soundfile.write("recording.wav", recording, speech.sr)

# %%
# Its timeline
# ------------
#
# The pipeline learns from the other six speakers. A row of the timeline is a second, predicted from
# the two seconds around it, about the length of the training clips.

from skser import predict_timeline
from skser.recipes import functionals

pipeline = functionals(augment="passthrough", features__statistics=("mean", "std"), random_state=0)
known = np.flatnonzero(~is_voice)
pipeline.fit([speech.waveforms[i] for i in known], speech.target[known])
timeline = predict_timeline(pipeline, "recording.wav", window=2.0)
timeline.head(3).round(2)

# %%
# :class:`~skser.plotting.TimelineDisplay` draws a row for each emotion, darker where it is more
# probable, under a strip of the most probable one. Silence is hatched. The dashed lines, which are
# added here, are the true changes. Single sentences get a wrong label; a longer ``smoothing`` hides
# short mistakes, and short changes with them.

import matplotlib.pyplot as plt

from skser.plotting import TimelineDisplay

display = TimelineDisplay(timeline).plot()
for change in np.cumsum([sum(map(len, clips)) for clips in scenes[:-1]]) / speech.sr:
    display.ax_.axvline(change, color="black", linestyle="--")
plt.show()

# %%
# Segments and subtitles
# ----------------------
#
# :func:`~skser.inference.segments` merges neighbouring rows of the same emotion.

from skser.inference import segments, to_srt

segments(timeline).round(2)

# %%
# :func:`~skser.inference.to_srt` writes them as subtitles, and
# :func:`~skser.inference.to_textgrid` as a tier for Praat.

print(to_srt(timeline))

# %%
# ``predict_timeline(model, "interview.mp3")`` reads hours of audio in bounded memory, and ``skser
# timeline`` does all of this on the command line. Real speech changes less clearly than this, and a
# pipeline that was fitted on acted emotions finds no others.
#
# Where to go next: :doc:`/user_guide/timeline` about windows, smoothing and the channels of a call,
# and :doc:`/user_guide/live` about audio from a microphone.
