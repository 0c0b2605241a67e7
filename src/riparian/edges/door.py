"""What is asked, what is known, and so what is answered?

The one way from an :class:`~riparian.edges.asking.Asked` to an :class:`~riparian.gate.admit.Answer`, whatever
protocol it came by.  The gate decides; what stands here is about what the gate cannot know:

* Nobody says who asks: all such requests are one account to the gate; those served are counted.
* A grant is shown that does not hold: 403, because of ``grant``.
* No list of verdicts was ever received though somebody should push one: until the first one, media are served and
  counted, licences and keys are closed (503), metadata fall to ``down_per_minute`` and bulk closes, as the
  policy's ``metadata_down`` and ``bulk_down`` say, because of ``degraded``.
* Whoever pushes fell silent: the last list holds, with its ends; every request served meanwhile is counted.
* In shadow nothing of this refuses; what would have been refused is counted as let through.
"""

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Final
from urllib.parse import unquote_to_bytes

from riparian.codes import RECORDING_KEY
from riparian.edges.answers import DEGRADED, GRANT
from riparian.edges.asking import Asked, Codes, Fields, finder
from riparian.edges.pushed import Pushed
from riparian.errors import InputError
from riparian.gate.admit import Answer, Gate, Rule
from riparian.gate.grants import Form, Grant, Rate, issue, verify
from riparian.gate.keys import KeyRing
from riparian.gate.policy import Down, Instead, Mode, Policy, Restraint
from riparian.gate.refused import Refused
from riparian.gate.routes import Edge, Kind
from riparian.gate.spelling import named, plain

NAMELESS: Final = "nameless"
SAMPLED: Final = 64
"""Of so many decisions one is timed."""

_US: Final = 1_000_000
_MINUTE_US: Final = 60 * _US
_AGAIN_S: Final = 5
_LET: Final = Answer(200)
_UNGRANTED: Final = Answer(403)
_CLOSED: Final = Answer(503, retry_after_s=_AGAIN_S)


@dataclass(frozen=True, slots=True)
class Keys:
    """Secrets of a house, as a gate needs them.

    Parameters
    ----------
    accounts
        Makes codes of accounts: the workspace's secret of 16 bytes.
    push
        What whoever pushes verdicts is known by; empty where nobody does.
    ring
        Keys of grants; None where none are issued.
    """

    accounts: bytes
    push: str = ""
    ring: KeyRing | None = None


@dataclass(frozen=True, slots=True)
class Clocks:
    """What time it is.

    Parameters
    ----------
    now_us
        Microseconds since 1970, UTC.
    steady_s
        Seconds since any time, of a clock that never goes back.
    """

    now_us: Callable[[], int]
    steady_s: Callable[[], float]


