import asyncio
import threading
import time
from collections.abc import Mapping
from typing import Any

import httpx
import pytest
import uvicorn
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route, WebSocketRoute
from starlette.websockets import WebSocket

from riparian.edges.asgi import Riparian, Served
from riparian.edges.door import Door
from riparian.gate.grants import Grant, Rate, issue
from tests.edges.wires import NOW_US, RING, Told, a_door

LIST = b"slow\tslow\t0\tevidence\nprove\tstep_up\t0\tevidence\nheld\thold\t0\tevidence\nover\tend\t0\tperson\n"
NOW_S = NOW_US // 1_000_000


async def playlist(request: Request) -> Response:
    served: Served = request.scope["riparian"]
    return PlainTextResponse(f"{served.rate} {served.grant()}")


async def segment(request: Request) -> Response:
    served: Served = request.scope["riparian"]
    return PlainTextResponse(f"{served.asked.account.decode()} {served.rate}")


async def tracks(request: Request) -> Response:
    return JSONResponse([], headers={"X-Riparian-Rows": request.query_params["n"]})


async def pages(request: Request) -> Response:
    request.scope["riparian"].rows = int(request.query_params["n"])
    return JSONResponse([])


async def about(request: Request) -> Response:
    return PlainTextResponse("ours" if "riparian" in request.scope else "open")


async def live(socket: WebSocket) -> None:
    await socket.accept()
    await socket.send_text(socket.scope["riparian"].asked.account.decode())
    await socket.close()


def application(door: Door) -> Starlette:
    routes = [
        Route("/media/{recording}/a.m3u8", playlist),
        Route("/media/{recording}/{segment}", segment),
        WebSocketRoute("/media/{recording}/live", live),
        Route("/tracks", tracks),
        Route("/dump", pages),
        Route("/about", about),
        Route("/.well-known/x", about),
        Route("/about;x", about),
        Route("/keys/{recording}", about),
    ]
    return Starlette(routes=routes, middleware=[Middleware(Riparian, door=door)])


def asking(door: Door, *requests: tuple[str, Mapping[str, str]], method: str = "GET") -> list[Told]:
    """Ask an application in this process, one after the other."""

    async def ask() -> list[Told]:
        transport = httpx.ASGITransport(application(door))
        async with httpx.AsyncClient(transport=transport, base_url="http://app") as client:
            answers = [await client.request(method, path, headers=fields) for path, fields in requests]
        return [
            Told(each.status_code, {k.title(): v for k, v in each.headers.items()}, each.content) for each in answers
        ]

    return asyncio.run(ask())


def judged(policy: Mapping[str, Any] | None = None, **more: Any) -> Door:
    door, _ = a_door(policy, push="s", **more)
    fields = {b"x-riparian-epoch": b"e", b"x-riparian-from": b"0", b"x-riparian-to": b"1", b"x-riparian-full": b"1"}
    assert door.pushed.take(fields, LIST).status == 200
    return door


def by(account: str) -> dict[str, str]:
    return {"X-Account": account}


SITUATIONS = {
    "served": ("/media/r1/1.ts", by("a"), 200, "allow", "none"),
    "held": ("/media/r1/1.ts", by("held"), 403, "hold", "evidence"),
    "ended": ("/tracks?n=1", by("over"), 403, "end", "person"),
    "slowed": ("/media/r1/1.ts", by("slow"), 429, "slow", "evidence"),
    "asked who it is": ("/keys/r1", by("prove"), 401, "step_up", "evidence"),
    "no route of ours": ("/about", by("held"), 200, None, None),
    "a well-known place": ("/.well-known/x", by("held"), 200, None, None),
    "no route of ours, oddly spelt": ("/about;x", by("held"), 200, None, None),
    "ours, oddly spelt": ("/media/r1/%31.ts", by("a"), 400, None, None),
    "an encoded slash": ("/media%2Fr1/1.ts", by("a"), 400, None, None),
}


@pytest.mark.parametrize(("path", "fields", "status", "action", "because"), SITUATIONS.values(), ids=SITUATIONS)
def test_an_application_is_asked_only_for_what_is_served(
    path: str, fields: dict[str, str], status: int, action: str | None, because: str | None
) -> None:
    [told] = asking(judged(), (path, fields))
    assert (told.status, told.headers.get("X-Riparian-Action")) == (status, action)
    assert told.headers.get("X-Riparian-Because") == because


