"""Token buckets against a slow reference in fractions, and the promises of a year."""

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from riparian.gate.budgets import (
    Budgets,
    Draws,
    Parents,
    backfilling,
    charge_enforced,
    charge_parents,
    charge_rows,
    charge_served,
    draws,
    parent_refusals,
    refusals,
)
from riparian.gate.policy import Policy
from riparian.gate.tokens import LATEST_US, UNKNOWN_US
from riparian.schema import DAY_US

T0 = 1_700_000_000_000_000
MINUTE_US = 60_000_000


class SlowBucket:
    """The rules of ``gate.budgets`` as they are written there, in exact fractions of a token."""

    def __init__(self, policy: Policy, created_us: int | None) -> None:
        self.burst, self.per_day, self.created_us = policy.novelty_burst, policy.novelty_per_day, created_us
        self.level: Fraction | None = None
        self.at_us = 0

    def newcomers(self, at_us: int) -> Fraction:
        if self.created_us is None:
            return Fraction(self.burst, 2)
        days = Fraction(min(max(at_us - self.created_us, 0), 7 * DAY_US), DAY_US)
        return days * Fraction(self.burst, 14)

    def ask(self, at_us: int) -> bool:
        most = Fraction(self.burst, 2) + self.newcomers(at_us)
        if self.level is None:
            self.level, self.at_us = most, at_us
        elif at_us > self.at_us:
            brought = Fraction(self.per_day * (at_us - self.at_us), DAY_US)
            brought += self.newcomers(at_us) - self.newcomers(self.at_us)
            self.level, self.at_us = min(self.level + brought, most), at_us
        if self.level >= 1:
            self.level -= 1
            return True
        return False


def one_account(created_us: int | None = None) -> Budgets:
    created = None if created_us is None else np.array([created_us], np.int64)
    return Budgets.empty().joined(np.array([7], np.uint64), created)


def ask(budgets: Budgets, at_us: list[int], policy: Policy) -> NDArray[np.bool_]:
    n = len(at_us)
    return charge_served(
        budgets, np.zeros(n, np.int32), np.array(at_us, np.int64), novel=np.ones(n, bool), policy=policy
    )


policies = st.builds(
    lambda whole, per_day: Policy(novelty_burst=140 * whole, novelty_per_day=per_day),
    st.integers(1, 4),
    st.integers(0, 1000),
)
gaps = st.lists(st.one_of(st.integers(-5, 5), st.integers(0, DAY_US), st.just(400 * DAY_US)), max_size=200)


@given(policies, gaps, st.one_of(st.none(), st.integers(-70 * DAY_US, 2 * DAY_US)), st.integers(1, 40))
def test_every_answer_is_the_one_of_exact_fractions(
    policy: Policy, gaps: list[int], created: int | None, times: int
) -> None:
    created_us = None if created is None else T0 + created
    slow = SlowBucket(policy, created_us)
    at_us = np.repeat(T0 + np.cumsum(gaps, dtype=np.int64), times).tolist()
    refused = ask(one_account(created_us), at_us, policy)
    assert [not slow.ask(at) for at in at_us] == refused.tolist()


@given(st.integers(1, 3000), st.integers(0, 300), st.integers(1, 400), st.integers(1, 50))
def test_no_schedule_gets_more_than_burst_and_refill(burst: int, per_day: int, days: int, looks: int) -> None:
    policy = Policy(novelty_burst=burst, novelty_per_day=per_day)
    at_us = np.sort(np.random.default_rng(burst).integers(0, days * DAY_US, looks))
    at_us = np.repeat(T0 + np.append(at_us, days * DAY_US), burst)
    most = burst + (per_day * days)
    assert int((~ask(one_account(T0), at_us.tolist(), policy)).sum()) <= most
    assert int((~ask(one_account(), at_us.tolist(), policy)).sum()) <= most


@pytest.mark.parametrize("created_us", [None, T0, T0 - 400 * DAY_US], ids=["unknown", "new", "of standing"])
def test_whoever_asks_every_minute_of_a_year_gets_16_600_recordings(created_us: int | None) -> None:
    at_us = list(range(T0, T0 + 365 * DAY_US + 1, MINUTE_US))
    allowed = int((~ask(one_account(created_us), at_us, Policy())).sum())
    # The last of the 365 days' tokens is there at the very end, and one question is asked then.
    assert allowed == 16_600


@pytest.mark.parametrize(("day", "most"), [(0, 1000), (1, 1182), (7, 2280), (30, 3200), (365, 16_600)])
def test_a_new_account_that_asks_every_minute_gets_so_many(day: int, most: int) -> None:
    at_us = np.arange(T0, T0 + day * DAY_US + 1, MINUTE_US).repeat(1000 if day == 0 else 1).tolist()
    at_us = [T0] * 1000 + at_us
    assert int((~ask(one_account(T0), at_us, Policy())).sum()) == most


