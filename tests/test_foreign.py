"""Files of weights that anybody may have made: harmful ones are refused, damaged ones never crash, good ones are read.

T6 of the reliability plan. There is no hash to hold a foreign file to, so a flipped bit of an older pickle or of
safetensors may load as other numbers; a zip's own sums find nearly all.
"""

import hashlib
import io
import json
import pickle
import random
import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path

import foreign_attacks
import pytest
import torch
from foreign_attacks import archive, legacy, pickled_call
from safetensors.torch import save

from translate.errors import ModelError
from translate.storage.foreign import Limits, read_weights
from translate.storage.foreign.reading import _document

STATE = {"a.weight": torch.arange(12.0).reshape(3, 4), "a.bias": torch.ones(3), "count": torch.tensor(5)}


def saved(state, *, as_zip=True):
    buffer = io.BytesIO()
    torch.save(state, buffer, _use_new_zipfile_serialization=as_zip)
    return buffer.getvalue()


GOOD = {"zip": saved(STATE), "pickle": saved(STATE, as_zip=False), "safetensors": save(STATE)}


def entries(data=GOOD["zip"]):
    with zipfile.ZipFile(io.BytesIO(data)) as opened:
        return [(entry.filename, opened.read(entry)) for entry in opened.infolist()]


def bomb():
    """16 MB of zeros in 20 KB."""
    big = saved({"w": torch.zeros(1 << 24, dtype=torch.uint8)})
    return archive(entries(big), method=zipfile.ZIP_DEFLATED)


def overlapping():
    """Two entries whose data is the same bytes of the file: their directory records are made to point to one place."""
    data = bytearray(archive([("a/data.pkl", b"x" * 5000), ("a/data/1", b"x" * 5000)]))
    second = data.rfind(b"PK\x01\x02")
    data[second + 42 : second + 46] = (0).to_bytes(4, "little")
    return bytes(data)


def duplicate():
    with pytest.warns(UserWarning, match="Duplicate"):
        return archive([*entries(), ("archive/data.pkl", pickled_call("os", "system", "true"))])


def torchscript():
    buffer = io.BytesIO()
    torch.jit.save(torch.jit.script(torch.nn.Linear(2, 2)), buffer)
    return buffer.getvalue()


def tar():
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as out:
        for name in ("storages", "tensors", "pickle"):
            out.addfile(tarfile.TarInfo(name), io.BytesIO(b""))
    return buffer.getvalue()


def huge_view():
    """Three numbers that claim to be a billion, by a stride of 0."""
    return saved({"w": torch.ones(3)[:1].expand(10**9)})


def huge_storage():
    """A legacy file of a few bytes whose storage claims 8 GB."""
    return GOOD["pickle"].replace(b"K\x0cNtq", b"\x8a\x04\x00\x00\x00\x70Ntq")


def ones(name):
    return [*entries(), (name, b"1")]


ATTACKS = {
    "torchscript": torchscript,
    "bomb": bomb,
    "overlapping": overlapping,
    "parent": lambda: archive(ones("archive/../../evil")),
    "parent root": lambda: archive([(f"../{name}", data) for name, data in entries()]),
    "absolute": lambda: archive(ones("/etc/evil")),
    "backslash": lambda: archive(ones("archive\\..\\evil")),
    "drive": lambda: archive(ones("C:/evil")),
    "duplicate": duplicate,
    "symlink": lambda: archive([("archive/data.pkl", b"/etc/passwd")], attributes=0o120777 << 16),
    "device": lambda: archive([("archive/data.pkl", b"")], attributes=0o060666 << 16),
    "entries": lambda: archive((f"a/data/{index}", b"") for index in range(100_000)),
    "unknown entry": lambda: archive(ones("archive/run.py")),
    "two folders": lambda: archive([*entries(), ("other/data/0", b"1")]),
    "folder": lambda: archive(ones("archive/data/")),
    "no pickle": lambda: archive([("archive/version", b"3")]),
    "huge pickle": lambda: archive([("archive/data.pkl", bytes(17_000_000))]),
    "huge view": huge_view,
    "huge storage": huge_storage,
    "sparse": lambda: saved({"w": torch.eye(3).to_sparse()}),
    "not finite": lambda: saved({"w": torch.tensor([1.0, float("nan")])}),
    "a list": lambda: saved([torch.ones(3)]),
    "a network": lambda: saved(torch.nn.Linear(2, 2)),
    "nothing": lambda: saved({}),
    "several groups": lambda: saved({"first": STATE, "second": STATE}),
    "an optimiser": lambda: saved({"state": {0: {"step": torch.ones(1)}}, "param_groups": [{"lr": 0.1}]}),
    "plain pickle": lambda: pickle.dumps({"w": 1}),
    "joined to more": lambda: GOOD["pickle"] + b"more",
    "stack global": lambda: legacy(b"\x80\x04\x8c\x02os\x8c\x06system\x93\x8c\x04true\x85R."),
    "tar": tar,
    "web page": lambda: b"<!DOCTYPE html><title>404</title>",
    "git lfs": lambda: b"version https://git-lfs.github.com/spec/v1\noid sha256:0\n",
    "gzip": lambda: b"\x1f\x8b" + bytes(100),
    "empty": lambda: b"",
    "polyglot": lambda: GOOD["safetensors"] + GOOD["zip"],
}


