"""Which bytes does this account get?

Two renditions of a recording, ``a`` with every bit of its mark +1 and ``b`` with every bit -1, are each encoded once
and cut into chunks of about a second at the same places.  What an account gets is, chunk by chunk, the one that its
word says.  A chunk of ``a`` is as long as the same chunk of ``b``, so that one list of places holds for both, and
nobody learns from a length which it was.

Conventions
-----------
* Chunks and segments are numbered from 0; a segment is ``segment_chunks`` chunks, the last one may be fewer.
* Places are in bytes.
* A word has one bit a chunk; of which tier, the version says.

Source
------
ETSI TS 104 002 V1.1.1 (2023), DASH-IF forensic A/B watermarking: a token says who asks, the edge chooses the variant.
"""

import json
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from riparian.audio.pcm import Sound
from riparian.errors import InputError
from riparian.marks.code import bits
from riparian.marks.grants import Version
from riparian.marks.keys import MarkKey
from riparian.marks.layout import VARIANT_GROUPS, Layout

VERSION: Final = 1
NAME: Final = "variants.json"
SIDES: Final = ("a", "b")
"""Where a bit is +1, and where it is -1."""
JOIN_SAMPLES: Final = 1024
"""How much of a chunk's beginning a codec may need to go over from one rendition to the other."""


@dataclass(frozen=True, slots=True)
class Piece:
    """Bytes of one side that stand together."""

    side: str
    first: int
    n_bytes: int


