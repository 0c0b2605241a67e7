"""From a master to copies, each marked for whom it goes to: what we hold -> grant -> marked rendition.

::

    master --read--> sound --embed(word of the account)--> marked --write--> a file beside its place
                                                                     |
        renamed to its place <-- grant in the ledger <-- its digest -+

A copy stands in its place only once the ledger holds its grant: no copy ever leaves that nobody could trace.  Whoever
is interrupted begins again, and what is done is not done again: a copy is done when it lies in its place as the ledger
says.

A copy's word follows from key, recording and account, so that issuing it twice gives the same mark.
"""

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Final

from riparian.audio.forms import LOSSLESS, SUFFIXES, Form, Recorded, Written
from riparian.audio.pcm import Sound
from riparian.errors import InputError
from riparian.marks.code import Tier, bits
from riparian.marks.embed import embed
from riparian.marks.grants import Grant, Version
from riparian.marks.keys import MarkKey
from riparian.marks.layout import DIRECT_GROUPS, Layout, pattern
from riparian.ports import Studio

UNFINISHED: Final = ".unfinished"
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
class Job:
    """Some copies of one master, made in one place."""

    master: Master
    key: MarkKey
    strength: float
    wanted: Wanted
    copies: tuple[tuple[str, Path, str], ...]


@dataclass(frozen=True, slots=True)
class Pressed:
    """One copy that lies beside its place."""

    asked: str
    account: str
    path: Path
    form: Form
    version: Version
    digest: str


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
) -> list[Pressed]:
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
    version = Version(job.master.recording, job.master.digest, job.key.epoch, layout, Tier.ONE, job.strength)
    made = []
    for account, place, suffix in job.copies:
        word = bits(job.key, job.master.recording, account, layout, chunks, Tier.ONE)
        marked = embed(sound, tiles, layout, word, strength=job.strength)
        path = named(place, suffix, written.form)
        aside = path.with_name(f"{path.name}{UNFINISHED}")
        aside.parent.mkdir(parents=True, exist_ok=True)
        write(like(recorded, marked), aside, written)
        made.append(Pressed(job.wanted.name, account, aside, written.form, version, digest(aside)))
    return made


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
    """
    key = studio.keys.current()
    studio.grants.trust(key, studio.clock.now_us())
    left: list[Order] = []
    for order in orders:
        there = done(studio, order, wanted)
        if there is None:
            left.append(order)
        else:
            yield Delivered(order, there, anew=False)
    by_place = {(order.master.digest, order.recipient.account, order.master.recording): order for order in left}
    jobs = list(_jobs(left, key, strengths, wanted, workers))
    make = partial(press, studio.read, studio.write, studio.digest)
    for job, made in zip(jobs, studio.jobs.run(make, jobs), strict=True):
        for one in made:
            order = by_place[job.master.digest, one.account, job.master.recording]
            studio.grants.add(_grant(order, one, studio.clock.now_us()))
            yield Delivered(
                order, one.path.rename(one.path.with_name(one.path.name.removesuffix(UNFINISHED))), anew=True
            )


def _jobs(
    orders: Sequence[Order], key: MarkKey, strengths: Mapping[str, float], wanted: Wanted, workers: int
) -> Iterator[Job]:
    by_master: dict[Master, list[Order]] = {}
    for order in orders:
        by_master.setdefault(order.master, []).append(order)
    for master, group in by_master.items():
        # A master is decoded once a job: few jobs, but enough to go round, and a bar that moves.
        size = max(1, min(_AT_ONCE, -(-len(group) // (2 * workers))))
        for at in range(0, len(group), size):
            copies = tuple((order.recipient.account, order.place, order.suffix) for order in group[at : at + size])
            yield Job(master, key, strengths[master.digest], wanted, copies)


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


def _grant(order: Order, made: Pressed, at_us: int) -> Grant:
    to = order.recipient
    path = str(order.master.path.absolute())
    form = str(made.form)
    return Grant(to.account, made.version, at_us, form, made.asked, made.digest, path, to.embargo, to.note)
