"""What the page does with pictures: the upload itself goes in, what is told is true, and a stop stops."""

import io
import json
import shlex
import threading
import time
import zipfile

import numpy as np
import page_models
import pytest
from PIL import Image, ImageCms, ImageOps

from pipelines.cli import main
from pipelines.inpainting import Margins
from pipelines.page import choices, packing
from pipelines.page.bearing import require_bearable
from pipelines.page.choices import Choice
from pipelines.page.given import GivenMask, GivenPictures, mask_of_layer
from pipelines.page.jobs import StoppedError
from pipelines.page.packing import translate_many
from pipelines.page.translating import translate_one
from translate.card import Card, Picture
from translate.errors import ConfigurationError, PictureError

NAME = "it's a photo.jpg"


@pytest.fixture
def place(tmp_path, monkeypatch):
    """A folder as people have it: checkpoints, and their own files."""
    page_models.write_all(tmp_path / "checkpoints")
    monkeypatch.chdir(tmp_path)
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    exif = Image.Exif()
    exif[274] = 6
    page_models.picture(tmp_path / NAME, exif=exif, icc_profile=profile, quality=95)
    Image.fromarray(np.random.default_rng(1).integers(0, 3, (23, 17), dtype=np.uint8)).save(tmp_path / "labels.png")
    return tmp_path


@pytest.fixture
def bench(tmp_path):
    return page_models.bench_in(tmp_path / "page")


def offer(place, name):
    from pipelines.page.models import offered

    return {each.name: each for each in offered()}[name]


def layer(path, size, box):
    """What an editor sends: transparent, but for what was painted."""
    pixels = np.zeros((size[1], size[0], 4), np.uint8)
    left, top, right, bottom = box
    pixels[top:bottom, left:right] = (226, 78, 63, 153)
    Image.fromarray(pixels).save(path, "PNG")
    return path


GIVEN = {
    "x2": lambda place: GivenPictures(files={"a": place / NAME}, masks={}),
    "negative": lambda place: GivenPictures(files={"a": place / NAME}, masks={}),
    "walls": lambda place: GivenPictures(files={"a": place / NAME, "labels": place / "labels.png"}, masks={}),
    "inpaint": lambda place: GivenPictures(
        files={"a": place / NAME},
        masks={"mask": GivenMask(painted=layer(place / "layer", (34, 46), (4, 8, 20, 30)))},
    ),
    "inpaint, extended": lambda place: GivenPictures(
        files={"a": place / NAME}, masks={"mask": GivenMask(margins=Margins(left=5, bottom=3))}
    ),
}


@pytest.mark.parametrize(("name", "file_format"), [(name, "png") for name in GIVEN] + [("x2", "webp"), ("x2", "jpg")])
def test_the_command_and_the_python_that_are_shown_make_the_same(name, file_format, place, bench):
    choice = Choice(offer=offer(place, name.split(",")[0]), file_format=file_format)
    made = translate_one(choice, GIVEN[name](place), bench, page_models.job())
    result, *others = made.files
    for path in others:  # what the page offers beside the result
        (place / path.name).write_bytes(path.read_bytes())
    command = shlex.split(made.again.command)
    assert command[0] == "pixturn"
    assert main(command[1:]) == 0
    assert (place / result.name).read_bytes() == result.read_bytes()
    (place / result.name).unlink()
    exec(made.again.python, {})
    if ".outputs(" not in made.again.python:
        assert np.array_equal(Image.open(place / result.name), Image.open(result))


def test_results_are_upright_and_keep_the_profile(place, bench):
    upload = Image.open(place / NAME)
    made = translate_one(Choice(offer=offer(place, "x2")), GIVEN["x2"](place), bench, page_models.job())
    result = Image.open(made.files[0])
    upright = ImageOps.exif_transpose(upload)
    assert result.size == (2 * upright.width, 2 * upright.height) != (2 * upload.width, 2 * upload.height)
    assert result.info["icc_profile"] == upload.info["icc_profile"]
    assert np.array_equal(np.asarray(result)[::2, ::2], np.asarray(upright))
    assert "fp32 on cpu" in made.told


@pytest.mark.parametrize("factor", [1, 3 / 8, 0.66, 2])
def test_a_mask_painted_on_a_preview_lies_where_it_was_painted(factor):
    height, width = 120, 160
    small = round(width * factor), round(height * factor)
    true = np.zeros((height, width), bool)
    true[32:64, 40:96] = True
    painted = np.zeros((small[1], small[0], 4), np.uint8)
    painted[..., 3] = 153 * np.asarray(Image.fromarray(true).resize(small, Image.Resampling.NEAREST))
    mask = mask_of_layer(painted, height, width)
    assert mask.shape == (height, width, 1)
    assert set(np.unique(mask)) == {0, 255}
    wrong = (mask[..., 0] > 0) != true
    edge = max(1, round(1 / factor))
    inner, outer = np.zeros_like(true), np.ones_like(true)
    inner[32 + edge : 64 - edge, 40 + edge : 96 - edge] = True
    outer[32 - edge : 64 + edge, 40 - edge : 96 + edge] = False
    assert not (wrong & (inner | outer)).any()
    assert ((mask_of_layer(painted[:, ::-1], height, width)[..., 0] > 0) != true)[inner | outer].any()  # the control


