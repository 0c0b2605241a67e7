"""All that we say, read by others' validator; all that others say, read by us or kept as it was."""

import json
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from stix2validator import ValidationOptions, validate_instance

from riparian.errors import InputError
from riparian.exchange import profile
from riparian.exchange.profile import EXTENSION, Opinion, Signal, Tlp

AT = datetime(2026, 11, 23, 9, 30, 0, 123_456, tzinfo=UTC)
REED = profile.identity("Reed Records", AT)
SENDER = REED["id"]
FILE = Signal(sha256="ab" * 32, recording="GBAYE0000351", error=1e-9, seconds=181.25, seen=AT - timedelta(days=2))
PLACE = Signal(url="https://mirror-example.to/a'b\\c.flac", how="mark", error=0.0, seen=AT)
SAID = profile.indicator(FILE, SENDER, AT)


def everything() -> Iterator[tuple[str, Mapping[str, Any]]]:
    yield "who speaks", REED
    yield "who made the extension", profile.MAKER
    yield "the extension", profile.DEFINITION
    yield "a file", SAID
    yield "an address", profile.indicator(PLACE, SENDER, AT)
    yield "a file in all its detail", profile.file(FILE)
    yield "a file of which only the digest is known", profile.file(Signal(sha256="cd" * 32))
    for marking in Tlp:
        yield f"marked {marking.name.lower()}", profile.indicator(FILE, SENDER, AT, marking)
    yield (
        "one that ends",
        profile.indicator(Signal(sha256="ab" * 32, seen=AT, until=AT + timedelta(days=7)), SENDER, AT),
    )
    yield "seen too", profile.sighting(SAID["id"], SENDER, AT, count=3)
    for holds in Opinion:
        yield f"held: {holds}", profile.opinion(SAID["id"], holds, SENDER, AT, "It is licensed.")
    yield "held, without a reason", profile.opinion(SAID["id"], Opinion.AGREE, SENDER, AT)
    yield "together", profile.grouping([SAID["id"], profile.file(FILE)["id"]], "Audio leak C1", SENDER, AT)
    yield "taken back", profile.revoked(SAID, AT)
    yield "said again", profile.again(SAID, AT + timedelta(days=1), valid_until=profile.stamp(AT + timedelta(days=99)))


EVERYTHING = dict(everything())


@pytest.mark.parametrize("name", EVERYTHING)
@pytest.mark.parametrize("interop", [False, True], ids=["as the standard has it", "as products agreed"])
def test_others_hold_it_valid(name: str, *, interop: bool) -> None:
    told = validate_instance(dict(EVERYTHING[name]), ValidationOptions(version="2.1", interop=interop))
    assert told.is_valid, [str(one) for one in told.errors]


def test_a_file_has_the_identifier_that_others_give_it() -> None:
    """As stix2 3.0.2 made it from the same properties (STIX 2.1, 2.9)."""
    assert [profile.file(one)["id"] for one in (FILE, Signal(sha256="cd" * 32))] == [
        "file--32d91abc-8ba4-5b85-87fd-33229ab743fb",
        "file--75284771-56bd-5815-a820-5881a774dc09",
    ]


def test_the_same_signal_has_the_same_identifier_and_another_senders_has_not() -> None:
    later = profile.indicator(FILE, SENDER, AT + timedelta(days=3))
    assert later["id"] == SAID["id"] == profile.ident_of(FILE, SENDER)
    assert profile.indicator(FILE, "identity--" + "1" * 36, AT)["id"] != SAID["id"]


@given(
    st.text(min_size=1, max_size=80),
    st.floats(0, 1),
    st.datetimes(datetime(2020, 1, 1), datetime(2040, 1, 1)),  # noqa: DTZ001 -- it is given its zone below
)
def test_what_is_written_is_read(url: str, error: float, seen: datetime) -> None:
    at = seen.replace(tzinfo=UTC, microsecond=seen.microsecond // 1000 * 1000)
    read = profile.signal_of(
        json.loads(json.dumps(profile.indicator(Signal(url=url, error=error, seen=at), SENDER, at)))
    )
    assert (read.url, read.error, read.seen, read.until) == (url, error, at, at + profile.TTL)


def test_what_is_taken_back_is_later_than_what_stood() -> None:
    back = profile.revoked(SAID, AT - timedelta(days=1))
    assert (back["revoked"], back["id"], back["created"]) == (True, SAID["id"], SAID["created"])
    assert back["modified"] > SAID["modified"]
    assert profile.later(profile.signal_of(back), profile.signal_of(SAID)).revoked
    with pytest.raises(InputError):
        profile.revoked(back, AT)


@pytest.mark.parametrize(
    ("change", "current"),
    [
        pytest.param({}, True, id="as it was said"),
        pytest.param({"revoked": True}, False, id="taken back"),
        pytest.param({"valid_until": profile.stamp(AT)}, False, id="at its end"),
        pytest.param({"valid_until": profile.stamp(AT + timedelta(seconds=1))}, True, id="just before its end"),
        pytest.param({"valid_until": None}, True, id="without an end"),
    ],
)
def test_how_long_it_holds(change: dict[str, Any], *, current: bool) -> None:
    assert profile.is_current(profile.signal_of({**SAID, **change}), AT) is current


@pytest.mark.parametrize(
    "change",
    [
        pytest.param({"type": "malware"}, id="another type"),
        pytest.param({"pattern_type": "sigma"}, id="another language"),
        pytest.param({"pattern": "[file:hashes.MD5 = 'x']"}, id="another digest"),
        pytest.param({"pattern": "[file:hashes.'SHA-256' = 'xyz']"}, id="no digest"),
        pytest.param({"pattern": "[url:value = 'a'] AND [url:value = 'b']"}, id="two of them"),
        pytest.param({"pattern": None}, id="no pattern"),
        pytest.param({"valid_from": "yesterday"}, id="no time"),
        pytest.param({"valid_from": "2026-11-23T00:00:00"}, id="no zone"),
        pytest.param({"modified": 7}, id="a number for a time"),
        pytest.param({"extensions": "x"}, id="no extensions"),
        pytest.param({"extensions": {EXTENSION: {"error": "x"}}}, id="a chance that is none"),
        pytest.param({"extensions": {EXTENSION: {"milliseconds": 10**400}}}, id="a length without end"),
    ],
)
def test_what_cannot_be_understood_is_an_error(change: dict[str, Any]) -> None:
    with pytest.raises(InputError):
        profile.signal_of({**SAID, **change})


@pytest.mark.parametrize(
    ("leak", "error"),
    [
        pytest.param({}, 1.0, id="nothing is said of it"),
        pytest.param({"error": 2}, 1.0, id="more than certain"),
        pytest.param({"error": -1}, 1.0, id="less than never"),
        pytest.param({"error": 0.25}, 0.25, id="it is said"),
    ],
)
def test_a_chance_that_is_not_stated_is_one(leak: dict[str, Any], error: float) -> None:
    assert profile.signal_of({**SAID, "extensions": {EXTENSION: leak}}).error == error


@pytest.mark.parametrize(
    "signal",
    [
        pytest.param(Signal(), id="about nothing"),
        pytest.param(Signal(sha256="ab" * 32, url="https://a.example"), id="about two things"),
        pytest.param(Signal(sha256="ab" * 32, error=1.5), id="a chance above one"),
        pytest.param(Signal(sha256="ab" * 32, error=float("nan")), id="no chance"),
    ],
)
def test_what_cannot_be_said_is_not(signal: Signal) -> None:
    with pytest.raises(InputError):
        profile.indicator(signal, SENDER, AT)
