"""Encoders in ONNX files that take waveforms, alone or in a folder as audonnx publishes them."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable
from dataclasses import asdict, dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any, ClassVar

import numpy as np

from .._utils._files import file_signature
from .._utils._param_validation import did_you_mean
from .._utils._types import PathLike
from ..exceptions import DataError, ModelError, ParameterError
from ..networks._onnx_runtime import check_installed, start_session
from ._audonnx import network_of

_FLOATS = {"tensor(float)": np.float32, "tensor(float16)": np.float16}
_TAKEN = "it must take waveforms (clips, samples)"
_GIVEN = "(clips, features) or (clips, frames, features)"
_N_TRIED = 16000  # samples
_SIGNS = {
    b"version https://git-lfs": "the pointer of a file in Git LFS: fetch it by `git lfs pull`",
    b"<": "a page in HTML or XML",
    b"{": "a file in JSON",
    b"PK": "an archive: extract it first",
    b"\x89HDF": "a file in HDF5",
    b"RIFF": "a recording",
}


@dataclass(frozen=True)
class OnnxFile:
    """An encoder in an ONNX file: what it takes and gives, and the hash of its content."""

    path: Path
    name: str
    digest: str
    output: str
    width: int
    is_sequence: bool

    sr: ClassVar[int | None] = None
    # Of most encoders at 16 kHz; only the memory of sequences is reserved by it.
    samples_per_frame: ClassVar[int] = 320

    @staticmethod
    def is_at(path: Path) -> bool:
        """Whether a path is that of an ONNX file, or of a folder with one."""
        return path.suffix.lower() == ".onnx" or any(
            (path / name).is_file() for name in ("model.onnx", "model.yaml")
        )

    @classmethod
    def read(cls, path: PathLike, output: str | None = None) -> OnnxFile:
        """Read a file ``.onnx``, or a folder with ``model.onnx`` and ``model.yaml``."""
        given = Path(path).expanduser()
        file = network_of(given) if given.is_dir() else given
        _check_is_onnx(file)
        return _read(given, file, output, _signatures(file))

    @property
    def layer_width(self) -> int:
        """Number of features of a frame."""
        return self.width

    @property
    def layer_names(self) -> list[str]:
        """Name of the file and of its output."""
        return [f"{self.name}_{self.output}"]

    @property
    def identity(self) -> tuple[object, ...]:
        """What the frames depend on."""
        return (self.digest, self.output)

    def to_dict(self) -> dict[str, Any]:
        """The encoder as plain data."""
        content = {**asdict(self), "model": str(self.path)}
        del content["path"]
        return content

    @classmethod
    def from_dict(cls, content: dict[str, Any]) -> OnnxFile:
        """The encoder that `to_dict` returned, where ``model`` now is; ModelError for others."""
        kinds = {"name": str, "digest": str, "output": str, "width": int, "is_sequence": bool}
        if not all(isinstance(content.get(name), kind) for name, kind in kinds.items()):
            raise ModelError("the description of the pre-trained encoder is damaged")
        return cls(Path(content["model"]).expanduser(), *(content[name] for name in kinds))

    def prepare(self, waveform: np.ndarray) -> np.ndarray:
        """The waveform itself."""
        return waveform

    def read_graph(self) -> bytes:
        """Raise ModelError, since files of others are too large for a model file."""
        raise ModelError(
            f"{self.path}: include_encoder must be False for an encoder in an ONNX file, got True; "
            "keep that file beside the model file"
        )

    def open(self, device: str) -> Callable[[np.ndarray], np.ndarray]:
        """The encoder as a function of waveforms (clips, samples), all of one length.

        It gives (clips, frames, features), with one frame if the network has no frames.
        """
        return _open(self, device)


@lru_cache(maxsize=8)
def _read(given: Path, file: Path, output: str | None, signatures: object) -> OnnxFile:
    session = _session(file, "cpu")
    _input(file, session)
    chosen, shape = _output(file, session, output)
    stem = given.resolve().name if given.is_dir() else given.stem
    return OnnxFile(
        path=given,
        name=re.sub(r"\W+", "_", stem).strip("_").lower() or "onnx",
        digest=_digest(file),
        output=chosen,
        width=shape[-1],
        is_sequence=len(shape) == 3,
    )


@lru_cache(maxsize=2)
def _open(encoder: OnnxFile, device: str) -> Callable[[np.ndarray], np.ndarray]:
    try:
        file = network_of(encoder.path) if encoder.path.is_dir() else encoder.path
        _check_is_onnx(file)
    except DataError as error:
        raise ModelError(
            f"the pre-trained encoder (hash {encoder.digest}) is not where it was ({error}): name "
            'its file or folder, as by pipeline.set_params(features__model="/file.onnx")'
        ) from error
    if _digest(file) != encoder.digest:
        raise ModelError(
            f"{file}: holds another encoder than the one that was fitted (its hash differs)"
        )
    session = _session(file, device)
    signal = _input(file, session)
    kind = _FLOATS[signal.type]
    one_by_one = signal.shape[0] == 1

    def encode(waveforms: np.ndarray) -> np.ndarray:
        rows = waveforms.astype(kind, copy=False)
        batches = [rows[i : i + 1] for i in range(len(rows))] if one_by_one else [rows]
        blocks = [_run(file, session, batch, encoder.output) for batch in batches]
        features = np.concatenate(blocks).astype(np.float32, copy=False)
        if len(features) != len(rows) or features.ndim != 2 + encoder.is_sequence:
            raise DataError(
                f"{file}: output {encoder.output!r} must have the shape {_GIVEN}, got"
                f" {features.shape} for {len(rows)} clips"
            )
        return features if encoder.is_sequence else features[:, np.newaxis]

    return encode


def _session(file: Path, device: str) -> Any:
    check_installed(str(file), "embeddings")
    try:
        return start_session(file, device=device, n_threads=1)
    except ParameterError:  # the device
        raise
    except Exception as error:  # onnxruntime has no common class of errors
        reason = " ".join(str(error).split()).rpartition(" failed:")[2]
        raise DataError(f"{file}: ONNX Runtime cannot load it ({reason})") from error


def _run(file: Path, session: Any, waveforms: np.ndarray, output: str) -> np.ndarray:
    try:
        values = session.run([output], {session.get_inputs()[0].name: waveforms})[0]
    except Exception as error:  # onnxruntime has no common class of errors
        reason = " ".join(str(error).split())
        raise DataError(
            f"{file}: cannot be run on {waveforms.shape[1]} samples ({reason[:300]})"
        ) from error
    return np.asarray(values)


def _check_is_onnx(file: Path) -> None:
    """Raise DataError, which says what a file is, unless it may be in ONNX."""
    if not file.is_file():
        raise DataError(f"{file}: there is no such file, or folder with model.onnx and model.yaml")
    with file.open("rb") as content:
        start = content.read(200)
    if not start:
        raise DataError(f"{file}: is empty")
    for sign, kind in _SIGNS.items():
        if start.lstrip().startswith(sign):
            raise DataError(f"{file}: is not in ONNX but {kind}")


def _input(file: Path, session: Any) -> Any:
    """The waveform that a network takes; inputs with default values are left as they are."""
    signal, *others = session.get_inputs() or [None]
    if signal is None:
        raise DataError(f"{file}: its network takes no input; {_TAKEN}")
    if others:
        more = ", ".join(f"{other.name!r} {_shape(other)}" for other in others)
        raise DataError(
            f"{file}: its network takes, besides {signal.name!r}, also {more}; {_TAKEN} alone, so"
            " export it with a constant in its place"
        )
    wrong = f"{file}: its network takes {signal.name!r} {_shape(signal)}; {_TAKEN}"
    if len(signal.shape) != 2 or signal.type not in _FLOATS:
        raise DataError(f"{wrong} of floating-point numbers")
    n_clips, n_samples = signal.shape
    if isinstance(n_clips, int) and n_clips != 1:
        raise DataError(f"{wrong}, with 1 or any number of clips")
    if isinstance(n_samples, int):
        raise DataError(f"{wrong} of any length")
    return signal


def _output(file: Path, session: Any, name: str | None) -> tuple[str, tuple[Any, ...]]:
    """Name and shape of the output of a name, or of the only one that is usable."""
    outputs = {node.name: node for node in session.get_outputs()}
    shapes = {key: _true_shape(file, session, node) for key, node in outputs.items()}
    listed = ", ".join(f"{key!r} {_shape(node)}" for key, node in outputs.items())
    wanted = f"output must be one of {listed}, of {file},"
    usable = [key for key, shape in shapes.items() if len(shape) in (2, 3)]
    if name is not None:
        if name not in outputs:
            raise ParameterError(f"{wanted} got {name!r}{did_you_mean(name, outputs)}")
        if name not in usable:
            raise ParameterError(f"{wanted} got {name!r}, which is not {_GIVEN}")
        return name, shapes[name]
    if not usable:
        raise DataError(f"{file}: must have an output {_GIVEN}, got {listed}")
    if len(usable) > 1:
        raise ParameterError(f"{wanted} got None")
    return usable[0], shapes[usable[0]]


def _true_shape(file: Path, session: Any, node: Any) -> tuple[Any, ...]:
    """The shape of an output, from a run if the file lacks its width; empty if not of numbers."""
    if node.type not in _FLOATS:
        return ()
    if node.shape and isinstance(node.shape[-1], int):
        return tuple(node.shape)
    signal = session.get_inputs()[0]
    return _run(file, session, np.zeros((1, _N_TRIED), _FLOATS[signal.type]), node.name).shape


def _shape(node: Any) -> str:
    """The shape and the type of an input or output, as text."""
    shape = ", ".join("?" if size is None else str(size) for size in node.shape)
    kind = node.type.removeprefix("tensor(").removesuffix(")")
    return f"({shape}) {kind}"


def _digest(file: Path) -> str:
    """Hash of a network and of the files beside it that hold its weights."""
    digest = hashlib.sha256(file.read_bytes())
    for part in _weight_files(file, file_signature(file)):
        with part.open("rb") as stream:
            while block := stream.read(1 << 20):
                digest.update(block)
    return digest.hexdigest()


def _signatures(file: Path) -> tuple[object, ...]:
    """Signatures of a network and of the files that hold its weights."""
    signature = file_signature(file)
    return (signature, *map(file_signature, _weight_files(file, signature)))


@lru_cache(maxsize=8)
def _weight_files(file: Path, signature: object) -> list[Path]:
    content = file.read_bytes()
    # An entry of the protobuf: the key "location", then the value's length, in base 128, and it.
    names = set()
    for match in re.finditer(
        rb"\n\x08location\x12(?:([\x80-\xff])([\x01-\x7f])|([^\x80-\xff]))", content
    ):
        low, high, short = match.groups()
        length = short[0] if short else (low[0] & 127) + 128 * high[0]
        names.add(content[match.end() : match.end() + length].decode("utf-8", "replace"))
    return [path for name in sorted(names) if name and (path := file.parent / name).is_file()]