class Door:
    """Where every question comes in.

    Parameters
    ----------
    gate
        Decides.
    edge
        The operator's routes, and where the account is found.
    policy
        What is done where little is known.
    keys
        Secrets; may be replaced at any time, by others with the same secret of accounts.
    clocks
        Time.

    Attributes
    ----------
    timed
        Told how long a decision took, once in ``SAMPLED``; seconds.
    written
        Called before it is told that something is served: puts what was charged on its way to the disk.
    """

    def __init__(self, gate: Gate, edge: Edge, policy: Policy, keys: Keys, clocks: Clocks) -> None:
        self.gate = gate
        self.edge = edge
        self.policy = policy
        self.keys = keys
        self.clocks = clocks
        self.pushed = Pushed(gate, keys.accounts, keys.push, clock_s=clocks.steady_s)
        self.let_through: Counter[tuple[Kind, str]] = Counter()
        self.refusals: Counter[tuple[Kind, Restraint, str]] = Counter()
        self.timed: Callable[[float], None] | None = None
        self.written: Callable[[], None] | None = None
        self.accounts = Codes(keys.accounts)
        self.recordings = Codes(RECORDING_KEY)
        self._account_of = finder(edge.account)
        self._device_of = finder(edge.device)
        self._asked = 0
        self._minute = 0
        self._in_minute: Counter[int] = Counter()

    @property
    def ailing(self) -> str:
        """What keeps the gate from knowing: ``unsynced``, ``heartbeat``, or nothing."""
        return self.pushed.ailing if self.keys.push else ""

    def asked(self, fields: Fields, path: bytes, query: bytes) -> Asked | None:
        """Read what a request for a path of the operator's asks for.

        Parameters
        ----------
        fields
            Names in small letters.
        path
            As it stands in the request.
        query
            Without its question mark.

        Returns
        -------
        asked
            None where no route is ours: it passes.

        Raises
        ------
        InputError
            When the path is not spelt plainly.
        """
        text = path.decode("latin-1")
        wanted = self.edge.routes.find(text)
        if wanted is None:
            return None
        account, device = self._account_of(fields, query), self._device_of(fields, query)
        return Asked(account, wanted.kind, unquote_to_bytes(wanted.recording), text, wanted.rows, device)

    def answer(self, asked: Asked) -> tuple[Answer, str]:
        """Answer.

        Returns
        -------
        answer
            What is done.
        because
            A reason that is not one of the gate's rules: ``degraded`` or ``grant``; else empty.
        """
        account = self.accounts.of(asked.account)
        now_us = self.clocks.now_us()
        ailing = self.ailing
        if ailing == "unsynced":
            closed = self._closed(account, asked.kind, now_us)
            if closed is not None:
                return self._unless_shadow(closed, asked.kind, ailing, DEGRADED), DEGRADED
        self._asked += 1
        if self._asked % SAMPLED or self.timed is None:
            answer = self.gate.admit(account, self.recordings.of(asked.recording), asked.kind, now_us, asked.rows)
        else:
            begun_s = self.clocks.steady_s()
            answer = self.gate.admit(account, self.recordings.of(asked.recording), asked.kind, now_us, asked.rows)
            self.timed(self.clocks.steady_s() - begun_s)
        if answer.status == 200 and self.written is not None:
            self.written()
        if answer.rule is not Rule.NONE:
            self.refusals[asked.kind, answer.action, answer.rule] += 1
        if answer.status == 200 and (ailing or not account):
            self.let_through[asked.kind, ailing or NAMELESS] += 1
        return answer, ""

    def granted(self, token: str, asked: Asked) -> Grant | Refused:
        """Say whether a grant that came with a request holds for it; it names the account where nothing else does."""
        ring = self.keys.ring
        if ring is None:
            return Refused.UNKNOWN_KEY
        account = _text(asked.account) if asked.account else None
        now_s = self.clocks.now_us() // _US
        return verify(token, ring, account=account, path=asked.path, device=_text(asked.device), now_s=now_s)

    def ungranted(self, kind: Kind) -> tuple[Answer, str]:
        """Answer a request whose grant does not hold."""
        return self._unless_shadow(_UNGRANTED, kind, GRANT, GRANT), GRANT

    def unmarked(self, asked: Asked, answer: Answer) -> Answer:
        """Answer a request that would be served, were there a marked rendition: as if its novelty were refused.

        What the gate has charged for it stays charged, and had: it is served where the budget has filled again, or the
        recording was marked.
        """
        self.refusals[asked.kind, answer.action, Rule.NOVELTY] += 1
        if self.policy.refused is Instead.PREVIEW:
            return replace(answer, rule=Rule.NOVELTY, preview=True, marked_only=False)
        return replace(answer, status=429, rule=Rule.NOVELTY)

    def may_grant(self, asked: Asked) -> bool:
        """Say beforehand whether a grant could be issued, so that nothing is charged where none can.

        Returns
        -------
        bool
            False in shadow only, where what is asked for is served all the same, and counted.

        Raises
        ------
        InputError
            When the path is not spelt plainly, or the account cannot stand in a grant.
        """
        if plain(asked.path) and _is_name(asked.account) and (not asked.device or _is_name(asked.device)):
            return True
        if self.policy.mode is Mode.ENFORCE:
            raise InputError("a grant has no account or no path that is spelt plainly, wanted both")
        self.let_through[asked.kind, GRANT] += 1
        return False

    def grant(self, asked: Asked, answer: Answer, form: Form = Form.HMAC) -> str:
        """Issue a grant for the recording that was asked for; empty where the house has no keys.

        It is good for the folder of the path where that lies within the recording's own, a part of the path that is its
        identifier; elsewhere for this path alone: what lies beside it may be another recording.

        Raises
        ------
        InputError
            When the path is not spelt plainly, or the account cannot stand in a grant.
        """
        ring = self.keys.ring
        if ring is None:
            return ""
        until_s = self.clocks.now_us() // _US + self.policy.grant_s
        rate = Rate.PREVIEW if answer.preview else Rate.FULL
        account, device = _text(asked.account), _text(asked.device)
        return issue(Grant(account, home_of(asked), device, until_s, rate, ring.current.id), ring, form)

    def _closed(self, account: int, kind: Kind, now_us: int) -> Answer | None:
        # Before the first list: nobody knows who is held.
        if kind is Kind.MEDIA:
            return None
        return self._limited(account, now_us) if self.policy.down(kind) is Down.LIMIT else _CLOSED

    def _limited(self, account: int, now_us: int) -> Answer | None:
        minute = now_us // _MINUTE_US
        if minute != self._minute:
            self._minute, self._in_minute = minute, Counter()
        self._in_minute[account] += 1
        if self._in_minute[account] <= self.policy.down_per_minute:
            return None
        again_s = 60 - now_us % _MINUTE_US // _US
        return Answer(429, rule=Rule.LIMIT, retry_after_s=again_s)

    def _unless_shadow(self, answer: Answer, kind: Kind, why: str, because: str) -> Answer:
        if self.policy.mode is Mode.ENFORCE:
            self.refusals[kind, answer.action, because] += 1
            return answer
        self.let_through[kind, why] += 1
        return _LET


def under(asked: Asked, grant: Grant) -> Asked:
    """Let a grant that holds say who asks, where nothing else does."""
    return asked if asked.account else replace(asked, account=grant.account.encode())


def _text(identifier: bytes) -> str:
    try:
        return identifier.decode("utf-8")
    except UnicodeDecodeError as error:
        raise InputError("an identifier is no UTF-8, wanted it so in a grant") from error


def _is_name(identifier: bytes) -> bool:
    try:
        return named(identifier.decode("utf-8"))
    except UnicodeDecodeError:
        return False


def home_of(asked: Asked) -> str:
    """Say what a grant for a request opens: see :meth:`Door.grant`."""
    folder = asked.path[: asked.path.rfind("/") + 1]
    is_its_own = asked.recording in {unquote_to_bytes(part) for part in folder.split("/")} - {b""}
    return folder if is_its_own else asked.path
