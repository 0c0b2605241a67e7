"""Does it read the catalogue, or does it read the catalogue out?

People look things up: a few rows at a time, in whatever order they think of them.  A copy of the
metadata is made in pages, the same amount each day, in the order of identifiers.

Hypothesis
----------
Null: the reader is drawn once from the declared kinds (``people.toml``); on each day with any rows it
draws their amount (as a power of two) and how many consecutive rows ascend in the order of identifiers.
Alternative: 1,000 rows a day or more, alike from day to day; half of such readers go in order.

Fails when
----------
A slow reader in random order is a curator to this bet; the budget on rows returned bounds it.
Without ``rows`` each request counts as one row; without a catalogue the order is not looked at.

Source
------
As :mod:`riparian.accounts.person`.
"""

import numpy as np
from numba import njit

from riparian.bets.mixtures import average, scale


@njit(cache=True, nogil=True)
def see(rows, order, d, pools):  # type: ignore[no-untyped-def]
    """Multiply one day with metadata rows into a reader's likelihoods."""
    law = pools.rows[min(len(pools.rows) - 1, np.int64(np.log2(d.rows + 1.0)))]
    for i in range(len(rows)):
        rows[i] *= law[i]
    scale(rows)
    if d.row_pairs > 0:
        ascending = pools.order[d.row_pairs, d.row_ascents]
        for i in range(len(order)):
            order[i] *= ascending[i]
        scale(order)


@njit(cache=True, nogil=True)
def bits(rows, order, laws):  # type: ignore[no-untyped-def]
    """Weigh the reader against the declared ones."""
    people = 0.0
    for kind in range(len(laws.reader_shares)):
        p = np.float64(laws.reader_shares[kind]) * average(laws.reader_rows[kind], rows)
        people += p * average(laws.reader_order[kind], order)
    other = np.float64(average(laws.other_rows, rows)) * average(laws.other_order, order)
    return np.log2(other / people)
