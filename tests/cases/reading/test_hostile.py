"""What octets made to do harm can do: each letter is read, or refused with one clear error, in bounded time."""

import base64
import json
import time
from itertools import chain

import pytest

from riparian.cases.reading import read
from riparian.cases.reading.sniff import LETTER_MAX, OCTETS_MAX
from riparian.errors import InputError

SECONDS = 20.0
"""Of CPU, for the largest letter that is taken; a tenth of it is what the slowest takes on one idle core."""
BEGUN = b"From: a@b.example\r\nMessage-ID: <1@b.example>\r\nMIME-Version: 1.0\r\n"
COMPLAINT = b"This infringes my copyright: https://files.example/d/1"


def mail(text: bytes, kind: bytes = b"text/plain", encoding: bytes = b"8bit", *headers: bytes) -> bytes:
    told = b"".join(header + b"\r\n" for header in headers)
    return b"%bContent-Type: %b\r\nContent-Transfer-Encoding: %b\r\n%b\r\n%b" % (BEGUN, kind, encoding, told, text)


def nested(depth: int, kind: bytes = b"multipart/mixed") -> bytes:
    begun = (b"Content-Type: %b; boundary=b%d\r\n\r\n--b%d\r\n" % (kind, n, n) for n in range(depth))
    return b"".join([BEGUN, *begun, b"Content-Type: text/plain\r\n\r\n", COMPLAINT, b"\r\n"])


def charset(named: bytes, text: bytes = COMPLAINT) -> bytes:
    return mail(text, b'text/plain; charset="%b"' % named)


def declared(*entities: bytes) -> bytes:
    return b"<?xml version='1.0'?><!DOCTYPE Infringement [" + b"".join(entities) + b"]>"


def case(number: bytes) -> bytes:
    return b"<Infringement><Case><ID>%b</ID></Case></Infringement>" % number


LAUGHS = declared(b"<!ENTITY a0 'ha'>", *(b"<!ENTITY a%d '%b'>" % (n, b"&a%d;" % (n - 1) * 8) for n in range(1, 12)))
FIELDS = {"urls": ["https://files.example/1"], "explanation": "It is ours."}

