"""What does an artist tell their listeners, and themselves, when something of theirs was found outside?

Whoever copies a catalogue is soon followed by those who write to its artists: that they owe a fee, must confirm an
account, or can have it all taken down for a price.  The kit is what to have ready before that: words for the artist,
words for listeners, and how to tell a genuine message.  It says nothing that the statement beside it does not, names
nobody, and promises nothing.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from riparian.creators.statement import Statement

_SHOWN: Final = 12


@dataclass(frozen=True, slots=True)
class Sender:
    """Who speaks: its name, where it is reached, where it publishes its key, and the domains that it writes from."""

    name: str
    contact: str
    key_at: str
    domains: Sequence[str] = ()


def kit(statement: Statement, sender: Sender, key: str) -> dict[str, str]:
    """Write the kit: name of a file to its text.

    Parameters
    ----------
    key
        The public key of the statement, in hex.

    Examples
    --------
    >>> totals = {"findings": 1, "recordings": 1, "expected_mistakes": 0.01, "without_error": 0}
    >>> said = {"of": {"name": "Mira"}, "by": "Reed", "at": "2026-11-23T00:00:00Z", "held": 3, "totals": totals,
    ...         "found": [{"title": "Tide", "recording": "r-1", "where": "songs", "error": 0.01}]}
    >>> texts = kit(Statement(said), Sender("Reed", "help@reed.example", "https://reed.example/key"), "ab" * 32)
    >>> sorted(texts)
    ['for-listeners.txt', 'how-to-tell.txt', 'to-the-artist.txt']
    >>> "help@reed.example" in texts["to-the-artist.txt"]
    True
    """
    said = statement.said
    return {
        "to-the-artist.txt": _artist(said, sender),
        "for-listeners.txt": _listeners(said, sender),
        "how-to-tell.txt": _telling(sender, key),
    }


def _artist(said: Mapping[str, Any], sender: Sender) -> str:
    found, name = said["totals"], said["of"]["name"]
    rows = [f"  - {row['title'] or row['recording']}, at {row['where']}" for row in said["found"][:_SHOWN]]
    more = found["findings"] - len(rows)
    listed = "\n".join([*rows, *([f"  - and {more:,} more, in the statement"] if more else [])])
    were = "was" if found["recordings"] == 1 else "were"
    return f"""To {name},

{found["recordings"]:,} of the {said["held"]:,} recordings of yours that we hold {were} found outside:

{listed or "  - nothing, so far"}

The statement beside this letter says where, how that is known, and how likely each finding is a mistake. It is signed,
so that you can show it to anybody.

What to expect now:
  - We ask you for nothing. No fee, no password, no confirmation is needed from you for what we do next.
  - Others may write to you in our name, or in the name of a service: that you owe something, must sign in, or can have
    your recordings removed for a price. How to tell is in how-to-tell.txt.
  - If one of the findings is a use that you allowed, tell us, and it is taken out.

{sender.name}
{sender.contact}
"""


def _listeners(said: Mapping[str, Any], sender: Sender) -> str:
    return f"""Copies of recordings by {said["of"]["name"]} are being passed around without having been released there.
Please listen where you know that the artist publishes. If somebody offers you access, early releases or merchandise in
the artist's name and asks for payment or a sign-in, look for the same offer on the artist's own pages first.
Questions: {sender.contact}
"""


def _telling(sender: Sender, key: str) -> str:
    domains = "".join(f"  - {domain}\n" for domain in sender.domains)
    from_where = f"We write from these domains alone:\n{domains}" if domains else ""
    return f"""Is a message from {sender.name} genuine?

Every message of ours to an artist carries a code. Check it at {sender.key_at}, typing the address yourself, or
forward the message to {sender.contact}. A message without a code that asks you to sign in, to pay, or to confirm
who you are is not from us.

{from_where}
Our key, to compare with what {sender.key_at} shows:
{key}
"""
