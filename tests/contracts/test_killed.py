"""A scan killed at any point leaves what was visible before, and the next one comes to the same end.

The child is a fork that counts what it is about to do to the disk or the database, and is killed with SIGKILL
right before the n-th such thing, for every n.  Nothing in the product knows about it: the interpreter's audit
events tell of files, and SQLite's trace of statements.
"""

import os
import shutil
import signal
import sqlite3
import sys
import time
import warnings
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from riparian.codes import BUCKETS
from riparian.errors import CustodyError, InputError, LifecycleError, OutsideError
from riparian.gate.decide import Restraint, to_table
from riparian.gate.ending import propose
from riparian.gate.holds import History, Step
from riparian.ports import World
from riparian.stores.files import UNFINISHED
from riparian.stores.folder import Folder
from riparian.stores.memory import FixedClock, Memory
from riparian.stores.names import Names
from riparian.stores.records import Records
from riparian.stores.workspace import Workspace
from tests.contracts.test_stores import NOW, Line, Piece, account, counted, held, piece, without

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")

TOUCHED = ("open", "os.rename", "os.remove", "os.truncate", "os.link", "os.mkdir")
BAD = Line("a.log", 7, "`at` is `yesterday`", "x")


def chunk(n: int) -> Piece:
    rng = np.random.default_rng(n)
    accounts = [
        account(bucket, who) for bucket, who in zip([0, 5, 63] * 3, rng.integers(1, 4, 9).tolist(), strict=True)
    ]
    rows = {"at_us": list(range(9)), "account": accounts, "recording": rng.integers(1, 99, 9).tolist()}
    ids = (np.array([n], np.uint64), [f"person {n}"])
    return piece(bytes([n]), rows, ids=ids, rejects=[BAD])


FIRST, SECOND = [chunk(1)], [chunk(2), chunk(3)]


def scan(world: World, pieces: list[Piece]) -> None:
    """Count accesses per account, and restrain those with many."""
    with world.scans.alone():
        for one in pieces:
            if not world.staging.known(one.digest):
                world.staging.add(one)
        made = world.scans.begin(b"the same")
        for bucket in range(BUCKETS):
            columns = made.columns(bucket)
            if made.saved(bucket) or not columns["account"].size:
                continue
            tally = world.tallies.load(bucket) or {"account": np.zeros(0, np.uint64), "n": np.zeros(0, np.int64)}
            both = np.concatenate((np.repeat(tally["account"], tally["n"]), columns["account"]))
            table = counted({"account": both})
            made.save(bucket, {name: table[name].to_numpy() for name in table.column_names}, {"evidence": table})
        evidence = made.table("evidence")
        many = [] if evidence is None else [row["account"] for row in evidence.to_pylist() if row["n"] > 2]
        made.commit(to_table([held(a) for a in many]), {"many": len(many)})


def seen(world: World) -> dict[str, Any]:
    """Gather everything visible."""
    evidence = world.findings.table("evidence")
    tallies = [world.tallies.load(bucket) for bucket in range(BUCKETS)]
    return {
        "evidence": None if evidence is None else evidence.to_pylist(),
        "tallies": [t and {name: array.tolist() for name, array in t.items()} for t in tallies],
        "decisions": world.decisions.table().to_pylist(),
        "log": [(e.account, e.step) for e in world.decisions.log()],
        "many": [s["many"] for s in world.scans.summaries()],
    }


def expected() -> tuple[dict[str, Any], dict[str, Any]]:
    world = Memory().world(FixedClock(NOW))
    scan(world, FIRST)
    before = seen(world)
    scan(world, SECOND)
    return before, seen(world)


class Connection(sqlite3.Connection):
    about_to: Callable[[], None]

    def __init__(self, *given: Any, **named: Any) -> None:
        super().__init__(*given, **named)
        self.set_trace_callback(lambda sql: None if sql.startswith("SELECT") else self.about_to())


def killed_before(n: int, work: Callable[[], None]) -> bool:
    """Work in a fork that is killed right before the n-th thing it does to the disk; False when it came to its end."""
    child = _quiet_fork()
    if child == 0:
        _die_at(n, work)
    _, status = os.waitpid(child, 0)
    assert os.WIFSIGNALED(status) or os.WEXITSTATUS(status) == 0
    return os.WIFSIGNALED(status)


