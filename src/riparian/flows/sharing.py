"""What do we tell peers of a case, and what do we take back when it was wrong?

::

    case --share--> our shelf --served or delivered--> peers
                       ^
    counter-notice, retraction, restoration --settle    the same signal again: contested, or taken back

What peers tell us is :mod:`riparian.flows.peering`.
"""

import hashlib
import uuid
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Final

from riparian.cases.case import Case, Noted
from riparian.cases.events import Proposed
from riparian.cases.facts import Finding, How
from riparian.cases.steps import State, Step
from riparian.errors import InputError, LifecycleError
from riparian.exchange import profile
from riparian.exchange.lint import checked
from riparian.exchange.policy import Worth
from riparian.exchange.profile import Opinion, Signal, Stix, Tlp
from riparian.exchange.taxii import Question
from riparian.flows import casework
from riparian.ports.cases import Docket
from riparian.ports.exchange import Collection, Heard, Incident, Peer, Peering, Signals

OURS: Final = "ours"
"""The alias of the shelf from which peers take what we say."""
COMPARED: Final = frozenset({How.SOUND, How.HASH, How.MARK})
"""What a finding has to have compared before peers hear of it."""
NOT_OURS: Final = "peer:"
_INBOX: Final = "from-"
PAGE: Final = 1000
_CONTESTED: Final = frozenset({State.COUNTERED, State.WAITING, State.ACTION_FILED})


@dataclass(frozen=True, slots=True)
class Exchange:
    """Cases, and signals beside them."""

    docket: Docket
    signals: Signals

    @property
    def ours(self) -> Collection:
        """The shelf from which peers take what we say.

        Raises
        ------
        LifecycleError
            When nobody said under which name we speak.
        """
        shelf = self.signals.collection(OURS)
        if shelf is None:
            raise LifecycleError(
                "nothing is shared from here yet, wanted a name under which you speak to peers",
                hint='Begin: riparian exchange begin "Reed Records"',
            )
        return shelf

    @property
    def sender(self) -> str:
        """The identifier of whoever speaks."""
        return str(profile.identity(self.ours.title, self.now)["id"])

    @property
    def now(self) -> datetime:
        """The time."""
        return casework.now(self.docket.clock)

    def put(self, objects: Sequence[Mapping[str, Any]], shelf: str = "") -> None:
        """Lay objects on our shelf, when nobody is in them."""
        self.signals.add(shelf or self.ours.ident, checked(objects), self.docket.clock.now_us())

    def said(self, ident: str) -> Stix | None:
        """Give the last version of what we said."""
        rows = self.signals.page(self.ours.ident, Question(idents=(ident,))).rows
        return dict(rows[-1].body) if rows else None


def begin(exchange: Exchange, name: str) -> Collection:
    """Say under which name we speak; an organisation's, never a person's.

    Raises
    ------
    InputError
        When there is none, or somebody may be in it.
    LifecycleError
        When we speak under another one already.
    """
    name = name.strip()
    if not name:
        raise InputError("the name is empty, wanted that of an organisation")
    stands = exchange.signals.collection(OURS)
    if stands is not None and stands.title != name:
        raise LifecycleError(f"you speak as `{stands.title}` already, wanted the same name")
    if stands is None:
        exchange.signals.keep_collection(
            Collection(str(uuid.uuid4()), name, f"What {name} says of leaks.", OURS, can_write=False)
        )
        exchange.put([profile.identity(name, exchange.now), profile.MAKER, profile.DEFINITION])
    return exchange.ours


def allow(exchange: Exchange, name: str) -> str:
    """Let a peer read what we say, and send what it does to a shelf of its own; gives its token, which is not kept."""
    ours, theirs = exchange.ours, inbox(exchange, name)
    known = peer_of(exchange, name, or_new=True)
    exchange.signals.keep_peer(known)
    return exchange.signals.allow(name, [ours.ident, theirs.ident], [theirs.ident])


def inbox(exchange: Exchange, name: str) -> Collection:
    """Give the shelf on which all lies that a peer said; it is made where it is missing."""
    words = name.encode("unicode_escape").decode()[:80]
    if not name.strip() or name != name.strip() or not name.isprintable() or len(name) > 80:
        raise InputError(f"the name of a peer is `{words}`, wanted a name of 1 to 80 letters")
    alias = f"{_INBOX}{hashlib.sha256(name.encode()).hexdigest()[:16]}"
    found = exchange.signals.collection(alias)
    if found is not None:
        return found
    made = Collection(str(uuid.uuid4()), f"What {name} says", alias=alias)
    exchange.signals.keep_collection(made)
    return made


