"""Identifiers as 64-bit codes, so that inside the house nobody is a name.

A code is SipHash-2-4 of the identifier's UTF-8 bytes under a key of 16 bytes.  Accounts, sessions,
devices, agents, networks and routes use the workspace's secret key, which makes their codes
pseudonyms: who does not hold the key can neither read them nor guess an identifier and check.
Recordings use :data:`RECORDING_KEY`, which is public, so that a catalogue and a log made by
different people agree.

Conventions
-----------
* Null and the empty string are 0, "not given"; a true hash of 0 becomes 1.
* An integer is coded as its decimal digits, so that ``417`` in one file and ``"417"`` in the next
  are one account.
* A dictionary column is hashed once per distinct value, not per row.
* Values that follow one another and have as many words of eight bytes are hashed side by side.

What a copy says of whom it was issued to is drawn from secrets of other epochs (:class:`EpochKey`).

Source
------
Aumasson, J.-P. and Bernstein, D. J. (2012), SipHash: a fast short-input PRF, section 2.  Saarinen, M.-J. and Aumasson,
J.-P. (2015), RFC 7693: BLAKE2, keyed.  Salmon, J. et al. (2011), Parallel random numbers: as easy as 1, 2, 3: Philox,
whose raw stream NumPy keeps the same from version to version.
"""

import base64
import hashlib
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, ClassVar, Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa
from numba import njit

RECORDING_KEY: Final = bytes(16)
"""The public key of recording codes."""

KEY_BYTES: Final = 16
SECRET_BYTES: Final = 32
BUCKETS: Final = 64
_BUCKET_SHIFT: Final = np.uint64(58)
_LABEL_CHARS: Final = 13
_DIGITS_MAX: Final = 21
_IDENTIFIER_BYTES: Final = 256

_U = np.uint64
_LANES: Final = 64
_END = np.uint64(16 << 56)  # closes a message of 16 bytes
_WORDS_MAX: Final = 8
_MAGIC: Final = (0x736F6D6570736575, 0x646F72616E646F6D, 0x6C7967656E657261, 0x7465646279746573)


@njit(inline="always")
def _rotate(x: Any, n: Any) -> Any:
    return (x << _U(n)) | (x >> _U(64 - n))


@njit(inline="always")
def sip_round(v0: Any, v1: Any, v2: Any, v3: Any) -> Any:
    """Stir SipHash's state once."""
    v0 += v1
    v2 += v3
    v1 = _rotate(v1, 13) ^ v0
    v3 = _rotate(v3, 16) ^ v2
    v0 = _rotate(v0, 32)
    v2 += v1
    v0 += v3
    v1 = _rotate(v1, 17) ^ v2
    v3 = _rotate(v3, 21) ^ v0
    v2 = _rotate(v2, 32)
    return v0, v1, v2, v3


@njit(cache=True, nogil=True)
def _word(data: Any, words: Any, p: Any, n: Any) -> Any:
    # The ``n`` bytes at ``p``, at most seven of them, as a number; read at once unless the buffer ends there.
    if p < words.size:
        return words[p] & ((_U(1) << _U(8 * n)) - _U(1))
    m = _U(0)
    for j in range(n):
        m |= _U(data[p + j]) << _U(8 * j)
    return m


@njit(inline="always")
def _hash_one(data: Any, words: Any, lo: Any, hi: Any, v: Any) -> Any:
    n = hi - lo
    if n == 0:
        return _U(0)
    v0, v1, v2, v3 = v[0], v[1], v[2], v[3]
    whole = lo + (n & ~7)
    for p in range(lo, whole, 8):
        m = words[p]
        v3 ^= m
        v0, v1, v2, v3 = sip_round(v0, v1, v2, v3)
        v0, v1, v2, v3 = sip_round(v0, v1, v2, v3)
        v0 ^= m
    m = (_U(n & 255) << _U(56)) | _word(data, words, whole, hi - whole)
    v3 ^= m
    v0, v1, v2, v3 = sip_round(v0, v1, v2, v3)
    v0, v1, v2, v3 = sip_round(v0, v1, v2, v3)
    v0 ^= m
    v2 ^= _U(0xFF)
    for _ in range(4):
        v0, v1, v2, v3 = sip_round(v0, v1, v2, v3)
    code = v0 ^ v1 ^ v2 ^ v3
    return code if code != _U(0) else _U(1)


