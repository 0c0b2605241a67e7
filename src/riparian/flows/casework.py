"""How does something get into a case?

It is judged by what stands, and written behind it; when somebody else has written meanwhile, it is judged again.  What
only a person may do is written when their signature holds, and not otherwise.
"""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, Final

from riparian.cases.case import Case, applied, begun, folded
from riparian.cases.events import PEOPLE, PERSONAL, Event, Person, Proposed, acted, by_whom, people_of
from riparian.errors import LifecycleError
from riparian.ports.cases import Cases, Docket, Signer
from riparian.ports.world import Clock

_ATTEMPTS: Final = 1000
_KEPT_MAX: Final = 50_000
_FOLDED: Final[dict[tuple[str, str], Case]] = {}
"""Cases that were folded, by the signature under their last event and that under the last one about people."""


def now(clock: Clock) -> datetime:
    """Tell the time, as events have it."""
    return datetime.fromtimestamp(clock.now_us() / 1e6, UTC)


def open_case(docket: Docket, proposed: Sequence[Proposed]) -> Case:
    """Begin a case.

    Raises
    ------
    LifecycleError
        When what is written first does not open it, or something contradicts what stands.
    """
    case = begun("", proposed[0])
    for one in proposed[1:]:
        case = _judged(case, one, {})  # who signs, signs for a case that has its key
    return read(docket, docket.cases.open(proposed))


def read(docket: Docket, key: str) -> Case:
    """Give a case as it stands.

    Raises
    ------
    InputError
        When there is none.
    CustodyError
        When somebody has changed it, or what only a person does is not signed by one who may.
    """
    events = docket.cases.read(key)
    about = docket.cases.read(PEOPLE)
    # Each event is signed over the one before it: the last signature says which case it is, and how it stands.
    stands = events[-1].signature, about[-1].signature if about else ""
    case = _FOLDED.get(stands)
    if case is None:
        case = _folded(key, events, about)
        if len(_FOLDED) >= _KEPT_MAX:
            _FOLDED.clear()
        _FOLDED[stands] = case
    return case


def _folded(key: str, events: Sequence[Event], about: Sequence[Event]) -> Case:
    if any(event.kind in PERSONAL for event in events):
        people = people_of(about)
        for event in events:
            if event.kind in PERSONAL:
                by_whom(key, event, people)
    return folded(key, events)


def every(docket: Docket) -> tuple[Case, ...]:
    """Give all cases as they stand."""
    return tuple(read(docket, key) for key in docket.cases.keys())  # noqa: SIM118 -- a port, and no mapping


def record(docket: Docket, key: str, *proposed: Proposed) -> Case:
    """Write what happened in a case: all of it, or nothing.

    Raises
    ------
    LifecycleError
        When what stands forbids it.
    CustodyError
        When a person's signature under it does not hold.
    InputError
        When there is no such case, or it says what its kind does not.
    """
    people = docket.cases.people() if any(one.kind in PERSONAL for one in proposed) else {}
    for _ in range(_ATTEMPTS):
        stands = read(docket, key)
        case = stands
        for one in proposed:
            case = _judged(case, one, people)
        if docket.cases.append(key, proposed, length=stands.length):
            return case
    raise LifecycleError(
        f"`{key}` was written to by others {_ATTEMPTS} times meanwhile, wanted a moment between", hint="Try again."
    )


def act(docket: Docket, key: str, kind: str, what: Mapping[str, Any], signer: Signer) -> Proposed:
    """Put together what a person does in a case, with their signature."""
    return acted(key, Proposed(kind, what, now(docket.clock), signer.name), signer.hand)


def add_person(cases: Cases, clock: Clock, signer: Signer, name: str, key: str) -> Mapping[str, Person]:
    """Add somebody who may sign from now on; the first one adds themselves.

    Raises
    ------
    CustodyError
        When whoever vouches is not known, or the name or the key is there already.
    """
    return _people(cases, clock, signer, {"name": name, "key": key})


def retire_person(cases: Cases, clock: Clock, signer: Signer, name: str) -> Mapping[str, Person]:
    """Let what somebody signs from now on count no more.

    Raises
    ------
    CustodyError
        When whoever says so is not known, or nobody has that name.
    """
    return _people(cases, clock, signer, {"name": name, "retired": True})


def people_events(cases: Cases) -> tuple[Event, ...]:
    """Give the log of who may sign."""
    return cases.read(PEOPLE)


def _people(cases: Cases, clock: Clock, signer: Signer, what: Mapping[str, Any]) -> Mapping[str, Person]:
    for _ in range(_ATTEMPTS):
        stands = cases.read(PEOPLE)
        proposed = acted(PEOPLE, Proposed("person", what, now(clock), signer.name), signer.hand)
        people = people_of([*stands, proposed])
        if cases.append(PEOPLE, [proposed], length=len(stands)):
            return people
    raise LifecycleError("the log of people was written to by others meanwhile, wanted a moment", hint="Try again.")


def _judged(case: Case, proposed: Proposed, people: Mapping[str, Person]) -> Case:
    if proposed.kind in PERSONAL:
        by_whom(case.key, proposed, people)
    return applied(case, proposed)
