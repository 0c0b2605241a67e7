"""Do the artists of one account belong together as one person's do?

A person has a few scenes; what they take belongs together more than chance has it, and less than one scene would.  A
list that is dealt by artist or shuffled belongs together less; an invented persona, or one scene dealt whole, more.
How much, :mod:`riparian.accounts.coherence` says, under vectors learnt from earlier logs.

It is asked three times in an account's life, when it has been followed through 100, 200 and 400 recordings new to it,
and never again.

Hypothesis
----------
Null: the account is exchangeable with the accounts believed honest that were followed by the same rule.  With ``n`` of
them at a size (``RANKED`` or more) the answer is a rank, priced for three sizes and two tails:

    bits = log2((n + 1) / (1 + as extreme)) - log2(6)

so that ``P(b bits) <= 2**-b`` whenever one asks, by Boole's inequality; nobody certifies more than ``log2(n + 1)``.
With fewer, the shares are *declared* (``[taste]`` of the people file): how far from the middle of all accounts honest
ones ever get, at any of the sizes.  Which of the two holds for an account is settled by the ``n`` of its first size.

Fails when
----------
It is a trait: it sees what an account is, not what it intends.  Families, venues and explorers are apart; who loves one
scene is alike.  They must be among the honest, in their shares.  What is new to an account of long standing is less
coherent than what a new one begins with, so who is followed from the first recording on, and who only later, may
not be mixed.  Who deals a list by a few scenes to each account, as a person has them, is not seen.

Source
------
Vovk, Gammerman & Shafer (2005), *Algorithmic learning in a random world*, section 2.2: ranks among exchangeable ones.
"""

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from riparian.accounts.coherence import SIZES, TAILS, Embedding, coherences, learn, levels, runs
from riparian.accounts.colistening import Codes
from riparian.accounts.join import ANSWER
from riparian.accounts.ladders import PRICE, Ladders, rung_of
from riparian.evidence import GRID, TASTE, Evidence, Row, Source, on_grid

__all__ = ["Embedding", "Taste", "answers", "explain", "follow", "learn"]

VERSION: Final = "1"
RANKED: Final = 1_000
"""Honest accounts from which on ranks are used; fewer certify less than people declare."""
SIZES_PRICE: Final = "at three sizes, below or above"

JUDGED: Final = np.dtype(
    [
        ("account", "u8"), ("at_us", "i8"), ("learnt_us", "i8"), ("size", "i4"), ("artists", "i4"), ("coherence", "f8"),
        ("level", "i4", 2),
    ]
)  # fmt: skip
"""One look at an account: when; end of the logs of the embedding; new recordings and distinct artists then; coherence
(NaN with too few artists); level, for each of ``TAILS``."""

RANK: Final = np.dtype([("honest", "i4"), ("extreme", "i4", 2), ("used", "?")])
"""Where a look stands: honest accounts that it is ranked among; as extreme ones, for each of ``TAILS``; whether the
rank is what counts, and not the ladder."""

Records = npt.NDArray[np.void]


@dataclass(frozen=True, slots=True)
class Taste:
    """What is remembered of accounts that are looked at: their new fetches until the last size, and every look.

    Parameters
    ----------
    account, artist, at_us
        New fetches of accounts that have not reached the last size, in order of time for each account.
    judged
        Records of JUDGED.
    """

    account: Codes
    artist: Codes
    at_us: npt.NDArray[np.int64]
    judged: Records

    @classmethod
    def empty(cls) -> "Taste":
        """Nobody has been looked at."""
        return cls(np.empty(0, np.uint64), np.empty(0, np.uint64), np.empty(0, np.int64), np.empty(0, JUDGED))

    def arrays(self) -> dict[str, npt.NDArray[Any]]:
        """Lay it down; records of looks as one array a field."""
        looks = {f"judged.{name}": self.judged[name] for name in JUDGED.names or ()}
        return {"account": self.account, "artist": self.artist, "at_us": self.at_us} | looks

    @classmethod
    def from_arrays(cls, arrays: dict[str, npt.NDArray[Any]]) -> "Taste":
        """Take it up."""
        judged = np.empty(len(arrays["judged.account"]), JUDGED)
        for name in JUDGED.names or ():
            judged[name] = arrays[f"judged.{name}"]
        return cls(arrays["account"], arrays["artist"], arrays["at_us"], judged)


