"""The gallery of examples: order, audio players, a clean state for each, and a limit on time."""

import base64
import os
import shutil
import time
import warnings
from html import escape
from pathlib import Path

import numpy as np
from sphinx.util import logging

# Names of examples in the order of the gallery; others follow by name.
ORDER = [
    "first_model",
    "honest_folds",
    "compare_pipelines",
    "own_features",
    "own_augmentation",
    "own_network",
    "pretrained_encoder",
    "many_corpora",
    "tuning",
    "calibration",
    "timeline",
    "report",
    "explanations",
]
MAX_SECONDS = 30

logger = logging.getLogger(__name__)
_state = {}
_seconds = {}


class ExampleOrder:
    """Key that sorts the files of the gallery."""

    def __init__(self, src_dir):
        self.src_dir = src_dir

    def __call__(self, file_name):
        name = Path(file_name).stem.removeprefix("plot_")
        return (ORDER.index(name) if name in ORDER else len(ORDER), name)

    def __repr__(self):
        return "<ExampleOrder>"


def _folder(gallery_conf):
    """The folder of the examples, in which they run."""
    return Path(gallery_conf["src_dir"], "examples")


def _wav_files(folder):
    return {path: path.stat().st_mtime_ns for path in folder.glob("*.wav")}


def audio_scraper(block, block_vars, gallery_conf):
    """Show a player for each WAV file that a block of code has written to the working directory."""
    found, seen = _wav_files(_folder(gallery_conf)), _state.setdefault("wav", {})
    new = sorted((p for p in found if seen.get(p) != found[p]), key=found.get)
    seen.update(found)
    lines = []
    for path in new:
        data = base64.b64encode(path.read_bytes()).decode()
        lines += [
            "   <figure class='skser-audio'>",
            f"   <figcaption>{escape(path.stem.replace('_', ' '))}</figcaption>",
            f"   <audio controls preload='metadata' src='data:audio/wav;base64,{data}'></audio>",
            "   </figure>",
        ]
    return "\n".join([".. raw:: html", "", *lines, "", ""]) if lines else ""


def _clocks():
    """Seconds on the clock, and of the processor, here and in processes that have ended."""
    return np.array([time.perf_counter(), sum(os.times()[:4])])


def reset(gallery_conf, file_name, when):
    """Give each example the same seed and strict warnings, and remove the files that it writes."""
    if when == "before":
        _state.update(
            wav=_wav_files(_folder(gallery_conf)), present=set(_folder(gallery_conf).iterdir())
        )
        _state["warnings"] = warnings.catch_warnings()
        _state["warnings"].__enter__()
        warnings.simplefilter("error")
        from skser.exceptions import SkserWarning

        warnings.simplefilter("default", SkserWarning)
        # As in setup.cfg: a worker that has grown is replaced.
        warnings.filterwarnings("ignore", "A worker stopped while some jobs", UserWarning)
        np.random.seed(0)  # noqa: NPY002, for libraries that use it
        _state["start"] = _clocks()
    else:
        # The clock alone would measure what else runs on the machine, the processor its cores.
        _seconds[file_name] = min(_clocks() - _state.pop("start"))
        _state.pop("warnings").__exit__(None, None, None)
        for path in set(_folder(gallery_conf).iterdir()) - _state["present"]:
            if path.is_dir():
                shutil.rmtree(path)
            elif path.suffix not in (".py", ".rst"):
                path.unlink()


def check_times(app):
    """List the times of the examples that ran in gallery.txt, and warn of those that take long."""
    lines = [f"{seconds:6.1f} s  {name}" for name, seconds in _seconds.items()]
    app.outdir.mkdir(parents=True, exist_ok=True)
    Path(app.outdir, "gallery.txt").write_text("".join(f"{line}\n" for line in lines))
    for name, seconds in _seconds.items():
        if seconds > MAX_SECONDS:
            logger.warning("%s takes %.0f s, more than %d", name, seconds, MAX_SECONDS)


def leave_gallery_alone(app):
    """Run the examples for pages only: doctests are on the other pages."""
    if app.builder.name not in ("html", "dirhtml"):
        app.config.plot_gallery = "False"


def setup(app):
    app.connect("builder-inited", leave_gallery_alone, priority=1)
    app.connect("builder-inited", check_times, priority=900)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
