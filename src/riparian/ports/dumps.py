"""What asking how much of ours is in a list that was found asks of the outside: see :mod:`riparian.ports`."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import pyarrow as pa

from riparian.ports.catalogue import Holdings
from riparian.ports.world import Clock, Reject

Told = Callable[[str, int, int | None], None]
Parts = Callable[[], Iterator[pa.Table]]


class Sheeted(Protocol):
    """Some rows of a list, as they were read: see ``feeds.dumps.read.Part``."""

    @property
    def source(self) -> str:
        """The file, and what in it."""
        ...

    @property
    def form(self) -> str:
        """What it is written as."""
        ...

    @property
    def rows(self) -> pa.Table:
        """Schema ``LISTED``."""
        ...

    @property
    def rejects(self) -> Sequence[Reject]:
        """What could not be read; some of it."""
        ...

    @property
    def n_rejected(self) -> int:
        """How much could not be read."""
        ...

    @property
    def columns(self) -> Mapping[str, tuple[str, str]]:
        """Field to its column, and how that is known."""
        ...


class Shelf(Protocol):
    """What is kept of one list, so that whoever is interrupted goes on."""

    def read(self) -> Mapping[str, Any] | None:
        """Tell what was read; None when reading did not come to its end."""
        ...

    def clear(self) -> None:
        """Forget everything."""
        ...

    def keep_part(self, number: int, rows: pa.Table) -> None:
        """Keep some rows (``LISTED``)."""
        ...

    def keep_rejects(self, rejects: Sequence[Reject]) -> None:
        """Keep what could not be read, behind what is there."""
        ...

    def keep_read(self, said: Mapping[str, Any]) -> None:
        """Keep what was read: reading has come to its end."""
        ...

    def part(self, number: int) -> pa.Table:
        """Give some rows."""
        ...

    def matched(self, number: int, state: str) -> pa.Table | None:
        """Give what was found of some rows in a state of the catalogue, when it was asked."""
        ...

    def keep_matched(self, number: int, state: str, found: pa.Table) -> None:
        """Keep what was found of some rows."""
        ...

    def keep_told(self, state: str, told: Mapping[str, Any]) -> None:
        """Keep what was learnt or told in a state of the catalogue."""
        ...

    def told(self, state: str) -> Mapping[str, Any] | None:
        """Give what was learnt or told in a state of the catalogue."""
        ...


class Matcher(Protocol):
    """Says which row is which recording: the map of what we hold, and what was learnt of mistakes on this list."""

    @property
    def held(self) -> int:
        """How many recordings of ours are compared."""
        ...

    @property
    def state(self) -> str:
        """Another one for another catalogue, or another way of matching."""
        ...

    def learn(self, parts: Parts, rows: int, progress: Told) -> None:
        """Look at the list, to know of what kind its mistakes are."""
        ...

    def match(self, rows: pa.Table) -> pa.Table:
        """Say of rows (``LISTED``) which recording each is: ``MATCHED``, a row each, in their order."""
        ...

    def count(self, found: Parts) -> Mapping[str, tuple[float, float, float]]:
        """Estimate ``rows_ours`` and ``recordings_ours`` from all that was found: likely, at least, at most."""
        ...


@dataclass(frozen=True, slots=True)
class Desk:
    """Everything outside that asking about a list may reach.

    Parameters
    ----------
    clock
        For what is written down.
    catalogue
        What we hold.
    open_shelf
        Name of a list to its shelf.
    matcher
        Made when it is needed, since the map may have to be drawn.
    pseudonyms
        The secret of the workspace: under it lots are drawn.
    write_rows
        Writes tables to a file, as its name ends; gives the rows.
    """

    clock: Clock
    catalogue: Holdings
    open_shelf: Callable[[str], Shelf]
    matcher: Callable[[Told], Matcher]
    pseudonyms: bytes
    write_rows: Callable[[Path, Iterator[pa.Table]], int]
