"""A small town, and a house that watches it, in which anything may be hurt: processes, disk, clock, snapshots.

What the programs under test see is real: they are killed with SIGKILL, their disk is a file system that is full, their
snapshot is cut short or altered where it lies.  The clock is the exception.  A machine's clock cannot be set for some
of its processes, so a module that Python loads at its start gives them the time that stands in a file, which is also
how decisions are dated alike in every run; what is counted by the system's steady clock is not touched.
"""

import contextlib
import dataclasses
import json
import os
import random
import resource
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from numpy.typing import NDArray

from riparian import assembly
from riparian.codes import BUCKETS
from riparian.engines.clocks import StoppedClock
from riparian.feeds.chunks import ReadOptions
from riparian.flows.extraction import Ends, scan
from riparian.flows.joined import evidence_of_all
from riparian.ports import SHARED
from riparian.schema import DAY_US, HOUR_US
from riparian.sim.copiers import parse_ring
from riparian.sim.events import Town, events
from riparian.sim.town import TownSpec

KEY: Final = bytes(range(16))
TABLES: Final = ("alone", "answers", "kin", "rings", "totals", "levels", "grew", "refusals")
DAYS: Final = 8
PATIENCE_S: Final = 90.0
DISK_BYTES: Final = 64 << 20
POLICY: Final = (
    'mode = "enforce"\nnovelty_burst = 40\nnovelty_per_day = 0\nrequests_burst = 100000\nrequests_per_minute = 6000\n'
)
CLOCK: Final = """
import os, time
_file = os.environ["TOWN_CLOCK"]
def _now():
    with open(_file, encoding="ascii") as file:
        at, _, since = file.read().partition(" ")
    return int(at) + (time.monotonic_ns() - int(since) if since else 0)
time.time_ns = _now
time.time = lambda: _now() / 1e9
"""
RIPARIAN: Final = (sys.executable, "-m", "riparian.cli")


class LostError(Exception):
    """Something is not as it was without the fault."""


# --- the town ----------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Log:
    """A town's log in three portions, each of whole lines; where a portion ends, days are still open."""

    portions: tuple[Path, Path, Path]
    parquet: Path
    copier: str
    now_us: int

    def lines(self) -> int:
        """Count accesses."""
        return sum(len(portion.read_bytes().splitlines()) for portion in self.portions)


def simulated(folder: Path, seed: int, listeners: int = 20) -> Log:
    """Simulate a town with a ring in it, and write its log down."""
    folder.mkdir(parents=True, exist_ok=True)
    copiers = (parse_ring("1x300:queue"),)
    town = events(TownSpec(listeners, DAYS, seed, copiers=copiers, recordings=4_000))
    rows = town.accesses.select(["at", "account", "recording"]).drop_null().sort_by("at")
    begin_us = pc.min(rows["at"].cast(pa.int64())).as_py() // DAY_US * DAY_US
    cuts = [begin_us + day * DAY_US + 12 * HOUR_US for day in (3, 5, DAYS - 1)]
    at_us = rows["at"].cast(pa.int64()).to_numpy()
    portions, first = [], 0
    for number, cut in enumerate(cuts):
        last = int((at_us < cut).sum())
        portion = folder / f"access.{number}.ndjson"
        some = rows.slice(first, last - first).to_pylist()
        portion.write_text("".join(json.dumps({**row, "at": row["at"].isoformat()}) + "\n" for row in some))
        portions.append(portion)
        first = last
    whole = folder / "accesses.parquet"
    pq.write_table(rows.slice(0, first), whole)
    return Log((portions[0], portions[1], portions[2]), whole, _copier(town), begin_us + (DAYS + 1) * DAY_US)


def _copier(town: Town) -> str:
    return next(str(row["account"]) for row in town.truth.to_pylist() if row["role"] == "copier")


# --- what is compared --------------------------------------------------------------------------------------------

State = Mapping[str, Any]


def state(given: assembly.Given) -> dict[str, Any]:
    """Gather all that a workspace says: evidence, tallies, decisions, what was done to whom, what was counted."""
    with assembly.house(given) as house:
        world = house.world
        said: dict[str, Any] = {name: _plain(world.findings.table(name)) for name in TABLES}
        said["evidence"] = _plain(evidence_of_all(world.findings.table))
        said["decisions"] = _plain(world.decisions.table())
        said["steps"] = [dataclasses.astuple(event) for event in world.decisions.log()]
        for bucket in (*range(BUCKETS), SHARED):
            arrays = world.tallies.load(bucket)
            said[f"tally {bucket}"] = arrays and {n: _bytes(n, a) for n, a in sorted(arrays.items())}
        said["rejected"] = world.staging.rejected()
        said["waiting"] = world.staging.waiting()
        last = (world.scans.summaries() or [{}])[-1]
        said["counted"] = {name: last.get(name) for name in ("accesses", "account_days", "log_start_us", "log_end_us")}
    return said


