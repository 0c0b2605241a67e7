"""What breaks under ``riparian serve`` and ``riparian console``, while gates are asked and somebody decides."""

import contextlib
import http.client
import json
import random
import re
import shutil
import signal
import socket
import sqlite3
import subprocess
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Final

import httpx
import pyarrow as pa
from faulty import KEY, Disk, House, Log, LostError, differences, holds, killed, state, until

from riparian import assembly
from riparian.codes import codes_of
from riparian.engines.clocks import StoppedClock
from riparian.flows.restraints import Said, current_decision, extend_restraint
from riparian.gate.admit import Rule
from riparian.gate.policy import Restraint
from riparian.ports.staff import Invitation, Role

BURST: Final = 40
ASKED: Final = [f"new-{i % 50}" for i in range(110)]
"""What each listener asks for, in order: 50 recordings of which 40 are let through, and all of them again, twice."""
PAUSE_S: Final = 0.06
GATES: Final = 2
EDGE: Final = """
account = "header:X-Account"
gates = [{gates}]

[[route]]
path = "/media/{{recording}}/**"
kind = "media"
"""


def ports(n: int) -> list[int]:
    """Find ports in a row that nobody listens at."""
    while True:
        with contextlib.ExitStack() as held:
            first = held.enter_context(socket.create_server(("127.0.0.1", 0))).getsockname()[1]
            try:
                for port in range(first + 1, first + n):
                    held.enter_context(socket.create_server(("127.0.0.1", port)))
            except (OSError, OverflowError):
                continue
            return list(range(first, first + n))


def right() -> list[str]:
    """Tell what a listener is answered, whatever breaks."""
    had: set[str] = set()
    answers = []
    for recording in ASKED:
        if recording not in had and len(had) == BURST:
            answers.append("429")
        else:
            had.add(recording)
            answers.append("200")
    return answers


def asked(port: int, page: str, headers: dict[str, str]) -> http.client.HTTPResponse:
    """Ask once."""
    peer = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
    try:
        peer.request("GET", page, headers=headers)
        answer = peer.getresponse()
        answer.read()
        return answer
    finally:
        peer.close()


@dataclass
class Listener:
    """Asks one gate for one recording after the other, each until there is an answer."""

    port: int
    account: str
    answers: list[str] = field(default_factory=list)

    def asks(self) -> None:
        """Ask for everything."""
        for recording in ASKED:
            ends_s = time.monotonic() + 60
            while (answer := self.status(recording)) is None and time.monotonic() < ends_s:
                time.sleep(0.05)
            self.answers.append(str(answer))
            time.sleep(PAUSE_S)

    def status(self, recording: str, account: str = "") -> str | None:
        """Ask for a recording; None where nobody answers."""
        headers = {"X-Riparian-Account": account or self.account, "X-Riparian-Recording": recording}
        try:
            answer = asked(self.port, "/auth", {**headers, "X-Riparian-Kind": "media"})
        except (OSError, http.client.HTTPException):
            return None
        # Who asks too fast, as everybody seems to for a moment where a clock was set back, asks again.
        is_fast = answer.headers["X-Riparian-Because"] == Rule.LIMIT.value
        return None if is_fast else answer.headers["X-Riparian-Status"] or None


