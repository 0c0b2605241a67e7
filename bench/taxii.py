"""Does our TAXII server answer as another does for the other's own data, and how long do all pages take?

The other is medallion 3.0.0 (OASIS, BSD), the reference implementation, with its backend in memory; ``--data`` is the
data file that it ships (``medallion/test/data/default_data.json`` of its repository).  Both get the same requests over
loopback with somebody else's client or plain HTTP; every answer is compared as JSON, without the moment of the request.
Then both get so many objects, and all of them are read page by page; the other only a few, since its time for a page
grows with all that it holds.

    python bench/taxii.py --data FILE      # some two minutes, nearly all of it the other's
"""

import argparse
import contextlib
import json
import logging
import os
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import httpx
from measure import write
from taxii2client import v21

from riparian.exchange.taxii import TAXII, micros
from riparian.ports.exchange import Collection
from riparian.stores.signals import SqlSignals

ROOT, SHELF, EMPTY = "trustgroup1", "91a7b528-80eb-42ed-a74d-c6fbd5a26116", "52892447-4d7e-4f70-b94d-d7f22742ff63"
ADDING = "365fed99-08fa-fdcd-a1b3-fb247eb41d01"
OTHER, OURS = "medallion 3.0.0", "ours"
SIZES = (
    (2_000, 100, 3, (OTHER, OURS)),
    (2_000, 1000, 3, (OTHER, OURS)),
    (10_000, 100, 3, (OURS,)),
    (10_000, 1000, 3, (OURS,)),
)
ADDING_MOST = 60.0
USER, WORD = "admin", "Password0"


def objects(n: int) -> list[dict[str, Any]]:
    """Make so many indicators."""
    at = "2026-11-23T00:00:00.000Z"
    same = {"type": "indicator", "spec_version": "2.1", "created": at, "modified": at, "valid_from": at}
    rest = {**same, "pattern_type": "stix", "indicator_types": ["unknown"], "name": "Audio leak"}
    return [
        {
            **rest,
            "id": f"indicator--00000000-0000-4000-8000-{k:012}",
            "pattern": f"[url:value = 'https://m.example/{k}']",
        }
        for k in range(n)
    ]


def serve_other(data: Path, port: int, page: int) -> None:
    """Serve as medallion does; in a process of its own."""
    import medallion  # noqa: PLC0415 -- as above
    from flask import Flask  # noqa: F401, PLC0415 -- told early when it is not there
    from medallion import application_instance, register_blueprints, set_config  # noqa: PLC0415 -- as above

    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    logging.getLogger(medallion.__name__).setLevel(logging.ERROR)
    backend = {"module": "medallion.backends.memory_backend", "module_class": "MemoryBackend", "filename": str(data)}
    said = {"backend": backend, "users": {USER: WORD}, "taxii": {"max_page_size": page}}
    for name in ("users", "taxii", "backend"):
        set_config(application_instance, name, said)
    register_blueprints(application_instance)
    application_instance.run("127.0.0.1", port, threaded=False)


def serve_ours(folder: Path, port: int) -> None:
    """Serve as we do; in a process of its own."""
    import uvicorn  # noqa: PLC0415 -- as the command does

    from riparian.edges.taxii import Served, taxii_app  # noqa: PLC0415 -- as above
    from riparian.engines.clocks import WallClock  # noqa: PLC0415 -- as above

    signals = SqlSignals(folder)
    uvicorn.run(taxii_app(Served(signals, WallClock(), "x", root=ROOT)), port=port, log_level="error", access_log=False)


def held(folder: Path, data: Mapping[str, Any]) -> str:
    """Keep the other's data as ours, added when it says so; gives a token for all of it."""
    signals = SqlSignals(folder)
    every = data[ROOT]["collections"]
    for one in every:
        kept = Collection(one["id"], one["title"], one.get("description", ""), "", one["can_read"], one["can_write"])
        signals.keep_collection(kept)
        added = {(said["id"], said["version"]): micros(said["date_added"]) for said in one["manifest"]}

        def when(said: Mapping[str, Any], added: Mapping[tuple[str, str], int] = added) -> int:
            return added[said["id"], said.get("modified", said.get("created"))]

        for said in sorted(one["objects"], key=when):
            signals.add(one["id"], [said], when(said))
    idents = [one["id"] for one in every]
    token = signals.allow(USER, idents, idents)
    signals.close()
    return token


