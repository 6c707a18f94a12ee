"""Plays the turns of a method: the only file with `backward()` and `step()`.

Gradients are off by default and on for the mover only. Every network has an optimiser of its own, which equals one
joint Adam over several networks (Adam works element by element); the norm of a gradient does not, so clipping is
per turn.
"""

from collections.abc import Callable, Generator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor, nn
from torch.amp.grad_scaler import GradScaler

from translate.averaging import Averaged
from translate.bad_steps import MOST_BAD_STEPS, BadSteps
from translate.errors import DivergedError
from translate.method import Batch, Method, Progress, Terms, Turn
from translate.networks.recomputing import recompute
from translate.processes import Processes
from translate.rates import rate_factor
from translate.recipe import Recipe
from translate.statistics import copied, put_back
from translate.stepping import step_unless

Draw = Callable[[], Mapping[str, Tensor]]
Figures = dict[str, Tensor]

_READ_BACK = 16
"""A GPU is asked once in so many iterations whether steps were bad, since an answer means to wait for it."""
_CUDA_GRAPHS = "reduce-overhead"
"""torch.compile's name for it."""
_AUTOCAST: dict[str, torch.dtype] = {"bf16": torch.bfloat16, "fp16": torch.float16}


class Engine:
    """A method in training: its networks, optimisers, averages, and how far it is.

    `draw` of `play` gives the tensors of the next batch, by domain, on `device`.
    """

    def __init__(
        self, method: Method, recipe: Recipe[Any], device: torch.device, processes: Processes | None = None
    ) -> None:
        self.method = method.to(device).requires_grad_(False)
        if recipe.layout == "channels-last":
            # torch's types know only one of the two ways to call `to`
            self.method.to(memory_format=torch.channels_last)  # pyright: ignore[reportCallIssue]
        self.recipe = recipe
        self.device = device
        self.processes = processes or Processes()
        self.networks = method.networks()
        _refuse_shared_parameters(self.networks)
        self.processes.copy_from_first(method.state().values())
        self.averaged = Averaged(method, recipe.average_half_life_images)
        self.turns = method.turns()
        _refuse_strange_movers(self.turns, self.networks)
        self.optimisers = {name: recipe.optimisers[name].build(net.parameters()) for name, net in self.networks.items()}
        self.scaler = GradScaler(device.type, enabled=recipe.precision == "fp16")
        self.iteration = 0
        self.draws = 0
        self.bad_steps = BadSteps([turn.name for turn in self.turns], device)
        if recipe.recompute:
            for network in self.networks.values():  # not the frozen ones of losses
                recompute(network)
        if recipe.compile:
            for network in self.networks.values():
                network.compile(mode=_CUDA_GRAPHS if recipe.cuda_graphs else None)

    @property
    def images(self) -> int:
        """Training samples drawn so far, over all processes."""
        return self.draws * self.recipe.batch_size * self.processes.world

    @property
    def progress(self) -> Progress:
        """How far the run is."""
        return Progress(images=self.images, total_images=self.recipe.length.images or 1)

    def play(self, draw: Draw) -> Figures:
        """One iteration: every turn that is due, in order. Returns named figures (loss terms, notes)."""
        if self.recipe.cuda_graphs:  # what graphs gave in the last iteration is overwritten from here on
            torch.compiler.cudagraph_mark_step_begin()
        progress = self.progress
        due = [turn for turn in self.turns if turn.is_due(self.iteration, progress)]
        self._set_optimisers(progress)
        common = self._draw(draw, due)
        figures: Figures = {}
        for turn in due:
            for _ in range(turn.repeats - 1):
                self._move(turn, self._draw(draw, [turn]), progress)
            figures |= self._move(turn, common, progress)
        self.iteration += 1
        self.averaged.update(self.images, self.images - progress.images)
        return figures

    def _draw(self, draw: Draw, turns: list[Turn]) -> list[Batch]:
        movers = frozenset(network for turn in turns for network in turn.trains)
        batches = [Batch(self._laid_out(draw()), movers) for _ in range(self.recipe.accumulate)]
        self.draws += self.recipe.accumulate  # not before: where no batch comes, the run stands where it stood
        return batches

    def _laid_out(self, tensors: Mapping[str, Tensor]) -> Mapping[str, Tensor]:
        """Pictures in the recipe's order in memory."""
        if self.recipe.layout != "channels-last":
            return tensors
        last = torch.channels_last
        return {
            name: tensor.contiguous(memory_format=last) if tensor.dim() == 4 else tensor
            for name, tensor in tensors.items()
        }

    def _set_optimisers(self, progress: Progress) -> None:
        factor = self.recipe.schedule.factor(progress.fraction)
        factor *= rate_factor(self.recipe, images=progress.images, world=self.processes.world)
        for name, optimiser in self.optimisers.items():
            config = self.recipe.optimisers[name]
            for group in optimiser.param_groups:
                group.update(lr=config.learning_rate * factor, **config.settings(progress))

    def _move(self, turn: Turn, batches: list[Batch], progress: Progress) -> Figures:
        optimisers = [self.optimisers[name] for name, network in self.networks.items() if network in turn.trains]
        for optimiser in optimisers:
            optimiser.zero_grad(set_to_none=True)
        before = copied(self.networks.values())
        with _moving(turn.trains):
            figures = [self._backward(turn, batch, progress, len(batches)) for batch in batches]
        bad = self._step(turn, optimisers, figures)
        put_back(self.networks.values(), before, bad)
        self.bad_steps.count(turn.name, bad)
        if self.device.type == "cpu" or self.iteration % _READ_BACK == 0:
            self._refuse_divergence(figures, batches)
        return _mean(figures)

    def _backward(self, turn: Turn, batch: Batch, progress: Progress, parts: int) -> Figures:
        with batch.turn(turn.trains):
            with self.autocast():
                terms = turn.loss(batch, progress)
            total = torch.stack([term.float() for term in terms.values()]).sum()
            self.scaler.scale(total / parts).backward()
        return {**_named(turn, terms), **batch.take_notes()}

    def autocast(self) -> torch.autocast:
        """The context in which the networks compute at the recipe's precision."""
        dtype = _AUTOCAST.get(self.recipe.precision)
        return torch.autocast(self.device.type, dtype=dtype, enabled=dtype is not None)

    def _step(self, turn: Turn, optimisers: list[torch.optim.Optimizer], figures: list[Figures]) -> Tensor:
        """Move by the gradient, unless something is not finite: then nothing moves.

        Returns whether to count this step against the run (0-dimensional): nothing here waits for the device.
        """
        parameters = [parameter for network in turn.trains for parameter in network.parameters()]
        self.processes.average_gradients(parameters)
        for optimiser in optimisers:
            self.scaler.unscale_(optimiser)
        norm = torch.nn.utils.get_total_norm([p.grad for p in parameters if p.grad is not None])
        unmoved, bad = self._judged(norm, figures)
        bound = self.recipe.clip_norm if turn.clip_norm is None else turn.clip_norm
        if bound > 0:
            torch.nn.utils.clip_grads_with_norm_(parameters, bound, norm)
        for optimiser in optimisers:
            step_unless(unmoved, optimiser)
        self.scaler.update()
        return bad

    def _judged(self, norm: Tensor, figures: list[Figures]) -> Tensor:
        """Two flags: whether to stay, and whether that counts against the run.

        A step whose scaled gradient overflows is not taken, but the scaler answers with a smaller scale; below 1 that
        is no remedy.
        """
        finite = torch.stack([value.isfinite() for part in figures for value in part.values()]).all()
        stays = ~(finite & norm.isfinite().to(finite.device))
        answered = self._scale(finite.device) >= 1.0 if self.scaler.is_enabled() else torch.zeros_like(stays)
        return self.processes.any_of(torch.stack([stays, torch.where(answered, ~finite, stays)]))

    def _scale(self, device: torch.device) -> Tensor:
        """Of the gradients, as a tensor: `get_scale` would wait for the device."""
        return self.scaler.scale(torch.ones((), device=device))

    def _refuse_divergence(self, figures: list[Figures], batches: list[Batch]) -> None:
        name = self.bad_steps.too_many()
        if name is not None:
            raise DivergedError(
                f"{MOST_BAD_STEPS} or more steps in a row of turn {name!r} were not finite, the last at "
                f"{self.images} images; first bad tensor: {self._first_bad(figures, batches)}. No such step changed "
                "the weights. Lower the learning rate, or train in fp32 (--precision fp32), and resume."
            )

    def _first_bad(self, figures: list[Figures], batches: list[Batch]) -> str:
        """The first tensor that is not finite, in causal order: weights, pictures, figures, gradients."""
        for name, tensor in self.method.state().items():
            if not _is_finite(tensor):
                return f"weight {name}"
        for batch in batches:
            for name, tensor in batch.items():
                if not _is_finite(tensor):
                    return f"pictures of domain {name}"
        for name, value in ((name, value) for part in figures for name, value in part.items()):
            if not _is_finite(value):
                return f"loss {name}"
        return self._first_bad_gradient()

    def _first_bad_gradient(self) -> str:
        for name, parameter in self.method.named_parameters():
            if parameter.grad is not None and not _is_finite(parameter.grad):
                return f"gradient of {name}"
        return "none in the last batch of this process"

    def refuse_bad_weights(self) -> None:
        """Raise DivergedError where a weight or an average is not finite: such weights are never saved as good."""
        averages = {f"average of {name}": tensor for name, tensor in self.averaged.tensors().items()}
        for name, tensor in {**self.method.state(), **averages}.items():
            if not _is_finite(tensor):
                raise DivergedError(
                    f"weight {name} is not finite at {self.images} images; it is not saved. The last checkpoint is "
                    "good: lower the learning rate, or train in fp32 (--precision fp32), and resume from it."
                )


