"""A queue that was read out of a listing, through a whole scan; what was refused counts as asked for, not as served."""

import hashlib
from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pyarrow as pa
import pytest

from riparian.accounts.surfaced import Listings, Shown, jitter_order
from riparian.feeds.chunks import Chunk
from riparian.flows.extraction import Found, Terms, about, scan
from riparian.flows.signals import Elevated, Signals, marks_of
from riparian.gate.decide import Decision, Restraint, to_table
from riparian.gate.policy import Policy
from riparian.ports import World
from riparian.schema import DAY_US, Action
from riparian.stores.memory import FixedClock, Memory
from tests.stories.towns import KEY, shipped_people

START = 20_400 * DAY_US
READER, WORKERS = 3 << 58, [(n << 58) + 5 for n in range(4)]
LISTING = np.arange(1, 4_001, dtype=np.uint64)
SHOWN = Shown(KEY, Listings.of([LISTING]))
TERMS = Terms(Policy(accounts=20_000), shipped_people(), signals=Signals(SHOWN))


def chunk(number: int, rows: Sequence[tuple[int, int, int, int, int]]) -> Chunk:
    """When, who, what, which action, with which status."""
    at, account, recording, action, status = zip(*rows, strict=True)
    accesses = pa.table(
        {
            "at_us": pa.array(at, pa.int64()),
            "account": pa.array(account, pa.uint64()),
            "recording": pa.array(recording, pa.uint64()),
            "action": pa.array(action, pa.uint8()),
            "rows": pa.array([100 if a == Action.METADATA else 0 for a in action], pa.int32()),
            "status": pa.array(status, pa.int16()),
        }
    )
    digest = hashlib.blake2b(b"%d" % number, digest_size=16).digest()
    return Chunk(digest, "made", number, len(rows), accesses, (np.empty(0, np.uint64), []))


def town() -> list[Chunk]:
    """One account reads a listing, four go through it in the order in which it was shown."""
    reads = [(START + n * 1_000_000, READER, 0, Action.METADATA, 200) for n in range(40)]
    queue = jitter_order(KEY, READER, LISTING)[:1200].tolist()
    plays = [
        (START + 3_600_000_000 + n * 200_000_000, WORKERS[n % 4], recording, Action.PLAY, 200)
        for n, recording in enumerate(queue)
    ]
    refused = [(plays[-1][0] + 1_000_000, WORKERS[0], 3_999, Action.PLAY, 503)]
    last = [(START + 4 * DAY_US, READER, 0, Action.METADATA, 200)]
    rows = [*reads, *plays, *refused, *last]
    return [chunk(0, rows[:500]), chunk(1, rows[500:])]


@pytest.fixture(scope="module")
def scanned() -> tuple[World, Found]:
    world = Memory().world(FixedClock(START + 5 * DAY_US))
    return world, scan(world, town(), TERMS)


def test_who_follows_the_order_that_another_account_was_shown_is_found_by_it(scanned: tuple[World, Found]) -> None:
    world, found = scanned
    signalled = world.findings.in_bucket("signals", 64)
    assert signalled is not None
    assert set(signalled["account"].to_pylist()) == set(WORKERS)
    assert set(signalled["issuer"].to_pylist()) == {READER}
    for worker in WORKERS:
        one = about(world, TERMS, worker)
        said = {e.claim.name: e for e in (one.evidence, *one.others)}
        assert said["jitter"].bits > 20
        assert said["jitter"].bits == sum(row.bits for row in said["jitter"].waterfall)
    assert "jitter" not in found.summary["abstained"]


def test_in_pieces_it_comes_to_the_same(scanned: tuple[World, Found]) -> None:
    world = Memory().world(FixedClock(START + 5 * DAY_US))
    for part in town():
        found = scan(world, [part], TERMS)
    assert found.evidence.equals(scanned[1].evidence)


def test_what_was_refused_is_asked_for_and_not_served(scanned: tuple[World, Found]) -> None:
    world, found = scanned
    assert found.summary["accesses"] == 1241
    asks = world.findings.table("asks")
    assert asks is not None
    assert 3_999 in asks["recording"].to_pylist()
    assert found.everybody.recordings == 1200


def test_an_account_is_elevated_while_a_restraint_on_it_is_applied() -> None:
    held = Decision(7, Restraint.HOLD, ("x",), 14.0, 13.3, 2.0**-14, None, 100, 200, applied=True)
    shadow = Decision(9, Restraint.HOLD, ("x",), 14.0, 13.3, 2.0**-14, None, 100, 200, applied=False)
    elevated = Elevated.of(to_table([held, shadow]))
    accounts, at_us = np.array([7, 7, 7, 9], np.uint64), np.array([99, 100, 200, 150])
    assert elevated.at(accounts, at_us).tolist() == [False, True, False, False]
    assert marks_of({"account": accounts, "at_us": at_us}, elevated).tolist() == [0, 2, 0, 0]


def test_what_an_elevated_account_asks_for_counts_however_little_it_does_that_day() -> None:
    # Else somebody who sees its own lots could let only the refused ones count, by what it does until midnight.
    rows = [(START + n, WORKERS[n % 2], 1 + n // 2, Action.PLAY, 503 if n == 0 else 200) for n in range(4)]
    part = chunk(0, [*rows, (START + 4 * DAY_US, READER, 0, Action.METADATA, 200)])
    accesses = part.accesses.append_column("elevated", pa.array([True] * 4 + [None], pa.bool_()))
    world = Memory().world(FixedClock(START + 5 * DAY_US))
    scan(world, [replace(part, accesses=accesses)], TERMS)
    asks = world.findings.table("asks")
    assert asks is not None
    assert sorted(zip(asks["account"].to_pylist(), asks["recording"].to_pylist(), strict=True)) == sorted(
        (WORKERS[n % 2], 1 + n // 2) for n in range(4)
    )
    assert all(marks & 1 for marks in asks["marks"].to_pylist())
