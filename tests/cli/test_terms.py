"""``riparian terms``, from a row that a person enters to a proof that somebody else verifies."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile
from typer.testing import CliRunner

from riparian.cli import app
from riparian.errors import CustodyError, InputError
from riparian.stores.terms_keys import CHAIN

LAYOUT = "/tracks/{recording}"


def _run(*words: str, code: int = 0) -> list[dict[str, Any]]:
    result = CliRunner().invoke(app, ["terms", *words, "--json"], catch_exceptions=False)
    assert result.exit_code == code, result.output
    return [json.loads(line) for line in result.stdout.splitlines()]


@pytest.fixture
def workspace(tmp_path: Path) -> str:
    table = tmp_path / "catalogue.csv"
    table.write_text(
        "recording,title,artist,label,isrc\nr-1,Harbour,Ann,Reed Records,GBABC1200001\nr-2,Bank,Bo,North,\n"
    )
    place = str(tmp_path / "workspace")
    result = CliRunner().invoke(app, ["catalogue", "add", str(table), "-w", place], catch_exceptions=False)
    assert result.exit_code == 0, result.output
    return place


def _stances(workspace: str, *words: str) -> dict[str, tuple[str, str | None]]:
    return {one["use"]: (one["stance"], one["document"]) for one in _run("show", "-w", workspace, *words)}


def test_what_is_entered_is_told_with_its_document_and_can_be_taken_back(workspace: str) -> None:
    assert {stance for stance, _ in _stances(workspace).values()} == {"reserved"}
    _run("add", "permitted", "search", "--all", "--document", "policy.pdf", "-w", workspace)
    (row,) = _run("add", "permitted", "train", "--label", "reed records", "--document", "deal.pdf", "-w", workspace)
    assert _stances(workspace, "--recording", "r-1")["train"] == ("permitted", "deal.pdf")
    assert _stances(workspace, "--recording", "r-2")["train"] == ("reserved", None)
    _run("take-back", row["digest"][:10], "--document", "letter.eml", "-w", workspace)
    assert _stances(workspace, "--recording", "r-1")["train"] == ("reserved", None)


def test_bounds_of_a_row_are_kept(workspace: str) -> None:
    words = ["--recording", "r-1", "--in", "de, FR", "--from", "2026-01-01", "--until", "2027-01-01", "--to", "Third"]
    _run("add", "permitted", "train", *words, "--document", "deal.pdf", "-w", workspace)
    asked = ["--recording", "r-1", "--use", "train", "--on", "2026-06-01", "--to", "third"]
    assert _stances(workspace, *asked, "--in", "DE")["train"][0] == "permitted"
    assert _stances(workspace, *asked, "--in", "US")["train"][0] == "reserved"
    assert _stances(workspace, *asked[:-2], "--in", "DE")["train"][0] == "reserved"


def test_a_site_says_what_the_ledger_decides_and_is_told_when_it_does_not(workspace: str, tmp_path: Path) -> None:
    folder = tmp_path / "site"
    _run("add", "permitted", "search", "--all", "--document", "policy.pdf", "-w", workspace)
    _run("add", "reserved", "search", "--recording", "r-1", "--document", "letter.eml", "-w", workspace)
    words = [
        "--site",
        "https://music.example",
        "--path",
        LAYOUT,
        "--holder",
        "Reed",
        "--contact",
        "rights@music.example",
    ]
    (emitted,) = _run("emit", "--to", str(folder), *words, "-w", workspace)
    assert emitted["recordings"] == 1
    assert _run("check", str(folder), "--path", LAYOUT, "-w", workspace)[-1]["contradictions"] == 0
    robots = folder / "robots.txt"
    robots.write_text(robots.read_text().replace("search=n", "search=y"))
    *found, summary = _run("check", str(folder), "--path", LAYOUT, "-w", workspace, code=1)
    assert {one["reserves"]["channel"] for one in found} >= {"ledger", "RSL", "header Content-Usage"}
    assert {one["path"] for one in found} == {"/tracks/r-1"}
    assert summary["faults"] == 0


def test_an_address_is_asked_only_by_permission() -> None:
    with pytest.raises(InputError, match="wanted who permits"):
        CliRunner().invoke(app, ["terms", "check", "https://music.example"], catch_exceptions=False)


def test_a_day_is_proven_to_somebody_who_has_only_the_file(workspace: str, tmp_path: Path) -> None:
    _run("add", "reserved", "train", "--all", "--document", "policy.pdf", "-w", workspace)
    site = tmp_path / "site"
    _run("emit", "--to", str(site), "--site", "https://music.example", "-w", workspace)
    (first,) = _run("snapshot", "--site", str(site), "-w", workspace)
    (second,) = _run("snapshot", "-w", workspace)
    assert (first["number"], second["number"], second["added"]) == (1, 2, 0)
    assert "robots.txt" in first["files"]
    copy = tmp_path / "elsewhere.chain"
    copy.write_bytes((Path(workspace) / CHAIN).read_bytes())
    words = ["verify", str(copy), "--key", first["key"], "--head", first["head"], "--recording", "r-1"]
    chain, *told = _run(*words)
    assert (chain["entries"], chain["head"]) == (2, second["head"])
    assert {one["use"]: one["document"] for one in told}["train"] == "policy.pdf"
    copy.write_bytes(copy.read_bytes().replace(b"reserved", b"permitted"))
    with pytest.raises(CustodyError, match="is not as it was signed"):
        _run(*words)


def test_sound_is_sealed_with_what_is_decided(workspace: str, tmp_path: Path) -> None:
    _run("add", "reserved", "train", "--all", "--document", "policy.pdf", "-w", workspace)
    path, out = tmp_path / "a.wav", tmp_path / "sealed"
    soundfile.write(path, np.zeros(8_000), 8_000)
    (told,) = _run("seal", str(path), "--recording", "r-1", "--to", str(out), "-w", workspace)
    assert told["trusted"] is False
    (out / "robots.txt").write_text("User-agent: *\nContent-Usage: train-ai=y\n")
    found = _run("check", str(out), code=1)
    assert [one["reserves"]["channel"] for one in found if one["kind"] == "contradiction"] == ["cawg.training-mining"]
    with pytest.raises(InputError, match="has no recording"):
        _run("seal", str(path), "--recording", "r-9", "--to", str(tmp_path / "other"), "-w", workspace)


REFUSED = {
    "about nothing": (["permitted", "train", "--document", "x"], "nothing is named"),
    "of no document": (["permitted", "train", "--all", "--document", " "], "`--document` is empty"),
    "in no country": (["permitted", "train", "--all", "--document", "x", "--in", "Germany"], "is no country"),
    "from no day": (["permitted", "train", "--all", "--document", "x", "--from", "soon"], "is no time"),
}


@pytest.mark.parametrize("situation", REFUSED)
def test_a_row_that_says_nothing_is_refused(situation: str, tmp_path: Path) -> None:
    words, why = REFUSED[situation]
    with pytest.raises(InputError, match=why):
        _run("add", *words, "-w", str(tmp_path / "workspace"))
