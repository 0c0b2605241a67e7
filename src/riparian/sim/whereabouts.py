"""Where everybody is, on which device, through which network: drawn beside the days, so that it changes none of them.

People live in households of one to five accounts behind one address, with a speaker that all of them use.  They go to
offices and campuses where hundreds are behind one address, sit in cafés, and ride on their carrier, whose few
addresses thousands share and which often puts them into another city.  They travel, no faster than an aircraft, and
their telephones roam through home meanwhile.  Some have a private network: always, now and then, or one that changes
its exit by itself.  Some have a telephone for work, buy a new one, or a browser that forgets what it is or lies about
it.  Copiers have a device and a home each, or what their ring says.
"""

from dataclasses import dataclass
from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from riparian.sim import atlas
from riparian.sim.atlas import CITIES, CITIES_EACH
from riparian.sim.register import hex_ids, scattered
from riparian.sim.roaming import LIFE, TRIP, Wandering
from riparian.sim.streams import stream
from riparian.sim.town import Days, TownSpec

SHARED_HOUSEHOLDS: Final = 0.35
"""Share of households that hold more than one account, two to five alike."""
SPEAKERS: Final = 0.6
"""Share of those in which all accounts use one speaker or tablet."""
BORROWERS: Final = 0.1
"""Share of their accounts that have nothing else."""
OFFICES: Final = 0.25
CAMPUSES: Final = 0.05
WORK_PHONES: Final = 0.06
"""Shares of accounts with an office, a campus, and a device for the office."""
PRIVATE: Final = (0.02, 0.02, 0.0015, 0.0002)
"""Shares of accounts with a private network: always the same exit; now and then, one of three; another exit on every
visit; another exit every ten minutes."""
HOLIDAYS: Final = 0.15
BUSINESS: Final = 0.015
CREWS: Final = 0.001
"""Shares of accounts with one trip in sixty days, with a trip a week, and of those who fly every other day."""
FORGETFUL: Final = (0.008, 0.002)
"""Shares of accounts whose browser is a new device every day, and on every visit."""
VISITS: Final = 8
"""Devices a day of the latter, at most."""
LIARS: Final = 0.003
"""Share of accounts whose browser names another platform on every visit."""
REINSTALLED_DAYS: Final = 200.0
"""Days after which an account's first device is a new one, on average."""
VENUES: Final = ("cafe", "shop-radio", "night-shop", "widget")
"""Personas that stay where they are."""