@njit(cache=True, nogil=True)
def _gather(words: Any, offsets: Any, first: Any, message: Any) -> Any:
    # Words of _LANES values side by side; how many each has, or 0 where they differ or the buffer may end too soon.
    n_words = (np.int64(offsets[first + 1]) - np.int64(offsets[first])) // 8 + 1
    if n_words > _WORDS_MAX or np.int64(offsets[first + _LANES]) + 8 > words.size:
        return 0
    for lane in range(_LANES):
        lo, hi = _U(offsets[first + lane]), _U(offsets[first + lane + 1])
        n = hi - lo
        if n == _U(0) or n >> _U(3) != _U(n_words - 1):
            return 0
        for w in range(n_words - 1):
            message[w, lane] = words[lo + _U(8 * w)]
        rest = words[lo + _U(8 * (n_words - 1))] & ((_U(1) << (_U(8) * (n & _U(7)))) - _U(1))
        message[n_words - 1, lane] = ((n & _U(255)) << _U(56)) | rest
    return n_words


@njit(cache=True, nogil=True)
def _hash_lanes(message: Any, n_words: Any, v: Any, state: Any, out: Any) -> None:
    # Loops over lanes alone, without a branch or a look-up in them, so that several are worked on at once.
    k0, k1, k2, k3 = v[0], v[1], v[2], v[3]
    for lane in range(_LANES):
        state[0, lane], state[1, lane], state[2, lane], state[3, lane] = k0, k1, k2, k3
    for w in range(n_words):
        for lane in range(_LANES):
            m = message[w, lane]
            v0, v1, v2, v3 = state[0, lane], state[1, lane], state[2, lane], state[3, lane] ^ m
            v0, v1, v2, v3 = sip_round(v0, v1, v2, v3)
            v0, v1, v2, v3 = sip_round(v0, v1, v2, v3)
            state[0, lane], state[1, lane], state[2, lane], state[3, lane] = v0 ^ m, v1, v2, v3
    for lane in range(_LANES):
        v0, v1, v2, v3 = state[0, lane], state[1, lane], state[2, lane] ^ _U(0xFF), state[3, lane]
        v0, v1, v2, v3 = sip_round(v0, v1, v2, v3)
        v0, v1, v2, v3 = sip_round(v0, v1, v2, v3)
        v0, v1, v2, v3 = sip_round(v0, v1, v2, v3)
        v0, v1, v2, v3 = sip_round(v0, v1, v2, v3)
        out[lane] = v0 ^ v1 ^ v2 ^ v3


@njit(cache=True, nogil=True)
def _hash_all(  # noqa: PLR0913, PLR0917 -- a kernel takes its arrays one by one
    data: Any, words: Any, offsets: Any, start: Any, v: Any, out: Any
) -> None:
    message, state = np.empty((_WORDS_MAX, _LANES), np.uint64), np.empty((4, _LANES), np.uint64)
    codes = np.empty(_LANES, np.uint64)
    i = 0
    while i < out.size:
        n_words = _gather(words, offsets, start + i, message) if i + _LANES <= out.size else 0
        if n_words:
            _hash_lanes(message, n_words, v, state, codes)
            for lane in range(_LANES):
                out[i + lane] = codes[lane] if codes[lane] != _U(0) else _U(1)
            i += _LANES
            continue
        for row in range(start + i, start + min(i + _LANES, out.size)):
            out[row - start] = _hash_one(data, words, np.int64(offsets[row]), np.int64(offsets[row + 1]), v)
        i += _LANES


