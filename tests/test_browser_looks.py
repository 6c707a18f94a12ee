"""Pictures of the page for the README, by the models that ship: `PIXTURN_SCREENSHOTS=docs/pictures pytest ...`.

PIXTURN_MODELS may name further .onnx files, with blanks between them.
"""

import os
from pathlib import Path

import browser
import browser_site
import pytest
from skimage import data

wanted = pytest.mark.skipif(browser.SCREENSHOTS not in os.environ, reason=f"{browser.SCREENSHOTS} names no folder")
pytestmark = [*browser.needs_browser, wanted]

KINGFISHER = Path(__file__).parents[1] / "checkpoints" / "inpaint" / "example.jpg"

PHONE = {"viewport": {"width": 390, "height": 844}, "is_mobile": True, "has_touch": True, "device_scale_factor": 1.5}
MOST_BYTES = 300_000


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    further = os.environ.get("PIXTURN_MODELS", "").split()
    with browser_site.site(tmp_path_factory.mktemp("site"), *further, runs_here=False) as served:
        yield served


@pytest.fixture(scope="module")
def one_browser():
    with browser.browser() as opened:
        yield opened


@pytest.fixture
def cat(tmp_path):
    path = tmp_path / "cat.png"
    browser_site.Image.fromarray(data.chelsea()[20:280, 30:420]).save(path)
    return path


def upscaled(visitor, cat):
    visitor.tab("Upscale")
    visitor.model("x2")
    visitor.upload(cat)
    visitor.start()
    visitor.finished()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_a_larger_cat(one_browser, site, cat, scheme):
    with browser.visitor(one_browser, site.url, color_scheme=scheme) as visitor:
        upscaled(visitor, cat)
        visitor.command()
        is_small(visitor.picture(f"page-upscale-{scheme}.png", full_page=True))


def test_on_a_telephone(one_browser, site, cat):
    with browser.visitor(one_browser, site.url, color_scheme="dark", **PHONE) as visitor:
        upscaled(visitor, cat)
        visitor.seen("button.download").scroll_into_view_if_needed()
        is_small(visitor.picture("page-phone.png"))


def test_samples(one_browser, site):
    with browser.visitor(one_browser, site.url) as visitor:
        visitor.tab("Generate")
        visitor.start()
        visitor.finished()
        is_small(visitor.picture("page-generate.png", full_page=True))


def test_a_branch_taken_away(one_browser, site):
    with browser.visitor(one_browser, site.url) as visitor:
        visitor.tab("Inpaint")
        visitor.upload(KINGFISHER)
        visitor.paint(80, 150, below=64)
        visitor.paint(150, 240, below=80)
        visitor.start()
        visitor.finished()
        is_small(visitor.picture("page-inpaint.png", full_page=True))


def is_small(path):
    assert path.stat().st_size < MOST_BYTES
