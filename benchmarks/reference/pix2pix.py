"""pix2pix as it is trained: the discriminator's step, then the generator's, on one fake.

Isola et al. 2017, https://arxiv.org/abs/1611.07004, equations 1, 3, 4 and section 3.3.
"""

import torch
from torch import Tensor, nn

from benchmarks.reference.networks import PatchGAN, UNet, draw_first_weights
from benchmarks.reference.system import freeze


class Pix2Pix:
    """U-Net against a PatchGAN that sees input and output; cross-entropy + 100 L1; Adam at 2e-4, 0.5."""

    def __init__(
        self,
        *,
        width: int = 64,
        depth: int = 8,
        dropout: float = 0.5,
        l1_weight: float = 100.0,
        learning_rate: float = 2e-4,
        device: str = "cpu",
    ) -> None:
        self.generator = UNet(width=width, depth=depth, dropout=dropout).to(device)
        self.discriminator = PatchGAN(inputs=6, width=width).to(device)
        self.networks: dict[str, nn.Module] = {"generator": self.generator, "discriminator": self.discriminator}
        for network in self.networks.values():
            draw_first_weights(network)
        self.l1_weight = l1_weight
        self.cross_entropy, self.l1 = nn.BCEWithLogitsLoss(), nn.L1Loss()
        self.optimisers: dict[str, torch.optim.Optimizer] = {
            name: torch.optim.Adam(network.parameters(), lr=learning_rate, betas=(0.5, 0.999))
            for name, network in self.networks.items()
        }

    def step(self, a: Tensor, b: Tensor) -> dict[str, Tensor]:
        """One iteration on a batch of pairs."""
        fake = self.generator(a)
        return {**self._discriminator_step(a, b, fake.detach()), **self._generator_step(a, b, fake)}

    def _discriminator_step(self, a: Tensor, b: Tensor, fake: Tensor) -> dict[str, Tensor]:
        freeze([self.discriminator], False)
        self.optimisers["discriminator"].zero_grad()
        of_fake = self._judged(a, fake, real=False)
        of_real = self._judged(a, b, real=True)
        loss = 0.5 * (of_fake + of_real)
        loss.backward()
        self.optimisers["discriminator"].step()
        return {"D_real": of_real.detach(), "D_fake": of_fake.detach()}

    def _generator_step(self, a: Tensor, b: Tensor, fake: Tensor) -> dict[str, Tensor]:
        freeze([self.discriminator], True)
        self.optimisers["generator"].zero_grad()
        adversarial = self._judged(a, fake, real=True)
        distance = self.l1_weight * self.l1(fake, b)
        loss = adversarial + distance
        loss.backward()
        self.optimisers["generator"].step()
        return {"G_GAN": adversarial.detach(), "G_L1": distance.detach()}

    def _judged(self, a: Tensor, b: Tensor, *, real: bool) -> Tensor:
        scores = self.discriminator(torch.cat([a, b], dim=1))
        return self.cross_entropy(scores, torch.full_like(scores, float(real)))
