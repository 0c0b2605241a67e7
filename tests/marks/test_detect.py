import inspect
from collections.abc import Callable

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.special import expit, log_expit

from riparian.audio.pcm import Sound
from riparian.marks.align import Master, align, ways
from riparian.marks.code import Tier, bits
from riparian.marks.detect import compare, detect, read
from riparian.marks.embed import embed
from riparian.marks.keys import MarkKey
from riparian.marks.layout import Layout, pattern
from riparian.marks.reading import SOFT_MAX, Reading
from tests.marks.attacks import ATTACKS, MP3_64, SEMITONE, chain, joined, rate, speed, tempo
from tests.marks.sounds import sound

KEY = MarkKey(bytes(range(32)), 3)
LAYOUT = Layout.at(44_100, 16)
NAMED_NATS = 34.54
"""What names one of a million with a chance of 1e-9: ln(1e6 / 1e-9)."""


def marked(master: Sound, account: str = "a-0417", layout: Layout = LAYOUT) -> tuple[Sound, NDArray[np.int8]]:
    chunks = layout.chunks(master.seconds)
    word = bits(KEY, "r-1", account, layout, chunks, Tier.ONE)
    return embed(master, pattern(KEY, "r-1", layout, chunks), layout, word), word


def nats(reading: Reading, word: NDArray[np.int8]) -> float:
    """How much likelier the copy is issued with this word than with a random one."""
    return float((np.log(2) + log_expit(2.0 * reading.soft * word)).sum())


@pytest.fixture(scope="module")
def master() -> Master:
    return Master(sound("song", 20, channels=2))


@pytest.fixture(scope="module")
def issued(master: Master) -> tuple[Sound, NDArray[np.int8]]:
    return marked(master.sound)


SLOW = ("two generations", "pitch + 1, tempo + 4 %, MP3 64")


@pytest.mark.parametrize(
    "attack", [pytest.param(name, marks=pytest.mark.slow) if name in SLOW else name for name in ATTACKS]
)
def test_twenty_seconds_say_for_whom_whatever_became_of_them(
    attack: str, master: Master, issued: tuple[Sound, NDArray[np.int8]]
) -> None:
    copy, word = issued
    reading = detect(ATTACKS[attack](copy), master, KEY, "r-1", LAYOUT)
    assert nats(reading, word) > NAMED_NATS
    assert nats(reading, bits(KEY, "r-1", "a-0418", LAYOUT, word.shape[0], Tier.ONE)) < 5
    assert reading.facts.cover > 0.95
    assert reading.epoch == 3


EDITS: dict[str, Callable[[Sound], Sound]] = {
    "a crop of nine seconds": lambda copy: copy.cut(6.4, 15.4),
    "a cut": lambda copy: joined(copy.cut(0, 8), copy.cut(11.3, 20)),
    "another order": lambda copy: joined(copy.cut(10, 20), copy.cut(0, 10)),
    "silence around": lambda copy: joined(sound("silence", 4, 44_100, 2), copy, sound("silence", 3, 44_100, 2)),
    "driven into clipping": lambda copy: Sound(np.clip(4 * copy.samples, -1, 1), copy.rate),
    "one channel lost": lambda copy: Sound(copy.samples[1:].copy(), copy.rate),
    "8 kHz": rate(8_000),
    "a crop, faster and higher, coded": lambda copy: chain(tempo(1.04 / SEMITONE), speed(SEMITONE), MP3_64)(
        copy.cut(2, 19)
    ),
}


@pytest.mark.parametrize("edit", EDITS.values(), ids=list(EDITS))
def test_pieces_say_for_whom(
    edit: Callable[[Sound], Sound], master: Master, issued: tuple[Sound, NDArray[np.int8]]
) -> None:
    copy, word = issued
    assert nats(detect(edit(copy), master, KEY, "r-1", LAYOUT), word) > NAMED_NATS


@pytest.mark.slow
def test_what_is_heard_twice_counts_twice(master: Master, issued: tuple[Sound, NDArray[np.int8]]) -> None:
    copy, word = issued
    once = MP3_64(copy)
    twice = joined(once, MP3_64(Sound(copy.samples[:, 5_000:].copy(), copy.rate)))
    one, two = (detect(each, master, KEY, "r-1", LAYOUT) for each in (once, twice))
    assert two.facts.tiles > 1.8 * one.facts.tiles
    assert nats(two, word) > nats(one, word)


@pytest.mark.slow
@pytest.mark.parametrize(("at", "channels"), [(48_000, 1), (96_000, 2), (22_050, 1), (44_100, 6)])
def test_masters_of_any_rate_and_channels_are_read(at: int, channels: int) -> None:
    whole = sound("song", 12, at, channels)
    layout = Layout.at(at, 16)
    copy, word = marked(whole, layout=layout)
    assert nats(detect(rate(44_100)(copy), whole, KEY, "r-1", layout), word) > NAMED_NATS


