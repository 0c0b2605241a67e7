"""One day of accesses, put into places: for each the city, the network, the device and what it calls itself.

Everything follows from the account, the visit's own number and the time, so that nothing here disturbs what is
played.  Trips move no faster than an aircraft; private networks and carriers know no such limit.
"""

from typing import Any, Final, NamedTuple

import numpy as np
import numpy.typing as npt
from numba import njit

from riparian.sim.atlas import AIRLINE, CAFE, CAMPUS, CARRIER, EXIT, HOTEL, MANY, OFFICE, PROXIES, PROXY
from riparian.sim.dice import mix

LIFE: Final = np.dtype(
    [
        ("lat", "f8"), ("lon", "f8"), ("city", "i8"), ("gateway", "i8"), ("home", "i8"), ("office", "i8"),
        ("campus", "i8"), ("stays", "i8"), ("private", "i8"), ("exits", "i8", (3,)), ("trip", "i8"), ("trips", "i8"),
        ("speaker", "i8"), ("borrows", "i8"), ("work_phone", "i8"), ("work", "i8"), ("extra", "i8"), ("again", "i8"),
        ("forgets", "i8"), ("lies", "i8"), ("pool", "i8"), ("proxies", "i8"),
    ]
)  # fmt: skip
"""One account: its home, its city and the city of its carrier's gateway; network of its home; whether it has an
office, a campus; whether it never moves; kind of private network and exits; first trip and how many; devices (-1
none): the household's speaker, and whether the account has nothing else; the one for work, the first of those that
come later; how many times the first is replaced; whether it is a new one every day (1) or visit (2); whether it lies
about its platform; devices of its ring's pool; proxies."""
TRIP: Final = np.dtype([("begin_h", "f8"), ("end_h", "f8"), ("city", "i8")])
"""One trip: when it begins and ends, hours since the town's first midnight, and where it leads."""
WHERE: Final = np.dtype(
    [("lat", "f4"), ("lon", "f4"), ("device", "i4"), ("network", "i4"), ("agent", "i4"), ("land", "u1")], align=True
)
"""Where one access came from: place, index of device, network and agent, index into ``LANDS``."""

FLIGHT: Final = 800.0
"""Speed of aircraft, km/h."""
_EARTH: Final = 6_371.0
_VISITS: Final = 8
_PLATFORMS, _VERSIONS = 5, 40
_PER_CITY: Final = np.array([0, *(MANY[kind] for kind in (OFFICE, CAMPUS, CAFE, CARRIER, HOTEL, AIRLINE, EXIT)), 0])


class Wandering(NamedTuple):
    """Everything that the loop reads.

    Parameters
    ----------
    lives, people, trips, cities
        Records of LIFE, CHARACTER, TRIP and CITY.
    firsts
        First network of each kind.
    platform, late
        Platform of every device, and how many fortnights late it is updated.
    """

    lives: npt.NDArray[np.void]
    people: npt.NDArray[np.void]
    trips: npt.NDArray[np.void]
    cities: npt.NDArray[np.void]
    firsts: npt.NDArray[np.int64]
    platform: npt.NDArray[np.int8]
    late: npt.NDArray[np.int8]


@njit(cache=True)
def _share(dice: Any, part: Any) -> Any:
    """Read one of several independent numbers in 0..1 out of one draw."""
    return np.float64((mix(dice + np.uint64(part)) >> np.uint64(11)) * (1.0 / (1 << 53)))


@njit(cache=True)
def _vector(lat: Any, lon: Any) -> Any:
    phi, theta = np.radians(lat), np.radians(lon)
    return np.cos(phi) * np.cos(theta), np.cos(phi) * np.sin(theta), np.sin(phi)


@njit(cache=True)
def _between(a_lat: Any, a_lon: Any, b_lat: Any, b_lon: Any, hours: Any) -> Any:
    """Fly from one place to another along the great circle; tells place and whether still in the air."""
    ax, ay, az = _vector(a_lat, a_lon)
    bx, by, bz = _vector(b_lat, b_lon)
    angle = np.arccos(min(1.0, max(-1.0, ax * bx + ay * by + az * bz)))
    done = hours * FLIGHT / (_EARTH * max(angle, 1e-9))
    if done >= 1 or angle < 0.02:
        return b_lat, b_lon, False
    u, v = np.sin((1 - done) * angle) / np.sin(angle), np.sin(done * angle) / np.sin(angle)
    x, y, z = u * ax + v * bx, u * ay + v * by, u * az + v * bz
    return np.degrees(np.arcsin(z)), np.degrees(np.arctan2(y, x)), True


@njit(cache=True)
def _network(w: Any, kind: Any, city: Any, dice: Any) -> Any:
    many = _PER_CITY[kind]
    return w.firsts[kind] + city * many + np.int64(_share(dice, 11) * many)


@njit(cache=True)
def _put(where: Any, lat: Any, lon: Any, land: Any, network: Any) -> None:
    where.lat = lat
    where.lon = lon
    where.land = land
    where.network = network


@njit(cache=True)
def _in_city(where: Any, w: Any, kind: Any, city: Any, dice: Any) -> None:
    place = w.cities[city]
    near = _share(dice, 12) - 0.5
    _put(where, place.lat + 0.1 * near, place.lon - 0.1 * near, place.country, _network(w, kind, city, dice))


