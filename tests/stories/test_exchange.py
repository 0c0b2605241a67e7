"""Two platforms: one finds a copy and says so, the other acts on it, and all of it is lifted when it was wrong."""

import json
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest
from typer.testing import CliRunner

from riparian import assembly
from riparian.cases.events import Proposed
from riparian.cases.facts import Addressee, Layer, Location
from riparian.cases.notice import Kind, Notice
from riparian.cases.plain import plain
from riparian.cases.steps import Step
from riparian.cli import app
from riparian.errors import RiparianError
from riparian.exchange.profile import Signal, indicator
from riparian.flows import casework, sharing
from riparian.ports.exchange import Peer
from tests.cases.making import ANN
from tests.cases.workplace import Person
from tests.ports import free_port

RUN = CliRunner()
URL = "https://mirror-example.to/a.flac"
DIGEST = "ab" * 32


def say(folder: Path, *words: str, code: int = 0) -> list[dict[str, object]]:
    done = RUN.invoke(app, [*words, "-w", str(folder), "--json"])
    assert done.exit_code == code, done.output
    return [json.loads(line) for line in done.output.splitlines() if line.startswith("{")]


@pytest.fixture
def reed(tmp_path: Path) -> Path:
    """Make the platform that finds a copy."""
    folder = tmp_path / "reed"
    say(folder, "case", "open", "A mirror", "--by", "ann")
    say(folder, "case", "add", "C1", "work", "recording=r1", "isrc=GBAYE0000351")
    say(folder, "case", "add", "C1", "location", f"url={URL}", "addressee=host")
    found = ("location=L1", "recording=r1", "how=sound", "error=1e-9", f"digest={DIGEST}")
    say(folder, "case", "add", "C1", "finding", *found)
    say(folder, "exchange", "begin", "Reed Records")
    return folder


@pytest.fixture
def quay(tmp_path: Path) -> Path:
    """Make the platform that hears of it."""
    folder = tmp_path / "quay"
    folder.mkdir()
    say(folder, "exchange", "begin", "Quay Music")
    return folder


@contextmanager
def serving(folder: Path) -> Iterator[str]:
    port = free_port()
    words = ("exchange", "serve", "--listen", f"127.0.0.1:{port}", "-w", str(folder))
    server = subprocess.Popen(
        [sys.executable, "-m", "riparian.cli", *words], stdout=subprocess.DEVNULL, stderr=subprocess.PIPE
    )
    try:
        until = time.monotonic() + 60
        while time.monotonic() < until:
            try:
                httpx.get(f"http://127.0.0.1:{port}/taxii2/", timeout=5)
                break
            except httpx.TransportError:
                assert server.poll() is None, server.stderr.read() if server.stderr else ""
                time.sleep(0.1)
        yield f"http://127.0.0.1:{port}"
    finally:
        server.terminate()
        server.communicate(timeout=30)


def known_to(reed: Path, quay: Path, at: str) -> None:
    """Give Quay a token of Reed's, and the address of its collection."""
    (said,) = say(reed, "exchange", "allow", "quay")
    (quay / "reed.token").write_text(f"{said['token']}\n", encoding="ascii")
    url = f"{at}/api/collections/{said['reads']}/"
    say(quay, "exchange", "peer", "reed", "--url", url, "--token-file", str(quay / "reed.token"))


def letter(folder: Path, case: str, *steps: Step) -> str:
    """Write down a notice about what is at L1, as far as its steps lead; gives its key."""
    ann = Person("ann", ANN)
    with assembly.docket(assembly.Given(folder)) as docket:
        if not docket.cases.people():
            casework.add_person(docket.cases, docket.clock, ann, "ann", ANN.key)
        at, key = casework.now(docket.clock), casework.read(docket, case).next_notice()
        to, where = Addressee("host", "A Host", Layer.HOST), (Location("L1", URL),)
        what = plain(Notice(Kind.TAKEDOWN, case, key, addressee=to, locations=where))
        casework.record(docket, case, Proposed("drafted", {"notice": what, "digest": DIGEST}, at, "ann"))
        for step in steps:
            said = {"notice": key, "digest": DIGEST}
            casework.record(docket, case, casework.act(docket, case, step, said, ann))
    return key


def shared(reed: Path, *words: str) -> dict[str, str]:
    """Let Reed say what its case found; gives the identifiers of its signals, by what they are about."""
    said = say(reed, "exchange", "push", "C1", *words)
    return {
        "url" if URL in str(one["pattern"]) else "file": str(one["id"]) for one in said if one["type"] == "indicator"
    }


