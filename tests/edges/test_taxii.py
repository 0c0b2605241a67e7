"""The TAXII server: asked as another's client asks, as nobody should, and by those who mean harm."""

import asyncio
import base64
import contextlib
import json
import socket
import threading
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import pytest
import uvicorn
from stix2validator import ValidationOptions, validate_instance
from taxii2client import v21

from riparian.edges.taxii import LENGTH_MOST, Served, taxii_app
from riparian.engines.clocks import StoppedClock
from riparian.exchange import profile
from riparian.exchange.lint import checked
from riparian.exchange.taxii import PAGE_MOST, TAXII, micros
from riparian.ports.exchange import Collection
from riparian.stores.signals import SqlSignals

SHELF, OTHER = "91a7b528-80eb-42ed-a74d-c6fbd5a26116", "52892447-4d7e-4f70-b94d-d7f22742ff63"
AT_US = 1_795_426_200_000_000
HERE = f"/api/collections/{SHELF}/"
OBJECTS = f"{HERE}objects/"


def one(n: int, version: int = 0, kind: str = "indicator", **more: Any) -> dict[str, Any]:
    at = f"2026-11-{version + 1:02}T00:00:00.000Z"
    ident = f"{kind}--00000000-0000-4000-8000-{n:012}"
    return {"type": kind, "spec_version": "2.1", "id": ident, "created": at, "modified": at, **more}


class Desk:
    """A server with two collections, and the tokens of those who come."""

    def __init__(self, folder: Path) -> None:
        self.signals = SqlSignals(folder)
        self.signals.keep_collection(Collection(SHELF, "Reed", "What Reed found.", "ours", can_write=True))
        self.signals.keep_collection(Collection(OTHER, "Quay", can_write=True))
        allow = self.signals.allow
        self.tokens = {
            "all": allow("all", [SHELF], [SHELF]),
            "reader": allow("reader", [SHELF], []),
            "writer": allow("writer", [], [SHELF]),
            "none": allow("none", [], []),
        }
        served = Served(self.signals, StoppedClock(AT_US), "Reed Records", contact="room@reed.example", look=checked)
        self.app = taxii_app(served)

    def request(self, method: str, path: str, headers: dict[str, str], content: bytes = b"") -> httpx.Response:
        async def asked() -> httpx.Response:
            transport = httpx.ASGITransport(self.app, raise_app_exceptions=False)
            async with httpx.AsyncClient(transport=transport, base_url="http://reed") as client:
                return await client.request(method, path, headers=headers, content=content)

        return asyncio.run(asked())

    def ask(self, path: str, who: str = "all", method: str = "GET", **more: Any) -> httpx.Response:
        headers = {"accept": TAXII, "authorization": f"Bearer {self.tokens[who]}"} | more.pop("headers", {})
        return self.request(method, path, headers, **more)

    def add(self, said: object, who: str = "all", **headers: str) -> httpx.Response:
        octets = said if isinstance(said, bytes) else json.dumps(said).encode()
        return self.ask(OBJECTS, who, "POST", content=octets, headers={"content-type": TAXII} | headers)

    def idents(self, query: str = "") -> list[str]:
        return [it["id"][-3:] + it["modified"][9:10] for it in self.ask(f"{OBJECTS}{query}").json().get("objects", ())]


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    made = Desk(tmp_path)
    yield made
    made.signals.close()


def refused(answer: httpx.Response, status: int) -> None:
    """Hold that an answer is an error as TAXII 2.1, 3.6.1 has it."""
    said = answer.json()
    assert (answer.status_code, said["http_status"]) == (status, str(status)), answer.text
    assert answer.headers["content-type"] == TAXII
    assert set(said) <= {"title", "http_status", "description"}
    assert said["title"]


