"""An edge in memory, that may forget."""

from dataclasses import dataclass, field

from riparian.errors import LifecycleError, OutsideError
from riparian.gate.policy import Restraint
from riparian.ports import Delta, Standing, Verdict


@dataclass(slots=True)
class Edge:
    """An edge that may forget, lose one, or be out of reach."""

    standing: Standing = field(default_factory=lambda: Standing("", 0, 0))
    held: dict[str, Verdict] | None = None
    dead: bool = False
    room: int = 1_000_000

    def publish(self, delta: Delta) -> Standing:
        self._reached()
        if self.held is None or (self.standing.epoch, self.standing.seq) != (delta.epoch, delta.from_seq):
            raise LifecycleError("it stands elsewhere")
        return self._take(delta, self.held)

    def resync(self, whole: Delta) -> Standing:
        self._reached()
        return self._take(whole, {})

    def seen(self) -> Standing:
        self._reached()
        return self.standing

    def forget(self) -> None:
        self.standing, self.held = Standing("", 0, 0), None

    def _reached(self) -> None:
        if self.dead:
            raise OutsideError("it is out of reach")

    def _take(self, delta: Delta, held: dict[str, Verdict]) -> Standing:
        held = held | {v.account_id: v for v in delta.verdicts}
        kept = [v for v in held.values() if v.restraint is not Restraint.ALLOW]
        self.held = {v.account_id: v for v in kept[: self.room]}
        self.standing = Standing(delta.epoch, delta.to_seq, len(self.held))
        return self.standing
