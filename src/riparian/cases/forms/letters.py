"""How is a notice written as a letter: under the DMCA, under the DSA, to GitHub, to a distributor, to a recipient?"""

from datetime import UTC
from importlib.resources import files
from typing import Any, Final

from jinja2 import DictLoader, Environment, StrictUndefined

from riparian.cases.facts import Layer, Location, Party
from riparian.cases.forms import words
from riparian.cases.forms.form import Form
from riparian.cases.notice import Decision, Element, Kind, Notice
from riparian.cases.sentences import day
from riparian.cases.statements import NEEDED

_TEMPLATES: Final = {
    one.name: one.read_text("utf-8") for one in files(__package__).joinpath("templates").iterdir() if one.is_file()
}
_JINJA: Final = Environment(
    loader=DictLoader(_TEMPLATES),
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
    keep_trailing_newline=True,
    autoescape=False,  # noqa: S701 -- plain text: what comes from outside is made one line by `words`
)


def letter(notice: Notice, template: str) -> bytes:
    """Write a notice as a text."""
    text = _JINJA.get_template(template).render(_shown(notice))
    return text.encode()


def _shown(notice: Notice) -> dict[str, Any]:
    return {
        "kind": notice.kind.value,
        "reference": words.own_reference(notice),
        "about": words.line(notice.reference),
        "date": day(notice.dated.astimezone(UTC)) if notice.dated else "",
        "to": words.line(notice.addressee.name) if notice.addressee else "",
        "to_address": words.line(notice.addressee.address) if notice.addressee else "",
        "sender": _party(notice.sender),
        "owner": _party(notice.owner),
        "signed_by": words.line(notice.signed_by),
        "works": [
            {
                "n": n,
                "title": words.line(one.title or one.recording),
                "artist": words.line(one.artist),
                "album": words.line(one.album),
                "isrc": words.line(one.isrc),
                "original": words.address(one.original),
            }
            for n, one in enumerate(notice.works, 1)
        ],
        "decision": _decision(notice.decision),
        "claims": [
            name for name, hosts in _OF_GITHUB.items() if any(words.is_at(one.url, hosts) for one in notice.locations)
        ],
        "places": [_place(notice, n, one) for n, one in enumerate(notice.locations, 1)],
        "said": {element.value: words.said(notice, element) for element in Element},
    }


def _party(party: Party | None) -> dict[str, str]:
    said = party or Party("")
    return {
        "name": words.line(said.name),
        "organisation": words.line(said.organisation),
        "address": words.line(said.address.replace("\n", ", ")),
        "email": words.line(said.email),
        "phone": words.line(said.phone),
        "country": words.line(said.country),
    }


def _decision(decision: Decision | None) -> dict[str, Any]:
    if decision is None:
        return {}
    restricted = (*decision.visibility, decision.monetary, decision.provision, decision.account)
    return {
        "restricted": ", ".join(one.replace("_", " ").lower() for one in restricted if one),
        "territories": ", ".join(decision.territories) or "the European Economic Area",
        "until": day(decision.until) if decision.until else "",
        "since": day(decision.application_date),
        "facts": words.line(decision.facts),
        "noticed": _NOTICED[decision.source],
        "found_by_machine": decision.automated_detection,
        "decided_by_machine": decision.automated_decision,
        "is_illegal": decision.ground == "ILLEGAL_CONTENT",
        "ground": words.line(decision.ground_named),
        "explanation": words.line(decision.explanation),
        "redress": words.line(decision.redress),
        "puid": words.line(decision.puid),
    }


_NOTICED: Final = {
    "ARTICLE_16": "We acted on a notice submitted under Article 16.",
    "TRUSTED_FLAGGER": "We acted on a notice submitted by a trusted flagger.",
    "TYPE_OTHER_NOTIFICATION": "We acted on another kind of notification.",
    "VOLUNTARY": "We acted on our own initiative.",
}


