"""Which deliverers of a catalogue are unlike all others in the ways of content farms and fake compilations?

Counted of everybody who delivers are tracks that last just over the half minute after which a play is paid, recordings
that sound like somebody else's or like each other, those added on one day, artists whose names look like those of
others, titles of what is much played, and recordings that somebody else delivered before.  None of these is a wrong,
and none says how likely one is.  What can be said honestly is how unusual each is *here*: the share of deliverers that
are at least as unusual, those of few recordings compared by the lower end of an interval.  A dossier is a referral to a
person, with examples to look at, and nothing acts on it.

Source
------
Conformal rank ``(1 + others at least as extreme) / (1 + others)`` (Vovk, Gammerman, Shafer, Algorithmic Learning in a
Random World, 2005); Wilson (1927) for the lower end of a share.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt
import polars as pl
import pyarrow as pa

from riparian.catalogue.names import LETTERS_MIN, folded, look

PAID_FROM_MS: Final = 30_000
PAID_UNTIL_MS: Final = 36_000
"""Tracks at least so long and shorter than this are counted as just over the half minute."""
RECORDINGS_MIN: Final = 10
"""Of whom fewer are held nothing is told."""
OTHERS_MIN: Final = 19
"""With fewer deliverers beside one, nothing is unusual at 1 in 20."""
EXAMPLES: Final = 8
_PLAYED_MOST: Final = 0.01
_TITLE_LETTERS_MIN: Final = 8
_Z: Final = 1.96
_KINDS: Final[dict[str, pl.DataType]] = {
    "duration_ms": pl.Int64(),
    "popularity": pl.Float64(),
    "added": pl.Datetime("us", "UTC"),
}

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Way:
    """One way to be unlike others: its name, and a sentence with the count in it."""

    name: str
    sentence: str


WAYS: Final = (
    Way("half_minute", "tracks last 30 to 36 seconds"),
    Way("others_sound", "recordings have the sound of a recording that somebody else delivers"),
    Way("one_sound", "recordings have the sound of another one of their own"),
    Way("one_day", "recordings were added on their busiest day"),
    Way("names_alike", "recordings are by artists whose names look like those of somebody else's artists"),
    Way("played_titles", "recordings have the title of somebody else's much-played recording, by another artist"),
    Way("delivered_before", "recordings were delivered before, with the same title and artist, by somebody else"),
)


@dataclass(frozen=True, slots=True)
class Unusual:
    """One way in which a deliverer is unlike others.

    Parameters
    ----------
    way
        Which.
    count, of
        So many of so many recordings.
    usual
        The share of the deliverer in the middle, 0 to 1.
    rank
        The share of deliverers that are at least as unusual, itself among them; above 0, at most 1.
    examples
        Some of the recordings.
    """

    way: Way
    count: int
    of: int
    usual: float
    rank: float
    examples: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Dossier:
    """What a person should look at of one deliverer: the ways in which it is unusual, the most unusual first.

    Parameters
    ----------
    rank
        The smallest rank times the number of ways that were counted, at most 1: how many deliverers in a catalogue of
        such would by lot be as unusual in some way.
    """

    deliverer: str
    recordings: int
    rank: float
    unusual: tuple[Unusual, ...]


def dossiers(held: pa.Table, twins: Iterable[tuple[str, str]] | None = None, *, most: float = 0.05) -> list[Dossier]:
    """Say who is unlike others, the most unusual first.

    Parameters
    ----------
    held
        The catalogue (:data:`riparian.catalogue.holdings.HELD`): ``recording`` and ``owner``, and what else there is.
    twins
        Pairs of recordings with the same sound; None where nobody compared sound.
    most
        Ways of a larger rank are not told; above 0, at most 1.

    Raises
    ------
    ValueError
        When ``most`` is outside (0, 1].

    Examples
    --------
    >>> rows = [(f"r{o}-{i}", f"label {o}", 31_000 if o == 0 else 200_000 + i) for o in range(30) for i in range(12)]
    >>> names = ("recording", "owner", "duration_ms")
    >>> found, = dossiers(pa.table(dict(zip(names, map(list, zip(*rows))))), most=0.1)
    >>> found.deliverer, found.unusual[0].way.name, found.unusual[0].count, round(found.unusual[0].rank, 3)
    ('label 0', 'half_minute', 12, 0.033)
    """
    if not 0 < most <= 1:
        raise ValueError(f"most is {most}, wanted 0 < most <= 1")
    rows = _rows(held)
    whole = (
        rows.group_by("deliverer")
        .agg(pl.len().alias("of"), pl.col("owner").first())
        .filter(pl.col("of") >= RECORDINGS_MIN)
    )
    rows = rows.join(whole.select("deliverer"), on="deliverer", how="semi")
    if whole.height <= OTHERS_MIN:
        return []
    marked = {way.name: keep for way, keep in _marked(rows, twins)}
    told: dict[str, list[Unusual]] = {}
    for way in WAYS:
        if way.name in marked:
            for deliverer, one in _ranked(way, whole, rows.filter(marked[way.name])):
                if one.rank <= most:
                    told.setdefault(deliverer, []).append(one)
    found = [
        Dossier(owner, n, min(1.0, len(marked) * min(one.rank for one in told[deliverer])), _ordered(told[deliverer]))
        for deliverer, n, owner in whole.iter_rows()
        if deliverer in told
    ]
    return sorted(found, key=lambda one: (one.rank, -len(one.unusual), -one.recordings, one.deliverer))


def _ordered(some: list[Unusual]) -> tuple[Unusual, ...]:
    return tuple(sorted(some, key=lambda one: (one.rank, -one.count / one.of)))


def _rows(held: pa.Table) -> pl.DataFrame:
    names = ("recording", "title", "artist", "owner", "label", "duration_ms", "popularity", "added")
    found = pl.DataFrame(held.select([name for name in names if name in held.column_names]))
    absent = [
        pl.lit(None).cast(_KINDS.get(name, pl.String())).alias(name) for name in names if name not in found.columns
    ]
    found = found.with_columns(absent)
    whose = pl.when(pl.col("owner").fill_null("") != "").then(pl.col("owner")).otherwise(pl.col("label"))
    found = found.with_columns(whose.alias("owner")).filter(pl.col("owner").fill_null("") != "")
    return found.with_columns(
        _mapped(found, "owner", folded).alias("deliverer"),
        _mapped(found, "artist", folded).alias("by"),
        _mapped(found, "artist", look).alias("looks"),
        _mapped(found, "title", folded).alias("called"),
    )


def _mapped(found: pl.DataFrame, column: str, of: Callable[[str], str]) -> pl.Series:
    plain = found[column].fill_null("")
    distinct = plain.unique()
    table = pl.DataFrame({"from": distinct, "to": [of(name) for name in distinct.to_list()]})
    return plain.to_frame("from").join(table, on="from", how="left", maintain_order="left")["to"]


def _marked(rows: pl.DataFrame, twins: Iterable[tuple[str, str]] | None) -> Iterable[tuple[Way, pl.Series]]:
    """Say of each way that can be counted which rows it counts."""
    by_name = {way.name: way for way in WAYS}
    if rows["duration_ms"].null_count() < rows.height:
        yield (
            by_name["half_minute"],
            rows["duration_ms"].is_between(PAID_FROM_MS, PAID_UNTIL_MS - 1).fill_null(value=False),
        )
    if twins is not None:
        others, own = _same_sound(rows, twins)
        yield by_name["others_sound"], rows["recording"].is_in(others.implode())
        yield by_name["one_sound"], rows["recording"].is_in(own.implode())
    if rows["added"].null_count() < rows.height:
        yield by_name["one_day"], _busiest(rows)
    if rows["artist"].null_count() < rows.height:
        yield by_name["names_alike"], _alike(rows)
        if rows["title"].null_count() < rows.height:
            yield by_name["played_titles"], _played(rows)
            if rows["added"].null_count() < rows.height:
                yield by_name["delivered_before"], _before(rows)


def _same_sound(rows: pl.DataFrame, twins: Iterable[tuple[str, str]]) -> tuple[pl.Series, pl.Series]:
    pairs = pl.DataFrame(list(twins), schema={"a": pl.String, "b": pl.String}, orient="row")
    both = pl.concat([pairs, pairs.select(pl.col("b").alias("a"), pl.col("a").alias("b"))]).filter(
        pl.col("a") != pl.col("b")
    )
    whose = rows.select("recording", "deliverer")
    of = both.join(whose, left_on="a", right_on="recording").join(whose, left_on="b", right_on="recording", suffix="_b")
    is_other = pl.col("deliverer") != pl.col("deliverer_b")
    return of.filter(is_other)["a"].unique(), of.filter(~is_other)["a"].unique()


def _busiest(rows: pl.DataFrame) -> pl.Series:
    days = rows.select("deliverer", pl.col("added").dt.date().alias("day"))
    counted = days.drop_nulls().group_by("deliverer", "day").len().filter(pl.col("len") > 1)
    busiest = counted.sort("len", "day", descending=[True, False]).unique(
        "deliverer", keep="first", maintain_order=True
    )
    marked = busiest.select("deliverer", "day", pl.lit(value=True).alias("marked"))
    return days.join(marked, on=["deliverer", "day"], how="left", maintain_order="left")["marked"].fill_null(
        value=False
    )


def _alike(rows: pl.DataFrame) -> pl.Series:
    """Mark artists who look like another deliverer's, are not called the same, and are played less."""
    artists = (
        rows.filter((pl.col("by") != "") & (pl.col("by").str.len_chars() >= LETTERS_MIN))
        .group_by("looks", "by", "deliverer")
        .agg(pl.col("popularity").sum().alias("plays"), pl.len().alias("n"))
    )
    pairs = artists.join(artists, on="looks", suffix="_b").filter(
        (pl.col("by") != pl.col("by_b")) & (pl.col("deliverer") != pl.col("deliverer_b"))
    )
    less = pairs.filter(
        (pl.col("plays") < pl.col("plays_b")) | ((pl.col("plays") == pl.col("plays_b")) & (pl.col("n") < pl.col("n_b")))
    )
    marked = less.select("by", "deliverer").unique().with_columns(pl.lit(value=True).alias("marked"))
    return rows.join(marked, on=["by", "deliverer"], how="left", maintain_order="left")["marked"].fill_null(value=False)


