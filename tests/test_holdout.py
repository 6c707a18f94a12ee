"""Pictures that are held out for validation: which, how many, and the same ones every time."""

import hashlib
from pathlib import Path

import pytest
from laid_out import keys

from translate.data.holdout import hold_out
from translate.data.items import Item, Layout, Source, Split
from translate.errors import ConfigurationError


def made(count: int, prefix: str = "", paired: bool = True, others: int = 0) -> Layout:
    def items(domain: str, number: int) -> tuple[Item, ...]:
        name = "" if paired else domain
        return tuple(
            Item(key=f"{prefix}{name}{index}", sources=(Source(path=Path(f"{domain}{index}.png")),))
            for index in range(number)
        )

    domains = {"a": items("a", count), "b": items("b", others or count)}
    splits = {"train": Split(domains=domains, paired=paired), "test": Split(domains=domains, paired=paired)}
    return Layout(root=Path("root"), splits=splits, description="made")


def held(layout: Layout, domain: str = "a") -> list[str]:
    return keys(layout, "validation", domain)


def test_pairs_stay_together_and_the_test_split_untouched():
    before = made(1000)
    after = hold_out(before, 0.1, 10_000)
    assert held(after, "a") == held(after, "b")
    assert sorted(held(after) + keys(after, "train", "a")) == sorted(keys(before, "train", "a"))
    assert keys(after, "train", "a") == keys(after, "train", "b")
    assert after.splits["test"] == before.splits["test"]
    assert 70 < len(held(after)) < 130  # binomial: 100, standard deviation 9.5
    assert hold_out(before, 0.1, 10_000) == after
    assert f"{len(held(after))} held out for validation" in after.description
    assert after.splits["validation"].paired


def test_more_pictures_move_no_other():
    small, large = hold_out(made(500), 0.1, 10_000), hold_out(made(900), 0.1, 10_000)
    assert [key for key in held(large) if int(key) < 500] == held(small)


def test_the_choice_is_the_stated_hash():
    digest = {
        key: hashlib.sha256(b"pixturn validation split\n" + key.encode()).digest() for key in map(str, range(300))
    }
    expected = [key for key in digest if int.from_bytes(digest[key][:8], "big") < 0.2 * 2**64]
    assert held(hold_out(made(300), 0.2, 10_000)) == expected
    lowest = sorted(expected, key=digest.__getitem__)[:7]
    assert sorted(held(hold_out(made(300), 0.2, 7))) == sorted(lowest)


def test_unpaired_domains_are_split_each_on_its_own():
    layout = hold_out(made(400, paired=False, others=50), 0.1, 20)
    assert len(held(layout, "a")) == 20
    assert 0 < len(held(layout, "b")) <= 20
    assert len(keys(layout, "train", "b")) + len(held(layout, "b")) == 50


def test_small_sets_and_given_splits():
    assert len(held(hold_out(made(3), 0.01, 100))) == 1
    for layout, fraction, most in ((made(1), 0.5, 9), (made(9), 0, 9), (made(9), 0.5, 0)):
        assert hold_out(layout, fraction, most) == layout
    given = hold_out(made(50), 0.2, 10)
    assert hold_out(given, 0.5, 100) == given
    for fraction, most in ((1.0, 5), (-0.1, 5), (0.1, -1)):
        with pytest.raises(ConfigurationError):
            hold_out(made(9), fraction, most)
