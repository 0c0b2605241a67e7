"""Decodes one file, as a process of its own that may do nothing else: see :mod:`riparian.feeds.sound_files`.

The file is standard input, already open; nothing is opened by name.  On standard output come blocks of interleaved
float32 samples, each behind its length in bytes, a length of 0, and one JSON object that describes the file, or says
why there is nothing.  Where a rate is named, what comes is the mean of the channels at that rate.

Begun by :mod:`riparian.feeds.decoders`, it decodes nothing itself: it waits on its standard input, a socket, for open
files, and begets a process for each, which then is as above.
"""

import contextlib
import hashlib
import io
import json
import os
import resource
import signal
import socket
import struct
import sys
from base64 import b64encode
from collections.abc import Iterator
from dataclasses import dataclass
from typing import IO, Any, Final

import av
import numpy as np
import soundfile
import soxr
from av.audio.fifo import AudioFifo
from av.audio.frame import AudioFrame
from av.audio.stream import AudioStream
from av.container import InputContainer
from av.error import FFmpegError, InvalidDataError
from av.stream import Disposition

from riparian.audio.resample import QUALITY

_FORMS: Final = {"flac": "flac", "alac": "alac", "mp3": "mp3", "mp3float": "mp3", "aac": "aac"} | {
    "opus": "opus", "libopus": "opus", "vorbis": "vorbis", "libvorbis": "vorbis",
}  # fmt: skip
_PCM: Final = {"u8": "16", "s8": "16", "s16": "16", "s24": "24", "s32": "32f", "f32": "32f", "f64": "32f"}
_BESIDE_BYTES_MAX: Final = 32 << 20
_TAGS_MAX: Final = 512
_TAG_CHARACTERS_MAX: Final = 1 << 16
_PICTURES_MAX: Final = 16
_BLOCK_SAMPLES: Final = 1 << 16
_FILES_MAX: Final = 3
"""The three that are open when we begin: no other can be opened, whoever takes this process over."""
_SILENCE: Final = struct.pack(
    "<4sI4s4sIHHIIHH4sI", b"RIFF", 44, b"WAVE", b"fmt ", 16, 1, 1, 8000, 16_000, 2, 16, b"data", 8
) + bytes(8)
_OURS: Final = frozenset(
    {"encoder", "major_brand", "minor_version", "compatible_brands", "handler_name", "vendor_id", "language"}
)
"""What a container says of itself, not of the sound."""
_MIMES: Final = {
    "png": "image/png",
    "mjpeg": "image/jpeg",
    "gif": "image/gif",
    "bmp": "image/bmp",
    "webp": "image/webp",
}
_LENGTH: Final = struct.Struct("<I")
_PID: Final = struct.Struct("<q")
_HEARD_SAMPLES: Final = 1 << 16


class _Refused(Exception):  # noqa: N818 -- a sentence for the parent
    pass


def limit(memory_bytes: int, seconds: int) -> None:
    """Take from this process what decoding does not need."""
    wanted = (
        (resource.RLIMIT_AS, memory_bytes),
        (resource.RLIMIT_CPU, seconds),
        (resource.RLIMIT_FSIZE, 0),
        (resource.RLIMIT_CORE, 0),
        (resource.RLIMIT_NOFILE, _FILES_MAX),
    )
    for kind, most in wanted:
        resource.setrlimit(kind, (most, most))


@dataclass(frozen=True, slots=True)
class _Asked:
    """What is wanted of a file; ``rate`` is 0 for every sample of every channel, -1 for none of them."""

    container: str
    memory_bytes: int
    seconds: int
    rate: int = 0


def main() -> None:
    """Decode standard input, or serve whoever is at its other end."""
    # Modules that are loaded at their first use are loaded by four samples of ours, while files can still be opened.
    tell(io.BytesIO(_SILENCE), "wav")
    decode(io.BytesIO(_SILENCE), "wav", io.BytesIO())
    hear(io.BytesIO(_SILENCE), "wav", io.BytesIO(), 11_025)
    if len(sys.argv) < 2:
        _serve(socket.socket(fileno=0))
        os._exit(0)
    _only(_Asked(sys.argv[1], int(sys.argv[2]), int(sys.argv[3])))


