"""A mark is small, keeps to its bands and to full scale, and is in every channel."""

import numpy as np
import pytest

from riparian.errors import InputError
from riparian.marks.embed import embed, embed_pair
from riparian.marks.keys import MarkKey
from riparian.marks.layout import DIRECT_GROUPS, Layout, pattern
from tests.marks.sounds import sound

KEY = MarkKey(bytes(range(32)), 1)


@pytest.mark.parametrize("rate", [8_000, 22_050, 44_100, 48_000, 96_000, 192_000])
@pytest.mark.parametrize("channels", [1, 2, 6])
def test_any_rate_and_any_channels_are_marked(rate: int, channels: int) -> None:
    original = sound("noise", 2.3, rate, channels)
    layout = Layout.at(rate, DIRECT_GROUPS)
    chunks = layout.chunks(original.seconds)
    tiles = pattern(KEY, "r-1", layout, chunks)
    bits = KEY.signs("bits", n=chunks * DIRECT_GROUPS).reshape(chunks, -1)
    marked = embed(original, tiles, layout, bits)
    assert marked.samples.shape == original.samples.shape
    assert marked.rate == rate
    change = marked.samples - original.samples
    assert 20 < 10 * np.log10((original.samples**2).sum() / (change**2).sum()) < 60
    assert np.array_equal(marked.samples, embed(original, tiles, layout, bits).samples)


def test_a_pair_is_what_either_would_be() -> None:
    original = sound("song", 3.0)
    layout = Layout.at(44_100, 1)
    tiles = pattern(KEY, "r-1", layout, 4)
    word = np.ones((4, 1), dtype=np.int8)
    for got, bits in zip(embed_pair(original, tiles, layout), (word, -word), strict=True):
        assert np.abs(got.samples - embed(original, tiles, layout, bits).samples).max() < 1e-6


def test_a_word_of_another_length_is_refused() -> None:
    original = sound("song", 3.0)
    layout = Layout.at(44_100, 1)
    with pytest.raises(InputError, match="wanted 20 rows and 4 chunks"):
        embed(original, pattern(KEY, "r-1", layout, 3), layout, np.ones((3, 1), dtype=np.int8))
