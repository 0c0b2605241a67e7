"""A mark is small, keeps to its bands and to full scale, is in every channel, and is the same every time."""

from dataclasses import replace

import numpy as np
import pytest
from numpy.typing import NDArray

from riparian.audio.pcm import Sound
from riparian.errors import InputError
from riparian.marks.embed import embed, embed_pair
from riparian.marks.keys import MarkKey
from riparian.marks.layout import BANDS, DIRECT_GROUPS, Layout, Pattern, edges_hz, pattern
from riparian.marks.strength import BELOW_DB, MOST_DB, NEPER_DB, SOFT_DB, measure, strength_of, tile_strength
from tests.marks.sounds import MAKERS, sound

KEY = MarkKey(bytes(range(32)), 1)


def lettered(original: Sound, groups: int = DIRECT_GROUPS) -> tuple[Layout, Pattern, NDArray[np.int8]]:
    """Give a layout, a pattern and some word for a recording."""
    layout = Layout.at(original.rate, groups)
    chunks = layout.chunks(original.seconds)
    word = KEY.signs("word", n=chunks * groups).reshape(chunks, groups)
    return layout, pattern(KEY, "r-1", layout, chunks), word


def marked(original: Sound, *, strength: float = 1.0) -> Sound:
    layout, tiles, word = lettered(original)
    return embed(original, tiles, layout, word, strength=strength)


def all_up(original: Sound) -> Sound:
    layout, tiles, word = lettered(original)
    return embed(original, Pattern(np.ones_like(tiles.chip), tiles.cell), layout, np.ones_like(word))


def below_db(original: Sound, copy: Sound) -> float:
    change = copy.samples - original.samples
    return float(10 * np.log10((original.samples**2).sum() / max(1e-30, float((change**2).sum()))))


@pytest.mark.parametrize("rate", [8_000, 11_025, 22_050, 44_100, 48_000, 96_000, 192_000])
@pytest.mark.parametrize("channels", [1, 2, 6])
def test_any_rate_and_any_channels_are_marked_the_same_each_time(rate: int, channels: int) -> None:
    original = sound("noise", 2.3, rate, channels)
    copy = marked(original)
    assert copy.samples.shape == original.samples.shape
    assert copy.rate == rate
    assert BELOW_DB - 0.5 < below_db(original, copy) < 42
    assert np.array_equal(copy.samples, marked(original).samples)


@pytest.mark.parametrize("name", MAKERS)
def test_what_is_added_is_far_below_the_sound(name: str) -> None:
    original = sound(name, 4.0, channels=2)
    copy = marked(original)
    assert below_db(original, copy) > BELOW_DB - 0.5
    assert np.abs(copy.samples).max() <= max(1.0, float(np.abs(original.samples).max()))


def test_tiles_go_up_by_as_much_as_is_said() -> None:
    original = sound("noise", 6.0)
    layout = Layout.at(44_100, DIRECT_GROUPS)
    rows = slice(2, -8)
    before, after = (measure(each, layout).power[rows] for each in (original, all_up(original)))
    wanted = tile_strength(original, layout)[rows]
    got = 0.5 * np.log(after / before)
    assert np.median(got / wanted) == pytest.approx(1, abs=0.1)
    assert np.corrcoef(got.ravel(), wanted.ravel())[0, 1] > 0.8
    assert wanted.max() <= MOST_DB / NEPER_DB + 1e-6


def test_all_channels_change_alike() -> None:
    one = sound("song", 3.0)
    original = Sound(np.concatenate([one.samples, 0.5 * one.samples, 0 * one.samples]), one.rate)
    change = marked(original).samples - original.samples
    assert np.abs(change[1] - 0.5 * change[0]).max() < 1e-6
    assert not change[2].any()


def test_silence_and_strength_of_nothing_leave_every_bit() -> None:
    nothing = sound("silence", 2.0, channels=2)
    assert np.array_equal(marked(nothing).samples, nothing.samples)
    song = sound("song", 2.0)
    assert np.array_equal(marked(song, strength=0.0).samples, song.samples)
    late = Sound(np.concatenate([nothing.samples[:1], song.samples, nothing.samples[:1]], axis=1), 44_100)
    change = marked(late).samples - late.samples
    assert change.any()
    # A step of an onset or an end is 3 ms.
    assert not change[:, : 2 * 44_100 - 128].any()
    assert not change[:, 4 * 44_100 + 128 :].any()


def test_nothing_is_added_beside_the_bands() -> None:
    original = sound("noise", 4.0)
    change = np.abs(np.fft.rfft(marked(original).samples[0] - original.samples[0])) ** 2
    hz = np.fft.rfftfreq(original.samples.shape[1], 1 / 44_100)
    beside = (hz < edges_hz()[0] - 100) | (hz > edges_hz()[-1] + 400)
    assert change[beside].sum() < 1e-3 * change.sum()


