"""Gates that die, freeze and come back, keys that rotate: what was promised for each kind of request holds."""

import statistics
import time
from collections import Counter
from pathlib import Path

import pytest
from typer.testing import CliRunner

from riparian.cli import app
from riparian.edges.envoy import GRANTS, TIMEOUT_S, grants_file
from riparian.gate.keys import Key
from riparian.gate.policy import parse_policy
from tests.edges.envoy_server import ENFORCED, Running, patient, running, until

pytestmark = pytest.mark.slow

AUTHZ = pytest.mark.parametrize("authz", ["http", "grpc"])
DOWN = pytest.mark.parametrize("fault", ["killed", "frozen"])
MEDIA = "/media/r1/1.m4s"
PATIENCE_S = 1.0  # of a machine that is busy; a question that nobody answers takes 50 ms, and then none is asked


def fail(edge: Running, fault: str) -> None:
    for gate in edge.gates:
        if fault == "killed":
            gate.kill()
        else:
            gate.freeze()


@AUTHZ
@DOWN
def test_without_a_gate_each_kind_does_what_was_promised(authz: str, fault: str, tmp_path: Path) -> None:
    with running(tmp_path, authz=authz, policy={"down_per_minute": 5, "media_open_s": 30}) as edge:  # type: ignore[arg-type]
        late, much_later = edge.grant(over_s=-5), edge.grant(over_s=-40)
        assert edge.get(f"{MEDIA}?g={late}", "a1").status_code == 307
        fail(edge, fault)
        begun = time.monotonic()
        statuses = {
            "media, its grant good": edge.get(f"{MEDIA}?g={edge.grant()}", "a1").status_code,
            "media, its grant past its end": edge.get(f"{MEDIA}?g={late}", "a1").status_code,
            "media, another's grant": edge.get(f"{MEDIA}?g={late}", "a2").status_code,
            "media, its grant long past its end": edge.get(f"{MEDIA}?g={much_later}", "a1").status_code,
            "licence": edge.get("/licence/r1", "a1").status_code,
            "bulk": edge.get("/dump/all", "a1").status_code,
            "metadata": [edge.get("/api/albums", "a1").status_code for _ in range(8)],
            "metadata of somebody else": edge.get("/api/albums", "a2").status_code,
            "not ours": edge.get("/about", "a1").status_code,
        }
        assert time.monotonic() - begun < len(statuses) * (TIMEOUT_S + PATIENCE_S)
        assert statuses == {
            "media, its grant good": 200,
            "media, its grant past its end": 200,
            "media, another's grant": 403,
            "media, its grant long past its end": 403,
            "licence": 503,
            "bulk": 503,
            "metadata": [200] * 5 + [429] * 3,
            "metadata of somebody else": 200,
            "not ours": 200,
        }


@AUTHZ
def test_whatever_is_let_through_is_marked_logged_and_counted(authz: str, tmp_path: Path) -> None:
    with running(tmp_path, authz=authz, policy={"down_per_minute": 3}) as edge:  # type: ignore[arg-type]
        fail(edge, "killed")
        told = [edge.get("/api/albums", "a1") for _ in range(4)]
        media = edge.get(f"{MEDIA}?g={edge.grant(over_s=-5)}", "a1")
        closed = edge.get("/licence/r1", "a1")
        assert [(each.status_code, each.headers["x-riparian-because"]) for each in (*told, media, closed)] == [
            *[(200, "degraded")] * 3,
            (429, "degraded"),
            (200, "degraded"),
            (503, "degraded"),
        ]
        assert (told[3].headers["retry-after"], closed.headers["retry-after"]) == ("20", "1")
        assert edge.stat("http.riparian.ext_authz.limited.failure_mode_allowed") == 4
        assert edge.stat("http.riparian.ext_authz.late.failure_mode_allowed") == 1
        assert edge.stat("riparian_down.http_local_rate_limit.rate_limited") == 1
        assert [line["let_through"] for line in edge.log(6)] == ["true"] * 5 + [None]


