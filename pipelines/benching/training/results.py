"""What came out: each setting with its times, what could not be measured and why, and which setting to use."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from pipelines.benching.timing import Timing
from pipelines.benching.training.settings import TrainingSetting

PATIENCE_SEC = 3600.0
"""Training by which compiling must have paid, to be recommended."""
_WORTH_ANOTHER_BATCH = 1.05
"""Times faster that a batch of another size must be, to be recommended: it learns otherwise."""


@dataclass(frozen=True, kw_only=True)
class Row:
    """One setting. `compile_sec` is what its first iterations took beyond the usual, where it was compiled."""

    setting: TrainingSetting
    timing: Timing
    compile_sec: float = 0.0
    memory_bytes: int | None = None

    @property
    def pictures_per_sec(self) -> float:
        """Training samples a second, once it runs."""
        return self.setting.batch_size / self.timing.median_sec


@dataclass(frozen=True, kw_only=True)
class Failed:
    """A setting that was not measured, and why, in words."""

    setting: str
    reason: str


@dataclass(frozen=True, kw_only=True)
class TrainingResults:
    """All settings of one recipe; `plain` and `usual` are fp32 in plain layout, and what a run takes without options.

    `all_threads` are those that a run takes if it is not told.
    """

    recipe: str
    device: str
    plain: TrainingSetting
    usual: TrainingSetting
    all_threads: int
    rows: Sequence[Row]
    failed: Sequence[Failed] = field(default_factory=tuple)

    def row(self, setting: TrainingSetting) -> Row | None:
        """That of a setting; None where it was not measured."""
        return next((row for row in self.rows if row.setting == setting), None)

    @property
    def base(self) -> Row | None:
        """What times are given over: the plain setting, or the slowest of what ran where that did not."""
        return self.row(self.plain) or min(self.rows, key=lambda row: row.pictures_per_sec, default=None)

    def gain(self, row: Row) -> float:
        """Times as many pictures a second as the base."""
        base = self.base
        return row.pictures_per_sec / base.pictures_per_sec if base else 1.0

    def pays_after_images(self, row: Row) -> float | None:
        """Images until a compiled row has made up for compiling, against the same uncompiled, or the base.

        None where it never does, or was not compiled.
        """
        if not row.setting.compile or self._eager_of(row) is None:
            return None
        eager = self._eager_of(row)
        saved_sec = 1 / eager.pictures_per_sec - 1 / row.pictures_per_sec if eager else 0.0
        return row.compile_sec / saved_sec if saved_sec > 0 else None

    @property
    def fastest(self) -> Row | None:
        """The setting to use: most pictures a second among those that pay, preferring the recipe's own batch size."""
        rows = [row for row in self.rows if self._pays(row)]
        fastest = max(rows, key=lambda row: row.pictures_per_sec, default=None)
        same = self.fastest_at_own_batch
        if fastest is None or same is None:
            return fastest
        return fastest if fastest.pictures_per_sec >= _WORTH_ANOTHER_BATCH * same.pictures_per_sec else same

    @property
    def fastest_at_own_batch(self) -> Row | None:
        """The setting to use where the batch size is to stay."""
        rows = [row for row in self.rows if row.setting.batch_size == self.plain.batch_size and self._pays(row)]
        return max(rows, key=lambda row: row.pictures_per_sec, default=None)

    def _pays(self, row: Row) -> bool:
        if not row.setting.compile:
            return True
        images = self.pays_after_images(row)
        return images is not None and images / row.pictures_per_sec <= PATIENCE_SEC

    def _eager_of(self, row: Row) -> Row | None:
        """The fastest that is not compiled, of the same batch size."""
        rows = [each for each in self.rows if not each.setting.compile]
        same = [each for each in rows if each.setting.batch_size == row.setting.batch_size]
        return max(same, key=lambda each: each.pictures_per_sec, default=None)
