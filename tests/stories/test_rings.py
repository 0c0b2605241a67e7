"""A small town with a ring: who is found, who is held, and that it comes to the same however the log is read."""

from dataclasses import replace
from itertools import pairwise
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from riparian.catalogue.cells import Cells
from riparian.evidence import KINSHIP
from riparian.flows.extraction import Found, about, scan
from riparian.flows.queue import queue
from riparian.flows.rings import about_ring
from riparian.flows.spike import contained
from riparian.gate.decide import Restraint, from_table
from riparian.gate.policy import Policy
from riparian.ports import SHARED, World
from riparian.sim.copiers import parse_ring
from riparian.stores.memory import FixedClock, Memory
from tests.stories.towns import Played, played, small

pytestmark = pytest.mark.slow

TABLES = ("rings", "kin", "answers", "levels_across")


def read_in(town: Played, *cuts: int) -> tuple[World, Found]:
    """Scan a town's days in pieces that end before these days."""
    world = Memory().world(FixedClock(town.end_us))
    world.catalogue.keep(town.recordings)
    ends = [0, *cuts, len(town.chunks)]
    found = [scan(world, town.chunks[a:b], town.terms) for a, b in pairwise(ends)]
    return world, found[-1]


def across(world: World) -> dict[str, Any]:
    """All that is known across accounts, bit for bit."""
    kept: dict[str, Any] = {name: world.findings.in_bucket(name, SHARED) for name in TABLES}
    shared = world.tallies.load(SHARED) or {}
    beside = ("kin.", "taste.", "across.", "today.", "embedding.")
    return kept | {n: (a.dtype, a.shape, a.tobytes()) for n, a in shared.items() if n.startswith(beside)}


@pytest.fixture(scope="module")
def town() -> Played:
    # It begins in the midst of a week, and has two whole ones.
    # Tolerances are those of a service of some size: among a hundred accounts six bits would hold somebody.
    return played(small(parse_ring("8x50:queue"), listeners=120, days=17), policy=Policy(accounts=20_000))


@pytest.fixture(scope="module")
def whole(town: Played) -> tuple[World, Found]:
    return read_in(town)


def test_the_ring_is_found_and_nobody_else_is_in_it(town: Played, whole: tuple[World, Found]) -> None:
    _, found = whole
    assert [set(accounts) for accounts in found.rings["accounts"].to_pylist()] == [town.copiers]
    assert found.summary["rings"] == 1


def test_its_members_are_held_on_their_own_bits_and_nobody_else_is(town: Played, whole: tuple[World, Found]) -> None:
    world, found = whole
    decided = {d.account: d for d in from_table(found.decisions)}
    held = {account for account, d in decided.items() if d.restraint is Restraint.HOLD}
    assert held == town.copiers
    explained = [about(world, town.terms, account) for account in sorted(town.copiers)]
    assert KINSHIP in {one.evidence.claim for one in explained}
    ring = found.rings["ring"][0].as_py()
    for one in explained:
        assert one.ring == ring
        assert one.evidence.bits == sum(row.bits for row in one.evidence.waterfall)
        assert one.evidence.bits == decided[one.evidence.subject].bits


def test_the_ring_is_explained_by_what_it_never_does(town: Played, whole: tuple[World, Found]) -> None:
    world, found = whole
    ringed = about_ring(world, town.terms, found.rings["ring"][0].as_py())
    assert ringed.overlap.expected[-1] > 100
    assert ringed.overlap.seen[-1] == 0
    assert ringed.evidence.bits == sum(row.bits for row in ringed.evidence.waterfall)
    assert ringed.artists[0][1] > 1
    assert {member.account for member in ringed.members} == town.copiers


def test_it_is_known_on_which_day_each_member_was_stopped(town: Played, whole: tuple[World, Found]) -> None:
    world, found = whole
    result = contained(world, found, np.array(sorted(town.copiers), np.uint64))
    assert 1 <= result.days_to_hold.min() <= result.days_to_hold.max() <= 6
    assert (result.leaked < 6 * 60).all()
    assert (result.leaked < result.unrestrained).all()
    assert sum(found.by_day["held"].to_pylist()) == len(town.copiers)


def test_the_queue_names_the_ring_first(town: Played, whole: tuple[World, Found]) -> None:
    world, _ = whole
    assert town.copiers <= {one.account for one in queue(world)}


@pytest.mark.parametrize("cuts", [(7,), (5, 6, 13)])
def test_a_log_read_in_pieces_says_the_same(cuts: tuple[int, ...], town: Played, whole: tuple[World, Found]) -> None:
    world, found = read_in(town, *cuts)
    assert across(world) == across(whole[0])
    assert found.evidence.equals(whole[1].evidence)


def test_a_log_read_twice_says_the_same(town: Played, whole: tuple[World, Found]) -> None:
    world, _ = read_in(town)
    found = scan(world, town.chunks, town.terms)
    assert across(world) == across(whole[0])
    assert found.evidence.equals(whole[1].evidence)


def test_a_log_that_is_looked_at_every_few_seconds_is_followed_once_a_day(
    town: Played, whole: tuple[World, Found], monkeypatch: pytest.MonkeyPatch
) -> None:
    world, _ = read_in(town)
    monkeypatch.setattr("riparian.accounts.kinship.follow", None)
    found = scan(world, (), town.terms)
    assert across(world) == across(whole[0])
    assert found.rings.equals(whole[1].rings)
    assert found.timeline.equals(whole[1].timeline)


@pytest.mark.parametrize("at", [("weighing", 20), ("weighing", 63), ("deciding", 0)])
def test_a_scan_that_was_killed_says_the_same(at: tuple[str, int], town: Played, whole: tuple[World, Found]) -> None:
    world = Memory().world(FixedClock(town.end_us))

    def killed(stage: str, done: int, total: int | None) -> None:
        del total
        if (stage, done) == at:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        scan(world, town.chunks, town.terms, progress=killed)
    found = scan(world, (), town.terms)
    assert across(world) == across(whole[0])
    assert found.evidence.equals(whole[1].evidence)


def test_fetches_that_come_after_their_week_are_counted_and_compared_with_none(town: Played) -> None:
    world, found = read_in(town, 3)
    assert found.summary["late_for_rings"] == 0
    late = replace(town.chunks[1], accesses=town.chunks[1].accesses.set_column(
        town.chunks[1].accesses.schema.get_field_index("account"), "account",
        pa.array(town.chunks[1].accesses["account"].to_numpy() ^ np.uint64(1)),
    ), digest=b"somebody else's log")  # fmt: skip
    before = across(world)["rings"]
    found = scan(world, [late], town.terms)
    assert found.summary["late_for_rings"] > 0
    assert across(world)["rings"].equals(before)


def test_without_a_catalogue_nobody_is_compared_and_the_summary_says_so(town: Played) -> None:
    world = Memory().world(FixedClock(town.end_us))
    found = scan(world, town.chunks, replace(town.terms, cells=Cells.empty()))
    assert len(found.rings) == 0
    assert "catalogue" in found.summary["abstained"]["kinship"]
    assert found.summary["abstained"]["taste"] == found.summary["abstained"]["kinship"]


def test_another_catalogue_begins_rings_anew(town: Played) -> None:
    world, _ = read_in(town, 7)
    cells = town.terms.cells
    fewer = replace(cells, codes=cells.codes[1:], works=cells.works[1:])
    found = scan(world, (), replace(town.terms, cells=fewer))
    assert len(found.rings) == 0
    assert not np.array(
        [len(a) for n, a in (world.tallies.load(SHARED) or {}).items() if n.startswith("kin.log")]
    ).any()
