"""Where is kept who works at the console, who is signed in, and who looked at whom?

One SQLite database in the workspace.  Of whatever lets somebody in, a digest is kept.

::

    person     who works here                      passkey   what proves that it is they
    link       invitations, used once              way       what somebody on the way in was asked
    sitting    who is signed in                    look      who was shown which accounts, only added to
    token      what lets programs in
"""

import contextlib
import hashlib
import json
import secrets
import sqlite3
import threading
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, Final

from riparian.errors import InputError, LifecycleError
from riparian.ports.staff import (
    FRESH_US,
    IDLE_US,
    LINK_US,
    LONGEST_US,
    TOKEN_DAYS_MAX,
    TOKEN_US_MAX,
    TOKENS_MAX,
    WAY_US,
    Invitation,
    Look,
    Member,
    Passkey,
    Person,
    Role,
    Seat,
    Sitting,
    Token,
    Way,
)
from riparian.schema import HOUR_US
from riparian.stores.files import make_private, reaching

NAME: Final = "console.sqlite"
_APPLICATION: Final = 0x5249434F  # RICO
_VERSION: Final = 2
_PREFIX: Final = "riparian_"
"""By which whoever looks for secrets in what is published finds one."""
_IDENT: Final = 8
_PATIENCE_S: Final = 30.0
_START: Final = bytes(32)
_NAME_MAX: Final = 80
_NOTED_US: Final = HOUR_US // 60
_TABLES: Final = (
    """CREATE TABLE person (name TEXT PRIMARY KEY, role INTEGER NOT NULL, since_us INTEGER NOT NULL,
    seen_us INTEGER NOT NULL, subject TEXT UNIQUE)""",
    """CREATE TABLE passkey (ident BLOB PRIMARY KEY, person TEXT NOT NULL REFERENCES person ON DELETE CASCADE,
    handle BLOB NOT NULL, public BLOB NOT NULL, uses INTEGER NOT NULL)""",
    """CREATE TABLE link (digest BLOB PRIMARY KEY, name TEXT NOT NULL, role INTEGER NOT NULL,
    until_us INTEGER NOT NULL)""",
    """CREATE TABLE way (digest BLOB PRIMARY KEY, challenge BLOB NOT NULL, name TEXT NOT NULL, link TEXT NOT NULL,
    more TEXT NOT NULL, until_us INTEGER NOT NULL)""",
    """CREATE TABLE sitting (digest BLOB PRIMARY KEY, person TEXT NOT NULL REFERENCES person ON DELETE CASCADE,
    form_token TEXT NOT NULL, since_us INTEGER NOT NULL, seen_us INTEGER NOT NULL)""",
    """CREATE TABLE look (number INTEGER PRIMARY KEY AUTOINCREMENT, at_us INTEGER NOT NULL, person TEXT NOT NULL,
    page TEXT NOT NULL, accounts TEXT NOT NULL, link BLOB NOT NULL)""",
)
_SECOND: Final = (
    """CREATE TABLE token (digest BLOB PRIMARY KEY, ident TEXT NOT NULL UNIQUE, name TEXT NOT NULL,
    person TEXT NOT NULL REFERENCES person ON DELETE CASCADE, role INTEGER NOT NULL, acts INTEGER NOT NULL,
    since_us INTEGER NOT NULL, until_us INTEGER NOT NULL, seen_us INTEGER NOT NULL)""",
    "ALTER TABLE look ADD COLUMN token TEXT NOT NULL DEFAULT ''",
)
_TOKENS: Final = (
    "SELECT ident, token.name, person, min(token.role, person.role), acts, token.since_us, until_us, token.seen_us"
    " FROM token JOIN person ON person = person.name"
)
_INVITED: Final = "SELECT name, role FROM link WHERE digest = ? AND until_us > ?"
_Run = Callable[..., sqlite3.Cursor]