def _bytes(name: str, array: NDArray[Any]) -> tuple[str, bytes]:
    # What accounts have had is a set: where in its table a member stands tells how often somebody looked.
    array = np.unique(array) if name == "seen" else array
    return array.dtype.str, array.tobytes()


def _plain(table: pa.Table | None) -> pa.Table | None:
    return None if table is None else table.combine_chunks()


def differences(one: State, other: State, *, dated: bool = True) -> list[str]:
    """Name what is not equal to the last bit; undated, dates of decisions are left out."""
    if not dated:
        one, other = _undated(one), _undated(other)
    return [name for name in one if not _same(one[name], other.get(name))]


def _same(one: object, other: object) -> bool:
    if isinstance(one, pa.Table) and isinstance(other, pa.Table):
        return bool(one.equals(other, check_metadata=True))
    return bool(one == other)


def _undated(said: State) -> State:
    decisions = said["decisions"]
    kept = [name for name in decisions.column_names if name not in {"since_us", "until_us"}]
    steps = [tuple(part for i, part in enumerate(step) if i not in (1, 4)) for step in said["steps"]]
    return {**said, "decisions": decisions.select(kept), "steps": steps}


# --- the house ---------------------------------------------------------------------------------------------------


@dataclass
class House:
    """A workspace, a clock that we hold, and programs that work there."""

    folder: Path
    now_us: int
    errors: Path
    running: list["subprocess.Popen[str]"] = field(default_factory=list)

    @classmethod
    def made(cls, folder: Path, now_us: int) -> "House":
        """Make one whose pseudonyms are those of every other."""
        workspace = folder / "w"
        workspace.mkdir(parents=True, mode=0o700)
        (workspace / "secret.key").write_bytes(KEY)
        (workspace / "secret.key").chmod(0o600)
        (workspace / "policy.toml").write_text(POLICY)
        shim = folder / "shim"
        shim.mkdir()
        (shim / "sitecustomize.py").write_text(CLOCK)
        house = cls(folder, now_us, folder / "errors.txt")
        house.set_clock(now_us)
        return house

    @property
    def workspace(self) -> Path:
        """Where everything is kept."""
        return self.folder / "w"

    @property
    def given(self) -> assembly.Given:
        """What an operator would give."""
        return assembly.Given(self.workspace)

    def set_clock(self, at_us: int, *, goes_on: bool = False) -> None:
        """Set the clock of every program; it stands, or goes on from there."""
        unfinished = self.folder / "clock.unfinished"
        since = f" {time.monotonic_ns()}" if goes_on else ""
        unfinished.write_text(f"{1000 * at_us}{since}", encoding="ascii")
        unfinished.rename(self.folder / "clock")

    def begin(self, *words: str, json_to: Path | None = None) -> "subprocess.Popen[str]":
        """Begin a command."""
        paths = [str(self.folder / "shim"), os.environ.get("PYTHONPATH", "")]
        env = {
            **os.environ,
            "PYTHONPATH": os.pathsep.join(filter(None, paths)),
            "TOWN_CLOCK": str(self.folder / "clock"),
        }
        with self.errors.open("a") as errors, (json_to or Path(os.devnull)).open("a") as out:
            process = subprocess.Popen([*RIPARIAN, *words], stdout=out, stderr=errors, text=True, env=env)
        self.running.append(process)
        return process

    def done(self, *words: str, code: int | None = 0) -> int:
        """Run a command to its end; its exit code."""
        ended = self.begin(*words).wait(PATIENCE_S)
        if code is not None and ended != code:
            raise LostError(f"`{' '.join(words[:2])}` ended with {ended}: {self.said()[-2000:]}")
        return ended

    def said(self) -> str:
        """Read what programs said on standard error."""
        return self.errors.read_text() if self.errors.exists() else ""

    def scan(self, portion: Path) -> "subprocess.Popen[str]":
        """Begin a scan."""
        return self.begin("scan", str(portion), "-w", str(self.workspace))

    def end(self) -> None:
        """Kill whatever still runs."""
        for process in self.running:
            if process.poll() is None:
                process.kill()
            process.wait()


