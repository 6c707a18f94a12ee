"""Pictures of one size go through the model together; where that fails as a whole, one by one."""

from collections.abc import Generator, Iterable, Sequence
from typing import Final

from pipelines.batch.ahead import Loaded
from pipelines.batch.reading import Sample
from pipelines.tasks import Translate
from translate.errors import DeviceError, PictureError, PixturnError, StorageError
from translate.runtime.codec import Made
from translate.runtime.failures import failed_run

MODEL_FAILED: Final = "model_failed"
"""The reason where it was neither the picture nor memory."""

_HELD_PIXELS: Final = 16_000_000
_TOGETHER_PIXELS: Final = 2_000_000
"""In one call, unless the user says how many pictures: eight of 512 x 512. More gain nothing and take memory."""


def usual_batch(device: str) -> int:
    """Pictures in one call where the user does not say: several keep a GPU busy, and make a CPU no faster."""
    return 8 if device.startswith(("cuda", "tensorrt", "mps")) else 1


def in_groups(samples: Iterable[Loaded], *, batch: int, is_limit: bool) -> Generator[list[Loaded]]:
    """Groups of one size, each up to `batch` pictures.

    Which pictures go together follows from their order alone, so a run can be repeated. Those that wait for others of
    their size are few: beyond 4 x batch (or 16 megapixels) the group that waits longest goes as it is.

    Args:
        samples: in their order.
        batch: pictures in one call at most.
        is_limit: whether large pictures go in smaller groups (2 megapixels a call).
    """
    waiting = dict[tuple[int, int], list[Loaded]]()
    for errand, sample in samples:
        size = sample.size_px
        waiting.setdefault(size, []).append((errand, sample))
        most = min(batch, max(1, _TOGETHER_PIXELS // (size[0] * size[1]))) if is_limit else batch
        if len(waiting[size]) >= most:
            yield waiting.pop(size)
        while _too_many(waiting, batch):
            yield waiting.pop(next(iter(waiting)))
    yield from waiting.values()


def _too_many(waiting: dict[tuple[int, int], list[Loaded]], batch: int) -> bool:
    count = sum(map(len, waiting.values()))
    pixels = sum(height * width * len(group) for (height, width), group in waiting.items())
    return count > 4 * batch or (len(waiting) > 0 and pixels > _HELD_PIXELS)


def translated(translate: Translate, samples: Sequence[Sample]) -> list[dict[str, Made] | PictureError]:
    """The results of samples of one size by output, or why there are none.

    What fails together may have failed for one of them, or for memory: then each is tried alone.
    """
    if len(samples) > 1:
        try:
            return [*translate.batch([sample.pixels for sample in samples])]
        except Exception:  # `_alone` says what it was
            pass
    return [_alone(translate, sample) for sample in samples]


def _alone(translate: Translate, sample: Sample) -> dict[str, Made] | PictureError:
    """One sample; a large picture is cut into tiles inside."""
    try:
        return translate.outputs(sample.pixels)
    except PictureError as problem:
        return problem
    except Exception as problem:  # runtimes raise what they like
        return _refused(sample, problem, translate.device)


def _refused(sample: Sample, problem: Exception, device: str) -> PictureError:
    error = problem if isinstance(problem, PixturnError) else failed_run(problem, sample.pixels, device)
    is_memory = isinstance(error, StorageError | DeviceError)
    return PictureError("out_of_memory" if is_memory else MODEL_FAILED, str(error))