class SqlSessions:
    """``ports.staff.Staff`` in ``console.sqlite``; several threads may ask it.

    Parameters
    ----------
    folder
        The workspace.
    token
        Makes what nobody can guess.
    """

    def __init__(self, folder: Path, token: Callable[[], str] = lambda: secrets.token_urlsafe(32)) -> None:
        self._token = token
        # Whoever only asks does not wait until what another writes is on the disk.
        self._writes, self._reads = threading.Lock(), threading.Lock()
        with reaching("opening the list of who works here"):
            self._path = path = folder / NAME
            make_private(path)
            self._writer, self._reader = (
                sqlite3.connect(path, timeout=_PATIENCE_S, isolation_level=None, check_same_thread=False)
                for _ in range(2)
            )
            self._prepare(path)

    def close(self) -> None:
        """Close the database."""
        self._reader.close()
        self._writer.close()

    def members(self) -> Sequence[Member]:
        """See ``ports.staff.Staff``."""
        rows = self._rows(
            "SELECT name, role, since_us, seen_us, (SELECT count(*) FROM passkey WHERE person = name), subject"
            " FROM person ORDER BY name"
        )
        return [Member(Person(one[0], Role(one[1])), one[2], one[3], one[4], one[5] or "") for one in rows]

    def invite(self, invitation: Invitation, now_us: int) -> str:
        """See ``ports.staff.Staff``."""
        if invitation.name:
            require_name(invitation.name)
        token = self._token()
        row = (_digest(token), invitation.name, int(invitation.role), now_us + LINK_US)
        with self._writing() as run:
            run("DELETE FROM link WHERE until_us <= ? OR (name = ? AND name <> '')", (now_us, invitation.name))
            run("INSERT INTO link VALUES (?, ?, ?, ?)", row)
        return token

    def invitation(self, link: str, now_us: int) -> Invitation | None:
        """See ``ports.staff.Staff``."""
        rows = self._rows(_INVITED, _digest(link), now_us)
        return Invitation(rows[0][0], Role(rows[0][1])) if rows else None

    def enter(self, link: str, name: str, passkey: Passkey | str, now_us: int) -> Person:
        """See ``ports.staff.Staff``."""
        with self._writing() as run:
            found = run(_INVITED, (_digest(link), now_us)).fetchone()
            if found is None:
                raise LifecycleError(
                    "the link was used or is over, wanted one that is good", hint="Ask an admin for another."
                )
            invited = Invitation(found[0], Role(found[1]))
            run("DELETE FROM link WHERE digest = ?", (_digest(link),))
            name = invited.name or name.strip()
            require_name(name)
            known = run("SELECT 1 FROM person WHERE name = ?", (name,)).fetchone()
            if known and not invited.name:
                raise LifecycleError("the name is somebody's, wanted one that is free", hint="Choose another.")
            run("INSERT OR IGNORE INTO person VALUES (?, ?, ?, 0, NULL)", (name, int(invited.role), now_us))
            run("UPDATE person SET role = ? WHERE name = ?", (int(invited.role), name))
            if isinstance(passkey, str):
                if run("SELECT 1 FROM person WHERE subject = ? AND name <> ?", (passkey, name)).fetchone():
                    raise LifecycleError("the issuer knows you as somebody who works here, wanted somebody new")
                run("UPDATE person SET subject = ? WHERE name = ?", (passkey, name))
            else:
                row = (passkey.ident, name, passkey.handle, passkey.public, passkey.uses)
                run("INSERT INTO passkey VALUES (?, ?, ?, ?, ?)", row)
            run("DELETE FROM sitting WHERE person = ?", (name,))
            _require_admin(run)
        return Person(name, invited.role)

    def change(self, name: str, role: Role) -> None:
        """See ``ports.staff.Staff``."""
        with self._writing() as run:
            _require(run, name)
            run("UPDATE person SET role = ? WHERE name = ?", (int(role), name))
            _require_admin(run)
            run("DELETE FROM sitting WHERE person = ?", (name,))

    def remove(self, name: str) -> None:
        """See ``ports.staff.Staff``."""
        with self._writing() as run:
            _require(run, name)
            run("DELETE FROM person WHERE name = ?", (name,))
            run("DELETE FROM link WHERE name = ?", (name,))
            _require_admin(run)

    def passkey(self, ident: bytes) -> Passkey | None:
        """See ``ports.staff.Staff``."""
        rows = self._rows("SELECT * FROM passkey WHERE ident = ?", ident)
        return Passkey(*rows[0]) if rows else None

    def passkeys_of(self, name: str) -> Sequence[Passkey]:
        """See ``ports.staff.Staff``."""
        return [Passkey(*one) for one in self._rows("SELECT * FROM passkey WHERE person = ?", name)]

    def used(self, ident: bytes, uses: int) -> None:
        """See ``ports.staff.Staff``."""
        with self._writing() as run:
            run("UPDATE passkey SET uses = ? WHERE ident = ?", (uses, ident))

    def person_of(self, subject: str) -> Person | None:
        """See ``ports.staff.Staff``."""
        rows = self._rows("SELECT name, role FROM person WHERE subject = ?", subject)
        return Person(rows[0][0], Role(rows[0][1])) if rows else None

    def set_out(self, way: Way, now_us: int) -> str:
        """See ``ports.staff.Staff``."""
        token = self._token()
        with self._writing() as run:
            run("DELETE FROM way WHERE until_us <= ?", (now_us,))
            row = (_digest(token), way.challenge, way.name, way.link, way.more, now_us + WAY_US)
            run("INSERT INTO way VALUES (?, ?, ?, ?, ?, ?)", row)
        return token

    def arrive(self, token: str, now_us: int) -> Way | None:
        """See ``ports.staff.Staff``."""
        with self._writing() as run:
            where = (_digest(token), now_us)
            row = run("SELECT challenge, name, link, more FROM way WHERE digest = ? AND until_us > ?", where).fetchone()
            run("DELETE FROM way WHERE digest = ?", where[:1])
        return Way(*row) if row is not None else None

    def sign_in(self, name: str, now_us: int) -> str:
        """See ``ports.staff.Staff``."""
        token = self._token()
        with self._writing() as run:
            run("DELETE FROM sitting WHERE since_us <= ? OR seen_us <= ?", (now_us - LONGEST_US, now_us - IDLE_US))
            run("INSERT INTO sitting VALUES (?, ?, ?, ?, ?)", (_digest(token), name, self._token(), now_us, now_us))
            run("UPDATE person SET seen_us = ? WHERE name = ?", (now_us, name))
        return token

    def sitting(self, token: str, now_us: int) -> Sitting | None:
        """See ``ports.staff.Staff``."""
        rows = self._rows(
            "SELECT name, role, form_token, sitting.seen_us, sitting.since_us FROM sitting JOIN person ON person = name"
            " WHERE digest = ? AND sitting.since_us > ? AND sitting.seen_us > ?",
            _digest(token),
            now_us - LONGEST_US,
            now_us - IDLE_US,
        )
        if not rows:
            return None
        name, role, form_token, seen_us, since_us = rows[0]
        if now_us - seen_us >= _NOTED_US:
            with self._writing() as run:
                run("UPDATE sitting SET seen_us = ? WHERE digest = ?", (now_us, _digest(token)))
                run("UPDATE person SET seen_us = ? WHERE name = ?", (now_us, name))
        is_fresh = now_us - since_us < FRESH_US
        return Sitting(Person(name, Role(role)), form_token, None, _seat_of(_digest(token)), is_fresh)

    def sign_out(self, token: str) -> None:
        """See ``ports.staff.Staff``."""
        with self._writing() as run:
            run("DELETE FROM sitting WHERE digest = ?", (_digest(token),))

    def seats(self, person: str, now_us: int) -> Sequence[Seat]:
        """See ``ports.staff.Staff``."""
        rows = self._rows(
            "SELECT digest, since_us, seen_us FROM sitting WHERE person = ? AND since_us > ? AND seen_us > ?"
            " ORDER BY since_us, digest",
            person,
            now_us - LONGEST_US,
            now_us - IDLE_US,
        )
        return [Seat(_seat_of(one[0]), one[1], one[2]) for one in rows]

    def leave(self, person: str, *, seat: str = "", but: str = "") -> None:
        """See ``ports.staff.Staff``."""
        with self._writing() as run:
            found = run("SELECT digest FROM sitting WHERE person = ?", (person,)).fetchall()
            left = [row for row in found if _seat_of(row[0]) in ({seat} if seat else {_seat_of(row[0])} - {but})]
            if seat and not left:
                raise InputError("nobody is signed in there, wanted a place that is listed", hint="It may have ended.")
            for row in left:
                run("DELETE FROM sitting WHERE digest = ?", row)

    def make_token(self, token: Token) -> str:
        """See ``ports.staff.Staff``."""
        require_name(token.name)
        if not 0 < token.until_us - token.since_us <= TOKEN_US_MAX:
            raise InputError(
                "the token ends at once, or hardly ever, wanted an end within a year",
                hint=f"Choose 1 to {TOKEN_DAYS_MAX} days.",
            )
        secret = f"{_PREFIX}{self._token()}"
        digest, who = _digest(secret), token.person.name
        with self._writing() as run:
            _require(run, who)
            run("DELETE FROM token WHERE until_us <= ?", (token.since_us,))
            if run("SELECT count(*) FROM token WHERE person = ?", (who,)).fetchone()[0] >= TOKENS_MAX:
                raise LifecycleError(
                    f"you have {TOKENS_MAX} tokens, wanted fewer", hint="Revoke one that nothing uses any more."
                )
            row = (digest, secrets.token_hex(_IDENT), token.name, who, int(token.person.role), token.acts)
            run("INSERT INTO token VALUES (?, ?, ?, ?, ?, ?, ?, ?, 0)", (*row, token.since_us, token.until_us))
        return secret

    def tokens(self, now_us: int, person: str = "") -> Sequence[Token]:
        """See ``ports.staff.Staff``."""
        where = "WHERE until_us > ? AND (? = '' OR person = ?) ORDER BY token.since_us, ident"
        return [_token_of(row) for row in self._rows(f"{_TOKENS} {where}", now_us, person, person)]

    def revoke(self, ident: str, person: str = "") -> None:
        """See ``ports.staff.Staff``."""
        with self._writing() as run:
            done = run("DELETE FROM token WHERE ident = ? AND (? = '' OR person = ?)", (ident, person, person))
            if not done.rowcount:
                raise InputError("there is no such token, wanted one that is listed", hint="It may have ended.")

    def bearer(self, secret: str, now_us: int) -> Sitting | None:
        """See ``ports.staff.Staff``."""
        rows = self._rows(f"{_TOKENS} WHERE digest = ? AND until_us > ?", _digest(secret), now_us)
        if not rows:
            return None
        token = _token_of(rows[0])
        if now_us - token.seen_us >= _NOTED_US:
            with self._writing() as run:
                run("UPDATE token SET seen_us = ? WHERE ident = ?", (now_us, token.ident))
        return Sitting(token.person, "", token)

    def looked(self, person: str, page: str, accounts: Sequence[str], now_us: int, token: str = "") -> None:
        """See ``ports.staff.Staff``."""
        with self._writing() as run:
            last = run("SELECT number, link FROM look ORDER BY number DESC LIMIT 1").fetchone()
            number, before = last if last is not None else (0, _START)
            look = Look(number + 1, now_us, person, page, tuple(accounts), b"", token)
            row = (look.number, now_us, person, page, json.dumps(accounts), _linked(look, before), token)
            run("INSERT INTO look VALUES (?, ?, ?, ?, ?, ?, ?)", row)

    def looks(self, *, before: int = 0, limit: int) -> Sequence[Look]:
        """See ``ports.staff.Staff``."""
        return self._looks("WHERE ? = 0 OR number < ? ORDER BY number DESC LIMIT ?", before, before, limit)

    def version(self) -> tuple[tuple[int, int], ...]:
        """See ``ports.staff.Staff``."""
        with reaching("looking at the list of who works here"):
            found = [path.stat() for path in (self._path, Path(f"{self._path}-wal")) if path.exists()]
            return tuple((one.st_mtime_ns, one.st_size) for one in found)

    def broken_look(self) -> int:
        """See ``ports.staff.Staff``."""
        before, wanted = _START, 1
        for look in self._looks("ORDER BY number"):
            if look.number != wanted or _linked(look, before) != look.link:
                return wanted
            before, wanted = look.link, wanted + 1
        return 0

    def _looks(self, where: str, *given: object) -> list[Look]:
        rows = self._rows(f"SELECT number, at_us, person, page, accounts, link, token FROM look {where}", *given)  # noqa: S608 -- ours
        return [Look(one[0], one[1], one[2], one[3], tuple(json.loads(one[4])), one[5], one[6]) for one in rows]

    def _prepare(self, path: Path) -> None:
        self._writer.execute("PRAGMA journal_mode = WAL")
        self._writer.execute("PRAGMA synchronous = FULL")
        self._writer.execute("PRAGMA foreign_keys = ON")
        self._writer.execute("PRAGMA secure_delete = ON")
        with self._writing() as run:
            if not run("SELECT 1 FROM sqlite_master LIMIT 1").fetchone():
                for table in _TABLES:
                    run(table)
                run(f"PRAGMA application_id = {_APPLICATION}")
                run("PRAGMA user_version = 1")
            if _stands(run) == (_APPLICATION, 1):
                for step in _SECOND:
                    run(step)
                run(f"PRAGMA user_version = {_VERSION}")
        stands = _stands(self._reader.execute)
        if stands != (_APPLICATION, _VERSION):
            raise InputError(
                f"`{path.name}` has schema version {stands[1]}, wanted {_VERSION}",
                hint="Use the version of Riparian that made this workspace.",
            )

    @contextlib.contextmanager
    def _writing(self) -> Iterator[_Run]:
        with self._writes, reaching("writing to the list of who works here"):
            self._writer.execute("BEGIN IMMEDIATE")
            try:
                yield self._writer.execute
            except BaseException:
                self._writer.execute("ROLLBACK")
                raise
            self._writer.execute("COMMIT")

    def _rows(self, query: str, *given: object) -> list[tuple[Any, ...]]:
        with self._reads, reaching("reading the list of who works here"):
            return self._reader.execute(query, given).fetchall()


