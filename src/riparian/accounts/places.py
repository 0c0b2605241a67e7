"""Is it in places between which nobody can travel, or at hours at which nobody is awake?

A ring behind proxies comes through other people's homes: a hundred cities in a month, each as far from the last as it
happens.  People come home.

Conventions
-----------
* A *journey* faster than :data:`SPEED_KMH` is one that no aircraft flies; :data:`SLACK_KM` of every distance are left
  out for the errors of looking up an address.  One such journey means little: families are in several places at once,
  carriers put a telephone into another city, a private network is switched on.  What counts is in how many *places*,
  fields some 200 km wide, an account arrived or left so in a calendar stretch of 28 days.
* Countries are counted in the same stretches, however they were reached.
* A night is 1 to 4 in the morning by the sun of the place; it counts when each of its three hours holds an access.
* Sets are kept as bits of a hash: two places may count as one, never one as two.  Errors favour the account.
* A change of the kind of network is no evidence: telephones change it on every doorstep.  Addresses of data centres are
  nobody's whereabouts, and come without a place where the operator's own database knows them
  (:mod:`riparian.feeds.geography`).

Hypothesis
----------
Null: of honest accounts, no more than the shares declared in ``[places]`` of the people file ever get so far
(:mod:`riparian.accounts.ladders`).

Fails when
----------
A copier has one home, or changes it once a day: so do people with a private network.  Nights say next to nothing, as
many people sleep with music on.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, Self

import numpy as np
import numpy.typing as npt
import pyarrow as pa
from numba import njit

from riparian.accounts import ladders as ladders_
from riparian.accounts.ladders import REACHED, climb, levels_of, levels_table
from riparian.accounts.people import People
from riparian.errors import CustodyError
from riparian.evidence import PLACES, Evidence
from riparian.schema import DAY_US, HOUR_US

SPEED_KMH: Final = 1_000.0
SLACK_KM: Final = 300.0
STRETCH_DAYS: Final = 28
_EARTH_KM: Final = 6_371.0
_FIELD_DEGREES: Final = 2.0
_NEAR_DEGREES: Final = 1.0
_NIGHT: Final = (1, 2, 3)
_WHOLE_NIGHT: Final = 7

STATE: Final = np.dtype(
    [
        ("at_us", np.int64),
        ("lat", np.float32),
        ("lon", np.float32),
        # The stretch of 28 days that is under way; bits of its places and countries; its nights.
        ("stretch", np.int32),
        ("places_low", np.uint64),
        ("places_high", np.uint64),
        ("lands", np.uint64),
        ("night", np.int32),
        ("hours", np.uint8),
        ("waked", np.uint8),
        ("scattered", REACHED),
        ("countries", REACHED),
        ("nights", REACHED),
    ]
)
"""One account: 77 bytes."""

_LADDERS: Final = ("scattered", "countries", "nights")


@dataclass(slots=True)
class Places:
    """What one bucket of accounts remembers of its places.

    Parameters
    ----------
    state : np.ndarray [shape=(accounts,), dtype=STATE]
        By slot of the bucket's tally.
    """

    state: npt.NDArray[np.void]

    @classmethod
    def empty(cls) -> Self:
        """Make a bucket in which nobody has been anywhere."""
        return cls(np.empty(0, STATE))

    def arrays(self) -> dict[str, npt.NDArray[Any]]:
        """Everything to keep, as plain arrays; the inverse of :meth:`from_arrays`."""
        return {"state": self.state}

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, npt.NDArray[Any]]) -> Self:
        """Take up where it was left.

        Raises
        ------
        CustodyError
            When the array is of another form.
        """
        if arrays["state"].dtype != STATE:
            raise CustodyError(
                "what is kept of places has another form, wanted that of this version",
                hint="Scan the logs again in a new workspace.",
            )
        return cls(arrays["state"].copy())


def observe(
    places: Places, columns: Mapping[str, npt.NDArray[Any]], slot: npt.NDArray[np.int32], people: People
) -> None:
    """Follow one bucket's accesses, sorted by time; nothing happens without the columns ``lat`` and ``lon``.

    Parameters
    ----------
    places
        Changed in place.
    columns
        Columns of ``ACCESS``: ``at_us``, ``lat`` and ``lon`` (not a number where nothing is known), and ``country``
        where the log has it.
    slot : np.ndarray [shape=(accesses,), int32]
        Where each access's account stands in the bucket's tally.
    """
    if "lat" not in columns or "lon" not in columns or not len(slot):
        return
    slots = int(slot.max()) + 1
    if slots > len(places.state):
        new = np.zeros(slots - len(places.state), STATE)
        new["stretch"] = new["night"] = -1
        places.state = np.concatenate([places.state, new])
    own = people.ladders["places"]
    scattered, countries, nights = (levels_of(own, name) for name in _LADDERS)
    country = columns.get("country", np.empty(0, np.uint16))
    _observe(
        places.state, slot, columns["at_us"], columns["lat"], columns["lon"], country, scattered, countries, nights
    )


def levels(places: Places, accounts: npt.NDArray[np.uint64]) -> pa.Table:
    """Tell how far the bucket's accounts got.

    Parameters
    ----------
    accounts : np.ndarray [uint64]
        Codes by slot, as in the bucket's tally.

    Returns
    -------
    pa.Table [schema=LEVELS]
        Ladders ``scattered``, ``countries`` and ``nights``.
    """
    own = accounts[: len(places.state)]
    return pa.concat_tables([levels_table(name, own, places.state[name]) for name in _LADDERS])


def answers(reached: pa.Table, people: People) -> pa.Table:
    """Tell the bits of every account that has any, as :func:`riparian.accounts.join.join` takes them.

    Parameters
    ----------
    reached
        ``LEVELS`` of :func:`levels`, of one bucket or of all.
    """
    return ladders_.answers(PLACES, reached, people.ladders["places"])


def explain(reached: pa.Table, people: People, account: int) -> Evidence:
    """Explain the bits of one account that :func:`answers` knows, in rows that sum to the total exactly."""
    return ladders_.explain(PLACES, account, reached, people.ladders["places"], people.version)


@njit(cache=True, nogil=True)
def kilometres(lat, lon, to_lat, to_lon):  # type: ignore[no-untyped-def]
    """Measure the great circle between two places; degrees in, km out.

    Examples
    --------
    >>> round(float(kilometres(51.5, -0.1, 40.7, -74.0)))
    5573
    """
    phi, psi = np.radians(lat), np.radians(to_lat)
    half = np.sin((psi - phi) / 2) ** 2 + np.cos(phi) * np.cos(psi) * np.sin(np.radians(to_lon - lon) / 2) ** 2
    return 2 * _EARTH_KM * np.arcsin(np.sqrt(min(1.0, half)))


@njit(cache=True, nogil=True)
def _field(lat, lon):  # type: ignore[no-untyped-def]
    """Tell the number of a field of the earth, some 200 km wide."""
    row = np.int64((lat + 90.0) / _FIELD_DEGREES)
    around = max(1.0, np.floor(np.cos(np.radians(row * _FIELD_DEGREES - 89.0)) * 360.0 / _FIELD_DEGREES))
    return row * 1_000 + np.int64((lon % 360.0) / 360.0 * around)


@njit(cache=True, nogil=True)
def _mixed(number):  # type: ignore[no-untyped-def]
    x = np.uint64(number) * np.uint64(0x9E3779B97F4A7C15)
    x = (x ^ (x >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    return x ^ (x >> np.uint64(31))


@njit(cache=True, nogil=True)
def _ones(bits):  # type: ignore[no-untyped-def]
    n = 0
    while bits != 0:
        bits &= bits - np.uint64(1)
        n += 1
    return n


@njit(cache=True, nogil=True)
def _mark(s, lat, lon):  # type: ignore[no-untyped-def]
    """Set one of 128 bits for a place."""
    bit = _mixed(_field(lat, lon)) & np.uint64(127)
    if bit < 64:
        s.places_low |= np.uint64(1) << bit
    else:
        s.places_high |= np.uint64(1) << (bit - np.uint64(64))


@njit(cache=True, nogil=True)
def _travels(s, us, lat, lon, day, scattered):  # type: ignore[no-untyped-def]
    """Go from the last place to this one, and see whether anything could have carried it there."""
    far = abs(lat - s.lat) > _NEAR_DEGREES or abs(lon - s.lon) > _NEAR_DEGREES
    if s.at_us > 0 and far:
        km = kilometres(s.lat, s.lon, lat, lon)
        if km > SLACK_KM + SPEED_KMH * (us - s.at_us) / HOUR_US:
            _mark(s, s.lat, s.lon)
            _mark(s, lat, lon)
            climb(s.scattered, scattered, _ones(s.places_low) + _ones(s.places_high), day)
    s.at_us = us
    s.lat = lat
    s.lon = lon


@njit(cache=True, nogil=True)
def _wakes(s, us, lon, day, nights):  # type: ignore[no-untyped-def]
    hours = us / HOUR_US + lon / 15.0
    hour, local_day = np.int64(hours % 24), np.int64(hours // 24)
    if hour < _NIGHT[0] or hour > _NIGHT[-1]:
        return
    if s.night != local_day:
        s.night = local_day
        s.hours = 0
    before = s.hours
    s.hours = before | np.uint8(1 << (hour - _NIGHT[0]))
    if s.hours == _WHOLE_NIGHT and before != _WHOLE_NIGHT:
        s.waked += 1
        climb(s.nights, nights, np.int64(s.waked), day)


@njit(cache=True, nogil=True)
def _observe(state, slots, at, lats, lons, country, scattered, countries, nights):  # type: ignore[no-untyped-def]
    for i in range(len(slots)):
        s, us, day = state[slots[i]], at[i], at[i] // DAY_US
        stretch = day // STRETCH_DAYS
        if stretch < s.stretch or us < s.at_us:
            # Late, and no longer to be followed.
            continue
        if stretch > s.stretch:
            s.stretch = stretch
            s.places_low = s.places_high = s.lands = np.uint64(0)
            s.waked = 0
        if len(country) and country[i] != 0:
            lands = s.lands | np.uint64(1) << (_mixed(country[i]) & np.uint64(63))
            if lands != s.lands:
                s.lands = lands
                climb(s.countries, countries, _ones(lands), day)
        lat, lon = np.float64(lats[i]), np.float64(lons[i])
        if abs(lat) <= 90 and abs(lon) <= 360:
            _travels(s, us, lat, lon, day, scattered)
            _wakes(s, us, lon, day, nights)
