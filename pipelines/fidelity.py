"""Between weights that are faithful and weights that please: network interpolation, without torch.

X. Wang et al., "ESRGAN: Enhanced Super-Resolution Generative Adversarial Networks" (2018), section 3.4: the weights of
a network that was trained for pixels and those of the same network after adversarial training are mixed number by
number,

    w = fidelity * w_faithful + (1 - fidelity) * w_perceptual,

which gives pictures between those of both, without the artefacts of mixing the pictures. The two lie side by side, as
NAME.onnx and NAME-perceptual.onnx.
"""

import hashlib
from pathlib import Path
from typing import Final

from pipelines.mixes import kept_mix
from translate.errors import ConfigurationError, ModelError
from translate.runtime.extras import require_onnxruntime
from translate.runtime.integrity import ModelFile, read_model
from translate.runtime.mixing import mixed
from translate.runtime.onnx import trial_of_onnx
from translate.runtime.probation import require_trial

PERCEPTUAL: Final = "-perceptual"
"""What follows the name of the faithful file in that of the other."""

_VERSION: Final = 1
"""Of the mixing: what another version made is made anew."""


def perceptual_of(faithful: Path) -> Path:
    """Where the file lies that a faithful one is mixed with."""
    return faithful.with_name(f"{faithful.stem}{PERCEPTUAL}{faithful.suffix}")


def with_fidelity(faithful: Path, fidelity: float) -> Path:
    """The file to load for a fidelity from 0 (perceptual) to 1 (faithful).

    Raises ConfigurationError where there is nothing to mix with, or as `mix`.
    """
    perceptual = perceptual_of(faithful)
    if not perceptual.is_file():
        raise ConfigurationError(
            f"--fidelity {fidelity:g}: {faithful} has no {perceptual.name} beside it to be mixed with; leave it out"
        )
    return mix(faithful, perceptual, fidelity)


def mix(faithful: Path, perceptual: Path, fidelity: float) -> Path:
    """One `.onnx` file with the weights of both, as loadable as they are; at 1 and 0 it is the one or the other itself.

    It lies in the user's cache folder, with its SHA-256 beside it, and is made once.

    Args:
        faithful: the file whose weights count `fidelity`.
        perceptual: another with the same graph, whose weights count the rest.
        fidelity: 0 to 1.

    Raises:
        ConfigurationError: a fidelity beyond 0 to 1, or a package is missing.
        ModelError: a file that is damaged or none of Pixturn's, or two that are not of one network.
    """
    if not 0.0 <= fidelity <= 1.0:
        raise ConfigurationError(f"--fidelity {fidelity:g}: choose 0 (perceptual) to 1 (faithful)")
    if fidelity in (0.0, 1.0):
        return faithful if fidelity == 1.0 else perceptual
    one, other = _checked(faithful), _checked(perceptual)
    key = hashlib.sha256(f"{_VERSION} {one.sha256} {other.sha256} {float(fidelity)!r}".encode()).hexdigest()
    return kept_mix(key, f"{faithful.stem}-fidelity-{fidelity:g}.onnx", lambda: _mixed(one, other, fidelity))


def _checked(path: Path) -> ModelFile:
    """A file that is what its hash says, and was tried in a child: only then is it parsed in this process."""
    require_onnxruntime()
    model = read_model(path)
    require_trial(model, trial_of_onnx())
    return model


def _mixed(faithful: ModelFile, perceptual: ModelFile, fidelity: float) -> bytes:
    try:
        return mixed(faithful.data, perceptual.data, fidelity)
    except ModelError as problem:
        raise ModelError(f"{faithful.path} and {perceptual.path} cannot be mixed: {problem}") from problem
