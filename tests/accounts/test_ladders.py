"""Ladders: bits are log2 of the declared share, never more, and every explanation adds up."""

import numpy as np
import pyarrow as pa
import pytest

from riparian.accounts.ladders import REACHED, Ladder, answers, explain, levels_table
from riparian.accounts.people import People
from riparian.evidence import DEVICES
from riparian.schema import DAY_US

LADDERS = {
    "shared": Ladder(0.5, "accounts on a device", np.array([2, 9]), np.array([0.25, 2.0**-20])),
    "changed": Ladder(0.5, "devices in a month", np.array([5]), np.array([2.0**-10])),
}


def levels(name: str, rows: dict[int, tuple[int, int, int]]) -> pa.Table:
    reached = np.array([(level, day, rung) for level, rung, day in rows.values()], REACHED)
    return levels_table(name, np.array(list(rows), np.uint64), reached)


FOUND = pa.concat_tables(
    [
        levels("shared", {7: (3, 1, 100), 8: (40, 2, 101), 9: (1, 0, 0)}),
        levels("changed", {7: (6, 1, 102), 8: (5, 1, 90)}),
    ]
)


def test_an_account_has_the_bits_of_its_best_rung_less_the_price() -> None:
    found = answers(DEVICES, FOUND, LADDERS)
    assert found.select(["account", "bits", "reached_us"]).to_pylist() == [
        {"account": 7, "bits": 9.0, "reached_us": 103 * DAY_US},
        {"account": 8, "bits": 19.0, "reached_us": 102 * DAY_US},
    ]


def test_an_empty_table_and_no_ladders_answer_nothing() -> None:
    assert len(answers(DEVICES, FOUND.slice(0, 0), LADDERS)) == 0
    assert len(answers(DEVICES, FOUND, {})) == 0


@pytest.mark.parametrize("account", [7, 8])
def test_an_explanation_is_worth_what_the_answer_says(account: int) -> None:
    told = explain(DEVICES, account, FOUND, LADDERS, "1")
    found = answers(DEVICES, FOUND, LADDERS)
    row = found.filter(pa.compute.equal(found["account"], account))
    assert (told.bits, told.reached_us) == (row["bits"][0].as_py(), row["reached_us"][0].as_py())
    assert sum(r.bits for r in told.waterfall) == told.bits


def test_who_is_on_no_rung_cannot_be_explained() -> None:
    with pytest.raises(ValueError, match="has reached no rung"):
        explain(DEVICES, 9, FOUND, LADDERS, "1")


def test_the_shipped_ladders_promise_no_more_than_they_declare(people: People) -> None:
    """Honest accounts drawn from the declared shares themselves cross b bits with chance at most 2**-b."""
    rng = np.random.default_rng(5)
    n = 400_000
    for ladders in people.ladders.values():
        best = np.full(n, -np.inf)
        for ladder in ladders.values():
            rung = np.searchsorted(-ladder.shares, -rng.random(n), side="right")
            bits = np.array([ladder.bits(r) + ladder.price for r in range(len(ladder.shares) + 1)])
            best = np.maximum(best, np.where(rung > 0, bits[rung], -np.inf))
        for b in (2.0, 5.0, 8.0):
            assert (best >= b).mean() <= 2.0**-b + 4 * np.sqrt(2.0**-b / n)
