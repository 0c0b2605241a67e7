"""Programs of others that find rows of a catalogue in a dump; runs under a Python of its own, where they are.

    python -m venv PEERS && PEERS/bin/pip install splink==5.0.0 datasketch==2.0.0 rensa==0.5.0 anyascii polars scipy
    PEERS/bin/python bench/dump_peers.py splink CASE ANSWERS

CASE is a folder of :mod:`dump_rows`; ANSWERS a Parquet file of ``row``, ``recording`` and ``score``, the best of ours
for each row for which there is one.  CPU seconds and the most memory are printed, reading and importing left out.  All
get the same words: letters folded to ASCII and lowered, guests and tags of versions dropped, the first artist apart.

``exact`` is a join on ISRC or on title and first artist.  ``splink`` is a model of four comparisons trained by
expectation maximisation, as its guides have it, over seven blocking rules.  ``rensa`` and ``datasketch`` are MinHash
with locality-sensitive hashing over three-letter pieces of title and artist.
"""

import argparse
import json
import re
import resource
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, Final

import duckdb
import polars as pl
import splink.comparison_library as cl
from anyascii import anyascii
from datasketch import MinHash, MinHashLSH
from rensa import RMinHash, RMinHashLSH
from splink import DuckDBAPI, Linker, SettingsCreator, block_on

_GUESTS: Final = re.compile(r"[\(\[]?\b(feat|ft|featuring|with)\b\.? .*$")
_TAGS: Final = re.compile(
    r"[\(\[][^\)\]]*\b(remaster|remix|mix|edit|live|version|mono|stereo|bonus|acoustic|deluxe)[^\)\]]*[\)\]]"
    r"|\s[-\u2013]\s.*\b(remaster|remix|mix|edit|live|version|mono|stereo|bonus|acoustic|deluxe)\w*.*$"
)
_FIRST: Final = re.compile(r"\s*(?:;|,|&|/|\bfeat\b|\bft\b|\bfeaturing\b|\bx\b|\band\b)")
_OTHER: Final = re.compile(r"[^a-z0-9]+")
_PERMUTATIONS: Final = 64
_BANDS: Final = 16
_DATASKETCH_THRESHOLD: Final = 0.5
_TRIED: Final = 40


def worded(table: pl.DataFrame) -> pl.DataFrame:
    """Add ``core``, ``artist`` and ``main``, as all of them get."""
    titles = [anyascii(text or "").lower() for text in table["title"]]
    artists = [anyascii(text or "").lower() for text in table["artist"]]
    return table.with_columns(
        pl.Series("core", [_core(text) for text in titles], pl.String),
        pl.Series("artist", [_OTHER.sub(" ", text).strip() for text in artists], pl.String),
        pl.Series("main", [_main(text) for text in artists], pl.String),
        seconds=(pl.col("duration_ms") / 1000).round().cast(pl.Int32),
    ).with_columns(pl.col("core", "artist", "main").replace("", None))


def _core(title: str) -> str:
    bare = _OTHER.sub(" ", _GUESTS.sub("", _TAGS.sub(" ", title))).strip()
    return bare or _OTHER.sub(" ", title).strip()


def _main(artist: str) -> str:
    return _OTHER.sub(" ", _FIRST.split(artist)[0]).strip() or _OTHER.sub(" ", artist).strip()


def joined(ours: pl.DataFrame, theirs: pl.DataFrame) -> pl.DataFrame:
    """Join on ISRC, or on title and first artist."""
    base = duckdb.connect()
    base.execute("SET threads = 1")
    base.register("ours", ours.to_arrow())
    base.register("theirs", theirs.to_arrow())
    found = base.sql(
        """SELECT row, any_value(recording) AS recording, max(score) AS score FROM (
             SELECT t.row, o.recording, 2::DOUBLE AS score FROM theirs t JOIN ours o ON t.isrc = o.isrc
             UNION ALL
             SELECT t.row, o.recording, 1::DOUBLE FROM theirs t JOIN ours o ON t.core = o.core AND t.main = o.main)
           GROUP BY row"""
    )
    return pl.DataFrame(found.to_arrow_table())


