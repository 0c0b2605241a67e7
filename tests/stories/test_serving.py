"""A town is served: a ring is held as the log grows, a person is obeyed at once, and nothing is forgotten.

One ``riparian serve`` as an operator starts it, two gates and the evidence, with a real nginx in front.
"""

import http.client
import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any

import grpc  # type: ignore[import-untyped]
import pytest
from envoy.service.auth.v3 import external_auth_pb2 as auth  # type: ignore[import-untyped]
from typer.testing import CliRunner

from riparian.cli import app
from riparian.edges.push import HttpEdge
from riparian.ports import Standing
from riparian.sim.copiers import parse_ring
from riparian.sim.events import Town, events
from tests.edges.nginx import Nginx, nginx, origin
from tests.ports import free_port, free_ports
from tests.stories.towns import small

pytestmark = pytest.mark.slow

BURST = 40
IN_STEP = ('riparian_gates{reach="in step"} 2.0', 'riparian_edges{reach="in step"} 1.0')
ENFORCED = 'mode = "enforce"\n'
SMALL = f"{ENFORCED}novelty_burst = {BURST}\nnovelty_per_day = 0\nrequests_burst = 3000\n"
EDGE = """
account = "header:X-Account"
gates = [{gates}]
{more}

[[route]]
path = "/media/{{recording}}/**"
kind = "media"

[[route]]
path = "/licence/{{recording}}"
kind = "licence"
"""


@dataclass
class Served:
    """A ``riparian serve`` that runs."""

    folder: Path
    gates: tuple[str, str]
    control: int
    child: "subprocess.Popen[str]"
    told: list[dict[str, Any]] = field(default_factory=list)
    nginx: Nginx | None = None

    def ask(self, account: str, recording: str, gate: int = 0) -> http.client.HTTPResponse:
        host, _, port = self.gates[gate].partition(":")
        headers = {"X-Riparian-Account": account, "X-Riparian-Recording": recording, "X-Riparian-Kind": "media"}
        return asked(host, int(port), "/auth", headers)

    def status_of(self, account: str, recording: str, gate: int = 0) -> str:
        answer = self.ask(account, recording, gate)
        return str(answer.headers["X-Riparian-Status"])

    def configured(self) -> dict[str, str]:
        """Write the configuration of nginx, as an operator does."""
        self.types("edge", "nginx", "--out", str(self.folder / "written"))
        return {path.name: path.read_text() for path in (self.folder / "written").iterdir()}

    def answers(self, account: str, gate: int, status: str) -> bool:
        return self.status_of(account, "new-1", gate) == status

    def page(self, page: str, gate: int | None = None) -> tuple[int, str]:
        answer = asked("127.0.0.1", self.control + (0 if gate is None else 1 + gate), page, {})
        return answer.status, str(answer.body)  # type: ignore[attr-defined]

    def is_ready(self) -> bool:
        assert self.child.poll() is None, (self.folder / "talk.txt").read_text()
        try:
            return self.page("/readyz")[0] == 200
        except OSError:
            return False

    def says(self, person: str, *words: str) -> float:
        """Let a person say something; when it was said."""
        return self.types(*words, "--person", person, "--reason", "looked at it")

    def types(self, *words: str) -> float:
        """Type a command; when it was done."""
        ended = CliRunner().invoke(app, [*words, "-w", str(self.folder / "w")])
        assert ended.exit_code == 0, (ended.output, ended.exception)
        return time.monotonic()

    def until_all(self, account: str, status: str, said: float) -> None:
        """Wait until every gate and nginx answer so, and hold them to the promise of two seconds."""
        for gate in (0, 1):
            until(partial(self.answers, account, gate, status), 10, f"gate {gate} does not answer {status}")
        until(lambda: self.at_nginx(account) == status, 10, f"nginx does not answer {status}")
        assert time.monotonic() - said < 2

    def standing(self) -> Standing:
        """Ask nginx where its own list stands; a list that it does not have stands nowhere."""
        assert self.nginx is not None
        secret = (self.folder / "w" / "push.key").read_text()
        return HttpEdge(f"http://127.0.0.1:{self.nginx.port}", secret).seen()

    def at_nginx(self, account: str) -> str:
        assert self.nginx is not None
        return str(self.nginx.ask("/licence/new-1", x_account=account).status)


