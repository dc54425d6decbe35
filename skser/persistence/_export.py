"""export: the network of a pipeline, and what surrounds it, in the files other programs read."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import numpy as np

from .._utils._files import folder_written_whole
from .._utils._versions import versions
from ..audio import AudioLoader
from ..classifiers import CNNEmotionClassifier
from ..exceptions import DataError, ModelError
from ..features import FeatureScaler, FeatureUnionExtractor
from ..networks import _onnx_export
from ..recipes._steps import steps_before, steps_of


def export(pipeline: Any, folder: str | os.PathLike[str]) -> list[Path]:
    """Write the network of a fitted pipeline for programs that know Keras or ONNX, but not skser.

    ``model.json`` and ``weights.h5`` are for ``keras.models.model_from_json`` and
    ``load_weights``, ``model.keras`` is for ``keras.models.load_model``, ``model.onnx`` (where the
    extra ``onnx`` is installed) for any ONNX runtime. ``scaler.joblib`` is a
    `sklearn.preprocessing.StandardScaler` for the features and ``encoder.joblib`` a
    `sklearn.preprocessing.LabelEncoder` for the labels. ``model_metadata.json`` has the labels,
    the names of the features, and all parameters of clips and features. Of several networks the
    second is in the folder ``network_2``, and so on.

    Parameters
    ----------
    pipeline : estimator
        A fitted pipeline with a `CNNEmotionClassifier`, maybe in a vote.
    folder : str or path
        Where to write. It must not exist yet, or be empty.

    Returns
    -------
    files : list of Path
        What was written.

    Raises
    ------
    ModelError
        The pipeline has no fitted network.
    DataError
        There is something in ``folder``, or nothing can be written there.

    Notes
    -----
    A network's input are scaled features, with 0 in place of NaN, which stands for padding and for
    what has no value. Networks of `skser.networks` have layers of skser's own where they mask
    padding: Keras loads them after ``import skser.networks``. ONNX needs nothing of the kind.
    """
    folder = Path(folder)
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise DataError(f"{folder}: is there already, and is not an empty folder")
    if not folder.parent.is_dir():
        raise DataError(f"{folder}: its folder {folder.parent} does not exist")
    if not any(hasattr(step, "networks_") for step in steps_of(pipeline)):
        raise ModelError(
            "pipeline has no fitted network to export; `skser.save` keeps any pipeline as a whole"
        )
    before, classifier = steps_before(pipeline, lambda step: hasattr(step, "networks_"))
    with folder_written_whole(folder) as temporary:
        for i, network in enumerate(classifier.networks_):
            part = temporary / f"network_{i + 1}" if i else temporary
            part.mkdir(exist_ok=True)
            _write_network(network, part)
        _write_surroundings(before, classifier, temporary)
        names = sorted(path.relative_to(temporary) for path in temporary.rglob("*"))
        files = [folder / name for name in names if (temporary / name).is_file()]
        if folder.is_dir():
            folder.rmdir()
    return files


def _write_network(network: Any, folder: Path) -> None:
    from ..networks._predict import write_network

    write_network(network.to_keras(), folder)
    if _onnx_export.can_convert():
        content = _onnx_export.to_model(network.config, network.weights)
        (folder / "model.onnx").write_bytes(content)


def _write_surroundings(
    before: list[tuple[str, Any]], classifier: CNNEmotionClassifier, folder: Path
) -> None:
    import joblib
    from sklearn.preprocessing import LabelEncoder

    encoder = LabelEncoder().fit(classifier.classes_)
    joblib.dump(encoder, folder / "encoder.joblib")
    metadata: dict[str, Any] = {
        "labels": [str(label) for label in classifier.classes_],
        "n_networks": len(classifier.networks_),
        "versions": versions(),
    }
    for _, step in before:
        if isinstance(step, AudioLoader):
            metadata["clips"] = step.get_params()
        elif isinstance(step, FeatureUnionExtractor):
            metadata["features"] = {"sr": step.sr_, **_feature_params(step.get_params())}
            metadata["feature_names"] = step.get_feature_names_out().tolist()
        elif isinstance(step, FeatureScaler):
            joblib.dump(_standard_scaler(step), folder / "scaler.joblib")
            metadata["mean"], metadata["scale"] = step.mean_.tolist(), step.scale_.tolist()
    text = json.dumps(metadata, indent=1, default=str, ensure_ascii=False)
    (folder / "model_metadata.json").write_text(text, encoding="utf-8")


def _standard_scaler(scaler: FeatureScaler) -> Any:
    from sklearn.preprocessing import StandardScaler

    standard_scaler = StandardScaler()
    vars(standard_scaler).update(
        mean_=scaler.mean_,
        scale_=scaler.scale_,
        var_=np.square(scaler.scale_),
        n_features_in_=scaler.n_features_in_,
        n_samples_seen_=0,
    )
    return standard_scaler


def _feature_params(params: dict[str, Any]) -> dict[str, Any]:
    """Parameters of an extractor with an effect on features; its blocks by their class names."""
    return {
        name: type(value).__name__ if hasattr(value, "get_params") else value
        for name, value in params.items()
        if name not in {"blocks", "memory", "n_jobs", "verbose", "sr"}
    }
