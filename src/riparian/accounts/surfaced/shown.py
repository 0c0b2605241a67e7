"""What a platform shows and refuses, so that following somebody else leaves a trace: order, refusals, canaries.

Everything here is a pure function of the deployment's secret and of codes, and costs an ordinary listener nothing:

* **jitter**: below the head of a long listing, each account sees the recordings of a block in an order of its own.
  A block is half as wide as the rank at which it begins, so that nothing moves far for its rank.  Two recordings of one
  block always stand in the same order for the same account, whatever the page, the day or the listing.
* **adopted refusals**: a small share of what an *elevated* account asks for the first time is answered as any
  outage is (503 and Retry-After), and so again on every retry.  Ask only for accounts that are elevated, and only
  for recordings that are new to them.
* **canaries**: recordings of the operator's own choice that no listing, search or recommendation shows.

``Shown`` is what the evidence must know of all this.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

import numpy as np
import numpy.typing as npt

from riparian.accounts.surfaced.lots import Codes, below, lots

HEAD: Final = 100
SPREAD: Final = 0.5
REFUSED_SHARE: Final = 0.02


def blocks(n: int, *, head: int = HEAD, spread: float = SPREAD) -> npt.NDArray[np.int32]:
    """Cut a listing into blocks inside which the order may be an account's own.

    Parameters
    ----------
    n
        Length of the listing.
    head
        Places at the top that everybody sees alike.
    spread
        Width of a block as a share of the rank at which it begins; at least 2 places.

    Returns
    -------
    np.ndarray [shape=(n,), int32]
        Number of the block of each place, -1 in the head.

    Examples
    --------
    >>> blocks(12, head=4, spread=0.5).tolist()
    [-1, -1, -1, -1, 0, 0, 1, 1, 1, 2, 2, 2]
    """
    out = np.full(n, -1, np.int32)
    begin, number = head, 0
    while begin < n:
        end = begin + max(2, int(begin * spread))
        out[begin:end] = number
        begin, number = end, number + 1
    return out


def jitter_order(secret: bytes, account: int, listing: Codes, *, head: int = HEAD, spread: float = SPREAD) -> Codes:
    """Give a listing in the order in which an account sees it.

    Parameters
    ----------
    account
        Its code.
    listing : np.ndarray [shape=(n,), uint64]
        Codes of recordings, in the order that everybody would see; none twice.

    Examples
    --------
    >>> listing = np.arange(1, 301, dtype=np.uint64)
    >>> one, other = jitter_order(bytes(16), 7, listing), jitter_order(bytes(16), 9, listing)
    >>> bool((one[:100] == listing[:100]).all()), bool((one == other).all()), sorted(one) == sorted(listing)
    (True, False, True)
    """
    block = blocks(len(listing), head=head, spread=spread)
    drawn = lots(secret, "jitter", account, listing)
    drawn[:head] = np.arange(min(head, len(listing)), dtype=np.uint64)
    return listing[np.lexsort((drawn, block))]


def refuses(
    secret: bytes, account: npt.ArrayLike, recording: npt.ArrayLike, *, share: float = REFUSED_SHARE
) -> npt.NDArray[np.bool_]:
    """Say whether an elevated account's first request for a recording is refused; the same at every retry.

    Examples
    --------
    >>> bool(0.015 < refuses(bytes(16), 7, np.arange(1, 10_001)).mean() < 0.025)
    True
    """
    return below(lots(secret, "refusal", account, recording), share)


def choose_canaries(secret: bytes, eligible: Codes, n: int) -> Codes:
    """Choose recordings to be kept out of everything that is shown.

    Parameters
    ----------
    eligible : np.ndarray [shape=(m,), uint64]
        Whose absence harms nobody: the operator's own test tones, second copies of an edition, releases not yet out.

    Returns
    -------
    np.ndarray [shape=(min(n, m),), uint64]
        Sorted.

    Examples
    --------
    >>> choose_canaries(bytes(16), np.arange(1, 1001, dtype=np.uint64), 3).size
    3
    """
    drawn = lots(secret, "canary", 0, eligible)
    return np.sort(eligible[np.argsort(drawn, kind="stable")[:n]])


@dataclass(frozen=True, slots=True)
class Listings:
    """In which block of which listing each recording stands.

    Parameters
    ----------
    codes : np.ndarray [shape=(n,), uint64, sorted]
    block : np.ndarray [shape=(n,), int32]
        -1 in a head.
    """

    codes: Codes = field(default_factory=lambda: np.empty(0, np.uint64))
    block: npt.NDArray[np.int32] = field(default_factory=lambda: np.empty(0, np.int32))

    @classmethod
    def of(cls, listings: Sequence[Codes], *, head: int = HEAD, spread: float = SPREAD) -> "Listings":
        """Take listings as everybody would see them; a recording counts in the first that shows it below its head.

        Which block a recording is counted in decides how much is seen, never how often an account is wronged.

        Examples
        --------
        >>> shown = Listings.of([np.arange(1, 151, dtype=np.uint64)])
        >>> shown.find(np.array([1, 120, 900], np.uint64)).tolist()
        [-1, 0, -1]
        """
        codes = np.concatenate([np.empty(0, np.uint64), *listings])
        parts, begin = [np.empty(0, np.int32)], 0
        for listing in listings:
            block = blocks(len(listing), head=head, spread=spread)
            parts.append(np.where(block < 0, -1, block + begin).astype(np.int32))
            begin += int(block.max(initial=-1)) + 1
        block = np.concatenate(parts)
        below_head = block >= 0
        kept, first = np.unique(codes[below_head], return_index=True)
        return cls(kept, block[below_head][first])

    def find(self, recordings: Codes) -> npt.NDArray[np.int32]:
        """Tell the block of each recording, -1 where none is known."""
        if not len(self.codes):
            return np.full(len(recordings), -1, np.int32)
        at = np.minimum(np.searchsorted(self.codes, recordings), len(self.codes) - 1)
        return np.where(self.codes[at] == recordings, self.block[at], -1).astype(np.int32)


@dataclass(frozen=True, slots=True)
class Shown:
    """What a platform draws by lot, as far as evidence must know it.

    Parameters
    ----------
    secret
        At least 16 bytes; the deployment's own.
    listings
        Where jitter is used; none when it is not.
    canaries : np.ndarray [shape=(n,), uint64, sorted]
    refused_share
        The share of new requests of elevated accounts that is refused.
    """

    secret: bytes = field(repr=False)
    listings: Listings = field(default_factory=Listings)
    canaries: Codes = field(default_factory=lambda: np.empty(0, np.uint64))
    refused_share: float = REFUSED_SHARE
