"""Has this account had this recording before?

Repeats are free, so a gate has to know.  A pair of account and recording is one 64-bit code, mixed so that its own
bits say where it belongs; two forms of the set of all codes of all accounts are to be had.

``exact``
    Every code is kept, in a table with open addressing: 10.7 to 16 bytes a recording, and up to 26.7 while a table is
    moved over.  Two pairs with one code would be taken for one: with a billion pairs, once in 18 billion questions.
``approximate``
    Every code leaves eight bits in one block of 512, and sixteen bits are provided for each: 2 to 6 bytes a recording.
    About one new recording in a thousand, in each block that it may be in, is taken for one that was had.

Rules
-----
* What was put in is had for ever.  Errors only ever say *had*, so they only ever favour the listener.
* Nobody chooses a code: accounts are keyed pseudonyms, and whoever does not know the key cannot look for codes that
  meet (:mod:`riparian.codes`).
* Growing is no pause.  The exact table is half as large again each time, and the old one is moved over bit by bit, a
  few places with each new code.  The approximate form adds a layer, twice as large as the last, and asks all of them;
  the full ones are copied to be one array.
"""

from dataclasses import dataclass, field
from typing import Any, Final

import numpy as np
from numba import njit
from numpy.typing import NDArray

from riparian.accounts.tally import mask
from riparian.gate.tokens import Ints

COUNT: Final = 0
MOST: Final = 1
MOVED: Final = 2
APPROXIMATE: Final = 3
STATE: Final = 4
"""Numbers that a set keeps beside its tables: codes in the newest table, room in it, places of the one before that
are moved over, and whether it is approximate."""

FULL: Final = 0.75
FIRST_PLACES: Final = 4096
FIRST_BLOCKS: Final = 8192
BLOCK_WORDS: Final = 8
BLOCK_CODES: Final = 32
"""Codes that a block of 512 bits is meant for."""
_MOVES: Final = 8

Codes = NDArray[np.uint64]


