"""Which files of a workspace hold its cases, what is shared of them, and the keys that sign?"""

from collections.abc import Iterator
from contextlib import contextmanager

from riparian.assembly.world import Given, terms_office
from riparian.engines.clocks import WallClock
from riparian.flows import informing
from riparian.flows.informing import Bureau, Seen
from riparian.flows.reserving import chain_head
from riparian.flows.sharing import Exchange
from riparian.ports import Clock
from riparian.ports.cases import Docket
from riparian.stores.cases.log import NAME as CASES
from riparian.stores.cases.log import Checked, SqlCases
from riparian.stores.custody import FileCustody
from riparian.stores.outbox import FolderOutbox
from riparian.stores.signals import NAME as SIGNALS
from riparian.stores.signals import SqlSignals
from riparian.stores.signing_keys import creators_key
from riparian.stores.timestamps import TimestampAuthority


@contextmanager
def bureau(given: Given) -> Iterator[Bureau]:
    """Open what creators are told from: the catalogue, the ledger of terms and its chain, and the key that signs.

    Raises
    ------
    InputError
        When the workspace was made by another version.
    """
    key = creators_key(given.workspace)
    with terms_office(given) as office:
        yield Bureau(office.holdings, office.clock, chain_head(office), key.public(), key.sign)


def seen_in_cases(given: Given) -> list[Seen]:
    """List what cases found, those under seal excepted."""
    if not has_cases(given):
        return []
    with docket(given) as opened_docket:
        return informing.seen_in_cases(opened_docket)


def has_cases(given: Given) -> bool:
    """Say whether there are cases."""
    return (given.workspace / CASES).exists()


def version_of_cases(given: Given) -> tuple[tuple[int, int], ...]:
    """Tell, at the price of a look, a value that is another one once anything was written to a case."""
    found = [given.workspace / CASES, given.workspace / f"{CASES}-wal"]
    stats = [path.stat() for path in found if path.exists()]
    return tuple((one.st_mtime_ns, one.st_size) for one in stats)


@contextmanager
def docket(given: Given, *, clock: Clock | None = None, known: dict[str, Checked] | None = None) -> Iterator[Docket]:
    """Open the cases of a workspace; the folder is made where it is missing.

    Parameters
    ----------
    known
        What was checked already: see ``SqlCases``.

    Raises
    ------
    InputError
        When the workspace was made by another version.
    """
    clock = clock if clock is not None else WallClock()
    cases = SqlCases(given.workspace, clock, known)
    try:
        yield Docket(
            cases,
            clock,
            FileCustody(given.workspace),
            TimestampAuthority(given.workspace),
            FolderOutbox(given.workspace),
        )
    finally:
        cases.close()


def has_signals(given: Given) -> bool:
    """Say whether anything is shared with peers."""
    return (given.workspace / SIGNALS).exists()


@contextmanager
def exchange(given: Given, *, clock: Clock | None = None) -> Iterator[Exchange]:
    """Open the cases of a workspace, and the signals beside them.

    Raises
    ------
    InputError
        When the workspace was made by another version.
    """
    with docket(given, clock=clock) as opened_docket:
        signals = SqlSignals(given.workspace)
        try:
            yield Exchange(opened_docket, signals)
        finally:
            signals.close()
