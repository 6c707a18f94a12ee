"""Files that were built to do harm, and a child process that watches what reading them does.

`python foreign_attacks.py FOLDER CANARY` reads every file of the folder and prints one JSON line for each: the kind of
error, its message, the seconds; then one with what the audit hook has seen.
"""

import io
import json
import os
import pickle
import sys
import time
import zipfile
from pathlib import Path


def pickled_call(module, name, *arguments):
    """The pickle of {"w": module.name(*arguments)}, written by hand."""
    body = b"\x80\x02}X\x01\x00\x00\x00w" + f"c{module}\n{name}\n".encode()
    return body + b"(" + b"".join(pickle.dumps(each, 2)[2:-1] for each in arguments) + b"tRs."


def calls(canary):
    """Twenty gadgets: each would leave the canary file, or fill the memory, if it ran."""
    touch, code = f"touch {canary}", f"open({str(canary)!r}, 'w')"
    return [
        ("os", "system", touch),
        ("posix", "system", touch),
        ("os", "popen", touch),
        ("os", "mkdir", str(canary)),
        ("subprocess", "check_output", ["touch", str(canary)]),
        ("subprocess", "Popen", ["touch", str(canary)]),
        ("builtins", "eval", code),
        ("builtins", "exec", code),
        ("__builtin__", "eval", code),
        ("builtins", "open", str(canary), "w"),
        ("builtins", "getattr", "os", "system"),
        ("builtins", "bytearray", 10**10),
        ("runpy", "run_path", str(canary)),
        ("shutil", "copy", "/etc/hostname", str(canary)),
        ("pathlib", "Path.touch", str(canary)),
        ("torch", "load", str(canary)),
        ("torch.hub", "download_url_to_file", "http://127.0.0.1:9/x", str(canary)),
        ("torch.jit", "load", str(canary)),
        ("torch.utils.cpp_extension", "load_inline", "x", touch),
        ("torch.storage", "_load_from_bytes", b"cos\nsystem\n(S'touch " + str(canary).encode() + b"'\ntR."),
    ]


def archive(entries, *, method=zipfile.ZIP_STORED, attributes=0):
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as out:
        for name, data in entries:
            entry = zipfile.ZipInfo(name)
            entry.compress_type, entry.external_attr = method, attributes
            out.writestr(entry, data)
    return buffer.getvalue()


def legacy(pickled):
    """torch's older format around the pickle of a state dict."""
    magic, version = 0x1950A86A20F9469CFC6C, 1001
    return b"".join(pickle.dumps(each, 2) for each in (magic, version, {})) + pickled + pickle.dumps([], 2)


def main(folder, canary):
    import torch  # noqa: F401 - what torch does when it is imported is not what is watched

    from translate.errors import PixturnError
    from translate.storage.foreign import read_weights

    seen = []
    own = str(folder)

    def watch(event, arguments):
        if event == "open" and isinstance(arguments[0], str) and not arguments[0].startswith(own):
            writes = isinstance(arguments[2], int) and arguments[2] & (os.O_WRONLY | os.O_RDWR | os.O_CREAT)
            seen.extend([f"write {arguments[0]}"] if writes else [])
        elif event.split(".")[0] in {"socket", "subprocess", "ctypes"} or event in {"os.system", "os.mkdir", "os.exec"}:
            seen.append(event)

    sys.addaudithook(watch)
    for path in sorted(folder.iterdir()):
        start = time.perf_counter()
        try:
            read_weights(path)
            said = ("read", "")
        except PixturnError as problem:
            said = (type(problem).__name__, str(problem))
        except BaseException as problem:  # whatever gets out is what the test looks for
            said = (f"untyped {type(problem).__name__}", str(problem))
        print(json.dumps([path.name, *said, time.perf_counter() - start]))  # noqa: T201
    print(json.dumps(["seen", *sorted(set(seen))]))  # noqa: T201


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
