"""Which items of a data set are surely ours, and how much of what is found is chance?

Whoever trains a model collects items by the million: most are nobody's of ours.  What can be told without weighing is
told of every one, at a rate of a hundred thousand a second:

==============  =====================================================================================================
``hash``        the file is one of ours, to the last bit: its SHA-256 is one that the catalogue or the prints know
``identifier``  the item says a code (ISRC, MBID, a service's own) of a recording of ours
``names``       title, first artist and version are those of a recording of ours, once written in one way, and so is
                the length where both say one
==============  =====================================================================================================

What remains may still be ours, written otherwise: that is weighed (:mod:`.records`), of all of it or of a share.

The control set
---------------
Names of ours are matched by names alone, and two songs may have the same.  Recordings that were never released cannot
be in anybody's data set: what is found of them is found by mistake.  Such a control set is made by putting titles of
ours to artists of ours that never went together (or is handed in by whoever has recordings that never went out); of so
many of ours as are found, no more can be mistaken than its upper end says.

Conventions
-----------
* Rows of ours are numbers, in the order of the table that was handed in; -1 is none.
* Codes of an item that contradict each other are taken in the order hash, identifier, names.

Source
------
Clopper, C. and Pearson, E. (1934), The use of confidence or fiducial limits; Maini, P. et al. (2021), Dataset Inference
(held-out items as controls in audits of training data).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np
import polars as pl
import pyarrow as pa
from numpy.typing import NDArray
from scipy.special import betaincinv

from riparian.metadata.normalise import SAME_SOUND, mask_of, normalise
from riparian.schema import LISTED

ITEM: Final = pa.schema(
    [
        *LISTED,
        pa.field("licence", pa.string()),
        pa.field("digest", pa.string()),
    ]
)
"""One item of a data set: what a row of a list says, under which licence the data set says that it is, and the SHA-256
of its file in hex."""
LEVELS: Final = ("hash", "identifier", "names")
"""By what an item is ours, the surest first; ``near`` is what weighing finds beside these."""
SECONDS_OFF: Final = 5
"""Two of the same names whose lengths are further apart are not taken for the same."""
_SEED: Final = 0x5EED
_CODES: Final = ("isrc", "mbid", "platform_id")
_BARE_LENGTH: Final = 11
_HOLDS: Final = 0.95

Numbers = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Bounds:
    """A count, and between what it lies with a chance of 95 % or more.

    Examples
    --------
    >>> Bounds(4.0, 3.0, 5.0).plus(Bounds(1.0, 1.0, 1.0))
    Bounds(estimate=5.0, low=4.0, high=6.0)
    """

    estimate: float
    low: float
    high: float

    def plus(self, other: "Bounds") -> "Bounds":
        """Add what is counted apart; the bounds of both hold together with a chance of 90 % or more."""
        return Bounds(self.estimate + other.estimate, self.low + other.low, self.high + other.high)

    def times(self, factor: float) -> "Bounds":
        """Multiply all three."""
        return Bounds(self.estimate * factor, self.low * factor, self.high * factor)

    @classmethod
    def exactly(cls, n: float) -> "Bounds":
        """Give a count that is known."""
        return cls(float(n), float(n), float(n))


@dataclass(frozen=True, slots=True, eq=False)
class _Keys:
    """Keys, ascending, and whose row each is."""

    key: NDArray[np.uint64]
    row: Numbers

    @classmethod
    def of(cls, keys: pl.Series, rows: Numbers) -> "_Keys":
        known = keys.is_not_null().to_numpy()
        plain, whose = keys.drop_nulls().to_numpy(), rows[known]
        # Of rows with one key the first counts.
        order = np.lexsort((whose, plain))
        plain, whose = plain[order], whose[order]
        first = np.ones(plain.size, bool)
        first[1:] = plain[1:] != plain[:-1]
        return cls(plain[first], whose[first])

    def look(self, keys: pl.Series) -> Numbers:
        """Find rows of ours [shape=(n,)]."""
        out = np.full(len(keys), -1, np.int64)
        if self.key.size:
            known = keys.is_not_null().to_numpy()
            asked = keys.drop_nulls().to_numpy()
            at = np.minimum(np.searchsorted(self.key, asked), self.key.size - 1)
            out[known] = np.where(self.key[at] == asked, self.row[at], -1)
        return out


class Sure:
    """What is ours, as items are compared with it without weighing.

    Parameters
    ----------
    recordings
        Ours: ``HELD`` or some of its columns; ``title`` and ``artist`` for names.
    identifiers
        More codes: columns ``ours`` (row number), ``kind``, ``value``.
    digests
        SHA-256 of files of ours in hex, to row numbers.

    Examples
    --------
    >>> rows = {"recording": ["a"], "title": ["Harbour Lights"], "artist": ["Ann Reed"], "isrc": ["GBABC1200001"]}
    >>> ours = Sure(pa.table(rows))
    >>> items = {"title": ["HARBOUR LIGHTS", "x", "Harbour Lights (Live)"], "artist": ["Ann Reed", "y", "Ann Reed"]}
    >>> ours.look(pa.table(items | {"isrc": [None, "GBABC1200001", None]}))[0].tolist()
    [0, 0, -1]
    """

    def __init__(
        self,
        recordings: pa.Table,
        identifiers: pa.Table | None = None,
        digests: Mapping[str, int] | None = None,
    ) -> None:
        self.count: Final = recordings.num_rows
        self._digests = _Keys.of(
            _hashed(pl.Series(list(digests or {}), dtype=pl.String), "digest"),
            np.fromiter((digests or {}).values(), np.int64, len(digests or {})),
        )
        self._codes = _Keys.of(*_codes_of_ours(recordings, identifiers))
        normal = _named(recordings)
        self._names = _Keys.of(_name_keys(normal), np.arange(recordings.num_rows))
        self._seconds = normal["duration_ms"].fill_null(0).to_numpy()

    def look(self, items: pa.Table) -> tuple[Numbers, NDArray[np.int8]]:
        """Say which row of ours each item is [shape=(n,)], and by what: a place in ``LEVELS``, -1 for none.

        Parameters
        ----------
        items
            Of schema ``ITEM``, or some columns of it.
        """
        frame = pl.DataFrame(items)
        ours = np.full(frame.height, -1, np.int64)
        by = np.full(frame.height, -1, np.int8)
        if "digest" in frame.columns and self._digests.key.size:
            _fill(ours, by, self._digests.look(_hashed(frame["digest"], "digest")), 0)
        for kind in _CODES:
            if kind in frame.columns and frame[kind].null_count() < frame.height:
                _fill(ours, by, self._codes.look(_code_keys(kind, frame[kind])), 1)
        left = np.flatnonzero(ours < 0)
        if "title" in frame.columns and left.size:
            normal = _named(items.take(pa.array(left)))
            found = self._names.look(_name_keys(normal))
            far = _far(self._seconds, found, normal["duration_ms"].fill_null(0).to_numpy())
            found[far] = -1
            of_all = np.full(frame.height, -1, np.int64)
            of_all[left] = found
            _fill(ours, by, of_all, 2)
        return ours, by


def _fill(ours: Numbers, by: NDArray[np.int8], found: Numbers, level: int) -> None:
    new = (ours < 0) & (found >= 0)
    ours[new], by[new] = found[new], level


def _far(ours_ms: NDArray[np.int32], found: Numbers, theirs_ms: NDArray[np.int32]) -> NDArray[np.bool_]:
    of_ours = ours_ms[np.maximum(found, 0)] if ours_ms.size else np.zeros(found.size, np.int32)
    both = (of_ours > 0) & (theirs_ms > 0) & (found >= 0)
    away: NDArray[np.bool_] = np.abs(of_ours.astype(np.int64) - theirs_ms) > SECONDS_OFF * 1_000
    return both & away


def _hashed(texts: pl.Series, kind: str) -> pl.Series:
    """Hash texts to 64 bits, with their kind; null and nothing are null."""
    frame = pl.DataFrame({"text": texts.cast(pl.String)})
    known = (pl.col("text") != "").fill_null(value=False)
    return frame.select(pl.when(known).then((pl.lit(f"{kind}:") + pl.col("text")).hash(_SEED))).to_series()


def _code_keys(kind: str, codes: pl.Series) -> pl.Series:
    return _hashed(_code(kind, codes), kind)


def _code(kind: str, codes: pl.Series) -> pl.Series:
    """Write codes in one way, the whole column at once."""
    texts = codes.cast(pl.String)
    if kind == "isrc":
        return texts.str.replace_all(r"[-\s.]", "").str.to_uppercase().str.extract(r"^([A-Z]{2}[A-Z0-9]{3}[0-9]{7})$")
    if kind == "mbid":
        return texts.str.to_lowercase().str.extract(r"([0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12})")
    # A code of a service is the end of its address; a short one is one only with the service's name.
    tail = texts.str.extract(r"([0-9A-Za-z_-]+)(?:\?.*)?$")
    short = tail.str.len_chars() < _BARE_LENGTH
    service = texts.str.extract(r"(spotify|apple|deezer|tidal|youtube|soundcloud)")
    return pl.select(pl.when(short).then(service + ":" + tail).otherwise(tail)).to_series()


def _codes_of_ours(recordings: pa.Table, identifiers: pa.Table | None) -> tuple[pl.Series, Numbers]:
    rows = np.arange(recordings.num_rows)
    keys: list[pl.Series] = [pl.Series(dtype=pl.UInt64)]
    whose: list[Numbers] = [rows[:0]]
    # What we call a recording ourselves may be what a service calls it.
    for name, kind in (*((kind, kind) for kind in _CODES), ("recording", "platform_id")):
        if name in recordings.column_names:
            keys.append(_code_keys(kind, pl.Series(recordings[name])))
            whose.append(rows)
    if identifiers is not None and identifiers.num_rows:
        frame = pl.DataFrame(identifiers)
        for kind in _CODES:
            some = frame.filter(pl.col("kind") == kind)
            keys.append(_code_keys(kind, some["value"]))
            whose.append(some["ours"].to_numpy().astype(np.int64))
    return pl.concat([key.alias("key") for key in keys]), np.concatenate(whose)


def _named(table: pa.Table) -> pl.DataFrame:
    there = [name for name in ("title", "artist", "duration_ms") if name in table.column_names]
    return pl.DataFrame(normalise(table.select(there)))


def _name_keys(normal: pl.DataFrame) -> pl.Series:
    """Hash the names of rows; null where title or artist is missing."""
    version = pl.col("versions") & pl.lit(~mask_of(*SAME_SOUND) & 0xFFFFFFFF, dtype=pl.UInt32)
    whole = pl.concat_str("core", pl.lit("\x1f"), "main", pl.lit("\x1f"), version.cast(pl.String))
    known = (pl.col("core") != "") & (pl.col("main") != "")
    return normal.select(pl.when(known).then(whole.hash(_SEED))).to_series()


def controls(recordings: pa.Table, n: int, rng: np.random.Generator) -> pa.Table:
    """Make recordings that were never released: titles of ours with artists of ours that never went together.

    Parameters
    ----------
    recordings
        Ours, with ``title`` and ``artist``.
    n
        How many at most; fewer where ours are few.

    Returns
    -------
    pa.Table
        ``title``, ``artist`` and ``duration_ms`` (null), a row each, none twice, none of which is ours.
    """
    known = pl.DataFrame(recordings.select(["title", "artist"])).drop_nulls()
    if known.height < 2:
        return pa.table({"title": pa.array([], pa.string()), "artist": pa.array([], pa.string())})
    made = pl.DataFrame(
        {
            "title": known["title"].gather(rng.integers(0, known.height, 2 * n)),
            "artist": known["artist"].gather(rng.integers(0, known.height, 2 * n)),
        }
    ).unique(maintain_order=True)
    ours = set(_name_keys(_named(recordings)).drop_nulls().to_list())
    keys = _name_keys(_named(made.to_arrow()))
    new = keys.is_not_null() & ~keys.is_in(list(ours)) & keys.is_first_distinct()
    out = made.filter(new).head(n).to_arrow()
    return out.cast(pa.schema([("title", pa.string()), ("artist", pa.string())]))


def mistaken(found: int, controls_: int, ours: int) -> Bounds:
    """Say how many of ours are found by mistake, as a control set says.

    Parameters
    ----------
    found
        Recordings of the control set that were found.
    controls_
        How many it has; of none, nothing is known.
    ours
        How many we have.

    Examples
    --------
    >>> mistaken(0, 10_000, 1_000)
    Bounds(estimate=0.0, low=0.0, high=0.3)
    """
    if not controls_:
        return Bounds(0.0, 0.0, float(ours))
    high = 1.0 if found >= controls_ else float(betaincinv(found + 1, controls_ - found, _HOLDS))
    return Bounds(ours * found / controls_, 0.0, round(ours * high, 1))


def share(found: int, asked: int, of: int) -> Bounds:
    """Say how many of all are, where some were chosen by lot and so many of these are.

    Examples
    --------
    >>> share(5, 10, 10), share(0, 0, 10)
    (Bounds(estimate=5.0, low=5.0, high=5.0), Bounds(estimate=0.0, low=0.0, high=10.0))
    """
    if asked >= of:
        return Bounds.exactly(found)
    if not asked:
        return Bounds(0.0, 0.0, float(of))
    tail = (1 - _HOLDS) / 2
    low = 0.0 if not found else float(betaincinv(found, asked - found + 1, tail))
    high = 1.0 if found == asked else float(betaincinv(found + 1, asked - found, 1 - tail))
    return Bounds(of * found / asked, of * low, of * high)
