"""Where does stand what was seen outside, so that it is new once, and whoever is killed goes on where they were?

One SQLite database in the workspace.  What a document names, where it leads, and what to say the next time it is asked
for, are written in one transaction: killed before it, the document is asked for again; after it, never in this round.

::

    sighting    source, url    what was seen, once a source and address; what came of it; and whether somebody was
                               told: 0 never, 1 all of it, 2 not what came of it since
    document    source, address    what its last answer said: ETag, Last-Modified, where it leads
    todo        source, address    the round that is not over: what is still to be asked for, and what was
    host        host           until when it wants to be left alone
    permission  at_us          every round: who was asked, and who permitted it
"""

import contextlib
import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, Final

import pyarrow as pa

from riparian.errors import LifecycleError
from riparian.ports.mirrors import Document, Got, Item, Sighted, Source, Told, What
from riparian.schema import SIGHTING
from riparian.stores.alone import locked_alone
from riparian.stores.files import reaching
from riparian.stores.one_file import Layout, OneFile

NAME: Final = "sightings.sqlite"
FILES: Final = "found"
_LOCK: Final = "watch.lock"
_AT_ONCE: Final = 2_000
_TABLES: Final = (
    """CREATE TABLE sighting (
    number INTEGER PRIMARY KEY, source TEXT NOT NULL, url TEXT NOT NULL, kind TEXT NOT NULL, what TEXT NOT NULL,
    title TEXT, artist TEXT, length_us INTEGER, bytes INTEGER, changed_us INTEGER, digest TEXT, isrc TEXT,
    permitted_by TEXT, first_us INTEGER NOT NULL, seen_us INTEGER NOT NULL, document TEXT NOT NULL,
    file TEXT NOT NULL DEFAULT '', heard INTEGER, why_not TEXT NOT NULL DEFAULT '', ours TEXT NOT NULL DEFAULT '[]',
    issued TEXT, "case" TEXT NOT NULL DEFAULT '', told INTEGER NOT NULL DEFAULT 0, UNIQUE (source, url))""",
    "CREATE INDEX untold ON sighting (source, number) WHERE told != 1",
    "CREATE INDEX named ON sighting (source, document)",
    "CREATE INDEX unheard ON sighting (source, number) WHERE what = 'sound' AND heard IS NULL",
    """CREATE TABLE document (
    source TEXT NOT NULL, address TEXT NOT NULL, etag TEXT NOT NULL, modified TEXT NOT NULL, leads TEXT NOT NULL,
    PRIMARY KEY (source, address)) WITHOUT ROWID""",
    """CREATE TABLE todo (
    number INTEGER PRIMARY KEY, source TEXT NOT NULL, address TEXT NOT NULL, depth INTEGER NOT NULL,
    done INTEGER NOT NULL DEFAULT 0, UNIQUE (source, address))""",
    "CREATE INDEX left_over ON todo (source, number) WHERE done = 0",
    "CREATE TABLE host (host TEXT PRIMARY KEY, until_us INTEGER NOT NULL) WITHOUT ROWID",
    """CREATE TABLE permission (
    number INTEGER PRIMARY KEY, source TEXT NOT NULL, permitted_by TEXT NOT NULL, at_us INTEGER NOT NULL,
    ended_us INTEGER, documents INTEGER, seen INTEGER, new INTEGER)""",
)
_LAYOUT: Final = Layout("the sightings", NAME, 0x52534947, 1, _TABLES)  # RSIG
_SAID: Final = ("file", "heard", "why_not", "ours", "issued", "case", "digest")
_COLUMNS: Final = (
    "number, source, kind, what, url, title, artist, length_us, bytes, changed_us, digest, isrc, permitted_by,"
    ' first_us, seen_us, file, heard, why_not, ours, issued, "case"'
)


