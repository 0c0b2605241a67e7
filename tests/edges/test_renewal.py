"""A grant that has ended is followed by another: at a gate, whoever asks it, and in front of an application."""

import json
import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import pytest

from riparian.edges.door import Door, Keys
from riparian.gate.grants import RENEWED_S, Form, Grant, Rate, issue, verify
from riparian.gate.keys import Key, KeyRing
from tests.edges.test_asgi import asking
from tests.edges.wires import NOW_US, RING, Running, Told, a_door, serving

NOW_S = NOW_US // 1_000_000
LIST = b"slow\tslow\t0\tevidence\nprove\tstep_up\t0\tevidence\nheld\thold\t0\tevidence\nover\tend\t0\tperson\n"
PATH = "/media/r1/1.ts"
STRANGERS = KeyRing(Key("k1", b"x" * 32, 0), Key("k2", b"y" * 32, 0))
UNKNOWN = KeyRing(Key("k8", b"x" * 32, 0), Key("k9", b"y" * 32, 0))


def a_grant(account: str = "a", *, over_s: int = 5, form: Form = Form.HMAC, ring: KeyRing = RING, **other: Any) -> str:
    """Issue a grant that ended so many seconds ago."""
    said = {"path": "/media/r1/", "device": "", "rate": Rate.FULL, "key": ring.current.id} | other
    return issue(Grant(account=account, until_s=NOW_S - over_s, **said), ring, form)


def judged(policy: Mapping[str, Any] | None = None) -> Door:
    door, _ = a_door({"requests_burst": 1000, "grant_s": 30, **(policy or {})}, push="s")
    fields = {b"x-riparian-epoch": b"e", b"x-riparian-from": b"0", b"x-riparian-to": b"1", b"x-riparian-full": b"1"}
    assert door.pushed.take(fields, LIST).status == 200
    return door


@pytest.fixture(scope="module")
def gate() -> Iterator[Running]:
    with serving(judged()) as running:
        yield running


RENEWED: dict[str, tuple[str, str]] = {
    "a moment ago": ("a", a_grant()),
    "this second": ("a", a_grant(over_s=0)),
    "some hours ago": ("a", a_grant(over_s=RENEWED_S - 1)),
    "as a JWT": ("a", a_grant(form=Form.JWT)),
    "as a Common Access Token": ("a", a_grant(form=Form.CAT)),
    "of the key that issues next": ("a", a_grant(key="k2")),
    "for this path only": ("a", a_grant(path=PATH)),
    "of an account outside ASCII": ("zoë", a_grant("zoë")),
}
REFUSED: dict[str, tuple[str, str, str]] = {
    "no grant": ("a", PATH, ""),
    "of another account": ("b", PATH, a_grant()),
    "of whom nothing but the grant names": ("", PATH, a_grant()),
    "for another recording": ("a", "/media/r2/1.ts", a_grant()),
    "for a recording whose name begins so": ("a", "/media/r10/1.ts", a_grant()),
    "for another path": ("a", "/media/r1/2.ts", a_grant(path=PATH)),
    "bound to a device": ("a", PATH, a_grant(device="d")),
    "forged": ("a", PATH, a_grant(ring=STRANGERS)),
    "forged, as a JWT": ("a", PATH, a_grant(ring=STRANGERS, form=Form.JWT)),
    "of a key that is no more": ("a", PATH, a_grant(ring=UNKNOWN)),
    "altered": ("a", PATH, a_grant().replace(".full.", ".preview.")),
    "its end moved back to today": ("a", PATH, a_grant(over_s=10**8).replace(f".{NOW_S - 10**8}.", f".{NOW_S}.")),
    "a day ago": ("a", PATH, a_grant(over_s=RENEWED_S)),
    "years ago": ("a", PATH, a_grant(over_s=10**8)),
    "nonsense": ("a", PATH, "rg1.%00..x"),
}  # fmt: skip
RESTRAINED = {
    "who is held": ("held", 403, "evidence"),
    "who is ended": ("over", 403, "person"),
    "who is to prove who it is": ("prove", 401, "evidence"),
    "who is slowed, a new recording": ("slow", 429, "evidence"),
}


