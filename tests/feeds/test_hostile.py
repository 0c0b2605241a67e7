"""Hostile logs: bounded memory, one clear message, nothing lost, never a crash."""

import gzip
import os
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import zstandard

from riparian.errors import InputError
from riparian.feeds.chunks import FORMATS, LINE_BYTES_MAX
from tests.feeds.renderings import accesses, chunks, coded, combined, csv_quoted, ndjson, truth

FACTS = truth(40)
GOOD = ndjson(FACTS).splitlines(keepends=True)
HALF = len(GOOD) // 2


def _with(bad: bytes) -> bytes:
    return b"".join(GOOD[:HALF]) + bad + b"\n" + b"".join(GOOD[HALF:])


# A bad line between good ones: how its reason begins.
BAD_LINES = {
    "not JSON": (b"what is this", "not JSON"),
    "half a line": (GOOD[0][:40], "not JSON"),
    "a line torn into another": (GOOD[0][:-1] + GOOD[1][:-1], "not JSON"),
    "an array": (b"[1, 2, 3]", "JSON of type list"),
    "a number": (b"417", "JSON of type str"),
    "a deep nest": (b'{"a":' * 5_000 + b"1" + b"}" * 5_000, ""),
    "a bare control character": (b'{"at": "2025-10-10T13:00:00Z", "account": "a\x01b", "recording": "r"}', "not JSON"),
    "no time": (b'{"account": "a", "recording": "r"}', "`at` is missing"),
    "a day that never was": (b'{"at": "2025-02-30T00:00:00Z", "account": "a", "recording": "r"}', "`at` is `2025"),
    "an object for a time": (b'{"at": {"x": 1}, "account": "a", "recording": "r"}', "`at` is missing"),
    "the year 99999": (b'{"at": "99999-01-01T00:00:00Z", "account": "a", "recording": "r"}', "`at` is `99999"),
    "a line of 2 MiB": (b"x" * (2 * LINE_BYTES_MAX), "longer than 1 MiB"),
    "a sound line of 2 MiB": (b'{"at": "2025-10-10T13:00:00Z", "x": "' + b"x" * (2 << 20) + b'"}', "longer than 1 MiB"),
}  # fmt: skip


@pytest.mark.parametrize("name", BAD_LINES)
def test_a_bad_line_is_rejected_with_its_number_and_its_neighbours_stay(name: str, tmp_path: Path) -> None:
    bad, reason = BAD_LINES[name]
    path = tmp_path / "log"
    path.write_bytes(_with(bad))
    found = chunks(path)
    assert accesses(found) == coded(FACTS)
    rejects = [reject for chunk in found for reject in chunk.rejects]
    assert [reject.line for reject in rejects] == [HALF + 1]
    assert rejects[0].reason.startswith(reason)
    assert len(rejects[0].text) <= 200
    assert sum(chunk.n_rejected for chunk in found) == 1


# A sound line in an odd dress between good ones: nothing is rejected.
ODD_LINES = {
    "blank": b"",
    "spaces": b"   ",
    "carriage return": b"\r",
    "nothing known of it": b'{"at": "2025-10-10T13:00:00Z"}',
    "nobody": b'{"at": "2025-10-10T13:00:00Z", "account": "-", "recording": "r"}',
    "null": b'{"at": "2025-10-10T13:00:00Z", "account": null, "recording": "r"}',
}


@pytest.mark.parametrize("name", ODD_LINES)
def test_an_odd_line_is_no_error(name: str, tmp_path: Path) -> None:
    path = tmp_path / "log"
    path.write_bytes(_with(ODD_LINES[name]))
    found = chunks(path)
    assert accesses(found) == coded(FACTS)
    assert not [reject for chunk in found for reject in chunk.rejects]


def test_bytes_that_are_no_text_spoil_one_value_at_most(tmp_path: Path) -> None:
    path = tmp_path / "log"
    path.write_bytes(_with(b'{"at": "2025-10-10T13:00:00Z", "account": "Ren\xe9", "recording": "r", "x": "\xff\xfe"}'))
    found = chunks(path)
    assert len(accesses(found)) == len(FACTS) + 1
    assert "Ren\ufffd" in [name for chunk in found for name in chunk.ids[1]]


