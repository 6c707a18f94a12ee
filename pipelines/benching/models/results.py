"""What came out: each way with its times by size, and which of them to use."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from math import exp, log

from pipelines.benching.models.probe import Fresh
from pipelines.benching.models.ways import Way
from pipelines.benching.timing import Timing
from translate.card import Card
from translate.export.agreement import Agreement


@dataclass(frozen=True, kw_only=True)
class Stream:
    """Many pictures of one size: how many go through together at best, and how many a second that makes."""

    batch: int
    pictures_per_sec: float


@dataclass(frozen=True, kw_only=True)
class Row:
    """One way. `single` and `stream` are by the side of the pictures in pixels.

    `agreement` is how far its picture is from the reference's, and `beyond` what of that breaks the bar.
    """

    way: Way
    card: Card
    load_sec: float
    single: Mapping[int, Timing]
    stream: Mapping[int, Stream]
    agreement: Agreement | None = None
    beyond: Sequence[str] = ()
    fresh: Fresh | None = None


@dataclass(frozen=True, kw_only=True)
class ModelResults:
    """All ways of one model; `missing` are engines that are not here, `failed` what did not work, in words."""

    model: str
    picture: str
    sizes_px: Sequence[int]
    rows: Sequence[Row]
    missing: Sequence[str] = field(default_factory=tuple)
    failed: Sequence[str] = field(default_factory=tuple)

    @property
    def base(self) -> Row | None:
        """What times are given over: the first way, which is ONNX Runtime in fp32 on the CPU where that is there."""
        return self.rows[0] if self.rows else None

    @property
    def quickest(self) -> Row | None:
        """Least time for one picture, over all sizes that every way was measured at; none that breaks its bar."""
        return self._best(lambda row, side_px: row.single[side_px].median_sec)

    @property
    def most(self) -> Row | None:
        """Most pictures a second, likewise."""
        return self._best(lambda row, side_px: 1 / row.stream[side_px].pictures_per_sec, streams=True)

    def gain(self, row: Row, side_px: int) -> float | None:
        """Times as fast as the base, for one picture of a size."""
        base = self.base
        if base is None or side_px not in base.single or side_px not in row.single:
            return None
        return base.single[side_px].median_sec / row.single[side_px].median_sec

    def _best(self, cost: "Cost", *, streams: bool = False) -> Row | None:
        rows = [row for row in self.rows if not row.beyond and row.single]
        if not rows:
            return None
        measured = [set(row.stream if streams else row.single) for row in rows]
        common = sorted(set[int].intersection(*measured))
        if not common:
            return None
        return min(rows, key=lambda row: exp(sum(log(cost(row, side_px)) for side_px in common) / len(common)))


Cost = Callable[[Row, int], float]
"""Seconds of a way at a size."""