def _die_at(n: int, work: Callable[[], None]) -> None:
    left = n

    def about_to() -> None:
        nonlocal left
        left -= 1
        if left == 0:
            os.kill(os.getpid(), signal.SIGKILL)

    def heard(event: str, given: tuple[Any, ...]) -> None:
        if event in TOUCHED and (event != "open" or given[2] & (os.O_WRONLY | os.O_RDWR)):
            about_to()

    try:
        Connection.about_to = staticmethod(about_to)
        plain = sqlite3.connect
        sqlite3.connect = lambda *a, **k: plain(*a, factory=Connection, **k)  # type: ignore[assignment]
        sys.addaudithook(heard)
        work()
    except BaseException as error:  # noqa: BLE001  a fork must not come back into the test
        os.write(2, repr(error).encode())
        os._exit(1)
    os._exit(0)


def open_world(path: Path) -> tuple[Workspace, World]:
    workspace = Workspace.open(path)
    return workspace, workspace.world(FixedClock(NOW))


def scan_in(path: Path, pieces: list[Piece]) -> None:
    workspace, world = open_world(path)
    scan(world, pieces)
    workspace.close()


def files_of(path: Path) -> list[str]:
    return sorted(str(f.relative_to(path)) for name in ("staged", "drawers") for f in (path / name).iterdir())


def killings(step: int) -> Iterator[int]:
    return iter(range(1, 10_000, step))


@pytest.mark.parametrize(
    "step", [pytest.param(1, marks=pytest.mark.slow, id="every point"), pytest.param(13, id="some points")]
)
def test_a_scan_killed_at_any_point_comes_to_the_same_end(tmp_path: Path, step: int) -> None:
    before, after = expected()
    points = 0
    scan_in(tmp_path / "first", FIRST)
    for n in killings(step):
        path = tmp_path / str(n)
        shutil.copytree(tmp_path / "first", path)
        dead = killed_before(n, lambda path=path: scan_in(path, SECOND))  # type: ignore[misc]
        workspace, world = open_world(path)
        visible = seen(world)
        assert visible in ([before, after] if dead else [after])
        if visible == before:
            scan(world, SECOND)
        assert seen(world) == after
        assert world.staging.rejected() == 3
        assert world.vault.ids_of(np.array([1, 2, 3], np.uint64)) == ["person 1", "person 2", "person 3"]
        assert len(workspace.rejects.read_text().splitlines()) == 4
        with world.scans.alone():
            pass  # which sweeps
        assert len(files_of(path)) == 3
        assert not list(path.rglob(f"*{UNFINISHED}"))
        workspace.close()
        points += 1
        if not dead:
            break
    assert points > 40 // step


@pytest.mark.slow
def test_a_workspace_killed_while_it_is_made_can_be_opened(tmp_path: Path) -> None:
    for n in killings(1):
        path = tmp_path / str(n)
        dead = killed_before(n, lambda path=path: open_world(path)[0].close())  # type: ignore[misc]
        workspace, world = open_world(path)
        scan(world, FIRST)
        assert {f.stat().st_mode & 0o077 for f in path.rglob("*")} == {0}  # all of it is its owner's only
        assert len(workspace.key) == 16
        workspace.close()
        if not dead:
            break
    assert n > 10


def erase(path: Path, gone: int) -> None:
    workspace, world = open_world(path)
    world.vault.erase(gone, without)
    workspace.close()


@pytest.mark.slow
def test_an_erasure_killed_at_any_point_can_be_asked_for_again(tmp_path: Path) -> None:
    gone = counted({"account": FIRST[0].accesses["account"].to_numpy()})["account"][0].as_py()
    for n in killings(5):
        path = tmp_path / str(n)
        scan_in(path, FIRST)
        dead = killed_before(n, lambda path=path: erase(path, gone))  # type: ignore[misc]
        erase(path, gone)
        workspace, world = open_world(path)
        assert gone not in {row["account"] for row in seen(world)["evidence"]}
        assert not world.vault.erase(gone, without)
        assert len(files_of(path)) == 3
        workspace.close()
        if not dead:
            break
    assert n > 5


def test_the_lock_of_a_killed_scan_is_gone_and_that_of_a_living_one_is_not(tmp_path: Path) -> None:
    path = tmp_path / "w"
    scan_in(path, FIRST)
    workspace, world = open_world(path)
    child = _quiet_fork()
    if child == 0:
        with open_world(path)[1].scans.alone():
            (path / "locked").touch()
            time.sleep(60)
        os._exit(0)
    while not (path / "locked").exists():
        time.sleep(0.01)
    with pytest.raises(LifecycleError, match="another scan is running"), world.scans.alone():
        pass
    assert seen(world) == expected()[0]  # looking is allowed
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)
    scan(world, SECOND)
    assert seen(world) == expected()[1]
    workspace.close()


