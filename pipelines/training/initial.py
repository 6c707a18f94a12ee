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

    A network that the run had none of begins as it is: the discriminator of a second stage after one without.
    Raises ConfigurationError where the run's networks are other ones than the method's.
    """
    folder: RunFolder = find_run(Path(run))
    snapshot = best_snapshot(folder)
    found = snapshot.tensors[NETWORKS]
    theirs = {_network(key) for key in found}
    # Pools are not carried over.
    own = {key: value for key, value in method.state().items() if _network(key) not in theirs & set(method.networks())}
    try:
        method.load_state({**found, **own})
        load_deployed(method, dict(snapshot.tensors[AVERAGED]))
    except (KeyError, RuntimeError) as problem:
        raise ConfigurationError(
            f"--start-from {run}: its networks are not those of this recipe ({problem}); "
            "train with the same method, widths and channels"
        ) from problem


def _network(key: str) -> str:
    return key.partition(".")[0]
