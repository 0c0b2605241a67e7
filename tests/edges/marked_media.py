"""A marked recording in a folder, as `riparian mark variants` leaves it, made once a session."""

from collections.abc import Sequence
from functools import cache
from pathlib import Path

import numpy as np

from riparian.audio.pcm import Sound
from riparian.marks.code import Tier
from riparian.marks.embed import embed_pair
from riparian.marks.grants import Version
from riparian.marks.keys import MarkKey
from riparian.marks.layout import VARIANT_GROUPS, Layout, pattern
from riparian.marks.variants import Variants, tapered
from riparian.stores.variants.coding import Coded, Coding, encode
from riparian.stores.variants.folder import write, write_index
from tests.marks.sounds import chords, drums

KEY = MarkKey(bytes(range(32)), 1)
SECONDS = 14.37


@cache
def stereo(seconds: float = SECONDS, rate: int = 44_100) -> Sound:
    return Sound(np.stack([chords(seconds, rate), drums(seconds, rate)]), rate)


@cache
def usual() -> tuple[tuple[Sound, Sound], Version]:
    """Mark the usual sound, once."""
    return sides(stereo())


def sides(master: Sound, recording: str = "r-1") -> tuple[tuple[Sound, Sound], Version]:
    layout = Layout.at(master.rate, VARIANT_GROUPS)
    tiles = pattern(KEY, recording, layout, layout.chunks(master.seconds))
    first, second = (tapered(master, side, layout) for side in embed_pair(master, tiles, layout))
    return (first, second), Version(recording, "00" * 32, KEY.epoch, layout, Tier.MANY, 1.0)


def coded(both: tuple[Sound, Sound], coding: Coding, version: Version) -> tuple[Coded, Coded]:
    each = version.layout.chunk_samples(both[0].rate)
    return encode(both[0], coding, each), encode(both[1], coding, each)


def marked(folder: Path, codings: Sequence[str], *, segment_chunks: int = 3) -> dict[str, Variants]:
    """Write `marked/` of r-1 into a folder of recordings; gives what there is of each rendition."""
    both, version = usual()
    made = {}
    for name in codings:
        coding = Coding.named(name)
        pair = coded(both, coding, version)
        made[coding.name] = write(pair, version, folder / "marked", segment_chunks=segment_chunks)
    write_index(folder / "marked", list(made.items()))
    return made


def expected(pair: tuple[Coded, Coded], variants: Variants, account: str) -> Coded:
    """Put together what an account gets, block by block, without any file."""
    word = variants.word(KEY, account)
    cuts = pair[0].chunk_blocks(variants.version.layout.chunk_samples(variants.rate))
    return pair[0].of([b for chunk, cut in enumerate(cuts) for b in pair[0 if word[chunk] > 0 else 1].blocks[cut]])
