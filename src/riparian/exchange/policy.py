"""What is a peer's signal worth, and what becomes of a peer who is wrong?

What a peer says is an opinion: it points somewhere, and causes nothing until it was confirmed here by what we compared
ourselves.  When its sender takes it back, or it turns out wrong here, everything that rests on it is lifted.  A sender
who is wrong is called; the second time conditions are agreed; the third time nothing more is taken from them.  More in
a day than a sender ever sends is set aside until a person has looked.

Source
------
The steps for mistakes are those of the false-positive policy of eth-phishing-detect (MetaMask, doc/fp-policy.md).
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from types import MappingProxyType
from typing import Final

from riparian.errors import LifecycleError


class Worth(StrEnum):
    """Where a signal of a peer stands here."""

    HEARD = "heard"
    CONFIRMED = "confirmed"
    DISPUTED = "disputed"
    REVOKED = "revoked"


class Move(StrEnum):
    """What happens to it."""

    HEAR = "hear"
    CONFIRM = "confirm"
    DISPUTE = "dispute"
    REVOKE = "revoke"


MOVES: Final[Mapping[Worth, Mapping[Move, Worth]]] = MappingProxyType(
    {
        Worth.HEARD: {
            Move.HEAR: Worth.HEARD,
            Move.CONFIRM: Worth.CONFIRMED,
            Move.DISPUTE: Worth.DISPUTED,
            Move.REVOKE: Worth.REVOKED,
        },
        Worth.CONFIRMED: {Move.HEAR: Worth.CONFIRMED, Move.DISPUTE: Worth.DISPUTED, Move.REVOKE: Worth.REVOKED},
        Worth.DISPUTED: {Move.HEAR: Worth.DISPUTED, Move.CONFIRM: Worth.CONFIRMED, Move.REVOKE: Worth.REVOKED},
        Worth.REVOKED: {Move.HEAR: Worth.REVOKED, Move.REVOKE: Worth.REVOKED},
    }
)
"""Worth to what may happen there, and where that leads: what was taken back stays so."""


class Standing(StrEnum):
    """How a sender stands."""

    GOOD = "good"
    CALLED = "called"
    CONDITIONS = "conditions"
    OUT = "out"


@dataclass(frozen=True, slots=True)
class Flood:
    """Where a flood begins.

    Parameters
    ----------
    times, least
        More in a day than this many times what is usual, and at least so many.
    during_incident
        The same while an incident is declared, when much is expected.
    """

    times: float = 5.0
    least: int = 100
    during_incident: float = 50.0


def moved(worth: Worth, move: Move) -> Worth:
    """Tell where a move leads.

    Raises
    ------
    LifecycleError
        When it leads nowhere from there.

    Examples
    --------
    >>> moved(Worth.HEARD, Move.CONFIRM)
    <Worth.CONFIRMED: 'confirmed'>
    >>> moved(Worth.REVOKED, Move.CONFIRM)
    Traceback (most recent call last):
    riparian.errors.LifecycleError: the signal is `revoked`, from which `confirm` does not lead anywhere, wanted ...
    """
    try:
        return MOVES[worth][move]
    except KeyError:
        legal = ", ".join(MOVES[worth])
        raise LifecycleError(
            f"the signal is `{worth}`, from which `{move}` does not lead anywhere, wanted one of {legal}"
        ) from None


def standing(mistakes: int) -> Standing:
    """Tell how a sender stands after so many mistakes.

    Examples
    --------
    >>> [str(standing(n)) for n in range(5)]
    ['good', 'called', 'conditions', 'out', 'out']
    """
    return tuple(Standing)[min(mistakes, len(Standing) - 1)]


def floods(times: Iterable[datetime], now: datetime, *, incident: bool = False, flood: Flood | None = None) -> bool:
    """Tell whether a sender says so much today that a person looks first.

    Parameters
    ----------
    times
        When each of its signals came, today's among them.
    incident
        Whether an incident is declared.
    """
    flood, day = flood or Flood(), timedelta(days=1)
    known = list(times)
    today = sum(now - day < at <= now for at in known)
    month = [at for at in known if now - 31 * day < at <= now - day]
    usual = len(month) / max(1, len({at.date() for at in month}))
    return today >= flood.least and today > (flood.during_incident if incident else flood.times) * max(usual, 1.0)