READ: dict[str, bytes] = {
    "a mail in 150 mails": nested(150),
    "messages in messages": BEGUN + b"Content-Type: message/rfc822\r\n\r\n" * 300 + BEGUN + b"\r\n" + COMPLAINT,
    "5,000 parts": BEGUN + b"Content-Type: multipart/mixed; boundary=b\r\n\r\n" + b"--b\r\n\r\nx\r\n" * 5000,
    "parts whose boundary is nowhere": mail(COMPLAINT, b"multipart/mixed; boundary=none"),
    "parts without a boundary": mail(COMPLAINT, b"multipart/mixed"),
    "one line as long as a letter may be": b"a" * LETTER_MAX,
    "nothing but line ends": b"x" + b"\n" * 300_000 + b"y",
    "nothing but the same word": b"copyright " * 30_000,
    "nothing but brackets": b"<" * 300_000,
    "nothing but schemes": b"http://" * 40_000,
    "the beginning of a message, again and again": b"x <Infringement>" * 8000,
    "the beginning of a signature, again and again": b"-----BEGIN PGP SIGNED MESSAGE-----\n" * 8000,
    "questions without end": b"**What files should be taken down?**\n" * 8000,
    "nothing but zeros": b"\0" * 100_000,
    "octets that are no text": bytes(range(128, 256)) * 2000,
    "the other direction of writing": "\u202e\u2066".encode() * 50_000,
    "signs upon signs": ("a" + "\u0301" * 100_000).encode(),
    "one of two surrogates": b"\xed\xa0\x80" + COMPLAINT,
    "UTF-16 that ends in half of a sign": b"\xff\xfea\x00b",
    "a list of more addresses than are read": b"# Low Tide\n" + b"https://files.example/1\n" * 20_100,
    "a charset that it is not in": charset(b"utf-8", "löschen".encode("latin-1")),
    "a charset that there is not": charset(b"no-such"),
    "a charset that turns letters": charset(b"rot13"),
    "a charset that unpacks": charset(b"zlib_codec"),
    "a charset of host names": charset(b"idna", b"xn--a." * 20_000),
    "a charset that takes the square": charset(b"punycode", b"a-" + b"9" * 200_000),
    "a charset with a zero in it": charset(b"a\0b"),
    "a charset as long as a page": charset(b"a" * 200_000),
    "a charset in 5,000 pieces": mail(
        COMPLAINT, b"text/plain; " + b"; ".join(b"charset*%d*=utf-8''%%41" % n for n in range(5000))
    ),
    "quoted-printable, all of it": mail(b"=41" * 300_000, b"text/plain", b"quoted-printable"),
    "quoted-printable that never begins": mail(b"=\r\n" * 300_000, b"text/plain", b"quoted-printable"),
    "quoted-printable that is none": mail(b"=" * 100_000, b"text/plain", b"quoted-printable"),
    "base64 that is none": mail(b"=a" * 300_000, b"text/plain", b"base64"),
    "an encoding of long ago": mail(b"begin 644 x\r\n\xff\xff\r\n", b"text/plain", b"x-uuencode"),
    "HTML in HTML": mail(b"<div>" * 100_000, b"text/html"),
    "HTML with another charset in it": mail(
        b"<?xml version='1.0' encoding='utf-16'?><p>x", b"text/html; charset=utf-8"
    ),
    "HTML with a zero in it": mail(b"\0<p>x", b"text/html"),
    "a subject of encoded words": mail(COMPLAINT, b"text/plain", b"8bit", b"Subject: " + b"=?utf-8?q?=41?= " * 50_000),
    "a subject in a charset that takes the square": mail(
        COMPLAINT, b"text/plain", b"8bit", b"Subject: =?punycode?q?a-" + b"9" * 200_000 + b"?="
    ),
    "a subject that is not base64": mail(COMPLAINT, b"text/plain", b"8bit", b"Subject: =?utf-8?b?a?= =?x?q?=ff?="),
    "a subject that is no text": mail(COMPLAINT, b"text/plain", b"8bit", b"Subject: \xff\xfe"),
    "100,000 senders": mail(COMPLAINT, b"text/plain", b"8bit", b"To: " + b"a@b.example," * 100_000),
    "remarks in remarks on an address": mail(COMPLAINT, b"text/plain", b"8bit", b"To: " + b"(" * 100_000),
    "a day that no calendar has": mail(COMPLAINT, b"text/plain", b"8bit", b"Date: 99 Foo 99999999999 99:99 +9999"),
    "a zone that no place has": mail(COMPLAINT, b"text/plain", b"8bit", b"Date: 1 Jan 2020 00:00:00 +999999999"),
    "answers to 100,000 mails": mail(COMPLAINT, b"text/plain", b"8bit", b"References: " + b"<a@b> " * 100_000),
    "100,000 headers": b"From: a@b.example\r\nTo: c@d.example\r\n" * 50_000 + b"\r\nx",
    "an entity from a file": declared(b"<!ENTITY x SYSTEM 'file:///etc/hostname'>") + case(b"&x;"),
    "a subset from elsewhere": declared(b"<!ENTITY % p SYSTEM 'http://127.0.0.1:1/p'> %p;") + case(b"1"),
    "a schema from elsewhere": b"<?xml version='1.0'?><!DOCTYPE x SYSTEM 'http://127.0.0.1:1/x'>" + case(b"1"),
    "a message in a mail, with entities in entities": mail(LAUGHS + case(b"&a11;"), b"text/xml"),
    "50,000 items": b"<Infringement><Content>"
    + b"<Item><Title>a</Title></Item>" * 50_000
    + b"</Content></Infringement>",
    "a port of 100,000 digits": b"<Infringement><Source><Port>%b</Port></Source></Infringement>" % (b"9" * 100_000),
    "a day beyond all calendars": b"<Infringement TimeStamp='99999-99-99T00:00:00Z'/>",
    "a page of another kind of XML in a mail": mail(b"<?xml version='1.0'?><html/>", b"text/xml"),
    "parties that are none": json.dumps(
        {"notice": {"type": 5, "works": [1, {"infringing_urls": [7, {"url": 9}]}], "entity_notice_roles": [5, {}]}}
    ).encode(),
    "reasons of other types": b'{"decision_ground":5,"decision_facts":[],"puid":{},"application_date":7}',
    "half of a sign in a field": b'{"urls":["\\ud800"],"explanation":"\\udfff"}',
    "100,000 addresses in fields": json.dumps(
        {**FIELDS, "urls": [f"https://files.example/{n}" for n in range(100_000)]}
    ).encode(),
    "numbers that are none": b'{"urls":["https://files.example/1"],"explanation":"x","id":NaN}',
}

