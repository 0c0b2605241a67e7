"""Renditions from the command line, and a stream of them traced."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest
import soundfile

from riparian.marks.variants import Variants
from riparian.stores.mark_keys import FolderMarkKeys

RATE = 44_100
ACCOUNTS = [f"a-{i:03}" for i in range(200)]
LEAKER = "a-042"

pytestmark = pytest.mark.slow


def run(*words: str, at: Path, code: int = 0) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "riparian.cli", *words]
    done = subprocess.run(command, cwd=at, capture_output=True, text=True, check=False)
    assert done.returncode == code, done.stderr
    return done


def objects(done: subprocess.CompletedProcess[str]) -> list[dict[str, Any]]:
    return [json.loads(line) for line in done.stdout.splitlines()]


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("house")
    noise = np.random.default_rng(1).normal(0, 0.1, (RATE * 70, 1))
    soundfile.write(folder / "song.flac", noise, RATE)
    # Seventy seconds say less than a track does: a year of a hundred copies, with a mistake in ten.
    workspace = folder / "riparian-workspace"
    FolderMarkKeys(workspace, lambda n: bytes(range(n))).current()
    (workspace / "policy.toml").write_text("copies_traced_per_year = 100\nwrongful_traces_per_year = 0.1\n")
    (folder / "accounts.csv").write_text("account\n" + "\n".join(ACCOUNTS) + "\n")
    (made,) = objects(
        run("mark", "variants", "song.flac", "-o", "public", "--rendition", "aac:96", "--json", at=folder)
    )
    assert made["kind"] == "variants"
    assert (made["recording"], made["rendition"], made["chunks"]) == ("song", "aac-96", 71)
    assert made["join_db"] <= 0
    assert np.median(made["distances"]) >= 2
    return folder


def leak(house: Path, account: str) -> Path:
    """Put together what an account streams, and write it as a file that is found."""
    rendition = house / "public/song/marked/aac-96"
    variants = Variants.read((rendition / "variants.json").read_bytes())
    word = variants.word(FolderMarkKeys(house / "riparian-workspace").current(), account)
    pieces = [piece for segment in range(variants.segments) for piece in variants.pieces(segment, word)]
    raw = {side: (rendition / side).read_bytes() for side in "ab"}
    stream = b"".join(raw[piece.side][piece.first : piece.first + piece.n_bytes] for piece in pieces)
    (house / "stream.mp4").write_bytes((rendition / "init.mp4").read_bytes() + stream)
    with av.open(str(house / "stream.mp4")) as source:
        heard = np.concatenate([frame.to_ndarray() for frame in source.decode(audio=0)], axis=1)
    soundfile.write(house / "leak.mp3", heard.T, RATE)
    return house / "leak.mp3"


def test_a_stream_that_leaked_is_traced_among_those_who_may_have_streamed_it(house: Path) -> None:
    leak(house, LEAKER)
    given = ("--streamed", "public", "--listeners", "accounts.csv", "--master", "song.flac")
    (issued,) = objects(run("trace", "leak.mp3", *given, "--json", at=house))
    assert (issued["kind"], issued["account"], issued["recording"]) == ("issued", LEAKER, "song")


SAID: dict[str, tuple[tuple[str, ...], str]] = {
    "renditions and no listeners": (("--streamed", "public"), "go together"),
    "listeners and no renditions": (("--listeners", "accounts.csv"), "go together"),
    "no renditions there": (("--streamed", "riparian-workspace", "--listeners", "accounts.csv"), "no renditions"),
    "no master": (("--streamed", "public", "--listeners", "accounts.csv"), "was not said where the master"),
}


@pytest.mark.parametrize("situation", SAID)
def test_what_is_missing_to_trace_a_stream_is_said(house: Path, situation: str) -> None:
    words, wanted = SAID[situation]
    soundfile.write(house / "other.wav", np.zeros((RATE, 1)), RATE)
    assert wanted in run("trace", "other.wav", *words, at=house, code=2).stderr


def test_a_codec_whose_joins_are_heard_is_refused(house: Path) -> None:
    done = run("mark", "variants", "song.flac", "-o", "public", "--rendition", "opus:96", at=house, code=2)
    assert "`opus` cannot be cut where renditions change" in done.stderr


def test_what_marking_costs_is_told_by_popularity_before_anything_is_encoded(house: Path) -> None:
    rows = "\n".join(f"r-{i},{1000 / (i + 1)}" for i in range(2000))
    (house / "catalogue.csv").write_text(f"recording,popularity\n{rows}\n")
    told = objects(run("mark", "plan", "--plays-per-day", "10000", "--catalogue", "catalogue.csv", "--json", at=house))
    assert [one["recordings"] for one in told] == [2, 18, 180, 1800]
    assert sum(one["plays_share"] for one in told) == pytest.approx(1)
    assert all(one["stored_marked_bytes"] == pytest.approx(2 * one["stored_bytes"], abs=1) for one in told)
    ratios = [one["fetched_ratio"] for one in told]
    assert ratios == sorted(ratios, reverse=True)
    assert ratios[-1] < 1.5
    shown = run("mark", "plan", "--plays-per-day", "10000", "--catalogue", "catalogue.csv", at=house).stdout
    assert "1,800" in shown


def test_a_catalogue_without_plays_plans_nothing(house: Path) -> None:
    (house / "plain.csv").write_text("recording\nr-1\n")
    done = run("mark", "plan", "--plays-per-day", "10", "--catalogue", "plain.csv", at=house, code=2)
    assert "no plays of them" in done.stderr
