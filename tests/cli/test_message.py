"""``riparian message``, from a template to whoever asks."""

import json
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from riparian.cli import app
from riparian.errors import CustodyError, InputError
from tests.stores.relays import Taking, served

STATEMENT = (
    "From: Riverwave <statements@riverwave.example>\nTo: ann@post.example\nSubject: Your statement\n"
    "Date: Mon, 02 Nov 2026 10:00:00 +0000\n\nSee https://artists.riverwave.example/money\nCode: {code}\n"
)
SIGN = ("--template", "royalty-statement", "--by", "Riverwave", "--domain", "riverwave.example")


def _run(*words: str, code: int = 0) -> list[dict[str, Any]]:
    result = CliRunner().invoke(app, ["message", *words, "--json"], catch_exceptions=False)
    assert result.exit_code == code, result.output
    return [json.loads(line) for line in result.stdout.splitlines()]


def _say(*words: str, code: int = 0) -> str:
    result = CliRunner().invoke(app, ["message", *words], catch_exceptions=False)
    assert result.exit_code == code, result.output
    return result.stdout


@pytest.fixture(scope="module")
def office(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, Any]]:
    """Give a folder with a workspace, a statement, and what was signed of it."""
    folder = tmp_path_factory.mktemp("office")
    (folder / "statement.eml").write_text(STATEMENT)
    words = ("--to", "ann@post.example", "--into", str(folder / "statement.eml"), "-w", str(folder / "w"))
    (said,) = _run("sign", *SIGN, *words)
    return folder, said


def test_a_signed_message_is_verified_as_it_came(office: tuple[Path, dict[str, Any]]) -> None:
    folder, said = office
    written = (folder / "statement-signed.eml").read_text()
    assert (said["file"], said["domains"]) == (str(folder / "statement-signed.eml"), ["riverwave.example"])
    assert said["code"] in written
    assert "ann@post.example" not in said["token"]
    (told,) = _run("check", said["file"], "-w", str(folder / "w"))
    assert (told["answer"], told["code"], told["signed"]["template"]) == ("verified", said["code"], "royalty-statement")


def test_a_template_without_a_place_for_the_code_is_said(office: tuple[Path, dict[str, Any]], tmp_path: Path) -> None:
    folder, _ = office
    (tmp_path / "a.eml").write_text(STATEMENT.replace("{code}", ""))
    words = ("--to", "ann@post.example", "--into", str(tmp_path / "a.eml"), "-w", str(folder / "w"))
    result = CliRunner().invoke(app, ["message", "sign", *SIGN, *words], catch_exceptions=False)
    assert "artists see none in it" in " ".join(result.output.split())
    (told,) = _run("check", str(tmp_path / "a-signed.eml"), "-w", str(folder / "w"))
    assert told["answer"] == "verified"


def test_a_token_needs_the_public_key_alone(office: tuple[Path, dict[str, Any]], tmp_path: Path) -> None:
    folder, said = office
    nowhere = ("-w", str(tmp_path / "none"))
    (told,) = _run("check", said["file"], "--key", said["key"], *nowhere)
    assert told["answer"] == "verified"
    (told,) = _run("verify", said["token"], "--key", said["key"], "--to", "Ann@post.example", *nowhere)
    assert told["answer"] == "verified"
    assert not (tmp_path / "none").exists()
    with pytest.raises(InputError, match="wanted 64 hexadecimal digits"):
        _run("verify", said["token"], "--key", "zz", *nowhere)
    (told,) = _run("check", str(folder / "statement-signed.eml"), "--key", "00" * 32, *nowhere, code=1)
    assert told["answer"] == "suspicious"


@pytest.mark.parametrize(
    ("to", "answer", "code"),
    [
        pytest.param("ann@post.example", "verified", 0, id="the recipient"),
        pytest.param("", "verified", 0, id="nobody says who"),
        pytest.param("bo@post.example", "suspicious", 1, id="somebody else"),
    ],
)
def test_a_code_is_looked_up(office: tuple[Path, dict[str, Any]], to: str, answer: str, code: int) -> None:
    folder, said = office
    (told,) = _run("verify", said["code"].lower(), "--to", to, "-w", str(folder / "w"), code=code)
    assert told["answer"] == answer


