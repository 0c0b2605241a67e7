"""Does the console stay quick with a million accounts and a hundred people before it?

A workspace is made from one seed: a log of four million accesses by a million accounts over a catalogue of 300,000
recordings, among them rings with a work queue each, goes through the real scan; 100,000 decisions and an event of each
are written beside it, one in ten of them in force and the others answered, since no log of honest people makes so many;
1,000 cases of eight events; 100 analysts, and 10,000 looks that they took.
`riparian console` serves it in a process of its own, and this one asks over loopback:

* how long the first page takes after the start, with nothing in memory, and again;
* every list at its first page, in its middle and at its last page, each 20 times, one request after the other;
* 100 analysts at a time, each of whom opens a page, reads for eight seconds in the mean (exponential), and opens the
  next, chosen evenly among all pages that stand in the navigation, accounts, rings, cases and recordings;
* eight of them without reading: how many pages a second one process makes.

Both processes share the cores of one machine, so the asking is in what is measured.

    python bench/console_load.py [--accounts 1000000] [--decisions 100000] [--cases 1000] [--analysts 100]
        [--seconds 60] [--reading 8]
"""

import argparse
import asyncio
import re
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

import httpx
import measure
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from riparian import assembly
from riparian.assembly import Given, WallClock
from riparian.cases.events import Proposed
from riparian.console.pages import PAGES
from riparian.flows import casework
from riparian.flows.listed import written_place
from riparian.gate.decide import Decision, to_table
from riparian.gate.holds import Event, Step
from riparian.gate.policy import Restraint
from riparian.ports.staff import Invitation, Role
from riparian.schema import DAY_US
from riparian.stores.records import Records

RECORDINGS: Final = 300_000
DAYS: Final = 14
START_US: Final = 1_772_409_600_000_000
RINGS, MEMBERS, TAKEN = 60, 6, 250
LOOKS: Final = 10_000
TIMES: Final = 20
IN_FORCE: Final = 10
"""Of so many decisions one is in force."""
SEED: Final = 9
_LADDER: Final = (Restraint.SLOW, Restraint.STEP_UP, Restraint.HOLD)
_NAMED: Final = ("ember", "slate", "low", "tide", "quiet", "harbour", "north", "field", "glass", "river", "stone")


# --- the workspace -----------------------------------------------------------------------------------------------


def log(accounts: int, rng: np.random.Generator) -> pa.Table:
    """Draw what everybody fetched: each account at least once, and rings that share a queue."""
    n = 4 * accounts
    who = np.concatenate([np.arange(accounts), rng.integers(0, accounts, n - accounts)])
    plays = np.cumsum(1.0 / (np.arange(RECORDINGS) + 60.0))
    what = np.searchsorted(plays, rng.random(n) * plays[-1])
    at = rng.random(n) * DAYS * DAY_US
    for ring in range(RINGS):
        members = accounts + ring * MEMBERS + np.arange(MEMBERS)
        queue = rng.permutation(RECORDINGS)[: MEMBERS * TAKEN]
        who = np.concatenate([who, np.tile(members, TAKEN)])
        what = np.concatenate([what, queue])
        at = np.concatenate([at, np.sort(rng.random(MEMBERS * TAKEN)) * DAYS * DAY_US])
    order = np.argsort(at, kind="stable")
    names = pa.array([f"u-{x:012x}" for x in range(accounts + RINGS * MEMBERS)])
    recordings = pa.array([f"r-{i:07d}" for i in range(RECORDINGS)])
    return pa.table(
        {
            "at": pa.array((START_US + at[order]).astype(np.int64), pa.timestamp("us", "UTC")),
            "account": names.take(pa.array(who[order])),
            "recording": recordings.take(pa.array(what[order])),
            "media_ms": pa.array(rng.integers(30_000, 300_000, len(order)), pa.int32()),
        }
    )


