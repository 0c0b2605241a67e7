"""A log that is being written counts every line once, across rotation and across restarts."""

from collections.abc import Callable
from pathlib import Path

import pytest

from riparian.errors import InputError
from riparian.feeds.access_log import Chunk, ReadOptions
from riparian.feeds.follow import follow
from tests.feeds.renderings import KEY, accesses, chunks, coded, combined, csv_epoch, truth

FACTS = truth(60)
LINES = combined(FACTS).splitlines(keepends=True)


def watched(
    path: Path, steps: list[Callable[[], object]], *, known: frozenset[bytes] = frozenset(), seconds: float = 2.0
) -> list[Chunk]:
    """Follow; each second one step happens, then it ends."""
    now = 0.0
    left = list(steps)

    def sleep_s(for_s: float) -> None:
        nonlocal now
        now += for_s
        if left:
            left.pop(0)()

    found: list[Chunk] = []
    counted = set(known)
    options = ReadOptions(chunk_bytes=1 << 13)
    for chunk in follow(
        str(path),
        options=options,
        key=KEY,
        known=lambda digest: digest in counted,
        clock_s=lambda: now,
        sleep_s=sleep_s,
        seconds=seconds,
        until=lambda: not left,
    ):
        counted.add(chunk.digest)
        found.append(chunk)
    return found


def append(path: Path, data: bytes) -> Callable[[], object]:
    def step() -> None:
        with path.open("ab") as file:
            file.write(data)

    return step


def test_lines_come_as_they_are_written(tmp_path: Path) -> None:
    path = tmp_path / "access.log"
    steps = [append(path, line) for line in LINES]
    assert accesses(watched(path, steps)) == coded(FACTS)


def test_half_a_line_waits_for_its_other_half(tmp_path: Path) -> None:
    path = tmp_path / "access.log"
    whole = b"".join(LINES)
    steps = [append(path, whole[i : i + 500]) for i in range(0, len(whole), 500)]
    found = watched(path, steps, seconds=0.0)
    assert accesses(found) == coded(FACTS)
    assert not [reject for chunk in found for reject in chunk.rejects]


def test_rotation_loses_nothing(tmp_path: Path) -> None:
    path = tmp_path / "access.log"
    steps = [
        append(path, b"".join(LINES[:20])),
        lambda: path.rename(tmp_path / "access.log.1"),
        append(tmp_path / "access.log.1", b"".join(LINES[20:25])),
        append(path, b"".join(LINES[25:40])),
        append(path, b"".join(LINES[40:])),
        lambda: None,
    ]
    assert accesses(watched(path, steps)) == coded(FACTS)


def test_a_log_that_is_copied_and_emptied_loses_nothing(tmp_path: Path) -> None:
    path = tmp_path / "access.log"
    steps = [
        append(path, b"".join(LINES[:40])),
        lambda: None,
        lambda: path.write_bytes(b""),
        append(path, b"".join(LINES[40:])),
        lambda: None,
    ]
    assert accesses(watched(path, steps)) == coded(FACTS)


def test_following_again_and_scanning_afterwards_count_nothing_twice(tmp_path: Path) -> None:
    path = tmp_path / "access.log"
    first = watched(path, [append(path, line) for line in LINES[:30]])
    counted = frozenset(chunk.digest for chunk in first)
    second = watched(path, [append(path, line) for line in LINES[30:]], known=counted)
    assert accesses([*first, *second]) == coded(FACTS)
    counted |= {chunk.digest for chunk in second}
    assert accesses(chunks(path, known=counted)) == []


def test_a_header_is_remembered(tmp_path: Path) -> None:
    path = tmp_path / "access.csv"
    steps = [append(path, line) for line in csv_epoch(FACTS).splitlines(keepends=True)]
    assert accesses(watched(path, steps)) == coded(FACTS)


def test_a_compressed_log_cannot_be_followed(tmp_path: Path) -> None:
    path = tmp_path / "access.log"
    path.write_bytes(b"\x1f\x8b\x08\0\0\0\0\0\0\0")
    with pytest.raises(InputError, match="wanted a log that is being written"):
        watched(path, [lambda: None])