def state(folder: Path, case: str, notice: str) -> str:
    (shown,) = say(folder, "case", "show", case)
    return str(shown["notices"][notice])  # type: ignore[index]


def worths(folder: Path) -> set[str]:
    return {str(one["worth"]) for one in say(folder, "exchange", "signals")}


SENT = (Step.LOCK, Step.REVIEW, Step.APPROVE, Step.SEND)


@pytest.mark.parametrize(
    "ends",
    [
        pytest.param((Step.RETRACT,), id="retracted"),
        pytest.param((Step.REMOVE, Step.COUNTER, Step.FORWARD, Step.RESTORE), id="a counter-notice that holds"),
    ],
)
def test_what_was_wrong_is_lifted_at_the_other_platform(reed: Path, quay: Path, ends: tuple[Step, ...]) -> None:
    sent = letter(reed, "C1", *SENT)
    with serving(reed) as at:
        known_to(reed, quay, at)
        signals = shared(reed, "--with-codes")
        (heard,) = say(quay, "exchange", "pull")
        assert set(heard["heard"]) == set(signals.values())  # type: ignore[call-overload]
        (case,) = say(quay, "exchange", "take", "reed", signals["url"])
        assert case["findings"] == 1
        drafted, reviewed = letter(quay, "C1"), letter(quay, "C1", Step.LOCK, Step.REVIEW)
        for step in ends:
            say(reed, "case", "event", "C1", sent, step)
        (told,) = say(quay, "exchange", "pull")
    assert (set(told["revoked"]), set(told["lifted"][0])) == (set(signals.values()), {"C1", drafted})  # type: ignore[call-overload, index]
    assert {state(quay, "C1", one) for one in (drafted, reviewed)} == {"withdrawn"}
    (after,) = say(quay, "case", "show", "C1")
    assert "findings" not in after["facts"]  # type: ignore[operator]
    assert worths(quay) == {"revoked"}
    say(quay, "case", "verify")


def test_a_counter_notice_alone_makes_a_signal_contested(reed: Path, quay: Path) -> None:
    sent = letter(reed, "C1", *SENT, Step.REMOVE)
    with serving(reed) as at:
        known_to(reed, quay, at)
        signals = shared(reed)
        say(quay, "exchange", "pull")
        say(quay, "exchange", "take", "reed", signals["url"])
        drafted = letter(quay, "C1")
        say(reed, "case", "event", "C1", sent, Step.COUNTER)
        (told,) = say(quay, "exchange", "pull")
    assert (set(told["contested"]), told["revoked"]) == (set(signals.values()), [])  # type: ignore[call-overload]
    assert (state(quay, "C1", drafted), worths(quay)) == ("withdrawn", {"disputed"})


def test_what_left_already_waits_for_a_person(reed: Path, quay: Path) -> None:
    sent = letter(reed, "C1", *SENT)
    with serving(reed) as at:
        known_to(reed, quay, at)
        signals = shared(reed)
        say(quay, "exchange", "pull")
        say(quay, "exchange", "take", "reed", signals["url"])
        left = letter(quay, "C1", *SENT)
        say(reed, "case", "event", "C1", sent, Step.RETRACT)
        (told,) = say(quay, "exchange", "pull", code=3)
    assert (told["to_look_at"], told["lifted"]) == ([["C1", left]], [])
    assert state(quay, "C1", left) == "sent"
    (after,) = say(quay, "case", "show", "C1")
    assert "look whether it is to be taken back" in str(after["notes"])


def test_what_was_compared_here_bears_a_signal_out(reed: Path, quay: Path) -> None:
    say(quay, "case", "open", "Ours too", "--by", "bo")
    say(quay, "case", "add", "C1", "work", "recording=q7")
    say(quay, "case", "add", "C1", "location", "url=https://else.example/b.flac")
    found = ("location=L1", "recording=q7", "how=sound", "error=1e-9", f"digest={DIGEST}")
    say(quay, "case", "add", "C1", "finding", *found)
    with serving(reed) as at:
        known_to(reed, quay, at)
        signals = shared(reed)
        (told,) = say(quay, "exchange", "pull")
    assert told["confirmed"] == [signals["file"]]
    said = say(quay, "exchange", "push", "C1")
    assert [one["sighting_of_ref"] for one in said if one["type"] == "sighting"] == [signals["file"]]


