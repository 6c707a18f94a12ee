"""Many pictures through one engine: `python -m benchmarks.throughput`.

Three tables, each with contenders that take turns; figures are medians with quartiles.

- *At full load*: eight pictures one by one, in batches, and several in flight (as many as there are threads, one thread
  each), with the slopes of log time against log pixels and log batch: 1 is linear.
- *Pixels in the file*: eight uint8 pictures to eight uint8 pictures through `pipelines.load`, with a file that takes
  floats (scaled, padded, cropped and rounded by numpy) and with one that has all that inside (`export --pixels`).
- *Waiting*: ONNX Runtime with threads that spin while they wait, as it does by itself, and with threads that sleep.
"""

import json
import os
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from typing import Any, Final, Literal

import numpy as np
import onnx
import torch
import tyro
from numpy.typing import NDArray

import pipelines
from benchmarks.graph_engines import Call, int8_beside
from benchmarks.machine import description
from benchmarks.timing import Timing, alternately
from benchmarks.torch_engines import NETWORKS, network_named, write_graph, write_model
from pipelines.load import require_translator
from translate.export.pixels import bake
from translate.runtime.cores import usable_cores
from translate.runtime.integrity import sidecar, sidecar_line
from translate.runtime.openvino_model import Compute, OpenVinoModel, core
from translate.runtime.peek import peek_card
from translate.runtime.session import new_session

PICTURES: Final = 8
"""Of each call, however they go through."""
_BF16: Final = "OpenVINO bf16"

What = Literal["full-load", "pixels", "waiting"]
Floats = NDArray[np.float32]


@dataclass(frozen=True, kw_only=True)
class Options:
    """What to measure."""

    what: tuple[What, ...] = ("full-load", "pixels", "waiting")
    """Which tables."""
    networks: tuple[str, ...] = tuple(NETWORKS)
    """Which networks."""
    sizes_px: tuple[int, ...] = (256, 512)
    """Sides of the square pictures."""
    batches: tuple[int, ...] = (1, 2, 4, 8)
    """Pictures of one call; each divides eight."""
    rounds: int = 5
    """Calls of every contender, of eight pictures each."""
    out: Path | None = None
    """Where to write all figures as JSON."""


def main(options: Options) -> None:
    """Print the tables in Markdown."""
    print(description(torch.device("cpu"), usable_cores()))
    measured: dict[str, list[dict[str, Any]]] = {}
    tables = {"full-load": _full_load, "pixels": _pixels, "waiting": _waiting}
    for what in options.what:
        measured[what] = []
        for name in options.networks:
            with tempfile.TemporaryDirectory() as folder:
                measured[what] += tables[what](name, Path(folder), options)
    if options.out is not None:
        options.out.write_text(json.dumps({"load": os.getloadavg(), **measured}, indent=2) + "\n")


def _full_load(name: str, folder: Path, options: Options) -> list[dict[str, Any]]:
    graph = folder / "model.onnx"
    write_graph(network_named(name), graph)
    print("\n| network | px | engine | eight pictures | pictures/s (quartiles) | times one by one |")
    print("|---|---|---|---|---|---|")
    rows = list[dict[str, Any]]()
    for side_px in options.sizes_px:
        pictures = np.random.default_rng(0).uniform(-1, 1, (PICTURES, 3, side_px, side_px)).astype(np.float32)
        calls = {
            (engine, way): call
            for engine, ways in _engines(graph, pictures, options.batches).items()
            for way, call in ways.items()
        }
        timings = alternately({f"{engine}|{way}": call for (engine, way), call in calls.items()}, rounds=options.rounds)
        for engine, way in calls:
            timing, base = timings[f"{engine}|{way}"], timings[f"{engine}|batches of {options.batches[0]}"]
            speed = f"{_speed(timing)} | {base.median_sec / timing.median_sec:.2f}"
            print(f"| {name} | {side_px} | {engine} | {way} | {speed} |", flush=True)
            rows.append({"network": name, "px": side_px, "engine": engine, "way": way, **asdict(timing)})
    _print_slopes(name, rows)
    return rows


def _engines(graph: Path, pictures: Floats, batches: Sequence[int]) -> dict[str, dict[str, Call]]:
    exact, small = graph.read_bytes(), int8_beside(graph).read_bytes()
    return {
        "ONNX Runtime fp32": _onnxruntime(exact, pictures, batches),
        "ONNX Runtime int8": _onnxruntime(small, pictures, batches),
        "OpenVINO fp32": _openvino(exact, "fp32", pictures, batches),
        _BF16: _openvino(exact, "bf16", pictures, batches),
    }


def _onnxruntime(data: bytes, pictures: Floats, batches: Sequence[int]) -> dict[str, Call]:
    session, alone, cores = new_session(data), new_session(data, threads=1), usable_cores()
    pool = ThreadPoolExecutor(cores)

    def one(index: int) -> None:
        alone.run(None, {"a": pictures[index : index + 1]})

    def in_flight() -> None:
        list(pool.map(one, range(PICTURES)))

    ways = _in_batches(lambda given: session.run(None, {"a": given}), pictures, batches)
    return {**ways, f"{cores} in flight": in_flight}


