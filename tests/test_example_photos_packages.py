"""The packages that the example `photos` reads: Qt resource files, Debian's archives, and how they are had."""

import gzip
import hashlib
import lzma
import shutil
import subprocess

import numpy as np
import pytest
from photo_packages import deb, rcc, unpack

from pipelines.examples import photos_packages
from pipelines.examples.photos_packages import DEBIAN, download, read_deb, read_package
from pipelines.examples.photos_rcc import read_rcc
from translate.errors import ConfigurationError, DatasetError

MATE = DEBIAN["mate-backgrounds"]


# --- Qt resources


FILES = {"/gcompris/a/lynx.webp": b"lynx", "/gcompris/a/żubr.webp": b"bison" * 9, "/readme": b"text"}


@pytest.mark.parametrize("version", [1, 2, 3])
def test_resource_files(version):
    assert read_rcc(rcc(FILES, version), "it") == FILES
    rest = {path: data for path, data in FILES.items() if path != "/readme"}
    assert read_rcc(rcc(FILES, version, compressed={"/readme"}), "it") == rest


@pytest.mark.parametrize("broken", [b"", b"qres", b"PNG " + rcc(FILES)[4:], rcc(FILES, 4), rcc(FILES)[:-200]])
def test_damaged_resource_files_are_refused(broken):
    with pytest.raises(DatasetError, match=r"animals\.rcc"):
        read_rcc(broken, "animals.rcc")


def test_a_resource_file_that_goes_in_circles_is_refused():
    circle = bytearray(rcc(FILES))
    circle[24 + 10 : 24 + 14] = bytes(4)  # the root's first child is the root
    with pytest.raises(DatasetError, match=r"animals\.rcc"):
        read_rcc(bytes(circle), "animals.rcc")


# --- Debian's packages


CONTENT = {"usr/share/a.jpg": b"picture", "usr/share/b.rcc": bytes(1001)}


@pytest.mark.parametrize(("pack", "suffix"), [(lzma.compress, "xz"), (gzip.compress, "gz")])
def test_files_of_a_deb(pack, suffix):
    assert read_deb(deb(CONTENT | {"c": b""}, pack, suffix), CONTENT, MATE) == CONTENT


@pytest.mark.skipif(shutil.which("dpkg-deb") is None, reason="dpkg-deb is not there")
def test_files_of_a_deb_that_debian_made(tmp_path):
    (tmp_path / "tree" / "DEBIAN").mkdir(parents=True)
    control = (
        "Package: mate-backgrounds\nVersion: 1\nArchitecture: all\nMaintainer: N <n@example.org>\nDescription: x\n"
    )
    (tmp_path / "tree" / "DEBIAN" / "control").write_text(control)
    unpack(tmp_path / "tree", CONTENT)
    command = ["dpkg-deb", "-Zxz", "--build", str(tmp_path / "tree"), str(tmp_path / "it.deb")]
    subprocess.run(command, check=True, capture_output=True)
    assert read_deb((tmp_path / "it.deb").read_bytes(), CONTENT, MATE) == CONTENT


LARGE = {"usr/share/text": np.random.default_rng(0).integers(0, 9, 40_000, np.uint8).tobytes()}


def spoiled(data):
    """With a hundred bytes in the middle turned over."""
    middle = len(data) // 2
    return data[:middle] + bytes(255 - value for value in data[middle : middle + 100]) + data[middle + 100 :]


def test_a_damaged_deb_and_another_version_are_refused():
    for broken in (
        b"",
        b"!<arch>\n",
        deb(CONTENT)[:-400],
        spoiled(deb(LARGE)),
        spoiled(deb(LARGE, gzip.compress, "gz")),
    ):
        with pytest.raises(DatasetError, match=r"mate-backgrounds_1\.26\.0-1_all\.deb is damaged"):
            read_deb(broken, LARGE, MATE)
    with pytest.raises(ConfigurationError, match=r"has no usr/share/new\.jpg: 1\.26\.0-1 is wanted"):
        read_deb(deb(CONTENT), ["usr/share/new.jpg"], MATE)


@pytest.mark.parametrize("form", ["unpacked", "deb"])
def test_packages_in_a_folder(tmp_path, form):
    unpack(tmp_path, CONTENT if form == "unpacked" else {"mate-backgrounds_1.26.0-1_all.deb": deb(CONTENT)})
    assert read_package("mate-backgrounds", CONTENT, tmp_path) == CONTENT


def test_what_is_installed_is_read_without_a_download(tmp_path, monkeypatch):
    unpack(tmp_path, CONTENT)
    monkeypatch.setattr(photos_packages, "INSTALLED", tmp_path)
    monkeypatch.setattr(photos_packages, "download", lambda package: pytest.fail("downloads"))
    assert read_package("mate-backgrounds", CONTENT) == CONTENT


def package_of(data):
    return photos_packages.DebianPackage(name="mate-backgrounds", version="1", sha256=hashlib.sha256(data).hexdigest())


def test_downloads_are_what_they_should_be(monkeypatch):
    monkeypatch.setattr(photos_packages, "_by_apt", lambda package: deb(CONTENT))
    assert download(package_of(deb(CONTENT))) == deb(CONTENT)
    with pytest.raises(
        ConfigurationError, match=r"not mate-backgrounds_1_all\.deb of Debian 12: run `apt install mate"
    ):
        download(package_of(b"another"))


def test_a_package_that_cannot_be_had_is_named(monkeypatch):
    monkeypatch.setattr(photos_packages, "_by_apt", lambda package: b"")
    remedy = r"cannot download it: run `apt install mate-backgrounds` .*`apt-get download mate-backgrounds`.* --source"
    with pytest.raises(ConfigurationError, match=remedy):
        download(package_of(b""))
