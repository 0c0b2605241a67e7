"""What a program with a token may, what it may not, and what is written down of it."""

import sqlite3
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest

from riparian import assembly
from riparian.assembly import Given
from riparian.console.doors import ASKED_A_MINUTE, TRIES_A_MINUTE, Locked
from riparian.console.site import console_app
from riparian.errors import InputError, LifecycleError
from riparian.ports.staff import TOKEN_US_MAX, TOKENS_MAX, Invitation, Person, Role, Staff, Token
from riparian.schema import DAY_US
from riparian.stores import sessions
from riparian.stores.sessions import NAME
from tests.console.asking import AT, Browser
from tests.console.hostile import HARM, harm_in

BEGIN = assembly.WallClock().now_us()


@dataclass
class Hands:
    """A clock that somebody turns."""

    at_us: int = BEGIN

    def now_us(self) -> int:
        return self.at_us


@dataclass
class Place:
    """A console at which Ada, an admin, and Bo, an analyst, work."""

    staff: Staff
    clock: Hands
    browser: Browser
    folder: Path

    def made(self, name: str = "Bo", role: Role = Role.ANALYST, *, acts: bool = False, days: int = 30) -> str:
        now_us = self.clock.now_us()
        return self.staff.make_token(Token("", "nightly", Person(name, role), acts, now_us, now_us + days * DAY_US))

    def ask(self, method: str, path: str, secret: str, **how: Any) -> httpx.Response:
        return self.browser.ask(method, path, headers={"authorization": f"Bearer {secret}"}, **how)

    def cookie(self, name: str) -> str:
        return f"riparian={self.staff.sign_in(name, self.clock.now_us())}"

    def as_person(self, who: str, path: str, **fields: str) -> httpx.Response:
        cookie = self.cookie(who)
        sitting = self.staff.sitting(cookie.partition("=")[2], self.clock.now_us())
        assert sitting is not None
        said = {"token": sitting.form_token, **fields}
        return self.browser.post(path, data=said, headers={"cookie": cookie, "accept": "application/json"})

    def idents(self, name: str = "") -> list[str]:
        return [one.ident for one in self.staff.tokens(self.clock.now_us(), name)]


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Place]:
    given, clock = Given(tmp_path), Hands()
    with assembly.staff(given) as staff:
        for name, role in (("Ada", Role.ADMIN), ("Bo", Role.ANALYST)):
            staff.enter(staff.invite(Invitation(name, role), BEGIN), "", f"id#{name}", BEGIN)
        yield Place(staff, clock, Browser(console_app(given, Locked(AT, staff, clock))), tmp_path)


def test_a_token_is_made_on_its_page_told_once_and_kept_as_a_digest(place: Place) -> None:
    told = place.as_person("Bo", "/tokens/make", name="nightly", role="viewer", days="30").json()
    secret = told["secret"]
    assert secret.startswith("riparian_")
    (listed,) = place.ask("GET", "/tokens", secret).json()["tokens"]
    assert {name: listed[name] for name in ("name", "person", "role", "acts")} == {
        "name": "nightly", "person": "Bo", "role": "viewer", "acts": False,
    }  # fmt: skip
    with sqlite3.connect(place.folder / NAME) as connection:
        held = "\n".join(connection.iterdump())
    assert "nightly" in held
    assert secret not in held
    assert secret.removeprefix("riparian_") not in held


@pytest.mark.parametrize(
    ("fields", "status", "wanted"),
    [
        pytest.param({"role": "approver"}, 409, "no more than you", id="more than whoever makes it may"),
        pytest.param({"role": "king"}, 400, "viewer, analyst", id="a role that there is not"),
        pytest.param({"name": " "}, 400, "what it is for", id="no name"),
        pytest.param({"name": "x\u202e"}, 400, "that one sees", id="a name that turns around"),
        pytest.param({"days": "0"}, 400, "an end within a year", id="it ends at once"),
        pytest.param({"days": "400"}, 400, "an end within a year", id="it hardly ever ends"),
        pytest.param({"days": "-1"}, 400, "after how many it ends", id="it ended"),
        pytest.param({"days": "٣"}, 400, "after how many it ends", id="a number of other digits"),
        pytest.param({"days": "99999"}, 400, "after how many it ends", id="too many digits"),
    ],
)
def test_a_token_that_may_too_much_or_too_long_is_not_made(
    place: Place, fields: dict[str, str], status: int, wanted: str
) -> None:
    said = {"name": "nightly", "role": "viewer", "days": "30", **fields}
    answer = place.as_person("Bo", "/tokens/make", **said)
    assert (answer.status_code, wanted in answer.json()["wanted"]) == (status, True)
    assert place.idents() == []


