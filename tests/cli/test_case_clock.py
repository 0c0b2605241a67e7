"""A deadline by itself, and those that run in a case: what people read, and what programs read."""

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from riparian import assembly
from riparian.cases.events import Proposed
from riparian.cases.facts import Addressee, Layer
from riparian.cases.notice import Kind, Notice
from riparian.cases.plain import moment, plain
from riparian.cli import app
from riparian.flows import casework
from tests.cases.making import ANN, DIGEST
from tests.cases.workplace import Person

RUN = CliRunner()
GITHUB = Addressee("github", "GitHub", Layer.HOST, country="US")


def say(*words: str) -> tuple[int, str]:
    done = RUN.invoke(app, ["case", *words])
    return done.exit_code, " ".join(done.output.split())


@pytest.fixture
def countered(tmp_path: Path) -> Path:
    """Make a workspace with a notice for which GitHub removed something, and a counter-notice that came now."""
    ann = Person("ann", ANN)
    with assembly.docket(assembly.Given(tmp_path)) as docket:
        casework.add_person(docket.cases, docket.clock, ann, "ann", ANN.key)
        now = casework.now(docket.clock)
        notice = plain(Notice(Kind.TAKEDOWN, "C1", "N1", addressee=GITHUB))

        def said(kind: str, **what: object) -> Proposed:
            return Proposed(kind, what, now, "ann")

        key = casework.open_case(docket, [said("opened", title="A mirror")]).key
        casework.record(docket, key, said("drafted", notice=notice, digest=DIGEST))
        casework.record(docket, key, said("lock", notice="N1"), said("review", notice="N1"))
        for step in ("approve", "send"):
            casework.record(docket, key, casework.act(docket, key, step, {"notice": "N1", "digest": DIGEST}, ann))
        casework.record(docket, key, said("remove", notice="N1"))
        casework.record(docket, key, said("counter", notice="N1", received=moment(now)))
    return tmp_path


def test_a_deadline_is_told_with_its_count() -> None:
    code, text = say("clock", "dmca", "restore", "--received", "2026-11-23T12:00-05:00")
    assert code == 0
    assert text.startswith("2026-12-08 to 2026-12-14: the host puts back")
    assert "(a law says so)" in text
    assert "2026-11-26 (Thanksgiving Day)" in text


def test_calendar_and_zone_are_those_that_are_asked_for() -> None:
    asked = ("--received", "2026-11-24T04:59:59Z", "--calendar", "EU", "--zone", "Europe/Brussels", "--json")
    code, text = say("clock", "dmca", "restore", *asked)
    said = json.loads(text)
    assert code == 0
    assert (said["kind"], said["clock"], said["whose"]) == ("deadline", "dmca.restore", "the host")
    assert (said["earliest"], said["latest"]) == ("2026-12-08", "2026-12-14")
    assert (said["opens"], said["closes"]) == ("2026-12-07T23:00:00.000000Z", "2026-12-14T23:00:00.000000Z")
    assert (said["calendar"], said["zone"], said["legal"]) == ("EU", "Europe/Brussels", True)
    assert said["received"] == "2026-11-24T04:59:59.000000Z"


@pytest.mark.parametrize(
    ("clock", "begins"),
    [
        ("youtube scheduled", "on 2026-11-30: the uploader"),
        ("github changes", "by 2026-11-24: the owner of the repository"),
        ("generic reminder", "by 2026-11-27: we ask"),
    ],
)
def test_a_policy_is_told_as_one(clock: str, begins: str) -> None:
    code, text = say("clock", *clock.split(), "--received", "2026-11-23T20:00Z")
    assert (code, text[: len(begins)]) == (0, begins)
    assert "(no law says so)" in text


@pytest.mark.parametrize(
    ("words", "because"),
    [
        ("dmca remove --received 2026-11-23T12:00Z", "no number of days"),
        ("dmca nothing --received 2026-11-23T12:00Z", "has no clock"),
        ("nothing restore --received 2026-11-23T12:00Z", "is no regime"),
        ("dmca restore --received 2026-11-23T12:00", "no zone"),
        ("dmca restore --received yesterday", "is no time"),
        ("dmca restore --received 2026-11-23T12:00Z --zone Nowhere", "is no zone"),
        ("dmca restore --received 2026-11-23T12:00Z --calendar Nowhere", "is no calendar"),
    ],
)
def test_what_is_not_known_is_an_error(words: str, because: str) -> None:
    done = RUN.invoke(app, ["case", "clock", *words.split()])
    assert because in str(done.exception) or because in done.output
    assert done.exit_code != 0


def test_the_clocks_that_run_are_told_with_the_case(countered: Path) -> None:
    code, text = say("show", "C1", "-w", str(countered))
    assert code == 0
    for clock in ("dmca.restore", "dmca.action", "github.restore"):
        assert clock in text
    code, text = say("show", "C1", "-w", str(countered), "--json")
    said = json.loads(text)
    assert [(one["notice"], one["legal"]) for one in said["deadlines"] if one["clock"] == "dmca.restore"] == [
        ("N1", True)
    ]
    assert {one["clock"] for one in said["deadlines"]} == {"dmca.restore", "dmca.action", "github.restore"}
    assert all(one["explanation"] for one in said["deadlines"])
