"""From a delivery, before it is published, to what somebody should look at: files -> sound, names, codes -> referrals.

::

    files --listen--> sound --packets, or peaks and match--> recordings of ours with the same sound
      |                 '----peaks, search among themselves--> the same sound several times in one delivery
      '--tags, message--> names and codes --catalogue--> artists and codes of ours

What comes of it is a referral to a person, never a rejection.  Two owners may both be right: a licence that nobody
noted, a catalogue that was sold, a live version.  So every referral says what was compared and how sure it is, and what
is in order, a file delivered again or under a licence, is told as a note.

Rules
-----
* Who delivers is what the operator says, or who sends the message.  What a file or a message says of its own rights is
  told, and never believed.
* An owner is compared with the owners, and the licensees, of every recording of ours with that sound.
* Names are compared only where the catalogue says whose its recordings are.
* Whatever cannot be read is told in one sentence; the rest of the delivery is screened.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum
from functools import partial
from typing import Any, Final

from riparian.catalogue.names import folded, versions
from riparian.catalogue.releases import Artist, Releases, Row, Said, said_of
from riparian.codes import coder
from riparian.evidence import COPY
from riparian.flows.extraction import Progress, silent
from riparian.flows.matching import looked
from riparian.gate.policy import Policy, copy_error
from riparian.ports.prints import Enough, Held, Library, SoundFile, Sounding
from riparian.prints.among import Among, groups
from riparian.prints.landmarks import peaks
from riparian.prints.packing import pack, unpack


class Because(StrEnum):
    """Why a person should look; the last four are notes."""

    OTHER_OWNER = "the sound of a recording of another owner"
    NO_OWNER = "the sound of a recording of ours, and it is not said whose one of the two is"
    OTHER_ISRC = "the sound of a recording with another ISRC"
    OUR_ISRC = "the ISRC of a recording with another sound"
    OUR_ARTIST = "the name of an artist whose recordings are with another owner"
    LOOKS_LIKE = "a name that looks like that of an artist whose recordings are with another owner"
    IN_BULK = "one sound in several files of the delivery"
    SHARES = "shares material with a recording of another owner"
    VERSION = "the sound of a recording of the same owner, under another ISRC, as another version of it"
    LICENSED = "the sound of a recording that is licensed to who delivers it"
    AGAIN = "the sound of a recording of the same owner"


NOTES: Final = frozenset({Because.SHARES, Because.VERSION, Because.LICENSED, Because.AGAIN})


@dataclass(frozen=True, slots=True)
class Delivery:
    """What is to be screened.

    Parameters
    ----------
    files
        Its files of sound.
    said
        What messages say of them, by name; of the others their tags are read.
    owners
        Names and codes of who delivers; none where nobody says.
    """

    files: tuple[SoundFile, ...]
    said: Mapping[str, Said] = field(default_factory=dict)
    owners: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Sounds:
    """A recording of ours that is in a file, or shares something with it.

    Parameters
    ----------
    recordings
        All of its cluster: which of them it is cannot be told.
    error
        The chance that this is wrong.
    is_copy
        Whether the sound is the same, and not only something of it.
    facts
        Of the evidence, and its spans.
    """

    recordings: tuple[str, ...]
    error: float
    is_copy: bool
    facts: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Referral:
    """Something that a person should look at, or may want to know.

    Parameters
    ----------
    because
        What it is.
    file
        Which file.
    said
        What the delivery says of it.
    recordings
        Of ours that it is about, if any.
    owner, isrc, artist
        Of ours, where they are what differs; empty otherwise.
    error
        The chance that the sound is another one; None where no sound was compared.
    others
        Files of the delivery with the same sound.
    facts
        Of the evidence.
    """

    because: Because
    file: SoundFile
    said: Said
    recordings: tuple[str, ...] = ()
    owner: str = ""
    isrc: str = ""
    artist: str = ""
    error: float | None = None
    others: tuple[str, ...] = ()
    facts: Mapping[str, Any] = field(default_factory=dict)

    @property
    def is_note(self) -> bool:
        """Whether nobody has to look."""
        return self.because in NOTES


@dataclass(frozen=True, slots=True)
class Screened:
    """What came of a delivery.

    Parameters
    ----------
    referrals
        What a person should look at first, by file; notes after them.
    failed
        Files that could not be heard, and why.
    files
        How many there were.
    names_compared
        Whether the catalogue says whose artists are.
    """

    referrals: tuple[Referral, ...]
    failed: tuple[tuple[SoundFile, str], ...]
    files: int
    names_compared: bool


@dataclass(frozen=True, slots=True, eq=False)
class Listened:
    """One file that was heard: its digests and tags, its peaks, and what of ours is in it."""

    sounding: Sounding
    packed: bytes = b""
    sounds: tuple[Sounds, ...] = ()


def screen(
    library: Library, delivery: Delivery, releases: Releases, policy: Policy, progress: Progress = silent
) -> Screened:
    """Compare a delivery with what we hold, and with itself.

    Parameters
    ----------
    library
        Prints, and whatever reads sound.
    delivery
        Files, and what is said of them.
    releases
        The catalogue.
    policy
        How many copies in a thousand may be none.
    progress
        Told the stages ``listening`` and ``comparing files of the delivery``.
    """
    asks = Asks(library.pseudonyms, library.clock.now_us(), copy_error(policy))
    task = partial(listened, library.listen, library.hold, asks)
    heard: list[Listened] = []
    progress("listening", 0, len(delivery.files))
    for one in library.jobs.run(task, delivery.files):
        heard.append(one)
        progress("listening", len(heard), len(delivery.files))
    sound = [one for one in heard if not one.sounding.failed]
    said = {one.sounding.file.name: _said(one.sounding, delivery) for one in sound}
    referrals = [
        *_of_sound(sound, said, delivery, releases),
        *_of_codes(sound, said, delivery, releases, library.hold()),
        *_of_names(sound, said, delivery, releases),
        *_in_bulk(sound, said, library.hold(), policy, progress),
    ]
    order = {file.name: n for n, file in enumerate(delivery.files)}
    referrals.sort(key=lambda one: (one.is_note, order[one.file.name]))
    failed = tuple(
        (one.sounding.file, one.sounding.failed) for one in heard if one.sounding.failed and one.sounding.is_sound
    )
    return Screened(tuple(referrals), failed, len(sound) + len(failed), releases.names_owners)


@dataclass(frozen=True, slots=True)
class Asks:
    """With which codes, when, and up to which chance of a mistake a file is looked for."""

    pseudonyms: bytes = field(repr=False)
    at_us: int
    error_max: float


def listened(
    listen: Callable[[SoundFile, Enough], Sounding], hold: Callable[[], Held], asks: Asks, file: SoundFile
) -> Listened:
    """Hear a file, and look for ours in it."""
    # Its tags, and what the files of a delivery have in common, are asked of every file, even of one that we have.
    sounding = listen(file, lambda *_: False)
    if sounding.samples is None:
        return Listened(sounding)
    held = hold()
    heard = peaks(sounding.samples, held.key)
    found = looked(held, sounding, coder(asks.pseudonyms)(file.name.encode()), asks.at_us, heard)
    sounds = tuple(
        Sounds(_names(held, one.number), one.error, one.claim == COPY.name, {**one.facts, "spans": list(one.spans)})
        for one in found.answers
        if one.error <= asks.error_max
    )
    return Listened(replace(sounding, samples=None), pack(heard), sounds)


def _names(held: Held, number: int) -> tuple[str, ...]:
    return tuple(dict.fromkeys(held.known(other).recording for other in (number, *held.alike(number))))


def _said(sounding: Sounding, delivery: Delivery) -> Said:
    by_tags = said_of(sounding.tags)
    by_message = delivery.said.get(sounding.file.name, Said())
    return Said(
        by_message.title or by_tags.title,
        by_message.artist or by_tags.artist,
        by_message.isrc or by_tags.isrc,
        by_message.rights or by_tags.rights,
    )


def _who(delivery: Delivery) -> frozenset[str]:
    return frozenset(filter(None, map(folded, delivery.owners)))


def _of_sound(
    heard: Sequence[Listened], said: Mapping[str, Said], delivery: Delivery, releases: Releases
) -> Iterator[Referral]:
    who = _who(delivery)
    rows = releases.rows({name for one in heard for sounds in one.sounds for name in sounds.recordings})
    for one in heard:
        file = one.sounding.file
        for sounds in one.sounds:
            ours = [rows[name] for name in sounds.recordings if name in rows]
            because = _because(who, said[file.name], ours, is_copy=sounds.is_copy)
            if because is not None:
                isrc = next((row.isrc for row in ours if row.isrc), "")
                owner = next((row.owner for row in ours if row.owner), "")
                about = Referral(because, file, said[file.name], sounds.recordings, owner, isrc)
                yield replace(about, error=sounds.error, facts=sounds.facts)


def _because(who: frozenset[str], said: Said, ours: Sequence[Row], *, is_copy: bool) -> Because | None:
    """Say what it means that a file has the sound of recordings of ours."""
    may = frozenset().union(*(row.owners for row in ours))
    delivers = {fold for row in ours for fold in (folded(row.owner),) if fold}
    if not is_copy:
        return Because.SHARES if who and may and not who & may else None
    if not who or not may:
        return Because.NO_OWNER
    if not who & may:
        return Because.OTHER_OWNER
    if not who & delivers:
        return Because.LICENSED
    isrcs = {row.isrc for row in ours if row.isrc}
    if not said.isrc or not isrcs or said.isrc in isrcs:
        return Because.AGAIN
    # A version that is named so is meant to have a code of its own; of it the owner has nothing to gain.
    had = {version for row in ours for version in versions(row.title)}
    return Because.VERSION if set(versions(said.title)) - had else Because.OTHER_ISRC


def _of_codes(
    heard: Sequence[Listened], said: Mapping[str, Said], delivery: Delivery, releases: Releases, held: Held
) -> Iterator[Referral]:
    """Find files that bear the ISRC of a recording of ours whose sound is another."""
    who = _who(delivery)
    with_isrcs = releases.with_isrcs({one.isrc for one in said.values()})
    for one in heard:
        file = one.sounding.file
        there = {name for sounds in one.sounds for name in sounds.recordings}
        rows = with_isrcs.get(said[file.name].isrc, [])
        # Of a recording without a print no sound can be compared; who delivers it can.
        odd = [
            row for row in rows if row.recording not in there and (held.named(row.recording) or not who & row.owners)
        ]
        if odd and len(odd) == len(rows):
            names = tuple(row.recording for row in odd)
            yield Referral(Because.OUR_ISRC, file, said[file.name], names, odd[0].owner, odd[0].isrc)


def _of_names(
    heard: Sequence[Listened], said: Mapping[str, Said], delivery: Delivery, releases: Releases
) -> Iterator[Referral]:
    who = _who(delivery)
    if not releases.names_owners:
        return
    artists = releases.artists({one.artist for one in said.values()})
    for one in heard:
        file = one.sounding.file
        strange = [artist for artist in artists.get(said[file.name].artist, []) if not artist.owners & who]
        for artist in _nearest(strange):
            because = Because.OUR_ARTIST if artist.is_same else Because.LOOKS_LIKE
            yield Referral(because, file, said[file.name], artist=artist.ours)


def _nearest(artists: Sequence[Artist]) -> list[Artist]:
    """Tell each artist of ours once, as the same name where there is one."""
    found: dict[str, Artist] = {}
    for artist in sorted(artists, key=lambda one: not one.is_same):
        found.setdefault(artist.ours, artist)
    return list(found.values())


def _in_bulk(
    heard: Sequence[Listened], said: Mapping[str, Said], held: Held, policy: Policy, progress: Progress
) -> Iterator[Referral]:
    files = [one.sounding.file for one in heard]
    progress("comparing files of the delivery", 0, len(files))
    among = Among.of([unpack(one.packed) for one in heard], held.key, held.k)

    def told(done: int) -> None:
        progress("comparing files of the delivery", done, len(files))

    for group in groups(among, held.null, copy_error(policy), told):
        some = [files[number] for number in group.members]
        isrcs = {said[file.name].isrc for file in some}
        # One recording that stands on a single and on its album bears one code.
        if len(isrcs) > 1 or not all(isrcs):
            names = tuple(file.name for file in some[1:])
            yield Referral(Because.IN_BULK, some[0], said[some[0].name], error=group.error, others=names)
