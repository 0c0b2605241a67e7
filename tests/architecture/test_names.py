import ast
import re
from pathlib import Path

import pyarrow as pa

from riparian import schema
from tests.architecture.source_tree import PACKAGE, Source, sources

DRAWERS = {"base", "common", "core", "helper", "helpers", "misc", "shared", "tools", "util", "utils"}
HOLLOW = {
    *("Abstract", "Base", "Context", "Data", "Engine", "Factory", "Handler", "Helper", "Impl", "Info", "Manager"),
    *("Processor", "Service", "Util", "Utils", "Wrapper"),
}
ACCUSING = {
    "attacker",
    "confidence",
    "criminal",
    "evil",
    "fraudster",
    "malicious",
    "risk",
    "score",
    "severity",
    "thief",
}

WITHOUT_PEOPLE = {"prints"}
"""Rooms in which nobody occurs: an alignment of two sounds may have a score, as everywhere else."""

SAID_OF_NOBODY = re.compile(
    r"\b(attackers?|bad actors?|confidence|criminals?|evil|fraud\w*|guilty|malicious|pirates?|risk score|severity"
    r"|suspicious|suspects?|thie(f|ves)|verdict)\b",
    re.IGNORECASE,
)
"""What no page, table or message says of an account: claims are sentences about what it did."""


OF_MESSAGES = {"creators/lures.py", "creators/lures.toml", "edges/messages.py", "cli/message.py"}
"""Where `suspicious` is said of a letter that pretends to be somebody's, and never of who has an account."""


def defined(source: Source) -> list[tuple[str, ast.AST]]:
    """List every name that a module gives to something of its own."""
    names: list[tuple[str, ast.AST]] = []
    for node in ast.walk(source.tree):
        if isinstance(node, ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
            names.append((node.name, node))
        elif isinstance(node, ast.arg):
            names.append((node.arg, node))
        elif isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            names.append((node.id, node))
    return names


def test_no_module_is_a_drawer() -> None:
    assert [str(path) for path in PACKAGE.rglob("*") if path.stem in DRAWERS] == []


def test_no_class_has_a_hollow_name() -> None:
    hollow = [
        f"{source.at(node)} {node.name}"
        for source in sources()
        for node in ast.walk(source.tree)
        if isinstance(node, ast.ClassDef) and HOLLOW & set(re.findall(r"[A-Z][a-z]+", node.name))
    ]
    assert hollow == []


def test_names_are_neutral_about_people() -> None:
    accusing = [
        f"{source.at(node)} {name}"
        for source in sources()
        for name, node in defined(source)
        if source.room not in WITHOUT_PEOPLE
        and ACCUSING & set(re.findall(r"[a-z]+", re.sub(r"(?<=[a-z])(?=[A-Z])", "_", name).lower()))
    ]
    assert accusing == []


def said(source: Source) -> list[tuple[str, ast.AST]]:
    """List the strings of a module that a person may come to read: all but its docstrings and its own names."""
    silent = {id(node.value) for node in ast.walk(source.tree) if isinstance(node, ast.Expr)}
    for node in ast.walk(source.tree):
        if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "__all__":
            silent |= {id(name) for name in ast.walk(node.value)}
    return [
        (node.value, node)
        for node in ast.walk(source.tree)
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in silent
    ]


def test_nothing_accuses() -> None:
    accusing = [f"{s.at(node)} {text}" for s in sources() for text, node in said(s) if accuses(s.path, text)]
    accusing += [
        str(path)
        for path in PACKAGE.rglob("*")
        if path.suffix in {".j2", ".toml"} and accuses(path, path.read_text(encoding="utf-8"))
    ]
    assert accusing == []


def accuses(path: Path, text: str) -> bool:
    of_messages = path.relative_to(PACKAGE).as_posix() in OF_MESSAGES
    found = {one.group().lower() for one in SAID_OF_NOBODY.finditer(text)}
    return bool(found - {"suspicious"} if of_messages else found)


def test_no_table_has_a_column_of_users() -> None:
    for value in vars(schema).values():
        if isinstance(value, pa.Schema):
            assert [name for name in value.names if "user" in name] == []


def test_a_package_file_holds_a_docstring_and_reexports_only() -> None:
    for source in sources():
        # A command line is assembled in its package file; elsewhere code has a module with a name.
        if source.path.name != "__init__.py" or source.room in {"__init__", "cli"}:
            continue
        code = [
            node
            for node in source.tree.body
            if not isinstance(node, ast.Import | ast.ImportFrom | ast.Expr | ast.Assign | ast.AnnAssign)
        ]
        assert code == [], f"{source.path} defines something"
