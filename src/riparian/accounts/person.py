"""Does anybody listen like this?

A person plays much or little, returns to what they know or not, and meets new recordings in some
order; a copier plays as its pace allows, has no reason to return, and works through a list.  Volume,
newness given volume, and order given both are one joint bet against one mixture over whole people,
so that nothing needs to be independent but what is declared so inside a kind.

Hypothesis
----------
Null: the account is drawn once from the declared kinds (``people.toml``), then, on each day with
any plays, draws its plays, how many of them are new, and how many pairs of new recordings ascend.
Alternative: fixed weights over the same pools, most of it on accounts that do not tire.

Symbols
-------
V, N, O  likelihood of an account's volumes, newness and order, averaged over a pool by weights
e        V_other N_other O_other / sum over kinds of share V_kind N_kind O_kind

``e`` is a ratio of two predictive laws of the same days, so under the null it is a martingale with
mean one.  Days without plays are not bet on: a holiday is not evidence, and a robot that rests
gains nothing.

Fails when
----------
A copier that replays, bursts and pauses like a person is such a person to this bet: at its level of
newness it gathers at most ``-log2`` of the share of people at or beyond that level.  An honest account
of a kind that is not declared is at the mercy of ``unforeseen``; ``riparian audit`` looks for it.

Source
------
Wald (1945); Robbins & Siegmund (1972) for mixtures of likelihood ratios; Wasserman, Ramdas &
Balakrishnan (2020), section 8, for composite nulls; Ville (1939) for the bound at any time.
"""

import numpy as np
from numba import njit

from riparian.accounts.people import ODD_DAY, PLAYS_MAX, VOLUME_MAX
from riparian.bets.mixtures import averages, scale


@njit(cache=True, nogil=True)
def see(volume, newness, order, d, pools):  # type: ignore[no-untyped-def]
    """Multiply one day with plays into an account's likelihoods."""
    row = pools.volume[min(d.plays, VOLUME_MAX)]
    for i in range(len(volume)):
        volume[i] *= row[i]
    scale(volume)
    n, k = int(d.plays), int(d.novel)
    if n > PLAYS_MAX:
        n, k = PLAYS_MAX, (k * PLAYS_MAX + n // 2) // n
    age = min(len(pools.novel) - 1, max(0, int(np.log2(d.plays_before + 32.0)) - 5))
    novel, known, plays = pools.novel[age, k], pools.known[age, n - k], pools.plays[n]
    odd = ODD_DAY / (n + 1)
    for i in range(len(newness)):
        newness[i] *= np.float32((1 - ODD_DAY) * novel[i] * known[i] * plays[i] + odd)
    scale(newness)
    if d.pairs > 0:
        law = pools.order[d.pairs, d.ascents]
        for i in range(len(order)):
            order[i] *= law[i]
        scale(order)


@njit(cache=True, nogil=True)
def bits(volume, newness, order, laws, room):  # type: ignore[no-untyped-def]
    """Weigh the account: bits of volume, newness and order, one joint bet.

    ``room`` has shape (3, kinds + 1) and is written over; its last column is the alternative.
    """
    averages(laws.volume, volume, room[0])
    averages(laws.newness, newness, room[1])
    averages(laws.order, order, room[2])
    people, kinds = 0.0, len(laws.shares)
    for kind in range(kinds):
        people += np.float64(laws.shares[kind]) * room[0, kind] * room[1, kind] * room[2, kind]
    return np.log2(np.float64(room[0, kinds]) * room[1, kinds] * room[2, kinds] / people)


@njit(cache=True, nogil=True)
def parts(laws, room):  # type: ignore[no-untyped-def]
    """Tell how far volume alone, and volume and newness, go; of the account that ``room`` was last written for."""
    people_v, people_vn, kinds = 0.0, 0.0, len(laws.shares)
    for kind in range(kinds):
        p = np.float64(laws.shares[kind]) * room[0, kind]
        people_v += p
        people_vn += p * room[1, kind]
    other_v = np.float64(room[0, kinds])
    return np.log2(other_v / people_v), np.log2(other_v * room[1, kinds] / people_vn)
