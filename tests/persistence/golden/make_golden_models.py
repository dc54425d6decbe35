"""Write model files, and the probabilities of their pipelines for a few clips, as golden values.

Run as ``python -m tests.persistence.golden.make_golden_models format_3`` for a new format, in a
folder beside ``format_2``. Files of older formats stay as they are; all formats share the clips.
"""

import json
import sys
from pathlib import Path

from sklearn import config_context
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis
from sklearn.pipeline import Pipeline

import skser
from skser.calibration import TemperatureScaledClassifier
from skser.classifiers import SoftVotingClassifier
from skser.datasets import make_emotional_speech
from skser.features import MFCC
from skser.networks import dense
from skser.persistence import ModelInfo
from skser.recipes import dense_195, functionals

HERE = Path(__file__).parent
CLIPS = sorted((HERE / "clips").glob("*.flac"))  # two of a speaker in training, two of another
GROUPS = ["synthetic-f01", "synthetic-f01", "synthetic-f05", "synthetic-f05"]
QUICK = {"random_state": 0, "augment__n_views": 2}
# Strongly shrunk, so that no probability is 0 or 1.
UNSURE = {
    "features__statistics": ("mean", "std", "p95", "slope"),
    "classify__estimator__shrinkage": 0.97,
}
BLOCKS = ["rms", "zcr", "centroid", ("mfcc", MFCC(n_mfcc=4, n_mels=26, fmin=20.0))]


def own_network(meta, units):
    return dense(meta, dense_units=(units,))


def of_functionals(speech):
    pipeline = functionals(**QUICK, **UNSURE, features__blocks=[*BLOCKS, "pitch"])
    return pipeline.fit(speech.waveforms, speech.target)


def of_dense_195(speech):
    pipeline = dense_195(random_state=0, classify__network__dense_units=(8,), classify__epochs=2)
    return pipeline.fit(speech.waveforms, speech.target)


def of_the_default(speech):
    network = {"filters": (2, 4), "projection_units": 4, "attention_units": 4, "dense_units": 4}
    pipeline = skser.make_emotion_pipeline(
        **QUICK,
        vote__functionals__features__blocks=BLOCKS,
        vote__network__classify__epochs=2,
        **{f"vote__network__classify__network__{name}": value for name, value in network.items()},
    )
    return pipeline.fit(speech.waveforms, speech.target)


def of_all_network_params(speech):
    """Two networks with every parameter of a network set."""
    network = skser.CNNEmotionClassifier(
        "cnn_bilstm_attention",
        network__filters=(2, 3),
        network__kernel_size=3,
        network__pool_size=2,
        network__recurrent_units=2,
        network__attention_units=3,
        network__dense_units=4,
        network__dropout=0.1,
        network__dense_dropout=0.2,
        view_sampling="all",
        n_networks=2,
        epochs=1,
        random_state=0,
    )
    return with_network(network).fit(speech.waveforms, speech.target)


def of_own_network(speech):
    """A network of a function, with a parameter of its own."""
    network = skser.CNNEmotionClassifier(own_network, network__units=3, epochs=1, random_state=0)
    return with_network(network).fit(speech.waveforms, speech.target)


def with_network(network):
    return Pipeline(
        [
            ("load", skser.AudioLoader(duration=1.0)),
            ("features", skser.FeatureUnionExtractor(["rms", "mel"], statistics=None)),
            ("scale", skser.FeatureScaler()),
            ("classify", network),
        ]
    )


def of_calibration(speech):
    scaled = TemperatureScaledClassifier(
        functionals(**QUICK, **UNSURE, features__blocks=BLOCKS), cv=2
    )
    return scaled.fit(speech.waveforms, speech.target, groups=speech.groups)


def of_speakers(speech):
    """Features less each speaker's mean, of speakers in training alone, in a vote of one."""
    members = [("lda", LinearDiscriminantAnalysis(solver="lsqr", shrinkage=0.97))]
    pipeline = Pipeline(
        [
            ("load", skser.AudioLoader(duration=1.0)),
            ("features", skser.FeatureUnionExtractor(BLOCKS)),
            ("normalize", skser.SpeakerNormalizer(n_calibration=2)),
            ("classify", SoftVotingClassifier(members)),
        ]
    )
    return pipeline.fit(speech.waveforms, speech.target, groups=speech.groups)


MODELS = {
    "functionals": of_functionals,
    "dense_195": of_dense_195,
    "default": of_the_default,
    "all_network_params": of_all_network_params,
    "own_network": of_own_network,
    "calibrated": of_calibration,
    "speakers": of_speakers,
}


def main(folder):
    folder.mkdir(parents=True)
    emotions = ["fear", "happy", "neutral"]
    speech = make_emotional_speech(
        n_speakers=4, emotions=emotions, n_sentences=2, n_takes=1, random_state=0
    )
    content = {"groups": GROUPS, "classes": emotions, "probabilities": {}}
    for name, make in MODELS.items():
        with config_context(enable_metadata_routing=True):
            pipeline = make(speech)
            params = {"groups": GROUPS} if name == "speakers" else {}
            probabilities = pipeline.predict_proba(list(map(str, CLIPS)), **params)
        skser.save(pipeline, folder / f"{name}.skser", info=ModelInfo.of(speech))
        content["probabilities"][name] = probabilities.tolist()
    (folder / "probabilities.json").write_text(json.dumps(content, indent=1) + "\n")


if __name__ == "__main__":
    main(HERE / sys.argv[1])
