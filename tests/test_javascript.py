"""The example for JavaScript runs the very file that Python runs, and gives the same picture."""

import os
import shutil
import subprocess
from pathlib import Path

import numpy as np
import pytest
import torch
from crash_worker import tiny
from lives import write_pairs
from PIL import Image
from rich.console import Console
from skimage import data as photographs

import pipelines
from pipelines.training import Setting

EXAMPLE = Path(__file__).parents[1] / "docs" / "javascript"


@pytest.fixture(scope="module")
def installed(tmp_path_factory):
    """The example with its packages; their optional CUDA libraries are left out."""
    if shutil.which("npm") is None:
        pytest.skip("npm is not installed")
    folder = tmp_path_factory.mktemp("javascript")
    for file in EXAMPLE.iterdir():
        shutil.copy(file, folder)
    environment = os.environ | {"ONNXRUNTIME_NODE_INSTALL": "skip"}
    done = subprocess.run(["npm", "install", "--no-audit", "--no-fund"], cwd=folder, env=environment, timeout=300)
    if done.returncode:
        pytest.skip("npm could not fetch the packages")
    return folder


@pytest.fixture
def model(tmp_path):
    """An exported file that takes bytes."""
    write_pairs(tmp_path)
    threads = torch.get_num_threads()
    setting = Setting(device="cpu", workers=0, runs=tmp_path / "runs", check=False, report=False)
    pipelines.train(tiny("pix2pix", images=4), str(tmp_path), name="tiny", setting=setting)
    torch.set_num_threads(threads)
    quiet = Console(quiet=True)
    return pipelines.export("tiny", out=tmp_path / "model.onnx", pixels=True, runs=tmp_path / "runs", console=quiet)


@pytest.mark.slow
def test_node_gives_the_picture_that_python_gives(installed, model, tmp_path):
    photograph = Image.fromarray(photographs.astronaut()[:61, :83])
    photograph.save(tmp_path / "in.png")
    command = ["node", "turn.mjs", str(model), str(tmp_path / "in.png"), str(tmp_path / "out.png")]
    subprocess.run(command, cwd=installed, check=True, timeout=60)
    expected = np.asarray(pipelines.load(model)(photograph)).astype(int)
    made = np.asarray(Image.open(tmp_path / "out.png").convert("RGB")).astype(int)
    assert made.shape == expected.shape == (61, 83, 3)
    assert np.abs(made - expected).max() <= 1  # two versions of ONNX Runtime, each with its own order of sums
    assert np.ptp(made) > 0