def _openvino(data: bytes, compute: Compute, pictures: Floats, batches: Sequence[int]) -> dict[str, Call]:
    import openvino

    model, cores = OpenVinoModel(data, compute), usable_cores()
    settings = {"INFERENCE_PRECISION_HINT": "bf16" if compute == "bf16" else "f32", "NUM_STREAMS": str(cores)}
    settings["INFERENCE_NUM_THREADS"] = str(cores)
    queue = openvino.AsyncInferQueue(core().compile_model(core().read_model(data), "CPU", settings), cores)

    def in_flight() -> None:
        for index in range(PICTURES):
            queue.start_async({"a": pictures[index : index + 1]})
        queue.wait_all()

    ways = _in_batches(lambda given: model.run({"a": given}), pictures, batches)
    return {**ways, f"{cores} in flight": in_flight}


def _in_batches(run: Callable[[Floats], object], pictures: Floats, batches: Sequence[int]) -> dict[str, Call]:
    def call(size: int) -> None:
        for start in range(0, PICTURES, size):
            run(pictures[start : start + size])

    return {f"batches of {size}": partial(call, size) for size in batches}


def _print_slopes(name: str, rows: Sequence[Mapping[str, Any]]) -> None:
    """Slopes of log time: against pixels one by one, and against the batch at the smallest size."""
    print("\n| network | engine | slope by pixels | slope by batch |\n|---|---|---|---|")
    for engine in dict.fromkeys(row["engine"] for row in rows):
        own = [row for row in rows if row["engine"] == engine and row["way"].startswith("batches")]
        first, least = own[0]["way"], own[0]["px"]
        by_pixels = {row["px"] ** 2: row["median_sec"] for row in own if row["way"] == first}
        # A call of a batch of n is n eighths of the time for eight pictures.
        sizes = {int(row["way"].rpartition(" ")[2]): row["median_sec"] for row in own if row["px"] == least}
        by_batch = {size: size / PICTURES * seconds for size, seconds in sizes.items()}
        print(f"| {name} | {engine} | {slope(by_pixels)} | {slope(by_batch)} |")


def slope(seconds: Mapping[int, float]) -> str:
    """Of log seconds against the log of what grows, by least squares; empty for a single point."""
    if len(seconds) < 2:
        return ""
    return f"{np.polyfit(np.log(list(seconds)), np.log(list(seconds.values())), 1)[0]:.2f}"


def _pixels(name: str, folder: Path, options: Options) -> list[dict[str, Any]]:
    floats = write_model(network_named(name), folder)
    files = {"floats": floats, "pixels": _baked(floats, folder / "pixels.onnx")}
    print("\n| network | px | engine | file | pictures/s (quartiles) | times floats |\n|---|---|---|---|---|---|")
    rows = list[dict[str, Any]]()
    for side_px in options.sizes_px:
        picture = np.random.default_rng(0).integers(0, 256, (side_px, side_px, 3), np.uint8)
        timings = alternately(dict(_folder_like(files, picture, options)), rounds=options.rounds)
        for key, timing in timings.items():
            engine, file = key.split("|")
            ratio = timings[f"{engine}|floats"].median_sec / timing.median_sec
            print(f"| {name} | {side_px} | {engine} | {file} | {_speed(timing)} | {ratio:.2f} |", flush=True)
            rows.append({"network": name, "px": side_px, "engine": engine, "file": file, **asdict(timing)})
    return rows


def _folder_like(files: Mapping[str, Path], picture: NDArray[np.uint8], options: Options) -> Iterator[tuple[str, Call]]:
    for file, path in files.items():
        exact = require_translator(pipelines.load(path, device="cpu"))
        fast = require_translator(pipelines.load(path, device="openvino", compute="bf16"))
        size = options.batches[-1]
        for engine, translate in (("ONNX Runtime fp32", exact), (_BF16, fast)):
            for batch in (1, size):
                calls = [partial(translate.batch, [picture] * batch)] * (PICTURES // batch)
                yield f"{engine}, batches of {batch}|{file}", partial(_each, calls)


def _each(calls: Sequence[Call]) -> None:
    for call in calls:
        call()


def _baked(floats: Path, path: Path) -> Path:
    card = peek_card(floats)
    if card is None:
        raise SystemExit(f"{floats} has no card")
    data = bake(onnx.load(floats), card)[0].SerializeToString()
    path.write_bytes(data)
    sidecar(path).write_bytes(sidecar_line(path.name, data))
    return path


def _waiting(name: str, folder: Path, options: Options) -> list[dict[str, Any]]:
    graph = folder / "model.onnx"
    write_graph(network_named(name), graph)
    print("\n| network | px | threads that wait | ms (quartiles) | times spinning |\n|---|---|---|---|---|")
    rows = list[dict[str, Any]]()
    sessions = {"spin": new_session(graph.read_bytes(), spins=True), "sleep": new_session(graph.read_bytes())}
    for side_px in options.sizes_px:
        picture = np.random.default_rng(0).uniform(-1, 1, (1, 3, side_px, side_px)).astype(np.float32)
        calls = {how: partial(session.run, None, {"a": picture}) for how, session in sessions.items()}
        timings = alternately(calls, rounds=PICTURES * options.rounds)
        for how, timing in timings.items():
            figures = f"{1e3 * timing.median_sec:.1f} ({1e3 * timing.lower_sec:.1f} to {1e3 * timing.upper_sec:.1f})"
            print(f"| {name} | {side_px} | {how} | {figures} | {timings['spin'].median_sec / timing.median_sec:.2f} |")
            rows.append({"network": name, "px": side_px, "waiting": how, **asdict(timing)})
    return rows


def _speed(timing: Timing) -> str:
    return (
        f"{PICTURES / timing.median_sec:.2f} ({PICTURES / timing.upper_sec:.2f} to {PICTURES / timing.lower_sec:.2f})"
    )


if __name__ == "__main__":
    main(tyro.cli(Options))
