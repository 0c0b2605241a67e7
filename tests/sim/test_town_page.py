"""The page on the town says what the code does."""

import doctest
import re
from pathlib import Path

from riparian.sim.personas import PERSONAS
from riparian.sim.worlds import WORLDS

PAGE = Path(__file__).parents[2] / "docs" / "explain" / "town.md"


def rows(heading: str) -> list[list[str]]:
    part = PAGE.read_text(encoding="utf-8").split(f"## {heading}\n")[1].split("\n## ")[0]
    cells = [re.split(r"\s*\|\s*", line.strip("| ")) for line in part.splitlines() if line.startswith("|")]
    return cells[2:]


def test_the_table_of_personas_is_the_one_in_the_code() -> None:
    declared = [[p.name, f"{p.share:g}" if p.share else "the rest", p.why] for p in PERSONAS if p.name != "night-shop"]
    assert rows("Where the people come from") == declared


def test_the_table_of_worlds_is_the_one_in_the_code() -> None:
    assert rows("Worlds that the null does not contain") == [[w.name, w.why] for w in WORLDS.values()]


def test_the_example_runs() -> None:
    failed, tried = doctest.testfile(str(PAGE), module_relative=False)
    assert tried
    assert not failed
