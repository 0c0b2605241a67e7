"""Which codes has this reading met already?  A set of 64-bit codes that answers a whole column at once.

Open addressing with linear probing; codes are hashes themselves, so their own bits choose the place.
Zero, which is never a code, marks an empty place.
"""

from dataclasses import dataclass, field
from typing import Any, Final

import numpy as np
import numpy.typing as npt
from numba import njit

_FIRST_PLACES: Final = 1 << 12


@njit(cache=True, nogil=True)
def _put(codes: Any, begin: Any, table: Any, count: Any, rows: Any, found: Any) -> Any:
    mask = np.uint64(table.size - 1)
    full = table.size // 2
    for i in range(begin, codes.size):
        code = codes[i]
        if code == 0:
            continue
        place = (code ^ (code >> np.uint64(32))) & mask
        while table[place] != 0 and table[place] != code:
            place = (place + np.uint64(1)) & mask
        if table[place] == 0:
            if count >= full:
                return i, count, found
            table[place] = code
            count += 1
            rows[found] = i
            found += 1
    return codes.size, count, found


def _empty() -> npt.NDArray[np.uint64]:
    return np.zeros(_FIRST_PLACES, dtype=np.uint64)


@dataclass(slots=True)
class Seen:
    """Codes met so far; 16 to 32 bytes each.

    Examples
    --------
    >>> seen = Seen()
    >>> seen.new_rows(np.array([7, 7, 0, 9], dtype=np.uint64)).tolist()
    [0, 3]
    >>> seen.new_rows(np.array([9, 8], dtype=np.uint64)).tolist()
    [1]
    """

    table: npt.NDArray[np.uint64] = field(default_factory=_empty)
    count: int = 0

    def new_rows(self, codes: npt.NDArray[np.uint64]) -> npt.NDArray[np.int64]:
        """Give the rows of codes never met before, the first row of each, and remember them."""
        rows = np.empty(codes.size, dtype=np.int64)
        begin = found = 0
        while begin < codes.size:
            begin, self.count, found = _put(codes, begin, self.table, self.count, rows, found)
            if begin < codes.size:
                old = self.table[self.table != 0]
                self.table = np.zeros(self.table.size * 4, dtype=np.uint64)
                _put(old, 0, self.table, 0, np.empty(old.size, dtype=np.int64), 0)
        return rows[:found]
