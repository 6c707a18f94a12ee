"""What there is to do: which pictures of a folder, and where their results go."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from pipelines.batch.failures import Failure
from pipelines.batch.listing import Listed, listed
from pipelines.batch.naming import result_names
from pipelines.batch.partners import Partners
from translate.card import Card
from translate.data.headers import EXTENSIONS
from translate.errors import ConfigurationError, PictureError
from translate.storage.atomic import sweep


@dataclass(frozen=True, kw_only=True)
class Errand:
    """One picture (with those that go with it), and the files of its results, one an output of the model."""

    sources: tuple[Path, ...]
    targets: tuple[Path, ...]

    @property
    def is_done(self) -> bool:
        """Whether the result is there. The first one is written last, so then all are."""
        return self.targets[0].exists()


@dataclass(frozen=True, kw_only=True)
class Plan:
    """The folders to translate (one an input of the model), the folder of the results, and the ending of their names.

    In place of a folder after the first, a file goes with every picture. Results keep place and name (`naming` says
    when not), so what is missing is found by looking.
    """

    card: Card
    folders: tuple[Path, ...]
    out: Path
    ending: str

    def errands(self) -> Iterator[Errand | Failure]:
        """Every picture in order, done or not, and what cannot be done at all. Holds one sub-folder at a time."""
        for found in self._listed():
            if isinstance(found, Failure):
                yield found
            else:
                yield from self._errands_in(found)

    def require_pictures(self) -> None:
        """Make sure that there is something to do.

        Raises:
            ConfigurationError: the folder holds no pictures.
            DatasetError: the folder cannot be listed.
        """
        if not any(isinstance(found, Failure) or found.pictures for found in self._listed()):
            raise ConfigurationError(f"{self.folders[0]} holds no pictures ({', '.join(EXTENSIONS)})")

    def prepare(self) -> None:
        """Clear away what a killed run left half written; nobody else may be writing there.

        Raises ConfigurationError where a link below the folder of the results leads elsewhere.
        """
        for found in self._listed():
            if isinstance(found, Listed):
                self._require_no_link(found.place)
                sweep(self.out / found.place)

    def _listed(self) -> Iterator[Listed | Failure]:
        return listed(self.folders[0], without=self.out)

    def _errands_in(self, found: Listed) -> Iterator[Errand | Failure]:
        others = [port.name for port in self.card.outputs[1:]]
        names = result_names(found.pictures, taken=found.folders, others=others, ending=self.ending)
        partners = Partners(self.folders[1:], found.place)
        for name in found.pictures:
            source = self.folders[0] / found.place / name
            targets = tuple(self.out / found.place / result for result in names[name])
            try:
                yield Errand(sources=(source, *partners.of(name)), targets=targets)
            except PictureError as problem:
                yield Failure.of(source, problem)

    def _require_no_link(self, place: Path) -> None:
        """Through a link the results might lie among the pictures, and be taken for them."""
        folder = self.out / place
        if folder.resolve() != self.out.resolve() / place:
            raise ConfigurationError(
                f"{folder} is a link, or lies beyond one: take the link away, or choose another -o"
            )


def require_apart(folders: Sequence[Path], out: Path) -> None:
    """Make sure that no result can be mistaken for a picture that is to be translated.

    Raises:
        ConfigurationError: `out` is one of the folders, or holds one, or is no folder.
    """
    if not out.exists():
        return
    if not out.is_dir():
        raise ConfigurationError(f"-o {out}: pictures of a folder go into a folder, and this is a file")
    for folder in folders:
        if out.samefile(folder):
            raise ConfigurationError(f"-o {out}: that is what is to be translated; choose another place")
        if folder.resolve().is_relative_to(out.resolve()):
            raise ConfigurationError(
                f"-o {out}: {folder} lies in it, so results and pictures would mix; choose another place"
            )
