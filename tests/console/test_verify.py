"""Whether what somebody got is genuine: the answers of the commands, for whoever asks, and nothing else."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import httpx
import pytest
from typer.testing import CliRunner

from riparian import assembly
from riparian.assembly import Given
from riparian.cases.events import Proposed
from riparian.cli import app
from riparian.console.doors import OPEN_A_MINUTE, Locked
from riparian.console.page import NOBODY
from riparian.console.pages.verify import OCTETS_MAX
from riparian.console.site import console_app
from riparian.flows import casework, pursuing
from riparian.ports.staff import Invitation, Role
from riparian.stores.outbox import letter_of
from tests.cases.making import AT as THEN
from tests.cases.sending import approved, office
from tests.console.asking import AT, Browser
from tests.console.hostile import HARM, harm_in, run
from tests.console.known import Known

MAIL: Final = (
    "From: Riverwave <statements@riverwave.example>\nTo: ann@post.example\nSubject: Your statement\n"
    "Date: Mon, 02 Nov 2026 10:00:00 +0000\n\nYour statement: https://artists.riverwave.example/money\nCode: {code}\n"
)
OURS: Final = "recording,title,artist,label\nr1,Low Tide,Ember Slate,Reed\nr2,Ebb,Ember Slate,Reed\n"
ELSEWHERE: Final = ("https://artists.riverwave.example", "https://riverwave-royalties.top")
LURE: Final = (
    "From: Riverwave Royalties <payouts@riverwave-royalties.top>\nTo: ann@post.example\n"
    "Subject: Action required: your royalties are on hold\nDate: Mon, 02 Nov 2026 10:00:00 +0000\n\nDear artist, verify"
    " your account within 48 hours or the payment expires: https://riverwave-royalties.top/verify\n"
)
AS_NOBODY: Final = {"as": "nobody", "accept": "application/json"}


@pytest.fixture(scope="module")
def workspace(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Hand out a workspace from which a message, a statement and a notice went."""
    folder = tmp_path_factory.mktemp("verify")
    (folder / "mail.eml").write_text(MAIL)
    run("message", "sign", "--template", "royalty-statement", "--to", "ann@post.example", "--by", "Riverwave",
        "--domain", "riverwave.example", "--into", folder / "mail.eml", "-w", folder)  # fmt: skip
    run("lookalike", "index", "--name", "riverwave", "--own", "riverwave.example", "-w", folder)
    (folder / "ours.csv").write_text(
        "recording,title,artist,label\nr1,Low Tide,Ember Slate,Reed\nr2,Ebb,Ember Slate,Reed\n"
    )
    run("catalogue", "add", folder / "ours.csv", "-w", folder)
    with office(folder) as docket:
        approved(docket)
        pursuing.send(docket, "C1", "N1", "cli", really=True)
    run("creator", "statement", "--artist", "Ember Slate", "--by", "Reed", "--to", folder / "ember", "-w", folder)
    return folder


@pytest.fixture(scope="module")
def client(workspace: Path) -> Browser:
    return Browser(console_app(Given(workspace), Known()))


def pasted(client: Browser, text: str, to: str = "", **more: str) -> dict[str, Any]:
    answer = client.post("/verify/check", data={"text": text, "to": to}, headers={**AS_NOBODY, **more})
    assert answer.status_code == 200, answer.text
    return answer.json()  # type: ignore[no-any-return]


def brought(client: Browser, octets: bytes, to: str = "", **headers: str) -> httpx.Response:
    files = {"file": ("../../a.eml", octets, "message/rfc822")}
    return client.post("/verify/check-file", data={"to": to}, files=files, headers={**AS_NOBODY, **headers})


def lines(folder: Path, *names: str) -> list[str]:
    told = CliRunner().invoke(app, ["message", "check", *(str(folder / name) for name in names), "-w", str(folder)])
    return [line.strip().removeprefix("- ") for line in told.stdout.splitlines()]


@pytest.mark.parametrize(
    ("change", "answer"),
    [
        pytest.param(("", ""), "verified", id="as it was sent"),
        pytest.param(ELSEWHERE, "suspicious", id="it leads elsewhere"),
        pytest.param(("To: ann@", "To: bea@"), "suspicious", id="to somebody else"),
        pytest.param((MAIL.partition("\n")[0], "From: x <x@riverwave.top>"), "suspicious", id="from somebody else"),
    ],
)  # fmt: skip
def test_a_message_is_told_in_the_words_of_the_command(
    client: Browser, workspace: Path, change: tuple[str, str], answer: str
) -> None:
    text = (workspace / "mail-signed.eml").read_text().replace(*change)
    (workspace / "asked.eml").write_text(text)
    told = pasted(client, text)["answer"]
    assert (told["what"], told["answer"]) == ("message", answer)
    assert lines(workspace, "asked.eml")[1:] == [told["told"], *told["reasons"]]
    assert brought(client, text.encode()).json()["answer"] == told
    shown = brought(client, text.encode(), accept="text/html").text
    assert harm_in(shown) == []
    assert f"message: {answer}" in shown


