"""From a list that was found to how much of ours is in it: rows -> which recording each is -> counts, slices, a day.

::

    files --read--> shelf: rows, in parts      once; interrupted, it begins again
    map, list --learn--> matcher               of what kind the mistakes of this list are
    part --match--> which recording each is    kept part by part: interrupted, it goes on
    all of it --tell--> Told

A list need not be matched whole: a share of its rows, drawn by lot under the key of the workspace, tells how much of
ours is in all of it.
"""

import hashlib
import math
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from functools import partial
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from riparian.errors import InputError
from riparian.flows.dump_slices import Catalogued, Interval, Slice, catalogued
from riparian.flows.extraction import Progress, silent
from riparian.metadata.taken import Taken, taken
from riparian.ports.dumps import Desk, Matcher, Sheeted, Shelf

PART_ROWS: Final = 32_768
REVIEWED_EACH: Final = 12
ERRORS: Final = (1e-4, 1e-3, 1e-2, 0.1, 0.5)
"""Classes of stated error, by their upper ends."""
LEVELS: Final = ("recording", "work", "artist")
_DAYS_MAX: Final = 7300
_DAYS_MIN: Final = 14
"""Fewer days on which anything was added tell nothing."""
_EPOCH: Final = date(1970, 1, 1)
_Z: Final = 1.96

Floats = npt.NDArray[np.float64]
Pairs = Callable[[], Iterator[tuple[pa.Table, pa.Table]]]
"""Goes through rows (``LISTED``) and what was found of them (``MATCHED``), side by side."""


@dataclass(frozen=True, slots=True)
class Reviewed:
    """A row for people to look at: what the list says, which recording of ours it is said to be, and how surely."""

    row: int
    theirs: Mapping[str, Any]
    ours: Mapping[str, Any]
    level: str
    error: float
    bits: float
    extrapolated: float
    via: str


@dataclass(frozen=True, slots=True, eq=False)
class Dumped:
    """What there is to tell of a list.

    Parameters
    ----------
    name
        Under which it is kept.
    read
        What was read: ``rows``, ``rejected``, and ``sheets``: one a table, with its columns.
    share
        Of the rows that were looked at.
    looked
        How many rows these are.
    held
        Recordings of ours.
    levels
        Level to the number of rows that are ours at least that surely: error at most 1 in 100.
    errors
        Level to rows in each class of :data:`ERRORS`, the surest first.
    rows_ours, recordings_ours
        How many rows of the whole list are recordings of ours, and how many recordings of ours are in it.
    of_catalogue, of_plays
        These as shares; of plays None where nothing is known of plays.
    slices
        ``label``, ``territory``, ``month added``, ``year released`` to their values, the largest first or in order.
    taken
        When the list was taken, by the days on which ours were added; None where these do not tell.
    latest
        The latest day that the list itself names; None where it names none.
    days
        Added to our catalogue on a day: days since 1970, held, and of these in the list, expected [shape=(3, days)].
    review
        Rows for people, some of each class of error.
    """

    name: str
    read: Mapping[str, Any]
    share: float
    looked: int
    held: int
    levels: Mapping[str, int]
    errors: Mapping[str, Sequence[int]]
    rows_ours: Interval
    recordings_ours: Interval
    of_catalogue: Interval
    of_plays: Interval | None
    slices: Mapping[str, Sequence[Slice]]
    taken: Taken | None
    latest: date | None
    days: Floats
    review: Sequence[Reviewed]

    @property
    def is_found(self) -> bool:
        """Whether anything of ours is in it: the interval says at least one row."""
        return round(self.rows_ours.low) > 0


@dataclass(slots=True, eq=False)
class _Seen:
    # What goes through all parts once.
    chance: npt.NDArray[np.float32]
    looked: int
    errors: dict[str, Counter[int]]
    review: dict[tuple[str, int], list[tuple[int, int, dict[str, Any]]]]
    latest: date | None = None


