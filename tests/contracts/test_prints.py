"""What is promised of ``ports.Prints`` holds in memory and in a folder."""

import os
import shutil
import sqlite3
from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import cache
from pathlib import Path

import numpy as np
import pytest

from riparian.errors import CustodyError, InputError, LifecycleError
from riparian.ports.prints import Answered, Held, Printed, SoundFile
from riparian.prints.keys import PrintKey
from riparian.prints.landmarks import peaks
from riparian.prints.packing import pack
from riparian.prints.peaks import Peaks
from riparian.prints.sketch import sketch
from riparian.stores.prints import Hold, SqlAnswers, SqlPrints
from tests.contracts.test_killed import killed_before, killings
from tests.prints.sounds import tune

KEY = bytes(range(32))
K = 64


@cache
def heard(seed: int) -> Peaks:
    return peaks(tune(seed, 12.0), PrintKey(KEY))


def printed(seed: int, recording: str = "", name: str = "", k: int = K) -> Printed:
    found = heard(seed)
    file = SoundFile(name or f"/masters/{seed}.flac", "1:1")
    values = sketch(found, PrintKey(KEY), k)
    return Printed(
        recording or f"r-{seed}", file, f"{seed:064x}", bytes([seed] * 16), found.seconds, pack(found), values
    )


def opened(folder: Path | None, k: int | None = K, key: bytes = KEY) -> SqlPrints:
    return SqlPrints(folder, k, lambda n: key[:n])


