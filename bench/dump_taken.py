"""How near is the day on which a list is said to have been taken, and does the interval hold it?

Dates on which tracks were added to playlists, as they are (--data), thinned to so many rows of ours a day; a list with
a share of the rows, crawled over so many days from a day drawn at random, at an even pace or by fits and starts, and
with three in a thousand of it found by mistake.  ``days_off`` is how far the estimate lies from when the crawl was half
done, ``covered`` how often the 95 % interval holds that.  ``found_a_day`` is how many rows of the list have a date, on
the average of days before.

    python bench/dump_taken.py --data FOLDER [--lists 100]
"""

import argparse
from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path

import numpy as np
import polars as pl
from measure import write
from numpy.typing import NDArray

from riparian.metadata.taken import Crawl, taken

ROWS_A_DAY = (10, 30, 83)
SHARES = (0.3, 0.05)
LENGTHS = (0, 7, 30, 60)
MISTAKEN = 0.003
FIRST = date(2019, 5, 1)
Array = NDArray[np.float64]


def dates(data: Path) -> Array:
    """Count tracks by the day on which they were added."""
    added = pl.read_parquet(data / "spotify_playlist_archive.parquet")["first_added"].str.to_date().to_numpy()
    return np.bincount((added - added.min()).astype(np.int64)).astype(np.float64)


def crawled(begin: float, length: int, days: int, rng: np.random.Generator, *, is_even: bool) -> tuple[Array, float]:
    """Give the chance that a row of each day is in the list, and when the crawl was half done."""
    day = np.arange(days, dtype=np.float64)
    if is_even or length == 0:
        return Crawl(float(length)).in_list(np.array(begin), day), begin + length / 2
    shares = rng.dirichlet(np.full(5, 1.0))
    crawl = Crawl(float(length), tuple(float(share) for share in shares))
    return crawl.in_list(np.array(begin), day), begin + crawl.half_done


def rows(data: Path, lists: int) -> Iterator[dict[str, object]]:
    """Measure one row of the table after the other."""
    real = dates(data)
    rng = np.random.default_rng(11)
    for a_day in ROWS_A_DAY:
        for share in SHARES:
            for length, is_even in [(0, True), *((length, even) for length in LENGTHS[1:] for even in (True, False))]:
                off, held, wide = [], [], []
                for _ in range(lists):
                    ours = rng.poisson(a_day * real / real.mean()).astype(np.float64)
                    begin = rng.uniform(150, real.size - 120)
                    chance, half = crawled(begin, length, real.size, rng, is_even=is_even)
                    p = share * chance + MISTAKEN * share
                    found = rng.binomial(ours.astype(np.int64), np.minimum(p, 1)).astype(np.float64)
                    said = taken(ours, found, FIRST)
                    if said is None:
                        continue
                    true = FIRST + timedelta(days=int(half))
                    off.append(abs((said.estimate - FIRST).days + 0.5 - half))
                    held.append(said.low <= true <= said.high)
                    wide.append((said.high - said.low).days + 1)
                yield {
                    "rows_a_day": a_day,
                    "share": share,
                    "found_a_day": f"{a_day * share:.1f}",
                    "crawl_days": length,
                    "pace": "even" if is_even else "by fits",
                    "lists": len(off),
                    "days_off": f"{np.median(off):.1f}",
                    "days_off_90": f"{np.quantile(off, 0.9):.1f}",
                    "covered": f"{np.mean(held):.3f}",
                    "days_wide": f"{np.median(wide):.0f}",
                }


def main() -> None:
    """Measure, and write the table."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--lists", type=int, default=100)
    parser.add_argument("--out", type=Path, default=None)
    given = parser.parse_args()
    write(rows(given.data, given.lists), given.out, "dump_taken")


if __name__ == "__main__":
    main()
