"""Reimplementations of published systems.

Each follows its source in data, features, augmentation, network and training. Its docstring lists
the published parts, and the choices made here where the source is silent.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from sklearn.pipeline import Pipeline

from ..audio import AudioLoader
from ..augmentation import Augmenter
from ..classifiers import CNNEmotionClassifier
from ..features import MFCC, RMS, FeatureUnionExtractor, ZeroCrossingRate
from ..networks._batches import NOTHING_DRAWN
from ._assembly import assemble, documented

# Unchanged features (one system uses mixup), and a learning rate that falls on a plateau.
_PLAIN_TRAINING: dict[str, Any] = {
    "optimizer": "adam",
    "learning_rate": 1e-3,
    "weight_decay": 0.0,
    "clip_norm": None,
    "schedule": "plateau",
    "label_smoothing": 0.0,
    **NOTHING_DRAWN,
    "view_sampling": "all",
}


def _make(
    load: Mapping[str, Any],
    augment: Augmenter,
    blocks: Sequence[str | tuple[str, Any]],
    training: Mapping[str, Any],
    params: dict[str, object],
    statistics: tuple[str, ...] | None = ("mean",),
) -> Pipeline:
    """A pipeline at 22.05 kHz with librosa's default frames."""
    return assemble(
        AudioLoader(sr=22050, **load),
        augment,
        FeatureUnionExtractor(list(blocks), n_fft=2048, hop_length=512, statistics=statistics),
        CNNEmotionClassifier(**{**_PLAIN_TRAINING, **training}),
        **params,
    )


@documented
def mfcc_cnn(**params: object) -> Pipeline:
    """Make a small Conv1D network on mean MFCC, as in a published Kazakh system.

    The source is a Kazakh speech emotion recogniser for six emotions. Published: mean MFCC as a
    vector of one channel; noise, stretch, pitch, speed and shift; convolution, average pooling,
    dropout, maximum pooling, hidden layer; Adam, batches of 16, 50 epochs, a learning rate that
    falls on a plateau; 30 % for validation. It claims 87 % accuracy in training and 72 % in
    validation, on speakers seen in training.

    {shared}

    Notes
    -----
    Chosen here: 22.05 kHz and librosa's frames; whole recordings; 40 coefficients, standardised;
    three augmented views, each through all transforms in the ranges of :class:`Augmenter` (speed .9
    to 1.1); a second convolution before the maximum pooling; 256 and 128 filters of 5, pooling by
    2, dropout .2, 64 hidden units; factor .5 and patience 5 on the plateau.

    Examples
    --------
    >>> from skser.recipes import mfcc_cnn
    >>> mfcc_cnn(classify__epochs=5, random_state=0)["classify"].architecture
    'cnn_average_pooling'
    """
    training = {
        "architecture": "cnn_average_pooling",
        "epochs": 50,
        "batch_size": 16,
        "validation_fraction": 0.3,
    }
    augment = Augmenter(n_views=4, speed=(0.9, 1.1))
    load = {"duration": None, "pad": None}
    return _make(load, augment, [("mfcc", MFCC(n_mfcc=40))], training, params)


@documented
def cnn_512(**params: object) -> Pipeline:
    """Make a wide Conv1D network on MFCC, zero crossings and RMS, as in a published system.

    The source is a convolutional network for RAVDESS speech and song, eight emotions. Published:
    MFCC, zero-crossing rate and RMS of 2.5 s from 0.6 s on, standardised; noise, pitch and stretch,
    which make four times the data; convolutions of 512, 512, 256, 256 and 128 filters with batch
    normalisation, pooling and dropout, 512 hidden units; Adam, batches of 64, 20 epochs, early
    stopping, a learning rate that falls on a plateau, the best weights; 20 % for validation. It
    claims 87.25 % accuracy and a macro F1 of .87, on speakers, and on augmented copies of
    recordings, seen in training.

    {shared}

    Notes
    -----
    Chosen here: 22.05 kHz and librosa's frames; 20 coefficients; three augmented views, each
    through all transforms in the ranges of :class:`Augmenter`; filters of 5, pooling over 5 with
    stride 2, dropout .2, batch normalisation with momentum .9; early stopping with patience 5;
    factor .5 and patience 3 on the plateau. The network convolves frames of 22 features over time;
    one long vector of all frames would take twenty times as long.
    """
    training = {
        "architecture": "cnn512",
        "epochs": 20,
        "batch_size": 64,
        "early_stopping": 5,
        "plateau_patience": 3,
        "validation_fraction": 0.2,
    }
    blocks = [("zcr", ZeroCrossingRate()), ("rms", RMS()), ("mfcc", MFCC(n_mfcc=20))]
    augment = Augmenter(n_views=4, shift=None)
    return _make({"offset": 0.6, "duration": 2.5}, augment, blocks, training, params, None)


