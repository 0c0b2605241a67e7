"""What did an exercise come to: for each copier, for people, and beside a plain limit?

Lines are plain objects, one JSON object each with its ``kind``:

``people``    listeners of the town: how many were held, slowed on evidence, slowed by a budget, framed
``strategy``  one copier: accounts, recordings, money, and what each target costs at its rate
``limit``     a limit of 500 plays a day, for each kind of account: what the same targets cost there
``best``      the cheapest plan that a search found, rehearsed with everybody else
``policy``    a point of the picture: what 1 % of the catalogue costs at a refill of the novelty budget

Money is compared per thousand different recordings (``usd_per_1000``).  ``times_limit`` says how many times as much as
under the limit the same copier pays: accounts of the same kind, with as much in common, kept there for as long as
pays best.  ``times_best_limit`` compares with the cheapest way under the limit, whatever the kind, sharing at will.
"""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from riparian.flows.exercise import Outcome
from riparian.gate import economics
from riparian.gate.economics import ALONE, CATALOGUE, LAWS, WIDEST, Kind, Ledger, Link, Prices, Shared
from riparian.gate.policy import Policy, Restraint

LIMIT_PER_DAY: Final = 500
"""The house rule that everything is compared with: so many plays a day, and nothing else."""
TARGETS: Final[Mapping[str, float]] = {"one_percent": 0.01, "half": 0.5, "everything": 1.0}
"""Shares of the 86 million recordings; all of them are 99.6 % of plays."""
PER_DAY: Final = (5, 10, 15, 20, 30, 40, 60, 80, 120, 160)

Line = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Terms:
    """On which terms is compared: prices, how long the copiers had, and what made accounts share a budget."""

    prices: Prices
    days: int
    policy: Policy
    link: Link


def limit_lines(terms: Terms, *, per_day: float = LIMIT_PER_DAY, shared: Shared = WIDEST) -> list[Line]:
    """Tell what targets cost under a limit on plays a day, by formula: nobody is ever held there.

    Parameters
    ----------
    terms
        Prices, and how long the copiers have.
    per_day
        The limit.
    shared
        What the copier's accounts have in common: at will, since nothing joins them there.

    Examples
    --------
    >>> lines = limit_lines(Terms(Prices(), 365, Policy(), Link.PAYMENT))
    >>> [(line["accounts_are"], line["days"], round(line["usd_per_1000"], 3)) for line in lines]
    [('free', 365, 0.001), ('trial', 30, 0.028), ('paid', 360, 0.736), ('stolen', 14, 0.429)]
    """
    lines = []
    for kind in Kind:
        days, cost = economics.cheapest(
            terms.prices, kind, lambda days: economics.by_limit(per_day, days), shared=shared, most_days=terms.days
        )
        wanted = {name: share * CATALOGUE for name, share in TARGETS.items()}
        bills = {name: _bill(n, economics.by_limit(per_day, days), days, cost) for name, n in wanted.items()}
        line = {"kind": "limit", "accounts_are": str(kind), "per_day": per_day, "days": days}
        lines.append({**line, "usd_per_1000": 1000 * cost, "targets": bills})
    return lines


def _bill(recordings: float, yields: float, days: int, cost: float) -> Line:
    accounts = recordings / yields
    return {"accounts": accounts, "account_years": accounts * days / 365, "usd": recordings * cost}


def strategy_lines(
    ledgers: Sequence[Ledger], outcome: Outcome, owner: npt.NDArray[np.int64], terms: Terms
) -> list[Line]:
    """Tell what each copier got, what was done about its accounts, and what it paid.

    Parameters
    ----------
    ledgers
        One a copier, in the order of their numbers.
    outcome
        Of the exercise.
    owner
        Whose each account is or was [shape=(accounts,)]; -1 for listeners.
    terms
        Prices, and how long they had.
    """
    best_limit = min(line["usd_per_1000"] for line in limit_lines(terms))
    lines = []
    for number, ledger in enumerate(ledgers):
        mine = owner == number
        limits = {line["accounts_are"]: line["usd_per_1000"] for line in limit_lines(terms, shared=ledger.shared)}
        paid = economics.money(ledger, terms.prices)
        each = 1000 * paid / ledger.distinct if ledger.distinct else math.inf
        lines.append(
            {
                "kind": "strategy",
                "strategy": ledger.name,
                "accounts_are": str(ledger.kind),
                "opened": ledger.opened,
                "account_years": ledger.account_days / 365,
                "days_an_account": ledger.account_days / max(ledger.opened, 1),
                "held": int((outcome.restraint[mine] == Restraint.HOLD).sum()),
                "on_evidence": int((outcome.on_evidence[mine] > 0).sum()),
                "fetched": ledger.fetched,
                "recordings": ledger.distinct,
                "unmarked": ledger.unmarked,
                "plays_share": list(ledger.plays_share),
                "usd": paid,
                "usd_per_1000": each,
                "times_limit": each / limits[ledger.kind],
                "times_best_limit": each / best_limit,
                "targets": _targets(ledger, terms.prices),
            }
        )
    return lines


