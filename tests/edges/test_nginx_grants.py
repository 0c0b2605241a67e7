"""What nginx itself lets through and refuses, without a gate: grants of every form, and a table of attacks."""

import base64
import json
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from riparian.edges.nginx import JWT_KEYS, LINK_KEYS, SECRETS, Build, Grants, List, configuration, secure_link
from riparian.gate.grants import Form, Grant, Rate, issue
from riparian.gate.keys import Key, KeyRing
from riparian.gate.policy import Mode, Policy
from riparian.gate.routes import parse_edge
from tests.edges.nginx import Nginx, Said, nginx, origin, until
from tests.edges.nginx_gate import PUSH, RING
from tests.ports import free_port

ACCOUNT, DEVICE, RECORDING, PATH = "a-0417", "phone 7", "r-5512", "/media/r-5512/1.m4s"
ROUTES: list[dict[str, str]] = [{"path": "/media/{recording}/**", "kind": "media"}]
NEVER = 2_000_000_000


def token(grants: Grants, ring: KeyRing = RING, recording: str = RECORDING, **other: Any) -> str:
    """Give the query of a grant, good for a minute unless something is said."""
    said: dict[str, Any] = {
        "account": ACCOUNT,
        "path": f"/media/{recording}/",
        "device": "",
        "until_s": int(time.time()) + 60,
        "rate": Rate.FULL,
        "key": ring.current.id,
    }
    grant = Grant(**(said | other))
    if grants is Grants.SECURE_LINK:
        return secure_link(grant, ring, recording)
    return "g=" + issue(grant, ring, Form(str(grants)))


def texts(port: int, at: int, grants: Grants, **other: Any) -> dict[str, str]:
    said = {
        "origin": f"http://127.0.0.1:{at}",
        "listen": f"127.0.0.1:{port}",
        "gates": ["127.0.0.1:1"],
        "route": ROUTES,
    }
    policy = other.pop("policy", Policy(mode=Mode.ENFORCE))
    build = Build(grants, other.pop("verdicts", List.KEYVAL))
    ring = other.pop("ring", RING)
    return configuration(parse_edge(said | other), policy, ring, push_secret=PUSH, build=build)


@pytest.fixture(scope="module", params=list(Grants), ids=str)
def edge(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Grants, Nginx]]:
    port = free_port()
    with ExitStack() as stack:
        at = stack.enter_context(origin())
        said = texts(port, at, request.param, device="header:X-Device")
        yield request.param, stack.enter_context(nginx(tmp_path_factory.mktemp("nginx"), said, port))


def asked(edge: Nginx, query: str, path: str = PATH, account: str = ACCOUNT, device: str = "") -> Said:
    named = {"x_account": account, "x_device": device}
    return edge.ask(f"{path}?{query}", **{name: value for name, value in named.items() if value})


def stranger() -> KeyRing:
    """Make keys of the same names that are not ours."""
    return KeyRing(Key("k1", b"x" * 32, 0), Key("k2", b"y" * 32, 0))


def unknown() -> KeyRing:
    """Make keys of names that edges have not heard of."""
    return KeyRing(Key("k8", b"x" * 32, 0), Key("k9", b"y" * 32, 0))


def flipped(query: str, at: int) -> str:
    return query[:at] + ("A" if query[at] != "A" else "B") + query[at + 1 :]


def rewritten(query: str, **claims: object) -> str:
    """Say something else in a JWT, under the same signature."""
    header, body, mac = query.removeprefix("g=").split(".")
    said = json.loads(base64.urlsafe_b64decode(body + "=="))
    return f"g={header}.{base64.urlsafe_b64encode(json.dumps(said | claims).encode()).decode().rstrip('=')}.{mac}"


SERVED: dict[str, Callable[[Grants, Nginx], Said]] = {
    "a grant": lambda form, edge: asked(edge, token(form)),
    "of the key that issues next": lambda form, edge: asked(edge, token(form, key="k2")),
    "another file below the path": lambda form, edge: asked(edge, token(form), path="/media/r-5512/720p/9.m4s"),
    "on the device that it is bound to": lambda form, edge: asked(edge, token(form, device="d-1"), device="d-1"),
    "where nothing but the grant says who asks": lambda form, edge: asked(edge, token(form), account=""),
    "with more in the query": lambda form, edge: asked(edge, token(form) + "&quality=high"),
    "of a name outside ASCII": lambda form, edge: asked(edge, token(form, account="zoë"), account=""),
}