@pytest.fixture(params=["memory", "folder"])
def prints(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[SqlPrints]:
    made = opened(None if request.param == "memory" else tmp_path / "prints")
    yield made
    made.close()


def found(held: Held, seed: int) -> list[str]:
    return [held.known(number).recording for number in held.candidates(heard(seed), 5).recording.tolist()]


def test_an_empty_index_knows_nothing(prints: SqlPrints) -> None:
    held = prints.held()
    assert (held.recordings, found(held, 1), held.named("r-1"), held.exactly(b""), held.numbers().size) == (
        0,
        [],
        [],
        [],
        0,
    )
    assert (prints.publish(), prints.at("/x"), prints.refused("/x"), prints.same("d")) == (0, None, None, [])
    assert list(prints.verify()) == []


def test_what_is_kept_is_found_once_it_is_published_and_not_before(prints: SqlPrints) -> None:
    with prints.alone():
        prints.keep(printed(1), printed(2))
        prints.keep(printed(3))
        assert prints.held().recordings == 0
        assert prints.publish() == 3
    held = prints.held()
    assert (held.recordings, held.numbers().tolist(), found(held, 2)[0]) == (3, [0, 1, 2], "r-2")
    assert held.peaks(1).at.tolist() == heard(2).at.tolist()
    known = held.known(1)
    assert (known.recording, known.file.name, known.seconds) == ("r-2", "/masters/2.flac", heard(2).seconds)
    assert (held.named("r-3"), held.exactly(bytes([3] * 16)), held.has(f"{1:064x}"), held.has("none")) == (
        [2],
        [2],
        True,
        False,
    )
    assert list(prints.verify()) == []


def test_whoever_searches_keeps_what_was_visible_when_they_began(prints: SqlPrints) -> None:
    prints.keep(printed(1))
    prints.publish()
    before = prints.held()
    prints.keep(printed(2))
    prints.publish()
    prints.delete(["r-1"])
    assert (before.recordings, before.candidates(heard(1), 5).recording.tolist()) == (1, [0])
    assert len(before.peaks(0)) == 0
    assert found(prints.held(), 1) == []
    assert before.state != prints.held().state


def test_a_file_that_is_heard_anew_replaces_what_it_was(prints: SqlPrints) -> None:
    prints.keep(printed(1))
    prints.publish()
    prints.keep(printed(2, recording="r-1", name="/masters/1.flac"))
    prints.publish()
    held = prints.held()
    assert (held.recordings, held.named("r-1"), found(held, 1), found(held, 2)) == (1, [1], [], ["r-1"])


def test_the_same_file_may_be_two_recordings_and_deleting_one_leaves_the_other(prints: SqlPrints) -> None:
    prints.keep(printed(1))
    prints.publish()
    (known,) = prints.same(f"{1:064x}")
    prints.again(known, SoundFile("/album/1.flac", "2:2"), "r-9")
    prints.publish()
    assert sorted(found(prints.held(), 1)) == ["r-1", "r-9"]
    assert prints.delete(["r-1", "none"]) == 1
    held = prints.held()
    assert (found(held, 1), held.named("r-1")) == (["r-9"], [])
    assert held.peaks(1).at.tolist() == heard(1).at.tolist()


def test_a_file_is_known_by_another_name_once_it_was_moved(prints: SqlPrints) -> None:
    prints.keep(printed(1))
    prints.publish()
    (known,) = prints.same(f"{1:064x}")
    prints.moved(known, SoundFile("/elsewhere/1.flac", "3:3"))
    at = prints.at("/elsewhere/1.flac")
    assert at is not None
    assert (at.number, at.file.stamp, prints.at("/masters/1.flac")) == (0, "3:3", None)


def test_what_could_not_be_heard_is_remembered_until_it_can(prints: SqlPrints) -> None:
    prints.refuse(SoundFile("/masters/1.flac", "9:9"), "it holds no sound")
    assert prints.refused("/masters/1.flac") == ("9:9", "it holds no sound")
    prints.keep(printed(1))
    assert prints.refused("/masters/1.flac") is None


def test_what_is_deleted_is_read_nowhere_any_more(tmp_path: Path) -> None:
    prints = opened(tmp_path)
    prints.keep(printed(1), printed(2))
    prints.publish()
    packed = printed(1).packed
    segment = next((tmp_path / "peaks").iterdir())
    assert packed in segment.read_bytes()
    assert prints.delete(["r-1"]) == 1
    assert packed not in segment.read_bytes()
    assert found(prints.held(), 2) == ["r-2"]
    prints.close()
    assert b"/masters/1.flac" not in (tmp_path / "prints.sqlite").read_bytes()


def test_the_same_sound_is_one_cluster(prints: SqlPrints) -> None:
    prints.keep(*(printed(n) for n in (1, 2, 3)))
    prints.publish()
    assert prints.unrelated().tolist() == [0, 1, 2]
    prints.relate([0, 1], [(1, 2)])
    held = prints.held()
    assert [held.cluster(number) for number in range(3)] == [0, 1, 1]
    assert prints.unrelated().tolist() == [2]
    assert prints.totals()["clusters"] == 2


def test_draws_are_kept_and_forgotten_with_what_they_were_drawn_from(prints: SqlPrints) -> None:
    prints.keep(printed(1), printed(2))
    prints.publish()
    prints.keep_draws([(0, 5.0, 5.0, 60, 1.5, 2.5), (1, float("inf"), 12.0, 140, 0.0, 3.0)])
    draws = prints.draws()
    assert (draws.recording.tolist(), draws.seconds.tolist(), draws.shares.tolist()) == (
        [0, 1],
        [5.0, np.inf],
        [2.5, 3.0],
    )
    prints.delete(["r-1"])
    assert prints.draws().recording.tolist() == [1]
    prints.forget_draws()
    assert len(prints.draws()) == 0


def test_an_index_in_another_size_finds_the_same(prints: SqlPrints) -> None:
    prints.keep(printed(1), printed(2))
    prints.publish()
    prints.keep(printed(3))
    prints.resize(256)
    held = prints.held()
    assert (held.k, held.recordings, found(held, 2)[0]) == (256, 2, "r-2")
    assert prints.publish() == 1
    assert found(prints.held(), 3)[0] == "r-3"
    with pytest.raises(InputError, match="4 bytes are asked for a recording"):
        prints.resize(1)


def test_many_small_shards_become_one_and_lose_nothing(prints: SqlPrints) -> None:
    for seed in range(1, 10):
        prints.keep(printed(seed))
        prints.publish()
    prints.delete(["r-4"])
    held = prints.held()
    assert [found(held, seed)[:1] for seed in (1, 4, 9)] == [["r-1"], [], ["r-9"]]
    assert list(prints.verify()) == []


@pytest.mark.parametrize("kind", ["memory", "folder"])
def test_two_indexes_of_one_key_become_one(kind: str, tmp_path: Path) -> None:
    ours, theirs = (opened(tmp_path / name if kind == "folder" else None) for name in ("ours", "theirs"))
    ours.keep(printed(1), printed(2))
    ours.publish()
    theirs.keep(printed(2), printed(3), printed(4))
    theirs.publish()
    theirs.delete(["r-3"])
    theirs.keep(printed(5))
    theirs.keep_draws([(2, 5.0, 5.0, 60, 1.5, 2.5)])
    assert ours.merge(theirs) == 1
    held = ours.held()
    assert (held.recordings, found(held, 2), found(held, 3), found(held, 4)) == (3, ["r-2"], [], ["r-4"])
    assert (found(held, 5), list(ours.verify()), ours.draws().recording.tolist()) == ([], [], [4])
    assert ours.unrelated().tolist() == [0, 1, 4]
    assert ours.merge(theirs) == 0
    ours.close()
    theirs.close()


def test_an_index_of_another_key_or_size_is_not_merged(tmp_path: Path) -> None:
    ours = opened(tmp_path / "ours")
    for other, said in ((opened(None, key=bytes(32)), "another key"), (opened(None, k=256), "1024 bytes a recording")):
        with pytest.raises(InputError, match=said):
            ours.merge(other)
        other.close()
    ours.close()


def test_an_index_is_asked_for_in_the_size_that_it_has(tmp_path: Path) -> None:
    opened(tmp_path, 64).close()
    opened(tmp_path, None).close()
    with pytest.raises(InputError, match="keeps 256 bytes a recording, and 1024 are asked for"):
        opened(tmp_path, 256)


def test_only_one_changes_prints_at_a_time(tmp_path: Path) -> None:
    one, other = opened(tmp_path), opened(tmp_path)
    with one.alone(), pytest.raises(LifecycleError, match="somebody else changes the prints"), other.alone():
        pass
    with other.alone():
        pass
    one.close()
    other.close()


def test_a_lost_or_another_key_is_not_replaced(tmp_path: Path) -> None:
    opened(tmp_path).close()
    key = tmp_path / "key.json"
    assert key.stat().st_mode & 0o777 == 0o600
    saved = key.read_text()
    key.unlink()
    with pytest.raises(CustodyError, match="missing"):
        opened(tmp_path)
    key.write_text(saved.replace(KEY.hex(), bytes(32).hex()))
    key.chmod(0o600)
    with pytest.raises(CustodyError, match="not the one that the index was made with"):
        opened(tmp_path)
    key.chmod(0o644)
    with pytest.raises(CustodyError, match="can be read by others"):
        opened(tmp_path)


def test_an_index_of_another_version_is_refused(tmp_path: Path) -> None:
    opened(tmp_path).close()
    connection = sqlite3.connect(tmp_path / "prints.sqlite")
    connection.execute("PRAGMA user_version = 99")
    connection.close()
    with pytest.raises(InputError, match="schema version 99, wanted 1"):
        opened(tmp_path)


SPOILT: dict[str, tuple[str, Callable[[bytes], bytes], str]] = {
    "peaks are altered": ("peaks/*", lambda octets: octets[:40] + b"\xff" + octets[41:], "the peaks of `r-1`"),
    "peaks are cut off": ("peaks/*", lambda octets: octets[:-5], "the peaks of `r-2`"),
    "postings are altered": ("shards/*", lambda octets: octets[:-1] + bytes([octets[-1] ^ 1]), "the index: "),
    "a shard is cut off": ("shards/*", lambda octets: octets[:-8], "the index: "),
}


@pytest.mark.parametrize("what", SPOILT)
def test_what_is_not_what_was_written_is_told(what: str, tmp_path: Path) -> None:
    pattern, spoil, said = SPOILT[what]
    prints = opened(tmp_path)
    prints.keep(printed(1), printed(2))
    prints.publish()
    (path,) = tmp_path.glob(pattern)
    path.write_bytes(spoil(path.read_bytes()))
    wrong = list(prints.verify())
    assert len(wrong) == 1
    assert wrong[0].startswith(said)
    prints.close()


def work(folder: Path) -> None:
    prints = opened(folder)
    with prints.alone():
        for seed in (2, 3):
            if prints.at(f"/masters/{seed}.flac") is None:
                prints.keep(printed(seed))
        if prints.at("/masters/1.flac") is not None:
            prints.keep(replace(printed(4), file=SoundFile("/masters/1.flac", "5:5"), recording="r-1"))
        prints.publish()
        prints.relate(prints.unrelated().tolist(), [(1, 2)])
        prints.delete(["r-3"])
    prints.close()


def visible(folder: Path) -> list[tuple[str, str]]:
    prints = opened(folder)
    held = prints.held()
    seen = [(held.known(n).recording, held.known(n).file.stamp) for n in held.numbers().tolist()]
    assert all(len(held.peaks(n)) for n in held.numbers().tolist())
    prints.close()
    return seen


@pytest.mark.slow
@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
def test_whoever_is_killed_at_any_point_leaves_what_was_visible_and_comes_to_the_same_end(tmp_path: Path) -> None:
    first = tmp_path / "first"
    prints = opened(first)
    prints.keep(printed(1))
    prints.publish()
    prints.close()
    for seed in (2, 3, 4):
        printed(seed)
    stages = (
        [("r-1", "1:1")],
        [("r-2", "1:1"), ("r-3", "1:1"), ("r-1", "5:5")],
        [("r-2", "1:1"), ("r-1", "5:5")],
    )
    points = 0
    for n in killings(3):
        folder = tmp_path / str(n)
        shutil.copytree(first, folder)
        dead = killed_before(n, lambda folder=folder: work(folder))  # type: ignore[misc]
        assert visible(folder) in stages
        work(folder)
        assert sorted(set(visible(folder))) == sorted(stages[-1])
        after = opened(folder)
        assert list(after.verify()) == []
        with after.alone():
            after.shards.tidy()
        named = {name for (name,) in after.ledger.rows("SELECT name FROM shard")}
        assert {path.name for path in (folder / "shards").iterdir()} == named
        after.close()
        shutil.rmtree(folder)
        points += 1
        if not dead:
            break
    assert points > 8


def test_other_processes_open_what_is_visible(tmp_path: Path) -> None:
    prints = opened(tmp_path)
    hold = Hold(tmp_path)
    assert hold().recordings == 0
    prints.keep(printed(1))
    prints.publish()
    assert hold() is hold()
    assert found(hold(), 1) == ["r-1"]
    prints.close()


@pytest.mark.parametrize("kind", ["memory", "folder"])
def test_answers_are_kept_for_one_state_of_the_index(kind: str, tmp_path: Path) -> None:
    answers = SqlAnswers(tmp_path if kind == "folder" else None)
    answers.open("one")
    file = SoundFile("/found/1.mp3", "1:1")
    answers.keep(Answered(file, "d", {"seconds": 3.5, "answers": []}))
    answers.open("one")
    again = answers.of(file)
    assert again is not None
    assert (again.digest, again.said) == ("d", {"seconds": 3.5, "answers": []})
    assert answers.of(replace(file, stamp="2:2")) is None
    answers.open("another")
    assert answers.of(file) is None
    answers.close()