def _played(rows: pl.DataFrame) -> pl.Series:
    floor = rows["popularity"].quantile(1 - _PLAYED_MOST)
    if floor is None:
        return pl.Series([False] * rows.height)
    top = rows.filter(
        (pl.col("popularity") >= floor)
        & (pl.col("popularity") > 0)
        & (pl.col("called").str.len_chars() >= _TITLE_LETTERS_MIN)
    ).select("called", "by", "deliverer")
    numbered = rows.select("called", "by", "deliverer").with_row_index("n")
    pairs = numbered.join(top, on="called", suffix="_b").filter(
        (pl.col("by") != pl.col("by_b")) & (pl.col("deliverer") != pl.col("deliverer_b"))
    )
    return numbered["n"].is_in(pairs["n"].unique().implode())


def _before(rows: pl.DataFrame) -> pl.Series:
    numbered = (
        rows.select("called", "by", "deliverer", "added")
        .with_row_index("n")
        .filter((pl.col("called") != "") & (pl.col("by") != ""))
    )
    first = numbered.group_by("called", "by", "deliverer").agg(pl.col("added").min())
    pairs = numbered.join(first, on=["called", "by"], suffix="_b").filter(
        (pl.col("deliverer") != pl.col("deliverer_b")) & (pl.col("added") > pl.col("added_b"))
    )
    return pl.Series(range(rows.height), dtype=pl.UInt32).is_in(pairs["n"].unique().implode())


