"""What people do with pictures on the page, in a browser; results are compared with those of the command line."""

import shlex
import zipfile
from pathlib import Path

import browser
import browser_site
import numpy as np
import tiny_tasks
from browser_site import command_line, picture, pixels_of, same_picture, turned_jpeg

pytestmark = browser.needs_browser


pytest_plugins = ["browser_fixtures"]


def larger(pixels):
    return pixels.repeat(2, axis=0).repeat(2, axis=1)


def test_an_upscaled_picture_is_what_the_shown_command_makes(visitor, site, tmp_path, monkeypatch):
    upload = turned_jpeg(site.folder / "turned.jpg")
    visitor.upload(upload)
    visitor.start()
    assert "64 x 96 px to 128 x 192 px with x2, fp32 on cpu" in visitor.finished()
    got = visitor.downloaded(tmp_path)
    command = shlex.split(visitor.command())
    command_line(site.folder, command, monkeypatch)
    assert same_picture(got, site.folder / command[-1])
    assert got.name == Path(command[-1]).name
    with browser_site.Image.open(got) as opened:
        assert opened.info["icc_profile"]
    other = picture(tmp_path / "other.jpg", seed=1)  # control: another picture's result is another
    command_line(
        tmp_path, ["pixturn", "run", str(site.folder / "checkpoints/x2"), "other.jpg", "-o", "o.png"], monkeypatch
    )
    assert not same_picture(got, tmp_path / "o.png"), other
    assert visitor.problems == []


def test_between_two_sets_of_weights_a_mixture_runs(visitor, site, tmp_path, monkeypatch):
    visitor.upload(picture(site.folder / "mix.png"))
    number = visitor.seen("input[type=number][aria-label*='Fidelity']")
    number.fill("0.68")  # the nearest step is 0.7: 0.7 * 1 + 0.3 * -1 = 0.4
    number.press("Tab")
    visitor.start()
    visitor.finished()
    got = visitor.downloaded(tmp_path)
    values = 0.4 * (pixels_of(site.folder / "mix.png") / 127.5 - 1)
    assert np.abs(pixels_of(got) - larger((values + 1) * 127.5)).max() <= 0.51
    command = shlex.split(visitor.command())
    assert command[-2:] == ["--fidelity", "0.7"]
    command_line(site.folder, command, monkeypatch)
    assert same_picture(got, site.folder / "mix-x2.png")


def test_the_slider_shows_more_of_the_picture_before(visitor, site):
    visitor.upload(picture(site.folder / "slide.png"))
    number = visitor.seen("input[type=number][aria-label*='Fidelity']")
    number.fill("0")  # the result is the negative, so that both sides are far apart
    number.press("Tab")
    visitor.start()
    visitor.finished()
    shown = visitor.seen(".slider-wrap")
    shown.scroll_into_view_if_needed()
    box = shown.bounding_box()
    before = _strips(visitor, box)
    y, middle = box["y"] + box["height"] / 2, box["x"] + box["width"] / 2
    visitor.page.mouse.move(middle, y)
    visitor.page.mouse.down()
    visitor.page.mouse.move(box["x"] + 0.8 * box["width"], y, steps=3)
    visitor.page.mouse.up()
    visitor.page.wait_for_timeout(600)
    after = _strips(visitor, box)
    changed = [one != other for one, other in zip(before, after, strict=True)]
    assert changed == [False, True, False]


def _strips(visitor, box):
    """The pictures at 20 %, 65 % and 92 % of the width, away from the handle and the buttons."""
    places = [{"x": box["x"] + part * box["width"], "y": box["y"] + 0.7 * box["height"]} for part in (0.2, 0.65, 0.92)]
    return [visitor.page.screenshot(clip={**place, "width": 24, "height": 24}) for place in places]


def test_a_painted_mask_fills_the_original_and_nothing_else(visitor, site, tmp_path, monkeypatch):
    original = picture(site.folder / "large.png", width=1024, height=768)
    visitor.tab("Inpaint")
    visitor.upload(original)
    zoom = visitor.paint(-100, 100)
    visitor.start()
    assert "1024 x 768 px with inpaint" in visitor.finished()
    got = pixels_of(visitor.downloaded(tmp_path))
    mask = _further_file(visitor, site.folder)
    hole = pixels_of(mask) > 127
    known = pixels_of(original)
    assert got.shape == known.shape
    assert (got[~hole] == known[~hole]).all()
    assert (got[hole] == tiny_tasks.FILL_LEVEL).all()
    painted = round(80 / zoom)  # in the picture's pixels: less than the stroke was long
    assert hole[384, 512 - painted : 512 + painted].all()
    assert not hole[:300].any()
    assert not hole[468:].any()
    command = shlex.split(visitor.command())
    command_line(site.folder, command, monkeypatch)
    assert (pixels_of(site.folder / "large-inpaint.png") == got).all()
    shrunk = browser_site.Image.fromarray(known).resize((675, 506)).resize((1024, 768))  # control: an editor's copy
    assert (np.asarray(shrunk)[~hole] != known[~hole]).mean() > 0.5


