"""What becomes of a town, and of a ring in it, at a real nginx with real gates, while evidence is weighed day by day?

A simulated town, and a ring of copiers in it, is replayed access by access in order of time, as players would ask: a
playlist, which the gate decides and grants; a segment under that grant, which nginx checks alone; rows of metadata,
which the gate counts.  nginx has the configuration that ``riparian edge nginx`` prints; behind it are two gates, each
with the accounts that nginx's hash gives it, and a journal.  At the end of each day nginx's own log of the day is
scanned, and what is decided is pushed to the gates and to nginx, as ``riparian serve`` pushes it.

What is not as in a house
-------------------------
* A day takes seconds.  Gates count budgets, limits and ends of restraints by the clock of the town, which the replay
  sets before each request; grants begin and end by the clock of this machine, because nginx checks them by that.  The
  town begins on the next Monday: nginx, by its own clock, ends no restraint too early, and is told of an end as of any
  change, when the day is over.
* In nginx's log two things are put in from the town: the time, and the listener's network, for all of this comes from
  one address.  Whether it was served, what was fetched and on which device is what nginx wrote.
* nginx's coarse limit is by the clock of this machine, too, and is set out of reach; so is the time after which a gate
  is given up: what is served while gates are out of reach is another question.  One worker writes the log in order.
* Tolerances are those of a house of 20,000 accounts, of which these are a part: whoever tolerates two mistakes a year
  among a few hundred would act on far less evidence.
* A play is one playlist and one segment, though a player asks for more segments, and for a grant each minute.

A ring is contained when its members get nothing new, whichever rung that takes: who is slowed is refused what it never
had, adds no evidence, and climbs no further.

Latency is that of listeners, one request at a time on one connection.  Every third of them is asked for also from
another server of the same nginx, which passes to the same origin, and knows neither grants nor gates; first the one,
then the other, in turn.
"""

import json
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from functools import partial
from http.client import HTTPConnection
from pathlib import Path
from statistics import median
from subprocess import PIPE, Popen
from typing import Any, Final

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from gate_nginx import a_port, nginx
from measure import options, write

from riparian import assembly
from riparian.codes import codes_of
from riparian.edges import wire
from riparian.edges.asking import Asked
from riparian.edges.door import Clocks, Door
from riparian.edges.nginx import Build, Grants, List, configuration
from riparian.edges.push import Pushing, State
from riparian.feeds.chunks import ReadOptions
from riparian.flows.extraction import scan
from riparian.flows.restraints import in_force
from riparian.flows.verdicts import Follower, Ledger
from riparian.gate.admit import Answer
from riparian.gate.decide import Decision
from riparian.gate.grants import Form
from riparian.gate.policy import LADDER, Restraint, parse_policy
from riparian.schema import DAY_US
from riparian.sim.copiers import parse_ring
from riparian.sim.events import Stage, each_day, set_stage
from riparian.sim.holdings import recording_table
from riparian.sim.register import account_table
from riparian.sim.town import TownSpec

GATES: Final = 2
PAIRED: Final = 3
"""Of so many requests of listeners one is asked for also where there is no gate."""
P99_MS: Final = 2.0
PATIENCE_S: Final = 60.0
POLICY: Final = 'mode = "enforce"\naccounts = 20000\n'
OUT_OF_REACH: Final = {"mode": "enforce", "requests_per_minute": 1_000_000, "requests_burst": 1_000_000}
EDGE: Final = """
account = "header:X-Account"
device = "header:X-Device"
origin = "http://127.0.0.1:{origin}"
listen = "127.0.0.1:{port}"
gates = [{gates}]
route = [
    {{ path = "/media/{{recording}}/index.m3u8", kind = "licence" }},
    {{ path = "/media/{{recording}}/**", kind = "media" }},
    {{ path = "/rows/{{rows}}", kind = "metadata" }},
]
"""
ORIGIN: Final = """
worker_processes 1; pid nginx.pid; error_log error.log warn;
events {{ worker_connections 1024; }}
http {{ access_log off; default_type text/plain; server {{ listen 127.0.0.1:{port};
    location ~ m3u8$ {{ return 200 "1.m4s?g=$http_x_riparian_grant"; }}
    location / {{ return 200 "{body}"; }}
}} }}
"""
WITHOUT: Final = """
    server {{
        listen 127.0.0.1:{port};
        access_log without.log;
        proxy_http_version 1.1;
        location / {{
            proxy_set_header Host $http_host;
            proxy_set_header Connection "";
            proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for;
            proxy_pass http://riparian_origin;
        }}
    }}
}}
"""


