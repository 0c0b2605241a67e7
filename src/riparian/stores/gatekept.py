"""How does a gate come back as it was, however it ended?

::

    gate/
      state        everything as of a while ago, and which journals came after: one file, whole or not at all
      journal.N    what was charged since, only added to; of two the second goes on where the first ends
      lock         held for as long as a gate runs

A charge is on its way to the disk before its request is answered (:meth:`GateKept.write`), so a process that is killed
has answered nothing that its successor does not know.  A charge says how its account stands *after* it, so putting the
same ones back twice is as good as once, and it makes no difference between which of the files the gate ended.

A journal that has grown long makes room for the next one: the state as it stands then is written beside all
else that goes on, and the journals that it tells of are removed after it.

What is not kept: the limit on requests, which forgets within a burst's time anyway and so begins anew; and restraints,
exemptions and what the operator knows of accounts, where they came after the last ``state``: whoever tells the gate
tells it again.

A gate that does not run forgets an account when it is told to (:func:`forget`).

A machine that loses power may lose the last seconds of the journal.  Each charge carries a check, and one that does not
hold is passed over and counted (``lost``).
"""

import fcntl
import os
import threading
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import Final, Self

import numpy as np
from numpy.typing import NDArray

from riparian.errors import LifecycleError, OutsideError
from riparian.gate.admit import Gate
from riparian.gate.deciding import CHARGE
from riparian.gate.forgetting import without
from riparian.gate.policy import Policy
from riparian.ports import Arrays
from riparian.stores.drawers import read_arrays, write_drawer
from riparian.stores.files import UNFINISHED, reaching

_SALT: Final = 0x5249504152474154
_RECORD_BYTES: Final = 8 * (CHARGE + 1)
_RECORDING: Final = 0
_ACCOUNT: Final = 1
_JOURNAL: Final = "journal"
JOURNAL_BYTES: Final = 64 << 20
"""How long a journal grows before the state is written again: some 700,000 charges."""


class GateKept:
    """A gate and its folder.

    Parameters
    ----------
    gate
        The gate; whoever asks it calls :meth:`write` before answering.
    lost
        Charges in the journal that were cut short or altered, and passed over.

    Examples
    --------
    >>> import tempfile
    >>> from riparian.gate.admit import Kind
    >>> from riparian.gate.policy import Mode
    >>> policy = Policy(mode=Mode.ENFORCE, novelty_burst=1, novelty_per_day=1)
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     with GateKept.open(Path(folder), policy) as kept:
    ...         first = kept.gate.admit(7, 1, Kind.MEDIA, 0).status
    ...         charges = kept.write()
    ...     with GateKept.open(Path(folder), policy) as kept:
    ...         then = kept.gate.admit(7, 1, Kind.MEDIA, 0).status, kept.gate.admit(7, 2, Kind.MEDIA, 0).status
    >>> first, charges, then
    (200, 1, (200, 429))
    """

    def __init__(self, folder: Path, lock: int, number: int, gate: Gate, lost: int) -> None:
        self.gate = gate
        self.lost = lost
        self._folder = folder
        self._lock = lock
        self._number = number
        self._journal = _begin_journal(folder, number)
        self._length = 0
        self._keeping: threading.Thread | None = None
        self._failed: OutsideError | None = None

    @classmethod
    def open(cls, folder: Path, policy: Policy, *, approximate: bool = False) -> Self:
        """Take up the gate of a folder, or begin one.

        Parameters
        ----------
        folder
            One a worker; made when it is not there.
        policy
            As of now: what was charged under another one stays charged.
        approximate
            How a gate that begins remembers what accounts had; one that is taken up goes on as it was.

        Raises
        ------
        LifecycleError
            When another gate runs on this folder.
        CustodyError
            When its state was altered, or another version of Riparian wrote it.
        OutsideError
            When the disk refuses.
        """
        with reaching(f"opening the gate's folder `{folder}`"):
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            lock = _locked(folder)
            try:
                for leftover in folder.glob(f"*{UNFINISHED}"):
                    leftover.unlink()
                state = folder / "state"
                arrays = read_arrays(state) if state.exists() else {}
                if arrays:
                    gate = Gate.from_arrays(arrays, policy, noting=True)
                else:
                    gate = Gate.open(policy, approximate=approximate, noting=True)
                charges, lost = _charged_since(folder, arrays)
                gate.apply(charges)
                kept = cls(folder, lock, 1 + max(_numbers(folder), default=0), gate, lost)
                kept.keep()
            except BaseException:
                os.close(lock)
                raise
        return kept

    def write(self) -> int:
        """Put what was charged since the last time into the journal, and say how many charges that were.

        Raises
        ------
        OutsideError
            When the disk refuses: the journal is as it was, and these charges are not in it; or, once these are, when
            the state could not be written since the last time, which is tried again with the next journal.
        """
        charges = self.gate.take_charges()
        if not len(charges):
            return 0
        records = _records(charges)
        with reaching("writing the gate's journal"):
            if os.write(self._journal, records) != len(records):
                os.ftruncate(self._journal, self._length)
                raise OutsideError(
                    "the disk took a part of the gate's journal only, wanted all of it", hint="Make room on the disk."
                )
        self._length += len(records)
        if self._length >= JOURNAL_BYTES and (self._keeping is None or not self._keeping.is_alive()):
            arrays, number = self._turned_over()
            # The copy is made before anything else is admitted; the disk takes its time.
            arrays = {name: array.copy() for name, array in arrays.items()}
            self._keeping = threading.Thread(target=self._keep_beside, args=(arrays, number))
            self._keeping.start()
        if self._failed is not None:
            failed, self._failed = self._failed, None
            raise failed
        return len(charges)

    def keep(self) -> None:
        """Write the whole state, and begin an empty journal.

        Raises
        ------
        OutsideError
            When the disk refuses; nothing is lost, and the journals say what the state does not.
        """
        self._settle()
        self.write()
        self._settle()
        arrays, number = self._turned_over()
        self._keep(arrays, number)

    def close(self) -> None:
        """Keep everything, and let another gate have the folder."""
        try:
            self.keep()
        finally:
            os.close(self._journal)
            os.close(self._lock)

    def _turned_over(self) -> tuple[Arrays, int]:
        """Begin the next journal, and give what the state before it is."""
        with reaching("beginning the gate's next journal"):
            journal = _begin_journal(self._folder, self._number + 1)
        os.close(self._journal)
        self._journal, self._number, self._length = journal, self._number + 1, 0
        return self.gate.arrays(), self._number

    def _keep(self, arrays: Arrays, number: int) -> None:
        with reaching("keeping the gate's state"):
            write_drawer(self._folder / "state", {**arrays, _JOURNAL: np.array([number])}, {})
            for each in _numbers(self._folder):
                if each < number:
                    _path(self._folder, each).unlink()

    def _keep_beside(self, arrays: Arrays, number: int) -> None:
        try:
            self._keep(arrays, number)
        except OutsideError as error:
            self._failed = error

    def _settle(self) -> None:
        if self._keeping is not None:
            self._keeping.join()
            self._keeping = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def forget(folder: Path, accounts: Sequence[int], recordings: NDArray[np.uint64]) -> bool:
    """Take accounts out of a gate's folder, as far as :mod:`riparian.gate.forgetting` can.

    Parameters
    ----------
    folder
        Of a gate that does not run.
    accounts
        Their codes.
    recordings
        Codes of all that they may have had; what the journal says of them is added [shape=(recordings,)].

    Returns
    -------
    bool
        Whether anything was kept of any.

    Raises
    ------
    LifecycleError
        When a gate runs on this folder; nothing changes.
    CustodyError, OutsideError
        As :meth:`GateKept.open`.
    """
    with reaching("reading the gate's journal"):
        charges = _charged_since(folder, {})[0]
    # The policy decides what is admitted, and nobody is: what is kept does not depend on it.
    with GateKept.open(folder, Policy()) as kept:
        arrays, found = dict(kept.gate.arrays()), False
        for account in accounts:
            own = charges[charges[:, _ACCOUNT] == np.uint64(account).astype(np.int64), _RECORDING]
            left = without(arrays, account, np.union1d(recordings, own.astype(np.uint64)))
            if left is not None:
                arrays, found = left, True
        if found:
            kept.gate = Gate.from_arrays(arrays, kept.gate.policy, noting=True)
    return found


