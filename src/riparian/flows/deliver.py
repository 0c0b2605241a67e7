"""From a master to copies, each marked for whom it goes to: what we hold -> grant -> marked rendition.

::

    master --read--> sound --embed(word of the account)--> marked --write--> a file beside its place
                                                                     |
        renamed to its place <-- grant in the ledger <-- its digest -+

A copy stands in its place only once the ledger holds its grant: no copy ever leaves that nobody could trace.  Whoever
is interrupted begins again, and what is done is not done again: a copy is done when it lies in its place as the ledger
says, and made when it lies beside it as the ledger of jobs says (:mod:`riparian.ports.jobs`).

A copy's word follows from key, recording and account, so that issuing it twice gives the same mark.
"""

import hashlib
import json
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Final

from riparian.audio.forms import LOSSLESS, SUFFIXES, Form, Recorded, Written
from riparian.audio.pcm import Sound
from riparian.errors import InputError, OutsideError, RiparianError
from riparian.marks.code import Tier, bits
from riparian.marks.embed import embed
from riparian.marks.grants import Grant, Version, check_of
from riparian.marks.keys import MarkKey
from riparian.marks.layout import DIRECT_GROUPS, Layout, pattern
from riparian.ports import Studio
from riparian.ports.jobs import Task

UNFINISHED: Final = ".unfinished"
JOB: Final = "copies"
"""What making copies is called in the ledger of jobs."""
_AT_ONCE: Final = 8
_SPOKEN: Final[Mapping[Form, frozenset[str]]] = {
    Form.WAV: frozenset({".wav", ".wave", ".bwf"}),
    Form.VORBIS: frozenset({".ogg", ".oga"}),
    Form.OPUS: frozenset({".opus", ".ogg", ".oga"}),
    Form.AAC: frozenset({".m4a", ".mp4"}),
    Form.ALAC: frozenset({".m4a", ".mp4"}),
}
"""Endings of names that a form goes by, besides its own."""


@dataclass(frozen=True, slots=True)
class Master:
    """A file that we hold.

    Parameters
    ----------
    path
        Where.
    recording
        What it is a recording of.
    digest
        SHA-256 of the file, in hex.
    """

    path: Path
    recording: str
    digest: str


@dataclass(frozen=True, slots=True)
class Recipient:
    """To whom copies go.

    Parameters
    ----------
    account
        The operator's own name for it.
    embargo
        The day before which nothing may be published, as ISO 8601; empty for none.
    note
        To remember.
    """

    account: str
    embargo: str = ""
    note: str = ""


@dataclass(frozen=True, slots=True)
class Order:
    """One copy that is wanted.

    Parameters
    ----------
    master, recipient
        Of what, to whom.
    place
        Where, without the ending of its name, which follows from the form.
    suffix
        The ending to have where the form allows it.
    """

    master: Master
    recipient: Recipient
    place: Path
    suffix: str


@dataclass(frozen=True, slots=True)
class Wanted:
    """How copies are written; as their masters are, where nothing is said."""

    form: Form | None = None
    bit_rate: int = 0

    @property
    def name(self) -> str:
        """What was asked for, in a word or two."""
        return f"{self.form or 'as the master'}{f' at {self.bit_rate}' if self.bit_rate else ''}"

    def of(self, master: Written) -> Written:
        """Say it for one master."""
        return master.into(self.form or master.form, self.bit_rate)

    def __post_init__(self) -> None:
        if self.bit_rate and self.form in LOSSLESS:
            raise InputError(
                f"{self.form} is wanted with {self.bit_rate} bits a second, wanted a form that has a bit rate",
                hint="Leave out --bit-rate, or choose another --format.",
            )


@dataclass(frozen=True, slots=True)
class Copy:
    """One of the copies of a job, by its number there."""

    number: int
    account: str
    place: Path
    suffix: str

    def path(self, form: Form) -> Path:
        """Say where it is in the end."""
        return named(self.place, self.suffix, form)

    def aside(self, form: Form) -> Path:
        """Say where it waits for its grant."""
        path = self.path(form)
        return path.with_name(f"{path.name}{UNFINISHED}")


@dataclass(frozen=True, slots=True)
class Job:
    """Some copies of one master, made in one place."""

    master: Master
    key: MarkKey
    strength: float
    wanted: Wanted
    copies: tuple[Copy, ...]


@dataclass(frozen=True, slots=True)
class Pressed:
    """Copies that lie beside their places.

    Parameters
    ----------
    rate
        Of their sound, in Hz.
    form
        As they are written.
    digests
        SHA-256 of each, in hex, by its number.
    """

    rate: int
    form: Form
    digests: Mapping[int, str]

    def written(self) -> bytes:
        """Write it down; it names nobody."""
        said = {"rate": self.rate, "form": self.form, "digests": sorted(self.digests.items())}
        return json.dumps(said).encode()

    @classmethod
    def heard(cls, said: bytes) -> "Pressed":
        """Read what was written down."""
        found = json.loads(said)
        return cls(found["rate"], Form(found["form"]), dict(map(tuple, found["digests"])))


