import pickle
from collections import Counter

import numpy as np
import pytest
import skimage.data
import torch
from PIL import Image

from translate.card import LabelMap, Picture
from translate.data.augmentation import Augmentation, ColourJitter
from translate.data.domain import ports_of
from translate.data.items import Item, Source, Split
from translate.data.samples import Samples
from translate.data.tensors import assemble, to_uint8
from translate.errors import DatasetError, PictureError
from translate.runtime.pixels import from_network, to_network

PLAIN = Augmentation(load_px=8, crop_px=8, flip=False)
PORTS = {"a": ports_of(("rgb",), "a"), "b": ports_of(("rgb",), "b")}


def write(path, level, size=8):
    Image.new("RGB", (size, size), (level, level, level)).save(path)
    return Source(path=path)


def items(folder, levels):
    folder.mkdir(exist_ok=True)
    return tuple(Item(key=f"{level}", sources=(write(folder / f"{level}.png", level),)) for level in levels)


def split(tmp_path, a, b=None, *, paired):
    domains = {"a": items(tmp_path / "a", a)}
    if b is not None:
        domains["b"] = items(tmp_path / "b", b)
    return Split(domains=domains, paired=paired)


def samples(split, *, seed=0, training=True, augmentation=PLAIN):
    ports = {domain: PORTS[domain] for domain in split.domains}
    return Samples(split, ports, augmentation, seed=seed, training=training)


def level(sample, name):
    values = sample.tensors[name].unique()
    assert len(values) == 1
    return int(values)


def test_a_pair_is_read_by_its_index(tmp_path):
    dataset = samples(split(tmp_path, [10, 20, 30], [110, 120, 130], paired=True))
    assert len(dataset) == 3
    for index in range(3):
        sample = dataset[4, index]
        assert (level(sample, "a"), level(sample, "b")) == (10 * (index + 1), 100 + 10 * (index + 1))
        assert sample.tensors["a"].shape == (3, 8, 8)
        assert sample.tensors["a"].dtype == torch.uint8
        assert sample.refused == ()


@pytest.mark.parametrize(("a", "b"), [(3, 7), (7, 3), (5, 5)])
def test_unpaired_domains_show_the_longer_one_once_and_the_other_evenly(tmp_path, a, b):
    dataset = samples(split(tmp_path, range(a), range(100, 100 + b), paired=False))
    assert len(dataset) == max(a, b)
    partners = []
    for epoch in range(3):
        shown = [dataset[epoch, index] for index in range(len(dataset))]
        counts_a = Counter(level(sample, "a") for sample in shown)
        counts_b = Counter(level(sample, "b") for sample in shown)
        assert len(counts_a) == a
        assert len(counts_b) == b
        assert max(counts_a.values()) - min(counts_a.values()) <= 1
        assert max(counts_b.values()) - min(counts_b.values()) <= 1
        partners.append([(level(sample, "a"), level(sample, "b")) for sample in shown])
    assert len({tuple(sorted(meeting)) for meeting in partners}) == 3  # they meet anew in every epoch


def test_unpaired_evaluation_draws_nothing(tmp_path):
    dataset = samples(split(tmp_path, range(5), range(100, 103), paired=False), training=False)
    meetings = [[(level(dataset[epoch, i], "a"), level(dataset[epoch, i], "b")) for i in range(5)] for epoch in (0, 1)]
    assert meetings[0] == meetings[1] == [(0, 100), (1, 101), (2, 102), (3, 100), (4, 101)]


def test_unpaired_domains_have_their_own_geometry_and_pairs_share_it(tmp_path):
    photo = Image.fromarray(skimage.data.astronaut()[:64, :64])
    source = Source(path=tmp_path / "photo.png")
    photo.save(source.path)
    item = (Item(key="photo", sources=(source,)),)
    augmentation = Augmentation(load_px=64, crop_px=32, colour_b=ColourJitter(hue=0.0))
    for paired in (True, False):
        dataset = samples(Split(domains={"a": item, "b": item}, paired=paired), augmentation=augmentation)
        same = [
            torch.equal(sample.tensors["a"], sample.tensors["b"])
            for sample in (dataset[epoch, 0] for epoch in range(6))
        ]
        assert same == [paired] * 6


