"""A catalogue is added, copies of it turn up changed, cut, joined and mirrored, and each is told for what it is."""

import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import fsspec
import numpy as np
import pytest
import soundfile
import soxr
from numpy.typing import NDArray
from typer.testing import CliRunner

from riparian import assembly
from riparian.cli import match as match_verb
from riparian.cli import prints as prints_verb
from riparian.engines.local import Processes
from riparian.errors import InputError
from riparian.feeds import listening
from riparian.flows.matching import Matches, match_files
from riparian.flows.printing import Naming, add
from riparian.flows.recognising import recognise
from riparian.gate.policy import Policy
from riparian.ports.prints import Library
from riparian.stores.jobs import SqlLedger
from riparian.stores.memory import FixedClock
from riparian.stores.prints import SqlAnswers, SqlPrints
from tests.prints.sounds import tune

pytestmark = pytest.mark.slow

RATE = 22_050
NOW = 1_800_000_000_000_000
SONGS = 4
SECONDS = 24.0


def song(seed: int, seconds: float = SECONDS) -> NDArray[np.float32]:
    return tune(seed, seconds, RATE)


def save(path: Path, samples: NDArray[np.float32], rate: int = RATE, **how: Any) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    soundfile.write(path, samples, rate, **how)
    return path


@contextmanager
def memory() -> Iterator[Library]:
    prints, answers = SqlPrints(None), SqlAnswers(None)
    try:
        yield Library(
            FixedClock(NOW),
            prints,
            answers,
            Processes(1, SqlLedger(None, FixedClock(NOW))),
            listening.find,
            listening.listen,
            prints.held,
            bytes(16),
        )
    finally:
        prints.close()
        answers.close()


