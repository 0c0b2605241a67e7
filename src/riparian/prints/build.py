"""How is an index made of sketches, and of smaller indexes?

What merging gives is what building everything at once would have given, so that recordings can be added as they come,
and sorted by a machine that could not hold them all.  Merging goes through the addresses a stretch at a time: it reads
and writes each shard from the beginning to the end, and needs little memory of its own.

A bucket counts to 255.  Where it would have more postings, the most frequent address in it is dropped, too: the one
case in which a merged index may hold an address less, or more, than one built at once.  A bucket has 32 on average, and
an address 200 at most.
"""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any, Final

import numpy as np
from numba import njit
from numpy.typing import NDArray

from riparian.errors import InputError
from riparian.prints import shard as form
from riparian.prints.keys import PrintKey
from riparian.prints.shard import BLOCK, BUCKET_MAX, FREQUENT, K_MAX, K_MIN, NUMBER_BITS, PARTS_MAX, Head, Shard

SPAN_MAX: Final = (1 << NUMBER_BITS[1]) - 1
"""Recordings of one shard lie at most this far apart."""
_WIDE: Final = np.uint64(NUMBER_BITS[1])
_STRETCH: Final = 1 << 20
_PER_BUCKET: Final = 32
_U = np.uint64


def build(
    values: NDArray[np.uint64],
    recordings: NDArray[np.int64],
    key: PrintKey,
    k: int,
    *,
    part: int = 0,
    parts: int = 1,
) -> Shard:
    """Build a shard of sketches, in memory: about 40 bytes a pair, so hand in some millions and merge.

    Parameters
    ----------
    values : np.ndarray [shape=(n,), uint64]
        All the values of all the sketches.
    recordings : np.ndarray [shape=(n,), int64]
        Whose each is, 0 or more.
    key
        The index's.
    k
        How many values a sketch of ordinary length has at most, 8 to 1,024; one of a long recording may have more.
    part, parts
        Keep only the values of one part of several; ``parts`` is a power of two up to 4,096.

    Raises
    ------
    InputError
        When arrays differ in length, a number is out of range, or recordings lie too far apart.
    """
    if values.shape != recordings.shape:
        raise InputError(f"there are {values.size} values of {recordings.size} recordings, wanted as many of each")
    if not K_MIN <= k <= K_MAX:
        raise InputError(f"a sketch has {k} values, wanted {K_MIN} to {K_MAX}")
    if not (1 <= parts <= PARTS_MAX and parts & (parts - 1) == 0 and 0 <= part < parts):
        raise InputError(f"this is part {part} of {parts}, wanted a power of two of parts, numbered from 0")
    first, last = (int(recordings.min()), int(recordings.max())) if recordings.size else (0, -1)
    span = last + 1 - first
    if first < 0 or span > SPAN_MAX:
        raise InputError(f"recordings are numbered {first} to {last}, wanted 0 or more and at most {SPAN_MAX} of them")
    at = form.addresses(values, k).astype(np.uint64)
    here = at >> _U(form.address_bits(k) + 1 - parts.bit_length()) == part
    wide = form.once((at[here] << _WIDE) | (recordings[here] - first).astype(np.uint64))
    bits = _number_bits(k, span, wide.size * parts)
    head = Head(k, first, span, bits, part, parts, form.once(recordings.astype(np.uint64)).size, wide.size)
    narrow = (wide >> _WIDE << _U(head.number_bits)) | (wide & _U(SPAN_MAX))
    return _written(head, iter([narrow]), key, np.zeros(head.room_bytes(wide.size), dtype=np.uint8))


def room_bytes(shards: Sequence[Shard]) -> int:
    """Say how many bytes shards have at most when they are merged.

    Raises
    ------
    InputError
        When they cannot be merged.
    """
    return _together(shards).room_bytes(sum(shard.head.postings for shard in shards))


