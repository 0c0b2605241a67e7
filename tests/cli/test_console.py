"""``riparian console`` as an operator types it: it starts, greets, prints pages, and refuses to be reached unsafely."""

import json
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from typer.testing import CliRunner

from riparian.cli import app
from riparian.errors import InputError
from tests.edges.nginx import free_port


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
