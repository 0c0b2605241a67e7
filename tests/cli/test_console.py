"""``riparian console`` as an operator types it: it starts, greets, prints pages, and refuses to be reached unsafely."""

import json
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest
from typer.testing import CliRunner

from riparian.cli import app
from riparian.errors import InputError
from tests.ports import free_port


@pytest.fixture
def workspace(tmp_path: Path) -> Path:
    (tmp_path / "workspace").mkdir()
    return tmp_path / "workspace"


def run(*words: str | Path) -> str:
    ended = CliRunner().invoke(app, [str(word) for word in words])
    if ended.exception is not None and not isinstance(ended.exception, SystemExit):
        raise ended.exception
    return ended.stdout


@pytest.fixture
def served(workspace: Path) -> Iterator[tuple[str, subprocess.Popen[str]]]:
    port = free_port()
    command = [sys.executable, "-m", "riparian.cli", "console", "-w", str(workspace), "--listen", f"127.0.0.1:{port}"]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as process:
        yield f"http://localhost:{port}", process
        process.send_signal(signal.SIGTERM)


@pytest.mark.slow
def test_the_first_time_it_prints_a_link_by_which_an_admin_comes_in(
    served: tuple[str, subprocess.Popen[str]],
) -> None:
    at, process = served
    assert process.stderr is not None
    told = process.stderr.readline() + process.stderr.readline()
    link = re.search(rf"{at}/setup\?link=[\w-]+", told)
    assert link is not None, told
    deadline = time.monotonic() + 20
    while True:
        try:
            answer = httpx.get(link.group(), trust_env=False)
            break
        except httpx.ConnectError:
            assert time.monotonic() < deadline
            time.sleep(0.1)
    assert "You are invited as admin" in answer.text
    assert "server" not in answer.headers


@pytest.mark.parametrize(
    ("words", "found"),
    [
        pytest.param(["--listen", "0.0.0.0:8099"], "nobody knows where it is reached", id="for others, no address"),
        pytest.param(["--at", "http://console.example"], "no address over TLS", id="for others, without TLS"),
        pytest.param(["--listen", "[::"], "nobody knows where it is reached", id="no address"),
        pytest.param(["--listen", ":1"], "no place", id="no place"),
        pytest.param(["--page", "/nowhere"], "no page, wanted one of `/`", id="no page"),
    ],
)
def test_what_nobody_could_reach_safely_is_not_served(workspace: Path, words: list[str], found: str) -> None:
    with pytest.raises(InputError, match=re.escape(found)):
        run("console", "-w", workspace, *words)


def test_a_page_is_printed_as_json(workspace: Path) -> None:
    assert json.loads(run("console", "-w", workspace, "--page", "/rings?after="))["kind"] == "rings"
    assert json.loads(run("console", "-w", workspace, "--page", "/"))["scan"] is None


# --- monitors, and the end -----------------------------------------------------------------------------------------


@dataclass
class Console:
    """A ``riparian console`` that runs."""

    port: int
    control: int
    process: "subprocess.Popen[str]"

    def monitor(self, page: str) -> httpx.Response:
        return httpx.get(f"http://127.0.0.1:{self.control}{page}", trust_env=False)

    def is_ready(self) -> bool:
        try:
            return self.monitor("/readyz").status_code == 200
        except httpx.ConnectError:
            return False


def begun(workspace: Path, *also: str) -> Console:
    port, control = free_port(), free_port()
    command = [sys.executable, "-m", "riparian.cli", "console", "-w", str(workspace)]
    command += ["--listen", f"127.0.0.1:{port}", "--control", f"127.0.0.1:{control}", *also]
    made = Console(port, control, subprocess.Popen(command, stderr=subprocess.PIPE, text=True))
    deadline = time.monotonic() + 30
    while not made.is_ready():
        assert time.monotonic() < deadline
        assert made.process.poll() is None
        time.sleep(0.1)
    return made


@pytest.mark.slow
def test_asked_to_end_it_says_so_finishes_what_was_begun_and_takes_nothing_new(workspace: Path) -> None:
    console = begun(workspace, "--log", "json")
    with console.process as process, socket.create_connection(("127.0.0.1", console.port), 10) as peer:
        assert "riparian_console_requests_total" in console.monitor("/metrics").text
        body = b'{"link": "ada@example.org"}'
        head = f"POST /setup/ask?of=ada@example.org HTTP/1.1\r\nHost: localhost:{console.port}\r\n"
        peer.sendall(f"{head}Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n".encode() + body[:5])
        deadline = time.monotonic() + 10
        while "riparian_console_in_flight 1.0" not in console.monitor("/metrics").text:
            assert time.monotonic() < deadline
            time.sleep(0.05)
        process.send_signal(signal.SIGTERM)
        while console.is_ready():
            assert time.monotonic() < deadline
            time.sleep(0.05)
        assert console.monitor("/readyz").json() == {"ready": False, "missing": ["draining"]}
        assert console.monitor("/healthz").status_code == 200
        until_refused(console.port)
        assert process.poll() is None, "somebody is being answered"
        peer.sendall(body[5:])
        answer = peer.recv(1 << 16)
        assert answer.startswith(b"HTTP/1.1 4"), answer
        assert process.wait(20) == 0
        assert process.stderr is not None
        told = process.stderr.read().splitlines()
    logged = [json.loads(line) for line in told if line.startswith("{")]
    assert [line["event"] for line in logged] == ["answered", "ended"]
    assert (logged[0]["route"], logged[0]["method"]) == ("/setup/ask", "POST")
    assert "ada" not in str(logged)


def until_refused(port: int) -> None:
    deadline = time.monotonic() + 10
    while time.monotonic() < deadline:
        try:
            socket.create_connection(("127.0.0.1", port), 1).close()
        except ConnectionRefusedError:
            return
        time.sleep(0.05)
    raise AssertionError(port)
