"""Values that displays draw; training curves have tests of their own."""

import io
from dataclasses import replace
from types import SimpleNamespace

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest
from matplotlib.figure import Figure
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.calibration import calibration_curve
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import precision_recall_fscore_support

from skser import Segment, evaluate
from skser.evaluation import leakage_report
from skser.exceptions import DataError, ParameterError
from skser.inspection import Saliency
from skser.metrics import expected_calibration_error
from skser.plotting import (
    BlockImportanceDisplay,
    ClassScoresDisplay,
    ClipDisplay,
    ConfusionDisplay,
    CoverageDisplay,
    CrossCorpusDisplay,
    EmotionDistributionDisplay,
    LeakageGapDisplay,
    ReliabilityDisplay,
    SaliencyDisplay,
    SpeakerScoresDisplay,
)
from tests.evaluations import noises, quick_pipeline

SPEECH = noises()
TRUTH = np.array(["angry", "angry", "calm", "calm", "sad"])
PREDICTED = np.array(["angry", "calm", "calm", "calm", "angry"])


@pytest.fixture
def ax():
    return Figure().subplots()


@pytest.fixture(autouse=True)
def closed():
    yield
    plt.close("all")


@pytest.fixture(scope="module")
def evaluation():
    return evaluate(quick_pipeline(), SPEECH)


def texts(ax):
    return [text.get_text() for text in ax.texts]


def labels(axis):
    return [label.get_text() for label in axis.get_ticklabels()]


def test_confusion(ax):
    display = ConfusionDisplay.from_predictions(TRUTH, PREDICTED, ax=ax)
    assert display.ax_ is ax
    assert_array_equal(display.counts, [[1, 1, 0], [0, 2, 0], [1, 0, 0]])
    assert_allclose(display.image_.get_array(), [[0.5, 0.5, 0], [0, 1, 0], [1, 0, 0]])
    assert texts(ax)[:3] == ["0.50", "0.50", "0.00"]
    assert labels(ax.yaxis) == labels(ax.xaxis) == ["angry", "calm", "sad"]


def test_confusion_in_numbers(ax):
    display = ConfusionDisplay.from_predictions(TRUTH, PREDICTED, normalize=None, ax=ax)
    assert texts(display.ax_)[:3] == ["1", "1", "0"]
    with pytest.raises(ParameterError, match=r"normalize must be .* got 'all'"):
        display.plot(normalize="all")


def test_confusion_from_estimator(ax):
    X = np.arange(5.0).reshape(-1, 1)
    fitted = LogisticRegression().fit(X, TRUTH)
    display = ConfusionDisplay.from_estimator(fitted, X, TRUTH, ax=ax)
    by_hand = ConfusionDisplay.from_predictions(TRUTH, fitted.predict(X), ax=ax)
    assert display.counts.equals(by_hand.counts)


def test_class_scores(ax):
    display = ClassScoresDisplay.from_predictions(TRUTH, PREDICTED, ax=ax)
    *expected, _ = precision_recall_fscore_support(TRUTH, PREDICTED, zero_division=0)
    for bars, values in zip(display.bars_, expected, strict=True):
        assert_allclose([bar.get_width() for bar in bars], values)


def test_accuracy_of_each_class(ax):
    display = ClassScoresDisplay.from_predictions(TRUTH, PREDICTED, scores=["recall"], ax=ax)
    assert texts(ax) == ["0.50", "1.00", "0.00"]
    with pytest.raises(ParameterError, match=r"scores must be .*, got \['accuracy'\]"):
        display.plot(scores=["accuracy"])


def test_reliability(ax):
    rng = np.random.default_rng(0)
    probabilities = rng.dirichlet([1, 1], size=500)
    truth = (rng.random(500) < probabilities[:, 1]).astype(int)
    display = ReliabilityDisplay.from_predictions(truth, probabilities, [0, 1], ax=ax)
    assert display.n_clips.sum() == 500
    right = (probabilities.argmax(axis=1) == truth).astype(int)
    accuracy, confidence = calibration_curve(right, probabilities.max(axis=1), n_bins=15)
    full = display.n_clips > 0
    assert_allclose(display.accuracy[full], accuracy)
    assert_allclose(display.confidence[full], confidence)
    assert display.calibration_error == expected_calibration_error(truth, probabilities)
    ax.figure.draw_without_rendering()
    legend = ax.get_legend().get_window_extent()
    assert not legend.overlaps(ax.get_window_extent())
    assert not legend.overlaps(ax.title.get_window_extent())


