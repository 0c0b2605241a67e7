"""How is a statement of reasons written for the DSA Transparency Database, and would the database take it?

Its rules are kept here as it keeps them (:func:`refused`), so that a statement is refused before it leaves and not by
the database.  A statement has no field for a person, and none for an address: what identifies anybody stays out.

Source
------
Regulation (EU) 2022/2065, Articles 17(3) and 24(5); the code of the database, as ``reasons.toml`` says.
"""

import re
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from datetime import date, datetime
from importlib.resources import files
from types import MappingProxyType
from typing import Any, Final

from riparian.cases.forms import words
from riparian.cases.forms.form import JSON, Form
from riparian.cases.forms.records import filled, record
from riparian.cases.notice import Decision, Element, Kind, Notice

_RULES: Final[Mapping[str, Any]] = tomllib.loads(files(__package__).joinpath("reasons.toml").read_text("utf-8"))
KNOWN: Final[Mapping[str, Sequence[str]]] = MappingProxyType(
    {**_RULES["values"], "category_addition": _RULES["values"]["category"]}
)
"""The values that a field may have, by its name."""

_LATEST: Final = date(2038, 1, 1)
_RESTRICTIONS: Final = ("decision_visibility", "decision_monetary", "decision_provision", "decision_account")
_REQUIRED: Final = (
    *("decision_ground", "content_type", "category", "content_date", "application_date", "decision_facts"),
    *("source_type", "automated_detection", "automated_decision", "puid"),
)
_LISTS: Final = frozenset(
    {
        *("decision_visibility", "content_type", "category_addition", "category_specification"),
        *("territorial_scope",),
    }
)
_NEVER_NULL: Final = frozenset({"category_addition", "incompatible_content_illegal"})
_SAYS_NULL: Final = frozenset({*_RESTRICTIONS, "account_type", "category_specification"})
_ONLY_WITH: Final = {
    "decision_visibility_other": ("decision_visibility", "DECISION_VISIBILITY_OTHER"),
    "decision_monetary_other": ("decision_monetary", "DECISION_MONETARY_OTHER"),
    "content_type_other": ("content_type", "CONTENT_TYPE_OTHER"),
    "illegal_content_legal_ground": ("decision_ground", "DECISION_GROUND_ILLEGAL_CONTENT"),
    "illegal_content_explanation": ("decision_ground", "DECISION_GROUND_ILLEGAL_CONTENT"),
    "incompatible_content_ground": ("decision_ground", "DECISION_GROUND_INCOMPATIBLE_CONTENT"),
    "incompatible_content_explanation": ("decision_ground", "DECISION_GROUND_INCOMPATIBLE_CONTENT"),
}
_PASSED_OVER: Final = frozenset(_ONLY_WITH) - {"decision_visibility_other", "content_type_other"}
"""What is not looked at where nothing asks for it; of the two others the length is."""

_EAN: Final = re.compile(r"[0-9]{13}")
_PUID: Final = re.compile(r"[a-zA-Z0-9_-]+")
_URL: Final = re.compile(r"(?:https?|ftp)://[^\s/?#]+\S*", re.IGNORECASE)


def statement(decision: Decision, language: str = "") -> dict[str, Any]:
    """Write a decision in the fields of the database."""
    illegal = decision.ground == "ILLEGAL_CONTENT"
    until = decision.until.date().isoformat() if decision.until else ""
    return filled(
        {
            "decision_visibility": [_named("DECISION_VISIBILITY", one) for one in decision.visibility],
            "decision_monetary": _named("DECISION_MONETARY", decision.monetary),
            "decision_provision": _named("DECISION_PROVISION", decision.provision),
            "decision_account": _named("DECISION_ACCOUNT", decision.account),
            "decision_ground": _named("DECISION_GROUND", decision.ground),
            "illegal_content_legal_ground" if illegal else "incompatible_content_ground": words.line(
                decision.ground_named
            ),
            "illegal_content_explanation" if illegal else "incompatible_content_explanation": words.line(
                decision.explanation
            ),
            "decision_facts": words.line(decision.facts),
            "content_type": ["CONTENT_TYPE_AUDIO"],
            "category": "STATEMENT_CATEGORY_INTELLECTUAL_PROPERTY_INFRINGEMENTS",
            "category_specification": ["KEYWORD_COPYRIGHT_INFRINGEMENT"],
            "content_language": language.upper(),
            "content_date": decision.content_date.date().isoformat(),
            "application_date": decision.application_date.date().isoformat(),
            "end_date_visibility_restriction": until if decision.visibility else "",
            "end_date_monetary_restriction": until if decision.monetary else "",
            "end_date_service_restriction": until if decision.provision else "",
            "end_date_account_restriction": until if decision.account else "",
            "territorial_scope": list(decision.territories),
            "source_type": _named("SOURCE", decision.source),
            "automated_detection": "Yes" if decision.automated_detection else "No",
            "automated_decision": _named("AUTOMATED_DECISION", decision.automated_decision),
            "puid": decision.puid,
        }
    )


def _named(prefix: str, value: str) -> str:
    return f"{prefix}_{value}" if value else ""


