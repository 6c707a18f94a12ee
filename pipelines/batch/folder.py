"""`run_folder`: all pictures of a folder through a model, with reading, translating and writing at the same time."""

from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import closing, suppress
from pathlib import Path
from typing import Final

from pipelines.batch.ahead import Loaded, read_ahead
from pipelines.batch.behind import Behind
from pipelines.batch.failures import Failure, write_failures
from pipelines.batch.holding import held
from pipelines.batch.plan import Errand, Plan, require_apart
from pipelines.batch.reading import MAX_PIXELS, Reader, limits_for
from pipelines.batch.record import Record, State
from pipelines.batch.results import Format, Results, require_writable
from pipelines.batch.tally import FolderResult, Tally
from pipelines.batch.together import MODEL_FAILED, in_groups, translated, usual_batch
from pipelines.tasks import Translate
from translate.data.carried import Alpha
from translate.errors import ConfigurationError, ModelError, PictureError, StorageError
from translate.runtime.cores import usable_cores

_MOST_FAILED_IN_A_ROW: Final = 20
"""By the model's fault alone: then it is no picture's (a device that was lost), and the rest would fail too."""


def _tell_nobody(done: int, total: int) -> None:
    """No progress is shown."""


def run_folder(
    translate: Translate,
    folders: str | Path | Sequence[str | Path],
    out: str | Path,
    *,
    batch: int | None = None,
    file_format: Format = "png",
    alpha: Alpha = "keep",
    max_pixels: int = MAX_PIXELS,
    progress: Callable[[int, int], None] = _tell_nobody,
    stop: Callable[[], bool] = lambda: False,
) -> FolderResult:
    """Translate what is missing: every picture of a folder and below it whose result is not in `out` yet.

    Sub-folders and names are kept (`pipelines.batch.naming` says when not). Each file is written whole or not at all,
    so a result that is there counts as done, unless run.json says that another model made it; after a kill the same
    call goes on. A picture that is refused is listed in `out`/failures.jsonl, and the others go on. `out`/run.json says
    what made them. No picture is ever overwritten. Memory follows from the size of the pictures, not from their number.

    Args:
        translate: what `pipelines.load` gives.
        folders: the folder; for a model with several inputs one for each, where pictures of one name go together. In
            place of any but the first, a file goes with every picture.
        out: the folder of the results; it is made. It may lie within the folder, and is not searched then.
        batch: pictures of one size that go through the model together; None: 1 on a CPU, 8 on a GPU, and fewer where
            they are large. In a batch, a level may round otherwise than alone.
        file_format: of the results; all but jpg are lossless.
        alpha: `keep` puts the transparency of a picture on its translation, `white` makes opaque ones.
        max_pixels: larger pictures are refused.
        progress: is told how many of how many missing pictures are behind us.
        stop: is asked between pictures; once it says yes, what was translated is written, and that is all.

    Raises:
        ConfigurationError: the folders cannot be used so, hold no pictures, another process writes to `out`, or
            results of another model are there.
        DatasetError: the folder cannot be listed.
        ModelError: the model fails on whatever it is given.
        StorageError: the disk is full, or takes no files.
    """
    given = [folders] if isinstance(folders, str | Path) else folders
    plan = Plan(card=translate.card, folders=tuple(map(Path, given)), out=Path(out), ending=f".{file_format}")
    _require_usable(plan, batch)
    reader = Reader(card=translate.card, limits=limits_for(max_pixels), alpha=alpha)
    with held(plan.out):
        return _Task(translate, plan, reader, batch, progress, stop).run()


def _require_usable(plan: Plan, batch: int | None) -> None:
    if len(plan.folders) != len(plan.card.inputs):
        names = ", ".join(port.name for port in plan.card.inputs)
        raise ConfigurationError(f"The model takes {len(plan.card.inputs)} folders ({names}), not {len(plan.folders)}")
    if batch is not None and batch < 1:
        raise ConfigurationError(f"--batch {batch}: at least one picture goes through the model at a time")
    require_writable(plan.card, plan.ending)
    require_apart(plan.folders, plan.out)
    plan.require_pictures()


class _Task:
    """One run over a folder: what is counted, and how the parts are put together."""

    def __init__(
        self,
        translate: Translate,
        plan: Plan,
        reader: Reader,
        batch: int | None,
        progress: Callable[[int, int], None],
        stop: Callable[[], bool],
    ) -> None:
        self._translate = translate
        self._plan = plan
        self._reader = reader
        self._batch = batch or usual_batch(translate.device)
        self._is_batch_usual = batch is None
        self._progress = progress
        self._stop = stop
        self._threads = max(2, min(4, usable_cores()))
        self._tally = Tally()
        self._failed_in_a_row = 0
        self._record = Record(plan.out, translate, self._tally)

    def run(self) -> FolderResult:
        self._plan.prepare()
        self._count()
        self._record.begin()
        self._tell()
        try:
            self._translate_all()
        except BaseException:
            with suppress(StorageError):  # what stopped the run is what is to be told
                self._end("failed")
            raise
        result = self._tally.result(self._translate.device, is_stopped=self._stop())
        self._end("stopped" if result.left else "finished")
        return result

    def _count(self) -> None:
        is_any_done = False
        for each in self._plan.errands():
            is_done = isinstance(each, Errand) and each.is_done
            is_any_done |= is_done
            self._tally.missing += not is_done
        if is_any_done:
            self._record.require_same_model()

    def _end(self, state: State) -> None:
        write_failures(self._tally.failed, self._plan.out)
        self._record.end(state)

    def _translate_all(self) -> None:
        results = Results(card=self._translate.card)
        most = 2 * self._batch + self._threads
        with (
            closing(self._loaded()) as loaded,
            Behind(results, threads=self._threads, most=most, done=self._written) as behind,
        ):
            for group in in_groups(loaded, batch=self._batch, is_limit=self._is_batch_usual):
                if self._stop():
                    return
                self._translate_group(group, behind)

    def _loaded(self) -> Generator[Loaded]:
        ahead = 2 * self._batch + self._threads
        return read_ahead(self._missing(), self._reader, threads=self._threads, ahead=ahead, fail=self._fail)

    def _missing(self) -> Iterator[Errand]:
        for each in self._plan.errands():
            if self._stop():
                return
            if isinstance(each, Failure):
                self._fail(each)
            elif each.is_done:
                self._tally.there_before += 1
            else:
                yield each

    def _translate_group(self, group: Sequence[Loaded], behind: Behind) -> None:
        made = translated(self._translate, [sample for _, sample in group])
        for loaded, outputs in zip(group, made, strict=True):
            if isinstance(outputs, PictureError):
                self._require_working(outputs)
                self._fail(Failure.of(loaded[0].sources[0], outputs))
            else:
                self._failed_in_a_row = 0
                behind.write(loaded, outputs)

    def _require_working(self, problem: PictureError) -> None:
        self._failed_in_a_row += problem.reason == MODEL_FAILED
        if self._failed_in_a_row == _MOST_FAILED_IN_A_ROW:
            raise ModelError(
                f"The model failed on {_MOST_FAILED_IN_A_ROW} pictures in a row; the last error: {problem}"
            )

    def _written(self, failure: Failure | None) -> None:
        if failure is None:
            self._tally.translated += 1
            self._tell()
        else:
            self._fail(failure)

    def _fail(self, failure: Failure) -> None:
        self._tally.failed.append(failure)
        self._tell()

    def _tell(self) -> None:
        self._progress(self._tally.behind, self._tally.missing)
        self._record.keep_up()