def test_coverage(ax, evaluation):
    display = CoverageDisplay.from_evaluation(evaluation, ax=ax)
    table = display.table
    drawn = table[table["coverage"] >= 0.3]
    for line, name in zip(display.lines_, ("accuracy", "uar"), strict=True):
        assert_allclose(line.get_xdata(), drawn["coverage"])
        assert_allclose(line.get_ydata(), drawn[name])
    scores = evaluation.to_frame()["pooled"]
    assert [table["accuracy"][0], table["uar"][0]] == pytest.approx(scores[["accuracy", "uar"]])
    surest = evaluation.probabilities.max(axis=1).nlargest(18).index
    right = (evaluation.predictions["predicted"] == evaluation.predictions["emotion"])[surest]
    assert ax.get_title().startswith(f"accuracy {scores['accuracy']:.2f} of all clips, ")
    assert ax.get_title().endswith(f", {right.mean():.2f} at 50 %")


def test_coverage_needs_probabilities(evaluation):
    with pytest.raises(DataError, match="evaluation must have probabilities"):
        CoverageDisplay.from_evaluation(replace(evaluation, has_probabilities=False))


def test_speaker_scores(ax, evaluation):
    display = SpeakerScoresDisplay.from_evaluation(evaluation, ax=ax)
    drawn = display.points_.get_offsets()
    assert_allclose(drawn[:, 0], evaluation.by("speaker")["uar"].sort_values())
    assert display.chance == pytest.approx(1 / 3)
    assert len(ax.get_yticklabels()) == len(drawn)


def test_many_speakers_have_no_names(ax):
    scores = pd.Series(np.linspace(0, 1, 61), [f"s{i}" for i in range(61)])
    display = SpeakerScoresDisplay(scores, 0.5, (0.4, 0.6), 0.25).plot(ax=ax)
    assert len(display.points_.get_offsets()) == 61
    assert ax.get_yticklabels() == []
    assert ax.get_ylabel() == "61 speakers"
    few = SpeakerScoresDisplay(scores[:60], 0.5, (0.4, 0.6), 0.25)
    assert display._figure_size() == few._figure_size()


@pytest.mark.parametrize("kind", ["bars", "heatmap"])
def test_distribution(ax, kind):
    display = EmotionDistributionDisplay.from_corpus(SPEECH, by="gender", kind=kind, ax=ax)
    assert_array_equal(display.counts, np.full((3, 2), 6))
    assert len(display.bars_) == (2 if kind == "bars" else 0)
    assert texts(ax) == (["12"] * 3 if kind == "bars" else ["6"] * 6)


def test_distribution_of_all(ax):
    display = EmotionDistributionDisplay.from_corpus(SPEECH, ax=ax)
    assert [bar.get_width() for bar in display.bars_[0]] == [12, 12, 12]
    with pytest.raises(ParameterError, match=r"by must be a column .* got 'age'"):
        EmotionDistributionDisplay.from_corpus(SPEECH, by="age")


def test_leakage_gap(ax):
    report = leakage_report(quick_pipeline(), SPEECH)
    display = LeakageGapDisplay.from_reports({"noise": report}, ax=ax)
    uar = report.to_frame().loc["uar"]
    assert display.random_.get_offsets()[0, 0] == pytest.approx(uar["random"])
    assert display.new_speakers_.get_offsets()[0, 0] == pytest.approx(uar["new_speakers"])


def test_cross_corpus(ax):
    uar = pd.DataFrame({"one": [0.7, 0.5], "two": [0.4, 0.8]}, index=["one", "two"])
    display = CrossCorpusDisplay(uar).plot(ax=ax)
    assert_allclose(display.image_.get_array(), uar)
    assert texts(ax) == ["0.70", "0.40", "0.50", "0.80"]


def test_block_importance(ax):
    table = pd.DataFrame({"mean": [0.3, 0.1], "sd": [0.1, 0.2]}, index=["mel", "pitch"])
    display = BlockImportanceDisplay(table).plot(ax=ax)
    assert [bar.get_width() for bar in display.bars_] == [0.3, 0.1]
    assert labels(ax.yaxis) == ["mel", "pitch"]


