"""Which documents were taken, and how much of each?

A document is known by its digest; one without a digest by its name, until it has ended, since what has the same name
later may be another.
"""

# ruff: noqa: S608  only names of our own columns are put into statements

from collections.abc import Iterable, Sequence
from typing import Final

import pyarrow as pa

from riparian.catalogue.holdings import Document, Holding
from riparian.stores.catalogue.file import Connection

_SEEN: Final = pa.schema(
    [
        pa.field("number", pa.int64()),
        *(pa.field(name, pa.string()) for name in ("name", "kind", "version", "sender")),
        pa.field("stated_us", pa.int64()),
        pa.field("digest", pa.string()),
        pa.field("taken_us", pa.int64()),
        pa.field("batches", pa.int64()),
    ]
)
_IS: Final = "d.kind = a.kind AND (d.digest = a.digest AND a.digest <> '' OR a.digest = '' AND d.digest = ''"
_OPEN: Final = f"{_IS} AND d.name = a.name AND NOT d.whole)"

_Key = tuple[str, str, str]


def noted(connection: Connection, holdings: Sequence[Holding], at_us: int) -> tuple[list[tuple[int, Holding]], int]:
    """Note batches as taken; give those that were not, each with the number of its document, and how many were."""
    known = _known(connection, (holding.document for holding in holdings))
    ((n,),) = connection.execute("SELECT count(*) FROM document").fetchall()
    fresh: list[tuple[int, Holding]] = []
    new: dict[int, Document] = {}
    batches: dict[int, int] = {}
    for holding in holdings:
        key = _key(holding.document)
        if key not in known:
            known[key] = n + len(new), 0
            new[known[key][0]] = holding.document
        number, taken = known[key]
        # A batch that is taken is not taken again, whoever was killed before he could say so.
        if holding.number >= max(taken, batches.get(number, 0)):
            fresh.append((number, holding))
            batches[number] = holding.number + 1
    _write(connection, new, batches, at_us)
    return fresh, len(holdings) - len(fresh)


def number_of(connection: Connection, document: Document, at_us: int) -> int:
    """Give the number of a document that is always the same one, whatever it says; it is noted if it was not."""
    named = "SELECT number FROM document WHERE kind = ? AND name = ? ORDER BY number LIMIT 1"
    found = connection.execute(named, [document.kind, document.name]).fetchall()
    if not found:
        found = connection.execute("SELECT count(*) FROM document").fetchall()
        _write(connection, {found[0][0]: document}, {}, at_us)
    connection.execute("UPDATE document SET taken_us = ?, whole = TRUE WHERE number = ?", [at_us, found[0][0]])
    return int(found[0][0])


def end(connection: Connection, ended: Sequence[Document]) -> None:
    """Note that documents have no further batches."""
    if ended:
        _arrive(connection, ended)
        connection.execute(f"UPDATE document AS d SET whole = TRUE FROM arriving AS a WHERE {_OPEN}")
        connection.unregister("arriving")


def forget(connection: Connection, names: Sequence[str]) -> int:
    """Forget that documents of these names were taken; give how many there were."""
    marks = ", ".join("?" * len(names))
    ((n,),) = connection.execute(f"SELECT count(*) FROM document WHERE name IN ({marks})", names).fetchall()
    connection.execute(f"UPDATE document SET batches = 0, whole = FALSE WHERE name IN ({marks})", names)
    return int(n)


def _key(document: Document) -> _Key:
    return document.kind, document.digest, "" if document.digest else document.name


def _known(connection: Connection, documents: Iterable[Document]) -> dict[_Key, tuple[int, int]]:
    _arrive(connection, list(documents))
    rows = connection.execute(
        "SELECT DISTINCT d.kind, d.digest, a.name, d.number, d.batches"
        f" FROM document AS d JOIN arriving AS a ON {_OPEN} ORDER BY d.number"
    ).fetchall()
    connection.unregister("arriving")
    return {(kind, digest, "" if digest else name): (number, batches) for kind, digest, name, number, batches in rows}


def _arrive(connection: Connection, documents: Iterable[Document]) -> None:
    rows = [{"name": each.name, "kind": each.kind, "digest": each.digest} for each in dict.fromkeys(documents)]
    connection.register("arriving", pa.Table.from_pylist(rows, schema=_SEEN))


def _write(connection: Connection, new: dict[int, Document], batches: dict[int, int], at_us: int) -> None:
    rows = [
        {
            "number": number, "name": each.name, "kind": each.kind, "version": each.version, "sender": each.sender,
            "stated_us": each.stated_us, "digest": each.digest, "taken_us": at_us, "batches": 0,
        }
        for number, each in new.items()
    ]  # fmt: skip
    connection.register("arriving", pa.Table.from_pylist(rows, schema=_SEEN))
    connection.execute("INSERT INTO document SELECT *, FALSE FROM arriving")
    connection.unregister("arriving")
    rows = [{"number": number, "batches": n} for number, n in batches.items()]
    connection.register("arriving", pa.Table.from_pylist(rows, schema=_SEEN))
    connection.execute(
        "UPDATE document AS d SET batches = a.batches, taken_us = ? FROM arriving AS a WHERE a.number = d.number",
        [at_us],
    )
    connection.unregister("arriving")
