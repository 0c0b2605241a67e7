"""What the programs of this folder share: where tables go, the people they bet against, exact allowances."""

import argparse
import csv
import tomllib
from collections.abc import Iterable, Mapping
from importlib.resources import files
from pathlib import Path

from scipy.stats import poisson

from riparian.accounts.join import ALONE, PRICES
from riparian.accounts.people import People, parse_people

TABLES = Path(__file__).resolve().parent.parent / "docs" / "bench"
PRICE = PRICES[ALONE]
"""Bits that a scan takes off what an account does by itself, since it asks other questions too."""


def people() -> People:
    """Return the people that ship with Riparian."""
    return parse_people(tomllib.loads((files("riparian.accounts") / "people.toml").read_text()))


def options(doc: str | None, **defaults: int) -> argparse.Namespace:
    """Read integer options such as ``--seeds 10`` and ``--out FILE``."""
    parser = argparse.ArgumentParser(description=(doc or "").split("\n")[0])
    for name, value in defaults.items():
        parser.add_argument(f"--{name}", type=int, default=value)
    parser.add_argument("--out", type=Path, default=None, help="where the CSV goes; default: docs/bench")
    return parser.parse_args()


def write(rows: Iterable[Mapping[str, object]], out: Path | None, name: str) -> Path:
    """Write rows as CSV and print them."""
    table = list(rows)
    path = out or TABLES / f"{name}.csv"
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w", newline="") as file:
        writer = csv.DictWriter(file, list(table[0]), lineterminator="\n")
        writer.writeheader()
        writer.writerows(table)
    print(f"{len(table)} rows -> {path}")
    return path


def allowance(expected: float, *, chance: float = 0.01) -> int:
    """Most mistakes that a mean of ``expected`` explains but with this chance (Poisson, exact)."""
    return int(poisson.ppf(1 - chance, expected)) if expected > 0 else 0
