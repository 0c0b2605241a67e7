"""Letters that come in: read by one command, and written into the case that they answer by another."""

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from riparian import assembly
from riparian.cases.events import Proposed
from riparian.cases.facts import Addressee, Layer, Location
from riparian.cases.notice import Kind, Notice
from riparian.cases.plain import plain
from riparian.cases.steps import Step
from riparian.cli import app
from riparian.flows import casework
from tests.cases.making import ANN, AT, DIGEST, FIRST, said, stepped
from tests.cases.reading import letters
from tests.cases.workplace import Person, Ticking

RUN = CliRunner()
PLACE = "https://files.example/d/low-tide.mp3"


def say(*words: str) -> tuple[int, str]:
    done = RUN.invoke(app, list(words))
    return done.exit_code if not done.exception or isinstance(done.exception, SystemExit) else 2, done.output


def rows(text: str) -> list[dict[str, object]]:
    return [json.loads(line) for line in text.splitlines() if line.startswith("{")]


@pytest.fixture
def post(tmp_path: Path) -> Path:
    folder = tmp_path / "post"
    folder.mkdir()
    (folder / "a.txt").write_text(letters.NOTICE, encoding="utf-8")
    (folder / "b.xml").write_bytes(letters.acns("1.2"))
    (folder / "c.eml").write_bytes(letters.mail(letters.COUNTER))
    return folder


def test_a_folder_of_letters_is_read_for_programs(post: Path) -> None:
    code, text = say("notice", "read", str(post), "--json")
    assert code == 0
    found = rows(text)
    assert [(row["kind"], row["type"], row["form"]) for row in found] == [
        ("notice", "takedown", "letter"),
        ("notice", "takedown", "acns"),
        ("notice", "counter_notice", "letter"),
    ]
    assert found[0]["missing"] == []
    assert found[1]["missing"] == ["signature", "good_faith", "accuracy", "authority", "fair_use"]
    assert found[0]["works"] == [
        {"recording": "W1", "title": "Low Tide", "artist": "The Tidewaters", "isrc": "GBAAA2400017"}
    ]
    assert found[2]["dated"] == "2026-03-03T10:00:00.000000Z"


def test_a_letter_is_read_for_people(post: Path) -> None:
    code, text = say("notice", "read", str(post / "b.xml"))
    assert code == 0
    assert "no field and no text of the message holds it" in text
    assert "Harbour Lane Records" in text


OUTCOMES = {
    "no notice": (b"The rehearsal is moved to Thursday.", 1),
    "not to be read": (b'{"', 2),
    "nothing in it": (b"", 2),
}


@pytest.mark.parametrize("case", OUTCOMES)
def test_what_it_ends_with(case: str, tmp_path: Path) -> None:
    content, expected = OUTCOMES[case]
    (tmp_path / "a").write_bytes(content)
    assert say("notice", "read", str(tmp_path / "a"), "--json")[0] == expected


def test_where_there_is_nothing_it_says_so(tmp_path: Path) -> None:
    assert say("notice", "read", str(tmp_path / "none"))[0] == 2
    assert say("notice", "read", str(tmp_path))[0] == 2


@pytest.fixture
def workspace(tmp_path: Path) -> Path:
    """Make a case whose one notice was sent, and what it asks for removed."""
    notice = Notice(
        Kind.TAKEDOWN, "C1", "N1", addressee=Addressee("host", "A Host", Layer.HOST), locations=(Location("L1", PLACE),)
    )
    drafted = Proposed("drafted", {"notice": plain(notice), "digest": DIGEST}, AT, "ann")
    steps = (Step.LOCK, Step.REVIEW, Step.APPROVE, Step.SEND, Step.REMOVE)
    before = Ticking(int(AT.timestamp() * 1e6) - 2_000_000)
    with assembly.docket(assembly.Given(tmp_path / "workspace")) as docket:
        casework.add_person(docket.cases, before, Person("ann", ANN), "ann", ANN.key)
        docket.cases.open([*FIRST, said("noted", text="found"), drafted, *(stepped(step) for step in steps)])
    return tmp_path / "workspace"


def letter(workspace: Path, file: Path, *words: str) -> tuple[int, str]:
    return say("case", "letter", str(file), *words, "-w", str(workspace))


def test_a_counter_notice_is_written_into_the_case_that_it_answers(workspace: Path, post: Path) -> None:
    code, text = letter(workspace, post / "c.eml", "--at", "2026-11-23T09:00:00Z", "--json")
    assert code == 0
    (told,) = rows(text)
    assert told["notices"] == [{"case": "C1", "notice": "N1", "told": "address", "step": "counter"}]
    (case,) = rows(say("case", "show", "C1", "--json", "-w", str(workspace))[1])
    assert json.dumps(case).count('"countered"') == 1
    assert [one["media_type"] for one in case["facts"]["kept"]] == ["message/rfc822"]  # type: ignore[index]
    history = rows(say("case", "show", "C1", "--history", "--json", "-w", str(workspace))[1])
    (event,) = [row for row in history if row.get("event") == "counter"]
    assert event["what"]["received"] == "2026-11-23T09:00:00.000000Z"  # type: ignore[index]


def test_a_letter_that_answers_nothing_changes_nothing(workspace: Path, post: Path) -> None:
    (post / "d.txt").write_text(letters.COUNTER.replace(PLACE, "https://else.example/1"), encoding="utf-8")
    assert letter(workspace, post / "d.txt")[0] == 1
    history = rows(say("case", "show", "C1", "--history", "--json", "-w", str(workspace))[1])
    assert [row.get("event") for row in history].count("kept") == 0
    code, text = letter(workspace, post / "d.txt", "--notice", "N1")
    assert code == 0
    assert "counter" in text


def test_a_letter_that_makes_no_step_is_kept_and_noted(workspace: Path, post: Path) -> None:
    (post / "e.txt").write_text(letters.RETRACTION, encoding="utf-8")
    assert letter(workspace, post / "e.txt")[0] == 0
    history = rows(say("case", "show", "C1", "--history", "--json", "-w", str(workspace))[1])
    assert [row.get("event") for row in history][-3:-1] == ["kept", "noted"]


def test_a_notice_that_no_case_has_is_refused(workspace: Path, post: Path) -> None:
    assert letter(workspace, post / "c.eml", "--notice", "N9")[0] == 2
    assert letter(workspace, post / "none.eml")[0] == 2
