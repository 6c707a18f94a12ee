"""Whole folders through a model: read ahead, translated together, written behind."""

from pipelines.batch.failures import Failure
from pipelines.batch.folder import run_folder
from pipelines.batch.tally import FolderResult

__all__ = ["Failure", "FolderResult", "run_folder"]
