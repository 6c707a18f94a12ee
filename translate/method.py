"""What a method is: networks, the turns that they play, and the modules that users get.

A method says *what* moves and *by which loss*. The engine alone knows how: a method never calls backward, step,
zero_grad or cuda, never saves, and never writes detach.
"""

from collections.abc import Callable, Generator, ItemsView, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import Any, ClassVar

from torch import Tensor, nn

from translate.card import Port, Tiling
from translate.data.domain import SampleSpec
from translate.recipe import Recipe

Terms = Mapping[str, Tensor]


@dataclass(frozen=True, kw_only=True)
class Progress:
    """How far a run is: `images` seen of `total_images`."""

    images: int
    total_images: int

    @property
    def fraction(self) -> float:
        """From 0 at the start to 1 at the end."""
        return min(1.0, self.images / max(1, self.total_images))


class Batch:
    """Named tensors of one batch, with what turns share and what they note.

    A tensor made by a network that moves in this iteration is computed once, with its graph, and handed to every
    turn: with the graph to the turn that moves the network, detached to its opponents. So the fake that the
    discriminator learns from is the very fake that the generator then learns from, in either order of play.
    """

    def __init__(self, tensors: Mapping[str, Tensor], movers: frozenset[nn.Module] = frozenset()) -> None:
        self._tensors = dict(tensors)
        self._movers = movers
        self._playing: frozenset[nn.Module] = frozenset()
        self._shared: dict[str, tuple[Tensor, frozenset[nn.Module]]] = {}
        self._stale: set[str] = set()
        self._notes: dict[str, Tensor] = {}

    def __getitem__(self, name: str) -> Tensor:
        """The tensor of a domain: N x C x H x W in [-1, 1]."""
        return self._tensors[name]

    def __contains__(self, name: str) -> bool:
        """Whether the batch has this tensor."""
        return name in self._tensors

    def share(self, name: str, by: nn.Module | tuple[nn.Module, ...], make: Callable[[], Tensor]) -> Tensor:
        """`make()`, an output of the network or networks `by`, once for all turns.

        A turn that trains any of them gets it with its graph, the others without. Only the networks on the move take
        gradients, though the graph of a tensor that was made in an opponent's turn leads to all that move later.

        Args:
            name: of the tensor.
            by: every network of the method that makes it (an encoder and a generator, say); () for what no network
                makes, as noise and codes are: it stays the same through all turns. Raises ValueError where the name
                was shared with others.
            make: computes the tensor.
        """
        makers = frozenset(by if isinstance(by, tuple) else (by,))
        if name in self._shared and self._shared[name][1] != makers:
            raise ValueError(f"{name!r} was shared by other networks: give each tensor a name of its own")
        trains = bool(makers & self._playing)
        if name not in self._shared or (trains and name in self._stale):
            self._shared[name] = (self._make(makers, make), makers)
            self._stale.discard(name)
        value = self._shared[name][0]
        return value if trains else value.detach()

    def _make(self, makers: frozenset[nn.Module], make: Callable[[], Tensor]) -> Tensor:
        learning = (makers & self._playing) or (makers & self._movers)
        with ExitStack() as flags:
            for network in makers:
                flags.enter_context(_gradients(network, network in learning))
            return make()

    def note(self, name: str, value: Tensor) -> None:
        """Record a figure to watch, without a gradient (a discriminator's mean score, say)."""
        self._notes[name] = value.detach().float().mean()

    def take_notes(self) -> dict[str, Tensor]:
        """The figures noted since the last call."""
        notes, self._notes = self._notes, {}
        return notes

    def get(self, name: str) -> Tensor | None:
        """The tensor of a domain, or None where the data set has no such domain."""
        return self._tensors.get(name)

    def items(self) -> ItemsView[str, Tensor]:
        """The tensors by name, without what turns share."""
        return self._tensors.items()

    @contextmanager
    def turn(self, trains: tuple[nn.Module, ...]) -> Generator[None]:
        """The engine's side: within, `trains` are on the move; afterwards their outputs are stale for themselves."""
        self._playing = frozenset(trains)
        try:
            yield
        finally:
            for name, (value, makers) in list(self._shared.items()):
                if makers & self._playing:
                    self._shared[name] = (value.detach(), makers)
                    self._stale.add(name)
            self._playing = frozenset()


