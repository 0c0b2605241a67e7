"""What is a listener told of a restraint, in words that anybody understands?

Whoever is restrained is owed what was decided, on what facts, who decided, and how to object.  Whoever copies is owed
no lesson: a letter holds no bits, no thresholds and no counts, and of signals that only work unseen (orders, handles,
refusals and recordings laid out by secret lot) all that it says is that no listener chooses so.  Names of staff stay
out of it, too; their roles do not.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

from riparian.errors import LifecycleError
from riparian.evidence import CLAIMS
from riparian.gate.appeals import APPEAL_DAYS
from riparian.gate.decide import Decision
from riparian.gate.exempt import day
from riparian.gate.holds import Event, History, State, Step
from riparian.gate.policy import Restraint

_UNSEEN: Final = "it fetched recordings in a way in which programs do, and nobody who chooses what to hear"

FACTS: Final[Mapping[str, str]] = MappingProxyType(
    {
        "person": "it fetched more recordings, and more of them for the first time, than any kind of listener we know",
        "pace": "it received sound faster than it can be heard",
        "silence": "it received sound that was never played",
        "enumeration": "it read descriptions of recordings in such an amount and order as programs do",
        "kinship": "it worked through one list of recordings together with other accounts",
        "ring": "it worked through one list of recordings together with other accounts",
        "taste": "what it fetched belongs together as no listener's choices do",
        "devices": "it changed or shared its devices as the accounts of people do not",
        "places": "it was used in places between which nobody can travel in the time",
        "jitter": _UNSEEN,
        "handle": _UNSEEN,
        "refusal": _UNSEEN,
        "canary": _UNSEEN,
        "unsurfaced": _UNSEEN,
    }
)
"""Of every claim, what a listener is told that the account did."""

BUDGETS: Final[Mapping[str, str]] = MappingProxyType(
    {
        "beyond its novelty budget": "it asked for more recordings that were new to it than one account may fetch in"
        " so short a time",
        "as a new account": "it asked, together with other new accounts of its household, for more recordings than new"
        " accounts may fetch in so short a time",
        "rows of metadata beyond": "it asked for more descriptions of recordings than one account may read in so short"
        " a time",
    }
)
"""The same of every budget, by what its sentence holds."""

_NO_FACTS: Final = "people who looked at how it was used found that it was used to copy our catalogue"

_SUSPECTED: Final = "somebody of our staff looked at how it was used, and wants to know more before it goes on"

_EFFECTS: Final[Mapping[Restraint, str]] = MappingProxyType(
    {
        Restraint.SLOW: "is slowed: recordings that are new to it come slowly; what it has heard before plays as ever",
        Restraint.STEP_UP: "is asked to show that a person uses it, and then goes on as before",
        Restraint.HOLD: "is on hold: it gets no full-length recordings",
        Restraint.END: "has been ended: nothing is served to it any more",
    }
)


@dataclass(frozen=True, slots=True)
class Letter:
    """What the holder of an account is told.

    Parameters
    ----------
    restraint
        What was decided.
    since_us, until_us
        From when to when; UTC, and ``until_us`` None where it has no end by itself.
    facts
        What the account did, each a clause that begins with *it*; never empty.
    decided_by
        Sentences: who decided, in role.
    review
        Sentences: what became of an appeal, or how to make one, and when it is answered.
    appealed_us, due_us
        When the appeal that waits was made, and when it is to be answered; None where none waits.
    """

    restraint: Restraint
    since_us: int
    until_us: int | None
    facts: tuple[str, ...]
    decided_by: tuple[str, ...]
    review: tuple[str, ...]
    appealed_us: int | None = None
    due_us: int | None = None

    def text(self, name: str) -> str:
        """Write it out, addressed to whoever holds the account of this name."""
        lasts = "It has no end by itself." if self.until_us is None else f"It ends by itself on {day(self.until_us)}."
        paragraphs = (
            f"To the holder of the account {name}",
            f"Since {day(self.since_us)} your account {_EFFECTS[self.restraint]}. {lasts}",
            "This is what the decision rests on:\n\n" + "\n".join(f"- {fact}" for fact in self.facts),
            " ".join(self.decided_by),
            " ".join(self.review),
        )
        return "\n\n".join(paragraphs)


def letter(history: History, now_us: int, *, appeal_url: str = "") -> Letter:
    """Say what a listener is told.

    Parameters
    ----------
    history
        Of the account.
    now_us
        UTC.
    appeal_url
        Where one appeals; empty where a letter is answered by a letter.

    Raises
    ------
    LifecycleError
        When nothing restrains the account: there is nothing to tell.
    """
    decision = history.decision
    if decision is None or history.state(now_us) not in (State.RUNNING, State.ENDED):
        raise LifecycleError(
            f"the account is `{history.state(now_us)}`, wanted one that is restrained or ended",
            hint="List the restraints in force with riparian hold list.",
        )
    waits = history.appeal(now_us)
    return Letter(
        restraint=decision.restraint,
        since_us=decision.since_us,
        until_us=None if decision.restraint is Restraint.END else decision.until_us,
        facts=_facts(decision),
        decided_by=_decided_by(history),
        review=_review(history, now_us, appeal_url),
        appealed_us=None if waits is None else waits.at_us,
        due_us=None if waits is None else waits.until_us,
    )


def _facts(decision: Decision) -> tuple[str, ...]:
    found = []
    for sentence in decision.because:
        found += [FACTS[claim.name] for claim in CLAIMS.values() if sentence.startswith(claim.sentence)]
        found += [told for mark, told in BUDGETS.items() if mark in sentence and sentence.endswith("no evidence")]
    return tuple(dict.fromkeys(found)) or (_SUSPECTED if decision.is_placed else _NO_FACTS,)


def _decided_by(history: History) -> tuple[str, ...]:
    decision = history.decision
    if decision is not None and decision.restraint is Restraint.END:
        return ("Two people of our staff decided this, each for themselves; no machine ends an account.",)
    if decision is not None and decision.is_placed:
        return ("A person of our staff decided this, for a limited time; to let it last longer takes another one.",)
    machine = "Our system decided this by itself, for a limited time; nobody of our staff has decided anything yet."
    if any(e.step is Step.EXTENDED for e in _since(history)):
        machine = (
            "Our system decided this by itself, for a limited time; a person of our staff looked at it and let it last"
            " longer."
        )
    return (machine,)


def _review(history: History, now_us: int, appeal_url: str) -> tuple[str, ...]:
    waits = history.appeal(now_us)
    if waits is not None:
        looked_at = f"You appealed on {day(waits.at_us)}. Somebody who had no part in the decision looks at it"
        return (f"{looked_at}, and you are told the outcome by {day(waits.until_us)}.",)
    upheld = [e for e in _since(history) if e.step is Step.UPHELD]
    where = f"at {appeal_url}" if appeal_url else "by answering this letter"
    how = f"If this is a mistake, you can appeal {where}, for as long as this lasts: tell us what we should know."
    then = (
        "Somebody who had no part in the decision will look at it, and you will be told the outcome within"
        f" {APPEAL_DAYS} days; if it was a mistake, everything will be as it was before."
    )
    if not upheld:
        return how, then
    stands = "somebody who had no part in the decision looked at your appeal and let it stand."
    return f"On {day(upheld[-1].at_us)} {stands}", how.replace("can appeal", "can appeal again"), then


def _since(history: History) -> list[Event]:
    begun_us = history.decision.since_us if history.decision is not None else 0
    return [event for event in history.events if event.at_us >= begun_us]