REFUSED: dict[str, tuple[bytes, str]] = {
    "mails in mails, 5,000 deep": (nested(5000), "deeper than can be read"),
    "digests in digests": (nested(3000, b"multipart/digest"), "deeper than can be read"),
    "messages in messages, 5,000 deep": (
        BEGUN + b"Content-Type: message/rfc822\r\n\r\n" * 5000,
        "deeper than can be read",
    ),
    "a line of ten million letters": (b"a" * 10_000_000, f"wanted at most {OCTETS_MAX}"),
    "a letter of two million letters": (b"a " * LETTER_MAX, f"wanted at most {LETTER_MAX}"),
    "the same, packed": (
        mail(base64.encodebytes(b"a " * LETTER_MAX), b"text/plain", b"base64"),
        f"wanted at most {LETTER_MAX}",
    ),
    "a page of three million letters": (mail(b"<p>" * 1_000_000, b"text/html"), "a page of 3000000 characters"),
    "entities in entities": (LAUGHS + case(b"&a11;"), "not XML that can be read"),
    "one large entity, many times": (
        declared(b"<!ENTITY a '%b'>" % (b"a" * 500_000)) + case(b"&a;" * 100_000),
        "not XML that can be read",
    ),
    "entities in an attribute": (LAUGHS + b"<Infringement x='&a11;'/>", "not XML that can be read"),
    "elements without end": (b"<Infringement>" + b"<a>" * 200_000, "not XML that can be read"),
    "elements in elements": (
        b"<Infringement>" + b"<a>" * 200 + b"</a>" * 200 + b"</Infringement>",
        "nests deeper than 32",
    ),
    "as many elements as fit": (
        b"<Infringement>" + b"<a/>" * 300_000 + b"</Infringement>",
        "more than 200000 elements",
    ),
    "XML in a charset that there is not": (b"<?xml version='1.0' encoding='none'?><Infringement/>", "not XML"),
    "XML in a charset that it is not in": (
        b"<?xml version='1.0' encoding='utf-8'?>" + case("é".encode("latin-1")),
        "not XML",
    ),
    "lists in lists": (b"[" * 1_000_000, "not JSON that can be read"),
    "objects in objects": (b'{"a":' * 300_000, "not JSON that can be read"),
    "objects in objects, closed": (b'{"a":' * 500 + b"1" + b"}" * 500, "JSON but no object"),
    "a number of a million digits": (b'{"urls":' + b"9" * 1_000_000 + b"}", "not JSON that can be read"),
    "fields of other types": (
        b'{"urls":5,"explanation":[],"notifier":7,"good_faith_statement":{},"works":{}}',
        "wanted a DSA notice",
    ),
    "statements that are numbers": (b'{"statements":[5]}', "JSON but no object"),
    "JSON that is no text": (b'{"urls":["\xff"]}', "not JSON that can be read"),
}


@pytest.mark.parametrize("name", READ)
def test_what_was_made_to_do_harm_is_read_as_far_as_it_goes(name: str) -> None:
    begun = time.process_time()

    found = read(READ[name])

    assert time.process_time() - begun < SECONDS
    assert len(found.notice.locations) <= 50_000
    assert sum(map(len, chain(found.remarks, found.references))) < 100_000


@pytest.mark.parametrize("name", REFUSED)
def test_what_is_too_much_is_refused_with_one_error(name: str) -> None:
    content, because = REFUSED[name]
    begun = time.process_time()

    with pytest.raises(InputError) as raised:
        read(content)

    assert time.process_time() - begun < SECONDS
    assert because in raised.value.message
    assert len(raised.value.message) < 500


def test_nothing_from_elsewhere_is_in_what_was_read() -> None:
    assert read(READ["an entity from a file"]).notice.reference == ""


def test_a_mail_without_an_end_is_still_a_complaint() -> None:
    found = read(READ["a mail in 150 mails"])

    assert [one.url for one in found.notice.locations] == ["https://files.example/d/1"]