def dump(
    desk: Desk, name: str, sheets: Callable[[], Iterator[Sheeted]], share: float = 1.0, progress: Progress = silent
) -> tuple[Dumped, Pairs]:
    """Say how much of ours is in a list.

    Parameters
    ----------
    desk
        Everything outside.
    name
        Of the list: another one when its files are other ones.
    sheets
        Reads it; called when it is not on its shelf.
    share
        Of its rows that are looked at, above 0, at most 1.
    progress
        Told the stages ``reading``, those of the matcher, and ``matching rows``.

    Returns
    -------
    tuple
        What there is to tell; and a way to go through rows (``LISTED``) with what was found of them.

    Raises
    ------
    InputError
        When there is no row in it.
    """
    shelf = desk.open_shelf(name)
    read = shelf.read() or _read(shelf, sheets(), progress)
    if not read["rows"]:
        why = read["sheets"][0]["why"] if read["sheets"] else "no file has any"
        raise InputError(
            f"there is no row in it that could be looked for ({why}), wanted a list of recordings",
            hint="Name a column with --map title=COLUMN, or look at the rejects.",
        )
    matcher = desk.matcher(progress)
    drawn = partial(_drawn, desk.pseudonyms, share)
    parts = partial(_parts, shelf, read["parts"], drawn)
    rows = round(read["rows"] * share)
    matcher.learn(parts, rows, progress)
    state = f"{matcher.state}-{share:g}"
    _match(matcher, shelf, read, (state, drawn), progress)
    pairs = partial(_pairs, shelf, read["parts"], state, drawn)
    return _told(desk, matcher, (name, read, share), pairs), pairs


def _read(shelf: Shelf, sheets: Iterator[Sheeted], progress: Progress) -> Mapping[str, Any]:
    shelf.clear()
    said: dict[str, dict[str, Any]] = {}
    waiting: list[pa.Table] = []
    n_parts = n_rows = n_rejected = 0
    progress("reading rows", 0, None)
    for part in sheets:
        one = said.setdefault(part.source, {"source": part.source, "form": part.form, "rows": 0, "rejected": 0,
                                            "columns": {}, "why": ""})  # fmt: skip
        one["rows"] += part.rows.num_rows
        one["rejected"] += part.n_rejected
        one["columns"] = one["columns"] or {name: [column, why] for name, (column, why) in part.columns.items()}
        one["why"] = one["why"] or (part.rejects[0].reason if part.rejects else "")
        n_rows, n_rejected = n_rows + part.rows.num_rows, n_rejected + part.n_rejected
        shelf.keep_rejects(part.rejects)
        waiting.append(part.rows)
        if sum(rows.num_rows for rows in waiting) >= PART_ROWS:
            shelf.keep_part(n_parts, pa.concat_tables(waiting))
            waiting, n_parts = [], n_parts + 1
        progress("reading rows", n_rows, None)
    if sum(rows.num_rows for rows in waiting):
        shelf.keep_part(n_parts, pa.concat_tables(waiting))
        n_parts += 1
    read = {"parts": n_parts, "rows": n_rows, "rejected": n_rejected, "sheets": list(said.values())}
    shelf.keep_read(read)
    return read


