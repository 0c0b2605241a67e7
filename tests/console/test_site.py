"""Pages as people and programs get them."""

import json
import shutil
from dataclasses import fields
from datetime import datetime, timedelta
from html import unescape
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pytest

from riparian import assembly
from riparian.assembly import Given
from riparian.console.guard import HEADERS
from riparian.console.pages import PAGES
from riparian.console.site import console_app
from riparian.gate.policy import Policy
from riparian.ports.staff import Invitation, Role
from tests.console.asking import Browser
from tests.console.hostile import HARM, harm_in, run
from tests.console.known import FORM, Known


@pytest.fixture(scope="module")
def client(town: Path) -> Browser:
    return Browser(console_app(Given(town), Known()))


@pytest.fixture
def spare(town: Path, tmp_path: Path) -> Path:
    """Hand out a town of one's own, to do something in."""
    return Path(shutil.copytree(town, tmp_path / "spare"))


def first(client: Browser) -> dict[str, Any]:
    row: dict[str, Any] = client.get("/accounts?json").json()["accounts"][0]
    return row


def told(*words: str | Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in run(*words).splitlines()]


def test_accounts_are_listed_as_the_command_lists_them(client: Browser, town: Path) -> None:
    listed = client.get("/accounts", headers={"accept": "application/json"}).json()
    rows = [{k: v for k, v in row.items() if k != "ring"} for row in listed["accounts"]]
    assert rows == told("hold", "list", "-w", town, "--json")
    assert listed["recompute"] == f"riparian hold list --workspace {town}"


def test_an_account_is_explained_as_the_command_explains_it(client: Browser, town: Path) -> None:
    name = first(client)["account"]
    facts = client.get("/account", params={"id": name, "json": ""}).json()
    (whole,) = told("explain", "account", name, "-w", town, "--json")
    assert {key: facts[key] for key in whole} == whole
    rows, total = facts["steps"][:-1], facts["steps"][-1]
    assert round(sum(row["shown"] for row in rows), 3) == round(total["shown"], 3) == round(facts["bits"], 3)


def test_an_account_is_found_by_its_pseudonym_too(client: Browser) -> None:
    row = first(client)
    assert client.get("/account", params={"id": row["pseudonym"], "json": ""}).json()["account"] == row["account"]


