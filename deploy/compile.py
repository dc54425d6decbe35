"""Compile the kernels of all features into the installed package: python deploy/compile.py

A container of an image built so answers its first request at once, though it cannot write to the
package.
"""

from io import BytesIO

import numpy as np
import soundfile
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline

from skser import AudioLoader, FeatureUnionExtractor
from skser.embeddings._log_mel import log_mel
from skser.features.blocks._named import DEFAULT_BLOCKS
from skser.features.dsp._statistics import STATISTICS
from skser.inference import predict_timeline


def main() -> None:
    """Predict with every feature, from files and over time, with and without statistics."""
    waveforms = np.random.default_rng(0).normal(0, 0.1, (4, 32000))
    file = BytesIO()
    soundfile.write(file, waveforms.ravel(), 16000, format="WAV")
    together = [*DEFAULT_BLOCKS]  # in double precision if one of them is; alone, some are in single
    for blocks in (*([block] for block in together), together):
        for statistics in (tuple(STATISTICS), None):
            features = FeatureUnionExtractor(blocks, deltas=2, statistics=statistics)
            make_pipeline(AudioLoader(), features).fit_transform([file.getvalue()])
    pipeline = make_pipeline(AudioLoader(), features.set_params(statistics=("mean",)))
    pipeline.steps.append(("classify", LogisticRegression()))
    pipeline.fit([file.getvalue()] * 2 + list(waveforms[:2]), ["calm", "sad"] * 2)
    predict_timeline(pipeline, file.getvalue())
    log_mel(waveforms[0].astype(np.float32), 80)  # of encoders, in single precision


if __name__ == "__main__":
    main()
