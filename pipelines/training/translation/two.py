"""A recipe's two domains, for what works with two: both in the data set, or one made from the other."""

from typing import Any

from translate.card import PicturePort, picture_ports
from translate.data.domains import MadePairs, TwoDomains
from translate.recipe import Recipe


def two_domains(recipe: Recipe[Any]) -> TwoDomains | MadePairs:
    """What the recipe says of its two domains. Raises TypeError for a recipe of another kind."""
    if not isinstance(recipe.domains, TwoDomains | MadePairs):
        raise TypeError(f"{recipe.method} does not learn from two domains")
    return recipe.domains


def stored_ports(recipe: Recipe[Any]) -> dict[str, tuple[PicturePort, ...]]:
    """The ports of the domains that lie in the data set."""
    return {name: picture_ports(ports) for name, ports in two_domains(recipe).stored().items()}
