"""Copiers that adapt: what they do when they are slowed or held, and what they fetch."""

import numpy as np
import pytest

from riparian.errors import InputError, PolicyError
from riparian.gate.economics import Kind, Prices
from riparian.gate.policy import Restraint
from riparian.ports import Asked, Told
from riparian.sim.campaigns import Head, ranks_of
from riparian.sim.contest import QUIET_DAYS, Contest
from riparian.sim.events import Stage, set_stage
from riparian.sim.exercises import parse_exercise
from riparian.sim.strategies import BUILT_IN, ORDERS, Strategy, View, finalists, parse_strategy, search
from riparian.sim.town import TownSpec

DAYS = QUIET_DAYS + 12


@pytest.fixture(scope="module")
def stage() -> Stage:
    return set_stage(TownSpec(listeners=60, days=DAYS, recordings=30_000))


def contest(stage: Stage, *strategies: Strategy, seed: int = 1) -> Contest:
    return Contest(stage, strategies, Prices(), seed=seed)


def lived(town: Contest, *, refuse_after: int | None = None) -> list[Asked]:
    """Live all days; each account is refused what it asks for beyond so many recordings a day."""
    asked, told = [], None
    for day in range(DAYS):
        today = town.live(day, told)
        nth = np.zeros(len(today.slot), np.int64)
        for slot in np.unique(today.slot):
            mine = today.slot == slot
            nth[mine] = np.arange(mine.sum())
        refused = nth >= refuse_after if refuse_after is not None else np.zeros(len(nth), bool)
        told = Told(refused, np.zeros(len(town.accounts()["account"]), np.uint8))
        asked.append(today)
    assert told is not None
    town.end(told)
    return asked


def view(**given: object) -> View:
    shape = {"age_days": 1, "asked": 100, "served": 100, "restraint": 0, "slowed": 0, "pace": 100.0} | given
    kinds = {"restraint": np.uint8, "pace": np.float64}
    return View(**{name: np.array([value], kinds.get(name, np.int64)) for name, value in shape.items()})


SLOW, HOLD = Restraint.SLOW, Restraint.HOLD
ANSWERED = {
    "who is refused asks for what it got": ("press", {"served": 40}, (40.0, False)),
    "who is refused nothing asks for more": ("press", {"pace": 30.0}, (61.0, False)),
    "nobody asks for more than planned": ("press", {}, (100.0, False)),
    "who presses on does so when slowed": ("press", {"restraint": SLOW, "slowed": 1}, (100.0, False)),
    "who slows down halves its pace for good": ("slower", {"slowed": 2}, (25.0, False)),
    "who waits asks for nothing": ("wait", {"restraint": SLOW}, (0.0, False)),
    "who waited goes on afterwards": ("wait", {"pace": 0.0}, (100.0, False)),
    "who leaves leaves": ("leave", {"restraint": SLOW}, (None, True)),
    "a held account is left": ("press", {"restraint": HOLD}, (None, True)),
    "but not by who waits": ("wait", {"restraint": HOLD}, (0.0, False)),
    "an old account is left": ("press", {"age_days": 30}, (None, True)),
}


@pytest.mark.parametrize(("answer", "seen", "wanted"), ANSWERED.values(), ids=ANSWERED.keys())
def test_a_strategy_answers_what_it_sees(
    answer: str, seen: dict[str, object], wanted: tuple[float | None, bool]
) -> None:
    actions = Strategy("s", accounts=1, per_day=100, answer=answer, lifetime_days=30).act(view(**seen))
    pace, leaves = wanted
    assert bool(actions.leave[0]) is leaves
    assert actions.open == int(leaves)
    assert pace is None or actions.pace[0] == pace


