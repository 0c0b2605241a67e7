"""Who shares a list of work?

::

    new fetches of candidates --> searched every six hours --> cores, fixed from then on
                              `-> every account bets against every core, by its own later fetches

Two questions are asked of a core, by the order in which it works: rings that go through an order are known by
their frontier (:mod:`riparian.accounts.frontier`), rings that shuffle by what they never do together
(:mod:`riparian.accounts.avoidance`).

Two certificates
----------------
*The cluster's* says that these accounts share a list: all its fetches bet, and singling out ``k`` of ``N`` accounts is
paid for.  It restrains nobody.  *The member's own* rests on its own fetches after the core was fixed, each against what
others had fetched before; it pays for the cores tried, and for being one of ``N`` by the threshold that it has to
reach.  Who follows an account about adds nothing to that account's bits.

Core number ``j`` costs ``log2(j (j + 1))`` bits: these chances sum to one however many cores are tried.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from enum import IntEnum
from typing import Any, Final, Self

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from riparian.accounts import avoidance, frontier
from riparian.bets.combine import mix_bits, price_of_subset
from riparian.catalogue.cells import Cells
from riparian.evidence import GRID, KINSHIP, RING, Evidence, Row, Source, on_grid
from riparian.schema import DAY_US

VERSION: Final = "2"
KEPT_US: Final = 60 * DAY_US
"""How long a fetch is remembered."""
TICK_US: Final = DAY_US // 4
FRONTIER_US: Final = 14 * DAY_US
AVOIDANCE_US: Final = 42 * DAY_US
RING_BITS: Final = 10.0
"""Clusters with fewer bits, after the price of the search, are told to nobody."""
MEMBER_BITS: Final = 10.0
_CORES_MAX: Final = 64
_GROWN: Final = 0.05
"""Share of the fetches kept that must be new before clusters are searched again."""

_WIDE: Final = 3
_UNEVEN: Final = 0.08
"""How far the mean place in wide cells may be from the middle for a cluster to count as shuffled."""

FETCH: Final = np.dtype([("at_us", np.int64), ("account", np.uint64), ("work", np.int32), ("bits", np.float32)])
"""A new work of a candidate; ``bits`` are what the account had against it by itself at the end of that day."""
CORE: Final = np.dtype([("number", np.int32), ("order", np.int8), ("found_us", np.int64), ("members", np.int32)])
BEST: Final = np.dtype(
    [
        ("account", np.uint64), ("number", np.int32), ("bits", np.float64), ("price", np.float64),
        ("reached_us", np.int64), ("fetches", np.int64), ("expected", np.float64), ("seen", np.int64),
    ]
)  # fmt: skip

KIN: Final = pa.schema(
    [
        pa.field("account", pa.uint64(), nullable=False),
        pa.field("ring", pa.uint64(), nullable=False),
        pa.field("bits", pa.float64(), nullable=False),
        pa.field("reached_us", pa.int64(), nullable=False),
        pa.field("fetches", pa.int64(), nullable=False),
        pa.field("expected", pa.float64(), nullable=False),
        pa.field("seen", pa.int64(), nullable=False),
    ]
)
"""One row for each account with bits of its own against some core.  ``fetches`` were bet on; of them ``expected``
were to be near the others' frontier (or to meet what they had) by chance, and ``seen`` were."""
RINGS: Final = pa.schema(
    [
        pa.field("ring", pa.uint64(), nullable=False),
        pa.field("order", pa.string(), nullable=False),
        pa.field("found_us", pa.int64(), nullable=False),
        pa.field("accounts", pa.list_(pa.uint64()), nullable=False),
        pa.field("bits", pa.float64(), nullable=False),
        pa.field("price", pa.float64(), nullable=False),
        pa.field("fetches", pa.int64(), nullable=False),
        pa.field("expected", pa.float64(), nullable=False),
        pa.field("seen", pa.int64(), nullable=False),
    ]
)
"""One row a cluster: ``bits`` are those of the cluster after ``price`` was paid for the search."""


class Order(IntEnum):
    """In which order a core works: down the chart, by identifier, or in none."""

    POPULARITY = 0
    IDENTIFIER = 1
    NONE = 2


