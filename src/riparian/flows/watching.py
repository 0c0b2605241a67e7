"""From a source that the operator lists to what is new there, and what of ours is in it.

::

    source --ask, one document after the other--> items --new?--> sightings
      a folder --walk------------------------------^                  |
                                          a file of one's own, or one that may be fetched
                                                                      |
                                        match --copies of ours--> trace --> to whom it was issued

Whatever was seen is written down before the next question is asked: whoever is killed goes on where they were, and what
nobody was told of is told the next time.  A document that cannot be read is told and passed over; the others are read.
Nothing is opened, sent or ended by it: what is found is shown to people.

Bounds
------
A round asks for at most so many documents, and what is left is asked for in the next one.  A document to which too many
others lead is not asked for: a site that makes up folders in folders has no end.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from itertools import islice
from pathlib import Path
from typing import Any, Final

import pyarrow as pa
import pyarrow.compute as pc

from riparian.errors import InputError, LifecycleError, OutsideError
from riparian.flows.extraction import Progress, silent
from riparian.flows.leak import Sighting, trace_leak
from riparian.flows.matching import Looked, match_files
from riparian.gate.policy import Policy
from riparian.ports import Studio
from riparian.ports.catalogue import Holdings
from riparian.ports.mirrors import Document, Item, Kind, RefusedError, Sighted, Sightings, Source
from riparian.ports.prints import Library
from riparian.ports.world import Clock

DOCUMENTS_MAX: Final = 10_000
DEPTH_MAX: Final = 16
_FAULTS_MAX: Final = 100
_AT_ONCE: Final = 500
_HEARD_AT_ONCE: Final = 16


@dataclass(slots=True)
class Watched:
    """What came of a round of a source.

    Parameters
    ----------
    new
        Numbers of what was not seen before.
    seen, documents
        How many items were named, in how many documents that were answered.
    faults
        What could not be read, and why: where, and a sentence; at most a hundred.
    n_faults
        How many there were.
    goes_on
        Whether this round went on where an earlier one was cut off.
    is_whole
        Whether nothing is left for the next round.
    """

    source: Source
    new: list[int] = field(default_factory=list)
    seen: int = 0
    documents: int = 0
    faults: list[tuple[str, str]] = field(default_factory=list)
    n_faults: int = 0
    goes_on: bool = False
    is_whole: bool = True

    def fault(self, where: str, why: str) -> None:
        """Add one."""
        self.n_faults += 1
        if len(self.faults) < _FAULTS_MAX:
            self.faults.append((where, why))


def watch(
    sightings: Sightings, source: Source, clock: Clock, progress: Progress = silent, most: int = DOCUMENTS_MAX
) -> Watched:
    """Read a source, and keep what it names.

    Parameters
    ----------
    progress
        Told the stage ``reading NAME``.
    most
        So many documents are asked for.
    """
    watched = Watched(source)
    watched.goes_on = sightings.begin(source, clock.now_us())
    if source.walk is not None:
        _walk(sightings, source, clock, progress, watched)
    else:
        _ask(sightings, clock, progress, most, watched)
    at_us = clock.now_us()
    sightings.end(source, at_us, documents=watched.documents, seen=watched.seen, new=len(watched.new))
    return watched


def keep_report(
    sightings: Sightings, name: str, items: Sequence[Item], clock: Clock, progress: Progress = silent
) -> Watched:
    """Keep what a report of a vendor says was seen.

    Parameters
    ----------
    name
        The vendor: what they say twice is new once.
    """
    watched = Watched(Source(name, walk=lambda _: ((Kind.REPORT, item) for item in items)))
    sightings.begin(watched.source, clock.now_us())
    _walk(sightings, watched.source, clock, progress, watched)
    sightings.end(watched.source, clock.now_us(), documents=1, seen=watched.seen, new=len(watched.new))
    return watched


def _walk(sightings: Sightings, source: Source, clock: Clock, progress: Progress, watched: Watched) -> None:
    assert source.walk is not None  # noqa: S101 -- see watch
    faults: list[str] = []
    items = source.walk(faults)
    while some := list(islice(items, _AT_ONCE)):
        watched.new += sightings.keep(source, [(str(kind), item) for kind, item in some], clock.now_us())
        watched.seen += len(some)
        progress(f"reading {source.name}", watched.seen, None)
    watched.documents = 1
    for fault in faults:
        watched.fault(source.name, fault)


def _ask(sightings: Sightings, clock: Clock, progress: Progress, most: int, watched: Watched) -> None:
    source = watched.source
    left_us = sightings.rests_until(source.host) - clock.now_us()
    if left_us > 0:
        watched.fault(source.name, f"its host wants to be left alone for {left_us / 1e6:,.0f} s more")
        watched.is_whole = False
        return
    n = 0
    while (document := sightings.next(source.name)) is not None:
        if n >= most:
            watched.fault(source.name, f"it has more than {most:,} documents: the next round goes on")
            watched.is_whole = False
            return
        n += 1
        if document.depth > DEPTH_MAX:
            watched.fault(document.address, f"more than {DEPTH_MAX} documents led there: it is not asked for")
            sightings.pass_over(source.name, document)
        elif not _one(sightings, clock, document, watched):
            watched.is_whole = False
            return
        progress(f"reading {source.name}", n, None)


def _one(sightings: Sightings, clock: Clock, document: Document, watched: Watched) -> bool:
    """Ask for a document; False when the host wants no more questions today."""
    source = watched.source
    assert source.ask is not None  # noqa: S101 -- see watch
    try:
        got, told = source.ask(document.address, document.etag, document.modified)
    except RefusedError as error:
        watched.fault(document.address, error.message)
        if error.until_s > 0:
            sightings.rest(source.host, clock.now_us() + round(error.until_s * 1e6))
            return False
        sightings.pass_over(source.name, document)
        return True
    watched.documents += 1
    watched.new += sightings.keep_document(source, document, got, told, clock.now_us())
    if told is not None:
        watched.seen += len(told.items)
        for fault in told.faults:
            watched.fault(document.address, fault)
    return True


@dataclass(frozen=True, slots=True)
class Ears:
    """What sound is compared with.

    Parameters
    ----------
    studio
        None where copies are not traced, or none was ever issued.
    fetch
        Brings a file that is elsewhere; None where nothing is fetched.  Raises ``RefusedError``.
    """

    library: Library
    policy: Policy
    studio: Studio | None = None
    fetch: Callable[[Item], Path] | None = None


def hear(sightings: Sightings, source: Source, ears: Ears, progress: Progress = silent) -> int:
    """Listen to what a source named and nobody listened to yet, and write down what of ours is in it.

    Says how many were listened to, or could not be.
    """
    todo = waiting(sightings, source, fetched=ears.fetch is not None)
    done = 0
    progress("listening", 0, len(todo))
    for some in _batches(todo):
        here = [brought for one in some if (brought := _brought(sightings, one, ears)) is not None]
        heard = _match(ears, here)
        for one in here:
            looked = heard.get(one.number)
            if looked is None:
                sightings.update(one.number, why_not="it is not there any more")
            else:
                _write_down(sightings, ears, one, looked)
        done += len(some)
        progress("listening", done, len(todo))
    return done


def waiting(sightings: Sightings, source: Source, *, fetched: bool) -> list[Sighted]:
    """Give what a source named that can be listened to and was not, the oldest first.

    Parameters
    ----------
    fetched
        Whether what is elsewhere is brought.
    """
    return [one for one in sightings.unheard(source.name) if _is_here(one) or fetched]


def said_to_be(holdings: Holdings, some: Iterable[Sighted]) -> dict[int, str]:
    """Say which recordings of ours sightings are said to be, by their numbers: by ISRC, or by the digest of a file.

    Somebody else says so: it is where to look first, and no evidence.
    """
    codes: dict[str, list[int]] = {}
    for one in some:
        for code in (one.item.isrc, one.item.digest.removeprefix("sha256:")):
            if code and ":" not in code:
                codes.setdefault(code, []).append(one.number)
    if not codes:
        return {}
    table = holdings.codes()
    found = table.filter(pc.is_in(table["value"], pa.array(codes, pa.string())))
    pairs = zip(found["value"].to_pylist(), found["recording"].to_pylist(), strict=True)
    return {number: recording for code, recording in pairs for number in codes[code]}


def _is_here(one: Sighted) -> bool:
    # A list of somebody else's may name any path: only what lies in a folder of one's own is opened.
    return bool(one.file) or one.kind == Kind.FOLDER


def _batches(todo: Sequence[Sighted]) -> Iterator[list[Sighted]]:
    places = iter(todo)
    while some := list(islice(places, _HEARD_AT_ONCE)):
        yield some


def _brought(sightings: Sightings, one: Sighted, ears: Ears) -> Sighted | None:
    """Give a sighting with its file here; None when it cannot be had."""
    if one.file:
        return one
    if _is_here(one):
        return replace(one, file=one.item.url)
    assert ears.fetch is not None  # noqa: S101 -- see hear
    try:
        file = ears.fetch(one.item)
    except RefusedError as error:
        # Whoever was told to wait asks another time.
        if not error.until_s:
            sightings.update(one.number, why_not=error.message)
        return None
    sightings.update(one.number, file=str(file))
    return replace(one, file=str(file))


def _match(ears: Ears, some: Sequence[Sighted]) -> dict[int, Looked]:
    there = {str(Path(one.file).absolute()): one.number for one in some if Path(one.file).is_file()}
    if not there:
        return {}
    looked = match_files(ears.library, ears.library.find(list(there)), ears.policy).looked
    return {there[one.file.name]: one for one in looked if one.file.name in there}


def _write_down(sightings: Sightings, ears: Ears, one: Sighted, looked: Looked) -> None:
    digest = {"digest": f"sha256:{looked.digest}"} if looked.digest else {}
    if looked.failed:
        sightings.update(one.number, file=one.file, why_not=looked.failed, **digest)
        return
    copies = looked.copies(ears.policy)
    ours = [
        {
            "recording": answer.recording,
            "error": answer.error,
            "bits": answer.bits,
            "covered": answer.facts["covered"],
            "of_ours": answer.facts["of_ours"],
        }
        for answer in copies
    ]
    issued = _issued(ears, Path(one.file), [answer.recording for answer in copies])
    at_us = ears.library.clock.now_us()
    sightings.update(one.number, file=one.file, heard=at_us, ours=ours, issued=issued, **digest)


def _issued(ears: Ears, file: Path, recordings: Sequence[str]) -> list[dict[str, Any]] | None:
    """Say to whom a copy was issued; None when nobody could look."""
    if ears.studio is None:
        return None
    named: list[dict[str, Any]] = []
    for recording in dict.fromkeys(recordings):
        if not ears.studio.grants.versions(recording):
            continue
        try:
            leak = trace_leak(ears.studio, Sighting((file,), recording), ears.policy)
        except (InputError, LifecycleError, OutsideError) as error:
            named.append({"recording": recording, "why_not": error.message})
            continue
        named += [
            {
                "recording": recording,
                "account": together.candidates[one.candidate],
                "bits": one.evidence.bits,
                "error_bound": together.error_bound(one),
            }
            for together in leak.together
            if together.traced is not None
            for one in together.traced.named
        ]
    return named
