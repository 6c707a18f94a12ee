"""Samples from the picture store are those from the files, bit by bit, whatever they are made of."""

import itertools
import pickle
import shutil
from dataclasses import replace

import numpy as np
import pytest
import torch
from kept_pictures import COUNT, PLAIN, are_equal, cached, data_set, shards, shown, side_by_side, write
from PIL import Image
from tiny import tiny_recipe

from pipelines.commands.train import parse
from pipelines.training import Setting, resume, train
from pipelines.training.caching import default_folder
from pipelines.training.generation.data import open_data as open_collection
from pipelines.training.translation.data import open_data
from translate.data import augmentation as augmenting
from translate.data.augmentation import Augmentation, ColourJitter
from translate.data.domain import ports_of
from translate.data.domains import OneDomain, TwoDomains
from translate.data.store import Preparation, Store
from translate.data.stream import loader
from translate.recipe import Length
from translate.storage.shelf import Shelf

AUGMENTATIONS = {
    "square": PLAIN,
    "short side": replace(PLAIN, keep_aspect=True),
    "as they are": replace(PLAIN, resize=False),
    "as they are, sizes drawn": replace(PLAIN, resize=False, scale_jitter=0.4),
    "sizes drawn": replace(PLAIN, scale_jitter=0.3),
    "short side, sizes drawn": replace(PLAIN, keep_aspect=True, scale_jitter=0.3),
    "nothing drawn": Augmentation(load_px=16, crop_px=16, flip=False),
    "whole and coloured": Augmentation(
        load_px=16, crop_px=16, flip=False, colour_a=ColourJitter(brightness=0.5), colour_b=ColourJitter(hue=0.5)
    ),
    "turned and coloured": replace(
        PLAIN,
        vertical_flip=True,
        rotate_degrees=20,
        colour_a=ColourJitter(brightness=0.3, hue=0.2),
        colour_b=ColourJitter(contrast=0.5, saturation=0.5),
    ),
}
RGB, GREY = ("rgb", "rgb"), ("grey", "rgb")
DATA_SETS = {
    "pairs": lambda root: data_set(root, [RGB], [GREY]),
    "JPEG": lambda root: data_set(root, [RGB], [RGB], suffix=".jpg"),
    "side by side": side_by_side,
    "no pairs": lambda root: data_set(root, [RGB], [RGB], paired=False, short=3),
    "photos": lambda root: data_set(root, [RGB]),
    "several ports": lambda root: data_set(root, [RGB, ("labels:12", "labels:12"), GREY], [("rgba", "alpha")]),
    "many classes": lambda root: data_set(root, [("labels:300", "labels:300")], [RGB]),
    "16 bits and alpha on white": lambda root: data_set(root, [("grey", "16 bit")], [("rgb", "alpha")]),
}


@pytest.mark.parametrize("augmentation", AUGMENTATIONS.values(), ids=AUGMENTATIONS)
@pytest.mark.parametrize("make", DATA_SETS.values(), ids=DATA_SETS)
def test_samples_are_the_same_bit_by_bit(tmp_path, make, augmentation, monkeypatch):
    data = make(tmp_path / "data")
    plain = data.samples(augmentation)
    kept = cached(plain, tmp_path, data.root)
    expected = shown(plain)
    monkeypatch.setattr("translate.data.samples.SampleReader", None)  # no file is read from here on
    assert are_equal(shown(kept), expected)


@pytest.mark.parametrize("broken", ["zero bytes", "cut", "missing", "odd width", "class out of range", "colour"])
@pytest.mark.parametrize("paired", [True, False])
def test_a_broken_picture_is_refused_the_same_way(tmp_path, broken, paired):
    kinds = ("labels:12", "labels:12") if broken in ("class out of range", "colour") else RGB
    data = data_set(tmp_path / "data", [kinds], [RGB], paired=paired)
    if broken == "odd width":
        data = side_by_side(tmp_path / "data")
    path = data.split.domains["a"][4].sources[0].path
    spoil(path, broken)
    plain = data.samples(PLAIN)
    expected = shown(plain)
    assert sum(bool(refused) for _, refused in expected) >= 2  # in each epoch, or it proves nothing
    for _ in range(2):  # made, and found again
        assert are_equal(shown(cached(plain, tmp_path, data.root)), expected)