@njit(cache=True, nogil=True, forceinline=True)
def spread(x):  # type: ignore[no-untyped-def]
    """Mix all bits of a code into all others (the finaliser of splitmix64); no two codes become one."""
    x = np.uint64(x)
    x = (x ^ (x >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    x = (x ^ (x >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return x ^ (x >> np.uint64(31))


@njit(cache=True, nogil=True, forceinline=True)
def pair_code(account, recording):  # type: ignore[no-untyped-def]
    """Make one code of an account and a recording; never 0."""
    return max(spread(mask(np.uint64(account)) ^ np.uint64(recording)), np.uint64(1))


@njit(cache=True, nogil=True, forceinline=True)
def place_of(code, places):  # type: ignore[no-untyped-def]
    """Say where a code belongs among so many places, by its upper half: larger codes further on."""
    return np.int64(((code >> np.uint64(32)) * np.uint64(places)) >> np.uint64(32))


@njit(cache=True, nogil=True, forceinline=True)
def _at(table, code):  # type: ignore[no-untyped-def]
    at = place_of(code, table.size)
    while table[at] != 0 and table[at] != code:
        at += 1
        if at == table.size:
            at = 0
    return at


@njit(cache=True, nogil=True, forceinline=True)
def _bits(words, begin, n_words, code):  # type: ignore[no-untyped-def]
    # How many of a code's eight bits are there, in its block of a layer.
    block = begin + BLOCK_WORDS * place_of(code, n_words // BLOCK_WORDS)
    which, there = spread(~code), np.int64(0)
    for i in range(BLOCK_WORDS):
        there += np.int64((words[block + i] >> (which & np.uint64(63))) & np.uint64(1))
        which >>= np.uint64(6)
    return there


@njit(cache=True, nogil=True, forceinline=True)
def had(newest, older, state, code):  # type: ignore[no-untyped-def]
    """Say whether a code was put in."""
    if state[APPROXIMATE] == 0:
        return newest[_at(newest, code)] == code or (older.size > 0 and older[_at(older, code)] == code)
    begin, n_words = 0, newest.size - older.size
    while begin < older.size:
        if _bits(older, begin, n_words, code) == BLOCK_WORDS:
            return True
        begin += n_words
        n_words *= 2
    return _bits(newest, 0, newest.size, code) == BLOCK_WORDS


@njit(cache=True, nogil=True, forceinline=True)
def put(newest, older, state, code):  # type: ignore[no-untyped-def]
    """Put in a code that was not had, where ``state[COUNT] < state[MOST]``; True once the older table is moved over."""
    state[COUNT] += 1
    if state[APPROXIMATE] != 0:
        block = BLOCK_WORDS * place_of(code, newest.size // BLOCK_WORDS)
        which = spread(~code)
        for i in range(BLOCK_WORDS):
            newest[block + i] |= np.uint64(1) << (which & np.uint64(63))
            which >>= np.uint64(6)
        return False
    newest[_at(newest, code)] = code
    if older.size == 0:
        return False
    moved = min(state[MOVED] + _MOVES, older.size)
    for i in range(state[MOVED], moved):
        if older[i] != 0:
            at = _at(newest, older[i])
            state[COUNT] += newest[at] == 0
            newest[at] = older[i]
    state[MOVED] = moved
    return moved == older.size


@njit(cache=True, nogil=True)
def _put_all(newest, older, state, codes, begin):  # type: ignore[no-untyped-def]
    for i in range(begin, codes.size):
        if state[COUNT] + _MOVES >= state[MOST]:
            return i
        if not had(newest, older, state, codes[i]):
            put(newest, older, state, codes[i])
    return codes.size


@njit(cache=True, nogil=True)
def _had_all(newest, older, state, codes):  # type: ignore[no-untyped-def]
    found = np.zeros(codes.size, np.bool_)
    for i in range(codes.size):
        found[i] = had(newest, older, state, codes[i])
    return found


@njit(cache=True, nogil=True)
def _pair_codes(accounts, recordings):  # type: ignore[no-untyped-def]
    codes = np.zeros(accounts.size, np.uint64)
    for i in range(accounts.size):
        codes[i] = pair_code(accounts[i], recordings[i])
    return codes


def codes_of_pairs(accounts: Codes, recordings: Codes) -> Codes:
    """Make one code of each account and recording [shape=(pairs,)].

    Examples
    --------
    >>> codes = codes_of_pairs(np.array([7, 7, 9], np.uint64), np.array([1, 2, 1], np.uint64))
    >>> len(set(codes.tolist()))
    3
    """
    return np.asarray(_pair_codes(accounts, recordings))


def codes_of_tally(pairs: Codes) -> Codes:
    """Make the codes of what a scan has counted, ``Tally.arrays()["seen"]`` [shape=(pairs,)].

    Examples
    --------
    >>> from riparian.accounts.tally import account_mask
    >>> account, recording = np.array([7], np.uint64), np.array([1], np.uint64)
    >>> bool(codes_of_tally(account_mask(account) ^ recording) == codes_of_pairs(account, recording))
    True
    """
    return np.asarray(_spread_all(pairs))


@njit(cache=True, nogil=True)
def _spread_all(pairs):  # type: ignore[no-untyped-def]
    codes = np.zeros(pairs.size, np.uint64)
    for i in range(pairs.size):
        codes[i] = max(spread(pairs[i]), np.uint64(1))
    return codes


@dataclass(slots=True)
class Seen:
    """The set of all that all accounts have had.

    Parameters
    ----------
    newest, older
        Tables: of codes and the one before that is being moved over; or of blocks and all full layers
        [shape=(places,)].
    state
        See ``STATE``; a compiled function may be handed a longer array that begins with it [shape=(STATE,)].

    Examples
    --------
    >>> seen = Seen.empty()
    >>> codes = codes_of_pairs(np.full(3, 7, np.uint64), np.array([1, 2, 3], np.uint64))
    >>> seen.add(codes[:2])
    >>> seen.has(codes).tolist()
    [True, True, False]
    """

    newest: Codes
    older: Codes = field(default_factory=lambda: np.zeros(0, np.uint64))
    state: Ints = field(default_factory=lambda: np.zeros(STATE, np.int64))

    @classmethod
    def empty(cls, *, approximate: bool = False, places: int = 0) -> "Seen":
        """Make a set of nothing, with so many places (or words of blocks) to begin with."""
        first = places or (FIRST_BLOCKS * BLOCK_WORDS if approximate else FIRST_PLACES)
        seen = cls(np.zeros(first, np.uint64))
        seen.state[APPROXIMATE] = approximate
        seen.state[MOST] = seen._room()
        return seen

    @classmethod
    def from_arrays(cls, arrays: dict[str, NDArray[Any]]) -> "Seen":
        """Take up what :meth:`arrays` laid down."""
        if int(arrays["state"][APPROXIMATE]):
            return cls(arrays["newest"].copy(), arrays["older"].copy(), arrays["state"].copy())
        seen = cls.empty(places=max(FIRST_PLACES, int(arrays["newest"].size / FULL) + 1))
        seen.add(arrays["newest"])
        return seen

    def arrays(self) -> dict[str, NDArray[Any]]:
        """Lay the set down as named arrays, for a store."""
        newest, older = self.newest, self.older
        if not self.state[APPROXIMATE]:
            newest, older = np.union1d(newest[newest != 0], older[older != 0]), older[:0]
        return {"newest": newest, "older": older, "state": self.state[:STATE].copy()}

    @property
    def n_bytes(self) -> int:
        """Bytes of memory that the tables take."""
        return self.newest.nbytes + self.older.nbytes

    def has(self, codes: Codes) -> NDArray[np.bool_]:
        """Say of each code whether it was put in [shape=(codes,)]."""
        return np.asarray(_had_all(self.newest, self.older, self.state, codes))

    def add(self, codes: Codes) -> None:
        """Put codes in."""
        begin = 0
        while (begin := _put_all(self.newest, self.older, self.state, codes, begin)) < codes.size:
            self.grow()

    def full(self) -> bool:
        """Say whether the next code may find no place."""
        return bool(self.state[COUNT] + _MOVES >= self.state[MOST])

    def grow(self) -> None:
        """Make room for half as many again, or as many again where the form is approximate."""
        if self.state[APPROXIMATE]:
            self.older = np.concatenate((self.older, self.newest))
            self.newest = np.zeros(2 * self.newest.size, np.uint64)
        else:
            self.older, self.newest = self.newest, np.zeros(self.newest.size * 3 // 2, np.uint64)
        self.state[COUNT] = self.state[MOVED] = 0
        self.state[MOST] = self._room()

    def settle(self) -> bool:
        """Let go of the older table once it is moved over, and say whether that was now."""
        moved = self.older.size > 0 and not self.state[APPROXIMATE] and bool(self.state[MOVED] >= self.older.size)
        if moved:
            self.older = np.zeros(0, np.uint64)
        return moved

    def _room(self) -> int:
        if self.state[APPROXIMATE]:
            return self.newest.size // BLOCK_WORDS * BLOCK_CODES
        return int(self.newest.size * FULL)
