"""A small catalogue of made-up recordings, lists that were issued of it, and what leaked of them."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache

import numpy as np
import pyarrow as pa

from riparian.metadata.canaries import rows
from riparian.metadata.canaries.code import CanaryKey
from riparian.metadata.canaries.issue import Plan, Planted, issue, planted

KEY = CanaryKey(bytes(range(32)), 1)
TENANTS = tuple(f"tenant-{i:03d}" for i in range(500))
_FIRST = ("Cold", "Paper", "Silver", "Hollow", "Northern", "Velvet", "Broken", "Summer", "Quiet", "Golden")
_SECOND = ("Harbour", "Lanterns", "Rivers", "Machines", "Letters", "Gardens", "Windows", "Kingdoms", "Mirrors")
_TITLES = (
    "{a} {b}",
    "{a} of the {b}",
    "Don't Leave the {a} {b}",
    "{a} {b} - Live",
    "{a} {b} (Remix)",
    "{a} & {b}",
    "{a} {b} (feat. Mia Holm)",
)


def table(n: int = 3_000, seed: int = 1) -> pa.Table:
    """Make recordings of two labels."""
    rng = np.random.default_rng(seed)

    def text(template: str) -> str:
        return template.format(a=rng.choice(_FIRST), b=rng.choice(_SECOND))

    titles = [text(_TITLES[i % len(_TITLES)]) for i in range(n)]
    people = [[f"{rng.choice(_FIRST)} {rng.choice(_SECOND)}" for _ in range(1 + i % 5)] for i in range(n)]
    return pa.table(
        {
            "recording": [f"rec-{i:06d}" for i in range(n)],
            "title": titles,
            "artist": ["; ".join(dict.fromkeys(names)) for names in people],
            "album": [titles[i] if i % 2 else text("The {a} {b}") + f" {i}" for i in range(n)],
            "duration_ms": pa.array(rng.integers(90_000, 400_000, n), pa.int32()),
            "isrc": [f"SEABC24{i:05d}" for i in range(n)],
            "owner": ["North" if i % 3 else "South" for i in range(n)],
        }
    )


@cache
def of(nothing: int = 200) -> Planted:
    """Plant it."""
    ours = table()
    return planted(ours, Plan(), rows.made(KEY, ours, nothing, "QZ9ZZ", 2026))


@cache
def issued(tenant: int) -> pa.Table:
    """Issue it."""
    return issue(KEY, of(), TENANTS[tenant])


@dataclass(frozen=True)
class Leak:
    """What leaked: so many rows from lists of these, mixed row by row."""

    who: tuple[int, ...] = (17,)
    n: int = 600
    seconds: str = "rounded"
    texts: str = "kept"
    wrong: float = 0.01

    def found(self, seed: int = 0) -> pa.Table:
        """Give its rows, matched."""
        rng = np.random.default_rng(seed)
        owner = rng.integers(len(self.who), size=self.n)
        parts = []
        for k, who in enumerate(self.who):
            mine = issued(who)
            parts.append(mine.take(pa.array(rng.choice(mine.num_rows, int((owner == k).sum()), replace=False))))
        leaked = pa.concat_tables(parts)
        return self._cleaned(_mistaken(leaked, self.wrong, rng))

    def _cleaned(self, leaked: pa.Table) -> pa.Table:
        ms = leaked["duration_ms"].to_numpy().astype(np.int64)
        if self.seconds == "recomputed":
            ours = dict(zip(of().recordings, of().ms.tolist(), strict=True))
            ms = np.array([ours[name] for name in leaked["recording"].to_pylist()])
        added = {"cut": 0, "raised": 999}.get(self.seconds, 500)
        whole = ms if self.seconds == "full" else (ms + added) // 1000 * 1000
        leaked = leaked.set_column(4, "duration_ms", pa.array(whole))
        if self.seconds == "none":
            leaked = leaked.drop_columns(["duration_ms"])
        if self.texts == "none":
            leaked = leaked.drop_columns(["title", "artist", "album"])
        if self.texts == "in lower case":
            for i, name in ((1, "title"), (2, "artist"), (3, "album")):
                lower: Sequence[str] = [text.lower() for text in leaked[name].to_pylist()]
                leaked = leaked.set_column(i, name, pa.array(lower))
        return leaked.drop_columns(["isrc", "owner"])


def _mistaken(leaked: pa.Table, share: float, rng: np.random.Generator) -> pa.Table:
    names = np.array(leaked["recording"].to_pylist(), dtype=object)
    is_wrong = rng.random(names.size) < share
    names[is_wrong] = rng.choice(np.array(of().recordings, dtype=object), int(is_wrong.sum()))
    return leaked.set_column(0, "recording", pa.array(names.tolist(), pa.string()))
