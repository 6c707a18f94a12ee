"""What never stands in the code, found by its syntax tree; and what is never imported by what serves."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
FILES = sorted(path for folder in ("translate", "pipelines") for path in (ROOT / folder).rglob("*.py"))
FILES += [path for path in (ROOT / "app.py",) if path.exists()]
PICTURES = "translate/data/pictures.py"
ENGINE = "translate/engine.py"
STEPPING = "translate/stepping.py"
JUDGES = {"translate/metrics/classifier.py", "translate/metrics/two_sample_classifiers.py"}
"""Measures that fit a fresh classifier of their own, which is no part of any run."""
INVERSION = "pipelines/inversion/search.py"
"""Moves codes of noise; no network."""
MOVERS = {ENGINE, STEPPING, INVERSION, *JUDGES}


def dotted(node):
    """`a.b.c` of an expression, as far as it is names; a call in it stands as `()`."""
    if isinstance(node, ast.Name):
        return node.id
    if isinstance(node, ast.Attribute):
        return f"{dotted(node.value)}.{node.attr}"
    if isinstance(node, ast.Call):
        return f"{dotted(node.func)}()"
    return "?"


def imported_names(tree):
    """The full name of everything that an import binds, by the name that it is used under."""
    names = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names |= {alias.asname or alias.name: alias.name for alias in node.names}
        if isinstance(node, ast.ImportFrom):
            names |= {alias.asname or alias.name: f"{node.module}.{alias.name}" for alias in node.names}
    return names


def full_name(node, names):
    """The dotted name with what imports renamed put back: `t.load` is `torch.load` after `import torch as t`."""
    first, dot, rest = dotted(node).partition(".")
    return names.get(first, first) + dot + rest


def is_constant(node, value):
    return isinstance(node, ast.Constant) and node.value is value


def violations(source, path):
    """The rules that a file breaks."""
    tree = ast.parse(source)
    names = imported_names(tree)
    found = set()
    for node in ast.walk(tree):
        found |= broken_by_import(node)
        if isinstance(node, ast.Call):
            found |= broken_by_call(node, full_name(node.func, names))
            found |= broken_by_place(node, full_name(node.func, names), path)
        if isinstance(node, ast.Assign | ast.AnnAssign | ast.AugAssign):
            found |= broken_by_assignment(node)
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and "0.0.0.0" in node.value:
            found.add("0.0.0.0")
    return found


PICKLING = {"pickle", "cPickle", "dill", "cloudpickle", "joblib", "shelve", "marshal"}
PICKLING_CALLS = {
    "gather_object",
    "all_gather_object",
    "broadcast_object_list",
    "scatter_object_list",
    "read_pickle",
    "to_pickle",
}
IMPORTING_CALLS = {"__import__", "importlib.import_module", "importlib.__import__", "builtins.__import__"}
GUARDED_NAMES = {"LOAD_TRUNCATED_IMAGES", "MAX_IMAGE_PIXELS"}
SHELLS = {
    "os.system",
    "os.popen",
    "subprocess.getoutput",
    "subprocess.getstatusoutput",
    "asyncio.create_subprocess_shell",
}


def broken_by_import(node):
    if isinstance(node, ast.Import):
        modules = {alias.name.partition(".")[0] for alias in node.names}
    elif isinstance(node, ast.ImportFrom):
        modules = {(node.module or "").partition(".")[0]}
    else:
        return set()
    return {"pickle"} if modules & PICKLING else set()


def broken_by_call(node, name):
    last = name.rpartition(".")[2]
    keywords = {keyword.arg: keyword.value for keyword in node.keywords}
    rules = {
        "pickle": last in PICKLING_CALLS or (name in IMPORTING_CALLS and first_word(node) in PICKLING),
        "torch.load": name in {"torch.load", "torch.serialization.load"}
        and not is_constant(keywords.get("weights_only"), True),
        "jit.load": name.endswith("jit.load") or name in {"torch.hub.load", "torch.package.PackageImporter"},
        "yaml.load": name in {"yaml.load", "yaml.load_all", "yaml.unsafe_load", "yaml.full_load"},
        "eval": name.removeprefix("builtins.") in {"eval", "exec", "compile"},
        "allow_pickle": "allow_pickle" in keywords and not is_constant(keywords["allow_pickle"], False),
        "trust_remote_code": "trust_remote_code" in keywords,
        "shell": ("shell" in keywords and not is_constant(keywords["shell"], False)) or name in SHELLS,
        "extractall": last in {"extractall", "unpack_archive"},
        "mount_gradio_app": last == "mount_gradio_app",
        "share": name.endswith("launch") and "share" in keywords and not is_constant(keywords["share"], False),
        "setattr": name in {"setattr", "builtins.setattr"} and any(named(entry, GUARDED_NAMES) for entry in node.args),
        "native code": last == "register_custom_ops_library",
    }
    return {rule for rule, broken in rules.items() if broken}


def named(node, names):
    return isinstance(node, ast.Constant) and node.value in names


def first_word(call):
    """The package that an import by a call is for, where it is written out."""
    first = call.args[0] if call.args else None
    return str(first.value).partition(".")[0] if isinstance(first, ast.Constant) else ""


def broken_by_place(node, name, path):
    """What one file alone may do."""
    opens = name in {
        "PIL.Image.open",
        "Image.open",
        "cv2.imread",
        "cv2.imdecode",
        "imageio.imread",
        "skimage.io.imread",
    }
    decodes = name.rpartition(".")[2] in {"decode_image", "decode_jpeg", "decode_png", "read_image"}
    moves = isinstance(node.func, ast.Attribute) and node.func.attr in {"backward", "step"}
    rules = {"open picture": (opens or decodes) and path != PICTURES, "move": moves and path not in MOVERS}
    return {rule for rule, broken in rules.items() if broken}


def broken_by_assignment(node):
    targets = node.targets if isinstance(node, ast.Assign) else [node.target]
    targets = {dotted(target).rpartition(".")[2] for target in targets}
    rules = {
        "truncated": "LOAD_TRUNCATED_IMAGES" in targets and not is_constant(node.value, False),
        "pixels": "MAX_IMAGE_PIXELS" in targets and is_constant(node.value, None),
    }
    return {rule for rule, broken in rules.items() if broken}


def test_there_is_code_to_guard():
    assert len(FILES) > 80
    assert {PICTURES, ENGINE} <= {path.relative_to(ROOT).as_posix() for path in FILES}


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_a_file_breaks_no_rule(path):
    assert violations(path.read_text(encoding="utf-8"), path.relative_to(ROOT).as_posix()) == set()


CONTROLS = [
    ("pickle", "import pickle"),
    ("pickle", "from pickle import loads"),
    ("pickle", "import joblib"),
    ("pickle", "import torch.distributed as dist\ndist.gather_object(1)"),
    ("pickle", "import importlib\nimportlib.import_module('pickle')"),
    ("pickle", "__import__('dill')"),
    ("pickle", "import pandas as pd\npd.read_pickle(path)"),
    ("torch.load", "import torch\ntorch.load('a.pt')"),
    ("torch.load", "from torch.serialization import load\nload('a.pt')"),
    ("torch.load", "import torch\ntorch.load('a.pt', weights_only=flag)"),
    ("torch.load", "import torch as t\nt.load('a.pt', weights_only=False)"),
    ("torch.load", "from torch import load\nload('a.pt', map_location='cpu')"),
    ("jit.load", "import torch\ntorch.jit.load('a.pt')"),
    ("jit.load", "from torch import jit\njit.load('a.pt')"),
    ("jit.load", "import torch\ntorch.hub.load('a/b', 'c')"),
    ("yaml.load", "import yaml\nyaml.load(text, Loader=yaml.Loader)"),
    ("eval", "eval('1')"),
    ("eval", "exec(code)"),
    ("eval", "import builtins\nbuiltins.exec(code)"),
    ("eval", "compile(code, 'a', 'exec')"),
    ("allow_pickle", "import numpy as np\nnp.load('a.npy', allow_pickle=True)"),
    ("allow_pickle", "import numpy as np\nnp.load('a.npy', allow_pickle=flag)"),
    ("trust_remote_code", "load(name, trust_remote_code=True)"),
    ("shell", "import subprocess\nsubprocess.run('ls', shell=True)"),
    ("shell", "import os\nos.system('ls')"),
    ("shell", "import subprocess\nsubprocess.getoutput('ls')"),
    ("shell", "import subprocess\nsubprocess.run('ls', shell=flag)"),
    ("truncated", "from PIL import ImageFile\nImageFile.LOAD_TRUNCATED_IMAGES: bool = True"),
    ("setattr", "from PIL import ImageFile\nsetattr(ImageFile, 'LOAD_TRUNCATED_IMAGES', True)"),
    ("native code", "options.register_custom_ops_library('a.so')"),
    ("truncated", "from PIL import ImageFile\nImageFile.LOAD_TRUNCATED_IMAGES = True"),
    ("pixels", "from PIL import Image\nImage.MAX_IMAGE_PIXELS = None"),
    ("open picture", "from PIL import Image\nImage.open(path)"),
    ("open picture", "import PIL.Image\nPIL.Image.open(path)"),
    ("open picture", "from PIL import Image as Picture\nPicture.open(path)"),
    ("open picture", "import cv2\ncv2.imread(path)"),
    ("open picture", "from torchvision.io import decode_image\ndecode_image(data)"),
    ("extractall", "import zipfile\nzipfile.ZipFile(path).extractall()"),
    ("mount_gradio_app", "import gradio as gr\ngr.mount_gradio_app(app, blocks, '/')"),
    ("share", "blocks.launch(share=True)"),
    ("0.0.0.0", "blocks.launch(server_name='0.0.0.0')"),
    ("move", "loss.backward()"),
    ("move", "optimiser.step()"),
    ("move", "scaler.scale(loss).backward()"),
]


@pytest.mark.parametrize(("rule", "source"), CONTROLS)
def test_control_a_file_that_breaks_the_rule_is_found(rule, source):
    assert violations(source, "translate/other.py") == {rule}


@pytest.mark.parametrize(
    "source",
    [
        "import torch\ntorch.load('a.pt', map_location='cpu', weights_only=True)",
        "import numpy as np\nnp.load('a.npy', allow_pickle=False)",
        "from PIL import ImageFile\nassert not ImageFile.LOAD_TRUNCATED_IMAGES",
        "model.eval()",
        "import re\nre.compile('a')",
        "import torch\ntorch.compile(model)",
        "import importlib\nimportlib.import_module('onnxruntime')",
        "import json\njson.load(file)",
        "path.open()",
    ],
)
def test_control_what_is_allowed_is_not_found(source):
    assert violations(source, "translate/other.py") == set()


def test_only_the_loader_opens_pictures_and_only_the_engine_moves():
    assert violations("from PIL import Image\nImage.open(path)", PICTURES) == set()
    assert violations("loss.backward()\noptimiser.step()", ENGINE) == set()


# What serves needs no torch

SERVING = [
    "translate.card",
    "translate.errors",
    "translate.runtime.approvals",
    "translate.runtime.base",
    "translate.runtime.cores",
    "translate.runtime.fake",
    "translate.runtime.rows",
    "pipelines.commands.generate",
    "pipelines.encoding",
    "pipelines.generating",
    "translate.runtime.gate",
    "translate.runtime.integrity",
    "translate.runtime.onnx",
    "translate.runtime.onnx_trial",
    "translate.runtime.openvino",
    "translate.runtime.openvino_trial",
    "translate.runtime.padding",
    "translate.runtime.pixels",
    "translate.runtime.probation",
    "translate.runtime.providers",
    "translate.runtime.session",
    "translate.data.pictures",
    "translate.data.layouts",
    "translate.data.doctor",
    "translate.storage.atomic",
    "pipelines",
    "pipelines.tasks",
    "pipelines.load",
    "pipelines.cli",
    "pipelines.check",
    "pipelines.runs",
    "pipelines.report",
    "pipelines.commands.check",
    "pipelines.commands.upscale",
    "pipelines.commands.inpaint",
    "pipelines.inpainting",
    "pipelines.fidelity",
    "pipelines.page",
    "translate.runtime.mixing",
    "translate.runtime.peek",
]
WITHOUT_TORCH = """
import importlib, sys
for name in ("torch", "torchvision", "kornia", "albumentations", "cv2", "tensorboard"):
    sys.modules[name] = None  # an import of it fails, as where it is not installed
