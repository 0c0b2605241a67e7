"""A case by hand, from being opened to being told: what people type, and what programs read."""

import json
from datetime import UTC, datetime
from pathlib import Path

import pytest
from typer.testing import CliRunner

from riparian.cli import app

RUN = CliRunner()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "pass").write_text("correct horse battery\n", encoding="utf-8")
    assert person(tmp_path, "ann")[0] == 0
    assert say(tmp_path, "open", "A mirror", "--in", "US DE", "--by", "ann")[0] == 0
    for words in (
        ("work", "recording=r1", "title=Tide"),
        ("location", "url=https://mirror-example.to/a.mp3", "addressee=host", "host_port=443"),
        ("addressee", "key=host", "name=A Host", "layer=host", "kinds=news, library"),
        ("finding", "location=L1", "recording=r1", "how=sound", "error=1e-9"),
        ("check", "check=licence", "recording=r1", "clear=yes", "source=ledger"),
        ("owner", "name=Reed Records"),
        ("authority", "document=agreement.pdf"),
    ):
        assert (words, say(tmp_path, "add", "C1", *words)[0]) == (words, 0)
    return tmp_path


def say(folder: Path, *words: str) -> tuple[int, str]:
    done = RUN.invoke(app, ["case", *words, "-w", str(folder / "workspace")])
    return done.exit_code if not done.exception or isinstance(done.exception, SystemExit) else 2, done.output


def told(folder: Path, *words: str) -> list[dict[str, object]]:
    code, text = say(folder, *words, "--json")
    assert code == 0
    return [json.loads(line) for line in text.splitlines() if line.startswith("{")]


def person(folder: Path, name: str, *more: str) -> tuple[int, str]:
    key, words = str(folder / f"{name}.pem"), str(folder / "pass")
    return say(folder, "person", "add", name, "--key", key, "--passphrase-file", words, *more)


def signing(folder: Path, name: str) -> tuple[str, ...]:
    return ("--as", name, "--key", str(folder / f"{name}.pem"), "--passphrase-file", str(folder / "pass"))


def test_what_was_added_is_told(folder: Path) -> None:
    (case,) = told(folder, "show", "C1")
    facts = case["facts"]
    assert (case["kind"], case["case"], case["open"], case["territories"]) == ("case", "C1", True, ["US", "DE"])
    assert isinstance(facts, dict)
    assert facts["locations"][0]["host_port"] == 443
    assert facts["addressees"][0]["kinds"] == ["news", "library"]
    assert (facts["findings"][0]["error"], facts["checks"][0]["clear"]) == (1e-9, True)
    assert (facts["owner"]["name"], facts["authority"]) == ("Reed Records", "agreement.pdf")
    code, text = say(folder, "show", "C1", "--history")
    assert code == 0
    assert "mirror-example.to" in text
    assert text.count("mirror-example.to") == 2  # where it stands, and the event
    assert [event["event"] for event in told(folder, "show", "C1", "--history")[:-1]][:2] == ["opened", "work"]


@pytest.mark.parametrize(
    "words",
    [
        pytest.param(("add", "C1", "work", "recording"), id="a field without a value"),
        pytest.param(("add", "C1", "work", "recording=a", "recording=b"), id="a field twice"),
        pytest.param(("add", "C1", "work", "record=a"), id="a field that there is not"),
        pytest.param(("add", "C1", "tune", "name=a"), id="a fact that there is not"),
        pytest.param(("add", "C1", "authority", "paper=a"), id="authority of something else"),
        pytest.param(("add", "C1", "location", "url=x", "host_port=many"), id="a number in words"),
        pytest.param(("add", "C1", "finding", "location=L9", "recording=r1", "how=sound"), id="nowhere"),
        pytest.param(("add", "C9", "work", "recording=a"), id="no such case"),
        pytest.param(("looked", "C1", "L9", "--live"), id="looked at nothing"),
        pytest.param(("looked", "C1", "L1", "--gone", "--at", "yesterday"), id="at no time"),
        pytest.param(("looked", "C1", "L1", "--gone", "--at", "2126-11-24T00:00Z"), id="tomorrow"),
        pytest.param(("event", "C1", "N1", "remove"), id="no such notice"),
        pytest.param(("event", "C1", "N1", "send"), id="sending by hand"),
        pytest.param(("event", "C1", "N1", "approve"), id="approving by hand"),
        pytest.param(("show", "C2"), id="nothing to show"),
    ],
)
def test_what_cannot_be_is_an_error_and_changes_nothing(folder: Path, words: tuple[str, ...]) -> None:
    before = told(folder, "show", "C1")
    assert say(folder, *words)[0] == 2
    assert told(folder, "show", "C1") == before


def test_a_seal_is_taken_off_by_somebody_who_signs(folder: Path) -> None:
    assert say(folder, "seal", "C1", "--because", "counsel looks", "--by", "bot")[0] == 0
    assert told(folder, "show", "C1")[0]["sealed"] is True
    assert person(folder, "ben")[0] == 2  # nobody vouches
    assert say(folder, "release", "C1", "--because", "fine", *signing(folder, "ben"))[0] == 2
    vouched = (
        "--as",
        "ann",
        "--voucher-key",
        str(folder / "ann.pem"),
        "--voucher-passphrase-file",
        str(folder / "pass"),
    )
    assert person(folder, "ben", *vouched)[0] == 0
    assert say(folder, "release", "C1", "--because", "fine", *signing(folder, "ben"))[0] == 0
    assert told(folder, "show", "C1")[0]["sealed"] is False
    assert say(folder, "person", "retire", "ben", *signing(folder, "ann"))[0] == 0
    people = told(folder, "person", "list")
    assert [(one["name"], "retired" in one) for one in people] == [("ann", False), ("ben", True)]
    assert say(folder, "seal", "C1", "--because", "again", "--by", "bot")[0] == 0
    assert say(folder, "release", "C1", "--because", "fine", *signing(folder, "ben"))[0] == 2


def test_cases_are_joined_in_both(folder: Path) -> None:
    assert say(folder, "open", "It is back", "--sealed")[0] == 0
    assert say(folder, "add", "C2", "location", "url=https://mirror-example.se/b")[0] == 0
    (case,) = told(folder, "show", "C2")
    assert [one["case"] for one in case["alike"]] == ["C1"]  # type: ignore[attr-defined]
    because = ("--because", "the same people")
    assert say(folder, "join", "C2", "C1", *because, *signing(folder, "ann"))[0] == 0
    assert [told(folder, "show", key)[0]["joined"] for key in ("C1", "C2")] == [
        {"C2": "the same people"},
        {"C1": "the same people"},
    ]
    rows = told(folder, "list")
    assert [(row["case"], row["sealed"], row["live"]) for row in rows] == [("C1", False, 0), ("C2", True, 0)]


def test_what_somebody_saw_is_in_it(folder: Path) -> None:
    assert say(folder, "looked", "C1", "L1", "--gone", "--at", datetime.now(UTC).isoformat())[0] == 0
    assert say(folder, "note", "C1", "They called.", "--by", "ann")[0] == 0
    (case,) = told(folder, "show", "C1")
    assert (case["gone"], case["open"]) == (1, False)
    assert [one["text"] for one in case["notes"]] == ["They called."]  # type: ignore[attr-defined]


def test_where_nothing_is_nothing_is_told(tmp_path: Path) -> None:
    assert say(tmp_path, "list")[0] == 2
    assert say(tmp_path, "person", "list")[0] == 2
    assert RUN.invoke(app, ["case", "open", "x", "-w", str(tmp_path / "workspace")]).exit_code == 0
    assert say(tmp_path, "person", "list")[0] == 1
