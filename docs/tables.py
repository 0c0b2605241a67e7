"""Fill the tables of README.md and docs/**/*.md from docs/bench/*.csv: nobody types a number.

A table stands between two comments.  The first names the CSV and says, for each column, its heading and what is in
it, with the CSV's own columns in braces (in a heading, those of the first row)::

    <!-- table town.csv | seed: {seed} | held: {held} of at most {held_allowed} -->
    (written by this program)
    <!-- end of table -->

``make docs`` runs this; ``tests/docs`` fails when the committed page is not what the CSVs say.
"""

import csv
import re
from pathlib import Path
from typing import Final

HERE: Final = Path(__file__).parent
FOLDERS: Final = (HERE, HERE / "explain", HERE / "how")
BENCH: Final = HERE / "bench"
NOT_YET: Final = "*Not measured yet: run the program.*"
_TABLE: Final = re.compile(r"(<!-- table (\S+)\s+\| (.*?)\s-->\n).*?(<!-- end of table -->)", re.DOTALL)
_WHOLE: Final = re.compile(r"-?\d+")


def main() -> None:
    """Write the pages anew, and say which ones changed."""
    for page in pages():
        before = page.read_text(encoding="utf-8")
        after = filled(before, BENCH)
        if after != before:
            page.write_text(after, encoding="utf-8")
            print(f"wrote {page.relative_to(HERE.parent)}")


def pages() -> list[Path]:
    """List the pages that have a table to fill."""
    found = (HERE.parent / "README.md", *(page for folder in FOLDERS for page in sorted(folder.glob("*.md"))))
    return [page for page in found if "<!-- table " in page.read_text(encoding="utf-8")]


def filled(text: str, folder: Path) -> str:
    """Fill every table of a page from the CSVs of a folder."""

    def table(found: re.Match[str]) -> str:
        opening, name, columns, closing = found.groups()
        return f"{opening}\n{_table(folder / name, columns)}\n{closing}"

    return _TABLE.sub(table, text)


def _table(path: Path, columns: str) -> str:
    if not path.exists():
        return f"{NOT_YET}\n"
    parts = [" ".join(column.split()).partition(": ") for column in re.split(r"\s\| ", columns)]
    with path.open(newline="", encoding="utf-8") as file:
        rows = [{name: _told(value) for name, value in row.items()} for row in csv.DictReader(file)]
    cells = [[template.format_map(row) for _, _, template in parts] for row in rows]
    headings = [heading.format_map(rows[0]) for heading, _, _ in parts]
    aligned = [["--:" if i and _is_number([row[i] for row in cells]) else "---" for i in range(len(parts))]]
    lines = [headings, *aligned, *cells]
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)


def _told(value: str | None) -> str:
    """Write whole numbers with commas, and leave the rest."""
    return f"{int(value):,}" if value and _WHOLE.fullmatch(value) else value or ""


def _is_number(cells: list[str]) -> bool:
    return all(cell[:1].isdigit() or cell[:1] == "-" for cell in cells if cell)


if __name__ == "__main__":
    main()
