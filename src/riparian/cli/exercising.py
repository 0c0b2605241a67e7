"""An exercise put together: a town that answers back, the policy that it meets, and a search for the cheapest plan."""

import hashlib
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any, Final

import numpy as np

from riparian.accounts.people import People
from riparian.flows.exercise import Kinship, Outcome, Progress, Refusals, Rules, rehearse
from riparian.flows.reckoning import (
    Line,
    Terms,
    best_line,
    frontier,
    limit_lines,
    people_line,
    strategy_lines,
)
from riparian.gate.economics import money
from riparian.gate.policy import Mode
from riparian.sim.contest import QUIET_DAYS, Contest
from riparian.sim.events import Stage, set_stage
from riparian.sim.exercises import Exercise
from riparian.sim.strategies import Strategy, finalists, search
from riparian.sim.streams import stream
from riparian.sim.town import TownSpec

HEAD: Final = 120_000
"""Recordings of the town's shelf, which is the head of the catalogue."""
SEARCHED_ACCOUNTS: Final = 4
"""Accounts of a plan while it is searched for: what one yields by itself hardly depends on how many there are."""
SEARCHED_DAYS: Final = 180
"""Days for which a plan is tried at most while it is searched for."""
FOUND_ACCOUNTS: Final = 10
"""Accounts of a plan that was found, when it is rehearsed with everybody else."""


@dataclass(frozen=True, slots=True)
class Rehearsed:
    """What came of an exercise: the lines that are told, and the state that they were made from."""

    lines: list[Line]
    contest: Contest
    outcome: Outcome


def run(exercise: Exercise, people: People, *, seed: int, plans: int, progress: Progress) -> Rehearsed:
    """Search for the cheapest plans, rehearse them with all strategies in one town, and reckon.

    Parameters
    ----------
    exercise
        Who, how long, and against what.
    people
        Whom the bets are placed against.
    seed
        Same seed, same exercise.
    plans
        Plans that the search may try; 0 for no search.
    progress
        Is told how far it is.
    """
    tried = _searched(exercise, people, seed=seed, plans=plans, progress=progress) if plans else {}
    found = finalists(tried)
    named = [replace(plan, name=f"found: {plan.kind}, {plan.order}", accounts=FOUND_ACCOUNTS) for plan in found]
    progress("drawing people", 0, None)
    stage = set_stage(TownSpec(exercise.listeners, QUIET_DAYS + exercise.days, seed, recordings=HEAD))
    strategies = (*exercise.strategies, *named)
    contest, outcome = _round(exercise, people, stage, strategies, seed=seed, progress=progress)
    terms = Terms(exercise.prices, exercise.days, exercise.policy, exercise.link)
    told = strategy_lines(contest.ledgers(), outcome, contest.owner, terms)
    given, searched = told[: len(exercise.strategies)], told[len(exercise.strategies) :]
    best = [
        best_line(_facts(plan), tried[bare], line, len(tried))
        for bare, plan, line in zip(found, named, searched, strict=True)
    ]
    people_told = people_line(outcome, contest.owner, contest.victims)
    return Rehearsed([people_told, *given, *best, *limit_lines(terms), *frontier(terms)], contest, outcome)


def _round(
    exercise: Exercise,
    people: People,
    stage: Stage,
    strategies: Sequence[Strategy],
    *,
    seed: int,
    progress: Progress | None,
    ring: bool = True,
) -> tuple[Contest, Outcome]:
    contest = Contest(stage, strategies, exercise.prices, seed=seed)
    # What is rehearsed is a policy in force.
    policy = replace(exercise.policy, mode=Mode.ENFORCE)
    sources = (Kinship(contest.cells(), accounts=policy.accounts),) if exercise.kinship and ring else ()
    secret = hashlib.blake2b(b"exercise %d" % seed, digest_size=16).digest()
    rules = Rules(policy, people, exercise.link, sources, Refusals(secret) if exercise.refusals and ring else None)
    days = QUIET_DAYS + exercise.days
    return contest, rehearse(contest, rules, days=days, first_day=contest.first_day, progress=progress)


def _searched(
    exercise: Exercise, people: People, *, seed: int, plans: int, progress: Progress
) -> dict[Strategy, float]:
    # One listener is enough: a copier's cost depends on the policy and on what is declared, not on the neighbours.
    exercise = replace(exercise, days=min(exercise.days, SEARCHED_DAYS))
    stage = set_stage(TownSpec(1, QUIET_DAYS + exercise.days, seed, recordings=HEAD))

    def evaluate(drawn: Sequence[Strategy]) -> list[float]:
        few = [replace(plan, accounts=SEARCHED_ACCOUNTS) for plan in drawn]
        contest, _ = _round(exercise, people, stage, few, seed=seed, progress=None, ring=False)
        return [
            1000 * money(ledger, exercise.prices) / ledger.distinct if ledger.distinct else np.inf
            for ledger in contest.ledgers()
        ]

    progress("trying plans", 0, plans)
    rng = stream(seed, "exercise/search")
    start = [plan for plan in exercise.strategies if not plan.explorers]
    return search(evaluate, rng, budget=plans, start=start, told=lambda n: progress("trying plans", n, plans))


def _facts(plan: Strategy) -> dict[str, Any]:
    return {name: str(value) if name == "kind" else value for name, value in asdict(plan).items() if name != "why"}
