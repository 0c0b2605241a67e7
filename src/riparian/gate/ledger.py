"""What does a gate hold of each account, and where?

One row of twelve whole numbers an account, in a table with open addressing: an account's code says where its row is,
so a gate asks for no other memory.  A parent (payment or device) has a row in the same table, and uses two numbers
of it.

Whoever was never enrolled gets a row when it first asks, as an account of standing with one stream.  Requests that
name no account are one account's, ``NOBODY``.
"""

from typing import Final

import numpy as np
from numba import njit
from numpy.typing import NDArray

from riparian.gate.seen import place_of
from riparian.gate.tokens import UNKNOWN_US
from riparian.schema import DAY_US

CODE: Final = 0
CREATED: Final = 1
LEVEL: Final = 2
AT: Final = 3
ROWS_LEVEL: Final = 4
ROWS_AT: Final = 5
PRICE: Final = 6
PARENT: Final = 7
RESTRAINT: Final = 8
"""The restraint, and eight times the number of the rule that it is by."""
UNTIL: Final = 9
EXEMPT_UNTIL: Final = 10
PAID_UNTIL: Final = 11
COLUMNS: Final = 12

FULL: Final = 0.7
FIRST_ROWS: Final = 1024
NOBODY: Final = np.uint64(1)
_PARENTS: Final = np.uint64(0xA5B35705C58BD9E3)

Rows = NDArray[np.int64]


def empty(rows: int = FIRST_ROWS) -> Rows:
    """Make a table of nobody, with so many places."""
    return np.zeros((rows, COLUMNS), np.int64)


def room(rows: Rows) -> int:
    """Say how many rows a table may hold."""
    return int(rows.shape[0] * FULL)


@njit(cache=True, nogil=True, forceinline=True)
def parent_code(parent):  # type: ignore[no-untyped-def]
    """Tell a parent from an account of the same code; 0, which is none, stays 0."""
    return np.uint64(0) if parent == 0 else max(np.uint64(parent) ^ _PARENTS, NOBODY)


@njit(cache=True, nogil=True, forceinline=True)
def place(rows, code):  # type: ignore[no-untyped-def]
    """Find where a row is, or would be."""
    at, wanted = place_of(code, rows.shape[0]), np.int64(code)
    while rows[at, CODE] != 0 and rows[at, CODE] != wanted:
        at += 1
        if at == rows.shape[0]:
            at = 0
    return at


@njit(cache=True, nogil=True, forceinline=True)
def row_of(rows, code):  # type: ignore[no-untyped-def]
    """Find a row, and make it where there is none: 1 where it was made."""
    at = place(rows, code)
    if rows[at, CODE] != 0:
        return at, 0
    rows[at, CODE] = np.int64(code)
    rows[at, CREATED] = rows[at, AT] = rows[at, ROWS_AT] = UNKNOWN_US
    rows[at, PRICE] = DAY_US
    return at, 1


@njit(cache=True, nogil=True)
def _move(old, new):  # type: ignore[no-untyped-def]
    for i in range(old.shape[0]):
        if old[i, CODE] != 0:
            new[place(new, np.uint64(old[i, CODE]))] = old[i]


def with_room(rows: Rows, n_rows: int, more: int) -> Rows:
    """Give a table that has room for so many more rows: the same one, or a larger one with all that it held."""
    if n_rows + more <= room(rows):
        return rows
    larger = empty(max(rows.shape[0] * 3 // 2, int((n_rows + more) / FULL) + 2))
    _move(rows, larger)
    return larger


def held(rows: Rows) -> Rows:
    """Give the rows that are taken [shape=(rows, COLUMNS)]."""
    return np.asarray(rows[rows[:, CODE] != 0])


def refilled(taken: Rows) -> Rows:
    """Make a table of rows that :func:`held` gave."""
    rows = with_room(empty(), 0, len(taken))
    _move(taken, rows)
    return rows


def accounts(codes: NDArray[np.uint64]) -> NDArray[np.uint64]:
    """Let whoever is not named be ``NOBODY``."""
    return np.maximum(codes.astype(np.uint64), NOBODY)
