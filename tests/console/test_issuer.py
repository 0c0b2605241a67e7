"""The operator's own issuer vouches for people; here it is played by a few lines."""

import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest
from joserfc import jwt
from joserfc.jwk import ECKey, KeySet

from riparian import assembly
from riparian.assembly import Given
from riparian.console.doors import Locked
from riparian.console.issuer import Issuer
from riparian.console.site import console_app
from riparian.ports.staff import Invitation, Role, Staff
from tests.console.asking import AT, Browser

ISSUER = "https://id.example"


@dataclass
class Identities:
    """An issuer: knows one person, and says of them what a test wants.

    Parameters
    ----------
    claims
        What its token says otherwise than it should.
    told
        What it says of itself otherwise.
    """

    claims: dict[str, Any] = field(default_factory=dict)
    told: dict[str, Any] = field(default_factory=dict)
    key: ECKey = field(default_factory=lambda: ECKey.generate_key("P-256", {"kid": "1"}))
    signs_with: ECKey | None = None
    asked: dict[str, str] = field(default_factory=dict)
    tokens: list[dict[str, str]] = field(default_factory=list)

    def __call__(self, request: httpx.Request) -> httpx.Response:
        if request.url.path.endswith("openid-configuration"):
            names = ("authorization_endpoint", "token_endpoint", "jwks_uri")
            return httpx.Response(200, json={"issuer": ISSUER, **{n: f"{ISSUER}/{n}" for n in names}, **self.told})
        if request.url.path == "/jwks_uri":
            return httpx.Response(200, json=KeySet([self.key]).as_dict(private=False))
        self.tokens.append({name: values[0] for name, values in parse_qs(request.content.decode()).items()})
        if self.tokens[-1]["code"] != "good":
            return httpx.Response(400, json={"error": "invalid_grant"})
        now = int(time.time())
        claims = {"iss": ISSUER, "aud": "riparian", "sub": "ada-17", "iat": now, "exp": now + 300}
        said = {**claims, "nonce": self.asked["nonce"], **self.claims}
        said = {name: value for name, value in said.items() if value is not None}
        token = jwt.encode({"alg": "ES256", "kid": "1"}, said, self.signs_with or self.key)
        return httpx.Response(200, json={"access_token": "x", "token_type": "Bearer", "id_token": token})


@dataclass
class Place:
    staff: Staff
    browser: Browser
    identities: Identities

    def go(self, path: str = "/sign-in/issuer?to=/people", back: dict[str, str | None] | None = None) -> httpx.Response:
        """Go to the issuer, and come back with a code."""
        there = urlsplit(self.browser.get(path).headers["location"])
        self.identities.asked = {name: values[0] for name, values in parse_qs(there.query).items()}
        said: dict[str, str | None] = {"code": "good", "state": self.identities.asked["state"], **(back or {})}
        return self.browser.get(
            "/sign-in/issuer/back", params={name: value for name, value in said.items() if value is not None}
        )

    def enter(self) -> httpx.Response:
        link = self.staff.invite(Invitation("Ada", Role.ADMIN), assembly.WallClock().now_us())
        return self.go(f"/sign-in/issuer?link={link}")


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Place]:
    identities = Identities()
    issuer = Issuer(ISSUER, "riparian", "a secret", httpx.MockTransport(identities))
    with assembly.staff(Given(tmp_path)) as staff:
        app = console_app(Given(tmp_path), Locked(AT, staff, assembly.WallClock(), issuer))
        yield Place(staff, Browser(app), identities)


def test_whoever_came_by_a_link_comes_back_by_the_issuer_alone(place: Place) -> None:
    assert place.enter().headers["location"] == "/"
    place.browser.cookies.clear()
    answer = place.go()
    assert (answer.status_code, answer.headers["location"]) == (303, "/people")
    assert place.browser.get("/people?json").json()["people"][0]["subject"] == "https://id.example#ada-17"


def test_what_is_asked_is_bound_to_who_asks(place: Place) -> None:
    place.enter()
    asked, token = place.identities.asked, place.identities.tokens[0]
    assert (asked["response_type"], asked["scope"], asked["code_challenge_method"]) == ("code", "openid", "S256")
    assert asked["redirect_uri"] == token["redirect_uri"] == f"{AT}/sign-in/issuer/back"
    assert len(token["code_verifier"]) >= 43
    assert token["code_verifier"] not in str(asked)


@pytest.mark.parametrize(
    "claims",
    [
        pytest.param({"iss": "https://evil.example"}, id="of another issuer"),
        pytest.param({"aud": "another"}, id="for somebody else"),
        pytest.param({"nonce": "another"}, id="an answer to another question"),
        pytest.param({"nonce": None}, id="an answer to no question"),
        pytest.param({"exp": 1}, id="over"),
        pytest.param({"exp": None}, id="without an end"),
        pytest.param({"sub": None}, id="of nobody"),
    ],
)
def test_a_token_is_not_taken(place: Place, claims: dict[str, Any]) -> None:
    place.enter()
    place.browser.cookies.clear()
    place.identities.claims = claims
    assert place.go().status_code == 400
    assert place.browser.get("/people").status_code == 303


