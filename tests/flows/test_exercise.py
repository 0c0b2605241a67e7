"""The loop: what the gate answers, that nobody honest is hurt, and that formulas and rehearsals agree."""

from dataclasses import replace

import numpy as np
import pyarrow as pa
import pytest

from riparian.accounts.join import ANSWER
from riparian.accounts.people import People
from riparian.accounts.tally import DAYS, Tally
from riparian.flows.exercise import Kinship, Outcome, Refusals, Rules, Source, rehearse
from riparian.flows.reckoning import Terms, frontier, limit_lines, people_line, sentences, strategy_lines
from riparian.gate import economics
from riparian.gate.economics import Kind, Link, Prices, Shared
from riparian.gate.policy import Certainty, Policy, Restraint
from riparian.ports import Arrays, Asked, Told
from riparian.schema import DAY_US
from riparian.sim.contest import QUIET_DAYS, Contest
from riparian.sim.events import Stage, set_stage
from riparian.sim.strategies import Strategy
from riparian.sim.town import TownSpec

POLICY = Policy(accounts=20_000)
SHUFFLED = Strategy("shuffled", accounts=4, per_day=2000, order="shuffled", mimicry=0.25)


@pytest.fixture(scope="module")
def stage() -> Stage:
    return set_stage(TownSpec(listeners=150, days=QUIET_DAYS + 40, recordings=40_000))


def rehearsed(
    stage: Stage,
    people: People,
    *strategies: Strategy,
    days: int = 40,
    policy: Policy = POLICY,
    link: Link = Link.PAYMENT,
    kinship: bool = False,
) -> tuple[Contest, Outcome]:
    contest = Contest(stage, strategies, Prices(), seed=1)
    sources: tuple[Source, ...] = (Kinship(contest.cells(), accounts=20_000, every_days=5),) if kinship else ()
    rules = Rules(policy, people, link, sources)
    return contest, rehearse(contest, rules, days=QUIET_DAYS + days, first_day=contest.first_day)


@pytest.fixture(scope="module")
def both(stage: Stage, people: People) -> tuple[Contest, Outcome]:
    return rehearsed(
        stage,
        people,
        Strategy("bulk", accounts=3, per_day=500),
        Strategy("waits", accounts=2, per_day=100, answer="wait"),
        Strategy("frames", kind=Kind.FREE, accounts=3, per_day=40, order="frame", mimicry=0.25, lifelike=True),
        SHUFFLED,
    )


def test_a_copier_in_a_hurry_is_held_and_opens_another_account(both: tuple[Contest, Outcome]) -> None:
    contest, outcome = both
    bulk = contest.ledgers()[0]
    assert (outcome.restraint[contest.owner == 0] == Restraint.HOLD).sum() >= 3
    assert bulk.opened > 10
    assert bulk.distinct / bulk.opened < 2_500


def test_nobody_honest_is_held_or_slowed_on_evidence(both: tuple[Contest, Outcome]) -> None:
    contest, outcome = both
    line = people_line(outcome, contest.owner, contest.victims)
    assert (line["held"], line["slowed_on_evidence"], line["framed_restrained"]) == (0, 0, 0)
    assert line["listeners"] == 150
    assert line["framed"] >= 1
    assert line["refused_share"] < 0.01


def test_the_same_seed_comes_to_the_same_end(stage: Stage, people: People) -> None:
    ends = [rehearsed(stage, people, Strategy("bulk", accounts=2, per_day=500), days=12) for _ in range(2)]
    (one, first), (other, second) = ends
    assert one.ledgers() == other.ledgers()
    assert np.array_equal(first.bits, second.bits)


ARITHMETIC = {
    "a free account for a day": (Kind.FREE, 1, Shared(), Link.PAYMENT),
    "a trial of a month": (Kind.TRIAL, 30, Shared(), Link.PAYMENT),
    "a paid account for forty days": (Kind.PAID, 40, Shared(), Link.PAYMENT),
    "a stolen one until the owner notices": (Kind.STOLEN, 14, Shared(), Link.PAYMENT),
    "twelve trials a card": (Kind.TRIAL, 20, Shared(card=12), Link.PAYMENT),
    "twelve trials a card that nobody joins": (Kind.TRIAL, 20, Shared(card=12), Link.NONE),
    "twelve trials a device, joined": (Kind.TRIAL, 20, Shared(device=12), Link.ANY),
}


