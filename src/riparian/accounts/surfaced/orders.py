"""Does an account fetch in the order in which another account was shown a listing?

Two recordings of one block stand in an order that was drawn for each account by lot.  Whoever works through
a queue that another account read out of a listing fetches in that account's order, however the queue is divided.

Hypothesis
----------
Null: what the follower asks for, and when, does not depend on the issuer's lots.  Then, whatever else it depends on,
the ``j``-th recording that the follower takes from a block is equally likely to stand at each of the ``j`` places
among them in the issuer's order, and independently of the places before (Rényi 1962): the issuer's lots are
exchangeable.  Only the follower's own requests enter, so that nobody else can give it bits.
Alternative: it works in batches.  With chance ``fresh`` the recording opens a new batch and stands behind all before;
else it belongs to the batch in hand, and stands anywhere among those that were taken of it.  How large batches are is
not known: the chances of each size are carried along, and ``fresh`` is mixed over; now and then something is left over.

Price
-----
Every account that read enough of listings is looked at as issuer, once in each tier of amounts (``READ_ROWS``) that
it passes.  The ``i``-th to pass tier ``t`` costs ``log2 (t + 1) (t + 2) + k + log2 (k + 1) (k + 2)`` bits, ``k =
floor(log2 i)``: these weights sum to one for ever, however many follow.  An issuer counts at its cheapest.

Fails when
----------
The queue is sorted anew (by popularity, by identifier, shuffled); the order is averaged over many readers; a
listing is so short that a worker takes less than two recordings of a block; an issuer's order was published, as a
playlist is: accesses from playlists are not to be handed over.

Source
------
Rényi (1962), *Théorie des éléments saillants d'une suite d'observations* (relative ranks).
"""

from typing import Any, Final

import numpy as np
import numpy.typing as npt
from numba import njit

from riparian.accounts.surfaced.asked import NEVER_US, READ_ROWS, Asked
from riparian.accounts.surfaced.lots import Codes, lots

FRESH: Final = (0.95, 0.6, 0.3, 0.1)
LEFT_OVER: Final = 0.1
GROUP_MAX: Final = 64
"""So many recordings of a block are compared with one another; then begins a new group."""
ISSUERS_MAX: Final = 1_024
"""The first so many accounts of each tier are looked at as issuers."""
PROMISING: Final = 2.0
"""Standard deviations above what the lots give that a plain count has to reach once for the bet to be worked out."""
_PROMISING_FROM: Final = 5

ISSUER: Final = np.dtype([("account", "u8"), ("first_us", "i8"), ("passed_us", "i8"), ("price", "f8")])

FOUND: Final = np.dtype(
    [
        ("account", "u8"),
        ("most", "f8"),
        ("now", "f8"),
        ("reached_us", "i8"),
        ("n", "i8"),
        ("hits", "i8"),
        ("issuer", "u8"),
        ("price", "f8"),
    ]
)
"""What a bet found of an account: the most bits before any price, those of today, when the most were reached, how many
times was bet, how often it came true, who issued, and the price of having looked for that."""


def price_of_issuer(number: int, tier: int = 0) -> float:
    """Bits that it costs to look at the ``number``-th issuer of a tier, counted from 1.

    Examples
    --------
    >>> [round(price_of_issuer(n), 1) for n in (1, 10, 1000)]
    [2.0, 8.3, 16.8]
    >>> sum(2.0 ** -price_of_issuer(n, t) for n in range(1, 2_000) for t in range(9)) < 1
    True
    """
    k = int(number).bit_length() - 1
    return float(np.log2((tier + 1.0) * (tier + 2.0)) + k + np.log2((k + 1.0) * (k + 2.0)))


def issuers(asked: Asked) -> npt.NDArray[np.void]:
    """List the accounts that read enough of listings, each at its cheapest tier, as records of ``ISSUER``."""
    readers = asked.readers
    prices = np.full((len(readers), len(READ_ROWS)), np.inf)
    for tier in range(len(READ_ROWS)):
        order = np.lexsort((readers["account"], readers["passed_us"][:, tier]))[:ISSUERS_MAX]
        passed = order[readers["passed_us"][order, tier] < NEVER_US]
        prices[passed, tier] = [price_of_issuer(number, tier) for number in range(1, len(passed) + 1)]
    chosen = np.flatnonzero(np.isfinite(prices).any(axis=1))
    cheapest = prices[chosen].argmin(axis=1)
    out = np.empty(len(chosen), ISSUER)
    out["account"], out["first_us"] = readers["account"][chosen], readers["first_us"][chosen]
    out["passed_us"], out["price"] = readers["passed_us"][chosen, cheapest], prices[chosen, cheapest]
    return out


