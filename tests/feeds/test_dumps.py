import tracemalloc
import zipfile
import zlib
from pathlib import Path

import fsspec
import polars as pl
import pytest

from riparian.errors import InputError
from riparian.feeds.dumps import delimited, listings, members, streams
from riparian.feeds.dumps.read import Part, read_dump, state_of
from riparian.feeds.dumps.vocabulary import Vocabulary, vocabulary_of
from riparian.schema import LISTED
from tests.feeds.dumps_drawn import FACTS, FRAME, LINES, WRITTEN, bencoded, database, table, tarred, written_to, zipped
from tests.feeds.mutate import mutate

OURS = vocabulary_of([{kind: FRAME[kind] for kind in ("title", "artist", "album")}])


def read(path: object, vocabulary: Vocabulary = OURS, **said: str) -> tuple[list[dict[str, object]], list[Part]]:
    parts = list(read_dump([str(path)], vocabulary, said))
    for part in parts:
        assert part.rows.schema == LISTED
    return [row for part in parts for row in part.rows.to_pylist()], parts


def reasons(parts: list[Part]) -> str:
    return " | ".join(reject.reason for part in parts for reject in part.rejects)


@pytest.mark.parametrize("written", WRITTEN)
def test_whatever_a_list_is_written_as_its_rows_are_read(written: str, tmp_path: Path) -> None:
    rows, parts = read(written_to(tmp_path, written))
    assert [(row["title"], row["artist"]) for row in rows] == [(one["title"], one["artist"]) for one in FACTS]
    assert [row["row"] for row in rows] == list(range(len(FACTS)))
    lasts = [row["duration_ms"] for row in rows]
    if any(lasts):
        assert lasts == [one["seconds"] * 1000 for one in FACTS]
    assert sum(part.n_rejected for part in parts) == (1 if "database" in written or written == "SQLite" else 0)


@pytest.mark.parametrize("written", ["CSV", "JSON lines", "Parquet", "lines", "find", "M3U", "SQLite"])
def test_a_list_of_which_nothing_is_ours_is_read_by_its_names_and_forms(written: str, tmp_path: Path) -> None:
    rows, _ = read(written_to(tmp_path, written), Vocabulary({}, {}))
    assert [(row["title"], row["artist"]) for row in rows] == [(one["title"], one["artist"]) for one in FACTS]


def test_days_and_identifiers_are_what_they_are(tmp_path: Path) -> None:
    rows, _ = read(written_to(tmp_path, "TSV with other names"))
    assert rows[0]["platform_id"] == FACTS[0]["id"]
    assert str(rows[0]["added"]) == "2021-01-01 00:00:00+00:00"
    assert rows[0]["album"] == FACTS[0]["album"]


def test_the_operator_knows_better(tmp_path: Path) -> None:
    rows, _ = read(written_to(tmp_path, "CSV"), label="album")
    assert (rows[0]["label"], rows[0]["album"]) == (FACTS[0]["album"], None)


@pytest.mark.parametrize(
    ("field", "column", "found"), [("title", "nonesuch", "names no column"), ("tittle", "a", "is no field")]
)
def test_a_column_that_is_not_there_is_refused(field: str, column: str, found: str, tmp_path: Path) -> None:
    with pytest.raises(InputError, match=found):
        list(read_dump([written_to(tmp_path, "CSV")], OURS, {field: column}))


def test_a_folder_of_sound_is_a_list_by_its_names(tmp_path: Path) -> None:
    for one in FACTS[:9]:
        path = tmp_path / "music" / str(one["artist"]) / "Room" / f"01 - {one['title']}.mp3"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"not opened")
    rows, _ = read(tmp_path)
    assert {(row["title"], row["artist"]) for row in rows} == {(f["title"], f["artist"]) for f in FACTS[:9]}


# ruff: noqa: RUF001 -- Cyrillic is what this is about
MIXED = "Björk - Jóga\nЗемфира - Ариведерчи\n".encode() + "Björk - Hunter\nMøme - Aloha\n".encode("cp1252") * 9


def test_lines_of_several_encodings_are_read_line_by_line(tmp_path: Path) -> None:
    (tmp_path / "list").write_bytes(MIXED + "BjÃ¶rk - Army of Me\n".encode())
    rows, _ = read(tmp_path / "list")
    assert [row["artist"] for row in rows] == ["Björk", "Земфира", *["Björk", "Møme"] * 9, "Björk"]


def test_a_quote_that_is_never_closed_costs_no_row(tmp_path: Path) -> None:
    lines = table().decode().splitlines()
    lines[7] = lines[7].replace(",", ',"', 1)
    (tmp_path / "list").write_text("\n".join(lines), encoding="utf-8")
    rows, _ = read(tmp_path / "list")
    assert len(rows) == len(FACTS)
    assert rows[7]["title"] == FACTS[7]["title"]


def test_what_has_too_many_cells_is_kept_and_counted(tmp_path: Path) -> None:
    (tmp_path / "list").write_bytes(table() + b"a,b,c,d,e,f,g,h\n,,,,,\n")
    rows, parts = read(tmp_path / "list")
    assert len(rows) == len(FACTS)
    assert sum(part.n_rejected for part in parts) == 2
    assert "8 cells, wanted 6 | nothing to look for" in reasons(parts)


