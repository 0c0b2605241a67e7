"""How is a story told: chapters, the commands that anybody could type, and what came of them."""

import io
import json
import shlex
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import typer
from rich.padding import Padding
from rich.text import Text

from riparian.cli import terminal
from riparian.errors import OutsideError

Rows = list[dict[str, Any]]
_INDENT: Final = (0, 0, 0, 3)


@dataclass(slots=True)
class Teller:
    """Tells what happens as it happens; whoever asks for JSON is told at the end.

    Parameters
    ----------
    verbs
        The command line, as :mod:`riparian.cli` has it.
    aloud
        Whether it prints as it goes.
    """

    verbs: typer.Typer
    aloud: bool = True
    chapters: int = field(default=0, init=False)

    def chapter(self, title: str) -> None:
        """Begin another chapter."""
        self.chapters += 1
        if self.aloud:
            terminal.page.print(Text(f"\n{self.chapters}. {title}", style="bold"))

    def say(self, text: str) -> None:
        """Tell something."""
        if self.aloud:
            terminal.page.print(Padding(Text(text), _INDENT))

    def run(self, workspace: Path, *words: str | Path, ends: tuple[int, ...] = (0,)) -> Rows:
        """Run a command as if it had been typed, and give what it says as JSON.

        Parameters
        ----------
        workspace
            That it is about.
        words
            What is typed after ``riparian``.
        ends
            Exit codes that it may end with.

        Raises
        ------
        OutsideError
            When it ends with another.
        """
        typed = [str(word) for word in words]
        if self.aloud:
            line = Text(f"$ riparian {shlex.join(typed)} -w {workspace}", style="dim", overflow="fold")
            terminal.page.print(Padding(line, _INDENT))
        said, talk = io.StringIO(), io.StringIO()
        command = typer.main.get_command(self.verbs)
        with redirect_stdout(said), redirect_stderr(talk):
            code = command.main([*typed, "-w", str(workspace), "--json"], "riparian", standalone_mode=False)
        if (code or 0) not in ends:
            raise OutsideError(
                f"`riparian {shlex.join(typed)}` ended with {code}, wanted one of {ends}",
                hint=talk.getvalue().strip()[-400:],
            )
        return [json.loads(line) for line in said.getvalue().splitlines() if line.startswith("{")]

    @contextmanager
    def working(self) -> Iterator[Any]:
        """Show how far something is, where somebody looks on."""
        with terminal.bars() as progress:
            yield progress


def of(kind: str, rows: Rows) -> Rows:
    """Give the objects of one kind."""
    return [row for row in rows if row["kind"] == kind]
