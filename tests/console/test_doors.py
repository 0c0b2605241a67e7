"""Who gets in, how, for how long; and who does not."""

import sqlite3
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import httpx
import pytest

from riparian import assembly
from riparian.assembly import Given
from riparian.console.doors import TRIES_A_MINUTE, Locked
from riparian.console.page import address
from riparian.console.pages import PAGES
from riparian.console.site import console_app
from riparian.errors import InputError, LifecycleError, PolicyError
from riparian.ports.staff import (
    FRESH_US,
    IDLE_US,
    LINK_US,
    LONGEST_US,
    WAY_US,
    Invitation,
    Passkey,
    Person,
    Role,
    Staff,
)
from riparian.schema import HOUR_US
from riparian.stores.sessions import NAME
from tests.console.asking import AT, Browser
from tests.console.authenticator import PRESENT, Authenticator, octets

BEGIN = 1_795_435_200_000_000


@dataclass
class Hands:
    """A clock that somebody turns."""

    at_us: int = BEGIN

    def now_us(self) -> int:
        return self.at_us


@dataclass
class Place:
    """A console, and somebody before it."""

    staff: Staff
    clock: Hands
    browser: Browser
    folder: Path
    key: Authenticator = field(default_factory=Authenticator)

    def invited(self, name: str = "", role: Role = Role.ADMIN) -> str:
        return self.staff.invite(Invitation(name, role), self.clock.now_us())

    def enter(self, link: str, name: str = "Ada", key: Authenticator | None = None) -> httpx.Response:
        asked = self.browser.post("/setup/ask", json={"link": link, "name": name})
        if asked.status_code != 200:
            return asked
        made = (key or self.key).make(asked.json())
        return self.browser.post("/setup", json={"link": link, "name": name, "credential": made})

    def sign_in(self, key: Authenticator | None = None, **said: Any) -> httpx.Response:
        asked = self.browser.post("/sign-in/ask", json={}).json()
        return self.browser.post("/sign-in", json={"credential": (key or self.key).prove(asked), **said})

    def is_in(self) -> bool:
        return self.browser.get("/people").status_code == 200


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Place]:
    given, clock = Given(tmp_path), Hands()
    with assembly.staff(given) as staff:
        yield Place(staff, clock, Browser(console_app(given, Locked(AT, staff, clock))), tmp_path)


@pytest.fixture
def inside(place: Place) -> Place:
    assert place.enter(place.invited()).status_code == 200
    return place


def test_a_link_lets_somebody_in_who_then_comes_back_with_their_passkey(place: Place) -> None:
    assert not place.is_in()
    link = place.invited()
    assert "You are invited as admin" in place.browser.get("/setup", params={"link": link}).text
    assert place.enter(link).json() == {"to": "/"}
    assert place.is_in()
    place.browser.cookies.clear()
    assert not place.is_in()
    assert place.sign_in(to="/people").json() == {"to": "/people"}
    assert place.is_in()


@pytest.mark.parametrize(
    ("path", "leads_to"),
    [
        pytest.param("/people", "/sign-in?to=%2Fpeople", id="a page"),
        pytest.param("/account?id=a%26b", "/sign-in?to=%2Faccount%3Fid%3Da%2526b", id="a page that is asked something"),
    ],
)
def test_whoever_is_not_signed_in_is_led_to_it_and_then_on(place: Place, path: str, leads_to: str) -> None:
    answer = place.browser.get(path)
    assert (answer.status_code, answer.headers["location"]) == (303, leads_to)
    assert place.browser.get(path, headers={"accept": "application/json"}).status_code == 401


def test_cookies_are_out_of_reach_of_scripts_and_of_other_sites(place: Place, tmp_path: Path) -> None:
    here = place.enter(place.invited()).headers["set-cookie"]
    assert "riparian=" in here
    assert all(word in here for word in ("HttpOnly", "SameSite=lax", "Path=/"))
    assert "Secure" not in here
    at = "https://console.example"
    app = console_app(Given(tmp_path), Locked(at, place.staff, place.clock))
    away = Place(place.staff, place.clock, Browser(app, at), tmp_path, Authenticator(at, "console.example"))
    there = away.enter(away.invited(), "Bo").headers
    assert "__Host-riparian=" in there["set-cookie"]
    assert "Secure" in there["set-cookie"]
    assert there["strict-transport-security"] == "max-age=31536000; includeSubDomains"


