"""In whose name does a case write, and to whom?

A file of TOML, ``letterhead.toml`` in the workspace unless another is named, so that nobody types an address twice::

    authority = "mandate-2026.pdf"           # the document by which the complainant speaks for the owner
    public_domain = "policy-2026.pdf"        # optional: the document that says that nothing of ours is free

    [owner]
    name = "Reed Records"
    address = "1 Quay, Portland, OR"
    email = "rights@reed.example"

    [complainant]                            # who writes; the owner, when it is left out
    name = "Ann Reed"
    email = "ann@reed.example"

    [addressee.host]                         # as many as you write to
    name = "A Host, Inc."
    layer = "host"
    email = "abuse@host.example"
"""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

from riparian.cases.facts import Addressee, Party
from riparian.cases.plain import made
from riparian.errors import InputError, PolicyError

NAME: Final = "letterhead.toml"
_FILE_MAX: Final = 1 << 20
_KNOWN: Final = frozenset({"authority", "public_domain", "owner", "complainant", "addressee"})


@dataclass(frozen=True, slots=True)
class Letterhead:
    """In whose name a case writes, and to whom.

    Parameters
    ----------
    authority
        The document by which the complainant speaks for the owner.
    public_domain
        The document that says that no recording of theirs is free; empty when there is none.
    """

    owner: Party
    complainant: Party
    addressees: Mapping[str, Addressee]
    authority: str = ""
    public_domain: str = ""

    def addressee(self, key: str) -> Addressee:
        """Find whom to write to.

        Raises
        ------
        InputError
            When nobody has that key.
        """
        if key not in self.addressees:
            raise InputError(
                f"`{key[:40]}` is nobody in the letterhead, wanted one of {', '.join(self.addressees) or 'none yet'}",
                hint=f"Add [addressee.{key[:40]}] to it, with name and layer.",
            )
        return self.addressees[key]


def read_letterhead(path: Path) -> Letterhead:
    """Read a letterhead.

    Raises
    ------
    InputError
        When there is no such file.
    PolicyError
        When it is not what it should be.
    """
    if not path.is_file():
        raise InputError(
            f"there is no letterhead at `{path}`, wanted a file that says who you are",
            hint="Write one with [owner] and [addressee.KEY]: see docs/how/send.md.",
        )
    try:
        with path.open("rb") as file:
            said = tomllib.loads(file.read(_FILE_MAX).decode())
        unknown = sorted(set(said) - _KNOWN)
        if unknown:
            raise PolicyError(f"`{path.name}` has `{unknown[0]}`, wanted only {', '.join(sorted(_KNOWN))}")
        return _understood(said)
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise PolicyError(f"`{path.name}` is no TOML ({error}), wanted a letterhead") from error
    except InputError as error:
        raise PolicyError(f"`{path.name}`: {error.message}") from error


def _understood(said: Mapping[str, Any]) -> Letterhead:
    for name in ("owner", "complainant", "addressee"):
        if not isinstance(said.get(name, {}), Mapping):
            raise InputError(f"`{name}` is no table, wanted [{name}{'.KEY' if name == 'addressee' else ''}]")
    if "owner" not in said:
        raise InputError("it has no [owner], wanted whose works they are")
    for name in ("authority", "public_domain"):
        if not isinstance(said.get(name, ""), str):
            raise InputError(f"`{name}` is no text, wanted the name of a document")
    owner = replace(made(Party, said["owner"]), role="owner")
    writes = replace(made(Party, said["complainant"]), role="agent") if "complainant" in said else owner
    to = {key: made(Addressee, _addressee(key, one)) for key, one in said.get("addressee", {}).items()}
    return Letterhead(owner, writes, to, said.get("authority", ""), said.get("public_domain", ""))


def _addressee(key: str, said: object) -> Mapping[str, Any]:
    if not isinstance(said, Mapping):
        raise InputError(f"`addressee.{key[:40]}` is no table, wanted [addressee.{key[:40]}] with name and layer")
    return {"key": key, **said}
