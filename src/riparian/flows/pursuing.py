"""From facts to a letter, past the rails, to people who sign it, and out.

::

    facts --draft--> a text in custody --review--> rails that pass, and how many have to agree
                                                     |
                        people's signatures <--approve
                                 |
                               send --rails again--> the outbox --> what the other side does

Nothing here sends without :class:`riparian.cases.approval.Approved`, which nobody can make without people's signatures.
"""

import hashlib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Any, Final

from riparian.cases.approval import Approved, approval
from riparian.cases.budget import Account, Past, accounts_of, sent_in
from riparian.cases.case import Case, Noted
from riparian.cases.events import Proposed
from riparian.cases.facts import Addressee, Checked, Work
from riparian.cases.forms import FORMS, asked_by, fits, render
from riparian.cases.lookups import Known, Question, looked_up_of
from riparian.cases.notice import Kind, Rendered
from riparian.cases.plain import plain
from riparian.cases.rails import Rail, asked_of, rails, second_person
from riparian.cases.statements import Drafted, Wanted, drafted
from riparian.cases.steps import State, Step, after
from riparian.catalogue.consent import Ledger
from riparian.errors import CustodyError, InputError, LifecycleError
from riparian.flows import casework
from riparian.ports.cases import Docket, Signer
from riparian.ports.catalogue import Holdings

REVIEW_SHARE: Final = 0.01
_TEXT_MAX: Final = 64 << 20


@dataclass(frozen=True, slots=True)
class Wish:
    """What letter somebody wants.

    Parameters
    ----------
    form
        By name; the one that the addressee takes when none is named.
    again
        The key of a notice that is redrafted; a new one when empty.
    about
        For a retraction: the notice that is taken back, by key.
    """

    addressee: str
    locations: tuple[str, ...]
    kind: Kind = Kind.TAKEDOWN
    form: str = ""
    again: str = ""
    about: str = ""
    because: str = ""
    signed_by: str = ""


@dataclass(frozen=True, slots=True)
class Reviewed:
    """What the rails say of a notice.

    Parameters
    ----------
    needs
        How many people have to approve it.
    because
        Why more than one; empty when one is enough.
    """

    case: Case
    notice: str
    rails: tuple[Rail, ...]
    needs: int
    because: tuple[str, ...]
    accounts: tuple[Account, ...]

    @property
    def passed(self) -> bool:
        """Whether every rail lets it pass."""
        return all(rail.passed for rail in self.rails)


@dataclass(frozen=True, slots=True)
class Went:
    """What came of sending.

    Parameters
    ----------
    to
        How and where to it went, or would go.
    is_dry
        Whether nothing left, because nobody asked for it in earnest.
    """

    case: Case
    to: str
    is_dry: bool
    rendered: Rendered


def look_up(docket: Docket, holdings: Holdings, key: str, to: str, by: str) -> Case:
    """Ask the catalogue and the ledger of terms about every work of a case, and write down what they say.

    Raises
    ------
    LifecycleError
        When the case has no owner: a chain of title leads to somebody.
    """
    case = casework.read(docket, key)
    checks = list(lookups(case, holdings, to, casework.now(docket.clock), by))
    return casework.record(docket, key, *(Proposed("checked", plain(one), one.at, by) for one in checks))


def lookups(case: Case, holdings: Holdings, to: str, at: datetime, by: str) -> Iterator[Checked]:
    """Give what the catalogue and the ledger of terms say of every work of a case."""
    owner = case.facts.owner
    if owner is None:
        raise LifecycleError(
            f"`{case.key}` has no owner, wanted whose works they are",
            hint="Add it: `riparian case add CASE owner name=...`",
        )
    ledger = Ledger.of(holdings.terms(), as_said=holdings.terms(as_said=True))
    question = Question(owner, at, by, case.facts.addressee(to), case.territories)
    for work in case.facts.works:
        yield from looked_up_of(_known(holdings, work), ledger, question)


