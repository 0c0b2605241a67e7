"""Several questions, one account: no more mistakes than one question would make, and rows that add up."""

import math

import numpy as np
import pyarrow as pa
import pytest

from riparian.accounts.join import ALONE, ANSWER, PRICES, WEIGHTS, e_bits, join, priced, strongest_first
from riparian.evidence import GRID, KINSHIP, PERSON, Evidence, Row, Source
from riparian.schema import EVIDENCE, JOINED

OTHERS = tuple(question for question in WEIGHTS if question != ALONE)


def alone(*bits: float) -> pa.Table:
    n = len(bits)
    columns = [list(range(1, n + 1)), ["person"] * n, bits, bits, [10] * n, [99] * n]
    return pa.table(columns, schema=EVIDENCE)


def answers(*rows: tuple[int, str, float]) -> pa.Table:
    accounts, questions, bits = zip(*rows, strict=True) if rows else ((), (), ())
    return pa.table([accounts, questions, questions, bits, bits, [20] * len(rows)], schema=ANSWER)


def test_the_weights_are_shares_of_one_and_no_price_is_less_than_its_weight_costs() -> None:
    assert math.fsum(WEIGHTS.values()) == pytest.approx(1.0)
    for question, weight in WEIGHTS.items():
        assert 2.0 ** -PRICES[question] <= weight
        assert (PRICES[question] * GRID).is_integer()


def test_nothing_known_stays_nothing() -> None:
    empty = join(alone(), answers())
    assert empty.schema == JOINED
    assert len(empty) == 0
    nobody = join(alone(0.0), answers((77, "kinship", 50.0)))
    assert nobody["bits"].to_pylist() == [-PRICES[ALONE]]
    assert nobody["bits_open"].to_pylist() == [0.0]


STORIES = {
    "alone it is plain":                  (20.0, [], "person", 20.0 - PRICES[ALONE]),
    "in a ring it is plainer":            (20.0, [("kinship", 40.0)], "kinship", 40.0 - PRICES["kinship"]),
    "kinship leads but not after prices": (20.0, [("kinship", 21.0)], "person", 20.0 - PRICES[ALONE]),
    "two speak, the stronger counts":     (1.0, [("taste", 9.0), ("signals", 12.0)], "signals",
                                           12.0 - PRICES["signals"]),
    "what is equal after prices":         (20.0, [("kinship", 20.0 - PRICES[ALONE] + PRICES["kinship"])], "person",
                                           20.0 - PRICES[ALONE]),
}  # fmt: skip


@pytest.mark.parametrize("name", STORIES)
def test_the_claim_that_carries_most_is_named_with_its_bits(name: str) -> None:
    own, said, claim, bits = STORIES[name]
    table = join(alone(0.0, own), answers(*((2, question, b) for question, b in said)))
    row = table.to_pylist()[1]
    assert (row["claim"], row["bits"]) == (claim, bits)
    assert row["reached_us"] == (10 if claim == "person" else 20)
    assert table["bits"][0].as_py() == -PRICES[ALONE]


@pytest.mark.parametrize("name", STORIES)
def test_the_rows_of_the_strongest_sum_to_the_bits_of_the_table(name: str) -> None:
    own, said, claim, bits = STORIES[name]
    made = {ALONE: Evidence(PERSON, 2, own, (Row("volume", own),), 10, Source("person", "1"), {"bits_now": own})}
    made |= {q: Evidence(KINSHIP, 2, b, (Row("avoids", b),), 20, Source(q, "1")) for q, b in said}
    first, *others = strongest_first(made)
    assert first.bits == bits == sum(row.bits for row in first.waterfall)
    assert (first.facts["question"] == ALONE) == (claim == "person")
    assert all(other.bits <= first.bits for other in others)
    assert len(others) == len(said)


def test_the_price_is_the_last_row() -> None:
    made = priced("kinship", Evidence(KINSHIP, 2, 8.0, (Row("avoids", 8.0),), 20, Source("kinship", "1")))
    assert made.waterfall[-1].bits == -PRICES["kinship"]


def test_a_bet_that_is_opened_again_starts_where_all_fortunes_together_stand() -> None:
    table = join(alone(0.0, 16.0), answers((2, "kinship", 16.0)))
    opened = table["bits_open"].to_pylist()
    assert opened[0] == 0.0
    together = math.log2(0.6 * 2**16 + 0.2 * 2**16 + 0.2)
    assert opened[1] == pytest.approx(together)
    assert table["bits_now"][1].as_py() <= opened[1]


def test_bits_beyond_what_a_number_can_hold_still_join() -> None:
    table = join(alone(5000.0), answers((1, "kinship", 9000.0)))
    assert table["bits"].to_pylist() == [9000.0 - PRICES["kinship"]]
    assert table["bits_open"].to_pylist() == [9000.0 - PRICES["kinship"]]


def test_an_honest_account_is_as_rarely_wronged_by_six_questions_as_by_one() -> None:
    """Fair fortunes and ranks that all lean on the same coins, looked at again and again."""
    rng = np.random.default_rng(11)
    accounts, wanted = 40_000, 5.0
    fortune = np.cumsum(np.where(rng.random((60, accounts)) < 0.5, np.log2(1.6), np.log2(0.4)), axis=0)
    rank = -np.log2(rng.random(accounts))
    ever, again, opened = np.full(accounts, -np.inf), np.full(accounts, -np.inf), np.empty(0)
    for day in (0, 19, 39, 59):
        most = np.maximum(fortune[: day + 1].max(axis=0), 0.0)
        own = answered("person", most, fortune[day]).drop_columns("question").append_column("as_of_us", zeros(accounts))
        said = [answered(q, most if q == "kinship" else rank, most if q == "kinship" else rank) for q in OTHERS]
        joined = join(own.cast(EVIDENCE), pa.concat_tables(said))
        opened = opened if len(opened) else joined["bits_open"].to_numpy()
        ever = np.maximum(ever, joined["bits"].to_numpy())
        again = np.maximum(again, joined["bits_now"].to_numpy() - opened)
    allowed = accounts * 2.0**-wanted
    assert max((ever >= wanted).sum(), (again >= wanted).sum()) <= allowed + 4 * math.sqrt(allowed)


def answered(question: str, most: np.ndarray, now: np.ndarray) -> pa.Table:
    names = [question] * len(most)
    return pa.table([np.arange(1, len(most) + 1), names, names, most, now, zeros(len(most))], schema=ANSWER)


def zeros(n: int) -> pa.Array:
    return pa.array(np.zeros(n, np.int64))


@pytest.mark.slow
def test_what_is_ranked_has_mean_one_under_the_null() -> None:
    rng = np.random.default_rng(12)
    n = 200_000
    fair = np.cumsum(np.where(rng.random((30, n)) < 0.5, np.log2(1.6), np.log2(0.4)), axis=0)
    rank = -np.log2(rng.random(n))
    own = answered("person", np.maximum(fair.max(axis=0), 0.0), fair[-1]).drop_columns("question")
    said = [answered(q, np.maximum(fair.max(axis=0), 0.0) if q == "kinship" else rank, rank) for q in OTHERS]
    bits = e_bits(own.append_column("as_of_us", zeros(n)).cast(EVIDENCE), pa.concat_tables(said))
    capped = np.exp2(np.minimum(bits, 6.0))
    assert capped.mean() <= 1 + 4 * capped.std() / math.sqrt(n)
