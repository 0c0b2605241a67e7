"""``riparian serve``: the gate, the evidence, and the list of restraints at every edge."""

from dataclasses import replace
from pathlib import Path
from typing import Annotated

import typer

from riparian import assembly
from riparian.cli import options
from riparian.cli.logged import Form, Log, run_logged
from riparian.cli.serving import Places, serve
from riparian.errors import InputError

app = typer.Typer(pretty_exceptions_enable=False)


@app.command("serve")
def serve_logs(
    logs: Annotated[
        list[str] | None, typer.Argument(help="Logs that grow, to be scanned on and on; none: only people decide.")
    ] = None,
    edge: Annotated[
        Path | None, typer.Option(help="Your routes, gates and edges.", show_default="edge.toml in the workspace")
    ] = None,
    policy: options.Policy = None,
    people: options.People = None,
    catalogue: options.Catalogue = None,
    accounts: options.Accounts = None,
    format_: options.Format = "auto",
    map_: options.Map = None,
    mapping: options.Mapping = None,
    sessions: options.Sessions = None,
    patterns: options.Patterns = None,
    places: options.Places = None,
    workers: Annotated[
        int | None, typer.Option(min=0, help="How many gates; 0 for none.", show_default="as edge.toml names")
    ] = None,
    listen: Annotated[
        str | None,
        typer.Option(
            metavar="HOST:PORT",
            help="Where the first gate listens, the others at the ports after it.",
            show_default="as edge.toml names",
        ),
    ] = None,
    control: Annotated[
        str,
        typer.Option(
            metavar="HOST:PORT",
            help="Health and metrics of the whole; gates are controlled at the ports after it. For your own eyes only.",
        ),
    ] = "127.0.0.1:9200",
    grpc: Annotated[
        bool,
        typer.Option("--grpc", help="Gates speak gRPC, for Envoys that were told so; it costs several times more."),
    ] = False,
    log: options.Log = Form.TEXT,
    workspace: options.Workspace = options.WORKSPACE,
    json: options.Json = False,
) -> None:
    """Answer edges, follow logs, and tell every edge who is restrained, until it is asked to end."""
    given = assembly.Given(workspace, policy, people, catalogue, accounts, edge)
    read = {
        "format_": format_,
        "map_": map_,
        "mapping": None if mapping is None else str(mapping),
        "sessions": sessions,
        "patterns": None if patterns is None else str(patterns),
        "places": places or [],
    }
    places_ = replace(Places.of(assembly.read_edge(given), workers, listen, control), grpc=grpc)
    if not logs and not places_.gates:
        raise InputError("there are neither logs nor gates, wanted at least one of them", hint="Name a log to follow.")
    said = Log(log)
    run_logged(said, lambda: _exit(serve(given, logs or [], read, places_, json=json, log=said)))


def _exit(code: int) -> None:
    raise typer.Exit(code)
