"""A streaming service in miniature that shows and refuses by lot: what an operator adds to their own.

::

    python examples/signals/service.py --key riparian-workspace/secret.key --log access.ndjson

serves, for whoever says who they are in the header ``X-Account``,

=============================  ==========================================================================
``GET /listing?from=0&rows=50``  the catalogue by popularity, below its head in an order of the account's own
``GET /search?recording=ID``     the account's own handle for a recording
``GET /media/HANDLE``            the sound; 503 and Retry-After where a lot refuses an elevated account
``GET /share/HANDLE``            a link that may be passed on
``GET /s/LINK``                  the sound behind such a link
=============================  ==========================================================================

and writes an access log that ``riparian scan`` reads, with ``given_to``, ``surfaced``, ``elevated`` and ``status``.
"""

import argparse
import json
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, Final, TextIO
from urllib.parse import parse_qs
from wsgiref.simple_server import make_server

import numpy as np
import pyarrow as pa

from riparian.accounts.surfaced import Opened, handle, jitter_order, opened, refuses, share_link
from riparian.codes import RECORDING_KEY, codes_of

ROWS_MAX: Final = 100
UNAVAILABLE: Final = (503, {"error": "temporarily unavailable"})
"""What any outage of the service looks like, and so a refusal by lot too."""

Answer = tuple[int, Mapping[str, Any] | bytes]
Line = dict[str, Any]


class Service:
    """A WSGI application.

    Parameters
    ----------
    key
        The workspace's secret, ``secret.key``: it makes the same codes of accounts as a scan does.
    recordings
        Identifiers, most popular first.
    elevated
        Accounts with some bits of evidence, restrained or not, as ``riparian accounts --json`` lists them.
    log
        Where access lines go.
    clock
        Seconds since 1970.
    """

    def __init__(
        self,
        key: bytes,
        recordings: Sequence[str],
        *,
        log: TextIO,
        elevated: frozenset[str] = frozenset(),
        clock: Callable[[], float] = time.time,
    ) -> None:
        self.key = key
        self.codes = codes_of(pa.array(recordings), RECORDING_KEY)
        self.names = dict(zip(self.codes.tolist(), recordings, strict=True))
        self.elevated = elevated
        self.log = log
        self.clock = clock
        self.accounts: dict[int, str] = {}
        self.delivered: set[tuple[int, int]] = set()

    def __call__(self, environ: Mapping[str, Any], start_response: Callable[..., object]) -> Iterable[bytes]:
        """Answer a request, and log it."""
        account = environ.get("HTTP_X_ACCOUNT", "")
        path = environ.get("PATH_INFO", "/").strip("/").split("/")
        line: Line = {"at": self.clock(), "account": account}
        status, body = self._answer(account, path, parse_qs(environ.get("QUERY_STRING", "")), line)
        self.log.write(json.dumps(line | {"status": status}) + "\n")
        headers = [("Content-Type", "audio/ogg" if isinstance(body, bytes) else "application/json")]
        headers += [("Retry-After", "30")] if status == UNAVAILABLE[0] else []
        start_response(f"{status} {'OK' if status == 200 else 'Not served'}", headers)
        return [body if isinstance(body, bytes) else json.dumps(body).encode()]

    def _answer(self, account: str, path: Sequence[str], query: Mapping[str, list[str]], line: Line) -> Answer:
        if not account:
            return 401, {"error": "say who you are"}
        code = self._code(account)
        match path:
            case ["listing"]:
                begin, rows = _number(query, "from", 0), min(_number(query, "rows", 50), ROWS_MAX)
                return self._listing(code, slice(begin, begin + rows), line)
            case ["search"]:
                return self._search(code, query.get("recording", [""])[0], line)
            case ["media" | "s", text]:
                return self._media(code, opened(self.key, text), line)
            case ["share", text]:
                return self._share(code, opened(self.key, text))
            case _:
                return 404, {"error": "no such page"}

    def _code(self, account: str) -> int:
        code = int(codes_of(pa.array([account]), self.key)[0])
        self.accounts[code] = account
        return code

    def _listing(self, code: int, places: slice, line: Line) -> Answer:
        shown = jitter_order(self.key, code, self.codes)[places].tolist()
        line.update(action="metadata", rows=len(shown))
        return 200, {
            "rows": [
                {"recording": self.names[each], "media": f"/media/{handle(self.key, code, each)}"} for each in shown
            ]
        }

    def _search(self, code: int, recording: str, line: Line) -> Answer:
        found = int(codes_of(pa.array([recording]), RECORDING_KEY)[0])
        line.update(action="search", rows=int(found in self.names))
        if found not in self.names:
            return 404, {"error": "no such recording"}
        return 200, {"rows": [{"recording": recording, "media": f"/media/{handle(self.key, code, found)}"}]}

    def _media(self, code: int, found: Opened | None, line: Line) -> Answer:
        if found is None or found.recording not in self.names:
            return 404, {"error": "no such recording"}
        line.update(action="play", recording=self.names[found.recording], surfaced=True)
        if not found.is_share:
            # A handle comes from a listing or a search of the account that it was given to.
            line.update(given_to=self.accounts.get(found.account, str(found.account)), surfaced=found.account == code)
        is_new = (code, found.recording) not in self.delivered
        line.update(elevated=self.accounts[code] in self.elevated)
        if is_new and line["elevated"] and refuses(self.key, code, found.recording).any():
            return UNAVAILABLE
        self.delivered.add((code, found.recording))
        return 200, b"OggS"

    def _share(self, code: int, found: Opened | None) -> Answer:
        if found is None or found.account != code:
            return 404, {"error": "no such recording"}
        return 200, {"link": f"/s/{share_link(self.key, code, found.recording)}"}


def _number(query: Mapping[str, list[str]], name: str, otherwise: int) -> int:
    text = query.get(name, [""])[0]
    return int(text) if text.isdecimal() else otherwise


def main() -> None:
    """Serve a catalogue of ten thousand made-up recordings until interrupted."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("--key", type=Path, required=True, help="secret.key of the workspace")
    parser.add_argument("--log", type=Path, default=Path("access.ndjson"), help="where access lines go")
    parser.add_argument("--elevated", type=Path, help="a file with an account a line")
    parser.add_argument("--port", type=int, default=8000)
    given = parser.parse_args()
    elevated = frozenset(given.elevated.read_text().split()) if given.elevated else frozenset()
    recordings = [f"GBAAA{i:07d}" for i in np.arange(10_000)]
    with given.log.open("a", buffering=1) as log:
        service = Service(given.key.read_bytes(), recordings, log=log, elevated=elevated)
        with make_server("127.0.0.1", given.port, service) as server:
            print(f"http://127.0.0.1:{given.port}/listing")
            server.serve_forever()


if __name__ == "__main__":
    main()
