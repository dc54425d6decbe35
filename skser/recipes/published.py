"""Recipes that stand in for published systems.

Each follows what its authors say of data, features, augmentation, network and training. What they
do not say is filled in, and its docstring says with what.
"""

from __future__ import annotations

from typing import Any, NamedTuple

from sklearn.base import clone
from sklearn.pipeline import Pipeline

from ..audio import AudioLoader
from ..augmentation import Augmenter
from ..classifiers import CNNEmotionClassifier
from ..features import MFCC, RMS, FeatureUnionExtractor, ZeroCrossingRate
from ..networks._batches import NOTHING_DRAWN
from ._assembly import assemble, documented

# None of them changes features while it trains, but for one with mixup, or plans the learning rate.
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


class _System(NamedTuple):
    """What a published system has of its own."""

    load: dict[str, Any]
    augment: dict[str, Any]
    blocks: list[Any]
    is_sequence: bool
    classify: dict[str, Any]


_SYSTEMS = {
    "mfcc_cnn": _System(
        load={"duration": None, "pad": None},
        augment={"n_views": 4, "speed": (0.9, 1.1)},
        blocks=[("mfcc", MFCC(n_mfcc=40))],
        is_sequence=False,
        classify={
            "architecture": "cnn_average_pooling",
            "epochs": 50,
            "batch_size": 16,
            "validation_fraction": 0.3,
        },
    ),
    "cnn_512": _System(
        load={"offset": 0.6, "duration": 2.5},
        augment={"n_views": 4, "shift": None},
        blocks=[("zcr", ZeroCrossingRate()), ("rms", RMS()), ("mfcc", MFCC(n_mfcc=20))],
        is_sequence=True,
        classify={
            "architecture": "cnn512",
            "epochs": 20,
            "batch_size": 64,
            "early_stopping": 5,
            "plateau_patience": 3,
            "validation_fraction": 0.2,
        },
    ),
    "cnn_bilstm_attention": _System(
        load={"duration": 3.0},
        augment={"n_views": 4},
        blocks=[("mfcc", MFCC(n_mfcc=40))],
        is_sequence=True,
        classify={
            "architecture": "cnn_bilstm_attention",
            "epochs": 60,
            "batch_size": 32,
            "early_stopping": 10,
            "validation_fraction": 0.2,
            "mixup": 0.2,
        },
    ),
    "dense_195": _System(
        load={"duration": 3.0},
        augment={"n_views": 1},
        blocks=["mfcc", "chroma", "mel", "contrast", "tonnetz", "zcr", "rolloff"],
        is_sequence=False,
        classify={
            "architecture": "dense",
            "epochs": 100,
            "batch_size": 32,
            "early_stopping": 15,
            "validation_fraction": 0.15 / 0.85,
        },
    ),
    "cnn_256": _System(
        load={"duration": 3.0},
        augment={"n_views": 1},
        blocks=["zcr", "chroma", ("mfcc", MFCC(n_mfcc=20)), "mel", "rms"],
        is_sequence=False,
        classify={
            "architecture": "cnn256",
            "epochs": 50,
            "batch_size": 64,
            "early_stopping": 10,
            "validation_fraction": 0.2,
        },
    ),
}


def _make(name: str, params: dict[str, Any]) -> Pipeline:
    system = _SYSTEMS[name]
    # librosa's frames, which notebooks leave as they are; blocks are copied out of the table.
    features = FeatureUnionExtractor(system.blocks, n_fft=2048, hop_length=512)
    if system.is_sequence:
        features.set_params(statistics=None)
    return assemble(
        AudioLoader(sr=22050, **system.load),
        Augmenter(**system.augment),
        clone(features),
        CNNEmotionClassifier(**{**_PLAIN_TRAINING, **system.classify}),
        **params,
    )


@documented
def mfcc_cnn(**params: Any) -> Pipeline:
    """Make a small Conv1D network on mean MFCC, as a published Kazakh system does.

    Source: a Kazakh speech emotion recogniser for six emotions, labelled by a CSV file of
    ``FileName,Emotion``. Its parts: mean MFCC as a vector of one channel; noise, stretch,
    pitch, speed and shift; convolution, average pooling, dropout, maximum pooling, hidden
    layer; Adam, batches of 16, 50 epochs, a learning rate that falls on a plateau; 30 % held
    out and watched. It claims 87 % accuracy in training and 72 % in validation, on speakers
    that it was trained on.

    {shared}

    Notes
    -----
    Not published, and filled in: 22.05 kHz and librosa's frames; whole recordings; 40
    coefficients; ranges of the transforms (those of :class:`Augmenter`, speed .9 to 1.1) and
    three augmented views; a second convolution before the maximum pooling; 256 and 128 filters
    of 5, pooling by 2, dropout .2, 64 hidden units; each view passes through all transforms;
    standardised features; the plateau's factor .5 and patience 5.

    Examples
    --------
    >>> from skser.recipes import mfcc_cnn
    >>> mfcc_cnn(classify__epochs=5, random_state=0)["classify"].architecture
    'cnn_average_pooling'
    """
    return _make("mfcc_cnn", params)


