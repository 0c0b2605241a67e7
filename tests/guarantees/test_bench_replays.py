"""A small replay of each program of bench/, held to what its table states."""

import importlib
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from riparian.accounts import weigh
from riparian.accounts.people import People
from riparian.gate.policy import Policy, Restraint, threshold_bits
from riparian.sim.copiers import parse_ring
from riparian.sim.tallied import ended_days, enrolled
from riparian.sim.town import TownSpec, days

pytestmark = pytest.mark.slow

BENCH = Path(__file__).resolve().parents[2] / "bench"
HOLD_BITS = threshold_bits(Policy(wrongful_holds_per_year=2), Restraint.HOLD, 20_000)
SLOW_BITS = threshold_bits(Policy(wrongful_holds_per_year=2), Restraint.SLOW, 20_000)


@pytest.fixture(scope="module")
def programs() -> Iterator[Any]:
    """Let programs of bench/ be imported by their names, as they import one another."""
    sys.path.insert(0, str(BENCH))
    yield importlib.import_module
    sys.path.remove(str(BENCH))


@pytest.mark.parametrize("world", ["ordinary", "holidays", "families"])
def test_nobody_honest_is_held_and_nobody_ordinary_slowed(programs: Any, people: People, world: str) -> None:
    honest = programs("guarantee_honest")
    assert world in honest.WORLDS
    town = days(TownSpec(listeners=1_500, days=60, seed=5, world=world))
    tally = enrolled(town, people)
    weigh.weigh(tally, ended_days(town))
    bits = tally.state["most"]["joined"]
    assert (bits >= HOLD_BITS).sum() == 0
    assert (bits[town.persona == "ordinary"] >= SLOW_BITS).sum() == 0


def test_the_novelty_budget_refuses_hardly_any_ordinary_listener_anything(programs: Any) -> None:
    town = days(TownSpec(listeners=4_000, days=60, seed=5))
    refused = programs("guarantee_honest")._refused(town, 60)
    ordinary = town.persona == "ordinary"
    assert (refused & ordinary).sum() <= 4_000 / 1_000
    assert refused.mean() <= 0.01


HELD_BY = {40: 8, 100: 6, 200: 5, 500: 4}
"""Plays a day of a steady copier that goes in order, and the day by which the median of them is held."""


@pytest.mark.parametrize(("per_day", "day"), HELD_BY.items())
def test_a_steady_copier_in_order_is_held_within_days(programs: Any, people: People, per_day: int, day: int) -> None:
    copiers = programs("guarantee_copiers")
    runs = [copiers._run(str(per_day), seed, 12, people) for seed in range(1, 6)]
    row = copiers._table(runs, (HOLD_BITS, 19.6), np.zeros(20_000))
    assert row["held_in"] == "5/5"
    assert row["held_day"] <= day


@pytest.mark.parametrize("n_days", [1, 30, 60, 365])
def test_what_a_copier_gets_is_capped_exactly(programs: Any, n_days: int) -> None:
    copiers = programs("guarantee_copiers")
    town = days(TownSpec(0, n_days, 3, copiers=(parse_ring("1x3000"),), recordings=3_000_000))
    # Asked for at once on the first day and evenly after it; the last request comes a moment before midnight.
    burst = 1000 + 1000 * min(n_days, 7) / 7
    cap = copiers._caps([town], n_days)
    assert cap["cap_least"] == cap["cap_most"] == np.ceil(burst + 40 * n_days) - 1


def test_a_copier_that_asks_for_less_than_the_budget_gets_it_all(programs: Any) -> None:
    town = days(TownSpec(0, 90, 3, copiers=(parse_ring("1x30"),), recordings=3_000_000))
    assert programs("guarantee_copiers")._caps([town], 90)["cap_most"] == town.novel.sum()


LISTENERS, DAYS = 1_000, 21
IN_ORDER = tuple(("steady, in order of popularity", str(pace)) for pace in (40, 100, 200))
"""A faster copier is above anything that so few listeners do, and a limit that knows that stops it at once."""


@pytest.fixture(scope="module")
def beside(programs: Any, people: People) -> Any:
    """Look at one small town with every detector; a world of shops, since so few listeners hold no heavy ones else."""
    program = programs("side_by_side")
    rows = (*IN_ORDER, ("all that, shuffled", "500:irregular:bursty:mimic=0.25:random"), ("reader", "5000:metadata"))
    spec = replace(program.town_spec(rows, LISTENERS, DAYS, 7, copiers=2), world="night-shops")
    runs = [program.side_by_side(spec, people)]
    table = program.leak_rows(rows, runs, LISTENERS, 2)
    return runs[0], table, program.detector_rows(runs, table, LISTENERS)


@pytest.mark.slow
def test_side_by_side_nobody_honest_is_hit_by_any_detector(beside: Any) -> None:
    _, _, detectors = beside
    assert {row["detector"]: row["honest_hit"] for row in detectors} == dict.fromkeys(
        (row["detector"] for row in detectors), 0
    )


@pytest.mark.slow
def test_side_by_side_riparian_is_ahead_of_every_peer_where_copiers_go_in_order(beside: Any) -> None:
    _, table, _ = beside
    for row in table[: len(IN_ORDER)]:
        assert (row["same_is"], row["evidence_is"], row["riparian_is"]) == ("ahead",) * 3


@pytest.mark.slow
def test_side_by_side_a_budget_lets_no_more_leak_than_evidence_alone(beside: Any) -> None:
    run, _, _ = beside
    assert (run["riparian"].leaked <= run["riparian_evidence"].leaked).all()
    assert (run["riparian"].leaked[-4:-2] <= 2000 + 40 * DAYS).all()
    assert (run["riparian"].leaked[-2:] <= 20_000 + 2_000 * DAYS).all()


def test_side_by_side_what_is_refused_is_taken_out_of_the_town_and_nothing_else(programs: Any) -> None:
    town = days(TownSpec(listeners=50, days=30, seed=2, copiers=(parse_ring("1x40"), parse_ring("1x500"))))
    served, refused = programs("side_by_side").enforced(town)
    assert np.flatnonzero(refused).tolist() == [51]
    before, after = town.matrix("novel", 30), served.matrix("novel", 30)
    assert (before[:51] == after[:51]).all()
    assert after[51].sum() == 2000 + 40 * 30 - 1
    lost = town.matrix("plays", 30) - served.matrix("plays", 30)
    assert (lost == before - after).all()


@pytest.mark.slow
def test_a_whole_town_goes_through_the_whole_scan_and_nobody_honest_is_held(programs: Any, people: People) -> None:
    program = programs("guarantee_town")
    town = program.scanned(program.town_spec(400, 21, 3), people)
    row = program.told(town)
    # Four hundred accounts are slowed from 5.7 bits on: that is the rate that was asked for.
    assert row["slowed"] <= programs("measure").allowance(8 * 21 / 365)
    assert (row["held"], row["stepped_up"], row["budget_ordinary"]) == (0, 0, 0)
    assert len(town.waterfalls) == row["slowed"]
    assert (row["ring_1_held"], row["ring_3_held"]) == ("10/10", "10/10")
    counted = program.persona_rows(program.by_persona(town))
    assert sum(kind["accounts"] for kind in counted) == 400
    assert row["accesses"] > 400_000
