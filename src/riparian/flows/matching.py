"""From a file that was found to what of ours is in it: file -> packets, or sound -> peaks -> candidates -> answers.

::

    file --packets--> ours, to the last bit of its encoding?  Then nothing is decoded.
      `----listen---> sound --peaks, match--> answers, each with the chance that it is a mistake

What is said of a file is written down at once, so that a library of a million files that is interrupted goes on where
it was, and says in the end what it would have said.  A library need not be heard whole: a share of its files, chosen by
lot, tells how much of ours is in it (:mod:`riparian.prints.libraries`).

The lot is drawn under the key of the workspace: nobody can name files so that they are not chosen, and the same files
are chosen again after an interruption.
"""

import hashlib
import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, Final

from riparian.bets.calibrate import calibrate
from riparian.codes import coder
from riparian.evidence import COPY, Evidence, Row, Source, on_grid
from riparian.flows.extraction import Progress, silent
from riparian.flows.printing import batches
from riparian.gate.policy import Policy, copy_error
from riparian.ports.prints import Answered, Enough, Held, Library, SoundFile, Sounding
from riparian.prints.landmarks import peaks
from riparian.prints.libraries import Estimated, estimate
from riparian.prints.match import match
from riparian.prints.peaks import Peaks

EXACT: Final = Source("prints.packets", "1")
_AT_ONCE: Final = 8
_DIGEST_BITS: Final = 64
"""Of a digest of packets, as many count: whoever looks for two files with one has half of its bits to find."""
_LOT_BYTES: Final = 16


@dataclass(frozen=True, slots=True)
class Answer:
    """A recording of ours that is said to be in a file.

    Parameters
    ----------
    claim
        ``copy``, or ``shares`` for shared material.
    recording
        What it is called; of several that are the same, the one that was compared.
    ours
        Where the file is that it was compared with.
    number, cluster
        Of the print, and of those that are the same.
    error
        The chance that the claim is wrong.
    bits, rows
        What the recordings of ours vouch for, and the waterfall: labels and bits.
    spans
        From when to when, in the file and in ours, with speed and pitch; see :mod:`riparian.prints.match`.
    facts
        What else there is to know.
    rivals
        Other recordings that go together with the same stretches.
    """

    claim: str
    recording: str
    ours: str
    number: int
    cluster: int
    error: float
    bits: float
    rows: tuple[tuple[str, float], ...]
    spans: tuple[Mapping[str, float], ...]
    facts: Mapping[str, Any]
    rivals: tuple[str, ...]

    @property
    def is_exact(self) -> bool:
        """Whether nothing was decoded, since the file holds the same packets."""
        return "packets" in self.facts


@dataclass(frozen=True, slots=True)
class Looked:
    """What is said of a file.

    Parameters
    ----------
    file, digest
        Which; its SHA-256.
    seconds
        How long it is; 0 where it was not decoded.
    answers
        The surest first.
    why_nothing
        Why there is none: ``not ours``, or that nothing could have been found: ``too short``, ``silence``, ``noise or
        speech``.
    failed
        Why it cannot be heard.
    is_sound
        False for a file of a folder that is of another kind.
    """

    file: SoundFile
    digest: str
    seconds: float = 0.0
    answers: tuple[Answer, ...] = ()
    why_nothing: str = ""
    failed: str = ""
    is_sound: bool = True

    def copies(self, policy: Policy) -> list[Answer]:
        """List what may be said to be a copy under a policy."""
        return [one for one in self.answers if one.claim == COPY.name and one.error <= copy_error(policy)]


@dataclass(frozen=True, slots=True, eq=False)
class Matches:
    """What came of a library.

    Parameters
    ----------
    looked
        One a file that was chosen, in their order.
    files
        How many there are.
    recordings
        How many prints of ours were searched.
    estimated
        How much of ours is in all of them.
    """

    looked: tuple[Looked, ...]
    files: int
    recordings: int
    estimated: Estimated


def match_files(
    library: Library, files: Sequence[SoundFile], policy: Policy, share: float = 1.0, progress: Progress = silent
) -> Matches:
    """Say what of ours is in files.

    Parameters
    ----------
    library
        Prints, and whatever reads sound.
    files
        As :attr:`Library.find` lists them.
    policy
        How sure a copy has to be, to be counted.
    share
        Of the files, how many are heard; above 0, at most 1.
    progress
        Told the stage ``looking at files``.
    """
    chosen = choose(files, share, library.pseudonyms)
    held = library.hold()
    library.answers.open(held.state)
    known = {file.name: answered for file in chosen if (answered := library.answers.of(file)) is not None}
    todo = [file for file in chosen if file.name not in known]
    progress("looking at files", len(known), len(chosen))
    looked = {name: heard_again(answered) for name, answered in known.items()}
    task = partial(look, library.listen, library.hold, library.pseudonyms, library.clock.now_us())
    for some in batches(library.jobs.run(task, todo), _AT_ONCE):
        library.answers.keep(*(Answered(one.file, one.digest, said(one)) for one in some if _lasts(one)))
        looked |= {one.file.name: one for one in some}
        progress("looking at files", len(looked), len(chosen))
    in_order = tuple(looked[file.name] for file in chosen)
    return Matches(in_order, len(files), held.recordings, _estimated(in_order, files, held, policy))


