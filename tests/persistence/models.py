"""Small model files, golden ones among them, and malicious ones."""

import hashlib
import io
import json
import pickle
import zipfile
from pathlib import Path

import numpy as np
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis

from skser.persistence._container import FORMAT, MANIFEST
from tests.evaluations import noises, quick_pipeline

GOLDEN = Path(__file__).with_name("golden")
CLIP = str(GOLDEN / "clips" / "clip_0.flac")


def golden_model(name):
    """A small fitted model of the current format."""
    return GOLDEN / f"format_{FORMAT}" / f"{name}.skser"


class Harm:
    """A pickle of it writes a file when it is loaded."""

    def __init__(self, path):
        self.path = str(path)

    def __reduce__(self):
        return Path.touch, (Path(self.path),)


def quick_model():
    speech = noises()
    pipeline = quick_pipeline(classify=LinearDiscriminantAnalysis(solver="lsqr"))
    return pipeline.fit(list(speech.waveforms), speech.target), list(speech.waveforms[:5])


def contents_of(path):
    """Manifest and entries of a model file."""
    with zipfile.ZipFile(path) as archive:
        entries = {name: archive.read(name) for name in archive.namelist()}
    return json.loads(entries.pop(MANIFEST)), entries


def forge(path, manifest, entries, *, compress=zipfile.ZIP_DEFLATED):
    """Write a file whose hash is right, whatever it holds."""
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        text = manifest if isinstance(manifest, (str, bytes)) else json.dumps(manifest)
        archive.writestr(MANIFEST, text, compress)
        for name, content in entries if isinstance(entries, list) else entries.items():
            archive.writestr(name, content, compress)
        archive.comment = b" " * 77
    sign(path, file.getvalue()[:-77])


def sign(path, content):
    digest = hashlib.sha256(content).hexdigest().encode()
    Path(path).write_bytes(content + b"skser-sha256:" + digest)


def array_bytes(array, *, allow_pickle=False):
    file = io.BytesIO()
    np.save(file, array, allow_pickle=allow_pickle)
    return file.getvalue()


def pickled_harm(path):
    return pickle.dumps(Harm(path))
