"""Write docs/reference from the code, so that the two cannot disagree.

``make docs`` runs this; ``tests/docs`` fails when a committed page is not what stands here.  A
page depends on the code alone: no dates, no paths, no width of a terminal.
"""

import ast
import importlib
import importlib.util
import inspect
import math
import re
import runpy
import tomllib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import fields
from enum import EnumMeta, IntEnum
from itertools import pairwise
from pathlib import Path
from types import ModuleType
from typing import Any, Final

import pyarrow as pa

HERE: Final = Path(__file__).parent
SOURCE: Final = HERE.parent / "src"
ABOVE_THE_PORTS: Final = {"assembly", "cli", "console", "feeds", "flows", "sim", "stores"}  # their tables stay at home
_THINGS: Final = {"account": "a copy of a marked recording", "file": "prints of what we hold"}
OPENING: Final = "<!-- written by docs/generate.py from {origin}: change that, then run `make docs` -->\n\n"


def main() -> None:
    """Write every page, and say which ones changed."""
    folder = HERE / "reference"
    folder.mkdir(exist_ok=True)
    wanted = pages()
    for stale in sorted(set(folder.glob("*.md")) - {folder / name for name in wanted}):
        stale.unlink()
        print(f"removed reference/{stale.name}")
    for name, text in wanted.items():
        path = folder / name
        if not path.exists() or path.read_text(encoding="utf-8") != text:
            path.write_text(text, encoding="utf-8")
            print(f"wrote reference/{name}")
    for program in ("tables.py", "pictures.py"):
        runpy.run_path(str(HERE / program), run_name="__main__")


def pages() -> dict[str, str]:
    """Make every page of the reference whose room exists, by file name."""
    makers: Mapping[str, tuple[str, Callable[[], str]]] = {
        "claims.md": ("riparian.evidence", claims_page),
        "schemas.md": ("riparian.schema", schemas_page),
        "errors.md": ("riparian.errors", errors_page),
        "people.md": ("riparian.accounts.people", people_page),
        "policy.md": ("riparian.gate.policy", policy_page),
        "regimes.md": ("riparian.cases.regimes", regimes_page),
        "notices.md": ("riparian.cases.forms", notices_page),
        "cli.md": ("riparian.cli", cli_page),
    }
    return {
        name: OPENING.format(origin=f"`{origin}`") + make().rstrip() + "\n" for name, (origin, make) in makers.items()
    }


def claims_page() -> str:
    """List what evidence can say of an account or a file."""
    evidence = importlib.import_module("riparian.evidence")
    out = [
        "# Claims\n",
        "What evidence can say, and the null of each; [bits](../explain/bits.md) says what that means.\n",
    ]
    for claim in (*evidence.CLAIMS.values(), *evidence.OF_COPIES.values()):
        needs = ", ".join(f"`{column}`" for column in claim.needs)
        out += [
            f"## `{claim.name}`\n",
            f"The {claim.subject} **{claim.sentence}**.\n",
            f"Its null, under which that is a mistake: {claim.null}.\n",
            f"Needs {needs}; without them the bet abstains, and the summary says so.\n"
            if needs
            else f"Needs {_THINGS[claim.subject]}. A person reads it: no restraint rests on it.\n",
        ]
    return "\n".join(out)


def schemas_page() -> str:
    """List the tables that cross a room, and the codes inside them."""
    out = ["# Schemas\n", _prose(importlib.import_module("riparian.schema"))]
    for module_name, names in _modules_with("pa.schema("):
        module = importlib.import_module(module_name)
        notes = _constant_docs(module)
        for name in names:
            schema = getattr(module, name)
            if isinstance(schema, pa.Schema):
                out += [f"## `{name}`\n", _code_names(notes.get(name, "")), _field_table(schema)]
    for module_name, names in _modules_with("(IntEnum)"):
        module = importlib.import_module(module_name)
        for name in names:
            enum = getattr(module, name)
            if isinstance(enum, EnumMeta) and issubclass(enum, IntEnum) and not name.startswith("_"):
                rows = [[str(int(member)), f"`{member.name.lower()}`"] for member in enum]
                out += [f"## `{name}`\n", _prose(enum), _table(["stored", "means"], rows)]
    return "\n".join(out)