# ---- a gate, in a process of its own ----


class TownClock:
    """The time of the town, which the replay sets, and everybody else reads."""

    def __init__(self, file: Path, *, sets: bool = False) -> None:
        self._at = np.memmap(file, np.int64, "w+" if sets else "r", shape=(1,))

    def now_us(self) -> int:
        """See ``ports.Clock``."""
        return int(self._at[0])

    def set(self, at_us: int) -> None:
        """Let it be so late in the town."""
        self._at[0] = at_us


class TownDoor(Door):
    """Counts by the clock of the town, and grants by the clock of this machine."""

    def grant(self, asked: Asked, answer: Answer, form: Form = Form.HMAC) -> str:
        """See ``Door``."""
        town, self.clocks = self.clocks, Clocks(assembly.WallClock().now_us, time.monotonic)
        try:
            return super().grant(asked, answer, form)
        finally:
            self.clocks = town


def be_a_gate(workspace: Path, shard: int, listen: str) -> None:
    """Serve as the gate of ``riparian serve`` does, but for its clock."""
    made, kept = assembly.gate(assembly.Given(workspace), shard=(shard, GATES))
    before, clock = made.door, TownClock(workspace / "clock")
    door = TownDoor(before.gate, before.edge, before.policy, before.keys, Clocks(clock.now_us, before.clocks.steady_s))

    def written() -> None:
        kept.write()

    door.written = written

    def ready(at: wire.Addresses) -> None:
        print(at.control, flush=True)

    at = wire.Addresses(listen, "127.0.0.1:0")
    wire.run(wire.serve(wire.Wire(door, shard=(shard, GATES)), at, ready=ready, keep=kept.close))


@contextmanager
def a_gate(workspace: Path, shard: int, listen: str) -> Iterator[str]:
    """Run one; gives the address of its control."""
    command = [sys.executable, __file__, "gate", str(workspace), str(shard), listen]
    with Popen(command, stdout=PIPE, text=True) as process:
        try:
            assert process.stdout is not None  # noqa: S101 -- a pipe was asked for
            control = process.stdout.readline().strip()
            if not control:
                raise SystemExit("a gate did not begin")
            yield control
        finally:
            process.terminate()


# ---- who asks ----


@dataclass(slots=True)
class Said:
    """What was answered."""

    status: int
    because: str
    body: str
    took_ms: float


class Player:
    """Asks one server, on one connection."""

    def __init__(self, port: int) -> None:
        self._peer = HTTPConnection("127.0.0.1", port, timeout=30)

    def ask(self, path: str, who: Mapping[str, str]) -> Said:
        """Ask, and take the whole answer."""
        begun = time.perf_counter()
        self._peer.request("GET", path, headers=dict(who))
        answer = self._peer.getresponse()
        body = answer.read()
        took_ms = (time.perf_counter() - begun) * 1000
        return Said(answer.status, answer.headers.get("X-Riparian-Because", ""), body.decode(), took_ms)

    def close(self) -> None:
        """Hang up."""
        self._peer.close()


# ---- the house ----