def words_at(octets: npt.NDArray[np.uint8]) -> npt.NDArray[np.uint64]:
    """See bytes as little-endian words that begin at every byte; nothing is copied.

    Parameters
    ----------
    octets : np.ndarray [shape=(n,), contiguous]
        Fewer than 16 bytes are copied and followed by zeros.

    Returns
    -------
    words : np.ndarray [shape=(n - 7,), not aligned]
        ``words[p]`` holds the bytes ``p`` to ``p + 7``.

    Examples
    --------
    >>> [hex(word) for word in words_at(np.arange(17, dtype=np.uint8))[:2].tolist()]
    ['0x706050403020100', '0x807060504030201']
    """
    if octets.size < 16:
        # One element or none would have another memory layout, and be compiled for anew.
        octets = np.concatenate([octets, np.zeros(16, dtype=np.uint8)])
    return np.ndarray((octets.size - 7,), dtype="<u8", buffer=octets, strides=(1,))


@njit(cache=True, nogil=True)
def _digits(sizes: Any, negative: Any, data: Any, offsets: Any) -> None:
    place = 0
    for i in range(sizes.size):
        if negative[i]:
            data[place] = 45
            place += 1
        rest = sizes[i]
        width = 1
        while rest >= _U(10):
            rest //= _U(10)
            width += 1
        rest = sizes[i]
        for j in range(width - 1, -1, -1):
            data[place + j] = 48 + rest % _U(10)
            rest //= _U(10)
        place += width
        offsets[i + 1] = place


def _integer_codes(values: pa.Array, start: npt.NDArray[np.uint64]) -> npt.NDArray[np.uint64]:
    numbers = values.fill_null(0).to_numpy(zero_copy_only=False)
    negative = numbers < 0
    sizes = np.where(negative, np.uint64(0) - numbers.astype(np.uint64), numbers.astype(np.uint64))
    data = np.empty(_DIGITS_MAX * sizes.size + 1, dtype=np.uint8)
    offsets = np.zeros(sizes.size + 1, dtype=np.int64)
    _digits(sizes, negative, data, offsets)
    out = np.zeros(sizes.size, dtype=np.uint64)
    _hash_all(data, words_at(data), offsets, 0, start, out)
    if values.null_count:
        out[values.is_null().to_numpy(zero_copy_only=False)] = 0
    return out


def sip_start(key: bytes) -> npt.NDArray[np.uint64]:
    """Give the state from which SipHash begins under a key of 16 bytes; shape=(4,)."""
    if len(key) != KEY_BYTES:
        raise ValueError(f"the key has {len(key)} bytes, wanted {KEY_BYTES}")
    k0, k1 = int.from_bytes(key[:8], "little"), int.from_bytes(key[8:], "little")
    return np.array([magic ^ k for magic, k in zip(_MAGIC, (k0, k1, k0, k1), strict=True)], dtype=np.uint64)


@njit(cache=True, nogil=True)
def hash_pairs(begin: Any, of: Any, places: Any, out: Any) -> None:
    """Fill ``out`` [shape=(n, m)] with SipHash-2-4 of each of n codes and each of m places, as sixteen bytes."""
    state = np.empty((4, _LANES), np.uint64)
    v0, v1, v2, v3 = begin[0], begin[1], begin[2], begin[3]
    for at in range(0, of.size, _LANES):
        n = min(_LANES, of.size - at)
        # Loops over lanes alone, without a branch in them, so that several are worked on at once.
        for lane in range(n):
            m = of[at + lane]
            a, b, c, d = sip_round(v0, v1, v2, v3 ^ m)
            a, b, c, d = sip_round(a, b, c, d)
            state[0, lane], state[1, lane], state[2, lane], state[3, lane] = a ^ m, b, c, d
        for block in range(out.shape[1]):
            place = places[block]
            for lane in range(n):
                a, b, c, d = sip_round(state[0, lane], state[1, lane], state[2, lane], state[3, lane] ^ place)
                a, b, c, d = sip_round(a, b, c, d)
                a, b, c, d = sip_round(a ^ place, b, c, d ^ _END)
                a, b, c, d = sip_round(a, b, c, d)
                a, b, c, d = sip_round(a ^ _END, b, c ^ _U(0xFF), d)
                a, b, c, d = sip_round(a, b, c, d)
                a, b, c, d = sip_round(a, b, c, d)
                a, b, c, d = sip_round(a, b, c, d)
                out[at + lane, block] = a ^ b ^ c ^ d


