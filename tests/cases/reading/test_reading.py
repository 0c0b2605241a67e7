"""What each form of letter is read as: named situations, and the whole of what is made of them."""

import json
from datetime import UTC, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from riparian.cases.notice import Element, Kind
from riparian.cases.reading import Form, Read, Standing, read
from riparian.cases.reading.plain import folded
from riparian.errors import InputError
from tests.cases.reading import letters

E, S = Element, Standing

KINDS = {
    "a notice": (letters.NOTICE, Kind.TAKEDOWN, None),
    "a counter-notice": (letters.COUNTER, Kind.COUNTER, Kind.TAKEDOWN),
    "a retraction": (letters.RETRACTION, Kind.RETRACTION, Kind.TAKEDOWN),
    "a retraction that quotes the notice": (
        f"I would like to withdraw my complaint.\n\n> {letters.NOTICE}",
        Kind.RETRACTION,
        Kind.TAKEDOWN,
    ),
    "a counter-notice taken back": (
        "I want to retract my counter notice. https://files.example/d/1 should stay offline.",
        Kind.COUNTER_RETRACTION,
        Kind.COUNTER,
    ),
    "a notice that reserves the right to withdraw": (
        letters.NOTICE + "We reserve the right to withdraw this notice.",
        Kind.TAKEDOWN,
        None,
    ),
    "a notice that says what a counter-notice would have to": (
        letters.NOTICE + "The user may send a counter notice if they believe this is a mistake or misidentification.",
        Kind.TAKEDOWN,
        None,
    ),
    "a reversal": (
        "We have reversed the takedown notice of 3 March. We have determined that the notice does not meet our policy.",
        Kind.REVERSAL,
        Kind.TAKEDOWN,
    ),
    "a counter-notice that was refused": (
        "The host has reversed the DMCA counter notice of 9 March, since its address was not complete.",
        Kind.REVERSAL,
        Kind.COUNTER,
    ),
    "an acknowledgement": (
        "Thank you for your notice. We have received it under the number 4711-A.",
        Kind.ACKNOWLEDGEMENT,
        Kind.TAKEDOWN,
    ),
    "an action was filed": (
        "This will serve as notice that we have filed an action seeking a court order to restrain the subscriber.",
        Kind.OTHER,
        Kind.COUNTER,
    ),
    "the form": (letters.FORM, Kind.TAKEDOWN, None),
    "the counter form": (letters.COUNTER_FORM, Kind.COUNTER, Kind.TAKEDOWN),
    "something else": ("The rehearsal is moved to Thursday.", Kind.OTHER, None),
}


@pytest.mark.parametrize("case", KINDS)
def test_what_a_letter_is(case: str) -> None:
    text, kind, about = KINDS[case]
    found = read(text.encode())
    assert (found.kind, found.answers_to) == (kind, about)


def standings(found: Read) -> dict[Element, Standing]:
    return {one.element: one.standing for one in found.elements}


WHOLE = dict.fromkeys(
    (E.SIGNATURE, E.WORKS, E.LOCATIONS, E.CONTACT, E.GOOD_FAITH, E.ACCURACY, E.AUTHORITY, E.FAIR_USE), S.PRESENT
)


def test_a_whole_notice_has_every_element_and_says_where() -> None:
    found = read(letters.NOTICE.encode())
    assert standings(found) == {**WHOLE, E.SIGNATURE: S.UNKNOWN}
    assert found.missing == ()
    good_faith = found.element(E.GOOD_FAITH)
    assert good_faith is not None
    assert good_faith.span is not None
    assert letters.GOOD_FAITH in found.text[slice(*good_faith.span)]
    statement = found.notice.statement(E.GOOD_FAITH)
    assert statement is not None
    assert letters.GOOD_FAITH in statement.text


