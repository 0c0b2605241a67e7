"""What does an ACNS message say (Automated Copyright Notice System, 0.6 to 2.0 revision 1.2)?

Senders are read as they are, not as they should be: namespaces of either house, another or none; a time stamp that is
missing; a message that its schema would refuse.  What a message says is kept whole (:func:`tree`), and read into the
one model of letters (:func:`read_acns`).

Source
------
ACNS 2.0 revision 1.2, schema http://www.acns.net/v1.2 (Motion Picture Laboratories; the specification is CC BY-ND 3.0
US): root elements Infringement, NoticeAck, StatusRequest, StatusUpdate, NoticeStatus, CounterNotice, Detection,
Verification, MessageEnvelope.  ``Complianant`` is how that schema writes the complainant of a NoticeAck.
"""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Final, TypeAlias, Union, cast

from lxml import etree

from riparian.cases.facts import Location, Party, Work
from riparian.cases.notice import Element, Kind, Notice, Statement
from riparian.cases.reading.elements import ASKED, checked
from riparian.cases.reading.plain import when
from riparian.cases.reading.seen import Form, Read, Seen, Standing
from riparian.errors import InputError

Tree: TypeAlias = Union[str, int, "Mapping[str, Tree]", "tuple[Tree, ...]"]

DEPTH_MAX: Final = 32
NODES_MAX: Final = 200_000

ROOTS: Final = frozenset(
    {
        *("Infringement", "NoticeAck", "StatusRequest", "StatusUpdate", "NoticeStatus"),
        *("CounterNotice", "Detection", "Verification", "MessageEnvelope"),
    }
)
_SPELLED: Final = {"Complianant": "Complainant", "ServiceProvider": "Service_Provider"}
_MANY: Final = frozenset(
    {
        *("Item", "AlsoSeen", "Notice", "InternalTracking", "Declarations"),
        *("Message", "CaseStatus", "ActionTaken", "NoticeAck", "VerifiedImageBinary"),
        *("VerifiedImageLocation",),
    }
)
_WHOLE: Final = frozenset(
    {
        *("Port", "Protocol", "Number_Files", "FileSize"),
        *("MatchThreshold", "VerificationLevel", "Level", "Sequence"),
        *("CurrentSequence", "OriginalPort", "MappedPort", "MappedProtocol"),
        *("TotalCaseCount", "TotalInfringementCount", "TotalIncidentCount"),
    }
)
_TRUTH: Final = frozenset(
    {
        *("IsSource", "Audio", "Video", "Text", "Image", "Fingerprint"),
        *("Human", "HashMatched", "MetadataMatched", "Retraction", "Accepted", "ProperlySigned"),
        *("Consent", "DMCA", "Removed", "CancelMsg", "Primary"),
    }
)
_MIXED: Final = frozenset(
    {
        *("AlsoSeen", "SubType", "Hash", "Notice", "Type"),
        *("OriginalAssetID", "WatermarkMatched", "SubjectID", "VerificationLevel"),
    }
)
_KINDS: Final = {
    "Infringement": Kind.TAKEDOWN,
    "NoticeAck": Kind.ACKNOWLEDGEMENT,
    "CounterNotice": Kind.COUNTER,
}
_FIXES_VERSION: Final = "http://www.acns.net/ACNS"
_VERSION_2: Final = frozenset(
    {
        *("Type", "Detection", "Verification", "InternalTracking"),
        *("TextNotice", "VerifiedData", "Declarations"),
    }
)


def parsed(content: bytes) -> etree._Element:
    """Read XML that may be hostile: no entities, no network, no deeper than 32 and no more than 200,000 elements.

    Raises
    ------
    InputError
        When it is not XML, or is beyond these bounds.
    """
    parser = etree.XMLParser(
        resolve_entities=False, no_network=True, load_dtd=False, dtd_validation=False, huge_tree=False, recover=False
    )
    try:
        root = etree.fromstring(content, parser)
    except (etree.XMLSyntaxError, ValueError) as error:
        raise InputError(
            f"the message is not XML that can be read: {error}", hint="Ask its sender for it as a file."
        ) from error
    for n, one in enumerate(root.iter()):
        if n >= NODES_MAX or sum(1 for _ in one.iterancestors()) > DEPTH_MAX:
            raise InputError(
                f"the message nests deeper than {DEPTH_MAX} or has more than {NODES_MAX} elements, wanted a notice",
                hint="Ask its sender for one notice in a message.",
            )
    return root


def named(one: etree._Element) -> str:
    """Give the name of an element without its namespace, spelt as it is meant; empty for what is no element."""
    if not isinstance(one.tag, str):
        return ""
    name = etree.QName(one).localname
    return _SPELLED.get(name, name)


