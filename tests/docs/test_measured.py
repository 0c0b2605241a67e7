"""The pages of measurements say what the tables of docs/bench say, and nothing else."""

import csv
import re
from pathlib import Path

import pytest

from docs import tables

PAGES = {page.name: page.read_text(encoding="utf-8") for page in tables.pages()}


@pytest.mark.parametrize("page", PAGES)
def test_a_committed_page_is_what_the_tables_say_now(page: str) -> None:
    assert tables.filled(PAGES[page], tables.BENCH) == PAGES[page], "run `make docs`"


def test_every_table_of_the_folder_is_on_a_page() -> None:
    shown = set(re.findall(r"<!-- table (\S+)\s", "".join(PAGES.values())))
    assert {path.name for path in tables.BENCH.glob("*.csv")} <= shown


def test_every_program_that_is_named_exists() -> None:
    named = re.findall(r"python (bench/\w+\.py)", "".join(PAGES.values()))
    assert named
    assert [name for name in named if not (tables.HERE.parent / name).exists()] == []


def test_a_table_that_was_never_measured_says_so(tmp_path: Path) -> None:
    text = tables.filled("<!-- table none.csv | a: {a} -->\n<!-- end of table -->", tmp_path)
    assert tables.NOT_YET in text


def test_a_table_is_filled_row_by_row_and_filling_it_again_changes_nothing(tmp_path: Path) -> None:
    with (tmp_path / "x.csv").open("w", newline="") as file:
        csv.writer(file).writerows([["who", "leaked", "day"], ["a", "12345", "never"], ["b", "7", "2"]])
    text = "before\n<!-- table x.csv | who: {who} | got: {leaked} ({day}) -->\n<!-- end of table -->\nafter"
    once = tables.filled(text, tmp_path)
    assert "| who | got |\n| --- | --: |\n| a | 12,345 (never) |\n| b | 7 (2) |\n" in once
    assert once.startswith("before")
    assert once.endswith("after")
    assert tables.filled(once, tmp_path) == once
