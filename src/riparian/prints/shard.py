"""Where do the sketches of millions of recordings lie, so that a value is found at once?

A shard says, for each value of a hash, which recordings have it in their sketches.  It is one run of bytes, made once
and never changed, that can be read where it lies, from a file mapped to memory; a *posting* in it takes 32 bits.  New
recordings go into a new shard, and shards are merged now and then (:mod:`riparian.prints.build`).

Layout
------
::

    head       256 bytes   what the shard was made with, and check sums
    starts     uint64      where the postings of buckets 0, 256, 512 ... begin, and where the last ones end
    counts     uint8       how many postings each bucket has
    postings   uint32      bucket by bucket, ascending: the rest of the address, then the recording's number

A value is mixed into an *address* of ``27 + log2 k`` bits.  Its first bits are the bucket; the others go into the
posting, before the number of the recording.  For twice as many recordings a number needs a bit more and there are twice
as many buckets, so that an address keeps its length: nothing is lost when shards are merged, and a bucket has 16 to 32
postings, whose counts take 2 to 4.2 bytes a recording for sketches of 64 values.

A value that more than ``FREQUENT`` recordings have tells little and costs much.  It is dropped: a single posting, whose
number is all ones, says so, and the value is not looked up in other shards either.

A shard may be one *part* of several: then it holds the values whose addresses begin with the part's number, and all
the parts together are one index.

Conventions
-----------
* Recordings are numbers; a shard holds those from ``first`` to before ``first + span``.
* All numbers are little-endian.

Source
------
Steele, G. et al. (2014), Fast splittable pseudorandom number generators, figure 16 (how values are mixed).
"""

import struct
import zlib
from dataclasses import astuple, dataclass, fields
from typing import Final

import numpy as np
from numpy.typing import NDArray

from riparian.errors import InputError
from riparian.prints.keys import VERSION, PrintKey

FREQUENT: Final = 200
"""A value that more recordings than these have is dropped."""
BUCKET_MAX: Final = 255
BLOCK: Final = 256
"""Buckets to an entry of ``starts``."""
K_MIN: Final = 8
K_MAX: Final = 1024
PARTS_MAX: Final = 4096
NUMBER_BITS: Final = (12, 27)
_HEAD_BYTES: Final = 256
_ALIGN: Final = 64
_MAGIC: Final = b"ripshard"
_AT_ONCE: Final = 1 << 26
_DAMAGED: Final = "Build the index anew from the prints."
_U = np.uint64