def turned_away(asked: Asked) -> int:
    """Count the accounts that read enough of listings and are not looked at, since too many came before.

    Examples
    --------
    >>> turned_away(Asked.empty())
    0
    """
    return int((asked.readers["passed_us"][:, 0] < NEVER_US).sum()) - len(issuers(asked))


def follows(asked: Asked, secret: bytes) -> npt.NDArray[np.void]:
    """Bet on every watched account as follower of every issuer.

    Returns
    -------
    np.ndarray [shape=(accounts,), dtype=FOUND]
        The issuer that leaves most after its price.
    """
    asks = asked.asks[asked.asks["block"] >= 0]
    accounts, begins = np.unique(asks["account"], return_index=True)
    found = np.zeros(len(accounts), FOUND)
    found["account"] = accounts
    found["most"] = found["now"] = -np.inf
    offsets = np.append(begins, len(asks))
    rows, opens = grouped(offsets, asks["block"])
    distinct, which = np.unique(asks["recording"], return_inverse=True)
    at_us = np.ascontiguousarray(asks["at_us"])
    expected = _plain_count()
    for issuer in issuers(asked):
        order = lots(secret, "jitter", issuer["account"], distinct)[which]
        _follow_one(offsets, at_us, order, rows, opens, np.array(FRESH), expected, found, issuer)
    return found[found["n"] > 0]


def path(at_us: npt.NDArray[np.int64], block: npt.NDArray[np.int32], order: Codes) -> npt.NDArray[np.float64]:
    """Give the bits of one follower and one issuer after each request, before any price.

    Parameters
    ----------
    at_us, block : np.ndarray [shape=(n,)]
        The follower's first requests in order of time, and their blocks.
    order : np.ndarray [shape=(n,), uint64]
        The issuer's lots of their recordings.

    Examples
    --------
    >>> in_order = np.arange(30, dtype=np.uint64)
    >>> one_block = np.zeros(30, np.int32)
    >>> bits = path(np.arange(30), one_block, in_order)
    >>> float(bits[0]), bool(bits[-1] > 80), bool(path(np.arange(30), one_block, in_order[::-1])[-1] < 0)
    (0.0, True, True)
    """
    n = len(block)
    out, places, late = np.empty(n), np.empty(n, np.int64), np.empty(n, np.int64)
    rows, opens = grouped(np.array([0, n]), block)
    _late(0, n, at_us, order, rows, opens, np.iinfo(np.int64).min, places, late)
    _path(0, n, rows, places, late, np.array(FRESH), out)
    return out


def _plain_count() -> npt.NDArray[np.float64]:
    # Mean and variance by the lots of log2(places / (late + 1)), for each number of places.
    worth = [np.log2(places / np.arange(1.0, places + 1)) for places in range(1, GROUP_MAX + 1)]
    return np.array([(0.0, 0.0), *((each.mean(), each.var()) for each in worth)])


def grouped(
    offsets: npt.NDArray[np.int64], block: npt.NDArray[np.int32]
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.bool_]]:
    """Put the requests of each account block by block, in groups of at most ``GROUP_MAX``.

    Returns
    -------
    rows : np.ndarray [shape=(n,)]
        The requests of account ``a`` at ``offsets[a]`` to ``offsets[a + 1]``, as before.
    opens : np.ndarray [shape=(n,), bool]
        Whether a group begins there.

    Examples
    --------
    >>> rows, opens = grouped(np.array([0, 4]), np.array([0, 1, 0, 0], np.int32))
    >>> rows.tolist(), opens.tolist()
    ([0, 2, 3, 1], [True, False, False, True])
    """
    account = np.repeat(np.arange(len(offsets) - 1), np.diff(offsets))
    rows = np.lexsort((np.arange(len(block)), block, account))
    same = (account[rows][1:] == account[rows][:-1]) & (block[rows][1:] == block[rows][:-1])
    opens = np.concatenate([[True], ~same])[: len(block)]
    begins = np.flatnonzero(opens)
    place = np.arange(len(block)) - np.repeat(begins, np.diff(np.append(begins, len(block))))
    return rows, place % GROUP_MAX == 0


