"""`load(path)`: from a trained run to something that takes a picture and gives one."""

from pathlib import Path
from typing import Literal

from pipelines.runs import RUNS, find_run
from pipelines.tasks import TASKS, Translate

Device = Literal["auto", "cpu", "cuda", "mps"]


def load(path: str | Path, *, direction: str | None = None, device: Device = "auto", runs: Path = RUNS) -> Translate:
    """The pipeline for a trained run: its best weights, ready to be called with a picture.

    Args:
        path: the run's folder, or its name in `runs`.
        direction: which of the model's networks: AtoB (the first, if None), BtoA where the method has it.
        device: where to compute.
        runs: folder of the runs.

    Raises:
        ModelError: there is no such run, or it is damaged.
        ConfigurationError: the method has no such direction.
        DeviceError: the device is not there.
    """
    folder = find_run(path, runs)
    # Only a run's own checkpoint needs torch, so only it is imported here.
    from pipelines.trained import Trained
    from translate.devices import pick_device

    runtime = Trained.read(folder).runtime(direction, pick_device(device))
    return TASKS[runtime.card.task](runtime)
