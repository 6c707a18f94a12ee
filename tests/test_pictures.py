"""Pictures become the pixels that the formats' own rules say: orientation, depth, transparency, colour, labels."""

import io
import struct
import zlib

import numpy as np
import pytest
from picture_files import RAMP, refusal, save, smooth, strange_press
from PIL import Image, ImageCms
from seeded_defects import picture, png, png_16_bit

from translate.data.items import Source
from translate.data.pictures import probe, read_label_map, read_picture, write_picture
from translate.errors import ConfigurationError, StorageError

pytestmark = pytest.mark.filterwarnings("error::PIL.Image.DecompressionBombWarning")

# What EXIF 2.3 says of each orientation: where the stored picture's row 0 and column 0 are. From that, by hand, how a
# stored array is made upright.
UPRIGHT = {
    1: lambda a: a,
    2: lambda a: a[:, ::-1],
    3: lambda a: a[::-1, ::-1],
    4: lambda a: a[::-1],
    5: lambda a: a.swapaxes(0, 1),
    6: lambda a: a.swapaxes(0, 1)[:, ::-1],
    7: lambda a: a.swapaxes(0, 1)[::-1, ::-1],
    8: lambda a: a.swapaxes(0, 1)[::-1],
}


@pytest.mark.parametrize("file_format", ["JPEG", "PNG", "WEBP", "TIFF"])
@pytest.mark.parametrize("orientation", range(1, 9))
def test_exif_orientation_is_applied_in_every_format(orientation, file_format, tmp_path):
    exif = Image.Exif()
    exif[0x0112] = orientation
    stored = smooth()
    path = save(tmp_path / "picture", stored, file_format, exif=exif)
    expected = UPRIGHT[orientation](stored)
    header = probe(path)
    assert (header.height_px, header.width_px) == expected.shape[:2]
    assert header.orientation == orientation
    got = read_picture(path)
    assert got.shape == expected.shape
    assert np.abs(got.astype(int) - expected).max() <= (2 if file_format == "JPEG" else 0)


@pytest.mark.parametrize("value", [0, 9, 65535])
def test_an_orientation_that_does_not_exist_changes_nothing(value, tmp_path):
    exif = Image.Exif()
    exif[0x0112] = value
    np.testing.assert_array_equal(read_picture(save(tmp_path / "p", smooth(), "PNG", exif=exif)), smooth())


@pytest.mark.parametrize("file_format", ["PNG", "WEBP", "TIFF", "BMP"])
@pytest.mark.parametrize("channels", [1, 3, 4])
def test_colours_and_channels_of_every_lossless_format(file_format, channels, tmp_path):
    got = read_picture(save(tmp_path / "p", smooth(), file_format), channels=channels)
    assert got.dtype == np.uint8
    assert got.shape == (24, 40, channels)
    if channels == 1:
        luma = smooth() @ [0.299, 0.587, 0.114]
        assert np.abs(got[..., 0] - luma).max() <= 1
    else:
        np.testing.assert_array_equal(got[..., :3], smooth())
    if channels == 4:
        assert (got[..., 3] == 255).all()


@pytest.mark.parametrize("how", ["png", "tiff little-endian", "tiff big-endian"])
def test_sixteen_bit_grey_is_scaled_and_never_clipped(how, tmp_path):
    path = tmp_path / "ramp"
    if how == "png":
        path.write_bytes(png_16_bit(RAMP))
    else:
        save(path, Image.fromarray(RAMP.astype(">u2" if "big" in how else "<u2")), "TIFF")
    got = read_picture(path, channels=1)[..., 0]
    np.testing.assert_array_equal(got, np.floor(RAMP / 257 + 0.5))
    assert np.abs(got / 255 - RAMP / 65535).max() <= 1 / 255
    assert (got == 255).sum() == 129  # only the levels that round to white: 65407 to 65535
    assert probe(path).bits == 16


def test_sixteen_bit_where_zero_is_white(tmp_path):
    path = save(tmp_path / "p", Image.fromarray(RAMP), "TIFF", tiffinfo={262: 0})
    np.testing.assert_array_equal(read_picture(path, channels=1)[..., 0], 255 - np.floor(RAMP / 257 + 0.5))


