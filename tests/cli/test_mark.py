"""Marking and tracing as an operator types it."""

import json
import re
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile
from typer.testing import CliRunner

from riparian.cli import app
from riparian.cli.mark import _folder as folder_of
from riparian.errors import InputError, OutsideError
from tests.marks.sounds import chords, drums

pytestmark = pytest.mark.slow

runner = CliRunner()
RATE = 22_050
TABLE = "recipient,embargo,note\nann@example.org,2026-12-24,first\nBen & Søn/../x,,\n"


def run(*words: str | Path, code: int = 0) -> str:
    ended = runner.invoke(app, [str(word) for word in words])
    if ended.exception is not None and not isinstance(ended.exception, SystemExit):
        raise ended.exception
    assert ended.exit_code == code, ended.output
    return ended.stdout


def told(*words: str | Path, code: int = 0) -> list[dict[str, Any]]:
    return [json.loads(line) for line in run(*words, "--json", code=code).splitlines()]


@pytest.fixture(scope="module")
def album(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Make an album of two songs, a table of two recipients, and what came of sending it."""
    folder = tmp_path_factory.mktemp("album")
    (folder / "album" / "b").mkdir(parents=True)
    song = chords(16.0, RATE) + 0.5 * drums(16.0, RATE)
    soundfile.write(folder / "album" / "01 song.flac", song / 2, RATE)
    soundfile.write(folder / "album" / "b" / "02 drums.wav", drums(16.0, RATE), RATE, subtype="PCM_24")
    (folder / "album" / "cover.txt").write_text("not a sound")
    (folder / "r.csv").write_text(TABLE)
    run("mark", folder / "album", "--to", folder / "r.csv", "-o", folder / "out", "-w", folder / "w", "--workers", "1")
    return folder


def copies(folder: Path) -> list[str]:
    return sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file())


def test_each_recipient_has_a_folder_like_the_album(album: Path) -> None:
    found = copies(album / "out")
    assert [path.split("/", 1)[1] for path in found] == ["01 song.flac", "b/02 drums.wav"] * 2
    folders = {path.split("/", 1)[0] for path in found}
    assert "ann@example.org" in folders
    assert all(re.fullmatch(r"[\w@.+-]+", folder) and not folder.startswith(".") for folder in folders)


def test_the_same_command_does_nothing_twice(album: Path) -> None:
    lines = told("mark", album / "album", "--to", album / "r.csv", "-o", album / "out", "-w", album / "w")
    assert [line["anew"] for line in lines] == [False] * 4
    assert {line["embargo"] for line in lines} == {"2026-12-24", None}
    assert {line["kind"] for line in lines} == {"grant"}


def test_a_leaked_album_is_traced_in_one_call(album: Path, tmp_path: Path) -> None:
    for path in (album / "out" / "ann@example.org").rglob("*.*"):
        soundfile.write(tmp_path / f"{path.stem}.mp3", *soundfile.read(path))
    (line,) = told("trace", tmp_path, "-w", album / "w")
    assert (line["kind"], line["account"], line["recordings"]) == ("issued", "ann@example.org", 2)
    assert line["bits"] > 40
    assert 0 <= line["error_bound"] < 1e-9
    shown = run("trace", tmp_path, "-w", album / "w", "--report", tmp_path / "r" / "page.html")
    assert "ann@example.org: " in shown
    assert "Issued is not accused" in shown
    page = (tmp_path / "r" / "page.html").read_text()
    assert "These copies were issued to ann@example.org." in page
    assert page.count("<svg") >= 6
    assert "<script" not in page
    assert re.findall(r"(?:src|href)=\"(?!#|data:)", page) == []


def test_a_name_from_outside_is_text_and_nothing_else(album: Path, tmp_path: Path) -> None:
    song, who = album / "album" / "01 song.flac", "<b>[red]\x1b[31mx"
    run("mark", song, "--to", who, "-o", tmp_path / "x.flac", "-w", album / "w")
    shown = run("trace", tmp_path / "x.flac", "-w", album / "w", "--report", tmp_path / "page.html")
    assert "\x1b[31m" not in shown
    assert "<b>" not in (tmp_path / "page.html").read_text()


def test_an_unmarked_file_names_nobody_and_ends_with_one(album: Path) -> None:
    assert told("trace", album / "album" / "01 song.flac", "-w", album / "w", code=1) == []
    assert "Issued to nobody that can be named" in run(
        "trace", album / "album" / "01 song.flac", "-w", album / "w", code=1
    )


def test_sound_of_somebody_else_lies_in_no_master(album: Path, tmp_path: Path) -> None:
    noise = np.random.default_rng(5).normal(0, 0.1, 10 * RATE)
    soundfile.write(tmp_path / "x.wav", noise, RATE)
    assert "nobody" in run("trace", tmp_path / "x.wav", "-w", album / "w", code=1) or "None of these" in run(
        "trace", tmp_path / "x.wav", "-w", album / "w", code=1
    )


def test_one_archive_a_recipient_is_made_once(album: Path, tmp_path: Path) -> None:
    words = ("mark", album / "album", "--to", album / "r.csv", "-o", tmp_path / "out", "-w", album / "w", "--zip")
    first = told(*words)
    made = sorted((tmp_path / "out").iterdir())
    assert [path.suffix for path in made] == [".zip", ".zip"]
    assert sorted(zipfile.ZipFile(made[0]).namelist()) == ["01 song.flac", "b/02 drums.wav"]
    again = told(*words)
    assert ([line["anew"] for line in first], [line["anew"] for line in again]) == ([True] * 4, [False] * 4)
    made[0].write_bytes(made[0].read_bytes()[:1000])
    assert sum(line["anew"] for line in told(*words)) == 2


def test_a_name_says_in_which_form_a_copy_is_wanted(album: Path, tmp_path: Path) -> None:
    song = album / "album" / "01 song.flac"
    for name, words in (("x.mp3", ()), ("x.m4a", ("--bit-rate", "128")), ("y.opus", ())):
        (line,) = told("mark", song, "--to", "cid", "-o", tmp_path / name, "-w", album / "w", *words)
        assert line["path"] == str(tmp_path / name)
    assert (tmp_path / "x.mp3").read_bytes()[:3] == b"ID3"
    assert (tmp_path / "y.opus").read_bytes()[:4] == b"OggS"
    assert [line["account"] for line in told("trace", tmp_path / "y.opus", "-w", album / "w")] == ["cid"]


def test_a_copy_of_another_bit_rate_is_made_anew(album: Path, tmp_path: Path) -> None:
    words = ("mark", album / "album" / "01 song.flac", "--to", "dan", "-o", tmp_path / "x.mp3", "-w", album / "w")
    anew, sizes = [], []
    for kbps in ("64", "64", "192", "64"):
        (line,) = told(*words, "--bit-rate", kbps)
        anew.append(line["anew"])
        sizes.append((tmp_path / "x.mp3").stat().st_size)
    assert anew == [True, False, True, True]
    assert sizes[2] > 2 * sizes[0] == 2 * sizes[3]


FOLDERS = {
    "a name": ("ann@example.org", "ann@example.org"),
    "a name with a path": ("a/b", r"a_b-[0-9a-f]{16}"),
    "a name as we give one": ("a_b-0123456789abcdef", r"a_b-0123456789abcdef-[0-9a-f]{16}"),
    "a name as an archive has one": ("ann.zip", r"ann\.zip-[0-9a-f]{16}"),
    "a name as an archive has one, in capitals": ("ANN.ZIP", r"ANN\.ZIP-[0-9a-f]{16}"),
    "a folder above": ("..", r"-[0-9a-f]{16}"),
}


@pytest.mark.parametrize("name", FOLDERS)
def test_no_recipient_has_the_folder_or_the_archive_of_another(name: str) -> None:
    account, wanted = FOLDERS[name]
    assert re.fullmatch(wanted, folder_of(account))


def test_recipients_that_only_capitals_tell_apart_are_refused_in_one_table(album: Path, tmp_path: Path) -> None:
    (tmp_path / "r.csv").write_text("recipient\nann\nben\nANN\n")
    with pytest.raises(InputError, match="`ann` and `ANN` would have one folder"):
        run("mark", album / "album", "--to", tmp_path / "r.csv", "-o", tmp_path / "out", "-w", album / "w")
    assert not (tmp_path / "out").exists()


def test_what_cannot_carry_a_mark_is_refused_unless_somebody_wants_it_all_the_same(tmp_path: Path) -> None:
    soundfile.write(tmp_path / "jingle.wav", drums(1.0, RATE), RATE)
    words = ("mark", tmp_path / "jingle.wav", "--to", "ann", "-o", tmp_path / "out", "-w", tmp_path / "w")
    with pytest.raises(InputError, match="`jingle` cannot carry a mark"):
        run(*words)
    assert not (tmp_path / "out").exists()
    run(*words, "--anyway")
    assert (tmp_path / "out" / "jingle.wav").exists()


def test_the_ledger_is_verified_and_its_end_is_told(album: Path, tmp_path: Path) -> None:
    (line,) = told("mark", "verify", "-w", album / "w")
    assert (line["kind"], len(line["head"])) == ("ledger", 64)
    assert line["head"] in run("mark", "verify", "-w", album / "w", "--head", line["head"])
    assert "0 entries" in run("mark", "verify", "-w", _empty(tmp_path), code=1)


def _empty(tmp_path: Path) -> Path:
    (tmp_path / "w").mkdir()
    return tmp_path / "w"


def test_who_is_erased_is_named_no_more(tmp_path: Path) -> None:
    soundfile.write(tmp_path / "song.flac", chords(16.0, RATE), RATE)
    words = ("-w", tmp_path / "w")
    run("mark", tmp_path / "song.flac", "--to", "ann", "-o", tmp_path / "a.flac", *words)
    run("mark", tmp_path / "song.flac", "--to", "ben", "-o", tmp_path / "b.flac", *words)
    assert [line["account"] for line in told("trace", tmp_path / "a.flac", *words)] == ["ann"]
    (line,) = told("erase", "ann", "--yes", *words)
    assert line["found"]
    assert told("trace", tmp_path / "a.flac", *words, code=1) == []
    assert "sound" in run("mark", "verify", *words)
    run("erase", "ben", "--yes", *words)
    assert "0 candidates" in run("trace", tmp_path / "b.flac", *words, code=1)


def test_keys_of_marks_are_listed_without_secrets_and_rotated(tmp_path: Path) -> None:
    words = ("--marks", "-w", tmp_path / "w")
    assert told("keys", "list", *words) == []
    run("keys", "rotate", *words)
    assert [(line["epoch"], line["does"]) for line in told("keys", "list", *words)] == [
        (1, "traces"),
        (2, "marks and traces"),
    ]
    secret = json.loads((tmp_path / "w" / "marks.json").read_text())["epochs"][0]["secret"]
    assert secret not in run("keys", "list", *words)
    with pytest.raises(InputError, match="`--leaked` beside `--marks`"):
        run("keys", "rotate", "--leaked", *words)


REFUSED = {
    "a recipient that is empty": (("--to", " ", "-o", "x"), "`--to` is empty"),
    "a table that is not there": (("--to", "none.csv", "-o", "x"), "cannot be read"),
    "a day that is none": (("--to", "ann", "-o", "x", "--embargo", "soon"), "the embargo in --embargo is `soon`"),
    "an archive for one": (("--to", "ann", "-o", "x", "--zip"), "`--zip` beside one recipient"),
    "a bit rate for what has none": (("--to", "a", "-o", "x", "--format", "flac", "--bit-rate", "9"), "flac is wanted"),
    "a bit rate beyond the form": (("--to", "a", "-o", "x", "--format", "mp3", "--bit-rate", "999"), "999000 bits"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_contradicts_itself_is_refused_before_anything_is_made(name: str, tmp_path: Path) -> None:
    words, said = REFUSED[name]
    soundfile.write(tmp_path / "song.wav", drums(2.0, RATE), RATE)
    placed = [str(tmp_path / "x") if word == "x" else word for word in words]
    with pytest.raises((InputError, OutsideError), match=said):
        run("mark", tmp_path / "song.wav", *placed, "-w", tmp_path / "w")
    assert not (tmp_path / "x").exists()


def test_several_files_are_not_one_file_nor_one_recording(album: Path, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="is one file, wanted a folder for 2 of them"):
        run("mark", album / "album", "--to", "ann", "-o", tmp_path / "x.wav", "-w", tmp_path / "w")
    with pytest.raises(InputError, match="2 files are one recording"):
        run("mark", album / "album", "--to", "ann", "-o", tmp_path / "x", "--recording", "r-1", "-w", tmp_path / "w")


def test_nothing_to_mark_and_nothing_to_trace_are_refused(album: Path, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="there is no sound in"):
        run("mark", tmp_path, "--to", "ann", "-o", tmp_path / "x", "-w", tmp_path / "w")
    with pytest.raises(InputError, match="there is no sound in"):
        run("trace", tmp_path, "-w", album / "w")
    with pytest.raises(InputError, match="no workspace"):
        run("trace", album / "album", "-w", tmp_path / "nowhere")
