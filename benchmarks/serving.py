"""`skser serve` under load, beside calls of the loaded model and a service of FastAPI and Keras.

    python benchmarks/serving.py RAVDESS --throughput --health --memory --live functionals whisper

--throughput  recordings a second of `/v1/predict` at 1, 8 and 64 clients, and their times, for the
              recipes functionals and dense_195, against the pipeline of `skser.load` called in a
              loop, and against such loops in a process on every core, together. Beside it, a
              handler around librosa and Keras' `predict` with the network of dense_195. All answer
              the same recordings, of about 3 s, from memory; probabilities are compared first.
--health      time of `/healthz`, while timelines of ten minutes are made on all threads.
--memory      resident memory of the server after 100 and after 10,000 requests.
--live        live sessions at a time in real time, doubled until rows come late: until a session
              of some has its last row more than a second after its end.
--quick       few of everything, to try the script.

Server and clients are processes on the loopback interface and share the processors; "server" and
"clients" are the parts of one core that they take. Networks are fitted on a few recordings for two
epochs, which changes no time.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import _one_thread  # noqa: F401
import httpx
import numpy as np
from _compare import MIB, check_equal, describe, memory, pick_clips, print_table, run_again
from models import make_model
from timeline import join

import skser
from skser import read_audio
from skser.persistence import export

N_CLIPS = 64
CLIENTS = (1, 8, 64)
LATE = 1.0  # seconds
HERE = Path(__file__).parent


@contextmanager
def started(*command: str) -> Iterator[tuple[int, int]]:
    """A server in a process of its own: its port and its process."""
    with tempfile.TemporaryFile("w+") as log:
        process = subprocess.Popen([sys.executable, *command], stdout=log, stderr=log)
        try:
            for _ in range(1200):
                log.seek(0)
                if port := re.search(r"running on http://[^:]+:(\d+)", log.read()):
                    break
                if process.poll() is not None:
                    log.seek(0)
                    sys.exit(log.read())
                time.sleep(0.1)
            assert port, "the server did not start in two minutes"
            log.seek(0, os.SEEK_END)
            yield int(port[1]), process.pid
        finally:
            process.terminate()
            process.wait(60)


def served(model: Path) -> tuple[str, ...]:
    """`skser serve`, with places for all clients, which have one address here."""
    return ("-m", "skser.cli", "serve", str(model), "--port", "0", "--queue", "256")


def clients(**task: object) -> dict:
    """What the clients of a task have measured."""
    command = [sys.executable, str(HERE / "_clients.py"), json.dumps(task)]
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True)
    return json.loads(done.stdout)


def call_in_a_loop(model: str, clips: list[str], n: int) -> float:
    """Seconds of n predictions with the loaded model."""
    pipeline = skser.load(model)
    contents = [Path(clip).read_bytes() for clip in clips]
    for content in contents[:5]:
        pipeline.predict_proba([content])
    start = time.perf_counter()
    for number in range(n):
        pipeline.predict_proba([contents[number % len(contents)]])
    return time.perf_counter() - start


def answer(port: int, url: str, part: str, clip: str) -> dict:
    """The answer to one recording."""
    with httpx.Client(base_url=f"http://localhost:{port}", timeout=60) as client:
        files = [(part, ("a.wav", Path(clip).read_bytes()))]
        return client.post(url, files=files).raise_for_status().json()


def times(seconds: list[float]) -> tuple[str, str]:
    return tuple(f"{1e3 * value:.1f}" for value in np.percentile(seconds, [50, 99]))


def measure_throughput(recipe: str, model: Path, clips: list[str], n: int) -> None:
    pipeline = skser.load(model)
    expected = pipeline.predict_proba([Path(clip).read_bytes() for clip in clips[:10]])
    n_cores = os.cpu_count() or 1
    task = {"model": str(model), "clips": clips, "n": n}
    alone = n / run_again(**task)["seconds"]
    with ThreadPoolExecutor(n_cores) as pool:
        loops = list(pool.map(lambda _: run_again(**task), range(n_cores)))
    together = sum(n / loop["seconds"] for loop in loops)
    rows = [
        ("predict_proba in a loop", "", f"{alone:.1f}", "", "", "1.00", "", "", ""),
        (f"{n_cores} such processes", "", f"{together:.1f}", "", "", "", "1.00", "", ""),
    ]

    def add(name: str, server: tuple[int, int], url: str, part: str, n: int) -> None:
        port, pid = server
        for n_clients in CLIENTS:
            used = processor_seconds(pid)
            run = clients(
                run="many", port=port, url=url, part=part, clips=clips, clients=n_clients, n=n
            )
            used = processor_seconds(pid) - used
            rate = n / run["elapsed"]
            speed = (f"{rate:.1f}", *times(run["seconds"]))
            ratios = (f"{rate / alone:.2f}", f"{rate / together:.2f}")
            shares = (f"{used / run['elapsed']:.0%}", f"{run['share']:.0%}")
            rows.append((name, str(n_clients), *speed, *ratios, *shares))

    with started(*served(model)) as server:
        for clip, row in zip(clips, expected, strict=False):
            (found,) = answer(server[0], "/v1/predict", "files", clip)["predictions"]
            # Four digits are sent.
            check_equal(recipe, np.array(list(found["probabilities"].values())), row, 0, 1e-4)
        add("skser serve", server, "/v1/predict", "files", n)
    if recipe == "dense_195":
        exported = model.with_suffix("")
        export(pipeline, exported)
        with started(str(HERE / "_plain_service.py"), str(exported)) as server:
            for clip, row in zip(clips, expected, strict=False):
                found = answer(server[0], "/predict", "file", clip)["probabilities"]
                check_equal("Keras", np.array(found), row, 0, 5e-3)  # librosa's last digits differ
            add("FastAPI, librosa, Keras", server, "/predict", "file", max(64, n // 10))
    print(f"\n{recipe}: {n} recordings of a corpus, {n_cores} cores\n")
    header = (
        "",
        "clients",
        "a second",
        "ms, p50",
        "ms, p99",
        "× loop",
        "× loops",
        "server",
        "clients",
    )
    print_table(header, rows)


def measure_health(model: Path, recording: Path, n: int) -> None:
    n_timelines = 2 * (os.cpu_count() or 1)
    url = "/v1/timeline?hop=0.1"
    with started(*served(model)) as (port, _):
        quiet = clients(
            run="health", port=port, url=url, recording=str(recording), timelines=0, n=n
        )
        busy = clients(
            run="health", port=port, url=url, recording=str(recording), timelines=n_timelines, n=n
        )
    print(f"\n`/healthz`, {n} times\n")
    rows = [
        (name, *times(run["seconds"]), f"{1e3 * max(run['seconds']):.1f}", str(run["running"]))
        for name, run in (("no other request", quiet), (f"{n_timelines} timelines", busy))
    ]
    print_table(("", "ms, p50", "ms, p99", "ms, most", "running at the end"), rows)


def measure_memory(model: Path, clips: list[str], n: int) -> None:
    task = {"run": "many", "url": "/v1/predict", "part": "files", "clips": clips, "clients": 8}
    rows, n_done = [], 0
    with started(*served(model)) as (port, pid):
        for n_wanted in (100, n // 10, n):
            clients(**task, port=port, n=n_wanted - n_done)
            n_done = n_wanted
            now, peak = memory(pid)
            rows.append((f"{n_wanted}", now / MIB, peak / MIB))
    print("\nmemory of the server\n")
    table = [
        (name, f"{now:.0f}", f"{peak:.0f}", f"{now / rows[0][1]:.3f}") for name, now, peak in rows
    ]
    print_table(("requests", "MiB", "MiB at most", "ratio"), table)


def measure_live(recipe: str, model: Path, audio: Path, first: int, seconds: float) -> None:
    rows, n_sessions = [], first
    command = (*served(model), "--live-sessions", "1024")
    with started(*command) as (port, pid):
        clients(run="live", port=port, audio=str(audio), sessions=1, seconds=4)
        while n_sessions <= 512:
            used = processor_seconds(pid)
            run = clients(
                run="live", port=port, audio=str(audio), sessions=n_sessions, seconds=seconds
            )
            used = (processor_seconds(pid) - used) / seconds
            rows.append(
                (
                    str(n_sessions),
                    describe(run["behind"], 1, 99),
                    f"{np.median(run['last']):.2f}",
                    f"{max(run['last']):.2f}",
                    f"{used:.0%}",
                    f"{run['share']:.0%}",
                )
            )
            if max(run["last"]) > LATE:
                break
            n_sessions *= 2
    print(f"\n{recipe}: sessions of {seconds:g} s in real time\n")
    late = "s from the end to the last row, median"
    behind = "s from the end of a second to its row, median (1 % to 99 %)"
    print_table(("sessions", behind, late, "most", "server", "clients"), rows)


def processor_seconds(pid: int) -> float:
    """Time of all processors that a process has taken."""
    stat = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(stat[11]) + int(stat[12])) / os.sysconf("SC_CLK_TCK")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--throughput", action="store_true")
    parser.add_argument("--health", action="store_true")
    parser.add_argument("--memory", action="store_true")
    parser.add_argument("--live", nargs="+", default=[], metavar="RECIPE")
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--task", type=json.loads, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.task:
        print(json.dumps({"seconds": call_in_a_loop(**arguments.task)}))
        return

    quick = arguments.quick
    with tempfile.TemporaryDirectory() as home:
        clips = []
        for number, path in enumerate(pick_clips(arguments.folder, N_CLIPS)):
            clips.append(f"{home}/{number}{Path(path).suffix}")
            Path(clips[-1]).write_bytes(Path(path).read_bytes())
        if arguments.throughput:
            for recipe in ("functionals", "dense_195"):
                model = make_model(recipe, arguments.folder, Path(home))
                measure_throughput(recipe, model, clips, 64 if quick else 2000)
        if arguments.health or arguments.memory:
            model = make_model("functionals", arguments.folder, Path(home))
        if arguments.health:
            recording = Path(home, "long.flac")
            join(clips, 2 if quick else 10, recording)
            measure_health(model, recording, 20 if quick else 200)
        if arguments.memory:
            measure_memory(model, clips, 2000 if quick else 10_000)
        for recipe in arguments.live:
            model = make_model(recipe, arguments.folder, Path(home))
            recording, audio = Path(home, "talk.flac"), Path(home, "talk.npy")
            join(clips, 2, recording)
            waveform = read_audio(recording, 16000)[0]
            np.save(audio, (32767 * np.clip(waveform, -1, 1)).astype("<i2"))
            first = 20 if recipe == "functionals" else 1
            measure_live(recipe, model, audio, first, 8 if quick else 30)


if __name__ == "__main__":
    main()
