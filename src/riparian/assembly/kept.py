"""What need not be read again each time somebody looks?"""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from riparian.assembly.casework import docket
from riparian.assembly.world import CATALOGUE, KNOWN, Given, House, opened, read_people, read_policy, terms_of
from riparian.flows.extraction import Terms
from riparian.ports.cases import Docket
from riparian.stores.cases.log import NAME as CASES
from riparian.stores.cases.log import Checked

_BESIDE: Final = ("policy.toml", "people.toml", "signals.toml", KNOWN, *CATALOGUE)
_READ: Final[dict[Given, tuple[list[tuple[int, int] | None], Terms]]] = {}
_READING: Final = threading.Lock()
_CHECKED: Final[dict[tuple[Path, int], dict[str, Checked]]] = {}


@contextmanager
def kept_house(given: Given) -> Iterator[House]:
    """Open the workspace as :func:`house`, for whoever looks often: what is beside it is read anew when it changed."""
    with opened(given) as world:
        stamp = [_changed(path) for path in (given.policy, given.people, *(given.workspace / n for n in _BESIDE))]
        with _READING:
            known = _READ.get(given)
            if known is None or known[0] != stamp:
                terms = terms_of(given, world, read_policy(given), read_people(given))
                _READ[given] = known = stamp, terms
        yield House(given.workspace, world, known[1])


@contextmanager
def kept_docket(given: Given) -> Iterator[Docket]:
    """Open the cases as :func:`docket`, for whoever looks often: what was checked once is not checked again."""
    file = (given.workspace / CASES).resolve()
    # A file that was put in the place of another is another one.
    known = _CHECKED.setdefault((file, file.stat().st_ino), {}) if file.exists() else None
    with docket(given, known=known) as opened_docket:
        yield opened_docket


def catalogue_stamp(given: Given) -> tuple[tuple[int, int] | None, ...]:
    """Tell, at the price of a look, a value that is another one once the catalogue changed; all None without one."""
    return tuple(_changed(given.workspace / name) for name in CATALOGUE)


def _changed(path: Path | None) -> tuple[int, int] | None:
    if path is None or not path.exists():
        return None
    found = path.stat()
    return found.st_mtime_ns, found.st_size
