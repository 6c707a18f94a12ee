"""What a translation keeps of its picture: upright pixels, profile and alpha, by every way in; and nothing else."""

import io
import struct
import threading
import zlib

import numpy as np
import pytest
from folder_models import card, drawn, files, negative, pixels_of, read, same
from PIL import Image, ImageCms, PngImagePlugin
from seeded_defects import png_16_bit
from tiny_onnx import negative as negative_model

import pipelines
from pipelines.batch import run_folder
from pipelines.cli import main
from translate.data.carried import Carried, carried_of
from translate.data.pictures import Limits, decode, read_picture
from translate.data.pictures import pixels_of as colours_of
from translate.errors import ConfigurationError, PictureError

SRGB = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()


def profile_for(space: bytes) -> bytes:
    """A sound header that says what colours the profile is for."""
    return SRGB[:16] + space + SRGB[20:]


def translated(tmp_path, translate, **options):
    result = run_folder(translate, tmp_path / "in", tmp_path / "out", **options)
    assert result.failed == ()
    return files(tmp_path / "out")


def saved(tmp_path, name, image, **options):
    (tmp_path / "in").mkdir(exist_ok=True)
    image = image if isinstance(image, Image.Image) else Image.fromarray(image)
    image.save(tmp_path / "in" / name, **options)
    return tmp_path / "in" / name


# T4b: the same pixels by every way in


def every_kind(folder):
    """Pictures of every orientation, depth and mode."""
    folder.mkdir()
    image = Image.fromarray(pixels_of(1, 12, 20))
    for ending, options in ((".jpg", {"quality": 100}), (".png", {}), (".webp", {"lossless": True}), (".tiff", {})):
        for orientation in range(1, 9):
            exif = Image.Exif()
            exif[0x0112] = orientation
            image.save(folder / f"exif{orientation}{ending}", exif=exif, **options)
    alpha = Image.fromarray(np.dstack([pixels_of(1, 12, 20), pixels_of(2, 12, 20, channels=1)]))
    for mode in ("1", "L", "LA", "P", "RGBA"):
        alpha.convert(mode).save(folder / f"{mode}.png")
    image.quantize(7).save(folder / "trns.png", transparency=0)
    image.convert("CMYK").save(folder / "cmyk.jpg")
    ramp = np.arange(65536, dtype=np.uint16).reshape(256, 256)
    (folder / "ramp.png").write_bytes(png_16_bit(ramp))
    (folder / "ramp-colour.png").write_bytes(png_16_bit(np.stack([ramp, ramp.T, ramp[::-1]], -1)))
    Image.fromarray(ramp).save(folder / "ramp.tiff")


def test_the_same_pixels_by_all_ways_in(tmp_path, capsys):
    """Training, `load(path)(picture)`, `pixturn run` of a picture, and of a folder."""
    every_kind(tmp_path / "in")
    model = negative_model(tmp_path / "negative.onnx")
    translate = pipelines.load(model, device="cpu")
    made = translated(tmp_path, translate, alpha="white")
    assert len(made) == len(files(tmp_path / "in")) == 42
    for number, (place, path) in enumerate(files(tmp_path / "in").items()):
        trained_on = read_picture(path)
        from_folder = read(made[place if place.endswith(".png") else f"{place}.png"])
        np.testing.assert_array_equal(from_folder, 255 - trained_on)
        np.testing.assert_array_equal(np.asarray(translate(path)), from_folder)
        if number % 5 == 0:
            assert main(["run", str(model), str(path), "-o", str(tmp_path / "one.png"), "--alpha", "white"]) == 0
            np.testing.assert_array_equal(read(tmp_path / "one.png"), from_folder)
    assert "(cpu)" in capsys.readouterr().out


@pytest.mark.parametrize("mode", ["I", "F"])
def test_levels_without_a_white_are_refused(mode, tmp_path):
    saved(tmp_path, "levels.tiff", Image.new(mode, (4, 4)))
    result = run_folder(negative(), tmp_path / "in", tmp_path / "out")
    assert [each.reason for each in result.failed] == ["unsupported_mode"]


# Transparency

RGBA = np.dstack([pixels_of(1), pixels_of(2, channels=1)])
ON_WHITE = np.rint((RGBA[..., :3] * (RGBA[..., 3:] / 255.0)) + 255 - RGBA[..., 3:])


