"""What following a case asks of the outside: see :mod:`riparian.ports`."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import BinaryIO, Protocol

from riparian.cases.approval import Approved
from riparian.cases.events import Event, Hand, Person, Proposed
from riparian.cases.facts import Addressee, Kept
from riparian.cases.merkle import Head
from riparian.ports.world import Clock


class Cases(Protocol):
    """The cases of a workspace: events that are only added to, each signed by the workspace."""

    @property
    def key(self) -> str:
        """The public key of the workspace, in hexadecimal."""
        ...

    def open(self, proposed: Sequence[Proposed]) -> str:
        """Begin a case with its first events, and give its key, as in ``C1``."""
        ...

    def append(self, case: str, proposed: Sequence[Proposed], *, length: int | None = None) -> tuple[Event, ...]:
        """Write events behind those that stand: all of them, or none.

        Parameters
        ----------
        length
            How many events the writer has read.  When there are others by now, nothing is written and the answer is
            empty.  None where what is written is right whatever else was.

        Raises
        ------
        InputError
            When there is no such case.
        """
        ...

    def read(self, case: str, *, since: int = 0) -> tuple[Event, ...]:
        """Give the events of a case from a number on, each checked.

        Raises
        ------
        InputError
            When there is no such case.
        CustodyError
            When one was altered, or any is missing.
        """
        ...

    def keys(self) -> tuple[str, ...]:
        """Give the keys of all cases, in the order in which they were opened."""
        ...

    def people(self) -> Mapping[str, Person]:
        """Tell who may sign, by name."""
        ...

    def leaves(self) -> tuple[bytes, ...]:
        """Give the lines of every event there is, of people and of cases, in the order in which they were written."""
        ...

    def head(self) -> Head:
        """Sign how many events there are, and the root of their tree."""
        ...


class Custody(Protocol):
    """Bytes that are evidence: kept under their digest, and never changed."""

    def keep(self, content: bytes | Path, name: str, media_type: str, at: datetime, *, location: str = "") -> Kept:
        """Keep what is given, and say what it is called now.

        Parameters
        ----------
        content
            The octets, or the file that has them.

        Raises
        ------
        InputError
            When it is too large, or has no name.
        OutsideError
            When the disk refuses.
        """
        ...

    def octets(self, kept: Kept) -> bytes:
        """Give what was kept.

        Raises
        ------
        CustodyError
            When it is not there, or not as it was.
        """
        ...

    def measured(self, sha256: str) -> tuple[str, int] | None:
        """See ``cases.custody.Holding``."""
        ...

    def opened(self, sha256: str) -> BinaryIO:
        """See ``cases.custody.Holding``."""
        ...

    def items(self) -> Iterator[str]:
        """Give the digests of all that is there; of what is out of place, where it is."""
        ...


class Timestamps(Protocol):
    """Somebody else who says that something was there at a time."""

    @property
    def is_named(self) -> bool:
        """Whether the operator named an authority."""
        ...

    def name(self, address: str, roots: bytes) -> None:
        """Name the authority, and the certificates in PEM that vouch for it.

        Raises
        ------
        InputError
            When it is no address, or there is no certificate.
        """
        ...

    @property
    def roots(self) -> bytes:
        """The certificates in PEM that vouch for the authority."""
        ...

    def stamp(self, octets: bytes) -> bytes:
        """Give a token over octets, RFC 3161; nothing but their SHA-256 leaves.

        Raises
        ------
        InputError
            When no authority is named.
        OutsideError
            When it does not answer.
        CustodyError
            When what it answers does not hold.
        """
        ...


class Signer(Protocol):
    """A person at a keyboard, with a key of their own."""

    @property
    def name(self) -> str:
        """Who."""
        ...

    @property
    def hand(self) -> Hand:
        """Their key."""
        ...


class Outbox(Protocol):
    """Where what people approved leaves from, and nothing else does."""

    def way(self, addressee: Addressee) -> str:
        """Say how something would leave to somebody: ``file``, ``mail`` or ``http``."""
        ...

    def put(self, approved: Approved, at: datetime) -> str:
        """Let it leave, once however often it is asked, and say how and where to it went.

        Raises
        ------
        LifecycleError
            When nobody knows whether it left already.
        OutsideError
            When the other side does not take it: it is still here.
        """
        ...


@dataclass(frozen=True, slots=True)
class Docket:
    """All that whoever follows cases may reach."""

    cases: Cases
    clock: Clock
    custody: Custody
    timestamps: Timestamps
    outbox: Outbox
