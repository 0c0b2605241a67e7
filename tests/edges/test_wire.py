import asyncio
import json
import os
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from prometheus_client.parser import text_string_to_metric_families

from riparian.edges.asking import Asked
from riparian.edges.listen import Bounds
from riparian.edges.push import HttpEdge
from riparian.edges.traces import Traces
from riparian.edges.wire import Addresses, Wire, serve
from riparian.errors import LifecycleError, OutsideError, PolicyError
from riparian.gate.admit import Answer
from riparian.gate.grants import Grant, verify
from riparian.gate.policy import Restraint
from riparian.gate.routes import Kind
from riparian.ports import Delta, Standing, Verdict
from tests.edges.wires import NOW_US, RING, Running, a_door, answer_of, serving

TRACED = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-0"
LIST = b"slow\tslow\t0\tevidence\nprove\tstep_up\t1800000060\tevidence\nheld\thold\t1800000060\tevidence\n"
LIST += b"over\tend\t0\tperson\n"


@pytest.fixture(scope="module")
def gate() -> Iterator[Running]:
    door, _ = a_door({"novelty_burst": 2, "novelty_per_day": 1, "requests_burst": 1000}, push="push secret")
    with serving(door) as running:
        assert running.push(LIST, begin=0, end=1, full=True).status == 200
        yield running


def named(account: str, recording: str = "r1", kind: str = "media", path: str = "/media/r1/a.m3u8") -> dict[str, str]:
    said = {"account": account, "recording": recording, "kind": kind, "path": path}
    return {f"X_Riparian_{name}": value for name, value in said.items() if value}


NGINX = {
    "served": ("anybody", 200, {"Status": "200", "Action": "allow", "Because": "none"}, None),
    "asked who it is": (
        "prove",
        401,
        {"Status": "401", "Action": "step_up", "Because": "evidence", "Until": "1800000060"},
        "60",
    ),
    "held": ("held", 403, {"Status": "403", "Action": "hold", "Because": "evidence", "Until": "1800000060"}, "60"),
    "ended": ("over", 403, {"Status": "403", "Action": "end", "Because": "person"}, None),
    "slowed": ("slow", 403, {"Status": "429", "Action": "slow", "Because": "evidence"}, None),
}


@pytest.mark.parametrize(("account", "status", "said", "again"), NGINX.values(), ids=NGINX)
def test_nginx_is_told_what_it_understands_and_the_truth_beside_it(
    gate: Running, account: str, status: int, said: Mapping[str, str], again: str | None
) -> None:
    told = gate.data("/auth", **named(account))
    assert told.status == status
    assert {name: told.headers[f"X-Riparian-{name}"] for name in said} == said
    assert told.headers.get("Retry-After") == again
    assert told.headers["X-Riparian-Shard"] == "1/2"
    assert told.body == b""


ENVOY = {
    "served": ("/media/r1/a.ts", "anybody", 200),
    "no route of ours": ("/about", "held", 200),
    "held": ("/media/r1/a.ts?x=1", "held", 403),
    "ended": ("/tracks/20", "over", 403),
    "slowed": ("/media/r1/a.ts", "slow", 429),
    "asked who it is": ("/keys/r1", "prove", 401),
    "two ways to read it": ("/media/../media/r1/a.ts", "anybody", 400),
    "a well-known place": ("/.well-known/acme-challenge/x", "held", 200),
    "not from a well-known place either": ("/.well-known/..;/media/r1/a.ts", "anybody", 400),
    "more rows than there can be": ("/tracks/999999999", "anybody", 429),
}


@pytest.mark.parametrize(("path", "account", "status"), ENVOY.values(), ids=ENVOY)
def test_envoy_is_told_the_truth(gate: Running, path: str, account: str, status: int) -> None:
    told = gate.data("/check" + path, X_Account=account)
    assert told.status == status
    assert bool(told.body) == (status != 200)


def test_a_person_is_told_what_happened_why_until_when_and_what_to_do(gate: Running) -> None:
    assert gate.data("/check/keys/r1", X_Account="prove").json == {
        "status": 401,
        "what": "Please confirm that it is you.",
        "action": "step_up",
        "because": "evidence",
        "why": "What this account fetched is not how people listen.",
        "until": "2027-01-15T08:01:00+00:00",
        "retry_after_s": 60,
        "step_up": "https://example.org/prove",
        "appeal": "https://example.org/appeal",
    }


