"""Commands in the README and the documentation exist, and those marked to run do run.

A block to run stands under ``<!-- run -->``. What its commands print is compared with what stands in the block, ``...``
matching anything; with ``--write-golden`` what they print is put there instead::

    <!-- run -->
    ```console
    $ riparian simulate town --listeners 50 --seed 1
    ...
    ```
"""

import doctest
import os
import re
import shlex
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from docs import generate

ROOT = Path(generate.HERE).parent
PAGES = [ROOT / "README.md", *sorted(p for p in (ROOT / "docs").rglob("*.md") if "reference" not in p.parts)]
BLOCK = re.compile(r"(?P<mark><!-- run -->\s*)?^```console\n(?P<body>.*?)^```", re.MULTILINE | re.DOTALL)


def commands(body: str) -> list[tuple[str, str]]:
    """Split a console block into commands and what each prints."""
    parts = re.split(r"^\$ ", body.replace("\\\n", " "), flags=re.MULTILINE)[1:]
    return [(command, printed) for command, _, printed in (part.partition("\n") for part in parts)]


def written() -> list[tuple[str, str]]:
    """List every `riparian` command of every page, as (page, command)."""
    return [
        (str(path.relative_to(ROOT)), command)
        for path in PAGES
        for block in BLOCK.finditer(path.read_text(encoding="utf-8"))
        for command, _ in commands(block["body"])
        if command.startswith("riparian ")
    ]


def to_run() -> list[Path]:
    return [path for path in PAGES if any(b["mark"] for b in BLOCK.finditer(path.read_text(encoding="utf-8")))]


@pytest.mark.parametrize(("page", "command"), written())
def test_a_command_in_the_documentation_exists_with_its_options(page: str, command: str) -> None:
    words = shlex.split(command, comments=True)
    verbs: dict[tuple[str, ...], Any] = {tuple(path): verb for path, verb in generate.commands()}
    path = next((tuple(words[:n]) for n in (4, 3, 2) if tuple(words[:n]) in verbs), None)
    assert path is not None, f"{page}: `{' '.join(words[:3])}` is no verb"
    # Of some groups one verb is meant where none is named.
    path = (*path, verbs[path].default) if getattr(verbs[path], "default", None) else path
    assert not hasattr(verbs[path], "list_commands"), f"{page}: `{command}` names a group, wanted a verb"
    known = {name for parameter in verbs[path].params for name in [*parameter.opts, *parameter.secondary_opts]}
    options = {word.split("=")[0] for word in words if word.startswith("--")}
    assert options <= known | {"--help"}, f"{page}: `{command}`"


@pytest.mark.slow
@pytest.mark.parametrize("page", to_run(), ids=lambda path: path.name)
def test_a_page_that_is_marked_to_run_runs_as_it_says(
    page: Path, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    text = page.read_text(encoding="utf-8")
    write = bool(request.config.getoption("--write-golden"))
    for block in BLOCK.finditer(text):
        if not block["mark"]:
            continue
        body = ""
        for command, wanted in commands(block["body"]):
            done = run(command, tmp_path)
            assert done.returncode == 0, f"`{command}` ended with {done.returncode}: {done.stderr}"
            flags = doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE
            is_said = not wanted.strip() or doctest.OutputChecker().check_output(wanted, done.stdout, flags)
            assert write or is_said, f"`{command}` printed\n{done.stdout}\nand the page says\n{wanted}"
            body += f"$ {command}\n{wanted if is_said else done.stdout}"
        if write:
            text = text.replace(block["body"], body)
    if write:
        page.write_text(text, encoding="utf-8")


def run(command: str, folder: Path) -> subprocess.CompletedProcess[str]:
    beside = Path(sys.executable).parent
    environment = os.environ | {"PATH": f"{beside}{os.pathsep}{os.environ['PATH']}", "COLUMNS": "100", "NO_COLOR": "1"}
    return subprocess.run(
        shlex.split(command, comments=True),
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
        timeout=900,
    )


def test_links_of_the_first_pages_lead_somewhere() -> None:
    for name in ("README.md", "CONTRIBUTING.md", "SECURITY.md", "CHANGELOG.md"):
        text = (ROOT / name).read_text(encoding="utf-8")
        for target in re.findall(r"\]\((?!https?:)([^)#]+)", text) + re.findall(r"\b(docs/[\w/.-]+\.md)\b", text):
            assert (ROOT / target).exists(), f"{name} leads to {target}"
