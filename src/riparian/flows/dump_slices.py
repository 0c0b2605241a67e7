"""Of which parts of our catalogue does a list hold more, and of which less?

Every recording of ours is in the list with a chance; a slice holds the sum of these, scaled by what the list as a whole
is estimated to hold beyond what was found of it, with an interval for both: the chances, and the scale.
"""

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Final

import numpy as np
import numpy.typing as npt
import polars as pl
import pyarrow as pa

NAMED_MAX: Final = 50
_Z: Final = 1.96
_KEPT_MAX: Final = 100_000


@dataclass(frozen=True, slots=True)
class Interval:
    """What is likely, and from where to where it may be."""

    estimate: float
    low: float
    high: float

    def times(self, factor: float) -> "Interval":
        """Multiply all three."""
        return Interval(self.estimate * factor, self.low * factor, self.high * factor)

    def told(self) -> dict[str, float]:
        """Write it for programs."""
        return {"estimate": self.estimate, "low": self.low, "high": self.high}


@dataclass(frozen=True, slots=True)
class Slice:
    """A part of our catalogue: how many recordings it has, and how many of them are in the list."""

    name: str
    held: int
    ours: Interval

    @property
    def share(self) -> Interval:
        """How much of it is in the list."""
        return self.ours.times(1 / self.held)


@dataclass(frozen=True, slots=True, eq=False)
class Catalogued:
    """What goes through the catalogue once tells; see :class:`riparian.flows.dumping.Dumped`."""

    COLUMNS: ClassVar[tuple[str, ...]] = (
        "recording", "title", "artist", "album", "duration_ms", "isrc", "owner", "label", "territory", "markets",
        "added", "released", "popularity",
    )  # fmt: skip

    of_plays: Interval | None
    slices: Mapping[str, Sequence[Slice]]
    days: npt.NDArray[np.float64]
    shown: Mapping[int, Mapping[str, Any]]


_SHOWN: Final = ("recording", "title", "artist", "album", "duration_ms", "isrc")


def catalogued(
    batches: Iterable[pa.RecordBatch],
    chance: npt.NDArray[np.float32],
    recordings: Interval,
    numbers: Sequence[int],
) -> Catalogued:
    """Go through the catalogue.

    Parameters
    ----------
    batches
        Columns :attr:`Catalogued.COLUMNS`, in the order of numbers.
    chance
        That each recording of ours is in the list [shape=(recordings,)].
    recordings
        How many of ours are in the list.
    numbers
        Recordings whose names are wanted, ascending.
    """
    sums: dict[str, list[pl.DataFrame]] = {name: [] for name in _KEYS}
    shown: dict[int, Mapping[str, Any]] = {}
    wanted = np.asarray(numbers, np.int64)
    first = 0
    plays = np.zeros(3)
    for batch in batches:
        n = batch.num_rows
        frame = pl.DataFrame(pa.Table.from_batches([batch])).with_columns(
            pl.Series("p", chance[first : first + n].astype(np.float64))
        )
        plays += _plays(frame)
        for name, key in _KEYS.items():
            sums[name].append(_summed(frame.with_columns(key.alias("key"))))
            if sum(part.height for part in sums[name]) > _KEPT_MAX:
                sums[name] = [_together(sums[name])]
        for number in wanted[(wanted >= first) & (wanted < first + n)].tolist():
            row = frame.row(number - first, named=True)
            shown[number] = {each: row[each] for each in _SHOWN if row[each] is not None}
        first += n
    scale = _scale(recordings, float(chance.sum(dtype=np.float64)))
    slices = {name: _slices(name, _together(parts), scale) for name, parts in sums.items() if name != "day"}
    of_plays = _interval(plays[1] / plays[0], plays[2] / plays[0] ** 2, scale, 1.0) if plays[0] else None
    days = _together(sums["day"]).sort("key")
    columns = [
        days["key"].cast(pl.Float64).to_numpy(),
        days["held"].cast(pl.Float64).to_numpy(),
        days["ours"].to_numpy(),
    ]
    return Catalogued(of_plays, {name: some for name, some in slices.items() if some}, np.array(columns), shown)


_KEYS: Final[Mapping[str, pl.Expr]] = {
    "label": pl.coalesce("label", "owner"),
    "territory": pl.coalesce("territory", "markets").replace("", "everywhere").str.split(" "),
    "month added": pl.col("added").dt.strftime("%Y-%m"),
    "year released": pl.col("released").dt.strftime("%Y"),
    "day": pl.col("added").dt.date().cast(pl.Int32),
}


def _plays(frame: pl.DataFrame) -> npt.NDArray[np.float64]:
    played = frame["popularity"].fill_null(0.0).clip(0.0).to_numpy()
    p = frame["p"].to_numpy()
    return np.array([played.sum(), (played * p).sum(), (played**2 * p * (1 - p)).sum()])


def _summed(frame: pl.DataFrame) -> pl.DataFrame:
    if isinstance(frame["key"].dtype, pl.List):
        frame = frame.select("key", "p").explode("key")
    known = frame.filter(pl.col("key").is_not_null())
    return known.group_by("key").agg(
        pl.len().cast(pl.Int64).alias("held"),
        pl.col("p").sum().alias("ours"),
        (pl.col("p") * (1 - pl.col("p"))).sum().alias("spread"),
    )


def _together(parts: Sequence[pl.DataFrame]) -> pl.DataFrame:
    return pl.concat(parts).group_by("key").agg(pl.col("held", "ours", "spread").sum())


def _scale(recordings: Interval, found: float) -> Interval:
    return recordings.times(1 / found) if found > 0 else Interval(1.0, 1.0, 1.0)


def _interval(ours: float, spread: float, scale: Interval, most: float) -> Interval:
    around = _Z * math.sqrt(max(0.0, spread))
    low, high = (ours - around) * scale.low, (ours + around) * scale.high
    return Interval(min(most, ours * scale.estimate), max(0.0, low), min(most, max(high, ours)))


def _slices(name: str, sums: pl.DataFrame, scale: Interval) -> list[Slice]:
    in_order = name.startswith(("month", "year"))
    sums = sums.sort("key") if in_order else sums.sort(["held", "key"], descending=[True, False]).head(NAMED_MAX)
    return [
        Slice(str(key), held, _interval(ours, spread, scale, held))
        for key, held, ours, spread in sums.select("key", "held", "ours", "spread").iter_rows()
    ]
