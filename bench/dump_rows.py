"""Real rows as a catalogue, and lists made of them as found dumps are: what everything about dumps is measured on.

Rows come from three public collections (see ``--data``): playlists' tracks (MIT), text lines of playlists (MIT-style)
and free netlabels' tracks (CC BY-SA 4.0).  A fifth of the works, with all their recordings, is kept out of the
catalogue: foreign rows, mostly by the same artists.  Larger catalogues hold the same real rows and recombined ones
beside them: titles of words of two real titles, under real and under recombined names.  A dump has two parts of ours to
one of foreign rows, written anew (:mod:`dump_noise`).

Missing durations are drawn from the others; milliseconds and ISRCs are drawn, since the collections have none.  A row's
``half`` is a hash of its first artist: what is chosen is chosen on half 0, and reported on half 1.

    python bench/dump_rows.py --data FOLDER [--size real|1000000] [--noise normal|hard] [--rows 60000]
"""

import argparse
import hashlib
import inspect
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import dump_noise
import dump_truth
import numpy as np
import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from riparian.schema import LISTED, RECORDING

FOREIGN: Final = 0.2
OURS_IN_DUMP: Final = 2 / 3
ROWS: Final = 60_000
SEED: Final = 7
RECOMBINED: Final = "mix-"


@dataclass(frozen=True, slots=True, eq=False)
class Case:
    """A catalogue, a dump, and what is true of it.

    ``truth`` has a row a row of the dump: ``row``; ``source``, of which it was made; ``recording``, the same if it is
    ours; ``work`` and ``version``, the numbers of ``groups``; ``half``.  ``groups`` has a row a row of the catalogue,
    in its order: ``recording``, ``work``, ``version``, ``half``.  The same ``work`` is the same title by the same
    artist; the same ``version`` is moreover the same recording of it.
    """

    catalogue: pa.Table
    dump: pa.Table
    truth: pa.Table
    groups: pa.Table


def case(data: Path, size: str | int = "real", noise: str = "normal", rows: int = ROWS, seed: int = SEED) -> Case:
    """Give one case, from the cache under the system's temporary folder if it was made before.

    Parameters
    ----------
    data : folder with the three collections
    size : "real" for real rows alone, or how many rows the catalogue shall have
    noise : "normal" or "hard"
    rows : of the dump
    """
    folder = _cache(data, f"{size}-{noise}-{rows}-{seed}")
    names = ("catalogue", "dump", "truth", "groups")
    if not all((folder / f"{name}.parquet").exists() for name in names):
        made = _made(data, size, noise, rows, seed)
        folder.mkdir(parents=True, exist_ok=True)
        for name in names:
            pq.write_table(getattr(made, name), folder / f"{name}.parquet.part")
            (folder / f"{name}.parquet.part").rename(folder / f"{name}.parquet")
    return Case(*(pq.read_table(folder / f"{name}.parquet") for name in names))


def folder_of(data: Path, size: str | int = "real", noise: str = "normal", rows: int = ROWS, seed: int = SEED) -> Path:
    """Make a case if need be and say in which folder its Parquet files lie."""
    case(data, size, noise, rows, seed)
    return _cache(data, f"{size}-{noise}-{rows}-{seed}")


def half_of(artist: str) -> int:
    """Say in which half a row is, by its first artist."""
    return hashlib.blake2b(dump_truth.main_artist(artist).encode(), digest_size=1).digest()[0] & 1


def real_rows(data: Path, seed: int = SEED) -> pl.DataFrame:
    """Return all real rows.

    Columns are those of RECORDING that are known, ``artist`` being names separated by ``; ``, and ``work``, ``version``
    and ``half`` as in :class:`Case`.
    """
    playlists = pl.read_parquet(data / "spotify_playlist_archive.parquet").select(
        recording="track_id",
        title="title",
        artist="artists",
        album="album",
        seconds=pl.col("dur_s").cast(pl.Float64),
        popularity=pl.col("n_playlists").cast(pl.Float64),
        owner=pl.lit("playlists"),
    )
    lines = _lines(data).filter(~pl.col("recording").is_in(playlists["recording"].implode()))
    real = pl.concat([playlists, lines, _free(data)], how="diagonal_relaxed")
    real = real.filter((pl.col("title").str.strip_chars() != "") & (pl.col("artist").str.strip_chars() != ""))
    rng = np.random.default_rng([seed, 1])
    known = real["seconds"].drop_nulls().to_numpy()
    drawn = np.where(real["seconds"].is_null(), rng.choice(known, len(real)), real["seconds"].fill_null(0))
    numbered = dump_truth.groups(real["title"].to_list(), real["artist"].to_list())
    return real.select(
        "recording",
        "title",
        "artist",
        "album",
        pl.Series("duration_ms", np.maximum(1000, 1000 * drawn + rng.integers(-500, 500, len(real))).astype(np.int32)),
        pl.Series("isrc", _isrcs(len(real), rng)),
        "popularity",
        "owner",
        pl.Series("side", numbered.side),
        pl.Series("work", numbered.work),
        pl.Series("version", numbered.version),
        pl.Series("half", [half_of(artist) for artist in real["artist"]], pl.Int8),
    )