@contextlib.contextmanager
def listening(desk: Desk) -> Iterator[str]:
    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))
        held.listen()
        server = uvicorn.Server(uvicorn.Config(desk.app, log_level="error"))
        thread = threading.Thread(target=server.run, kwargs={"sockets": [held]})
        thread.start()
        try:
            while not server.started:
                time.sleep(0.01)
            yield f"http://127.0.0.1:{held.getsockname()[1]}"
        finally:
            server.should_exit = True
            thread.join()


def test_the_client_of_others_goes_all_the_way(tmp_path: Path) -> None:
    """taxii2-client: what is here, add, what became of it, read, filter, page, versions, delete."""
    desk = Desk(tmp_path)
    with listening(desk) as url:
        who = {"user": "quay", "password": desk.tokens["all"]}
        found = v21.Server(f"{url}/taxii2/", **who)
        assert (found.title, found.contact) == ("Reed Records", "room@reed.example")
        root = v21.ApiRoot(f"{url}/api/", **who)
        assert (root.title, root.versions, root.max_content_length) == ("Reed Records", [TAXII], LENGTH_MOST)
        (shelf,) = root.collections
        assert (shelf.id, shelf.title, shelf.can_read, shelf.can_write) == (SHELF, "Reed", True, True)
        assert (shelf.description, shelf.alias) == ("What Reed found.", "ours")

        objects = [one(n) for n in range(250)]
        status = shelf.add_objects({"objects": objects}, wait_for_completion=False)
        assert (status.status, status.success_count, status.failure_count) == ("complete", 250, 0)
        assert [it["id"] for it in status.successes] == [it["id"] for it in objects]
        status.refresh()
        assert status.total_count == 250
        shelf.add_objects({"objects": [one(0, 1)]})

        pages = list(v21.as_pages(shelf.get_objects, per_request=60))
        assert [len(page["objects"]) for page in pages] == [60, 60, 60, 60, 10]
        assert [it for page in pages for it in page["objects"]] == [*objects[1:], one(0, 1)]
        manifest = [it for page in v21.as_pages(shelf.get_manifest, per_request=60) for it in page["objects"]]
        assert [it["id"] for it in manifest] == [it["id"] for page in pages for it in page["objects"]]
        assert shelf.get_object(one(0)["id"])["objects"] == [one(0, 1)]
        assert shelf.object_versions(one(0)["id"])["versions"] == [one(0)["modified"], one(0, 1)["modified"]]
        assert shelf.get_objects(type="sighting") == {}
        assert shelf.get_objects(id=[one(3)["id"], one(4)["id"]])["objects"] == objects[3:5]
        assert shelf.get_objects(added_after=manifest[247]["date_added"])["objects"] == [objects[249], one(0, 1)]
        shelf.delete_object(one(0)["id"])
        with pytest.raises(Exception, match="404"):
            shelf.get_object(one(0)["id"])
        with pytest.raises(Exception, match="401"):
            v21.Server(f"{url}/taxii2/", user="quay", password="0" * 64).refresh()
        for it in (found, root, shelf, status):
            it.close()
    desk.signals.close()


def test_all_that_we_say_comes_out_as_it_went_in_and_others_hold_it_valid(desk: Desk) -> None:
    when = datetime.fromtimestamp(AT_US / 1e6, UTC)
    reed = profile.identity("Reed Records", when)
    said = profile.indicator(profile.Signal(url="https://mirror.example/琥珀.flac", error=1e-9), reed["id"], when)
    file = profile.file(profile.Signal(sha256="ab" * 32, seconds=181.25))
    all_of_it = [reed, dict(profile.MAKER), dict(profile.DEFINITION), said, file]
    assert desk.add({"objects": all_of_it}).status_code == 202
    assert desk.add({"objects": [profile.revoked(said, when)]}).status_code == 202
    out = desk.ask(f"{OBJECTS}?match[version]=all").json()["objects"]
    assert out == [*all_of_it, profile.revoked(said, when)]
    for it in out:
        assert validate_instance(it, ValidationOptions(version="2.1", interop=True)).is_valid
    assert desk.ask(f"{OBJECTS}{said['id']}/").json()["objects"][0]["revoked"] is True


