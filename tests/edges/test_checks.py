import os
import re
import shutil
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from riparian.edges.agreed import check_mode, check_push, check_written, nginx_mode
from riparian.edges.checks import Finding, Heard, Weight, check, check_text
from riparian.edges.nginx import Build, Grants, List, configuration
from riparian.errors import InputError
from riparian.gate.policy import Mode, Policy
from riparian.gate.routes import Edge, parse_edge
from tests.edges.nginx_gate import RING

ROUTES = [
    {"path": "/media/{recording}/**", "kind": "media"},
    {"path": "/licence/{recording}", "kind": "licence"},
    {"path": "/api/tracks/{recording}", "kind": "metadata"},
]
GATES = ["127.0.0.1:9101", "127.0.0.1:9102"]
HASH = "hash $riparian_account consistent;"


def edge(**other: object) -> Edge:
    return parse_edge({"route": ROUTES, "gates": GATES, **other})


def printed(grants: Grants = Grants.HMAC, verdicts: List = List.NJS, mode: Mode = Mode.ENFORCE) -> str:
    build = Build(grants, verdicts)
    return configuration(edge(), Policy(mode=mode), RING, push_secret="s", build=build)["nginx.conf"]  # noqa: S106


@pytest.mark.parametrize("mode", list(Mode), ids=str)
@pytest.mark.parametrize("verdicts", list(List), ids=str)
@pytest.mark.parametrize("grants", [Grants.HMAC, Grants.JWT], ids=str)
def test_nothing_is_found_in_what_is_printed(grants: Grants, verdicts: List, mode: Mode) -> None:
    text = printed(grants, verdicts, mode)
    assert (check_text(text), nginx_mode(text)) == ([], mode)


def test_secure_link_is_said_to_be_md5() -> None:
    found = check_text(printed(Grants.SECURE_LINK))
    assert [(each.weight, "MD5" in each.found) for each in found] == [(Weight.DOUBTFUL, True)]


ALTERED: dict[str, tuple[Callable[[str], str], Weight, str]] = {
    "round robin": (lambda text: text.replace(HASH, ""), Weight.WRONG, "round robin"),
    "least_conn": (lambda text: text.replace(HASH, "least_conn;"), Weight.WRONG, "least_conn"),
    "ip_hash": (lambda text: text.replace(HASH, "ip_hash;"), Weight.WRONG, "ip_hash"),
    "by address": (lambda text: text.replace(HASH, "hash $remote_addr consistent;"), Weight.WRONG, "$remote_addr"),
    "not consistent": (lambda text: text.replace(" consistent;", ";"), Weight.DOUBTFUL, "hashed anew"),
    "no read timeout": (
        lambda text: re.sub(r" proxy_read_timeout \d+ms;", "", text),
        Weight.WRONG,
        "`proxy_read_timeout` are not there",
    ),
    "a long timeout": (lambda text: text.replace("50ms", "5s"), Weight.WRONG, "5s"),
    "a timeout without a unit": (lambda text: text.replace("50ms", "60"), Weight.WRONG, "60"),
    "429 is lost": (lambda text: text.replace("error_page 401 403", "error_page 402"), Weight.WRONG, "401 or 403"),
    "a gate out of reach is 500": (lambda text: re.sub(r"error_page 500 .*;", "", text), Weight.DOUBTFUL, "500"),
    "anybody may push": (lambda text: text.replace("deny all;", ""), Weight.DOUBTFUL, "push endpoint"),
}


@pytest.mark.parametrize("altered", ALTERED)
def test_what_was_altered_by_hand_is_found(altered: str) -> None:
    alter, weight, said = ALTERED[altered]
    found = check_text(alter(printed()))
    assert found
    assert all((each.weight, said in each.found) == (weight, True) for each in found), found


def test_comments_quotes_and_braces_in_names_are_read_as_nginx_reads_them() -> None:
    text = '# }\nmap $a $b { "~^a{2}#" "x;y"; default "}"; }\nserver { location / { return 200 "${b}"; } }\n'
    assert check_text(text) == []
    with pytest.raises(InputError, match="braces"):
        check_text("server { location / {")


# ---- a live one ----


def answers(
    *,
    shard: Callable[[str, int], str] = lambda account, _: f"{int(account[-1]) % 2}/2",
    media: int = 403,
    push: int = 401,
) -> Callable[[str, str, Mapping[str, str]], Heard]:
    asked: list[str] = []

    def ask(method: str, url: str, headers: Mapping[str, str]) -> Heard:
        asked.append(f"{method} {url}")
        if "/riparian/" in url:
            return Heard(push, {})
        if "/media/" in url:
            return Heard(media, {})
        return Heard(200, {"x-riparian-shard": shard(headers["X-Account"], len(asked))})

    return ask


