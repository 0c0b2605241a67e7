"""Which decisions did the machine make about people, by which logic, on what evidence, and what did people do then?

One row for each restraint that a scan began: what it meant for the listener, the claim that it rests on with its
null, the bits that were reached and wanted, how many such mistakes a year were tolerated, the versions that decided;
and every step that people took about it until the machine decided anew.  Accounts are pseudonyms, unless names are
wanted.  Whoever was erased is in no row: what was decided about them is forgotten with them.

What a budget refuses (recordings, rows, requests) is arithmetic of the moment, is counted and not listed.
"""

from bisect import bisect_right
from collections.abc import Iterator, Mapping, Sequence
from itertools import groupby
from types import MappingProxyType
from typing import Any, Final

from riparian.codes import label
from riparian.evidence import CLAIMS
from riparian.flows.lines import names_of, written
from riparian.gate.holds import Event, Step
from riparian.gate.policy import Mode, Restraint
from riparian.ports import World

MEANT: Final[Mapping[Restraint, str]] = MappingProxyType(
    {
        Restraint.SLOW: "recordings that were new to it came more slowly; what it had played before went on",
        Restraint.STEP_UP: "it was asked to prove itself before it went on",
        Restraint.HOLD: "it was refused until the restraint ended, or a person let it go",
    }
)
"""What a restraint means for a listener."""

_SHADOW: Final = "nothing: it was computed in shadow, and not applied"
_ARITHMETIC: Final = "arithmetic: it asked for more than its budget allows; no claim is made about it"
_ENDS: Final[Mapping[Step, str]] = MappingProxyType(
    {
        Step.RELEASED: "released by a person",
        Step.REINSTATED: "taken back by a person, after an appeal",
        Step.ENDED: "ended by two people",
        Step.EXPIRED: "ran out by itself",
        Step.EXEMPTED: "lifted: the account is exempt",
    }
)
COLUMNS: Final = (
    "account", "decided_at", "action", "applied", "meant", "until", "because", "claim", "null", "bits_wanted",
    "tolerated_a_year", "chance_declared", "chance_certified", "certainty", "mode", "people", "version", "outcome",
    "reviewed", "review",
)  # fmt: skip
"""What a row has, in the order of a table."""


def recorded(
    world: World, *, since_us: int = 0, until_us: int | None = None, named: bool = False, account: int | None = None
) -> Iterator[dict[str, Any]]:
    """List what the machine decided, by account and time; kind ``automated_decision``.

    Parameters
    ----------
    world
        Where to look.
    since_us, until_us
        Decisions from then, and before then; to the last one where it is None.
    named
        Whether accounts are named as the operator names them, and not by pseudonyms.
    account
        Of this one alone; of all where it is None.
    """
    scans = sorted(world.scans.summaries(), key=lambda one: int(one["as_of_us"]))
    starts = [int(one["as_of_us"]) for one in scans]
    found = world.decisions.log() if account is None else world.decisions.events(account)
    log = sorted(found, key=lambda event: event.account)
    for whose, events in groupby(log, key=lambda event: event.account):
        story = list(events)
        for n, event in enumerate(story):
            if not _is_automated(event) or not since_us <= event.at_us < (until_us or event.at_us + 1):
                continue
            then = story[n + 1 :]
            ends = next((k for k, later in enumerate(then) if _is_automated(later)), len(then))
            at = bisect_right(starts, event.at_us) - 1
            name = names_of(world, [whose])[0] if named else label(whose)
            outcome = _outcome(event, then[:ends], world.clock.now_us(), replaced=ends < len(then))
            yield _row(name, event, then[:ends], scans[at] if at >= 0 else {}, outcome)


def _is_automated(event: Event) -> bool:
    return event.step is Step.DECIDED and not event.person and event.restraint is not Restraint.ALLOW


def _row(name: str, event: Event, then: Sequence[Event], scan: Mapping[str, Any], outcome: str) -> dict[str, Any]:
    mode = str(scan.get("mode", ""))
    action = Restraint(event.restraint)
    rung = scan.get("ladder", {}).get(action.name.lower(), {})
    claim = next((one for one in CLAIMS.values() if event.reason.startswith(one.sentence)), None)
    is_applied = mode == Mode.ENFORCE.value
    by_people = [one for one in then if one.person or one.step is Step.APPEALED]
    return {
        "kind": "automated_decision",
        "account": name,
        "decided_at": written(event.at_us),
        "action": action.name.lower(),
        "applied": is_applied,
        "meant": MEANT.get(action, "") if is_applied else _SHADOW,
        "until": written(_until(event, then)),
        "because": event.reason,
        "claim": claim.name if claim is not None else None,
        "null": claim.null if claim is not None else _ARITHMETIC,
        "bits_wanted": rung.get("bits"),
        "tolerated_a_year": rung.get("wrongful_a_year"),
        "chance_declared": rung.get("declared"),
        "chance_certified": rung.get("certified"),
        "certainty": scan.get("certainty"),
        "mode": mode,
        "people": scan.get("people"),
        "version": scan.get("version"),
        "outcome": outcome,
        "reviewed": any(one.person for one in then),
        "review": [
            {
                "at": written(one.at_us),
                "step": one.step.value,
                "by": one.person or "the listener",
                "reason": one.reason,
            }
            for one in by_people
        ],
    }


def _until(event: Event, then: Sequence[Event]) -> int:
    changed = [one.until_us for one in then if one.step in {Step.EXTENDED, Step.RELEASED, Step.REINSTATED}]
    return changed[-1] if changed else event.until_us


def _outcome(event: Event, then: Sequence[Event], now_us: int, *, replaced: bool) -> str:
    ends = [_ENDS[one.step] for one in then if one.step in _ENDS]
    if ends:
        return ends[-1]
    if replaced:
        return "replaced by another decision"
    if _until(event, then) <= now_us:
        return "ran out by itself"
    return "upheld by a person" if any(one.step is Step.UPHELD for one in then) else "goes on"
