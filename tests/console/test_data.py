"""What is kept of an account, given away whole; and taken out of everything, by somebody else."""

import json
import shutil
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

from riparian import assembly
from riparian.assembly import Given
from riparian.console.pages.data import STAYS
from riparian.console.site import console_app
from riparian.flows.erasing import KEPT
from tests.console.asking import Browser
from tests.console.hostile import harm_in, run
from tests.console.known import FORM, Known


@pytest.fixture(scope="module")
def client(town: Path) -> Browser:
    return Browser(console_app(Given(town), Known()))


@pytest.fixture
def spare(town: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(town, tmp_path / "spare"))


def first(client: Browser) -> dict[str, Any]:
    row: dict[str, Any] = client.get("/accounts?json").json()["accounts"][0]
    return row


def kept(client: Browser, ident: str) -> dict[str, Any]:
    answer: dict[str, Any] = client.get("/data", params={"id": ident, "json": ""}).json()
    return answer


def erased(client: Browser, ident: str, confirm: str, role: str = "approver") -> Any:
    said = {"token": FORM, "id": ident, "confirm": confirm}
    headers = {"as": role, "accept": "application/json"}
    return client.post("/data/erase", params={"id": confirm}, data=said, headers=headers)


def test_the_page_gives_what_the_command_gives(client: Browser, town: Path, tmp_path: Path) -> None:
    row = first(client)
    told = kept(client, row["account"])
    whole = json.loads(run("account", "export", row["account"], "-w", town))
    assert {name: told[name] for name in whole if name != "at"} == {n: one for n, one in whole.items() if n != "at"}
    run("account", "export", row["account"], "--to", tmp_path / "it.json", "-w", town)
    assert json.loads((tmp_path / "it.json").read_text())["recordings"] == told["recordings"]
    assert (tmp_path / "it.json").stat().st_mode & 0o77 == 0
    explained = client.get("/account", params={"id": row["account"], "json": ""}).json()
    assert told["explanation"]["waterfall"] == explained["waterfall"]
    assert told["explanation"]["events"] == explained["events"]
    assert [one["account"] for one in told["decisions"]] == [row["account"]] * len(told["decisions"])


def test_the_recordings_that_it_had_are_those_of_the_log(client: Browser, town: Path) -> None:
    row = first(client)
    log = pq.read_table(town.parent / "accesses.parquet", columns=["account", "recording"]).to_pylist()
    had = {str(one["recording"]) for one in log if one["account"] == row["account"]}
    assert set(kept(client, row["account"])["recordings"]) == had


def test_the_page_shows_no_text_of_others_as_its_own(client: Browser) -> None:
    for row in client.get("/accounts?json").json()["accounts"]:
        shown = client.get("/data", params={"id": row["account"]})
        assert (shown.status_code, harm_in(shown.text)) == (200, [])
        assert "Erase it for good" in shown.text
        assert (
            "Erase it for good"
            not in client.get("/data", params={"id": row["account"]}, headers={"as": "analyst"}).text
        )


@pytest.mark.parametrize(("asked", "status"), [("", 404), ("nobody", 404)], ids=["no account", "nobody's name"])
def test_what_is_nobody_is_told(client: Browser, asked: str, status: int) -> None:
    assert client.get("/data", params={"id": asked}).status_code == status


def test_an_account_is_taken_out_of_everything_and_what_stays_is_said(spare: Path) -> None:
    doors = Known()
    client = Browser(console_app(Given(spare), doors))
    row = first(client)
    answer = erased(client, row["account"], row["pseudonym"])
    assert answer.status_code == 200
    told = answer.json()
    assert (told["erased"], told["is_kept"]) == ({"found": True, "was_ended": False}, False)
    assert told["stays"] == list(STAYS)
    assert set(KEPT) < set(STAYS)
    assert row["account"] not in str(told)
    assert client.get("/account", params={"id": row["account"]}).status_code == 404
    assert row["account"] not in str(client.get("/accounts?json").json())
    assert kept(client, row["pseudonym"])["is_kept"] is False
    assert "Nothing is kept of it" in client.get("/data", params={"id": row["pseudonym"]}).text
    with assembly.staff(Given(spare)) as staff:
        (look,) = staff.looks(limit=1)
    assert (look.person, look.page, look.accounts) == ("Ada", "/data/erase", (row["pseudonym"],))
    assert erased(client, row["account"], row["pseudonym"]).status_code == 400


@pytest.mark.parametrize(
    ("role", "confirm", "status", "found"),
    [
        pytest.param("approver", "", 400, "is not that of the account", id="not said once more"),
        pytest.param("approver", "another", 400, "is not that of the account", id="another one said"),
        pytest.param("analyst", "", 403, "you are signed in as analyst", id="by an analyst"),
    ],
)
def test_what_is_not_meant_or_not_allowed_erases_nothing(
    client: Browser, role: str, confirm: str, status: int, found: str
) -> None:
    row = first(client)
    answer = erased(client, row["account"], confirm, role)
    assert (answer.status_code, found in answer.json()["found"]) == (status, True)
    assert kept(client, row["account"])["is_kept"]


def test_whoever_decided_about_an_account_does_not_erase_it(spare: Path) -> None:
    client = Browser(console_app(Given(spare), Known()))
    row = first(client)
    said = {"token": FORM, "id": row["account"], "days": "1", "reason": "under review"}
    assert client.post("/account/extend", data=said).status_code == 303
    answer = erased(client, row["account"], row["pseudonym"])
    assert (answer.status_code, "you decided about this account" in answer.json()["found"]) == (409, True)
    assert kept(client, row["account"])["is_kept"]


def test_a_look_at_what_is_kept_is_a_look(town: Path) -> None:
    doors = Known()
    client = Browser(console_app(Given(town), doors))
    row = first(client)
    kept(client, row["account"])
    assert doors.seen[-1] == ("Ada", "/data", [row["pseudonym"]])