def late(gate: Running, account: str, grant: str, path: str = PATH, more: str = "") -> Told:
    named = {"X_Account": account} if account else {}
    return gate.data(f"/late{path}?g={grant}{more}", **named)


@pytest.mark.parametrize("situation", RENEWED)
def test_who_is_still_welcome_is_sent_to_the_same_address_with_a_fresh_grant(gate: Running, situation: str) -> None:
    account, grant = RENEWED[situation]
    told = late(gate, account, grant, more="&quality=high")
    assert (told.status, told.headers["X-Riparian-Because"], told.headers["Cache-Control"]) == (
        307,
        "grant",
        "no-store",
    )
    cookie, _, terms = told.headers["Set-Cookie"].partition("; ")
    assert terms.endswith("; Max-Age=30; HttpOnly; SameSite=Lax")
    path, _, query = told.headers["Location"].partition("?")
    first, _, fresh = query.partition("&g=")
    assert (path, first, cookie) == (PATH, "quality=high", f"riparian={fresh}")
    found = verify(fresh, RING, account=account, path="/media/r1/2.ts", device="", now_s=NOW_S + 29)
    assert isinstance(found, Grant)
    assert (fresh.startswith("rg1."), fresh.count(".")) == (grant.startswith("rg1."), grant.count("."))
    again = late(gate, account, fresh)
    assert (again.status, again.headers.get("Location")) == (200, None), "a fresh grant leads nowhere else"


@pytest.mark.parametrize("situation", REFUSED)
def test_what_was_never_good_for_this_or_long_ago_is_refused(gate: Running, situation: str) -> None:
    account, path, grant = REFUSED[situation]
    told = late(gate, account, grant, path)
    assert (told.status, told.headers["X-Riparian-Because"]) == (403, "grant")
    assert "Location" not in told.headers


@pytest.mark.parametrize("situation", RESTRAINED)
def test_who_is_restrained_meanwhile_is_told_so(gate: Running, situation: str) -> None:
    account, status, because = RESTRAINED[situation]
    told = late(gate, account, a_grant(account))
    assert (told.status, told.headers["X-Riparian-Because"]) == (status, because)
    assert "Location" not in told.headers


def test_a_repeat_is_free_and_what_is_new_costs_what_it_costs() -> None:
    with serving(judged({"novelty_burst": 1, "novelty_per_day": 1})) as gate:
        assert [late(gate, "a", a_grant()).status for _ in range(3)] == [307, 307, 307]
        told = late(gate, "a", a_grant(path="/media/r2/"), "/media/r2/1.ts")
        assert (told.status, told.headers["X-Riparian-Because"]) == (429, "novelty")


def test_where_a_preview_is_to_be_had_the_next_grant_is_for_a_preview() -> None:
    with serving(judged({"novelty_burst": 1, "novelty_per_day": 1, "refused": "preview"})) as gate:
        assert ".full." in late(gate, "a", a_grant()).headers["Location"]
        told = late(gate, "a", a_grant(path="/media/r2/"), "/media/r2/1.ts")
        assert ".preview." in told.headers["Location"]


ADDRESSES = {
    "another server": ("//evil.example/media/r1/1.ts", "", 400),
    "another server, behind a backslash": ("/\\evil.example/1.ts", "", 400),
    "a way up": ("/media/r1/../../1.ts", "", 400),
    "a path that is not ours": ("/evil.example", "", 404),
    "a line more, encoded": (PATH, "&x=%0d%0aSet-Cookie:%20a=b", 307),
    "quotes and brackets": (PATH, '&x="><script>', 307),
    "an address of its own": (PATH, "&next=https://evil.example/", 307),
    "more grants": (PATH, "&G=rg1.older&g=rg1.oldest", 307),
}


@pytest.mark.parametrize("attack", ADDRESSES)
def test_nobody_is_sent_anywhere_else(gate: Running, attack: str) -> None:
    path, more, status = ADDRESSES[attack]
    told = late(gate, "a", a_grant(), path, more)
    assert told.status == status
    where = told.headers.get("Location", f"{PATH}?")
    assert where.startswith(f"{PATH}?")
    assert not set(where) & set('"<>\\ \t')
    assert where.lower().count("&g=") + where.lower().count("?g=") == (status == 307)
    assert re.fullmatch(r"(riparian=[\w.-]+; Path=/media/r1/; .*)?", told.headers.get("Set-Cookie", ""))