def test_a_lure_is_no_message_of_ours(client: Browser) -> None:
    told = pasted(client, LURE)["answer"]
    assert told["answer"] == "suspicious"
    assert "`riverwave-royalties.top` looks like riverwave" in told["reasons"]


@pytest.mark.parametrize(
    ("to", "answer"),
    [
        pytest.param("ann@post.example", "verified", id="of whoever asks"),
        pytest.param("bea@post.example", "suspicious", id="of somebody else"),
        pytest.param("", "unknown", id="of nobody: it may stand in a lure"),
    ],
)
def test_a_code_alone_is_looked_up(client: Browser, workspace: Path, to: str, answer: str) -> None:
    code = (workspace / "mail-signed.eml").read_text().rpartition("Code: ")[2].strip()
    assert pasted(client, code, to)["answer"]["answer"] == answer


@pytest.mark.parametrize("form", ["statement.html", "statement.pdf", "statement.jws"])
def test_a_statement_says_what_was_found_to_whoever_has_it(client: Browser, workspace: Path, form: str) -> None:
    octets = (workspace / "ember" / form).read_bytes()
    told = brought(client, octets).json()
    assert (told["answer"]["what"], told["answer"]["answer"]) == ("statement", "verified")
    assert told["answer"]["told"] == f"Genuine: signed by the holder of {told['key'][:16]}."
    shown = run("creator", "verify", workspace / "ember" / form, "--key", told["key"])
    assert [line for line in told["answer"]["reasons"] if line not in " ".join(shown.split())] == []
    assert [(row["recording"], row["how"]) for row in told["found"]["rows"]] == [("r1", "it sounds the same")]


@pytest.mark.parametrize(
    ("form", "change"),
    [
        pytest.param("statement.html", (b"Ember Slate", b"Ember Slade"), id="a page that says otherwise"),
        pytest.param("statement.pdf", (b"%%EOF", b"%%EOF\n"), id="a paper with more in it"),
        pytest.param("statement.jws", (b".", b".e"), id="a file that was changed"),
    ],
)
def test_a_statement_that_was_changed_is_told_so(
    client: Browser, workspace: Path, form: str, change: tuple[bytes, bytes]
) -> None:
    told = brought(client, (workspace / "ember" / form).read_bytes().replace(*change)).json()
    assert (told["answer"]["answer"], told["found"]) == ("suspicious", None)


def test_a_statement_of_another_key_is_not_ours(workspace: Path, tmp_path: Path) -> None:
    other = Browser(console_app(Given(tmp_path), Known()))
    told = brought(other, (workspace / "ember" / "statement.jws").read_bytes()).json()
    assert (told["key"], told["answer"]["answer"]) == (None, "suspicious")


@pytest.mark.parametrize("how", ["the file", "pasted", "with other ends of lines", "in a mail"])
def test_a_notice_that_left_is_known_by_its_bytes(client: Browser, workspace: Path, how: str) -> None:
    with office(workspace) as docket:
        case = casework.read(docket, "C1")
        rendered = pursuing.text_of(docket, case, "N1").content
        letter = letter_of(pursuing.approved_of(docket, case, "N1"), "rights@reed.example").as_bytes()
    sent = {"the file": rendered, "with other ends of lines": rendered.replace(b"\n", b"\r\n"), "in a mail": letter}
    told = pasted(client, rendered.decode()) if how == "pasted" else brought(client, sent[how]).json()
    assert told["answer"]["what"] == "notice"
    assert told["answer"]["told"].startswith(f"Genuine: this takedown left here on {THEN:%Y-%m-%d}, word for word")
    assert brought(client, rendered.replace(b"Low Tide", b"Law Tide")).json()["answer"]["what"] == "message"


def test_a_notice_under_seal_is_as_if_it_were_not_there(tmp_path: Path) -> None:
    with office(tmp_path) as docket:
        approved(docket)
        pursuing.send(docket, "C1", "N1", "cli", really=True)
        rendered = pursuing.text_of(docket, casework.read(docket, "C1"), "N1").content
    client = Browser(console_app(Given(tmp_path), Known()))
    assert brought(client, rendered).json()["answer"]["what"] == "notice"
    with office(tmp_path) as docket:
        casework.record(docket, "C1", Proposed("sealed", {"because": "counsel asked"}, THEN, "Ann"))
    assert brought(client, rendered).json()["answer"]["what"] == "message"


