"""nginx with gates behind it: who is asked, what becomes of the answer, and of none."""

import os
import signal
import socket
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from riparian.edges.checks import Weight, check, check_text
from riparian.edges.nginx import CONFIGURATION, Build, Grants, List, configuration
from riparian.errors import LifecycleError
from riparian.feeds.access_log import ReadOptions, read
from riparian.gate.grants import Grant, verify
from riparian.gate.policy import parse_policy
from riparian.gate.routes import parse_edge
from riparian.schema import Action
from tests.edges.nginx import Nginx, Said, accepts, nginx, origin, until
from tests.edges.nginx_gate import PUSH, RING, Running, gate
from tests.edges.test_nginx_grants import token
from tests.edges.test_nginx_list import FAR_US, delta, pusher, said
from tests.ports import free_port

ROUTES = [
    {"path": "/media/{recording}/index.m3u8", "kind": "licence"},
    {"path": "/media/{recording}/**", "kind": "media"},
    {"path": "/licence/{recording}", "kind": "licence"},
    {"path": "/api/tracks/{recording}", "kind": "metadata"},
    {"path": "/api/export/{rows}", "kind": "bulk"},
]
ENFORCE = {"mode": "enforce"}


def written(
    port: int, at: int, gates: list[str], policy: dict[str, Any], grants: Grants = Grants.HMAC
) -> dict[str, str]:
    said = {"origin": f"http://127.0.0.1:{at}", "listen": f"127.0.0.1:{port}", "gates": gates, "route": ROUTES}
    build = Build(grants, List.KEYVAL)
    return configuration(parse_edge(said), parse_policy(policy), RING, push_secret=PUSH, build=build)


def kept(folder: Path) -> str:
    """Read what an edge has written down of its list."""
    file = folder / "riparian_verdicts.json"
    return file.read_text() if file.exists() else ""


@dataclass(slots=True)
class House:
    """An edge, the gates that it asks, and what can be done to them."""

    edge: Nginx
    gates: list[Running]
    stack: ExitStack = field(repr=False)

    def ask(self, path: str, account: str = "a", **said: Any) -> Said:
        return self.edge.ask(path, x_account=account, **said)


@contextmanager
def house(
    folder: Path, *, n: int = 1, policy: dict[str, Any] | None = None, text: Callable[[str], str] = str
) -> Iterator[House]:
    chosen, about = ENFORCE | (policy or {}), {"route": ROUTES}
    with ExitStack() as stack:
        gates = [stack.enter_context(gate(about, chosen, shard=(i, n))) for i in range(n)]
        port, at = free_port(), stack.enter_context(origin())
        files = written(port, at, [each.address for each in gates], chosen)
        files[CONFIGURATION] = text(files[CONFIGURATION])
        yield House(stack.enter_context(nginx(folder, files, port)), gates, stack)


