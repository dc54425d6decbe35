"""save and load: a fitted pipeline in one file without code."""

from __future__ import annotations

import os
import warnings
from collections.abc import Sequence
from typing import Any, Literal, get_args

import numpy as np

from .._utils._files import check_writable
from .._utils._param_validation import check_value, one_of
from .._utils._versions import versions
from ..exceptions import MissingDependencyError, ModelError, SkserError, SkserWarning
from ..networks import _onnx_export, _onnx_runtime
from . import _container
from ._allowed import AllowList, UntrustedError
from ._container import Contents
from ._decoder import Decoder
from ._info import ModelInfo

Runtime = Literal["auto", "onnx", "tensorflow"]
RUNTIMES = get_args(Runtime)


def save(pipeline: Any, path: str | os.PathLike[str], *, info: ModelInfo | None = None) -> None:
    """Write a fitted pipeline to a file that is safe to load.

    The file is a zip archive of JSON and arrays, without pickles and without code for `load` to
    run. Where the extra ``onnx`` is installed, it has networks in ONNX too, which adds their
    layers, and not their weights again.

    Parameters
    ----------
    pipeline : estimator
        A fitted pipeline, or a part of one, of estimators of skser and scikit-learn.
    path : str or path
        The file; an existing one is replaced as a whole. ``.skser`` is the usual suffix.
    info : ModelInfo or None, default=None
        Training data and scores, for `skser.persistence.load_info` and for the model card
        (``README.md`` in the file).

    Raises
    ------
    ModelError
        The pipeline is not fitted, or has a part that such a file cannot hold.
    DataError
        ``path`` cannot be written.

    Warns
    -----
    SkserWarning
        The pipeline has classes of other packages, which `load` has to be told to trust, or a
        network without a form in ONNX.

    See Also
    --------
    load : Load such a file.

    Notes
    -----
    ``memory``, ``n_jobs``, ``verbose``, ``callbacks`` and ``checkpoint`` belong to the machine
    that trained, and come back as their defaults, as does a splitter as ``cv``. A loaded network
    that a function of the user's built predicts, but cannot be fitted again. The covariance of a
    linear discriminant, which is large and without a use in prediction, is left out.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn.linear_model import LogisticRegression
    >>> from sklearn.pipeline import make_pipeline
    >>> import skser
    >>> rng = np.random.default_rng(0)
    >>> X, y = rng.normal(size=(8, 4000)), ["calm", "sad"] * 4
    >>> features = skser.FeatureUnionExtractor(["rms", "zcr"])
    >>> pipeline = make_pipeline(features, LogisticRegression()).fit(X, y)
    >>> skser.save(pipeline, "model.skser")
    >>> bool((skser.load("model.skser").predict_proba(X) == pipeline.predict_proba(X)).all())
    True
    """
    # What only saving needs takes a second to import.
    from ._card import write_card
    from ._encoder import Encoder

    check_writable(path)
    if not hasattr(pipeline, "classes_"):
        raise ModelError(
            f"pipeline must be fitted and tell classes, got {type(pipeline).__name__} without "
            "classes_"
        )
    if hasattr(pipeline, "best_estimator_"):
        raise ModelError(
            f"pipeline is a {type(pipeline).__name__}: save its best_estimator_, which is all that "
            "predicts"
        )
    if info is not None:
        ModelInfo.from_dict(info.to_dict())
    contents = Contents()
    encoder = Encoder(contents)
    try:
        node = encoder.node(pipeline, "pipeline")
    except ModelError as error:
        raise ModelError(str(error)) from error
    except (TypeError, ValueError, RecursionError) as error:
        raise ModelError(f"pipeline holds what a model file cannot ({error})") from error
    if encoder.untrusted:
        warnings.warn(
            f"{path}: has {', '.join(sorted(encoder.untrusted))}, unknown to skser; load it with "
            f"trusted={sorted(encoder.untrusted)}",
            SkserWarning,
            stacklevel=2,
        )
    if _onnx_export.can_convert():
        _put_graphs(encoder)
    manifest = {
        "format": _container.FORMAT,
        "versions": versions(),
        "classes": [str(label) for label in pipeline.classes_],
        "info": None if info is None else info.to_dict(),
        "pipeline": node,
    }
    _container.check_format(path, manifest)  # raises for what could not be read again
    contents.entries[_container.CARD] = write_card(pipeline, info).encode()
    _container.write(path, manifest, contents)