def test_a_token_that_somebody_else_signed_is_not_taken(place: Place) -> None:
    place.enter()
    place.browser.cookies.clear()
    place.identities.signs_with = ECKey.generate_key("P-256", {"kid": "1"})
    assert place.go().status_code == 400


@pytest.mark.parametrize(
    "back",
    [
        pytest.param({"state": "another"}, id="another state"),
        pytest.param({"state": None}, id="no state"),
        pytest.param({"code": None, "error": "access_denied"}, id="no code"),
        pytest.param({"code": "bad"}, id="a code that the issuer does not know"),
        pytest.param({"iss": "https://evil.example"}, id="from another issuer"),
    ],
)
def test_what_comes_back_otherwise_lets_nobody_in(place: Place, back: dict[str, str | None]) -> None:
    place.enter()
    place.browser.cookies.clear()
    assert place.go(back=back).status_code == 400
    assert place.browser.get("/people").status_code == 303


def test_whom_the_issuer_knows_and_nobody_here_does_stays_outside(place: Place) -> None:
    place.enter()
    place.browser.cookies.clear()
    place.identities.claims = {"sub": "bo-4"}
    answer = place.go()
    assert (answer.status_code, "nobody here does" in answer.text) == (400, True)


@pytest.mark.parametrize(
    ("site", "leads_to"),
    [
        pytest.param("cross-site", "/sign-in?to=%2Fpeople", id="another site"),
        pytest.param("same-site", "/sign-in?to=%2Fpeople", id="a neighbour"),
        pytest.param("same-origin", ISSUER, id="our own page"),
        pytest.param("none", ISSUER, id="somebody who types"),
    ],
)
def test_no_other_site_has_somebody_signed_in(place: Place, site: str, leads_to: str) -> None:
    answer = place.browser.get("/sign-in/issuer?to=/people", headers={"sec-fetch-site": site})
    assert answer.headers["location"].startswith(leads_to)


def test_another_site_leads_to_what_a_link_is_good_for_and_uses_nothing_up(place: Place) -> None:
    answer = place.browser.get("/sign-in/issuer?link=abc", headers={"sec-fetch-site": "cross-site"})
    assert answer.headers["location"] == "/setup?link=abc"


@pytest.mark.parametrize("name", ["authorization_endpoint", "token_endpoint", "jwks_uri"])
def test_nothing_is_asked_in_clear(place: Place, name: str) -> None:
    place.enter()
    place.browser.cookies.clear()
    place.identities.told = {name: f"http://id.example/{name}"}
    asked = place.browser.get("/sign-in/issuer")
    answer = asked if asked.status_code == 503 else place.go()
    assert (answer.status_code, "over TLS" in answer.text) == (503, True)
    assert place.browser.get("/people").status_code == 303


@pytest.mark.parametrize(
    ("ago_s", "status"),
    [
        pytest.param(0, 303, id="just now"),
        pytest.param(3600, 400, id="an hour ago"),
        pytest.param(None, 400, id="it does not say when"),
    ],
)
def test_who_signs_in_again_is_asked_again_by_the_issuer_too(place: Place, ago_s: int | None, status: int) -> None:
    place.enter()
    assert "prompt" not in place.identities.asked
    place.identities.claims = {} if ago_s is None else {"auth_time": int(time.time()) - ago_s}
    assert place.go("/sign-in/issuer?to=/people&again=yes").status_code == status
    assert (place.identities.asked["prompt"], place.identities.asked["max_age"]) == ("login", "0")


@pytest.mark.parametrize(
    ("said", "status"),
    [
        pytest.param({"acr": "phr"}, 303, id="as wanted"),
        pytest.param({"acr": "password"}, 400, id="another"),
        pytest.param({}, 400, id="none"),
    ],
)
def test_how_strongly_the_issuer_has_to_ask_is_asked_and_checked(
    place: Place, tmp_path: Path, said: dict[str, str], status: int
) -> None:
    place.enter()
    issuer = Issuer(ISSUER, "riparian", "a secret", httpx.MockTransport(place.identities), "phr")
    strict = Browser(console_app(Given(tmp_path), Locked(AT, place.staff, assembly.WallClock(), issuer)))
    place.identities.claims = dict(said)
    assert Place(place.staff, strict, place.identities).go().status_code == status
    assert place.identities.asked["acr_values"] == "phr"


def test_an_issuer_that_calls_itself_otherwise_is_not_asked(place: Place) -> None:
    place.identities.told = {"issuer": "https://evil.example"}
    assert place.browser.get("/sign-in/issuer").status_code == 503


def test_without_an_issuer_there_is_no_such_way(tmp_path: Path) -> None:
    with assembly.staff(Given(tmp_path)) as staff:
        browser = Browser(console_app(Given(tmp_path), Locked(AT, staff, assembly.WallClock())))
        assert browser.get("/sign-in/issuer").status_code == 400
        assert "issuer" not in browser.get("/sign-in").text