def _ranked(way: Way, whole: pl.DataFrame, marked: pl.DataFrame) -> Iterable[tuple[str, Unusual]]:
    counted = marked.group_by("deliverer").agg(
        pl.len().alias("count"), pl.col("recording").sort().head(EXAMPLES).alias("examples")
    )
    all_of = whole.join(counted, on="deliverer", how="left").with_columns(pl.col("count").fill_null(0))
    counts, of = all_of["count"].to_numpy().astype(float), all_of["of"].to_numpy().astype(float)
    lower = _lower(counts, of)
    ordered = np.sort(lower)
    # Itself is among those that are at least as unusual: the rank is never 0.
    rank = (len(ordered) - np.searchsorted(ordered, lower, "left")) / len(ordered)
    usual = float(np.median(counts / of))
    for row, chance in zip(all_of.iter_rows(named=True), rank.tolist(), strict=True):
        if row["count"]:
            examples = tuple(row["examples"])
            yield row["deliverer"], Unusual(way, row["count"], row["of"], usual, chance, examples)


def _lower(counts: Floats, of: Floats) -> Floats:
    share, z2 = counts / of, _Z * _Z
    spread = _Z * np.sqrt(share * (1 - share) / of + z2 / (4 * of * of))
    return np.asarray((share + z2 / (2 * of) - spread) / (1 + z2 / of), dtype=np.float64)
