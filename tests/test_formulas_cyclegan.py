"""CycleGAN's terms and gradients against the paper's formulas, written out anew with plain torch."""

from dataclasses import replace
from typing import Any

import pytest
import torch
from tiny import CPU, assert_same_move, batch_of, terms_of, tiny_engine, tiny_method, tiny_recipe
from torch import Tensor
from torch.nn import functional

from pipelines.methods.cyclegan import CycleGAN
from translate.engine import Engine
from translate.errors import ConfigurationError
from translate.losses.gradient_penalty import GradientPenalty
from translate.method import Batch
from translate.networks.discriminators import DiscriminatorConfig


def method_of(*, a: tuple[str, ...] = ("rgb",), b: tuple[str, ...] = ("rgb",), **config: Any) -> tuple[CycleGAN, Batch]:
    recipe = tiny_recipe("cyclegan", a=a, b=b)
    recipe = replace(recipe, config=replace(recipe.config, **config))
    method = tiny_method(recipe)
    assert isinstance(method, CycleGAN)
    return method, Batch(batch_of(recipe), frozenset(method.networks().values()))


def l1(one: Tensor, other: Tensor) -> Tensor:
    return functional.l1_loss(one, other)


def towards(discriminator: torch.nn.Module, pictures: Tensor, target: float) -> Tensor:
    (scores,) = discriminator(pictures)
    return functional.mse_loss(scores, torch.full_like(scores, target))


def generators_terms(method: CycleGAN, a: Tensor, b: Tensor, cycle: float = 10.0) -> dict[str, Tensor]:
    """Equations 1, 2 and 3; with least squares of section 4."""
    g, f = method.generator_ab, method.generator_ba
    return {
        "adversarial_a": towards(method.discriminator_a, f(b), 1.0),
        "adversarial_b": towards(method.discriminator_b, g(a), 1.0),
        "cycle_a": cycle * l1(f(g(a)), a),
        "cycle_b": cycle * l1(g(f(b)), b),
    }


def test_generators_terms_are_the_papers():
    method, batch = method_of()
    a, b = batch["a"], batch["b"]

    def expected():
        identity = {
            "identity_a": 5.0 * l1(method.generator_ba(a), a),
            "identity_b": 5.0 * l1(method.generator_ab(b), b),
        }
        return generators_terms(method, a, b) | identity

    assert_same_move(method, "generators", batch, expected)


def test_weights_reach_their_terms():
    method, batch = method_of(cycle_weight=3.0, identity_weight=0.25)
    a, b = batch["a"], batch["b"]

    def expected():
        identity = {
            "identity_a": 0.75 * l1(method.generator_ba(a), a),
            "identity_b": 0.75 * l1(method.generator_ab(b), b),
        }
        return generators_terms(method, a, b, cycle=3.0) | identity

    assert_same_move(method, "generators", batch, expected)


def test_without_identity_where_it_is_off_or_the_domains_differ_in_channels():
    method, batch = method_of(identity_weight=0.0)
    assert_same_move(method, "generators", batch, lambda: generators_terms(method, batch["a"], batch["b"]))
    method, batch = method_of(b=("grey",))
    assert_same_move(method, "generators", batch, lambda: generators_terms(method, batch["a"], batch["b"]))


def test_each_discriminator_halves_its_least_squares():
    """1/2 (E[(D_A(a) - 1)^2] + E[D_A(F(b))^2]) and the same of B; with an empty pool the fakes are the newest."""
    method, batch = method_of(pool_size=0)
    a, b = batch["a"], batch["b"]

    def of_a():
        fake = method.generator_ba(b).detach()
        return {
            "adversarial": 0.5 * (towards(method.discriminator_a, a, 1.0) + towards(method.discriminator_a, fake, 0.0))
        }

    def of_b():
        fake = method.generator_ab(a).detach()
        return {
            "adversarial": 0.5 * (towards(method.discriminator_b, b, 1.0) + towards(method.discriminator_b, fake, 0.0))
        }

    assert_same_move(method, "discriminator_a", batch, of_a)
    assert_same_move(method, "discriminator_b", batch, of_b)


