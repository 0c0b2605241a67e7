"""How long does a retraction take to lift what it caused at a peer, and is what others write kept as they wrote it?

Two workspaces on this machine and a real server between them.  One shares so many signals of one case, the other takes
one up and drafts a letter; then the first retracts, and it is measured until the letter is withdrawn: the retraction
with the signals that it takes back, and the peer's next round.  With ``--data`` every object in bundles of STIX below a
folder (such as oasis-open/cti-stix2-json-schemas) is kept and given back, and compared.

    python bench/exchange.py [--data FOLDER]      # about two minutes
"""

import argparse
import contextlib
import json
import socket
import statistics
import tempfile
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import uvicorn
from measure import write

from riparian import assembly
from riparian.cases.events import Proposed
from riparian.cases.facts import Addressee, Finding, How, Layer, Location, Work
from riparian.cases.notice import Kind, Notice
from riparian.cases.plain import plain
from riparian.cases.steps import Step
from riparian.edges.taxii import Served, taxii_app
from riparian.exchange.taxii import Question
from riparian.feeds.taxii import TaxiiPeers
from riparian.flows import casework, peering, sharing
from riparian.flows.sharing import Exchange
from riparian.ports.exchange import Collection, Peer
from riparian.stores.cases.people_keys import PersonKey, new_key
from riparian.stores.signals import SqlSignals

SIZES = (1, 100, 1000)
RUNS = 3
WORDS = "correct horse battery"
DIGEST = "ab" * 32


@contextlib.contextmanager
def served(exchange: Exchange) -> Iterator[str]:
    """Serve what is said, from a thread."""
    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))
        port = held.getsockname()[1]
    app = taxii_app(Served(exchange.signals, exchange.docket.clock, "Reed Records"))
    server = uvicorn.Server(uvicorn.Config(app, port=port, log_level="error"))
    thread = threading.Thread(target=server.run)
    thread.start()
    while not server.started:
        time.sleep(0.01)
    try:
        yield f"http://127.0.0.1:{port}"
    finally:
        server.should_exit = True
        thread.join()


def letter(exchange: Exchange, case: str, signer: PersonKey | None) -> str:
    """Draft a letter about the first location; let it leave when somebody signs."""
    docket = exchange.docket
    at, key = exchange.now, casework.read(docket, case).next_notice()
    places = casework.read(docket, case).facts.locations
    notice = Notice(Kind.TAKEDOWN, case, key, addressee=Addressee("host", "A Host", Layer.HOST), locations=places)
    casework.record(docket, case, Proposed("drafted", {"notice": plain(notice), "digest": DIGEST}, at, "ann"))
    if signer is not None:
        said = {"notice": key, "digest": DIGEST}
        steps = (Step.LOCK, Step.REVIEW, Step.APPROVE, Step.SEND)
        casework.record(docket, case, *(casework.act(docket, case, step, said, signer) for step in steps))
    return key


def once(folder: Path, n: int) -> dict[str, float]:
    """Share so many signals, take one up elsewhere, retract, and measure until it is lifted there."""
    with (
        assembly.exchange(assembly.Given(folder / "reed")) as reed,
        assembly.exchange(assembly.Given(folder / "quay")) as quay,
    ):
        ann = new_key(folder / "ann.pem", "ann", WORDS)
        casework.add_person(reed.docket.cases, reed.docket.clock, ann, "ann", ann.hand.key)
        sharing.begin(reed, "Reed Records")
        sharing.begin(quay, "Quay Music")
        at = reed.now
        urls = [f"https://mirror.example/{k}.flac" for k in range(n)]
        places = [Location(f"L{k + 1}", url, addressee="host") for k, url in enumerate(urls)]
        found = [Finding(one.key, "r1", How.SOUND, error=1e-9, at=at) for one in places]
        acts = [
            Proposed("opened", {"title": "A mirror"}, at, "ann"),
            Proposed("work", plain(Work("r1")), at, "ann"),
            *(Proposed("location", plain(one), at, "ann") for one in places),
            *(Proposed("found", plain(one), at, "ann") for one in found),
        ]
        case = casework.open_case(reed.docket, acts).key
        sent = letter(reed, case, ann)
        said = sharing.share(reed, case, "bench")
        with served(reed) as at_url, contextlib.closing(TaxiiPeers()) as there:
            token = sharing.allow(reed, "quay")
            quay.signals.keep_peer(Peer("reed", f"{at_url}/api/collections/{reed.ours.ident}/", token))
            peering.fetch(quay, sharing.peer_of(quay, "reed"), there)
            peering.weigh(quay, sharing.peer_of(quay, "reed"), expected=True)
            first = next(str(one["id"]) for one in said if urls[0] in str(one.get("pattern")))
            taken = peering.take(quay, "reed", first, "bo").key
            letter(quay, taken, None)
            wall, cpu = time.perf_counter(), time.process_time()
            acts_ = Proposed(Step.RETRACT, {"notice": sent}, reed.now, "ann")
            casework.record(reed.docket, case, acts_)
            sharing.settle(reed, "bench", [case])
            middle = time.perf_counter()
            peering.fetch(quay, sharing.peer_of(quay, "reed"), there)
            lifted = peering.weigh(quay, sharing.peer_of(quay, "reed")).lifted
            done = time.perf_counter()
            if lifted != ((taken, "N1"),):
                raise SystemExit(f"what was lifted is {lifted}")
        return {
            "taking_back_s": middle - wall,
            "hearing_s": done - middle,
            "cpu_s": time.process_time() - cpu,
        }


def kept(folder: Path) -> dict[str, object]:
    """Keep every object of every bundle below a folder, and compare what is given back."""
    objects = []
    for path in sorted(folder.rglob("*.json")):
        try:
            said = json.loads(path.read_text(encoding="utf-8"))
        except ValueError:
            continue
        if isinstance(said, dict) and str(said.get("id", "")).startswith("bundle--"):
            objects += [one for one in said.get("objects", ()) if one.get("type") != "bundle"]
    same = 0
    with tempfile.TemporaryDirectory() as place:
        signals = SqlSignals(Path(place))
        for n, one in enumerate(objects):
            signals.keep_collection(Collection(str(n), "others'"))
            signals.add(str(n), [one], n)
            (row,) = signals.page(str(n), Question(versions=("all",))).rows
            same += json.dumps(row.body, sort_keys=True) == json.dumps(one, sort_keys=True)
        signals.close()
    return {"objects": len(objects), "as_they_were": same}


def main() -> None:
    """Measure."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n", maxsplit=1)[0])
    parser.add_argument("--data", type=Path, default=None)
    given = parser.parse_args()
    rows: list[dict[str, object]] = []
    for n in SIZES:
        runs = []
        for _ in range(RUNS):
            with tempfile.TemporaryDirectory() as folder:
                runs.append(once(Path(folder), n))
        middle = {name: f"{statistics.median(one[name] for one in runs):.3f}" for name in runs[0]}
        rows.append({"signals": n, "runs": RUNS, **middle})
        print(rows[-1])
    write(rows, None, "exchange")
    if given.data is not None:
        write([kept(given.data)], None, "exchange_kept")


if __name__ == "__main__":
    main()
