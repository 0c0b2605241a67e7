"""A town is replayed at a real nginx with two gates: a ring gets nothing new, and a person is obeyed.

The replay is that of ``bench/gate_town.py``, smaller.
"""

import importlib
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from riparian.flows.restraints import Said, release_restraint
from riparian.gate.policy import Restraint
from riparian.sim.copiers import parse_ring
from riparian.sim.events import each_day
from riparian.sim.town import TownSpec

pytestmark = pytest.mark.slow

BENCH = Path(__file__).resolve().parents[2] / "bench"
DAYS = 3
POLICY = 'mode = "enforce"\naccounts = 1000\n'


@pytest.fixture(scope="module")
def program() -> Iterator[Any]:
    sys.path.insert(0, str(BENCH))
    yield importlib.import_module("gate_town")
    sys.path.remove(str(BENCH))


def test_a_ring_is_contained_nobody_else_is_refused_and_a_person_lets_go(program: Any, tmp_path: Path) -> None:
    ring = parse_ring("6x60:queue")
    spec = TownSpec(8, DAYS, 7, copiers=(ring,), recordings=20_000, start_us=program.a_monday())
    with program.standing(spec, tmp_path, POLICY) as town:
        for accesses in each_day(town.stage):
            town.live(accesses)

        assert [who for _, who, *_ in town.refused if who not in town.ring] == []
        restrained = town.restrained()
        assert set(restrained) == set(town.ring)
        for account in town.ring:
            before, meanwhile, after = town.got[account]
            assert before
            assert not (meanwhile | after) - before
        told = {(status, because) for _, _, _, status, because in town.refused}
        assert told <= {(429, "evidence"), (401, "evidence"), (403, "evidence")}

        # These nginx refuses by itself; whoever is slowed it sends to a gate.
        free, still, *_ = [account for account in town.ring if restrained[account].restraint >= Restraint.STEP_UP]
        assert town.ask("/rows/20", free).status in {401, 403}
        release_restraint(town.house.world, restrained[free], said=Said("Ada", "a radio editor, spoken to"))
        town.tell()
        for path in ("/rows/20", "/media/r-1/index.m3u8"):
            assert town.ask(path, free).status == 200, path
            assert town.ask(path, still).status in {401, 403}, path
