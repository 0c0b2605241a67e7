"""The exercise in full: every built-in strategy and a search, half a year long, beside a limit of 500 plays a day.

Five tables.  ``exercise.csv``: what each strategy got and paid under the default policy, ten accounts at a
time, among 1,000 listeners, and the cheapest plans that a search found.  ``exercise_people.csv``: what that did to the
listeners.  ``exercise_policies.csv``: by formula, how many times as much as under the limit the cheapest plan of each
kind of account costs, for copiers that no statistic sees, under other policies and for shorter campaigns; and what
each policy does to listeners, rehearsed.  ``exercise_links.csv``: what it buys to join new accounts by payment, device
and sign-up, by formula and rehearsed.  ``exercise_refusals.csv``: what refusals by lot do to copiers who shuffle.
"""

from collections.abc import Iterator
from dataclasses import replace
from itertools import product
from pathlib import Path

from measure import options, people, write

from riparian.accounts.people import People
from riparian.cli.exercising import run
from riparian.flows.reckoning import LIMIT_PER_DAY, TARGETS, Line, name_of
from riparian.gate import economics
from riparian.gate.economics import CATALOGUE, Kind, Link, Prices, Shared
from riparian.gate.policy import Policy
from riparian.sim.exercises import ACCOUNTS, Exercise
from riparian.sim.strategies import Strategy

SHARINGS = (Shared(), Shared(6, 6, 6), Shared(12, 12, 24))
COMMON = {
    "nothing": Shared(),
    "six of everything": Shared(6, 6, 6),
    "sixty of everything": Shared(60, 60, 60),
    "a card each, sixty a device": Shared(1, 60, 60),
    "sixty a sign-up, all else their own": Shared(1, 1, 60),
}
DEFAULT = Policy(accounts=ACCOUNTS)
POLICIES = {
    "as shipped": DEFAULT,
    "refill 20 a day": replace(DEFAULT, novelty_per_day=20),
    "burst 1,000": replace(DEFAULT, novelty_burst=1000),
    "burst 1,000, refill 20 a day": replace(DEFAULT, novelty_burst=1000, novelty_per_day=20),
    "burst 500": replace(DEFAULT, novelty_burst=500),
    "burst 500, refill 15 a day": replace(DEFAULT, novelty_burst=500, novelty_per_day=15),
}
PATIENT = Strategy("one patient account", accounts=1, per_day=20, order="shuffled", mimicry=0.5)


def main() -> None:
    """Fill the tables."""
    given = options(__doc__, days=180, listeners=1000, plans=140, people_days=90, seed=1)
    declared = people()
    out: Path | None = given.out
    write(
        policies(declared, given.listeners, given.people_days, given.seed),
        _beside(out, "policies"),
        "exercise_policies",
    )
    write(links(declared, given.seed), _beside(out, "links"), "exercise_links")
    write(refusals(declared, given.seed), _beside(out, "refusals"), "exercise_refusals")
    exercise = Exercise("default", listeners=given.listeners, days=given.days)
    done = run(exercise, declared, seed=given.seed, plans=given.plans, progress=_said)
    write(strategies(done.lines), _beside(out, "strategies"), "exercise")
    write(
        [{**line, "days": given.days} for line in done.lines if line["kind"] == "people"],
        _beside(out, "people"),
        "exercise_people",
    )


def _beside(out: Path | None, name: str) -> Path | None:
    return None if out is None else out.with_name(f"{out.stem}_{name}.csv")


def _said(stage: str, done: int, total: int | None) -> None:
    if done % 20 == 0:
        print(stage, done, total, flush=True)


def strategies(lines: list[Line]) -> Iterator[Line]:
    """Flatten what copiers got and paid."""
    for line in lines:
        if line["kind"] == "limit":
            yield _row(f"limit of {line['per_day']:g} a day", line, line["targets"])
    for line in lines:
        if line["kind"] in ("strategy", "best"):
            yield _row(name_of(line), line, line["targets"])


def _row(name: str, line: Line, targets: Line) -> Line:
    low, high = line.get("plays_share", ("", ""))
    half = [targets[f"half_of_plays_{end}"]["usd"] for end in ("least", "most") if f"half_of_plays_{end}" in targets]
    plan = line.get("plan", {})
    return {
        "strategy": name,
        "accounts_are": line["accounts_are"],
        "plan": _said_of(plan),
        "opened": line.get("opened", ""),
        "held": line.get("held", ""),
        "days_an_account": round(float(line["days_an_account"] if "days_an_account" in line else line["days"]), 1),
        "recordings": line.get("recordings", ""),
        "unmarked": line.get("unmarked", ""),
        "plays_share": f"{low:.1%} to {high:.1%}" if low != "" else "",
        "usd_per_1000": f"{line['usd_per_1000']:.4f}",
        "times_limit": f"{line['times_limit']:.1f}" if "times_limit" in line else "",
        "times_best_limit": f"{line['times_best_limit']:.1f}" if "times_best_limit" in line else "",
        **{f"usd_{target}": round(targets[target]["usd"]) for target in TARGETS},
        **{f"years_{target}": round(targets[target]["account_years"]) for target in TARGETS},
        "accounts_everything": round(targets["everything"]["accounts"]),
        "usd_half_of_plays": " to ".join(f"{usd:,.0f}" for usd in dict.fromkeys(half)),
    }


