"""`pixturn app [MODEL ...]`: the page in the browser, with every bundle and one's own models."""

import signal
import sys
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import FrameType
from typing import Annotated

import tyro
from rich.console import Console

from pipelines.page import Device, serve
from pipelines.page.serving.settings import ServingSettings
from pipelines.runs import RUNS


@dataclass(frozen=True, kw_only=True)
class AppOptions:
    """Opens a page on this machine: larger, repaired or coloured pictures, samples, and one's own models.

    Its controls follow from the models' cards, so a model of one's own (pixturn export) appears without a line of code.
    """

    models: Annotated[
        tuple[Path, ...],
        tyro.conf.Positional,
        tyro.conf.arg(metavar="[MODEL ...]", help_behavior_hint="(default: the bundles alone)"),
    ] = ()
    """Further models: .onnx files, or folders of them."""
    runs: Annotated[Path, tyro.conf.arg(metavar="DIR")] = RUNS
    """Folder whose bundles are on the page."""
    device: Device = "auto"
    """Where to compute; auto takes CUDA where there is one."""
    serving: Annotated[ServingSettings, tyro.conf.arg(name="")] = field(default_factory=ServingSettings)


def main(arguments: Sequence[str]) -> int:
    """Run the command, until Ctrl-C or SIGTERM."""
    options = tyro.cli(AppOptions, prog="pixturn app", args=list(arguments))
    served = serve(options.models, runs=options.runs, device=options.device, settings=options.serving)

    def end(_number: int, _frame: FrameType | None) -> None:
        raise SystemExit(0)  # closing here could wait for a lock that the main thread holds

    try:
        signal.signal(signal.SIGTERM, end)
        Console(file=sys.stdout).print(f"The page is at {served.url} (Ctrl-C ends it)", highlight=False)
        served.wait()
    finally:
        served.close()
    return 0
