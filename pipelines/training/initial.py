"""Fine-tuning: the initial weights are another run's."""

from pathlib import Path

from pipelines.runs import RunFolder, find_run
from pipelines.trained import best_snapshot
from translate.averaging import load_deployed
from translate.checkpoint import AVERAGED, NETWORKS
from translate.errors import ConfigurationError
from translate.method import Method


def start_from(method: Method, run: str) -> None:
    """Load a run's best weights: averaged ones for what users get, trained ones for the rest (discriminators).

    Raises ConfigurationError where the run's networks are other ones than the method's.
    """
    folder: RunFolder = find_run(Path(run))
    snapshot = best_snapshot(folder)
    pools = {key: value for key, value in method.state().items() if key.partition(".")[0] not in method.networks()}
    try:
        method.load_state({**snapshot.tensors[NETWORKS], **pools})
        load_deployed(method, dict(snapshot.tensors[AVERAGED]))
    except (KeyError, RuntimeError) as problem:
        raise ConfigurationError(
            f"--start-from {run}: its networks are not those of this recipe ({problem}); "
            "train with the same method, widths and channels"
        ) from problem
