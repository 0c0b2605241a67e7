"""A workspace is copied while it is in use, destroyed, and made again: nothing is lost, nothing else taken for it."""

import fcntl
import json
import os
import shutil
import signal
import sqlite3
import subprocess
import sys
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from riparian.cli import app
from riparian.errors import CustodyError, InputError, LifecycleError, OutsideError, RiparianError
from riparian.stores.backups import MANIFEST, back_up, check, restore

RUN = CliRunner()
AT = "2026-11-23T09:30:00Z"


def quiet(_what: str, _n: int, _of: int | None) -> None:
    pass


def say(folder: Path, *words: str, code: int = 0) -> list[dict[str, Any]]:
    done = RUN.invoke(app, [*words, "-w", str(folder), "--json"])
    assert done.exit_code == code, (done.output, done.exception)
    return [json.loads(line) for line in done.output.splitlines() if line.startswith("{")]


@pytest.fixture
def workspace(tmp_path: Path) -> Path:
    """Make a small workspace with a bit of everything that is kept differently."""
    folder = tmp_path / "ws"
    say(folder, "case", "open", "A mirror", "--by", "ann")
    for name in ("gates", "drawers", "drawers/deep"):
        (folder / name).mkdir()
    (folder / "gates" / "journal.1").write_bytes(b"charged")
    (folder / "drawers" / "deep" / "ünïcode").write_bytes(os.urandom(300_000))
    (folder / "empty").touch()
    (folder / "secret.key").write_bytes(b"0" * 16)
    (folder / "secret.key").chmod(0o600)
    (folder / "half.unfinished").write_bytes(b"half")
    return folder


def held(folder: Path) -> dict[str, bytes]:
    """Give what is in a folder, databases as what they say."""
    found = {}
    for path in sorted(folder.rglob("*")):
        name = path.relative_to(folder).as_posix()
        if not path.is_file() or name.endswith((".lock", ".unfinished", "-wal", "-shm")):
            continue
        found[name] = path.read_bytes()
        if found[name].startswith(b"SQLite format 3"):
            connection = sqlite3.connect(path)
            found[name] = "\n".join(connection.iterdump()).encode()
            connection.close()
    return found


def test_what_was_copied_is_made_again_to_the_octet(workspace: Path, tmp_path: Path) -> None:
    file, before = tmp_path / "b.zip", held(workspace)
    copied = back_up(workspace, file, AT, quiet)
    shutil.rmtree(workspace)
    assert restore(file, workspace, quiet) == copied == check(file, quiet)
    assert held(workspace) == before
    assert (workspace / "secret.key").stat().st_mode & 0o777 == 0o600
    assert file.stat().st_mode & 0o777 == 0o600
    say(workspace, "case", "verify")


def test_a_database_is_copied_as_of_one_moment_while_somebody_writes(workspace: Path, tmp_path: Path) -> None:
    writer = sqlite3.connect(workspace / "other.sqlite", isolation_level=None)
    writer.execute("PRAGMA journal_mode = WAL")
    writer.execute("CREATE TABLE t (n)")
    writer.execute("INSERT INTO t VALUES (1)")
    writer.execute("BEGIN IMMEDIATE")
    writer.execute("INSERT INTO t VALUES (2)")
    back_up(workspace, tmp_path / "b.zip", AT, quiet)
    writer.execute("COMMIT")
    writer.close()
    restore(tmp_path / "b.zip", tmp_path / "again", quiet)
    again = sqlite3.connect(tmp_path / "again" / "other.sqlite")
    assert again.execute("SELECT n FROM t").fetchall() == [(1,)]
    again.close()


def locked(path: Path) -> int:
    handle = os.open(path, os.O_CREAT | os.O_RDWR)
    fcntl.flock(handle, fcntl.LOCK_EX)
    return handle


def test_a_scan_that_runs_is_waited_for(workspace: Path, tmp_path: Path) -> None:
    handle = locked(workspace / "scan.lock")
    with pytest.raises(LifecycleError, match="a scan is running"):
        back_up(workspace, tmp_path / "b.zip", AT, quiet)
    os.close(handle)
    assert list(tmp_path.glob("b.zip*")) == []


