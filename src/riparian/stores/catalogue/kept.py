"""What does the catalogue answer, and what does it keep?

See :mod:`riparian.stores.catalogue` for what is where, and what an interruption leaves.
"""

# ruff: noqa: S608  only names of our own tables are put into statements

import contextlib
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

import pyarrow as pa

from riparian.catalogue.holdings import HELD, Document, Holding, held
from riparian.ports import Clock
from riparian.ports.catalogue import Entry, Page, Question, Taken
from riparian.schema import RECORDING, TERM
from riparian.stores.catalogue import documents
from riparian.stores.catalogue.documents import forget
from riparian.stores.catalogue.file import Connection, File, asking
from riparian.stores.catalogue.masters import Masters
from riparian.stores.catalogue.search import as_held, codes_in, each, page
from riparian.stores.catalogue.tables import VALUES
from riparian.stores.catalogue.taking import take, value
from riparian.stores.catalogue.wording import settle
from riparian.stores.files import read_table

SCANNED: Final = Document("a list of all that is held", "table")
_ROWS: Final = 65_536
_PARTS: Final = {
    "identifiers": "SELECT kind, value FROM identifier WHERE number = ? ORDER BY ALL",
    "titles": "SELECT title, artist, language, kind FROM title WHERE number = ? ORDER BY ALL",
    "releases": "SELECT t.disc, t.track, r.* FROM track AS t LEFT JOIN release AS r USING (release)"
    " WHERE t.number = ? ORDER BY r.released, t.release, t.disc, t.track",
    "artworks": "SELECT DISTINCT a.* EXCLUDE (number) FROM artwork AS a WHERE a.number = $1"
    " OR a.release IN (SELECT release FROM track WHERE number = $1) ORDER BY ALL",
    "played": 'SELECT "on", measure, value FROM played WHERE number = ? ORDER BY ALL',
    "terms": f"SELECT {', '.join(name for name in TERM.names if name != 'subject')} FROM term WHERE number = $1"
    " OR scope = 'all' OR scope = 'label' AND lower(subject) = (SELECT lower(label) FROM recording WHERE number = $1)"
    " ORDER BY place",
    "fixity": "SELECT path, bytes, algorithm, digest, looked_us, state, found FROM fixity WHERE number = ?"
    " ORDER BY place",
    "documents": "SELECT d.name, d.kind, d.version, d.sender, d.taken_us FROM said AS s"
    " JOIN document AS d ON d.number = s.document WHERE s.number = ? ORDER BY d.number",
}
_OF_RECORDINGS: Final = ("identifier", "title", "track", "artwork", "played", "fixity", "said", "posting")
_AT_ONCE: Final = 1_000_000
_COUNTED: Final = {
    "recordings": "recording WHERE held",
    "not_held": "recording WHERE NOT held",
    "identifiers": "identifier",
    "titles": "title",
    "releases": "release",
    "artworks": "artwork",
    "played": "played",
    "terms": "term",
    "files": "fixity",
    "documents": "document",
    "refused": "refused",
    "postings": "posting",
}


