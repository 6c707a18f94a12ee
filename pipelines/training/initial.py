"""Fine-tuning: the initial weights are another run's."""

from collections.abc import Mapping
from pathlib import Path

from torch import Tensor

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
        told = _difference({**found, **own}, method.state()) or str(problem).partition("\n")[0]
        raise ConfigurationError(
            f"--start-from {run}: its networks are not those of this recipe ({told}); "
            "train with the same method, widths and channels"
        ) from problem


def _difference(there: Mapping[str, Tensor], here: Mapping[str, Tensor]) -> str:
    """The first tensor that is another one or lacking, and how many more; "" where all agree."""
    shapes = [{key: " x ".join(map(str, tensor.shape)) for key, tensor in state.items()} for state in (there, here)]
    keys = [key for key in {**here, **there} if shapes[0].get(key) != shapes[1].get(key)]
    if not keys:
        return ""
    theirs, ours = (shape.get(keys[0], "none") for shape in shapes)
    return f"{keys[0]}: {theirs} there, {ours} here; {len(keys) - 1} more"


def _network(key: str) -> str:
    return key.partition(".")[0]
