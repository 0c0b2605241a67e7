"""Small replays of the programs that measure marks on real tracks: on sound that is made, without others' programs."""

import importlib
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from riparian.audio.pcm import Sound
from tests.marks import attacks
from tests.marks.sounds import sound

pytestmark = pytest.mark.slow

BENCH = Path(__file__).resolve().parents[2] / "bench"
FEW = 2_000


@pytest.fixture(scope="module")
def programs() -> Iterator[Any]:
    """Let programs of bench/ be imported by their names, as they import one another."""
    sys.path.insert(0, str(BENCH))
    yield importlib.import_module
    sys.path.remove(str(BENCH))


@pytest.fixture(scope="module")
def minute() -> tuple[str, Sound]:
    return "song", sound("song", 40)


def test_a_copy_is_traced_after_attacks_and_nobody_else_is(programs: Any, minute: tuple[str, Sound]) -> None:
    robust = programs("marks_robust")
    by = {"MP3 64k": attacks.MP3_64, "noise": attacks.noise(20), "tempo": attacks.tempo(1.04)}
    rows = list(robust.cases(*minute, by, FEW))
    assert all(row["named"] and not row["wrong"] and row["crop_bits"] > 40 for row in rows), rows
    assert [row["named"] for row in robust.pivot(rows, "bits")] == ["1/1"] * 3
    others = list(robust.innocents(rows))
    assert all(0.9 < float(row["sd_least"]) < 1.1 and row["accused"] == 0 for row in others), others
    assert all(float(row["other_key_z_most"]) < 4 < float(row["pilot_z_least"]) for row in others), others


def test_who_leaked_a_stretch_of_two_renditions_is_named(programs: Any) -> None:
    found = list(programs("marks_ab").alone("song", sound("speech", 120), {"MP3 64k": attacks.MP3_64}, _as_it_is, FEW))
    assert [(row["named"], row["wrong"]) for row in found] == [(True, 0)], found


def test_of_two_who_mix_a_library_somebody_is_named_and_nobody_else(
    programs: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(programs("marks_ab"), "RULES", ("turns", "fewest"))
    library = [(name, sound(name, 120, 22_050)) for name in ("plucked", "speech", "noise")]
    rows = list(programs("marks_ab").rings(library, [(2, 3)], _as_it_is, _as_it_is, FEW))
    assert [row["rule"] for row in rows] == ["turns", "fewest"]
    assert all(row["caught"] == 1 and row["innocent"] == 0 for row in rows), rows


def test_two_who_average_a_file_are_both_named(programs: Any, minute: tuple[str, Sound]) -> None:
    (row,) = programs("marks_promo").rows(iter([minute]), 2, attacks.MP3_64, FEW)
    assert (row["named"], row["innocent"]) == (2, 0)


ADAPTIVE = {
    "re-modulate, 0.5 dB": True,
    "flatten, 10%": True,
    "warp, 0.2 %": True,
    "cut 20 ms a second": True,
    "pair, mean": True,
    "pair, away by x1": True,
    "plant a stranger's, same recording, x1": True,
    "plant a stranger's, from another recording, x1": False,
}
"""Attacks of those who know the scheme, and whether whoever is asked for is named: the last one is framed in vain."""


@pytest.mark.parametrize("attack", ADAPTIVE)
def test_who_knows_the_scheme_but_not_the_key_frames_nobody(
    programs: Any, minute: tuple[str, Sound], attack: str
) -> None:
    adaptive = programs("marks_adaptive")
    (row,) = adaptive.rows([minute], {attack: adaptive.ADAPTIVE[attack]}, FEW)
    assert (row["named"], row["wrong"]) == ("1/1" if ADAPTIVE[attack] else "0/1", 0), row


def test_speed_is_told_with_its_worst(programs: Any) -> None:
    speed, marking = programs("marks_speed"), programs("marking")
    rows = [speed.measured("song", sound("song", 20), {"mp3": attacks.MP3_64}, marking.candidates(FEW), 1)]
    assert set(speed.worst(rows)) == set(rows[0])


def test_quality_without_the_program_says_so(
    programs: Any, minute: tuple[str, Sound], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", "")
    monkeypatch.delenv("PEAQ", raising=False)
    (row,) = programs("marks_quality").rows(iter([minute]), attacks.MP3_64)
    assert row["odg"] == "not installed"
    assert float(row["snr"]) >= 36


def _as_it_is(whole: Sound) -> Sound:
    return whole