@pytest.mark.slow
@pytest.mark.parametrize("eager", [False, True], ids=["evenly", "as fast as it can"])
@pytest.mark.parametrize("case", ARITHMETIC.values(), ids=ARITHMETIC.keys())
def test_an_account_yields_what_the_formula_says(
    stage: Stage, people: People, case: tuple[Kind, int, Shared, Link], *, eager: bool
) -> None:
    kind, days, shared, link = case
    # What nobody restrains on evidence is what is to be compared.
    lenient = Policy(accounts=2**50)
    formula = economics.per_account(lenient, days, kind, shared, link=link)
    plan = Strategy(
        "plan", kind=kind, accounts=12, per_day=2000 if eager else 1.03 * formula / days, order="shuffled",
        mimicry=0.25, lifetime_days=days, per_card=shared.card, per_device=shared.device, per_cohort=shared.cohort,
    )  # fmt: skip
    contest, outcome = rehearsed(stage, people, plan, days=days, policy=lenient, link=link)
    ledger = contest.ledgers()[0]
    assert not (outcome.on_evidence > 0).any()
    assert ledger.fetched / ledger.opened <= formula + 2
    assert ledger.fetched / ledger.opened >= (0.8 if eager else 0.9) * formula
    cost = economics.price(Prices(), kind, days, shared)
    assert economics.money(ledger, Prices()) / ledger.opened == pytest.approx(cost, rel=1e-6)


@pytest.mark.slow
def test_a_ring_that_keeps_an_order_is_told_by_what_its_accounts_do_together(people: People) -> None:
    stage = set_stage(TownSpec(listeners=30, days=QUIET_DAYS + 22, recordings=30_000))
    ring = Strategy("ring", accounts=8, per_day=60, mimicry=0.4, lifelike=True)
    alone, _ = rehearsed(stage, people, ring, days=22)
    compared, outcome = rehearsed(stage, people, ring, days=22, kinship=True)
    assert alone.ledgers()[0].opened == 8
    assert (outcome.restraint[compared.owner == 0] == Restraint.HOLD).sum() >= 6
    line = people_line(outcome, compared.owner, compared.victims)
    assert (line["held"], line["slowed_on_evidence"]) == (0, 0)


STEADY = Strategy("steady", accounts=3, per_day=60, order="shuffled", mimicry=0.15)
CERTIFIED = Policy(
    certainty=Certainty.CERTIFIED,
    accounts=250,
    wrongful_holds_per_year=3,
    wrongful_step_ups_per_year=3,
    wrongful_slows_per_year=3,
)
DECLARED = replace(CERTIFIED, certainty=Certainty.DECLARED)


@pytest.mark.slow
@pytest.mark.parametrize(("policy", "fooled"), [(DECLARED, False), (CERTIFIED, True)], ids=["declared", "certified"])
def test_pretending_that_people_are_like_copiers_fools_only_who_counts_heads(
    stage: Stage, people: People, policy: Policy, *, fooled: bool
) -> None:
    plans = (STEADY, replace(STEADY, explorers=60))
    opened = [rehearsed(stage, people, plan, days=40, policy=policy)[0].ledgers()[0].opened for plan in plans]
    assert opened[0] > STEADY.accounts
    assert (opened[1] < opened[0]) is fooled


class Quarrel:
    """Two accounts that ask for the same number of new recordings a day, the first of them restrained by hand."""

    def __init__(self) -> None:
        self.told: list[Told] = []

    def accounts(self) -> Arrays:
        codes = np.array([1, 2], np.uint64)
        columns = dict.fromkeys(("account", "card", "device", "cohort"), codes)
        return {**columns, "created_us": np.zeros(2, np.int64), "streams": np.ones(2, np.int64), "believed": codes < 2}

    def live(self, day: int, told: Told | None) -> Asked:
        if told is not None:
            self.told.append(told)
        rows = np.zeros(2, DAYS)
        rows["slot"], rows["day"], rows["plays"], rows["novel"] = [0, 1], 20_000 + day, 100, 60
        rows["fast"] = rows["silent"] = -1
        slot = np.repeat([0, 1], 60).astype(np.int32)
        at_us = (20_000 + day) * DAY_US + np.arange(120, dtype=np.int64)
        return Asked(rows, slot, at_us, np.arange(1, 121, dtype=np.uint64) + np.uint64(1000 * day))

    def end(self, told: Told) -> None:
        self.told.append(told)