def spoil(path, how):
    if how == "missing":
        path.unlink()
    elif how == "odd width":
        write(path, "rgb", 1, (40, 49))
    elif how == "class out of range":
        Image.fromarray(np.full((20, 20), 12, np.uint8)).save(path)
    elif how == "colour":
        write(path, "rgb", 1)
    else:
        path.write_bytes(b"" if how == "zero bytes" else path.read_bytes()[:200])


def test_a_picture_that_was_refused_is_read_again_when_it_is_mended(tmp_path):
    data = data_set(tmp_path / "data", [RGB])
    path = data.split.domains["a"][2].sources[0].path
    spoil(path, "cut")
    plain = data.samples(PLAIN)
    assert any(refused for _, refused in shown(cached(plain, tmp_path, data.root)))
    write(path, "rgb", 2)
    mended = shown(cached(plain, tmp_path, data.root))
    assert not any(refused for _, refused in mended)
    assert are_equal(mended, shown(plain))


def test_a_refused_picture_is_not_decoded_at_every_start(tmp_path, monkeypatch):
    data = data_set(tmp_path / "data", [RGB])
    spoil(data.split.domains["a"][2].sources[0].path, "cut")
    cached(data.samples(PLAIN), tmp_path, data.root)
    monkeypatch.setattr(Preparation, "read", None)
    cached(data.samples(PLAIN), tmp_path, data.root)


@pytest.mark.parametrize(
    "change", [{"load_px": 24}, {"keep_aspect": True}, {"resize": False}, {"scale_jitter": 0.2}], ids=str
)
@pytest.mark.parametrize("is_told_apart", [True, False], ids=["by its key", "broken: one key for all"])
def test_another_preparation_is_another_store(tmp_path, change, is_told_apart, monkeypatch):
    if not is_told_apart:
        monkeypatch.setattr(Preparation, "key", '{"ports": "all alike"}')
    data = data_set(tmp_path / "data", [RGB])
    cached(data.samples(PLAIN), tmp_path, data.root)
    other = data.samples(replace(PLAIN, **change))
    assert are_equal(shown(cached(other, tmp_path, data.root)), shown(other)) == is_told_apart


def test_the_same_files_read_as_another_kind_are_another_store(tmp_path):
    data = data_set(tmp_path / "data", [RGB])
    cached(data.samples(PLAIN), tmp_path, data.root)
    grey = replace(data, ports={"a": ports_of(("grey",), "a")}).samples(PLAIN)
    assert are_equal(shown(cached(grey, tmp_path, data.root)), shown(grey))
    assert len(shards(tmp_path)) == 2


@pytest.mark.parametrize("drawn", [{"crop_px": 12}, {"flip": False}, {"rotate_degrees": 9.0}], ids=str)
def test_what_is_drawn_later_shares_the_store(tmp_path, drawn, monkeypatch):
    data = data_set(tmp_path / "data", [RGB])
    cached(data.samples(PLAIN), tmp_path, data.root)
    monkeypatch.setattr(Preparation, "read", None)
    other = data.samples(replace(PLAIN, **drawn))
    assert are_equal(shown(cached(other, tmp_path, data.root)), shown(other))


def test_other_rules_of_reading_are_another_store(tmp_path, monkeypatch):
    ports = data_set(tmp_path / "data", [RGB]).ports["a"]
    before = Preparation(ports=ports, augmentation=PLAIN).key
    monkeypatch.setattr("translate.data.store.preparation.versions", lambda: {"pillow": "another"})
    assert Preparation(ports=ports, augmentation=PLAIN).key != before


@pytest.mark.parametrize("config", AUGMENTATIONS.values(), ids=AUGMENTATIONS)
def test_what_was_prepared_is_prepared_no_further(config):
    """Else a kept picture would be resized twice."""
    ports = ports_of(("rgb",), "a")
    random = np.random.default_rng(0)
    for height, width in itertools.product((1, 7, 16, 20, 31, 640), repeat=2):
        pictures = {"a": random.integers(0, 256, (height, width, 3), dtype=np.uint8)}
        once = augmenting.before_drawing(config, pictures, ports)
        twice = augmenting.before_drawing(config, once, ports)
        assert np.array_equal(once["a"], twice["a"])


def test_workers_and_copies_give_the_same(tmp_path):
    data = data_set(tmp_path / "data", [RGB], [GREY])
    plain = data.samples(PLAIN)
    kept = cached(plain, tmp_path, data.root)
    assert are_equal(shown(pickle.loads(pickle.dumps(kept))), shown(plain))
    batches = [list(itertools.islice(stream(samples, workers), 6)) for samples, workers in ((plain, 0), (kept, 2))]
    for one, other in zip(*batches, strict=True):
        assert all(torch.equal(one[name], other[name]) for name in one)


