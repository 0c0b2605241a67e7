"""What goes on while ``riparian serve`` runs.

::

    this process: looks at decisions --> verdicts --> a thread for each edge and each gate
        |- gate 0, 1, ...   answer edges, one process each        (riparian.cli.child)
        `- evidence         scans the logs as they grow           (riparian.cli.child)

Children that die are begun again; what they knew is on disk.  Asked to end (SIGTERM, Ctrl-C), gates finish their
answers and keep what they know, the scan takes in what it has read, and everything ends.
"""

import secrets
import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import Any, Final

from riparian import assembly
from riparian.cli import lines
from riparian.cli.asked import asked_to_end
from riparian.cli.children import Child, end_all
from riparian.cli.logged import Log
from riparian.cli.taken import require_free
from riparian.cli.upkeep import EVERY_S, kept_of
from riparian.edges.health import DRAINING, Health, Kept, Seen
from riparian.edges.push import Pushing, Reach, State, status_line
from riparian.errors import InputError, OutsideError
from riparian.flows.verdicts import Follower, Ledger
from riparian.gate.routes import Edge
from riparian.ports import World

LOOK_S: Final = 0.2
PATIENCE_S: Final = 30.0
_PORT_MAX: Final = 65_535


@dataclass(frozen=True, slots=True)
class Places:
    """Who listens where.

    Parameters
    ----------
    gates, controls
        Addresses of each gate, for edges and for us.
    shards
        Which of how many each is, as answers say.
    health
        Address of the page about the whole.
    push
        URLs of edges that are told besides.
    grpc
        Whether gates speak gRPC to edges, and not HTTP.
    """

    gates: tuple[str, ...]
    controls: tuple[str, ...]
    shards: tuple[tuple[int, int], ...]
    health: tuple[str, int]
    push: tuple[str, ...]
    grpc: bool = False

    def named(self) -> list[tuple[str, str]]:
        """List every address that is listened at, with what names it otherwise."""
        return [
            *((gate, "`gates` in edge.toml, or --listen") for gate in self.gates),
            (f"{self.health[0]}:{self.health[1]}", "--control"),
            *((control, "--control, which counts up from there") for control in self.controls),
        ]

    @classmethod
    def of(cls, edge: Edge, workers: int | None, listen: str | None, control: str) -> "Places":
        """Tell where everything listens.

        Raises
        ------
        InputError
            When an address is none, or more gates are wanted than are named.

        Examples
        --------
        >>> from riparian.gate.routes import parse_edge
        >>> edge = parse_edge({"route": [{"path": "/media/{recording}/**", "kind": "media"}]})
        >>> Places.of(edge, 2, "127.0.0.1:9301", "127.0.0.1:9200").gates
        ('127.0.0.1:9301', '127.0.0.1:9302')
        """
        host, port = _split("--control", control)
        if listen is not None:
            first = _split("--listen", listen)
            gates = tuple(f"{first[0]}:{first[1] + i}" for i in range(1 if workers is None else workers))
        else:
            gates = edge.gates if workers is None else edge.gates[:workers]
            if workers is not None and workers > len(gates):
                raise InputError(
                    f"`--workers` is {workers} and edge.toml names {len(edge.gates)} gates, wanted no more than that",
                    hint="Name more gates in edge.toml, so that edges know of them, or say --listen.",
                )
        named = [edge.gates.index(g) if g in edge.gates else i for i, g in enumerate(gates)]
        of = max(len(edge.gates), len(gates))
        controls = tuple(f"{host}:{port + 1 + i}" for i in range(len(gates)))
        return cls(gates, controls, tuple((i, of) for i in named), (host, port), edge.push)


