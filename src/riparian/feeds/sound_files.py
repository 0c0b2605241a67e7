"""What does a sound file hold?

A leaked file is an attack surface: whoever made it knows that we will open it.  So nothing is decoded in this process.
A child is handed the open file and nothing else (:mod:`.sound_child`); its memory, its time and how much it may answer
are bounded, it may open only the codecs of :class:`riparian.audio.forms.Form`, and whatever becomes of it, crash,
silence or nonsense, ends here in one ``InputError``.

What a file is, is decided by its first bytes, never by its name.
"""

import json
import os
import stat
import struct
import subprocess
import sys
import threading
from base64 import b64decode
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any, BinaryIO, Final

import numpy as np
from numpy.typing import NDArray

from riparian.audio.forms import BIT_RATES, DEPTHS, LOSSLESS, Form, Picture, Recorded, Written
from riparian.audio.pcm import CHANNELS_MAX, RATES, Sound
from riparian.errors import InputError

HEAD_BYTES: Final = 4096
_ID3_BYTES: Final = 10
_LENGTH: Final = struct.Struct("<I")
_BITS_USUAL: Final = 192_000


@dataclass(frozen=True, slots=True)
class Limits:
    """What a file may cost.

    Parameters
    ----------
    memory_bytes
        Of the child.
    seconds
        How long it may take, of its own time and of ours.
    sound_bytes
        Decoded: four bytes a sample and channel.
    file_bytes
        Of the file itself.
    """

    memory_bytes: int = 2 << 30
    seconds: int = 300
    sound_bytes: int = 4 << 30
    file_bytes: int = 8 << 30


FOUND: Final = Limits(memory_bytes=1 << 30, seconds=120, sound_bytes=2 << 30, file_bytes=2 << 30)
"""What a copy that was found outside may cost: less than a master of ours, but enough for an hour and a half."""


def sniff(head: bytes) -> str | None:
    """Say which container a file with these first bytes is, as FFmpeg names it; None for none of ours.

    Examples
    --------
    >>> sniff(b"RIFF....WAVEfmt "), sniff(b"fLaC"), sniff(b"....ftypM4A "), sniff(b"<html>")
    ('wav', 'flac', 'mov', None)
    """
    for magic, at, name in _MAGICS:
        if head[at : at + len(magic)] == magic:
            return name if name != "riff" else "wav" if head[8:12] == b"WAVE" else None
    return _frames(head)


_MAGICS: Final = (
    (b"RIFF", 0, "riff"),
    (b"RF64", 0, "riff"),
    (b"BW64", 0, "riff"),
    (b"fLaC", 0, "flac"),
    (b"OggS", 0, "ogg"),
    (b"ftyp", 4, "mov"),
    (b"AIFF", 8, "aiff"),
    (b"AIFC", 8, "aiff"),
    (b"\x1a\x45\xdf\xa3", 0, "matroska"),
)


def _frames(head: bytes) -> str | None:
    # A frame of MPEG audio: eleven bits set, then fields of which some values are reserved.
    if len(head) < 4 or head[0] != 0xFF or head[1] & 0xE0 != 0xE0:
        return None
    layer, version = head[1] >> 1 & 3, head[1] >> 3 & 3
    if layer == 0:
        is_adts = head[1] & 0xF0 == 0xF0 and head[2] >> 2 & 15 < 13
        return "aac" if is_adts else None
    reserved = version == 1 or head[2] >> 4 in {0, 15} or head[2] >> 2 & 3 == 3
    return "mp3" if layer == 1 and not reserved else None


