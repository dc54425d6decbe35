import numpy as np
import pytest
from sklearn.model_selection import GroupKFold, LeaveOneGroupOut, StratifiedKFold, check_cv
from sklearn.pipeline import FeatureUnion

from skser import FeatureScaler, SpeakerNormalizer, make_emotion_pipeline
from skser.evaluation._protocol import describe_protocol
from skser.model_selection import SpeakerTextKFold, ravdess_folds
from skser.recipes import dense_195

SPEAKERS = np.repeat(list("abc"), 2)
APART = [(np.arange(2, 6), np.arange(2)), (np.arange(2), np.arange(2, 6))]
MIXED = [(np.arange(5), np.array([5])), (np.arange(1, 6), np.array([0]))]


@pytest.mark.parametrize(
    ("cv", "parts", "groups", "expected"),
    [
        (
            LeaveOneGroupOut(),
            APART,
            SPEAKERS,
            "2 folds (leave one speaker out), speaker-independent: nobody tested is trained on",
        ),
        (
            GroupKFold(2),
            APART,
            SPEAKERS,
            "2 folds (whole speakers), speaker-independent: nobody tested is trained on",
        ),
        (
            ravdess_folds(),
            APART,
            SPEAKERS,
            "2 folds (actors as in Luna-Jiménez et al., 2021), speaker-independent: nobody tested "
            "is trained on",
        ),
        (
            SpeakerTextKFold(),
            APART,
            SPEAKERS,
            "2 folds (new speakers with new sentences), speaker-independent: nobody tested is "
            "trained on",
        ),
        (
            StratifiedKFold(2),
            MIXED,
            SPEAKERS,
            "2 folds (clips in their order), not speaker-independent: 2 of 3 speakers are both "
            "trained on and tested",
        ),
        (
            check_cv(MIXED),
            MIXED,
            None,
            "2 folds (given by hand), speakers not known: says nothing about new ones",
        ),
    ],
)
def test_speaker_independence(cv, parts, groups, expected):
    assert describe_protocol(dense_195(), cv, parts, groups) == expected


@pytest.mark.parametrize(
    ("normalizer", "expected"),
    [
        (
            SpeakerNormalizer(transductive=True),
            "; features are normalised by mean and deviation of each speaker: transductive, those "
            "of speakers who are tested over all their clips in the fold",
        ),
        (
            SpeakerNormalizer(n_calibration=8),
            "; features are normalised by mean and deviation of each speaker: those of new "
            "speakers over the first 8 of their tested clips, without labels",
        ),
        (
            SpeakerNormalizer(),
            "; features are normalised by mean and deviation of each speaker: those of the clips "
            "that are trained on",
        ),
    ],
)
def test_normalization(normalizer, expected):
    for pipeline in (
        dense_195(scale=normalizer),
        make_emotion_pipeline(vote__network__scale=normalizer),
        dense_195(scale=FeatureUnion([("by speaker", normalizer), ("all", FeatureScaler())])),
    ):
        assert describe_protocol(pipeline, GroupKFold(2), APART, SPEAKERS).endswith(expected)


def test_normalizers_that_differ_are_all_named():
    pipeline = make_emotion_pipeline(
        vote__functionals__scale=SpeakerNormalizer(n_calibration=2),
        vote__network__scale=SpeakerNormalizer(n_calibration=6),
    )
    protocol = describe_protocol(pipeline, GroupKFold(2), APART, SPEAKERS)
    assert "over the first 2 of their" in protocol
    assert ", and those of new speakers over the first 6 of their" in protocol
