"""The page on Envoy does what it says: its configuration is started, and its filter asks the rate limit service."""

import re
from collections import Counter
from pathlib import Path

import pytest

from riparian.edges.envoy import GRANTS, grants_file
from riparian.gate.policy import Policy
from tests.edges.envoy_server import (
    ENFORCED,
    RING,
    ROUTES,
    Origin,
    Running,
    patient,
    running,
    start_gate,
    started,
)
from tests.ports import free_port

pytestmark = pytest.mark.slow

PAGE = (Path(__file__).parents[2] / "docs" / "how" / "envoy.md").read_text(encoding="utf-8")
PRINTED = PAGE.partition("$ riparian edge envoy\n")[2].partition("```")[0]
FILTER = re.findall(r"```yaml\n(.*?)```", PAGE, re.DOTALL)[0]


def test_the_configuration_on_the_page_runs(tmp_path: Path) -> None:
    origin, gate = Origin(), start_gate({}, {"route": ROUTES})
    port, admin = free_port(), free_port()
    text = PRINTED
    for there, here in {
        '"/etc/envoy/': f'"{tmp_path}/',
        "/var/log/envoy/access.log": str(tmp_path / "access.log"),
        "port_value: 8080": f"port_value: {port}",
        "port_value: 9901": f"port_value: {admin}",
        "port_value: 9000": f"port_value: {origin.url.rpartition(':')[2]}",
        "port_value: 9101": f"port_value: {gate.data.rpartition(':')[2]}",
    }.items():
        assert there in text, there
        text = text.replace(there, here)
    (tmp_path / "envoy.yaml").write_text(text)
    (tmp_path / GRANTS).write_text(grants_file(Policy(), RING))
    edge = Running(f"http://127.0.0.1:{port}", f"http://127.0.0.1:{admin}", tmp_path, origin, [gate], {})
    try:
        with started(tmp_path / "envoy.yaml", edge.admin):
            told = [edge.get(path, "a1") for path in (f"/media/r1/1?g={edge.grant()}", "/media/r1/1", "/licence/r1")]
            assert [each.status_code for each in told] == [200, 200, 200]  # as printed, it only watches
            assert told[2].headers["x-riparian-action"] == "allow"
            assert [line["refused"] for line in edge.log(3)] == [None, "malformed", None]
    finally:
        edge.client.close()
        gate.kill()
        origin.close()


def test_the_filter_on_the_page_asks_the_gate_as_rate_limit_service(tmp_path: Path) -> None:
    def changed(text: str) -> str:
        router = "          - name: envoy.filters.http.router\n"
        added = "".join(f"          {line}\n" for line in FILTER.splitlines())
        alone = re.sub(r" +riparian\.gate: .*\n", "                  {}\n", text)
        return patient(alone.replace(router, added + router))

    policy = {**ENFORCED, "requests_burst": 10, "requests_per_minute": 1}
    with running(tmp_path, policy=policy, n_gates=2, authz="grpc", changed=changed) as edge:
        edge.gates[0].judge("held hold")
        edge.gates[1].judge("held hold")
        for account in ("a1", "a2", "a3"):
            told = [edge.get("/licence/r1", account) for _ in range(14)]
            assert Counter(each.status_code for each in told) == {200: 10, 429: 4}, account
            assert int(told[-1].headers["retry-after"]) > 0
            assert (told[-1].headers["x-riparian-because"], told[-1].headers["x-riparian-status"]) == ("limit", "429")
        held = edge.get("/licence/r1", "held")
        assert (held.status_code, held.headers["x-riparian-status"], held.headers["x-riparian-action"]) == (
            429,
            "403",
            "hold",
        )
        assert edge.get("/about", "a1").status_code == 200
