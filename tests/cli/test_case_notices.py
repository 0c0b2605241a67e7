"""From a found file to a letter in the outbox: one command drafts in every form, and people do the rest."""

import json
import shutil
from collections.abc import Sequence
from pathlib import Path

import pytest
import soundfile
from typer.testing import CliRunner

from riparian.cases.forms import FORMS
from riparian.cases.notice import Kind
from riparian.cli import app
from riparian.errors import RiparianError
from tests.prints.sounds import tune

pytestmark = pytest.mark.slow

RUN = CliRunner()
RATE, SECONDS = 22_050, 40.0
URL = "https://mirror-example.to/amber-tide.mp3"
NOTE = "The whole recording is offered for download by a stranger; nothing is added to it and nothing is said of it."
WORDS = "correct horse battery"
LETTERHEAD = """
authority = "mandate-2026.pdf"
public_domain = "policy-2026.pdf"
[owner]
name = "Reed Records"
address = "1 Quay, Portland, OR"
email = "rights@reed.example"
phone = "+1 503 555 0100"
country = "US"
[complainant]
name = "Ann Reed"
organisation = "Reed Records"
address = "1 Quay, Portland, OR"
email = "ann@reed.example"
phone = "+1 503 555 0100"
country = "US"
[addressee.host]
name = "A Host, Inc."
layer = "host"
email = "abuse@host.example"
"""


def say(folder: Path, *words: str, code: int = 0) -> list[dict[str, object]]:
    done = RUN.invoke(app, [*words, "-w", str(folder / "workspace"), "--json"])
    assert done.exit_code == code, (done.output, done.exception)
    return [json.loads(line) for line in done.output.splitlines() if line.startswith("{")]


def refused(folder: Path, *words: str) -> str:
    done = RUN.invoke(app, [*words, "-w", str(folder / "workspace")])
    assert isinstance(done.exception, RiparianError), done.output
    return done.exception.message


