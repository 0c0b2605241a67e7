"""A small town's logs go through the whole flow: who is held, who is spared, and whom we do not catch."""

from dataclasses import dataclass

import numpy as np
import pytest

from riparian.flows.extraction import Found, scan
from riparian.flows.spike import Contained, contained
from riparian.gate.decide import Restraint, from_table
from riparian.gate.policy import Mode, Policy
from riparian.ports import World
from riparian.sim.copiers import parse_ring
from riparian.stores.memory import FixedClock, Memory
from tests.stories.towns import Played, played, scanned, small

HOLD, SLOW, ALLOW = Restraint.HOLD, Restraint.SLOW, Restraint.ALLOW
BURST = 2000
PER_DAY = 40


@dataclass(frozen=True)
class Copier:
    """What is put into the town, the least that must be done about every account of it, and by which of its days."""

    ring: str
    expect: Restraint
    within_days: int = 20
    leaked_most: int = BURST + 20 * PER_DAY


COPIERS = {
    "one account at full speed":                   Copier("1x5000:queue", HOLD, 2, leaked_most=1300),
    "one account at a busy person's pace":         Copier("1x200:queue", HOLD, 4, leaked_most=800),
    "whole artists, one after another":            Copier("1x200:artists", HOLD, 6, leaked_most=1200),
    "a shuffled queue":                            Copier("1x200:random", HOLD, 6, leaked_most=1200),
    "forty a day, patiently":                      Copier("1x40:random", HOLD, 8, leaked_most=320),
    "a quarter of its plays are replays":          Copier("1x200:queue:mimic=0.25", HOLD, 8),
    "half of its plays are replays":               Copier("1x200:queue:mimic=0.5", HOLD, 12),
    "as irregular as a person":                    Copier("3x100:queue:bursty:irregular", HOLD, 8),
    "a reader of all metadata":                    Copier("1x5000:metadata", HOLD, 6),
    # What we do not catch, for now.
    "a listener in disguise, in no order":         Copier("1x60:random:mimic=0.5:bursty:irregular", ALLOW),
    "a reader of little metadata":                 Copier("1x500:metadata", ALLOW),
}  # fmt: skip


def followed(town: Played) -> tuple[World, Found, Contained]:
    world = Memory().world(FixedClock(town.end_us))
    found = scanned(town, world)
    codes = np.array(sorted(town.copiers), np.uint64)
    return world, found, contained(world, found, codes)


@pytest.fixture(scope="module")
def crowd() -> tuple[Played, Found, Contained]:
    """All of them at once, among three hundred listeners."""
    town = played(small(*(parse_ring(copier.ring) for copier in COPIERS.values())))
    _, found, result = followed(town)
    return town, found, result


@pytest.mark.parametrize("name", COPIERS)
def test_a_copier_is_held_in_time(name: str, crowd: tuple[Played, Found, Contained]) -> None:
    town, found, result = crowd
    copier = COPIERS[name]
    ring = sorted(town.rings[f"ring-{list(COPIERS).index(name) + 1}"])
    decided = {d.account: d.restraint for d in from_table(found.decisions)}
    done = [decided.get(account, ALLOW) for account in ring]
    rows = np.searchsorted(result.account, np.array(ring, np.uint64))
    days = result.days_to_hold[rows]
    if copier.expect is ALLOW:
        assert set(done) == {ALLOW}, "caught after all: move it up in the table"
    else:
        assert min(done) >= copier.expect
        assert 1 <= days.min() <= days.max() <= copier.within_days
    assert result.leaked[rows].max() <= copier.leaked_most


def test_nobody_else_is_held(crowd: tuple[Played, Found, Contained]) -> None:
    _, _, result = crowd
    assert not result.real["hold"]
    assert not result.real["step_up"]


@pytest.mark.slow
def test_a_town_without_copiers_holds_nobody() -> None:
    found = scanned(played(small()))
    assert found.summary["restraints"]["hold"] == 0
    assert found.held.recordings == 0