def container_of(file: BinaryIO) -> str | None:
    """Look at a file's first bytes, behind an ID3 tag if it begins with one, and go back to its beginning."""
    at = 0
    head = file.read(HEAD_BYTES)
    while head[:3] == b"ID3" and len(head) >= _ID3_BYTES and max(head[6:10]) < 0x80:
        at += _ID3_BYTES + (head[6] << 21 | head[7] << 14 | head[8] << 7 | head[9])
        file.seek(at)
        head = file.read(HEAD_BYTES)
    # Some writers pad behind the tag, and what follows is found by its frames.
    found = sniff(head.lstrip(b"\0") if at else head) or ("mp3" if at and head else None)
    file.seek(0)
    return found


def find(paths: Iterable[Path]) -> list[Path]:
    """List the sound files among files and folders, in order; a file that is named is listed whatever it holds.

    Links inside a folder are not followed, so that a folder from outside leads nowhere but into itself.

    Raises
    ------
    InputError
        When a path does not exist.
    """
    found: list[Path] = []
    for path in paths:
        if path.is_dir():
            inside = (Path(at, name) for at, _, names in sorted(os.walk(path)) for name in sorted(names))
            found += [one for one in inside if one.is_file() and not one.is_symlink() and _is_sound(one)]
        elif path.exists():
            found.append(path)
        else:
            raise InputError(f"there is no file at `{path}`, wanted sound or a folder of it")
    return list(dict.fromkeys(found))


def _is_sound(path: Path) -> bool:
    try:
        with path.open("rb") as file:
            return container_of(file) is not None
    except OSError:
        return False


def read(path: Path, limits: Limits | None = None) -> Recorded:
    """Decode a file.

    Parameters
    ----------
    path
        WAV, AIFF, FLAC, MP3, AAC and ALAC in M4A, AAC in ADTS, Opus and Vorbis in Ogg; all of these in Matroska.
    limits
        What it may cost.

    Returns
    -------
    Recorded
        What encoders put before and after the sound is taken off again.

    Raises
    ------
    InputError
        When it is none of these, is damaged, holds no sound, or costs more than it may.
    """
    limits = limits or Limits()
    with opened(path, limits) as (file, container):
        return _decoded(path, file, container, limits)


@contextmanager
def opened(path: Path, limits: Limits) -> Iterator[tuple[BinaryIO, str]]:
    """Open a file, and say which container it is.

    Raises
    ------
    InputError
        When it is no file but a folder, a pipe or a device, is too large, no sound that is known, or cannot be read.
    """
    try:
        # Whoever opens a pipe waits for somebody to write: not so, and only of what is a file anything is read.
        with open(path, "rb", opener=_at_once) as file:
            about = os.fstat(file.fileno())
            if not stat.S_ISREG(about.st_mode):
                kind = "folder" if stat.S_ISDIR(about.st_mode) else "pipe or a device"
                raise InputError(f"`{path}` cannot be read: it is a {kind}, wanted a sound file")
            if about.st_size > limits.file_bytes:
                raise InputError(f"`{path}` has more than {limits.file_bytes >> 20} MiB, wanted a smaller file")
            container = container_of(file)
            if container is None:
                raise InputError(
                    f"`{path}` is no sound file that is known, wanted WAV, AIFF, FLAC, MP3, M4A, Opus, Vorbis or WebM"
                )
            yield file, container
    except OSError as error:
        raise InputError(f"`{path}` cannot be read: {error.strerror}, wanted a sound file") from error


def _at_once(path: str, flags: int) -> int:
    return os.open(path, flags | os.O_NONBLOCK | os.O_CLOEXEC)


