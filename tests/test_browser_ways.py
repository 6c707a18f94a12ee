"""Other ways into the page, and other things that come out: paste, webcam, points, numbers, pictures given back."""

import base64
import json

import browser
import browser_site
import numpy as np
import page_models
import pytest
from browser_site import picture, pixels_of, same_picture

import pipelines

pytestmark = browser.needs_browser

WIDTH, HEIGHT = 640, 480
LEVELS = np.array([[[60, 90, 120], [120, 140, 110]], [[180, 100, 140], [200, 130, 100]]], np.uint8)
"""Luma and the two chromas of the four quarters of what the camera sees."""


def y4m(path):
    """A film of one picture, as Chromium's camera shows it when there is none."""
    planes = LEVELS.repeat(HEIGHT // 2, 0).repeat(WIDTH // 2, 1)
    frame = b"".join(planes[::step, ::step, index].tobytes() for index, step in enumerate((1, 2, 2)))
    path.write_bytes(f"YUV4MPEG2 W{WIDTH} H{HEIGHT} F10:1 Ip A1:1 C420jpeg\n".encode() + b"FRAME\n" + frame)
    return path


def seen_by_camera():
    """The four colours in RGB, by ITU-R BT.601 with either range: browsers differ in it."""
    luma, blue, red = np.moveaxis(LEVELS.astype(float), -1, 0) - np.array([0, 128, 128])[:, None, None]
    chroma = np.stack([1.402 * red, -0.344 * blue - 0.714 * red, 1.772 * blue], axis=-1)
    full = luma[..., None] + chroma
    return np.clip(full, 0, 255), np.clip((luma[..., None] - 16) * 255 / 219 + chroma * 255 / 224, 0, 255)


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    folder = tmp_path_factory.mktemp("site")
    browser_site.write_models(folder / "checkpoints")
    page_models.write_others(folder / "checkpoints")
    with browser_site.site(folder) as served:
        yield served


@pytest.fixture(scope="module")
def somebody(site, tmp_path_factory):
    film = y4m(tmp_path_factory.mktemp("film") / "film.y4m")
    camera = ("--use-fake-device-for-media-stream", "--use-fake-ui-for-media-stream")
    with (
        browser.browser(*camera, f"--use-file-for-fake-video-capture={film}") as opened,
        browser.visitor(opened, site.url, permissions=["clipboard-read", "clipboard-write", "camera"]) as visitor,
    ):
        yield visitor


@pytest.fixture
def visitor(somebody):
    somebody.again()
    somebody.problems.clear()
    return somebody


def larger(pixels):
    return pixels.repeat(2, axis=0).repeat(2, axis=1)


def source(visitor, name):
    visitor.page.locator(".upload .source-selection").first.get_by_label(name).click()


def test_a_pasted_picture_is_the_one_that_is_enlarged(visitor, tmp_path):
    copied, other = (picture(tmp_path / f"{seed}.png", seed=seed) for seed in (5, 6))
    visitor.page.evaluate(
        """async text => {
            const bytes = Uint8Array.from(atob(text), letter => letter.charCodeAt(0));
            await navigator.clipboard.write([new ClipboardItem({"image/png": new Blob([bytes], {type: "image/png"})})]);
        }""",
        base64.b64encode(copied.read_bytes()).decode(),
    )
    with visitor.page.expect_response(lambda answer: "/upload" in answer.url and answer.request.method == "POST"):
        source(visitor, "Paste from clipboard")
    visitor.page.wait_for_timeout(500)
    visitor.start()
    assert "96 x 64 px to 192 x 128 px with x2" in visitor.finished()
    got = pixels_of(visitor.downloaded(tmp_path))[..., :3]
    assert (got == larger(pixels_of(copied))).all()
    assert (got != larger(pixels_of(other))).mean() > 0.9  # the control
    assert visitor.problems == []


def test_what_the_camera_sees_is_what_is_enlarged(visitor, tmp_path):
    source(visitor, "Capture from camera")
    visitor.seen(".upload [title='grant webcam access'] button").click()
    visitor.page.wait_for_function("() => [...document.querySelectorAll('video')].some(each => each.videoWidth > 0)")
    with visitor.page.expect_response(lambda answer: "/upload" in answer.url and answer.request.method == "POST"):
        visitor.seen(".upload button[aria-label='capture photo']").click()
    visitor.page.wait_for_timeout(500)
    visitor.start()
    told = visitor.finished()
    got = pixels_of(visitor.downloaded(tmp_path))[..., :3].astype(float)
    height, width = got.shape[:2]
    assert f"to {width} x {height} px with x2" in told
    middles = got[height // 4 :: height // 2, width // 4 :: width // 2][:2, :2]
    apart = [np.abs(middles - colours).max() for colours in seen_by_camera()]
    assert min(apart) < 8, (middles, seen_by_camera())
    assert min(np.abs(middles[:, ::-1] - colours).max() for colours in seen_by_camera()) > 16  # the control: mirrored


def test_a_picture_becomes_numbers_and_charts_of_them(visitor, site, tmp_path):
    upload = picture(tmp_path / "read.png", seed=3)
    visitor.tab("Encode")
    visitor.upload(upload)
    visitor.start()
    numbers = pipelines.load(site.folder / "checkpoints" / "reader").outputs([upload])
    assert visitor.finished().startswith(f"scores: {numbers['scores'][0].argmax()} is likeliest")
    assert json.loads(visitor.downloaded(tmp_path).read_text()) == {n: row[0].tolist() for n, row in numbers.items()}
    drawn = visitor.page.locator(".chart svg .mark-rect path, .chart canvas").locator("visible=true")
    drawn.first.wait_for()
    assert visitor.page.locator(".chart").locator("visible=true").count() == len(numbers)
    assert visitor.problems == []


def test_a_picture_is_given_back(visitor, site, tmp_path):
    upload = picture(tmp_path / "back.png", seed=4)
    visitor.tab("Reconstruct")
    visitor.model("classes")
    visitor.upload(upload)
    visitor.start()
    assert visitor.finished().startswith("6 x 8 px with classes")
    pipelines.load(site.folder / "checkpoints" / "classes")(upload, label=0).save(tmp_path / "expected.png")
    assert same_picture(visitor.downloaded(tmp_path / "got"), tmp_path / "expected.png")
    assert visitor.seen(".slider-wrap").bounding_box()["height"] > 100
    assert visitor.problems == []


def test_points_are_plotted(visitor, site, tmp_path):
    visitor.tab("Generate")
    visitor.model("points")
    visitor.start()
    assert visitor.finished().startswith("500 points with points")
    made = pipelines.load(site.folder / "checkpoints" / "points").arrays(500, seed=0)["p"]
    assert (np.load(visitor.downloaded(tmp_path))["p"] == made).all()
    visitor.page.locator(".chart svg, .chart canvas").locator("visible=true").first.wait_for()
    assert visitor.problems == []
