"""The real samples that a generator is held against: what its run held out, or a data set of any kind."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from pipelines.assessing.options import AssessmentOptions
from pipelines.assessing.readable import note_of, read_readable, without_unreadable
from pipelines.evaluating import Pictures
from pipelines.evaluating.sets import LeftOut
from pipelines.generating import Generate
from pipelines.runs import find_run
from pipelines.trained import Trained
from pipelines.training.generation.bearable import storable
from pipelines.training.generation.data import Data, open_data
from pipelines.training.generation.known_modes import known_modes
from pipelines.training.generation.subject import MOST_SCORED, MOST_TRAINING, Subject, subject_of
from translate.card import FixedPicture, Picture, Vector
from translate.data.array_limits import DEFAULT_ARRAY_LIMITS
from translate.data.augmentation import Augmentation
from translate.data.collection import ArrayPart, Collection, Part
from translate.data.collection_arrays import find_idx, find_npz
from translate.data.collection_finding import scan_collection
from translate.data.domains import LABEL, X
from translate.data.holdout import hash_of
from translate.errors import DatasetError, PictureError


@dataclass(frozen=True, kw_only=True, eq=False)
class Real:
    """Real samples.

    `pictures` are those to compare as sets, None for points; `subject` is the generator among them, for protocols, None
    where none can be followed. `notes` say why something is left out; `left_out` are the files that could not be read
    for it.
    """

    where: str
    pictures: Pictures | None
    subject: Subject | None
    notes: tuple[str, ...] = ()
    left_out: tuple[LeftOut, ...] = ()


def of_run(name: str, generate: Generate, how: AssessmentOptions) -> Real:
    """What a run held out: its test split, or validation where there is none."""
    _, data = open_data(Trained.for_use(find_run(name, how.runs)).recipe)
    try:
        return of_splits(data, generate, how)
    except PictureError:
        return of_readable_splits(data, generate, how)


def of_readable_splits(data: Data, generate: Generate, how: AssessmentOptions) -> Real:
    """As `of_splits`, without the files that cannot be read, and with a note of them."""
    rest, left_out = _readable(data, most=max(2 * how.most, MOST_TRAINING))
    real = of_splits(rest, generate, how)
    return replace(real, notes=note_of(str(data.collection.root), left_out), left_out=left_out)


def of_splits(data: Data, generate: Generate, how: AssessmentOptions) -> Real:
    """The splits that a run held out and learnt from. Raises PictureError for a file that cannot be read."""
    subject = subject_of(generate, data, device=how.torch_device, seed=how.seed, progress=how.progress)
    pictures = None
    if subject.held_out.are_pictures:
        pictures = list(data.samples(data.scored, most=2 * how.most).pixels())
    return Real(where=f"{data.scored} samples of {data.collection.root}", pictures=pictures, subject=subject)


def _readable(data: Data, *, most: int) -> tuple[Data, tuple[LeftOut, ...]]:
    """The data set without the files that cannot be read, and those files."""
    found = {name: without_unreadable(part, most) for name, part in data.collection.splits.items()}
    splits = {name: part for name, (part, _) in found.items()}
    left_out = tuple(each for _, files in found.values() for each in files)
    return replace(data, collection=replace(data.collection, splits=splits)), left_out


def of_data(folder: Path, generate: Generate, how: AssessmentOptions) -> Real:
    """A data set of whatever kind that a run can learn from, or any folder with pictures in it and below.

    Raises:
        DatasetError: Its samples are not what the generator makes.
    """
    is_point = isinstance(generate.card.outputs[0], Vector)
    pictures = None if is_point else pictures_at(folder)
    try:
        subject, notes, left_out = _subject(folder, generate, how)
    except DatasetError as problem:
        if not isinstance(pictures, Path):
            raise
        return Real(
            where=str(folder),
            pictures=pictures,
            subject=None,
            notes=(f"Only compared as a set of pictures: {problem}",),
        )
    return Real(where=str(folder), pictures=pictures, subject=subject, notes=notes, left_out=left_out)


def pictures_at(folder: Path) -> Pictures:
    """Pictures in arrays (those to test on, where splits are told apart), or else the folder with all below it.

    Raises DatasetError for points, and where nothing is there.
    """
    if not folder.exists():
        raise DatasetError(
            f"{folder}: there is no such folder or file: give a folder of pictures, or a data set as for training"
        )
    found = find_idx(folder, DEFAULT_ARRAY_LIMITS) or find_npz(folder, DEFAULT_ARRAY_LIMITS)
    if found is None:
        return folder
    part = _scored(found[0])
    if not isinstance(part, ArrayPart) or part.are_points:
        raise DatasetError(f"{folder}: holds points, and pictures are needed: give a data set of pictures")
    return list(part.values)


def _subject(
    folder: Path, generate: Generate, how: AssessmentOptions
) -> tuple[Subject, tuple[str, ...], tuple[LeftOut, ...]]:
    collection = scan_collection(folder)
    knows, notes = _classes(collection, generate)
    port, size = _sample(generate)
    training, scored = _two(collection)
    learnt, missed = read_readable(training, port, size, learns_classes=knows, most=_most_training(port, size))
    held_out, missing = read_readable(scored, port, size, learns_classes=knows, most=MOST_SCORED)
    left_out = (*missed, *missing)
    subject = Subject(
        generate=generate,
        held_out=held_out,
        validation=None,
        training=learnt,
        device=how.torch_device,
        modes=known_modes(folder),
        seed=how.seed,
        progress=how.progress,
    )
    return subject, (*notes, *note_of(str(folder), left_out)), left_out


def _most_training(port: Picture | Vector, size: Augmentation) -> int:
    shape = (port.channels, size.crop_px, size.crop_px) if isinstance(port, Picture) else (port.size,)
    return storable(MOST_TRAINING, shape)


def _sample(generate: Generate) -> tuple[Picture | Vector, Augmentation]:
    """What a sample is, and how a real one is brought to its size."""
    made = generate.card.outputs[0]
    if isinstance(made, FixedPicture):
        side = made.height_px
        return Picture(name=X, channels=made.channels), Augmentation(load_px=side, crop_px=side, keep_aspect=True)
    assert isinstance(made, Vector)
    return Vector(name=X, size=made.size), Augmentation()


def _classes(collection: Collection, generate: Generate) -> tuple[bool, tuple[str, ...]]:
    """Whether the generator's classes are those of the data, and a note where they ought to be and are not."""
    label = generate.inputs.label
    if label is None or label.name != LABEL or not collection.is_labelled:
        return False, ()
    if label.names == collection.names:
        return True, ()
    return False, (
        f"Classes are not measured: those of {collection.root} ({_listed(collection.names)}) are not the model's "
        f"({_listed(label.names)}). Name the folders (or `classes` in the .npz) alike.",
    )


def _listed(names: tuple[str, ...]) -> str:
    return ", ".join(names[:5]) + (", ..." if len(names) > 5 else "")


def _two(collection: Collection) -> tuple[Part, Part]:
    """What classifiers learn from, and what is scored against: two splits, or the halves of the only one."""
    if len(collection.splits) > 1:
        return collection.train, _scored(collection.splits)
    keys = collection.train.keys
    if len(keys) < 2:
        raise DatasetError(
            f"{collection.root}: has {len(keys)} samples, and one half is to learn from and the other to compare with: "
            "give at least hundreds"
        )
    order = sorted(range(len(keys)), key=lambda index: hash_of(keys[index]))
    return collection.train.take(order[::2]), collection.train.take(order[1::2])


def _scored(splits: Mapping[str, Part]) -> Part:
    return next(splits[name] for name in ("test", "validation", "train") if name in splits)
