"""Files that people bring: what is taken and what is not, what is found in them, and what stays of it."""

import io
import json
import os
import re
import tarfile
import time
from pathlib import Path
from typing import Any, Final
from urllib.parse import unquote

import numpy as np
import pytest
import soundfile
from scipy.signal import correlate

from riparian import assembly
from riparian.assembly import Given
from riparian.console import finds, looking, working
from riparian.console.forms import Brought
from riparian.console.parts import Parts, boundary_of
from riparian.console.site import console_app
from riparian.errors import InputError
from riparian.schema import DAY_US
from tests.console.asking import Browser
from tests.console.hostile import HARM, harm_in, run
from tests.console.known import FORM, Known
from tests.prints.sounds import tune

RATE: Final = 22_050
PATIENCE_S: Final = 300.0
HELD: Final = 200
FOUND: Final = "title,artist\n" + "".join(f"Song of {n} harbours {n * 7919},Singer {n % 20}\n" for n in range(120, 220))


def wav(samples: Any) -> bytes:
    out = io.BytesIO()
    soundfile.write(out, samples, RATE, format="WAV")
    return out.getvalue()


@pytest.fixture(scope="module")
def workspace(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Hand out prints of three songs, a catalogue, and a copy of one song that was issued to somebody."""
    folder = tmp_path_factory.mktemp("found")
    masters = folder / "masters"
    masters.mkdir()
    for seed in range(3):
        (masters / f"song {seed}.wav").write_bytes(wav(tune(seed, 24.0, RATE)))
    made = folder / "workspace"
    rows = [f"r-{n},Song of {n} harbours {n * 7919},Singer {n % 20},{1000 - n}\n" for n in range(HELD)]
    (folder / "ours.csv").write_text("recording,title,artist,plays\n" + "".join(rows), encoding="utf-8")
    run("catalogue", "add", folder / "ours.csv", "-w", made)
    run("prints", "add", masters, "-w", made, "--workers", "1")
    (folder / "to.csv").write_text("recipient\nann@example.org\nbo@example.org\n", encoding="utf-8")
    marked = ("--to", folder / "to.csv", "-o", folder / "out", "-w", made, "--workers", "1")
    run("mark", masters / "song 1.wav", *marked)
    return made


@pytest.fixture(scope="module")
def client(workspace: Path) -> Browser:
    return Browser(console_app(Given(workspace), Known()))


@pytest.fixture
def empty(tmp_path: Path) -> Browser:
    return Browser(console_app(Given(tmp_path / "empty"), Known()))


def bring(client: Browser, octets: bytes, name: str = "found.wav", **said: str) -> Any:
    # Fields first, as a browser sends them.
    files = {"file": (name, octets)}
    return client.post("/found/bring", data={"token": FORM, "kind": "guess", **said}, files=files)


def looked_at(client: Browser, answer: Any) -> dict[str, Any]:
    assert answer.status_code == 303, answer.text
    until = time.monotonic() + PATIENCE_S
    while True:
        facts: dict[str, Any] = client.get(f"{answer.headers['location']}&json").json()
        if not facts["waits"]:
            return facts
        assert time.monotonic() < until, facts
        time.sleep(0.2)


def looked_here(workspace: Path, octets: bytes, name: str, kind: str = "guess") -> tuple[Browser, dict[str, Any]]:
    """Let a file be looked at without a process of its own."""
    given = Given(workspace)
    folder = finds.room(given).folder
    folder.mkdir(exist_ok=True, parents=True)
    (folder / "coming-here").write_bytes(octets)
    brought = Brought(folder / "coming-here", name, len(octets), "")
    find = finds.keep(given, brought, kind=kind, traces=False, by="Ada")
    there = finds.folder_of(given, find.key)
    finds.write(there / "result.json", looking.looked(given, find, there))
    client = Browser(console_app(given, Known()))
    facts: dict[str, Any] = client.get("/finding", params={"id": find.key, "json": ""}).json()
    return client, facts


# --- what is found ---------------------------------------------------------------------------------------------------


def test_a_sound_is_told_as_the_commands_tell_it(client: Browser, workspace: Path) -> None:
    copy = tune(1, 24.0, RATE)[4 * RATE :]
    facts = looked_at(client, bring(client, wav(copy * 0.8), "copy of <b>.wav"))
    (line,) = facts["lines"]
    assert (facts["state"], facts["what"], line["kind"], line["path"]) == ("done", "sound", "copy", "copy of <b>.wav")
    path = finds.file_of(Given(workspace), finds.read(Given(workspace), facts["find"]))
    (again,) = [json.loads(text) for text in run("match", path, "-w", workspace, "--json").splitlines()]
    assert {**line, "path": ""} == {**again, "path": ""}
    (answer,) = facts["matched"]["answers"]
    assert answer["is_sure"]
    assert round(sum(step["shown"] for step in answer["steps"][:-1]), 3) == round(answer["bits"], 3)
    assert facts["pairs"][0]["sound"].keys() == {"found", "ours", "both"}


def test_found_and_ours_are_cut_where_they_are_the_same(client: Browser) -> None:
    facts = looked_at(client, bring(client, wav(tune(2, 24.0, RATE)[4 * RATE :])))
    (pair,) = facts["pairs"]
    assert pair["cut"]["ours_s"] - pair["cut"]["found_s"] == pytest.approx(4, abs=0.1)
    heard = {side: client.get(at) for side, at in pair["sound"].items()}
    assert {answer.headers["content-type"] for answer in heard.values()} == {"audio/wav"}
    found, ours = (soundfile.read(io.BytesIO(heard[side].content))[0] for side in ("found", "ours"))
    n = min(found.size, ours.size)
    near = correlate(found[:n], ours[2000 : n - 2000], "valid")
    assert abs(int(near.argmax()) - 2000) < 0.01 * RATE
    assert near.max() > 0.9 * np.sqrt(np.square(found[:n]).sum() * np.square(ours[:n]).sum())
    both, rate = soundfile.read(io.BytesIO(heard["both"].content))
    assert (both.shape[1], rate) == (2, RATE)
    part = client.get(pair["sound"]["found"], headers={"range": "bytes=44-143"})
    assert (part.status_code, part.content) == (206, heard["found"].content[44:144])
    assert part.headers["content-disposition"].startswith("inline; filename=")
    text = client.get(f"/finding?id={facts['find']}").text
    pictures = re.findall(r'<image [^>]*href="([^"]+)"', text)
    assert len(pictures) == 4
    assert {client.get(at.replace("&amp;", "&")).headers["content-type"] for at in pictures} == {"image/png"}
    assert "data:" not in text


@pytest.fixture(scope="module")
def traced(client: Browser, workspace: Path) -> dict[str, Any]:
    (path,) = (workspace.parent / "out" / "ann@example.org").rglob("*.*")
    return looked_at(client, bring(client, path.read_bytes(), "leak.wav", traces="1"))


def test_whom_it_was_issued_to_is_named_and_whoever_looks_is_written_down(
    workspace: Path, traced: dict[str, Any]
) -> None:
    (batch,) = traced["traced"]["batches"]
    (issued,) = batch["issued"]
    assert (issued["account"], traced["traced"]["recording"]) == ("ann@example.org", "song 1")
    assert issued["bits"] > batch["needed_bits"]
    doors = Known()
    client = Browser(console_app(Given(workspace), doors))
    text = client.get(f"/finding?id={traced['find']}").text
    assert "ann@example.org" in text
    assert "Issued is not accused" in text
    assert doors.seen == [("Ada", "/finding", [issued["pseudonym"]])]
    assert "ann@example.org" not in client.get("/found").text


def test_what_is_kept_names_nobody_and_who_was_erased_stays_so(workspace: Path, traced: dict[str, Any]) -> None:
    folder = finds.folder_of(Given(workspace), traced["find"])
    kept = "".join(path.read_text(errors="replace") for path in folder.glob("*.json"))
    assert "ann@" not in kept
    assert traced["traced"]["batches"][0]["issued"][0]["pseudonym"] in kept


def test_a_list_is_told_as_the_command_tells_it(client: Browser) -> None:
    facts = looked_at(client, bring(client, FOUND.encode(), "dump.csv"))
    assert (facts["state"], facts["what"]) == ("done", "list")
    summary = facts["list"]["summary"]
    assert (summary["rows"], summary["held"]) == (100, HELD)
    assert 70 <= summary["rows_ours"]["estimate"] <= 90
    assert facts["list"]["sheets"][0]["source"] == "dump.csv"
    assert "riparian dump match" in facts["recompute"][0]
    text = client.get(f"/finding?id={facts['find']}").text
    assert "A list of our recordings is not yet a wrong" in text
    # What is only of the same artist is never shown as if it were the recording.
    assert {row["level"] for row in facts["list"]["rows"]} == {"recording", "artist"}
    assert "of the same artist" in text.partition("Rows for a person")[2]
    assert harm_in(text) == []


def test_a_data_set_is_audited(workspace: Path) -> None:
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w") as tar:
        for n in range(8):
            said = json.dumps({"title": f"Song of {n} harbours {n * 7919}", "artist": f"Singer {n % 20}"}).encode()
            told = tarfile.TarInfo(f"{n:05}.json")
            told.size = len(said)
            tar.addfile(told, io.BytesIO(said))
    client, facts = looked_here(workspace, out.getvalue(), "set.tar")
    assert (facts["state"], facts["what"]) == ("done", "dataset")
    assert (facts["dataset"]["summary"]["items"], facts["dataset"]["summary"]["ours"]["estimate"]) == (8, 8)
    assert client.get(f"/finding?id={facts['find']}").status_code == 200


@pytest.mark.parametrize(
    ("octets", "kind", "found"),
    [
        pytest.param(b"title,artist\nA,B\n", "sound", "is no sound file that is known", id="a list as sound"),
        pytest.param(wav(np.zeros(RATE * 9, np.float32)), "sound", "silence", id="silence"),
        pytest.param(b"RIFF\x00\x00\x00\x00WAVEfmt broken", "sound", "cannot be decoded", id="a broken sound"),
        pytest.param(b"\x00" * 3000, "list", "", id="a list that is none"),
        pytest.param(b"\x00" * 3000, "dataset", "", id="a data set that is none"),
    ],
)
def test_what_is_of_another_kind_is_told(workspace: Path, octets: bytes, kind: str, found: str) -> None:
    client, facts = looked_here(workspace, octets, "x.bin", kind)
    text = client.get(f"/finding?id={facts['find']}").text
    said = (facts["failed"] or {}).get("found", "") + str(facts["matched"])
    assert found in said
    assert facts["state"] == ("done" if facts["matched"] else "failed")
    assert str(Given().workspace) not in text
    assert client.get("/found").status_code == 200


def test_it_is_looked_at_again_as_something_else(workspace: Path) -> None:
    client, facts = looked_here(workspace, FOUND.encode(), "dump.csv", "sound")
    assert facts["matched"]["failed"]
    again = client.post("/finding/again", data={"token": FORM, "id": facts["find"], "kind": "list"})
    assert looked_at(client, again)["list"]["summary"]["rows"] == 100


# --- an empty workspace ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("octets", "to_do"),
    [
        pytest.param(wav(np.zeros(RATE, np.float32)), "riparian prints add", id="sound"),
        pytest.param(FOUND.encode(), "riparian catalogue add", id="a list"),
    ],
)
def test_an_empty_workspace_says_which_command_fills_it(
    empty: Browser, tmp_path: Path, octets: bytes, to_do: str
) -> None:
    assert "riparian prints add FOLDER" in empty.get("/found").text
    assert "Nothing was brought yet" in empty.get("/found").text
    _, facts = looked_here(tmp_path / "empty", octets, "x")
    assert facts["state"] == "failed"
    assert to_do in facts["failed"]["to_do"]


# --- cancelled, interrupted, deleted ---------------------------------------------------------------------------------


@pytest.fixture
def idle(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let nobody look at anything."""
    monkeypatch.setattr(working, "COMMAND", ("/bin/true",))


@pytest.fixture
def endless(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """Let whoever looks at something say how far it is, and never end."""
    program = tmp_path / "endless"
    program.write_text(
        "#!/bin/sh\nread task\n"
        'folder=$(printf %s "$task" | sed \'s/.*"folder": "\\([^"]*\\)".*/\\1/\')\n'
        'echo \'{"stage": "drawing", "done": 3, "total": 9, "seconds": 1.0}\' > "$folder/progress.json"\n'
        "exec sleep 600\n"
    )
    program.chmod(0o700)
    monkeypatch.setattr(working, "COMMAND", (str(program),))
    return program


def begun(client: Browser, answer: Any) -> dict[str, Any]:
    until = time.monotonic() + PATIENCE_S
    facts: dict[str, Any] = {}
    while facts.get("state") != "running":
        facts = client.get(f"{answer.headers['location']}&json").json()
        assert time.monotonic() < until, facts
        time.sleep(0.02)
    return facts


@pytest.mark.usefixtures("endless")
def test_how_far_it_is_is_told_and_it_is_cancelled(empty: Browser) -> None:
    answer = bring(empty, b"a,b\n1,2\n")
    facts = begun(empty, answer)
    assert facts["progress"] == {"stage": "drawing", "done": 3, "total": 9, "seconds": 1.0}
    text = empty.get(answer.headers["location"]).text
    assert '<meta http-equiv="refresh"' in text
    assert "drawing: 3 of 9" in text
    refused = empty.post("/found/delete", data={"token": FORM, "id": facts["find"]})
    assert (refused.status_code, "being looked at" in refused.text) == (409, True)
    assert empty.post("/finding/cancel", data={"token": FORM, "id": facts["find"]}).status_code == 303
    assert looked_at(empty, answer)["state"] == "cancelled"
    assert "Somebody cancelled it" in empty.get(answer.headers["location"]).text
    assert empty.post("/found/delete", data={"token": FORM, "id": facts["find"]}).status_code == 303
    assert empty.get(answer.headers["location"]).status_code == 404


@pytest.mark.usefixtures("endless")
def test_two_are_looked_at_at_once_and_the_others_wait(empty: Browser) -> None:
    answers = [bring(empty, b"a,b\n1,2\n") for _ in range(3)]
    found = [begun(empty, answer) for answer in answers[:2]]
    third = empty.get(f"{answers[2].headers['location']}&json").json()
    assert third["state"] == "waiting"
    for facts in [third, *found]:
        empty.post("/finding/cancel", data={"token": FORM, "id": facts["find"]})
    assert [looked_at(empty, answer)["state"] for answer in answers] == ["cancelled"] * 3


@pytest.mark.usefixtures("endless")
def test_what_a_console_that_ended_left_is_interrupted(empty: Browser) -> None:
    answer = bring(empty, b"a,b\n1,2\n")
    facts = begun(empty, answer)
    (child,) = [one for folder, one in working._RUNNING.items() if folder.name == facts["find"]]
    child.kill()
    child.wait()
    facts = looked_at(empty, answer)
    assert (facts["state"], "ended with -9" in facts["failed"]["found"]) == ("failed", True)
    folder = Path(facts["recompute"][0].split()[-3]).parent
    (folder / "result.json").unlink()
    # So it is when nobody was left to write that down.
    assert empty.get(f"{answer.headers['location']}&json").json()["state"] == "interrupted"
    assert "Look at it again" in empty.get(answer.headers["location"]).text


@pytest.mark.usefixtures("idle")
def test_what_is_old_is_deleted_and_what_never_came_whole(empty: Browser, tmp_path: Path) -> None:
    given = Given(tmp_path / "empty")
    facts = looked_at(empty, bring(empty, b"a,b\n1,2\n"))
    folder = finds.folder_of(given, facts["find"])
    at_us = assembly.WallClock().now_us() - 7 * DAY_US - 1
    folder.rename(folder.with_name(f"{at_us:016x}00000000"))
    coming = folder.with_name("coming-x")
    coming.write_bytes(b"half of it")
    os.utime(coming, (0, 0))
    assert empty.get("/found?json").json()["finds"] == []
    assert list(folder.parent.iterdir()) == []


# --- what is not taken -----------------------------------------------------------------------------------------------


def test_what_is_too_large_is_refused_and_nothing_of_it_stays(empty: Browser, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    (tmp_path / "empty" / "console.toml").write_text("upload_mib = 1\nupload_days = 2\n")
    answer = bring(empty, bytes(3 << 20))
    assert answer.status_code == 400
    assert "more than 1 MiB" in answer.text
    assert "upload_mib" in answer.text
    assert list((tmp_path / "empty" / "found").iterdir()) == []
    assert "after 2 days" in empty.get("/found").text


@pytest.mark.parametrize("said", ["upload_mib = 0", "upload_mib = true", 'upload_days = "x"', "upload_days = 4000"])
def test_a_setting_that_is_none_is_told(tmp_path: Path, said: str) -> None:
    (tmp_path / "console.toml").write_text(said)
    answer = Browser(console_app(Given(tmp_path), Known())).get("/found?json")
    assert (answer.status_code, said.split(maxsplit=1)[0] in answer.json()["found"]) == (500, True)


@pytest.mark.parametrize(
    ("fields", "found"),
    [
        pytest.param([], "not from a page", id="no token"),
        pytest.param([("token", "another")], "not from a page", id="another token"),
        pytest.param([("token", FORM), ("kind", "x")], "nothing to look for", id="no kind"),
    ],
)
def test_a_file_without_what_belongs_to_it_is_not_written(
    empty: Browser, tmp_path: Path, fields: list[tuple[str, str]], found: str
) -> None:
    answer = empty.post("/found/bring", data=dict(fields), files={"file": ("x.csv", b"a,b\n")})
    assert (answer.status_code, found in answer.text) == (400, True)
    assert [path for path in (tmp_path / "empty").rglob("*") if path.is_file() and "found" in path.parts] == []


def test_a_token_behind_the_file_comes_too_late(empty: Browser) -> None:
    files = [("file", ("x.csv", b"a,b\n")), ("token", (None, FORM))]
    answer = empty.post("/found/bring", files=files)
    assert (answer.status_code, "not from a page" in answer.text) == (400, True)


@pytest.mark.parametrize(
    "name", [*HARM, "../../etc/passwd", "/etc/passwd", "x\x00.wav", "a" * 400 + ".csv", "", '".csv', "a\r\nb.csv"]
)
@pytest.mark.usefixtures("idle")
def test_what_a_file_is_called_is_a_text_and_no_more(empty: Browser, tmp_path: Path, name: str) -> None:
    answer = bring(empty, b"a,b\n1,2\n", name)
    if not name:
        # Without a name it is a field like others.
        assert answer.status_code == 400
        return
    facts = looked_at(empty, answer)
    assert unquote(facts["name"])[:20] in name
    for path in ("/found", answer.headers["location"]):
        assert harm_in(empty.get(path).text) == []
    inside = {path.name for path in (tmp_path / "empty" / "found" / facts["find"]).iterdir()}
    assert inside <= {
        "job.json",
        "lock",
        "progress.json",
        "result.json",
        "brought",
        "brought.csv",
        "brought.wav",
        "dumps",
    }


@pytest.mark.parametrize("key", ["", "..", "../..", "x" * 24, "0" * 24, "0" * 23 + "/"])
@pytest.mark.parametrize("path", ["/finding", "/finding/part"])
def test_what_was_never_brought_is_not_there(empty: Browser, path: str, key: str) -> None:
    assert empty.get(path, params={"id": key, "name": "pair-0-found.wav"}).status_code == 404


@pytest.mark.usefixtures("idle")
@pytest.mark.parametrize("name", ["job.json", "brought.csv", "../job.json", "pair-0-found.wav", "picture-0.png\n", ""])
def test_no_file_is_served_but_what_pages_name(empty: Browser, name: str) -> None:
    facts = looked_at(empty, bring(empty, b"a,b\n1,2\n", "x.csv"))
    assert empty.get("/finding/part", params={"id": facts["find"], "name": name}).status_code == 404


# --- forms, octet by octet -------------------------------------------------------------------------------------------


def taken(octets: bytes, step: int) -> tuple[dict[str, str], list[tuple[dict[str, str], str]], bytes]:
    files: list[tuple[dict[str, str], str]] = []
    content = bytearray()
    parts = Parts(b"b", lambda fields, name: files.append((dict(fields), name)), content.extend)
    for at in range(0, len(octets), step):
        parts.put(octets[at : at + step])
    parts.end()
    return parts.fields, files, bytes(content)


PART: Final = b'--b\r\nContent-Disposition: form-data; name="%s"%s\r\n\r\n%s\r\n'


@pytest.mark.parametrize("step", [1, 2, 7, 1000])
@pytest.mark.parametrize(
    "content",
    [
        pytest.param(b"", id="empty"),
        pytest.param(b"--b", id="what looks like an end"),
        pytest.param(b"\r\n--", id="half of an end"),
        pytest.param(b"\r\n--c\r\n\r\r\n-", id="nearly an end"),
        pytest.param(bytes(range(256)), id="every octet"),
    ],
)
def test_a_form_is_the_same_however_it_is_cut(content: bytes, step: int) -> None:
    octets = PART % (b"a", b"", b"one") + PART % (b"f", b'; filename="n"', content) + b"--b--\r\n"
    assert taken(octets, step) == ({"a": "one"}, [({"a": "one"}, "n")], content)


@pytest.mark.parametrize(
    "octets",
    [
        pytest.param(b"", id="nothing"),
        pytest.param(b"--b\r\n", id="it breaks off"),
        pytest.param(PART % (b"a", b"", b"x"), id="it has no end"),
        pytest.param(b"--bx\r\n\r\n", id="another boundary"),
        pytest.param(b"--b\r\nNo: head\r\n\r\nx\r\n--b--", id="a part without a name"),
        pytest.param(b"--b\r\n" + b"x" * 20_000, id="a head without end"),
        pytest.param(PART % (b"a", b"", b"x" * 20_000) + b"--b--", id="a field that is too long"),
        pytest.param(PART % (b"a", b"", b"\xff") + b"--b--", id="a field that is no text"),
        pytest.param(PART % (b"a", b"", b"x") * 30 + b"--b--", id="too many fields"),
    ],
)
def test_what_is_no_form_is_refused(octets: bytes) -> None:
    with pytest.raises(InputError):
        taken(octets, 1000)


@pytest.mark.parametrize("kind", ["", "text/plain", "multipart/form-data", "multipart/mixed; boundary=b"])
def test_a_form_says_what_stands_between_its_parts(kind: str) -> None:
    with pytest.raises(InputError, match="wanted a form"):
        boundary_of(kind)


def test_pages_are_all_that_was_brought_each_once(tmp_path: Path) -> None:
    given = Given(tmp_path)
    for n in range(53):
        folder = tmp_path / "found" / f"{assembly.WallClock().now_us():016x}{n:08x}"
        folder.mkdir(parents=True)
        find = finds.Find(folder.name, f"{n}", "", "guess", traces=False, by="Ada", at_us=0, octets=1, sha256="")
        finds.write(folder / "job.json", {name: getattr(find, name) for name in finds.Find.__slots__})
    client = Browser(console_app(given, Known()))
    first = client.get("/found?json").json()
    second = client.get("/found", params={"after": first["after"], "json": ""}).json()
    names = [one["name"] for one in first["finds"] + second["finds"]]
    assert names == [str(n) for n in reversed(range(53))]
    assert second["after"] == ""
    assert client.get("/found?after=x").status_code == 404
