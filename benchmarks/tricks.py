"""What makes training faster (or smaller), each to be had alone and to be taken away.

To try another, add a line to `TRICKS`.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any, Final

from torch import nn

from translate.networks.few_pixels import FewPixelsConv2d, FewPixelsConvTranspose2d
from translate.networks.instance_norm import InstanceNorm2d
from translate.recipe import Recipe


@dataclass(frozen=True, kw_only=True)
class Contender:
    """The library in one setting."""

    recipe: Recipe[Any]
    torchs_own: frozenset[type[nn.Module]] = frozenset()
    """The library's layers whose place torch's own take: no option does just that."""


Change = Callable[[Contender], Contender]


@dataclass(frozen=True, kw_only=True)
class Trick:
    """One thing that makes training faster, or takes time for memory, and the option by which people switch it off."""

    words: str
    option: str
    on: Change
    off: Change
    systems: tuple[str, ...] = ("pix2pix", "cyclegan", "compact")
    """Where it changes anything."""


def _recipe(change: Callable[[Recipe[Any]], Recipe[Any]]) -> Change:
    return lambda contender: replace(contender, recipe=change(contender.recipe))


def _layers(*kinds: type[nn.Module]) -> tuple[Change, Change]:
    """With the library's own layers of these kinds, and with torch's."""

    def ours(contender: Contender) -> Contender:
        return replace(contender, torchs_own=contender.torchs_own.difference(kinds))

    def torchs(contender: Contender) -> Contender:
        return replace(contender, torchs_own=contender.torchs_own.union(kinds))

    return ours, torchs


def _with_fused(recipe: Recipe[Any], fused: bool) -> Recipe[Any]:
    optimisers = {name: replace(optimiser, fused=fused) for name, optimiser in recipe.optimisers.items()}
    return replace(recipe, optimisers=optimisers)


_OUR_NORM, _TORCHS_NORM = _layers(InstanceNorm2d)
_OUR_CONVOLUTIONS, _TORCHS_CONVOLUTIONS = _layers(FewPixelsConv2d, FewPixelsConvTranspose2d)
COMPILED: Final = "compiled"
TRICKS: tuple[Trick, ...] = (
    Trick(
        words="bf16",
        option="--precision fp32",
        on=_recipe(lambda recipe: replace(recipe, precision="bf16")),
        off=_recipe(lambda recipe: replace(recipe, precision="fp32")),
    ),
    Trick(
        words="channels-last",
        option="--layout plain",
        on=_recipe(lambda recipe: replace(recipe, layout="channels-last")),
        off=_recipe(lambda recipe: replace(recipe, layout="plain")),
    ),
    Trick(
        words="instance norm in place",
        option="--layout plain",
        on=_OUR_NORM,
        off=_TORCHS_NORM,
        systems=("pix2pix", "cyclegan"),
    ),
    Trick(
        words="few pixels as products",
        option="--layout plain",
        on=_OUR_CONVOLUTIONS,
        off=_TORCHS_CONVOLUTIONS,
        systems=("pix2pix",),
    ),
    Trick(
        words="fused optimiser",
        option="--optimisers.NETWORK.no-fused",
        on=_recipe(lambda recipe: _with_fused(recipe, True)),
        off=_recipe(lambda recipe: _with_fused(recipe, False)),
    ),
    Trick(
        words="recompute",
        option="--no-recompute",
        on=_recipe(lambda recipe: replace(recipe, recompute=True)),
        off=_recipe(lambda recipe: replace(recipe, recompute=False)),
    ),
    Trick(
        words=COMPILED,
        option="--no-compile",
        on=_recipe(lambda recipe: replace(recipe, compile=True)),
        off=_recipe(lambda recipe: replace(recipe, compile=False)),
    ),
)


def plain(contender: Contender) -> Contender:
    """With every trick off."""
    for trick in TRICKS:
        contender = trick.off(contender)
    return contender


def alone(trick: Trick) -> str:
    return f"{trick.words} alone"


def is_on(trick: Trick, contender: Contender) -> bool:
    return trick.on(contender) == contender


def switched(trick: Trick, shipped: Contender) -> str:
    """The name of what ships but for this trick."""
    return f"library {'without' if is_on(trick, shipped) else 'with'} {trick.words}"
