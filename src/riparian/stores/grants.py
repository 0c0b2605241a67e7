"""How is the ledger of grants kept, and how does it forget a person?

In ``grants.sqlite`` in the workspace.  ``entry`` is the ledger (:mod:`riparian.marks.grants`), only added to; some of
what an entry says stands beside it in columns, to be found by, and is checked against it.  ``person`` holds the key and
the name of every account that anything was issued to, under a name drawn by lot.  Erasing removes that row: in the
ledger a ciphertext is left that nobody can open, and a name that means nobody.

Entries are added all or none, each in a transaction that is on disk before it counts: what was interrupted did not
happen.
"""

import hashlib
import json
import secrets
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from riparian.errors import CustodyError, InputError, OutsideError
from riparian.marks.grants import START, Entry, Fitted, Grant, Kind, Version, chained, check_of, verified
from riparian.marks.keys import MarkKey
from riparian.stores.files import reaching
from riparian.stores.one_file import Layout, OneFile

NAME: Final = "grants.sqlite"
_PATIENCE_S: Final = 30.0
_WHO_BYTES: Final = 12
_NONCE_BYTES: Final = 12
_TABLES: Final = """
CREATE TABLE entry (
    seq INTEGER PRIMARY KEY, text TEXT NOT NULL, digest TEXT NOT NULL, kind TEXT NOT NULL, at_us INTEGER NOT NULL,
    recording TEXT, master TEXT, who TEXT, copies INTEGER, mark TEXT);
CREATE INDEX entry_of_recording ON entry (kind, recording, who);
CREATE INDEX entry_of_mark ON entry (mark, seq) WHERE mark IS NOT NULL;
CREATE INDEX entry_of_time ON entry (kind, at_us);
CREATE TABLE person (who TEXT PRIMARY KEY, name TEXT NOT NULL UNIQUE, key BLOB NOT NULL) WITHOUT ROWID;
"""
_LAYOUT: Final = Layout(
    "the ledger of grants",
    NAME,
    0x52495047,  # RIPG
    2,
    tuple(_TABLES.split(";")),
    ("secure_delete = ON",),
)


