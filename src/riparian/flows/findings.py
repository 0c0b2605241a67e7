"""What do we know now?  Reads the last scan's findings back, for people and programs."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl
import pyarrow as pa
import pyarrow.compute as pc

from riparian.accounts import weigh
from riparian.accounts.join import ALONE, strongest_first
from riparian.accounts.tally import Tally
from riparian.codes import bucket_of
from riparian.errors import InputError
from riparian.evidence import Evidence
from riparian.flows.across import explained
from riparian.flows.bucket import DAY_COUNTS, DAYS
from riparian.flows.found import BY_DAY, EXPOSURE, TIMELINE, Found, Reach
from riparian.flows.joined import evidence_of_all, rows_of
from riparian.flows.queue import queue
from riparian.flows.reach import Plays, Recordings, taken
from riparian.flows.rings import rings_by_account, rings_of
from riparian.flows.slices import GREW
from riparian.flows.terms import Terms
from riparian.gate.decide import DECISION, REFUSAL, Decision, Restraint
from riparian.gate.holds import Event
from riparian.ports import SHARED, World

TIMELINES = 20


@dataclass(frozen=True, slots=True)
class Account:
    """Everything that is known of one account.

    Parameters
    ----------
    evidence
        Of the question that carries its bits, what asking several costs taken off.
    others
        What the other questions say, the strongest first.
    ring
        Code of the ring that it is a member of.
    """

    evidence: Evidence
    decision: Decision | None
    events: list[Event]
    refusals: list[dict[str, Any]]
    timeline: pa.Table
    others: tuple[Evidence, ...] = ()
    ring: int | None = None


def about(world: World, terms: Terms, account: int) -> Account:
    """Look at one account: the waterfall, the decision, and what was done.

    Raises
    ------
    InputError
        When no scan has seen the account.
    """
    number = int(bucket_of(np.array([account], np.uint64))[0])
    arrays = world.tallies.load(number)
    slots = np.flatnonzero(arrays["accounts"] == account) if arrays is not None else np.empty(0, np.intp)
    if arrays is None or not len(slots):
        raise InputError("no scan has seen the account, wanted one that is in the logs")
    alone = weigh.explain(Tally.from_arrays(arrays, terms.people), int(slots[0]))
    strongest, *others = strongest_first({ALONE: alone} | explained(world, terms, account))
    refusals = world.findings.table("refusals")
    return Account(
        replace(strongest, facts={**_counts(alone), **strongest.facts}),
        world.decisions.of(account),
        world.decisions.events(account),
        rows_of(refusals, account).to_pylist() if refusals is not None else [],
        _timeline_of_one(world, number, account),
        tuple(others),
        rings_by_account(rings_of(world)).get(account),
    )


def _counts(alone: Evidence) -> dict[str, object]:
    """Take what every explanation tells of an account, whichever question carries it; bits today are each one's own."""
    return {name: fact for name, fact in alone.facts.items() if name != "bits_now"}


def read(world: World, terms: Terms) -> Found:
    """Read what the last scan found.

    Raises
    ------
    InputError
        When nothing was ever scanned.
    """
    summaries = world.scans.summaries()
    if not summaries:
        raise InputError("the workspace has no scan, wanted one", hint="Run riparian scan LOGS first.")
    summary = dict(summaries[-1])
    evidence = evidence_of_all(world.findings.table)
    decisions = _strongest_first(world.decisions.table())
    timeline = timeline_of(world)
    held, restrained, everybody, exposure = _reaches(world, terms, decisions, int(summary["accounts"]))
    summary["reach"] = _told_reach(held, restrained, everybody)
    summary["beyond_budget"] = {
        "accounts": int(pc.sum(pc.greater(exposure["beyond_budget"], 0)).as_py() or 0),
        "recordings": int(pc.sum(exposure["beyond_budget"]).as_py() or 0),
    }
    return Found(
        summary=summary,
        decisions=decisions,
        evidence=evidence,
        exposure=exposure,
        by_day=_by_day(world, timeline, summary),
        timeline=_top(timeline, decisions, evidence),
        rings=rings_of(world),
        held=held,
        restrained=restrained,
        everybody=everybody,
        queue=tuple(queue(world)),
        abstained=summary["abstained"],
        cannot_see=tuple(summary["cannot_see"]),
        rejected=_rejected(summary),
        review_minutes_a_day=float(summary["review_minutes_a_day"]),
    )


