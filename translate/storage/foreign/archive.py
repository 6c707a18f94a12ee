"""The zip that `torch.save` writes: its directory is checked, and torch gets a fresh zip of what was checked.

torch follows whatever a zip says: it inflates 256 KB to 256 MB, and notices no flipped bit. Here every entry must
lie in the file as it is, once, under a name that torch itself gives, and match its CRC-32. They are then put into
a new zip, so that torch sees no byte of the old one that was not looked at, however two readers of one zip may differ.
"""

import io
import re
import stat
import zipfile
import zlib
from collections.abc import Sequence

from translate.errors import ModelError
from translate.storage.foreign.limits import Limits
from translate.storage.foreign.pickles import check_pickles

ZIP_START = b"PK"
_DIRECTORY_ENTRY = b"PK\x01\x02"
_PICKLE = "data.pkl"
_KNOWN = re.compile(
    r"data\.pkl|data/\d+|version|byteorder|\.format_version|\.storage_alignment|\.data/serialization_id"
)
_TORCHSCRIPT = re.compile(r"code/.*|constants\.pkl|constants/.*")
_ENCRYPTED = 0x1
_SAVE_AGAIN = "save the weights again with torch.save(network.state_dict(), PATH)"


def checked_archive(data: bytes, name: str, limits: Limits) -> io.BytesIO:
    """A zip with the entries of `data`, each of them checked. Raises ModelError, which names the file and the entry."""
    # Counted in the bytes, since the number that a zip gives itself need not be true.
    if data.count(_DIRECTORY_ENTRY) > limits.max_tensors:
        raise ModelError(f"{name}: the zip has more than {limits.max_tensors:,} entries (--limits.max-tensors)")
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            entries = archive.infolist()
            _check_directory(entries, name, len(data))
            check_pickles(archive.read(_pickle_entry(entries, name, limits)), 1, name)
            return _copied(archive, entries)
    except (
        zipfile.BadZipFile,
        zlib.error,
        OSError,
        EOFError,
        ValueError,
        NotImplementedError,
        RuntimeError,
    ) as problem:
        raise ModelError(f"{name} is damaged: {problem}. Download or copy it again") from problem


def _copied(archive: zipfile.ZipFile, entries: Sequence[zipfile.ZipInfo]) -> io.BytesIO:
    """A new zip of the entries; reading each one checks its CRC-32."""
    fresh = io.BytesIO()
    with zipfile.ZipFile(fresh, "w", zipfile.ZIP_STORED) as copy:
        for entry in entries:
            copy.writestr(zipfile.ZipInfo(entry.filename), archive.read(entry))
    fresh.seek(0)
    return fresh


def _check_directory(entries: Sequence[zipfile.ZipInfo], name: str, file_bytes: int) -> None:
    names = [entry.orig_filename for entry in entries]
    if len(set(names)) != len(names):
        raise ModelError(f"{name}: an entry of the zip stands twice, so readers may differ on it; {_SAVE_AGAIN}")
    for entry in entries:
        _check_name(entry.orig_filename, name)
        _check_kind(entry, name)
    if len({entry.partition("/")[0] for entry in names}) > 1:
        raise ModelError(f"{name}: the zip has several folders, and torch writes one; {_SAVE_AGAIN}")
    if sum(entry.file_size for entry in entries) > file_bytes:
        raise ModelError(f"{name}: the zip's entries overlap or are larger than the file; {_SAVE_AGAIN}")


def _check_name(entry: str, name: str) -> None:
    folder, _, rest = entry.partition("/")
    if folder in {"", ".", ".."} or ".." in rest.split("/") or re.search(r"[\\:\0]", entry):
        raise ModelError(f"{name}: the zip's entry {entry[:80]!r} points outside the file; do not trust its source")
    if _TORCHSCRIPT.fullmatch(rest):
        raise ModelError(
            f"{name} is a TorchScript archive: it holds a program, which is not run here. {_SAVE_AGAIN.capitalize()}"
        )
    if not _KNOWN.fullmatch(rest):
        raise ModelError(f"{name}: the zip's entry {entry[:80]!r} is none that torch.save writes; {_SAVE_AGAIN}")


def _check_kind(entry: zipfile.ZipInfo, name: str) -> None:
    kind = stat.S_IFMT(entry.external_attr >> 16)
    if kind not in {0, stat.S_IFREG}:
        raise ModelError(f"{name}: the zip's entry {entry.filename!r} is a link or a device; do not trust its source")
    if entry.flag_bits & _ENCRYPTED:
        raise ModelError(f"{name}: the zip's entry {entry.filename!r} is encrypted; {_SAVE_AGAIN}")
    if entry.compress_type != zipfile.ZIP_STORED or entry.compress_size != entry.file_size:
        raise ModelError(
            f"{name}: the zip's entry {entry.filename!r} is compressed, as torch never does; {_SAVE_AGAIN}"
        )


def _pickle_entry(entries: Sequence[zipfile.ZipInfo], name: str, limits: Limits) -> zipfile.ZipInfo:
    found = next((entry for entry in entries if entry.filename.endswith(f"/{_PICKLE}")), None)
    if found is None:
        raise ModelError(f"{name}: the zip has no {_PICKLE}, so torch.save did not write it; {_SAVE_AGAIN}")
    if found.file_size > limits.max_pickle_mb * 10**6:
        raise ModelError(
            f"{name}: its pickle is over {limits.max_pickle_mb} MB (--limits.max-pickle-mb); {_SAVE_AGAIN}"
        )
    return found
