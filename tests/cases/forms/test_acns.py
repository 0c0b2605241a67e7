"""What is written in ACNS is valid by its schema, and what it cannot carry is refused with the reason."""

from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as some
from lxml import etree

from riparian.cases.facts import Facts, Location, Party, Work
from riparian.cases.forms import FORMS, asked_by, fits, forms_for, render
from riparian.cases.notice import Kind, Notice
from riparian.cases.reading.sniff import read
from riparian.cases.statements import drafted
from riparian.errors import InputError
from tests.cases.told import AGENT, FACTS, HOST, NOW, at_source, wanted

SCHEMAS = Path(__file__).parent / "acns"
ACNS = FORMS["acns"]
TORRENT = "urn:btih:" + "0123456789abcdef" * 2 + "01234567"


@cache
def schema() -> etree.XMLSchema:
    """Read the schema, and what it imports from here instead of from the web."""
    tree = etree.parse(SCHEMAS / "acns-1.2.xsd")
    for one in tree.getroot().findall("{*}import"):
        name = "xmldsig.xsd" if "xmldsig" in str(one.get("namespace")) else "xmlmime.xsd"
        one.set("schemaLocation", (SCHEMAS / name).as_uri())
    return etree.XMLSchema(tree)


def noticed(facts: Facts, **given: Any) -> Notice:
    found = drafted(facts, wanted(addressee=asked_by(ACNS, HOST), **given))
    assert found.blocks == ()
    return found.notice


def places(**changed: Any) -> Facts:
    known = at_source(FACTS)
    return replace(known, locations=tuple(replace(one, **changed) for one in known.locations))


ONE = replace(at_source(FACTS), locations=at_source(FACTS).locations[:1], findings=FACTS.findings[:1])

VALID: dict[str, tuple[Facts, dict[str, Any]]] = {
    "two files at one source": (at_source(FACTS), {}),
    "one file of one work": (ONE, {"locations": ("L1",)}),
    "no port, and a protocol that it does not know": (places(host_port=0, protocol="gopher"), {}),
    "an address of IPv6": (places(host_ip="2001:db8::7", protocol="http"), {}),
    "a torrent": (places(url=TORRENT, title="low-tide.torrent"), {}),
    "an address in letters that are not English": (places(url="https://hostly.example/flûte/ 1|{2}.mp3"), {}),
    "an address with brackets": (places(url="https://hostly.example/[2026]/a(1).mp3?x=<y>&z='1'"), {}),
    "markup for a name": (places(title="<Item>&amp;]]>.mp3"), {}),
    "a complainant who has only what is needed": (
        replace(at_source(FACTS), complainant=Party("Ada Finch", email="ada@finch.example", phone="+44 1")),
        {},
    ),
}


@pytest.mark.parametrize("name", VALID)
def test_what_is_written_is_valid_and_reads_back(name: str) -> None:
    facts, asked = VALID[name]
    notice = noticed(facts, **asked)

    content = render(notice).content

    root = etree.fromstring(content)
    assert schema().validate(root), schema().error_log
    back = read(content)
    assert (back.kind, back.version, back.missing) == (Kind.TAKEDOWN, "1.2", ())
    assert {one.title for one in back.notice.works} == {one.title for one in notice.works}
    assert {one.host_ip for one in back.notice.locations} == {one.host_ip for one in notice.locations}


def test_the_schema_of_the_tests_refuses_what_is_wrong() -> None:
    root = etree.fromstring(render(noticed(at_source(FACTS))).content)
    source = root.find("{*}Source")
    assert source is not None
    source.remove(next(one for one in source if str(one.tag).endswith("IP_Address")))

    assert not schema().validate(root)


def test_a_retraction_is_valid_and_says_that_it_is_one() -> None:
    about = noticed(at_source(FACTS))

    content = render(noticed(at_source(FACTS), kind=Kind.RETRACTION, about=about)).content

    root = etree.fromstring(content)
    assert schema().validate(root), schema().error_log
    assert read(content).kind is Kind.RETRACTION


def test_one_work_is_said_with_how_it_was_found() -> None:
    root = etree.fromstring(render(noticed(ONE, locations=("L1",))).content)

    said = {etree.QName(one).localname: dict(one.attrib) or one.text for one in root.findall(".//{*}Detection//{*}*")}
    assert said["OriginalAssetID"] == {"type": "ISRC"}
    assert said["ContentMatched"] == {"Audio": "true", "Fingerprint": "true"}
    assert "HashMatched" not in said
    assert "Human" not in str(said)


def one_place(**changed: Any) -> Facts:
    known = at_source(FACTS)
    first, second = known.locations
    return replace(known, locations=(first, replace(second, **changed)))


REFUSED: dict[str, tuple[Facts, str]] = {
    "addresses on the web alone": (FACTS, "of L1, L2 only an address on the web is known"),
    "one address on the web alone": (one_place(host_ip=""), "of L2 only an address on the web is known"),
    "a name for an IP address": (one_place(host_ip="hostly.example"), "of L2 only an address on the web is known"),
    "two sources": (one_place(host_ip="192.0.2.8"), "a message is about one source, and these are 2"),
    "two ports": (one_place(host_port=80), "a message is about one source, and these are 2"),
    "no name of a file": (places(title="", url="https://hostly.example/"), "L1, L2 has no name"),
    "a port that is none": (places(host_port=70000), "a port is 70000"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_it_cannot_carry_is_refused_and_another_form_offered(name: str) -> None:
    facts, why = REFUSED[name]
    notice = noticed(facts)

    assert why in fits(notice, ACNS)
    with pytest.raises(InputError, match="the form `acns` cannot say this notice") as refused:
        render(notice)
    assert refused.value.hint == "Take `dmca_text`, or add what is missing."
    assert forms_for(notice)["dmca_text"] == ""
    assert render(notice, "dmca_text").content


def test_a_side_without_an_address_is_refused() -> None:
    notice = noticed(at_source(FACTS))
    assert notice.addressee is not None

    assert "e-mail addresses of both sides" in fits(replace(notice, addressee=replace(HOST, email="")), ACNS)


words = some.text(max_size=40)


@settings(max_examples=60, deadline=None)
@given(words, words, words, some.text(max_size=60).map("https://hostly.example/{}".format) | some.text(min_size=1))
def test_whatever_a_thing_is_called_it_is_valid(title: str, artist: str, name: str, url: str) -> None:
    place = Location("L1", url, title=f"a{name}", seen=NOW, live=True, host_ip="192.0.2.7")
    facts = replace(
        ONE,
        complainant=replace(AGENT, address=f"1 {artist}"),
        works=(Work("r1", f"a{title}", artist),),
        locations=(place,),
    )
    content = render(noticed(facts, locations=("L1",))).content

    assert schema().validate(etree.fromstring(content)), schema().error_log
