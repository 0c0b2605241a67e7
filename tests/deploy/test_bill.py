"""What Riparian is made of is listed whole, under licences that somebody allowed, and the same each time."""

import doctest
import json
import subprocess
import sys
from importlib.metadata import PackageNotFoundError, metadata
from pathlib import Path

import pytest

from deploy import bill

LOCK = Path("requirements.lock").read_text(encoding="utf-8")
PINS = bill.pins(LOCK)
KNOWN = bill.licences(Path("deploy/licences.csv"))


def test_the_table_of_licences_is_that_of_the_lock_and_all_are_allowed() -> None:
    assert bill.faults(PINS, KNOWN) == []
    assert len(PINS) == sum(line[:1] not in "# \t" for line in LOCK.splitlines() if line)


@pytest.mark.parametrize("name", sorted(KNOWN))
def test_the_table_says_what_the_package_says_of_itself(name: str) -> None:
    try:
        said = metadata(name).json.get("license_expression")
    except PackageNotFoundError:
        said = None  # of another system
    assert said is None or said == KNOWN[name][0]


@pytest.mark.parametrize(
    ("lock", "known", "fault"),
    [
        pytest.param("a==1 \\\n    --hash=sha256:" + "0" * 64, {}, "a has no row in licences.csv", id="a newcomer"),
        pytest.param("", {"a": ("MIT", "")}, "a is not in the lock any more", id="one that went"),
        pytest.param(
            "", {"a": ("AGPL-3.0-only", "")}, "a: nobody has allowed `AGPL-3.0-only`", id="a licence of another kind"
        ),
        pytest.param(
            "", {"a": ("MIT AND GPL-2.0-only", "")}, "a: nobody has allowed `MIT AND GPL-2.0-only`", id="half of it"
        ),
        pytest.param("a==1", {"a": ("MIT", "")}, "a has no digest", id="anything by that name"),
    ],
)
def test_what_is_wrong_with_the_table_is_said(lock: str, known: dict[str, tuple[str, str]], fault: str) -> None:
    assert fault in bill.faults(bill.pins(lock), known)


def test_the_bill_names_every_package_once_and_knows_what_needs_what() -> None:
    made = bill.bill("0.1.0", LOCK, KNOWN, offline=False)
    refs = [one["bom-ref"] for one in made["components"]]
    assert len(set(refs)) == len(refs) == len(PINS)
    assert all(one["externalReferences"][0]["hashes"] and one["licenses"] for one in made["components"])
    ours = made["metadata"]["component"]["bom-ref"]
    graph = {one["ref"]: one["dependsOn"] for one in made["dependencies"]}
    assert graph.keys() == {ours, *refs}
    assert set().union(*graph.values()) <= set(refs)
    assert {"numpy", "pyarrow", "starlette"} <= {purl.partition("/")[2].partition("@")[0] for purl in graph[ours]}


def test_the_same_lock_gives_the_same_octets() -> None:
    run = [sys.executable, "deploy/bill.py", "--offline"]
    first, second = (subprocess.run(run, capture_output=True, check=True).stdout for _ in range(2))
    assert first == second
    assert json.loads(first)["specVersion"] == "1.6"
    checked = subprocess.run([sys.executable, "deploy/bill.py", "--check"], capture_output=True, text=True, check=False)
    assert (checked.returncode, "all allowed" in checked.stderr) == (0, True)


def test_its_examples_are_so() -> None:
    assert doctest.testmod(bill).failed == 0
