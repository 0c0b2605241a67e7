"""How do two marked sounds become renditions that lie in a folder?

Each coding is made of both sides, its joins are listened to, and it is written; then the playlist of all of them.
"""

from collections.abc import Sequence
from pathlib import Path

from riparian.audio.pcm import Sound
from riparian.marks.grants import Version
from riparian.marks.variants import Pressed
from riparian.stores.variants.coding import Coding, encode
from riparian.stores.variants.folder import MARKED, write, write_index
from riparian.stores.variants.joins import joins


def press(
    codings: Sequence[Coding], segment_chunks: int, sides: tuple[Sound, Sound], version: Version, home: Path
) -> list[Pressed]:
    """Make renditions of a recording.

    Parameters
    ----------
    codings
        The one that players are to begin with first.
    segment_chunks
        How many chunks make a segment.
    sides
        Marked, and taken back where chunks meet.
    version
        How they are marked.
    home
        The folder of the recording.

    Raises
    ------
    InputError
        When a codec cannot hold such sound.
    OutsideError
        When encoder or disk refuse.
    """
    made = []
    each = version.layout.chunk_samples(sides[0].rate)
    for coding in codings:
        pair = encode(sides[0], coding, each), encode(sides[1], coding, each)
        found = joins(sides, pair, each)
        variants = write(pair, version, home / MARKED, segment_chunks=segment_chunks)
        made.append(Pressed(coding.name, variants, found.worst_db, found.heard))
    write_index(home / MARKED, [(one.name, one.variants) for one in made])
    return made
