"""``riparian backup``: a workspace in one file, while it is in use."""

from pathlib import Path
from typing import Annotated

import typer

from riparian.cases.plain import moment
from riparian.cli import lines, options, terminal
from riparian.engines.clocks import WallClock
from riparian.flows.casework import now
from riparian.stores.backups import Copied, back_up, check

app = typer.Typer(pretty_exceptions_enable=False)


@app.command("backup")
def backup(
    file: Annotated[Path, typer.Argument(metavar="FILE.zip", help="The copy: a new file, outside of the workspace.")],
    only_check: Annotated[
        bool, typer.Option("--check", help="Copy nothing: compute every digest of a copy that is there.")
    ] = False,
    workspace: options.Workspace = options.WORKSPACE,
    json: options.Json = False,
) -> None:
    """Copy a workspace into one file, keys and all, while it is in use; `restore` makes it again."""
    with terminal.bars() as told:
        copied = check(file, told) if only_check else back_up(workspace, file, moment(now(WallClock())), told)
    tell(copied, file, "is as it was made" if only_check else "written", json=json)


def tell(copied: Copied, where: Path, what: str, *, json: bool) -> None:
    """Tell what is in a copy."""
    if json:
        said = {"files": copied.files, "octets": copied.octets, "without": list(copied.without)}
        lines.write([{"kind": "backup", "file": str(where), **said}])
        return
    terminal.page.print(f"{copied.files:,} files, {copied.octets:,} octets: {where} {what}", soft_wrap=True)
    for one in copied.without:
        terminal.say(f"Left out: {one}")
