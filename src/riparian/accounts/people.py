"""Whom do we bet against?

The null of every bet on accounts is a mixture over *whole people*: declared kinds of account, each
with its own laws of volume, newness and order, in declared shares (``people.toml``).  Inside a kind
the three laws are independent given the kind; a person is drawn once and stays that person.  So a
kind with share ``s`` caps what its members can gather by being what they are near ``log2(1/s)``,
and no honest trait, however rare, is multiplied by itself day after day.

Every law is a mixture over a shared *pool* of components, so that an account's memory is one
likelihood for each component of a pool, and a kind is a vector of weights over it:

=========  ==============================================================================
volume     zero-truncated negative binomial over (mean, evenness), given that the day has plays
newness    beta-binomial given the day's plays, over (level x burstiness) on the common curve of
           newness by age, and over tireless levels that never fall
order      beta-binomial of ascents among consecutive new recordings of different artists
rows       metadata rows of a day on a scale of powers of two, over (centre, width)
flags      chance that a day is marked, for a client of a kind
=========  ==============================================================================

Each day's law has a few per cent of "any day at all" mixed in, so that one odd day of an honest
account cannot rule out the person that it is.

Symbols
-------
n, k   plays of a day; those of them that are new to the account
m, d   beta-binomial chance and dispersion: alpha = m d, beta = (1 - m) d
r      negative binomial shape; coefficient of variation near 1 / sqrt(r)

Source
------
Newness by age and its beta-binomial dispersion of 3.58: fitted to 1.8 million plays of 85 people.
Mixtures as nulls: Wasserman, Ramdas, Balakrishnan (2020), *Universal inference*, section 8.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Final, NamedTuple, cast

import numpy as np
import numpy.typing as npt

from riparian.accounts.ladders import Ladder, Ladders
from riparian.errors import PolicyError

Array = npt.NDArray[np.float64]
Singles = npt.NDArray[np.float32]

VERSION: Final = "3"
"""Version of the pools and tables; a tally made by another version is refused."""

PLAYS_MAX: Final = 1024
"""Days with more plays are scaled down to this many before newness is weighed."""
VOLUME_MAX: Final = 4096
AGES: Final = 13
PAIRS_MAX: Final = 64
ROWS_BINS: Final = 26

ODD_DAY: Final = 0.03
"""Share of days on which anything may happen to anybody."""
_MEANS: Final = np.exp2(np.arange(2.0, 10.51, 0.5))
_SHAPES: Final = np.array([0.7, 1.6, 5.0, 16.0, 100.0])
_LEVELS: Final = np.arange(-3.0, 4.51, 0.5)
_BURSTS: Final = np.array([1.2, 3.6, 12.0])
_TIRELESS: Final = np.array([0.3, 0.5, 0.7, 0.85, 0.95, 0.999])
_TIRELESS_BURSTS: Final = np.array([3.6, 60.0])
_ORDERS: Final = ((0.5, 30.0), (0.6, 5.0), (0.9, 6.0), (0.985, 100.0))
_FLAGS: Final = np.array([0.0005, 0.002, 0.02, 0.05, 0.3, 0.4, 0.95, 0.995])
_CENTRES: Final = np.arange(0.0, 25.0, 1.5)
_WIDTHS: Final = np.array([0.4, 1.5])
_STRIDE: Final = 32
"""Components that a kernel works on in one stride; a large pool is filled up to whole strides."""

# The alternative: half of all copiers go through a list in order, and their days are marked mostly or always.
_OTHER_ORDER: Final = (0.5, 0.0, 0.05, 0.45)
_OTHER_FLAGS: Final = (0.0, 0.0, 0.0, 0.0, 0.1, 0.1, 0.3, 0.5)

BETS: Final = {"person": 0.6, "pace": 0.1, "silence": 0.1, "enumeration": 0.2}
"""The bets, and their weights in the mean that joins them; they sum to one."""

LADDERS: Final = {
    "devices": ("shared", "changed", "impossible"),
    "places": ("scattered", "countries", "nights"),
    "taste": ("apart", "alike"),
}
"""The questions that are asked by declared ladders, and their ladders (:mod:`riparian.accounts.ladders`)."""

_KIND_KEYS: Final = {"share", "because", "plays", "evenness", "newness", "tireless", "bursts", "ordered"}


class Pools(NamedTuple):
    """Likelihoods of a day under every component, as tables to look up.

    Parameters
    ----------
    volume : np.ndarray [shape=(VOLUME_MAX + 1, volumes)]
        Chance of ``n`` plays on a day that has any.
    novel, known : np.ndarray [shape=(AGES, PLAYS_MAX + 1, newnesses)]
        Two factors of the beta-binomial: for ``k`` new and ``n - k`` known plays.
    plays : np.ndarray [shape=(PLAYS_MAX + 1, newnesses)]
        The third factor, for ``n``; the product of the three is the chance of ``k``.  Doubles: one
        factor alone leaves the range of singles.
    order : np.ndarray [shape=(PAIRS_MAX + 1, PAIRS_MAX + 1, orders)]
        Chance of ``a`` ascents among ``p`` pairs, at ``[p, a]``.
    rows : np.ndarray [shape=(ROWS_BINS, widths x centres)]
        Chance of a day's power of two of metadata rows.
    flags : np.ndarray [shape=(flags,)]
        Chance that a day is marked.
    """

    volume: Singles
    novel: Array
    known: Array
    plays: Array
    order: Singles
    rows: Singles
    flags: Singles


class Laws(NamedTuple):
    """Weights of the bets in their mean (person, pace, silence, enumeration, and none), and over the pools.

    ``volume``, ``newness`` and ``order`` have one row a kind, and the alternative as last row; ``reader_*``
    have one row a kind of reader; ``other_*`` are the alternative's.
    """

    weights: Array
    shares: Singles
    volume: Singles
    newness: Singles
    order: Singles
    reader_shares: Singles
    reader_rows: Singles
    reader_order: Singles
    other_rows: Singles
    other_order: Singles
    clients_fast: Singles
    clients_unplayed: Singles
    other_flags: Singles


@dataclass(frozen=True)
class People:
    """Declared kinds of account as weights over the pools, beside what a copier is supposed to do.

    Validity rests on the kinds and on the ladders alone; the alternative only decides how fast evidence grows.
    A suspended question has no ladders.
    """

    version: str
    names: tuple[str, ...]
    because: tuple[str, ...]
    suspended: frozenset[str]
    curve: Array
    laws: Laws
    ladders: Mapping[str, Ladders]

    @cached_property
    def pools(self) -> Pools:
        """The tables, computed once."""
        novel, known, plays = map(_filled, _newness_tables(self.curve))
        volume, order, rows, flags = map(_single, (_filled(_volume_table()), _order_table(), _rows_table(), _FLAGS))
        return Pools(volume, novel, known, plays, order, rows, flags)


def parse_people(found: Mapping[str, object]) -> People:
    """Read the declared kinds from the contents of a ``people.toml``.

    Raises
    ------
    PolicyError
        When a key is missing or unknown, shares do not sum to one, or a ladder does not climb.
    """
    top = {"version", "suspended", "newness_by_age", "kind", "clients", "readers", *LADDERS}
    _keys("the people file", found, top)
    kinds = cast(Mapping[str, Mapping[str, object]], found["kind"])
    for name, kind in kinds.items():
        _keys(f"kind `{name}`", kind, _KIND_KEYS)
    readers = cast(Mapping[str, Mapping[str, object]], found["readers"])
    for name, reader in readers.items():
        _keys(f"reader `{name}`", reader, {"share", "rows", "ordered"})
    clients = cast(Mapping[str, Sequence[Sequence[float]]], found["clients"])
    _keys("`clients`", clients, {"too_fast", "unplayed"})
    age = cast(Mapping[str, object], found["newness_by_age"])
    suspended = cast(Sequence[str], found["suspended"])
    return People(
        version=" without ".join([str(found["version"]), *sorted(suspended)]),
        names=tuple(kinds),
        because=tuple(str(k["because"]) for k in kinds.values()),
        suspended=frozenset(suspended),
        curve=_curve(int(_number(age["first"])), _numbers(age["chance"])),
        laws=Laws(
            weights=_bet_weights(suspended),
            shares=_single(_sums_to_one("shares of kinds", [_number(k["share"]) for k in kinds.values()])),
            volume=_idle(_rows([_volume_weights(n, k) for n, k in kinds.items()], _other_volume())),
            newness=_idle(_rows([_newness_weights(n, k) for n, k in kinds.items()], _other_newness())),
            order=_rows([_order_weights(n, k) for n, k in kinds.items()], np.array(_OTHER_ORDER)),
            reader_shares=_single(_sums_to_one("shares of readers", [_number(r["share"]) for r in readers.values()])),
            reader_rows=_single(np.array([_rows_weights(r) for r in readers.values()])),
            reader_order=_single(np.array([_order_weights(n, r) for n, r in readers.items()])),
            other_rows=_single(_other_rows()),
            other_order=_single(np.array(_OTHER_ORDER)),
            clients_fast=_single(_flag_weights("too_fast", clients["too_fast"])),
            clients_unplayed=_single(_flag_weights("unplayed", clients["unplayed"])),
            other_flags=_single(np.array(_OTHER_FLAGS)),
        ),
        ladders={question: _ladders(question, found[question], suspended) for question in LADDERS},
    )


def _bet_weights(suspended: Sequence[str]) -> Array:
    odd = sorted(set(suspended) - set(BETS) - set(LADDERS))
    if odd:
        known = ", ".join(f"`{name}`" for name in (*BETS, *LADDERS))
        raise PolicyError(f"`suspended` names `{odd[0]}`, wanted some of {known}")
    weights = np.array([0.0 if bet in suspended else weight for bet, weight in BETS.items()])
    # What a suspended bet would have weighed goes to no bet at all, which is always worth 1.
    return np.append(weights, 1.0 - weights.sum())


def _ladders(question: str, found: object, suspended: Sequence[str]) -> Ladders:
    given = cast(Mapping[str, Mapping[str, object]], found)
    _keys(f"`{question}`", given, set(LADDERS[question]))
    for name, ladder in given.items():
        _keys(f"ladder `{question}.{name}`", ladder, {"weight", "because", "ever"})
    _sums_to_one(f"weights of `{question}`", [_number(ladder["weight"]) for ladder in given.values()])
    ladders = {name: _ladder(f"{question}.{name}", ladder) for name, ladder in given.items()}
    return {} if question in suspended else ladders


def _ladder(name: str, found: Mapping[str, object]) -> Ladder:
    rungs = np.array([_numbers(rung) for rung in cast(Sequence[object], found["ever"])]).reshape(-1, 2)
    levels, shares = rungs[:, 0], rungs[:, 1]
    climbs = len(rungs) > 0 and bool((np.diff(levels, prepend=0.0) > 0).all() and (levels == levels.round()).all())
    if not climbs or not bool((np.diff(shares, prepend=1.0) <= 0).all()) or shares[-1] <= 0:
        raise PolicyError(
            f"ladder `{name}` is {found['ever']}, wanted whole levels that rise from 1 and shares in 0..1 that fall",
            hint="Write a rung as [level, share of honest accounts that ever get there].",
        )
    return Ladder(_number(found["weight"]), str(found["because"]), levels.astype(np.int64), shares)


def _other_volume() -> Array:
    # Half of all copiers are even, half as irregular as people; any pace from 11 to 1,400 a day.
    by_shape = np.array([0.1, 0.2, 0.1, 0.1, 0.5])
    pace = np.where(_MEANS >= 11, 1.0, 0.05)
    return np.outer(pace / pace.sum(), by_shape).ravel()


def _other_newness() -> Array:
    # Copiers do not tire; most take only what is new to them, the rest mimic replays.
    by_level = np.array([0.08, 0.12, 0.15, 0.15, 0.1, 0.4])
    tireless = np.outer(by_level, [0.3, 0.7]).ravel()
    return np.concatenate([np.zeros(len(_LEVELS) * len(_BURSTS)), tireless])


def _other_rows() -> Array:
    # Readers that page by machine: narrow, and 1,000 rows a day or more.
    centres = np.where(_CENTRES >= 10, 1.0, 0.02)
    return np.outer([0.7, 0.3], centres / centres.sum()).ravel()


def _single(values: Array) -> Singles:
    # Single precision lets kernels work on eight components at a time; its error is below 1e-5 bits.
    return np.ascontiguousarray(values, np.float32)


def _rows(kinds: Sequence[Array], other: Array) -> Singles:
    return _single(np.stack([*kinds, other]))


def _filled(table: Array) -> Array:
    # With the last component again and again, which nobody is: see _idle.
    return np.pad(table, [(0, 0)] * (table.ndim - 1) + [(0, -table.shape[-1] % _STRIDE)], mode="edge")


def _idle(weights: Singles) -> Singles:
    # What a pool is filled up with weighs nothing.
    return np.pad(weights, [(0, 0), (0, -weights.shape[-1] % _STRIDE)])


def _keys(where: str, found: Mapping[str, object], wanted: set[str]) -> None:
    if set(found) != wanted:
        odd = sorted(set(found) ^ wanted)
        raise PolicyError(
            f"{where} has {'an unknown' if odd[0] in found else 'no'} key `{odd[0]}`,"
            f" wanted {', '.join(f'`{k}`' for k in sorted(wanted))}",
            hint="Start from the people file that ships with Riparian.",
        )


def _number(value: object) -> float:
    if not isinstance(value, int | float):
        raise PolicyError(f"the people file has `{value}`, wanted a number")
    return float(value)


def _numbers(value: object) -> list[float]:
    return [_number(v) for v in cast(Sequence[object], value)]


def _sums_to_one(what: str, shares: Sequence[float]) -> Array:
    total = float(np.sum(shares))
    if abs(total - 1.0) > 1e-9 or min(shares) < 0:
        raise PolicyError(
            f"{what} sum to {total:.9f}, wanted shares of 0 or more that sum to 1",
            hint="Take what you add to one kind from another.",
        )
    return np.asarray(shares, np.float64)


def _curve(first: int, chance: Sequence[float]) -> Array:
    by_age = [chance[min(max(bin_ - first, 0), len(chance) - 1)] for bin_ in range(5, 5 + AGES)]
    p = np.array(by_age)
    return cast(Array, np.log(p / (1 - p)))


def _bell(at: Array, centre: float, spread: float) -> Array:
    # A tenth of student-t tails: spreads are declared from few people, tails are where the bits are.
    z = (at - centre) / spread
    w = 0.9 * np.exp(-z * z / 2) + 0.1 / (1 + z * z / 3) ** 2
    return cast(Array, w / w.sum())


def _volume_weights(name: str, kind: Mapping[str, object]) -> Array:
    median, factor = _numbers(kind["plays"])
    evenness = _sums_to_one(f"`evenness` of `{name}`", _numbers(kind["evenness"]))
    return np.outer(_bell(np.log(_MEANS), np.log(median), np.log(factor)), evenness).ravel()


def _newness_weights(name: str, kind: Mapping[str, object]) -> Array:
    bursts = _sums_to_one(f"`bursts` of `{name}`", _numbers(kind["bursts"]))
    tireless = np.zeros(len(_TIRELESS))
    for level, share in cast(Sequence[Sequence[float]], kind["tireless"]):
        at = np.flatnonzero(np.isclose(_TIRELESS, level))
        if not len(at):
            raise PolicyError(
                f"`tireless` of `{name}` has the level {level}, wanted one of {', '.join(str(t) for t in _TIRELESS)}"
            )
        tireless[at[0]] = share
    centre, spread = _numbers(kind["newness"])
    tiring = np.outer(_bell(_LEVELS, centre, spread), bursts).ravel() * (1 - tireless.sum())
    return np.concatenate([tiring, np.outer(tireless, [0.7, 0.3]).ravel()])


def _order_weights(name: str, kind: Mapping[str, object]) -> Array:
    none, some, strict = _sums_to_one(f"`ordered` of `{name}`", _numbers(kind["ordered"]))
    return np.array([none, some, strict * 0.8, strict * 0.2])


def _rows_weights(reader: Mapping[str, object]) -> Array:
    median, factor = _numbers(reader["rows"])
    return np.outer([0.1, 0.9], _bell(_CENTRES, np.log2(median), np.log2(factor))).ravel()


def _flag_weights(name: str, pairs: Sequence[Sequence[float]]) -> Array:
    weights = np.zeros(len(_FLAGS))
    for chance, share in pairs:
        at = np.flatnonzero(np.isclose(_FLAGS, chance))
        if not len(at):
            raise PolicyError(f"`{name}` has the chance {chance}, wanted one of {', '.join(str(f) for f in _FLAGS)}")
        weights[at[0]] = share
    return _sums_to_one(f"`{name}`", list(weights))


def _volume_table() -> Array:
    n = np.arange(VOLUME_MAX + 1, dtype=np.float64)[:, None]
    mean, shape = (a.ravel()[None, :] for a in np.meshgrid(_MEANS, _SHAPES, indexing="ij"))
    log_p = _log_rising(shape[0], VOLUME_MAX)
    log_p += shape * np.log(shape / (shape + mean)) + n * np.log(mean / (shape + mean))
    p = np.exp(log_p)
    p = p / (1 - p[0])
    # The last row stands for that many plays or more.
    p[-1] = np.maximum(1 - p[1:-1].sum(axis=0), 1e-12)
    odd = 1 / np.maximum(n, 1)
    odd = odd / odd[1:].sum()
    return cast(Array, (1 - ODD_DAY) * p + ODD_DAY * odd)


def _log_rising(a: Array, count: int) -> Array:
    """Log rising factorials over factorials: of a (a + 1) ... (a + k - 1) / k! for k = 0 .. count."""
    j = np.arange(count, dtype=np.float64).reshape(-1, *([1] * a.ndim))
    steps = np.cumsum(np.log((a + j) / (j + 1)), axis=0)
    return np.concatenate([np.zeros((1, *a.shape)), steps])


def _rising(a: Array, count: int) -> Array:
    return cast(Array, np.exp(_log_rising(a, count)))


def _newness_tables(curve: Array) -> tuple[Array, Array, Array]:
    level, burst = (a.ravel() for a in np.meshgrid(_LEVELS, _BURSTS, indexing="ij"))
    still, still_burst = (a.ravel() for a in np.meshgrid(_TIRELESS, _TIRELESS_BURSTS, indexing="ij"))
    dispersion = np.concatenate([burst, still_burst])
    tiring = 1 / (1 + np.exp(-(curve[:, None] + level[None, :])))
    chance = np.concatenate([tiring, np.broadcast_to(still, (AGES, len(still)))], axis=1)
    novel = _rising(chance * dispersion, PLAYS_MAX).transpose(1, 0, 2)
    known = _rising((1 - chance) * dispersion, PLAYS_MAX).transpose(1, 0, 2)
    plays = 1 / _rising(dispersion, PLAYS_MAX)
    return np.ascontiguousarray(novel), np.ascontiguousarray(known), plays


def _order_table() -> Array:
    table = np.zeros((PAIRS_MAX + 1, PAIRS_MAX + 1, len(_ORDERS)))
    for i, (chance, d) in enumerate(_ORDERS):
        up = _rising(np.array(chance * d), PAIRS_MAX)
        down = _rising(np.array((1 - chance) * d), PAIRS_MAX)
        every = _rising(np.array(d), PAIRS_MAX)
        for p in range(PAIRS_MAX + 1):
            law = up[: p + 1] * down[: p + 1][::-1] / every[p]
            table[p, : p + 1, i] = (1 - ODD_DAY) * law + ODD_DAY / (p + 1)
    return table


def _rows_table() -> Array:
    bins = np.arange(ROWS_BINS, dtype=np.float64)[:, None]
    width, centre = (a.ravel()[None, :] for a in np.meshgrid(_WIDTHS, _CENTRES, indexing="ij"))
    p = np.exp(-(((bins - centre) / width) ** 2) / 2)
    p = p / p.sum(axis=0)
    return cast(Array, (1 - ODD_DAY) * p + ODD_DAY / ROWS_BINS)