def left(world: World, terms: Terms) -> dict[str, dict[str, Any]]:
    """Tell what left through accounts on hold, through all that are restrained, and through everybody.

    Raises
    ------
    InputError
        When nothing was ever scanned.
    """
    summaries = world.scans.summaries()
    if not summaries:
        raise InputError("the workspace has no scan, wanted one", hint="Run riparian scan LOGS first.")
    decisions = _strongest_first(world.decisions.table())
    held, restrained, everybody, _ = _reaches(world, terms, decisions, int(summaries[-1]["accounts"]))
    return _told_reach(held, restrained, everybody)


def _told_reach(held: Reach, restrained: Reach, everybody: Reach) -> dict[str, dict[str, Any]]:
    return {
        name: {
            "accounts": r.accounts,
            "recordings": r.recordings,
            "catalogue": r.catalogue_share,
            "plays": r.plays_share,
        }
        for name, r in (("held", held), ("restrained", restrained), ("everybody", everybody))
    }


def table_of(world: World, name: str, schema: pa.Schema) -> pa.Table:
    """Read a table of the last scan; empty when no bucket has kept any of it."""
    found = world.findings.table(name)
    return found if found is not None else schema.empty_table()


def timeline_of(world: World) -> pa.Table:
    """Read the days of watched accounts (``TIMELINE``); whose bits kinship carries, has those."""
    return _merged(table_of(world, "timeline", TIMELINE), table_of(world, "grew", GREW))


def _timeline_of_one(world: World, bucket: int, account: int) -> pa.Table:
    tables = (world.findings.in_bucket("timeline", bucket), world.findings.in_bucket("grew", SHARED))
    alone, grew = (
        rows_of(table, account) if table is not None else schema.empty_table()
        for table, schema in zip(tables, (TIMELINE, GREW), strict=True)
    )
    return _merged(alone, grew)


def _merged(alone: pa.Table, grew: pa.Table) -> pa.Table:
    if not len(grew):
        return alone
    whose = pc.is_in(alone["account"], value_set=grew["account"].combine_chunks())
    days = pl.concat([pl.DataFrame(alone.filter(whose)), pl.DataFrame(grew).rename({"bits": "kin"})], how="diagonal")
    counts = [name for name in TIMELINE.names if name not in {"account", "day", "bits"}]
    merged = (
        days.group_by("account", "day")
        .agg(pl.col("bits", "kin").max(), pl.col(counts).sum())
        .sort("account", "day")
        .with_columns(pl.col("kin").cum_max().forward_fill().over("account"))
        .with_columns(bits=pl.max_horizontal("bits", "kin"))
    )
    return pa.concat_tables([alone.filter(pc.invert(whose)), merged.select(TIMELINE.names).to_arrow().cast(TIMELINE)])


def _strongest_first(decisions: pa.Table) -> pa.Table:
    restrained = decisions.sort_by([("restraint", "descending"), ("bits", "descending"), ("account", "ascending")])
    return restrained if len(restrained) else DECISION.empty_table()


def _rejected(summary: Mapping[str, Any]) -> dict[str, int]:
    told = {"lines that could not be read": int(summary["rejected"])}
    told |= {reason: int(n) for reason, n in summary["dropped"].items()}
    told |= {"accesses dated more than a day in the future": int(summary["future"])}
    told |= {"accesses that came after their day was over (counted, not bet on)": int(summary["late"])}
    told |= {"new fetches that came after their week was over (compared with none)": int(summary["late_for_rings"])}
    return {reason: n for reason, n in told.items() if n}