@pytest.mark.parametrize(
    ("query", "wanted"),
    [
        pytest.param("", ["0021", "0031", "0012"], id="the last version of each"),
        pytest.param("?match[version]=first", ["0011", "0021", "0031"], id="the first"),
        pytest.param("?match[version]=all", ["0011", "0021", "0031", "0012"], id="all"),
        pytest.param("?match[version]=first,last", ["0011", "0021", "0031", "0012"], id="the first and the last"),
        pytest.param("?match[version]=2026-11-02T00:00:00Z", ["0012"], id="one by its time, spelt otherwise"),
        pytest.param("?match[type]=sighting", ["0031"], id="by type"),
        pytest.param("?match[type]=sighting,indicator", ["0021", "0031", "0012"], id="by types"),
        pytest.param("?match[type]=sighting&match[id]=" + one(1)["id"], [], id="both must fit"),
        pytest.param("?match[spec_version]=2.0", [], id="of another standard"),
        pytest.param("?match[spec_version]=2.0,2.1", ["0021", "0031", "0012"], id="of either standard"),
        pytest.param("?match[id]=" + one(2)["id"], ["0021"], id="by identifier"),
        pytest.param("?added_after=2026-11-23T09:30:00.000001Z", ["0031", "0012"], id="what was added later"),
        pytest.param("?added_after=1900-01-01T00:00:00Z", ["0021", "0031", "0012"], id="what was added since 1900"),
        pytest.param("?added_after=2026-11-23T11:30:00.000001%2B02:00", ["0031", "0012"], id="in another zone"),
        pytest.param("?limit=2", ["0021", "0031"], id="two"),
        pytest.param("?limit=999999999", ["0021", "0031", "0012"], id="more than there is"),
        pytest.param("?else=7", ["0021", "0031", "0012"], id="a word of others"),
    ],
)
def test_what_is_asked_for(desk: Desk, query: str, wanted: list[str]) -> None:
    desk.add({"objects": [one(1), one(2), one(3, kind="sighting"), one(1, 1)]})
    assert desk.idents(query) == wanted


def test_pages_say_when_their_first_and_last_were_added_and_where_the_next_begins(desk: Desk) -> None:
    desk.add({"objects": [one(n) for n in range(5)]})
    query, seen = "?limit=2", []
    while True:
        answer = desk.ask(OBJECTS + query)
        manifest = desk.ask(f"{HERE}manifest/{query}")
        dates = [it["date_added"] for it in manifest.json()["objects"]]
        for it in (answer, manifest):
            assert it.headers["x-taxii-date-added-first"] == dates[0]
            assert it.headers["x-taxii-date-added-last"] == dates[-1]
        said = answer.json()
        seen += [it["id"] for it in said["objects"]]
        if not said["more"]:
            break
        query = f"?limit=2&next={said['next']}"
    assert seen == [one(n)["id"] for n in range(5)]
    assert "next" not in said


def test_a_page_never_has_more_than_we_give(desk: Desk) -> None:
    desk.add({"objects": [one(n) for n in range(PAGE_MOST + 1)]})
    said = desk.ask(f"{OBJECTS}?limit=100000").json()
    assert (len(said["objects"]), said["more"]) == (PAGE_MOST, True)


def test_the_latest_version_is_the_latest_though_written_to_the_microsecond(desk: Desk) -> None:
    times = ["2026-11-01T00:00:00.123Z", "2026-11-01T00:00:00.123456Z", "2026-11-01T00:00:00Z"]
    desk.add({"objects": [one(1) | {"modified": at} for at in times]})
    assert [it["modified"] for it in desk.ask(OBJECTS).json()["objects"]] == [times[1]]
    assert desk.ask(f"{OBJECTS}{one(1)['id']}/versions/").json()["versions"] == [
        "2026-11-01T00:00:00.123Z",
        "2026-11-01T00:00:00.123456Z",
        "2026-11-01T00:00:00.000Z",
    ]