def serve(
    given: assembly.Given, logs: Sequence[str], read: Mapping[str, Any], places: Places, *, json: bool, log: Log
) -> int:
    """Serve until asked to end; the exit code."""
    # Whatever is wrong in the settings is said now, and not by a child again and again.
    mode = assembly.read_policy(given).mode
    assembly.read_people(given)
    assembly.read_known(given)
    house = House(given, logs, read, places, json, log)
    with asked_to_end() as ended, assembly.alone(given), assembly.opened(given) as world:
        require_free(places.named())
        ledger = Ledger(secrets.token_hex(8))
        ledger.look(world)
        health = Health(*places.health)
        followers = assembly.followers(given, [*(f"http://{address}" for address in places.controls), *places.push])
        steps = {url: partial(_step, follower, ledger) for url, follower in followers.items()}
        house.begins(str(mode), health.url)
        watched = _Watched(ledger, followers, Pushing(steps, told=house.edge_is), health, house.children())
        try:
            for child in watched.children:
                child.begin()
            _until(ended, world, house, watched)
        finally:
            log.say("draining", "Asked to end: gates finish their answers, and the scan what it has read.")
            watched.health.seen = watched.drains()
            clean = watched.end()
    house.say("ended", "Everything ended." if clean else "Everything ended, some of it by force.", clean=clean)
    return 0 if clean else 2


@dataclass(frozen=True, slots=True)
class _Watched:
    ledger: Ledger
    followers: Mapping[str, Follower]
    pushing: Pushing
    health: Health
    children: Sequence[Child]

    def end(self) -> bool:
        """End everything; False when something had to be killed."""
        self.pushing.close()
        clean = end_all(self.children, patience_s=PATIENCE_S)
        self.health.close()
        return clean

    def drains(self) -> Seen:
        """Say what is known, and that nobody should be sent here any more."""
        seen = self.health.seen
        return replace(seen, missing=(DRAINING,)) if isinstance(seen, Seen) else Seen(missing=(DRAINING,))

    def seen(self, decisions: Mapping[tuple[str, bool], int], controls: Sequence[str], kept: Kept) -> Seen:
        states = self.pushing.states()
        reached = {url for url, state in states.items() if state.reach is Reach.IN_STEP}
        ours = {f"http://{control}" for control in controls}
        return Seen(
            status_line({url: state for url, state in states.items() if url in ours}),
            status_line({url: state for url, state in states.items() if url not in ours}),
            decisions,
            self.ledger.seq,
            {url: follower.pushes for url, follower in self.followers.items()},
            {url: follower.resyncs for url, follower in self.followers.items()},
            {child.name: child.restarts for child in self.children},
            tuple(f"gate at {c}" for c in controls if f"http://{c}" not in reached),
            kept,
        )


@dataclass(frozen=True, slots=True)
class House:
    """What is served, and how it is told."""

    given: assembly.Given
    logs: Sequence[str]
    read: Mapping[str, Any]
    places: Places
    json: bool
    log: Log = field(default_factory=Log)

    def children(self) -> list[Child]:
        """List who does what."""
        # The accounts table has been taken in: children find it in the workspace.
        given = {n: None if v is None else str(v) for n, v in asdict(replace(self.given, accounts=None)).items()}
        gates = [
            Child(
                f"gate {shard[0]}",
                {
                    "role": "gate",
                    "given": given,
                    "listen": gate,
                    "control": control,
                    "shard": shard,
                    "grpc": self.places.grpc,
                    "log": str(self.log.form),
                },
                self.log,
            )
            for gate, control, shard in zip(self.places.gates, self.places.controls, self.places.shards, strict=True)
        ]
        task = {
            "role": "evidence",
            "given": given,
            "logs": list(self.logs),
            "read": self.read,
            "json": self.json,
            "log": str(self.log.form),
        }
        return [*gates, Child("evidence", task, self.log, forwards=self.json)] if self.logs else gates

    def begins(self, mode: str, health: str) -> None:
        """Tell where everything is."""
        gates = ", ".join(self.places.gates) or "none"
        self.say(
            "serving",
            f"Serving in {mode} mode: gates at {gates}; health at {health}/readyz;"
            f" following {', '.join(self.logs) or 'no logs'}.",
            gates=self.places.gates,
            controls=self.places.controls,
            health=health,
            mode=mode,
            following=list(self.logs),
            push=self.places.push,
        )
        if not self.places.push:
            self.log.say(
                "edge",
                "No edge is told of restraints: edge.toml names none in `push`. They act where a gate is asked; what an"
                " edge serves under a grant goes on until the grant ends.",
                reach="none",
            )
        for log in self.logs:
            if "://" not in log and not any(char in log for char in "*?[") and not Path(log).exists():
                self.say(
                    "waiting", f"`{log}` is not there yet: nothing is found before it is.", log=log, error="missing"
                )

    def say(self, kind: str, text: str, **facts: Any) -> None:
        """Tell people, or programs; and whoever collects logs what a log may say of it."""
        self.log.say(kind, text, logs=len(self.logs), **facts)
        if self.json:
            lines.write([{"kind": kind, **facts}])

    def edge_is(self, url: str, state: State) -> None:
        """Tell that an edge does better or worse."""
        why = state.why or f"{url} is {state.reach}"
        self.say("edge", f"{why}. {state.hint}".rstrip(), edge=url, reach=str(state.reach))