def test_the_model_gets_the_upload_and_not_the_preview(place, bench):
    made = translate_one(Choice(offer=offer(place, "inpaint")), GIVEN["inpaint"](place), bench, page_models.job())
    upright = np.asarray(ImageOps.exif_transpose(Image.open(place / NAME)))
    mask = np.asarray(Image.open(next(path for path in made.files if "mask" in path.name))) > 0
    result = np.asarray(Image.open(made.files[0]))
    assert result.shape == upright.shape
    assert np.array_equal(result[~mask], upright[~mask])
    assert mask[4:15, 2:10].all()
    assert mask.sum() == 11 * 8


def test_nothing_chosen_and_nothing_marked_are_told(place, bench):
    nothing = GivenPictures(files={}, masks={})
    unmarked = GivenPictures(files={"a": place / NAME}, masks={"mask": GivenMask()})
    for name, given, words in (("x2", nothing, "Choose a picture"), ("inpaint", unmarked, "Nothing is marked")):
        with pytest.raises(ConfigurationError, match=words):
            translate_one(Choice(offer=offer(place, name)), given, bench, page_models.job())


def test_many_pictures_become_an_archive_with_the_failures_listed(place, bench):
    (place / "uploads").mkdir()
    files = [page_models.picture(place / "uploads" / f"{index}.png", seed=index) for index in range(3)]
    files.insert(1, place / "uploads" / "cut.png")
    files[1].write_bytes(files[0].read_bytes()[:200])
    made = translate_many(Choice(offer=offer(place, "negative")), {"a": files}, bench, page_models.job())
    with zipfile.ZipFile(made.archive) as archive:
        assert archive.namelist() == ["0.png", "1.png", "2.png", "failures.jsonl"]
        assert json.loads(archive.read("failures.jsonl"))["path"] == "cut.png"
        for index in range(3):
            pixels = np.asarray(Image.open(io.BytesIO(archive.read(f"{index}.png"))))
            assert np.array_equal(pixels, 255 - np.asarray(Image.open(place / "uploads" / f"{index}.png")))
    assert [failure.path for failure in made.failures] == ["cut.png"]
    assert made.told.startswith("3 of 4 pictures with negative, fp32 on cpu")


def test_files_of_several_ports_go_together_by_name(place, bench):
    first = page_models.picture(place / "one.png", size=(17, 23))
    (place / "maps").mkdir()
    labels = place / "maps" / "one.png"
    labels.write_bytes((place / "labels.png").read_bytes())
    walls = Choice(offer=offer(place, "walls"))
    made = translate_many(walls, {"a": [first], "labels": [labels]}, bench, page_models.job())
    assert zipfile.ZipFile(made.archive).namelist() == ["one.png", "one.c.png"]
    with pytest.raises(ConfigurationError, match="no partner"):
        translate_many(walls, {"a": [first], "labels": [place / "labels.png"]}, bench, page_models.job())


def test_two_files_of_one_port_and_one_name_are_not_mixed_up(place, bench):
    (place / "maps").mkdir()
    labels = [place / "maps" / "one.png"]
    firsts = [
        page_models.picture(place / name, size=(17, 23), seed=seed) for seed, name in enumerate(("one.png", "one.jpg"))
    ]
    labels[0].write_bytes((place / "labels.png").read_bytes())
    with pytest.raises(ConfigurationError, match="Two pictures for 'a' are called 'one': rename one"):
        translate_many(Choice(offer=offer(place, "walls")), {"a": firsts, "labels": labels}, bench, page_models.job())
    made = translate_many(Choice(offer=offer(place, "negative")), {"a": firsts}, bench, page_models.job())
    assert zipfile.ZipFile(made.archive).namelist() == ["one.png", "one.jpg.png"]


@pytest.mark.parametrize(
    ("given", "apart"),
    [
        (["photo (2).jpg", "photo.jpg", "photo.jpg"], ["photo (2).jpg", "photo.jpg", "photo (3).jpg"]),
        (["photo.jpg", "photo.jpg", "photo (2).jpg"], ["photo.jpg", "photo (3).jpg", "photo (2).jpg"]),
        (["a", "a", "a"], ["a", "a (2)", "a (3)"]),
        (["a (1).png", "a.png"], ["a (1).png", "a.png"]),
    ],
)
def test_uploads_of_one_name_are_numbered_and_others_keep_theirs(given, apart):
    assert packing._apart(given) == apart


