"""What do peers tell us, and what becomes of it here?

::

    a peer --fetched, or sent to its shelf here--> weigh --> heard --a person--> case
                                                     |
                          taken back, contested ---> what rests on it is lifted

A signal of a peer points somewhere and is an opinion: nothing is sent, held or ended because of it.  It is confirmed
when a comparison of our own found the same file or address.  When its sender takes it back, findings that rest on it
go, letters that were drafted and did not leave are withdrawn, and of those that left a person is told.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any, Final

from riparian.cases.case import Case
from riparian.cases.events import Proposed
from riparian.cases.facts import Finding, How, Location, Work
from riparian.cases.plain import plain
from riparian.cases.steps import AFTER_SENT, State, Step
from riparian.errors import InputError, LifecycleError
from riparian.exchange import profile
from riparian.exchange.lint import people_in
from riparian.exchange.policy import Move, Standing, Worth, floods, standing
from riparian.exchange.profile import Opinion, Signal
from riparian.exchange.taxii import Question, Row, row_of
from riparian.flows import casework
from riparian.flows.sharing import NOT_OURS, OURS, PAGE, Exchange, inbox, incident_of, is_compared, peer_of
from riparian.ports.exchange import Heard, Peer, Peering

_AGAINST: Final = frozenset({Opinion.NEUTRAL, Opinion.DISAGREE, Opinion.STRONGLY_DISAGREE})


@dataclass(frozen=True, slots=True)
class Weighed:
    """What came of a peer's signals.

    Parameters
    ----------
    heard, confirmed
        Signals that are new, and those that a comparison of ours bears out.
    contested, revoked
        Signals that their sender doubts, and that it took back.
    lifted
        Letters that were withdrawn for it: case and notice.
    to_look_at
        Letters that had left by then, or rest on a comparison of ours too: a person looks whether they are taken back.
    aside
        How many wait until a person has looked, since it is far more than usual.
    left
        How many said nothing that causes anything here.
    """

    peer: str
    heard: tuple[str, ...] = ()
    confirmed: tuple[str, ...] = ()
    contested: tuple[str, ...] = ()
    revoked: tuple[str, ...] = ()
    lifted: tuple[tuple[str, str], ...] = ()
    to_look_at: tuple[tuple[str, str], ...] = ()
    aside: int = 0
    left: int = 0


def fetch(exchange: Exchange, peer: Peer, peering: Peering) -> tuple[int, int]:
    """Ask a peer what is new, and lay it on its shelf here.

    Returns
    -------
    tuple
        How many objects came, and how many of them were left, since they are none or somebody is in them.

    Raises
    ------
    OutsideError
        When it does not answer: what came until then is kept, and not asked for again.
    """
    shelf, came, left = inbox(exchange, peer.name), 0, 0
    for objects, until in peering.ask(peer):
        fit = [one for one in objects if _fits(one)]
        exchange.signals.add(shelf.ident, fit, exchange.docket.clock.now_us())
        came, left = came + len(objects), left + len(objects) - len(fit)
        peer = replace(peer_of(exchange, peer.name), since=until or peer.since)
        exchange.signals.keep_peer(peer)
    return came, left


def weigh(exchange: Exchange, peer: Peer, *, expected: bool = False) -> Weighed:
    """Look at what a peer said, one object after the other, and do what follows from it here.

    Parameters
    ----------
    expected
        Whether a person looked at a flood, and lets it in.

    Raises
    ------
    LifecycleError
        When nothing more is taken from this peer.
    """
    if standing(peer.mistakes) is Standing.OUT:
        raise LifecycleError(
            f"`{peer.name}` was wrong {peer.mistakes} times, wanted a peer from whom signals are taken",
            hint="Speak with them; a person lets them in again: riparian exchange peer NAME --forgive",
        )
    rows = list(_rows_of(exchange, peer))
    known = {one.ident: one for one in exchange.signals.heard(peer.name)}
    fresh = [row for row in rows if row.kind == "indicator" and row.ident not in known]
    times = [_at(one.heard_us) for one in known.values()] + [exchange.now] * len(fresh)
    incident = incident_of(exchange) is not None
    weighed, compared = Weighed(peer.name), _compared(exchange)
    aside = not expected and floods(times, exchange.now, incident=incident)
    for row in rows:
        if aside and row.kind == "indicator" and row.ident not in known and not row.body.get("revoked"):
            weighed = replace(weighed, aside=weighed.aside + 1)
            continue
        weighed = _weighed(exchange, peer, row, weighed, compared)
    if rows and not weighed.aside:
        exchange.signals.keep_peer(replace(peer_of(exchange, peer.name), weighed_us=rows[-1].added_us))
    return weighed


def take(exchange: Exchange, peer: str, ident: str, by: str, key: str = "") -> Case:
    """Make a case of a signal, or bring it into one: a person found it worth looking at.

    Nothing leaves by it: the rails want sound that was compared here.

    Raises
    ------
    InputError
        When nothing like it was heard, or it has no address where somebody could look.
    LifecycleError
        When it was taken back.
    """
    heard = _heard(exchange, peer, ident)
    if heard.worth is Worth.REVOKED:
        raise LifecycleError(f"`{ident}` was taken back by `{peer}`, wanted a signal that stands")
    signal = profile.signal_of(heard.body)
    if not profile.is_current(signal, exchange.now):
        raise LifecycleError(f"`{ident}` ended on {signal.until:%Y-%m-%d}, wanted a signal that holds")
    if not signal.url:
        raise InputError(
            f"`{ident}` is of a file and says no address, wanted one where somebody can look",
            hint="When such a file is found here, it is confirmed by itself.",
        )
    at, source = exchange.now, f"{NOT_OURS}{peer}"
    acts = []
    if not key:
        acts.append(Proposed("opened", {"title": f"{peer} tells of {signal.url}"[:200]}, at, by))
    place = casework.read(exchange.docket, key).next_location() if key else "L1"
    where = Location(place, signal.url, title=f"told by {peer}", first_seen=signal.seen)
    acts.append(Proposed("location", plain(where), at, by))
    if signal.recording:
        acts.append(Proposed("work", plain(Work(signal.recording, isrc=signal.recording)), at, by))
        found = Finding(place, signal.recording, How.LIST, error=signal.error, source=source, at=at)
        acts.append(Proposed("found", plain(found), at, by))
    acts.append(Proposed("signalled", {"signal": ident, "action": "heard", "source": source}, at, by))
    case = casework.record(exchange.docket, key, *acts) if key else casework.open_case(exchange.docket, acts)
    exchange.signals.hear(peer, heard.body, Move.HEAR, exchange.docket.clock.now_us(), case.key)
    return case


def dispute(exchange: Exchange, peer: str, ident: str, because: str, by: str) -> Weighed:
    """Hold that a peer's signal is wrong: what rests on it here is lifted, the peer is told, and it counts for them.

    Raises
    ------
    InputError
        When nothing like it was heard, or there is no reason.
    LifecycleError
        When it was taken back, or is disputed already.
    """
    heard = _heard(exchange, peer, ident)
    if not because.strip():
        raise InputError("no reason is given, wanted why it is wrong")
    if heard.worth in (Worth.DISPUTED, Worth.REVOKED):
        raise LifecycleError(f"`{ident}` is {heard.worth} already, wanted a signal that stands")
    against = profile.opinion(ident, Opinion.STRONGLY_DISAGREE, exchange.sender, exchange.now, because)
    exchange.put([against])
    exchange.signals.hear(peer, heard.body, Move.DISPUTE, exchange.docket.clock.now_us())
    known = peer_of(exchange, peer, or_new=True)
    exchange.signals.keep_peer(replace(known, mistakes=known.mistakes + 1))
    lifted, sent = _lifted(exchange, heard, "disputed", by, because)
    return Weighed(peer, contested=(ident,), lifted=lifted, to_look_at=sent)


def _fits(said: object) -> bool:
    try:
        return isinstance(said, Mapping) and bool(row_of(said, 0)) and not people_in([said])
    except (InputError, RecursionError):
        return False


def _rows_of(exchange: Exchange, peer: Peer) -> Iterator[Row]:
    shelf, after_us = inbox(exchange, peer.name), peer.weighed_us
    while True:
        page = exchange.signals.page(shelf.ident, Question(after_us=after_us, limit=PAGE, versions=("all",)))
        yield from page.rows
        if not page.more:
            return
        after_us = page.rows[-1].added_us


def _compared(exchange: Exchange) -> dict[str, Case]:
    """Give every digest and address that a comparison of our own found, and the case in which it did."""
    found: dict[str, Case] = {}
    for case in casework.every(exchange.docket):
        for one in case.facts.findings:
            if is_compared(one):
                place = case.facts.location(one.location)
                for about in (one.digest, place.url if place else ""):
                    found.setdefault(about, case)
    return found


def _weighed(exchange: Exchange, peer: Peer, row: Row, weighed: Weighed, compared: Mapping[str, Case]) -> Weighed:
    if row.kind == "opinion":
        return _weighed_opinion(exchange, peer, row.body, weighed)
    try:
        signal = profile.signal_of(row.body) if row.kind == "indicator" else None
    except InputError:
        signal = None
    known = exchange.signals.find(peer.name, row.ident)
    if signal is None or (known is None and not profile.is_current(signal, exchange.now)):
        return replace(weighed, left=weighed.left + 1)
    now_us = exchange.docket.clock.now_us()
    if known is not None and not signal.revoked and profile.later(profile.signal_of(known.body), signal) is not signal:
        return replace(weighed, left=weighed.left + 1)
    if not signal.revoked:
        stands = exchange.signals.hear(peer.name, row.body, Move.HEAR, now_us)
        weighed = weighed if known else replace(weighed, heard=(*weighed.heard, row.ident))
        case = compared.get(signal.sha256 or signal.url)
        return weighed if case is None else _confirmed(exchange, stands, case, weighed)
    if known is None or known.worth is Worth.REVOKED:
        return replace(weighed, left=weighed.left + 1)
    heard = exchange.signals.hear(peer.name, row.body, Move.REVOKE, now_us)
    lifted, sent = _lifted(exchange, heard, "revoked", f"{NOT_OURS}{peer.name}", "its sender took it back")
    return replace(
        weighed,
        revoked=(*weighed.revoked, row.ident),
        lifted=(*weighed.lifted, *lifted),
        to_look_at=(*weighed.to_look_at, *sent),
    )


def _weighed_opinion(exchange: Exchange, peer: Peer, said: Mapping[str, Any], weighed: Weighed) -> Weighed:
    if said.get("revoked") or said.get("opinion") not in _AGAINST:
        return replace(weighed, left=weighed.left + 1)
    because, by = str(said.get("explanation", ""))[:200] or "no reason is given", f"{NOT_OURS}{peer.name}"
    for ident in map(str, said.get("object_refs", ())):
        heard = exchange.signals.find(peer.name, ident)
        if heard is not None and heard.worth in (Worth.HEARD, Worth.CONFIRMED):
            exchange.signals.hear(peer.name, heard.body, Move.DISPUTE, exchange.docket.clock.now_us())
            lifted, sent = _lifted(exchange, heard, "disputed", by, because)
            weighed = replace(
                weighed,
                contested=(*weighed.contested, ident),
                lifted=(*weighed.lifted, *lifted),
                to_look_at=(*weighed.to_look_at, *sent),
            )
        for case in _sharing(exchange, ident):
            what = {"signal": ident, "action": "disputed", "source": by, "because": because}
            casework.record(exchange.docket, case.key, Proposed("signalled", what, exchange.now, by))
            weighed = replace(weighed, contested=(*weighed.contested, ident))
    return weighed


def _sharing(exchange: Exchange, ident: str) -> list[Case]:
    """List the cases whose signal it is, and where a peer has not said so yet."""
    if exchange.signals.collection(OURS) is None or exchange.said(ident) is None:
        return []
    found = []
    for case in casework.every(exchange.docket):
        actions = [one.action for one in case.signals if one.signal == ident]
        if "shared" in actions and not {"disputed", "revoked"} & {*actions}:
            found.append(case)
    return found


def _confirmed(exchange: Exchange, heard: Heard, case: Case, weighed: Weighed) -> Weighed:
    if heard.worth is not Worth.HEARD:
        return weighed
    exchange.signals.hear(heard.peer, heard.body, Move.CONFIRM, exchange.docket.clock.now_us(), heard.case or case.key)
    if not case.sealed:
        what = {"signal": heard.ident, "action": "heard", "source": f"{NOT_OURS}{heard.peer}"}
        casework.record(exchange.docket, case.key, Proposed("signalled", what, exchange.now, "exchange"))
    return replace(weighed, confirmed=(*weighed.confirmed, heard.ident))


def _lifted(
    exchange: Exchange, heard: Heard, action: str, by: str, because: str
) -> tuple[tuple[tuple[str, str], ...], tuple[tuple[str, str], ...]]:
    """Undo in our case what rests on a signal; gives the letters that were withdrawn, and those that had left."""
    if not heard.case:
        return (), ()
    case, signal = casework.read(exchange.docket, heard.case), profile.signal_of(heard.body)
    source = f"{NOT_OURS}{heard.peer}"
    places = [one.key for one in case.facts.locations if _is_at(case, one, signal)]
    at = exchange.now
    what = {"signal": heard.ident, "action": action, "source": source, "locations": places, "because": because}
    acts, lifted, sent = [Proposed("signalled", what, at, by)], [], []
    for key, noted in case.notices.items():
        here = {one.key for one in noted.notice.locations} & {*places}
        if not here or noted.state in (State.RETRACTED, State.RESTORED, State.WITHDRAWN):
            continue
        if noted.state in AFTER_SENT or here <= _compared_here(case):
            sent.append((case.key, key))
            stands = "had left by then" if noted.state in AFTER_SENT else "rests on a comparison of ours"
            text = f"{heard.peer}: {because}. {key} {stands}: look whether it is to be taken back."
            acts.append(Proposed("noted", {"text": text}, at, by))
        else:
            lifted.append((case.key, key))
            acts.append(Proposed(Step.WITHDRAW, {"notice": key, "because": f"{heard.peer}: {because}"}, at, by))
    casework.record(exchange.docket, case.key, *acts)
    return tuple(lifted), tuple(sent)


def _compared_here(case: Case) -> set[str]:
    return {one.location for one in case.facts.findings if is_compared(one)}


def _is_at(case: Case, place: Location, signal: Signal) -> bool:
    if signal.url:
        return place.url == signal.url
    return any(one.location == place.key and one.digest == signal.sha256 for one in case.facts.findings)


def _heard(exchange: Exchange, peer: str, ident: str) -> Heard:
    found = exchange.signals.find(peer, ident)
    if found is None:
        raise InputError(
            f"`{peer[:80]}` said no `{ident[:60]}`, wanted a signal that was heard",
            hint="See riparian exchange signals.",
        )
    return found


def _at(us: int) -> datetime:
    return datetime.fromtimestamp(us / 1e6, UTC)
