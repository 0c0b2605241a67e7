"""What does the house forget when it is told to forget an account, and what can it not?

The store leaves the account's rows out of every table, the log and whatever is staged; what is kept as arrays it cannot
read.  Here is what stands in them: in a bucket one row for each account by its slot, pairs of an account and a
recording under the account's mask, and columns that name slots; in the drawer beside the buckets, columns that name
accounts, and the members of rings.  What gates keep is forgotten by :mod:`riparian.gate.forgetting`.

The tallies are afterwards what they would be had the account never been seen; what others were compared with stays as
it was found, since it is evidence about them.
"""

from collections.abc import Callable, Sequence
from typing import Final

import numpy as np
import numpy.typing as npt

from riparian.accounts.tally import account_mask
from riparian.codes import RECORDING_KEY, codes_of
from riparian.ports import SHARED, Arrays, World

KEPT: Final = (
    "sums over all accounts, and what was learnt of many together: nobody's part of them can be told",
    "which recordings were ever fetched: a list of the catalogue's, that says nothing of who",
    "that a handle which somebody else used was given to it, as a pseudonym: evidence about who used it",
    "what gates let it have that no log and no catalogue names, as codes that name neither it nor the recording",
    "what a payment or a device that it shares has drawn on at gates: others draw on it, too",
    "on which days of the last four weeks it had a device that it hardly used, under a code that names neither",
    "entries of the ledger of grants, each chained to the next: whose they were cannot be read any more",
    "lines that could not be read, in rejects.tsv: nobody knows whose they are",
    "your logs, your backups of the workspace, and your accounts table: they are yours to clear",
)
"""What stays, and why."""

_BY_SLOT: Final = ("accounts", "state", "likelihoods.", "budgets.", "devices.state", "places.state")
_NAMING_SLOTS: Final = ("spent.", "waiting.")
_COLUMNS: Final = (
    ("parents.account", "parents.told"),
    *(tuple(f"{at}{name}" for name in ("account", "artist", "at_us")) for at in ("taste.", "today.taste.")),
)
_TABLES: Final = ("taste.judged.", "today.taste.judged.", "across.waiting.", "across.history.")
_KIN: Final = ("kin.", "today.kin.")


def erase(world: World, account: int) -> bool:
    """Remove an account from everything that is kept; False when nothing was.

    Raises
    ------
    LifecycleError
        When a scan is running; nothing changes.
    """
    return erase_all(world, [account])


def erase_all(world: World, accounts: Sequence[int]) -> bool:
    """Remove several accounts at once, as :func:`erase` does one; all of them or, where it is interrupted, none.

    Raises
    ------
    LifecycleError
        When a scan is running; nothing changes.
    """
    return world.vault.erase_all(accounts, forgetter(recordings(world)))


def recordings(world: World) -> npt.NDArray[np.uint64]:
    """Give every recording that an account may have had: all that were ever fetched, and the catalogue's.

    Returns
    -------
    np.ndarray
        Codes, each once [shape=(recordings,)].
    """
    shared = world.tallies.load(SHARED) or {}
    catalogue = world.catalogue.recordings()
    ours = codes_of(catalogue["recording"], RECORDING_KEY) if catalogue is not None else np.empty(0, np.uint64)
    return np.union1d(shared.get("recordings", ours[:0]), ours)


def forgetter(recordings: npt.NDArray[np.uint64]) -> Callable[[Arrays, Sequence[int]], Arrays]:
    """Make what takes accounts out of the arrays of a drawer.

    Parameters
    ----------
    recordings
        Every recording that the accounts may have had, rising: by these their pairs are known among all.
    """

    def forget(arrays: Arrays, accounts: Sequence[int]) -> Arrays:
        codes = np.array(accounts, np.uint64)
        return _of_bucket(arrays, codes, recordings) if "accounts" in arrays else _of_all(arrays, codes)

    return forget