@dataclass(frozen=True, slots=True)
class Delivered:
    """One copy in its place; ``anew`` when it was made now and not before."""

    order: Order
    path: Path
    anew: bool


def press(
    read: Callable[[Path], Recorded],
    write: Callable[[Recorded, Path, Written], None],
    digest: Callable[[Path], str],
    job: Job,
) -> bytes:
    """Make copies, each with the word of its account, beside their places.

    Raises
    ------
    InputError
        When the master is no sound, or has changed since it was looked at.
    """
    recorded = read(job.master.path)
    require_same(job.master, digest(job.master.path))
    sound, written = recorded.sound, job.wanted.of(recorded.written)
    layout = Layout.at(sound.rate, DIRECT_GROUPS)
    chunks = layout.chunks(sound.seconds)
    tiles = pattern(job.key, job.master.recording, layout, chunks)
    digests = {}
    for copy in job.copies:
        word = bits(job.key, job.master.recording, copy.account, layout, chunks, Tier.ONE)
        marked = embed(sound, tiles, layout, word, strength=job.strength)
        aside = copy.aside(written.form)
        aside.parent.mkdir(parents=True, exist_ok=True)
        write(like(recorded, marked), aside, written)
        digests[copy.number] = digest(aside)
    return Pressed(sound.rate, written.form, digests).written()


def like(recorded: Recorded, sound: Sound) -> Recorded:
    """Put other sound beside the same tags and covers."""
    return Recorded(sound, recorded.written, recorded.tags, recorded.pictures, recorded.chunks, recorded.layout)


def named(place: Path, suffix: str, form: Form) -> Path:
    """Name a copy as its master, with the ending that its form has.

    Examples
    --------
    >>> named(Path("out/a.b"), ".WAV", Form.WAV).name, named(Path("out/a.b"), ".wav", Form.MP3).name
    ('a.b.WAV', 'a.b.mp3')
    """
    fits = suffix.lower() == SUFFIXES[form] or suffix.lower() in _SPOKEN.get(form, frozenset())
    return place.with_name(f"{place.name}{suffix if fits else SUFFIXES[form]}")


def require_same(master: Master, digest: str) -> None:
    """Refuse a master that is not what it was, with both digests."""
    if digest != master.digest:
        raise InputError(
            f"the master `{master.path}` has SHA-256 {digest}, wanted {master.digest}, as when it was marked",
            hint="Name the file that was marked with --master.",
        )


def masters(studio: Studio, paths: Sequence[Path], recording: str | None = None) -> list[Master]:
    """List the masters among files and folders, each with the recording that it is of.

    A recording goes by the name of its file, without its ending; by its way from the folder that was given, where
    two files have one name.

    Raises
    ------
    InputError
        When there is none, or there are several and one recording is named.
    """
    found = studio.find(paths)
    if not found:
        raise InputError(f"there is no sound in `{paths[0]}`, wanted masters to mark")
    if recording is not None and len(found) > 1:
        raise InputError(
            f"{len(found)} files are one recording, wanted one file beside --recording",
            hint="Mark them one by one, or leave out --recording.",
        )
    stems = [path.stem for path in found]
    ids = [stem if stems.count(stem) == 1 else _way(path, paths) for path, stem in zip(found, stems, strict=True)]
    return [Master(path, recording or name, studio.digest(path)) for path, name in zip(found, ids, strict=True)]


def _way(path: Path, roots: Sequence[Path]) -> str:
    root = next((root for root in roots if root.is_dir() and path.is_relative_to(root)), path.parent)
    return path.relative_to(root).with_suffix("").as_posix()