def _plain_codes(values: pa.Array, start: npt.NDArray[np.uint64]) -> npt.NDArray[np.uint64]:
    kind = values.type
    if pa.types.is_null(kind):
        return np.zeros(len(values), dtype=np.uint64)
    if pa.types.is_integer(kind):
        return _integer_codes(values, start)
    if pa.types.is_string_view(kind) or pa.types.is_binary_view(kind):
        values = values.cast(pa.large_binary() if pa.types.is_binary_view(kind) else pa.large_string())
    elif not (
        pa.types.is_string(kind)
        or pa.types.is_large_string(kind)
        or pa.types.is_binary(kind)
        or pa.types.is_large_binary(kind)
    ):
        raise TypeError(f"identifiers are `{kind}`, wanted strings or integers")
    wide = pa.types.is_large_string(values.type) or pa.types.is_large_binary(values.type)
    out = np.zeros(len(values), dtype=np.uint64)
    if not len(values):
        return out
    _, offsets, data = values.buffers()
    places = np.frombuffer(offsets, dtype=np.int64 if wide else np.int32)
    octets = np.frombuffer(data, dtype=np.uint8) if data is not None and data.size else np.zeros(1, dtype=np.uint8)
    _hash_all(octets, words_at(octets), places, values.offset, start, out)
    if values.null_count:
        out[values.is_null().to_numpy(zero_copy_only=False)] = 0
    return out


def _array_codes(values: pa.Array, start: npt.NDArray[np.uint64]) -> npt.NDArray[np.uint64]:
    if not pa.types.is_dictionary(values.type):
        return _plain_codes(values, start)
    distinct = np.append(_plain_codes(values.dictionary, start), _U(0))
    rows = values.indices
    if rows.null_count:
        rows = rows.cast(pa.int64()).fill_null(distinct.size - 1)
    codes: npt.NDArray[np.uint64] = distinct[rows.to_numpy(zero_copy_only=False)]
    return codes


def codes_of(values: pa.Array | pa.ChunkedArray, key: bytes) -> npt.NDArray[np.uint64]:
    """Code identifiers.

    Parameters
    ----------
    values : [shape=(n,)]
        Strings, bytes or integers, plain or dictionary-encoded.
    key
        16 bytes: the workspace's secret, or :data:`RECORDING_KEY`.

    Returns
    -------
    codes : np.ndarray [shape=(n,), uint64]
        0 where the value is null or empty, never 0 elsewhere.

    Raises
    ------
    ValueError
        When the key is not 16 bytes long.
    TypeError
        When the values are neither strings, bytes nor integers.

    Examples
    --------
    >>> codes_of(pa.array(["a", None, "", "a"]), RECORDING_KEY).tolist()
    [10863254463029944905, 0, 0, 10863254463029944905]
    >>> bool(codes_of(pa.array([417]), RECORDING_KEY) == codes_of(pa.array(["417"]), RECORDING_KEY))
    True
    """
    start = sip_start(key)
    if isinstance(values, pa.ChunkedArray):
        parts = [_array_codes(chunk, start) for chunk in values.chunks]
        return np.concatenate(parts) if parts else np.zeros(0, dtype=np.uint64)
    return _array_codes(values, start)


def coder(key: bytes) -> Callable[[bytes], int]:
    """Make what codes one identifier at a time, for whoever has no column of them.

    Parameters
    ----------
    key
        As for :func:`codes_of`.

    Returns
    -------
    callable
        Takes the identifier's UTF-8 bytes; for one thread.

    Examples
    --------
    >>> code = coder(RECORDING_KEY)
    >>> code(b"a"), code(b"")
    (10863254463029944905, 0)
    """
    start, out, ends = sip_start(key), np.zeros(1, dtype=np.uint64), np.zeros(2, dtype=np.int64)
    octets = np.zeros(_IDENTIFIER_BYTES + 8, dtype=np.uint8)
    words = words_at(octets)

    def code(identifier: bytes) -> int:
        n = len(identifier)
        if n > _IDENTIFIER_BYTES:
            return int(codes_of(pa.array([identifier], pa.binary()), key)[0])
        octets[:n] = np.frombuffer(identifier, dtype=np.uint8)
        ends[1] = n
        _hash_all(octets, words, ends, 0, start, out)
        return int(out[0])

    return code