def work_of(holdings: Holdings, recording: str) -> Work:
    """Describe a recording as the catalogue does."""
    for entry in holdings.entries(recording):
        row = {name: str(one) for name, one in entry.recording.items()}
        title, artist, isrc, album = (row.get(name, "") for name in ("title", "artist", "isrc", "album"))
        owner = row.get("owner", "") or row.get("label", "")
        return Work(row["recording"], title, artist, owner, isrc, album, row.get("released", ""))
    return Work(recording)


def draft(docket: Docket, key: str, wish: Wish, by: str) -> tuple[Case, str, Drafted]:
    """Draft a letter, put its bytes into custody, and write it down.

    Returns
    -------
    tuple
        The case, the key of the notice, and the draft; the key is empty and nothing was written when something is
        missing that the letter has to have.

    Raises
    ------
    InputError
        When the addressee, a location or a form is not there, or the form cannot say it.
    LifecycleError
        When the notice that is redrafted has left already.
    """
    case = casework.read(docket, key)
    number = wish.again or case.next_notice()
    made = _drafted(case, wish, number, casework.now(docket.clock))
    if not made.is_clear:
        return case, "", made
    rendered = render(made.notice)
    at = casework.now(docket.clock)
    kept = docket.custody.keep(rendered.content, rendered.name, rendered.media_type, at)
    what = {"notice": plain(made.notice), "digest": kept.sha256, "item": kept.item, "form": rendered.form}
    return casework.record(docket, key, Proposed("drafted", what, at, by)), number, made


def draft_all(docket: Docket, key: str, wish: Wish, by: str) -> tuple[Case, Mapping[str, str]]:
    """Draft a letter in every form that can say it.

    Returns
    -------
    tuple
        The case, and form to the key of its notice, or to why it cannot say it.
    """
    case, told = casework.read(docket, key), dict[str, str]()
    for name, form in FORMS.items():
        if wish.kind not in form.kinds:
            continue
        each = replace(wish, form=name)
        made = _drafted(case, each, case.next_notice(), casework.now(docket.clock))
        why = "; ".join(f"{one.element.value}: {one.why}" for one in made.blocks) or fits(made.notice, form)
        if why:
            told[name] = why
            continue
        case, told[name], _ = draft(docket, key, each, by)
    return case, told


def review(docket: Docket, key: str, notice: str, by: str) -> Reviewed:
    """Ask every rail; when all let it pass, the evidence is locked and the notice waits for people.

    Raises
    ------
    LifecycleError
        When there is no such notice, or it has left already.
    """
    reviewed = asked_rails(docket, key, notice)
    state = reviewed.case.notices[notice].state
    steps = {State.DRAFT: (Step.LOCK, Step.REVIEW), State.LOCKED: (Step.REVIEW,), State.REVIEWED: (Step.REVIEW,)}
    if not reviewed.passed or state not in steps:
        return reviewed
    what = {"notice": notice, "rails": [rail.name for rail in reviewed.rails], "needs": reviewed.needs}
    at = casework.now(docket.clock)
    acts = [Proposed(step, what, at, by) for step in steps[state]]
    return replace(reviewed, case=casework.record(docket, key, *acts))


def approve(docket: Docket, key: str, notice: str, signer: Signer) -> Reviewed:
    """Put a person's signature under exactly what a notice says, and to whom.

    Raises
    ------
    LifecycleError
        When a rail does not let it pass, it was not reviewed, or this person has approved it already.
    CustodyError
        When whoever signs is not known, or its bytes are not those that were drafted.
    """
    reviewed = _stopped(asked_rails(docket, key, notice))
    stands = reviewed.case.notices[notice]
    if signer.name in {one.by for one in stands.approvals()}:
        raise LifecycleError(f"`{signer.name}` has approved `{notice}` already, wanted somebody else")
    text_of(docket, reviewed.case, notice)
    what = {**approval(notice, stands.digest, _to(stands)), "needs": reviewed.needs}
    act = casework.act(docket, key, Step.APPROVE, what, signer)
    return replace(reviewed, case=casework.record(docket, key, act))