def test_who_and_what_and_where() -> None:
    notice = read(letters.NOTICE.encode()).notice
    assert notice.sender is not None
    assert (notice.sender.name, notice.sender.email) == ("Jo Doe", "jo.doe@harbourlane.example")
    assert notice.sender.phone == "+44 20 7946 0123"
    assert notice.owner is not None
    assert notice.owner.name == "Harbour Lane Records"
    (work,) = notice.works
    assert (work.title, work.artist, work.isrc) == ("Low Tide", "The Tidewaters", "GBAAA2400017")
    assert [one.url for one in notice.locations] == [
        "https://files.example/d/low-tide.mp3",
        "https://files.example/d/low-tide.flac",
    ]
    assert read(letters.NOTICE.encode()).originals == ("https://harbourlane.example/low-tide",)


OWNERS = {
    "on behalf of the Reed Industry Association of Somewhere (RIAS) and its members": (
        "Reed Industry Association of Somewhere (RIAS)"
    ),
    "I act on behalf of the French company Musique SA, which owns it": "Musique SA",
    "agent for Lane Random Records, Inc. and others": "Lane Random Records, Inc",
    "on behalf of our client, Quay Pictures Ltd. having its office": "Quay Pictures Ltd",
    "on behalf of the owner of an exclusive right": "",
}


@pytest.mark.parametrize("said", OWNERS)
def test_for_whom_somebody_writes(said: str) -> None:
    owner = read(f"Your copyright desk: {said}.\nhttps://files.example/1".encode()).notice.owner
    assert (owner.name if owner else "") == OWNERS[said]


WITHOUT = {
    "good faith": (letters.NOTICE.replace(letters.GOOD_FAITH, ""), E.GOOD_FAITH, S.MISSING),
    "fair use": (letters.NOTICE.replace(letters.FAIR_USE, ""), E.FAIR_USE, S.MISSING),
    "the oath, whole": (
        letters.NOTICE.replace(letters.PERJURY, "").replace("on behalf of", "for").replace("Our original", "The"),
        E.ACCURACY,
        S.MISSING,
    ),
    "perjury": (letters.NOTICE.replace("under penalty of perjury, ", ""), E.AUTHORITY, S.UNKNOWN),
    "belief, said otherwise": (
        letters.NOTICE.replace(letters.GOOD_FAITH, "We know for certain that this use was not sanctioned by anybody."),
        E.GOOD_FAITH,
        S.UNKNOWN,
    ),
    "addresses": ("Please remove every copy of my song Low Tide, it infringes my copyright.", E.LOCATIONS, S.MISSING),
    "contact, taken out": (
        letters.NOTICE.replace("jo.doe@harbourlane.example", "[private]").replace("+44 20 7946 0123", "[private]"),
        E.CONTACT,
        S.UNKNOWN,
    ),
    "jurisdiction": (
        letters.COUNTER.replace("jurisdiction of Federal District Court", "law"),
        E.JURISDICTION,
        S.MISSING,
    ),
    "service of process": (
        letters.COUNTER.replace(", and I will accept service of process from the person", " from the person"),
        E.SERVICE_OF_PROCESS,
        S.MISSING,
    ),
    "an answer of the form": (
        letters.FORM.replace("The sound recording Low Tide, https://harbourlane.example/low-tide", ""),
        E.WORKS,
        S.MISSING,
    ),
    "a sentence that was only to be typed": (
        letters.FORM.replace(
            "**I have taken <a", '**Type (or copy and paste) the following statement: "I have taken <a'
        ),
        E.FAIR_USE,
        S.UNKNOWN,
    ),
    "everything, in a language that is not read": (
        "Wir bitten darum, https://files.example/d/1 zu entfernen: unser Copyright an dieser Aufnahme wurde verletzt.",
        E.GOOD_FAITH,
        S.UNKNOWN,
    ),
}


@pytest.mark.parametrize("case", WITHOUT)
def test_what_a_letter_lacks(case: str) -> None:
    text, element, standing = WITHOUT[case]
    assert standings(read(text.encode()))[element] is standing


def test_every_missing_element_is_one_that_is_not_present() -> None:
    for text in (letters.NOTICE, letters.COUNTER, letters.FORM, letters.RETRACTION, letters.COUNTER_FORM):
        found = read(text.encode())
        named = {one.element for one in found.notice.statements}
        assert not named & set(found.missing)
        assert all(one.note for one in found.elements if one.standing is not S.PRESENT)