class Says:
    """A question that gives the first account so many bits."""

    def __init__(self, bits: float) -> None:
        self.bits = bits

    def observe(self, day: int, asked: Asked, tally: Tally) -> pa.Table:
        del day, asked, tally
        return pa.table([[1], ["kinship"], ["kinship"], [self.bits], [self.bits], [0]], schema=ANSWER)


def bits_for(restraint: Restraint) -> float:
    # Between what this rung wants and the next, a bit apart, with the price of one of several questions on top.
    return {Restraint.ALLOW: 0.0, Restraint.SLOW: 11.8 + 2.33, Restraint.HOLD: 30.0}[restraint]


@pytest.mark.parametrize(
    ("restraint", "served"), [(Restraint.ALLOW, 60), (Restraint.SLOW, POLICY.novelty_per_day), (Restraint.HOLD, 0)]
)
def test_the_gate_serves_what_the_restraint_in_force_leaves(people: People, restraint: Restraint, served: int) -> None:
    feed = Quarrel()
    rehearse(feed, Rules(POLICY, people, sources=(Says(bits_for(restraint)),)), days=4, first_day=20_000)
    second = feed.told[1]
    assert Restraint(int(second.restraint[0])) is restraint
    assert (~second.refused[:60]).sum() == served
    assert (~second.refused[60:]).sum() == 60


def test_lines_add_up_and_say_what_came_of_it(both: tuple[Contest, Outcome]) -> None:
    contest, outcome = both
    terms = Terms(Prices(), 40, POLICY, Link.PAYMENT)
    lines = strategy_lines(contest.ledgers(), outcome, contest.owner, terms)
    for line, ledger in zip(lines, contest.ledgers(), strict=True):
        one, half = line["targets"]["one_percent"], line["targets"]["half"]
        assert half["usd"] == pytest.approx(50 * one["usd"])
        assert line["usd_per_1000"] * ledger.distinct / 1000 == pytest.approx(line["usd"])
        assert one["usd"] == pytest.approx(line["usd_per_1000"] * 860)
    told = [people_line(outcome, contest.owner, contest.victims), *lines, *limit_lines(terms), *frontier(terms)]
    assert sentences(told)[0].startswith("of 150 listeners whose account nobody stole 0 were held")


def test_whoever_takes_the_most_played_first_needs_few_recordings_for_half_of_all_plays(
    both: tuple[Contest, Outcome],
) -> None:
    contest, outcome = both
    lines = strategy_lines(contest.ledgers(), outcome, contest.owner, Terms(Prices(), 40, POLICY, Link.PAYMENT))
    in_order, shuffled = lines[0], lines[3]
    assert in_order["targets"]["half_of_plays_most"]["usd"] < 0.01 * in_order["targets"]["half"]["usd"]
    assert shuffled["targets"]["half_of_plays_least"]["usd"] > 0.99 * shuffled["targets"]["half"]["usd"]
    assert in_order["plays_share"][0] > 10 * shuffled["plays_share"][1]


@pytest.mark.slow
@pytest.mark.parametrize(("again", "found"), [(True, True), (False, False)], ids=["asked again", "given up"])
def test_refusals_by_lot_find_who_asks_for_what_another_was_refused(
    stage: Stage, people: People, *, again: bool, found: bool
) -> None:
    plan = replace(SHUFFLED, accounts=10, per_day=100, retries=again)
    contest = Contest(stage, [plan], Prices(), seed=1)
    rules = Rules(POLICY, people, refusals=Refusals(bytes(16), every_days=5))
    outcome = rehearse(contest, rules, days=QUIET_DAYS + 40, first_day=contest.first_day)
    assert (outcome.on_evidence[contest.owner == 0] > 0).sum() >= 5 if found else contest.ledgers()[0].opened == 10
    line = people_line(outcome, contest.owner, contest.victims)
    assert (line["held"], line["slowed_on_evidence"]) == (0, 0)
    assert line["refused_share"] < 0.02
