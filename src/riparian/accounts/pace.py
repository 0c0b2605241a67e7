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

from riparian.bets.mixtures import average, scale


@njit(cache=True, nogil=True)
def see(flags, marked, chances):  # type: ignore[no-untyped-def]
    """Multiply one day, marked or not, into a client's likelihoods."""
    for i in range(len(flags)):
        flags[i] *= chances[i] if marked else np.float32(1.0) - chances[i]
    scale(flags)


@njit(cache=True, nogil=True)
def bits(flags, clients, other):  # type: ignore[no-untyped-def]
    """Weigh the client against the declared ones."""
    return np.log2(np.float64(average(other, flags)) / average(clients, flags))