def test_nobody_has_more_tokens_than_somebody_can_look_through(place: Place) -> None:
    for _ in range(TOKENS_MAX):
        place.made(days=1)
    with pytest.raises(LifecycleError, match="wanted fewer"):
        place.made()
    place.made("Ada", Role.ADMIN)
    place.clock.at_us += DAY_US
    place.made()
    assert len(place.idents("Bo")) == 1


@pytest.mark.parametrize(
    ("later_us", "status"),
    [
        pytest.param(30 * DAY_US - 1, 200, id="until it ends"),
        pytest.param(30 * DAY_US, 401, id="not after"),
    ],
)
def test_a_token_ends_by_itself(place: Place, later_us: int, status: int) -> None:
    secret = place.made()
    place.clock.at_us += later_us
    answer = place.ask("GET", "/accounts", secret)
    assert (answer.status_code, answer.headers["content-type"]) == (status, "application/json")
    assert ("www-authenticate" in answer.headers) == (status == 401)


def test_a_token_never_may_more_than_whoever_made_it_may_now(place: Place) -> None:
    secret = place.made("Bo", Role.ANALYST)
    assert place.ask("GET", "/accounts", secret).status_code == 200
    place.staff.change("Bo", Role.VIEWER)
    assert place.ask("GET", "/accounts", secret).status_code == 403
    assert place.ask("GET", "/rings", secret).status_code == 200
    place.staff.change("Bo", Role.ADMIN)
    assert place.ask("GET", "/looks", secret).status_code == 403, "nor more than was said when it was made"
    place.staff.remove("Bo")
    assert place.ask("GET", "/rings", secret).status_code == 401


def test_a_token_is_revoked_by_its_own_and_by_an_admin_alone(place: Place) -> None:
    mine, theirs = place.made("Bo"), place.made("Ada", Role.VIEWER)
    (ident,), (other,) = place.idents("Bo"), place.idents("Ada")
    assert place.as_person("Bo", "/tokens/revoke", ident=other).status_code == 400
    assert place.ask("GET", "/rings", theirs).status_code == 200
    assert place.as_person("Ada", "/tokens/revoke", ident=ident).status_code == 303
    assert place.ask("GET", "/rings", mine).status_code == 401
    assert place.as_person("Ada", "/tokens/revoke", ident=ident).status_code == 400
    shown = place.browser.get("/tokens", headers={"cookie": place.cookie("Bo")}).text
    assert other not in shown


@pytest.mark.parametrize(
    ("sent", "status"),
    [
        pytest.param(["Bearer {good}"], 200, id="a good one"),
        pytest.param(["bearer   {good}"], 200, id="in small letters, with room"),
        pytest.param(["Bearer {good}x"], 401, id="another"),
        pytest.param(["Bearer"], 401, id="none"),
        pytest.param(["Bearer {good}", "Bearer {good}"], 401, id="two"),
        pytest.param(["Bearer " + "x" * 9000], 401, id="a book"),
        pytest.param(["Bearer ü"], 401, id="no ASCII"),
        pytest.param(["Basic {good}"], 303, id="of another scheme"),
    ],
)
def test_only_a_good_token_lets_in(place: Place, sent: list[str], status: int) -> None:
    good = place.made()
    headers = [(b"authorization", one.format(good=good).encode("latin-1")) for one in sent]
    assert place.browser.get("/accounts", headers=headers).status_code == status


@pytest.mark.parametrize(
    ("secret", "path", "status"),
    [
        pytest.param("weak", "/people", 403, id="the cookie of an admin adds nothing to a token"),
        pytest.param("none", "/people", 401, id="nor makes good one that is not"),
        pytest.param("weak", "/rings", 200, id="the token is taken for what it is"),
    ],
)
def test_a_token_beside_a_cookie_decides(place: Place, secret: str, path: str, status: int) -> None:
    sent = {"weak": place.made()}.get(secret, "riparian_none")
    headers = {"cookie": place.cookie("Ada"), "authorization": f"Bearer {sent}"}
    assert place.browser.get(path, headers=headers).status_code == status


def test_what_a_server_in_front_asks_for_is_no_token_and_waives_nothing(place: Place) -> None:
    headers = {"cookie": place.cookie("Ada"), "authorization": "Basic YTpi", "accept": "application/json"}
    assert place.browser.get("/people", headers=headers).status_code == 200
    answer = place.browser.post("/account/release", data={"id": "x"}, headers=headers)
    assert (answer.status_code, "not from a page" in answer.json()["found"]) == (400, True)


def test_a_form_of_another_site_is_not_taken_with_a_token_either(place: Place) -> None:
    secret = place.made(acts=True)
    headers = {"authorization": f"Bearer {secret}", "origin": "https://evil.example"}
    assert place.browser.post("/account/release", data={"id": "x"}, headers=headers).status_code == 403


def test_a_token_signs_nobody_out(place: Place) -> None:
    cookie = place.cookie("Ada")
    headers = {"cookie": cookie, "authorization": f"Bearer {place.made(acts=True)}"}
    assert place.browser.post("/sign-out", data={}, headers=headers).status_code == 400
    assert place.browser.get("/people", headers={"cookie": cookie}).status_code == 200


