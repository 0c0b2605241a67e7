"""Columns are recognised by value; what cannot be told is one question to the operator."""

from collections.abc import Mapping, Sequence

import pytest

from riparian.errors import InputError
from riparian.feeds.fields import recognise

TIMES = [f"2025-10-10T13:{i % 60:02d}:00Z" for i in range(50)]
IDS = [f"k{i % 9}x" for i in range(50)]
TRACKS = [f"GBAYE06{i:05d}" for i in range(50)]
PATHS = [f"/hls/{track}/seg_1.ts" for track in TRACKS]
ADDRESSES = [f"203.0.113.{i % 7}" for i in range(50)]
NOBODY = ["-"] * 50

RECOGNISED: dict[str, tuple[Mapping[str, Sequence[str]], dict[str, str]]] = {
    "our own names": (
        {"at": TIMES, "account": IDS, "recording": TRACKS},
        {"at": "at", "account": "account", "recording": "recording"},
    ),
    "names without case and punctuation": (
        {"@timestamp": TIMES, "User-ID": IDS, "Track ID": TRACKS},
        {"at": "@timestamp", "account": "User-ID", "recording": "Track ID"},
    ),
    "names that say nothing": (
        {"a": TIMES, "b": IDS, "c": TRACKS},
        {"at": "a", "account": "b", "recording": "c"},
    ),
    "a name that lies": (
        {"time": ["0.003"] * 50, "x": TIMES, "user": NOBODY, "uid": IDS, "uri": PATHS},
        {"at": "x", "account": "uid", "path": "uri"},
    ),
    "epoch milliseconds": (
        {"ts": [str(1_760_000_000_000 + i) for i in range(50)], "uid": IDS, "isrc": TRACKS, "size": ["9"] * 50},
        {"at": "ts", "account": "uid", "recording": "isrc", "bytes": "size"},
    ),
    "a recording is better than a path": (
        {"ts": TIMES, "uid": IDS, "track_id": TRACKS, "path": PATHS},
        {"at": "ts", "account": "uid", "recording": "track_id"},
    ),
    "an address is no account": (
        {"ts": TIMES, "ip": ADDRESSES, "who": IDS, "path": PATHS},
        {"at": "ts", "account": "who", "path": "path", "network": "ip"},
    ),
    "artist and title": (
        {"ts": TIMES, "user": IDS, "artist": ["A b"] * 50, "title": ["C d"] * 50},
        {"at": "ts", "account": "user", "artist": "artist", "title": "title"},
    ),
}


@pytest.mark.parametrize("name", RECOGNISED)
def test_columns_are_recognised(name: str) -> None:
    sample, columns = RECOGNISED[name]
    assert dict(recognise(sample, source="log", mapping={}).columns) == columns


ASKED: dict[str, tuple[Mapping[str, Sequence[str]], str, str]] = {
    "two columns could be the account": (
        {"a": TIMES, "b": IDS, "c": [f"q{i % 5}" for i in range(50)], "path": PATHS},
        "no `account` found in `log`",
        "--map account=b",
    ),
    "nobody is named": (
        {"time_local": TIMES, "remote_user": NOBODY, "remote_addr": ADDRESSES, "request": ["GET /a HTTP/1.1"] * 50},
        "no `account` found in `log`",
        "--map account=",
    ),
    "no time": ({"account": IDS, "recording": TRACKS}, "no `at` found in `log`", "--map at="),
    "nothing that could be heard": (
        {"at": TIMES, "account": IDS, "bytes": ["5"] * 50},
        "no `recording` and no request path found in `log`",
        "--map recording=",
    ),
}


@pytest.mark.parametrize("name", ASKED)
def test_what_cannot_be_told_is_asked(name: str) -> None:
    sample, message, hint = ASKED[name]
    with pytest.raises(InputError) as caught:
        recognise(sample, source="log", mapping={})
    assert caught.value.message.startswith(message)
    assert hint in caught.value.hint
    for column in sample:
        assert f"`{column}`" in caught.value.message


def test_the_question_shows_no_identifier() -> None:
    sample = {"mail": ["ann@example.org"] * 9, "ip": ADDRESSES, "uid2": [f"secret-{i}" for i in range(9)]}
    with pytest.raises(InputError) as caught:
        recognise(sample, source="log", mapping={})
    for secret in ("ann@example.org", "203.0.113.0", "secret-0"):
        assert secret not in caught.value.message + caught.value.hint


def test_a_mapping_comes_first_and_is_not_questioned() -> None:
    sample = {"at": TIMES, "account": IDS, "recording": TRACKS, "remote_addr": ADDRESSES}
    plan = recognise(sample, source="log", mapping={"account": "remote_addr"})
    assert plan.columns["account"] == "remote_addr"


def test_a_wrong_mapping_is_refused_with_the_nearest_field() -> None:
    with pytest.raises(InputError) as caught:
        recognise({"at": TIMES}, source="log", mapping={"acount": "x"})
    assert caught.value.hint == "Write --map account=..."
    with pytest.raises(InputError, match="has no column `x`"):
        recognise({"at": TIMES}, source="log", mapping={"account": "x"})


def test_a_session_will_do_where_a_table_joins_it() -> None:
    sample = {"ts": TIMES, "sid": [f"s{i}" for i in range(50)], "path": PATHS}
    plan = recognise(sample, source="log", mapping={}, given=frozenset(("sessions",)))
    assert dict(plan.columns) == {"at": "ts", "session": "sid", "path": "path"}


def test_only_wanted_columns_are_looked_for() -> None:
    sample = {"at": TIMES, "account": IDS, "recording": TRACKS, "country": ["GB"] * 50, "device": ["d"] * 50}
    plan = recognise(sample, source="log", mapping={}, wanted=frozenset(("country",)))
    assert set(plan.columns) == {"at", "account", "recording", "country"}


HINTS = {
    "the song is the column that repeats least": (
        {
            "k1": [f"2025-01-0{i}T00:00:00Z" for i in range(1, 9)],
            "k2": ["u 1", "u 2"] * 4,
            "k3": [f"s {i}" for i in range(8)],
        },
        {"account": "k2"},
        "recording=k3",
    ),
    "the time is the column that is called so": (
        {"who": ["u 1", "u 2"] * 4, "what": [f"s {i}" for i in range(8)], "when": ["11/01/2026 07:39 AM"] * 8},
        {},
        "at=when",
    ),
}


@pytest.mark.parametrize("name", HINTS)
def test_the_hint_names_a_column_that_may_be_meant(name: str) -> None:
    sample, mapping, hint = HINTS[name]
    with pytest.raises(InputError) as refused:
        recognise(sample, source="x.csv", mapping=mapping)
    assert f"--map {hint}" in refused.value.hint