@pytest.mark.parametrize(
    ("query", "left"),
    [
        pytest.param("", [], id="all of it"),
        pytest.param("?match[version]=last", ["0011"], id="the last version"),
        pytest.param("?match[version]=2026-11-01T00:00:00.000Z", ["0012"], id="one version"),
        pytest.param("?match[spec_version]=2.1", [], id="all of a standard"),
    ],
)
def test_what_is_deleted(desk: Desk, query: str, left: list[str]) -> None:
    desk.add({"objects": [one(1), one(1, 1)]})
    assert desk.ask(f"{OBJECTS}{one(1)['id']}/{query}", method="DELETE").status_code == 200
    assert desk.idents("?match[version]=all") == left


@pytest.mark.parametrize("query", ["?match[version]=2026-11-07T00:00:00.000Z", "?match[spec_version]=2.0"])
def test_a_version_that_is_not_there_cannot_be_deleted(desk: Desk, query: str) -> None:
    desk.add({"objects": [one(1), one(1, 1)]})
    refused(desk.ask(f"{OBJECTS}{one(1)['id']}/{query}", method="DELETE"), 404)
    assert desk.idents("?match[version]=all") == ["0011", "0012"]


@pytest.mark.parametrize(
    ("query", "wanted"),
    [
        pytest.param("", ["2.1 2"], id="the latest standard, and its last version"),
        pytest.param("?match[version]=all", ["2.1 1", "2.1 2"], id="the latest standard, all its versions"),
        pytest.param("?match[spec_version]=2.0", ["2.0 4"], id="the other standard"),
        pytest.param("?match[spec_version]=2.0,2.1", ["2.0 4"], id="of both, the last version"),
        pytest.param("?match[spec_version]=2.0,2.1&match[version]=first", ["2.1 1"], id="of both, the first"),
    ],
)
def test_one_object_in_two_standards(desk: Desk, query: str, wanted: list[str]) -> None:
    old = [one(1, 2) | {"spec_version": "2.0"}, {k: v for k, v in one(1, 3).items() if k != "spec_version"}]
    desk.add({"objects": [*old, one(1), one(1, 1)]})
    said = desk.ask(OBJECTS + query).json()["objects"]
    assert [f"{it.get('spec_version', '2.0')} {it['modified'][9:10]}" for it in said] == wanted
    media = [it["media_type"] for it in desk.ask(f"{HERE}manifest/{query}").json()["objects"]]
    assert media == [f"application/stix+json;version={it[:3]}" for it in wanted]
    desk.ask(f"{OBJECTS}{one(1)['id']}/", method="DELETE")
    assert desk.ask(f"{OBJECTS}?match[version]=all&match[spec_version]=2.0,2.1").json() == {}


def basic(token: str) -> str:
    return "Basic " + base64.b64encode(f"quay:{token}".encode()).decode()


@pytest.mark.parametrize(
    "shown",
    [
        pytest.param("", id="nothing"),
        pytest.param("Bearer", id="a bearer of nothing"),
        pytest.param("Bearer " + "0" * 64, id="another token"),
        pytest.param(basic("0" * 64), id="another password"),
        pytest.param("Basic !!!", id="no base64"),
        pytest.param("Basic " + base64.b64encode(b"\xff:\xff").decode(), id="no text"),
        pytest.param("Digest username=quay", id="another way"),
    ],
)
@pytest.mark.parametrize("path", ["/taxii2/", "/api/", "/api/collections/", OBJECTS, "/api/status/x/"])
def test_who_is_not_known_sees_nothing(desk: Desk, path: str, shown: str) -> None:
    answer = desk.request("GET", path, {"accept": TAXII, **({"authorization": shown} if shown else {})})
    refused(answer, 401)
    assert "Bearer" in answer.headers["www-authenticate"]


def test_a_token_is_shown_either_way(desk: Desk) -> None:
    for shown in (f"Bearer {desk.tokens['reader']}", basic(desk.tokens["reader"])):
        assert desk.ask("/taxii2/", headers={"authorization": shown}).status_code == 200