def _targets(ledger: Ledger, prices: Prices) -> Line:
    wanted = {name: share * CATALOGUE for name, share in TARGETS.items()}
    # Whoever takes the most played first needs few recordings for half of all plays; whoever does not, nearly half.
    half = [economics.most_played(0.5, law) for law in LAWS] if ledger.in_order else [0.5 * CATALOGUE / 0.996]
    wanted |= {"half_of_plays_least": min(half), "half_of_plays_most": max(half)}
    bills = {name: economics.scaled(ledger, prices, n) for name, n in wanted.items()}
    return {
        name: {"accounts": b.accounts, "account_years": b.account_years, "usd": b.money} for name, b in bills.items()
    }


def people_line(outcome: Outcome, owner: npt.NDArray[np.int64], victims: npt.NDArray[np.int64]) -> Line:
    """Tell what the policy did to listeners, those who were framed among them."""
    listener = owner < 0
    victim = np.isin(np.arange(len(owner)), victims) & listener
    slowed = outcome.restraint[listener] > 0
    return {
        "kind": "people",
        "listeners": int(listener.sum()),
        "held": int((outcome.restraint[listener] == Restraint.HOLD).sum()),
        "slowed_on_evidence": int((outcome.on_evidence[listener] > 0).sum()),
        "slowed_by_budget": int((slowed & (outcome.on_evidence[listener] == 0)).sum()),
        "refused_share": float(outcome.refused[listener].sum() / max(outcome.asked[listener].sum(), 1)),
        "most_bits": float(outcome.bits[listener].max(initial=0.0)),
        "framed": int(victim.sum()),
        "framed_restrained": int((outcome.on_evidence[victim] > 0).sum()),
    }


def best_line(plan: Mapping[str, Any], found_usd_per_1000: float, rehearsed: Line, tried: int) -> Line:
    """Tell the cheapest plan that a search found, and what it cost when rehearsed with everybody else."""
    return {
        "kind": "best",
        "plan": dict(plan),
        "plans_tried": tried,
        "usd_per_1000_searched": found_usd_per_1000,
        **{name: value for name, value in rehearsed.items() if name not in ("kind", "strategy")},
    }


def frontier(terms: Terms, *, shared: Shared = ALONE) -> list[Line]:
    """Draw by formula what 1 % of the catalogue costs, against how fast the novelty budget grows back.

    Parameters
    ----------
    terms
        All of the policy but ``novelty_per_day`` stays as it is.
    shared
        What a copier's accounts have in common.

    Returns
    -------
    list
        One line for each kind of account and refill, and one for each kind under the limit (``per_day`` None).

    Examples
    --------
    >>> lines = frontier(Terms(Prices(), 365, Policy(), Link.PAYMENT))
    >>> free = {line["per_day"]: line["usd"] for line in lines if line["accounts_are"] == "free"}
    >>> free[20] > free[40] > free[160] > free[None]
    True
    """
    wanted = TARGETS["one_percent"] * CATALOGUE
    points: list[tuple[Kind, int | None, int, float]] = []
    for kind in Kind:
        for per_day in PER_DAY:
            policy = replace(terms.policy, novelty_per_day=per_day)
            yields = _yields(policy, kind, shared, terms.link)
            best = economics.cheapest(terms.prices, kind, yields, shared=shared, most_days=terms.days)
            points.append((kind, per_day, *best))
        limit = economics.cheapest(
            terms.prices,
            kind,
            lambda days: economics.by_limit(LIMIT_PER_DAY, days),
            shared=shared,
            most_days=terms.days,
        )
        points.append((kind, None, *limit))
    return [
        {"kind": "policy", "accounts_are": str(kind), "per_day": per_day, "days": days, "usd": cost * wanted}
        for kind, per_day, days, cost in points
    ]


def _yields(policy: Policy, kind: Kind, shared: Shared, link: Link) -> Callable[[int], float]:
    return lambda days: economics.per_account(policy, days, kind, shared, link=link)


def name_of(line: Mapping[str, Any]) -> str:
    """Name the copier of a line."""
    return str(line["plan"]["name"] if line["kind"] == "best" else line["strategy"])


def sentences(told: Sequence[Mapping[str, Any]]) -> list[str]:
    """Say what an exercise came to, for people."""
    people = next(line for line in told if line["kind"] == "people")
    limits = [line for line in told if line["kind"] == "limit"]
    copiers = [line for line in told if line["kind"] in ("strategy", "best")]
    cheapest = min(copiers, key=lambda line: line["usd_per_1000"])
    plain = min(limits, key=lambda line: line["usd_per_1000"])
    close = min(copiers, key=lambda line: line["times_limit"])
    done_to = (
        f"of {people['listeners']:,} listeners whose account nobody stole {people['held']:,} were held,"
        f" {people['slowed_on_evidence']:,} slowed on"
        f" evidence, {people['slowed_by_budget']:,} slowed by a budget ({people['refused_share']:.3%} of what was new"
        f" to them refused); of {people['framed']:,} who were framed {people['framed_restrained']:,} restrained on"
        " evidence"
    )
    price = (
        f"the cheapest way is `{name_of(cheapest)}`, {cheapest['usd_per_1000']:,.3f} USD a thousand recordings:"
        f" {cheapest['times_best_limit']:.1f} times the cheapest under a limit of {plain['per_day']:g} a day"
        f" ({plain['usd_per_1000']:,.3f}, {plain['accounts_are']})"
    )
    nearest = (
        f"nearest to the limit with accounts of its own kind comes `{name_of(close)}`: {close['times_limit']:.1f} times"
    )
    return [done_to, price, nearest]
