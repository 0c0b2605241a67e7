"""People as arrays, and their days drawn one after another.

``Lives`` holds one row a person; an account holds one person or, in a family, several.  A world
(:mod:`riparian.sim.worlds`) changes these arrays before anybody lives a day.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from riparian.sim import personas
from riparian.sim.counts import DayCounts, Ints
from riparian.sim.personas import PERSONA_NAMES, PERSONAS
from riparian.sim.streams import stream

Floats = npt.NDArray[np.float64]
SEARCH_ROWS: Final = 20
"""Rows that one search returns."""
ASCENT_SD: Final = 0.06
"""Daily variation of the share of steps towards less popular recordings; people's mean is a half."""
IMPORT_MEDIAN: Final = 900.0
IMPORT_SIGMA: Final = 0.8
IMPORT_MAX: Final = 6_000
"""Size of an imported library, recordings."""


@dataclass(slots=True)
class Lives:
    """One row a person; all arrays but the last three have shape (people,).

    Parameters
    ----------
    account
        Index of the account, ascending.
    persona
        Index into the table of personas.
    plays, cv, zero
        Mean plays on an active day, their variation, chance of a day without a play.
    delta, phi
        Constant on the logit of novelty, and how little its days vary.
    created_day
        Day of the town on which the account was made; negative before the town begins.
    import_day, import_size
        When a library arrives (-1 never), and how many recordings it holds.
    walk
        How this person plays in order: not at all, charts, or albums front to back.
    ascent, different
        Mean share of steps towards less popular recordings; chance that two new ones differ in artist.
    volume, shift
        Factor on volume and shift on the logit of novelty [shape=(days, people)].
    pareto
        Chance that a day's volume is multiplied by a Pareto number.
    """

    account: Ints
    persona: npt.NDArray[np.int8]
    plays: Floats
    cv: Floats
    zero: Floats
    delta: Floats
    phi: Floats
    created_day: Ints
    import_day: Ints
    import_size: Ints
    walk: npt.NDArray[np.int8]
    ascent: Floats
    different: Floats
    volume: npt.NDArray[np.float32]
    shift: npt.NDArray[np.float32]
    pareto: float = 0.0

    @property
    def size(self) -> int:
        """Number of people."""
        return len(self.account)

    def of(self, name: str) -> npt.NDArray[np.bool_]:
        """Mark the people of one persona."""
        return np.equal(self.persona, PERSONA_NAMES.index(name))


def _by_persona(field: str, persona: npt.NDArray[np.int8]) -> Floats:
    return np.array([getattr(p, field) for p in PERSONAS], dtype=np.float64)[persona]


def settle_people(
    seed: int, listeners: int, days: int, *, shares: dict[str, float] | None = None, weekday: int = 0
) -> Lives:
    """Draw who lives in the town, before any world changes them.

    Parameters
    ----------
    shares
        Shares of personas that differ from the table's.
    weekday
        Weekday of the first day, Monday 0.
    """
    of_account = personas.draw_personas(stream(seed, "listeners/persona"), listeners, shares)
    rng = stream(seed, "listeners/people")
    low = np.array([p.people[0] for p in PERSONAS])[of_account]
    high = np.array([p.people[1] for p in PERSONAS])[of_account]
    people = rng.integers(low, high + 1)
    account = np.repeat(np.arange(listeners, dtype=np.int32), people)
    persona = of_account[account]
    n = len(account)
    rng = stream(seed, "listeners/volume")
    keen = rng.standard_normal(n)
    mean = _by_persona("plays", persona) * np.exp(_by_persona("plays_sigma", persona) * keen)
    ordinary = _by_persona("cv", persona) == 0
    mean = np.where(ordinary, np.minimum(mean, personas.PLAYS_MAX), mean)
    cv = personas.ACTIVE_CV * np.exp(personas.ACTIVE_CV_SIGMA * rng.standard_normal(n))
    odds = np.exp(personas.ZERO_LOGIT + personas.ZERO_LOGIT_SIGMA * rng.standard_normal(n))
    zero = _by_persona("zero", persona)
    zero = np.where(zero >= 0, zero, np.minimum(odds / (1 + odds), 0.7))
    rng = stream(seed, "listeners/delta")
    own = personas.KEEN_DELTA * keen + np.sqrt(1 - personas.KEEN_DELTA**2) * rng.standard_normal(n)
    delta = _by_persona("delta", persona) + _by_persona("delta_sd", persona) * own
    created, import_day, import_size = _arrivals(seed, of_account, days)
    walk = _walks(seed, persona)
    week = personas.WEEK[(np.arange(days) + weekday) % 7].astype(np.float32)
    return Lives(
        account=account, persona=persona, plays=mean / (1 - zero),
        cv=np.where(ordinary, cv, _by_persona("cv", persona)),
        zero=zero, delta=delta, phi=_by_persona("phi", persona), created_day=created[account],
        import_day=import_day[account], import_size=import_size[account], walk=walk,
        ascent=np.array(personas.ASCENT)[walk], different=np.array(personas.DIFFERENT_ARTIST)[walk],
        volume=np.repeat(week[:, None], n, axis=1), shift=np.zeros((days, n), np.float32),
    )  # fmt: skip


