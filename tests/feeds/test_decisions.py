"""A decision is read from a file, and statements that stand are; whatever else they are, it is said."""

import json
from pathlib import Path

import pytest

from riparian.cases.forms import FORMS, fits, render
from riparian.cases.forms.reasons import refused
from riparian.errors import InputError
from riparian.feeds.decisions import read_decision, read_statements

DECISION = """
urls = ["https://host.example/tracks/1"]

[decision]
ground_named = "Directive 2001/29/EC, Article 2(c)"
explanation = "The recording is another's, and no licence of theirs is known."
facts = "A notice was received under Article 16, and the recordings were compared."
content_date = 2026-11-01T00:00:00Z
application_date = 2026-11-23T09:30:00Z
puid = "2026-11-23-17"
redress = "You may complain to us within six months, go to a certified body, or to a court."
territories = ["DE", "FR"]

[sender]
name = "Trust and safety"
organisation = "A Host, Inc."
email = "safety@host.example"

[recipient]
name = "ember-17"
"""


def put(folder: Path, text: str, name: str = "decision.toml") -> Path:
    path = folder / name
    path.write_text(text, encoding="utf-8")
    return path


def test_a_decision_is_written_for_the_database_and_to_whom_it_affects(tmp_path: Path) -> None:
    notice = read_decision(put(tmp_path, DECISION))

    said = json.loads(render(notice).content)
    assert refused(said) == ()
    assert (said["puid"], said["territorial_scope"]) == ("2026-11-23-17", ["DE", "FR"])
    assert "ember-17" not in str(said)
    assert "host.example" not in str(said)
    text = render(notice, "dsa_reasons_text").content.decode()
    assert "To: ember-17" in text
    assert "1. https://host.example/tracks/1" in text
    assert "in DE, FR, from 23 November 2026" in text


WRONG = {
    "no TOML": ("urls = [", "not TOML that can be read"),
    "about nothing": (DECISION.replace("https://host.example/tracks/1", "").replace('[""]', "[]"), "has no `urls`"),
    "about numbers": (DECISION.replace('"https://host.example/tracks/1"', "7"), "has no `urls`"),
    "a field that is not known": ("notes = 1\n" + DECISION, "has `notes`, wanted only"),
    "a field of the decision that is not known": (
        DECISION.replace("puid =", "number = 1\npuid ="),
        "a decision has the field `number`",
    ),
    "no facts": (DECISION.replace("facts =", "redress_too ="), "a decision has the field `redress_too`"),
    "a day without its zone": (DECISION.replace("2026-11-01T00:00:00Z", "2026-11-01"), "has no zone"),
    "no table": ('decision = 1\nurls = ["https://a.example/"]', "`decision` is no table"),
}


@pytest.mark.parametrize("name", WRONG)
def test_what_is_no_decision_is_refused(name: str, tmp_path: Path) -> None:
    text, why = WRONG[name]

    with pytest.raises(InputError) as found:
        read_decision(put(tmp_path, text))
    assert why in found.value.message


def test_a_decision_that_the_database_would_refuse_is_not_written(tmp_path: Path) -> None:
    notice = read_decision(put(tmp_path, DECISION.replace('["DE", "FR"]', '["US"]')))

    assert "`territorial_scope` has the value `US`" in fits(notice, FORMS["dsa_reasons"])


STANDING = {
    "one": ('{"puid": "1"}', 1),
    "a list": ('[{"puid": "1"}, {"puid": "2"}]', 2),
    "as the database takes many": ('{"statements": [{"puid": "1"}, {"puid": "2"}]}', 2),
}


@pytest.mark.parametrize("name", STANDING)
def test_statements_that_stand_are_read(name: str, tmp_path: Path) -> None:
    text, count = STANDING[name]

    assert len(read_statements(put(tmp_path, text, "s.json"))) == count


@pytest.mark.parametrize("text", ["", "[]", "7", '["a"]', "{" * 100_000, "[" * 100_000])
def test_what_are_no_statements_is_refused(text: str, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="wanted"):
        read_statements(put(tmp_path, text, "s.json"))


def test_a_file_that_is_not_there_is_said(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="there is no file"):
        read_decision(tmp_path / "none.toml")
