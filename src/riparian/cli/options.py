"""Options that several verbs have."""

from pathlib import Path
from typing import Annotated, Final

import typer

from riparian.assembly import WORKSPACE, Given
from riparian.cli.logged import Form
from riparian.errors import InputError

Workspace = Annotated[
    Path, typer.Option("--workspace", "-w", help="The folder that everything is kept in.", show_default=str(WORKSPACE))
]
Json = Annotated[bool, typer.Option("--json", help="One JSON object a line, for programs.")]
Policy = Annotated[
    Path | None, typer.Option(help="Tolerances, a dozen lines of TOML.", show_default="policy.toml in the workspace")
]
People = Annotated[
    Path | None,
    typer.Option(
        help="Declared kinds of listener and their shares.",
        show_default="people.toml in the workspace, or the shipped one",
    ),
]
Account = Annotated[str, typer.Argument(help="The account's identifier, or its pseudonym.")]
Person = Annotated[str, typer.Option(help="Who decides.")]
Reason = Annotated[str, typer.Option(help="Why.")]
Catalogue = Annotated[
    str | None, typer.Option(help="Recordings that you hold: CSV, NDJSON or Parquet; kept for later scans.")
]
Accounts = Annotated[
    str | None,
    typer.Option(help="What you know of accounts: created, plan, payment, honest, exempt; kept as pseudonyms."),
]
Logs = Annotated[list[str], typer.Argument(help="Files, globs, folders, URLs, or - for the standard input.")]
Format = Annotated[
    str, typer.Option("--format", help="auto, nginx, json, envoy, cloudfront, w3c, ndjson, csv, parquet...")
]
Map = Annotated[
    list[str] | None, typer.Option("--map", metavar="FIELD=COLUMN", help="Which column holds a field; repeatable.")
]
Mapping = Annotated[Path | None, typer.Option(help='The same as --map, as a TOML file of field = "column".')]
Sessions = Annotated[str | None, typer.Option(help="A table of sessions and accounts, for CDN logs.")]
Places = Annotated[
    list[str] | None,
    typer.Option(
        "--places",
        metavar="FILE.mmdb",
        help="A database in MaxMind's format that tells where addresses are, asked before they become pseudonyms;"
        " repeatable, the first that knows is believed.",
    ),
]
Log = Annotated[
    Form,
    typer.Option("--log", help="How it tells what happens, on stderr: sentences, or JSON lines that name nobody."),
]
Patterns = Annotated[Path | None, typer.Option(help="URL patterns to try before the shipped ones.")]
_PORT_MAX: Final = 65_535


def place(text: str, port: int) -> tuple[str, int]:
    """Read where something listens.

    Raises
    ------
    InputError
        When it is no place.

    Examples
    --------
    >>> place("127.0.0.1:8090", 8080), place("[::1]", 8080)
    (('127.0.0.1', 8090), ('::1', 8080))
    """
    host, _, number = text.rpartition(":") if text.rpartition(":")[2].isdigit() else (text, "", str(port))
    if not host or not 0 < int(number) <= _PORT_MAX:
        raise InputError(f"`{text[:80]}` is no place, wanted HOST or HOST:PORT")
    return host.strip("[]"), int(number)


__all__ = [
    "WORKSPACE",
    "Account",
    "Accounts",
    "Catalogue",
    "Format",
    "Given",
    "Json",
    "Log",
    "Logs",
    "Map",
    "Mapping",
    "Patterns",
    "People",
    "Person",
    "Places",
    "Policy",
    "Reason",
    "Sessions",
    "Workspace",
    "place",
]