@pytest.fixture(scope="module")
def masters(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("masters")
    for seed in range(SONGS):
        save(folder / "album" / f"song-{seed}.flac", song(seed))
    save(folder / "song-9.mp3", song(9), format="MP3")
    (folder / "cover.jpg").write_bytes(b"\xff\xd8\xff\xe0 no sound")
    return folder


@pytest.fixture(scope="module")
def found(masters: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("found")
    save(folder / "a-recoded.mp3", song(0), format="MP3", bitrate_mode="CONSTANT", compression_level=0.9)
    faster = soxr.resample(song(1), RATE, round(RATE / 1.04))
    save(folder / "b-faster.ogg", faster.astype(np.float32), format="OGG")
    save(folder / "c-clip.flac", song(2)[6 * RATE : 16 * RATE])
    (folder / "d-mirrored.mp3").write_bytes(b"ID3\4\0\0\0\0\0\x0a" + bytes(10) + (masters / "song-9.mp3").read_bytes())
    joined = np.concatenate((song(3)[: 12 * RATE], song(77)[: 12 * RATE], song(0)[: 12 * RATE]))
    save(folder / "e-joined.flac", joined)
    save(folder / "f-foreign.flac", song(50))
    save(folder / "g-silence.wav", np.zeros(5 * RATE, np.float32))
    (folder / "h-not.mp3").write_bytes(b"\x89PNG\r\n\x1a\n" + bytes(100))
    (folder / "readme.txt").write_text("hello")
    return folder


def everything(matches: Matches) -> list[tuple[str, list[str], str]]:
    names = [Path(one.file.name).name for one in matches.looked]
    return [
        (name, sorted(answer.recording for answer in one.copies(Policy())), one.why_nothing)
        for name, one in zip(names, matches.looked, strict=True)
    ]


WANTED = [
    ("a-recoded.mp3", ["song-0"], ""),
    ("b-faster.ogg", ["song-1"], ""),
    ("c-clip.flac", ["song-2"], ""),
    ("d-mirrored.mp3", ["song-9"], ""),
    ("e-joined.flac", ["song-0", "song-3"], ""),
    ("f-foreign.flac", [], "not ours"),
    ("g-silence.wav", [], "silence"),
    ("h-not.mp3", [], ""),
    ("readme.txt", [], ""),
]


def test_each_copy_is_told_for_what_it_is(masters: Path, found: Path) -> None:
    with memory() as library:
        added = add(library, library.find([str(masters)]), Naming())
        assert (added.new, added.passed, added.failed) == (SONGS + 1, 1, [])
        matches = match_files(library, library.find([str(found)]), Policy())
        assert everything(matches) == WANTED
        by_name = {Path(one.file.name).name: one for one in matches.looked}
        assert "no sound file that is known" in by_name["h-not.mp3"].failed
        assert by_name["h-not.mp3"].is_sound
        assert not by_name["readme.txt"].is_sound
        (faster,) = by_name["b-faster.ogg"].answers[0].spans
        assert faster["speed"] == pytest.approx(1.04, abs=0.002)
        assert faster["semitones"] == pytest.approx(12 * np.log2(1.04), abs=0.1)
        assert by_name["d-mirrored.mp3"].answers[0].is_exact
        (clip,) = by_name["c-clip.flac"].answers[0].spans
        assert clip["ours_from_s"] - clip["from_s"] == pytest.approx(6.0, abs=0.05)
        assert (matches.estimated.files_ours.estimate, matches.estimated.recordings_ours.estimate) == (5, 5)
        # What was said is said again, and nothing is heard again.
        silent = replace(library, listen=lambda file, _: pytest.fail(f"{file.name} is heard again"))
        assert match_files(silent, library.find([str(found)])[:4], Policy()).looked == matches.looked[:4]


def test_what_is_unchanged_is_not_opened_and_what_was_moved_is_not_decoded(masters: Path, tmp_path: Path) -> None:
    (tmp_path / "one").mkdir()
    first = tmp_path / "one" / "song.flac"
    first.write_bytes((masters / "album" / "song-0.flac").read_bytes())
    with memory() as library:
        add(library, library.find([str(tmp_path)]), Naming())
        deaf = replace(library, listen=lambda file, _: pytest.fail(f"{file.name} is opened"))
        assert add(deaf, library.find([str(tmp_path)]), Naming()).unchanged == 1
        first.rename(tmp_path / "song.flac")
        moved = add(library, library.find([str(tmp_path)]), Naming())
        assert (moved.new, moved.same, library.prints.totals()["prints"]) == (0, 1, 1)
        named = add(library, library.find([str(tmp_path)]), Naming(recording="r-1"))
        assert (named.new, named.same) == (0, 1)
        assert library.prints.held().named("r-1") == [1]
        save(tmp_path / "song.flac", song(5))
        assert add(library, library.find([str(tmp_path)]), Naming(recording="r-1")).new == 1
        held = library.prints.held()
        assert (held.recordings, held.named("r-1")) == (1, [2])
        (tmp_path / "song.flac").write_bytes(b"fLaC" + bytes(50))
        broken = add(library, library.find([str(tmp_path)]), Naming())
        assert len(broken.failed) == 1
        assert library.prints.held().recordings == 1
        again = add(deaf, library.find([str(tmp_path)]), Naming())
        assert [why for _, why in again.failed] == [why for _, why in broken.failed]


def test_duplicates_are_one_cluster_and_rivals_of_none(masters: Path, tmp_path: Path) -> None:
    save(tmp_path / "single.ogg", song(0), format="OGG")
    with memory() as library:
        add(library, library.find([str(masters), str(tmp_path)]), Naming())
        held = library.prints.held()
        (album,), (single,) = held.named("song-0"), held.named("single")
        assert held.cluster(album) == held.cluster(single)
        assert library.prints.totals()["clusters"] == SONGS + 1
        save(tmp_path / "copy.mp3", song(0), format="MP3")
        (one,) = match_files(library, library.find([str(tmp_path / "copy.mp3")]), Policy()).looked
        assert len(one.answers) == 1


@pytest.mark.parametrize("scheme", ["memory", "file"])
def test_object_storage_is_read_like_a_folder(scheme: str, masters: Path, tmp_path: Path) -> None:
    root = f"memory:///{tmp_path.name}" if scheme == "memory" else f"file://{tmp_path}"
    for place, path in (("ours/song-0.flac", "album/song-0.flac"), ("found/x.flac", "album/song-0.flac")):
        with fsspec.open(f"{root}/{place}", "wb", auto_mkdir=True) as file:
            file.write((masters / path).read_bytes())
    with memory() as library:
        assert add(library, library.find([f"{root}/ours"]), Naming()).new == 1
        assert add(library, library.find([f"{root}/ours"]), Naming()).unchanged == 1
        files = library.find([f"{root}/found"])
        (one,) = match_files(library, files, Policy()).looked
        assert [answer.recording for answer in one.answers] == ["song-0"]
        with pytest.raises(InputError, match="there is"):
            library.find([f"{root}/none"])


def test_a_catalogue_names_files_by_what_is_in_them_or_where_they_are(masters: Path, tmp_path: Path) -> None:
    digest = listening.listen(listening.find([str(masters / "song-9.mp3")])[0], lambda *_: True).digest
    table = tmp_path / "catalogue.csv"
    table.write_text(f"isrc,sha256,path\nQZ-1,{digest},\nQZ-2,,album/song-1.flac\n")
    workspace = tmp_path / "w"
    run("add", masters, "--catalogue", table, "-w", workspace, "--workers", 1)
    shown = [json.loads(line) for line in run("show", "QZ-1", "QZ-2", "-w", workspace, "--json").splitlines()]
    assert [Path(one["path"]).name for one in shown] == ["song-9.mp3", "song-1.flac"]


def run(*words: object, verb: Any = prints_verb.app, code: int = 0, given: bytes | None = None) -> str:
    done = CliRunner().invoke(verb, [str(word) for word in words], input=given)
    assert done.exit_code == code, f"{done.output}{done.exception!r}"
    return done.stdout


def test_people_get_tables_programs_get_objects_and_nothing_found_is_1(
    masters: Path, found: Path, tmp_path: Path
) -> None:
    workspace = tmp_path / "w"
    where = ("-w", workspace, "--workers", 1)
    assert "5 prints made, 1 no sound." in run("add", masters, *where)
    out = run(found, "--json", *where, verb=match_verb.app)
    lines = [json.loads(line) for line in out.splitlines()]
    copies = [(Path(one["path"]).name, one["recording"]) for one in lines if one["kind"] == "copy"]
    assert sorted(copies) == [(name, recording) for name, recordings, _ in WANTED for recording in recordings]
    assert {"recording", "path", "bits", "error", "spans"} <= set(lines[0])
    assert [one["kind"] for one in lines if one["kind"] not in {"copy", "shares"}] == ["failed", "summary"]
    assert lines[-1]["recordings_ours"] == {"estimate": 5.0, "low": 5, "high": 5}
    page = tmp_path / "report.html"
    shown = run(found, "--report", page, *where, verb=match_verb.app)
    assert "4.0 %" in shown
    text = page.read_text(encoding="utf-8")
    assert "5 of 7 files hold sound of ours." in text
    assert text.count("data:image/png;base64,") >= 12
    assert "<script" not in text
    assert "none of ours" in run(found / "f-foreign.flac", *where, verb=match_verb.app, code=1)
    piped = run("-", "--json", *where, verb=match_verb.app, given=(found / "c-clip.flac").read_bytes())
    assert json.loads(piped)["recording"] == "song-2"
    assert "1 print deleted." in run("delete", "song-2", "-w", workspace)
    run("delete", "song-2", "-w", workspace, code=1)
    run(found / "c-clip.flac", "--json", *where, verb=match_verb.app, code=1)
    assert "All is well: 4 prints" in run("verify", "-w", workspace)
    assert run("resize", 256, *where)
    assert json.loads(run("show", "-w", workspace, "--json"))["bytes_per_recording"] == 256


def test_two_workspaces_of_one_key_are_merged(masters: Path, tmp_path: Path) -> None:
    ours, theirs = tmp_path / "ours", tmp_path / "theirs"
    run("add", masters / "song-9.mp3", "-w", ours, "--workers", 1)
    (theirs / "prints").mkdir(parents=True)
    (theirs / "prints" / "key.json").write_bytes((ours / "prints" / "key.json").read_bytes())
    (theirs / "prints" / "key.json").chmod(0o600)
    run("add", masters / "album", "-w", theirs, "--workers", 1)
    assert f"{SONGS} prints taken over." in run("merge", theirs, "-w", ours, "--workers", 1)
    assert json.loads(run("show", "-w", ours, "--json"))["prints"] == SONGS + 1


def test_a_sample_says_how_much_it_knows(masters: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)  # a lot is drawn of names, and these are the same in every run
    names = [f"{n:03d}.flac" for n in range(40)]
    for n, name in enumerate(names):
        place = tmp_path / "library" / name
        place.parent.mkdir(exist_ok=True)
        if n % 2:
            os.link(masters / "album" / f"song-{n % SONGS}.flac", place)
        else:
            place.write_bytes(b"no sound")
    with memory() as library:
        add(library, library.find([str(masters)]), Naming())
        files = library.find(["library"])
        whole = match_files(library, files, Policy()).estimated
        assert (whole.files_ours.estimate, whole.recordings_ours.estimate) == (20, 2)
        some = match_files(library, files, Policy(), share=0.5)
        assert (len(some.looked), some.files) == (20, 40)
        assert some.estimated.files_ours.low <= 20 <= some.estimated.files_ours.high
        assert some.estimated.recordings_ours.low <= 2 <= some.estimated.recordings_ours.high
        assert some.looked == match_files(library, files, Policy(), share=0.5).looked


def test_a_library_that_is_killed_on_the_way_goes_on_and_says_the_same(masters: Path, tmp_path: Path) -> None:
    library, workspace, undisturbed = (tmp_path / name for name in ("library", "w", "undisturbed"))
    for n in range(30):
        save(library / f"{n:02d}.flac", song(n % SONGS)[(n % 7) * RATE : (n % 7 + 9) * RATE])
    run("add", masters / "album", "-w", workspace, "--workers", 1)
    shutil.copytree(workspace, undisturbed)
    command = [sys.executable, "-m", "riparian.cli", "match", str(library), "--json", "--workers", "1", "-w"]
    answers, files = SqlAnswers(workspace / "prints"), listening.find([str(library)])
    child = subprocess.Popen([*command, str(workspace)], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    while answers.of(files[0]) is None:
        assert child.poll() is None
        time.sleep(0.02)
    child.kill()
    child.wait()
    done = sum(answers.of(file) is not None for file in files)
    answers.close()
    assert 0 < done < len(files)
    resumed, whole = (
        subprocess.run([*command, str(each)], capture_output=True, check=True).stdout
        for each in (workspace, undisturbed)
    )
    assert resumed == whole
    assert len(resumed.splitlines()) == len(files) + 1


def test_a_leak_is_compared_with_the_masters_that_prints_recognise(tmp_path: Path) -> None:
    files = [save(tmp_path / "masters" / f"song-{seed}.flac", song(seed)) for seed in range(3)]
    save(tmp_path / "leak.mp3", song(1), format="MP3")
    save(tmp_path / "foreign.flac", song(60))
    digests = [listening.listen(file, lambda *_: True).digest for file in listening.find([str(f) for f in files])]
    with memory() as library:
        # The third is marked, too, and was never printed.
        add(library, library.find([str(file) for file in files[:2]]), Naming())
        copies = [tmp_path / "leak.mp3", tmp_path / "foreign.flac"]
        known = recognise(library, Policy(), copies, digests)
    assert [known.may_be(copies[0], digest) for digest in digests] == [False, True, True]
    assert [known.may_be(copies[1], digest) for digest in digests] == [True, True, True]


def test_a_folder_without_sound_says_so(tmp_path: Path) -> None:
    (tmp_path / "folder").mkdir()
    (tmp_path / "folder" / "readme.txt").write_text("hello")
    assert run("add", tmp_path / "folder", "-w", tmp_path / "w", "--workers", 1, code=1).startswith(
        "0 prints made, 1 no"
    )


def test_a_workspace_without_prints_says_how_to_make_some(tmp_path: Path) -> None:
    with assembly.opened(assembly.Given(tmp_path / "w")):
        pass
    with (
        pytest.raises(InputError, match="has no prints"),
        assembly.library(assembly.Given(tmp_path / "w")),
    ):
        pass