def send(docket: Docket, key: str, notice: str, by: str, *, really: bool = False) -> Went:
    """Let a notice leave that people approved; unless ``really``, only say what would happen.

    Raises
    ------
    LifecycleError
        When a rail does not let it pass now, or nobody approved it.
    CustodyError
        When a signature does not hold, or its bytes are not those that were approved.
    OutsideError
        When the other side does not take it.
    """
    reviewed = _stopped(asked_rails(docket, key, notice))
    stands = reviewed.case.notices[notice]
    approved = approved_of(docket, reviewed.case, notice)
    if len(approved.by) < reviewed.needs:
        raise LifecycleError(
            f"{len(approved.by)} approved `{notice}` and {reviewed.needs} have to, since {'; '.join(reviewed.because)}",
            hint="Let another person approve it: `riparian case approve`.",
        )
    if not really:
        return Went(reviewed.case, docket.outbox.way(approved.addressee), is_dry=True, rendered=approved.rendered)
    at = casework.now(docket.clock)
    after(stands.state, Step.SEND)
    to = docket.outbox.put(approved, at)
    what = {"notice": notice, "digest": stands.digest, "to": to, "by": list(approved.by)}
    case = casework.record(docket, key, Proposed(Step.SEND, what, at, by))
    return Went(case, to, is_dry=False, rendered=approved.rendered)


def approved_of(docket: Docket, case: Case, notice: str) -> Approved:
    """Check everybody's signature under what a notice says now.

    Raises
    ------
    LifecycleError
        When nobody approved it.
    CustodyError
        When a signature does not hold, or its bytes are not those that were approved.
    """
    stands = case.notices[notice]
    numbers = {one.event for one in stands.approvals()}
    acts = tuple(event for event in docket.cases.read(case.key) if event.number in numbers)
    if not acts:
        raise LifecycleError(
            f"nobody approved what `{notice}` says, wanted a person's signature", hint="See `riparian case approve`."
        )
    rendered = text_of(docket, case, notice)
    signed_by = stands.notice.signed_by
    return Approved(case.key, notice, _to(stands), rendered, signed_by, acts, casework.people_events(docket.cases))


def to_review(
    docket: Docket, choose: Callable[[str, str], float], share: float = REVIEW_SHARE
) -> list[tuple[str, str]]:
    """Choose some of what was sent, by lot, for somebody to look at again.

    Parameters
    ----------
    choose
        Gives a number from 0 to 1 for a case and a notice, always the same.
    """
    return [(one.case, one.notice) for one in sent(docket) if choose(one.case, one.notice) < share]


def sent(docket: Docket) -> tuple[Past, ...]:
    """List what was sent in all cases."""
    return sent_in(casework.every(docket))


def told_in_public(docket: Docket) -> dict[str, Any]:
    """Count what was sent and what came of it, for a report that names nobody but recipients."""
    cases = casework.every(docket)
    past = sent_in(cases)
    by_state = {str(state): sum(one.state is state for one in past) for state in State}
    signals = [one.action for case in cases for one in case.signals]
    people: dict[str, int] = {}
    for case in cases:
        for noted in case.notices.values():
            for one in noted.approvals():
                people[one.by] = people.get(one.by, 0) + 1
    accounts = accounts_of(past).values()
    return {
        "cases": len(cases),
        "sent": len(past),
        "states": {name: n for name, n in by_state.items() if n},
        "recipients": {
            name: sum(one.addressee == name for one in past) for name in sorted({p.addressee for p in past})
        },
        "mistakes": sum(one.mistaken is True for one in past),
        "decided": sum(one.mistaken is not None for one in past),
        "approved_by": sorted(people.values(), reverse=True),
        "upper": {one.name: one.upper for one in accounts if one.name.startswith("rule:")},
        "signals": {name: signals.count(name) for name in sorted(set(signals))},
    }