@pytest.mark.parametrize(
    ("who", "method", "path", "status"),
    [
        pytest.param("reader", "GET", OBJECTS, 200, id="who reads, reads"),
        pytest.param("reader", "POST", OBJECTS, 403, id="and adds nothing"),
        pytest.param("reader", "DELETE", f"{OBJECTS}{one(1)['id']}/", 403, id="and deletes nothing"),
        pytest.param("writer", "POST", OBJECTS, 202, id="who writes, adds"),
        pytest.param("writer", "GET", OBJECTS, 403, id="and reads nothing"),
        pytest.param("writer", "GET", f"{HERE}manifest/", 403, id="nor what is there"),
        pytest.param("writer", "GET", f"{OBJECTS}{one(1)['id']}/", 403, id="nor one object"),
        pytest.param("writer", "GET", f"{OBJECTS}{one(1)['id']}/versions/", 403, id="nor its versions"),
        pytest.param("writer", "DELETE", f"{OBJECTS}{one(1)['id']}/", 403, id="and deletes nothing either"),
        pytest.param("all", "DELETE", f"{OBJECTS}{one(1)['id']}/", 200, id="who does both, deletes"),
        pytest.param("none", "GET", OBJECTS, 404, id="who has no part in it does not hear that it is there"),
        pytest.param("all", "GET", f"/api/collections/{OTHER}/", 404, id="as of the collection of another"),
        pytest.param("all", "POST", f"/api/collections/{OTHER}/objects/", 404, id="nor adds to it"),
        pytest.param("all", "GET", "/api/collections/ours/objects/", 200, id="by its alias"),
    ],
)
def test_who_may_what(desk: Desk, who: str, method: str, path: str, status: int) -> None:
    desk.add({"objects": [one(1)]})
    more = {"content": json.dumps({"objects": [one(2)]}).encode(), "headers": {"content-type": TAXII}}
    answer = desk.ask(path, who, method, **(more if method == "POST" else {}))
    assert answer.status_code == status, answer.text
    if status >= 400:
        refused(answer, status)


def test_each_sees_the_collections_in_which_they_have_a_part(desk: Desk) -> None:
    told = {who: desk.ask("/api/collections/", who).json().get("collections", []) for who in desk.tokens}
    assert {who: [(it["can_read"], it["can_write"]) for it in of] for who, of in told.items()} == {
        "all": [(True, True)],
        "reader": [(True, False)],
        "writer": [(False, True)],
        "none": [],
    }


@pytest.mark.parametrize(
    ("accept", "status"),
    [
        pytest.param(TAXII, 200, id="as it should be"),
        pytest.param("application/taxii+json", 200, id="of no version"),
        pytest.param("Application/TAXII+JSON; Version=2.1", 200, id="spelt otherwise"),
        pytest.param("*/*", 200, id="anything"),
        pytest.param("text/html, application/taxii+json; version=2.1;q=0.8", 200, id="among others"),
        pytest.param("application/taxii+json;version=2.0", 406, id="of another version"),
        pytest.param("application/json", 406, id="of another type"),
        pytest.param("text/html", 406, id="a page"),
        pytest.param("application/taxii+jsonx", 406, id="what only begins so"),
    ],
)
def test_what_is_accepted(desk: Desk, accept: str, status: int) -> None:
    answer = desk.ask("/taxii2/", headers={"accept": accept})
    assert answer.status_code == status
    if status != 200:
        refused(answer, status)


@pytest.mark.parametrize(
    ("kind", "status"),
    [
        pytest.param(TAXII, 202, id="as it should be"),
        pytest.param("application/taxii+json; version=2.1", 202, id="with a space"),
        pytest.param("application/taxii+json", 202, id="of no version"),
        pytest.param("application/taxii+json;version=2.0", 415, id="of another version"),
        pytest.param("application/taxii+jsonx", 415, id="what only begins so"),
        pytest.param("application/json", 415, id="of another type"),
        pytest.param("", 415, id="of none"),
    ],
)
def test_which_bodies_are_taken(desk: Desk, kind: str, status: int) -> None:
    answer = desk.add({"objects": [one(1)]}, **{"content-type": kind})
    assert answer.status_code == status
    if status != 202:
        refused(answer, status)


