"""Corpora of emotional speech: where the recordings are, what they express and who speaks.

Loaders read names and tables, never audio. All return a Bunch with ``paths``, ``target``,
``groups`` (the speakers), ``frame`` and ``DESCR``.
"""

from ._check import check_audio
from ._corpus import EMOTIONS
from ._names import NamedCorpus
from .auto import load_corpus
from .crema_d import load_crema_d
from .emodb import load_emodb
from .emovo import load_emovo
from .fetch import fetch_crema_d, fetch_emodb, fetch_ravdess, fetch_subesco
from .folder import load_folder
from .kaggle import fetch_kaggle_ser
from .manifest import load_manifest
from .merge import merge_corpora
from .ravdess import load_ravdess
from .savee import load_savee
from .selection import select
from .synthetic import make_emotional_speech
from .tess import load_tess

__all__ = [
    "EMOTIONS",
    "NamedCorpus",
    "check_audio",
    "fetch_crema_d",
    "fetch_emodb",
    "fetch_kaggle_ser",
    "fetch_ravdess",
    "fetch_subesco",
    "load_corpus",
    "load_crema_d",
    "load_emodb",
    "load_emovo",
    "load_folder",
    "load_manifest",
    "load_ravdess",
    "load_savee",
    "load_tess",
    "make_emotional_speech",
    "merge_corpora",
    "select",
]
