"""Towns that a null fitted elsewhere does not contain.

Each world changes the people of the ordinary town by a few named numbers.  ``strength`` from 0 (no change)
to 1 scales the change; ``mixed`` applies all of them at half strength.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Final

import numpy as np

from riparian.errors import InputError
from riparian.sim import lives as _lives
from riparian.sim import personas
from riparian.sim.lives import Lives

Change = Callable[[Lives, np.random.Generator, float, int], None]
FRIDAY: Final = 4


@dataclass(frozen=True, slots=True)
class World:
    """A named departure from the ordinary town.

    Parameters
    ----------
    name, why
        How the command line calls it, and why a null fitted elsewhere would miss it.
    change
        Changes the people in place; gets them, a stream, the strength and the first weekday.
    shares
        Shares of personas at full strength that differ from the table's.
    """

    name: str
    why: str
    change: Change | None = None
    shares: Mapping[str, float] = field(default_factory=dict)


def heavy_tails(
    people: Lives, rng: np.random.Generator, strength: float, _weekday: int,
    *, dof: float = 3.0, scale: float = 0.45, phi: tuple[float, float] = (1.0, 20.0), pareto: float = 0.01,
) -> None:  # fmt: skip
    """Deltas from a t law, days from a Pareto law, a dispersion per person: a Gaussian null has no such people."""
    tails = rng.standard_t(dof, people.size) * scale
    people.delta += strength * np.clip(tails, -6, 6)
    drawn = np.exp(rng.uniform(np.log(phi[0]), np.log(phi[1]), people.size))
    people.phi = np.exp((1 - strength) * np.log(people.phi) + strength * np.log(drawn))
    people.pareto = strength * pareto


def drift(
    people: Lives, rng: np.random.Generator, strength: float, _weekday: int,
    *, delta_step: float = 0.06, rate_step: float = 0.05, doubled: float = 0.10,
) -> None:  # fmt: skip
    """Novelty and rate walk, some double or triple novelty for good: a null of constant people calls it news."""
    shape = people.shift.shape
    people.shift += (strength * delta_step * np.cumsum(rng.standard_normal(shape), axis=0)).astype(np.float32)
    walk = strength * rate_step * np.cumsum(rng.standard_normal(shape), axis=0)
    people.volume *= np.exp(np.clip(walk, -1.5, 1.5)).astype(np.float32)
    turning = rng.integers(0, shape[0], people.size)
    jump = np.where(rng.random(people.size) < doubled, np.log(rng.uniform(2, 3, people.size)) * 1.4, 0.0)
    after = np.arange(shape[0])[:, None] >= turning[None, :]
    people.shift += (strength * jump * after).astype(np.float32)


def holidays(
    people: Lives, rng: np.random.Generator, strength: float, _weekday: int,
    *, volume: float = 2.5, novelty: float = 0.8, days: int = 14, away_share: float = 0.6, away_volume: float = 0.1,
) -> None:  # fmt: skip
    """Everybody plays 2.5 times as much for two weeks, then leaves: days of different accounts are not independent."""
    start = len(people.shift) // 3
    people.volume[start : start + days] *= np.float32(1 + strength * (volume - 1))
    people.shift[start : start + days] += np.float32(strength * novelty)
    away = rng.random(people.size) < away_share
    factor = np.where(away, 1 - strength * (1 - away_volume), 1.0).astype(np.float32)
    people.volume[start + days : start + 2 * days] *= factor


def release_fridays(
    people: Lives, rng: np.random.Generator, strength: float, weekday: int,
    *, share: float = 0.7, novelty: float = 1.5, volume: float = 1.3,
) -> None:  # fmt: skip
    """Most people hear new releases on the same weekday: novelty returns although they have played for long."""
    fridays = (np.arange(len(people.shift)) + weekday) % 7 == FRIDAY
    follows = rng.random(people.size) < share
    people.shift += (strength * novelty * fridays[:, None] * follows[None, :]).astype(np.float32)
    people.volume *= 1 + np.float32(strength * (volume - 1)) * (fridays[:, None] & follows[None, :]).astype(np.float32)


def imports(people: Lives, rng: np.random.Generator, strength: float, _weekday: int, *, share: float = 0.10) -> None:
    """One in ten imports a library on any day of its life: a burst of novelty that is not at the beginning."""
    accounts = int(people.account[-1]) + 1 if people.size else 0
    chosen = rng.random(accounts) < strength * share
    day = rng.integers(0, max(len(people.shift), 1), accounts)
    size = _lives.library_sizes(rng, accounts)
    first = np.diff(people.account, prepend=-1) > 0
    gets = first & chosen[people.account] & (people.import_size == 0)
    people.import_day = np.where(gets, np.maximum(day[people.account], people.created_day), people.import_day).astype(
        np.int32
    )
    people.import_size = np.where(gets, size[people.account], people.import_size).astype(np.int32)


def families(
    people: Lives,
    _rng: np.random.Generator,
    strength: float,
    _weekday: int,
    *,
    volume: float = 1.3,
    most: float = 500.0,
) -> None:
    """Four accounts in ten are two to five people, up to 500 plays a day: no single person has such volume."""
    family = people.of("family")
    people.plays = np.where(family, people.plays * (1 + strength * (volume - 1)), people.plays)
    total = np.bincount(people.account, weights=people.plays)
    factor = np.minimum(1.0, most / np.maximum(total, 1e-9))[people.account]
    people.plays = np.where(family, people.plays * factor, people.plays)


def mixed(people: Lives, rng: np.random.Generator, strength: float, weekday: int) -> None:
    """All of them at half strength: departures that are small alone are not small together."""
    for world in WORLDS.values():
        if world.change is not None and world.name != "mixed":
            world.change(people, rng, 0.5 * strength, weekday)


def _world(name: str, change: Change, shares: Mapping[str, float] | None = None) -> World:
    return World(name, (change.__doc__ or "").split("\n")[0], change, shares or {})


def _unchanged(_people: Lives, _rng: np.random.Generator, _strength: float, _weekday: int) -> None:
    """Cafés and radios, one account in twenty, machine-regular with a fresh programme: rate and novelty of a copier."""


_TABLE: Final = (
    World("ordinary", "The law that was fitted, with the declared heavy kinds of listener."),
    _world("heavy-tails", heavy_tails),
    _world("drift", drift),
    _world("holidays", holidays),
    _world("release-fridays", release_fridays),
    _world("imports", imports),
    _world("families", families, {"family": 0.40}),
    _world("night-shops", _unchanged, {"night-shop": 0.05}),
    _world("mixed", mixed, {"family": (0.40 + personas.PERSONAS[1].share) / 2, "night-shop": 0.025}),
)
WORLDS: Final[Mapping[str, World]] = MappingProxyType({world.name: world for world in _TABLE})


def find_world(name: str) -> World:
    """Look a world up by name.

    Raises
    ------
    InputError
        When no world has this name.

    Examples
    --------
    >>> find_world("drift").name
    'drift'
    """
    if name not in WORLDS:
        raise InputError(f"world `{name}`, wanted one of {', '.join(WORLDS)}", hint="Name a world from the list")
    return WORLDS[name]