@AUTHZ
def test_nobody_waits_for_a_gate_that_did_not_answer_three_times_running(authz: str, tmp_path: Path) -> None:
    with running(tmp_path, authz=authz) as edge:  # type: ignore[arg-type]
        assert edge.get("/licence/r1", "a1").status_code == 200
        fail(edge, "frozen")
        took = []
        for _ in range(15):
            begun = time.monotonic()
            assert edge.get("/licence/r1", "a1").status_code == 503
            took.append(time.monotonic() - begun)
        assert statistics.median(took[3:]) < TIMEOUT_S / 2
        edge.gates[0].thaw()
        until(lambda: edge.get("/licence/r1", "a1").status_code == 200, what="the gate is asked again")


@AUTHZ
def test_two_gates_let_through_exactly_the_limit(authz: str, tmp_path: Path) -> None:
    policy = {"requests_burst": 20, "requests_per_minute": 1}
    with running(tmp_path, authz=authz, policy=policy, n_gates=2, changed=patient) as edge:  # type: ignore[arg-type]
        shards = Counter[str]()
        for account in ("a1", "a2", "a3", "a4", "a5", "a6", "a7", "a8"):
            told = [edge.get("/licence/r1", account) for _ in range(25)]
            assert Counter(each.status_code for each in told) == {200: 20, 429: 5}, account
            assert int(told[-1].headers["retry-after"]) > 0
            met = {each.headers["x-riparian-shard"] for each in told}
            assert len(met) == 1, account
            shards.update(met)
        assert set(shards) == {"0/2", "1/2"}


@AUTHZ
def test_accounts_of_a_dead_gate_meet_the_other_one(authz: str, tmp_path: Path) -> None:
    with running(tmp_path, authz=authz, n_gates=2) as edge:  # type: ignore[arg-type]
        accounts = [f"a{i}" for i in range(12)]
        edge.gates[0].kill()

        def shards() -> set[str | None]:
            return {edge.get("/licence/r1", account).headers.get("x-riparian-shard") for account in accounts}

        until(lambda: shards() == {"1/2"}, what="everybody is served by the other gate")


def test_the_seat_belt_holds_an_account_that_runs_on_grants_alone(tmp_path: Path) -> None:
    with running(tmp_path, policy={"requests_burst": 10, "requests_per_minute": 1}) as edge:
        grant = edge.grant()
        told = [edge.get(f"{MEDIA}?g={grant}", "a1") for _ in range(42)]
        assert Counter(each.status_code for each in told) == {200: 40, 429: 2}
        assert (told[-1].headers["x-riparian-because"], told[-1].json()["status"]) == ("limit", 429)
        assert edge.get(f"{MEDIA}?g={edge.grant('a2')}", "a2").status_code == 200


def test_keys_rotate_while_somebody_listens(tmp_path: Path) -> None:
    def tell(edge: Running) -> None:
        replacement = tmp_path / "new"
        replacement.write_text(grants_file(parse_policy(ENFORCED), edge.ring))
        replacement.replace(tmp_path / GRANTS)

    with running(tmp_path) as edge:
        old, now_s = edge.grant(), int(time.time())
        # The house rotates; this edge does not know yet, and refuses nobody.
        edge.ring = edge.ring.rotated(Key("k3", b"3" * 32, now_s), now_s)
        assert [edge.get(f"{MEDIA}?g={each}", "a1").status_code for each in (old, edge.grant())] == [200, 200]
        unknown = edge.grant(key="k3")
        assert edge.get(f"{MEDIA}?g={unknown}", "a1").status_code == 403
        tell(edge)
        until(lambda: edge.get(f"{MEDIA}?g={unknown}", "a1").status_code == 200, what="the new key is known")
        assert edge.get(f"{MEDIA}?g={old}", "a1").status_code == 200
        # After a leak every key is replaced: what they issued ends, however lately it was verified.
        edge.ring = type(edge.ring)(Key("k8", b"8" * 32, now_s), Key("k9", b"9" * 32, now_s))
        tell(edge)
        until(lambda: edge.get(f"{MEDIA}?g={old}", "a1").status_code == 403, what="the old key is gone")
        assert edge.get(f"{MEDIA}?g={edge.grant()}", "a1").status_code == 200