IDENT = "xyz--00000000-0000-4000-8000-000000000001"
DEEP = b'{"objects": [{"type": "xyz", "id": "%s", "a": %s1%s}]}'


def deep(levels: int) -> bytes:
    return DEEP % (IDENT.encode(), b"[" * levels, b"]" * levels)


@pytest.mark.parametrize(
    ("said", "status"),
    [
        pytest.param(b"", 400, id="nothing"),
        pytest.param(b"{", 400, id="no JSON"),
        pytest.param(b"\xff\xfe", 400, id="no text"),
        pytest.param(b"[]", 400, id="a list"),
        pytest.param(b"7", 400, id="a number"),
        pytest.param({}, 400, id="no envelope"),
        pytest.param({"objects": []}, 422, id="no objects"),
        pytest.param({"objects": {"a": 1}}, 422, id="no list of objects"),
        pytest.param({"objects": [7]}, 422, id="numbers"),
        pytest.param({"objects": [{}]}, 400, id="of no type"),
        pytest.param({"objects": [one(1) | {"id": "sighting--1"}]}, 400, id="an identifier of another type"),
        pytest.param({"objects": [one(1) | {"id": "indicator--1"}]}, 400, id="an identifier that is none"),
        pytest.param({"objects": [one(1) | {"id": one(1)["id"] + "/../"}]}, 400, id="an identifier that goes on"),
        pytest.param({"objects": [one(1) | {"id": 7, "type": 7}]}, 400, id="identifiers that are numbers"),
        pytest.param({"objects": [one(1) | {"spec_version": "3.0"}]}, 400, id="a standard that there is not"),
        pytest.param({"objects": [one(1) | {"spec_version": ["2.1"]}]}, 400, id="a list of standards"),
        pytest.param({"objects": [one(1) | {"modified": "yesterday"}]}, 400, id="no time"),
        pytest.param({"objects": [one(1) | {"modified": "2026-11-23T09:30:00"}]}, 400, id="a time of no zone"),
        pytest.param({"objects": [one(1) | {"modified": {"a": 1}}]}, 400, id="an object for a time"),
        pytest.param({"objects": [one(1) | {"modified": "0001-01-01T00:00:00+14:00"}]}, 400, id="before all time"),
        pytest.param({"objects": [one(1) | {"modified": "9999-12-31T23:59:59-14:00"}]}, 400, id="after all time"),
        pytest.param(DEEP % (IDENT.encode(), b'NaN, "b": ', b""), 400, id="not a number"),
        pytest.param(DEEP % (IDENT.encode(), b'-Infinity, "b": ', b""), 400, id="infinity"),
        pytest.param(DEEP % (IDENT.encode(), b'1e999, "b": ', b""), 400, id="infinity as a number"),
        pytest.param(DEEP % (IDENT.encode(), b"9" * 5000, b""), 400, id="a number of five thousand digits"),
        pytest.param(DEEP % (IDENT.encode(), b'2, "id": ', b""), 400, id="a name twice"),
        pytest.param(b'{"objects": [], "objects": [{}]}', 400, id="the envelope's name twice"),
        pytest.param(DEEP % (IDENT.encode(), b'"\\ud800", "b": ', b""), 400, id="half of a letter"),
        pytest.param(deep(64), 422, id="a level too deep"),
        pytest.param(deep(900), 422, id="far too deep"),
        pytest.param(deep(200_000), 400, id="too deep for anybody"),
        pytest.param(b" " * (LENGTH_MOST + 1), 413, id="too long"),
        pytest.param({"objects": [{}] * 10_001}, 413, id="too many"),
        pytest.param({"objects": [one(1), one(2, name="ann@reed.example")]}, 400, id="somebody in one of two"),
    ],
)
def test_what_cannot_be_taken_is_refused_whole(desk: Desk, said: object, status: int) -> None:
    refused(desk.add(said), status)
    assert desk.idents("?match[version]=all") == []


