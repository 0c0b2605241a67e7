"""How do all rows get onto a server, all of them or none?"""

# ruff: noqa: S608  only names of our own tables and columns are put into statements

import io
from collections.abc import Sequence
from typing import Any, Final

from sqlalchemy import Connection

from riparian.errors import InputError
from riparian.stores.postgres.address import Address
from riparian.stores.postgres.server import engine_of, reported, told
from riparian.stores.postgres.versions import bring_in, grant, version_of
from riparian.stores.recorded import SCHEMA_VERSION, Recorded
from riparian.stores.rows import COLUMNS, pages

_COUNTED: Final = {"chunk": "seq", "event": "id"}
_ESCAPED: Final = str.maketrans({"\\": "\\\\", "\t": "\\t", "\n": "\\n", "\r": "\\r"})


def load(source: Recorded, owner: Address, address: Address, last_event: int) -> None:
    """Make schema and tables where they are missing, and put all rows into them; or do nothing.

    Parameters
    ----------
    source
        Which nobody writes to meanwhile.
    owner
        Who makes the tables.
    address
        Whose role may then read and write rows, and nothing else.
    last_event
        The largest number that an event ever had there: none is given twice.

    Raises
    ------
    InputError
        When there are records already, or a text cannot be kept.
    OutsideError
        When the server refuses.
    """
    engine = engine_of(owner, "riparian-move")
    with reported(owner, "moving the records"), told(), engine.begin() as connection:
        _prepare(connection, owner)
        for table, columns in COLUMNS.items():
            for page in pages(source, table):
                copy = f"COPY {table} ({', '.join(columns)}) FROM STDIN"
                connection.connection.cursor().execute(copy, stream=_text(page))  # type: ignore[call-arg]
        for table, column in _COUNTED.items():
            last = f"greatest((SELECT coalesce(max({column}), 0) FROM {table}), {last_event * (table == 'event')})"
            connection.exec_driver_sql(
                f"SELECT setval(pg_get_serial_sequence('{table}', '{column}'), {last} + 1, false)"
            )
        grant(connection, owner, address)


def _prepare(connection: Connection, owner: Address) -> None:
    there = connection.exec_driver_sql("SELECT 1 FROM pg_namespace WHERE nspname = %s", (owner.schema,)).scalar()
    if there is None:
        connection.exec_driver_sql(f"CREATE SCHEMA {owner.schema}")
    if version_of(connection, owner):
        bring_in(connection, owner, SCHEMA_VERSION)
    else:
        bring_in(connection, owner, SCHEMA_VERSION)
        return
    for table in COLUMNS:
        if connection.exec_driver_sql(f"SELECT 1 FROM {table} LIMIT 1").scalar() is not None:
            raise InputError(
                f"`{owner.url}` has other records in the schema `{owner.schema}`, wanted none there",
                hint="Name another --schema: each workspace has its own.",
            )


def _text(page: Sequence[Sequence[Any]]) -> io.BytesIO:
    return io.BytesIO("".join("\t".join(map(_field, row)) + "\n" for row in page).encode())


def _field(value: Any) -> str:
    if value is None:
        return "\\N"
    if isinstance(value, str):
        if "\0" in value:
            raise InputError(
                "a text in the records holds the character NUL, wanted texts that PostgreSQL can keep",
                hint="Leave the records where they are.",
            )
        return value.translate(_ESCAPED)
    if isinstance(value, int | float):
        return repr(value)
    return f"\\\\x{bytes(value).hex()}"
