"""What a trained generator is judged by: as many samples as are wanted, and the real ones that its run held out."""

from pathlib import Path

from pipelines.evaluating import Pictures
from pipelines.generating import Generate
from pipelines.load import Device, load
from pipelines.runs import RUNS, RunFolder, bundle_of, find_run
from pipelines.trained import Trained
from translate.data.pictures import Pixels
from translate.errors import ConfigurationError


def judged(name: str, *, count: int, seed: int, device: Device = "auto", runs: Path = RUNS) -> Pictures:
    """A folder as it is; of a trained run or an .onnx file of a generator, its first `count` pictures of a seed.

    Raises ModelError where there is neither, ConfigurationError for a model that does not generate.
    """
    if _is_plain_folder(name, runs):
        return Path(name)
    pipeline = load(name, device=device, runs=runs)
    if not isinstance(pipeline, Generate):
        raise ConfigurationError(f"{name} turns pictures into pictures; score it with pixturn report {name}")
    return list(pipeline.pixels(pipeline.draw(count, seed=seed)))


def held_out(name: str, *, most: int, runs: Path = RUNS) -> list[Pixels]:
    """Pictures of a run's data that it never saw: of the test split, or of validation where there is none.

    Raises ConfigurationError for what is no trained run that generates pictures.
    """
    from pipelines.training.generation.data import open_data

    is_file = Path(name).suffix.lower() == ".onnx" or bundle_of(name, runs) is not None
    if is_file or _is_plain_folder(name, runs):
        raise ConfigurationError(f"--against: give the folder of real pictures that {name} is held against")
    recipe = Trained.for_use(find_run(name, runs)).recipe
    _, data = open_data(recipe)
    return list(data.samples(data.scored, most=most).pixels())


def _is_plain_folder(name: str, runs: Path) -> bool:
    """Whether it is a folder of pictures rather than a run or a bundle."""
    return Path(name).is_dir() and not RunFolder(path=Path(name)).exists and bundle_of(name, runs) is None
