"""What were we told about accounts, by whom, and how long ago?

The other end of the push protocol (see :mod:`riparian.edges.push`): one list of verdicts, by account
code, handed on to a gate.  An epoch is one run of whoever pushes; within it the list goes from
number to number without a gap.

* A whole list replaces everything, wherever we stand.  A delta that does not begin where we stand changes nothing: 409.
* A list that cannot be read to its last line changes nothing: 400.
* ``allow`` takes a verdict away.  One whose end has passed stays on the list and does nothing.
* While a list is taken nothing else is answered: tens of milliseconds for a hundred thousand verdicts.
* Whoever pushes is heard from each second.  After ``SILENCE_S`` without a word the list still holds, and
  :attr:`Pushed.ailing` says ``heartbeat``; before the first whole list it says ``unsynced``: nothing is known then.
"""

import hmac
import io
from collections.abc import Callable, Mapping
from typing import Final
from urllib.parse import unquote_to_bytes

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray
from pyarrow import csv

from riparian.codes import codes_of
from riparian.edges.answers import Told, plain
from riparian.errors import InputError
from riparian.gate.admit import RULES, Gate
from riparian.gate.policy import Restraint

PATH: Final = b"/riparian/verdicts"
SILENCE_S: Final = 5.0
BODY_MAX_BYTES: Final = 32 << 20

_RESTRAINTS: Final = pa.array([restraint.name.lower() for restraint in Restraint])
_RULES: Final = [str(rule) for rule in RULES]
_US: Final = 1_000_000
_UNTIL_MAX_S: Final = 2**40
_EPOCH_MAX: Final = 64
_COLUMNS: Final = {"account": pa.binary(), "restraint": pa.string(), "until_s": pa.int64(), "rule": pa.string()}


class Pushed:
    """The list of verdicts of one gate.

    Parameters
    ----------
    gate
        What acts on it.
    key
        The workspace's secret, which makes codes of identifiers.
    secret
        What whoever pushes is known by; nobody is where it is empty.
    clock_s
        Seconds of a clock that never goes back.

    Attributes
    ----------
    epoch, seq
        Where we stand.
    is_known
        Whether the gate holds a list; set by whoever gives it one from before, which is old then, not unknown.
    strangers
        How often somebody came with another secret.
    """

    def __init__(self, gate: Gate, key: bytes, secret: str, *, clock_s: Callable[[], float]) -> None:
        self._gate = gate
        self._key = key
        self._bearer = f"Bearer {secret}".encode() if secret else b""
        self._clock_s = clock_s
        self._accounts: set[int] = set()
        self._heard_s = clock_s()
        self.is_known = False
        self.epoch = ""
        self.seq = 0
        self.strangers = 0
        # Compiled now, before anybody waits for it.
        gate.judge(*read(b"", key))

    @property
    def count(self) -> int:
        """How many accounts have a verdict."""
        return len(self._accounts)

    @property
    def silent_s(self) -> float:
        """How long nothing was heard; seconds, since the beginning if nothing ever was."""
        return self._clock_s() - self._heard_s

    @property
    def ailing(self) -> str:
        """What is wrong: ``unsynced``, ``heartbeat``, or nothing."""
        if not self.is_known:
            return "unsynced"
        return "heartbeat" if self.silent_s > SILENCE_S or not self.epoch else ""

    def answer(self, method: bytes, fields: Mapping[bytes, bytes], body: bytes) -> Told:
        """Answer a request for ``PATH``: where we stand to GET, the protocol to POST, both with the secret."""
        # Compared in constant time, so that nobody finds the secret letter by letter.
        if not self._bearer or not hmac.compare_digest(fields.get(b"authorization", b""), self._bearer):
            self.strangers += 1
            told = plain(401, {"error": "the push secret is another one"})
            return Told(told.status, (*told.headers, ("WWW-Authenticate", "Bearer")), told.body)
        if method == b"GET":
            return self.standing()
        return self.take(fields, body) if method == b"POST" else plain(405, {"error": "a list is read or pushed"})

    def standing(self, status: int = 200) -> Told:
        """Say where we stand."""
        return plain(status, {"epoch": self.epoch, "seq": self.seq, "count": self.count})

    def take(self, fields: Mapping[bytes, bytes], body: bytes) -> Told:
        """Take a push, from someone who was recognised.

        Parameters
        ----------
        fields
            Of the request: epoch, from, to, full.
        body
            One verdict a line.

        Returns
        -------
        told
            200, 400 or 409; nothing changed unless 200.
        """
        try:
            epoch, begin, end, is_full = _numbers(fields)
            if not is_full and (epoch != self.epoch or begin != self.seq):
                return self.standing(409)
            codes, restraints, until_us, rules = read(body, self._key)
        except InputError as error:
            return plain(400, {"error": error.message})
        self._gate.judge(codes, restraints, until_us, rules, full=is_full)
        if is_full:
            self._accounts = set()
        if codes.size:
            taken_back = restraints == int(Restraint.ALLOW)
            self._accounts.update(codes[~taken_back].tolist())
            self._accounts.difference_update(codes[taken_back].tolist())
        self.epoch, self.seq, self.is_known, self._heard_s = epoch, end, True, self._clock_s()
        return self.standing()


