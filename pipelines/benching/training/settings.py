"""What a training run may set to be faster, and the command line that says so."""

from dataclasses import dataclass, replace
from typing import Any

from translate.recipe import Layout, Precision, RateRule, Recipe

RATE_RULE: RateRule = "linear"
"""The rule that kept quality where it was measured (docs/benchmarks.md, Equal quality), with a warm-up."""


@dataclass(frozen=True, kw_only=True)
class TrainingSetting:
    """Arithmetic, order in memory, compiler, threads and batch size of one way to train a recipe."""

    precision: Precision
    layout: Layout
    compile: bool
    threads: int
    batch_size: int

    @classmethod
    def of(cls, recipe: Recipe[Any]) -> "TrainingSetting":
        """What a recipe without `auto` says."""
        return cls(
            precision=recipe.precision,
            layout="plain" if recipe.layout == "auto" else recipe.layout,
            compile=recipe.compile,
            threads=recipe.threads,
            batch_size=recipe.batch_size,
        )

    def applied(self, recipe: Recipe[Any]) -> Recipe[Any]:
        """The recipe with this setting."""
        return replace(
            recipe,
            precision=self.precision,
            layout=self.layout,
            compile=self.compile,
            cuda_graphs=recipe.cuda_graphs and self.compile,
            threads=self.threads,
            batch_size=self.batch_size,
        )

    @property
    def words(self) -> str:
        """For a line of a table."""
        compiled = ", compiled" if self.compile else ""
        threads = f", {self.threads} thread{'s' if self.threads > 1 else ''}" if self.threads else ""
        return f"{self.precision}, {self.layout}{compiled}{threads}"

    def options(self, recipe: Recipe[Any], *, all_threads: int) -> list[str]:
        """The options of `pixturn train` that make a named recipe train so.

        Args:
            recipe: as its name gives it.
            all_threads: those that a run takes if it is not told.
        """
        given = ["--precision", self.precision, "--layout", self.layout]
        if self.compile != recipe.compile:
            given.append("--compile" if self.compile else "--no-compile")
        if self.threads not in (0, recipe.threads or all_threads):
            given += ["--threads", str(self.threads)]
        if self.batch_size != recipe.batch_size:
            given += ["--batch-size", str(self.batch_size), "--rate-rule", RATE_RULE]
            given += ["--rate-batch", str(recipe.batch_size)]
        return given
