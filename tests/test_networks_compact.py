"""The compact enlarger against the published count and closed forms."""

import pytest
import torch
from reaching import make_positive, seen_rows
from small_networks import weights
from torch import nn

from translate.networks.compact import Compact

pytestmark = pytest.mark.usefixtures("seeded")


def test_compact_x4_has_1_21_million_weights():
    # The published SRVGGNetCompact of 32 convolutions, width 64, x 4: 1.21 M.
    convolutions = (9 * 3 * 64 + 64) + 32 * (9 * 64 * 64 + 64) + (9 * 64 * 48 + 48)
    assert weights(Compact(convolutions=32, scale=4)) == convolutions + 33 * 64 == 1_213_296


def test_compact_with_an_idle_body_repeats_every_pixel():
    network = Compact(width=2, convolutions=1, scale=3)
    for parameter in network.body[-1].parameters():
        nn.init.zeros_(parameter)
    picture = torch.randn(2, 3, 5, 7)
    assert torch.equal(network(picture), picture.repeat_interleave(3, dim=2).repeat_interleave(3, dim=3))


def test_compact_puts_each_channel_of_a_group_in_its_place():
    network = Compact(channels=1, width=4, convolutions=0, scale=2)
    picture = torch.zeros(1, 1, 1, 1)
    with torch.no_grad():
        network.body[-1].weight.zero_()
        network.body[-1].bias.copy_(torch.tensor([1.0, 2.0, 3.0, 4.0]))
    assert network(picture).tolist() == [[[[1.0, 2.0], [3.0, 4.0]]]]


@pytest.mark.parametrize("convolutions", [0, 3])
def test_compact_sees_its_context(convolutions):
    network = make_positive(Compact(channels=1, width=1, convolutions=convolutions, scale=1))
    first, last = seen_rows(network, 33, 16)
    assert 16 - first == last - 16 == network.context_px
