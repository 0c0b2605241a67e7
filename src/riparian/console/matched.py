"""One page that says what of ours is in found files, to be read, printed and kept: the rules are the report's."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import PurePosixPath

from jinja2 import Environment
from markupsafe import Markup

from riparian import __version__
from riparian.console import setting, words
from riparian.console.figures import NARROW, WIDE
from riparian.console.spectrograms import Side, beside
from riparian.flows.extraction import Progress, silent
from riparian.flows.matching import Answer, Looked, Matches
from riparian.gate.policy import Policy, copy_error
from riparian.ports.prints import Held, Library, SoundFile
from riparian.prints.landmarks import peaks

PICTURES_MAX = 12
LISTED_MAX = 500
SPANS_MAX = 3


@dataclass(frozen=True, slots=True)
class Line:
    """One answer on one file."""

    name: str
    path: str
    answer: Answer
    is_sure: bool


@dataclass(frozen=True, slots=True)
class Pair:
    """One answer, drawn."""

    line: Line
    pictures: tuple[Markup, ...]
    missing: str


def matched_page(library: Library, matches: Matches, policy: Policy, progress: Progress = silent) -> str:
    """Write the page: one HTML document, UTF-8, that needs nothing else.

    Parameters
    ----------
    library
        To hear again what is drawn: found files, and ours where they still are.
    matches
        What was found.
    policy
        How sure a copy has to be.
    progress
        Told the stage ``drawing``.
    """
    lines = [
        Line(_short(one.file), one.file.name, answer, answer.error <= copy_error(policy))
        for one in matches.looked
        for answer in one.answers
    ]
    found = [one for one in matches.looked if one.copies(policy)]
    pairs = tuple(_pairs(library, matches, policy, progress))
    return (
        _environment()
        .get_template("matched.html.j2")
        .render(
            matches=matches,
            lines=lines[:LISTED_MAX],
            more=max(0, len(lines) - LISTED_MAX),
            found=found,
            names=sorted({answer.recording for one in found for answer in one.copies(policy)}),
            heard=[one for one in matches.looked if not one.failed],
            failed=[one for one in matches.looked if one.failed and one.is_sound],
            silent=[one for one in matches.looked if one.why_nothing not in {"", "not ours"}],
            pairs=pairs,
            undrawn=max(0, sum(line.is_sure for line in lines) - len(pairs)),
            error=copy_error(policy),
            css=setting.style(),
            version=__version__,
        )
    )


def _pairs(library: Library, matches: Matches, policy: Policy, progress: Progress) -> Iterator[Pair]:
    held = library.hold()
    chosen = [(one, answer) for one in matches.looked for answer in one.answers if answer.error <= copy_error(policy)]
    chosen = chosen[:PICTURES_MAX]
    for place, (one, answer) in enumerate(chosen):
        progress("drawing", place, len(chosen))
        yield _pair(library, held, one, answer, f"pair-{place}")


def _pair(library: Library, held: Held, one: Looked, answer: Answer, ident: str) -> Pair:
    line = Line(_short(one.file), one.file.name, answer, is_sure=True)
    known = held.known(answer.number)
    found, why = _side(library, held, one.file, f"found: {line.name}")
    mine, why_not = _side(library, held, known.file, f"ours: {answer.recording}")
    if found is None:
        return Pair(line, (), why)
    ours = mine or Side(f"ours: {answer.recording}", None, held.peaks(answer.number))
    longest = sorted(answer.spans, key=lambda span: span["from_s"] - span["to_s"])[:SPANS_MAX]
    pictures = tuple(
        Markup("").join(
            beside(found, ours, span, width=width, ident=f"{ident}-{n}-{width}") for width in (WIDE, NARROW)
        )
        for n, span in enumerate(sorted(longest, key=lambda span: span["from_s"]))
    )
    return Pair(line, pictures, why_not)


def _side(library: Library, held: Held, file: SoundFile, name: str) -> tuple[Side | None, str]:
    sounding = library.listen(file, lambda _, __: False)
    if sounding.samples is None:
        return None, sounding.failed
    return Side(words.visible(name), sounding.samples, peaks(sounding.samples, held.key)), ""


def _short(file: SoundFile) -> str:
    return PurePosixPath(file.name).name


@cache
def _environment() -> Environment:
    return setting.environment(
        {"clock": words.clock, "changed": lambda span: words.changed(span["speed"], span["semitones"])}
    )