class SqlSightings:
    """``ports.mirrors.Sightings`` in ``sightings.sqlite``.

    Parameters
    ----------
    folder
        The workspace; it is made where it is missing.

    Raises
    ------
    InputError
        When another version made it.
    OutsideError
        When the disk refuses.
    """

    def __init__(self, folder: Path) -> None:
        self._file = OneFile(folder, _LAYOUT)
        self._connection, self._rows, self._writing = self._file.connection, self._file.rows, self._file.writing

    def close(self) -> None:
        """Close the database."""
        self._file.close()

    def begin(self, source: Source, at_us: int) -> bool:
        """See ``ports.mirrors.Sightings``."""
        with self._writing():
            self._connection.execute(
                "INSERT INTO permission (source, permitted_by, at_us) VALUES (?, ?, ?)",
                (source.name, source.permitted_by, at_us),
            )
            goes_on = bool(self._rows("SELECT 1 FROM todo WHERE source = ? AND done = 0 LIMIT 1", source.name))
            if not goes_on:
                self._connection.execute("DELETE FROM todo WHERE source = ?", (source.name,))
                if source.ask is not None:
                    self._lead(source.name, [source.name], 0)
        return goes_on

    def next(self, source: str) -> Document | None:
        """See ``ports.mirrors.Sightings``."""
        rows = self._rows(
            "SELECT t.address, t.depth, COALESCE(d.etag, ''), COALESCE(d.modified, '') FROM todo t"
            " LEFT JOIN document d ON d.source = t.source AND d.address = t.address"
            " WHERE t.source = ? AND t.done = 0 ORDER BY t.number LIMIT 1",
            source,
        )
        return Document(*rows[0]) if rows else None

    def keep(self, source: Source, items: Sequence[tuple[str, Item]], at_us: int, document: str = "") -> list[int]:
        """See ``ports.mirrors.Sightings``."""
        with self._writing():
            return self._keep(source, items, at_us, document)

    def keep_document(self, source: Source, document: Document, got: Got, told: Told | None, at_us: int) -> list[int]:
        """See ``ports.mirrors.Sightings``."""
        run, at = self._connection.execute, (source.name, document.address)
        with self._writing():
            new: list[int] = []
            if told is None:
                rows = self._rows("SELECT leads FROM document WHERE source = ? AND address = ?", *at)
                leads = json.loads(rows[0][0]) if rows else []
                run("UPDATE sighting SET seen_us = ? WHERE source = ? AND document = ?", (at_us, *at))
            else:
                leads = told.leads
                new = self._keep(source, [(told.kind, item) for item in told.items], at_us, document.address)
                # What was not read to its end is asked for whole the next time.
                etag, modified = ("", "") if told.faults else (got.etag, got.modified)
                run(
                    "INSERT OR REPLACE INTO document (source, address, etag, modified, leads) VALUES (?, ?, ?, ?, ?)",
                    (*at, etag, modified, json.dumps(leads)),
                )
            self._lead(source.name, leads, document.depth + 1)
            self._done(source.name, document.address)
        return new

    def pass_over(self, source: str, document: Document) -> None:
        """See ``ports.mirrors.Sightings``."""
        with self._writing():
            self._done(source, document.address)

    def rest(self, host: str, until_us: int) -> None:
        """See ``ports.mirrors.Sightings``."""
        with self._writing():
            self._connection.execute("INSERT OR REPLACE INTO host (host, until_us) VALUES (?, ?)", (host, until_us))

    def rests_until(self, host: str) -> int:
        """See ``ports.mirrors.Sightings``."""
        rows = self._rows("SELECT until_us FROM host WHERE host = ?", host)
        return int(rows[0][0]) if rows else 0

    def end(self, source: Source, at_us: int, *, documents: int, seen: int, new: int) -> None:
        """See ``ports.mirrors.Sightings``."""
        with self._writing():
            self._connection.execute(
                "UPDATE permission SET ended_us = ?, documents = ?, seen = ?, new = ?"
                " WHERE number = (SELECT MAX(number) FROM permission WHERE source = ?)",
                (at_us, documents, seen, new, source.name),
            )

    def untold(self, source: str) -> Iterator[tuple[Sighted, bool]]:
        """See ``ports.mirrors.Sightings``."""
        last = 0
        while rows := self._rows(
            f"SELECT told, {_COLUMNS} FROM sighting"  # noqa: S608 -- our names
            " WHERE source = ? AND told != 1 AND number > ? ORDER BY number LIMIT ?",
            source,
            last,
            _AT_ONCE,
        ):
            last = rows[-1][1]
            yield from ((_sighted(row[1:]), row[0] == 0) for row in rows)

    def told(self, source: str) -> None:
        """See ``ports.mirrors.Sightings``."""
        with self._writing():
            self._connection.execute("UPDATE sighting SET told = 1 WHERE source = ? AND told != 1", (source,))

    def unheard(self, source: str) -> list[Sighted]:
        """See ``ports.mirrors.Sightings``."""
        rows = self._rows(
            f"SELECT {_COLUMNS} FROM sighting"  # noqa: S608 -- our names
            " WHERE source = ? AND what = 'sound' AND heard IS NULL AND why_not = ''"
            " AND COALESCE(digest, '') NOT LIKE 'urn:%' ORDER BY number",  # what lies in a torrent lies nowhere
            source,
        )
        return [_sighted(row) for row in rows]

    def cases_of(self, source: str) -> list[str]:
        """See ``ports.mirrors.Sightings``."""
        rows = self._rows(
            'SELECT "case" FROM sighting WHERE source = ? AND "case" != \'\' ORDER BY number DESC', source
        )
        return list(dict.fromkeys(case for (case,) in rows))

    def unopened(self, source: str) -> list[Sighted]:
        """See ``ports.mirrors.Sightings``."""
        rows = self._rows(
            f"SELECT {_COLUMNS} FROM sighting"  # noqa: S608 -- our names
            " WHERE source = ? AND ours != '[]' AND \"case\" = '' ORDER BY number",
            source,
        )
        return [_sighted(row) for row in rows]

    def update(self, number: int, **said: Any) -> None:
        """See ``ports.mirrors.Sightings``."""
        unknown = set(said) - set(_SAID)
        if unknown or not said:
            raise TypeError(f"a sighting has no {', '.join(unknown) or 'such thing'}")
        values = [json.dumps(value) if isinstance(value, list) else value for value in said.values()]
        sets = ", ".join([*(f'"{name}" = ?' for name in said), "told = CASE told WHEN 1 THEN 2 ELSE told END"])
        with self._writing():
            self._connection.execute(f"UPDATE sighting SET {sets} WHERE number = ?", (*values, number))  # noqa: S608

    def table(self) -> pa.Table:
        """Give all that was seen, as ``SIGHTING``."""
        names = ", ".join(SIGHTING.names)
        rows = self._rows(f"SELECT {names} FROM sighting ORDER BY number")  # noqa: S608 -- our names
        columns = zip(*rows, strict=True) if rows else [()] * len(SIGHTING.names)
        arrays = [
            pa.array([value if value != "" else None for value in column], field.type)
            for column, field in zip(columns, SIGHTING, strict=True)
        ]
        return pa.table(arrays, schema=SIGHTING)

    def log(self) -> list[dict[str, Any]]:
        """Give every round: who was asked, when, who permitted it, and what came of it; the oldest first."""
        names = ("source", "permitted_by", "at_us", "ended_us", "documents", "seen", "new")
        rows = self._rows(f"SELECT {', '.join(names)} FROM permission ORDER BY number")  # noqa: S608 -- our names
        return [dict(zip(names, row, strict=True)) for row in rows]

    def _keep(self, source: Source, items: Sequence[tuple[str, Item]], at_us: int, document: str) -> list[int]:
        run, new = self._connection.execute, []
        for kind, one in items:
            said = (one.title, one.artist, one.length_us, one.bytes, one.changed_us, one.digest, one.isrc)
            made = run(
                "INSERT OR IGNORE INTO sighting (source, url, kind, what, title, artist, length_us, bytes, changed_us,"
                " digest, isrc, permitted_by, first_us, seen_us, document)"
                " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
                (source.name, one.url, kind, one.what, *said, source.permitted_by, at_us, at_us, document),
            )
            if made.rowcount:
                new.append(int(made.lastrowid or 0))
                continue
            # What is said to be another file by now has not been heard.
            run(
                "UPDATE sighting SET heard = NULL, why_not = '', file = '', ours = '[]', issued = NULL"
                " WHERE source = ? AND url = ? AND ((? IS NOT NULL AND bytes IS NOT ?)"
                " OR (? IS NOT NULL AND changed_us IS NOT ?))",
                (source.name, one.url, one.bytes, one.bytes, one.changed_us, one.changed_us),
            )
            run(
                "UPDATE sighting SET seen_us = ?, document = ?, permitted_by = ?, kind = ?, what = ?,"
                " title = COALESCE(NULLIF(?, ''), title), artist = COALESCE(NULLIF(?, ''), artist),"
                " length_us = COALESCE(?, length_us), bytes = COALESCE(?, bytes), changed_us = COALESCE(?, changed_us),"
                " digest = COALESCE(NULLIF(?, ''), digest), isrc = COALESCE(NULLIF(?, ''), isrc)"
                " WHERE source = ? AND url = ?",
                (at_us, document, source.permitted_by, kind, one.what, *said, source.name, one.url),
            )
        return new

    def _lead(self, source: str, addresses: Sequence[str], depth: int) -> None:
        self._connection.executemany(
            "INSERT OR IGNORE INTO todo (source, address, depth) VALUES (?, ?, ?)",
            [(source, address, depth) for address in addresses],
        )

    def _done(self, source: str, address: str) -> None:
        self._connection.execute("UPDATE todo SET done = 1 WHERE source = ? AND address = ?", (source, address))


@contextlib.contextmanager
def watching_alone(folder: Path) -> Iterator[None]:
    """Lock out everybody else who watches from this workspace: two would ask twice as often.

    Raises
    ------
    LifecycleError
        When somebody does.
    """
    doing = "locking the workspace to watch from it"
    with reaching(doing):
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    busy = LifecycleError(
        f"`riparian watch` runs on `{folder}`, wanted nobody else who asks the same",
        hint="End it first, or name another --workspace.",
    )
    with locked_alone(folder / _LOCK, doing, busy):
        yield


def _sighted(row: tuple[Any, ...]) -> Sighted:
    number, source, kind, what, url, title, artist, length, size, changed, digest, isrc, permitted, first, seen = row[
        :15
    ]
    file, heard, why_not, ours, issued, case = row[15:]
    item = Item(url, What(what), title, artist, length, size, changed, digest, isrc)
    named = tuple(json.loads(issued)) if issued is not None else None
    return Sighted(
        number,
        source,
        kind,
        item,
        permitted,
        first,
        seen,
        file,
        heard,
        why_not,
        tuple(json.loads(ours)),
        named,
        case,
    )
