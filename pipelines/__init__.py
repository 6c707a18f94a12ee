"""Parts assembled into methods, tasks and the command.

`pipelines.train(recipe, data, name=...)`, `pipelines.resume(name)`, `pipelines.recipe(name)`, and
`pipelines.load(path)(image)`. Training needs torch and is imported when it is first asked for.
"""

from typing import TYPE_CHECKING, Any

from pipelines.load import load

if TYPE_CHECKING:
    from pipelines.recipes import recipe_named as recipe
    from pipelines.training import Setting, resume, train

__all__ = ["Setting", "load", "recipe", "resume", "train"]


def __getattr__(name: str) -> Any:  # noqa: ANN401 - whatever the module has under that name
    if name == "recipe":
        from pipelines.recipes import recipe_named

        return recipe_named
    if name in __all__:
        import pipelines.training

        return getattr(pipelines.training, name)
    raise AttributeError(f"module 'pipelines' has no attribute {name!r}")