def asked(host: str, port: int, page: str, headers: dict[str, str]) -> http.client.HTTPResponse:
    connection = http.client.HTTPConnection(host, port, timeout=5)
    try:
        connection.request("GET", page, headers=headers)
        answer = connection.getresponse()
        answer.body = answer.read().decode()  # type: ignore[attr-defined]
        return answer
    finally:
        connection.close()


def until(true: Callable[[], bool], seconds: float, what: str) -> None:
    deadline = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < deadline, what
        time.sleep(0.02)


@contextmanager
def serving(
    folder: Path, *logs: Path, policy: str = SMALL, more: str = "", also: tuple[str, ...] = ()
) -> Iterator[Served]:
    ports = free_ports(5)
    gates = (f"127.0.0.1:{ports[0]}", f"127.0.0.1:{ports[1]}")
    (folder / "w").mkdir(exist_ok=True)
    (folder / "w" / "policy.toml").write_text(policy)
    (folder / "w" / "edge.toml").write_text(EDGE.format(more=more, gates=", ".join(f'"{gate}"' for gate in gates)))
    command = [sys.executable, "-m", "riparian.cli", "serve", *map(str, logs), "-w", str(folder / "w"), "--json"]
    command += ["--control", f"127.0.0.1:{ports[2]}", *also]
    with (folder / "talk.txt").open("a") as talk:
        child = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=talk, text=True)
    served = Served(folder, gates, ports[2], child)
    reader = threading.Thread(target=listen, args=(child, served.told))
    reader.start()
    try:
        until(served.is_ready, 90, "it does not become ready")
        yield served
    finally:
        child.terminate()
        child.wait(timeout=60)
        reader.join(timeout=10)
        assert child.stdout is not None
        child.stdout.close()


def listen(child: "subprocess.Popen[str]", told: list[dict[str, Any]]) -> None:
    assert child.stdout is not None
    for line in child.stdout:
        told.append(json.loads(line))  # noqa: PERF401 -- others read it meanwhile


def written(town: Town) -> list[str]:
    rows = town.accesses.select(["at", "account", "recording"]).drop_null()
    return [json.dumps({**row, "at": row["at"].isoformat()}) + "\n" for row in rows.to_pylist()]


def copier_of(town: Town) -> str:
    return next(str(row["account"]) for row in town.truth.to_pylist() if row["role"] == "copier")


def in_front(port: int, origin_port: int) -> str:
    """Say in edge.toml that an nginx stands in front, and holds the list itself."""
    lines = [f'origin = "http://127.0.0.1:{origin_port}"', f'listen = "127.0.0.1:{port}"']
    return "\n".join([*lines, f'push = ["http://127.0.0.1:{port}"]'])


def test_a_ring_is_held_as_the_log_grows_and_a_person_is_obeyed_at_once(tmp_path: Path) -> None:
    town = events(small(parse_ring("1x300:queue"), listeners=30, days=8))
    lines, copier = written(town), copier_of(town)
    listener = next(str(r["account"]) for r in town.truth.to_pylist() if r["role"] == "listener")
    log, first = tmp_path / "access.ndjson", len(lines) // 8
    log.write_text("".join(lines[:first]))
    port = free_port()
    with origin() as at, serving(tmp_path, log, policy=ENFORCED, more=in_front(port, at)) as served:
        with nginx(tmp_path / "nginx", served.configured(), port) as served.nginx:
            assert served.status_of(copier, "new-1") == "200"
            with log.open("a") as file:
                file.writelines(lines[first:])
            until(lambda: served.status_of(copier, "new-1") == "403", 90, "the copier is never held")
            for gate in (0, 1):
                until(partial(served.answers, copier, gate, "403"), 2, "a gate does not know")
                assert served.status_of(listener, "new-1", gate) == "200"
            until(lambda: served.at_nginx(copier) == "403", 10, "nginx does not know")
            assert served.at_nginx(listener) == "200"
            assert served.ask(copier, "new-1").headers["X-Riparian-Because"] == "evidence"

            served.until_all(copier, "200", served.says("Ada", "hold", "release", copier))
            served.says("Ada", "hold", "end", copier)
            served.until_all(copier, "403", served.says("Ben", "hold", "approve", copier))
            until(lambda: served.ask(copier, "new-1").headers["X-Riparian-Because"] == "person", 2, "a person did it")
            held = served.standing()
            assert held.count >= 1
        with nginx(tmp_path / "again", served.configured(), port) as served.nginx:
            until(lambda: served.standing().seq >= held.seq, 15, "an nginx that begins anew is not told")
            assert served.standing().epoch == held.epoch
            served.types("hold", "appeal", copier, "--text", "I run a radio show")
            served.until_all(copier, "200", served.says("Cleo", "hold", "review", copier, "--reinstate"))
            soon = (datetime.now(UTC) + timedelta(days=3)).isoformat()
            served.until_all(listener, "403", served.says("Ada", "hold", "place", listener, "--until", soon))
            served.until_all(listener, "200", served.says("Ben", "hold", "release", listener))

            until(lambda: set(IN_STEP) <= set(served.page("/metrics")[1].splitlines()), 10, "all are in step")
        served.child.send_signal(signal.SIGTERM)
        assert served.child.wait(timeout=60) == 0
    kinds = [line["kind"] for line in served.told]
    assert (kinds[0], kinds[-1]) == ("serving", "ended")
    assert {"status", "account", "summary"} <= set(kinds)


