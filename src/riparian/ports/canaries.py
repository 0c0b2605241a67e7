"""What planting and tracing canaries asks of the outside: see :mod:`riparian.ports`."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

import pyarrow as pa

from riparian.metadata.canaries.code import CanaryKey
from riparian.ports.world import Clock


class CanaryKeys(Protocol):
    """The keys of canaries: one an epoch, and none is ever thrown away."""

    def current(self) -> CanaryKey:
        """Give the one by which lists are issued; made if there is none."""
        ...

    def all(self) -> tuple[CanaryKey, ...]:
        """Give those of every epoch, the first one first."""
        ...

    def rotate(self) -> CanaryKey:
        """Begin a new epoch."""
        ...


class Issues(Protocol):
    """The ledger of lists that were issued, and the catalogues that they were made of."""

    def add(self, said: Mapping[str, Any]) -> None:
        """Add an entry; ``kind`` says which."""
        ...

    def entries(self, kind: str) -> list[dict[str, Any]]:
        """List entries of a kind, oldest first."""
        ...

    def keep(self, table: pa.Table) -> str:
        """Keep a catalogue as it was planted; gives its SHA-256 in hex, by which it is found."""
        ...

    def planted(self, digest: str) -> pa.Table:
        """Give a catalogue that was planted.

        Raises
        ------
        CustodyError
            When it is not there, or another.
        """
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
class Aviary:
    """Everything outside that canaries may reach.

    Parameters
    ----------
    clock, keys, issues
        Ports.
    recordings
        Gives what we hold (:data:`riparian.schema.RECORDING`); None where nothing.
    write
        Writes a table to a file as its name ends; gives the SHA-256 of the file.
    pseudonyms
        The key of the workspace's pseudonyms, 16 bytes.
    """

    clock: Clock
    keys: CanaryKeys
    issues: Issues
    recordings: Callable[[], pa.Table | None]
    write: Callable[[Path, pa.Table], str]
    pseudonyms: bytes = field(repr=False)
