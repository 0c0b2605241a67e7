"""Which accounts are let be, until when, and why?

Quality assurance, partners and venues fetch as no listener does, and rightly so.  An exemption has
an end and a reason, or it is none: a list of names without either becomes the way out for
whoever gets on it.  What an exempt account does is weighed and kept like any other's, and it is not
held against the account after the end: bets are opened anew then.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

import numpy as np
from numpy.typing import NDArray

from riparian.errors import InputError

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def day(at_us: int) -> str:
    """Write a time as its UTC day.

    Examples
    --------
    >>> day(1_700_000_000_000_000)
    '2023-11-14'
    """
    return (_EPOCH + timedelta(microseconds=at_us)).date().isoformat()


@dataclass(frozen=True, slots=True)
class Exemption:
    """One account let be, until a time, for a reason."""

    account: int
    until_us: int
    because: str

    def __post_init__(self) -> None:
        if not self.because.strip():
            raise InputError(
                "an exemption has no reason, wanted one",
                hint="Fill exempt_because wherever exempt_until is filled.",
            )


@dataclass(frozen=True, slots=True)
class Register:
    """Every exemption, by account.

    Examples
    --------
    >>> register = Register.of(np.array([7], np.uint64), np.array([1_700_000_000_000_000]), ["the partner's importer"])
    >>> register.at(7, 0).because
    "the partner's importer"
    >>> register.at(7, 1_700_000_000_000_000) is None
    True
    """

    exemptions: Mapping[int, Exemption] = field(default_factory=dict)

    @classmethod
    def of(cls, accounts: NDArray[np.uint64], until_us: NDArray[np.int64], because: list[str]) -> "Register":
        """Gather exemptions from three columns; of two for one account, the later end counts."""
        register: dict[int, Exemption] = {}
        for account, until, why in zip(accounts.tolist(), until_us.tolist(), because, strict=True):
            if account not in register or register[account].until_us < until:
                register[account] = Exemption(account, until, why)
        return cls(register)

    def at(self, account: int, now_us: int) -> Exemption | None:
        """Find the exemption in force now, if any."""
        found = self.exemptions.get(account)
        return found if found is not None and found.until_us > now_us else None

    def __iter__(self) -> Iterator[int]:
        return iter(self.exemptions)