HOSTILE = {
    "a cell of 100 MB": (
        table() + b"x," + b"y" * 100_000_000 + b",z,,,\n" + table().split(b"\n", 1)[1],
        600,
        "too long",
    ),
    "a line of 100 MB without end": (LINES.encode() + b"\n" + b"y" * 100_000_000, 300, "too long"),
    "a zip that is torn": (WRITTEN["zip"][:-30], 0, "damaged zip"),
    "a gzip that is torn": (WRITTEN["gzip"][:-900], None, "breaks off"),
    "an xz that is torn": (WRITTEN["xz"][:-900], None, "breaks off"),
    "a database that is torn": (database()[:9000], None, "damaged"),
    "a Parquet file that is torn": (WRITTEN["Parquet"][:-20], 0, "damaged"),
    "JSON that breaks off": (WRITTEN["JSON, an array"][:-500], None, "no JSON from here on"),
    "JSON a million levels deep": (b'[{"a":' * 300_000, 0, "no JSON|deep"),
    "a torrent a million levels deep": (b"d4:info" + b"l" * 300_000, 0, "deep|cannot be read"),
    "a torrent whose text is longer than it": (b"d4:infod4:name999999999:xee", 0, "breaks off"),
    "a tar whose name is of gigabytes": (
        tarred("x", b"").replace(b"0000000", b"7777777", 1),
        0,
        "damaged|breaks off|list",
    ),
    "seven zips, one in another": (b"", 0, "more than 4 archives"),
    "7-Zip": (b"7z\xbc\xaf\x27\x1c" + bytes(100), 0, "packed with 7-Zip"),
    "a picture": (b"\x89PNG\r\n\x1a\n" + bytes(range(256)) * 9, 0, "no list"),
    "XML with entities": (b"<?xml version='1.0'?><!DOCTYPE x [<!ENTITY a 'ha'>]><x>&a;</x>", 0, "XML"),
    "nothing": (b"", 0, ""),
    "nothing but zeros": (bytes(100_000), 0, "no list|nothing"),
}


@pytest.mark.parametrize("found", HOSTILE)
def test_what_is_hostile_is_bounded_and_said(found: str, tmp_path: Path) -> None:
    octets, n, why = HOSTILE[found]
    if found.startswith("seven"):
        octets = LINES.encode()
        for _ in range(7):
            octets = zipped(inner=octets)
    (tmp_path / "list").write_bytes(octets)
    rows, parts = read(tmp_path / "list")
    if n is not None:
        assert len(rows) == n
    assert any(word in reasons(parts) for word in why.split("|"))


def test_no_name_in_an_archive_leads_anywhere(tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    with zipfile.ZipFile(tmp_path / "in" / "list", "w") as archive:
        archive.writestr("../../escaped.txt", LINES)
    before = sorted(tmp_path.rglob("*"))
    rows, _ = read(tmp_path / "in" / "list")
    assert len(rows) == len(FACTS)
    assert sorted(tmp_path.rglob("*")) == before


def test_a_bomb_ends_where_lists_end(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(streams, "FREE_BYTES", 8 << 20)
    squeezed = zlib.compressobj(9, zlib.DEFLATED, 31)
    bomb = b"".join(squeezed.compress(bytes(1 << 20)) for _ in range(200)) + squeezed.flush()
    (tmp_path / "bomb").write_bytes(b"")
    for name, octets in {"gzip": bomb, "zip": zipped(a=bomb), "tar": tarred("a", bomb)}.items():
        (tmp_path / "bomb").write_bytes(octets)
        tracemalloc.start()
        rows, parts = read(tmp_path / "bomb")
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        assert not rows, name
        assert "a bomb" in reasons(parts) or "no list" in reasons(parts), name
        assert peak < 64 << 20, name


def test_a_database_in_an_archive_is_held_only_so_far(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(members, "HELD_BYTES", 1000)
    (tmp_path / "list").write_bytes(zipped(a=database()))
    assert "unpack it first" in reasons(read(tmp_path / "list")[1])


@pytest.mark.slow
@pytest.mark.parametrize("written", WRITTEN)
def test_a_damaged_list_is_read_or_told(written: str, tmp_path: Path) -> None:
    for seed in range(8):
        (tmp_path / "list").write_bytes(mutate(WRITTEN[written], seed))
        rows, parts = read(tmp_path / "list")
        assert rows or reasons(parts)


def test_records_of_many_lines_are_one_record_while_they_are_few() -> None:
    some = ['a,"b', *["c"] * 10, 'd",e']
    assert [len(row) for row in delimited.records(iter(some), ",")] == [3]


def test_padding_files_of_a_torrent_are_none(tmp_path: Path) -> None:
    tree = {"A - B.mp3": {"": {"length": 5}}, "C - D.mp3": {"": {"length": 5}}}
    (tmp_path / "list").write_bytes(bencoded({"info": {"name": "x", "file tree": tree}, "comment": "v2"}))
    rows, _ = read(tmp_path / "list")
    assert [(row["artist"], row["title"]) for row in rows] == [("A", "B"), ("C", "D")]
    assert listings.form_of(["x"]) == ""


def test_a_large_vocabulary_is_a_part_of_itself(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("riparian.feeds.dumps.vocabulary.CODES_MAX", 500)
    names = pl.Series([f"name {n}" for n in range(20_000)])
    known = vocabulary_of([{"title": names[at : at + 1000]} for at in range(0, 20_000, 1000)])
    assert len(known.codes["title"]) < 2000
    assert known.hits("title", names) == pytest.approx(1.0, rel=0.2)


def test_a_list_has_another_name_when_it_is_another(tmp_path: Path) -> None:
    place = fsspec.filesystem("memory")
    names = []
    for octets in (b"A - B\n", b"A - C\n", b"A - C\nD - E\n"):
        place.pipe_file("/dumps/list", octets)
        (tmp_path / "list").write_bytes(octets)
        names += [state_of(["memory://dumps/list"], {}), state_of([str(tmp_path / "list")], {})]
    assert len(set(names)) == len(names)
    assert state_of(["memory://dumps/list"], {}) == names[-2]
    assert state_of(["-"], {}) != state_of(["-"], {})