@dataclass(slots=True)
class Town:
    """A town at the gate: everything that runs, and what came of it so far.

    Attributes
    ----------
    got
        By account of the ring: recordings that it was served before it was first restrained, while it was restrained,
        and in between.
    first
        By account, then restraint: the day, from 1, after which it was first under that or a stronger one.
    refused
        By day, account, kind of request, status and reason: requests that were not served.
    took_ms
        By kind of request: pairs, with the gate and without.
    """

    stage: Stage
    house: assembly.House
    given: assembly.Given
    clock: TownClock
    ledger: Ledger
    followers: Mapping[str, Follower]
    pushing: Pushing
    edge: Path
    players: tuple[Player, Player]
    day: int = 0
    asked: int = 0
    refused: Counter[tuple[int, str, str, int, str]] = field(default_factory=Counter)
    got: dict[str, tuple[set[str], set[str], set[str]]] = field(default_factory=dict)
    first: dict[str, dict[Restraint, int]] = field(default_factory=dict)
    took_ms: dict[str, list[tuple[float, float]]] = field(default_factory=dict)
    _until_us: dict[str, int] = field(default_factory=dict)
    _ring: set[str] = field(default_factory=set)
    _times: list[tuple[int, str]] = field(default_factory=list)
    _log_at: int = 0
    _turn: int = 0

    def __post_init__(self) -> None:
        names = self.stage.account_ids.to_pylist()
        roles = self.stage.days.role.tolist()
        self._ring = {name for name, role in zip(names, roles, strict=True) if role == "copier"}
        self.got = {name: (set(), set(), set()) for name in self._ring}

    @property
    def ring(self) -> list[str]:
        """Accounts of copiers, in order."""
        return sorted(self._ring)

    def live(self, accesses: pa.Table) -> None:
        """Replay a day, and weigh it when it is over."""
        begun, self.day = time.monotonic(), self.day + 1
        columns = ("account", "action", "recording", "rows", "device", "agent", "network")
        each = [accesses[name].to_pylist() for name in columns]
        for at_us, row in zip(accesses["at"].cast(pa.int64()).to_pylist(), zip(*each, strict=True), strict=True):
            self._access(at_us, dict(zip(columns, row, strict=True)))
        replayed_s = time.monotonic() - begun
        self.clock.set(self.stage.spec.start_us + self.day * DAY_US)
        self._weigh()
        print(
            f"day {self.day}: {len(accesses)} accesses in {replayed_s:.0f} s, {self.under(Restraint.SLOW)} of the ring "
            f"restrained, {self.under(Restraint.HOLD)} held, "
            f"{self.refused_on(self.day)} requests of listeners refused",
            flush=True,
        )

    def refused_on(self, day: int) -> int:
        """Count requests of listeners that were refused on a day."""
        return sum(n for (when, who, *_), n in self.refused.items() if when == day and who not in self._ring)

    def ask(self, path: str, account: str) -> Said:
        """Ask once in an account's name."""
        said = self.players[0].ask(path, {"X-Account": account, "X-Device": "d", "User-Agent": "x"})
        self._times.append((self.clock.now_us(), "127.0.0.1"))
        return said

    def tell(self) -> None:
        """Push what was decided, and wait until every gate and nginx know."""
        self.ledger.look(self.house.world)
        self.pushing.wake()
        deadline = time.monotonic() + PATIENCE_S
        while not all(follower.in_step(self.ledger) for follower in self.followers.values()):
            if time.monotonic() > deadline:
                raise SystemExit(f"not everybody is in step: {self.pushing.states()}")
            time.sleep(0.01)

    def restrained(self) -> dict[str, Decision]:
        """Name who is restrained now, and how."""
        names = self.stage.account_ids
        codes = codes_of(names, self.house.world.vault.key).tolist()
        by_code = dict(zip(codes, names.to_pylist(), strict=True))
        return {by_code[decision.account]: decision for decision in in_force(self.house.world)}

    def under(self, restraint: Restraint) -> int:
        """Count members of the ring that were ever under so strong a restraint."""
        return sum(restraint in self.first.get(name, {}) for name in self._ring)

    def _access(self, at_us: int, row: Mapping[str, Any]) -> None:
        self.clock.set(at_us)
        if row["recording"] is None:
            self._request("metadata", f"/rows/{row['rows'] or 0}", row)
            return
        folder = f"/media/{row['recording']}/"
        playlist = self._request("playlist", f"{folder}index.m3u8", row)
        if playlist.status == 200:
            self._request("segment", folder + playlist.body, row)

    def _request(self, kind: str, path: str, row: Mapping[str, Any]) -> Said:
        account = row["account"]
        who = {"X-Account": account, "X-Device": row["device"], "User-Agent": row["agent"]}
        self._times.append((self.clock.now_us(), row["network"]))
        self.asked += 1
        is_listener = account not in self._ring
        said = self._asked(kind, path, who, is_paired=is_listener and self.asked % PAIRED == 0)
        if said.status != 200:
            self.refused[self.day, account, kind, said.status, said.because] += 1
        elif not is_listener and kind == "playlist":
            self.got[account][self._stage_of(account)].add(row["recording"])
        return said

    def _asked(self, kind: str, path: str, who: Mapping[str, str], *, is_paired: bool) -> Said:
        if not is_paired:
            return self.players[0].ask(path, who)
        self._turn ^= 1
        answers = {number: self.players[number].ask(path, who) for number in (self._turn, 1 - self._turn)}
        if answers[0].status == 200:
            self.took_ms.setdefault(kind, []).append((answers[0].took_ms, answers[1].took_ms))
        return answers[0]

    def _weigh(self) -> None:
        log = self.edge.parent / "days" / f"{self.day}.json"
        log.parent.mkdir(exist_ok=True)
        log.write_text("".join(self._logged()), encoding="utf-8")
        scan(self.house.world, assembly.chunks(self.house, [str(log)], ReadOptions()), self.house.terms)
        self.tell()
        restrained = self.restrained()
        self._until_us = {account: decision.until_us for account, decision in restrained.items()}
        for account, decision in restrained.items():
            for restraint in LADDER[: LADDER.index(decision.restraint) + 1]:
                self.first.setdefault(account, {}).setdefault(restraint, self.day)

    def _logged(self) -> Iterator[str]:
        """Give what nginx wrote since the last time, with the time and the network of the town."""
        deadline = time.monotonic() + PATIENCE_S
        while True:
            with (self.edge / "access.json").open(encoding="utf-8") as file:
                file.seek(self._log_at)
                text = file.read()
            lines = text.splitlines()
            if len(lines) == len(self._times) and text.endswith("\n"):
                break
            if time.monotonic() > deadline:
                raise SystemExit(f"nginx wrote {len(lines)} lines about {len(self._times)} requests")
            time.sleep(0.01)
        self._log_at += len(text.encode())
        for line, (at_us, network) in zip(lines, self._times, strict=True):
            yield json.dumps({**json.loads(line), "at": at_us / 1e6, "network": network}) + "\n"
        self._times = []

    def _stage_of(self, account: str) -> int:
        # Before anything was decided; under a restraint; let go, or its restraint has ended.
        if account not in self.first:
            return 0
        return 1 if self.clock.now_us() < self._until_us.get(account, 0) else 2


