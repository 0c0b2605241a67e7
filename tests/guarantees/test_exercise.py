"""The exercise, small: what the page on economics says of the shipped policy, held to it by the program behind it."""

import importlib
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from riparian.accounts.people import People
from riparian.gate.economics import Kind, Link

BENCH = Path(__file__).resolve().parents[2] / "bench"


@pytest.fixture(scope="module")
def program() -> Iterator[Any]:
    sys.path.insert(0, str(BENCH))
    yield importlib.import_module("exercise")
    sys.path.remove(str(BENCH))


TIMES_LEAST = {Kind.FREE: 11.0, Kind.TRIAL: 6.0, Kind.PAID: 4.5, Kind.STOLEN: 2.5}
"""What the cheapest plan of each kind costs, in limits of 500 a day: only a free account kept for a year is ten."""


@pytest.mark.parametrize("kind", Kind)
def test_the_cheapest_plan_costs_as_many_limits_as_the_page_says(program: Any, kind: Kind) -> None:
    ours, limit = (program.cheapest(policy, kind, Link.PAYMENT, 365) for policy in (program.DEFAULT, None))
    assert TIMES_LEAST[kind] <= ours / limit < 1.25 * TIMES_LEAST[kind]


def test_whoever_chooses_among_all_kinds_pays_ten_times_as_much(program: Any) -> None:
    best = [
        min(program.cheapest(policy, kind, Link.PAYMENT, 365) for kind in Kind) for policy in (program.DEFAULT, None)
    ]
    assert best[0] >= 10 * best[1]


@pytest.mark.slow
def test_sharing_what_is_joined_is_ten_times_as_dear_as_not_sharing_it(
    program: Any, people: People, monkeypatch: pytest.MonkeyPatch
) -> None:
    name = "sixty of everything"
    monkeypatch.setattr(program, "COMMON", {name: program.COMMON[name]})
    (row,) = program.links(people, 1, (Kind.TRIAL,))
    for link in (Link.NONE, Link.PAYMENT, Link.ANY):
        assert float(row[f"rehearsed_{link}"]) == pytest.approx(float(row[f"formula_{link}"]), rel=0.06)
    assert float(row["rehearsed_payment"]) > 8 * float(row["rehearsed_none"])
