"""Do the artists of one account belong together as one person's do?

A person has a few scenes; what they take belongs together more than chance has it, and less than one scene would.  A
list that is dealt by artist or shuffled belongs together less; an invented persona, or one scene dealt whole, more.
*Coherence* says how much: the mean cosine of the account's distinct artists, two by two, under vectors learnt from
earlier logs (:mod:`riparian.accounts.colistening`).

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

Symbols
-------
k, S   distinct artists with a vector; the sum of their vectors: coherence = (|S|**2 - k) / (k (k - 1))
level  tenths of the way from the middle of all accounts to their 5 % point (apart) or 95 % point (alike)

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
from numba import njit

from riparian.accounts.colistening import Codes, Vectors, fold_of, vectors_of
from riparian.accounts.join import ANSWER
from riparian.accounts.ladders import PRICE, Ladders, rung_of
from riparian.evidence import GRID, TASTE, Evidence, Row, Source, on_grid

VERSION: Final = "1"
SIZES: Final = (100, 200, 400)
"""New recordings after which an account is looked at."""
LEAST_ARTISTS: Final = 30
"""An account with fewer distinct artists that have a vector is not judged at that size."""
RANKED: Final = 1_000
"""Honest accounts from which on ranks are used; fewer certify less than people declare."""
MIDDLE_OF: Final = 200
"""Accounts without which nobody knows where the middle is."""
TAILS: Final = ("apart", "alike")
"""Below and above the middle, as the ladders of the people file are called."""
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
class Embedding:
    """What earlier logs say of taste: vectors, and how coherent accounts are; frozen before anybody is judged by it.

    Parameters
    ----------
    vectors
        Of artists.
    middle : np.ndarray [shape=(sizes, 3)]
        The 5 %, 50 % and 95 % points of coherence over all accounts at each size; NaN where there are too few.
    as_of_us
        End of the logs that it was learnt from.
    """

    vectors: Vectors
    middle: npt.NDArray[np.float64]
    as_of_us: int

    def arrays(self) -> dict[str, npt.NDArray[Any]]:
        """Lay it down."""
        return {
            "artists": self.vectors.artists,
            "by_fold": self.vectors.by_fold,
            "middle": self.middle,
            "as_of_us": np.array([self.as_of_us]),
        }

    @classmethod
    def from_arrays(cls, arrays: dict[str, npt.NDArray[Any]]) -> "Embedding":
        """Take it up."""
        vectors = Vectors(arrays["artists"], arrays["by_fold"])
        return cls(vectors, arrays["middle"], int(arrays["as_of_us"][0]))


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


def learn(accounts: Codes, artists: Codes, *, as_of_us: int) -> Embedding:
    """Learn from earlier logs which artists go together, and how well those of most accounts do.

    Parameters
    ----------
    accounts, artists : np.ndarray [shape=(fetches,), uint64]
        Who took a recording new to them, and whose it was; in order of time for each account.
    as_of_us
        End of these logs.
    """
    vectors = vectors_of(accounts, artists)
    order = np.argsort(accounts, kind="stable")
    who, starts = _runs(accounts[order])
    coherence, _ = _coherences(vectors, who, starts, artists[order])
    middle = np.full((len(SIZES), 3), np.nan)
    for i in range(len(SIZES)):
        known = coherence[~np.isnan(coherence[:, i]), i]
        if len(known) >= MIDDLE_OF:
            middle[i] = np.quantile(known, [0.05, 0.5, 0.95])
    return Embedding(vectors, middle, as_of_us)


def follow(taste: Taste, embedding: Embedding, account: Codes, artist: Codes, at_us: npt.NDArray[np.int64]) -> Taste:
    """Take new fetches into account, and look at whoever reached a size with them.

    Parameters
    ----------
    account, artist, at_us
        New fetches of the accounts that are looked at, later than those before.

    Returns
    -------
    Taste
        The same whether fetches come at once or in parts.
    """
    done = taste.judged["account"][taste.judged["size"] == SIZES[-1]]
    fresh = ~np.isin(account, done)
    n_before = len(taste.account)
    merged = [np.concatenate(pair) for pair in ((taste.account, account[fresh]), (taste.artist, artist[fresh]))]
    at = np.concatenate([taste.at_us, at_us[fresh]])
    order = np.lexsort((at, merged[0]))
    merged, at = [column[order] for column in merged], at[order]
    who, starts = _runs(merged[0])
    before = np.add.reduceat((order < n_before).astype(np.int64), starts[:-1]) if len(who) else np.empty(0, np.int64)
    looks = _looks(embedding, who, starts, merged[1], at, before)
    waits = np.repeat(np.diff(starts) < SIZES[-1], np.diff(starts))
    return Taste(merged[0][waits], merged[1][waits], at[waits], np.concatenate([taste.judged, looks]))


def _looks(
    embedding: Embedding, who: Codes, starts: npt.NDArray[np.int64], artists: Codes, at_us: npt.NDArray[np.int64],
    before: npt.NDArray[np.int64],
) -> Records:  # fmt: skip
    """Look at accounts that had ``before`` fetches and now have those between ``starts``."""
    coherence, many = _coherences(embedding.vectors, who, starts, artists)
    looks = []
    for i, size in enumerate(SIZES):
        rows = np.flatnonzero((before < size) & (np.diff(starts) >= size))
        made = np.zeros(len(rows), JUDGED)
        made["account"], made["size"], made["at_us"] = who[rows], size, at_us[starts[rows] + size - 1]
        made["artists"], made["coherence"] = many[rows, i], coherence[rows, i]
        made["learnt_us"] = embedding.as_of_us
        made["level"] = _levels(made["coherence"], embedding.middle[i])
        looks.append(made)
    together = np.concatenate(looks)
    return together[np.lexsort((together["account"], together["at_us"]))]


def _levels(coherence: npt.NDArray[np.float64], middle: npt.NDArray[np.float64]) -> npt.NDArray[np.int32]:
    """Tell how far looks are from the middle, below and above it [shape=(looks, tails)]; zero when nobody knows."""
    low, mid, high = middle
    level = np.zeros((len(coherence), len(TAILS)))
    if high > mid > low:
        level[:, 0], level[:, 1] = (mid - coherence) / (mid - low), (coherence - mid) / (high - mid)
    return np.clip(np.floor(10 * np.nan_to_num(level)), 0, 10_000).astype(np.int32)


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


def _runs(accounts: Codes) -> tuple[Codes, npt.NDArray[np.int64]]:
    """Tell which accounts there are, and where each one's run of a sorted column starts, and the last ends."""
    starts = np.flatnonzero(np.append(True, accounts[1:] != accounts[:-1])) if len(accounts) else np.empty(0, np.int64)
    return accounts[starts], np.append(starts, len(accounts))


