"""One bucket of accounts: its new accesses counted, weighed and charged.

Nothing here knows the other buckets, and everything follows from the arguments: the same accesses
on the same terms give the same arrays and tables, bit for bit.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from riparian.accounts import kinship, weigh
from riparian.accounts.join import ALONE, PRICES
from riparian.accounts.observe import Observed, observe, settle
from riparian.accounts.tally import Tally
from riparian.codes import BUCKETS
from riparian.flows import signals
from riparian.flows.beside import Beside, New
from riparian.flows.found import TIMELINE
from riparian.flows.signals import Elevated
from riparian.flows.terms import Terms
from riparian.gate import budgets as budgets_
from riparian.gate.budgets import Budgets, Draws
from riparian.gate.policy import Restraint, threshold_bits
from riparian.schema import DAY_US, Action

Arrays = dict[str, npt.NDArray[Any]]

TIMELINE_BITS: Final = 4.0
"""Accounts that reach so many bits (fewer where the lowest rung wants fewer), that are compared with others, or that a
budget refuses something, have their days kept."""
REFUSED_FROM: Final = 400
"""Statuses from here on mean that nothing was served."""

EVER: Final = 3
"""The column of ``Budgets.told`` that counts what was ever refused."""

DAY_COUNTS: Final = ("accesses", "accounts", "plays", "novel", "beyond_budget")
DAYS: Final = pa.schema(
    [pa.field("day", pa.int32()), *(pa.field(name, pa.int64()) for name in DAY_COUNTS), pa.field("over", pa.bool_())]
)
"""Sums by day; rows of a day that is not ``over`` are made anew by each scan, the others only added to."""

TOTAL_COUNTS: Final = ("accounts", "accesses", "plays", "novel", "rows", "late", "future", "account_days")
TOTALS: Final = pa.schema(
    [
        *(pa.field(name, pa.int64()) for name in TOTAL_COUNTS),
        pa.field("first_us", pa.int64()),
        pa.field("last_us", pa.int64()),
    ]
)
DRAWS: Final = pa.schema(
    [pa.field("account", pa.uint64()), pa.field("parent", pa.uint64()), pa.field("at_us", pa.int64())]
)
"""What new accounts drew in this scan, for the budgets of their parents."""
_ELEVATED: Final = ("account", "since_us", "until_us")
_NO_DRAWS: Final = Draws(np.empty(0, np.uint64), np.empty(0, np.uint64), np.empty(0, np.int64))


@dataclass(frozen=True, slots=True)
class Counted:
    """A bucket after a scan: what is kept, and which recordings were new to their account, or came late."""

    arrays: Arrays
    tables: dict[str, pa.Table]
    recordings: npt.NDArray[np.uint64]
    new: npt.NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Before:
    """A bucket before a scan: its arrays and the tables that only grow; empty at first."""

    arrays: Mapping[str, npt.NDArray[Any]] | None
    tables: Mapping[str, pa.Table | None]


@dataclass(frozen=True, slots=True)
class Moment:
    """Which days are over, after when an access is dated in the future, when the log began, and who is elevated."""

    until_us: int
    latest_us: int
    log_start_us: int
    elevated: Elevated

    def arrays(self) -> Arrays:
        """Lay it down, for somebody else to count by."""
        elevated = {f"elevated.{name}": getattr(self.elevated, name) for name in _ELEVATED}
        return {"moment": np.array([self.until_us, self.latest_us, self.log_start_us], np.int64), **elevated}

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, npt.NDArray[Any]]) -> "Moment":
        """Take it up."""
        until_us, latest_us, log_start_us = arrays["moment"].tolist()
        return cls(until_us, latest_us, log_start_us, Elevated(*(arrays[f"elevated.{name}"] for name in _ELEVATED)))


def count(before: Before, columns: Arrays, terms: Terms, moment: Moment) -> Counted:
    """Count, weigh and charge a bucket's new accesses.

    Parameters
    ----------
    before
        What the bucket's last scan kept.
    columns
        Columns of ``ACCESS``, in any order of time.
    moment
        Days that ended by ``until_us`` are closed; accesses after ``latest_us`` are left out and counted.
    """
    asked_for, n_future = _in_order(columns, moment.latest_us)
    asked_for = asked_for | {"marks": signals.marks_of(asked_for, moment.elevated)}
    columns, refused_ones = _served(asked_for)
    tally, budgets = _taken_up(before, terms)
    observed = observe(tally, columns, terms.popularity, streams=terms.streams_of)
    restarts = terms.policy.restarts_per_year
    closing = weigh.weigh(tally, observed.days, restarts_per_year=restarts)
    settled = settle(tally, moment.until_us)
    days = np.concatenate([observed.days, settled])
    bits = np.concatenate([closing, weigh.weigh(tally, settled, restarts_per_year=restarts)])
    beside = Beside.from_arrays(before.arrays)
    let_out = beside.observe(New(columns, refused_ones, observed, days, bits), tally, terms)
    if terms.signals is not None:
        let_out |= signals.followed(before.tables, asked_for, let_out["fetches"], terms.signals.shown)
    created_us = terms.known.find(tally.accounts).created_us
    budgets = budgets.joined(tally.accounts, created_us, tally.state["streams"])
    drawn, refused = _charged(budgets, columns, observed, terms, moment)
    spent = _Spent.of(before, columns["at_us"], observed, refused)
    spent, refused_on = spent.matched(days)
    tables = {
        "alone": weigh.evidence(tally),
        "refusals": budgets_.refusals(budgets),
        "timeline": _grown(
            before, "timeline", _timeline(tally, _watched(tally, budgets, terms), days, bits, refused_on)
        ),
        "days": _days_so_far(before, _days(columns["at_us"], days, refused_on), _open_days(tally)),
        **let_out,
        "draws": pa.table([drawn.account, drawn.parent, drawn.at_us], schema=DRAWS),
        "totals": _totals(before, tally, len(columns["at_us"]), n_future),
    }
    arrays = tally.arrays() | {f"budgets.{name}": a for name, a in budgets.arrays().items()}
    arrays |= spent.arrays() | beside.arrays()
    # An empty table is a file that nobody needs.
    tables = {name: table for name, table in tables.items() if len(table)}
    return Counted(arrays, tables, columns["recording"], (observed.novel | observed.late) & media(columns, moment))


def _served(columns: Arrays) -> tuple[Arrays, Arrays]:
    """Part what was served from what was refused."""
    if "status" not in columns or not bool((columns["status"] >= REFUSED_FROM).any()):
        return columns, {name: column[:0] for name, column in columns.items()}
    refused = columns["status"] >= REFUSED_FROM
    return tuple({n: c[chosen] for n, c in columns.items()} for chosen in (~refused, refused))  # type: ignore[return-value]


def media(columns: Arrays, moment: Moment) -> npt.NDArray[np.bool_]:
    """Mark the accesses that are given a recording itself and come in time."""
    in_time = columns["at_us"] <= moment.latest_us
    if "status" in columns:
        in_time = in_time & (columns["status"] < REFUSED_FROM)
    action = columns.get("action")
    return in_time if action is None else in_time & (action != Action.METADATA) & (action != Action.SEARCH)


def _in_order(columns: Arrays, latest_us: int) -> tuple[Arrays, int]:
    at = columns["at_us"]
    n_future = 0
    if len(at) and int(at.max()) > latest_us:
        kept = at <= latest_us
        n_future = len(at) - int(kept.sum())
        columns = {name: column[kept] for name, column in columns.items()}
        at = columns["at_us"]
    if len(at) > 1 and bool((at[1:] < at[:-1]).any()):
        order = np.argsort(at, kind="stable")
        columns = {name: column[order] for name, column in columns.items()}
    return columns, n_future


def _taken_up(before: Before, terms: Terms) -> tuple[Tally, Budgets]:
    if before.arrays is None:
        return Tally.empty(terms.people), Budgets.empty()
    own = {n.removeprefix("budgets."): a for n, a in before.arrays.items() if n.startswith("budgets.")}
    return Tally.from_arrays(before.arrays, terms.people), Budgets.from_arrays(own)


def _charged(
    budgets: Budgets, columns: Arrays, observed: Observed, terms: Terms, moment: Moment
) -> tuple[Draws, npt.NDArray[np.bool_]]:
    known = terms.known.find(budgets.account)
    at_us, slot, policy = columns["at_us"], observed.slot, terms.policy
    novel = observed.novel & ~budgets_.backfilling(budgets, slot, at_us, log_start_us=moment.log_start_us)
    refused = budgets_.charge_served(budgets, slot, at_us, novel=novel, policy=policy)
    if "rows" in columns:
        budgets_.charge_rows(budgets, slot, at_us, rows=columns["rows"], policy=policy)
    if not known.parent.any():
        return _NO_DRAWS, refused
    charged = novel & ~refused
    return budgets_.draws(budgets, slot, at_us, charged=charged, parent=known.parent), refused


@dataclass(frozen=True, slots=True)
class _Spent:
    """How many recordings a budget would have refused an account on a day that is not over."""

    slot: npt.NDArray[np.int32]
    day: npt.NDArray[np.int32]
    n: npt.NDArray[np.int64]

    @classmethod
    def of(
        cls, before: Before, at_us: npt.NDArray[np.int64], observed: Observed, refused: npt.NDArray[np.bool_]
    ) -> "_Spent":
        rows = np.flatnonzero(refused)
        slot, day = observed.slot[rows], (at_us[rows] // DAY_US).astype(np.int32)
        n = np.ones(len(rows), np.int64)
        if before.arrays is not None:
            slot = np.concatenate([before.arrays["spent.slot"], slot])
            day = np.concatenate([before.arrays["spent.day"], day])
            n = np.concatenate([before.arrays["spent.n"], n])
        keys, inverse = np.unique(_key(slot, day), return_inverse=True)
        return cls(
            (keys >> 32).astype(np.int32),
            (keys & 0xFFFFFFFF).astype(np.int32),
            np.bincount(inverse, weights=n, minlength=len(keys)).astype(np.int64),
        )

    def matched(self, days: npt.NDArray[np.void]) -> tuple["_Spent", npt.NDArray[np.int64]]:
        """Give each day that is over its share, and keep the rest."""
        on = np.zeros(len(days), np.int64)
        if not len(self.n) or not len(days):
            return self, on
        keys = _key(self.slot, self.day)
        wanted = _key(days["slot"], days["day"])
        at = np.minimum(np.searchsorted(keys, wanted), len(keys) - 1)
        there = keys[at] == wanted
        on[there] = self.n[at[there]]
        rest = np.ones(len(keys), np.bool_)
        rest[at[there]] = False
        return _Spent(self.slot[rest], self.day[rest], self.n[rest]), on

    def arrays(self) -> Arrays:
        return {"spent.slot": self.slot, "spent.day": self.day, "spent.n": self.n}


def _key(slot: npt.NDArray[np.int32], day: npt.NDArray[np.int32]) -> npt.NDArray[np.int64]:
    return (slot.astype(np.int64) << 32) | day.astype(np.int64)


def _watched(tally: Tally, budgets: Budgets, terms: Terms) -> npt.NDArray[np.bool_]:
    # A bucket holds about as many accounts as any other.
    lowest = threshold_bits(terms.policy, Restraint.SLOW, BUCKETS * len(tally.accounts))
    refused_ever = budgets.told[:, EVER] + budgets.rows_told[:, EVER]
    likely = (tally.state["most"]["joined"] >= min(TIMELINE_BITS, lowest)) | kinship.candidates(tally.state)
    watched: npt.NDArray[np.bool_] = likely | (refused_ever > 0)
    return watched


def _timeline(
    tally: Tally,
    watched: npt.NDArray[np.bool_],
    days: npt.NDArray[np.void],
    bits: npt.NDArray[np.float64],
    refused_on: npt.NDArray[np.int64],
) -> pa.Table:
    rows = np.flatnonzero(watched[days["slot"]])
    chosen = days[rows]
    return pa.table(
        [
            tally.accounts[chosen["slot"]],
            chosen["day"].copy(),
            bits[rows] - PRICES[ALONE],
            *(chosen[name].astype(np.int64) for name in ("plays", "novel", "rows")),
            refused_on[rows],
        ],
        schema=TIMELINE,
    )


def _days(at_us: npt.NDArray[np.int64], days: npt.NDArray[np.void], refused_on: npt.NDArray[np.int64]) -> pa.Table:
    """Sum by day the accesses that came and the account-days that closed; a day may have rows of several scans."""
    if not len(at_us) and not len(days):
        return DAYS.empty_table()
    ends = [int(at_us[0] // DAY_US), int(at_us[-1] // DAY_US)] if len(at_us) else []
    ends += [int(days["day"].min()), int(days["day"].max())] if len(days) else []
    first, width = min(ends), max(ends) - min(ends) + 1
    closed = days["day"] - first
    # Accesses stand in the order of time.
    begins = np.searchsorted(at_us, (np.arange(width + 1) + first) * DAY_US)
    sums = np.stack(
        [
            np.diff(begins),
            np.bincount(closed, minlength=width),
            *(np.bincount(closed, weights=days[name], minlength=width) for name in ("plays", "novel")),
            np.bincount(closed, weights=refused_on, minlength=width),
        ]
    ).astype(np.int64)
    rows = np.flatnonzero(sums.any(axis=0))
    return pa.table([(rows + first).astype(np.int32), *sums[:, rows], np.ones(len(rows), np.bool_)], schema=DAYS)


def _open_days(tally: Tally) -> pa.Table:
    state = tally.state[tally.state["day"] >= 0]
    found, inverse = np.unique(state["day"], return_inverse=True)
    accounts = np.bincount(inverse, minlength=len(found))
    plays, novel = (np.bincount(inverse, state[n], len(found)).astype(np.int64) for n in ("day_plays", "day_novel"))
    none = np.zeros(len(found), np.int64)
    over = np.zeros(len(found), np.bool_)
    return pa.table([found.astype(np.int32), none, accounts, plays, novel, none, over], schema=DAYS)


def _days_so_far(before: Before, new: pa.Table, still_open: pa.Table) -> pa.Table:
    old = before.tables.get("days")
    tables = [new, still_open] if old is None else [old.filter(old["over"]), new, still_open]
    return pa.concat_tables(tables).combine_chunks()


def _totals(before: Before, tally: Tally, n_accesses: int, n_future: int) -> pa.Table:
    old = before.tables.get("totals")
    was = old.to_pylist()[0] if old is not None and len(old) else {}
    state = tally.state
    row = {
        "accounts": len(state),
        "accesses": was.get("accesses", 0) + n_accesses,
        "future": was.get("future", 0) + n_future,
        "account_days": int(state["days"].sum()),
        "first_us": int(state["first_us"].min()) if len(state) else None,
        "last_us": int(state["last_us"].max()) if len(state) else None,
        **{name: int(state[name].sum()) for name in ("plays", "novel", "rows", "late")},
    }
    return pa.Table.from_pylist([row], schema=TOTALS)


def _grown(before: Before, name: str, new: pa.Table) -> pa.Table:
    old = before.tables.get(name)
    return new if old is None or not len(old) else pa.concat_tables([old, new]).combine_chunks()