def deliver(
    studio: Studio,
    orders: Iterable[Order],
    strengths: Mapping[str, float],
    wanted: Wanted,
    *,
    workers: int = 1,
) -> Iterator[Delivered]:
    """Make the copies that are not there yet, enter their grants, and put each in its place.

    Parameters
    ----------
    studio
        Keys, ledger, and whatever reads and writes sound.
    orders
        What is wanted.
    strengths
        Of each master, by its digest (:mod:`riparian.flows.ingest`).
    wanted
        How copies are written.
    workers
        In how many places at once.

    Yields
    ------
    Delivered
        One an order: those that were done before first.

    Raises
    ------
    InputError
        When a master is no sound or has changed.
    CustodyError
        When the key is not the one that its epoch had.
    OutsideError
        At the end, when some could not be made; the others are in their places.
    """
    key = studio.keys.current()
    studio.grants.trust(key, studio.clock.now_us())
    listed, left = list(orders), set[int]()
    for n, order in enumerate(listed):
        there = done(studio, order, wanted)
        if there is None:
            left.add(n)
        else:
            yield Delivered(order, there, anew=False)
    # Grouped with those that are done: a group is the same one when half of it is in its places.
    groups = [group for group in _groups(listed, workers) if not left.isdisjoint(group)]
    tasks = [_task(studio, [listed[n] for n in group], key, strengths, wanted) for group in groups]
    lacking = [_without(task, [n in left for n in of]) for task, of in zip(tasks, groups, strict=True)]
    make = partial(press, studio.read, studio.write, studio.digest)
    failed: list[RiparianError] = []
    ended = studio.jobs.finish(JOB, make, lacking, partial(_is_aside, studio))
    for of, one in zip(groups, ended, strict=True):
        if one.result is not None:
            made = Pressed.heard(one.result)
            for copy in one.task.item.copies:
                yield _issue(studio, listed[of[copy.number]], one.task.item, copy, made)
        studio.jobs.forget(JOB, [one.task.name])
        if one.error is not None and not isinstance(one.error, OutsideError):
            raise one.error
        failed += [one.error] if one.error is not None else []
    if failed:
        raise OutsideError(
            f"{len(failed)} of {len(tasks)} batches of copies could not be made, wanted all: {failed[0].message}",
            hint="Put that right and begin again: the others are in their places, and are not made again.",
        )


def _groups(orders: Sequence[Order], workers: int) -> Iterator[list[int]]:
    by_master: dict[Master, list[int]] = {}
    for n, order in enumerate(orders):
        by_master.setdefault(order.master, []).append(n)
    for group in by_master.values():
        # A master is decoded once a job: few jobs, but enough to go round, and a bar that moves.
        size = max(1, min(_AT_ONCE, -(-len(group) // (2 * workers))))
        yield from (group[at : at + size] for at in range(0, len(group), size))


def _task(
    studio: Studio, orders: Sequence[Order], key: MarkKey, strengths: Mapping[str, float], wanted: Wanted
) -> Task[Job]:
    """Make a task of all copies of a group; neither its name nor its fingerprint tells whose they are."""
    master = orders[0].master
    copies = [Copy(n, order.recipient.account, order.place, order.suffix) for n, order in enumerate(orders)]
    job = Job(master, key, strengths[master.digest], wanted, tuple(copies))
    of = [master.recording, *((copy.account, str(copy.place.absolute()), copy.suffix) for copy in copies)]
    on = [master.digest, key.epoch, check_of(key), job.strength, wanted.name]
    return Task(_coded(studio, of), _coded(studio, on), job)


def _without(task: Task[Job], is_left: Sequence[bool]) -> Task[Job]:
    copies = tuple(copy for copy in task.item.copies if is_left[copy.number])
    return replace(task, item=replace(task.item, copies=copies))


def _coded(studio: Studio, said: Sequence[object]) -> str:
    return hashlib.blake2b(json.dumps(said).encode(), digest_size=16, key=studio.pseudonyms).hexdigest()


def _is_aside(studio: Studio, job: Job, result: bytes) -> bool:
    """Say whether all copies of a job lie beside their places as they were made."""
    made = Pressed.heard(result)
    paths = [(copy.aside(made.form), made.digests.get(copy.number)) for copy in job.copies]
    return all(path.exists() and studio.digest(path) == digest for path, digest in paths)


def _issue(studio: Studio, order: Order, job: Job, copy: Copy, made: Pressed) -> Delivered:
    """Enter the grant of a copy, and put it in its place."""
    layout = Layout.at(made.rate, DIRECT_GROUPS)
    version = Version(job.master.recording, job.master.digest, job.key.epoch, layout, Tier.ONE, job.strength)
    to, path = order.recipient, str(order.master.path.absolute())
    at_us, digest = studio.clock.now_us(), made.digests[copy.number]
    grant = Grant(to.account, version, at_us, str(made.form), job.wanted.name, digest, path, to.embargo, to.note)
    studio.grants.add(grant)
    return Delivered(order, copy.aside(made.form).rename(copy.path(made.form)), anew=True)


def done(studio: Studio, order: Order, wanted: Wanted) -> Path | None:
    """Find a copy that lies in its place as the ledger says, or None."""
    for form, copy in _issued(studio, order, wanted):
        path = named(order.place, order.suffix, form)
        if path.exists() and studio.digest(path) == copy:
            return path
    return None


def is_among(studio: Studio, order: Order, wanted: Wanted, digests: Collection[str]) -> bool:
    """Say whether a copy that the ledger holds for this order is among files of these digests."""
    return any(copy in digests for _, copy in _issued(studio, order, wanted))


def _issued(studio: Studio, order: Order, wanted: Wanted) -> list[tuple[Form, str]]:
    grants = reversed(studio.grants.of(order.recipient.account, order.master.recording))
    # A copy of another bit rate has the same name, and is not what is wanted.
    mine = (grant for grant in grants if grant.version.master == order.master.digest and grant.asked == wanted.name)
    return [(Form(grant.form), grant.copy) for grant in mine]
