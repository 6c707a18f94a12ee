import io
import json
import random
import time
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from rich.console import Console
from seeded_defects import A_KINDS, B_KINDS, DEFECTS, SIZE_PX, clean_set, picture, seed_all

from pipelines.check import check
from translate.data.doctor import Diagnosis, examine
from translate.data.doctor.diagnosis import REMEDIES
from translate.data.doctor.integrity import png_damage
from translate.data.doctor.jpeg_integrity import jpeg_damage
from translate.data.pictures import Limits

# As outside of pytest, which resets the filter that translate.data.pictures has set.
pytestmark = pytest.mark.filterwarnings("error::PIL.Image.DecompressionBombWarning")

ERRORS = {
    "missing_partner",
    "partner_case",
    "two_extensions",
    "pair_sizes",
    "pair_rotation",
    "zero_bytes",
    "truncated",
    "not_a_picture",
    "damaged",
    "too_many_pixels",
    "several_frames",
    "unreadable",
    "leak",
    "label_out_of_range",
    "lossy_label_map",
    "empty_folder",
}


def look(root: Path, **options) -> Diagnosis:
    defaults = {"paired": True, "a_kinds": A_KINDS, "b_kinds": B_KINDS, "crop_px": SIZE_PX}
    return examine(root, **{**defaults, "cache": root.parent / "cache.json", **options})


def by_code(diagnosis: Diagnosis) -> dict[str, set[Path]]:
    found: dict[str, set[Path]] = {}
    for problem in diagnosis.problems:
        found.setdefault(problem.code, set()).update(problem.paths)
    return found


def test_nothing_is_wrong_with_the_clean_set(tmp_path):
    diagnosis = look(clean_set(tmp_path / "set"), paired=None)
    assert diagnosis.problems == ()
    assert diagnosis.pictures == 3 * 45
    assert diagnosis.layout is not None
    assert len(diagnosis.layout.splits["train"]) == 40


def test_all_defects_are_found_in_one_pass_with_the_files_at_fault_and_nothing_else(tmp_path):
    root = clean_set(tmp_path / "set")
    expected = seed_all(root)
    diagnosis = look(root)
    assert by_code(diagnosis) == expected
    assert {p.code for p in diagnosis.errors} - {"link"} == ERRORS
    assert all(problem.message and problem.fix for problem in diagnosis.problems)


@pytest.mark.parametrize("code", DEFECTS)
def test_each_defect_alone_is_found_alone(code, tmp_path):
    root = clean_set(tmp_path / "set", train=26, test=1)
    expected = set(DEFECTS[code](root))
    assert by_code(look(root)) == {code: expected}


@pytest.mark.parametrize("link", ["dangling", "outside"])
def test_a_dangling_link_is_an_error_and_one_that_leaves_the_folder_a_warning(link, tmp_path):
    root = clean_set(tmp_path / "set", train=26, test=1)
    DEFECTS["link"](root)
    severity = {problem.paths[0].stem: problem.severity for problem in look(root).problems}
    assert severity == {"dangling": "error", "t00014": "warning"}


def test_a_file_without_permission_is_unreadable(tmp_path, monkeypatch):
    root = clean_set(tmp_path / "set", train=3, test=1)
    genuine = Path.read_bytes

    def refuse_one(path: Path) -> bytes:
        if path.name == "t00001.png" and path.parent.name == "trainB":
            raise PermissionError(13, "Permission denied")
        return genuine(path)

    monkeypatch.setattr(Path, "read_bytes", refuse_one)
    assert by_code(look(root)) == {"unreadable": {root / "trainB/t00001.png"}}
    monkeypatch.undo()
    assert look(root).problems == ()  # it was not remembered as unreadable


def test_unpaired_folders_have_no_partners_to_miss(tmp_path):
    for name, seed in (("trainA", 0), ("trainB", 100)):
        (tmp_path / name).mkdir()
        for index in range(10):
            Image.fromarray(picture(seed + index)).save(tmp_path / name / f"{name}-{index}.png")
    assert look(tmp_path, paired=None, a_kinds=("rgb",)).problems == ()
    assert set(by_code(look(tmp_path, paired=True, a_kinds=("rgb",)))) == {"layout"}


def test_some_equal_names_make_the_pairing_unclear(tmp_path):
    for name, seed, first in (("trainA", 0, 0), ("trainB", 100, 4)):
        (tmp_path / name).mkdir()
        for index in range(first, first + 10):
            Image.fromarray(picture(seed + index)).save(tmp_path / name / f"{index}.png")
    assert set(by_code(look(tmp_path, paired=None, a_kinds=("rgb",)))) == {"pairing_unclear"}


def test_side_by_side_halves_are_looked_at_each_by_its_kind(tmp_path):
    (tmp_path / "train").mkdir()
    for index in range(6):
        both = np.hstack([picture(2 * index), picture(2 * index if index == 3 else 2 * index + 1)])
        Image.fromarray(both).save(tmp_path / f"train/{index}.png")
    diagnosis = look(tmp_path, paired=None, a_kinds=("rgb",))
    assert by_code(diagnosis) == {"same_in_a_and_b": {tmp_path / "train/3.png"}}
    assert "layout" not in by_code(diagnosis)


def test_swapped_folders_are_an_error_when_a_and_b_are_the_same(tmp_path):
    for name in ("trainA", "trainB"):
        (tmp_path / name).mkdir()
        for index in range(5):
            Image.fromarray(picture(index)).save(tmp_path / name / f"{index}.png")
    assert {p.code for p in look(tmp_path, a_kinds=("rgb",)).errors} == {"same_in_a_and_b"}