def test_two_pictures_and_a_label_map_in_one_sample(tmp_path):
    source = write(tmp_path / "picture.png", 50)
    Image.fromarray(np.full((8, 8), 11, np.uint8)).save(tmp_path / "labels.png")
    item = Item(key="picture", sources=(source, Source(path=tmp_path / "labels.png"), source))
    ports = {"a": ports_of(("rgb", "labels:12", "grey"), "a")}
    dataset = Samples(Split(domains={"a": (item,)}, paired=False), ports, PLAIN, seed=0, training=True)
    tensors = dataset[0, 0].tensors
    assert {name: tuple(tensor.shape) for name, tensor in tensors.items()} == {
        "a": (3, 8, 8),
        "a2": (8, 8),
        "a3": (1, 8, 8),
    }
    assert int(tensors["a2"].unique()) == 11
    batch = {name: tensor[None] for name, tensor in tensors.items()}
    assert assemble(ports["a"], batch, "cpu").shape == (1, 16, 8, 8)


def test_halves_of_a_side_by_side_picture(tmp_path):
    path = tmp_path / "both.png"
    Image.fromarray(np.concatenate([np.full((8, 8, 3), 1), np.full((8, 8, 3), 2)], 1).astype(np.uint8)).save(path)
    domains = {
        domain: (Item(key="both", sources=(Source(path=path, half=half),)),)
        for domain, half in (("a", "left"), ("b", "right"))
    }
    sample = samples(Split(domains=domains, paired=True))[0, 0]
    assert (level(sample, "a"), level(sample, "b")) == (1, 2)


def spoil(tmp_path, domain, levels):
    for value in levels:
        (tmp_path / domain / f"{value}.png").write_bytes(b"")


def test_a_bad_half_replaces_the_pair_by_the_next_one_and_says_so(tmp_path):
    dataset = samples(split(tmp_path, [10, 20, 30], [110, 120, 130], paired=True))
    spoil(tmp_path, "b", [130])
    sample = dataset[0, 2]
    assert (level(sample, "a"), level(sample, "b")) == (10, 110)
    [(path, reason)] = sample.refused
    assert path == str(tmp_path / "b" / "130.png")
    assert "130.png" in reason
    assert dataset[0, 1].refused == ()


def test_in_unpaired_data_only_the_bad_domain_moves_on(tmp_path):
    dataset = samples(split(tmp_path, [10, 20, 30], [110, 120, 130], paired=False))
    before = level(dataset[0, 0], "b")
    spoil(tmp_path, "a", [10])
    sample = dataset[0, 0]
    assert (level(sample, "a"), level(sample, "b")) == (20, before)
    assert len(sample.refused) == 1


def test_evaluation_does_not_replace_a_bad_picture(tmp_path):
    dataset = samples(split(tmp_path, [10, 20], paired=False), training=False)
    spoil(tmp_path, "a", [10])
    with pytest.raises(PictureError, match=r"10\.png"):
        dataset[0, 0]


@pytest.mark.parametrize(("count", "tolerated"), [(5, 3), (900, 9), (50_000, 100)])
def test_one_percent_may_be_bad_but_at_least_three_and_at_most_a_hundred(tmp_path, count, tolerated):
    source = write(tmp_path / "picture.png", 1)
    item = Item(key="picture", sources=(source,))
    assert samples(Split(domains={"a": (item,) * count}, paired=False)).tolerated == tolerated


def test_too_many_bad_pictures_in_a_row_give_an_empty_sample(tmp_path):
    dataset = samples(split(tmp_path, range(10), paired=False))
    spoil(tmp_path, "a", range(4))
    sample = dataset[0, 0]
    assert sample.tensors == {}
    assert len(sample.refused) == 4


def test_an_empty_domain_and_a_sample_without_its_second_picture_are_refused(tmp_path):
    with pytest.raises(DatasetError, match="Domain b"):
        Samples(split(tmp_path, [1], paired=False), PORTS, PLAIN, seed=0, training=True)
    two = {"a": ports_of(("rgb", "rgb"), "a")}
    with pytest.raises(DatasetError, match="'1' has 1 pictures"):
        Samples(split(tmp_path, [1], paired=False), two, PLAIN, seed=0, training=True)


