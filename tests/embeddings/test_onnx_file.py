"""Encoders in ONNX files: small networks, whose values NumPy gives as well."""

import dataclasses
import pickle
import sys

import numpy as np
import pytest
from numpy.testing import assert_array_equal

from skser.embeddings._onnx_file import OnnxFile, _open
from skser.exceptions import DataError, MissingDependencyError, ParameterError, SkserWarning

onnx = pytest.importorskip("onnx")
pytest.importorskip("onnxruntime")
helper, numpy_helper, Type = onnx.helper, onnx.numpy_helper, onnx.TensorProto

KERNEL = np.random.default_rng(0).normal(size=(3, 1, 8)).astype(np.float32)
WAVEFORMS = np.random.default_rng(1).normal(size=(4, 50)).astype(np.float32)


def node(operation, inputs, output, **attributes):
    return helper.make_node(operation, inputs.split(), [output], **attributes)


def network(path, *, batch="batch", kind=Type.FLOAT, frames=("batch", None, 3), more=(), only=None):
    """Frames (clips, frames, 3) of a convolution, and their mean (clips, 3)."""
    weights = [
        numpy_helper.from_array(KERNEL.astype(helper.tensor_dtype_to_np_dtype(kind)), "kernel"),
        numpy_helper.from_array(np.array([1]), "axis"),
    ]
    nodes = [
        node("Unsqueeze", "signal axis", "channel"),
        node("Conv", "channel kernel", "convolved", strides=[4]),
        node("Transpose", "convolved", "frames", perm=[0, 2, 1]),
        node("ReduceMean", "frames axis", "mean", keepdims=0),
    ]
    outputs = [
        helper.make_tensor_value_info("frames", kind, frames),
        helper.make_tensor_value_info("mean", kind, [batch, 3]),
    ]
    inputs = [helper.make_tensor_value_info("signal", kind, [batch, "time"]), *more]
    chosen = [output for output in outputs if only in (None, output.name)]
    return save(helper.make_graph(nodes, "encoder", inputs, chosen, weights), path)


def save(graph, path, **kwargs):
    opsets = [helper.make_opsetid("", 18)]
    path.parent.mkdir(parents=True, exist_ok=True)
    onnx.save(helper.make_model(graph, opset_imports=opsets, ir_version=9), path, **kwargs)
    return path


def frames_of(waveforms):
    windows = np.lib.stride_tricks.sliding_window_view(waveforms, 8, axis=1)[:, ::4]
    return windows @ KERNEL[:, 0].T


def folder(path, text, **kwargs):
    network(path / "model.onnx", **kwargs)
    (path / "model.yaml").write_text(text)
    return path


def refused(path, *reasons, output=None, error=DataError):
    with pytest.raises(error) as caught:
        OnnxFile.read(path, output)
    message = str(caught.value)
    assert str(path) in message
    assert "\n" not in message
    for reason in reasons:
        assert reason in message


@pytest.mark.parametrize("batch", ["batch", None, 1])
def test_frames(tmp_path, batch):
    file = OnnxFile.read(network(tmp_path / "Big-Model.v2.onnx", batch=batch, only="frames"))
    assert (file.name, file.output, file.width, file.is_sequence) == (
        "big_model_v2",
        "frames",
        3,
        True,
    )
    np.testing.assert_allclose(file.open("cpu")(WAVEFORMS), frames_of(WAVEFORMS), atol=1e-5)


@pytest.mark.parametrize("batch", ["batch", 1])
def test_vectors_are_one_frame(tmp_path, batch):
    file = OnnxFile.read(network(tmp_path / "a.onnx", batch=batch), "mean")
    assert (file.width, file.is_sequence) == (3, False)
    values = file.open("cpu")(WAVEFORMS)
    assert values.dtype == np.float32
    expected = frames_of(WAVEFORMS).mean(axis=1)[:, np.newaxis]
    np.testing.assert_allclose(values, expected, atol=1e-5)


def test_half_precision(tmp_path):
    file = OnnxFile.read(network(tmp_path / "a.onnx", kind=Type.FLOAT16, only="frames"))
    values = file.open("cpu")(WAVEFORMS)
    assert values.dtype == np.float32
    np.testing.assert_allclose(values, frames_of(WAVEFORMS), atol=2e-2)


@pytest.mark.parametrize("frames", [("batch", "time", "width"), None])
def test_a_width_that_the_file_does_not_tell(tmp_path, frames):
    file = OnnxFile.read(network(tmp_path / "a.onnx", frames=frames, only="frames"))
    assert (file.width, file.is_sequence) == (3, True)


def test_among_several_outputs_one_must_be_named(tmp_path):
    path = network(tmp_path / "a.onnx")
    reasons = ("output must", "'frames' (batch, ?, 3) float", "'mean' (batch, 3) float")
    refused(path, *reasons, "got None", error=ParameterError)
    refused(path, *reasons, "did you mean 'frames'", output="frame", error=ParameterError)
    assert OnnxFile.read(path, "frames").output == "frames"