def _serve(ours: socket.socket) -> None:
    """Beget a process for each file that comes, and wait for its end when we are told to."""
    # Ctrl-C is for whoever asks us.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    while True:
        octets, files, _, _ = socket.recv_fds(ours, 1024, 2)
        if not octets:
            return
        child = os.fork()
        if child == 0:
            ours.close()
            for there, here in zip(files, (0, 1), strict=True):
                os.dup2(there, here)
                os.close(there)
            _only(_Asked(**json.loads(octets)))
        for file in files:
            os.close(file)
        ours.sendall(_PID.pack(child))
        # Until then nobody else can have its number, and whoever kills it kills nothing else.
        if not ours.recv(1):
            return
        os.waitpid(child, 0)


def _only(asked: _Asked) -> None:
    """Decode standard input, and end."""
    limit(asked.memory_bytes, asked.seconds)
    out = open(1, "wb", closefd=False)  # noqa: SIM115 -- as it is at this moment
    file = open(0, "rb", closefd=False)  # noqa: SIM115 -- as above
    try:
        with contextlib.suppress(OSError):
            # A larger pipe, where there is one, saves most of the waiting.
            import fcntl  # noqa: PLC0415

            fcntl.fcntl(1, fcntl.F_SETPIPE_SZ, 1 << 20)
        if asked.rate < 0:
            said = tell(file, asked.container)
        else:
            said = hear(file, asked.container, out, asked.rate) if asked.rate else decode(file, asked.container, out)
    except _Refused as error:
        said = {"failed": str(error)}
    except FFmpegError as error:
        said = {"failed": f"its decoder said `{error.strerror}`"}
    except soundfile.SoundFileError:
        said = {"failed": "its decoder found no sound"}
    except (MemoryError, ValueError, ArithmeticError, LookupError, UnicodeError) as error:
        said = {"failed": f"its decoder failed with {type(error).__name__}"}
    with contextlib.suppress(OSError):
        out.write(_LENGTH.pack(0) + json.dumps(said).encode())
        out.flush()
    # Not through destructors, which a damaged file may have left something odd to destroy.
    os._exit(0)


def tell(file: IO[bytes], container: str) -> dict[str, Any]:
    """Describe a file by what stands beside its sound; nothing is decoded."""
    with _opened(file, container) as opened:
        stream = _first(opened)
        said: dict[str, Any] = {"form": _form(stream.codec_context.name)}
        said["tags"] = _tags(dict(opened.metadata) | dict(stream.metadata))
        length = stream.duration * stream.time_base if stream.duration and stream.time_base else None
        said["ms"] = round(1000 * length) if length else round((opened.duration or 0) / 1000)
    said["pictures"] = [hashlib.sha256(octets).hexdigest() for _, octets in _pictures(file, container)]
    return said


def hear(file: IO[bytes], container: str, out: IO[bytes], rate: int) -> dict[str, Any]:
    """Write the mean of the channels of a file at a rate, and describe it."""
    with _opened(file, container) as opened:
        stream = _first(opened)
        name = stream.codec_context.name
        said: dict[str, Any] = {"form": _form(name), "rate": rate}
        said["tags"] = _tags(dict(opened.metadata) | dict(stream.metadata))
        for block in _Reader(opened, stream).mono(rate):
            octets = np.ascontiguousarray(block, "<f4").tobytes()
            if octets:
                out.write(_LENGTH.pack(len(octets)))
                out.write(octets)
    return said


def decode(file: IO[bytes], container: str, out: IO[bytes]) -> dict[str, Any]:
    """Write the samples of a file, and describe it."""
    with _opened(file, container) as opened:
        stream = _first(opened)
        name = stream.codec_context.name
        form = _form(name)
        channels, rate = stream.codec_context.channels, stream.codec_context.sample_rate
        said: dict[str, Any] = {"form": form, "rate": rate, "channels": channels}
        said["depth"] = _depth(name, stream)
        said["tags"] = _tags(dict(opened.metadata) | dict(stream.metadata))
        said["samples"] = _samples(stream) if container == "mov" else 0
        layout = stream.codec_context.layout.name
        said["layout"] = "" if "channel" in layout else layout
        reader = _Reader(opened, stream)
        # FFmpeg ends a Vorbis stream an overlap too early where its first page does not say what its own would.
        blocks = _vorbis(file) if form == "vorbis" and container == "ogg" else reader.blocks(channels, rate)
        for block in blocks:
            out.write(_LENGTH.pack(len(block)))
            out.write(block)
        # Some say what they were asked for; of the others what they needed is what there is to know.
        asked = stream.codec_context.bit_rate if form in {"mp3", "vorbis"} else None
        said["bit_rate"] = asked or reader.bit_rate(channels, rate)
    said["pictures"] = [(kind, b64encode(octets).decode()) for kind, octets in _pictures(file, container)]
    said["chunks"] = _chunks(file) if container == "wav" else []
    return said


