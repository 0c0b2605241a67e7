"""``riparian notice reasons``: statements of reasons, written from a decision, or looked at before they leave."""

from pathlib import Path
from typing import Annotated

import typer

from riparian.cases.forms import render
from riparian.cases.forms.reasons import refused
from riparian.cli import lines, options, terminal
from riparian.feeds.decisions import read_decision, read_statements


def reasons(
    file: Annotated[
        Path,
        typer.Argument(metavar="FILE", help="A decision (.toml) to write one from, or statements (.json) to look at."),
    ],
    letter: Annotated[
        bool, typer.Option("--letter", help="Write the letter to whom it affects, not the fields of the database.")
    ] = False,
    json: options.Json = False,
) -> None:
    """Write a statement of reasons from a decision, or say whether the DSA Transparency Database would take some.

    Nothing is sent.  Exit code 1 when the database would refuse a statement that stands.
    """
    if file.suffix == ".toml":
        written = render(read_decision(file), "dsa_reasons_text" if letter else "dsa_reasons")
        text = written.content.decode()
        if json:
            lines.write([{"kind": "reasons", "form": written.form, "name": written.name, "text": text}])
        else:
            terminal.page.print(text, markup=False, highlight=False, soft_wrap=True, end="")
        return
    found = [(n, refused(one)) for n, one in enumerate(read_statements(file), 1)]
    if json:
        lines.write({"kind": "reasons", "number": n, "refused": list(why)} for n, why in found)
    else:
        for n, why in found:
            terminal.page.print(f"{n}: {'; '.join(why) or 'it would be taken'}", markup=False, soft_wrap=True)
    if any(why for _, why in found):
        raise typer.Exit(1)
