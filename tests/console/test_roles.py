"""Who may what: every role at every route, as a table that is written out."""

from html import unescape
from pathlib import Path
from typing import Final

import pytest
from starlette.routing import Route

from riparian.assembly import Given, StoppedClock, staff
from riparian.console.doors import Locked
from riparian.console.pages import PAGES
from riparian.console.site import console_app
from tests.console.asking import AT, Browser
from tests.console.known import FORM, Known

ROLES: Final = ("nobody", "viewer", "analyst", "approver", "admin")
TABLE: Final = {
    "GET /": "viewer",
    "GET /accounts": "analyst",
    "GET /account": "analyst",
    "POST /account/release": "analyst",
    "POST /account/extend": "analyst",
    "POST /account/appeal": "analyst",
    "POST /account/propose": "analyst",
    "GET /appeals": "analyst",
    "POST /appeals/uphold": "analyst",
    "POST /appeals/reinstate": "analyst",
    "POST /appeals/approve": "approver",
    "POST /appeals/withdraw": "analyst",
    "GET /data": "analyst",
    "POST /data/erase": "approver",
    "GET /rings": "viewer",
    "GET /ring": "analyst",
    "GET /catalogue": "viewer",
    "GET /recording": "viewer",
    "GET /found": "analyst",
    "POST /found/bring": "analyst",
    "POST /found/delete": "analyst",
    "GET /finding": "analyst",
    "GET /finding/part": "analyst",
    "POST /finding/cancel": "analyst",
    "POST /finding/again": "analyst",
    "GET /cases": "viewer",
    "GET /case": "analyst",
    "GET /notice": "analyst",
    "GET /removals": "viewer",
    "GET /policy": "viewer",
    "GET /proposal": "analyst",
    "POST /proposal/keep": "analyst",
    "POST /proposal/drop": "analyst",
    "GET /exercise": "viewer",
    "GET /people": "admin",
    "POST /people/invite": "admin",
    "POST /people/change": "admin",
    "POST /people/remove": "admin",
    "POST /people/sign-out": "admin",
    "GET /looks": "admin",
    "GET /tokens": "viewer",
    "POST /tokens/make": "viewer",
    "POST /tokens/revoke": "viewer",
    "POST /tokens/leave": "viewer",
    "GET /verify": "nobody",
    "POST /verify/check": "nobody",
    "POST /verify/check-file": "nobody",
}
"""Who may, at least; ``nobody`` is whoever is not signed in."""

BY_PEOPLE: Final = {
    "POST /data/erase",
    "POST /appeals/uphold",
    "POST /appeals/reinstate",
    "POST /appeals/approve",
    "POST /people/invite",
    "POST /people/change",
    "POST /people/remove",
    "POST /people/sign-out",
    "POST /tokens/make",
    "POST /tokens/revoke",
    "POST /tokens/leave",
}
"""What no token does, whatever its role."""

OPEN: Final = {
    "GET /static/{name}",
    "GET /openapi.json",
    "GET /sign-in",
    "POST /sign-in",
    "POST /sign-in/ask",
    "GET /sign-in/issuer",
    "GET /sign-in/issuer/back",
    "GET /setup",
    "POST /setup",
    "POST /setup/ask",
    "POST /sign-out",
}
"""What is there for whoever is not signed in."""

CASES: Final = [(route, role) for route in TABLE for role in ROLES]


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Browser:
    return Browser(console_app(Given(tmp_path_factory.mktemp("empty")), Known()))


def test_the_table_names_every_route_that_there_is(tmp_path: Path) -> None:
    with staff(Given(tmp_path)) as known:
        app = console_app(Given(tmp_path), Locked(AT, known, StoppedClock.at("2026-11-23")))
    routes = {
        f"{method} {route.path}"
        for route in app.routes
        if isinstance(route, Route)
        for method in route.methods or ()
        if method != "HEAD"
    }
    assert routes == set(TABLE) | OPEN


