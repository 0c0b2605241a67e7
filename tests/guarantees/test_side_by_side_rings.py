"""A small replay of bench/side_by_side_rings.py, and the peers that it is held against."""

import importlib
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from riparian.accounts.people import People
from riparian.sim.town import TownSpec

BENCH = Path(__file__).resolve().parents[2] / "bench"


@pytest.fixture(scope="module")
def programs() -> Iterator[Any]:
    """Let programs of bench/ be imported by their names, as they import one another."""
    sys.path.insert(0, str(BENCH))
    yield importlib.import_module
    sys.path.remove(str(BENCH))


def planted(block: int, town: int) -> tuple[Any, Any]:
    """Put accounts that take the same recordings among others that choose by lot."""
    rng = np.random.default_rng(1)
    by_lot = [(a, r) for a in range(town) for r in rng.choice(2_000, 12, replace=False)]
    alike = [(town + a, 2_000 + r) for a in range(block) for r in range(30)]
    return np.array([a for a, _ in by_lot + alike]), np.array([r for _, r in by_lot + alike])


def test_fraudar_finds_a_planted_block_and_cuts_it_out(programs: Any) -> None:
    blocks = programs("ring_peers").dense_blocks(*planted(20, 200))
    assert blocks[0][1].tolist() == list(range(200, 220))
    assert not np.isin(blocks[1][1], blocks[0][1]).any()
    assert blocks[0][0] > blocks[1][0]


def test_fraudar_peels_as_the_paper_does(programs: Any) -> None:
    peers = programs("ring_peers")
    account, recording = planted(4, 12)
    _, column = np.unique(recording, return_inverse=True)
    weight = (1 / np.log(5 + np.bincount(column)))[column]
    row, column = account, column + account.max() + 1
    density, kept = peers._peeled(row, column, weight, int(column.max()) + 1)
    left, best = set(range(int(column.max()) + 1)), (0.0, set[int]())
    while left:
        inside = np.isin(row, list(left)) & np.isin(column, list(left))
        best = max(best, (float(weight[inside].sum()) / len(left), set(left)), key=lambda found: found[0])
        key = np.bincount(row[inside], weight[inside], len(kept)) + np.bincount(
            column[inside], weight[inside], len(kept)
        )
        left.discard(min(left, key=lambda node: key[node]))
    assert density == pytest.approx(best[0])
    assert set(np.flatnonzero(kept).tolist()) == best[1]


def test_pairs_meet_within_a_day_and_ever(programs: Any) -> None:
    peers = programs("ring_peers")
    rng = np.random.default_rng(2)
    held = {(int(a), int(r)): int(d) for a, r, d in rng.integers(0, (8, 30, 3), (150, 3))}
    n, within, ever = 8, np.zeros((8, 8), np.int32), np.zeros((8, 8), np.int32)
    chains, at = (np.full(30, -1), np.empty(len(held), np.int64), np.empty(len(held), np.int64)), 0
    for day in range(3):
        of_day = sorted((r, a) for (a, r), d in held.items() if d == day)
        recording, account = np.array(of_day).T
        peers.meet_within_a_day(account, recording, within)
        peers.meet_ever(account, recording, chains, at, ever)
        at += len(of_day)
    for u in range(n):
        for v in set(range(n)) - {u}:
            both = [r for r in range(30) if (u, r) in held and (v, r) in held]
            assert ever[u, v] == len(both)
            assert within[u, v] == sum(held[u, r] == held[v, r] for r in both)


@pytest.mark.slow
def test_a_ring_that_shares_a_queue_is_contained_by_its_order_alone_and_by_no_peer(
    programs: Any, people: People
) -> None:
    program = programs("side_by_side_rings")
    rings = (("one queue", "20x40:queue"),)
    spec = program.town_spec(rings, TownSpec(400, program.SETTLED_DAYS + 5, 3, recordings=20_000))
    runs = [program.side_by_side(spec, people)]
    row = program.ring_rows(rings, runs)[0]
    assert row["kinship_contained"] >= 0.9
    assert row["kinship_leaked"] <= 100
    assert [row[f"{peer}_day"] for peer in program.PEERS] == ["never"] * 5
    assert row["riparian_is"] == "ahead"
    of = {told["detector"]: told for told in program.detector_rows(runs)}
    assert {of[name]["honest_hit"] for name in (*program.PEERS, *program.OURS)} == {0}
    assert of["kinship"]["hit_elsewhere"] == 0
    assert of["overlap"]["pairs_accused"] > 0
