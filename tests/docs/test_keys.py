"""The page on keys names every secret that a workspace keeps, and what it says of changing them is so."""

import ast
import re
from pathlib import Path

from riparian.stores.push_secret import push_secret

STORES = Path("src/riparian/stores")
PAGE = Path("docs/how/keys.md").read_text(encoding="utf-8")
LISTED = {
    row[1].strip(" `").partition("`")[0] for row in (line.split("|") for line in PAGE.splitlines()) if len(row) > 4
}


def kept() -> set[str]:
    """Find the name of every file that is opened as a secret."""
    found: set[str] = set()
    for path in STORES.rglob("*.py"):
        tree = ast.parse(path.read_text(encoding="utf-8"))
        names = {
            target.id: ast.unparse(node.value)
            for node in ast.walk(tree)
            if isinstance(node, ast.AnnAssign) and node.value is not None
            for target in [node.target]
            if isinstance(target, ast.Name)
        }
        for node in ast.walk(tree):
            if isinstance(node, ast.Call) and ast.unparse(node.func) == "SecretFile":
                name = ast.unparse(node.args[0]).rpartition("/ ")[2]
                text = names.get(name, name)
                for inner, value in names.items():
                    text = text.replace("{" + inner + "}", value.strip("'"))
                found.add(re.sub(r"^f?'|'$", "", text))
    return found


def test_every_file_that_holds_a_secret_is_listed() -> None:
    secrets = kept()
    assert {"keys.json", "marks.json", "canaries.json", "cases.json", "terms.json", "key.json"} <= secrets
    assert secrets | {"secret.key", "push.key"} <= LISTED


def test_a_secret_of_pushes_that_is_removed_is_made_anew(tmp_path: Path) -> None:
    before = push_secret(tmp_path)
    (tmp_path / "push.key").unlink()
    after = push_secret(tmp_path)
    assert before != after == push_secret(tmp_path)
    assert (tmp_path / "push.key").stat().st_mode & 0o077 == 0