def _of_bucket(arrays: Arrays, codes: npt.NDArray[np.uint64], recordings: npt.NDArray[np.uint64]) -> Arrays:
    gone = np.flatnonzero(np.isin(arrays["accounts"], codes))
    if not len(gone):
        return arrays
    left = dict(arrays)
    for name, array in arrays.items():
        if name.startswith(_BY_SLOT):
            left[name] = np.delete(array, gone[gone < len(array)], axis=0)
    for group in _NAMING_SLOTS:
        slots = arrays[f"{group}slot"]
        keep = ~np.isin(slots, gone)
        left |= _where(arrays, group, keep)
        left[f"{group}slot"] = (slots[keep] - np.searchsorted(gone, slots[keep])).astype(slots.dtype)
    pairs = arrays["devices.pairs"]
    seen, regular = np.ones(len(arrays["seen"]), np.bool_), np.ones(len(arrays["devices.regular.account"]), np.bool_)
    paired = np.ones(len(pairs), np.bool_)
    for slot in gone.tolist():
        code = arrays["accounts"][slot : slot + 1]
        mask = account_mask(code)[0]
        seen &= ~_among(arrays["seen"] ^ mask, recordings)
        own = arrays["devices.regular.account"] == code[0]
        devices = arrays["devices.regular.device"][own]
        if slot < len(arrays["devices.state"]):
            devices = np.append(devices, arrays["devices.state"]["device"][slot])
        paired &= ~np.isin(pairs["key"], np.maximum(devices ^ mask, np.uint64(1)))
        regular &= ~own
    left["seen"], left["devices.pairs"] = arrays["seen"][seen], pairs[paired]
    return left | _where(arrays, "devices.regular.", regular)


def _among(codes: npt.NDArray[np.uint64], rising: npt.NDArray[np.uint64]) -> npt.NDArray[np.bool_]:
    """Say which of ``codes`` stand in a long list that rises."""
    if not len(rising):
        return np.zeros(len(codes), np.bool_)
    at = np.minimum(np.searchsorted(rising, codes), len(rising) - 1)
    found: npt.NDArray[np.bool_] = rising[at] == codes
    return found


def _where(arrays: Arrays, group: str, keep: npt.NDArray[np.bool_]) -> Arrays:
    return {name: array[keep] for name, array in arrays.items() if name.startswith(group)}


def _of_all(arrays: Arrays, codes: npt.NDArray[np.uint64]) -> Arrays:
    left = dict(arrays)
    for columns in _COLUMNS:
        if columns[0] in arrays:
            keep = ~np.isin(arrays[columns[0]], codes)
            left |= {name: arrays[name][keep] for name in columns}
    for group in _TABLES:
        if f"{group}account" in arrays:
            left |= _where(arrays, group, ~np.isin(arrays[f"{group}account"], codes))
    for group in _KIN:
        if f"{group}log" in arrays:
            left |= _of_kin(arrays, group, codes)
    return left


def _of_kin(arrays: Arrays, group: str, codes: npt.NDArray[np.uint64]) -> Arrays:
    log, best, cores, members, clock = (
        arrays[f"{group}{name}"] for name in ("log", "best", "cores", "members", "clock")
    )
    fetched = ~np.isin(log["account"], codes)
    row = np.repeat(np.arange(len(cores)), cores["members"])
    keep = ~np.isin(members, codes)
    sizes = np.bincount(row[keep], minlength=len(cores)).astype(np.int32)
    # Of a core that had two, nothing is left that anybody could keep pace with.
    whole = sizes > 1
    cores, clock = cores.copy(), clock.copy()
    cores["members"] = sizes
    clock[1] -= np.count_nonzero(~fetched[: clock[1]])
    return {
        f"{group}log": log[fetched],
        f"{group}best": best[~np.isin(best["account"], codes)],
        f"{group}cores": cores[whole],
        f"{group}members": members[keep & whole[row]],
        f"{group}clock": clock,
    }
