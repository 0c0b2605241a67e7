"""What a claim of ours means, and how sure it is: the one currency of the house.

The bits law
------------
``bits = log2(e)`` where ``e`` is an e-process for the claim's stated null: a quantity that is
never negative and whose mean is at most one at every stopping time when the null holds.  By
Ville's inequality the chance that it *ever* reaches ``b`` bits although the null holds is at most
``2**-b``, however often somebody looks.  Three rules follow, and nothing here breaks them:

* *In turn*: successive bets on one subject, each placed knowing the last, add their bits.
* *Any dependence*: sources that may depend on one another join by :func:`riparian.bets.combine.mix_bits`,
  a mean of ``2**bits`` with weights fixed beforehand.  Their bits never add.
* *Searching costs*: what was looked for in ``G`` places grants ``log2 G`` of its bits back.

Bits are kept on a grid of 1/1024 (:func:`on_grid`), rounded down, so that the rows of an
explanation sum to its total exactly and not nearly.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Final

GRID: Final = 1024.0


def on_grid(bits: float) -> float:
    """Round bits down to a multiple of 1/1024; sums of such numbers are exact in binary.

    Examples
    --------
    >>> on_grid(13.28771)
    13.287109375
    >>> on_grid(float("-inf"))
    -1048576.0
    """
    return math.floor(max(bits, -GRID * GRID) * GRID) / GRID


@dataclass(frozen=True, slots=True)
class Claim:
    """A sentence that evidence can support, and the null it bets against.

    Parameters
    ----------
    name
        How programs call it.
    sentence
        What an account, file or list did, as a person would say it; never a word about its owner.
    null
        What would have to be true for the claim to be a mistake.
    needs
        Columns of ``ACCESS`` without which the bet abstains.
    subject
        Of what it is said: an account or a file.
    """

    name: str
    sentence: str
    null: str
    needs: tuple[str, ...] = ()
    subject: str = "account"


PERSON: Final = Claim(
    "person",
    "plays so much, so new, in such an order as no declared kind of listener does",
    "the account is one of the declared kinds of listener, in their declared shares",
    ("at_us", "account", "recording"),
)
PACE: Final = Claim(
    "pace",
    "receives sound faster than its plan can play it",
    "on any day, given the past, the account's busiest hour holds more sound than its plan can play"
    " only as often as among the declared kinds of client",
    ("media_ms",),
)
SILENCE: Final = Claim(
    "silence",
    "takes sound that nothing plays",
    "on any day, given the past, most sound goes unaccompanied by playback only as often as among the"
    " declared kinds of client",
    ("heartbeat",),
)
ENUMERATION: Final = Claim(
    "enumeration",
    "reads metadata in such an amount and order as no declared kind of reader does",
    "the account is one of the declared kinds of reader of metadata, in their declared shares",
    ("action",),
)
KINSHIP: Final = Claim(
    "kinship",
    "works through one list with a ring: it keeps its pace, or clear of what the others took",
    "the account chooses without knowing of the others: near the place where they work as often as anywhere around it,"
    " and inside a cell of artist, popularity and market at least as alike to them as by lot",
    ("at_us", "account", "recording"),
)
RING: Final = Claim(
    "ring",
    "fetch one list of work between them: together they never take a recording twice",
    "the accounts of the cluster choose without knowing of one another, inside each cell at least as alike as by lot",
    ("at_us", "account", "recording"),
)
TASTE: Final = Claim(
    "taste",
    "takes artists that belong together less, or more, than any declared listener's do",
    "the account's artists are as coherent as those of a share of honest accounts that is ranked or declared",
    ("at_us", "account", "recording"),
)
DEVICES: Final = Claim(
    "devices",
    "shares its devices, or changes them, as no declared kind of account does",
    "the account is of a declared kind: a person, a family, a shared speaker, an office",
    ("device",),
)
PLACES: Final = Claim(
    "places",
    "is in places, or at hours, between which nobody can travel so often",
    "the account is of a declared kind: at home, travelling, behind a carrier's or a private network",
    ("at_us", "lat", "lon"),
)
JITTER: Final = Claim(
    "jitter",
    "follows the order in which another account was shown a listing",
    "the account's choices do not depend on the secret order that another account was shown",
    ("at_us", "account", "recording", "action"),
)
HANDLE: Final = Claim(
    "handle",
    "uses a handle that was given to another account, without a share link",
    "handles are guessed, or passed on, no more often than declared",
    ("given_to",),
)
REFUSAL: Final = Claim(
    "refusal",
    "takes over what another account was refused",
    "the account's choices do not depend on the secret lot by which another account was refused",
    ("at_us", "account", "recording", "status"),
)
CANARY: Final = Claim(
    "canary",
    "takes recordings that are shown to nobody",
    "the account meets such recordings no more often than the certified upper bound of people's rate",
    ("at_us", "account", "recording"),
)
UNSURFACED: Final = Claim(
    "unsurfaced",
    "takes recordings that it was never shown",
    "the account does so no more often than the certified upper bound of people's rate",
    ("surfaced",),
)
ISSUED: Final = Claim(
    "issued",
    "is the one to whom this copy, or a part of it, was issued",
    "the account's word, drawn by lot under a secret key, had no part in how the copy came about",
)
DERIVED: Final = Claim(
    "derived",
    "is the one to whom this list, or a part of it, was issued",
    "the account's forms of what can be written in two ways, and its rows that stand for nothing, drawn by lot under a"
    " secret key, had no part in how the list came about",
)
COPY: Final = Claim(
    "copy",
    "holds sound of a recording of ours",
    "nothing in the file is of a recording of ours: the best that is found for it is as good only as often as for"
    " recordings of ours that are looked for among all the others",
    subject="file",
)
SHARES: Final = Claim(
    "shares",
    "shares material, such as a loop or a backing track, with a recording of ours",
    "the file has nothing in common with the recording: the best that is found for it is as good only as often as for"
    " recordings of ours that are played backwards",
    subject="file",
)
CLAIMS: Final[Mapping[str, Claim]] = MappingProxyType(
    {
        c.name: c
        for c in (
            PERSON,
            PACE,
            SILENCE,
            ENUMERATION,
            KINSHIP,
            RING,
            TASTE,
            DEVICES,
            PLACES,
            JITTER,
            HANDLE,
            REFUSAL,
            CANARY,
            UNSURFACED,
        )
    }
)
"""Every claim that an account can be restrained for, by name; the documentation lists them from here."""
OF_COPIES: Final[Mapping[str, Claim]] = MappingProxyType({c.name: c for c in (ISSUED, DERIVED, COPY, SHARES)})
"""Claims on what becomes of a copy: a person reads them, and nothing acts on them."""


@dataclass(frozen=True, slots=True)
class Source:
    """Which bet, in which version, said so; a change that alters any bits changes the version."""

    name: str
    version: str


@dataclass(frozen=True, slots=True)
class Row:
    """One step of a waterfall: a label that a person understands, and the bits it adds or takes."""

    label: str
    bits: float


@dataclass(frozen=True, slots=True)
class Evidence:
    """A claim about one subject, with the chance that it is wrong.

    Parameters
    ----------
    claim
        The sentence and its null.
    subject
        The pseudonym of an account, or the code of a file or list.
    bits
        The most bits that the e-process ever reached.
    waterfall
        Rows that start at zero and sum to ``bits`` exactly.
    reached_us
        When those bits were first reached; microseconds since 1970, UTC.
    facts
        Counts and dates that a person can check.

    Raises
    ------
    ValueError
        When the rows do not sum to the total: an explanation that does not add up is never made.

    Examples
    --------
    >>> e = Evidence(PERSON, 7, 3.5, (Row("volume", 1.0), Row("novelty given volume", 2.5)), 0, Source("person", "1"))
    >>> sum(row.bits for row in e.waterfall) == e.bits
    True
    """

    claim: Claim
    subject: int
    bits: float
    waterfall: tuple[Row, ...]
    reached_us: int
    source: Source
    facts: Mapping[str, object] = field(default_factory=dict)

    def __post_init__(self) -> None:
        total = sum(row.bits for row in self.waterfall)
        if total != self.bits:
            raise ValueError(f"rows sum to {total}, wanted {self.bits}")
