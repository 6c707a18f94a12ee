"""What all parts of the page work with."""

from dataclasses import dataclass

from pipelines.page.jobs import Jobs
from pipelines.page.models import Shelf
from pipelines.page.serving import Intake


@dataclass(frozen=True, kw_only=True)
class Bench:
    """Where uploads come in and results go, the loaded models, and what is being done for whom."""

    intake: Intake
    shelf: Shelf
    jobs: Jobs