def test_saliency(ax):
    values = np.zeros((50, 16))
    values[10, 3] = 0.2
    names = np.array([f"mel_{i}" for i in range(16)])
    result = Saliency(values, np.arange(50) * 0.02, names, "calm", 0.8)
    display = SaliencyDisplay(result).plot(ax=ax)
    assert_array_equal(display.image_.get_array(), values.T)
    assert display.image_.get_extent()[1] == pytest.approx(1.0)
    assert ax.get_title() == "calm 0.80"


def test_clip():
    seconds = np.arange(16000) / 16000
    probabilities = pd.Series({"angry": 0.2, "calm": 0.8})
    waveform = np.sin(2 * np.pi * 1000 * seconds)
    display = ClipDisplay(waveform, 16000, probabilities).plot(figure=Figure())
    wave, spectrogram, cepstrum, bars = display.axes_
    assert wave.get_xlim() == (0, 1)
    image = spectrogram.images[0]
    assert image.get_extent() == [0, 1, 0, 8000]
    # The tone is where it belongs.
    loudest = np.asarray(image.get_array()).mean(axis=1).argmax()
    assert loudest / (len(image.get_array()) - 1) * 8000 == pytest.approx(1000, abs=20)
    assert cepstrum.get_ylabel() == "MFCC"
    assert texts(bars) == ["0.20", "0.80"]


def test_clip_of_a_recording_and_a_pipeline(tmp_path):
    import soundfile

    soundfile.write(tmp_path / "a.wav", SPEECH.waveforms[0], 16000)
    figure = Figure()
    assert len(ClipDisplay.from_recording(tmp_path / "a.wav", figure=figure).axes_) == 3
    fitted = quick_pipeline().fit(SPEECH.waveforms, SPEECH.target)
    display = ClipDisplay.from_estimator(fitted, tmp_path / "a.wav", figure=Figure())
    assert_allclose(
        display.probabilities, fitted.predict_proba([str(tmp_path / "a.wav")])[0], rtol=1e-6
    )


def test_clip_of_a_recording_in_any_form(tmp_path):
    import soundfile

    waveform = SPEECH.waveforms[0]
    soundfile.write(tmp_path / "a.wav", waveform, 16000, subtype="FLOAT")
    fitted = quick_pipeline().fit(SPEECH.waveforms, SPEECH.target)
    content = (tmp_path / "a.wav").read_bytes()
    expected = ClipDisplay.from_estimator(fitted, tmp_path / "a.wav", sr=8000, figure=Figure())
    for recording in (
        io.BytesIO(content),
        (waveform, 16000),
        {"path": None, "bytes": content},
        Segment(tmp_path / "a.wav", 0.0),
        waveform,  # at the rate of the loader, whatever that of the picture
        SimpleNamespace(read=iter([content]).__next__),  # can be read once
    ):
        display = ClipDisplay.from_estimator(fitted, recording, sr=8000, figure=Figure())
        assert_array_equal(display.waveform, expected.waveform)
        assert_array_equal(display.probabilities, expected.probabilities)
    for recording in ((waveform, 16000), io.BytesIO(content)):
        display = ClipDisplay.from_recording(recording, sr=8000, figure=Figure())
        assert_array_equal(display.waveform, expected.waveform)


@pytest.mark.slow
def test_figures_are_made_where_none_is_given():
    assert ConfusionDisplay.from_predictions(TRUTH, PREDICTED).figure_ in map(
        plt.figure, plt.get_fignums()
    )
    assert ClipDisplay(np.ones(800), 8000).plot().figure_ is plt.gcf()


def test_fallback_fonts_have_what_the_usual_font_lacks(monkeypatch, tmp_path):
    def draw(fonts):
        monkeypatch.setattr("skser.plotting._style._FALLBACK_FONTS", fonts)
        labels = ["a\u23b3", "b"]  # a STIX font has this character, DejaVu Sans does not
        display = ConfusionDisplay.from_predictions(labels, labels)
        display.figure_.savefig(tmp_path / "picture.png")
        return display.ax_.get_yticklabels()[0].get_fontfamily()

    with pytest.warns(UserWarning, match="Glyph 9139 .* missing from"):
        draw(())
    assert draw(["No Such Font", "STIXSizeOneSym"]) == ["sans-serif", "STIXSizeOneSym"]


def test_labels_are_not_formulas(tmp_path):
    display = ConfusionDisplay.from_predictions(["$a_$", "b"], ["b", "b"])
    display.figure_.savefig(tmp_path / "picture.svg")
    assert [text.get_text() for text in display.ax_.get_yticklabels()] == ["$a_$", "b"]
