"""One thing breaks while a town is watched, of each kind once, and everything is as it would have been.

`make faults` does so 200 times at random moments; these are ten of them.
"""

import importlib.util
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

BENCH = Path(__file__).parents[2] / "bench"

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def faults() -> Iterator[ModuleType]:
    """Load the program as it is started, from its own folder."""
    sys.path.insert(0, str(BENCH))
    try:
        spec = importlib.util.spec_from_file_location("faults", BENCH / "faults.py")
        assert spec is not None
        assert spec.loader is not None
        module = importlib.util.module_from_spec(spec)
        sys.modules["faults"] = module
        spec.loader.exec_module(module)
        yield module
    finally:
        sys.path.remove(str(BENCH))


@pytest.fixture(scope="module")
def bench(faults: ModuleType, tmp_path_factory: pytest.TempPathFactory) -> Any:
    return faults.Bench.of(tmp_path_factory.mktemp("faults"), 0)


@pytest.mark.parametrize(
    ("kind", "seed"),
    [
        pytest.param("scan killed", 0, id="a scan is killed"),
        pytest.param("evidence killed", 1, id="what scans the log is killed"),
        pytest.param("gate killed", 2, id="a gate is killed"),
        pytest.param("serve killed", 3, id="the parent of all is killed"),
        pytest.param("console killed", 4, id="the console is killed while somebody decides"),
        pytest.param("disk full, scan", 5, id="the disk is full"),
        pytest.param("broker restarted", 6, id="the broker is killed, and begins again"),
        pytest.param("Valkey flushed", 7, id="what gates share is forgotten"),
        pytest.param("snapshot torn", 3, id="a snapshot is altered after a kill"),
        pytest.param("clock stepped, scan", 2, id="the clock goes back by more than a year, and is set right"),
    ],
)
def test_nothing_is_lost_or_counted_twice(faults: ModuleType, bench: Any, kind: str, seed: int) -> None:
    outcome = faults.run(bench, kind, seed)
    assert not outcome.amiss, (outcome.what, outcome.amiss)