def stream(samples, workers):
    batches = loader(samples, batch_size=2, seed=0, workers=workers)
    try:
        for _ in range(6):
            yield next(batches)
    finally:
        batches.close()


def test_a_kept_sample_may_be_written_to(tmp_path):
    """Grey pictures that are neither cut nor turned come straight from the map."""
    augmentation = Augmentation(load_px=16, crop_px=16, flip=False)
    data = data_set(tmp_path / "data", [GREY, ("labels:12", "labels:12")])
    kept = cached(data.samples(augmentation), tmp_path, data.root)
    before = shown(kept)
    for tensors, _ in shown(kept):
        for tensor in tensors.values():
            tensor.zero_()
    assert are_equal(shown(kept), before)


def test_class_folders_and_photos_and_pairs_are_cached_by_their_kits(tmp_path, monkeypatch):
    root = tmp_path / "data"
    for number in range(24):
        write(root / "folders" / "train" / ("dark", "light")[number % 2] / f"{number}.png", "rgb", number % COUNT)
        write(root / "photos" / f"{number}.png", "rgb", number % COUNT)
        for side in "AB":
            write(root / "pairs" / f"train{side}" / f"{number}.png", "rgb", number % COUNT)
    recipes = {
        "folders": tiny_recipe("dcgan", domains=OneDomain(labelled=False, x="rgb")),
        "photos": tiny_recipe("compact"),
        "pairs": tiny_recipe("pix2pix", domains=TwoDomains(paired=True)),
    }
    for name, recipe in recipes.items():
        kit = open_collection if name == "folders" else open_data
        _, data = kit(replace(recipe, data=str(root / name)))
        kept = data.cached(Store(folder=tmp_path / "cache"))
        expected = shown(data.train, 1)
        with monkeypatch.context() as patch:
            patch.setattr("translate.data.samples.SampleReader", None)
            assert are_equal(shown(kept.train, 1), expected)
        assert kept.validation is data.validation if name != "folders" else kept.collection is data.collection


def test_the_option_stands_alone_or_with_a_folder(tmp_path):
    assert parse("pix2pix", []).setting.cache is None
    assert parse("pix2pix", ["--cache"]).setting.cache == default_folder()
    assert parse("pix2pix", ["--cache", "--workers", "2"]).setting.cache == default_folder()
    assert parse("pix2pix", ["--cache", str(tmp_path), "--workers", "2"]).setting.cache == tmp_path
    with pytest.raises(SystemExit):
        parse("pix2pix", ["--cache", "one", "two"])


def test_label_classes_of_a_collection_stay_with_their_pictures(tmp_path):
    data = data_set(tmp_path / "data", [RGB])
    spoil(data.split.domains["a"][3].sources[0].path, "cut")
    plain = data.samples(PLAIN, labels=list(range(10, 10 + COUNT)))
    kept = cached(plain, tmp_path, data.root)
    assert are_equal(shown(kept), shown(plain))
    assert int(kept[0, 3].tensors["label"]) == 14
    assert len(shards(tmp_path)) == 1


def test_a_run_with_the_cache_has_the_weights_of_one_without_and_may_be_resumed_either_way(tmp_path):
    for number in range(12):
        for side in "AB":
            write(tmp_path / "data" / f"train{side}" / f"{number}.png", "rgb", number % COUNT)
    recipe = tiny_recipe("pix2pix", data=str(tmp_path / "data"), length=Length(images=4))
    recipe = replace(recipe, save_every_images=2)
    plain = Setting(device="cpu", workers=0, runs=tmp_path / "runs", check=False, report=False)
    settings = {"plain": plain, "cached": replace(plain, cache=tmp_path / "cache")}
    for name, other in (("plain", "cached"), ("cached", "plain")):
        run = train(recipe, name=name, setting=settings[name])
        shutil.rmtree(Shelf(run.snapshots).path(4))
        resume(name, settings[other])
    assert len(shards(tmp_path)) == 1
    plain_run, cached_run = (Shelf(tmp_path / "runs" / name / "snapshots").newest() for name in ("plain", "cached"))
    assert plain_run.document("recipe") == cached_run.document("recipe")
    for group, tensors in plain_run.tensors.items():
        assert all(torch.equal(value, cached_run.tensors[group][name]) for name, value in tensors.items())
