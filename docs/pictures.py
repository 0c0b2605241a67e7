"""Draw the pictures of docs/bench/*.svg from the CSVs beside them: nobody draws a number.

``make docs`` runs this; ``tests/docs`` fails when a committed picture is not what its CSV says.
"""

import csv
import math
from pathlib import Path
from typing import Final

BENCH: Final = Path(__file__).parent / "bench"
WIDE, HIGH, EDGE = 640, 420, 56
LEAST, MOST = 2e-5, 0.2
COLOURS: Final = ("#c0392b", "#00796b", "#5e6ad2", "#b7791f")
ANSWERS: Final = ("copy, all", "copy, apart", "shares, apart")


def main() -> None:
    """Draw every picture anew, and say which ones changed."""
    for name, drawn in pictures(BENCH).items():
        path = BENCH / name
        if not path.exists() or path.read_text(encoding="utf-8") != drawn:
            path.write_text(drawn, encoding="utf-8")
            print(f"wrote bench/{name}")


def pictures(folder: Path) -> dict[str, str]:
    """Draw what there are tables for, by the name of the file."""
    draws = {"prints_honesty": reliability, "dump_honesty": found}
    return {
        f"{name}.svg": draw(folder / f"{name}.csv") for name, draw in draws.items() if (folder / f"{name}.csv").exists()
    }


def reliability(table: Path) -> str:
    """Draw observed over claimed rates, in decades, with intervals; below the dashed line all is well."""
    rows = _rows(table)
    series = {which: [row for row in rows if f"{row['claim']}, {row['which']}" == which] for which in ANSWERS}
    return _drawn(series, 2.0, 7, "error claimed, at most", "false answers, of all queries")


def found(table: Path) -> str:
    """Draw real over stated errors of rows that are said to be recordings of ours; above the dashed line is a lie."""
    rows = [
        row | {"claimed": row["stated"], "observed": row["real"]}
        for row in _rows(table)
        if row["level"] == "recording" and float(row["stated"]) < MOST
    ]
    series = {name: [row for row in rows if row["dump"] == name] for name in dict.fromkeys(row["dump"] for row in rows)}
    return _drawn(series, 1.3, 0, "error stated", "wrong, of the pairs that were read")


def _rows(table: Path) -> list[dict[str, str]]:
    with table.open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def _drawn(series: dict[str, list[dict[str, str]]], times: float, aside: int, claimed: str, observed: str) -> str:
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDE} {HIGH}" font-family="sans-serif" font-size="12">',
        f'<rect width="{WIDE}" height="{HIGH}" fill="white"/>',
        *_axes(claimed, observed),
        _line([(LEAST, LEAST), (MOST, MOST)], "#999", ""),
        _line([(LEAST, times * LEAST), (MOST / times, MOST)], "#999", "6 4"),
    ]
    for place, ((which, points), colour) in enumerate(zip(series.items(), COLOURS, strict=False)):
        parts += _points(points, colour, (place - 1) * aside)
        parts.append(f'<circle cx="{EDGE + 20}" cy="{30 + 18 * place}" r="4" fill="{colour}"/>')
        parts.append(f'<text x="{EDGE + 30}" y="{34 + 18 * place}">{which}</text>')
    return "\n".join([*parts, "</svg>", ""])


def _axes(claimed: str, observed: str) -> list[str]:
    parts = [
        f'<rect x="{EDGE}" y="12" width="{WIDE - EDGE - 12}" height="{HIGH - EDGE - 12}" fill="none" stroke="#333"/>'
    ]
    for decade in range(-4, 0):
        x, y = _x(10.0**decade), _y(10.0**decade)
        label = f"{10.0**decade:g}"
        parts.append(f'<path d="M{x:.1f} 12V{HIGH - EDGE}M{EDGE} {y:.1f}H{WIDE - 12}" stroke="#ddd" fill="none"/>')
        parts.append(f'<text x="{x:.1f}" y="{HIGH - EDGE + 18}" text-anchor="middle">{label}</text>')
        parts.append(f'<text x="{EDGE - 6}" y="{y + 4:.1f}" text-anchor="end">{label}</text>')
    parts.append(f'<text x="{(WIDE + EDGE) / 2}" y="{HIGH - 14}" text-anchor="middle">{claimed}</text>')
    middle = (HIGH - EDGE) / 2
    turned = f'transform="rotate(-90 16 {middle})"'
    parts.append(f'<text x="16" y="{middle}" text-anchor="middle" {turned}>{observed}</text>')
    return parts


def _points(rows: list[dict[str, str]], colour: str, aside: int) -> list[str]:
    parts = []
    for row in rows:
        x = _x(float(row["claimed"])) + aside
        low, high, y = (_y(float(row[column])) for column in ("low", "high", "observed"))
        parts.append(f'<path d="M{x:.1f} {low:.1f}V{high:.1f}" stroke="{colour}" stroke-width="1.5"/>')
        hollow = "white" if float(row["observed"]) < LEAST else colour
        parts.append(f'<circle cx="{x:.1f}" cy="{y:.1f}" r="4" fill="{hollow}" stroke="{colour}"/>')
    return parts


def _line(points: list[tuple[float, float]], colour: str, dashes: str) -> str:
    path = "L".join(f"{_x(x):.1f} {_y(y):.1f}" for x, y in points)
    return f'<path d="M{path}" stroke="{colour}" fill="none" stroke-dasharray="{dashes or "none"}"/>'


def _x(rate: float) -> float:
    return EDGE + (WIDE - EDGE - 12) * _decades(rate)


def _y(rate: float) -> float:
    return HIGH - EDGE - (HIGH - EDGE - 12) * _decades(rate)


def _decades(rate: float) -> float:
    return math.log(min(MOST, max(LEAST, rate)) / LEAST) / math.log(MOST / LEAST)


if __name__ == "__main__":
    main()