def peer_of(exchange: Exchange, name: str, *, or_new: bool = False) -> Peer:
    """Find a peer.

    Raises
    ------
    InputError
        When there is none of that name.
    """
    peers = {one.name: one for one in exchange.signals.peers()}
    if name not in peers and not or_new:
        raise InputError(
            f"there is no peer `{name[:80]}`, wanted one of {', '.join(peers) or 'none yet'}",
            hint="Add one: riparian exchange peer NAME --url ADDRESS",
        )
    return peers.get(name, Peer(name))


def incident_of(exchange: Exchange) -> Incident | None:
    """Give the incident that is declared now."""
    now_us = exchange.docket.clock.now_us()
    return next((one for one in exchange.signals.incidents() if one.since_us <= now_us < one.until_us), None)


def share(exchange: Exchange, key: str, by: str, *, tlp: Tlp = Tlp.AMBER, named: bool = False) -> tuple[Stix, ...]:
    """Tell peers what a case found by comparing; what is contested, taken back or said already is not said again.

    Parameters
    ----------
    named
        Whether the code of the recording is said, where there is one; else peers hear of files and addresses only.

    Raises
    ------
    LifecycleError
        When the case is under seal, or nothing in it was compared.
    InputError
        When somebody may be in it; nothing is shared then.
    """
    objects = said_of(exchange, key, tlp=tlp, named=named)
    if objects:
        exchange.put(objects)
        told = (one["id"] for one in objects if one["type"] == "indicator")
        acts = (Proposed("signalled", {"signal": one, "action": "shared"}, exchange.now, by) for one in told)
        casework.record(exchange.docket, key, *acts)
    return objects


def said_of(exchange: Exchange, key: str, *, tlp: Tlp = Tlp.AMBER, named: bool = False) -> tuple[Stix, ...]:
    """Give what :func:`share` would say, and say nothing."""
    case = casework.read(exchange.docket, key)
    if case.sealed:
        raise LifecycleError(
            f"`{key}` is under seal, wanted its release", hint="Nothing is shared until then: riparian case release"
        )
    fit = [one for one in case.facts.findings if is_compared(one)]
    if not fit:
        raise LifecycleError(
            f"nothing in `{key}` was compared by sound, hash or mark, wanted a finding that was",
            hint="Titles and lists alone are nothing that peers should rely on.",
        )
    at, sender = exchange.now, exchange.sender
    known = {one.signal for one in case.signals if one.action != "heard"} | _against(case, sender).keys()
    indicators, observed = {}, {}
    for signal in _signals(case, fit, named=named):
        ident = profile.ident_of(signal, sender)
        if ident not in known:
            indicators[ident] = profile.indicator(signal, sender, at, tlp)
            if signal.sha256:
                one = profile.file(signal)
                observed[one["id"]] = one
    if not indicators:
        return ()
    seen = [profile.sighting(one.ident, sender, at, tlp=tlp) for one in _of_peers(exchange, indicators.values())]
    incident = incident_of(exchange)
    name = incident.name if incident else f"Audio leak {key}"
    together = _next(exchange, profile.grouping([*indicators, *observed], name, sender, at, tlp))
    return (*indicators.values(), *observed.values(), *seen, together)


def is_compared(finding: Finding) -> bool:
    """Tell whether a comparison of our own found it."""
    return finding.how in COMPARED and not finding.source.startswith(NOT_OURS)


def settle(exchange: Exchange, by: str, keys: Iterable[str] = ()) -> tuple[Stix, ...]:
    """Say of every signal of ours what became of it.

    It is contested when a counter-notice came, and taken back when it was wrong.  That is said once, however often it
    is asked.
    """
    if exchange.signals.collection(OURS) is None:
        return ()
    told: list[Stix] = []
    for key in keys or exchange.docket.cases.keys():
        case = casework.read(exchange.docket, key)
        told += _turned(exchange, case, _against(case, exchange.sender), by)
    return tuple(told)


