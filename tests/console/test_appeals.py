"""Appeals and proposals as people get them: who waits, who may decide, and who is refused."""

import json
import shutil
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final

import pytest

from riparian.assembly import Given
from riparian.console.site import console_app
from riparian.engines.clocks import StoppedClock
from tests.console.asking import Browser
from tests.console.hostile import HARM, harm_in, run
from tests.console.known import FORM, Known

Steps = Sequence[tuple[str, ...]]
APPEAL: Final = ("appeal", "--text", "I run a radio show")
PROPOSED_BY_BO: Final = ("end", "--person", "Bo", "--reason", "copies for a shop")
EXTENDED_BY_ADA: Final = ("extend", "--days", "1", "--person", "ada", "--reason", "waiting")
ENDED: Final = (PROPOSED_BY_BO, ("approve", "--person", "Cy", "--reason", "looked, too"))


@pytest.fixture
def spare(town: Path, tmp_path: Path) -> Path:
    """Hand out a town of one's own, to do something in."""
    return Path(shutil.copytree(town, tmp_path / "spare"))


def opened(workspace: Path) -> Browser:
    return Browser(console_app(Given(workspace), Known()))


def told(*words: str | Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in run(*words).splitlines()]


def members(workspace: Path) -> list[dict[str, Any]]:
    return told("hold", "list", "-w", workspace, "--json")


def done(workspace: Path, account: str, steps: Steps) -> None:
    for verb, *words in steps:
        run("hold", verb, account, *words, "-w", workspace)


def shown(client: Browser, **asked: str) -> dict[str, Any]:
    facts: dict[str, Any] = client.get("/appeals", params={"json": "", **asked}).json()
    return facts


def test_what_waits_is_listed_as_the_commands_list_it(spare: Path) -> None:
    one, two, three = (row["account"] for row in members(spare)[:3])
    done(spare, one, [*ENDED, APPEAL])
    done(spare, two, [EXTENDED_BY_ADA, APPEAL])
    done(spare, three, [PROPOSED_BY_BO])
    facts = shown(opened(spare))
    for kind in ("appeals", "proposals"):
        listed = told("hold", kind, "-w", spare, "--json")
        assert [{name: row[name] for name in listed[0]} for row in facts[kind]] == listed
    assert [row["yours"] for row in facts["appeals"]] == [False, True]
    assert [[step["person"] for step in row["by"]] for row in facts["appeals"]] == [["Bo", "Cy"], ["ada"]]
    assert (facts["appeals"][0]["action"], facts["appeals"][0]["until"]) == ("end", None)
    assert [row["yours"] for row in facts["proposals"]] == [False]
    assert (facts["waiting"], facts["late"], facts["proposed"]) == (2, 0, 1)