def test_the_next_year_brings_14_600() -> None:
    budgets, year_us = one_account(), 365 * DAY_US
    first, second = (list(range(T0 + y * year_us + MINUTE_US, T0 + (y + 1) * year_us + 1, MINUTE_US)) for y in (0, 1))
    ask(budgets, first, Policy())
    assert int((~ask(budgets, second, Policy())).sum()) == 14_600


def test_asking_in_parts_makes_no_difference() -> None:
    at_us = np.sort(np.random.default_rng(1).integers(T0, T0 + 20 * DAY_US, 5000)).tolist()
    whole, parts = one_account(T0), one_account(T0)
    policy = Policy(novelty_burst=100)
    refused = ask(whole, at_us, policy)
    taken = np.concatenate([ask(parts, at_us[i : i + 7], policy) for i in range(0, 5000, 7)])
    assert np.array_equal(refused, taken)
    again = Budgets.from_arrays(parts.arrays())
    assert all(np.array_equal(again.arrays()[name], array) for name, array in whole.arrays().items())


def test_repeats_are_free_and_nobody_asks_nothing() -> None:
    budgets = one_account()
    free = charge_served(budgets, np.zeros(9, np.int32), np.full(9, T0), novel=np.zeros(9, bool), policy=Policy())
    assert not free.any()
    assert refusals(budgets).num_rows == 0
    none = np.zeros(0, np.int32)
    assert charge_served(budgets, none, none.astype(np.int64), novel=none.astype(bool), policy=Policy()).size == 0


@pytest.mark.parametrize("at_us", [-(2**63), -1, 0, 2**63 - 1], ids=["first", "before 1970", "1970", "last"])
def test_an_impossible_time_neither_fails_nor_gives(at_us: int) -> None:
    policy = Policy(novelty_burst=80, novelty_per_day=1)
    budgets = one_account(0)
    ask(budgets, [T0] * 300, policy)
    allowed = ~ask(budgets, [at_us] * 300, policy)
    assert int(allowed.sum()) == (80 if at_us > LATEST_US else 0)


def test_a_spell_of_refusals_ends_after_a_quiet_week() -> None:
    policy = Policy(novelty_burst=1, novelty_per_day=0)
    budgets = one_account()
    ask(budgets, [T0, T0 + 1, T0 + 2, T0 + 9 * DAY_US, T0 + 9 * DAY_US + 5], policy)
    (told,) = refusals(budgets).to_pylist()
    assert told == {
        "account": 7,
        "budget": "novelty",
        "refused": 2,
        "since_us": T0 + 9 * DAY_US,
        "last_us": T0 + 9 * DAY_US + 5,
        "refused_ever": 4,
    }


def test_rows_are_allowed_whole_or_not_at_all() -> None:
    policy = Policy(rows_burst=100, rows_per_day=10)
    budgets = one_account()
    at_us = np.array([T0, T0, T0, T0, T0 + DAY_US, T0 + DAY_US])
    rows = np.array([60, 50, 40, 0, 11, 10], np.int32)
    refused = charge_rows(budgets, np.zeros(6, np.int32), at_us, rows=rows, policy=policy)
    assert refused.tolist() == [False, True, False, False, True, False]
    assert refusals(budgets)["refused"].to_pylist() == [61]
    huge = charge_rows(budgets, np.zeros(1, np.int32), at_us[:1], rows=np.array([2**31 - 1], np.int32), policy=policy)
    assert huge.all()


def test_an_account_may_come_later_and_its_creation_later_still() -> None:
    budgets = one_account().joined(np.array([7, 3], np.uint64), np.array([UNKNOWN_US, T0]))
    assert budgets.created_us.tolist() == [UNKNOWN_US, T0]
    assert budgets.joined(budgets.account, np.array([5, 6])).created_us.tolist() == [5, T0]
    with pytest.raises(ValueError, match="another order"):
        budgets.joined(np.array([3, 7], np.uint64))


class SlowGate:
    """A gate that refuses, with a set of what each account has had."""

    def __init__(self, policy: Policy) -> None:
        self.bucket, self.had = SlowBucket(policy, None), set[int]()

    def refuses(self, at_us: int, recording: int) -> bool:
        if recording in self.had:
            return False
        if self.bucket.ask(at_us):
            self.had.add(recording)
            return False
        return True


