"""What is known of one recording, what may be done with it and where, and who took it?"""

import shlex
from collections.abc import Mapping, Sequence
from typing import Any, Final

from riparian import assembly
from riparian.assembly import Given
from riparian.catalogue.consent import Asked, Ledger
from riparian.console import words
from riparian.console.declared import tells
from riparian.console.page import Question
from riparian.console.pages.catalogue import USES, exposed_of, opened_once
from riparian.errors import InputError
from riparian.flows.cataloguing import plain_entry
from riparian.flows.lines import written
from riparian.flows.reserving import Office

TERRITORIES: Final = 12
ENTRIES: Final = 20
ROWS: Final = 100
_COUNTRY: Final = 2


@tells("recordings", id="A recording, or an identifier of one.", territory="A country of two letters, as in DE.")
def facts(given: Given, question: Question) -> dict[str, Any]:
    """Tell all that is known of a recording, or of all that have an identifier; kind ``recordings``.

    Raises
    ------
    InputError
        When none is named, nothing has the name, or the territory is none.
    """
    name, territory = question.of("id").strip(), question.of("territory").strip().upper()
    if territory and (len(territory) != _COUNTRY or not territory.isalpha()):
        raise InputError(f"`{territory[:40]}` is no country, wanted two letters as in DE")
    with assembly.terms_office(given) as office, opened_once(given, office):
        entries = office.holdings.entries(name) if name else []
        if not entries:
            raise InputError(
                f"nothing is called `{words.visible(name)}`, wanted a recording or an identifier of one",
                hint="Search for it on the page Catalogue.",
            )
        told = [_told(office, plain_entry(entry), territory) for entry in entries[:ENTRIES]]
    exposed, is_current = exposed_of(given)
    taken = exposed[0].of([one["recording"] for one in told]) if exposed is not None else []
    return {
        "kind": "recordings",
        "asked": name,
        "territory": territory,
        "recordings": [{**one, "taken": taken[place] if taken else None} for place, one in enumerate(told)],
        "entries": len(entries),
        "taken_is_current": is_current,
        "shown": ROWS,
        "recompute": shlex.join(["riparian", "catalogue", "show", *_in(given), "--", name]),
    }


def _told(office: Office, entry: Mapping[str, Any], territory: str) -> dict[str, Any]:
    name, label = entry["recording"], entry.get("label") or entry.get("owner") or ""
    ledger, now_us = office.ledger([name]), office.clock.now_us()
    places = _places(ledger, territory)
    decided = [
        {
            "territory": place,
            "uses": {use.value: _decided(ledger, Asked(use, now_us, name, label, place)) for use in USES},
        }
        for place in places[:TERRITORIES]
    ]
    fixity = [
        {**one, "looked": written(one["looked_us"]) if "looked_us" in one else None} for one in entry.get("fixity", [])
    ]
    return {**entry, "fixity": fixity, "decided": decided, "territories": len(places)}


def _places(ledger: Ledger, asked: str) -> Sequence[str]:
    named = sorted({place for term in ledger.terms for place in term.territories | term.except_in})
    return list(dict.fromkeys([*([asked] if asked else []), "", *named]))


def _decided(ledger: Ledger, asked: Asked) -> dict[str, Any]:
    held = ledger.decide(asked)
    said = held.by
    return {
        "stance": str(held.stance),
        "conditions": held.conditions or None,
        "document": said.document if said is not None else None,
        "digest": said.digest if said is not None else None,
    }


def _in(given: Given) -> list[str]:
    return ["--workspace", str(given.workspace)]