def test_the_form_says_what_each_answer_is() -> None:
    found = read(letters.FORM.encode())
    assert found.form is Form.GITHUB
    assert [one.field for one in found.answers] == [
        *("ownership", "works", "locations", "forks", "licence", "solution", "infringer"),
        *("good_faith", "fair_use", "perjury", "contact", "signature"),
    ]
    assert standings(found) == WHOLE
    assert [one.url for one in found.notice.locations] == [
        "https://github.com/nobody/tides/blob/main/low-tide.mp3",
        "https://github.com/somebody/tides/blob/main/low-tide.mp3",
    ]
    assert found.originals == ("https://harbourlane.example/low-tide",)
    assert found.notice.signed_by == "Jo Doe"
    assert found.notice.works[0].title.startswith("The sound recording Low Tide")


AS_IT_COMES = {
    "underlined": letters.FORM.replace("**", "__"),
    "plain": letters.FORM.replace("**", ""),
    "numbered": letters.FORM.replace("**Are", "1. **Are").replace("**What files", "2. **What files"),
    "quoted": "> " + letters.FORM.replace("\n", "\n> "),
    "without apostrophes": letters.FORM.replace("'s", "s").replace("\u2019s", "s"),
    "answered on the line": letters.FORM.replace("?**\n\n", "?** "),
    "with a preface": "Before disabling anything in relation to this takedown notice, we asked.\n\n---\n\n"
    + letters.FORM,
}


@pytest.mark.parametrize("case", AS_IT_COMES)
def test_the_form_is_read_however_it_comes(case: str) -> None:
    found = read(AS_IT_COMES[case].encode())
    expected = [one.field for one in read(letters.FORM.encode()).answers]
    assert [one.field for one in found.answers] == expected
    assert found.missing == ()


@pytest.mark.parametrize("version", ["0.6", "0.7", "1.0", "1.1", "1.2"])
def test_messages_of_every_version(version: str) -> None:
    found = read(letters.acns(version))
    assert found.form is Form.ACNS
    assert found.kind is Kind.TAKEDOWN
    assert found.version == {"1.0": "1.1"}.get(version, version)
    (location,) = found.notice.locations
    assert location.url == "urn:btih:6af9f5bf5493b6bb72f15f77c2e541d606328aea"
    assert (location.host_ip, location.host_port, location.protocol) == ("192.0.2.17", 21123, "BITTORRENT")
    (work,) = found.notice.works
    assert (work.title, work.artist) == ("Low Tide", "The Tidewaters")
    assert found.notice.pairs == {"L1": (work.recording,)}
    assert found.notice.sender is not None
    assert found.notice.sender.email == "jo.doe@harbourlane.example"
    assert found.references == ("A17", "https://vendor.example/A17")
    assert found.notice.dated == datetime(2026, 3, 3, 12, tzinfo=UTC)
    assert {E.GOOD_FAITH, E.ACCURACY, E.AUTHORITY, E.FAIR_USE} <= set(found.missing)
    assert found.remarks == (("item 1 does not say when it was seen",) if version == "0.6" else ())


