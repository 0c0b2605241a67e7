"""Who was heard, and who looked again?

Whoever is restrained or ended may say that it was a mistake, as often as they like, while it lasts.  Somebody looks
again who had no hand in it: who neither placed, proposed, approved nor extended anything since a person last let the
account go.  Either it stays as it is, or the account is reinstated: all that it did is answered for, as by a release.

An appeal is due within :data:`APPEAL_DAYS`, which is how long a hold lasts at most by default: no appeal of a hold is
answered by time alone.  It stays on the list until somebody has looked, however late, or nothing is left to appeal.
"""

from typing import Final

from riparian.errors import InputError, LifecycleError
from riparian.gate.eyes import folded, require_said
from riparian.gate.holds import Change, Event, History, Step, let_go
from riparian.schema import DAY_US

APPEAL_DAYS: Final = 14
TEXT_MAX: Final = 10_000
"""Characters of an appeal that are kept; what is longer is sent back and not cut."""


def appeal(history: History, now_us: int, *, text: str) -> Change:
    """Take up what the listener says.

    Parameters
    ----------
    history
        Of the account.
    now_us
        UTC.
    text
        What they say, at most :data:`TEXT_MAX` characters.

    Raises
    ------
    InputError
        When the text is empty or too long.
    LifecycleError
        When nothing restrains the account, or an appeal waits already.
    """
    if not 0 < len(text.strip()) <= TEXT_MAX:
        raise InputError(
            f"the appeal has {len(text.strip()):,} characters, wanted 1 to {TEXT_MAX:,}",
            hint="Write down what the listener says, in their words.",
        )
    return _said(history, Step.APPEALED, now_us, "", text, until_us=now_us + APPEAL_DAYS * DAY_US)


def uphold(history: History, now_us: int, *, person: str, reason: str) -> Change:
    """Look again and leave it as it is.

    Raises
    ------
    LifecycleError
        When no appeal waits, the person had a hand in it, or person or reason are missing.
    """
    _require_reviewer(history, Step.UPHELD, now_us, person, reason)
    until_us = history.decision.until_us if history.decision is not None else now_us
    return _said(history, Step.UPHELD, now_us, person, reason, until_us=until_us)


def reinstate(history: History, now_us: int, *, bits_open: float | None, person: str, reason: str) -> Change:
    """Look again and take it back; all that the account did is answered for.

    Parameters
    ----------
    history
        Of the account.
    now_us
        UTC.
    bits_open
        As for :func:`riparian.gate.holds.release`.
    person, reason
        Who, and why.

    Raises
    ------
    LifecycleError
        When no appeal waits, the person had a hand in it, or person or reason are missing.
    """
    _require_reviewer(history, Step.REINSTATED, now_us, person, reason)
    assert history.decision is not None  # noqa: S101  an appeal waits, so there is one
    change = let_go(history.decision, Step.REINSTATED, now_us, bits_open=bits_open, person=person, reason=reason)
    return Change(change.before, change.after, change.event, len(history.events))


def _require_reviewer(history: History, step: Step, now_us: int, person: str, reason: str) -> None:
    history.require(step, now_us)
    require_said(step, person, reason)
    if folded(person) in history.hands():
        raise LifecycleError(
            "`person` had a hand in what is appealed against, wanted somebody who neither placed, proposed,"
            " approved nor extended it",
            hint="Let another person look again.",
        )


def _said(history: History, step: Step, now_us: int, person: str, reason: str, *, until_us: int) -> Change:
    history.require(step, now_us)
    assert history.decision is not None  # noqa: S101  what was never decided cannot be appealed against
    restraint = history.decision.restraint
    event = Event(history.account, now_us, step, restraint, until_us, person.strip(), reason.strip())
    return Change(history.decision, history.decision, event, len(history.events))
