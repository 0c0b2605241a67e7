"""How is a notice written in ACNS 2.0, revision 1.2, and which notices can it not carry?

The format is of the time of file sharing: a message is about one source, which has an IP address.  A page on the web or
anything behind a CDN has none that is known, so a notice about addresses alone is refused here, and said in another
form.

Source
------
ACNS 2.0 revision 1.2 (Motion Picture Laboratories; the specification is CC BY-ND 3.0 US), element ``Infringement``:
``Source/IP_Address`` and ``Source/TimeStamp`` are required, and so are ``Item/TimeStamp`` and ``Item/FileName``,
``Entity`` and ``Email`` of both sides, and ``VerificationID`` of a detection.
"""

import ipaddress
import re
from datetime import UTC, datetime
from typing import Any, Final
from urllib.parse import unquote, urlsplit

from lxml import etree

from riparian.cases.facts import How, Location, Party, Work
from riparian.cases.forms import words
from riparian.cases.forms.form import XML, Form
from riparian.cases.forms.letters import letter
from riparian.cases.notice import Kind, Notice
from riparian.cases.statements import NEEDED

NAMESPACE: Final = "http://www.acns.net/ACNS"
_TORRENT: Final = re.compile(r"urn:btih:([0-9a-f]{40})", re.IGNORECASE)
_PORT_MAX: Final = 65535
_PROTOCOLS: Final = {
    **dict.fromkeys(("BITTORRENT", "ED2K", "GNUTELLA", "GNUTELLA2", "ARES", "WINNY", "FASTTRACK", "KAD"), "P2P"),
    **dict.fromkeys(("FTP", "HTTP"), "SERVER"),
    "IRC": "OTHER",
}


def _write(notice: Notice) -> bytes:
    first = notice.locations[0]
    spaces: dict[Any, str] = {None: NAMESPACE, "acns": NAMESPACE}
    root = etree.Element(_tag("Infringement"), nsmap=spaces)
    root.set(_tag("schemaVersion"), "1.2")
    case = etree.SubElement(root, _tag("Case"))
    _text(case, "ID", words.own_reference(notice) or notice.reference)
    _party(root, "Complainant", notice.sender or Party(""))
    to = notice.addressee
    _party(root, "Service_Provider", Party("", to.name, to.address, to.email) if to else Party(""))
    _source(root, notice, first)
    content = etree.SubElement(root, _tag("Content"))
    for place in notice.locations:
        for work in words.works_at(notice, place):
            _item(content, place, work)
    kind = _text(root, "Type", "DMCA")
    kind.set("Retraction", "true" if notice.kind is Kind.RETRACTION else "false")
    if notice.kind is Kind.TAKEDOWN and len(notice.works) == 1:
        _detection(root, notice)
    _text(root, "TextNotice", "\n" + letter(notice, "dmca.txt.j2").decode())
    return etree.tostring(root, xml_declaration=True, encoding="UTF-8", pretty_print=True)


def _source(root: etree._Element, notice: Notice, first: Location) -> None:
    source = etree.SubElement(root, _tag("Source"))
    _text(source, "TimeStamp", _moment(max(_seen(one) for one in notice.locations)))
    _text(source, "IP_Address", str(ipaddress.ip_address(first.host_ip.strip())))
    if first.host_port:
        _text(source, "Port", str(first.host_port))
    protocol = first.protocol.upper()
    if protocol in _PROTOCOLS:
        _text(source, "Type", protocol)
        sub = _text(source, "SubType", "")
        sub.set("BaseType", _PROTOCOLS[protocol])
        sub.set("Protocol", protocol)
    _text(source, "Number_Files", str(len(notice.locations)))


def _item(content: etree._Element, place: Location, work: Work) -> None:
    item = etree.SubElement(content, _tag("Item"))
    _text(item, "TimeStamp", _moment(_seen(place)))
    _text(item, "Title", words.line(work.title))
    if work.artist:
        _text(item, "Artist", words.line(work.artist))
    _text(item, "FileName", _file_name(place))
    _text(item, "URL", words.uri(place.url))
    _text(item, "ExplicitType", "Music")
    if torrent := _TORRENT.fullmatch(place.url.strip()):
        _text(item, "Hash", torrent[1].upper()).set("Type", "SHA1")