def _coherences(
    vectors: Vectors, who: Codes, starts: npt.NDArray[np.int64], artists: Codes
) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.int32]]:
    """Tell how well the artists of accounts go together at each size, and how many there are [shape=(accounts, sizes)].

    NaN for an account that has not reached the size, or with too few artists.
    """
    coherence = np.full((len(who), len(SIZES)), np.nan)
    many = np.zeros((len(who), len(SIZES)), np.int32)
    # Each account is judged by the fold that it did not teach.
    _cohere(vectors.by_fold, 1 - fold_of(who), starts, vectors.find(artists), np.array(SIZES), coherence, many)
    coherence[many < LEAST_ARTISTS] = np.nan
    return coherence, many


@njit(cache=True, nogil=True)
def _cohere(by_fold: Any, fold: Any, starts: Any, rows: Any, sizes: Any, coherence: Any, many: Any) -> None:
    met = np.full(by_fold.shape[1], -1)
    total = np.zeros(by_fold.shape[2])
    for i in range(len(starts) - 1):
        total[:] = 0
        k, at = 0, 0
        for place in range(min(starts[i + 1] - starts[i], sizes[-1])):
            row = rows[starts[i] + place]
            if row >= 0 and met[row] != i:
                met[row] = i
                vector, length = by_fold[fold[i], row], 0.0
                for j in range(len(vector)):
                    total[j] += vector[j]
                    length += vector[j] * vector[j]
                k += length > 0.5
            if place + 1 == sizes[at]:
                many[i, at] = k
                if k > 1:
                    coherence[i, at] = ((total * total).sum() - k) / (k * (k - 1.0))
                at += 1
