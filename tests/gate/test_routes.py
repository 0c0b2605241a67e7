"""``edge.toml``: which requests are ours, and what an operator may write."""

import re
from typing import Any

import pytest

from riparian.errors import InputError, PolicyError
from riparian.gate.routes import Carried, Carrier, Edge, Kind, Route, Routes, parse_edge

ROUTE = {"path": "/media/{recording}/**", "kind": "media"}

FITS: dict[str, tuple[str, str, dict[str, str] | None]] = {
    "a recording and what is below it": ("/media/{recording}/**", "/media/r-1/720p/1.ts", {"recording": "r-1"}),
    "nothing below it": ("/media/{recording}/**", "/media/r-1", None),
    "another beginning": ("/media/{recording}/**", "/medias/r-1/1.ts", None),
    "a suffix": ("/hls/{recording}.m3u8", "/hls/r-1.m3u8", {"recording": "r-1"}),
    "a point is a point": ("/hls/{recording}.m3u8", "/hls/r-1xm3u8", None),
    "one part": ("/v1/*/tracks", "/v1/eu/tracks", {}),
    "one part is not two": ("/v1/*/tracks", "/v1/eu/de/tracks", None),
    "a piece of a part": ("/seg-{recording}-*.ts", "/seg-r1-0007.ts", {"recording": "r1"}),
    "rows are a number": ("/top/{rows}", "/top/100", {"rows": "100"}),
    "rows are nothing else": ("/top/{rows}", "/top/all", None),
    "a whole tree": ("/api/**", "/api/", {}),
    "exactly this": ("/licence", "/licence", {}),
    "and nothing after it": ("/licence", "/licence/1", None),
}


@pytest.mark.parametrize(("template", "path", "fields"), FITS.values(), ids=FITS.keys())
def test_a_template_fits(template: str, path: str, fields: dict[str, str] | None) -> None:
    route = Route.of(template, Kind.MEDIA)
    assert route.matches(path) == fields
    assert bool(re.fullmatch(route.regex, path)) == (fields is not None)


def test_the_first_route_that_fits_wins_and_what_none_fits_is_not_ours() -> None:
    routes = Routes((Route.of("/a/{recording}", Kind.LICENCE), Route.of("/a/**", Kind.BULK)))
    assert routes.find("/a/1") == (Kind.LICENCE, "1", 0)
    assert routes.find("/a/1/2") == (Kind.BULK, "", 0)
    assert routes.find("/b") is None
    assert routes.find("/.well-known/acme-challenge/x") is None


@pytest.mark.parametrize("path", ["/a/../media/1/x", "/media//x", "/media/%2e%2e/x", "/media/1/%2fx", "/x\\y", "", "a"])
def test_a_path_that_may_be_read_in_two_ways_is_no_path(path: str) -> None:
    with pytest.raises(InputError, match="wanted a plain one"):
        parse_edge({"route": [ROUTE]}).routes.find(path)


WRONG: dict[str, tuple[dict[str, Any], str]] = {
    "no route": ({}, "`route` is not there, wanted at least one"),
    "an empty list of them": ({"route": []}, "`route` is not there"),
    "an unknown key": ({"orgin": "http://a"}, "`orgin` is no key of the edge file"),
    "a route without a kind": ({"route": [{"path": "/a"}]}, "`route` has `path`, wanted `path` and `kind`"),
    "a route with more": ({"route": [{**ROUTE, "rows": 3}]}, "wanted `path` and `kind`"),
    "an unknown kind": ({"route": [{"path": "/a", "kind": "audio"}]}, "`kind` is `audio`, wanted one of `media`"),
    "an unknown field": ({"route": [{"path": "/{account}", "kind": "media"}]}, "wanted no fields but"),
    "a field twice": ({"route": [{"path": "/{rows}/{rows}", "kind": "bulk"}]}, "each once"),
    "anything in the middle": ({"route": [{"path": "/**/x", "kind": "media"}]}, "with `**` at its end only"),
    "no slash": ({"route": [{"path": "media", "kind": "media"}]}, "begins with a slash"),
    "no path": ({"route": [{"path": "", "kind": "media"}]}, "begins with a slash"),
    "what a configuration would read": ({"route": [{"path": '/a";', "kind": "media"}]}, "wanted a path of letters"),
    "a number for a path": ({"route": [{"path": 1, "kind": "media"}]}, "wanted `path` and `kind`"),
    "an account from nowhere": ({"account": "X-Account"}, "`account` is `X-Account`, wanted `header:NAME`"),
    "a header with a line break": ({"account": "header:X\nY"}, "wanted `header:NAME`"),
    "an origin without a scheme": ({"origin": "127.0.0.1"}, "wanted a URL"),
    "an origin that ends a line": ({"origin": "http://a;\n"}, "wanted a URL"),
    "a gate without a port": ({"gates": ["127.0.0.1"]}, "wanted HOST:PORT"),
    "a port that is none": ({"gates": ["127.0.0.1:99999"]}, "wanted HOST:PORT"),
    "no gate": ({"gates": []}, "wanted a list of at least one"),
    "a gate twice": ({"gates": ["a:1", "a:1"]}, "each once"),
    "one gate in the place of a list": ({"gates": "a:1"}, "wanted a list"),
    "words for yes": ({"explain": "yes"}, "wanted true or false"),
}


@pytest.mark.parametrize(("mapping", "message"), WRONG.values(), ids=WRONG.keys())
def test_an_edge_that_cannot_be_meant_is_refused(mapping: dict[str, Any], message: str) -> None:
    with pytest.raises(PolicyError) as caught:
        parse_edge({"route": [ROUTE], **mapping} if mapping and "route" not in mapping else mapping)
    assert message in caught.value.message


def test_everything_may_be_written_out() -> None:
    edge = parse_edge(
        {
            "account": "jwt:sub",
            "device": "cookie:device",
            "origin": "https://origin.example/base",
            "listen": "[::1]:8443",
            "gates": ["127.0.0.1:9101", "gate.example:9102"],
            "push": ["http://127.0.0.1:8080"],
            "explain": False,
            "step_up_url": "https://example.org/prove?then=",
            "appeal_url": "https://example.org/appeal",
            "route": [ROUTE, {"path": "/api/**", "kind": "metadata"}],
        }
    )
    assert edge.account == Carried(Carrier.JWT, "sub")
    assert edge.device == Carried(Carrier.COOKIE, "device")
    assert (edge.listen, edge.gates[1], edge.explain) == ("[::1]:8443", "gate.example:9102", False)
    assert [route.kind for route in edge.routes.routes] == [Kind.MEDIA, Kind.METADATA]
    assert parse_edge({"route": [ROUTE]}) == Edge(Routes((Route.of(ROUTE["path"], Kind.MEDIA),)))