def test_who_tries_tokens_may_so_often_and_keeps_nobody_else_out(place: Place) -> None:
    good = place.made()
    tried = [place.ask("GET", "/rings", f"riparian_{n}").status_code for n in range(TRIES_A_MINUTE + 1)]
    assert tried == [401] * TRIES_A_MINUTE + [429]
    assert place.ask("GET", "/nowhere", "riparian_x").status_code == 404
    answer = place.ask("GET", "/rings", "riparian_x")
    assert (answer.headers["retry-after"], answer.json()["kind"]) == ("6", "error")
    assert place.ask("GET", "/rings", good).status_code == 200
    assert place.browser.post("/sign-in/ask", json={}).status_code == 200


def test_a_token_asks_so_often_and_no_more(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    assert ASKED_A_MINUTE >= 60
    monkeypatch.setattr("riparian.console.doors.ASKED_A_MINUTE", 3)
    browser = Browser(console_app(Given(place.folder), Locked(AT, place.staff, place.clock)))
    one, other = place.made(), place.made()
    asked = [browser.get("/rings", headers={"authorization": f"Bearer {one}"}).status_code for _ in range(4)]
    assert asked == [200, 200, 200, 429]
    assert browser.get("/rings", headers={"authorization": f"Bearer {other}"}).status_code == 200
    place.clock.at_us += 20_000_000
    assert browser.get("/rings", headers={"authorization": f"Bearer {one}"}).status_code == 200


def test_what_a_token_is_shown_is_written_down_with_its_name(town: Path) -> None:
    with assembly.staff(Given(town)) as staff:
        if not staff.members():
            staff.enter(staff.invite(Invitation("Ada", Role.ADMIN), BEGIN), "", "id#Ada", BEGIN)
        secret = staff.make_token(
            Token("", "nightly", Person("Ada", Role.ANALYST), acts=False, since_us=BEGIN, until_us=BEGIN + DAY_US)
        )
        browser = Browser(console_app(Given(town), Locked(AT, staff, Hands())))
        shown = browser.get("/accounts", headers={"authorization": f"Bearer {secret}"}).json()["accounts"]
        (look,) = staff.looks(limit=1)
        (token,) = staff.tokens(BEGIN)
        assert staff.broken_look() == 0
    assert (look.person, look.page, look.token) == ("Ada", "/accounts", token.ident)
    assert list(look.accounts) == [row["pseudonym"] for row in shown]
    assert token.seen_us == BEGIN


def test_whose_token_it_was_cannot_be_changed_unseen(place: Place) -> None:
    place.staff.looked("Bo", "/account", ["a"], BEGIN, "t-1")
    place.staff.looked("Bo", "/account", ["a"], BEGIN)
    assert place.staff.broken_look() == 0
    with sqlite3.connect(place.folder / NAME) as connection:
        connection.execute("UPDATE look SET token = '' WHERE number = 1")
    assert place.staff.broken_look() == 1


def test_a_list_of_the_version_before_is_read_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sessions, "_SECOND", ())
    monkeypatch.setattr(sessions, "_VERSION", 1)
    with assembly.staff(Given(tmp_path)) as staff:
        staff.enter(staff.invite(Invitation("Ada", Role.ADMIN), BEGIN), "", "id#Ada", BEGIN)
    monkeypatch.undo()
    for _ in range(2):
        with assembly.staff(Given(tmp_path)) as staff:
            staff.looked("Ada", "/account", ["a"], BEGIN)
            assert [one.person.name for one in staff.members()] == ["Ada"]
            assert staff.tokens(BEGIN) == []
            assert staff.broken_look() == 0


@pytest.mark.parametrize(
    ("since_us", "until_us"),
    [
        pytest.param(BEGIN, BEGIN, id="at once"),
        pytest.param(BEGIN, BEGIN + TOKEN_US_MAX + 1, id="hardly ever"),
    ],
)
def test_the_list_takes_no_token_without_an_end(place: Place, since_us: int, until_us: int) -> None:
    with pytest.raises(InputError, match="within a year"):
        place.staff.make_token(
            Token("", "n", Person("Bo", Role.VIEWER), acts=False, since_us=since_us, until_us=until_us)
        )


def test_what_a_token_is_called_becomes_no_part_of_a_page(place: Place) -> None:
    for harm in (harm for harm in HARM if harm.isprintable()):
        told = place.as_person("Ada", "/tokens/make", name=harm, role="viewer", days="3")
        assert told.json()["made"] == harm
    sitting = {"cookie": place.cookie("Ada")}
    shown = place.browser.get("/tokens", headers=sitting)
    assert (shown.status_code, harm_in(shown.text)) == (200, [])
    assert "&lt;script&gt;" in shown.text