@contextmanager
def standing(spec: TownSpec, folder: Path, policy: str = POLICY) -> Iterator[Town]:
    """Start a town's house: origin, gates, nginx, and who pushes."""
    workspace, port, others = folder / "w", a_port(), [a_port() for _ in range(GATES + 2)]
    workspace.mkdir()
    gates, origin, without = [f"127.0.0.1:{each}" for each in others[:GATES]], others[-2], others[-1]
    (workspace / "policy.toml").write_text(policy)
    said = EDGE.format(origin=origin, port=port, gates=", ".join(f'"{gate}"' for gate in gates))
    (workspace / "edge.toml").write_text(said)
    clock, stage = TownClock(workspace / "clock", sets=True), set_stage(spec)
    clock.set(spec.start_us)
    pq.write_table(recording_table(stage.shelf, spec.start_us), folder / "catalogue.parquet")
    pq.write_table(account_table(spec, stage.days, stage.account_ids), folder / "accounts.parquet")
    given = assembly.Given(
        workspace, catalogue=str(folder / "catalogue.parquet"), accounts=str(folder / "accounts.parquet")
    )
    with ExitStack() as stack:
        house = stack.enter_context(assembly.house(given, clock=clock))
        controls = [stack.enter_context(a_gate(workspace, i, gate)) for i, gate in enumerate(gates)]
        stack.enter_context(
            nginx(folder / "origin", {"nginx.conf": ORIGIN.format(port=origin, body="m" * 200)}, origin)
        )
        stack.enter_context(nginx(folder / "edge", printed(given, without), port))
        ledger = Ledger("town")
        ledger.look(house.world)
        urls = [*(f"http://{control}" for control in controls), f"http://127.0.0.1:{port}"]
        followers = assembly.followers(given, urls)
        steps: dict[str, Callable[[], bool]] = {url: partial(step, each, ledger) for url, each in followers.items()}
        pushing = Pushing(steps, told=note)
        stack.callback(pushing.close)
        players = (Player(port), Player(without))
        for player in players:
            stack.callback(player.close)
        town = Town(stage, house, given, clock, ledger, followers, pushing, folder / "edge", players)
        town.tell()
        yield town


def printed(given: assembly.Given, without: int) -> dict[str, str]:
    """Print the configuration, but for what goes by the clock; beside it a server that knows nothing."""
    texts = configuration(
        assembly.read_edge(given),
        parse_policy(OUT_OF_REACH),
        assembly.read_keys(given),
        push_secret=assembly.read_push_secret(given),
        build=Build(Grants.HMAC, List.KEYVAL),
    )
    text = texts["nginx.conf"].replace("worker_processes auto;", "worker_processes 1;")
    text = text.replace("50ms", "5s").replace("100ms", "5s")
    return texts | {"nginx.conf": text.rstrip().removesuffix("}") + WITHOUT.format(port=without)}


