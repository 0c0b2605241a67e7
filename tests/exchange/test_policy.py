"""What a peer's signal is worth, how a peer stands, and when a person looks first: the literal tables."""

from datetime import UTC, datetime, timedelta

import pytest

from riparian.errors import LifecycleError
from riparian.exchange.policy import Flood, Move, Standing, Worth, floods, moved, standing

NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)

LEADS_TO = {
    ("heard", "hear"): "heard",
    ("heard", "confirm"): "confirmed",
    ("heard", "dispute"): "disputed",
    ("heard", "revoke"): "revoked",
    ("confirmed", "hear"): "confirmed",
    ("confirmed", "confirm"): None,
    ("confirmed", "dispute"): "disputed",
    ("confirmed", "revoke"): "revoked",
    ("disputed", "hear"): "disputed",
    ("disputed", "confirm"): "confirmed",
    ("disputed", "dispute"): None,
    ("disputed", "revoke"): "revoked",
    ("revoked", "hear"): "revoked",
    ("revoked", "confirm"): None,
    ("revoked", "dispute"): None,
    ("revoked", "revoke"): "revoked",
}


def test_every_pair_is_in_the_table() -> None:
    assert set(LEADS_TO) == {(worth, move) for worth in Worth for move in Move}


@pytest.mark.parametrize(("worth", "move"), LEADS_TO)
def test_where_a_move_leads(worth: str, move: str) -> None:
    wanted = LEADS_TO[worth, move]
    if wanted is not None:
        assert moved(Worth(worth), Move(move)) == wanted
        return
    with pytest.raises(LifecycleError, match="does not lead anywhere"):
        moved(Worth(worth), Move(move))


def test_three_mistakes_end_it() -> None:
    assert [standing(n) for n in (0, 1, 2, 3, 30)] == [
        Standing.GOOD,
        Standing.CALLED,
        Standing.CONDITIONS,
        Standing.OUT,
        Standing.OUT,
    ]


def days(n: int, each: int) -> list[datetime]:
    """Give so many signals on each of so many days before today."""
    return [NOW - timedelta(days=1 + day, minutes=one) for day in range(1, n + 1) for one in range(each)]


@pytest.mark.parametrize(
    ("before", "today", "incident", "wanted"),
    [
        pytest.param([], 99, False, False, id="a new peer, fewer than a hundred"),
        pytest.param([], 100, False, True, id="a new peer, a hundred"),
        pytest.param([], 100, True, True, id="a new peer in an incident"),
        pytest.param(days(10, 40), 200, False, False, id="five times what is usual"),
        pytest.param(days(10, 40), 201, False, True, id="more than that"),
        pytest.param(days(10, 40), 2000, True, False, id="in an incident fifty times"),
        pytest.param(days(10, 40), 2001, True, True, id="in an incident more than that"),
        pytest.param(days(1, 1), 6, False, False, id="little is never a flood"),
        pytest.param([NOW - timedelta(days=40)] * 5000, 100, False, True, id="last month counts, an earlier one not"),
        pytest.param([NOW + timedelta(days=1)] * 5000, 0, False, False, id="tomorrow is not today"),
    ],
)
def test_when_a_person_looks_first(before: list[datetime], today: int, *, incident: bool, wanted: bool) -> None:
    assert floods([*before, *[NOW] * today], NOW, incident=incident) is wanted


def test_where_a_flood_begins_is_a_setting() -> None:
    assert floods([NOW] * 10, NOW, flood=Flood(times=2, least=10))
