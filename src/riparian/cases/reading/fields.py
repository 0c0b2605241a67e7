"""What do notices say that came as fields: a DSA notice, a statement of reasons, a notice in the form of Lumen?

There is no common form of a notice under Article 16 of the DSA; the one that is read is the one that we write
(:mod:`riparian.cases.forms`), and names that others use for the same are taken too.

Source
------
Regulation (EU) 2022/2065, Articles 16(2) and 17(3); the fields of the DSA Transparency Database
(transparency.dsa.ec.europa.eu, documentation of the API); the fields of Lumen's API (lumendatabase.org, ``works``,
``infringing_urls``, ``copyrighted_urls``, roles of entities).  Read 2026-11-23 in reprints.
"""

import json
from collections.abc import Mapping, Sequence
from typing import Any, Final

from riparian.cases.facts import Location, Party, Work
from riparian.cases.notice import Element, Kind, Notice, Statement
from riparian.cases.reading.elements import ASKED
from riparian.cases.reading.places import PLACES_MAX
from riparian.cases.reading.plain import quoted, when
from riparian.cases.reading.seen import Form, Read, Seen, Standing
from riparian.errors import InputError

_KINDS: Final = {
    "dmca": Kind.TAKEDOWN,
    "counternotice": Kind.COUNTER,
    "counternotification": Kind.COUNTER,
    "retraction": Kind.RETRACTION,
    "courtorder": Kind.COURT_ORDER,
}
_REASONS: Final = frozenset({"decision_ground", "decision_facts", "decision_visibility"})
_LUMEN_ROW: Final = frozenset(
    {"infringing_urls", "infringing_urls_attributes", "copyrighted_urls", "copyrighted_urls_attributes"}
)
_LUMEN_NOTICE: Final = frozenset(
    {"entity_notice_roles", "entity_notice_roles_attributes", "works_attributes", "sender_name", "principal_name"}
)
_DEPTH: Final = 12


def read_fields(content: bytes) -> Read:
    """Read a notice in JSON; of a list, the first.

    Raises
    ------
    InputError
        When it is not JSON, nests too deep, or is none of the forms that are known.
    """
    try:
        data = json.loads(content)
    except (ValueError, RecursionError) as error:
        raise InputError(
            "the notice is not JSON that can be read, wanted an object", hint="Ask its sender for it as a file."
        ) from error
    remarks: list[str] = []
    if isinstance(data, Mapping) and isinstance(data.get("statements"), list):
        data = data["statements"]
    if isinstance(data, list):
        if len(data) > 1:
            remarks.append(f"the file has {len(data)} notices; the first was read")
        data = data[0] if data else None
    data = _unwrapped(data)
    if set(data) & _REASONS:
        return _reasons(data, remarks)
    if _is_lumen(data):
        return _lumen(data, remarks)
    if found := _dsa(data, remarks):
        return found
    names = ", ".join(f"`{name[:30]}`" for name in list(data)[:5])
    raise InputError(
        f"the notice has the fields {names or 'of none'}, wanted a DSA notice, a statement of reasons or one of Lumen",
        hint="Read it as a letter, or ask its sender which form it is.",
    )


def _unwrapped(data: object) -> Mapping[str, Any]:
    for _ in range(_DEPTH):
        if not isinstance(data, Mapping):
            break
        if len(data) == 1 and isinstance(inner := next(iter(data.values())), Mapping):
            data = inner
            continue
        if isinstance(data.get("notice"), Mapping):
            data = data["notice"]
            continue
        return data
    raise InputError("the notice is JSON but no object, wanted fields", hint="Ask its sender for it as a file.")


def _is_lumen(data: Mapping[str, Any]) -> bool:
    """Say whether its works have addresses in them, or its parties have roles; works alone others have too."""
    rows = _rows(data, "works", "works_attributes")
    inside = {name for row in rows for name in row}
    return bool(rows and (inside & _LUMEN_ROW or set(data) & _LUMEN_NOTICE))


def _reasons(data: Mapping[str, Any], remarks: list[str]) -> Read:
    urls = _texts(data, "url", "urls", "content_url")
    facts = _text(data, "decision_facts")
    elements = (
        _seen(
            Element.EXPLANATION, facts or _text(data, "illegal_content_explanation", "incompatible_content_explanation")
        ),
    )
    notice = Notice(
        kind=Kind.REASONS,
        regime="dsa",
        form="dsa_reasons",
        sender=_party(data, "platform_name", "sender"),
        locations=_locations(urls),
        dated=when(_text(data, "application_date")),
        reference=_text(data, "puid"),
        language=_text(data, "content_language").lower() or "en",
        statements=tuple(Statement(one.element, one.quote) for one in elements if one.quote),
    )
    return Read(notice, Form.DSA_REASONS, elements, facts, answers_to=Kind.TAKEDOWN, remarks=tuple(remarks))


