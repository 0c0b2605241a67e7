"""A gate that ends anywhere, also by force, goes on where it was."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from riparian.errors import CustodyError, LifecycleError, OutsideError
from riparian.gate.admit import Gate, Kind
from riparian.gate.policy import Mode, Policy
from riparian.gate.tokens import UNKNOWN_US
from riparian.schema import DAY_US
from riparian.stores import gatekept
from riparian.stores.gatekept import GateKept, forget

T0 = 1_700_000_000_000_000
POLICY = Policy(
    mode=Mode.ENFORCE, novelty_burst=20, novelty_per_day=5, rows_burst=300, rows_per_day=20, shadow_rules="limit"
)
ACCOUNTS = np.arange(1, 41, dtype=np.uint64)

Request = tuple[int, int, Kind, int, int]


def requests(seed: int, n: int) -> list[Request]:
    rng = np.random.default_rng(seed)
    at_us = T0 + np.cumsum(rng.integers(0, DAY_US // 500, n))
    columns = (rng.integers(1, 60, n), rng.integers(0, 200, n), rng.integers(0, 4, n), at_us, rng.integers(-1, 90, n))
    rows = zip(*(column.tolist() for column in columns), strict=True)
    return [(account, recording, Kind(kind), at, n_rows) for account, recording, kind, at, n_rows in rows]


def enrol(gate: Gate) -> None:
    created_us = np.where(ACCOUNTS % 2, T0, UNKNOWN_US)
    gate.enrol(ACCOUNTS, created_us, ACCOUNTS % 6, ACCOUNTS % 7)


def told(gate: Gate, asked: list[Request]) -> list[tuple[int, str]]:
    answers = [gate.admit(*each) for each in asked]
    return [(answer.status, answer.rule) for answer in answers]


def charged(gate: Gate) -> dict[str, NDArray[np.int64]]:
    """Give what was charged to whom, without whoever was only refused, and without the limit."""
    arrays = gate.arrays()
    rows = arrays["rows"]
    rows = rows[(rows[:, 3] != UNKNOWN_US) | (rows[:, 5] != UNKNOWN_US)][:, :8]
    return {"rows": rows[np.argsort(rows[:, 0])], "seen": arrays["seen.newest"]}


def same(one: Gate, other: Gate) -> bool:
    return all(np.array_equal(a, b) for a, b in zip(charged(one).values(), charged(other).values(), strict=True))


def killed(kept: GateKept) -> None:
    """Leave everything as a killed process does: no state is kept."""
    os.close(kept._journal)
    os.close(kept._lock)


def journal_of(folder: Path) -> Path:
    (journal,) = folder.glob("journal.*")
    return journal


@pytest.mark.parametrize("approximate", [False, True], ids=["exact", "approximate"])
@pytest.mark.parametrize("cut", [0, 1, 333, 999, 1000])
def test_a_gate_that_just_stops_goes_on_where_it_was(tmp_path: Path, *, approximate: bool, cut: int) -> None:
    asked = requests(cut, 1000)
    whole = Gate.open(POLICY, approximate=approximate)
    enrol(whole)
    expected = told(whole, asked)

    kept = GateKept.open(tmp_path, POLICY, approximate=approximate)
    enrol(kept.gate)
    kept.keep()
    before = []
    for begin in range(0, cut, 50):
        before += told(kept.gate, asked[begin : min(begin + 50, cut)])
        kept.write()
    killed(kept)
    with GateKept.open(tmp_path, POLICY) as again:
        assert before + told(again.gate, asked[cut:]) == expected
        assert same(again.gate, whole)
        assert again.lost == 0
    with GateKept.open(tmp_path, POLICY) as once_more:
        assert same(once_more.gate, whole)


CHILD = """
import sys
from pathlib import Path
sys.path.insert(0, {folder!r})
from test_gatekept import POLICY, enrol, requests
from riparian.stores.gatekept import GateKept, forget

kept = GateKept.open(Path({path!r}), POLICY)
enrol(kept.gate)
kept.keep()
for n, request in enumerate(requests({seed}, 100_000), start=1):
    kept.gate.admit(*request)
    kept.write()
    print(n, flush=True)
