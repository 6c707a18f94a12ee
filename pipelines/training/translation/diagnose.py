"""The health of a finished or stopped run, from its held-out pictures, its discriminators and its curves."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

import numpy as np
import torch

from pipelines.report import Finding
from pipelines.scoring.heldout import HeldOut
from pipelines.trained import Trained
from pipelines.training.evaluation import discriminator_scores
from pipelines.training.offered import offered
from pipelines.training.told import told
from pipelines.training.translation.contest import Contest
from pipelines.training.translation.validation import judged
from translate.metrics.finding import Finding as HealthFinding
from translate.metrics.health import SAMPLE_PICTURES, Sample, examine_pictures
from translate.metrics.health_discriminator import check_adversarial_losses, check_discriminator
from translate.metrics.remedies import Remedies

Curves = Mapping[str, Sequence[float]]
"""Values of every recorded figure, in the order of training, by name."""


def examine(
    trained: Trained,
    held_out: HeldOut,
    training: HeldOut,
    contests: list[Contest],
    curves: Curves,
    device: torch.device,
) -> Iterable[Finding]:
    """Everything that is found to be wrong, in the report's words."""
    remedies = offered(trained.recipe)
    yield from map(told, check_curves(curves, remedies))
    names = {network: name for name, network in trained.method.networks().items()}
    for contest in contests:
        generator = names[trained.method.deploys()[contest.deploy].networks[0]]
        sample = _sample(contest, held_out, device)
        yield from map(told, examine_pictures(sample, generator=generator, remedies=remedies))
    method = trained.playing().to(device)
    seen = {part.discriminator: part.held_out_real for part in discriminator_scores(method, judged(training, device))}
    for scores in discriminator_scores(method, judged(held_out, device)):
        with_training = replace(scores, training_real=seen[scores.discriminator])
        yield from map(told, check_discriminator(with_training, remedies=remedies))


def check_curves(curves: Curves, remedies: Remedies) -> Iterable[HealthFinding]:
    """Find a discriminator whose adversarial loss vanished while the same term of the other side grew."""
    adversarial = {name: np.array(values) for name, values in curves.items() if "/adversarial" in name}
    ours = {name: values for name, values in adversarial.items() if name.startswith("discriminator")}
    for name, losses in ours.items():
        for rival in adversarial.keys() - ours.keys():
            if _is_rival(name, rival):
                discriminator = name.partition("/")[0]
                yield from check_adversarial_losses(discriminator, losses, adversarial[rival], remedies=remedies)


def _is_rival(discriminator_term: str, generator_term: str) -> bool:
    """`discriminator_a/adversarial` plays against `generators/adversarial_a`, a lone discriminator against all."""
    _, _, domain = discriminator_term.partition("/")[0].partition("_")
    return generator_term.endswith(f"_{domain}") if domain else True


@torch.inference_mode()
def _sample(contest: Contest, held_out: HeldOut, device: torch.device) -> Sample:
    sizes = [held_out.size(contest.source), held_out.size(contest.target)]
    count = min(SAMPLE_PICTURES, *sizes)
    inputs = held_out.tensor(contest.source, held_out.sample(contest.source, count), device)
    outputs = torch.cat([contest.translate(part) for part in inputs.split(8)])
    targets = held_out.tensor(contest.target, held_out.sample(contest.target, count), device)
    seen = _alike(inputs, targets)
    return Sample(inputs=seen.cpu(), outputs=outputs.cpu(), targets=targets.cpu(), paired=held_out.paired)


def _alike(inputs: torch.Tensor, targets: torch.Tensor) -> torch.Tensor:
    """The inputs as pictures of the targets' size, without a mask: enlarged, if they are to be."""
    pictures = inputs[:, : targets.shape[1]]
    if pictures.shape[-2:] == targets.shape[-2:]:
        return pictures
    return torch.nn.functional.interpolate(pictures, size=targets.shape[-2:], mode="bicubic").clamp(-1.0, 1.0)
