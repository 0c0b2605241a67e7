"""How is a file decoded in a process of its own, without waiting for that process to load?

A *stem* has everything loaded that decoding needs (:mod:`.sound_child`), and never reads a byte of any file.  For each
file it begets a process, which is handed that open file and the end of a pipe, takes all else from itself, and ends
with the file: what a hostile file does to its decoder is done to no other file.  To load takes some 0.2 s of CPU, and
is done once.

A process of ours has a stem for each of its threads.  A stem ends when we do: the other end of its socket is gone.
"""

import atexit
import contextlib
import json
import os
import signal
import socket
import struct
import subprocess
import sys
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from typing import BinaryIO, Final

from riparian.errors import OutsideError

_PID: Final = struct.Struct("<q")
_PATIENCE_S: Final = 60.0


@dataclass(frozen=True, slots=True)
class Asked:
    """What is wanted of a file, and what it may cost.

    Parameters
    ----------
    container
        As FFmpeg names it.
    memory_bytes, seconds
        Of the process; seconds of its own time and of ours.
    rate
        Samples a second of the mean of the channels; 0 for every sample of every channel, -1 for none of them.
    """

    container: str
    memory_bytes: int
    seconds: int
    rate: int = 0


class Decoding:
    """A process that decodes one file: what it says, and whether it was ended for being late."""

    def __init__(self, out: BinaryIO, pid: int) -> None:
        self.out = out
        self.is_late = False
        self._pid = pid

    def end(self, *, late: bool = False) -> None:
        """End it, unless it has."""
        self.is_late = self.is_late or late
        # Nobody has waited for it yet, so that the number is still its own.
        with contextlib.suppress(ProcessLookupError):
            os.kill(self._pid, signal.SIGKILL)


class Stem:
    """A process that begets decoders, one after another.

    Raises
    ------
    OSError
        When it cannot be begun, or has died.
    """

    def __init__(self) -> None:
        self.owner = os.getpid()
        self._socket, its = socket.socketpair()
        self._socket.settimeout(_PATIENCE_S)
        # Nothing of the folder where we happen to be is imported (-P).
        command = [sys.executable, "-P", "-m", "riparian.feeds.sound_child"]
        environment = os.environ | {"OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1"}
        with its:
            self._process = subprocess.Popen(  # noqa: S603 -- ours
                command, stdin=its.fileno(), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env=environment
            )

    @contextlib.contextmanager
    def decoding(self, file: BinaryIO, asked: Asked) -> Iterator[Decoding]:
        """Let a process decode an open file from its beginning; whatever it does, it is ended afterwards."""
        said = json.dumps({name: getattr(asked, name) for name in Asked.__slots__}).encode()
        os.lseek(file.fileno(), 0, os.SEEK_SET)
        here, there = os.pipe()
        with os.fdopen(here, "rb") as out:
            try:
                socket.send_fds(self._socket, [said], [file.fileno(), there])
            finally:
                os.close(there)
            octets = self._socket.recv(_PID.size)
            if len(octets) < _PID.size:
                raise ConnectionError("the process that begets decoders has ended")
            decoding = Decoding(out, _PID.unpack(octets)[0])
            late = threading.Timer(asked.seconds, decoding.end, kwargs={"late": True})
            late.daemon = True
            late.start()
            try:
                yield decoding
            finally:
                late.cancel()
                late.join()
                decoding.end()
                # Now it may be waited for.
                self._socket.sendall(b".")

    def close(self) -> None:
        """End it."""
        self._socket.close()
        if self.owner == os.getpid():
            self._process.wait()


_ours = threading.local()


@contextlib.contextmanager
def decoding(file: BinaryIO, asked: Asked) -> Iterator[Decoding]:
    """Let a process decode an open file, begotten by this thread's stem.

    Raises
    ------
    OutsideError
        When no process can be begun.
    """
    with contextlib.ExitStack() as stack:
        try:
            begun = stack.enter_context(_stem().decoding(file, asked))
        except OSError:
            # It may have been killed for want of memory, by no fault of this file's.
            _forget()
            try:
                begun = stack.enter_context(_stem().decoding(file, asked))
            except OSError as error:
                _forget()
                raise OutsideError(
                    f"no process to decode with can be begun: {error}",
                    hint="Look at the machine's memory, then try again.",
                ) from error
        yield begun


def _stem() -> Stem:
    stem: Stem | None = getattr(_ours, "stem", None)
    if stem is None or stem.owner != os.getpid():
        stem = _ours.stem = Stem()
        atexit.register(stem.close)
    return stem


def _forget() -> None:
    stem: Stem | None = getattr(_ours, "stem", None)
    if stem is not None:
        atexit.unregister(stem.close)
        stem.close()
        _ours.stem = None
