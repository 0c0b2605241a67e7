"""How do the records of a workspace get from its folder to a server, and back, so that nothing is lost or changed?

Nobody scans, serves or writes meanwhile.  Everything is copied, read back, and compared with where it came from, digest
with digest; only then ``records.toml`` is written, or removed, and what is left over is removed, too: there is one
place for what can be erased.  Whoever is killed meanwhile finds the records in the one place or in both; who moves them
again finishes it.
"""

import contextlib
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from riparian.errors import CustodyError, InputError
from riparian.stores.alone import scanning_alone, serving_alone
from riparian.stores.chosen import FILE, on_server
from riparian.stores.files import UNFINISHED, reaching, synchronise
from riparian.stores.postgres.address import NAME, Address, read_address, write_address
from riparian.stores.recorded import SCHEMA_VERSION, Recorded
from riparian.stores.records import Records
from riparian.stores.rows import COLUMNS, Contents, contents, pages

_BESIDE: Final = ("-wal", "-shm", "-journal", "")
_IS_FULL: Final = "SELECT 1 FROM sqlite_master WHERE name = 'note'"
_LAST_IN_FILE: Final = "SELECT seq FROM sqlite_sequence WHERE name = 'event'"
_LAST_ON_SERVER: Final = "SELECT CASE WHEN is_called THEN last_value ELSE last_value - 1 END FROM event_id_seq"
"""The largest number that an event ever had: none is given twice."""


def to_server(workspace: Path, address: Address, owner: Address) -> Contents:
    """Move the records of a workspace onto a server.

    Parameters
    ----------
    address
        Where, and as whom they are read and written there.
    owner
        Who makes the tables; the same where nobody else owns them.

    Raises
    ------
    InputError
        When they are on another server, or other records are there.
    CustodyError
        When what arrived is not what was sent; everything is where it was.
    LifecycleError
        When somebody scans or serves.
    OutsideError
        When the disk or the server refuses.
    """
    with _alone(workspace):
        before = read_address(workspace)
        if before is not None and (before.url, before.schema) != (address.url, address.schema):
            raise InputError(
                f"the records lie at `{before.url}` in `{before.schema}`, wanted them in the folder",
                hint="Move them back with `riparian records move sqlite` first.",
            )
        if before is not None and not (workspace / FILE).exists():
            return _read(address)
        with contextlib.closing(Records(workspace / FILE)) as source, source.transaction():
            if before is not None and not source.rows(_IS_FULL):
                _remove(workspace / FILE)
                return _read(address)
            sent = contents(source)
            if before is None:
                _load(source, sent, owner, address)
            _require_same(sent, _read(address))
            write_address(workspace, address)
            # Who has the file open still finds nothing to write to.
            for table in COLUMNS:
                source.run(f"DROP TABLE {table}")
        _remove(workspace / FILE)
        return sent


def to_folder(workspace: Path, owner: Address | None = None) -> Contents:
    """Move the records of a workspace from a server into its folder, and remove their tables there.

    Parameters
    ----------
    owner
        Who owns the tables; None where the role of ``records.toml`` does.

    Raises
    ------
    InputError, CustodyError, LifecycleError, OutsideError
        As :func:`to_server`.
    """
    with _alone(workspace):
        address = read_address(workspace)
        if address is None:
            raise InputError(f"the records lie in `{workspace}` already, wanted them on a server")
        file = workspace / FILE
        if not file.exists() or server_version(owner or address):
            with contextlib.closing(on_server(owner or address)) as source, source.transaction():
                sent = contents(source)
                if not file.exists():
                    copy_from(source, file)
                with contextlib.closing(Records(file)) as made:
                    _require_same(sent, contents(made))
                source.run(f"DROP TABLE {', '.join(COLUMNS)}, writer, alembic_version")
        with reaching(f"removing `{NAME}`"):
            (workspace / NAME).unlink()
            synchronise(workspace)
        with contextlib.closing(Records(file)) as made:
            return contents(made)


def server_version(address: Address) -> int:
    """Tell which version the records on a server have; 0 where there are none."""
    from riparian.stores.postgres.versions import version_at  # noqa: PLC0415  an extra

    return version_at(address)


def copy_from(source: Recorded, file: Path) -> None:
    """Write what a server has, and nobody changes meanwhile, into a new file; there whole, or not at all."""
    unfinished = file.with_name(f"{file.name}{UNFINISHED}")
    _remove(unfinished)
    with contextlib.closing(Records(unfinished)) as made:
        with made.transaction():
            for table, columns in COLUMNS.items():
                marks = ", ".join("?" * len(columns))
                for page in pages(source, table):
                    made.run_many(f"INSERT INTO {table} ({', '.join(columns)}) VALUES ({marks})", page)  # noqa: S608
            made.run("DELETE FROM sqlite_sequence WHERE name = 'event'")
            made.run("INSERT INTO sqlite_sequence VALUES ('event', ?)", source.number(_LAST_ON_SERVER))
        made.checkpoint()
    with reaching(f"writing `{file.name}`"):
        unfinished.replace(file)
        synchronise(file.parent)


@contextlib.contextmanager
def _alone(workspace: Path) -> Iterator[None]:
    with serving_alone(workspace), scanning_alone(workspace):
        yield


def _read(address: Address) -> Contents:
    with contextlib.closing(on_server(address)) as made:
        return contents(made)


def _load(source: Recorded, sent: Contents, owner: Address, address: Address) -> None:
    from riparian.stores.postgres.bulk import load  # noqa: PLC0415  an extra
    from riparian.stores.postgres.versions import bring  # noqa: PLC0415  an extra

    if server_version(owner) == SCHEMA_VERSION and _read(owner) == sent:
        # Somebody was killed on the way.
        bring(owner, SCHEMA_VERSION, readers=address)
        return
    load(source, owner, address, source.number(_LAST_IN_FILE))


def _require_same(sent: Contents, arrived: Contents) -> None:
    if sent != arrived:
        raise CustodyError(
            f"the records arrived with the digest `{arrived.digest[:16]}`, wanted `{sent.digest[:16]}`",
            hint="They are where they were, and nothing was removed: look at who else writes to either place.",
        )


def _remove(file: Path) -> None:
    with reaching(f"removing `{file.name}`"):
        for ending in _BESIDE:
            file.with_name(f"{file.name}{ending}").unlink(missing_ok=True)
        synchronise(file.parent)
