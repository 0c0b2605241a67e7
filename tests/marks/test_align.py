from collections.abc import Callable

import numpy as np
import pytest

from riparian.audio.pcm import Sound
from riparian.marks.align import Alignment, Master, align
from tests.marks.attacks import AAC_64, ATTACKS, MP3_64, SEMITONE, chain, joined, noise, rate, speed, tempo
from tests.marks.sounds import sound

SECONDS = 40
FASTER = chain(tempo(1.04 / SEMITONE), speed(SEMITONE), MP3_64)

RATIOS = {
    # What is done: speed, pitch, and how far off, in seconds, a place may be found.
    "nothing": (1.0, 1.0, 0.001),
    "AAC 64": (1.0, 1.0, 0.06),
    "Opus 24": (1.0, 1.0, 0.06),
    "noise at 20 dB": (1.0, 1.0, 0.001),
    "reverb": (1.0, 1.0, 0.002),
    "22.05 kHz": (1.0, 1.0, 0.001),
    "mono": (1.0, 1.0, 0.001),
    "speed + 4 %": (1.04, 1.04, 0.002),
    "speed - 4 %": (0.96, 0.96, 0.002),
    "tempo + 4 %": (1.04, 1.0, 0.03),
    "tempo - 10 %": (0.9, 1.0, 0.03),
    "pitch + 1": (1.0, SEMITONE, 0.03),
    "pitch - 1": (1.0, 1 / SEMITONE, 0.03),
    "pitch + 1, tempo + 4 %, MP3 64": (1.04, SEMITONE, 0.06),
}

Edit = Callable[[Sound], Sound]
EDITS: dict[str, tuple[Edit, list[tuple[float, float, float]]]] = {
    # What is done, and where in the copy, from and to, which second of the master begins.
    "a crop": (lambda copy: copy.cut(11.3, 26.3), [(0, 15, 11.3)]),
    "a crop of five seconds": (lambda copy: copy.cut(21.3, 26.3), [(0, 5, 21.3)]),
    "a crop of what was coded": (lambda copy: MP3_64(copy).cut(8.7, 30), [(0, 21.3, 8.7)]),
    "a crop of what is faster and higher": (lambda copy: FASTER(copy).cut(10, 30), [(0, 20, 10.4)]),
    "a cut": (lambda copy: joined(copy.cut(0, 15), copy.cut(23.2, 40)), [(0, 15, 0), (15, 31.8, 23.2)]),
    "a loop": (lambda copy: joined(copy.cut(0, 20), copy.cut(9.4, 30)), [(0, 20, 0), (20, 40.6, 9.4)]),
    "an insert": (
        lambda copy: joined(copy.cut(0, 14), sound("noise", 8, copy.rate, 2), copy.cut(14, 32)),
        [(0, 14, 0), (22, 40, 14)],
    ),
    "silence around": (
        lambda copy: joined(sound("silence", 5, copy.rate, 2), copy.cut(6, 30), sound("silence", 4, copy.rate, 2)),
        [(5, 29, 6)],
    ),
    "another order": (
        lambda copy: AAC_64(joined(copy.cut(26, 40), copy.cut(3, 13), copy.cut(14, 26))),
        [(0, 14, 26), (14, 24, 3), (24, 36, 14)],
    ),
    "another order, faster": (
        lambda copy: tempo(1.04)(joined(copy.cut(24, 40), copy.cut(3, 20))),
        [(0, 15.4, 24), (15.4, 31.7, 3)],
    ),
}


@pytest.fixture(scope="module")
def master() -> Master:
    return Master(sound("song", SECONDS, channels=2))


def places(found: Alignment) -> list[tuple[float, float, float]]:
    return [(one.copy_from_s, one.copy_to_s, one.master_from_s) for one in found.segments]


