"""What keeps a notice from leaving, and who has to agree before it does?

Each rail is a function of what is known: the case, the notice, what was sent before, and the time.  It passes or says
why not and what to do.  None of them sends anything, and no machine takes one away: what can be lifted is lifted by a
person who writes down why, with their signature.

Source
------
17 U.S.C. 512(c)(3), (f); Lenz v. Universal Music, 815 F.3d 1145 (9th Cir. 2016) on considering fair use; Regulation
(EU) 2022/2065, Article 23 on those who notify without ground.  Limits are ours (:class:`Limits`).
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from types import MappingProxyType
from typing import Final

from rapidfuzz import fuzz

from riparian.cases.budget import Account, Past, accounts_of, apart
from riparian.cases.case import Case, Noted
from riparian.cases.facts import Check, Considered, Finding, How
from riparian.cases.forms import FORMS, fits
from riparian.cases.notice import Element, Kind, Notice
from riparian.cases.proving import Block, looked_up, noted
from riparian.cases.statements import Wanted, drafted
from riparian.cases.steps import State

CARE: Final = frozenset({"short", "remix", "cover", "live", "parody", "commentary"})
"""Uses that may be lawful, or may not be our recording: a person says of each why a notice is right."""
KINDS_OF_HOST: Final = frozenset({"news", "library", "education", "government", "archive"})
_ENDED: Final = frozenset({State.RETRACTED, State.CLOSED, State.REJECTED, State.RESTORED})


@dataclass(frozen=True, slots=True)
class Limits:
    """Where rails stand.

    Parameters
    ----------
    fresh
        How old the last look at a location may be.
    error
        Above this chance of being wrong, a second person looks; at 1 nothing is stated, and nothing leaves.
    bulk
        More locations than this are bulk: a second person looks, and the record has to allow it.
    daily, slow_daily
        How many notices one recipient gets a day, from a sender in good standing and from others.
    flood_times, flood_least
        A source that finds this many times what it finds on other days, and at least so much, is looked at first.
    short_s, short_share
        What is shorter, and a smaller part of the recording, is a short clip.
    note_least, note_alike
        How long a note on fair use is at the least, in letters, and how like an earlier one, 0 to 100.
    """

    fresh: timedelta = timedelta(hours=72)
    error: float = 0.05
    bulk: int = 50
    daily: int = 200
    slow_daily: int = 10
    flood_times: float = 5.0
    flood_least: int = 50
    short_s: float = 30.0
    short_share: float = 0.25
    note_least: int = 40
    note_alike: float = 90.0


@dataclass(frozen=True, slots=True)
class Rail:
    """What one rail says of a notice.

    Parameters
    ----------
    why
        What is not as it should be, as sentences without their last stop; empty when it passes.
    needs
        What to do about it, as an imperative sentence.
    """

    name: str
    why: str = ""
    needs: str = ""

    @property
    def passed(self) -> bool:
        """Whether it lets the notice pass."""
        return not self.why


@dataclass(frozen=True, slots=True)
class Asked:
    """A notice that is about to leave, and all that a rail may look at.

    Parameters
    ----------
    past
        What was sent before, in all cases.
    notes
        What was thought of fair use in other cases.
    found
        When which source came upon something, in all cases.
    """

    case: Case
    noted: Noted
    now: datetime
    past: tuple[Past, ...] = ()
    notes: tuple[str, ...] = ()
    found: Mapping[str, tuple[datetime, ...]] = field(default_factory=dict)
    limits: Limits = field(default_factory=Limits)

    @property
    def notice(self) -> Notice:
        """What it says."""
        return self.noted.notice

    @property
    def accounts(self) -> tuple[Account, ...]:
        """What is known of its sender, its sources and its rules."""
        known = accounts_of(self.past)
        return tuple(known.get(name, Account(name, 0, 0)) for name in apart(self.noted))

    @property
    def findings(self) -> tuple[Finding, ...]:
        """What the case knows now of the places that it names."""
        places = {place.key for place in self.notice.locations}
        return tuple(one for one in self.case.facts.findings if one.location in places)


def asked_of(case: Case, key: str, now: datetime, cases: Iterable[Case], past: tuple[Past, ...]) -> Asked:
    """Put together what the rails look at.

    Parameters
    ----------
    cases
        All there are.
    """
    others = [one for one in cases if one.key != case.key]
    notes = tuple(one.note for other in others for one in other.facts.considered)
    found: dict[str, list[datetime]] = {}
    for one in (*others, case):
        for finding in one.facts.findings:
            if finding.at is not None:
                found.setdefault(finding.source, []).append(finding.at)
    days = {source: tuple(sorted(times)) for source, times in found.items()}
    return Asked(case, case.notices[key], now, past, notes, days)


def rails(asked: Asked) -> tuple[Rail, ...]:
    """Ask every rail.

    Returns
    -------
    tuple of Rail
        One each, in the order of :data:`RAILS`; a letter other than a takedown notice is asked fewer.
    """
    is_takedown = asked.notice.kind is Kind.TAKEDOWN
    chosen = RAILS if is_takedown else {name: RAILS[name] for name in _ANY_LETTER}
    return tuple(_rail(name, ask(asked)) for name, ask in chosen.items())


def second_person(asked: Asked) -> tuple[str, ...]:
    """Say why a second person has to approve it; empty when one is enough."""
    return tuple(_reasons(asked)) if asked.notice.kind is Kind.TAKEDOWN else ()


def _reasons(asked: Asked) -> Iterator[str]:
    notice, limits = asked.notice, asked.limits
    to = notice.addressee
    if to is not None and not any(one.addressee == to.key for one in asked.past):
        yield f"`{to.key}` was never written to before"
    if len(notice.locations) > limits.bulk:
        yield f"it names {len(notice.locations)} locations, more than {limits.bulk}"
    if any(one.error > limits.error for one in asked.findings if one.how is How.SOUND):
        yield f"a finding has a chance of more than {limits.error:.0%} of being wrong"
    if to is not None and (kinds := sorted(KINDS_OF_HOST & set(to.kinds))):
        yield f"the recipient is of the kind {', '.join(kinds)}"
    if flags := sorted({flag for one in asked.findings for flag in flags_of(one, limits)}):
        yield f"something there is {', '.join(flags)}"
    if spent := [one.name for one in asked.accounts if one.is_spent]:
        yield f"mistakes were made before: {', '.join(spent)}"


def flags_of(finding: Finding, limits: Limits) -> tuple[str, ...]:
    """Tell what makes care due: what was written down, and whether it is a short clip."""
    is_short = 0 < finding.seconds < limits.short_s and finding.coverage < limits.short_share
    return tuple(sorted({*finding.flags, *(("short",) if is_short else ())} & CARE))


_Said = Iterator[tuple[str, str]]


def _seal(asked: Asked) -> _Said:
    if asked.case.sealed:
        yield "the case is under seal", "Wait until counsel releases it."


def _elements(asked: Asked) -> _Said:
    notice = asked.notice
    if notice.kind is not Kind.TAKEDOWN or notice.addressee is None:
        return
    keys = tuple(place.key for place in notice.locations)
    wanted = Wanted(notice.kind, notice.addressee, keys, asked.now, signed_by=notice.signed_by, sender=notice.sender)
    again = drafted(asked.case.facts, wanted)
    for block in again.blocks:
        yield f"{block.element.value}: {block.why}", block.needs


def _form(asked: Asked) -> _Said:
    notice = asked.notice
    form = FORMS.get(notice.form)
    why = fits(notice, form) if form is not None else "there is no such form"
    if why:
        yield f"`{notice.form}` cannot say it: {why}", "Draft it in another form."


def _fresh(asked: Asked) -> _Said:
    for place in asked.notice.locations:
        stands = asked.case.facts.location(place.key)
        if stands is None or stands.live is not True:
            how = "gone" if stands is not None and stands.live is False else "not known to be there"
            yield f"{place.key} is {how}", "Look whether it is there, or leave the location out."
        elif stands.seen is None or asked.now - stands.seen > asked.limits.fresh:
            hours = asked.limits.fresh.total_seconds() / 3600
            yield f"nobody has looked at {place.key} in the last {hours:.0f} hours", "Look again."


def _sound(asked: Asked) -> _Said:
    for place in asked.notice.locations:
        here = [one for one in asked.findings if one.location == place.key]
        compared = [one for one in here if one.how in (How.SOUND, How.HASH)]
        if not compared:
            how = ", ".join(sorted({str(one.how) for one in here})) or "nothing"
            yield f"the sound at {place.key} was not compared (what is known is of: {how})", "Match the file itself."
        elif all(one.how is How.SOUND and one.error >= 1 for one in compared):
            yield f"no chance of being wrong is stated for {place.key}", "Match the file with `riparian match`."


def _checked(check: Check) -> Callable[[Asked], _Said]:
    def ask(asked: Asked) -> _Said:
        for one in looked_up(asked.case.facts, asked.notice, check, Element.GOOD_FAITH):
            if isinstance(one, Block):
                yield one.why, one.needs

    return ask


def _fair_use(asked: Asked) -> _Said:
    limits = asked.limits
    about, left = noted(asked.case.facts, asked.notice)
    if left:
        keys = ", ".join(place.key for place in left[:5])
        yield f"nobody has considered whether the use at {keys} is lawful", "Do so with `riparian case consider`."
    for one in about:
        if len(one.note.strip()) < limits.note_least:
            yield f"the note of `{one.by}` says next to nothing", "Say what the use is, and why it is not fair."
        elif any(fuzz.ratio(one.note, other) >= limits.note_alike for other in asked.notes):
            yield f"the note of `{one.by}` was written for another case", "Look at this one, and say what is there."
    yield from _careful(asked, about)


def _careful(asked: Asked, about: Sequence[Considered]) -> _Said:
    """Ask for a note on the very place where something needs care."""
    of_place = {key for one in about for key in one.locations if len(one.locations) == 1}
    for place in asked.notice.locations:
        here = [one for one in asked.findings if one.location == place.key]
        flags = sorted({flag for one in here for flag in flags_of(one, asked.limits)})
        if flags and place.key not in of_place:
            yield f"what is at {place.key} is {', '.join(flags)}, and no note is on it alone", "Write one on it alone."


def _duplicate(asked: Asked) -> _Said:
    to = asked.notice.addressee
    urls = {place.key: place.url for place in asked.notice.locations}
    ours = {(urls[place], recording) for place, some in asked.notice.pairs.items() for recording in some}
    for one in asked.past:
        shared = ours & one.pairs
        is_itself = (one.case, one.notice) == (asked.case.key, asked.notice.key)
        if shared and not is_itself and to is not None and one.addressee == to.key and one.state not in _ENDED:
            yield (
                f"`{one.addressee}` was told of {min(shared)[0]} in {one.notice} of {one.case}",
                "Wait for the answer, or write down what came of it.",
            )


def _bulk(asked: Asked) -> _Said:
    if len(asked.notice.locations) <= asked.limits.bulk:
        return
    for one in asked.accounts:
        if not one.bulk:
            record = f"{one.mistakes} of {one.decided} decided were mistakes, which leaves up to {one.upper:.1%}"
            yield f"{one.name} may not send in bulk: {record}", f"Name at most {asked.limits.bulk} locations."


def _rate(asked: Asked) -> _Said:
    to, since = asked.notice.addressee, asked.now - timedelta(days=1)
    today = sum(1 for one in asked.past if to is not None and one.addressee == to.key and one.at > since)
    slow = [one for one in asked.accounts if one.name.startswith("sender:") and one.is_slow]
    most = asked.limits.slow_daily if slow else asked.limits.daily
    if today >= most:
        because = f" ({slow[0].name}: at most {slow[0].upper:.1%} mistakes is all that is known)" if slow else ""
        yield f"{today} notices went to `{to.key if to else ''}` in a day, {most} is the most{because}", "Wait."


def _flood(asked: Asked) -> _Said:
    limits, day = asked.limits, timedelta(days=1)
    for source in sorted({one.source for one in asked.findings if one.source}):
        times = asked.found.get(source, ())
        today = sum(1 for at in times if asked.now - day < at <= asked.now)
        month = [at for at in times if asked.now - 31 * day < at <= asked.now - day]
        usual = len(month) / max(1, len({at.date() for at in month}))
        if today < limits.flood_least or today <= limits.flood_times * usual or _is_sampled(asked, source):
            continue
        how = f"`riparian case add CASE check check=sample recording={source}`"
        yield f"`{source}` found {today} today, and {usual:.0f} on other days", f"Look at a sample, and say so: {how}."


def _is_sampled(asked: Asked, source: str) -> bool:
    day = timedelta(days=1)
    sampled = [one for one in asked.case.facts.checks if one.check is Check.SAMPLE and one.recording == source]
    return any(one.clear is True and asked.now - day < one.at for one in sampled)


RAILS: Final[Mapping[str, Callable[[Asked], _Said]]] = MappingProxyType(
    {
        "seal": _seal,
        "sound": _sound,
        "fresh": _fresh,
        "licence": _checked(Check.LICENCE),
        "chain of title": _checked(Check.CHAIN_OF_TITLE),
        "public domain": _checked(Check.PUBLIC_DOMAIN),
        "open licence": _checked(Check.OPEN_LICENCE),
        "fair use": _fair_use,
        "elements": _elements,
        "form": _form,
        "duplicate": _duplicate,
        "bulk": _bulk,
        "rate": _rate,
        "flood": _flood,
    }
)
"""Every rail, in the order in which it is told."""
_ANY_LETTER: Final = ("seal", "form")


def _rail(name: str, said: Iterable[tuple[str, str]]) -> Rail:
    every = list(dict.fromkeys(said))
    more = f" (and {len(every) - 3} more)" if len(every) > 3 else ""
    return Rail(name, "; ".join(why for why, _ in every[:3]) + more, every[0][1] if every else "")
