"""A clock of our own that was set back costs nobody their evidence."""

import pytest

from riparian.flows.extraction import scan
from riparian.schema import DAY_US
from riparian.stores.memory import FixedClock, Memory
from tests.stories.towns import played, small


@pytest.mark.parametrize("back_days", [pytest.param(2, id="two days"), pytest.param(20_000, id="to 1971")])
def test_a_clock_that_was_set_back_leaves_nothing_out(back_days: int) -> None:
    town = played(small(listeners=20, days=6))
    first, rest = town.chunks[:3], town.chunks[3:]
    totals: list[tuple[int, int]] = []
    tables: list[object] = []
    for step_us in (0, back_days * DAY_US):
        memory = Memory()
        scan(memory.world(FixedClock(town.end_us)), first, town.terms)
        world = memory.world(FixedClock(town.end_us - step_us))
        scan(world, rest[:1], town.terms)
        # And again, when the last scan was by the wrong clock, too.
        scan(world, rest[1:], town.terms)
        totals.append((world.scans.summaries()[-1]["future"], world.scans.summaries()[-1]["accesses"]))
        evidence = world.findings.table("alone")
        tables.append(None if evidence is None else evidence.to_pylist())
    assert totals[0] == totals[1]
    assert tables[0] == tables[1]
    assert totals[0][0] == 0


def test_what_comes_from_a_wrong_clock_elsewhere_is_left_out_as_before() -> None:
    town = played(small(listeners=20, days=6))
    world = Memory().world(FixedClock(town.end_us - 4 * DAY_US))
    scan(world, town.chunks, town.terms)
    assert world.scans.summaries()[-1]["future"] > 0
