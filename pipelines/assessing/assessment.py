"""From a name and a folder to what is told of them."""

from dataclasses import asdict, replace
from pathlib import Path

from pipelines.assessing.options import AssessmentOptions
from pipelines.assessing.points import makes_points, of_points, require_none_for_pictures
from pipelines.assessing.real import Real, of_data, of_run, pictures_at
from pipelines.assessing.scores import document_of, figures_of
from pipelines.evaluating import Pictures, Told, told
from pipelines.generating import Generate
from pipelines.load import load
from pipelines.runs import RunFolder, bundle_of
from pipelines.training.generation.contestants import Measured, merged
from pipelines.training.generation.protocols import by_protocols
from translate.errors import ConfigurationError


def assess(name: str, against: Path | None, how: AssessmentOptions) -> Told:
    """A folder of pictures as a set; of a generator its first samples of the seed, and by the papers' protocols too.

    Args:
        name: A folder with all pictures in it and below; or the name or folder of a trained run or of a bundle, or an
            .onnx file.
        against: Real samples: a folder of pictures, or a data set that a run can learn from; None: those that the run
            held out.
        how: The rest.

    Raises:
        ModelError: There is neither.
        ConfigurationError: The model does not generate, an option is not for it, or `against` is needed and missing.
        DatasetError: No real samples there, too few, or others than the model makes.
    """
    if _is_plain_folder(name, how.runs):
        return told(how.compared(Path(name), pictures_at(_required(name, against))))
    generate = _generator(name, how)
    if makes_points(generate):
        require_none_for_pictures(name, how)
    real = of_data(against, generate, how) if against else _held_out(name, generate, how)
    compared = of_points(real, how) if real.pictures is None else of_pictures(generate, real.pictures, how)
    further = by_protocols(real.subject) if real.subject and how.protocols else ()
    return _with_protocols(_with_notes(compared, name, real), list(further))


def _is_plain_folder(name: str, runs: Path) -> bool:
    """Whether it is a folder of pictures rather than a run or a bundle."""
    return Path(name).is_dir() and not RunFolder(path=Path(name)).exists and bundle_of(name, runs) is None


def _generator(name: str, how: AssessmentOptions) -> Generate:
    pipeline = load(name, device=how.device, runs=how.runs)
    if not isinstance(pipeline, Generate):
        raise ConfigurationError(f"{name} turns pictures into pictures; score it with pixturn report {name}")
    return pipeline


def _required(name: str, against: Path | None) -> Path:
    if against is None:
        raise ConfigurationError(f"--against: give the folder of real pictures that {name} is held against")
    return against


def _held_out(name: str, generate: Generate, how: AssessmentOptions) -> Real:
    if Path(name).suffix.lower() == ".onnx" or bundle_of(name, how.runs) is not None:
        _required(name, None)
    return of_run(name, generate, how)


def of_pictures(generate: Generate, real: Pictures, how: AssessmentOptions) -> Told:
    """A generator's first samples, at most as many as there are real pictures, against these."""
    known = how.most if isinstance(real, Path) else min(how.most, len(real))
    inputs = generate.draw(known, seed=how.seed)
    return told(how.compared(list(generate.pixels(inputs, progress=how.telling("Making pictures"))), real))


def _with_notes(compared: Told, name: str, real: Real) -> Told:
    """With why something is missing."""
    notes = (*compared.notes, *real.notes)
    left_out = [asdict(each) for each in real.left_out]
    document = {**compared.document, "notes": list(notes), "left_out_of_protocols": left_out}
    return replace(compared, title=f"{name} against {real.where}", notes=notes, document=document)


def _with_protocols(compared: Told, further: list[Measured]) -> Told:
    found = [finding for part in further for finding in part.findings]
    words = (f"{finding.message}{f'. {finding.remedy}' if finding.remedy else ''}." for finding in found)
    scores = merged(part.scores for part in further)
    return replace(
        compared,
        figures=(*compared.figures, *figures_of(scores)),
        notes=(*compared.notes, *words),
        document={**compared.document, "protocols": document_of(scores), "found": [asdict(one) for one in found]},
    )
