"""What can only be seen across accounts, and what do the questions that look there answer?

::

    novel fetches of candidates -.
    regular devices             -+-> in the order of time --> kinship, devices, places, taste --> answers, rings
    ladders of each bucket      -'

After the buckets one step looks at all of them together.  It takes what the buckets let out, never more, and lays
its memory down in the drawer beside them.
"""

import math
from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from riparian.accounts import devices, kinship, places, surfaced, taste
from riparian.accounts.join import ANSWER
from riparian.accounts.kinship import RINGS, Kin
from riparian.accounts.ladders import LEVELS
from riparian.accounts.taste import Taste
from riparian.codes import bucket_of
from riparian.evidence import DEVICES, KINSHIP, PLACES, TASTE, Evidence
from riparian.flows import signals
from riparian.flows.fetches import FETCHED
from riparian.flows.joined import Tables, rows_of
from riparian.flows.slices import GREW, Across, digest_of, fetches_of, followed, over, under
from riparian.flows.terms import Terms
from riparian.ports import SHARED, Arrays, World

AMONG_MIN: Final = 1 << 17
"""A ring is singled out of so many accounts at least, so that its search costs the same in every part of a log."""


@dataclass(frozen=True, slots=True)
class Looked:
    """What the look across accounts keeps: its memory and the tables beside it; and what a summary tells of it.

    Parameters
    ----------
    learnt
        Whether it had learnt of taste.
    late
        Fetches that came after their week was over, ever, and were compared with none.
    """

    arrays: Arrays
    tables: dict[str, pa.Table]
    learnt: bool
    late: int


def look(
    arrays: Mapping[str, npt.NDArray[Any]] | None, last: Tables, table: Tables, terms: Terms, until_us: int
) -> Looked:
    """Take what the buckets have let out, follow it, and gather what every question answers.

    Parameters
    ----------
    arrays
        Of the drawer beside the buckets, as of the last commit; None at first.
    last
        Reads the tables of that drawer.
    table
        Reads the tables that the buckets have made.
    terms
        Cells, people, and what was learnt of taste.
    until_us
        Days that ended by then are closed.
    """
    before = Across.from_arrays(arrays, digest_of(terms.cells))
    fetched, alone = table("fetches"), table("alone")
    new = fetched if fetched is not None else FETCHED.empty_table()
    among = among_of(len(alone) if alone is not None else 0, terms)
    if arrays is not None and not len(new) and before.seen_us == until_us:
        # No day has ended since: who follows a log looks at it every few seconds.
        kept, now = before, replace(before, kin=Kin.from_arrays(under("today.kin.", arrays)), taste=_taste(arrays))
        rings, grew = (_or_none(last(name), schema) for name, schema in (("rings", RINGS), ("grew", GREW)))
    else:
        kept, now = followed(before, new, terms.cells, until_us, among)
        rings, grew = kinship.rings_table(now.kin, terms.cells, among), now.history
    reached = _reached(table, terms, until_us)
    everything = pa.concat_tables([*_levels(table), reached])
    kin = kinship.accounts_table(now.kin)
    signalled = signals.evidence(table, terms.signals) if terms.signals is not None else surfaced.SIGNAL.empty_table()
    answers = pa.concat_tables(
        [
            _of_kin(kin),
            signals.answers(signalled),
            devices.answers(everything, terms.people),
            places.answers(everything, terms.people),
            taste.answers(now.taste, _honest(terms), terms.people.ladders["taste"]),
        ]
    )
    tables = {
        "answers": answers.combine_chunks(),
        "kin": kin,
        "rings": rings,
        "levels_across": reached,
        "grew": grew,
        "signals": signalled,
    }
    some = {name: each for name, each in tables.items() if len(each)}
    return Looked(kept.arrays() | _today(now), some, now.embedding is not None, kept.late)


def seen_until_us(arrays: Mapping[str, npt.NDArray[Any]] | None) -> int:
    """Tell up to when days were closed as of the last scan; 0 before the first."""
    return int(arrays["across.clock"][1]) if arrays is not None and "across.clock" in arrays else 0


def among_of(accounts: int, terms: Terms) -> int:
    """Tell of how many accounts a ring is singled out: a power of two, so that it hardly ever changes."""
    return 1 << math.ceil(math.log2(max(accounts, terms.policy.accounts, AMONG_MIN)))


