"""What can only be seen across accounts, and what do the questions that look there answer?

::

    novel fetches of candidates -.
    regular devices             -+-> in the order of time --> kinship, devices, places, taste --> answers, rings
    ladders of each bucket      -'

After the buckets one step looks at all of them together.  It takes what the buckets let out, never more, and lays
its memory down in the drawer beside them.

It comes to the same however the log was cut into scans
-------------------------------------------------------
Rings and taste are followed in slices of a week (:data:`SLICE_US`), and only what is whole is kept.  The days since
the last whole week are followed again with every scan, from where that week ended.  A fetch that comes for a slice
already kept is late: counted, and not bet on.  What belongs together in taste is learnt every four weeks from what
was fetched before, and used from then on.
"""

import hashlib
import math
from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from riparian.accounts import devices, kinship, places, surfaced, taste
from riparian.accounts.join import ANSWER, PRICES
from riparian.accounts.kinship import FETCH, Kin
from riparian.accounts.ladders import LEVELS
from riparian.accounts.taste import Embedding, Taste
from riparian.catalogue.cells import Cells
from riparian.evidence import DEVICES, KINSHIP, PLACES, TASTE, Evidence
from riparian.flows import signals
from riparian.flows.fetches import FETCHED
from riparian.flows.joined import Tables, rows_of
from riparian.flows.terms import Terms
from riparian.ports import SHARED, Arrays, World
from riparian.schema import DAY_US

SLICE_US: Final = 7 * DAY_US
LEARN_US: Final = 4 * SLICE_US
DAILY_MAX: Final = 300_000
"""With no more fetches than these, a week is gone through day by day: a timeline says on which day bits grew."""
GREW_BITS: Final = 4.0
AMONG_MIN: Final = 1 << 17
"""A ring is singled out of so many accounts at least, so that its search costs the same in every part of a log."""


GREW: Final = pa.schema(
    [
        pa.field("account", pa.uint64(), nullable=False),
        pa.field("day", pa.int32(), nullable=False),
        pa.field("bits", pa.float64(), nullable=False),
    ]
)
"""A day by the end of which kinship had more bits of an account than ever before, the price of the join taken off."""


@dataclass(frozen=True, slots=True)
class Across:
    """What is remembered across accounts.

    Parameters
    ----------
    kin, taste
        As of the last whole slice.
    embedding
        What belongs together, as learnt last; None before the first time.
    history
        ``GREW``, up to then.
    waiting
        ``FETCHED`` since then.
    until_us
        End of the last whole slice; 0 before the first scan.
    late
        Fetches that came too late to be bet on.
    cells
        Digest of the cells that ``kin`` is numbered by.
    """

    kin: Kin
    taste: Taste
    embedding: Embedding | None
    history: pa.Table
    waiting: pa.Table
    until_us: int
    late: int
    cells: bytes

    @classmethod
    def empty(cls, cells: bytes) -> "Across":
        """Nothing has been compared."""
        return cls(Kin.empty(), Taste.empty(), None, GREW.empty_table(), FETCHED.empty_table(), 0, 0, cells)

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, npt.NDArray[Any]] | None, cells: bytes) -> "Across":
        """Take it up; with another catalogue rings are begun anew, since their works are numbered by it."""
        if arrays is None or "across.cells" not in arrays or arrays["across.cells"].tobytes() != cells:
            return cls.empty(cells)
        waiting = pa.table([arrays[f"across.waiting.{name}"] for name in FETCHED.names], schema=FETCHED)
        history = pa.table([arrays[f"across.history.{name}"] for name in GREW.names], schema=GREW)
        until_us, late = arrays["across.clock"].tolist()
        kin, tasted = Kin.from_arrays(_under("kin.", arrays)), Taste.from_arrays(_under("taste.", arrays))
        learnt = _under("embedding.", arrays)
        return cls(
            kin, tasted, Embedding.from_arrays(learnt) if learnt else None, history, waiting, until_us, late, cells
        )

    def arrays(self) -> Arrays:
        """Lay it down."""
        return {
            **_over("kin.", self.kin.arrays()),
            **_over("taste.", self.taste.arrays()),
            **_over("embedding.", self.embedding.arrays() if self.embedding is not None else {}),
            **_over("across.waiting.", {name: self.waiting[name].to_numpy() for name in FETCHED.names}),
            **_over("across.history.", {name: self.history[name].to_numpy() for name in GREW.names}),
            "across.clock": np.array([self.until_us, self.late], np.int64),
            "across.cells": np.frombuffer(self.cells, np.uint8),
        }


