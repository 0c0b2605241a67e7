"""What does a form of reservation say of one path, on a scale that all of them share?

The forms draw their lines in different places: one word of one covers several words of another.  What may be done is
therefore cut into :class:`Deed` as fine as any of them cuts; a word of a form covers some of these.  Two forms
contradict each other where one permits a deed freely and another does not.

Source
------
RFC 9309 section 2.2.2 (paths: the longest match; ``*`` and ``$``; what is percent-encoded).
"""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final, Generic, Protocol, TypeVar

from riparian.catalogue.consent import Stance

T = TypeVar("T")
ANYBODY: Final = "*"


class Deed(StrEnum):
    """What is done, as fine as any form of reservation tells it."""

    GENERATIVE = "training of generative models"
    TRAINING = "training of other models"
    MINING = "text and data mining"
    INFERENCE = "input to a model"
    INDEX = "index of an AI system"
    SEARCH = "search"


TRAINS: Final = frozenset({Deed.GENERATIVE, Deed.TRAINING})
MINES: Final = TRAINS | {Deed.MINING}
"""Text and data mining as the law has it: training is a kind of it."""


@dataclass(frozen=True, slots=True)
class Statement:
    """What one place says.

    Parameters
    ----------
    channel
        The form that it is said in.
    where
        The file and what in it, for a person to find.
    text
        What is written there.
    """

    channel: str
    where: str
    text: str
    deeds: frozenset[Deed]
    stance: Stance


@dataclass(frozen=True, slots=True)
class Fault:
    """Something that says nothing, though it was meant to: where, and why."""

    where: str
    why: str


class Channel(Protocol):
    """What one form says of a site."""

    @property
    def patterns(self) -> Sequence[str]:
        """Paths that it speaks of, with ``*`` and ``$``."""
        ...

    @property
    def agents(self) -> Sequence[str]:
        """Agents to whom it says something else than to anybody."""
        ...

    @property
    def faults(self) -> Sequence[Fault]:
        """What in it says nothing."""
        ...

    def at(self, path: str, agent: str = ANYBODY) -> Sequence[Statement]:
        """Say what it says of a path, after its own rules of precedence."""
        ...


_ENCODED: Final = re.compile(r"%([0-9A-Fa-f]{2})")
_UNRESERVED: Final = frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~")


def plain_path(path: str) -> str:
    """Write a path in one way: what needs no percent-encoding is not, what does has upper-case digits.

    Examples
    --------
    >>> plain_path("/%7Ejoe/a%2fb c")
    '/~joe/a%2Fb%20c'
    """
    spelled = _ENCODED.sub(lambda m: char if (char := chr(int(m[1], 16))) in _UNRESERVED else m[0].upper(), path)
    return "".join(c if 0x20 < ord(c) < 0x7F else "".join(f"%{b:02X}" for b in c.encode()) for c in spelled)


def matches(pattern: str, path: str) -> bool:
    """Say whether a path begins as a pattern does; ``*`` stands for anything, ``$`` at its end for the end.

    Takes time in proportion to the two lengths times the number of stars at most, whatever they are.

    Examples
    --------
    >>> [matches(p, "/a/b.mp3") for p in ("/a", "/a/$", "/*.mp3$", "*.mp", "/b", "/*/*b*")]
    [True, False, True, True, False, True]
    """
    is_whole = pattern.endswith("$")
    first, *rest = (pattern[:-1] if is_whole else pattern).split("*")
    if not path.startswith(first):
        return False
    place = len(first)
    for part in rest[:-1]:
        found = path.find(part, place)
        if found < 0:
            return False
        place = found + len(part)
    if not rest:
        return not is_whole or place == len(path)
    if is_whole:
        return len(path) - len(rest[-1]) >= place and path.endswith(rest[-1])
    return path.find(rest[-1], place) >= 0


@dataclass
class Rules(Generic[T]):
    """Patterns and what each says.

    Examples
    --------
    >>> rules = Rules([("/", "all"), ("/a/", "some"), ("/a/*.mp3", "sound")])
    >>> rules.longest("/a/b"), rules.longest("/a/b.mp3"), rules.first("/a/b"), rules.longest("x")
    (['some'], ['sound'], ['all'], [])
    """

    said: list[tuple[str, T]]
    _plain: dict[str, list[int]] = field(init=False, repr=False)
    _wild: list[int] = field(init=False, repr=False)

    def __post_init__(self) -> None:
        self.said = [(plain_path(pattern), what) for pattern, what in self.said]
        self._plain, self._wild = {}, []
        for i, (pattern, _) in enumerate(self.said):
            if "*" in pattern or "$" in pattern:
                self._wild.append(i)
            else:
                self._plain.setdefault(pattern, []).append(i)

    @property
    def patterns(self) -> tuple[str, ...]:
        """In order, each once."""
        return tuple(dict.fromkeys(pattern for pattern, _ in self.said))

    def longest(self, path: str) -> list[T]:
        """Give what the longest pattern that matches says; all of it where it stands there twice."""
        found = self._matching(path)
        longest = max((len(self.said[i][0]) for i in found), default=-1)
        return [self.said[i][1] for i in found if len(self.said[i][0]) == longest]

    def first(self, path: str) -> list[T]:
        """Give what the first pattern that matches says; all of it where the same pattern stands there twice."""
        found = self._matching(path)
        return [self.said[i][1] for i in found if self.said[i][0] == self.said[found[0]][0]]

    def all(self, path: str) -> list[tuple[str, T]]:
        """Give what every pattern that matches says."""
        return [self.said[i] for i in self._matching(path)]

    def _matching(self, path: str) -> list[int]:
        path = plain_path(path)
        found = [i for end in range(len(path) + 1) for i in self._plain.get(path[:end], ())]
        found += [i for i in self._wild if matches(self.said[i][0], path)]
        return sorted(found)


def limited(data: bytes, most: int, where: str, faults: list[Fault]) -> str:
    """Give the text of at most so many octets, and say so where there are more."""
    if len(data) > most:
        faults.append(Fault(where, f"has {len(data):,} octets, of which readers read {most:,}: the rest says nothing"))
        data = data[:most]
    return data.decode("utf-8", "replace").removeprefix("\ufeff")


def patterns_of(rules: Iterable[Rules[T]]) -> tuple[str, ...]:
    """List the patterns of several."""
    return tuple(dict.fromkeys(pattern for some in rules for pattern in some.patterns))
