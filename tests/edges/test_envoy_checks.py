"""What a check of Envoy finds: nothing in what was printed, and each thing that was taken out of it."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest
import yaml

from riparian.edges import checks
from riparian.edges.checks import Weight
from riparian.edges.envoy import CONFIGURATION, GRANTS, Authz, configuration
from riparian.edges.envoy_checks import check_admin, check_text, mode_of
from riparian.errors import InputError, OutsideError
from riparian.gate.policy import Mode, Policy, parse_policy
from riparian.gate.routes import parse_edge
from tests.edges.envoy_server import ENFORCED, RING, ROUTES, running
from tests.ports import free_port

GATES = ["127.0.0.1:9101", "127.0.0.1:9102"]


def printed(authz: Authz = "http", *, name: str = CONFIGURATION) -> str:
    edge = parse_edge({"route": ROUTES, "gates": GATES})
    return configuration(edge, parse_policy(ENFORCED), RING, authz=authz)[name]


@pytest.mark.parametrize("authz", ["http", "grpc"])
def test_nothing_is_wrong_with_what_was_printed(authz: Authz) -> None:
    assert check_text(printed(authz)) == []
    assert check_text(json.dumps(yaml.safe_load(printed(authz)))) == []


@pytest.mark.parametrize("mode", list(Mode), ids=str)
def test_the_mode_that_it_was_printed_for_is_told_from_the_file_and_from_envoy(mode: Mode) -> None:
    edge = parse_edge({"route": ROUTES, "gates": GATES})
    text = configuration(edge, Policy(mode=mode), RING)[CONFIGURATION]
    assert mode_of(text) is mode
    assert mode_of(text.replace("{numerator: 0}", "{}")) is mode, "a 0 is left out where Envoy says it"


def without(line: str) -> Callable[[str], str]:
    return lambda text: "".join(each for each in text.splitlines(keepends=True) if line not in each)


def with_(there: str, here: str) -> Callable[[str], str]:
    return lambda text: text.replace(there, here)


WRONG = {
    "round robin": (without("lb_policy"), "is balanced round robin"),
    "least request": (with_("RING_HASH", "LEAST_REQUEST"), "is balanced least request"),
    "a ring without a key": (without("hash_policy"), "is a ring without a key"),
    "listeners that wait": (with_("timeout: 0.05s}", "timeout: 2s}"), "a question may take 2000 ms"),
    "tries cut short": (with_("max_interval: 0.05s", "max_interval: 0.001s"), "`max_interval` is 0.001s"),
    "dot segments": (without("normalize_path"), "`normalize_path` missing"),
    "slashes in disguise": (without("path_with_escaped"), "`path_with_escaped_slashes_action` missing"),
    "anybody is anybody": (without("remove: x-riparian-account"), "may say `X-Riparian-Account`"),
    "frozen gates are asked": (with_("healthy_panic_threshold: {value: 0}, ", ""), "are asked all the same"),
    "failures are merged": (with_(", update_merge_window: 0s", ""), "is left alone only then"),
    "unmarked": (without("failure_mode_allow_header_add"), "is not marked"),
    "administered by anybody": (with_('"127.0.0.1", port_value: 9901', '"0.0.0.0", port_value: 9901'), "listens on"),
}


@pytest.mark.parametrize("situation", WRONG)
def test_what_was_taken_out_is_found(situation: str) -> None:
    changed, said = WRONG[situation]
    found = check_text(changed(printed()))
    assert any(said in each.found for each in found), found


def test_grants_are_bound_and_end_when_they_end() -> None:
    grants = json.loads(printed(name=GRANTS))
    assert [each.found.split(",")[0] for each in check_text(json.dumps(grants))] == [
        "grants are verified and not bound",  # in an argument
        "grants are verified and not bound",  # in a cookie
    ]
    del grants["resources"][0]["typed_config"]["providers"]["grant"]["clock_skew_seconds"]
    found = check_text(json.dumps({**grants, "beside": "riparian.binding"}))
    assert [(each.weight, each.found.split(",")[0]) for each in found] == [
        (Weight.WRONG, "grants hold 60 seconds longer than they say"),
    ]


@pytest.mark.parametrize("text", ["", "{", "- a", "a: [", "{]"])
def test_what_is_no_configuration_is_said(text: str) -> None:
    with pytest.raises(InputError, match="the configuration is no"):
        check_text(text)


@pytest.mark.slow
def test_a_live_envoy_is_asked_about_itself(tmp_path: Path) -> None:
    with running(tmp_path, n_gates=2) as edge:
        assert check_admin(edge.admin) == []
        assert checks.check(edge.url, parse_edge({"route": ROUTES, "gates": GATES})) == []
    (other := tmp_path / "other").mkdir()
    with running(other, n_gates=2, changed=with_("lb_policy: RING_HASH", "lb_policy: RANDOM")) as edge:
        assert "one account meets the gates" in checks.check(edge.url, parse_edge({"route": ROUTES}))[0].found
        assert [each.found.split(",")[0] for each in check_admin(edge.admin)] == ["`riparian_gates` is balanced random"]


def test_nobody_there_is_said() -> None:
    with pytest.raises(OutsideError, match="is out of reach"):
        check_admin(f"http://127.0.0.1:{free_port()}")
    with pytest.raises(InputError, match="is no URL"):
        check_admin("file:///etc/passwd")