def catalogue(rng: np.random.Generator) -> pa.Table:
    """Make up what the recordings are called."""
    words = pa.array(_NAMED)
    first, second = (words.take(pa.array(rng.integers(0, len(_NAMED), RECORDINGS))) for _ in range(2))
    titles = [f"{a} {b} {i}" for i, (a, b) in enumerate(zip(first.to_pylist(), second.to_pylist(), strict=True))]
    return pa.table(
        {
            "recording": [f"r-{i:07d}" for i in range(RECORDINGS)],
            "title": titles,
            "artist": [f"artist {i % 20_000}" for i in range(RECORDINGS)],
            "plays": (1e7 / (np.arange(RECORDINGS) + 60.0)).astype(np.int64),
        }
    )


def scanned(folder: Path, accounts: int, rng: np.random.Generator) -> Path:
    """Scan the log into a workspace."""
    workspace = folder / "workspace"
    pq.write_table(log(accounts, rng), folder / "log.parquet")
    pq.write_table(catalogue(rng), folder / "catalogue.parquet")
    words = ["scan", str(folder / "log.parquet"), "--catalogue", str(folder / "catalogue.parquet")]
    command = [sys.executable, "-m", "riparian.cli", *words, "--workspace", str(workspace)]
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    return workspace


def decided(workspace: Path, n: int, rng: np.random.Generator) -> list[Decision]:
    """Write decisions about accounts that the scan has seen, and one event each; those in force, strongest first."""
    records = Records(workspace / "riparian.sqlite")
    parts = [pa.ipc.open_stream(batch).read_all() for (batch,) in records.rows("SELECT batch FROM vault WHERE n > 0")]
    codes = rng.permutation(np.sort(np.concatenate([part["code"].to_numpy() for part in parts])))[:n]
    now_us = WallClock().now_us()
    made = []
    for at, (account, bits) in enumerate(zip(codes, 10 + rng.exponential(20.0, n), strict=True)):
        rung = Restraint.ALLOW if at % IN_FORCE else _LADDER[at // IN_FORCE % 3]
        because = (f"plays so much, so new, in such an order as no declared kind of listener does ({bits:.1f} bits)",)
        until = now_us + int(rng.integers(1, 14)) * DAY_US
        chance = 2.0**-bits
        made.append(
            Decision(
                int(account),
                rung,
                because,
                float(bits),
                10.0,
                chance,
                None,
                now_us - DAY_US,
                until,
                applied=True,
            )
        )
    with records.transaction():
        records.put_decisions(to_table(made))
        records.put_events(
            [Event(d.account, d.since_us, Step.PLACED, d.restraint, d.until_us, "", d.because[0]) for d in made]
        )
    records.close()
    return sorted((d for d in made if d.restraint), key=lambda d: (-d.restraint, -d.bits, d.account))


def opened_cases(workspace: Path, n: int) -> None:
    """Open cases of eight events each."""
    at = datetime(2026, 11, 2, 9, tzinfo=UTC)
    with assembly.docket(Given(workspace)) as docket:
        for number in range(n):
            where = [f"https://mirror-{number}.example/{k}" for k in range(3)]
            locations = [{"key": f"L{k}", "url": url} for k, url in enumerate(where, 1)]
            what = {"recording": f"r-{number:07d}", "title": f"Title {number}", "artist": "Somebody"}
            facts: list[tuple[str, Mapping[str, Any]]] = [
                ("opened", {"title": f"Mirror {number}", "territories": ["US"]}),
                ("work", what),
                *(("location", one) for one in locations),
                *(
                    ("looked", {"location": one["key"], "live": True, "at": "2026-11-02T09:00:00Z"})
                    for one in locations
                ),
            ]
            casework.open_case(docket, [Proposed(kind, one, at, "Ann") for kind, one in facts])


def staffed(workspace: Path, analysts: int) -> list[str]:
    """Let people in, and sign them in; their tokens."""
    now_us = WallClock().now_us()
    with assembly.staff(Given(workspace)) as staff:
        tokens = []
        for number in range(analysts):
            name = f"analyst {number}"
            staff.enter(staff.invite(Invitation(name, Role.ADMIN), now_us), "", f"subject-{number}", now_us)
            tokens.append(staff.sign_in(name, now_us))
        for number in range(LOOKS):
            staff.looked(f"analyst {number % analysts}", "/account", [f"a-{number:012d}"], now_us)
    return tokens


# --- the asking --------------------------------------------------------------------------------------------------


@contextmanager
def served(workspace: Path) -> Iterator[str]:
    """Start the console, and end it."""
    with socket.socket() as asked:
        asked.bind(("127.0.0.1", 0))
        port = asked.getsockname()[1]
    words = ["console", "--workspace", str(workspace), "--listen", f"127.0.0.1:{port}"]
    started = subprocess.Popen([sys.executable, "-m", "riparian.cli", *words], stdout=subprocess.DEVNULL)
    try:
        ends = time.monotonic() + 60
        while True:
            try:
                socket.create_connection(("127.0.0.1", port), 1).close()
                break
            except OSError:
                if time.monotonic() > ends:
                    raise
                time.sleep(0.02)
        yield f"http://localhost:{port}"
    finally:
        started.terminate()
        try:
            started.wait(10)
        except subprocess.TimeoutExpired:
            started.kill()


def client(at: str, token: str) -> httpx.Client:
    """Be one analyst, one request after the other."""
    return httpx.Client(base_url=at, cookies={"riparian": token}, timeout=120)


def timed(one: httpx.Client, address: str) -> float:
    """Ask for a page; milliseconds."""
    begun = time.perf_counter()
    answer = one.get(address)
    answer.raise_for_status()
    return 1000 * (time.perf_counter() - begun)


def counted(one: httpx.Client) -> float:
    """Wait until nothing is still being computed; milliseconds."""
    begun = time.perf_counter()
    while any("is being counted" in one.get(path).text for path in ("/", "/catalogue")):
        time.sleep(0.5)
    return 1000 * (time.perf_counter() - begun)


def places(one: httpx.Client, path: str, key: str, decisions: Sequence[Decision]) -> list[str]:
    """Tell where a list begins, where its middle does, and where its last page does."""
    if path == "/accounts":
        middle, last = decisions[len(decisions) // 2], decisions[-51]
        return [path, *(str(httpx.URL(path, params={key: written_place(d)})) for d in (middle, last))]
    if path == "/catalogue":
        return [path, *(f"{path}?{key}=r-{n:07d}" for n in (RECORDINGS // 2, RECORDINGS - 51))]
    known = [path]
    while True:
        after = one.get(known[-1], headers={"accept": "application/json"}).json().get(key)
        if not after:
            return [known[0], known[len(known) // 2], known[-1]]
        known.append(str(httpx.URL(path, params={key: after})))


def lists(at: str, token: str, decisions: Sequence[Decision]) -> Iterator[dict[str, object]]:
    """Time every list at its beginning, in its middle and at its end."""
    with client(at, token) as one:
        for path, key in (
            ("/accounts", "after"),
            ("/catalogue", "after"),
            ("/rings", "after"),
            ("/cases", "after"),
            ("/looks", "before"),
        ):
            row: dict[str, object] = {"list": path}
            for where, address in zip(("first", "middle", "last"), places(one, path, key, decisions), strict=True):
                times = [timed(one, address) for _ in range(TIMES)]
                row[f"{where}_p50_ms"] = f"{np.median(times):.0f}"
                row[f"{where}_most_ms"] = f"{max(times):.0f}"
            print(row, flush=True)
            yield row


def mixed(at: str, token: str, decisions: Sequence[Decision]) -> dict[str, list[str]]:
    """List what analysts open, by page."""
    known = {page.path: [page.path] for page in PAGES if page.is_listed}
    with client(at, token) as one:
        assembled = (
            one.get("/accounts").text + one.get("/rings").text + one.get("/cases").text + one.get("/catalogue").text
        )
    for page in PAGES:
        if not page.is_listed:
            found = sorted(
                {f"{page.path}?{asked}" for asked in re.findall(rf'"{page.path}\?([^"&]+=[^"&]+)"', assembled)}
            )
            if found:
                known[page.path] = found
    known["/accounts"] += [str(httpx.URL("/accounts", params={"after": written_place(d)})) for d in decisions[50::5000]]
    return known


@dataclass(frozen=True)
class Work:
    """What analysts do: which pages they open, until when, and how long they read each in the mean."""

    pages: Mapping[str, list[str]]
    until: float
    reading_s: float

    async def by(self, one: httpx.AsyncClient, rng: np.random.Generator) -> list[tuple[str, float]]:
        """Let one of them work; each page and its milliseconds."""
        taken: list[tuple[str, float]] = []
        paths = list(self.pages)
        await self._read(rng)
        while time.perf_counter() < self.until:
            path = paths[rng.integers(len(paths))]
            begun = time.perf_counter()
            (await one.get(self.pages[path][rng.integers(len(self.pages[path]))])).raise_for_status()
            taken.append((path, 1000 * (time.perf_counter() - begun)))
            await self._read(rng)
        await one.aclose()
        return taken

    async def _read(self, rng: np.random.Generator) -> None:
        await asyncio.sleep(float(rng.exponential(self.reading_s)) if self.reading_s else 0)


async def together(
    at: str, tokens: Sequence[str], pages: Mapping[str, list[str]], seconds: float, reading_s: float
) -> list[tuple[str, float]]:
    """Let all analysts work at the same time; each page they opened, and its milliseconds."""
    # Whoever is ready before the clock runs takes no time from those who ask.
    ready = [httpx.AsyncClient(base_url=at, cookies={"riparian": token}, timeout=120) for token in tokens]
    work = Work(pages, time.perf_counter() + seconds, reading_s)
    each = [work.by(one, np.random.default_rng([SEED, n])) for n, one in enumerate(ready)]
    return [one for taken in await asyncio.gather(*each) for one in taken]


def told(what: str, times: Sequence[float], seconds: float | None = None) -> dict[str, object]:
    """Write one row."""
    p50, p95, p99 = np.percentile(times, [50, 95, 99])
    return {
        "what": what,
        "requests": len(times),
        "a_second": f"{len(times) / seconds:.1f}" if seconds else "",
        "p50_ms": f"{p50:.0f}",
        "p95_ms": f"{p95:.0f}",
        "p99_ms": f"{p99:.0f}",
    }


def load(
    at: str, tokens: Sequence[str], pages: Mapping[str, list[str]], given: argparse.Namespace
) -> list[dict[str, object]]:
    """Measure all of them together: reading, by page, and without reading."""
    taken = asyncio.run(together(at, tokens, pages, given.seconds, given.reading))
    rows = [told(f"{len(tokens)} analysts, every page", [ms for _, ms in taken], given.seconds)]
    by_page = {path: [ms for page, ms in taken if page == path] for path in pages}
    rows += [told(f"of these, {path}", times) for path, times in by_page.items() if times]
    hurried = asyncio.run(together(at, tokens[:8], pages, min(20, given.seconds), 0))
    rows.append(told("8 at a time, without reading", [ms for _, ms in hurried], min(20, given.seconds)))
    return rows


def main() -> None:
    """Make the workspace, ask, and write both tables."""
    given = measure.options(
        __doc__, accounts=1_000_000, decisions=100_000, cases=1000, analysts=100, seconds=60, reading=8
    )
    rng = np.random.default_rng(SEED)
    folder = Path(tempfile.mkdtemp(prefix="console-load-"))
    try:
        begun = time.monotonic()
        workspace = scanned(folder, given.accounts, rng)
        decisions = decided(workspace, given.decisions, rng)
        opened_cases(workspace, given.cases)
        tokens = staffed(workspace, given.analysts)
        print(f"made in {time.monotonic() - begun:.0f} s", flush=True)
        with served(workspace) as at, client(at, tokens[0]) as one:
            rows = [told("the first page after the start", [timed(one, "/")])]
            rows.append(told("what left is counted, beside whoever looks, after", [counted(one)]))
            rows.append(told("the first page again", [timed(one, "/") for _ in range(TIMES)]))
            print(rows, flush=True)
            measure.write(lists(at, tokens[0], decisions), given.out, "console_lists")
            rows += load(at, tokens, mixed(at, tokens[0], decisions), given)
        measure.write(rows, given.out and given.out.with_name("console_load.csv"), "console_load")
        for row in rows:
            print(row)
    finally:
        shutil.rmtree(folder)


if __name__ == "__main__":
    main()
