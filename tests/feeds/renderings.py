"""One truth in many renderings: the same accesses, written as each kind of server writes them."""

import csv
import datetime as dt
import gzip
import io
import json
import random
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import pyarrow as pa
import pyarrow.parquet as pq
import zstandard
from pyarrow import ipc

from riparian.codes import RECORDING_KEY, codes_of
from riparian.feeds.access_log import Chunk, ReadOptions, read

KEY: Final = bytes(range(16))
START: Final = dt.datetime(2025, 10, 10, 13, 0, tzinfo=dt.UTC)
AGENT: Final = 'Player/1.0 (Linux; "x") like'


@dataclass(frozen=True, slots=True)
class Fact:
    """One true access."""

    at: dt.datetime
    account: str
    recording: str

    @property
    def path(self) -> str:
        """The request that it was."""
        return f"/v1/tracks/{self.recording}/stream"


def truth(n: int = 300, seed: int = 7) -> list[Fact]:
    """Make accesses of a dozen accounts."""
    rng = random.Random(seed)  # noqa: S311 -- a simulation
    return [
        Fact(
            START + dt.timedelta(seconds=7 * i),
            f"acct-{rng.randrange(12):02d}",
            f"GBAYE06{rng.randrange(10_000):05d}",
        )
        for i in range(n)
    ]


def coded(facts: Sequence[Fact]) -> list[tuple[int, int, int]]:
    """Give the accesses as they must come out: time, account, recording."""
    accounts = codes_of(pa.array([fact.account for fact in facts], pa.string()), KEY).tolist()
    recordings = codes_of(pa.array([fact.recording for fact in facts], pa.string()), RECORDING_KEY).tolist()
    times = [int(fact.at.timestamp()) * 1_000_000 for fact in facts]
    return sorted(zip(times, accounts, recordings, strict=True))


def _lines(lines: Iterator[str], end: str = "\n") -> bytes:
    return "".join(line + end for line in lines).encode()


def _iso(fact: Fact) -> str:
    return fact.at.strftime("%Y-%m-%dT%H:%M:%SZ")


def combined(facts: Sequence[Fact]) -> bytes:
    agent = AGENT.replace('"', '\\"')
    return _lines(
        f'203.0.113.{i % 250} - {fact.account} [{fact.at:%d/%b/%Y:%H:%M:%S} +0000] "GET {fact.path} HTTP/1.1" 200 5120'
        f' "-" "{agent}"'
        for i, fact in enumerate(facts)
    )


def combined_elsewhere(facts: Sequence[Fact]) -> bytes:
    zone = dt.timezone(dt.timedelta(hours=-7))
    return _lines(
        f"203.0.113.9 - {fact.account} [{fact.at.astimezone(zone):%d/%b/%Y:%H:%M:%S} -0700]"
        f' "GET https://music.example{fact.path}?q=1 HTTP/2.0" 206 5120 "-" "x" 0.003 "up stream"'
        for fact in facts
    )


def nginx_json(facts: Sequence[Fact]) -> bytes:
    return _lines(
        json.dumps(
            {
                "time_iso8601": _iso(fact).replace("Z", "+00:00"),
                "remote_addr": "203.0.113.9",
                "remote_user": fact.account,
                "request": f"GET {fact.path} HTTP/1.1",
                "status": 200,
                "body_bytes_sent": 512,
                "http_user_agent": AGENT,
            }
        )
        for fact in facts
    )


def nginx_msec(facts: Sequence[Fact]) -> bytes:
    return _lines(
        json.dumps({"msec": f"{fact.at.timestamp():.3f}", "user_id": fact.account, "uri": fact.path, "status": "200"})
        for fact in facts
    )


def envoy(facts: Sequence[Fact]) -> bytes:
    return _lines(
        json.dumps(
            {
                "start_time": fact.at.strftime("%Y-%m-%dT%H:%M:%S.000Z"),
                "method": "GET",
                "path": fact.path,
                "protocol": "HTTP/2",
                "response_code": 200,
                "bytes_sent": 900,
                "duration": 12,
                "downstream_remote_address": "203.0.113.9:51234",
                "x-user-id": fact.account,
                "user_agent": None,
            }
        )
        for fact in facts
    )


def nested(facts: Sequence[Fact]) -> bytes:
    return _lines(
        json.dumps(
            {"ts": int(fact.at.timestamp() * 1000), "user": {"id": fact.account}, "tags": ["a", {"b": "}"}],
             "event": {"track": {"track_id": fact.recording}}}
        )
        for fact in facts
    )  # fmt: skip


def escaped(facts: Sequence[Fact]) -> bytes:
    return _lines(
        json.dumps({"at": _iso(fact), "account": fact.account, "recording": fact.recording})
        .replace('"acct', '"\\u0061cct')
        .replace('"GB', '"G\\u0042')
        for fact in facts
    )


def cloudfront(facts: Sequence[Fact]) -> bytes:
    head = [
        "#Version: 1.0",
        "#Fields: date time x-edge-location sc-bytes c-ip cs-method cs-uri-stem sc-status cs-username cs-uri-query",
    ]
    rows = (
        f"{fact.at:%Y-%m-%d}\t{fact.at:%H:%M:%S}\tLHR61\t512\t203.0.113.9\tGET\t{fact.path}\t200"
        f"\t{fact.account}\t{'-' if i % 2 else 'sig=1'}"
        for i, fact in enumerate(facts)
    )
    return _lines(iter([*head, *rows]))