NEW = letters.acns("1.2").decode()
ACKNOWLEDGED = (
    '<NoticeAck Accepted="true"><Case><ID>A17</ID></Case><Complianant><Entity>H</Entity><Email>a@b.example</Email>'
    "</Complianant><Service_Provider><Entity>Wire</Entity><Email>c@d.example</Email></Service_Provider>"
    "<Notes/></NoticeAck>"
)
MESSAGES = {
    "a retraction": (NEW.replace('Retraction="false"', 'Retraction="true"'), Kind.RETRACTION, E.RETRACTS),
    "another namespace": (NEW.replace("www.acns.net/ACNS", "acns.example/any"), Kind.TAKEDOWN, E.WORKS),
    "with a prefix": (
        NEW.replace("<", "<a:").replace("<a:/", "</a:").replace("<a:?", "<?").replace("xmlns=", "xmlns:a="),
        Kind.TAKEDOWN,
        E.WORKS,
    ),
    "an acknowledgement, spelt as its schema does": (
        ACKNOWLEDGED,
        Kind.ACKNOWLEDGEMENT,
        None,
    ),
    "a counter-notice in a status": (
        '<StatusUpdate TimeStamp="2026-03-03T12:00:00Z"><Case><ID>A17</ID></Case><CounterNotice/></StatusUpdate>',
        Kind.COUNTER,
        None,
    ),
    "in an envelope": (
        f"<MessageEnvelope><Message Type='ACNS2.0Notice'>{NEW.partition('?>')[2]}</Message></MessageEnvelope>",
        Kind.TAKEDOWN,
        E.WORKS,
    ),
    "in a letter": (f"Dear abuse desk,\nsee below.\n\n{NEW.partition('?>')[2]}\n\nRegards", Kind.TAKEDOWN, E.WORKS),
}


@pytest.mark.parametrize("case", MESSAGES)
def test_messages_as_they_come(case: str) -> None:
    text, kind, element = MESSAGES[case]
    found = read(text.encode())
    assert (found.form, found.kind) == (Form.ACNS, kind)
    assert element is None or standings(found)[element] is S.PRESENT


MAILS = {
    "plain": letters.mail(letters.NOTICE),
    "HTML alone": letters.mail(
        f"<html><body><p>{letters.NOTICE}</p></body></html>".replace("\n", "<br>\n"), kind="text/html"
    ),
    "with a message of ACNS": letters.mail(NEW, kind="text/xml"),
    "signed around": letters.mail(f"-----BEGIN PGP SIGNED MESSAGE-----\nHash: SHA256\n\n{letters.NOTICE}"),
}


@pytest.mark.parametrize("case", MAILS)
def test_mails_are_opened(case: str) -> None:
    found = read(MAILS[case])
    assert found.kind is Kind.TAKEDOWN
    assert found.notice.sender is not None
    assert (found.notice.sender.name, found.notice.sender.email) == ("Jo Doe", "jo.doe@harbourlane.example")
    assert found.notice.dated == datetime(2026, 3, 3, 10, tzinfo=UTC)
    assert standings(found)[E.LOCATIONS] is S.PRESENT


def test_an_answer_says_which_mail_it_answers_and_its_subject_counts() -> None:
    sent = letters.mail(
        "Ours was wrong about https://files.example/d/1.",
        subject="Retraction of notice",
        extra="In-Reply-To: <7@x.example>\r\n",
    )
    found = read(sent)
    assert found.kind is Kind.RETRACTION
    assert "<7@x.example>" in found.references


LIST = "# Low Tide, The Tidewaters\n# a sound recording\nhttps://files.example/1\nhttps://files.example/2\n\n# Ebb\nhttps://files.example/3\n"
DSA = {
    "explanation": "The file is a copy of our recording, which nobody may distribute.",
    "urls": ["https://files.example/1"],
    "notifier": {"name": "Jo Doe", "email": "jo.doe@harbourlane.example"},
    "good_faith_statement": "In good faith, accurate and complete.",
}
LUMEN = {
    "notice": {
        "type": "DMCA",
        "date_sent": "2026-03-03",
        "works_attributes": [
            {
                "description": "Low Tide",
                "infringing_urls_attributes": [{"url": "https://files.example/1"}],
                "copyrighted_urls_attributes": [{"url": "https://harbourlane.example/low-tide"}],
            }
        ],
        "entity_notice_roles_attributes": [
            {"name": "sender", "entity_attributes": {"name": "Jo Doe"}},
            {"name": "principal", "entity_attributes": {"name": "Harbour Lane Records"}},
        ],
    }
}
REASONS = {
    "decision_ground": "DECISION_GROUND_ILLEGAL_CONTENT",
    "decision_facts": "A notice was received.",
    "puid": "p-1",
    "application_date": "2026-03-04",
}


