"""What Envoy does with what it is told: a real one, real gates, a real origin."""

import hmac
import json
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from riparian.gate.grants import RENEWED_S, Form, Rate
from riparian.gate.spelling import encode
from tests.edges.envoy_server import RING, Running, patient, running, until

pytestmark = pytest.mark.slow

PAGES = {"step_up_url": "https://example.org/prove", "appeal_url": "https://example.org/appeal"}


@pytest.fixture(scope="module", params=["http", "grpc"])
def edge(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    with running(tmp_path_factory.mktemp("envoy"), authz=request.param, edge=PAGES, changed=patient) as found:
        found.gates[0].judge("held hold", "ended end", "asked step_up")
        yield found


ANSWERS = {
    "nobody in particular": ("/licence/r1", "", 200, {"x-riparian-action": "allow"}),
    "a listener": ("/licence/r1", "a1", 200, {"x-riparian-action": "allow", "x-riparian-shard": "0/1"}),
    "who is held": ("/licence/r1", "held", 403, {"x-riparian-action": "hold", "x-riparian-because": "person"}),
    "who is ended": ("/api/albums", "ended", 403, {"x-riparian-action": "end", "x-riparian-because": "person"}),
    "who is to prove who it is": (
        "/api/albums",
        "asked",
        401,
        {"x-riparian-action": "step_up", "www-authenticate": 'StepUp url="https://example.org/prove"'},
    ),
    "bulk of who is held": ("/dump/all", "held", 403, {"x-riparian-action": "hold"}),
    "a path that is not ours": ("/about", "held", 200, {}),
    "another spelling": ("/%6cicence/r1", "held", 403, {}),
    "a path that can be read in two ways": ("/about;x/../../licence%3b/r1", "a1", 400, {}),
    "a well-known place": ("/.well-known/acme-challenge/x", "held", 200, {}),
    "a well-known place, and back": ("/.well-known/../licence/r1", "held", 403, {}),
    "a name that begins with two dots": ("/..git/config", "a1", 400, {}),
    "a slash that hides": ("/about%2f..%2flicence/r1", "held", 400, {}),
    "a way round": ("/about/../licence/r1", "held", 403, {}),
}


@pytest.mark.parametrize("situation", ANSWERS)
def test_what_the_gate_says_is_what_is_answered(edge: Running, situation: str) -> None:
    path, account, status, headers = ANSWERS[situation]
    told = edge.get(path, account)
    assert (told.status_code, {name: told.headers.get(name) for name in headers}) == (status, headers), told.headers


def test_who_is_refused_is_told_why_and_where_to_appeal(edge: Running) -> None:
    told = edge.get("/licence/r1", "held").json()
    assert (told["status"], told["because"], told["appeal"]) == (403, "person", PAGES["appeal_url"])


def test_what_only_the_edge_may_say_is_not_taken_from_anybody(edge: Running) -> None:
    assert edge.get("/licence/r1", "held", X_Riparian_Account="a1").status_code == 403
    assert edge.get(f"{ASKED}?g={edge.grant()}", X_Riparian_Account="a1").status_code == 403
    edge.get("/about", "a1", X_Riparian_Rate="full", X_Envoy_Auth_Failure_Mode_Allowed="true")
    _, asked = edge.origin.asked[-1]
    assert asked["x-riparian-account"] == "a1"
    assert not {"x-riparian-rate", "x-envoy-auth-failure-mode-allowed"} & asked.keys()


def token(secret: bytes = RING.current.secret, *, alg: str = "HS256", kid: str = "k1", **changed: Any) -> str:
    """Write a grant as somebody else might; claims that are None are left out."""
    claims = {"iss": "riparian", "sub": "a1", "rp": "/media/r1/", "rr": "full", "exp": int(time.time()) + 60, **changed}
    header = json.dumps({"alg": alg, "kid": kid, "typ": "JWT"})
    kept = {name: claim for name, claim in claims.items() if claim is not None}
    said = f"{encode(header.encode())}.{encode(json.dumps(kept).encode())}"
    return f"{said}.{encode(hmac.digest(secret, said.encode(), 'sha256')) if alg == 'HS256' else ''}"


def altered(grant: str) -> str:
    """Lengthen it, under the signature that it has."""
    header, _, mac = grant.split(".")
    return ".".join((header, token(exp=int(time.time()) + 3600).split(".")[1], mac))


ASKED = "/media/r1/1.m4s"
GRANTS: dict[str, tuple[int, str, str, Callable[[Running], str]]] = {
    "a grant": (200, "a1", ASKED, lambda e: e.grant()),
    "deep below it": (200, "a1", "/media/r1/hi/1.m4s", lambda e: e.grant()),
    "of the key that comes next": (200, "a1", ASKED, lambda e: e.grant(key="k2")),
    "for one path only": (200, "a1", ASKED, lambda e: e.grant(path=ASKED)),
    "for a path that has to be encoded": (200, "a1", "/media/a%20b/1", lambda e: e.grant(path="/media/a%20b/")),
    "written by somebody who knows the key": (200, "a1", ASKED, lambda _: token()),
    "none": (403, "a1", ASKED, lambda _: ""),
    "nonsense": (403, "a1", ASKED, lambda _: "a.b.c"),
    "of another form": (403, "a1", ASKED, lambda e: e.grant(form=Form.HMAC)),
    "of another account": (403, "a2", ASKED, lambda e: e.grant()),
    "shown by nobody": (403, "", ASKED, lambda e: e.grant()),
    "two, the second one's own": (403, "a1", ASKED, lambda e: e.grant("a2") + "&g=" + e.grant()),
    "for another recording": (403, "a1", "/media/r2/1.m4s", lambda e: e.grant()),
    "for a recording whose name begins so": (403, "a1", "/media/r10/1.m4s", lambda e: e.grant()),
    "for the beginning of a name": (403, "a1", "/media/r10/1.m4s", lambda e: e.grant(path="/media/r1")),
    "for one path, shown below it": (403, "a1", "/media/r1/1/2", lambda e: e.grant(path="/media/r1/1")),
    "up and down again": (403, "a1", "/media/r1/../r2/1", lambda e: e.grant()),
    "up and down, encoded": (403, "a1", "/media/r1/%2e%2e/r2/1", lambda e: e.grant()),
    "up and down, hidden": (400, "a1", "/media/r1%2f..%2fr2/1", lambda e: e.grant()),
    "up and down, as servlets read it": (403, "a1", "/media/r1/..;/r2/1", lambda e: e.grant()),
    "another spelling of its path": (200, "a1", "/media/%721/1", lambda e: e.grant()),
    "a spelling that could be another path": (400, "a1", "/media/r1/a%3b", lambda e: e.grant()),
    "of a device, where there are none": (403, "a1", ASKED, lambda e: e.grant(device="d1")),
    "past its end a day ago": (403, "a1", ASKED, lambda e: e.grant(over_s=-RENEWED_S)),
    "past its end, of another account": (403, "a2", ASKED, lambda e: e.grant(over_s=-5)),
    "past its end, for another recording": (403, "a1", "/media/r2/1.m4s", lambda e: e.grant(over_s=-5)),
    "past its end, of another's key": (403, "a1", ASKED, lambda _: token(b"9" * 32, exp=int(time.time()) - 5)),
    "past its end, of a key that nobody knows": (
        403,
        "a1",
        ASKED,
        lambda _: token(b"9" * 32, kid="k9", exp=int(time.time()) - 5),
    ),
    "made longer": (403, "a1", ASKED, lambda e: altered(e.grant())),
    "with its signature off": (403, "a1", ASKED, lambda e: e.grant().rpartition(".")[0] + "."),
    "that says it has no signature": (403, "a1", ASKED, lambda _: token(alg="none")),
    "of a key that nobody knows": (403, "a1", ASKED, lambda _: token(b"9" * 32, kid="k9")),
    "of another's key of the same name": (403, "a1", ASKED, lambda _: token(b"9" * 32)),
    "of another house": (403, "a1", ASKED, lambda _: token(iss="somebody")),
    "without an end": (403, "a1", ASKED, lambda _: token(exp=None)),
    "without a path": (403, "a1", ASKED, lambda _: token(rp=None)),
    "below it, a name that begins with a dot": (200, "a1", "/media/r1/.x", lambda e: e.grant()),
    "below it, a name that begins with two": (403, "a1", "/media/r1/..x", lambda e: e.grant()),
    "below it, three dots at the end": (403, "a1", "/media/r1/...", lambda e: e.grant()),
    "whose path is a list": (403, "a1", ASKED, lambda _: token(rp=["/media/r1/"])),
    "whose account is a number": (403, "1", ASKED, lambda _: token(sub=1)),
}


@pytest.mark.parametrize("situation", GRANTS)
def test_media_is_for_whom_and_what_and_when_it_was_granted(edge: Running, situation: str) -> None:
    status, account, path, grant = GRANTS[situation]
    told = edge.get(f"{path}?g={grant(edge)}", account)
    assert told.status_code == status, told.text
    if status == 403:
        assert told.headers["x-riparian-because"] == told.json()["because"] == "grant"
        assert "www-authenticate" not in told.headers  # Envoy's own repeats the URL, and the grant in it


RENEWED: dict[str, Callable[[Running], str]] = {
    "a moment ago": lambda e: e.grant(over_s=-1),
    "past the time that it is open while no gate answers": lambda e: e.grant(over_s=-600),
    "hours ago": lambda e: e.grant(over_s=60 - RENEWED_S),
    "for this path only": lambda e: e.grant(path=ASKED, over_s=-5),
}


@pytest.mark.parametrize("situation", RENEWED)
def test_who_is_still_welcome_is_sent_to_the_same_address_with_a_fresh_grant(edge: Running, situation: str) -> None:
    told = edge.get(f"{ASKED}?a=1&g={RENEWED[situation](edge)}", "a1")
    assert (told.status_code, told.headers["x-riparian-because"]) == (307, "grant"), told.text
    assert (told.headers["cache-control"], told.text) == ("no-store", "")
    assert told.headers["location"].startswith(f"{ASKED}?a=1&g=ey")
    cookie, _, terms = told.headers["set-cookie"].partition("; ")
    assert terms == "Path=/media/r1/; Max-Age=60; HttpOnly; SameSite=Lax"
    asked = edge.stat("cluster.riparian_gates.upstream_rq_total")
    assert edge.get(told.headers["location"], "a1").status_code == 200
    assert edge.get(f"{ASKED}?g={RENEWED[situation](edge)}", "a1", Cookie=f"a=1; {cookie}").status_code == 200
    assert edge.stat("cluster.riparian_gates.upstream_rq_total") == asked, "who keeps cookies asks nobody"


KEPT: dict[str, tuple[int, str, str, Callable[[Running], str]]] = {
    "of another account": (307, "a1", ASKED, lambda e: e.grant("a2")),
    "of another recording": (307, "a1", ASKED, lambda e: e.grant(path="/media/r2/")),
    "that has ended, too": (307, "a1", ASKED, lambda e: e.grant(over_s=-3)),
    "that is none": (307, "a1", ASKED, lambda _: "a.b.c"),
    "of another's key": (307, "a1", ASKED, lambda _: token(b"9" * 32)),
}


@pytest.mark.parametrize("situation", KEPT)
def test_a_cookie_that_does_not_hold_is_none(edge: Running, situation: str) -> None:
    status, account, path, kept = KEPT[situation]
    told = edge.get(f"{path}?g={edge.grant(over_s=-5)}", account, Cookie=f"riparian={kept(edge)}")
    assert told.status_code == status
    assert edge.get(f"{path}?g={edge.grant()}", account, Cookie=f"riparian={kept(edge)}").status_code == 200


def test_a_cookie_stands_in_for_no_other_than_a_grant_that_has_ended(edge: Running) -> None:
    good = f"riparian={edge.grant()}"
    for query in (
        "",
        "g=a.b.c",
        f"g={token(b'9' * 32)}",
        f"g={edge.grant('a2')}",
        f"g={edge.grant(path='/media/r2/')}",
    ):
        assert edge.get(f"{ASKED}?{query}", "a1", Cookie=good).status_code == 403
    preview = f"riparian={edge.grant(rate=Rate.PREVIEW)}"
    assert edge.get(f"{ASKED}?g={edge.grant(over_s=-5)}", "a1", Cookie=preview).status_code == 200
    assert edge.origin.asked[-1][1]["x-riparian-rate"] == "preview"


@pytest.mark.parametrize("account", ["held", "ended"])
def test_who_is_restrained_meanwhile_is_told_so_when_the_grant_has_ended(edge: Running, account: str) -> None:
    told = edge.get(f"{ASKED}?g={edge.grant(account, over_s=-5)}", account)
    assert (told.status_code, told.headers["x-riparian-because"]) == (403, "person")
    assert told.json()["appeal"] == PAGES["appeal_url"]
    assert "location" not in told.headers


def test_a_grant_may_stand_in_a_header(edge: Running) -> None:
    assert edge.get(ASKED, "a1", X_Riparian_Grant=edge.grant()).status_code == 200
    assert edge.get(ASKED, "a2", X_Riparian_Grant=edge.grant()).status_code == 403


def test_a_grant_that_was_verified_before_is_good_for_nobody_else(edge: Running) -> None:
    grant = edge.grant()
    statuses = [
        edge.get(f"{path}?g={grant}", account).status_code
        for path, account in ((ASKED, "a1"), (ASKED, "a2"), (ASKED, "a1"), ("/media/r2/1", "a1"))
    ]
    assert statuses == [200, 403, 200, 403]


def test_media_asks_no_gate(edge: Running) -> None:
    asked = edge.stat("cluster.riparian_gates.upstream_rq_total")
    for _ in range(20):
        assert edge.get(f"{ASKED}?g={edge.grant()}", "a1").status_code == 200
    assert edge.stat("cluster.riparian_gates.upstream_rq_total") == asked


def test_whoever_is_ended_is_refused_at_once_by_what_asks_and_at_the_end_of_the_grant_by_what_does_not(
    edge: Running,
) -> None:
    grant = edge.grant("late-1", over_s=2)
    assert edge.get("/licence/r1", "late-1").status_code == 200
    edge.gates[0].judge("late-1 end")
    begun = time.monotonic()
    told = edge.get("/licence/r1", "late-1")
    assert (told.status_code, told.headers["x-riparian-action"]) == (403, "end")
    assert time.monotonic() - begun < 2
    assert edge.get(f"{ASKED}?g={grant}", "late-1").status_code == 200
    until(lambda: edge.get(f"{ASKED}?g={grant}", "late-1").status_code == 403, what="the grant has ended")
    edge.gates[0].judge("late-1 allow")
    assert edge.get("/licence/r1", "late-1").status_code == 200