def test_a_head_is_answered_without_a_body(gate: Running) -> None:
    told = gate.data("/check/media/r1/a.ts", method="HEAD", X_Account="held")
    assert (told.status, told.body) == (403, b"")
    assert int(told.headers["Content-Length"]) > 0


def test_novelty_is_counted_and_repeats_are_free(gate: Running) -> None:
    statuses = [gate.data("/auth", **named("curious", f"r{i}")).headers["X-Riparian-Status"] for i in (1, 2, 1, 3, 2)]
    assert statuses == ["200", "200", "200", "429", "200"]
    told = gate.data("/auth", **named("curious", "r4"))
    assert (told.headers["X-Riparian-Because"], told.headers["Retry-After"]) == ("novelty", "86400")


def test_a_grant_for_the_folder_comes_with_what_is_served(gate: Running) -> None:
    told = gate.data("/grant", **named("grantee", path="/media/r1/a.m3u8?x=1"), X_Riparian_Device="d1")
    found = verify(
        told.headers["X-Riparian-Grant"],
        RING,
        account="grantee",
        path="/media/r1/720p/1.m4s",
        device="d1",
        now_s=NOW_US // 1_000_000 + 59,
    )
    assert isinstance(found, Grant)
    assert (found.path, found.until_s) == ("/media/r1/", NOW_US // 1_000_000 + 60)
    assert "X-Riparian-Grant" not in gate.data("/grant", **named("held")).headers


GRANTED = {
    "a playlist in the recording's folder": ("/media/r1/a.m3u8", "r1", "/media/r1/"),
    "deeper within it": ("/media/r1/hls/high/a.m3u8", "r1", "/media/r1/hls/high/"),
    "an identifier that is written in percents": ("/media/r%C3%A9/a.m3u8", "r\xc3\xa9", "/media/r%C3%A9/"),
    "a file beside those of others": ("/media/r1.m3u8", "r1", "/media/r1.m3u8"),
    "a licence": ("/keys/r1", "r1", "/keys/r1"),
    "another recording's folder": ("/media/r2/a.m3u8", "r1", "/media/r2/a.m3u8"),
}


@pytest.mark.parametrize("situation", GRANTED)
def test_a_grant_opens_the_recording_and_nothing_beside_it(situation: str) -> None:
    path, recording, opened = GRANTED[situation]
    door, _ = a_door()
    asked = Asked(b"a1", Kind.MEDIA, recording.encode("latin-1"), path)
    granted = verify(
        door.grant(asked, Answer(200)), RING, account="a1", path=path, device="", now_s=NOW_US // 1_000_000
    )
    assert isinstance(granted, Grant)
    assert granted.path == opened


def test_where_no_grant_can_be_given_nothing_is_charged(gate: Running) -> None:
    for i in range(1, 9):
        assert gate.data("/grant", **named("spared", f"r{i}", path="/media//r1/a")).status == 400
    assert gate.data("/grant", **named("spared", "r9")).status == 200


def test_in_shadow_whoever_can_be_granted_nothing_is_served_and_counted() -> None:
    door, _ = a_door({"mode": "shadow"})
    with serving(door) as running:
        told = running.data("/grant", **named("", path="/media//r1/a"))
    assert (told.status, told.headers.get("X-Riparian-Grant")) == (200, None)
    assert {why for _, why in door.let_through} == {"grant", "nameless"}


MISTAKEN = {
    "an unknown kind": ("/auth", {"X_Riparian_Kind": "video"}, 400),
    "rows that are no number": ("/auth", {"X_Riparian_Rows": "-1"}, 400),
    "no such page": ("/autho", {}, 404),
    "a grant for a path in two spellings": ("/grant", named("a", path="/media//r1/a"), 400),
    "a grant for nobody": ("/grant", named(""), 400),
    "a grant for a device with a bell": ("/grant", named("a") | {"X_Riparian_Device": "\x85"}, 400),
}


@pytest.mark.parametrize(("target", "fields", "status"), MISTAKEN.values(), ids=MISTAKEN)
def test_a_mistake_of_the_proxy_is_said(gate: Running, target: str, fields: dict[str, str], status: int) -> None:
    assert gate.data(target, **fields).status == status


def test_without_explanations_no_reason_is_told() -> None:
    edge = {"explain": False, "route": [{"path": "/media/{recording}/**", "kind": "media"}]}
    door, _ = a_door(push="push secret", edge=edge)
    with serving(door) as running:
        running.push(LIST, begin=0, end=1, full=True)
        told = running.data("/check/media/r1/a", X_Account="held")
    assert told.status == 403
    assert {name for name in told.headers if name.startswith("X-Riparian")} == {"X-Riparian-Shard"}
    assert told.json == {"status": 403, "what": "This account is not served for now.", "retry_after_s": 60}


# --- the list of verdicts ----------------------------------------------------------------------


def test_a_list_is_pushed_in_steps_and_begun_again() -> None:
    door, _ = a_door(push="push secret")
    with serving(door) as running:
        steps = [
            ("a whole list", running.push(LIST, begin=0, end=5, full=True), 200, 5, 4),
            ("a step", running.push(b"held\tallow\t0\tnone\n", begin=5, end=6), 200, 6, 3),
            ("nothing new", running.push(b"", begin=6, end=6), 200, 6, 3),
            ("a step that was lost", running.push(b"x\thold\t0\tperson\n", begin=7, end=8), 409, 6, 3),
            ("another epoch", running.push(b"x\thold\t0\tperson\n", begin=6, end=7, epoch="e2"), 409, 6, 3),
            ("all anew", running.push(b"x\thold\t0\tperson\n", begin=0, end=2, full=True, epoch="e2"), 200, 2, 1),
        ]
        for name, told, status, seq, count in steps:
            assert (told.status, told.json["seq"], told.json["count"]) == (status, seq, count), name
        assert running.data("/auth", **named("held")).status == 200
        assert running.data("/auth", **named("x")).status == 403
        standing = running.control("/riparian/verdicts", authorization="Bearer push secret")
        assert standing.json == {"epoch": "e2", "seq": 2, "count": 1}


def test_our_own_pusher_is_understood() -> None:
    door, _ = a_door(push="push secret")
    with serving(door) as running:
        edge = HttpEdge(f"http://{running.at.control}", "push secret")
        held, back = (Verdict("ann@x.org", each, 0, "person") for each in (Restraint.HOLD, Restraint.ALLOW))
        assert edge.seen() == Standing("", 0, 0)
        with pytest.raises(LifecycleError):
            edge.publish(Delta("e", 3, 4, (held,)))
        assert edge.resync(Delta("e", 0, 4, (held,))) == Standing("e", 4, 1)
        assert running.data("/auth", **named("ann@x.org")).status == 403
        assert edge.publish(Delta("e", 4, 5, (back,))) == edge.seen() == Standing("e", 5, 0)
        assert running.data("/auth", **named("ann@x.org")).status == 200
        with pytest.raises(OutsideError, match="401"):
            HttpEdge(f"http://{running.at.control}", "another").seen()


BAD_LISTS = {
    "no end": b"a\thold\t0\tperson",
    "three fields": b"a\thold\t0\n",
    "five fields": b"a\thold\t0\tperson\tx\n",
    "another restraint": b"a\tban\t0\tperson\n",
    "another rule": b"a\thold\t0\tmood\n",
    "no time": b"a\thold\tsoon\tperson\n",
    "a time before time": b"a\thold\t-1\tperson\n",
    "nobody": b"\thold\t0\tperson\n",
    "an empty line": b"a\thold\t0\tperson\n\n",
    "one bad line in two": b"a\thold\t0\tperson\nb\thold\n",
}


@pytest.mark.parametrize("body", BAD_LISTS.values(), ids=BAD_LISTS)
def test_a_list_that_cannot_be_read_changes_nothing(gate: Running, body: bytes) -> None:
    assert gate.push(body, begin=1, end=2).status == 400
    assert gate.push(body, begin=0, end=2, full=True).status == 400
    assert gate.push(b"", begin=1, end=1).json["count"] == 4


def test_only_whoever_has_the_secret_pushes(gate: Running) -> None:
    for secret in ("another", "", "push secret "[:-2]):
        assert gate.push(b"", begin=1, end=1, secret=secret).status == 401
    assert gate.control("/riparian/verdicts").status == 401


def test_an_account_may_be_called_anything() -> None:
    door, _ = a_door(push="push secret")
    with serving(door) as running:
        running.push(b"ann%40x.org%09%25\thold\t0\tperson\n%C3%A9\thold\t0\tperson\n", begin=0, end=1, full=True)
        assert running.data("/auth", **named("ann@x.org\t%")).status == 403
        assert running.data("/auth", **named("é")).status == 403


def test_a_hundred_thousand_verdicts_are_taken_at_once() -> None:
    door, _ = a_door(push="push secret")
    body = b"".join(b"acct-%06d\thold\t1800000060\tevidence\n" % i for i in range(100_000))
    with serving(door) as running:
        running.push(body[:29], begin=0, end=1, full=True)
        told = running.push(body, begin=0, end=100_000, full=True)
        assert told.json["count"] == 100_000
        assert running.data("/auth", **named("acct-099999")).status == 403


DOWN = {
    "media stay open": ({}, "media", 1, [200]),
    "licences close": ({}, "licence", 1, [503]),
    "metadata fall to a limit": ({"down_per_minute": 2}, "metadata", 3, [200, 200, 429]),
    "metadata close": ({"metadata_down": "close"}, "metadata", 1, [503]),
    "bulk closes": ({}, "bulk", 1, [503]),
    "bulk falls to a limit": ({"bulk_down": "limit", "down_per_minute": 1}, "bulk", 2, [200, 429]),
    "nothing closes in shadow": ({"mode": "shadow"}, "licence", 2, [200, 200]),
}


@pytest.mark.parametrize(("policy", "kind", "n", "statuses"), DOWN.values(), ids=DOWN)
def test_before_the_first_list_each_kind_has_its_own_way(
    policy: dict[str, Any], kind: str, n: int, statuses: list[int]
) -> None:
    door, _ = a_door(policy, push="push secret")
    with serving(door) as running:
        assert running.control("/readyz").status == 503
        told = [running.data("/auth", **named("a", "r1", kind)) for _ in range(n)]
        assert [int(each.headers["X-Riparian-Status"]) for each in told] == statuses
        let = sum(door.let_through.values())
        assert let == statuses.count(200)
        assert {each.headers["X-Riparian-Because"] for each in told if each.status != 200} <= {"degraded"}
        running.push(b"", begin=0, end=1, full=True)
        assert running.control("/readyz").status == 200
        assert sum(door.let_through.values()) == let


def test_silence_is_noticed_after_five_seconds_and_the_list_holds() -> None:
    door, clock = a_door(push="push secret")
    with serving(door) as running:
        running.push(LIST, begin=0, end=1, full=True)
        assert values(running, "riparian_gate_degraded") == {
            (why,): 0.0 for why in ("unsynced", "heartbeat", "failing")
        }
        clock.steady_s = 5.5
        assert values(running, "riparian_gate_degraded") == {("unsynced",): 0.0, ("heartbeat",): 1.0, ("failing",): 0.0}
        assert values(running, "riparian_push_age_seconds") == {(): 5.5}
        assert running.data("/auth", **named("held")).status == 403
        assert running.data("/auth", **named("a")).status == 200
        assert running.control("/readyz").json == {"ready": True, "why": "heartbeat"}
        assert values(running, "riparian_let_through_total") == {("media", "heartbeat"): 1.0}
        running.push(b"", begin=1, end=1)
        assert values(running, "riparian_gate_degraded") == {
            (why,): 0.0 for why in ("unsynced", "heartbeat", "failing")
        }


def values(running: Running, sample: str) -> dict[tuple[str, ...], float]:
    families = text_string_to_metric_families(running.control("/metrics").body.decode())
    samples = [each for family in families for each in family.samples if each.name == sample]
    return {tuple(each.labels.values()): each.value for each in samples}


def test_what_is_done_is_counted_and_nobody_is_named() -> None:
    door, _ = a_door({"shadow_rules": "novelty", "novelty_burst": 1, "novelty_per_day": 0}, push="push secret")
    with serving(door) as running:
        running.push(LIST, begin=0, end=1, full=True)
        for account in ("secret-name", "held", "held", "slow", ""):
            running.data("/auth", **named(account))
        told = [running.data("/auth", **named("secret-name", f"r{i}")) for i in range(3)]
        running.data("/auth", X_Riparian_Kind="video")
        with running.connect(running.at.data) as peer:
            peer.sendall(b"nonsense\r\n\r\n")
            assert answer_of(peer.recv(1 << 16)).status == 400
        assert told[-1].headers["X-Riparian-Would"] == "novelty"
        answers = values(running, "riparian_answers_total")
        labels = {
            family.name: family for family in text_string_to_metric_families(running.control("/metrics").body.decode())
        }
        by = [
            (each.labels["action"], each.labels["rule"], each.labels["applied"])
            for each in labels["riparian_answers"].samples
        ]
        counts = dict(zip(by, answers.values(), strict=True))
        assert counts["hold", "evidence", "true"] == 2
        assert counts["slow", "evidence", "true"] == 1
        assert counts["allow", "novelty", "false"] >= 1
        assert sum(counts.values()) == 8
        assert values(running, "riparian_let_through_total") == {("media", "nameless"): 1.0}
        assert values(running, "riparian_refused_requests_total") == {("400",): 1.0}
        assert values(running, "riparian_verdicts") == {(): 4.0}
        assert b"secret-name" not in running.control("/metrics").body


# --- connections -------------------------------------------------------------------------------

ASKING = b"GET /auth HTTP/1.1\r\nHost: gate\r\nX-Riparian-Account: a\r\n\r\n"


def until_closed(peer: socket.socket) -> bytes:
    """Read what comes until the other side ends."""
    received = b""
    try:
        while block := peer.recv(1 << 16):
            received += block
    except ConnectionResetError:
        return received
    return received


@pytest.fixture(scope="module")
def strict() -> Iterator[Running]:
    door, _ = a_door({"requests_burst": 1_000_000})
    with serving(door, bounds=(Bounds(most=3, request_s=1, idle_s=2), Bounds())) as running:
        yield running


def test_requests_are_answered_in_their_order(strict: Running) -> None:
    with strict.connect(strict.at.data) as peer:
        peer.sendall(
            ASKING * 2 + b"GET /no HTTP/1.1\r\nHost: gate\r\n\r\n" + ASKING + b"GET /auth HTTP/1.0\r\n\r\n" + ASKING
        )
        received = until_closed(peer)
    assert re.findall(rb"HTTP/1.1 (\d+)", received) == [b"200", b"200", b"404", b"200", b"200"]


@pytest.mark.slow
def test_whoever_drips_is_told_that_it_takes_too_long(strict: Running) -> None:
    with strict.connect(strict.at.data) as peer:
        begun = time.monotonic()
        peer.sendall(ASKING[:20])
        time.sleep(0.7)
        peer.sendall(ASKING[20:30])
        assert answer_of(until_closed(peer)).status == 408
        assert time.monotonic() - begun < 5


@pytest.mark.slow
def test_whoever_says_nothing_is_let_go(strict: Running) -> None:
    with strict.connect(strict.at.data) as peer:
        peer.sendall(ASKING)
        assert answer_of(until_closed(peer)).status == 200


@pytest.mark.slow
def test_whoever_does_not_read_is_cut(strict: Running) -> None:
    with strict.connect(strict.at.data) as peer:
        peer.settimeout(0.2)
        sent, deadline = 0, time.monotonic() + 15
        while sent < 64 << 20 and time.monotonic() < deadline:
            try:
                sent += peer.send(ASKING * 1000)
            except TimeoutError:  # nobody reads from us: what we send stays where it is
                continue
            except OSError:
                break
        else:
            raise AssertionError(f"{sent} bytes were taken, wanted an end")


def test_more_than_the_most_are_told_so(strict: Running) -> None:
    peers = [strict.connect(strict.at.data) for _ in range(3)]
    for peer in peers:
        peer.sendall(ASKING)
        assert answer_of(peer.recv(1 << 16)).status == 200
    with strict.connect(strict.at.data) as late:
        assert answer_of(until_closed(late)).status == 503
    for peer in peers:
        peer.close()


def test_a_fault_of_the_gate_is_answered_counted_and_logged_without_a_name(caplog: pytest.LogCaptureFixture) -> None:
    door, clock = a_door()

    def broken(asked: Asked) -> Any:
        raise KeyError(asked.account.decode())

    with serving(door) as running:
        well = door.answer
        door.answer = broken  # type: ignore[method-assign]
        two = b"GET /auth HTTP/1.1\r\nHost: x\r\nX-Riparian-Account: anna\r\n\r\n" * 2
        with running.connect(running.at.data) as peer:
            peer.sendall(two)
            told = until_closed(peer)
        assert told.startswith(b"HTTP/1.1 500 ")
        assert told.count(b"HTTP/1.1 ") == 1, "it is the last of its connection"
        assert b"anna" not in told
        assert running.data("/auth", **named("ben")).status == 500
        assert values(running, "riparian_failures_total") == {(): 2.0}
        assert values(running, "riparian_gate_degraded")["failing",] == 1
        door.answer = well  # type: ignore[method-assign]
        assert running.data("/auth", **named("ben")).status == 200, "the others are answered as ever"
        clock.steady_s += 61
        assert values(running, "riparian_gate_degraded")["failing",] == 0
    assert [record.getMessage().count("KeyError in broken") for record in caplog.records] == [1]
    assert "anna" not in caplog.text


def test_a_body_is_waited_for_when_asked(gate: Running) -> None:
    head = b"POST /riparian/verdicts HTTP/1.1\r\nHost: gate\r\nConnection: close\r\n"
    head += b"Expect: 100-continue\r\nContent-Length: 4\r\n\r\n"
    with gate.connect(gate.at.control) as peer:
        peer.sendall(head[:40])
        time.sleep(0.05)
        peer.sendall(head[40:])
        assert peer.recv(1 << 16) == b"HTTP/1.1 100 Continue\r\n\r\n"
        peer.sendall(b"ab")
        time.sleep(0.05)
        peer.sendall(b"cd")
        assert answer_of(until_closed(peer)).status == 401


def test_a_unix_socket_does_as_well_and_a_dead_one_is_replaced(tmp_path: Path) -> None:
    address = f"unix:{tmp_path}/gate.socket"
    with socket.socket(socket.AF_UNIX) as dead:
        dead.bind(f"{tmp_path}/gate.socket")
    door, _ = a_door()
    with serving(door, data=address) as running:
        assert running.data("/auth", **named("a")).status == 200


def test_draining_answers_what_was_begun_and_keeps_what_is_known() -> None:
    door, _ = a_door()
    with serving(door) as running, running.connect(running.at.data) as begun, running.connect(running.at.data) as idle:
        for peer in (begun, idle):
            peer.sendall(ASKING)
            assert answer_of(peer.recv(1 << 16)).status == 200
        begun.sendall(ASKING[:20])
        time.sleep(0.1)
        running.loop.call_soon_threadsafe(running.stop.set)
        assert until_closed(idle) == b""
        assert running.control("/readyz").json == {"ready": False, "why": "draining"}
        with pytest.raises(OSError, match="refused"):
            running.connect(running.at.data)
        assert running.kept == []
        begun.sendall(ASKING[20:])
        told = answer_of(until_closed(begun))
        assert (told.status, told.headers["Connection"]) == (200, "close")
        running.thread.join(10)
        assert running.kept == ["kept"]


@pytest.mark.parametrize(
    ("address", "error"),
    [("nowhere", PolicyError), ("127.0.0.1:70000", PolicyError), ("unix:/no/such/folder/s", OutsideError)],
)
def test_an_address_that_is_none_is_said(address: str, error: type[Exception]) -> None:
    door, _ = a_door()
    with pytest.raises(error):
        asyncio.run(serve(Wire(door), Addresses(address, "127.0.0.1:0"), stop=asyncio.Event()))


@pytest.mark.slow
def test_a_process_that_is_told_to_end_ends_well() -> None:
    code = (
        "from riparian.edges.wire import *; from tests.edges.wires import a_door\n"
        "door, _ = a_door()\n"
        "def ready(at): print(at.data, flush=True)\n"
        "def keep(): print('kept', flush=True)\n"
        "run(serve(Wire(door), Addresses('127.0.0.1:0', '127.0.0.1:0'), ready=ready, keep=keep))\n"
    )
    with subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline().startswith("127.0.0.1:")
        os.kill(process.pid, signal.SIGTERM)
        assert process.stdout.read() == "kept\n"
        assert process.wait(20) == 0


# --- traces ------------------------------------------------------------------------------------


def test_a_sampled_request_and_every_push_are_spans_of_the_callers_trace() -> None:
    exporter, provider = InMemorySpanExporter(), TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    door, _ = a_door(push="push secret")
    with serving(door, traces=Traces(provider.get_tracer("test"))) as running:
        running.push(LIST, begin=0, end=1, full=True)
        running.data("/auth", **named("a"), traceparent=TRACED + "1")
        running.data("/auth", **named("a"), traceparent=TRACED + "0")
        running.data("/auth", **named("a"), traceparent="00-x-y-01")
        running.data("/auth", **named("a"))
    push, decision = exporter.get_finished_spans()
    assert (push.name, decision.name) == ("riparian.push", "riparian.decision")
    assert dict(push.attributes or {}) == {
        "riparian.full": True,
        "riparian.bytes": len(LIST),
        "riparian.verdicts": 4,
        "http.response.status_code": 200,
    }
    assert decision.parent is not None
    assert format(decision.parent.span_id, "016x") == "b7ad6b7169203331"
    assert "a" not in json.dumps(dict(decision.attributes or {}))


def test_without_an_sdk_tracing_does_nothing() -> None:
    door, _ = a_door()
    with serving(door, traces=Traces()) as running:
        assert running.data("/auth", **named("a"), traceparent=TRACED + "1").status == 200
