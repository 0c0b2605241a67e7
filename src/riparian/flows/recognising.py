"""Which masters may a copy be compared with, where there are prints to say so?

A copy that prints surely recognise is compared with the masters of those recordings, of their duplicates and rivals,
and with masters that were never printed.  One that they do not is compared with all: whoever changed it so much that
it is not found may still have left its mark.

What is recognised says nothing about anybody's word: a mark is the same to prints whoever it is for.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from riparian.flows.extraction import Progress, silent
from riparian.flows.matching import look
from riparian.gate.policy import Policy
from riparian.ports.prints import Held, Library


@dataclass(frozen=True, slots=True)
class Recognised:
    """What prints know of copies.

    Parameters
    ----------
    digests
        For each copy that is recognised, the SHA-256 of files of ours that it may come from.
    printed
        SHA-256 of all files of ours of which there are prints, among those that were asked about.
    """

    digests: Mapping[Path, frozenset[str]]
    printed: frozenset[str]

    def may_be(self, copy: Path, master: str) -> bool:
        """Say whether a copy may come from a master with this digest."""
        return copy not in self.digests or master not in self.printed or master in self.digests[copy]


NOTHING_KNOWN = Recognised({}, frozenset())


def recognise(
    library: Library, policy: Policy, copies: Sequence[Path], masters: Collection[str], progress: Progress = silent
) -> Recognised:
    """Say which of ours copies may be.

    Parameters
    ----------
    library
        Prints, and whatever reads sound.
    policy
        How sure a copy has to be.
    copies
        Files that were found.
    masters
        SHA-256 of the files that they may be compared with.
    progress
        Told the stage ``recognising copies``.
    """
    held = library.hold()
    files = [file for copy in copies for file in library.find([str(copy)])]
    task = partial(look, library.listen, library.hold, library.pseudonyms, library.clock.now_us())
    digests: dict[Path, frozenset[str]] = {}
    progress("recognising copies", 0, len(files))
    for n, (copy, one) in enumerate(zip(copies, library.jobs.run(task, files), strict=True), start=1):
        if one.copies(policy):
            names = {name for answer in one.answers for name in (answer.recording, *answer.rivals)}
            digests[copy] = frozenset(_digests(held, names))
        progress("recognising copies", n, len(files))
    return Recognised(digests, frozenset(digest for digest in masters if held.has(digest)))


def _digests(held: Held, names: Collection[str]) -> set[str]:
    """Give the files of recordings, and of whatever is the same sound."""
    numbers = {alike for name in names for number in held.named(name) for alike in held.alike(number)}
    return {held.known(number).digest for number in numbers}