def test_the_digest_covers_weights_in_other_files(tmp_path):
    path = network(tmp_path / "one" / "a.onnx")
    model = onnx.load(path)
    digests = []
    for factor in (1, 2):
        model.graph.initializer[0].CopyFrom(numpy_helper.from_array(factor * KERNEL, "kernel"))
        other = tmp_path / f"{factor}" / "a.onnx"
        other.parent.mkdir()
        onnx.save(
            model, other, save_as_external_data=True, location="a.onnx_data", size_threshold=64
        )
        model = onnx.load(other)
        digests.append(OnnxFile.read(other, "mean").digest)
    graphs = [(tmp_path / name / "a.onnx").read_bytes() for name in "12"]
    assert graphs[0] == graphs[1]  # only the other file differs
    assert digests[0] != digests[1]
    moved = tmp_path / "1" / "moved.onnx"
    moved.write_bytes(graphs[0])
    assert OnnxFile.read(moved, "mean").digest == digests[0]


def test_a_file_is_plain_data(tmp_path):
    file = OnnxFile.read(network(tmp_path / "a.onnx"), "mean")
    assert pickle.loads(pickle.dumps(file)) == file
    with pytest.raises(dataclasses.FrozenInstanceError):
        file.width = 4


AUDONNX = "$audonnx.core.model.Model==0.3.2:\n  path: model.onnx\n"


@pytest.mark.parametrize(
    "text",
    [
        f"{AUDONNX}  labels:\n    mean:\n    - a\n    - b\n    - c\n  transform: null\n",
        f"{AUDONNX}  labels: null\n  transform:\n    signal: null\n",
        AUDONNX,
    ],
)
def test_a_folder_of_audonnx(tmp_path, text):
    path = folder(tmp_path / "w2v2 dim", text, batch=1)
    file = OnnxFile.read(path, "mean")
    assert (file.path, file.name, file.width) == (path, "w2v2_dim", 3)
    assert file.digest == OnnxFile.read(path / "model.onnx", "mean").digest
    np.testing.assert_allclose(
        file.open("cpu")(WAVEFORMS)[:, 0], frames_of(WAVEFORMS).mean(axis=1), atol=1e-5
    )


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        (f"{AUDONNX}  transform:\n    $opensmile.core.smile.Smile==2.4:\n      a: 1", "opensmile"),
        (f"{AUDONNX}  transform:\n    signal:\n      $audsp.core.Spec==1:\n        a: 1", "audsp"),
        ("$audonnx.core.model.Model:\n  path: ../other.onnx", "'../other.onnx'"),
        ("$audonnx.core.model.Model:\n  path: [1]", "[1]"),
        ("$audonnx.core.model.Model:\n  path: other.onnx", "other.onnx"),
        (f"{AUDONNX}  labels: 7", "labels"),
        ("$sklearn.SVC:\n  path: model.onnx", "$sklearn.SVC"),
        ("- a\n- b", "no model"),
        ("", "no model"),
        ("a: [", "YAML"),
    ],
)
def test_an_odd_description(tmp_path, text, reason):
    refused(folder(tmp_path / "model", text), "model.yaml", reason)


def test_a_folder_without_a_description(tmp_path):
    network(tmp_path / "model.onnx")
    assert OnnxFile.read(tmp_path, "mean").width == 3
    (tmp_path / "transform.yaml").write_text("$opensmile.core.smile.Smile==1:\n  a: 1")
    refused(tmp_path, "opensmile.core.smile.Smile")
    (tmp_path / "empty").mkdir()
    refused(tmp_path / "empty", "neither model.onnx nor model.yaml")


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "empty"),
        (b"<!DOCTYPE html><html></html>", "HTML"),
        (b"version https://git-lfs.github.com/spec/v1\noid sha256:0\n", "Git LFS"),
        (b"PK\x03\x04abc", "archive"),
        (b"any other text", "cannot load"),
    ],
)
def test_a_file_that_is_not_onnx(tmp_path, content, reason):
    path = tmp_path / "a.onnx"
    path.write_bytes(content)
    refused(path, reason)


def test_a_missing_and_a_shortened_file(tmp_path):
    refused(tmp_path / "a.onnx", "no such file")
    path = network(tmp_path / "b.onnx")
    path.write_bytes(path.read_bytes()[:150])
    refused(path, "cannot load")


def test_a_second_input_is_named_unless_it_has_a_default(tmp_path):
    more = [helper.make_tensor_value_info("rate", Type.INT64, [1])]
    refused(network(tmp_path / "a.onnx", more=more), "'rate' (1) int64", "waveforms")
    default = helper.make_tensor_value_info("axis", Type.INT64, [1])  # an initializer as well
    assert OnnxFile.read(network(tmp_path / "b.onnx", more=[default]), "mean").width == 3


