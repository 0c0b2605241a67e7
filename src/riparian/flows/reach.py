"""What left, and through whom?

A tally remembers each pair of account and recording as one code, ``mix(account) ^ recording``.
Whoever knows the account can read its recordings off again, given a set of recordings that may
stand in them: so what an account has taken needs no memory beyond the tally's.
"""

from dataclasses import dataclass
from typing import Any, Self

import numpy as np
import numpy.typing as npt
from numba import njit

from riparian.accounts.tally import account_mask
from riparian.catalogue.popularity import Popularity
from riparian.flows.found import Reach

Codes = npt.NDArray[np.uint64]


@dataclass(slots=True)
class Recordings:
    """A set of recordings' codes that grows; ``places`` is an open-addressing table, 0 is a free place."""

    places: Codes
    n: int

    @classmethod
    def of(cls, codes: Codes) -> Self:
        """Gather codes, each any number of times."""
        made = cls(np.zeros(1 << 16, np.uint64), 0)
        made.add(codes, np.ones(len(codes), np.bool_))
        return made

    def add(self, codes: Codes, chosen: npt.NDArray[np.bool_]) -> None:
        """Add the chosen ones; 0 is never a code and is passed over."""
        done = 0
        while done < len(codes):
            if 2 * self.n > len(self.places):
                old = self.places
                self.places = np.zeros(4 * len(old), np.uint64)
                _add(self.places, old, old != 0, 0, len(old))
            done, new = _add(self.places, codes, chosen, done, len(self.places) // 2 - self.n + 1)
            self.n += new

    def bits(self) -> tuple[Codes, np.uint64]:
        """Make a table of bits, one set for each code's first digits, and say how far a code is shifted to them."""
        log2 = max(6, (8 * self.n).bit_length())
        bits, shift = np.zeros(1 << (log2 - 6), np.uint64), np.uint64(64 - log2)
        _bits(self.places, bits, shift)
        return bits, shift

    def codes(self) -> Codes:
        """All codes, in rising order."""
        return np.sort(self.places[self.places != 0])


@dataclass(frozen=True, slots=True)
class Had:
    """What each of some accounts has had.

    Parameters
    ----------
    begins : np.ndarray [shape=(accounts + 1,)]
        Where each one's recordings begin in ``places``; the last number is where they all end.
    places : np.ndarray [shape=(pairs,), uint32]
        Where ``Recordings.places`` holds each recording, in rising order for each account.
    """

    begins: npt.NDArray[np.int64]
    places: npt.NDArray[np.uint32]

    def of(self, row: int) -> npt.NDArray[np.uint32]:
        """Give one account's."""
        return self.places[self.begins[row] : self.begins[row + 1]]


def taken(recordings: Recordings, accounts: Codes, seen: Codes) -> Had:
    """Read off the distinct recordings that accounts of one bucket have had.

    Each pair is tried with each account, and most are not its own: what is asked first is one bit in a table that a
    core's own memory holds, and only what passes is looked up.

    Parameters
    ----------
    accounts
        Whom to look at [shape=(accounts,)].
    seen
        The ``seen`` of their tally.
    """
    bits = recordings.bits()
    places = [np.sort(_taken(recordings.places, bits, mask, seen)) for mask in account_mask(accounts)]
    begins = np.cumsum([0, *map(len, places)], dtype=np.int64)
    return Had(begins, np.concatenate([*places, np.empty(0, np.uint32)]))


@dataclass(frozen=True, slots=True)
class Plays:
    """How much of a catalogue each recording of a set is, found once for all that is asked of them.

    Parameters
    ----------
    share : np.ndarray [shape=(places,)]
        Share of all plays of what stands in each place; not a number for what the catalogue does not have.
    size
        Recordings of the catalogue.
    """

    share: npt.NDArray[np.float64]
    size: int

    @classmethod
    def of(cls, recordings: Recordings, popularity: Popularity) -> Self:
        """Look up each recording."""
        share = np.full(len(recordings.places), np.nan)
        if popularity.size:
            some = np.flatnonzero(recordings.places)
            rows = popularity.find(recordings.places[some])
            share[some[rows >= 0]] = popularity.share[rows[rows >= 0]]
        return cls(share, popularity.size)

    def reach(self, places: npt.NDArray[np.integer[Any]], *, accounts: int) -> Reach:
        """Say how much of the catalogue the recordings in these places are, in rising order and each once."""
        if not self.size:
            return Reach(accounts, len(places), None, None)
        shares = self.share[places]
        shares = shares[~np.isnan(shares)]
        return Reach(accounts, len(places), len(shares) / self.size, float(shares.sum()))


@njit(cache=True, nogil=True)
def _add(places, codes, chosen, start, room):  # type: ignore[no-untyped-def]
    mask = np.uint64(len(places) - 1)
    n_new = 0
    for i in range(start, len(codes)):
        code = codes[i]
        if not chosen[i] or code == 0:
            continue
        at = code & mask
        while places[at] != 0 and places[at] != code:
            at = (at + np.uint64(1)) & mask
        if places[at] == 0:
            if n_new == room:
                return i, n_new
            places[at] = code
            n_new += 1
    return len(codes), n_new


@njit(cache=True, nogil=True)
def _bits(places, bits, shift):  # type: ignore[no-untyped-def]
    for code in places:
        if code != 0:
            at = code >> shift
            bits[at >> np.uint64(6)] |= np.uint64(1) << (at & np.uint64(63))


@njit(cache=True, nogil=True)
def _taken(places, first, mask, seen):  # type: ignore[no-untyped-def]
    bits, shift = first
    room = np.empty(len(seen), np.uint32)
    last = np.uint64(len(places) - 1)
    n = 0
    for pair in seen:
        code = pair ^ mask
        bit = code >> shift
        if not (bits[bit >> np.uint64(6)] >> (bit & np.uint64(63))) & np.uint64(1):
            continue
        at = code & last
        while places[at] != 0:
            if places[at] == code:
                room[n] = at
                n += 1
                break
            at = (at + np.uint64(1)) & last
    return room[:n].copy()
