"""Fuzz grants and playlists: any token is refused unless it was issued, any playlist is read or refused.

Run with ``python fuzz/tokens.py [CORPUS] [-max_total_time=60]``.
"""

import contextlib
import sys

import atheris

with atheris.instrument_imports(include=["riparian.gate", "riparian.edges.m3u8"]):
    from riparian.edges.m3u8 import carried, with_argument
    from riparian.errors import RiparianError
    from riparian.gate import cbor, cose
    from riparian.gate.claims import claimed
    from riparian.gate.grants import Grant, Key, KeyRing, verify
    from riparian.gate.spelling import decode, encode

SECRET = bytes(32)
RING = KeyRing(Key("k1", SECRET, 0), Key("k2", bytes(range(32)), 0))
CARRY = with_argument("g=T", home="/m/r/", base="/m/r/hi/")
REFUSALS = (ValueError, TypeError, KeyError)
"""What `cat.read` makes a refusal of."""


def one(data: bytes) -> None:
    """Take one input as everything that comes in from outside."""
    text = data.decode("utf-8", "replace")
    for token in (text, encode(data)):
        found = verify(token, RING, account=None, path=text[:64], device=text[:9], now_s=1_800_000_000)
        issued = isinstance(found, Grant)
        if issued:
            raise AssertionError(f"{token} was never issued")
    raw = decode(text)
    if raw is not None and encode(raw) != text:
        raise AssertionError(f"{text} is spelt in two ways")
    with contextlib.suppress(ValueError):
        cbor.read(data)
    with contextlib.suppress(*REFUSALS):
        claimed(data)
    cose.read(data, lambda _name, _algorithm: SECRET)
    with contextlib.suppress(RiparianError):
        carried(data, CARRY)


if __name__ == "__main__":
    atheris.Setup(sys.argv, one)
    atheris.Fuzz()
