"""A small replay of bench/guarantee_traits.py: nobody honest is held, and farms are seen as late as its table says."""

import importlib
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from riparian.accounts.people import People

pytestmark = pytest.mark.slow

BENCH = Path(__file__).resolve().parents[2] / "bench"


@pytest.fixture(scope="module")
def program() -> Iterator[Any]:
    sys.path.insert(0, str(BENCH))
    yield importlib.import_module("guarantee_traits")
    sys.path.remove(str(BENCH))


def test_nobody_honest_is_held_or_slowed_for_devices_or_places(program: Any, people: People) -> None:
    by_kind, by_rung = program.honest_rows(people, 400, 16, [7])
    rows = {row["kind"]: row for row in by_kind}
    assert all((row["held"], row["slowed"]) == (0, 0) for row in rows.values())
    assert rows["everybody"]["accounts"] == 400
    assert rows["of them, with nothing but that"]["shared"] > 1
    assert rows["an office behind one address"]["shared"] <= 5
    assert [row for row in by_rung if row["reached"] > row["allowed"] + 1] == []


FARMS = {
    "20x20:devices=2": ("devices", 12, "never"),
    "60x10:devices=1": ("devices", 10, 10),
    "5x20:churn": ("devices", "never", "never"),
    "5x200:proxies": ("places", 4, 4),
    "5x20": ("places", "never", "never"),
}
"""A farm, what sees it, the day on which that alone has 13.3 bits, and that on which the account has."""


@pytest.mark.parametrize("ring", FARMS)
def test_a_farm_is_seen_by_the_day_that_the_table_says(program: Any, people: People, ring: str) -> None:
    question, alone, in_account = FARMS[ring]
    row = program._farm_row([program._farm(ring, people, 14, 3)])
    for name, wanted in (("alone", alone), ("in_account", in_account)):
        day = row[f"{question}_{name}_day"]
        assert day == wanted if wanted == "never" else day <= wanted