def recombined(real: pl.DataFrame, rows: int, seed: int = SEED, first: int = 0) -> pl.DataFrame:
    """Make rows of words of real ones; what is the same work as a real row is left out.

    Parameters
    ----------
    real : of :func:`real_rows`
    rows : how many to make
    first : number of the first: a large catalogue is made piece by piece, each with its own ``first``

    Returns
    -------
    pl.DataFrame of columns of RECORDING
    """
    rng = np.random.default_rng([seed, 2, first])
    words, half = pl.col("title").str.split(" "), (pl.col("title").str.split(" ").list.len() + 1) // 2
    parts = real.select(head=words.list.slice(0, half).list.join(" "), tail=words.list.slice(half).list.join(" "))
    heads, tails = parts["head"].to_numpy(), parts["tail"].to_numpy()
    artists = real["artist"].unique(maintain_order=True)
    names = artists.str.split("; ").list.first().str.split(" ")
    firsts, lasts = names.list.first().to_numpy(), names.list.slice(1).list.join(" ").to_numpy()
    whole = artists.to_numpy()
    i, j, k, m = (rng.integers(n, size=rows) for n in (len(heads), len(tails), len(whole), len(whole)))
    made = pl.DataFrame(
        {
            "recording": pl.Series(np.arange(first, first + rows)).cast(pl.String),
            "head": heads[i],
            "tail": tails[j],
            "first": firsts[k],
            "last": lasts[m],
            "whole": whole[k],
            "is_real": rng.random(rows) < 0.5,
            "album": real["album"].fill_null("").to_numpy()[i],
            "duration_ms": real["duration_ms"].to_numpy()[j] + rng.integers(-500, 500, rows).astype(np.int32),
            "isrc": _isrcs(rows, rng),
            "popularity": real["popularity"].to_numpy()[k],
        }
    ).select(
        recording=RECOMBINED + pl.col("recording"),
        title=pl.concat_str("head", pl.lit(" "), "tail").str.strip_chars(),
        artist=pl.when("is_real")
        .then("whole")
        .otherwise(pl.concat_str("first", pl.lit(" "), "last").str.strip_chars()),
        album="album",
        duration_ms=pl.col("duration_ms").clip(1000),
        isrc="isrc",
        popularity="popularity",
        owner=pl.lit("recombined"),
    )
    return made.join(_loosely(real), left_on=_LOOSE, right_on="loose", how="anti")


def _made(data: Path, size: str | int, noise: str, rows: int, seed: int) -> Case:
    real = real_rows(data, seed)
    rng = np.random.default_rng([seed, 3])
    sides = real["side"].unique().sort().to_numpy()
    foreign = real["side"].is_in(pl.Series(sides[rng.random(sides.size) < FOREIGN]).implode()).to_numpy()
    ours, theirs = real.filter(~foreign), real.filter(foreign)
    n_ours = round(rows * OURS_IN_DUMP)
    taken = pl.concat(
        [
            ours.sample(n_ours, seed=seed).with_columns(ours="recording"),
            theirs.sample(rows - n_ours, seed=seed).with_columns(ours=pl.lit(None, pl.String)),
        ]
    ).sample(fraction=1.0, shuffle=True, seed=seed)
    dump = _listed(taken, noise, np.random.default_rng([seed, 4]))
    truth = taken.select(
        pl.int_range(pl.len(), dtype=pl.Int64).alias("row"),
        "work",
        "version",
        "half",
        recording="ours",
        source="recording",
    )
    held = _held(ours, real, size, seed)
    groups = held.select("recording").join(
        ours.select("recording", "work", "version", "half"), on="recording", how="left", maintain_order="left"
    )
    return Case(as_schema(held, RECORDING), dump, truth.to_arrow(), groups.to_arrow())


def _held(ours: pl.DataFrame, real: pl.DataFrame, size: str | int, seed: int) -> pl.DataFrame:
    shuffled = ours.sample(fraction=1.0, shuffle=True, seed=seed)
    if size == "real":
        return shuffled
    more = recombined(real, int(1.03 * (int(size) - len(ours))), seed).head(int(size) - len(ours))
    both = pl.concat([shuffled.select(more.columns), more])
    return both.sample(fraction=1.0, shuffle=True, seed=seed)


_LOOSE: Final = pl.concat_str(
    pl.col("title").str.to_lowercase().str.replace_all(r"[^\pL\pN]", ""),
    pl.lit("|"),
    pl.col("artist").str.split("; ").list.first().str.to_lowercase().str.replace_all(r"[^\pL\pN]", ""),
)


def _loosely(real: pl.DataFrame) -> pl.DataFrame:
    return real.select(loose=_LOOSE).unique()


