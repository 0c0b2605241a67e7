"""``riparian edge`` as an operator types it."""

import json
import socket
import stat
import tomllib
from pathlib import Path

import pytest
from typer.testing import CliRunner

from riparian import assembly
from riparian.cli import app
from riparian.cli.serving import House, Places, line
from riparian.edges.health import Seen
from riparian.errors import InputError, OutsideError, PolicyError, RiparianError
from riparian.gate.routes import parse_edge

runner = CliRunner()
TWO = """
gates = ["127.0.0.1:9101", "127.0.0.1:9102"]
[[route]]
path = "/media/{recording}/**"
kind = "media"
[[route]]
path = "/licence/{recording}"
kind = "licence"
"""


def run(*words: str | Path) -> str:
    ended = runner.invoke(app, [str(word) for word in words])
    if ended.exception is not None and not isinstance(ended.exception, SystemExit):
        raise ended.exception
    assert ended.exit_code == 0, ended.output
    return ended.stdout


@pytest.fixture
def workspace(tmp_path: Path) -> Path:
    folder = tmp_path / "w"
    folder.mkdir(mode=0o700)
    (folder / "edge.toml").write_text(TWO)
    return folder


def test_the_example_of_edge_toml_is_one(tmp_path: Path) -> None:
    run("edge", "init", "-w", tmp_path / "w")
    edge = parse_edge(tomllib.loads((tmp_path / "w" / "edge.toml").read_text()))
    assert [route.kind.name for route in edge.routes.routes] == ["LICENCE", "MEDIA", "LICENCE", "METADATA", "BULK"]
    with pytest.raises(InputError, match="there already"):
        run("edge", "init", "-w", tmp_path / "w")


@pytest.mark.parametrize(("make", "secrets"), [("nginx", {"riparian.json"}), ("envoy", {"envoy-grants.json"})])
def test_a_configuration_is_written_and_its_secrets_are_for_nobody_else(
    workspace: Path, tmp_path: Path, make: str, secrets: set[str]
) -> None:
    out = tmp_path / "out"
    for _ in range(2):
        run("edge", make, "-w", workspace, "--out", out)
    modes = {path.name: stat.S_IMODE(path.stat().st_mode) for path in out.iterdir()}
    assert {name for name, mode in modes.items() if mode == 0o600} == secrets
    assert len(modes) > len(secrets)


@pytest.mark.parametrize("make", ["nginx", "envoy"])
def test_what_is_printed_holds_no_secret(workspace: Path, make: str) -> None:
    printed = run("edge", make, "-w", workspace)
    secret = (workspace / "push.key").read_text() if make == "nginx" else "oct"
    assert "127.0.0.1" in printed
    assert secret not in printed


def test_a_configuration_by_turns_is_refused(workspace: Path, tmp_path: Path) -> None:
    run("edge", "nginx", "-w", workspace, "--out", tmp_path / "out")
    file = tmp_path / "out" / "nginx.conf"
    assert "as it should be" in run("edge", "check", file, "-w", workspace)
    lines = file.read_text().splitlines()
    file.write_text("\n".join(line for line in lines if not line.strip().startswith("hash ")))
    with pytest.raises(PolicyError, match="breaks 1 promises"):
        run("edge", "check", file, "-w", workspace)


@pytest.mark.parametrize(("make", "name"), [("nginx", "nginx.conf"), ("envoy", "envoy.yaml")])
def test_a_configuration_of_another_mode_is_refused(workspace: Path, tmp_path: Path, make: str, name: str) -> None:
    file = tmp_path / "out" / name
    run("edge", make, "-w", workspace, "--out", file.parent)
    (workspace / "policy.toml").write_text('mode = "enforce"\n')
    with pytest.raises(PolicyError, match="breaks 1 promises"):
        run("edge", "check", file, "-w", workspace)
    run("edge", make, "-w", workspace, "--out", file.parent)
    told = " ".join(run("edge", "check", file, "-w", workspace).split())
    assert ("`push` names no edge" in told) is (make == "nginx"), "an Envoy holds no list"
    (workspace / "policy.toml").unlink()
    with pytest.raises(PolicyError, match="breaks 1 promises"):
        run("edge", "check", file, "-w", workspace)


