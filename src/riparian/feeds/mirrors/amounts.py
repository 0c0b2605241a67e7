"""When, how large, how long: what do the words of a list mean?

Source
------
RFC 5322 (dates of RSS), ISO 8601 and its W3C profile (sitemaps, Atom), what Apache, nginx, lighttpd and Caddy print.
"""

import re
from contextlib import suppress
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Final

_LISTED: Final = (
    *("%d-%b-%Y %H:%M", "%d-%b-%Y %H:%M:%S", "%Y-%b-%d %H:%M:%S", "%Y-%m-%d %H:%M", "%m/%d/%Y %I:%M %p"),
    *("%Y-%m", "%Y", "%Y/%m/%d %H:%M:%S"),
)
_SIZE: Final = re.compile(r"(\d{1,15}(?:[.,]\d{1,6})?) ?(?:([kmgt])i?)?b?", re.IGNORECASE)
_GROUPED: Final = re.compile(r"\d{1,3}(?:,\d{3})+")
_CLOCK: Final = re.compile(r"(?:(\d{1,3}):)?(\d{1,3}):(\d\d(?:\.\d{1,6})?)")
_PERIOD: Final = re.compile(r"PT(?:(\d{1,3})H)?(?:(\d{1,4})M)?(?:(\d{1,6}(?:\.\d{1,6})?)S)?")
_SECONDS: Final = re.compile(r"\d{1,6}(?:\.\d{1,6})?")
_EARLIEST: Final = datetime(1970, 1, 1, tzinfo=UTC)


def time_us(text: str) -> int | None:
    """Read a time: microseconds since 1970, UTC where no zone is said; None when it is none.

    Examples
    --------
    >>> [time_us(t) for t in ("1970-01-01T00:00:01Z", "Thu, 01 Jan 1970 00:00:01 GMT", "01-Jan-1970 00:01", "-")]
    [1000000, 1000000, 60000000, None]
    """
    text = " ".join(text[:64].split())
    when = None
    with suppress(ValueError):
        when = datetime.fromisoformat(text)
    if when is None:
        with suppress(ValueError, TypeError, OverflowError):
            when = parsedate_to_datetime(text)
    for form in _LISTED if when is None and text[:1].isdigit() else ():
        with suppress(ValueError):
            when = datetime.strptime(text, form).replace(tzinfo=UTC)
            break
    if when is None:
        return None
    when = when if when.tzinfo else when.replace(tzinfo=UTC)
    with suppress(OverflowError):
        us = round((when - _EARLIEST).total_seconds() * 1e6)
        return us if us >= 0 else None
    return None


def octets_of(text: str) -> int | None:
    """Read a size; what is rounded there is rounded here, and thousands are 1,024.

    Examples
    --------
    >>> [octets_of(t) for t in ("4096", "1.5M", "12 KiB", "1,048,576", "-", "")]
    [4096, 1572864, 12288, 1048576, None, None]
    """
    text = text.strip()[:32]
    if _GROUPED.fullmatch(text):
        return int(text.replace(",", ""))
    found = _SIZE.fullmatch(text)
    if found is None:
        return None
    power = " kmgt".index((found[2] or " ").lower())
    return int(float(found[1].replace(",", ".")) * float(1 << 10 * power) + 0.5)


def length_us(text: str) -> int | None:
    """Read how long something lasts: seconds, a clock, or a period of ISO 8601.

    Examples
    --------
    >>> [length_us(t) for t in ("225", "3:45", "1:02:03", "PT3M45S", "long", "0")]
    [225000000, 225000000, 3723000000, 225000000, None, None]
    """
    text = text.strip()[:32]
    if found := _CLOCK.fullmatch(text) or (_PERIOD.fullmatch(text) if text != "PT" else None):
        hours, minutes, seconds = (float(part or 0) for part in found.groups())
    elif _SECONDS.fullmatch(text):
        hours, minutes, seconds = 0.0, 0.0, float(text)
    else:
        return None
    return round((hours * 3600 + minutes * 60 + seconds) * 1e6) or None