def _detection(root: etree._Element, notice: Notice) -> None:
    work = notice.works[0]
    hows = {one.how for one in notice.findings}
    detection = etree.SubElement(root, _tag("Detection"))
    asset = etree.SubElement(detection, _tag("Asset"))
    _text(asset, "OriginalAssetName", words.line(work.title))
    if work.isrc:
        _text(asset, "OriginalAssetID", words.line(work.isrc)).set("type", "ISRC")
    if How.SOUND in hows:
        matched = etree.SubElement(detection, _tag("ContentMatched"))
        matched.set("Audio", "true")
        matched.set("Fingerprint", "true")
    if How.HASH in hows:
        _text(detection, "HashMatched", "true")
    _text(detection, "VerificationID", "riparian")


def _party(root: etree._Element, name: str, party: Party) -> None:
    one = etree.SubElement(root, _tag(name))
    _text(one, "Entity", words.line(party.organisation or party.name))
    for key, said in (
        ("Contact", party.name),
        ("Address", party.address.replace("\n", ", ")),
        ("Phone", party.phone),
    ):
        if words.line(said):
            _text(one, key, words.line(said))
    _text(one, "Email", words.line(party.email))


def _text(parent: etree._Element, name: str, said: str) -> etree._Element:
    one = etree.SubElement(parent, _tag(name))
    one.text = said
    return one


def _tag(name: str) -> str:
    return f"{{{NAMESPACE}}}{name}"


def _moment(at: datetime) -> str:
    return f"{at.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}"


def _seen(place: Location) -> datetime:
    at = place.seen or place.first_seen
    if at is None:
        raise ValueError(place.key)
    return at


def _file_name(place: Location) -> str:
    """Name the file as it is called there; by the end of its address when nothing else calls it anything."""
    parts = urlsplit(place.url.strip())
    last = unquote(parts.path.rpartition("/")[2]) if parts.scheme in {"http", "https", "ftp"} else ""
    return words.line(place.title or last)


def _unfit(notice: Notice) -> str:
    """Say why, in the order in which a person would put it right."""
    if without := [one.key for one in notice.locations if not _is_ip(one.host_ip)]:
        return (
            f"a message needs the IP address of its source, and of {', '.join(without)} only an address on the web is"
            " known"
        )
    sources = {(one.host_ip.strip(), one.host_port, one.protocol.upper()) for one in notice.locations}
    if len(sources) > 1:
        return f"a message is about one source, and these are {len(sources)}"
    if unseen := [one.key for one in notice.locations if one.seen is None and one.first_seen is None]:
        return f"a message says when each file was seen, and of {', '.join(unseen)} that is not known"
    if nameless := [one.key for one in notice.locations if not _file_name(one)]:
        return f"a message names each file, and {', '.join(nameless)} has no name"
    if not 0 <= notice.locations[0].host_port <= _PORT_MAX:
        return f"a port is {notice.locations[0].host_port}, wanted 0 to {_PORT_MAX}"
    if not (notice.addressee and notice.addressee.email and notice.sender and notice.sender.email):
        return "a message has the e-mail addresses of both sides, and one is not known"
    return ""


def _is_ip(said: str) -> bool:
    try:
        ipaddress.ip_address(said.strip())
    except ValueError:
        return False
    return True


ACNS: Final = Form(
    "acns",
    "ACNS 2.0 revision 1.2, XML",
    (Kind.TAKEDOWN, Kind.RETRACTION),
    NEEDED["dmca"],
    _write,
    media_type=XML,
    suffix="xml",
    regime="dmca",
    unfit=_unfit,
    source="ACNS 2.0 revision 1.2, Motion Picture Laboratories; output is valid by its schema.",
)
