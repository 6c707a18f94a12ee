"""`run.json` beside the results of a folder: which model on which device made them, when, and how many.

Every run over the folder leaves an entry, so a folder that was finished after a kill says so, and one that holds the
results of another model is not taken for done.
"""

import json
import platform
import time
from collections.abc import Sequence
from contextlib import suppress
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any, Final, Literal

from pipelines.batch.tally import Tally
from pipelines.tasks import Translate
from translate.errors import ConfigurationError
from translate.storage.atomic import write_atomically

RECORD: Final = "run.json"
"""The file, in the folder of the results: {"runs": [...]}, the latest last."""

State = Literal["running", "finished", "stopped", "failed", "killed"]
"""What is called `running` and runs no more is `killed`: found so by the run that comes after it."""

_EVERY_SEC: Final = 10.0
_MOST_RUNS: Final = 100


class Record:
    """The entry of one run: written when it begins, every ten seconds, and when it ends.

    Args:
        out: the folder of the results; this process holds it.
        translate: what makes them.
        tally: what is counted meanwhile.
    """

    def __init__(self, out: Path, translate: Translate, tally: Tally) -> None:
        self._path = out / RECORD
        self._tally = tally
        self._model = _model_of(translate)
        self._entry = {"model": self._model, **_described(translate), "started": _now(), "finished": None}
        self._earlier: list[dict[str, Any]] = []
        self._start = self._written = time.monotonic()

    def require_same_model(self) -> None:
        """Make sure that the results which are there are this model's. Raises ConfigurationError that names the other.

        Trained runs have no file of their own, and are told apart by their recipes.
        """
        theirs = _latest_model(self._path)
        if theirs is None:
            return
        has_files = theirs.get("sha256") is not None and self._model["sha256"] is not None
        told_apart_by = ("sha256",) if has_files else ("method", "recipe_sha256")
        if any(theirs.get(key) != self._model[key] for key in told_apart_by):
            other = theirs.get("name")
            name = f"other weights of {other}" if other == self._model["name"] else other
            raise ConfigurationError(f"{self._path.parent} holds the results of {name}: choose another -o")

    def begin(self) -> None:
        """Put the entry behind those of earlier runs. Raises StorageError where the disk takes no more."""
        self._earlier = _ended(_runs(self._path))[-_MOST_RUNS + 1 :]
        self._write("running")

    def keep_up(self) -> None:
        """Bring the file up to date, if that is long ago. Raises StorageError where the disk takes no more."""
        if time.monotonic() - self._written >= _EVERY_SEC:
            self._write("running")

    def end(self, state: State) -> None:
        """Write how it ended. Raises StorageError where the disk takes no more."""
        self._entry["finished"] = _now()
        self._write(state)

    def _write(self, state: State) -> None:
        self._written = time.monotonic()
        seconds = round(self._written - self._start, 3)
        entry = {"state": state, **self._entry, "seconds": seconds, "pictures": self._tally.counts()}
        text = json.dumps({"runs": [*self._earlier, entry]}, indent=2)
        write_atomically(self._path, f"{text}\n")


def _model_of(translate: Translate) -> dict[str, str | None]:
    card, origin = translate.card, translate.origin
    return {
        "name": card.name,
        "method": card.method,
        "recipe_sha256": card.recipe_sha256,
        "file": origin.path if origin else None,
        "sha256": origin.sha256 if origin else None,
        "precision": card.precision,
    }


def _described(translate: Translate) -> dict[str, Any]:
    origin = translate.origin
    versions = {"pixturn": version("pixturn"), "python": platform.python_version()}
    return {
        "device": translate.device,
        "compute": origin.compute if origin else None,
        "versions": {**versions, **(origin.versions if origin else {})},
    }


def _runs(path: Path) -> list[dict[str, Any]]:
    """The entries of earlier runs; none where the file is not there, or nothing of ours."""
    with suppress(OSError, ValueError, KeyError, TypeError, RecursionError):
        return [dict(entry) for entry in json.loads(path.read_bytes())["runs"]]
    return []


def _latest_model(path: Path) -> dict[str, Any] | None:
    """What made the latest results; None where that is not said."""
    with suppress(IndexError, KeyError, TypeError, ValueError):
        return dict(_runs(path)[-1]["model"])
    return None


def _ended(runs: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    return [{**entry, "state": "killed"} if entry.get("state") == "running" else entry for entry in runs]


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")
