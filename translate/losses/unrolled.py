"""An opponent that has already answered: the generator's loss through k steps of the discriminator.

Metz, Poole, Pfau and Sohl-Dickstein, "Unrolled Generative Adversarial Networks", ICLR 2017,
https://arxiv.org/abs/1611.02163, section 2. The steps here are plain gradient descent, as in its equations; the
experiments differentiate through Adam.
"""

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn
from torch.func import functional_call

from translate.errors import ConfigurationError

Judge = Callable[..., Any]
"""A discriminator as a function: of samples, and of conditions where it takes them."""


def unrolled(discriminator: nn.Module, loss: Callable[[Judge], Tensor], *, steps: int, learning_rate: float) -> Judge:
    """The discriminator as it would be after `steps` steps on `loss`, differentiable through these steps.

    For the generator's turn: `judge = unrolled(self.discriminator, lambda d: objective.discriminator(d(real),
    d(fake)), steps=5, learning_rate=...)`, then `objective.generator(judge(fake), lambda: judge(real))`. The fake
    keeps its graph, so the generator learns how its move changes the answer. The discriminator itself, its running
    statistics included, is not changed and gets no gradient.

    Time and memory grow with `steps` (about two more passes of the discriminator each). The steps differentiate
    twice, which a compiled discriminator refuses.

    Args:
        discriminator: any module without parameters that are created lazily.
        loss: the discriminator's loss as a function of the discriminator, to be minimised.
        steps: 0 gives the discriminator itself; the paper takes 5 or 10.
        learning_rate: of the steps.

    Raises:
        ConfigurationError: for a negative number of steps, or a learning rate of 0 or less.
    """
    if steps < 0 or learning_rate <= 0:
        raise ConfigurationError(
            f"--config.game.unrolled-steps is {steps} and --config.game.unrolled-learning-rate is {learning_rate}: "
            "choose 0 steps or more, at a rate above 0"
        )
    if steps == 0:
        return discriminator
    # Copies: a pass in training mode writes into the buffers that it is given.
    buffers = {name: buffer.clone() for name, buffer in discriminator.named_buffers()}
    weights = {name: weight.detach().requires_grad_() for name, weight in discriminator.named_parameters()}
    for _ in range(steps):
        weights = _descended(weights, loss(_with(discriminator, weights, buffers)), learning_rate)
    return _with(discriminator, weights, buffers)


def _with(discriminator: nn.Module, weights: dict[str, Tensor], buffers: dict[str, Tensor]) -> Judge:
    def judge(*given: Any) -> Any:  # noqa: ANN401 - whatever the discriminator takes and gives
        return functional_call(discriminator, (weights, buffers), given)

    return judge


def _descended(weights: dict[str, Tensor], loss: Tensor, learning_rate: float) -> dict[str, Tensor]:
    # A weight that the loss does not see (the last bias of a Wasserstein critic cancels) stays where it is.
    gradients = torch.autograd.grad(loss, list(weights.values()), create_graph=True, materialize_grads=True)
    moves = zip(weights.items(), gradients, strict=True)
    return {name: weight - learning_rate * gradient for (name, weight), gradient in moves}