@contextmanager
def _gradients(network: nn.Module, wanted: bool) -> Generator[None]:
    before = [parameter.requires_grad for parameter in network.parameters()]
    network.requires_grad_(wanted)
    try:
        yield
    finally:
        for parameter, flag in zip(network.parameters(), before, strict=True):
            parameter.requires_grad_(flag)


@dataclass(frozen=True, kw_only=True)
class Scored:
    """A discriminator's scores of real and of made pictures, one tensor a scale, for watching its health."""

    real: Sequence[Tensor]
    fake: Sequence[Tensor]


LossOfTurn = Callable[[Batch, Progress], Terms]


@dataclass(frozen=True, kw_only=True)
class Turn:
    """One move of the game: `loss` gives named terms, their sum moves the networks in `trains`.

    The turn is played every `every` iterations, `repeats` times on a fresh batch each, from the fraction `start`
    of the run (included) to the fraction `stop` (excluded, but for 1). `clip_norm` bounds the global norm of the
    turn's gradient.
    """

    name: str
    trains: tuple[nn.Module, ...]
    loss: LossOfTurn
    every: int = 1
    repeats: int = 1
    start: float = 0.0
    stop: float = 1.0
    clip_norm: float | None = None

    def is_due(self, iteration: int, progress: Progress) -> bool:
        """Whether the turn is played in this iteration."""
        has_stopped = self.stop < 1.0 and progress.fraction >= self.stop
        return iteration % self.every == 0 and self.start <= progress.fraction and not has_stopped


@dataclass(frozen=True, kw_only=True)
class Deploy:
    """A deterministic module that users run, and what its card will say.

    `module` takes one N x C x H x W tensor in [-1, 1] per input port, in order, and returns one tensor, or a tuple
    of one tensor per output port, `scale` times as high and wide. `networks` are those of the method that it runs: the
    engine averages them.
    """

    module: nn.Module
    networks: tuple[nn.Module, ...]
    task: str
    inputs: tuple[Port, ...]
    outputs: tuple[Port, ...]
    scale: int = 1
    tiling: Tiling = "forbidden"

    def __post_init__(self) -> None:
        """Put wrappers, which are made anew, in the mode of the networks that they wrap, where that is evaluation."""
        if not any(network.training for network in self.networks):
            self.module.eval()


class Method(nn.Module):
    """A paper's idea: owns networks, says the turns that they play, and gives what users run.

    Subclasses have a nested frozen keyword-only dataclass `Config` and a constructor `(config, spec)`.
    """

    Config: ClassVar[type[Any]]
    takes_unlabelled: ClassVar[bool] = False
    """Whether it learns from samples whose class is hidden (label -1), too."""

    def __init__(self, config: Any, spec: SampleSpec) -> None:  # noqa: ANN401 - each method has a Config of its own
        super().__init__()
        self.config = config
        self.spec = spec

    @staticmethod
    def recipe() -> Recipe[Any]:
        """The paper's run, under the method's name."""
        raise NotImplementedError

    def turns(self) -> tuple[Turn, ...]:
        """The moves of one iteration, in the order of play."""
        raise NotImplementedError

    def deploys(self) -> dict[str, Deploy]:
        """What users run, by name (`AtoB`, `BtoA`, `generate`, ...); the first is the default."""
        raise NotImplementedError

    def scores(self, batch: Batch) -> dict[str, Scored]:
        """What each discriminator says of held-out pictures, real and made, by its name; none by default."""
        return {}

    def networks(self) -> dict[str, nn.Module]:
        """The networks by name: the direct children that some turn trains (a frozen backbone is none)."""
        moving = {network for turn in self.turns() for network in turn.trains}
        return {name: child for name, child in self.named_children() if child in moving}

    def state(self) -> dict[str, Tensor]:
        """What training changes: networks, and children that are state without parameters (replay pools)."""
        networks = self.networks()
        kept = {
            name for name, child in self.named_children() if name in networks or next(child.parameters(), None) is None
        }
        return {key: value for key, value in self.state_dict().items() if key.partition(".")[0] in kept}

    def load_state(self, tensors: Mapping[str, Tensor]) -> None:
        """Put back what `state` gave. Raises RuntimeError for tensors that are missing, foreign or of other shapes."""
        missing = self.state().keys() ^ tensors.keys()
        if missing:
            raise RuntimeError(f"these tensors are missing or foreign: {sorted(missing)[:5]}")
        self.load_state_dict(tensors, strict=False)
