"""Watching as an operator types it: folders, a site, reports; what is ours is told, and nothing leaves."""

import io
import json
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
import soundfile
from typer.testing import CliRunner

from riparian.cli import app, terminal
from riparian.cli import watch as watch_verb
from riparian.errors import RiparianError
from riparian.feeds.mirrors.polite import AGENT
from tests.cli.test_case_notices import LETTERHEAD
from tests.feeds.mirrors.served import Site, served
from tests.feeds.mirrors.test_syndication import TORRENT
from tests.marks.sounds import chords, drums
from tests.prints.sounds import tune

pytestmark = pytest.mark.slow

RUN = CliRunner()
RATE, SECONDS = 22_050, 16.0
PERMITTED = "Ann Reed, 2026-11-01, contract 7"
ASKED = ("--permitted-by", PERMITTED, "--private", "--pause", "0")


def run(workspace: Path, *words: str | Path, code: int = 0) -> str:
    done = RUN.invoke(app, [*map(str, words), "-w", str(workspace)])
    if done.exception is not None and not isinstance(done.exception, SystemExit):
        raise done.exception
    assert done.exit_code == code, done.output
    return done.stdout


def told(workspace: Path, *words: str | Path, code: int = 0) -> list[dict[str, Any]]:
    return [json.loads(line) for line in run(workspace, *words, "--json", code=code).splitlines()]


