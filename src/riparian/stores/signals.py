"""Where are signals kept that are shared with peers, and that peers shared with us?

One SQLite database in the workspace.  Whoever lets somebody in sees their token once; what is kept is its digest.

::

    collection   shelves                          object   versions of objects, in the order in which they were added
    status       what was told of additions       token    who may come in, and what they may
    peer         whom we ask                      heard    what they said, and where it stands here
    incident     when more is said than usual

Versions are kept without their ``Z``, so that texts are in the order of times, whatever they have behind the second.
"""

import hashlib
import json
import secrets
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import astuple
from pathlib import Path
from typing import Any, Final

from riparian.exchange.policy import Move, Worth, moved
from riparian.exchange.taxii import Page, Question, Row, row_of
from riparian.ports.exchange import Allowed, Collection, Heard, Incident, Peer
from riparian.stores.one_file import Layout, OneFile

NAME: Final = "signals.sqlite"
_TOKEN_BYTES: Final = 32
_TABLES: Final = (
    """CREATE TABLE collection (ident TEXT PRIMARY KEY, title TEXT NOT NULL, description TEXT NOT NULL, alias TEXT NOT
    NULL, can_read INTEGER NOT NULL, can_write INTEGER NOT NULL)""",
    """CREATE TABLE object (added_us INTEGER PRIMARY KEY, collection TEXT NOT NULL, ident TEXT NOT NULL, kind TEXT NOT
    NULL, version TEXT NOT NULL, spec TEXT NOT NULL, body BLOB NOT NULL, UNIQUE (collection, ident, version))""",
    "CREATE INDEX object_in_order ON object (collection, added_us)",
    "CREATE INDEX object_by_spec ON object (collection, ident, spec, version)",
    "CREATE TABLE status (ident TEXT PRIMARY KEY, body BLOB NOT NULL)",
    """CREATE TABLE token (name TEXT PRIMARY KEY, digest BLOB NOT NULL UNIQUE, read TEXT NOT NULL,
    write TEXT NOT NULL)""",
    """CREATE TABLE peer (name TEXT PRIMARY KEY, url TEXT NOT NULL, token TEXT NOT NULL, post_url TEXT NOT NULL, since
    TEXT NOT NULL, weighed_us INTEGER NOT NULL, sent_us INTEGER NOT NULL, mistakes INTEGER NOT NULL)""",
    """CREATE TABLE incident (name TEXT PRIMARY KEY, since_us INTEGER NOT NULL, until_us INTEGER NOT NULL, by TEXT NOT
    NULL, because TEXT NOT NULL)""",
    """CREATE TABLE heard (ident TEXT NOT NULL, peer TEXT NOT NULL, worth TEXT NOT NULL, in_case TEXT NOT NULL,
    heard_us INTEGER NOT NULL, body BLOB NOT NULL, PRIMARY KEY (ident, peer))""",
)
_LAYOUT: Final = Layout("the signals", NAME, 0x5253494E, 1, _TABLES)  # RSIN


