"""Where samples of generators stand: pictures in a gallery, points in a plot."""

from dataclasses import dataclass
from typing import Any, Final, Protocol

import gradio as gr
import numpy as np
import pandas as pd
from numpy.typing import NDArray

from pipelines.page.again import Drawn
from pipelines.page.bench import Bench
from pipelines.page.jobs import Job
from pipelines.page.models import Offer
from pipelines.page.sampling import Sampled, SampledPoints, sample, sample_points
from pipelines.page.tabs.parts import Anew, Update, anew, download, downloading, status, told

_PLOT_PX: Final = 460
_ACROSS: Final = "x 1"
_UP: Final = "x 2"


class Result(Protocol):
    """Where samples stand."""

    @property
    def status(self) -> gr.HTML:
        """The line that tells what went on."""
        ...

    @property
    def components(self) -> list[Any]:
        """All that changes."""
        ...

    def made(self, offer: Offer, drawn: Drawn, bench: Bench, job: Job) -> Update:
        """Make samples; gives what to put there. Raises as `pipelines.page.sampling` does."""
        ...


@dataclass(frozen=True, kw_only=True)
class Pictures:
    """A gallery, and all of them as an archive."""

    status: gr.HTML
    gallery: gr.Gallery
    download: gr.DownloadButton
    anew: Anew

    @property
    def components(self) -> list[Any]:
        """All that changes."""
        return [self.status, self.gallery, self.download, *self.anew.components]

    def made(self, offer: Offer, drawn: Drawn, bench: Bench, job: Job) -> Update:
        """As `Result.made`."""
        return self._showing(sample(offer, drawn, bench, job))

    def _showing(self, made: Sampled) -> Update:
        return {
            self.status: told(made.told),
            self.gallery: gr.update(value=[(str(path), name) for path, name in made.pictures], visible=True),
            self.download: downloading(made.archive),
            **self.anew.showing(made.again),
        }


@dataclass(frozen=True, kw_only=True)
class Points:
    """A plot of the first two numbers, and all of them as a file."""

    status: gr.HTML
    plot: gr.ScatterPlot
    download: gr.DownloadButton
    anew: Anew

    @property
    def components(self) -> list[Any]:
        """All that changes."""
        return [self.status, self.plot, self.download, *self.anew.components]

    def made(self, offer: Offer, drawn: Drawn, bench: Bench, job: Job) -> Update:
        """As `Result.made`."""
        return self._showing(sample_points(offer, drawn, bench, job))

    def _showing(self, made: SampledPoints) -> Update:
        return {
            self.status: told(made.told),
            self.plot: gr.update(value=_places(made.points), visible=True),
            self.download: downloading(made.file),
            **self.anew.showing(made.again),
        }


def pictures() -> Pictures:
    """To be called where Gradio's blocks are put together."""
    gallery = gr.Gallery(
        label="Samples",
        show_label=False,
        columns=4,
        height="auto",
        object_fit="contain",
        interactive=False,
        visible=False,
        format="png",
        elem_classes="samples",
        buttons=["fullscreen"],
    )
    return Pictures(gallery=gallery, status=status("Samples appear here."), download=download(), anew=anew())


def points() -> Points:
    """To be called where Gradio's blocks are put together."""
    line = status("Points appear here.")
    plot = gr.ScatterPlot(
        x=_ACROSS,
        y=_UP,
        height=_PLOT_PX,
        visible=False,
        show_label=False,
        buttons=["fullscreen"],
        elem_classes="chart",
    )
    return Points(status=line, plot=plot, download=download(), anew=anew())


def _places(points: NDArray[np.float32]) -> pd.DataFrame:
    """The first two numbers of each; single numbers are drawn one above the other."""
    up = points[:, 1] if points.shape[1] > 1 else np.linspace(0.0, 1.0, len(points))
    return pd.DataFrame({_ACROSS: points[:, 0], _UP: up})
