"""From which size on an exported model is proven, and says so."""

import io
import threading
from dataclasses import replace

import pytest
from exported_nets import traced_once
from rich.console import Console
from tiny import card_of, photograph
from torch import nn

from pipelines.exporting.proving import Proof, least_sizes
from translate.card import Picture, SizeRule
from translate.errors import ModelError
from translate.method import Deploy


class LoudWhenSmall(nn.Module):
    """What statistics over few pixels do to rounding."""

    def __init__(self, under_px):
        super().__init__()
        self.under_px = under_px
        self.displays = set()

    def forward(self, picture):
        self.displays.add(sum(type(thread).__module__.startswith("rich") for thread in threading.enumerate()))
        return -picture * (1.001 if picture.shape[-1] < self.under_px else 1.0)


class Negative(nn.Module):
    def forward(self, picture):
        return -picture


def proof_of(network):
    rule = SizeRule(multiple_of_px=4, at_least_px=8)
    ports = {"inputs": (Picture(name="a", size=rule),), "outputs": (Picture(name="b", size=rule),)}
    deploy = Deploy(module=network, networks=(), task="translate", **ports)
    model = traced_once(replace(deploy, module=Negative().eval()), card_of(deploy))
    samples = [{"a": photograph(name)} for name in ("coffee", "cat")]
    terminal = Console(file=io.StringIO(), force_terminal=True)
    return Proof(deploy=deploy, samples=samples, usual_px=32, console=terminal), model, card_of(deploy)


@pytest.mark.parametrize(("under_px", "least_px"), [(0, 8), (10, 12), (20, 20)])
def test_the_card_states_the_least_size_that_is_proven(under_px, least_px):
    proof, model, card = proof_of(LoudWhenSmall(under_px))
    proven = proof.of_numbers(model, card)
    assert {port.size.at_least_px for port in (*proven.inputs, *proven.outputs)} == {least_px}
    assert {port.size.multiple_of_px for port in proven.inputs} == {4}
    # Two of them wait for each other for ever, sooner or later.
    assert proof.deploy.module.displays == {1}


def test_where_no_size_is_proven_the_first_refusal_comes_through():
    proof, model, card = proof_of(LoudWhenSmall(10_000))
    with pytest.raises(ModelError, match="at 8 x 8 px"):
        proof.of_numbers(model, card)


def test_least_sizes_are_in_the_rule_and_end_at_the_training_crop():
    assert least_sizes(SizeRule(multiple_of_px=4, at_least_px=8), 32) == [8, 12, 20, 32]
    assert least_sizes(SizeRule(multiple_of_px=256, at_least_px=256), 256) == [256]
    assert least_sizes(SizeRule(), 4) == [1, 2, 3]
