import re
import shutil
import subprocess
import sys
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path

import pandas as pd
import pytest
import soundfile
from sklearn.model_selection import GroupKFold

from skser import compare, evaluate
from skser.evaluation import leakage_report
from skser.exceptions import DataError
from skser.inspection import block_importance
from skser.report import write_report
from tests.evaluations import noises, quick_pipeline

pytestmark = pytest.mark.slow

LABELS = ("怒り", "هادئ", "उदास")


@pytest.fixture(scope="module")
def speech(tmp_path_factory):
    """A corpus of files with labels in three scripts."""
    home = tmp_path_factory.mktemp("speech")
    corpus = noises(emotions=LABELS)
    corpus.paths = [str(home / f"clip {i}.wav") for i in range(len(corpus.target))]
    for path, waveform in zip(corpus.paths, corpus.pop("waveforms"), strict=True):
        soundfile.write(path, waveform, 16000)
    return corpus


@pytest.fixture(scope="module")
def report(speech):
    return leakage_report(quick_pipeline(), speech)


@pytest.fixture(scope="module")
def baseline(speech):
    return evaluate(quick_pipeline(classify__C=1e-9), speech)


@pytest.fixture(scope="module")
def page(speech, report, baseline, tmp_path_factory):
    path = tmp_path_factory.mktemp("report") / "report.html"
    losses = block_importance(quick_pipeline(), speech, n_repeats=2)
    uar = pd.DataFrame({"one": [0.7, 0.5], "two": [0.4, 0.8]}, index=["one", "two"])
    write_report(
        report.new_speakers,
        path,
        title="Noise & <silence>",
        description="Noise & more noise.",
        leakage=report,
        importance=losses,
        cross_corpus=uar,
        baseline=baseline,
    )
    return path


class Tables(HTMLParser):
    """Texts of the cells of each table by its id."""

    def __init__(self):
        super().__init__()
        self.cells = {}
        self.into = None

    def handle_starttag(self, tag, attributes):
        if tag == "table":
            self.into = self.cells.setdefault(dict(attributes)["id"], [])
        elif tag in ("td", "th") and self.into is not None:
            self.into.append("")

    def handle_endtag(self, tag):
        if tag == "table":
            self.into = None

    def handle_data(self, data):
        if self.into:
            self.into[-1] += data


@pytest.mark.slow
def test_page_has_the_scores(page, report):
    text = page.read_text(encoding="utf-8")
    tables = Tables()
    tables.feed(text)
    uar = report.new_speakers.to_frame().loc["uar"]
    at = tables.cells["scores"].index("Unweighted average recall")
    assert tables.cells["scores"][at + 1 : at + 4] == [
        f"{uar[name]:.3f}" for name in ("pooled", "low", "high")
    ]
    assert f"{report.to_frame().loc['uar', 'random']:.3f}" in text
    assert set(tables.cells) == {
        *("scores", "comparison", "emotions", "by-speaker", "by-gender", "mistakes"),
        "importance",
    }
    assert tables.cells["by-speaker"].count("9") == 4


def test_page_has_the_comparison_with_the_baseline(page, report, baseline):
    text = page.read_text(encoding="utf-8")
    tables = Tables()
    tables.feed(text)
    uar = compare(baseline, report.new_speakers).loc["uar"]
    assert [text.strip() for text in tables.cells["comparison"][7:14]] == [
        "Unweighted average recall",
        *(f"{value:.3f}" for value in uar),
    ]
    assert "this pipeline minus baseline" in text
    assert "LogisticRegression(C=1e-09)" in text


def test_baseline_has_the_same_clips(report, baseline, tmp_path):
    fewer = replace(baseline, predictions=baseline.predictions[:-1])
    with pytest.raises(DataError, match="must be of the same clips"):
        write_report(report.new_speakers, tmp_path / "report.html", baseline=fewer)


def test_page_without_probabilities(report, tmp_path):
    evaluation = replace(report.new_speakers, has_probabilities=False)
    write_report(evaluation, tmp_path / "report.html")
    text = (tmp_path / "report.html").read_text(encoding="utf-8")
    assert "<h2>Confidence" not in text
    assert "<h2>Comparison" not in text


def test_protocol_is_at_the_top_and_where_it_differs(page, report):
    top, *sections = page.read_text(encoding="utf-8").split("<h2>")
    protocol = report.new_speakers.protocol
    assert protocol in top
    assert "36 clips of 4 speakers" in top
    assert '<p class="protocol">Noise &amp; more noise.</p>' in top
    assert not any(protocol in section for section in sections)
    (other,) = (section for section in sections if section.startswith("Other corpora"))
    assert "in folds of new speakers." in other


