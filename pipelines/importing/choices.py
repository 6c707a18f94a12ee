"""What people say about their file, held against what the file says."""

from dataclasses import dataclass
from typing import Literal

from pipelines.importing.reference import Architecture, Norm
from translate.errors import ConfigurationError


@dataclass(frozen=True, kw_only=True)
class TheirOptions:
    """The options that the generator was trained with; what is left open is read from the file."""

    arch: str = "auto"
    """Their --netG: resnet_6blocks, resnet_9blocks, unet_128, unet_256; auto: read from the file."""
    norm: Norm | Literal["auto"] = "auto"
    """Their --norm; auto: read from the file."""
    dropout: Literal["auto", "yes", "no"] = "auto"
    """Whether a ResNet had dropout (no: their --no_dropout); auto: read from the file. It is off in any case."""

    def require(self, found: Architecture, file: str) -> None:
        """Raise ConfigurationError where the file is something else than they say."""
        dropout = "yes" if found.dropout else "no"
        _require("--arch", self.arch, found.name, file)
        _require("--norm", self.norm, found.norm, file)
        if found.kind == "resnet":
            _require("--dropout", self.dropout, dropout, file)


def _require(option: str, said: str, found: str, file: str) -> None:
    if said not in ("auto", found):
        raise ConfigurationError(f"{option} {said}: {file} holds {found}; leave the option out, or give another file")