def tree(one: etree._Element) -> Tree:
    """Say all that an element says: its attributes and elements by their names, its own text as ``_``.

    Numbers are numbers, and a truth is 1 or 0.  An element that may be there many times is always a tuple.
    """
    name = named(one)
    inside: dict[str, Tree] = {}
    many: dict[str, list[Tree]] = {}
    for key, value in one.attrib.items():
        plain = etree.QName(cast(str, key)).localname
        if plain not in {"schemaLocation", "noNamespaceSchemaLocation"}:
            inside[plain] = _typed(plain, str(value))
    for child in one:
        if key := named(child):
            said = tree(child)
            if key in _MANY and not (key == "Notice" and name != "History"):
                many.setdefault(key, []).append(said)
            else:
                inside.setdefault(key, said)
    inside |= {key: tuple(group) for key, group in many.items()}
    text = (one.text or "") + "".join(child.tail or "" for child in one)
    if not inside:
        return _typed(name, text)
    if text.strip() or (name in _MIXED and not len(one)):
        inside["_"] = _typed(name, text)
    return inside


def message(root: etree._Element) -> Mapping[str, Tree]:
    """Say all that a message says, with what its schema fixes for every message of that namespace."""
    said = tree(root)
    whole = dict(said) if isinstance(said, dict) else {"_": said}
    if etree.QName(root).namespace == _FIXES_VERSION:
        whole.setdefault("schemaVersion", "1.2")
    return whole


def _typed(name: str, text: str) -> str | int:
    value = text.strip()
    if name in _TRUTH and value in {"true", "false", "1", "0"}:
        return int(value in {"true", "1"})
    if name in _WHOLE and value.isascii() and value.isdigit() and len(value) < 19:
        return int(value)
    return text


def read_acns(content: bytes) -> Read:
    """Read a message.

    Raises
    ------
    InputError
        When it is not XML, or none of the messages of ACNS.
    """
    outer = parsed(content)
    remarks: list[str] = []
    root = _opened(outer, remarks)
    name = named(root)
    if name not in ROOTS:
        raise InputError(f"the message begins with `{name[:40]}`, wanted one of ACNS", hint="Read it as a letter.")
    said = message(root)
    kind, about = _kind(name, said)
    text = _text(said)
    complainant, provider = (
        _party(said.get("Complainant"), "complainant"),
        _party(said.get("Service_Provider"), "recipient"),
    )
    subscriber = _party(said.get("Subscriber"), "subscriber")
    sender = {Kind.COUNTER: subscriber, Kind.ACKNOWLEDGEMENT: provider}.get(kind, complainant)
    works, locations, pairs = _items(said, remarks)
    case = said.get("Case")
    reference = _of(case, "ID") or _of(said, "CaseID")
    notice = Notice(
        kind=kind,
        regime="dmca",
        form="acns",
        sender=sender,
        owner=None,
        works=works,
        locations=locations,
        pairs=pairs,
        dated=when(_of(said, "TimeStamp") or _of(said.get("Source"), "TimeStamp") or _first_seen(said)),
        reference=reference,
    )
    elements = _elements(notice, text)
    statements = tuple(Statement(one.element, one.quote) for one in elements if one.standing is Standing.PRESENT)
    return Read(
        replace(notice, statements=statements),
        Form.ACNS,
        elements,
        text,
        version=_version(root, said),
        answers_to=about,
        references=tuple(one for one in (reference, _of(case, "Ref_URL")) if one),
        remarks=tuple(remarks),
    )


def _opened(outer: etree._Element, remarks: list[str]) -> etree._Element:
    if named(outer) != "MessageEnvelope":
        return outer
    inside = [one for message in outer if named(message) == "Message" for one in message if named(one) in ROOTS]
    if not inside:
        raise InputError("the envelope has no message in it, wanted at least one", hint="Ask its sender for it again.")
    if len(inside) > 1:
        remarks.append(f"the envelope has {len(inside)} messages; the first was read")
    return inside[0]


def _kind(name: str, said: Mapping[str, Tree]) -> tuple[Kind, Kind | None]:
    kind = said.get("Type")
    if name == "Infringement" and isinstance(kind, dict) and kind.get("Retraction") == 1:
        return Kind.RETRACTION, Kind.TAKEDOWN
    if "CounterNotice" in said:
        return Kind.COUNTER, Kind.TAKEDOWN
    found = _KINDS.get(name, Kind.OTHER)
    return found, None if found in {Kind.TAKEDOWN, Kind.OTHER} else Kind.TAKEDOWN


