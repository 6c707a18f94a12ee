"""One session of ONNX Runtime: how it is set up, and how it is run."""

from collections.abc import Sequence
from typing import Any, Final

from translate.card import Card
from translate.runtime.base import Arrays
from translate.runtime.cores import usable_cores
from translate.runtime.failures import failed_run
from translate.runtime.providers import CPU, Provider
from translate.runtime.statistics import with_stepwise_bytes

_ERRORS_ONLY: Final = 3


def new_session(
    data: bytes, providers: Sequence[Provider] = (CPU,), *, threads: int | None = None, spins: bool = False
) -> Any:  # noqa: ANN401 - onnxruntime has no types
    """Load a model that was checked and tried.

    Bytes, not a path: tensors in other files are then refused. Without fallback: a session that does not get its
    provider would otherwise be set up anew on the CPU, with a word on standard output. On a CPU the statistics of
    instance norm are taken more exactly than ONNX Runtime does.

    Args:
        data: the model.
        providers: the best first.
        threads: threads within an operator; None for the cores that this process may use.
        spins: whether threads that wait for others keep their cores busy. Where anything else runs on those (other
            programs, or this one's own readers and writers of pictures), that takes more time than it saves.
    """
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.log_severity_level = _ERRORS_ONLY
    options.intra_op_num_threads = threads or usable_cores()
    options.inter_op_num_threads = 1
    options.add_session_config_entry("session.intra_op.allow_spinning", str(int(spins)))
    # Another format would be guessed by the first bytes, and has not passed the gate.
    options.add_session_config_entry("session.load_model_format", "ONNX")
    if next(iter(providers)) == CPU:
        data = with_stepwise_bytes(data)
    return onnxruntime.InferenceSession(
        data, options, providers=list(providers), enable_fallback=0, read_config_from_model=0
    )


def run_session(session: Any, card: Card, inputs: Arrays, device: str) -> dict[str, Any]:  # noqa: ANN401
    """Outputs by port name for inputs by port name; see Runtime.

    Raises:
        StorageError, DeviceError: the memory of the machine or of the device does not hold this input.
        ModelError: the model cannot be run on such an input.
    """
    names = [port.name for port in card.outputs]
    given = {port.name: inputs[port.name] for port in card.inputs}
    try:
        return dict(zip(names, session.run(names, given), strict=True))
    except Exception as problem:  # ONNX Runtime's errors have no base class of their own
        raise failed_run(problem, given, device) from problem