def test_what_comes_before_an_onset_is_hidden_by_what_is_there() -> None:
    original = sound("bursts", 4.2)
    samples = np.where(np.arange(original.samples.shape[1]) % 15_435 < 7_000, original.samples, 1e-4)
    original = Sound((samples + 1e-5 * sound("noise", 4.2).samples).astype(np.float32), 44_100)
    change = marked(original).samples - original.samples
    steps = (each[:, : 128 * 1400].reshape(-1, 128) for each in (original.samples, change))
    quiet, added = ((each**2).sum(axis=1) for each in steps)
    onsets = np.flatnonzero((quiet[1:] > 1e4 * quiet[:-1]) & (quiet[:-1] > 0))
    assert onsets.size > 5
    before = np.concatenate([onsets - k for k in (3, 4, 5)])
    assert (10 * np.log10(quiet[before] / np.maximum(added[before], 1e-30))).min() > 20


def test_beyond_full_scale_nothing_goes_further() -> None:
    original = Sound(2 * sound("song", 3.0).samples, 44_100)
    over = np.abs(original.samples) > 1
    copy = marked(original)
    assert over.any()
    assert (np.abs(copy.samples)[over] <= np.abs(original.samples)[over]).all()
    assert np.abs(copy.samples)[~over].max() <= 1


def test_a_louder_wish_changes_more() -> None:
    original = sound("song", 3.0)
    below = [below_db(original, marked(original, strength=strength)) for strength in (0.5, 1.0, 2.0)]
    assert below[0] > below[1] > below[2] > 28


def test_a_pair_is_what_either_would_be() -> None:
    original = sound("song", 3.0)
    layout, tiles, _ = lettered(original, 1)
    word = np.ones((4, 1), dtype=np.int8)
    for got, bits in zip(embed_pair(original, tiles, layout), (word, -word), strict=True):
        assert np.abs(got.samples - embed(original, tiles, layout, bits).samples).max() < 1e-6


@pytest.mark.parametrize("n", [0, 1, 700, 44_033])
def test_any_length_is_marked(n: int) -> None:
    original = Sound(sound("song", 1.1).samples[:, :n], 44_100)
    assert marked(original).samples.shape == original.samples.shape


def test_a_long_recording_is_taken_in_blocks_that_do_not_show() -> None:
    # 256 frames, 6 s, make a block: a cut of the recording that begins where a chunk does is marked as in the whole.
    original = sound("song", 13.0)
    layout, tiles, word = lettered(original)
    whole = embed(original, tiles, layout, word)
    start = 44_032 * 4
    rest = Sound(original.samples[:, start:].copy(), 44_100)
    part = embed(rest, Pattern(tiles.chip[20:], tiles.cell[20:]), layout, word[4:])
    later = slice(44_032, -8192)
    assert np.abs(part.samples[:, later] - whole.samples[:, start:][:, later]).max() < 1e-5


def test_strengths_are_of_all_bands_below_half_the_rate() -> None:
    strengths = tile_strength(sound("noise", 2.0, 8_000), Layout.at(8_000, 1))
    assert strengths.shape == (10, BANDS)
    unmarked = edges_hz()[1:] > 4_000
    assert not strengths[:, unmarked].any()
    assert strengths[:, ~unmarked].all()


def test_a_word_of_another_length_is_refused() -> None:
    original = sound("song", 3.0)
    layout = Layout.at(44_100, 1)
    with pytest.raises(InputError, match="wanted 20 rows and 4 chunks"):
        embed(original, pattern(KEY, "r-1", layout, 3), layout, np.ones((3, 1), dtype=np.int8))


@pytest.mark.parametrize(("softer_db", "share"), [(-6, 1.0), (0, 1.0), (2, 0.794), (6, 0.501), (20, 0.5)])
def test_a_soft_recording_is_marked_less(softer_db: float, share: float) -> None:
    tiles = measure(sound("noise", 3.0), Layout.at(44_100, DIRECT_GROUPS))
    powers = [np.full_like(tiles.all_power, 10 ** (db / 10)) for db in (SOFT_DB, SOFT_DB - softer_db)]
    # So weak a mark stays far below the sound by itself.
    loud, soft = (strength_of(replace(tiles, all_power=power), 0.01) for power in powers)
    assert soft == pytest.approx(share * loud, rel=1e-2)


def test_pauses_make_no_recording_soft() -> None:
    original = sound("noise", 3.0)
    paused = Sound(np.concatenate([original.samples, 0 * original.samples, 0 * original.samples], axis=1), 44_100)
    layout = Layout.at(44_100, DIRECT_GROUPS)
    one, other = (tile_strength(each, layout)[:10] for each in (original, paused))
    assert one == pytest.approx(other)