@dataclass
class Served:
    """A house that serves, and listeners at its gates."""

    house: House
    log: Log
    control: int
    listeners: list[Listener]
    process: "subprocess.Popen[str]"
    threads: list[threading.Thread] = field(default_factory=list)

    @classmethod
    def begun(cls, house: House, log: Log) -> "Served":
        """Begin to serve, with the second portion in the log."""
        control, *gates = ports(1 + 2 * GATES)
        at = gates[GATES:]
        names = ", ".join(f'"127.0.0.1:{port}"' for port in at)
        (house.workspace / "edge.toml").write_text(EDGE.format(gates=names))
        (house.folder / "access.ndjson").write_bytes(log.portions[1].read_bytes())
        listeners = [Listener(port, f"ann-{n}") for n, port in enumerate(at)]
        served = cls(house, log, control, listeners, _begun(house, control))
        until(served.is_ready, "it does not become ready")
        served.threads = [threading.Thread(target=listener.asks) for listener in served.listeners]
        for thread in served.threads:
            thread.start()
        return served

    def is_ready(self) -> bool:
        """Say whether gates and all are in step."""
        if self.process.poll() is not None:
            raise LostError(f"`riparian serve` ended: {self.house.said()[-2000:]}")
        try:
            return asked(self.control, "/readyz", {}).status == 200
        except (OSError, http.client.HTTPException):
            return False

    def pid(self, child: str) -> int:
        """Tell the process of a child, as it was told last."""
        lines = (self.house.folder / "told.jsonl").read_text().splitlines()
        told = [json.loads(line) for line in lines if '"status"' in line]
        return int(told[-1]["pids"][child])

    def scans(self) -> int:
        """Count scans that were committed."""
        file = self.house.workspace / "riparian.sqlite"
        with contextlib.closing(sqlite3.connect(f"file:{file}?mode=ro", uri=True, timeout=30)) as records:
            return int(records.execute("SELECT count(*) FROM scan WHERE summary IS NOT NULL").fetchone()[0])

    def is_counted(self) -> bool:
        """Say whether the second portion is."""
        try:
            return self.scans() > 1
        except sqlite3.OperationalError:
            return False

    def is_following(self) -> bool:
        """Say whether the log is being read."""
        return holds(self.pid("evidence"), "access.ndjson")

    def _all_pids(self) -> list[int]:
        return [self.process.pid, *(self.pid(name) for name in ("evidence", *(f"gate {n}" for n in range(GATES))))]

    # What breaks.

    def _evidence_works(self, rng: random.Random) -> None:
        """Wait until the log is being scanned, or for some seconds."""
        if rng.random() < 0.6:
            until(lambda: holds(self.pid("evidence"), "scan.lock") or self.is_counted(), "the log is not scanned")
            time.sleep(rng.uniform(0, 0.6))
        else:
            time.sleep(rng.uniform(0, 9))

    def kill_evidence(self, rng: random.Random) -> tuple[str, float]:
        """Kill what scans; recovered once the portion is counted."""
        self._evidence_works(rng)
        was_counted = self.is_counted()
        killed(self.pid("evidence"))
        took_s = until(lambda: self.is_counted() and self.is_following(), "the evidence is not begun again")
        return ("after its scan" if was_counted else "before or in its scan"), took_s

    def kill_gate(self, rng: random.Random) -> tuple[str, float]:
        """Kill a gate that is being asked; recovered once it answers."""
        gate = rng.randrange(GATES)
        time.sleep(rng.uniform(0, len(ASKED) * PAUSE_S))
        had = len(self.listeners[gate].answers)
        killed(self.pid(f"gate {gate}"))
        time.sleep(0.05)
        took_s = until(lambda: self.listeners[gate].status("new-0") is not None, "the gate does not answer again")
        return f"gate {gate}, after {had} answers", took_s

    def kill_parent(self, rng: random.Random) -> tuple[str, float]:
        """Kill the parent; recovered once everything is ready, begun again as often as it takes."""
        what = "at once"
        if rng.random() < 0.5:
            self._evidence_works(rng)
            what = "late"
        else:
            time.sleep(rng.uniform(0, len(ASKED) * PAUSE_S))
        killed(self.process.pid)
        self.process.wait()
        begun_s, times = time.monotonic(), 0
        while time.monotonic() - begun_s < 90:
            times += 1
            self.process = _begun(self.house, self.control)
            try:
                until(self.is_ready, "it does not become ready")
            except LostError:
                time.sleep(0.5)
            else:
                return f"{what}, begun {times} times", time.monotonic() - begun_s
        raise LostError(f"it is not ready again: {self.house.said()[-2000:]}")

    def fill_disk(self, disk: Disk, rng: random.Random) -> tuple[str, float]:
        """Let nobody write for some seconds; recovered once the portion is counted."""
        time.sleep(rng.uniform(0, 10))
        pids = self._all_pids()
        disk.fill(rng.choice((0, 0, 10_000, 100_000, 400_000)), pids)
        time.sleep(rng.uniform(2, 8))
        disk.make_room(pids)
        return disk.kind, until(self.is_counted, "the log is not scanned")

    def step_clock(self, rng: random.Random, step_us: int) -> tuple[str, float]:
        """Let the clock be wrong for some seconds; recovered once the portion is counted."""
        time.sleep(rng.uniform(0, 10))
        self.house.set_clock(self.house.now_us + step_us, goes_on=True)
        time.sleep(rng.uniform(1, 6))
        self.house.set_clock(self.house.now_us, goes_on=True)
        return f"by {step_us / 3.6e9:+.0f} h", until(self.is_counted, "the log is not scanned")

    # What follows.

    def rest(self) -> list[str]:
        """Let the rest of the log arrive, and end; names what gates did not answer as they should."""
        until(lambda: self.is_counted() and self.is_following(), "the log is not scanned")
        for thread in self.threads:
            thread.join()
        until(self.is_ready, "it does not become ready again")
        amiss = [f"answers of gate {n}" for n, one in enumerate(self.listeners) if one.answers != right()]
        held = self._copier_is_held()
        for one in self.listeners:
            with contextlib.suppress(LostError):
                until(lambda one=one: (one.status("x", self.log.copier) == "403") == held, "", 15)  # type: ignore[misc]
                continue
            amiss.append(f"the gate at {one.port} does not do what was decided")
        with (self.house.folder / "access.ndjson").open("ab") as file:
            file.write(self.log.portions[2].read_bytes())
        self.process.send_signal(signal.SIGTERM)
        code = self.process.wait(90)
        return [*amiss, *([f"ended with {code}"] if code else [])]

    def _copier_is_held(self) -> bool:
        with assembly.house(self.house.given) as house:
            code = _code(self.log.copier)
            decisions = house.world.decisions.table().to_pylist()
        return any(row["account"] == code and row["restraint"] == Restraint.HOLD for row in decisions)


