"""The example service, in process: what it shows, what it logs, and what the log says of a ring."""

import importlib.util
import io
import json
from collections import deque
from itertools import count
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from typer.testing import CliRunner

from riparian.accounts.surfaced import Asked, Listings, Shown, best, evidence, explain, follow, refuses
from riparian.cli import app
from riparian.codes import RECORDING_KEY, codes_of
from riparian.feeds.access_log import ReadOptions, read
from riparian.ports import ABSENT

ROOT = Path(__file__).resolve().parents[2]
KEY = bytes(range(16))
RECORDINGS = [f"GBAAA{i:07d}" for i in range(3_000)]
START = 1_760_000_000
WORKERS = [f"worker-{i}" for i in range(4)]
LISTENERS = [f"listener-{i}" for i in range(4)]


class Client:
    """Speaks to the service as many accounts."""

    def __init__(self, elevated: frozenset[str]) -> None:
        spec = importlib.util.spec_from_file_location("signals_service", ROOT / "examples" / "signals" / "service.py")
        assert spec is not None
        assert spec.loader is not None
        module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
        self.log = io.StringIO()
        ticks = count(START, 20)
        self.service = module.Service(KEY, RECORDINGS, log=self.log, elevated=elevated, clock=lambda: next(ticks))
        self.headers: dict[str, str] = {}

    def get(self, account: str, path: str) -> tuple[int, Any]:
        status: list[int] = []

        def start(line: str, headers: list[tuple[str, str]]) -> None:
            status.append(int(line.split(maxsplit=1)[0]))
            self.headers = dict(headers)

        where, _, query = path.partition("?")
        environ = {"HTTP_X_ACCOUNT": account, "PATH_INFO": where, "QUERY_STRING": query}
        body = b"".join(self.service(environ, start))
        return status[0], body if self.headers["Content-Type"] == "audio/ogg" else json.loads(body)

    def lines(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.log.getvalue().splitlines()]

    def listing(self, account: str, rows: int) -> list[dict[str, str]]:
        pages = [self.get(account, f"/listing?from={begin}&rows=100")[1]["rows"] for begin in range(0, rows, 100)]
        return [row for page in pages for row in page]

    def play(self, account: str, recording: str) -> int:
        _, found = self.get(account, f"/search?recording={recording}")
        return self.get(account, found["rows"][0]["media"])[0]


@pytest.fixture
def client() -> Client:
    return Client(frozenset(WORKERS))


def test_everybody_sees_one_head_and_an_order_of_their_own_below_it(client: Client) -> None:
    one, other = ([row["recording"] for row in client.listing(name, 300)] for name in LISTENERS[:2])
    assert one[:100] == other[:100] == RECORDINGS[:100]
    assert one != other
    assert client.listing(LISTENERS[0], 300)[0]["media"] != client.listing(LISTENERS[1], 300)[0]["media"]


def test_a_link_may_be_passed_on_and_a_handle_may_not(client: Client) -> None:
    mine = client.listing("listener-0", 100)[0]["media"]
    _, link = client.get("listener-0", f"/share/{mine.rsplit('/', 1)[1]}")
    assert client.get("listener-1", link["link"])[0] == 200
    assert "given_to" not in client.lines()[-1]
    assert client.get("listener-1", mine)[0] == 200
    assert client.lines()[-1]["given_to"] == "listener-0"
    assert client.lines()[-1]["surfaced"] is False
    assert client.get("listener-1", f"/share/{mine.rsplit('/', 1)[1]}")[0] == 404


def test_only_elevated_accounts_are_refused_always_again_and_like_any_outage(client: Client) -> None:
    code = int(codes_of(pa.array(["worker-0"]), KEY)[0])
    refused = RECORDINGS[int(np.flatnonzero(refuses(KEY, code, client.service.codes))[0])]
    assert client.play("listener-0", refused) == 200
    for _ in range(3):
        assert client.play("worker-0", refused) == 503
    assert client.headers == {"Content-Type": "application/json", "Retry-After": "30"}


