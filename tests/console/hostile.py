"""A small town whose accounts, artists and titles are named to do harm to whoever looks at them."""

from collections.abc import Callable
from html.parser import HTMLParser
from pathlib import Path
from typing import Final

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from typer.testing import CliRunner

from riparian.cli import app

HARM: Final = (
    "<script>alert('{}')</script>",
    "\"><img src=x onerror=alert('{}')>",
    "../{{{{ 7 * 7 }}}}/{}?id=x&y#z",
    "\u202egpj.exe\x1b[31m{}",
    "{} ' OR 1=1 --",
    "' autofocus onfocus='alert(1)' {}",
    "</textarea></title><svg onload=alert('{}')>",
    "javascript:alert('{}')",
)


def named(text: str) -> str:
    """Name one thing so that it does harm where it is not shown as text."""
    return HARM[sum(text.encode()) % len(HARM)].format(text)


def run(*words: str | Path) -> str:
    ended = CliRunner().invoke(app, [str(word) for word in words])
    if ended.exception is not None and not isinstance(ended.exception, SystemExit):
        raise ended.exception
    assert ended.exit_code == 0, ended.output
    return ended.stdout


def made(folder: Path) -> Path:
    """Simulate it, rename it, scan it; a workspace."""
    run("simulate", folder, "--listeners", "60", "--days", "8", "--recordings", "5000", "--ring", "6x150:queue")
    renamed(folder / "accesses.parquet", {"account": named})
    renamed(folder / "accounts.parquet", {"account": named})
    renamed(folder / "catalogue.parquet", {"artist": named, "title": named})
    run(
        "scan", folder / "accesses.parquet", "--catalogue", folder / "catalogue.parquet",
        "--accounts", folder / "accounts.parquet", "--workspace", folder / "workspace", "--map", "account=account",
    )  # fmt: skip
    return folder / "workspace"


def renamed(path: Path, columns: dict[str, Callable[[str], str]]) -> None:
    table = pq.read_table(path)
    for name, rename in columns.items():
        if name not in table.column_names:
            continue
        coded = pc.dictionary_encode(table[name].cast(pa.string())).combine_chunks()
        names = pa.array([rename(text) for text in coded.dictionary.to_pylist()])
        table = table.set_column(table.column_names.index(name), name, names.take(coded.indices))
    pq.write_table(table, path)


class _Parts(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.harm: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        if tag in {"img", "iframe", "object", "embed", "style", "base"}:
            self.harm.append(tag)
        if tag == "script" and not given.get("src", "").startswith("/static/"):
            self.harm.append(f"a script from `{given.get('src')}`")
        self.harm += [name for name in given if name.startswith("on") or name == "style"]
        addresses = [given[name] for name in ("href", "src", "action", "formaction") if name in given]
        self.harm += [one for one in addresses if not one.startswith(("/", "#")) or one.startswith("//")]


def harm_in(text: str) -> list[str]:
    """List what in a page is not what a page of ours may have."""
    parts = _Parts()
    parts.feed(text)
    return parts.harm + [mark for mark in ("\u202e", "\x1b", "/49?id") if mark in text]
