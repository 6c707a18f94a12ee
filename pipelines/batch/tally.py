"""What is counted while a folder is translated, and what is told of it."""

from dataclasses import dataclass, field

from pipelines.batch.failures import Failure


@dataclass(frozen=True, kw_only=True)
class FolderResult:
    """What became of the pictures of a folder.

    `done` were translated now, `skipped` were there already, `failed` came to nothing, `left` were not tried (the run
    was asked to stop). `device` is where the model ran.
    """

    done: int
    skipped: int
    failed: tuple[Failure, ...]
    device: str
    left: int = 0


@dataclass(kw_only=True)
class Tally:
    """Pictures by what became of them: of `missing`, so many were translated, and these came to nothing."""

    missing: int = 0
    translated: int = 0
    there_before: int = 0
    failed: list[Failure] = field(default_factory=list[Failure])

    @property
    def behind(self) -> int:
        """Of those that were missing: tried."""
        return self.translated + len(self.failed)

    @property
    def left(self) -> int:
        """Not tried."""
        return max(0, self.missing - self.behind)

    def counts(self) -> dict[str, int]:
        """All of it in numbers."""
        return {
            "translated": self.translated,
            "there_before": self.there_before,
            "failed": len(self.failed),
            "left": self.left,
        }

    def result(self, device: str, *, is_stopped: bool) -> FolderResult:
        """What is told in the end; pictures are left only where the run was asked to stop."""
        return FolderResult(
            done=self.translated,
            skipped=self.there_before,
            failed=tuple(self.failed),
            device=device,
            left=self.left if is_stopped else 0,
        )
