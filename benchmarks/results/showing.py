"""Which cases are shown, by rule, and how: those at three percentiles of the gain, as each contestant answers them."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Generic

from PIL import Image

from benchmarks.results.contact_sheet import Cell, Row, busiest, contact_sheet
from benchmarks.results.contest import Answers, Case, Given
from benchmarks.results.photos import Pixels
from benchmarks.results.standings import Column, Standing, by_rank

SHARES: Mapping[float, str] = {0.1: "10th percentile", 0.5: "median", 0.9: "90th percentile"}
Window = tuple[slice, slice]


def whole(pixels: Pixels) -> Window:
    """All of it."""
    return slice(0, pixels.shape[0]), slice(0, pixels.shape[1])


def busiest_of(side_px: int) -> Callable[[Pixels], Window]:
    """The window of this side with the largest variance."""
    return partial(busiest, side_px=side_px)


@dataclass(frozen=True, kw_only=True, eq=False)
class Showing(Generic[Given]):
    """How a case is drawn.

    Attributes:
        gain: what the cases are ordered by, in words.
        figure: what stands under each picture.
        given: what contestants were given, as a picture; None: it is not shown.
        window: which part of a photo is shown.
        enlarge: how often each pixel is repeated.
    """

    gain: str
    figure: Column
    given: Callable[[Given], Pixels] | None = None
    window: Callable[[Pixels], Window] = whole
    enlarge: int = 1

    def sheet(
        self,
        cases: Sequence[Case[Given]],
        gains: Sequence[float],
        players: Answers[Given],
        standings: Sequence[Standing],
    ) -> Image.Image:
        """The cases that the rule chooses, from the least gain to the largest; `gains` has one number a case."""
        rows: list[Row] = []
        for share, words in SHARES.items():
            index = by_rank(gains, share)
            title = f"{words} of {self.gain} ({gains[index]:+.{self.figure.digits}f}): {cases[index].key}"
            figures = {standing.name: standing.each[self.figure.key][index] for standing in standings}
            rows.append(Row(title=title, cells=self._cells(cases[index], players, figures)))
        return contact_sheet(rows, enlarge=self.enlarge)

    def _cells(self, case: Case[Given], players: Answers[Given], figures: Mapping[str, float]) -> list[Cell]:
        window = self.window(case.truth)
        cells = [Cell(picture=case.truth[window], words=("photo",))]
        if self.given is not None:
            cells.append(Cell(picture=self.given(case.given)[window], words=("given",)))
        for name, answer in players.items():
            words = name, f"{figures[name]:.{self.figure.digits}f}"
            cells.append(Cell(picture=answer(case.given)[window], words=words))
        return cells