def test_a_person_is_told_why_and_where_to_object() -> None:
    [told] = asking(judged(), ("/media/r1/1.ts", by("over")))
    assert told.json["why"] == "A person decided so, and somebody else can review it."
    assert told.json["appeal"] == "https://example.org/appeal"
    [head] = asking(judged(), ("/media/r1/1.ts", by("over")), method="HEAD")
    assert (head.status, head.body, head.headers["Content-Length"]) == (403, b"", told.headers["Content-Length"])


PLACES = {
    "a header": ("header:X-Account", "/media/r1/1.ts", {"X-Account": "held"}),
    "a cookie": ("cookie:who", "/media/r1/1.ts", {"Cookie": "theme=dark; who=held"}),
    "an argument": ("arg:who", "/media/r1/1.ts?x=1&who=%68eld", {}),
    "a claim": ("jwt:sub", "/media/r1/1.ts", {"Authorization": "Bearer e30.eyJzdWIiOiJoZWxkIn0.x"}),
}


@pytest.mark.parametrize(("account", "path", "fields"), PLACES.values(), ids=PLACES)
def test_the_account_stands_where_the_operator_leaves_it(account: str, path: str, fields: dict[str, str]) -> None:
    edge = {"account": account, "route": [{"path": "/media/{recording}/**", "kind": "media"}]}
    named, nameless = asking(judged(edge=edge), (path, fields), ("/media/r1/1.ts", {}))
    assert (named.status, nameless.status) == (403, 200)


TWICE = {
    "two headers": ("header:who", "", [("who", "a"), ("who", "b")]),
    "one header, and again": ("header:who", "", [("who", "a"), ("WHO", "a")]),
    "two cookies": ("cookie:who", "", [("Cookie", "who=a; who=b")]),
    "two lines of cookies": ("cookie:who", "", [("Cookie", "who=a"), ("Cookie", "who=b")]),
    "a cookie in quotes": ("cookie:who", "", [("Cookie", 'who="a"')]),
    "a cookie with an escape": ("cookie:who", "", [("Cookie", "who=\\141")]),
    "two arguments": ("arg:who", "?who=a&who=b", []),
    "an argument in another spelling": ("arg:who", "?who=a&%77ho=b", []),
}


@pytest.mark.parametrize(("account", "query", "fields"), TWICE.values(), ids=TWICE)
def test_whoever_could_be_two_is_nobody(account: str, query: str, fields: list[tuple[str, str]]) -> None:
    edge = {"account": account, "route": [{"path": "/media/{recording}/**", "kind": "media"}]}

    async def ask() -> int:
        transport = httpx.ASGITransport(application(judged(edge=edge)))
        async with httpx.AsyncClient(transport=transport, base_url="http://app") as client:
            return (await client.get(f"/media/r1/1.ts{query}", headers=fields)).status_code

    assert asyncio.run(ask()) == 400


def token(account: str = "a", path: str = "/media/r1/", until_s: int = NOW_S + 60, rate: Rate = Rate.FULL) -> str:
    return issue(Grant(account, path, "", until_s, rate, "k1"), RING)


GRANTS = {
    "it holds": (token(), by("a"), 200, b"a full"),
    "it says who asks": (token(), {}, 200, b"a full"),
    "it is for a preview": (token(rate=Rate.PREVIEW), by("a"), 200, b"a preview"),
    "of another account": (token(), by("b"), 403, None),
    "of another path": (token(path="/media/r2/"), by("a"), 403, None),
    "that ended": (token(until_s=NOW_S), by("a"), 307, None),
    "that ended, of nobody": (token(until_s=NOW_S), {}, 403, None),
    "that is none": ("rg1.x", by("a"), 403, None),
    "of an account that is held by now": (token("held"), {}, 403, None),
}


@pytest.mark.parametrize(("grant", "fields", "status", "body"), GRANTS.values(), ids=GRANTS)
def test_a_grant_is_looked_at(grant: str, fields: dict[str, str], status: int, body: bytes | None) -> None:
    [told] = asking(judged(), (f"/media/r1/1.ts?g={grant}", fields))
    assert (told.status, told.body if body is not None else None) == (status, body)


