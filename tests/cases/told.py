"""A case in which everything is known that a notice asks for, to take things away from."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from riparian.cases.facts import (
    Addressee,
    Check,
    Checked,
    Considered,
    Facts,
    Finding,
    How,
    Layer,
    Location,
    Party,
    Work,
)
from riparian.cases.forms import FORMS, asked_by
from riparian.cases.notice import Decision, Kind, Notice
from riparian.cases.statements import Drafted, Wanted, drafted

NOW = datetime(2026, 11, 23, 9, 30, tzinfo=UTC)

OWNER = Party("", "Reed Records Ltd", "1 Quay Street, Bristol", "rights@reed.example", "+44 117 000000", "GB", "owner")
AGENT = Party("Ada Finch", "Finch Rights", "2 Mill Lane, Bath", "ada@finch.example", "+44 1225 000000", "GB", "agent")
HOST = Addressee(
    "hostly", "Hostly Inc.", Layer.HOST, email="abuse@hostly.example", address="9 Data Way, Reno, NV, United States"
)
DRAWN = Addressee("ember", "Ember Slate", Layer.MAIL, form="inquiry")

TIDE = Work(
    "r1", "Low Tide", "Ember Slate", "Reed Records Ltd", "QZABC2600001", "Shore", "", "https://reed.example/lt", 3
)
FROST = Work("r2", "Frost Meadow", "Hazel Quarry", "Reed Records Ltd", "QZABC2600002", event=4)

FACTS = Facts(
    owner=OWNER,
    complainant=AGENT,
    works=(TIDE, FROST),
    locations=(
        Location(
            "L1",
            "https://hostly.example/f/low-tide.mp3",
            addressee="hostly",
            title="low-tide.mp3",
            seen=NOW,
            live=True,
            event=5,
        ),
        Location("L2", "https://hostly.example/f/two.zip", addressee="hostly", seen=NOW, live=True, event=6),
    ),
    findings=(
        Finding("L1", "r1", How.SOUND, error=3e-9, bits=40, seconds=184, coverage=0.924, event=7),
        Finding("L2", "r1", How.HASH, error=1e-15, digest="ab" * 32, event=8),
        Finding("L2", "r2", How.SOUND, error=2e-6, bits=30, seconds=60, coverage=0.3, event=9),
    ),
    checks=tuple(
        Checked(
            check,
            recording,
            clear=True,
            source="ledger of terms",
            at=NOW - timedelta(hours=1),
            by="Ada Finch",
            event=10 + n,
        )
        for n, (check, recording) in enumerate(
            [
                (Check.LICENCE, "r1"),
                (Check.LICENCE, "r2"),
                (Check.CHAIN_OF_TITLE, "r1"),
                (Check.CHAIN_OF_TITLE, "r2"),
            ]
        )
    ),
    considered=(Considered("Ada Finch", NOW, "Whole recordings, offered for download, nothing added.", event=20),),
    addressees=(HOST, DRAWN),
    authority="mandate-2026.pdf",
    issued=("Copy 17 was issued to Ember Slate on 2026-09-01.",),
)

DECISION = Decision(
    ground_named="Directive 2001/29/EC, Articles 2(c) and 3(2)(b)",
    explanation="The recording is offered for download without a licence of its owner.",
    facts="A notice was received under Article 16; the file was compared with the recording named there.",
    content_date=datetime(2026, 11, 1, tzinfo=UTC),
    application_date=NOW,
    puid="C1-N1_a",
    redress="You may complain to us within six months, free of charge; turn to a certified body, or to a court.",
)


def wanted(**given: Any) -> Wanted:
    """Ask for a takedown notice about both locations, or for what is given instead."""
    known: dict[str, Any] = {
        "kind": Kind.TAKEDOWN,
        "addressee": "hostly",
        "locations": ("L1", "L2"),
        "dated": NOW,
        "case": "C1",
        "key": "N1",
    }
    return Wanted(**{**known, **given})


def in_form(name: str, facts: Facts = FACTS) -> Drafted:
    """Draft what a form can carry, to an addressee that takes it."""
    form, located = FORMS[name], facts
    addressee, kind = HOST, form.kinds[0]
    if name == "inquiry":
        addressee = DRAWN
    elif name == "ddex_request":
        addressee = replace(HOST, layer=Layer.STREAMING)
    elif name == "google_txt":
        addressee = replace(HOST, layer=Layer.SEARCH)
    elif name == "acns":
        located = at_source(facts)
    elif hosted := _HOSTED.get(name):
        located = replace(
            facts, locations=tuple(replace(one, url=f"https://{hosted}/{one.key}") for one in facts.locations)
        )
    return drafted(
        located,
        wanted(kind=kind, addressee=asked_by(form, addressee), decision=DECISION if kind is Kind.REASONS else None),
    )


_HOSTED = {
    "web_youtube": "www.youtube.com",
    "web_soundcloud": "soundcloud.com",
    "web_facebook": "facebook.com",
    "github": "github.com/ember-17",
}


def at_source(facts: Facts) -> Facts:
    """Say at which IP address the locations answer, and what the files are called."""
    return replace(
        facts,
        locations=tuple(
            replace(one, host_ip="192.0.2.7", host_port=6881, protocol="BitTorrent", title=f"{one.key}.mp3")
            for one in facts.locations
        ),
    )


def clear(**given: Any) -> Notice:
    """Draft a notice of which nothing is missing."""
    found = drafted(FACTS, wanted(**given))
    assert found.blocks == ()
    return found.notice