@pytest.fixture(scope="module")
def well(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    with house(tmp_path_factory.mktemp("nginx"), policy={"requests_burst": 20, "requests_per_minute": 1}) as running:
        yield running


def test_what_the_gate_lets_through_reaches_the_origin_and_says_so(well: House) -> None:
    for path in ("/licence/r-1", "/api/tracks/r-1", "/api/export/50"):
        answer = well.ask(path, "served")
        assert (answer.status, answer["X-Riparian-Action"], answer["X-Riparian-Because"]) == (200, "allow", "none")
        assert (answer["X-Riparian-Shard"], answer.letter["path"]) == ("0/1", path)


def test_a_playlist_comes_with_a_grant_for_its_folder(well: House) -> None:
    headers = well.ask("/media/r-7/index.m3u8", "listener").letter["headers"]
    issued = headers["x-riparian-grant"]
    now_s = int(time.time())
    found = verify(issued, RING, account="listener", path="/media/r-7/1.m4s", device="", now_s=now_s)
    assert isinstance(found, Grant)
    assert well.ask(f"/media/r-7/1.m4s?g={issued}", "listener").status == 200
    assert well.ask(f"/media/r-8/1.m4s?g={issued}", "listener").status == 403


def test_a_limit_is_429_with_a_time_though_auth_request_knows_no_429(well: House) -> None:
    answers = [well.ask("/api/tracks/r-1", "eager") for _ in range(25)]
    assert [answer.status for answer in answers] == [200] * 20 + [429] * 5
    last = answers[-1]
    assert (last["X-Riparian-Because"], last["X-Riparian-Shard"]) == ("limit", "0/1")
    assert 0 < int(last["Retry-After"]) <= 60
    assert last.letter["retry_after_s"] == int(last["Retry-After"])
    assert last.letter["why"] == "There were too many requests in a short time."


def test_what_a_stranger_says_in_our_name_is_not_passed_on(well: House) -> None:
    forged = {
        "x_riparian_grant": "rg1.x",
        "x_riparian_because": "none",
        "x_riparian_rate": "full",
        "x_riparian_kind": "media",
    }
    headers = well.ask("/api/tracks/r-1", "liar", **forged).letter["headers"]
    assert not {"x-riparian-grant", "x-riparian-because", "x-riparian-rate"} & headers.keys()


def test_a_restrained_account_is_refused_before_the_gate_is_asked(well: House) -> None:
    pusher(well.edge).resync(delta(0, 1, said("held", until_us=FAR_US)))
    for path in ("/licence/r-1", "/api/tracks/r-1", "/api/export/50", "/media/r-1/index.m3u8"):
        answer = well.ask(path, "held")
        assert (answer.status, answer["X-Riparian-Action"], answer["X-Riparian-Shard"]) == (403, "hold", "")


def test_the_log_is_read_back_by_a_scan(well: House, tmp_path: Path) -> None:
    for path in ("/media/r-9/index.m3u8", "/licence/r-9", "/api/tracks/r-9", "/api/export/50"):
        well.ask(path, "logged")
    until(lambda: sum(line["account"] == "logged" for line in well.edge.log()) == 4)
    log = tmp_path / "access.json"
    log.write_text((well.edge.folder / "access.json").read_text())
    chunks = list(read([str(log)], options=ReadOptions(), key=bytes(16)))
    assert [reject for chunk in chunks for reject in chunk.rejects] == []
    rows = [row for chunk in chunks for row in chunk.accesses.to_pylist()]
    assert {row["rows"] for row in rows} >= {50}
    assert {Action(row["action"]) for row in rows} >= {Action.PLAY, Action.LICENCE, Action.METADATA}


# ---- exactly the limit ----


def patient(text: str) -> str:
    """Let gates take their time: whoever is asked twice because a machine was busy has asked twice."""
    return text.replace("50ms", "5s").replace("100ms", "5s")


def in_turns(text: str) -> str:
    return patient(text).replace("hash $riparian_account consistent;", "")


@pytest.mark.slow
def test_two_gates_let_through_exactly_the_limit_and_round_robin_is_refused_by_the_check(tmp_path: Path) -> None:
    burst = {"requests_burst": 10, "requests_per_minute": 1}
    accounts = [f"account-{number}" for number in range(8)]
    with house(tmp_path / "hashed", n=2, policy=burst, text=patient) as two:
        met = set()
        for account in accounts:
            answers = [two.ask("/api/tracks/r-1", account) for _ in range(15)]
            assert Counter((answer.status, answer["X-Riparian-Because"]) for answer in answers) == {
                (200, "none"): 10,
                (429, "limit"): 5,
            }
            assert len({answer["X-Riparian-Shard"] for answer in answers}) == 1
            met.add(answers[0]["X-Riparian-Shard"])
        assert met == {"0/2", "1/2"}
        asked = parse_edge({"gates": [each.address for each in two.gates], "route": ROUTES})
        assert check(f"http://127.0.0.1:{two.edge.port}", asked) == []
    with house(tmp_path / "turns", n=2, policy=burst, text=in_turns) as two:
        served = sum(two.ask("/api/tracks/r-1", "account-0").status == 200 for _ in range(30))
        assert served == 20, "two that count apart let through twice the limit"
        found = check_text((two.edge.folder / CONFIGURATION).read_text())
        assert (Weight.WRONG, "upstream riparian_gates") in [(each.weight, each.where) for each in found]
        live = check(f"http://127.0.0.1:{two.edge.port}", asked)
        assert [(each.weight, "always the same" in each.found) for each in live] == [(Weight.WRONG, True)]


@pytest.mark.slow
def test_while_a_gate_is_frozen_its_accounts_begin_anew_at_the_other_and_get_no_more_than_that(tmp_path: Path) -> None:
    # A machine that is busy enough freezes a gate, too: an exact limit is one for as long as gates answer in time.
    with house(tmp_path, n=2, policy={"requests_burst": 10, "requests_per_minute": 1}) as two:
        names = (f"account-{number}" for number in range(100))
        account = next(name for name in names if two.ask("/api/tracks/r-1", name)["X-Riparian-Shard"] == "0/2")
        two.gates[0].process.send_signal(signal.SIGSTOP)
        away = [two.ask("/api/tracks/r-1", account) for _ in range(6)]
        two.gates[0].process.send_signal(signal.SIGCONT)
        assert {(answer.status, answer["X-Riparian-Shard"]) for answer in away} == {(200, "1/2")}
        told = [two.ask("/api/tracks/r-1", account)]
        while told[-1]["X-Riparian-Shard"] != "0/2":
            time.sleep(0.3)
            told.append(two.ask("/api/tracks/r-1", account))
        told += [two.ask("/api/tracks/r-1", account) for _ in range(15)]
        assert told[-1].status == 429
        served = Counter(answer["X-Riparian-Shard"] for answer in [*away, *told] if answer.status == 200)
        assert served["1/2"] <= 10, "at the other one it has the limit once more"
        # What the frozen gate was asked it finds when it thaws, and counts, though nobody waits any more.
        assert served["0/2"] + 1 <= 10
        assert 10 < served.total() <= 20


# ---- and when no gate answers ----


@contextmanager
def silent(says: bytes = b"", *, after_s: float = 0.0) -> Iterator[str]:
    """Listen like a gate, and answer each request with some bytes, late, or with none at all."""
    ended = threading.Event()

    def answer(peer: socket.socket) -> None:
        with peer:
            peer.settimeout(0.2)
            while not ended.is_set():
                try:
                    if not peer.recv(65_536):
                        return
                    ended.wait(after_s)
                    if says:
                        peer.sendall(says)
                except TimeoutError:
                    continue
                except OSError:
                    return

    def accept(listening: socket.socket) -> None:
        listening.settimeout(0.2)
        while not ended.is_set():
            try:
                peer, _ = listening.accept()
            except TimeoutError:
                continue
            threads.append(threading.Thread(target=answer, args=(peer,), daemon=True))
            threads[-1].start()

    with socket.create_server(("127.0.0.1", 0), backlog=64) as listening:
        threads = [threading.Thread(target=accept, args=(listening,), daemon=True)]
        threads[0].start()
        yield f"127.0.0.1:{listening.getsockname()[1]}"
        ended.set()
        for thread in threads:
            thread.join()


@contextmanager
def full() -> Iterator[str]:
    """Listen and never accept, with no more room to wait: a connection is neither made nor refused."""
    with ExitStack() as stack:
        listening = stack.enter_context(socket.create_server(("127.0.0.1", 0), backlog=0))
        address = listening.getsockname()
        for _ in range(3):
            waiting = stack.enter_context(socket.socket())
            waiting.settimeout(0)
            waiting.connect_ex(address)
        yield f"127.0.0.1:{address[1]}"


@contextmanager
def nobody() -> Iterator[str]:
    yield f"127.0.0.1:{free_port()}"


SERVED = b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\nX-Riparian-Action: allow\r\n\r\n"
FAULTS: dict[str, Callable[[], AbstractContextManager[str]]] = {
    "dead: nobody listens": nobody,
    "half open: it is connected to, and nobody is there": silent,
    "full: it takes no connection and refuses none": full,
    "slow: right, and too late": lambda: silent(SERVED, after_s=0.5),
    "cut: the half of an answer, and silence": lambda: silent(SERVED[:30]),
    "mad: an answer in no protocol": lambda: silent(b"\x00\x01 what\r\n\r\n"),
    "ill: 500": lambda: silent(b"HTTP/1.1 500 Internal Server Error\r\nContent-Length: 0\r\n\r\n"),
}

PROMISES: dict[str, tuple[Callable[[], str], int, str]] = {
    "media under a grant": (lambda: f"/media/r-5512/1.m4s?{token(Grants.HMAC)}", 200, "none"),
    "media whose grant ended a moment ago": (
        lambda: f"/media/r-5512/1.m4s?{token(Grants.HMAC, until_s=int(time.time()) - 5)}",
        200,
        "degraded",
    ),
    "media whose grant ended long ago": (
        lambda: f"/media/r-5512/1.m4s?{token(Grants.HMAC, until_s=int(time.time()) - 90)}",
        403,
        "grant",
    ),
    "media under a forgery": (lambda: f"/media/r-5512/1.m4s?{token(Grants.HMAC)[:-4]}AAAA", 403, "grant"),
    "a licence": (lambda: "/licence/r-5512", 503, "degraded"),
    "a playlist": (lambda: "/media/r-5512/index.m3u8", 503, "degraded"),
    "metadata": (lambda: "/api/tracks/r-5512", 200, "degraded"),
    "bulk": (lambda: "/api/export/50", 503, "degraded"),
}
BOUND_S = 1.0
"""Two questions of 50 ms, on a machine that has much else to do."""


@pytest.mark.parametrize("fault", FAULTS)
def test_what_was_promised_holds_while_no_gate_answers(tmp_path: Path, fault: str) -> None:
    with FAULTS[fault]() as address, origin() as at:
        port = free_port()
        with nginx(tmp_path, written(port, at, [address], ENFORCE), port) as edge:
            for promise, (path, status, because) in PROMISES.items():
                answer = edge.ask(path(), x_account="a-0417")
                assert (answer.status, answer["X-Riparian-Because"]) == (status, because), promise
                assert answer.took_s < BOUND_S, promise
            counts = edge.counts()
            assert counts['riparian_let_through_total{kind="media",why="open"}'] == 1
            assert counts['riparian_let_through_total{kind="metadata",why="limited"}'] == 1
            assert counts['riparian_gate_degraded{why="gate"}'] == 1
            # A line is written once the answer has gone.
            until(lambda: len(edge.log()) == len(PROMISES))
            logged = [line["because"] for line in edge.log() if line["status"] == 200]
            assert sorted(logged) == ["degraded", "degraded", "none"], "nothing is let through that is not in the log"
            assert "uninitialized" not in edge.errors()


@pytest.mark.parametrize("status", [b"400 Bad Request", b"404 Not Found", b"431 Too Large"], ids=bytes.decode)
def test_a_gate_that_cannot_read_a_question_is_there_and_opens_nothing(tmp_path: Path, status: bytes) -> None:
    # Else whoever finds a header that the gate refuses to read would have found a way past it.
    with silent(b"HTTP/1.1 %s\r\nContent-Length: 0\r\n\r\n" % status) as address, origin() as at:
        port = free_port()
        with nginx(tmp_path, written(port, at, [address], ENFORCE), port) as edge:
            for promise in ("media whose grant ended a moment ago", "metadata"):
                assert edge.ask(PROMISES[promise][0](), x_account="a-0417").status == 400
            assert not [name for name in edge.counts() if name.startswith("riparian_let_through")]


def test_metadata_falls_to_a_few_a_minute_for_each_account(tmp_path: Path) -> None:
    with nobody() as address, origin() as at:
        port = free_port()
        with nginx(tmp_path, written(port, at, [address], ENFORCE | {"down_per_minute": 5}), port) as edge:
            # A minute may turn while this runs; then each account has had two.
            a, b = ([edge.ask("/api/tracks/r", x_account=account) for _ in range(12)] for account in "ab")
            for answers in (a, b):
                assert sum(answer.status == 200 for answer in answers) in {5, 10}
                refused = next(answer for answer in answers if answer.status == 429)
                assert (refused["Retry-After"], refused["X-Riparian-Because"]) == ("60", "degraded")


CLOSED = {"metadata_down": "close", "bulk_down": "limit", "media_open_s": 0}


def test_the_operator_may_choose_otherwise(tmp_path: Path) -> None:
    with nobody() as address, origin() as at:
        port = free_port()
        with nginx(tmp_path, written(port, at, [address], ENFORCE | CLOSED), port) as edge:
            late = f"/media/r-5512/1.m4s?{token(Grants.HMAC, until_s=int(time.time()) - 1)}"
            found = [edge.ask(path, x_account="a-0417").status for path in (late, "/api/tracks/r", "/api/export/5")]
            assert found == [403, 503, 200]


def test_in_shadow_a_gate_out_of_reach_closes_nothing(tmp_path: Path) -> None:
    with nobody() as address, origin() as at:
        port = free_port()
        with nginx(tmp_path, written(port, at, [address], {}), port) as edge:
            found = [edge.ask(path, x_account="a").status for path in ("/licence/r", "/api/tracks/r", "/api/export/5")]
            assert found == [200, 200, 200]


@pytest.mark.slow
def test_a_frozen_gate_costs_a_few_waits_then_none_and_is_found_again(tmp_path: Path) -> None:
    with house(tmp_path) as one:
        assert one.ask("/api/tracks/r").status == 200
        os.kill(one.gates[0].process.pid, signal.SIGSTOP)
        answers = [one.ask("/licence/r") for _ in range(20)]
        assert {answer.status for answer in answers} == {503}
        slow = [answer for answer in answers if answer.took_s > 0.04]
        # Three, and one that looks again after two seconds where the machine was slow.
        assert 1 <= len(slow) <= 6, [round(answer.took_s, 3) for answer in answers]
        assert max(answer.took_s for answer in answers) < BOUND_S
        os.kill(one.gates[0].process.pid, signal.SIGCONT)
        until(lambda: one.ask("/licence/r").status == 200)
        assert one.ask("/api/tracks/r")["X-Riparian-Because"] == "none"


@pytest.mark.slow
def test_of_two_gates_the_other_takes_over_and_gives_back(tmp_path: Path) -> None:
    with house(tmp_path, n=2) as two:
        met = {account: two.ask("/licence/r", account)["X-Riparian-Shard"] for account in "abcdefghij"}
        assert set(met.values()) == {"0/2", "1/2"}
        two.gates[0].process.kill()
        two.gates[0].process.wait()
        for account in met:
            answer = two.ask("/licence/r", account)
            assert (answer.status, answer["X-Riparian-Shard"]) == (200, "1/2")
            assert answer.took_s < BOUND_S
        two.stack.enter_context(gate({"route": ROUTES}, ENFORCE, shard=(0, 2), at=two.gates[0].address))
        until(lambda: {account: two.ask("/licence/r", account)["X-Riparian-Shard"] for account in met} == met)


@pytest.mark.slow
def test_an_edge_that_is_started_anew_knows_whom_it_must_not_serve(tmp_path: Path) -> None:
    with nobody() as address, origin() as at:
        port = free_port()
        files = written(port, at, [address], ENFORCE)
        with nginx(tmp_path, files, port) as edge:
            pusher(edge).resync(delta(0, 4, said("a-0417", until_us=FAR_US)))
            until(lambda: '"e1 4 ' in kept(tmp_path))
            workers = edge.workers()
            edge.process.kill()
            edge.process.wait()
            for worker in workers:
                os.kill(worker, signal.SIGKILL)
            until(lambda: not accepts(port))
        with nginx(tmp_path, files, port) as edge:
            path = f"/media/r-5512/1.m4s?{token(Grants.HMAC)}"
            assert edge.ask(path, x_account="a-0417").status == 403
            # What was pushed meanwhile is lost: the next push begins where this edge does not stand.
            with pytest.raises(LifecycleError):
                pusher(edge).publish(delta(5, 6))
            assert pusher(edge).resync(delta(0, 6)).count == 0
            assert edge.ask(path, x_account="a-0417").status == 200
