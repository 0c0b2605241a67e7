"""What is done about an account, why, and until when?"""

from dataclasses import dataclass
from enum import IntEnum
from typing import Final

import pyarrow as pa


class Restraint(IntEnum):
    """What is done, from nothing to most; a person alone may do more."""

    ALLOW = 0
    SLOW = 1
    STEP_UP = 2
    HOLD = 3


@dataclass(frozen=True, slots=True)
class Decision:
    """What is done about one account; see ``DECISION`` for the fields."""

    account: int
    restraint: Restraint
    because: tuple[str, ...]
    bits: float
    threshold_bits: float
    declared: float
    certified: float | None
    since_us: int
    until_us: int
    applied: bool
    bits_before: float = 0.0
    bits_then: float = 0.0


DECISION: Final = pa.schema(
    [
        pa.field("account", pa.uint64(), nullable=False),
        pa.field("restraint", pa.uint8(), nullable=False),
        pa.field("because", pa.list_(pa.string()), nullable=False),
        pa.field("bits", pa.float64(), nullable=False),
        pa.field("threshold_bits", pa.float64(), nullable=False),
        pa.field("declared", pa.float64(), nullable=False),
        pa.field("certified", pa.float64()),
        pa.field("since_us", pa.int64(), nullable=False),
        pa.field("until_us", pa.int64(), nullable=False),
        pa.field("applied", pa.bool_(), nullable=False),
        pa.field("bits_before", pa.float64(), nullable=False),
        pa.field("bits_then", pa.float64(), nullable=False),
    ]
)
