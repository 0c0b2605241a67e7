"""Signals by design: what a platform draws by lot, so that following somebody else leaves a trace.

===============================================  ====================================================
:mod:`~riparian.accounts.surfaced.lots`          secret lots, one stream a use
:mod:`~riparian.accounts.surfaced.shown`         what to show and refuse: order, refusals, canaries
:mod:`~riparian.accounts.surfaced.handles`       names of recordings that say to whom they were given
:mod:`~riparian.accounts.surfaced.asked`         what is remembered of accesses
:mod:`~riparian.accounts.surfaced.orders`        jitter: fetches in another account's order
:mod:`~riparian.accounts.surfaced.rates`         adopted refusals, canaries, unsurfaced, handles
:mod:`~riparian.accounts.surfaced.weighing`      bits of all of them, and why
===============================================  ====================================================

A platform calls ``jitter_order``, ``handle``, ``share_link``, ``opened``, ``refuses``; a scan calls ``follow`` for each
batch and ``evidence`` when it closes a day.
"""

from riparian.accounts.surfaced.asked import Asked, follow
from riparian.accounts.surfaced.handles import Opened, handle, opened, owner_of, share_link
from riparian.accounts.surfaced.orders import turned_away
from riparian.accounts.surfaced.rates import Declared, People, usual_rate
from riparian.accounts.surfaced.shown import Listings, Shown, choose_canaries, jitter_order, refuses
from riparian.accounts.surfaced.weighing import SHARES, SIGNAL, best, evidence, explain

__all__ = [
    "SHARES",
    "SIGNAL",
    "Asked",
    "Declared",
    "Listings",
    "Opened",
    "People",
    "Shown",
    "best",
    "choose_canaries",
    "evidence",
    "explain",
    "follow",
    "handle",
    "jitter_order",
    "opened",
    "owner_of",
    "refuses",
    "share_link",
    "turned_away",
    "usual_rate",
]
