"""Nobody is kept for longer than it takes, and what the machine decided about people is on record."""

import csv
import json
import shutil
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from riparian import assembly
from riparian.cli import app
from riparian.codes import code_of_label
from riparian.errors import InputError, LifecycleError
from riparian.evidence import PERSON
from riparian.flows.recorded import COLUMNS
from riparian.gate.admit import Kind
from riparian.marks.code import Tier
from riparian.marks.grants import Grant, Version
from riparian.marks.layout import Layout
from riparian.stores.grants import SqlGrants

pytestmark = pytest.mark.slow

VERSION = Version("r-1", "m" * 64, 1, Layout.at(44_100, 16), Tier.ONE, 1.0)
ADA = ("--person", "Ada", "--reason", "=HYPERLINK(1)\nunder review")
BEN = ("--person", "Ben", "--reason", "looked at all of it")
CLEO = ("--person", "Cleo", "--reason", "a radio editor")


def run(*words: str | Path) -> str:
    ended = CliRunner().invoke(app, [str(word) for word in words])
    if ended.exception is not None and not isinstance(ended.exception, SystemExit):
        raise ended.exception
    assert ended.exit_code == 0, ended.output
    return ended.stdout


def told(workspace: Path, *words: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in run(*words, "--json", "-w", workspace).splitlines()]


@pytest.fixture(scope="module")
def scanned(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("town")
    run("simulate", folder, "--listeners", "40", "--days", "8", "--recordings", "5000", "--ring", "1x300:queue")
    workspace = folder / "w"
    workspace.mkdir()
    (workspace / "policy.toml").write_text('mode = "enforce"\n')
    tables: list[str | Path] = ["--catalogue", folder / "catalogue.parquet", "--accounts", folder / "accounts.parquet"]
    run("scan", folder / "accesses.parquet", *tables, "-w", workspace)
    return workspace


@pytest.fixture
def workspace(scanned: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(scanned, tmp_path / "w"))


def copier_of(workspace: Path) -> dict[str, Any]:
    (line,) = told(workspace, "hold", "list")
    return line


# --- the record of decisions ---------------------------------------------------------------------------------------


def test_what_the_machine_decided_is_on_record_with_its_logic_and_what_people_did(workspace: Path) -> None:
    line = copier_of(workspace)
    (row,) = told(workspace, "hold", "record")
    assert row["account"] == line["pseudonym"]
    assert (row["action"], row["applied"], row["claim"], row["null"]) == ("hold", True, "person", PERSON.null)
    assert (row["outcome"], row["reviewed"], row["review"]) == ("goes on", False, [])
    assert row["because"] == line["because"][0]
    assert row["bits_wanted"] == pytest.approx(line["threshold_bits"], abs=1e-3)
    assert row["tolerated_a_year"] == 2.0

    run("hold", "extend", line["account"], *ADA, "-w", workspace)
    run("hold", "appeal", line["account"], "--text", "I run a show", "-w", workspace)
    run("hold", "review", line["account"], "--reinstate", *CLEO, "-w", workspace)
    (row,) = told(workspace, "hold", "record", "--names")
    assert row["account"] == line["account"]
    assert [(one["step"], one["by"]) for one in row["review"]] == [
        ("extended", "Ada"),
        ("appealed", "the listener"),
        ("reinstated", "Cleo"),
    ]
    assert (row["outcome"], row["reviewed"]) == ("taken back by a person, after an appeal", True)
    assert told(workspace, "hold", "record", "--until", row["decided_at"]) == []
    assert len(told(workspace, "hold", "record", "--since", row["decided_at"])) == 1


def test_the_record_is_a_table_that_no_spreadsheet_runs(workspace: Path, tmp_path: Path) -> None:
    line, file = copier_of(workspace), tmp_path / "record.csv"
    run("hold", "release", line["account"], *ADA, "-w", workspace)
    run("hold", "record", "--csv", file, "-w", workspace)
    with file.open(encoding="utf-8", newline="") as opened:
        head, row = csv.reader(opened)
    assert tuple(head) == COLUMNS
    assert not [cell for cell in row if cell.startswith(("=", "+", "-", "@"))]
    assert line["account"] not in file.read_text(encoding="utf-8")
    assert file.stat().st_mode & 0o077 == 0
    with pytest.raises(InputError, match="is there already"):
        run("hold", "record", "--csv", file, "-w", workspace)
    with pytest.raises(InputError, match="cannot be written"):
        run("hold", "record", "--csv", tmp_path / "no" / "file.csv", "-w", workspace)


def test_where_nothing_was_decided_the_record_says_so(tmp_path: Path) -> None:
    assert "decided nothing" in run("hold", "record", "-w", tmp_path)
    assert told(tmp_path, "hold", "record") == []


# --- retention -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("words", "found"),
    [
        pytest.param([], "no days are named", id="no days anywhere"),
        pytest.param(["--older-than", "0"], "`--older-than` is 0", id="no days at all"),
        pytest.param(["--older-than", "1", "--yes"], "wanted no more than half", id="nearly everybody"),
    ],
)
def test_what_would_forget_too_many_or_says_no_time_is_refused(workspace: Path, words: list[str], found: str) -> None:
    with pytest.raises(InputError, match=found):
        run("retain", *words, "-w", workspace)
    assert copier_of(workspace)


