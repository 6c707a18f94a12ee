"""Examples that are prepared as arrays: `train.npz` and, where there are such, `validation.npz` and `test.npz`."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from pipelines.examples.folder import OnProgress, Summary, describe, written_whole


@dataclass(frozen=True, kw_only=True, eq=False)
class Labelled:
    """Samples with their classes. `values`: uint8 N x H x W (x C), or float32 N x D; `labels`: N whole numbers."""

    values: npt.NDArray[np.uint8] | npt.NDArray[np.float32]
    labels: npt.NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.values)


def write_arrays(
    folder: Path,
    summary: Summary,
    parts: Mapping[str, Labelled],
    *,
    readme: str,
    licence_text: str,
    on_progress: OnProgress | None = None,
) -> Summary:
    """Write the parts into a new folder, packed; the same samples give the same bytes.

    Args:
        folder: Where to.
        summary: What they are.
        parts: By name: `train`, `validation`, `test`.
        readme: What the folder holds, for people.
        licence_text: The licence.
        on_progress: Called with the samples that are written and with all of them.

    Raises:
        StorageError: The disk is full.
    """
    done, total = 0, sum(len(part) for part in parts.values())
    needs_mb = 1 + sum(part.values.nbytes for part in parts.values()) // 1_000_000
    with written_whole(folder, needs_mb=needs_mb) as partial:
        for name, part in parts.items():
            arrays: dict[str, Any] = {"x": part.values, "y": part.labels}
            if summary.class_names:
                arrays["classes"] = np.array(summary.class_names)
            np.savez_compressed(partial / f"{name}.npz", **arrays)
            done += len(part)
            if on_progress is not None:
                on_progress(done, total)
        describe(partial, summary, readme=readme, licence_text=licence_text)
    return summary


def counts_of(parts: Mapping[str, Labelled]) -> dict[str, int]:
    """Samples in each part."""
    return {name: len(part) for name, part in parts.items()}
