"""Whatever a document is written as, it gives the same recordings; what cannot be read is said, nothing else lost."""

import bz2
import io
import json
import sqlite3
import struct
import tarfile
import zipfile
from collections.abc import Callable, Mapping, Sequence
from datetime import date
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from riparian.catalogue.holdings import FIXITY, HELD, IDENTIFIER, RELEASE, TITLE, TRACK
from riparian.feeds.holdings import read_holdings
from tests.feeds.test_messages import ERN4

ROWS: list[dict[str, Any]] = [
    {"id": "r-1", "title": "Harbour Lights", "artist": "The Saltmarsh", "isrc": "GB-ABC-12-00001", "seconds": 205.5},
    {"id": "r-2", "title": "Tide", "artist": "Ida Lund", "isrc": None, "seconds": 180.0},
]
M1, M2, M3 = (f"{n}{'0' * 7}-1111-4111-8111-111111111111" for n in "123")


def csv(folder: Path) -> Path:
    lines = ["Track ID;Title;Artist;ISRC;Duration"]
    lines += [f"{row['id']};{row['title']};{row['artist']};{row['isrc'] or ''};{row['seconds']}" for row in ROWS]
    (folder / "a.csv").write_text("\n".join(lines), encoding="utf-8")
    return folder / "a.csv"


def parquet(folder: Path) -> Path:
    pq.write_table(
        pa.Table.from_pylist(ROWS).rename_columns(["id", "title", "artist", "isrc", "duration"]), folder / "a.parquet"
    )
    return folder / "a.parquet"


def sqlite(folder: Path) -> Path:
    with sqlite3.connect(folder / "a.db") as database:
        database.execute("CREATE TABLE tracks (id TEXT, title TEXT, artist TEXT, isrc TEXT, duration_ms INTEGER)")
        rows = [(row["id"], row["title"], row["artist"], row["isrc"], int(row["seconds"] * 1000)) for row in ROWS]
        database.executemany("INSERT INTO tracks VALUES (?, ?, ?, ?, ?)", rows)
    database.close()
    return folder / "a.db"


def ndjson(folder: Path) -> Path:
    lines = [json.dumps({"duration" if name == "seconds" else name: row[name] for name in row}) for row in ROWS]
    (folder / "a.jsonl").write_text("\n".join(lines), encoding="utf-8")
    return folder / "a.jsonl"


def zipped(folder: Path) -> Path:
    with zipfile.ZipFile(folder / "a.zip", "w") as archive:
        archive.write(csv(folder), "in/a.csv")
    return folder / "a.zip"


def given(table: pa.Table) -> list[dict[str, Any]]:
    return [{name: value for name, value in row.items() if value is not None} for row in table.to_pylist()]


@pytest.mark.parametrize("write", [csv, parquet, sqlite, ndjson, zipped])
def test_a_table_is_read_however_it_is_written(write: Callable[[Path], Path], tmp_path: Path) -> None:
    (said,) = read_holdings([str(write(tmp_path))])
    assert given(said.recordings) == [
        {
            "recording": "r-1",
            "title": "Harbour Lights",
            "artist": "The Saltmarsh",
            "duration_ms": 205_500,
            "isrc": "GBABC1200001",
        },
        {"recording": "r-2", "title": "Tide", "artist": "Ida Lund", "duration_ms": 180_000},
    ]
    assert given(said.identifiers) == [{"recording": "r-1", "kind": "isrc", "value": "GBABC1200001"}]
    assert not said.refused


def test_columns_without_names_are_known_by_their_values(tmp_path: Path) -> None:
    lines = [f"GBABC12{n:05},3:{n % 60:02},Song number {n},Artist {n % 7}" for n in range(50)]
    (tmp_path / "a.csv").write_text("\n".join(lines), encoding="utf-8")
    (said,) = read_holdings([str(tmp_path / "a.csv")])
    first = given(said.recordings)[0]
    assert (first["recording"], first["duration_ms"], first["title"]) == ("GBABC1200000", 180_000, "Song number 0")


