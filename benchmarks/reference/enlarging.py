"""Learning to enlarge by pixels alone, as super-resolution networks are trained first: L1 and Adam."""

import torch
from torch import Tensor, nn

from benchmarks.reference.networks import CompactEnlarger


class Enlarging:
    """The compact network on L1; Adam at 1e-3, 0.9, 0.99. Its first weights are PyTorch's own."""

    def __init__(
        self,
        *,
        width: int = 32,
        convolutions: int = 8,
        scale: int = 2,
        learning_rate: float = 1e-3,
        device: str = "cpu",
    ) -> None:
        self.generator = CompactEnlarger(width=width, convolutions=convolutions, scale=scale).to(device)
        self.networks: dict[str, nn.Module] = {"generator": self.generator}
        self.l1 = nn.L1Loss()
        self.optimisers: dict[str, torch.optim.Optimizer] = {
            "generator": torch.optim.Adam(self.generator.parameters(), lr=learning_rate, betas=(0.9, 0.99))
        }

    def step(self, a: Tensor, b: Tensor) -> dict[str, Tensor]:
        """One iteration on small pictures `a` and the large ones `b` that they were made from."""
        self.optimisers["generator"].zero_grad()
        loss = self.l1(self.generator(a), b)
        loss.backward()
        self.optimisers["generator"].step()
        return {"L1": loss.detach()}
