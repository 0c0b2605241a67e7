"""The command line: one file a verb; people get tables, programs get ``--json``, talk goes to stderr.

A verb's file is read only when the verb is called, so that nobody waits for what they do not use.
Every error that Riparian raises on purpose ends here: its message and hint on stderr, exit code 2.
"""

import importlib
import sys
from collections.abc import Callable
from typing import Annotated, Any, Final

import typer
from typer.core import TyperGroup

from riparian import __version__
from riparian.errors import RiparianError

VERBS: Final = (
    "demo",
    "scan",
    "accounts",
    "rings",
    "explain",
    "hold",
    "erase",
    "audit",
    "simulate",
    "replay",
    "serve",
    "edge",
    "keys",
)
"""In the order in which a newcomer needs them; each is a module of this package."""


class _Verbs(TyperGroup):
    def list_commands(self, ctx: Any) -> list[str]:
        del ctx
        return list(VERBS)

    def get_command(self, ctx: Any, cmd_name: str) -> Any:
        del ctx
        if cmd_name not in VERBS:
            return None
        command = typer.main.get_command(importlib.import_module(f"{__name__}.{cmd_name}").app)
        command.name = cmd_name
        return command


app = typer.Typer(
    cls=_Verbs,
    name="riparian",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


def _version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"riparian {__version__}")
        raise typer.Exit


@app.callback()
def riparian(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version and leave.")
    ] = False,
) -> None:
    """Keep a streaming catalogue from being carried off, and say why, in numbers."""
    del version


def main() -> None:
    """Run the command line."""
    exit_with(app)


def exit_with(run: Callable[[], Any]) -> None:
    """Run, and turn an error of ours into its message, its hint and exit code 2."""
    try:
        run()
    except RiparianError as error:
        sys.stdout.flush()
        sys.stderr.write(f"riparian: {error.message}\n")
        if error.hint:
            sys.stderr.write(f"  {error.hint}\n")
        raise SystemExit(2) from None
    except BrokenPipeError:
        # Whoever read us has gone, `| head` for one: nothing to say, and nobody to say it to.
        sys.stderr.close()
        raise SystemExit(2) from None
