"""Names of recordings that say to whom they were given.

A platform that hands out ``/media/<handle>`` instead of ``/media/<identifier>`` gives every account another
name for every recording.  A handle is opaque, always 43 characters, cannot be made without the secret, and opens
to the account that it was given to.  A *share link* is the legitimate way to pass a recording on: it opens too, and
whoever uses it uses what is theirs.

Layout: 15 bytes of authentication, then 17 bytes encrypted (kind, account, recording); the first 15 bytes are
a keyed digest of the other 17 in the clear, and from them the key stream is made.  The same account gets the same
handle for the same recording.  A guess is right with chance 2**-120.

Source
------
Rogaway and Shrimpton (2006), *Deterministic authenticated encryption* (SIV), with keyed BLAKE2b as the two functions.
"""

import base64
import hashlib
import hmac
from dataclasses import dataclass
from typing import Final

from riparian.accounts.surfaced.lots import key_for

_TAG_BYTES: Final = 15
_BODY_BYTES: Final = 17
_HANDLE: Final = b"\x01"
_SHARE: Final = b"\x02"


@dataclass(frozen=True, slots=True)
class Opened:
    """What a handle or share link says: codes of the account it was given to and of the recording."""

    account: int
    recording: int
    is_share: bool


def handle(secret: bytes, account: int, recording: int) -> str:
    """Name a recording for one account.

    Examples
    --------
    >>> text = handle(bytes(16), 7, 417)
    >>> len(text), opened(bytes(16), text)
    (43, Opened(account=7, recording=417, is_share=False))
    >>> handle(bytes(16), 9, 417) == text
    False
    """
    return _sealed(secret, _HANDLE, account, recording)


def share_link(secret: bytes, account: int, recording: int) -> str:
    """Name a recording for everybody to whom an account passes it on.

    Examples
    --------
    >>> opened(bytes(16), share_link(bytes(16), 7, 417)).is_share
    True
    """
    return _sealed(secret, _SHARE, account, recording)


def opened(secret: bytes, text: str) -> Opened | None:
    """Open a handle or share link; None when it was not made with this secret.

    Examples
    --------
    >>> opened(bytes(16), "A" * 43) is None
    True
    """
    try:
        octets = base64.b64decode(text.encode("ascii") + b"=", altchars=b"-_", validate=True)
    except ValueError:  # what is no base64 is no handle: the answer is None
        return None
    if len(octets) != _TAG_BYTES + _BODY_BYTES or _written(octets) != text:
        return None
    tag, body = octets[:_TAG_BYTES], octets[_TAG_BYTES:]
    clear = _mixed(secret, tag, body)
    if not hmac.compare_digest(tag, _tag(secret, clear)) or clear[:1] not in {_HANDLE, _SHARE}:
        return None
    return Opened(int.from_bytes(clear[1:9], "big"), int.from_bytes(clear[9:], "big"), clear[:1] == _SHARE)


def owner_of(secret: bytes, text: str) -> int | None:
    """Tell which account a handle was given to; None for a share link and for what is no handle.

    Examples
    --------
    >>> owner_of(bytes(16), handle(bytes(16), 7, 417))
    7
    >>> owner_of(bytes(16), share_link(bytes(16), 7, 417)) is None
    True
    """
    found = opened(secret, text)
    return None if found is None or found.is_share else found.account


def _sealed(secret: bytes, kind: bytes, account: int, recording: int) -> str:
    clear = kind + int(account).to_bytes(8, "big") + int(recording).to_bytes(8, "big")
    tag = _tag(secret, clear)
    return _written(tag + _mixed(secret, tag, clear))


def _written(octets: bytes) -> str:
    return base64.urlsafe_b64encode(octets).rstrip(b"=").decode("ascii")


def _tag(secret: bytes, clear: bytes) -> bytes:
    return hashlib.blake2b(
        clear, key=key_for(secret, "handle", size=32), digest_size=_TAG_BYTES, person=b"tag"
    ).digest()


def _mixed(secret: bytes, tag: bytes, octets: bytes) -> bytes:
    key = key_for(secret, "handle", size=32)
    stream = hashlib.blake2b(tag, key=key, digest_size=_BODY_BYTES, person=b"stream").digest()
    return bytes(a ^ b for a, b in zip(octets, stream, strict=True))
