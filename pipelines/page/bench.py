"""What all parts of the page work with."""

from dataclasses import dataclass
from pathlib import Path

from pipelines.page.jobs import Jobs
from pipelines.page.models import Shelf
from pipelines.page.serving import Intake


@dataclass(frozen=True, kw_only=True)
class Bench:
    """Where uploads come in and results go, the loaded models, and what is being done for whom.

    `models_in` are the folders that the models lie in.
    """

    intake: Intake
    shelf: Shelf
    jobs: Jobs
    models_in: frozenset[Path] = frozenset()

    @property
    def folders(self) -> tuple[Path, ...]:
        """Those whose names are no visitor's matter."""
        return (self.intake.folder.path, Path.cwd(), *self.models_in)