@pytest.mark.parametrize("file_format", ["png", "webp", "tiff"])
@pytest.mark.parametrize("channels", [1, 3])
def test_with_its_alpha_put_back_the_result_on_white_is_what_the_model_made(tmp_path, file_format, channels):
    saved(tmp_path, "p.png", RGBA)
    made = translated(tmp_path, negative((channels,), (channels,)), file_format=file_format)
    with Image.open(*made.values()) as image:
        got = np.asarray(image.convert("RGBA" if channels == 3 else "LA"))
    np.testing.assert_array_equal(got[..., -1], RGBA[..., 3])
    seen = ON_WHITE if channels == 3 else (ON_WHITE @ [0.299, 0.587, 0.114])[..., None]
    cover = RGBA[..., 3:] / 255.0
    reachable = np.maximum(255 - seen, 255 - RGBA[..., 3:].astype(int))  # black is as dark as colours get
    assert np.abs(got[..., :-1] * cover + 255 * (1 - cover) - reachable).max() <= 1.5


@pytest.mark.parametrize("channels", [1, 3])
def test_colours_under_alpha_come_back_as_they_were(channels):
    """As exactly as 8-bit levels on white allow, opaque ones bit by bit. With the white left in, they do not."""
    colours, alpha = pixels_of(3, 40, 40)[..., :channels], pixels_of(4, 40, 40, channels=1)
    alpha[0], alpha[1] = 0, 255
    cover = alpha[..., None] / 255.0
    seen = np.rint(colours * cover + 255 * (1 - cover)).astype(np.uint8)
    before = seen.copy()
    back = Carried(alpha=alpha).with_alpha(seen)
    np.testing.assert_array_equal(seen, before)  # what was given stays as it is
    assert back.dtype == np.uint8
    np.testing.assert_array_equal(back[..., -1], alpha)
    np.testing.assert_array_equal(back[0, :, :-1], 255)
    np.testing.assert_array_equal(back[1, :, :-1], colours[1])
    bound = 0.5 / np.maximum(cover, 1e-9) + 0.5
    assert (np.abs(back[1:, :, :-1].astype(int) - colours[1:]) <= bound[1:]).all()
    assert (np.abs(seen[1:].astype(int) - colours[1:]) > bound[1:]).any()


@pytest.mark.parametrize(
    ("model", "options", "mode"),
    [
        (negative(), {"alpha": "white"}, "RGB"),
        (negative(), {"file_format": "jpg"}, "RGB"),
        (negative((4,), (3,)), {}, "RGB"),
        (same((4,), (4,)), {}, "RGBA"),
        (negative((3,), (-5,)), {}, "L"),
    ],
    ids=["white", "jpg", "the model saw it", "the model makes one", "labels"],
)
def test_where_alpha_is_not_put_back(tmp_path, model, options, mode):
    saved(tmp_path, "p.png", RGBA)
    made = translated(tmp_path, model, **options)
    with Image.open(*made.values()) as image:
        assert image.mode == mode
        if mode == "RGBA":
            np.testing.assert_array_equal(np.asarray(image), RGBA)


def test_alpha_that_hides_nothing_is_dropped_and_keys_count_as_alpha(tmp_path):
    opaque = RGBA.copy()
    opaque[..., 3] = 255
    saved(tmp_path, "opaque.png", opaque)
    palette = Image.fromarray(pixels_of(1)).quantize(4)
    saved(tmp_path, "key.png", palette, transparency=2)
    made = translated(tmp_path, negative())
    assert read(made["opaque.png"]).shape[2] == 3
    got, hidden = read(made["key.png"]), np.asarray(palette) == 2
    assert (got[hidden] == 0).all()
    assert (got[~hidden][:, 3] == 255).all()


def test_a_deep_transparent_colour_is_found_twice(tmp_path):
    """A 16-bit PNG states it in 16 bits; asking for colours and alpha of one picture must not scale it twice."""
    levels = np.full((3, 4, 3), 40_000, np.uint16)
    levels[0] = 1000
    key = b"".join((1000).to_bytes(2, "big") for _ in range(3))
    data = png_16_bit(levels)
    place = data.index(b"IDAT") - 4
    body = b"tRNS" + (1000).to_bytes(2, "big") * 3
    key = struct.pack(">I", 6) + body + struct.pack(">I", zlib.crc32(body))
    picture = decode(data[:place] + key + data[place:], "deep")
    first = colours_of(picture, channels=4)
    assert (first[0, :, 3] == 0).all()
    assert (first[1:, :, 3] == 255).all()
    np.testing.assert_array_equal(colours_of(picture, channels=4), first)


