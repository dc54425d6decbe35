"""save and load: a fitted pipeline in one file without code."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from dataclasses import replace
from importlib.util import find_spec
from typing import Any, Literal, get_args

import numpy as np

from .._utils._files import check_writable
from .._utils._param_validation import check_value, one_of
from .._utils._types import EmotionPipeline, PathLike
from .._utils._versions import UNKNOWN, versions
from ..exceptions import MissingDependencyError, ModelError, SkserError, SkserWarning
from ..networks import _onnx_export, _onnx_runtime
from . import _container
from ._allowed import AllowList, UntrustedError
from ._card import model_card
from ._decoder import Decoder
from ._info import ModelInfo

Runtime = Literal["auto", "onnx", "tensorflow"]
RUNTIMES = get_args(Runtime)


def save(
    pipeline: EmotionPipeline,
    path: PathLike,
    *,
    info: ModelInfo | None = None,
    include_encoder: bool = False,
) -> None:
    """Write a fitted pipeline to a file that is safe to load.

    The file is a zip archive of JSON and arrays, without pickles or other code. With the extra
    ``onnx``, it also contains networks in ONNX, which share the weights.

    Parameters
    ----------
    pipeline : estimator
        A fitted pipeline, or a step of one, of estimators of skser and scikit-learn.
    path : str or path
        File to write or replace; the usual suffix is ``.skser``.
    info : ModelInfo or None, default=None
        Training data and score, for `skser.persistence.load_info` and the model card.
    include_encoder : bool, default=False
        Whether the file contains the pre-trained encoder of a :class:`skser.SpeechEmbedding`, up to
        the last layer in use: 35 MB for :func:`skser.recipes.whisper`. It then predicts on a
        machine without network and without the extra ``embeddings``, with onnxruntime alone.
        Otherwise it has name, revision and hash of the encoder, which the first prediction finds in
        the cache folder or downloads. Without effect on other pipelines, whose files are complete.
        A pipeline from a file with its encoder keeps it.

    Raises
    ------
    ModelError
        The pipeline is not fitted, has a part that a model file cannot contain, or its encoder is
        not where it was.
    DownloadError
        The encoder is to be included, and cannot be downloaded again.
    DataError
        ``path`` cannot be written.

    Warns
    -----
    SkserWarning
        The pipeline has classes of other packages, which the caller of `load` has to trust, or a
        network that cannot be converted to ONNX.

    Notes
    -----
    ``memory``, ``n_jobs``, ``verbose``, ``callbacks``, ``checkpoint``, ``device`` and a splitter as
    ``cv`` are reset to their defaults. A network built by a function of the user predicts after
    loading, and ``warm_start=True`` continues its training, but it cannot be trained anew. The
    covariance of a linear discriminant, large and not used in prediction, is left out.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn.linear_model import LogisticRegression
    >>> from sklearn.pipeline import make_pipeline
    >>> import skser
    >>> X, y = np.random.default_rng(0).normal(size=(8, 4000)), ["calm", "sad"] * 4
    >>> pipeline = make_pipeline(skser.FeatureUnionExtractor(["rms", "zcr"]), LogisticRegression())
    >>> skser.save(pipeline.fit(X, y), "model.skser")
    >>> bool((skser.load("model.skser").predict_proba(X) == pipeline.predict_proba(X)).all())
    True
    """
    from ..recipes._steps import pretrained_encoders
    from ._encoder import Encoder  # imports skops, which takes a second

    check_writable(path)
    if not hasattr(pipeline, "classes_"):
        raise ModelError(
            f"pipeline must be fitted, got a {type(pipeline).__name__} without classes_"
        )
    if hasattr(pipeline, "best_estimator_"):
        raise ModelError(f"pipeline is a {type(pipeline).__name__}: save its best_estimator_")
    if info is not None:
        ModelInfo.from_dict(info.to_dict())  # checks it
    encoder = Encoder(include_encoder=include_encoder)
    try:
        node = encoder.node(pipeline, "pipeline")
    except SkserError:
        raise
    except (TypeError, ValueError, RecursionError) as error:
        raise ModelError(f"pipeline holds an object that cannot be saved ({error})") from error
    if encoder.untrusted:
        warnings.warn(f"{path}: {UntrustedError(encoder.untrusted)}", SkserWarning, stacklevel=2)
    entries = encoder.entries
    if _onnx_export.can_convert():
        try:
            for i, network in enumerate(encoder.networks):
                graph = network.graph or _onnx_export.to_graph(network.config, network.weights)
                entries[f"networks/{i}.onnx"] = graph
        except SkserError as error:
            warnings.warn(f"{path}: saved without ONNX: {error}", SkserWarning, stacklevel=2)
    manifest = {
        "format": _container.FORMAT,
        "versions": versions(),
        "classes": [str(label) for label in pipeline.classes_],
        "info": None if info is None else info.to_dict(),
        "pipeline": node,
    }
    pretrained = pretrained_encoders(pipeline)
    if include_encoder:
        pretrained = list(dict.fromkeys(replace(item, included=True) for item in pretrained))
    if pretrained:
        manifest["encoders"] = [item.to_dict() for item in pretrained]
    _container.check_format(path, manifest)  # raises for content that `load` would refuse
    entries[_container.CARD] = model_card(pipeline, info, pretrained).encode()
    _container.write(path, manifest, entries)


def load(path: PathLike, *, runtime: Runtime = "auto", trusted: Sequence[str | type] = ()) -> Any:
    """Load a pipeline that `save` wrote, without running any code in it.

    Parameters
    ----------
    path : str or path
        The model file.
    runtime : {"auto", "onnx", "tensorflow"}, default="auto"
        Runtime of networks. ``"onnx"`` starts several times faster than ``"tensorflow"``, takes a
        fraction of its memory, and gives the same probabilities to 1e-5; both `save` and `load`
        need the extra ``onnx`` for it. ``"auto"`` is ``"onnx"`` where possible.
    trusted : sequence of str or type, default=()
        Estimators, Keras layers and parts of scikit-learn's estimators that skser does not know:
        classes, or names with modules such as ``"my_package.MyLayer"``, which are imported. Trust
        only code that you have read.

    Returns
    -------
    pipeline : estimator
        The fitted pipeline.

    Raises
    ------
    ModelError
        The file is missing, damaged, from a newer skser, contains a class that is neither known nor
        trusted, or has no network in ONNX.
    MissingDependencyError
        The file has a network, and neither TensorFlow nor onnxruntime is installed.
    ParameterError
        ``runtime`` or ``trusted`` has an invalid value.

    Warns
    -----
    SkserWarning
        The file was written with another major version of a package, such as scikit-learn.

    Notes
    -----
    A pre-trained encoder that the file only names is found, or downloaded, by the first prediction.
    Where that is not possible, ``pipeline.set_params(features__model=folder)`` names any folder
    that holds it.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn.linear_model import LogisticRegression
    >>> from sklearn.pipeline import make_pipeline
    >>> import skser
    >>> X, y = np.random.default_rng(0).normal(size=(8, 4000)), ["calm", "sad"] * 4
    >>> pipeline = make_pipeline(skser.FeatureUnionExtractor(["rms", "zcr"]), LogisticRegression())
    >>> skser.save(pipeline.fit(X, y), "model.skser")
    >>> skser.load("model.skser").classes_
    array(['calm', 'sad'], dtype='<U4')
    """
    check_value("runtime", runtime, one_of(*RUNTIMES))
    manifest, entries = _container.read(path)
    warn_of_versions(path, manifest)
    decoder = Decoder(entries, AllowList(trusted))
    try:
        pipeline = decoder.value(manifest["pipeline"])
        is_fitted = isinstance(getattr(pipeline, "classes_", None), np.ndarray)
    except UntrustedError as error:
        raise ModelError(f"{path}: {error}") from None
    except Exception as error:
        # Decoding a malicious file raises almost anything.
        reason = " ".join(repr(error).split())
        raise ModelError(f"{path}: has no model that can be loaded ({reason:.300})") from error
    if not is_fitted:
        raise ModelError(f"{path}: has a {type(pipeline).__name__}, not a fitted pipeline")
    has_onnx = all(network.graph is not None for network in decoder.networks)
    if runtime == "auto":
        runtime = "onnx" if has_onnx and _onnx_runtime.can_run() else "tensorflow"
    if runtime == "onnx" and not has_onnx:
        raise ModelError(
            f'{path}: has no network in ONNX, so runtime must be "tensorflow", or the file saved '
            "again with the extra onnx"
        )
    if decoder.networks and runtime == "tensorflow" and find_spec("tensorflow") is None:
        needs = "onnxruntime" if has_onnx else "tensorflow"
        raise MissingDependencyError(
            f"{path}: its network needs {needs}: python -m pip install {needs}"
        )
    for network in decoder.networks:
        network.runtime = runtime
    return pipeline


def warn_of_versions(path: PathLike, manifest: dict[str, Any]) -> None:
    """Warn of packages with another major version than when a file was written.

    One that is not installed is not needed, as TensorFlow for a network in ONNX.
    """
    then, now = manifest["versions"], versions()
    changed = [
        f"{name} {then[name]} (here {now[name]})"
        for name in now
        if UNKNOWN not in (then.get(name, UNKNOWN), now[name])
        and then[name].partition(".")[0] != now[name].partition(".")[0]
    ]
    if changed:
        warnings.warn(
            f"{path}: was written with {', '.join(changed)}; check its predictions on known "
            "recordings",
            SkserWarning,
            stacklevel=3,
        )
