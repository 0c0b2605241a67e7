"""Which rows stand for nothing, and how are they told from those that do?

By nobody but whoever has the list of them.  Each is made after a row of the catalogue, from its label, with title,
artist and album put together from the words of others, an identifier of the same shape, and an ISRC of a registrant
that its owner keeps for this and never gives to a recording.  It is nobody's credit, so nobody is paid by it, and it
must be kept out of search, reports, charts and royalties.

A tenant is given each such row by a bit of its own, so that tenants who compare their lists and drop what only some of
them have do not drop them all; one that alone leaks has those of its own.  Where durations are gone and texts were
cleaned, these rows are what is left.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import pyarrow as pa

from riparian.catalogue.identifiers import normalise
from riparian.errors import InputError
from riparian.metadata.canaries.code import CanaryKey

KIND: Final = "rows that stand for nothing"
_ISRCS: Final = 100_000
_DIGITS: Final = "0123456789"
_LETTERS: Final = "abcdefghijklmnopqrstuvwxyz"
_PHRASES: Final = ("title", "artist", "album")
_WORDS: Final = re.compile(r"[^\W\d_]{2,}")
_FEWEST_WORDS: Final = 2
_MOST_WORDS: Final = 3
_DRAWN: Final = 512
_EXAMPLES: Final = 64
_TRIES: Final = 8
_NAME_CHARS: Final = 40


@dataclass(slots=True)
class _Lot:
    """Draws by key, one after another."""

    words: list[int]

    def below(self, n: int) -> int:
        return self.words.pop() % n

    def one(self, of: Sequence[Any]) -> Any:
        return of[self.below(len(of))]


def made(key: CanaryKey, catalogue: pa.Table, n: int, registrant: str, year: int) -> pa.Table:
    """Make rows that stand for nothing.

    Parameters
    ----------
    key
        Of the epoch; the same key and catalogue make the same rows.
    catalogue : pa.Table
        Of :data:`riparian.schema.RECORDING`, one row or more; identifiers of what is made do not occur in it.
    n
        How many, 0 to 100,000.
    registrant
        The first five characters of ISRCs that stand for nothing, as in ``QZ9ZZ``.
    year
        Of the ISRCs; its last two digits stand in them.

    Returns
    -------
    rows : pa.Table [columns as the catalogue's]

    Raises
    ------
    InputError
        When the registrant is none, the catalogue is empty or has recordings under that registrant.

    Examples
    --------
    >>> ours = pa.table({"recording": ["r-17", "r-23"], "title": ["Cold Harbour", "Paper Lanterns"],
    ...     "artist": ["Anna Reed", "Bo Lund"], "isrc": ["SEABC2400001", "SEABC2400002"]})
    >>> made(CanaryKey(bytes(32), 1), ours, 1, "QZ9ZZ", 2026)["isrc"].to_pylist()[0][:7]
    'QZ9ZZ26'
    """
    _require(catalogue, n, registrant)
    rows = catalogue.to_pylist() if catalogue.num_rows <= _EXAMPLES * max(n, 1) else _some(key, catalogue, n)
    taken = set(catalogue["recording"].to_pylist())
    same = _begins_alike(min(taken), max(taken))
    phrases = {column: _Phrases.of(catalogue, rows, column) for column in _PHRASES if column in catalogue.column_names}
    numbers = np.argsort(key.stream("row numbers", registrant, words=_ISRCS), kind="stable")[:n]
    found = []
    for i, number in enumerate(numbers.tolist()):
        lot = _Lot(key.stream("rows", str(i), words=_DRAWN).tolist())
        row = _row(lot, rows, phrases)
        row["recording"] = _name(lot, row["recording"], same, taken)
        taken.add(row["recording"])
        if "isrc" in catalogue.column_names:
            row["isrc"] = f"{registrant}{year % 100:02d}{number:05d}"
        found.append(row)
    return pa.Table.from_pylist(found, catalogue.schema)


def _require(catalogue: pa.Table, n: int, registrant: str) -> None:
    if not catalogue.num_rows or not 0 <= n <= _ISRCS:
        raise InputError(
            f"{n} rows are to be made after {catalogue.num_rows} recordings, wanted 0 to {_ISRCS} after one or more"
        )
    if n and normalise("isrc", f"{registrant}2600000") == "":
        raise InputError(
            f"`{registrant}` begins no ISRC, wanted a country and a registrant as in QZ9ZZ",
            hint="Take a registrant of yours that you give to no recording.",
        )
    isrcs = catalogue["isrc"].to_pylist() if "isrc" in catalogue.column_names else []
    if n and any(isrc and isrc.replace("-", "").upper().startswith(registrant) for isrc in isrcs):
        raise InputError(
            f"recordings of yours have ISRCs that begin with `{registrant}`, wanted one that none has",
            hint="Take a registrant of yours that you give to no recording.",
        )


def _some(key: CanaryKey, catalogue: pa.Table, n: int) -> list[dict[str, Any]]:
    """Give rows to make others after, chosen by lot, for a catalogue that is much larger."""
    of = key.stream("row examples", words=_EXAMPLES * n) % np.uint64(catalogue.num_rows)
    some: list[dict[str, Any]] = catalogue.take(pa.array(np.unique(of))).to_pylist()
    return some


@dataclass(frozen=True, slots=True)
class _Phrases:
    """Words of one column, and what they must not come to: nobody's name, and no title of ours."""

    words: list[str]
    names: frozenset[str]

    @classmethod
    def of(cls, catalogue: pa.Table, rows: Sequence[dict[str, Any]], column: str) -> "_Phrases":
        words = [word for row in rows for word in _WORDS.findall(row[column] or "")]
        return cls(words or [column], frozenset(catalogue[column].to_pylist()))

    def one(self, lot: _Lot) -> str:
        words = [lot.one(self.words) for _ in range(_FEWEST_WORDS + lot.below(_MOST_WORDS - _FEWEST_WORDS + 1))]
        while (text := " ".join(words)) in self.names:
            words.append(lot.one(self.words))
        return text


def _row(lot: _Lot, rows: Sequence[dict[str, Any]], phrases: Mapping[str, _Phrases]) -> dict[str, Any]:
    row = dict(lot.one(rows))
    row |= {column: of.one(lot) for column, of in phrases.items() if row[column]}
    for column in ("duration_ms", "popularity"):
        if row.get(column) is not None:
            row[column] = lot.one(rows)[column]
    return row


def _begins_alike(one: str, other: str) -> int:
    """Count the characters that two names begin with, both."""
    return next((i for i, (a, b) in enumerate(zip(one, other, strict=False)) if a != b), 0)


def _name(lot: _Lot, like: str, same: int, taken: set[str]) -> str:
    """Make a name of the same shape that is not in use: where all begin alike it does, too."""
    begin, rest = like[:same], like[same:]
    for _ in range(_TRIES):
        name = begin + "".join(lot.one(_alphabet(c)) for c in rest[:_NAME_CHARS]) + rest[_NAME_CHARS:]
        if name not in taken:
            return name
    while name in taken:
        # Where all of that shape are in use, one character more.
        name += lot.one(_DIGITS)
    return name


def _alphabet(c: str) -> str:
    if c.isdigit():
        return _DIGITS
    if c.isalpha():
        return _LETTERS if c.islower() else _LETTERS.upper()
    return c
