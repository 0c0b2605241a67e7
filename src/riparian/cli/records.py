"""``riparian records``: where decisions, their log and the vault are kept, and how they get elsewhere."""

import contextlib
from pathlib import Path
from typing import Annotated, Any, Final

import typer

from riparian.cli import lines, options, terminal
from riparian.errors import InputError
from riparian.stores.chosen import FILE, open_records
from riparian.stores.moving import to_folder, to_server
from riparian.stores.postgres.address import Address, parse_address, read_address
from riparian.stores.recorded import SCHEMA_VERSION
from riparian.stores.rows import Contents, contents

app = typer.Typer(
    pretty_exceptions_enable=False,
    no_args_is_help=True,
    help="Say where a workspace keeps its records; move them to PostgreSQL and back, bring their tables up to date.",
)

_SQLITE: Final = "sqlite"
_ON_COMMAND_LINE: Final = "the command line"

Owner = Annotated[
    str | None,
    typer.Option("--owner", metavar="URL", help="The server once more, as the role that owns the tables."),
]
OwnerPassword = Annotated[
    str | None, typer.Option("--owner-password-file", metavar="FILE", help="Whose first line is that role's password.")
]


@app.command()
def show(workspace: options.Workspace = options.WORKSPACE, json: options.Json = False) -> None:
    """Say where the records are, how many, and their digest: the same in every place."""
    if read_address(workspace) is None and not (workspace / FILE).exists():
        raise InputError(f"there are no records at `{workspace}`, wanted a workspace")
    with contextlib.closing(open_records(workspace)) as records, records.transaction():
        found = contents(records)
    _tell(found, _place(workspace), json)


@app.command()
def move(
    to: Annotated[
        str, typer.Argument(metavar="URL|sqlite", help="postgresql://USER@HOST/DATABASE, or `sqlite`: the folder.")
    ],
    schema: Annotated[str, typer.Option("--schema", help="Of the tables there; one a workspace.")] = "riparian",
    password_file: Annotated[
        str | None, typer.Option("--password-file", metavar="FILE", help="Whose first line is the password.")
    ] = None,
    owner: Owner = None,
    owner_password_file: OwnerPassword = None,
    workspace: options.Workspace = options.WORKSPACE,
    json: options.Json = False,
) -> None:
    """Move the records of a workspace to a server, or back; what arrived is compared before anything is removed."""
    before = read_address(workspace)
    if to == _SQLITE:
        at = _owner(before, owner, owner_password_file) if before is not None else None
        _tell(to_folder(workspace, at), _place(workspace), json)
        return
    said = {"url": to, "schema": schema} | (
        {"password_file": str(Path(password_file).resolve())} if password_file else {}
    )
    address = parse_address(said, _ON_COMMAND_LINE)
    _tell(to_server(workspace, address, _owner(address, owner, owner_password_file)), _place(workspace), json)


@app.command()
def upgrade(
    to: Annotated[
        int, typer.Option("--to", help="The version of the tables; an older one before an older Riparian is used.")
    ] = SCHEMA_VERSION,
    owner: Owner = None,
    owner_password_file: OwnerPassword = None,
    workspace: options.Workspace = options.WORKSPACE,
    json: options.Json = False,
) -> None:
    """Bring the tables on the server to the version that this Riparian reads, or back to an older one."""
    from riparian.stores.postgres.versions import bring  # noqa: PLC0415  an extra

    address = read_address(workspace)
    if address is None:
        raise InputError(
            f"the records of `{workspace}` are in its folder, wanted them on a server",
            hint="There nothing is to be done: `riparian.sqlite` is brought up to date when it is opened.",
        )
    before, after = bring(_owner(address, owner, owner_password_file), to, readers=address)
    if json:
        lines.write([{"kind": "records", "place": address.url, "before": before, "version": after}])
        return
    terminal.page.print(f"{address.url}: version {before} is now version {after}", soft_wrap=True)


def _owner(address: Address, owner: str | None, password_file: str | None) -> Address:
    if owner is None:
        return address
    said: dict[str, Any] = {"url": owner, "schema": address.schema, "patience_s": address.patience_s}
    if password_file is not None:
        said["password_file"] = password_file
    return parse_address(said, _ON_COMMAND_LINE)


def _place(workspace: Path) -> str:
    address = read_address(workspace)
    return str(workspace / FILE) if address is None else f"{address.url}, schema {address.schema}"


def _tell(found: Contents, place: str, json: bool) -> None:
    if json:
        said = {"place": place, "version": SCHEMA_VERSION, "rows": dict(found.rows), "digest": found.digest}
        lines.write([{"kind": "records", **said}])
        return
    terminal.page.print(f"{place}: version {SCHEMA_VERSION}", soft_wrap=True)
    terminal.page.print(", ".join(f"{n:,} {table}" for table, n in found.rows.items()), soft_wrap=True)
    terminal.page.print(f"SHA-256 {found.digest}", soft_wrap=True)
