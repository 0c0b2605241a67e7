"""Who answers whether a message is genuine: with what a workspace keeps, or by a public key alone?"""

import tomllib
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from importlib.resources import files
from pathlib import Path

from riparian.creators.answering import Desk
from riparian.creators.lookalikes import Index, Suffixes
from riparian.creators.lures import Model, model
from riparian.feeds.domains import public_suffixes
from riparian.stores.lookalike_names import read_names
from riparian.stores.messages import Messages, messages
from riparian.stores.signing_keys import CREATORS, creators_key


def shipped_model(suffixes: Suffixes) -> Model:
    """Read the lists and weights that ship."""
    here = files("riparian.creators")
    lists, weights = (
        tomllib.loads((here / name).read_text(encoding="utf-8")) for name in ("lures.toml", "lure_weights.toml")
    )
    return model(lists, weights, suffixes)


def public_key(workspace: Path) -> str:
    """Give the public key with which messages and statements are signed; empty where there is none."""
    return creators_key(workspace).public() if (workspace / CREATORS).exists() else ""


@contextmanager
def message_desk(workspace: Path, key: str = "") -> Iterator[tuple[Desk, Messages | None]]:
    """Open who answers: with what a workspace keeps, or, where there is none, by a public key alone.

    Parameters
    ----------
    workspace
        Where the key, the codes and the names are.
    key
        A public key, in hex, in the place of the workspace's.
    """
    suffixes, by = _shipped()
    if not workspace.is_dir():
        yield Desk(key, _no_token, by), None
        return
    names = read_names(workspace)
    ours = Index(names.names, suffixes, names.passed) if names.names else None
    own = key or public_key(workspace)
    with messages(workspace) as held:
        yield Desk(own, held.token_of, by, ours), held


@cache
def _shipped() -> tuple[Suffixes, Model]:
    suffixes = Suffixes.of(public_suffixes())
    return suffixes, shipped_model(suffixes)


def _no_token(code: str) -> str:
    del code
    return ""