def expected(folder: Path, log: Log, each: Sequence[tuple[Ends, Sequence[Path]]]) -> State:
    """Scan portions one after the other, without a fault, in this process."""
    house = House.made(folder, log.now_us)
    for ends, some in each:
        with assembly.house(house.given, clock=StoppedClock(log.now_us)) as opened:
            chunks = assembly.chunks(opened, [str(portion) for portion in some], ReadOptions())
            scan(opened.world, chunks, opened.terms, ends=ends)
    return state(house.given)


# --- what hurts --------------------------------------------------------------------------------------------------


def until(true: Callable[[], bool], what: str, patience_s: float = PATIENCE_S) -> float:
    """Wait; how long it took."""
    begun_s = time.monotonic()
    while not true():
        if time.monotonic() - begun_s > patience_s:
            raise LostError(f"{what} (waited {patience_s:.0f} s)")
        time.sleep(0.02)
    return time.monotonic() - begun_s


def holds(pid: int, name: str) -> bool:
    """Say whether a process has a file of that name open: a scan holds its lock from its first to its last step."""
    try:
        handles = list(Path(f"/proc/{pid}/fd").iterdir())
    except OSError:
        return False
    for handle in handles:
        with contextlib.suppress(OSError):
            if handle.readlink().name == name:
                return True
    return False


def killed_at_work(process: "subprocess.Popen[str]", after_s: float) -> bool:
    """Kill a scan so long after it began to work; False when it had ended by then."""
    until(lambda: process.poll() is not None or holds(process.pid, "scan.lock"), "the scan does not begin")
    with contextlib.suppress(subprocess.TimeoutExpired):
        process.wait(after_s)
    was_running = process.poll() is None
    process.kill()
    process.wait()
    return was_running


def torn(workspace: Path, rng: random.Random) -> str:
    """Cut short or alter one of the three newest files of snapshots; says which, and how."""
    snapshots = [*workspace.glob("drawers/*"), *workspace.glob("staged/*"), workspace / "riparian.sqlite-wal"]
    there = [path for path in snapshots if path.exists() and path.stat().st_size]
    victim = rng.choice(sorted(there, key=lambda path: (path.stat().st_mtime_ns, path.name))[-3:])
    size = victim.stat().st_size
    with victim.open("r+b") as file:
        if rng.random() < 0.5:
            file.truncate(rng.randrange(size))
            how = "cut short"
        else:
            at = rng.randrange(size)
            file.seek(at)
            old = file.read(min(16, size - at))
            file.seek(at)
            file.write(bytes(byte ^ 0xFF for byte in old))
            how = "altered"
    return f"{victim.parent.name if victim.parent != workspace else 'write-ahead log'}, {how}"


@dataclass
class Disk:
    """A disk that can be full: a small file system of its own, or else a limit on what the programs may write."""

    path: Path
    is_mounted: bool

    @property
    def kind(self) -> str:
        """Say what is real about it."""
        return "file system of 64 MiB" if self.is_mounted else "limit on file sizes"

    def fill(self, left_bytes: int, pids: Sequence[int]) -> None:
        """Leave so little room."""
        if self.is_mounted:
            free = os.statvfs(self.path)
            ballast = max(0, free.f_bavail * free.f_frsize - left_bytes)
            with (self.path / "ballast").open("wb") as file, contextlib.suppress(OSError):
                os.posix_fallocate(file.fileno(), 0, max(1, ballast))
            return
        for pid in pids:
            with contextlib.suppress(OSError):
                resource.prlimit(pid, resource.RLIMIT_FSIZE, (left_bytes, resource.RLIM_INFINITY))

    def make_room(self, pids: Sequence[int]) -> None:
        """Let everybody write again."""
        if self.is_mounted:
            (self.path / "ballast").unlink(missing_ok=True)
            return
        for pid in pids:
            with contextlib.suppress(OSError):
                resource.prlimit(pid, resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))


@contextlib.contextmanager
def disk(path: Path) -> Iterator[Disk]:
    """Give a small disk: a tmpfs where this machine lets us mount one."""
    path.mkdir(parents=True, exist_ok=True)
    mount = shutil.which("mount")
    options = ["-t", "tmpfs", "-o", f"size={DISK_BYTES}", "tmpfs", str(path)]
    is_mounted = mount is not None and subprocess.call([mount, *options], stderr=subprocess.DEVNULL) == 0
    try:
        yield Disk(path, is_mounted)
    finally:
        if is_mounted:
            subprocess.run([str(shutil.which("umount")), "-l", str(path)], check=True, capture_output=True)


def killed(pid: int) -> None:
    """Kill a process as a crash does."""
    os.kill(pid, signal.SIGKILL)
