"""GAN's theory on one number a sample, by the project's own method and engine: `python -m benchmarks.gan_theory`.

Goodfellow et al. 2014. Three things are printed: how near a trained discriminator comes to p_data / (p_data + p_g)
(proposition 1); the value of the game against -log 4 + 2 JSD (theorem 1), and that it tends to -log 4; and the four
stages of the paper's figure 1, which are drawn too (`--picture FILE.png`).
"""

import math
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import torch
import tyro
from numpy.typing import NDArray
from scipy.integrate import quad
from scipy.stats import norm
from torch import Tensor

from pipelines.methods.gan import GAN
from translate.data.domains import OneDomain
from translate.engine import Engine
from translate.game import GameConfig
from translate.networks.latent_generators import LatentGeneratorConfig
from translate.networks.sample_discriminators import SampleDiscriminatorConfig
from translate.noise import Noise
from translate.optimisers import Adam
from translate.recipe import Length, Recipe
from translate.schedule import Schedule

Numbers = NDArray[np.float64]
Density = Callable[[Numbers], Numbers]

BATCH = 512
DATA = norm(0.0, 1.0)
GRID = np.linspace(-5.0, 7.0, 1201)
GENERATORS = (norm(3.0, 0.5), norm(2.0, 0.7), norm(1.0, 1.0), norm(0.5, 1.0), norm(0.2, 1.0), norm(0.0, 1.0))


@dataclass(frozen=True, kw_only=True)
class Options:
    """What to draw."""

    picture: Path | None = None
    """Where the figure goes, a PNG; none: it is not drawn (drawing needs `pip install pixturn[examples]`)."""
    seed: int = 0
    """Of weights and samples."""


def game(*, generator: LatentGeneratorConfig, noise: Noise, iterations: int, rate: float = 5e-3) -> Engine:
    """The method `gan` on points of one number."""
    adam = Adam(learning_rate=rate, beta1=0.5)
    discriminator = SampleDiscriminatorConfig(kind="mlp", widths=(64, 64), norm="none")
    recipe = Recipe(
        method="gan",
        config=GAN.Config(noise=noise, generator=generator, discriminator=discriminator, game=GameConfig()),
        optimisers={"generator": replace(adam, learning_rate=rate / 5), "discriminator": adam},
        length=Length(images=iterations * BATCH),
        domains=OneDomain(x="vector:1"),
        batch_size=BATCH,
        schedule=Schedule(shape="cosine", hold=0.0),
        precision="fp32",
    )
    return Engine(GAN(recipe.config, recipe.spec()), recipe, torch.device("cpu"))


def drawn() -> Mapping[str, Tensor]:
    """A batch of N(0, 1)."""
    return {"x": torch.randn(BATCH, 1)}


def play(engine: Engine, iterations: int, *, turns: tuple[str, ...]) -> None:
    """Iterations in which only these turns are played: the other network stands still."""
    engine.turns = tuple(turn for turn in engine.method.turns() if turn.name in turns)
    for _ in range(iterations):
        engine.play(drawn)


@torch.no_grad()
def judged(engine: Engine, points: Numbers) -> Numbers:
    """D(x)."""
    scores = engine.method.discriminator(torch.from_numpy(points).float()[:, None])
    return scores.double().sigmoid().numpy()


def best(data: Numbers, made: Numbers) -> Numbers:
    """D*(x) of proposition 1."""
    return data / (data + made)


def value(judgement: Numbers, data: Numbers, made: Numbers) -> float:
    """V(D, G) of equation 1, on the grid."""
    inner = data * np.log(judgement.clip(1e-30)) + made * np.log((1.0 - judgement).clip(1e-30))
    return float(np.trapezoid(inner, GRID))


def divergence(data: Density, made: Density) -> float:
    """JSD(p_data || p_g) in nats, by adaptive quadrature."""

    def inner(x: float) -> float:
        p, q = (float(density(np.float64(x))) for density in (data, made))
        return 0.5 * sum(part * math.log(2 * part / (p + q)) for part in (p, q) if part > 0)

    return quad(inner, GRID[0] - 5, GRID[-1] + 5, limit=400, points=(0.0, 1.0, 2.0, 3.0))[0]


