"""Who is to get a copy? A table of recipients, as a mail merge has it.

CSV with a header: ``recipient`` is required; ``embargo``, a day, and ``note`` may be there.  Anything else is an error:
a column that is misspelt would otherwise be an embargo that nobody keeps.
"""

import csv
from datetime import date
from pathlib import Path
from typing import Final, NamedTuple

from riparian.errors import InputError

COLUMNS: Final = ("recipient", "embargo", "note")
_ROWS_MAX: Final = 1_000_000


class Row(NamedTuple):
    """One recipient, the day before which nothing may be published, and a note; empty where there is none."""

    recipient: str
    embargo: str = ""
    note: str = ""


def read_recipients(path: Path) -> list[Row]:
    """Read the table.

    Raises
    ------
    InputError
        When it cannot be read, has other columns, an empty or repeated recipient, or an embargo that is no day.
    """
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            lines = csv.DictReader(file)
            _require_columns(path, list(lines.fieldnames or ()))
            rows = [_row(path, lines.line_num, line) for _, line in zip(range(_ROWS_MAX), lines, strict=False)]
    except OSError as error:
        raise InputError(f"`{path}` cannot be read: {error.strerror}, wanted a table of recipients") from error
    except (csv.Error, UnicodeDecodeError) as error:
        raise InputError(f"`{path}` is no CSV in UTF-8: {error}, wanted a table of recipients") from error
    if not rows:
        raise InputError(f"`{path}` names nobody, wanted a recipient a line")
    seen: set[str] = set()
    for row in rows:
        if row.recipient in seen:
            raise InputError(f"`{row.recipient}` is named twice in `{path}`, wanted each recipient once")
        seen.add(row.recipient)
    return rows


def _require_columns(path: Path, columns: list[str]) -> None:
    names = [name.strip().lower() for name in columns]
    odd = [name for name in names if name not in COLUMNS]
    if "recipient" not in names or odd or len(set(names)) < len(names):
        wanted = ", ".join(f"`{name}`" for name in COLUMNS)
        raise InputError(
            f"`{path}` has the columns {', '.join(f'`{name}`' for name in columns) or 'of no header'}, wanted {wanted},"
            " of which the first is required",
            hint="Rename what means the same, and leave out the rest.",
        )


def _row(path: Path, line: int, found: dict[str, str | None]) -> Row:
    if None in found:
        raise InputError(f"line {line} of `{path}` has more fields than the header, wanted as many")
    said = {name.strip().lower(): (text or "").strip() for name, text in found.items()}
    if not said["recipient"]:
        raise InputError(f"line {line} of `{path}` names no recipient, wanted one")
    return Row(said["recipient"], day(said.get("embargo", ""), f"line {line} of `{path}`"), said.get("note", ""))


def day(text: str, where: str) -> str:
    """Read a day, as ISO 8601; empty stays empty.

    Examples
    --------
    >>> day("2026-12-24", "here"), day("", "here")
    ('2026-12-24', '')
    >>> day("24.12.", "the option")
    Traceback (most recent call last):
    riparian.errors.InputError: the embargo in the option is `24.12.`, wanted a day as in 2026-12-24
    """
    if not text:
        return ""
    try:
        return date.fromisoformat(text).isoformat()
    except ValueError as error:
        raise InputError(f"the embargo in {where} is `{text}`, wanted a day as in 2026-12-24") from error