def test_what_was_had_is_had_after_a_restart_and_after_a_kill(tmp_path: Path) -> None:
    with serving(tmp_path, empty_log(tmp_path)) as served:
        spent = [served.status_of("ann", f"r{i}") for i in range(25)]
        assert spent == ["200"] * 25
    with serving(tmp_path, empty_log(tmp_path)) as served:
        assert served.status_of("ann", "r3") == "200", "had before"
        assert [served.status_of("ann", f"s{i}") for i in range(10)] == ["200"] * 10
        kill_gate(served, 0)
        until(lambda: gate_is_ready(served, 0), 60, "the gate does not come back")
        assert served.status_of("ann", "s3") == "200", "had before the kill"
        left = BURST - 35
        assert [served.status_of("ann", f"t{i}") for i in range(left + 2)] == ["200"] * left + ["429"] * 2
        assert [line["restarts"]["gate 0"] for line in served.told if line["kind"] == "status"][-1] == 1
        served.child.kill()
        until(lambda: not any(gate_is_ready(served, gate) for gate in (0, 1)), 30, "children outlive their parent")


def test_history_is_not_new_to_a_gate(tmp_path: Path) -> None:
    town = events(small(listeners=20, days=4))
    log = tmp_path / "access.ndjson"
    log.write_text("".join(written(town)))
    scan = [sys.executable, "-m", "riparian.cli", "scan", str(log), "-w", str(tmp_path / "w")]
    subprocess.run(scan, check=True, capture_output=True, timeout=120)
    had: dict[str, list[str]] = {}
    for row in town.accesses.select(["account", "recording"]).drop_null().to_pylist():
        had.setdefault(row["account"], []).append(row["recording"])
    account, recordings = max(had.items(), key=lambda pair: len(set(pair[1])))
    assert len(set(recordings)) > BURST
    with serving(tmp_path, log) as served:
        answers = {served.status_of(account, recording) for recording in set(recordings)}
        assert answers == {"200"}, "what it had before is a repeat, however much it is"


def empty_log(folder: Path) -> Path:
    log = folder / "access.ndjson"
    log.touch()
    return log


def gate_is_ready(served: Served, gate: int) -> bool:
    try:
        return served.page("/readyz", gate)[0] == 200
    except OSError:
        return False


def kill_gate(served: Served, gate: int) -> None:
    """Kill a gate as a crash does."""
    pids = [line["pids"] for line in served.told if line["kind"] == "status"][-1]
    os.kill(pids[f"gate {gate}"], signal.SIGKILL)


def test_gates_speak_grpc_to_envoys_that_were_told_so(tmp_path: Path) -> None:
    with serving(tmp_path, empty_log(tmp_path), also=("--grpc",)) as served:
        request = auth.CheckRequest()
        request.attributes.request.http.path = "/licence/r1"
        request.attributes.request.http.headers["x-account"] = "ann"
        with grpc.insecure_channel(served.gates[0]) as channel:
            check = channel.unary_unary(
                "/envoy.service.auth.v3.Authorization/Check",
                request_serializer=auth.CheckRequest.SerializeToString,
                response_deserializer=auth.CheckResponse.FromString,
            )
            answer = check(request, timeout=10, wait_for_ready=True)
        assert answer.status.code == 0
        assert 'kind="licence"' in served.page("/metrics", 0)[1]
