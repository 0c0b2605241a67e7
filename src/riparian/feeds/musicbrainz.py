"""What does a dump of MusicBrainz say that we hold?

Both kinds that its site offers are read.  A *JSON dump* has one recording, or one release, a line, and is read line by
line.  A *database dump* (``mbdump.tar.bz2``) has one file a table, whose rows refer to each other: the tables that
matter are laid into a database of DuckDB beside us as they come out of the archive, and put together there, so that
tens of millions of rows need no more memory than it is given.

A recording is called by its MBID.  That its dump names a recording does not make it ours: an operator adds a dump of
what the house holds.

Source
------
MusicBrainz, *Database* (schema 30) and *JSON data dumps*; PostgreSQL, ``COPY`` text format.
"""

import json
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import closing
from itertools import islice
from pathlib import Path
from typing import Any, Final, Self, cast

import pyarrow as pa
from pyarrow import csv

from riparian.catalogue.holdings import HELD, IDENTIFIER, RELEASE, TITLE, TRACK, Document, Holding, table_of
from riparian.catalogue.identifiers import normalise
from riparian.feeds.dumps.lines import Lines
from riparian.feeds.dumps.streams import Stream
from riparian.feeds.messages.resources import date_of

_BATCH_ROWS: Final = 20_000
_BLOCK_BYTES: Final = 1 << 20
_MS_MAX: Final = 2**31 - 1
_MEMORY: Final = "1GB"
_TABLES: Final = {
    "artist_credit": {"id": 0, "name": 1},
    "recording": {"id": 0, "gid": 1, "name": 2, "artist_credit": 3, "length": 4},
    "isrc": {"recording": 1, "isrc": 2},
    "recording_alias": {"recording": 1, "name": 2, "locale": 3},
    "release": {"id": 0, "gid": 1, "name": 2, "artist_credit": 3, "barcode": 9},
    "release_country": {"release": 0, "year": 2, "month": 3, "day": 4},
    "release_label": {"release": 1, "label": 2},
    "label": {"id": 0, "name": 2},
    "medium": {"id": 0, "release": 1, "position": 2},
    "track": {"recording": 2, "medium": 3, "position": 4},
}
"""Files of a database dump, and where in each the columns are that are taken."""
_TEXTS: Final = {"gid", "name", "isrc", "locale", "barcode"}


def table_named(name: str) -> str | None:
    """Say which table of a database dump a file of an archive is; nothing for one that is not taken, None for none.

    Examples
    --------
    >>> table_named("mbdump.tar/mbdump/recording"), table_named("mbdump.tar/mbdump/url"), table_named("a.csv")
    ('recording', '', None)
    """
    folder, _, table = name.rpartition("/")
    if not folder.endswith("/mbdump"):
        return None
    return table if table in _TABLES else ""


def is_object(head: bytes) -> bool:
    """Say whether a file begins with an object of a JSON dump.

    Examples
    --------
    >>> is_object(b'{"artist-credit":[],"id":"b1a9c0e9-d987-4042-ae91-78d6a3267d69"}'), is_object(b'{"title":"x"}')
    (True, False)
    """
    return head.startswith(b"{") and b'"artist-credit"' in head and b'"id"' in head


def objects(stream: Stream, document: Document) -> Iterator[Holding]:
    """Read a JSON dump of recordings or of releases."""
    lines = Lines(stream)
    taken = enumerate((line for line in lines if line.strip()), start=1)
    for number, some in enumerate(iter(lambda: list(islice(taken, _BATCH_ROWS)), [])):
        yield _objects(some, document, number, lines)


def _objects(some: list[tuple[int, str]], document: Document, number: int, lines: Lines) -> Holding:
    rows: dict[str, list[dict[str, Any]]] = {name: [] for name in ("recordings", "identifiers", "titles")}
    rows |= {"releases": [], "tracks": []}
    refused = [(str(at), "a line that is too long") for at, _ in lines.cut]
    lines.cut.clear()
    for at, line in some:
        try:
            one = json.loads(line)
            (_release if "media" in one else _recording)(one, rows)
        except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
            refused.append((str(at), "no recording and no release of MusicBrainz"))
    return Holding(
        document,
        number,
        recordings=table_of(_once(rows["recordings"]), HELD),
        identifiers=table_of(rows["identifiers"], IDENTIFIER),
        titles=table_of(rows["titles"], TITLE),
        releases=table_of(rows["releases"], RELEASE),
        tracks=table_of(rows["tracks"], TRACK),
        refused=refused,
    )


