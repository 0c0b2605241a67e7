"""What are the tables of a SQLite file that somebody else has made?

It is opened read-only and as if nobody wrote to it; its schema is not trusted, its views and virtual tables are not
read, and what is damaged is read as far as it goes.  A column that ends in ``_id`` and leads to another table brings
that table's texts along (``artist_id`` -> ``artists.name``), since scraped databases keep the names apart.
"""

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any, Final
from urllib.parse import quote

from riparian.errors import InputError
from riparian.feeds.dumps.naming import named
from riparian.feeds.dumps.sheets import (
    BATCH_ROWS,
    CELL_CHARS_MAX,
    COLUMNS_MAX,
    SHOWN_CHARS,
    Batch,
    Reject,
    Sheet,
    framed,
)

MAGIC: Final = b"SQLite format 3\0"
_VALUE_BYTES_MAX: Final = 64 << 20
_TABLES_MAX: Final = 1000
_STATEMENT_CHARS_MAX: Final = 1 << 20
_NAMES: Final = ("name", "title")


def database_sheets(source: str, held: Path | bytes) -> Iterator[Sheet | Reject]:
    """Give every table of a file, or of the bytes of one; each is read before the next one is asked for."""
    try:
        with closing(_connected(held)) as database:
            tables = _tables(database)
            worth = {name: _fields_named(name, tables) for name in tables}
            for name in tables:
                if max(worth.values()) > 1 >= worth[name]:
                    there = ", ".join(tables[name])[:SHOWN_CHARS]
                    yield Reject(f"{source}/{name}", 0, "holds no recordings, by the names of its columns", there)
                    continue
                yield Sheet(f"{source}/{name}", "SQLite", _batches(database, f"{source}/{name}", name, tables))
    except (sqlite3.Error, InputError, MemoryError) as error:
        yield Reject(source, 0, f"is a damaged SQLite file ({_short(error)})")


def _short(error: BaseException) -> str:
    return str(error)[:120]


def _connected(held: Path | bytes) -> sqlite3.Connection:
    if isinstance(held, Path):
        database = sqlite3.connect(f"file:{quote(str(held.absolute()))}?mode=ro&immutable=1", uri=True)
    else:
        database = sqlite3.connect(":memory:")
        database.deserialize(held)
    database.setlimit(sqlite3.SQLITE_LIMIT_LENGTH, _VALUE_BYTES_MAX)
    database.setlimit(sqlite3.SQLITE_LIMIT_SQL_LENGTH, _STATEMENT_CHARS_MAX)
    database.setlimit(sqlite3.SQLITE_LIMIT_ATTACHED, 0)
    for pragma in ("trusted_schema=OFF", "cell_size_check=ON", "query_only=ON", "mmap_size=0", "temp_store=MEMORY"):
        database.execute(f"PRAGMA {pragma}")
    database.text_factory = lambda octets: octets.decode("utf-8", "replace")
    return database


def _tables(database: sqlite3.Connection) -> dict[str, list[str]]:
    found = database.execute(
        "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite\\_%' ESCAPE '\\'"
        " AND sql NOT LIKE 'CREATE VIRTUAL%' LIMIT ?",
        (_TABLES_MAX,),
    ).fetchall()
    tables = {}
    for (name,) in found:
        columns = [row[1] for row in database.execute(f"PRAGMA table_info({_quoted(name)})")]
        if columns:
            tables[str(name)] = columns[:COLUMNS_MAX]
    return tables


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def _led_to(column: str, name: str, tables: dict[str, list[str]]) -> tuple[str, str, str] | None:
    """Say to which table, by which of its columns, a column leads, and what is called something there."""
    stem = column.lower().removesuffix("_rowid").removesuffix("_id")
    if stem == column.lower():
        return None
    for other, columns in tables.items():
        if other == name or other.lower() not in {stem, f"{stem}s", f"{stem}es"}:
            continue
        keys = [each for each in columns if each.lower() in {"id", column.lower(), "rowid"}]
        texts = [each for each in columns if each.lower() in {*_NAMES, f"{stem}_name", f"{stem}_title", stem}]
        if texts and (keys or column.lower().endswith("_rowid")):
            return other, keys[0] if keys else "rowid", texts[0]
    return None


def _fields_named(name: str, tables: dict[str, list[str]]) -> int:
    """Count which of the things that tell a recording a table has: a title, and more than a title."""
    led = [f"{other[0]}.{other[2]}" for column in tables[name] if (other := _led_to(column, name, tables))]
    fields = {named(each) for each in [*tables[name], *led]}
    return len(fields & {"title", "artist", "duration_ms", "isrc", "mbid"}) if fields & {"title", "isrc"} else 0


def _batches(database: sqlite3.Connection, source: str, name: str, tables: dict[str, list[str]]) -> Iterator[Batch]:
    columns, joined, shown = tables[name], [], []
    for place, column in enumerate(columns):
        led = _led_to(column, name, tables)
        if led is not None:
            other, key, text = led
            joined.append(f"LEFT JOIN {_quoted(other)} j{place} ON j{place}.{_quoted(key)} = t.{_quoted(column)}")
            shown.append((f"{other}.{text}", f"j{place}.{_quoted(text)}"))
    shown = [(column, f"t.{_quoted(column)}") for column in columns] + shown
    picked = ", ".join(f"substr({value}, 1, {CELL_CHARS_MAX})" for _, value in shown)
    asked = f"SELECT {picked} FROM {_quoted(name)} t {' '.join(joined)}"  # noqa: S608 -- names are quoted
    names = [title for title, _ in shown]
    try:
        cursor = database.execute(asked)
        yield from _read(cursor, source, names)
    except sqlite3.Error as error:
        yield Batch(framed({title: [] for title in names}), (Reject(source, 0, f"is damaged ({_short(error)})"),))


def _read(cursor: sqlite3.Cursor, source: str, names: list[str]) -> Iterator[Batch]:
    at = 0
    while True:
        rows: list[tuple[Any, ...]] = []
        failed = ""
        try:
            while len(rows) < BATCH_ROWS and (row := cursor.fetchone()) is not None:
                rows.append(row)
        except (sqlite3.Error, MemoryError) as error:
            failed = f"is damaged from here on ({_short(error)})"
        at += len(rows)
        columns = [[_text(value) for value in column] for column in zip(*rows, strict=True)] or [[] for _ in names]
        rejects = (Reject(source, at + 1, failed),) if failed else ()
        if rows or failed:
            yield Batch(framed(dict(zip(names, columns, strict=True))), rejects)
        if failed or len(rows) < BATCH_ROWS:
            return


def _text(value: Any) -> str | None:
    if value is None or isinstance(value, str):
        return value
    return value.decode("utf-8", "replace") if isinstance(value, bytes) else repr(value)
