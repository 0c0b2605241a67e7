"""``riparian notice reasons`` writes a statement, looks at those that stand, and sends nothing."""

import json
from pathlib import Path

from typer.testing import CliRunner

from riparian.cli.notice import app
from tests.feeds.test_decisions import DECISION, put

RUN = CliRunner()


def test_a_decision_is_written_and_what_was_written_is_taken(tmp_path: Path) -> None:
    path = put(tmp_path, DECISION)

    written = RUN.invoke(app, ["reasons", str(path)])
    assert written.exit_code == 0
    again = RUN.invoke(app, ["reasons", str(put(tmp_path, written.stdout, "s.json"))])
    assert (again.exit_code, again.stdout) == (0, "1: it would be taken\n")

    letter = RUN.invoke(app, ["reasons", str(path), "--letter", "--json"])
    said = json.loads(letter.stdout)
    assert (said["kind"], said["form"]) == ("reasons", "dsa_reasons_text")
    assert "To: ember-17" in said["text"]


def test_what_the_database_would_refuse_is_said_with_exit_code_1(tmp_path: Path) -> None:
    written = json.loads(RUN.invoke(app, ["reasons", str(put(tmp_path, DECISION))]).stdout)
    path = put(tmp_path, json.dumps([written, {**written, "puid": "a b"}]), "s.json")

    told = RUN.invoke(app, ["reasons", str(path), "--json"])

    assert told.exit_code == 1
    first, second = (json.loads(line) for line in told.stdout.splitlines())
    assert first == {"kind": "reasons", "number": 1, "refused": []}
    assert "`puid` has other characters" in second["refused"][0]
