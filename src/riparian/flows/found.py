"""What did one scan find?  Everything that a report, a table or a program is told."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

import pyarrow as pa

REVIEW_MINUTES: Final = 6
"""Minutes that a person is assumed to need for one account."""

EXPOSURE: Final = pa.schema(
    [
        pa.field("account", pa.uint64(), nullable=False),
        pa.field("fetches", pa.int64(), nullable=False),
        pa.field("novel", pa.int64(), nullable=False),
        pa.field("beyond_budget", pa.int64(), nullable=False),
        pa.field("rows", pa.int64(), nullable=False),
        pa.field("recordings", pa.int64(), nullable=False),
        pa.field("catalogue_share", pa.float64()),
        pa.field("plays_share", pa.float64()),
        pa.field("first_us", pa.int64(), nullable=False),
        pa.field("last_us", pa.int64(), nullable=False),
        pa.field("days", pa.int32(), nullable=False),
    ]
)
"""One row for each account with a decision above allow: its fetches, those new to it, those that an
enforced budget would have refused, metadata rows, distinct recordings, and what share of the
catalogue, and of all plays of the catalogue, those are (null without a catalogue)."""

BY_DAY: Final = pa.schema(
    [
        pa.field("day", pa.int32(), nullable=False),
        pa.field("accesses", pa.int64(), nullable=False),
        pa.field("accounts", pa.int64(), nullable=False),
        pa.field("plays", pa.int64(), nullable=False),
        pa.field("novel", pa.int64(), nullable=False),
        pa.field("beyond_budget", pa.int64(), nullable=False),
        pa.field("slowed", pa.int64(), nullable=False),
        pa.field("stepped_up", pa.int64(), nullable=False),
        pa.field("held", pa.int64(), nullable=False),
    ]
)
"""One row a day (days since 1970, UTC): what happened, and how many accounts first reached each restraint."""

TIMELINE: Final = pa.schema(
    [
        pa.field("account", pa.uint64(), nullable=False),
        pa.field("day", pa.int32(), nullable=False),
        pa.field("bits", pa.float64(), nullable=False),
        pa.field("plays", pa.int64(), nullable=False),
        pa.field("novel", pa.int64(), nullable=False),
        pa.field("rows", pa.int64(), nullable=False),
        pa.field("refused", pa.int64(), nullable=False),
    ]
)
"""One row for each day that is over of an account with a few bits: its bits when the day closed, its
plays, those new to it, metadata rows, and the new ones that an enforced budget would have refused."""


@dataclass(frozen=True, slots=True)
class Reach:
    """How much of the catalogue a group of accounts fetched.

    Parameters
    ----------
    accounts
        How many accounts.
    recordings
        Distinct recordings that they fetched.
    catalogue_share, plays_share
        Share of the catalogue, and that share weighted by plays; None without a catalogue.
    """

    accounts: int
    recordings: int
    catalogue_share: float | None
    plays_share: float | None


@dataclass(frozen=True, slots=True)
class Queued:
    """One account to look at.

    Parameters
    ----------
    account
        Its code.
    bits
        Of the evidence of all questions joined, which a rung wants.
    listed_at
        The smallest rate of mistakes at which it is on the list.
    claim
        What carries most of its bits.
    """

    account: int
    bits: float
    listed_at: float
    claim: str


@dataclass(frozen=True, slots=True)
class Found:
    """What one scan found.

    Parameters
    ----------
    summary
        JSON-able figures of the scan; kind ``summary``.
    decisions
        ``gate.decide.DECISION``: accounts with a decision above allow, strongest first, and exempt
        ones that would have had one.
    evidence
        ``schema.JOINED``: one row an account.
    exposure
        ``EXPOSURE``: what each account in ``decisions`` fetched, in the same order.
    by_day
        ``BY_DAY``.
    timeline
        ``TIMELINE`` of the strongest accounts, by account in the order of their bits, then by day.
    rings
        ``kinship.RINGS``, the strongest first.
    held, restrained, everybody
        What accounts on hold, accounts under any restraint, and all accounts fetched.
    queue
        Whom to look at first, of at most 5 % mistakes in the mean; a list, and nothing acts on it.
    abstained
        Claims that no bet was placed on, and why.
    cannot_see
        Sentences on what this scan could not have found.
    rejected
        Lines that could not be read, by reason; and accesses dated in the future.
    review_minutes_a_day
        Minutes a day that people need to look at every account with a decision.
    """

    summary: Mapping[str, Any]
    decisions: pa.Table
    evidence: pa.Table
    exposure: pa.Table
    by_day: pa.Table
    timeline: pa.Table
    rings: pa.Table
    held: Reach
    restrained: Reach
    everybody: Reach
    queue: tuple[Queued, ...] = ()
    abstained: Mapping[str, str] = field(default_factory=dict)
    cannot_see: tuple[str, ...] = ()
    rejected: Mapping[str, int] = field(default_factory=dict)
    review_minutes_a_day: float = 0.0
