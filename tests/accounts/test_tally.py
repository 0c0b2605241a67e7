"""A tally against a reference that anybody can read, and what it must not depend on."""

import itertools
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from riparian.accounts.observe import observe, settle
from riparian.accounts.people import People
from riparian.accounts.tally import Tally
from riparian.catalogue.popularity import Popularity
from riparian.codes import RECORDING_KEY, codes_of
from riparian.errors import CustodyError
from riparian.schema import DAY_US, HOUR_US, Action

IDS = [f"r{i:03d}" for i in range(200)]
CODES = codes_of(pa.array(IDS), RECORDING_KEY)
CATALOGUE = Popularity.of(
    pa.table(
        {
            "recording": IDS,
            "artist": [f"a{i % 37}" for i in range(200)],
            "popularity": [float((i * 61) % 200) for i in range(200)],
        }
    )
)


def log(seed: int, n: int = 3_000, accounts: int = 12, n_days: int = 6) -> dict[str, npt.NDArray[Any]]:
    rng = np.random.default_rng(seed)
    action = rng.choice([1, 2, 2, 2, 3, 4, 5, 6], n).astype(np.uint8)
    recording = CODES[np.minimum(rng.geometric(0.02, n) - 1, 199)]
    recording[rng.random(n) < 0.1] = 0
    repeat = rng.random(n) < 0.3
    recording[1:][repeat[1:]] = recording[:-1][repeat[1:]]
    return {
        "at_us": np.sort(rng.integers(0, n_days * DAY_US, n)),
        "account": rng.integers(1, accounts + 1, n).astype(np.uint64) * np.uint64(0x9E3779B97F4A7C15),
        "recording": recording,
        "action": action,
        "media_ms": rng.choice([-1, 0, 6_000, 240_000, 3_000_000], n).astype(np.int32),
        "heartbeat": rng.choice([-1, 0, 0, 1], n).astype(np.int8),
        "rows": rng.choice([-1, 1, 50], n).astype(np.int32),
    }