def _lumen(data: Mapping[str, Any], remarks: list[str]) -> Read:
    works: list[Work] = []
    pairs: dict[str, tuple[str, ...]] = {}
    urls: list[str] = []
    originals: list[str] = []
    for n, row in enumerate(_rows(data, "works", "works_attributes"), 1):
        works.append(Work(f"W{n}", title=_text(row, "description", "title")))
        for url in _urls(row, "infringing_urls", "infringing_urls_attributes"):
            urls.append(url)
            pairs[f"L{len(urls)}"] = (f"W{n}",)
        originals += _urls(row, "copyrighted_urls", "copyrighted_urls_attributes")
    kind = _KINDS.get("".join(filter(str.isalpha, _text(data, "type", "notice_type").lower())), Kind.OTHER)
    roles = {
        _text(row, "name").lower(): row for row in _rows(data, "entity_notice_roles", "entity_notice_roles_attributes")
    }
    text = _text(data, "body", "request", "subject")
    notice = Notice(
        kind=kind,
        form="lumen_json",
        sender=_entity(roles.get("sender"), "sender") or _party(data, "sender_name", "sender"),
        owner=_entity(roles.get("principal"), "owner") or _party(data, "principal_name", "owner"),
        works=tuple(works),
        locations=_locations(urls),
        pairs=pairs,
        dated=when(_text(data, "date_sent") or _text(data, "date_received")),
        reference=_text(data, "counternotice_for_id", "id"),
    )
    filled = {
        Element.WORKS: "; ".join(one.title for one in works),
        Element.LOCATIONS: " ".join(urls),
        Element.FORMER_LOCATIONS: " ".join(urls),
    }
    elements = tuple(
        _seen(element, filled[element]) if element in filled else Seen(element, Standing.UNKNOWN, note=_NO_FIELD)
        for element in ASKED.get(("dmca", kind), ())
    )
    about = Kind.TAKEDOWN if kind in {Kind.COUNTER, Kind.RETRACTION} else None
    return Read(
        notice, Form.LUMEN, elements, text, answers_to=about, originals=tuple(originals), remarks=tuple(remarks)
    )


_NO_FIELD: Final = "this form has no field for it"


def _dsa(data: Mapping[str, Any], remarks: list[str]) -> Read | None:
    urls = _texts(data, "urls", "url", "exact_electronic_locations", "electronic_location", "locations", "location")
    explanation = _text(data, "explanation", "substantiated_explanation", "reasons", "reason")
    statement = _text(data, "good_faith_statement", "bona_fide", "bona_fide_statement", "statement", "good_faith")
    sender = _entity(data.get("notifier") or data.get("submitter") or data.get("sender"), "sender") or Party(
        _text(data, "name", "notifier_name"), email=_text(data, "email", "notifier_email"), role="sender"
    )
    if not explanation and not urls:
        return None
    filled = {
        Element.EXPLANATION: explanation,
        Element.LOCATIONS: " ".join(urls),
        Element.NAME_AND_EMAIL: f"{sender.name or sender.organisation} {sender.email}"
        if (sender.name or sender.organisation) and sender.email
        else "",
        Element.BONA_FIDE: statement,
    }
    elements = tuple(_seen(element, filled[element]) for element in ASKED["dsa", Kind.TAKEDOWN])
    rows = _rows(data, "works")
    notice = Notice(
        kind=Kind.TAKEDOWN,
        regime="dsa",
        form="dsa16",
        sender=sender,
        works=tuple(
            Work(f"W{n}", title=_text(row, "title"), artist=_text(row, "artist"), isrc=_text(row, "isrc"))
            for n, row in enumerate(rows, 1)
        ),
        locations=_locations(urls),
        statements=tuple(Statement(one.element, one.quote) for one in elements if one.quote),
        dated=when(_text(data, "dated", "date", "date_sent")),
        reference=_text(data, "reference", "id"),
        language=_text(data, "language") or "en",
    )
    references = (notice.reference,) if notice.reference else ()
    return Read(notice, Form.DSA16, elements, explanation, references=references, remarks=tuple(remarks))


def _seen(element: Element, said: str) -> Seen:
    if said.strip():
        return Seen(element, Standing.PRESENT, quote=quoted(said, (0, len(said))), note="a field holds it")
    return Seen(element, Standing.MISSING, note="the field for it is empty or not there")


def _locations(urls: Sequence[str]) -> tuple[Location, ...]:
    return tuple(Location(f"L{n}", url) for n, url in enumerate(urls[:PLACES_MAX], 1))


def _text(data: object, *names: str) -> str:
    for name in names:
        value = data.get(name) if isinstance(data, Mapping) else None
        if isinstance(value, str) and value.strip():
            return value.strip()
        if isinstance(value, int) and not isinstance(value, bool):
            return str(value)
    return ""


def _texts(data: Mapping[str, Any], *names: str) -> list[str]:
    """Give the texts under the first name that has any: one text, several, or the addresses of objects."""
    for name in names:
        value = data.get(name)
        rows = value if isinstance(value, list) else [value]
        found = [one.strip() if isinstance(one, str) else _text(one, "url", "address", "location") for one in rows]
        if any(found):
            return [one for one in found if one]
    return []


def _rows(data: Mapping[str, Any], *names: str) -> list[Mapping[str, Any]]:
    for name in names:
        if isinstance(value := data.get(name), list):
            return [one for one in value if isinstance(one, Mapping)]
    return []


def _urls(data: Mapping[str, Any], *names: str) -> list[str]:
    return _texts(data, *names)


def _entity(row: object, role: str) -> Party | None:
    entity = row.get("entity", row.get("entity_attributes", row)) if isinstance(row, Mapping) else None
    if not isinstance(entity, Mapping):
        return None
    party = Party(
        name=_text(entity, "name"),
        organisation=_text(entity, "organisation", "organization"),
        address=_text(entity, "address", "address_line_1"),
        email=_text(entity, "email"),
        phone=_text(entity, "phone"),
        country=_text(entity, "country", "country_code"),
        role=role,
    )
    return party if party.name or party.organisation else None


def _party(data: Mapping[str, Any], name: str, role: str) -> Party | None:
    said = _text(data, name)
    return Party(said, role=role) if said else None