def merge(
    shards: Sequence[Shard],
    key: PrintKey,
    *,
    gone: NDArray[np.uint8] | None = None,
    octets: NDArray[np.uint8] | None = None,
) -> Shard:
    """Merge shards into one.

    Parameters
    ----------
    shards
        Of the same ``k`` and part, at least one, each of other recordings.
    key
        The index's.
    gone : np.ndarray [shape=(bytes,), uint8]
        Recordings to leave out (:func:`gone_bits`); values that were dropped for their sake stay dropped.
    octets : np.ndarray [shape=(room_bytes(shards),), uint8]
        Where the result goes, all zeros: a new file mapped to memory, whose first ``result.octets.size`` bytes are then
        the shard.  The head is written last, so that a file left half done is refused.

    Raises
    ------
    InputError
        When shards cannot be merged, or there is less room than is needed.

    Examples
    --------
    >>> key = PrintKey(bytes(32))
    >>> one = build(np.array([7, 8], np.uint64), np.array([0, 0]), key, k=64)
    >>> other = build(np.array([7], np.uint64), np.array([1]), key, k=64)
    >>> both = build(np.array([7, 8, 7], np.uint64), np.array([0, 0, 1]), key, k=64)
    >>> bool((merge([one, other], key).octets == both.octets).all())
    True
    """
    head, room = _together(shards), room_bytes(shards)
    if octets is None:
        octets = np.zeros(room, dtype=np.uint8)
    if octets.size < room:
        raise InputError(f"there is room for {octets.size} bytes, wanted {room}")
    left_out = np.zeros(0, dtype=np.uint8) if gone is None else gone
    lost = sum(gone_among(shard.head.first, shard.head.span, left_out) for shard in shards)
    head = replace(head, recordings=max(0, head.recordings - lost))
    return _written(head, _stretches(shards, head, left_out), key, octets)


def moved(shard: Shard, by: int, key: PrintKey) -> Shard:
    """Copy a shard with all its recordings numbered so many higher: what joining two indexes begins with.

    Raises
    ------
    InputError
        When a number would be below 0.
    """
    if shard.head.first + by < 0:
        raise InputError(f"recordings from {shard.head.first} are moved by {by}, wanted 0 or more")
    head = replace(shard.head, first=shard.head.first + by)
    octets = shard.octets.copy()
    packed = form.packed_head(head, key)
    octets[: len(packed)] = np.frombuffer(packed, dtype=np.uint8)
    return form.view(head, octets)


def gone_bits(recordings: NDArray[np.int64]) -> NDArray[np.uint8]:
    """Give deleted recordings a bit each, the first recording the lowest of the first byte.

    Examples
    --------
    >>> gone_bits(np.array([0, 9])).tolist()
    [1, 2]
    """
    marks = np.zeros(int(recordings.max(initial=-1)) + 1, dtype=np.bool_)
    marks[recordings] = True
    return np.packbits(marks, bitorder="little")


