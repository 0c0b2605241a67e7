"""To whom was the list issued that this one was made from, and how surely?

The law
-------
A tenant who had no part in a found list has bits that were drawn apart from it.  Over that draw, given the list and all
other tenants' bits, the mean of ``2**bits`` is at most one, whatever was done to the list: rows left out, durations
rounded, texts cleaned, rows matched wrongly, lists mixed in whatever way.  So such a tenant reaches ``b`` bits with
chance at most ``2**-b``, and any of ``n`` with chance at most ``n 2**-b``.  Nothing else of the procedure looks at a
bit: which kinds of cells tell anything, how durations were rounded, the weights of ways to mix, what is learned of a
way without a name, and at which height each bet is sharpest (:mod:`riparian.bets.chernoff`) come of the list, the key's
chances and the bits that were asked for.  Nor does how the list was matched, if what was issued to tenants was not used
in matching it.

The bits are fair bets' as everywhere; that each is sharpened for the height that was asked for makes the bound exactly
Chernoff's there.

Rounds
------
As with marks: whoever is named is known in the next round, which weighs the others given that.  Round ``r`` costs
``log2(r (r + 1))`` bits.

What is not claimed
-------------------
That whoever is named gave the list away: it may have been taken from them.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray
from scipy.special import logsumexp

from riparian.bets.channels import ONE, SIXTEENTHS, Cells, Channel, Fitted, Way, learned, log_e
from riparian.bets.chernoff import log_tail, tilted
from riparian.bets.strategies import fit
from riparian.errors import InputError
from riparian.evidence import DERIVED, Evidence, Row, Source, on_grid
from riparian.metadata.canaries.code import CanaryKey, bits, seeds
from riparian.metadata.canaries.read import Told

SOURCE: Final = Source("canaries.trace", "1")
ROUNDS_MAX: Final = 12
_WAYS: Final = (
    ONE,
    *(Channel(Way.LOT, n) for n in (2, 3, 4, 5, 8)),
    *(Channel(way, n) for way in (Way.MOST, Way.FEWEST, Way.COIN) for n in (3, 4, 5, 8)),
)
_LEARNED: Final = (2, 3, 4)
_OF_ONE: Final = 1 / 4
_BATCH: Final = 512
_BITS: Final = 1 / math.log(2)
_SLACK: Final = 1e-9  # far above what is lost to rounding in sums of logarithms, far below the grid
_LEAST: Final = 1e-3
_GRID: Final = 1 / 1024


@dataclass(frozen=True, slots=True, eq=False)
class Named:
    """A tenant to whom the list, or a part of it, was issued.

    Parameters
    ----------
    tenant
        Its place among the tenants.
    evidence
        ``DERIVED``.
    log2_chance
        ``log2`` of Chernoff's bound, for the height that was reached, on the chance that this tenant came so far by
        lot; for one tenant, among those asked.
    """

    tenant: int
    evidence: Evidence
    log2_chance: float


@dataclass(frozen=True, slots=True, eq=False)
class Traced:
    """To whom a list was issued.

    Parameters
    ----------
    named
        Whoever has the bits that were asked for, the surest first.
    runner_up_bits
        Of whoever came next.
    needed_bits
        What was asked for.
    """

    named: tuple[Named, ...]
    runner_up_bits: float
    needed_bits: float


def trace(
    key: CanaryKey,
    told: Told,
    tenants: Sequence[str],
    subjects: NDArray[np.uint64],
    *,
    needed_bits: float,
    at_us: int,
    epochs: int = 1,
) -> Traced:
    """Say to whom a found list was issued.

    Parameters
    ----------
    key
        Of the epoch.
    told
        What the list has in each cell.
    tenants
        Everybody to whom a list of this epoch was issued, one or more, each once.
    subjects : np.ndarray [shape=(n,), uint64]
        Their pseudonyms, as evidence has them.
    needed_bits
        ``log2`` of tenants times lists traced a year, by the mistakes that are tolerated a year.
    at_us
        When this is asked; microseconds since 1970, UTC.
    epochs
        How many were tried before this one was kept, 1 or more: paid for.

    Raises
    ------
    InputError
        When there is nobody, or a tenant twice.
    """
    if not tenants or len(set(tenants)) < len(tenants):
        raise InputError(
            f"{len(tenants)} tenants are {len(set(tenants))} different ones, wanted one or more, each once"
        )
    of = seeds(key, tenants)
    price = math.log2(epochs)
    known: list[int] = []
    found: list[tuple[int, int, Bets]] = []
    while True:
        r = len({r for _, r, _ in found}) + 1
        wanted = needed_bits + _round_price(r) + price + 2 * _GRID * (len(told.kinds) + 4)
        bets = Bets.of(told, bits(key, of[known], told.cells), wanted / _BITS)
        nats = bets.weigh(key, of, told.cells)
        rest = np.setdiff1d(np.arange(of.size), known)
        new = rest[nats[rest] * _BITS >= wanted]
        if not new.size or r == ROUNDS_MAX:
            break
        found += [(i, r, bets) for i in new.tolist()]
        known += new.tolist()
    runner_up = float(nats[rest].max()) * _BITS - _round_price(r) - price if rest.size else -math.inf
    made = _Made(told, int(of.size), needed_bits, at_us, epochs)
    named = [made.named(i, int(subjects[i]), r, bet, bits(key, of[i : i + 1], told.cells)[0]) for i, r, bet in found]
    return Traced(tuple(sorted(named, key=lambda one: -one.evidence.bits)), on_grid(runner_up), needed_bits)


def _round_price(r: int) -> float:
    return math.log2(r * (r + 1))


@dataclass(frozen=True, slots=True, eq=False)
class Bets:
    """What every way of mixing says of either bit in each cell.

    Parameters
    ----------
    plain, sharp : np.ndarray [shape=(2, ways, n)]
        Log of the bet on False and on True, as it is and sharpened for the height that was asked for.
    log_weights : np.ndarray [shape=(ways,)]
        They sum to one.
    names
        Of the ways.
    """

    plain: NDArray[np.float64]
    sharp: NDArray[np.float64]
    log_weights: NDArray[np.float64]
    names: tuple[str, ...]

    @classmethod
    def of(cls, told: Told, known: NDArray[np.bool_], needed_nats: float) -> "Bets":
        """Bet on what a list has in each cell.

        Parameters
        ----------
        told
            The list.
        known : np.ndarray [shape=(k, n), bool]
            Bits of those that were named before.
        needed_nats
            At how many one will act.
        """
        ways: list[Channel | Fitted] = [*_WAYS]
        parts = [_cells(told, known, ~told.are_rows), _cells(told, known, told.are_rows)]
        alone = _cells(told, known[:0], ~told.are_rows)
        ways += [fit(alone, n) for n in _LEARNED] if alone.soft.size else []
        each = [_of_way(way, parts, told) for way in ways]
        prior = np.full(len(ways), (1 - _OF_ONE) / (len(ways) - 1))
        prior[0] = _OF_ONE
        log_weights = learned(prior, np.array([explained for _, explained in each]))
        plain = np.stack([table for table, _ in each], axis=1)
        p, heights = told.chance / SIXTEENTHS, np.maximum(needed_nats - log_weights, 1.0)
        sharp = [
            np.stack(tilted(down, up, p, height))
            for down, up, height in zip(plain[0], plain[1], heights.tolist(), strict=True)
        ]
        return cls(plain, np.stack(sharp, axis=1), log_weights, tuple(way.name for way in ways))

    def weigh(self, key: CanaryKey, of: NDArray[np.uint64], cells: NDArray[np.uint64]) -> NDArray[np.float64]:
        """Weigh tenants; nats, shape=(n,)."""
        found = np.empty(of.size)
        for at in range(0, of.size, _BATCH):
            is_up = bits(key, of[at : at + _BATCH], cells).astype(np.float64)
            found[at : at + _BATCH] = logsumexp(self.each(is_up), axis=1)
        return found

    def each(self, is_up: NDArray[np.float64]) -> NDArray[np.float64]:
        """Give what each way says [shape=(m, ways)], weighted, of bits [shape=(m, n), 0 or 1]; nats."""
        each: NDArray[np.float64] = is_up @ (self.sharp[1] - self.sharp[0]).T + self.sharp[0].sum(axis=1)
        return each + self.log_weights

    def leading(self, is_up: NDArray[np.bool_]) -> tuple[int, float]:
        """Give the way that says most of one tenant, and what all say together; nats."""
        each = self.each(is_up[None].astype(np.float64))[0]
        return int(each.argmax()), float(logsumexp(each))

    def log_chance(self, is_up: NDArray[np.bool_], p: NDArray[np.float64]) -> float:
        """Bound the chance of coming so far by lot, by Chernoff over all ways; nats."""
        bounds = []
        for i, weight in enumerate(self.log_weights.tolist()):
            down, up = self.plain[:, i]
            bounds.append(log_tail(down, up, p, float(np.where(is_up, up, down).sum())) - weight)
        return float(np.min([0.0, *bounds]))


def _cells(told: Told, known: NDArray[np.bool_], where: NDArray[np.bool_]) -> Cells:
    chance = told.chance[where].astype(np.int64)
    return Cells(told.soft[where], chance, len(known), known[:, where].sum(axis=0, dtype=np.int64))


def _of_way(way: Channel | Fitted, parts: Sequence[Cells], told: Told) -> tuple[NDArray[np.float64], float]:
    """Give the bets [shape=(2, n)] of one way, and how well it explains the list."""
    table, explained = np.zeros((2, told.cells.size)), 0.0
    writings, of_rows = parts
    if writings.soft.size:
        down, up, told_by = log_e(way, writings)
        table[:, ~told.are_rows] = down, up
        explained += told_by
    if of_rows.soft.size:
        down, up, told_by = max((log_e(one, of_rows) for one in _of_rows(way, told)), key=lambda one: one[2])
        table[:, told.are_rows] = down, up
        explained += told_by
    return table, explained


def _of_rows(way: Channel | Fitted, told: Told) -> list[Fitted]:
    """List how rows that stand for nothing may come to be there, of so many lists, each kept so often."""
    n = way.accounts
    kept = min(max(told.coverage, _LEAST), 1 - _LEAST)
    by_lot = tuple(kept * k / n for k in range(n + 1))
    if n == 1:
        return [Fitted(by_lot, way.name)]
    anybody = tuple(kept * (k > 0) for k in range(n + 1))
    everybody = tuple(kept * (k == n) for k in range(n + 1))
    return [Fitted(table, way.name) for table in (by_lot, anybody, everybody)]


@dataclass(frozen=True, slots=True, eq=False)
class _Made:
    """What every explanation is made from."""

    told: Told
    tenants: int
    needed_bits: float
    at_us: int
    epochs: int

    def named(self, tenant: int, subject: int, r: int, bets: Bets, is_up: NDArray[np.bool_]) -> Named:
        way, total = bets.leading(is_up)
        rows = self._rows(r, bets, way, total * _BITS - _SLACK, is_up)
        log_chance = bets.log_chance(is_up, self.told.chance / SIXTEENTHS) * _BITS
        price = _round_price(r) + math.log2(self.epochs)
        facts = {
            "rows": self.told.rows,
            "recordings": self.told.recordings,
            "cells": int(self.told.cells.size),
            "cells_by_kind": self._by_kind(),
            "left_out": list(self.told.left_out),
            "durations": self.told.form,
            "coverage": round(self.told.coverage, 6),
            "mixed": bets.names[way],
            "round": r,
            "tenants": self.tenants,
            "needed_bits": self.needed_bits,
        }
        evidence = Evidence(DERIVED, subject, sum(row.bits for row in rows), rows, self.at_us, SOURCE, facts)
        return Named(tenant, evidence, min(0.0, log_chance + price))

    def _by_kind(self) -> dict[str, int]:
        counts = np.bincount(self.told.kind, minlength=len(self.told.kinds))
        return {kind: int(n) for kind, n in zip(self.told.kinds, counts.tolist(), strict=True) if n}

    def _rows(self, r: int, bets: Bets, way: int, total: float, is_up: NDArray[np.bool_]) -> tuple[Row, ...]:
        of_cells = np.where(is_up, bets.sharp[1, way], bets.sharp[0, way]) * _BITS
        by_kind = np.bincount(self.told.kind, of_cells, len(self.told.kinds))
        rows = [Row(kind, on_grid(float(said))) for kind, said in zip(self.told.kinds, by_kind.tolist(), strict=True)]
        rows.append(
            Row(
                f"taken as of {bets.names[way]}; it may have come about otherwise",
                on_grid(total - sum(x.bits for x in rows)),
            )
        )
        rows.append(Row(f"named in round {r}", on_grid(-_round_price(r))))
        if self.epochs > 1:
            rows.append(Row(f"{self.epochs} epochs were tried", on_grid(-math.log2(self.epochs))))
        return tuple(rows)
