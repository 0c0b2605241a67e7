"""What do these bytes say, if they are CBOR as we would have written it?

A reader of the part of RFC 8949 that tokens are made of, for bytes that anybody may have sent: integers, byte and
text strings, arrays, maps, tags, true and false.  Lengths are definite and as short as can be, no key stands
twice in a map, nothing is left over, and nothing is nested deeper than eight.  What a token does not need (floats,
null, strings in pieces, shared references) is not read.

Source
------
RFC 8949, section 4.2.1, but for the order of keys: the makers of tokens do not agree on it.
"""

from typing import Any, Final, NamedTuple

DEPTH: Final = 8
_LENGTHS: Final = {24: 1, 25: 2, 26: 4, 27: 8}


class Tagged(NamedTuple):
    """A value with a tag before it."""

    tag: int
    value: Any


def read(raw: bytes) -> Any:
    r"""Read one value.

    Parameters
    ----------
    raw
        The whole of it.

    Returns
    -------
    Any
        ``int``, ``bytes``, ``str``, ``bool``, ``list``, ``dict`` with keys that are integers or texts, or ``Tagged``.

    Raises
    ------
    ValueError
        When the bytes are anything else.

    Examples
    --------
    >>> read(bytes.fromhex("a1010a")), read(bytes.fromhex("d8344401020304"))
    ({1: 10}, Tagged(tag=52, value=b'\x01\x02\x03\x04'))
    >>> read(bytes.fromhex("a201010102"))
    Traceback (most recent call last):
        ...
    ValueError: a key stands twice
    """
    value, at = _value(raw, 0, 0)
    if at != len(raw):
        raise ValueError("bytes are left over")
    return value


def _value(raw: bytes, at: int, depth: int) -> tuple[Any, int]:
    if depth > DEPTH:
        raise ValueError("nested too deep")
    major, n, at = _head(raw, at)
    if major <= 1:
        return (n if major == 0 else -1 - n), at
    if major <= 3:
        if n > len(raw) - at:
            raise ValueError("the bytes end early")
        taken = raw[at : at + n]
        return (taken if major == 2 else taken.decode("utf-8")), at + n
    if major == 4:
        return _array(raw, n, at, depth)
    if major == 5:
        return _map(raw, n, at, depth)
    if major == 6:
        inner, at = _value(raw, at, depth + 1)
        return Tagged(n, inner), at
    if n in {20, 21}:
        return n == 21, at
    raise ValueError("no token needs this value")


def _array(raw: bytes, n: int, at: int, depth: int) -> tuple[list[Any], int]:
    # Every element has a byte: whoever promises more of them than there are bytes gets no list for them.
    if n > len(raw) - at:
        raise ValueError("the bytes end early")
    values = []
    for _ in range(n):
        value, at = _value(raw, at, depth + 1)
        values.append(value)
    return values, at


def _map(raw: bytes, n: int, at: int, depth: int) -> tuple[dict[int | str, Any], int]:
    values: dict[int | str, Any] = {}
    for _ in range(n):
        key, at = _value(raw, at, depth + 1)
        if type(key) not in {int, str}:
            raise ValueError("a key is neither an integer nor a text")
        if key in values:
            raise ValueError("a key stands twice")
        values[key], at = _value(raw, at, depth + 1)
    return values, at


def _head(raw: bytes, at: int) -> tuple[int, int, int]:
    if at >= len(raw):
        raise ValueError("the bytes end early")
    major, n, at = raw[at] >> 5, raw[at] & 31, at + 1
    if n < 24:
        return major, n, at
    length = _LENGTHS.get(n, 0)
    if length == 0 or length > len(raw) - at or major == 7:
        raise ValueError("no length that a token needs")
    value = int.from_bytes(raw[at : at + length], "big")
    if value < (24 if length == 1 else 1 << (4 * length)):
        raise ValueError("a length is longer than it need be")
    return major, value, at + length
