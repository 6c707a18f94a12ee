"""What an import has found: a deploy with its weights, and what is to be said about it."""

from dataclasses import dataclass
from importlib.metadata import version

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
    """

    deploy: Deploy
    about: str
    scale: int = 1
    notes: tuple[str, ...] = ()
    packages: tuple[str, ...] = ("pixturn", "torch")

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
            versions={package: version(package) for package in self.packages},
        )