@njit(cache=True, nogil=True)
def _chance(batch, places, late, fresh) -> Any:  # type: ignore[no-untyped-def]
    """Chance that the newest of ``places`` has ``late`` before it that should come after; ``batch`` moves on by one.

    ``batch[m]`` is the chance that the recording before had ``m`` of its own batch before it.
    """
    for m in range(places - 1, 0, -1):
        batch[m] = (1 - fresh) * batch[m - 1]
    batch[0] = fresh
    chance = 0.0
    for m in range(places):
        batch[m] = batch[m] / (m + 1) if m >= late else 0.0
        chance += batch[m]
    if chance > 0:
        batch[:places] /= chance
    else:
        # What no batch explains was left over from an earlier one; it is taken to have opened a new batch.
        batch[0] = 1.0
    return chance


@njit(cache=True, nogil=True)
def _late(begin, end, at_us, order, rows, opens, since_us, places, late) -> Any:  # type: ignore[no-untyped-def]
    # For each request: how many of its group there are with it, and how many of them should have come after it.
    held = np.empty(GROUP_MAX, np.uint64)
    n = 0
    for row in range(begin, end):
        if opens[row]:
            n = 0
        i = rows[row]
        places[i - begin] = late[i - begin] = 0
        if at_us[i] < since_us:
            continue
        for p in range(n):
            late[i - begin] += held[p] > order[i]
        held[n] = order[i]
        n += 1
        places[i - begin] = n


@njit(cache=True, nogil=True)
def _is_promising(n, places, late, expected) -> Any:  # type: ignore[no-untyped-def]
    # Once promising stays promising: what was ever reached is not lost when an account goes on otherwise.
    seen, total, variance = 0, 0.0, 0.0
    for i in range(n):
        if places[i] < 2:
            continue
        seen += 1
        total += np.log2(places[i] / (late[i] + 1.0)) - expected[places[i], 0]
        variance += expected[places[i], 1]
        if seen >= _PROMISING_FROM and total > PROMISING * np.sqrt(variance):
            return True
    return False


@njit(cache=True, nogil=True)
def _path(begin, end, rows, places, late, fresh, out) -> Any:  # type: ignore[no-untyped-def]
    batch = np.zeros((len(fresh), GROUP_MAX))
    gains = np.zeros((end - begin, len(fresh)))
    for row in range(begin, end):
        i = rows[row] - begin
        if places[i] == 1:
            batch[:, 0] = 1.0
        if places[i] < 2:
            continue
        for f in range(len(fresh)):
            chance = _chance(batch[f], places[i], late[i], fresh[f])
            gains[i, f] = np.log2((1 - LEFT_OVER) * chance * places[i] + LEFT_OVER)
    likelihood = np.zeros(len(fresh))
    for i in range(end - begin):
        likelihood += gains[i]
        top = likelihood.max()
        out[i] = top + np.log2(np.mean(2.0 ** (likelihood - top)))


@njit(cache=True, nogil=True)
def _follow_one(offsets, at_us, order, rows, opens, fresh, expected, found, issuer) -> Any:  # type: ignore[no-untyped-def]
    longest = 0
    for a in range(len(found)):
        longest = max(longest, offsets[a + 1] - offsets[a])
    bits = np.empty(longest)
    places, late = np.empty(longest, np.int64), np.empty(longest, np.int64)
    for a in range(len(found)):
        begin, end = offsets[a], offsets[a + 1]
        n = end - begin
        if found[a].account == issuer.account or at_us[end - 1] < issuer.first_us:
            continue
        _late(begin, end, at_us, order, rows, opens, issuer.first_us, places, late)
        if not _is_promising(n, places, late, expected):
            continue
        _path(begin, end, rows, places, late, fresh, bits)
        best = np.argmax(bits[:n])
        found[a].now = max(found[a].now, bits[n - 1] - issuer.price)
        if bits[best] - issuer.price > found[a].most - found[a].price:
            found[a].most, found[a].price = bits[best], issuer.price
            found[a].reached_us = max(at_us[begin + best], issuer.passed_us)
            found[a].n, found[a].hits = np.sum(places[:n] > 1), np.sum((places[:n] > 1) & (late[:n] == 0))
            found[a].issuer = issuer.account
