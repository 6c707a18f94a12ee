"""An engine's whole state as a snapshot, and back: what makes a resumed run bit-identical to one that never stopped.

Networks, replay pools, averages, both moments of every Adam, the scaler, how far the run is, and all random states
of every process. Learning rates and the order of pictures follow from the recipe and the position.
"""

import json
from collections.abc import Mapping
from typing import Any

import torch
from safetensors.torch import load as load_tensors
from safetensors.torch import save as save_tensors
from torch import Tensor

from translate.averaging import load_deployed
from translate.engine import Engine
from translate.errors import ModelError
from translate.method import Method
from translate.random_state import RandomState, capture, restore
from translate.runtime.failures import is_out_of_memory
from translate.stepping import begin_momentum
from translate.storage.snapshot import Snapshot

NETWORKS = "networks"
AVERAGED = "averaged"
OPTIMISERS = "optimisers"
PROGRESS = "progress"
_DOCUMENT = "document"


def snapshot_of(engine: Engine, documents: Mapping[str, Any]) -> Snapshot | None:
    """The engine's state at the first process, None at the others; `documents` are stored beside it.

    Raises DivergedError where a weight is not finite.
    """
    engine.refuse_bad_weights()
    states = [load_tensors(state) for state in engine.processes.gather(_process_state(engine))]
    if not engine.processes.is_first:
        return None
    groups = {NETWORKS: engine.method.state(), OPTIMISERS: _optimiser_tensors(engine)}
    groups[AVERAGED] = engine.averaged.tensors()
    random = [json.loads(state.pop(_DOCUMENT).numpy().tobytes()) for state in states]
    return Snapshot(
        tensors={**groups, **{f"process-{rank}": state for rank, state in enumerate(states)}},
        documents={**documents, PROGRESS: _progress_document(engine, random)},
    )


def restore_engine(engine: Engine, snapshot: Snapshot) -> None:
    """Put a snapshot's state into an engine of the same recipe.

    Raises ModelError where they do not fit; RuntimeError where memory runs out, as whatever allocates says it.
    """
    try:
        _refuse_other_world(engine, snapshot.document(PROGRESS))
        _load_networks(engine, snapshot)
        _load_progress(engine, snapshot.document(PROGRESS))
        _load_process_state(engine, snapshot)
    except (KeyError, RuntimeError, TypeError, ValueError) as problem:
        if is_out_of_memory(problem):
            raise
        raise ModelError(f"The checkpoint does not fit its recipe: {type(problem).__name__} {problem}") from problem


def _load_networks(engine: Engine, snapshot: Snapshot) -> None:
    engine.method.load_state(snapshot.tensors[NETWORKS])
    if engine.averaged.method is not engine.method:
        load_deployed(engine.averaged.method, dict(snapshot.tensors[AVERAGED]))
    _load_optimisers(engine, snapshot.tensors[OPTIMISERS])


def _load_progress(engine: Engine, progress: Mapping[str, Any]) -> None:
    engine.scaler.load_state_dict(progress["scaler"])
    engine.iteration, engine.draws = progress["iteration"], progress["draws"]
    engine.bad_steps.restore(progress["bad_steps"])


def _process_state(engine: Engine) -> bytes:
    """What differs between the processes of one run, random states and replay pools, as the bytes of one message."""
    random = capture()
    document = torch.frombuffer(bytearray(json.dumps(random.document).encode()), dtype=torch.uint8)
    own = {f"own.{key}": value.cpu().contiguous() for key, value in _pools(engine.method).items()}
    return save_tensors({**random.tensors, **own, _DOCUMENT: document})


def _pools(method: Method) -> dict[str, Tensor]:
    networks = method.networks()
    return {key: value for key, value in method.state().items() if key.partition(".")[0] not in networks}


def _progress_document(engine: Engine, random: list[Any]) -> dict[str, Any]:
    return {
        "iteration": engine.iteration,
        "draws": engine.draws,
        "images": engine.images,
        "bad_steps": engine.bad_steps.read(),
        "scaler": engine.scaler.state_dict(),
        "world": engine.processes.world,
        "random": random,
    }


def _refuse_other_world(engine: Engine, progress: Mapping[str, Any]) -> None:
    if progress["world"] != engine.processes.world:
        raise ModelError(
            f"The run was started on {progress['world']} processes and is resumed on {engine.processes.world}; "
            "use the same number with torchrun --nproc-per-node"
        )


def _load_process_state(engine: Engine, snapshot: Snapshot) -> None:
    rank = engine.processes.rank
    tensors = snapshot.tensors[f"process-{rank}"]
    own = {key.removeprefix("own."): value for key, value in tensors.items() if key.startswith("own.")}
    state = engine.method.state()
    for key, value in own.items():
        state[key].copy_(value)
    random = {key: value for key, value in tensors.items() if not key.startswith("own.")}
    restore(RandomState(tensors=random, document=snapshot.document(PROGRESS)["random"][rank]))


def _optimiser_tensors(engine: Engine) -> dict[str, Tensor]:
    return {
        f"{name}.{index}.{key}": value
        for name, optimiser in engine.optimisers.items()
        for index, entry in optimiser.state_dict()["state"].items()
        for key, value in entry.items()
    }


def _load_optimisers(engine: Engine, tensors: Mapping[str, Tensor]) -> None:
    states: dict[str, dict[int, dict[str, Tensor]]] = {name: {} for name in engine.optimisers}
    for path, value in tensors.items():
        name, index, key = path.rsplit(".", 2)
        # safetensors gives a tensor that views the file's bytes; Adam writes into its own
        states[name].setdefault(int(index), {})[key] = torch.clone(value)
    for name, optimiser in engine.optimisers.items():
        optimiser.load_state_dict({"state": states[name], "param_groups": optimiser.state_dict()["param_groups"]})
        _lay_like_parameters(optimiser)
        begin_momentum(optimiser)


def _lay_like_parameters(optimiser: torch.optim.Optimizer) -> None:
    """Fused steps walk a parameter and its moments in the order of memory, so all must lie in the same one."""
    for parameter, entry in optimiser.state.items():
        for key, value in entry.items():
            if value.shape == parameter.shape and value.stride() != parameter.stride():
                entry[key] = torch.empty_like(parameter, dtype=value.dtype).copy_(value)
