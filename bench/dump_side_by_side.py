"""How many rows of a dump that are ours do we find, at what real error and cost, and how many do others?

Real rows under two levels of noise (:mod:`dump_rows`), and the same dump against a catalogue of a million rows, nine in
ten of them recombined.  Right is what names the same work, by the rules of :mod:`dump_truth` or as read;
``recall_recording`` and ``error_recording`` want the same version of it as well, by the rules.  For each method the
threshold is chosen on one half of the rows, by artist: the one with the highest recall whose error is within the bar
there (.2 %, .5 % hard); figures are those of the other half.  ``recall_own`` and ``error_own`` are those at
the threshold that the method comes with: a probability of .9 for Splink, a likeness of .7 for MinHash, a stated error
of 1 % for ours.

    python bench/dump_side_by_side.py --data FOLDER --peers-python PEERS/bin/python [--sizes real,1000000]
"""

import argparse
import json
import math
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import numpy as np
import polars as pl
from dump_noise import NOISES
from dump_rows import case, folder_of
from measure import TABLES, write
from scipy.stats import beta

HERE: Final = Path(__file__).parent
WORKS: Final = HERE / "labels" / "dump_works.csv"
"""Pairs that the rules take for two works, and who read them for one: what ours or Splink gave, near the bars."""
BARS: Final = {"normal": 0.002, "hard": 0.005}
OWN: Final = {"splink": math.log2(9), "rensa": 0.7, "datasketch": 0.7, "exact": 1.0}
OWN_ERROR: Final = 0.01
SMALL_ONLY: Final = ("datasketch",)
THREADS: Final = (
    "OMP_NUM_THREADS",
    "OPENBLAS_NUM_THREADS",
    "NUMBA_NUM_THREADS",
    "POLARS_MAX_THREADS",
    "RAYON_NUM_THREADS",
)
ONE_THREAD: Final = dict.fromkeys(THREADS, "1")


def asked(command: list[str], folder: Path) -> tuple[pl.DataFrame, dict[str, float]]:
    """Run one method as a process of its own."""
    with tempfile.TemporaryDirectory() as at:
        answers = Path(at) / "answers.parquet"
        done = subprocess.run(
            [*command, str(folder), str(answers)],
            env=os.environ | ONE_THREAD,
            stdout=subprocess.PIPE,
            text=True,
            check=True,
        )
        return pl.read_parquet(answers), json.loads(done.stdout.splitlines()[-1])


def judged(answers: pl.DataFrame, folder: Path) -> pl.DataFrame:
    """Say of each answer whether it is the right work, and the right recording."""
    groups = pl.read_parquet(folder / "groups.parquet").select(
        "recording", pl.col("work").alias("said_work"), pl.col("version").alias("said_version")
    )
    truth = (
        pl.read_parquet(folder / "truth.parquet")
        .with_columns(is_ours=pl.col("recording").is_not_null())
        .drop("recording")
    )
    read = pl.read_csv(WORKS).with_columns(is_same=True)
    return (
        answers.join(groups, on="recording", how="left")
        .join(truth, on="row", how="left")
        .join(read, on=["source", "recording"], how="left")
        .with_columns(
            right=((pl.col("said_work") == pl.col("work")) & pl.col("is_ours")).fill_null(value=False)
            | pl.col("is_same").fill_null(value=False),
            right_recording=((pl.col("said_version") == pl.col("version")) & pl.col("is_ours")).fill_null(value=False),
        )
    )


def threshold(scores: np.ndarray, right: np.ndarray, most: float) -> float:
    """Choose the lowest score above which no more than this share is wrong; above all where there is none."""
    order = np.argsort(-scores, kind="stable")
    wrong = np.cumsum(~right[order]) / np.arange(1, len(order) + 1)
    last_of_its_score = np.append(np.diff(scores[order]) != 0, True)
    good = np.flatnonzero((wrong <= most) & last_of_its_score)
    return float(scores[order][good[-1]]) if good.size else math.inf