def test_a_peer_who_takes_what_is_sent_and_disputes_it_is_heard(reed: Path, quay: Path) -> None:
    """Reed sends, Quay takes it on a shelf of Reed's own, holds it wrong, and Reed hears of that when it asks."""
    with serving(quay) as at:
        (said,) = say(quay, "exchange", "allow", "reed")
        (reed / "quay.token").write_text(str(said["token"]), encoding="ascii")
        ours, theirs = (f"{at}/api/collections/{said[name]}/" for name in ("reads", "writes"))
        words = ("--url", ours, "--post-url", theirs, "--token-file", str(reed / "quay.token"))
        say(reed, "exchange", "peer", "quay", *words)
        signals = shared(reed)
        (heard,) = say(quay, "exchange", "pull")
        assert set(heard["heard"]) == set(signals.values())  # type: ignore[call-overload]
        say(quay, "exchange", "dispute", "reed", signals["url"], "--because", "It is licensed.")
        (back,) = say(reed, "exchange", "pull")
        assert back["contested"] == [signals["url"]]
        say(reed, "exchange", "revoke", "C1", signals["url"], "--because", "Quay is right.")
        (told,) = say(quay, "exchange", "pull")
    assert told["revoked"] == [signals["url"]]
    (shown,) = say(reed, "case", "show", "C1")
    assert [(one["signal"], one["action"]) for one in shown["signals"]][2:] == [  # type: ignore[attr-defined]
        (signals["url"], "disputed"),
        (signals["url"], "revoked"),
    ]
    (peer,) = say(quay, "exchange", "peers")
    assert (peer["mistakes"], peer["standing"]) == (1, "called")


def test_from_who_was_wrong_three_times_nothing_more_is_taken_until_a_person_says_so(quay: Path) -> None:
    with assembly.exchange(assembly.Given(quay)) as exchange:
        sharing.inbox(exchange, "reed")
        exchange.signals.keep_peer(Peer("reed", mistakes=3))
    assert say(quay, "exchange", "pull", code=3) == []
    say(quay, "exchange", "peer", "reed", "--forgive")
    assert say(quay, "exchange", "pull") != []


def test_nothing_is_shared_of_a_case_under_seal_nor_of_titles_alone(reed: Path) -> None:
    say(reed, "case", "open", "Secret", "--sealed", "--by", "ann")
    say(reed, "case", "open", "A title", "--by", "ann")
    say(reed, "case", "add", "C3", "work", "recording=r1")
    say(reed, "case", "add", "C3", "location", f"url={URL}")
    say(reed, "case", "add", "C3", "finding", "location=L1", "recording=r1", "how=title")
    for case in ("C2", "C3"):
        assert refused(reed, "exchange", "push", case)


def test_nothing_is_shared_that_may_name_somebody(reed: Path) -> None:
    say(reed, "case", "add", "C1", "location", "url=https://mirror-example.to/?user=ann.reed")
    say(reed, "case", "add", "C1", "finding", "location=L2", "recording=r1", "how=sound", "error=1e-9")
    assert "an account" in refused(reed, "exchange", "push", "C1")
    (shown,) = say(reed, "case", "show", "C1")
    assert shown["signals"] == []


def test_far_more_than_usual_waits_for_a_person_or_an_incident(quay: Path) -> None:
    with assembly.exchange(assembly.Given(quay)) as exchange:
        shelf = sharing.inbox(exchange, "reed")
        exchange.signals.keep_peer(Peer("reed"))
        at = exchange.now
        many = [indicator(Signal(sha256=f"{n:064x}", seen=at), "identity--" + "0" * 36, at) for n in range(100)]
        exchange.signals.add(shelf.ident, many, exchange.docket.clock.now_us())
    (told,) = say(quay, "exchange", "pull", code=3)
    assert (told["aside"], told["heard"]) == (100, [])
    say(quay, "exchange", "incident", "Tide", "--because", "An album is out early.")
    (told,) = say(quay, "exchange", "pull", code=3)
    assert told["aside"] == 100, "nobody knows yet what is usual for a new peer"
    (told,) = say(quay, "exchange", "pull", "--expected")
    assert (told["aside"], len(told["heard"])) == (0, 100)  # type: ignore[arg-type]


def refused(folder: Path, *words: str) -> str:
    done = RUN.invoke(app, [*words, "-w", str(folder)])
    assert isinstance(done.exception, RiparianError)
    return done.exception.message
