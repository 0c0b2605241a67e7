"""``riparian replay`` as an operator types it."""

import json
import re
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from riparian.accounts.people import People
from riparian.cli import app
from riparian.cli.exercising import run as exercised
from riparian.console.exercise import page
from riparian.errors import InputError, PolicyError
from riparian.gate.economics import Kind
from riparian.sim.exercises import Exercise
from riparian.sim.strategies import Strategy

runner = CliRunner()
FILE = """
listeners = 20
days = 8
strategies = ["bulk", "trials"]
kinship = false

[prices]
month = 9.0

[[strategy]]
name = "mine <b>"
kind = "free"
accounts = 2
order = "artists"
"""


@pytest.fixture(scope="module")
def told(people: People) -> list[dict[str, Any]]:
    plans = (Strategy("bulk", accounts=2, per_day=500), Strategy("mine <b>", kind=Kind.FREE, accounts=2, order="list"))
    exercise = Exercise("tiny", listeners=15, days=6, strategies=plans, kinship=False)
    return exercised(exercise, people, seed=1, plans=8, progress=lambda *_: None).lines


def test_a_file_is_rehearsed_and_told_line_by_line(tmp_path: Path) -> None:
    (tmp_path / "mine.toml").write_text(FILE)
    words = ["replay", str(tmp_path / "mine.toml"), "--json", "--search", "0", "--report", str(tmp_path / "page.html")]
    ended = runner.invoke(app, words)
    assert ended.exit_code == 0, ended.output
    lines = [json.loads(line) for line in ended.stdout.splitlines()]
    assert [line["strategy"] for line in lines if line["kind"] == "strategy"] == ["bulk", "trials", "mine <b>"]
    assert {line["kind"] for line in lines} == {"people", "strategy", "limit", "policy"}
    assert lines[0]["listeners"] == 20
    written = (tmp_path / "page.html").read_text()
    assert "mine &lt;b&gt;" in written
    assert "mine <b>" not in written


@pytest.mark.slow
def test_people_get_tables_and_sentences() -> None:
    ended = runner.invoke(app, ["replay", "bulk", "--days", "4", "--listeners", "10", "--search", "0"])
    assert ended.exit_code == 0, ended.output
    assert "bulk" in ended.stdout
    assert "of 10 listeners whose account nobody stole 0 were held" in " ".join(ended.stdout.split())


@pytest.mark.slow
def test_the_search_comes_to_plans_that_are_rehearsed(told: list[dict[str, Any]]) -> None:
    best = [line for line in told if line["kind"] == "best"]
    assert {line["accounts_are"] for line in best} == set(Kind)
    for line in best:
        assert line["plan"]["kind"] == line["accounts_are"]
        assert line["plans_tried"] == 8
        assert line["opened"] >= 10


@pytest.mark.slow
def test_the_page_is_whole_and_fetches_nothing(told: list[dict[str, Any]]) -> None:
    exercise = Exercise("tiny")
    written = page(told, "tiny", exercise.policy, exercise.prices, 6)
    assert "Content-Security-Policy" in written
    assert "http" not in written.replace("http-equiv", "")
    assert "<script" not in written
    for part in ("cost", "strategies", "best", "targets", "assumed"):
        assert f'<section id="{part}"' in written
    assert written.count("<svg") == 2
    assert not re.search(r"\bnan\b", written)
    for kind in Kind:
        assert f"{kind}, limit" in written


@pytest.mark.parametrize(
    ("text", "error"),
    [("days = ", PolicyError), ("lissteners = 3", PolicyError), ('strategies = ["none"]', InputError)],
    ids=["no TOML", "an unknown key", "an unknown strategy"],
)
def test_a_file_that_is_wrong_is_refused(tmp_path: Path, text: str, error: type[Exception]) -> None:
    (tmp_path / "x.toml").write_text(text)
    ended = runner.invoke(app, ["replay", str(tmp_path / "x.toml")])
    assert isinstance(ended.exception, error)


def test_a_name_that_nothing_has_is_refused_with_those_that_there_are() -> None:
    ended = runner.invoke(app, ["replay", "no such exercise"])
    assert isinstance(ended.exception, InputError)
    assert "free tier" in str(ended.exception)