def test_another_protocol_and_folds_of_several_speakers(report, speech, tmp_path):
    evaluation = evaluate(quick_pipeline(), speech, cv=GroupKFold(2))
    write_report(evaluation, tmp_path / "report.html", leakage=report)
    text = (tmp_path / "report.html").read_text(encoding="utf-8")
    (leakage,) = (part for part in text.split("<h2>") if part.startswith("Leakage"))
    assert report.new_speakers.protocol in leakage
    assert 'id="by-fold"' in text


def test_page_loads_nothing_else(page):
    text = page.read_text(encoding="utf-8")
    without_names = re.sub(r'xmlns(:\w+)?="[^"]*"|<!DOCTYPE[^>]*>', "", text)
    assert not re.search(r"""(src|href|url)\s*[=(]\s*["']?(https?:|//|file:)""", without_names)
    assert "Noise &amp; &lt;silence&gt;" in text


def test_references_within_pictures_exist(page):
    text = page.read_text(encoding="utf-8")
    ids = re.findall(r'\bid="([^"]+)"', text)
    assert len(ids) == len(set(ids))
    assert set(re.findall(r"url\(#([^)]+)\)", text)) <= set(ids)
    assert set(re.findall(r'href="#([^"]+)"', text)) <= set(ids)


def test_labels_are_text_in_every_script(page):
    text = page.read_text(encoding="utf-8")
    svg = "".join(re.findall(r"<svg.*?</svg>", text, re.DOTALL))
    for name in LABELS:
        assert name in svg


def test_the_most_confident_mistake_is_drawn(page, report):
    table = report.new_speakers.predictions
    wrong = table[table["predicted"] != table["emotion"]]
    surest = wrong.loc[wrong[list(LABELS)].max(axis=1).idxmax()]
    text = page.read_text(encoding="utf-8")
    caption = f"{surest['emotion']} predicted as {surest['predicted']}:"
    assert f"{Path(surest['path']).name}, {caption}" in text
    assert "frequency (Hz)" in text


def test_missing_folder(report, tmp_path):
    with pytest.raises(DataError, match=r"its folder .* does not exist"):
        write_report(report.new_speakers, tmp_path / "no" / "report.html")


BROWSE = """
import sys
from playwright.sync_api import sync_playwright

path, browser, picture = sys.argv[1:]

def visit(chromium, scheme):
    page = chromium.new_context(color_scheme=scheme).new_page()
    errors, requests = [], []
    page.on("request", lambda request: requests.append(request.url))
    page.on("console", lambda message: errors.append(message.text))
    page.on("pageerror", lambda error: errors.append(str(error)))
    page.goto("file://" + path)
    assert page.title() == "Noise & <silence>", page.title()
    assert not errors, errors
    assert [url for url in requests if not url.startswith("data:")] == ["file://" + path], requests
    assert page.locator("figure svg").count() >= 8
    for figure in page.locator("figure svg").all():
        box = figure.bounding_box()
        assert box["width"] > 100 and box["height"] > 100, box
    def column(n):
        return page.locator(f"#by-speaker tbody td:nth-child({n})").all_text_contents()
    page.click("#by-speaker th:nth-child(3) button")
    scores = [float(text) for text in column(3)]
    assert scores == sorted(scores), scores
    page.click("#by-speaker th:nth-child(3) button")
    assert [float(text) for text in column(3)] == scores[::-1]
    page.click("#by-speaker th:nth-child(1) button")
    assert column(1) == sorted(column(1))
    page.screenshot(path=picture)
    print(page.evaluate("getComputedStyle(document.body).backgroundColor"))

with sync_playwright() as playwright:
    chromium = playwright.chromium.launch(executable_path=browser, args=["--no-sandbox"])
    for scheme in ("light", "dark"):
        visit(chromium, scheme)
    chromium.close()
"""


@pytest.mark.slow
def test_in_a_browser(page, tmp_path):
    pytest.importorskip("playwright")
    browser = shutil.which("chromium")
    if browser is None:
        pytest.skip("no chromium is installed")
    # In a process of its own: Playwright's event loop would disturb what comes after.
    command = [sys.executable, "-c", BROWSE, page, browser, tmp_path / "page.png"]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=120)
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines() == ["rgb(255, 255, 255)", "rgb(20, 24, 29)"]
    assert (tmp_path / "page.png").stat().st_size > 10_000