def test_penalties_are_those_of_each_discriminators_own_domain():
    """gamma / 2 E ||grad D||^2 on what each judges as real and as made."""
    method, batch = method_of(
        pool_size=0,
        discriminator=DiscriminatorConfig(width=4, layers=1, norm="none"),
        penalty=GradientPenalty(kind="r1+r2", gamma=4.0),
    )

    def steepness(discriminator: torch.nn.Module, pictures: Tensor) -> Tensor:
        pictures = pictures.detach().requires_grad_(True)
        (slope,) = torch.autograd.grad(discriminator(pictures)[0].sum(), [pictures], create_graph=True)
        return slope.square().sum() / len(pictures)

    def expected(discriminator: torch.nn.Module, real: Tensor, fake: Tensor):
        return {
            "adversarial": 0.5 * (towards(discriminator, real, 1.0) + towards(discriminator, fake, 0.0)),
            "r1": 2.0 * steepness(discriminator, real),
            "r2": 2.0 * steepness(discriminator, fake),
        }

    a, b = batch["a"], batch["b"]
    with torch.no_grad():
        fake_a, fake_b = method.generator_ba(b), method.generator_ab(a)
    assert_same_move(method, "discriminator_a", batch, lambda: expected(method.discriminator_a, a, fake_a))
    assert_same_move(method, "discriminator_b", batch, lambda: expected(method.discriminator_b, b, fake_b))


def test_relativistic_game_compares_with_the_real_picture_of_the_same_domain():
    method, batch = method_of(objective="relativistic", identity_weight=0.0)
    a, b = batch["a"], batch["b"]

    def lead(discriminator: torch.nn.Module, real: Tensor, fake: Tensor) -> Tensor:
        return discriminator(real)[0] - discriminator(fake)[0]

    def expected():
        g, f = method.generator_ab, method.generator_ba
        terms = generators_terms(method, a, b)
        terms["adversarial_a"] = functional.softplus(lead(method.discriminator_a, a, f(b))).mean()
        terms["adversarial_b"] = functional.softplus(lead(method.discriminator_b, b, g(a))).mean()
        return terms

    assert_same_move(method, "generators", batch, expected)


def test_discriminators_learn_from_their_own_pool():
    """Full pools of known pictures: what the discriminators judge as fake is what each pool gives back."""
    method, batch = method_of(pool_size=2)
    for pool, level in ((method.pool_a, 0.25), (method.pool_b, -0.5)):
        pool.pictures.fill_(level)
        pool.filled.fill_(2)
    judged: dict[str, list[Tensor]] = {"a": [], "b": []}
    method.discriminator_a.register_forward_pre_hook(lambda _m, inputs: judged["a"].append(inputs[0]))
    method.discriminator_b.register_forward_pre_hook(lambda _m, inputs: judged["b"].append(inputs[0]))
    old = {"a": 0, "b": 0}
    for seed in range(8):
        torch.manual_seed(seed)
        for pool, level in ((method.pool_a, 0.25), (method.pool_b, -0.5)):
            pool.pictures.fill_(level)
        for domain, level in (("a", 0.25), ("b", -0.5)):
            judged[domain].clear()
            terms_of(method, f"discriminator_{domain}", batch)
            real, fake = judged[domain]
            assert torch.equal(real, batch[domain])
            old[domain] += sum(bool((picture == level).all()) for picture in fake)
    assert all(3 <= count <= 13 for count in old.values()), f"of 16, about half are from the pool: {old}"


def test_generators_play_first_then_both_discriminators():
    recipe = tiny_recipe("cyclegan")
    engine = tiny_engine(recipe)
    assert [turn.name for turn in engine.turns] == ["generators", "discriminator_a", "discriminator_b"]


