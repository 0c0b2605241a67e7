"""Every verb as an operator types it: what it prints, what it ends with."""

import importlib
import json
import signal
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest
import typer
from typer.testing import CliRunner

from riparian.cli import VERBS, app, exit_with, main
from riparian.errors import InputError

runner = CliRunner()


def run(*words: str | Path) -> str:
    ended = runner.invoke(app, [str(word) for word in words])
    if ended.exception is not None and not isinstance(ended.exception, SystemExit):
        raise ended.exception
    assert ended.exit_code == 0, ended.output
    return ended.stdout


@pytest.fixture(scope="module")
def town(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("town")
    run("simulate", folder, "--listeners", "60", "--days", "8", "--recordings", "5000", "--ring", "1x300:queue")
    run(
        "scan", folder / "accesses.parquet", "--catalogue", folder / "catalogue.parquet",
        "--accounts", folder / "accounts.parquet", "--workspace", folder / "workspace",
    )  # fmt: skip
    return folder


def told(*words: str | Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in run(*words).splitlines()]


def listener(town: Path) -> str:
    rows = pq.read_table(town / "truth.parquet").to_pylist()
    return next(str(row["account"]) for row in rows if row["role"] == "listener")


def copier(town: Path) -> str:
    lines = [json.loads(line) for line in run("accounts", "-w", town / "workspace", "--json").splitlines()]
    return str(lines[0]["account"])


@pytest.mark.parametrize("verb", VERBS)
def test_every_verb_says_what_it_does(verb: str) -> None:
    assert "Usage" in run(verb, "--help")


@pytest.mark.parametrize("verb", VERBS)
def test_the_list_of_verbs_says_of_each_what_it_says_of_itself(verb: str) -> None:
    command = typer.main.get_command(importlib.import_module(f"riparian.cli.{verb}").app)
    assert command.get_short_help_str(200) == VERBS[verb]


def test_the_version_is_told() -> None:
    assert run("--version").startswith("riparian 0.")


def test_a_town_is_written_with_its_truth(town: Path) -> None:
    names = {path.name for path in town.iterdir()}
    assert {"accesses.parquet", "catalogue.parquet", "accounts.parquet", "truth.parquet"} <= names


def test_programs_get_one_object_a_line(town: Path) -> None:
    out = run("scan", town / "accesses.parquet", "-w", town / "workspace", "--json")
    lines = [json.loads(line) for line in out.splitlines()]
    assert [line["kind"] for line in lines[:-1]] == ["account"] * (len(lines) - 1)
    assert lines[-1]["kind"] == "summary"
    first = lines[0]
    assert first["action"] == "hold"
    assert {"account", "applied", "bits", "reached_at", "because", "until", "declared", "certified"} <= set(first)


def test_people_get_a_table(town: Path) -> None:
    out = run("accounts", "-w", town / "workspace")
    assert "because" in out
    assert "hold" in out
    assert "shadow: nothing is applied" in out


@pytest.mark.slow
def test_a_hold_is_listed_extended_and_released_and_does_not_come_back(town: Path) -> None:
    account, workspace = copier(town), town / "workspace"
    assert account in run("hold", "list", "-w", workspace, "--json")
    run("hold", "extend", account, "--days", "3", "--person", "Ada", "--reason", "under review", "-w", workspace)
    run("hold", "release", account, "--person", "Ada", "--reason", "is our own test", "-w", workspace)
    assert account not in run("hold", "list", "-w", workspace, "--json")
    run("scan", town / "accesses.parquet", "-w", workspace)
    assert account not in run("hold", "list", "-w", workspace, "--json")


@pytest.mark.parametrize("words", [("rings",), ("accounts",), ("hold", "list"), ("explain", "account", "a")])
def test_looking_makes_no_workspace_and_says_which_one_there_is_not(tmp_path: Path, words: tuple[str, ...]) -> None:
    with pytest.raises(InputError, match=f"no workspace at `{tmp_path / 'none'}`"):
        run(*words, "-w", tmp_path / "none")
    assert not (tmp_path / "none").exists()


@pytest.mark.slow
def test_a_person_holds_a_listener_until_a_day_and_may_be_told_to_let_go(town: Path) -> None:
    workspace, account = town / "workspace", listener(town)
    until = (datetime.now(UTC) + timedelta(days=3)).isoformat()
    said = ("--person", "Ada", "--reason", "a stolen card", "-w", workspace)
    run("hold", "place", account, "--until", until, *said)
    held = [row for row in told("hold", "list", "-w", workspace, "--json") if row["account"] == account]
    assert [(row["action"], row["until"][:16]) for row in held] == [("hold", until[:16])]
    run("scan", town / "accesses.parquet", "-w", workspace)
    assert account in run("hold", "list", "-w", workspace, "--json"), "no scan lifts it"
    assert "A person of our staff" in run("hold", "letter", account, "-w", workspace)
    run("hold", "appeal", account, "--text", "it was me", "-w", workspace)
    review = ("--reinstate", "--person", "Cleo", "--reason", "it was", "-w", workspace)
    run("hold", "review", account, *review)
    assert account not in run("hold", "list", "-w", workspace, "--json")


@pytest.mark.slow
def test_a_spike_is_contained_and_leaves_the_workspace_alone(town: Path) -> None:
    before = run("accounts", "-w", town / "workspace", "--json")
    out = run("scan", town / "accesses.parquet", "-w", town / "workspace", "--spike", "2x200:queue", "--json")
    told = json.loads(out)
    assert told["kind"] == "spike"
    assert told["held"] == told["accounts"] == 2
    # Nobody of the log is taken for one of them.
    assert 0 < told["leaked"] < told["unrestrained"] < 2 * 8 * 250
    assert run("accounts", "-w", town / "workspace", "--json") == before


@pytest.mark.slow
def test_a_file_of_somebody_elses_accesses_can_be_the_spike(town: Path, tmp_path: Path) -> None:
    town_of_copiers = ("--listeners", "0", "--days", "8", "--recordings", "5000", "--ring", "1x400", "--seed", "9")
    run("simulate", tmp_path, *town_of_copiers)
    out = run(
        "scan", town / "accesses.parquet", "-w", town / "workspace", "--spike", tmp_path / "accesses.parquet", "--json"
    )
    assert json.loads(out)["held"] == 1


def test_the_laws_are_audited_on_a_list_of_honest_accounts(town: Path, tmp_path: Path) -> None:
    truth = pq.read_table(town / "truth.parquet").to_pylist()
    honest = tmp_path / "honest.txt"
    honest.write_text("\n".join(row["account"] for row in truth if row["role"] == "listener"))
    out = run("audit", "-w", town / "workspace", "--honest", honest, "--json")
    lines = [json.loads(line) for line in out.splitlines()]
    assert {line["kind"] for line in lines} == {"bet", "rung"}
    assert all(line["holds"] for line in lines)


def test_an_audit_names_the_worst_account_and_counts_those_that_no_scan_has_seen(town: Path, tmp_path: Path) -> None:
    truth = pq.read_table(town / "truth.parquet").to_pylist()
    listeners = {row["account"] for row in truth if row["role"] == "listener"}
    honest = tmp_path / "honest.txt"
    honest.write_text("\n".join([*listeners, "nobody-1", "nobody-2", "nobody-2"]))
    ended = runner.invoke(app, ["audit", "-w", str(town / "workspace"), "--honest", str(honest), "--json"])
    assert f"2 of {len(listeners) + 2} accounts" in ended.stderr
    lines = [json.loads(line) for line in ended.stdout.splitlines()]
    assert {line["worst"] for line in lines if line["kind"] == "bet"} <= listeners


@pytest.mark.slow
def test_who_was_ended_by_people_stands_in_every_list(town: Path, tmp_path: Path) -> None:
    workspace = tmp_path / "workspace"
    run("scan", town / "accesses.parquet", "-w", workspace)
    account = json.loads(run("hold", "list", "-w", workspace, "--json").splitlines()[0])["account"]
    run("hold", "end", account, "--person", "Ada", "--reason", "copies", "-w", workspace)
    run("hold", "approve", account, "--person", "Ben", "--reason", "seen", "-w", workspace)
    assert "end" in run("accounts", "-w", workspace)
    assert "end" in run("scan", town / "accesses.parquet", "-w", workspace)


@pytest.mark.slow
def test_what_was_released_is_no_longer_counted(town: Path, tmp_path: Path) -> None:
    workspace = tmp_path / "workspace"
    run("scan", town / "accesses.parquet", "-w", workspace)
    for line in run("hold", "list", "-w", workspace, "--json").splitlines():
        account = json.loads(line)["account"]
        run("hold", "release", account, "--person", "Ada", "--reason", "is our own test", "-w", workspace)
    out = run("accounts", "-w", workspace)
    assert "No account is restrained." in out
    assert "0 to hold, 0 to step up, 0 to slow" in out
    assert "0 minutes of review a day" in out


@pytest.fixture
def interruptible() -> Iterator[None]:
    """Ctrl-C interrupts, also where the tests themselves run in the background."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.mark.usefixtures("interruptible")
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
@pytest.mark.parametrize("logs", ["access.ndjson", "*.ndjson"])
def test_who_stops_following_at_once_keeps_what_was_read(
    number: signal.Signals, logs: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    log = tmp_path / "access.ndjson"
    rows = [{"at": f"2024-03-01T10:{n:02}:00Z", "account": "u-1", "recording": f"r-{n}"} for n in range(50)]
    log.write_text("".join(json.dumps(row) + "\n" for row in rows))
    monkeypatch.setattr("riparian.cli.follow.time.sleep", lambda _: signal.raise_signal(number))
    ended = runner.invoke(app, ["scan", str(tmp_path / logs), "-w", str(tmp_path / "w"), "--follow", "--json"])
    assert ended.exit_code == 0, ended.output
    assert json.loads(ended.stdout.splitlines()[-1])["accesses"] == len(rows)
    said = " ".join(ended.stderr.split())
    assert said.count("following /") == 1
    assert "the workspace holds everything up to here" in said


@pytest.mark.usefixtures("interruptible")
def test_who_stops_following_before_anything_came_is_told_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("riparian.cli.follow.time.sleep", lambda _: signal.raise_signal(signal.SIGINT))
    ended = runner.invoke(app, ["scan", str(tmp_path / "later.log"), "-w", str(tmp_path / "w"), "--follow"])
    assert ended.exit_code == 0, ended.output
    assert "nothing was scanned yet" in " ".join(ended.stderr.split())


def test_a_report_is_one_file(town: Path, tmp_path: Path) -> None:
    run("scan", town / "accesses.parquet", "-w", town / "workspace", "--report", tmp_path / "report.html")
    page = (tmp_path / "report.html").read_text(encoding="utf-8")
    assert page.lower().startswith("<!doctype html>")


@pytest.fixture(scope="module")
def ringed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("ringed")
    run("simulate", folder, "--listeners", "40", "--days", "6", "--recordings", "5000", "--ring", "6x80:queue")
    run("scan", folder / "accesses.parquet", "--catalogue", folder / "catalogue.parquet", "-w", folder / "workspace")
    return folder / "workspace"


def test_a_ring_is_listed_told_and_explained(ringed: Path) -> None:
    (told,) = [json.loads(line) for line in run("rings", "-w", ringed, "--json").splitlines()]
    assert told["kind"] == "ring"
    assert {"ring", "accounts", "bits", "because"} <= set(told)
    assert told["ring"] in run("rings", "-w", ringed)
    shown = run("explain", "ring", told["ring"], "-w", ringed)
    assert "nobody: each account is restrained by its own bits alone" in " ".join(shown.split())
    explained = json.loads(run("explain", "ring", told["ring"], "-w", ringed, "--json"))
    assert sum(step["bits"] for step in explained["waterfall"]) == explained["bits"]
    assert {row["account"] for row in explained["accounts"]} == set(told["accounts"])
    lines = [json.loads(line) for line in run("accounts", "-w", ringed, "--json").splitlines()]
    assert {line["ring"] for line in lines if line["account"] in told["accounts"]} == {told["ring"]}


def test_a_queue_is_ranked_and_promises_nothing_about_an_account(ringed: Path) -> None:
    lines = [json.loads(line) for line in run("accounts", "-w", ringed, "--queue", "--json").splitlines()]
    assert len(lines) >= 6
    assert [line["listed_at"] for line in lines] == sorted(line["listed_at"] for line in lines)
    assert "nothing acts on it" in " ".join(run("accounts", "-w", ringed, "--queue").split())


def test_a_workspace_without_rings_says_so(town: Path) -> None:
    assert "No ring was found" in run("rings", "-w", town / "workspace")


def test_an_old_log_is_judged_as_of_its_own_time(town: Path, tmp_path: Path) -> None:
    out = run("scan", town / "accesses.parquet", "-w", tmp_path / "w", "--as-of", "2026-03-10", "--json")
    lines = [json.loads(line) for line in out.splitlines()]
    assert {line["since"][:10] for line in lines if line["kind"] == "account"} == {"2026-03-10"}
    assert run("hold", "list", "-w", tmp_path / "w", "--json") == ""


MISTAKES = {
    "a log that is not there": (["scan", "/nowhere/access.log"], "does not exist"),
    "a map without a column": (["scan", "x", "--map", "account"], "wanted FIELD=COLUMN"),
    "a workspace without a scan": (["accounts", "-w", "."], "has no scan"),
    "a ring in another form": (["simulate", "out", "--ring", "many"], "ring `many`"),
    "a list of the honest that is not there": (["audit", "--honest", "nofile"], "`nofile` cannot be read"),
    "a rate that is no share": (["accounts", "-w", ".", "--queue", "--rate", "2"], "wanted a share between 0 and 1"),
    "a time that is none": (["scan", "x", "--as-of", "yesterday"], "`yesterday` is no time"),
    "a ring by no name": (["explain", "ring", "x", "-w", "."], "`x` is no name of a ring"),
    "a workspace that is not there": (["hold", "release", "u-1", "--person", "a", "--reason", "b"], "no workspace at"),
}


@pytest.mark.parametrize(("words", "message"), MISTAKES.values(), ids=MISTAKES.keys())
def test_a_mistake_is_one_message_and_exit_code_2(
    words: list[str], message: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("sys.argv", ["riparian", *words])
    with pytest.raises(SystemExit) as ended:
        main()
    assert ended.value.code == 2
    told = capsys.readouterr().err
    assert told.startswith("riparian: ")
    assert message in told


def test_an_error_that_nobody_foresaw_is_not_hidden() -> None:
    def surprise() -> None:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        exit_with(surprise)
