"""One made-up list of 300 recordings, written in every way in which lists are found."""

import bz2
import gzip
import io
import json
import lzma
import random
import sqlite3
import tarfile
import zipfile
from collections.abc import Callable, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any, Final
from urllib.parse import quote

import polars as pl
import zstandard

_BEGIN: Final = ("Silver", "Paper", "Quiet", "Second", "Northern", "Hollow", "Amber", "Idle", "Broken", "Early")
_END: Final = (
    "Harbour",
    "Windows",
    "Motion",
    "Letters",
    "Orchard",
    "Engines",
    "Weather",
    "Corners",
    "Rivers",
    "Signals",
)
_NAMES: Final = ("Ida Marsh", "The Low Fields", "Ørsted Trio", "Kestrel & Pine", "Моря", "Vela Duarte", "Nils Övre")


def facts() -> list[dict[str, Any]]:
    """Draw the recordings: id, title, artist, album, seconds, day."""
    rng = random.Random(4)  # noqa: S311 -- a simulation
    return [
        {
            "id": f"{n:022d}",
            "title": f"{_BEGIN[n % 10]} {_END[n // 10 % 10]}{', Part ' + str(n // 100) if n >= 100 else ''}",
            "artist": rng.choice(_NAMES),
            "album": f"{rng.choice(_BEGIN)} Room",
            "seconds": rng.randint(95, 420),
            "day": f"2021-{n % 12 + 1:02d}-{n % 28 + 1:02d}",
        }
        for n in range(300)
    ]


FACTS: Final = tuple(facts())
LINES: Final = "\n".join(f"{one['artist']} - {one['title']}" for one in FACTS)
FRAME: Final = pl.DataFrame(FACTS)
PATHS: Final = [
    f"Music/{f['artist']}/{f['album']} (2019)/{n % 12 + 1:02d} - {f['title']}.flac" for n, f in enumerate(FACTS)
]


def table(names: list[str] | None = None, separator: str = ",") -> bytes:
    """Write the facts as delimited text, under other names or none."""
    frame = FRAME.rename(dict(zip(FRAME.columns, names, strict=True))) if names else FRAME
    return frame.write_csv(separator=separator, include_header=names != []).encode()


def _written(write: Callable[[io.BytesIO], Any]) -> bytes:
    held = io.BytesIO()
    write(held)
    return held.getvalue()


def database() -> bytes:
    """Write the facts as scraped databases are: artists in a table of their own."""
    names = sorted({one["artist"] for one in FACTS})
    with sqlite3.connect(":memory:") as made:
        made.execute("CREATE TABLE artists (id INTEGER PRIMARY KEY, name TEXT)")
        made.execute("CREATE TABLE tracks (id TEXT, name TEXT, artist_id INTEGER, duration_ms INTEGER)")
        made.executemany("INSERT INTO artists VALUES (?, ?)", enumerate(names))
        rows = [(f["id"], f["title"], names.index(f["artist"]), f["seconds"] * 1000) for f in FACTS]
        made.executemany("INSERT INTO tracks VALUES (?, ?, ?, ?)", rows)
        made.commit()
        octets = made.serialize()
    made.close()
    return octets


def bencoded(value: Any) -> bytes:
    """Write bencode."""
    if isinstance(value, int):
        return b"i%de" % value
    if isinstance(value, str | bytes):
        octets = value.encode() if isinstance(value, str) else value
        return b"%d:%s" % (len(octets), octets)
    if isinstance(value, list):
        return b"l" + b"".join(map(bencoded, value)) + b"e"
    return b"d" + b"".join(bencoded(key) + bencoded(value[key]) for key in sorted(value)) + b"e"


def torrent() -> bytes:
    files = [{"length": 9_000_000, "path": path.split("/")[1:]} for path in PATHS]
    return bencoded({"announce": "udp://x", "info": {"name": "Music", "files": files, "pieces": bytes(40)}})


