"""Pictures and folders through a model, as the commands `run`, `upscale` and `inpaint` do it."""

from pipelines.running.handling import Handling
from pipelines.running.job import Job

__all__ = ["Handling", "Job"]