def gone_among(first: int, span: int, gone: NDArray[np.uint8]) -> int:
    """Count the deleted among recordings ``first`` to before ``first + span``."""
    bits = np.unpackbits(gone[first // 8 : (first + span + 7) // 8], bitorder="little")
    return int(bits[first % 8 : first % 8 + span].sum())


def _together(shards: Sequence[Shard]) -> Head:
    heads = [shard.head for shard in shards]
    kinds = sorted({(head.k, head.part, head.parts) for head in heads})
    if len(kinds) != 1:
        raise InputError(f"shards to merge have (k, part, parts) {kinds}, wanted at least one shard and all alike")
    ((k, part, parts),) = kinds
    held = [head for head in heads if head.span]
    first = min((head.first for head in held), default=0)
    span = max((head.first + head.span for head in held), default=0) - first
    if span > SPAN_MAX:
        raise InputError(f"recordings of shards to merge lie {span} apart, wanted at most {SPAN_MAX}")
    pairs = sum(head.pairs for head in heads)
    bits = _number_bits(k, span, pairs * parts)
    return Head(k, first, span, bits, part, parts, sum(head.recordings for head in heads), pairs)


def _number_bits(k: int, span: int, pairs: int) -> int:
    # The number of all ones is nobody's; and a bucket shall not have many more than 32 postings on average.
    for_buckets = (pairs // _PER_BUCKET).bit_length() + 32 - form.address_bits(k)
    least, most = NUMBER_BITS
    return min(most, max(least, span.bit_length(), for_buckets))


def _stretches(shards: Sequence[Shard], head: Head, gone: NDArray[np.uint8]) -> Iterator[NDArray[np.uint64]]:
    # Address and number of all postings, a stretch of addresses at a time, ascending.
    postings = sum(shard.head.postings for shard in shards)
    wanted = 1 << (postings // _STRETCH).bit_length()
    n = min(wanted, *(shard.head.buckets for shard in shards), head.buckets)
    for i in range(n):
        drawn = [_drawn(shard, i, n, head, gone) for shard in shards]
        yield form.once(np.concatenate(drawn))


def _drawn(shard: Shard, i: int, n: int, head: Head, gone: NDArray[np.uint8]) -> NDArray[np.uint64]:
    own = shard.head
    each = own.buckets // n
    since, until = (int(start_of(shard.starts, shard.counts, bucket)) for bucket in (i * each, (i + 1) * each))
    out = np.empty(until - since, dtype=np.uint64)
    n_kept = _draw(
        shard.counts[i * each : (i + 1) * each],
        shard.postings[since:until],
        own.first_bucket + i * each,
        own.number_bits,
        head.number_bits,
        own.first,
        own.first - head.first,
        gone,
        out,
    )
    return out[:n_kept]


def _written(head: Head, stretches: Iterator[NDArray[np.uint64]], key: PrintKey, octets: NDArray[np.uint8]) -> Shard:
    plain = np.asarray(octets)
    starts = plain[head.starts_at : head.starts_at + 8 * (head.blocks + 1)].view("<u8")
    counts = plain[head.counts_at : head.counts_at + head.buckets]
    postings = plain[head.postings_at : head.room_bytes((plain.size - head.postings_at) // 4)].view("<u4")
    at = frequent = check = 0
    for stretch in stretches:
        n, dropped = _lay(stretch, head.first_bucket, head.number_bits, counts, postings[at:])
        if n < 0:
            raise InputError(f"a bucket of the index has more than {BUCKET_MAX} postings, wanted values as if by lot")
        check = form.checked(postings[at : at + n], since=check)
        at, frequent = at + n, frequent + dropped
    starts[1:] = form.block_ends(counts)
    head = replace(
        head,
        postings=at,
        frequent=frequent,
        directory_check=form.checked(starts, counts),
        postings_check=check,
    )
    packed = form.packed_head(head, key)
    plain[: len(packed)] = np.frombuffer(packed, dtype=np.uint8)
    return form.view(head, plain)


@njit(cache=True, nogil=True)
def start_of(starts: Any, counts: Any, bucket: Any) -> Any:
    """Say where the postings of a bucket begin."""
    block = bucket // BLOCK
    at = np.int64(starts[block])
    for i in range(block * BLOCK, bucket):
        at += counts[i]
    return at


@njit(cache=True, nogil=True)
def _draw(
    counts: Any,
    postings: Any,
    bucket: Any,
    number_bits: Any,
    number_bits_out: Any,
    first: Any,
    shift: Any,
    gone: Any,
    out: Any,
) -> int:
    ones, ones_out = (1 << number_bits) - 1, (1 << number_bits_out) - 1
    at = kept = 0
    for i in range(counts.size):
        for _ in range(counts[i]):
            posting = np.int64(postings[at])
            at += 1
            number = posting & ones
            address = _U((bucket + i) << (32 - number_bits)) | _U(posting >> number_bits)
            if number == ones:
                number = ones_out
            else:
                whose = first + number
                if whose >> 3 < gone.size and gone[whose >> 3] >> (whose & 7) & 1:
                    continue
                number += shift
            out[kept] = (address << _U(number_bits_out)) | _U(number)
            kept += 1
    return kept


@njit(cache=True, nogil=True)
def _lay(keys: Any, first_bucket: Any, number_bits: Any, counts: Any, postings: Any) -> tuple[int, int]:
    # Buckets of address-and-number, ascending, become counts and postings; frequent addresses become one posting.
    ones = _U((1 << number_bits) - 1)
    low = _U(0xFFFFFFFF)
    kept = dropped = i = 0
    while i < keys.size:
        bucket, begun = keys[i] >> _U(32), kept
        while i < keys.size and keys[i] >> _U(32) == bucket:
            address, run = keys[i] >> _U(number_bits), i
            while i < keys.size and keys[i] >> _U(number_bits) == address:
                i += 1
            if keys[i - 1] & ones == ones or i - run > FREQUENT:
                postings[kept] = (keys[run] | ones) & low
                kept += 1
                dropped += 1
            else:
                for j in range(run, i):
                    postings[kept] = keys[j] & low
                    kept += 1
        while kept - begun > BUCKET_MAX:
            kept, fewer = begun + _thin(postings[begun:kept], number_bits), kept
            if kept == fewer:
                return -1, 0
            dropped += 1
        counts[np.int64(bucket) - first_bucket] = kept - begun
    return kept, dropped


@njit(cache=True, nogil=True)
def _thin(postings: Any, number_bits: Any) -> Any:
    # Drop the most frequent address of a bucket; of equals, the first.  Gives how many postings are left.
    best = best_n = i = 0
    while i < postings.size:
        run = i
        while i < postings.size and postings[i] >> number_bits == postings[run] >> number_bits:
            i += 1
        if i - run > best_n:
            best, best_n = run, i - run
    postings[best] |= np.uint32((1 << number_bits) - 1)
    for j in range(best + best_n, postings.size):
        postings[j - best_n + 1] = postings[j]
    return postings.size - best_n + 1