def _reaches(world: World, terms: Terms, decisions: pa.Table, n_accounts: int) -> tuple[Reach, Reach, Reach, pa.Table]:
    """Tell what left through whom: held, restrained and all accounts, and each restrained one (``EXPOSURE``)."""
    shared = world.tallies.load(SHARED)
    recordings = Recordings.of(shared["recordings"] if shared is not None else np.empty(0, np.uint64))
    plays = Plays.of(recordings, terms.popularity)
    accounts, restraint = decisions["account"].to_numpy(), decisions["restraint"].to_numpy()
    left = {least: np.zeros(len(recordings.places), np.bool_) for least in (Restraint.SLOW, Restraint.HOLD)}
    of_each: dict[int, dict[str, Any]] = {}
    numbers = bucket_of(accounts)
    for number in np.unique(numbers[restraint > 0]):
        arrays = world.tallies.load(int(number))
        if arrays is None:
            continue
        rows = np.flatnonzero((numbers == number) & (restraint > 0))
        had = taken(recordings, accounts[rows], arrays["seen"])
        slots = np.flatnonzero(np.isin(arrays["accounts"], accounts[rows]))
        states = dict(zip(arrays["accounts"][slots].tolist(), arrays["state"][slots], strict=True))
        for at, row in enumerate(rows):
            own = had.of(at)
            for least, marks in left.items():
                if restraint[row] >= least:
                    marks[own] = True
            account = int(accounts[row])
            of_each[account] = _exposed(states.get(account), plays.reach(own, accounts=1))
    held, restrained = (
        plays.reach(np.flatnonzero(left[least]), accounts=int((restraint >= least).sum()))
        for least in (Restraint.HOLD, Restraint.SLOW)
    )
    everybody = plays.reach(np.flatnonzero(recordings.places), accounts=n_accounts)
    return held, restrained, everybody, _exposure(world, accounts[restraint > 0].tolist(), of_each)


def _exposed(state: np.void | None, reached: Reach) -> dict[str, Any]:
    told = {
        name: int(state[of]) if state is not None else 0
        for name, of in (("fetches", "plays"), *((n, n) for n in ("novel", "rows", "first_us", "last_us", "days")))
    }
    shares = {"catalogue_share": reached.catalogue_share, "plays_share": reached.plays_share}
    return {"recordings": reached.recordings, **shares, **told}


def _exposure(world: World, accounts: list[int], of_each: Mapping[int, dict[str, Any]]) -> pa.Table:
    refusals = table_of(world, "refusals", REFUSAL)
    novelty = refusals.filter(pc.equal(refusals["budget"], "novelty"))
    beyond = dict(zip(novelty["account"].to_pylist(), novelty["refused_ever"].to_pylist(), strict=True))
    nothing = _exposed(None, Reach(1, 0, None, None))
    rows = [{"account": a, "beyond_budget": beyond.get(a, 0), **of_each.get(a, nothing)} for a in accounts]
    return pa.Table.from_pylist(rows, schema=EXPOSURE)


def _by_day(world: World, timeline: pa.Table, summary: Mapping[str, Any]) -> pa.Table:
    days = table_of(world, "days", DAYS)
    if not len(days):
        return BY_DAY.empty_table()
    day = days["day"].to_numpy()
    first = int(day.min())
    width = int(day.max()) - first + 1
    reached = {name: _reached(timeline, float(rung["bits"])) for name, rung in summary["ladder"].items()}
    rungs = [
        np.bincount(each[(each >= first) & (each < first + width)] - first, minlength=width).astype(np.int64)
        for each in (reached["slow"], reached["step_up"], reached["hold"])
    ]
    sums = [np.bincount(day - first, days[name].to_numpy(), width).astype(np.int64) for name in DAY_COUNTS]
    return pa.table([np.arange(first, first + width, dtype=np.int32), *sums, *rungs], schema=BY_DAY)


def _reached(timeline: pa.Table, bits: float) -> npt.NDArray[np.int32]:
    """Days on which accounts first had so many bits, one each."""
    above = timeline.filter(pc.greater_equal(timeline["bits"], bits))
    firsts = above.group_by("account").aggregate([("day", "min")])
    return np.asarray(firsts["day_min"].to_numpy(), np.int32)


def _top(timeline: pa.Table, decisions: pa.Table, evidence: pa.Table) -> pa.Table:
    restrained = decisions.filter(pc.greater(decisions["restraint"], 0))["account"].to_pylist()[:TIMELINES]
    order = pc.select_k_unstable(evidence, min(TIMELINES, len(evidence)), [("bits", "descending")])
    chosen = list(dict.fromkeys([*restrained, *evidence["account"].take(order).to_pylist()]))[:TIMELINES]
    if not chosen or not len(timeline):
        return TIMELINE.empty_table()
    place = pc.index_in(timeline["account"], pa.array(chosen, pa.uint64()))
    kept = timeline.append_column("place", place).filter(pc.is_valid(place))
    return kept.sort_by([("place", "ascending"), ("day", "ascending")]).drop_columns("place")