def test_a_copy_in_another_process_gives_the_same_sample(tmp_path):
    config = Augmentation(load_px=12, crop_px=8, rotate_degrees=10, colour_a=ColourJitter(brightness=0.3))
    dataset = samples(split(tmp_path, [10, 20], [30, 40], paired=True), augmentation=config)
    copy = pickle.loads(pickle.dumps(dataset))
    assert torch.equal(dataset[0, 1].tensors["a"], copy[0, 1].tensors["a"])


PICTURES = [Picture(name="p", channels=channels) for channels in (1, 3, 4)]
LABELS = [LabelMap(name="p", classes=classes) for classes in (2, 7, 300)]


@pytest.mark.parametrize("port", PICTURES)
def test_pixels_become_numbers_by_the_cards_formula_and_come_back(port):
    levels = np.arange(256, dtype=np.uint8).reshape(16, 16, 1).repeat(port.channels, 2)
    levels += np.arange(port.channels, dtype=np.uint8)
    batch = torch.from_numpy(levels.transpose(2, 0, 1).copy())[None]
    tensor = assemble((port,), {"p": batch}, "cpu")
    expected = levels.transpose(2, 0, 1)[None].astype(np.float64) / 127.5 - 1
    assert tensor.dtype == torch.float32
    np.testing.assert_allclose(tensor.numpy(), expected, rtol=0, atol=1e-7)
    assert tensor.min() == -1
    assert tensor.max() == 1
    np.testing.assert_array_equal(to_uint8(tensor, port)[0], levels)
    np.testing.assert_array_equal(to_network(levels, port), tensor.numpy())
    np.testing.assert_array_equal(from_network(to_network(levels, port), port), levels)


@pytest.mark.parametrize("port", PICTURES)
def test_the_numpy_twin_rounds_and_clamps_as_torch_does(port):
    tensor = torch.randn((1, port.channels, 64, 64), generator=torch.Generator().manual_seed(0))
    halves = torch.arange(0, 256).float() + 0.5  # ties between two levels
    tensor[0, 0].view(-1)[:256] = halves / 127.5 - 1
    twin = from_network(tensor.numpy(), port)
    np.testing.assert_array_equal(to_uint8(tensor, port)[0], twin)
    assert twin.min() == 0
    assert twin.max() == 255
    exact = (tensor[0].permute(1, 2, 0).numpy().astype(np.float64) + 1) * 127.5
    assert np.abs(np.clip(exact, 0, 255) - twin).max() < 0.5001


@pytest.mark.parametrize("port", LABELS)
def test_label_maps_become_one_hot_and_come_back(port):
    labels = np.random.default_rng(0).integers(0, port.classes, (5, 6))
    tensor = assemble((port,), {"p": torch.from_numpy(labels)[None].to(torch.int32)}, "cpu")
    assert tensor.shape == (1, port.classes, 5, 6)
    for row, column in np.ndindex(5, 6):
        vector = tensor[0, :, row, column]
        assert vector[labels[row, column]] == 1
        assert (vector == -1).sum() == port.classes - 1
    np.testing.assert_array_equal(to_network(labels, port), tensor.numpy())
    np.testing.assert_array_equal(to_network(labels[..., None], port), tensor.numpy())
    scores = torch.randn((2, port.classes, 9, 9)).round(decimals=1)  # with ties
    np.testing.assert_array_equal(to_uint8(scores, port)[1], from_network(scores[1:].numpy(), port))
    np.testing.assert_array_equal(to_uint8(tensor, port)[0, ..., 0], labels)
    np.testing.assert_array_equal(from_network(tensor.numpy(), port)[..., 0], labels)


def test_ports_are_stacked_in_their_order():
    ports = ports_of(("grey", "labels:2", "rgb"), "a")
    arrays = {
        "a": torch.zeros((2, 1, 4, 4), dtype=torch.uint8),
        "a2": torch.ones((2, 4, 4), dtype=torch.uint8),
        "a3": torch.full((2, 3, 4, 4), 255, dtype=torch.uint8),
    }
    tensor = assemble(ports, arrays, "cpu")
    assert tensor[0, :, 0, 0].tolist() == [-1, -1, 1, 1, 1, 1]


def test_numpys_twin_needs_no_torch():
    import subprocess
    import sys

    code = "import sys, translate.runtime.pixels; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code]).returncode == 0