def _arrivals(seed: int, persona: npt.NDArray[np.int8], days: int) -> tuple[Ints, Ints, Ints]:
    rng = stream(seed, "listeners/arrivals")
    n = len(persona)
    created = -1 - rng.exponential(700.0, n).astype(np.int32)
    joins = (rng.random(n) < personas.NEW_SHARE) & (days > 1)
    importer = persona == PERSONA_NAMES.index("importer")
    day = rng.integers(0, max(days, 1), n).astype(np.int32)
    created = np.where(joins | importer, day, created).astype(np.int32)
    size = library_sizes(rng, n)
    return created, np.where(importer, created, -1).astype(np.int32), np.where(importer, size, 0).astype(np.int32)


def library_sizes(rng: np.random.Generator, n: int) -> Ints:
    """Draw how many recordings each imported library holds [shape=(n,)]."""
    drawn = IMPORT_MEDIAN * np.exp(IMPORT_SIGMA * rng.standard_normal(n))
    return np.clip(drawn, 50, IMPORT_MAX).astype(np.int32)


def _walks(seed: int, persona: npt.NDArray[np.int8]) -> npt.NDArray[np.int8]:
    charts = stream(seed, "listeners/order").random(len(persona)) < 0.5
    walks = np.where(charts, personas.WALK_CHARTS, personas.WALK_ALBUMS)
    return np.where(persona == PERSONA_NAMES.index("completist"), walks, personas.WALK_NONE).astype(np.int8)


