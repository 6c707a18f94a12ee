"""What someone may do to the folder of a snapshot: each must be refused before a parser sees a byte."""

import hashlib
import json
import os

from translate.storage.snapshot import MANIFEST

PARSE_JSON = json.loads


def edit_manifest(folder, change):
    manifest = PARSE_JSON((folder / MANIFEST).read_text())
    change(manifest["files"])
    (folder / MANIFEST).write_text(json.dumps(manifest))


def entry(data):
    return {"bytes": len(data), "sha256": hashlib.sha256(data).hexdigest()}


def remove_file(folder):
    (folder / "networks.safetensors").unlink()


def add_file(folder):
    (folder / "extra.json").write_text("{}")


def add_folder(folder):
    (folder / "extra").mkdir()


def rename_file(folder):
    (folder / "networks.safetensors").rename(folder / "network.safetensors")


def change_case(folder):
    (folder / "networks.safetensors").rename(folder / "Networks.safetensors")


def append_byte(folder):
    with (folder / "networks.safetensors").open("ab") as file:
        file.write(b"\0")


def link_file(folder):
    (folder / "networks.safetensors").rename(folder.parent / "elsewhere")
    (folder / "networks.safetensors").symlink_to(folder.parent / "elsewhere")


def link_dangling(folder):
    (folder / "networks.safetensors").unlink()
    (folder / "networks.safetensors").symlink_to(folder.parent / "nowhere")


def pipe_for_file(folder):
    """A named pipe of 0 bytes, as the manifest says: opening it would wait for ever."""
    (folder / "recipe.json").unlink()
    os.mkfifo(folder / "recipe.json")
    edit_manifest(folder, lambda files: files.update({"recipe.json": entry(b"")}))


def folder_for_file(folder):
    (folder / "recipe.json").unlink()
    (folder / "recipe.json").mkdir()
    size = (folder / "recipe.json").stat().st_size
    edit_manifest(folder, lambda files: files.update({"recipe.json": {"bytes": size, "sha256": "0" * 64}}))


def name_above(folder):
    (folder.parent / "x").write_bytes(b"{}")
    edit_manifest(folder, lambda files: files.update({"../x": entry(b"{}")}))


def name_absolute(folder):
    (folder.parent / "x.json").write_bytes(b"{}")
    edit_manifest(folder, lambda files: files.update({str(folder.parent / "x.json"): entry(b"{}")}))


def name_below(folder):
    (folder / "sub").mkdir()
    (folder / "sub" / "x.json").write_bytes(b"{}")
    edit_manifest(folder, lambda files: files.update({"sub/x.json": entry(b"{}")}))


def name_parent(folder):
    edit_manifest(folder, lambda files: files.update({"..": entry(b"")}))


def name_with_nul(folder):
    edit_manifest(folder, lambda files: files.update({"a\0b": entry(b"")}))


def name_long(folder):
    edit_manifest(folder, lambda files: files.update({"a" * 300: entry(b"")}))


def name_itself(folder):
    edit_manifest(folder, lambda files: files.update({MANIFEST: entry((folder / MANIFEST).read_bytes())}))


def name_twice(folder):
    """A parser that takes the last of two would check one entry and another program the other."""
    text = (folder / MANIFEST).read_text()
    twice = text.replace('"progress.json": {', '"progress.json": {"bytes": 1, "sha256": ""}, "progress.json": {', 1)
    assert PARSE_JSON(twice) == PARSE_JSON(text)
    (folder / MANIFEST).write_text(twice)


def swap_hashes(folder):
    def swap(files):
        files["progress.json"], files["recipe.json"] = files["recipe.json"], files["progress.json"]

    edit_manifest(folder, swap)


def swap_contents(folder):
    """Both files are whole, each under the other's name."""
    a, b = folder / "networks.safetensors", folder / "optimisers.safetensors"
    data = a.read_bytes(), b.read_bytes()
    a.write_bytes(data[1])
    b.write_bytes(data[0])


def drop_hash(folder):
    edit_manifest(folder, lambda files: files["progress.json"].pop("sha256"))


def hash_of_wrong_kind(folder):
    edit_manifest(folder, lambda files: files["progress.json"].update(sha256=None))


def entry_of_wrong_kind(folder):
    edit_manifest(folder, lambda files: files.update({"progress.json": 3}))


def files_of_wrong_kind(folder):
    (folder / MANIFEST).write_text('{"files": ["progress.json"]}')


def manifest_of_wrong_kind(folder):
    (folder / MANIFEST).write_text("[]")


def manifest_deep(folder):
    (folder / MANIFEST).write_text("[" * 100_000)


def manifest_missing(folder):
    (folder / MANIFEST).unlink()


TAMPERINGS = [
    remove_file,
    add_file,
    add_folder,
    rename_file,
    change_case,
    append_byte,
    link_file,
    link_dangling,
    pipe_for_file,
    folder_for_file,
    name_above,
    name_absolute,
    name_below,
    name_parent,
    name_with_nul,
    name_long,
    name_itself,
    name_twice,
    swap_hashes,
    swap_contents,
    drop_hash,
    hash_of_wrong_kind,
    entry_of_wrong_kind,
    files_of_wrong_kind,
    manifest_of_wrong_kind,
    manifest_deep,
    manifest_missing,
]