def test_lists_of_addresses() -> None:
    found = read(LIST.encode())
    assert found.form is Form.GOOGLE
    assert [one.title for one in found.notice.works] == ["Low Tide, The Tidewaters a sound recording", "Ebb"]
    assert found.notice.pairs == {"L1": ("W1",), "L2": ("W1",), "L3": ("W2",)}
    assert found.missing == ()
    assert standings(found)[E.GOOD_FAITH] is S.UNKNOWN


def test_fields_of_the_digital_services_act() -> None:
    found = read(json.dumps(DSA).encode())
    assert (found.form, found.kind, found.missing) == (Form.DSA16, Kind.TAKEDOWN, ())
    for field, element in (
        ("explanation", E.EXPLANATION),
        ("good_faith_statement", E.BONA_FIDE),
        ("notifier", E.NAME_AND_EMAIL),
        ("urls", E.LOCATIONS),
    ):
        less = {key: value for key, value in DSA.items() if key != field}
        assert read(json.dumps(less).encode()).missing == (element,)


def test_fields_of_lumen() -> None:
    found = read(json.dumps(LUMEN).encode())
    assert (found.form, found.kind) == (Form.LUMEN, Kind.TAKEDOWN)
    assert found.notice.pairs == {"L1": ("W1",)}
    assert found.originals == ("https://harbourlane.example/low-tide",)
    assert found.notice.owner is not None
    assert found.notice.owner.name == "Harbour Lane Records"
    counter = {"notice": {**LUMEN["notice"], "type": "Counternotice"}}
    assert read(json.dumps(counter).encode()).answers_to is Kind.TAKEDOWN


def test_a_statement_of_reasons() -> None:
    found = read(json.dumps({"statements": [REASONS, REASONS]}).encode())
    assert (found.form, found.kind, found.notice.reference) == (Form.DSA_REASONS, Kind.REASONS, "p-1")
    assert found.remarks == ("the file has 2 notices; the first was read",)


PIECES = st.sampled_from(
    [
        letters.NOTICE,
        letters.FORM,
        letters.COUNTER,
        letters.RETRACTION,
        "**",
        "\n",
        "<a ",
        "http://",
        "[private]",
        "# x\n",
    ]
)


@settings(max_examples=40, deadline=None)
@given(st.lists(st.one_of(st.text(max_size=40), PIECES), max_size=6).map("".join))
def test_whatever_is_written_every_place_is_in_the_text(text: str) -> None:
    assert len(folded(text)) == len(text)
    try:
        found = read(text.encode())
    except InputError:
        return
    for one in found.elements:
        assert one.span is None or 0 <= one.span[0] <= one.span[1] <= len(found.text)
        assert one.standing is not S.MISSING or found.notice.statement(one.element) is None


REFUSED = {
    "nothing": (b" \n", "the letter is empty"),
    "too much": (b"a" * (4 * 1024 * 1024 + 1), "the letter has 4194305 octets"),
    "XML that is none": (b"<?xml version='1.0'?><Infringement>", "not XML that can be read"),
    "XML of somebody else": (b"<?xml version='1.0'?><html/>", "begins with `html`"),
    "an envelope of nothing": (b"<MessageEnvelope/>", "no message in it"),
    "JSON that is none": (b'{"a": ', "not JSON that can be read"),
    "JSON of somebody else": (b'{"a": 1}', "has the fields `a`"),
    "an empty list": (b"[]", "JSON but no object"),
    "too deep": (b"<Infringement>" + b"<a>" * 60 + b"</a>" * 60 + b"</Infringement>", "nests deeper than 32"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_what_cannot_be_read_is_refused(case: str) -> None:
    content, because = REFUSED[case]
    with pytest.raises(InputError) as raised:
        read(content)
    assert because in raised.value.message


def test_entities_are_not_followed() -> None:
    bomb = (
        b"<?xml version='1.0'?><!DOCTYPE x [<!ENTITY a 'aaaaaaaaaa'><!ENTITY b '&a;&a;&a;&a;'>"
        b"<!ENTITY c SYSTEM 'file:///etc/hostname'>]><Infringement><Case><ID>&b;&c;</ID></Case></Infringement>"
    )
    assert read(bomb).notice.reference == ""
