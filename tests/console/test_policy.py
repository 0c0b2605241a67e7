"""A policy that is proposed: what both decide on what was scanned, and that nothing acts on it."""

import json
import shutil
from pathlib import Path
from typing import Any, Final

import pytest

from riparian.assembly import Given
from riparian.console.site import console_app
from tests.console.asking import Browser
from tests.console.hostile import HARM, harm_in, run
from tests.console.known import FORM, Known

STRICT: Final = "wrongful_holds_per_year = 1e-9\nwrongful_step_ups_per_year = 1e-9\nwrongful_slows_per_year = 1e-9\n"
NOBODY: Final = STRICT.replace("1e-9", "1e-300")
NAME: Final = "policy.proposed.toml"


@pytest.fixture
def spare(town: Path, tmp_path: Path) -> Path:
    """Hand out a town of one's own, to do something in."""
    return Path(shutil.copytree(town, tmp_path / "spare"))


@pytest.fixture
def client(spare: Path, monkeypatch: pytest.MonkeyPatch) -> Browser:
    monkeypatch.setattr("riparian.console.pages.proposal.PATIENCE_S", 120.0)
    return Browser(console_app(Given(spare), Known()))


def keep(client: Browser, text: str, **headers: str) -> Any:
    return client.post("/proposal/keep", data={"token": FORM, "text": text}, headers=headers)


def shown(client: Browser, **asked: str) -> dict[str, Any]:
    facts: dict[str, Any] = client.get("/proposal", params={"json": "", **asked}).json()
    return facts


def counts(facts: dict[str, Any], side: str) -> dict[str, int]:
    return {rung["action"]: rung[side]["accounts"] for rung in facts["rungs"]}


def test_both_policies_decide_side_by_side_and_nothing_acts_on_the_proposal(client: Browser, spare: Path) -> None:
    before = run("hold", "list", "-w", spare, "--json")
    assert keep(client, NOBODY).headers["location"] == "/proposal?done=keep"
    facts = shown(client)
    last = [json.loads(line) for line in before.splitlines()]
    # The one in force decides as the scan did, which nothing had been decided before.
    assert counts(facts, "now") == {name: sum(row["action"] == name for row in last) for name in counts(facts, "now")}
    assert [rung["proposed"]["on_evidence"] for rung in facts["rungs"]] == [0, 0, 0]
    held = {row["account"] for row in facts["turned"] if row["now"]["action"] == "hold"}
    assert held == {row["account"] for row in last if row["action"] == "hold"}
    assert {row["proposed"]["action"] for row in facts["turned"]} <= {"allow", "slow"}
    assert facts["turned_count"] == len(facts["turned"]) > 0
    assert [one["name"] for one in facts["changed"]] == [
        "wrongful_holds_per_year",
        "wrongful_step_ups_per_year",
        "wrongful_slows_per_year",
    ]
    assert (facts["wants_logs"], facts["said_by"].endswith("by Ada")) == (False, True)
    assert run("hold", "list", "-w", spare, "--json") == before
    assert not (spare / "policy.toml").exists()
    assert facts["switch_on"] == f"cp {spare / NAME} {spare / 'policy.toml'}"
    text = client.get("/proposal").text
    assert "What it would have done" in text
    assert str(spare / NAME) in text


def test_what_is_switched_on_is_the_policy_and_changes_nothing_more(client: Browser, spare: Path) -> None:
    keep(client, STRICT)
    shutil.copy(spare / NAME, spare / "policy.toml")
    facts = shown(client)
    assert (facts["changed"], facts["turned"]) == ([], [])
    assert counts(facts, "now") == counts(facts, "proposed")
    assert "Nothing: it says what the policy says." in client.get("/proposal").text


def test_what_people_decided_stays_under_either(client: Browser, spare: Path) -> None:
    one, two = [json.loads(line)["account"] for line in run("hold", "list", "-w", spare, "--json").splitlines()[:2]]
    run("hold", "end", one, "--person", "Bo", "--reason", "copies", "-w", spare)
    run("hold", "approve", one, "--person", "Cy", "--reason", "looked, too", "-w", spare)
    run("hold", "release", two, "--person", "Cy", "--reason", "a partner", "-w", spare)
    keep(client, NOBODY)
    assert not {row["account"] for row in shown(client)["turned"]} & {one, two}


