"""What have accounts asked for, as far as signals by design look at it?

A bucket remembers, for accounts that are compared with others or elevated, the first request for each recording,
refused ones included; for everybody, how many rows of listings were read and in which hours a handle was used that had
been given to somebody else.  The evidence is made of all buckets together (:mod:`riparian.accounts.surfaced`).

An account is *elevated* when the log says that the service treated it so, in the column ``elevated``; where it does not
say, while a restraint on it is applied.  The platform refuses by lot only then, and only that counts.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from riparian.accounts import surfaced
from riparian.accounts.join import ANSWER
from riparian.accounts.surfaced import Asked, Declared, Shown
from riparian.accounts.surfaced.asked import ASK, OCCASION, READER
from riparian.evidence import CLAIMS
from riparian.flows.joined import Tables
from riparian.gate.policy import Restraint
from riparian.schema import Action

QUESTION: Final = "signals"
REFUSED: Final = 1
ELEVATED: Final = 2
SURFACED: Final = 4
UNSURFACED: Final = 8
"""Marks of a fetch that waits for its day to end."""

NAMES: Final = ("asks", "readers", "occasions")
_KINDS: Final = {"asks": ASK, "readers": READER, "occasions": OCCASION}

_OF_EVERYBODY: Final = ("at_us", "account", "recording", "action", "rows", "given_to", "surfaced")

Columns = Mapping[str, npt.NDArray[Any]]


@dataclass(frozen=True, slots=True)
class Signals:
    """What the platform draws by lot, and what is declared where no lot decides."""

    shown: Shown
    declared: Declared = field(default_factory=Declared)


@dataclass(frozen=True, slots=True)
class Elevated:
    """Who is elevated, from when to when; in the order of accounts."""

    account: npt.NDArray[np.uint64]
    since_us: npt.NDArray[np.int64]
    until_us: npt.NDArray[np.int64]

    @classmethod
    def of(cls, decisions: pa.Table) -> "Elevated":
        """Take those on whom a restraint is applied."""
        rows = decisions.filter(pc.and_(decisions["applied"], pc.greater(decisions["restraint"], int(Restraint.ALLOW))))
        rows = rows.sort_by("account")
        return cls(*(rows[name].to_numpy() for name in ("account", "since_us", "until_us")))

    def at(self, account: npt.NDArray[np.uint64], at_us: npt.NDArray[np.int64]) -> npt.NDArray[np.bool_]:
        """Say of each access whether its account was elevated then."""
        if not len(self.account):
            return np.zeros(len(account), np.bool_)
        row = np.minimum(np.searchsorted(self.account, account), len(self.account) - 1)
        found = (self.account[row] == account) & (self.since_us[row] <= at_us) & (at_us < self.until_us[row])
        return np.asarray(found, np.bool_)


def marks_of(columns: Columns, elevated: Elevated) -> npt.NDArray[np.uint8]:
    """Mark accesses as they were when they came."""
    n = len(columns["at_us"])
    was_elevated = elevated.at(columns["account"], columns["at_us"])
    if "elevated" in columns:
        was_elevated = np.where(columns["elevated"] >= 0, columns["elevated"] == 1, was_elevated)
    marks = ELEVATED * was_elevated.astype(np.uint8)
    if "status" in columns:
        marks |= REFUSED * (columns["status"] >= 400).astype(np.uint8)
    if "surfaced" in columns:
        marks |= SURFACED * (columns["surfaced"] == 1).astype(np.uint8)
        marks |= UNSURFACED * (columns["surfaced"] == 0).astype(np.uint8)
    return np.asarray(marks, np.uint8) if n else np.empty(0, np.uint8)


def followed(
    before: Mapping[str, pa.Table | None], columns: Columns, fetches: pa.Table, shown: Shown
) -> dict[str, pa.Table]:
    """Take in what a bucket's accounts asked for; returns the tables of :data:`NAMES`.

    Parameters
    ----------
    before
        These tables, as of the last scan.
    columns
        Every new access of the bucket, refused ones included, with ``marks``.  What elevated accounts ask for is taken
        in at once: whether they are watched is known only when the day is over, and by then they know their lots.
    fetches
        ``FETCHED``: requests of watched accounts whose day is over.
    """
    asked = asked_of(before)
    asked = surfaced.follow(asked, _of_everybody(columns), shown)
    marks = fetches["marks"].to_numpy()
    was = np.where(marks & SURFACED, 1, np.where(marks & UNSURFACED, 0, -1)).astype(np.int8)
    watched = {name: fetches[name].to_numpy() for name in ("at_us", "account", "recording")}
    asked = surfaced.follow(asked, watched | {"elevated": (marks & ELEVATED) != 0, "surfaced": was}, shown)
    return {name: _table(getattr(asked, name)) for name in NAMES}


def _of_everybody(columns: Columns) -> Columns:
    action = columns.get("action", np.zeros(len(columns["at_us"]), np.uint8))
    reads = (action == Action.METADATA) | (action == Action.SEARCH)
    given_to = columns.get("given_to", np.zeros(len(reads), np.uint64))
    is_elevated = (columns["marks"] & ELEVATED) != 0
    rows = np.flatnonzero(reads | is_elevated | ((given_to != 0) & (given_to != columns["account"])))
    kept = {n: columns[n][rows] for n in _OF_EVERYBODY if n in columns}
    # What others played through another's handle is an occasion here; as a request it waits with the rest.
    kept["recording"] = np.where((reads | is_elevated)[rows], kept["recording"], np.uint64(0))
    return kept | {"elevated": is_elevated[rows]}


def asked_of(tables: Mapping[str, pa.Table | None]) -> Asked:
    """Take up what was asked, of one bucket or of all in order."""
    return Asked(*(_records(tables.get(name), _KINDS[name]) for name in NAMES))


def evidence(table: Tables, signals: Signals) -> pa.Table:
    """Tell the strongest signal of every account that has any; a table with schema ``surfaced.SIGNAL``."""
    asked = asked_of({name: table(name) for name in NAMES})
    return surfaced.best(surfaced.evidence(asked, signals.shown, signals.declared))


def answers(found: pa.Table) -> pa.Table:
    """Tell the same as ``ANSWER``."""
    found = found.filter(pc.greater(found["bits"], 0.0))
    question = pa.array([QUESTION]).take(pa.array(np.zeros(len(found), np.int8)))
    columns = [found["account"], question, *(found[name] for name in ("claim", "bits", "bits_now", "reached_us"))]
    return pa.table(columns, schema=ANSWER)


def abstained(columns: list[str], signals: Signals | None) -> dict[str, str]:
    """Say which signals could not be looked at, and what is lacking."""
    names = tuple(surfaced.SHARES)
    if signals is None:
        return {QUESTION: "the workspace has no `signals.toml` that says what the platform draws by lot"}
    reasons = {}
    for name in names:
        missing = [f"`{column}`" for column in CLAIMS[name].needs if column not in columns]
        if missing:
            reasons[name] = f"the log has no column {', '.join(missing)}"
    if not len(signals.shown.listings.codes):
        reasons["jitter"] = "`signals.toml` names no listing"
    if not len(signals.shown.canaries):
        reasons["canary"] = "`signals.toml` names no canaries"
    return reasons


def _records(table: pa.Table | None, kind: np.dtype[Any]) -> npt.NDArray[np.void]:
    if table is None:
        return np.empty(0, kind)
    made = np.empty(len(table), kind)
    for name in kind.names or ():
        columns = [c for c in table.column_names if c.partition(".")[0] == name]
        values = [table[column].to_numpy() for column in columns]
        made[name] = values[0] if columns == [name] else np.stack(values, axis=1)
    return made


def _table(records: npt.NDArray[np.void]) -> pa.Table:
    columns: dict[str, npt.NDArray[Any]] = {}
    for name in records.dtype.names or ():
        values = records[name]
        several = values.T if values.ndim > 1 else [values]
        names = [f"{name}.{place}" for place in range(len(several))] if values.ndim > 1 else [name]
        columns |= {n: np.ascontiguousarray(v) for n, v in zip(names, several, strict=True)}
    return pa.table(columns)