def _elements(notice: Notice, text: str) -> tuple[Seen, ...]:
    """Judge what the fields hold by the fields, and the statements by the text that came along."""
    filled = {
        Element.WORKS: bool(notice.works),
        Element.LOCATIONS: bool(notice.locations),
        Element.FORMER_LOCATIONS: bool(notice.locations),
        Element.CONTACT: bool(notice.sender and (notice.sender.email or notice.sender.phone or notice.sender.address)),
        Element.RETRACTS: notice.kind is Kind.RETRACTION,
    }
    seen = {one.element: one for one in checked(text, "dmca", notice.kind)} if text.strip() else {}
    return tuple(
        Seen(element, Standing.PRESENT, note="a field of the message holds it")
        if filled.get(element)
        else seen.get(element, Seen(element, Standing.MISSING, note="no field and no text of the message holds it"))
        for element in ASKED.get(("dmca", notice.kind), ())
    )


def _items(
    said: Mapping[str, Tree], remarks: list[str]
) -> tuple[tuple[Work, ...], tuple[Location, ...], dict[str, tuple[str, ...]]]:
    source = said.get("Source")
    ip, protocol = _of(source, "IP_Address"), _of(source, "Type")
    port = source.get("Port", 0) if isinstance(source, dict) else 0
    works: dict[tuple[str, str], Work] = {}
    locations: list[Location] = []
    pairs: dict[str, tuple[str, ...]] = {}
    undated: list[int] = []
    for n, item in enumerate(_all_items(said), 1):
        title, artist = _of(item, "Title") or _of(item, "FileName"), _of(item, "Artist")
        work = works.setdefault((title, artist), Work(f"W{len(works) + 1}", title=title, artist=artist))
        url = _of(item, "URL") or _of(item, "HostURI") or _of(source, "URL_Base") or _of_hash(item)
        seen = when(_of(item, "TimeStamp"))
        undated += [n] if seen is None else []
        key = f"L{n}"
        locations.append(
            Location(
                key,
                url,
                title=_of(item, "FileName"),
                first_seen=seen,
                seen=seen,
                host_ip=ip,
                host_port=port if isinstance(port, int) else 0,
                protocol=protocol,
            )
        )
        pairs[key] = (work.recording,)
    if undated:
        more = f", nor do {len(undated) - 1} after it" if undated[1:] else ""
        remarks.append(f"item {undated[0]} does not say when it was seen{more}")
    return tuple(works.values()), tuple(locations), pairs


def _all_items(said: Mapping[str, Tree]) -> Iterator[Mapping[str, Tree]]:
    content = said.get("Content")
    items = content.get("Item", ()) if isinstance(content, dict) else ()
    return (one for one in cast(tuple[Tree, ...], items) if isinstance(one, dict))


def _of_hash(item: Mapping[str, Tree]) -> str:
    """Name a file by its hash where no address does; a torrent by the name that everybody gives it."""
    given = item.get("Hash")
    digest, how = _of(given, "_").strip(), _of(given, "Type").upper()
    torrent = _of(item, "FileName").lower().endswith(".torrent")
    return f"urn:{'btih' if torrent and how == 'SHA1' else how.lower()}:{digest.lower()}" if digest else ""


def _first_seen(said: Mapping[str, Tree]) -> str:
    return next((_of(one, "TimeStamp") for one in _all_items(said)), "")


def _party(said: Tree | None, role: str) -> Party | None:
    if not isinstance(said, dict):
        return None
    return Party(
        name=_of(said, "Contact"),
        organisation=_of(said, "Entity"),
        address=_of(said, "Address"),
        email=_of(said, "Email"),
        phone=_of(said, "Phone"),
        role=role,
    )


def _text(said: Mapping[str, Tree]) -> str:
    """Gather the free text: of the notice, of declarations, of counter-notices, and notes."""
    counter = said.get("CounternoticeContent")
    parts = [_of(said, "TextNotice"), _of(counter, "NoticeText"), _of(counter, "Statement"), _of(said, "Notes")]
    parts += [_of(one, "Body") for one in cast(tuple[Tree, ...], said.get("Declarations", ()))]
    return "\n\n".join(part for part in parts if part.strip())


def _of(said: Tree | None, key: str) -> str:
    found = said.get(key, "") if isinstance(said, dict) else ""
    if isinstance(found, dict):
        found = found.get("_", "")
    return str(found).strip() if isinstance(found, str | int) else ""


def _version(root: etree._Element, said: Mapping[str, Tree]) -> str:
    if given := said.get("schemaVersion"):
        return str(given)
    namespace = etree.QName(root).namespace or ""
    if "movielabs" in namespace or _VERSION_2 & set(said):
        return "1.1"
    return "0.7" if _first_seen(said) else "0.6"