def refused(said: Mapping[str, Any]) -> tuple[str, ...]:
    """List why the database would refuse a statement; empty when it would take it.

    Parameters
    ----------
    said
        The statement, by the names of its fields; fields that it does not know are passed over, as it does.

    Examples
    --------
    >>> refused({"decision_ground": "TASTE"})[:2]
    ('no restriction is named, of visibility, monetary, provision or account', '`content_type` is missing')
    """
    said = {name: _trimmed(one) for name, one in said.items()}
    return tuple(dict.fromkeys([*_lacking(said), *_wrong(said), *_misnumbered(said)]))


def _trimmed(value: Any) -> Any:
    """Take blanks off the ends of texts; nothing is left of an empty one.  An object is the list of its values."""
    if isinstance(value, str):
        return value.strip() or None
    if isinstance(value, Mapping):
        return {name: _trimmed(one) for name, one in value.items()}
    return [_trimmed(one) for one in value] if isinstance(value, list) else value


def _lacking(said: Mapping[str, Any]) -> Iterator[str]:
    if not any(_is_there(said.get(name)) for name in _RESTRICTIONS):
        yield "no restriction is named, of visibility, monetary, provision or account"
    for name in _REQUIRED:
        if not _is_there(said.get(name)):
            yield f"`{name}` is missing"
    for name, (other, value) in _ONLY_WITH.items():
        if _holds(said.get(other), value) and not _is_there(said.get(name)):
            yield f"`{name}` is missing, which `{value}` asks for"


def _wrong(said: Mapping[str, Any]) -> Iterator[str]:
    for name, value in said.items():
        if name in _PASSED_OVER and not _holds(said.get(_ONLY_WITH[name][0]), _ONLY_WITH[name][1]):
            continue
        if value is None and name not in _NEVER_NULL:
            continue
        if name in _LISTS and not isinstance(value, _MANY):
            yield f"`{name}` is no list"
        elif name in KNOWN:
            yield from _of_others(name, value)
        elif name in _RULES["dates"]:
            yield from _no_date(name, value)
        yield from _too_long(name, value)


def _misnumbered(said: Mapping[str, Any]) -> Iterator[str]:
    """Look at numbers and addresses, which have a form of their own."""
    puid = said.get("puid")
    if _is_there(puid) and (isinstance(puid, bool) or not _PUID.fullmatch(str(puid))):
        yield "`puid` has other characters than letters of English, digits, - and _"
    url = said.get("decision_ground_reference_url")
    if url is not None and not (isinstance(url, str) and _URL.fullmatch(url)):
        yield "`decision_ground_reference_url` is no address"
    content = said.get("content_id")
    if content is not None and not isinstance(content, _MANY):
        yield "`content_id` is no list"
    wanted = [("content_id_ean", said.get("content_id_ean"))] if said.get("content_id_ean") is not None else []
    if isinstance(content, Mapping) and "EAN-13" in content:
        wanted.append(("content_id.EAN-13", content["EAN-13"]))
    for name, ean in wanted:
        if not isinstance(ean, str) or not _EAN.fullmatch(ean):
            yield f"`{name}` has not thirteen digits"


def _of_others(name: str, value: Any) -> Iterator[str]:
    """Refuse values that are not known; where nothing may be said, the word ``null`` says it."""
    known = {*KNOWN[name], "null"} if name in _SAYS_NULL else set(KNOWN[name])
    for one in _values(value) if name in _LISTS else [value]:
        if not isinstance(one, str) or one not in known:
            yield f"`{name}` has the value `{str(one)[:60]}`, which is not known"


def _no_date(name: str, value: Any) -> Iterator[str]:
    try:
        read = datetime.strptime(str(value), "%Y-%m-%d").date()  # noqa: DTZ007 -- a day, in no zone
    except ValueError:
        read = None
    if read is None or read.isoformat() != value:
        yield f"`{name}` is no day, as in 2026-11-23"
    elif read > _LATEST or read.isoformat() < _RULES["dates"][name]:
        yield f"`{name}` is out of range"


def _too_long(name: str, value: Any) -> Iterator[str]:
    most = _RULES["characters"].get(name)
    if most is not None and len(value if isinstance(value, _MANY) else str(value)) > most:
        yield f"`{name}` is longer than {most} characters"


_MANY: Final = (list, Mapping)


def _values(value: Any) -> Sequence[Any]:
    return list(value.values()) if isinstance(value, Mapping) else value


def _is_there(value: Any) -> bool:
    return value is not None and not (isinstance(value, _MANY) and not value)


def _holds(value: Any, wanted: str) -> bool:
    return wanted in _values(value) if isinstance(value, _MANY) else value == wanted


def _unfit(notice: Notice) -> str:
    if notice.decision is None:
        return "nothing was decided"
    return "; ".join(refused(statement(notice.decision, notice.language)))


def _write(notice: Notice) -> bytes:
    return record(statement(notice.decision, notice.language) if notice.decision else {})


REASONS: Final = Form(
    "dsa_reasons",
    "A statement of reasons, for the DSA Transparency Database",
    (Kind.REASONS,),
    (Element.EXPLANATION,),
    _write,
    media_type=JSON,
    suffix="json",
    regime="dsa",
    unfit=_unfit,
    instead="dsa_reasons_text",
    source="Regulation (EU) 2022/2065, Articles 17 and 24(5); the code of the database, read 2026-11-23 in copies.",
)