def _once(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return list({row["recording"]: row for row in reversed(rows)}.values())[::-1]


def _credit(one: dict[str, Any]) -> str:
    credit = one.get("artist-credit") or []
    return "".join(f"{each['name']}{each.get('joinphrase') or ''}" for each in credit)


def _recording(one: dict[str, Any], rows: dict[str, list[dict[str, Any]]]) -> str:
    mbid = normalise("mbid", str(one["id"]))
    if not mbid:
        raise ValueError(one["id"])
    isrcs = [code for each in one.get("isrcs") or [] if (code := normalise("isrc", str(each)))]
    length = one.get("length")
    row = {
        "recording": mbid,
        "title": str(one["title"]),
        "artist": _credit(one) or None,
        "duration_ms": length if isinstance(length, int) and 0 < length <= _MS_MAX else None,
        "released": date_of(str(one.get("first-release-date") or "")),
        "isrc": isrcs[0] if isrcs else None,
        "mbid": mbid,
    }
    rows["recordings"].append(row)
    codes = [("mbid", mbid), *(("isrc", code) for code in isrcs)]
    rows["identifiers"] += [{"recording": mbid, "kind": kind, "value": value} for kind, value in codes]
    rows["titles"] += [
        {"recording": mbid, "title": str(each["name"]), "language": each.get("locale"), "kind": "alias"}
        for each in one.get("aliases") or []
    ]
    return mbid


def _release(one: dict[str, Any], rows: dict[str, list[dict[str, Any]]]) -> None:
    mbid = normalise("mbid", str(one["id"]))
    if not mbid:
        raise ValueError(one["id"])
    upc = normalise("upc", str(one.get("barcode") or ""))
    labels = (each.get("label") or {} for each in one.get("label-info") or [])
    label = next((str(each["name"]) for each in labels if each.get("name")), None)
    rows["releases"].append(
        {
            "release": upc or mbid,
            "title": str(one["title"]),
            "artist": _credit(one) or None,
            "upc": upc or None,
            "mbid": mbid,
            "label": label,
            "released": date_of(str(one.get("date") or "")),
            "territory": one.get("country"),
        }
    )
    for medium in one["media"] or []:
        for track in medium.get("tracks") or []:
            recording = _recording(track["recording"], rows)
            rows["recordings"][-1] |= {"upc": upc or None, "album": str(one["title"]), "label": label}
            disc, at = medium.get("position"), track.get("position")
            rows["tracks"].append({"release": upc or mbid, "recording": recording, "disc": disc, "track": at})


class Tables:
    r"""The tables of a database dump, laid down as they come out of an archive; a context manager.

    Examples
    --------
    >>> with Tables() as tables:
    ...     tables.take("artist_credit", Stream(iter([b"7\tThe Saltmarsh\t1\n"])))
    ...     row = b"1\tb1a9c0e9-d987-4042-ae91-78d6a3267d69\tHarbour Lights\t7\t205000\n"
    ...     tables.take("recording", Stream(iter([row])))
    ...     next(tables.holdings(Document("x", "musicbrainz"))).recordings["artist"].to_pylist()
    ['The Saltmarsh']
    """

    def __init__(self) -> None:
        import duckdb  # noqa: PLC0415 -- half a second, and not needed to read anything else

        self._folder = tempfile.TemporaryDirectory(prefix="riparian-mbdump-")
        self._database = duckdb.connect(str(Path(self._folder.name) / "mbdump.duckdb"))
        for setting in (f"memory_limit='{_MEMORY}'", "threads=1", "preserve_insertion_order=false"):
            self._database.execute(f"SET {setting}")
        for name, columns in _TABLES.items():
            kinds = ", ".join(f"{column} {'VARCHAR' if column in _TEXTS else 'BIGINT'}" for column in columns)
            self._database.execute(f"CREATE TABLE {name} ({kinds})")

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._database.close()
        self._folder.cleanup()

    @property
    def has_recordings(self) -> bool:
        """Whether anything is there to be given."""
        return bool(self._database.execute("SELECT 1 FROM recording LIMIT 1").fetchone())

    def take(self, table: str, stream: Stream) -> None:
        """Lay down a file of the dump.

        Raises
        ------
        ValueError
            When its rows have not the columns of its table.
        """
        at = _TABLES[table]
        if not stream.head(1):
            return
        for batch in _copied(stream):
            if batch.num_columns <= max(at.values()):
                raise ValueError(f"it has {batch.num_columns} columns, wanted at least {max(at.values()) + 1}")
            picked = pa.table({column: batch.column(place) for column, place in at.items()})
            shown = ", ".join(
                f"replace(replace(replace({column}, '\\t', chr(9)), '\\n', chr(10)), '\\\\', '\\') AS {column}"
                if column in _TEXTS
                else f"TRY_CAST({column} AS BIGINT) AS {column}"
                for column in at
            )
            self._database.register("picked", picked)
            self._database.execute(f"INSERT INTO {table} SELECT {shown} FROM picked")  # noqa: S608 -- names of ours
            self._database.unregister("picked")

    def holdings(self, document: Document) -> Iterator[Holding]:
        """Give what is in all of them: recordings, then releases, then what is on these."""
        number = 0
        for name, question, schema in _QUESTIONS:
            with closing(cast(Any, self._database.sql(question).to_arrow_reader(_BATCH_ROWS))) as reader:
                for batch in reader:
                    table = _shaped(pa.Table.from_batches([batch]), schema)
                    yield Holding(document, number, **cast(dict[str, Any], {name: table}))
                    number += 1


def _shaped(table: pa.Table, schema: pa.Schema) -> pa.Table:
    rows: Sequence[dict[str, Any]] = table.to_pylist()
    for row in rows:
        if "upc" in row:
            row["upc"] = normalise("upc", row["upc"] or "") or None
            row["release"] = row["upc"] or row["release"]
        if "day" in row:
            row["released"] = date_of("-".join(f"{each:02}" for each in row.pop("day") if each)) if row["day"] else None
    return table_of(rows, schema)


def _copied(stream: Stream) -> Iterator[pa.RecordBatch]:
    """Read rows of ``COPY`` as they stand, all columns as text."""
    width = stream.head(_BLOCK_BYTES).partition(b"\n")[0].count(b"\t") + 1
    names = [f"c{place}" for place in range(width)]
    try:
        yield from csv.open_csv(
            _Readable(stream),
            read_options=csv.ReadOptions(column_names=names, block_size=4 * _BLOCK_BYTES, use_threads=False),
            parse_options=csv.ParseOptions(delimiter="\t", quote_char=False, escape_char=False),
            convert_options=csv.ConvertOptions(
                column_types=dict.fromkeys(names, pa.string()),
                null_values=["\\N"],
                strings_can_be_null=True,
                check_utf8=True,
            ),
        )
    except pa.ArrowInvalid as error:
        raise ValueError((str(error).splitlines() or ["?"])[0][:160]) from error


class _Readable:
    # What Arrow needs of a file.
    closed = False

    def __init__(self, stream: Stream) -> None:
        self._stream = stream

    def read(self, n: int = -1) -> bytes:
        return self._stream.read(n)

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return False

    def writable(self) -> bool:
        return False

    def close(self) -> None:
        self.closed = True


_QUESTIONS: Final = (
    (
        "recordings",
        """SELECT r.gid AS recording, r.gid AS mbid, r.name AS title, c.name AS artist,
                  CASE WHEN r.length BETWEEN 1 AND 2147483647 THEN r.length::INTEGER END AS duration_ms,
                  (SELECT min(isrc) FROM isrc i WHERE i.recording = r.id) AS isrc
           FROM recording r LEFT JOIN artist_credit c ON c.id = r.artist_credit ORDER BY r.id""",
        HELD,
    ),
    (
        "identifiers",
        """SELECT r.gid AS recording, kind, value FROM recording r JOIN (
             SELECT id AS recording, 'mbid' AS kind, gid AS value FROM recording
             UNION ALL SELECT recording, 'isrc', isrc FROM isrc
           ) x ON x.recording = r.id WHERE value IS NOT NULL ORDER BY r.id, kind, value""",
        IDENTIFIER,
    ),
    (
        "titles",
        """SELECT r.gid AS recording, a.name AS title, a.locale AS language, 'alias' AS kind
           FROM recording_alias a JOIN recording r ON r.id = a.recording ORDER BY r.id, a.name""",
        TITLE,
    ),
    (
        "releases",
        """SELECT r.gid AS release, r.gid AS mbid, r.name AS title, c.name AS artist, r.barcode AS upc,
                  (SELECT min(l.name) FROM release_label x JOIN label l ON l.id = x.label WHERE x.release = r.id)
                    AS label,
                  (SELECT min([year, month, day]) FROM release_country d WHERE d.release = r.id AND year IS NOT NULL)
                    AS day
           FROM release r LEFT JOIN artist_credit c ON c.id = r.artist_credit ORDER BY r.id""",
        RELEASE,
    ),
    (
        "tracks",
        """SELECT e.gid AS release, e.barcode AS upc, r.gid AS recording,
                  m.position::INTEGER AS disc, t.position::INTEGER AS track
           FROM track t JOIN recording r ON r.id = t.recording JOIN medium m ON m.id = t.medium
           JOIN release e ON e.id = m.release ORDER BY e.id, m.position, t.position""",
        TRACK,
    ),
)
