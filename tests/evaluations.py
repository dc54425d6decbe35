"""A fast pipeline, and a corpus of waveforms that it classifies fairly well."""

import numpy as np
import pandas as pd
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import Pipeline
from sklearn.utils import Bunch

from skser import AudioLoader, FeatureScaler, FeatureUnionExtractor


def quick_pipeline(**params):
    steps = [
        ("load", AudioLoader(duration=0.25)),
        ("features", FeatureUnionExtractor(["zcr", "rms"])),
        ("scale", FeatureScaler()),
        ("classify", LogisticRegression()),
    ]
    return Pipeline(steps).set_params(**params)


def noises(n_speakers=4, n_takes=3, emotions=("angry", "calm", "sad"), seed=0):
    """Noise whose level follows the emotion, and a little the speaker."""
    rng = np.random.default_rng(seed)
    rows = [
        (f"s{speaker:02d}", emotion, f"t{take}", "female" if speaker % 2 else "male")
        for speaker in range(n_speakers)
        for emotion in emotions
        for take in range(n_takes)
    ]
    frame = pd.DataFrame(rows, columns=["speaker", "emotion", "sentence", "gender"])
    level = 0.05 * (1 + frame["emotion"].map({name: i for i, name in enumerate(emotions)}))
    level *= np.exp(rng.normal(0, 0.35, size=len(frame)))
    level *= 1 + 0.2 * frame["speaker"].str[1:].astype(int)
    return Bunch(
        waveforms=level.to_numpy()[:, None] * rng.normal(size=(len(frame), 4000)),
        target=frame["emotion"].to_numpy(dtype=str),
        groups=frame["speaker"].to_numpy(dtype=str),
        frame=frame,
    )