@pytest.mark.parametrize(
    ("shape", "kind", "reason"),
    [
        (["n", 80, "frames"], Type.FLOAT, "(n, 80, frames) float"),
        (["time"], Type.FLOAT, "(time) float"),
        (["n", "time"], Type.INT64, "(n, time) int64"),
        (["n", 16000], Type.FLOAT, "any length"),
        ([8, "time"], Type.FLOAT, "number of clips"),
    ],
)
def test_a_network_that_takes_no_waveforms(tmp_path, shape, kind, reason):
    graph = helper.make_graph(
        [node("Identity", "x", "y")],
        "other",
        [helper.make_tensor_value_info("x", kind, shape)],
        [helper.make_tensor_value_info("y", kind, shape)],
    )
    refused(save(graph, tmp_path / "a.onnx"), "'x'", reason, "(clips, samples)")


def test_a_network_without_a_usable_output(tmp_path):
    graph = helper.make_graph(
        [node("ArgMax", "x", "label", axis=1)],
        "other",
        [helper.make_tensor_value_info("x", Type.FLOAT, ["n", "time"])],
        [helper.make_tensor_value_info("label", Type.INT64, ["n", 1])],
    )
    path = save(graph, tmp_path / "a.onnx")
    refused(path, "'label' (n, 1) int64", "(clips, frames, features)")
    refused(path, "'label'", output="label", error=ParameterError)


def test_a_waveform_that_is_too_short(tmp_path):
    encode = OnnxFile.read(network(tmp_path / "a.onnx"), "mean").open("cpu")
    with pytest.raises(DataError, match=r"a.onnx: cannot be run on 3 samples"):
        encode(WAVEFORMS[:, :3])


def test_cuda_must_be_there(tmp_path, monkeypatch):
    file = OnnxFile.read(network(tmp_path / "a.onnx"), "mean")
    monkeypatch.setattr("onnxruntime.get_available_providers", lambda: ["CPUExecutionProvider"])
    with pytest.raises(ParameterError, match=r"device must be .*, got 'cuda'.*onnxruntime-gpu"):
        file.open("cuda")


# The warning is onnxruntime's, of the stand-in; without CUDA's libraries it falls back alike.
@pytest.mark.filterwarnings("ignore:Specified provider 'CUDAExecutionProvider':UserWarning")
def test_cuda_that_does_not_start(tmp_path, monkeypatch, capfd):
    file = OnnxFile.read(network(tmp_path / "a.onnx"), "mean")
    providers = ["CUDAExecutionProvider", "CPUExecutionProvider"]
    monkeypatch.setattr("onnxruntime.get_available_providers", lambda: providers)
    with pytest.raises(ParameterError, match=r"^device must be .*'cpu', got 'cuda'.*start CUDA"):
        file.open("cuda")
    with pytest.warns(
        SkserWarning, match=r"^device='auto' is the CPU: .*could not start CUDA"
    ) as w:
        encode = file.open("auto")
    assert [warning.category for warning in w].count(SkserWarning) == 1
    assert_array_equal(encode(WAVEFORMS), file.open("cpu")(WAVEFORMS))
    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize(("device", "n_started"), [("auto", 1), ("cuda", 1), ("cpu", 0)])
def test_cuda_that_starts(tmp_path, monkeypatch, device, n_started):
    """A stand-in for onnxruntime-gpu, which runs on the CPU and says that it is CUDA."""
    import onnxruntime

    file = OnnxFile.read(network(tmp_path / "a.onnx"), "mean")
    expected = file.open("cpu")(WAVEFORMS)
    cuda, started = "CUDAExecutionProvider", []

    class Session(onnxruntime.InferenceSession):
        def __init__(self, content, options, providers):
            self.device = "CPUExecutionProvider"
            if providers[0] != self.device:
                (self.device, settings), _ = providers
                started.append(settings)
            super().__init__(content, options, providers=["CPUExecutionProvider"])

        def get_providers(self):
            return [self.device]

    monkeypatch.setattr("onnxruntime.get_available_providers", lambda: [cuda])
    monkeypatch.setattr("onnxruntime.InferenceSession", Session)
    _open.cache_clear()
    assert_array_equal(file.open(device)(WAVEFORMS), expected)
    assert len(started) == n_started
    assert all(settings["use_tf32"] == "0" for settings in started)


def test_without_onnxruntime(tmp_path, monkeypatch):
    path = network(tmp_path / "a.onnx")
    monkeypatch.setitem(sys.modules, "onnxruntime", None)
    with pytest.raises(MissingDependencyError, match=r"a\.onnx.*skser\[embeddings\]"):
        OnnxFile.read(path, "mean")