def test_what_is_deep_and_what_is_long_is_taken_up_to_there(desk: Desk) -> None:
    assert desk.add(deep(63)).status_code == 202
    most = json.dumps({"objects": [one(1)]}).encode().ljust(LENGTH_MOST)
    assert (len(most), desk.add(most).status_code) == (LENGTH_MOST, 202)


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        pytest.param("GET", "/", 404, id="what is not here"),
        pytest.param("GET", "/taxii2", 404, id="without its slash: a token follows no redirect"),
        pytest.param("GET", "/else/collections/", 404, id="another root"),
        pytest.param("GET", "/api/collections/x/objects/", 404, id="another collection"),
        pytest.param("GET", f"{OBJECTS}{one(7)['id']}/", 404, id="another object"),
        pytest.param("GET", f"{OBJECTS}{one(7)['id']}/versions/", 404, id="its versions"),
        pytest.param("DELETE", f"{OBJECTS}{one(7)['id']}/", 404, id="and deleting it"),
        pytest.param("GET", "/api/status/x/", 404, id="another addition"),
        pytest.param("PUT", OBJECTS, 405, id="what is not done"),
        pytest.param("DELETE", OBJECTS, 405, id="deleting all at once"),
        pytest.param("GET", f"{OBJECTS}?limit=0", 400, id="a page of nothing"),
        pytest.param("GET", f"{OBJECTS}?limit=-1", 400, id="a page of less"),
        pytest.param("GET", f"{OBJECTS}?limit=many", 400, id="a page of many"),
        pytest.param("GET", f"{OBJECTS}?limit=%D9%A1", 400, id="a page of another script's one"),
        pytest.param("GET", f"{OBJECTS}?next=x' OR 1=1", 400, id="a page that is none"),
        pytest.param("GET", f"{OBJECTS}?next=99999999999999999999", 400, id="a page beyond all"),
        pytest.param("GET", f"{OBJECTS}?added_after=yesterday", 400, id="after no time"),
        pytest.param("GET", f"{OBJECTS}?added_after=0001-01-01T00:00:00%2B14:00", 400, id="after before all time"),
        pytest.param("GET", f"{OBJECTS}?match[name]=x", 400, id="a filter that there is not"),
        pytest.param("GET", f"{OBJECTS}?match[type]=", 400, id="a filter for nothing"),
        pytest.param("GET", f"{OBJECTS}?match[version]=newest", 400, id="a version that is no time"),
        pytest.param("GET", f"{OBJECTS}?match[id]={','.join(map(str, range(101)))}", 400, id="for too much"),
    ],
)
def test_what_is_not_here_or_not_understood(desk: Desk, method: str, path: str, status: int) -> None:
    refused(desk.ask(path, method=method), status)


def test_what_was_asked_is_data_and_no_query(desk: Desk) -> None:
    desk.add({"objects": [one(1)]})
    assert desk.idents("?match[type]=x' OR '1'='1") == []
    assert desk.ask(f"{OBJECTS}x' OR '1'='1/").status_code == 404


def test_what_is_out_of_order_here_is_said_and_nothing_else_of_it(desk: Desk) -> None:
    desk.signals.close()
    answer = desk.ask("/taxii2/")
    refused(answer, 500)
    assert "Something is out of order" in answer.text