@dataclass(frozen=True, slots=True)
class Kin:
    """What is remembered between scans.

    Parameters
    ----------
    log : np.ndarray [shape=(fetches,), dtype=FETCH]
        New works that candidates fetched, in order of time.
    cores : np.ndarray [shape=(cores,), dtype=CORE]
    members : np.ndarray [shape=(sum of ``cores["members"]``,), uint64]
        Accounts of each core, one core after another.
    best : np.ndarray [shape=(accounts,), dtype=BEST]
        The most bits that each account ever had of its own.
    clock : np.ndarray [shape=(3,), int64]
        Last moment of search; fetches kept when clusters were last searched; cores tried.
    """

    log: npt.NDArray[np.void]
    cores: npt.NDArray[np.void]
    members: npt.NDArray[np.uint64]
    best: npt.NDArray[np.void]
    clock: npt.NDArray[np.int64]

    @classmethod
    def empty(cls) -> Self:
        """Nobody has been compared.

        Examples
        --------
        >>> len(Kin.empty().log)
        0
        """
        none = np.empty(0, np.uint64)
        return cls(np.empty(0, FETCH), np.empty(0, CORE), none, np.empty(0, BEST), np.zeros(3, np.int64))

    def arrays(self) -> dict[str, npt.NDArray[Any]]:
        """Everything to keep; the inverse of :meth:`from_arrays`."""
        return {name: getattr(self, name) for name in ("log", "cores", "members", "best", "clock")}

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, npt.NDArray[Any]]) -> Self:
        """Take up where it was left."""
        return cls(*(arrays[name] for name in ("log", "cores", "members", "best", "clock")))

    def core(self, row: int) -> npt.NDArray[np.uint64]:
        """Accounts of the core in this row."""
        ends = np.cumsum(self.cores["members"])
        return self.members[ends[row] - self.cores["members"][row] : ends[row]]


def candidates(state: npt.NDArray[np.void]) -> npt.NDArray[np.bool_]:
    """Choose the accounts worth comparing: nearly all they play is new to them, or more than half of it for long.

    Parameters
    ----------
    state : np.ndarray [shape=(accounts,)]
        Records with ``plays`` and ``novel``: what each account has played, and met anew, so far.

    Examples
    --------
    >>> kinds = np.array([(50, 50), (50, 40), (2_000, 1_100)], [("plays", "i8"), ("novel", "i8")])
    >>> candidates(kinds).tolist()
    [True, False, True]
    """
    plays, novel = state["plays"], state["novel"]
    # People begin with nine in ten, and come down to a half within some hundreds of plays.
    share = 0.5 + 0.4 * (100 / np.maximum(plays, 100)) ** 0.75
    chosen: npt.NDArray[np.bool_] = (novel >= 5) & (novel >= share * plays)
    return chosen


def follow(kin: Kin, fetches: npt.NDArray[np.void], cells: Cells, n_accounts: int) -> Kin:
    """Take in new fetches, search on the calendar, and let every account bet.

    Parameters
    ----------
    fetches : np.ndarray [shape=(fetches,), dtype=FETCH]
        Of candidates, in any order; not older than what was taken in before.
    cells
        Frozen before these fetches.
    n_accounts
        How many accounts there are, of which clusters are singled out.
    """
    kin = replace(kin, log=_logged(kin.log, fetches))
    if not len(kin.log) or not cells.n_works:
        return kin
    view = _View.of(kin.log, cells)
    for tick in _ticks(kin):
        kin = _searched(kin, view, tick, n_accounts)
    return replace(kin, best=_best(kin, view))


def _logged(log: npt.NDArray[np.void], fetches: npt.NDArray[np.void]) -> npt.NDArray[np.void]:
    both = np.concatenate([log, fetches[fetches["work"] >= 0]])
    if not len(both):
        return both
    both = both[both["at_us"] > both["at_us"].max() - KEPT_US]
    order = np.lexsort((both["at_us"], both["work"], both["account"]))
    again = both[order]
    first = np.ones(len(again), np.bool_)
    first[1:] = (again["work"][1:] != again["work"][:-1]) | (again["account"][1:] != again["account"][:-1])
    once: npt.NDArray[np.void] = again[first]
    return once[np.argsort(once["at_us"], kind="stable")]


