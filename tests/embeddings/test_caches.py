"""What is kept: features of clips in `memory`, encoders in SKSER_CACHE."""

import json
import os
import shutil
import subprocess
import sys

import numpy as np
import pytest
from numpy.testing import assert_array_equal
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GroupKFold, cross_val_score
from sklearn.pipeline import make_pipeline

from skser import Augmenter, SpeechEmbedding
from skser.embeddings import _whisper_encoder
from skser.embeddings._plan import EmbeddingPlan
from skser.embeddings._whisper_encoder import cache_folder
from skser.exceptions import ModelError
from tests.evaluations import noises

from .encoders import write_encoder


@pytest.fixture
def memory(tmp_path):
    return tmp_path / "memory"


@pytest.fixture
def n_encoded(monkeypatch):
    """Number of waveforms of each call so far."""
    counts, encode = [], EmbeddingPlan._encode

    def counted(self, waveforms):
        counts.append(len(waveforms))
        return encode(self, waveforms)

    monkeypatch.setattr(EmbeddingPlan, "_encode", counted)
    return counts


# --- features -------------------------------------------------------------------------------


def test_extracted_once_over_folds(encoder, memory, n_encoded):
    speech = noises(n_speakers=3, n_takes=1)
    pipeline = make_pipeline(SpeechEmbedding(encoder, memory=memory), LogisticRegression())
    clips = list(speech.waveforms)
    cross_val_score(pipeline, clips, speech.target, groups=speech.groups, cv=GroupKFold(3))
    assert sum(n_encoded) == len(clips)


def test_cache_info(encoder, waveforms, memory):
    step = SpeechEmbedding(encoder, memory=memory).fit(waveforms)
    step.transform(waveforms[:4])
    assert step.cache_info()[:3] == (0, 4, 4)
    features = step.transform(waveforms)
    assert step.cache_info()[:3] == (4, 6, 6)
    assert_array_equal(features, SpeechEmbedding(encoder).fit_transform(waveforms))


@pytest.mark.parametrize(
    ("change", "again"),
    [
        ({"layer": 2}, True),
        ({"layer": [1, 2]}, True),
        ({"pooling": "mean_std"}, True),
        ({"pooling": None}, True),
        ({"max_seconds": 0.2}, True),
        ({"layer": 1}, False),  # which is the middle
        ({"batch_size": 1}, False),
        ({"device": "cpu"}, False),
        ({"verbose": 0}, False),
    ],
)
def test_what_a_cached_vector_depends_on(encoder, waveforms, memory, change, again):
    SpeechEmbedding(encoder, memory=memory).fit_transform(waveforms)
    step = SpeechEmbedding(encoder, memory=memory, **change)
    step.fit_transform(waveforms)
    assert step.cache_info()[:2] == ((0, 6) if again else (6, 0))


def test_same_encoder_elsewhere_reads_the_cache(encoder, waveforms, memory, tmp_path):
    SpeechEmbedding(encoder, memory=memory).fit_transform(waveforms)
    step = SpeechEmbedding(write_encoder(tmp_path / "half", dtype="float16"), memory=memory)
    step.fit_transform(waveforms)
    assert step.cache_info().hits == 6


def test_another_encoder_under_the_same_path(waveforms, memory, tmp_path):
    step = SpeechEmbedding(write_encoder(tmp_path / "whisper"), memory=memory)
    before = step.fit_transform(waveforms)
    write_encoder(tmp_path / "whisper", seed=1)
    after = step.fit_transform(waveforms)
    assert step.cache_info()[:2] == (0, 6)
    assert np.abs(after - before).max() > 1e-3
    expected = SpeechEmbedding(write_encoder(tmp_path / "other", seed=1)).fit_transform(waveforms)
    assert_array_equal(after, expected)


def test_another_encoder_than_was_fitted(waveforms, tmp_path, own_cache):
    """A fitted step keeps its encoder while that is in the cache folder, and then says so."""
    step = SpeechEmbedding(write_encoder(tmp_path / "whisper"))
    before = step.fit_transform(waveforms)
    write_encoder(tmp_path / "whisper", seed=1)
    assert_array_equal(step.transform(waveforms), before)
    _whisper_encoder._open.cache_clear()
    assert_array_equal(step.transform(waveforms), before)
    shutil.rmtree(own_cache)
    _whisper_encoder._open.cache_clear()
    with pytest.raises(ModelError, match=r"whisper: holds another encoder .*fitted"):
        step.transform(waveforms)


