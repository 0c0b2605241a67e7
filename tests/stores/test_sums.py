"""What was altered on the disk is found out before any of it counts, wherever the altered bytes are."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from numpy.typing import NDArray

from riparian.errors import CustodyError
from riparian.stores import staged
from riparian.stores.arrange import arranged
from riparian.stores.drawers import read_arrays, read_table, table_names, write_drawer
from riparian.stores.staged import read_whole, write_staged

ARRAYS: dict[str, NDArray[Any]] = {
    "n": np.arange(40),
    "wide": np.ones((3, 5), np.float32),
    "none": np.zeros(0, np.uint64),
}
TABLE = pa.table({"account": pa.array([3, 1, 2], pa.uint64()), "why": ["many", None, "more"]})


def drawer(path: Path) -> Path:
    write_drawer(path, ARRAYS, {"evidence": TABLE, "empty": TABLE.slice(0, 0)})
    return path


def told(path: Path) -> tuple[Any, ...]:
    arrays = {name: (a.dtype.str, a.shape, a.tobytes()) for name, a in read_arrays(path).items()}
    return arrays, read_table(path, "evidence"), read_table(path, "empty"), table_names(path)


def altered(path: Path, at: int) -> Path:
    octets = bytearray(path.read_bytes())
    octets[at] ^= 0x10
    other = path.with_name("altered")
    other.write_bytes(octets)
    return other


def test_a_drawer_with_any_byte_altered_says_so_or_reads_as_it_was(tmp_path: Path) -> None:
    path = drawer(tmp_path / "drawer")
    whole, found = told(path), 0
    for at in range(path.stat().st_size):
        try:
            is_same = told(altered(path, at)) == whole
        except CustodyError:
            found += 1
        else:
            assert is_same, at
    assert found > 0.7 * path.stat().st_size


def test_a_drawer_from_before_there_were_sums_is_read(tmp_path: Path) -> None:
    path = drawer(tmp_path / "drawer")
    octets = path.read_bytes()
    length = int.from_bytes(octets[-8:], "big")
    line = json.loads(octets[-8 - length : -8])
    del line["sums"], line["line"]
    older = json.dumps(line).encode()
    (tmp_path / "older").write_bytes(octets[: -8 - length] + older + len(older).to_bytes(8, "big"))
    assert told(tmp_path / "older") == told(path)


@pytest.mark.parametrize("at", [0, 300, -200])
def test_a_staged_chunk_that_somebody_left_and_something_altered_is_not_counted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, at: int
) -> None:
    names = ("at_us", "account", "recording")
    rows = arranged({name: np.arange(1, 50, dtype=np.int64).astype(t) for name, t in zip(names, "qQQ", strict=True)})
    chunk = write_staged(tmp_path / "chunk", rows)
    octets = bytearray(chunk.path.read_bytes())
    octets[at] ^= 0x10
    monkeypatch.setattr(staged, "_sound", {})
    read_whole(chunk)
    monkeypatch.setattr(staged, "_sound", {})
    chunk.path.write_bytes(octets)
    with pytest.raises(CustodyError, match="not what was written"):
        read_whole(chunk)


def test_what_is_known_to_be_sound_does_not_grow_for_ever(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(staged, "_SOUND_MOST", 2)
    rows = arranged(
        {"at_us": np.zeros(1, np.int64), "account": np.ones(1, np.uint64), "recording": np.ones(1, np.uint64)}
    )
    for n in range(5):
        write_staged(tmp_path / str(n), rows)
    assert len(staged._sound) == 2
