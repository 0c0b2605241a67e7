"""Made-up catalogues with words of every rarity, artists of many titles, and siblings of some."""

from functools import cache

import numpy as np
import pyarrow as pa

from riparian.metadata.index import Map, mapped
from riparian.metadata.selfplay import Kind, Plays, play
from riparian.schema import LISTED, RECORDING

_SYLLABLES = (
    "ka",
    "lo",
    "mi",
    "ren",
    "ta",
    "su",
    "vel",
    "dor",
    "ni",
    "ash",
    "bro",
    "cy",
    "el",
    "fa",
    "gri",
    "hu",
    "jo",
)
_COMMON = ("love", "night", "the", "you", "me", "day", "heart", "blue", "fire", "time", "in", "my", "of", "dance")
_SIBLINGS = (" - Live", " (Remix)", " (Acoustic)", " 2", " - Remastered 2011", " - Radio Edit")


@cache
def words() -> tuple[str, ...]:
    """List words, common ones first."""
    rng = np.random.default_rng(5)
    made = ["".join(rng.choice(_SYLLABLES, rng.integers(2, 5))) for _ in range(3_000)]
    return (*_COMMON, *dict.fromkeys(made))


def recordings(n: int, seed: int = 1) -> pa.Table:
    """Make ``n`` rows of RECORDING."""
    rng = np.random.default_rng(seed)
    known = np.array(words(), object)

    def name(least: int, most: int) -> str:
        # A third of the words are common ones; the others may be any.
        n = int(rng.integers(least, most + 1))
        at = np.where(rng.random(n) < 0.3, rng.integers(len(_COMMON), size=n), rng.integers(len(known), size=n))
        return " ".join(known[at]).title()

    artists = [name(2, 3) for _ in range(n // 6)]
    rows: list[dict[str, object]] = []
    while len(rows) < n:
        artist = "; ".join(dict.fromkeys(rng.choice(artists, 1 + (rng.random() < 0.2))))
        title, length = name(1, 4), int(rng.integers(120_000, 320_000))
        for said in ("", rng.choice(_SIBLINGS)) if rng.random() < 0.15 else ("",):
            shift = int(rng.integers(-40_000, 40_000)) if said else 0
            rows.append({"title": title + said, "artist": artist, "duration_ms": length + shift})
    columns = {
        "recording": [f"r{i}" for i in range(n)],
        **{key: [row[key] for row in rows[:n]] for key in ("title", "artist", "duration_ms")},
        "isrc": [f"SEABC24{i:05d}" for i in range(n)],
    }
    return pa.table([pa.array(columns.get(f.name, [None] * n), f.type) for f in RECORDING], schema=RECORDING)


@cache
def everything() -> pa.Table:
    """Make all recordings that there are."""
    return recordings(8_000)


@cache
def ours(n: int = 4_000) -> Map:
    """Map a catalogue."""
    return mapped(everything().slice(0, n))


def listed(rows: list[tuple[str | None, str | None, int | None]]) -> pa.Table:
    """Make LISTED of titles, artists and durations."""
    made = [
        {"row": i, "title": title, "artist": artist, "duration_ms": ms} for i, (title, artist, ms) in enumerate(rows)
    ]
    return pa.Table.from_pylist(made, LISTED)


@cache
def dump(n: int = 4_000, rows: int = 3_000, seed: int = 9) -> tuple[pa.Table, tuple[int, ...]]:
    """Make a list of rows of ours and, a third, of others; which of ours each is, -1 for none."""
    rng = np.random.default_rng([seed, 1])
    known, other = everything().slice(0, n), everything().slice(n)
    number = rng.permutation(n)[: 2 * rows // 3]
    like = listed([("x", "y", 1_234_567)] * 3 + [("x", "y", None)])
    ours_, theirs_ = (
        played(known.take(pa.array(number)), like, rng),
        played(other.slice(0, rows - number.size), like, rng),
    )
    truth = np.concatenate([number, np.full(rows - number.size, -1)])
    order = rng.permutation(rows)
    both = pa.concat_tables([ours_.listed, theirs_.listed]).take(pa.array(order))
    return both.set_column(0, LISTED.field("row"), pa.array(np.arange(rows))), tuple(truth[order].tolist())


def played(of: pa.Table, like: pa.Table, rng: np.random.Generator) -> Plays:
    """Write rows anew, none as a sibling."""
    plays = play(of, like, rng)
    again = play(of, like, rng)
    is_sibling = pa.array(plays.kind == Kind.SIBLING)
    columns = [
        pa.compute.if_else(is_sibling, of[name].cast(field.type), plays.listed[name])
        if name in ("title", "artist")
        else again.listed[name]
        for name, field in zip(LISTED.names, LISTED, strict=True)
    ]
    return Plays(pa.table(columns, schema=LISTED), plays.kind)