def follow(
    taste: Taste, embedding: Embedding | None, account: Codes, artist: Codes, at_us: npt.NDArray[np.int64]
) -> Taste:
    """Take new fetches into account, and look at whoever has reached a size.

    Parameters
    ----------
    embedding
        None while nothing is learnt: then fetches wait, so that everybody is followed from the first one on.
    account, artist, at_us
        New fetches of the accounts that are looked at, later than those before.

    Returns
    -------
    Taste
        The same whether fetches come at once or in parts.
    """
    done = taste.judged["account"][taste.judged["size"] == SIZES[-1]]
    fresh = np.flatnonzero(~np.isin(account, done))
    fresh = fresh[np.lexsort((at_us[fresh], account[fresh]))]
    accounts, artists = np.append(taste.account, account[fresh]), np.append(taste.artist, artist[fresh])
    at = np.append(taste.at_us, at_us[fresh])
    # Two sorted runs: a stable sort merges them.
    order = np.argsort(accounts, kind="stable")
    accounts, artists, at = accounts[order], artists[order], at[order]
    who, starts = runs(accounts)
    judged = taste.judged
    if embedding is not None:
        judged = np.concatenate([judged, _looks(embedding, judged, who, starts, artists, at)])
    done = judged["account"][judged["size"] == SIZES[-1]]
    place = np.arange(len(at)) - np.repeat(starts[:-1], np.diff(starts))
    waits = ~np.isin(accounts, done) & (place < SIZES[-1])
    return Taste(accounts[waits], artists[waits], at[waits], judged)


def _looks(
    embedding: Embedding, judged: Records, who: Codes, starts: npt.NDArray[np.int64], artists: Codes,
    at_us: npt.NDArray[np.int64],
) -> Records:  # fmt: skip
    """Look at accounts, whose fetches stand between ``starts``, at the sizes at which nobody looked at them before."""
    have = np.diff(starts)
    due = np.stack([~np.isin(who, judged["account"][judged["size"] == s]) & (have >= s) for s in SIZES], axis=1)
    coherence, many = coherences(embedding.vectors, who, starts, artists, np.flatnonzero(due.any(axis=1)))
    looks = []
    for i, size in enumerate(SIZES):
        rows = np.flatnonzero(due[:, i])
        made = np.zeros(len(rows), JUDGED)
        made["account"], made["size"] = who[rows], size
        made["at_us"] = np.maximum(at_us[starts[rows] + size - 1], embedding.as_of_us)
        made["artists"], made["coherence"] = many[rows, i], coherence[rows, i]
        made["learnt_us"] = embedding.as_of_us
        made["level"] = levels(made["coherence"], embedding.middle[i])
        looks.append(made)
    together = np.concatenate(looks)
    return together[np.lexsort((together["account"], together["at_us"]))]


def answers(taste: Taste, honest: Codes, ladders: Ladders) -> pa.Table:
    """Tell the bits of every account that has any.

    Parameters
    ----------
    honest : np.ndarray [uint64]
        Accounts believed honest; those that were followed, by the same rule as everybody, are ranked against.
    ladders
        ``taste`` of the people file; none when the question is suspended, and then nobody has bits.

    Returns
    -------
    pa.Table [schema=ANSWER]
        At most one row an account.
    """
    judged = taste.judged
    bits = bits_of(judged, ranks_of(judged, honest), ladders).max(axis=1, initial=0.0)
    order = np.lexsort((judged["at_us"], -bits, judged["account"]))
    order = order[bits[order] > 0]
    best = order[np.unique(judged["account"][order], return_index=True)[1]]
    name = pa.array([TASTE.name]).take(pa.array(np.zeros(len(best), np.int8)))
    account, at_us = judged["account"][best].copy(), judged["at_us"][best].copy()
    return pa.table([account, name, name, bits[best], bits[best], at_us], schema=ANSWER)


def explain(account: int, taste: Taste, honest: Codes, ladders: Ladders) -> Evidence:
    """Explain the bits of one account, in rows that sum to the total exactly.

    Raises
    ------
    ValueError
        When the account was never looked at, or the question is suspended.
    """
    mine = taste.judged["account"] == account
    if not mine.any() or not ladders:
        raise ValueError(f"account {account} was never looked at, wanted one that has {SIZES[0]} new recordings")
    ranks = ranks_of(taste.judged, honest)
    bits = np.where(mine[:, None], bits_of(taste.judged, ranks, ladders), -np.inf)
    row, tail = (int(i) for i in np.unravel_index(int(bits.argmax()), bits.shape))
    look, rank = taste.judged[row], ranks[row]
    waterfall = tuple(_rows(look, rank, tail, ladders))
    return Evidence(
        claim=TASTE,
        subject=account,
        bits=sum(step.bits for step in waterfall),
        waterfall=waterfall,
        reached_us=int(look["at_us"]),
        source=Source(TASTE.name, VERSION),
        facts={
            "coherence": round(float(look["coherence"]), 4),
            "artists": int(look["artists"]),
            "recordings": int(look["size"]),
            "honest_accounts": int(rank["honest"]),
            "as_extreme": int(rank["extreme"][tail]),
            "level": int(look["level"][tail]),
            "side": TAILS[tail],
        },
    )