def test_three_iterations_equal_a_joint_adam_bit_by_bit():
    """The reference: one Adam over both generators, one over both discriminators, as the published code has it."""
    recipe = tiny_recipe("cyclegan")
    engine = Engine(tiny_method(recipe), recipe, CPU)
    method = tiny_method(recipe)
    assert isinstance(method, CycleGAN)
    optimisers = {
        "generators": joint_adam(method.generator_ab, method.generator_ba),
        "discriminators": joint_adam(method.discriminator_a, method.discriminator_b),
    }
    torch.manual_seed(3)
    for index in range(3):
        batch = batch_of(recipe, index)
        engine.play(lambda batch=batch: batch)
    torch.manual_seed(3)
    for index in range(3):
        reference_iteration(method, optimisers, batch_of(recipe, index))
    ours, theirs = engine.method.state_dict(), method.state_dict()
    assert [name for name in ours if not torch.equal(ours[name], theirs[name])] == []


def joint_adam(*networks: torch.nn.Module) -> torch.optim.Adam:
    parameters = [parameter for network in networks for parameter in network.parameters()]
    return torch.optim.Adam(parameters, lr=2e-4, betas=(0.5, 0.999), fused=True)


def reference_iteration(method: CycleGAN, optimisers: dict[str, torch.optim.Adam], pictures: dict[str, Tensor]) -> None:
    """Both networks of a kind in one step, with the method's own losses."""
    batch = Batch(pictures, frozenset(method.networks().values()))
    moves = {
        "generators": ((method.generator_ab, method.generator_ba), ("generators",)),
        "discriminators": ((method.discriminator_a, method.discriminator_b), ("discriminator_a", "discriminator_b")),
    }
    for name, (networks, turns) in moves.items():
        method.requires_grad_(False)
        for network in networks:
            network.requires_grad_(True)
        optimisers[name].zero_grad()
        loss = sum((sum(terms_of(method, turn, batch).values()) for turn in turns), torch.zeros(()))
        loss.backward()
        optimisers[name].step()


def test_a_penalty_under_batch_norm_is_refused():
    with pytest.raises(ConfigurationError, match=r"--config\.discriminator\.norm"):
        CycleGAN.Config(penalty=GradientPenalty(kind="r1"), discriminator=DiscriminatorConfig(norm="batch"))


def test_defaults_are_the_papers():
    recipe = CycleGAN.recipe()
    config = recipe.config
    assert (config.cycle_weight, config.identity_weight, config.pool_size) == (10.0, 0.5, 50)
    assert config.objective == "least-squares"
    assert (config.generator.kind, config.generator.norm, config.generator.blocks) == ("resnet", "instance", 9)
    assert config.generator.dropout == 0.0
    assert (config.discriminator.layers, config.discriminator.norm) == (3, "instance")
    assert {(adam.learning_rate, adam.beta1, adam.beta2) for adam in recipe.optimisers.values()} == {(2e-4, 0.5, 0.999)}
    assert (recipe.length.epochs, recipe.batch_size, recipe.domains.paired) == (200, 1, False)
    assert (recipe.schedule.shape, recipe.schedule.hold) == ("linear", 0.5)


def test_scores_are_those_of_each_domains_pictures():
    method, batch = method_of()
    found = method.scores(batch)
    a, b = batch["a"], batch["b"]
    pairs = {
        "discriminator_a": (method.discriminator_a, a, method.generator_ba(b)),
        "discriminator_b": (method.discriminator_b, b, method.generator_ab(a)),
    }
    for name, (discriminator, real, fake) in pairs.items():
        assert torch.equal(torch.cat(list(found[name].real)), discriminator(real)[0])
        assert torch.equal(torch.cat(list(found[name].fake)), discriminator(fake)[0])


def test_directions_are_named_after_what_goes_in_and_what_comes_out():
    method, batch = method_of(b=("grey",))
    method.eval()
    deploys = method.deploys()
    assert list(deploys) == ["AtoB", "BtoA"]
    (there,) = deploys["AtoB"].module(batch["a"])
    (back,) = deploys["BtoA"].module(batch["b"])
    assert torch.equal(there, method.generator_ab(batch["a"]))
    assert torch.equal(back, method.generator_ba(batch["b"]))
    assert [port.name for port in deploys["BtoA"].inputs] == ["b"]
    assert [port.name for port in deploys["BtoA"].outputs] == ["a"]