# The manifest of the data set of medallion 3.0.0 (oasis-open/cti-taxii-server), and what medallion answers about it.
# Copyright 2017 OASIS Open; BSD 3-clause licence, which allows copies that keep this notice.
THEIRS = {
    "a": (
        "relationship--2f9a9aa9-108a-4333-83e2-4fb25add0463",
        "2014-05-08T09:00:00.000Z",
        "2.1",
        "2014-05-08T09:00:00.000000Z",
    ),
    "b": (
        "indicator--cd981c25-8042-4166-8945-51178443bdac",
        "2014-05-08T09:00:00.000Z",
        "2.1",
        "2016-11-01T03:04:05.000000Z",
    ),
    "c": (
        "indicator--6770298f-0fd8-471a-ab8c-1c658a46574e",
        "2016-11-03T12:30:59.000Z",
        "2.1",
        "2016-11-03T12:30:59.001000Z",
    ),
    "d": (
        "indicator--6770298f-0fd8-471a-ab8c-1c658a46574e",
        "2016-12-25T12:30:59.444Z",
        "2.1",
        "2016-12-27T13:49:59.000000Z",
    ),
    "e": (
        "marking-definition--34098fce-860f-48ae-8e50-ebd3cc5e41da",
        "2017-01-20T00:00:00.000Z",
        "2.1",
        "2017-01-20T00:00:00.000000Z",
    ),
    "f": (
        "malware--c0931cc6-c75e-47e5-9036-78fabc95d4ec",
        "2017-01-27T13:49:53.997Z",
        "2.1",
        "2017-01-27T13:49:59.997000Z",
    ),
    "g": (
        "malware--c0931cc6-c75e-47e5-9036-78fabc95d4ec",
        "2018-02-23T18:30:00.000Z",
        "2.0",
        "2017-01-27T13:49:59.997000Z",
    ),
    "h": (
        "indicator--6770298f-0fd8-471a-ab8c-1c658a46574e",
        "2017-01-27T13:49:53.935Z",
        "2.1",
        "2017-12-31T13:49:53.935000Z",
    ),
}


@pytest.mark.parametrize(
    ("query", "wanted"),
    [
        pytest.param("", "abefh", id="nothing more"),
        pytest.param("limit=3", "abe", id="limit=3"),
        pytest.param("match[type]=indicator", "bh", id="match[type]=indicator"),
        pytest.param("match[version]=all", "abcdefh", id="match[version]=all"),
        pytest.param("match[version]=first", "abcef", id="match[version]=first"),
        pytest.param("match[version]=first,last", "abcefh", id="match[version]=first,last"),
        pytest.param("match[version]=2016-12-25T12:30:59.444Z", "d", id="match[version]=2016-12-25T12:30:59.444Z"),
        pytest.param("match[spec_version]=2.0", "g", id="match[spec_version]=2.0"),
        pytest.param("match[spec_version]=2.0,2.1", "abegh", id="match[spec_version]=2.0,2.1"),
        pytest.param(
            "match[spec_version]=2.0,2.1&match[version]=all",
            "abcdefgh",
            id="match[spec_version]=2.0,2.1&match[version]=all",
        ),
        pytest.param(
            "match[id]=indicator--6770298f-0fd8-471a-ab8c-1c658a46574e&match[version]=all",
            "cdh",
            id="match[id]=indicator--6770298f-0fd8-471a-ab8c-1c658a46574e&ma",
        ),
        pytest.param("added_after=2016-11-03T12:30:59.001Z", "efh", id="added_after=2016-11-03T12:30:59.001Z"),
        pytest.param("added_after=2030-01-01T00:00:00Z", "", id="added_after=2030-01-01T00:00:00Z"),
    ],
)
def test_the_reference_server_answers_the_same(desk: Desk, query: str, wanted: str) -> None:
    created = "2014-05-08T09:00:00.000Z"
    names = {}
    for name, (ident, version, spec, added) in THEIRS.items():
        names[ident, version] = name
        said = {"type": ident[:-38], "id": ident, "spec_version": spec, "created": created, "modified": version}
        desk.signals.add(SHELF, [said], micros(added))
    told = desk.ask(f"{HERE}manifest/?{query}").json().get("objects", [])
    assert "".join(names[it["id"], it["version"]] for it in told) == wanted
    assert {it["media_type"][-3:] for it in told} == {THEIRS[name][2] for name in wanted}
