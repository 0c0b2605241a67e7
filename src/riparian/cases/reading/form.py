"""What was answered to the questions of a form?

A question is known by its words (``questions.toml``), whatever marks are around them and wherever the lines break; it
stands at the beginning of a line.  A line that is set in bold as a whole and ends as a question does is one that we do
not know.  What is between a question and the next is the answer.
"""

import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.resources import files
from types import MappingProxyType
from typing import Final

from riparian.cases.reading.plain import folded, phrase
from riparian.cases.reading.seen import Answer

_ADDRESS: Final = re.compile(r"\(?https?://[^\s<>\"]{1,2000}")
_LINE_START: Final = re.compile(r"^[^\w\n]*(?:[Qq]?\W?\d{1,2}[.):\]][^\w\n]*)?(?=([^\W\d_]+))", re.MULTILINE)
_BOLD: Final = re.compile(
    r"^[ \t]*(?:\d{1,2}[.)][ \t]*)?(\*\*|__)(?=\S)[^\n]{3,600}?(?:[?:]\1|\1[?:])[ \t\\]*$", re.MULTILINE
)
_TAIL: Final = re.compile(r"[^\w\n]*")
_FORM_QUESTIONS: Final = 3
_OTHER: Final = "other"
STATED: Final = frozenset({"good_faith", "fair_use", "perjury", "mistake", "jurisdiction", "guide", "confirmed"})
"""The questions that are statements: who sends the form makes them by sending it."""

_BOLD_TAIL: Final = re.compile(r"[^\n]{0,400}?(?:\*\*|__)")


@dataclass(frozen=True, slots=True)
class _Question:
    field: str
    begins: re.Pattern[str]
    then: tuple[re.Pattern[str], ...]


def _questions() -> Mapping[str, tuple[_Question, ...]]:
    """Read the questions, by their first word."""
    table = tomllib.loads(files(__package__).joinpath("questions.toml").read_text("utf-8"))["question"]
    known: dict[str, list[_Question]] = {}
    for row in table:
        then = tuple(re.compile(rf"\W*{_words(one)}", re.IGNORECASE) for one in row.get("then", ()))
        for begins in row["begins"]:
            question = _Question(row["field"], re.compile(_words(begins), re.IGNORECASE), then)
            known.setdefault(begins.split()[0], []).append(question)
    return MappingProxyType({word: tuple(group) for word, group in known.items()})


def _words(said: str) -> str:
    # An apostrophe may have been lost on the way, and so may the blank after a word.
    return phrase(said.replace("'", r"\W?"))


_QUESTIONS: Final = _questions()


def answered(text: str) -> tuple[Answer, ...]:
    r"""Read questions and answers.

    Returns
    -------
    tuple of Answer
        In their order in ``text``; empty unless three questions that we know are in it.

    Examples
    --------
    >>> form = "**What files were taken down?**\nAll.\n\n**Describe the change.**\nNone.\n\nWhich license? MIT"
    >>> [(one.field, one.answer) for one in answered(form)]
    [('former_locations', 'All.'), ('change', 'None.'), ('licence_which', 'MIT')]
    """
    plain = _ADDRESS.sub(lambda found: " " * len(found[0]), folded(text))
    known = _apart([place for begun in _LINE_START.finditer(plain) for place in _at(begun, plain, text)])
    if len({field for field, _, _ in known} - STATED) < _FORM_QUESTIONS:
        return ()
    others = [
        (_OTHER, found.start(), found.end())
        for found in _BOLD.finditer(text)
        if not any(start < found.end() and found.start() < end for _, start, end in known)
    ]
    placed = sorted([*known, *others], key=lambda place: place[1])
    ends = [start for _, start, _ in placed[1:]] + [len(text)]
    return tuple(
        Answer(field, _said(text[start:end]), _said(text[end:until]), (start, end), (end, until))
        for (field, start, end), until in zip(placed, ends, strict=True)
    )


def _at(line: re.Match[str], plain: str, text: str) -> list[tuple[str, int, int]]:
    """Find the questions that a line begins."""
    found = []
    for question in _QUESTIONS.get(line[1].lower(), ()):
        if begun := question.begins.match(plain, line.end()):
            end = _followed(question, plain, begun.end())
            found.append((question.field, line.start(), _closed(text, line.start(), end)))
    return found


def _followed(question: _Question, plain: str, end: int) -> int:
    """Go over the sentences that belong to a question, each once: whoever answers may repeat them."""
    left = list(question.then)
    while matched := next(((one, more) for one in left if (more := one.match(plain, end))), None):
        left.remove(matched[0])
        end = matched[1].end()
    return end


def _closed(text: str, start: int, end: int) -> int:
    """Go on to the end of what is in bold, when the question is and its words go on; then over marks that close it."""
    opened = text[start:end]
    for mark in ("**", "__"):
        if opened.count(mark) % 2 and (more := _BOLD_TAIL.match(text, end)) and more[0].endswith(mark):
            end = more.end()
            break
    tail = _TAIL.match(text, end)
    return tail.end() if tail else end


def _apart(places: list[tuple[str, int, int]]) -> list[tuple[str, int, int]]:
    """Drop what begins inside of another question; of two that begin together the longer one stays."""
    kept: list[tuple[str, int, int]] = []
    for place in sorted(places, key=lambda one: (one[1], -one[2])):
        if not kept or place[1] >= kept[-1][2]:
            kept.append(place)
    return kept


def _said(text: str) -> str:
    return text.strip().strip("*_").strip()
