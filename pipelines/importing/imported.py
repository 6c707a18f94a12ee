"""What an import has found: a deploy with its weights, and what is to be said about it."""

from dataclasses import dataclass
from importlib.metadata import version

from pipelines.exporting.forms import versions
from translate.card import Card
from translate.method import Deploy

METHOD = "imported"
UNKNOWN = "unknown: ask whoever trained it"


@dataclass(frozen=True, kw_only=True)
class Origin:
    """What the person who imports knows about the weights, for the card."""

    data: str = UNKNOWN
    """What the weights were trained on."""
    licence: str = UNKNOWN
    """The licence of the weights and of what they were trained on."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Imported:
    """A module that computes what the foreign network does, in evaluation mode.

    `about` says in a line what was found; `notes` are what the user should know. `scale` is output size / input size.
    `network` says what the file is held against, `code_licence` what the code that defined it asks for. `usual_px` is
    the side of the pictures that such networks are trained with. `is_ours`: rebuilt as a network of ours, which knows
    how it may be run in tiles.
    """

    deploy: Deploy
    about: str
    network: str
    code_licence: str
    usual_px: int
    is_ours: bool
    scale: int = 1
    notes: tuple[str, ...] = ()
    packages: tuple[str, ...] = ()

    def card(self, name: str, origin: Origin, sha256: str) -> Card:
        """The card, which says from which file the weights come."""
        return Card(
            task=self.deploy.task,
            method=METHOD,
            name=name,
            inputs=self.deploy.inputs,
            outputs=self.deploy.outputs,
            scale=self.scale,
            tiling=self.deploy.tiling,
            data=f"{origin.data}\nImported: {self.about}, from a file with the SHA-256 {sha256}.",
            licence=origin.licence,
            versions={**versions(), **{package: version(package) for package in self.packages}},
        )