def _locked(folder: Path) -> int:
    lock = os.open(folder / "lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
        os.close(lock)
        raise LifecycleError(
            f"`{folder}` is in use by a gate that runs, wanted one that nobody uses",
            hint="End `riparian serve` first; and give every worker a folder of its own.",
        ) from error
    return lock


def _path(folder: Path, number: int) -> Path:
    return folder / f"{_JOURNAL}.{number}"


def _numbers(folder: Path) -> list[int]:
    return sorted(int(path.suffix[1:]) for path in folder.glob(f"{_JOURNAL}.*") if path.suffix[1:].isdecimal())


def _begin_journal(folder: Path, number: int) -> int:
    flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_APPEND | os.O_CLOEXEC
    return os.open(_path(folder, number), flags, 0o600)


def _charged_since(folder: Path, state: Arrays) -> tuple[NDArray[np.int64], int]:
    """Read the charges of every journal that came after a state, in order, and how many of them are not sound."""
    first = int(state[_JOURNAL][0]) if _JOURNAL in state else 0
    read = [_charges(_path(folder, number)) for number in _numbers(folder) if number >= first]
    none = np.zeros((0, CHARGE), np.int64)
    return np.concatenate([none, *(charges for charges, _ in read)]), sum(lost for _, lost in read)


def _check(charges: NDArray[np.int64]) -> NDArray[np.int64]:
    # Each number turned by its place, so that two that changed places are found out.
    turned = charges.view(np.uint64) * np.arange(3, 2 * CHARGE + 3, 2, dtype=np.uint64)
    return np.asarray((np.bitwise_xor.reduce(turned, axis=1) ^ np.uint64(_SALT)).view(np.int64))


def _records(charges: NDArray[np.int64]) -> bytes:
    return np.column_stack((charges, _check(charges))).astype("<i8").tobytes()


def _charges(journal: Path) -> tuple[NDArray[np.int64], int]:
    raw = journal.read_bytes()
    n = len(raw) // _RECORD_BYTES
    records = np.frombuffer(raw, "<i8", n * (CHARGE + 1)).reshape(n, CHARGE + 1).astype(np.int64)
    charges = np.ascontiguousarray(records[:, :CHARGE])
    sound = _check(charges) == records[:, CHARGE]
    return charges[sound], int((~sound).sum()) + (len(raw) % _RECORD_BYTES > 0)
