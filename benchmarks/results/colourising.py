"""Colouring held-out photos, ours beside others: `python -m benchmarks.results.colourising PHOTOS MODEL...`.

A photo's grey is its luma (ITU-R BT.601). Distances favour dull colours over bold ones that are wrong, so the chroma
and the colourfulness of the answers stand beside those of the photos.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
import tyro
from PIL import Image

from benchmarks.results import contest, standings
from benchmarks.results.contest import Case, Figures
from benchmarks.results.photos import Photo, Pixels, as_tensor, at_most, photos
from benchmarks.results.rivals.colourers import Colourer, colourer, mean_colour, uncoloured
from benchmarks.results.showing import Showing
from benchmarks.results.standings import PERCEPTUAL, TIME, Column, Standing
from translate.metrics.chroma import ab_rmse, colourfulness, mean_chroma
from translate.metrics.pairwise import psnr_db
from translate.metrics.perceptual import PerceptualDistance

BASE = "grey"
TRAINING_PHOTOS = 200
TRAINING_PX = 128
CHROMA = Column(key="chroma", label="mean chroma", digits=1)
COLOURFULNESS = Column(key="colourfulness", label="colourfulness", digits=1)
COLUMNS = (
    Column(key="ab", label="RMSE of a, b", digits=2),
    Column(key="psnr", label="PSNR (dB)", digits=2),
    PERCEPTUAL,
    CHROMA,
    COLOURFULNESS,
    TIME,
)
SHOWING: Showing[Pixels] = Showing(gain=f"what {BASE} has more in perceptual distance", figure=PERCEPTUAL)


@dataclass(frozen=True, kw_only=True)
class Options(contest.Options):
    """What to compare."""

    train: Path | None = None
    """Folder of the training photos, whose mean colour is a contestant."""
    longest_px: int = 512
    """Photos whose longer side is longer are reduced to this first."""


def grey(photo: Photo) -> Case[Pixels]:
    """What is to be coloured, and the photo."""
    luma = np.asarray(Image.fromarray(photo.pixels).convert("L"))[..., None]
    return Case(key=photo.key, given=luma, truth=photo.pixels)


def figures(case: Case[Pixels], made: Pixels, *, perceptual: PerceptualDistance) -> Figures:
    """What a coloured picture is worth, and how colourful it and the photo are."""
    output, target = as_tensor(made), as_tensor(case.truth)
    return {
        "ab": float(ab_rmse(output, target)),
        "psnr": float(psnr_db(output, target)),
        "perceptual": float(perceptual(output, target)),
        "chroma": float(mean_chroma(output)),
        "colourfulness": float(colourfulness(output)),
        "true chroma": float(mean_chroma(target)),
        "true colourfulness": float(colourfulness(target)),
    }


def cases(options: Options) -> Iterator[Case[Pixels]]:
    """All photos in grey."""
    fit = partial(at_most, longest_px=options.longest_px)
    return (grey(photo) for photo in photos(options.photos, fit, most=options.most))


def contestants(options: Options) -> dict[str, Colourer]:
    """Grey itself, the mean colour, and the models by the names of their files."""
    found: dict[str, Colourer] = {BASE: uncoloured}
    if options.train:
        drawn = photos(options.train, partial(at_most, longest_px=TRAINING_PX), most=TRAINING_PHOTOS)
        found["mean colour"] = mean_colour(photo.pixels for photo in drawn)
    return found | {model.stem: colourer(model) for model in options.models}


def of_photos(found: Sequence[Standing]) -> str:
    """How colourful the photos are themselves, in a line."""
    each = found[0].each
    truth = Standing(name="photos", each={key: each[f"true {key}"] for key in (CHROMA.key, COLOURFULNESS.key)})
    return f"The photos' own chroma: {truth.mean(CHROMA.key):.1f}, colourfulness: {truth.mean(COLOURFULNESS.key):.1f}"


def main(options: Options) -> None:
    contest.compute_with(options.threads)
    players = contestants(options)
    keys, found = contest.contest(cases(options), players, partial(figures, perceptual=contest.perceptual_distance()))
    print(standings.markdown(found, COLUMNS, before=f"{len(keys)} photos"))
    print(f"\n{of_photos(found)}")
    standings.keep(options.json, keys, found, threads=options.threads)
    if options.sheet and options.models:
        gains = standings.gains(found, PERCEPTUAL.key, BASE, options.models[0].stem)
        SHOWING.sheet(list(cases(options)), gains, players, found).save(options.sheet, optimize=True)


if __name__ == "__main__":
    main(tyro.cli(Options))
