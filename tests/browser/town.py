"""A workspace that every page has something to show of: a town with two rings, cases, and a notice that has left."""

import json
from pathlib import Path

from riparian.assembly import Given
from riparian.cases.events import Proposed
from riparian.console import finds
from riparian.console.forms import Brought
from riparian.console.looking import looked
from riparian.flows import casework, pursuing
from riparian.flows.pursuing import Wish
from riparian.stores.workspace import KEY_BYTES
from tests.cases.making import AT
from tests.cases.sending import ANN_, HOST, NOTE, approved, facts_of, office
from tests.console.hostile import run


def made(folder: Path) -> Path:
    """Simulate and scan the town, and open the cases."""
    run(
        "simulate", folder, "--listeners", "300", "--days", "20", "--recordings", "30000", "--seed", "3",
        "--ring", "6x60:queue", "--ring", "4x150:random", "--ring", "1x120:random",
    )  # fmt: skip
    workspace = folder / "riparian-workspace"
    workspace.mkdir()
    # A key of its own, so that pseudonyms and rings are called the same each time.
    (workspace / "secret.key").write_bytes(bytes(range(KEY_BYTES)))
    run(
        "scan", folder / "accesses.parquet", "--catalogue", folder / "catalogue.parquet",
        "--accounts", folder / "accounts.parquet", "--workspace", workspace, "--map", "account=account",
    )  # fmt: skip
    held = [json.loads(line)["account"] for line in run("hold", "list", "-w", workspace, "--json").splitlines()]
    for account in (held[1], held[5]):
        run("hold", "end", account, "--person", "Ben", "--reason", "it copies, and says so", "-w", workspace)
    for account in held[2:5]:
        run("hold", "appeal", account, "--text", "I have a large family, and we all listen.", "-w", workspace)
    run("replay", "bulk", "--days", "4", "--listeners", "12", "--search", "0", "-w", workspace)
    (workspace / "policy.proposed.toml").write_text("wrongful_holds_per_year = 0.01\n", encoding="utf-8")
    for name in ("dump.csv", "again.csv"):
        found(workspace, name)
    with office(workspace) as docket:
        approved(docket)
        pursuing.send(docket, "C1", "N1", "cli", really=True)
        # The rails refuse this one: the same place was written to before.
        casework.open_case(docket, facts_of())
        casework.record(docket, "C2", casework.act(docket, "C2", "considered", {"note": NOTE}, ANN_))
        pursuing.draft(docket, "C2", Wish(HOST.key, ()), "cli")
        pursuing.review(docket, "C2", "N1", "cli")
        casework.open_case(docket, [Proposed("opened", {"title": "A dump of metadata"}, AT, "Ann")])
        casework.record(docket, "C3", Proposed("sealed", {"because": "counsel asked"}, AT, "Ann"))
    return workspace


def found(workspace: Path, name: str) -> None:
    """Bring a list of a few recordings of the town, and look at it."""
    given = Given(workspace)
    rows = [
        json.loads(line) for line in run("catalogue", "list", "--rows", "30", "-w", workspace, "--json").splitlines()
    ]
    lines = [f'"{row["title"]}","{row["artist"]}"\n' for row in rows if row["kind"] == "recording"]
    path = finds.room(given).folder / "coming-town"
    path.parent.mkdir(exist_ok=True)
    octets = path.write_text("title,artist\n" + "".join(lines), encoding="utf-8")
    find = finds.keep(given, Brought(path, name, octets, ""), kind="guess", traces=False, by="Ada")
    folder = finds.folder_of(given, find.key)
    finds.write(folder / "result.json", looked(given, find, folder))
