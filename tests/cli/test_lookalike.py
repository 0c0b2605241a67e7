"""``riparian lookalike``, from a list to what looks alike in it."""

import gzip
import json
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from riparian.cli import app
from riparian.errors import CustodyError, InputError

LIST = "# new today\n1,reedwave-royalties.com\n2,reedwave.com\n0.0.0.0 login.rеedwave.net\nriver.example\n"  # noqa: RUF001


def _run(*words: str, code: int = 0) -> list[dict[str, Any]]:
    result = CliRunner().invoke(app, ["lookalike", *words, "--json"], catch_exceptions=False)
    assert result.exit_code == code, result.output
    return [json.loads(line) for line in result.stdout.splitlines()]


def test_what_looks_like_a_name_is_found_in_any_list(tmp_path: Path) -> None:
    plain, packed = tmp_path / "list.csv", tmp_path / "list.txt.gz"
    plain.write_text(LIST, encoding="utf-8")
    packed.write_bytes(gzip.compress(LIST.encode()))
    place = ("-w", str(tmp_path / "w"))
    _run("index", *place, code=1)
    _run("index", "--name", "reedwave", "--own", "reedwave.com", "--pass", "known.example", *place)
    (kept,) = _run("index", *place)
    assert (kept["name"], kept["domains"]) == ("reedwave", ["reedwave.com"])
    *found, summary = _run("check", str(plain), str(packed), *place)
    assert [one["domain"] for one in found] == ["reedwave-royalties.com", "login.rеedwave.net"] * 2  # noqa: RUF001
    assert summary == {"kind": "summary", "domains": 8, "lookalikes": 4}


def test_people_are_told_how(tmp_path: Path) -> None:
    file = tmp_path / "list.txt"
    file.write_text(LIST, encoding="utf-8")
    words = ["lookalike", "check", str(file), "--name", "reedwave", "-w", str(tmp_path / "w")]
    told = CliRunner().invoke(app, words, catch_exceptions=False)
    assert told.exit_code == 0
    assert "3 of 4 domains look like yours: 3 of reedwave." in told.stdout


def test_nothing_found_is_told_by_the_exit_code(tmp_path: Path) -> None:
    file = tmp_path / "list.txt"
    file.write_text("river.example\n")
    assert _run("check", str(file), "--name", "reedwave", "-w", str(tmp_path / "w"), code=1)[-1]["lookalikes"] == 0


@pytest.mark.parametrize(
    ("kept", "words", "error"),
    [
        pytest.param(None, ("check", "missing.txt", "--name", "reed"), InputError, id="no such list"),
        pytest.param(None, ("check", "missing.txt"), InputError, id="no name"),
        pytest.param(None, ("index", "--name", "Reed & Quay"), InputError, id="a name that is none"),
        pytest.param("{", ("index",), CustodyError, id="a damaged file"),
        pytest.param('{"version": 9}', ("index",), CustodyError, id="another version"),
    ],
)
def test_what_cannot_be_done_is_said(tmp_path: Path, kept: str | None, words: tuple[str, ...], error: type) -> None:
    if kept is not None:
        (tmp_path / "lookalikes.json").write_text(kept)
    with pytest.raises(error, match="wanted"):
        CliRunner().invoke(app, ["lookalike", *words, "-w", str(tmp_path)], catch_exceptions=False)
