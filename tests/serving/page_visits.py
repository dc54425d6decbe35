"""Visits of the page by a browser: ``python -m tests.serving.page_visits NAME ADDRESS FOLDER``.

In a process of their own, since Playwright's event loop would disturb what comes after.
"""

import base64
import json
import os
import shutil
import sys
from pathlib import Path

from playwright.sync_api import expect, sync_playwright

DESKTOP, PHONE = {"width": 1000, "height": 800}, {"width": 380, "height": 740}
HTML_NAME = "<img src=x onerror=alert(1)>.wav"
PATIENCE = 30_000  # ms
RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]


def drop(page, folder):
    """Three files are dropped, one of them broken."""
    names = ["loud.wav", "broken.wav", HTML_NAME]
    contents = {name: base64.b64encode((folder / name).read_bytes()).decode() for name in names}
    page.evaluate(
        """async (contents) => {
          const transfer = new DataTransfer();
          for (const [name, content] of Object.entries(contents)) {
            const bytes = Uint8Array.from(atob(content), (c) => c.charCodeAt(0));
            transfer.items.add(new File([bytes], name));
          }
          const options = { bubbles: true, cancelable: true, dataTransfer: transfer };
          document.getElementById("drop").dispatchEvent(new DragEvent("drop", options));
        }""",
        contents,
    )
    expect(page.locator("#files-status")).to_have_text(
        "3 of 3 recordings done, 1 could not be used."
    )
    rows = page.locator("#predictions tbody tr")
    assert [row.locator("td span").first.text_content() for row in rows.all()] == names
    assert "is text, not a recording" in rows.nth(1).text_content()
    assert page.locator("#predictions img").count() == 0
    for row in (rows.nth(0), rows.nth(2)):
        assert row.locator(".bars li").count() == 3
        shares = row.locator(".bars li span:last-child:not(:only-child)").all_text_contents()
        assert 98 <= sum(int(text.removesuffix(" %")) for text in shares) <= 102, shares
    page.click("#files-clear")
    expect(page.locator("#files-result")).to_be_hidden()


def files(page, folder):
    """Files are chosen, looked at over time, and downloaded."""
    _choose(page, folder, "loud.wav", "silent.wav", HTML_NAME, "talk.wav", "broken.wav")
    silent = page.locator("#predictions tbody tr").nth(1)
    assert "no speech" in silent.text_content()
    assert silent.locator(".bars").count() == 0
    _download(page, "#files-csv", folder / "predictions.csv")
    page.click('button[aria-label="Over time: talk.wav"]')
    expect(page.locator("#over-time-title")).to_be_focused()
    assert page.locator("#over-time .silence").count() == 1
    page.click("#over-time summary")
    expect(page.locator("#over-time .segments td", has_text="silence")).to_have_count(1)
    _download(page, "#over-time button:text('CSV')", folder / "timeline.csv")
    _download(page, "#over-time button:text('SRT')", folder / "timeline.srt")
    page.fill("#abstain", "1")
    page.press("#abstain", "Enter")
    expect(page.locator("#predictions tbody tr").nth(3)).to_contain_text("too uncertain")
    expect(page.locator("#files-status")).to_contain_text("5 of 5")
    page.set_input_files("#picker", [folder / "talk.wav"])
    expect(page.locator("#files-status")).to_contain_text("6 of 6")
    assert "too uncertain" in page.locator("#predictions tbody tr").nth(5).text_content()


def live(page, folder):
    """The microphone is recorded, with a pause; what was sent and downloaded is kept."""
    sent, received = [], []

    def watch(socket):
        socket.on("framesent", lambda frame: sent.append(frame))
        socket.on("framereceived", lambda frame: received.append(json.loads(frame)))

    page.on("websocket", watch)
    page.click("#tab-live")
    page.click("#record")
    expect(page.locator("#live-status")).to_contain_text("Recording")
    expect(page.locator("#meter")).not_to_have_attribute("aria-valuetext", "no sound")
    expect(page.locator("#live-result .strip").first).to_be_visible(timeout=20_000)
    page.click("#pause")
    expect(page.locator("#live-status")).to_have_text("Paused: nothing is sent.")
    page.wait_for_timeout(300)  # what was on its way
    n_sent = len(sent)
    page.wait_for_timeout(500)
    assert len(sent) == n_sent
    page.click("#pause")
    expect(page.locator("#clock")).to_have_text("0:10")
    page.click("#stop")
    _check_ended(page)
    expect(page.locator("#record")).to_be_focused()
    page.click("#live-result summary")
    expect(page.locator("#live-result .segments tbody tr").first).to_be_visible()
    _download(page, "#live-result button:text('CSV')", folder / "live.csv")
    _download(page, "#live-result button:text('SRT')", folder / "live.srt")
    assert any(message.get("revised") for message in received)  # so the last of each counts
    first, *blocks, last = sent
    assert json.loads(last) == {"type": "end"}
    (folder / "sent.json").write_text(first)
    (folder / "sent.pcm").write_bytes(b"".join(blocks))