def _place(notice: Notice, n: int, place: Location) -> dict[str, Any]:
    return {
        "n": n,
        "url": words.address(place.url),
        "title": words.line(place.title),
        "seen": words.minute(place.seen),
        "held": list(words.held(notice, place)),
        "works": [notice.works.index(one) + 1 for one in words.works_at(notice, place)],
    }


def _undecided(notice: Notice) -> str:
    if notice.decision is None:
        return "nothing was decided"
    if not notice.decision.redress.strip():
        return "it does not say what can be done about it, which Article 17(3)(f) asks for"
    if notice.decision.source not in _NOTICED:
        return f"it says by `{words.line(notice.decision.source)[:40]}` that it was noticed, which is not known"
    return ""


def _only_github(notice: Notice) -> str:
    hosts = [host for group in _OF_GITHUB.values() for host in group]
    others = [one.key for one in notice.locations if not words.is_at(one.url, hosts)]
    return f"it takes addresses at {', '.join(hosts)}, and {', '.join(others)} is elsewhere" if others else ""


_OF_GITHUB: Final = {
    "GitHub": ("github.com", "githubusercontent.com", "github.io"),
    "npm.js": ("npmjs.com", "npmjs.org"),
}


def _only_mail(notice: Notice) -> str:
    mail = notice.addressee is not None and notice.addressee.layer is Layer.MAIL
    return "" if mail else "a question is put to a person to whom a copy was issued, not to a service"


def _only_partners(notice: Notice) -> str:
    partner = notice.addressee is not None and notice.addressee.layer is Layer.STREAMING
    return "" if partner else "releases are delivered to licensed services only, and the addressee is none"


LETTERS: Final = (
    Form(
        "dmca_text",
        "Notice of claimed infringement, as a letter",
        (Kind.TAKEDOWN, Kind.RETRACTION),
        NEEDED["dmca"],
        lambda notice: letter(notice, "dmca.txt.j2"),
        regime="dmca",
        instead="dsa16_text",
        source="17 U.S.C. 512(c)(3)(A); read 2026-11-23 in reprints.",
    ),
    Form(
        "dsa16_text",
        "Notice of illegal content, as a letter",
        (Kind.TAKEDOWN, Kind.RETRACTION),
        NEEDED["dsa"],
        lambda notice: letter(notice, "dsa16.txt.j2"),
        regime="dsa",
        source="Regulation (EU) 2022/2065, Article 16(2); read 2026-11-23 in reprints. No law gives it a shape.",
    ),
    Form(
        "github",
        "The questions of GitHub's form, answered",
        (Kind.TAKEDOWN,),
        NEEDED["dmca"],
        lambda notice: letter(notice, "github.txt.j2"),
        regime="dmca",
        unfit=_only_github,
        source="GitHub's questions as notices show them that it published, read 2026-11-23; the form was not opened.",
    ),
    Form(
        "ddex_request",
        "A request to a licensed service to take a release down",
        (Kind.TAKEDOWN,),
        (Element.WORKS, Element.LOCATIONS, Element.CONTACT, Element.EXPLANATION),
        lambda notice: letter(notice, "ddex.txt.j2"),
        unfit=_only_partners,
        source="DDEX has no message for notices of infringement: an ERN takedown withdraws a release that the sender"
        " delivered. This is a letter, and says so.",
    ),
    Form(
        "dsa_reasons_text",
        "A statement of reasons, as a letter to whom it affects",
        (Kind.REASONS,),
        (Element.EXPLANATION,),
        lambda notice: letter(notice, "reasons.txt.j2"),
        regime="dsa",
        unfit=_undecided,
        instead="dsa_reasons",
        source="Regulation (EU) 2022/2065, Article 17(3)(a)-(f); read 2026-11-23 in reprints.",
    ),
    Form(
        "inquiry",
        "A question to the recipient of a copy",
        (Kind.INQUIRY,),
        (Element.EXPLANATION,),
        lambda notice: letter(notice, "inquiry.txt.j2"),
        unfit=_only_mail,
        source="Our own.",
    ),
)
