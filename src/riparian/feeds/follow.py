"""A log that is being written, read as it grows and across its rotation.

Like ``tail -F``: the file is known by its device and inode.  When another file stands under its name,
or it became shorter, what was left of the old one is read to its end and the new one is begun at its
beginning.  Lines are given in chunks of at least ``seconds``, and only whole lines are given.

What was counted by an earlier scan is passed over, since a chunk here is known by the same digests
as in :func:`riparian.feeds.access_log.read`: following a file, stopping, and following it again counts
every line once.
"""

import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO, Final

from riparian.errors import InputError, OutsideError
from riparian.feeds.access_log import door_of
from riparian.feeds.chunks import Chunk, ReadOptions
from riparian.feeds.text import TextLog
from riparian.feeds.unpack import BLOCK_BYTES, MAGIC_BYTES, is_packed

POLL_S: Final = 1.0


@dataclass(slots=True)
class _Tail:
    """The file now under the name."""

    path: str
    log: TextLog
    raw: BinaryIO | None = None
    rest: bytes = b""
    read: int = 0
    pending: list[bytes] = field(default_factory=list)

    def fill(self, *, at_end: bool) -> None:
        """Take what was written since the last time; at its end an unfinished line counts as a line."""
        if self.raw is None:
            return
        while block := self.raw.read(BLOCK_BYTES):
            self.read += len(block)
            whole, line_end, rest = (self.rest + block).rpartition(b"\n")
            self.pending.append(whole + line_end)
            self.rest = rest
        if at_end and self.rest:
            self.pending.append(self.rest + b"\n")
            self.rest = b""

    def was_replaced(self) -> bool:
        """Say whether the file under the name is another one, or the same one begun anew."""
        if self.raw is None:
            return False
        try:
            now = Path(self.path).stat()
        except FileNotFoundError:
            return False
        old = os.fstat(self.raw.fileno())
        return (now.st_dev, now.st_ino) != (old.st_dev, old.st_ino) or now.st_size < self.read

    def open(self) -> None:
        """Begin at the beginning of the file under the name, if there is one."""
        try:
            self.raw = Path(self.path).open("rb")  # noqa: SIM115 -- closed when the file is replaced
        except FileNotFoundError:
            return
        self.rest, self.read = b"", 0
        if is_packed(self.raw.read(MAGIC_BYTES)):
            raise InputError(
                f"`{self.path}` is compressed, wanted a log that is being written", hint="Scan it instead."
            )
        self.raw.seek(0)

    def close(self) -> None:
        """Let the file go."""
        if self.raw is not None:
            self.raw.close()
        self.raw = None

    def give(self) -> Iterator[Chunk]:
        """Give the whole lines that were taken."""
        blocks, self.pending = [block for block in self.pending if block], []
        if blocks:
            yield from self.log.chunks(blocks)


def follow(
    path: str,
    *,
    options: ReadOptions,
    key: bytes,
    known: Callable[[bytes], bool],
    clock_s: Callable[[], float],
    sleep_s: Callable[[float], None],
    seconds: float = 10.0,
    until: Callable[[], bool] = lambda: False,
) -> Iterator[Chunk]:
    """Follow one text log for ever, or until told to stop.

    Parameters
    ----------
    path
        A local file; it need not exist yet.
    options, key, known
        As for :func:`riparian.feeds.access_log.read`.
    clock_s
        A clock that never goes back, in seconds.
    sleep_s
        Waits for so many seconds.
    seconds
        How long lines are gathered before they are given.
    until
        Asked once a second; when true, what is left is given and the following ends.

    Raises
    ------
    InputError
        When the log is compressed, of no known format, or lacks a needed column.
    OutsideError
        When the disk fails.
    """
    tail = _Tail(path, TextLog(path, options, door_of(options, key), known))
    given_at = clock_s()
    try:
        while True:
            ended = until()
            if tail.raw is None:
                tail.open()
            replaced = tail.was_replaced()
            tail.fill(at_end=replaced)
            if replaced:
                yield from tail.give()
                tail.close()
                tail.log = TextLog(path, options, tail.log.door, known)
                continue
            if ended or clock_s() - given_at >= seconds:
                yield from tail.give()
                given_at = clock_s()
            if ended:
                return
            sleep_s(POLL_S)
    except OSError as error:
        raise OutsideError(f"`{path}` cannot be followed: {error}", hint="Try again.") from error
    finally:
        tail.close()