@pytest.mark.slow
@pytest.mark.parametrize(("attack", "wanted"), RATIOS.items(), ids=list(RATIOS))
def test_tempo_pitch_and_place_are_found_apart(attack: str, wanted: tuple[float, float, float], master: Master) -> None:
    copy = ATTACKS[attack](master.sound.cut(2, 24))
    found = align(copy, master)
    (piece,) = found.pieces
    assert piece.segment.speed == pytest.approx(wanted[0], abs=1e-3)
    assert found.pitch == pytest.approx(wanted[1], abs=1e-3)
    assert piece.segment.master_from_s == pytest.approx(2 + piece.segment.copy_from_s * wanted[0], abs=wanted[2])
    assert piece.segment.seconds > 0.95 * copy.seconds - 0.1
    at_s = np.array([5.0, 11.0, 19.0])
    assert piece.copy_at(at_s) == pytest.approx((at_s - 2) / wanted[0], abs=wanted[2])


@pytest.mark.slow
@pytest.mark.parametrize(("edit", "wanted"), EDITS.values(), ids=list(EDITS))
def test_every_piece_is_found(edit: Edit, wanted: list[tuple[float, float, float]], master: Master) -> None:
    found = places(align(edit(master.sound), master))
    assert len(found) == len(wanted)
    for (first, last, there), (wanted_first, wanted_last, wanted_there) in zip(found, wanted, strict=True):
        assert first == pytest.approx(wanted_first, abs=0.6)
        assert last == pytest.approx(wanted_last, abs=0.6)
        assert there - first == pytest.approx(wanted_there - wanted_first, abs=0.12)


def test_a_tape_that_drifts_is_followed(master: Master) -> None:
    (piece,) = align(ATTACKS["drift"](master.sound), master).pieces
    copy_s = np.linspace(2, 38, 10)
    there_s = copy_s * 1.0002 + 0.005 * 20 / (2 * np.pi) * np.sin(2 * np.pi * copy_s / 20)
    assert piece.copy_at(there_s) == pytest.approx(copy_s, abs=0.004)


@pytest.mark.parametrize(
    "copy",
    [
        pytest.param(sound("noise", 20), id="noise"),
        pytest.param(sound("silence", 20), id="silence"),
        pytest.param(sound("song", 2.5), id="too short"),
        pytest.param(Sound(np.zeros((1, 0), np.float32), 44_100), id="empty"),
        pytest.param(Sound(np.full((1, 44_100 * 5), 0.5, np.float32), 44_100), id="a constant"),
    ],
)
def test_what_does_not_lie_in_the_master_lies_nowhere(copy: Sound, master: Master) -> None:
    assert align(copy, master).pieces == ()
    assert align(master.sound.cut(0, 10), copy).pieces == ()


@pytest.mark.parametrize("name", ["bursts", "sustained", "noise"])
def test_other_sound_lies_nowhere(name: str, master: Master) -> None:
    assert sum(one.seconds for one in align(sound(name, 30), master).segments) < 6


@pytest.mark.slow
def test_channels_and_rates_may_differ(master: Master) -> None:
    six = Sound(np.vstack([master.sound.samples] * 3), master.sound.rate)
    against = Sound(np.stack([master.sound.samples[0], -master.sound.samples[0]]), master.sound.rate)
    for copy, of in (
        (six.cut(4, 16), master),
        (ATTACKS["mono"](master.sound).cut(4, 16), Master(six)),
        (against.cut(4, 16), Master(against)),
        (rate(48_000)(master.sound).cut(4, 16), master),
        (rate(8_000)(master.sound).cut(4, 16), master),
    ):
        ((first, last, there),) = places(align(copy, of))
        assert (first, last, there - first) == pytest.approx((0, 12, 4), abs=0.2)


def test_noise_moves_a_straight_map_by_less_than_a_sample(master: Master) -> None:
    (piece,) = align(noise(10)(master.sound.cut(5.0, 25.0)), master).pieces
    at_s = np.linspace(6, 24, 7)
    assert piece.copy_at(at_s) == pytest.approx(at_s - 5, abs=1 / 44_100)