@pytest.fixture(scope="module")
def watched(tmp_path_factory):
    """What one child process says about every attack."""
    folder, canary = tmp_path_factory.mktemp("attacks"), tmp_path_factory.mktemp("other") / "canary"
    for name, build in ATTACKS.items():
        (folder / name).write_bytes(build())
    for index, call in enumerate(foreign_attacks.calls(canary)):
        pickled = pickled_call(*call)
        (folder / f"call {index} zip").write_bytes(archive([("a/data.pkl", pickled), ("a/version", b"3\n")]))
        (folder / f"call {index} legacy").write_bytes(legacy(pickled))
    command = [sys.executable, foreign_attacks.__file__, str(folder), str(canary)]
    child = subprocess.run(
        command, capture_output=True, text=True, timeout=120, check=True, cwd=Path(__file__).parents[1]
    )
    *said, seen = (json.loads(line) for line in child.stdout.splitlines())
    assert len(said) == len(list(folder.iterdir()))
    return {name: rest for name, *rest in said}, seen[1:], canary


def test_all_of_20_calls_in_two_formats_and_all_archives_are_refused(watched):
    said, _, _ = watched
    assert len([name for name in said if name.startswith("call")]) == 40
    assert {name: rest for name, rest in said.items() if rest[0] != "ModelError"} == {}
    assert all("weights_only" not in message for _, message, _ in said.values())


def test_nothing_was_run_written_or_connected_to(watched):
    _, seen, canary = watched
    assert seen == []
    assert not canary.exists()


def test_each_is_refused_for_its_own_reason(watched):
    said, _, _ = watched
    reasons = {
        "torchscript": "TorchScript",
        "bomb": "compressed",
        "overlapping": "overlap",
        "parent": "outside",
        "parent root": "outside",
        "absolute": "outside",
        "backslash": "outside",
        "duplicate": "twice",
        "symlink": "link",
        "entries": "20,000",
        "huge view": "larger than the file",
        "huge pickle": "16 MB",
        "sparse": "more than weights",
        "not finite": "finite",
        "tar": "tar",
        "joined to more": "4 bytes follow",
        "stack global": "STACK_GLOBAL",
        "web page": "web page",
        "git lfs": "git lfs pull",
        "several groups": "first",
        "an optimiser": "state of an optimiser",
        "call 11 zip": "bytearray",
        "call 0 legacy": "os.system",
    }
    assert {name: said[name][1] for name, reason in reasons.items() if reason not in said[name][1]} == {}


def test_refusals_are_quick(watched):
    said, _, _ = watched
    slow = {name: seconds for name, (_, _, seconds) in said.items() if seconds > 1.0}
    assert slow == {}


def test_the_attacks_work_where_nothing_guards(tmp_path):
    """The control: the same bytes do harm, or load, where they are read without these checks."""
    canary = tmp_path / "canary"
    pickle.loads(pickled_call(*foreign_attacks.calls(canary)[1]))
    assert canary.exists()
    assert len(torch.load(io.BytesIO(bomb()), weights_only=True)["w"]) > 100 * len(bomb())
    assert len(torch.load(io.BytesIO(huge_view()), weights_only=True)["w"]) == 10**9
    assert "w" in torch.load(io.BytesIO(legacy(pickled_call("__builtin__", "bytearray", 10**7))), weights_only=True)