def _until(ended: threading.Event, world: World, house: House, watched: _Watched) -> None:
    told: Seen | None = None
    ailing, kept, kept_s = "", Kept(), -EVERY_S
    while not ended.wait(LOOK_S):
        try:
            if watched.ledger.look(world):
                watched.pushing.wake()
            if time.monotonic() - kept_s >= EVERY_S:
                kept, kept_s = kept_of(world, house.given.workspace), time.monotonic()
            ailing = ""
        except OutsideError as error:
            # Edges keep what they have, and hear from us each second all the same.
            if error.message != ailing:
                house.log.failed("look_failed", error, f"Decisions cannot be looked at: {error.message}.")
            ailing = error.message
            kept = replace(kept, is_readable=False)
        for child in watched.children:
            child.look()
        seen = watched.seen(_decisions(watched.ledger), house.places.controls, kept)
        watched.health.seen = seen
        if told is None or _told(seen) != _told(told):
            house.say("status", line(seen), **_facts(seen), pids={child.name: child.pid for child in watched.children})
            told = seen


def _step(follower: Follower, ledger: Ledger) -> bool:
    follower.step(ledger)
    return follower.in_step(ledger)


def _decisions(ledger: Ledger) -> dict[tuple[str, bool], int]:
    return {(restraint.name.lower(), is_applied): n for (restraint, is_applied), n in sorted(ledger.counts().items())}


def _told(seen: Seen) -> tuple[Mapping[Any, int], ...]:
    return seen.gates, seen.edges, seen.decisions, seen.restarts


def line(seen: Seen) -> str:
    """Say how everything stands."""
    gates, edges = (
        ", ".join(f"{n} {reach}" for reach, n in counts.items() if n) or "none" for counts in (seen.gates, seen.edges)
    )
    decided = ", ".join(
        f"{n:,} {action.replace('_', ' ')}{'' if applied else ' (shadow)'}"
        for (action, applied), n in seen.decisions.items()
    )
    restarts = sum(seen.restarts.values())
    again = f"; {restarts} restarts of children" if restarts else ""
    return f"Gates: {gates}; edges that are told: {edges}; restraints: {decided or 'none'}{again}."


def _facts(seen: Seen) -> dict[str, Any]:
    decisions = [{"action": a, "applied": is_applied, "n": n} for (a, is_applied), n in seen.decisions.items()]
    facts = asdict(seen) | {"decisions": decisions}
    del facts["missing"], facts["kept"]
    return {**facts, "ready": not seen.missing}


def _split(option: str, address: str) -> tuple[str, int]:
    host, colon, port = address.rpartition(":")
    if not colon or not port.isdecimal() or not 0 < int(port) <= _PORT_MAX:
        raise InputError(f"`{option} {address}`, wanted HOST:PORT", hint=f"Write {option} 127.0.0.1:9101, for one.")
    return host, int(port)