@pytest.mark.parametrize("order", [o for o in ORDERS if o != "frame"])
def test_no_list_names_a_recording_twice(stage: Stage, order: str) -> None:
    ranks = ranks_of(np.arange(60_000), order, Head.of(stage.shelf), 12_345)
    assert len(np.unique(ranks)) == len(ranks)
    assert ranks.min() >= 0
    assert ranks.max() < 86_000_000


@pytest.mark.parametrize("order", [o for o in ORDERS if o != "frame"])
def test_accounts_of_a_list_share_it_and_refused_recordings_are_asked_for_again(stage: Stage, order: str) -> None:
    town = contest(stage, Strategy("s", accounts=3, per_day=80, order=order))
    lived(town, refuse_after=50)
    ledger = town.ledgers()[0]
    assert ledger.fetched == ledger.distinct > 0
    if order == "queue":
        assert np.array_equal(town.campaigns[0]._got[0][: ledger.distinct // 2], np.arange(ledger.distinct // 2))


def test_duplicates_are_the_share_that_was_asked_for(stage: Stage) -> None:
    town = contest(stage, Strategy("s", accounts=5, per_day=200, duplicates=0.3))
    lived(town)
    ledger = town.ledgers()[0]
    assert ledger.distinct / ledger.fetched == pytest.approx(0.7, abs=0.03)


def test_replays_are_the_share_that_was_asked_for(stage: Stage) -> None:
    town = contest(stage, Strategy("s", accounts=5, per_day=100, mimicry=0.5, lifelike=True))
    rows = np.concatenate([day.days[day.days["slot"] >= 60] for day in lived(town)])
    assert rows["novel"].sum() / rows["plays"].sum() == pytest.approx(0.5, abs=0.1)
    assert (rows["ascents"] <= rows["pairs"]).all()


def test_one_seed_repeats_and_another_copier_disturbs_nobody(stage: Stage) -> None:
    one, other = Strategy("one", lifelike=True), Strategy("other", order="shuffled")
    alone, crowd = (lived(contest(stage, *s)) for s in ((one,), (one, other)))
    for few, many in zip(alone, crowd, strict=True):
        assert np.array_equal(few.days[few.days["slot"] < 70], many.days[many.days["slot"] < 70])


def test_listeners_do_as_they_always_do(stage: Stage) -> None:
    rows = np.concatenate([day.days for day in lived(contest(stage, Strategy("s")))])
    mine = rows[rows["slot"] < 60]
    assert mine["plays"].sum() == stage.days.plays.sum()
    assert mine["novel"].sum() == stage.days.novel.sum()


def test_the_owner_of_a_stolen_account_plays_on(stage: Stage) -> None:
    town = contest(stage, Strategy("s", kind=Kind.STOLEN, accounts=2, per_day=300))
    days = lived(town)
    robbed = np.flatnonzero(town.owner[:60] == 0)
    assert len(robbed)
    rows = np.concatenate([day.days[np.isin(day.days["slot"], robbed)] for day in days])
    assert len(rows) == len(np.unique(rows[["slot", "day"]]))
    theirs = stage.days.plays[np.isin(stage.days.account, robbed)].sum()
    assert rows["plays"].sum() > theirs + 1_000


def test_who_frames_a_listener_never_has_what_the_listener_has(stage: Stage) -> None:
    town = contest(stage, Strategy("s", kind=Kind.FREE, accounts=3, per_day=40, order="frame"))
    days = lived(town)
    assert len(town.victims)
    assert town.ledgers()[0].fetched > 0
    for slot, victim in town._victim.items():
        mine, theirs = set[int](), set[int]()
        for day in days:
            fresh = set(day.recording[day.slot == slot].tolist())
            assert not fresh & theirs
            theirs |= set(day.recording[day.slot == victim].tolist())
            mine |= fresh
        assert mine


def test_accounts_are_paid_for_and_share_what_they_share(stage: Stage) -> None:
    shares = Strategy("s", accounts=6, lifetime_days=4, per_card=3, per_device=2, per_cohort=6)
    town = contest(stage, shares, Strategy("free", kind=Kind.FREE, accounts=2))
    lived(town)
    paid, free = town.ledgers()
    assert paid.opened == 18
    assert (paid.cards, paid.devices, paid.cohorts, paid.months) == (6, 9, 3, 18)
    assert paid.account_days == 6 * 12
    assert (free.cards, free.months) == (0, 0)
    accounts = town.accounts()
    mine = town.owner == 0
    assert [len(np.unique(accounts[name][mine])) for name in ("card", "device", "cohort")] == [6, 9, 3]


def test_every_built_in_strategy_has_a_name_and_a_hope_of_its_own() -> None:
    assert len({s.name for s in BUILT_IN}) == len({s.why for s in BUILT_IN}) == len(BUILT_IN)
    assert {s.order for s in BUILT_IN} == set(ORDERS)
    assert {s.kind for s in BUILT_IN} == set(Kind)


def test_a_search_ends_near_the_best_and_keeps_a_plan_that_shuffles() -> None:
    def cost(plans: object) -> list[float]:
        return [abs(p.per_day - 90) + p.mimicry + (p.order == "shuffled") for p in plans]  # type: ignore[attr-defined]

    tried = search(cost, np.random.default_rng(1), budget=200)
    assert len(tried) == 200
    best = finalists(tried)
    assert len(best) == 2 * len(Kind)
    assert sum(plan.order == "shuffled" for plan in best) == len(Kind)
    assert min(tried.values()) < 1


BROKEN = {
    "a strategy without a name": ({"strategy": [{"per_day": 3}]}, InputError, "without a `name`"),
    "a strategy with an unknown key": ({"strategy": [{"name": "a", "speed": 3}]}, InputError, "`speed`"),
    "a pace that is a word": ({"strategy": [{"name": "a", "per_day": "fast"}]}, InputError, "`per_day`"),
    "an unknown order": ({"strategy": [{"name": "a", "order": "zigzag"}]}, InputError, "`zigzag`"),
    "an unknown kind": ({"strategy": [{"name": "a", "kind": "gift"}]}, InputError, "`gift`"),
    "replays only": ({"strategy": [{"name": "a", "mimicry": 1.0}]}, InputError, "`mimicry`"),
    "a strategy that does not ship": ({"strategies": ["none"]}, InputError, "`none`"),
    "strategies that are no list": ({"strategies": "bulk"}, PolicyError, "`strategies`"),
    "an unknown key": ({"lissteners": 3}, PolicyError, "`lissteners`"),
    "days that are no number": ({"days": "many"}, PolicyError, "`days`"),
    "no days": ({"days": 0}, InputError, "0 days"),
    "an unknown price": ({"prices": {"gold": 3}}, PolicyError, "`gold`"),
    "a price that is a word": ({"prices": {"month": "dear"}}, PolicyError, "`month`"),
    "a price below nothing": ({"prices": {"month": -1}}, PolicyError, "`month`"),
    "an unknown link": ({"link": "blood"}, PolicyError, "`blood`"),
    "an unknown key of the policy": ({"policy": {"novelty": 3}}, PolicyError, "`novelty`"),
    "a policy that is no table": ({"policy": 3}, PolicyError, "`policy`"),
    "kinship that is a word": ({"kinship": "yes"}, PolicyError, "`kinship`"),
}


@pytest.mark.parametrize(("file", "error", "says"), BROKEN.values(), ids=BROKEN.keys())
def test_an_exercise_file_that_is_wrong_is_refused(file: dict[str, object], error: type, says: str) -> None:
    with pytest.raises(error, match=says):
        parse_exercise(file, name="x")


def test_a_strategy_reads_what_it_writes() -> None:
    assert parse_strategy({"name": "a", "kind": "trial", "lifelike": True, "per_card": 6}) == Strategy(
        "a", kind=Kind.TRIAL, lifelike=True, per_card=6
    )
