"""A server that imports torch once and forks a child for each life of a training run, for tests/test_crashes.py.

It reads an order a line (JSON) and answers with the ids of the life's processes (one, or as many as `world` says), and
with their exit codes once they have ended.
Where an order says `die_at_event`, the child kills itself at that moment of a save, counted over all of its saves:
after half of a file, after a whole one, before the folder is synced, half through the removal of an old snapshot.
The hooks are put in here, not in the product.
"""

import json
import os
import shutil
import signal
import sys
import traceback
from dataclasses import replace
from pathlib import Path

import naive_saver
import torch

import pipelines.training.keeping
import pipelines.training.run
from pipelines.methods import cyclegan, pix2pix  # noqa: F401 - imported once, before the forks
from pipelines.recipes import recipe_named
from pipelines.training import Setting, resume, train
from translate.data.augmentation import Augmentation
from translate.errors import PixturnError
from translate.networks.discriminators import DiscriminatorConfig
from translate.networks.generators import GeneratorConfig
from translate.recipe import Length
from translate.storage import snapshot, whole


def tiny(method, *, images, batch_size=1):
    """A run of seconds that has every kind of state: noise (dropout), pools, averages, both kinds of norm.

    `samples` is a pix2pix without noise and without statistics across samples, so that batches may be dealt out; in
    fp32, since in bf16 the order of a sum shows.
    """
    recipe = recipe_named("pix2pix" if method == "samples" else method)
    small = {
        "samples": {"generator": GeneratorConfig(width=4, depth=3, norm="instance")},
        "pix2pix": {"generator": GeneratorConfig(kind="resnet", width=4, blocks=1, dropout=0.5)},
        "cyclegan": {"generator": GeneratorConfig(norm="instance", width=4, depth=3), "pool_size": 4},
    }[method]
    norm = "instance" if method == "samples" else "batch"
    discriminator = DiscriminatorConfig(width=4, layers=2, norm=norm)
    return replace(
        recipe,
        config=replace(recipe.config, discriminator=discriminator, **small),
        batch_size=batch_size,
        augmentation=Augmentation(load_px=36, crop_px=32),
        length=Length(images=images),
        validation=replace(recipe.validation, every_images=images // 2, most=4),
        average_half_life_images=10.0,
        save_every_images=5,
        threads=1,
        precision="fp32" if method == "samples" else "auto",
    )


def run_life(order):
    torch.set_num_threads(1)
    if order["saver"] == "naive":
        pipelines.training.keeping.Shelf = pipelines.training.run.Shelf = naive_saver.NaiveShelf
    if order["die_at_event"] is not None:
        die_in_a_save(order["die_at_event"])
    setting = Setting(device="cpu", workers=order["workers"], runs=Path(order["runs"]), check=False, report=False)
    if order["resume"]:
        resume("run", setting)
    else:
        recipe = tiny(order["method"], images=order["images"], batch_size=order["batch_size"])
        train(recipe, order["data"], name="run", setting=setting)


def die_in_a_save(at):
    events = iter(range(at))

    def event():
        if next(events, None) is None:
            os.kill(os.getpid(), signal.SIGKILL)

    def write_through(path, content):
        with path.open("wb") as file:
            file.write(content[: len(content) // 2])
            file.flush()
            event()
            file.write(content[len(content) // 2 :])
            file.flush()
            os.fsync(file.fileno())
        event()

    sync_folder, rmtree = whole.sync_folder, shutil.rmtree

    def synced(folder):
        event()
        sync_folder(folder)

    def removed(path, **options):
        for file in sorted(Path(path).glob("*"))[:3]:
            file.unlink()
        event()
        rmtree(path, **options)

    snapshot.write_through = naive_saver.write_through = write_through
    whole.sync_folder = synced
    shutil.rmtree = removed


def live(order, rank):
    os.setsid()
    if order["world"] > 1:  # what torchrun tells its processes
        place = {"RANK": rank, "WORLD_SIZE": order["world"], "MASTER_ADDR": "127.0.0.1", "MASTER_PORT": order["port"]}
        os.environ |= {name: str(value) for name, value in place.items()}
    log = os.open(order["log"], os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    for stream in (1, 2):
        os.dup2(log, stream)
    try:
        run_life(order)
    except PixturnError as problem:
        sys.stderr.write(f"{problem}\n")
        return problem.exit_code
    except BaseException:
        traceback.print_exc()
        return 1
    return 0


def serve():
    for line in sys.stdin:
        order = json.loads(line)
        children = [begin(order, rank) for rank in range(order["world"])]
        tell(children)
        tell([os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) for child in children])


def tell(answer):
    sys.stdout.write(json.dumps(answer) + "\n")
    sys.stdout.flush()


def begin(order, rank):
    child = os.fork()
    if child == 0:
        code = live(order, rank)
        sys.stderr.flush()
        os._exit(code)
    return child


if __name__ == "__main__":
    serve()
