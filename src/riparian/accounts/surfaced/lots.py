"""The secret lots that a platform draws: which order, which refusal, which canary.

One secret, independent streams: a lot is SipHash-2-4 of two codes under a key made from the secret and the
name of its use.  Who does not hold the secret cannot tell lots from fair ones; who does draws the same lot
every time, so that an account always sees the same order and a retry is answered alike.

Source
------
Aumasson and Bernstein (2012), *SipHash*; BLAKE2 (RFC 7693) for the keys.
"""

import hashlib
from typing import Any, Final, Literal

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from riparian.codes import codes_of

Codes = npt.NDArray[np.uint64]
Use = Literal["jitter", "refusal", "canary", "handle"]

SECRET_BYTES_MIN: Final = 16
_LOTS: Final = 2.0**64


def key_for(secret: bytes, use: Use, *, size: int = 16) -> bytes:
    """Make the key of one use from the deployment's secret.

    Raises
    ------
    ValueError
        When the secret has fewer than 16 bytes.

    Examples
    --------
    >>> key_for(bytes(32), "jitter") != key_for(bytes(32), "refusal")
    True
    """
    if len(secret) < SECRET_BYTES_MIN:
        raise ValueError(f"the secret has {len(secret)} bytes, wanted at least {SECRET_BYTES_MIN}")
    inner = hashlib.blake2b(secret).digest()
    return hashlib.blake2b(key=inner, digest_size=size, person=b"riparian " + use[:7].encode()).digest()


def lots(secret: bytes, use: Use, a: npt.ArrayLike, b: npt.ArrayLike) -> Codes:
    """Draw a lot for each pair of codes: 64 bits, the same for the same pair.

    Parameters
    ----------
    a, b
        Codes, in shapes that go together; one alone counts as a row of one.

    Examples
    --------
    >>> drawn = lots(bytes(16), "refusal", 7, [1, 2, 1])
    >>> bool(drawn[0] == drawn[2] != drawn[1])
    True
    """
    one, other = np.broadcast_arrays(_codes(a), _codes(b))
    pairs = np.stack([one.ravel(), other.ravel()], axis=-1)
    offsets = pa.py_buffer(np.arange(0, 16 * len(pairs) + 1, 16, dtype=np.int64))
    octets = pa.py_buffer(np.ascontiguousarray(pairs, dtype="<u8"))
    messages = pa.Array.from_buffers(pa.large_binary(), len(pairs), [None, offsets, octets])
    return codes_of(messages, key_for(secret, use)).reshape(one.shape)


def below(drawn: Codes, share: float) -> npt.NDArray[np.bool_]:
    """Say which lots fall into a share of all.

    Examples
    --------
    >>> below(np.array([0, 1 << 63], np.uint64), 0.02).tolist()
    [True, False]
    """
    return drawn < np.uint64(int(share * _LOTS))


def _codes(values: npt.ArrayLike) -> npt.NDArray[Any]:
    return np.atleast_1d(np.asarray(values, dtype=np.uint64))
