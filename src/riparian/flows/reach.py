"""What left, and through whom?

A tally remembers each pair of account and recording as one code, ``mix(account) ^ recording``.
Whoever knows the account can read its recordings off again, given a set of recordings that may
stand in them: so what an account has taken needs no memory beyond the tally's.
"""

from dataclasses import dataclass
from typing import Self

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

    def marks(self) -> npt.NDArray[np.bool_]:
        """Make one mark for each place, none set."""
        return np.zeros(len(self.places), np.bool_)

    def codes(self) -> Codes:
        """All codes, in rising order."""
        return np.sort(self.places[self.places != 0])


def taken(recordings: Recordings, accounts: Codes, seen: Codes, marks: npt.NDArray[np.bool_]) -> npt.NDArray[np.int64]:
    """Count, and mark, the distinct recordings that accounts of one bucket have had.

    Parameters
    ----------
    accounts
        Whom to look at [shape=(accounts,)].
    seen
        The ``seen`` of their tally.
    marks
        One mark for each of ``recordings.places``, set where any of them has had the recording.

    Returns
    -------
    np.ndarray [shape=(accounts,)]
        Distinct recordings of each.
    """
    return np.asarray(_taken(recordings.places, account_mask(accounts), seen, marks), np.int64)


def counted(recordings: Recordings, accounts: Codes, seen: Codes, counts: npt.NDArray[np.int64]) -> None:
    """Add one to the recordings that accounts of one bucket have had, for each account.

    Parameters
    ----------
    accounts
        Whom to look at [shape=(accounts,)].
    seen
        The ``seen`` of their tally.
    counts
        One count for each of ``recordings.places``.
    """
    _counted(recordings.places, account_mask(accounts), seen, counts)


def reach(recordings: Recordings, marks: npt.NDArray[np.bool_], popularity: Popularity, *, accounts: int) -> Reach:
    """Say how much of the catalogue the marked recordings are."""
    codes = recordings.places[marks]
    if not popularity.size:
        return Reach(accounts, len(codes), None, None)
    rows = popularity.find(codes)
    rows = rows[rows >= 0]
    return Reach(accounts, len(codes), len(rows) / popularity.size, float(popularity.share[rows].sum()))


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
def _taken(places, masks, seen, marks):  # type: ignore[no-untyped-def]
    mask = np.uint64(len(places) - 1)
    counts = np.zeros(len(masks), np.int64)
    for pair in seen:
        for i in range(len(masks)):
            code = pair ^ masks[i]
            at = code & mask
            while places[at] != 0:
                if places[at] == code:
                    counts[i] += 1
                    marks[at] = True
                    break
                at = (at + np.uint64(1)) & mask
    return counts


@njit(cache=True, nogil=True)
def _counted(places, masks, seen, counts):  # type: ignore[no-untyped-def]
    mask = np.uint64(len(places) - 1)
    for pair in seen:
        for i in range(len(masks)):
            code = pair ^ masks[i]
            at = code & mask
            while places[at] != 0:
                if places[at] == code:
                    counts[at] += 1
                    break
                at = (at + np.uint64(1)) & mask
