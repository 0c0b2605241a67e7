"""``riparian scan --follow``: a log that grows, or several that are looked at again and again."""

import signal
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from riparian import assembly
from riparian.cli import ladder, lines
from riparian.cli.logged import Log
from riparian.errors import InputError
from riparian.feeds.chunks import Chunk, ReadOptions
from riparian.feeds.follow import follow
from riparian.feeds.kafka import address_of, is_address
from riparian.flows.extraction import Ends, Found, scan
from riparian.flows.lines import account_lines, ring_lines, summary_line
from riparian.flows.workers import Worker

EVERY_S: Final = 10.0
_TEXT: Final = Log(process="evidence")


def followed(given: assembly.Given, logs: Sequence[str], read: ReadOptions, *, json: bool, log: Log = _TEXT) -> None:
    """Scan what is new, wait, and begin again, until somebody presses Ctrl-C or a supervisor ends it."""
    with _terminated_as_interrupted(), assembly.house(given) as house:
        teller = _Teller(house, json, log)
        log.say("following", f"following {', '.join(logs)}", logs=len(logs))
        try:
            if any(map(is_address, logs)):
                whole = _partitioned(house, logs, read, teller)
            elif len(logs) == 1 and _is_one_file(logs[0]):
                whole = _grown(house, logs[0], read, teller)
            else:
                whole = _looked_at(house, logs, read, teller)
        except KeyboardInterrupt:
            # Pressed again while the rest was being scanned.
            whole = False
        log.say("no_longer_following", f"No longer following; {teller.held(whole=whole)}.", whole=whole)


@contextmanager
def _terminated_as_interrupted() -> Iterator[None]:
    def interrupt(number: int, frame: Any) -> None:
        del number, frame
        raise KeyboardInterrupt

    before = signal.signal(signal.SIGTERM, interrupt)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


@dataclass
class _Teller:
    """Scans, and tells each decision once."""

    house: assembly.House
    json: bool
    log: Log = _TEXT
    told: set[tuple[str, str]] = field(default_factory=set)
    scanned: bool = False

    def held(self, *, whole: bool) -> str:
        """Say what the workspace holds; ``whole`` when nothing that was read is left over."""
        if not self.scanned:
            return "nothing was scanned yet"
        return "the workspace holds everything up to here" if whole else "scan again to take in what was being read"

    def scan(self, chunks: Iterable[Chunk]) -> None:
        """Scan what has arrived; an empty log is waited for, since what follows may be usable."""
        try:
            found = scan(self.house.world, chunks, self.house.terms, ends=Ends.FOLLOWED)
        except InputError as error:
            self.log.failed("waiting", error, f"waiting: {error.message}")
            return
        self.tell(found)

    def tell(self, found: Found) -> None:
        """Tell what is new in what a scan has found."""
        self.scanned = True
        told = [*account_lines(self.house.world, found), *ring_lines(self.house.world, found.rings)]
        new = [row for row in told if _what(row) not in self.told]
        self.told |= {_what(row) for row in new}
        if self.json:
            lines.write([*new, summary_line(found)])
        if self.log.is_json:
            self._log(new, summary_line(found))
        elif new and not self.json:
            ladder.show(self.house.world, found, self.house.folder)

    def _log(self, new: Sequence[Mapping[str, Any]], summary: Mapping[str, Any]) -> None:
        self.log.say("scanned", **{**summary, "decided": len(new)})
        for row in new:
            if row["kind"] == "account":
                self.log.say("decided", **row)
            else:
                self.log.say("ring_found", **{**row, "accounts": len(row["accounts"])})


def _what(row: Mapping[str, Any]) -> tuple[str, str]:
    """Tell what of a line makes it news: an account's action, a ring."""
    return (row["account"], row["action"]) if row["kind"] == "account" else (row["ring"], row["kind"])


def _grown(house: assembly.House, log: str, read: ReadOptions, teller: _Teller) -> bool:
    """Follow one file until interrupted, and scan the rest; says whether all that was written was taken."""
    arrived: list[Chunk] = []
    interrupted = whole = False
    # What was read and not counted, by a scan that was killed, is counted though nothing new arrives.
    is_owed = bool(house.world.staging.waiting())

    def rest(seconds: float) -> None:
        # The reader rests when it has given all that there is: one scan for all of it.
        nonlocal interrupted, is_owed
        try:
            if arrived or is_owed:
                teller.scan(arrived)
                arrived.clear()
                is_owed = False
            time.sleep(seconds)
        except KeyboardInterrupt:
            # The reader is asked to give what it has gathered, and to end.
            interrupted = True

    known, key = house.world.staging.known, house.world.vault.key
    grown = follow(
        log, options=read, key=key, known=known, clock_s=time.monotonic, sleep_s=rest, seconds=EVERY_S,
        until=lambda: interrupted,
    )  # fmt: skip
    with suppress(KeyboardInterrupt):
        for chunk in grown:
            arrived.append(chunk)  # noqa: PERF402 -- `rest` empties it between two chunks
        whole = True
    if arrived or is_owed:
        teller.scan(arrived)
    return whole


def _looked_at(house: assembly.House, logs: Sequence[str], read: ReadOptions, teller: _Teller) -> bool:
    """Look at logs again and again until interrupted; says whether the last look was whole."""
    whole = False
    with suppress(KeyboardInterrupt):
        while True:
            whole = False
            teller.scan(assembly.chunks(house, logs, read))
            whole = True
            time.sleep(EVERY_S)
    if not whole and house.world.staging.waiting():
        teller.scan(())
    return whole


def _partitioned(house: assembly.House, logs: Sequence[str], read: ReadOptions, teller: _Teller) -> bool:
    """Follow a log in partitions, as one of as many workers as there are; says whether nothing was left over."""
    from riparian.assembly.streams import worker  # noqa: PLC0415 -- a client of brokers, which few have

    if len(logs) > 1:
        raise InputError(
            f"{len(logs)} logs and a topic among them, wanted a topic alone",
            hint="Follow each in a command of its own.",
        )
    address = address_of(logs[0])
    with worker(house, address, read) as one:
        with suppress(KeyboardInterrupt):
            while True:
                _told(one, one.turn(), teller)
        # Whatever was read is kept under its offsets; what is not scanned now is scanned by whoever goes on.
        _told(one, one.scan(), teller)
        return not one.has_kept()


def _told(one: Worker, found: Found | None, teller: _Teller) -> None:
    if one.said:
        teller.log.say("waiting", f"waiting: {one.said}")
        one.said = ""
    if found is not None:
        teller.tell(found)


def _is_one_file(log: str) -> bool:
    return log != "-" and "://" not in log and not any(char in log for char in "*?[") and not Path(log).is_dir()
