"""How is a path, an identifier or a row of bytes written, so that it has exactly one spelling?

Whoever may write one thing in two ways may get past whoever compares letters.  So nothing here is repaired: a
path with dot segments is not resolved but refused, and Base64 with bits left over is no Base64.

Rules for paths
---------------
* It begins with a slash, has at most 1,024 characters, and no part of it is empty: ``/media//1`` is none.
* A part that begins with a dot goes on with a letter, a digit, ``-`` or ``_``: ``.well-known`` is a name, while ``.``,
  ``..`` and whatever some server may take for one of these (``...``, ``..;``, ``..%20``) is no part of a path.
* Percent-encoded is what cannot stand there as it is, in capital hexadecimals, and nothing else: ``%20`` and
  ``%C3%A9`` are, ``%2e``, ``%2F``, ``%5C``, ``%00``, ``%25`` and ``%41`` are not.
* Backslashes, semicolons, control characters, and whatever is not ASCII are not part of a path.
"""

import re
from binascii import Error, a2b_base64, b2a_base64
from typing import Final

PATH_CHARACTERS: Final = 1024
NAME_CHARACTERS: Final = 256

_AS_IT_IS: Final = r"A-Za-z0-9\-_~!$&'()*+,=:@"
# What a percent sign may stand for: what a path cannot hold, but for separators, the percent sign and controls.
_ENCODED: Final = r"%(?:2[023]|3[CEF]|5[BDE]|60|7[BCD]|[89A-F][0-9A-F])"
LETTER: Final = rf"[{_AS_IT_IS}]|{_ENCODED}"
"""What parts of a path are made of, beside dots: an expression that PCRE and RE2 take as it is meant here."""
BEGINNING: Final = rf"{LETTER}|\.[A-Za-z0-9\-_]"
"""What a part begins with, likewise."""

_PATH: Final = re.compile(rf"/(?:[{_AS_IT_IS}./]++|{_ENCODED})*+", re.ASCII)
_DOTS: Final = re.compile(r"/\.(?![A-Za-z0-9\-_])", re.ASCII)
_TO_URL: Final = bytes.maketrans(b"+/", b"-_")
_FROM_URL: Final = bytes.maketrans(b"-_+/=", b"+/!!!")
# The last character of what is not whole thirds: the bits that it has too many are zero.
_LAST: Final = {0: None, 2: frozenset(b"AQgw"), 3: frozenset(b"AEIMQUYcgkosw048")}


def plain(path: str) -> bool:
    r"""Say whether a path is spelt as paths are.

    Parameters
    ----------
    path
        As it stood in the request, before anybody decoded it, without its query.

    Examples
    --------
    >>> [plain(path) for path in ("/media/1/a.ts", "/media/d%C3%A9j%C3%A0%20vu/1.m4s", "/.well-known/x", "/")]
    [True, True, True, True]
    >>> [plain(path) for path in ("/media/1/../2", "/media//1", "/media/%2e%2e/2", "/a%00", "/a\b", "media/1", "")]
    [False, False, False, False, False, False, False]
    """
    if len(path) > PATH_CHARACTERS or "//" in path or _PATH.fullmatch(path) is None:
        return False
    return "/." not in path or _DOTS.search(path) is None


def covers(limit: str, path: str) -> bool:
    """Say whether a path is within a limit; a limit that ends in a slash holds all below it, any other itself only.

    Examples
    --------
    >>> covers("/media/1/", "/media/1/a.ts"), covers("/media/1/", "/media/10/a.ts"), covers("/media/1", "/media/10")
    (True, False, False)
    """
    return path.startswith(limit) if limit.endswith("/") else path == limit


def named(text: str) -> bool:
    r"""Say whether a text can name an account or a device: printable, at most 256 characters.

    Examples
    --------
    >>> named("a-0417"), named("Zoë 🎧"), named("a\nb"), named("")
    (True, True, False, False)
    """
    return 0 < len(text) <= NAME_CHARACTERS and text.isprintable()


def encode(raw: bytes) -> str:
    r"""Write bytes as Base64 for URLs, without padding.

    Examples
    --------
    >>> encode(b"\xff\xfe")
    '__4'
    """
    return b2a_base64(raw, newline=False).rstrip(b"=").translate(_TO_URL).decode("ascii")


def decode(text: str) -> bytes | None:
    r"""Read what :func:`encode` writes; None for anything else.

    Examples
    --------
    >>> decode("__4"), decode("__5"), decode("__4="), decode("//4"), decode("_ _4"), decode("A")
    (b'\xff\xfe', None, None, None, None, None)
    """
    if not text.isascii():
        return None
    raw, over = text.encode("ascii"), len(text) % 4
    if over == 1 or (over and raw[-1] not in (_LAST[over] or ())):
        return None
    try:
        return a2b_base64(raw.translate(_FROM_URL) + b"=" * (-over % 4), strict_mode=True)
    except Error:
        return None
