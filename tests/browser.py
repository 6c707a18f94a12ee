"""A browser, and what a person does in it on the page."""

import os
import shutil
import time
from contextlib import contextmanager
from functools import cache
from pathlib import Path

import pytest
from PIL import Image

VARIABLE = "PIXTURN_CHROMIUM"
SCREENSHOTS = "PIXTURN_SCREENSHOTS"
"""Names a folder: the tests then leave pictures of the page there."""

PATIENCE_MS = 180_000
"""A busy machine without a graphics card takes a minute to paint."""
_ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
_NAMES = ("chromium", "chromium-browser", "google-chrome-stable", "google-chrome", "chrome")


@cache
def chromium_path():
    """Where a Chromium is: the one that is named, an installed one, or playwright's own; else None."""
    if named := os.environ.get(VARIABLE):
        return named
    if found := next(filter(None, map(shutil.which, _NAMES)), None):
        return found
    home = Path.home() / ".cache" / "ms-playwright"
    return next((str(path) for path in sorted(home.glob("chromium*/chrome-linux*/*chrom*")) if path.is_file()), None)


def _missing():
    try:
        import playwright  # noqa: F401
    except ImportError:
        return "The package playwright is missing: pip install playwright"
    if chromium_path() is None:
        return (
            "There is no Chromium: apt-get install -y chromium (Debian), or playwright install chromium, "
            f"or name one: {VARIABLE}=/path/to/chromium"
        )
    return ""


needs_browser = [pytest.mark.skipif(bool(_missing()), reason=_missing() or "there is one"), pytest.mark.slow]


@contextmanager
def browser(*arguments):
    from playwright.sync_api import sync_playwright

    with sync_playwright() as started:
        opened = started.chromium.launch(executable_path=chromium_path(), args=[*_ARGUMENTS, *arguments])
        yield opened
        opened.close()


@contextmanager
def visitor(browser, url, **context):
    """Somebody with a browser of their own, the page open. Nothing may go wrong in its scripts."""
    kept = (
        browser.new_context(viewport={"width": 1280, "height": 900}, **context)
        if "viewport" not in context
        else (browser.new_context(**context))
    )
    try:
        yield Visitor(kept, url)
    finally:
        kept.close()


class Visitor:
    """What a person does, by what they see."""

    def __init__(self, context, url):
        context.set_default_timeout(PATIENCE_MS)
        self.context, self.page, self.url = context, context.new_page(), url
        self.problems = []
        self.page.on("console", lambda line: self.problems.append(line.text) if line.type == "error" else None)
        self.page.on("pageerror", lambda problem: self.problems.append(str(problem)))
        self.again()

    def again(self):
        """The page anew."""
        self.page.goto(self.url)
        self.seen("button.start").wait_for()
        self.page.wait_for_timeout(300)

    def seen(self, selector):
        """The first such element that can be seen: what other tabs have is there too, hidden."""
        return self.page.locator(selector).locator("visible=true").first

    def tab(self, name):
        self.page.get_by_role("tab", name=name, exact=True).locator("visible=true").first.click()

    def model(self, name):
        self.seen(f"input[type=radio][value='{name}']").check(force=True)
        self.page.wait_for_timeout(400)

    def option(self, name):
        self.page.get_by_label(name, exact=True).locator("visible=true").first.check(force=True)

    def upload(self, *paths, index=0):
        """Choose files, and wait until they are there."""
        inputs = self.page.locator("input[type=file]")
        shown = [each for each in inputs.all() if each.evaluate("e => e.parentElement.offsetParent !== null")]
        with self.page.expect_response(lambda answer: "/upload" in answer.url and answer.request.method == "POST"):
            shown[index].set_input_files([str(path) for path in paths])
        self.page.wait_for_timeout(500)

    def start(self):
        self.seen("button.start").click()

    def finished(self, timeout=PATIENCE_MS):
        """Wait for words on what was done; give them."""
        self.seen(".status p[role=status]").wait_for(timeout=timeout)
        self.seen("button.start").wait_for(timeout=timeout)
        return self.seen(".status p[role=status]").inner_text()

    def refused(self):
        """Wait for words on why it was not; give them."""
        words = self.page.locator(".toast-text, .toast-body").first
        words.wait_for()
        return words.inner_text()

    def downloaded(self, folder):
        """Press the button; give the file that came."""
        with self.page.expect_download() as coming:
            self.seen("button.download").click()
        path = folder / coming.value.suggested_filename
        folder.mkdir(parents=True, exist_ok=True)
        coming.value.save_as(path)
        return path

    def command(self):
        """The line that does the same, as it is shown."""
        box = self.page.get_by_text("The same from the command line, or in Python").locator("visible=true").first
        box.click()
        self.page.wait_for_timeout(500)
        return self.seen(".cm-content[data-language=shell], .cm-content").inner_text().strip()

    def paint(self, left, right, below=0):
        """A stroke with the mouse, so many pixels of the window from the middle; gives the editor's zoom."""
        canvas = self.seen(".mask-editor canvas")
        canvas.wait_for()
        self.page.wait_for_timeout(1500)
        canvas.scroll_into_view_if_needed()
        zoom = self._settled_zoom()
        box = canvas.bounding_box()
        x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2 + below
        self.page.mouse.move(x + left, y)
        self.page.mouse.down()
        self.page.mouse.move(x + right, y, steps=3)  # each is painted, slowly where there is no graphics card
        self.page.mouse.up()
        self.page.wait_for_timeout(600)
        return zoom

    def _settled_zoom(self):
        """The editor moves the picture into place first."""
        read, last = self.seen(".mask-editor").get_by_text("%").first, None
        while (text := read.inner_text()) != last:
            last = text
            self.page.wait_for_timeout(1000)
        return float(text.strip(" %\n")) / 100

    def picture(self, name, **more):
        """A screenshot in the folder that somebody named, in 256 colours; and where it is."""
        path = Path(os.environ[SCREENSHOTS]) / name
        path.parent.mkdir(parents=True, exist_ok=True)
        self.page.mouse.move(0, 0)
        self.page.wait_for_timeout(700)
        self.page.screenshot(path=path, **more)
        with Image.open(path) as opened:
            few = opened.convert("RGB").quantize(256)
        few.save(path, optimize=True)
        return path


def within(seconds, happens):
    """Whether something becomes true in that time."""
    ends_at = time.monotonic() + seconds
    while time.monotonic() < ends_at:
        if happens():
            return True
        time.sleep(0.1)
    return False
