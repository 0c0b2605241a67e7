"""The source as the architecture tests see it: parsed files, and the floors that pyproject.toml declares."""

import ast
import re
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, Final

ROOT: Final = Path(__file__).parents[2]
PACKAGE: Final = ROOT / "src" / "riparian"


@dataclass(frozen=True, slots=True)
class Source:
    """One module of the package."""

    path: Path
    text: str
    tree: ast.Module

    @property
    def room(self) -> str:
        return self.path.relative_to(PACKAGE).parts[0].removesuffix(".py")

    def at(self, node: ast.AST) -> str:
        return f"{self.path.relative_to(ROOT)}:{getattr(node, 'lineno', 1)}"


@cache
def sources() -> tuple[Source, ...]:
    texts = ((path, path.read_text(encoding="utf-8")) for path in sorted(PACKAGE.rglob("*.py")))
    return tuple(Source(path, text, ast.parse(text)) for path, text in texts)


def functions(source: Source) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    for node in ast.walk(source.tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield node


@cache
def contracts() -> dict[str, dict[str, Any]]:
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    return {contract["type"]: contract for contract in settings["tool"]["importlinter"]["contracts"]}


def rooms_below_the_ports() -> tuple[str, ...]:
    """List the rooms of the floors under `ports` that exist by now."""
    floors = [re.findall(r"\w+", floor) for floor in contracts()["layers"]["layers"]]
    declared = [room for floor in floors[floors.index(["ports"]) + 1 :] for room in floor]
    return tuple(room for room in declared if (PACKAGE / room).is_dir() or (PACKAGE / f"{room}.py").is_file())