def of(kind: str, lines: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [line for line in lines if line["kind"] == kind]


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Make a workspace that holds two recordings, one of which was issued to somebody, marked."""
    folder = tmp_path_factory.mktemp("made")
    (folder / "ours").mkdir()
    song = (chords(SECONDS, RATE) + 0.5 * drums(SECONDS, RATE)) / 2
    soundfile.write(folder / "ours" / "Low Water.flac", song, RATE)
    soundfile.write(folder / "ours" / "High Water.flac", tune(1, 30.0, RATE), RATE)
    issued = ("mark", folder / "ours" / "Low Water.flac", "--to", "ann@example.org", "-o", folder / "ann")
    run(folder / "w", *issued)
    run(folder / "w", "prints", "add", folder / "ours")
    (folder / "w" / "letterhead.toml").write_text(LETTERHEAD, encoding="utf-8")
    return folder


@pytest.fixture
def house(made: Path, tmp_path: Path) -> Path:
    """Give every test a workspace of its own, and an inbox in which something of ours lies."""
    shutil.copytree(made / "w", tmp_path / "w")
    inbox = tmp_path / "inbox"
    inbox.mkdir()
    shutil.copy(made / "ann" / "Low Water.flac", inbox / "found.flac")
    soundfile.write(inbox / "stranger.flac", tune(77, 20.0, RATE), RATE)
    (inbox / "damaged.mp3").write_bytes(b"no sound at all" * 50)
    (inbox / "t.torrent").write_bytes(TORRENT)
    return tmp_path


@pytest.fixture
def site() -> Iterator[Site]:
    with served() as one:
        yield one


@pytest.mark.parametrize("said", ["", "  ", "Ann Reed", "Ann Reed, 2026-11-01", "a,,b"])
def test_no_site_is_asked_without_permission_that_says_who_when_and_where(
    site: Site, tmp_path: Path, said: str
) -> None:
    with pytest.raises(RiparianError, match="who, when, and where that is written"):
        run(tmp_path, "watch", f"{site.address}/", "--permitted-by", said, "--private")
    assert site.asked == []


@pytest.mark.parametrize(
    ("words", "why"),
    [
        pytest.param((), "nothing is listed", id="nothing"),
        pytest.param(("nowhere",), "there is nothing at", id="no such folder"),
        pytest.param(("ftp://a.example/", "--permitted-by", PERMITTED), "is no source", id="another protocol"),
        pytest.param((".", "--every", "often"), "wanted a time as in", id="often"),
        pytest.param((".", "--pause", "0"), "wanted at least", id="no pause, in public"),
        pytest.param((".", "--open-cases"), "wanted whom cases are about", id="cases about nobody"),
        pytest.param(("--import", "none.csv"), "there is no file", id="no such report"),
        pytest.param(("--import", "none.csv", "--map", "url"), "wanted FIELD=COLUMN", id="half a column"),
    ],
)
def test_what_cannot_be_done_is_one_clear_error(tmp_path: Path, words: tuple[str, ...], why: str) -> None:
    with pytest.raises(RiparianError, match=why):
        run(tmp_path, "watch", *words)


def test_what_lies_in_a_folder_is_matched_traced_and_told_once(house: Path) -> None:
    lines = told(house / "w", "watch", house / "inbox")
    seen = {Path(line["url"]).name: line for line in of("sighting", lines)}
    assert set(seen) == {"found.flac", "stranger.flac", "damaged.mp3", "t.torrent", "a.mp3"}
    found = seen["found.flac"]
    assert [one["recording"] for one in found["ours"]] == ["Low Water"]
    assert [one["account"] for one in found["issued"]] == ["ann@example.org"]
    assert found["digest"].startswith("sha256:")
    assert (found["permitted_by"], found["case"], found["new"]) == (None, None, True)
    assert (seen["stranger.flac"]["heard"], seen["stranger.flac"]["ours"]) == (True, [])
    assert "damaged.mp3" in seen["damaged.mp3"]["why_not"]
    assert not seen["damaged.mp3"]["heard"]
    (summary,) = of("summary", lines)
    assert (summary["new"], summary["heard"], summary["ours"]) == (5, 3, 1)
    assert told(house / "w", "watch", house / "inbox", code=1)[0]["kind"] == "summary"
    shutil.copy(house / "inbox" / "found.flac", house / "inbox" / "again.flac")
    (again,) = of("sighting", told(house / "w", "watch", house / "inbox"))
    assert (Path(again["url"]).name, len(again["ours"])) == ("again.flac", 1)


def test_people_are_shown_what_is_ours_first_and_how_to_follow_it(house: Path) -> None:
    said = run(house / "w", "watch", house / "inbox")
    rows = [line for line in said.splitlines() if line.startswith(("sound", "torrent"))]
    assert len(rows) == 5
    assert "Low Water" in said.partition("torrent")[0]
    assert "ann@example.org" in said
    offered = next(line for line in said.splitlines() if line.startswith("To follow it: "))
    assert offered.startswith(f"To follow it: riparian case found {house}/inbox/found.flac --at URL --to KEY")
    assert "5 new of 5 named in 1 document" in said


def flac(folder: Path, name: str) -> bytes:
    return (folder / name).read_bytes()


def show(site: Site, made: Path) -> None:
    other = io.BytesIO()
    soundfile.write(other, tune(78, 12.0, RATE), RATE, format="FLAC")
    site.show("/robots.txt", b"User-agent: *\nDisallow: /files/closed/\n")
    page = b'<a href="found.flac">f</a> <a href="other.flac">o</a> <a href="closed/">c</a> <a href="gone.mp3">g</a>'
    site.show("/files/", page, ETag='"1"')
    site.show("/files/found.flac", flac(made / "ann", "Low Water.flac"))
    site.show("/files/other.flac", other.getvalue())
    site.show("/files/closed/", b'<a href="b.mp3">b</a>')


def test_a_site_is_asked_politely_its_sound_heard_and_cases_opened_once(site: Site, house: Path, made: Path) -> None:
    show(site, made)
    words = ("watch", f"{site.address}/files/", *ASKED, "--fetch", "--open-cases", "--to", "host")
    lines = told(house / "w", *words)
    seen = {line["url"].rpartition("/")[2]: line for line in of("sighting", lines)}
    assert [one["recording"] for one in seen["found.flac"]["ours"]] == ["Low Water"]
    assert seen["found.flac"]["case"] == "C1"
    assert seen["found.flac"]["permitted_by"] == PERMITTED
    assert (seen["other.flac"]["heard"], seen["other.flac"]["case"]) == (True, None)
    assert seen["gone.mp3"]["why_not"] == "it is answered with 404"
    (failed,) = of("failed", lines)
    assert (failed["url"], failed["why"]) == (f"{site.address}/files/closed/", "robots.txt does not permit it")
    assert "/files/closed/" not in site.paths
    assert all(headers["User-Agent"].startswith(AGENT) for _, headers, _ in site.asked)
    (case,) = told(house / "w", "case", "list")
    assert (case["case"], case["locations"], case["notices"]) == ("C1", 1, {})  # nothing is drafted, nothing sent
    assert not list((house / "w").glob("outbox/*"))
    site.asked.clear()
    assert of("sighting", told(house / "w", *words, code=1)) == []
    assert site.paths == ["/robots.txt", "/files/"]
    (case,) = told(house / "w", "case", "list")
    site.show("/files/", b'<a href="found.flac">f</a> <a href="again.flac">again</a>')
    site.show("/files/again.flac", flac(made / "ann", "Low Water.flac"))
    (again,) = of("sighting", told(house / "w", *words))
    assert again["case"] == "C1", "what is found at one site is one case, as long as that is open"
    (after,) = told(house / "w", "case", "list")
    assert (case["locations"], after["locations"]) == (1, 2)
    (shown,) = told(house / "w", "case", "show", "C1")
    assert [one["live"] for one in shown["facts"]["locations"]] == [True, True], "it was brought from there just now"
    log = told(house / "w", "watch", "--log")
    assert [(one["source"], one["permitted_by"]) for one in log] == [(f"{site.address}/files/", PERMITTED)] * 3


def test_what_is_listed_twice_is_looked_at_once_and_awkward_names_harm_nobody(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    inbox = tmp_path / "inbox"
    inbox.mkdir()
    names = ("a\x1b[31m\n.mp3", "$(reboot) '`.flac", "[bold]x.mp3")
    for name in names:
        (inbox / name).write_bytes(b"x")
    lines = told(tmp_path / "w", "watch", inbox, f"{inbox}/")
    assert {Path(line["url"]).name for line in of("sighting", lines)} == set(names)
    assert len(of("summary", lines)) == 1
    monkeypatch.setattr(terminal.page, "width", 500)
    said = run(tmp_path / "v", "watch", inbox)
    assert "\x1b" not in said
    assert "[bold]" in said


def test_without_fetch_no_sound_is_asked_for(site: Site, house: Path, made: Path) -> None:
    show(site, made)
    lines = of("sighting", told(house / "w", "watch", f"{site.address}/files/", *ASKED))
    assert len(lines) == 3
    assert not any(line["heard"] for line in lines)
    assert site.paths == ["/robots.txt", "/files/"]


def test_there_is_a_pause_between_two_questions(site: Site, tmp_path: Path) -> None:
    site.show("/", b'<a href="a/">a</a><a href="b/">b</a>')
    site.show("/a/", b'<a href="1.mp3">1</a>')
    site.show("/b/", b'<a href="2.mp3">2</a>')
    run(tmp_path, "watch", f"{site.address}/", "--permitted-by", PERMITTED, "--private", "--pause", "0.2")
    times = [at for _, _, at in site.asked]
    assert len(times) == 4
    assert min(after - before for before, after in pairwise(times)) >= 0.2


def test_a_report_is_imported_and_what_it_says_twice_is_new_once(tmp_path: Path) -> None:
    report = tmp_path / "week 47.csv"
    report.write_text("Infringing URL,Asset\nhxxps://mirror[.]example/a.mp3,Low Water\nnone,High Water\n")
    words = ("watch", "--import", report, "--vendor", "Lookout")
    lines = told(tmp_path / "w", *words)
    (sighting,) = of("sighting", lines)
    assert (sighting["source"], sighting["source_kind"], sighting["url"], sighting["title"]) == (
        "report of Lookout",
        "report",
        "https://mirror.example/a.mp3",
        "Low Water",
    )
    assert [one["why"] for one in of("failed", lines)] == ["1 row names no address: 2"]
    assert of("sighting", told(tmp_path / "w", *words, code=1)) == []
    with pytest.raises(RiparianError, match="names no column"):
        run(tmp_path / "w", *words, "--map", "url=Nothing")


def test_what_a_vendor_calls_by_a_code_of_ours_is_told_as_said_and_not_as_found(tmp_path: Path) -> None:
    (tmp_path / "c.csv").write_text("recording,title,isrc\nr17,Low Water,GBAYE0000351\nr18,High Water,GBAYE0000352\n")
    run(tmp_path / "w", "catalogue", "add", tmp_path / "c.csv")
    at = "https://mirror.example/"
    report = f"url,isrc\n{at}1,GB-AYE-00-00351\n{at}2,USUM71804534\n{at}3,\n"
    (tmp_path / "r.csv").write_text(report)
    lines = of("sighting", told(tmp_path / "w", "watch", "--import", tmp_path / "r.csv"))
    assert [(one["said_to_be"], one["ours"]) for one in lines] == [("r17", []), (None, []), (None, [])]
    (tmp_path / "s.csv").write_text(report)
    said = run(tmp_path / "w", "watch", "--import", tmp_path / "s.csv")
    assert "said to be r17" in said.splitlines()[2]


def test_it_looks_again_and_again_until_somebody_ends_it(house: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    waited: list[float] = []

    def wait(seconds: float) -> None:
        waited.append(seconds)
        (house / "inbox" / f"{len(waited)}.mp3").write_bytes(b"x")
        if len(waited) > 2:
            raise KeyboardInterrupt

    monkeypatch.setattr(watch_verb, "wait", wait)
    lines = told(house / "w", "watch", house / "inbox", "--every", "30m")
    assert waited == [1800] * 3
    assert [line["new"] for line in of("summary", lines)] == [5, 1, 1]


def test_whoever_is_killed_with_no_warning_goes_on(site: Site, tmp_path: Path) -> None:
    """A folder a page, a pause after each: it is killed after some, and the second call asks for the others only."""
    n = 40
    site.show("/", b"".join(b'<a href="%d/">x</a>' % k for k in range(n)))
    for k in range(n):
        site.show(f"/{k}/", b'<a href="a.mp3">a</a>')
    words = ["watch", f"{site.address}/", "--permitted-by", PERMITTED, "--private", "-w", str(tmp_path / "w"), "--json"]
    process = subprocess.Popen([sys.executable, "-m", "riparian.cli", *words, "--pause", "0.05"], stdout=-3, stderr=-3)
    until = time.monotonic() + 60
    while len(site.asked) < 12 and time.monotonic() < until:
        time.sleep(0.005)
    process.send_signal(signal.SIGKILL)
    process.wait()
    before = set(site.paths)
    assert 5 < len(before) < n
    site.asked.clear()
    lines = told(tmp_path / "w", "watch", words[1], *ASKED)
    (summary,) = of("summary", lines)
    assert summary["went_on"]
    assert summary["new"] == len(of("sighting", lines)) == n  # what was seen before it was killed, too
    # The one that was under way when it was killed is asked for again, and no other.
    assert len(before & set(site.paths) - {"/robots.txt"}) <= 1
    whole = told(tmp_path / "w", "watch", words[1], *ASKED, code=1)
    assert (of("summary", whole)[0]["named"], of("sighting", whole)) == (n, [])