@pytest.mark.parametrize("path", ["/media/nonsense", "/nowhere", "/search?recording=ZZ", "/media/" + "A" * 43])
def test_what_does_not_exist_is_not_found(client: Client, path: str) -> None:
    assert client.get("listener-0", path)[0] == 404
    assert client.get("", "/listing")[0] == 401


def crawl(client: Client) -> None:
    """Let a scraper read the listing, workers go through it together, and listeners play what they like."""
    rng = np.random.default_rng(4)
    queue = deque(row["recording"] for row in client.listing("scraper", 2_500))
    for turn in range(240):
        worker = WORKERS[int(rng.integers(len(WORKERS)))]
        recording = queue.popleft()
        if client.play(worker, recording) == 503:
            queue.insert(5, recording)
        if turn % 2:
            listener = LISTENERS[turn // 2 % 4]
            client.play(listener, RECORDINGS[int(rng.integers(800))])
    for row in client.listing("scraper", 100)[:6]:
        client.get("listener-3", row["media"])


def test_the_log_says_who_followed_whom(client: Client, tmp_path: Path) -> None:
    crawl(client)
    log = tmp_path / "access.ndjson"
    log.write_text(client.log.getvalue())
    chunks = list(read([str(log)], options=ReadOptions(refusals=True), key=KEY))
    table = pa.concat_tables([chunk.accesses for chunk in chunks], promote_options="default")
    truths = {"surfaced", "elevated"}
    columns = {n: table[n].fill_null(ABSENT[n]).to_numpy() for n in table.column_names if n not in truths}
    columns |= {n: table[n].cast(pa.int8()).fill_null(-1).to_numpy() for n in truths}
    elevated = codes_of(pa.array(WORKERS), KEY)
    said = columns["elevated"] >= 0
    assert (np.isin(columns["account"], elevated) == (columns["elevated"] == 1))[said].all()
    assert 503 in columns["status"]
    shown = Shown(KEY, Listings.of([codes_of(pa.array(RECORDINGS), RECORDING_KEY)]))
    signals = evidence(follow(Asked.empty(), columns, shown), shown)
    most = {row["account"]: row for row in best(signals).to_pylist()}
    scraper = int(codes_of(pa.array(["scraper"]), KEY)[0])
    for code in elevated.tolist():
        assert (most[code]["claim"], most[code]["issuer"]) == ("jitter", scraper)
        assert most[code]["bits"] > 20
        assert str(explain(most[code]).waterfall[0].label).endswith("as they would in its queue")
    for code in codes_of(pa.array(LISTENERS), KEY).tolist():
        assert most.get(code, {"bits": 0})["bits"] < 4


@pytest.mark.slow
def test_a_scan_of_the_log_would_hold_the_workers_and_says_why(client: Client, tmp_path: Path) -> None:
    crawl(client)
    workspace, log = tmp_path / "workspace", tmp_path / "access.ndjson"
    workspace.mkdir()
    (workspace / "secret.key").write_bytes(KEY)
    (workspace / "by-popularity.txt").write_text("\n".join(RECORDINGS))
    (workspace / "signals.toml").write_text('listings = ["by-popularity.txt"]\n')
    # A day is bet on when it is over: somebody looks something up four days later.
    later = {"at": START + 4 * 86_400, "account": "listener-0", "action": "metadata", "rows": 1, "status": 200}
    log.write_text(client.log.getvalue() + json.dumps(later) + "\n")
    ended = CliRunner().invoke(app, ["scan", str(log), "--workspace", str(workspace), "--json"])
    assert ended.exit_code == 0, ended.output
    told = {line.get("account"): line for line in map(json.loads, ended.stdout.splitlines())}
    assert {account for account, line in told.items() if line.get("action") == "hold"} == set(WORKERS)
    assert all(told[worker]["bits"] > 13.3 for worker in WORKERS)
    explained = CliRunner().invoke(app, ["explain", "account", "worker-0", "--workspace", str(workspace)])
    assert "follows the order in which another account was shown a listing" in " ".join(explained.output.split())
