"""The page of the last exercise: what `riparian replay` kept, its picture, and that nothing it says runs."""

import json
import re
from pathlib import Path
from typing import Any

import pytest

from riparian.assembly import Given
from riparian.console.site import console_app
from tests.console.asking import Browser
from tests.console.hostile import HARM, harm_in, run
from tests.console.known import Known

FILE = """
listeners = 12
days = 4
strategies = ["bulk"]
kinship = false

[[strategy]]
name = {name}
kind = "free"
accounts = 2
order = "artists"
"""


@pytest.fixture(scope="module")
def rehearsed(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, list[dict[str, Any]]]:
    """Hand out a workspace with an exercise, and the lines that it was told in."""
    folder = tmp_path_factory.mktemp("exercise")
    (folder / "mine.toml").write_text(FILE.format(name=json.dumps(HARM[0].format("x"))))
    (folder / "workspace").mkdir()
    words = ("--seed", "3", "--search", "0", "--json", "--workspace", folder / "workspace")
    return folder / "workspace", [json.loads(line) for line in run("replay", folder / "mine.toml", *words).splitlines()]


@pytest.fixture
def spare(rehearsed: tuple[Path, list[dict[str, Any]]], tmp_path: Path) -> Path:
    (tmp_path / "exercise.json").write_bytes((rehearsed[0] / "exercise.json").read_bytes())
    return tmp_path


def opened(workspace: Path) -> Browser:
    return Browser(console_app(Given(workspace), Known()))


def changed(workspace: Path, **what: Any) -> None:
    file = workspace / "exercise.json"
    file.write_text(json.dumps({**json.loads(file.read_text()), **what}))


def test_the_page_says_what_the_command_said(rehearsed: tuple[Path, list[dict[str, Any]]]) -> None:
    workspace, told = rehearsed
    facts = opened(workspace).get("/exercise?json").json()
    copiers = [{name: one for name, one in row.items() if name != "called"} for row in facts["copiers"]]
    listed = [facts["people"], *copiers, *facts["limits"], *facts["curve"]]
    assert listed == told
    assert facts["exercise"]["seed"] == 3
    assert facts["recompute"].endswith(f"--seed=3 --days=4 --listeners=12 --search=0 --workspace {workspace}")
    assert facts["differs"] == []


def test_the_page_has_its_picture_twice_and_a_table_for_whoever_does_not_see_it(
    rehearsed: tuple[Path, list[dict[str, Any]]],
) -> None:
    text = opened(rehearsed[0]).get("/exercise", headers={"as": "viewer"}).text
    assert [text.count(f'<svg class="figure {kind}"') for kind in ("wide", "narrow")] == [1, 1]
    assert len(set(re.findall(r'<title id="([^"]+)"', text))) == 2
    assert "What a copier pays, strategy by strategy" in text
    assert harm_in(text) == []
    assert "&lt;script&gt;" in text


def test_another_policy_than_the_one_in_force_is_said(spare: Path) -> None:
    (spare / "policy.toml").write_text('novelty_per_day = 20\nmode = "enforce"\n')
    facts = opened(spare).get("/exercise?json").json()
    assert facts["differs"] == [{"name": "novelty_per_day", "now": 20, "proposed": 40}]
    assert "Another policy:" in opened(spare).get("/exercise").text


def test_what_is_never_reached_is_said_so(spare: Path) -> None:
    lines = json.loads((spare / "exercise.json").read_text())["lines"]
    never = [
        {**line, "usd_per_1000": None, "times_limit": None} if line["kind"] == "strategy" else line for line in lines
    ]
    changed(spare, lines=never)
    assert ">never<" in opened(spare).get("/exercise").text


@pytest.mark.parametrize(
    "text",
    ["", "{", "[]", "{}", '{"lines": []}'],
    ids=["empty", "no JSON", "a list", "nothing in it", "half of it"],
)
def test_what_is_no_exercise_is_refused(tmp_path: Path, text: str) -> None:
    (tmp_path / "exercise.json").write_text(text)
    answer = opened(tmp_path).get("/exercise", headers={"accept": "application/json"})
    assert (answer.status_code, "is no exercise" in answer.json()["found"]) == (404, True)


def test_where_nothing_was_rehearsed_the_page_says_how(tmp_path: Path) -> None:
    answer = opened(tmp_path).get("/exercise")
    assert (answer.status_code, "No exercise is kept here yet" in answer.text) == (200, True)
    assert f"riparian replay default --workspace {tmp_path}" in answer.text


def test_a_folder_that_is_none_is_not_made(tmp_path: Path) -> None:
    (tmp_path / "mine.toml").write_text(FILE.format(name='"mine"'))
    run("replay", tmp_path / "mine.toml", "--days", "1", "--search", "0", "--workspace", tmp_path / "none")
    assert not (tmp_path / "none").exists()