class SqlGrants:
    """``ports.Grants`` in SQLite: in a workspace, or in memory.

    Parameters
    ----------
    folder
        The workspace; None for memory.
    random
        Gives as many random bytes as it is asked for.
    """

    def __init__(self, folder: Path | None, random: Callable[[int], bytes] = secrets.token_bytes) -> None:
        self._random = random
        # It names people: nobody else may read it, whatever the folder allows.
        self._file = OneFile(folder, _LAYOUT, patience_s=_PATIENCE_S)
        self._connection, self._rows, self._transaction = self._file.connection, self._file.rows, self._file.writing

    def close(self) -> None:
        """Let go of the file."""
        self._file.close()

    def add(self, *grants: Grant) -> None:
        """See ``ports.Grants``."""
        with reaching("adding to the ledger of grants"), self._transaction():
            self._append(*(self._granted(grant) for grant in grants))

    def keep_fitted(self, fitted: Fitted, at_us: int) -> None:
        """See ``ports.Grants``."""
        said = {name: getattr(fitted, name) for name in Fitted.__slots__}
        with reaching("adding to the ledger of grants"), self._transaction():
            self._append(said | {"kind": Kind.FITTED, "at_us": at_us})

    def fitted(self, master: str, form: str) -> Fitted | None:
        """See ``ports.Grants``."""
        rows = self._rows("SELECT text FROM entry WHERE kind = ? AND master = ? ORDER BY seq DESC", Kind.FITTED, master)
        found = (json.loads(text) for (text,) in rows)
        mine = next((said for said in found if said["form"] == form), None)
        return Fitted(**{name: mine[name] for name in Fitted.__slots__}) if mine is not None else None

    def trust(self, key: MarkKey, at_us: int) -> None:
        """See ``ports.Grants``."""
        with reaching("looking up an epoch in the ledger"), self._transaction():
            rows = self._rows("SELECT text FROM entry WHERE kind = ?", Kind.EPOCH)
            known = {said["epoch"]: said["check"] for said in (json.loads(text) for (text,) in rows)}
            if key.epoch not in known:
                self._append({"kind": Kind.EPOCH, "at_us": at_us, "epoch": key.epoch, "check": check_of(key)})
            elif known[key.epoch] != check_of(key):
                raise CustodyError(
                    f"the key of epoch {key.epoch} is not the one that marks were made with, wanted the same",
                    hint="Restore marks.json from a backup.",
                )

    def versions(self, recording: str | None = None) -> list[tuple[Version, str]]:
        """See ``ports.Grants``."""
        where = "" if recording is None else " AND recording = ?"
        given = () if recording is None else (recording,)
        last = f"SELECT max(seq) FROM entry WHERE kind = ?{where} GROUP BY mark"  # noqa: S608
        rows = self._rows(f"SELECT text FROM entry WHERE seq IN ({last}) ORDER BY seq", Kind.GRANT, *given)  # noqa: S608
        found = {Version.heard(said): said["path"] for said in (json.loads(text) for (text,) in rows)}
        return list(found.items())

    def accounts(self, version: Version) -> list[str]:
        """See ``ports.Grants``."""
        rows = self._rows(
            "SELECT person.name FROM entry JOIN person ON entry.who = person.who WHERE mark = ? ORDER BY seq",
            _mark(version),
        )
        return list(dict.fromkeys(name for (name,) in rows))

    def knows(self, account: str) -> bool:
        """See ``ports.Grants``."""
        return bool(self._rows("SELECT 1 FROM person WHERE name = ?", account))

    def of(self, account: str, recording: str) -> list[Grant]:
        """See ``ports.Grants``."""
        rows = self._rows(
            "SELECT entry.text, person.key FROM entry JOIN person ON entry.who = person.who"
            " WHERE person.name = ? AND kind = ? AND recording = ? ORDER BY seq",
            account,
            Kind.GRANT,
            recording,
        )
        return [_grant(json.loads(text), key) for text, key in rows]

    def all(self) -> Iterator[Grant | None]:
        """See ``ports.Grants``."""
        rows = self._rows(
            "SELECT entry.text, person.key FROM entry LEFT JOIN person ON entry.who = person.who"
            " WHERE kind = ? ORDER BY seq",
            Kind.GRANT,
        )
        return (_grant(json.loads(text), key) if key is not None else None for text, key in rows)

    def keep_trace(self, at_us: int, copies: int, said: Mapping[str, Any]) -> None:
        """See ``ports.Grants``."""
        with reaching("adding to the ledger of grants"), self._transaction():
            self._append({**said, "kind": Kind.TRACE, "at_us": at_us, "copies": copies})

    def traced_since(self, at_us: int) -> int:
        """See ``ports.Grants``."""
        ((n,),) = self._rows(
            "SELECT coalesce(sum(copies), 0) FROM entry WHERE kind = ? AND at_us > ?", Kind.TRACE, at_us
        )
        return int(n)

    def erase(self, account: str, at_us: int) -> bool:
        """See ``ports.Grants``."""
        with reaching("erasing an account from the ledger of grants"):
            with self._transaction():
                found = self._rows("SELECT who FROM person WHERE name = ?", account)
                if found:
                    self._connection.execute("DELETE FROM person WHERE name = ?", (account,))
                    self._append({"kind": Kind.ERASED, "at_us": at_us, "who": found[0][0]})
            # What was deleted must not be read out of the write-ahead log either.
            ((is_busy, _, _),) = self._rows("PRAGMA wal_checkpoint(TRUNCATE)")
        if is_busy:
            raise OutsideError(
                f"`{account}` is erased, but somebody who reads the ledger keeps it in `{NAME}-wal`, wanted nobody to",
                hint="End what else is running in this workspace, and erase the account again.",
            )
        return bool(found)

    def verify(self, head: str = "") -> tuple[int, str]:
        """See ``ports.Grants``."""
        rows = self._rows(
            "SELECT seq, text, digest, kind, at_us, recording, master, entry.who, copies, mark, name, key FROM entry"
            " LEFT JOIN person ON entry.who = person.who ORDER BY seq"
        )
        return verified((_checked(number, row) for number, row in enumerate(rows, start=1)), head=head)

    def _append(self, *said: Mapping[str, Any]) -> None:
        last = self._rows("SELECT digest FROM entry ORDER BY seq DESC LIMIT 1")
        digest = last[0][0] if last else START
        for one in said:
            entry = chained(digest, one)
            digest = entry.digest
            columns = _columns(one)
            self._connection.execute(
                "INSERT INTO entry (text, digest, kind, at_us, recording, master, who, copies, mark)"
                " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
                (entry.text, entry.digest, *columns),
            )

    def _granted(self, grant: Grant) -> dict[str, Any]:
        who, key = self._person(grant.account)
        said = grant.version.said() | {
            "kind": Kind.GRANT,
            "at_us": grant.at_us,
            "form": grant.form,
            "asked": grant.asked,
            "copy": grant.copy,
            "path": grant.path,
            "embargo": grant.embargo,
            "who": who,
        }
        nonce = self._random(_NONCE_BYTES)
        secret = json.dumps({"account": grant.account, "note": grant.note}).encode()
        return said | {"sealed": (nonce + AESGCM(key).encrypt(nonce, secret, _bound(said))).hex()}

    def _person(self, account: str) -> tuple[str, bytes]:
        if not account:
            raise InputError("the recipient is empty, wanted whom a copy is issued to")
        found = self._rows("SELECT who, key FROM person WHERE name = ?", account)
        if found:
            return found[0][0], found[0][1]
        who, key = self._random(_WHO_BYTES).hex(), AESGCM.generate_key(256)
        self._connection.execute("INSERT INTO person (who, name, key) VALUES (?, ?, ?)", (who, account, key))
        return who, key