@given(st.lists(st.tuples(st.integers(0, 6 * 3_600_000_000), st.integers(1, 30)), max_size=300), st.integers(1, 299))
def test_a_refused_recording_is_new_until_it_is_had(asked: list[tuple[int, int]], cut: int) -> None:
    policy = Policy(novelty_burst=3, novelty_per_day=8)
    slow = SlowGate(policy)
    at_us = T0 + np.cumsum([gap for gap, _ in asked], dtype=np.int64)
    recording = np.array([r for _, r in asked], np.uint64)
    novel = np.zeros(len(asked), bool)
    novel[np.unique(recording, return_index=True)[1]] = True
    expected = [slow.refuses(int(at), int(r)) for at, r in zip(at_us, recording, strict=True)]

    budgets, unhad, refused = one_account(), None, []
    for part in (slice(0, cut), slice(cut, None)):
        slot = np.zeros(at_us[part].size, np.int32)
        answer, unhad = charge_enforced(
            budgets, slot, at_us[part], novel=novel[part], recording=recording[part], policy=policy, unhad=unhad
        )
        refused += answer.tolist()
    assert refused == expected


def household(n: int) -> tuple[Budgets, NDArray[np.uint64]]:
    accounts = np.arange(1, n + 1, dtype=np.uint64)
    return Budgets.empty().joined(accounts, np.full(n, T0)), np.full(n, 99, np.uint64)


def flood(n: int, days: int) -> tuple[NDArray[np.int32], NDArray[np.int64]]:
    # Everybody asks for ever more, every ten minutes, three recordings at a time, after a first gulp.
    times = np.concatenate((np.full(500, T0), np.repeat(np.arange(T0, T0 + days * DAY_US, 10 * MINUTE_US), 3)))
    return np.tile(np.arange(n, dtype=np.int32), times.size), np.repeat(times, n)


def test_six_new_accounts_of_a_household_never_meet_their_parent() -> None:
    budgets, parent = household(6)
    slot, at_us = flood(6, 35)
    novel = np.ones(slot.size, bool)
    charged = ~charge_served(budgets, slot, at_us, novel=novel, policy=Policy())
    drawn = draws(budgets, slot, at_us, charged=charged, parent=parent)
    parents, refused = charge_parents(Parents.empty(), [drawn], policy=Policy())
    assert drawn.at_us.max() < T0 + 30 * DAY_US
    assert not refused.any()
    assert parent_refusals(parents).num_rows == 0


def test_a_hundred_new_accounts_get_no_more_than_six() -> None:
    slot, at_us = flood(100, 5)
    novel = np.ones(slot.size, bool)
    cap = 6 * 2000 + 6 * 40 * 5
    budgets, parent = household(100)
    charged = ~charge_served(budgets, slot, at_us, novel=novel, policy=Policy())
    drawn = draws(budgets, slot, at_us, charged=charged, parent=parent)
    halves = [
        Draws(drawn.account[half], drawn.parent[half], drawn.at_us[half])
        for half in (slice(0, None, 2), slice(1, None, 2))
    ]
    parents, refused = charge_parents(Parents.empty(), halves, policy=Policy())
    assert cap - 6 <= int((~refused).sum()) <= cap
    assert sum(parent_refusals(parents)["refused"].to_pylist()) == int(refused.sum())

    budgets, parent = household(100)
    recording = np.arange(1, slot.size + 1, dtype=np.uint64)
    joined = Parents.empty().joined(parent, np.zeros(0, np.uint64))
    answer, _ = charge_enforced(
        budgets, slot, at_us, novel=novel, recording=recording, policy=Policy(), parents=joined, parent=parent
    )
    assert cap - 6 <= int((~answer).sum()) <= cap


PRICES = {
    "one stream": (1, 2_000),
    "two streams": (2, 2_000),
    "a plan for a couple and guests": (4, 4_000),
    "a family plan": (6, 6_000),
}


@pytest.mark.parametrize("name", PRICES)
def test_a_plan_for_several_people_has_a_budget_for_several(name: str) -> None:
    streams, allowed = PRICES[name]
    budgets = Budgets.empty().joined(np.array([7], np.uint64), None, np.array([streams]))
    assert int((~ask(budgets, [T0] * 7_000, Policy())).sum()) == allowed


HISTORIES = {
    "an account older than the log shows what it had": (T0 - 8 * DAY_US, T0 + 27 * DAY_US, True),
    "after four weeks it has shown it": (T0 - 8 * DAY_US, T0 + 28 * DAY_US, False),
    "one made later has no history": (T0 + DAY_US, T0 + 2 * DAY_US, False),
    "one made when the log began has none": (T0, T0, False),
    "one made days before has hardly any": (T0 - 6 * DAY_US, T0, False),
    "one of which nothing is known may have one": (UNKNOWN_US, T0, True),
}


@pytest.mark.parametrize("name", HISTORIES)
def test_history_before_the_log_is_not_charged(name: str) -> None:
    created_us, at_us, free = HISTORIES[name]
    budgets = one_account(created_us)
    marked = backfilling(budgets, np.zeros(1, np.int32), np.array([at_us]), log_start_us=T0)
    assert marked.tolist() == [free]
