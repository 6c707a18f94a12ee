"""CycleGAN as it is trained: both generators in one step, then both discriminators in one, on fakes from pools.

Zhu et al. 2017, https://arxiv.org/abs/1703.10593, equations 1 to 3, sections 4 and 5.2; the pools are Shrivastava et
al. 2017, https://arxiv.org/abs/1612.07828, section 2.3.
"""

import itertools
import random

import torch
from torch import Tensor, nn

from benchmarks.reference.networks import PatchGAN, ResNet, draw_first_weights
from benchmarks.reference.system import freeze


class Pool:
    """Up to `size` earlier fakes; once it is full, every other fake is exchanged for one of them."""

    def __init__(self, size: int = 50) -> None:
        self.size = size
        self.pictures: list[Tensor] = []

    def exchange(self, fakes: Tensor) -> Tensor:
        return torch.stack([self._exchange(fake) for fake in fakes.detach()])

    def _exchange(self, fake: Tensor) -> Tensor:
        if len(self.pictures) < self.size:
            self.pictures.append(fake)
            return fake
        if not self.pictures or random.random() < 0.5:
            return fake
        place = random.randrange(self.size)
        earlier, self.pictures[place] = self.pictures[place], fake
        return earlier


class CycleGAN:
    """Two ResNets and two PatchGANs; least squares, cycles of weight 10, identity half of it; Adam at 2e-4, 0.5."""

    def __init__(
        self,
        *,
        width: int = 64,
        blocks: int = 9,
        cycle_weight: float = 10.0,
        identity_weight: float = 0.5,
        pool_size: int = 50,
        learning_rate: float = 2e-4,
        device: str = "cpu",
    ) -> None:
        self.g_ab, self.g_ba = (ResNet(width=width, blocks=blocks).to(device) for _ in range(2))
        self.d_a, self.d_b = (PatchGAN(inputs=3, width=width, norm=nn.InstanceNorm2d).to(device) for _ in range(2))
        self.networks: dict[str, nn.Module] = {
            "generator_ab": self.g_ab,
            "generator_ba": self.g_ba,
            "discriminator_a": self.d_a,
            "discriminator_b": self.d_b,
        }
        for network in self.networks.values():
            draw_first_weights(network)
        self.cycle_weight, self.identity_weight = cycle_weight, identity_weight
        self.pool_a, self.pool_b = Pool(pool_size), Pool(pool_size)
        self.l1, self.squares = nn.L1Loss(), nn.MSELoss()
        self.optimisers: dict[str, torch.optim.Optimizer] = {
            name: torch.optim.Adam(
                itertools.chain(*(network.parameters() for network in networks)), lr=learning_rate, betas=(0.5, 0.999)
            )
            for name, networks in (("generators", (self.g_ab, self.g_ba)), ("discriminators", (self.d_a, self.d_b)))
        }

    def step(self, a: Tensor, b: Tensor) -> dict[str, Tensor]:
        """One iteration on pictures of a and pictures of b."""
        fake_b, fake_a = self.g_ab(a), self.g_ba(b)
        return {**self._generators_step(a, b, fake_a, fake_b), **self._discriminators_step(a, b, fake_a, fake_b)}

    def _generators_step(self, a: Tensor, b: Tensor, fake_a: Tensor, fake_b: Tensor) -> dict[str, Tensor]:
        freeze([self.d_a, self.d_b], True)
        self.optimisers["generators"].zero_grad()
        identity = self.cycle_weight * self.identity_weight
        losses = {
            "G_AB": self._towards(self.d_b, fake_b, 1.0),
            "G_BA": self._towards(self.d_a, fake_a, 1.0),
            "cycle_A": self.cycle_weight * self.l1(self.g_ba(fake_b), a),
            "cycle_B": self.cycle_weight * self.l1(self.g_ab(fake_a), b),
            "identity_A": identity * self.l1(self.g_ba(a), a),
            "identity_B": identity * self.l1(self.g_ab(b), b),
        }
        loss = sum(losses.values(), start=torch.zeros((), device=a.device))
        loss.backward()
        self.optimisers["generators"].step()
        return {name: value.detach() for name, value in losses.items()}

    def _discriminators_step(self, a: Tensor, b: Tensor, fake_a: Tensor, fake_b: Tensor) -> dict[str, Tensor]:
        freeze([self.d_a, self.d_b], False)
        self.optimisers["discriminators"].zero_grad()
        losses: dict[str, Tensor] = {}
        for name, network, real, fake in (
            ("D_A", self.d_a, a, self.pool_a.exchange(fake_a)),
            ("D_B", self.d_b, b, self.pool_b.exchange(fake_b)),
        ):
            loss = 0.5 * (self._towards(network, real, 1.0) + self._towards(network, fake, 0.0))
            loss.backward()
            losses[name] = loss.detach()
        self.optimisers["discriminators"].step()
        return losses

    def _towards(self, discriminator: nn.Module, pictures: Tensor, target: float) -> Tensor:
        scores = discriminator(pictures)
        return self.squares(scores, torch.full_like(scores, target))
