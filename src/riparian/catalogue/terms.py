"""What may be done with this recording, where, when and by whom, and which document says so?

One ledger holds what every document says, one row of schema ``TERM`` each.  Rows are added and never changed: what is
no longer said is taken back by a row of its own, so that what was reserved on any day can be told on any later one.

Rules of the room:

1. What nobody permits is reserved.
2. Of rows that speak of the same thing, the one that is more particular decides: about a recording before a label
   before everything, then to a named grantee before anybody, then in countries that it names before everywhere.
3. Of rows that are as particular, one that reserves decides, whichever is the later.
4. A row speaks within its territory and period, and only as long as it is not taken back.

Source
------
Directive (EU) 2019/790, articles 3 and 4 (text and data mining, and its reservation); DDEX, Electronic Release
Notification Message Suite Standard 4.3, ``DealTerms`` (territory, validity period, use).
"""

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import astuple, dataclass, fields
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import Any, Final

import pyarrow as pa

from riparian.schema import TERM


class Use(StrEnum):
    """What somebody does with a recording."""

    STREAM = "stream"
    DOWNLOAD = "download"
    TRAIN = "train"
    """Fit a model to it, of whatever kind."""
    MINE = "mine"
    """Look for patterns in it by machine, text and data mining as the law says."""
    INFER = "infer"
    """Hand it to a fitted model."""
    SEARCH = "search"
    """List it so that people find it."""


class Scope(StrEnum):
    """Of how much a row speaks; the later, the more particular."""

    ALL = "all"
    LABEL = "label"
    RECORDING = "recording"


class Says(StrEnum):
    """What a row says."""

    PERMITTED = "permitted"
    RESERVED = "reserved"


@dataclass(frozen=True, slots=True)
class Term:
    """One row of the ledger; texts are empty and times None where it says nothing.

    Parameters
    ----------
    subject
        The recording or the label, as the catalogue names it; empty for ``all``.
    territories, except_in
        Countries of ISO 3166 alpha-2; no territory is everywhere.
    begins_us, ends_us
        From when until before when; microseconds since 1970, UTC.
    grantee
        To whom; empty for anybody.
    conditions
        What a permission asks for, or where a reserved use may be had: a text or an address.
    stated_us
        When the document says it.
    withdraws
        Digest of a row that this one takes back.
    """

    scope: Scope
    subject: str
    use: Use
    says: Says
    document: str
    territories: frozenset[str] = frozenset()
    except_in: frozenset[str] = frozenset()
    begins_us: int | None = None
    ends_us: int | None = None
    grantee: str = ""
    conditions: str = ""
    holder: str = ""
    stated_us: int | None = None
    withdraws: str = ""

    @property
    def digest(self) -> str:
        """What names this row for ever: the first 32 hexadecimal digits of the SHA-256 of :func:`line_of`."""
        return hashlib.sha256(line_of(self).encode()).hexdigest()[:32]


def line_of(term: Term) -> str:
    """Write a row as one line of JSON, always in the same way: keys in order, no spaces, nothing that says nothing.

    Examples
    --------
    >>> line_of(Term(Scope.ALL, "", Use.TRAIN, Says.RESERVED, "policy.pdf", territories=frozenset({"FR", "DE"})))
    '{"document":"policy.pdf","says":"reserved","scope":"all","territories":"DE FR","use":"train"}'
    """
    said = {field.name: value for field, value in zip(fields(term), astuple(term), strict=True)}
    plain = {name: " ".join(sorted(value)) if isinstance(value, frozenset) else value for name, value in said.items()}
    kept = {name: value for name, value in plain.items() if value not in (None, "")}
    return json.dumps(kept, sort_keys=True, separators=(",", ":"), ensure_ascii=False)


def term_of(said: Mapping[str, object]) -> Term:
    """Read a row from what :func:`line_of` wrote.

    Raises
    ------
    ValueError
        When it is none.

    Examples
    --------
    >>> row = Term(Scope.ALL, "", Use.TRAIN, Says.RESERVED, "policy.pdf", territories=frozenset({"DE"}), stated_us=5)
    >>> term_of(json.loads(line_of(row))) == row
    True
    """
    names = {field.name for field in fields(Term)}
    strange = next((name for name in said if name not in names), None)
    if strange is not None:
        raise ValueError(f"a row has no `{strange}`")
    texts: dict[str, Any] = {name: str(value) for name, value in said.items() if not name.endswith("_us")}
    times: dict[str, Any] = {
        name: value for name, value in said.items() if isinstance(value, int) and name.endswith("_us")
    }
    return Term(
        Scope(texts.pop("scope", "")),
        texts.pop("subject", ""),
        Use(texts.pop("use", "")),
        Says(texts.pop("says", "")),
        texts.pop("document", ""),
        frozenset(texts.pop("territories", "").split()),
        frozenset(texts.pop("except_in", "").split()),
        **times,
        **texts,
    )


_TIMES: Final = (("begins", "begins_us"), ("ends", "ends_us"), ("stated", "stated_us"))


def table_of_terms(terms: Iterable[Term]) -> pa.Table:
    """Make a table of schema ``TERM``.

    Examples
    --------
    >>> table_of_terms([Term(Scope.RECORDING, "r-1", Use.STREAM, Says.PERMITTED, "deal.xml")]).num_rows
    1
    """
    rows = [_row(term) for term in terms]
    return pa.Table.from_pylist(rows, schema=TERM)


def _row(term: Term) -> dict[str, object]:
    return {
        "scope": str(term.scope),
        "subject": term.subject,
        "use": str(term.use),
        "says": str(term.says),
        "territories": " ".join(sorted(term.territories)) or None,
        "except_in": " ".join(sorted(term.except_in)) or None,
        "grantee": term.grantee or None,
        "conditions": term.conditions or None,
        "holder": term.holder or None,
        "document": term.document,
        "withdraws": term.withdraws or None,
        **{column: _moment(getattr(term, field)) for column, field in _TIMES},
    }


def _moment(at_us: int | None) -> datetime | None:
    if at_us is None:
        return None
    return datetime.fromtimestamp(at_us // 1_000_000, UTC).replace(microsecond=at_us % 1_000_000)


def terms_of(table: pa.Table) -> list[Term]:
    """Read rows of schema ``TERM``.

    Raises
    ------
    ValueError
        When a row says none of the words of this module.

    Examples
    --------
    >>> said = Term(Scope.LABEL, "Reed", Use.TRAIN, Says.RESERVED, "deal.xml", begins_us=1_767_225_600_000_000)
    >>> terms_of(table_of_terms([said])) == [said]
    True
    """
    return [_term(row) for row in table.select(TERM.names).cast(TERM).to_pylist()]


def _term(row: dict[str, str | datetime | None]) -> Term:
    texts = {name: value for name, value in row.items() if isinstance(value, str)}
    times = {field: _us(row[column]) for column, field in _TIMES}
    return Term(
        Scope(texts["scope"]),
        texts["subject"],
        Use(texts["use"]),
        Says(texts["says"]),
        texts["document"],
        frozenset(texts.get("territories", "").split()),
        frozenset(texts.get("except_in", "").split()),
        times["begins_us"],
        times["ends_us"],
        texts.get("grantee", ""),
        texts.get("conditions", ""),
        texts.get("holder", ""),
        times["stated_us"],
        texts.get("withdraws", ""),
    )


def _us(moment: object) -> int | None:
    if not isinstance(moment, datetime):
        return None
    return (moment - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(microseconds=1)
