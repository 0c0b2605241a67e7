"""Fill the tables of README.md and docs/**/*.md from docs/bench/*.csv: nobody types a number.

A table stands between two comments.  The first names the CSV and says, for each column, its heading and what is in
it, with the CSV's own columns in braces (in a heading, those of the first row)::

    <!-- table town.csv | seed: {seed} | held: {held} of at most {held_allowed} -->
    (written by this program)
    <!-- end of table -->

Of a CSV some rows may be taken, or rows counted: ``table x.csv where state is not met`` takes those alone, and
``table x.csv by chapter of state`` gives one row for each chapter, with how many rows have which state, as in
``{not_met}``, and how many there are, as ``{all}``; the last row, ``all``, counts all.

``make docs`` runs this; ``tests/docs`` fails when the committed page is not what the CSVs say.
"""

import csv
import re
from collections import Counter, defaultdict
from pathlib import Path
from typing import Final

HERE: Final = Path(__file__).parent
FOLDERS: Final = (HERE, HERE / "explain", HERE / "how")
BENCH: Final = HERE / "bench"
NONE: Final = "*None.*"
NOT_YET: Final = "*Not measured yet: run the program.*"
_TABLE: Final = re.compile(
    r"(<!-- table (\S+)(?: where (\w+) is ([^|]*?))?(?: by (\w+) of (\w+))?\s+\| (.*?)\s-->\n)"
    r".*?(<!-- end of table -->)",
    re.DOTALL,
)
_Row = dict[str, str]
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
        opening, name, column, text, by, of, columns, closing = found.groups()
        if not (folder / name).exists():
            return f"{opening}\n{NOT_YET}\n\n{closing}"
        rows = [row for row in _rows(folder / name) if column is None or row[column] == text]
        return f"{opening}\n{_table(_counted(rows, by, of) if by else rows, columns)}\n{closing}"

    return _TABLE.sub(table, text)


def _rows(path: Path) -> list[_Row]:
    with path.open(newline="", encoding="utf-8") as file:
        return [{name: _told(value) for name, value in row.items()} for row in csv.DictReader(file)]


def _counted(rows: list[_Row], by: str, of: str) -> list[_Row]:
    """Count what stands in one column for each text of another, in the order of the rows, and for all."""
    found: dict[str, Counter[str]] = defaultdict(Counter)
    for row in rows:
        for one in (row[by], ""):
            found[one][_word(row[of])] += 1
    everything = found.pop("", Counter())
    names = [*found, "all"]
    return [
        {by: name, "all": f"{count.total():,}", **{one: f"{count[one]:,}" for one in everything}}
        for name, count in zip(names, [*found.values(), everything], strict=True)
    ]


def _word(text: str) -> str:
    """Write a text as a name of a column: ``not met`` as ``not_met``, ``operator's`` as ``operators``."""
    return text.replace("'", "").replace(" ", "_")


def _table(rows: list[_Row], columns: str) -> str:
    if not rows:
        return f"{NONE}\n"
    parts = [" ".join(column.split()).partition(": ") for column in re.split(r"\s\| ", columns)]
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
