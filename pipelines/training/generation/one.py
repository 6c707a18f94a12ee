"""A recipe's one domain, for what works with one."""

from typing import Any

from translate.card import Picture, Vector
from translate.data.domains import OneDomain, X
from translate.recipe import Recipe


def one_domain(recipe: Recipe[Any]) -> OneDomain:
    """What the recipe says of its domain. Raises TypeError for a recipe of another kind."""
    if not isinstance(recipe.domains, OneDomain):
        raise TypeError(f"{recipe.method} does not learn from one domain")
    return recipe.domains


def sample_port_of(domain: OneDomain) -> Picture | Vector:
    """What a sample is. Raises ConfigurationError while that is open."""
    (port,) = domain.ports()[X]
    assert isinstance(port, Picture | Vector)
    return port
