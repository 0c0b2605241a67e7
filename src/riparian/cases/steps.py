"""Which step may a notice take from here?

A literal table.  What it does not name is refused, and nothing changes.  A notice that was sent can be taken back from
wherever it stands, and an answer that comes late is an answer: no law ends the time for a counter-notice, so one may
still come when all seemed closed.

Source
------
17 U.S.C. 512(c)(3), (g)(2) and (g)(3); Regulation (EU) 2022/2065, Articles 16, 17 and 20.
"""

from collections.abc import Mapping
from enum import StrEnum
from types import MappingProxyType
from typing import Final

from riparian.errors import LifecycleError


class State(StrEnum):
    """Where a notice stands."""

    DRAFT = "draft"
    LOCKED = "locked"
    REVIEWED = "reviewed"
    APPROVED = "approved"
    SENT = "sent"
    ACKNOWLEDGED = "acknowledged"
    NEEDS_INFO = "needs_info"
    REJECTED = "rejected"
    REMOVED = "removed"
    COUNTERED = "countered"
    WAITING = "waiting"
    RESTORED = "restored"
    ACTION_FILED = "action_filed"
    RETRACTED = "retracted"
    WITHDRAWN = "withdrawn"
    CLOSED = "closed"


class Step(StrEnum):
    """What happens to a notice.

    Those up to ``send`` and ``withdraw`` are ours; ``retract`` and ``file_action`` are ours too, after it was sent; the
    others are what the other side did.
    """

    REDRAFT = "redraft"
    LOCK = "lock"
    REVIEW = "review"
    APPROVE = "approve"
    SEND = "send"
    WITHDRAW = "withdraw"
    ACKNOWLEDGE = "acknowledge"
    ASK = "ask"
    ANSWER = "answer"
    REJECT = "reject"
    REMOVE = "remove"
    COUNTER = "counter"
    FORWARD = "forward"
    RESTORE = "restore"
    FILE_ACTION = "file_action"
    RETRACT = "retract"
    CLOSE = "close"


_S, _T = State, Step

STEPS: Final[Mapping[State, Mapping[Step, State]]] = MappingProxyType(
    {
        _S.DRAFT: {_T.REDRAFT: _S.DRAFT, _T.LOCK: _S.LOCKED, _T.WITHDRAW: _S.WITHDRAWN},
        _S.LOCKED: {_T.REDRAFT: _S.DRAFT, _T.REVIEW: _S.REVIEWED, _T.WITHDRAW: _S.WITHDRAWN},
        _S.REVIEWED: {
            _T.REDRAFT: _S.DRAFT,
            _T.REVIEW: _S.REVIEWED,
            _T.APPROVE: _S.APPROVED,
            _T.WITHDRAW: _S.WITHDRAWN,
        },
        _S.APPROVED: {
            _T.REDRAFT: _S.DRAFT,
            _T.APPROVE: _S.APPROVED,
            _T.SEND: _S.SENT,
            _T.WITHDRAW: _S.WITHDRAWN,
        },
        _S.SENT: {
            _T.ACKNOWLEDGE: _S.ACKNOWLEDGED,
            _T.ASK: _S.NEEDS_INFO,
            _T.REJECT: _S.REJECTED,
            _T.REMOVE: _S.REMOVED,
            _T.COUNTER: _S.COUNTERED,
            _T.RETRACT: _S.RETRACTED,
            _T.CLOSE: _S.CLOSED,
        },
        _S.ACKNOWLEDGED: {
            _T.ASK: _S.NEEDS_INFO,
            _T.REJECT: _S.REJECTED,
            _T.REMOVE: _S.REMOVED,
            _T.COUNTER: _S.COUNTERED,
            _T.RETRACT: _S.RETRACTED,
            _T.CLOSE: _S.CLOSED,
        },
        _S.NEEDS_INFO: {
            _T.ANSWER: _S.ACKNOWLEDGED,
            _T.REJECT: _S.REJECTED,
            _T.REMOVE: _S.REMOVED,
            _T.COUNTER: _S.COUNTERED,
            _T.RETRACT: _S.RETRACTED,
            _T.CLOSE: _S.CLOSED,
        },
        _S.REJECTED: {
            _T.ANSWER: _S.ACKNOWLEDGED,
            _T.REMOVE: _S.REMOVED,
            _T.RETRACT: _S.RETRACTED,
            _T.CLOSE: _S.CLOSED,
        },
        _S.REMOVED: {
            _T.COUNTER: _S.COUNTERED,
            _T.RESTORE: _S.RESTORED,
            _T.RETRACT: _S.RETRACTED,
            _T.CLOSE: _S.CLOSED,
        },
        _S.COUNTERED: {
            _T.FORWARD: _S.WAITING,
            _T.RESTORE: _S.RESTORED,
            _T.FILE_ACTION: _S.ACTION_FILED,
            _T.RETRACT: _S.RETRACTED,
        },
        _S.WAITING: {_T.RESTORE: _S.RESTORED, _T.FILE_ACTION: _S.ACTION_FILED, _T.RETRACT: _S.RETRACTED},
        _S.RESTORED: {
            _T.REMOVE: _S.REMOVED,
            _T.FILE_ACTION: _S.ACTION_FILED,
            _T.RETRACT: _S.RETRACTED,
            _T.CLOSE: _S.CLOSED,
        },
        _S.ACTION_FILED: {
            _T.REMOVE: _S.REMOVED,
            _T.RESTORE: _S.RESTORED,
            _T.RETRACT: _S.RETRACTED,
            _T.CLOSE: _S.CLOSED,
        },
        _S.RETRACTED: {_T.RESTORE: _S.RESTORED, _T.CLOSE: _S.CLOSED},
        _S.WITHDRAWN: {},
        _S.CLOSED: {_T.COUNTER: _S.COUNTERED, _T.RESTORE: _S.RESTORED, _T.RETRACT: _S.RETRACTED},
    }
)
"""State to what may happen there, and where that leads."""

OUTWARD: Final = frozenset({Step.SEND})
"""Steps by which something leaves: none is taken in a case under seal."""

AFTER_SENT: Final = frozenset(State) - {
    State.DRAFT,
    State.LOCKED,
    State.REVIEWED,
    State.APPROVED,
    State.WITHDRAWN,
}
"""Where a notice stands once it has left."""


def after(state: State, step: Step) -> State:
    """Tell where a step leads.

    Raises
    ------
    LifecycleError
        When the step is not one that a notice may take there.

    Examples
    --------
    >>> after(State.APPROVED, Step.SEND)
    <State.SENT: 'sent'>
    >>> after(State.DRAFT, Step.SEND)
    Traceback (most recent call last):
    riparian.errors.LifecycleError: the notice is `draft`, from which `send` does not lead anywhere, wanted ...
    """
    try:
        return STEPS[state][step]
    except KeyError:
        legal = ", ".join(STEPS[state]) or "nothing: it has come to its end"
        raise LifecycleError(
            f"the notice is `{state}`, from which `{step}` does not lead anywhere, wanted one of {legal}",
            hint="See `riparian case show CASE` for where each notice stands.",
        ) from None
