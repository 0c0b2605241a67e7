"""From a data set to how much of it is ours, and what we had said of that: items -> ours -> terms -> counts.

::

    items --look--> surely ours: by hash, by identifier, by names       every one of them
      `---lot---> some of the rest --weigh--> nearly as ours are called  a share, or all of it
    ours --ledger--> permitted, constrained, reserved: now, and when the data set was published
    control set: what is found of recordings that never were

A data set of ten million items is gone through once, in a few minutes: what can be told without weighing is told of
every item, and of what remains so many are weighed as say how much of it is ours, with an interval.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Final

import numpy as np
import numpy.typing as npt
import polars as pl
import pyarrow as pa

from riparian.catalogue.consent import Asked, Ledger, Stance
from riparian.catalogue.terms import Use
from riparian.errors import InputError
from riparian.flows.audited import CLAIMED, Audited, Part, Said, Wanted, Weighed
from riparian.flows.extraction import Progress, silent
from riparian.metadata.datasets import LEVELS, Bounds, Sure, controls, mistaken, share
from riparian.ports.dumps import Desk
from riparian.schema import LISTED

CONTROLS: Final = 20_000
USES: Final = (Use.TRAIN, Use.MINE)
STANCES: Final = tuple(Stance)
_NAMES: Final = LEVELS.index("names")
_AT_ONCE: Final = 32_768
_LICENCES_MAX: Final = 1_000
_OTHERS: Final = "(others)"
_OURS: Final = ("recording", "title", "artist", "label", "owner", "isrc", "mbid", "platform_id", "duration_ms")
_SHOWN: Final = ("row", "title", "artist", "isrc", "path", "licence")

Ints = npt.NDArray[np.int64]
Bools = npt.NDArray[np.bool_]


@dataclass(slots=True, eq=False)
class _Seen:
    """What going through the items leaves behind; nothing of it grows with their number."""

    counts: npt.NDArray[np.int64]
    """Items by level and recording of ours [shape=(levels, held)]."""
    found_controls: set[int] = field(default_factory=set)
    items: int = 0
    sources: Counter[str] = field(default_factory=Counter)
    unread: list[tuple[str, str]] = field(default_factory=list)
    licences: dict[str, npt.NDArray[np.int64]] = field(default_factory=dict)
    """Licence to items, and to items surely ours by stance [shape=(1 + stances,)]."""


class _Lot:
    """Items drawn by lot, each with the same chance, and no more than so many."""

    def __init__(self, most: int, rng: np.random.Generator) -> None:
        self._most, self._rng = most, rng
        self._parts: list[pa.Table] = []
        self._lots: list[npt.NDArray[np.float64]] = []
        self._kept = 0
        self._limit = 1.0
        self.seen = 0

    def add(self, items: pa.Table) -> None:
        """Draw of more items."""
        self.seen += items.num_rows
        lots = self._rng.random(items.num_rows)
        kept = lots < self._limit
        if self._most and kept.any():
            self._parts.append(items.filter(pa.array(kept)))
            self._lots.append(lots[kept])
            self._kept += int(kept.sum())
            if self._kept > 2 * self._most:
                self._thin()

    def drawn(self) -> pa.Table:
        """Give what was drawn, in the order in which it came."""
        if self._kept > self._most:
            self._thin()
        return pa.concat_tables(self._parts) if self._parts else LISTED.empty_table()

    def _thin(self) -> None:
        lots, whole = np.concatenate(self._lots), pa.concat_tables(self._parts).combine_chunks()
        self._limit = float(np.partition(lots, self._most)[self._most])
        kept = lots < self._limit
        self._parts, self._lots, self._kept = [whole.filter(pa.array(kept))], [lots[kept]], int(kept.sum())


@dataclass(frozen=True, slots=True, eq=False)
class _Stances:
    """Of every recording of ours: a place in ``STANCES``, and whether some document says so [each shape=(held,)]."""

    stance: npt.NDArray[np.int8]
    is_said: Bools


def audit(desk: Desk, parts: Iterable[Part], wanted: Wanted | None = None, progress: Progress = silent) -> Audited:
    """Say which items of a data set are ours, and under which terms.

    Parameters
    ----------
    desk
        The catalogue, and whoever weighs.
    parts
        Items of the data set.
    wanted
        How it is audited.
    progress
        Told the stages ``reading what is ours``, ``looking at items`` and those of weighing.

    Raises
    ------
    InputError
        When nothing is held.
    """
    return _Audit(desk, wanted or Wanted(), progress).of(parts)


class _Audit:
    def __init__(self, desk: Desk, wanted: Wanted, progress: Progress) -> None:
        progress("reading what is ours", 0, None)
        self._desk, self._wanted, self._progress = desk, wanted, progress
        self._held = _held(desk)
        rng = np.random.default_rng(int.from_bytes(desk.pseudonyms))
        n = min(CONTROLS, self._held.num_rows)
        control = wanted.control if wanted.control is not None else controls(self._held, n, rng)
        self._controls = control.num_rows
        both = pa.concat_tables([self._held, control], promote_options="permissive")
        self._sure = Sure(both, *_codes(desk, self._held, wanted.digests))
        self._stances = _all_stances(desk, self._held, wanted.published_us)
        self._seen = _Seen(np.zeros((len(LEVELS), self._held.num_rows), np.int64))
        self._lot = _Lot(wanted.near_rows, rng)
        self._chances = np.zeros(self._held.num_rows)

    def of(self, parts: Iterable[Part]) -> Audited:
        for part in parts:
            self._look(part)
            self._progress("looking at items", self._seen.items, None)
        return self._told(self._weighed())

    def _look(self, part: Part) -> None:
        seen, held = self._seen, self._held.num_rows
        seen.items += part.items.num_rows
        seen.sources[part.source] += part.items.num_rows
        seen.unread += part.unread
        if not part.items.num_rows:
            return
        ours, by = self._sure.look(part.items)
        is_control = ours >= held
        seen.found_controls.update(ours[is_control].tolist())
        ours[is_control], by[is_control] = -1, -1
        found = ours >= 0
        np.add.at(seen.counts, (by[found], ours[found]), 1)
        _licences(seen, part.items, ours, self._stances[Use.TRAIN, None].stance)
        self._lot.add(part.items.filter(pa.array(~found)))
        self._keep(part.items, ours, found, pa.array([LEVELS[place] for place in by[found]], pa.string()))

    def _keep(self, items: pa.Table, ours: Ints, found: Bools, by: pa.Array, error: pa.Array | None = None) -> None:
        if self._wanted.keep is None or not found.any():
            return
        some = items.filter(pa.array(found)).select(_SHOWN)
        said = self._held.take(pa.array(ours[found])).select(["recording", "title", "artist"])
        columns = {name: some[name] for name in _SHOWN} | {"by": by}
        columns["error"] = error if error is not None else pa.nulls(len(by), pa.float32())
        self._wanted.keep(pa.table(columns | {f"ours_{name}": said[name] for name in said.column_names}))

    def _weighed(self) -> Weighed | None:
        """Weigh what was drawn of the items that are not surely ours."""
        drawn, left = self._lot.drawn(), self._lot.seen
        if not drawn.num_rows:
            return None if left else Weighed(0, 0, Bounds.exactly(0), 0)
        matcher, rows = self._desk.matcher(self._progress), drawn.select(LISTED.names)
        matcher.learn(lambda: _slices(rows), rows.num_rows, self._progress)
        claimed = np.zeros(self._held.num_rows, bool)
        tables = []
        for first, some in enumerate(_slices(drawn)):
            table = matcher.match(some.select(LISTED.names))
            tables.append(table)
            ours, found = table["ours"].to_numpy(), table["ours"].to_numpy() >= 0
            np.add.at(self._chances, ours[found], table["chance"].to_numpy()[found])
            is_sure = np.asarray(table["level"]) == "recording"
            is_sure &= found & (table["error"].to_numpy() <= CLAIMED)
            claimed[ours[is_sure]] = True
            error = table["error"].filter(pa.array(is_sure)).combine_chunks()
            self._keep(some, ours, is_sure, pa.array(["near"] * len(error), pa.string()), error)
            self._progress("weighing items", min((first + 1) * _AT_ONCE, rows.num_rows), rows.num_rows)
        counted = _of_all(matcher.count(lambda: iter(tables))["rows_ours"], rows.num_rows, left)
        return Weighed(left, rows.num_rows, counted, int(claimed.sum()))

    def _told(self, near: Weighed | None) -> Audited:
        seen, found = self._seen, self._seen.counts > 0
        wrong = mistaken(len(seen.found_controls), self._controls, self._held.num_rows)
        # What a code says, too, is no mistake; and no more can be than were found.
        at_most = min(wrong.high, float((found[_NAMES] & ~found[:_NAMES].any(axis=0)).sum()))
        falsely = min(1.0, wrong.high / max(1.0, float(found[_NAMES].sum())))
        everywhere = float(found.any(axis=0).sum())
        ours = self._counted(np.ones(self._held.num_rows, bool), falsely)
        said = [self._said(use, at, stances, near, falsely) for (use, at), stances in self._stances.items()]
        return Audited(
            items=seen.items,
            sources=dict(seen.sources),
            unread=tuple(seen.unread),
            levels={level: (int(seen.counts[at].sum()), int(found[at].sum())) for at, level in enumerate(LEVELS)},
            near=near,
            ours=ours.plus(near.items) if near is not None else ours,
            recordings=Bounds(everywhere, everywhere - at_most, everywhere),
            held=self._held.num_rows,
            control=(self._controls, len(seen.found_controls)),
            mistaken=wrong,
            said=said,
            licences={
                name: _licence(row) for name, row in sorted(seen.licences.items(), key=lambda each: -each[1].sum())
            },
        )

    def _counted(self, which: Bools, falsely: float) -> Bounds:
        """Count items that are surely some recordings of ours; of those by names alone some may be mistakes."""
        sure = float(self._seen.counts[:_NAMES, which].sum())
        names = float(self._seen.counts[_NAMES, which].sum())
        return Bounds(sure + names, sure + names * (1 - falsely), sure + names)

    def _said(self, use: Use, as_of_us: int | None, of: _Stances, near: Weighed | None, falsely: float) -> Said:
        found = (self._seen.counts > 0).any(axis=0)
        items, recordings = {}, {}
        for at, stance in enumerate(STANCES):
            of_it = of.stance == at
            counted = self._counted(of_it, falsely)
            if near is not None and self._chances.any():
                part = float(self._chances[of_it].sum() / self._chances.sum())
                counted = counted.plus(near.items.times(part))
            items[stance], recordings[stance] = counted, int((found & of_it).sum())
        is_reserved = of.stance == STANCES.index(Stance.RESERVED)
        return Said(use, as_of_us, items, recordings, int((found & is_reserved & of.is_said).sum()))


def _held(desk: Desk) -> pa.Table:
    batches = list(desk.catalogue.whole(_OURS))
    if not sum(batch.num_rows for batch in batches):
        raise InputError(
            "the catalogue holds no recording, wanted what the data set is compared with",
            hint="Add it with `riparian catalogue add`.",
        )
    return pa.Table.from_batches(batches).select(list(_OURS)).combine_chunks()


def _codes(desk: Desk, held: pa.Table, digests: Mapping[str, str]) -> tuple[pa.Table, dict[str, int]]:
    numbers = pl.DataFrame({"recording": pl.Series(held["recording"]), "ours": np.arange(held.num_rows)})
    found = pl.DataFrame(desk.catalogue.codes()).join(numbers, on="recording", how="inner", maintain_order="left")
    hashes = found.filter(pl.col("kind") == "sha256")
    known = dict(zip(hashes["value"].to_list(), hashes["ours"].to_list(), strict=True))
    named = dict(zip(numbers["recording"], numbers["ours"], strict=True)) if digests else {}
    known |= {digest: named[name] for digest, name in digests.items() if name in named}
    return found.filter(pl.col("kind") != "sha256").select("ours", "kind", "value").to_arrow(), known


def _all_stances(desk: Desk, held: pa.Table, published_us: int | None) -> dict[tuple[Use, int | None], _Stances]:
    said = desk.catalogue.terms(as_said=True)
    ledger = Ledger.of(desk.catalogue.terms(), as_said=said, uses=USES)
    now_us = desk.clock.now_us()
    moments = {at: Asked(Use.TRAIN, now_us if at is None else at, as_of_us=at) for at in (None, published_us)}
    return {(use, at): _stances(ledger, held, replace(asked, use=use)) for use in USES for at, asked in moments.items()}


def _stances(ledger: Ledger, held: pa.Table, asked: Asked) -> _Stances:
    labels = pl.Series(held["label"]).fill_null(pl.Series(held["owner"])).fill_null("")
    decided = ledger.decide_all(asked, held["recording"].to_pylist(), labels.to_list())
    stance = np.fromiter((STANCES.index(one.stance) for one in decided), np.int8, len(decided))
    return _Stances(stance, np.fromiter((one.by is not None for one in decided), bool, len(decided)))


def _licences(seen: _Seen, items: pa.Table, ours: Ints, stance: npt.NDArray[np.int8]) -> None:
    named = pl.Series(items["licence"]).fill_null("")
    column = np.where(ours >= 0, 1 + stance[np.maximum(ours, 0)], 0)
    counted = pl.DataFrame({"licence": named, "stance": column}).group_by("licence", "stance").len()
    for licence, place, n in counted.iter_rows():
        known = licence in seen.licences or len(seen.licences) < _LICENCES_MAX
        seen.licences.setdefault(licence if known else _OTHERS, np.zeros(1 + len(STANCES), np.int64))[place] += n


def _most(named: tuple[str, Ints]) -> tuple[int, str]:
    return -int(named[1].sum()), named[0]


def _licence(row: Ints) -> tuple[int, int, dict[Stance, int]]:
    return int(row.sum()), int(row[1:].sum()), {stance: int(row[1 + at]) for at, stance in enumerate(STANCES)}


def _slices(rows: pa.Table) -> Iterator[pa.Table]:
    for first in range(0, rows.num_rows, _AT_ONCE):
        yield rows.slice(first, _AT_ONCE)


def _of_all(counted: Sequence[float], asked: int, of: int) -> Bounds:
    """Say of all what was counted of those that were drawn: both that count and the lot have their interval."""
    if asked >= of:
        return Bounds(*counted)
    low, high = (min(max(0, round(each)), asked) for each in counted[1:])
    return Bounds(counted[0] * of / asked, share(low, asked, of).low, share(high, asked, of).high)
