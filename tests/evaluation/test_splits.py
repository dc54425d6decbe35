"""Folds of segments: those of a recording are together, if the speakers are not known."""

import numpy as np
import pytest
import soundfile
from sklearn.model_selection import StratifiedKFold

from skser import Segment, evaluate
from skser.evaluation._corpus import read_corpus
from skser.evaluation._splits import random_cv, split_corpus
from skser.exceptions import DataError, LeakageWarning
from skser.recipes import functionals
from skser.tuning import Objective


@pytest.fixture(scope="module")
def segments(tmp_path_factory):
    """Four segments of each of six recordings, each with both labels."""
    home = tmp_path_factory.mktemp("segments")
    rng = np.random.default_rng(0)
    clips, target = [], []
    for i in range(6):
        soundfile.write(home / f"{i}.wav", 0.1 * rng.normal(size=8000), 8000)
        for n in range(4):
            path = home / "x" / ".." / f"{i}.wav" if n == 3 else str(home / f"{i}.wav")
            clips.append(Segment(path, n / 4, (n + 1) / 4))
            target.append("angry" if n % 2 else "sad")
    (home / "x").mkdir()
    return clips, np.array(target)


PIPELINE = functionals(features__blocks=["zcr", "rms"], augment__n_views=1, load__duration=None)


@pytest.mark.parametrize("n_splits", [5, 10])
def test_segments_of_a_recording_are_in_one_part(segments, n_splits):
    clips, target = segments
    corpus = read_corpus(clips, target, pipeline=functionals())
    _, splits = split_corpus(corpus, random_cv(corpus.clips, n_splits))
    assert len(splits) == min(n_splits, 6)
    recordings = np.repeat(np.arange(6), 4)
    for train, test in splits:
        assert not set(recordings[train]) & set(recordings[test])


def test_protocol(segments):
    protocol = evaluate(PIPELINE, *segments).protocol
    assert protocol.startswith("5 folds (whole recordings at random), speakers not known")


def test_known_speakers_come_first(segments):
    clips, target = segments
    groups = np.repeat(["ann", "bob", "eve"], 8)
    protocol = evaluate(PIPELINE, clips, target, groups=groups).protocol
    assert protocol.startswith("3 folds (leave one speaker out)")


def test_tuning(segments):
    objective = Objective(PIPELINE, *segments)
    recordings = np.repeat(np.arange(6), 4)
    assert len(objective.splits) == 5
    for train, test in objective.splits:
        assert not set(recordings[train]) & set(recordings[test])


def test_clips_of_different_recordings_are_divided_as_before():
    clips = np.random.default_rng(0).normal(size=(20, 8000))
    cv, _ = split_corpus(read_corpus(clips, ["a", "b"] * 10, pipeline=functionals()))
    assert isinstance(cv, StratifiedKFold)


def test_a_single_recording(segments):
    clips, target = segments
    with pytest.raises(DataError, match=r"4 clips are of one recording, .*0\.wav.*two recordings"):
        evaluate(PIPELINE, clips[:4], target[:4])


def test_folds_that_separate_segments_are_warned_of(segments):
    with pytest.warns(LeakageWarning, match=r"in segments, \d of them, .*0\.wav#t=0,0\.25 and"):
        evaluate(PIPELINE, *segments, cv=StratifiedKFold(2, shuffle=True, random_state=0))
