"""The replay pool against the rule of Shrivastava et al. 2017, as CycleGAN has it, on numbered pictures."""

import pytest
import torch
from torch import Tensor

from translate.data.pool import ReplayPool


def numbered(*numbers: float) -> Tensor:
    return torch.tensor(numbers).reshape(-1, 1, 1, 1).repeat(1, 1, 2, 2)


def numbers_of(pictures: Tensor) -> list[float]:
    return pictures[:, 0, 0, 0].tolist()


def pool(capacity: int) -> ReplayPool:
    return ReplayPool(capacity=capacity, channels=1, height_px=2, width_px=2)


def test_until_it_is_full_every_fake_is_stored_and_given_back():
    replay = pool(3)
    assert numbers_of(replay.exchange(numbered(1.0, 2.0))) == [1.0, 2.0]
    assert int(replay.filled) == 2
    assert numbers_of(replay.exchange(numbered(3.0))) == [3.0]
    assert numbers_of(replay.pictures) == [1.0, 2.0, 3.0]


def test_once_full_half_are_given_back_and_the_others_take_the_place_of_what_comes_out():
    torch.manual_seed(0)
    replay = pool(4)
    replay.exchange(numbered(0.0, 1.0, 2.0, 3.0))
    inside, same = {0.0, 1.0, 2.0, 3.0}, 0
    places = dict.fromkeys(range(4), 0)
    for number in range(4, 404):
        before = numbers_of(replay.pictures)
        (given,) = numbers_of(replay.exchange(numbered(float(number))))
        after = numbers_of(replay.pictures)
        if given == number:
            same += 1
            assert after == before
        else:
            places[before.index(given)] += 1
            inside = inside - {given} | {float(number)}
            assert set(after) == inside
            assert after.index(number) == before.index(given)
    assert 160 <= same <= 240, "four standard deviations around half of 400"
    assert min(places.values()) >= 25, "every place is drawn"


def test_capacity_0_gives_back_the_very_fakes():
    fakes = numbered(1.0, 2.0)
    assert pool(0).exchange(fakes) is fakes


def test_draws_follow_from_the_seed():
    def run() -> list[float]:
        torch.manual_seed(5)
        replay = pool(2)
        return [number for n in range(30) for number in numbers_of(replay.exchange(numbered(float(n))))]

    assert run() == run()


def test_what_comes_out_has_no_gradient_and_is_no_view_of_the_store():
    replay = pool(1)
    replay.exchange(numbered(1.0))
    fake = numbered(2.0).requires_grad_(True)
    torch.manual_seed(0)
    outs = [replay.exchange(fake) for _ in range(8)]
    assert not any(out.requires_grad for out in outs)
    outs[-1].fill_(9.0)
    assert 9.0 not in numbers_of(replay.pictures)


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16])
def test_half_precision_fakes_come_back_like_the_stored_ones(dtype):
    replay = pool(1)
    assert replay.exchange(numbered(1.5).to(dtype)).dtype == torch.float32
    assert {replay.exchange(numbered(2.5).to(dtype)).dtype for _ in range(6)} == {torch.float32}


@pytest.mark.parametrize("bad", [float("nan"), float("inf")])
@pytest.mark.parametrize("filled", [0, 2])
def test_what_is_not_finite_is_given_back_and_never_stored(bad, filled):
    replay = pool(2)
    for _ in range(filled):
        replay.exchange(numbered(1.0))
    for _ in range(8):
        assert not replay.exchange(numbered(bad)).isfinite().any()
    assert int(replay.filled) == filled
    assert replay.pictures.isfinite().all()


def test_content_survives_a_state_dict():
    replay, other = pool(3), pool(3)
    replay.exchange(numbered(1.0, 2.0))
    other.load_state_dict(replay.state_dict())
    assert numbers_of(other.pictures) == [1.0, 2.0, 0.0]
    assert int(other.filled) == 2