def pause(page, folder):
    """A pause keeps its session, and ends the recording after ten minutes."""
    page.evaluate(
        """() => {
          window.sizes = [];
          const send = WebSocket.prototype.send;
          WebSocket.prototype.send = function (content) {
            window.sizes.push(content.byteLength ?? content);
            return send.call(this, content);
          };
        }"""
    )
    page.clock.install()
    page.click("#tab-live")
    page.click("#record")
    expect(page.locator("#clock")).to_have_text("0:01")
    page.click("#pause")
    expect(page.locator("#live-status")).to_have_text("Paused: nothing is sent.")
    page.wait_for_timeout(300)  # what was on its way
    n_sent = page.evaluate("sizes.length")
    page.clock.run_for(45_000)
    expect(page.locator("#live-status")).to_have_text("Paused: nothing is sent.")
    assert page.evaluate("sizes")[n_sent:] == [0, 0]
    page.clock.run_for(600_000)
    _check_ended(page)
    assert json.loads(page.evaluate("sizes.at(-1)")) == {"type": "end"}


def clip(page, folder):
    """One recording of the microphone is predicted as a file."""
    page.click("#record-clip")
    expect(page.locator("#record-clip")).to_have_text("Stop recording")
    page.wait_for_timeout(1500)
    page.click("#record-clip")
    expect(page.locator("#files-status")).to_contain_text("1 of 1 recordings done:")
    row = page.locator("#predictions tbody tr")
    assert "recording 1.wav" in row.text_content()
    duration = float(row.locator("td.number").text_content().removesuffix(" s"))
    assert 0.5 < duration < 30, duration


def keyboard(page, folder):
    """Everything is done without a mouse."""

    def focused():
        return page.evaluate("document.activeElement.id")

    order = []
    for _ in range(6):
        page.keyboard.press("Tab")
        order.append(focused())
        outline = "getComputedStyle(document.activeElement).outlineStyle"
        assert page.evaluate(outline) == "solid", order
    assert order == ["about", "tab-files", "choose", "record-clip", "abstain", ""], order
    page.focus("#about")
    page.keyboard.press("Enter")
    expect(page.locator("#card")).to_be_visible()
    assert "Limits" in page.inner_text("#card-text")
    page.keyboard.press("Escape")
    expect(page.locator("#card")).to_be_hidden()
    assert focused() == "about"
    with page.expect_file_chooser() as chooser:
        page.focus("#choose")  # which gives the browser time to begin to watch
        page.keyboard.press("Enter")
    chooser.value.set_files([folder / "talk.wav"])
    expect(page.locator("#files-status")).to_contain_text("1 of 1 recordings done: ")
    page.focus("#abstain")
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    expect(page.locator("#over-time-title")).to_be_focused()
    page.focus("#tab-files")
    page.keyboard.press("ArrowRight")
    assert focused() == "tab-live"
    page.keyboard.press("Tab")
    assert focused() == "record"
    page.keyboard.press("Space")
    expect(page.locator("#stop")).to_be_focused()
    expect(page.locator("#clock")).to_have_text("0:01")
    page.keyboard.press("Enter")
    expect(page.locator("#record")).to_be_focused()
    _check_ended(page)


def models(page, folder):
    """One of several models answers, and none is changed while it listens."""
    assert page.locator("#model option").all_text_contents() == ["quick", "other"]
    page.select_option("#model", "other")
    page.click("#about")
    expect(page.locator("#card-title")).to_have_text("Model other")
    page.click("#card-close")
    with page.expect_request("**/v1/predict?*") as request:
        _choose(page, folder, "loud.wav")
    assert "model=other" in request.value.url
    page.click('button[aria-label="Over time: loud.wav"]')
    expect(page.locator("#over-time")).to_be_visible()
    with page.expect_request("**/v1/predict?*") as request:
        page.select_option("#model", "quick")
    assert "model=quick" in request.value.url
    expect(page.locator("#over-time")).to_be_hidden()
    expect(page.locator("#predictions tbody tr")).to_have_count(1)
    expect(page.locator("#predictions .bars")).to_have_count(1)
    page.select_option("#model", "other")
    page.click("#tab-live")
    with page.expect_websocket() as socket:
        page.click("#record")
    assert "model=other" in socket.value.url
    expect(page.locator("#model")).to_be_disabled()
    expect(page.locator("#live-status")).to_contain_text("Recording")
    page.click("#stop")
    expect(page.locator("#model")).to_be_enabled()


