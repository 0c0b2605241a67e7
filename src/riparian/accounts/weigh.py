"""How sure are we of each account, and why?

Four bets look at an account: the person bet, pace, silence and enumeration.  They may depend on one
another in any way, so they are joined by a mean of ``2**bits`` with weights fixed before any account is
seen; a bet that abstains stays at zero bits.  What counts is the most that the joined
bits ever reached at the end of a day: by Ville's inequality that is safe at any time.

Restarts
--------
An account's past is cover for whoever takes it over.  So all bets are closed and opened again on dates of a calendar
fixed beforehand, the same for every account: what it had, and how old it is, is remembered; what its past was worth
is not.  The most ever reached is kept.  Each bet opened is one more chance to be wrong, which the budget law counts
(``restarts_per_year``).

Source
------
Vovk & Wang (2021), *E-values: calibration, combination and applications*, section 4: the mean of
e-values is an e-value under any dependence.
"""

from collections.abc import Collection
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa
from numba import njit

from riparian.accounts import enumeration, pace, person
from riparian.accounts.people import VERSION, People
from riparian.accounts.tally import BITS, Tally
from riparian.evidence import CLAIMS, ENUMERATION, GRID, PACE, PERSON, SILENCE, Claim, Evidence, Row, Source, on_grid
from riparian.schema import DAY_US, EVIDENCE

_YEAR_DAYS: Final = 365
SOURCES: Final = (PERSON, PACE, SILENCE, ENUMERATION)


def weigh(tally: Tally, days: npt.NDArray[np.void], *, restarts_per_year: int = 1) -> npt.NDArray[np.float64]:
    """Place the bets of days that are over, and return each account's bits as each day closed.

    Parameters
    ----------
    tally
        Changed in place.
    days : np.ndarray [shape=(days,), dtype=DAYS]
        As :func:`~riparian.accounts.observe.observe` and :func:`~riparian.accounts.observe.settle` return
        them: each day once, in order for each account.
    restarts_per_year
        How many times a year of 365 days, counted from 1970, all bets are opened again.

    Returns
    -------
    np.ndarray [shape=(days,)]
        Bits at the end of each day.
    """
    people, past, state = tally.people, tally.likelihoods, tally.state
    pools, laws = people.pools, people.laws
    days, rows = _by_account(days, len(state))
    fresh = _opened_again(state, days, restarts_per_year)
    by_person = person.weigh(past, days, fresh, pools, laws)
    fast = pace.weigh(past.fast, days, fresh, days["fast"], pools.flags, laws.clients_fast, laws.other_flags)
    silent = pace.weigh(past.silent, days, fresh, days["silent"], pools.flags, laws.clients_unplayed, laws.other_flags)
    by_reader = enumeration.weigh(past, days, fresh, pools, laws)
    closing = np.empty(len(days))
    closing[rows] = _join(state, days, fresh, by_person, fast, silent, by_reader, laws.weights)
    return closing


def evidence(tally: Tally) -> pa.Table:
    """Tell the most bits that each account ever reached, as a table with schema ``EVIDENCE``."""
    state = tally.state
    most, now = state["most"], state["now"]
    sources = np.stack([_counted(tally.people, claim, most[claim.name]) for claim in SOURCES])
    names = pa.array([claim.name for claim in SOURCES])
    return pa.table(
        [
            pa.array(tally.accounts),
            names.take(pa.array(sources.argmax(axis=0))),
            pa.array(np.floor(most["joined"] * GRID) / GRID),
            pa.array(np.floor(now["joined"] * GRID) / GRID),
            pa.array(state["reached_us"]),
            pa.array(state["last_us"]),
        ],
        schema=EVIDENCE,
    )