@pytest.mark.parametrize("kind", GOOD)
def test_good_files_are_read(kind, tmp_path):
    path = tmp_path / "any name"
    path.write_bytes(GOOD[kind])
    read = read_weights(path, sha256=hashlib.sha256(GOOD[kind]).hexdigest().upper())
    assert read.format == kind
    assert read.tensors.keys() == STATE.keys()
    assert all(torch.equal(read.tensors[name], tensor) for name, tensor in STATE.items())


@pytest.mark.parametrize("as_zip", [True, False])
def test_weights_in_a_trainers_checkpoint(as_zip, tmp_path):
    checkpoint = {"params": {"w": torch.zeros(1)}, "params_ema": {"w": torch.ones(1)}, "epoch": 3, "args": {"lr": 0.1}}
    path = tmp_path / "c.pth"
    path.write_bytes(saved(checkpoint, as_zip=as_zip))
    assert read_weights(path).tensors == {"w": torch.ones(1)}
    path.write_bytes(saved({"network": torch.nn.Linear(2, 1).state_dict(), "epoch": 3}, as_zip=as_zip))
    assert set(read_weights(path).tensors) == {"weight", "bias"}


def test_another_hash_a_large_file_and_no_file(tmp_path):
    path = tmp_path / "w.pth"
    path.write_bytes(GOOD["zip"])
    for arguments, reason in [
        ({"sha256": "0" * 64}, "SHA-256"),
        ({"limits": Limits(max_file_mb=0)}, "max-file-mb"),
        ({"limits": Limits(max_tensors=2)}, "max-tensors"),
    ]:
        with pytest.raises(ModelError, match=reason):
            read_weights(path, **arguments)
    for wrong in (tmp_path, tmp_path / "none", Path("/dev/null"), Path("nul\0")):
        with pytest.raises(ModelError):
            read_weights(wrong)


def damaged(data, seed):
    """200 flipped bits, one at a time, and 100 truncations."""
    draw = random.Random(seed)
    for _ in range(200):
        at = draw.randrange(len(data))
        yield data[:at] + bytes([data[at] ^ (1 << draw.randrange(8))]) + data[at + 1 :]
    for _ in range(100):
        yield data[: draw.randrange(len(data))]


def outcomes(kind, tmp_path):
    path, counts = tmp_path / "w.pth", {"refused": 0, "same": 0, "other numbers": 0}
    big = {**STATE, "a.weight": torch.randn(40, 40, generator=torch.Generator().manual_seed(0))}
    data = save(big) if kind == "safetensors" else saved(big, as_zip=kind == "zip")
    for bad in damaged(data, 0):
        path.write_bytes(bad)
        try:
            read = read_weights(path).tensors
        except ModelError:
            counts["refused"] += 1
            continue
        assert sum(tensor.numel() * tensor.element_size() for tensor in read.values()) <= 4 * len(data)
        equal = read.keys() == big.keys() and all(torch.equal(read[name], big[name]) for name in big)
        counts["same" if equal else "other numbers"] += 1
    return counts


@pytest.mark.parametrize(("kind", "unnoticed"), [("zip", 0), ("pickle", 200), ("safetensors", 200)])
def test_damage_is_refused_or_loads_without_a_crash(kind, unnoticed, tmp_path):
    counts = outcomes(kind, tmp_path)
    assert sum(counts.values()) == 300
    assert counts["refused"] >= 100
    assert counts["other numbers"] <= unnoticed


def test_without_the_zips_sums_flipped_bits_pass(tmp_path, monkeypatch):
    """The control: torch alone does not look at them."""
    monkeypatch.setattr("translate.storage.foreign.reading.checked_archive", lambda data, *_: io.BytesIO(data))
    assert outcomes("zip", tmp_path)["other numbers"] > 50


def test_every_refusal_comes_before_torch(monkeypatch):
    monkeypatch.setattr(torch, "load", lambda *_, **__: pytest.fail("torch saw the file"))
    late = {
        "huge view",
        "huge storage",
        "not finite",
        "a list",
        "nothing",
        "several groups",
        "an optimiser",
        "joined to more",
    }
    for name in set(ATTACKS) - late - {"polyglot", "web page", "git lfs", "gzip", "empty", "tar", "plain pickle"}:
        data = ATTACKS[name]()
        with pytest.raises(ModelError):
            _document(data, "zip" if data.startswith(b"PK") else "pickle", name, Limits())
