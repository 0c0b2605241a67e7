"""``riparian restore``: a workspace, made again from its copy."""

from pathlib import Path
from typing import Annotated

import typer

from riparian.cli import options, terminal
from riparian.cli.backup import tell
from riparian.stores import backups

app = typer.Typer(pretty_exceptions_enable=False)


@app.command("restore")
def restore(
    file: Annotated[Path, typer.Argument(metavar="FILE.zip", help="What `riparian backup` wrote.")],
    workspace: options.Workspace = options.WORKSPACE,
    json: options.Json = False,
) -> None:
    """Make a workspace from its copy, all of it or nothing; nothing that is there is overwritten."""
    with terminal.bars() as told:
        copied = backups.restore(file, workspace, told)
    tell(copied, workspace, "is as it was copied", json=json)
