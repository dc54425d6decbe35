"""export: the network of a pipeline, its scaler and its labels as files for other programs."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np

from .._utils._files import folder_written_whole
from .._utils._types import EmotionPipeline, PathLike
from .._utils._versions import versions
from ..audio import AudioLoader
from ..classifiers import CNNEmotionClassifier
from ..exceptions import DataError, ModelError
from ..features import FeatureScaler, FeatureUnionExtractor
from ..networks import _onnx_export
from ..networks._trained_network import TrainedNetwork
from ..recipes._steps import steps_before


def export(pipeline: EmotionPipeline, folder: PathLike) -> list[Path]:
    """Write the network of a fitted pipeline for programs that use Keras or ONNX.

    ``model.json`` with ``weights.h5``, and ``model.keras``, are for Keras; ``model.onnx`` (with the
    extra ``onnx``) is for ONNX runtimes. ``scaler.joblib`` has a
    `sklearn.preprocessing.StandardScaler` for features, ``encoder.joblib`` a
    `sklearn.preprocessing.LabelEncoder`, and ``model_metadata.json`` the labels, the feature names,
    and all parameters of clips and features. A second network is in the folder ``network_2``.

    Parameters
    ----------
    pipeline : estimator
        A fitted pipeline with a `CNNEmotionClassifier`, possibly in a vote.
    folder : str or path
        Folder to write to; it must be new or empty.

    Returns
    -------
    files : list of Path
        The files.

    Raises
    ------
    ModelError
        The pipeline has no fitted network.
    DataError
        ``folder`` is not empty, or cannot be written to.

    Notes
    -----
    The input of a network is scaled features, with 0 in place of NaN, which marks padding and
    undefined values. Networks that mask padding have layers of skser, which
    ``from skser.networks import resnet`` registers with Keras. ONNX needs no such import.
    """
    folder = Path(folder)
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise DataError(f"{folder}: exists, and is not an empty folder")
    if not folder.parent.is_dir():
        raise DataError(f"{folder}: its folder {folder.parent} does not exist")
    before, classifier = steps_before(pipeline, lambda step: hasattr(step, "networks_"))
    if classifier is None:
        raise ModelError("pipeline has no fitted network to export (`skser.save` needs none)")
    with folder_written_whole(folder) as temporary:
        for i, network in enumerate(classifier.networks_):
            _write_network(network, temporary / f"network_{i + 1}" if i else temporary)
        _write_surroundings(before, classifier, temporary)
        files = sorted(path for path in temporary.rglob("*") if path.is_file())
        if folder.is_dir():
            folder.rmdir()
    return [folder / path.relative_to(temporary) for path in files]


def _write_network(network: TrainedNetwork, folder: Path) -> None:
    from ..networks._predict import write_network

    folder.mkdir(exist_ok=True)
    write_network(network.to_keras(), folder)
    if _onnx_export.can_convert():
        content = _onnx_export.to_model(network.config, network.weights)
        (folder / "model.onnx").write_bytes(content)


def _write_surroundings(
    before: list[tuple[str, Any]], classifier: CNNEmotionClassifier, folder: Path
) -> None:
    """Scaler, labels, and parameters of clips and features."""
    import joblib
    from sklearn.preprocessing import LabelEncoder, StandardScaler

    joblib.dump(LabelEncoder().fit(classifier.classes_), folder / "encoder.joblib")
    metadata: dict[str, Any] = {
        "labels": [str(label) for label in classifier.classes_],
        "n_networks": len(classifier.networks_),
        "versions": versions(),
    }
    for _, step in before:
        if isinstance(step, AudioLoader):
            metadata["clips"] = step.get_params()
        elif isinstance(step, FeatureUnionExtractor):
            metadata["features"] = {"sr": step.sr_} | {
                name: type(value).__name__ if hasattr(value, "get_params") else value
                for name, value in step.get_params().items()
                if name not in {"blocks", "memory", "n_jobs", "verbose", "sr"}
            }
            metadata["feature_names"] = step.get_feature_names_out().tolist()
        elif isinstance(step, FeatureScaler):
            scaler = StandardScaler()
            scaler.mean_, scaler.scale_ = step.mean_, step.scale_
            scaler.var_ = np.square(step.scale_)
            scaler.n_features_in_, scaler.n_samples_seen_ = step.n_features_in_, 0
            joblib.dump(scaler, folder / "scaler.joblib")
            metadata["mean"], metadata["scale"] = step.mean_.tolist(), step.scale_.tolist()
    text = json.dumps(metadata, indent=1, default=str, ensure_ascii=False)
    (folder / "model_metadata.json").write_text(text, encoding="utf-8")