def step(follower: Follower, ledger: Ledger) -> bool:
    """Bring one edge in step."""
    follower.step(ledger)
    return follower.in_step(ledger)


def note(edge: str, state: State) -> None:
    """Say when an edge is out of reach."""
    if state.why:
        print(f"{edge}: {state.why}")


def a_monday() -> int:
    """Give the beginning of the next Monday, UTC, in microseconds."""
    day = time.time_ns() // 1000 // DAY_US + 1
    return (day + -(day + 3) % 7) * DAY_US


# ---- what is reported ----


def told(town: Town) -> list[dict[str, object]]:
    """Say what came of it."""
    ring, n = town.ring, len(town.ring)
    got = [town.got[name] for name in ring]
    personas = dict(zip(town.stage.account_ids.to_pylist(), town.stage.days.persona.tolist(), strict=True))
    refused: Counter[str] = Counter()
    whom: set[str] = set()
    for (_, account, kind, status, because), times in town.refused.items():
        if account not in ring:
            refused[f"{personas[account]}, {kind}: {status} {because}"] += times
            whom.add(account)
    rows: list[tuple[str, object, object]] = [
        ("listeners", len(personas) - n, ""),
        ("members of the ring", n, ""),
        ("days", town.day, ""),
        ("requests", town.asked, ""),
        *(row for restraint in LADDER for row in reached(town, restraint)),
        ("recordings, median member, until restrained", median(len(before) for before, *_ in got), ""),
        ("new recordings, all members, while restrained", sum(len(b - a) for a, b, _ in got), 0),
        ("recordings, median member, by the end", median(len(set().union(*each)) for each in got), ""),
        ("listeners restrained", len(set(town.restrained()) - set(ring)), 0),
        ("listeners refused anything", len(whom), ""),
        ("requests of listeners refused", sum(refused.values()), ""),
        *((f"of these, {why}", times, "") for why, times in sorted(refused.items())),
        *latencies(town.took_ms),
    ]
    return [{"what": what, "value": value, "wanted": wanted} for what, value, wanted in rows]


def reached(town: Town, restraint: Restraint) -> Iterator[tuple[str, object, object]]:
    """Say how many members of the ring were put under so strong a restraint, and when."""
    what = {Restraint.SLOW: "restrained", Restraint.STEP_UP: "asked to prove themselves, or held"}.get(
        restraint, "held"
    )
    days = [town.first[name][restraint] for name in town.ring if restraint in town.first.get(name, {})]
    yield f"members of the ring that were {what}", f"{len(days) / len(town.ring):.0%}", ""
    yield "day after which the median of these was", median(days) if days else "never", ""


def latencies(took_ms: Mapping[str, Sequence[tuple[float, float]]]) -> Iterator[tuple[str, object, object]]:
    """Give percentiles of listeners' latencies with the gate and without, of each kind and of all."""
    for kind, pairs in [*sorted(took_ms.items()), ("all", [pair for each in took_ms.values() for pair in each])]:
        percentiles = np.percentile(np.array(pairs), [50, 99], axis=0)
        for name, (with_gate, without) in zip(("p50", "p99"), percentiles.tolist(), strict=True):
            yield f"{kind}, {name} with the gate, ms", round(with_gate, 2), ""
            yield f"{kind}, {name} without, ms", round(without, 2), ""
            bar = f"at most {P99_MS:.0f}" if (kind, name) == ("all", "p99") else ""
            yield f"{kind}, {name}: the gate adds, ms", round(with_gate - without, 2), bar


def replayed(spec: TownSpec) -> list[dict[str, object]]:
    """Replay a town from its first day to its last."""
    with tempfile.TemporaryDirectory() as temporary, standing(spec, Path(temporary)) as town:
        for accesses in each_day(town.stage):
            town.live(accesses)
        return told(town)


if __name__ == "__main__":
    if len(sys.argv) == 5 and sys.argv[1] == "gate":
        be_a_gate(Path(sys.argv[2]), int(sys.argv[3]), sys.argv[4])
    else:
        chosen = options(__doc__, listeners=150, days=10, seed=3, quick=0)
        ring = parse_ring("3x300:queue" if chosen.quick else "20x60:queue")
        n, n_days = (15, 5) if chosen.quick else (chosen.listeners, chosen.days)
        town_spec = TownSpec(n, n_days, chosen.seed, copiers=(ring,), recordings=20_000, start_us=a_monday())
        write(replayed(town_spec), chosen.out, "gate_town")