def errors_page() -> str:
    """Draw the tree of errors, by who can put each right."""
    module = importlib.import_module("riparian.errors")
    root = module.RiparianError
    leaves = [c for c in vars(module).values() if inspect.isclass(c) and issubclass(c, root) and c is not root]
    rows = [[f"`{leaf.__name__}`", _first_sentence(leaf)] for leaf in leaves]
    return "\n".join(
        [
            "# Errors\n",
            _prose(module),
            _table(["class", "meaning"], rows),
            "On the command line an error is printed with its hint under it, and the exit code is 2.",
        ]
    )


def people_page() -> str:
    """List the declared kinds of account, with the most bits that being of a kind can ever give."""
    declared = tomllib.loads((SOURCE / "riparian" / "accounts" / "people.toml").read_text(encoding="utf-8"))
    kinds = sorted(declared["kind"].items(), key=lambda item: -item[1]["share"])
    rows = [
        [f"`{name}`", kind["because"], f"{kind['share']:.7f}".rstrip("0"), f"{-math.log2(kind['share']):.1f}"]
        for name, kind in kinds
    ]
    return "\n".join(
        [
            "# People\n",
            f"The null of the claim `person`, version {declared['version']}: the declared kinds, with their shares.\n",
            "An account of a kind can hardly gather more than `log2(1 / share)` bits by being what it is.\n",
            _table(["kind", "who", "share", "bits at most"], rows),
            "The file itself, with every parameter and what it means:\n",
            f"```toml\n{(SOURCE / 'riparian' / 'accounts' / 'people.toml').read_text(encoding='utf-8').rstrip()}\n```",
        ]
    )


def policy_page() -> str:
    """List the keys of the policy file."""
    module = importlib.import_module("riparian.gate.policy")
    keys = fields(module.Policy)
    rows = [[f"`{key.name}`", f"`{_toml(key.default)}`", key.metadata["unit"], key.metadata["doc"]] for key in keys]
    sample = "\n".join(f"{key.name} = {_toml(key.default)}" for key in keys)
    return "\n".join(
        [
            "# Policy\n",
            _prose(module),
            _table(["key", "default", "unit", "meaning"], rows),
            "The whole file, as it would say what is true without one:\n",
            f"```toml\n{sample}\n```",
        ]
    )


def notices_page() -> str:
    """List the forms in which a notice leaves, and what each asks for."""
    forms = importlib.import_module("riparian.cases.forms")
    notice = importlib.import_module("riparian.cases.notice")
    listed = list(forms.FORMS.values())
    asked = [one for one in notice.Element if any(one in form.asks for form in listed)]
    carried = [
        [f"`{form.name}`", form.title, ", ".join(k.value.replace("_", " ") for k in form.kinds)] for form in listed
    ]
    asks = [
        [f"`{form.name}`", form.regime or "any", *("x" if one in form.asks else "" for one in asked)] for form in listed
    ]
    explained = (
        "What each asks of a first letter; without it, it is not written. The elements are those of 17 U.S.C."
        " 512(c)(3)(A) and of Regulation (EU) 2022/2065, Article 16(2).\n"
    )
    return "\n".join(
        [
            "# Forms of notices\n",
            _prose(forms),
            _table(["form", "what it is", "letters"], carried),
            explained,
            _table(["form", "regime", *(one.value.replace("_", " ") for one in asked)], asks),
            "Where each shape is from, and what was not checked:\n",
            _table(["form", "source"], [[f"`{form.name}`", form.source] for form in listed]),
        ]
    )


