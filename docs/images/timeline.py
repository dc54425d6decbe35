"""The picture of the first page: a recording, and the probabilities of emotions over its time.

    python docs/images/timeline.py

Writes timeline-light.svg and timeline-dark.svg. Speech is synthetic, of a new speaker.
"""

from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np

from skser import predict_timeline
from skser.datasets import make_emotional_speech
from skser.plotting import TimelineDisplay
from skser.recipes import functionals

FOLDER = Path(__file__).parent
SR = 16000
STORY = ["neutral", "happy", None, "angry", "angry", "sad", None, "neutral"]
COLOURS = {"light": ("#222832", "#0072B2"), "dark": ("#ced6dd", "#56B4E9")}


def recording(speech, speaker):
    """Clips of a speaker one after another, with pauses."""
    pieces = []
    for n, emotion in enumerate(STORY):
        mine = (speech.groups == speaker) & (speech.target == emotion)
        clips = [speech.waveforms[i] for i in np.flatnonzero(mine)]
        pieces += clips[2 * (n % 2) :][:3] if emotion else [np.zeros(3 * SR)]
    return np.concatenate(pieces).astype(np.float32)


def draw(audio, timeline, ink, blue):
    rc = {"text.color": ink, "axes.labelcolor": ink, "axes.edgecolor": ink, "xtick.color": ink}
    rc |= {"ytick.color": ink, "svg.hashsalt": "skser", "font.size": 11}
    with plt.rc_context(rc):
        figure = plt.figure(figsize=(7.4, 4.3), layout="constrained")
        figure.patch.set_alpha(0)
        wave, emotions = figure.subplots(2, height_ratios=[1, 2.4], sharex=True)
        peaks = np.abs(audio[: len(audio) // 640 * 640].reshape(-1, 640)).max(axis=1)
        wave.fill_between(np.arange(len(peaks)) * 640 / SR, -peaks, peaks, color=blue, lw=0)
        wave.set_axis_off()
        TimelineDisplay(timeline).plot(ax=emotions)
        emotions.patch.set_alpha(0)
        emotions.set_xlabel("time (min:s)")
    return figure


def main():
    speech = make_emotional_speech(n_speakers=10, n_sentences=3, n_takes=2, random_state=0)
    speaker = speech.groups[-1]
    known = np.flatnonzero(speech.groups != speaker)
    pipeline = functionals(random_state=0)
    pipeline.fit([speech.waveforms[i] for i in known], speech.target[known])
    audio = recording(speech, speaker)
    timeline = predict_timeline(pipeline, audio, hop=0.5)
    for name, colours in COLOURS.items():
        figure = draw(audio, timeline, *colours)
        figure.savefig(FOLDER / f"timeline-{name}.svg", metadata={"Date": None})


if __name__ == "__main__":
    main()
