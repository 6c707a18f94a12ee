"""Filling holes in held-out photos, ours beside others: `python -m benchmarks.results.inpainting PHOTOS MODEL...`.

Every photo gets three holes, one of each share of its area, of strokes, boxes and irregular segments. They follow from
the photo's name alone. Errors in the hole are those of its pixels; a contestant that changes a known pixel is refused.
"""

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial

import numpy as np
import tyro

from benchmarks.results import contest, standings
from benchmarks.results.contest import Case, Figures
from benchmarks.results.photos import Photo, Pixels, as_tensor, at_most, photos, square
from benchmarks.results.rivals.inpainters import Inpainter, Torn, classical, inpainter
from benchmarks.results.showing import Showing
from benchmarks.results.standings import PERCEPTUAL, TIME, Column
from translate.data.making.holes import HOLE_LEVEL, Holes, draw_mask
from translate.data.making.maker import held_out_draws
from translate.metrics.pairwise import PSNR_CEILING_DB
from translate.metrics.perceptual import PerceptualDistance

SHARES = ((0.1, 0.2), (0.2, 0.3), (0.3, 0.4))
"""Of the area: from, to."""
BASE = "OpenCV Telea, 3 px"
L1_HOLE = Column(key="l1 hole", label="L1 in the hole (levels)", digits=2)
COLUMNS = (
    L1_HOLE,
    Column(key="l1", label="L1 of the whole (levels)", digits=2),
    Column(key="psnr hole", label="PSNR in the hole (dB)", digits=2),
    PERCEPTUAL,
    TIME,
)


def _picture(torn: Torn) -> Pixels:
    return torn.picture


SHOWING: Showing[Torn] = Showing(gain=f"what {BASE} has more in L1", figure=L1_HOLE, given=_picture)


@dataclass(frozen=True, kw_only=True)
class Options(contest.Options):
    """What to compare."""

    side_px: int = 256
    """Photos are cut to squares in their middle and reduced to this side."""
    whole: bool = False
    """Take whole photos instead, reduced to a longer side of --side-px."""


def torn(photo: Photo) -> Iterator[Case[Torn]]:
    """The photo with its three holes."""
    place = int.from_bytes(hashlib.sha256(photo.key.encode()).digest()[:4], "big")
    (draw,) = held_out_draws([place])
    height, width = photo.pixels.shape[:2]
    for least, most in SHARES:
        hole = draw_mask(height, width, draw, Holes(least_share=least, most_share=most, outpainting=0.0))
        picture = photo.pixels.copy()
        picture[hole] = HOLE_LEVEL
        yield Case(key=f"{photo.key}, {hole.mean():.0%}", given=Torn(picture=picture, hole=hole), truth=photo.pixels)


def figures(case: Case[Torn], made: Pixels, *, perceptual: PerceptualDistance) -> Figures:
    """What a filled picture is worth. Raises ValueError where known pixels changed."""
    hole = case.given.hole
    if (made[~hole] != case.truth[~hole]).any():
        raise ValueError(f"{case.key}: pixels outside the hole were changed")
    apart = made.astype(np.float64) - case.truth
    error = float(np.square(apart[hole]).mean())
    return {
        "l1 hole": float(np.abs(apart[hole]).mean()),
        "l1": float(np.abs(apart).mean()),
        "psnr hole": min(PSNR_CEILING_DB, 10 * np.log10(255**2 / error)) if error else PSNR_CEILING_DB,
        "perceptual": float(perceptual(as_tensor(made), as_tensor(case.truth))),
    }


def cases(options: Options) -> Iterator[Case[Torn]]:
    """All photos, each three times."""
    whole = partial(at_most, longest_px=options.side_px)
    fit = whole if options.whole else partial(square, side_px=options.side_px)
    return (case for photo in photos(options.photos, fit, most=options.most) for case in torn(photo))


def contestants(options: Options) -> dict[str, Inpainter]:
    """Those that need no training, and the models by the names of their files."""
    return classical() | {model.stem: inpainter(model) for model in options.models}


def main(options: Options) -> None:
    contest.compute_with(options.threads)
    players = contestants(options)
    keys, found = contest.contest(cases(options), players, partial(figures, perceptual=contest.perceptual_distance()))
    for place, (least, most) in enumerate(SHARES):
        which = range(place, len(keys), len(SHARES))
        head = f"holes of {least:.0%} to {most:.0%}, {len(which)} photos"
        print(standings.markdown([each.only(which) for each in found], COLUMNS, before=head), end="\n\n")
    standings.keep(options.json, keys, found, threads=options.threads)
    if options.sheet and options.models:
        gains = standings.gains(found, L1_HOLE.key, BASE, options.models[0].stem)
        SHOWING.sheet(list(cases(options)), gains, players, found).save(options.sheet, optimize=True)


if __name__ == "__main__":
    main(tyro.cli(Options))