def reference(
    columns: dict[str, npt.NDArray[Any]],
) -> tuple[list[bool], list[bool], dict[tuple[int, int], dict[str, int]]]:
    """Count one access after another, in plain Python."""
    fetch, novel = [], []
    seen: set[tuple[int, int]] = set()
    last: dict[int, tuple[int, int]] = {}
    rank: dict[int, int] = {}
    days: dict[tuple[int, int], dict[str, int]] = {}
    for i in range(len(columns["at_us"])):
        us, account, code, action = (int(columns[c][i]) for c in ("at_us", "account", "recording", "action"))
        day = days.setdefault((account, us // DAY_US), {"plays": 0, "novel": 0, "rows": 0, "pairs": 0, "ascents": 0})
        fetch.append(False)
        novel.append(False)
        if action in (Action.METADATA, Action.SEARCH):
            day["rows"] += max(1, int(columns["rows"][i]))
            continue
        if code == 0:
            continue
        pause = 10_000_000 if action in (Action.PLAY, Action.DOWNLOAD) else 1_800_000_000
        again = account in last and last[account][0] == code and us - last[account][1] < pause
        last[account] = (code, us)
        if again:
            continue
        fetch[-1] = True
        day["plays"] += 1
        if (account, code) in seen:
            continue
        seen.add((account, code))
        novel[-1] = True
        day["novel"] += 1
        row = int(CATALOGUE.find(np.array([code], np.uint64))[0])
        if account in rank and CATALOGUE.artist[row] != CATALOGUE.artist[rank[account]] and day["pairs"] < 64:
            day["pairs"] += 1
            day["ascents"] += int(CATALOGUE.rank[row] > CATALOGUE.rank[rank[account]])
        if day["pairs"] < 64:
            rank[account] = row
    return fetch, novel, days


@pytest.mark.parametrize("seed", range(4))
def test_counts_are_those_of_the_reference(seed: int, people: People) -> None:
    columns = log(seed)
    tally = Tally.empty(people)
    observed = observe(tally, columns, CATALOGUE)
    days = np.concatenate([observed.days, settle(tally, 100 * DAY_US)])
    fetch, novel, wanted = reference(columns)
    assert observed.fetch.tolist() == fetch
    assert observed.novel.tolist() == novel
    assert not observed.late.any()
    found = {
        (int(tally.accounts[d["slot"]]), int(d["day"])): {n: int(d[n]) for n in next(iter(wanted.values()))}
        for d in days
    }
    assert found == wanted


@given(cuts=st.lists(st.integers(0, 3_000), max_size=6))
def test_it_makes_no_difference_how_a_log_is_cut_into_batches(cuts: list[int], people: People) -> None:
    columns = log(7)
    whole, parts = Tally.empty(people), Tally.empty(people)
    days = [observe(whole, columns, CATALOGUE).days]
    edges = [0, *sorted(cuts), 3_000]
    split = [
        observe(parts, {n: c[a:b] for n, c in columns.items()}, CATALOGUE).days for a, b in itertools.pairwise(edges)
    ]
    parts = Tally.from_arrays(parts.arrays(), people)
    assert np.array_equal(np.concatenate(split), days[0])
    assert np.array_equal(whole.accounts, parts.accounts)
    assert np.array_equal(whole.state, parts.state)
    assert set(whole.seen.tolist()) == set(parts.seen.tolist())


def test_a_day_ends_only_when_it_is_over(people: People) -> None:
    tally = Tally.empty(people)
    one = {
        "at_us": np.array([5 * DAY_US + HOUR_US]),
        "account": np.array([9], np.uint64),
        "recording": np.array([3], np.uint64),
    }
    assert len(observe(tally, one, Popularity.empty()).days) == 0
    assert len(settle(tally, 6 * DAY_US - 1)) == 0
    assert settle(tally, 6 * DAY_US)["plays"].tolist() == [1]
    assert len(settle(tally, 7 * DAY_US)) == 0


def test_what_comes_late_is_counted_and_remembered_but_not_bet_on(people: People) -> None:
    tally = Tally.empty(people)

    def see(at_us: int, recording: int) -> Any:
        columns = {"at_us": np.array([at_us]), "account": np.array([9], np.uint64)}
        return observe(tally, columns | {"recording": np.array([recording], np.uint64)}, Popularity.empty())

    see(5 * DAY_US, 1)
    settle(tally, 6 * DAY_US)
    late = see(5 * DAY_US + 1, 2)
    assert late.late.tolist() == [True]
    assert not late.novel.any()
    assert tally.state["late"].tolist() == [1]
    assert see(7 * DAY_US, 2).novel.tolist() == [False]


def test_an_hour_with_more_sound_than_the_plan_can_play_marks_the_day(people: People) -> None:
    at_us = np.arange(20) * 60_000_000
    columns: dict[str, npt.NDArray[Any]] = {
        "at_us": at_us,
        "account": np.full(20, 9, np.uint64),
        "recording": np.arange(1, 21).astype(np.uint64),
        "media_ms": np.full(20, 400_000, np.int32),
    }
    one, two = Tally.empty(people), Tally.empty(people)
    observe(one, columns, Popularity.empty())
    observe(two, columns, Popularity.empty(), streams=lambda codes: np.full(len(codes), 2, np.float32))
    assert settle(one, DAY_US)["fast"].tolist() == [1]
    assert settle(two, DAY_US)["fast"].tolist() == [0]


def test_nothing_seen_leaves_nothing(people: People) -> None:
    tally = Tally.empty(people)
    none = {"at_us": np.empty(0, np.int64), "account": np.empty(0, np.uint64), "recording": np.empty(0, np.uint64)}
    observed = observe(tally, none, Popularity.empty())
    assert len(observed.days) == len(settle(tally, DAY_US)) == len(tally.accounts) == 0


def test_a_tally_made_against_other_people_is_refused(people: People) -> None:
    arrays = Tally.empty(people).arrays()
    with pytest.raises(CustodyError, match="made against people"):
        Tally.from_arrays(arrays | {"version": np.array("0/none")}, people)
    with pytest.raises(CustodyError, match="do not fit together"):
        Tally.from_arrays(arrays | {"accounts": np.ones(3, np.uint64)}, people)
