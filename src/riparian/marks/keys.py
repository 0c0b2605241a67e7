"""How does one secret become the many streams of a mark?

A mark uses secret numbers for things that must not be deducible from one another: which tiles go up (``chips``), which
tiles are the pilot's (``pilot``), what an account's word is (``code``).  Each is a stream of its own, named, and cut
from one secret by BLAKE2b; whoever learns one of them, say from a pair of copies, knows nothing of the others, of
another recording's, or of another epoch's.

An *epoch* is the life of one secret: a new one begins when the key is rotated, and the old ones are kept as long as
copies that were marked under them may turn up.

Source
------
Saarinen, M.-J. and Aumasson, J.-P. (2015), RFC 7693: BLAKE2, keyed.  Salmon, J. et al. (2011), Parallel random
numbers: as easy as 1, 2, 3: Philox, whose raw stream NumPy keeps the same from version to version.
"""

import hashlib
from dataclasses import dataclass, field
from typing import Final

import numpy as np
from numpy.typing import NDArray

SECRET_BYTES: Final = 32
_PERSON: Final = b"riparian marks 1"


@dataclass(frozen=True, slots=True)
class MarkKey:
    """The secret of one epoch.

    Parameters
    ----------
    secret
        32 bytes.
    epoch
        Its number, from 1; stands in every grant.

    Raises
    ------
    ValueError
        When the secret has another length, or the epoch is below 1.

    Examples
    --------
    >>> key = MarkKey(bytes(32), 1)
    >>> key.stream("chips", "r-1", words=2).tolist() == key.stream("chips", "r-1", words=2).tolist()
    True
    >>> key.siphash("code", "r-1") == key.siphash("chips", "r-1")
    False
    >>> key
    MarkKey(epoch=1)
    """

    secret: bytes = field(repr=False)
    epoch: int

    def __post_init__(self) -> None:
        if len(self.secret) != SECRET_BYTES:
            raise ValueError(f"the secret has {len(self.secret)} bytes, wanted {SECRET_BYTES}")
        if self.epoch < 1:
            raise ValueError(f"the epoch is {self.epoch}, wanted 1 or more")

    def stream(self, name: str, *of: str, words: int) -> NDArray[np.uint64]:
        """Give the first words of a named stream; shape=(words,)."""
        seed = np.frombuffer(self._cut(name, of, 16), dtype="<u8").astype(np.uint64)
        raw: NDArray[np.uint64] = np.random.Philox(key=seed).random_raw(words)
        return raw

    def signs(self, name: str, *of: str, n: int) -> NDArray[np.int8]:
        """Give the first signs, -1 or 1, of a named stream; shape=(n,)."""
        octets = self.stream(name, *of, words=-(-n // 64)).astype("<u8").view(np.uint8)
        bits = np.unpackbits(octets, bitorder="little", count=n)
        return (2 * bits.astype(np.int8) - 1).astype(np.int8)

    def siphash(self, name: str, *of: str) -> bytes:
        """Give a key of 16 bytes for SipHash (:mod:`riparian.codes`)."""
        return self._cut(name, of, 16)

    def _cut(self, name: str, of: tuple[str, ...], n_bytes: int) -> bytes:
        # Lengths stand before the parts, so that ("ab", "c") and ("a", "bc") are two streams.
        parts = [part.encode() for part in (name, *of)]
        message = b"".join(len(part).to_bytes(4, "little") + part for part in parts)
        key = self.secret + self.epoch.to_bytes(4, "little")
        return hashlib.blake2b(message, digest_size=n_bytes, key=key, person=_PERSON).digest()
