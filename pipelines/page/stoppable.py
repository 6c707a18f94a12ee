"""A model that is loaded once for all visitors, and can be ended in the middle of one visitor's picture."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pipelines.holding import HoldsRuntime
from pipelines.page.jobs import Job
from translate.card import Card
from translate.errors import PictureError
from translate.runtime.base import Arrays
from translate.runtime.codec import Sample
from translate.runtime.integrity import read_unchanged
from translate.runtime.onnx import OnnxRuntime
from translate.runtime.origin import Origin
from translate.runtime.session import new_session, run_session
from translate.runtime.tiling import TILE_PX, Progress, Tiled
from translate.runtime.tiling.pictures import Sink
from translate.runtime.tiling.piece import OpenSession


class StoppableRuntime(OnnxRuntime):
    """An .onnx file whose runs belong to jobs."""

    def for_job(self, job: Job, *, scratch_bytes: int = 0) -> "RuntimeOfJob":
        """The same loaded model, for one job. In tiles, it may keep so much on disk."""
        return RuntimeOfJob(self, job, scratch_bytes)

    def run_for(self, job: Job, inputs: Arrays) -> dict[str, Any]:
        """As `run`. Raises ModelError as soon as the job is stopped; `Job.ending` says what it was."""
        return run_session(_Stoppable(self._session, job), self.card, inputs, self.device)

    def tiled_for(self, job: Job, scratch_bytes: int) -> Tiled:
        """As `tiled`, with pieces that end with the job, and no more on disk than that."""
        providers = list(self._session.get_provider_options().items())
        data = read_unchanged(self._path, self._sha256)

        def opened(piece: bytes, /) -> _Stoppable:
            return _Stoppable(new_session(piece, providers), job)

        return _LimitedOnDisk(data, self.card, device=self.device, open_session=opened, scratch_bytes=scratch_bytes)


class RuntimeOfJob(HoldsRuntime):
    """A runtime, as `translate.runtime.base.Runtime` says, that ends when its job is stopped."""

    def __init__(self, runtime: StoppableRuntime, job: Job, scratch_bytes: int) -> None:
        super().__init__(runtime)
        self._stoppable, self._job, self._scratch_bytes = runtime, job, scratch_bytes

    @property
    def origin(self) -> Origin:
        """Which weights, and which engine."""
        return self._stoppable.origin

    def run(self, inputs: Arrays) -> dict[str, Any]:
        """Outputs by port name. Raises as `run_for` does."""
        return self._stoppable.run_for(self._job, inputs)

    def tiled(self) -> Tiled:
        """The model in tiles. Raises ModelError for one that cannot be."""
        return self._stoppable.tiled_for(self._job, self._scratch_bytes)


class _LimitedOnDisk(Tiled):
    """A model in tiles that keeps no more on disk than it may."""

    def __init__(self, model: bytes, card: Card, *, device: str, open_session: OpenSession, scratch_bytes: int) -> None:
        super().__init__(model, card, device=device, open_session=open_session)
        self._scratch_bytes = scratch_bytes

    def run_into(
        self,
        sinks: Mapping[str, Sink],
        sample: Sample,
        *,
        tile_px: int = TILE_PX,
        scratch: Path | None = None,
        progress: Progress | None = None,
    ) -> None:
        """As Tiled's. Raises PictureError for a picture that would take too much."""
        height_px, width_px = next(iter(sample.values())).shape[:2]
        self._require_room(height_px, width_px, tile_px)
        super().run_into(sinks, sample, tile_px=tile_px, scratch=scratch, progress=progress)

    def _require_room(self, height_px: int, width_px: int, tile_px: int) -> None:
        most, wanted = self._scratch_bytes, self.need(height_px, width_px, tile_px=tile_px).disk_bytes
        if wanted > most:
            raise PictureError(
                "too_many_pixels",
                f"With this model, {height_px * width_px / 1e6:.1f} megapixels take {wanted / 1e9:.2g} GB of disk, and "
                f"a picture may take {most / 1e9:.2g} GB here (--scratch-mb): shrink it",
            )


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
