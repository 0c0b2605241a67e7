"""Which way does a restraint go: extended, released, expired, and by whom?"""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Event:
    """One step in the life of a restraint."""

    account: int
    at_us: int
    step: str
    restraint: int
    until_us: int
    person: str
    reason: str