def _decoded(path: Path, file: BinaryIO, container: str, limits: Limits) -> Recorded:
    # Nothing of the folder where we happen to be is imported (-P).
    command = [sys.executable, "-P", "-m", "riparian.feeds.sound_child", container]
    command += [str(limits.memory_bytes), str(limits.seconds)]
    environment = os.environ | {"OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1"}
    # What was read to look at it has moved the place that the child shares.
    os.lseek(file.fileno(), 0, os.SEEK_SET)
    child = subprocess.Popen(  # noqa: S603 -- ours
        command, stdin=file, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, env=environment
    )
    late = threading.Timer(limits.seconds, child.kill)
    late.daemon = True
    late.start()
    try:
        assert child.stdout is not None  # noqa: S101 -- a pipe was asked for
        said = answer(child.stdout, limits)
    finally:
        child.kill()
        if child.stdout is not None:
            child.stdout.close()
        child.wait()
        is_late = not late.is_alive()
        late.cancel()
    told = f"it took longer than {limits.seconds} s" if is_late else said
    if not isinstance(said, str):
        try:
            return recorded(path, *said)
        except (KeyError, TypeError, ValueError, AttributeError, OverflowError):
            # A decoder that somebody took over may say anything.
            told = "its decoder erred"
    raise InputError(f"`{path}` cannot be decoded: {told}, wanted sound", hint="Look at it with another program.")


def answer(out: IO[bytes], limits: Limits) -> tuple[dict[str, Any], list[NDArray[np.float32]]] | str:
    """Read what a child says: blocks of samples, then a description; or a sentence why there is none."""
    blocks: list[NDArray[np.float32]] = []
    n_bytes = 0
    while True:
        length = out.read(_LENGTH.size)
        if len(length) < _LENGTH.size:
            return "its decoder broke off"
        n = _LENGTH.unpack(length)[0]
        if n == 0:
            break
        n_bytes += n
        if n_bytes > limits.sound_bytes or n % 4:
            return f"it holds more than {limits.sound_bytes >> 20} MiB of sound" if n % 4 == 0 else "its decoder erred"
        octets = out.read(n)
        if len(octets) < n:
            return "its decoder broke off"
        blocks.append(np.frombuffer(octets, np.float32))
    try:
        said = json.loads(out.read(_SAID_BYTES_MAX))
    except (ValueError, RecursionError):
        return "its decoder erred"
    if not isinstance(said, dict):
        return "its decoder erred"
    return str(said["failed"])[:200] if "failed" in said else (said, blocks)


_SAID_BYTES_MAX: Final = 96 << 20


def recorded(path: Path, said: dict[str, Any], blocks: list[NDArray[np.float32]]) -> Recorded:
    """Make what a child says into sound; ``InputError``, or an error of what it says, when it is none."""
    channels, rate = int(said["channels"]), int(said["rate"])
    if not 1 <= channels <= CHANNELS_MAX or not RATES[0] <= rate <= RATES[1]:
        raise InputError(
            f"`{path}` has {channels} channels at {rate} samples a second, wanted 1 to {CHANNELS_MAX} at"
            f" {RATES[0]} to {RATES[1]}"
        )
    whole = sum(block.size for block in blocks) // channels
    n = min(whole, int(said["samples"])) if said["samples"] else whole
    if n == 0:
        raise InputError(f"`{path}` holds no sound, wanted some")
    samples = np.empty((channels, n), np.float32)
    at = 0
    while blocks:
        block = blocks.pop(0).reshape(-1, channels)[: n - at]
        samples[:, at : at + len(block)] = block.T
        at += len(block)
    # A decoder of damaged floats may say anything; what is no number is silence.
    np.nan_to_num(samples, copy=False, nan=0.0, posinf=0.0, neginf=0.0)
    return Recorded(
        Sound(samples, rate),
        _written(said),
        {str(name): str(text) for name, text in said["tags"].items()},
        tuple(Picture(str(kind), b64decode(octets)) for kind, octets in said["pictures"]),
        tuple((str(name), b64decode(octets)) for name, octets in said["chunks"]),
        str(said["layout"]),
    )


def _written(said: dict[str, Any]) -> Written:
    form = Form(said["form"])
    if form in LOSSLESS:
        depth = str(said["depth"])
        return Written(form, depth if depth in DEPTHS[form] else DEPTHS[form][-1])
    least, most = BIT_RATES[form]
    return Written(form, bit_rate=max(least, min(int(said["bit_rate"]) or _BITS_USUAL, most)))
