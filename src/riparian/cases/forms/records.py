"""How is a notice written as fields of JSON: under Article 16 of the DSA, and for the archive of Lumen?"""

import json
from typing import Any, Final

from riparian.cases.facts import Party
from riparian.cases.forms import words
from riparian.cases.forms.form import JSON, Form
from riparian.cases.notice import Element, Kind, Notice
from riparian.cases.statements import NEEDED


def record(said: dict[str, Any]) -> bytes:
    """Write fields as JSON: in their order, two blanks a level, UTF-8, a newline at its end."""
    return (json.dumps(said, ensure_ascii=False, indent=2) + "\n").encode()


def filled(said: dict[str, Any]) -> dict[str, Any]:
    """Leave out what is empty."""
    return {name: value for name, value in said.items() if value not in ("", [], {}, None)}


def _dsa16(notice: Notice) -> bytes:
    sender = notice.sender or Party("")
    return record(
        filled(
            {
                "type": "notice_of_illegal_content",
                "law": "Regulation (EU) 2022/2065, Article 16(2)",
                "reference": words.own_reference(notice),
                "dated": notice.dated.isoformat() if notice.dated else "",
                "language": notice.language,
                "explanation": words.said(notice, Element.EXPLANATION),
                "urls": [words.address(one.url) for one in notice.locations],
                "found": [_found(notice, n) for n in range(len(notice.locations))],
                "works": [
                    filled(
                        {
                            "title": words.line(one.title),
                            "artist": words.line(one.artist),
                            "isrc": words.line(one.isrc),
                            "owner": words.line(one.owner),
                        }
                    )
                    for one in notice.works
                ],
                "notifier": filled(
                    {
                        "name": words.line(sender.name),
                        "organisation": words.line(sender.organisation),
                        "email": words.line(sender.email),
                        "country": words.line(sender.country),
                    }
                ),
                "good_faith_statement": words.said(notice, Element.BONA_FIDE),
            }
        )
    )


def _found(notice: Notice, n: int) -> dict[str, Any]:
    place = notice.locations[n]
    return filled(
        {
            "url": words.address(place.url),
            "last_looked_at": words.minute(place.seen),
            "works": list(words.held(notice, place)),
        }
    )


def _lumen(notice: Notice) -> bytes:
    """Write it for an archive that everybody reads: no address, telephone number or e-mail of anybody."""
    roles = [
        ("sender", words.line(notice.sender.organisation) if notice.sender else ""),
        ("principal", words.line(notice.owner.organisation) if notice.owner else ""),
        ("recipient", words.line(notice.addressee.name) if notice.addressee else ""),
    ]
    law = "Article 16 of Regulation (EU) 2022/2065" if notice.regime == "dsa" else "17 U.S.C. 512(c)(3)"
    return record(
        {
            "notice": filled(
                {
                    "type": "Other" if notice.regime == "dsa" else "DMCA",
                    "title": f"Notice under {law}",
                    "subject": f"Copyright in {len(notice.works)} sound recording{'s'[: len(notice.works) != 1]}",
                    "body": " ".join(
                        words.said(notice, one)
                        for one in (Element.EXPLANATION, Element.GOOD_FAITH, Element.BONA_FIDE, Element.FAIR_USE)
                        if words.said(notice, one)
                    ),
                    "date_sent": notice.dated.date().isoformat() if notice.dated else "",
                    "language": notice.language,
                    "source": "Sender",
                    "works_attributes": _works(notice),
                    "entity_notice_roles_attributes": [
                        {"name": role, "entity_attributes": {"name": name, "kind": "organization"}}
                        for role, name in roles
                        if name
                    ],
                }
            )
        }
    )


def _works(notice: Notice) -> list[dict[str, Any]]:
    return [
        filled(
            {
                "description": words.named(work),
                "kind": "music",
                "infringing_urls_attributes": [
                    {"url": words.address(place.url)}
                    for place in notice.locations
                    if work in words.works_at(notice, place)
                ],
                "copyrighted_urls_attributes": [{"url": words.address(work.original)}] if work.original else [],
            }
        )
        for work in notice.works
    ]


def _unnamed(notice: Notice) -> str:
    named = notice.sender is not None and notice.sender.organisation.strip()
    return "" if named else "the archive is public, and only a person would be named as who sent it"


RECORDS: Final = (
    Form(
        "dsa16",
        "Notice of illegal content, as fields",
        (Kind.TAKEDOWN,),
        NEEDED["dsa"],
        _dsa16,
        media_type=JSON,
        suffix="json",
        regime="dsa",
        instead="dsa16_text",
        source="Regulation (EU) 2022/2065, Article 16(2)(a)-(d). There is no common format; this one is ours.",
    ),
    Form(
        "lumen_json",
        "A copy for the archive of Lumen, without anybody's address",
        (Kind.TAKEDOWN,),
        (Element.LOCATIONS,),
        _lumen,
        media_type=JSON,
        suffix="json",
        unfit=_unnamed,
        source="The fields that Lumen's API takes by its code (berkmancenter/lumendatabase, read 2026-11-23 in copies);"
        " the token is added by whoever submits. Not tried against the service.",
    ),
)
