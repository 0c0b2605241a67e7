"""What was found of the files of recordings, and does what is kept fit together?"""

# ruff: noqa: S608  only names of our own tables are put into statements

from collections.abc import Iterator, Sequence
from typing import Final

import duckdb
import pyarrow as pa

from riparian.ports.catalogue import Looked, Master, Scrub, State
from riparian.stores.catalogue.file import Connection, File, asking
from riparian.stores.catalogue.taking import value
from riparian.stores.catalogue.wording import CODE

_MASTER: Final = "f.place, r.recording, f.path, f.bytes, f.algorithm, f.digest"
_FIXITY: Final = "fixity AS f JOIN recording AS r ON r.number = f.number"
_TO_DO: Final = "f.path IS NOT NULL AND (f.looked_us IS NULL OR f.looked_us < ?)"
_LOOKED: Final = pa.schema([("place", pa.int64()), ("state", pa.string()), ("found", pa.string())])
_TABLES: Final = (
    *("recording", "identifier", "title", "release", "track", "artwork", "played"),
    *("term", "fixity", "document", "said", "refused", "posting"),
)
_FITS: Final = {
    "recordings have the name of another one": "SELECT count(*) - count(DISTINCT recording) FROM recording",
    "recordings have the number of another one": "SELECT count(*) - count(DISTINCT number) FROM recording",
    "recordings are not filed under their name": "SELECT count(*) FROM recording WHERE number NOT IN"
    " (SELECT p.number FROM posting AS p JOIN recording AS r"
    f" ON r.number = p.number AND p.word = '{CODE}' || lower(r.recording))",
    "words are filed for recordings that are not there": "SELECT count(*) FROM posting"
    " WHERE number NOT IN (SELECT number FROM recording)",
    "identifiers are of recordings that are not there": "SELECT count(*) FROM identifier"
    " WHERE number NOT IN (SELECT number FROM recording)",
    "files are of recordings that are not there": "SELECT count(*) FROM fixity"
    " WHERE number NOT IN (SELECT number FROM recording)",
}


class Masters:
    """Scrubs, as ``ports.catalogue.Holdings`` says."""

    _file: File

    def scrub(self, begun_us: int, *, anew: bool = False) -> Scrub:
        """See ``ports.catalogue.Holdings``."""
        with asking("beginning a scrub"), self._file.writing() as connection:
            begun = value(connection, "scrub")
            if anew or begun is None or not _counted(connection, begun).left:
                connection.execute("DELETE FROM setting WHERE name = 'scrub'")
                connection.execute("INSERT INTO setting VALUES ('scrub', ?)", [begun_us])
                begun = begun_us
            return _counted(connection, begun)

    def unseen(self, n: int) -> list[Master]:
        """See ``ports.catalogue.Holdings``."""
        with asking("reading the catalogue"), self._file.reading() as connection:
            rows = connection.execute(
                f"SELECT {_MASTER} FROM {_FIXITY} WHERE {_TO_DO} ORDER BY f.place LIMIT {n:d}",
                [value(connection, "scrub")],
            ).fetchall()
        return [Master(*row) for row in rows]

    def keep_looked(self, looked: Sequence[Looked], at_us: int) -> None:
        """See ``ports.catalogue.Holdings``."""
        rows = [{"place": one.master.number, "state": one.state.value, "found": one.found} for one in looked]
        arriving = pa.Table.from_pylist(rows, schema=_LOOKED)
        with asking("noting what was found of files"), self._file.writing() as connection:
            connection.register("arriving", arriving)
            # A clock that was set back must not make a scrub go round for ever.
            connection.execute(
                """UPDATE fixity SET looked_us = greatest(?, (SELECT value FROM setting WHERE name = 'scrub')),
                state = a.state, found = a.found FROM arriving AS a WHERE a.place = fixity.place""",
                [at_us],
            )
            connection.unregister("arriving")

    def amiss(self) -> Iterator[tuple[Looked, Sequence[str]]]:
        """See ``ports.catalogue.Holdings``."""
        with asking("reading the catalogue"), self._file.reading() as connection:
            rows = connection.execute(f"""SELECT {_MASTER}, f.state, f.found, list(w.path ORDER BY w.path)
                FROM {_FIXITY} LEFT JOIN fixity AS w ON w.algorithm = f.algorithm AND w.digest = f.digest
                    AND w.state = '{State.WELL.value}'
                WHERE f.state <> '{State.WELL.value}' GROUP BY ALL ORDER BY f.place""")
            while some := rows.fetchmany(1_000):
                for *master, state, found, copies in some:
                    well = [copy for copy in copies or () if copy is not None]
                    yield Looked(Master(*master), State(state), found), well

    def check(self) -> list[str]:
        """See ``ports.catalogue.Holdings``."""
        with asking("reading the catalogue"), self._file.reading() as connection:
            return [*_unreadable(connection), *_unfitting(connection)]


def _counted(connection: Connection, begun_us: int) -> Scrub:
    ((left, all_of_them, nowhere),) = connection.execute(
        f"SELECT count(*) FILTER ({_TO_DO}), count(*) FILTER (f.path IS NOT NULL), count(*) FILTER (f.path IS NULL)"
        f" FROM {_FIXITY}",
        [begun_us],
    ).fetchall()
    return Scrub(begun_us, all_of_them - left, left, nowhere)


def _unreadable(connection: Connection) -> Iterator[str]:
    for table in _TABLES:
        try:
            connection.execute(f"SELECT count(*), bit_xor(hash(t)) FROM {table} AS t").fetchall()
        except duckdb.Error as error:
            yield f"the table `{table}` cannot be read: {str(error).splitlines()[0]}"


def _unfitting(connection: Connection) -> Iterator[str]:
    for what, statement in _FITS.items():
        try:
            ((n,),) = connection.execute(statement).fetchall()
        except duckdb.Error as error:
            yield f"whether {what} cannot be told: {str(error).splitlines()[0]}"
            continue
        if n:
            yield f"{n:,} {what}"
