import ast

import pytest
from importlinter.cli import lint_imports

from tests.architecture.source_tree import PACKAGE, ROOT, Source, contracts, rooms_below_the_ports, sources

REFUSED = {
    *contracts()["forbidden"]["forbidden_modules"],
    "asyncio",
    "fsspec",
    "glob",
    "pathlib",
    "secrets",
    "shutil",
    "tempfile",
    "threading",
    "urllib",
}
ALLOWED = {"urllib.parse"}  # it takes addresses apart, and asks nobody
REFUSED_CALLS = {"open", "input", "print", "__import__", "exec", "eval"}
REFUSED_METHODS = {"now", "utcnow", "today"}
NUMPY_RANDOM_TYPES = {"Generator", "BitGenerator", "SeedSequence", "Philox", "PCG64"}


@pytest.mark.slow
def test_a_room_imports_only_from_floors_below(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(ROOT)
    status = lint_imports(config_filename=str(ROOT / "pyproject.toml"), no_cache=True)
    assert status == 0, capsys.readouterr().out


def test_the_contract_of_refused_modules_covers_every_room_below_the_ports() -> None:
    covered = {name.removeprefix("riparian.") for name in contracts()["forbidden"]["source_modules"]}
    assert covered == set(rooms_below_the_ports())


def test_every_room_stands_on_a_floor_and_is_a_package() -> None:
    for folder in PACKAGE.iterdir():
        if folder.is_dir() and any(folder.glob("*.py")):
            assert (folder / "__init__.py").is_file(), f"{folder.name} has modules and no `__init__.py`"


def is_refused(module: str) -> bool:
    return module not in ALLOWED and module.split(".", maxsplit=1)[0] in REFUSED


def reaches(source: Source) -> list[str]:
    """List the places where a module takes for itself what it should be handed."""
    found = []
    for node in ast.walk(source.tree):
        names: list[str] = []
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names if is_refused(alias.name)]
        elif isinstance(node, ast.ImportFrom) and node.module:
            names = [node.module] if is_refused(node.module) else []
            if node.module == "numpy.random":
                names = [alias.name for alias in node.names if alias.name not in NUMPY_RANDOM_TYPES]
        elif isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
            names = [node.func.id] if node.func.id in REFUSED_CALLS else []
        elif isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
            names = [f".{node.func.attr}()"] if node.func.attr in REFUSED_METHODS else []
        elif isinstance(node, ast.Attribute) and ast.unparse(node.value) in {"np.random", "numpy.random"}:
            names = [ast.unparse(node)] if node.attr not in NUMPY_RANDOM_TYPES else []
        found += [f"{source.at(node)} {name}" for name in names]
    return found


@pytest.mark.parametrize("room", rooms_below_the_ports())
def test_a_room_below_the_ports_is_handed_its_clock_its_chance_and_its_data(room: str) -> None:
    assert [place for source in sources() if source.room == room for place in reaches(source)] == []


@pytest.mark.parametrize(
    "text",
    [
        "import os.path",
        "from time import monotonic",
        "import numpy as np\nx = np.random.default_rng()",
        "from numpy.random import default_rng",
        "from datetime import datetime\nx = datetime.now()",
        "def f():\n    import sqlite3",
        "x = open('x')",
        "import urllib.request",
        "from urllib import request",
    ],
)
def test_a_reach_is_noticed(text: str) -> None:
    assert reaches(Source(PACKAGE / "gate" / "x.py", text, ast.parse(text)))


@pytest.mark.parametrize(
    "text",
    ["import numpy as np\ndef f(rng: np.random.Generator): ...", "from urllib.parse import urlsplit"],
)
def test_naming_the_type_of_a_generator_or_parsing_an_address_is_no_reach(text: str) -> None:
    assert reaches(Source(PACKAGE / "gate" / "x.py", text, ast.parse(text))) == []
