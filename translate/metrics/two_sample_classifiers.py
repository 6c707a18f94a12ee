"""The classifiers that a two-sample test may train: small, quick, and the same for the same seed."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from translate.metrics.distribution import Embeddings

Scorer = Callable[[Embeddings], Embeddings]
"""M x D to M numbers: above 0 where a row looks more like the first set than like the second."""

_SMALLEST_SPREAD = 1e-8


class Classifier(Protocol):
    """Learns to tell two sets apart, each of them weighing the same however many rows it has."""

    def fit(self, first: Embeddings, second: Embeddings, *, seed: int) -> Scorer:
        """Train on N x D and M x D rows. The global random state is neither read nor changed."""
        ...


@dataclass(frozen=True, kw_only=True)
class NeuralClassifier:
    """One hidden layer of ReLUs, as Lopez-Paz and Oquab 2017 use (C2ST-NN), trained on all rows at once by Adam."""

    hidden: int = 20
    """Units of the hidden layer."""
    steps: int = 100
    """Steps of Adam."""
    learning_rate: float = 0.01
    """Of Adam."""
    weight_decay: float = 0.01
    """L2: with more dimensions than rows, a classifier without it knows its rows by heart."""

    def fit(self, first: Embeddings, second: Embeddings, *, seed: int) -> Scorer:
        """Train; the rows are scaled by the mean and the spread of each dimension in both sets together."""
        rows = np.concatenate([first, second])
        mean, spread = rows.mean(axis=0), np.maximum(rows.std(axis=0), _SMALLEST_SPREAD)

        def prepared(vectors: Embeddings) -> Tensor:
            return torch.from_numpy(((vectors - mean) / spread).astype(np.float32))

        network = self._network(rows.shape[1], seed)
        self._train(network, prepared(first), prepared(second))

        @torch.no_grad()
        def score(vectors: Embeddings) -> Embeddings:
            return network(prepared(vectors))[:, 0].double().numpy()

        return score

    def _network(self, dimensions: int, seed: int) -> nn.Sequential:
        # Only the CPU's generator: torch.manual_seed would also reseed those of GPUs, which nothing puts back.
        with torch.random.fork_rng(devices=()):
            torch.default_generator.manual_seed(seed)
            return nn.Sequential(nn.Linear(dimensions, self.hidden), nn.ReLU(), nn.Linear(self.hidden, 1))

    @torch.enable_grad()
    def _train(self, network: nn.Sequential, first: Tensor, second: Tensor) -> None:
        optimiser = torch.optim.Adam(network.parameters(), lr=self.learning_rate, weight_decay=self.weight_decay)
        for _ in range(self.steps):
            optimiser.zero_grad()
            loss = functional.softplus(-network(first)).mean() + functional.softplus(network(second)).mean()
            loss.backward()
            optimiser.step()


@dataclass(frozen=True, kw_only=True)
class NearestNeighbours:
    """A vote of the k nearest rows (C2ST-KNN): k is the root of the rows trained on, made odd so that no vote ties."""

    def fit(self, first: Embeddings, second: Embeddings, *, seed: int) -> Scorer:
        """Keep the rows; a vote counts in inverse proportion to its side's number of rows."""
        rows = torch.from_numpy(np.concatenate([first, second]))
        votes = torch.tensor([1.0 / len(first)] * len(first) + [-1.0 / len(second)] * len(second), dtype=rows.dtype)
        nearest = int(np.sqrt(len(rows))) // 2 * 2 + 1

        def score(vectors: Embeddings) -> Embeddings:
            distances = torch.cdist(torch.from_numpy(vectors), rows)
            return votes[distances.topk(nearest, dim=1, largest=False).indices].sum(dim=1).numpy()

        return score
