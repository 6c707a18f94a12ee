"""`pixturn report NAME`: score a run's held-out pictures now, and write its report."""

import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import tyro
from rich.console import Console

from pipelines.evaluating.watching import watched
from pipelines.runs import RUNS, find_run
from pipelines.training.reporting import tell_outcome, write_run_report
from translate.devices import DeviceName, pick_device


@dataclass(frozen=True, kw_only=True)
class ReportOptions:
    """Scores the best weights of a run, finished or not, beside trivial baselines, and writes its report.html."""

    name: Annotated[str, tyro.conf.Positional, tyro.conf.arg(metavar="NAME")]
    """Name or folder of the run."""
    runs: Annotated[Path, tyro.conf.arg(metavar="DIR")] = RUNS
    """Folder of the runs."""
    device: DeviceName = "auto"
    """Where to compute; auto takes CUDA where there is one."""


def main(arguments: Sequence[str]) -> int:
    """Run the command."""
    options = tyro.cli(ReportOptions, prog="pixturn report", args=list(arguments))
    folder = find_run(options.name, options.runs)
    with watched() as progress:
        report = write_run_report(folder, device=pick_device(options.device), progress=progress)
    tell_outcome(report, folder, Console(file=sys.stdout))
    return 0