def _lines(data: Path) -> pl.DataFrame:
    return (
        pl.read_parquet(data / "harisekhon_lines.parquet")
        .filter(pl.col("line").str.contains(" - ", literal=True))
        .select(
            recording="track_id",
            title=pl.col("line").str.splitn(" - ", 2).struct.field("field_1"),
            artist=pl.col("line").str.splitn(" - ", 2).struct.field("field_0").str.replace_all(", ", "; "),
            popularity=pl.col("n").cast(pl.Float64),
            owner=pl.lit("lines"),
        )
    )


def _free(data: Path) -> pl.DataFrame:
    releases = pl.read_csv(data / "freemusi_releases.csv", infer_schema_length=0).select("id", "album", "activity")
    return (
        pl.read_csv(data / "freemusi_tracks.csv", infer_schema_length=0)
        .drop_nulls(["title", "trackartist"])
        .join(releases.unique("id"), on="id", how="left", maintain_order="left", suffix="_of_release")
        .with_row_index("number")
        .select(
            recording=pl.lit("free-") + pl.col("number").cast(pl.String),
            title="title",
            artist="trackartist",
            album="album",
            seconds=pl.col("duration").cast(pl.Float64, strict=False),
            popularity=pl.lit(1.0),
            owner=pl.lit("free"),
        )
    )


def _isrcs(n: int, rng: np.random.Generator) -> list[str]:
    countries = np.array(["US", "GB", "DE", "FR", "SE", "QZ", "QM", "NL", "AU", "CA", "JP", "BR"])
    who = rng.integers(0, 36**3, n)
    codes = rng.integers(0, 100 * 100_000, n)
    abc = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"
    return [
        f"{country}{abc[w // 1296]}{abc[w // 36 % 36]}{abc[w % 36]}{code:07d}"
        for country, w, code in zip(countries[rng.integers(countries.size, size=n)], who, codes, strict=True)
    ]


def _listed(taken: pl.DataFrame, noise: str, rng: np.random.Generator) -> pa.Table:
    rates = dump_noise.NOISES[noise]
    rows = [
        dump_noise.changed(dump_noise.Written(title, artist.split("; "), duration, isrc), rates, rng)
        for title, artist, duration, isrc in taken.select("title", "artist", "duration_ms", "isrc").iter_rows()
    ]
    columns = {
        "row": np.arange(len(rows)),
        "title": [row.title for row in rows],
        "artist": [row.artist for row in rows],
        "duration_ms": [row.duration_ms for row in rows],
        "isrc": [row.isrc for row in rows],
    }
    return pa.table(
        [pa.array(columns[f.name], f.type) if f.name in columns else pa.nulls(len(rows), f.type) for f in LISTED],
        schema=LISTED,
    )


def as_schema(table: pl.DataFrame, schema: pa.Schema) -> pa.Table:
    """Give a table all columns of a schema, null where it has none."""
    arrow = table.to_arrow()
    return pa.table(
        [arrow[f.name].cast(f.type) if f.name in table.columns else pa.nulls(len(table), f.type) for f in schema],
        schema=schema,
    )


def _cache(data: Path, name: str) -> Path:
    code = "".join(inspect.getsource(one) for one in (sys.modules[__name__], dump_noise, dump_truth))
    files = "".join(f"{one.name}{one.stat().st_size}" for one in sorted(data.glob("*.*")))
    made = hashlib.blake2b((code + files).encode(), digest_size=6).hexdigest()
    return Path(tempfile.gettempdir()) / "riparian-dump-rows" / made / name


def as_numbers(matched: pa.Table, groups: pa.Table, name: str) -> NDArray[np.int64]:
    """Look the numbers of recordings up in ``groups``; -1 where there is none (null, or a recombined row)."""
    looked_up = pl.DataFrame(pl.from_arrow(matched.select(["recording"]))).join(
        pl.DataFrame(pl.from_arrow(groups.select(["recording", name]))),
        on="recording",
        how="left",
        maintain_order="left",
    )
    return looked_up[name].fill_null(-1).to_numpy()


def main() -> None:
    """Make a case and show some of it."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--size", default="real")
    parser.add_argument("--noise", choices=tuple(dump_noise.NOISES), default="normal")
    parser.add_argument("--rows", type=int, default=ROWS)
    given = parser.parse_args()
    size = given.size if given.size == "real" else int(given.size)
    made = case(given.data, size, given.noise, given.rows)
    shown = pl.DataFrame(pl.from_arrow(made.dump.slice(0, 20))).select("title", "artist", "duration_ms", "isrc")
    truth = pl.DataFrame(pl.from_arrow(made.truth.slice(0, 20))).select("recording", "work", "half")
    with pl.Config(tbl_rows=20, fmt_str_lengths=50):
        print(pl.concat([shown, truth], how="horizontal"))
    print(f"{made.catalogue.num_rows} rows of ours, {made.dump.num_rows} of theirs, in")
    print(folder_of(given.data, size, given.noise, given.rows))


if __name__ == "__main__":
    main()
