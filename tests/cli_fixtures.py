"""What a file of tests of the commands begins with: surroundings, pairs of pictures, a folder of runs."""

import pytest
import torch
from cli_runs import TESTED, TRAINED, crop, drawn


@pytest.fixture(scope="module")
def surroundings(tmp_path_factory):
    """Wide lines, a cache folder of our own, and the threads that others had."""
    threads = torch.get_num_threads()
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("COLUMNS", "400")
        patch.setenv("XDG_CACHE_HOME", str(tmp_path_factory.mktemp("cache")))
        patch.chdir(tmp_path_factory.mktemp("home"))
        yield
    torch.set_num_threads(threads)


@pytest.fixture(scope="module")
def pairs(tmp_path_factory):
    """Negatives in A, pictures in B; the halves of a pair have one name."""
    root = tmp_path_factory.mktemp("pairs")
    for index in range(TRAINED + TESTED):
        split = "train" if index < TRAINED else "test"
        drawn(255 - crop(index), root / f"{split}A" / f"p{index:02d}.png")
        drawn(crop(index), root / f"{split}B" / f"p{index:02d}.png")
    (root / "dataset.json").write_text('{"licence": "CC0"}')
    return root


@pytest.fixture(scope="module")
def runs(tmp_path_factory):
    return tmp_path_factory.mktemp("runs")