@contextlib.contextmanager
def running(which: str, *words: str) -> Iterator[tuple[str, subprocess.Popen[bytes]]]:
    """Run a server, and give its address."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [sys.executable, __file__, "--serve", which, "--port", str(port), *words]
    server = subprocess.Popen(command, stderr=subprocess.DEVNULL, stdout=subprocess.DEVNULL)
    try:
        for _ in range(600):
            with contextlib.suppress(httpx.TransportError):
                httpx.get(f"http://127.0.0.1:{port}/taxii2/", timeout=5)
                break
            time.sleep(0.05)
        yield f"http://127.0.0.1:{port}", server
    finally:
        server.terminate()
        server.wait()


def cpu_of(server: subprocess.Popen[bytes]) -> float:
    """Give the CPU that a server took until now."""
    fields = Path(f"/proc/{server.pid}/stat").read_text(encoding="ascii").rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


REQUESTS = (
    ("GET", f"/{ROOT}/collections/"),
    ("GET", f"/{ROOT}/collections/{SHELF}/"),
    ("GET", f"/{ROOT}/collections/{SHELF}/objects/"),
    ("GET", f"/{ROOT}/collections/{SHELF}/objects/?limit=3"),
    ("GET", f"/{ROOT}/collections/{SHELF}/objects/?match[type]=indicator"),
    ("GET", f"/{ROOT}/collections/{SHELF}/objects/?match[type]=indicator,malware"),
    ("GET", f"/{ROOT}/collections/{SHELF}/objects/?match[version]=all"),
    ("GET", f"/{ROOT}/collections/{SHELF}/objects/?match[version]=first"),
    ("GET", f"/{ROOT}/collections/{SHELF}/objects/?match[version]=last"),
    ("GET", f"/{ROOT}/collections/{SHELF}/objects/?match[version]=2016-11-03T12:30:59.000Z"),
    ("GET", f"/{ROOT}/collections/{SHELF}/objects/?match[spec_version]=2.0"),
    ("GET", f"/{ROOT}/collections/{SHELF}/objects/?match[spec_version]=2.0,2.1"),
    ("GET", f"/{ROOT}/collections/{SHELF}/objects/?match[id]=indicator--6770298f-0fd8-471a-ab8c-1c658a46574e"),
    ("GET", f"/{ROOT}/collections/{SHELF}/objects/?added_after=2016-11-03T12:30:59.001Z"),
    ("GET", f"/{ROOT}/collections/{SHELF}/objects/?added_after=2100-01-01T00:00:00.000Z"),
    ("GET", f"/{ROOT}/collections/{SHELF}/objects/indicator--6770298f-0fd8-471a-ab8c-1c658a46574e/"),
    ("GET", f"/{ROOT}/collections/{SHELF}/objects/indicator--6770298f-0fd8-471a-ab8c-1c658a46574e/?match[version]=all"),
    ("GET", f"/{ROOT}/collections/{SHELF}/objects/indicator--6770298f-0fd8-471a-ab8c-1c658a46574e/versions/"),
    ("GET", f"/{ROOT}/collections/{SHELF}/objects/indicator--00000000-0000-4000-8000-000000000000/"),
    ("GET", f"/{ROOT}/collections/{SHELF}/manifest/"),
    ("GET", f"/{ROOT}/collections/{SHELF}/manifest/?match[version]=all"),
    ("GET", f"/{ROOT}/collections/{SHELF}/manifest/?match[type]=malware"),
    ("GET", f"/{ROOT}/collections/{EMPTY}/objects/"),
    ("GET", f"/{ROOT}/collections/00000000-0000-4000-8000-000000000000/objects/"),
    ("GET", f"/{ROOT}/collections/64993447-4d7e-4f70-b94d-d7f33742ee63/objects/"),
    ("GET", f"/{ROOT}/status/00000000-0000-4000-8000-000000000000/"),
    ("GET", "/nowhere/"),
    ("POST", f"/{ROOT}/collections/{EMPTY}/objects/"),
    ("POST", f"/{ROOT}/collections/{ADDING}/objects/"),
    ("GET", f"/{ROOT}/collections/{ADDING}/objects/"),
    ("DELETE", f"/{ROOT}/collections/{ADDING}/objects/{objects(1)[0]['id']}/"),
    ("GET", f"/{ROOT}/collections/{ADDING}/objects/"),
)
_MEDIA = "its data file names media types for each collection; ours is the same for all"
WHY = {3: _MEDIA, 4: _MEDIA}


def said_of(answer: httpx.Response) -> tuple[int, Any]:
    """Give what was answered, without what says only when, and without words that nobody fixed."""
    try:
        said = answer.json() if answer.content else {}
    except ValueError:
        said = {}
    if answer.status_code >= 400:
        return answer.status_code, ()
    if isinstance(said, dict) and "request_timestamp" in said:
        return answer.status_code, {name: said.get(name) for name in ("status", "total_count", "success_count")}
    if isinstance(said, dict):
        said.pop("next", None)
        # Times are compared to the millisecond, whatever is written behind it; nobody fixes the order of versions.
        for one in said.get("objects", ()):
            if "date_added" in one:
                one["date_added"] = micros(one["date_added"]) // 1000
        if "versions" in said:
            said["versions"] = sorted(said["versions"])
    return answer.status_code, said


def compared(theirs: str, ours: str, token: str) -> Iterator[dict[str, object]]:
    """Ask both the same."""
    for method, path in REQUESTS:
        body = {"objects": objects(2)} if method == "POST" else None
        answers = []
        for at, word in ((theirs, WORD), (ours, token)):
            headers = {"Accept": TAXII, **({"Content-Type": TAXII} if body else {})}
            content = json.dumps(body) if body else None
            answers.append(
                httpx.request(method, f"{at}{path}", auth=(USER, word), headers=headers, content=content, timeout=60)
            )
        other, one = map(said_of, answers)
        yield {
            "request": f"{method} {path.replace(f'/{ROOT}/collections/', '')}",
            "other_status": answers[0].status_code,
            "our_status": answers[1].status_code,
            "same": "yes" if other == one else "no",
            "other_objects": _count(other[1]),
            "our_objects": _count(one[1]),
            "why": "" if other == one else WHY.get(path.count("/"), "not known"),
        }


def _count(said: Any) -> object:
    found = said.get("objects", said.get("versions", "")) if isinstance(said, dict) else ""
    return len(found) if isinstance(found, list) else ""


def paged(url: str, word: str, page: int) -> tuple[int, float]:
    """Read all pages with somebody else's client; gives how many objects, and how long it took."""
    began = time.perf_counter()
    shelf = v21.Collection(f"{url}/{ROOT}/collections/{ADDING}/", user=USER, password=word)
    n = sum(len(one.get("objects", ())) for one in v21.as_pages(shelf.get_objects, per_request=page))
    return n, time.perf_counter() - began