def test_an_empty_or_missing_folder_is_one_problem(tmp_path):
    (tmp_path / "empty").mkdir()
    assert [p.code for p in look(tmp_path / "empty").problems] == ["empty_folder"]
    assert [p.code for p in look(tmp_path / "nowhere").problems] == ["layout"]


def test_what_was_seen_is_remembered_until_it_changes(tmp_path, monkeypatch):
    root = clean_set(tmp_path / "set", train=4, test=1)
    first = look(root)
    monkeypatch.setattr("translate.data.doctor.survey.gather", lambda *_: pytest.fail("a file was read again"))
    assert look(root) == first
    (tmp_path / "cache.json").write_text("{ damaged")
    monkeypatch.undo()
    assert look(root) == first
    Image.fromarray(picture(1)[..., 0]).save(root / "trainB/t00000.png")
    assert by_code(look(root)) == {"mixed_grey": {root / "trainB/t00000.png"}}


def test_progress_counts_every_file(tmp_path):
    calls: list[tuple[int, int]] = []
    look(clean_set(tmp_path / "set", train=4, test=1), on_progress=lambda done, of: calls.append((done, of)))
    assert calls == [(index, 15) for index in range(1, 16)]


def test_limits_are_the_callers(tmp_path):
    root = clean_set(tmp_path / "set", train=2, test=1)
    assert set(by_code(look(root, limits=Limits(max_side_px=SIZE_PX - 1)))) == {"too_many_pixels"}


def test_the_command_prints_errors_warnings_fixes_and_counts(tmp_path):
    root = clean_set(tmp_path / "set")
    options = {"a_kinds": A_KINDS, "b_kinds": B_KINDS, "crop_px": SIZE_PX, "cache": tmp_path / "cache.json"}
    screen = io.StringIO()
    assert check(root, **options, console=Console(file=screen, width=200), estimate=lambda: "about 3 minutes") == 0
    assert "about 3 minutes" in screen.getvalue()
    assert "paired by stem: 40 training pairs in trainA, trainA2 and trainB, 5 test pairs" in screen.getvalue()
    assert "validation" in screen.getvalue()
    for index in range(13):
        (root / f"trainB/t{index + 26:05d}.png").write_bytes(b"")
    screen = io.StringIO()
    assert check(root, **options, console=Console(file=screen, width=200)) == 3
    assert "error: zero bytes (13)" in screen.getvalue()
    assert "+3 more" in screen.getvalue()
    assert "trainB/t00026.png" in screen.getvalue()
    assert REMEDIES["zero_bytes"].fix in screen.getvalue()


def photo(seed: int, size_px: int = 128) -> Image.Image:
    """Waves of several lengths: busy enough to be coded like a photograph."""
    rng = np.random.default_rng(seed)
    grid = np.stack(np.mgrid[:size_px, :size_px], -1) / size_px
    waves = sum(np.sin(grid @ rng.normal(size=(2, 3)) * 2**k + rng.random(3) * 6) * 60 / k for k in range(1, 7))
    return Image.fromarray((waves + 128 + rng.normal(scale=6, size=waves.shape)).clip(0, 255).astype(np.uint8))


def jpeg(image: Image.Image, **options) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, "JPEG", **options)
    return buffer.getvalue()


JPEG_OPTIONS = (
    {"quality": 95, "subsampling": 0},
    {"quality": 30},
    {"quality": 75, "progressive": True},
    {"quality": 60, "optimize": True},
)


@pytest.mark.parametrize("options", JPEG_OPTIONS, ids=str)
def test_sound_jpegs_are_not_called_damaged(options):
    flat = [Image.new("RGB", (33, 47), color) for color in ("white", "black", "red")]
    for image in [photo(seed, 40 + seed) for seed in range(10)] + flat + [photo(1).convert("L")]:
        assert jpeg_damage(jpeg(image, **options)) is None


@pytest.mark.parametrize("options", JPEG_OPTIONS, ids=str)
def test_a_good_share_of_zeroed_jpegs_is_noticed_though_pillow_opens_them(options):
    rng = random.Random(0)
    noticed = opened = 0
    for seed in range(20):
        data = jpeg(photo(seed), **options)
        start = rng.randrange(data.index(b"\xff\xda") + 14, len(data) - 60)
        damaged = data[:start] + bytes(40) + data[start + 40 :]
        noticed += jpeg_damage(damaged) is not None
        opened += Image.open(io.BytesIO(damaged)).convert("RGB").size == (128, 128) if _opens(damaged) else 0
    assert opened >= 15
    assert noticed >= 5


def _opens(data: bytes) -> bool:
    try:
        Image.open(io.BytesIO(data)).load()
    except OSError:
        return False
    return True


def test_every_flipped_bit_of_a_png_is_noticed():
    buffer = io.BytesIO()
    Image.fromarray(picture(1)).save(buffer, "PNG")
    data = buffer.getvalue()
    assert png_damage(data) is None
    rng = random.Random(0)
    for _ in range(300):
        position = rng.randrange(16, len(data) - 12)
        assert png_damage(data[:position] + bytes([data[position] ^ (1 << rng.randrange(8))]) + data[position + 1 :])


@pytest.mark.slow
def test_ten_thousand_files_are_looked_at_in_under_a_minute(tmp_path):
    root = clean_set(tmp_path / "set", train=3200, test=140)
    start = time.monotonic()
    assert look(root).problems == ()
    assert time.monotonic() - start < 60
    expected = seed_all(root)
    start = time.monotonic()
    assert by_code(look(root, cache=tmp_path / "other.json")) == expected
    assert time.monotonic() - start < 60
    assert len(json.loads((tmp_path / "other.json").read_text())["files"]) > 9_900
