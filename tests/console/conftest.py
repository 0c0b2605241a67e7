"""A scan that nobody ran: made-up figures in the shape of real ones, for pages and tables to show."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from riparian.accounts.kinship import RINGS
from riparian.evidence import PACE, PERSON, Claim, Evidence, Row, Source, on_grid
from riparian.flows.found import BY_DAY, EXPOSURE, TIMELINE, Found, Reach
from riparian.gate.decide import Decision, to_table
from riparian.gate.policy import Policy, Restraint, threshold_bits, tolerated
from riparian.schema import DAY_US, JOINED
from tests.console.hostile import made

FIRST_DAY = 20_454
CHANCES = (
    "an account of a declared kind comes this far with a chance of at most 1 in 12,000 (declared; not certified:"
    " no account is known to be honest)"
)
RESTRAINTS = (Restraint.SLOW, Restraint.STEP_UP, Restraint.HOLD)


@dataclass(frozen=True)
class Made:
    """A made-up scan, and the explanations of its strongest accounts."""

    found: Found
    explained: tuple[Evidence, ...] = field(default=())


def code(name: int) -> int:
    """Make a pseudonym's code that looks like one."""
    return (name * 0x9E3779B97F4A7C15 + 0x1234567) % 2**64


def summary(**changed: Any) -> dict[str, Any]:
    """Tell what a scan tells of itself."""
    accounts = changed.get("accounts", 10_003)
    policy = Policy()
    told: dict[str, Any] = {
        "kind": "summary",
        "mode": "shadow",
        "certainty": "declared",
        "version": "0.1.0",
        "accounts": accounts,
        "accesses": 18_412_907,
        "honest": 0,
        "log_start_us": FIRST_DAY * DAY_US + 12_000_000,
        "log_end_us": (FIRST_DAY + 90) * DAY_US - 4_000_000,
        "begun_us": (FIRST_DAY + 90) * DAY_US + 3_600_000_000,
        "ladder": {r.name.lower(): _rung(policy, r, accounts) for r in RESTRAINTS},
    }
    return {**told, **changed}


def _rung(policy: Policy, restraint: Restraint, accounts: int) -> dict[str, Any]:
    wanted = threshold_bits(policy, restraint, accounts)
    return {
        "bits": wanted,
        "wrongful_a_year": tolerated(policy, restraint),
        "declared": 2.0**-wanted,
        "certified": None,
        "honest_above": 0,
        "reachable": True,
    }


def decision(name: int, restraint: Restraint, bits: float, **changed: Any) -> Decision:
    """Decide about one account, with the sentences that the gate would write."""
    wanted = threshold_bits(Policy(), restraint or Restraint.SLOW, 10_003)
    values: dict[str, Any] = {
        "account": code(name),
        "restraint": restraint,
        "because": (
            f"{PERSON.sentence} ({bits:.1f} bits, {wanted:.1f} wanted)",
            CHANCES,
        ),
        "bits": bits,
        "threshold_bits": wanted,
        "declared": 2.0**-bits,
        "certified": None,
        "since_us": (FIRST_DAY + 20) * DAY_US,
        "until_us": (FIRST_DAY + 34) * DAY_US,
        "applied": False,
    }
    return Decision(**{**values, **changed})


def explanation(name: int, rows: Mapping[str, float], claim: Claim = PERSON) -> Evidence:
    """Explain one account."""
    made = tuple(Row(text, on_grid(bits)) for text, bits in rows.items())
    total = sum(row.bits for row in made)
    facts = {
        "days": 61,
        "plays": 12_412,
        "plays_new": 11_960,
        "rows": 0,
        "late": 0,
        "first_us": FIRST_DAY * DAY_US + 7_000_000_000,
        "last_us": (FIRST_DAY + 61) * DAY_US,
        "bits_now": total,
        "bits_by_bet": {"person": on_grid(total + 0.5), "pace": -1.5, "silence": 0.0, "enumeration": 0.0},
    }
    return Evidence(claim, code(name), total, made, (FIRST_DAY + 20) * DAY_US, Source(claim.name, "1/2026.1"), facts)


def _by_day(days: int, rng: np.random.Generator) -> pa.Table:
    n = np.arange(days)
    week = 1 + 0.18 * np.isin((n + FIRST_DAY) % 7, (1, 2, 3))
    accesses = (204_000 * week * rng.normal(1, 0.02, days)).astype(int)
    return pa.table(
        {
            "day": pa.array(n + FIRST_DAY, pa.int32()),
            "accesses": accesses,
            "accounts": (accesses / 31).astype(int),
            "plays": (accesses * 0.83).astype(int),
            "novel": (accesses * (0.12 + 0.3 * np.exp(-n / 9))).astype(int),
            "beyond_budget": np.where(n > 12, (n - 12) * 14, 0),
            "slowed": np.isin(n, (5, 6, 6, 9, 33)) * 1 + (n == 12) * 3,
            "stepped_up": np.isin(n, (7, 10)) * 1,
            "held": np.isin(n, (8, 11, 40)) * 1,
        }
    ).cast(BY_DAY)


def _timeline(accounts: list[tuple[int, float]], days: int, rng: np.random.Generator) -> pa.Table:
    rows = []
    for name, top in accounts:
        grown = np.cumsum(rng.gamma(1.5, 1.0, days) * (rng.random(days) < 0.8))
        path = np.clip(grown / grown[-1] * (top + 3) - 3, 0, None)
        rows += [(code(name), FIRST_DAY + day, float(path[day]), 200, 180, 0, 3 * (day > 12)) for day in range(days)]
    columns = zip(*rows, strict=True)
    return pa.table({name: list(column) for name, column in zip(TIMELINE.names, columns, strict=True)}, TIMELINE)


