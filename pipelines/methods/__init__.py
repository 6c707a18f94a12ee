"""One file a method; the module's name is the method's name. Found by looking, imported on demand."""

import importlib
import inspect
import pkgutil
from difflib import get_close_matches
from typing import TYPE_CHECKING

from translate.errors import ConfigurationError

if TYPE_CHECKING:
    from translate.method import Method


def method_names() -> list[str]:
    """The names of all methods."""
    return sorted(module.name for module in pkgutil.iter_modules(__path__))


def method_class(name: str) -> "type[Method]":
    """The method of that name: the one Method class that its module defines.

    Raises ConfigurationError with the nearest name for a name that no module has.
    """
    if name not in method_names():
        near = get_close_matches(name, method_names(), n=1)
        hint = f"did you mean {near[0]}?" if near else f"there are {', '.join(method_names())}"
        raise ConfigurationError(f"There is no method {name!r}; {hint}")
    from translate.method import Method

    module = importlib.import_module(f"{__name__}.{name}")
    own = [
        value
        for value in vars(module).values()
        if inspect.isclass(value) and issubclass(value, Method) and value.__module__ == module.__name__
    ]
    if len(own) != 1:
        raise TypeError(f"pipelines/methods/{name}.py must define one Method, it defines {len(own)}")
    return own[0]