def read(body: bytes, key: bytes) -> tuple[NDArray[np.uint64], NDArray[np.uint8], NDArray[np.int64], list[str]]:
    r"""Read verdicts, one a line.

    Parameters
    ----------
    body
        ``account TAB restraint TAB until_s TAB rule LF``, the account percent-encoded.
    key
        Makes codes of accounts.

    Returns
    -------
    codes, restraints, until_us, rules : np.ndarray [shape=(lines,)]
        Rules by name; an end of 0 is never.

    Raises
    ------
    InputError
        When a line is not what it should be.

    Examples
    --------
    >>> codes, restraints, until_us, rules = read(b"ann%40x.org\thold\t5\tevidence\n", bytes(16))
    >>> restraints.tolist(), until_us.tolist(), rules
    ([3], [5000000], ['evidence'])
    """
    if not body:
        return np.zeros(0, np.uint64), np.zeros(0, np.uint8), np.zeros(0, np.int64), []
    if not body.endswith(b"\n"):
        raise InputError("the last line has no end, wanted LF behind each")
    try:
        table = csv.read_csv(
            io.BytesIO(body),
            csv.ReadOptions(use_threads=False, column_names=list(_COLUMNS), block_size=len(body) + 1),
            csv.ParseOptions(delimiter="\t", quote_char=False, ignore_empty_lines=False),
            csv.ConvertOptions(column_types=_COLUMNS, null_values=[], strings_can_be_null=False),
        )
    except pa.ArrowInvalid as error:
        raise InputError(f"the list cannot be read ({str(error)[:200]}), wanted four fields a line") from error
    until_s = table["until_s"].to_numpy()
    restraints = pc.index_in(table["restraint"], _RESTRAINTS)
    rules = pc.index_in(table["rule"], pa.array(_RULES))
    if restraints.null_count or rules.null_count or until_s.min() < 0 or until_s.max() > _UNTIL_MAX_S:
        raise InputError("a line names no restraint, no rule or no time, wanted one of each that is known here")
    codes = codes_of(_identifiers(table["account"]), key)
    if not codes.all():
        raise InputError("a line names no account, wanted one")
    names = [_RULES[place] for place in rules.to_numpy().tolist()]
    return codes, restraints.to_numpy().astype(np.uint8), until_s * _US, names


def _identifiers(accounts: pa.ChunkedArray) -> pa.Array:
    encoded = accounts.combine_chunks()
    marked = pc.match_substring(encoded, "%")
    if not pc.any(marked).as_py():
        return encoded
    return pa.array([unquote_to_bytes(account) for account in encoded.to_pylist()], pa.binary())


def _numbers(fields: Mapping[bytes, bytes]) -> tuple[str, int, int, bool]:
    epoch, begin, end, full = (fields.get(b"x-riparian-" + name, b"") for name in (b"epoch", b"from", b"to", b"full"))
    # isdigit takes ASCII digits only, for bytes.
    are_numbers = begin.isdigit() and end.isdigit() and max(len(begin), len(end)) <= 15 and full in {b"0", b"1"}
    if not (are_numbers and 0 < len(epoch) <= _EPOCH_MAX and epoch.isascii()):
        raise InputError("a push has no epoch, from, to or full, wanted each of them")
    return epoch.decode("ascii"), int(begin), int(end), full == b"1"