@dataclass(frozen=True, slots=True)
class Variants:
    """What an edge and a reader have to know of a marked rendition.

    Parameters
    ----------
    version
        How it is marked.
    codec, bit_rate
        Of both sides; 0 where nothing is lost.
    rate, channels, samples
        Of the sound.
    segment_chunks
        Chunks that a segment has.
    places
        Where each chunk begins in either side, and where the last ends.

    Raises
    ------
    InputError
        When these do not fit together.

    Examples
    --------
    >>> from riparian.marks.code import Tier
    >>> version = Version("r-1", "00", 1, Layout.at(44_100, VARIANT_GROUPS), Tier.MANY, 1.0)
    >>> variants = Variants(version, "aac", 96_000, 44_100, 2, 100_000, 2, (0, 9, 19, 24))
    >>> variants.chunks, variants.segments, variants.seconds(1)
    (3, 2, 0.2706575963718821)
    >>> variants.pieces(0, np.array([1, -1, 1], np.int8))
    (Piece(side='a', first=0, n_bytes=9), Piece(side='b', first=9, n_bytes=10))
    >>> variants.pieces(0, np.array([1, 1, 1], np.int8))
    (Piece(side='a', first=0, n_bytes=19),)
    >>> Variants.read(variants.written()) == variants
    True
    """

    version: Version
    codec: str
    bit_rate: int
    rate: int
    channels: int
    samples: int
    segment_chunks: int
    places: tuple[int, ...]

    def __post_init__(self) -> None:
        layout = self.version.layout
        wanted = -(-self.samples // layout.chunk_samples(self.rate))
        if wanted < 1 or len(self.places) != wanted + 1 or layout.groups != VARIANT_GROUPS or self.segment_chunks < 1:
            raise InputError(
                f"the renditions have {len(self.places) - 1} chunks of {layout.groups} bits, wanted {wanted} of 1"
            )
        if self.places[0] != 0 or any(last <= first for first, last in pairwise(self.places)):
            raise InputError("the places of chunks do not rise from 0, wanted them as they stand in the file")

    @property
    def chunks(self) -> int:
        """How many there are."""
        return len(self.places) - 1

    @property
    def segments(self) -> int:
        """How many there are."""
        return -(-self.chunks // self.segment_chunks)

    def seconds(self, segment: int) -> float:
        """Say how long a segment is."""
        each = self.version.layout.chunk_samples(self.rate)
        first, last = self._chunks_of(segment)
        return (min(self.samples, last * each) - first * each) / self.rate

    def n_bytes(self, segment: int) -> int:
        """Say how many bytes a segment has, whoever asks for it."""
        first, last = self._chunks_of(segment)
        return self.places[last] - self.places[first]

    def word(self, key: MarkKey, account: str) -> NDArray[np.int8]:
        """Give an account's word; shape=(chunks,), -1 or 1.

        Raises
        ------
        InputError
            When the key is of another epoch, or the account is empty.
        """
        of = self.version
        if key.epoch != of.epoch:
            raise InputError(f"the key is of epoch {key.epoch}, wanted {of.epoch}")
        word: NDArray[np.int8] = bits(key, of.recording, account, of.layout, self.chunks, of.tier)[:, 0]
        return word

    def pieces(self, segment: int, word: NDArray[np.int8]) -> tuple[Piece, ...]:
        """Say which bytes make up a segment.

        Parameters
        ----------
        segment
            From 0 to ``segments - 1``.
        word : np.ndarray [shape=(chunks,), int8]
            -1 or 1.
        """
        found: list[Piece] = []
        for chunk in range(*self._chunks_of(segment)):
            side, first = SIDES[0 if word[chunk] > 0 else 1], self.places[chunk]
            n_bytes = self.places[chunk + 1] - first
            if found and found[-1].side == side:
                found[-1] = Piece(side, found[-1].first, found[-1].n_bytes + n_bytes)
            else:
                found.append(Piece(side, first, n_bytes))
        return tuple(found)

    def written(self) -> bytes:
        """Write it down as JSON."""
        said = {name: getattr(self, name) for name in self.__slots__} | {"version": self.version.said()}
        return json.dumps({"variants": VERSION, **said}, indent=1).encode() + b"\n"

    @classmethod
    def read(cls, raw: bytes) -> "Variants":
        """Read what :meth:`written` wrote.

        Raises
        ------
        InputError
            When it is something else.
        """
        try:
            said: dict[str, Any] = json.loads(raw)
            if said.pop("variants") != VERSION:
                raise InputError(
                    "the renditions are of another version, wanted 1", hint="Read it with the release that wrote it."
                )
            version, places = Version.heard(said.pop("version")), tuple(map(int, said.pop("places")))
            return cls(version=version, places=places, **said)
        except (ValueError, TypeError, KeyError, AttributeError) as error:
            raise InputError(
                f"`{NAME}` is no list of chunks, wanted one as `riparian mark variants` writes it",
                hint="Make the renditions again.",
            ) from error

    def _chunks_of(self, segment: int) -> tuple[int, int]:
        first = segment * self.segment_chunks
        return first, min(self.chunks, first + self.segment_chunks)


@dataclass(frozen=True, slots=True, eq=False)
class Pressed:
    """A rendition that lies in its folder.

    Parameters
    ----------
    name
        Of the folder.
    variants
        What an edge has to know of it.
    join_db
        The most that going over from one side to the other adds anywhere, over the codec's own noise; dB.
    heard
        Side ``a`` as a player hears it.
    """

    name: str
    variants: Variants
    join_db: float
    heard: Sound


def tapered(master: Sound, marked: Sound, layout: Layout) -> Sound:
    """Take a mark back where chunks meet, so that nothing is heard of going over to the other rendition there.

    At a chunk's beginning the two are the master for ``JOIN_SAMPLES``, and before and after that the mark fades.  A
    codec's blocks overlap there, and what one rendition put into a block is not made good by the other's next: with
    equal sound, only what the codec itself leaves out differs.  It costs a twentieth of the mark.

    Parameters
    ----------
    master, marked
        Before and after; of one length and rate.
    layout
        Says where chunks begin.

    Examples
    --------
    >>> master = Sound(np.zeros((1, 100_000), np.float32), 44_100)
    >>> marked = Sound(np.ones((1, 100_000), np.float32), 44_100)
    >>> soft = tapered(master, marked, Layout.at(44_100, 1)).samples[0]
    >>> soft[[0, 43_007, 44_032, 45_055, 46_081]].round(2).tolist()
    [1.0, 1.0, 0.0, 0.0, 1.0]
    """
    each, n = layout.chunk_samples(master.rate), master.samples.shape[1]
    long = JOIN_SAMPLES
    ramp = ((1 - np.cos(np.pi * (np.arange(long) + 0.5) / long)) / 2).astype(np.float32)
    fade = np.concatenate((ramp[::-1], np.zeros(long, np.float32), ramp))
    samples = marked.samples.copy()
    for begin in range(each, n, each):
        now = slice(begin - long, min(n, begin + 2 * long))
        before = master.samples[:, now]
        samples[:, now] = before + fade[: before.shape[1]] * (samples[:, now] - before)
    return Sound(samples, master.rate)
