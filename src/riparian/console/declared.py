"""What does a page read of what it is asked, what does an act read of its form, and of which kind is the answer?

It is said once, at the function that reads it, and stands from there in the description of the console for programs.

Examples
--------
>>> @tells("accounts", after="The last row of the page before it.")
... def facts(given, question): ...
>>> declared(facts).kind, list(declared(facts).reads)
('accounts', ['after'])
>>> declared(print)
Declared(kind='', reads={})
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final, TypeVar

_HELD: Final = "__riparian_declared__"
AFTER: Final = "The last row of the page before it, as its `after` says."
F = TypeVar("F", bound=Callable[..., Any])


@dataclass(frozen=True, slots=True)
class OneOf:
    """What is read, where it is one of a few words."""

    doc: str
    words: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Declared:
    """What is said of a function.

    Parameters
    ----------
    kind
        Of the JSON that it tells; empty for an act.
    reads
        What it reads by name, and what that is.
    """

    kind: str = ""
    reads: Mapping[str, str | OneOf] = field(default_factory=dict)


def tells(kind: str, **asked: str | OneOf) -> Callable[[F], F]:
    """Say of a page's facts which kind they are, and what may be asked of it."""
    return _saying(Declared(kind, asked))


def takes(**fields: str | OneOf) -> Callable[[F], F]:
    """Say of an act which fields of its form it reads."""
    return _saying(Declared("", fields))


def declared(function: Callable[..., Any]) -> Declared:
    """Read what is said of a function; nothing where nothing is."""
    said = getattr(function, _HELD, None)
    return said if isinstance(said, Declared) else Declared()


def _saying(what: Declared) -> Callable[[F], F]:
    def said(function: F) -> F:
        setattr(function, _HELD, what)
        return function

    return said
