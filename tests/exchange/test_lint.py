"""Somebody in it, or nobody: what blocks an export, and what must not."""

import time
from typing import Any

import pytest

from riparian.errors import InputError
from riparian.exchange.lint import checked, people_in
from riparian.exchange.profile import DEFINITION, MAKER

SOMEBODY = {
    "an address of mail": "Ask ann.reed+music@reed-records.co.uk about it",
    "one in an address": "https://mirror.example/?to=ann%40reed.example",
    "an account in an address": "https://mirror.example/dl?user=annreed",
    "an account in words": "account: 81723",
    "a session": "session_id=9f8a7b6c5d",
    "a device": "device/ABCD-1234",
    "a network address": "seen from 192.0.2.17 at night",
    "a network address with a port": "http://198.51.100.4:8080/a.mp3",
    "one of the newer kind": "from 2001:db8::8a2e:370:7334",
    "a telephone": "call +1 (503) 555-0142",
    "a telephone without signs": "call 0049 30 1234567",
    "a user in an address": "ftp://ann@files.example/a",
    "a user and a password": "https://ann:secret@files.example/a",
}
NOBODY = {
    "an address": "https://mirror-example.to/albums/2026/11/amber-tide.flac",
    "a code of a recording": "GBAYE0000351",
    "a digest": "[file:hashes.'SHA-256' = '" + "1234567890" * 6 + "abcd']",
    "a digest in an address": "https://mirror.example/" + "1234567890" * 4,
    "a time": "2026-11-23T09:30:00.123Z",
    "a day in an address": "https://mirror.example/2026-11-23/a",
    "a version": "1.0.0",
    "a release of software": "riparian 0.1.0",
    "a length": "3:45 of 4:10",
    "a share": "0.0000000012",
    "a title with a number": "1999 (Live at Madison, 12 Nights)",
    "another script": "琥珀の潮 2026",
    "a torrent": "urn:btih:" + "0123456789abcdef" * 2 + "01234567",
    "an identifier of STIX": "indicator--3f1c7a52-3f0e-4f6b-9a57-2f6c0d7b1a11",
}


@pytest.mark.parametrize("name", SOMEBODY)
def test_somebody_stops_it(name: str) -> None:
    for said in ({"a": SOMEBODY[name]}, {"a": [{"b": {"c": SOMEBODY[name]}}]}, {SOMEBODY[name]: 1}):
        assert people_in([said]), said
        with pytest.raises(InputError, match="wanted nothing of people"):
            checked([said])


@pytest.mark.parametrize("name", NOBODY)
def test_nobody_does_not(name: str) -> None:
    assert people_in([{"a": NOBODY[name]}]) == ()


@pytest.mark.parametrize(
    "said",
    [
        pytest.param({"type": "user-account"}, id="an account"),
        pytest.param({"type": "email-addr"}, id="an address of mail"),
        pytest.param({"type": "ipv4-addr"}, id="a network address"),
        pytest.param({"type": "identity", "identity_class": "individual", "name": "x"}, id="a person"),
        pytest.param({"type": "identity", "contact_information": "the office"}, id="how to reach somebody"),
        pytest.param({"type": "x", "first_name": "Ann"}, id="a name"),
    ],
)
def test_objects_of_people_are_not_shared(said: dict[str, Any]) -> None:
    assert people_in([said])


def test_where_it_is_is_said_and_who_it_is_is_not() -> None:
    with pytest.raises(InputError) as told:
        checked([{"a": "fine"}, {"b": ["fine", "ann@reed.example"]}])
    assert "`1.b.1`" in told.value.message
    assert "ann" not in told.value.message


def test_what_we_say_of_ourselves_is_shared() -> None:
    assert checked([MAKER, DEFINITION]) == [MAKER, DEFINITION]


@pytest.mark.parametrize("part", ["x", "(1-", "1 1-", "user ", "a.", "a@", "@a-", "ab:", "http:/", "%61"])
def test_a_long_text_is_looked_at_in_time_that_grows_with_its_length(part: str) -> None:
    """A tenth of a second each; in the square of their length these would take minutes."""
    begun = time.process_time()
    people_in([{"a": part * (200_000 // len(part))}])
    assert time.process_time() - begun < 5