def test_sixteen_bit_colour_is_less_than_one_level_off(tmp_path):
    levels = np.stack([RAMP, RAMP.T, RAMP[::-1]], -1)
    (tmp_path / "p").write_bytes(png_16_bit(levels))
    got = read_picture(tmp_path / "p")
    assert np.abs(got / 255 - levels / 65535).max() <= 1 / 255
    assert probe(tmp_path / "p").bits == 16


def test_twelve_bit_tiff_reaches_white(tmp_path):
    levels = np.array([[0, 4095, 2048, 1024]], dtype=np.uint16)
    packed = "".join(f"{level:012b}" for level in levels[0])
    rows = int(packed, 2).to_bytes(6, "big")
    tags = {256: 4, 257: 1, 258: 12, 259: 1, 262: 1, 273: 8, 277: 1, 278: 1, 279: 6}
    entries = b"".join(struct.pack("<HHII", tag, 4 if tag in (273, 279) else 3, 1, v) for tag, v in tags.items())
    directory = struct.pack("<H", len(tags)) + entries + struct.pack("<I", 0)
    (tmp_path / "p").write_bytes(b"II*\0" + struct.pack("<I", 14) + rows + directory)
    np.testing.assert_array_equal(read_picture(tmp_path / "p", channels=1)[0, :, 0], [0, 255, 128, 64])


def composited(color: np.ndarray, alpha: np.ndarray) -> np.ndarray:
    weight = alpha[..., None] / 255
    return color * weight + 255 * (1 - weight)


@pytest.mark.parametrize("file_format", ["PNG", "WEBP", "TIFF"])
def test_alpha_is_kept_or_composited_on_white(file_format, tmp_path):
    color, alpha = smooth(), np.arange(24 * 40).reshape(24, 40).astype(np.uint8)
    path = save(tmp_path / "p", np.dstack([color, alpha]), file_format)
    np.testing.assert_array_equal(read_picture(path, channels=4), np.dstack([color, alpha]))
    assert np.abs(read_picture(path) - composited(color, alpha)).max() <= 0.5
    assert np.abs(read_picture(path, channels=1)[..., 0] - composited(color, alpha) @ [0.299, 0.587, 0.114]).max() <= 1
    assert probe(path).has_alpha


def test_grey_with_alpha(tmp_path):
    grey, alpha = smooth()[..., 0], smooth()[..., 1]
    path = save(tmp_path / "p", Image.merge("LA", [Image.fromarray(grey), Image.fromarray(alpha)]), "PNG")
    assert np.abs(read_picture(path, channels=1)[..., 0] - composited(grey[..., None], alpha)[..., 0]).max() <= 0.5
    np.testing.assert_array_equal(read_picture(path, channels=4), np.dstack([grey, grey, grey, alpha]))


def test_premultiplied_tiff_is_divided_by_alpha(tmp_path):
    """Associated alpha (ExtraSamples 1): a stored 64 at alpha 128 is the colour 128."""
    image = Image.fromarray(np.full((2, 2, 4), (64, 32, 128, 128), np.uint8))
    path = save(tmp_path / "p", image, "TIFF")
    straight, associated = (struct.pack("<HHIH", 338, 3, 1, value) for value in (2, 1))
    assert path.read_bytes().count(straight) == 1
    path.write_bytes(path.read_bytes().replace(straight, associated))
    got = read_picture(path, channels=4)
    assert np.abs(got.astype(int) - (128, 64, 255, 128)).max() <= 1
    assert np.abs(read_picture(path).astype(int) - (191, 159, 255)).max() <= 1