@pytest.mark.parametrize(
    ("kind", "octets", "found"),
    [
        pytest.param("application/x-www-form-urlencoded", b"text=+", "nothing was sent", id="nothing"),
        pytest.param("application/x-www-form-urlencoded", b"x" * (OCTETS_MAX + 1), "octets were sent", id="a book"),
        pytest.param("application/x-www-form-urlencoded", b"text=\xff", "cannot be read", id="no UTF-8"),
        pytest.param("application/json", b"{}", "was sent", id="another kind"),
        pytest.param("multipart/form-data", b"", "was sent", id="a form without a boundary"),
        pytest.param("multipart/form-data; boundary=x", b"--x\r\n", "breaks off", id="a form that breaks off"),
        pytest.param("multipart/form-data; boundary=x", b"--x--\r\n", "nothing was sent", id="a form of nothing"),
    ],
)  # fmt: skip
def test_what_cannot_be_looked_at_is_refused(client: Browser, kind: str, octets: bytes, found: str) -> None:
    answer = client.post("/verify/check-file", content=octets, headers={**AS_NOBODY, "content-type": kind})
    assert (answer.status_code, found in answer.json()["found"]) == (400, True)


@pytest.mark.parametrize("harm", HARM, ids=[str(n) for n in range(len(HARM))])
def test_what_is_sent_becomes_no_part_of_the_page(client: Browser, harm: str) -> None:
    mail = f"From: {harm.encode('unicode_escape').decode()} <a@b.example>\nSubject: {harm}\nTo: c@d.example\n\n{harm}\n"
    for octets in (mail.encode(), harm.encode(), b"\xff\x00" + harm.encode("utf-16")):
        answer = brought(client, octets, to=harm, accept="text/html")
        assert (answer.status_code, harm_in(answer.text)) == (200, [])


# --- for whom ------------------------------------------------------------------------------------------------------


@pytest.fixture
def locked(workspace: Path) -> Iterator[tuple[Browser, str]]:
    now_us = assembly.WallClock().now_us()
    with assembly.staff(Given(workspace)) as staff:
        if not staff.members():
            staff.enter(staff.invite(Invitation("Ada Somebody", Role.ADMIN), now_us), "", "id#1", now_us)
        doors = Locked(AT, staff, assembly.StoppedClock(now_us))
        yield Browser(console_app(Given(workspace), doors)), staff.sign_in("Ada Somebody", now_us)


def test_whoever_is_not_signed_in_sees_nothing_else_and_nobody(locked: tuple[Browser, str]) -> None:
    answer = locked[0].get("/verify")
    assert answer.status_code == 200
    assert "Ada" not in answer.text
    assert [
        part.partition('"')[0] for part in answer.text.split("<nav")[1].partition("</nav")[0].split('href="')[1:]
    ] == ["/verify"]
    assert set(locked[0].get("/verify?json").json()) == {"kind", "key", "octets_max", "answer", "found"}
    assert locked[0].get("/accounts").status_code == 303


def test_an_address_asks_so_often_and_keeps_nobody_from_signing_in(locked: tuple[Browser, str]) -> None:
    browser, token = locked
    sent = {"data": {"text": "is it?"}, "headers": {"accept": "application/json"}}
    asked = [browser.post("/verify/check", **sent).status_code for _ in range(OPEN_A_MINUTE + 1)]
    assert asked == [200] * OPEN_A_MINUTE + [429]
    assert int(browser.post("/verify/check", **sent).headers["retry-after"]) >= 1
    assert browser.get("/verify").status_code == 200
    assert browser.post("/sign-in/ask", json={}).status_code == 200
    assert browser.get("/people", headers={"cookie": f"riparian={token}"}).status_code == 200


def test_a_form_of_another_site_is_not_taken(locked: tuple[Browser, str]) -> None:
    answer = locked[0].post("/verify/check", data={"text": "x"}, headers={"origin": "https://evil.example"})
    assert answer.status_code == 403


def test_nothing_is_kept_of_what_is_asked(client: Browser, workspace: Path) -> None:
    def held() -> dict[str, bytes]:
        files = [path for path in workspace.rglob("*") if path.is_file() and not path.name.endswith(("-wal", "-shm"))]
        return {str(path): path.read_bytes() for path in files}

    before = held()
    pasted(client, LURE, "ann@post.example")
    assert held() == before
    assert NOBODY.name == ""