LIVE: dict[str, tuple[Callable[[str, str, Mapping[str, str]], Heard], list[str]]] = {
    "all is well": (answers(), []),
    "a refusal with 401 is as good": (answers(media=401), []),
    "no push endpoint at all": (answers(push=404), []),
    "round robin": (answers(shard=lambda _, n: f"{n % 2}/2"), ["one account meets the gates 0/2, 1/2"]),
    "no gate answers": (answers(shard=lambda *_: ""), ["answers without `X-Riparian-Shard`"]),
    "gates of another house": (answers(shard=lambda *_: "0/3"), ["gates say they are 3, wanted 2"]),
    "media are open": (answers(media=200), ["without a grant", "with a forged grant", "with half a grant"]),
    "anybody may push": (answers(push=200), ["answers strangers 200 and 200"]),
    "whoever asks may read the list": (answers(push=409), ["answers strangers 409"]),
}


@pytest.mark.parametrize("situation", LIVE)
def test_a_live_edge_is_asked_as_a_stranger_would(situation: str) -> None:
    ask, wanted = LIVE[situation]
    found = check("http://edge.example/", edge(), ask=ask)
    assert len(found) == len(wanted), found
    for each, said in zip(found, wanted, strict=True):
        assert said in each.found


SHADOWED: dict[str, tuple[int, Weight, str]] = {
    "whoever has no grant is served": (200, Weight.NOTED, "in shadow"),
    "the origin has no such recording": (404, Weight.NOTED, "in shadow"),
    "it refuses all the same": (403, Weight.DOUBTFUL, "is refused, wanted it served"),
}


@pytest.mark.parametrize("situation", SHADOWED)
def test_what_shadow_serves_breaks_no_promise_and_is_said(situation: str) -> None:
    status, weight, said = SHADOWED[situation]
    found = check("http://edge.example/", edge(), mode=Mode.SHADOW, ask=answers(media=status))
    assert [(each.weight, said in each.found) for each in found] == [(weight, True)]


def test_accounts_are_shown_where_the_operator_leaves_them() -> None:
    seen: list[tuple[str, Mapping[str, str]]] = []

    def ask(_: str, url: str, headers: Mapping[str, str]) -> Heard:
        seen.append((url, headers))
        return Heard(403, {"x-riparian-shard": "0/2"})

    check("http://edge.example", edge(account="arg:who", device="cookie:d"), ask=ask)
    assert ("http://edge.example/licence/riparian-check?who=riparian-check-0", {"Cookie": "d=riparian-check"}) in seen


def test_what_cannot_be_shown_is_said_and_not_passed_over() -> None:
    found: list[Finding] = check("http://edge.example", edge(account="jwt:sub"), ask=answers())
    assert [(each.weight, "none to show" in each.found) for each in found] == [(Weight.DOUBTFUL, True)]


# ---- and what it is for ----


@pytest.mark.parametrize("printed_for", [*Mode, None])
@pytest.mark.parametrize("mode", list(Mode), ids=str)
def test_what_was_printed_for_another_mode_is_wrong(printed_for: Mode | None, mode: Mode) -> None:
    found = check_mode("nginx.conf", "nginx", printed_for, Policy(mode=mode))
    assert [each.weight for each in found] == ([] if printed_for in (mode, None) else [Weight.WRONG])


@pytest.mark.parametrize(
    ("push", "mode", "found"),
    [({}, Mode.ENFORCE, 1), ({}, Mode.SHADOW, 0), ({"push": ["http://127.0.0.1:8080"]}, Mode.ENFORCE, 0)],
)
def test_a_list_that_nobody_fills_is_said(push: dict[str, list[str]], mode: Mode, found: int) -> None:
    assert len(check_push(edge(**push), Policy(mode=mode))) == found


@pytest.mark.skipif(os.geteuid() != 0, reason="only root starts workers that are somebody else")
def test_a_list_that_the_workers_cannot_write_down_is_said(tmp_path: Path) -> None:
    for folder in [tmp_path, *tmp_path.parents[:-2]]:
        folder.chmod(0o755)
    file = tmp_path / "nginx.conf"
    assert check_written(file, printed()) == [], "nobody knows who the workers are"
    text = "user nobody;\n" + printed()
    assert [each.hint for each in check_written(file, text)] == [f"Give them the folder: chown nobody {tmp_path}"]
    assert check_written(file, "user root;\n" + printed()) == []
    shutil.chown(tmp_path, "nobody")
    assert check_written(file, text) == []