@pytest.mark.parametrize(
    ("changes", "height", "width"),
    [
        ({"tiling": "exact"}, 10_000, 10_000),
        ({"tiling": "exact", "scale": 4}, 2_500, 2_500),
        ({"tiling": "whole-picture statistics"}, 10_000, 10_000),
        ({"tiling": "exact", "pixels": True}, 2_000, 3_000),
        ({"tiling": "forbidden"}, 2_000, 3_000),
    ],
)
def test_a_picture_may_be_as_large_as_the_memory_bears(changes, height, width):
    port = Picture(name="a")
    card = Card(task="translate", method="known", name="known", inputs=(port,), outputs=(port,), **changes)
    require_bearable(card, height, width)
    with pytest.raises(PictureError, match=f"takes {height * width / 1e6:.1f} megapixels at most") as refused:
        require_bearable(card, height + 1, width)
    assert refused.value.reason == "too_many_pixels"


def test_whole_picture_statistics_go_in_tiles_while_the_disk_allows(place, bench, monkeypatch):
    """In whole-picture statistics a tile alone goes wrong; here the result is that of the whole picture."""
    page_models.averaged(place / "checkpoints")
    pixels = np.random.default_rng(0).integers(0, 200, (901, 1203, 3)).astype(np.uint8)
    pixels[:, 600:] //= 2  # so that tiles differ
    Image.fromarray(pixels).save(place / "large.png")
    given = GivenPictures(files={"a": place / "large.png"}, masks={})
    monkeypatch.setattr(choices, "MOST_WHOLE_PX", 1_000_000)
    made = translate_one(Choice(offer=offer(place, "averaged")), given, bench, page_models.job())
    assert made.again.command.endswith("--tile-px 512")
    result, numbers = np.asarray(Image.open(made.files[0])), pixels / 127.5 - 1
    expected = page_models.averaged_of(numbers)
    assert np.abs(result - np.clip((expected + 1) * 127.5, 0, 255)).max() <= 0.51
    alone = page_models.averaged_of(numbers[:512, :512])
    assert np.abs(alone - expected[:512, :512]).max() > 0.1  # the control
    assert not [*bench.intake.folder.scratch.iterdir()]
    bench.intake.folder.scratch_bytes = 1_000_000
    with pytest.raises(PictureError, match=r"1\.1 megapixels take .* GB of disk.*--scratch-mb") as refused:
        translate_one(Choice(offer=offer(place, "averaged")), given, bench, page_models.job())
    assert refused.value.reason == "too_many_pixels"
    many = translate_many(
        Choice(offer=offer(place, "averaged")), {"a": [place / "large.png"]}, bench, page_models.job()
    )
    assert [failure.reason for failure in many.failures] == ["too_many_pixels"]


def test_what_is_too_large_is_refused_alone_and_listed_among_many(place, bench):
    large, small = place / "large.png", page_models.picture(place / "small.png")
    Image.new("RGB", (3_001, 2_000)).save(large)
    choice = Choice(offer=offer(place, "negative"))
    with pytest.raises(PictureError, match="shrink"):
        translate_one(choice, GivenPictures(files={"a": large}, masks={}), bench, page_models.job())
    made = translate_many(choice, {"a": [large, small]}, bench, page_models.job())
    assert [(failure.path, failure.reason) for failure in made.failures] == [("large.png", "too_many_pixels")]


def test_a_mask_file_has_the_pictures_size(place, bench):
    def given(size):
        Image.new("L", size, 255).save(place / "mask.png")
        return GivenPictures(files={"a": place / NAME}, masks={"mask": GivenMask(file=place / "mask.png")})

    card = offer(place, "inpaint").card
    assert (given((17, 23)).sample(card, bench.intake).pixels["mask"] == 255).all()
    with pytest.raises(PictureError, match="34 x 46 px and the picture 17 x 23 px") as refused:
        given((34, 46)).sample(card, bench.intake)
    assert refused.value.reason == "sizes_differ"


def test_a_stop_ends_the_engine_in_the_middle_of_a_picture(place, bench):
    page_models.slow(place / "checkpoints")
    upload = page_models.picture(place / "large.png", size=(960, 960))
    given = GivenPictures(files={"a": upload}, masks={})
    bench.shelf.runtime(offer(place, "slow").path)  # the trial in a child is no part of it
    job = page_models.job()
    stopped_at = []
    timer = threading.Timer(0.3, lambda: (stopped_at.append(time.monotonic()), job.stop()))
    timer.start()
    with pytest.raises(StoppedError), job.ending():
        translate_one(Choice(offer=offer(place, "slow")), given, bench, job)
    assert time.monotonic() - stopped_at[0] < 2.0
    inputs = {"a": np.zeros((1, 3, 960, 960), np.float32)}
    began = time.monotonic()  # the control: the same picture, where nobody looks at the job
    bench.shelf.runtime(offer(place, "slow").path).run(inputs)
    assert time.monotonic() - began > 0.5  # longer than until the stop: it was in the midst of it


def test_a_stop_ends_many_pictures_between_two(place, bench):
    files = [page_models.picture(place / f"{index}.png") for index in range(5)]
    job = page_models.job()
    job.stop()
    with pytest.raises(StoppedError):
        translate_many(Choice(offer=offer(place, "negative")), {"a": files}, bench, job)
