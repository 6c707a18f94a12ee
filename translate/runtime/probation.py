"""A model that nobody has tried yet is loaded and run in a child process first, and only then in this one.

Engines take models for trusted input: a damaged one can end the process that loads it, or never come back. In a child
that is a refusal like any other. What passed is remembered (see `approvals`), so it costs time once a model.
"""

import contextlib
import json
import logging
import os
import signal
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from translate.errors import ConfigurationError, ModelError
from translate.runtime.approvals import approve, is_approved
from translate.runtime.extras import require_onnx
from translate.runtime.gate import GATE_VERSION
from translate.runtime.integrity import ModelFile, no_known_hash
from translate.runtime.trial import READY

_CODE: Final = "import sys; sys.path[:] = {path!r}; from {module} import main; main()"
_ONE_THREAD: Final = {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1", "MKL_NUM_THREADS": "1"}
_PATIENCE_SEC: Final = 60
_BYTES_A_SECOND: Final = 10_000_000
_MISSED_DEADLINE: Final = "it was not loaded and run within {deadline_sec} s"

_log = logging.getLogger(__name__)


@dataclass(frozen=True, kw_only=True)
class Trial:
    """How a model is tried.

    `module` has the `main` of the child; `engine` names it with its version; `arguments` go to the child after the
    computing time, and belong to what an approval is for.
    """

    module: str
    engine: str
    arguments: tuple[str, ...] = ()
    patience_sec: int = _PATIENCE_SEC

    @property
    def name(self) -> str:
        """What an approval says that the model was tried by."""
        return "-".join((self.engine, *self.arguments, f"gate{GATE_VERSION}"))


def require_trial(model: ModelFile, trial: Trial) -> None:
    """Make sure that a model was tried in a child before it is loaded here. A warning says if no hash vouches for it.

    Raises:
        ModelError: it is not made of what is allowed, does not load or run, ends its process or takes too long.
        ConfigurationError: the package onnx is missing, or no child can be started.
    """
    if is_approved(model.sha256, trial.name):
        return
    require_onnx()
    refusal = _try(model.data, trial)
    if refusal is not None:
        raise ModelError(f"{model.path} is refused by {trial.engine}: {refusal}")
    if not model.has_known_hash:  # once a model: other bytes are another model, and are tried and told of again
        _log.warning("%s", no_known_hash(model))
    approve(model.sha256, trial.name)


def _try(data: bytes, trial: Trial) -> str | None:
    """Why the model is refused, None if it is fit."""
    deadline_sec = trial.patience_sec + len(data) // _BYTES_A_SECOND
    child = _started(trial, deadline_sec)
    try:
        output, _ = child.communicate(data, timeout=deadline_sec)
    except subprocess.TimeoutExpired:
        return _MISSED_DEADLINE.format(deadline_sec=deadline_sec)
    finally:
        _end(child)
    return _verdict(output, child.returncode)


def _started(trial: Trial, deadline_sec: int) -> subprocess.Popen[bytes]:
    code = _CODE.format(path=[str(Path(place).absolute()) for place in sys.path], module=trial.module)
    command = [sys.executable, "-I", "-c", code, str(deadline_sec), *trial.arguments]
    try:
        return subprocess.Popen(  # in a group of its own, so that it is ended with whatever it may have started
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env={**os.environ, **_ONE_THREAD},
            start_new_session=True,
        )
    except OSError as problem:
        raise _no_child(str(problem)) from problem


def _end(child: subprocess.Popen[bytes]) -> None:
    """End the child and its group, where it has not ended by itself."""
    if child.poll() is None:
        with contextlib.suppress(ProcessLookupError):
            if hasattr(os, "killpg"):
                os.killpg(child.pid, signal.SIGKILL)
            else:
                child.kill()
        child.wait()


def _verdict(output: bytes, returncode: int) -> str | None:
    if not output.startswith(READY):
        raise _no_child(f"it ended with {returncode}")
    try:
        verdict: dict[str, Any] = json.loads(output.removeprefix(READY))
    except ValueError:
        return f"loading and running it once ended the process ({_ending(returncode)})"
    return verdict["refusal"]


def _ending(returncode: int) -> str:
    return signal.Signals(-returncode).name if returncode < 0 else f"exit code {returncode}"


def _no_child(reason: str) -> ConfigurationError:
    return ConfigurationError(
        f"The process that tries a model before it is loaded could not start ({reason}): "
        f"{sys.executable or 'no Python'} must be a Python that has the same packages as this one"
    )