@njit(cache=True)
def _out(where: Any, w: Any, life: Any, dice: Any, minute: Any) -> Any:
    """Go through a private network or a proxy; False who has none just now."""
    if life.proxies:
        slot = mix(dice ^ np.uint64(life.home * 1_000_003 + minute // 10))
        pick = np.int64(_share(slot, 1) * PROXIES)
        own = np.uint64(pick + 77)
        city = w.cities[np.int64(_share(own, 2) * len(w.cities))]
        lat, lon = city.lat + 8 * (_share(own, 3) - 0.5), city.lon + 8 * (_share(own, 4) - 0.5)
        _put(where, lat, lon, city.country, w.firsts[PROXY] + pick)
        return True
    if life.private == 0 or (life.private == 2 and _share(dice, 21) > 0.3):
        return False
    city = life.exits[0]
    if life.private == 2:
        city = life.exits[np.int64(_share(dice, 22) * 3)]
    elif life.private == 3:
        city = np.int64(_share(dice, 22) * len(w.cities))
    elif life.private == 4:
        city = np.int64(_share(mix(dice + np.uint64(minute // 10)), 22) * len(w.cities))
    _in_city(where, w, EXIT, city, dice)
    return True


@njit(cache=True)
def _away(where: Any, w: Any, life: Any, hours: Any, dice: Any) -> Any:
    """Be on a trip, on the way there or back; False who is not."""
    home = w.cities[life.city]
    for i in range(life.trip, life.trip + life.trips):
        trip = w.trips[i]
        if hours < trip.begin_h:
            return False
        there = w.cities[trip.city]
        if hours < trip.end_h:
            lat, lon, flies = _between(life.lat, life.lon, there.lat, there.lon, hours - trip.begin_h)
        else:
            lat, lon, flies = _between(there.lat, there.lon, life.lat, life.lon, hours - trip.end_h)
            if not flies:
                continue
        if flies:
            _put(where, lat, lon, home.country, _network(w, AIRLINE, trip.city, dice))
        elif _share(dice, 31) < 0.3:
            # A telephone that roams is seen where its carrier is.
            _in_city(where, w, CARRIER, life.gateway, dice)
        else:
            _in_city(where, w, HOTEL, trip.city, dice)
        return True
    return False


@njit(cache=True)
def _around(where: Any, w: Any, life: Any, hour: Any, working: Any, dice: Any) -> Any:
    """Be at home, at work, in a café or on the way; returns whether at work."""
    u, home = _share(dice, 41), w.cities[life.city]
    if life.office and working and 9 <= hour < 17 and u < 0.8:
        _in_city(where, w, OFFICE, life.city, dice)
        return True
    if life.stays or u < 0.7:
        if life.campus and _share(dice, 42) < 0.7:
            _in_city(where, w, CAMPUS, life.city, dice)
        else:
            _put(where, life.lat, life.lon, home.country, life.home)
        return False
    if u > 0.97:
        _in_city(where, w, CAFE, life.city, dice)
    else:
        _in_city(where, w, CARRIER, life.gateway, dice)
    return False


@njit(cache=True)
def _device(life: Any, device: Any, day: Any, days: Any, dice: Any, at_home: Any, at_work: Any, seed: Any) -> Any:
    """Tell which device it is today: the cast's, a new one, one that is shared, or one of the ring's pool."""
    if life.pool:
        return life.extra + np.int64(_share(mix(seed + np.uint64(day)), 51) * life.pool)
    if life.borrows and life.speaker >= 0:
        return life.speaker
    if life.forgets == 1:
        return life.extra + day
    if life.forgets == 2:
        return life.extra + day * _VISITS + np.int64(_share(dice, 52) * _VISITS)
    if at_work and life.work >= 0:
        return life.work
    if at_home and life.speaker >= 0 and _share(dice, 53) < 0.25:
        return life.speaker
    if device == 0 and life.again > 0:
        # The k-th replacement comes with the k-th part of the period.
        age = day * (life.again + 1) // days
        return life.extra + age - 1 if age > 0 else -1
    return -1


@njit(cache=True)
def roam(day: Any, days: Any, weekday: Any, sheet: Any, visits: Any, w: Any, out: Any) -> None:
    """Put the accesses of one day into places.

    Parameters
    ----------
    day, days, weekday
        Day of the town, how many there are, Monday 0.
    sheet
        Records of ENTRY.
    visits
        A number for each visit that is like no other's [uint64].
    w
        The wandering.
    out
        Records of WHERE, written; one an access.
    """
    for i in range(len(sheet)):
        entry = sheet[i]
        life, who = w.lives[entry.account], w.people[entry.account]
        dice = mix(visits[entry.visit] ^ who.seed)
        minute = day * 1_440 + entry.at_ms // 60_000
        hours = day * 24 + entry.at_ms / 3_600_000
        hour = (entry.at_ms // 3_600_000 + who.offset_h) % 24
        where = out[i]
        at_work = False
        hidden = _out(where, w, life, dice, minute)
        away = hidden or _away(where, w, life, hours, dice)
        if not away:
            at_work = _around(where, w, life, hour, weekday < 5, dice)
        first = entry.device - who.device_first
        device = _device(life, first, day, days, dice, not away and not at_work, at_work, who.seed)
        where.device = entry.device if device < 0 else device
        platform = np.int64(w.platform[where.device])
        if life.lies:
            platform = np.int64(_share(dice, 61) * 4)
        version = min(max(4 + (day // 14) - np.int64(w.late[where.device]), 0), _VERSIONS - 1)
        where.agent = platform * _VERSIONS + version
