import hashlib
import os
from pathlib import Path

import fsspec
import pytest
from blake3 import blake3

from riparian.feeds.masters import look
from riparian.ports.catalogue import Master, State

SOUND = bytes(range(256)) * 10_000


def master(path: str, algorithm: str = "sha256", digest: str = hashlib.sha256(SOUND).hexdigest()) -> Master:
    return Master(0, "r-1", path, len(SOUND), algorithm, digest)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "well.flac").write_bytes(SOUND)
    (tmp_path / "cut.flac").write_bytes(SOUND[:-1])
    (tmp_path / "rotten.flac").write_bytes(SOUND[:5] + b"x" + SOUND[6:])
    (tmp_path / "folder.flac").mkdir()
    return tmp_path


@pytest.mark.parametrize(
    ("name", "state", "found"),
    [
        ("well.flac", State.WELL, ""),
        ("rotten.flac", State.ROT, ""),
        ("cut.flac", State.ROT, "2,559,999 bytes, wanted 2,560,000"),
        ("gone.flac", State.LOST, "there is no such file"),
        ("folder.flac", State.UNREADABLE, "it is no regular file"),
    ],
)
def test_a_file_is_well_or_not(folder: Path, name: str, state: State, found: str) -> None:
    for path, root in ((str(folder / name), None), (name, folder), (f"file://{folder / name}", None)):
        looked = look(master(path), root)
        assert (looked.state, looked.found if found else "") == (state, found)


@pytest.mark.parametrize(
    ("algorithm", "digest"),
    [
        ("blake3", blake3(SOUND).hexdigest()),
        ("BLAKE3", blake3(SOUND).hexdigest().upper()),
        ("SHA-256", hashlib.sha256(SOUND).hexdigest()),
        ("md5", hashlib.md5(SOUND, usedforsecurity=False).hexdigest()),
    ],
)
def test_digests_of_several_kinds_are_compared(folder: Path, algorithm: str, digest: str) -> None:
    read: list[int] = []
    assert look(master("well.flac", algorithm, digest), folder, read.append).state is State.WELL
    assert sum(read) == len(SOUND)
    assert look(master("rotten.flac", algorithm, digest), folder).state is State.ROT


def test_object_storage_is_read_and_the_web_is_not(folder: Path) -> None:
    with fsspec.open("memory://masters/a.flac", "wb") as file:
        file.write(SOUND)
    assert look(master("memory://masters/a.flac")).state is State.WELL
    assert look(master("memory://masters/b.flac")).state is State.LOST
    for address in ("https://example.com/a.flac", "http://169.254.169.254/", f"simplecache::file://{folder}/well.flac"):
        assert look(master(address)).state is State.UNREADABLE
        assert "is no storage of files" in look(master(address)).found


def test_what_cannot_be_told_is_unreadable(folder: Path) -> None:
    assert look(master("well.flac", "crc32", "aa"), folder).found == "`crc32` is no digest that is known here"
    os.mkfifo(folder / "pipe.flac")  # which would be read for ever
    assert look(master("pipe.flac"), folder).state is State.UNREADABLE
    assert look(master("a\0b"), folder).state is State.UNREADABLE
