"""A house that is watched: what its log says names nobody, and asked to end it finishes what it began."""

import json
import signal
import socket
from pathlib import Path

import pytest

from riparian.cli.logged import EVENTS
from riparian.sim.copiers import parse_ring
from riparian.sim.events import events
from tests.stories.test_serving import ENFORCED, serving, until, written
from tests.stories.towns import small

pytestmark = pytest.mark.slow

HOSTILE = (
    '{"at": "ada@example.org", "account": "ada@example.org", "recording": "198.51.100.7"}\n',
    "ada@example.org 198.51.100.7 <script>alert(1)</script> \x1b[31m\n",
    '{"at": "2026-01-01T00:00:00Z", "account": ["ada@example.org"], "recording": {"x": "198.51.100.7"}}\n',
)


def named(line: str) -> str:
    """Give the account of a line the address of a person, and the line one of a machine."""
    row = json.loads(line)
    return json.dumps({**row, "account": f"{row['account']}@example.org", "network": "198.51.100.7"}) + "\n"


def test_the_log_of_a_town_that_is_served_names_nobody_and_what_was_begun_is_answered(tmp_path: Path) -> None:
    lines = [named(line) for line in written(events(small(parse_ring("1x300:queue"), listeners=12, days=8)))]
    log = tmp_path / "ada@example.org.ndjson"
    log.write_text("".join([*lines, *HOSTILE]))
    with serving(tmp_path, log, policy=ENFORCED, also=("--log", "json")) as served:
        until(lambda: any(line["kind"] == "summary" for line in served.told), 90, "nothing is scanned")
        until(lambda: "riparian_scan_timestamp_seconds 1" in served.page("/metrics")[1], 20, "the scan is not told of")
        host, _, port = served.gates[0].partition(":")
        asking = (
            b"GET /auth HTTP/1.1\r\nHost: gate\r\nX-Riparian-Account: ada@example.org\r\nX-Riparian-Recording: r1\r\n"
        )
        with socket.create_connection((host, int(port)), 10) as peer:
            peer.sendall(asking)
            served.child.send_signal(signal.SIGTERM)
            until(lambda: served.page("/readyz")[0] == 503, 10, "it does not say that it ends")
            assert json.loads(served.page("/readyz")[1])["missing"] == ["draining"]
            peer.sendall(b"X-Riparian-Kind: media\r\n\r\n")
            assert peer.recv(1 << 16).startswith(b"HTTP/1.1 ")
            assert served.child.wait(60) == 0
    talk = (tmp_path / "talk.txt").read_text(encoding="utf-8")
    assert [part for part in ("ada", "example", "198.51", "script", "\x1b") if part in talk] == []
    logged = [json.loads(line) for line in talk.splitlines()]
    for line in logged:
        assert set(line) <= {"at", "process", "pid", "event", *EVENTS[line["event"]]}
    assert {line["process"] for line in logged} == {"serve", "gate 0", "gate 1", "evidence"}
    said = {line["event"]: line for line in logged}
    assert {"serving", "status", "gate_began", "following", "scanned", "decided", "draining", "ended"} <= set(said)
    assert said["decided"]["pseudonym"].startswith("a-")
    assert said["scanned"]["rejected"] >= 1, "hostile lines were read, and are counted"
    assert said["ended"]["clean"] is True
