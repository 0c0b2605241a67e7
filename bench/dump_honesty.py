"""On lists that others wrote, how often is a statement wrong, how often does it say so, and is the count right?

Every list of :mod:`dump_found` is matched as it is.  What is claimed (the same recording, the same work) is put into
strata by its stated error; of each stratum pairs are drawn at random and judged: two rows whose title and artists have
the same letters are the same, and all other pairs were read one by one, without what was stated.  Judgements
are kept in bench/labels/dump_pairs.csv under a hash of the pair, and hold for every later run.

``stated`` is the mean of what was stated of the pairs judged, ``real`` the share of them that was wrong, ``low`` and
``high`` its 95 % interval (Clopper and Pearson), ``times`` how often more.  The count: ``rows_ours`` as stated, with
its interval, against ``rows_judged``, the shares of the strata that are right, times their sizes, and what the rules of
:mod:`dump_truth` find in the catalogue that was not claimed.

    python bench/dump_honesty.py --data FOLDER --found FOLDER [--unread FILE]
"""

import argparse
import csv
import hashlib
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import dump_truth
import numpy as np
import polars as pl
from dump_found import FOUND, found
from dump_ours import answers
from measure import TABLES, write
from scipy.stats import beta

LABELS: Final = Path(__file__).parent / "labels" / "dump_pairs.csv"
EDGES: Final = (0.0, 1e-3, 1e-2, 0.1, 0.5)
A_STRATUM: Final = 70
SAME: Final = {"recording": ("recording",), "work": ("recording", "work")}


def pair_of(row: dict[str, str]) -> str:
    """Hash what is written in both rows."""
    text = "\x1f".join(row[name] or "" for name in ("title", "artist", "their_title", "their_artist"))
    return hashlib.blake2b(text.encode(), digest_size=8).hexdigest()


def claims(name: str, data: Path, folder: Path) -> tuple[pl.DataFrame, dict[str, float], int] | None:
    """Match a list; what is claimed of its rows, the counts, and how many rows ours that no claim names."""
    both = found(name, data, folder)
    if both is None:
        return None
    ours, theirs = both
    told, counts = answers(ours, theirs)
    names = pl.DataFrame(pl.from_arrow(ours)).select("recording", "title", "artist")
    listed = pl.DataFrame(pl.from_arrow(theirs)).select("row", their_title="title", their_artist="artist")
    claimed = (
        told.join(names, on="recording", maintain_order="left")
        .join(listed, on="row", maintain_order="left")
        .filter(pl.col("level").is_in(list(SAME)))
    )
    claimed = claimed.with_columns(
        stratum=pl.Series(np.searchsorted(EDGES[1:-1], claimed["error"].to_numpy(), "right"))
    )
    counts["rows_listed"] = theirs.num_rows
    return claimed, counts, _missed(names, listed, set(claimed["row"].to_list()))


def _missed(ours: pl.DataFrame, theirs: pl.DataFrame, claimed: set[int]) -> int:
    held = {key for title, artist in ours.select("title", "artist").iter_rows() for key in _keys(title, artist)}
    return sum(
        1
        for row, title, artist in theirs.select("row", "their_title", "their_artist").iter_rows()
        if row not in claimed and not held.isdisjoint(_keys(title, artist))
    )


def _keys(title: str, artist: str) -> list[tuple[str, str, str]]:
    core, version = dump_truth.core_and_version(title)
    return [(core, version, one) for one in dump_truth.artists_of(artist)]


def labels() -> dict[str, str]:
    """Read what was judged."""
    return {row["pair"]: row["same"] for row in csv.DictReader(LABELS.open())} if LABELS.exists() else {}


def judged(row: dict[str, str], read: dict[str, str]) -> str | None:
    """Say what a pair has in common: ``recording``, ``work``, ``none``; None where nobody has read it."""
    if pair_of(row) in read:
        return read[pair_of(row)]
    is_title = dump_truth.letters(row["title"]) == dump_truth.letters(row["their_title"])
    artists, others = (set(dump_truth.artists_of(row[name])) for name in ("artist", "their_artist"))
    return "recording" if is_title and (artists <= others or others <= artists) else None


