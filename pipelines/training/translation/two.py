"""A recipe's two domains, for what works with two."""

from typing import Any

from translate.card import PicturePort, picture_ports
from translate.data.domains import TwoDomains
from translate.recipe import Recipe


def two_domains(recipe: Recipe[Any]) -> TwoDomains:
    """What the recipe says of its two domains. Raises TypeError for a recipe of another kind."""
    if not isinstance(recipe.domains, TwoDomains):
        raise TypeError(f"{recipe.method} does not learn from two domains")
    return recipe.domains


def domain_ports(recipe: Recipe[Any]) -> dict[str, tuple[PicturePort, ...]]:
    """The ports of both domains."""
    return {name: picture_ports(ports) for name, ports in two_domains(recipe).ports().items()}
