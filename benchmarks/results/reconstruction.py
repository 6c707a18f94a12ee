"""How well pictures come back through a code: `python -m benchmarks.results.reconstruction RUN... --data DIR`.

Of VAEs also the bounds of the log-likelihood: the ELBO, and the importance-weighted one, which is nearer to it.
"""

from dataclasses import dataclass
from pathlib import Path

import torch
import tyro
from torch import Tensor

from benchmarks.results.material import AT_ONCE, Split, real, trained
from benchmarks.results.table import Figures, Options, report
from pipelines.methods.vae import VAE, evidence
from translate.losses.variational import active_units
from translate.method import Method
from translate.metrics.pairwise import l1_levels, psnr_db, ssim


@dataclass(frozen=True, kw_only=True)
class ReconstructionOptions(Options):
    """What to measure."""

    data: Path
    """The data set that the runs learnt from, in arrays."""
    draws: int = 50
    """Of the code of each picture, for the bounds."""


def likeness(made: Tensor, true: Tensor) -> Figures:
    """How near pictures are to what they should be, N x C x H x W in [-1, 1]."""
    return {
        "PSNR (dB)": float(psnr_db(made, true).mean()),
        "L1 (levels of 255)": float(l1_levels(made, true).mean()),
        "SSIM": float(ssim(made, true).mean()),
    }


def bounds(method: VAE, test: Split, draws: int) -> Figures:
    """What a VAE says of pictures, in nats a picture."""
    torch.manual_seed(0)
    classes = method.decoder.classes
    labels = test.labels if classes else None
    found = [
        evidence(method, part, None if labels is None else labels[start : start + AT_ONCE], draws=draws)
        for start, part in zip(range(0, len(test), AT_ONCE), test.samples.split(AT_ONCE), strict=True)
    ]
    means = torch.cat([part.means for part in found])
    return {
        "ELBO (nats)": float(torch.cat([part.elbo for part in found]).mean()),
        f"importance-weighted bound, {draws} draws (nats)": float(torch.cat([part.bound for part in found]).mean()),
        "KL, a part of the ELBO (nats)": float(torch.cat([part.kl for part in found]).mean()),
        f"active numbers of {means.shape[1]} in a code": float(active_units(means)),
    }


@torch.no_grad()
def back(method: Method, test: Split) -> Tensor:
    """Pictures through the code; their classes are told where the method wants them."""
    deploy = method.deploys()["reconstruct"]
    given = (test.samples, test.labels)[: len(deploy.inputs)]
    parts = zip(*(tensor.split(AT_ONCE) for tensor in given), strict=True)
    return torch.cat([deploy.module.eval()(*part) for part in parts])


def main(options: ReconstructionOptions) -> None:
    test = real(options.data, "test")

    def measure(run: Path) -> Figures:
        method = trained(run).method
        found = likeness(back(method, test), test.samples)
        return {**found, **bounds(method, test, options.draws)} if isinstance(method, VAE) else found

    report(options, measure)


if __name__ == "__main__":
    main(tyro.cli(ReconstructionOptions))
