"""How is a value written into an event, and read out of it again, exactly as it was?

As JSON that has one spelling: sorted, without spaces, UTF-8.  Times are UTC and to the microsecond; tuples are lists;
what is empty or None is left out, so that a field that is added later changes no event that stands.
"""

import json
import types
from collections.abc import Mapping
from dataclasses import MISSING, fields, is_dataclass
from datetime import UTC, datetime, timedelta
from enum import Enum
from functools import cache
from typing import Any, Final, TypeVar, Union, get_args, get_origin, get_type_hints

from riparian.errors import InputError

AHEAD: Final = timedelta(minutes=5)
"""So much one machine's clock may be ahead of another's."""

T = TypeVar("T")


def canonical(said: object) -> bytes:
    r"""Write JSON in its one spelling.

    Raises
    ------
    InputError
        When it holds what JSON does not: a number that is none, or half a character.

    Examples
    --------
    >>> canonical({"b": [1.5], "a": "Ü"})
    b'{"a":"\xc3\x9c","b":[1.5]}'
    """
    try:
        text = json.dumps(said, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False)
        return text.encode()
    except (TypeError, ValueError) as error:
        raise InputError(f"{_shown(said)} cannot be written down, wanted text, numbers, lists and mappings") from error


def plain(value: object) -> Any:
    """Give what JSON holds of a value: of a dataclass its fields, what is empty left out.

    Examples
    --------
    >>> from riparian.cases.facts import Work
    >>> plain(Work("r1", title="Tide"))
    {'recording': 'r1', 'title': 'Tide'}
    """
    if is_dataclass(value) and not isinstance(value, type):
        kept = {one.name: getattr(value, one.name) for one in fields(value) if not _is_default(one, value)}
        return {name: plain(one) for name, one in kept.items()}
    if isinstance(value, Enum):
        return value.value
    if isinstance(value, datetime):
        return moment(value)
    if isinstance(value, Mapping):
        return {str(key): plain(one) for key, one in value.items()}
    if isinstance(value, tuple | list):
        return [plain(one) for one in value]
    return value


def made(cls: type[T], said: object) -> T:
    """Make a value of what :func:`plain` gave.

    Raises
    ------
    InputError
        When a field is missing, unknown, or of another type.

    Examples
    --------
    >>> from riparian.cases.facts import Work
    >>> made(Work, {"recording": "r1", "title": "Tide"}) == Work("r1", title="Tide")
    True
    >>> made(Work, {"recording": 3})
    Traceback (most recent call last):
    riparian.errors.InputError: `recording` of a work is `3`, wanted text
    """
    what = cls.__name__.lower()
    if not isinstance(said, Mapping):
        raise InputError(f"a {what} is {_shown(said)}, wanted its fields")
    hashed: Any = cls
    known = _hints(hashed)
    unknown = sorted(set(said) - known.keys())
    if unknown:
        raise InputError(f"a {what} has the field `{unknown[0][:40]}`, wanted only {', '.join(sorted(known))}")
    given = {name: _as(known[name], one, f"`{name}` of a {what}") for name, one in said.items()}
    missing = [one.name for one in fields(cls) if _is_needed(one) and one.name not in given]  # type: ignore[arg-type]
    if missing:
        raise InputError(f"a {what} has no `{missing[0]}`, wanted {', '.join(missing)}")
    return cls(**given)


def moment(at: datetime) -> str:
    """Write a time: UTC, to the microsecond.

    Raises
    ------
    InputError
        When it does not say its zone.

    Examples
    --------
    >>> moment(datetime(2026, 11, 23, 1, 2, 3, tzinfo=UTC))
    '2026-11-23T01:02:03.000000Z'
    """
    if at.tzinfo is None:
        raise InputError(f"the time `{at}` has no zone, wanted one, such as `Z`")
    return at.astimezone(UTC).replace(tzinfo=None).isoformat(timespec="microseconds") + "Z"


def when(text: object) -> datetime:
    """Read a time that says its zone.

    Raises
    ------
    InputError
        When it is none.
    """
    try:
        at = datetime.fromisoformat(str(text))
    except ValueError:
        raise InputError(f"{_shown(text)} is no time, wanted one as in 2026-11-23T09:30:00Z") from None
    if at.tzinfo is None:
        raise InputError(f"the time {_shown(text)} has no zone, wanted one, such as `Z`")
    return at.astimezone(UTC)


def happened(text: str, now: datetime) -> datetime:
    """Read when something happened; now, when nothing is said.

    Raises
    ------
    InputError
        When it is no time, or has not come yet: clocks of two machines may differ by :data:`AHEAD`.

    Examples
    --------
    >>> now = datetime(2026, 11, 23, 9, tzinfo=UTC)
    >>> happened("2026-11-23T10:04:00+01:00", now).isoformat(), happened("", now) == now
    ('2026-11-23T09:04:00+00:00', True)
    """
    at = when(text) if text else now
    if at > now + AHEAD:
        raise InputError(
            f"{_shown(text)} has not come yet, wanted a time up to now, which is {moment(now)}",
            hint="Look at the day, and at the zone.",
        )
    return at


def _is_default(one: Any, value: object) -> bool:
    given = getattr(value, one.name)
    if one.default is not MISSING:
        return bool(given == one.default) and type(given) is type(one.default)
    return one.default_factory is not MISSING and given == one.default_factory()


def _is_needed(one: Any) -> bool:
    return one.default is MISSING and one.default_factory is MISSING


@cache
def _hints(cls: Any) -> dict[str, Any]:
    return get_type_hints(cls)


def _as(hint: Any, said: object, name: str) -> Any:
    origin, inner = get_origin(hint), get_args(hint)
    if origin in (Union, types.UnionType):
        return None if said is None else _as(next(one for one in inner if one is not type(None)), said, name)
    if origin is tuple and isinstance(said, list):
        return tuple(_as(inner[0], one, name) for one in said)
    if origin is not None and isinstance(said, Mapping) and issubclass(origin, Mapping):
        return {str(key): _as(inner[1], one, name) for key, one in said.items()}
    if hint is datetime:
        return when(said)
    if isinstance(hint, type) and issubclass(hint, Enum):
        try:
            return hint(said)
        except ValueError:
            raise InputError(
                f"{name} is {_shown(said)}, wanted one of {', '.join(one.value for one in hint)}"
            ) from None
    if is_dataclass(hint) and isinstance(hint, type):
        return made(hint, said)
    if hint is float and isinstance(said, int | float) and not isinstance(said, bool):
        return float(said)
    if isinstance(hint, type) and type(said) is hint:
        return said
    raise InputError(f"{name} is {_shown(said)}, wanted {_CALLED.get(hint, 'another type')}")


_CALLED = {str: "text", int: "a whole number", float: "a number", bool: "true or false"}


def _shown(said: object) -> str:
    return f"`{str(said)[:80]}`"
