"""A user's script for mypy, which `.ci/package` runs against the installed wheel.

`assert_type` also fails where a type has become Any, which an annotation would accept.
"""

from pathlib import Path

import numpy as np
from typing_extensions import assert_type

import skser
from skser import (
    AudioLoader,
    Augmenter,
    Clips,
    CNNEmotionClassifier,
    Evaluation,
    FeatureUnionExtractor,
    compare,
    evaluate,
    make_emotion_pipeline,
    predict_table,
    predict_timeline,
    read_audio,
)
from skser.audio import AudioInfo
from skser.datasets import load_ravdess
from skser.inference import TrainingAudio
from skser.recipes import functionals

assert_type(skser.__version__, str)

speech = load_ravdess("RAVDESS")
pipeline = make_emotion_pipeline(random_state=0, memory=Path("cache"), augment__n_views=2)
evaluation = evaluate(pipeline, speech, n_jobs=2, checkpoint="folds")
assert_type(evaluation, Evaluation)
assert_type(evaluation.protocol, str)
assert_type(evaluation.save("scores"), list[Path])
scores = evaluation.by("gender")
paired = compare(evaluation, evaluate(functionals(), speech.paths, speech.target))

waveform, sr = read_audio("talk.wav", offset=1.0, channel=0)
assert_type(sr, int)
assert_type(skser.inspect_audio(b"RIFF"), AudioInfo)
assert_type(skser.inspect_audio(Path("talk.wav")).sr, int)

clips = AudioLoader(sr=16000, duration=None).transform(["a.wav", Path("b.mp3"), (waveform, sr)])
assert_type(clips, Clips)
assert_type(Clips.from_waveforms([np.zeros(16000)], sr=16000), Clips)
views = Augmenter(n_views=2, random_state=0).fit(clips).transform(clips)
extractor = FeatureUnionExtractor(["mfcc", "rms"], statistics=("mean", "std"))
network = CNNEmotionClassifier(epochs=3, random_state=0)

model = skser.load("model.skser")
training = TrainingAudio.of(model, ["a.wav"])
assert_type(training.ood_reasons("a.wav"), tuple[str, ...])
table = predict_table(model, ["a.wav"], abstain_below=0.5, training_audio=training)
timeline = predict_timeline(model, "talk.wav", channel="each")
skser.save(model, Path("copy.skser"))
