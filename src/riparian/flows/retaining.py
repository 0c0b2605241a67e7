"""Who has been silent for so long that nothing of them should be kept any more, and who is kept all the same?

An account's time begins with its last access.  Kept whatever its age is who is restrained now, who was ended (or the
end would be forgotten, and the account begin anew), who waits for somebody (a proposal, an appeal), and about whom
anything was decided or done since, so that whoever asks about a decision is answered for as long as listeners are kept.
"""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

import numpy as np
from numpy.typing import NDArray

from riparian.codes import BUCKETS
from riparian.flows.ending import appealed, proposed
from riparian.gate.decide import from_table
from riparian.gate.policy import Restraint
from riparian.ports import World
from riparian.schema import DAY_US

LATELY: Final = "something was done about it since"
RESTRAINED: Final = "restrained now"
ENDED: Final = "ended by people"
WAITS: Final = "waits for a person"


@dataclass(frozen=True, slots=True)
class Silent:
    """Accounts of which nothing was heard for a while.

    Parameters
    ----------
    accounts : np.ndarray [shape=(accounts,), uint64]
        Those to be forgotten, the longest silent first.
    last_us : np.ndarray [shape=(accounts,)]
        Their last accesses.
    kept
        How many are as old and kept all the same, by why.
    of
        How many accounts there are.
    """

    accounts: NDArray[np.uint64]
    last_us: NDArray[np.int64]
    kept: Mapping[str, int] = field(default_factory=dict)
    of: int = 0


def silent(world: World, *, days: int) -> Silent:
    """Find whoever has been silent for longer than ``days``.

    Parameters
    ----------
    world
        Where to look.
    days
        How long an account is kept.
    """
    now_us = world.clock.now_us()
    codes, last_us = _last_accesses(world)
    old = np.flatnonzero(last_us < now_us - days * DAY_US)
    old = old[np.argsort(last_us[old], kind="stable")]
    held = _held(world, now_us, now_us - days * DAY_US)
    kept = [held.get(account) for account in codes[old].tolist()]
    gone = old[np.array([why is None for why in kept], np.bool_)]
    reasons = Counter(why for why in kept if why is not None)
    return Silent(codes[gone], last_us[gone], dict(sorted(reasons.items())), len(codes))


def _held(world: World, now_us: int, since_us: int) -> dict[int, str]:
    """Say of whom something is to be kept whatever its last access, and why: the last reason that fits."""
    held = {event.account: LATELY for event in world.decisions.log() if event.at_us >= since_us}
    for decision in from_table(world.decisions.table()):
        if decision.restraint is Restraint.END:
            held[decision.account] = ENDED
        elif decision.restraint is not Restraint.ALLOW and decision.until_us >= since_us:
            held[decision.account] = RESTRAINED if decision.until_us > now_us else LATELY
    return held | {event.account: WAITS for _, event in (*proposed(world), *appealed(world))}


def _last_accesses(world: World) -> tuple[NDArray[np.uint64], NDArray[np.int64]]:
    codes, last_us = [np.empty(0, np.uint64)], [np.empty(0, np.int64)]
    for bucket in range(BUCKETS):
        tally = world.tallies.load(bucket)
        if tally is not None:
            codes.append(tally["accounts"])
            last_us.append(tally["state"]["last_us"][: len(tally["accounts"])])
    return np.concatenate(codes), np.concatenate(last_us)