def test_what_running_gates_keep_is_left_out_and_that_is_told(workspace: Path, tmp_path: Path) -> None:
    handle = locked(workspace / "serve.lock")
    copied = back_up(workspace, tmp_path / "b.zip", AT, quiet)
    os.close(handle)
    assert copied.without == ("gates: gates run",)
    restore(tmp_path / "b.zip", tmp_path / "again", quiet)
    assert not (tmp_path / "again" / "gates").exists()


@pytest.mark.parametrize(
    ("make", "error"),
    [
        pytest.param(lambda ws: (ws.with_name("none"), ws.with_name("b.zip")), InputError, id="no workspace"),
        pytest.param(lambda ws: (ws, ws / "b.zip"), InputError, id="into itself"),
        pytest.param(lambda ws: (ws, ws / "drawers" / ".." / "b.zip"), InputError, id="into itself, on a detour"),
        pytest.param(lambda ws: (ws, ws / "secret.key"), InputError, id="over something"),
        pytest.param(lambda ws: (ws, ws.with_name("none") / "b.zip"), OutsideError, id="into no folder"),
    ],
)
def test_what_cannot_be_copied(
    workspace: Path, make: Callable[[Path], tuple[Path, Path]], error: type[RiparianError]
) -> None:
    before = held(workspace)
    with pytest.raises(error):
        back_up(*make(workspace), AT, quiet)
    assert held(workspace) == before


def test_nothing_that_is_there_is_overwritten(workspace: Path, tmp_path: Path) -> None:
    back_up(workspace, tmp_path / "b.zip", AT, quiet)
    before = held(workspace)
    for place in (workspace, workspace / "secret.key"):
        with pytest.raises(InputError, match="is there already"):
            restore(tmp_path / "b.zip", place, quiet)
    assert held(workspace) == before
    (tmp_path / "empty").mkdir()
    restore(tmp_path / "b.zip", tmp_path / "empty", quiet)


@pytest.mark.parametrize("step", [997, 4001])
def test_any_octet_that_was_changed_is_told_or_changes_nothing(workspace: Path, tmp_path: Path, step: int) -> None:
    file, before = tmp_path / "b.zip", held(workspace)
    shutil.rmtree(workspace / "drawers")
    before = held(workspace)
    back_up(workspace, file, AT, quiet)
    octets = file.read_bytes()
    for at in range(0, len(octets), step):
        file.write_bytes(octets[:at] + bytes([octets[at] ^ 0x41]) + octets[at + 1 :])
        place = tmp_path / f"again-{at}"
        try:
            restore(file, place, quiet)
        except (CustodyError, InputError):
            assert not place.exists()
            assert list(tmp_path.glob("*.unfinished")) == []
        else:
            assert held(place) == before, at
            shutil.rmtree(place)


def rewritten(file: Path, change: Callable[[dict[str, Any], dict[str, bytes]], object]) -> None:
    """Write a copy anew, with a manifest that somebody made up."""
    with zipfile.ZipFile(file) as archive:
        parts = {name: archive.read(name) for name in archive.namelist()}
    said = json.loads(parts.pop(MANIFEST))
    change(said, parts)
    with zipfile.ZipFile(file, "w") as archive:
        for name, octets in parts.items():
            archive.writestr(name, octets)
        archive.writestr(MANIFEST, json.dumps(said))


def moved(to: str) -> Callable[[dict[str, Any], dict[str, bytes]], None]:
    def change(said: dict[str, Any], parts: dict[str, bytes]) -> None:
        said["files"][to] = said["files"].pop("secret.key")
        parts[to] = parts.pop("secret.key")

    return change


