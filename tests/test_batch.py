"""What turns share, and to whom the graph goes: by autograd's own account."""

import pytest
import torch
from torch import nn

from translate.method import Batch, Progress, Turn


class Counting(nn.Module):
    """A generator that counts how often it runs."""

    def __init__(self) -> None:
        super().__init__()
        self.layer = nn.Linear(3, 3)
        self.calls = 0

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        self.calls += 1
        return self.layer(x)


@pytest.fixture
def generator() -> Counting:
    torch.manual_seed(0)
    return Counting().requires_grad_(False)


@pytest.fixture
def opponent() -> nn.Module:
    return nn.Linear(3, 1).requires_grad_(False)


def batch_with(*movers: nn.Module) -> Batch:
    return Batch({"a": torch.ones(2, 3)}, frozenset(movers))


def share(batch: Batch, generator: nn.Module) -> torch.Tensor:
    return batch.share("fake", generator, lambda: generator(batch["a"]))


def test_opponent_first_gets_the_values_without_the_graph_and_the_maker_the_same_with_it(generator, opponent):
    batch = batch_with(generator, opponent)
    with batch.turn((opponent,)):
        judged = share(batch, generator)
        assert not judged.requires_grad
        assert judged.grad_fn is None
    generator.requires_grad_(True)
    with batch.turn((generator,)):
        own = share(batch, generator)
        assert own.requires_grad
        own.sum().backward()
    assert torch.equal(own, judged)
    assert torch.equal(generator.layer.bias.grad, torch.full((3,), 2.0))
    assert generator.calls == 1


def test_maker_first_keeps_its_graph_to_itself(generator, opponent):
    batch = batch_with(generator, opponent)
    with batch.turn((generator,)):
        own = share(batch, generator)
        assert own.requires_grad
        assert share(batch, generator) is own
    with batch.turn((opponent,)):
        judged = share(batch, generator)
        assert judged.grad_fn is None
        kept, _by = batch._shared["fake"]
        assert kept.grad_fn is None, "the graph of a turn that is over would hold its memory"
    assert torch.equal(own, judged)
    assert generator.calls == 1


def test_outside_of_turns_nobody_gets_a_graph(generator):
    assert share(batch_with(generator), generator).grad_fn is None


def test_two_turns_of_the_maker_make_it_anew_since_the_maker_has_moved(generator):
    batch = batch_with(generator)
    with batch.turn((generator,)):
        share(batch, generator).sum().backward()
    with torch.no_grad():
        generator.layer.bias.add_(1.0)
    with batch.turn((generator,)):
        second = share(batch, generator)
        second.sum().backward()
    assert generator.calls == 2
    assert torch.equal(second, generator.layer(batch["a"]))


def test_an_opponent_between_two_turns_of_the_maker_sees_the_first_fake(generator, opponent):
    batch = batch_with(generator, opponent)
    with batch.turn((generator,)):
        first = share(batch, generator).detach().clone()
    with batch.turn((opponent,)):
        assert torch.equal(share(batch, generator), first)
        assert torch.equal(share(batch, generator), first)
    assert generator.calls == 1
    with batch.turn((generator,)):
        assert share(batch, generator).requires_grad
        assert share(batch, generator) is share(batch, generator)
    assert generator.calls == 2


def test_a_network_that_does_not_move_in_this_iteration_makes_no_graph(generator, opponent):
    batch = batch_with(opponent)
    with batch.turn((opponent,)):
        share(batch, generator)
    kept, _by = batch._shared["fake"]
    assert kept.grad_fn is None, "the graph would hold memory for nobody"


def test_a_frozen_mover_is_frozen_again_after_making(generator, opponent):
    generator.layer.bias.requires_grad_(True)
    batch = batch_with(generator, opponent)
    with batch.turn((opponent,)):
        share(batch, generator)
    assert [parameter.requires_grad for parameter in generator.parameters()] == [False, True]


def test_flags_are_put_back_when_making_fails(generator):
    batch = batch_with(generator)

    def fail() -> torch.Tensor:
        raise RuntimeError("no")

    with batch.turn(()), pytest.raises(RuntimeError, match="no"):
        batch.share("fake", generator, fail)
    assert not any(parameter.requires_grad for parameter in generator.parameters())


def test_nobody_is_on_the_move_after_a_turn_that_failed(generator):
    batch = batch_with(generator)

    def fail() -> None:
        with batch.turn((generator,)):
            share(batch, generator)
            raise RuntimeError("no")

    with pytest.raises(RuntimeError, match="no"):
        fail()
    assert share(batch, generator).grad_fn is None