def drawn(claimed: pl.DataFrame, a_stratum: int) -> Iterator[tuple[str, int, int, list[dict[str, str]]]]:
    """Draw pairs of every stratum; the same ones whenever the same pairs are in it."""
    keyed = claimed.with_columns(
        pair=pl.Series([pair_of(row) for row in claimed.iter_rows(named=True)], dtype=pl.String)
    ).sort("pair")
    for (level, stratum), rows in keyed.group_by(["level", "stratum"], maintain_order=True):
        yield str(level), int(str(stratum)), len(rows), rows.head(a_stratum).to_dicts()


def table(
    data: Path, folder: Path, a_stratum: int, unread: list[dict[str, str]], totals: list[dict[str, object]]
) -> Iterator[dict[str, object]]:
    """Judge list after list; what nobody has read goes to ``unread``, counts to ``totals``."""
    read = labels()
    for name in FOUND:
        claimed = claims(name, data, folder)
        if claimed is None:
            print(f"{name} is not in {folder}")
            continue
        strata = sorted(drawn(claimed[0], a_stratum), key=lambda one: one[:2])
        right_in_all = 0.0
        rows = []
        for level, stratum, size, pairs in strata:
            said = [judged(pair, read) for pair in pairs]
            unread += [pair | {"dump": name} for pair, same in zip(pairs, said, strict=True) if same is None]
            known = [(pair, same) for pair, same in zip(pairs, said, strict=True) if same is not None]
            if not known:
                continue
            wrong = sum(same not in SAME[level] for _, same in known)
            right_in_all += size * sum(same == "recording" for _, same in known) / len(known)
            stated = float(np.mean([float(pair["error"]) for pair, _ in known]))
            rows.append(_row((level, stratum), size, len(known), stated, wrong))
        totals.append(_total(name, claimed[1], right_in_all + claimed[2]))
        yield from ({"dump": name, **row} for row in rows)


def _total(name: str, counts: dict[str, float], judged_ours: float) -> dict[str, object]:
    stated = counts["rows_estimate"]
    return {
        "dump": name,
        "rows": f"{counts['rows_listed']:.0f}",
        "rows_ours": f"{stated:.0f}",
        "rows_low": f"{counts['rows_low']:.0f}",
        "rows_high": f"{counts['rows_high']:.0f}",
        "rows_judged": f"{judged_ours:.0f}",
        "off": f"{stated / judged_ours - 1:+.1%}",
    }


def _row(which: tuple[str, int], size: int, known: int, stated: float, wrong: int) -> dict[str, object]:
    level, stratum = which
    low = float(beta.ppf(0.025, wrong, known - wrong + 1)) if wrong else 0.0
    high = float(beta.ppf(0.975, wrong + 1, known - wrong)) if wrong < known else 1.0
    return {
        "level": level,
        "stated_from": f"{EDGES[stratum]:g}",
        "stated_to": f"{EDGES[stratum + 1]:g}",
        "pairs": size,
        "judged": known,
        "stated": f"{stated:.2g}",
        "real": f"{wrong / known:.2g}",
        "low": f"{low:.2g}",
        "high": f"{high:.2g}",
        "times": f"{wrong / known / stated:.2f}",
    }


def main() -> None:
    """Measure, and write the table and what nobody has read."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--found", type=Path, required=True)
    parser.add_argument("--a-stratum", type=int, default=A_STRATUM)
    parser.add_argument("--unread", type=Path, default=None, help="where to write pairs that nobody has read")
    parser.add_argument("--out", type=Path, default=TABLES / "dump_honesty.csv")
    given = parser.parse_args()
    unread: list[dict[str, str]] = []
    totals: list[dict[str, object]] = []
    write(table(given.data, given.found, given.a_stratum, unread, totals), given.out, "")
    write(totals, given.out.with_name(f"{given.out.stem}_counts.csv"), "")
    print(f"{len(unread)} pairs that nobody has read")
    if given.unread and unread:
        columns = ("dump", "pair", "level", "title", "artist", "their_title", "their_artist")
        pl.DataFrame([{name: row[name] for name in columns} for row in unread]).write_csv(given.unread)


if __name__ == "__main__":
    main()