def known_generators() -> Iterator[str]:
    """A generator x = w z + b that stands still is N(b, w^2); its discriminator is trained."""
    yield "p_g                E|D - D*|   V(D, G)   V(D*, G)   -log 4 + 2 JSD"
    for made in GENERATORS:
        engine = game(
            generator=LatentGeneratorConfig(kind="mlp", widths=(), norm="none"), noise=Noise(size=1), iterations=1500
        )
        weight, bias = engine.method.generator.parameters()
        weight.data.fill_(made.std())
        bias.data.fill_(made.mean())
        play(engine, 1500, turns=("discriminator",))
        p, q, judgement = DATA.pdf(GRID), made.pdf(GRID), judged(engine, GRID)
        yield (
            f"N({made.mean():.1f}, {made.std():.1f}^2)        {error(judgement, p, q):.4f}    "
            f"{value(judgement, p, q):8.4f}   {value(best(p, q), p, q):8.4f}   "
            f"{-math.log(4) + 2 * divergence(DATA.pdf, made.pdf):8.4f}"
        )


def error(judgement: Numbers, data: Numbers, made: Numbers) -> float:
    """E |D(x) - D*(x)|, half over data and half over made samples."""
    return float(np.trapezoid(0.5 * (data + made) * np.abs(judgement - best(data, made)), GRID))


@dataclass(frozen=True, kw_only=True)
class Stage:
    """What the figure shows of one moment, on the grid."""

    title: str
    data: Numbers
    made: Numbers
    judgement: Numbers
    starts: Numbers
    """Some z at equal steps of probability."""
    ends: Numbers
    """Where they go."""


def stages() -> Iterator[Stage]:
    """The four of figure 1, of one run."""
    generator = LatentGeneratorConfig(kind="mlp", widths=(32,), activation="softplus", norm="none")
    engine = game(generator=generator, noise=Noise(size=1), iterations=6000)
    with torch.no_grad():
        *_, bias = engine.method.generator.parameters()
        bias += 2.0 - float(engine.method.generator(torch.zeros(1, 1)))  # beside the data, as in the figure
    both = ("discriminator", "generator")
    play(engine, 12, turns=both)
    yield shown(engine, "(a) early: D is partly right")
    play(engine, 1000, turns=("discriminator",))
    yield shown(engine, "(b) G stands still: D becomes D*")
    play(engine, 150, turns=both)
    yield shown(engine, "(c) G follows D's gradient")
    play(engine, 4500, turns=both)
    yield shown(engine, "(d) the end: p_g is p_data, D is 1/2")


@torch.no_grad()
def shown(engine: Engine, title: str) -> Stage:
    """The density of G(z): of z at equal steps of probability, how many G sends to each place."""
    moved = generated(engine, quantiles(400_001))
    step = float(GRID[1] - GRID[0])
    edges = np.append(GRID, GRID[-1] + step) - step / 2
    made = np.histogram(moved, bins=edges)[0] / (len(moved) * step)
    starts = quantiles(24)
    return Stage(
        title=title,
        data=DATA.pdf(GRID),
        made=made,
        judgement=judged(engine, GRID),
        starts=starts,
        ends=generated(engine, starts),
    )


def quantiles(count: int) -> Numbers:
    """Of N(0, 1), at equal steps of probability."""
    return norm.ppf((np.arange(count) + 0.5) / count)


def generated(engine: Engine, z: Numbers) -> Numbers:
    """G(z)."""
    return engine.method.generator(torch.from_numpy(z).float()[:, None]).double().squeeze(1).numpy()


def told(stage: Stage) -> str:
    """A stage in numbers."""
    p, q = stage.data, stage.made + 1e-12
    gap = value(best(p, q), p, q) + math.log(4)
    return (
        f"{stage.title:40} E|D - D*| {error(stage.judgement, p, q):.4f}   V(D, G) "
        f"{value(stage.judgement, p, q):8.4f}   V(D*, G) + log 4 {gap:.4f}   JSD {gap / 2:.4f}"
    )


# The figure: an SVG by hand

LEFT, RIGHT = -3.5, 5.0
WIDE, HIGH, MARGIN = 300, 330, 14


