"""A model that is loaded once for all visitors, and can be ended in the middle of one visitor's picture."""

from collections.abc import Mapping
from typing import Any

from pipelines.page.jobs import Job
from translate.card import Card
from translate.runtime.base import Arrays
from translate.runtime.integrity import read_unchanged
from translate.runtime.onnx import OnnxRuntime
from translate.runtime.origin import Origin
from translate.runtime.session import new_session, run_session
from translate.runtime.tiling import Tiled


class StoppableRuntime(OnnxRuntime):
    """An .onnx file whose runs belong to jobs."""

    def for_job(self, job: Job) -> "RuntimeOfJob":
        """The same loaded model, for one job."""
        return RuntimeOfJob(self, job)

    def run_for(self, job: Job, inputs: Arrays) -> dict[str, Any]:
        """As `run`. Raises ModelError as soon as the job is stopped; `Job.ending` says what it was."""
        return run_session(_Stoppable(self._session, job), self.card, inputs, self.device)

    def tiled_for(self, job: Job) -> Tiled:
        """As `tiled`, with pieces that end with the job."""
        providers = list(self._session.get_provider_options().items())
        data = read_unchanged(self._path, self._sha256)

        def opened(piece: bytes, /) -> _Stoppable:
            return _Stoppable(new_session(piece, providers), job)

        return Tiled(data, self.card, device=self.device, open_session=opened)


class RuntimeOfJob:
    """A runtime, as `translate.runtime.base.Runtime` says, that ends when its job is stopped."""

    def __init__(self, runtime: StoppableRuntime, job: Job) -> None:
        self._runtime, self._job = runtime, job

    @property
    def card(self) -> Card:
        """What goes in and comes out."""
        return self._runtime.card

    @property
    def device(self) -> str:
        """Where it runs, in words."""
        return self._runtime.device

    @property
    def origin(self) -> Origin:
        """Which weights, and which engine."""
        return self._runtime.origin

    def run(self, inputs: Arrays) -> dict[str, Any]:
        """Outputs by port name. Raises as `run_for` does."""
        return self._runtime.run_for(self._job, inputs)

    def tiled(self) -> Tiled:
        """The model in tiles. Raises ModelError for one that cannot be."""
        return self._runtime.tiled_for(self._job)


class _Stoppable:
    """A session of ONNX Runtime that a job's end terminates."""

    def __init__(self, session: Any, job: Job) -> None:  # noqa: ANN401 - onnxruntime has no types
        self._session, self._job = session, job

    def run(self, output_names: list[str], input_feed: Mapping[str, Any]) -> list[Any]:
        """As InferenceSession.run."""
        import onnxruntime

        options = onnxruntime.RunOptions()
        with self._job.terminating(options):
            return self._session.run(output_names, input_feed, options)