def added(url: str, word: str, n: int) -> None:
    """Add objects, a thousand at a time."""
    every = objects(n)
    with httpx.Client(
        auth=(USER, word), headers={"Accept": TAXII, "Content-Type": TAXII}, timeout=ADDING_MOST
    ) as client:
        for first in range(0, n, 1000):
            body = json.dumps({"objects": every[first : first + 1000]})
            answer = client.post(f"{url}/{ROOT}/collections/{ADDING}/objects/", content=body)
            answer.raise_for_status()


def timed(data: Path) -> Iterator[dict[str, object]]:
    """Read all pages of both."""
    for n, page, runs, names in SIZES:
        for name in names:
            with tempfile.TemporaryDirectory() as folder:
                word = WORD if name != OURS else held(Path(folder), json.loads(data.read_text(encoding="utf-8")))
                words = ("ours", "--folder", folder) if name == OURS else ("other", "--data", str(data))
                row: dict[str, object] = {"server": name, "objects": n, "page": page, "runs": 0}
                with running(*words, "--page", str(page)) as (url, server):
                    try:
                        row |= read(url, word, server, (n, page, runs))
                    except httpx.TimeoutException:
                        row |= {"wall_s": f"not added: {ADDING_MOST:.0f} s for 1,000", "cpu_s": ""}
                print(row)
                yield row


def read(url: str, word: str, server: subprocess.Popen[bytes], asked: tuple[int, int, int]) -> dict[str, object]:
    """Add objects, and read all pages so many times."""
    n, page, runs = asked
    added(url, word, n)
    before, walls = cpu_of(server), []
    for _ in range(runs):
        found, wall = paged(url, word, page)
        if found != n:
            raise SystemExit(f"{found} of {n} objects were read")
        walls.append(wall)
    cpu = (cpu_of(server) - before) / runs
    return {"runs": runs, "wall_s": f"{statistics.median(walls):.2f}", "cpu_s": f"{cpu:.2f}"}


def main() -> None:
    """Measure."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n", maxsplit=1)[0])
    parser.add_argument("--data", type=Path)
    parser.add_argument("--serve", choices=("other", "ours"))
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--page", type=int, default=100)
    parser.add_argument("--folder", type=Path)
    given = parser.parse_args()
    if given.serve == "other":
        serve_other(given.data, given.port, given.page)
    elif given.serve == "ours":
        serve_ours(given.folder, given.port)
    else:
        data = json.loads(given.data.read_text(encoding="utf-8"))
        with tempfile.TemporaryDirectory() as folder:
            token = held(Path(folder), data)
            with (
                running("other", "--data", str(given.data)) as (theirs, _),
                running("ours", "--folder", folder) as (ours, _),
            ):
                write(compared(theirs, ours, token), None, "taxii_answers")
        write(timed(given.data), None, "taxii")


if __name__ == "__main__":
    main()
