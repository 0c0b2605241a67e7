"""How a ring deals one list of work to its accounts: nobody is given what another has, but for what is disguise.

The list is in the order of the ring's plan, in portions that one account takes at once.  A disguise replaces some
fetches: by what another account took before, or by what a listener of the account's own would have taken.
"""

from typing import Any, Final

import numpy as np
import numpy.typing as npt
from numba import njit

from riparian.sim.dice import below, reseed, uniform
from riparian.sim.holdings import Shelf
from riparian.sim.taste import FAVOURITES, befriend, by_taste

_TRIES: Final = 24


@njit(cache=True)
def _from_another(state: Any, owner: Any, taken: Any, member: Any, work: Any, dealt: Any) -> Any:
    """Find something another account of the ring took before; -1 when a few tries find nothing."""
    for _ in range(_TRIES if dealt > 0 else 0):
        place = below(state, dealt)
        recording = work[place]
        if owner[place] != member and owner[place] >= 0 and taken[member, recording] == 0:
            return recording
    return -1


@njit(cache=True)
def _as_a_listener(state: Any, shelf: Any, favourites: Any, who: Any, taken: Any) -> Any:
    """Find something that a listener with these favourites would take next; -1 when a few tries find nothing."""
    for _ in range(_TRIES):
        recording = by_taste(state, shelf, favourites, who)
        if taken[recording] == 0:
            return recording
    return -1


@njit(cache=True)
def _portion(ends: Any, here: Any, end: Any, dealt: Any) -> Any:
    """Choose where an account goes on when its portion is done: the next of the list, or another's last place."""
    if dealt < len(ends):
        return dealt, ends[dealt], ends[dealt]
    richest = 0
    for member in range(len(here)):
        if end[member] - here[member] > end[richest] - here[richest]:
            richest = member
    end[richest] -= 1
    return end[richest], end[richest] + 1, dealt


@njit(cache=True)
def _of_the_list(work: Any, ends: Any, owner: Any, held: Any, here: Any, end: Any, member: Any, dealt: Any) -> Any:
    """Take the next of an account's portion that the ring does not hold; with it goes how much of the list is dealt."""
    while True:
        if here[member] == end[member]:
            here[member], end[member], dealt = _portion(ends, here, end, dealt)
        place = here[member]
        here[member] += 1
        if held[work[place]] == 0:
            owner[place] = member
            return work[place], dealt


@njit(cache=True)
def deal(
    shelf: Any,
    people: Any,
    work: Any,
    ends: Any,
    novel: Any,
    duplicates: Any,
    human: Any,
    seed: Any,
    starts: Any,
    pool: Any,
) -> None:
    """Deal a list of work to a ring, in turn while a day lasts.

    What an account takes as a listener would, it chooses whatever the others have; what the ring has by then is passed
    over in the list.

    Parameters
    ----------
    shelf, people
        The catalogue; records of CHARACTER, one an account.
    work
        Recordings in the order of the list [int64].
    ends
        For each place of the list, one past the end of the portion that one account takes at once [int64].
    novel
        New fetches [shape=(days, accounts), int64].
    duplicates
        Share of new fetches that repeat another account's.
    human
        Share of new fetches, of those that do not, that are to a listener's taste.
    seed
        Number from which all draws follow.
    starts
        Where each account's sequence begins in the pool [shape=(accounts,)].
    pool
        Written: account after account, each in order of time [shape=(sum of novel,), int32].
    """
    n_days, n = novel.shape
    state = np.zeros(1, np.uint64)
    reseed(state, seed, 1)
    owner = np.full(len(work), -1)
    disguised = duplicates > 0 or human > 0
    taken = np.zeros((n if disguised else 1, len(work)), np.uint8)
    held = np.zeros(len(work), np.uint8)
    favourites = np.zeros((n, FAVOURITES), np.int64)
    for member in range(n if human > 0 else 0):
        befriend(state, shelf, people[member].country, favourites[member])
    here, end, done = np.zeros(n, np.int64), np.zeros(n, np.int64), np.zeros(n, np.int64)
    dealt = 0
    for day in range(n_days):
        before, most = dealt, 0
        for member in range(n):
            most = max(most, novel[day, member])
        for turn in range(most):
            for member in range(n):
                if turn >= novel[day, member]:
                    continue
                recording = -1
                if duplicates > 0 and uniform(state) < duplicates:
                    recording = _from_another(state, owner, taken, member, work, before)
                if recording < 0 and human > 0 and uniform(state) < human:
                    recording = _as_a_listener(state, shelf, favourites[member], people[member], taken[member])
                if recording < 0:
                    recording, dealt = _of_the_list(work, ends, owner, held, here, end, member, dealt)
                held[recording] = 1
                if disguised:
                    taken[member, recording] = 1
                pool[starts[member] + done[member]] = recording
                done[member] += 1


def work_list(
    shelf: Shelf, order: str, rng: np.random.Generator
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """Write a ring's list of work: recordings, and where the portion that starts or goes on there ends.

    Parameters
    ----------
    order
        ``queue``, ``artists``, ``random`` or ``taste``.
    rng
        Shuffles; untouched by ``queue``.
    """
    n = len(shelf.chart)
    single = np.arange(1, n + 1)
    if order == "queue":
        return shelf.chart["recording"].copy(), single
    if order == "random":
        return rng.permutation(n), single
    if order == "taste":
        # One scene after another, each shuffled inside.
        turn = rng.permutation(len(shelf.scenes))[shelf.artists["scene"][shelf.tracks["artist"]]]
        work = np.lexsort((rng.random(n), turn))
    else:
        turn = rng.permutation(len(shelf.artists))[shelf.tracks["artist"]]
        work = np.argsort(turn, kind="stable")
    return work, np.searchsorted(turn[work], turn[work], side="right")