# Profiles


@pytest.mark.parametrize("file_format", ["png", "webp", "jpg", "tiff"])
def test_a_profile_goes_along(tmp_path, file_format):
    for ending in ("png", "jpg", "webp", "tiff"):
        saved(tmp_path, f"{ending}.{ending}", pixels_of(1), icc_profile=SRGB)
    made = translated(tmp_path, negative(), file_format=file_format)
    assert len(made) == 4
    for path in made.values():
        with Image.open(path) as image:
            assert image.info["icc_profile"] == SRGB


GREY, RGB = profile_for(b"GRAY"), profile_for(b"RGB ")


@pytest.mark.parametrize(
    ("mode", "profile", "channels", "kept"),
    [
        ("RGB", RGB, (3, 3), True),
        ("P", RGB, (3, 3), True),
        ("RGBA", RGB, (4, 3), True),
        ("RGB", RGB, (3, 4), True),
        ("L", GREY, (1, 1), True),
        ("RGB", RGB, (3, 1), False),
        ("RGB", RGB, (1, 3), False),
        ("RGB", RGB, (1, 1), False),
        ("L", GREY, (3, 3), False),
        ("L", RGB, (3, 3), False),
        ("RGB", GREY, (1, 1), False),
        ("RGB", RGB[:200], (3, 3), False),
        ("RGB", b"not a profile" * 20, (3, 3), False),
        ("RGB", (5_000_000).to_bytes(4, "big") + RGB[4:] + bytes(5_000_000 - len(RGB)), (3, 3), False),
        ("CMYK", profile_for(b"CMYK"), (3, 3), False),
    ],
)
def test_a_profile_goes_along_where_colours_stay_of_one_kind(tmp_path, mode, profile, channels, kept):
    name = "p.jpg" if mode == "CMYK" or len(profile) > 1_000_000 else "p.png"
    saved(tmp_path, name, Image.fromarray(pixels_of(1)).convert(mode), icc_profile=profile)
    (path,) = translated(tmp_path, negative(*[(each,) for each in channels])).values()
    with Image.open(path) as image:
        assert image.info.get("icc_profile") == (profile if kept else None)


def test_labels_have_no_profile_and_are_not_the_source_of_one(tmp_path):
    saved(tmp_path, "p.png", Image.fromarray(pixels_of(1)), icc_profile=RGB)
    translated(tmp_path, negative((3,), (-5,)))
    with Image.open(tmp_path / "out" / "p.png") as image:
        assert "icc_profile" not in image.info


def test_all_else_is_dropped(tmp_path):
    exif = Image.Exif()
    exif[0x0112], exif[0x010E], exif[0x8825] = 6, "a secret", {1: "N"}
    texts = PngImagePlugin.PngInfo()
    texts.add_text("Comment", "a secret")
    image = Image.fromarray(pixels_of(1))
    saved(tmp_path, "p.png", image, exif=exif, pnginfo=texts, dpi=(72, 72))
    saved(tmp_path, "q.jpg", image, exif=exif, comment=b"a secret", xmp=b"<x>a secret</x>")
    saved(tmp_path, "r.webp", image, exif=exif, xmp=b"<x>a secret</x>")
    for path in translated(tmp_path, negative()).values():
        assert b"secret" not in path.read_bytes()
        with Image.open(path) as made:
            assert made.info == {}
            assert made.size == (6, 9)


# Large pictures


def large(width, height):
    """A 1-bit picture of many pixels in few bytes."""
    buffer = io.BytesIO()
    Image.new("1", (width, height)).save(buffer, "PNG")
    return buffer.getvalue()


@pytest.fixture
def ceiling():
    """What Pillow allows on its own is as it was, whatever was read."""
    before = Image.MAX_IMAGE_PIXELS
    assert before == 89_478_485
    yield before
    assert before == Image.MAX_IMAGE_PIXELS