@documented
def cnn_512(**params: Any) -> Pipeline:
    """Make a wide Conv1D network on MFCC, zero crossings and RMS, as a published system does.

    Source: a convolutional network for RAVDESS speech and song, eight emotions. Its parts:
    MFCC, zero-crossing rate and RMS of 2.5 s from 0.6 s on, standardised; noise, pitch and
    stretch, which make four times the data; convolutions of 512, 512, 256, 256 and 128 filters
    with batch normalisation, pooling and dropout, 512 hidden units; Adam, batches of 64, 20
    epochs, early stopping, a learning rate that falls on a plateau, the best weights kept; 20 %
    held out and watched. It claims 87.25 % accuracy and a macro F1 of .87, on speakers, and on
    augmented copies of recordings, that it was trained on.

    {shared}

    Notes
    -----
    Not published, and filled in: 22.05 kHz and librosa's frames; 20 coefficients; ranges of the
    transforms (those of :class:`Augmenter`), all of which each of three views passes through;
    filters of 5, pooling over 5 with stride 2, dropout .2, a momentum of .9 in batch
    normalisation; patience 5 in early stopping, factor .5 and patience 3 on the plateau. The
    network convolves frames of 22 features over time; one vector of all frames, one after the
    other, would take twenty times as long.

    Examples
    --------
    >>> from skser.recipes import cnn_512
    >>> cnn_512(classify__epochs=5, random_state=0)["classify"].architecture
    'cnn512'
    """
    return _make("cnn_512", params)


@documented
def cnn_bilstm_attention(**params: Any) -> Pipeline:
    """Make convolutions, a BiLSTM and attention on MFCC, as a published system does.

    Source: a convolutional and recurrent network for RAVDESS, eight emotions. Its parts: MFCC
    sequences; noise, pitch, stretch and time shift, and mixup; convolutions with batch
    normalisation and dropout, a bidirectional LSTM, attention, hidden layer; early stopping and
    a learning rate that falls on a plateau. It claims about 94 % in validation, on speakers
    that it was trained on.

    {shared}

    Notes
    -----
    Not published, and filled in: 22.05 kHz and librosa's frames; 3 s; 40 coefficients; ranges of
    the transforms (those of :class:`Augmenter`), all of which each of three views passes through;
    64 and 128 filters of 5, pooling by 2, dropout .2, a momentum of .9 in batch normalisation, 64
    units each way, 64 units of attention, 64 hidden units, dropout .3; Adam, batches of 32, at most
    60 epochs, patience 10 and on the plateau 5, factor .5; mixup with Beta(.2, .2); 20 % held out
    and watched.

    Examples
    --------
    >>> from skser.recipes import cnn_bilstm_attention
    >>> cnn_bilstm_attention(classify__epochs=5, random_state=0)["classify"].architecture
    'cnn_bilstm_attention'
    """
    return _make("cnn_bilstm_attention", params)


@documented
def dense_195(**params: Any) -> Pipeline:
    """Make a dense network on the usual 195 features, as a published system does.

    Source: a dense network for RAVDESS, CREMA-D, TESS and SAVEE together, 12,162 recordings,
    eight emotions. Its parts: 195 means (MFCC 40, chroma 12, mel 128, contrast 7, tonnetz 6,
    zero crossings 1, rolloff 1) of 3 s at 22.05 kHz, standardised; hidden layers of 512, 256,
    128 and 64 units with batch normalisation and dropout .3 and .2, 277,192 parameters; Adam at
    1e-3, batches of 32, 100 epochs, early stopping after 15, learning rate halved after 5; 70 %
    to train, 15 % to watch, 15 % to test. It claims 63.94 % accuracy and a macro F1 of .63, on
    speakers that it was trained on.

    {shared}

    Notes
    -----
    Not published, and filled in: librosa's frames; tonnetz from the constant-Q transform,
    librosa's default; dropout .3 after all hidden layers but the last; a momentum of .9 in batch
    normalisation.

    Examples
    --------
    >>> from skser.recipes import dense_195
    >>> dense_195(classify__epochs=5, random_state=0)["classify"].architecture
    'dense'
    """
    return _make("dense_195", params)


@documented
def cnn_256(**params: Any) -> Pipeline:
    """Make a Conv1D network on 162 means, as a published system does.

    Source: a convolutional network for RAVDESS, CREMA-D, TESS and SAVEE together, about 12,200
    recordings, eight emotions. Its parts: means of zero crossings, chroma, MFCC, mel bands and
    RMS; convolutions of 256 filters of 5 with maximum pooling over 5, dropout .2 and .3, 32
    hidden units. It claims 71 % accuracy, on speakers that it was trained on.

    {shared}

    Notes
    -----
    Not published, and filled in: 22.05 kHz and librosa's frames; 3 s; 20 coefficients;
    standardised features; 256, 256, 128 and 64 filters, stride 2 of the pooling; Adam at 1e-3,
    batches of 64, 50 epochs, learning rate halved after 5 without progress, the best weights
    kept, patience 10; 20 % held out and watched. No augmentation is stated, and none is done.

    Examples
    --------
    >>> from skser.recipes import cnn_256
    >>> cnn_256(classify__epochs=5, random_state=0)["classify"].architecture
    'cnn256'
    """
    return _make("cnn_256", params)
