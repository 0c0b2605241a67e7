"""Deliveries as an operator screens them: what is referred to a person, what is a note, and what is left alone."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile
import soxr
from typer.testing import CliRunner

from riparian.cli import app
from riparian.errors import InputError
from tests.feeds.containers import RATE, encoded, remuxed, song

pytestmark = pytest.mark.slow

runner = CliRunner()
SECONDS = 24.0
OURS = range(1, 7)
CATALOGUE = "recording,title,artist,isrc,owner,licensed\n" + "".join(
    f"r{n},Song {n},Saltmarsh {n},GBABC120000{n},Reed Records,{'North Wire; Third Hand' if n == 3 else ''}\n"
    for n in OURS
)
MESSAGE = """<NewReleaseMessage>
 <MessageHeader><MessageSender><PartyName><FullName>{sender}</FullName></PartyName></MessageSender></MessageHeader>
 <ResourceList>{recordings}</ResourceList>
</NewReleaseMessage>
"""
RECORDING = """<SoundRecording><ResourceId><ISRC>{isrc}</ISRC></ResourceId>
 <DisplayTitleText>{title}</DisplayTitleText><DisplayArtistName>{artist}</DisplayArtistName>
 <TechnicalDetails><File><URI>{file}</URI></File></TechnicalDetails></SoundRecording>
"""


def run(*words: str | Path, code: int = 0) -> str:
    ended = runner.invoke(app, [str(word) for word in words])
    if ended.exception is not None and not isinstance(ended.exception, SystemExit):
        raise ended.exception
    assert ended.exit_code == code, ended.output
    return ended.stdout


def told(*words: str | Path, code: int = 0) -> list[dict[str, Any]]:
    return [json.loads(line) for line in run("screen", *words, "--json", "--workers", "1", code=code).splitlines()]


def faster(seed: int, speed: float) -> np.ndarray:
    return np.asarray(soxr.resample(song(seed, SECONDS)[0], RATE, RATE / speed))


def write(path: Path, sound: np.ndarray, **tags: str) -> None:
    with soundfile.SoundFile(path, "w", RATE, 1) as file:
        for name, text in tags.items():
            setattr(file, name, text)
        file.write(sound.reshape(-1))


def message(*recordings: tuple[str, str, str, str], sender: str = "North Wire") -> str:
    said = (RECORDING.format(file=f, isrc=i, title=t, artist=a) for f, i, t, a in recordings)
    return MESSAGE.format(sender=sender, recordings="".join(said))


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Six recordings of ours, in a catalogue and as prints."""
    folder = tmp_path_factory.mktemp("house")
    (folder / "ours").mkdir()
    for n in OURS:
        (folder / "ours" / f"r{n}.mp3").write_bytes(encoded("mp3", n, SECONDS))
    (folder / "c.csv").write_text(CATALOGUE)
    run("prints", "add", folder / "ours", "-w", folder / "w", "--workers", "1")
    return folder


@pytest.fixture
def delivery(tmp_path: Path) -> Path:
    (tmp_path / "d").mkdir()
    return tmp_path / "d"


def screen(house: Path, delivery: Path, *more: str, code: int = 0) -> dict[str, list[dict[str, Any]]]:
    """Say what came of each file."""
    found: dict[str, list[dict[str, Any]]] = {}
    for line in told(delivery, "-w", house / "w", "--catalogue", house / "c.csv", *more, code=code):
        if line["kind"] in {"referral", "note"}:
            found.setdefault(Path(line["path"]).name, []).append(line)
    return found


def because(lines: list[dict[str, Any]]) -> list[tuple[str, str]]:
    return [(line["kind"], line["because"]) for line in lines]


def test_what_a_stranger_delivers_is_referred(house: Path, delivery: Path) -> None:
    write(delivery / "launder.flac", faster(1, 1.03))
    (delivery / "mirror.mka").write_bytes(remuxed(encoded("mp3", 2, SECONDS), "matroska", title="Other"))
    (delivery / "licence.mp3").write_bytes(encoded("mp3", 3, SECONDS))
    write(delivery / "name.flac", song(20, SECONDS), artist="The SALTMARSH 5")
    write(delivery / "look.flac", song(21, SECONDS), artist="S\u0430ltm\u0430rsh 6")
    write(delivery / "code.flac", song(22, SECONDS), artist="Nobody")
    write(delivery / "own.flac", song(23, SECONDS), artist="Nobody")
    (delivery / "m.xml").write_text(message(("code.flac", "GBABC1200004", "Anew", "Nobody")))
    (delivery / "x.mp3").write_bytes(b"\x89PNG")
    found = screen(house, delivery)
    assert {name: because(lines) for name, lines in found.items()} == {
        "launder.flac": [("referral", "other_owner")],
        "mirror.mka": [("referral", "other_owner")],
        "licence.mp3": [("note", "licensed")],
        "name.flac": [("referral", "our_artist")],
        "look.flac": [("referral", "looks_like")],
        "code.flac": [("referral", "our_isrc")],
    }
    laundered = found["launder.flac"][0]
    assert laundered["recordings"] == ["r1"]
    assert laundered["ours"]["owner"] == "Reed Records"
    assert laundered["error"] < 1e-3
    assert laundered["spans"][0]["speed"] == pytest.approx(1.03, abs=0.005)
    assert found["mirror.mka"][0]["error"] < 1e-15


