"""Tables beside the logs: sessions, accounts, catalogue; and what people export of themselves."""

import gzip
import json
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from riparian.codes import RECORDING_KEY, codes_of
from riparian.errors import InputError
from riparian.feeds.accounts_table import accounts_of, read_accounts
from riparian.feeds.catalogue_table import catalogue_of, read_catalogue
from riparian.feeds.works import recording_id
from riparian.schema import ACCOUNT, RECORDING
from tests.feeds.renderings import KEY, accesses, chunks, coded, truth

FACTS = truth(60)


def test_a_sessions_table_joins_a_log_without_accounts(tmp_path: Path) -> None:
    log, sessions = tmp_path / "log", tmp_path / "sessions.csv"
    rows = [f'{{"ts":"{f.at:%Y-%m-%dT%H:%M:%SZ}","sid":"s-{f.account}","path":"{f.path}"}}\n' for f in FACTS]
    log.write_text("".join(rows))
    names = sorted({fact.account for fact in FACTS})
    sessions.write_text("session_id,account_id\n" + "".join(f"s-{name},{name}\n" for name in names[1:]))
    found = chunks(log, sessions=str(sessions))
    assert accesses(found) == coded([fact for fact in FACTS if fact.account != names[0]])
    assert sorted(name for chunk in found for name in chunk.ids[1]) == names[1:]
    lost = sum(fact.account == names[0] for fact in FACTS)
    assert sum(chunk.dropped.get("unknown session", 0) for chunk in found) == lost


def test_an_empty_sessions_table_joins_nothing(tmp_path: Path) -> None:
    log, sessions = tmp_path / "log", tmp_path / "sessions.csv"
    log.write_text(f'{{"ts":"2025-10-10T13:00:00Z","sid":"s","path":"{FACTS[0].path}"}}\n')
    sessions.write_text("session,account\n,\n")
    with pytest.raises(InputError, match="unknown session"):
        chunks(log, sessions=str(sessions))


ACCOUNTS = {
    "csv": b"User ID,created_at,plan,honest,exempt_until,exempt_reason\n"
    b"417,2024-05-01,family,yes,,\n8,,,no,2026-01-01,QA\n",
    "ndjson": b'{"user_id":417,"created_at":"2024-05-01T00:00:00Z","plan":"family","honest":true}\n'
    b'{"user_id":8,"honest":false,"exempt_until":"2026-01-01","exempt_reason":"QA"}\n',
}


@pytest.mark.parametrize("kind", ACCOUNTS)
def test_accounts_come_in_any_format(kind: str, tmp_path: Path) -> None:
    path = tmp_path / "accounts"
    path.write_bytes(gzip.compress(ACCOUNTS[kind]))
    found = read_accounts(str(path))
    assert found["account"].to_pylist() == ["417", "8"]
    assert found["honest"].to_pylist() == [True, False]
    assert [None if each is None else each.isoformat() for each in found["created"].to_pylist()] == [
        "2024-05-01T00:00:00+00:00",
        None,
    ]
    assert found["exempt_until"].to_pylist()[1].isoformat() == "2026-01-01T00:00:00+00:00"
    for field in found.schema:
        assert field.type == ACCOUNT.field(field.name).type


def test_accounts_without_an_account_are_refused() -> None:
    with pytest.raises(InputError, match="has no `account`"):
        accounts_of(pa.table({"plan": ["family"]}))
    with pytest.raises(InputError, match="does not exist"):
        read_accounts("/nowhere/accounts.csv")


def test_a_catalogue_comes_in_any_format(tmp_path: Path) -> None:
    path = tmp_path / "catalogue.parquet"
    columns = {
        "isrc": ["r1", "r2", None],
        "name": ["A", "B", "C"],
        "duration": [200.0, 180.0, 1.0],
        "streams": [9, 5, 1],
        "release_date": ["1999", "2001-02-03", "x"],
    }
    pq.write_table(pa.table(columns), path)
    found = read_catalogue(str(path))
    assert found["recording"].to_pylist() == ["r1", "r2"]
    assert found["duration_ms"].to_pylist() == [200_000, 180_000]
    assert found["popularity"].to_pylist() == [9.0, 5.0]
    assert [str(each) for each in found["released"].to_pylist()] == ["1999-01-01", "2001-02-03"]
    for field in found.schema:
        assert field.type == RECORDING.field(field.name).type


