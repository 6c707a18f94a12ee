"""The options that all commands share which run pictures through a model."""

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal

import tyro

from pipelines.batch.reading import MAX_PIXELS
from pipelines.batch.results import Format
from pipelines.large import Tiles
from pipelines.load import Device, load, require_translator
from pipelines.running.progress import TileProgress
from pipelines.runs import RUNS
from pipelines.tasks import Translate
from translate.data.carried import Alpha
from translate.runtime.bound import Binding
from translate.runtime.openvino_model import Compute


@dataclass(frozen=True, kw_only=True)
class Handling:
    """Where a model runs, and how pictures are read and written."""

    runs: Annotated[Path, tyro.conf.arg(metavar="DIR")] = RUNS
    """Folder of the runs."""
    device: Device = "auto"
    """Where to compute; auto takes CUDA where there is one. tensorrt and openvino run .onnx files."""
    compute: Compute = "fp32"
    """What layers compute in; bf16 is for openvino, on CPUs that have it: faster, and less exact."""
    bind: Binding = "no"
    """Of an .onnx file on cpu, cuda or tensorrt, for a folder of pictures of few sizes. yes: inputs and outputs keep
    their places on the device; graphs: CUDA replays each size as one graph."""
    fidelity: Annotated[
        float | None, tyro.conf.arg(metavar="0..1", help_behavior_hint="(default: NAME.onnx as it is)")
    ] = None
    """Where NAME-perceptual.onnx lies beside NAME.onnx: 1 is true to the pixels, 0 looks sharpest; between them the
    weights are mixed."""
    file_format: Annotated[Literal["auto", "png", "webp", "jpg", "tiff"], tyro.conf.arg(name="format")] = "auto"
    """Of the results; auto: what the ending of OUT says, or png. All but jpg are lossless."""
    alpha: Alpha = "keep"
    """The model sees transparent pictures on white. keep: the white is taken out again and their transparency put back
    on the result (enlarged with it), where that has 1 or 3 channels and a format that knows it (not jpg). white: opaque
    results."""
    max_pixels: Annotated[int, tyro.conf.arg(metavar="N")] = MAX_PIXELS
    """Pictures with more pixels than this are refused."""
    tile_px: Annotated[
        int | None,
        tyro.conf.arg(
            metavar="PX", help_behavior_hint="(default: 512, where the whole picture would take more than 2 GB)"
        ),
    ] = None
    """Side of the tiles that large pictures are run in, by an .onnx file; the result is that of the whole picture."""
    scratch: Annotated[
        Path | None, tyro.conf.arg(metavar="DIR", help_behavior_hint="(default: the system's temporary folder)")
    ] = None
    """Where tiles keep what waits on disk (models with instance norm; how much is said)."""
    batch: Annotated[
        int | None, tyro.conf.arg(metavar="N", help_behavior_hint="(default: 1 on a CPU, up to 8 on a GPU)")
    ] = None
    """Pictures of one size that go through the model together, in a folder."""

    @property
    def asked_format(self) -> Format | None:
        """The format that was asked for, if any."""
        return None if self.file_format == "auto" else self.file_format

    def open(self, name: str, *, shows_tiles: bool, direction: str | None = None) -> Translate:
        """The model of that name, file or run, that turns pictures into pictures. Raises as `load`."""
        progress = TileProgress() if shows_tiles else None
        pipeline = load(
            name,
            direction=direction,
            device=self.device,
            compute=self.compute,
            binding=self.bind,
            fidelity=self.fidelity,
            runs=self.runs,
            tiles=Tiles(tile_px=self.tile_px, scratch=self.scratch, progress=progress),
        )
        return require_translator(pipeline, name)