def test_what_an_owner_delivers_again_is_a_note_unless_its_code_is_another(house: Path, delivery: Path) -> None:
    write(delivery / "same.flac", song(1, SECONDS))
    write(delivery / "other.flac", song(2, SECONDS))
    write(delivery / "none.flac", song(3, SECONDS))
    write(delivery / "master.flac", song(4, SECONDS))
    version = ("master.flac", "GBABC1299998", "Song 4 (Remastered)", "Saltmarsh 4")
    said = [
        version,
        ("same.flac", "GBABC1200001", "Song 1", "Saltmarsh 1"),
        ("other.flac", "GBABC1299999", "Song 2", ""),
    ]
    (delivery / "m.xml").write_text(message(*said, sender="REED Records"))
    found = screen(house, delivery)
    assert {name: because(lines) for name, lines in found.items()} == {
        "same.flac": [("note", "again")],
        "other.flac": [("referral", "other_isrc")],
        "none.flac": [("note", "again")],
        "master.flac": [("note", "version")],
    }


def test_one_sound_in_many_files_is_referred_once_unless_they_bear_one_code(house: Path, delivery: Path) -> None:
    for n, speed in enumerate((1.0, 1.03, 0.97)):
        write(delivery / f"{n}.flac", faster(30, speed))
    write(delivery / "8.flac", song(31, SECONDS))
    write(delivery / "9.flac", song(31, SECONDS))
    code = [(f"{n}.flac", "GBXYZ1200001", "Single and album", "") for n in (8, 9)]
    (delivery / "m.xml").write_text(message(*code))
    found = screen(house, delivery)
    assert {name: because(lines) for name, lines in found.items()} == {"0.flac": [("referral", "in_bulk")]}
    assert [Path(other).name for other in found["0.flac"][0]["others"]] == ["1.flac", "2.flac"]


def test_whose_a_sound_is_has_to_be_said_by_both(house: Path, delivery: Path) -> None:
    write(delivery / "a.flac", song(1, SECONDS))
    assert because(screen(house, delivery)["a.flac"]) == [("referral", "no_owner")]
    assert because(screen(house, delivery, "--owner", "reed records", code=1)["a.flac"]) == [("note", "again")]


def test_a_delivery_of_new_music_is_left_alone(house: Path, delivery: Path) -> None:
    for n in range(3):
        write(delivery / f"{n}.flac", song(40 + n, SECONDS), artist="Nobody You Know")
    assert screen(house, delivery, "--owner", "North Wire", code=1) == {}
    shown = run("screen", delivery, "-w", house / "w", "--owner", "North Wire", code=1)
    assert "0 of 3 files should be looked at by a person" in shown


def test_whatever_cannot_be_read_is_told_and_the_rest_is_screened(house: Path, delivery: Path) -> None:
    write(delivery / "a.flac", song(1, SECONDS))
    (delivery / "b.mp3").write_bytes(b"")
    (delivery / "m.xml").write_text('<!DOCTYPE x [<!ENTITY e "">]><x>&e;</x>')
    (delivery / "n.xml").write_text(message(("gone.flac", "", "", "")))
    lines = told(delivery, "-w", house / "w")
    failed = [line["why"] for line in lines if line["kind"] == "failed"]
    assert len(failed) == 3
    assert any("declares a document type" in why for why in failed)
    assert any("`gone.flac`, which is not there" in why for why in failed)
    assert [line["because"] for line in lines if line["kind"] == "referral"] == ["other_owner"]
    assert lines[-1]["failed"] == 1


def test_what_is_no_delivery_is_refused(house: Path, delivery: Path) -> None:
    with pytest.raises(InputError, match="there is no sound"):
        run("screen", delivery, "-w", house / "w")
    with pytest.raises(InputError, match="is no folder"):
        run("screen", delivery / "none", "-w", house / "w")