def test_a_key_that_was_rotated_out_renews_until_it_retires() -> None:
    door = judged()
    turned = RING.rotated(Key("k3", bytes(range(64, 96)), NOW_S), NOW_S)
    door.keys = Keys(bytes(16), "s", turned)
    leaked = KeyRing(Key("k4", b"z" * 32, 0), Key("k5", b"w" * 32, 0))
    with serving(door) as gate:
        assert late(gate, "a", a_grant()).status == 307
        door.keys = Keys(bytes(16), "s", leaked)
        assert late(gate, "a", a_grant()).status == 403


def test_nothing_else_than_media_is_renewed(gate: Running) -> None:
    assert late(gate, "a", a_grant(path="/keys/r1"), "/keys/r1").status == 403


def test_nginx_says_in_which_form_it_wants_a_grant(gate: Running) -> None:
    said = {"X_Riparian_Account": "a", "X_Riparian_Recording": "r1", "X_Riparian_Path": PATH}
    forms = {form: gate.data("/grant", **said, X_Riparian_Form=form) for form in ("hmac", "jwt", "cat")}
    issued = {form: told.headers.get("X-Riparian-Grant", "") for form, told in forms.items()}
    assert (issued["hmac"][:4], issued["jwt"].count("."), forms["cat"].status) == ("rg1.", 2, 400)


APPLIED: dict[str, tuple[Callable[[], str], str, int]] = {
    "a grant that holds": (lambda: a_grant(over_s=-5), "a", 200),
    "one that has ended": (a_grant, "a", 307),
    "one that has ended, of nobody": (a_grant, "", 403),
    "one that has ended, of somebody else": (a_grant, "b", 403),
    "one that has ended, of who is held": (lambda: a_grant("held"), "held", 403),
    "a forged one that has ended": (lambda: a_grant(ring=STRANGERS), "a", 403),
    "one that ended long ago": (lambda: a_grant(over_s=RENEWED_S), "a", 403),
}


@pytest.mark.parametrize("situation", APPLIED)
def test_in_front_of_an_application(situation: str) -> None:
    grant, account, status = APPLIED[situation]
    door = judged()
    fields = {"X-Account": account} if account else {}
    [told] = asking(door, (f"{PATH}?a=1&g={grant()}", fields))
    assert told.status == status
    if status == 307:
        [after] = asking(door, (told.headers["Location"], fields))
        assert (after.status, after.body) == (200, b"a full")


def test_in_shadow_nothing_is_refused_and_nothing_renewed() -> None:
    door = judged({"mode": "shadow"})
    [told] = asking(door, (f"{PATH}?g={a_grant()}", {"X-Account": "a"}))
    assert told.status == 200
    with serving(door) as gate:
        assert late(gate, "a", a_grant()).status == 200


def test_over_grpc_the_same() -> None:
    from envoy.service.auth.v3 import external_auth_pb2 as auth  # type: ignore[import-untyped]  # noqa: PLC0415

    from riparian.edges.grpc import Authorization  # noqa: PLC0415

    request = auth.CheckRequest()
    request.attributes.context_extensions["riparian"] = "late"
    http = request.attributes.request.http
    http.path, http.headers["x-account"] = f"{PATH}?g={a_grant(form=Form.JWT)}", "a"
    answered = auth.CheckResponse.FromString(Authorization(judged()).check(request))
    said = {each.header.key: each.header.value for each in answered.denied_response.headers}
    assert (answered.denied_response.status.code, said["X-Riparian-Because"]) == (307, "grant")
    assert said["Location"].startswith(f"{PATH}?g=ey")
    http.headers["x-account"] = "held"
    answered = auth.CheckResponse.FromString(Authorization(judged()).check(request))
    assert (answered.denied_response.status.code, json.loads(answered.denied_response.body)["because"]) == (
        403,
        "grant",
    )
