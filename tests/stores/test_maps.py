"""The map on disk is the map in memory; it is made anew for another state, and whole or not at all."""

import json
import threading
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from riparian.errors import CustodyError
from riparian.metadata.index import PARTS, Filed, mapped
from riparian.metadata.normalise import normalise
from riparian.stores import maps
from riparian.stores.maps import open_map

WORDS = [
    "amber",
    "birch",
    "cedar",
    "delta",
    "ember",
    "fjord",
    "grove",
    "harbour",
    "island",
    "juniper",
    "kelp",
    "linden",
]


def recordings(n: int, seed: int = 1) -> pa.Table:
    rng = np.random.default_rng(seed)
    said = [" ".join(WORDS[i] for i in rng.integers(0, len(WORDS), 3)) for _ in range(2 * n)]
    return pa.table(
        {
            "recording": [f"r-{i}" for i in range(n)],
            "title": said[:n],
            "artist": said[n:],
            "duration_ms": pa.array(rng.integers(60_000, 400_000, n), pa.int32()),
            "isrc": [f"GBABC{i:07d}" if i % 2 else None for i in range(n)],
        }
    )


class Source:
    """A catalogue that counts how often it is read."""

    def __init__(self, table: pa.Table, rows: int = 7) -> None:
        self.table, self.rows, self.read = table, rows, 0

    def __call__(self) -> Iterator[pa.RecordBatch]:
        self.read += 1
        yield from self.table.to_batches(max_chunksize=self.rows)


def silent(stage: str, done: int, of: int) -> None:
    del stage, done, of


def same(one: Filed, other: Filed) -> bool:
    return all(np.array_equal(getattr(one, name), getattr(other, name)) for name in Filed.__slots__)


@pytest.mark.parametrize("n", [0, 1, 5, 300])
def test_on_disk_it_is_what_it_is_in_memory(n: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(maps, "_ROWS", 64)
    table = recordings(n)
    kept, made = open_map(tmp_path, "1", Source(table), silent), mapped(table)
    assert same(kept.filed, made.filed)
    assert kept.normal.equals(made.normal)
    asked = normalise(recordings(40, seed=1))
    for name in ("theirs", "ours", "shared"):
        assert np.array_equal(getattr(kept.candidates(asked), name), getattr(made.candidates(asked), name))


def test_it_is_read_once_for_each_state_of_the_catalogue(tmp_path: Path) -> None:
    source = Source(recordings(20))
    for state in ("1", "1", "2"):
        assert open_map(tmp_path, state, source, silent).count == 20
    assert source.read == 2
    assert sorted(path.name for path in tmp_path.iterdir()) == ["map", "map.lock"]


def test_a_map_of_another_version_is_made_anew(tmp_path: Path) -> None:
    source = Source(recordings(20))
    open_map(tmp_path, "1", source, silent)
    head = tmp_path / "map" / "head.json"
    head.write_text(json.dumps({**json.loads(head.read_text()), "version": 0}))
    open_map(tmp_path, "1", source, silent)
    assert source.read == 2


def test_who_is_stopped_while_making_it_leaves_the_old_one(tmp_path: Path) -> None:
    class StoppedError(Exception):
        pass

    def stop(stage: str, done: int, of: int) -> None:
        del done
        if stage == "sorting keys" and of == PARTS:
            raise StoppedError

    open_map(tmp_path, "1", Source(recordings(20)), silent)
    with pytest.raises(StoppedError):
        open_map(tmp_path, "2", Source(recordings(30)), stop)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["map", "map.lock"]
    assert open_map(tmp_path, "1", Source(recordings(99)), silent).count == 20


def test_who_comes_second_waits_for_the_map_that_is_being_made(tmp_path: Path) -> None:
    source, begun, waits = Source(recordings(20)), threading.Event(), threading.Event()

    def slowly() -> Iterator[pa.RecordBatch]:
        begun.set()
        assert waits.wait(60)
        yield from source()

    def told(stage: str, done: int, of: int) -> None:
        del done, of
        if stage == "waiting for another process":
            waits.set()

    counts: list[int] = []
    first = threading.Thread(target=lambda: counts.append(open_map(tmp_path, "1", slowly, silent).count))
    first.start()
    assert begun.wait(60)
    counts.append(open_map(tmp_path, "1", source, told).count)
    first.join()
    assert (counts, source.read) == ([20, 20], 1)


def test_parts_are_gone_as_soon_as_they_are_sorted(tmp_path: Path) -> None:
    left: list[int] = []

    def told(stage: str, done: int, of: int) -> None:
        del done, of
        if stage == "sorting keys":
            left.append(len(list(tmp_path.glob("map.*/parts/*"))))

    open_map(tmp_path, "1", Source(recordings(20)), told)
    assert left == list(range(2 * PARTS - 2, -1, -2))


@pytest.mark.parametrize("name", ["rest.npy", "begin.npy", "normal.arrow"])
def test_a_damaged_map_is_told_with_what_to_do(name: str, tmp_path: Path) -> None:
    open_map(tmp_path, "1", Source(recordings(20)), silent)
    (tmp_path / "map" / name).write_bytes(b"\x93NUMPYnonsense" * 9)
    with pytest.raises(CustodyError, match=r"is damaged .*wanted one that is whole") as raised:
        open_map(tmp_path, "1", Source(recordings(20)), silent)
    assert "made anew" in (raised.value.hint or "")
