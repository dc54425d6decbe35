"""The steps from a table of recordings to a table of predictions, which `scale.py` measures."""

from __future__ import annotations

import pickle
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from sklearn.model_selection import GroupKFold

import skser
from skser.datasets import check_audio, load_manifest
from skser.inference import TrainingAudio
from skser.persistence import ModelInfo
from skser.recipes import functionals
from skser.report._findings import Findings


class Corpus:
    """A corpus, and the files that the steps leave for later ones."""

    def __init__(self, folder: Path, n_clips: int, n_jobs: int) -> None:
        self.table = folder / f"{n_clips}.csv"
        self.n_clips, self.n_jobs = n_clips, n_jobs
        self.folder = folder / f"{n_clips}"
        self.folder.mkdir(exist_ok=True)
        self.cache = self.folder / "cache"
        self.model = self.folder / "model.skser"

    def load(self) -> Any:
        return load_manifest(self.table)

    def pipeline(self) -> Any:
        return functionals(memory=str(self.cache), n_jobs=self.n_jobs, random_state=0)

    def keep(self, name: str, value: Any) -> None:
        with (self.folder / name).open("wb") as file:
            pickle.dump(value, file, protocol=5)

    def kept(self, name: str) -> Any:
        with (self.folder / name).open("rb") as file:
            return pickle.load(file)


# Each step prepares what is not measured, then yields. What it yields the second time are the
# bytes of features that it held, and the files that it wrote.
Step = Iterator[tuple[int, list[Path]]]


def step_load(corpus: Corpus) -> Step:
    yield 0, []
    assert len(corpus.load().paths) == corpus.n_clips
    yield 0, [corpus.table]


def step_check(corpus: Corpus) -> Step:
    speech = corpus.load()
    yield 0, []
    table = check_audio(speech.paths)
    assert len(table) == corpus.n_clips
    assert table["problem"].isna().all()
    yield 0, speech.paths.tolist()


def step_extract_cold(corpus: Corpus) -> Step:
    shutil.rmtree(corpus.cache, ignore_errors=True)
    yield from step_extract_warm(corpus, n_misses=corpus.n_clips)


def step_extract_warm(corpus: Corpus, n_misses: int = 0) -> Step:
    speech, extraction = corpus.load(), corpus.pipeline()[:3]
    yield 0, []
    features = extraction.fit_transform(speech.paths)
    assert extraction[-1].cache_info().misses == n_misses
    yield features.values.nbytes, [corpus.cache]


def step_evaluate(corpus: Corpus) -> Step:
    speech = corpus.load()
    yield 0, []
    evaluation = skser.evaluate(corpus.pipeline(), speech, cv=GroupKFold(5))
    corpus.keep("evaluation.pickle", evaluation)
    yield corpus.kept("n_bytes"), [corpus.folder / "evaluation.pickle"]


def step_report(corpus: Corpus) -> Step:
    evaluation = corpus.kept("evaluation.pickle")
    yield 0, []
    yield 0, Findings(evaluation).write(corpus.folder / "report", title=corpus.table.name)


def step_fit(corpus: Corpus) -> Step:
    speech = corpus.load()
    yield 0, []
    corpus.keep("fitted.pickle", corpus.pipeline().fit(speech.paths, speech.target))
    yield corpus.kept("n_bytes"), [corpus.folder / "fitted.pickle"]


def step_training_audio(corpus: Corpus) -> Step:
    speech = corpus.load()
    yield 0, []
    corpus.keep("audio.pickle", TrainingAudio.of(corpus.pipeline(), speech.paths).to_dict())
    yield 0, [corpus.folder / "audio.pickle"]


def step_save(corpus: Corpus) -> Step:
    speech, fitted, audio = corpus.load(), corpus.kept("fitted.pickle"), corpus.kept("audio.pickle")
    yield 0, []
    skser.save(fitted, corpus.model, info=ModelInfo.of(speech, audio=audio))
    yield 0, [corpus.model]


def step_predict_table(corpus: Corpus) -> Step:
    speech, pipeline = corpus.load(), skser.load(corpus.model)
    yield 0, []
    table = skser.predict_table(pipeline, speech.paths)
    path = corpus.folder / "predict_table.csv"
    table.to_csv(path)
    assert len(table) == corpus.n_clips
    assert table["error"].isna().all()
    yield 0, [path]


def step_predict_out(corpus: Corpus) -> Step:
    out = corpus.folder / "predict.csv"
    names = "\n".join(corpus.load().paths) + "\n"
    command = [sys.executable, "-m", "skser", "predict", str(corpus.model), "-"]
    command += ["--out", str(out), "--jobs", str(corpus.n_jobs)]
    yield 0, []
    subprocess.run(command, input=names, text=True, check=True, capture_output=True)
    assert len(out.read_text().splitlines()) == corpus.n_clips + 1
    yield 0, [out]


STEPS: dict[str, Callable[[Corpus], Step]] = {
    "load_manifest": step_load,
    "check_audio": step_check,
    "extract, cold": step_extract_cold,
    "extract, warm": step_extract_warm,
    "evaluate": step_evaluate,
    "report": step_report,
    "fit": step_fit,
    "training audio": step_training_audio,
    "save": step_save,
    "predict_table": step_predict_table,
    "predict --out": step_predict_out,
}
