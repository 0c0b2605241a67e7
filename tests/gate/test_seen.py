"""The set of what accounts had: nothing is forgotten, and errors only say that something was had."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from riparian.accounts.tally import account_mask
from riparian.gate.seen import Seen, codes_of_pairs, codes_of_tally

FORMS = pytest.mark.parametrize("approximate", [False, True], ids=["exact", "approximate"])


def drawn(n: int, seed: int) -> NDArray[np.uint64]:
    return np.random.default_rng(seed).integers(1, 2**64 - 1, n, dtype=np.uint64, endpoint=True)


def pairs(accounts: int, recordings: int) -> NDArray[np.uint64]:
    each = np.arange(1, accounts + 1, dtype=np.uint64).repeat(recordings)
    return codes_of_pairs(each, np.tile(np.arange(1, recordings + 1, dtype=np.uint64), accounts))


@FORMS
@given(numbers=st.lists(st.integers(1, 2**64 - 1), max_size=300), cut=st.integers(0, 300))
def test_what_was_put_in_is_had_also_after_growing_and_a_restart(
    *, approximate: bool, numbers: list[int], cut: int
) -> None:
    codes = np.array(numbers, np.uint64)
    seen = Seen.empty(approximate=approximate, places=32)
    seen.add(codes[:cut])
    seen = Seen.from_arrays(seen.arrays())
    seen.add(codes[cut:])
    assert seen.has(codes).all()
    others = np.setdiff1d(drawn(200, 1), codes)
    assert approximate or not seen.has(others).any()


def test_an_exact_set_of_many_knows_each_and_no_other() -> None:
    codes, others = drawn(300_000, 1), drawn(300_000, 2)
    seen = Seen.empty()
    for part in np.array_split(codes, 37):
        seen.add(part)
    assert seen.has(codes).all()
    assert not seen.has(others).any()
    assert np.array_equal(seen.arrays()["newest"], np.unique(codes))


def test_an_approximate_set_takes_one_new_in_a_hundred_for_had_at_most() -> None:
    codes, others = drawn(1_500_000, 3), drawn(300_000, 4)
    seen = Seen.empty(approximate=True)
    seen.add(codes)
    assert seen.older.size > 0
    assert seen.has(codes).all()
    assert seen.has(others).mean() < 0.01


@pytest.mark.parametrize(("approximate", "most"), [(False, 16.1), (True, 5.0)], ids=["exact", "approximate"])
def test_a_recording_takes_so_many_bytes(*, approximate: bool, most: float) -> None:
    seen = Seen.empty(approximate=approximate)
    seen.add(pairs(300, 3500))
    seen.settle()
    assert seen.n_bytes / (300 * 3500) < most


def test_growing_moves_everything_over_before_the_next_time() -> None:
    seen, codes = Seen.empty(places=64), drawn(50_000, 5)
    grown = 0
    for code in np.split(codes, codes.size):
        if seen.full():
            seen.settle()
            assert seen.older.size == 0
            seen.grow()
            grown += 1
        seen.add(code)
    assert grown > 10
    assert seen.has(codes).all()


def test_pairs_of_account_and_recording_do_not_meet() -> None:
    codes = pairs(200, 200)
    assert np.unique(codes).size == codes.size
    assert (codes != 0).all()


def test_what_a_scan_has_counted_needs_no_account() -> None:
    accounts, recordings = drawn(1000, 6), drawn(1000, 7)
    tallied = account_mask(accounts) ^ recordings
    assert np.array_equal(codes_of_tally(tallied), codes_of_pairs(accounts, recordings))


@FORMS
def test_a_set_of_nothing_has_nothing(*, approximate: bool) -> None:
    seen = Seen.empty(approximate=approximate)
    seen.add(np.zeros(0, np.uint64))
    assert not seen.has(drawn(1000, 8)).any()
    assert seen.has(np.zeros(0, np.uint64)).size == 0
