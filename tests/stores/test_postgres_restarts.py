"""A server that restarts, or a connection that breaks, at any statement: nothing is lost, and nothing is there twice.

A break is made right before a statement is sent, or right after it was done and before its answer is there, at every
few statements of a scan and at every COMMIT; a few of them are real restarts, crashes among them.
"""

import contextlib
import os
import shutil
import signal
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from riparian.assembly import Given
from riparian.cli import upkeep
from riparian.cli.upkeep import Looked
from riparian.errors import OutsideError
from riparian.stores.postgres.address import write_address
from riparian.stores.postgres.records import ServerRecords
from riparian.stores.postgres.server import Away
from tests.contracts.test_killed import FIRST, SECOND, _quiet_fork, expected, open_world, scan, scan_in, seen
from tests.postgres import Server, running

pytestmark = pytest.mark.slow

Broken = Callable[[ServerRecords, str], None]


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    with running() as server:
        server.prepare()
        yield server


@pytest.fixture
def path(server: Server, tmp_path: Path) -> Path:
    """Make a workspace on a server, with one scan in it."""
    return made(server, tmp_path / "w")


def made(server: Server, path: Path) -> Path:
    server.empty("postgres")
    path.mkdir()
    write_address(path, server.address())
    scan_in(path, FIRST)
    return path


def breaking(patched: pytest.MonkeyPatch, before: Broken, after: Broken = lambda *_: None) -> list[str]:
    """Do something before and after each statement of a scan, those that make a connection aside; list them."""
    plain, done = ServerRecords._executed, list[str]()

    def executed(self: ServerRecords, statement: str, values: tuple[Any, ...]) -> Any:
        if "pg_terminate_backend" in statement or "alembic_version" in statement:
            return plain(self, statement, values)
        done.append(statement)
        before(self, statement)
        answer = plain(self, statement, values)
        after(self, statement)
        return answer

    patched.setattr(ServerRecords, "_executed", executed)
    return done


def lose(records: ServerRecords) -> None:
    """Break the connection, as a cable does: the other side hears of it later."""
    records._let_go()
    raise Away("the connection was lost")


def require_all_of_it_once(path: Path) -> None:
    workspace, world = open_world(path)
    assert seen(world) == expected()[1]
    assert world.staging.rejected() == 3
    assert world.vault.ids_of(np.array([1, 2, 3], np.uint64)) == ["person 1", "person 2", "person 3"]
    with world.scans.alone():
        pass  # which sweeps
    assert len([*(path / "drawers").iterdir()]) == 3
    workspace.close()