@pytest.mark.parametrize(
    ("change", "error"),
    [
        pytest.param(lambda said, _: said.update(version=2), InputError, id="of another version"),
        pytest.param(lambda said, _: said.update(kind="case"), InputError, id="of something else"),
        pytest.param(lambda said, _: said.pop("files"), InputError, id="without its files"),
        pytest.param(lambda said, _: said["files"].update(x=3), InputError, id="a file that is a number"),
        pytest.param(lambda said, _: said["files"].pop("empty"), CustodyError, id="one more than it says"),
        pytest.param(lambda _, parts: parts.pop("empty"), CustodyError, id="one less"),
        pytest.param(lambda _, parts: parts.update({"secret.key": b"1" * 16}), CustodyError, id="another key"),
        pytest.param(
            lambda _, parts: parts.update({"empty": b"0" * 10**7}), CustodyError, id="far longer than it says"
        ),
        pytest.param(moved("../outside"), CustodyError, id="a way out"),
        pytest.param(moved("/outside"), CustodyError, id="a way to the root"),
        pytest.param(moved("a/../../outside"), CustodyError, id="a detour out"),
        pytest.param(moved("a\\b"), CustodyError, id="a name with a backslash"),
    ],
)
def test_a_copy_that_somebody_made_up_is_refused_and_leaves_nothing(
    workspace: Path, tmp_path: Path, change: Callable[..., object], error: type[RiparianError]
) -> None:
    file = tmp_path / "b.zip"
    back_up(workspace, file, AT, quiet)
    rewritten(file, change)
    names = {path.name for path in tmp_path.iterdir()}
    with pytest.raises(error):
        restore(file, tmp_path / "again", quiet)
    assert {path.name for path in tmp_path.iterdir()} == names


@pytest.mark.parametrize("octets", [b"", b"PK", b"no copy at all", b"PK\x03\x04" + b"\0" * 500], ids=repr)
def test_what_is_no_copy_is_refused(octets: bytes, tmp_path: Path) -> None:
    (tmp_path / "b.zip").write_bytes(octets)
    with pytest.raises(CustodyError):
        check(tmp_path / "b.zip", quiet)
    with pytest.raises(CustodyError):
        restore(tmp_path / "b.zip", tmp_path / "ws", quiet)
    with pytest.raises(InputError):
        check(tmp_path / "none.zip", quiet)


KILLED = """
import os, signal, sys
from pathlib import Path
from riparian.stores import backups
seen = 0
def poured(source, into, of=backups._poured):
    global seen
    seen += 1
    if seen == 3:
        os.kill(os.getpid(), signal.SIGKILL)
    return of(source, into)
backups._poured = poured
file, place = Path(sys.argv[2]), Path(sys.argv[3])
quiet = lambda *_: None
backups.back_up(place, file, "", quiet) if sys.argv[1] == "copy" else backups.restore(file, place, quiet)
"""


def killed(what: str, file: Path, place: Path) -> None:
    words = [sys.executable, "-c", KILLED, what, str(file), str(place)]
    assert subprocess.run(words, check=False, timeout=120).returncode == -signal.SIGKILL


def test_whoever_is_killed_leaves_all_or_nothing(workspace: Path, tmp_path: Path) -> None:
    file, again = tmp_path / "b.zip", tmp_path / "again"
    killed("copy", file, workspace)
    assert not file.exists()
    back_up(workspace, file, AT, quiet)
    killed("restore", file, again)
    assert not again.exists()
    restore(file, again, quiet)
    assert held(again) == held(workspace)
    assert [path.name for path in tmp_path.glob("*.unfinished")] == []


@pytest.mark.slow
def test_a_drill(tmp_path: Path) -> None:
    """Scan, open a case, copy, destroy, restore: all that is known and proved is the same, and nothing counts twice."""
    folder, file = tmp_path / "ws", tmp_path / "b.zip"
    town = tmp_path / "town"
    done = RUN.invoke(app, ["simulate", str(town), "--listeners", "40", "--days", "5", "--ring", "1x300:queue"])
    assert done.exit_code == 0, done.output
    log = str(next(town.glob("access*")))
    say(folder, "scan", log, "--catalogue", str(town / "catalogue.parquet"))
    say(folder, "case", "open", "A mirror", "--by", "ann")
    (tmp_path / "page.html").write_text("<title>Album</title>", encoding="utf-8")
    say(folder, "case", "keep", "C1", str(tmp_path / "page.html"))
    say(folder, "exchange", "begin", "Reed Records")
    before = [say(folder, *words) for words in (("accounts",), ("case", "show", "C1"))]
    say(folder, "case", "verify")
    assert RUN.invoke(app, ["backup", str(file), "-w", str(folder)]).exit_code == 0
    shutil.rmtree(folder)
    assert RUN.invoke(app, ["restore", str(file), "-w", str(folder)]).exit_code == 0
    assert [say(folder, *words) for words in (("accounts",), ("case", "show", "C1"))] == before
    say(folder, "case", "verify")
    say(folder, "scan", log)
    assert [say(folder, "accounts")] == before[:1], "the same log counts nothing twice"
