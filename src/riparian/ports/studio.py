"""What marking and tracing ask of the outside: see :mod:`riparian.ports`."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

from riparian.audio.forms import Recorded, Written
from riparian.marks.grants import Fitted, Grant, Version
from riparian.marks.keys import MarkKey
from riparian.ports.jobs import Jobs
from riparian.ports.world import Clock


class MarkKeys(Protocol):
    """The keys of marks: one an epoch, and none is ever thrown away."""

    def current(self) -> MarkKey:
        """Give the one that marks; made if there is none."""
        ...

    def all(self) -> tuple[MarkKey, ...]:
        """Give those of every epoch, the first one first; none before anything was marked."""
        ...

    def rotate(self) -> MarkKey:
        """Begin a new epoch."""
        ...


class Grants(Protocol):
    """The ledger of what was issued to whom; see :mod:`riparian.marks.grants`."""

    def add(self, *grants: Grant) -> None:
        """Add grants; all of them or none."""
        ...

    def keep_fitted(self, fitted: Fitted, at_us: int) -> None:
        """Add what became of a trial of a master."""
        ...

    def fitted(self, master: str, form: str) -> Fitted | None:
        """Find the last trial of a master in a form."""
        ...

    def trust(self, key: MarkKey, at_us: int) -> None:
        """Note a check of the key of an epoch that is used for the first time.

        Raises
        ------
        CustodyError
            When the epoch had another key.
        """
        ...

    def versions(self, recording: str | None = None) -> list[tuple[Version, str]]:
        """List in which ways masters were marked and issued, each with the path where the master last was."""
        ...

    def accounts(self, version: Version) -> list[str]:
        """List to whom copies of a version were issued; who was erased is not among them."""
        ...

    def knows(self, account: str) -> bool:
        """Say whether anything was issued to an account that was not erased since."""
        ...

    def of(self, account: str, recording: str) -> list[Grant]:
        """List what an account was issued of a recording, oldest first."""
        ...

    def all(self) -> Iterator[Grant | None]:
        """Read every grant, oldest first; None in the place of one whose account was erased."""
        ...

    def keep_trace(self, at_us: int, copies: int, said: Mapping[str, Any]) -> None:
        """Add that so many copies were traced, and what came of it."""
        ...

    def traced_since(self, at_us: int) -> int:
        """Count the copies that were traced after a time; microseconds since 1970, UTC."""
        ...

    def erase(self, account: str, at_us: int) -> bool:
        """Destroy the key and the name of an account; False when nothing was issued to it."""
        ...

    def verify(self, head: str = "") -> tuple[int, str]:
        """Check the chain, and that a digest that somebody remembers is in it; give its length and its last digest.

        Raises
        ------
        CustodyError
            When an entry was altered, taken out or put in.
        """
        ...


@dataclass(frozen=True, slots=True)
class Studio:
    """Everything outside that marking and tracing may reach.

    Parameters
    ----------
    clock, keys, grants, jobs
        Ports.
    find
        List the sound files among files and folders, in order.
    read
        Decode one of ours; ``InputError`` when it is no sound.
    read_found
        The same of a file from outside, which may cost less.
    write
        Encode one; ``OutsideError`` when the disk refuses.
    digest
        SHA-256 of a file, in hex.
    pseudonyms
        The key of the workspace's pseudonyms, 16 bytes.
    """

    clock: Clock
    keys: MarkKeys
    grants: Grants
    jobs: Jobs
    find: Callable[[Sequence[Path]], list[Path]]
    read: Callable[[Path], Recorded]
    read_found: Callable[[Path], Recorded]
    write: Callable[[Recorded, Path, Written], None]
    digest: Callable[[Path], str]
    pseudonyms: bytes = field(repr=False)
