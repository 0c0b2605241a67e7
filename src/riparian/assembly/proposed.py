"""What policy is proposed, and by whom: a file beside the policy that nothing acts on."""

import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from riparian.assembly.world import Given
from riparian.errors import InputError, PolicyError
from riparian.gate.policy import Policy, parse_policy
from riparian.stores.files import write_whole

NAME: Final = "policy.proposed.toml"
LONGEST: Final = 20_000
_HEAD: Final = "# Proposed "


@dataclass(frozen=True, slots=True)
class Proposal:
    """A policy that is proposed.

    Parameters
    ----------
    text
        As it was written, without the line that says who proposed it.
    said
        When it was proposed, and by whom; empty where nobody says so.
    """

    text: str
    said: str

    @property
    def policy(self) -> Policy:
        """Read it, as ``policy.toml`` is read; PolicyError when it is none."""
        return policy_of(self.text)


def policy_file(given: Given) -> Path:
    """Name the file that the policy stands in, whether there is one or not."""
    return given.policy or given.workspace / "policy.toml"


def policy_text(given: Given) -> str:
    """Read the policy as it was written; empty where no file says anything."""
    return _read(policy_file(given)) if policy_file(given).exists() else ""


def policy_of(text: str) -> Policy:
    """Read a policy from its text, as from its file.

    Raises
    ------
    PolicyError
        When it is no TOML, or no policy.
    """
    try:
        found: dict[str, Any] = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise PolicyError(f"`{NAME}` is no TOML: {error}, wanted lines of key = value") from error
    return parse_policy(found)


def read_proposal(given: Given) -> Proposal | None:
    """Read what is proposed; None where nothing is."""
    path = given.workspace / NAME
    if not path.exists():
        return None
    first, _, rest = (text := _read(path)).partition("\n")
    if first.startswith(_HEAD):
        return Proposal(rest, first.removeprefix(_HEAD).strip().removesuffix("."))
    return Proposal(text, "")


def keep_proposal(given: Given, text: str, said: str) -> None:
    """Keep a proposal in place of the one before it.

    Parameters
    ----------
    text
        TOML, as of ``policy.toml``.
    said
        When and by whom, in one line.

    Raises
    ------
    PolicyError
        When it is no policy; what was proposed before stays.
    """
    if len(text) > LONGEST:
        raise PolicyError(f"the policy has {len(text):,} characters, wanted {LONGEST:,} at most")
    policy_of(text)
    given.workspace.mkdir(parents=True, exist_ok=True)
    whole = f"{_HEAD}{said}.\n{text.rstrip()}\n"
    write_whole(given.workspace / NAME, lambda file: file.write(whole.encode()))


def drop_proposal(given: Given) -> None:
    """Take the proposal back.

    Raises
    ------
    InputError
        When there is none.
    """
    try:
        (given.workspace / NAME).unlink()
    except FileNotFoundError:
        raise InputError("no policy is proposed, wanted one", hint="Load the page again.") from None


def _read(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except OSError as error:
        raise InputError(f"`{path}` cannot be read: {error.strerror}, wanted a TOML file") from error
    except UnicodeDecodeError as error:
        raise PolicyError(f"`{path}` is no TOML: {error}, wanted lines of key = value") from error