def _said_of(plan: Line) -> str:
    if not plan:
        return ""
    return (
        f"{plan['per_day']:g} a day for {plan['lifetime_days']} days, {plan['mimicry']:.0%} replays,"
        f" {plan['duplicates']:.0%} duplicates, {'varies as a person does' if plan['lifelike'] else 'even'},"
        f" when slowed {plan['answer']}, {plan['per_card']} a card, {plan['per_device']} a device"
    )


def cheapest(policy: Policy | None, kind: Kind, link: Link, days: int) -> float:
    """Tell what a recording costs whoever chooses how long to keep accounts and how much they share, USD.

    Parameters
    ----------
    policy
        None for the limit.
    kind, link
        Of the accounts.
    days
        How long the campaign lasts.
    """
    costs = []
    for shared in SHARINGS:

        def yields(kept: int, shared: Shared = shared) -> float:
            if policy is None:
                return economics.by_limit(LIMIT_PER_DAY, kept)
            return economics.per_account(policy, kept, kind, shared, link=link)

        costs.append(economics.cheapest(Prices(), kind, yields, shared=shared, most_days=days)[1])
    return min(costs)


def policies(declared: People, listeners: int, days: int, seed: int) -> list[Line]:
    """Compare policies and lengths of campaigns."""
    rows = []
    for (name, policy), horizon in product(POLICIES.items(), (365, 90, 30)):
        if horizon != 365 and policy is not DEFAULT:
            continue
        line: Line = {"policy": name, "campaign_days": horizon}
        best = {kind: cheapest(policy, kind, Link.PAYMENT, horizon) for kind in Kind}
        limit = {kind: cheapest(None, kind, Link.PAYMENT, horizon) for kind in Kind}
        line |= {f"times_{kind}": round(best[kind] / limit[kind], 1) for kind in Kind}
        line |= {"times_best": round(min(best.values()) / min(limit.values()), 1)}
        line |= {f"usd_one_percent_{kind}": round(best[kind] * TARGETS["one_percent"] * CATALOGUE) for kind in Kind}
        if horizon == 365:
            exercise = Exercise(
                name, listeners=listeners, days=days, policy=policy, strategies=(PATIENT,), kinship=False
            )
            met = run(exercise, declared, seed=seed, plans=0, progress=_said).lines[0]
            slowed = met["slowed_by_budget"] / met["listeners"]
            line |= {"listeners_slowed": f"{slowed:.2%}", "refused": f"{met['refused_share']:.3%}", "held": met["held"]}
        else:
            line |= {"listeners_slowed": "", "refused": "", "held": ""}
        rows.append(line)
    return rows


def links(declared: People, seed: int, kinds: tuple[Kind, ...] = (Kind.FREE, Kind.TRIAL, Kind.PAID)) -> list[Line]:
    """Tell what joining new accounts buys, when copiers let theirs have things in common."""
    rows = []
    for kind, (name, shared) in product(kinds, COMMON.items()):
        together = max(shared.card, shared.device, shared.cohort)
        plan = Strategy(
            name, kind=kind, accounts=max(together, 6), per_day=1000, order="shuffled", mimicry=0.25, lifetime_days=30,
            per_card=shared.card, per_device=shared.device, per_cohort=shared.cohort,
        )  # fmt: skip
        row: Line = {"accounts_are": str(kind), "common": name}
        for link in (Link.NONE, Link.PAYMENT, Link.ANY):
            cost = economics.price(Prices(), kind, 30, shared)
            row[f"formula_{link}"] = f"{1000 * cost / economics.per_account(DEFAULT, 30, kind, shared, link=link):.3f}"
            exercise = Exercise("links", listeners=1, days=30, link=link, strategies=(plan,), kinship=False)
            met = run(exercise, declared, seed=seed, plans=0, progress=_said).lines[1]
            row[f"rehearsed_{link}"] = f"{met['usd_per_1000']:.3f}"
        rows.append(row)
    return rows


def refusals(declared: People, seed: int, days: int = 60) -> list[Line]:
    """Tell what refusals by lot do to copiers who shuffle: those who ask again, and those who give up."""
    even = Strategy("even", per_day=100, order="shuffled", mimicry=0.25)
    varied = replace(even, name="varies as a person does", per_day=60, lifelike=True)
    plans = [
        replace(plan, name=f"{plan.name}, {what}", retries=again)
        for plan in (even, varied)
        for again, what in ((True, "another account asks again"), (False, "what is refused is given up"))
    ]
    rows: list[Line] = [{"strategy": plan.name} for plan in plans]
    for on in (False, True):
        exercise = Exercise("refusals", listeners=200, days=days, strategies=tuple(plans), kinship=False, refusals=on)
        people_line, *told = run(exercise, declared, seed=seed, plans=0, progress=_said).lines
        for row, line in zip(rows, told, strict=False):
            name = "on" if on else "off"
            row |= {f"held_{name}": f"{line['held']} of {line['opened']}", f"usd_{name}": f"{line['usd_per_1000']:.2f}"}
            row[f"listeners_refused_{name}"] = f"{people_line['refused_share']:.4%}"
    return rows


if __name__ == "__main__":
    main()
