"""A peer that answers as it likes: pages, silence, lies, floods; what came until then is kept."""

import json
from collections.abc import Iterable
from typing import Any

import httpx
import pytest

from riparian.errors import InputError, OutsideError
from riparian.feeds.taxii import TaxiiPeers
from riparian.ports.exchange import Peer

PEER = Peer("quay", "https://quay.example/api/collections/1/", "t0ken", "https://quay.example/api/collections/2")
Answer = tuple[int, Any] | tuple[int, Any, dict[str, str]]


def peering(answers: Iterable[Answer], asked: list[httpx.Request] | None = None) -> TaxiiPeers:
    left = iter(answers)

    def answered(request: httpx.Request) -> httpx.Response:
        if asked is not None:
            asked.append(request)
        status, said, *headers = next(left)
        content = said if isinstance(said, bytes) else json.dumps(said).encode()
        return httpx.Response(status, content=content, headers=headers[0] if headers else {})

    return TaxiiPeers(httpx.Client(transport=httpx.MockTransport(answered)))


def added(text: str) -> dict[str, str]:
    return {"X-TAXII-Date-Added-Last": text}


def test_pages_are_asked_for_until_there_are_no_more() -> None:
    asked: list[httpx.Request] = []
    pages = [
        (200, {"more": True, "next": "7", "objects": [{"id": "a"}]}, added("2026-11-23T00:00:00Z")),
        (200, {"more": False, "objects": [{"id": "b"}]}, added("2026-11-24T00:00:00Z")),
    ]
    found = list(peering(pages, asked).ask(PEER))
    assert found == [([{"id": "a"}], "2026-11-23T00:00:00Z"), ([{"id": "b"}], "2026-11-24T00:00:00Z")]
    assert [dict(one.url.params) for one in asked] == [{"limit": "1000"}, {"limit": "1000", "next": "7"}]
    assert {one.headers["authorization"] for one in asked} == {"Bearer t0ken"}


def test_only_what_is_new_is_asked_for() -> None:
    asked: list[httpx.Request] = []
    since = Peer("quay", PEER.url, "t", since="2026-11-24T00:00:00Z")
    assert list(peering([(200, {})], asked).ask(since)) == []
    assert asked[0].url.params["added_after"] == "2026-11-24T00:00:00Z"


ENDLESS: list[Answer] = [(200, {"more": True, "next": "7", "objects": [{"id": "a"}]})] * 3


@pytest.mark.parametrize(
    ("answers", "kept"),
    [
        pytest.param([(500, {"title": "Out of order"})], 0, id="out of order"),
        pytest.param([(401, {"title": "Who are you"})], 0, id="another token"),
        pytest.param([(302, b"", {"location": "https://else.example/"})], 0, id="it leads elsewhere"),
        pytest.param([(200, b"<html>")], 0, id="a page"),
        pytest.param([(200, [1])], 0, id="no envelope"),
        pytest.param([(200, {"objects": {"id": "a"}})], 0, id="no list"),
        pytest.param([(200, {"objects": ["a"]})], 0, id="no objects"),
        pytest.param([(200, b"[" * 100_000)], 0, id="deep"),
        pytest.param([(200, b"x" * ((64 << 20) + 1))], 0, id="far too much"),
        pytest.param([(200, {"more": True, "objects": [{"id": "a"}]})], 1, id="more, and no way there"),
        pytest.param([(200, {"more": True, "next": "7"})], 0, id="more of nothing"),
        pytest.param(ENDLESS, 2, id="the same page for ever"),
        pytest.param([*ENDLESS[:1], (500, {})], 1, id="out of order on the second page"),
    ],
)
def test_what_came_until_then_is_kept(answers: list[Answer], kept: int) -> None:
    coming = peering(answers).ask(PEER)
    for _ in range(kept):
        next(coming)
    with pytest.raises(OutsideError):
        next(coming)


def silent(request: httpx.Request) -> httpx.Response:
    raise httpx.ConnectTimeout("", request=request)


def test_silence_is_told() -> None:
    with pytest.raises(OutsideError, match="did not answer"):
        list(TaxiiPeers(httpx.Client(transport=httpx.MockTransport(silent))).ask(PEER))


def test_much_is_told_in_parts() -> None:
    asked: list[httpx.Request] = []
    peering([(202, {"failure_count": 0})] * 2, asked).tell(PEER, [{"id": str(n)} for n in range(1500)])
    assert [len(json.loads(one.content)["objects"]) for one in asked] == [1000, 500]
    assert {(str(one.url), one.headers["content-type"]) for one in asked} == {
        ("https://quay.example/api/collections/2/objects/", "application/taxii+json;version=2.1")
    }


@pytest.mark.parametrize("answer", [(202, {"failure_count": 1}), (422, {}), (200, b"")], ids=str)
def test_what_a_peer_does_not_take_is_told(answer: Answer) -> None:
    with pytest.raises(OutsideError):
        peering([answer]).tell(PEER, [{"id": "a"}])


@pytest.mark.parametrize(
    "url",
    [
        pytest.param("http://quay.example/c/", id="without TLS"),
        pytest.param("ftp://quay.example/c/", id="another way"),
        pytest.param("https:///c/", id="no host"),
        pytest.param("https://ann:pass@quay.example/c/", id="a password in it"),
        pytest.param("https://quay.example/c/?match[type]=x", id="a question in it"),
        pytest.param("https://[", id="no address"),
        pytest.param("", id="nothing"),
    ],
)
def test_a_token_goes_to_no_such_address(url: str) -> None:
    asked: list[httpx.Request] = []
    with pytest.raises(InputError):
        list(peering([(200, {})], asked).ask(Peer("quay", url, "t")))
    assert asked == []
