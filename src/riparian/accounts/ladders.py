"""How rare is it among honest accounts ever to get so far?

Some questions have no bet: how many accounts share a device, how many places somebody is in.  They have a
*ladder*: levels, and beside each the share of honest accounts that ever reach it, as the people file declares
(:mod:`riparian.accounts.people`).  An account that has reached a level has ``-log2`` of its share in bits, and
keeps them: a trait is a trait.

Hypothesis
----------
Null: the share of honest accounts that *ever* reach a level is at most the declared one.  Then ``-log2`` of the
share at the highest level reached is a p-process: ``P(ever b bits) <= 2**-b``, however often one looks.  The
ladders of one question are joined by a union bound, weights fixed in the file:

    bits = max over ladders of (-log2 share + log2 weight)

Fails when
----------
A declared share is too small for the service: schools with one set of tablets, a library, a hotel.  A ladder
adds no more than ``-log2`` of its smallest share, whatever an account does.

Source
------
Boole's inequality; Ramdas, Grünwald, Vovk & Shafer (2023), *Game-theoretic statistics and safe anytime-valid
inference*, section 2, for p-processes.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa
from numba import njit

from riparian.accounts.join import ANSWER
from riparian.evidence import Claim, Evidence, Row, Source, on_grid
from riparian.schema import DAY_US

LEVELS: Final = pa.schema(
    [
        pa.field("account", pa.uint64(), nullable=False),
        pa.field("ladder", pa.string(), nullable=False),
        pa.field("level", pa.int64(), nullable=False),
        pa.field("rung", pa.int32(), nullable=False),
        pa.field("reached_us", pa.int64(), nullable=False),
    ]
)
"""How far accounts have got: the highest level ever, the rung of the ladder that it stands on (from 1), and when that
rung was reached.  An account below the first rung has no row."""

REACHED: Final = np.dtype([("level", np.int32), ("day", np.int32), ("rung", np.int8)])
"""How far one account got on one ladder: the most ever, the rung, and the day since 1970 on which it was reached."""

PRICE: Final = "one of several ladders, weights fixed beforehand"


@dataclass(frozen=True, slots=True)
class Ladder:
    """Levels, and the share of honest accounts that ever reach each.

    Parameters
    ----------
    weight
        Its part in the union bound of its question.
    because
        What the level counts, and who gets far without copying anything.
    levels : np.ndarray [shape=(rungs,), int64, ascending]
        The levels, from 1.
    shares : np.ndarray [shape=(rungs,), descending]
        Shares of honest accounts that ever reach them.
    """

    weight: float
    because: str
    levels: npt.NDArray[np.int64]
    shares: npt.NDArray[np.float64]

    @property
    def most(self) -> float:
        """The most bits that it can ever give, its price taken off.

        Examples
        --------
        >>> Ladder(0.5, "", np.array([2, 9]), np.array([0.1, 0.0625])).most
        3.0
        """
        return self.bits(len(self.levels)) + self.price

    @property
    def price(self) -> float:
        """What asking several ladders costs; bits, at most zero."""
        return on_grid(math.log2(self.weight))

    def bits(self, rung: int) -> float:
        """Tell the bits of a rung, before the price; zero below the first.

        Examples
        --------
        >>> ladder = Ladder(1.0, "", np.array([2, 9]), np.array([0.25, 0.0625]))
        >>> [ladder.bits(rung) for rung in range(3)]
        [0.0, 2.0, 4.0]
        """
        return on_grid(-math.log2(self.shares[rung - 1])) if rung > 0 else 0.0


Ladders = Mapping[str, Ladder]
"""The ladders of one question, by name."""


@njit(cache=True, nogil=True)
def rung_of(levels: Any, level: Any) -> Any:
    """Count the rungs that a level reaches.

    Examples
    --------
    >>> [int(rung_of(np.array([2, 5]), level)) for level in (1, 2, 4, 9)]
    [0, 1, 1, 2]
    """
    rung = 0
    while rung < len(levels) and levels[rung] <= level:
        rung += 1
    return rung


@njit(cache=True, nogil=True)
def climb(reached: Any, levels: Any, level: Any, day: Any) -> None:
    """Let an account be at a level on a day; ``reached`` is a record of REACHED."""
    if level > reached.level:
        reached.level = level
        rung = rung_of(levels, level)
        if rung > reached.rung:
            reached.rung = rung
            reached.day = day


def levels_of(ladders: Ladders, name: str) -> npt.NDArray[np.int64]:
    """Tell the levels of a ladder; none when its question is suspended."""
    return ladders[name].levels if name in ladders else np.empty(0, np.int64)


def levels_table(name: str, accounts: npt.NDArray[np.uint64], reached: npt.NDArray[np.void]) -> pa.Table:
    """Write how far accounts got on one ladder, leaving out who is below its first rung.

    Parameters
    ----------
    name
        Of the ladder.
    reached : np.ndarray [shape=(accounts,), dtype=REACHED]
        One an account.

    Returns
    -------
    pa.Table [schema=LEVELS]
        Reached counts from the end of the day.
    """
    on = np.flatnonzero(reached["rung"] > 0)
    reached = reached[on]
    columns = [
        accounts[on],
        pa.array([name]).take(pa.array(np.zeros(len(on), np.int8))),
        reached["level"].astype(np.int64),
        reached["rung"].astype(np.int32),
        (reached["day"].astype(np.int64) + 1) * DAY_US,
    ]
    return pa.table(columns, schema=LEVELS)


def answers(claim: Claim, reached: pa.Table, ladders: Ladders) -> pa.Table:
    """Tell the bits of every account that has any.

    Parameters
    ----------
    claim
        What the question claims; it is named as the question.
    reached
        ``LEVELS`` of all the question's ladders.
    ladders
        As the people file declares them; none for a question that is suspended.

    Returns
    -------
    pa.Table [schema=ANSWER]
        At most one row an account.
    """
    bits = np.zeros(len(reached))
    names = reached["ladder"].combine_chunks()
    for name, ladder in ladders.items():
        table = np.array([ladder.bits(rung) + ladder.price for rung in range(len(ladder.levels) + 1)])
        mine = np.asarray(pa.compute.equal(names, name).to_numpy(zero_copy_only=False), np.bool_)
        bits[mine] = table[reached["rung"].to_numpy()[mine]]
    account, us = reached["account"].to_numpy(), reached["reached_us"].to_numpy()
    order = np.lexsort((us, -bits, account))
    first = order[np.diff(account[order].astype(np.int64), prepend=account[order][:1].astype(np.int64) ^ 1) != 0]
    first = first[bits[first] > 0]
    same = pa.array([claim.name]).take(pa.array(np.zeros(len(first), np.int8)))
    return pa.table([account[first], same, same, bits[first], bits[first], us[first]], schema=ANSWER)


def explain(claim: Claim, account: int, reached: pa.Table, ladders: Ladders, version: str) -> Evidence:
    """Explain the bits of one account, in rows that sum to the total exactly.

    Parameters
    ----------
    account
        Its code.
    reached
        ``LEVELS`` of all the question's ladders.
    version
        Of the people.

    Raises
    ------
    ValueError
        When the account has reached no rung.
    """
    rows = reached.filter(pa.compute.equal(reached["account"], pa.scalar(account, pa.uint64()))).to_pylist()
    rows = [row for row in rows if row["ladder"] in ladders]
    if not rows:
        raise ValueError(f"account {account} has reached no rung of `{claim.name}`, wanted one that has")
    best = max(rows, key=lambda row: (_bits(row, ladders), -row["reached_us"]))
    ladder = ladders[best["ladder"]]
    share = float(ladder.shares[best["rung"] - 1])
    told = f"{ladder.because}: {best['level']:,}; {_among(share)} honest accounts ever gets to"
    waterfall = (
        Row(f"{told} {ladder.levels[best['rung'] - 1]:,}, as declared", ladder.bits(best["rung"])),
        Row(PRICE, ladder.price),
    )
    return Evidence(
        claim=claim,
        subject=account,
        bits=_bits(best, ladders),
        waterfall=waterfall,
        reached_us=best["reached_us"],
        source=Source(claim.name, version),
        facts={row["ladder"]: row["level"] for row in rows} | {"share_declared": share, "ladder": best["ladder"]},
    )


def _bits(row: Mapping[str, Any], ladders: Ladders) -> float:
    ladder = ladders[row["ladder"]]
    return ladder.bits(row["rung"]) + ladder.price


def _among(share: float) -> str:
    return f"one in {round(1 / share):,}"