def test_a_log_in_two_encodings_is_read(tmp_path: Path) -> None:
    rows = [f'{{"at": "2025-10-10T13:00:{i:02d}Z", "account": "Renée", "recording": "ä{i}"}}\n' for i in range(40)]
    path = tmp_path / "log"
    path.write_bytes("".join(rows[:20]).encode("utf-8") + "".join(rows[20:]).encode("latin-1"))
    found = chunks(path)
    assert len(accesses(found)) == 40
    assert {name for chunk in found for name in chunk.ids[1]} == {"Renée", "Ren\ufffde"}


def test_a_clock_that_goes_back_and_shuffled_and_repeated_lines_are_rows_like_others(tmp_path: Path) -> None:
    path = tmp_path / "log"
    path.write_bytes(b"".join([*GOOD[::-1], *GOOD[::2]]))
    assert accesses(chunks(path)) == coded([*FACTS, *FACTS[::2]])


@pytest.mark.parametrize("pack", [gzip.compress, zstandard.compress], ids=["gzip", "zstd"])
def test_a_torn_file_gives_what_came_before_the_tear(pack: Callable[[bytes], bytes], tmp_path: Path) -> None:
    facts = truth(5_000)
    path = tmp_path / "log"
    packed = pack(ndjson(facts[:2_500])) + pack(ndjson(facts[2_500:]))
    path.write_bytes(packed[: len(packed) * 9 // 10])
    found = chunks(path)
    rows = accesses(found)
    assert rows == coded(facts)[: len(rows)]
    assert len(rows) >= 2_500
    (reject,) = [reject for chunk in found for reject in chunk.rejects]
    assert "breaks off" in reject.reason
    assert reject.line == len(rows) + 1


def test_a_damaged_gzip_is_told(tmp_path: Path) -> None:
    packed = bytearray(gzip.compress(ndjson(truth(5_000)), mtime=0))
    packed[len(packed) // 2 : len(packed) // 2 + 50] = b"\xff" * 50
    path = tmp_path / "log"
    path.write_bytes(bytes(packed))
    assert "damaged" in str([reject.reason for chunk in chunks(path) for reject in chunk.rejects])


# Nothing in it can be used: one message, which begins so after the name of the file.
UNUSABLE: dict[str, tuple[bytes, str]] = {
    "nothing": (b"", "no access found in 0 lines (the logs are empty)"),
    "blank lines": (b"\n\n\n", "no access found"),
    "a header only": (b"at,account,recording\n", "no access found"),
    "random bytes": (bytes(range(256)) * 64, "is binary"),
    "zeros": (b"\0" * 100_000, "is binary"),
    "an executable": (b"\x7fELF\x02\x01\x01" + b"\0" * 900 + b"\n", "is binary"),
    "a picture": (b"\x89PNG\r\n\x1a\n" + b"\0\0\0\rIHDR" * 30, "is binary"),
    "prose": (b"Call me Ishmael.\nSome years ago\nnever mind how long precisely\n" * 9, "is not recognised"),
    "a JSON array": (b'[\n{"a": 1},\n{"a": 2}\n]\n', "is a JSON array"),
    "half a Parquet file": (b"PAR1" + b"x" * 50, "is a damaged Parquet or Arrow file"),
    "half an Arrow file": (b"ARROW1" + b"x" * 50, "is a damaged Parquet or Arrow file"),
    "no account": (b'{"at": "2025-10-10T13:00:00Z", "x": "y"}\n' * 9, "no `account` found"),
    "no time": (b'{"account": "u1", "recording": "r1"}\n' * 9, "no `at` found"),
    "only refused": (
        b'{"at":"2025-10-10T13:00:00Z","account":"u","recording":"r","status":403}\n' * 9,
        "no access found in 9 lines (9: refused)",
    ),
    "one endless line": (b"x" * (3 << 20), "has no line shorter than 1 MiB"),
    "a gzip of nothing": (gzip.compress(b""), "no access found"),
    "the head of a gzip": (b"\x1f\x8b\x08", "is a gzip stream that breaks off"),
    "the head of a zstd": (b"\x28\xb5\x2f\xfd", "is a zstd stream that breaks off"),
}


@pytest.mark.parametrize("name", UNUSABLE)
def test_what_cannot_be_used_is_one_clear_message(name: str, tmp_path: Path) -> None:
    data, message = UNUSABLE[name]
    path = tmp_path / "log"
    path.write_bytes(data)
    with pytest.raises(InputError) as caught:
        chunks(path)
    assert caught.value.message.removeprefix(f"`{path}` ").startswith(message)
    assert "\n" not in caught.value.message
    assert len(caught.value.message) < 600


def test_an_unusable_file_among_good_ones_is_one_reject(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(bytes(range(256)) * 64)
    (tmp_path / "b").write_bytes(b"".join(GOOD))
    found = chunks(tmp_path)
    assert accesses(found) == coded(FACTS)
    (reject,) = [reject for chunk in found for reject in chunk.rejects]
    assert reject.line == 0
    assert "is binary" in reject.reason


def test_rejects_are_counted_without_end_and_described_up_to_a_limit(tmp_path: Path) -> None:
    path = tmp_path / "log"
    path.write_bytes(b"".join(GOOD) + b"?\n" * 30_000)
    found = chunks(path, chunk_bytes=1 << 20)
    assert accesses(found) == coded(FACTS)
    assert sum(chunk.n_rejected for chunk in found) == 30_000
    assert max(len(chunk.rejects) for chunk in found) <= 10_000


def test_a_header_that_is_repeated_is_no_line(tmp_path: Path) -> None:
    path = tmp_path / "log"
    path.write_bytes(csv_quoted(FACTS[:20]) + csv_quoted(FACTS[20:]).removeprefix(b"\xef\xbb\xbf"))
    found = chunks(path)
    assert accesses(found) == coded(FACTS)
    assert not [reject for chunk in found for reject in chunk.rejects]


def test_cells_out_of_place_are_rejected(tmp_path: Path) -> None:
    path = tmp_path / "log"
    rows = csv_quoted(FACTS).splitlines(keepends=True)
    rows[5:5] = [b'"unclosed, a, b, c\r\n', b"one,two\r\n", b"a,b,c,d,e\r\n"]
    path.write_bytes(b"".join(rows))
    found = chunks(path)
    assert accesses(found) == coded(FACTS)
    assert [reject.line for chunk in found for reject in chunk.rejects] == [6, 7, 8]


@pytest.mark.slow
def test_combined_lines_that_are_cut_short_are_rejected(tmp_path: Path) -> None:
    path = tmp_path / "log"
    rows = combined(FACTS).splitlines(keepends=True)
    rows[5:5] = [b"203.0.113.1 - -\n", b'203.0.113.1 - a [10/Oct/2025:13:55:36 +0000] "GET /x\n', b"\x16\x03\x01\x02\n"]
    path.write_bytes(b"".join(rows))
    found = chunks(path)
    assert accesses(found) == coded(FACTS)
    assert [reject.line for chunk in found for reject in chunk.rejects] == [6, 7, 8]


def test_a_million_accounts_with_one_access_each_are_all_named(tmp_path: Path) -> None:
    n = 100_000
    path = tmp_path / "log"
    path.write_text("at,account,recording\n" + "".join(f"2025-10-10T13:00:00Z,u{i},r{i % 7}\n" for i in range(n)))
    found = chunks(path, chunk_bytes=1 << 20)
    assert sum(len(chunk.ids[1]) for chunk in found) == n
    assert len({name for chunk in found for name in chunk.ids[1]}) == n


_PEAK = """
import resource, sys
from riparian.errors import InputError
from riparian.feeds.access_log import ReadOptions, read
def once(path):
    rows = rejects = 0
    try:
        for chunk in read([path], options=ReadOptions(), key=bytes(16), known=lambda digest: False):
            rows += chunk.accesses.num_rows
            rejects += chunk.n_rejected
    except InputError as error:
        return rows, rejects, error.message
    return rows, rejects, ""
once(sys.argv[1])
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
print(*once(sys.argv[2]), (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) // 1024, sep="|")
"""


def peak(warm: Path, path: Path) -> tuple[int, int, str, int]:
    """Read a log in a process of its own; rows, rejects, message, MiB of memory beyond a small log's."""
    out = subprocess.run(
        [sys.executable, "-c", _PEAK, str(warm), str(path)], check=True, capture_output=True, text=True, timeout=300
    ).stdout
    rows, rejects, message, mib = out.strip().rsplit("|", 3) if out.count("|") > 3 else out.strip().split("|")
    return int(rows), int(rejects), message, int(mib)


def _zeros(n_bytes: int) -> Iterator[bytes]:
    block = b"\0" * (1 << 20)
    for _ in range(n_bytes >> 20):
        yield block


@pytest.fixture
def warm(tmp_path: Path) -> Path:
    path = tmp_path / "warm"
    path.write_bytes(b"".join(GOOD))
    return path


@pytest.mark.slow
def test_a_line_of_a_gigabyte_is_passed_over_in_bounded_memory(warm: Path, tmp_path: Path) -> None:
    path = tmp_path / "fifo"
    os.mkfifo(path)

    def write() -> None:
        with path.open("wb") as out:
            out.write(b"".join(GOOD[:HALF]))
            for block in _zeros(1 << 30):
                out.write(block)
            out.write(b"\n" + b"".join(GOOD[HALF:]))

    writer = threading.Thread(target=write)
    writer.start()
    rows, rejects, message, mib = peak(warm, path)
    writer.join()
    assert (rows, rejects, message) == (len(FACTS), 1, "")
    assert mib < 100


@pytest.mark.slow
@pytest.mark.parametrize("pack", ["gzip", "zstd"])
def test_a_bomb_costs_no_memory(pack: str, warm: Path, tmp_path: Path) -> None:
    path = tmp_path / "bomb"
    filler = b" " * (1 << 19)
    with gzip.open(path, "wb", 1) if pack == "gzip" else zstandard.open(path, "wb") as out:
        for i in range(600):
            out.write(b'{"at": "2025-10-10T13:00:00Z", "account": "a%d", "recording": "r"%s}\n' % (i, filler))
    assert path.stat().st_size < (600 << 19) // 100
    rows, rejects, message, mib = peak(warm, path)
    assert (rows, rejects, message) == (600, 0, "")
    assert mib < 250


@pytest.mark.slow
def test_a_bomb_of_zeros_is_one_message(warm: Path, tmp_path: Path) -> None:
    path = tmp_path / "bomb"
    with zstandard.open(path, "wb") as out:
        for block in _zeros(1 << 30):
            out.write(block)
    rows, _, message, mib = peak(warm, path)
    assert rows == 0
    assert "has no line shorter than 1 MiB" in message
    assert mib < 100


@pytest.mark.slow
def test_a_file_of_short_bad_lines_is_read_in_bounded_memory(warm: Path, tmp_path: Path) -> None:
    path = tmp_path / "junk"
    path.write_bytes(b"".join(GOOD) + b"?\n" * 1_000_000)
    rows, rejects, _, mib = peak(warm, path)
    assert (rows, rejects) == (len(FACTS), 1_000_000)
    assert mib < 300


@pytest.mark.parametrize("form", FORMATS)
@pytest.mark.parametrize("data", [b"", b"\xa6", b"{}\n", b"\n", b"\0", b"#", b"[", b"a,b\n1\n", b'{"at":1}', b"-"])
def test_a_few_bytes_in_any_format_are_refused(form: str, data: bytes, tmp_path: Path) -> None:
    path = tmp_path / "log"
    path.write_bytes(data)
    with pytest.raises(InputError):
        chunks(path, format=form)