def signing(folder: Path, name: str) -> tuple[str, ...]:
    return ("--as", name, "--key", str(folder / f"{name}.pem"), "--passphrase-file", str(folder / "pass"))


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Make a workspace with a catalogue, prints and two people, and a copy of a recording as it was found."""
    folder = tmp_path_factory.mktemp("made")
    (folder / "masters").mkdir()
    for seed, name in ((1, "r1"), (2, "r2")):
        soundfile.write(folder / "masters" / f"{name}.flac", tune(seed, SECONDS, RATE), RATE)
    soundfile.write(folder / "found.mp3", tune(1, SECONDS, RATE), RATE, format="MP3")
    soundfile.write(folder / "other.mp3", tune(77, SECONDS, RATE), RATE, format="MP3")
    rows = (
        "recording,title,artist,isrc,label,owner,released",
        "r1,Amber Tide,Ember Slate,GBAYE0000351,Reed,Reed Records,2026-01-09",
    )
    (folder / "catalogue.csv").write_text("\n".join(rows) + "\n", encoding="utf-8")
    (folder / "pass").write_text(f"{WORDS}\n", encoding="utf-8")
    say(folder, "catalogue", "add", str(folder / "catalogue.csv"))
    say(folder, "prints", "add", str(folder / "masters"))
    (folder / "workspace" / "letterhead.toml").write_text(LETTERHEAD, encoding="utf-8")
    secret = str(folder / "pass")
    say(folder, "case", "person", "add", "ann", "--key", str(folder / "ann.pem"), "--passphrase-file", secret)
    vouched = ("--as", "ann", "--voucher-key", str(folder / "ann.pem"), "--voucher-passphrase-file", secret)
    say(folder, "case", "person", "add", "ben", "--key", str(folder / "ben.pem"), "--passphrase-file", secret, *vouched)
    return folder


@pytest.fixture
def folder(made: Path, tmp_path: Path) -> Path:
    """Give every test a workspace of its own."""
    shutil.copytree(made, tmp_path / "its")
    return tmp_path / "its"


def found(folder: Path, *words: str, code: int = 0) -> list[dict[str, object]]:
    given = (str(folder / "found.mp3"), "--at", URL, "--to", "host", "--live", "--in", "US")
    return say(folder, "case", "found", *given, *words, code=code)


def by_form(told: Sequence[dict[str, object]]) -> dict[str, str]:
    return {str(one["form"]): str(one["notice"]) for one in told if one["kind"] == "draft"}


def test_one_command_leads_from_a_file_to_a_draft_in_every_form_that_can_say_it(folder: Path) -> None:
    told = found(folder, "--note", NOTE, *signing(folder, "ann"))
    (drafts,) = (one for one in told if one["kind"] == "drafts")
    (case,) = (one for one in told if one["kind"] == "case")
    wanted = {name for name, form in FORMS.items() if Kind.TAKEDOWN in form.kinds}
    assert {*by_form(told)} | {*drafts["refused"]} == wanted  # type: ignore[misc]
    assert {"dmca_text", "dsa16"} <= {*by_form(told)}
    assert all(drafts["refused"].values()), "each says why not"  # type: ignore[attr-defined]
    facts = case["facts"]
    assert isinstance(facts, dict)
    (finding,) = facts["findings"]
    assert (finding["recording"], finding["how"]) == ("r1", "sound")
    assert finding["error"] < 1e-6
    assert {one["check"] for one in facts["checks"]} >= {"licence", "chain_of_title", "public_domain", "open_licence"}
    assert (len(facts["kept"]) >= 1, facts["considered"][0]["by"]) == (True, "ann")
    say(folder, "case", "verify")


def test_a_file_with_nothing_of_ours_opens_no_case(folder: Path) -> None:
    words = ("case", "found", str(folder / "other.mp3"), "--at", URL, "--to", "host")
    assert "nothing of ours" in refused(folder, *words)
    assert say(folder, "case", "list", code=1) == []


def test_another_file_joins_a_case_and_only_what_is_new_is_looked_up_and_drafted(folder: Path) -> None:
    found(folder, code=1)
    (before,) = say(folder, "case", "show", "C1")
    shutil.copy(folder / "found.mp3", folder / "again.mp3")
    words = ("case", "found", str(folder / "again.mp3"), "--to", "host", "--live", "--case", "C1")
    assert "speaks of" in refused(folder, *words, "--at", URL)
    told = say(folder, *words, "--at", f"{URL}?2", "--note", NOTE, *signing(folder, "ann"))
    (after,) = (one for one in told if one["kind"] == "case")
    facts, was = after["facts"], before["facts"]
    assert isinstance(facts, dict)
    assert isinstance(was, dict)
    assert [one["url"] for one in facts["locations"]] == [URL, f"{URL}?2"]
    assert [one["location"] for one in facts["findings"]] == ["L1", "L2"]
    assert (facts["works"], facts["checks"]) == (was["works"], was["checks"])
    assert facts["considered"][0]["locations"] == ["L2"]
    drafts = list(after["notices"].values())  # type: ignore[attr-defined]
    assert drafts
    assert "no case" in refused(folder, *words[:-1], "C9", "--at", f"{URL}?3")


def reviewed(folder: Path) -> str:
    """Open the case, let the rails look at the letter, and give its key."""
    notice = by_form(found(folder, "--note", NOTE, *signing(folder, "ann")))["dmca_text"]
    (review,) = say(folder, "case", "review", "C1", notice)
    assert review["passed"] is True, review
    return notice


def approve(folder: Path, notice: str, name: str) -> dict[str, object]:
    (told,) = say(folder, "case", "approve", "C1", notice, *signing(folder, name), "--read")
    return told


def test_people_approve_and_it_leaves_once_as_a_file(folder: Path) -> None:
    notice = reviewed(folder)
    for name in ("ann", "ben"):
        told = approve(folder, notice, name)
    assert [one["by"] for one in told["approved"]] == ["ann", "ben"]  # type: ignore[attr-defined]
    outbox = folder / "workspace" / "outbox"
    (dry,) = say(folder, "case", "send", "C1", notice)
    assert (dry["dry"], list(outbox.glob("*")) if outbox.exists() else []) == (True, [])
    (left,) = say(folder, "case", "send", "C1", notice, "--really")
    (letter,) = outbox.glob("*")
    text = next(path for path in letter.iterdir() if path.suffix == ".txt").read_text(encoding="utf-8")
    assert (left["dry"], URL in text, "Amber Tide" in text) == (False, True, True)
    assert "`sent`" in refused(folder, "case", "send", "C1", notice, "--really")
    assert len(list(outbox.glob("*"))) == 1
    say(folder, "case", "verify")
    (report,) = say(folder, "case", "report")
    assert (report["sent"], report["recipients"]) == (1, {"host": 1})
    assert [one["notice"] for one in say(folder, "case", "sample", "--share", "1")] == [notice]


def test_what_was_approved_is_approved_no_more_when_it_is_drafted_anew(folder: Path) -> None:
    notice = reviewed(folder)
    approve(folder, notice, "ann")
    say(folder, "case", "draft", "C1", "--to", "host", "--again", notice, "--form", "dmca_text")
    assert refused(folder, "case", "send", "C1", notice, "--really")
    assert not (folder / "workspace" / "outbox").exists() or not list((folder / "workspace" / "outbox").iterdir())


def test_the_same_person_is_not_two(folder: Path) -> None:
    notice = reviewed(folder)
    approve(folder, notice, "ann")
    assert "has approved" in refused(folder, "case", "approve", "C1", notice, *signing(folder, "ann"), "--read")


def test_who_says_no_approves_nothing(folder: Path) -> None:
    notice = reviewed(folder)
    words = ["case", "approve", "C1", notice, *signing(folder, "ann"), "-w", str(folder / "workspace")]
    done = RUN.invoke(app, words, input="n\n")
    assert done.exit_code != 0
    assert URL in done.output, "what would leave is shown first"
    (shown,) = say(folder, "case", "show", "C1")
    assert shown["notices"][notice] == "reviewed"  # type: ignore[index]


def test_without_a_note_nothing_is_drafted_until_a_person_has_written_one(folder: Path) -> None:
    told = found(folder, code=1)
    (drafts,) = (one for one in told if one["kind"] == "drafts")
    assert by_form(told) == {}
    assert "nobody has asked whether the law allows the use" in drafts["refused"]["dmca_text"]  # type: ignore[index]
    say(folder, "case", "consider", "C1", NOTE, *signing(folder, "ann"))
    (draft,) = say(folder, "case", "draft", "C1", "--to", "host")
    (review,) = say(folder, "case", "review", "C1", str(draft["notice"]))
    assert review["passed"] is True