def test_clean_view_is_shared(encoder, waveforms, memory, n_encoded):
    """Prediction reads what training on views left."""
    clips = Augmenter(n_views=2, random_state=0).fit_transform(waveforms)
    SpeechEmbedding(encoder, memory=memory).fit_transform(clips)
    assert sum(n_encoded) == 12
    SpeechEmbedding(encoder, memory=memory).fit_transform(clips.clean)
    assert sum(n_encoded) == 12


# --- encoders -------------------------------------------------------------------------------


def files_of(folder):
    return sorted(path for path in folder.rglob("*") if path.is_file())


def test_encoder_is_written_once(encoder, waveforms, own_cache):
    assert cache_folder() == own_cache
    step = SpeechEmbedding(encoder, layer=2)
    features = step.fit_transform(waveforms)
    (graph,) = files_of(own_cache)
    assert step.encoder_["digest"] in graph.name
    changed = graph.stat().st_mtime_ns
    _whisper_encoder._open.cache_clear()
    assert_array_equal(step.fit_transform(waveforms), features)
    assert files_of(own_cache) == [graph]
    assert graph.stat().st_mtime_ns == changed


def test_nothing_is_written_elsewhere(encoder, waveforms, own_cache, tmp_path, monkeypatch):
    home = tmp_path / "home"
    home.mkdir()
    for name in ("HOME", "XDG_CACHE_HOME", "TMPDIR", "LOCALAPPDATA"):
        monkeypatch.setenv(name, str(home))
    monkeypatch.chdir(home)
    before = files_of(encoder)
    SpeechEmbedding(encoder).fit_transform(waveforms)
    assert files_of(home) == []
    assert files_of(encoder) == before
    assert len(files_of(own_cache)) == 1


def test_usual_folder(monkeypatch):
    import platformdirs

    monkeypatch.delenv("SKSER_CACHE")
    assert cache_folder() == platformdirs.user_cache_path("skser", appauthor=False)


def test_folder_that_cannot_be_written_to(encoder, waveforms, own_cache):
    expected = SpeechEmbedding(encoder).fit_transform(waveforms)
    shutil.rmtree(own_cache)
    own_cache.touch()  # a file: no user, root included, can make a folder there
    _whisper_encoder._open.cache_clear()
    assert_array_equal(SpeechEmbedding(encoder).fit_transform(waveforms), expected)
    assert own_cache.read_bytes() == b""


@pytest.mark.parametrize("content", [b"", b"junk", "half", "changed"])
def test_damaged_graph_is_made_again(encoder, waveforms, own_cache, content):
    expected = SpeechEmbedding(encoder).fit_transform(waveforms)
    (graph,) = files_of(own_cache)
    intact = graph.read_bytes()
    half = intact[: len(intact) // 2]
    damaged = {"half": half, "changed": half[:-1] + b"?" + intact[len(half) :]}
    graph.write_bytes(damaged.get(content, content))
    _whisper_encoder._open.cache_clear()
    assert_array_equal(SpeechEmbedding(encoder).fit_transform(waveforms), expected)
    assert graph.read_bytes() == intact


FIRST_USE = """
import json, sys
import numpy as np
from skser import SpeechEmbedding
features = SpeechEmbedding(sys.argv[1]).fit_transform(np.ones((2, 3000), "float32"))
print(json.dumps(features.tolist()))
"""


@pytest.mark.slow
def test_first_use_by_two_processes_at_once(encoder, own_cache):
    command = [sys.executable, "-c", FIRST_USE, os.fspath(encoder)]
    processes = [subprocess.Popen(command, stdout=subprocess.PIPE, text=True) for _ in range(2)]
    printed = [process.communicate()[0] for process in processes]
    assert [process.returncode for process in processes] == [0, 0]
    assert printed[0] == printed[1]
    assert np.shape(json.loads(printed[0])) == (2, 16)
    (graph,) = files_of(own_cache)
    assert not graph.name.startswith(".")