@pytest.mark.slow
def test_bits_are_right_as_often_as_is_said() -> None:
    said, right = [], []
    for name, attack in (("speech", "Opus 24"), ("chords", "noise at 20 dB"), ("song", "MP3 64"), ("song", "Opus 24")):
        whole = sound(name, 25)
        copy, word = marked(whole)
        soft = detect(ATTACKS[attack](copy), whole, KEY, "r-1", LAYOUT).soft
        said.append(np.abs(soft).ravel())
        right.append((soft * word > 0).ravel())
    size, correct = np.concatenate(said), np.concatenate(right)
    for low, high in ((0.05, 0.4), (0.4, 1.0), (1.0, 2.0), (2.0, 4.0), (4.0, SOFT_MAX)):
        inside = (size >= low) & (size < high)
        expected = float(expit(2 * size[inside]).mean())
        allowed = 4 * np.sqrt(0.25 * expected * (1 - expected) / inside.sum() * 4) + 0.03
        assert inside.sum() > 30
        assert correct[inside].mean() == pytest.approx(expected, abs=float(allowed))


def test_another_key_hears_noise(master: Master, issued: tuple[Sound, NDArray[np.int8]]) -> None:
    compared = compare(ATTACKS["Opus 48"](issued[0]), master, LAYOUT)
    keys = [MarkKey(n.to_bytes(32, "big"), 1) for n in range(200)]
    heard = [read(compared, master, key, "r-1", LAYOUT) for key in keys]
    z = np.array([reading.pilot_z for reading in heard])
    # The highest of three ways to compare, which are much alike.
    assert -0.3 < z.mean() < 0.6
    assert 0.8 < z.std() < 1.2
    assert np.abs(z).max() < 5
    assert np.mean([np.abs(reading.soft).mean() for reading in heard]) < 0.15
    assert read(compared, master, KEY, "r-1", LAYOUT).pilot_z > 4
    assert abs(read(compared, master, KEY, "r-2", LAYOUT).pilot_z) < 4


def test_an_unmarked_copy_says_nothing(master: Master) -> None:
    reading = detect(ATTACKS["Opus 48"](master.sound), master, KEY, "r-1", LAYOUT)
    assert abs(reading.pilot_z) < 4
    assert all(nats(reading, bits(KEY, "r-1", f"a-{n}", LAYOUT, 21, Tier.ONE)) < 8 for n in range(50))


@pytest.mark.parametrize("name", ["noise", "silence", "sustained"])
def test_other_sound_says_nothing(name: str, master: Master) -> None:
    reading = detect(sound(name, 12), master, KEY, "r-1", LAYOUT)
    assert abs(reading.pilot_z) < 4
    assert np.abs(reading.soft).max() < 1


@pytest.mark.parametrize("seconds", [0, 0.001, 1.0, 2.99])
def test_what_is_too_short_is_a_reading_of_nothing(seconds: float, master: Master) -> None:
    reading = detect(master.sound.cut(3, 3 + seconds), master, KEY, "r-1", LAYOUT)
    assert reading.soft.shape == (21, 16)
    assert not reading.soft.any()
    assert reading.segments == ()
    assert detect(sound("song", 8), master.sound.cut(0, seconds), KEY, "r-1", LAYOUT).segments == ()


@pytest.mark.slow
def test_a_loop_is_told_from_the_next_by_the_pilot() -> None:
    whole = sound("drums", 30)  # of two seconds, exactly repeated
    copy, word = marked(whole)
    cut = copy.cut(12, 27)
    reading = detect(cut, whole, KEY, "r-1", LAYOUT)
    assert reading.segments[0].master_from_s - reading.segments[0].copy_from_s == pytest.approx(12, abs=0.01)
    assert nats(reading, word) > NAMED_NATS
    assert len(ways(Master(cut).heard, Master(whole))) > 3


def test_no_argument_could_carry_a_word() -> None:
    assert list(inspect.signature(detect).parameters) == ["copy", "master", "key", "recording", "layout", "strength"]
    assert list(inspect.signature(align).parameters) == ["copy", "master"]
    assert list(inspect.signature(compare).parameters) == ["copy", "master", "layout"]


@pytest.mark.slow
@pytest.mark.parametrize("attack", ["MP3 64", "tempo + 4 %"])
def test_where_a_copy_lies_is_the_same_to_whomever_it_was_issued(attack: str, master: Master) -> None:
    found = []
    for account in ("a-0417", "a-0418", "a-0419"):
        copy, word = marked(master.sound, account)
        reading = detect(ATTACKS[attack](copy), master, KEY, "r-1", LAYOUT)
        assert nats(reading, word) > NAMED_NATS
        found.append(
            [(one.copy_from_s, one.copy_to_s, one.master_from_s, one.speed, one.pitch) for one in reading.segments]
        )
    for other in found[1:]:
        assert np.array(other) == pytest.approx(np.array(found[0]), abs=0.02)


def test_a_reading_is_the_same_every_time(master: Master, issued: tuple[Sound, NDArray[np.int8]]) -> None:
    copy = ATTACKS["Opus 24"](issued[0])
    one, other = (detect(copy, master, KEY, "r-1", LAYOUT) for _ in range(2))
    assert np.array_equal(one.soft, other.soft)
    assert one.segments == other.segments