def _exposure(decisions: list[Decision], rng: np.random.Generator) -> pa.Table:
    rows = []
    for d in decisions:
        novel = int(rng.integers(300, 16_000))
        rows.append(
            {
                "account": d.account,
                "fetches": novel + 412,
                "novel": novel,
                "beyond_budget": max(0, novel - 5600),
                "rows": 0,
                "recordings": novel,
                "catalogue_share": novel / 240_000,
                "plays_share": novel / 52_000,
                "first_us": FIRST_DAY * DAY_US,
                "last_us": (FIRST_DAY + 61) * DAY_US,
                "days": 61,
            }
        )
    return pa.Table.from_pylist(rows, schema=EXPOSURE)


@pytest.fixture
def busy() -> Made:
    """Three months of ten thousand accounts, among them a dozen that take much."""
    rng = np.random.default_rng(7)
    decisions = [
        decision(1, Restraint.HOLD, 118.4, certified=2.0**-13),
        decision(2, Restraint.HOLD, 31.2),
        decision(3, Restraint.HOLD, 14.6, because=(f"{PACE.sentence} (14.6 bits, 12.2 wanted)",)),
        decision(4, Restraint.STEP_UP, 11.7),
        decision(5, Restraint.SLOW, 10.9),
        *(
            decision(
                n,
                Restraint.SLOW,
                3.1,
                because=("asked for 1,412 recordings new to it beyond its novelty budget; arithmetic, no evidence",),
            )
            for n in range(6, 12)
        ),
        decision(12, Restraint.ALLOW, 22.0, because=("exempt until 2026-12-31: partner's quality check",)),
    ]
    lines = [(1, 118.4), (2, 31.2), (3, 14.6), (4, 11.7), (5, 10.9), (6, 3.1), (7, 2.9)]
    found = Found(
        summary=summary(),
        decisions=to_table(decisions),
        evidence=JOINED.empty_table(),
        exposure=_exposure(decisions[:-1], rng),
        by_day=_by_day(90, rng),
        timeline=_timeline(lines, 62, rng),
        rings=RINGS.empty_table(),
        held=Reach(3, 21_540, 0.0897, 0.4142),
        restrained=Reach(11, 48_113, 0.2005, 0.6871),
        everybody=Reach(10_003, 207_316, 0.8638, 0.9971),
        abstained={
            "pace": "the log has no column `media_ms`",
            "silence": "the log has no column `heartbeat`",
        },
        cannot_see=(
            "accounts that share one work queue: nothing here looks at accounts together",
            "the most played core leaving: half of all plays is some 100,000 recordings",
            "copiers slower and less new than the heaviest declared kind of listener",
        ),
        rejected={"`at` is no time": 412, "the line is no JSON object": 3},
        review_minutes_a_day=0.8,
    )
    explained = (
        explanation(
            1,
            {
                "how much it plays": 38.25,
                "how much of that is new to it": 61.5,
                "in which order it meets what is new": 19.162109375,
                "joined with the other bets by a mean fixed beforehand": -0.514572,
            },
        ),
        explanation(
            2,
            {
                "how much it plays": 19.5,
                "how much of that is new to it": 14.25,
                "in which order it meets what is new": -2.0,
                "joined with the other bets by a mean fixed beforehand": -0.515,
            },
        ),
    )
    return Made(found, explained)


@pytest.fixture
def quiet() -> Made:
    """One day, no catalogue, nobody above allow, nothing rejected."""
    rng = np.random.default_rng(8)
    found = Found(
        summary=summary(accounts=214, accesses=4120, log_end_us=FIRST_DAY * DAY_US + 80_000_000_000),
        decisions=to_table([]),
        evidence=JOINED.empty_table(),
        exposure=EXPOSURE.empty_table(),
        by_day=_by_day(1, rng),
        timeline=TIMELINE.empty_table(),
        rings=RINGS.empty_table(),
        held=Reach(0, 0, None, None),
        restrained=Reach(0, 0, None, None),
        everybody=Reach(214, 3012, None, None),
        abstained={"order": "no catalogue with popularity was given"},
        cannot_see=("whoever waits for longer than a day",),
    )
    return Made(found)


@pytest.fixture
def nothing() -> Made:
    """Files in which nothing could be read."""
    found = Found(
        summary=summary(accounts=0, accesses=0, log_start_us=0, log_end_us=0),
        decisions=to_table([]),
        evidence=JOINED.empty_table(),
        exposure=EXPOSURE.empty_table(),
        by_day=BY_DAY.empty_table(),
        timeline=TIMELINE.empty_table(),
        rings=RINGS.empty_table(),
        held=Reach(0, 0, None, None),
        restrained=Reach(0, 0, None, None),
        everybody=Reach(0, 0, None, None),
    )
    return Made(found)


@pytest.fixture
def explanation_of() -> Callable[..., Evidence]:
    """Hand out the maker of explanations."""
    return explanation


@pytest.fixture
def decision_of() -> Callable[..., Decision]:
    """Hand out the maker of decisions."""
    return decision


@pytest.fixture(scope="session")
def town(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Hand out a workspace of a town that is named to do harm."""
    return made(tmp_path_factory.mktemp("hostile"))
