"""The picture of the first page: a recording, and the probabilities of emotions over its time.

    python docs/images/timeline.py

Writes timeline-light.svg and timeline-dark.svg. Speech is synthetic, of a new speaker.
"""

from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.colors import LinearSegmentedColormap

from skser import predict_timeline
from skser.datasets import make_emotional_speech
from skser.plotting import TimelineDisplay
from skser.recipes import functionals

FOLDER = Path(__file__).parent
SR = 16000
EMOTIONS = ["angry", "happy", "neutral", "sad"]
STORY = ["neutral", "happy", None, "angry", "sad", None, "neutral"]
PAUSE = 3  # s
# Page, text, waveform, silence.
COLOURS = {
    "light": ("#ffffff", "#222832", "#0072B2", "#e4e6ea"),
    "dark": ("#14181e", "#ced6dd", "#56B4E9", "#29313d"),
}


def recording(speech, speaker):
    """Clips of a speaker one after another, and what is acted from when to when."""
    pieces, acted, start = [], [], 0.0
    for emotion in STORY:
        mine = np.flatnonzero((speech.groups == speaker) & (speech.target == emotion))
        clips = [speech.waveforms[i] for i in mine[:4]] if emotion else [np.zeros(PAUSE * SR)]
        end = start + sum(map(len, clips)) / SR
        acted.append((emotion, start, end))
        pieces += clips
        start = end
    return np.concatenate(pieces).astype(np.float32), acted


def draw(audio, acted, timeline, page, ink, blue, grey):
    rc = {"text.color": ink, "axes.labelcolor": ink, "axes.edgecolor": ink, "xtick.color": ink}
    rc |= {"ytick.color": ink, "svg.hashsalt": "skser", "font.size": 11}
    with plt.rc_context(rc):
        figure = plt.figure(figsize=(7.4, 4.2), layout="constrained")
        figure.patch.set_alpha(0)
        wave, emotions = figure.subplots(2, height_ratios=[1, 1.9], sharex=True)
        peaks = np.abs(audio[: len(audio) // 640 * 640].reshape(-1, 640)).max(axis=1)
        wave.fill_between(np.arange(len(peaks)) * 640 / SR, -peaks, peaks, color=blue, lw=0)
        for emotion, start, end in acted:
            if emotion:
                wave.text((start + end) / 2, 1.05, emotion, ha="center")
        beside = wave.get_yaxis_transform()
        wave.text(-0.03, 1.05, "acted", ha="right", transform=beside)
        wave.set(ylim=(-1, 1.25))
        wave.set_axis_off()
        display = TimelineDisplay(timeline).plot(ax=emotions)
        display.image_.set_cmap(LinearSegmentedColormap.from_list("", [page, blue]))
        display.silence_.set(facecolor=grey, edgecolor=page)
        for line in emotions.lines:
            line.set_color(page)
        emotions.set_xlabel("time (min:s)")
        emotions.patch.set_alpha(0)
    return figure


def main():
    speech = make_emotional_speech(n_speakers=10, emotions=EMOTIONS, random_state=0)
    speaker = speech.groups[-1]
    known = np.flatnonzero(speech.groups != speaker)
    pipeline = functionals(random_state=0)
    pipeline.fit([speech.waveforms[i] for i in known], speech.target[known])
    audio, acted = recording(speech, speaker)
    timeline = predict_timeline(pipeline, audio, hop=0.5)
    for name, colours in COLOURS.items():
        figure = draw(audio, acted, timeline, *colours)
        figure.savefig(FOLDER / f"timeline-{name}.svg", metadata={"Date": None})


if __name__ == "__main__":
    main()