CARRIED = {
    "headers": ({"account": "header:X-Who", "device": "header:X-Device"}, "", {"X-Who": "a1", "X-Device": "d1"}),
    "cookies": ({"account": "cookie:who", "device": "cookie:device"}, "", {"Cookie": "theme=x; who=a1;device=d1"}),
    "arguments": ({"account": "arg:who", "device": "arg:device"}, "&who=a%31&device=d1", {}),
}


@pytest.mark.parametrize("carrier", CARRIED)
def test_account_and_device_are_found_where_the_operator_leaves_them(carrier: str, tmp_path: Path) -> None:
    where, query, headers = CARRIED[carrier]
    with running(tmp_path, edge=where) as edge:
        edge.gates[0].judge("a2 hold")
        grants = {
            "of the device": (edge.grant(device="d1"), 200),
            "of another": (edge.grant(device="d2"), 403),
            "of a long name": (edge.grant(device="d" * 200), 403),
            "of none": (edge.grant(), 403),
            "of another account": (edge.grant("a2", device="d1"), 403),
        }
        told = {name: edge.client.get(f"{edge.url}{MEDIA}?g={each}{query}", headers=headers).status_code
                for name, (each, _) in grants.items()}  # fmt: skip
        assert told == {name: status for name, (_, status) in grants.items()}
        held = {name: value.replace("a1", "a2") for name, value in headers.items()}
        asked = f"{edge.url}/licence/r1?{query.replace('a%31', 'a%32')}"
        assert edge.client.get(asked, headers=held).status_code == 403
        assert edge.client.get(f"{edge.url}/licence/r1?{query}", headers=headers).status_code == 200
        twice = edge.client.get(f"{edge.url}/licence/r1?{query}&who=a2", headers=headers)
        assert twice.status_code == (400 if carrier == "arguments" else 200)


def test_devices_of_any_length_have_the_fingerprint_that_grants_hold(tmp_path: Path) -> None:
    with running(tmp_path, edge={"device": "header:X-Device"}) as edge:
        for length in (1, 2, 55, 56, 63, 64, 65, 119, 120, 256):
            device = "".join(chr(33 + (7 * i) % 90) for i in range(length))
            told = edge.get(f"{MEDIA}?g={edge.grant(device=device)}", "a1", X_Device=device)
            assert told.status_code == 200, length


def test_in_shadow_nothing_is_refused_and_the_log_says_what_would_have_been(tmp_path: Path) -> None:
    with running(tmp_path, policy={"mode": "shadow", "requests_burst": 1, "down_per_minute": 1}) as edge:
        edge.gates[0].judge("held hold")
        paths = [f"{MEDIA}?g={edge.grant('a2')}", MEDIA, "/licence/r1", "/api/albums", "/about;x"]
        assert {edge.get(path, "held").status_code for path in 3 * paths} == {200}
        fail(edge, "killed")
        assert {edge.get(path, "held").status_code for path in 3 * paths} == {200}
        refused = [line["refused"] for line in edge.log(30) if line["access"] == "media"]
        assert Counter(refused) == {"other account": 6, "malformed": 6}


def test_the_access_log_is_read_by_scan(tmp_path: Path) -> None:
    with running(tmp_path) as edge:
        for i in range(30):
            account = f"listener-{i % 3}"
            assert (
                edge.get(f"/media/r{i}/seg_1.ts?g={edge.grant(account, f'/media/r{i}/')}", account).status_code == 200
            )
        edge.log(30)
    told = CliRunner().invoke(app, ["scan", str(tmp_path / "access.log"), "--workspace", str(tmp_path / "w"), "--json"])
    assert told.exit_code == 0, told.output
    assert '"accesses": 30' in told.stdout
    assert '"accounts": 3' in told.stdout
    assert "g=" not in (tmp_path / "access.log").read_text()


def test_how_an_envoy_that_is_told_nothing_else_starts(tmp_path: Path) -> None:
    with running(tmp_path, n_gates=1) as edge:
        warnings = (tmp_path / "envoy.log").read_text()
        assert "deprecated" not in warnings.lower(), warnings
        assert edge.get("/about").status_code == 200