def _quiet_fork() -> int:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        return os.fork()


def staged_workspace(tmp_path: Path) -> tuple[Workspace, World, Path]:
    workspace, world = open_world(tmp_path / "w")
    with world.scans.alone():
        world.staging.add(chunk(1))
    (staged,) = (tmp_path / "w" / "staged").iterdir()
    return workspace, world, staged


def test_any_arrow_reader_opens_a_staged_chunk(tmp_path: Path) -> None:
    workspace, _, staged = staged_workspace(tmp_path)
    table = pa.ipc.open_file(staged).read_all()
    assert table["account"].to_pylist() == sorted(chunk(1).accesses["account"].to_pylist(), key=lambda a: a >> 58)
    workspace.close()


def test_a_torn_staged_file_is_an_altered_record(tmp_path: Path) -> None:
    workspace, world, staged = staged_workspace(tmp_path)
    os.truncate(staged, 40)
    with world.scans.alone(), pytest.raises(CustodyError, match="shorter"):
        [world.scans.begin(b"").columns(bucket) for bucket in range(BUCKETS)]
    staged.unlink()
    with world.scans.alone(), pytest.raises(OutsideError):
        [world.scans.begin(b"").columns(bucket) for bucket in range(BUCKETS)]
    workspace.close()


@pytest.mark.parametrize("keep", [0, 5, 60, -1, -9])
def test_a_torn_drawer_is_an_altered_record(tmp_path: Path, keep: int) -> None:
    path = tmp_path / "w"
    scan_in(path, FIRST)
    workspace, world = open_world(path)
    for file in (path / "drawers").iterdir():
        os.truncate(file, file.stat().st_size + keep if keep < 0 else keep)
    with pytest.raises(CustodyError, match="not what was written"):
        [world.tallies.load(bucket) for bucket in range(BUCKETS)]
    workspace.close()


def test_a_workspace_without_its_key_is_not_given_another(tmp_path: Path) -> None:
    path = tmp_path / "w"
    Workspace.open(path).close()
    key = path / "secret.key"
    for spoil in (lambda: key.write_bytes(b"another key 1234"), lambda: key.write_bytes(b""), key.unlink):
        spoil()
        with pytest.raises(CustodyError, match=r"secret\.key"):
            Workspace.open(path)


def test_a_workspace_of_another_version_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "w"
    Workspace.open(path).close()
    connection = sqlite3.connect(path / "riparian.sqlite")
    connection.execute("PRAGMA user_version = 99")
    connection.close()
    with pytest.raises(InputError, match="schema version 99, wanted 3"):
        Workspace.open(path)
    (path / "riparian.sqlite").write_bytes(b"not a database, but long enough to look like one" * 100)
    with pytest.raises(OutsideError):
        Workspace.open(path)


VERSION_1 = """
CREATE TABLE chunk (
    seq INTEGER PRIMARY KEY, digest BLOB NOT NULL UNIQUE, source TEXT NOT NULL, lines INTEGER NOT NULL,
    rows INTEGER NOT NULL, rejected INTEGER NOT NULL, generation INTEGER, file TEXT, begins TEXT, offsets BLOB);
CREATE TABLE scan (
    generation INTEGER PRIMARY KEY, context BLOB NOT NULL, begun_us INTEGER NOT NULL,
    last_event INTEGER NOT NULL, summary TEXT);
CREATE TABLE draft (bucket INTEGER PRIMARY KEY, file TEXT NOT NULL);
CREATE TABLE kept (bucket INTEGER PRIMARY KEY, file TEXT NOT NULL);
CREATE TABLE decision (
    account INTEGER PRIMARY KEY, restraint INTEGER NOT NULL, because TEXT NOT NULL, bits REAL NOT NULL,
    threshold_bits REAL NOT NULL, declared REAL NOT NULL, certified REAL, since_us INTEGER NOT NULL,
    until_us INTEGER NOT NULL, applied INTEGER NOT NULL, bits_before REAL, bits_then REAL);
CREATE TABLE event (
    id INTEGER PRIMARY KEY AUTOINCREMENT, account INTEGER NOT NULL, at_us INTEGER NOT NULL, step TEXT NOT NULL,
    restraint INTEGER NOT NULL, until_us INTEGER NOT NULL, person TEXT NOT NULL, reason TEXT NOT NULL);
CREATE INDEX event_of_account ON event (account);
CREATE TABLE vault (part INTEGER PRIMARY KEY, n INTEGER NOT NULL, batch BLOB NOT NULL);
CREATE TABLE note (name TEXT PRIMARY KEY, value BLOB NOT NULL) WITHOUT ROWID;
INSERT INTO decision VALUES (5, 3, '["why"]', 14.0, 13.3, 0.001, NULL, 10, 99, 1, NULL, 14.0);
INSERT INTO event (account, at_us, step, restraint, until_us, person, reason)
    VALUES (5, 10, 'decided', 3, 50, '', 'why'), (5, 20, 'extended', 3, 99, 'ada', 'waiting');
PRAGMA application_id = 1380536385;
PRAGMA user_version = 1;
"""


