"""What signals need of a log: to whom a handle was given, and what was asked for and refused."""

from collections import Counter
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from riparian.codes import codes_of
from riparian.feeds.access_log import ReadOptions, read
from riparian.schema import ACCESS

KEY = bytes(range(16))
LOG = """at,account,recording,action,status,{owner}
2025-10-10T13:00:00Z,u1,GBAYE0601498,play,200,u1
2025-10-10T13:01:00Z,u2,GBAYE0601498,play,200,u1
2025-10-10T13:02:00Z,u2,GBAYE0601499,play,200,-
2025-10-10T13:03:00Z,u2,GBAYE0601497,play,503,u2
2025-10-10T13:04:00Z,u2,GBAYE0601497,play,403,u2
2025-10-10T13:05:00Z,u2,,metadata,503,-
"""


def accesses(folder: Path, owner: str, **options: Any) -> tuple[pa.Table, dict[str, int]]:
    log = folder / "log.csv"
    log.write_text(LOG.format(owner=owner))
    found = list(read([str(log)], options=ReadOptions(**options), key=KEY))
    dropped = sum((Counter(chunk.dropped) for chunk in found), Counter())
    return pa.concat_tables([chunk.accesses for chunk in found], promote_options="default"), dict(dropped)


@pytest.mark.parametrize("owner", ["given_to", "handle_owner", "X-Handle-Owner", "issuedTo"])
def test_the_account_that_a_handle_was_given_to_is_a_code_like_the_account(owner: str, tmp_path: Path) -> None:
    if owner.startswith("X-"):
        table, _ = accesses(tmp_path, owner, map={"given_to": owner})
    else:
        table, _ = accesses(tmp_path, owner)
    u1 = int(codes_of(pa.array(["u1"]), KEY)[0])
    assert table.schema.field("given_to").type == ACCESS.field("given_to").type
    assert table["given_to"].to_pylist() == [u1, u1, 0]
    assert table["account"].to_pylist()[0] == u1


def test_what_was_refused_stays_out_unless_it_is_asked_for(tmp_path: Path) -> None:
    table, dropped = accesses(tmp_path, "given_to")
    assert set(table["status"].to_pylist()) == {200}
    assert dropped == {"refused": 3}


@pytest.mark.parametrize("columns", [None, frozenset(("action",))])
def test_a_refused_request_for_a_recording_comes_with_its_status(
    columns: frozenset[str] | None, tmp_path: Path
) -> None:
    table, dropped = accesses(tmp_path, "given_to", refusals=True, columns=columns)
    # Neither a lock on the account nor a listing that could not be served says what somebody wanted to hear.
    assert table["status"].to_pylist() == [200, 200, 200, 503]
    assert dropped == {"refused": 2}


def test_a_preview_that_our_own_gate_served_is_no_fetch(tmp_path: Path) -> None:
    log = tmp_path / "access.json"
    line = (
        '{{"at":176010000{n}.5,"account":"u{n}","recording":"GBAYE060149{n}","status":{status},"because":"{because}"}}'
    )
    answers = [(200, "none"), (200, "novelty"), (429, "novelty"), (200, "degraded"), (403, "person"), (200, "parent")]
    log.write_text(
        "\n".join(line.format(n=n, status=status, because=because) for n, (status, because) in enumerate(answers))
    )
    found = list(read([str(log)], options=ReadOptions(), key=KEY))
    served = codes_of(pa.array(["u0", "u3"]), KEY).tolist()
    assert [code for chunk in found for code in chunk.accesses["account"].to_pylist()] == served
    assert sum((Counter(chunk.dropped) for chunk in found), Counter()) == {"refused": 4}
