"""Other people's generators compute here what they compute there; what does not fit is refused by name."""

from itertools import product
from pathlib import Path

import numpy as np
import pytest
import torch
from reference_generators import as_their_test_script, resnet, unet

from pipelines.importing import ImportSettings, TheirOptions, directions
from pipelines.importing.cyclegan_pix2pix import from_cyclegan_pix2pix
from pipelines.importing.directions import generators
from pipelines.importing.run import _hashes, import_weights
from pipelines.load import load
from translate.card import Card
from translate.errors import ConfigurationError, ModelError
from translate.runtime.onnx import OnnxRuntime

SAME = 1e-5


def imported(state, *, said=None, statistics="picture", way="AtoB"):
    return from_cyclegan_pix2pix(state, "net_G.pth", said or TheirOptions(), statistics, way)


def picture(side=32, channels=3):
    return torch.rand(1, channels, side, side, generator=torch.Generator().manual_seed(1)) * 2 - 1


def difference(network, deploy, side=32):
    given = picture(side, deploy.inputs[0].channels)
    with torch.no_grad():
        theirs, (ours,) = network(given), deploy.module(given)
    assert theirs.std() > 0.05
    return float((theirs - ours).abs().max())


RESNETS = list(product(["instance", "old-instance", "batch", "none"], [False, True], product([False, True], repeat=2)))


@pytest.mark.parametrize(("norm", "dropout", "antialias"), RESNETS)
def test_resnets_compute_the_same(norm, dropout, antialias):
    network = resnet(norm=norm, dropout=dropout, antialias=antialias)
    found = imported(network.state_dict())
    assert difference(as_their_test_script(network), found.deploy) <= SAME
    assert not any(part.training for part in found.deploy.module.modules())


@pytest.mark.parametrize("norm", ["instance", "old-instance", "batch", "none"])
@pytest.mark.parametrize("dropout", [False, True])
def test_u_nets_compute_the_same(norm, dropout):
    network = unet(depth=6, norm=norm, dropout=dropout)
    assert difference(as_their_test_script(network), imported(network.state_dict()).deploy, side=64) <= SAME


@pytest.mark.parametrize(("depth", "name"), [(7, "unet_128"), (8, "unet_256")])
def test_u_nets_of_the_published_depths(depth, name):
    network = unet(depth=depth, width=2)
    found = imported(network.state_dict(), said=TheirOptions(arch=name, norm="batch"))
    assert name in found.about
    assert difference(as_their_test_script(network), found.deploy, side=2**depth) <= SAME


@pytest.mark.parametrize("blocks", [6, 9])
def test_resnets_of_the_published_depths(blocks):
    network = resnet(blocks=blocks, width=2)
    found = imported(
        network.state_dict(), said=TheirOptions(arch=f"resnet_{blocks}blocks", norm="instance", dropout="no")
    )
    assert f"resnet_{blocks}blocks" in found.about
    assert difference(network, found.deploy) <= SAME


def test_running_statistics_are_evaluation_mode_and_the_default_is_not():
    network = unet(norm="batch", dropout=True)
    running = imported(network.state_dict(), statistics="running").deploy
    of_picture = imported(network.state_dict()).deploy
    evaluated = as_their_test_script(network, evaluation=True)
    assert difference(evaluated, running) <= SAME
    assert difference(evaluated, of_picture) > 0.05  # the control: the two are different pictures
    assert of_picture.tiling == running.tiling == "forbidden"


def test_running_statistics_that_are_not_there():
    state = {name: tensor for name, tensor in resnet(norm="batch").state_dict().items() if "running" not in name}
    imported(state)
    with pytest.raises(ModelError, match="--batch-statistics"):
        imported(state, statistics="running")


def test_parallel_half_precision_and_shuffled():
    network = resnet().half().float()
    names = list(network.state_dict().items())[::-1]
    assert difference(network, imported({f"module.{name}": tensor.half() for name, tensor in names}).deploy) <= SAME


def test_channels_width_and_names():
    found = imported(resnet(inputs=1, outputs=4, width=6).state_dict(), way="BtoA")
    assert [(port.name, port.channels) for port in (*found.deploy.inputs, *found.deploy.outputs)] == [
        ("b", 1),
        ("a", 4),
    ]
    assert "width 6" in found.about


def changed(change):
    state = dict(resnet(norm="instance", blocks=6).state_dict())
    change(state)
    return state


def renamed(state, old, new):
    state[new] = state.pop(old)


def crop_weight(state, name):
    state[name] = state[name][:, :1]


REFUSED = {
    "a layer is missing": (
        changed(lambda state: state.pop("model.4.weight")),
        "resnet_6blocks.*lacks 'model.4.weight'",
    ),
    "a layer too many": (changed(lambda state: state.update({"model.99.weight": torch.ones(1)})), "besides"),
    "another place": (changed(lambda state: renamed(state, "model.16.weight", "model.17.weight")), "nearest"),
    "another shape": (changed(lambda state: crop_weight(state, "model.12.conv_block.1.weight")), "16 x 1 x 3 x 3"),
    "a discriminator": ({"model.0.weight": torch.ones(4, 3, 4, 4)}, "discriminator"),
    "a feature network": ({"mlp_0.0.weight": torch.ones(4, 3)}, "net_F"),
    "something else": ({"conv_first.weight": torch.ones(4, 3, 3, 3)}, "--from spandrel"),
    "lab": (dict(resnet(inputs=1, outputs=2).state_dict()), "Lab"),
    "no colours": (dict(resnet(inputs=7).state_dict()), "7 channels"),
    "another filter": (
        {**resnet(antialias=(True, True)).state_dict(), "model.7.filt": torch.ones(8, 1, 3, 3)},
        "another filter",
    ),
    "far too deep": ({**resnet(blocks=65).state_dict()}, "no generator"),
    "claims to be huge": (
        changed(lambda state: state.update({"model.1.weight": torch.ones(1, 3, 7, 7).expand(10**7, 3, 7, 7)})),
        "changed",
    ),
}


