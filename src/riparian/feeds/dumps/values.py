"""What do the values of a column look like, whatever it is called?

Conventions
-----------
A likeness is the share of values that are of a kind, from 0 to 1; of kinds that numbers can only suggest (a duration in
seconds looks like a speed in beats a minute), it is at most :data:`SUGGESTED`.
"""

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any, Final

import polars as pl

from riparian.feeds.dumps.naming_files import DASH

SUGGESTED: Final = 0.45
NOTHING: Final = ("", "null", "none", "nan", "n/a", "\\n", "-", "?", "unknown", "undefined")
_ISRC: Final = r"^[A-Z]{2}[A-Z0-9]{3}\d{7}$"
_UUID: Final = r"^[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}$"
_PLATFORM: Final = r"^(spotify:track:)?[0-9A-Za-z]{22}$|^https?://(open\.spotify|www\.deezer|music\.apple|tidal)\.\S+$"
_CLOCK: Final = r"^\d{1,3}:[0-5]\d(:[0-5]\d)?(\.\d+)?$|^PT(\d+H)?(\d+M)?(\d+(\.\d+)?S)?$"
_DATE: Final = (
    r"^(19|20)\d\d-\d\d-\d\d([T ]\d\d:\d\d.*)?$|^\d\d[-/. ](\d\d|[A-Z][a-z]{2})[-/. ](19|20)\d\d( \d\d:\d\d.*)?$"
)
_ENDING: Final = r"(?i)\.(aac|aiff?|alac|ape|flac|m4a|mka|mp3|oga|ogg|opus|wav|wma|wv)$"
_COUNTRIES: Final = r"^[A-Z]{2}([ ,;|]+[A-Z]{2})*$"
_SECONDS: Final = (90.0, 600.0)


def lit(values: pl.Series) -> pl.Series:
    """Leave out what says nothing, and spaces around what does."""
    bare = values.str.strip_chars()
    return bare.set(bare.str.to_lowercase().is_in(NOTHING), None).drop_nulls()


def _share(values: pl.Series, pattern: str) -> float:
    return float(values.str.contains(pattern).mean() or 0.0)  # type: ignore[arg-type]


def _isrc(values: pl.Series) -> float:
    return _share(values.str.to_uppercase().str.replace_all(r"[-\s]", ""), _ISRC)


def _check_digits(values: pl.Series) -> float:
    digits = values.filter(values.str.contains(r"^\d{12,14}$")).str.zfill(14)
    right = sum(_is_gtin(code) for code in digits.head(500).to_list())
    return right / max(1, min(500, len(digits))) * len(digits) / max(1, len(values))


def _is_gtin(code: str) -> bool:
    return sum(int(digit) * (3 if place % 2 == 0 else 1) for place, digit in enumerate(code)) % 10 == 0


def _iswc(values: pl.Series) -> float:
    return _share(values.str.replace_all(r"[-.\s]", ""), r"^T\d{10}$")


def _duration(values: pl.Series) -> float:
    clock = _share(values, _CLOCK)
    if clock > 0.5:
        return clock
    numbers = values.cast(pl.Float64, strict=False).drop_nulls()
    if len(numbers) < 0.8 * len(values) or not len(numbers):
        return 0.0
    return SUGGESTED * len(numbers) / len(values) if unit_of(numbers) and _is_spread(numbers) else 0.0


def _is_spread(numbers: pl.Series) -> bool:
    middle: Any = numbers.median()
    near = float(numbers.is_between(middle / 4, middle * 4).mean() or 0)  # type: ignore[arg-type]
    distinct = numbers.n_unique()
    years = float(numbers.is_between(1900, 2100).mean() or 0)  # type: ignore[arg-type]
    return near > 0.8 and years < 0.9 and distinct > min(20, len(numbers) / 4)


def unit_of(numbers: pl.Series) -> float:
    """Say how many milliseconds the unit has in which durations are written; 0 when they are none.

    Examples
    --------
    >>> unit_of(pl.Series([215.0, 180.5])), unit_of(pl.Series([215_000.0])), unit_of(pl.Series([3.0, 9.0]))
    (1000.0, 1.0, 0.0)
    """
    middle: Any = numbers.median()
    units = (1000.0, 1.0, 1e-3, 1e-6)  # seconds, milliseconds, microseconds, nanoseconds
    low, high = _SECONDS
    return next((unit for unit in units if middle and low <= middle * unit / 1000 <= high), 0.0)


def _added(values: pl.Series) -> float:
    dates = _share(values, _DATE)
    if dates > 0.5:
        # When recordings came out reaches back for decades; when they were added does not.
        old = _share(values, r"(19\d\d|200[0-4])(-\d\d-\d\d|$| )")
        return dates if old < 0.05 else 0.1
    numbers = values.cast(pl.Float64, strict=False).drop_nulls()
    middle: Any = numbers.median() if len(numbers) > 0.9 * len(values) else None
    return SUGGESTED if middle and any(9e8 * unit < middle < 2.2e9 * unit for unit in (1, 1e3, 1e6)) else 0.0


def _text(values: pl.Series) -> float:
    lengths = values.str.len_chars()
    spelt = values.str.contains(r"\p{L}") & (lengths < 300)
    odd = values.str.contains(r"^https?://|^[0-9a-fA-F]{16,}$|^[0-9A-Za-z_-]{22}$|^(?i:true|false)$")
    return float((spelt & ~odd).mean() or 0)  # type: ignore[arg-type]


def _words(values: pl.Series) -> float:
    # A genre or a label comes again and again; a title hardly ever.
    return SUGGESTED * _text(values) if len(values) else 0.0


LIKENESS: Final[Mapping[str, Callable[[pl.Series], float]]] = MappingProxyType(
    {
        "isrc": _isrc,
        "upc": _check_digits,
        "iswc": _iswc,
        "mbid": lambda values: _share(values, _UUID),
        "platform_id": lambda values: _share(values, _PLATFORM),
        "duration_ms": _duration,
        "added": _added,
        "path": lambda values: _share(values, _ENDING),
        "territory": lambda values: _share(values, _COUNTRIES),
        "title": _text,
        "artist": _text,
        "album": _text,
        "label": _words,
    }
)
"""Field to how much values are like it; values are :func:`lit`, and there is at least one."""


def dashed(values: pl.Series) -> float:
    """Say what share of values are two things with a dash between them."""
    return _share(values, DASH.pattern)


def repeated(values: pl.Series) -> float:
    """Say how much values repeat themselves: 0 when all are different."""
    return 1 - values.n_unique() / max(1, len(values))