def figures(judged_rows: pl.DataFrame, ours_in: dict[int, int], bar: float, method: str) -> dict[str, object]:
    """Give recall and error of one method at the bar and at its own threshold."""
    chosen, reported = (judged_rows.filter(pl.col("half") == half) for half in (0, 1))
    row: dict[str, object] = {}
    for end, score in (("", "score"), ("_recording", "score_recording")):
        least = threshold(chosen[score].to_numpy(), chosen[f"right{end}"].to_numpy(), bar)
        told = reported.filter(pl.col(score) >= least)
        right = int(told[f"right{end}"].sum())
        found = int((told[f"right{end}"] & told["is_ours"]).sum())
        row |= {f"recall{end}": f"{found / ours_in[1]:.4f}", f"error{end}": f"{1 - right / max(1, len(told)):.5f}"}
        if not end:
            low, high = _interval(len(told) - right, len(told))
            row |= {"error_low": f"{low:.5f}", "error_high": f"{high:.5f}"}
    if method == "ours":
        own = reported.filter(pl.col("level").is_in(["recording", "work"]) & (pl.col("error") <= OWN_ERROR))
    else:
        own = reported.filter(pl.col("score") >= OWN[method])
    right, found = int(own["right"].sum()), int((own["right"] & own["is_ours"]).sum())
    return row | {"recall_own": f"{found / ours_in[1]:.4f}", "error_own": f"{1 - right / max(1, len(own)):.5f}"}


def _interval(wrong: int, of: int) -> tuple[float, float]:
    low = float(beta.ppf(0.025, wrong, of - wrong + 1)) if wrong else 0.0
    return low, float(beta.ppf(0.975, wrong + 1, of - wrong)) if wrong < of else 1.0


def table(
    data: Path, sizes: list[str], noises: list[str], peers: str | None, totals: list[dict[str, object]]
) -> Iterator[dict[str, object]]:
    """Run every method on every case; what ours counts goes to ``totals``."""
    methods = {"ours": [sys.executable, str(HERE / "dump_ours.py")]}
    if peers:
        methods |= {name: [peers, str(HERE / "dump_peers.py"), name] for name in OWN}
    for size in sizes:
        for noise in noises:
            number = size if size == "real" else int(size)
            made, folder = case(data, number, noise), folder_of(data, number, noise)
            truth = pl.DataFrame(pl.from_arrow(made.truth)).filter(pl.col("recording").is_not_null())
            ours_in = {half: int((truth["half"] == half).sum()) for half in (0, 1)}
            for method, command in methods.items():
                if size != "real" and method in SMALL_ONLY:
                    continue
                answers, took = asked(command, folder)
                if method == "ours":
                    totals.append(_total(made.catalogue.num_rows, noise, took, sum(ours_in.values())))
                else:
                    answers = answers.with_columns(score_recording="score")
                yield {
                    "catalogue": made.catalogue.num_rows,
                    "noise": noise,
                    "method": method,
                    **figures(judged(answers, folder), ours_in, BARS[noise], method),
                    "cpu_s": f"{took['cpu_s']:.1f}",
                    "memory_mb": f"{took['memory_mb']:.0f}",
                }


def _total(catalogue: int, noise: str, took: dict[str, float], true: int) -> dict[str, object]:
    said = {
        name: f"{took[f'rows_{of}']:.0f}"
        for name, of in (("rows_said", "estimate"), ("rows_low", "low"), ("rows_high", "high"))
    }
    return {
        "catalogue": catalogue,
        "noise": noise,
        "rows_true": true,
        **said,
        "off": f"{took['rows_estimate'] / true - 1:+.1%}",
    }


def main() -> None:
    """Measure, and write the table."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--peers-python", default=None, help="a Python that has the peers; without it, ours alone")
    parser.add_argument("--sizes", default="real,1000000")
    parser.add_argument("--noises", default=",".join(NOISES))
    parser.add_argument("--out", type=Path, default=TABLES / "dump_side_by_side.csv")
    given = parser.parse_args()
    totals: list[dict[str, object]] = []
    sizes, noises = given.sizes.split(","), given.noises.split(",")
    write(table(given.data, sizes, noises, given.peers_python, totals), given.out, "")
    write(totals, given.out.with_name(f"{given.out.stem}_counts.csv"), "")


if __name__ == "__main__":
    main()
