"""``riparian exchange psi``: what you and a peer both have, and nothing else."""

import json as format_
import os
import secrets
from pathlib import Path
from typing import Annotated, Any, Final

import typer

from riparian.cli import lines, options, terminal
from riparian.cli.exchanged import say
from riparian.errors import InputError
from riparian.exchange import blinded
from riparian.exchange.blinded import Asked, Of

_OCTETS_MAX: Final = 512 << 20
_MOST: Final = 10_000

app = typer.Typer(
    pretty_exceptions_enable=False,
    no_args_is_help=True,
    help="Find what you and a peer both have, without either showing the rest.",
)
Items = Annotated[Path, typer.Argument(metavar="ITEMS", help="One item a line.")]
Kind = Annotated[str, typer.Option("--of", help="What they are: isrc, sha256 or url.")]
Into = Annotated[Path, typer.Option("--to", metavar="FILE", help="Where it is written.")]


@app.command()
def ask(
    items: Items,
    to: Into,
    of: Kind = "isrc",
    json: options.Json = False,
) -> None:
    """Ask a peer which of your items it has: hand it FILE, and keep FILE.secret, with which you read its answer."""
    secret = secrets.token_bytes(blinded.SECRET)
    asked = blinded.ask(_lines(items), _of(of), secret)
    _write(to, asked.said)
    kept = to.with_name(f"{to.name}.secret")
    _write(kept, {"secret": secret.hex(), "items": asked.items, "said": asked.said}, mode=0o600)
    if json:
        lines.write([{"kind": "asked", "items": len(asked.items), "file": str(to), "secret": str(kept)}])
        return
    say(f"{len(asked.items)} items are asked about in {to}. Keep {kept} to yourself.")


@app.command()
def answer(
    asked: Annotated[Path, typer.Argument(metavar="ASKED", help="What the peer asks.")],
    items: Items,
    to: Into,
    of: Kind = "isrc",
    most: Annotated[int, typer.Option(help="About how many items an answer is given.")] = _MOST,
    json: options.Json = False,
) -> None:
    """Answer a peer about your items: it learns which of its own you have, and how many you have in all."""
    said = _read(asked)
    answered = blinded.answer(said, _lines(items), _of(of), secrets.token_bytes(blinded.SECRET), most)
    _write(to, answered)
    n = len(answered["again"])
    if json:
        lines.write([{"kind": "answered", "asked": n, "items": len(answered["points"]), "file": str(to)}])
        return
    say(f"{n} items were asked about; the answer is in {to}.")


@app.command("read")
def read_(
    secret: Annotated[Path, typer.Argument(metavar="SECRET", help="What you kept: FILE.secret.")],
    answered: Annotated[Path, typer.Argument(metavar="ANSWER", help="What the peer answered.")],
    json: options.Json = False,
) -> None:
    """Read the answer: which of your items the peer has; exit code 1 when it has none of them."""
    kept = _read(secret)
    try:
        asked = Asked(dict(kept["said"]), tuple(map(str, kept["items"])))
        key = bytes.fromhex(kept["secret"])
    except (KeyError, TypeError, ValueError) as error:
        raise InputError(f"`{secret}` was not written by `exchange psi ask`, wanted what you kept") from error
    both = blinded.shared(asked, _read(answered), key)
    if json:
        lines.write({"kind": "shared", "item": one} for one in both)
    else:
        for one in both:
            say(one)
        terminal.say(f"{len(both)} of {len(asked.items)} are there too.")
    if not both:
        raise typer.Exit(1)


def _of(text: str) -> Of:
    if text not in tuple(Of):
        raise InputError(f"`{text[:20]}` was given, wanted one of {', '.join(Of)}")
    return Of(text)


def _lines(file: Path) -> list[str]:
    return [one for one in _octets(file).decode("utf-8", "replace").splitlines() if one.strip()]


def _read(file: Path) -> dict[str, Any]:
    try:
        said = format_.loads(_octets(file))
    except (ValueError, RecursionError):
        said = None
    if not isinstance(said, dict):
        raise InputError(f"`{file}` is no JSON object, wanted what `exchange psi` wrote")
    return said


def _octets(file: Path) -> bytes:
    try:
        if file.stat().st_size > _OCTETS_MAX:
            raise InputError(f"`{file}` has more than {_OCTETS_MAX >> 20} MiB, wanted less")
        return file.read_bytes()
    except OSError as error:
        raise InputError(f"`{file}` cannot be read: {error.strerror}, wanted a file") from error


def _write(file: Path, said: object, mode: int = 0o644) -> None:
    try:
        handle = os.open(file, os.O_CREAT | os.O_WRONLY | os.O_TRUNC, mode)
        with os.fdopen(handle, "w", encoding="utf-8") as held:
            os.fchmod(handle, mode)
            format_.dump(said, held)
    except OSError as error:
        raise InputError(f"`{file}` cannot be written: {error.strerror}, wanted a place for it") from error
