"""What does a TAXII server answer: which objects, in which order, and how the rest is asked for?

A pure half: questions are read from the words of an address, and answers are made of rows.  Pages follow one another by
the time at which an object was added, which no two share; so nothing is skipped and nothing comes twice, whatever is
added or taken away meanwhile, and the last page costs what the first did.

Source
------
OASIS TAXII 2.1 (10 June 2021): 1.6 (errors, media types), 3.3 to 3.7 (filters, paging, headers), 4 and 5 (endpoints).
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from riparian.errors import InputError

TAXII: Final = "application/taxii+json;version=2.1"
_STIX: Final = "application/stix+json;version="
SPECS: Final = ("2.0", "2.1")
MEDIA_TYPES: Final = tuple(f"{_STIX}{spec}" for spec in SPECS)
PAGE_MOST: Final = 1000
PAGE: Final = 100
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_FILTERS: Final = ("id", "type", "version", "spec_version")
_VERSIONS: Final = ("first", "last", "all")
_NAMED_MOST: Final = 100
_IDENT: Final = re.compile(r"[a-z0-9-]{3,250}--[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")


@dataclass(frozen=True, slots=True)
class Row:
    """One version of an object, as it is kept.

    Parameters
    ----------
    added_us
        When it was added; microseconds since 1970, UTC, and no two the same.
    version
        Its ``modified``, else its ``created``, else when it was added; as STIX writes times.
    body
        The object.
    """

    ident: str
    kind: str
    version: str
    spec: str
    added_us: int
    body: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Question:
    """What is asked for.

    Parameters
    ----------
    added_after_us
        Only what was added later.
    after_us
        The page begins behind this one: the ``next`` of the page before.
    limit
        How many at the most; 1 to :data:`PAGE_MOST`.
    idents, kinds, specs
        Only these.  All, when there are none; but of an object that is there in several standards, the latest.
    versions
        ``first``, ``last``, ``all`` or times; the last one when nothing is said.
    """

    added_after_us: int | None = None
    after_us: int | None = None
    limit: int = PAGE
    idents: tuple[str, ...] = ()
    kinds: tuple[str, ...] = ()
    specs: tuple[str, ...] = ()
    versions: tuple[str, ...] = ("last",)

    @property
    def since_us(self) -> int:
        """Behind which time the page begins."""
        return max(-1 if one is None else one for one in (self.added_after_us, self.after_us))


@dataclass(frozen=True, slots=True)
class Page:
    """Some rows, and whether there are more."""

    rows: Sequence[Row]
    more: bool

    @property
    def headers(self) -> dict[str, str]:
        """When the first and the last of it were added."""
        if not self.rows:
            return {}
        first, last = written(self.rows[0].added_us), written(self.rows[-1].added_us)
        return {"X-TAXII-Date-Added-First": first, "X-TAXII-Date-Added-Last": last}

    def of(self, name: str, items: Iterable[Any]) -> dict[str, Any]:
        """Give the envelope; empty when nothing is in it."""
        if not self.rows:
            return {}
        following = {"more": True, "next": str(self.rows[-1].added_us)} if self.more else {"more": False}
        return {**following, name: list(items)}


def question(given: Iterable[tuple[str, str]]) -> Question:
    """Read what is asked for from the words of an address.

    Raises
    ------
    InputError
        When a word is not one that TAXII has, or its value is none.

    Examples
    --------
    >>> question([("limit", "5"), ("match[type]", "indicator,sighting")]).kinds
    ('indicator', 'sighting')
    """
    said: dict[str, Any] = {}
    for name, value in given:
        if name == "added_after":
            said["added_after_us"] = micros(value)
        elif name == "limit":
            said["limit"] = min(_whole(name, value, 1), PAGE_MOST)
        elif name == "next":
            said["after_us"] = _whole(name, value, 0)
        elif name.startswith("match[") and name[6:-1] in _FILTERS and name.endswith("]"):
            named = _named(name, value)
            field = {"id": "idents", "type": "kinds", "spec_version": "specs", "version": "versions"}[name[6:-1]]
            said[field] = tuple(map(_version, named)) if field == "versions" else named
        elif name.startswith("match["):
            raise InputError(f"the filter `{name[:60]}` was given, wanted match[] of {', '.join(_FILTERS)}")
    return Question(**said)


def manifest_of(row: Row) -> dict[str, str]:
    """Say of an object which it is, when it was added and in which version."""
    return {
        "id": row.ident,
        "date_added": written(row.added_us),
        "version": row.version,
        "media_type": f"{_STIX}{row.spec}",
    }


def error(status: int, title: str, description: str = "") -> dict[str, Any]:
    """Write an error as TAXII does."""
    said: dict[str, Any] = {"title": title, "http_status": str(status)}
    return said | ({"description": description} if description else {})


def row_of(said: Mapping[str, Any], added_us: int) -> Row:
    """Give the row of an object that was sent.

    Raises
    ------
    InputError
        When it has no identifier that fits its type.
    """
    ident, kind = said.get("id"), said.get("type")
    if not isinstance(ident, str) or not _IDENT.fullmatch(ident) or ident[:-38] != kind:
        raise InputError(f"an object has the identifier `{str(ident)[:60]}`, wanted its type, `--` and a UUID")
    version = said.get("modified") or said.get("created")
    version = written(added_us) if version is None else written(micros(str(version)))
    # Observables of 2.1 need not say so, and are the only ones without a time.
    spec = said.get("spec_version", "2.0" if "created" in said or "modified" in said else "2.1")
    if spec not in SPECS:
        raise InputError(f"an object is of STIX `{str(spec)[:20]}`, wanted {' or '.join(SPECS)}")
    return Row(ident, kind, version, spec, added_us, said)


def written(us: int) -> str:
    """Write a time, to the microsecond where it has any.

    Examples
    --------
    >>> written(1_500_000), written(1_500_001)
    ('1970-01-01T00:00:01.500Z', '1970-01-01T00:00:01.500001Z')
    """
    at = datetime.fromtimestamp(us // 1_000_000, UTC).replace(microsecond=us % 1_000_000, tzinfo=None)
    return at.isoformat(timespec="microseconds" if us % 1000 else "milliseconds") + "Z"


def micros(text: str) -> int:
    """Read a time of TAXII; microseconds since 1970, UTC.

    Raises
    ------
    InputError
        When it is none.
    """
    try:
        at = datetime.fromisoformat(text)
        since = (at.astimezone(UTC) - _EPOCH) if at.tzinfo is not None else None
    except (ValueError, OverflowError):
        since = None
    if since is None:
        raise InputError(f"`{text[:60]}` is no time, wanted one as in 2026-11-23T09:30:00Z")
    return since // timedelta(microseconds=1)


def _named(name: str, value: str) -> tuple[str, ...]:
    named = tuple(dict.fromkeys(one.strip() for one in value.split(",")))
    if "" in named or len(named) > _NAMED_MOST:
        raise InputError(f"`{name}` is `{value[:40]}`, wanted at most {_NAMED_MOST} with commas between them")
    return named


def _whole(name: str, value: str, least: int) -> int:
    if not value.isascii() or not value.isdigit() or len(value) > 18 or int(value) < least:
        raise InputError(f"`{name}` is `{value[:40]}`, wanted a whole number of {least} or more")
    return int(value)


def _version(said: str) -> str:
    return said if said in _VERSIONS else written(micros(said))