def w3c_restarted(facts: Sequence[Fact]) -> bytes:
    half = len(facts) // 2
    first = (
        f"{fact.at:%Y-%m-%d} {fact.at:%H:%M:%S} GET {fact.path} - {fact.account} 203.0.113.9 200"
        for fact in facts[:half]
    )
    second = (f"{fact.account} {fact.at:%Y-%m-%d} {fact.at:%H:%M:%S} {fact.path} - GET 200" for fact in facts[half:])
    return _lines(
        iter(
            [
                "#Software: Microsoft Internet Information Services 10.0",
                "#Fields: date time cs-method cs-uri-stem cs-uri-query cs-username c-ip sc-status",
                *first,
                "#Fields: cs-username date time cs-uri-stem cs-uri-query cs-method sc-status",
                *second,
            ]
        ),
        "\r\n",
    )


def ndjson(facts: Sequence[Fact]) -> bytes:
    return _lines(
        json.dumps({"at": _iso(fact), "account": fact.account, "recording": fact.recording, "media_ms": 5})
        for fact in facts
    )


def _table(facts: Sequence[Fact]) -> list[list[str]]:
    return [["when", "user_id", "note", "track_id"]] + [
        [_iso(fact), fact.account, "a, b", fact.recording] for fact in facts
    ]


def csv_quoted(facts: Sequence[Fact]) -> bytes:
    out = io.StringIO()
    csv.writer(out, quoting=csv.QUOTE_ALL).writerows(_table(facts))
    return b"\xef\xbb\xbf" + out.getvalue().encode()


def csv_semicolon(facts: Sequence[Fact]) -> bytes:
    out = io.StringIO()
    csv.writer(out, delimiter=";", lineterminator="\n").writerows(_table(facts))
    return out.getvalue().encode()


def csv_epoch(facts: Sequence[Fact]) -> bytes:
    rows = [["timestamp", "account", "recording"]] + [
        [str(int(fact.at.timestamp())), fact.account, fact.recording] for fact in facts
    ]
    return _lines(",".join(row) for row in rows)


def tsv_without_header(facts: Sequence[Fact]) -> bytes:
    return _lines(f"{_iso(fact)}\t{fact.account}\t{fact.recording}" for fact in facts)


def arrow_table(facts: Sequence[Fact]) -> pa.Table:
    return pa.table(
        {
            "at": pa.array([fact.at for fact in facts], pa.timestamp("us", "UTC")),
            "account": pa.array([fact.account for fact in facts]),
            "recording": pa.array([fact.recording for fact in facts]),
        }
    )


def parquet(facts: Sequence[Fact]) -> bytes:
    out = io.BytesIO()
    pq.write_table(arrow_table(facts), out, row_group_size=100)
    return out.getvalue()


def parquet_strings(facts: Sequence[Fact]) -> bytes:
    table = pa.table(
        {
            "who": pa.array([fact.account for fact in facts]).dictionary_encode(),
            "time": [_iso(fact) for fact in facts],
            "url": [fact.path for fact in facts],
        }
    )
    out = io.BytesIO()
    pq.write_table(table.rename_columns(["member", "time", "url"]), out, compression="zstd", use_dictionary=False)
    return out.getvalue()


def parquet_nested(facts: Sequence[Fact]) -> bytes:
    out = io.BytesIO()
    event = [{"account": fact.account, "at_us": int(fact.at.timestamp()) * 1_000_000} for fact in facts]
    pq.write_table(pa.table({"event": event, "recording": [fact.recording for fact in facts]}), out)
    return out.getvalue()


def arrow(facts: Sequence[Fact]) -> bytes:
    out = io.BytesIO()
    table = arrow_table(facts)
    with ipc.new_file(out, table.schema) as writer:
        writer.write_table(table, max_chunksize=64)
    return out.getvalue()


def gzipped(facts: Sequence[Fact]) -> bytes:
    text = ndjson(facts)
    return gzip.compress(text[:5000]) + gzip.compress(text[5000:])


def zstandarded(facts: Sequence[Fact]) -> bytes:
    text = combined(facts)
    return zstandard.compress(text[:777]) + zstandard.compress(text[777:])


RENDERINGS: Final[Mapping[str, Callable[[Sequence[Fact]], bytes]]] = {
    "nginx combined": combined,
    "combined, another zone, more fields": combined_elsewhere,
    "nginx JSON": nginx_json,
    "nginx JSON, seconds with a fraction": nginx_msec,
    "Envoy JSON": envoy,
    "nested JSON, milliseconds": nested,
    "JSON with escapes": escaped,
    "CloudFront": cloudfront,
    "W3C, fields named anew": w3c_restarted,
    "NDJSON": ndjson,
    "CSV, quoted, with a byte order mark": csv_quoted,
    "CSV with semicolons": csv_semicolon,
    "CSV, epoch seconds": csv_epoch,
    "TSV without a header": tsv_without_header,
    "Parquet": parquet,
    "Parquet of strings and paths": parquet_strings,
    "Parquet, nested": parquet_nested,
    "Arrow": arrow,
    "NDJSON in two gzip members": gzipped,
    "combined in two zstd frames": zstandarded,
}


def chunks(*paths: Path | str, known: frozenset[bytes] = frozenset(), **options: object) -> list[Chunk]:
    """Read, with small chunks."""
    chosen = ReadOptions(**{"chunk_bytes": 1 << 13, **options})  # type: ignore[arg-type]
    return list(read([str(path) for path in paths], options=chosen, key=KEY, known=known.__contains__))


def accesses(found: Sequence[Chunk]) -> list[tuple[int, int, int]]:
    """Give time, account and recording of every access, sorted."""
    rows: list[tuple[int, int, int]] = []
    for chunk in found:
        columns = [chunk.accesses.column(name).to_pylist() for name in ("at_us", "account", "recording")]
        rows.extend(zip(*columns, strict=True))
    return sorted(rows)