_COLUMNS: Final = ("kind", "at_us", "recording", "master", "who", "copies")


def _columns(said: Mapping[str, Any]) -> list[Any]:
    """Give what stands beside an entry, to find it by."""
    mark = _mark(Version.heard(said)) if said["kind"] == Kind.GRANT else None
    return [*(said.get(name) for name in _COLUMNS), mark]


def _mark(version: Version) -> str:
    return hashlib.sha256(json.dumps(version.said(), sort_keys=True).encode()).hexdigest()[:32]


def _bound(said: Mapping[str, Any]) -> bytes:
    """Give what a ciphertext belongs to: in another entry it cannot be opened."""
    return json.dumps({**said, "sealed": None}, sort_keys=True).encode()


def _opened(said: Mapping[str, Any], key: bytes) -> dict[str, str]:
    sealed = bytes.fromhex(said["sealed"])
    try:
        found: dict[str, str] = json.loads(
            AESGCM(key).decrypt(sealed[:_NONCE_BYTES], sealed[_NONCE_BYTES:], _bound(said))
        )
    except InvalidTag as error:
        raise CustodyError(
            "a grant was not issued to whom the list of accounts names, wanted the account that it was issued to",
            hint="Keep the workspace as it is, and look at who could write to it.",
        ) from error
    return found


def _grant(said: Mapping[str, Any], key: bytes) -> Grant:
    secret = _opened(said, key)
    plain = {name: said[name] for name in ("at_us", "form", "asked", "copy", "path", "embargo")}
    return Grant(account=secret["account"], version=Version.heard(said), note=secret["note"], **plain)


def _checked(number: int, row: Sequence[Any]) -> Entry:
    """Give an entry whose columns say what it says."""
    seq, text, digest, *columns, name, key = row
    said = json.loads(text)
    is_same = seq == number and list(columns) == _columns(said)
    if is_same and key is not None and "sealed" in said:
        is_same = _opened(said, key)["account"] == name
    if not is_same:
        raise CustodyError(
            f"entry {number} of the ledger is not what stands beside it, wanted the same",
            hint="Keep the workspace as it is, and look at who could write to it.",
        )
    return Entry(text, digest)
