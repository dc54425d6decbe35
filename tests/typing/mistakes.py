"""Mistakes that mypy finds against the installed wheel; `.ci/package` runs it.

With `--strict`, an ignored error that mypy does not find is an error.
"""

import skser
from skser import AudioLoader, Clips, FeatureUnionExtractor, read_audio

AudioLoader(sr="16000")  # type: ignore[arg-type]
AudioLoader(rate=16000)  # type: ignore[call-arg]
AudioLoader(pad="start")  # type: ignore[arg-type]
Clips.from_waveforms([[0.0, 0.1]])  # type: ignore[call-arg]
FeatureUnionExtractor("mfcc", sr=None)  # type: ignore[arg-type]
read_audio("talk.wav", 16000, 1.0)  # type: ignore[call-arg]
read_audio(3)  # type: ignore[arg-type]
skser.make_emotion_pipeline(0)  # type: ignore[call-arg]
skser.evaluate_pipeline  # type: ignore[attr-defined]  # noqa: B018
skser.load("model.skser", runtime="torch")  # type: ignore[arg-type]