def _drawn(key: bytes, share: float, rows: pa.Table) -> pa.Table:
    """Draw rows by lot; the same rows whenever it is asked."""
    if share >= 1:
        return rows
    numbers = rows["row"].to_numpy().astype(np.uint64)
    seed = np.uint64(int.from_bytes(hashlib.blake2b(key, digest_size=8, person=b"dump rows").digest(), "little"))
    with np.errstate(over="ignore"):
        # SplitMix64 of the row's number and the secret.
        mixed = (numbers + seed) * np.uint64(0x9E3779B97F4A7C15)
        mixed = (mixed ^ (mixed >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
        mixed = (mixed ^ (mixed >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return rows.filter(pa.array((mixed >> np.uint64(11)) * 2.0**-53 < share))


def _parts(shelf: Shelf, n: int, drawn: Callable[[pa.Table], pa.Table]) -> Iterator[pa.Table]:
    for number in range(n):
        yield drawn(shelf.part(number))


def _match(
    matcher: Matcher,
    shelf: Shelf,
    read: Mapping[str, Any],
    how: tuple[str, Callable[[pa.Table], pa.Table]],
    progress: Progress,
) -> None:
    state, drawn = how
    done = 0
    for number in range(read["parts"]):
        progress("matching rows", done, read["rows"])
        rows = shelf.part(number)
        if shelf.matched(number, state) is None:
            shelf.keep_matched(number, state, matcher.match(drawn(rows)))
        done += rows.num_rows
    progress("matching rows", done, read["rows"])


def _pairs(
    shelf: Shelf, n: int, state: str, drawn: Callable[[pa.Table], pa.Table]
) -> Iterator[tuple[pa.Table, pa.Table]]:
    for number in range(n):
        found = shelf.matched(number, state)
        assert found is not None  # noqa: S101 -- kept above
        yield drawn(shelf.part(number)), found


def _told(desk: Desk, matcher: Matcher, what: tuple[str, Mapping[str, Any], float], pairs: Pairs) -> Dumped:
    name, read, share = what
    seen = _Seen(np.zeros(matcher.held, np.float32), 0, {level: Counter() for level in LEVELS}, {})
    for rows, found in pairs():
        _see(seen, rows, found)
    counted = matcher.count(lambda: (found for _, found in pairs()))
    rows_ours = scaled(Interval(*counted["rows_ours"]), share, read["rows"], seen.looked)
    recordings = Interval(*counted["recordings_ours"])
    if share < 1:
        # Rows that were not drawn may be of other recordings: at most as many as there are rows of ours.
        recordings = Interval(recordings.estimate, recordings.low, min(rows_ours.high, matcher.held))
    reviewed = [one for some in seen.review.values() for one in some]
    numbers = sorted({number for _, number, _ in reviewed})
    of = catalogued(desk.catalogue.whole(list(Catalogued.COLUMNS)), seen.chance, recordings, numbers)
    return Dumped(
        name=name,
        read=read,
        share=share,
        looked=seen.looked,
        held=matcher.held,
        levels={level: sum(n for at, n in seen.errors[level].items() if at <= 2) for level in LEVELS},
        errors={level: [seen.errors[level][at] for at in range(len(ERRORS) + 1)] for level in LEVELS},
        rows_ours=rows_ours,
        recordings_ours=recordings,
        of_catalogue=recordings.times(1 / max(1, matcher.held)),
        of_plays=of.of_plays,
        slices=of.slices,
        taken=_taken(of.days),
        latest=seen.latest,
        days=of.days,
        review=[_reviewed(facts, of.shown.get(number, {})) for _, number, facts in reviewed],
    )


def error_class(error: float) -> int:
    """Say in which class of :data:`ERRORS` an error is, from 0; one more than there are for what is in none.

    Examples
    --------
    >>> error_class(0.0), error_class(0.005), error_class(0.6)
    (0, 2, 5)
    """
    return int(np.searchsorted(np.asarray(ERRORS), error, side="left"))


def scaled(counted: Interval, share: float, rows: int, looked: int) -> Interval:
    """Say of all rows what was counted of those that were drawn by lot.

    Examples
    --------
    >>> scaled(Interval(30.0, 28.0, 31.0), 1.0, 100, 100)
    Interval(estimate=30.0, low=28.0, high=31.0)
    >>> wide = scaled(Interval(30.0, 28.0, 31.0), 0.1, 1000, 100)
    >>> round(wide.estimate), round(wide.low), round(wide.high)
    (300, 197, 396)
    """
    if share >= 1 or not looked:
        return counted
    ends = []
    for value, sign in ((counted.low, -1), (counted.high, 1)):
        rate = min(1.0, max(0.0, value / looked))
        ends.append(rate + sign * _Z * math.sqrt(rate * (1 - rate) / looked * (1 - looked / rows)))
    return Interval(counted.estimate / looked * rows, max(0.0, ends[0]) * rows, min(1.0, ends[1]) * rows)


def _see(seen: _Seen, rows: pa.Table, found: pa.Table) -> None:
    seen.looked += rows.num_rows
    latest = pc.max(rows["added"]).as_py()
    if latest is not None:
        seen.latest = max(latest.date(), seen.latest or latest.date())
    level, error = found["level"].to_pylist(), found["error"].to_numpy()
    ours, chance = found["ours"].to_numpy(), found["chance"].to_numpy()
    # What is less sure than that may be another recording of ours: it is in the scale of all slices, and in none alone.
    some = np.asarray([each == LEVELS[0] for each in level], bool) & (ours >= 0)
    np.maximum.at(seen.chance, ours[some], chance[some])
    at = np.searchsorted(np.asarray(ERRORS), error, side="left").tolist()
    classes = Counter(zip(level, at, strict=True))
    for (name, place), n in classes.items():
        if name in seen.errors:
            seen.errors[name][place] += n
    _draw_reviewed(seen, rows, found, list(zip(level, at, strict=True)))


def _taken(days: Floats) -> Taken | None:
    """Say when a list was taken, from counts by day."""
    day, held, found = days
    recent = day > (day.max(initial=0.0) - _DAYS_MAX)
    if np.count_nonzero(recent) < _DAYS_MIN:
        return None
    first = int(day[recent][0])
    size = int(day[recent][-1]) - first + 1
    ours, in_list = (np.bincount((day[recent] - first).astype(np.int64), each[recent], size) for each in (held, found))
    return taken(ours.astype(np.float64), np.minimum(in_list, ours).astype(np.float64), _EPOCH + timedelta(days=first))


def _draw_reviewed(seen: _Seen, rows: pa.Table, found: pa.Table, classes: Sequence[tuple[str, int]]) -> None:
    """Keep a few rows of each class, those with the smallest lots."""
    numbers = found["row"].to_numpy().astype(np.uint64)
    with np.errstate(over="ignore"):
        lots = ((numbers + np.uint64(1)) * np.uint64(0x9E3779B97F4A7C15)) ^ (numbers << np.uint64(7))
    by_class: dict[tuple[str, int], list[int]] = {}
    for place in np.argsort(lots).tolist():
        if classes[place][0] in seen.errors and len(by_class.setdefault(classes[place], [])) < REVIEWED_EACH:
            by_class[classes[place]].append(place)
    for one, places in by_class.items():
        kept = seen.review.setdefault(one, [])
        for place in places:
            facts = found.slice(place, 1).to_pylist()[0]
            facts["theirs"] = rows.slice(place, 1).to_pylist()[0]
            kept.append((int(lots[place]), int(facts["ours"]), facts))
        kept.sort(key=lambda each: each[0])
        del kept[REVIEWED_EACH:]


def _reviewed(facts: Mapping[str, Any], ours: Mapping[str, Any]) -> Reviewed:
    theirs = {name: value for name, value in facts["theirs"].items() if value is not None and name != "row"}
    return Reviewed(
        row=facts["row"],
        theirs=theirs,
        ours=ours,
        level=facts["level"],
        error=facts["error"],
        bits=facts["bits"],
        extrapolated=facts["extrapolated"],
        via=facts["via"],
    )


def named_rows(desk: Desk, pairs: Pairs) -> Iterator[pa.Table]:
    """Give all rows of a list with the names of the recordings that they are: ``LISTED`` and what was found.

    ``recording`` is null where a row is none of ours; ``level``, ``error``, ``bits``, ``extrapolated`` and ``via`` are
    as in ``MATCHED``.
    """
    some = [np.unique(found["ours"].to_numpy()) for _, found in pairs()]
    numbers = np.unique(np.concatenate(some)) if some else np.zeros(0, np.int64)
    numbers = numbers[numbers >= 0]
    names: list[str] = []
    first = 0
    for batch in desk.catalogue.whole(["recording"]):
        inside = numbers[(numbers >= first) & (numbers < first + batch.num_rows)] - first
        names += batch.column(0).take(pa.array(inside)).to_pylist()
        first += batch.num_rows
    held = pa.array(names, pa.string())
    for rows, found in pairs():
        ours = found["ours"].to_numpy()
        place = np.searchsorted(numbers, np.maximum(ours, 0))
        named = held.take(pa.array(place, mask=ours < 0))
        columns = {name: found[name] for name in ("level", "error", "bits", "extrapolated", "via")}
        yield _beside(rows, {"recording": named, **columns})


def _beside(rows: pa.Table, columns: Mapping[str, Any]) -> pa.Table:
    for name, values in columns.items():
        rows = rows.append_column(name, values)
    return rows
