"""Parts assembled into methods, tasks and the command.

`pipelines.train(recipe, data, name=...)`, `pipelines.resume(name)`, `pipelines.recipe(name)`, `pipelines.export(name)`,
`pipelines.import_weights(files, out)`, `pipelines.load(path)(image)`, `pipelines.load(path)(64, seed=7)` of a generator
(`pipelines.Generate`), `pipelines.run_folder(load(path), folder, out)`, `pipelines.evaluate(made, real)` and
`pipelines.drift(training, production)`. What needs torch is imported when it is first asked for.
"""

import importlib
from typing import TYPE_CHECKING, Any, Final

from pipelines.batch import run_folder
from pipelines.generating import Generate
from pipelines.load import load

if TYPE_CHECKING:
    from pipelines.evaluating import drift, evaluate
    from pipelines.exporting import export
    from pipelines.importing import import_weights
    from pipelines.recipes import recipe_named as recipe
    from pipelines.training import Setting, resume, train

__all__ = [
    "Generate",
    "Setting",
    "drift",
    "evaluate",
    "export",
    "import_weights",
    "load",
    "recipe",
    "resume",
    "run_folder",
    "train",
]


_NEED_TORCH: Final[dict[str, tuple[str, str]]] = {
    "Setting": ("pipelines.training", "Setting"),
    "drift": ("pipelines.evaluating", "drift"),
    "evaluate": ("pipelines.evaluating", "evaluate"),
    "export": ("pipelines.exporting", "export"),
    "import_weights": ("pipelines.importing", "import_weights"),
    "recipe": ("pipelines.recipes", "recipe_named"),
    "resume": ("pipelines.training", "resume"),
    "train": ("pipelines.training", "train"),
}
"""Where the names are that need torch: module, and name in it."""


def __getattr__(name: str) -> Any:  # noqa: ANN401 - whatever the module has under that name
    if name not in _NEED_TORCH:
        raise AttributeError(f"module 'pipelines' has no attribute {name!r}")
    module, attribute = _NEED_TORCH[name]
    return getattr(importlib.import_module(module), attribute)
