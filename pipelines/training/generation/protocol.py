"""What a protocol is: a measure that says itself whether it applies."""

from collections.abc import Callable
from dataclasses import dataclass

from pipelines.training.generation.contestants import Measured
from pipelines.training.generation.subject import Subject


@dataclass(frozen=True, kw_only=True)
class Protocol:
    """One way to measure a generator.

    `fits`: whether it says anything of such samples, from what is in memory already. `measure` takes from seconds to
    a minute of a core, and tells its progress through the subject.
    """

    fits: Callable[[Subject], bool]
    measure: Callable[[Subject], Measured]