def test_a_page_begins_after_the_last_row_of_the_one_before(client: Browser, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = client.get("/accounts?json").json()["accounts"]
    monkeypatch.setattr("riparian.console.pages.accounts.ROWS", 2)
    found: list[str] = []
    page = client.get("/accounts?json").json()
    while True:
        found += [row["account"] for row in page["accounts"]]
        if not page["after"]:
            break
        assert "The next ones" in client.get("/accounts").text
        page = client.get("/accounts", params={"after": page["after"], "json": ""}).json()
    assert len(whole) > 2
    assert found == [row["account"] for row in whole]


@pytest.mark.parametrize(
    ("path", "status", "found", "wanted"),
    [
        pytest.param("/account?id=nobody", 404, "no account that a scan has seen", "a pseudonym", id="no such account"),
        pytest.param("/account", 404, "no account is named", "an identifier", id="no account named"),
        pytest.param("/accounts?after=x", 404, "begins nowhere", "a place", id="a page that begins nowhere"),
        pytest.param("/nowhere", 404, "nothing is at `/nowhere`", "a page of the console", id="no such page"),
        pytest.param("/account?id=<script>alert(1)</script>", 404, "&lt;script&gt;", "", id="a script that comes back"),
    ],
)
def test_an_error_says_what_was_found_what_was_wanted_and_what_to_do(
    client: Browser, path: str, status: int, found: str, wanted: str
) -> None:
    answer = client.get(path)
    assert answer.status_code == status
    assert found in answer.text
    assert wanted in answer.text
    assert "<script" not in answer.text
    answer = client.get(path, headers={"accept": "application/json"})
    assert (answer.status_code, answer.json()["kind"]) == (status, "error")


def test_what_fails_inside_says_nothing_of_the_inside(client: Browser, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("riparian.console.pages.accounts.facts", lambda *_: 1 / 0)
    answer = client.get("/accounts")
    assert (answer.status_code, "ZeroDivisionError" in answer.text) == (500, False)
    assert {name: answer.headers[name] for name in HEADERS} == HEADERS


@pytest.mark.parametrize(
    "path",
    [
        "/accounts",
        "/account?id=x",
        "/nowhere",
        "/rings?json",
        "/static/console.css",
        "/static/icon.svg",
        "/static/none.css",
    ],
)
def test_every_answer_carries_the_headers(client: Browser, path: str) -> None:
    answer = client.get(path)
    wanted = {name: text for name, text in HEADERS.items() if name != "Cache-Control" or "static" not in path}
    assert {name: answer.headers[name] for name in wanted} == wanted
    assert "unsafe" not in answer.headers["Content-Security-Policy"]
    assert not [name for name in answer.headers if name.startswith("access-control-")], "no other origin may read"
    kind = answer.headers["content-type"]
    assert "charset=utf-8" in kind or kind == "application/json"


@pytest.mark.parametrize(
    ("host", "origin", "method", "status"),
    [
        pytest.param("evil.example", None, "GET", 421, id="another name is not answered"),
        pytest.param("[::", None, "GET", 421, id="nor what is no name"),
        pytest.param("127.0.0.1:8099", None, "GET", 308, id="this machine's number leads to its name"),
        pytest.param("127.0.0.1:8099", None, "POST", 421, id="but for what changes something"),
        pytest.param("localhost:8099", "https://evil.example", "POST", 403, id="a form of another site"),
        pytest.param("localhost:8099", "null", "POST", 403, id="a form of nowhere"),
        pytest.param("localhost:8099", None, "TRACE", 405, id="nothing is sent back as it came"),
    ],
)
def test_what_is_sent_to_another_name_or_from_another_site_is_not_taken(
    client: Browser, host: str, origin: str | None, method: str, status: int
) -> None:
    headers = {"host": host} | ({"origin": origin} if origin else {})
    assert client.ask(method, "/accounts", headers=headers).status_code == status


def every_page(client: Browser) -> list[str]:
    """Look at every page there is, and at each account and ring; cases and what was found have tests of their own."""
    names = [row["account"] for row in client.get("/accounts?json").json()["accounts"]]
    rings = [row["ring"] for row in client.get("/rings?json").json()["rings"]]
    held = [row["recording"] for row in client.get("/catalogue?json").json()["recordings"]]
    assert names
    assert rings
    assert held
    asked = {"/account": names, "/data": names, "/ring": rings, "/recording": held[:5]}
    answers = [
        client.get(page.path, params={"id": ident} if ident else {})
        for page in PAGES
        if page.path not in {"/case", "/notice", "/finding"}
        for ident in asked.get(page.path, [""])
    ]
    assert {answer.status_code for answer in answers} == {200}
    return [answer.text for answer in answers]


def test_nothing_that_anything_is_called_becomes_a_part_of_a_page(spare: Path) -> None:
    client = Browser(console_app(Given(spare), Known()))
    with assembly.staff(Given(spare)) as staff:
        for number, harm in enumerate(harm for harm in HARM if harm.isprintable()):
            link = staff.invite(Invitation(harm, Role.ADMIN), 0)
            staff.enter(link, "", f"{number}{harm}", 0)
            staff.looked(harm, harm, [harm], 0)
    row = first(client)
    for harm in HARM:
        said = {"token": FORM, "id": row["account"], "days": "1", "reason": harm}
        assert client.post("/account/extend", data=said).status_code == 303
    pages = every_page(client)
    assert [harm_in(text) for text in pages] == [[] for _ in pages]
    assert sum("&lt;script&gt;" in text or "&lt;img" in text for text in pages) >= 5


def test_every_page_says_the_same_to_a_program(client: Browser) -> None:
    for page in PAGES:
        answer = client.get(page.path, params={"json": "", "id": first(client)["account"]})
        assert "kind" in answer.json(), page.path
        assert answer.headers["content-type"] == "application/json"


# --- what people do ------------------------------------------------------------------------------------------------


def test_a_restraint_is_extended_and_let_go_as_the_commands_do(spare: Path) -> None:
    client = Browser(console_app(Given(spare), Known()))
    row = first(client)
    page = f"/account?{urlencode({'id': row['account']})}"
    said = {"token": FORM, "id": row["account"], "reason": "under review"}
    done = client.post("/account/extend", data={**said, "days": "3"})
    assert done.headers["location"] == f"{page}&done=extend"
    assert "The restraint lasts longer." in client.get(done.headers["location"]).text
    (held,) = [one for one in told("hold", "list", "-w", spare, "--json") if one["account"] == row["account"]]
    assert datetime.fromisoformat(held["until"]) - datetime.fromisoformat(row["until"]) == timedelta(days=3)
    done = client.post("/account/release", data={**said, "reason": "is our own test"})
    facts = client.get(f"{page}&json").json()
    assert [(one["step"], one["person"], one["reason"]) for one in facts["events"][-2:]] == [
        ("extended", "Ada", "under review"),
        ("released", "Ada", "is our own test"),
    ]
    assert (facts["decision"]["action"], facts["possible"]) == ("allow", ["placed", "proposed"])
    assert "Hold it longer" not in client.get(page).text
    assert client.post("/account/release", data=said).status_code == 409


@pytest.mark.parametrize(
    ("act", "changed", "status", "found"),
    [
        pytest.param("extend", {"days": "x"}, 400, "no number", id="no number of days"),
        pytest.param("extend", {"days": "99999"}, 400, "no number", id="too many digits"),
        pytest.param("extend", {"days": "15"}, 409, "`days` is 15", id="too many days"),
        pytest.param("extend", {"reason": " "}, 409, "reason", id="extended for no reason"),
        pytest.param("release", {"reason": ""}, 409, "reason", id="let go for no reason"),
        pytest.param("release", {"id": "nobody"}, 400, "no account", id="nobody"),
    ],
)
def test_what_may_not_be_done_is_refused_and_changes_nothing(
    client: Browser, act: str, changed: dict[str, str], status: int, found: str
) -> None:
    before = client.get("/accounts?json").json()
    said = {"token": FORM, "id": first(client)["account"], "days": "1", "reason": "why", **changed}
    answer = client.post(f"/account/{act}", data=said, headers={"accept": "application/json"})
    assert (answer.status_code, found in answer.json()["found"] + answer.json()["wanted"]) == (status, True)
    assert client.get("/accounts?json").json() == before


def test_an_account_is_let_go_by_its_page_whatever_it_is_called(spare: Path) -> None:
    client = Browser(console_app(Given(spare), Known()))
    for row in client.get("/accounts?json").json()["accounts"]:
        text = client.get("/account", params={"id": row["account"]}).text
        ident = unescape(text.partition('name="id" value="')[2].partition('"')[0])
        said = {"token": FORM, "id": ident, "reason": "ours"}
        assert client.post("/account/release", data=said).status_code == 303
    assert client.get("/accounts?json").json()["accounts"] == []


def test_who_looks_at_an_account_is_written_down(town: Path) -> None:
    doors = Known()
    client = Browser(console_app(Given(town), doors))
    row = first(client)
    client.get("/account", params={"id": row["account"]})
    ring = client.get("/rings?json").json()["rings"][0]["ring"]
    members = client.get("/ring", params={"id": ring, "json": ""}).json()["accounts"]
    assert [(page, len(accounts)) for _, page, accounts in doors.seen] == [
        ("/accounts", len(client.get("/accounts?json").json()["accounts"])),
        ("/account", 1),
        ("/ring", len(members)),
    ]
    assert doors.seen[1] == ("Ada", "/account", [row["pseudonym"]])


# --- today, rings, policy ------------------------------------------------------------------------------------------


def test_today_counts_what_the_commands_count(client: Browser, town: Path) -> None:
    facts = client.get("/?json").json()
    held = told("hold", "list", "-w", town, "--json")
    assert facts["in_force"]["hold"] == sum(row["action"] == "hold" for row in held)
    assert facts["scan"]["accounts"] == 66
    assert [row["through"] for row in facts["left"]] == ["accounts on hold", "all restrained accounts", "everybody"]
    assert facts["left"][0]["accounts"] == facts["in_force"]["hold"]
    assert facts["waits"] == {name: {"waiting": 0, "late": 0, "next_due": None} for name in ("proposals", "appeals")}


def test_today_says_what_waits_for_a_person_and_names_nobody(spare: Path) -> None:
    client = Browser(console_app(Given(spare), Known()))
    name = first(client)["account"]
    run("hold", "end", name, "--person", "Bo", "--reason", "it goes on", "-w", spare)
    facts = client.get("/?json").json()
    assert facts["waits"]["proposals"]["waiting"] == 1
    assert "1 proposal" in client.get("/", headers={"as": "viewer"}).text
    assert name not in str(facts)


def test_rings_are_listed_and_explained_as_the_commands_do(client: Browser, town: Path) -> None:
    listed = client.get("/rings?json").json()["rings"]
    rings = told("rings", "-w", town, "--json")
    assert listed == [{**ring, "accounts": len(ring["accounts"])} for ring in rings]
    name = listed[0]["ring"]
    (whole,) = told("explain", "ring", name, "-w", town, "--json")
    facts = client.get("/ring", params={"id": name, "json": ""}).json()
    assert {key: facts[key] for key in whole if key != "recompute"} == {
        k: v for k, v in whole.items() if k != "recompute"
    }
    assert facts["recompute"] == f"riparian explain ring {name} --workspace {town}"
    assert client.get("/ring?id=g-x").status_code == client.get("/ring").status_code == 404


def test_the_members_of_a_ring_come_a_page_at_a_time(client: Browser, monkeypatch: pytest.MonkeyPatch) -> None:
    ring = client.get("/rings?json").json()["rings"][0]["ring"]
    whole = client.get("/ring", params={"id": ring, "json": ""}).json()["accounts"]
    monkeypatch.setattr("riparian.console.pages.ring.ROWS", 2)
    found: list[str] = []
    asked = {"id": ring, "json": ""}
    while True:
        facts = client.get("/ring", params=asked).json()
        found += [one["account"] for one in facts["accounts"]]
        if not facts["after"]:
            break
        asked["after"] = facts["after"]
    assert found == [one["account"] for one in whole]


def test_the_policy_says_what_it_wanted_of_the_last_scan(client: Browser) -> None:
    facts = client.get("/policy?json").json()
    assert {one["name"] for one in facts["settings"]} == {one.name for one in fields(Policy)}
    assert [rung["action"] for rung in facts["ladder"]] == ["hold", "step_up", "slow"]
    assert facts["mode"] == "shadow"


def test_pages_of_a_workspace_that_nothing_was_scanned_into_say_so(tmp_path: Path) -> None:
    client = Browser(console_app(Given(tmp_path), Known()))
    said = {page.path: client.get(page.path).text for page in PAGES if page.is_listed}
    assert "Nothing was scanned yet" in said["/"]
    assert "Nothing was scanned yet" in said["/policy"]
    assert "No account is restrained" in said["/accounts"]
    assert "No ring was found" in said["/rings"]
    assert "No appeal waits" in said["/appeals"]
    assert "No proposal waits" in said["/appeals"]
    assert "No exercise is kept here yet" in said["/exercise"]
    assert "riparian catalogue add" in said["/catalogue"]
    assert "Nothing was brought yet" in said["/found"]
