"""How many rows of this list are ours, which ones, and how sure is that?

A list is read twice: an even sample of it first, to learn what it looks like; then once through, row by row.

1. Rows of ours are written anew as this list writes its own (:mod:`riparian.metadata.selfplay`).
2. Half of these plays teach what each likeness weighs (:mod:`riparian.metadata.weigh`), at three levels: the same
   recording, the same work, the same artist.
3. The other half, and the list's own rows, tell what so many bits mean here (:mod:`riparian.metadata.calibrated`).
4. Every row's best candidate is weighed; what others of ours have in its favour is taken off.

Memory holds one batch, the sample, and four bytes a row of ours.
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Final, Protocol

import numpy as np
import pyarrow as pa
from numba import njit
from numpy.typing import NDArray

from riparian.metadata import calibrated, weigh
from riparian.metadata import compare as c
from riparian.metadata.calibrated import NOTHING, Calibrated, Counted, Known, cells_of
from riparian.metadata.index import Pairs
from riparian.metadata.normalise import normalise
from riparian.metadata.selfplay import FOREIGN, MIXED, Kind, play
from riparian.schema import MATCHED

PLAYS: Final = 20_000
"""Rows of ours that are written anew."""
SAMPLE: Final = 8_192
"""Rows of the list that are looked at first."""
ERROR_MAX: Final = 0.5
"""A level is claimed up to this stated error."""
LEVELS: Final = ("recording", "work", "artist")
VERSION: Final = 1
"""Of what is weighed and how: what another version weighed is weighed again."""
_CELLS: Final = tuple(f"cell_{level}" for level in LEVELS)
WEIGHED: Final = pa.schema(
    [
        *MATCHED,
        *(pa.field(name, pa.uint16(), nullable=False) for name in _CELLS),
        pa.field("right", pa.float32(), nullable=False),
        pa.field("found", pa.int64(), nullable=False),
    ]
)
"""``MATCHED`` and what counting needs: in which cell the row's bits are at each level, and the chance ``right`` that
the row is the recording of ours with the number ``found``."""
_TERMS: Final = (weigh.RECORDING, weigh.WORK, weigh.ARTIST)
_AT_ONCE: Final = 16_384
_PLAYS_MIN: Final = 200
_FACTOR_MAX: Final = 5.0


class Ours(Protocol):
    """What is ours, to be looked up (:class:`riparian.metadata.index.Map`)."""

    @property
    def count(self) -> int:
        """How many rows are ours."""
        ...

    def candidates(self, normal: pa.Table) -> Pairs:
        """Find what rows of NORMAL may be."""
        ...

    def rows(self, numbers: NDArray[np.int64]) -> pa.Table:
        """Give rows of ours as they are compared (NORMAL)."""
        ...

    def recordings(self, numbers: NDArray[np.int64]) -> pa.Table:
        """Give rows of ours as the catalogue has them (RECORDING)."""
        ...

    def rarity(self, normal: pa.Table) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """Say how rare the words of each title are, and of each artist, in bits."""
        ...


@dataclass(frozen=True, slots=True, eq=False)
class Compared:
    """Rows of theirs beside their candidates.

    Parameters
    ----------
    rows
        How many rows of theirs.
    theirs, ours : np.ndarray [shape=(n,), int64]
        Of each pair the position of the row of theirs, ascending, and the number of ours.
    codes : np.ndarray [shape=(n, features), uint8]
    group : np.ndarray [shape=(n, 3), uint64]
        A hash of the recording, the work and the artist that the row of ours is of.
    sides
        Both tables, and the position of each pair's row of ours in its table.
    """

    rows: int
    theirs: NDArray[np.int64]
    ours: NDArray[np.int64]
    codes: c.Codes
    group: NDArray[np.int64]
    held: c.Side
    at: NDArray[np.int64]


@dataclass(frozen=True, slots=True, eq=False)
class Verdicts:
    """The best of each row at one level.

    Parameters
    ----------
    pair : np.ndarray [shape=(rows,), int64]
        Which pair is the best, -1 for none.
    bits : np.ndarray [shape=(rows,), float32]
        For it and against all others; ``NOTHING`` where there is none.
    """

    pair: NDArray[np.int64]
    bits: NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Totals:
    """What a list holds of ours.

    Parameters
    ----------
    rows
        Rows of it that are recordings of ours, found or not.
    recordings
        Different rows of ours that are in it.
    works, artists
        Rows of it whose work, or whose artist, is among ours.
    catalogue
        Share of our rows that is in it, 0 to 1.
    """

    rows: Counted
    recordings: Counted
    works: Counted
    artists: Counted
    catalogue: Counted


@dataclass(frozen=True, slots=True, eq=False)
class Weigher:
    """What was learned for one list: at each level a weighing, and what its bits mean."""

    weighings: tuple[weigh.Weighing, ...]
    levels: tuple[Calibrated, ...]

    def verdicts(self, compared: Compared) -> list[Verdicts]:
        """Weigh rows at each level."""
        return [verdicts_of(compared, weighing, level) for level, weighing in enumerate(self.weighings)]


def match(
    ours: Ours,
    theirs: Callable[[], Iterator[pa.Table]],
    rng: np.random.Generator,
    say: Callable[[int], None] = lambda _: None,
) -> "Matching":
    """Match a list with what is ours.

    Parameters
    ----------
    ours
        The map of our rows.
    theirs
        Gives tables of LISTED; called twice, and gives the same both times.
    rng
        Draws the plays; the same draws give the same verdicts.
    say
        Told how many rows are done, whenever more are.

    Returns
    -------
    Matching
        To be gone through once.
    """
    sample = sampled(theirs())
    return Matching(ours, theirs(), learn(ours, sample, rng), rng, say)


class Matching:
    """Tables of MATCHED, one for each that was handed in, its rows in the same order; totals when it has run out.

    Parameters
    ----------
    ours, theirs, rng, say
        As for :func:`match`, but ``theirs`` is gone through once.
    weigher
        Of :func:`learn`; none where nothing is ours.
    """

    def __init__(
        self,
        ours: Ours,
        theirs: Iterator[pa.Table],
        weigher: Weigher | None,
        rng: np.random.Generator,
        say: Callable[[int], None] = lambda _: None,
    ) -> None:
        self.weigher = weigher
        self._ours, self._theirs, self._rng, self._say = ours, theirs, rng, say
        self._rows = 0
        self._right = 0.0
        self._seen = [np.zeros(calibrated.CELLS + 1) for _ in LEVELS]
        self._missed = np.zeros(ours.count, np.float32)

    def __iter__(self) -> Iterator[pa.Table]:
        return self

    def __next__(self) -> pa.Table:
        weighed = self.weighed(next(self._theirs))
        self.add(weighed)
        return weighed.select(MATCHED.names)

    def weighed(self, listed: pa.Table) -> pa.Table:
        """Weigh rows; nothing is counted.

        Parameters
        ----------
        listed : pa.Table of LISTED

        Returns
        -------
        pa.Table of WEIGHED, to be counted by :meth:`add`, now or after it was kept
        """
        parts = [self._weighed(listed.slice(first, _AT_ONCE)) for first in range(0, listed.num_rows, _AT_ONCE)]
        return pa.concat_tables(parts) if parts else WEIGHED.empty_table()

    def add(self, weighed: pa.Table) -> None:
        """Count rows that were weighed.

        Parameters
        ----------
        weighed : pa.Table of WEIGHED
        """
        for level, name in enumerate(_CELLS):
            self._seen[level] += np.bincount(weighed[name].to_numpy(), minlength=calibrated.CELLS + 1)
        found, right = weighed["found"].to_numpy(), weighed["right"].to_numpy().astype(np.float64)
        np.add.at(self._missed, found[found >= 0], np.log1p(-np.minimum(right[found >= 0], 1 - 1e-6)))
        self._right += float(right.sum())
        self._rows += weighed.num_rows
        self._say(self._rows)

    def counted(self) -> Totals:
        """Count what the rows gone through so far hold of ours."""
        if self.weigher is None:
            none = Counted(0.0, 0.0, 0.0)
            return Totals(none, none, none, none, none)
        rows, works, artists = (
            level.counted(seen, self._rng) for level, seen in zip(self.weigher.levels, self._seen, strict=True)
        )
        recordings = self._times(rows, float(-np.expm1(self._missed).sum()))
        return Totals(rows, recordings, works, artists, recordings.times(1 / max(1, self._ours.count)))

    def share_of_plays(self, popularity: NDArray[np.float64]) -> Counted:
        """Say what share of all plays the recordings have that are in the list.

        Parameters
        ----------
        popularity : np.ndarray [shape=(count of ours,)]
            Of each row of ours, in any unit; NaN counts for nothing.
        """
        plays = np.nan_to_num(np.asarray(popularity, np.float64))
        total = float(plays.sum())
        if self.weigher is None or total <= 0:
            return Counted(0.0, 0.0, 0.0)
        rows = self.weigher.levels[0].counted(self._seen[0], self._rng)
        return self._times(rows, float(-np.expm1(self._missed) @ plays) / total)

    def _times(self, rows: Counted, found: float) -> Counted:
        """Scale what was found by how many rows there are for each that was found."""
        return rows.times(found / max(self._right, 1e-9)) if self._right else Counted(0.0, 0.0, 0.0)

    def _weighed(self, listed: pa.Table) -> pa.Table:
        if self.weigher is None:
            return _told(listed["row"], _nothing(listed.num_rows))
        compared = compared_with(self._ours, normalise(listed))
        return _told(listed["row"], _weighed(self.weigher, compared, self.weigher.verdicts(compared)))


def learn(ours: Ours, sample: pa.Table, rng: np.random.Generator, plays: int = PLAYS) -> Weigher | None:
    """Learn what likeness weighs, and what bits mean, for one list.

    Parameters
    ----------
    ours
        The map of our rows.
    sample : pa.Table of LISTED
        An even sample of the list.
    plays
        How many rows of ours to write anew.

    Returns
    -------
    Weigher, or None where there is nothing to learn from: no rows of ours, or none of theirs.
    """
    if not ours.count or not sample.num_rows:
        return None
    normal = normalise(sample)
    numbers = _like(ours, normal, rng, max(_PLAYS_MIN, min(plays, 4 * ours.count)))
    played = play(ours.recordings(numbers), sample, rng)
    compared = compared_with(ours, normalise(played.listed))
    truth = c.same(c.Side.of(ours.rows(numbers)), compared.held, (compared.theirs, compared.at))
    shown = ~_hidden(played.kind[compared.theirs], truth)
    truth[played.kind[compared.theirs] == Kind.SIBLING, 0] = False
    compared, truth = _only(compared, shown), truth[shown]
    is_ours = np.array([_ours_at(level) for level in range(len(LEVELS))])[:, played.kind]
    teaches = _halved(numbers)
    if min(truth[teaches[compared.theirs]].sum(0)) < 1:
        return None
    seen = compared_with(ours, normal)
    weighings, levels = [], []
    for level, terms in enumerate(_TERMS):
        taught = teaches[compared.theirs]
        weighing = weigh.learn(compared.codes[taught], truth[taught, level], terms, weigh.RULES[level])
        verdict = verdicts_of(compared, weighing, level)
        right = np.zeros(compared.rows, bool)
        right[verdict.pair >= 0] = truth[verdict.pair[verdict.pair >= 0], level]
        told = ~teaches
        known = Known.of(verdict.bits[told], played.kind[told], is_ours[level][told], right[told], FOREIGN, MIXED)
        listed = known.cells(verdicts_of(seen, weighing, level).bits)
        weighings.append(weighing)
        levels.append(Calibrated.to(known, listed))
    return Weigher(tuple(weighings), tuple(levels))


def compared_with(ours: Ours, normal: pa.Table) -> Compared:
    """Compare rows with their candidates.

    Parameters
    ----------
    ours
        The map of our rows.
    normal : pa.Table of NORMAL
        Rows of theirs.
    """
    pairs = ours.candidates(normal)
    numbers, at = np.unique(pairs.ours, return_inverse=True)
    held, theirs = c.Side.of(ours.rows(numbers)), c.Side.of(normal)
    likely = c.likely(theirs, held, (pairs.theirs, at))
    row, at = pairs.theirs[likely], at[likely]
    codes = c.compare(theirs, held, (row, at), pairs.shared[likely], ours.rarity(normal))
    return Compared(normal.num_rows, row, pairs.ours[likely], codes, c.groups(held)[at], held, at)


def verdicts_of(compared: Compared, weighing: weigh.Weighing, level: int) -> Verdicts:
    """Weigh rows at one level: for the best of each, what it has less what all others have together."""
    bits = weighing.bits(compared.codes)
    pair, best = _best(compared.rows, compared.theirs, bits, compared.group[:, level], np.float32(NOTHING))
    return Verdicts(pair, best)


def _ours_at(level: int) -> NDArray[np.bool_]:
    """Which kinds of play are ours at a level."""
    ours = {
        0: (Kind.LIGHT, Kind.MIDDLE, Kind.HEAVY),
        1: (Kind.LIGHT, Kind.MIDDLE, Kind.HEAVY, Kind.SIBLING, Kind.NO_RECORDING),
        2: (Kind.LIGHT, Kind.MIDDLE, Kind.HEAVY, Kind.SIBLING, Kind.NO_RECORDING, Kind.NO_WORK),
    }[level]
    return np.isin(np.arange(len(Kind)), ours)


def _hidden(kind: NDArray[np.int8], truth: NDArray[np.bool_]) -> NDArray[np.bool_]:
    hides = {Kind.NO_RECORDING: 0, Kind.NO_WORK: 1, Kind.NO_ARTIST: 2}
    found = np.zeros(kind.size, bool)
    for one, level in hides.items():
        found |= (kind == one) & truth[:, level]
    # What a sibling was named may be a version that we do have: of its work only the recording itself is left.
    return np.asarray(found | ((kind == Kind.SIBLING) & truth[:, 1] & ~truth[:, 0]), bool)


def _only(compared: Compared, which: NDArray[np.bool_]) -> Compared:
    return Compared(
        compared.rows,
        compared.theirs[which],
        compared.ours[which],
        compared.codes[which],
        compared.group[which],
        compared.held,
        compared.at[which],
    )


def _halved(numbers: NDArray[np.int64]) -> NDArray[np.bool_]:
    """Half of our rows, always the same, whatever is drawn."""
    mixed = (numbers.astype(np.uint64) + np.uint64(1)) * np.uint64(0x9E3779B97F4A7C15)
    return (mixed >> np.uint64(63)).astype(bool)


def _like(ours: Ours, normal: pa.Table, rng: np.random.Generator, plays: int) -> NDArray[np.int64]:
    """Draw rows of ours whose titles and artists are as rare and as long as those of the list."""
    drawn = rng.integers(ours.count, size=3 * plays)
    held, theirs = _strata(ours, ours.rows(drawn)), _strata(ours, normal)
    size = int(max(held.max(), theirs.max())) + 1
    of_held = np.bincount(held, minlength=size) + 0.5
    of_theirs = np.bincount(theirs, minlength=size) + 0.5
    weight = np.clip((of_theirs / of_theirs.sum()) / (of_held / of_held.sum()), 1 / _FACTOR_MAX, _FACTOR_MAX)[held]
    return drawn[rng.choice(drawn.size, plays, p=weight / weight.sum())]


def _strata(ours: Ours, normal: pa.Table) -> NDArray[np.int64]:
    title, artist = ours.rarity(normal)
    length = pa.compute.binary_length(normal["core"]).to_numpy(zero_copy_only=False)
    steps = [
        np.searchsorted((8.0, 12.0, 16.0), title),
        np.searchsorted((8.0, 12.0, 16.0), artist),
        np.searchsorted((6.0, 12.0, 24.0), length),
        (normal["versions"].to_numpy(zero_copy_only=False) > 0).astype(np.int64),
    ]
    return np.asarray(((steps[0] * 4 + steps[1]) * 4 + steps[2]) * 2 + steps[3], np.int64)


def sampled(tables: Iterable[pa.Table]) -> pa.Table:
    """Sample a list evenly.

    Every second row goes whenever there are twice as many as wanted.

    Parameters
    ----------
    tables
        Of LISTED.

    Returns
    -------
    pa.Table of LISTED, of ``SAMPLE`` to twice as many rows, or all
    """
    kept: list[pa.Table] = []
    every, held = 1, 0
    for table in tables:
        rows = table["row"].to_numpy()
        kept.append(table.take(pa.array(np.flatnonzero(rows % every == 0))))
        held += kept[-1].num_rows
        while held > 2 * SAMPLE:
            every *= 2
            kept = [one.take(pa.array(np.flatnonzero(one["row"].to_numpy() % every == 0))) for one in kept]
            held = sum(one.num_rows for one in kept)
    return pa.concat_tables(kept) if kept else pa.table({"row": pa.array([], pa.int64())})


def _weighed(weigher: Weigher, compared: Compared, verdicts: list[Verdicts]) -> dict[str, NDArray[np.generic]]:
    n = compared.rows
    told: dict[str, NDArray[np.generic]] = _nothing(n)
    done = np.zeros(n, bool)
    told["found"] = (
        np.where(verdicts[0].pair >= 0, compared.ours[verdicts[0].pair], -1) if compared.ours.size else told["found"]
    )
    for number, (level, verdict) in enumerate(zip(weigher.levels, verdicts, strict=True)):
        error, chance = level.stated(verdict.bits)
        error = np.where(verdict.pair >= 0, error, 1.0)
        least = np.append(weigher.weighings[number].stopped(compared.codes), 0)[verdict.pair]
        error = np.maximum(error, least)
        told[_CELLS[number]] = cells_of(verdict.bits, level.known.edges)
        told[("chance", "chance_work", "chance_artist")[number]] = chance
        if not number:
            told["right"] = np.minimum(1 - error, chance)
        now = ~done & (error <= ERROR_MAX)
        done |= now
        pair = verdict.pair[now]
        told["level"][now] = number
        told["ours"][now] = compared.ours[pair]
        told["error"][now] = error[now]
        told["bits"][now], told["extrapolated"][now] = level.certified(verdict.bits[now])
        told["via"][now] = _via(compared.codes[pair])
    told["chance_work"] = np.maximum(told["chance_work"], told["chance"])
    told["chance_artist"] = np.maximum(told["chance_artist"], told["chance_work"])
    return told


def _via(codes: c.Codes) -> NDArray[np.int64]:
    exact = (codes[:, c.LETTERS] == 0) & (codes[:, c.ARTIST] == len(c.FEATURES[c.ARTIST].levels) - 1)
    return np.where(codes[:, c.ISRC] == 1, 1, np.where(exact & (codes[:, c.VERSION] <= 1), 2, 3))


def _nothing(n: int) -> dict[str, NDArray[np.generic]]:
    zeros = ("chance", "chance_work", "chance_artist", "bits", "extrapolated", "right", *_CELLS)
    return {
        "ours": np.full(n, -1, np.int64),
        "found": np.full(n, -1, np.int64),
        "level": np.full(n, len(LEVELS), np.int64),
        "error": np.ones(n),
        "via": np.zeros(n, np.int64),
        **{name: np.zeros(n) for name in zeros},
    }


def _told(row: pa.ChunkedArray, told: dict[str, NDArray[np.generic]]) -> pa.Table:
    words = {"level": (*LEVELS, "none"), "via": ("", "isrc", "exact", "near")}
    columns = [
        row
        if field.name == "row"
        else pa.array(words[field.name]).take(pa.array(told[field.name]))
        if field.name in words
        else pa.array(told[field.name].astype(field.type.to_pandas_dtype()))
        for field in WEIGHED
    ]
    return pa.table(columns, schema=WEIGHED)


@njit(cache=True, nogil=True)
def _best(  # type: ignore[no-untyped-def]
    rows, theirs, bits, group, nothing
):
    pair = np.full(rows, -1, np.int64)
    best = np.full(rows, nothing, np.float32)
    i = 0
    while i < theirs.size:
        first = i
        row = theirs[i]
        top = i
        while i < theirs.size and theirs[i] == row:
            if bits[i] > bits[top]:
                top = i
            i += 1
        others = 1.0
        for j in range(first, i):
            if group[j] != group[top]:
                others += 2.0 ** bits[j]
        pair[row] = top
        best[row] = bits[top] - np.log2(others)
    return pair, best
