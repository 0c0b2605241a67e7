"""Is this a code of a recording, a work, a release or a person, and how is it written?

Each kind of code has one way of being written here; whatever is not one is nothing.  Check digits are checked where the
code has them: an ISRC has none, and neither has what a service calls a recording.

Source
------
ISO 3901:2019 (ISRC); GS1 General Specifications section 7.9 (UPC, EAN: GTIN); ISO 15707:2022 (ISWC); CISAC, IPI system
(name numbers, modulus 101); ISO 27729:2012 (ISNI) and DDEX, Global Release Identifier Standard (GRid), whose check
characters are of ISO/IEC 7064:2003 (MOD 11-2; MOD 37,36); RFC 9562 (UUID, which MusicBrainz uses).
"""

import re
from collections.abc import Callable
from typing import Final

import polars as pl

_ISRC: Final = re.compile(r"[A-Z]{2}[A-Z0-9]{3}[0-9]{7}")
_GTIN: Final = re.compile(r"[0-9]{8}|[0-9]{12,14}")
_ISWC: Final = re.compile(r"T([0-9]{9})([0-9])")
_IPI: Final = re.compile(r"[0-9]{6,11}")
_ISNI: Final = re.compile(r"[0-9]{15}[0-9X]")
_GRID: Final = re.compile(r"A1[A-Z0-9]{16}")
_UUID: Final = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")
_NO_ONE: Final = "00000000-0000-0000-0000-000000000000"
_PLATFORMS: Final = (
    ("spotify", re.compile(r"(?:spotify:track:|open\.spotify\.com/(?:intl-[a-z]+/)?track/)([0-9A-Za-z]{22})\b")),
    ("apple", re.compile(r"(?:itunes|music)\.apple\.com/[^\s]*?[?&]i=([0-9]{5,12})\b")),
    ("apple", re.compile(r"music\.apple\.com/[a-z]{2}/song/(?:[^/\s]*/)?([0-9]{5,12})\b")),
    ("deezer", re.compile(r"deezer\.com/(?:[a-z]{2}/)?track/([0-9]{1,12})\b")),
    ("tidal", re.compile(r"tidal\.com/(?:browse/)?track/([0-9]{1,12})\b")),
    ("youtube", re.compile(r"(?:youtube\.com/watch\?(?:[^\s]*&)?v=|youtu\.be/)([0-9A-Za-z_-]{11})(?![0-9A-Za-z_-])")),
    ("soundcloud", re.compile(r"soundcloud:tracks:([0-9]{1,12})\b")),
)
_WRITTEN: Final = re.compile(r"(spotify|apple|deezer|tidal|youtube|soundcloud):([0-9A-Za-z_-]{1,32})")
_ALPHABET: Final = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"
_PREFIXES: Final = re.compile(r"^(?i:isrc|iswc|upc|ean|icpn|gtin|isni|ipi|grid|mbid)\s*[:=]?\s*")
_GTIN_DIGITS: Final = 13


def _plain(text: str) -> str:
    return re.sub(r"[-\s.\u2010-\u2015]", "", _PREFIXES.sub("", text.strip(), count=1)).upper()


def isrc(text: str) -> str:
    """Write a recording's code without hyphens: country, registrant, year, number.

    Examples
    --------
    >>> isrc("us-um7-18-04534"), isrc("ISRC USUM71804534"), isrc("USUM7180453")
    ('USUM71804534', 'USUM71804534', '')
    """
    plain = text if _ISRC.fullmatch(text) else _plain(text)
    return plain if _ISRC.fullmatch(plain) else ""


def gtin(text: str) -> str:
    """Write the code of a release (UPC, EAN) with 13 digits, or 14 where a package has more than one of it.

    Examples
    --------
    >>> gtin("602557190298"), gtin("00602557190298"), gtin("602557190299")
    ('0602557190298', '0602557190298', '')
    """
    plain = _plain(text)
    if not _GTIN.fullmatch(plain) or not plain.strip("0"):
        return ""
    whole = plain.zfill(14)
    total = sum(int(digit) * (3, 1)[place % 2] for place, digit in enumerate(whole))
    return "" if total % 10 else whole[1:] if whole[0] == "0" else whole


def iswc(text: str) -> str:
    """Write a work's code as ``T`` and ten digits.

    Examples
    --------
    >>> iswc("T-034.524.680-1"), iswc("T-034.524.680-2")
    ('T0345246801', '')
    """
    found = _ISWC.fullmatch(_plain(text))
    if found is None:
        return ""
    total = 1 + sum(place * int(digit) for place, digit in enumerate(found[1], start=1))
    return found[0] if (total + int(found[2])) % 10 == 0 else ""


