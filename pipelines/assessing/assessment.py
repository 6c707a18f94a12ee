"""From a name and a folder to what is told of them."""

import io
from collections.abc import Iterable
from dataclasses import asdict, replace
from pathlib import Path

from pipelines.assessing.how import How
from pipelines.assessing.real import Real, of_data, of_run, pictures_at
from pipelines.evaluating import Pictures, Told, told
from pipelines.evaluating.documents import Document
from pipelines.evaluating.figures import Figure
from pipelines.generating import Generate
from pipelines.generating.show import cloud
from pipelines.load import load
from pipelines.runs import RunFolder, bundle_of
from pipelines.scoring.judge import Score
from pipelines.scoring.measures import MEASURES
from pipelines.training.generation.contest import Contest, hold_contest
from pipelines.training.generation.contestants import OURS, REAL, Contestants, Measured, merged
from pipelines.training.generation.protocols import by_protocols
from pipelines.training.generation.subject import Subject
from translate.errors import ConfigurationError


def assess(name: str, against: Path | None, how: How) -> Told:
    """A folder of pictures as a set; of a generator its first samples of the seed, and by the papers' protocols too.

    Args:
        name: A folder with all pictures in it and below; or the name or folder of a trained run or of a bundle, or an
            .onnx file.
        against: Real samples: a folder of pictures, or a data set that a run can learn from; None: those that the run
            held out.
        how: The rest.

    Raises:
        ModelError: There is neither.
        ConfigurationError: The model does not generate, or there is nothing to hold it against.
        DatasetError: Too few samples, or others than the model makes.
    """
    if _is_plain_folder(name, how.runs):
        return told(how.compared(Path(name), pictures_at(_required(name, against))))
    generate = _generator(name, how)
    real = of_data(against, generate, how) if against else _held_out(name, generate, how)
    compared = _of_points(real, how) if real.pictures is None else _of_pictures(generate, real.pictures, how)
    named = replace(compared, title=f"{name} against {real.where}", notes=(*compared.notes, *real.notes))
    further = by_protocols(real.subject) if real.subject and how.protocols else ()
    return _with_protocols(named, list(further))


def _is_plain_folder(name: str, runs: Path) -> bool:
    """Whether it is a folder of pictures rather than a run or a bundle."""
    return Path(name).is_dir() and not RunFolder(path=Path(name)).exists and bundle_of(name, runs) is None


def _generator(name: str, how: How) -> Generate:
    pipeline = load(name, device=how.device, runs=how.runs)
    if not isinstance(pipeline, Generate):
        raise ConfigurationError(f"{name} turns pictures into pictures; score it with pixturn report {name}")
    return pipeline


def _required(name: str, against: Path | None) -> Path:
    if against is None:
        raise ConfigurationError(f"--against: give the folder of real pictures that {name} is held against")
    return against


def _held_out(name: str, generate: Generate, how: How) -> Real:
    if Path(name).suffix.lower() == ".onnx" or bundle_of(name, how.runs) is not None:
        _required(name, None)
    return of_run(name, generate, how)


def _of_pictures(generate: Generate, real: Pictures, how: How) -> Told:
    inputs = generate.draw(how.at_most, seed=how.seed)
    return told(how.compared(list(generate.pixels(inputs, progress=how.telling("Making pictures"))), real))


def _of_points(real: Real, how: How) -> Told:
    """Points are few numbers: they are compared as they are, through no network."""
    subject = real.subject
    assert subject is not None
    contest = hold_contest(
        subject.generate, subject.held_out, subject.training, subject.device, how.progress, seed=how.seed
    )
    return Told(
        title="points",
        about=f"{len(contest.made):,} points of each; seed {how.seed}",
        figures=tuple(_figures(contest.scores)),
        notes=(),
        sets=(),
        document={"kind": "evaluation", "seed": how.seed, "figures": _scores(contest.scores)},
        sheet=_cloud(contest, subject),
    )


def _cloud(contest: Contest, subject: Subject) -> bytes:
    buffer = io.BytesIO()
    cloud(contest.made.numpy(), subject.test.numpy()).save(buffer, "PNG", optimize=True)
    return buffer.getvalue()


def _with_protocols(compared: Told, further: list[Measured]) -> Told:
    found = [finding for part in further for finding in part.findings]
    words = (f"{finding.message}{f'. {finding.remedy}' if finding.remedy else ''}." for finding in found)
    scores = merged(part.scores for part in further)
    return replace(
        compared,
        figures=(*compared.figures, *_figures(scores)),
        notes=(*compared.notes, *words),
        document={**compared.document, "protocols": _scores(scores), "found": [asdict(one) for one in found]},
    )


def _figures(contestants: Contestants) -> Iterable[Figure]:
    """A line a measure of the model, beside training samples."""
    beside = contestants.get(REAL, {})
    for name, score in contestants.get(OURS, {}).items():
        measure = MEASURES[name]
        unit = f" ({measure.unit})" if measure.unit else ""
        reference = _value(beside[name]) if name in beside else ""
        yield Figure(name=measure.label + unit, value=_value(score), reference=reference, meaning=measure.meaning)


def _value(score: Score) -> str:
    error = "" if score.standard_error is None else f" ± {score.standard_error:.2g}"
    return f"{score.value:.4g}{error}"


def _scores(contestants: Contestants) -> Document:
    return {label: {name: asdict(score) for name, score in scores.items()} for label, scores in contestants.items()}
