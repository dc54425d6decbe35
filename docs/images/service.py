"""Pictures of the page of `skser serve`, for the user guide.

python docs/images/service.py http://127.0.0.1:8000 MICROPHONE.wav RECORDING...
"""

import shutil
import sys
from pathlib import Path

from playwright.sync_api import Browser, Page, expect, sync_playwright

FOLDER = Path(__file__).parent


def opened(browser: Browser, address: str, scheme: str, width: int) -> Page:
    window = {"width": width, "height": 700}
    page = browser.new_context(color_scheme=scheme, viewport=window).new_page()
    page.goto(address)
    expect(page.locator("#record")).to_be_enabled()
    return page


def recordings(page: Page, paths: list[str]) -> None:
    page.set_input_files("#picker", paths)
    expect(page.locator("#files-status")).to_contain_text(f"{len(paths)} of {len(paths)}")


def live(page: Page) -> None:
    page.click("#tab-live")
    page.click("#record")
    expect(page.locator("#clock")).to_have_text("0:14", timeout=30_000)


def main(address: str, microphone: str, *paths: str) -> None:
    fake = ["--use-fake-ui-for-media-stream", "--use-fake-device-for-media-stream"]
    fake.append(f"--use-file-for-fake-audio-capture={microphone}")
    with sync_playwright() as playwright:
        chromium = playwright.chromium
        path = shutil.which("chromium")
        browser = chromium.launch(executable_path=path, args=["--no-sandbox", *fake])
        page = opened(browser, address, "light", 900)
        recordings(page, list(paths))
        page.screenshot(path=FOLDER / "service.png", full_page=True)
        page = opened(browser, address, "dark", 900)
        live(page)
        page.screenshot(path=FOLDER / "service-live.png", full_page=True)
        page = opened(browser, address, "light", 380)
        live(page)
        page.screenshot(path=FOLDER / "service-phone.png", full_page=True)
        browser.close()


if __name__ == "__main__":
    main(*sys.argv[1:])
