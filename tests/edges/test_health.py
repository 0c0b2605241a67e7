import http.client
import json
from collections.abc import Iterator

import pytest

from riparian.edges.health import DRAINING, Health, Kept, Seen
from riparian.errors import OutsideError


@pytest.fixture
def health() -> Iterator[Health]:
    page = Health("127.0.0.1", 0)
    yield page
    page.close()


def get(health: Health, path: str) -> tuple[int, str]:
    connection = http.client.HTTPConnection(health.url.removeprefix("http://"), timeout=5)
    try:
        connection.request("GET", path)
        answer = connection.getresponse()
        return answer.status, answer.read().decode()
    finally:
        connection.close()


def test_it_is_ready_when_nothing_is_missing(health: Health) -> None:
    assert get(health, "/healthz")[0] == 200
    assert get(health, "/readyz")[0] == 503, "nothing is known yet"
    health.seen = Seen(missing=("gate at 127.0.0.1:9201",))
    status, body = get(health, "/readyz")
    assert (status, json.loads(body)["missing"]) == (503, ["gate at 127.0.0.1:9201"])
    health.seen = Seen(missing=())
    assert get(health, "/readyz")[0] == 200


def test_what_would_have_been_is_told_apart_from_what_is(health: Health) -> None:
    health.seen = Seen(
        gates={"in step": 3, "behind": 0, "out of reach": 0},
        edges={"in step": 2, "behind": 0, "out of reach": 1},
        decisions={("hold", True): 3, ("slow", False): 41},
        seq=7,
        pushes={"http://e": 5},
        resyncs={"http://e": 1},
        restarts={"gate 0": 2},
    )
    told = set(get(health, "/metrics")[1].splitlines())
    assert told >= {
        'riparian_gates{reach="in step"} 3.0',
        'riparian_edges{reach="in step"} 2.0',
        'riparian_edges{reach="out of reach"} 1.0',
        'riparian_decisions{action="hold",applied="true"} 3.0',
        'riparian_decisions{action="slow",applied="false"} 41.0',
        "riparian_verdicts_seq 7.0",
        'riparian_pushes_total{edge="http://e"} 5.0',
        'riparian_resyncs_total{edge="http://e"} 1.0',
        'riparian_restarts_total{child="gate 0"} 2.0',
    }


def test_there_is_no_other_page(health: Health) -> None:
    assert get(health, "/")[0] == 404


def test_an_address_that_is_taken_is_said_to_be(health: Health) -> None:
    port = int(health.url.rpartition(":")[2])
    with pytest.raises(OutsideError, match="free address"):
        Health("127.0.0.1", port)


def test_asked_to_end_it_is_ready_for_nobody(health: Health) -> None:
    health.seen = Seen(missing=(DRAINING,))
    status, body = get(health, "/readyz")
    assert (status, json.loads(body)) == (503, {"ready": False, "missing": ["draining"]})
    assert get(health, "/healthz")[0] == 200


def test_how_the_workspace_stands_is_told_without_anybody_in_it(health: Health) -> None:
    kept = Kept(
        is_readable=True, free_bytes=10, scanned_us=1_700_000_000_000_000, rejected=3, waiting={"appeals": 2},
        late={"appeals": 1},
    )  # fmt: skip
    health.seen = Seen(missing=(), kept=kept)
    assert set(get(health, "/metrics")[1].splitlines()) >= {
        "riparian_workspace_readable 1.0",
        "riparian_workspace_free_bytes 10.0",
        "riparian_scan_timestamp_seconds 1.7e+09",
        "riparian_rejected_lines 3.0",
        'riparian_waiting{what="appeals"} 2.0',
        'riparian_late{what="appeals"} 1.0',
    }
