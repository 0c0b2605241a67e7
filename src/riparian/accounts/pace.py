"""Does it take sound faster than anybody can hear it, or sound that nobody plays?

Two yes-or-no questions about a day, one bet each.  *Fast*: the account's busiest hour held more
sound than its plan can play in an hour, with half as much again for skipping and ten minutes for
fetching ahead; downloads are left out, they are made to be fast.  *Silent*: most of the day's fetches
came without a heartbeat of playback.

Hypothesis
----------
Null: the account's client is drawn once from the declared kinds of client (``people.toml``); on each
day that can be judged it is marked with that client's chance, whatever came before.
Alternative: days are marked mostly or always.

Fails when
----------
A copier takes sound at the speed of playing, or sends heartbeats of its own.  A new release of an
honest player that fetches ahead marks many accounts at once: raise the share of such clients.
The log has no ``media_ms`` or no ``heartbeat``: the bet abstains.

Source
------
Bernoulli mixture likelihood ratio; Robbins (1970).
"""

import numpy as np
from numba import njit

from riparian.bets.mixtures import average, restart, scale


@njit(cache=True, nogil=True)
def weigh(past, days, fresh, marks, chances, clients, other):  # type: ignore[no-untyped-def]
    """Multiply days into clients' likelihoods, and weigh each client as each of its days that can be judged closes.

    Parameters
    ----------
    past : np.ndarray [shape=(accounts, flags), float32]
        Changed in place.
    days : np.ndarray [shape=(days,), dtype=DAYS]
    fresh : np.ndarray [shape=(days,), bool]
        Whether the account's bet is opened again before the day.
    marks : np.ndarray [shape=(days,), int8]
        1 marked, 0 not, -1 cannot be judged.
    chances, clients, other : np.ndarray [shape=(flags,), float32]
        How often a client of each sort has a marked day; the declared share of each sort, and the alternative's.

    Returns
    -------
    np.ndarray [shape=(days,)]
        Bits against the declared clients.
    """
    bits = np.zeros(len(days))
    for i in range(len(days)):
        slot = days[i].slot
        if fresh[i]:
            restart(past, slot)
        if marks[i] < 0:
            continue
        for f in range(len(chances)):
            past[slot, f] *= chances[f] if marks[i] == 1 else np.float32(1.0) - chances[f]
        scale(past, slot)
        bits[i] = np.log2(np.float64(average(other, past, slot)) / average(clients, past, slot))
    return bits