def test_a_rank_is_turned_round() -> None:
    found = catalogue_of(pa.table({"recording": ["a", "b"], "rank": [1, 4]}))
    assert found["popularity"].to_pylist() == [1.0, 0.25]


def test_a_catalogue_without_identifiers_uses_artist_and_title() -> None:
    found = catalogue_of(pa.table({"artist": ["Björk"], "title": ["Jóga"]}))
    assert found["recording"].to_pylist() == [recording_id("Björk", "Jóga")]
    with pytest.raises(InputError, match="has no `recording`"):
        catalogue_of(pa.table({"title": ["Jóga"]}))


def _simple(hour: int, title: str, ms: int = 200_000) -> dict[str, object]:
    return {"endTime": f"2024-01-31 {hour:02d}:45", "artistName": "Björk", "trackName": title, "msPlayed": ms}


def _extended(hour: int, title: str | None) -> dict[str, object]:
    return {
        "ts": f"2024-01-31T{hour:02d}:45:00Z",
        "ms_played": 200_000,
        "master_metadata_track_name": title,
        "master_metadata_album_artist_name": None if title is None else "BJÖRK",
        "spotify_track_uri": None,
        "episode_name": None,
    }


def test_many_exports_are_read_at_once(tmp_path: Path) -> None:
    people = tmp_path / "people"
    (people / "ann" / "MyData").mkdir(parents=True)
    (people / "bo").mkdir()
    (people / "ann" / "MyData" / "StreamingHistory0.json").write_text(
        json.dumps([_simple(1, "Jóga"), _simple(2, "Hunter", 5)], indent=2)
    )
    (people / "ann" / "MyData" / "StreamingHistory1.json").write_text(json.dumps([_simple(3, "Bachelorette", 2**40)]))
    (people / "bo" / "Streaming_History_Audio_2024_1.json").write_text(
        json.dumps([_extended(1, "jóga"), _extended(2, None)])
    )
    found = chunks(people)
    joga = codes_of(pa.array([recording_id("Björk", "Jóga")]), RECORDING_KEY)[0]
    rows = [row for chunk in found for row in chunk.accesses.to_pylist()]
    assert [row["recording"] == joga for row in rows] == [True, False, False, True]
    assert [row["media_ms"] for row in rows] == [200_000, 5, 2**31 - 1, 200_000]
    assert rows[0]["at_us"] == rows[3]["at_us"]
    assert sorted({name for chunk in found for name in chunk.ids[1]}) == ["ann", "bo"]
    assert sum(chunk.dropped.get("no recording", 0) for chunk in found) == 1
    assert chunks(people, known=frozenset(chunk.digest for chunk in found)) == []


def test_other_files_of_an_export_are_left_out_by_name(tmp_path: Path) -> None:
    (tmp_path / "ann").mkdir()
    (tmp_path / "ann" / "Userdata.json").write_text('{"username": "x"}')
    (tmp_path / "ann" / "StreamingHistory0.json").write_text(json.dumps([_simple(1, "Jóga")]))
    found = chunks(tmp_path, format="history")
    assert len(accesses(found)) == 1
    (reject,) = [reject for chunk in found for reject in chunk.rejects]
    assert "wanted a streaming history" in reject.reason


def test_a_lastfm_dump_is_a_log(tmp_path: Path) -> None:
    path = tmp_path / "plays.tsv"
    mbid = "a74b1b7f-71a5-4011-9441-d0b5e4122711"
    path.write_text(
        "".join(
            f'user_00000{i % 3}\t2009-05-04T23:{i:02d}:57Z\t{mbid}\tBjörk\t{"" if i % 2 else mbid}\tJóga "live" {i}\n'
            for i in range(40)
        ),
        encoding="utf-8",
    )
    found = chunks(path)
    names = [recording_id("Björk", f'Jóga "live" {i}') for i in range(40)]
    assert {row[2] for row in accesses(found)} == set(codes_of(pa.array(names), RECORDING_KEY).tolist())
    assert sorted(name for chunk in found for name in chunk.ids[1]) == ["user_000000", "user_000001", "user_000002"]
    assert not [reject for chunk in found for reject in chunk.rejects]
    assert codes_of(pa.array(["user_000000"]), KEY)[0] in {row[1] for row in accesses(found)}