def test_what_is_late_stands_first_and_says_so(spare: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    account = members(spare)[0]["account"]
    done(spare, account, [*ENDED, APPEAL])
    late = datetime.now(UTC) + timedelta(days=15)
    monkeypatch.setattr("riparian.assembly.world.WallClock", lambda: StoppedClock.at(late.isoformat()))
    facts = shown(opened(spare))
    assert (facts["late"], facts["appeals"][0]["late"]) == (1, True)
    assert "1 late" in opened(spare).get("/appeals").text


@pytest.mark.parametrize(
    ("steps", "act", "action", "step"),
    [
        pytest.param([APPEAL], "uphold", "hold", "upheld", id="a hold is left as it is"),
        pytest.param([APPEAL], "reinstate", "allow", "reinstated", id="a hold is let go"),
        pytest.param([*ENDED, APPEAL], "uphold", "end", "upheld", id="an end is left as it is"),
        pytest.param([*ENDED, APPEAL], "reinstate", "allow", "reinstated", id="an end is taken back"),
        pytest.param([PROPOSED_BY_BO], "approve", "end", "ended", id="what another proposed is ended"),
        pytest.param([PROPOSED_BY_BO], "withdraw", "hold", "withdrawn", id="what another proposed is taken back"),
    ],
)
def test_it_is_decided_as_the_commands_decide_it(spare: Path, steps: Steps, act: str, action: str, step: str) -> None:
    row = members(spare)[0]
    done(spare, row["account"], steps)
    client = opened(spare)
    said = {"token": FORM, "id": row["account"], "reason": "spoke with the editor"}
    answer = client.post(f"/appeals/{act}", data=said)
    assert answer.headers["location"] == f"/appeals?done={act}"
    assert 'role="status"' in client.get(answer.headers["location"]).text
    facts = client.get("/account", params={"id": row["account"], "json": ""}).json()
    last = facts["events"][-1]
    assert (facts["decision"]["action"], last["step"]) == (action, step)
    assert (last["person"], last["reason"]) == ("Ada", "spoke with the editor")


def test_an_appeal_is_taken_up_and_an_end_is_proposed_on_the_page_of_the_account(spare: Path) -> None:
    one, two = (row["account"] for row in members(spare)[:2])
    client = opened(spare)
    for account, act, said in [
        (one, "appeal", {"text": "it was me\r\nand my son"}),
        (two, "propose", {"reason": "copies"}),
    ]:
        text = client.get("/account", params={"id": account}).text
        assert f'action="/account/{act}"' in text
        answer = client.post(f"/account/{act}", data={"token": FORM, "id": account, **said})
        assert f"done={act}" in answer.headers["location"]
        assert 'role="status"' in client.get(answer.headers["location"]).text
        assert f'action="/account/{act}"' not in client.get("/account", params={"id": account}).text
    facts = shown(client)
    assert [(row["account"], row["reason"]) for row in facts["appeals"]] == [(one, "it was me\nand my son")]
    assert [(row["account"], row["person"]) for row in facts["proposals"]] == [(two, "Ada")]
    assert "it was me<br>and my son" in client.get("/appeals").text


@pytest.mark.parametrize(
    ("steps", "act", "sent", "wanted"),
    [
        pytest.param(
            [EXTENDED_BY_ADA, APPEAL], "appeals/uphold", {}, (409, "had a hand in"), id="who extended it upholds"
        ),
        pytest.param(
            [EXTENDED_BY_ADA, APPEAL], "appeals/reinstate", {}, (409, "had a hand in"), id="who extended it undoes"
        ),
        pytest.param(
            [("end", "--person", "A d a", "--reason", "copies")],
            "appeals/approve",
            {},
            (409, "who proposed"),
            id="who proposed approves, spelled another way",
        ),
        pytest.param(
            [PROPOSED_BY_BO],
            "appeals/approve",
            {"headers": {"as": "analyst"}},
            (403, "as analyst"),
            id="an analyst ends",
        ),
        pytest.param(
            [PROPOSED_BY_BO], "appeals/approve", {"headers": {"token": "acts"}}, (403, "a token"), id="a token ends"
        ),
        pytest.param(
            [APPEAL], "appeals/uphold", {"headers": {"token": "acts"}}, (403, "a token"), id="a token answers an appeal"
        ),
        pytest.param(
            [APPEAL], "appeals/uphold", {"data": {"reason": " \n"}}, (409, "without a reason"), id="for no reason"
        ),
        pytest.param([], "appeals/uphold", {}, (409, "is `running`"), id="what nobody appealed against"),
        pytest.param([], "appeals/withdraw", {}, (409, "is `running`"), id="what nobody proposed"),
        pytest.param([APPEAL], "account/appeal", {}, (409, "waits for"), id="an appeal that waits already"),
        pytest.param(
            [], "account/appeal", {"data": {"text": ""}}, (400, "0 characters"), id="an appeal that says nothing"
        ),
        pytest.param(
            [],
            "account/appeal",
            {"data": {"text": "x" * 10_001}},
            (400, "10,001 characters"),
            id="an appeal without end",
        ),
        pytest.param(
            [], "account/appeal", {"data": {"id": "nobody"}}, (400, "no account"), id="an account that nobody knows"
        ),
        pytest.param(
            [], "appeals/approve", {"data": {"ring": "g-x"}}, (400, "no name of a ring"), id="a ring of no name"
        ),
        pytest.param(
            [],
            "appeals/approve",
            {"data": {"ring": "g-s3baqygnsores"}},
            (400, "no proposal"),
            id="a ring nobody proposed",
        ),
    ],
)
def test_what_may_not_be_is_refused_and_changes_nothing(
    spare: Path, steps: Steps, act: str, sent: dict[str, dict[str, str]], wanted: tuple[int, str]
) -> None:
    account = members(spare)[0]["account"]
    done(spare, account, steps)
    client = opened(spare)
    before = client.get("/account", params={"id": account, "json": ""}).json()["events"]
    said = {"token": FORM, "id": account, "reason": "why", "text": "me", **sent.get("data", {})}
    headers = {"accept": "application/json", **sent.get("headers", {})}
    answer = client.post(f"/{act}", data=said, headers=headers)
    status, found = wanted
    assert (answer.status_code, found in answer.json()["found"]) == (status, True), answer.json()
    assert client.get("/account", params={"id": account, "json": ""}).json()["events"] == before


def test_a_ring_is_ended_all_of_it_by_somebody_else(spare: Path) -> None:
    client = opened(spare)
    ring = client.get("/rings?json").json()["rings"][0]["ring"]
    run("hold", "end", "--ring", ring, "--all", "--person", "Bo", "--reason", "one card pays", "-w", spare)
    rows = shown(client)["proposals"]
    assert len(rows) > 1
    assert {row["ring"] for row in rows} == {ring}
    assert client.post("/appeals/approve", data={"token": FORM, "ring": ring, "reason": "looked"}).status_code == 303
    facts = shown(client)
    ended = {row["account"] for row in members(spare) if row["action"] == "end"}
    assert (facts["proposals"], ended) == ([], {row["account"] for row in rows})


def test_the_page_offers_what_whoever_looks_may_do(spare: Path) -> None:
    one, two, three, four = (row["account"] for row in members(spare)[:4])
    done(spare, one, [APPEAL])
    done(spare, two, [PROPOSED_BY_BO])
    text = opened(spare).get("/appeals").text
    assert all(f"/appeals/{act}" in text for act in ("uphold", "reinstate", "approve", "withdraw"))
    assert "Not you:" not in text
    analysts = opened(spare).get("/appeals", headers={"as": "analyst"}).text
    assert ("/appeals/approve" in analysts, "To end it takes an approver." in analysts) == (False, True)
    client = opened(spare)
    for row, act, said in [(one, "uphold", "no such show"), (two, "withdraw", "not yet")]:
        client.post(f"/appeals/{act}", data={"token": FORM, "id": row, "reason": said})
    done(spare, three, [EXTENDED_BY_ADA, APPEAL])
    done(spare, four, [("end", "--person", "ADA", "--reason", "copies")])
    text = client.get("/appeals").text
    assert ("Not you:" in text, "You proposed it:" in text) == (True, True)
    assert ("/appeals/uphold" in text, "/appeals/approve" in text) == (False, False)


@pytest.mark.parametrize(
    ("steps", "rows", "after"),
    [([APPEAL], "appeals", "after"), ([PROPOSED_BY_BO], "proposals", "proposed_after")],
    ids=["appeals", "proposals"],
)
def test_a_page_begins_after_the_last_row_of_the_one_before(
    spare: Path, monkeypatch: pytest.MonkeyPatch, steps: Steps, rows: str, after: str
) -> None:
    for row in members(spare)[:5]:
        done(spare, row["account"], steps)
    client = opened(spare)
    whole = shown(client)[rows]
    monkeypatch.setattr("riparian.console.pages.appeals.ROWS", 2)
    found: list[dict[str, Any]] = []
    page = shown(client)
    while True:
        found += page[rows]
        if not page[after]:
            break
        page = shown(client, **{after: page[after]})
    assert len(whole) == 5
    assert found == whole


@pytest.mark.parametrize("after", ["x", "1", "1:", ":1", "-1:1", "1:\u0664", "9" * 50 + ":1"])
def test_a_page_that_begins_nowhere_is_none(town: Path, after: str) -> None:
    for name in ("after", "proposed_after"):
        answer = opened(town).get("/appeals", params={name: after})
        assert (answer.status_code, "begins nowhere" in answer.text) == (404, True)


def test_nothing_that_anybody_writes_becomes_a_part_of_the_page(spare: Path) -> None:
    rows = members(spare)
    assert len(rows) >= 2
    client = opened(spare)
    first, second = rows[0]["account"], rows[1]["account"]
    done(spare, first, [("extend", "--days", "1", "--person", "Bo " + HARM[0], "--reason", " ".join(HARM))])
    assert client.post("/account/appeal", data={"token": FORM, "id": first, "text": "\n".join(HARM)}).status_code == 303
    done(spare, second, [("end", "--person", HARM[1], "--reason", " ".join(HARM))])
    text = client.get("/appeals").text
    assert harm_in(text) == []
    assert text.count("&lt;script&gt;") >= 3


def test_a_long_appeal_is_read_to_its_end(spare: Path) -> None:
    account = members(spare)[0]["account"]
    done(spare, account, [("appeal", "--text", "word " * 1900 + "the end of it")])
    assert "the end of it" in opened(spare).get("/appeals").text


def test_who_looks_at_what_waits_is_written_down(spare: Path) -> None:
    one, two = members(spare)[:2]
    done(spare, one["account"], [APPEAL])
    done(spare, two["account"], [PROPOSED_BY_BO])
    doors = Known()
    rows = shown(Browser(console_app(Given(spare), doors)))
    names = [row["pseudonym"] for row in (*rows["appeals"], *rows["proposals"])]
    assert doors.seen == [("Ada", "/appeals", names)]