def test_a_workspace_of_version_1_opens_with_all_that_it_knew(tmp_path: Path) -> None:
    path = tmp_path / "w"
    path.mkdir()
    connection = sqlite3.connect(path / "riparian.sqlite")
    connection.executescript(VERSION_1)
    connection.close()
    for _ in range(2):  # it is brought up to date once
        workspace = Workspace.open(path)
        decisions = workspace.world(FixedClock(30)).decisions
        held = decisions.of(5)
        assert held is not None
        assert (held.restraint, held.because, held.until_us) == (Restraint.HOLD, ("why",), 99)
        assert [(e.step, e.person, e.ring) for e in decisions.events(5)] == [
            (Step.DECIDED, "", 0),
            (Step.EXTENDED, "ada", 0),
        ]
        workspace.close()
    workspace = Workspace.open(path)
    decisions = workspace.world(FixedClock(30)).decisions
    decisions.record(propose(History(5, held, tuple(decisions.events(5))), 30, person="ada", reason="a ring", ring=7))
    assert decisions.events(5)[-1].ring == 7
    assert [decision.account for decision in decisions.in_force(30, limit=9)] == [5]
    workspace.close()
    connection = sqlite3.connect(path / "riparian.sqlite")
    assert connection.execute("PRAGMA user_version").fetchone() == (3,)
    connection.close()


def test_a_disk_that_refuses_is_told_with_its_cause(tmp_path: Path) -> None:
    (tmp_path / "w").write_text("a file where the folder should be")
    with pytest.raises(OutsideError) as caught:
        Workspace.open(tmp_path / "w")
    assert isinstance(caught.value.__cause__, OSError)


def test_a_rejects_file_says_where_and_why_on_one_line_each(tmp_path: Path) -> None:
    workspace, world = open_world(tmp_path / "w")
    odd = replace(chunk(1), rejects=[replace(BAD, text="a\tb\nc\\d\udcff")])
    with world.scans.alone():
        world.staging.add(odd)
    lines = workspace.rejects.read_text().splitlines()
    assert lines == ["source\tline\treason\ttext", "a.log\t7\t`at` is `yesterday`\ta\\tb\\nc\\\\d\\udcff"]
    workspace.rejects.unlink()  # an operator who has seen enough
    with world.scans.alone():
        world.staging.add(chunk(2))
    assert len(workspace.rejects.read_text().splitlines()) == 2
    workspace.close()


def test_looking_neither_waits_for_a_scan_that_writes_nor_stumbles_over_its_commit(tmp_path: Path) -> None:
    path = tmp_path / "w"
    scan_in(path, FIRST)
    writing = sqlite3.connect(path / "riparian.sqlite", isolation_level=None)
    writing.execute("BEGIN IMMEDIATE")
    workspace, world = open_world(path)
    assert seen(world) == expected()[0]
    writing.execute("ROLLBACK")
    writing.close()

    # Another process commits between the look at a file's name and at its bytes: once it is gone, twice there.
    records = Records(path / "riparian.sqlite")
    folder = Folder(path, records, Names(records), b"")
    names: list[str] = []

    def read(file: Path) -> str:
        names.append(file.name)
        if len(names) == 1:
            scan(world, SECOND)
        return file.read_bytes()[-1:].hex()

    assert folder.visible(0, read)
    assert len(set(names)) == 2
    records.close()
    workspace.close()