REFUSED: dict[str, Callable[[Grants, Nginx], Said]] = {
    "no grant": lambda _, edge: asked(edge, ""),
    "an empty one": lambda _, edge: asked(edge, "g="),
    "for another account": lambda form, edge: asked(edge, token(form, account="a-9999")),
    "replayed by another account": lambda form, edge: asked(edge, token(form), account="a-9999"),
    "for another recording": lambda form, edge: asked(edge, token(form, recording="r-1")),
    "replayed for another recording": lambda form, edge: asked(edge, token(form), path="/media/r-1/1.m4s"),
    "for a recording whose name is longer": lambda form, edge: asked(edge, token(form), path="/media/r-55120/1.m4s"),
    "bound to a device, on another": lambda form, edge: asked(edge, token(form, device="d-1"), device="d-2"),
    "bound to a device, on none": lambda form, edge: asked(edge, token(form, device="d-1")),
    "bound to none, on a device": lambda form, edge: asked(edge, token(form), device="d-1"),
    "long ended": lambda form, edge: asked(edge, token(form, until_s=int(time.time()) - 600)),
    "signed by a stranger": lambda form, edge: asked(edge, token(form, stranger())),
    "of a key that there never was": lambda form, edge: asked(edge, token(form, unknown())),
    "its last byte another": lambda form, edge: asked(edge, flipped(token(form), -4)),
    "its first byte another": lambda form, edge: asked(edge, flipped(token(form), token(form).rfind("=") + 1)),
    "half of it": lambda form, edge: asked(edge, token(form)[: len(token(form)) // 2]),
    "very long": lambda _, edge: asked(edge, "g=rg1." + "a" * 6000),
    "nonsense": lambda _, edge: asked(edge, "g=..%00..%2e.constructor.__proto__&a=%ff&e=NaN&k=&md5=x"),
}

ATTACKS: dict[str, tuple[Grants, Callable[[], str]]] = {
    "hmac: a later end": (Grants.HMAC, lambda: later(token(Grants.HMAC))),
    "hmac: a preview made whole": (
        Grants.HMAC,
        lambda: token(Grants.HMAC, rate=Rate.PREVIEW).replace(".preview.", ".full."),
    ),
    "hmac: a mac cut to one byte": (Grants.HMAC, lambda: token(Grants.HMAC)[: -len("cQcqO33cYo0XDPWWwYrbHE") + 2]),
    "hmac: no mac": (Grants.HMAC, lambda: token(Grants.HMAC).rpartition(".")[0] + "."),
    "hmac: a field more": (Grants.HMAC, lambda: token(Grants.HMAC) + ".x"),
    "hmac: an end in another notation": (Grants.HMAC, lambda: exponent(token(Grants.HMAC))),
    "hmac: a key named like what every object has": (
        Grants.HMAC,
        lambda: token(Grants.HMAC).replace(".k1.", ".constructor."),
    ),
    "hmac: padded": (Grants.HMAC, lambda: token(Grants.HMAC) + "%3D%3D"),
    "jwt: no algorithm": (Grants.JWT, lambda: "g=" + unsigned(token(Grants.JWT))),
    "jwt: another account under the same signature": (Grants.JWT, lambda: rewritten(token(Grants.JWT), sub="a-9999")),
    "jwt: a later end under the same signature": (Grants.JWT, lambda: rewritten(token(Grants.JWT), exp=NEVER)),
    "jwt: no signature": (Grants.JWT, lambda: token(Grants.JWT).rpartition(".")[0] + "."),
    "secure_link: a later end": (Grants.SECURE_LINK, lambda: token(Grants.SECURE_LINK).replace("e=17", "e=18")),
    "secure_link: no end": (Grants.SECURE_LINK, lambda: without(token(Grants.SECURE_LINK), "e")),
    "secure_link: no key": (Grants.SECURE_LINK, lambda: without(token(Grants.SECURE_LINK), "k")),
    "secure_link: made with an empty secret": (Grants.SECURE_LINK, lambda: secretless(token(Grants.SECURE_LINK))),
}


def later(query: str) -> str:
    parts = query.split(".")
    return ".".join([*parts[:2], str(int(parts[2]) + 3600), *parts[3:]])


def exponent(query: str) -> str:
    parts = query.split(".")
    return ".".join([*parts[:2], "9e12", *parts[3:]])


def unsigned(query: str) -> str:
    head = base64.urlsafe_b64encode(b'{"alg":"none","kid":"k1","typ":"JWT"}').decode().rstrip("=")
    return f"{head}.{query.removeprefix('g=').split('.')[1]}."


def without(query: str, name: str) -> str:
    return "&".join(part for part in query.split("&") if not part.startswith(f"{name}="))


def secretless(query: str) -> str:
    import hashlib  # noqa: PLC0415 -- only what an attacker would do

    fields = dict(part.split("=", 1) for part in query.split("&"))
    said = f"{fields['e']} {fields['r']} {RECORDING}  {ACCOUNT} "
    mac = base64.urlsafe_b64encode(hashlib.md5(said.encode(), usedforsecurity=False).digest()).decode().rstrip("=")
    return f"a={ACCOUNT}&e={fields['e']}&k=nobody&r={fields['r']}&md5={mac}"


@pytest.mark.parametrize("situation", SERVED)
def test_a_grant_that_holds_is_served_by_nginx_alone(edge: tuple[Grants, Nginx], situation: str) -> None:
    said = SERVED[situation](*edge)
    assert (said.status, said["X-Riparian-Because"]) == (200, "none"), said.body


@pytest.mark.parametrize("situation", REFUSED)
def test_a_grant_that_does_not_hold_is_refused_and_the_origin_hears_nothing(
    edge: tuple[Grants, Nginx], situation: str
) -> None:
    said = REFUSED[situation](*edge)
    assert (said.status, said["X-Riparian-Because"]) == (403, "grant"), said.body
    assert said.letter["why"] == "The link is not, or no longer, valid for this."


@pytest.mark.parametrize("attack", ATTACKS)
def test_an_attack_on_a_form_of_grant_is_refused(edge: tuple[Grants, Nginx], attack: str) -> None:
    form, make = ATTACKS[attack]
    if form is not edge[0]:
        return
    assert asked(edge[1], make()).status == 403


@pytest.mark.parametrize(
    "path",
    [
        "/media/r-5512/../r-1/1.m4s",
        "/media/r-5512/%2e%2e/r-1/1.m4s",
        "/media/r-5512/..%2fr-1/1.m4s",
        "/media//r-5512/1.m4s",
        "//media/r-5512/1.m4s",
        "/media/r%2D5512/1.m4s",
        "/%6dedia/r-5512/1.m4s",
        "/media/r-5512/1.m4s%00",
        "/media/r-5512/1.m4s%0d%0aX-Riparian-Account:%20b",
        "/media/r-5512/..;/r-1/1.m4s",
        "/media/r-5512/.../r-1/1.m4s",
        "/.well-known/../media/r-5512/1.m4s",
        "/.well-known/..;/media/r-5512/1.m4s",
        "/media/r-5512/a\\..\\1.m4s",
    ],
)
def test_a_path_that_two_servers_may_read_in_two_ways_is_no_path(edge: tuple[Grants, Nginx], path: str) -> None:
    assert asked(edge[1], token(edge[0]), path=path).status == 400


def test_a_preview_is_told_to_the_origin(edge: tuple[Grants, Nginx]) -> None:
    said = asked(edge[1], token(edge[0], rate=Rate.PREVIEW))
    assert said.letter["headers"]["x-riparian-rate"] == "preview"
    told = edge[1].ask(f"{PATH}?{token(edge[0])}", x_account=ACCOUNT, x_riparian_rate="preview", x_riparian_grant="x")
    assert {"x-riparian-rate", "x-riparian-grant"} & told.letter["headers"].keys() == set()


def test_what_is_not_ours_passes(edge: tuple[Grants, Nginx]) -> None:
    for path in ("/about?x=1", "/.well-known/acme-challenge/x"):
        said = edge[1].ask(path)
        assert (said.status, said.letter["path"], said["X-Riparian-Action"]) == (200, path, "")


def test_secrets_stand_only_in_files_that_are_said_to_be_secret() -> None:
    for grants in Grants:
        for name, text in texts(1, 2, grants).items():
            holds = any(key.secret.hex() in text for key in RING) or PUSH in text or "oct" in text
            assert holds == (name in {SECRETS, JWT_KEYS, LINK_KEYS}), name


@pytest.mark.parametrize("grants", list(Grants), ids=str)
def test_in_shadow_nobody_misses_a_grant_and_it_is_counted(tmp_path: Path, grants: Grants) -> None:
    port = free_port()
    with origin() as at, nginx(tmp_path, texts(port, at, grants, policy=Policy()), port) as edge:
        said = [asked(edge, query) for query in ("", token(grants, stranger()), token(grants))]
        assert [(each.status, each["X-Riparian-Would"]) for each in said] == [(200, "grant"), (200, "grant"), (200, "")]
        assert edge.counts()['riparian_let_through_total{kind="media",why="shadow"}'] == 2


@pytest.mark.parametrize("grants", list(Grants), ids=str)
def test_keys_turn_without_dropping_a_listener(tmp_path: Path, grants: Grants) -> None:
    port, now_s = free_port(), int(time.time())
    turned = RING.rotated(Key("k3", bytes(range(64, 96)), now_s), now_s)
    with origin() as at, nginx(tmp_path, texts(port, at, grants), port) as edge:
        old, early = token(grants), token(grants, turned)
        assert asked(edge, early).status == 200, "the next key was known before it issued anything"
        for name, text in texts(port, at, grants, ring=turned).items():
            (tmp_path / name).write_text(text)
        edge.reload()
        assert [asked(edge, each).status for each in (old, early, token(grants, turned, key="k3"))] == [200, 200, 200]
        leaked = KeyRing(Key("k4", b"z" * 32, 0), Key("k5", b"w" * 32, 0))
        for name, text in texts(port, at, grants, ring=leaked).items():
            (tmp_path / name).write_text(text)
        edge.reload()
        assert [asked(edge, each).status for each in (old, token(grants, leaked))] == [403, 200]


CARRIERS: dict[str, tuple[str, Mapping[str, str], str, int]] = {
    "a header": ("header:X-Account", {"x_account": ACCOUNT}, "", 200),
    "a header, twice in one": ("header:X-Account", {"x_account": f"{ACCOUNT}, b"}, "", 403),
    "a cookie": ("cookie:who", {"cookie": f"theme=dark; who={ACCOUNT}"}, "", 200),
    "another cookie": ("cookie:who", {"cookie": "who=b"}, "", 403),
    "an argument": ("arg:who", {}, f"&who={ACCOUNT}", 200),
    "an argument, spelt otherwise": ("arg:who", {}, "&who=%61-0417", 200),
    "an argument of somebody else": ("arg:who", {}, "&who=b", 403),
    "a claim": (
        "jwt:sub",
        {"authorization": "Bearer e30." + base64.urlsafe_b64encode(b'{"sub":"a-0417"}').decode()},
        "",
        200,
    ),
    "a claim of somebody else": (
        "jwt:sub",
        {"authorization": "Bearer e30." + base64.urlsafe_b64encode(b'{"sub":"bb"}').decode()},
        "",
        403,
    ),
}


@pytest.mark.parametrize("carrier", CARRIERS)
def test_whom_a_request_is_of_is_read_where_the_operator_leaves_it(tmp_path: Path, carrier: str) -> None:
    said, headers, more, status = CARRIERS[carrier]
    port = free_port()
    with origin() as at, nginx(tmp_path, texts(port, at, Grants.HMAC, account=said), port) as edge:
        assert edge.ask(f"{PATH}?{token(Grants.HMAC)}{more}", **headers).status == status


def test_the_log_names_the_account_the_recording_and_what_became_of_it(edge: tuple[Grants, Nginx]) -> None:
    path = "/media/r-log/1.m4s"
    asked(edge[1], token(edge[0], recording="r-log"), path=path)
    line = until(lambda: [line for line in edge[1].log() if line["recording"] == "r-log"])[0]
    wanted = {"account": ACCOUNT, "action": "segment", "status": 200, "kind": "media", "because": "none"}
    assert {name: line[name] for name in wanted} == wanted
