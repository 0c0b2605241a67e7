"""What did a platform decide, about what, and whom does it tell?

A decision is a file of TOML, and a statement of reasons (Regulation (EU) 2022/2065, Article 17) is written from it::

    urls = ["https://host.example/tracks/1"]      # what the decision is about

    [decision]                                    # fields of riparian.cases.notice.Decision
    ground_named = "Directive 2001/29/EC, Article 2(c)"
    explanation = "The recording is another's, and no licence of theirs is known."
    facts = "A notice was received under Article 16, and the recordings were compared."
    content_date = 2026-11-01T00:00:00Z
    application_date = 2026-11-23T09:30:00Z
    puid = "2026-11-23-17"
    redress = "You may complain to us within six months, go to a certified body, or to a court."

    [sender]                                      # who decided
    name = "Trust and safety"
    organisation = "A Host, Inc."
    email = "safety@host.example"

    [recipient]                                   # whom it affects; for the letter, never for the database
    name = "ember-17"

Statements that stand are JSON: one, a list of them, or the ``statements`` that the database takes together.
"""

import json
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from riparian.cases.facts import Addressee, Facts, Layer, Location, Party
from riparian.cases.notice import Decision, Kind, Notice
from riparian.cases.plain import made
from riparian.cases.statements import Wanted, drafted
from riparian.errors import InputError

_OCTETS_MAX: Final = 64 << 20
_KNOWN: Final = frozenset({"urls", "language", "decision", "sender", "recipient"})


def read_decision(path: Path) -> Notice:
    """Read a decision, as a statement of reasons that no form has written yet.

    Raises
    ------
    InputError
        When it is not what it should be.
    """
    try:
        said = tomllib.loads(_octets(path).decode())
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise InputError(f"`{path}` is not TOML that can be read: {error}, wanted a decision") from error
    if unknown := sorted(set(said) - _KNOWN):
        raise InputError(f"`{path}` has `{unknown[0][:40]}`, wanted only {', '.join(sorted(_KNOWN))}")
    urls = said.get("urls")
    if not isinstance(urls, list) or not urls or not all(isinstance(one, str) for one in urls):
        raise InputError(f"`{path}` has no `urls`, wanted the addresses that the decision is about")
    decision = made(Decision, {**_table(said, "decision"), **_lists(said)})
    places = tuple(Location(f"L{n}", url) for n, url in enumerate(urls, 1))
    to = Addressee("recipient", str(_table(said, "recipient").get("name", "")), Layer.MAIL, "dsa", "dsa_reasons")
    facts = Facts(complainant=made(Party, _table(said, "sender")), locations=places)
    keys = tuple(one.key for one in places)
    asked = Wanted(Kind.REASONS, to, keys, decision.application_date, case=decision.puid, decision=decision)
    return drafted(facts, asked).notice


def read_statements(path: Path) -> tuple[Mapping[str, Any], ...]:
    """Read statements of reasons, as they stand.

    Raises
    ------
    InputError
        When they are not JSON, or no statements.
    """
    try:
        said = json.loads(_octets(path))
    except (ValueError, RecursionError) as error:
        raise InputError(f"`{path}` is not JSON that can be read, wanted statements of reasons") from error
    if isinstance(said, Mapping) and isinstance(said.get("statements"), list):
        said = said["statements"]
    found = said if isinstance(said, list) else [said]
    if not found or not all(isinstance(one, Mapping) for one in found):
        raise InputError(f"`{path}` has no statements in it, wanted objects with the fields of the database")
    return tuple(found)


def _octets(path: Path) -> bytes:
    if not path.is_file():
        raise InputError(f"there is no file at `{path}`, wanted a decision or statements of reasons")
    if path.stat().st_size > _OCTETS_MAX:
        raise InputError(f"`{path}` has {path.stat().st_size} octets, wanted at most {_OCTETS_MAX}")
    return path.read_bytes()


def _table(said: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    found = said.get(name, {})
    if not isinstance(found, Mapping):
        raise InputError(f"`{name}` is no table, wanted [{name}] with its fields")
    return found


def _lists(said: Mapping[str, Any]) -> Mapping[str, Any]:
    """Spell the times as values of the rooms do."""
    return {name: str(one) for name, one in _table(said, "decision").items() if hasattr(one, "isoformat")}