def load(
    path: str | os.PathLike[str],
    *,
    runtime: Runtime = "auto",
    trusted: Sequence[str | type] = (),
) -> Any:
    """Load a pipeline that `save` wrote, without running anything in the file.

    Parameters
    ----------
    path : str or path
        A file that `save` wrote.
    runtime : {"auto", "onnx", "tensorflow"}, default="auto"
        Runtime of networks. ``"onnx"`` starts several times faster, in a fraction of the memory,
        without TensorFlow, and with probabilities equal to 1e-5; it needs the extra ``onnx``, here
        and where the file was written. ``"auto"`` is ``"onnx"`` where that is possible.
    trusted : sequence of str or type, default=()
        Estimators, Keras layers and parts of scikit-learn's estimators that skser does not know:
        classes, or names with modules, such as ``"my_package.MyLayer"``. Modules of these names
        are imported. Trust nothing whose code you have not read.

    Returns
    -------
    pipeline : estimator
        The fitted pipeline.

    Raises
    ------
    ModelError
        The file is missing, damaged or of a newer skser; it names a class that is neither known
        nor trusted; or it has no network in ONNX.
    MissingDependencyError
        onnxruntime is not installed.
    ParameterError
        ``runtime`` or ``trusted`` has a value that is not allowed.

    Warns
    -----
    SkserWarning
        scikit-learn, Keras or another package has another major version than the file was
        written with.

    See Also
    --------
    save : Write such a file.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn.linear_model import LogisticRegression
    >>> from sklearn.pipeline import make_pipeline
    >>> import skser
    >>> waveforms = np.random.default_rng(0).normal(size=(8, 4000))
    >>> pipeline = make_pipeline(skser.FeatureUnionExtractor(["rms", "zcr"]), LogisticRegression())
    >>> skser.save(pipeline.fit(waveforms, ["calm", "sad"] * 4), "model.skser")
    >>> skser.load("model.skser").classes_
    array(['calm', 'sad'], dtype='<U4')
    """
    check_value("runtime", runtime, one_of(*RUNTIMES))
    manifest, contents = _container.read(path)
    warn_of_versions(path, manifest)
    decoder = Decoder(contents, AllowList(trusted))
    try:
        pipeline = decoder.value(manifest["pipeline"])
        is_fitted = isinstance(getattr(pipeline, "classes_", None), np.ndarray)
    except MissingDependencyError:
        raise
    except UntrustedError as error:
        raise ModelError(f"{path}: {error}") from None
    except Exception as error:
        # What somebody made to be misread raises almost anything.
        reason = " ".join(repr(error).split())
        raise ModelError(f"{path}: holds no model that can be loaded ({reason:.300})") from error
    if not is_fitted:
        raise ModelError(f"{path}: holds a {type(pipeline).__name__}, and no fitted pipeline")
    if runtime == "auto":
        has_all = all(network.graph is not None for network in decoder.networks)
        runtime = "onnx" if has_all and _onnx_runtime.can_run() else "tensorflow"
    for network in decoder.networks:
        if runtime == "onnx" and network.graph is None:
            raise ModelError(
                f'{path}: holds no network in ONNX, so runtime must be "tensorflow"; the extra '
                "onnx has to be installed where a model is saved"
            )
        network.runtime = runtime
    return pipeline


def warn_of_versions(path: str | os.PathLike[str], manifest: dict[str, Any]) -> None:
    """Warn of packages with another major version than when a file was written."""
    then, now = manifest["versions"], versions()
    changed = [
        f"{name} {then[name]} (here {now[name]})"
        for name in now
        if name in then and _major(then[name]) != _major(now[name])
    ]
    if changed:
        warnings.warn(
            f"{path}: was written with {', '.join(changed)}; check its answers on recordings that "
            "you know",
            SkserWarning,
            stacklevel=3,
        )


def _major(version: Any) -> str:
    return str(version).partition(".")[0]


def _put_graphs(encoder: Any) -> None:
    for i, network in enumerate(encoder.networks):
        try:
            graph = network.graph or _onnx_export.to_graph(network.config, network.weights)
        except SkserError as error:
            warnings.warn(f"kept without ONNX: {error}", SkserWarning, stacklevel=3)
            return
        encoder.contents.entries[f"networks/{i}.onnx"] = graph