@dataclass(frozen=True, slots=True)
class Looked:
    """What the look across accounts keeps: its memory, the tables beside it, and whether it had learnt of taste."""

    arrays: Arrays
    tables: dict[str, pa.Table]
    learnt: bool


def look(arrays: Mapping[str, npt.NDArray[Any]] | None, table: Tables, terms: Terms, until_us: int) -> Looked:
    """Take what the buckets have let out, follow it, and gather what every question answers.

    Parameters
    ----------
    arrays
        Of the drawer beside the buckets, as of the last commit; None at first.
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
    kept, now = followed(before, new, terms, until_us, among)
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
        "rings": kinship.rings_table(now.kin, terms.cells, among),
        "levels_across": reached,
        "grew": now.history,
        "signals": signalled,
    }
    some = {name: each for name, each in tables.items() if len(each)}
    return Looked(kept.arrays() | _today(now), some, now.embedding is not None)


def followed(before: Across, new: pa.Table, terms: Terms, until_us: int, among: int) -> tuple[Across, Across]:
    """Follow new fetches: returns what is kept, as of the last whole slice, and how it stands now.

    Parameters
    ----------
    new
        ``FETCHED``, in any order.
    until_us
        Fetches before this time are all there.
    among
        Of how many accounts a ring is singled out.
    """
    rows = pa.concat_tables([before.waiting, new]).sort_by(
        [("at_us", "ascending"), ("account", "ascending"), ("recording", "ascending")]
    )
    at_us = rows["at_us"].to_numpy()
    late = int(np.searchsorted(at_us, before.until_us))
    rows, at_us = rows.slice(late), at_us[late:]
    whole_us = max(until_us // SLICE_US * SLICE_US, before.until_us)
    now = kept = before
    begin = 0
    for end_us in [*range(_first_end(at_us, whole_us), whole_us + 1, SLICE_US), max(until_us, whole_us)]:
        end = int(np.searchsorted(at_us, end_us))
        # Whether a week is gone through day by day follows from its fetches, in whatever parts they came.
        daily = len(now.kin.log) + end - begin <= DAILY_MAX
        for upto_us in [*(_day_ends(at_us[begin:end], end_us) if daily else ()), end_us]:
            upto = int(np.searchsorted(at_us, upto_us))
            now = _step(now, rows.slice(begin, upto - begin), terms, upto_us, among)
            begin = upto
        kept = now if end_us <= whole_us else kept
    waiting = rows.slice(int(np.searchsorted(at_us, whole_us))).combine_chunks()
    return replace(kept, waiting=waiting, until_us=whole_us, late=before.late + late), now


def _first_end(at_us: npt.NDArray[np.int64], whole_us: int) -> int:
    return int(at_us[0]) // SLICE_US * SLICE_US + SLICE_US if len(at_us) else whole_us + 1


def _day_ends(at_us: npt.NDArray[np.int64], end_us: int) -> list[int]:
    """List the ends of the days on which anything was fetched, but for the last."""
    return [us for us in ((np.unique(at_us // DAY_US) + 1) * DAY_US).tolist() if us < end_us]


def _step(now: Across, rows: pa.Table, terms: Terms, end_us: int, among: int) -> Across:
    """Go through one slice, or what there is of it."""
    cells = terms.cells
    if not cells.n_works:
        return now
    fetches = _fetches(rows, cells)
    if len(fetches):
        who, artists = fetches["account"].copy(), artists_of(cells, fetches["work"])
        tasted = taste.follow(now.taste, now.embedding, who, artists, fetches["at_us"].copy())
        kin = kinship.follow(now.kin, fetches, cells, among)
        history = pa.concat_tables([now.history, _grew(now.kin, kin, end_us)]).combine_chunks()
        now = replace(now, kin=kin, taste=tasted, history=history)
    if end_us % LEARN_US == 0 and len(now.kin.log):
        log = now.kin.log
        learnt = taste.learn(log["account"].copy(), artists_of(cells, log["work"]), as_of_us=end_us)
        now = replace(now, embedding=learnt)
    return now


def _grew(before: Kin, after: Kin, end_us: int) -> pa.Table:
    """Tell whose bits grew, as days go: what a timeline shows of them."""
    best = after.best[after.best["bits"] - PRICES[KINSHIP.name] >= GREW_BITS]
    known = before.best
    at = np.minimum(np.searchsorted(known["account"], best["account"]), max(len(known) - 1, 0))
    if len(known):
        best = best[(known["account"][at] != best["account"]) | (known["bits"][at] < best["bits"])]
    day = np.full(len(best), (end_us - 1) // DAY_US, np.int32)
    return pa.table([best["account"], day, best["bits"] - PRICES[KINSHIP.name]], schema=GREW)


def _fetches(rows: pa.Table, cells: Cells) -> npt.NDArray[np.void]:
    rows = rows.filter(pc.equal(pc.bit_wise_and(rows["marks"], signals.REFUSED), 0))
    fetches = np.empty(len(rows), FETCH)
    fetches["at_us"], fetches["account"] = rows["at_us"].to_numpy(), rows["account"].to_numpy()
    fetches["work"] = cells.find(rows["recording"].to_numpy())
    return fetches[fetches["work"] >= 0]


def artists_of(cells: Cells, works: npt.NDArray[np.int32]) -> npt.NDArray[np.uint64]:
    """Give the artists of works as codes; 0 is none."""
    return cells.artist[works].astype(np.uint64) + np.uint64(1)


def among_of(accounts: int, terms: Terms) -> int:
    """Tell of how many accounts a ring is singled out: a power of two, so that it hardly ever changes."""
    return 1 << math.ceil(math.log2(max(accounts, terms.policy.accounts, AMONG_MIN)))


def digest_of(cells: Cells) -> bytes:
    """Digest what works are numbered by."""
    made = hashlib.blake2b(digest_size=16)
    for column in (cells.codes, cells.works, cells.cell):
        made.update(column.tobytes())
    return made.digest()


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
    tables = [world.findings.table(name) for name in ("levels", "levels_across")]
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
    return Kin.from_arrays(_under("today.kin.", arrays)) if "today.kin.log" in arrays else Kin.empty()


def fetched_by(world: World, terms: Terms, accounts: list[int]) -> npt.NDArray[np.void]:
    """Read what accounts fetched of works new to them, as far as it is remembered; records of ``FETCH`` by time."""
    arrays = world.tallies.load(SHARED)
    remembered = Across.from_arrays(arrays, digest_of(terms.cells))
    both = np.concatenate([remembered.kin.log, _fetches(remembered.waiting, terms.cells)])
    return both[np.isin(both["account"], np.array(accounts, np.uint64))]


def taste_of(world: World) -> Taste:
    """Read how accounts were judged as of the last scan."""
    arrays = world.tallies.load(SHARED) or {}
    return Taste.from_arrays(_under("today.taste.", arrays)) if "today.taste.account" in arrays else Taste.empty()


def _today(now: Across) -> Arrays:
    # What was fetched is kept once, with the last whole slice.
    kin = replace(now.kin, log=now.kin.log[:0])
    return _over("today.kin.", kin.arrays()) | _over("today.taste.", now.taste.arrays())


def _over(prefix: str, arrays: Mapping[str, npt.NDArray[Any]]) -> Arrays:
    return {f"{prefix}{name}": array for name, array in arrays.items()}


def _under(prefix: str, arrays: Mapping[str, npt.NDArray[Any]]) -> Arrays:
    return {name.removeprefix(prefix): array for name, array in arrays.items() if name.startswith(prefix)}


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
