"""What does the operator list, and who permits that it is asked?

A folder or a file of one's own is read.  A site is asked only where its owner, or somebody who may speak for them,
permits it: who, when, and where that is written is said with the source, and stays with everything seen there.
"""

from collections.abc import Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import Final

from riparian.errors import InputError
from riparian.feeds.mirrors.addresses import host_of
from riparian.feeds.mirrors.documents import read_document, read_file
from riparian.feeds.mirrors.folder import items_in
from riparian.feeds.mirrors.polite import Visitor
from riparian.ports.mirrors import Got, Item, Kind, Source, Told

_PARTS: Final = 3


def hosts_of(names: Sequence[str]) -> frozenset[str]:
    """Give the hosts among sources, with their ports: nobody else is asked.

    Who is listed without encryption is the same with it.

    Examples
    --------
    >>> sorted(hosts_of(["https://a.example/x", "folder", "http://b.example/"]))
    ['a.example:443', 'b.example:443', 'b.example:80']
    """
    hosts = {host for name in names if (host := host_of(name))}
    return frozenset(hosts | {f"{host.removesuffix(':80')}:443" for host in hosts if host.endswith(":80")})


def source_of(name: str, permitted_by: str, visitor: Visitor, at: str = "") -> Source:
    """Make a source of what was listed.

    Parameters
    ----------
    permitted_by
        Who permits it, when, and where that is written, separated by commas.
    at
        Where a document that was saved was.

    Raises
    ------
    InputError
        When it is none, or nobody permits that it is asked.
    """
    if "://" in name:
        host = host_of(name)
        if not host or not name.lower().startswith(("http://", "https://")):
            raise InputError(f"`{name[:80]}` is no source, wanted an address of http or https, a folder or a file")
        return Source(name, host, permission(name, permitted_by), ask=partial(_ask, visitor))
    path = Path(name).absolute()
    if path.is_dir():
        return Source(str(path), walk=partial(_folder, path))
    if path.is_file():
        return Source(str(path), walk=partial(_file, path, at))
    raise InputError(f"there is nothing at `{name[:80]}`, wanted an address of http or https, a folder or a file")


def permission(name: str, permitted_by: str) -> str:
    """Give who permits it in one line.

    Raises
    ------
    InputError
        When it does not say who, when, and where that is written.

    Examples
    --------
    >>> permission("https://a.example/", " Ann Reed,  2026-11-01, contract 7 ")
    'Ann Reed, 2026-11-01, contract 7'
    """
    parts = [" ".join(part.split()) for part in permitted_by.split(",")]
    if len([part for part in parts if part]) < _PARTS:
        said = f"`{permitted_by[:80].strip()}` is said" if permitted_by.strip() else "nothing is said"
        raise InputError(
            f"`{name[:80]}` is somebody's, and {said} of who permits that it is asked, wanted who, when, and where"
            " that is written",
            hint='Add --permitted-by "WHO, WHEN, WHERE WRITTEN", or ask them first.',
        )
    return ", ".join(part for part in parts if part)


def _ask(visitor: Visitor, address: str, etag: str, modified: str) -> tuple[Got, Told | None]:
    got = visitor.get(address, etag, modified)
    if got.status == 304:
        return got, None
    told = read_document(got.body, got.address)
    if got.why_cut:
        told.faults.append(got.why_cut)
    return got, told


def _folder(path: Path, faults: list[str]) -> Iterator[tuple[Kind, Item]]:
    return ((Kind.FOLDER, item) for item in items_in(path, faults))


def _file(path: Path, at: str, faults: list[str]) -> Iterator[tuple[Kind, Item]]:
    told = read_file(path, at)
    faults += told.faults
    faults += [f"it leads to `{lead[:80]}`, which was not saved with it" for lead in told.leads[:_PARTS]]
    return ((told.kind, item) for item in told.items)