@pytest.mark.slow
def test_everything_that_a_report_needs_is_found() -> None:
    town = played(small(parse_ring("1x300:queue"), listeners=100, days=8))
    _, found, _ = followed(town)
    (copier,) = town.copiers
    exposure = {row["account"]: row for row in found.exposure.to_pylist()}[copier]
    assert exposure["fetches"] == exposure["novel"] >= exposure["recordings"] > 2000
    assert exposure["beyond_budget"] > 0
    assert exposure["catalogue_share"] == pytest.approx(exposure["recordings"] / 20_000)
    assert found.held.recordings >= exposure["recordings"]
    assert found.everybody.recordings > found.restrained.recordings >= found.held.recordings
    assert found.timeline["account"][0].as_py() in set(found.decisions["account"].to_pylist())
    assert sum(found.by_day["held"].to_pylist()) >= 1
    assert sum(found.by_day["accesses"].to_pylist()) == sum(len(chunk.accesses) for chunk in town.chunks)
    assert sum(found.by_day["plays"].to_pylist()) == found.summary["plays"]
    assert set(found.abstained) == {"taste", "signals"}
    assert found.review_minutes_a_day > 0


def test_without_a_catalogue_the_order_abstains_and_shares_are_unknown() -> None:
    found = scanned(played(small(parse_ring("1x300:queue"), listeners=50, days=6), catalogue=False))
    assert "order" in found.abstained
    assert found.everybody.catalogue_share is None
    assert found.everybody.recordings > 0
    assert any("no catalogue" in sentence for sentence in found.cannot_see)


@pytest.mark.slow
def test_a_log_in_any_order_of_time_and_in_any_parts_gives_the_same_evidence() -> None:
    town = played(small(parse_ring("1x200:queue"), listeners=60, days=6))
    whole = scanned(town).evidence
    world = Memory().world(FixedClock(town.end_us))
    for chunk in town.chunks:
        found = scan(world, [chunk], town.terms)
    assert found.evidence.sort_by("account").equals(whole.sort_by("account"))
    backwards = Memory().world(FixedClock(town.end_us))
    shuffled = scan(backwards, reversed(town.chunks), town.terms).evidence
    assert shuffled.sort_by("account").equals(whole.sort_by("account"))


@pytest.mark.slow
def test_shadow_applies_nothing_and_enforcing_applies_the_same() -> None:
    spec = small(parse_ring("1x300:queue"), listeners=60, days=6)
    shadow = scanned(played(spec)).decisions
    enforced = scanned(played(spec, policy=Policy(mode=Mode.ENFORCE))).decisions
    assert not any(shadow["applied"].to_pylist())
    restrained = [r > 0 for r in enforced["restraint"].to_pylist()]
    assert enforced["applied"].to_pylist() == restrained
    assert any(restrained)
    assert enforced.drop_columns("applied").equals(shadow.drop_columns("applied"))


def test_accesses_from_a_wrong_clock_are_left_out_and_counted() -> None:
    town = played(small(listeners=30, days=4))
    late = scanned(town, at_us=town.end_us - 3 * 86_400_000_000)
    assert late.summary["future"] > 0
    assert late.rejected["accesses dated more than a day in the future"] == late.summary["future"]
    assert late.summary["accesses"] + late.summary["future"] == sum(len(c.accesses) for c in town.chunks)


def test_a_service_of_a_dozen_accounts_is_followed_below_four_bits() -> None:
    town = played(small(parse_ring("1x60:random"), listeners=12, days=7))
    _, found, result = followed(town)
    assert result.leaked.tolist()[0] > 0
    assert found.summary["thresholds"]["slow"] < 4
    watched = set(found.timeline["account"].to_pylist())
    assert {d.account for d in from_table(found.decisions) if d.restraint > SLOW} <= watched


def test_a_spike_that_gathers_no_bits_is_no_error() -> None:
    town = played(small(parse_ring("1x5:random"), listeners=3, days=2))
    _, _, result = followed(town)
    assert 0 < result.leaked[0] <= result.unrestrained[0] < 20