def _drafted(case: Case, wish: Wish, number: str, at: datetime) -> Drafted:
    to: Addressee | str = wish.addressee
    known = case.facts.addressee(wish.addressee)
    if wish.form and known is not None:
        if wish.form not in FORMS:
            raise InputError(f"`{wish.form[:40]}` is no form, wanted one of {', '.join(FORMS)}")
        to = asked_by(FORMS[wish.form], known)
    about = case.notices[wish.about].notice if wish.about in case.notices else None
    wanted = Wanted(
        wish.kind,
        to,
        wish.locations or _all_of(case, wish),
        at,
        case=case.key,
        key=number,
        signed_by=wish.signed_by,
        about=about,
        because=wish.because,
    )
    return drafted(case.facts, wanted)


def _all_of(case: Case, wish: Wish) -> tuple[str, ...]:
    """Name the locations of an addressee that are there; all that were, for a retraction."""
    if wish.about in case.notices:
        return tuple(one.key for one in case.notices[wish.about].notice.locations)
    theirs = [one for one in case.facts.locations if one.addressee in ("", wish.addressee)]
    return tuple(one.key for one in theirs if one.live is not False)


def asked_rails(docket: Docket, key: str, notice: str) -> Reviewed:
    """Ask every rail, and write nothing down.

    Raises
    ------
    LifecycleError
        When there is no such notice.
    """
    case = casework.read(docket, key)
    _need(case, notice)
    cases = casework.every(docket)
    asked = asked_of(case, notice, casework.now(docket.clock), cases, sent_in(cases))
    because = second_person(asked)
    return Reviewed(case, notice, rails(asked), 2 if because else 1, because, asked.accounts)


def _need(case: Case, notice: str) -> None:
    if notice not in case.notices:
        raise LifecycleError(
            f"`{case.key}` has no notice `{notice[:20]}`, wanted one of {', '.join(case.notices) or 'none yet'}",
            hint="Draft one with `riparian case draft`.",
        )


def _stopped(reviewed: Reviewed) -> Reviewed:
    failed = [rail for rail in reviewed.rails if not rail.passed]
    if failed:
        raise LifecycleError(
            f"`{reviewed.notice}` is stopped by {', '.join(rail.name for rail in failed)}: {failed[0].why}, wanted none"
            " that stops it",
            hint=failed[0].needs or "See `riparian case review`.",
        )
    return reviewed


def text_of(docket: Docket, case: Case, key: str) -> Rendered:
    """Give the bytes that were drafted, and nothing else.

    Raises
    ------
    LifecycleError
        When there is no such notice.
    CustodyError
        When somebody has changed them.
    """
    _need(case, key)
    noted, form = case.notices[key], FORMS[case.notices[key].notice.form]
    with docket.custody.opened(noted.item) as file:
        content = file.read(_TEXT_MAX + 1)
    if hashlib.sha256(content).hexdigest() != noted.digest:
        raise CustodyError(
            f"what `{key}` of `{case.key}` says was changed in custody, wanted the SHA-256 `{noted.digest[:16]}...`",
            hint="Stop, and look: `riparian case verify` tells what else was changed.",
        )
    return Rendered(form.name, form.media_type, f"{case.key}-{key}.{form.name}.{form.suffix}", content)


def _to(noted: Noted) -> Addressee:
    to = noted.notice.addressee
    if to is None:
        raise LifecycleError("the notice is to nobody, wanted an addressee")
    return to


def _known(holdings: Holdings, work: Work) -> Known:
    for entry in holdings.entries(work.recording):
        row = entry.recording
        released = row.get("released")
        return Known(
            work.recording,
            str(row.get("owner") or ""),
            str(row.get("label") or ""),
            released if isinstance(released, date) else None,
        )
    return Known(work.recording)