def test_a_grant_from_a_playlist_opens_its_segments() -> None:
    door = judged()
    [told] = asking(door, ("/media/r1/a.m3u8", by("a")))
    rate, _, granted = told.body.decode().partition(" ")
    own, other = asking(door, (f"/media/r1/1.ts?g={granted}", {}), (f"/media/r2/1.ts?g={granted}", {}))
    assert (rate, own.body, other.status) == ("full", b"a full", 403)
    assert other.headers["X-Riparian-Because"] == "grant"


def test_a_preview_is_what_the_application_makes_of_it() -> None:
    door = judged({"refused": "preview", "novelty_burst": 1, "novelty_per_day": 0})
    told = asking(door, *((f"/media/r{i}/1.ts", by("a")) for i in (1, 2, 1)))
    assert [each.body for each in told] == [b"a full", b"a preview", b"a full"]
    assert told[1].headers["X-Riparian-Rate"] == "preview"


@pytest.mark.parametrize("path", ["/tracks", "/dump"])
def test_rows_that_were_returned_are_asked_for_with_the_next_request(path: str) -> None:
    edge = {"route": [{"path": "/tracks", "kind": "metadata"}, {"path": "/dump", "kind": "metadata"}]}
    door = judged({"rows_burst": 100, "rows_per_day": 0}, edge=edge)
    told = asking(door, *((f"{path}?n=60", by("a")) for _ in range(4)), (f"{path}?n=60", by("b")))
    # The second pays for the first; sixty more than the forty that are left are owed by the third, and stay so.
    assert [each.status for each in told] == [200, 200, 429, 429, 200]
    assert told[2].headers["X-Riparian-Because"] == "rows"
    assert "X-Riparian-Rows" not in told[0].headers


def test_in_shadow_everything_is_served_and_what_would_not_have_been_is_said() -> None:
    door = judged({"mode": "shadow"})
    held, ungranted = asking(door, ("/media/r1/1.ts", by("held")), (f"/media/r1/1.ts?g={token('b')}", by("a")))
    assert (held.status, held.headers["X-Riparian-Would"]) == (200, "evidence")
    assert ungranted.status == 200
    assert {why: n for (_, why), n in door.let_through.items()} == {"grant": 1}


def test_a_push_comes_through_the_application() -> None:
    door = judged()
    fields = {"X-Riparian-Epoch": "e", "X-Riparian-From": "1", "X-Riparian-To": "2", "X-Riparian-Full": "0"}

    async def push(secret: str) -> int:
        transport = httpx.ASGITransport(application(door))
        async with httpx.AsyncClient(transport=transport, base_url="http://app") as client:
            said = fields | {"Authorization": f"Bearer {secret}"}
            return (await client.post("/riparian/verdicts", content=b"a\thold\t0\tperson\n", headers=said)).status_code

    assert [asyncio.run(push(secret)) for secret in ("t", "s", "s")] == [401, 200, 409]
    assert asking(door, ("/media/r1/1.ts", by("a")))[0].status == 403


@pytest.mark.parametrize(
    ("account", "told"),
    [("a", ["websocket.accept", "websocket.send", "websocket.close"]), ("held", ["websocket.close"])],
)
def test_a_websocket_of_ours_opens_for_whom_it_may(account: str, told: list[str]) -> None:
    sent: list[str] = []

    async def receive() -> dict[str, Any]:
        return {"type": "websocket.connect"}

    async def send(message: Any) -> None:
        sent.append(message["type"])

    scope = {
        "type": "websocket",
        "path": "/media/r1/live",
        "query_string": b"",
        "headers": [(b"x-account", account.encode())],
    }
    asyncio.run(application(judged())(scope, receive, send))
    assert sent == told


@pytest.mark.slow
def test_a_real_server_does_the_same() -> None:
    config = uvicorn.Config(application(judged()), port=0, log_level="error", lifespan="on")
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run)
    thread.start()
    try:
        deadline = time.monotonic() + 30
        while not server.started:
            assert time.monotonic() < deadline
            time.sleep(0.01)
        port = server.servers[0].sockets[0].getsockname()[1]
        with httpx.Client(base_url=f"http://127.0.0.1:{port}") as client:
            assert client.get("/media/r1/1.ts", headers=by("a")).text == "a full"
            assert client.get("/media/r1/1.ts", headers=by("held")).status_code == 403
            assert client.get("/media/r1/%31.ts", headers=by("a")).status_code == 400
            assert client.head("/media/r1/1.ts", headers=by("held")).content == b""
            assert client.get("/about").text == "open"
    finally:
        server.should_exit = True
        thread.join(20)
    assert not thread.is_alive()