class DuckHoldings(Masters):
    """``ports.catalogue.Holdings`` in one DuckDB file, or in memory.

    Parameters
    ----------
    folder
        The workspace; None for memory.
    clock
        Dates what says no date.
    threads
        At most; None for as many as there are cores.
    """

    def __init__(self, folder: Path | None, clock: Clock, *, threads: int | None = None) -> None:
        self._clock = clock
        self._file = File(folder, self._adopt, threads=threads)

    def close(self) -> None:
        """Let go of what is in memory."""
        self._file.close()

    @property
    def state(self) -> str:
        """See ``ports.catalogue.Holdings``."""
        if not self._file.exists:
            return "0"
        with asking("reading the catalogue"), self._file.reading() as connection:
            return str(value(connection, "state"))

    @contextlib.contextmanager
    def open(self) -> Iterator[None]:
        """See ``ports.catalogue.Holdings``."""
        with asking("opening the catalogue"), self._file.reading():
            yield

    def recordings(self) -> pa.Table | None:
        """See ``ports.Catalogue``."""
        if not self._file.exists:
            return None
        with asking("reading the catalogue"), self._file.reading() as connection:
            names = ", ".join(f'"{name}"' for name in RECORDING.names)
            rows = connection.sql(f"SELECT {names} FROM recording WHERE held ORDER BY number").to_arrow_table()
            known = bool(rows.num_rows) or bool(connection.execute("SELECT 1 FROM document LIMIT 1").fetchall())
        if not known:
            return None
        # What nobody has said of any recording is no column.
        said = [name for name in RECORDING.names if name == "recording" or rows[name].null_count < rows.num_rows]
        return rows.select(said).cast(pa.schema([RECORDING.field(name) for name in said]))

    def keep(self, recordings: pa.Table) -> None:
        """See ``ports.Catalogue``."""
        with asking("keeping the catalogue"), self._file.writing() as connection:
            _replace(connection, recordings, self._clock.now_us())
            settle(connection)

    def take(self, *holdings: Holding, ended: Sequence[Document] = (), at_us: int | None = None) -> Taken:
        """See ``ports.catalogue.Holdings``."""
        at_us = self._clock.now_us() if at_us is None else at_us
        with asking("adding to the catalogue"), self._file.writing() as connection:
            fresh, again = documents.noted(connection, holdings, at_us)
            taken = take(connection, fresh, at_us) if fresh else Taken()
            documents.end(connection, ended)
        taken.again = again
        return taken

    def settle(self) -> None:
        """See ``ports.catalogue.Holdings``."""
        with asking("putting the catalogue in order"), self._file.writing() as connection:
            settle(connection)

    def forget(self, documents: Sequence[str]) -> int:
        """See ``ports.catalogue.Holdings``."""
        with asking("forgetting documents"), self._file.writing() as connection:
            return forget(connection, documents)

    def search(self, question: Question, *, first: int = 0, rows: int = 20, after: str = "") -> Page:
        """See ``ports.catalogue.Holdings``."""
        with asking("searching the catalogue"), self._file.reading() as connection:
            return page(connection, question, first, rows, after)

    def found(self, question: Question) -> Iterator[pa.RecordBatch]:
        """See ``ports.catalogue.Holdings``."""
        with asking("searching the catalogue"), self._file.reading() as connection:
            yield from each(connection, question)

    def whole(self, columns: Sequence[str] | None = None) -> Iterator[pa.RecordBatch]:
        """See ``ports.catalogue.Holdings``."""
        names = ", ".join(f'"{name}"' for name in columns or HELD.names)
        with asking("reading the catalogue"), self._file.reading() as connection:
            rows = connection.sql(f"SELECT {names} FROM recording WHERE held ORDER BY number")
            for batch in rows.to_arrow_reader(_ROWS):
                yield from as_held(pa.Table.from_batches([batch])).to_batches()

    def codes(self) -> pa.Table:
        """See ``ports.catalogue.Holdings``."""
        with asking("reading the catalogue"), self._file.reading() as connection:
            return connection.sql(
                "SELECT r.recording, x.kind, x.value FROM recording AS r JOIN ("
                "SELECT number, kind, value FROM identifier UNION ALL SELECT number, algorithm, digest FROM fixity"
                ") AS x ON x.number = r.number WHERE r.held ORDER BY r.number, x.kind, x.value"
            ).to_arrow_table()

    def entries(self, name: str) -> list[Entry]:
        """See ``ports.catalogue.Holdings``."""
        if not self._file.exists:
            return []
        with asking("reading the catalogue"), self._file.reading() as connection:
            return [_entry(connection, number) for number in named(connection, name)]

    def remove(self, names: Sequence[str]) -> int:
        """See ``ports.catalogue.Holdings``."""
        with asking("removing from the catalogue"), self._file.writing() as connection:
            marks = ", ".join("?" * len(names))
            gone = connection.execute(f"SELECT number FROM recording WHERE recording IN ({marks})", names).fetchall()
            numbers = ", ".join(str(number) for (number,) in gone)
            for table in ("recording", *_OF_RECORDINGS) if gone else ():
                connection.execute(f"DELETE FROM {table} WHERE number IN ({numbers})")
            connection.execute("UPDATE setting SET value = value + ? WHERE name = 'state'", [int(bool(gone))])
        return len(gone)

    def terms(self, *, as_said: bool = False, about: Sequence[str] | None = None) -> pa.Table:
        """See ``ports.catalogue.Holdings``."""
        if not self._file.exists:
            return TERM.empty_table()
        where, names = _about(about)
        subject = "t.subject" if as_said else "coalesce(r.recording, t.subject)"
        columns = ", ".join(subject if name == "subject" else f"t.{name}" for name in TERM.names)
        with asking("reading the ledger of terms"), self._file.reading() as connection:
            rows = connection.sql(
                f"SELECT {columns} FROM term AS t LEFT JOIN recording AS r ON r.number = t.number"
                f" {where} ORDER BY t.place",
                params=names or None,
            ).to_arrow_table()
        return rows.rename_columns(TERM.names).cast(TERM)

    def documents(self) -> list[Mapping[str, Any]]:
        """See ``ports.catalogue.Holdings``."""
        if not self._file.exists:
            return []
        with asking("reading the catalogue"), self._file.reading() as connection:
            return _rows(connection, "SELECT * EXCLUDE (number) FROM document ORDER BY number")

    def refusals(self, last: int | None = None) -> Iterator[Mapping[str, Any]]:
        """See ``ports.catalogue.Holdings``."""
        with asking("reading the catalogue"), self._file.reading() as connection:
            rows = connection.sql(
                "SELECT d.name AS document, r.place, r.why FROM refused AS r"
                " JOIN document AS d ON d.number = r.document ORDER BY r.rowid DESC"
                + ("" if last is None else f" LIMIT {last:d}")
            )
            for batch in rows.to_arrow_reader(_ROWS):
                yield from batch.to_pylist()

    def totals(self) -> dict[str, Any]:
        """See ``ports.catalogue.Holdings``."""
        if not self._file.exists:
            return dict.fromkeys([*_COUNTED, "bytes"], 0)
        with asking("reading the catalogue"), self._file.reading() as connection:
            counts = ", ".join(f"(SELECT count(*) FROM {source}) AS {name}" for name, source in _COUNTED.items())
            (told,) = _rows(connection, f"SELECT {counts}")
        path = self._file.path
        return {**told, "bytes": path.stat().st_size if path is not None else 0}

    def _adopt(self, connection: Connection, old: Path) -> None:
        """Take the catalogue of an older workspace over."""
        connection.execute("BEGIN")
        _replace(connection, read_table(old), self._clock.now_us())
        connection.execute("COMMIT")