@documented
def cnn_bilstm_attention(**params: object) -> Pipeline:
    """Make convolutions, a BiLSTM and attention on MFCC, as in a published system.

    The source is a convolutional and recurrent network for RAVDESS, eight emotions. Published: MFCC
    sequences; noise, pitch, stretch and time shift, and mixup; convolutions with batch
    normalisation and dropout, a bidirectional LSTM, attention, hidden layer; early stopping and a
    learning rate that falls on a plateau. It claims about 94 % accuracy in validation, on speakers
    seen in training.

    {shared}

    Notes
    -----
    Chosen here: 22.05 kHz and librosa's frames; 3 s; 40 coefficients; three augmented views, each
    through all transforms in the ranges of :class:`Augmenter`; 64 and 128 filters of 5, pooling by
    2, dropout .2, batch normalisation with momentum .9, 64 units in each direction, 64 units of
    attention, 64 hidden units, dropout .3; Adam, batches of 32, 60 epochs, early stopping with
    patience 10; factor .5 and patience 5 on the plateau; mixup with Beta(.2, .2); 20 % for
    validation.
    """
    training = {
        "architecture": "cnn_bilstm_attention",
        "epochs": 60,
        "batch_size": 32,
        "early_stopping": 10,
        "validation_fraction": 0.2,
        "mixup": 0.2,
    }
    blocks = [("mfcc", MFCC(n_mfcc=40))]
    return _make({"duration": 3.0}, Augmenter(n_views=4), blocks, training, params, None)


@documented
def dense_195(**params: object) -> Pipeline:
    """Make a dense network on 195 features, as in a published system.

    The source is a dense network for RAVDESS, CREMA-D, TESS and SAVEE together, 12,162 recordings,
    eight emotions. Published: 195 means (MFCC 40, chroma 12, mel 128, contrast 7, tonnetz 6, zero
    crossings 1, rolloff 1) of 3 s at 22.05 kHz, standardised; hidden layers of 512, 256, 128 and 64
    units with batch normalisation and dropout .3 and .2, 277,192 parameters; Adam at 1e-3, batches
    of 32, 100 epochs, early stopping after 15, learning rate halved after 5; 70 % for training,
    15 % for validation, 15 % for testing. It claims 63.94 % accuracy and a macro F1 of .63, on
    speakers seen in training.

    {shared}

    Notes
    -----
    Chosen here: librosa's frames; tonnetz from the constant-Q transform, librosa's default; dropout
    .3 after all hidden layers but the last; batch normalisation with momentum .9.
    """
    training = {
        "architecture": "dense",
        "epochs": 100,
        "batch_size": 32,
        "early_stopping": 15,
        "validation_fraction": 0.15 / 0.85,
    }
    blocks = ["mfcc", "chroma", "mel", "contrast", "tonnetz", "zcr", "rolloff"]
    return _make({"duration": 3.0}, Augmenter(n_views=1), blocks, training, params)


@documented
def cnn_256(**params: object) -> Pipeline:
    """Make a Conv1D network on 162 means, as in a published system.

    The source is a convolutional network for RAVDESS, CREMA-D, TESS and SAVEE together, about
    12,200 recordings, eight emotions. Published: means of zero crossings, chroma, MFCC, mel bands
    and RMS; convolutions of 256 filters of 5 with maximum pooling over 5, dropout .2 and .3, 32
    hidden units. It claims 71 % accuracy, on speakers seen in training.

    {shared}

    Notes
    -----
    Chosen here: 22.05 kHz and librosa's frames; 3 s; 20 coefficients; standardised features; no
    augmentation; 256, 256, 128 and 64 filters, pooling with stride 2; Adam at 1e-3, batches of 64,
    50 epochs, early stopping with patience 10, learning rate halved after 5 epochs; 20 % for
    validation.
    """
    training = {
        "architecture": "cnn256",
        "epochs": 50,
        "batch_size": 64,
        "early_stopping": 10,
        "validation_fraction": 0.2,
    }
    blocks: list[Any] = ["zcr", "chroma", ("mfcc", MFCC(n_mfcc=20)), "mel", "rms"]
    return _make({"duration": 3.0}, Augmenter(n_views=1), blocks, training, params)