def _opened(file: IO[bytes], container: str) -> InputContainer:
    # The format is ours to say: left to guess, FFmpeg would take a playlist and open what that names.
    file.seek(0)
    return av.open(file, "r", format=container, options={"protocol_whitelist": ""}, metadata_errors="replace")


def _vorbis(file: IO[bytes]) -> Iterator[bytes]:
    file.seek(0)
    with soundfile.SoundFile(file) as opened:
        while len(block := opened.read(_BLOCK_SAMPLES, dtype="float32", always_2d=True)):
            yield np.ascontiguousarray(block, "<f4").tobytes()


def _first(opened: InputContainer) -> AudioStream:
    if not opened.streams.audio:
        raise _Refused("it has no stream of sound")
    stream = opened.streams.audio[0]
    # What is decoded of it would be noise.
    if stream.codec_context.codec_tag in {"drms", "enca"}:
        raise _Refused("its sound is encrypted")
    return stream


def _form(codec: str) -> str:
    if codec.startswith("pcm_"):
        return "wav"
    if codec not in _FORMS:
        raise _Refused(f"its codec is `{codec}`")
    return _FORMS[codec]


def _depth(codec: str, stream: AudioStream) -> str:
    if codec.startswith("pcm_"):
        return _PCM.get(codec.removeprefix("pcm_")[:3], "16")
    if codec in {"flac", "alac"}:
        return "16" if stream.codec_context.format.name.startswith("s16") else "24"
    return ""


def _samples(stream: AudioStream) -> int:
    if stream.duration is None or stream.time_base is None:
        return 0
    return max(0, round(stream.duration * stream.time_base * stream.codec_context.sample_rate))


def _tags(found: dict[str, str]) -> dict[str, str]:
    kept = [(name, text) for name, text in found.items() if name.lower() not in _OURS]
    if sum(len(name) + len(text) for name, text in kept) > _BESIDE_BYTES_MAX:
        raise _Refused("its tags are larger than any tags")
    return {name: text[:_TAG_CHARACTERS_MAX] for name, text in kept[:_TAGS_MAX]}


def _pictures(file: IO[bytes], container: str) -> list[tuple[str, bytes]]:
    found: dict[int, tuple[str, bytes]] = {}
    with _opened(file, container) as opened:
        covers = [s for s in opened.streams.video if s.disposition & Disposition.attached_pic][:_PICTURES_MAX]
        kinds = {s.index: _MIMES.get(s.codec_context.name) for s in covers}
        # They come first, each in one packet; nothing of them is decoded.
        for packet in opened.demux(covers) if covers else ():
            kind = kinds.get(packet.stream_index)
            if kind is not None and packet.size:
                found.setdefault(packet.stream_index, (kind, bytes(packet)))
            if len(found) == len(covers) or sum(len(octets) for _, octets in found.values()) > _BESIDE_BYTES_MAX:
                break
    if sum(len(octets) for _, octets in found.values()) > _BESIDE_BYTES_MAX:
        raise _Refused("its pictures are larger than any cover")
    return [found[index] for index in sorted(found)]