def figure(found: Iterable[Stage]) -> str:
    """Four panels in a row, with a legend below."""
    panels = "".join(
        f'<g transform="translate({MARGIN + index * (WIDE + MARGIN)} {MARGIN})">{panel(stage)}</g>'
        for index, stage in enumerate(found)
    )
    width, height = 4 * (WIDE + MARGIN) + MARGIN, HIGH + 3 * MARGIN + 26
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}" viewBox="0 0 {width} {height}" '
        f'font-family="DejaVu Sans, Arial, sans-serif" font-size="13"><rect width="100%" height="100%" fill="white"/>'
        f"{panels}{legend(HIGH + 2 * MARGIN + 12)}</svg>"
    )


CURVES = {
    "data, p_data": 'stroke="black" stroke-width="2" stroke-dasharray="2 3"',
    "generator, p_g": 'stroke="#2a9d3a" stroke-width="2.5"',
    "discriminator, D": 'stroke="#1f5fbf" stroke-width="2" stroke-dasharray="7 4"',
    "best discriminator, D* = p_data / (p_data + p_g)": 'stroke="#b9b9b9" stroke-width="3"',
}


def panel(stage: Stage) -> str:
    """Densities and D above; below, where G sends z."""
    data, made, judge, ideal = CURVES.values()
    top = 30
    known = stage.data + stage.made > 1e-2  # beyond, of the 400,001 hardly one tells p_g
    curves = (
        curve(best(stage.data, stage.made + 1e-12), 1.0, ideal, known)
        + curve(stage.judgement, 1.0, judge)
        + curve(stage.data, 0.8, data)
        + curve(stage.made, 0.8, made)
    )
    return (
        f'<text x="{WIDE / 2}" y="14" text-anchor="middle" font-weight="bold">{stage.title}</text>'
        f'<clipPath id="box"><rect x="0" y="{top - 8}" width="{WIDE}" height="220"/></clipPath>'
        f'<g clip-path="url(#box)" fill="none">{curves}</g>{arrows(stage)}'
    )


def across(x: float) -> float:
    """A number's place in a panel."""
    return (x - LEFT) / (RIGHT - LEFT) * WIDE


def curve(heights: Numbers, full: float, style: str, where: NDArray[np.bool_] | None = None) -> str:
    """Of the grid; `full` is as high as the panel."""
    inside = (GRID >= LEFT) & (GRID <= RIGHT) & (True if where is None else where)
    points = " ".join(
        f"{across(x):.1f},{238 - 205 * height / full:.1f}"
        for x, height in zip(GRID[inside], heights[inside], strict=True)
    )
    return f'<polyline points="{points}" {style}/>'


def arrows(stage: Stage) -> str:
    """From z on the lower line to x on the upper: where they lie close, samples do."""
    upper, lower = 252, 312
    lines = "".join(
        f'<line x1="{across(start):.1f}" y1="{lower}" x2="{across(end):.1f}" y2="{upper}" stroke="#555" '
        'stroke-width="0.8" marker-end="url(#tip)"/>'
        for start, end in zip(stage.starts, stage.ends, strict=True)
        if LEFT < end < RIGHT
    )
    rule = "".join(
        f'<line x1="0" y1="{y}" x2="{WIDE}" y2="{y}" stroke="black"/><text x="{WIDE - 2}" y="{y + 15}" '
        f'text-anchor="end" font-style="italic">{name}</text>'
        for y, name in ((upper, "x"), (lower, "z"))
    )
    tip = (
        '<marker id="tip" markerWidth="7" markerHeight="7" refX="6" refY="3" orient="auto">'
        '<path d="M0,0 L6,3 L0,6 z" fill="#555"/></marker>'
    )
    return f"<defs>{tip}</defs>{rule}{lines}"


def legend(y: float) -> str:
    """What the lines are."""
    places = (30, 190, 370, 560)
    return "".join(
        f'<line x1="{x}" y1="{y}" x2="{x + 34}" y2="{y}" {style}/><text x="{x + 42}" y="{y + 4}">{name}</text>'
        for x, (name, style) in zip(places, CURVES.items(), strict=True)
    )


def main(options: Options) -> None:
    torch.set_num_threads(1)
    torch.manual_seed(options.seed)
    for line in known_generators():
        print(line)
    found = list(stages())
    print("\n".join(["", *map(told, found)]))
    if options.picture is not None:
        from resvg_py import svg_to_bytes

        options.picture.parent.mkdir(parents=True, exist_ok=True)
        options.picture.write_bytes(bytes(svg_to_bytes(svg_string=figure(found))))


if __name__ == "__main__":
    main(tyro.cli(Options))