@dataclass(frozen=True, slots=True)
class _View:
    """The log as the kernels read it: in order of time, and account after account (``_of``)."""

    at_us: npt.NDArray[np.int64]
    slot: npt.NDArray[np.int64]
    work: npt.NDArray[np.int64]
    accounts: npt.NDArray[np.uint64]
    cells: Cells
    bounds: npt.NDArray[np.int64]
    at_us_of: npt.NDArray[np.int64]
    keys_of: dict[Order, npt.NDArray[np.int64]]
    bit: npt.NDArray[np.int32]
    bits: npt.NDArray[np.float32]

    @classmethod
    def of(cls, log: npt.NDArray[np.void], cells: Cells) -> Self:
        accounts, slot = np.unique(log["account"], return_inverse=True)
        at_us, work = log["at_us"].copy(), log["work"].astype(np.int64)
        slot = slot.astype(np.int64)
        by_account = np.argsort(slot, kind="stable")
        bounds = np.searchsorted(slot[by_account], np.arange(len(accounts) + 1))
        keys = {Order.POPULARITY: work[by_account], Order.IDENTIFIER: cells.place[work[by_account]].astype(np.int64)}
        return cls(
            at_us,
            slot,
            work,
            accounts,
            cells,
            bounds,
            at_us[by_account],
            keys,
            cells.places_in_cells(),
            log["bits"].copy(),
        )

    def slots(self, accounts: npt.NDArray[np.uint64]) -> npt.NDArray[np.bool_]:
        return np.isin(self.accounts, accounts)

    def key(self, order: int) -> npt.NDArray[np.int64]:
        return self.cells.place[self.work].astype(np.int64) if order == Order.IDENTIFIER else self.work

    def between(self, since_us: int, until_us: int) -> slice:
        first, last = np.searchsorted(self.at_us, [since_us, until_us])
        return slice(int(first), int(last))

    def bet(self, order: int, members: npt.NDArray[np.uint64], since_us: int, want: float = np.inf) -> Any:
        """Bits under each alternative, and what :func:`frontier.bet` or :func:`avoidance.bet` told."""
        core, room = self.slots(members), 1 << int(np.ceil(np.log2(2 * len(self.at_us) + 2)))
        n, cells = len(self.accounts), self.cells
        if order == Order.NONE:
            meets = avoidance.MEETS, avoidance.MEETS_WEIGHTS
            where = self.slot, self.work, cells.artist, cells.cell, self.bit, len(cells.size)
            return avoidance.bet(self.at_us, *where, n, core, since_us, room, want, *meets)
        n_places = cells.n_works if order == Order.POPULARITY else int(cells.place.max()) + 1
        near = frontier.NEAR, frontier.NEAR_WEIGHTS
        what = self.slot, self.key(order), cells.artist[self.work].astype(np.int64), n_places
        return frontier.bet(self.at_us, *what, n, core, since_us, room, want, *near)


