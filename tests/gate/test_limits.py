"""The limit on requests, against a token bucket in fractions."""

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from riparian.gate.limits import MINUTE_US, ask, interval_us
from riparian.gate.tokens import LATEST_US

T0 = 1_700_000_000_000_000


class SlowBucket:
    """A token bucket that is full at first and gets a token an interval, in fractions of one."""

    def __init__(self, interval: int, burst: int) -> None:
        self.interval, self.burst = interval, burst
        self.level, self.at_us = Fraction(burst), 0

    def lets_through(self, at_us: int) -> bool:
        self.level = min(Fraction(self.burst), self.level + Fraction(at_us - self.at_us, self.interval))
        self.at_us = at_us
        if self.level < 1:
            return False
        self.level -= 1
        return True


def asked(at_us: list[int], interval: int, burst: int) -> list[int]:
    waits = ask(np.zeros(1, np.int64), np.zeros(len(at_us), np.int32), np.array(at_us, np.int64), interval, burst)
    return [int(wait) for wait in waits]


@given(st.lists(st.integers(0, 3000), max_size=200), st.integers(1, 1000), st.integers(1, 20))
def test_one_number_is_as_exact_as_a_bucket(gaps: list[int], interval: int, burst: int) -> None:
    at_us = (T0 + np.cumsum(gaps, dtype=np.int64)).tolist()
    slow = SlowBucket(interval, burst)
    assert [wait == 0 for wait in asked(at_us, interval, burst)] == [slow.lets_through(at) for at in at_us]


@given(st.lists(st.integers(0, 3000), min_size=1, max_size=50), st.integers(1, 1000), st.integers(1, 9))
def test_who_waits_as_long_as_told_is_let_through_and_not_sooner(gaps: list[int], interval: int, burst: int) -> None:
    at_us = (T0 + np.cumsum(gaps, dtype=np.int64)).tolist()
    wait = asked([*at_us, *[at_us[-1]] * burst, at_us[-1]], interval, burst)[-1]
    hammered = [*at_us, *[at_us[-1]] * burst]
    assert asked([*hammered, at_us[-1] + wait], interval, burst)[-1] == 0
    assert asked([*hammered, at_us[-1] + wait - 1], interval, burst)[-1] > 0


@given(st.lists(st.integers(-5000, 3000), max_size=200), st.integers(1, 1000), st.integers(1, 20))
def test_only_time_that_goes_on_earns(gaps: list[int], interval: int, burst: int) -> None:
    at_us = (T0 + np.cumsum(gaps, dtype=np.int64)).tolist()
    served = asked(at_us, interval, burst).count(0)
    forwards = sum(gap for gap in gaps[1:] if gap > 0)
    assert served <= burst + forwards // interval


def test_after_a_clock_went_back_nobody_is_locked_out() -> None:
    hour_us = 3_600_000_000
    waits = asked([T0 + hour_us] * 5 + [T0, T0 + 100, T0 + 200], interval=100, burst=5)
    assert waits == [0, 0, 0, 0, 0, 100, 0, 0]


@pytest.mark.parametrize("per_minute", [1, 7, 30, 600, 59_999, 10_000_000])
def test_a_minute_never_brings_more_than_stated(per_minute: int) -> None:
    assert per_minute * interval_us(per_minute) >= MINUTE_US


@pytest.mark.parametrize("at_us", [-(2**63), -1, 0, LATEST_US, 2**63 - 1])
def test_an_impossible_time_neither_fails_nor_gives(at_us: int) -> None:
    assert asked([at_us] * 4, interval=MINUTE_US, burst=2).count(0) == 2


def test_accounts_do_not_meet() -> None:
    paid_us, slot = np.zeros(3, np.int64), np.array([0, 0, 2, 1, 2, 2, 0], np.int32)
    waits = ask(paid_us, slot, np.full(7, T0), 100, 2)
    assert (waits == 0).tolist() == [True, True, True, True, True, False, False]
    assert paid_us.nbytes == 3 * 8
