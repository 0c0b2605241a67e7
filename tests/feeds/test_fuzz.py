"""Damaged files are read or refused, never a crash; and both ways of reading a line agree."""

import contextlib
import random
from pathlib import Path

import numpy as np
import pytest

from riparian.errors import RiparianError
from riparian.feeds.accounts_table import read_accounts
from riparian.feeds.catalogue_table import read_catalogue
from riparian.feeds.layouts import Layout
from riparian.feeds.scanners import READ, Spans, scan_objects
from tests.feeds.mutate import mutate
from tests.feeds.renderings import RENDERINGS, chunks, ndjson, truth

pytestmark = pytest.mark.slow

FACTS = truth(30)
SEEDS = range(12)
COLUMNS = ["at", "account", "recording", "x.y"]


@pytest.mark.parametrize("rendering", RENDERINGS)
def test_a_damaged_log_is_read_or_refused(rendering: str, tmp_path: Path) -> None:
    sound = RENDERINGS[rendering](FACTS)
    path = tmp_path / "log"
    for seed in SEEDS:
        path.write_bytes(mutate(sound, seed))
        try:
            found = chunks(path)
        except RiparianError:
            continue
        rows = sum(chunk.accesses.num_rows for chunk in found)
        rejected = sum(chunk.n_rejected for chunk in found)
        dropped = sum(sum(chunk.dropped.values()) for chunk in found)
        assert rows + rejected + dropped > 0


@pytest.mark.parametrize("seed", SEEDS)
def test_a_damaged_table_is_read_or_refused(seed: int, tmp_path: Path) -> None:
    path = tmp_path / "table"
    for name in ("CSV, epoch seconds", "NDJSON", "Parquet", "Arrow", "CSV, quoted, with a byte order mark"):
        path.write_bytes(mutate(RENDERINGS[name](FACTS), seed))
        for reader in (read_accounts, read_catalogue):
            with contextlib.suppress(RiparianError):
                reader(str(path))


def _values(data: bytes, spans: Spans, line: int) -> list[str | None]:
    return [
        None
        if spans.starts[column, line] < 0
        else data[spans.starts[column, line] : spans.ends[column, line]].decode("utf-8", "replace")
        for column in range(len(COLUMNS))
    ]


@pytest.mark.parametrize("seed", range(100))
def test_the_fast_way_and_the_slow_way_agree(seed: int) -> None:
    # Without an array: what stands in one is passed over unread by the fast way.
    lines = [
        *ndjson(FACTS).splitlines(),
        b'{"x": {"y": 5, "z": {"at": "no"}}, "x.y": null, "at": 1.5e9, "account": true}',
    ]
    rng = random.Random(seed)  # noqa: S311 -- a simulation
    sound = rng.choice(lines)
    line = mutate(sound, seed).replace(b"\n", b" ").replace(b"[", b" ")
    text = line.decode("utf-8", "replace").encode()
    # Behind a sound line of the same keys, and behind one of other keys.
    for before in (sound, lines[-1]):
        data = before + b"\n" + text + b"\n" + bytes(16)
        spans = scan_objects(data, np.array([len(before), len(before) + 1 + len(text)]), COLUMNS)
        if spans.state[1] == READ:
            slow = Layout("objects", tuple(COLUMNS)).values(text.decode(), COLUMNS)
            assert _values(data, spans, 1) == slow
