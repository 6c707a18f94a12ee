"""The page itself in a browser: what it looks like, what it refuses, and that what runs can be ended."""

import signal
import struct
import time
import zlib

import browser
import browser_site
import pytest
from browser_site import picture

pytestmark = browser.needs_browser

TABS = ("Upscale", "Inpaint", "Translate", "Generate")


pytest_plugins = ["browser_fixtures"]


def test_it_opens_with_a_tab_for_every_task_and_three_ways_in(visitor):
    visitor.again()
    assert visitor.page.title() == "Pixturn"
    assert visitor.page.get_by_role("tab").locator("visible=true").all_inner_texts()[: len(TABS)] == list(TABS)
    assert visitor.page.locator(".upload .source-selection").first.locator("button").count() == 3
    assert visitor.problems == []


def test_samples_of_a_seed(visitor):
    visitor.tab("Generate")
    visitor.model("fashion")
    visitor.start()
    assert visitor.finished().startswith("16 samples with fashion")
    assert visitor.page.locator(".samples img").locator("visible=true").count() >= 16


def luminance(colour):
    """Of 'rgb(r, g, b)', as WCAG 2 has it."""
    parts = [float(part) / 255 for part in colour[colour.index("(") + 1 : -1].split(",")[:3]]
    red, green, blue = (part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(visitor, selector):
    """Between an element's text and what is behind it, and how light that is."""
    text, ground = visitor.seen(selector).evaluate(
        """e => {
            const text = getComputedStyle(e).color;
            while (e && /rgba\\(.*, 0\\)|transparent/.test(getComputedStyle(e).backgroundColor)) e = e.parentElement;
            return [text, e ? getComputedStyle(e).backgroundColor : 'rgb(255, 255, 255)'];
        }"""
    )
    one, other = sorted((luminance(text), luminance(ground)))
    return (other + 0.05) / (one + 0.05), luminance(ground)


READ = ("h1", "button.start", ".masthead p", ".models label span", ".status p", "[role=tab][aria-selected=false]")


def unreadable(visitor):
    """What has less contrast than WCAG 2 asks for (AA)."""
    contrasts = {selector: round(contrast(visitor, selector)[0], 1) for selector in READ}
    return {selector: value for selector, value in contrasts.items() if value < 4.5}


def test_dark_is_dark_and_light_is_light_and_both_can_be_read(one_browser, visitor, site):
    with browser.visitor(one_browser, site.url, color_scheme="dark") as dark:
        dark.page.wait_for_timeout(800)
        assert contrast(dark, "h1")[1] < 0.03
        assert {
            selector: round(contrast(dark, selector)[0], 1) for selector in READ if contrast(dark, selector)[0] < 4.5
        } == {}
        dark.seen("#light-switch").click()
        assert contrast(dark, "h1")[1] > 0.8
        dark.again()
        dark.page.wait_for_timeout(800)
        assert contrast(dark, "h1")[1] > 0.8  # the choice lasts
    assert contrast(visitor, "h1")[1] > 0.8
    assert unreadable(visitor) == {}


def test_a_telephone_shows_all_tabs_and_nothing_sticks_out(one_browser, site, tmp_path):
    phone = {"viewport": {"width": 390, "height": 844}, "is_mobile": True, "has_touch": True}
    with browser.visitor(one_browser, site.url, **phone) as visitor:
        for name in TABS:
            visitor.tab(name)
            visitor.page.wait_for_timeout(400)
            widths = visitor.page.evaluate("[document.documentElement.scrollWidth, window.innerWidth]")
            assert widths == [390, 390], name
            button = visitor.seen("button.start").bounding_box()
            assert button["x"] >= 0
            assert button["x"] + button["width"] <= 390
            assert button["height"] >= 44
        visitor.tab("Upscale")
        visitor.upload(picture(tmp_path / "a.png"))
        visitor.start()
        visitor.finished()
        assert visitor.page.evaluate("document.documentElement.scrollWidth") == 390


def test_the_keyboard_alone_is_enough(visitor, tmp_path):
    visitor.upload(picture(tmp_path / "a.png"))
    start = visitor.seen("button.start")
    assert start.evaluate("e => getComputedStyle(e).outlineStyle") == "none"
    for _ in range(60):
        visitor.page.keyboard.press("Tab")
        if start.evaluate("e => e === document.activeElement"):
            break
    assert start.evaluate("e => getComputedStyle(e).outlineStyle") == "solid"
    assert start.evaluate("e => parseFloat(getComputedStyle(e).outlineWidth)") >= 2
    visitor.page.keyboard.press("Enter")
    assert "with x2" in visitor.finished()


def bomb(path, side=30_000):
    """A PNG whose header claims 900 megapixels, and which has none."""

    def chunk(kind, data):
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    header = chunk(b"IHDR", struct.pack(">IIBBBBB", side, side, 8, 2, 0, 0, 0))
    path.write_bytes(b"\x89PNG\r\n\x1a\n" + header + chunk(b"IDAT", zlib.compress(b"\0" * 64)) + chunk(b"IEND", b""))
    return path


@pytest.mark.parametrize("kind", ["text", "bomb"])
def test_what_is_no_picture_is_refused_in_plain_words(visitor, site, tmp_path, kind):
    path = tmp_path / f"{kind}.png"
    path.write_text("hello") if kind == "text" else bomb(path)
    visitor.upload(path)
    began = time.monotonic()
    visitor.start()
    words = visitor.refused()
    assert time.monotonic() - began < 15  # seconds, on a busy machine; it is not decoded
    assert f"{kind}.png" in words
    assert ("too many pixels" if kind == "bomb" else "picture") in words
    assert "/" not in words.replace("PNG/JPEG", "")
    assert "Traceback" not in site.log
    visitor.again()
    visitor.upload(picture(tmp_path / "good.png"))
    visitor.start()
    assert "with x2" in visitor.finished()


def begin_slow_job(visitor, tmp_path):
    visitor.tab("Translate")
    visitor.model("slow")
    visitor.upload(picture(tmp_path / "slow.png", width=512, height=512))
    visitor.start()
    visitor.seen("button.cancel").wait_for()


def is_at_rest(site, seconds=3):
    """Whether the server computes (nearly) nothing, as when no job runs."""
    before = site.cpu_seconds
    time.sleep(seconds)
    return site.cpu_seconds - before < 0.2 * seconds


def test_cancel_ends_the_work_at_once(visitor, site, tmp_path):
    begin_slow_job(visitor, tmp_path)
    begun = site.cpu_seconds
    assert browser.within(120, lambda: site.cpu_seconds - begun > 2)
    assert visitor.seen("button.cancel").is_visible()  # control: left alone, it goes on
    visitor.seen("button.cancel").click()
    assert visitor.finished(20_000).startswith("Stopped after")
    assert browser.within(20, lambda: is_at_rest(site))
    assert "Traceback" not in site.log


def test_who_waits_in_line_can_leave_it_and_who_leaves_stops(visitor, one_browser, site, tmp_path):
    with browser.visitor(one_browser, site.url) as other:
        begin_slow_job(other, tmp_path / "other")
        visitor.upload(picture(tmp_path / "a.png"))
        visitor.start()
        visitor.page.wait_for_timeout(2000)
        assert visitor.seen("button.cancel").is_visible()  # control: it does wait
        visitor.seen("button.cancel").click()
        assert visitor.finished(20_000) == "Stopped before it began."
        assert other.seen("button.cancel").is_visible()  # the other's work goes on
    visitor.start()  # their window is closed, and the line is free, minutes before their work would have been done
    visitor.seen(".status p:has-text('with x2')").wait_for(timeout=60_000)
    assert browser.within(20, lambda: is_at_rest(site))


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_the_command_ends_cleanly(tmp_path, number):
    browser_site.write_models(tmp_path / "checkpoints")
    (tmp_path / "tmp").mkdir()
    with browser_site.site(tmp_path, environment={"TMPDIR": str(tmp_path / "tmp")}) as served:
        children = served.children
        assert children  # what decodes
        assert [*(tmp_path / "tmp").glob("pixturn-page-*")]
        served.process.send_signal(number)
        served.process.wait(30)
        assert served.process.returncode == (0 if number == signal.SIGTERM else 130)
        assert "Traceback" not in served.log
        assert not [child for child in children if child.is_running()]
        assert not [*(tmp_path / "tmp").glob("pixturn-page-*")]
