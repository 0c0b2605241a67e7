"""A real PostgreSQL for tests: its own folder, its own socket, a password; it can be restarted, killed and frozen."""

import os
import pwd
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Final

from sqlalchemy import text

from riparian.stores.postgres.address import Address
from riparian.stores.postgres.server import engine_of
from riparian.stores.postgres.versions import bring
from riparian.stores.recorded import SCHEMA_VERSION

PASSWORD: Final = "a-password-of-a-test"  # noqa: S105
OWNER: Final = "keeper"
_WHERE: Final = "/usr/lib/postgresql"
_TABLES: Final = "chunk, scan, draft, kept, decision, event, vault, note, writer"


@cache
def program(name: str) -> str:
    """Find a program of PostgreSQL, on the path or where Debian puts it."""
    found = shutil.which(name) or max(map(str, Path(_WHERE).glob(f"*/bin/{name}")), default="")
    assert found, f"`{name}` is no program here, wanted PostgreSQL: apt-get install postgresql"
    return found


class Server:
    """A server in a folder of its own."""

    def __init__(self, folder: Path, *, is_durable: bool = False) -> None:
        self._folder, self._data = folder, folder / "data"
        self._durable = is_durable
        self.password_file = folder / "password"

    def make(self) -> None:
        self.password_file.write_text(PASSWORD + "\n")
        if os.getuid() == 0:
            # It does not run as root.
            nobody = pwd.getpwnam("nobody")
            for path in (self._folder, self.password_file):
                os.chown(path, nobody.pw_uid, nobody.pw_gid)
        self._as_nobody(
            program("initdb"), "-D", self._data, "-U", OWNER, "-A", "scram-sha-256", "--pwfile", self.password_file,
            "-E", "UTF8", "--locale=C.UTF-8", "--no-sync",
        )  # fmt: skip
        settings = f"listen_addresses = ''\nunix_socket_directories = '{self._folder}'\nmax_connections = 20\n"
        if not self._durable:
            settings += "fsync = off\nfull_page_writes = off\n"
        with (self._data / "postgresql.conf").open("a") as file:
            file.write(settings)

    def start(self) -> None:
        self._as_nobody(program("pg_ctl"), "-D", self._data, "-w", "-s", "-l", self._folder / "log", "start")

    def stop(self, mode: str = "immediate") -> None:
        self._as_nobody(program("pg_ctl"), "-D", self._data, "-w", "-s", "-m", mode, "stop")

    def restart(self, mode: str = "immediate") -> None:
        """Let it crash (``immediate``), or end at once (``fast``), and start again."""
        self.stop(mode)
        self.start()

    def kill(self) -> None:
        """Kill it and all of its processes, as a machine that loses power does."""
        pid = int((self._data / "postmaster.pid").read_text().split()[0])
        os.kill(pid, signal.SIGKILL)

    def run(self, name: str, *given: str | Path) -> str:
        """Run a client program as who owns the server."""
        where = ("-h", str(self._folder), "-U", OWNER)
        return self._as_nobody(program(name), *where, *given, PGPASSWORD=PASSWORD)

    def address(self, database: str = "postgres", *, user: str = OWNER, patience_s: float = 20.0) -> Address:
        return Address(
            user, str(self._folder), 5432, database, password_file=str(self.password_file), patience_s=patience_s
        )

    def sql(self, database: str, *statements: str) -> list[tuple[object, ...]]:
        """Run statements past the adapter; the rows of the last one."""
        rows: list[tuple[object, ...]] = []
        engine = engine_of(self.address(database), "test")
        with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            for statement in statements:
                result = connection.execute(text(statement))
                rows = [tuple(row) for row in result] if result.returns_rows else []
        return rows

    def database(self, name: str) -> Address:
        """Make a database, with nothing in it."""
        self.sql("postgres", f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)', f'CREATE DATABASE "{name}"')
        return self.address(name)

    def prepare(self, database: str = "postgres") -> None:
        """Make the tables of records."""
        self.sql(database, "CREATE SCHEMA IF NOT EXISTS riparian")
        bring(self.address(database), SCHEMA_VERSION)

    def empty(self, database: str) -> None:
        """Take everything out of the tables."""
        self.sql(database, f"TRUNCATE {', '.join('riparian.' + t for t in _TABLES.split(', '))} RESTART IDENTITY")

    def _as_nobody(self, *command: str | Path, **environment: str) -> str:
        who = ["setpriv", "--reuid=nobody", "--regid=nogroup", "--clear-groups"] if os.getuid() == 0 else []
        done = subprocess.run(
            [*who, *map(str, command)], cwd=self._folder, env={**os.environ, **environment}, capture_output=True,
            text=True, check=False,
        )  # fmt: skip
        assert done.returncode == 0, done.stderr or (self._folder / "log").read_text()
        return done.stdout


@contextmanager
def running(*, is_durable: bool = False) -> Iterator[Server]:
    """Start a server, and remove it at the end."""
    # The path of a Unix socket has at most 107 characters, which the folder of a test may use up.
    with tempfile.TemporaryDirectory(prefix="postgres-") as folder:
        server = Server(Path(folder), is_durable=is_durable)
        server.make()
        server.start()
        try:
            yield server
        finally:
            server.stop()
