"""What sharing signals with peers asks of the outside: see :mod:`riparian.ports`."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from riparian.exchange.policy import Move, Worth
from riparian.exchange.taxii import Page, Question


@dataclass(frozen=True, slots=True)
class Collection:
    """A shelf of objects."""

    ident: str
    title: str
    description: str = ""
    alias: str = ""
    can_read: bool = True
    can_write: bool = True


@dataclass(frozen=True, slots=True)
class Allowed:
    """What whoever shows a token may do: in which collections read, in which write."""

    name: str
    read: frozenset[str]
    write: frozenset[str]


@dataclass(frozen=True, slots=True)
class Peer:
    """Somebody with whom signals are shared.

    Parameters
    ----------
    url, token
        Of the collection where it is asked, as in ``https://peer.example/api/collections/ID/``, and what opens it;
        empty for one who only comes to us.
    post_url
        Of the collection that takes ours; empty for one who fetches them here.
    since
        When what was fetched last had been added there, as it said; empty before the first time.
    weighed_us
        Up to when what it said, as it came here, was weighed.
    sent_us
        Up to when what we said was sent to it.
    mistakes
        How often it was wrong.
    """

    name: str
    url: str = ""
    token: str = ""
    post_url: str = ""
    since: str = ""
    weighed_us: int = -1
    sent_us: int = -1
    mistakes: int = 0


@dataclass(frozen=True, slots=True)
class Incident:
    """A time in which more is said than usual: who declared it, and why."""

    name: str
    since_us: int
    until_us: int
    by: str
    because: str


@dataclass(frozen=True, slots=True)
class Heard:
    """A signal of a peer, and where it stands here.

    Parameters
    ----------
    case
        The case that it led to; empty when it led to none.
    heard_us
        When it first came.
    """

    ident: str
    peer: str
    worth: Worth
    case: str
    heard_us: int
    body: Mapping[str, Any]


class Peering(Protocol):
    """The way to peers."""

    def ask(self, peer: Peer) -> Iterator[tuple[Sequence[Mapping[str, Any]], str]]:
        """Give what a peer added since it was asked last, page after page, each with when its last was added there.

        Raises
        ------
        OutsideError
            When it does not answer, or not as TAXII does.
        """
        ...

    def tell(self, peer: Peer, objects: Sequence[Mapping[str, Any]]) -> None:
        """Send objects to a peer: it takes all of them, or none.

        Raises
        ------
        OutsideError
            When it does not take them.
        """
        ...


class Signals(Protocol):
    """Objects that are shared, and what is known of peers."""

    def collections(self) -> Sequence[Collection]:
        """List the collections."""
        ...

    def collection(self, ident: str) -> Collection | None:
        """Find a collection by its identifier or its alias."""
        ...

    def keep_collection(self, one: Collection) -> None:
        """Make a collection, or change what is said of it."""
        ...

    def add(self, collection: str, objects: Sequence[Mapping[str, Any]], now_us: int) -> Sequence[str]:
        """Add objects: all, or none; gives the version of each.  What is there already is left as it is.

        Raises
        ------
        InputError
            When one has no identifier that fits its type.
        """
        ...

    def page(self, collection: str, question: Question) -> Page:
        """Give a page of objects, in the order in which they were added."""
        ...

    def versions(self, collection: str, question: Question) -> Page:
        """Give the versions of one object."""
        ...

    def remove(self, collection: str, question: Question) -> int:
        """Remove versions of one object; gives how many."""
        ...

    def keep_status(self, ident: str, said: Mapping[str, Any]) -> None:
        """Keep what was told of an addition."""
        ...

    def status(self, ident: str) -> Mapping[str, Any] | None:
        """Give what was told of an addition."""
        ...

    def allowed(self, token: str) -> Allowed | None:
        """Tell what whoever shows a token may do; None when nobody has it."""
        ...

    def allow(self, name: str, read: Sequence[str], write: Sequence[str]) -> str:
        """Let somebody in, and give their token, which is not kept."""
        ...

    def peers(self) -> Sequence[Peer]:
        """List the peers."""
        ...

    def keep_peer(self, peer: Peer) -> None:
        """Keep a peer, or what is new of it."""
        ...

    def incidents(self) -> Sequence[Incident]:
        """List the incidents that were declared, the last one first."""
        ...

    def keep_incident(self, incident: Incident) -> None:
        """Keep an incident, or when it ends."""
        ...

    def heard(self, peer: str = "") -> Iterator[Heard]:
        """List signals of peers."""
        ...

    def find(self, peer: str, ident: str) -> Heard | None:
        """Find one signal of a peer."""
        ...

    def hear(self, peer: str, said: Mapping[str, Any], move: Move, now_us: int, case: str = "") -> Heard:
        """Keep a signal of a peer, moved.

        Raises
        ------
        LifecycleError
            When the move leads nowhere from where it stands.
        """
        ...
