"""A catalogue is planted, issued to tenants, leaks, and is traced."""

import json
from pathlib import Path

import polars as pl
import pytest
from typer.testing import CliRunner, Result

from riparian.cli import app
from riparian.metadata.canaries.code import CanaryKey
from tests.metadata.lists import table

TENANTS = [f"partner-{i}" for i in range(6)]


def run(*said: str) -> Result:
    return CliRunner().invoke(app, ["canary", *said])


def told(*said: str) -> list[dict[str, object]]:
    return [json.loads(line) for line in run(*said, "--json").stdout.splitlines()]


@pytest.fixture(scope="module")
def workspace(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Catalogue, planted and issued to six."""
    folder = tmp_path_factory.mktemp("canaries")
    pl.DataFrame(table(2_000)).write_csv(folder / "catalogue.csv")
    ws = folder / "w"
    added = CliRunner().invoke(app, ["catalogue", "add", str(folder / "catalogue.csv"), "-w", str(ws)])
    assert added.exit_code == 0, added.output
    planted = run("plant", "--every-label", "--registrant", "QZ9ZZ", "--rows", "50", "-w", str(ws))
    assert planted.exit_code == 0, planted.output
    for tenant in TENANTS:
        issued = run("export", str(folder / f"{tenant}.csv"), "--to", tenant, "--purpose", "partner", "-w", str(ws))
        assert issued.exit_code == 0, issued.output
    return ws


def leak(workspace: Path, tenant: str, rows: int = 400) -> Path:
    """Leak some of a tenant's list: no identifiers, whole seconds, another order."""
    found = pl.read_csv(workspace.parent / f"{tenant}.csv").sample(rows, seed=3)
    path = workspace.parent / "leak.csv"
    found.select("title", "artist", "album", seconds=pl.col("duration_ms") // 1000).write_csv(path)
    return path


@pytest.mark.slow
def test_a_list_that_leaked_is_traced_to_whom_it_was_issued(workspace: Path) -> None:
    path = leak(workspace, "partner-3")
    found = told("trace", str(path), "-w", str(workspace))
    assert [one["tenant"] for one in found if one["kind"] == "derived"] == ["partner-3"]
    (read,) = [one for one in found if one["kind"] == "read"]
    assert read["durations"] == "cut off to seconds"
    shown = run("trace", str(path), "-w", str(workspace))
    assert shown.exit_code == 0
    assert "partner-3" in shown.stdout
    assert "Issued is not accused" in shown.stdout


@pytest.mark.slow
def test_the_catalogue_itself_is_traced_to_nobody(workspace: Path) -> None:
    found = run("trace", str(workspace.parent / "catalogue.csv"), "-w", str(workspace))
    assert found.exit_code == 1
    assert "nobody that can be named" in found.stdout


@pytest.mark.parametrize("purpose", ["royalties", "reporting", "charts", "registration"])
def test_a_list_that_pays_or_reports_is_refused(purpose: str, workspace: Path) -> None:
    out = workspace.parent / "refused.csv"
    refused = run("export", str(out), "--to", "x", "--purpose", purpose, "-w", str(workspace))
    assert "pays or reports" in str(refused.exception)
    assert not out.exists()
    assert told("keys", "-w", str(workspace))[0]["lists"] == len(TENANTS)


def test_rows_that_stand_for_nothing_are_listed_for_those_who_leave_them_out(workspace: Path) -> None:
    out = workspace.parent / "nothing.csv"
    assert run("rows", str(out), "-w", str(workspace)).exit_code == 0
    found = pl.read_csv(out)
    assert found.height == 50
    assert found["isrc"].str.starts_with("QZ9ZZ").all()


SAID_WRONG = {
    "nobody agreed": (("plant", "--rows", "0"), "who agreed"),
    "both agreed and not": (("plant", "--every-label", "--label", "North"), "who agreed"),
    "no registrant": (("plant", "--every-label"), "no `--registrant`"),
    "no table": (("export", "list.doc", "--to", "a", "--purpose", "partner"), "ends in none of"),
    "an epoch that is not over": (("reveal", "1"), "wanted one that is over"),
    "no such epoch": (("reveal", "7"), "no epoch 7"),
}


@pytest.mark.parametrize("situation", SAID_WRONG)
def test_what_cannot_be_meant_is_said_clearly(situation: str, workspace: Path) -> None:
    said, message = SAID_WRONG[situation]
    assert message in str(run(*said, "-w", str(workspace)).exception)


def test_a_key_is_revealed_after_its_epoch_and_fits_its_commitment(tmp_path: Path) -> None:
    ws = tmp_path / "w"
    pl.DataFrame(table(50)).write_csv(tmp_path / "catalogue.csv")
    CliRunner().invoke(app, ["catalogue", "add", str(tmp_path / "catalogue.csv"), "-w", str(ws)])
    assert run("plant", "--label", "North", "--rows", "0", "-w", str(ws)).exit_code == 0
    assert run("rotate", "-w", str(ws)).exit_code == 0
    first, second = told("keys", "-w", str(ws))[:2]
    revealed = json.loads(run("reveal", "1", "-w", str(ws)).stdout)
    assert CanaryKey(bytes.fromhex(revealed["secret"]), 1).commitment == revealed["commitment"] == first["commitment"]
    assert second["commitment"] != first["commitment"]
    refused = run("export", str(tmp_path / "a.csv"), "--to", "a", "--purpose", "review", "-w", str(ws))
    assert "nothing was planted in epoch 2" in str(refused.exception)