def zipped(**inside: bytes) -> bytes:
    """Put files into a zip archive; a double underscore stands for a dot."""
    held = io.BytesIO()
    with zipfile.ZipFile(held, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, octets in inside.items():
            archive.writestr(name.replace("__", "."), octets)
    return held.getvalue()


def tarred(name: str, octets: bytes) -> bytes:
    held = io.BytesIO()
    with tarfile.open(fileobj=held, mode="w") as archive:
        info = tarfile.TarInfo(name)
        info.size = len(octets)
        archive.addfile(info, io.BytesIO(octets))
    return held.getvalue()


def _api() -> bytes:
    items = [
        {
            "added_at": f["day"],
            "track": {
                "name": f["title"],
                "id": f["id"],
                "duration_ms": f["seconds"] * 1000,
                "artists": [{"name": f["artist"]}],
                "album": {"name": f["album"], "artists": [{"name": "Various"}]},
            },
        }
        for f in FACTS
    ]
    return json.dumps({"href": "x", "items": items}).encode()


def _ls() -> str:
    return "\n".join(
        f"./{f['artist']}:\ntotal 4\n-rw-r--r-- 1 u g 4096 2021-01-02 10:11 01 {f['title']}.mp3\n" for f in FACTS
    )


def _page() -> str:
    links = (quote(f"{f['artist']} - {f['title']}.mp3") for f in FACTS)
    rows = "\n".join(f'<a href="{link}">x</a>   02-Jan-2021 10:11   5M' for link in links)
    return f'<!DOCTYPE HTML><html><body><a href="../">up</a>\n{rows}'


def _m3u() -> str:
    return "#EXTM3U\n" + "\n".join(
        f"#EXTINF:{f['seconds']},{f['artist']} - {f['title']}\n{n}.mp3" for n, f in enumerate(FACTS)
    )


def _tree() -> str:
    return "music\n" + "\n".join(f"├── {f['artist']}\n│   └── 01 {f['title']}.ogg" for f in FACTS)


WRITTEN: Final[Mapping[str, bytes]] = MappingProxyType(
    {
        "CSV": table(),
        "CSV without names": table([]),
        "TSV with other names": table(list("abcdef"), "\t"),
        "CSV with two names exchanged": table(["id", "artist", "title", "album", "seconds", "day"]),
        "CSV that calls the artist an ISRC": table(["id", "name", "isrc", "album", "seconds", "day"]),
        "CSV in UTF-16": table().decode().encode("utf-16"),
        "JSON lines": FRAME.write_ndjson().encode(),
        "JSON, an array inside": _api(),
        "JSON, an array": json.dumps(FACTS).encode(),
        "Parquet": _written(FRAME.write_parquet),
        "Arrow": _written(FRAME.write_ipc),
        "SQLite": database(),
        "torrent": torrent(),
        "find": "\n".join(f"./{path}" for path in PATHS).encode(),
        "ls -lR": _ls().encode(),
        "tree": _tree().encode(),
        "web page": _page().encode(),
        "M3U": _m3u().encode(),
        "lines": LINES.encode(),
        "lines, numbered": "\n".join(f"{n}. {line}" for n, line in enumerate(LINES.splitlines(), 1)).encode(),
        "lines, the title first": "\n".join(
            " - ".join(line.split(" - ")[::-1]) for line in LINES.splitlines()
        ).encode(),
        "gzip": gzip.compress(LINES.encode()),
        "bzip2": bz2.compress(LINES.encode()),
        "xz": lzma.compress(LINES.encode()),
        "zstd": zstandard.compress(LINES.encode()),
        "zip": zipped(a__csv=table(), a__txt=b""),
        "a database in a tar in gzip in a zip": zipped(x=gzip.compress(tarred("deep/y", database()))),
    }
)
"""What the list is written as, and the bytes of it."""


def written_to(folder: Path, name: str) -> str:
    """Write one of them to a file without a telling name."""
    path = folder / "found"
    path.write_bytes(WRITTEN[name])
    return str(path)