def test_what_there_is_nothing_to_compare_with_is_said(workspace: Path, tmp_path: Path) -> None:
    run("edge", "nginx", "-w", workspace, "--out", tmp_path / "out")
    told = run("edge", "check", tmp_path / "out" / "nginx.conf", "-w", tmp_path / "none", "--json")
    assert f"edge init -w {tmp_path / 'none'}" in json.loads(told)["hint"]
    assert not (tmp_path / "none").exists(), "a check makes nothing"


def test_an_envoy_by_turns_is_refused(workspace: Path, tmp_path: Path) -> None:
    run("edge", "envoy", "-w", workspace, "--out", tmp_path / "out")
    file = tmp_path / "out" / "envoy.yaml"
    assert "as it should be" in run("edge", "check", file, "-w", workspace)
    file.write_text(file.read_text().replace("lb_policy: RING_HASH", "lb_policy: ROUND_ROBIN"))
    with pytest.raises(PolicyError, match="promises"):
        run("edge", "check", file, "-w", workspace)


@pytest.mark.parametrize(
    "words",
    [("serve",), ("edge", "nginx"), ("edge", "check", "nowhere.conf"), ("edge", "check", "http://127.0.0.1:1")],
)
def test_what_is_missing_is_said(tmp_path: Path, words: tuple[str, ...]) -> None:
    with pytest.raises(RiparianError):
        run(*words, "-w", tmp_path / "w")


@pytest.mark.parametrize(
    "words",
    [
        ("--workers", "3"),
        ("--workers", "0"),
        ("--listen", "nowhere"),
        ("--control", "127.0.0.1:99999"),
    ],
)
def test_serving_what_cannot_be_served_is_refused_before_it_begins(workspace: Path, words: tuple[str, ...]) -> None:
    with pytest.raises(InputError):
        run("serve", "-w", workspace, *words)


@pytest.mark.parametrize(("which", "named"), [("--listen", "--listen"), ("--control", "--control")])
def test_a_port_that_is_taken_is_said_once_and_nothing_begins(
    workspace: Path, which: str, named: str, capfd: pytest.CaptureFixture[str]
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken, socket.create_server(("127.0.0.1", 0)) as free:
        port, other = taken.getsockname()[1], free.getsockname()[1]
        free.close()
        addresses = {"--listen": f"127.0.0.1:{other}", "--control": f"127.0.0.1:{other}"} | {which: f"127.0.0.1:{port}"}
        with pytest.raises(OutsideError, match=f"port {port} .* is in use") as refused:
            run("serve", "-w", workspace, *(word for pair in addresses.items() for word in pair))
    assert named in refused.value.hint
    assert "begun again" not in capfd.readouterr().err


def test_whether_edges_are_told_is_said_at_once(capfd: pytest.CaptureFixture[str], workspace: Path) -> None:
    for push, told in ((("http://127.0.0.1:1",), False), ((), True)):
        places = Places(("127.0.0.1:1",), ("127.0.0.1:2",), ((0, 1),), ("127.0.0.1", 3), push)
        House(assembly.Given(workspace), [], {}, places, json=False).begins("shadow", "http://127.0.0.1:3")
        assert ("none in `push`" in " ".join(capfd.readouterr().err.split())) is told


def test_gates_and_edges_are_counted_apart() -> None:
    seen = Seen({"in step": 2}, {"in step": 0, "out of reach": 1}, restarts={"gate 0": 1})
    assert line(seen) == (
        "Gates: 2 in step; edges that are told: 1 out of reach; restraints: none; 1 restarts of children."
    )