def _ticks(kin: Kin) -> Iterator[int]:
    first = max(int(kin.clock[0]), int(kin.log["at_us"][0])) // TICK_US + 1
    return (tick * TICK_US for tick in range(first, int(kin.log["at_us"][-1]) // TICK_US + 1))


def _searched(kin: Kin, view: _View, tick_us: int, n_accounts: int) -> Kin:
    found: list[tuple[Order, npt.NDArray[np.int64]]] = []
    for order, key in view.keys_of.items():
        cores = frontier.search(view.at_us_of, key, view.bounds, tick_us - FRONTIER_US, tick_us)
        found.extend((order, core) for core in cores)
    clock = kin.clock.copy()
    clock[0] = tick_us
    wide = view.between(tick_us - AVOIDANCE_US, tick_us)
    if wide.stop - clock[1] > _GROWN * (wide.stop - wide.start):
        clock[1] = wide.stop
        found.extend((Order.NONE, core) for core in _clusters(kin, view, tick_us, found, n_accounts))
    kin = replace(kin, clock=clock)
    for order, core in found:
        kin = _frozen(kin, order, view.accounts[core], tick_us)
    return kin


def _clusters(
    kin: Kin, view: _View, tick_us: int, ordered: list[tuple[Order, npt.NDArray[np.int64]]], n_accounts: int
) -> list[npt.NDArray[np.int64]]:
    """Search among those who are in no core that works in order."""
    known = np.zeros(len(view.accounts), np.bool_)
    for row in np.flatnonzero(kin.cores["order"] != Order.NONE).tolist():
        known |= view.slots(kin.core(row))
    for _, core in ordered:
        known[core] = True
    wide = view.between(tick_us - AVOIDANCE_US, tick_us)
    left = np.flatnonzero(~known[view.slot[wide]]) + wide.start
    slot, work, cells = view.slot[left], view.work[left], view.cells
    found = avoidance.search(slot, work, cells.cell, cells.size, n_accounts, _suspected(view, tick_us))
    return [core for core in found if _evenly(view, work[np.isin(slot, core)])]


def _suspected(view: _View, tick_us: int) -> npt.NDArray[np.float64]:
    """Tell what each account had against it by itself when the last day was over; what goes on today is not known."""
    over = view.between(tick_us - AVOIDANCE_US, tick_us // DAY_US * DAY_US)
    bits = np.full(len(view.accounts), -np.inf)
    np.maximum.at(bits, view.slot[over], view.bits[over])
    return bits


def _evenly(view: _View, work: npt.NDArray[np.int64]) -> bool:
    """Tell whether works are spread over their cells as a shuffled list is, not the most played ones first."""
    last = view.cells.size[view.cells.cell[work]] - 1
    wide = last >= _WIDE
    return bool(wide.any() and abs(float((view.bit[work][wide] / last[wide]).mean()) - 0.5) <= _UNEVEN)


def _frozen(kin: Kin, order: Order, members: npt.NDArray[np.uint64], tick_us: int) -> Kin:
    """Fix a core from this moment on, unless one like it, not much smaller, is fixed already."""
    for row in np.flatnonzero(kin.cores["order"] == order).tolist():
        core = kin.core(row)
        if len(members) < 1.5 * len(core) and np.isin(members, core).mean() >= 0.6:
            return kin
    clock = kin.clock.copy()
    clock[2] += 1
    core = np.array([(clock[2], order, tick_us, len(members))], CORE)
    kin = replace(kin, cores=np.append(kin.cores, core), members=np.append(kin.members, members), clock=clock)
    if len(kin.cores) > _CORES_MAX:
        kin = replace(kin, cores=kin.cores[1:], members=kin.members[kin.cores["members"][0] :])
    return kin


def _price(number: Any) -> Any:
    return np.log2(number * (number + 1.0))


def _best(kin: Kin, view: _View) -> npt.NDArray[np.void]:
    rows = [kin.best]
    for row, core in enumerate(kin.cores):
        _, told = view.bet(core["order"], kin.core(row), int(core["found_us"]))
        price = on_grid(-float(_price(core["number"])))
        some = np.flatnonzero(told[:, 0] + price > 0)
        best = np.empty(len(some), BEST)
        best["account"], best["number"], best["price"] = view.accounts[some], core["number"], price
        best["bits"] = np.floor(told[some, 0] * GRID) / GRID + price
        for i, name in enumerate(("reached_us", "fetches", "expected", "seen"), 1):
            best[name] = told[some, i]
        rows.append(best)
    every = np.concatenate(rows)
    every = every[np.lexsort((-every["bits"], every["account"]))]
    first = np.ones(len(every), np.bool_)
    first[1:] = every["account"][1:] != every["account"][:-1]
    return every[first]


def crossed(kin: Kin, cells: Cells, accounts: npt.NDArray[np.uint64], want: float) -> npt.NDArray[np.int64]:
    """Tell when each account first had so many bits of its own; 0 where it never had [shape=(accounts,)]."""
    view, never = _View.of(kin.log, cells), np.iinfo(np.int64).max
    first = np.full(len(view.accounts), never)
    for row, core in enumerate(kin.cores):
        price = float(_price(core["number"]))
        _, told = view.bet(core["order"], kin.core(row), int(core["found_us"]), want + price)
        first = np.where(told[:, 5] > 0, np.minimum(first, told[:, 5].astype(np.int64)), first)
    at = np.minimum(np.searchsorted(view.accounts, accounts), len(first) - 1)
    return np.where((view.accounts[at] == accounts) & (first[at] < never), first[at], 0)


def accounts_table(kin: Kin) -> pa.Table:
    """Tell each account's own bits, as a table with schema ``KIN``."""
    best = kin.best
    return pa.table([best["account"], _ring_code(best["number"]), *(best[name] for name in KIN.names[2:])], schema=KIN)


def _ring_code(number: Any) -> npt.NDArray[np.uint64]:
    return np.asarray(number, np.uint64) * np.uint64(0x9E3779B97F4A7C15)


def rings_table(kin: Kin, cells: Cells, n_accounts: int) -> pa.Table:
    """Tell the clusters that have their certificate, newest first where two are nearly one; schema ``RINGS``."""
    rows: list[dict[str, Any]] = []
    told: list[npt.NDArray[np.uint64]] = []
    if len(kin.log) and cells.n_works:
        view = _View.of(kin.log, cells)
        for row in range(len(kin.cores) - 1, -1, -1):
            ring = _cluster(kin, view, row, n_accounts)
            members = np.array(ring["accounts"], np.uint64)
            if ring["bits"] >= RING_BITS and not any(np.isin(members, other).mean() > 0.5 for other in told):
                told.append(members)
                rows.append(ring)
    return pa.Table.from_pylist(rows, schema=RINGS)


def _cluster(kin: Kin, view: _View, row: int, n_accounts: int) -> dict[str, Any]:
    core = kin.cores[row]
    members = kin.core(row)
    logs, told = view.bet(core["order"], members, 0)
    inside = view.slots(members)
    weights = avoidance.MEETS_WEIGHTS if core["order"] == Order.NONE else frontier.NEAR_WEIGHTS
    price = price_of_subset(max(n_accounts, len(members)), len(members)) + float(_price(core["number"]))
    bits = on_grid(mix_bits(logs[inside].sum(axis=0).tolist(), weights.tolist())) + on_grid(-price)
    own = kin.best["account"][(kin.best["number"] == core["number"]) & (kin.best["bits"] >= MEMBER_BITS)]
    return {
        "ring": int(_ring_code(core["number"])),
        "order": Order(core["order"]).name.lower(),
        "found_us": int(core["found_us"]),
        "accounts": np.union1d(members, own).tolist(),
        "bits": bits,
        "price": price,
        "fetches": int(told[inside, 2].sum()),
        "expected": float(told[inside, 3].sum()),
        "seen": int(told[inside, 4].sum()),
    }


def explain_member(kin: Kin, account: int) -> Evidence | None:
    """Explain one account's own bits; None when it has none."""
    rows = np.flatnonzero(kin.best["account"] == account)
    if not len(rows):
        return None
    best = kin.best[rows[0]]
    core = kin.cores[kin.cores["number"] == best["number"]]
    shuffled = len(core) > 0 and core["order"][0] == Order.NONE
    label = "keeps clear of what the ring has fetched" if shuffled else "keeps pace with the ring down its list"
    price = float(best["price"])
    return Evidence(
        claim=KINSHIP,
        subject=account,
        bits=float(best["bits"]),
        waterfall=(Row(label, float(best["bits"]) - price), Row("the price of the rings looked at", price)),
        reached_us=int(best["reached_us"]),
        source=Source(KINSHIP.name, VERSION),
        facts={name: best[name].item() for name in ("fetches", "expected", "seen")}
        | {"ring": int(_ring_code(best["number"]))},
    )


def explain_ring(ring: Mapping[str, Any]) -> Evidence:
    """Explain a row of ``RINGS``: what the cluster gains, and what singling it out costs."""
    bits, price = float(ring["bits"]), on_grid(-float(ring["price"]))
    label = (
        "its members keep clear of one another" if ring["order"] == "none" else "its members keep pace down one list"
    )
    return Evidence(
        claim=RING,
        subject=int(ring["ring"]),
        bits=bits,
        waterfall=(Row(label, bits - price), Row("the price of the search", price)),
        reached_us=int(ring["found_us"]),
        source=Source(RING.name, VERSION),
        facts={name: ring[name] for name in ("accounts", "order", "fetches", "expected", "seen")},
    )