def _about(recordings: Sequence[str] | None) -> tuple[str, list[str]]:
    """Write which terms are meant, and what stands for the marks: those of these recordings, and of no single one."""
    if recordings is None:
        return "", []
    marks = ", ".join("?" * len(recordings))
    of_them = f" OR t.number IN (SELECT number FROM recording WHERE recording IN ({marks}))" if recordings else ""
    return f"WHERE (t.scope <> 'recording'{of_them})", list(recordings)


def named(connection: Connection, name: str) -> list[int]:
    """List the recordings of a name; where there are none, those that have it as an identifier."""
    exact = connection.execute("SELECT number FROM recording WHERE recording = ?", [name]).fetchall()
    codes = codes_in(name)
    marks = ", ".join("?" * len(codes))
    found = (
        exact
        or connection.execute(
            f"SELECT DISTINCT number FROM posting WHERE word IN ({marks}) ORDER BY number", codes
        ).fetchall()
    )
    return [number for (number,) in found]


def _entry(connection: Connection, number: int) -> Entry:
    names = ", ".join(f'"{name}"' for name in HELD.names)
    (row,) = _rows(connection, f"SELECT held, {names} FROM recording WHERE number = {number:d}")
    parts = {part: _rows(connection, statement, number) for part, statement in _PARTS.items()}
    return Entry(
        {name: told for name, told in row.items() if name != "held"},
        bool(row["held"]),
        {part: rows for part, rows in parts.items() if rows},
    )


def _rows(connection: Connection, statement: str, *values: Any) -> list[Mapping[str, Any]]:
    """Give rows as mappings; absent values are left out."""
    rows = connection.sql(statement, params=list(values) or None).to_arrow_table().to_pylist()
    return [{name: told for name, told in row.items() if told is not None} for row in rows]


def _replace(connection: Connection, recordings: pa.Table, at_us: int) -> None:
    """Hold these, and nothing else."""
    numbered: list[Holding] = []
    listed = held(recordings)
    for first in range(0, max(1, len(listed)), _AT_ONCE):
        numbered.append(Holding(SCANNED, len(numbered), listed.slice(first, _AT_ONCE)))
    number = documents.number_of(connection, SCANNED, at_us)
    replaced = [name for name in recordings.column_names if name in VALUES]
    take(connection, [(number, each) for each in numbered], at_us, replaced=replaced)