def regimes_page() -> str:
    """List what each law and policy asks, its clocks, and when it was read."""
    module = importlib.import_module("riparian.cases.regimes")
    regimes = sorted(module.REGIMES.values(), key=lambda one: (not one.law, one.key))
    out = ["# Laws and policies\n", _prose(module), "[Clocks](../explain/clocks.md) says how days are counted.\n"]
    for regime in regimes:
        kind = "A law" if regime.law else "A policy, and no law"
        under = f", under `{regime.under}`" if regime.under else ""
        counter = _elements(regime.counter_asks)
        out += [
            f"## `{regime.key}`\n",
            f"{regime.title}. {kind}{under}. Read {regime.read}, to be read again by {regime.review}.\n",
            f"Source: {regime.source}.{f' {regime.checked}' if regime.checked else ''}\n",
            f"A notice has {_elements(regime.asks)}; a counter-notice {counter}.\n",
            f"Days are counted by the calendar `{regime.calendar}` in `{regime.zone}`, unless you name others.\n",
            _clock_table(regime),
        ]
        if regime.duty:
            rows = [[f"`{one.name}`", one.whose, one.what, f"“{one.says}”", one.source] for one in regime.duty]
            out += ["Without a number:\n", _table(["duty", "who", "what", "when", "source"], rows)]
    return "\n".join(out)


def _clock_table(regime: Any) -> str:
    rows = [
        [
            f"`{one.name}`",
            one.whose,
            one.what,
            _count(one),
            ", ".join(f"`{step}`" for step in one.begins) or "no step",
            ", ".join(f"`{step}`" for step in one.ends) or "no step",
            "law" if one.legal else "no law",
            f"{one.source}.{f' {one.checked}' if one.checked else ''}",
        ]
        for one in regime.clock
    ]
    return _table(["clock", "who", "what", "after", "begins with", "ends with", "", "source"], rows)


def _count(clock: Any) -> str:
    numbers = [str(one) for one in dict.fromkeys((clock.least, clock.most)) if one is not None]
    rolls = ", then the next business day" if clock.rolls else ""
    return f"{' to '.join(numbers)} {clock.unit.replace('_', ' ')}{rolls}"


def _elements(asked: tuple[Any, ...]) -> str:
    return ", ".join(str(one).replace("_", " ") for one in asked) or "nothing that is laid down"


def cli_page() -> str:
    """List every verb with its options, from the commands themselves."""
    out = [
        "# Command line\n",
        "People get tables; `--json` gives one JSON object a line. Talk goes to stderr.\n",
        "Exit codes: 0 done, 1 found nothing, 2 error (message and hint).\n",
    ]
    for path, command in commands():
        out += [f"## `{' '.join(path)}`\n", _help(command.help)]
        if not hasattr(command, "list_commands"):
            out.append(f"```text\n{' '.join([*path, *command.collect_usage_pieces(_context(command, path))])}\n```\n")
        rows = [_parameter_row(p) for p in parameters(command)]
        if rows:
            out.append(_table(["argument or option", "default", "meaning"], rows))
    return "\n".join(out)


def commands() -> Iterator[tuple[list[str], Any]]:
    """Walk the command line: every path of words, with its command."""
    import typer  # noqa: PLC0415  only this page needs it, and only where a command line exists

    cli = importlib.import_module("riparian.cli")
    app = next(value for value in vars(cli).values() if isinstance(value, typer.Typer))

    def walk(path: list[str], command: Any) -> Iterator[tuple[list[str], Any]]:
        yield path, command
        context = _context(command, path)
        for name in command.list_commands(context) if hasattr(command, "list_commands") else ():
            inner = command.get_command(context, name)
            if not inner.hidden:
                yield from walk([*path, name], inner)

    return walk(["riparian"], typer.main.get_command(app))


def parameters(command: Any) -> list[Any]:
    """List a command's own arguments and options, without those that every command has."""
    common = {"help", "install_completion", "show_completion"}
    return [p for p in command.params if p.name not in common and not getattr(p, "hidden", False)]


def _context(command: Any, path: list[str]) -> Any:
    return command.context_class(command, info_name=path[-1])