def test_who_has_been_silent_is_forgotten_everywhere_and_the_chains_hold(workspace: Path) -> None:
    (workspace / "policy.toml").write_text('mode = "enforce"\nforget_after_days = 3\n')
    (workspace / "edge.toml").write_text('[[route]]\npath = "/media/{recording}/**"\nkind = "media"\n')
    copier, (before,) = copier_of(workspace), told(workspace, "retain")
    assert (before["done"], before["accounts"], before["of"]) == (False, 40, 41)
    assert before["kept"] == {"restrained now": 1}
    names = [f"u-{n}" for n in range(3)]
    with assembly.opened(assembly.Given(workspace)) as world:
        (bucket,) = [b for b in range(64) if (t := world.tallies.load(b)) is not None and len(t["accounts"])][:1]
        tally = world.tallies.load(bucket)
        assert tally is not None
        gone = int(tally["accounts"][tally["accounts"] != code_of_label(copier["pseudonym"])][0])
        (name,) = [each for each in world.vault.ids_of(tally["accounts"]) if world.vault.code_of(str(each)) == gone]
    grants = SqlGrants(workspace)
    issued = Grant(str(name), VERSION, 1_000, "mp3", "mp3", "c" * 64, "/r-1.wav", "", "")
    grants.add(issued, *(Grant(each, VERSION, 1_000, "mp3", "mp3", "d" * 64, "/r-1.wav", "", "") for each in names))
    n, head = grants.verify()
    grants.close()
    wire, kept = assembly.gate(assembly.Given(workspace), shard=(0, 1))
    wire.door.gate.admit(gone, 17, Kind.MEDIA, 0)
    kept.write()
    with pytest.raises(LifecycleError, match="in use by a gate that runs"):
        run("retain", "--yes", "--many", "-w", workspace)
    kept.close()

    (after,) = told(workspace, "retain", "--yes", "--many")
    assert (after["done"], after["accounts"]) == (True, 40)
    assert any("backups" in sentence for sentence in after["stays"])
    assert copier_of(workspace)["account"] == copier["account"]
    (again,) = told(workspace, "retain")
    assert (again["accounts"], again["of"], again["kept"]) == (0, 1, {"restrained now": 1})
    grants = SqlGrants(workspace)
    assert not grants.knows(str(name))
    assert all(grants.knows(each) for each in names), "of whom no scan knows"
    assert grants.verify(head)[0] == n + 1
    grants.close()
    marks = str(name).encode(), gone.to_bytes(8, "little")
    for file in workspace.rglob("*"):
        wanted = (*marks, gone.to_bytes(8, "big")) if file.suffix == ".sqlite" else marks
        assert not file.is_file() or not any(mark in file.read_bytes() for mark in wanted), file


def test_who_was_ended_or_waits_is_kept_whatever_the_age(workspace: Path) -> None:
    copier = copier_of(workspace)["account"]
    run("hold", "end", copier, *ADA, "-w", workspace)
    (found,) = told(workspace, "retain", "--older-than", "1")
    assert found["kept"] == {"waits for a person": 1}
    run("hold", "approve", copier, *BEN, "-w", workspace)
    (found,) = told(workspace, "retain", "--older-than", "1", "--yes", "--many")
    assert (found["accounts"], found["kept"]) == (40, {"ended by people": 1})
    assert copier_of(workspace)["action"] == "end"


def test_who_was_let_go_is_kept_as_long_as_anybody_else(workspace: Path) -> None:
    run("hold", "release", copier_of(workspace)["account"], *ADA, "-w", workspace)
    (found,) = told(workspace, "retain", "--older-than", "1")
    assert (found["accounts"], found["kept"]) == (40, {"something was done about it since": 1})