def ipi(text: str) -> str:
    """Write the name number of a writer or publisher with 11 digits, where tables lose zeros in front of it.

    Examples
    --------
    >>> ipi("14107338"), ipi("00014107339")
    ('00014107338', '')
    """
    plain = _plain(text)
    if not _IPI.fullmatch(plain) or not plain.strip("0"):
        return ""
    whole = plain.zfill(11)
    total = sum((10 - place) * int(digit) for place, digit in enumerate(whole[:9]))
    return whole if (total + int(whole[9:])) % 101 == 0 else ""


def isni(text: str) -> str:
    """Write the code of a public identity with 16 characters.

    Examples
    --------
    >>> isni("0000 0001 2150 090X"), isni("0000 0001 2150 0901")
    ('000000012150090X', '')
    """
    plain = _plain(text.rpartition("/")[2])
    if not _ISNI.fullmatch(plain) or not plain.strip("0"):
        return ""
    check = 0
    for digit in plain[:15]:
        check = (check + int(digit)) * 2 % 11
    return plain if "0123456789X"[(12 - check) % 11] == plain[15] else ""


def grid(text: str) -> str:
    """Write the code of a release in commerce with 18 characters.

    Examples
    --------
    >>> grid("A1-2425G-ABC1234002-M"), grid("A1-2425G-ABC1234002-N")
    ('A12425GABC1234002M', '')
    """
    plain = _plain(text)
    if not _GRID.fullmatch(plain):
        return ""
    check = 36
    for letter in plain[:-1]:
        check = (check + _ALPHABET.index(letter)) % 36 or 36
        check = check * 2 % 37
    return plain if (check + _ALPHABET.index(plain[-1])) % 36 == 1 else ""


def mbid(text: str) -> str:
    """Write what MusicBrainz calls something in lower case with hyphens, out of its address too.

    Examples
    --------
    >>> mbid("https://musicbrainz.org/recording/B1A9C0E9-D987-4042-AE91-78D6A3267D69")
    'b1a9c0e9-d987-4042-ae91-78d6a3267d69'
    """
    found = _UUID.search(text.lower())
    return found[0] if found and found[0] != _NO_ONE else ""


def platform_id(text: str) -> str:
    """Write what a service calls a recording: the service, a colon, and its code, out of an address too.

    Examples
    --------
    >>> platform_id("https://open.spotify.com/track/4uLU6hMCjMI75M1A2tKUQC?si=1"), platform_id("https://example.com/1")
    ('spotify:4uLU6hMCjMI75M1A2tKUQC', '')
    >>> platform_id("spotify:4uLU6hMCjMI75M1A2tKUQC")
    'spotify:4uLU6hMCjMI75M1A2tKUQC'
    """
    for name, pattern in _PLATFORMS:
        if found := pattern.search(text):
            return f"{name}:{found[1]}"
    written = _WRITTEN.fullmatch(text.strip())
    return written[0] if written else ""


KINDS: Final[dict[str, Callable[[str], str]]] = {
    "isrc": isrc,
    "upc": gtin,
    "iswc": iswc,
    "ipi": ipi,
    "isni": isni,
    "grid": grid,
    "mbid": mbid,
    "platform_id": platform_id,
}
"""Kinds of codes, and what writes each; nothing (``""``) for what is none."""


def normalise(kind: str, text: str) -> str:
    """Write a code of a kind, or nothing when it is none.

    Parameters
    ----------
    kind
        One of ``KINDS``; another one's text is given back without spaces around it.

    Examples
    --------
    >>> normalise("isrc", "us-um7-18-04534"), normalise("own:PADPIDA1", " 77 ")
    ('USUM71804534', '77')
    """
    return KINDS[kind](text) if kind in KINDS else text.strip()


def normalised(kind: str, column: pl.Series) -> pl.Series:
    """Write a whole column of codes; null where one is none [shape=(n,)].

    Millions of ISRCs are written in a second or two; of other codes, as many as are different are looked at one by one.

    Examples
    --------
    >>> normalised("isrc", pl.Series(["us-um7-18-04534", "none", None])).to_list()
    ['USUM71804534', None, None]
    """
    texts = column.cast(pl.String)
    if kind == "isrc":
        plain = texts.str.replace_all(r"[-\s.]|^(?i:isrc)[\s:=]*", "").str.to_uppercase()
        return plain.set(~plain.str.contains(rf"^{_ISRC.pattern}$").fill_null(value=False), None)
    different = texts.drop_nulls().unique()
    written = [normalise(kind, text) or None for text in different]
    return texts.replace_strict(different, pl.Series(written, dtype=pl.String), default=None, return_dtype=pl.String)
