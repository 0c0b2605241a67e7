"""Pages as people and programs get them."""

import json
from pathlib import Path
from typing import Any

import pytest

from riparian.assembly import Given
from riparian.console.guard import HEADERS
from riparian.console.site import console_app
from tests.console.asking import Browser
from tests.console.hostile import harm_in, run
from tests.console.known import Known


@pytest.fixture(scope="module")
def client(town: Path) -> Browser:
    return Browser(console_app(Given(town), Known()))


def first(client: Browser) -> dict[str, Any]:
    row: dict[str, Any] = client.get("/accounts?json").json()["accounts"][0]
    return row


def test_accounts_are_listed_as_the_command_lists_them(client: Browser, town: Path) -> None:
    listed = client.get("/accounts", headers={"accept": "application/json"}).json()
    told = [json.loads(line) for line in run("hold", "list", "-w", town, "--json").splitlines()]
    assert [{k: v for k, v in row.items() if k != "ring"} for row in listed["accounts"]] == told
    assert listed["recompute"] == f"riparian hold list --workspace {town}"


def test_an_account_is_explained_as_the_command_explains_it(client: Browser, town: Path) -> None:
    name = first(client)["account"]
    facts = client.get("/account", params={"id": name, "json": ""}).json()
    (told,) = [json.loads(line) for line in run("explain", "account", name, "-w", town, "--json").splitlines()]
    assert {key: facts[key] for key in told} == told
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
    told = client.get(path, headers={"accept": "application/json"})
    assert (told.status_code, told.json()["kind"]) == (status, "error")


def test_what_fails_inside_says_nothing_of_the_inside(
    town: Path, monkeypatch: pytest.MonkeyPatch, client: Browser, capsys: pytest.CaptureFixture[str]
) -> None:
    del town
    monkeypatch.setattr("riparian.console.pages.accounts.facts", lambda *_: 1 / 0)
    answer = client.get("/accounts")
    assert (answer.status_code, "ZeroDivisionError" in answer.text) == (500, False)
    assert "ZeroDivisionError" in capsys.readouterr().err


@pytest.mark.parametrize("path", ["/accounts", "/account?id=x", "/nowhere", "/static/console.css", "/static/none.css"])
def test_every_answer_carries_the_headers(client: Browser, path: str) -> None:
    answer = client.get(path)
    wanted = {name: text for name, text in HEADERS.items() if name != "Cache-Control" or "static" not in path}
    assert {name: answer.headers[name] for name in wanted} == wanted
    assert "unsafe" not in answer.headers["Content-Security-Policy"]


@pytest.mark.parametrize(
    ("host", "origin", "method", "status"),
    [
        pytest.param("evil.example", None, "GET", 421, id="another name is not answered"),
        pytest.param("127.0.0.1:8099", None, "GET", 308, id="this machine's number leads to its name"),
        pytest.param("127.0.0.1:8099", None, "POST", 421, id="but for what changes something"),
        pytest.param("localhost:8099", "https://evil.example", "POST", 403, id="a form of another site"),
        pytest.param("localhost:8099", "null", "POST", 403, id="a form of nowhere"),
    ],
)
def test_what_is_sent_to_another_name_or_from_another_site_is_not_taken(
    client: Browser, host: str, origin: str | None, method: str, status: int
) -> None:
    headers = {"host": host} | ({"origin": origin} if origin else {})
    assert client.ask(method, "/accounts", headers=headers).status_code == status


def test_nothing_that_an_account_is_called_becomes_a_part_of_the_page(client: Browser) -> None:
    names = [row["account"] for row in client.get("/accounts?json").json()["accounts"]]
    pages = [client.get("/accounts").text, *(client.get("/account", params={"id": name}).text for name in names)]
    assert [harm_in(text) for text in pages] == [[] for _ in pages]
    assert any("&lt;script&gt;" in text or "&lt;img" in text for text in pages)