def _stands(run: _Run) -> tuple[int, int]:
    return run("PRAGMA application_id").fetchone()[0], run("PRAGMA user_version").fetchone()[0]


def _seat_of(digest: bytes) -> str:
    """Name a sitting by the beginning of a digest of its digest, which finds neither."""
    return hashlib.sha256(b"seat" + digest).hexdigest()[: 2 * _IDENT]


def _token_of(row: tuple[Any, ...]) -> Token:
    ident, name, person, role, acts, *times = row
    return Token(ident, name, Person(person, Role(role)), bool(acts), *times)


def _require(run: _Run, name: str) -> None:
    if not run("SELECT 1 FROM person WHERE name = ?", (name,)).fetchone():
        raise InputError(f"`{name[:_NAME_MAX]}` does not work here, wanted somebody who does")


def _require_admin(run: _Run) -> None:
    if not run("SELECT 1 FROM person WHERE role = ?", (int(Role.ADMIN),)).fetchone():
        raise LifecycleError("it is the last admin, wanted one who stays", hint="Make somebody else an admin first.")


def require_name(name: str) -> None:
    """Refuse a name that cannot stand beside a decision as it is.

    Raises
    ------
    InputError
        When it is empty, long, or has characters that nobody sees.
    """
    if not 1 <= len(name) <= _NAME_MAX or not name.isprintable():
        raise InputError(
            f"the name has {len(name)} characters, some perhaps unseen, wanted 1 to {_NAME_MAX} that one sees",
            hint="Choose another.",
        )


def _linked(look: Look, before: bytes) -> bytes:
    said = [look.number, look.at_us, look.person, look.page, list(look.accounts), *([look.token] * bool(look.token))]
    return hashlib.sha256(before + json.dumps(said, separators=(",", ":")).encode()).digest()


def _digest(token: str) -> bytes:
    return hashlib.sha256(token.encode(errors="replace")).digest()
