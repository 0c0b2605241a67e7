"""Every requirement of the standard is answered once, and what is named as showing it is there."""

import csv
import re
from collections import Counter
from typing import Final

import pytest

from docs import tables

ROOT: Final = tables.HERE.parent
with (tables.HERE / "security" / "asvs.csv").open(newline="", encoding="utf-8") as _file:
    ROWS: Final = list(csv.DictReader(_file))
STATES: Final = ("met", "partly", "not met", "operator's", "not ours")
STATED: Final = {
    "V1": (8, 19),
    "V2": (4, 7),
    "V3": (8, 11),
    "V4": (2, 8),
    "V5": (4, 5),
    "V6": (13, 22),
    "V7": (6, 12),
    "V8": (4, 3),
    "V9": (4, 3),
    "V10": (5, 24),
    "V11": (3, 11),
    "V12": (3, 6),
    "V13": (1, 12),
    "V14": (2, 7),
    "V15": (3, 10),
    "V16": (0, 16),
    "V17": (0, 7),
}
"""How many requirements of level 1, and of level 2, each chapter of version 5.0.0 has."""


@pytest.mark.parametrize("chapter", STATED)
def test_every_requirement_of_a_chapter_is_answered_once(chapter: str) -> None:
    found = [row for row in ROWS if row["chapter"].split()[0] == chapter]
    levels = Counter(row["level"] for row in found)
    assert (levels["1"], levels["2"]) == STATED[chapter]
    assert [row["id"] for row in found if f"V{row['id'].partition('.')[0]}" != chapter] == []


def test_rows_are_all_there_are_each_once_in_their_order() -> None:
    numbers = [tuple(int(part) for part in row["id"].split(".")) for row in ROWS]
    assert numbers == sorted(set(numbers))
    assert len(numbers) == sum(map(sum, STATED.values()))
    assert all(len(number) == 3 for number in numbers)


@pytest.mark.parametrize("row", ROWS, ids=[row["id"] for row in ROWS])
def test_what_is_said_of_a_requirement_can_be_looked_at(row: dict[str, str]) -> None:
    assert row["state"] in STATES
    assert 0 < len(row["asks"].split()) <= 12
    assert row["how"]
    named = row["where"].split()
    assert named or row["state"] not in {"met", "partly"}, "nothing shows it"
    for one in named:
        path, _, test = one.partition("::")
        assert (ROOT / path).is_file(), one
        text = (ROOT / path).read_text(encoding="utf-8") if test else ""
        assert not test or re.search(rf"^def {re.escape(test)}\(", text, re.MULTILINE), one


def test_rows_are_taken_and_counted() -> None:
    text = tables.filled(
        "<!-- table asvs.csv by chapter of state | c: {chapter} | met: {met} | all: {all} -->\n<!-- end of table -->\n"
        "<!-- table asvs.csv where state is nowhere | n: {id} -->\n<!-- end of table -->",
        tables.HERE / "security",
    )
    assert f"| V12 TLS | {sum(r['state'] == 'met' for r in ROWS if r['chapter'] == 'V12 TLS')} | 9 |" in text
    assert f"| all | {sum(row['state'] == 'met' for row in ROWS)} | 253 |" in text
    assert tables.NONE in text