def _rows(look: Any, rank: Any, tail: int, ladders: Ladders) -> Iterator[Row]:
    side = ("less", "more")[tail]
    what = f"its {look['artists']:,} artists, after {look['size']:,} new recordings, belong together {side}"
    if rank["used"]:
        n, extreme = int(rank["honest"]), int(rank["extreme"][tail])
        yield Row(f"{what}: as much so are {extreme:,} of {n:,} honest accounts", on_grid(_rank_bits(n, extreme)))
        yield Row(SIZES_PRICE, -_sizes_price())
        return
    ladder, level = ladders[TAILS[tail]], int(look["level"][tail])
    rung = int(rung_of(ladder.levels, level))
    share = float(ladder.shares[rung - 1]) if rung else 1.0
    yield Row(f"{what}, level {level:,}: one in {round(1 / share):,} ever gets so far, as declared", ladder.bits(rung))
    yield Row(PRICE, ladder.price)


def bits_of(judged: Records, ranks: Records, ladders: Ladders) -> npt.NDArray[np.float64]:
    """Tell the bits of looks, price taken off: what they are worth as rank, or as declared.

    Parameters
    ----------
    judged, ranks
        Records of JUDGED and RANK, one a look.
    ladders
        As for :func:`answers`.

    Returns
    -------
    np.ndarray [shape=(looks, tails)]
    """
    bits = np.zeros((len(judged), len(TAILS)))
    if not ladders:
        return bits
    for tail, name in enumerate(TAILS):
        ladder = ladders[name]
        table = np.array([ladder.bits(rung) + ladder.price for rung in range(len(ladder.levels) + 1)])
        declared = table[np.searchsorted(ladder.levels, judged["level"][:, tail], side="right")]
        ranked = np.floor(_rank_bits(ranks["honest"], ranks["extreme"][:, tail]) * GRID) / GRID - _sizes_price()
        bits[:, tail] = np.where(ranks["used"], ranked, declared)
    return bits


def ranks_of(judged: Records, honest: Codes) -> Records:
    """Rank looks among those at honest accounts, at the same size under the same embedding.

    Returns
    -------
    np.ndarray [shape=(looks,), dtype=RANK]
    """
    ranks = np.zeros(len(judged), RANK)
    vouched = np.isin(judged["account"], honest)
    known = ~np.isnan(judged["coherence"])
    for learnt_us in np.unique(judged["learnt_us"]):
        for size in SIZES:
            rows = np.flatnonzero((judged["learnt_us"] == learnt_us) & (judged["size"] == size))
            among = np.sort(judged["coherence"][rows[vouched[rows] & known[rows]]])
            value = judged["coherence"][rows]
            ranks["honest"][rows] = len(among)
            ranks["extreme"][rows, 0] = np.searchsorted(among, value, side="right")
            ranks["extreme"][rows, 1] = len(among) - np.searchsorted(among, value, side="left")
    ranks["extreme"][~known] = ranks["honest"][~known, None]
    ranks["used"] = _first_of_account(judged, ranks["honest"]) >= RANKED
    return ranks


def _first_of_account(judged: Records, value: npt.NDArray[Any]) -> npt.NDArray[Any]:
    """For each look, the value at the account's first size."""
    order = np.lexsort((judged["size"], judged["account"]))
    _, first, back = np.unique(judged["account"][order], return_index=True, return_inverse=True)
    out = np.empty_like(value)
    out[order] = value[order][first][back]
    return out


def _rank_bits(honest: Any, extreme: Any) -> Any:
    return np.log2(np.asarray(honest) + 1.0) - np.log2(np.asarray(extreme) + 1.0)


def _sizes_price() -> float:
    return math.ceil(math.log2(len(SIZES) * len(TAILS)) * GRID) / GRID