def _begun(house: House, control: int) -> "subprocess.Popen[str]":
    """Begin the one that begins all others."""
    words = ["serve", str(house.folder / "access.ndjson"), "-w", str(house.workspace), "--json"]
    return house.begin(*words, "--control", f"127.0.0.1:{control}", json_to=house.folder / "told.jsonl")


def _code(account: str) -> int:
    return int(codes_of(pa.array([account]), KEY)[0])


# --- the console ---------------------------------------------------------------------------------------------------

PERSON: Final = "Ann"
TIMES: Final = 6


def console_killed(house: House, log: Log, rng: random.Random) -> tuple[str, float, list[str]]:
    """Kill the console while somebody extends a restraint, day after day; they look, and go on where they were."""
    house.done("scan", str(log.portions[1]), "-w", str(house.workspace))
    expected = _extended(house, log)
    with assembly.staff(house.given) as staff:
        staff.enter(staff.invite(Invitation(PERSON, Role.ADMIN), log.now_us), "", "subject", log.now_us)
        token = staff.sign_in(PERSON, log.now_us)
    (port,) = ports(1)
    words = ["console", "-w", str(house.workspace), "--listen", f"127.0.0.1:{port}"]
    console = [house.begin(*words)]
    at = httpx.Client(base_url=f"http://localhost:{port}", cookies={"riparian": token}, timeout=30)
    with at:
        until(lambda: _answers(at), "the console does not answer")
        victim, moment_s = rng.randrange(TIMES), rng.uniform(0, 0.12)
        done, took_s = 0, 0.0
        while done < TIMES:
            killer = threading.Timer(moment_s, console[-1].kill)
            if done == victim and len(console) == 1:
                killer.start()
            with contextlib.suppress(httpx.HTTPError):
                _extend(at, log.copier)
            if killer.is_alive() or killer.finished.is_set():
                killer.join()
                console[-1].wait()
                begun_s = time.monotonic()
                console.append(house.begin(*words))
                until(lambda: _answers(at), "the console does not answer again")
                took_s = time.monotonic() - begun_s
            # As people do: they look at what stands before they decide anew.
            done = _extensions(at, log.copier)
    console[-1].send_signal(signal.SIGTERM)
    console[-1].wait(30)
    return f"at its decision {victim + 1}", took_s, differences(expected, state(house.given))


def _extended(house: House, log: Log) -> Any:
    """Tell what is to come out, from a copy in which the same is done without a console."""
    copy = House.made(house.folder / "copy", log.now_us)
    shutil.copytree(house.workspace, copy.workspace, dirs_exist_ok=True)
    with assembly.house(copy.given, clock=StoppedClock(log.now_us)) as opened:
        code = _code(log.copier)
        for _ in range(TIMES):
            decision = current_decision(opened.world, code)
            extend_restraint(opened.world, opened.terms.policy, decision, days=1, said=Said(PERSON, "looked at it"))
    return state(copy.given)


def _answers(at: httpx.Client) -> bool:
    try:
        return at.get("/").status_code == 200
    except httpx.HTTPError:
        return False


def _extend(at: httpx.Client, account: str) -> None:
    page = at.get("/account", params={"id": account})
    (token, *_) = re.findall(r'name="token" value="([^"]+)"', page.text)
    form = {"token": token, "id": account, "days": "1", "reason": "looked at it"}
    answer = at.post("/account/extend", data=form)
    if answer.status_code != 303:
        raise LostError(f"the console answers {answer.status_code}: {answer.text[:500]}")


def _extensions(at: httpx.Client, account: str) -> int:
    events: Sequence[dict[str, Any]] = at.get("/account", params={"id": account, "json": ""}).json()["events"]
    return sum(event["step"] == "extended" for event in events)