def test_people_are_told_what_to_do(office: tuple[Path, dict[str, Any]]) -> None:
    folder, said = office
    place = ("-w", str(folder / "w"))
    assert "Genuine: Riverwave sent it to you" in _say("check", said["file"], *place)
    other = folder / "other.eml"
    other.write_text(Path(said["file"]).read_text().replace("riverwave.example/money", "riverwave.top/money"))
    told = _say("check", str(other), *place, code=1)
    assert "Do not follow it." in told
    assert "`artists.riverwave.top` was not signed" in told
    assert "Code: RM-" in _say("sign", *SIGN, "--to", "ann@post.example", *place)


def test_whoever_forwards_a_message_is_answered_once(office: tuple[Path, dict[str, Any]], tmp_path: Path) -> None:
    folder, said = office
    box = tmp_path / "mail"
    (box / "new").mkdir(parents=True)
    (box / "cur").mkdir()
    one = EmailMessage()
    one["From"], one["To"], one["Subject"] = "Ann <ann@post.example>", "genuine@riverwave.example", "Fwd: statement"
    one["Message-ID"] = "<1@post.example>"
    one.set_content("Is this from you?")
    one.add_attachment(message_from_bytes(Path(said["file"]).read_bytes(), policy=default))
    (box / "new" / "1").write_bytes(one.as_bytes())
    words = ("--own", "genuine@riverwave.example", "--maildir", str(box), "--replies", str(tmp_path / "out"))
    (told,) = _run("inbox", *words, "-w", str(folder / "w"))
    assert (told["answer"], told["to"]) == ("verified", "ann@post.example")
    assert b"Genuine: Riverwave" in Path(told["went"]).read_bytes()
    assert [path.name for path in (box / "cur").iterdir()] == ["1:2,S"]
    assert _run("inbox", *words, "-w", str(folder / "w"), code=1) == []
    (box / "new" / "2").write_bytes(one.as_bytes())
    assert "answered before" in _say("inbox", *words, "-w", str(folder / "w"))
    assert len(list((tmp_path / "out").iterdir())) == 1


def test_a_reply_is_sent_where_a_server_is_named(office: tuple[Path, dict[str, Any]], tmp_path: Path) -> None:
    folder, said = office
    (tmp_path / "new").mkdir()
    (tmp_path / "cur").mkdir()
    asked = f"From: Bo <bo@post.example>\nTo: g@riverwave.example\nMessage-ID: <2@p>\n\nIs this yours? {said['code']}\n"
    (tmp_path / "new" / "1").write_text(asked)
    taking = Taking()
    with served(taking) as relay:
        place = ("--maildir", str(tmp_path), "--smtp", f"{relay.host}:{relay.port}", "-w", str(folder / "w"))
        (told,) = _run("inbox", "--own", "g@riverwave.example", *place)
    assert (told["answer"], told["went"]) == ("suspicious", "sent by 127.0.0.1")
    (envelope,) = taking.taken
    assert envelope.rcpt_tos == ["bo@post.example"]
    assert b"its code was made for somebody else" in envelope.content


@pytest.mark.parametrize(
    ("words", "error"),
    [
        pytest.param(
            ("sign", *SIGN[:4], "--to", "ann@post.example", "--domain", "no domain"), InputError, id="a domain"
        ),
        pytest.param(("sign", *SIGN, "--to", " "), InputError, id="no recipient"),
        pytest.param(("sign", *SIGN, "--to", "a@b.example", "--into", "none.eml"), InputError, id="no template"),
        pytest.param(("check", "none.eml"), InputError, id="no message"),
        pytest.param(("inbox", "--own", "a@b.example"), InputError, id="nowhere to look"),
        pytest.param(("inbox", "--own", "a@b.example", "--maildir", "none"), InputError, id="no Maildir"),
        pytest.param(("serve", "--by", "Riverwave"), InputError, id="no key"),
        pytest.param(("serve", "--by", "Riverwave", "--listen", ":x"), InputError, id="no place"),
    ],
)
def test_what_cannot_be_done_is_said(tmp_path: Path, words: tuple[str, ...], error: type) -> None:
    with pytest.raises(error, match="wanted"):
        CliRunner().invoke(app, ["message", *words, "-w", str(tmp_path)], catch_exceptions=False)


def test_a_damaged_key_is_told(office: tuple[Path, dict[str, Any]], tmp_path: Path) -> None:
    folder, said = office
    (tmp_path / "w").mkdir()
    for path in (folder / "w").iterdir():
        kept = path.read_bytes()
        (tmp_path / "w" / path.name).write_bytes(b"x" if "key" in path.name else kept)
    with pytest.raises((CustodyError, InputError), match="wanted"):
        CliRunner().invoke(app, ["message", "check", said["file"], "-w", str(tmp_path / "w")], catch_exceptions=False)