def take_back(exchange: Exchange, key: str, signal: str, because: str, by: str) -> tuple[Stix, ...]:
    """Take a signal of ours back by hand.

    Raises
    ------
    InputError
        When the case did not share it, or there is no reason.
    """
    case = casework.read(exchange.docket, key)
    if signal not in {one.signal for one in case.signals if one.action == "shared"}:
        raise InputError(f"`{key}` shared no `{signal[:60]}`, wanted a signal of it", hint="See riparian case show.")
    if not because.strip():
        raise InputError("no reason is given, wanted why it is taken back")
    return tuple(_turned(exchange, case, {signal: "revoked"}, by, because))


def deliver(exchange: Exchange, peer: Peer, peering: Peering) -> int:
    """Send to a peer what it has not had from us; gives how many objects.

    Raises
    ------
    OutsideError
        When it does not take them: what it took until then is not sent again.
    """
    sent = 0
    while True:
        page = exchange.signals.page(exchange.ours.ident, Question(after_us=peer.sent_us, limit=PAGE))
        if page.rows:
            peering.tell(peer, [row.body for row in page.rows])
            sent += len(page.rows)
            peer = replace(peer_of(exchange, peer.name), sent_us=page.rows[-1].added_us)
            exchange.signals.keep_peer(peer)
        if not page.more:
            return sent


def _signals(case: Case, findings: Iterable[Finding], *, named: bool) -> Iterator[Signal]:
    for one in findings:
        place, work = case.facts.location(one.location), case.facts.work(one.recording)
        seen = one.at or (place.first_seen if place else None)
        code = work.isrc if named and work is not None else ""
        about = Signal(recording=code, how=one.how, error=one.error, seconds=one.seconds, seen=seen)
        if one.digest:
            yield replace(about, sha256=one.digest)
        if place is not None and place.url:
            yield replace(about, url=place.url)


def _against(case: Case, sender: str) -> dict[str, str]:
    """Tell which signals of a case do not stand as they were said: identifier to ``disputed`` or ``revoked``."""
    turned: dict[str, str] = {}
    for noted in case.notices.values():
        action = _came_of(noted)
        if not action:
            continue
        places = {one.key for one in noted.notice.locations}
        findings = [one for one in case.facts.findings if one.location in places]
        for signal in _signals(case, findings, named=False):
            ident = profile.ident_of(signal, sender)
            turned[ident] = "revoked" if "revoked" in (action, turned.get(ident)) else action
    return turned


def _came_of(noted: Noted) -> str:
    last = noted.last(Step.RETRACT, Step.RESTORE, Step.REMOVE)
    if last is not None and last.step in (Step.RETRACT, Step.RESTORE):
        return "revoked"
    return "disputed" if noted.state in _CONTESTED else ""


def _turned(exchange: Exchange, case: Case, turns: Mapping[str, str], by: str, because: str = "") -> list[Stix]:
    """Say that signals do not stand, and write it into their case; once, also when interrupted between the two."""
    stands: dict[str, set[str]] = {}
    for one in case.signals:
        stands.setdefault(one.signal, set()).add(one.action)
    objects, acts, at = [], [], exchange.now
    for ident, action in turns.items():
        known = stands.get(ident, set())
        said = exchange.said(ident) if "shared" in known and not known & {"revoked", action} else None
        if said is None:
            continue
        if action == "revoked" and not said.get("revoked"):
            objects.append(profile.revoked(said, at))
        elif action != "revoked":
            why = because or "It is contested: a counter-notice came."
            objects.append(_next(exchange, profile.opinion(ident, Opinion.NEUTRAL, exchange.sender, at, why)))
        what = {"signal": ident, "action": action} | ({"because": because} if because else {})
        acts.append(Proposed("signalled", what, at, by))
    if objects:
        exchange.put(objects)
    if acts:
        casework.record(exchange.docket, case.key, *acts)
    return objects


def _next(exchange: Exchange, said: Stix) -> Stix:
    """Give what is said as the next version of itself, where it was said before."""
    before = exchange.said(said["id"])
    if before is None:
        return said
    changed = {name: one for name, one in said.items() if name not in ("created", "modified")}
    if "object_refs" in changed:
        changed["object_refs"] = sorted({*before["object_refs"], *changed["object_refs"]})
    return profile.again(before, exchange.now, **changed)


def _of_peers(exchange: Exchange, indicators: Iterable[Mapping[str, Any]]) -> list[Heard]:
    """List what peers said of the same files and addresses."""
    patterns = {str(one["pattern"]) for one in indicators}
    every = exchange.signals.heard()
    return [one for one in every if one.worth is not Worth.REVOKED and one.body.get("pattern") in patterns]
