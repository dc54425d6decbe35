"""A GPU beside the CPU, and mixed precision beside float32.

    python benchmarks/gpu.py RAVDESS --model openai/whisper-base

(a) An epoch of `CNNEmotionClassifier` on log-mel bands of eight views, for each ``dtype_policy`` on
    each device, each training in a process of its own. Losses after training must be within 10 % of
    that in float32 on the CPU.
(b) `SpeechEmbedding` on clips of 3 s, on the CPU with one process and with all cores, and on the
    GPU. Features must be within 1e-3 of those of the CPU.

Epochs after the first, which traces the graph, count. The competitors take turns. Without a GPU,
(a) compares float32 with bfloat16 on the CPU, and (b) is left out. A GPU needs the extra ``gpu``
for (a), and onnxruntime-gpu in place of onnxruntime for (b).
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
import time
import warnings
from pathlib import Path
from typing import Any

import joblib
import numpy as np
from _compare import describe, pick_clips, print_table, run_again, spread, time_in_batches

from skser import AudioLoader, CNNEmotionClassifier, SpeechEmbedding
from skser.datasets import load_corpus
from skser.networks._onnx_runtime import has_cuda
from skser.networks._tensorflow import keras, tf
from skser.recipes import residual_network

ON_GPU = [
    ("CPU", "float32"),
    ("GPU", "float32"),
    ("GPU", "mixed_bfloat16"),
    ("GPU", "mixed_float16"),
]
ON_CPU = [("CPU", "float32"), ("CPU", "mixed_bfloat16")]
SR = 16000
MOST = {"loss": 0.1, "features": 1e-3}


class Clock(keras.callbacks.Callback):
    """Seconds of each epoch, of the wall and of processors."""

    def __init__(self) -> None:
        super().__init__()
        self.times: list[tuple[float, float]] = []

    def on_epoch_begin(self, epoch: int, logs: Any = None) -> None:
        self.start = time.perf_counter(), time.process_time()

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        wall, processor = self.start
        self.times.append((time.perf_counter() - wall, time.process_time() - processor))


def train(device: str, policy: str, data: str, epochs: int, batch_size: int) -> None:
    """Print times of the epochs and the last loss as JSON."""
    if device == "CPU":
        tf.config.set_visible_devices([], "GPU")
    clock = Clock()
    classifier = CNNEmotionClassifier(
        epochs=epochs,
        batch_size=batch_size,
        dtype_policy=policy,
        callbacks=[clock],
        random_state=0,
    )
    classifier.fit(*joblib.load(data))
    print(json.dumps({"times": clock.times[1:], "loss": classifier.history_["loss"][-1]}))


def compare_training(arguments: argparse.Namespace, has_gpu: bool) -> None:
    speech = load_corpus(arguments.data)
    clips = spread(len(speech.paths), arguments.clips)
    features = residual_network(random_state=0)[:-1].fit_transform(speech.paths[clips])
    competitors = ON_GPU if has_gpu else ON_CPU
    runs: dict[tuple[str, str], list[dict]] = {each: [] for each in competitors}
    with tempfile.TemporaryDirectory() as home:
        data = str(Path(home) / "features.joblib")
        joblib.dump((features, speech.target[clips]), data)
        task = {"data": data, "epochs": arguments.epochs, "batch_size": arguments.batch_size}
        for _ in range(arguments.turns):
            for device, policy in competitors:
                runs[device, policy].append(run_again(device=device, policy=policy, **task))
    expected = runs[competitors[0]][0]["loss"]
    rows = []
    for (device, policy), done in runs.items():
        loss = done[0]["loss"]
        if abs(loss - expected) > MOST["loss"] * expected:
            sys.exit(f"{policy} on the {device}: loss {loss:.3f} differs from {expected:.3f}")
        wall, processor = np.concatenate([run["times"] for run in done]).T
        first = np.concatenate([run["times"] for run in runs[competitors[0]]])[:, 0]
        ratio = np.median(wall) / np.median(first)
        times = describe(wall, 25, 75), describe(processor, 25, 75)
        rows.append((f"{device}, {policy}", *times, f"{ratio:.2f}", f"{loss:.3f}"))
    header = ("wall s an epoch, median (quartiles)", "processor s", "ratio", "loss")
    print_table((f"{len(clips)} clips", *header), rows)


def compare_embeddings(arguments: argparse.Namespace) -> None:
    loader = AudioLoader(sr=SR, duration=3.0, trim_db=None)
    clips = loader.fit_transform(pick_clips(arguments.data, arguments.clips))
    waveforms = [clip[0] for clip in clips]

    def step(**params: Any) -> SpeechEmbedding:
        return SpeechEmbedding(arguments.model, **params).fit(clips)

    steps = {
        "CPU, one process": step(device="cpu"),
        "CPU, all cores": step(device="cpu", n_jobs=-1),
        "GPU, 8 clips at once": step(device="cuda"),
        "GPU, 16 clips at once": step(device="cuda", batch_size=16),
    }
    expected = steps["CPU, one process"].transform(waveforms[:16])
    found = steps["GPU, 16 clips at once"].transform(waveforms[:16])
    difference = np.abs(found - expected).max() / np.abs(expected).max()
    if difference > MOST["features"]:
        sys.exit(f"features of the GPU differ by {difference:.1g} from those of the CPU")
    print(f"\nFeatures of the GPU differ by at most {difference:.1g} from those of the CPU.")
    seconds = time_in_batches({n: s.transform for n, s in steps.items()}, waveforms, 64)
    rows = [
        (name, f"{1 / np.median(values):.0f}", describe(1e3 * values, 25, 75))
        for name, values in seconds.items()
    ]
    header = ("clips a second", "ms per clip, median (quartiles)")
    print_table((f"{len(waveforms)} clips of 3 s", *header), rows)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("data", type=Path)
    parser.add_argument("--model", default="openai/whisper-base", help="of (b): a name or folder")
    parser.add_argument("--clips", type=int, default=576)
    parser.add_argument("--epochs", type=int, default=5, help="of each training")
    parser.add_argument("--batch-size", type=int, default=16, help="of each training")
    parser.add_argument("--turns", type=int, default=2)
    parser.add_argument("--task", type=json.loads, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.task:
        train(**arguments.task)
        return
    gpus = tf.config.list_physical_devices("GPU")
    for gpu in gpus:
        name = tf.config.experimental.get_device_details(gpu).get("device_name", gpu.name)
        print(f"TensorFlow sees a GPU: {name}")
    if not gpus:
        print("TensorFlow sees no GPU: float32 and bfloat16 are compared on the CPU.")
    compare_training(arguments, bool(gpus))
    if has_cuda():
        warnings.simplefilter("error")  # rather than the CPU in place of the GPU
        compare_embeddings(arguments)
    else:
        print("\nonnxruntime has no CUDA: embeddings are not compared.")


if __name__ == "__main__":
    main()