PLATFORMS: Final = (
    ("Osprey/9.{v} (iPhone; iOS 19.{half})", 0.42),
    ("Osprey/9.{v} (Linux; Android 16; Phone {half})", 0.38),
    ("Mozilla/5.0 (Windows NT 10.0; Win64; x64) Chrome/1{v}.0", 0.12),
    ("Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) Version/2{v} Safari/6{v}", 0.08),
    ("OspreyCast/3.{v} (Speaker)", 0.0),
)
"""How players and browsers name themselves on each platform, and shares of devices."""
WINDOWS, SPEAKER = 2, 4
VERSIONS: Final = 40
AGENTS: Final = pa.array([text.format(v=v, half=v // 2) for text, _ in PLATFORMS for v in range(10, 10 + VERSIONS)])


class Devices(NamedTuple):
    """The platform of every device, and how many weeks late it is updated [shape=(devices,)]."""

    platform: npt.NDArray[np.int8]
    late: npt.NDArray[np.int8]


@dataclass(frozen=True, slots=True)
class Whereabouts:
    """What the accesses of a town need, to be somewhere.

    Parameters
    ----------
    wandering
        The arrays that the compiled loop reads.
    device_ids, networks
        Identifiers of devices, those of the cast first; addresses.
    """

    wandering: Wandering
    device_ids: pa.Array
    networks: pa.Array


class _Part(NamedTuple):
    """Accounts that are drawn together: listeners, or one ring."""

    name: str
    first: int
    end: int


def settle(spec: TownSpec, counts: Days, people: npt.NDArray[np.void]) -> Whereabouts:
    """Draw where everybody lives and works, what they travel, and which devices they have.

    Parameters
    ----------
    people
        Records of CHARACTER, as :func:`riparian.sim.cast.cast_of` draws them.
    """
    lives = np.zeros(counts.accounts, LIFE)
    trips: list[npt.NDArray[np.void]] = []
    for part in _parts(spec):
        mine = slice(part.first, part.end)
        lives[mine] = _homes(spec, part, people[mine]["country"])
        if part.name == "listeners":
            _habits(spec, lives[mine], counts)
            trips.append(_trips(spec, lives[mine], counts.persona[mine]))
    _copiers(spec, lives)
    ids, devices = _devices(spec, lives, people)
    firsts = atlas.first_networks(counts.accounts)
    wandering = Wandering(
        lives=lives,
        people=people,
        trips=np.concatenate([*trips, np.zeros(1, TRIP)]),
        cities=CITIES,
        firsts=firsts,
        platform=devices.platform,
        late=devices.late,
    )
    proxies = any(ring.proxies for ring in spec.copiers)
    return Whereabouts(wandering, ids, atlas.addresses(spec.seed, _home_numbers(spec, counts), proxies=proxies))


def _parts(spec: TownSpec) -> list[_Part]:
    parts, first = [_Part("listeners", 0, spec.listeners)], spec.listeners
    for i, ring in enumerate(spec.copiers):
        parts.append(_Part(f"ring/{i}", first, first + ring.accounts))
        first += ring.accounts
    return [part for part in parts if part.end > part.first]


def _home_numbers(spec: TownSpec, counts: Days) -> npt.NDArray[np.int64]:
    number = np.arange(counts.accounts, dtype=np.int64)
    return np.where(number < spec.listeners, number, number + (1 << 45) - spec.listeners)


def _homes(spec: TownSpec, part: _Part, country: npt.NDArray[np.int64]) -> npt.NDArray[np.void]:
    """Give every account a city of its country, and a home there; some accounts share a home."""
    rng = stream(spec.seed, f"{part.name}/homes")
    n = len(country)
    lives = np.zeros(n, LIFE)
    # The first city of a country holds the most.
    rank = np.minimum((CITIES_EACH * rng.random(n) ** 1.6).astype(np.int64), CITIES_EACH - 1)
    lives["city"] = country * CITIES_EACH + rank
    lives["gateway"] = np.where(
        rng.random(n) < 0.5, lives["city"], country * CITIES_EACH + rng.integers(0, CITIES_EACH, n)
    )
    lives["lat"] = CITIES["lat"][lives["city"]] + rng.normal(0, 0.08, n)
    lives["lon"] = CITIES["lon"][lives["city"]] + rng.normal(0, 0.08, n)
    lives["home"] = part.first + np.arange(n)
    lives["speaker"] = lives["work"] = lives["extra"] = -1
    return lives


def _habits(spec: TownSpec, lives: npt.NDArray[np.void], counts: Days) -> None:
    n = len(lives)
    rng = stream(spec.seed, "listeners/habits")
    u = rng.random((6, n))
    venue = np.isin(counts.persona[:n], VENUES)
    lives["office"] = (u[0] < OFFICES) & ~venue
    lives["campus"] = (u[0] > 1 - CAMPUSES) & ~venue
    lives["work_phone"] = (u[1] < WORK_PHONES / OFFICES) & lives["office"]
    lives["private"] = np.where(venue, 0, np.searchsorted(np.cumsum(PRIVATE), u[2], side="right") + 1)
    lives["private"][lives["private"] > len(PRIVATE)] = 0
    lives["forgets"] = np.searchsorted(np.cumsum(FORGETFUL), u[3], side="right") + 1
    lives["forgets"][lives["forgets"] > len(FORGETFUL)] = 0
    lives["lies"] = u[4] < LIARS
    lives["borrows"] = u[5] < BORROWERS
    lives["again"] = rng.poisson(spec.days / REINSTALLED_DAYS, n)
    lives["exits"] = rng.integers(0, len(CITIES), (n, 3))
    lives["stays"] = venue
    _households(spec, lives, venue | (counts.people[:n] > 1))


def _households(spec: TownSpec, lives: npt.NDArray[np.void], apart: npt.NDArray[np.bool_]) -> None:
    """Let accounts of one city move in together, two to five at a time."""
    rng = stream(spec.seed, "listeners/households")
    n = len(lives)
    size = np.where(rng.random(n) < SHARED_HOUSEHOLDS, rng.integers(2, 6, n), 1)
    order = np.lexsort((rng.random(n), lives["city"], apart))
    household = np.repeat(np.arange(n), size)[:n]
    new = np.diff(household, prepend=-1) != 0
    new |= np.diff(lives["city"][order], prepend=-1) != 0
    new |= apart[order]
    head = order[np.maximum.accumulate(np.where(new, np.arange(n), 0))]
    has_speaker = rng.random(n) < SPEAKERS
    for name in ("home", "lat", "lon"):
        lives[name][order] = lives[name][head]
    together = np.bincount(head, minlength=n)[head] > 1
    lives["speaker"][order] = np.where(together & has_speaker[head], head, -1)


def _trips(spec: TownSpec, lives: npt.NDArray[np.void], persona: npt.NDArray[np.str_]) -> npt.NDArray[np.void]:
    """Draw trips: holidays, business, crews; one after another for each account."""
    rng = stream(spec.seed, "listeners/trips")
    n = len(lives)
    u = np.where(np.isin(persona, VENUES), 1.0, rng.random(n))
    crew, business = u < CREWS, (u >= CREWS) & (u < CREWS + BUSINESS)
    holiday = (u >= CREWS + BUSINESS) & (u < CREWS + BUSINESS + HOLIDAYS)
    every = np.where(crew, 4.0, np.where(business, 7.0, 60.0))
    length = np.where(crew, 2.5, np.where(business, 2.5, 10.0))
    many = np.where(crew | business | holiday, np.ceil(spec.days / every), 0).astype(np.int64)
    lives["trips"] = many
    lives["trip"] = np.cumsum(many) - many
    trips = np.zeros(int(many.sum()), TRIP)
    account = np.repeat(np.arange(n), many)
    number = np.arange(len(trips)) - lives["trip"][account]
    begin = (number + 0.3 * rng.random(len(trips))) * every[account]
    trips["begin_h"] = begin * 24
    trips["end_h"] = (begin + length[account]) * 24
    near = lives["city"][account] // CITIES_EACH * CITIES_EACH + rng.integers(0, CITIES_EACH, len(trips))
    far = rng.integers(0, len(CITIES), len(trips))
    trips["city"] = np.where(business[account] & (rng.random(len(trips)) < 0.6), near, far)
    return trips


def _copiers(spec: TownSpec, lives: npt.NDArray[np.void]) -> None:
    first = spec.listeners
    for ring in spec.copiers:
        mine = lives[first : first + ring.accounts]
        mine["stays"] = True
        mine["forgets"] = ring.churn
        mine["proxies"] = ring.proxies
        mine["pool"] = ring.devices
        first += ring.accounts


def _devices(spec: TownSpec, lives: npt.NDArray[np.void], people: npt.NDArray[np.void]) -> tuple[pa.Array, Devices]:
    """Give all devices numbers: the cast's, those that come later, those that are shared; each from its own account."""
    own = people["devices"]
    serial = np.arange(int(own.sum())) - np.repeat(people["device_first"], own)
    numbers = [np.repeat(people["seed"], own) + serial.astype(np.uint64)]
    numbers.append(_later(spec, lives, people, len(serial)))
    at = sum(map(len, numbers))
    heads, place = np.unique(lives["speaker"], return_inverse=True)
    lives["speaker"] = np.where(lives["speaker"] >= 0, at + place - (heads[0] < 0), -1)
    heads = heads[heads >= 0]
    numbers.append(people["seed"][heads] + np.uint64(1 << 40))
    at += len(heads)
    first = spec.listeners
    for ring in spec.copiers:
        if ring.devices:
            lives["extra"][first : first + ring.accounts] = at
            numbers.append(people["seed"][first] + (np.arange(ring.devices) + (1 << 41)).astype(np.uint64))
            at += ring.devices
        first += ring.accounts
    drawn = scattered(np.concatenate(numbers), spec.seed)
    return hex_ids("d-", drawn), _named(drawn, lives)


def _later(
    spec: TownSpec, lives: npt.NDArray[np.void], people: npt.NDArray[np.void], at: int
) -> npt.NDArray[np.uint64]:
    """Give numbers to the devices for work, the replacements, and those of browsers that forget."""
    forgotten = spec.days * np.where(lives["forgets"] == 1, 1, VISITS)
    extras = np.where(lives["forgets"] == 0, lives["again"], forgotten) + lives["work_phone"]
    begin = at + np.cumsum(extras) - extras
    lives["extra"] = begin + lives["work_phone"]
    lives["work"] = np.where(lives["work_phone"] > 0, begin, -1)
    serial = np.arange(int(extras.sum())) - np.repeat(begin - at, extras)
    return np.asarray(np.repeat(people["seed"], extras) + (serial + (1 << 20)).astype(np.uint64), np.uint64)


def _named(drawn: npt.NDArray[np.uint64], lives: npt.NDArray[np.void]) -> Devices:
    """Give every device a platform, from its own number, so that none depends on the others."""
    number = (drawn & np.uint64(0xFFFF)).astype(np.int64)
    platform = np.searchsorted(np.cumsum([share for _, share in PLATFORMS]), number / 65_536, side="right")
    platform = np.minimum(platform, SPEAKER - 1)
    platform[lives["work"][lives["work"] >= 0]] = WINDOWS
    platform[lives["speaker"][lives["speaker"] >= 0]] = SPEAKER
    return Devices(platform.astype(np.int8), (number % 5).astype(np.int8))