def test_what_is_kept_lets_nobody_in(inside: Place) -> None:
    token = inside.browser.cookies["riparian"]
    link = inside.invited("Bo")
    with sqlite3.connect(inside.folder / NAME) as connection:
        held = "\n".join(connection.iterdump())
    assert token not in held
    assert link not in held
    assert (inside.folder / NAME).stat().st_mode & 0o77 == 0


def test_a_sitting_begins_with_a_new_token_and_ends_the_one_before(inside: Place) -> None:
    before = inside.browser.cookies["riparian"]
    inside.sign_in()
    assert inside.browser.cookies["riparian"] != before
    inside.browser.cookies.set("riparian", before, domain="localhost.local", path="/")
    other = Browser(inside.browser._app)
    assert other.get("/people", headers={"cookie": f"riparian={before}"}).status_code == 303


@pytest.mark.parametrize(
    ("steps", "status"),
    [
        pytest.param([IDLE_US - 1], 200, id="a little less than an hour"),
        pytest.param([IDLE_US], 303, id="an hour of nothing"),
        pytest.param([IDLE_US // 2] * 23, 200, id="always busy"),
        pytest.param([IDLE_US // 2] * (LONGEST_US * 2 // IDLE_US), 303, id="always busy, for twelve hours"),
    ],
)
def test_a_sitting_ends(inside: Place, steps: list[int], status: int) -> None:
    for step in steps[:-1]:
        inside.clock.at_us += step
        assert inside.is_in()
    inside.clock.at_us += steps[-1]
    assert inside.browser.get("/people").status_code == status


def test_whoever_signs_out_is_out(inside: Place) -> None:
    token = inside.browser.cookies["riparian"]
    sitting = inside.staff.sitting(token, inside.clock.now_us())
    assert sitting is not None
    assert inside.browser.post("/sign-out", data={"token": "another"}).status_code == 400
    assert inside.is_in()
    answer = inside.browser.post("/sign-out", data={"token": sitting.form_token})
    assert answer.headers["location"] == "/sign-in"
    assert answer.headers["clear-site-data"] == '"cache", "storage"'
    assert inside.staff.sitting(token, inside.clock.now_us()) is None


@pytest.mark.parametrize(
    ("change", "found"),
    [
        pytest.param({"origin": "https://evil.example"}, "origin", id="of another site"),
        pytest.param({"domain": "evil.example"}, "RP ID", id="for another domain"),
        pytest.param({"flags": PRESENT}, "verification", id="without looking who is there"),
        pytest.param({"ident": b"another"}, "none that was made here", id="that nobody knows"),
        pytest.param({"key": Authenticator().key}, "signature", id="signed by another key"),
    ],
)
def test_a_passkey_proves_nothing(inside: Place, change: dict[str, Any], found: str) -> None:
    inside.browser.cookies.clear()
    answer = inside.sign_in(replace(inside.key, **change))
    assert answer.status_code == 400
    assert found.lower() in answer.json()["found"].lower()
    assert not inside.is_in()


def test_a_proof_is_good_once_and_for_minutes(inside: Place) -> None:
    inside.browser.cookies.clear()
    asked = inside.browser.post("/sign-in/ask", json={}).json()
    way = inside.browser.cookies["riparian-way"]
    said = {"credential": inside.key.prove(asked)}
    assert inside.browser.post("/sign-in", json=said).status_code == 200
    again = Browser(inside.browser._app).post("/sign-in", json=said, headers={"cookie": f"riparian-way={way}"})
    assert "nothing was asked of you" in again.json()["found"]
    inside.browser.cookies.clear()
    asked = inside.browser.post("/sign-in/ask", json={}).json()
    inside.clock.at_us += WAY_US
    assert inside.browser.post("/sign-in", json={"credential": inside.key.prove(asked)}).status_code == 400


def test_a_passkey_whose_count_goes_back_is_a_copy(inside: Place) -> None:
    assert inside.sign_in().status_code == 200
    inside.key.uses -= 1
    assert inside.sign_in().status_code == 400


@pytest.mark.parametrize(
    ("said", "found"),
    [
        pytest.param({}, "no passkey was sent", id="none"),
        pytest.param({"credential": {}}, "none that was made here", id="empty"),
        pytest.param({"credential": {"rawId": "AAAA"}}, "none that was made here", id="unknown"),
        pytest.param({"credential": {"rawId": ["x"]}}, "none that was made here", id="of another type"),
    ],
)
def test_what_is_no_passkey_is_refused(inside: Place, said: dict[str, Any], found: str) -> None:
    inside.browser.post("/sign-in/ask", json={})
    answer = inside.browser.post("/sign-in", json=said)
    assert (answer.status_code, found in answer.json()["found"]) == (400, True)


def test_a_link_is_good_once(place: Place) -> None:
    link = place.invited()
    assert place.enter(link).status_code == 200
    assert place.enter(link, "Bo", Authenticator()).status_code == 409
    assert place.browser.get("/setup", params={"link": link}).status_code == 409


def test_a_link_is_used_by_one_of_two_who_come_at_once(place: Place) -> None:
    link, other = place.invited(), Authenticator()
    asked = place.browser.post("/setup/ask", json={"link": link, "name": "Bo"}).json()
    way = place.browser.cookies["riparian-way"]
    assert place.enter(link).status_code == 200
    late = Browser(place.browser._app).post(
        "/setup", json={"credential": other.make(asked)}, headers={"cookie": f"riparian-way={way}"}
    )
    assert late.status_code == 409
    assert [one.person.name for one in place.staff.members()] == ["Ada"]


def test_a_link_is_good_for_a_quarter_of_an_hour(place: Place) -> None:
    link = place.invited()
    place.clock.at_us += LINK_US
    assert place.enter(link).status_code == 409
    assert place.staff.members() == []


def test_a_link_gives_the_role_and_the_name_that_it_was_made_for(inside: Place) -> None:
    inside.browser.cookies.clear()
    assert inside.enter(inside.invited("Bo", Role.VIEWER), "Ada", Authenticator()).status_code == 200
    found = {one.person.name: one.person.role for one in inside.staff.members()}
    assert found == {"Ada": Role.ADMIN, "Bo": Role.VIEWER}
    assert inside.browser.get("/people").status_code == 403


def test_who_makes_another_passkey_is_signed_out_wherever_they_were(inside: Place) -> None:
    there = Place(inside.staff, inside.clock, Browser(inside.browser._app), inside.folder)
    assert there.enter(inside.invited("Ada")).status_code == 200
    assert there.is_in()
    assert not inside.is_in()
    assert inside.sign_in().status_code == 200, "the passkey that they had is good still"


def test_nobody_takes_the_name_of_somebody_who_works_here(inside: Place) -> None:
    answer = inside.enter(inside.invited(), "Ada", Authenticator())
    assert (answer.status_code, "somebody's" in answer.json()["found"]) == (409, True)


def test_one_may_try_so_often_and_no_more(inside: Place) -> None:
    inside.clock.at_us += HOUR_US
    tried = [inside.browser.post("/sign-in/ask", json={}).status_code for _ in range(TRIES_A_MINUTE + 1)]
    assert tried == [200] * TRIES_A_MINUTE + [429]
    assert inside.browser.post("/sign-in", json={}).headers["retry-after"] == "6"
    inside.clock.at_us += 6_000_000
    assert inside.browser.post("/sign-in/ask", json={}).status_code == 200


@pytest.mark.parametrize("kind", ["application/x-www-form-urlencoded", "text/plain", "multipart/form-data; boundary=x"])
def test_what_a_form_of_another_site_could_send_is_not_taken(inside: Place, kind: str) -> None:
    answer = inside.browser.post("/sign-in/ask", content=b"{}", headers={"content-type": kind})
    assert answer.status_code == 200, "asking changes nothing"
    assert inside.browser.post("/sign-in", content=b"{}", headers={"content-type": kind}).status_code == 400
    assert inside.browser.post("/setup/ask", content=b"{}", headers={"content-type": kind}).status_code == 400


# --- people --------------------------------------------------------------------------------------------------------


def form(place: Place, **fields: str) -> dict[str, str]:
    sitting = place.staff.sitting(place.browser.cookies["riparian"], place.clock.now_us())
    assert sitting is not None
    return {"token": sitting.form_token, **fields}


def test_an_admin_lets_people_in_changes_and_removes_them(inside: Place) -> None:
    shown = inside.browser.post("/people/invite", data=form(inside, name="Bo", role="viewer"))
    link = shown.text.partition("/setup?link=")[2].partition("<")[0]
    there = Place(inside.staff, inside.clock, Browser(inside.browser._app), inside.folder)
    assert there.enter(link).status_code == 200
    assert there.browser.get("/people").status_code == 403
    done = inside.browser.post("/people/change", data=form(inside, name="Bo", role="admin"))
    assert (done.status_code, done.headers["location"]) == (303, "/people?done=change")
    assert there.browser.get("/people").status_code == 303, "another role begins with signing in"
    assert there.sign_in().status_code == 200
    assert there.is_in()
    assert (
        "They are let in no more"
        in inside.browser.get(
            inside.browser.post("/people/remove", data=form(inside, name="Bo")).headers["location"]
        ).text
    )
    assert not there.is_in()
    assert there.sign_in().status_code == 400


@pytest.mark.parametrize(
    ("path", "fields", "status"),
    [
        pytest.param("/people/remove", {"name": "Ada"}, 409, id="the last admin goes"),
        pytest.param("/people/change", {"name": "Ada", "role": "viewer"}, 409, id="the last admin is none"),
        pytest.param("/people/change", {"name": "Bo", "role": "viewer"}, 400, id="somebody else"),
        pytest.param("/people/change", {"name": "Ada", "role": "king"}, 400, id="a role that there is not"),
        pytest.param("/people/invite", {"name": " ", "role": "viewer"}, 400, id="nobody"),
        pytest.param("/people/invite", {"name": "A\u202eda", "role": "viewer"}, 400, id="a name that turns around"),
        pytest.param("/people/invite", {"name": "x" * 81, "role": "viewer"}, 400, id="a name that is a book"),
    ],
)
def test_what_would_leave_nobody_in_charge_changes_nothing(
    inside: Place, path: str, fields: dict[str, str], status: int
) -> None:
    assert inside.browser.post(path, data=form(inside, **fields)).status_code == status
    assert [one.person for one in inside.staff.members()] == [Person("Ada", Role.ADMIN)]


def test_a_link_of_a_lower_role_does_not_make_the_last_admin_less(inside: Place) -> None:
    link = inside.invited("Ada", Role.VIEWER)
    with pytest.raises(LifecycleError):
        inside.staff.enter(link, "", Passkey(b"x", "Ada", b"", b"", 0), inside.clock.now_us())
    assert [one.person.role for one in inside.staff.members()] == [Role.ADMIN]


# --- signed in lately, and elsewhere ----------------------------------------------------------------------------------


def known(place: Place) -> tuple[list[Person], list[str]]:
    now_us = place.clock.now_us()
    return [one.person for one in place.staff.members()], [one.ident for one in place.staff.tokens(now_us)]


@pytest.mark.parametrize(
    ("path", "fields", "leads_to"),
    [
        pytest.param("/people/invite", {"name": "Bo", "role": "viewer"}, "/people", id="let somebody in"),
        pytest.param("/people/change", {"name": "Ada", "role": "admin"}, "/people", id="give a role"),
        pytest.param("/people/remove", {"name": "Ada"}, "/people", id="remove somebody"),
        pytest.param("/tokens/make", {"name": "x", "role": "viewer", "days": "3"}, "/tokens", id="make a token"),
        pytest.param("/tokens/leave", {}, "/tokens", id="sign out elsewhere"),
        pytest.param("/data/erase?id=x", {"account": "x"}, "/data?id=x", id="erase an account"),
    ],
)
def test_what_cannot_be_taken_back_wants_a_sign_in_of_late(
    inside: Place, path: str, fields: dict[str, str], leads_to: str
) -> None:
    assert "again=yes" not in inside.browser.post(path, data=form(inside, **fields)).headers.get("location", "")
    assert inside.sign_in().status_code == 200
    inside.clock.at_us += FRESH_US - 1
    lately = inside.browser.post(path, data=form(inside, **fields)).headers.get("location", "")
    assert "again=yes" not in lately
    assert inside.sign_in().status_code == 200
    inside.clock.at_us += FRESH_US
    before = known(inside)
    answer = inside.browser.post(path, data=form(inside, **fields))
    assert (answer.status_code, answer.headers["location"]) == (303, address("/sign-in", to=leads_to, again="yes"))
    said = inside.browser.post(path, data=form(inside, **fields), headers={"accept": "application/json"})
    assert (said.status_code, "too long ago" in said.json()["found"]) == (403, True)
    assert known(inside) == before
    assert "Sign in once more" in inside.browser.get(answer.headers["location"]).text
    assert inside.sign_in(to=leads_to).json() == {"to": leads_to}
    assert "again=yes" not in inside.browser.post(path, data=form(inside, **fields)).headers.get("location", "")


def test_somebody_sees_where_they_are_signed_in_and_leaves_elsewhere(inside: Place) -> None:
    # A page asks the clock on the wall.
    inside.clock.at_us = assembly.WallClock().now_us()
    assert inside.sign_in().status_code == 200
    there, third = (Place(inside.staff, inside.clock, Browser(inside.browser._app), inside.folder) for _ in range(2))
    for other in (there, third):
        inside.clock.at_us += 1
        assert other.sign_in(inside.key).status_code == 200
    seats = inside.browser.get("/tokens?json").json()["seats"]
    assert [one["is_here"] for one in seats] == [True, False, False]
    assert inside.browser.cookies["riparian"] not in str(seats)
    left = inside.browser.post("/tokens/leave", data=form(inside, ident=seats[2]["ident"]))
    assert left.headers["location"] == "/tokens?done=leave"
    assert (inside.is_in(), there.is_in(), third.is_in()) == (True, True, False)
    assert inside.browser.post("/tokens/leave", data=form(inside, ident=seats[2]["ident"])).status_code == 400
    assert inside.browser.post("/tokens/leave", data=form(inside)).status_code == 303
    assert (inside.is_in(), there.is_in()) == (True, False)
    assert [one["is_here"] for one in inside.browser.get("/tokens?json").json()["seats"]] == [True]


def test_nobody_is_signed_out_by_others_but_by_an_admin(inside: Place) -> None:
    there = Place(inside.staff, inside.clock, Browser(inside.browser._app), inside.folder)
    assert there.enter(inside.invited("Bo", Role.ANALYST)).status_code == 200
    (hers,) = inside.staff.seats("Ada", inside.clock.now_us())
    assert there.browser.post("/tokens/leave", data=form(there, ident=hers.ident)).status_code == 400
    assert there.browser.post("/people/sign-out", data=form(there, name="Ada")).status_code == 403
    assert inside.browser.post("/people/sign-out", data=form(inside, name="Bo")).status_code == 303
    assert (inside.is_in(), there.browser.get("/rings").status_code) == (True, 303)
    assert there.sign_in().status_code == 200


def test_a_place_that_is_over_is_not_listed(inside: Place) -> None:
    inside.clock.at_us += IDLE_US
    assert inside.staff.seats("Ada", inside.clock.now_us()) == []


# --- looks ---------------------------------------------------------------------------------------------------------


def test_looks_are_chained_and_a_change_is_noticed(inside: Place) -> None:
    for number in range(5):
        inside.staff.looked("Ada", "/account", [f"a-{number}"], BEGIN + number)
    assert inside.staff.broken_look() == 0
    assert [one.number for one in inside.staff.looks(before=4, limit=2)] == [3, 2]
    assert "the chain is whole" in inside.browser.get("/looks").text
    with sqlite3.connect(inside.folder / NAME) as connection:
        connection.execute("DELETE FROM look WHERE number = 3")
    assert inside.staff.broken_look() == 3
    assert "Look 3 does not follow" in inside.browser.get("/looks").text


def test_looks_come_a_page_at_a_time(inside: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("riparian.console.pages.looks.ROWS", 2)
    for number in range(5):
        inside.staff.looked("Ada", "/account", [f"a-{number}"], BEGIN + number)
    found: list[int] = []
    before: int | None = 0
    while before is not None:
        page = inside.browser.get("/looks", params={"json": "", **({"before": before} if before else {})}).json()
        found, before = [*found, *(one["number"] for one in page["looks"])], page["before"]
    assert found == [5, 4, 3, 2, 1]
    assert inside.browser.get("/looks?before=x").status_code == 404


# --- settings ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "error"),
    [
        pytest.param('issuer = "https://id.example"', PolicyError, id="not all of it"),
        pytest.param('issuer = "x"\nclient_id = "y"\nsecret_file = "z"\nmore = "w"', PolicyError, id="too much"),
        pytest.param('issuer = "x"\nclient_id = "y"\nsecret_file = "z"\nacr = 2', PolicyError, id="a number"),
        pytest.param('issuer = "x"\nclient_id = 3\nsecret_file = "z"', PolicyError, id="no text"),
        pytest.param('issuer = "x"\nclient_id = "y"\nsecret_file = "none"', InputError, id="no secret"),
    ],
)
def test_settings_that_cannot_be_used_are_refused(tmp_path: Path, text: str, error: type[Exception]) -> None:
    (tmp_path / "console.toml").write_text(text)
    with pytest.raises(error):
        assembly.read_issuer(Given(tmp_path))


def test_every_page_has_a_place_of_its_own() -> None:
    paths = [page.path for page in PAGES] + [f"{page.path}/{act.name}" for page in PAGES for act in page.acts]
    assert len(paths) == len(set(paths))
    assert octets("AAAA") == bytes(3)