"""


@pytest.mark.slow
def test_a_gate_killed_by_force_has_answered_nothing_that_the_next_does_not_know(tmp_path: Path) -> None:
    seed = 2
    code = CHILD.format(folder=str(Path(__file__).parent), path=str(tmp_path), seed=seed)
    with subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True) as child:
        assert child.stdout is not None
        answered = _until(child.stdout, 2500)
        child.send_signal(signal.SIGKILL)
        answered = max([answered, *(int(line) for line in child.stdout if line.endswith("\n"))])
    assert child.returncode == -signal.SIGKILL

    with GateKept.open(tmp_path, POLICY) as kept:
        # Killed after a charge was written and before it was answered, it knows one more.
        gates = []
        for n in (answered, answered + 1):
            gate = Gate.open(POLICY)
            enrol(gate)
            told(gate, requests(seed, 100_000)[:n])
            gates.append(gate)
        assert any(same(kept.gate, gate) for gate in gates)


def _until(lines: Iterator[str], n: int) -> int:
    for line in lines:
        if int(line) >= n:
            return int(line)
    raise AssertionError("the child ended by itself")


def test_a_state_kept_and_a_journal_not_yet_emptied_say_the_same(tmp_path: Path) -> None:
    kept = GateKept.open(tmp_path, POLICY)
    told(kept.gate, requests(5, 500))
    kept.write()
    journal = journal_of(tmp_path)
    charges = journal.read_bytes()
    kept.close()
    journal.write_bytes(charges)
    with GateKept.open(tmp_path, POLICY) as again:
        assert same(again.gate, kept.gate)


def test_what_was_cut_short_or_altered_is_passed_over_and_counted(tmp_path: Path) -> None:
    kept = GateKept.open(tmp_path, Policy(mode=Mode.ENFORCE))
    for recording in range(1, 5):
        kept.gate.admit(7, recording, Kind.MEDIA, T0)
    kept.write()
    killed(kept)
    journal = journal_of(tmp_path)
    raw = bytearray(journal.read_bytes())
    raw[100] ^= 1
    journal.write_bytes(raw[:-9] + bytes(9))
    with GateKept.open(tmp_path, Policy(mode=Mode.ENFORCE)) as again:
        assert again.lost == 2
        assert (again.gate.arrays()["seen.newest"]).size == 2
    journal_of(tmp_path).write_bytes(raw[:50])
    with GateKept.open(tmp_path, Policy(mode=Mode.ENFORCE)) as again:
        assert again.lost == 1


@pytest.mark.parametrize("state", ["written", "not written yet", "refused by the disk"])
def test_a_journal_that_grows_long_is_followed_by_another_and_nothing_is_lost(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, state: str
) -> None:
    asked = requests(6, 2000)
    whole = Gate.open(POLICY)
    expected = told(whole, asked)
    kept = GateKept.open(tmp_path, POLICY)
    monkeypatch.setattr(gatekept, "JOURNAL_BYTES", 20_000)
    if state == "not written yet":
        monkeypatch.setattr(GateKept, "_keep_beside", lambda *_: None)
    elif state == "refused by the disk":
        monkeypatch.setattr(gatekept, "write_drawer", refuse)
    before, failures = [], 0
    for begin in range(0, 1500, 50):
        before += told(kept.gate, asked[begin : begin + 50])
        try:
            kept.write()
        except OutsideError:
            failures += 1
        kept._settle()
    assert (failures > 0) == (state == "refused by the disk")
    assert (len(list(tmp_path.glob("journal.*"))) == 1) == (state == "written")
    killed(kept)
    monkeypatch.undo()
    with GateKept.open(tmp_path, POLICY) as again:
        assert before + told(again.gate, asked[1500:]) == expected
        assert (same(again.gate, whole), again.lost) == (True, 0)
    journal_of(tmp_path)


def refuse(*_: object) -> None:
    raise OSError(28, "No space left on device")


def test_a_folder_is_one_gates_at_a_time(tmp_path: Path) -> None:
    with GateKept.open(tmp_path, POLICY), pytest.raises(LifecycleError, match="is in use by a gate that runs"):
        GateKept.open(tmp_path, POLICY)
    GateKept.open(tmp_path, POLICY).close()


def test_a_state_that_was_altered_is_refused(tmp_path: Path) -> None:
    GateKept.open(tmp_path, POLICY).close()
    state = tmp_path / "state"
    state.write_bytes(state.read_bytes()[:-4])
    with pytest.raises(CustodyError):
        GateKept.open(tmp_path, POLICY)
    GateKept.open(tmp_path / "another", POLICY).close()


HAD = np.arange(1, 200, dtype=np.uint64)
"""Every recording of :func:`requests`, but for the one that names none."""


def without(asked: list[Request], account: int) -> list[Request]:
    return [each for each in asked if each[0] != account]


@pytest.mark.parametrize(
    ("told_of", "is_killed"),
    [(HAD, False), (HAD, True), (HAD[:0], True)],
    ids=["a gate that ended", "a gate that was killed", "recordings that stand in its journal only"],
)
def test_whoever_is_forgotten_is_as_if_it_had_never_asked(
    tmp_path: Path, told_of: NDArray[np.uint64], *, is_killed: bool
) -> None:
    asked = requests(7, 1000)
    never = Gate.open(POLICY)
    told(never, without(asked, 11))
    kept = GateKept.open(tmp_path, POLICY)
    told(kept.gate, asked)
    kept.write()
    if is_killed:
        killed(kept)  # what was charged stands in the journal only
    else:
        kept.close()
    assert forget(tmp_path, [11], told_of)
    with GateKept.open(tmp_path, POLICY) as again:
        assert same(again.gate, never)
        assert 11 not in again.gate.arrays()["rows"][:, 0]
    assert not forget(tmp_path, [11], HAD)


def test_an_approximate_gate_forgets_who_but_not_its_bits(tmp_path: Path) -> None:
    with GateKept.open(tmp_path, POLICY, approximate=True) as kept:
        kept.gate.admit(7, 1, Kind.MEDIA, T0)
        bits = kept.gate.arrays()["seen.newest"]
    assert forget(tmp_path, [7], HAD)
    with GateKept.open(tmp_path, POLICY) as again:
        arrays = again.gate.arrays()
        assert len(arrays["rows"]) == 0
        assert np.array_equal(arrays["seen.newest"], bits)


def test_nobody_is_forgotten_while_a_gate_runs(tmp_path: Path) -> None:
    with GateKept.open(tmp_path, POLICY) as kept:
        kept.gate.admit(7, 1, Kind.MEDIA, T0)
        kept.write()
        with pytest.raises(LifecycleError, match="is in use by a gate that runs") as refused:
            forget(tmp_path, [7], HAD)
        assert "End `riparian serve` first" in refused.value.hint
        assert kept.gate.admit(7, 1, Kind.MEDIA, T0).status == 200
    assert forget(tmp_path, [7], HAD)
