"""What stands in a case, after everything that happened in it?

A fold: the events one after the other, and nothing else.  What contradicts what stands is refused, and changes nothing:
the same function reads what was written and judges what is about to be.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from types import MappingProxyType
from typing import Any, Final

from riparian.cases.events import PERSONAL, Event, Proposed
from riparian.cases.facts import (
    Addressee,
    Checked,
    Considered,
    Facts,
    Finding,
    Kept,
    Location,
    Party,
    Work,
)
from riparian.cases.notice import Notice
from riparian.cases.plain import made, when
from riparian.cases.steps import OUTWARD, State, Step, after
from riparian.errors import InputError, LifecycleError


@dataclass(frozen=True, slots=True)
class Taken:
    """One step that a notice took.

    Parameters
    ----------
    what
        What came with it: when a letter was received, why, what the other side calls it.
    """

    step: Step
    at: datetime
    by: str
    what: Mapping[str, Any] = field(repr=False)
    event: int = -1


@dataclass(frozen=True, slots=True)
class Noted:
    """A notice, and where it stands.

    Parameters
    ----------
    digest
        SHA-256 of its rendered bytes, in hexadecimal: what a person signs, and what leaves.
    item
        Where in custody these bytes are.
    """

    notice: Notice
    state: State
    digest: str
    item: str = ""
    taken: tuple[Taken, ...] = ()
    event: int = -1

    def last(self, *steps: Step) -> Taken | None:
        """Find the last of some steps that it took; None when it took none of them."""
        return next((one for one in reversed(self.taken) if one.step in steps), None)

    def approvals(self) -> tuple[Taken, ...]:
        """Give the approvals of what it says now: those since it was last drafted."""
        since = [one for one in self.taken if one.event > self.event]
        return tuple(one for one in since if one.step is Step.APPROVE)


@dataclass(frozen=True, slots=True)
class Signalled:
    """That peers were told of something in this case, or told us: ``shared``, ``disputed``, ``revoked``, ``heard``.

    What a peer takes back that told us takes with it the findings that rest on it.
    """

    signal: str
    action: str
    at: datetime
    event: int


@dataclass(frozen=True, slots=True)
class Case:
    """A case as it stands.

    Parameters
    ----------
    notices
        By key, as in ``N1``.
    sealed
        Whether nothing may leave until counsel releases it.
    joined
        Other cases that a person said to be the same matter, and why.
    length
        How many events made it.
    """

    key: str
    title: str
    opened: datetime
    territories: tuple[str, ...] = ()
    facts: Facts = field(default_factory=Facts)
    notices: Mapping[str, Noted] = field(default_factory=lambda: MappingProxyType({}))
    sealed: bool = False
    joined: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    signals: tuple[Signalled, ...] = ()
    notes: tuple[tuple[datetime, str, str], ...] = ()
    length: int = 1

    @property
    def is_open(self) -> bool:
        """Whether a location is there, or a notice has not come to its end."""
        ended = (State.CLOSED, State.WITHDRAWN)
        unfinished = any(one.state not in ended for one in self.notices.values())
        return unfinished or any(one.live is not False for one in self.facts.locations)

    def next_location(self) -> str:
        """Give the key of the next location."""
        return f"L{len(self.facts.locations) + 1}"

    def next_notice(self) -> str:
        """Give the key of the next notice."""
        return f"N{len(self.notices) + 1}"


def begun(key: str, event: Event | Proposed) -> Case:
    """Begin a case with its first event.

    Raises
    ------
    LifecycleError
        When that is not the one which opens it.

    Examples
    --------
    >>> from datetime import UTC
    >>> at = datetime(2026, 11, 23, tzinfo=UTC)
    >>> case = begun("C1", Proposed("opened", {"title": "A mirror"}, at, "ann"))
    >>> case = applied(case, Proposed("work", {"recording": "r1"}, at, "ann"))
    >>> case.length, case.facts.works[0].recording
    (2, 'r1')
    """
    if event.kind != "opened":
        raise LifecycleError(f"`{key}` begins with `{event.kind}`, wanted `opened`")
    what = event.what
    return Case(key, str(what.get("title", "")), event.at, tuple(map(str, what.get("territories", ()))))


def applied(case: Case, event: Event | Proposed) -> Case:
    """Give the case after one more event.

    Raises
    ------
    LifecycleError
        When what stands forbids it.
    InputError
        When what it says is not what its kind says.
    """
    if event.kind in PERSONAL and not event.what.get("signed"):
        raise LifecycleError(
            f"`{event.kind}` of `{case.key}` has no signature, wanted a person's own",
            hint="A person does this with their key: see `riparian case person --help`.",
        )
    what = {name: one for name, one in event.what.items() if name != "signed"}
    fold = _step if event.kind in _STEPS else _FOLDS.get(event.kind)
    if fold is None:
        raise LifecycleError(f"`{event.kind}` stands where `{case.key}` is open, wanted what happens in a case")
    return replace(fold(case, replace(event, what=what)), length=case.length + 1)


def folded(key: str, events: Iterable[Event | Proposed], case: Case | None = None) -> Case:
    """Give the case that events make, or that they make of one.

    Raises
    ------
    InputError
        When there is none.
    """
    for event in events:
        case = begun(key, event) if case is None else applied(case, event)
    if case is None:
        raise InputError(f"`{key}` has no events, wanted a case", hint="See `riparian case list`.")
    return case


_Act = Event | Proposed
_STEPS: Final = frozenset(map(str, Step))


def _number(case: Case) -> int:
    return case.length


def _party(case: Case, event: _Act) -> Case:
    role, party = str(event.what.get("role", "")), made(Party, event.what.get("party"))
    if role not in ("owner", "complainant"):
        raise InputError(f"the party is `{role[:40]}`, wanted owner or complainant")
    known = replace(case.facts, owner=party) if role == "owner" else replace(case.facts, complainant=party)
    return replace(case, facts=known)


def _authority(case: Case, event: _Act) -> Case:
    return replace(case, facts=replace(case.facts, authority=str(event.what.get("document", ""))))


def _work(case: Case, event: _Act) -> Case:
    work = replace(made(Work, event.what), event=_number(case))
    others = tuple(one for one in case.facts.works if one.recording != work.recording)
    return replace(case, facts=replace(case.facts, works=(*others, work)))


def _addressee(case: Case, event: _Act) -> Case:
    addressee = made(Addressee, event.what)
    others = tuple(one for one in case.facts.addressees if one.key != addressee.key)
    return replace(case, facts=replace(case.facts, addressees=(*others, addressee)))


def _location(case: Case, event: _Act) -> Case:
    location = replace(made(Location, event.what), event=_number(case))
    if case.facts.location(location.key) is not None:
        raise LifecycleError(f"`{location.key}` of `{case.key}` is there already, wanted {case.next_location()}")
    return replace(case, facts=replace(case.facts, locations=(*case.facts.locations, location)))


def _looked(case: Case, event: _Act) -> Case:
    stands = _located(case, event.what.get("location"))
    live = event.what.get("live")
    if live is not None and not isinstance(live, bool):
        raise InputError(f"`live` is `{str(live)[:40]}`, wanted true, false or nothing")
    at = when(event.what["at"]) if "at" in event.what else event.at
    if stands.seen is not None and at < stands.seen:
        return case
    seen = replace(stands, seen=at, live=live)
    if live is False and stands.gone is None:
        seen = replace(seen, gone=at)
    if live is True and stands.gone is not None and stands.back is None:
        seen = replace(seen, back=at)
    every = tuple(seen if one.key == seen.key else one for one in case.facts.locations)
    return replace(case, facts=replace(case.facts, locations=every))


def _kept(case: Case, event: _Act) -> Case:
    kept = replace(made(Kept, event.what), event=_number(case))
    return replace(case, facts=replace(case.facts, kept=(*case.facts.kept, kept)))


def _found(case: Case, event: _Act) -> Case:
    finding = replace(made(Finding, event.what), event=_number(case))
    _located(case, finding.location)
    if case.facts.work(finding.recording) is None:
        raise LifecycleError(f"`{finding.recording}` is no work of `{case.key}`, wanted one that was added before")
    return replace(case, facts=replace(case.facts, findings=(*case.facts.findings, finding)))


def _issued(case: Case, event: _Act) -> Case:
    return replace(case, facts=replace(case.facts, issued=(*case.facts.issued, str(event.what.get("text", "")))))


def _checked(case: Case, event: _Act) -> Case:
    checked = replace(made(Checked, event.what), event=_number(case))
    return replace(case, facts=replace(case.facts, checks=(*case.facts.checks, checked)))


def _considered(case: Case, event: _Act) -> Case:
    keys = tuple(map(str, event.what.get("locations", ())))
    for key in keys:
        _located(case, key)
    considered = Considered(event.by, event.at, str(event.what.get("note", "")), keys, _number(case))
    return replace(case, facts=replace(case.facts, considered=(*case.facts.considered, considered)))


def _drafted(case: Case, event: _Act) -> Case:
    notice = made(Notice, event.what.get("notice"))
    digest, item = str(event.what.get("digest", "")), str(event.what.get("item", ""))
    if len(digest) != 64 or not notice.key:
        raise InputError(f"the notice `{notice.key}` has the digest `{digest[:70]}`, wanted a key and a SHA-256")
    stands = case.notices.get(notice.key)
    if stands is None:
        noted = Noted(notice, State.DRAFT, digest, item, (), _number(case))
    else:
        state = after(stands.state, Step.REDRAFT)
        again = Taken(Step.REDRAFT, event.at, event.by, {}, _number(case))
        noted = Noted(notice, state, digest, item, (*stands.taken, again), _number(case))
    return replace(case, notices=MappingProxyType({**case.notices, notice.key: noted}))


def _step(case: Case, event: _Act) -> Case:
    key, step = str(event.what.get("notice", "")), Step(event.kind)
    stands = case.notices.get(key)
    if stands is None:
        raise LifecycleError(
            f"`{case.key}` has no notice `{key[:20]}`, wanted one of {', '.join(case.notices) or 'none yet'}",
            hint="Draft one with `riparian case draft`.",
        )
    if step is Step.REDRAFT:
        raise LifecycleError(f"`{key}` was redrafted without saying how, wanted what it says now")
    if case.sealed and step in OUTWARD:
        raise LifecycleError(f"`{case.key}` is under seal, wanted its release", hint=_RELEASE)
    state = after(stands.state, step)
    if step in (Step.APPROVE, Step.SEND) and event.what.get("digest") != stands.digest:
        raise LifecycleError(
            f"`{step}` is of a text with another digest than `{key}` has, wanted `{stands.digest[:16]}` and so on",
            hint="Somebody has redrafted it: read what it says now.",
        )
    if step is Step.SEND and not stands.approvals():
        raise LifecycleError(f"`{key}` says what nobody has approved, wanted a person's signature")
    taken = Taken(step, event.at, event.by, MappingProxyType(dict(event.what)), _number(case))
    noted = replace(stands, state=state, taken=(*stands.taken, taken))
    return replace(case, notices=MappingProxyType({**case.notices, key: noted}))


def _sealed(case: Case, event: _Act) -> Case:
    return replace(case, sealed=True, notes=(*case.notes, (event.at, event.by, _why(event, "sealed"))))


def _released(case: Case, event: _Act) -> Case:
    if not case.sealed:
        raise LifecycleError(f"`{case.key}` is not under seal, wanted one that is")
    return replace(case, sealed=False, notes=(*case.notes, (event.at, event.by, _why(event, "released"))))


def _joined(case: Case, event: _Act) -> Case:
    other = str(event.what.get("case", ""))
    if not other or other == case.key:
        raise LifecycleError(f"`{case.key}` is joined with `{other[:20]}`, wanted another case")
    joined = MappingProxyType({**case.joined, other: str(event.what.get("because", ""))})
    return replace(case, joined=joined)


def _signalled(case: Case, event: _Act) -> Case:
    signal, action = str(event.what.get("signal", "")), str(event.what.get("action", ""))
    if action not in ("shared", "disputed", "revoked", "heard"):
        raise InputError(f"the signal was `{action[:40]}`, wanted shared, disputed, revoked or heard")
    if case.sealed and action == "shared":
        raise LifecycleError(f"`{case.key}` is under seal, wanted its release", hint=_RELEASE)
    told = Signalled(signal, action, event.at, _number(case))
    facts, source = case.facts, str(event.what.get("source", ""))
    if action == "revoked" and source:
        places = frozenset(map(str, event.what.get("locations", ())))
        rested = [one for one in facts.findings if one.source == source and one.location in places]
        facts = replace(facts, findings=tuple(one for one in facts.findings if one not in rested))
    return replace(case, facts=facts, signals=(*case.signals, told))


def _noted(case: Case, event: _Act) -> Case:
    return replace(case, notes=(*case.notes, (event.at, event.by, str(event.what.get("text", "")))))


def _exported(case: Case, event: _Act) -> Case:
    manifest = str(event.what.get("manifest", ""))
    if len(manifest) != 64:
        raise InputError(f"an export has the manifest `{manifest[:70]}`, wanted its SHA-256")
    return case


def _located(case: Case, key: object) -> Location:
    location = case.facts.location(str(key))
    if location is None:
        keys = ", ".join(one.key for one in case.facts.locations)
        raise LifecycleError(f"`{case.key}` has no location `{str(key)[:20]}`, wanted one of {keys or 'none yet'}")
    return location


def _why(event: _Act, what: str) -> str:
    because = str(event.what.get("because", ""))
    return f"{what}: {because}" if because else what


_RELEASE: Final = "Counsel releases it with `riparian case release`."

_FOLDS: Final[Mapping[str, Callable[[Case, _Act], Case]]] = MappingProxyType(
    {
        "party": _party,
        "authority": _authority,
        "work": _work,
        "addressee": _addressee,
        "location": _location,
        "looked": _looked,
        "kept": _kept,
        "found": _found,
        "issued": _issued,
        "checked": _checked,
        "considered": _considered,
        "drafted": _drafted,
        "sealed": _sealed,
        "released": _released,
        "joined": _joined,
        "signalled": _signalled,
        "noted": _noted,
        "exported": _exported,
    }
)