failures = []
for name in {names!r}:
    try:
        importlib.import_module(name)
    except ImportError as problem:
        failures.append(f"{{name}}: {{problem}}")
print(failures)
"""
HEAVY = [
    "torch",
    "torchvision",
    "kornia",
    "albumentations",
    "cv2",
    "scipy",
    "tensorboard",
    "skimage",
    "tyro",
    "safetensors",
    "onnx",
    "onnxruntime",
    "openvino",
    "spandrel",
]
HELP = """
import sys
from pipelines.cli import main
code = main({arguments!r})
print("loaded:", sorted(set({heavy!r}) & set(sys.modules)), file=sys.stderr)
sys.exit(code)
"""


def python(program):
    return subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, cwd=ROOT, timeout=60)


def test_what_serves_imports_without_torch():
    answer = python(WITHOUT_TORCH.format(names=SERVING))
    assert answer.stdout.strip() == "[]", answer.stdout + answer.stderr


def test_control_what_trains_does_not_import_without_torch():
    answer = python(WITHOUT_TORCH.format(names=["translate.engine", "pipelines.training"]))
    assert "translate.engine: " in answer.stdout
    assert "pipelines.training: " in answer.stdout


@pytest.mark.parametrize("arguments", [["--help"], [], ["--version"], ["trian"]], ids=str)
def test_the_command_answers_without_anything_heavy(arguments):
    """`--help` takes 0.3 s on two cores (the bar is 0.5 s); what would make it slow is what it imports."""
    answer = python(HELP.format(arguments=arguments, heavy=HEAVY))
    assert answer.stderr.splitlines()[-1] == "loaded: []"
    assert answer.returncode == (2 if arguments == ["trian"] else 0)