class SqlSignals:
    """``ports.exchange.Signals`` in ``signals.sqlite``.

    Parameters
    ----------
    folder
        The workspace; it is made where it is missing.
    """

    def __init__(self, folder: Path, random: Callable[[int], bytes] = secrets.token_bytes) -> None:
        self._random = random
        self._file = OneFile(folder, _LAYOUT, threads=True)
        self._rows, self._writing = self._file.rows, self._file.writing

    def close(self) -> None:
        """Close the database."""
        self._file.close()

    def collections(self) -> Sequence[Collection]:
        """See ``ports.exchange.Signals``."""
        rows = self._rows("SELECT * FROM collection ORDER BY rowid")
        return [Collection(one[0], one[1], one[2], one[3], bool(one[4]), bool(one[5])) for one in rows]

    def collection(self, ident: str) -> Collection | None:
        """See ``ports.exchange.Signals``."""
        return next((one for one in self.collections() if ident and ident in (one.ident, one.alias)), None)

    def keep_collection(self, one: Collection) -> None:
        """Make a collection, or change what is said of it."""
        row = (one.ident, one.title, one.description, one.alias, one.can_read, one.can_write)
        with self._writing() as run:
            run("INSERT OR REPLACE INTO collection VALUES (?, ?, ?, ?, ?, ?)", row)

    def add(self, collection: str, objects: Sequence[Mapping[str, Any]], now_us: int) -> Sequence[str]:
        """See ``ports.exchange.Signals``."""
        versions = []
        with self._writing() as run:
            (last,) = run("SELECT COALESCE(MAX(added_us), -1) FROM object").fetchone()
            at_us = max(now_us, last + 1)
            for said in objects:
                row = row_of(said, at_us)
                body = json.dumps(said, ensure_ascii=False, separators=(",", ":")).encode()
                kept = (at_us, collection, row.ident, row.kind, row.version[:-1], row.spec, body)
                added = run("INSERT OR IGNORE INTO object VALUES (?, ?, ?, ?, ?, ?, ?)", kept).rowcount
                at_us += added
                versions.append(row.version)
        return versions

    def page(self, collection: str, question: Question) -> Page:
        """See ``ports.exchange.Signals``."""
        where, given = _asked(collection, question)
        query = f"SELECT ident, kind, version, spec, added_us, body FROM object AS o WHERE {where}"  # noqa: S608 -- ours
        rows = self._rows(f"{query} ORDER BY added_us LIMIT ?", *given, question.limit + 1)
        return Page([_row(one) for one in rows[: question.limit]], len(rows) > question.limit)

    def versions(self, collection: str, question: Question) -> Page:
        """See ``ports.exchange.Signals``."""
        return self.page(collection, question)

    def remove(self, collection: str, question: Question) -> int:
        """See ``ports.exchange.Signals``."""
        where, given = _asked(collection, question)
        with self._writing() as run:
            return int(run(f"DELETE FROM object AS o WHERE {where}", given).rowcount)  # noqa: S608 -- ours

    def keep_status(self, ident: str, said: Mapping[str, Any]) -> None:
        """See ``ports.exchange.Signals``."""
        with self._writing() as run:
            run("INSERT OR REPLACE INTO status VALUES (?, ?)", (ident, json.dumps(said).encode()))

    def status(self, ident: str) -> Mapping[str, Any] | None:
        """See ``ports.exchange.Signals``."""
        rows = self._rows("SELECT body FROM status WHERE ident = ?", ident)
        return json.loads(rows[0][0]) if rows else None

    def allowed(self, token: str) -> Allowed | None:
        """See ``ports.exchange.Signals``."""
        rows = self._rows("SELECT name, read, write FROM token WHERE digest = ?", _digest(token))
        return (
            Allowed(rows[0][0], frozenset(json.loads(rows[0][1])), frozenset(json.loads(rows[0][2]))) if rows else None
        )

    def allow(self, name: str, read: Sequence[str], write: Sequence[str]) -> str:
        """See ``ports.exchange.Signals``."""
        token = self._random(_TOKEN_BYTES).hex()
        row = (name, _digest(token), json.dumps(sorted(read)), json.dumps(sorted(write)))
        with self._writing() as run:
            run("INSERT OR REPLACE INTO token VALUES (?, ?, ?, ?)", row)
        return token

    def peers(self) -> Sequence[Peer]:
        """See ``ports.exchange.Signals``."""
        return [Peer(*one) for one in self._rows("SELECT * FROM peer ORDER BY name")]

    def keep_peer(self, peer: Peer) -> None:
        """See ``ports.exchange.Signals``."""
        with self._writing() as run:
            run("INSERT OR REPLACE INTO peer VALUES (?, ?, ?, ?, ?, ?, ?, ?)", astuple(peer))

    def incidents(self) -> Sequence[Incident]:
        """See ``ports.exchange.Signals``."""
        return [Incident(*one) for one in self._rows("SELECT * FROM incident ORDER BY since_us DESC")]

    def keep_incident(self, incident: Incident) -> None:
        """See ``ports.exchange.Signals``."""
        with self._writing() as run:
            run("INSERT OR REPLACE INTO incident VALUES (?, ?, ?, ?, ?)", astuple(incident))

    def heard(self, peer: str = "") -> Iterator[Heard]:
        """See ``ports.exchange.Signals``."""
        where, given = (" WHERE peer = ?", (peer,)) if peer else ("", ())
        return map(_heard, self._rows(f"SELECT * FROM heard{where} ORDER BY heard_us, ident, peer", *given))  # noqa: S608 -- ours

    def find(self, peer: str, ident: str) -> Heard | None:
        """See ``ports.exchange.Signals``."""
        rows = self._rows("SELECT * FROM heard WHERE ident = ? AND peer = ?", ident, peer)
        return _heard(rows[0]) if rows else None

    def hear(self, peer: str, said: Mapping[str, Any], move: Move, now_us: int, case: str = "") -> Heard:
        """See ``ports.exchange.Signals``."""
        ident = str(said["id"])
        with self._writing() as run:
            stands = run("SELECT * FROM heard WHERE ident = ? AND peer = ?", (ident, peer)).fetchone()
            known = _heard(stands) if stands is not None else None
            worth = moved(known.worth if known else Worth.HEARD, move)
            since_us, kept = (known.heard_us, case or known.case) if known else (now_us, case)
            body = json.dumps(said, ensure_ascii=False).encode()
            row = (ident, peer, str(worth), kept, since_us, body)
            run("INSERT OR REPLACE INTO heard VALUES (?, ?, ?, ?, ?, ?)", row)
        return Heard(ident, peer, worth, kept, since_us, said)


def _asked(collection: str, question: Question) -> tuple[str, tuple[object, ...]]:
    parts, given = ["collection = ?", "added_us > ?"], [collection, question.since_us]
    for column, named in (("ident", question.idents), ("kind", question.kinds), ("spec", question.specs)):
        if named:
            parts.append(f"{column} IN ({','.join('?' * len(named))})")
            given += named
    same = "FROM object AS v WHERE v.collection = o.collection AND v.ident = o.ident"
    if not question.specs:
        parts.append(f"spec = (SELECT MAX(spec) {same})")
    versions = []
    for one in () if "all" in question.versions else question.versions:
        if one in ("first", "last"):
            marks = f"IN ({','.join('?' * len(question.specs))})" if question.specs else "= o.spec"
            versions.append(
                f"version = (SELECT {'MIN' if one == 'first' else 'MAX'}(version) {same} AND v.spec {marks})"
            )
            given += question.specs
        else:
            versions.append("version = ?")
            given.append(one[:-1])
    if versions:
        parts.append(f"({' OR '.join(versions)})")
    return " AND ".join(parts), tuple(given)


def _row(one: tuple[Any, ...]) -> Row:
    return Row(one[0], one[1], f"{one[2]}Z", one[3], one[4], json.loads(one[5]))


def _heard(one: tuple[Any, ...]) -> Heard:
    return Heard(one[0], one[1], Worth(one[2]), one[3], one[4], json.loads(one[5]))


def _digest(token: str) -> bytes:
    return hashlib.sha256(token.encode(errors="replace")).digest()
