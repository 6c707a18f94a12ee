"""One life of a folder run, to be killed or measured: `python folder_worker.py ORDER`, where ORDER is JSON.

It writes a line "done bytes-of-memory open-files" to a log as it goes, and can be broken on purpose: `half` writes
files in place and in two parts, `unbounded` reads all pictures ahead, `leaking` forgets to close a file for each.
"""

import json
import os
import sys
import time
from pathlib import Path

import psutil

import pipelines
import pipelines.batch.ahead
import pipelines.batch.folder
import translate.data.writing

ORDER = json.loads(sys.argv[1])
THIS = psutil.Process()
LEAKED = []


def in_two_parts(path, content):
    with path.open("wb", buffering=0) as file:
        file.write(content[: len(content) // 2])
        time.sleep(0.005)
        file.write(content[len(content) // 2 :])


def all_at_once(*arguments, ahead, **options):
    return bounded(*arguments, ahead=10**9, **options)


bounded = pipelines.batch.folder.read_ahead
if ORDER["broken"] == "half":
    translate.data.writing.write_atomically = in_two_parts
if ORDER["broken"] == "unbounded":
    pipelines.batch.folder.read_ahead = all_at_once
    pipelines.batch.ahead._ROOM_PIXELS = 10**12


def tell(done, total):
    if ORDER["broken"] == "leaking":
        LEAKED.append(os.open(ORDER["model"], os.O_RDONLY))
    if done % ORDER["every"] == 0 or done == total:
        os.write(log, f"{done} {THIS.memory_info().rss} {THIS.num_fds()}\n".encode())
    time.sleep(ORDER["pace_sec"])


log = os.open(ORDER["log"], os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
translate = pipelines.load(ORDER["model"], device="cpu")
translate(next(Path(ORDER["source"]).rglob("good*.png")))  # what the first picture alone makes grow
result = pipelines.run_folder(translate, ORDER["source"], ORDER["out"], progress=tell)
assert "torch" not in sys.modules
sys.exit(8 if result.failed else 0)
