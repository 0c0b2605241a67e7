"""Which bits does a copy carry that is issued to this account?

An account's *word* is a sequence of bits, as many as a recording has cells, drawn as if by lot: a keyed hash of the
account's seed, of the recording and of the place.  Nobody keeps words: whoever has the key can say any account's bit
at any place, and whoever has not can tell nothing of a bit from any other, nor of one account's from another's.

Two copies put together have the bits on which their words differ; what is left where they agree still tells of both.
How much is left depends on the *bias*, the chance that a bit is +1.  With even chances one reader alone is found
soonest; with uneven ones a few who mix their copies in a way that hides even bits (the value that fewest of them have)
still give themselves away.

Tiers
-----
``one``: all chances are even.  For files that are marked for one recipient each (16 cells a chunk).

``many``: each cell's chance is one of :data:`~riparian.bets.channels.MANY`, drawn by key.  For renditions that an edge
composes (one cell a chunk), where whoever compares two accounts' copies sees which chunks differ.  The mixture is
public; which cell has which chance is not, so that an attack cannot be fitted to it.

Conventions
-----------
* Bits are -1 and 1.  Cells are numbered chunk by chunk; a longer recording's word begins with the shorter one's.
* Chances are whole sixteenths, so that a bit is an exact comparison.
* A seed is 64 bits.  That two of a million accounts share one, and so all their words, has chance 3e-8; that one of
  them shares a given leaker's, 5e-14.

Source
------
Aumasson, J.-P. and Bernstein, D. J. (2012), SipHash: a fast short-input PRF.  Tardos, G. (2008), Optimal probabilistic
fingerprint codes, section 2.  Nuida, K. et al. (2009), An improvement of discrete Tardos fingerprinting codes: few
chances suffice.
"""

from enum import StrEnum
from typing import Final

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from riparian.bets.channels import MANY, SIXTEENTHS
from riparian.codes import codes_of, hash_pairs, sip_start
from riparian.errors import InputError
from riparian.marks.keys import MarkKey
from riparian.marks.layout import Layout

SEED_BITS: Final = 64
_EVEN: Final = SIXTEENTHS // 2
_U = np.uint64


class Tier(StrEnum):
    """Against whom a word is made."""

    ONE = "one"
    MANY = "many"

    @property
    def cell_bits(self) -> int:
        """How many bits of the hash a cell takes."""
        return 1 if self is Tier.ONE else 4


def bits(key: MarkKey, recording: str, account: str, layout: Layout, chunks: int, tier: Tier) -> NDArray[np.int8]:
    """Give the word of one account.

    Parameters
    ----------
    key
        Of the epoch in which the copy is issued.
    recording
        Which.
    account
        To whom; not empty.
    layout
        Says how many cells a chunk has.
    chunks
        How many the recording has, 1 or more.
    tier
        Which chances.

    Returns
    -------
    bits : np.ndarray [shape=(chunks, groups), int8]
        -1 or 1.

    Raises
    ------
    InputError
        When the account is empty.

    Examples
    --------
    >>> key, layout = MarkKey(bytes(32), 1), Layout.at(44_100, 1)
    >>> bits(key, "r-1", "a-0417", layout, 12, Tier.MANY).ravel().tolist()
    [-1, -1, 1, 1, 1, 1, -1, 1, 1, -1, -1, 1]
    >>> bits(key, "r-1", "a-0418", layout, 12, Tier.MANY).ravel().tolist()
    [-1, -1, 1, 1, 1, 1, 1, 1, 1, -1, -1, -1]
    """
    if not account:
        raise InputError("`account` is empty, wanted the identifier of whom a copy is issued to")
    one: NDArray[np.int8] = words(key, recording, seeds(key, pa.array([account])), layout, chunks, tier)[0]
    return one


def seeds(key: MarkKey, accounts: pa.Array | pa.ChunkedArray) -> NDArray[np.uint64]:
    """Give the seeds of accounts, from which their words follow; shape=(n,), 0 where there is no account.

    Examples
    --------
    >>> found = seeds(MarkKey(bytes(32), 1), pa.array(["a-0417", None, "a-0417"]))
    >>> bool(found[0] == found[2]), int(found[1])
    (True, 0)
    """
    return codes_of(accounts, key.siphash("seeds"))


def words(
    key: MarkKey, recording: str, of: NDArray[np.uint64], layout: Layout, chunks: int, tier: Tier
) -> NDArray[np.int8]:
    """Give the words of a few accounts.

    Parameters
    ----------
    of : np.ndarray [shape=(n,), uint64]
        Seeds.

    Returns
    -------
    words : np.ndarray [shape=(n, chunks, groups), int8]
    """
    cells, each = chunks * layout.groups, tier.cell_bits
    drawn = stream(start(key, recording, layout, tier), of, blocks(cells, tier))
    place = np.arange(cells)
    shift = (place * each % 64).astype(np.uint64)
    value = (drawn[:, place * each // 64] >> shift) & np.uint64((1 << each) - 1)
    chance = biases(key, recording, layout, chunks, tier).ravel().astype(np.uint64)
    up = value < (chance if tier is Tier.MANY else 1)
    return np.where(up, np.int8(1), np.int8(-1)).reshape(-1, chunks, layout.groups)


def biases(key: MarkKey, recording: str, layout: Layout, chunks: int, tier: Tier) -> NDArray[np.uint8]:
    """Give the chance that a bit is +1, cell by cell.

    Returns
    -------
    biases : np.ndarray [shape=(chunks, groups), uint8]
        Sixteenths, 1 to 15.

    Examples
    --------
    >>> biases(MarkKey(bytes(32), 1), "r-1", Layout.at(44_100, 1), 6, Tier.MANY).ravel().tolist()
    [8, 8, 8, 8, 14, 14]
    """
    shape = (chunks, layout.groups)
    if tier is Tier.ONE:
        return np.full(shape, _EVEN, dtype=np.uint8)
    drawn = key.stream("biases", *_of(recording, layout, tier), words=chunks * layout.groups)
    of_tier = np.array(MANY, dtype=np.uint8)
    return of_tier[(drawn % _U(of_tier.size)).astype(np.intp)].reshape(shape)


def blocks(cells: int, tier: Tier) -> int:
    """Count the hashes that so many cells take."""
    return -(-cells * tier.cell_bits // 64)


def start(key: MarkKey, recording: str, layout: Layout, tier: Tier) -> NDArray[np.uint64]:
    """Give the state from which the words of a recording are hashed; shape=(4,)."""
    return sip_start(key.siphash("code", *_of(recording, layout, tier)))


def stream(begin: NDArray[np.uint64], of: NDArray[np.uint64], n_blocks: int) -> NDArray[np.uint64]:
    """Hash seed and place, for places from 0: SipHash-2-4 of the two as sixteen bytes; shape=(n, n_blocks)."""
    out = np.empty((of.size, n_blocks), dtype=np.uint64)
    hash_pairs(begin, of, np.arange(n_blocks, dtype=np.uint64), out)
    return out


def _of(recording: str, layout: Layout, tier: Tier) -> tuple[str, ...]:
    return recording, str(layout.version), str(layout.chunk_s), str(layout.groups), tier.value
