from datetime import UTC, datetime

import pyarrow as pa
import pytest

from riparian.codes import codes_of
from riparian.errors import InputError
from riparian.flows.known import Known
from riparian.gate.tokens import UNKNOWN_US
from riparian.schema import ACCOUNT

KEY = bytes(range(16))
DAY = datetime(2026, 3, 2, tzinfo=UTC)


def accounts(*rows: dict[str, object]) -> pa.Table:
    empty: dict[str, object] = dict.fromkeys(ACCOUNT.names)
    return pa.Table.from_pylist([empty | row for row in rows], schema=ACCOUNT)


def code(name: str) -> int:
    return int(codes_of(pa.array([name]), KEY)[0])


def test_what_is_told_of_an_account_is_found_by_its_code_and_of_others_nothing() -> None:
    table = accounts({"account": "u1", "created": DAY, "payment": "p1", "honest": True}, {"account": "u2"})
    known = Known.of(table, KEY).find(codes_of(pa.array(["u2", "u9", "u1"]), KEY))
    assert known.honest.tolist() == [False, False, True]
    assert known.created_us.tolist() == [UNKNOWN_US, UNKNOWN_US, int(DAY.timestamp() * 1e6)]
    assert known.parent.tolist() == [0, 0, code("p1")]


def test_what_is_kept_comes_back() -> None:
    table = accounts(
        {"account": "u1", "exempt_until": DAY, "exempt_because": "our own monitoring"},
        {"account": "u2", "honest": True},
    )
    known = Known.of(table, KEY)
    again = Known.kept(known.table())
    assert again.table().equals(known.table())
    assert again.exempt.exemptions[code("u1")].because == "our own monitoring"
    assert list(again.exempt) == [code("u1")]


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        ([{"account": "u1"}, {"account": "u1"}], "more than once"),
        ([{"account": "u1", "exempt_until": DAY}], "no reason"),
    ],
)
def test_a_table_that_contradicts_itself_is_refused(rows: list[dict[str, object]], message: str) -> None:
    with pytest.raises(InputError, match=message):
        Known.of(accounts(*rows), KEY)