@pytest.mark.parametrize(("route", "role"), CASES, ids=[f"{role} {route}" for route, role in CASES])
def test_a_role_gets_what_the_table_says_and_nothing_else(browser: Browser, route: str, role: str) -> None:
    method, path = route.split()
    answer = browser.ask(
        method,
        path,
        headers={"as": role, "accept": "application/json"},
        data={"token": FORM} if method == "POST" else None,
    )
    is_let_in = ROLES.index(role) >= ROLES.index(TABLE[route])
    if role == "nobody" and not is_let_in:
        assert answer.status_code == 401
    elif not is_let_in:
        assert answer.status_code == 403
        assert answer.json()["found"] == f"you are signed in as {role}"
        assert answer.json()["wanted"] == f"{TABLE[route]} or above"
    else:
        # Nothing is in the workspace and nothing in the form: it is let in, and told so.
        assert answer.status_code in {200, 303, 400, 404}


BY_TOKEN: Final = [(route, role, scope) for route in TABLE for role in ROLES[1:] for scope in ("reads", "acts")]


@pytest.mark.parametrize(
    ("route", "role", "scope"), BY_TOKEN, ids=[f"{role} {scope} {route}" for route, role, scope in BY_TOKEN]
)
def test_a_token_gets_what_its_role_gets_and_does_less(browser: Browser, route: str, role: str, scope: str) -> None:
    method, path = route.split()
    sent = {"as": role, "token": scope, "accept": "application/json"}
    answer = browser.ask(method, path, headers=sent, data={} if method == "POST" else None)
    if ROLES.index(role) < ROLES.index(TABLE[route]):
        assert (answer.status_code, answer.json()["wanted"]) == (403, f"{TABLE[route]} or above")
    elif route in BY_PEOPLE:
        assert (answer.status_code, answer.json()["wanted"]) == (403, "a person who is signed in")
    elif method == "POST" and scope == "reads" and TABLE[route] != "nobody":
        assert (answer.status_code, answer.json()["wanted"]) == (403, "one that may act")
    else:
        # It is let in without the token of a form.
        assert answer.status_code in {200, 303, 400, 404}
        assert "not from a page" not in answer.json()["found" if answer.status_code >= 400 else "kind"]


@pytest.mark.parametrize("route", [route for route in TABLE if route.startswith("POST") and TABLE[route] != "nobody"])
@pytest.mark.parametrize("sent", [{}, {"token": ""}, {"token": "another"}], ids=["none", "empty", "another"])
def test_a_form_without_its_token_does_nothing(browser: Browser, route: str, sent: dict[str, str]) -> None:
    answer = browser.post(route.split()[1], data={**sent, "name": "Ada"}, headers={"accept": "application/json"})
    assert (answer.status_code, "not from a page" in answer.json().get("found", "")) == (400, True)


@pytest.mark.parametrize("role", ROLES)
def test_the_navigation_leads_nowhere_that_one_may_not_go(browser: Browser, role: str) -> None:
    text = browser.get("/nowhere", headers={"as": role}).text
    for page in PAGES:
        may = ROLES.index(role) >= ROLES.index(TABLE[f"GET {page.path}"])
        assert (f'<a href="{page.path}"' in text.partition("<main")[0]) is (may and page.is_listed), page.path


def test_a_viewer_is_shown_no_listener_and_no_way_to_one(town: Path) -> None:
    browser = Browser(console_app(Given(town), Known()))
    named = [row["account"] for row in browser.get("/accounts?json").json()["accounts"]]
    held = browser.get("/catalogue?json").json()["recordings"][0]["recording"]
    assert named
    for page in PAGES:
        if TABLE[f"GET {page.path}"] == "viewer":
            ident = {"id": held} if page.path == "/recording" else {}
            answer = browser.get(page.path, params=ident, headers={"as": "viewer"})
            told = browser.get(page.path, params={**ident, "json": ""}, headers={"as": "viewer"})
            assert answer.status_code == told.status_code == 200
            assert not [name for name in named if name in unescape(answer.text) or name in str(told.json())]
            assert 'href="/account' not in answer.text
            assert 'href="/ring?' not in answer.text