def abstained(columns: Collection[str], terms: Terms, *, learnt: bool) -> dict[str, str]:
    """Say which questions across accounts could not be asked, and what is lacking.

    Parameters
    ----------
    columns
        Names of the ``ACCESS`` columns that the log has.
    learnt
        Whether anything was learnt of taste.
    """
    reasons = {}
    if not terms.cells.n_works:
        reasons[KINSHIP.name] = "no catalogue with artists and popularity was given"
        reasons[TASTE.name] = reasons[KINSHIP.name]
    elif not learnt:
        reasons[TASTE.name] = "nothing was learnt yet of what goes together: it takes four weeks of log before"
    for claim in (DEVICES, PLACES):
        missing = [f"`{name}`" for name in claim.needs if name not in columns]
        if missing:
            reasons[claim.name] = f"the log has no column {', '.join(missing)}"
    reasons |= signals.abstained(list(columns), terms.signals)
    suspended = {name for name, ladders in terms.people.ladders.items() if not ladders}
    return reasons | dict.fromkeys(sorted(suspended), "the people file has suspended it")


def explained(world: World, terms: Terms, account: int) -> dict[str, Evidence]:
    """Explain what each question other than ``alone`` says of an account, before its price."""
    found = world.findings.in_bucket("answers", SHARED)
    asked = rows_of(found, account)["question"].to_pylist() if found is not None else []
    own = int(bucket_of(np.array([account], np.uint64))[0])
    tables = [world.findings.in_bucket("levels", own), world.findings.in_bucket("levels_across", SHARED)]
    reached = pa.concat_tables([rows_of(t, account) for t in tables if t is not None] or [LEVELS.empty_table()])
    made: dict[str, Evidence | None] = {}
    if KINSHIP.name in asked:
        made[KINSHIP.name] = kinship.explain_member(kin_of(world), account)
    if signals.QUESTION in asked:
        signalled = world.findings.in_bucket("signals", SHARED)
        made[signals.QUESTION] = surfaced.explain(rows_of(signalled, account).to_pylist()[0])
    if "devices" in asked:
        made["devices"] = devices.explain(reached, terms.people, account)
    if "places" in asked:
        made["places"] = places.explain(reached, terms.people, account)
    if "taste" in asked:
        made["taste"] = taste.explain(account, taste_of(world), _honest(terms), terms.people.ladders["taste"])
    return {question: evidence for question, evidence in made.items() if evidence is not None}


def _honest(terms: Terms) -> npt.NDArray[np.uint64]:
    return terms.known.codes[terms.known.honest]


def kin_of(world: World) -> Kin:
    """Read who is kin as of the last scan, without the fetches."""
    arrays = world.tallies.load(SHARED) or {}
    return Kin.from_arrays(under("today.kin.", arrays)) if "today.kin.log" in arrays else Kin.empty()


def fetched_by(world: World, terms: Terms, accounts: list[int]) -> npt.NDArray[np.void]:
    """Read what accounts fetched of works new to them, as far as it is remembered; records of ``FETCH`` by time."""
    arrays = world.tallies.load(SHARED)
    remembered = Across.from_arrays(arrays, digest_of(terms.cells))
    both = np.concatenate([remembered.kin.log, fetches_of(remembered.waiting, terms.cells)])
    return both[np.isin(both["account"], np.array(accounts, np.uint64))]


def taste_of(world: World) -> Taste:
    """Read how accounts were judged as of the last scan."""
    return _taste(world.tallies.load(SHARED) or {})


def _taste(arrays: Mapping[str, npt.NDArray[Any]]) -> Taste:
    return Taste.from_arrays(under("today.taste.", arrays)) if "today.taste.account" in arrays else Taste.empty()


def _today(now: Across) -> Arrays:
    # What was fetched is kept once, with the last whole slice.
    kin = replace(now.kin, log=now.kin.log[:0])
    return over("today.kin.", kin.arrays()) | over("today.taste.", now.taste.arrays())


def _or_none(table: pa.Table | None, schema: pa.Schema) -> pa.Table:
    return table if table is not None else schema.empty_table()


def _levels(table: Tables) -> list[pa.Table]:
    found = table("levels")
    return [found] if found is not None else []


def _reached(table: Tables, terms: Terms, until_us: int) -> pa.Table:
    regular = table("regular")
    return devices.share(regular, terms.people, until_us=until_us) if regular is not None else LEVELS.empty_table()


def _of_kin(kin: pa.Table) -> pa.Table:
    name = pa.array([KINSHIP.name]).take(pa.array(np.zeros(len(kin), np.int8)))
    columns = [kin["account"], name, name, kin["bits"], kin["bits"], kin["reached_us"]]
    return pa.table(columns, schema=ANSWER)
