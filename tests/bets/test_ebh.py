"""The list, as it is defined, as it is published, and as often wrong as it says."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from riparian.bets.ebh import e_bh, list_rates

SOME = st.lists(st.floats(-20, 60), min_size=1, max_size=30)


def by_definition(bits: list[float], rate: float) -> set[int]:
    """Try every length of the list, the longest first."""
    n = len(bits)
    order = sorted(range(n), key=lambda i: -bits[i])
    for k in range(n, 0, -1):
        if k * 2.0 ** bits[order[k - 1]] / n >= 1 / rate:
            return set(order[:k])
    return set()


@given(SOME, st.sampled_from([0.01, 0.05, 0.2]))
def test_the_list_is_the_one_of_the_definition(bits: list[float], rate: float) -> None:
    assert set(np.flatnonzero(e_bh(np.array(bits), rate=rate)).tolist()) == by_definition(bits, rate)


@given(SOME)
def test_more_bits_never_fall_off_the_list(bits: list[float]) -> None:
    rates = list_rates(np.array(bits))
    order = np.argsort(-np.array(bits), kind="stable")
    assert (np.diff(rates[order]) >= 0).all()
    assert (rates <= 1).all()


def test_nobody_makes_no_list() -> None:
    assert e_bh(np.empty(0), rate=0.05).tolist() == []


@pytest.mark.parametrize("rate", [0.0, 1.0, -0.1])
def test_a_rate_is_a_share(rate: float) -> None:
    with pytest.raises(ValueError, match="wanted 0 < rate < 1"):
        e_bh(np.zeros(3), rate=rate)


def test_the_share_of_wrong_entries_is_kept_whatever_hangs_together() -> None:
    """Ten true ones among two hundred; the others' fortunes are fair, and all of them one coin's."""
    rng = np.random.default_rng(5)
    rate, wrong = 0.2, []
    for _ in range(4000):
        # A fair fortune: 2**bits is 40 with chance 1/40, for all at once.
        fair = np.where(rng.random() < 1 / 40, math.log2(40), -np.inf)
        bits = np.concatenate([np.full(10, 7.0), np.full(190, fair)])
        listed = e_bh(bits, rate=rate)
        wrong.append(listed[10:].sum() / max(1, listed.sum()))
    assert np.mean(wrong) <= rate + 4 * np.std(wrong) / math.sqrt(len(wrong))
    assert np.max(wrong) > 0