def _parameter_row(parameter: Any) -> list[str]:
    is_option = parameter.param_type_name == "option"
    names = ", ".join(f"`{n}`" for n in [*parameter.opts, *parameter.secondary_opts]) if is_option else ""
    if not is_option:
        names = f"`{parameter.name.upper()}`"
    default = parameter.default
    shown = "" if default in (None, False, (), [], "") or callable(default) else f"`{_plain(default)}`"
    if isinstance(getattr(parameter, "show_default", None), str):
        shown = parameter.show_default
    if parameter.required:
        shown = "required"
    return [names, shown, _help(getattr(parameter, "help", "") or "").strip()]


def _plain(value: object) -> str:
    return str(getattr(value, "value", value))


def _help(text: str | None) -> str:
    return _code_names(inspect.cleandoc(text or "").replace("\f", "")) + "\n"


def _modules_with(marker: str) -> Iterator[tuple[str, list[str]]]:
    """Find modules whose text holds the marker, with the public names that they define."""
    for path in sorted((SOURCE / "riparian").rglob("*.py"), key=lambda p: (len(p.parts), p)):
        text = path.read_text(encoding="utf-8")
        if marker not in text or path.relative_to(SOURCE).parts[1] in ABOVE_THE_PORTS:
            continue
        names = []
        for node in ast.parse(text).body:
            if isinstance(node, ast.ClassDef):
                names.append(node.name)
            elif isinstance(node, ast.AnnAssign | ast.Assign):
                target = node.target if isinstance(node, ast.AnnAssign) else node.targets[0]
                if isinstance(target, ast.Name):
                    names.append(target.id)
        module = ".".join(path.relative_to(SOURCE).with_suffix("").parts).removesuffix(".__init__")
        yield module, [name for name in names if not name.startswith("_")]


def _constant_docs(module: ModuleType) -> dict[str, str]:
    """Read the strings that stand under constants."""
    body = ast.parse(inspect.getsource(module)).body
    notes = {}
    for node, after in pairwise(body):
        if not (isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name)):
            continue
        if isinstance(after, ast.Expr) and isinstance(after.value, ast.Constant):
            notes[node.target.id] = inspect.cleandoc(str(after.value.value)) + "\n"
    return notes


def _field_table(schema: pa.Schema) -> str:
    rows = [[f"`{f.name}`", f"`{f.type}`", "optional" if f.nullable else "required"] for f in schema]
    return _table(["column", "type", ""], rows)


def _table(head: list[str], rows: list[list[str]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    cells = ([" ".join(cell.split()).replace("|", "\\|") for cell in line] for line in lines)
    return "".join(f"| {' | '.join(line)} |\n" for line in cells)


def _prose(subject: object) -> str:
    """Render a docstring: its text, without the numpydoc sections and examples."""
    text = re.split(r"\n\w[\w ]*\n-{3,}\n", inspect.getdoc(subject) or "")[0]
    paragraphs = [p for p in text.split("\n\n") if not p.lstrip().startswith(">>>")]
    out: list[str] = []
    for i, paragraph in enumerate(paragraphs):
        is_literal = i > 0 and out[-1].rstrip().endswith("::")
        if is_literal:
            opening = out.pop().rstrip().removesuffix("::").rstrip()
            out += [f"{opening}:"] if opening else []
            out.append(f"```text\n{inspect.cleandoc(paragraph)}\n```")
        else:
            out.append(_code_names(paragraph) if paragraph.strip() != "::" else "::")
    return "\n\n".join(out) + "\n"


def _first_sentence(subject: object) -> str:
    return _code_names(_prose(subject).split("\n\n")[0])


def _code_names(text: str) -> str:
    """Turn reStructuredText's code and roles into Markdown's."""
    text = re.sub(r":\w+:`~?([^`]+)`", r"`\1`", text)
    return text.replace("``", "`")


def _toml(value: object) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    plain = _plain(value)
    return f'"{plain}"' if isinstance(value, str) else plain


if __name__ == "__main__":
    main()
