"""Is this file, whatever its tags and its container say, one that we have?

A mirrored file is often the very one that was served, with other tags, another name, another container.  What was
encoded stays: so the packets are digested, without what introduces a codec and without headers that may be written
anew.  Nothing is decoded.  Two files with one digest hold the same sound to the last bit of its encoding.

A copy that was cut, or that was joined to others, shares *stretches*.  They begin and end where the contents say: at
packets whose digests are the least among their neighbours', so that one stretch is the same wherever it stands.  A
stretch of which too little differs (silence, a tone) says nothing, and is not given.

The parsers are ours, in Python, and nothing that they read can do more than end in one error; a process of their own
would cost ten times what they take.

Source
------
Local-minimum chunking: Bjorner, N., Blass, A. and Gurevich, Y. (2010), Content-dependent chunking for differential
compression, the local maximum approach, J. Comput. Syst. Sci. 76, section 3.
"""

import hashlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import BinaryIO, Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from riparian.errors import InputError
from riparian.feeds import boxes, ebml, frames, ogg
from riparian.feeds.boxes import PACKETS_MAX
from riparian.feeds.frames import Packet
from riparian.feeds.sound_files import Limits, opened

VERSION: Final = 1
DIGEST_BYTES: Final = 16
_PERSON: Final = b"riparian packets"
_REACH: Final = {"mp3": 191, "aac": 215, "opus": 250, "vorbis": 300, "flac": 50, "alac": 50}
"""Among how many packets on either side one is the least: five seconds of them, so that stretches take about ten."""
DIFFERENT_MIN: Final = 16
"""Packets that differ from one another, without which a stretch, or a file, says nothing."""


class Stretch(NamedTuple):
    """A part of a file that is the same wherever it stands: 64 bits, and from when to when, by the file's own clock."""

    digest: int
    from_s: float
    to_s: float


@dataclass(frozen=True, slots=True)
class Packets:
    """What a file holds, encoded.

    Parameters
    ----------
    codec
        ``mp3``, ``aac``, ``opus``, ``vorbis``, ``flac`` or ``alac``.
    digest
        Of all packets and the codec; 16 bytes.
    n
        How many packets.
    seconds
        How long they say they are: a file may lie, and one that was cut may count from where it was cut.
    different
        How many of them differ from one another; below ``DIFFERENT_MIN`` the digest is that of silence, or of a tone.
    stretches
        In order.
    """

    codec: str
    digest: bytes
    n: int
    seconds: float
    different: int
    stretches: tuple[Stretch, ...]

    @property
    def tells(self) -> bool:
        """Say whether one digest means one recording."""
        return self.different >= DIFFERENT_MIN


def packets(path: Path, limits: Limits | None = None) -> Packets | None:
    """Digest what a file holds, encoded.

    Parameters
    ----------
    path
        MP3, AAC in ADTS, FLAC, Ogg, MP4 or Matroska.
    limits
        What it may cost; of them the size of the file.

    Returns
    -------
    Packets | None
        None for WAV and AIFF, which hold no packets, and for codecs whose packets are not known.

    Raises
    ------
    InputError
        When it is no sound file, holds no packet, is encrypted, or is more than it may be.  A decoder may still make
        something of it.
    """
    with opened(path, limits or Limits()) as (file, container):
        if container not in _READERS:
            return None
        try:
            codec, found = _READERS[container](file)
            return digested(codec, found) if codec in _REACH else None
        except ValueError as error:
            raise InputError(
                f"`{path}` cannot be taken apart: {error}, wanted packets of sound",
                hint="Look at it with another program.",
            ) from error


def _alone(
    codec: str, read: Callable[[BinaryIO], Iterator[Packet]]
) -> Callable[[BinaryIO], tuple[str, Iterator[Packet]]]:
    return lambda file: (codec, read(file))


_READERS: Final[dict[str, Callable[[BinaryIO], tuple[str, Iterator[Packet]]]]] = {
    "mp3": _alone("mp3", frames.mp3),
    "aac": _alone("aac", frames.adts),
    "flac": _alone("flac", frames.flac),
    "ogg": ogg.read,
    "mov": boxes.read,
    "matroska": ebml.read,
}


def digested(codec: str, found: Iterator[Packet]) -> Packets:
    """Digest packets.

    Raises
    ------
    ValueError
        When there is none, or there are more than ``PACKETS_MAX``.

    Examples
    --------
    >>> one = digested("opus", iter([(b"a", 0.02), (b"b", 0.04)]))
    >>> one.n, one.seconds, one.tells, one.digest.hex()
    (2, 0.04, False, 'd441acf6012ebb7aee0ec3d541e835ce')
    """
    blake2b, joined, ends = hashlib.blake2b, bytearray(), []
    for body, end in found:
        joined += blake2b(body, digest_size=DIGEST_BYTES, person=_PERSON).digest()
        ends.append(end)
        if len(ends) > PACKETS_MAX:
            raise ValueError(f"it has more than {PACKETS_MAX} packets")
    if not ends:
        raise ValueError("it holds no packet")
    words = np.frombuffer(bytes(joined), "<u8")[::2]
    whole = blake2b(codec.encode() + b"\0" + joined, digest_size=DIGEST_BYTES, person=_PERSON).digest()
    different = _different(words)
    times = np.array([0.0, *ends])
    return Packets(codec, whole, len(ends), float(times[-1]), different, _stretches(codec, bytes(joined), words, times))


def _stretches(codec: str, joined: bytes, words: NDArray[np.uint64], times: NDArray[np.float64]) -> tuple[Stretch, ...]:
    cuts = [0, *cuts_of(words, _REACH[codec]).tolist(), words.size]
    found = []
    for first, last in pairwise(cuts):
        if _different(words[first:last]) < DIFFERENT_MIN:
            continue
        octets = joined[DIGEST_BYTES * first : DIGEST_BYTES * last]
        digest = hashlib.blake2b(codec.encode() + b"\0" + octets, digest_size=8, person=_PERSON).digest()
        found.append(Stretch(int.from_bytes(digest), float(times[first]), float(times[last])))
    return tuple(found)


def _different(words: NDArray[np.uint64]) -> int:
    # np.unique goes through a table of hashes, and takes eighty times as long.
    ascending = np.sort(words)
    return min(1, words.size) + int((ascending[1:] != ascending[:-1]).sum())


def cuts_of(words: NDArray[np.uint64], reach: int) -> NDArray[np.int64]:
    """Find where a number is less than all on either side within a reach.

    Examples
    --------
    >>> cuts_of(np.array([5, 3, 1, 4, 6, 2, 7, 7], np.uint64), 2).tolist()
    [2, 5]
    >>> cuts_of(np.zeros(10, np.uint64), 2).tolist()
    []
    """
    if words.size < 2 * reach + 1:
        return np.empty(0, np.int64)
    least = _least(words, reach)
    # Both neighbourhoods have to be whole, or a cut would depend on where the file begins.
    inner = np.arange(reach, words.size - reach)
    return inner[(words[inner] < least[inner - reach]) & (words[inner] < least[inner + 1])]


def _least(words: NDArray[np.uint64], reach: int) -> NDArray[np.uint64]:
    """Give the least of each run of so many numbers, by where the run begins; by runs of doubled lengths."""
    least, length = words, 1
    while 2 * length <= reach:
        least = np.minimum(least[:-length], least[length:])
        length *= 2
    if length < reach:
        least = np.minimum(least[: -(reach - length)], least[reach - length :])
    return least