@dataclass(frozen=True, slots=True)
class Head:
    """What a shard was made with.

    Parameters
    ----------
    k
        How many values a sketch of ordinary length has at most, 8 to 1,024.
    first, span
        Recordings are numbered from ``first`` to before ``first + span``.
    number_bits
        How much of a posting is the recording's number.
    part, parts
        Which part of how many, a power of two, the shard is.
    recordings
        How many were handed in.
    pairs
        How many pairs of address and recording were handed in.
    postings
        How many are kept.
    frequent
        How many addresses were dropped.
    directory_check, postings_check
        Check sums.
    """

    k: int
    first: int
    span: int
    number_bits: int
    part: int
    parts: int
    recordings: int
    pairs: int
    postings: int = 0
    frequent: int = 0
    directory_check: int = 0
    postings_check: int = 0
    version: int = VERSION

    @property
    def rest_bits(self) -> int:
        """How much of an address stands in a posting."""
        return 32 - self.number_bits

    @property
    def buckets(self) -> int:
        """How many buckets this part has."""
        return (1 << (address_bits(self.k) - self.rest_bits)) // self.parts

    @property
    def first_bucket(self) -> int:
        """Which bucket of the whole index is the first here."""
        return self.part * self.buckets

    @property
    def blocks(self) -> int:
        """How many blocks of buckets have an entry in ``starts``."""
        return -(-self.buckets // BLOCK)

    @property
    def starts_at(self) -> int:
        """Where starts begin."""
        return _HEAD_BYTES

    @property
    def counts_at(self) -> int:
        """Where counts begin."""
        return _HEAD_BYTES + _aligned(8 * (self.blocks + 1))

    @property
    def postings_at(self) -> int:
        """Where postings begin."""
        return self.counts_at + _aligned(self.buckets)

    def room_bytes(self, postings: int) -> int:
        """How many bytes the shard has with so many postings."""
        return self.postings_at + 4 * postings


@dataclass(frozen=True, slots=True, eq=False)
class Shard:
    """One of the runs of bytes that make an index.

    Parameters
    ----------
    head
        What it was made with.
    octets : np.ndarray [shape=(bytes,), uint8]
        All of it, as it is written to a file.
    starts : np.ndarray [shape=(blocks + 1,), uint64]
    counts : np.ndarray [shape=(buckets,), uint8]
    postings : np.ndarray [shape=(postings,), uint32]

    Examples
    --------
    >>> from riparian.prints.build import build
    >>> key = PrintKey(bytes(32))
    >>> shard = build(np.array([7, 8, 7], np.uint64), np.array([0, 0, 1]), key, k=64)
    >>> shard.head.recordings, shard.head.postings, shard.octets.nbytes
    (2, 3, 8780)
    >>> opened(shard.octets, key).head == shard.head
    True
    """

    head: Head
    octets: NDArray[np.uint8]
    starts: NDArray[np.uint64]
    counts: NDArray[np.uint8]
    postings: NDArray[np.uint32]

    def verify(self) -> None:
        """Read every posting once, and compare them with what was written.

        Raises
        ------
        InputError
            When they are not the same.
        """
        if checked(self.postings) != self.head.postings_check:
            raise InputError("postings of a shard of the index are not what was written", hint=_DAMAGED)


def address_bits(k: int) -> int:
    """Say how long addresses are for sketches of ``k`` values.

    Examples
    --------
    >>> [address_bits(k) for k in (64, 256, 1024)]
    [33, 35, 37]
    """
    return 27 + (k - 1).bit_length()


def addresses(values: NDArray[np.uint64], k: int) -> NDArray[np.int64]:
    """Mix values of hashes into addresses; shape=(n,).

    Values of a sketch may share their first bits, by which they were chosen; addresses are as if drawn by lot.

    Examples
    --------
    >>> addresses(np.array([1, 2], np.uint64), 64).tolist()
    [2904828986, 7375974702]
    """
    z = values ^ (values >> _U(30))
    z *= _U(0xBF58476D1CE4E5B9)
    z ^= z >> _U(27)
    z *= _U(0x94D049BB133111EB)
    z ^= z >> _U(31)
    return (z >> _U(64 - address_bits(k))).astype(np.int64)


def once(numbers: NDArray[np.uint64]) -> NDArray[np.uint64]:
    """Sort numbers and give each once; ``numpy.unique`` takes eighty times as long, for it does not sort.

    Examples
    --------
    >>> once(np.array([7, 3, 7], np.uint64)).tolist()
    [3, 7]
    """
    numbers = np.sort(numbers)
    new = np.ones(numbers.size, dtype=np.bool_)
    new[1:] = numbers[1:] != numbers[:-1]
    return numbers[new]


def opened(octets: NDArray[np.uint8], key: PrintKey) -> Shard:
    """Open a shard where it lies; its directory is read and checked, its postings are not (:meth:`Shard.verify`).

    Parameters
    ----------
    octets : np.ndarray [shape=(bytes,), uint8]
        A file's, perhaps mapped to memory.

    Raises
    ------
    InputError
        When this is no shard, is cut off or damaged, or was made under another version or key.
    """
    head = _read_head(np.asarray(octets), key)
    if octets.size != head.room_bytes(head.postings):
        raise InputError(
            f"a shard of the index has {octets.size} bytes, wanted {head.room_bytes(head.postings)}", hint=_DAMAGED
        )
    shard = view(head, octets)
    ends = block_ends(shard.counts)
    sound = (
        checked(shard.starts, shard.counts) == head.directory_check
        and ends[-1] == head.postings
        and shard.starts[0] == 0
        and bool((ends == shard.starts[1:]).all())
    )
    if not sound:
        raise InputError("the directory of a shard of the index is not what was written", hint=_DAMAGED)
    return shard


def view(head: Head, octets: NDArray[np.uint8]) -> Shard:
    """Find the arrays of a shard among its bytes, which are not to be written to any more."""
    # Plain arrays, wherever they come from, that cannot be written to: so kernels are compiled once.
    raw = np.asarray(octets)[: head.room_bytes(head.postings)].view()
    if raw.ctypes.data % 8:
        raw = raw.copy()
    raw.flags.writeable = False
    return Shard(
        head,
        raw,
        raw[head.starts_at : head.starts_at + 8 * (head.blocks + 1)].view("<u8"),
        raw[head.counts_at : head.counts_at + head.buckets],
        raw[head.postings_at :].view("<u4"),
    )


def block_ends(counts: NDArray[np.uint8]) -> NDArray[np.uint64]:
    """Say where the postings of each block of buckets end; shape=(blocks,)."""
    return np.add.reduceat(counts, np.arange(0, counts.size, BLOCK), dtype=np.uint64).cumsum(dtype=np.uint64)


def checked(*arrays: NDArray[np.uint8] | NDArray[np.uint32] | NDArray[np.uint64], since: int = 0) -> int:
    """Give the check sum of arrays one after another."""
    for array in arrays:
        octets = array.view(np.uint8)
        for at in range(0, octets.size, _AT_ONCE):
            since = zlib.crc32(octets[at : at + _AT_ONCE].data, since)
    return since


def packed_head(head: Head, key: PrintKey) -> bytes:
    """Write a head; 256 bytes."""
    raw = _MAGIC + key.check.encode() + struct.pack(_NUMBERS, *astuple(head))
    raw = raw.ljust(_HEAD_BYTES - 4, b"\0")
    return raw + zlib.crc32(raw).to_bytes(4, "little")


def _read_head(octets: NDArray[np.uint8], key: PrintKey) -> Head:
    raw = octets[:_HEAD_BYTES].tobytes()
    whole = len(raw) == _HEAD_BYTES and raw.startswith(_MAGIC)
    if not whole or zlib.crc32(raw[:-4]) != int.from_bytes(raw[-4:], "little"):
        raise InputError("there is no whole head of a shard of the index", hint=_DAMAGED)
    head = Head(*struct.unpack_from(_NUMBERS, raw, 24))
    if head.version != VERSION:
        raise InputError(
            f"a shard of the index has version {head.version}, wanted {VERSION}",
            hint="Read it with the release that wrote it, or build it anew.",
        )
    if raw[8:24] != key.check.encode():
        raise InputError("a shard of the index was made under another key", hint="Open it with that key.")
    # Check sums are no signature: what follows must not reach outside the bytes, whoever wrote them.
    least, most = NUMBER_BITS
    possible = (
        K_MIN <= head.k <= K_MAX
        and least <= head.number_bits <= most
        and 1 <= head.parts <= PARTS_MAX
        and 0 <= head.part < head.parts
        and head.first >= 0
        and 0 <= head.span < 1 << head.number_bits
        and head.postings >= 0
    )
    if not possible:
        raise InputError("the head of a shard of the index contradicts itself", hint=_DAMAGED)
    return head


def _aligned(size: int) -> int:
    return -(-size // _ALIGN) * _ALIGN


_NUMBERS: Final = f"<{len(fields(Head))}q"