def _named(turn: Turn, terms: Terms) -> Figures:
    return {f"{turn.name}/{name}": term.detach().float() for name, term in terms.items()}


def _mean(figures: list[Figures]) -> Figures:
    return {name: torch.stack([part[name] for part in figures]).mean() for name in figures[0]}


def _is_finite(tensor: Tensor) -> bool:
    return bool(tensor.isfinite().all())


@contextmanager
def _moving(networks: tuple[nn.Module, ...]) -> Generator[None]:
    for network in networks:
        network.requires_grad_(True)
    try:
        yield
    finally:
        for network in networks:
            network.requires_grad_(False)


def _refuse_strange_movers(turns: Sequence[Turn], networks: Mapping[str, nn.Module]) -> None:
    for turn in turns:
        strange = [type(network).__name__ for network in turn.trains if network not in networks.values()]
        if strange:
            raise ValueError(f"Turn {turn.name!r} trains {strange}, no direct children of the method: make them so")
    if len({turn.name for turn in turns}) < len(turns):
        raise ValueError(f"Two turns have one name: {[turn.name for turn in turns]}")


def _refuse_shared_parameters(networks: Mapping[str, nn.Module]) -> None:
    owner: dict[nn.Parameter, str] = {}
    for name, network in networks.items():
        for parameter in network.parameters():
            other = owner.setdefault(parameter, name)
            if other != name:
                raise ValueError(f"Networks {other} and {name} share a parameter; make what they share a network")