class _Reader:
    """Reads a stream once, and counts what it reads."""

    def __init__(self, opened: InputContainer, stream: AudioStream) -> None:
        self._opened = opened
        self._stream = stream
        self._packet_bytes = 0
        self._sample_bytes = 0

    def blocks(self, channels: int, rate: int) -> Iterator[bytes]:
        """Give the samples, interleaved, in blocks."""
        resampler = av.AudioResampler(format="flt")
        pending: list[bytes] = []
        n_bytes = 0
        for frame in self._frames():
            if frame.sample_rate != rate or len(frame.layout.channels) != channels:
                raise _Refused("its rate or its channels change on the way")
            for even in resampler.resample(frame):
                pending.append(_octets(even, channels))
                n_bytes += len(pending[-1])
            if n_bytes >= 4 * _BLOCK_SAMPLES:
                self._sample_bytes += n_bytes
                yield b"".join(pending)
                pending, n_bytes = [], 0
        pending += [_octets(even, channels) for even in resampler.resample(None)] if pending or n_bytes else []
        if any(pending):
            self._sample_bytes += sum(map(len, pending))
            yield b"".join(pending)

    def mono(self, rate: int) -> Iterator[np.ndarray[Any, np.dtype[np.float32]]]:
        """Give the mean of the channels at a rate, in blocks."""
        waiting, into = AudioFifo(), None
        for frame in self._frames():
            if into is None:
                shape = frame.sample_rate, len(frame.layout.channels)
                into = soxr.ResampleStream(frame.sample_rate, rate, 1, dtype="float32", quality=QUALITY)
            elif shape != (frame.sample_rate, len(frame.layout.channels)):
                raise _Refused("its rate or its channels change on the way")
            # Times that a damaged file gives are of no use here.
            frame.pts = None
            waiting.write(frame)
            if waiting.samples >= _HEARD_SAMPLES:
                yield into.resample_chunk(_mean(waiting.read()))
        if into is not None:
            rest = waiting.read() if waiting.samples else None
            yield into.resample_chunk(_mean(rest), last=True)

    def bit_rate(self, channels: int, rate: int) -> int:
        """Tell how many bits a second were read."""
        return round(8 * self._packet_bytes * rate * 4 * channels / max(1, self._sample_bytes))

    def _frames(self) -> Iterator[AudioFrame]:
        # A damaged packet among sound ones is left out, as players do.
        is_sound = False
        failed: FFmpegError | None = None
        for packet in self._opened.demux(self._stream):
            self._packet_bytes += packet.size
            try:
                frames = packet.decode()
            except InvalidDataError as error:
                failed = error
                continue
            for frame in frames:
                if isinstance(frame, AudioFrame):
                    is_sound = True
                    yield frame
        if not is_sound and failed is not None:
            raise failed


def _mean(frame: AudioFrame | None) -> np.ndarray[Any, np.dtype[np.float32]]:
    """Give the mean of the channels, full scale 1; of no frame, nothing."""
    if frame is None:
        return np.empty(0, np.float32)
    samples = frame.to_ndarray()
    channels = len(frame.layout.channels)
    if not frame.format.is_planar:
        samples = samples.reshape(-1, channels).T
    mean = samples.mean(axis=0, dtype=np.float32)
    kind = samples.dtype
    if kind == np.uint8:
        mean = mean - np.float32(128)
    if kind.kind in "iu":
        mean *= np.float32(1 / (1 << (8 * kind.itemsize - 1)))
    out: np.ndarray[Any, np.dtype[np.float32]] = np.nan_to_num(mean, copy=False, nan=0.0, posinf=0.0, neginf=0.0)
    return out


def _octets(frame: AudioFrame, channels: int) -> bytes:
    samples = frame.to_ndarray().reshape(-1)[: frame.samples * channels]
    return np.ascontiguousarray(samples, "<f4").tobytes()


def _chunks(file: IO[bytes]) -> list[tuple[str, str]]:
    """Read whatever a WAV file holds beside its format and its samples."""
    file.seek(0, os.SEEK_END)
    end = file.tell()
    at, total = 12, 0
    found: list[tuple[str, str]] = []
    while at + 8 <= end and len(found) < _TAGS_MAX:
        file.seek(at)
        name, length = struct.unpack("<4sI", file.read(8))
        is_kept = name not in {b"fmt ", b"data", b"fact", b"ds64", b"JUNK", b"PEAK"} and name.isascii()
        if is_kept and at + 8 + length <= end:
            total += length
            if total > _BESIDE_BYTES_MAX:
                raise _Refused("what stands beside its sound is larger than any tags")
            found.append((name.decode("ascii"), b64encode(file.read(length)).decode()))
        at += 8 + length + length % 2
    return found


if __name__ == "__main__":
    main()
