from itertools import pairwise

import numpy as np
import pyarrow as pa
import pytest

from riparian.bets.channels import MANY, SIXTEENTHS
from riparian.codes import codes_of
from riparian.errors import InputError
from riparian.marks import code
from riparian.marks.code import Tier, bits, words
from riparian.marks.keys import MarkKey
from riparian.marks.layout import DIRECT_GROUPS, VARIANT_GROUPS, Layout

KEY = MarkKey(bytes(range(32)), 1)
VARIANTS = Layout.at(44_100, VARIANT_GROUPS)
DIRECT = Layout.at(44_100, DIRECT_GROUPS)
OTHERS = {
    "another account": (KEY, "r-1", "a-0418", VARIANTS, Tier.MANY),
    "another recording": (KEY, "r-2", "a-0417", VARIANTS, Tier.MANY),
    "another epoch": (MarkKey(KEY.secret, 2), "r-1", "a-0417", VARIANTS, Tier.MANY),
    "another secret": (MarkKey(bytes(32), 1), "r-1", "a-0417", VARIANTS, Tier.MANY),
    "another tier": (KEY, "r-1", "a-0417", VARIANTS, Tier.ONE),
    "another length of a chunk": (KEY, "r-1", "a-0417", Layout.at(48_000, VARIANT_GROUPS), Tier.MANY),
}


def test_a_word_is_siphash_of_the_seed_and_of_the_place() -> None:
    seed = code.seeds(KEY, pa.array(["a-0417"]))
    begin = code.start(KEY, "r-1", DIRECT, Tier.ONE)
    messages = [seed.astype("<u8").tobytes() + place.to_bytes(8, "little") for place in range(3)]
    of_recording = KEY.siphash("code", "r-1", str(DIRECT.version), str(DIRECT.chunk_s), "16", "one")
    assert code.stream(begin, seed, 3)[0].tolist() == codes_of(pa.array(messages, pa.binary()), of_recording).tolist()


@pytest.mark.parametrize("other", OTHERS)
def test_words_tell_nothing_of_one_another(other: str) -> None:
    key, recording, account, layout, tier = OTHERS[other]
    one = bits(KEY, "r-1", "a-0417", VARIANTS, 4_000, Tier.MANY).ravel()
    two = bits(key, recording, account, layout, 4_000, tier).ravel()
    # Even chances apart, cells that share their biases agree more than half the time; words of other keys do not.
    biases = [code.biases(*of[:2], of[3], 4_000, of[4]).ravel() / 16 for of in ((KEY, "r-1", "", VARIANTS, Tier.MANY),)]
    theirs = code.biases(key, recording, layout, 4_000, tier).ravel() / SIXTEENTHS
    agree = biases[0] * theirs + (1 - biases[0]) * (1 - theirs)
    assert (one == two).sum() == pytest.approx(agree.sum(), abs=4 * np.sqrt((agree * (1 - agree)).sum()))


@pytest.mark.parametrize("tier", Tier)
def test_bits_are_as_often_up_as_their_chance_says(tier: Tier) -> None:
    seeds = code.seeds(KEY, pa.array(range(2_000)))
    up = (words(KEY, "r-1", seeds, VARIANTS, 180, tier)[:, :, 0] > 0).sum(axis=0)
    chance = code.biases(KEY, "r-1", VARIANTS, 180, tier).ravel() / SIXTEENTHS
    assert (np.abs(up - 2_000 * chance) / np.sqrt(2_000 * chance * (1 - chance))).max() < 4.5


def test_biases_are_mixed_as_the_tier_says_and_told_by_nothing_but_the_key() -> None:
    found = code.biases(KEY, "r-1", VARIANTS, 8_000, Tier.MANY).ravel()
    for sixteenths in set(MANY):
        share = MANY.count(sixteenths) / len(MANY)
        assert (found == sixteenths).mean() == pytest.approx(share, abs=4 * np.sqrt(share / 8_000))
    assert sum(MANY) == SIXTEENTHS * len(MANY) / 2, "neither rendition is the rarer one"
    other = code.biases(MarkKey(bytes(32), 1), "r-1", VARIANTS, 8_000, Tier.MANY).ravel()
    assert abs(np.corrcoef(found, other)[0, 1]) < 4 / np.sqrt(8_000)


@pytest.mark.parametrize(("layout", "tier"), [(VARIANTS, Tier.MANY), (DIRECT, Tier.ONE), (DIRECT, Tier.MANY)])
def test_a_longer_word_begins_with_the_shorter(layout: Layout, tier: Tier) -> None:
    found = [bits(KEY, "r-1", "a-0417", layout, chunks, tier) for chunks in (1, 7, 64, 65)]
    for short, long in pairwise(found):
        assert (long[: len(short)] == short).all()
    assert found[-1].shape == (65, layout.groups)
    assert found[-1].dtype == np.int8
    assert set(found[-1].ravel().tolist()) == {-1, 1}


def test_many_words_are_each_what_it_is_alone() -> None:
    names = [f"a-{i}" for i in range(130)]
    together = words(KEY, "r-1", code.seeds(KEY, pa.array(names)), DIRECT, 5, Tier.ONE)
    alone = [bits(KEY, "r-1", name, DIRECT, 5, Tier.ONE) for name in names]
    assert (together == np.array(alone)).all()
    assert len(np.unique(together.reshape(130, -1), axis=0)) == 130


def test_nobody_has_no_word() -> None:
    with pytest.raises(InputError, match="is empty"):
        bits(KEY, "r-1", "", DIRECT, 5, Tier.ONE)
