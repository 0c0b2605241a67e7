"""Cases as people and programs get them: what the command says, and what is under seal for few."""

import json
import shutil
from datetime import UTC, datetime
from html import unescape
from pathlib import Path
from typing import Any, Final

import pytest

from riparian import assembly
from riparian.assembly import Given
from riparian.cases.events import Proposed
from riparian.cases.plain import moment
from riparian.console.site import console_app
from riparian.flows import casework, pursuing
from riparian.flows.case_told import review_of
from tests.cases.sending import approved, drafted, office
from tests.console.asking import Browser
from tests.console.hostile import HARM, harm_in, run
from tests.console.known import Known

ROLES: Final = ("viewer", "analyst", "approver", "admin")
AT: Final = datetime(2026, 11, 23, tzinfo=UTC)
SENT: Final = datetime(2026, 11, 23, 9, 30, tzinfo=UTC)


@pytest.fixture(scope="module")
def workspace(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Hand out three cases: a letter that is drafted, one that is named to do harm, and one under seal."""
    folder = tmp_path_factory.mktemp("cases")
    with office(folder) as docket:
        drafted(docket)
        casework.open_case(docket, [Proposed("opened", {"title": " ".join(HARM)}, AT, "ann"), *harmful()])
        casework.open_case(docket, [Proposed("opened", {"title": "Sealed matter"}, AT, "ann")])
        casework.record(docket, "C3", Proposed("sealed", {"because": "counsel asked"}, AT, "ann"))
    return folder


def harmful() -> list[Proposed]:
    return [
        Proposed("location", {"key": "L1", "url": f"https://mirror.example/{HARM[0]}"}, AT, "ann"),
        Proposed("work", {"recording": HARM[1], "title": HARM[2], "artist": HARM[3]}, AT, "ann"),
        Proposed("noted", {"text": " ".join(HARM)}, AT, HARM[0]),
    ]


@pytest.fixture(scope="module")
def client(workspace: Path) -> Browser:
    return Browser(console_app(Given(workspace), Known()))


def told(*words: str | Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in run(*words).splitlines()]


def test_cases_are_listed_as_the_command_lists_them(client: Browser, workspace: Path) -> None:
    listed = client.get("/cases?json").json()["cases"]
    rows = [{name: one for name, one in row.items() if name not in {"due", "last_seen"}} for row in listed]
    commanded = told("case", "list", "-w", workspace, "--json")
    assert sorted(rows, key=lambda row: row["case"]) == commanded


@pytest.mark.parametrize("case", ["C1", "C2", "C3"])
def test_a_case_is_told_as_the_command_tells_it(client: Browser, workspace: Path, case: str) -> None:
    page = client.get(f"/case?id={case}&json").json()
    (whole,) = told("case", "show", case, "-w", workspace, "--json")
    running = [{name: row[name] for name in whole["deadlines"][n]} for n, row in enumerate(page["deadlines"])]
    assert {**{name: page[name] for name in whole}, "deadlines": running} == whole


@pytest.mark.parametrize("role", ROLES)
def test_a_case_under_seal_is_there_for_approvers_and_admins_alone(client: Browser, role: str) -> None:
    may = role in {"approver", "admin"}
    who = {"as": role, "accept": "application/json"}
    assert ("C3" in {row["case"] for row in client.get("/cases", headers=who).json()["cases"]}) is may
    answer = client.get("/case?id=C3", headers=who)
    assert (answer.status_code == 200) is may
    if role == "analyst":
        none = client.get("/case?id=C9", headers=who).json()
        assert answer.json()["found"] == none["found"].replace("C9", "C3")


def test_a_viewer_sees_no_address(client: Browser) -> None:
    text = unescape(client.get("/cases", headers={"as": "viewer"}).text)
    assert "C1" in text
    assert not [mark for mark in ("@", "https://mirror") if mark in text.partition("<main")[2]]


@pytest.mark.parametrize("path", ["/cases", "/case?id=C1", "/case?id=C2", "/case?id=C3", "/notice?case=C1&id=N1"])
def test_no_text_of_a_case_is_more_than_text(client: Browser, path: str) -> None:
    answer = client.get(path)
    assert answer.status_code == 200
    assert harm_in(answer.text) == []


def test_the_next_step_is_a_command_and_no_form(client: Browser) -> None:
    answer = client.get("/case?id=C1")
    assert "riparian case approve C1 N1 --as NAME" in unescape(answer.text)
    assert "never in a browser" in answer.text
    assert 'method="post"' not in answer.text.partition("<main")[2]


@pytest.mark.parametrize("after", ["x", "9999~2~C1", "~~"])
def test_a_page_that_begins_nowhere_is_told(client: Browser, after: str) -> None:
    answer = client.get("/cases", params={"after": after, "json": ""})
    assert (answer.status_code, "begins nowhere" in answer.json()["found"]) == (404, True)


def test_pages_of_a_board_are_the_whole_board_and_each_case_once(tmp_path: Path) -> None:
    with assembly.docket(Given(tmp_path)) as docket:
        for n in range(53):
            casework.open_case(docket, [Proposed("opened", {"title": f"Mirror {n}"}, AT, "ann")])
    client = Browser(console_app(Given(tmp_path), Known()))
    first = client.get("/cases?json").json()
    second = client.get("/cases", params={"after": first["after"], "json": ""}).json()
    keys = [row["case"] for row in first["cases"] + second["cases"]]
    assert len(first["cases"]) == 50
    assert (len(keys), len(set(keys)), second["after"]) == (53, 53, "")


def test_a_notice_is_told_word_for_word_beside_what_it_rests_on(client: Browser, workspace: Path) -> None:
    page = client.get("/notice?case=C1&id=N1&json").json()
    with assembly.docket(Given(workspace)) as docket:
        text = pursuing.text_of(docket, casework.read(docket, "C1"), "N1").content.decode()
        numbers = {event.number for event in docket.cases.read("C1")}
    assert page["text"].splitlines() == text.splitlines()
    assert {n for one in page["sentences"] for n in one["proven_by"]} == {one["event"] for one in page["facts"]}
    assert {one["event"] for one in page["facts"]} <= numbers
    html = unescape(client.get("/notice?case=C1&id=N1").text)
    assert all(line in html for line in text.splitlines())


def test_looking_at_the_rails_writes_nothing_and_says_what_the_command_says(client: Browser, workspace: Path) -> None:
    before = client.get("/case?id=C1&json").json()["events"]
    review = client.get("/notice?case=C1&id=N1&json").json()["review"]
    assert client.get("/case?id=C1&json").json()["events"] == before
    with assembly.docket(Given(workspace)) as docket:
        again = review_of(pursuing.asked_rails(docket, "C1", "N1"))
    assert review["rails"] == again["rails"]


def test_a_text_that_was_changed_in_custody_is_not_shown(workspace: Path, tmp_path: Path) -> None:
    spare = Path(shutil.copytree(workspace, tmp_path / "spare"))
    client = Browser(console_app(Given(spare), Known()))
    digest = client.get("/notice?case=C1&id=N1&json").json()["sha256"]
    (kept,) = [path for path in spare.rglob("*") if path.is_file() and digest in path.name]
    kept.chmod(0o600)
    kept.write_bytes(b"another letter")
    page = client.get("/notice?case=C1&id=N1&json").json()
    assert page["text"] is None
    assert "changed in custody" in page["trouble"]


@pytest.mark.parametrize("asked", ["case=C1&id=N9", "case=C9&id=N1", "case=&id=", "case=C1"])
def test_a_notice_that_is_not_there_is_told(client: Browser, asked: str) -> None:
    assert client.get(f"/notice?{asked}&json").status_code == 404


def test_removals_are_told_as_the_command_tells_them(tmp_path: Path) -> None:
    with office(tmp_path) as docket:
        approved(docket)
        pursuing.send(docket, "C1", "N1", "cli", really=True)
        gone = Proposed("looked", {"location": "L1", "live": False, "at": moment(SENT)}, SENT, "Ann")
        casework.record(docket, "C1", gone)
    client = Browser(console_app(Given(tmp_path), Known()))
    rows = client.get("/removals?json").json()["removals"]
    assert len(rows) == 1
    assert rows == told("case", "removals", "-w", tmp_path, "--json")
    assert harm_in(client.get("/removals", headers={"as": "viewer"}).text) == []


def test_removals_of_a_case_under_seal_are_not_told_to_a_viewer(tmp_path: Path) -> None:
    with office(tmp_path) as docket:
        approved(docket)
        pursuing.send(docket, "C1", "N1", "cli", really=True)
        casework.record(docket, "C1", Proposed("sealed", {"because": "counsel asked"}, SENT, "Ann"))
    client = Browser(console_app(Given(tmp_path), Known()))
    told_to = {who: client.get("/removals?json", headers={"as": who}).json()["removals"] for who in ROLES}
    assert [bool(told_to[who]) for who in ROLES] == [False, False, True, True]