@pytest.mark.parametrize(
    ("text", "found", "to_do"),
    [
        pytest.param("x = ", "no TOML", "", id="no TOML"),
        pytest.param("wrongful_hold_per_year = 1", "no key of the policy", "Write wrongful_holds", id="no such key"),
        pytest.param("wrongful_holds_per_year = 9", "`wrongful_holds_per_year` is 9.0", "Raise", id="upside down"),
        pytest.param('mode = "loud"', "`mode` is `loud`", "", id="no such mode"),
        pytest.param("# " + "x" * 20_000, "characters", "", id="without end"),
        pytest.param("<script>alert(1)</script>", "no TOML", "", id="a script"),
    ],
)
def test_what_is_no_policy_is_not_kept_and_not_lost(
    client: Browser, spare: Path, text: str, found: str, to_do: str
) -> None:
    keep(client, "accounts = 9")
    answer = keep(client, text)
    assert (answer.status_code, harm_in(answer.text)) == (200, [])
    assert "Not kept:" in answer.text
    told = keep(client, text, accept="application/json").json()
    assert found in told["trouble"]["found"]
    assert to_do in told["trouble"]["to_do"]
    assert told["text"] == text[:20_000]
    assert (spare / NAME).read_text().splitlines()[1:] == ["accounts = 9"]


@pytest.mark.parametrize(
    ("kept", "trouble"),
    [
        pytest.param("accounts = 9\n", None, id="written by hand, without who proposed it"),
        pytest.param("nothing = 1\n", "no key of the policy", id="written by hand, and no policy"),
    ],
)
def test_a_proposal_that_lies_there_is_read(client: Browser, spare: Path, kept: str, trouble: str | None) -> None:
    (spare / NAME).write_text(kept)
    facts = shown(client)
    assert (facts["is_kept"], facts["text"]) == (True, kept)
    assert (facts["trouble"] is None) == (trouble is None)
    assert trouble is None or trouble in facts["trouble"]["found"]
    assert client.get("/proposal").status_code == 200


def test_a_proposal_is_taken_back_once(client: Browser, spare: Path) -> None:
    keep(client, STRICT)
    said = {"token": FORM}
    assert client.post("/proposal/drop", data=said).headers["location"] == "/proposal?done=drop"
    assert not (spare / NAME).exists()
    assert client.post("/proposal/drop", data=said).status_code == 400


def test_what_budgets_would_refuse_is_said_to_want_the_logs(client: Browser) -> None:
    keep(client, "novelty_burst = 100\n")
    facts = shown(client)
    assert (facts["wants_logs"], facts["changed"][0]["is_replayed"]) == (True, False)
    assert facts["rescan"] in client.get("/proposal").text


def test_a_page_begins_after_the_last_row_of_the_one_before(client: Browser, monkeypatch: pytest.MonkeyPatch) -> None:
    keep(client, NOBODY)
    whole = shown(client)["turned"]
    monkeypatch.setattr("riparian.console.pages.proposal.ROWS", 2)
    found: list[dict[str, Any]] = []
    page = shown(client)
    while True:
        found += page["turned"]
        if not page["after"]:
            break
        page = shown(client, after=page["after"])
    assert len(whole) > 2
    assert found == whole
    assert client.get("/proposal", params={"after": "x"}).status_code == 404


def test_what_is_written_into_a_policy_becomes_no_part_of_the_page(client: Browser) -> None:
    lines = "".join(f"# {harm}\n" for harm in HARM if harm.isprintable())
    assert keep(client, lines + STRICT).status_code == 303
    answer = client.get("/proposal")
    assert (answer.status_code, harm_in(answer.text)) == (200, [])
    assert "&lt;script&gt;" in answer.text


def test_a_viewer_is_not_led_there_and_nothing_scanned_is_said(client: Browser, tmp_path: Path) -> None:
    assert 'href="/proposal"' in client.get("/policy").text
    assert 'href="/proposal"' not in client.get("/policy", headers={"as": "viewer"}).text
    empty = Browser(console_app(Given(tmp_path / "empty"), Known()))
    assert "Propose one" in empty.get("/proposal").text
    keep(empty, STRICT)
    assert "Nothing was scanned yet" in empty.get("/proposal").text


def test_while_it_is_decided_the_page_says_so(client: Browser, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("riparian.console.pages.proposal.PATIENCE_S", 0.0)
    monkeypatch.setattr("riparian.console.pages.proposal._REMEMBERED.of", lambda *_, **__: (None, False))
    keep(client, STRICT)
    assert shown(client)["is_current"] is False
    assert "It is being decided." in client.get("/proposal").text