def test_rows_without_a_name_are_counted(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("isrc,title,plays\nGBABC1200001,A,7\nnone,B,8\n", encoding="utf-8")
    (said,) = read_holdings([str(tmp_path / "a.csv")])
    assert said.recordings.num_rows == 1
    assert given(said.played) == [{"recording": "GBABC1200001", "measure": "plays", "value": 7.0}]
    assert said.refused == [("batch 0", "1 rows have neither a code nor artist and title")]


def recording(mbid: str, title: str) -> dict[str, Any]:
    credit = [{"name": "The Saltmarsh", "joinphrase": " & "}, {"name": "Ida Lund", "joinphrase": ""}]
    return {"id": mbid, "title": title, "length": 205_000, "isrcs": ["GBABC1200001"], "artist-credit": credit}


def test_a_json_dump_of_musicbrainz(tmp_path: Path) -> None:
    release = {
        "artist-credit": [{"name": "The Saltmarsh", "joinphrase": ""}],
        "id": M3,
        "title": "Harbours",
        "barcode": "602557190298",
        "date": "2020-05",
        "label-info": [{"label": {"name": "Reed"}}],
        "media": [{"position": 2, "tracks": [{"position": 7, "recording": recording(M1, "Harbour Lights")}]}],
    }
    lines = [json.dumps(recording(M2, "Tide")), json.dumps(release), '{"artist-credit": 1, "id": 2}', "{broken"]
    (tmp_path / "recording").write_text("\n".join(lines), encoding="utf-8")
    (said,) = read_holdings([str(tmp_path / "recording")])
    tide, harbour = given(said.recordings)
    assert (tide["artist"], tide["isrc"], tide["mbid"]) == ("The Saltmarsh & Ida Lund", "GBABC1200001", M2)
    assert (harbour["album"], harbour["label"], harbour["upc"]) == ("Harbours", "Reed", "0602557190298")
    assert given(said.releases)[0]["released"] == date(2020, 5, 1)
    assert given(said.tracks) == [{"release": "0602557190298", "recording": M1, "disc": 2, "track": 7}]
    assert [where for where, _ in said.refused] == ["3", "4"]


DUMP = {
    "artist_credit": ["7\tThe Saltmarsh\t1\t1\t2020\t0\tx"],
    "isrc": ["1\t11\tGBABC1200001\t\\N\t0\t2020"],
    "medium": ["5\t3\t2\t1\t\t0\t2020\t1\tx"],
    "recording": [
        f"11\t{M1}\tHarbour\\tLights\t7\t205000\t\t0\t2020\tf",
        f"12\t{M2}\tTide\t7\t\\N\t\t0\t2020\tf",
    ],
    "recording_alias": ["1\t11\tHafenlichter\tde\t0\t2020\t1\tx\t\\N"],
    "release": [f"3\t{M3}\tHarbours\t7\t1\t1\t\\N\t\\N\t\\N\t602557190298\t\t0\t-1\t2020"],
    "release_country": ["3\t221\t2020\t5\t\\N"],
    "track": [f"1\t{M1}\t11\t5\t7\tA7\tHarbour Lights\t7\t205000\t0\t2020\tf"],
    "url": ["not taken"],
}


def dump(folder: Path, tables: Mapping[str, Sequence[str]] = DUMP) -> Path:
    raw = io.BytesIO()
    with tarfile.open(fileobj=raw, mode="w") as archive:
        for name, lines in tables.items():
            octets = "".join(f"{line}\n" for line in lines).encode()
            info = tarfile.TarInfo(f"mbdump/{name}")
            info.size = len(octets)
            archive.addfile(info, io.BytesIO(octets))
    (folder / "mbdump.tar.bz2").write_bytes(bz2.compress(raw.getvalue()))
    return folder / "mbdump.tar.bz2"


def test_a_database_dump_of_musicbrainz_is_put_together(tmp_path: Path) -> None:
    said = list(read_holdings([str(dump(tmp_path))]))
    assert [one.number for one in said] == list(range(len(said)))
    names = ("recordings", "identifiers", "titles", "releases", "tracks")
    rows = {name: [row for one in said for row in given(getattr(one, name))] for name in names}
    assert rows["recordings"] == [
        {
            "recording": M1,
            "title": "Harbour\tLights",
            "artist": "The Saltmarsh",
            "duration_ms": 205_000,
            "isrc": "GBABC1200001",
            "mbid": M1,
        },
        {"recording": M2, "title": "Tide", "artist": "The Saltmarsh", "mbid": M2},
    ]
    assert [(row["kind"], row["value"]) for row in rows["identifiers"]] == [
        ("isrc", "GBABC1200001"),
        ("mbid", M1),
        ("mbid", M2),
    ]
    assert rows["titles"] == [{"recording": M1, "title": "Hafenlichter", "language": "de", "kind": "alias"}]
    assert rows["releases"][0]["released"] == date(2020, 5, 1)
    assert rows["tracks"] == [{"release": "0602557190298", "recording": M1, "disc": 2, "track": 7}]


def test_a_torn_table_of_a_dump_is_said_and_the_rest_given(tmp_path: Path) -> None:
    said = list(read_holdings([str(dump(tmp_path, DUMP | {"isrc": ["1\t2"], "label": ["7\ta", "8"]}))]))
    assert [why for one in said for _, why in one.refused] == [
        "is no table of MusicBrainz: it has 2 columns, wanted at least 3",
        "is no table of MusicBrainz: CSV parse error: Row #2: Expected 2 columns, got 1: 8",
    ]
    assert sum(one.recordings.num_rows for one in said) == 2


def wav(path: Path) -> None:
    tags = b"INAM" + struct.pack("<I", 14) + b"Harbour Lights" + b"IART" + struct.pack("<I", 14) + b"The Saltmarsh\0"
    info = b"LIST" + struct.pack("<I", 4 + len(tags)) + b"INFO" + tags
    samples = bytes(8_000 * 2 * 2)
    form = b"fmt " + struct.pack("<IHHIIHH", 16, 1, 1, 8_000, 16_000, 2, 16)
    body = b"WAVE" + form + info + b"data" + struct.pack("<I", len(samples)) + samples
    path.write_bytes(b"RIFF" + struct.pack("<I", len(body)) + body)


def test_sound_files_are_held_with_their_digests(tmp_path: Path) -> None:
    wav(tmp_path / "a.wav")
    (tmp_path / "b.flac").write_bytes(b"fLaC" + bytes(99))
    sound, broken = read_holdings([str(tmp_path)])
    row = given(sound.recordings)[0]
    assert (row["title"], row["artist"], row["duration_ms"]) == ("Harbour Lights", "The Saltmarsh", 2_000)
    fixity = given(sound.fixity)[0]
    assert (fixity["path"], fixity["bytes"]) == (str(tmp_path / "a.wav"), (tmp_path / "a.wav").stat().st_size)
    assert "cannot be read" in broken.refused[0][1]


def test_a_folder_of_everything_is_read_in_order(tmp_path: Path) -> None:
    (tmp_path / "a.xml").write_text(ERN4, encoding="utf-8")
    (tmp_path / "b.xml").write_text("<rss/>", encoding="utf-8")
    hostile = "<!DOCTYPE x [<!ENTITY e 'a'>]><NewReleaseMessage><Party/></NewReleaseMessage>"
    (tmp_path / "c.xml").write_text(hostile, encoding="utf-8")
    (tmp_path / "d.bin").write_bytes(bytes(range(256)) * 9)
    csv(tmp_path).rename(tmp_path / "e.csv")
    told: list[tuple[str, int, int]] = []
    said = list(read_holdings([str(tmp_path)], lambda *args: told.append(args)))
    assert [Path(one.document.name).name for one in said] == ["a.xml", "b.xml", "c.xml", "d.bin", "e.csv"]
    assert [bool(one.refused) for one in said] == [True, True, True, True, False]
    assert told[-1] == ("reading documents", 5, 5)


def test_batches_have_the_schemas_of_the_catalogue_in_full(tmp_path: Path) -> None:
    (tmp_path / "a.xml").write_text(ERN4, encoding="utf-8")
    wav(tmp_path / "b.wav")
    csv(tmp_path)
    dump(tmp_path)
    for said in read_holdings([str(tmp_path)]):
        assert said.recordings.schema == HELD
        assert said.identifiers.schema == IDENTIFIER
        assert said.titles.schema == TITLE
        assert said.releases.schema == RELEASE
        assert said.tracks.schema == TRACK
        assert said.fixity.schema == FIXITY