def test_palette_with_transparent_entries(tmp_path):
    image = Image.fromarray(np.array([[0, 1, 2]], dtype=np.uint8)).convert("P")
    image.putpalette([255, 0, 0, 0, 255, 0, 0, 0, 255])
    path = save(tmp_path / "p", image, "PNG", transparency=bytes([0, 128, 255]))
    assert read_picture(path)[0].tolist() == [[255, 255, 255], [127, 255, 127], [0, 0, 255]]
    assert read_picture(path, channels=4)[0].tolist() == [[255, 0, 0, 0], [0, 255, 0, 128], [0, 0, 255, 255]]
    opaque = save(tmp_path / "opaque", image, "PNG")
    assert read_picture(opaque)[0].tolist() == [[255, 0, 0], [0, 255, 0], [0, 0, 255]]


def test_a_transparent_colour_in_the_files_own_depth(tmp_path):
    """PNG's tRNS chunk: one colour is clear. In 16 bits it is compared before scaling; in 2 bits the key is 0 to 3."""
    deep = png_16_bit(np.array([[1000, 1001]], dtype=np.uint16))
    shallow = png(4, 1, 2, 0, b"\0" + bytes([0b00011011]))
    (tmp_path / "deep").write_bytes(_with_chunk(deep, b"tRNS", struct.pack(">H", 1000)))
    (tmp_path / "shallow").write_bytes(_with_chunk(shallow, b"tRNS", struct.pack(">H", 1)))
    assert read_picture(tmp_path / "deep", channels=4)[0, :, 3].tolist() == [0, 255]
    assert read_picture(tmp_path / "deep", channels=1)[0, :, 0].tolist() == [255, 4]
    assert read_picture(tmp_path / "shallow", channels=4)[0].tolist() == [
        [0, 0, 0, 255],
        [85, 85, 85, 0],
        [170, 170, 170, 255],
        [255, 255, 255, 255],
    ]


def _with_chunk(data: bytes, kind: bytes, body: bytes) -> bytes:
    chunk = struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))
    return data[:33] + chunk + data[33:]


def test_one_bit_is_black_and_white(tmp_path):
    path = save(tmp_path / "p", Image.fromarray(np.array([[True, False]])), "PNG")
    assert read_picture(path, channels=1).tolist() == [[[255], [0]]]


def test_cmyk_without_a_profile_by_the_plain_formula(tmp_path):
    ink = np.zeros((8, 8, 4), np.uint8)
    ink[..., 0], ink[..., 3] = 255, 51
    for file_format in ("TIFF", "JPEG"):
        got = read_picture(save(tmp_path / file_format, Image.fromarray(ink, "CMYK"), file_format))
        assert np.abs(got.astype(int) - (0, 204, 204)).max() <= 2


def test_cmyk_goes_through_its_profile(tmp_path):
    """The profile of a strange press whose black is black and whose other inks all print the same mid grey."""
    image = Image.new("CMYK", (8, 8), (255, 0, 0, 0))
    path = save(tmp_path / "p", image, "TIFF", icc_profile=strange_press())
    got = read_picture(path)
    assert np.abs(got.astype(int) - 119).max() <= 3  # L* = 50 is sRGB 119
    assert probe(path).has_profile
    broken = save(tmp_path / "broken", image, "TIFF", icc_profile=b"this is no profile" * 20)
    assert read_picture(broken)[0, 0].tolist() == [0, 255, 255]


def test_the_strange_press_is_a_profile():
    assert ImageCms.ImageCmsProfile(io.BytesIO(strange_press())).profile.xcolor_space == "CMYK"


@pytest.mark.parametrize("mode", ["I", "F", "LAB"])
def test_levels_without_a_white_are_refused(mode, tmp_path):
    assert refusal(read_picture, save(tmp_path / "p", Image.new(mode, (4, 4)), "TIFF")) == "unsupported_mode"


def test_halves_are_cut_in_the_middle_and_an_odd_width_is_refused(tmp_path):
    both = np.hstack([picture(1), picture(2)])
    path = save(tmp_path / "p", both, "PNG")
    np.testing.assert_array_equal(read_picture(Source(path=path, half="left")), picture(1))
    np.testing.assert_array_equal(read_picture(Source(path=path, half="right")), picture(2))
    odd = save(tmp_path / "odd", both[:, :-1], "PNG")
    assert refusal(read_picture, Source(path=odd, half="left")) == "odd_width"
    assert read_picture(odd).shape == (32, 63, 3)


