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

from riparian.accounts.person import go
from riparian.bets.mixtures import average, multiply, restart


@njit(cache=True, nogil=True)
def weigh(past, days, fresh, pools, laws):  # type: ignore[no-untyped-def]
    """Multiply days into readers' likelihoods, and weigh each reader as each of its days with metadata rows closes.

    Parameters
    ----------
    past : Likelihoods
        Changed in place.
    days : np.ndarray [shape=(days,), dtype=DAYS]
    fresh : np.ndarray [shape=(days,), bool]
        Whether the account's bet is opened again before the day.
    pools : Pools
    laws : Laws

    Returns
    -------
    np.ndarray [shape=(days,)]
        Bits against the declared readers.
    """
    bits = np.zeros(len(days))
    for i in range(len(days)):
        d = days[i]
        if fresh[i]:
            restart(past.rows, d.slot)
            restart(past.rows_order, d.slot)
        if d.rows == 0:
            continue
        multiply(past.rows, d.slot, pools.rows, min(len(pools.rows) - 1, np.int64(np.log2(d.rows + 1.0))))
        if d.row_pairs > 0:
            go(past.rows_order, d.slot, pools.order, d.row_pairs, d.row_ascents)
        people = 0.0
        for kind in range(len(laws.reader_shares)):
            p = np.float64(laws.reader_shares[kind]) * average(laws.reader_rows[kind], past.rows, d.slot)
            people += p * average(laws.reader_order[kind], past.rows_order, d.slot)
        other = np.float64(average(laws.other_rows, past.rows, d.slot))
        bits[i] = np.log2(other * average(laws.other_order, past.rows_order, d.slot) / people)
    return bits