def with_splink(ours: pl.DataFrame, theirs: pl.DataFrame) -> pl.DataFrame:
    """Train a model of Fellegi and Sunter by expectation maximisation, and take the best of each row."""
    base = duckdb.connect()
    base.execute("SET threads = 1")
    door = DuckDBAPI(base)
    columns = ["core", "artist", "main", "seconds", "isrc"]
    left = door.register(
        ours.select(pl.col("recording").alias("unique_id"), *columns).to_arrow(), dataset_display_name="ours"
    )
    right = door.register(
        theirs.select(pl.col("row").cast(pl.String).alias("unique_id"), *columns).to_arrow(),
        dataset_display_name="theirs",
    )
    seconds = {
        "output_column_name": "seconds",
        "comparison_levels": [
            {
                "sql_condition": "seconds_l IS NULL OR seconds_r IS NULL",
                "label_for_charts": "Null",
                "is_null_level": True,
            },
            {"sql_condition": "abs(seconds_l - seconds_r) <= 1", "label_for_charts": "<=1"},
            {"sql_condition": "abs(seconds_l - seconds_r) <= 3", "label_for_charts": "<=3"},
            {"sql_condition": "ELSE", "label_for_charts": "other"},
        ],
    }
    settings = SettingsCreator(
        link_type="link_only",
        blocking_rules_to_generate_predictions=[
            block_on("isrc"),
            block_on("core"),
            block_on("main", "substr(core, 1, 3)"),
            block_on("substr(core, 1, 8)"),
            block_on("main", "seconds"),
            block_on("substr(main, 1, 5)", "substr(core, 1, 5)"),
            "l.core = r.main AND l.main = r.core",
        ],
        comparisons=[
            cl.JaroWinklerAtThresholds("core", [0.96, 0.9, 0.8]).configure(term_frequency_adjustments=True),
            cl.JaroWinklerAtThresholds("artist", [0.96, 0.9, 0.8]).configure(term_frequency_adjustments=True),
            seconds,
            cl.ExactMatch("isrc"),
        ],
    )
    linker = Linker([left, right], settings)
    linker.training.estimate_probability_two_random_records_match([block_on("core", "main")], recall=0.7)
    linker.training.estimate_u_using_random_sampling(max_pairs=1e6, seed=1)
    linker.training.estimate_parameters_using_expectation_maximisation(block_on("core"))
    linker.training.estimate_parameters_using_expectation_maximisation(block_on("main", "seconds"))
    pairs = linker.inference.predict(threshold_match_probability=0.05)
    is_left = pl.col("source_dataset_l") == "theirs"
    return (
        pl.DataFrame(pairs.as_pyarrow_table())
        .select(
            row=pl.when(is_left).then("unique_id_l").otherwise("unique_id_r").cast(pl.Int64),
            recording=pl.when(is_left).then("unique_id_r").otherwise("unique_id_l"),
            score="match_weight",
        )
        .sort("score", descending=True)
        .unique("row", keep="first")
    )


def with_rensa(ours: pl.DataFrame, theirs: pl.DataFrame) -> pl.DataFrame:
    """Put MinHashes of all of ours into bands, and take the one most like each row."""
    index = RMinHashLSH(threshold=0.5, num_perm=_PERMUTATIONS, num_bands=_BANDS)
    held: list[Any] = []
    for number, pieces in enumerate(_pieces(ours)):
        one = RMinHash(num_perm=_PERMUTATIONS, seed=1)
        one.update(pieces)
        index.insert(number, one)
        held.append(one)

    def asked(pieces: Sequence[str]) -> tuple[int, float] | None:
        one = RMinHash(num_perm=_PERMUTATIONS, seed=1)
        one.update(pieces)
        return max(((k, held[k].jaccard(one)) for k in index.query(one)), key=lambda found: found[1], default=None)

    return _best(ours, theirs, asked)


def with_datasketch(ours: pl.DataFrame, theirs: pl.DataFrame) -> pl.DataFrame:
    """Do the same with datasketch."""
    index = MinHashLSH(threshold=_DATASKETCH_THRESHOLD, num_perm=_PERMUTATIONS)
    held = MinHash.bulk([[p.encode() for p in pieces] for pieces in _pieces(ours)], num_perm=_PERMUTATIONS, seed=1)
    for number, one in enumerate(held):
        index.insert(number, one)

    def asked(pieces: Sequence[str]) -> tuple[int, float] | None:
        one = MinHash(num_perm=_PERMUTATIONS, seed=1)
        one.update_batch([p.encode() for p in pieces])
        close = index.query(one)[:_TRIED]
        return max(((k, held[k].jaccard(one)) for k in close), key=lambda found: found[1], default=None)

    return _best(ours, theirs, asked)


def _best(
    ours: pl.DataFrame, theirs: pl.DataFrame, asked: Callable[[Sequence[str]], tuple[int, float] | None]
) -> pl.DataFrame:
    names = ours["recording"].to_list()
    found = [
        (row, names[answer[0]], float(answer[1]))
        for row, pieces in zip(theirs["row"], _pieces(theirs), strict=True)
        if (answer := asked(pieces))
    ]
    return pl.DataFrame(found, schema=["row", "recording", "score"], orient="row")


def _pieces(table: pl.DataFrame) -> Iterator[list[str]]:
    for core, artist in table.select("core", "artist").iter_rows():
        text = f" {core or ''} | {artist or ''} "
        yield [text[i : i + 3] for i in range(len(text) - 2)]


PEERS: Final = {"exact": joined, "splink": with_splink, "rensa": with_rensa, "datasketch": with_datasketch}


def main() -> None:
    """Ask one of them, and say what it took."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("peer", choices=tuple(PEERS))
    parser.add_argument("case", type=Path)
    parser.add_argument("answers", type=Path)
    given = parser.parse_args()
    ours = pl.read_parquet(given.case / "catalogue.parquet").select(
        "recording", "title", "artist", "duration_ms", "isrc"
    )
    theirs = pl.read_parquet(given.case / "dump.parquet").select("row", "title", "artist", "duration_ms", "isrc")
    before = time.process_time()
    found = PEERS[given.peer](worded(ours), worded(theirs))
    cpu_s = time.process_time() - before
    found.select("row", "recording", "score").write_parquet(given.answers)
    print(json.dumps({"cpu_s": cpu_s, "memory_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024}))


if __name__ == "__main__":
    main()