def _further_file(visitor, folder):
    with visitor.page.expect_download() as coming:
        visitor.seen("a[download$='.png'], .file-preview a, table a").click()
    path = folder / coming.value.suggested_filename
    coming.value.save_as(path)
    return path


def test_nothing_painted_is_said_and_a_mask_file_does_too(visitor, site, tmp_path):
    visitor.tab("Inpaint")
    original = picture(site.folder / "masked.png")
    visitor.upload(original)
    visitor.start()
    assert "Nothing is marked" in visitor.refused()
    visitor.seen("button:has-text('Extend the picture')").click()
    visitor.page.wait_for_timeout(500)
    mask = np.zeros((64, 96), np.uint8)
    mask[10:20, 30:50] = 255
    browser_site.Image.fromarray(mask).save(tmp_path / "mask.png")
    visitor.upload(tmp_path / "mask.png", index=-1)
    visitor.start()
    visitor.finished()
    got = pixels_of(visitor.downloaded(tmp_path))
    expected = np.where(mask[..., np.newaxis] > 0, tiny_tasks.FILL_LEVEL, pixels_of(original))
    assert (got == expected).all()


def test_a_picture_grows_beyond_its_edges(visitor, site, tmp_path):
    visitor.tab("Inpaint")
    original = picture(site.folder / "grow.png")
    visitor.upload(original)
    visitor.seen("button:has-text('Extend the picture')").click()
    visitor.page.wait_for_timeout(500)
    for side, size in (("Left", 32), ("Bottom", 16)):
        number = visitor.seen(f"input[type=number][aria-label*='{side} (px)']")
        number.fill(str(size))
        number.press("Tab")
    visitor.start()
    visitor.finished()
    got = pixels_of(visitor.downloaded(tmp_path))
    assert got.shape == (80, 128, 3)
    assert (got[:64, 32:] == pixels_of(original)).all()
    assert (got[:, :32] == tiny_tasks.FILL_LEVEL).all()
    assert (got[64:] == tiny_tasks.FILL_LEVEL).all()


def test_many_pictures_become_an_archive_and_the_bad_one_is_listed(visitor, site, tmp_path):
    good = [picture(site.folder / "one.png", seed=2), picture(site.folder / "two.png", seed=3, channels=4)]
    bad = site.folder / "bad.png"
    bad.write_text("this is no picture")
    visitor.tab("Many pictures")
    visitor.upload(*good, bad)
    visitor.start()
    assert visitor.finished().startswith("2 of 3 pictures")
    visitor.page.get_by_text("bad.png").locator("visible=true").first.wait_for()
    with zipfile.ZipFile(visitor.downloaded(tmp_path)) as archive:
        assert sorted(archive.namelist()) == ["failures.jsonl", "one.png", "two.png"]
        archive.extractall(tmp_path / "all")
    assert (pixels_of(tmp_path / "all/one.png") == larger(pixels_of(good[0]))).all()
    two = pixels_of(tmp_path / "all/two.png")
    assert two.shape == (128, 192, 4)  # transparency grows along
    assert len(np.unique(two[..., 3])) > 50


def test_two_people_get_their_own_pictures(somebody, visitor, one_browser, site, tmp_path):
    with browser.visitor(one_browser, site.url) as other:
        people = {"mine": visitor, "theirs": other}
        for seed, (name, who) in enumerate(people.items()):
            who.upload(picture(tmp_path / name / "a.png", seed=seed))
        for who in people.values():
            who.start()
        for name, who in people.items():
            who.finished()
            got = who.downloaded(tmp_path / f"{name}-result")
            assert (pixels_of(got) == larger(pixels_of(tmp_path / name / "a.png"))).all()
    first, second = (tmp_path / name / "a.png" for name in people)
    assert not same_picture(first, second)