@pytest.mark.parametrize("case", REFUSED)
def test_what_is_no_generator_of_theirs_is_refused(case):
    state, reason = REFUSED[case]
    with pytest.raises(ModelError, match=reason):
        imported(state)


@pytest.mark.parametrize(
    ("said", "nearest"),
    [
        (TheirOptions(arch="resnet_9blocks"), "resnet_2blocks"),
        (TheirOptions(arch="resnet9"), "resnet_2blocks"),
        (TheirOptions(norm="batch"), "instance"),
        (TheirOptions(dropout="yes"), "no"),
    ],
)
def test_a_choice_that_is_not_so_is_an_error_that_names_what_is(said, nearest):
    with pytest.raises(ConfigurationError, match=f"holds {nearest}"):
        imported(resnet().state_dict(), said=said)


def touch(folder, *names):
    for name in names:
        (folder / name).touch()
    return [folder / name for name in names]


def test_directions(tmp_path):
    a, b, single = touch(tmp_path, "5_net_G_A.pth", "5_net_G_B.pth", "latest_net_G.pth")
    assert directions.generators([a], "auto") == directions.generators([b], "both") == {"AtoB": a, "BtoA": b}
    assert directions.generators([b, a], "auto") == {"AtoB": a, "BtoA": b}
    assert directions.generators([a], "BtoA") == directions.generators([b], "BtoA") == {"BtoA": b}
    assert directions.generators([single], "auto") == {"AtoB": single}
    assert directions.generators([single], "BtoA") == {"BtoA": single}
    b.unlink()
    assert directions.generators([a], "auto") == {"AtoB": a}
    for files, direction in [
        ([a], "both"),
        ([a], "BtoA"),
        ([a, a], "auto"),
        ([a, b], "AtoB"),
        ([a, b, single], "auto"),
    ]:
        with pytest.raises(ConfigurationError):
            directions.generators(files, direction)


def test_both_generators_become_proven_files(tmp_path):
    networks = {"A": resnet(blocks=1), "B": resnet(blocks=1, norm="batch", dropout=True)}
    for letter, network in networks.items():
        torch.save(network.state_dict(), tmp_path / f"latest_net_G_{letter}.pth")
    written = import_weights([tmp_path / "latest_net_G_A.pth"], tmp_path / "out" / "c.onnx", ImportSettings())
    assert [each.path.name for each in written] == ["c.AtoB.onnx", "c.BtoA.onnx"]
    for each, network in zip(written, networks.values(), strict=True):
        runtime = OnnxRuntime(each.path, device="cpu")
        given = picture(40)
        with torch.no_grad():
            theirs = as_their_test_script(network)(given).numpy()
        made = runtime.run({each.card.inputs[0].name: given.numpy()})
        assert np.abs(made[each.card.outputs[0].name] - theirs).max() <= 1e-4
        assert each.path.with_name(f"{each.path.name}.sha256").read_text().endswith(f"  {each.path.name}\n")
        card = runtime.card
        assert card == each.card == Card.from_json(card.to_json())
        assert card.method == "imported"
        assert card.licence.startswith("unknown")
        assert "made-up pictures" in card.data
        assert card.parity["difference"] <= 1e-4
    assert load(written[0].path, device="cpu")(np.zeros((13, 29, 3), np.uint8)).size == (29, 13)


def test_nothing_is_written_unless_all_is_well(tmp_path):
    torch.save(resnet(blocks=1).state_dict(), tmp_path / "latest_net_G_A.pth")
    (tmp_path / "latest_net_G_B.pth").write_bytes(b"<html>")
    out = tmp_path / "out" / "c.onnx"
    for how, error in [
        (ImportSettings(), ModelError),
        (ImportSettings(direction="AtoB", sha256=("0" * 64,)), ModelError),
        (ImportSettings(direction="AtoB", sha256=("0" * 64, "")), ConfigurationError),
        (ImportSettings(source="spandrel", direction="BtoA"), ConfigurationError),
        (ImportSettings(direction="AtoB", pictures=tmp_path), ConfigurationError),
    ]:
        with pytest.raises(error):
            import_weights([tmp_path / "latest_net_G_A.pth"], out, how)
    with pytest.raises(ConfigurationError, match=r"\.onnx"):
        import_weights([tmp_path / "latest_net_G_A.pth"], tmp_path / "c.pth", ImportSettings(direction="AtoB"))
    assert not out.parent.exists()


def test_hashes_go_with_the_files_as_they_were_given():
    files = [Path("net_G_B.pth"), Path("net_G_A.pth")]
    ways = generators(files, "auto")
    assert list(ways) == ["AtoB", "BtoA"]
    assert _hashes(ImportSettings(sha256=("of B", "of A")), files, ways) == {"AtoB": "of A", "BtoA": "of B"}
    assert _hashes(ImportSettings(sha256=("of B", "of A")), files[:1], ways) == {"AtoB": "of A", "BtoA": "of B"}