def share_of(batch: Batch, *makers: Counting) -> torch.Tensor:
    def make() -> torch.Tensor:
        value = batch["a"]
        for maker in makers:
            value = maker(value)
        return value

    return batch.share("fake", makers, make)


def move(batch: Batch, trains: tuple[Counting, ...], makers: tuple[Counting, ...]) -> list[bool]:
    """Whether each maker got a gradient in a turn that trains some of them, with the flags that the engine sets."""
    for maker in makers:
        maker.requires_grad_(maker in trains).zero_grad(set_to_none=True)
    with batch.turn(trains):
        share_of(batch, *makers).sum().backward()
    for maker in makers:
        maker.requires_grad_(False)
    return [maker.layer.weight.grad is not None for maker in makers]


def test_what_two_networks_make_together_has_a_graph_to_both_for_the_turn_of_both(generator, opponent):
    encoder = Counting().requires_grad_(False)
    batch = batch_with(encoder, generator, opponent)
    with batch.turn((opponent,)):
        assert share_of(batch, encoder, generator).grad_fn is None
    assert move(batch, (encoder, generator), (encoder, generator)) == [True, True]
    assert encoder.calls == generator.calls == 1


@pytest.mark.parametrize("mover", [0, 1])
def test_a_turn_of_one_of_two_makers_gives_a_gradient_to_that_one(generator, opponent, mover):
    makers = (Counting().requires_grad_(False), generator)
    batch = batch_with(*makers, opponent)
    with batch.turn((opponent,)):
        share_of(batch, *makers)
    assert move(batch, (makers[mover],), makers) == [index == mover for index in range(2)]
    assert generator.calls == 1, "the very fake that the opponent saw"
    assert move(batch, (makers[1 - mover],), makers) == [index != mover for index in range(2)]
    assert generator.calls == 2, "one of its makers has moved"


def test_one_name_belongs_to_the_same_networks(generator):
    encoder = Counting().requires_grad_(False)
    batch = batch_with(encoder, generator)
    first = share_of(batch, encoder, generator)
    assert torch.equal(share_of(batch, encoder, generator), first)
    with pytest.raises(ValueError, match="'fake'"):
        share(batch, generator)


def test_names_are_shared_apart(generator):
    batch = batch_with(generator)
    with batch.turn((generator,)):
        one = batch.share("one", generator, lambda: generator(batch["a"]))
        two = batch.share("two", generator, lambda: generator(-batch["a"]))
    assert not torch.equal(one, two)


def test_notes_are_means_without_a_gradient_and_are_taken_once():
    batch = batch_with()
    batch.note("score", torch.tensor([1.0, 3.0], requires_grad=True, dtype=torch.float64))
    notes = batch.take_notes()
    assert notes["score"].item() == 2.0
    assert notes["score"].dtype == torch.float32
    assert not notes["score"].requires_grad
    assert batch.take_notes() == {}


def test_tensors_by_domain():
    batch = batch_with()
    assert "a" in batch
    assert "b" not in batch
    assert [name for name, _ in batch.items()] == ["a"]
    with pytest.raises(KeyError):
        batch["b"]


@pytest.mark.parametrize(
    ("every", "start", "stop", "iteration", "images", "due"),
    [
        (1, 0.0, 1.0, 0, 0, True),
        (1, 0.0, 1.0, 7, 100, True),
        (1, 0.0, 1.0, 7, 150, True),
        (3, 0.0, 1.0, 4, 0, False),
        (3, 0.0, 1.0, 6, 0, True),
        (1, 0.5, 1.0, 0, 49, False),
        (1, 0.5, 1.0, 0, 50, True),
        (1, 0.0, 0.5, 0, 49, True),
        (1, 0.0, 0.5, 0, 50, False),
    ],
)
def test_when_a_turn_is_due(every, start, stop, iteration, images, due):
    turn = Turn(name="t", trains=(), loss=lambda _b, _p: {}, every=every, start=start, stop=stop)
    assert turn.is_due(iteration, Progress(images=images, total_images=100)) is due


@pytest.mark.parametrize(
    ("images", "total", "fraction"), [(0, 10, 0.0), (5, 10, 0.5), (20, 10, 1.0), (0, 0, 0.0), (1, 1, 1.0)]
)
def test_progress_as_a_fraction(images, total, fraction):
    assert Progress(images=images, total_images=total).fraction == fraction