def explain(tally: Tally, slot: int) -> Evidence:
    """Explain one account's bits, in rows that sum to the total exactly.

    Parameters
    ----------
    slot
        The account's place in ``tally.accounts``.
    """
    s = tally.state[slot]
    most = {name: on_grid(float(s["most"][name])) for name in BITS.names or ()}
    by_source = [most[claim.name] for claim in SOURCES]
    best = int(np.argmax([_counted(tally.people, claim, np.asarray(most[claim.name])) for claim in SOURCES]))
    total = most["joined"]
    if SOURCES[best] is PERSON:
        rows = [
            Row("how much it plays", most["volume"]),
            Row("how much of that is new to it", most["newness"] - most["volume"]),
            Row("in which order it meets what is new", most["person"] - most["newness"]),
        ]
    else:
        rows = [Row(SOURCES[best].sentence, by_source[best])]
    rows.append(Row("joined with the other bets by a mean fixed beforehand", total - by_source[best]))
    return Evidence(
        claim=SOURCES[best],
        subject=int(tally.accounts[slot]),
        bits=total,
        waterfall=tuple(rows),
        reached_us=int(s["reached_us"]),
        source=Source(SOURCES[best].name, f"{VERSION}/{tally.people.version}"),
        facts={
            "days": int(s["days"]),
            "plays": int(s["plays"]),
            "plays_new": int(s["novel"]),
            "rows": int(s["rows"]),
            "late": int(s["late"]),
            "first_us": int(s["first_us"]),
            "last_us": int(s["last_us"]),
            "bits_now": on_grid(float(s["now"]["joined"])),
            "bits_by_bet": {claim.name: b for claim, b in zip(SOURCES, by_source, strict=True)},
        },
    )


def abstained(columns: Collection[str], *, catalogue: bool, people: People) -> dict[str, str]:
    """Say which bets could not be placed on a log, and what it lacks.

    Parameters
    ----------
    columns
        Names of the ``ACCESS`` columns that the log has.
    catalogue
        Whether a catalogue with popularity was given.
    people
        Some bets may be suspended in their file.
    """
    reasons = {
        claim.name: "the people file has suspended it" if claim.name in people.suspended else _lack(claim, columns)
        for claim in SOURCES
    }
    reasons["order"] = "" if catalogue else "no catalogue with popularity was given"
    return {name: reason for name, reason in reasons.items() if reason}


def _counted(people: People, claim: Claim, bits: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    return np.full_like(bits, -np.inf) if claim.name in people.suspended else bits


def _lack(claim: Claim, columns: Collection[str]) -> str:
    missing = [c for c in CLAIMS[claim.name].needs if c not in columns]
    return f"the log has no column {', '.join(f'`{c}`' for c in missing)}" if missing else ""


@njit(cache=True, nogil=True)
def _by_account(days, n_slots):  # type: ignore[no-untyped-def]
    # All days of an account one after another, so that its likelihoods are fetched from memory once.
    place = np.zeros(n_slots + 1, np.int64)
    for d in days:
        place[d.slot + 1] += 1
    place = np.cumsum(place)
    sorted_, rows = np.empty_like(days), np.empty(len(days), np.int64)
    for i in range(len(days)):
        at = place[days[i].slot]
        sorted_[at] = days[i]
        rows[at] = i
        place[days[i].slot] += 1
    return sorted_, rows


@njit(cache=True, nogil=True)
def _opened_again(state, days, restarts_per_year):  # type: ignore[no-untyped-def]
    fresh = np.zeros(len(days), np.bool_)
    for i in range(len(days)):
        s, restarts = state[days[i].slot], np.int64(days[i].day) * restarts_per_year // _YEAR_DAYS
        fresh[i] = s.restarts != restarts
        s.restarts = restarts
    return fresh


@njit(cache=True, nogil=True)
def _join(state, days, fresh, by_person, fast, silent, by_reader, weights) -> Any:  # type: ignore[no-untyped-def]
    joined = np.empty(len(days))
    for i in range(len(days)):
        d = days[i]
        s = state[d.slot]
        now = s.now
        if fresh[i]:
            now.volume = now.newness = now.person = 0.0
            now.pace = now.silence = now.enumeration = 0.0
        if d.plays > 0:
            now.volume, now.newness, now.person = by_person[i]
        if d.fast >= 0:
            now.pace = fast[i]
        if d.silent >= 0:
            now.silence = silent[i]
        if d.rows > 0:
            now.enumeration = by_reader[i]
        e = weights[0] * _e(now.person) + weights[1] * _e(now.pace) + weights[2] * _e(now.silence)
        joined[i] = now.joined = np.log2(e + weights[3] * _e(now.enumeration) + weights[4])
        if now.joined > s.most.joined:
            s.most = now
            s.reached_us = (np.int64(d.day) + 1) * DAY_US
    return joined


@njit(cache=True, nogil=True)
def _e(bits):  # type: ignore[no-untyped-def]
    # A bet that abstains stands at zero bits, and most do.
    return 1.0 if bits == 0.0 else np.exp2(bits)
