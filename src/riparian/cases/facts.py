"""What is known in a case: parties, works, locations, and what was found, looked at and checked there.

These are values.  Each was written down by one event of the case (:mod:`riparian.cases.events`), and carries its number
where somebody may ask how it is known.  Nothing here is ever guessed: what is not known is empty or None, and a notice
that would need it says so instead (:mod:`riparian.cases.rails`).
"""

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum


class Layer(StrEnum):
    """What an addressee has in its hands, and so what can be asked of it."""

    HOST = "host"
    STREAMING = "streaming"
    DATASET = "dataset"
    SEARCH = "search"
    INDEXER = "indexer"
    CDN = "cdn"
    REGISTRAR = "registrar"
    REGISTRY = "registry"
    MAIL = "mail"


class How(StrEnum):
    """What a finding compared; only the first two compare sound."""

    SOUND = "sound"
    HASH = "hash"
    MARK = "mark"
    IDENTIFIER = "identifier"
    LIST = "list"
    TITLE = "title"


class Check(StrEnum):
    """What was looked up before anybody is written to."""

    LICENCE = "licence"
    CHAIN_OF_TITLE = "chain_of_title"
    PUBLIC_DOMAIN = "public_domain"
    OPEN_LICENCE = "open_licence"
    SAMPLE = "sample"
    """Some of what a source found, looked at by a person: ``recording`` is the source."""


@dataclass(frozen=True, slots=True)
class Party:
    """Somebody with a name: an owner, its agent, whoever is written to, whoever answers."""

    name: str
    organisation: str = ""
    address: str = ""
    email: str = ""
    phone: str = ""
    country: str = ""
    role: str = ""


@dataclass(frozen=True, slots=True)
class Addressee:
    """Who is written to, and how it wants to be written to.

    Parameters
    ----------
    key
        Its short name in the registry, as in ``github``.
    layer
        What it has in its hands.
    regime
        The regime under which it is asked (:mod:`riparian.cases.regimes`), as in ``dmca`` or ``dsa``.
    form
        The form that it takes (:mod:`riparian.cases.forms`), as in ``dmca_text``, ``dsa16``, ``acns``.
    kinds
        What makes care due: ``news``, ``library``, ``education``, ``government``, ``archive``.
    """

    key: str
    name: str
    layer: Layer
    regime: str = "dmca"
    form: str = "dmca_text"
    email: str = ""
    address: str = ""
    web_form: str = ""
    country: str = ""
    kinds: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Work:
    """One recording of ours that a case is about."""

    recording: str
    title: str = ""
    artist: str = ""
    owner: str = ""
    isrc: str = ""
    album: str = ""
    released: str = ""
    original: str = ""
    event: int = -1


@dataclass(frozen=True, slots=True)
class Location:
    """Where something was found.

    Parameters
    ----------
    key
        Its number in the case, as in ``L1``.
    url
        An address, or ``urn:btih:`` and the hash of a torrent.
    addressee
        Whoever has it in its hands, by key; empty when that is not known.
    seen
        When it was last looked at.
    live
        Whether it was there then; None when nobody has looked.
    gone, back
        When it was first seen gone, and then first seen back; None when never.
    host_ip, host_port, protocol
        Where it answers, when that is known: forms of the time of file sharing ask for it.
    """

    key: str
    url: str
    layer: Layer = Layer.HOST
    addressee: str = ""
    title: str = ""
    first_seen: datetime | None = None
    seen: datetime | None = None
    live: bool | None = None
    gone: datetime | None = None
    back: datetime | None = None
    host_ip: str = ""
    host_port: int = 0
    protocol: str = ""
    event: int = -1


@dataclass(frozen=True, slots=True)
class Finding:
    """One recording of ours, found at one location.

    Parameters
    ----------
    error
        The stated chance that it is wrong; 1 when nothing states it.
    bits, extrapolated
        As :class:`riparian.evidence.Evidence` has them.
    seconds
        How much of the recording is there; 0 when that is not known.
    coverage
        The same as a share of the recording, 0 to 1.
    flags
        What makes care due: ``short``, ``remix``, ``cover``, ``live``, ``parody``, ``commentary``.
    digest
        SHA-256 of the file that was compared, in hexadecimal; empty when there was none.
    source
        Who or what came upon it: a watch, a monitoring vendor, a peer, a person.
    at
        When; None when nobody wrote it down.
    """

    location: str
    recording: str
    how: How
    error: float = 1.0
    bits: float = 0.0
    extrapolated: float = 0.0
    seconds: float = 0.0
    coverage: float = 0.0
    flags: tuple[str, ...] = ()
    digest: str = ""
    source: str = ""
    at: datetime | None = None
    event: int = -1


@dataclass(frozen=True, slots=True)
class Checked:
    """What a look-up said of a recording, or of a recording at one location.

    Parameters
    ----------
    clear
        True when nothing stands in the way of a notice; False when something does (a licence was found); None when it
        could not be told.
    source
        The document or ledger that says so.
    until
        Until when a person may rely on it; None for as long as nobody says otherwise.
    """

    check: Check
    recording: str
    clear: bool | None
    source: str
    at: datetime
    by: str
    location: str = ""
    territories: str = ""
    note: str = ""
    until: datetime | None = None
    event: int = -1


@dataclass(frozen=True, slots=True)
class Considered:
    """That a person asked whether a use may be lawful, and what they thought, in their own words."""

    by: str
    at: datetime
    note: str
    locations: tuple[str, ...] = ()
    event: int = -1


@dataclass(frozen=True, slots=True)
class Kept:
    """One thing in custody (:mod:`riparian.cases.custody`): a page, a file, a letter."""

    item: str
    name: str
    media_type: str
    sha256: str
    octets: int
    at: datetime
    location: str = ""
    event: int = -1


@dataclass(frozen=True, slots=True)
class Facts:
    """All that is known in a case."""

    owner: Party | None = None
    complainant: Party | None = None
    works: tuple[Work, ...] = ()
    locations: tuple[Location, ...] = ()
    findings: tuple[Finding, ...] = ()
    checks: tuple[Checked, ...] = ()
    considered: tuple[Considered, ...] = ()
    kept: tuple[Kept, ...] = ()
    addressees: tuple[Addressee, ...] = ()
    authority: str = ""
    issued: tuple[str, ...] = field(default=(), repr=False)

    def location(self, key: str) -> Location | None:
        """Find a location by its key."""
        return next((one for one in self.locations if one.key == key), None)

    def work(self, recording: str) -> Work | None:
        """Find a work by its recording."""
        return next((one for one in self.works if one.recording == recording), None)

    def addressee(self, key: str) -> Addressee | None:
        """Find an addressee by its key."""
        return next((one for one in self.addressees if one.key == key), None)
