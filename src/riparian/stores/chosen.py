"""Where are the records of a workspace: in a file of its folder, or on a server that ``records.toml`` names?"""

from dataclasses import replace
from pathlib import Path
from typing import Final

from riparian.errors import InputError, LifecycleError
from riparian.stores.postgres.address import NAME, Address, read_address
from riparian.stores.recorded import Recorded
from riparian.stores.records import Records

FILE: Final = "riparian.sqlite"


def open_records(path: Path, patience_s: float | None = None) -> Recorded:
    """Open the records of a workspace, wherever they are.

    Parameters
    ----------
    path
        The workspace.
    patience_s
        How long a server that is away is waited for; None for as long as its address says.

    Raises
    ------
    InputError
        When another version made them, or they are in both places.
    PolicyError
        When ``records.toml`` is not what it should be.
    OutsideError
        When the disk refuses, or the server.
    """
    address = read_address(path)
    if address is None:
        return Records(path / FILE)
    if (path / FILE).exists():
        # Of a move that was cut short: which of them is right is for that to find out.
        raise InputError(
            f"`{FILE}` is there beside `{NAME}`, wanted records in one place",
            hint="Finish with `riparian records move` to where they are to be: it compares both first.",
        )
    return on_server(address if patience_s is None else replace(address, patience_s=patience_s))


def on_server(address: Address) -> Recorded:
    """Open the records on a server.

    Raises
    ------
    LifecycleError
        When the extra is not installed.
    InputError
        When there are none, or those of another version.
    OutsideError
        When the server cannot be reached, or refuses.
    """
    # An extra, which few have and which takes its time to load.
    try:
        from riparian.stores.postgres.records import ServerRecords  # noqa: PLC0415
    except ModuleNotFoundError as error:
        raise LifecycleError(
            f"`{error.name}` is not installed, wanted the extra for records on a server",
            hint="Run pip install 'riparian[postgres]'.",
        ) from error
    return ServerRecords(address)