def key(page, folder):
    """The key is asked for only by a service that has one."""
    expect(page.locator("#key")).to_be_focused()
    page.keyboard.type("wrong")
    page.keyboard.press("Enter")
    expect(page.locator("#problem")).to_have_text("This is not the API key of the service.")
    page.fill("#key", "secret")
    page.keyboard.press("Enter")
    expect(page.locator("#access")).to_be_hidden()
    expect(page.locator("#problem")).to_be_hidden()
    _choose(page, folder, "loud.wav")
    page.click("#tab-live")
    page.click("#record")
    expect(page.locator("#live-status")).to_contain_text("Recording")
    page.click("#stop")
    _check_ended(page)


def busy(page, folder):
    """A service without a place for a live session says so."""
    expect(page.locator("#access")).to_be_hidden()
    page.click("#tab-live")
    page.click("#record")
    expect(page.locator("#problem")).to_have_text("0 live sessions are open.")
    expect(page.locator("#record")).to_be_enabled()
    page.click("#tab-files")
    (folder / "large.wav").write_bytes(b"RIFF" + bytes(2**20))
    page.set_input_files("#picker", [folder / "large.wav"])
    expect(page.locator("#predictions .failed")).to_have_text("larger than 1 MB")


def accessible(page, folder):
    """axe-core finds no violation, and nothing is wider than the window."""
    axe = Path(os.environ["SKSER_TEST_AXE"]).read_text(encoding="utf-8")

    def check(what):
        page.evaluate(axe)
        found = page.evaluate("rules => axe.run(document, { runOnly: rules })", RULES)
        details = [
            (one["id"], [node["html"] for node in one["nodes"]]) for one in found["violations"]
        ]
        assert not details, (what, details)
        assert len(found["passes"]) > 15, what
        _check_width(page, what)

    check("empty")
    page.click("#about")
    check("card")
    page.click("#card-close")
    _choose(page, folder, "loud.wav", HTML_NAME, "silent.wav", "talk.wav", "broken.wav")
    page.click('button[aria-label="Over time: talk.wav"]')
    page.click("#over-time summary")
    check("files")
    page.click("#tab-live")
    check("live, off")
    page.click("#record")
    expect(page.locator("#live-result .cell").first).to_be_visible(timeout=20_000)
    check("live")
    page.click("#pause")
    check("paused")
    page.click("#stop")
    _check_ended(page)
    check("ended")


def _check_ended(page):
    ended = "The recording has ended: "
    expect(page.locator("#live-status")).to_contain_text(ended)


def _check_width(page, what):
    scroll = "document.documentElement.scrollWidth - document.documentElement.clientWidth"
    assert page.evaluate(scroll) <= 0, what


def _choose(page, folder, *names):
    page.set_input_files("#picker", [folder / name for name in names])
    done = page.locator("#files-status")
    expect(done).to_contain_text(f"{len(names)} of {len(names)} recordings done")


def _download(page, selector, path):
    with page.expect_download() as download:
        page.click(selector)
    download.value.save_as(path)


def visit(browser, name, address, folder, scheme="light", window=None):
    """One visit: no error, nothing on the console but refusals, no request to another server."""
    context = browser.new_context(color_scheme=scheme, viewport=window or DESKTOP)
    page = context.new_page()
    page.set_default_timeout(PATIENCE)
    expect.set_options(timeout=PATIENCE)
    errors, requests = [], []
    page.on("request", lambda request: requests.append(request.url))
    page.on("websocket", lambda socket: requests.append(socket.url.replace("ws:", "http:")))
    page.on("pageerror", lambda error: errors.append(str(error)))
    page.on("dialog", lambda dialog: errors.append(dialog.message))
    page.on("console", lambda message: errors.append(message.text))
    page.goto(f"{address}/")
    assert page.title() == "Emotions in speech"
    if name != "key":
        expect(page.locator("#record")).to_be_enabled()
    globals()[name](page, folder)
    refusals = ("the server responded with a status of 4",)
    assert not [text for text in errors if not any(one in text for one in refusals)], errors
    own = (f"{address}/", "blob:", "data:")
    assert not [url for url in requests if not url.startswith(own)], requests
    background = page.evaluate("getComputedStyle(document.body).backgroundColor")
    context.close()
    return background


def main(name, address, folder):
    folder = Path(folder)
    microphone = f"--use-file-for-fake-audio-capture={folder / 'talk.wav'}"
    fake = ["--use-fake-ui-for-media-stream", "--use-fake-device-for-media-stream", microphone]
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=shutil.which("chromium"), args=["--no-sandbox", *fake]
        )
        if name == "accessible":
            backgrounds = [
                visit(browser, name, address, folder, scheme, window)
                for scheme, window in (("light", DESKTOP), ("dark", DESKTOP), ("light", PHONE))
            ]
            assert backgrounds[1] == "rgb(20, 24, 29)" != backgrounds[0] == "rgb(255, 255, 255)"
        else:
            visit(browser, name, address, folder)
        browser.close()


if __name__ == "__main__":
    main(*sys.argv[1:])
