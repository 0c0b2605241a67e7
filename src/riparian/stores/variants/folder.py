"""How do the two renditions lie in a folder?

Of a recording, in the folder that its grants open::

    marked/index.m3u8             the playlist of its renditions
    marked/aac-128/index.m3u8     a rendition: its segments, as if they were files
    marked/aac-128/init.mp4       its head
    marked/aac-128/variants.json  what an edge has to know (:mod:`riparian.marks.variants`)
    marked/aac-128/a, b           all chunks of either side, one after the other

The last three names have no ending of media: an origin serves none of them, and puts segments together from them.
Whoever had ``a`` and ``b`` whole could take the mark out and forge anybody's, so that the folder is nothing to serve as
it is, and readable for its owner only.

Everything about ``a`` is as of ``b``: the same places, the same length.
"""

import math
import os
import shutil
from collections.abc import Iterator, Sequence
from itertools import accumulate
from pathlib import Path
from typing import Final

from riparian.errors import InputError
from riparian.marks.grants import Version
from riparian.marks.variants import NAME, SIDES, Variants
from riparian.stores.files import reaching, write_whole
from riparian.stores.variants import cmaf
from riparian.stores.variants.coding import Coded

MARKED: Final = "marked"
INDEX: Final = "index.m3u8"
HEAD: Final = "init.mp4"
SEGMENT_CHUNKS: Final = 6
_CODECS: Final = {"aac": "mp4a.40.2", "flac": "fLaC"}


def write(
    pair: tuple[Coded, Coded], version: Version, folder: Path, *, segment_chunks: int = SEGMENT_CHUNKS
) -> Variants:
    """Write a rendition, in the place of the one that is there.

    Parameters
    ----------
    pair
        Side ``a`` and side ``b``, of one sound and coding.
    version
        How they are marked.
    folder
        Of the recording's renditions, ``marked``.
    segment_chunks
        How many chunks make a segment.

    Raises
    ------
    InputError
        When the two are not of one sound.
    OutsideError
        When the disk refuses.
    """
    first, second = pair
    if (first.rate, first.samples, first.config, len(first.blocks)) != (
        second.rate, second.samples, second.config, len(second.blocks),
    ):  # fmt: skip
        raise InputError("the two renditions differ in more than their sound, wanted them of one length and coding")
    cuts = first.chunk_blocks(version.layout.chunk_samples(first.rate))
    raw = [[cmaf.chunk(coded, number, cut) for number, cut in enumerate(cuts)] for coded in pair]
    sizes = cmaf.sides_alike(*raw)
    coding, places = first.coding, tuple(accumulate(sizes, initial=0))
    variants = Variants(
        version, coding.codec, coding.bit_rate, first.rate, first.channels, first.samples, segment_chunks, places
    )
    sides = [(cmaf.padded(chunk, size) for chunk, size in zip(chunks, sizes, strict=True)) for chunks in raw]
    files = dict(zip(SIDES, sides, strict=True)) | {
        INDEX: iter([playlist(variants).encode()]),
        HEAD: iter([cmaf.head(first, round(bandwidth(variants)[1]))]),
        NAME: iter([variants.written()]),
    }
    with reaching("writing marked renditions"):
        _put(folder / coding.name, files)
    return variants


def write_index(folder: Path, renditions: Sequence[tuple[str, Variants]]) -> None:
    """Write the playlist of all renditions of a recording.

    Parameters
    ----------
    folder
        Of the recording's renditions.
    renditions
        Each one's folder in it, the one to begin with first.

    Raises
    ------
    OutsideError
        When the disk refuses.
    """
    lines = ["#EXTM3U", "#EXT-X-VERSION:7", "#EXT-X-INDEPENDENT-SEGMENTS"]
    for name, variants in renditions:
        peak, mean = bandwidth(variants)
        codec = _CODECS[variants.codec]
        lines.append(
            f'#EXT-X-STREAM-INF:BANDWIDTH={math.ceil(peak)},AVERAGE-BANDWIDTH={math.ceil(mean)},CODECS="{codec}"'
        )
        lines.append(f"{name}/{INDEX}")
    with reaching("writing marked renditions"):
        folder.mkdir(parents=True, exist_ok=True)
        write_whole(folder / INDEX, lambda file: file.write("\n".join([*lines, ""]).encode()))


def playlist(variants: Variants) -> str:
    """Write a rendition's playlist; it tells nothing of sides.

    Examples
    --------
    >>> from riparian.marks.code import Tier
    >>> from riparian.marks.layout import Layout
    >>> version = Version("r-1", "00", 1, Layout.at(44_100, 1), Tier.MANY, 1.0)
    >>> print(playlist(Variants(version, "aac", 96_000, 44_100, 2, 100_000, 2, (0, 9, 19, 24))), end="")
    #EXTM3U
    #EXT-X-VERSION:7
    #EXT-X-TARGETDURATION:2
    #EXT-X-PLAYLIST-TYPE:VOD
    #EXT-X-INDEPENDENT-SEGMENTS
    #EXT-X-MAP:URI="init.mp4"
    #EXTINF:1.996916,
    000.m4s
    #EXTINF:0.270658,
    001.m4s
    #EXT-X-ENDLIST
    """
    seconds = [variants.seconds(segment) for segment in range(variants.segments)]
    lines = [
        "#EXTM3U",
        "#EXT-X-VERSION:7",
        f"#EXT-X-TARGETDURATION:{max(1, round(max(seconds)))}",
        "#EXT-X-PLAYLIST-TYPE:VOD",
        "#EXT-X-INDEPENDENT-SEGMENTS",
        f'#EXT-X-MAP:URI="{HEAD}"',
    ]
    for number, each in enumerate(seconds):
        lines += [f"#EXTINF:{each:.6f},", f"{number:03d}.m4s"]
    return "\n".join([*lines, "#EXT-X-ENDLIST", ""])


def bandwidth(variants: Variants) -> tuple[float, float]:
    """Give the highest and the mean bit rate of segments, in bits a second."""
    each = [(8 * variants.n_bytes(segment), variants.seconds(segment)) for segment in range(variants.segments)]
    # A last segment of a few samples is no measure of a rate.
    whole = each[:-1] or each
    mean = sum(bits for bits, _ in each) / sum(seconds for _, seconds in each)
    return max(mean, *(bits / seconds for bits, seconds in whole)), mean


def _put(folder: Path, files: dict[str, Iterator[bytes]]) -> None:
    fresh, gone = (folder.with_name(f"{folder.name}.{word}") for word in ("new", "old"))
    for left in (fresh, gone):
        shutil.rmtree(left, ignore_errors=True)
    fresh.mkdir(mode=0o700, parents=True)
    for name, parts in files.items():
        with os.fdopen(os.open(fresh / name, os.O_CREAT | os.O_WRONLY, 0o600), "wb") as file:
            file.writelines(parts)
    if folder.exists():
        folder.replace(gone)
    fresh.replace(folder)
    shutil.rmtree(gone, ignore_errors=True)