def live_days(seed: int, lives: Lives, recordings: int) -> Iterator[DayCounts]:
    """Draw one day after another, each given how much everybody has played before.

    Parameters
    ----------
    recordings
        Size of the catalogue; nobody ever plays more than half of it.

    Yields
    ------
    DayCounts
        Counts of every account on the next day.
    """
    starts = np.flatnonzero(np.diff(lives.account, prepend=-1))
    played = np.zeros(lives.size, np.int64)
    heard = np.zeros(lives.size, np.int64)
    member = np.ones(lives.size, bool)
    member[starts] = False
    for day in range(len(lives.volume)):
        plays, novel, downloads = _live_one(seed, lives, day, played)
        novel = np.minimum(novel, np.maximum(recordings // 2 - heard, 0)).astype(np.int32)
        downloads = np.minimum(downloads, novel)
        played += plays
        heard += novel
        shared = _shared(stream(seed, f"listeners/shared/{day}"), novel, member)
        yield _of_accounts(seed, lives, day, starts, counts=(plays, novel - shared, downloads))


def _live_one(seed: int, lives: Lives, day: int, played: npt.NDArray[np.int64]) -> tuple[Ints, Ints, Ints]:
    """Draw plays, novel plays and downloads of every person."""
    n = lives.size
    alive = (lives.created_day <= day) & (stream(seed, f"listeners/active/{day}").random(n) >= lives.zero)
    here = np.flatnonzero(alive & (lives.plays > 0))
    rng = stream(seed, f"listeners/volume/{day}")
    mean = lives.plays[here]
    shape = 1 / np.maximum(lives.cv[here] ** 2 - 1 / mean, 0.01)
    rate = rng.standard_gamma(shape) * (mean * lives.volume[day, here] / shape)
    if lives.pareto > 0:
        spread = rng.random(len(here)) < lives.pareto
        rate = np.where(spread, rate * (1 + rng.pareto(1.5, len(here))), rate)
    drawn = rng.poisson(np.minimum(rate, personas.DAY_PLAYS_MAX)).clip(0, personas.DAY_PLAYS_MAX)
    here, drawn = here[drawn > 0], drawn[drawn > 0]
    rng = stream(seed, f"listeners/novelty/{day}")
    chance = novelty_chance(played[here], lives.delta[here] + lives.shift[day, here])
    phi = lives.phi[here]
    fresh = rng.binomial(drawn, rng.beta(chance * phi, (1 - chance) * phi))
    fresh = np.where(played[here] == 0, np.maximum(fresh, 1), fresh)
    plays, novel, downloads = (np.zeros(n, np.int32) for _ in range(3))
    plays[here], novel[here] = drawn, fresh
    libraries = np.flatnonzero((lives.import_day == day) & (lives.import_size > 0))
    downloads[libraries] = lives.import_size[libraries]
    return plays + downloads, novel + downloads, downloads


def novelty_chance(played: npt.NDArray[np.int64], delta: Floats) -> Floats:
    """Mean novel share of a day, given the plays so far and the person's constant.

    Examples
    --------
    >>> novelty_chance(np.array([0, 1000]), np.array([0.0, 0.0])).round(3)
    array([0.786, 0.309])
    """
    age = np.clip(np.floor(np.log2(played + 32.0)).astype(np.int64) - 5, 0, len(personas.NOVELTY_BASE) - 1)
    base = np.log(personas.NOVELTY_BASE / (1 - personas.NOVELTY_BASE))
    chance = 1 / (1 + np.exp(-(base[age] + delta)))
    return np.asarray(np.clip(chance, 1e-4, 1 - 1e-4), dtype=np.float64)


def _shared(rng: np.random.Generator, novel: Ints, member: npt.NDArray[np.bool_]) -> Ints:
    """Count what is new to a member of a family but not to the account; never all of it."""
    shared = np.floor(novel * personas.FAMILY_OVERLAP + rng.random(len(novel))).astype(np.int32)
    return np.where(member, np.minimum(shared, np.maximum(novel - 1, 0)), 0).astype(np.int32)


def _of_accounts(
    seed: int, lives: Lives, day: int, starts: npt.NDArray[np.intp], *, counts: tuple[Ints, Ints, Ints]
) -> DayCounts:
    plays, novel, downloads = (np.add.reduceat(column, starts).astype(np.int32) for column in counts)
    rng = stream(seed, f"listeners/order/{day}")
    n = len(starts)
    different = np.maximum(novel - 1, 0) * lives.different[starts] + rng.random(n)
    pairs = np.minimum(different.astype(np.int32), np.maximum(novel - 1, 0))
    lean = np.clip(lives.ascent[starts] + ASCENT_SD * rng.standard_normal(n), 0.02, 0.98)
    lean[rng.random(n) < personas.CHART_DAY_CHANCE] = 0.95
    here = np.flatnonzero(pairs)
    ascents = np.zeros(n, np.int32)
    ascents[here] = rng.binomial(pairs[here], lean[here])
    rng = stream(seed, f"listeners/rows/{day}")
    made = lives.created_day[starts] <= day
    searches = rng.poisson(np.where(plays > 0, 0.5 + 0.08 * (novel - downloads), 0.0))
    rows = searches * SEARCH_ROWS + rng.poisson(_by_persona("rows", lives.persona)[starts] * made)
    return DayCounts(plays, novel, downloads, rows.astype(np.int32), pairs, ascents)