@pytest.mark.filterwarnings("error::PIL.Image.DecompressionBombWarning")
@pytest.mark.parametrize("file_format", ["PNG", "TIFF"])
def test_pictures_beyond_pillows_ceiling_are_read_where_the_limits_say_so(ceiling, file_format):
    data = large(10_000, 9_000)
    if file_format == "TIFF":
        buffer = io.BytesIO()
        Image.new("1", (10_000, 9_000)).save(buffer, "TIFF")
        data = buffer.getvalue()
    decoded = decode(data, "large", Limits(max_pixels=90_000_000))
    assert decoded.image.size == (10_000, 9_000)
    for limits in (Limits(), Limits(max_pixels=89_999_999)):
        with pytest.raises(PictureError) as refusal:
            decode(data, "large", limits)
        assert refusal.value.reason == "too_many_pixels"


@pytest.mark.filterwarnings("ignore::PIL.Image.DecompressionBombWarning")
def test_bombs_are_refused_without_the_filter_too(ceiling):
    for pixels in (89_000_000, 100_000_000, 400_000_000):
        with pytest.raises(PictureError) as refusal:
            decode(large(pixels // 10_000, 10_000), "bomb", Limits(max_pixels=80_000_000))
        assert refusal.value.reason == "too_many_pixels"


def test_the_ceiling_is_put_back_after_many_threads(ceiling):
    data = [large(300, 200), large(10_000, 9_000), b"no picture"]
    failed = []

    def read_some(number):
        for each in (data * 3)[number:]:
            try:
                decode(each, "x", Limits(max_pixels=70_000_000 + 30_000_000 * (number % 2)))
            except PictureError as problem:
                failed.append(problem.reason)

    threads = [threading.Thread(target=read_some, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert set(failed) == {"too_many_pixels", "not_a_picture"}


def test_a_host_without_a_ceiling_gets_ours_and_keeps_its_own(monkeypatch):
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", None)
    with pytest.raises(PictureError):
        decode(large(20_000, 20_000), "bomb", Limits())
    assert Image.MAX_IMAGE_PIXELS is None


def test_the_default_is_200_megapixels_and_an_option(tmp_path, monkeypatch):
    monkeypatch.setenv("COLUMNS", "300")
    model = str(negative_model(tmp_path / "negative.onnx"))
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "large.png").write_bytes(large(20_000, 10_001))
    result = run_folder(negative(), tmp_path / "in", tmp_path / "out")
    assert [each.reason for each in result.failed] == ["too_many_pixels"]
    assert "max_pixels 200000000" in result.failed[0].message
    drawn(tmp_path / "in" / "small.png")
    paths = [str(tmp_path / "in" / "small.png"), "-o", str(tmp_path / "one.png")]
    assert main(["run", model, *paths, "--max-pixels", "53"]) == 3
    assert main(["run", model, *paths, "--max-pixels", "54"]) == 0
    assert main(["run", model, *paths, "--max-pixels", "2000000000"]) == 2
    with pytest.raises(ConfigurationError):
        run_folder(negative(), tmp_path / "in", tmp_path / "out", max_pixels=0)


# Options of the command for one picture


def test_the_format_of_one_picture(tmp_path, capsys):
    model = str(negative_model(tmp_path / "negative.onnx"))
    picture = saved(tmp_path, "p.png", RGBA)

    def run(*arguments):
        return main(["run", model, str(picture), "--device", "cpu", *map(str, arguments)])

    (tmp_path / "made").mkdir()
    assert run("-o", tmp_path / "made", "--format", "webp") == 0
    assert run("-o", tmp_path / "made" / "p.jpg") == 0
    assert run("-o", tmp_path / "made" / "q.jpeg", "--format", "jpg") == 0
    assert run("-o", tmp_path / "made" / "p.png", "--format", "webp") == 2
    assert run("-o", tmp_path / "made" / "p.gif") == 2
    assert set(files(tmp_path / "made")) == {"p.webp", "p.jpg", "q.jpeg"}
    with Image.open(tmp_path / "made" / "p.webp") as image:
        np.testing.assert_array_equal(np.asarray(image)[..., 3], RGBA[..., 3])
    assert "p.webp (cpu)" in "".join(capsys.readouterr().out.split("\n")).replace("  ", " ")


def test_what_is_carried_of_a_decoded_picture():
    buffer = io.BytesIO()
    Image.fromarray(RGBA).save(buffer, "PNG", icc_profile=SRGB)
    decoded = decode(buffer.getvalue(), "p")
    kept = carried_of(decoded, channels=3, alpha="keep")
    np.testing.assert_array_equal(kept.alpha, RGBA[..., 3])
    assert kept.profile_for(3) == SRGB
    assert carried_of(decoded, channels=3, alpha="white").alpha is None
    assert card().scale == 1
