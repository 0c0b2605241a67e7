"""How is it told what peers said, and what they were told?"""

from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from rich.markup import escape

from riparian import assembly
from riparian.cli import lines, terminal
from riparian.console import words
from riparian.errors import InputError
from riparian.exchange import profile
from riparian.exchange.policy import standing
from riparian.exchange.profile import Signal
from riparian.exchange.taxii import written
from riparian.flows import sharing
from riparian.flows.peering import Weighed
from riparian.ports.exchange import Heard, Peer

_SHOWN: Final = 40


def heard_row(one: Heard) -> dict[str, Any]:
    """Give a peer's signal as one object."""
    signal = _signal(one)
    return {
        "kind": "signal",
        "peer": one.peer,
        "signal": one.ident,
        "worth": str(one.worth),
        "case": one.case,
        "heard": written(one.heard_us),
        "sha256": signal.sha256,
        "url": signal.url,
        "recording": signal.recording,
        "how": signal.how,
        "error": signal.error,
        "until": profile.stamp(signal.until) if signal.until else None,
    }


def weighed_row(one: Weighed) -> dict[str, Any]:
    """Give what came of a peer's signals as one object."""
    return {
        "kind": "pulled",
        "peer": one.peer,
        **{name: list(getattr(one, name)) for name in ("heard", "confirmed", "contested", "revoked")},
        **{name: [list(each) for each in getattr(one, name)] for name in ("lifted", "to_look_at")},
        "aside": one.aside,
        "left": one.left,
    }


def tell_heard(heard: Sequence[Heard]) -> None:
    """Tell people what peers said."""
    table = terminal.table("peer", "signal", "what", "stands", "case", "wrong in", right=("wrong in",))
    for one in heard[-_SHOWN:]:
        signal = _signal(one)
        about = signal.url or f"file {signal.sha256[:16]}"
        one_in = f"1 of {1 / signal.error:,.0f}" if signal.error else "never, they say"
        table.add_row(_shown(one.peer), one.ident, _shown(about), str(one.worth), one.case, one_in)
    terminal.page.print(table)
    if len(heard) > _SHOWN:
        say(f"{len(heard) - _SHOWN} earlier ones are not shown; --json gives all.")


def tell_peers(peers: Sequence[Peer], *, json: bool) -> None:
    """Tell which peers there are, and how each stands; never their tokens."""
    rows = [
        {
            "kind": "peer",
            "peer": one.name,
            "url": one.url,
            "post_url": one.post_url,
            "has_token": bool(one.token),
            "asked_up_to": one.since,
            "mistakes": one.mistakes,
            "standing": str(standing(one.mistakes)),
        }
        for one in peers
    ]
    if json:
        lines.write(rows)
        return
    table = terminal.table("peer", "asked at", "told at", "mistakes", "stands", right=("mistakes",))
    for row in rows:
        words_ = [_shown(str(row[name])) for name in ("peer", "url", "post_url", "mistakes", "standing")]
        table.add_row(*words_)
    terminal.page.print(table)


def tell_said(said: Sequence[Mapping[str, Any]]) -> None:
    """Tell what peers were told."""
    if not said:
        say("Nothing new was said.")
        return
    kinds = Counter(f"{one['type']}{' taken back' if one.get('revoked') else ''}" for one in said)
    say(f"Said: {', '.join(f'{n} {kind}' for kind, n in sorted(kinds.items()))}.")
    for one in said[:_SHOWN]:
        if one["type"] == "indicator":
            mark = "taken back" if one.get("revoked") else f"until {str(one['valid_until'])[:10]}"
            say(f"{one['id']}  {one['pattern']}  {mark}")


def tell_weighed(told: Sequence[Weighed]) -> None:
    """Tell what came of peers' signals."""
    table = terminal.table("peer", "heard", "confirmed", "contested", "taken back", "left", right=("heard", "left"))
    for one in told:
        counts = (one.heard, one.confirmed, one.contested, one.revoked)
        table.add_row(_shown(one.peer), *(str(len(each)) for each in counts), str(one.left))
    terminal.page.print(table)
    for one in told:
        for case, notice in one.lifted:
            say(f"{case} {notice} was withdrawn: what {one.peer} said does not stand.")
        for case, notice in one.to_look_at:
            say(f"Look at {case} {notice}: what {one.peer} said does not stand. See riparian case show {case}.")
        if one.aside:
            say(f"{one.peer} says far more than usual: {one.aside} wait. Look at them; --expected lets them in.")


def settled(workspace: Path, case: str) -> None:
    """Let peers know what became of what they were told of a case: at once, for those who fetch it."""
    given = assembly.Given(workspace)
    if not assembly.has_signals(given):
        return
    with assembly.exchange(given) as exchange:
        said = sharing.settle(exchange, "exchange", [case])
    if said:
        terminal.say(f"Peers who fetch hear of it now ({len(said)}); `riparian exchange push` tells the others.")


def say(text: str) -> None:
    """Tell one line, whatever is in it."""
    terminal.page.print(escape(words.visible(text, longest=400)), soft_wrap=True)


def _signal(one: Heard) -> Signal:
    try:
        return profile.signal_of(one.body)
    except InputError:
        return Signal()


def _shown(text: str) -> str:
    return escape(words.visible(text, longest=100))