def bucket_of(codes: npt.NDArray[np.uint64]) -> npt.NDArray[np.uint8]:
    """Give the bucket, 0 to 63, that each code belongs to: its top six bits.

    Examples
    --------
    >>> bucket_of(np.array([0, 1 << 58, (1 << 64) - 1], dtype=np.uint64)).tolist()
    [0, 1, 63]
    """
    return (codes >> _BUCKET_SHIFT).astype(np.uint8)


def label(code: int) -> str:
    """Write a code as the pseudonym that reports print; :func:`code_of_label` reads it back.

    Examples
    --------
    >>> label(10863254463029944905)
    'a-s3baqygnsores'
    >>> code_of_label(label(417))
    417
    """
    return "a-" + base64.b32encode(int(code).to_bytes(8, "big")).decode()[:_LABEL_CHARS].lower()


def code_of_label(pseudonym: str) -> int:
    """Read a pseudonym back to its code.

    Raises
    ------
    ValueError
        When it is not what :func:`label` writes.
    """
    text = pseudonym.removeprefix("a-").upper()
    if len(text) != _LABEL_CHARS or not pseudonym.startswith("a-"):
        raise ValueError(f"`{pseudonym}` is not a pseudonym, wanted `a-` and {_LABEL_CHARS} letters")
    try:
        return int.from_bytes(base64.b32decode(text + "==="), "big")
    except ValueError as error:
        raise ValueError(f"`{pseudonym}` is not a pseudonym, wanted base32 after `a-`") from error


@dataclass(frozen=True, slots=True)
class EpochKey:
    """The secret of one epoch, from which streams are cut that cannot be deduced from one another.

    Parameters
    ----------
    secret
        32 bytes.
    epoch
        Its number, from 1.

    Raises
    ------
    ValueError
        When the secret has another length, or the epoch is below 1.
    """

    PERSON: ClassVar[bytes] = b"riparian epoch 1"
    secret: bytes = field(repr=False)
    epoch: int

    def __post_init__(self) -> None:
        if len(self.secret) != SECRET_BYTES:
            raise ValueError(f"the secret has {len(self.secret)} bytes, wanted {SECRET_BYTES}")
        if self.epoch < 1:
            raise ValueError(f"the epoch is {self.epoch}, wanted 1 or more")

    def stream(self, name: str, *of: str, words: int) -> npt.NDArray[np.uint64]:
        """Give the first words of a named stream; shape=(words,)."""
        seed = np.frombuffer(self._cut(name, of, 16), dtype="<u8").astype(np.uint64)
        raw: npt.NDArray[np.uint64] = np.random.Philox(key=seed).random_raw(words)
        return raw

    def signs(self, name: str, *of: str, n: int) -> npt.NDArray[np.int8]:
        """Give the first signs, -1 or 1, of a named stream; shape=(n,)."""
        octets = self.stream(name, *of, words=-(-n // 64)).astype("<u8").view(np.uint8)
        bits = np.unpackbits(octets, bitorder="little", count=n)
        return (2 * bits.astype(np.int8) - 1).astype(np.int8)

    def siphash(self, name: str, *of: str) -> bytes:
        """Give a key of 16 bytes for SipHash."""
        return self._cut(name, of, 16)

    def _cut(self, name: str, of: tuple[str, ...], n_bytes: int) -> bytes:
        # Lengths stand before the parts, so that ("ab", "c") and ("a", "bc") are two streams.
        parts = [part.encode() for part in (name, *of)]
        message = b"".join(len(part).to_bytes(4, "little") + part for part in parts)
        key = self.secret + self.epoch.to_bytes(4, "little")
        return hashlib.blake2b(message, digest_size=n_bytes, key=key, person=self.PERSON).digest()
