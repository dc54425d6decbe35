"""From clips to features of a pre-trained encoder, beside transformers.

    python benchmarks/embeddings.py RAVDESS --model FOLDER [--reference PYTHON]

RAVDESS is the folder of any corpus, FOLDER holds a Whisper model. Recordings are joined, and cut
into clips of 1, 2.8, 5 and 10 s. One core:

(a) `SpeechEmbedding`, from waveforms and from FLAC files of 16 kHz, beside transformers: padded to
    30 s as it does by default; cut after the layer; and unpadded, by calling its modules;
(b) where the time goes, and the matrix products alone;
(c) eight clips of one length at once;
(d) two processes.

PYTHON is an interpreter with transformers and torch, which runs beside this one and gets the same
waveforms. The features are compared first (relative error 1e-3).
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import _one_thread  # noqa: F401
import numpy as np
import soundfile
from _compare import check_equal, describe, pick_clips, print_table, time_each, time_in_batches
from sklearn.pipeline import make_pipeline

from skser import AudioLoader, Clips, SpeechEmbedding
from skser.embeddings._log_mel import log_mel
from skser.embeddings._plan import EmbeddingPlan
from skser.embeddings._whisper_weights import WhisperConfig
from skser.networks._onnx_runtime import start_session

SECONDS = (1.0, 2.8, 5.0, 10.0)
SR = 16000
MOST = 1e-3


class Reference:
    """transformers in another process."""

    def __init__(self, python: str, model: Path, clips: dict[str, np.ndarray], home: Path) -> None:
        np.savez(home / "clips.npz", **clips)
        self.out = home / "out.npy"
        script = Path(__file__).with_name("_whisper_reference.py")
        self._process = subprocess.Popen(
            [python, script, model, home / "clips.npz"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        )
        self._wait("ready")

    def run(self, clips: list[str], layer: int, how: str, out: Path | None = None) -> None:
        task = {"clips": clips, "layer": layer, "how": how, "out": out and str(out)}
        self._process.stdin.write(json.dumps(task) + "\n")
        self._process.stdin.flush()
        self._wait("done")

    def features(self, clips: list[str], layer: int, how: str) -> np.ndarray:
        self.run(clips, layer, how, self.out)
        return np.load(self.out)

    def close(self) -> None:
        self._process.stdin.close()
        self._process.wait()

    def _wait(self, word: str) -> None:
        if self._process.stdout.readline().strip() != word:
            sys.exit("the reference has stopped; run _whisper_reference.py to see why")


def cut_clips(folder: Path, n_clips: int) -> dict[str, np.ndarray]:
    """So many clips of each length, of recordings in a row; named by length and number."""
    loader = AudioLoader(sr=SR, duration=None)
    waveforms = [clip[0] for clip in loader.fit_transform(pick_clips(folder, 40))]
    audio = np.concatenate(waveforms)
    clips = {}
    for seconds in SECONDS:
        size = int(seconds * SR)
        starts = np.linspace(0, len(audio) - size, n_clips).astype(int)
        clips |= {name(seconds, i): audio[s : s + size] for i, s in enumerate(starts)}
    return clips


def name(seconds: float, number: int) -> str:
    return f"{seconds:g}-{number}"


def fitted(model: Path, layer: int, **params: int) -> SpeechEmbedding:
    silence = Clips.from_waveforms([np.zeros(SR)], sr=SR)
    return SpeechEmbedding(model, layer=layer, **params).fit(silence)


def compare(
    model: Path, layer: int, clips: dict[str, np.ndarray], files: Path, reference: Reference | None
) -> None:
    """(a), for one layer."""
    step = fitted(model, layer)
    pipeline = make_pipeline(AudioLoader(sr=SR, duration=None), fitted(model, layer))
    pipeline.fit([str(path) for path in files.glob("*.flac")])
    rows = []
    for seconds in SECONDS:
        names = [n for n in clips if n.startswith(f"{seconds:g}-")]
        runs: dict[str, Callable[[list[str]], object]] = {
            "skser, waveform": one_by_one(lambda n: step.transform(clips[n][np.newaxis])),
            "skser, file": one_by_one(lambda n: pipeline.transform([str(files / f"{n}.flac")])),
        }
        if reference is not None:
            check_features(step, layer, names[:4], clips, reference)
            how = {"unpadded, cut": "unpadded"}
            if seconds == 2.8:
                how |= {"padded, cut": "cut", "padded, as it is": "whole"}
            runs |= {
                f"transformers, {title}": one_by_one(lambda n, h=h: reference.run([n], layer, h))
                for title, h in how.items()
            }
        timings = time_in_batches(runs, names, n_at_once=3)
        ours = np.median(timings["skser, waveform"])
        rows += [
            (f"{seconds:g} s", title, describe(1e3 * t, 25, 75), f"{np.median(t) / ours:.2f}")
            for title, t in timings.items()
        ]
    header = (f"(a) layer {layer}", "", "ms per clip, median (quartiles)", "ratio")
    print_table(header, rows)


def one_by_one(run: Callable[[str], object]) -> Callable[[list[str]], object]:
    return lambda names: [run(n) for n in names]


def check_features(
    step: SpeechEmbedding,
    layer: int,
    names: list[str],
    clips: dict[str, np.ndarray],
    reference: Reference,
) -> None:
    ours = step.transform(np.stack([clips[n] for n in names]))
    theirs = reference.features(names, layer, "unpadded")
    error = np.linalg.norm(ours - theirs) / np.linalg.norm(theirs)
    print(f"layer {layer}, clips {names[0]} to {names[-1]}: relative error {error:.1e}")
    if error > MOST:
        sys.exit("the features differ")


def product_shapes(config: WhisperConfig, n_frames: int, layer: int) -> list[tuple[tuple, tuple]]:
    """Shapes of the pairs of matrices that the encoder multiplies, convolutions included."""
    width, hidden, heads = config.width, config.dense_width, config.n_heads
    size = width // heads
    shapes = [((2 * n_frames, 3 * config.n_mels), (3 * config.n_mels, width))]
    shapes += [((n_frames, 3 * width), (3 * width, width))]
    block = [((n_frames, width), (width, width))] * 4
    block += [((heads, n_frames, size), (heads, size, n_frames))]
    block += [((heads, n_frames, n_frames), (heads, n_frames, size))]
    block += [((n_frames, width), (width, hidden)), ((n_frames, hidden), (hidden, width))]
    return shapes + layer * block


def products(shapes: list[tuple[tuple, tuple]]) -> Callable[[], object]:
    """The products alone, by ONNX Runtime; weights are constants, as they are in the encoder."""
    from onnx import TensorProto, helper, numpy_helper

    rng = np.random.default_rng(0)
    nodes, inputs, outputs, weights, given = [], [], [], [], {}
    for i, (left, right) in enumerate(shapes):
        matrices = [rng.normal(size=shape).astype(np.float32) for shape in (left, right)]
        for key, matrix in zip((f"a{i}", f"b{i}"), matrices, strict=True):
            if key.startswith("b") and matrix.ndim == 2:
                weights.append(numpy_helper.from_array(matrix, key))
                continue
            given[key] = matrix
            inputs.append(helper.make_tensor_value_info(key, TensorProto.FLOAT, matrix.shape))
        nodes.append(helper.make_node("MatMul", [f"a{i}", f"b{i}"], [f"c{i}"]))
        outputs.append(helper.make_tensor_value_info(f"c{i}", TensorProto.FLOAT, None))
    graph = helper.make_graph(nodes, "products", inputs, outputs, weights)
    opsets = [helper.make_opsetid("", 20)]
    model = helper.make_model(graph, opset_imports=opsets, ir_version=9)
    session = start_session(model.SerializeToString(), n_threads=1)
    return lambda: session.run(None, given)


def show_parts(model: Path, layer: int, clips: dict[str, np.ndarray]) -> None:
    """(b) for clips of 2.8 s."""
    waveforms = [clip for n, clip in clips.items() if n.startswith("2.8-")]
    plan = EmbeddingPlan.of(fitted(model, layer))
    encode = plan.encoder.open("cpu")
    config = WhisperConfig.read(model)
    mel = log_mel(waveforms[0], config.n_mels)
    shapes = product_shapes(config, -(-mel.shape[1] // 2), layer)
    n_operations = sum(2 * int(np.prod(left)) * right[-1] for left, right in shapes)
    multiply = products(shapes)
    timings = time_each(
        {
            "log-mel spectrogram": lambda w: log_mel(w, config.n_mels),
            "encoder": lambda w: encode(log_mel(w, config.n_mels)[np.newaxis]),
            "its matrix products alone": lambda w: multiply(),
        },
        waveforms,
    )
    timings["encoder"] -= timings["log-mel spectrogram"]
    rows = [(title, describe(1e3 * t, 25, 75)) for title, t in timings.items()]
    print_table((f"(b) layer {layer}, 2.8 s", "ms, median (quartiles)"), rows)
    for title in list(timings)[1:]:
        speed = n_operations / np.median(timings[title]) / 1e9
        print(f"{title}: {n_operations / 1e9:.2f} billion operations, {speed:.0f} a second")


def compare_batches(
    model: Path, layer: int, clips: dict[str, np.ndarray], reference: Reference | None
) -> None:
    """(c): eight clips of 2.8 s."""
    names = [n for n in clips if n.startswith("2.8-")][:8]
    batch = np.stack([clips[n] for n in names])
    at_once, alone = (fitted(model, layer, batch_size=size) for size in (8, 1))
    check_equal("batches", at_once.transform(batch), alone.transform(batch), 1e-4, 1e-4)
    runs: dict[str, Callable[[int], object]] = {
        "skser, batch_size=8": lambda i: at_once.transform(batch),
        "skser, batch_size=1": lambda i: alone.transform(batch),
    }
    if reference is not None:
        runs["transformers, unpadded, cut"] = lambda i: reference.run(names, layer, "unpadded")
    timings = time_each(runs, range(10))
    ours = np.median(timings["skser, batch_size=8"])
    rows = [
        (title, describe(1e3 * t / len(names), 25, 75), f"{np.median(t) / ours:.2f}")
        for title, t in timings.items()
    ]
    print_table((f"(c) layer {layer}, eight clips of 2.8 s", "ms per clip", "ratio"), rows)


def compare_processes(model: Path, layer: int, clips: dict[str, np.ndarray]) -> None:
    """(d): 96 clips of 2.8 s."""
    chosen = [clip for n, clip in clips.items() if n.startswith("2.8-")]
    many = np.stack([chosen[i % len(chosen)] for i in range(96)])
    one, two = (fitted(model, layer, n_jobs=n) for n in (1, 2))
    two.transform(many)  # starts the processes
    repeats = []
    for _ in range(3):
        start = time.perf_counter()
        expected = one.transform(many)
        middle = time.perf_counter()
        features = two.transform(many)
        repeats.append((middle - start, time.perf_counter() - middle))
        check_equal("two processes", features, expected, 1e-4, 1e-4)
    rows = [
        (f"n_jobs={n}", describe(1e3 * np.array(seconds) / len(many)))
        for n, seconds in zip((1, 2), zip(*repeats, strict=True), strict=True)
    ]
    print_table((f"(d) layer {layer}, {len(many)} clips of 2.8 s", "ms per clip"), rows)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--model", type=Path, required=True)
    parser.add_argument("--reference", help="interpreter with transformers and torch")
    parser.add_argument("--layers", type=int, nargs="+", default=[3, 5])
    parser.add_argument("--clips", type=int, default=15, help="of each length")
    arguments = parser.parse_args()
    clips = cut_clips(arguments.folder, arguments.clips)
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder)
        for clip, waveform in clips.items():
            soundfile.write(home / f"{clip}.flac", waveform, SR)
        reference = None
        if arguments.reference:
            reference = Reference(arguments.reference, arguments.model, clips, home)
        else:
            print("without --reference, nothing is compared with transformers")
        for layer in arguments.layers:
            compare(arguments.model, layer, clips, home, reference)
        show_parts(arguments.model, arguments.layers[0], clips)
        compare_batches(arguments.model, arguments.layers[0], clips, reference)
        compare_processes(arguments.model, arguments.layers[0], clips)
        if reference is not None:
            reference.close()


if __name__ == "__main__":
    main()