def test_a_connection_that_breaks_at_any_statement_changes_nothing(
    server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = made(server, tmp_path / "counted")
    with monkeypatch.context() as patched:
        statements = breaking(patched, lambda *_: None)
        scan_in(path, SECOND)
    ends = {(n, True) for n, sql in enumerate(statements) if sql == "COMMIT"}
    for n, is_lost_after in sorted(ends | {(n, n % 2 == 0) for n in range(0, len(statements), 13)}):
        path = made(server, tmp_path / f"{n} {is_lost_after}")
        left = [n + 1]
        with monkeypatch.context() as patched:

            def at(records: ServerRecords, _: str, left: list[int] = left) -> None:
                left[0] -= 1
                if left[0] == 0:
                    lose(records)

            breaking(patched, *((lambda *_: None, at) if is_lost_after else (at,)))
            scan_in(path, SECOND)
        require_all_of_it_once(path)


@pytest.mark.parametrize("mode", ["immediate", "fast"])
@pytest.mark.parametrize(
    "at",
    [
        pytest.param("INSERT INTO chunk", id="while a chunk is staged"),
        pytest.param("INSERT INTO draft", id="while a bucket is saved"),
        pytest.param("DELETE FROM decision", id="while a scan is committed"),
        pytest.param("COMMIT", id="when it is committed"),
    ],
)
def test_a_server_that_restarts_under_a_scan_is_waited_for(
    path: Path, server: Server, monkeypatch: pytest.MonkeyPatch, at: str, mode: str
) -> None:
    times = [2]

    def restarted(_: ServerRecords, statement: str) -> None:
        if statement.startswith(at):
            times[0] -= 1
            if times[0] == 0 or (times[0] == 1 and at.startswith("DELETE")):
                times[0] = 0
                server.restart(mode)

    with monkeypatch.context() as patched:
        breaking(patched, restarted)
        scan_in(path, SECOND)
    assert times[0] <= 0
    require_all_of_it_once(path)


def test_a_server_that_stays_away_is_one_clear_error_and_the_scan_goes_on_afterwards(
    path: Path, server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_address(path, server.address(patience_s=0.5))
    workspace, world = open_world(path)
    server.stop("fast")
    begun = time.monotonic()
    with pytest.raises(OutsideError, match=r"failed: .*, for 0.5 seconds") as caught:
        scan(world, SECOND)
    assert 0.2 < time.monotonic() - begun < 5
    assert "pg_isready" in caught.value.hint
    looked = Looked(Given(path))
    assert not looked().is_readable
    server.start()
    monkeypatch.setattr(upkeep, "EVERY_S", 0.0)
    assert looked().is_readable
    scan(world, SECOND)
    workspace.close()
    require_all_of_it_once(path)


def test_whoever_asks_how_it_is_does_not_wait_for_a_server_that_is_away(path: Path, server: Server) -> None:
    write_address(path, replace(server.address(patience_s=600.0), host="/nowhere"))
    begun = time.monotonic()
    assert not Looked(Given(path))().is_readable
    assert time.monotonic() - begun < 10


def test_what_somebody_else_wrote_meanwhile_is_not_written_over(path: Path, server: Server) -> None:
    mine, other = ServerRecords(server.address()), ServerRecords(server.address())

    def count() -> None:
        with mine.transaction():
            mine.keep_note("n", str(mine.number("SELECT count(*) FROM event") + 1).encode())
            mine._let_go()
            with other.transaction():
                other.run("INSERT INTO event VALUES (500, 1, 1, 'placed', 3, 9, 'ada', '', 0)")
            mine.keep_note("n", b"2")

    with pytest.raises(OutsideError, match="somebody else wrote"):
        count()
    assert mine.note("n") is None
    for records in (mine, other):
        records.close()
    del path


def test_writers_wait_for_one_another(path: Path, server: Server) -> None:
    del path

    def count() -> None:
        with contextlib.closing(ServerRecords(server.address())) as records:
            for _ in range(25):
                with records.transaction():
                    records.keep_note("n", str(int(records.note("n") or b"0") + 1).encode())

    threads = [threading.Thread(target=count) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    with contextlib.closing(ServerRecords(server.address())) as records:
        assert records.note("n") == b"75"


def test_a_copy_of_a_process_leaves_the_connection_to_the_one_that_made_it(path: Path, server: Server) -> None:
    del path
    with contextlib.closing(ServerRecords(server.address())) as records:
        child = _quiet_fork()
        if child == 0:
            try:
                os._exit(records.number("SELECT 7") - 7)
            finally:
                os._exit(1)
        assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
        assert records.number("SELECT 8") == 8


def test_a_scan_that_is_killed_comes_to_the_same_end(server: Server, tmp_path: Path) -> None:
    before, after = expected()
    for n in range(4, 60, 9):
        path = made(server, tmp_path / str(n))
        child = _quiet_fork()
        if child == 0:
            die_at(n, path)
        assert os.WIFSIGNALED(os.waitpid(child, 0)[1])
        workspace, world = open_world(path)
        assert seen(world) in (before, after)
        if seen(world) == before:
            scan(world, SECOND)
        workspace.close()
        require_all_of_it_once(path)
        shutil.rmtree(path)


def die_at(n: int, path: Path) -> None:
    """Scan, and be killed right before the n-th statement."""
    left = [n]

    def about_to(*_: object) -> None:
        left[0] -= 1
        if left[0] == 0:
            os.kill(os.getpid(), signal.SIGKILL)

    try:
        breaking(pytest.MonkeyPatch(), about_to)
        scan_in(path, SECOND)
    finally:
        os._exit(1)