def choose(files: Sequence[SoundFile], share: float, key: bytes) -> list[SoundFile]:
    """Choose a share of files by lot, at least one of them, in their order."""
    if share >= 1:
        return list(files)
    lots = {file.name: hashlib.blake2b(file.name.encode(), digest_size=_LOT_BYTES, key=key).digest() for file in files}
    drawn = set(sorted(lots, key=lots.__getitem__)[: math.ceil(share * len(files))])
    return [file for file in files if file.name in drawn]


def look(
    listen: Callable[[SoundFile, Enough], Sounding],
    hold: Callable[[], Held],
    key: bytes,
    at_us: int,
    file: SoundFile,
) -> Looked:
    """Say what of ours is in a file."""
    held = hold()
    sounding = listen(file, lambda _, packets: bool(held.exactly(packets)))
    return looked(held, sounding, coder(key)(file.name.encode()), at_us)


def looked(held: Held, sounding: Sounding, subject: int, at_us: int, heard: Peaks | None = None) -> Looked:
    """Say what of ours is in a file that was listened to.

    Parameters
    ----------
    held
        What is visible of prints.
    sounding
        Without samples when its packets were enough.
    subject
        The code of the file.
    at_us
        When this is asked; microseconds since 1970, UTC.
    heard
        The peaks of its sound, where the caller has them.
    """
    file, digest = sounding.file, sounding.digest
    if sounding.failed:
        return Looked(file, digest, failed=sounding.failed, is_sound=sounding.is_sound)
    exact = held.exactly(sounding.packets) if sounding.packets else []
    if exact:
        lasts_s = held.known(exact[0]).seconds
        return Looked(file, digest, lasts_s, (_exactly(held, exact, subject, at_us),))
    if heard is None:
        assert sounding.samples is not None  # noqa: S101 -- neither failed nor known by its packets
        heard = peaks(sounding.samples, held.key)
    found = match(heard, held, held.null, subject=subject, at_us=at_us)
    answers = tuple(
        _answer(held, one.evidence, (one.recording, *one.rivals), one.cluster, one.error) for one in found.answers
    )
    return Looked(file, digest, found.seconds, answers, found.why_nothing)


def said(one: Looked) -> dict[str, Any]:
    """Write down what is said of a file, to be read by :func:`heard_again`."""
    return {
        "seconds": one.seconds,
        "why_nothing": one.why_nothing,
        "failed": one.failed,
        "is_sound": one.is_sound,
        "answers": [{name: getattr(answer, name) for name in Answer.__slots__} for answer in one.answers],
    }


def heard_again(answered: Answered) -> Looked:
    """Read what was said of a file."""
    plain = dict(answered.said)
    answers = tuple(
        Answer(**one | {"rows": tuple((label, bits) for label, bits in one["rows"])} | _tuples(one))
        for one in plain.pop("answers")
    )
    return Looked(answered.file, answered.digest, answers=answers, **plain)


def _tuples(one: Mapping[str, Any]) -> dict[str, Any]:
    return {"spans": tuple(one["spans"]), "rivals": tuple(one["rivals"])}


def _lasts(one: Looked) -> bool:
    # What could not be read at all may be readable tomorrow.
    return bool(one.digest) or not one.failed


def _exactly(held: Held, numbers: Sequence[int], subject: int, at_us: int) -> Answer:
    """Say that a file holds the packets of a recording of ours."""
    known, bits = held.known(numbers[0]), on_grid(calibrate(1 / (1 + held.recordings)))
    rows = (Row(f"0 of {held.recordings} recordings have packets of another", bits),)
    whole = {"from_s": 0.0, "to_s": known.seconds, "ours_from_s": 0.0, "ours_to_s": known.seconds}
    span = whole | {"speed": 1.0, "semitones": 0.0, "same": 1.0}
    facts = {"packets": known.packets.hex(), "covered": 1.0, "of_ours": 1.0, "spans": [span]}
    evidence = Evidence(COPY, subject, bits, rows, at_us, EXACT, facts)
    error = min(1.0, held.recordings * 2.0**-_DIGEST_BITS)
    return _answer(held, evidence, numbers, held.cluster(numbers[0]), error)


def _answer(held: Held, evidence: Evidence, numbers: Sequence[int], cluster: int, error: float) -> Answer:
    facts = {name: value for name, value in evidence.facts.items() if name not in {"spans", "rivals"}}
    spans = evidence.facts["spans"]
    assert isinstance(spans, list)  # noqa: S101 -- see prints.match
    known = held.known(numbers[0])
    rows = tuple((row.label, row.bits) for row in evidence.waterfall)
    return Answer(
        claim=evidence.claim.name,
        recording=known.recording,
        ours=known.file.name,
        number=known.number,
        cluster=cluster,
        error=error,
        bits=evidence.bits,
        rows=rows,
        spans=tuple(spans),
        facts=facts,
        rivals=tuple(dict.fromkeys(held.known(number).recording for number in numbers[1:])),
    )


def _estimated(all_looked: Sequence[Looked], files: Sequence[SoundFile], held: Held, policy: Policy) -> Estimated:
    copies = [one.copies(policy) for one in all_looked]
    wrong = sum(min(answer.error for answer in each) for each in copies if each)
    found = [sorted({answer.cluster for answer in each}) for each in copies]
    return estimate(found, len(files), held.recordings, wrong)


def in_folders(files: Sequence[SoundFile]) -> bool:
    """Say whether files were found in folders, or are many: then they are a library."""
    return len(files) > 1 or any(not file.is_named for file in files)


def all_answers(matches: Matches) -> Iterator[tuple[Looked, Answer]]:
    """Give every answer with its file."""
    for one in matches.looked:
        for answer in one.answers:
            yield one, answer
