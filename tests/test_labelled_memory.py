"""The memory of labelled samples, on numbered ones."""

import pytest
import torch
from torch import Tensor

from translate.data.labelled_memory import LabelledMemory
from translate.errors import ConfigurationError


def numbered(*numbers: float) -> Tensor:
    return torch.tensor(numbers).reshape(-1, 1, 1, 1).repeat(1, 1, 2, 2)


def labels(*numbers: int) -> Tensor:
    return torch.tensor(numbers, dtype=torch.int64)


def memory(capacity: int) -> LabelledMemory:
    return LabelledMemory(capacity=capacity, shape=(1, 2, 2))


def drawn(kept: LabelledMemory, count: int = 200) -> set[tuple[float, int]]:
    samples, of_samples = kept.draw(count)
    assert samples.shape == (count, 1, 2, 2)
    return set(zip(samples[:, 0, 0, 0].tolist(), of_samples.tolist(), strict=True))


def test_only_labelled_samples_are_kept_each_with_its_label():
    kept = memory(5)
    kept.gather(numbered(1.0, 2.0, 3.0, 4.0), labels(-1, 7, -1, 0))
    kept.gather(numbered(5.0, 6.0), labels(-1, -1))
    assert drawn(kept) == {(2.0, 7), (4.0, 0)}


def test_the_oldest_make_place():
    kept = memory(3)
    for number in range(5):
        kept.gather(numbered(float(number), 99.0), labels(number, -1))
    assert drawn(kept) == {(2.0, 2), (3.0, 3), (4.0, 4)}
    kept.gather(numbered(*map(float, range(10, 17))), labels(*range(10, 17)))
    assert drawn(kept) == {(14.0, 14), (15.0, 15), (16.0, 16)}


def test_each_is_drawn_equally_often():
    torch.manual_seed(0)
    kept = memory(10)
    kept.gather(numbered(0.0, 1.0, 2.0, 3.0), labels(0, 1, 2, 3))
    counts = torch.bincount(kept.draw(4000)[1], minlength=4).float()
    assert float((counts - 1000).abs().max()) < 5 * 750**0.5


def test_before_the_first_label_what_is_drawn_has_none():
    samples, of_samples = memory(3).draw(4)
    assert samples.shape == (4, 1, 2, 2)
    assert of_samples.tolist() == [-1] * 4


def test_content_survives_a_state_dict_and_has_no_parameters():
    kept, other = memory(3), memory(3)
    kept.gather(numbered(1.0, 2.0), labels(4, 5))
    assert list(kept.parameters()) == []
    other.load_state_dict(kept.state_dict())
    other.gather(numbered(3.0), labels(6))
    assert drawn(other) == {(1.0, 4), (2.0, 5), (3.0, 6)}


def test_what_is_drawn_is_no_view_of_what_is_kept():
    kept = memory(2)
    kept.gather(numbered(1.0), labels(1))
    kept.draw(3)[0].fill_(9.0)
    assert drawn(kept) == {(1.0, 1)}


def test_draws_follow_from_the_seed():
    def run() -> list[int]:
        torch.manual_seed(5)
        kept = memory(4)
        kept.gather(numbered(1.0, 2.0, 3.0), labels(1, 2, 3))
        return kept.draw(30)[1].tolist()

    assert run() == run()


def test_a_memory_without_place_is_refused():
    with pytest.raises(ConfigurationError, match=r"--config\.memory is 0"):
        memory(0)