LABELS = np.array([[0, 1, 2, 3], [3, 2, 1, 0]], dtype=np.uint8)


def test_labels_are_what_is_stored(tmp_path):
    palette = Image.fromarray(LABELS).convert("P")
    palette.putpalette([200, 3, 3, 4, 5, 6, 7, 80, 9, 10, 11, 120])
    paths = [
        save(tmp_path / "palette", palette, "PNG"),
        save(tmp_path / "grey", LABELS, "PNG"),
        save(tmp_path / "deep", LABELS.astype(np.uint16), "TIFF"),
        save(tmp_path / "integers", Image.fromarray(LABELS.astype(np.int32)), "TIFF"),
        tmp_path / "two-bit",
    ]
    paths[-1].write_bytes(png(4, 2, 2, 0, bytes([0, 0b00011011, 0, 0b11100100])))
    for path in paths:
        got = read_label_map(path, classes=4)
        assert got.dtype == np.uint8
        np.testing.assert_array_equal(got, LABELS)
        assert refusal(read_label_map, path, classes=3) == "label_out_of_range"
    np.testing.assert_array_equal(read_label_map(Source(path=paths[1], half="right"), classes=4), LABELS[:, 2:])
    ones = save(tmp_path / "bits", Image.fromarray(LABELS > 1), "PNG")
    np.testing.assert_array_equal(read_label_map(ones, classes=2), LABELS > 1)


def test_many_classes_need_sixteen_bits(tmp_path):
    path = tmp_path / "p"
    path.write_bytes(png_16_bit(np.array([[0, 300]], dtype=np.uint16)))
    got = read_label_map(path, classes=301)
    assert got.dtype == np.uint16
    assert got.tolist() == [[0, 300]]


def test_label_maps_that_cannot_be_trusted_are_refused(tmp_path):
    grey = Image.fromarray(LABELS)
    assert refusal(read_label_map, save(tmp_path / "a", grey, "JPEG"), classes=4) == "lossy_label_map"
    lossy = tmp_path / "b"
    grey.convert("RGB").save(lossy, "WEBP", quality=90)
    assert refusal(read_label_map, lossy, classes=4) == "lossy_label_map"
    tiff = save(tmp_path / "c", grey.resize((16, 16)), "TIFF", compression="jpeg")
    assert refusal(read_label_map, tiff, classes=256) == "lossy_label_map"
    assert refusal(read_label_map, save(tmp_path / "d", smooth(), "PNG"), classes=4) == "unsupported_mode"


@pytest.mark.parametrize("extension", [".png", ".tif", ".webp", ".bmp"])
@pytest.mark.parametrize("channels", [1, 3, 4])
def test_what_is_written_is_read_back(extension, channels, tmp_path):
    if extension == ".bmp" and channels == 4:
        pytest.skip("BMP readers do not agree on alpha")
    array = np.random.default_rng(0).integers(0, 256, (20, 30, channels), dtype=np.uint8)
    write_picture(array, tmp_path / f"p{extension}")
    np.testing.assert_array_equal(read_picture(tmp_path / f"p{extension}", channels=channels), array)
    assert [path.name for path in tmp_path.iterdir()] == [f"p{extension}"]


def test_a_failed_write_leaves_the_old_picture_and_no_litter(tmp_path, monkeypatch):
    path = tmp_path / ("n" * 250 + ".png")
    write_picture(picture(1), path)
    before = path.read_bytes()
    monkeypatch.setattr("os.fsync", lambda _: (_ for _ in ()).throw(OSError(28, "No space left on device")))
    with pytest.raises(StorageError, match="No space left"):
        write_picture(picture(2), path)
    assert path.read_bytes() == before
    assert list(tmp_path.iterdir()) == [path]
    for bad, name in ((picture(1), "p.gif"), (np.zeros((4, 4, 4), np.uint8), "p.jpg")):
        with pytest.raises(ConfigurationError):
            write_picture(bad, tmp_path / name)
