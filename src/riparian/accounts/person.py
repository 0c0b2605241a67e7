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
from riparian.bets.mixtures import averages, multiply, restart, scale


@njit(cache=True, nogil=True)
def weigh(past, days, fresh, pools, laws):  # type: ignore[no-untyped-def]
    """Multiply days into accounts' likelihoods, and weigh each account as each of its days with plays closes.

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
    np.ndarray [shape=(days, 3)]
        Bits of volume alone, with newness, and with order.  The first two are told where the third is above zero,
        which alone can be the most ever reached.
    """
    # Taken out of their tuples once: to count who holds an array costs as much as to work on a row of it.
    volume, newness, order = past.volume, past.newness, past.order
    by_volume, novel, known, plays, by_order = pools.volume, pools.novel, pools.known, pools.plays, pools.order
    law_volume, law_newness, law_order, shares = laws.volume, laws.newness, laws.order, laws.shares
    n_kinds = len(shares)
    room = np.empty((3, n_kinds + 1), np.float32)
    bits = np.zeros((len(days), 3))
    for i in range(len(days)):
        d = days[i]
        if fresh[i]:
            restart(volume, d.slot)
            restart(newness, d.slot)
            restart(order, d.slot)
        if d.plays == 0:
            continue
        multiply(volume, d.slot, by_volume, min(d.plays, VOLUME_MAX))
        _meet(newness, novel, known, plays, d)
        if d.pairs > 0:
            go(order, d.slot, by_order, d.pairs, d.ascents)
        averages(law_volume, volume, d.slot, room, 0)
        averages(law_newness, newness, d.slot, room, 1)
        averages(law_order, order, d.slot, room, 2)
        people = 0.0
        for kind in range(n_kinds):
            people += np.float64(shares[kind]) * room[0, kind] * room[1, kind] * room[2, kind]
        bits[i, 2] = np.log2(np.float64(room[0, n_kinds]) * room[1, n_kinds] * room[2, n_kinds] / people)
        if bits[i, 2] > 0:
            bits[i, 0], bits[i, 1] = _parts(shares, room)
    return bits


@njit(cache=True, nogil=True)
def _meet(newness, novel, known, plays, d):  # type: ignore[no-untyped-def]
    n, k = int(d.plays), int(d.novel)
    if n > PLAYS_MAX:
        n, k = PLAYS_MAX, (k * PLAYS_MAX + n // 2) // n
    age = min(len(novel) - 1, max(0, int(np.log2(d.plays_before + 32.0)) - 5))
    odd = ODD_DAY / (n + 1)
    for i in range(newness.shape[1]):
        chance = novel[age, k, i] * known[age, n - k, i] * plays[n, i]
        newness[d.slot, i] *= np.float32((1 - ODD_DAY) * chance + odd)
    scale(newness, d.slot)


@njit(cache=True, nogil=True)
def go(likelihood, slot, order, pairs, ascents):  # type: ignore[no-untyped-def]
    """Multiply in how many pairs of consecutive recordings ascended."""
    for i in range(likelihood.shape[1]):
        likelihood[slot, i] *= order[pairs, ascents, i]
    scale(likelihood, slot)


@njit(cache=True, nogil=True)
def _parts(shares, room):  # type: ignore[no-untyped-def]
    people_v, people_vn, n_kinds = 0.0, 0.0, len(shares)
    for kind in range(n_kinds):
        p = np.float64(shares[kind]) * room[0, kind]
        people_v += p
        people_vn += p * room[1, kind]
    other_v = np.float64(room[0, n_kinds])
    return np.log2(other_v / people_v), np.log2(other_v * room[1, n_kinds] / people_vn)
