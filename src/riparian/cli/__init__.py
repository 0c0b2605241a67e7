"""The command line: one file a verb; people get tables, programs get ``--json``, talk goes to stderr.

A verb's file is read only when the verb is called, so that nobody waits for what they do not use.
Every error that Riparian raises on purpose ends here: its message and hint on stderr, exit code 2.
"""

import importlib
import sys
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Annotated, Any, Final

import typer
from typer.core import TyperCommand, TyperGroup

from riparian import __version__
from riparian.errors import RiparianError

VERBS: Final[Mapping[str, str]] = MappingProxyType(
    {
        "demo": "Tell the whole story in a simulated town: a ring copies, its library is found, traced, taken down.",
        "scan": "Read access logs; say who extracts the catalogue, how sure that is, and why.",
        "accounts": "List the accounts that the last scan would slow, step up or hold.",
        "rings": "List the rings that the last scan found: accounts that keep clear of one another's fetches.",
        "explain": "Say why, in rows that add up.",
        "hold": "List restraints in force; place, extend or release one; end an account, and hear it.",
        "account": "Export what is kept of one account, for whom it is about.",
        "erase": "Remove an account from everything that is kept, and tell what stays and why.",
        "retain": "Forget accounts that have been silent for longer than you keep them.",
        "audit": "Check every bet on accounts believed honest; exit code 1 when a law is broken.",
        "simulate": "Write a simulated town: accesses, catalogue, accounts and truth, as Parquet.",
        "replay": "Rehearse the contest: copiers that adapt against a policy, in a simulated town.",
        "catalogue": "Keep, search and export all that is known of what you hold,"
        " and see that its files stay what they are.",
        "mark": "Make copies, or renditions, that say whom they were issued to; check the ledger of what was issued.",
        "trace": "Say to whom copies that were found were issued, and how surely.",
        "prints": "Keep prints of your recordings, by which copies are found: add, delete, merge, check.",
        "match": "Say which recordings of ours are in files, where, and how likely that is a mistake.",
        "screen": "Compare a delivery with what you hold before it is published, for a person to look at.",
        "dump": "Say how much of your catalogue is in lists that were found: tables, databases, listings, archives.",
        "dataset": "Say which items of a data set are yours, and what you had said of that.",
        "canary": "Make every tenant a catalogue of its own, and say to whom a list that was found was issued.",
        "terms": "Say who may do what with your recordings; write it for machines, check a site, prove it later.",
        "watch": "Tell what is new at sources that you list, and what of yours is in it; nothing is sent by it.",
        "case": "Follow a found copy to its removal, and back when it was wrong; people sign, the machine keeps.",
        "creator": "Tell artists, signed, what of theirs was found; look at their pages, and at who delivers.",
        "message": "Sign messages to artists, and answer whether a message is genuine, made as lures are, or neither.",
        "lookalike": "Keep the names that people trust, and find domains that look like them in lists of domains.",
        "exchange": "Tell peers what was found, hear what they found, and take back what was wrong.",
        "notice": "Read notices that came in and say what they lack; give reasons for decisions of your own.",
        "serve": "Answer edges, follow logs, and tell every edge who is restrained, until it is asked to end.",
        "console": "Serve the pages where people look, and do what only people do, until it is asked to end.",
        "edge": "Write the configuration of your edge, and check a live one.",
        "backup": "Copy a workspace into one file, keys and all, while it is in use; `restore` makes it again.",
        "restore": "Make a workspace from its copy, all of it or nothing; nothing that is there is overwritten.",
        "records": "Say where a workspace keeps its records; move them to PostgreSQL and back,"
        " bring their tables up to date.",
        "keys": "List, rotate or show the keys that sign grants, and the keys of marks.",
    }
)
"""In the order in which a newcomer needs them; each is a module of this package, which says the same of itself."""


class _Verbs(TyperGroup):
    _listing = False

    def list_commands(self, ctx: Any) -> list[str]:
        del ctx
        return list(VERBS)

    def get_command(self, ctx: Any, cmd_name: str) -> Any:
        del ctx
        if cmd_name not in VERBS:
            return None
        if self._listing:
            return TyperCommand(cmd_name, help=VERBS[cmd_name])
        command = typer.main.get_command(importlib.import_module(f"{__name__}.{cmd_name}").app)
        command.name = cmd_name
        return command

    def format_help(self, ctx: Any, formatter: Any) -> None:
        # Whoever reads the list of verbs waits for none of them.
        self._listing = True
        super().format_help(ctx, formatter)
        self._listing = False


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
